/* parameter_check.c: text becomes JSON by what the schema's type asks for, then the schema judges.
 *
 *     string                 the text itself
 *     array                  cut at the style's separator (or repeated parameters), elements by the type of items
 *     object                 k,v,k,v or k=v,k=v, or members gathered by the caller
 *     everything else        read as JSON: 5, true, null
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/parameter_check.h"

#include "base/buf.h"
#include "policy/schemas.h"

static const struct { struct str type, text, capital; } kinds[] = {
    [KIND_PATH_PARAMETER] = {STR_INIT("PathParameter"), STR_INIT("path parameter"), STR_INIT("Path parameter")},
    [KIND_QUERY_PARAMETER] = {STR_INIT("QueryParameter"), STR_INIT("query parameter"), STR_INIT("Query parameter")},
    [KIND_REQUEST_HEADER] = {STR_INIT("RequestHeader"), STR_INIT("header"), STR_INIT("Header")},
    [KIND_RESPONSE_HEADER] = {STR_INIT("ResponseHeader"), STR_INIT("header"), STR_INIT("Header")},
};

struct str
parameter_kind_type(enum parameter_kind kind)
{
    return kinds[kind].type;
}

struct str
parameter_kind_text(enum parameter_kind kind)
{
    return kinds[kind].text;
}

/* --- findings ------------------------------------------------------------------------------------------------------ */

static bool
find(struct validation *v, int action, enum parameter_kind kind, struct str name, const char *rule, struct str details,
     bool is_internal)
{
    return validation_find(v, action, &(struct finding){.name = name, .type = kinds[kind].type, .rule = str_from_c(rule),
                                                        .details = details, .is_internal = is_internal});
}

bool
parameter_unspecified(struct validation *v, int action, enum parameter_kind kind, struct str name)
{
    return find(v, action, kind, name, "Unspecified",
                str_printf(v->ex->arena, "Unspecified %.*s %.*s is not allowed.", STR_ARG(kinds[kind].text), STR_ARG(name)), false);
}

bool
parameter_missing(struct validation *v, int action, enum parameter_kind kind, struct str name)
{
    return find(v, action, kind, name, "IncorrectMessage",
                str_printf(v->ex->arena, "Value of the %.*s %.*s does not conform to the definition. Required %.*s is missing. Line: 0, "
                           "Position: 0", STR_ARG(kinds[kind].text), STR_ARG(name), STR_ARG(kinds[kind].text)), false);
}

bool
parameter_no_definition(struct validation *v, int action)
{
    bool is_missing = api_schemas_state(v->ex->schemas) == DEFINITION_MISSING;

    validation_find(v, action, &(struct finding){.type = STR("ApiSchema"), .is_internal = true,
        .details = is_missing ? STR("API's schema doesn't exist or it couldn't be resolved.")
                              : STR("API schema does not specify definitions.")});
    return false;
}

/* Details and public text differ by "The". */
static bool
find_mismatch(struct validation *v, int action, enum parameter_kind kind, struct str name, const struct json_schema_error *e)
{
    struct str rest = str_printf(v->ex->arena, "alue of the %.*s %.*s does not conform to the definition. %.*s Line: %" PRIu32
                                 ", Position: %" PRIu32, STR_ARG(kinds[kind].text), STR_ARG(name), STR_ARG(e->message), e->line,
                                 e->position);

    return validation_find(v, action, &(struct finding){.name = name, .type = kinds[kind].type, .rule = STR("IncorrectMessage"),
        .details = str_concat(v->ex->arena, STR("V"), rest), .public = str_concat(v->ex->arena, STR("The v"), rest)});
}

static bool
find_unparsable(struct validation *v, int action, enum parameter_kind kind, struct str name, const char *why)
{
    struct arena *a = v->ex->arena;
    struct str start = str_printf(a, "Value of the %.*s %.*s", STR_ARG(kinds[kind].text), STR_ARG(name));

    return validation_find(v, action, &(struct finding){.name = name, .type = kinds[kind].type, .rule = STR("IncorrectMessage"),
        .details = str_printf(a, "%.*s cannot be parsed according to the definition. %s", STR_ARG(start), why),
        .public = str_printf(a, "%.*s couldn't be parsed according to the definition. %s", STR_ARG(start), why)});
}

