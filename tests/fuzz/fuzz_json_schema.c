/* fuzz_json_schema.c: a byte that chooses the dialect and the options, a schema, a NUL, a value. Compiling and validating end; the
 * verdict is the same when only the first error is asked for, and errors lie inside the text, in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "data/json_schema.h"

static bool
validate(struct arena *a, const struct json_schema *s, const struct json *j, struct str text, uint8_t options, bool only_first,
         struct json_schema_run *run)
{
    *run = (struct json_schema_run){.arena = a, .text = text, .steps_max = 20000, .regex_steps = 5000,
                                    .additional = (enum schema_additional)(options / 8 % 3), .ignore_case = options & 0x80,
                                    .only_first = only_first};
    return json_schema_validate(s, j, run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena keep AUTO(arena_destroy) = ARENA(NULL, 64 << 20), scratch AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str all = {(const char *)data + 1, size ? size - 1 : 0}, text = STR("null");
    ptrdiff_t nul = size ? str_find_char(all, 0, 0) : -1;
    struct json_schema_run run, first;
    struct source source;
    struct diags diags;
    struct err err = ERR_INIT;
    struct doc d;

    if (!size)
        return 0;
    source = (struct source){STR("schema"), nul < 0 ? all : str_sub(all, 0, (size_t)nul)};
    text = nul < 0 ? text : str_skip(all, (size_t)nul + 1);
    diags_init(&diags, &scratch);
    if (!doc_parse(&d, &source, &scratch, &diags))
        return 0;
    struct json_schemas *schemas = json_schemas_new(&keep, &d, (enum json_schema_dialect)(data[0] % 8));
    const struct json_schema *s = schemas ? json_schemas_get(schemas, STR("#"), &err) : NULL;
    json_schemas_done(schemas);
    arena_destroy(&scratch);
    const struct json *j = json_parse(&keep, text, JSON_STRICT_UNIQUE, NULL);
    if (!s || !j)
        return 0;
    bool ok = validate(&keep, s, j, text, data[0], false, &run);
    ASSERT(ok == (run.n_errors == 0 && run.failed.code == ERR_NONE));
    for (uint32_t i = 0; i < run.n_errors; i++)
        ASSERT(run.errors[i].line >= 1 && run.errors[i].position <= utf8_units(text) && utf8_is_valid(run.errors[i].message));
    bool again = validate(&keep, s, j, text, data[0], true, &first);
    ASSERT(first.failed.code != ERR_NONE || run.failed.code != ERR_NONE || again == ok);
    ASSERT(again || first.failed.code != ERR_NONE || first.n_errors == 1);
    return 0;
}
