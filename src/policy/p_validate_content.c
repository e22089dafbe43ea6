/* p_validate_content.c: <validate-content unspecified-content-type-action="prevent" max-size="102400" size-exceeded-action="prevent"
 *                          errors-variable-name="errors">
 *                         <content-type-map any-content-type-value="application/json"><type from="text/json" to="..." /></content-type-map>
 *                         <content type="application/json" validate-as="json" action="prevent" schema-id="order" /> ...
 * Size first, then the content type as the map gives it, then each <content> that fits it. A schema-id names a schema of the
 * service, compiled into the document; without one the API's definition says what the type looks like (policy/schemas.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "data/xml_schema.h"
#include "http/headers.h"
#include "model/api.h"
#include "policy/compile.h"
#include "policy/schemas.h"
#include "policy/validation.h"

#define SIZE_MAX_DOCUMENTED (4u << 20)

enum validate_as { AS_JSON, AS_XML, AS_SOAP };

struct type_rule {
    struct pvalue from, when, to;
};

struct type_map {
    struct pvalue any, missing;
    struct children types;
};

struct content_rule {
    struct str type, schema_id, schema_ref;
    int validate_as, additional;
    struct pvalue action;
    bool ignore_case;
    /* Of schema-id; both NULL: there is none of that name. */
    const struct json_schema *json;
    struct xml_schema *xml;
};

struct validate_content {
    struct pvalue unspecified, max_size, size_exceeded, size_exceeded_alias;
    struct str variable;
    struct children maps, contents;
};

static const struct choice formats[] = {{"json", AS_JSON}, {"xml", AS_XML}, {"soap", AS_SOAP}, {NULL}};
static const struct choice additional[] = {{"true", ADDITIONAL_ALLOWED}, {"false", ADDITIONAL_FORBIDDEN}, {NULL}};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct validate_content, unspecified, "unspecified-content-type-action", validation_actions, .required = true,
                 .about = "For a content type that the API's definition does not have.",
                 .unverified = "A type that a content element with its own schema names counts as specified."),
    VALUE_U32(struct validate_content, max_size, "max-size", .required = true, .about = "Bytes of a body, decompressed."),
    VALUE_CHOICE(struct validate_content, size_exceeded, "size-exceeded-action", validation_actions,
                 .about = "For a larger body. Required."),
    VALUE_CHOICE(struct validate_content, size_exceeded_alias, "size-limit-exceeded-action", validation_actions,
                 .about = "The same, as some documents write it."),
    ATTR_STR(struct validate_content, variable, "errors-variable-name", .about = "Variable that gets what was found."),
    ATTR_END
};

static const struct attr_def type_attrs[] = {
    VALUE_STR(struct type_rule, from, "from", .about = "This content type ..."),
    VALUE_BOOL(struct type_rule, when, "when", .about = "... or whenever this holds ..."),
    VALUE_STR(struct type_rule, to, "to", .required = true, .about = "... is taken for this one."),
    ATTR_END
};

static const struct child_def type_children[] = {
    {.name = "type", .offset = offsetof(struct type_map, types), .size = sizeof(struct type_rule), .attrs = type_attrs,
     .about = "Overrides both attributes; the first that fits."},
    CHILD_END
};

static const struct attr_def map_attrs[] = {
    VALUE_STR(struct type_map, any, "any-content-type-value", .about = "Every content type is taken for this one."),
    VALUE_STR(struct type_map, missing, "missing-content-type-value", .about = "A missing one is."),
    ATTR_END
};

