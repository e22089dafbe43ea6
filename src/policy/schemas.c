/* schemas.c: see schemas.h. The definition is parsed anew, as the model keeps only its text; its tree goes when the schemas
 * are compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/schemas.h"

#include "data/json_schema.h"

#define DEFINITION_TREE_MAX ((size_t)1 << 30)

struct response_slots {
    struct schema_slot *representations, *headers;
};

struct operation_slots {
    struct schema_slot *parameters, *request;
    struct response_slots *responses;
};

struct api_schemas {
    enum definition_state state;
    struct operation_slots *operations;
    struct pointer_slot {
        struct str pointer;
        struct schema_slot slot;
    } *pointers;
    uint32_t n_pointers;
};

struct builder {
    struct arena *keep;
    const struct api *api;
    struct json_schemas *all;
    struct diags *diags;
    bool is_full;
};

/* The schema at a pointer of the definition; what is wrong with it is a warning, and shows when it would be needed. */
static struct schema_slot
slot_at(struct builder *b, struct str pointer)
{
    struct schema_slot slot = {NULL, false};
    struct err err;

    if (!pointer.p || !b->all)
        return slot;
    slot.schema = json_schemas_get(b->all, pointer, &err);
    slot.is_broken = !slot.schema;
    if (slot.is_broken)
        diag_add(b->diags, DIAG_WARNING, b->api->specification, 0, 1, "%s; what it describes cannot be validated", err.text);
    return slot;
}

static struct schema_slot *
new_slots(struct builder *b, uint32_t n)
{
    struct schema_slot *v = arena_new_array(b->keep, struct schema_slot, n + 1);

    b->is_full |= !v;
    return v;
}

static struct schema_slot *
of_parameters(struct builder *b, const struct parameter *all, uint32_t n)
{
    struct schema_slot *v = new_slots(b, n);

    for (uint32_t i = 0; v && i < n; i++)
        v[i] = slot_at(b, all[i].schema_pointer);
    return v;
}

static struct schema_slot *
of_representations(struct builder *b, const struct representation *all, uint32_t n)
{
    struct schema_slot *v = new_slots(b, n);

    for (uint32_t i = 0; v && i < n; i++)
        v[i] = slot_at(b, all[i].schema_pointer);
    return v;
}

static void
of_operation(struct builder *b, const struct operation *op, struct operation_slots *to)
{
    to->parameters = of_parameters(b, op->parameters, op->n_parameters);
    to->request = of_representations(b, op->request, op->n_request);
    to->responses = arena_new_array(b->keep, struct response_slots, op->n_responses + 1);
    b->is_full |= !to->responses;
    for (uint32_t i = 0; to->responses && i < op->n_responses; i++) {
        const struct operation_response *r = &op->responses[i];
        to->responses[i] = (struct response_slots){of_representations(b, r->representations, r->n_representations),
                                                   of_parameters(b, r->headers, r->n_headers)};
    }
}

static enum json_schema_dialect
dialect_of(const struct doc *d)
{
    struct str version = doc_get_str(d, d->root, "openapi", STR(""));

    if (doc_get(d->root, "swagger"))
        return SCHEMA_OPENAPI_2;
    return str_starts_with(version, STR("3.0")) ? SCHEMA_OPENAPI_3_0 : SCHEMA_OPENAPI_3_1;
}

static bool
has_definitions(const struct api *api)
{
    return api->n_operations && !api->operations[0].is_implicit;
}

static void
compile_all(struct builder *b, struct api_schemas *s, const struct str *pointers)
{
    s->operations = arena_new_array(b->keep, struct operation_slots, b->api->n_operations + 1);
    s->pointers = arena_new_array(b->keep, struct pointer_slot, s->n_pointers + 1);
    if (!s->operations || !s->pointers) {
        b->is_full = true;
        return;
    }
    for (uint32_t i = 0; i < b->api->n_operations; i++)
        of_operation(b, &b->api->operations[i], &s->operations[i]);
    for (uint32_t i = 0; i < s->n_pointers; i++)
        s->pointers[i] = (struct pointer_slot){str_dup(b->keep, pointers[i]), slot_at(b, pointers[i])};
}

struct api_schemas *
api_schemas_new(struct arena *keep, const struct api *api, const struct str *pointers, uint32_t n_pointers, struct diags *diags)
{
    struct arena scratch AUTO(arena_destroy) = ARENA(NULL, DEFINITION_TREE_MAX);
    struct api_schemas *s = arena_new(keep, struct api_schemas);
    struct builder b = {.keep = keep, .api = api, .diags = diags};
    struct diags ignored;             /* the store has told them */
    struct doc d;

    if (!s)
        return NULL;
    s->n_pointers = n_pointers;
    s->state = !api->specification ? DEFINITION_MISSING : has_definitions(api) ? DEFINITION_THERE : DEFINITION_EMPTY;
    diags_init(&ignored, &scratch);
    if (api->specification && api->specification->text.len > API_DEFINITION_MAX) {
        diag_add(diags, DIAG_WARNING, api->specification, 0, 1, "a definition of more than %zu bytes is not used for validation",
                 API_DEFINITION_MAX);
        s->state = DEFINITION_MISSING;
    } else if (api->specification && doc_parse_loosely(&d, api->specification, &scratch, &ignored)) {
        b.all = json_schemas_new(keep, &d, dialect_of(&d));
    } else {
        s->state = DEFINITION_MISSING;
    }
    compile_all(&b, s, pointers);
    json_schemas_done(b.all);
    return b.is_full ? NULL : s;
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

static const struct schema_slot nothing = {NULL, false};

enum definition_state
api_schemas_state(const struct api_schemas *s)
{
    return s ? s->state : DEFINITION_MISSING;
}

const struct schema_slot *
api_schemas_parameter(const struct api_schemas *s, const struct operation *op, uint32_t i)
{
    return s && !op->is_implicit ? &s->operations[op->index].parameters[i] : &nothing;
}

const struct schema_slot *
api_schemas_request(const struct api_schemas *s, const struct operation *op, uint32_t i)
{
    return s && !op->is_implicit ? &s->operations[op->index].request[i] : &nothing;
}

const struct schema_slot *
api_schemas_response(const struct api_schemas *s, const struct operation *op, const struct operation_response *r, uint32_t i)
{
    return s && !op->is_implicit ? &s->operations[op->index].responses[r - op->responses].representations[i] : &nothing;
}

const struct schema_slot *
api_schemas_header(const struct api_schemas *s, const struct operation *op, const struct operation_response *r, uint32_t i)
{
    return s && !op->is_implicit ? &s->operations[op->index].responses[r - op->responses].headers[i] : &nothing;
}

const struct schema_slot *
api_schemas_pointer(const struct api_schemas *s, struct str pointer)
{
    for (uint32_t i = 0; s && i < s->n_pointers; i++)
        if (str_eq(s->pointers[i].pointer, pointer))
            return &s->pointers[i].slot;
    return NULL;
}
