/* fuzz_range.c: Range and the conditions around it from any text: what is chosen lies inside the body. */
#include "base/arena.h"
#include "http/conditional.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers request = http_headers_in(&arena), answer = http_headers_in(&arena);
    uint64_t length, from, to;
    struct str text, rest, part;
    static const char *const names[] = {"If-None-Match", "If-Modified-Since", "If-Range"};
    static const char *const stored[] = {"ETag", "Last-Modified", "Date"};

    if (size < 8 || size > 4096)
        return 0;
    memcpy(&length, data, 8);
    text = rest = str_from((const char *)data + 8, size - 8);
    if (http_range_read(text, length, &from, &to) == HTTP_RANGE_PART)
        ASSERT(from < to && to <= length);
    for (size_t i = 0; i < 6 && str_split_next(&rest, '\n', &part); i++)
        ASSERT(http_headers_add(i < 3 ? &request : &answer, str_from_c(i < 3 ? names[i] : stored[i - 3]), part));
    (void)http_is_not_modified(&request, &answer);
    (void)http_range_applies(&request, &answer);
    return 0;
}
