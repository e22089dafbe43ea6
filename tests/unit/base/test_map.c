#include "base/map.c"
#include "base/arena.c"
#include "test.h"

TEST(a_map_keeps_order_and_finds_all)
{
    struct map m AUTO(map_destroy) = MAP_INIT;
    char name[32];

    for (intptr_t i = 1; i <= 1000; i++) {
        snprintf(name, sizeof(name), "k%ld", (long)i);
        EXPECT(map_set_copy(&m, str_from_c(name), (void *)i) == NULL);
    }
    EXPECT(map_remove(&m, STR("k500")) == (void *)500);
    EXPECT(map_get(&m, STR("k500")) == NULL);
    EXPECT(map_get(&m, STR("k999")) == (void *)999);
    EXPECT_STR(map_next(&m, NULL)->key, "k1");
}

TEST(an_arena_stops_at_its_limit_and_rewinds)
{
    struct arena_cache cache = {0};
    struct arena a = ARENA(&cache, 100 << 10);
    struct arena_mark mark = arena_mark(&a);

    EXPECT(arena_alloc(&a, 10000, 1, 8) != NULL);
    EXPECT(arena_alloc(&a, 200 << 10, 1, 8) == NULL);
    arena_rewind(&a, mark);
    EXPECT_EQ(a.bytes, 0);
    EXPECT_EQ(cache.n, 1);
    arena_destroy(&a);
    arena_cache_destroy(&cache);
}
