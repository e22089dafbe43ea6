/* fuzz_uri_template.c: "template\ntemplate\n...\npath?query": the templates become operations of one API, the path is
 * routed. Values are parts of the path, the query, or a template; nothing else is ever made up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/uri.h"
#include "data/uri_template.h"
#include "model/model.h"
#include "model/route.h"

#define TEMPLATES_MAX 16

static bool
is_part(struct str part, struct str whole)
{
    return !part.len || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void
route(const struct model *m, struct arena *a, struct diags *diags, struct str target, struct str whole)
{
    struct route_table *t = route_table_new(a, m, diags);
    struct route_request rq = {.method = STR("GET"), .is_secure = true, .path = target, .query = STR_NONE};
    struct route_match match;
    struct str rest = target;

    (void)str_split_next(&rest, '?', &rq.path);
    rq.query = rest;
    if (route_find(t, &rq, &match) != ROUTE_FOUND)
        return;
    ASSERT(match.operation && match.n_parameters <= ROUTE_PARAMETERS_MAX);
    for (uint32_t i = 0; i < match.n_parameters; i++) {
        ASSERT(is_part(match.parameters[i].name, whole));
        ASSERT(is_part(match.parameters[i].value, whole));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str whole = {(const char *)data, size}, rest = whole, line;
    struct operation operations[TEMPLATES_MAX];
    struct api api = {.name = STR("a"), .root_name = STR("a"), .is_current = true, .operations = operations};
    struct model m = {.apis = &api, .n_apis = 1};
    struct uri_template t;
    struct diags diags;
    struct uri u;

    diags_init(&diags, &arena);
    while (str_split_next(&rest, '\n', &line) && rest.p && api.n_operations < TEMPLATES_MAX) {
        if (!uri_template_parse(line, &arena, &t, NULL))
            continue;
        operations[api.n_operations++] =
            (struct operation){.name = line, .method = STR("GET"), .url_template = line, .api = &api};
    }
    if (uri_parse_http(line, &u, NULL))
        ASSERT(u.host.len && is_part(u.path, line));
    route(&m, &arena, &diags, line, whole);
    return 0;
}
