/* xml_json.c: XML as JSON and back.
 *
 * From XML a small tree is made first, since members of one name have to be found before they are written. Recursion is
 * bounded by the readers' own depth limits (128).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml_json.h"

#include "data/json.h"
#include "data/xml.h"

/* --- XML to JSON --------------------------------------------------------------------------------------------------- */

struct member {
    struct str name, value;
    struct member *next;
};

struct element {
    struct str name;
    struct member *attributes, **last_attribute;
    struct element *first, *last, *next, *parent;
    struct buf text;
    bool is_empty_tag, has_text, is_written;
};

struct tree {
    struct arena *arena;
    const struct xml_to_json *how;
    struct element *root, *at;
    bool is_full;                     /* the arena is */
};

static struct str
full_name(struct tree *t, struct str prefix, struct str local)
{
    if (prefix.len == 0 || t->how->is_plain)
        return str_dup(t->arena, local);
    return str_printf(t->arena, "%.*s:%.*s", STR_ARG(prefix), STR_ARG(local));
}

static bool
add_attribute(struct tree *t, struct element *e, const struct xml_attribute *from)
{
    bool is_declaration = str_eq_lit(from->prefix, "xmlns") || (!from->prefix.len && str_eq_lit(from->local, "xmlns"));
    struct member *m;

    if (is_declaration && t->how->is_plain)
        return true;
    m = arena_new(t->arena, struct member);
    if (!m)
        return false;
    m->name = full_name(t, from->prefix, from->local);
    if (!t->how->is_plain)
        m->name = str_concat(t->arena, STR("@"), m->name);
    m->value = str_dup(t->arena, from->value);
    *e->last_attribute = m;
    e->last_attribute = &m->next;
    return m->name.p && m->value.p;
}

static bool
add_element(struct tree *t, const struct xml_event *ev)
{
    struct element *e = arena_new(t->arena, struct element);
    bool ok = e != NULL;

    if (!ok)
        return false;
    *e = (struct element){.name = full_name(t, ev->prefix, ev->local), .parent = t->at, .text = buf_in(t->arena),
                          .is_empty_tag = ev->is_empty};
    e->last_attribute = &e->attributes;
    for (uint32_t i = 0; i < ev->n_attributes; i++)
        ok &= add_attribute(t, e, &ev->attributes[i]);
    if (!t->at)
        t->root = e;
    else if (t->at->last)
        t->at->last->next = e;
    else
        t->at->first = e;
    if (t->at)
        t->at->last = e;
    if (!ev->is_empty)
        t->at = e;
    return ok && e->name.p;
}

static bool
on_event(void *ctx, const struct xml_event *ev)
{
    struct tree *t = ctx;
    bool ok = true;

    switch (ev->kind) {
    case XML_EVENT_ELEMENT:
        ok = add_element(t, ev);
        break;
    case XML_EVENT_END:
        t->at = t->at->parent;
        break;
    case XML_EVENT_TEXT:
    case XML_EVENT_CDATA:
        if (t->at) {
            t->at->has_text = true;
            ok = buf_add_str(&t->at->text, ev->text);
        }
        break;
    case XML_EVENT_BLANK:
    case XML_EVENT_COMMENT:
    case XML_EVENT_INSTRUCTION:
        break;
    }
    t->is_full |= !ok;
    return ok;
}

static void write_element(const struct tree *t, struct json_writer *w, const struct element *e);

/* All children of one name, at the place of the first. */
static void
write_group(const struct tree *t, struct json_writer *w, struct element *first)
{
    bool is_array = t->how->always_arrays;

    for (struct element *e = first->next; e && !is_array; e = e->next)
        is_array = str_eq(e->name, first->name);
    json_write_name(w, first->name);
    if (!is_array) {
        write_element(t, w, first);
        return;
    }
    json_write_array_begin(w);
    for (struct element *e = first; e; e = e->next) {
        if (!str_eq(e->name, first->name))
            continue;
        e->is_written = true;
        write_element(t, w, e);
    }
    json_write_array_end(w);
}

