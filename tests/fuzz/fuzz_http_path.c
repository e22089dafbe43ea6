/* fuzz_http_path.c: a normal form is its own normal form, starts with a slash, climbs nowhere and holds nothing
 * that a backend could decode into a separator unless that was allowed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str path, unsigned flags)
{
    ASSERT(path.len > 0 && path.p[0] == '/');
    ASSERT(str_find(path, STR("/../"), 0) < 0 && str_find(path, STR("/./"), 0) < 0);
    ASSERT(!str_ends_with(path, STR("/..")) && !str_ends_with(path, STR("/.")));
    ASSERT(str_find(path, STR("%2E"), 0) < 0 && str_find(path, STR("%00"), 0) < 0);
    ASSERT((flags & HTTP_PATH_ENCODED_SLASH) ||
           (str_find(path, STR("%2F"), 0) < 0 && str_find(path, STR("%5C"), 0) < 0));
    ASSERT((flags & HTTP_PATH_KEEP_EMPTY) || str_find(path, STR("//"), 0) < 0);
    for (size_t i = 0; i < path.len; i++)
        ASSERT(path.p[i] > 0x20 && path.p[i] < 0x7f && path.p[i] != '?' && path.p[i] != '#' &&
               path.p[i] != '\\');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct str normal, again, bytes;
    unsigned flags;

    if (size < 1)
        return 0;
    bytes = str_from((const char *)data + 1, size - 1);
    flags = data[0] & 3;
    if (http_path_normalise(&arena, bytes, flags, &normal, NULL)) {
        check(normal, flags);
        ASSERT(http_path_normalise(&arena, normal, flags, &again, NULL) && str_eq(normal, again));
    }
    if (http_query_normalise(&arena, bytes, &normal))
        ASSERT(http_query_normalise(&arena, normal, &again) && str_eq(normal, again));
    return 0;
}