static bool
find_exception(struct validation *v, int action, enum parameter_kind kind, struct str name, const char *why)
{
    return find(v, action, kind, name, "ValidationError",
                str_printf(v->ex->arena, "%.*s %.*s cannot be validated. %s", STR_ARG(kinds[kind].capital), STR_ARG(name), why), true);
}

/* --- text to JSON ---------------------------------------------------------------------------------------------------- */

static void
write_string(struct buf *to, struct str text)
{
    struct json_writer w = JSON_WRITER(to);

    json_write_str(&w, text);
}

/* One text by its schema. Whatever is no string is put in as it stands: the parser says whether it is JSON. */
static void
write_value(struct buf *to, const struct json_schema *s, struct str text)
{
    unsigned types = s ? json_schema_types(s) : 0;

    if (!types || types & SCHEMA_STRING)
        write_string(to, text);
    else
        buf_add_str(to, text);
}

static char
separator_of(enum parameter_style style)
{
    switch (style) {
    case STYLE_SPACE: return ' ';
    case STYLE_PIPE: return '|';
    case STYLE_TAB: return '\t';
    case STYLE_LABEL: return '.';
    case STYLE_MATRIX: return ';';
    case STYLE_SIMPLE:
    case STYLE_FORM:
    case STYLE_DEEP: return ',';
    }
    UNREACHABLE();
}

/* ".a.b" -> "a.b"; ";name=a,b" -> "a,b"; others stay. */
static struct str
without_prefix(const struct parameter *p, struct str text)
{
    ptrdiff_t equals;

    if (p->style == STYLE_LABEL && text.len && text.p[0] == '.')
        return str_skip(text, 1);
    if (p->style != STYLE_MATRIX || !text.len || text.p[0] != ';')
        return text;
    equals = str_find_char(text, '=', 0);
    return p->explode ? str_skip(text, 1) : equals < 0 ? STR("") : str_skip(text, (size_t)equals + 1);
}

/* "a=1" of an exploded matrix or label. */
static struct str
behind_equals(struct str piece)
{
    ptrdiff_t equals = str_find_char(piece, '=', 0);

    return equals < 0 ? piece : str_skip(piece, (size_t)equals + 1);
}

static void
write_array(struct buf *to, const struct parameter *p, const struct json_schema *s, const struct parameter_values *values)
{
    const struct json_schema *items = json_schema_items(s);
    bool is_first = true;

    buf_add_char(to, '[');
    for (uint32_t i = 0; i < values->n; i++) {
        bool is_whole = p->style == STYLE_FORM && p->explode;
        struct str rest = without_prefix(p, values->values[i]), piece;
        char separator = p->style == STYLE_LABEL && !p->explode ? ',' : p->style == STYLE_MATRIX && !p->explode ? ',' : separator_of(p->style);

        if (is_whole) {
            buf_add_str(to, is_first ? STR("") : STR(","));
            write_value(to, items, values->values[i]);
            is_first = false;
            continue;
        }
        for (rest = rest.len ? rest : STR_NONE; str_split_next(&rest, separator, &piece); is_first = false) {
            buf_add_str(to, is_first ? STR("") : STR(","));
            write_value(to, items, str_trim(p->style == STYLE_MATRIX && p->explode ? behind_equals(piece) : piece));
        }
    }
    buf_add_char(to, ']');
}

static void
write_member(struct buf *to, const struct json_schema *s, struct str key, struct str value, bool is_first)
{
    buf_add_str(to, is_first ? STR("") : STR(","));
    write_string(to, key);
    buf_add_char(to, ':');
    write_value(to, json_schema_property(s, key), value);
}