static void
write_element(const struct tree *t, struct json_writer *w, const struct element *e)
{
    struct str text = e->text.len ? str_from(e->text.p, e->text.len) : STR("");

    if (!e->attributes && !e->first) {
        if (e->is_empty_tag)
            json_write_null(w);
        else
            json_write_str(w, text);
        return;
    }
    json_write_object_begin(w);
    for (const struct member *m = e->attributes; m; m = m->next) {
        json_write_name(w, m->name);
        json_write_str(w, m->value);
    }
    if (e->has_text) {
        json_write_name(w, t->how->is_plain ? STR("text") : STR("#text"));
        json_write_str(w, text);
    }
    for (struct element *k = e->first; k; k = k->next)
        if (!k->is_written)
            write_group(t, w, k);
    json_write_object_end(w);
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

bool
xml_to_json(struct arena *a, struct str xml, const struct xml_to_json *how, struct buf *to, struct err *err)
{
    struct tree t = {.arena = a, .how = how};
    struct json_writer w = JSON_WRITER(to);

    if (!xml_read(xml, on_event, &t, err))
        return t.is_full ? err_set(err, ERR_NO_MEMORY, "no memory left to convert XML") : false;
    json_write_object_begin(&w);
    if (!how->is_plain)
        write_declaration(&w, xml);
    json_write_name(&w, t.root->name);
    write_element(&t, &w, t.root);
    json_write_object_end(&w);
    return !to->failed || err_set(err, ERR_NO_MEMORY, "no memory left for the JSON");
}

/* --- JSON to XML --------------------------------------------------------------------------------------------------- */

struct xml_writer {
    const struct json_to_xml *how;
    struct buf *to;
};

static void
add_escaped(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        switch (c) {
        case '&': buf_add_lit(to, "&amp;"); break;
        case '<': buf_add_lit(to, "&lt;"); break;
        case '>': buf_add_lit(to, "&gt;"); break;
        case '"': buf_add_lit(to, "&quot;"); break;
        default:
            if (c >= 0x20 || c == '\t' || c == '\n' || c == '\r')
                buf_add_char(to, (char)c);
            else
                buf_add_lit(to, "\xef\xbf\xbd");      /* XML cannot say it */
        }
    }
}

/* A member's name as one of XML: what may not stand in a name is written _xHHHH_. */
static void
add_name(struct buf *to, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool is_start = ascii_is_alpha((char)c) || c == '_' || c >= 0x80;
        bool is_inner = is_start || ascii_is_digit((char)c) || c == '-' || c == '.' || c == ':';

        if (i == 0 ? is_start : is_inner)
            buf_add_char(to, (char)c);
        else
            buf_printf(to, "_x%04X_", c);
    }
    if (name.len == 0)
        buf_add_lit(to, "_");
}

static bool
is_declaration(const struct xml_writer *w, struct str name)
{
    return w->how->namespace_prefix.len && str_starts_with(name, w->how->namespace_prefix);
}

static bool
is_attribute_block(const struct xml_writer *w, struct str name, const struct json *value)
{
    return w->how->attribute_block.len && str_eq(name, w->how->attribute_block) && value->kind == JSON_OBJECT;
}

/* xmlns_a, or xmlns alone, with the separator as a colon. */
static void
add_declaration(struct xml_writer *w, struct str name, const struct json *value)
{
    struct str rest = str_skip(name, w->how->namespace_prefix.len);

    buf_add_lit(w->to, " xmlns");
    if (w->how->separator.len && str_starts_with(rest, w->how->separator))
        rest = str_skip(rest, w->how->separator.len);
    if (rest.len) {
        buf_add_char(w->to, ':');
        add_name(w->to, rest);
    }
    buf_add_lit(w->to, "=\"");
    add_escaped(w->to, json_str(value, STR("")));
    buf_add_char(w->to, '"');
}

static struct str
scalar_text(const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_TRUE: return STR("true");
    case JSON_FALSE: return STR("false");
    case JSON_NUMBER:
    case JSON_STRING: return str_from(j->p, j->n);
    default: return STR("");
    }
}

