/* doc_json.c: JSON files as a tree of nodes: data/json.h parses (RFC 8259, repeated names refused), this turns its values
 * into nodes. A JSON value knows where it begins; its end and its key's place are found in the text around it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/doc.h"
#include "data/json.h"

static enum doc_kind
kind_of(const struct json *j)
{
    switch (j->kind) {
    case JSON_FALSE:
    case JSON_TRUE:
        return DOC_BOOL;
    case JSON_NUMBER:
        return DOC_NUMBER;
    case JSON_STRING:
        return DOC_STRING;
    case JSON_ARRAY:
        return DOC_LIST;
    case JSON_OBJECT:
        return DOC_MAP;
    default:
        return DOC_NULL;
    }
}

/* Bytes from a value's first to the end of its line, its closing quote, or the next comma. */
static uint32_t
width_at(struct str text, uint32_t at, enum doc_kind kind)
{
    size_t end = (size_t)at + 1;

    if (kind == DOC_LIST || kind == DOC_MAP)
        return 1;
    if (kind == DOC_STRING) {
        while (end < text.len && text.p[end] != '"' && text.p[end] != '\n')
            end += text.p[end] == '\\' ? 2 : 1;
        return (uint32_t)MIN(end + 1, text.len) - at;
    }
    while (end < text.len && (ascii_is_alpha(text.p[end]) || ascii_is_digit(text.p[end]) ||
                              strchr("+-.", text.p[end])))
        end++;
    return (uint32_t)end - at;
}

/* Where the name in front of a value begins, behind its quote. */
static uint32_t
key_at(struct str text, uint32_t value_at, struct str name)
{
    size_t i = value_at;

    while (i > 0 && (ascii_is_blank(text.p[i - 1]) || text.p[i - 1] == ':'))
        i--;
    return i > name.len ? (uint32_t)(i - 1 - name.len) : value_at;
}

static struct str
scalar_text(const struct json *j)
{
    if (j->kind == JSON_TRUE || j->kind == JSON_FALSE)
        return j->kind == JSON_TRUE ? STR("true") : STR("false");
    return j->kind == JSON_NUMBER || j->kind == JSON_STRING ? json_text(j) : STR("null");
}

/* Fills n, children first to last. Depth is that of the JSON tree, JSON_DEPTH_MAX. */
static bool
convert(struct doc *d, const struct json *j, struct doc_node *n)
{
    struct doc_node *children, *previous = NULL;

    n->kind = kind_of(j);
    n->at = j->at;
    n->len = width_at(d->source->text, j->at, n->kind);
    n->weight = 1;
    if (n->kind != DOC_LIST && n->kind != DOC_MAP) {
        n->text = scalar_text(j);
        return true;
    }
    n->n = j->n;
    children = arena_new_array(d->arena, struct doc_node, MAX(j->n, 1u));
    if (!children)
        return false;
    for (uint32_t i = 0; i < j->n; i++) {
        struct doc_node *child = &children[i];

        if (!convert(d, n->kind == DOC_MAP ? &j->members[i].value : &j->items[i], child))
            return false;
        if (n->kind == DOC_MAP) {
            child->key = j->members[i].name.len ? j->members[i].name : STR("");
            child->key_at = key_at(d->source->text, child->at, child->key);
        }
        if (previous)
            previous->next = child;
        else
            n->first = child;
        previous = child;
        n->weight += child->weight;
    }
    return true;
}

bool
doc_parse_json(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags)
{
    struct json_problem problem = {0};
    const struct json *j = json_parse(a, source->text, JSON_STRICT_UNIQUE, &problem);

    *ret = (struct doc){.source = source, .arena = a, .diags = diags};
    if (!j) {
        struct str why = str_from_c(problem.err.text);
        ptrdiff_t place = str_find(why, STR(" (line "), 0);   /* the diag says it */

        diag_add(diags, DIAG_ERROR, source, (uint32_t)problem.at, 1, "%.*s",
                 STR_ARG(str_sub(why, 0, place < 0 ? why.len : (size_t)place)));
        return false;
    }
    ret->root = arena_new(a, struct doc_node);
    if (ret->root && convert(ret, j, ret->root))
        return true;
    diag_add(diags, DIAG_ERROR, source, 0, 1, "the file is too large");
    return false;
}
