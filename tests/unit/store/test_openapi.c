#include "store/openapi.c"
#include "test.h"

static struct arena arena = ARENA(NULL, 64 << 20);
static struct diags diags;
static struct doc doc;
static struct openapi api;

static bool
import(const char *text)
{
    struct source *source = arena_new(&arena, struct source);

    *source = (struct source){STR("specification.yaml"), str_from_c(text)};
    diags_init(&diags, &arena);
    api = (struct openapi){0};
    return doc_parse(&doc, source, &arena, &diags) && openapi_read(&doc, &arena, &api);
}

/* "name METHOD template" of every operation. */
static struct str
operations(const char *text)
{
    struct buf out = buf_in(&arena);

    if (!import(text))
        return diags_first_error(&diags, &arena);
    for (uint32_t i = 0; i < api.n_operations; i++)
        buf_printf(&out, "%s%.*s %.*s %.*s", i ? "; " : "", STR_ARG(api.operations[i].name),
                   STR_ARG(api.operations[i].method), STR_ARG(api.operations[i].url_template));
    return buf_str(&out);
}

TEST(every_method_of_every_path_is_an_operation)
{
    EXPECT_STR(operations("openapi: 3.0.1\npaths:\n"
                          "  /items:\n    get: {operationId: list-items}\n    post: {operationId: addItem}\n"
                          "    summary: x\n    parameters: []\n"
                          "  /items/{id}:\n    delete: {operationId: Delete Item!}\n"),
               "list-items GET /items; additem POST /items; delete-item DELETE /items/{id}");
}

TEST(names_are_made_unique_and_from_path_and_method_when_missing)
{
    EXPECT_STR(operations("openapi: 3.1.0\npaths:\n  /a: {get: {operationId: x}}\n  /b: {get: {operationId: X}}\n"
                          "  /c/{d}: {get: {}}\n  /e: {get: {operationId: '***'}}\n"),
               "x GET /a; x-1 GET /b; get-c-d GET /c/{d}; operation GET /e");
}

TEST(long_names_are_cut)
{
    struct buf text = BUF_INIT;

    buf_add_lit(&text, "openapi: 3.0.0\npaths: {/a: {get: {operationId: ");
    for (int i = 0; i < 100; i++)
        buf_add_char(&text, 'n');
    buf_add_lit(&text, "}}}\n");
    EXPECT(import(buf_str(&text).p));
    EXPECT_EQ(api.operations[0].name.len, 76);
    buf_destroy(&text);
}

TEST(required_query_parameters_become_part_of_the_template)
{
    EXPECT_STR(operations("openapi: 3.0.0\npaths:\n  /s:\n    parameters:\n"
                          "    - {name: q, in: query, required: true, schema: {type: string, default: z}}\n"
                          "    get:\n      operationId: s\n      parameters:\n"
                          "      - {name: page, in: query, schema: {type: integer, enum: [1, 2]}}\n"
                          "      - {name: sid, in: cookie}\n      - {name: X-H, in: header, required: true}\n"),
               "s GET /s?q={q}");
    EXPECT_EQ(api.operations[0].n_parameters, 3);
    EXPECT_EQ(api.operations[0].n_template_parameters, 1);
    EXPECT_STR(api.operations[0].parameters[0].default_value, "z");
    EXPECT_STR(api.operations[0].parameters[1].name, "page");
    EXPECT_STR(api.operations[0].parameters[1].values[1], "2");
    EXPECT_EQ(api.operations[0].parameters[2].place, PARAMETER_HEADER);
}

TEST(parameters_of_the_operation_replace_those_of_the_path)
{
    EXPECT(import("openapi: 3.0.0\npaths:\n  /i/{id}:\n    parameters: [{name: id, in: path, schema: {type: string}}]\n"
                  "    get: {parameters: [{$ref: '#/components/parameters/id'}]}\n"
                  "components: {parameters: {id: {name: id, in: path, required: true, schema: {type: integer}}}}\n"));
    EXPECT_EQ(api.operations[0].n_parameters, 1);
    EXPECT_STR(api.operations[0].parameters[0].type, "integer");
}

