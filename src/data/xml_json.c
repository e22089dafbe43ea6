/* xml_json.c: XML as JSON and back.
 *
 * From XML a small tree is made first, since members of one name have to be found before they are written; a table finds them,
 * so that many different names cost no more than many equal ones. Recursion is bounded by the readers' own depth limits (128).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml_json.h"

#include "base/map.h"
#include "base/num.h"
#include "base/utf8.h"
#include "data/json.h"
#include "data/xml.h"

/* --- names of XML -------------------------------------------------------------------------------------------------- */

struct range {
    uint32_t from, to;
};

static bool
is_in(uint32_t c, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

/* Without the colon. */
static bool
is_name_start(uint32_t c)
{
    static const struct range ranges[] = {
        {'a', 'z'}, {'A', 'Z'}, {'_', '_'}, {0xc0, 0xd6}, {0xd8, 0xf6}, {0xf8, 0x2ff}, {0x370, 0x37d}, {0x37f, 0x1fff},
        {0x200c, 0x200d}, {0x2070, 0x218f}, {0x2c00, 0x2fef}, {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd},
        {0x10000, 0xeffff}};

    return is_in(c, ranges, COUNTOF(ranges));
}

static bool
is_name_char(uint32_t c)
{
    static const struct range ranges[] = {{'0', '9'}, {'-', '.'}, {0xb7, 0xb7}, {0x300, 0x36f}, {0x203f, 0x2040}};

    return is_name_start(c) || is_in(c, ranges, COUNTOF(ranges));
}

/* The length of "_xHHHH_" or "_xHHHHHHHH_" at s[at], with what it stands for; 0: there is none. */
static size_t
escape_at(struct str s, size_t at, uint32_t *ret)
{
    struct str rest = str_skip(s, at);
    uint64_t value;

    if (!str_starts_with(rest, STR("_x")))
        return 0;
    for (size_t digits = 4; digits <= 8; digits += 4) {
        size_t len = digits + 3;

        if (rest.len < len || rest.p[len - 1] != '_' || !num_parse_hex(str_sub(rest, 2, len - 1), &value, NULL))
            continue;
        *ret = (uint32_t)value;
        return len;
    }
    return 0;
}

/* --- XML to JSON --------------------------------------------------------------------------------------------------- */

#define JSON_SPACE "http://james.newtonking.com/projects/json"   /* Newtonsoft's own: <a json:Array="true"> is an array */

enum item_kind { ITEM_ELEMENT, ITEM_ATTRIBUTE, ITEM_TEXT, ITEM_CDATA, ITEM_INSTRUCTION };

/* Whatever stands in an element, attributes first. */
struct item {
    enum item_kind kind;
    bool is_array, is_empty_tag;
    bool is_follower;                 /* written with the first of its name */
    struct str name;                  /* of the member */
    struct str value;                 /* of attributes and instructions */
    struct buf text;
    struct item *first, *last, *next, *parent;
    struct item *same, *last_same;    /* the next of this name; of a first one, the last */
    uint32_t n_items;
};

struct tree {
    struct arena *arena;
    const struct xml_to_json *how;
    struct item document, *at;
    bool is_joinable;                 /* text that follows belongs to the text before it */
    bool is_full;                     /* the arena is */
    uint32_t depth;                   /* of the JSON being written */
    bool is_too_deep;
};

/* "a_x0020_b" is "a b". */
static struct str
decode_name(struct arena *a, struct str name)
{
    struct buf b = buf_in(a);
    uint32_t c;

    if (str_find(name, STR("_x"), 0) < 0)
        return str_dup(a, name);
    for (size_t at = 0; at < name.len;) {
        size_t len = escape_at(name, at, &c);

        if (len && c && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff)) {
            char bytes[4];

            buf_add(&b, bytes, utf8_put(bytes, c));
            at += len;
        } else {
            buf_add_char(&b, name.p[at++]);
        }
    }
    return b.failed ? STR_NONE : buf_str(&b);
}

static struct str
full_name(struct tree *t, const char *sign, struct str prefix, struct str space, struct str local)
{
    struct str decoded = decode_name(t->arena, local);

    if (t->how->is_plain || !decoded.p)
        return decoded;
    if (str_eq_lit(space, JSON_SPACE))
        return str_concat(t->arena, STR("$"), decoded);
    if (!prefix.len)
        return *sign ? str_concat(t->arena, str_from_c(sign), decoded) : decoded;
    return str_printf(t->arena, "%s%.*s:%.*s", sign, STR_ARG(prefix), STR_ARG(decoded));
}