static const struct attr_def content_attrs[] = {
    ATTR_STR(struct content_rule, type, "type", .about = "Content type it is for; without it, every one of the definition."),
    ATTR_CHOICE(struct content_rule, validate_as, "validate-as", formats, .required = true,
                .about = "soap: what is inside of the envelope's Body, as XML."),
    VALUE_CHOICE(struct content_rule, action, "action", validation_actions, .fallback = "prevent", .about = "For a body that does not fit.",
                 .unverified = "Without it: prevent."),
    ATTR_STR(struct content_rule, schema_id, "schema-id", .about = "A schema of the service; without it, the API's definition."),
    ATTR_STR(struct content_rule, schema_ref, "schema-ref", .about = "Place in the document: #/components/schemas/address."),
    ATTR_CHOICE(struct content_rule, additional, "allow-additional-properties", additional,
                .about = "Overrides what schemas say about further properties.",
                .unverified = "false forbids, at every level, what no part of the schema names; true overrides additionalProperties: false."),
    ATTR_BOOL(struct content_rule, ignore_case, "case-insensitive-property-names", .fallback = "false",
              .about = "Property names match in any case."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "content-type-map", .offset = offsetof(struct validate_content, maps), .size = sizeof(struct type_map),
     .attrs = map_attrs, .children = type_children, .once = true, .about = "What the message's content type is taken for."},
    {.name = "content", .offset = offsetof(struct validate_content, contents), .size = sizeof(struct content_rule),
     .attrs = content_attrs, .about = "How bodies of a type are validated."},
    CHILD_END
};

/* --- compiling ----------------------------------------------------------------------------------------------------- */

static void
delete_xml(void *schema)
{
    xml_schema_delete(schema);
}

static bool
compile_xml(struct compiler *c, const struct node *n, const struct source *source, struct content_rule *r)
{
    struct err err;

    if (r->validate_as == AS_JSON)
        return compile_error(c, n, "schema '%.*s' is an XML Schema, validate-as is json", STR_ARG(r->schema_id));
    r->xml = xml_schema_new(source->text, &err);
    if (!r->xml)
        return compile_error(c, n, "schema '%.*s': %s", STR_ARG(r->schema_id), err.text);
    if (arena_defer(c->arena, delete_xml, r->xml))
        return true;
    xml_schema_delete(r->xml);
    return compile_error(c, n, "the document needs too much memory");
}

/* A document of its own, or an OpenAPI document of which schema-ref names a part. */
static enum json_schema_dialect
dialect_of(const struct doc *d)
{
    struct str version = doc_get_str(d, d->root, "openapi", STR_NONE);

    if (doc_get(d->root, "swagger"))
        return SCHEMA_OPENAPI_2;
    if (version.p)
        return str_starts_with(version, STR("3.0")) ? SCHEMA_OPENAPI_3_0 : SCHEMA_OPENAPI_3_1;
    return json_schema_dialect_of(doc_get_str(d, d->root, "$schema", STR_NONE), SCHEMA_OPENAPI_3_0);
}

static bool
compile_json(struct compiler *c, const struct node *n, const struct source *source, struct content_rule *r)
{
    struct arena scratch AUTO(arena_destroy) = ARENA(NULL, (size_t)256 << 20);
    struct json_schemas *all;
    struct err err = ERR_INIT;
    struct doc d;

    if (r->validate_as != AS_JSON)
        return compile_error(c, n, "schema '%.*s' is a JSON Schema, validate-as is not json", STR_ARG(r->schema_id));
    if (!doc_parse(&d, source, &scratch, c->diags)) {
        c->has_failed = true;
        return false;
    }
    all = json_schemas_new(c->arena, &d, dialect_of(&d));
    r->json = all ? json_schemas_get(all, r->schema_ref.len ? r->schema_ref : STR("#"), &err) : NULL;
    json_schemas_done(all);
    return r->json || compile_error(c, n, "schema '%.*s': %s", STR_ARG(r->schema_id), err.text);
}