/* A prefix that a declaration of this document names, known by the list of outer objects. */
struct scope {
    const struct scope *outer;
    const struct json *object;
};

static bool
is_declared(const struct xml_writer *w, const struct scope *s, struct str prefix)
{
    for (; s && w->how->namespace_prefix.len; s = s->outer) {
        for (uint32_t i = 0; s->object && s->object->kind == JSON_OBJECT && i < s->object->n; i++) {
            struct str name = s->object->members[i].name, rest;

            if (!is_declaration(w, name))
                continue;
            rest = str_skip(name, w->how->namespace_prefix.len);
            if (str_starts_with(rest, w->how->separator) && str_eq(str_skip(rest, w->how->separator.len), prefix))
                return true;
        }
    }
    return false;
}

static void
add_element_name(struct xml_writer *w, const struct scope *s, struct str name)
{
    ptrdiff_t at = w->how->separator.len ? str_find(name, w->how->separator, 0) : -1;

    if (at > 0 && is_declared(w, s, str_sub(name, 0, (size_t)at))) {
        add_name(w->to, str_sub(name, 0, (size_t)at));
        buf_add_char(w->to, ':');
        name = str_skip(name, (size_t)at + w->how->separator.len);
    }
    add_name(w->to, name);
}

static void
add_attributes(struct xml_writer *w, const struct scope *s, const struct json *object)
{
    for (uint32_t i = 0; i < object->n; i++) {
        const struct json_member *m = &object->members[i];

        if (is_declaration(w, m->name))
            add_declaration(w, m->name, &m->value);
        if (!is_attribute_block(w, m->name, &m->value))
            continue;
        for (uint32_t k = 0; k < m->value.n; k++) {
            buf_add_char(w->to, ' ');
            add_element_name(w, s, m->value.members[k].name);
            buf_add_lit(w->to, "=\"");
            add_escaped(w->to, scalar_text(&m->value.members[k].value));
            buf_add_char(w->to, '"');
        }
    }
}

static void
write_value(struct xml_writer *w, const struct scope *outer, struct str name, const struct json *j)
{
    struct scope s = {outer, j};

    if (j->kind == JSON_ARRAY) {
        for (uint32_t i = 0; i < j->n; i++)
            write_value(w, outer, name, &j->items[i]);
        return;
    }
    buf_add_char(w->to, '<');
    add_element_name(w, &s, name);
    if (j->kind == JSON_OBJECT)
        add_attributes(w, &s, j);
    if (j->kind == JSON_NULL || (j->kind == JSON_OBJECT && j->n == 0)) {
        buf_add_lit(w->to, " />");
        return;
    }
    buf_add_char(w->to, '>');
    for (uint32_t i = 0; j->kind == JSON_OBJECT && i < j->n; i++)
        if (!is_declaration(w, j->members[i].name) && !is_attribute_block(w, j->members[i].name, &j->members[i].value))
            write_value(w, &s, j->members[i].name, &j->members[i].value);
    if (j->kind != JSON_OBJECT)
        add_escaped(w->to, scalar_text(j));
    buf_add_lit(w->to, "</");
    add_element_name(w, &s, name);
    buf_add_char(w->to, '>');
}

bool
json_to_xml(struct arena *a, struct str text, const struct json_to_xml *how, struct buf *to, struct err *err)
{
    struct xml_writer w = {how, to};
    struct json_problem problem;
    const struct json *j = json_parse(a, text, JSON_STRICT, &problem);

    if (!j)
        return err_set(err, problem.err.code, "the body is not JSON: %s", problem.err.text);
    if (j->kind == JSON_OBJECT && j->n == 1 && j->members[0].value.kind != JSON_ARRAY)
        write_value(&w, NULL, j->members[0].name, &j->members[0].value);
    else if (j->kind == JSON_ARRAY) {
        buf_add_lit(to, "<Document>");
        write_value(&w, NULL, STR("item"), j);
        buf_add_lit(to, "</Document>");
    } else {
        write_value(&w, NULL, STR("Document"), j);
    }
    return !to->failed || err_set(err, ERR_NO_MEMORY, "no memory left for the XML");
}