static struct item *
add_item(struct tree *t, enum item_kind kind, struct str name)
{
    struct item *item = arena_new(t->arena, struct item);

    if (!item || !name.p)
        return NULL;
    *item = (struct item){.kind = kind, .name = name, .parent = t->at, .text = buf_in(t->arena)};
    if (t->at->last)
        t->at->last->next = item;
    else
        t->at->first = item;
    t->at->last = item;
    t->at->n_items++;
    return item;
}

static bool
add_attribute(struct tree *t, const struct xml_attribute *from)
{
    bool is_declaration = str_eq_lit(from->prefix, "xmlns") || (!from->prefix.len && str_eq_lit(from->local, "xmlns"));
    struct item *item;

    if (is_declaration && (t->how->is_plain || str_eq_lit(from->value, JSON_SPACE)))
        return true;
    if (str_eq_lit(from->space, JSON_SPACE) && str_eq_lit(from->local, "Array")) {
        t->at->is_array = str_eq_lit(from->value, "true") || str_eq_lit(from->value, "1");
        return true;
    }
    item = add_item(t, ITEM_ATTRIBUTE, full_name(t, "@", from->prefix, from->space, from->local));
    if (!item)
        return false;
    item->value = str_dup(t->arena, from->value.p ? from->value : STR(""));
    return item->value.p != NULL;
}

static bool
add_element(struct tree *t, const struct xml_event *ev)
{
    struct item *e = add_item(t, ITEM_ELEMENT, full_name(t, "", ev->prefix, ev->space, ev->local));
    bool ok = e != NULL;

    if (!ok)
        return false;
    e->is_empty_tag = ev->is_empty;
    t->at = e;
    for (uint32_t i = 0; i < ev->n_attributes; i++)
        ok &= add_attribute(t, &ev->attributes[i]);
    if (ev->is_empty)
        t->at = e->parent;
    return ok;
}

static bool
add_text(struct tree *t, enum item_kind kind, struct str text)
{
    struct item *item = t->at->last;

    if (t->how->is_plain)
        kind = ITEM_TEXT;
    if (!t->is_joinable || !item || item->kind != kind)
        item = add_item(t, kind, kind == ITEM_CDATA ? STR("#cdata-section") : t->how->is_plain ? STR("text") : STR("#text"));
    t->is_joinable = kind == ITEM_TEXT;
    return item && buf_add_str(&item->text, text);
}

static bool
add_instruction(struct tree *t, const struct xml_event *ev)
{
    struct item *item;

    if (t->how->is_plain)
        return true;
    item = add_item(t, ITEM_INSTRUCTION, str_concat(t->arena, STR("?"), ev->local));
    if (!item)
        return false;
    item->value = str_dup(t->arena, ev->text.p ? ev->text : STR(""));
    return item->value.p != NULL;
}

static bool
on_event(void *ctx, const struct xml_event *ev)
{
    struct tree *t = ctx;
    bool is_text = ev->kind == XML_EVENT_TEXT || ev->kind == XML_EVENT_CDATA || ev->kind == XML_EVENT_BLANK, ok = true;

    t->is_joinable &= is_text;
    switch (ev->kind) {
    case XML_EVENT_ELEMENT: ok = add_element(t, ev); break;
    case XML_EVENT_END: t->at = t->at->parent; break;
    case XML_EVENT_TEXT: ok = add_text(t, ITEM_TEXT, ev->text); break;
    case XML_EVENT_CDATA: ok = add_text(t, ITEM_CDATA, ev->text); break;
    case XML_EVENT_INSTRUCTION: ok = add_instruction(t, ev); break;
    case XML_EVENT_BLANK:
    case XML_EVENT_COMMENT: break;
    }
    t->is_full |= !ok;
    return ok;
}

/* Chains the items of one name. */
static void
group_items(struct item *e)
{
    struct map firsts AUTO(map_destroy) = MAP_INIT;

    for (struct item *k = e->first; k && e->n_items > 1; k = k->next) {
        struct item *first = map_get(&firsts, k->name);

        if (!first) {
            map_set(&firsts, k->name, k);
            k->last_same = k;
        } else {
            first->last_same->same = k;
            first->last_same = k;
            k->is_follower = true;
        }
    }
}

/* Whether one more container may begin; null stands in its place otherwise, and the text is given up at the end. */
static bool
go_deeper(struct tree *t, struct json_writer *w)
{
    if (t->depth < JSON_DEPTH_MAX - 1) {
        t->depth++;
        return true;
    }
    t->is_too_deep = true;
    json_write_null(w);
    return false;
}

static void write_item(struct tree *t, struct json_writer *w, struct item *item);

