/* fuzz_xml_json.c: a byte that chooses direction and options, then XML or JSON. What JSON becomes is XML that can be read, and what XML
 * becomes is JSON in which no name stands twice.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "data/json.h"
#include "data/xml.h"
#include "data/xml_json.h"

static bool
ignore(void *ctx, const struct xml_event *e)
{
    return true;
}

static bool
shorten(struct str text, struct buf *to)
{
    return text.len == 20 && buf_add_str(to, STR("2024-01-01T00:00:00Z"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)256 << 20);
    struct buf to AUTO(buf_destroy) = BUF_INIT;
    struct str text = {(const char *)data + 1, size ? size - 1 : 0};
    struct err err = ERR_INIT, again = ERR_INIT;
    struct json_problem problem;

    if (!size)
        return 0;
    to.max = 1 << 20;
    if (data[0] & 1) {
        struct xml_to_json how = {.is_plain = data[0] & 2, .always_arrays = data[0] & 4};

        if (xml_to_json(&a, text, &how, &to, &err))
            ASSERT(json_parse(&a, buf_str(&to), JSON_STRICT_UNIQUE, &problem) || problem.err.code == ERR_LIMIT);
    } else {
        struct json_to_xml how = {.separator = data[0] & 2 ? STR("_") : STR(":"), .date = data[0] & 4 ? shorten : NULL,
                                  .namespace_prefix = data[0] & 8 ? STR("xmlns") : STR(""),
                                  .attribute_block = data[0] & 16 ? STR("@") : STR_NONE};

        if (json_to_xml(&a, text, &how, &to, &err))
            if (!xml_read(buf_str(&to), ignore, NULL, &again) && again.code != ERR_LIMIT) {
                fprintf(stderr, "%s: %.*s\n", again.text, STR_ARG(buf_str(&to)));
                ASSERT(false);
            }
    }
    return 0;
}
