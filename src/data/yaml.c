/* yaml.c: libyaml's events as a tree of nodes (doc.h).
 *
 * Lists and maps under construction stand on a stack of frames; their depth is limited, and so is the number of nodes
 * that a document stands for with its aliases written out: an alias shares the children of its anchor, so a few lines
 * can mean billions of nodes to whoever walks them.
 *
 * libyaml counts characters, the tree counts bytes: `struct cursor` turns one into the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/doc.h"

#include <yaml.h>

#include "base/map.h"
#include "base/utf8.h"

#define KEYS_SCANNED_MAX 24           /* above that many keys, repeats are found by a table */

struct cursor {
    struct str text;
    size_t byte, character;
};

struct frame {
    struct doc_node *node;
    struct doc_node **last;           /* where the next child is linked */
    struct str key;                   /* of the entry whose value comes next */
    uint32_t key_at;
    bool has_key;
    const struct doc_node *merged;    /* value of "<<"; its entries come last, so that own ones win */
    struct map seen;                  /* keys, once there are many */
};

struct builder {
    struct doc *doc;
    struct cursor cursor;
    uint32_t shift;                   /* bytes of a byte order mark */
    struct map anchors;               /* name -> node */
    struct frame frames[DOC_DEPTH_MAX];
    uint32_t depth;
    uint32_t weight;                  /* of the whole document so far */
    struct doc_node *root;
    bool failed;
};

static uint32_t
byte_at(struct builder *b, size_t character)
{
    struct cursor *c = &b->cursor;

    if (character < c->character)
        c->byte = c->character = 0;
    while (c->character < character && c->byte < c->text.len) {
        c->byte++;
        while (c->byte < c->text.len && ((unsigned char)c->text.p[c->byte] & 0xc0) == 0x80)
            c->byte++;
        c->character++;
    }
    return (uint32_t)c->byte + b->shift;
}

static void
fail(struct builder *b, uint32_t at, uint32_t len, const char *what)
{
    if (!b->failed)
        diag_add(b->doc->diags, DIAG_ERROR, b->doc->source, at, len, "%s", what);
    b->failed = true;
}

static bool
is_one_of(struct str text, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(text, str_from_c(*words)))
            return true;
    return false;
}

/* YAML 1.2 core: [-+]? ( digits | digits? '.' digits exponent? ...), 0x.., 0o.., .inf, .nan */
static bool
is_number(struct str text)
{
    static const char *const special[] = {".inf", "-.inf", "+.inf", ".nan", ".Inf", "-.Inf", ".NaN", NULL};
    size_t i = text.len && (text.p[0] == '-' || text.p[0] == '+'), digits = 0;

    if (is_one_of(text, special))
        return true;
    if (text.len > 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'o')) {
        for (i = 2; i < text.len; i++)
            if (ascii_hex_value(text.p[i]) < 0 || (text.p[1] == 'o' && text.p[i] > '7'))
                return false;
        return true;
    }
    for (; i < text.len && ascii_is_digit(text.p[i]); i++)
        digits++;
    if (i < text.len && text.p[i] == '.')
        for (i++; i < text.len && ascii_is_digit(text.p[i]); i++)
            digits++;
    if (!digits)
        return false;
    if (i < text.len && (text.p[i] == 'e' || text.p[i] == 'E')) {
        i++;
        if (i < text.len && (text.p[i] == '-' || text.p[i] == '+'))
            i++;
        if (i == text.len)
            return false;
        while (i < text.len && ascii_is_digit(text.p[i]))
            i++;
    }
    return i == text.len;
}

static enum doc_kind
plain_kind(struct str text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const truths[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};

    if (is_one_of(text, nulls))
        return DOC_NULL;
    if (is_one_of(text, truths))
        return DOC_BOOL;
    return is_number(text) ? DOC_NUMBER : DOC_STRING;
}

static struct doc_node *
new_node(struct builder *b, enum doc_kind kind, const yaml_event_t *e)
{
    struct doc_node *n = arena_new(b->doc->arena, struct doc_node);
    uint32_t at = byte_at(b, e->start_mark.index);
    uint32_t end = e->end_mark.line == e->start_mark.line ? byte_at(b, e->end_mark.index) : at + 1;

    if (!n) {
        fail(b, at, 1, "the file is too large");
        return NULL;
    }
    n->kind = kind;
    n->at = at;
    n->len = MAX(end - at, 1u);
    n->weight = 1;
    return n;
}

