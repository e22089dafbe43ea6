/* When memory is short, by the numbers. */
#include "gateway/memory.c"
#include "test.h"

#define MIB ((uint64_t)1 << 20)

TEST(levels_begin_where_they_should_and_end_below)
{
    static const struct {
        uint64_t used;
        enum memory_level level;
    } way[] = {
        {84, MEMORY_EASY}, {85, MEMORY_TIGHT}, {83, MEMORY_TIGHT}, {81, MEMORY_EASY}, {91, MEMORY_TIGHT}, {92, MEMORY_SCARCE},
        {89, MEMORY_SCARCE}, {88, MEMORY_TIGHT}, {98, MEMORY_DESPERATE}, {95, MEMORY_DESPERATE}, {93, MEMORY_SCARCE}, {10, MEMORY_EASY},
        {200, MEMORY_DESPERATE},
    };
    enum memory_level level = MEMORY_EASY;

    for (size_t i = 0; i < COUNTOF(way); i++) {
        level = memory_level(way[i].used * MIB, 100 * MIB, level);
        if (level != way[i].level)
            TEST_FAIL("step %zu: level %d", i, (int)level);
    }
    EXPECT_EQ(memory_level(UINT64_MAX, UINT64_MAX, MEMORY_EASY), MEMORY_DESPERATE);
}

TEST(numbers_are_found_in_what_the_kernel_writes)
{
    struct str stat = STR("anon 4096\ninactive_file 12288\nactive_file 7\n");
    struct buf scratch AUTO(buf_destroy) = BUF_INIT;

    EXPECT_EQ(number_after(stat, STR("active_file ")), 7);
    EXPECT_EQ(number_after(stat, STR("inactive_file ")), 12288);
    EXPECT_EQ(number_after(stat, STR("shmem ")), 0);
    EXPECT_EQ(number_after(STR("MemFree: 1 kB\nMemTotal:       2048 kB\n"), STR("MemTotal:")), 2048);
    EXPECT_EQ(number_of(STR("max\n")), 0);
    EXPECT_EQ(number_of(STR("73400320\n")), 73400320);
    EXPECT(resident(&scratch) > MIB);
}
