/* fuzz_openapi.c: OpenAPI documents, JSON and YAML. Whatever is imported routes, and pointers to inline schemas lead back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/uri_template.h"
#include "store/openapi.h"

static void
check_operation(const struct doc *d, const struct operation *op, struct arena *a)
{
    struct uri_template t;

    ASSERT(op->name.len && op->name.len <= 76 + 4 && op->method.len);
    ASSERT(uri_template_parse(op->url_template, a, &t, NULL) || op->n_template_parameters > 0);
    for (uint32_t i = 0; i < op->n_responses; i++)
        for (uint32_t k = 0; k < op->responses[i].n_representations; k++) {
            const struct representation *r = &op->responses[i].representations[k];
            ASSERT(r->content_type.p);
            if (r->schema_pointer.p && !r->type_name.p)
                ASSERT(doc_pointer(d->root, r->schema_pointer));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 256 << 20);
    struct source source = {STR("specification.yaml"), {(const char *)data, size}};
    struct openapi api = {0};
    struct diags diags;
    struct doc d;

    diags_init(&diags, &arena);
    if (doc_parse(&d, &source, &arena, &diags) && openapi_read(&d, &arena, &api))
        for (uint32_t i = 0; i < api.n_operations; i++)
            check_operation(&d, &api.operations[i], &arena);
    return 0;
}
