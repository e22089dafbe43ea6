/* fuzz_regex.c: a byte of options, a pattern up to the first NUL, then text; both matchers on tight budgets. */
#include <string.h>

#include "data/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GROUPS_MAX 64

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    struct regex_span spans[GROUPS_MAX], *all[GROUPS_MAX];
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    uint32_t n[GROUPS_MAX];
    struct err err = ERR_INIT;

    if (!nul || size > 2048)
        return 0;
    struct str pattern = str_from((const char *)data + 1, (size_t)(nul - data - 1));
    struct str text = str_from((const char *)nul + 1, size - (size_t)(nul - data) - 1);
    struct regex *r = regex_new(pattern, data[0] & 0x7f, &err);
    if (!r)
        return 0;
    if (regex_groups(r) <= GROUPS_MAX &&
        regex_match(r, text, regex_is_right_to_left(r) ? text.len : 0, 20000, spans) == REGEX_MATCH) {
        for (uint32_t i = 0; i < regex_groups(r); i++)
            ASSERT(spans[i].from == SIZE_MAX || (spans[i].to <= text.len && spans[i].from <= spans[i].to));
        if (regex_captures(r, text, spans, 20000, &a, all, n) == REGEX_MATCH)
            for (uint32_t i = 0; i < n[0]; i++)
                ASSERT(all[0][i].to <= text.len);
    }
    regex_delete(r);
    return 0;
}