static void
write_members(struct tree *t, struct json_writer *w, struct item *e)
{
    group_items(e);
    for (struct item *k = e->first; k; k = k->next) {
        bool is_array = k->same || k->is_array || (k->kind == ITEM_ELEMENT && t->how->always_arrays && e->parent);

        if (k->is_follower)
            continue;
        json_write_name(w, k->name);
        if (!is_array) {
            write_item(t, w, k);
        } else if (go_deeper(t, w)) {
            json_write_array_begin(w);
            for (struct item *same = k; same; same = same->same)
                write_item(t, w, same);
            json_write_array_end(w);
            t->depth--;
        }
    }
}

static void
write_item(struct tree *t, struct json_writer *w, struct item *item)
{
    struct item *only = item->first == item->last ? item->first : NULL;

    if (item->kind == ITEM_ATTRIBUTE || item->kind == ITEM_INSTRUCTION) {
        json_write_str(w, item->value);
    } else if (item->kind != ITEM_ELEMENT) {
        json_write_str(w, item->text.len ? buf_str(&item->text) : STR(""));
    } else if (only && only->kind == ITEM_TEXT) {
        json_write_str(w, only->text.len ? buf_str(&only->text) : STR(""));
    } else if (item->first && go_deeper(t, w)) {
        json_write_object_begin(w);
        write_members(t, w, item);
        json_write_object_end(w);
        t->depth--;
    } else if (item->first) {
        return;
    } else if (item->is_empty_tag) {
        json_write_null(w);
    } else {
        json_write_str(w, STR(""));
    }
}

static void
write_declaration(struct json_writer *w, struct str xml)
{
    struct xml_declaration d;

    if (!xml_read_declaration(xml, &d))
        return;
    json_write_name(w, STR("?xml"));
    json_write_object_begin(w);
    const struct { struct str name, value; } parts[] = {
        {STR("@version"), d.version}, {STR("@encoding"), d.encoding}, {STR("@standalone"), d.standalone},
    };
    for (size_t i = 0; i < COUNTOF(parts); i++) {
        if (!parts[i].value.p)
            continue;
        json_write_name(w, parts[i].name);
        json_write_str(w, parts[i].value);
    }
    json_write_object_end(w);
}

/* The buffer's own limit, or no memory. */
static bool
fail_full(const struct buf *to, const char *what, struct err *err)
{
    if (to->max && to->max != SIZE_MAX)
        return err_set(err, ERR_LIMIT, "the %s is larger than %zu bytes", what, to->max);
    return err_set(err, ERR_NO_MEMORY, "no memory left for the %s", what);
}

bool
xml_to_json(struct arena *a, struct str xml, const struct xml_to_json *how, struct buf *to, struct err *err)
{
    struct tree t = {.arena = a, .how = how};
    struct json_writer w = JSON_WRITER(to);

    t.at = &t.document;
    if (!xml_read(xml, on_event, &t, err))
        return t.is_full ? err_set(err, ERR_NO_MEMORY, "no memory left to convert XML") : false;
    json_write_object_begin(&w);
    if (!how->is_plain)
        write_declaration(&w, xml);
    t.depth = 1;
    write_members(&t, &w, &t.document);
    json_write_object_end(&w);
    if (t.is_too_deep)
        return err_set(err, ERR_LIMIT, "the JSON would be nested deeper than %d levels", JSON_DEPTH_MAX);
    return !to->failed || fail_full(to, "JSON", err);
}

/* --- JSON to XML --------------------------------------------------------------------------------------------------- */

#define ATTRIBUTES_MAX 256
#define XML_SPACE "http://www.w3.org/XML/1998/namespace"
#define XMLNS_SPACE "http://www.w3.org/2000/xmlns/"

struct xml_writer {
    const struct json_to_xml *how;
    struct arena *arena;
    struct buf *to;
    struct err *err;
    struct str declared[XML_DECLARED_MAX];    /* prefixes in force */
    uint32_t n_declared;
    struct str attributes[ATTRIBUTES_MAX];    /* of the tag being written */
    uint32_t n_attributes;
    bool has_failed;                          /* err is set */
};

static bool
is_declared(const struct xml_writer *w, struct str prefix)
{
    for (uint32_t i = 0; i < w->n_declared; i++)
        if (str_eq(w->declared[i], prefix))
            return true;
    return false;
}

