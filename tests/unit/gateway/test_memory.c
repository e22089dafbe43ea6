/* When memory is short, by the numbers. */
#include "gateway/memory.c"
#include "test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

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

/* So many looks, idle or not, at which so many MiB are taken; the highest step of them. */
static enum memory_step
looks(struct memory_quiet *q, unsigned n, bool is_idle, uint64_t used)
{
    enum memory_step highest = MEMORY_BUSY;

    while (n-- > 0) {
        enum memory_step step = memory_quiet_look(q, is_idle, used * MIB);
        highest = MAX(highest, step);
    }
    return highest;
}

TEST(memory_goes_back_when_nobody_asks)
{
    struct memory_quiet q = {0};
    uint32_t n_trims = 0;

    EXPECT_EQ(looks(&q, 1000, false, 200), MEMORY_BUSY);
    EXPECT_EQ(looks(&q, QUIET_LOOKS - 1, true, 200), MEMORY_BUSY);
    EXPECT_EQ(looks(&q, 1, true, 200), MEMORY_GIVE);
    for (int i = 0; i < 7; i++)
        n_trims += looks(&q, 1, true, 200 - 20 * (uint64_t)i) == MEMORY_TRIM;
    EXPECT_EQ(n_trims, 1);
    EXPECT_EQ(looks(&q, 500, true, 80), MEMORY_QUIET);       /* once was enough */
}

TEST(memory_that_is_needed_again_at_once_goes_back_seldom)
{
    struct memory_quiet q = {0};
    unsigned n_slow = 0;

    for (int i = 0; i < 4000; i++)                           /* a large request each six seconds, for 1000 s */
        n_slow += looks(&q, 1, i % 24 != 0, 80 + (i % 24 < 2) * 20) >= MEMORY_GIVE;
    EXPECT(n_slow > 0);
    EXPECT(n_slow <= 1000 / 30 * 3 + 3);                     /* of 4,000 looks, three each half minute */
}