/* An id that nobody knows is no error here: the service, too, finds out when it validates. */
static bool
compile_content(struct compiler *c, const struct node *n, struct content_rule *r)
{
    const struct policy_names *names = c->in->names;
    const struct source *source;
    bool is_xml = false;

    if (!r->schema_id.len)
        return !r->schema_ref.len || compile_schema_pointer(c, n, r->schema_ref);
    source = names && names->schema ? names->schema(names->ctx, r->schema_id, &is_xml) : NULL;
    if (!source) {
        diag_add(c->diags, names && names->is_lone ? DIAG_NOTE : DIAG_WARNING, n->source, n->at, n->len,
                 "there is no schema '%.*s'; what it is for fails its validation", STR_ARG(r->schema_id));
        return true;
    }
    return is_xml ? compile_xml(c, n, source, r) : compile_json(c, n, source, r);
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct validate_content *p = conf;
    struct content_rule *r = p->contents.v;
    bool ok = true;

    if (!pvalue_is_set(&p->size_exceeded))
        p->size_exceeded = p->size_exceeded_alias;
    if (!pvalue_is_set(&p->size_exceeded))
        ok = compile_error(c, n, "<validate-content> needs the attribute size-exceeded-action");
    if (!p->max_size.program && p->max_size.literal.number > SIZE_MAX_DOCUMENTED)
        ok &= compile_strict(c, n, "Azure takes no max-size above %u", SIZE_MAX_DOCUMENTED);
    CHILDREN(&p->maps, struct type_map, map)
        CHILDREN(&map->types, struct type_rule, rule)
            if (!pvalue_is_set(&rule->from) && !pvalue_is_set(&rule->when))
                ok = compile_error(c, n, "<type> needs the attribute from or when");
    for (const struct node *k = n->first_child; k; k = k->next)
        if (str_eq_lit(k->name, "content"))
            ok &= compile_content(c, k, r++);
    return ok;
}

/* --- the message --------------------------------------------------------------------------------------------------- */

struct message {
    struct exchange *ex;
    struct validation v;
    struct content *content;
    struct http_headers *headers;
    struct str type;                  /* media type without parameters, as mapped; "" when missing */
    struct str body;                  /* decoded; STR_NONE: not read yet */
    const struct representation *of;  /* its description in the definition, or NULL */
    const struct schema_slot *slot;
};

static struct str
body_type(const struct message *m)
{
    return m->v.is_response ? STR("ResponseBody") : STR("RequestBody");
}

static struct str
capital_side(const struct message *m)
{
    return m->v.is_response ? STR("Response") : STR("Request");
}

static struct str
side(const struct message *m)
{
    return m->v.is_response ? STR("response") : STR("request");
}

static struct str
media_type(struct str content_type)
{
    ptrdiff_t semicolon = str_find_char(content_type, ';', 0);

    return str_trim(semicolon < 0 ? content_type : str_sub(content_type, 0, (size_t)semicolon));
}

/* Records a finding of the body; false when that ends the validation. */
static bool
find(struct message *m, int action, struct str name, struct str rule, struct str details, bool is_internal)
{
    return validation_find(&m->v, action, &(struct finding){.name = name, .type = body_type(m), .rule = rule, .details = details,
                                                            .is_internal = is_internal});
}

static bool
read_body(struct message *m)
{
    struct err err;

    if (m->body.p)
        return true;
    if (content_read_decoded(m->ex, m->content, m->headers, true, &m->body, &err)) {
        m->body = m->body.p ? m->body : STR("");
        return true;
    }
    exchange_fail_io(m->ex, &err);
    m->v.has_failed = true;
    return false;
}

/* --- size ---------------------------------------------------------------------------------------------------------- */

static bool
fail_size(struct message *m, int action, uint64_t size, uint32_t max)
{
    struct arena *a = m->ex->arena;
    struct str who = capital_side(m);
    struct finding f = {.type = body_type(m), .rule = STR("SizeLimit")};

    f.details = str_printf(a, "%.*s's body is %" PRIu64 " bytes long and it exceeds the configured limit of %" PRIu32 " bytes.",
                           STR_ARG(who), size, max);
    f.public = str_printf(a, "%.*s's body is %" PRIu64 " bytes long and it exceeds the limit of %" PRIu32 " bytes.", STR_ARG(who),
                          size, max);
    return validation_find(&m->v, action, &f);
}