/* k,v,k,v, or k=v,k=v with explode. */
static void
write_flat_object(struct buf *to, const struct parameter *p, const struct json_schema *s, struct str text)
{
    char separator = p->explode ? separator_of(p->style) : ',';
    struct str rest = without_prefix(p, text), piece, key = STR_NONE;
    bool is_first = true;

    for (rest = rest.len ? rest : STR_NONE; str_split_next(&rest, separator, &piece);) {
        ptrdiff_t equals = p->explode ? str_find_char(piece, '=', 0) : -1;

        if (p->explode) {
            write_member(to, s, equals < 0 ? piece : str_sub(piece, 0, (size_t)equals), equals < 0 ? STR("") : str_skip(piece, (size_t)equals + 1),
                         is_first);
            is_first = false;
        } else if (!key.p) {
            key = piece;
        } else {
            write_member(to, s, key, piece, is_first);
            is_first = false;
            key = STR_NONE;
        }
    }
    if (key.p)
        write_member(to, s, key, STR(""), is_first);
}

static void
write_object(struct buf *to, const struct parameter *p, const struct json_schema *s, const struct parameter_values *values)
{
    buf_add_char(to, '{');
    if (values->is_object) {
        for (uint32_t i = 0; i < values->n; i++)
            write_member(to, s, values->keys[i], values->values[i], i == 0);
    } else if (values->n) {
        write_flat_object(to, p, s, values->values[0]);
    }
    buf_add_char(to, '}');
}

/* --- judging ------------------------------------------------------------------------------------------------------- */

static bool
judge(struct validation *v, int action, enum parameter_kind kind, const struct parameter *p, const struct json_schema *s, struct str text)
{
    struct json_schema_run run = {0};
    struct json_problem problem;
    bool goes_on = true;

    if (validation_json(v->ex, s, text, &run, &problem))
        return true;
    if (problem.err.code != ERR_NONE)
        return find_unparsable(v, action, kind, p->name, problem.err.text);
    if (run.failed.code != ERR_NONE)
        return find_exception(v, action, kind, p->name, run.failed.text);
    for (uint32_t i = 0; i < run.n_errors; i++)
        goes_on &= find_mismatch(v, action, kind, p->name, &run.errors[i]);
    return goes_on;
}

static bool
find_several(struct validation *v, int action, enum parameter_kind kind, struct str name)
{
    return find(v, action, kind, name, "IncorrectMessage",
                str_printf(v->ex->arena, "%s cannot contain multiple values for the %.*s %.*s.",
                           kind == KIND_RESPONSE_HEADER ? "Response" : "Request", STR_ARG(kinds[kind].text), STR_ARG(name)), false);
}

static bool
find_no_schema(struct validation *v, int action, enum parameter_kind kind, const struct parameter *p)
{
    return find(v, action, kind, p->name, "MissingDefinition",
                str_printf(v->ex->arena, "API's schema does not contain definition %.*s, which is associated with the %.*s %.*s.",
                           STR_ARG(p->type_name), STR_ARG(kinds[kind].text), STR_ARG(p->name)), true);
}

bool
parameter_check(struct validation *v, int action, enum parameter_kind kind, const struct parameter *p, const struct schema_slot *slot,
                const struct parameter_values *values)
{
    const struct json_schema *s = slot->schema;
    unsigned types = s ? json_schema_types(s) : 0;
    struct buf text = buf_in(v->ex->arena);

    if (action == VALIDATION_IGNORE)
        return true;
    if (slot->is_broken)
        return find_no_schema(v, action, kind, p);
    if (!s)
        return true;                  /* anything goes */
    if (values->n > 1 && !values->is_object && !(types & SCHEMA_ARRAY))
        return find_several(v, action, kind, p->name);
    if (p->is_json)
        buf_add_str(&text, values->n ? values->values[0] : STR(""));
    else if (types & SCHEMA_ARRAY)
        write_array(&text, p, s, values);
    else if (types & SCHEMA_OBJECT)
        write_object(&text, p, s, values);
    else
        write_value(&text, s, values->n ? without_prefix(p, values->values[0]) : STR(""));
    if (!text.failed)
        return judge(v, action, kind, p, s, text.len ? buf_str(&text) : STR(""));
    exchange_fail(v->ex, "no memory left for a validation");
    v->has_failed = true;
    return false;
}
