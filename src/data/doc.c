/* doc.c: looking into a tree of nodes, with reports that carry the place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/doc.h"

#include "base/num.h"

static bool
looks_like_json(struct str text)
{
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_skip(text, 3);
    while (text.len && ascii_is_blank(*text.p))
        text = str_skip(text, 1);
    return text.len && (*text.p == '{' || *text.p == '[');
}

bool
doc_parse(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags)
{
    return looks_like_json(source->text) ? doc_parse_json(ret, source, a, diags) : doc_parse_yaml(ret, source, a, diags);
}

bool
doc_parse_loosely(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags)
{
    struct diags as_json, as_yaml;
    const struct diag *why;

    if (!looks_like_json(source->text))
        return doc_parse_yaml(ret, source, a, diags);
    diags_init(&as_json, a);
    if (doc_parse_json(ret, source, a, &as_json)) {
        ret->diags = diags;
        return true;
    }
    why = as_json.first;
    diags_init(&as_yaml, a);
    if (!why || !doc_parse_yaml(ret, source, a, &as_yaml) || ret->root->kind != DOC_MAP)
        return doc_parse_json(ret, source, a, diags);
    diag_add(diags, DIAG_WARNING, source, why->offset, why->len, "this is no JSON, read as YAML: %.*s", STR_ARG(why->message));
    ret->diags = diags;
    return true;
}

const struct doc_node *
doc_get_key(const struct doc_node *map, struct str key)
{
    if (!map || map->kind != DOC_MAP)
        return NULL;
    doc_each(it, map)
        if (str_eq(it->key, key))
            return it;
    return NULL;
}

const struct doc_node *
doc_get(const struct doc_node *map, const char *key)
{
    return doc_get_key(map, str_from_c(key));
}

/* Compares a key with one step of a pointer: ~1 is '/', ~0 is '~', %XX is a byte (a pointer in a URI fragment). */
static bool
step_is_key(struct str step, struct str key)
{
    size_t at = 0;

    for (size_t i = 0; i < step.len; i++, at++) {
        char c = step.p[i];
        if (c == '~' && i + 1 < step.len && (step.p[i + 1] == '0' || step.p[i + 1] == '1')) {
            c = step.p[++i] == '0' ? '~' : '/';
        } else if (c == '%' && i + 2 < step.len && ascii_hex_value(step.p[i + 1]) >= 0 &&
                   ascii_hex_value(step.p[i + 2]) >= 0) {
            c = (char)(ascii_hex_value(step.p[i + 1]) << 4 | ascii_hex_value(step.p[i + 2]));
            i += 2;
        }
        if (at >= key.len || key.p[at] != c)
            return false;
    }
    return at == key.len;
}

static const struct doc_node *
pointer_step(const struct doc_node *n, struct str step)
{
    uint32_t index = 0, wanted;

    if (n->kind == DOC_MAP) {
        doc_each(it, n)
            if (step_is_key(step, it->key))
                return it;
        return NULL;
    }
    if (n->kind != DOC_LIST || !num_parse_u32(step, UINT32_MAX, &wanted, NULL))
        return NULL;
    doc_each(it, n)
        if (index++ == wanted)
            return it;
    return NULL;
}

const struct doc_node *
doc_pointer(const struct doc_node *root, struct str pointer)
{
    struct str rest = pointer, step;

    if (str_starts_with(rest, STR("#")))
        rest = str_skip(rest, 1);
    if (rest.len == 0)
        return root;
    if (*rest.p != '/')
        return NULL;
    rest = str_skip(rest, 1);
    while (root && str_split_next(&rest, '/', &step))
        root = pointer_step(root, step);
    return root;
}

bool
doc_is_scalar(const struct doc_node *n)
{
    return n && n->kind != DOC_LIST && n->kind != DOC_MAP;
}

const char *
doc_kind_name(const struct doc_node *n)
{
    static const char *const names[] = {"nothing", "a truth value", "a number", "text", "a list", "a map"};

    return names[n ? n->kind : DOC_NULL];
}

static void
report(const struct doc *d, enum diag_level level, uint32_t at, uint32_t len, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT;

    buf_vprintf(&text, fmt, ap);
    diag_add(d->diags, level, d->source, at, len, "%.*s", STR_ARG(buf_str(&text)));
    buf_destroy(&text);
}

void
doc_report(const struct doc *d, enum diag_level level, const struct doc_node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report(d, level, n ? n->at : 0, n ? n->len : 1, fmt, ap);
    va_end(ap);
}

void
doc_report_key(const struct doc *d, enum diag_level level, const struct doc_node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (n && n->key.p)
        report(d, level, n->key_at, (uint32_t)n->key.len, fmt, ap);
    else
        report(d, level, n ? n->at : 0, n ? n->len : 1, fmt, ap);
    va_end(ap);
}

/* The entry when it is there and not null. */
static const struct doc_node *
present(const struct doc_node *map, const char *key)
{
    const struct doc_node *n = doc_get(map, key);

    return n && n->kind != DOC_NULL ? n : NULL;
}