/* One part of a name: what may not stand in it is written _xHHHH_. */
static void
add_name(struct buf *to, struct str name)
{
    for (size_t at = 0; at < name.len;) {
        size_t from = at;
        uint32_t c, escaped;
        char bytes[4];

        c = utf8_next(name, &at);
        if ((from == 0 ? is_name_start(c) : is_name_char(c)) && !(c == '_' && escape_at(name, from, &escaped)))
            buf_add(to, bytes, utf8_put(bytes, c));    /* not the name's own bytes, which may be no UTF-8 */
        else
            buf_printf(to, c > 0xffff ? "_x%08X_" : "_x%04X_", c);
    }
    if (name.len == 0)
        buf_add_lit(to, "_");
}

static bool
is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alpha(name.p[i]))
            return false;
    return name.len > 0;
}

/* A member's name: "p_x" and "p:x" are p:x where p is declared. */
static struct str
xml_name(struct xml_writer *w, struct str name)
{
    struct str separators[] = {w->how->separator, STR(":")};
    struct buf b = buf_in(w->arena);

    if (w->n_declared == 0 && is_plain_name(name))
        return name;
    for (size_t i = 0; i < COUNTOF(separators); i++) {
        ptrdiff_t at = separators[i].len ? str_find(name, separators[i], 0) : -1;
        size_t rest_at = (size_t)at + separators[i].len;

        if (at <= 0 || rest_at >= name.len || !is_declared(w, str_sub(name, 0, (size_t)at)))
            continue;
        add_name(&b, str_sub(name, 0, (size_t)at));
        buf_add_char(&b, ':');
        name = str_skip(name, rest_at);
        break;
    }
    add_name(&b, name);
    if (!b.failed)
        return buf_str(&b);
    w->has_failed = !err_set(w->err, ERR_NO_MEMORY, "no memory left to convert JSON");
    return STR("_");
}

/* The prefix that xmlns_p declares; "" for xmlns alone. */
static struct str
declared_prefix(const struct xml_writer *w, struct str name)
{
    struct str rest = str_skip(name, w->how->namespace_prefix.len);

    if (w->how->separator.len && str_starts_with(rest, w->how->separator))
        return str_skip(rest, w->how->separator.len);
    return rest.len && rest.p[0] == ':' ? str_skip(rest, 1) : rest;
}

/* A text; of a prefix that is free, and for something. */
static bool
is_declaration(const struct xml_writer *w, const struct json_member *m)
{
    struct str prefix, space;

    if (!w->how->namespace_prefix.len || !str_starts_with(m->name, w->how->namespace_prefix) || m->value.kind != JSON_STRING)
        return false;
    prefix = declared_prefix(w, m->name);
    space = json_text(&m->value);
    if (str_eq_lit(prefix, "xml") || str_eq_lit(prefix, "xmlns") || str_eq_lit(space, XML_SPACE) || str_eq_lit(space, XMLNS_SPACE))
        return false;
    return !prefix.len || space.len > 0;
}

static bool
is_attribute_block(const struct xml_writer *w, const struct json_member *m)
{
    return w->how->attribute_block.len && str_eq(m->name, w->how->attribute_block) && m->value.kind == JSON_OBJECT;
}

static struct str
scalar_text(const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_TRUE: return STR("true");
    case JSON_FALSE: return STR("false");
    case JSON_NUMBER:
    case JSON_STRING: return json_text(j);
    default: return STR("");
    }
}

static void
add_scalar(struct xml_writer *w, const struct json *j)
{
    if (j->kind != JSON_STRING || !w->how->date || !w->how->date(json_text(j), w->to))
        xml_add_escaped(w->to, scalar_text(j));
}

/* A second attribute of the same name is left out. */
static void
add_attribute_value(struct xml_writer *w, struct str name, const struct json *value)
{
    for (uint32_t i = 0; i < w->n_attributes; i++)
        if (str_eq(w->attributes[i], name))
            return;
    if (w->n_attributes == ATTRIBUTES_MAX) {
        w->has_failed = !err_set(w->err, ERR_LIMIT, "an element would have more than %d attributes", ATTRIBUTES_MAX);
        return;
    }
    w->attributes[w->n_attributes++] = name;
    buf_add_char(w->to, ' ');
    buf_add_str(w->to, name);
    buf_add_lit(w->to, "=\"");
    add_scalar(w, value);
    buf_add_char(w->to, '"');
}

static void
declare(struct xml_writer *w, const struct json *object)
{
    for (uint32_t i = 0; i < object->n; i++) {
        const struct json_member *m = &object->members[i];

        if (!is_declaration(w, m))
            continue;
        if (w->n_declared < XML_DECLARED_MAX)
            w->declared[w->n_declared++] = declared_prefix(w, m->name);
        else
            w->has_failed = !err_set(w->err, ERR_LIMIT, "more than %d namespaces are declared", XML_DECLARED_MAX);
    }
}

