/* liquid_model.c: message bodies as templates see them: JSON and XML.
 *
 * JSON: members by their exact names; text that Newtonsoft's reader takes for a date is a date, unless asked otherwise. Printed,
 * an object is JSON.
 * XML: see liquid.h. The tree is made at once, in the arena: an element with only text, no attributes and no children is a
 * string; any other shows members, its child elements to walks, and all text inside it when printed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "data/json.h"
#include "data/liquid_tree.h"
#include "data/xml.h"

static void *
new_object(struct liquid_run *run, size_t size, const struct liquid_ops *ops)
{
    struct liquid_object *o = arena_alloc_zero(run->arena, 1, size, _Alignof(max_align_t));

    if (o)
        o->ops = ops;
    else
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for the values of a template");
    return o;
}

/* --- JSON ---------------------------------------------------------------------------------------------------------- */

struct json_object {
    struct liquid_object head;
    const struct json *j;
    bool with_dates;
};

static const struct json_object *
as_json(const struct liquid_object *o)
{
    return (const struct json_object *)o;
}

static bool
json_member(struct liquid_run *run, const struct liquid_object *o, struct str name, struct liquid_value *ret)
{
    const struct json *j = json_get(as_json(o)->j, name);

    if (!j)
        return false;
    *ret = liquid_of_json(run, j, as_json(o)->with_dates);
    return true;
}

static bool
json_pair_next(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret)
{
    const struct json *j = as_json(o)->j;

    if (at->at >= j->n)
        return false;
    const struct json_member *m = &j->members[at->at++];
    *ret = liquid_pair(run, liquid_string(m->name), liquid_of_json(run, &m->value, as_json(o)->with_dates));
    return true;
}

static bool
json_element(struct liquid_run *run, const struct liquid_object *o, uint64_t i, struct liquid_value *ret)
{
    const struct json *j = as_json(o)->j;

    if (i >= j->n)
        return false;
    *ret = liquid_of_json(run, &j->items[i], as_json(o)->with_dates);
    return true;
}

static bool
json_element_next(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret)
{
    return json_element(run, o, at->at++, ret);
}

static uint64_t
json_elements(struct liquid_run *run, const struct liquid_object *o)
{
    return as_json(o)->j->n;
}

static void
json_print(struct liquid_run *run, const struct liquid_object *o, struct buf *to)
{
    struct json_writer w = JSON_WRITER(to);

    json_write(&w, as_json(o)->j);
}

static const struct liquid_ops json_object_ops = {
    .type_name = "DotLiquid.Hash", .member = json_member, .next = json_pair_next, .count = json_elements, .text = json_print,
    .is_hash = true,
};
static const struct liquid_ops json_array_ops = {
    .type_name = "System.Collections.Generic.List`1[System.Object]", .item = json_element, .next = json_element_next,
    .count = json_elements,
};

static struct liquid_value
json_number(const struct json *j)
{
    struct str text = json_text(j);
    enum decimal_status status = DECIMAL_OK;
    struct decimal d;
    int64_t n = json_i64(j, 0);

    if (!(j->flags & JSON_IS_INTEGER))
        return liquid_double(json_double(j, 0));
    if (n != 0 || text.len < 19)
        return liquid_long(n);
    return decimal_parse_plain(text, &d, &status) && status == DECIMAL_OK ? liquid_decimal(d) : liquid_string(text);
}

struct liquid_value
liquid_of_json(struct liquid_run *run, const struct json *j, bool with_dates)
{
    struct json_object *o;
    struct liquid_date date;

    if (!j)
        return liquid_nil();
    switch ((enum json_kind)j->kind) {
    case JSON_NULL:
    case JSON_UNDEFINED:
        return liquid_nil();
    case JSON_FALSE:
    case JSON_TRUE:
        return liquid_bool(j->kind == JSON_TRUE);
    case JSON_NUMBER:
        return json_number(j);
    case JSON_STRING:
        if (with_dates && run->dotnet->json_date(json_text(j), &date))
            return liquid_of_date(date);
        return liquid_string(json_text(j));
    case JSON_ARRAY:
    case JSON_CONSTRUCTOR:
    case JSON_OBJECT:
        o = new_object(run, sizeof(*o), j->kind == JSON_OBJECT ? &json_object_ops : &json_array_ops);
        if (!o)
            return liquid_nil();
        o->j = j;
        o->with_dates = with_dates;
        return liquid_of_object(&o->head);
    }
    UNREACHABLE();
}