static void
wrong_type(const struct doc *d, const struct doc_node *n, const char *key, const char *expected)
{
    doc_report(d, DIAG_ERROR, n, "`%s` must be %s, found %s", key, expected, doc_kind_name(n));
}

struct str
doc_get_str(const struct doc *d, const struct doc_node *map, const char *key, struct str fallback)
{
    const struct doc_node *n = present(map, key);

    if (!n)
        return fallback;
    if (doc_is_scalar(n))
        return n->text;
    wrong_type(d, n, key, "text");
    return fallback;
}

bool
doc_get_bool(const struct doc *d, const struct doc_node *map, const char *key, bool fallback)
{
    const struct doc_node *n = present(map, key);
    bool value;

    if (!n)
        return fallback;
    if (doc_is_scalar(n) && num_parse_bool(n->text, &value, NULL))
        return value;
    wrong_type(d, n, key, "true or false");
    return fallback;
}

uint32_t
doc_get_u32(const struct doc *d, const struct doc_node *map, const char *key, uint32_t max, uint32_t fallback)
{
    const struct doc_node *n = present(map, key);
    struct err err = ERR_INIT;
    uint32_t value;

    if (!n)
        return fallback;
    if (!doc_is_scalar(n)) {
        wrong_type(d, n, key, "a number");
        return fallback;
    }
    if (num_parse_u32(n->text, max, &value, &err))
        return value;
    doc_report(d, DIAG_ERROR, n, "`%s`: %s", key, err.text);
    return fallback;
}

static const struct doc_node *
get_kind(const struct doc *d, const struct doc_node *map, const char *key, enum doc_kind kind, const char *expected)
{
    const struct doc_node *n = present(map, key);

    if (!n || n->kind == kind)
        return n;
    wrong_type(d, n, key, expected);
    return NULL;
}

const struct doc_node *
doc_get_map(const struct doc *d, const struct doc_node *map, const char *key)
{
    return get_kind(d, map, key, DOC_MAP, "a map");
}

const struct doc_node *
doc_get_list(const struct doc *d, const struct doc_node *map, const char *key)
{
    return get_kind(d, map, key, DOC_LIST, "a list");
}

struct str *
doc_get_strs(const struct doc *d, const struct doc_node *map, const char *key, uint32_t *ret_n)
{
    const struct doc_node *n = present(map, key);
    struct str *all;

    *ret_n = 0;
    if (!n)
        return NULL;
    if (n->kind == DOC_MAP) {
        wrong_type(d, n, key, "a list of texts");
        return NULL;
    }
    all = arena_new_array(d->arena, struct str, MAX(n->n, 1u));
    if (!all)
        return NULL;
    if (doc_is_scalar(n))
        all[(*ret_n)++] = n->text;
    doc_each(it, n) {
        if (doc_is_scalar(it))
            all[(*ret_n)++] = it->text;
        else
            wrong_type(d, it, key, "a list of texts");
    }
    return all;
}

/* A YAML number that JSON would not read as one (.5, 0x1F, .inf) becomes text. */
static bool
is_json_number(struct str text)
{
    size_t i = text.len && text.p[0] == '-';
    size_t start = i;

    while (i < text.len && ascii_is_digit(text.p[i]))
        i++;
    if (i == start || (text.p[start] == '0' && i > start + 1))
        return false;
    if (i < text.len && text.p[i] == '.') {
        start = ++i;
        while (i < text.len && ascii_is_digit(text.p[i]))
            i++;
        if (i == start)
            return false;
    }
    if (i < text.len && (text.p[i] == 'e' || text.p[i] == 'E')) {
        i++;
        if (i < text.len && (text.p[i] == '+' || text.p[i] == '-'))
            i++;
        start = i;
        while (i < text.len && ascii_is_digit(text.p[i]))
            i++;
        if (i == start)
            return false;
    }
    return i == text.len;
}

static void
write_json_text(struct str text, struct buf *to)
{
    buf_add_char(to, '"');
    buf_add_json_escaped(to, text);
    buf_add_char(to, '"');
}

static void
write_json_scalar(const struct doc_node *n, struct buf *to)
{
    if (n->kind == DOC_NULL)
        buf_add_lit(to, "null");
    else if (n->kind == DOC_BOOL)
        buf_add_str(to, ascii_lower(n->text.p[0]) == 't' ? STR("true") : STR("false"));
    else if (n->kind == DOC_NUMBER && is_json_number(n->text))
        buf_add_str(to, n->text);
    else
        write_json_text(n->text, to);
}

void
doc_write_json(const struct doc_node *n, struct buf *to)
{
    if (doc_is_scalar(n)) {
        write_json_scalar(n, to);
        return;
    }
    buf_add_char(to, n->kind == DOC_MAP ? '{' : '[');
    doc_each(it, n) {
        if (n->kind == DOC_MAP) {
            write_json_text(it->key, to);
            buf_add_char(to, ':');
        }
        doc_write_json(it, to);
        if (it->next)
            buf_add_char(to, ',');
    }
    buf_add_char(to, n->kind == DOC_MAP ? '}' : ']');
}