/* What the head announces spares reading a body that is too large, or that nothing else needs. */
static bool
check_size(struct message *m, const struct validate_content *p)
{
    struct str length = http_headers_get(m->headers, HTTP_CONTENT_LENGTH);
    bool is_coded = http_headers_get(m->headers, HTTP_CONTENT_ENCODING).len > 0;
    uint64_t announced;
    uint32_t max;
    int action;

    if (!pvalue_u32(m->ex, &p->max_size, &max) || !pvalue_enum(m->ex, &p->size_exceeded, validation_actions, &action))
        return !(m->v.has_failed = true);
    if (action == VALIDATION_IGNORE || content_is_empty(m->content))
        return true;
    if (length.len && m->content->state == CONTENT_STREAM && num_parse_u64(length, UINT64_MAX, &announced, NULL)) {
        if (announced > max && action == VALIDATION_PREVENT)
            return fail_size(m, action, announced, max);
        if (announced <= max && !is_coded)
            return true;
    }
    return read_body(m) && (m->body.len <= max || fail_size(m, action, m->body.len, max));
}

/* --- content types --------------------------------------------------------------------------------------------------- */

/* The first rule that fits; false with ex->error set, *ret->p NULL when none does. */
static bool
rule_type(struct exchange *ex, const struct type_map *map, struct str type, struct str *ret)
{
    *ret = STR_NONE;
    CHILDREN(&map->types, struct type_rule, rule) {
        struct str from;
        bool fits = false;

        if (pvalue_is_set(&rule->when) ? !pvalue_bool(ex, &rule->when, &fits) : !pvalue_str(ex, &rule->from, &from))
            return false;
        if (!pvalue_is_set(&rule->when))
            fits = str_eq_nocase(media_type(from), type);
        if (fits)
            return pvalue_str(ex, &rule->to, ret);
    }
    return true;
}

static bool
map_type(struct message *m, const struct validate_content *p)
{
    const struct type_map *map = p->maps.v;
    struct str mapped;

    m->type = media_type(http_headers_get(m->headers, HTTP_CONTENT_TYPE));
    if (!p->maps.n)
        return true;
    if (!rule_type(m->ex, map, m->type, &mapped))
        return !(m->v.has_failed = true);
    if (!mapped.p && !m->type.len && pvalue_is_set(&map->missing) && !pvalue_str(m->ex, &map->missing, &mapped))
        return !(m->v.has_failed = true);
    if (!mapped.p && pvalue_is_set(&map->any) && !pvalue_str(m->ex, &map->any, &mapped))
        return !(m->v.has_failed = true);
    if (mapped.p)
        m->type = media_type(mapped);
    return true;
}

/* "application/json", or a range of the definition: any type, any subtype. */
static bool
is_in_range(struct str type, struct str range)
{
    range = media_type(range);
    if (str_eq_lit(range, "*/*"))
        return true;
    if (str_ends_with(range, STR("/*")))
        return str_starts_with_nocase(type, str_sub(range, 0, range.len - 1));
    return str_eq_nocase(type, range);
}

/* Finds what the definition says about the type: exactly, then by a range. */
static void
find_description(struct message *m)
{
    const struct operation *op = m->ex->operation;
    const struct operation_response *r = op && m->v.is_response ? operation_find_response(op, m->ex->response->status) : NULL;
    const struct representation *all = !op ? NULL : m->v.is_response ? (r ? r->representations : NULL) : op->request;
    uint32_t n = !op ? 0 : m->v.is_response ? (r ? r->n_representations : 0) : op->n_request;

    for (int ranges = 0; ranges < 2 && !m->of && m->type.len; ranges++) {
        for (uint32_t i = 0; i < n && !m->of; i++) {
            if (ranges ? !is_in_range(m->type, all[i].content_type) : !str_eq_nocase(m->type, media_type(all[i].content_type)))
                continue;
            m->of = &all[i];
            m->slot = r ? api_schemas_response(m->ex->schemas, op, r, i) : api_schemas_request(m->ex->schemas, op, i);
        }
    }
}