/* --- XML ----------------------------------------------------------------------------------------------------------- */

/* An element. An attribute is one too, marked, with a text and no children. */
struct xml_node {
    struct liquid_object head;
    struct str name, text;            /* text: what stands directly in it, joined */
    struct xml_node *parent, *first, *last, *next, *first_attribute, *last_attribute;
    uint32_t n;                       /* child elements */
    bool is_nil, nil_is_null;
    bool is_document;                 /* what `body` is: holds the root element */
};

static struct liquid_value xml_value(const struct xml_node *n);

/* The children of that name: exactly, or in any case when none is. */
static bool
xml_children(struct liquid_run *run, const struct xml_node *first, struct str name, bool ignore_case, struct liquid_value *ret)
{
    struct liquid_values found = {0};

    for (const struct xml_node *c = first; c; c = c->next) {
        struct liquid_value *slot;

        if (!(ignore_case ? str_eq_nocase(c->name, name) : str_eq(c->name, name)))
            continue;
        if (!(slot = avec_push(run->arena, &found))) {
            liquid_fail(run, ERR_NO_MEMORY, "no memory left for the values of a template");
            return false;
        }
        *slot = xml_value(c);
    }
    if (!found.n)
        return false;
    *ret = found.n == 1 ? found.v[0] : liquid_list(run, found.v, (uint32_t)found.n);
    return true;
}

static bool
xml_member(struct liquid_run *run, const struct liquid_object *o, struct str name, struct liquid_value *ret)
{
    const struct xml_node *n = (const struct xml_node *)o;

    if (str_starts_with(name, STR("@")))
        return xml_children(run, n->first_attribute, str_skip(name, 1), false, ret);
    if (str_eq_lit(name, "#text")) {
        *ret = liquid_string(n->text);
        return true;
    }
    return xml_children(run, n->first, name, false, ret) || xml_children(run, n->first_attribute, name, false, ret) ||
           xml_children(run, n->first, name, true, ret) || xml_children(run, n->first_attribute, name, true, ret);
}

static bool
xml_next(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret)
{
    const struct xml_node *n = at->at++ == 0 ? ((const struct xml_node *)o)->first : at->p;

    if (!n)
        return false;
    at->p = n->next;
    *ret = xml_value(n);
    return true;
}

static uint64_t
xml_count(struct liquid_run *run, const struct liquid_object *o)
{
    return ((const struct xml_node *)o)->n;
}

/* All text inside, in document order but for what is mixed with elements. */
static void
xml_text(struct liquid_run *run, const struct liquid_object *o, struct buf *to)
{
    const struct xml_node *top = (const struct xml_node *)o, *n = top;

    while (n) {
        buf_add_str(to, n->text);
        if (n->first) {
            n = n->first;
            continue;
        }
        while (n != top && !n->next)
            n = n->parent;
        n = n == top ? NULL : n->next;
    }
}

static const struct liquid_ops xml_ops = {
    .type_name = "System.Xml.Linq.XElement", .member = xml_member, .next = xml_next, .count = xml_count, .text = xml_text,
};

static struct liquid_value
xml_value(const struct xml_node *n)
{
    if (n->is_nil)
        return n->nil_is_null ? liquid_nil() : liquid_string(STR(""));
    if (!n->first && !n->first_attribute && !n->is_document)
        return liquid_string(n->text);
    return liquid_of_object(&n->head);
}

struct xml_builder {
    struct liquid_run *run;
    struct xml_node *at;
    bool nil_is_null;
    struct buf text;                  /* of the innermost element, while it has no child */
};

#define XSI_URI "http://www.w3.org/2001/XMLSchema-instance"

