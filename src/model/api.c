/* api.c: looking into APIs, operations and their described responses.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/api.h"

const struct operation *
api_find_operation(const struct api *api, struct str name)
{
    for (uint32_t i = 0; i < api->n_operations; i++)
        if (str_eq_nocase(api->operations[i].name, name))
            return &api->operations[i];
    return NULL;
}

const struct operation_response *
operation_find_response(const struct operation *op, uint16_t status)
{
    const struct operation_response *of_class = NULL, *fallback = NULL;

    for (uint32_t i = 0; i < op->n_responses; i++) {
        const struct operation_response *r = &op->responses[i];
        if (r->status == status && status)
            return r;
        if (r->status_class && r->status_class == status / 100)
            of_class = r;
        else if (!r->status && !r->status_class)
            fallback = r;
    }
    return of_class ? of_class : fallback;
}

static struct str
media_type(struct str content_type)
{
    struct str rest = content_type, head = STR_NONE;

    (void)str_split_next(&rest, ';', &head);
    return str_trim(head);
}

const struct representation *
response_find_representation(const struct operation_response *r, struct str content_type)
{
    struct str wanted = media_type(content_type);
    bool wants_json = str_eq_nocase(wanted, STR("application/json"));
    const struct representation *like = NULL;

    if (!wanted.len)
        return r->n_representations ? &r->representations[0] : NULL;
    for (uint32_t i = 0; i < r->n_representations; i++) {
        struct str type = media_type(r->representations[i].content_type);
        if (str_eq_nocase(type, wanted))
            return &r->representations[i];
        if (!like && wants_json && str_ends_with(type, STR("+json")))
            like = &r->representations[i];
    }
    return like;
}

const char *
api_kind_name(enum api_kind kind)
{
    static const char *const names[] = {"http", "soap", "websocket", "graphql", "odata", "grpc", "mcp", "a2a", "other"};

    return names[kind];
}
