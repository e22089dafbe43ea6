/* fuzz_yaml.c: YAML text as a tree, and headgate.yaml by its table. Positions lie in the text, what is written as JSON
 * reads back the same, and a configuration that is accepted has a listener.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/doc.h"
#include "store/store.h"

static void
check_places(const struct doc_node *n, size_t size)
{
    ASSERT(n->at <= size && n->len > 0);
    doc_each(it, n) {
        ASSERT(n->kind == DOC_LIST || it->key.p);
        check_places(it, size);
    }
}

static void
check_json(struct arena *a, const struct doc_node *root)
{
    struct buf once = buf_in(a), again = buf_in(a);
    struct source json = {STR("json"), {0}};
    struct diags diags;
    struct doc d;

    doc_write_json(root, &once);
    json.text = buf_str(&once);
    diags_init(&diags, a);
    if (!doc_parse_json(&d, &json, a, &diags))
        return;                       /* WTF-8 or depth: JSON is stricter */
    doc_write_json(d.root, &again);
    ASSERT(str_eq(buf_str(&again), json.text));
}

static bool
names_a_file(struct str text)
{
    return str_find(text, STR("file:"), 0) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 256 << 20);
    struct source source = {STR("fuzz.yaml"), {(const char *)data, size}};
    struct options options;
    struct diags diags;
    struct doc d;

    diags_init(&diags, &arena);
    if (doc_parse_yaml(&d, &source, &arena, &diags) && d.root->weight < 5000) {
        check_places(d.root, size);
        check_json(&arena, d.root);
    }
    if (names_a_file(source.text))
        return 0;
    if (config_parse(&source, STR("conf"), &arena, &options, &diags))
        ASSERT(options.n_listeners > 0 && options.listeners);
    return 0;
}