/* The text of a scalar: a view of the source where it stands there as it is. */
static struct str
scalar_text(struct builder *b, const yaml_event_t *e, uint32_t at)
{
    struct str text = str_from((const char *)e->data.scalar.value, e->data.scalar.length);
    struct str there = str_sub(b->doc->source->text, at, at + text.len);

    return str_eq(text, there) && text.len ? there : str_dup(b->doc->arena, text);
}

static bool
key_is_seen(struct builder *b, struct frame *f, struct str key)
{
    if (f->node->n == KEYS_SCANNED_MAX && !f->seen.n_live)
        doc_each(it, f->node)
            map_set(&f->seen, it->key, f->node);
    if (f->node->n < KEYS_SCANNED_MAX)
        return doc_get_key(f->node, key) != NULL;
    return map_set(&f->seen, key, f->node) != NULL;
}

static void
take_key(struct builder *b, struct frame *f, struct str key, uint32_t at)
{
    if (!str_eq_lit(key, "<<") && key_is_seen(b, f, key)) {
        if (!b->failed)
            diag_add(b->doc->diags, DIAG_ERROR, b->doc->source, at, (uint32_t)key.len,
                     "`%.*s` is here for the second time", STR_ARG(key));
        b->failed = true;
    }
    f->key = key;
    f->key_at = at;
    f->has_key = true;
}

static void
link_child(struct frame *f, struct doc_node *n)
{
    *f->last = n;
    f->last = &n->next;
    f->node->n++;
}

/* Copies the entries of another map that are not there yet: "<<: *base", "<<: [*a, *b]". */
static void
merge(struct builder *b, struct frame *f, const struct doc_node *from)
{
    if (from->kind == DOC_LIST) {
        doc_each(it, from)
            if (it->kind == DOC_MAP)
                merge(b, f, it);
        return;
    }
    doc_each(it, from) {
        struct doc_node *copy;

        if (key_is_seen(b, f, it->key))
            continue;
        copy = arena_new(b->doc->arena, struct doc_node);
        if (!copy)
            return fail(b, from->at, 1, "the file is too large");
        *copy = *it;
        copy->next = NULL;
        if ((b->weight += it->weight) > DOC_NODES_MAX)
            return fail(b, from->at, from->len, "the document stands for more than 2,000,000 values");
        link_child(f, copy);
    }
}

/* Puts a finished node where it belongs: the root, a key, an entry or an item. */
static void
place(struct builder *b, struct doc_node *n)
{
    struct frame *f = b->depth ? &b->frames[b->depth - 1] : NULL;

    if ((b->weight += n->weight) > DOC_NODES_MAX)
        return fail(b, n->at, n->len, "the document stands for more than 2,000,000 values");
    if (!f) {
        b->root = n;
        return;
    }
    if (f->node->kind == DOC_MAP) {
        f->has_key = false;
        if (str_eq_lit(f->key, "<<") && !doc_is_scalar(n)) {
            f->merged = n;
            return;
        }
        n->key = f->key;
        n->key_at = f->key_at;
    }
    link_child(f, n);
}

static void
remember_anchor(struct builder *b, const yaml_char_t *anchor, struct doc_node *n)
{
    if (anchor)
        map_set_copy(&b->anchors, str_from_c((const char *)anchor), n);
}

static bool
wants_key(const struct builder *b)
{
    return b->depth && b->frames[b->depth - 1].node->kind == DOC_MAP && !b->frames[b->depth - 1].has_key;
}

static void
on_scalar(struct builder *b, const yaml_event_t *e)
{
    struct doc_node *n = new_node(b, DOC_STRING, e);
    bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (!n)
        return;
    n->text = scalar_text(b, e, n->at + !is_plain);
    if (wants_key(b))
        return take_key(b, &b->frames[b->depth - 1], n->text, n->at);
    if (is_plain && e->data.scalar.plain_implicit)
        n->kind = plain_kind(n->text);
    remember_anchor(b, e->data.scalar.anchor, n);
    place(b, n);
}

static void
on_start(struct builder *b, const yaml_event_t *e, enum doc_kind kind, const yaml_char_t *anchor)
{
    struct doc_node *n = new_node(b, kind, e);

    if (!n)
        return;
    if (wants_key(b))
        return fail(b, n->at, n->len, "a key must be text");
    if (b->depth == DOC_DEPTH_MAX)
        return fail(b, n->at, n->len, "nested more than 100 levels deep");
    remember_anchor(b, anchor, n);
    b->frames[b->depth++] = (struct frame){.node = n, .last = &n->first};
}

