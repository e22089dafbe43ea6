/* fuzz_json.c: JSON text in all three settings. What strict accepts must be written and read back the same, and lenient
 * must accept it too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json.h"

static struct str
written(struct arena *a, const struct json *j)
{
    struct buf b = buf_in(a);
    struct json_writer w = JSON_WRITER(&b);

    json_write(&w, j);
    return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str text = {(const char *)data, size};
    struct json_problem problem;
    const struct json *strict = json_parse(&arena, text, JSON_STRICT, &problem);
    const struct json *unique = json_parse(&arena, text, JSON_STRICT_UNIQUE, &problem);
    const struct json *lenient = json_parse(&arena, text, JSON_LENIENT, &problem);

    ASSERT(!unique || strict);
    if (lenient)
        written(&arena, lenient);
    if (strict && (size < 3 || memcmp(data, "\xef\xbb\xbf", 3) != 0)) {
        /* Newtonsoft refuses what its double cannot hold; that is all of JSON that it refuses. */
        ASSERT(lenient || str_find(str_from_c(problem.err.text), STR("is not a valid number"), 0) >= 0);
        struct str once = written(&arena, strict);
        const struct json *again = json_parse(&arena, once, JSON_STRICT_UNIQUE, &problem);
        ASSERT(again && str_eq(written(&arena, again), once));
    }
    return 0;
}