TEST(the_first_https_server_is_the_service_url)
{
    EXPECT(import("openapi: 3.0.0\nservers: [{url: /rel}, {url: 'http://a'}, {url: 'https://b/base'}, {url: 'https://c'}]\n"
                  "info: {title: T}\npaths: {}\n"));
    EXPECT_STR(api.service_url, "https://b/base");
    EXPECT_STR(api.title, "T");
    EXPECT(import("swagger: '2.0'\nhost: h.example\nbasePath: /v1\nschemes: [http, https]\npaths: {}\n"));
    EXPECT_STR(api.service_url, "https://h.example/v1");
    EXPECT(import("swagger: '2.0'\nhost: h.example\npaths: {}\n"));
    EXPECT_STR(api.service_url, "");
}

static const struct representation *
answer(uint16_t status, uint32_t i)
{
    for (uint32_t k = 0; k < api.operations[0].n_responses; k++)
        if (api.operations[0].responses[k].status == status)
            return &api.operations[0].responses[k].representations[i];
    return NULL;
}

TEST(examples_are_kept_by_name_and_schemas_give_samples)
{
    EXPECT(import("openapi: 3.0.0\npaths:\n  /i:\n    get:\n      responses:\n"
                  "        '200':\n          content:\n"
                  "            application/json:\n              schema: {$ref: '#/components/schemas/item'}\n"
                  "              examples: {one: {value: {id: 1}}, two: {$ref: '#/components/examples/two'}}\n"
                  "            text/plain: {example: hello}\n"
                  "        404: {content: {application/json: {schema: {$ref: '#/components/schemas/item'}}}}\n"
                  "        5XX: {description: bad}\n        default: {description: other}\n"
                  "components:\n  examples: {two: {value: [2]}}\n"
                  "  schemas:\n    item: {type: object, properties: {id: {type: integer}, name: {type: string}, "
                  "when: {type: string, format: date-time}, tags: {type: array, items: {type: string, enum: [a]}}}}\n"));
    EXPECT_STR(answer(200, 0)->examples[0].body, "{\"id\":1}");
    EXPECT_STR(answer(200, 0)->examples[1].name, "two");
    EXPECT_STR(answer(200, 0)->examples[1].body, "[2]");
    EXPECT_STR(answer(200, 0)->schema_pointer, "#/components/schemas/item");
    EXPECT_STR(answer(200, 0)->type_name, "item");
    EXPECT_STR(answer(200, 1)->examples[0].body, "hello");
    EXPECT_STR(answer(404, 0)->sample,
               "{\"id\":0,\"name\":\"string\",\"when\":\"2026-01-01T00:00:00Z\",\"tags\":[\"a\"]}");
    EXPECT_EQ(api.operations[0].n_responses, 4);
    EXPECT_EQ(api.operations[0].responses[2].status_class, 5);
}

TEST(an_inline_schema_is_found_again_by_its_pointer)
{
    EXPECT(import("openapi: 3.0.0\npaths:\n  /i/{x}:\n    get:\n      responses:\n        '200':\n          content:\n"
                  "            application/json:\n              schema: {type: integer, minimum: 5}\n"));
    EXPECT_STR(answer(200, 0)->schema_pointer, "#/paths/~1i~1{x}/get/responses/200/content/application~1json/schema");
    EXPECT_STR(doc_get(doc_pointer(doc.root, answer(200, 0)->schema_pointer), "minimum")->text, "5");
    EXPECT_STR(answer(200, 0)->sample, "5");
}

TEST(a_pointer_keeps_percent_signs_of_keys)
{
    EXPECT(import("openapi: 3.0.0\npaths: {/i: {get: {responses: {200: {content: {a%20/%de: {schema: {type: string}}}}}}}}\n"));
    EXPECT_STR(answer(200, 0)->schema_pointer, "#/paths/~1i/get/responses/200/content/a%2520~1%25de/schema");
    EXPECT(doc_pointer(doc.root, answer(200, 0)->schema_pointer) != NULL);
}

