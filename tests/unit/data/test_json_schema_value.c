/* What `uniqueItems` compares by (robustness reference, H7). */
#include "data/json_schema_value.c"

#include "base/arena.h"
#include "test.h"

#define VALUES 500
#define SLOTS 1024u
#define SPREAD 300u                   /* so many balls fall into 395 slots, give or take 9 */

/* FNV-1a, as tables without a key use it. */
static uint64_t
without_key(const char *p, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Distinct numbers, as a client may choose them: all meet in one slot of a table that has no key. */
static void
make_colliding(struct buf *to)
{
    unsigned n = 0;

    buf_add_char(to, '[');
    for (unsigned i = 1; n < VALUES; i++) {
        double d = i;
        if (without_key((const char *)&d, sizeof(d)) >> 20 & (SLOTS - 1))
            continue;
        buf_printf(to, n++ ? ",%u" : "%u", i);
    }
    buf_add_char(to, ']');
}

TEST(values_chosen_to_collide_do_not)
{
    struct arena_cache cache = {0};
    struct arena arena = ARENA(&cache, 10 << 20);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct json_problem problem;
    const struct json *array;
    bool used[SLOTS] = {0};
    unsigned n = 0;

    make_colliding(&text);
    array = json_parse(&arena, buf_str(&text), JSON_STRICT, &problem);
    EXPECT(array && array->n == VALUES);
    for (uint32_t i = 0; i < array->n; i++)
        used[schema_hash_value(&array->items[i]) >> 20 & (SLOTS - 1)] = true;
    for (unsigned i = 0; i < SLOTS; i++)
        n += used[i];
    EXPECT(n > SPREAD);
    arena_destroy(&arena);
    arena_cache_destroy(&cache);
}

TEST(equal_values_have_equal_hashes)
{
    static const char *const pairs[][2] = {
        {"1", "1.0"}, {"0", "-0"}, {"10", "1e1"}, {"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}"}, {"\"x\"", "\"\\u0078\""},
    };
    struct arena_cache cache = {0};
    struct arena arena = ARENA(&cache, 1 << 20);
    struct json_problem problem;

    for (size_t i = 0; i < COUNTOF(pairs); i++) {
        const struct json *a = json_parse(&arena, str_from_c(pairs[i][0]), JSON_STRICT, &problem);
        const struct json *b = json_parse(&arena, str_from_c(pairs[i][1]), JSON_STRICT, &problem);
        if (!a || !b || schema_hash_value(a) != schema_hash_value(b))
            TEST_FAIL("%s and %s", pairs[i][0], pairs[i][1]);
    }
    arena_destroy(&arena);
    arena_cache_destroy(&cache);
}