static bool
fits(const struct message *m, const struct content_rule *r)
{
    return r->type.len ? str_eq_nocase(media_type(r->type), m->type) : m->of != NULL;
}

static bool
check_specified(struct message *m, const struct validate_content *p)
{
    int action;

    if (m->of)
        return true;
    CHILDREN(&p->contents, struct content_rule, r)
        if (r->type.len && r->schema_id.len && fits(m, r))
            return true;
    if (!pvalue_enum(m->ex, &p->unspecified, validation_actions, &action))
        return !(m->v.has_failed = true);
    return find(m, action, m->type, STR("Unspecified"),
                str_printf(m->ex->arena, "Unspecified content type %.*s is not allowed.", STR_ARG(m->type)), false);
}

/* --- bodies -------------------------------------------------------------------------------------------------------- */

static struct str
definition_name(const struct message *m, const struct content_rule *r)
{
    struct str ref = r->schema_ref;
    ptrdiff_t slash = ref.len ? str_rfind_char(ref, '/') : -1;

    if (slash >= 0)
        return str_skip(ref, (size_t)slash + 1);
    return r->schema_id.len ? r->schema_id : m->of && m->of->type_name.len ? m->of->type_name : STR("");
}

/* "the definition NAME, which is ...", and without a name as the service writes it. */
static bool
find_mismatch(struct message *m, const struct content_rule *r, int action, struct str what, uint32_t line, uint32_t position)
{
    struct str name = definition_name(m, r);

    return find(m, action, m->type, STR("IncorrectMessage"),
                str_printf(m->ex->arena, "Body of the %.*s does not conform to the definition%s%.*s%s which is associated with the "
                           "content type %.*s. %.*s Line: %" PRIu32 ", Position: %" PRIu32, STR_ARG(side(m)), name.len ? " " : "",
                           STR_ARG(name), name.len ? "," : "", STR_ARG(m->type), STR_ARG(what), line, position), false);
}

static bool
find_exception(struct message *m, int action, struct str what)
{
    return find(m, action, m->type, STR("ValidationException"),
                str_printf(m->ex->arena, "Body of the %.*s cannot be validated for the content type %.*s. %.*s", STR_ARG(side(m)),
                           STR_ARG(m->type), STR_ARG(what)), true);
}

static bool
find_missing(struct message *m, const struct content_rule *r, int action)
{
    enum definition_state state = api_schemas_state(m->ex->schemas);
    struct finding f = {.type = STR("ApiSchema"), .is_internal = true};

    if (r->schema_id.len || state == DEFINITION_THERE) {
        f.type = body_type(m);
        f.name = m->type;
        f.rule = STR("MissingDefinition");
        f.details = str_printf(m->ex->arena, "API's schema does not contain definition %.*s, which is associated with the content "
                               "type %.*s.", STR_ARG(definition_name(m, r)), STR_ARG(m->type));
    } else {
        f.details = state == DEFINITION_MISSING ? STR("API's schema does not exist or it could not be resolved.")
                                                : STR("API's schema does not specify definitions.");
    }
    return validation_find(&m->v, action, &f);
}

static const struct json_schema *
json_schema_of(const struct message *m, const struct content_rule *r)
{
    const struct schema_slot *slot = m->slot;

    if (r->schema_id.len)
        return r->json;
    if (r->schema_ref.len)
        slot = api_schemas_pointer(m->ex->schemas, r->schema_ref);
    return slot ? slot->schema : NULL;
}