TEST(a_request_ends_the_giving_back)
{
    struct memory_quiet q = {0};

    EXPECT_EQ(looks(&q, QUIET_LOOKS + 1, true, 200), MEMORY_GIVE);
    EXPECT_EQ(looks(&q, 1, false, 200), MEMORY_BUSY);
    EXPECT_EQ(looks(&q, QUIET_LOOKS - 1, true, 200), MEMORY_BUSY);
    EXPECT_EQ(looks(&q, 50, true, 200), MEMORY_QUIET);       /* half a minute after it began last */
    EXPECT_EQ(looks(&q, PAUSE_LOOKS, true, 200), MEMORY_TRIM);
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

/* ---- a machine's files, below a folder of ours ---- */

struct machine {
    char root[64];
    struct memory_watch m;
};

static void
put(struct machine *k, const char *path, const char *text)
{
    char full[256];
    struct err err;

    snprintf(full, sizeof(full), "%s%s", k->root, path);
    for (char *p = full + strlen(k->root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(full, 0700);
        *p = '/';
    }
    EXPECT_OK(file_write_atomic(full, str_from_c(text), 0600, &err));
}

static void
boot(struct machine *k, const char *cgroup)
{
    *k = (struct machine){.root = "/tmp/headgate-memory-XXXXXX"};
    EXPECT(mkdtemp(k->root) != NULL);
    put(k, "/proc/meminfo", "MemFree: 1 kB\nMemTotal:       2097152 kB\n");
    put(k, "/proc/self/cgroup", cgroup);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static void
halt(struct machine *k)
{
    nftw(k->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The group whose figures count, without root. */
static const char *
group_of(const struct machine *k)
{
    return k->m.group[0] ? k->m.group + strlen(k->root) : "";
}

TEST(a_control_group_of_our_own_sets_the_limit_and_counts)
{
    struct machine k;
    struct buf scratch AUTO(buf_destroy) = BUF_INIT;

    boot(&k, "0::/system.slice/headgate.service\n");
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/memory.max", "104857600\n");
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/cgroup.procs", "10\n11\n");
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/memory.current", "94371840\n");
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/memory.stat",
        "anon 62914560\nfile 31457280\nsock 1048576\ninactive_file 10485760\nactive_file 20971520\n");
    put(&k, "/sys/fs/cgroup/system.slice/memory.max", "max\n");
    find_limit(&k.m, k.root);
    EXPECT_EQ(k.m.max, 100 * MIB);
    EXPECT_STR(str_from_c(group_of(&k)), "/sys/fs/cgroup/system.slice/headgate.service");
    EXPECT_EQ(used_by_group(k.m.group, &scratch), 60 * MIB);   /* the page cache is no use of memory */
    EXPECT_EQ(memory_level(used_by_group(k.m.group, &scratch), k.m.max, MEMORY_EASY), MEMORY_EASY);
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/memory.current", "122683392\n");
    EXPECT_EQ(memory_level(used_by_group(k.m.group, &scratch), k.m.max, MEMORY_EASY), MEMORY_TIGHT);
    put(&k, "/sys/fs/cgroup/system.slice/headgate.service/memory.current", "134217728\n");
    EXPECT_EQ(memory_level(used_by_group(k.m.group, &scratch), k.m.max, MEMORY_TIGHT), MEMORY_DESPERATE);
    halt(&k);
}

TEST(a_tighter_group_above_sets_the_limit_but_its_others_do_not_count)
{
    struct machine k;

    boot(&k, "0::/pods/one/gateway\n");
    put(&k, "/sys/fs/cgroup/pods/one/gateway/memory.max", "209715200\n");
    put(&k, "/sys/fs/cgroup/pods/one/gateway/cgroup.procs", "10\n");
    put(&k, "/sys/fs/cgroup/pods/one/memory.max", "104857600\n");
    put(&k, "/sys/fs/cgroup/pods/memory.max", "1073741824\n");
    find_limit(&k.m, k.root);
    EXPECT_EQ(k.m.max, 100 * MIB);
    EXPECT_STR(str_from_c(group_of(&k)), "");
    halt(&k);
}

TEST(a_group_with_others_in_it_only_sets_the_limit)
{
    struct machine k;

    boot(&k, "0::/session.scope\n");
    put(&k, "/sys/fs/cgroup/session.scope/memory.max", "104857600\n");
    put(&k, "/sys/fs/cgroup/session.scope/cgroup.procs", "1\n2\n3\n4\n");
    find_limit(&k.m, k.root);
    EXPECT_EQ(k.m.max, 100 * MIB);
    EXPECT_STR(str_from_c(group_of(&k)), "");
    halt(&k);
}

TEST(a_container_sees_its_group_as_the_root)
{
    struct machine k;

    boot(&k, "0::/\n");
    put(&k, "/sys/fs/cgroup/memory.max", "52428800\n");
    put(&k, "/sys/fs/cgroup/cgroup.procs", "1\n7\n");
    put(&k, "/sys/fs/cgroup/memory.current", "10485760\n");
    find_limit(&k.m, k.root);
    EXPECT_EQ(k.m.max, 50 * MIB);
    EXPECT_STR(str_from_c(group_of(&k)), "/sys/fs/cgroup/");
    halt(&k);
}

TEST(without_a_limit_it_is_the_machines_memory)
{
    static const char *const odd[] = {"0::/a\n", "4:memory:/a\n", "", "0::/../../elsewhere\n", "garbage"};

    for (size_t i = 0; i < COUNTOF(odd); i++) {
        struct machine k;

        boot(&k, odd[i]);
        put(&k, "/sys/fs/cgroup/a/memory.max", "max\n");
        find_limit(&k.m, k.root);
        EXPECT_EQ(k.m.max, 2048 * MIB);
        EXPECT_STR(str_from_c(group_of(&k)), "");
        halt(&k);
    }
}