static void
add_declaration(struct xml_writer *w, const struct json_member *m)
{
    struct str prefix = declared_prefix(w, m->name);
    struct buf b = buf_in(w->arena);

    buf_add_lit(&b, "xmlns");
    if (prefix.len) {
        buf_add_char(&b, ':');
        add_name(&b, prefix);
    }
    if (!b.failed)
        add_attribute_value(w, buf_str(&b), &m->value);
}

static void
add_attributes(struct xml_writer *w, const struct json *object)
{
    w->n_attributes = 0;
    for (uint32_t i = 0; i < object->n && !w->has_failed; i++)
        if (is_declaration(w, &object->members[i]))
            add_declaration(w, &object->members[i]);
    for (uint32_t i = 0; i < object->n; i++) {
        const struct json_member *m = &object->members[i];

        for (uint32_t k = 0; is_attribute_block(w, m) && k < m->value.n && !w->has_failed; k++)
            add_attribute_value(w, xml_name(w, m->value.members[k].name), &m->value.members[k].value);
    }
}

static void write_value(struct xml_writer *w, struct str name, const struct json *j);

static void
write_members_as_elements(struct xml_writer *w, const struct json *object)
{
    for (uint32_t i = 0; i < object->n && !w->to->failed && !w->has_failed; i++) {
        const struct json_member *m = &object->members[i];

        if (!is_declaration(w, m) && !is_attribute_block(w, m))
            write_value(w, m->name, &m->value);
    }
}

static bool
has_content(const struct xml_writer *w, const struct json *j)
{
    if (j->kind != JSON_OBJECT)
        return j->kind != JSON_NULL;
    for (uint32_t i = 0; i < j->n; i++)
        if (!is_declaration(w, &j->members[i]) && !is_attribute_block(w, &j->members[i]))
            return true;
    return false;
}

/* An array inside an array is an element around elements of the same name. */
static void
write_items(struct xml_writer *w, struct str name, const struct json *array)
{
    for (uint32_t i = 0; i < array->n && !w->to->failed && !w->has_failed; i++) {
        const struct json *item = &array->items[i];
        struct str tag = item->kind == JSON_ARRAY ? xml_name(w, name) : STR_NONE;

        if (tag.p)
            buf_printf(w->to, "<%.*s>", STR_ARG(tag));
        write_value(w, name, item);
        if (tag.p)
            buf_printf(w->to, "</%.*s>", STR_ARG(tag));
    }
}

static void
write_value(struct xml_writer *w, struct str name, const struct json *j)
{
    uint32_t n_outer = w->n_declared;
    struct str tag;

    if (j->kind == JSON_ARRAY) {
        write_items(w, name, j);
        return;
    }
    if (j->kind == JSON_OBJECT)
        declare(w, j);
    tag = xml_name(w, name);
    buf_add_char(w->to, '<');
    buf_add_str(w->to, tag);
    if (j->kind == JSON_OBJECT)
        add_attributes(w, j);
    if (!has_content(w, j)) {
        buf_add_lit(w->to, " />");
    } else {
        buf_add_char(w->to, '>');
        if (j->kind == JSON_OBJECT)
            write_members_as_elements(w, j);
        else
            add_scalar(w, j);
        buf_add_lit(w->to, "</");
        buf_add_str(w->to, tag);
        buf_add_char(w->to, '>');
    }
    w->n_declared = n_outer;
}

bool
json_to_xml(struct arena *a, struct str text, const struct json_to_xml *how, struct buf *to, struct err *err)
{
    struct json_problem problem = {.err = ERR_INIT};
    const struct json *j = json_parse_newtonsoft(a, text, JSON_NULL, &problem);
    struct xml_writer *w = arena_new(a, struct xml_writer);
    const struct json_member *root;

    if (!j)
        return err_set(err, problem.err.code, "the body is not JSON: %s", problem.err.text);
    if (!w)
        return err_set(err, ERR_NO_MEMORY, "no memory left to convert JSON");
    w->how = how;
    w->arena = a;
    w->to = to;
    w->err = err;
    root = j->kind == JSON_OBJECT && j->n == 1 ? &j->members[0] : NULL;
    if (root && root->value.kind != JSON_ARRAY && !is_declaration(w, root) && !is_attribute_block(w, root)) {
        write_value(w, root->name, &root->value);
    } else if (j->kind == JSON_ARRAY) {
        buf_add_lit(to, "<Document>");
        write_value(w, STR("item"), j);
        buf_add_lit(to, "</Document>");
    } else {
        write_value(w, STR("Document"), j);
    }
    if (w->has_failed)
        return false;
    return !to->failed || fail_full(to, "XML", err);
}