static bool
check_json(struct message *m, const struct content_rule *r, int action)
{
    const struct json_schema *s = json_schema_of(m, r);
    struct json_schema_run run = {.additional = (enum schema_additional)r->additional, .ignore_case = r->ignore_case};
    struct json_problem problem;
    bool goes_on = true;

    if (!s)
        return find_missing(m, r, action);
    if (!read_body(m))
        return false;
    if (validation_json(m->ex, s, m->body, &run, &problem))
        return true;
    if (problem.err.code != ERR_NONE)
        return find_exception(m, action, str_dup(m->ex->arena, str_from_c(problem.err.text)));
    if (run.failed.code != ERR_NONE)
        return find_exception(m, action, str_dup(m->ex->arena, str_from_c(run.failed.text)));
    for (uint32_t i = 0; i < run.n_errors; i++)
        goes_on &= find_mismatch(m, r, action, run.errors[i].message, run.errors[i].line, run.errors[i].position);
    return goes_on;
}

struct xml_job {
    const struct xml_schema *schema;
    struct xml_validation v;
    bool is_valid;
};

static void
run_xml_job(void *arg)
{
    struct xml_job *job = arg;

    job->is_valid = xml_schema_validate(job->schema, &job->v);
}

static bool
check_xml(struct message *m, const struct content_rule *r, int action)
{
    struct arena own AUTO(arena_destroy) = ARENA(NULL, (size_t)16 << 20);
    struct xml_job job = {.schema = r->xml, .v = {.is_soap = r->validate_as == AS_SOAP, .arena = &own}};
    bool goes_on = true;

    if (!r->xml)
        return find_missing(m, r, action);
    if (!read_body(m))
        return false;
    job.v.text = m->body;
    if (!exchange_offload(m->ex, run_xml_job, &job))
        return !(m->v.has_failed = true);
    if (job.is_valid)
        return true;
    if (job.v.failed.code != ERR_NONE)
        return find_exception(m, action, str_dup(m->ex->arena, str_from_c(job.v.failed.text)));
    for (uint32_t i = 0; i < job.v.n_errors; i++)
        goes_on &= find_mismatch(m, r, action, job.v.errors[i].message, job.v.errors[i].line, 0);
    return goes_on;
}

/* Every rule for the type, until one prevents. */
static bool
check_contents(struct message *m, const struct validate_content *p)
{
    CHILDREN(&p->contents, struct content_rule, r) {
        int action;

        if (!fits(m, r))
            continue;
        if (!pvalue_enum(m->ex, &r->action, validation_actions, &action))
            return !(m->v.has_failed = true);
        if (action != VALIDATION_IGNORE && !(r->validate_as == AS_JSON ? check_json(m, r, action) : check_xml(m, r, action)))
            return false;
    }
    return true;
}

/* A message without a body has none to judge, but for a request that needs one. */
static bool
has_content(const struct message *m)
{
    const struct operation *op = m->ex->operation;

    return !content_is_empty(m->content) || (!m->v.is_response && op && op->is_request_body_required);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct validate_content *p = conf;
    struct message m = {.ex = ex, .v = validation_begin(ex, p->variable), .content = exchange_message_content(ex),
                        .headers = exchange_message_headers(ex), .body = STR_NONE};

    if (!m.content || !m.headers)
        return exchange_fail(ex, "no memory left for a validation");
    if (!has_content(&m) || !check_size(&m, p) || !map_type(&m, p))
        return validation_end(&m.v);
    find_description(&m);
    if (check_specified(&m, p))
        check_contents(&m, p);
    return validation_end(&m.v);
}

const struct policy_def policy_validate_content = {
    .name = "validate-content", .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR, .scopes = AT_ALL, .body = BODY_WHOLE,
    .needs_schemas = true, .attrs = attrs, .children = children, .size = sizeof(struct validate_content), .compile = compile,
    .run = run,
    .summary = "Validates size, content type and content of a body against the API's definition or a schema.",
    .usage = "ignore skips a check, detect records what is found, prevent records it and answers 400 (request) or 502 (answer).\n"
             "JSON is read strictly: what backends could read in two ways (a repeated name, a lone surrogate) is not valid.\n"
             "XML Schema stands in schemas of the service; imports and includes are not followed, document types are refused.\n"
             "A message without a body is not judged, unless the definition requires the request's.",
};