TEST(version_2_bodies_have_types_beside_them)
{
    EXPECT(import("{\"swagger\": \"2.0\", \"produces\": [\"application/json\", \"text/xml\"], \"paths\": {\"/i\": {\"post\": "
                  "{\"consumes\": [\"application/json\"], \"parameters\": [{\"name\": \"b\", \"in\": \"body\", \"required\": "
                  "true, \"schema\": {\"type\": \"object\"}}, {\"name\": \"n\", \"in\": \"query\", \"type\": \"integer\", "
                  "\"default\": 3}], \"responses\": {\"200\": {\"schema\": {\"type\": \"boolean\"}, \"examples\": "
                  "{\"text/xml\": \"<a/>\"}}}}}}}"));
    EXPECT_EQ(api.operations[0].n_request, 1);
    EXPECT(api.operations[0].is_request_body_required);
    EXPECT_STR(api.operations[0].parameters[0].default_value, "3");
    EXPECT_STR(answer(200, 0)->sample, "true");
    EXPECT_STR(answer(200, 1)->examples[0].body, "<a/>");
}

TEST(bodies_of_get_are_dropped)
{
    EXPECT(import("openapi: 3.0.0\npaths: {/i: {get: {requestBody: {content: {text/plain: {}}}}}}\n"));
    EXPECT_EQ(api.operations[0].n_request, 0);
}

TEST(references_in_a_circle_or_outside_are_ignored)
{
    EXPECT(import("openapi: 3.0.0\npaths:\n  /i:\n    get:\n      parameters: [{$ref: '#/components/parameters/a'}, "
                  "{$ref: 'other.yaml#/x'}, {$ref: '#/nowhere'}]\n"
                  "components: {parameters: {a: {$ref: '#/components/parameters/b'}, b: {$ref: '#/components/parameters/a'}}}"
                  "\n"));
    EXPECT_EQ(api.operations[0].n_parameters, 0);
    EXPECT_EQ(diags.warnings, 3);
    EXPECT_EQ(diags.errors, 0);
}

TEST(a_schema_that_holds_itself_ends)
{
    EXPECT(import("openapi: 3.0.0\npaths: {/i: {get: {responses: {200: {content: {application/json: {schema: "
                  "{$ref: '#/components/schemas/node'}}}}}}}}\n"
                  "components: {schemas: {node: {properties: {next: {$ref: '#/components/schemas/node'}, v: {type: "
                  "integer}, all: {allOf: [{$ref: '#/components/schemas/node'}]}}}}}\n"));
    EXPECT(answer(200, 0)->sample.len < 70000);
}

TEST(mistakes_are_reported_with_their_place)
{
    EXPECT_STR(operations("openapi: 4.0.0\n"), "specification.yaml:1:10: version '4.0.0': 2.0, 3.0 and 3.1 are read");
    EXPECT_STR(operations("a: b\n"),
               "specification.yaml:1:1: no OpenAPI document: neither `openapi` nor `swagger` is here");
    EXPECT_STR(operations("- x\n"), "specification.yaml:1:1: expected an OpenAPI document, found a list");
    import("openapi: 3.0.0\npaths: {/i/{id: {get: {}}, x: {}}\n");
    EXPECT(diags.errors > 0);
}

TEST(a_bad_path_does_not_hide_the_others)
{
    import("openapi: 3.0.0\npaths:\n  \"/i/{id\": {get: {}}\n  x: {}\n  /ok: {get: {}}\n");
    EXPECT_EQ(diags.errors, 2);
    EXPECT_EQ(api.n_operations, 1);
    EXPECT_STR(diags_first_error(&diags, &arena), "specification.yaml:3:3: '{' at 4 has no '}'");
}

TEST(a_server_has_the_defaults_of_its_variables)
{
    EXPECT(import("openapi: 3.0.0\nservers:\n- url: '{scheme}://{region}.example.org:{port}/v{n}'\n  variables:\n"
                  "    scheme: {default: https}\n    region: {default: eu, enum: [eu, us]}\n    port: {default: 8443}\n    n: {default: 1}\n"));
    EXPECT_STR(api.service_url, "https://eu.example.org:8443/v1");
    EXPECT(import("openapi: 3.0.0\nservers: [{url: 'https://{lost}.example.org', variables: {other: {default: a}}}, {url: 'https://b'}]\n"));
    EXPECT_STR(api.service_url, "https://b");
}