static void
on_end(struct builder *b)
{
    struct frame *f = &b->frames[--b->depth];
    uint64_t weight = 1;

    if (f->merged)
        merge(b, f, f->merged);
    map_destroy(&f->seen);
    doc_each(it, f->node)
        weight += it->weight;
    f->node->weight = (uint32_t)MIN(weight, (uint64_t)UINT32_MAX / 2);
    if (b->depth && f->node->weight)
        b->weight -= MIN(b->weight, f->node->weight - 1);     /* its children were counted one by one */
    place(b, f->node);
}

static bool
is_open(const struct builder *b, const struct doc_node *n)
{
    for (uint32_t i = 0; i < b->depth; i++)
        if (b->frames[i].node == n)
            return true;
    return false;
}

static void
on_alias(struct builder *b, const yaml_event_t *e)
{
    const struct doc_node *anchor = map_get(&b->anchors, str_from_c((const char *)e->data.alias.anchor));
    struct doc_node *n = new_node(b, DOC_NULL, e);
    uint32_t at, len;

    if (!n)
        return;
    if (!anchor || is_open(b, anchor))
        return fail(b, n->at, n->len, anchor ? "an alias inside its own anchor" : "no such anchor");
    if (wants_key(b)) {
        if (!doc_is_scalar(anchor))
            return fail(b, n->at, n->len, "a key must be text");
        return take_key(b, &b->frames[b->depth - 1], anchor->text, n->at);
    }
    at = n->at;
    len = n->len;
    *n = *anchor;
    n->at = at;
    n->len = len;
    n->next = NULL;
    n->key = STR_NONE;
    place(b, n);
}

static void
on_event(struct builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(b, e);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(b, e, DOC_LIST, e->data.sequence_start.anchor);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(b, e, DOC_MAP, e->data.mapping_start.anchor);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(b);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, e);
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (b->root)
            fail(b, byte_at(b, e->start_mark.index), 1, "a second document; one is expected");
        break;
    default:
        break;
    }
}

static void
report_syntax(struct builder *b, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "not YAML";
    uint32_t at = parser->error == YAML_READER_ERROR ? (uint32_t)parser->problem_offset + b->shift
                                                     : byte_at(b, parser->problem_mark.index);

    b->failed = true;
    diag_add(b->doc->diags, DIAG_ERROR, b->doc->source, at, 1, "%s%s%s", problem, parser->context ? " " : "",
             parser->context ? parser->context : "");
}

static void
run(struct builder *b, yaml_parser_t *parser)
{
    bool is_end = false;

    while (!is_end && !b->failed) {
        yaml_event_t e;

        if (!yaml_parser_parse(parser, &e)) {
            report_syntax(b, parser);
            return;
        }
        is_end = e.type == YAML_STREAM_END_EVENT;
        on_event(b, &e);
        yaml_event_delete(&e);
    }
}

static struct doc_node *
empty_document(struct arena *a)
{
    struct doc_node *n = arena_new(a, struct doc_node);

    if (n)
        *n = (struct doc_node){.kind = DOC_NULL, .len = 1, .weight = 1};
    return n;
}

bool
doc_parse_yaml(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags)
{
    struct builder *b = xnew(struct builder);
    struct str text = source->text;
    yaml_parser_t parser;
    bool ok;

    *ret = (struct doc){.source = source, .arena = a, .diags = diags};
    b->doc = ret;
    if (str_starts_with(text, STR("\xef\xbb\xbf"))) {
        text = str_skip(text, 3);
        b->shift = 3;
    }
    b->cursor.text = text;
    if (!yaml_parser_initialize(&parser)) {
        free(b);
        diag_add(diags, DIAG_ERROR, source, 0, 1, "out of memory");
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.p ? text.p : ""), text.len);
    run(b, &parser);
    if (!b->failed && !b->root && !(b->root = empty_document(a)))
        fail(b, 0, 1, "the file is too large");
    yaml_parser_delete(&parser);
    map_destroy(&b->anchors);
    while (b->depth)
        map_destroy(&b->frames[--b->depth].seen);
    ret->root = b->root;
    ok = !b->failed;
    free(b);
    return ok;
}
