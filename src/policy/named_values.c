/* named_values.c: puts the values of {{name}} into the texts of a document, before anything in it is compiled.
 *
 * A textual replacement, also inside expressions and C# strings; the value is not looked at again. What is no named value:
 * three braces in a row, the {{ }} of a C# interpolated string whose name is unknown, and Liquid output whose name is
 * unknown. Positions keep leading to the token in the file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"
#include "policy/document.h"

#define VALUE_TEXT_MAX ((size_t)8 << 20)  /* of one text with its values put in */

struct replacer {
    const struct named_value_source *values;
    struct diags *diags;
    struct arena *arena;
    bool has_failed;
    /* Of the text at work. */
    const struct doc_text *old;
    bool is_liquid;
    struct buf bytes;
    struct { struct text_segment *v; size_t n, cap; } segments;
};

static bool
is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* The token that begins at text[at]: its end, and the name without blanks; 0 when it is none. */
static size_t
token_at(struct str text, size_t at, struct str *ret_name)
{
    ptrdiff_t close = str_find(str_sub(text, at, at + 512), STR("}}"), 2);

    if (close < 0 || (at > 0 && text.p[at - 1] == '{'))
        return 0;
    size_t end = at + (size_t)close + 2;
    if (end < text.len && text.p[end] == '}')
        return 0;
    struct str name = str_trim(str_sub(text, at + 2, end - 2));
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.p[i]))
            return 0;
    *ret_name = name;
    return name.len ? end : 0;
}

static void
add_segment(struct replacer *r, uint32_t from, bool is_fixed)
{
    struct text_segment *s = avec_push(r->arena, &r->segments);

    if (s)
        *s = (struct text_segment){.at = (uint32_t)r->bytes.len, .from = from, .is_fixed = is_fixed};
}

/* Copies [from, to) of the old text with the segments that cover it. */
static void
keep(struct replacer *r, size_t from, size_t to)
{
    const struct text_map *map = &r->old->map;
    size_t start = r->bytes.len;

    if (from == to)
        return;
    if (map->n == 0)
        add_segment(r, map->base + (uint32_t)from, false);
    for (uint32_t i = 0; i < map->n; i++) {
        const struct text_segment *s = &map->segments[i];
        size_t end = i + 1 < map->n ? map->segments[i + 1].at : r->old->value.len;
        size_t at = MAX((size_t)s->at, from);

        if (at >= MIN(end, to))
            continue;
        r->bytes.len = start + (at - from);
        add_segment(r, s->is_fixed ? s->from : s->from + (uint32_t)(at - s->at), s->is_fixed);
    }
    r->bytes.len = start;
    buf_add_str(&r->bytes, str_sub(r->old->value, from, to));
}

static void
report_unknown(struct replacer *r, size_t at, size_t end, struct str name, struct str why)
{
    bool is_note = r->values->is_unresolved_ok;

    if (why.p)
        diag_add_mapped(r->diags, DIAG_ERROR, &r->old->map, (uint32_t)at, (uint32_t)(end - at),
                        "named value '%.*s' has no value: %.*s", STR_ARG(name), STR_ARG(why));
    else
        diag_add_mapped(r->diags, is_note ? DIAG_NOTE : DIAG_ERROR, &r->old->map, (uint32_t)at, (uint32_t)(end - at),
                        "there is no named value '%.*s'%s", STR_ARG(name), is_note ? " in this file alone" : "");
    r->has_failed |= !is_note;
}

/* {{name} in a literal: text, but hardly meant so. */
static void
warn_of_half_token(struct replacer *r, size_t at)
{
    struct str text = r->old->value;
    size_t end = at + 2;

    while (end < text.len && is_name_char(text.p[end]))
        end++;
    if (r->is_liquid || r->old->is_expression || end == at + 2 || end >= text.len || text.p[end] != '}' ||
        (at > 0 && text.p[at - 1] == '{') || (end + 1 < text.len && text.p[end + 1] == '}'))
        return;
    diag_add_mapped(r->diags, DIAG_WARNING, &r->old->map, (uint32_t)at, (uint32_t)(end + 1 - at),
                    "this stays as it is written; a named value ends with two braces");
}

/* Handles the braces at `at`: puts a value in, or leaves them. The offset to go on from. */
static size_t
replace(struct replacer *r, size_t at, size_t *kept)
{
    struct str name, value = STR_NONE;
    size_t end = token_at(r->old->value, at, &name);

    if (!end) {
        warn_of_half_token(r, at);
        return at + 2;
    }
    if (!r->values->lookup || !r->values->lookup(r->values->ctx, name, &value)) {
        if (!r->is_liquid && !(r->old->is_expression && expression_is_brace_escape(r->old->value, at)))
            report_unknown(r, at, end, name, value);
        return end;
    }
    keep(r, *kept, at);
    add_segment(r, text_map_source(&r->old->map, (uint32_t)at), true);
    buf_add_str(&r->bytes, value);
    *kept = end;
    return end;
}

static void
apply_to_text(struct replacer *r, struct doc_text *t, bool is_liquid)
{
    struct doc_text old = *t;
    size_t kept = 0;
    ptrdiff_t at = str_find(t->value, STR("{{"), 0);

    if (at < 0)
        return;
    r->old = &old;
    r->is_liquid = is_liquid;
    r->bytes = buf_in(r->arena);
    r->bytes.max = VALUE_TEXT_MAX;
    r->segments.v = NULL;
    r->segments.n = r->segments.cap = 0;
    while (at >= 0)
        at = str_find(old.value, STR("{{"), replace(r, (size_t)at, &kept));
    if (kept == 0)
        return;
    keep(r, kept, old.value.len);
    if (r->bytes.failed) {
        diag_add_mapped(r->diags, DIAG_ERROR, &old.map, 0, 1, "this text is too long with its named values put in");
        r->has_failed = true;
        return;
    }
    t->value = r->bytes.len ? buf_str(&r->bytes) : STR("");
    t->map.n = (uint32_t)r->segments.n;
    t->map.segments = r->segments.v;
    doc_text_find_expression(t);
}

static void
apply_to_node(struct replacer *r, struct node *n)
{
    const struct node *body = str_eq_lit(n->name, "value") && n->parent ? n->parent : n;
    const struct attribute *template = node_attr(body, "template");
    bool is_liquid = template && str_eq_nocase(str_trim(template->text.value), STR("liquid"));

    for (struct attribute *a = n->attrs; a; a = a->next)
        apply_to_text(r, &a->text, false);
    apply_to_text(r, &n->text, is_liquid);
}

/* The node after n in document order, inside the tree of the document. */
static struct node *
next_node(struct node *n)
{
    if (n->first_child)
        return n->first_child;
    while (n && !n->next)
        n = n->parent;
    return n ? n->next : NULL;
}

bool
named_values_apply(struct document *d, const struct named_value_source *values, struct diags *diags)
{
    struct replacer r = {.values = values, .diags = diags, .arena = d->arena};

    for (struct node *n = d->first; n; n = next_node(n))
        apply_to_node(&r, n);
    return !r.has_failed;
}
