/* fuzz_policy.c: the reader of policy documents, named values, and the search for the end of an expression.
 * Checked beside memory errors: positions stay inside the text, and values come from where their maps say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/document.h"

static bool
lookup(void *ctx, struct str name, struct str *ret)
{
    *ret = str_eq_lit(name, "x") ? STR("@(1 + \"&quot;)\")") : STR("v{{x}}");
    return name.len < 8;
}

static void
check_text(const struct source *source, const struct doc_text *t)
{
    for (uint32_t i = 0; i < t->value.len; i += 1 + (uint32_t)t->value.len / 64)
        ASSERT(text_map_source(&t->map, i) <= source->text.len);
}

static void
check_node(const struct source *source, const struct node *n)
{
    ASSERT((size_t)n->at + n->len <= source->text.len);
    check_text(source, &n->text);
    for (const struct attribute *a = n->attrs; a; a = a->next)
        check_text(source, &a->text);
    for (const struct node *k = n->first_child; k; k = k->next)
        check_node(source, k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA(NULL, 64 << 20);
    struct source source = {STR("fuzz"), {(const char *)data, size}};
    struct named_value_source values = {.lookup = lookup};
    struct document document;
    struct diags diags;

    diags_init(&diags, &arena);
    document_read(&arena, &source, NULL, &diags, &document);
    for (const struct node *n = document.first; n; n = n->next)
        check_node(&source, n);
    (void)named_values_apply(&document, &values, &diags);
    for (const struct node *n = document.first; n; n = n->next)
        check_node(&source, n);
    arena_destroy(&arena);
    return 0;
}
