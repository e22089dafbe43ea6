/* fuzz_cache_control.c: Cache-Control and its kin from any text: numbers in their bounds, lists inside the text. */
#include "cache/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct cache_control *c, struct str text)
{
    const int64_t seconds[] = {c->max_age, c->s_maxage, c->stale_while_revalidate, c->stale_if_error, c->min_fresh, c->max_stale};
    const struct str lists[] = {c->no_cache_fields, c->private_fields};

    for (size_t i = 0; i < COUNTOF(seconds); i++)
        ASSERT(seconds[i] >= -1 && seconds[i] <= CONTROL_SECONDS_MAX);
    for (size_t i = 0; i < COUNTOF(lists); i++)
        ASSERT(!lists[i].len || (lists[i].p >= text.p && lists[i].p + lists[i].len <= text.p + text.len));
    ASSERT(c->is_there || (!c->flags && c->max_age == -1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    struct cache_control c;

    cache_control_init(&c);
    cache_control_read(&c, text);
    cache_control_read(&c, str_skip(text, size / 2));
    check(&c, text);
    cache_control_init(&c);
    if (cache_control_read_targeted(&c, text))
        check(&c, text);
    cache_control_init(&c);
    cache_control_read_surrogate(&c, text);
    check(&c, text);
    return 0;
}