static struct xml_node *
new_node(struct xml_builder *b, struct str name, struct str text)
{
    struct xml_node *n = new_object(b->run, sizeof(*n), &xml_ops);

    if (!n)
        return NULL;
    n->name = str_dup(b->run->arena, name);
    n->text = text.len ? str_dup(b->run->arena, text) : STR("");
    n->nil_is_null = b->nil_is_null;
    if (n->name.p && n->text.p)
        return n;
    liquid_fail(b->run, ERR_NO_MEMORY, "no memory left for the values of a template");
    return NULL;
}

static bool
add_attributes(struct xml_builder *b, struct xml_node *n, const struct xml_event *e)
{
    for (uint32_t i = 0; i < e->n_attributes; i++) {
        const struct xml_attribute *a = &e->attributes[i];
        struct xml_node *attribute;

        if (str_eq_lit(a->prefix, "xmlns") || (!a->prefix.len && str_eq_lit(a->local, "xmlns")))
            continue;
        if (str_eq_lit(a->space, XSI_URI)) {
            n->is_nil |= str_eq_lit(a->local, "nil") && (str_eq_lit(a->value, "true") || str_eq_lit(a->value, "1"));
            continue;
        }
        if (!(attribute = new_node(b, a->local, a->value)))
            return false;
        if (n->last_attribute)
            n->last_attribute->next = attribute;
        else
            n->first_attribute = attribute;
        n->last_attribute = attribute;
    }
    return true;
}

/* The text gathered for the innermost element, put behind what it has. */
static bool
flush_text(struct xml_builder *b)
{
    struct str text = b->text.len ? str_dup(b->run->arena, str_from(b->text.p, b->text.len)) : STR("");

    buf_clear(&b->text);
    if (b->at && text.len)
        b->at->text = b->at->text.len ? str_concat(b->run->arena, b->at->text, text) : text;
    return text.p && (!b->at || b->at->text.p);
}

static bool
begin_element(struct xml_builder *b, const struct xml_event *e)
{
    struct xml_node *n;

    if (!flush_text(b) || !(n = new_node(b, e->local, STR_NONE)) || !add_attributes(b, n, e))
        return false;
    n->parent = b->at;
    if (b->at->last)
        b->at->last->next = n;
    else
        b->at->first = n;
    b->at->last = n;
    b->at->n++;
    if (!e->is_empty)
        b->at = n;
    return true;
}

static bool
end_element(struct xml_builder *b)
{
    bool is_blank = b->at->first && !str_trim(str_from(b->text.p, b->text.len)).len;

    if (is_blank)
        buf_clear(&b->text);
    if (!flush_text(b))
        return false;
    b->at = b->at->parent;
    return true;
}

static bool
on_event(void *ctx, const struct xml_event *e)
{
    struct xml_builder *b = ctx;

    switch (e->kind) {
    case XML_EVENT_ELEMENT:
        if (!str_trim(str_from(b->text.p, b->text.len)).len)
            buf_clear(&b->text);
        return begin_element(b, e);
    case XML_EVENT_END:
        return end_element(b);
    case XML_EVENT_TEXT:
    case XML_EVENT_BLANK:
    case XML_EVENT_CDATA:
        return b->at->is_document || buf_add_str(&b->text, e->text);
    case XML_EVENT_COMMENT:
    case XML_EVENT_INSTRUCTION:
        return true;
    }
    return true;
}

bool
liquid_of_xml(struct liquid_run *run, struct str text, bool nil_is_null, struct liquid_value *ret, struct err *err)
{
    struct xml_builder b = {.run = run, .nil_is_null = nil_is_null};
    struct xml_node *document = new_object(run, sizeof(*document), &xml_ops);
    bool ok;

    if (!document)
        return err_set(err, ERR_NO_MEMORY, "no memory left for an XML body");
    document->is_document = true;
    document->name = document->text = STR("");
    b.at = document;
    err->code = ERR_NONE;
    ok = xml_read(text, on_event, &b, err);
    buf_destroy(&b.text);
    if (!ok)
        return err->code != ERR_NONE ? false : err_set(err, ERR_NO_MEMORY, "no memory left for an XML body");
    *ret = liquid_of_object(&document->head);
    return true;
}
