/* openapi_sample.c: bodies made up from schemas, for mock-response.
 *
 * A schema may hold itself, directly or by references: depth and size are limited, and a property that would go deeper
 * is left out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/openapi.h"

#define SAMPLE_DEPTH_MAX 12
#define SAMPLE_BYTES_MAX ((size_t)64 << 10)

struct sampler {
    const struct doc *doc;
    struct buf *to;
    uint32_t depth;
    bool has_member;                  /* a member stands in the innermost object */
};

static bool sample(struct sampler *s, const struct doc_node *schema);

/* The type of a schema, without "null"; what properties and items imply when it is not said. */
static struct str
type_of(const struct doc_node *schema)
{
    const struct doc_node *type = doc_get(schema, "type");

    if (type && type->kind == DOC_LIST) {
        doc_each(it, type)
            if (!str_eq_lit(it->text, "null"))
                return it->text;
    }
    if (type && doc_is_scalar(type))
        return type->text;
    if (doc_get(schema, "properties") || doc_get(schema, "allOf"))
        return STR("object");
    return doc_get(schema, "items") ? STR("array") : STR_NONE;
}

static struct str
text_by_format(struct str format)
{
    static const struct {
        struct str format, text;
    } known[] = {
        {STR_INIT("date-time"), STR_INIT("2026-01-01T00:00:00Z")}, {STR_INIT("date"), STR_INIT("2026-01-01")},
        {STR_INIT("time"), STR_INIT("00:00:00Z")}, {STR_INIT("uuid"), STR_INIT("00000000-0000-0000-0000-000000000000")},
        {STR_INIT("email"), STR_INIT("user@example.org")}, {STR_INIT("uri"), STR_INIT("https://example.org/")},
        {STR_INIT("hostname"), STR_INIT("example.org")}, {STR_INIT("ipv4"), STR_INIT("192.0.2.1")},
        {STR_INIT("ipv6"), STR_INIT("2001:db8::1")}, {STR_INIT("byte"), STR_INIT("c3RyaW5n")},
    };

    for (size_t i = 0; i < COUNTOF(known); i++)
        if (str_eq(known[i].format, format))
            return known[i].text;
    return STR("string");
}

static bool
sample_number(struct sampler *s, const struct doc_node *schema)
{
    const struct doc_node *minimum = doc_get(schema, "minimum");

    if (minimum && minimum->kind == DOC_NUMBER)
        doc_write_json(minimum, s->to);
    else
        buf_add_char(s->to, '0');
    return true;
}

static void
begin_member(struct sampler *s, struct str name)
{
    if (s->has_member)
        buf_add_char(s->to, ',');
    s->has_member = true;
    buf_add_char(s->to, '"');
    buf_add_json_escaped(s->to, name);
    buf_add_lit(s->to, "\":");
}

/* Properties of the schema and of all it is composed of. */
static void
sample_members(struct sampler *s, const struct doc_node *schema, uint32_t depth)
{
    schema = openapi_deref(s->doc, schema);
    if (!schema || depth > SAMPLE_DEPTH_MAX)
        return;
    doc_each(part, doc_get(schema, "allOf"))
        sample_members(s, part, depth + 1);
    doc_each(property, doc_get(schema, "properties")) {
        size_t before = s->to->len;
        bool had_member = s->has_member;

        begin_member(s, property->key);
        if (!sample(s, property)) {
            s->to->len = before;
            s->has_member = had_member;
        }
    }
}

static bool
sample_object(struct sampler *s, const struct doc_node *schema)
{
    const struct doc_node *more = doc_get(schema, "additionalProperties");
    bool outer = s->has_member;

    s->has_member = false;
    buf_add_char(s->to, '{');
    sample_members(s, schema, 0);
    if (!s->has_member && more && more->kind == DOC_MAP) {
        size_t before = s->to->len;
        begin_member(s, STR("property1"));
        if (!sample(s, more))
            s->to->len = before;
    }
    buf_add_char(s->to, '}');
    s->has_member = outer;
    return true;
}

static bool
sample_array(struct sampler *s, const struct doc_node *schema)
{
    const struct doc_node *items = doc_get(schema, "items");
    size_t before;

    buf_add_char(s->to, '[');
    before = s->to->len;
    if (items && !sample(s, items))
        s->to->len = before;
    buf_add_char(s->to, ']');
    return true;
}

static bool
sample_by_type(struct sampler *s, const struct doc_node *schema)
{
    static const char *const choices[] = {"oneOf", "anyOf"};
    struct str type = type_of(schema);
    const struct doc_node *format = doc_get(schema, "format");

    for (size_t i = 0; !type.p && i < COUNTOF(choices); i++) {
        const struct doc_node *list = doc_get(schema, choices[i]);
        if (list && list->first)
            return sample(s, list->first);
    }
    if (str_eq_lit(type, "object"))
        return sample_object(s, schema);
    if (str_eq_lit(type, "array"))
        return sample_array(s, schema);
    if (str_eq_lit(type, "integer") || str_eq_lit(type, "number"))
        return sample_number(s, schema);
    if (str_eq_lit(type, "boolean"))
        return buf_add_lit(s->to, "true");
    if (str_eq_lit(type, "null"))
        return buf_add_lit(s->to, "null");
    if (!str_eq_lit(type, "string"))
        return buf_add_lit(s->to, "{}");
    buf_add_char(s->to, '"');
    buf_add_str(s->to, text_by_format(format ? format->text : STR_NONE));
    return buf_add_char(s->to, '"');
}

/* False when the schema goes too deep: whoever asked leaves it out. */
static bool
sample(struct sampler *s, const struct doc_node *schema)
{
    static const char *const given[] = {"example", "default", "const"};
    const struct doc_node *list;
    bool ok;

    schema = openapi_deref(s->doc, schema);
    if (!schema || schema->kind != DOC_MAP || s->depth >= SAMPLE_DEPTH_MAX || s->to->len > SAMPLE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < COUNTOF(given); i++) {
        const struct doc_node *value = doc_get(schema, given[i]);
        if (value) {
            doc_write_json(value, s->to);
            return true;
        }
    }
    if (((list = doc_get(schema, "examples")) || (list = doc_get(schema, "enum"))) && list->first) {
        doc_write_json(list->first, s->to);
        return true;
    }
    s->depth++;
    ok = sample_by_type(s, schema);
    s->depth--;
    return ok;
}

struct str
openapi_sample(const struct doc *d, const struct doc_node *schema, struct arena *keep)
{
    struct buf text = BUF_INIT;
    struct sampler s = {.doc = d, .to = &text};
    struct str ret = STR_NONE;

    if (schema && sample(&s, schema) && text.len <= SAMPLE_BYTES_MAX)
        ret = str_dup(keep, buf_str(&text));
    buf_destroy(&text);
    return ret;
}
