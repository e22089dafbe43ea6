#include "store/watch.c"
#include "test.h"

static char folder[64];
static struct options options;
static _Atomic int calls;

static void
count(void *ctx)
{
    calls++;
}

static void
write_file(const char *name)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    ASSERT((f = fopen(path, "w")));
    fputs("x", f);
    fclose(f);
}

static void
make_folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    ASSERT(mkdir(path, 0700) == 0);
}

/* Waits at most `ms` until there have been `n` calls. */
static bool
calls_become(int n, int ms)
{
    for (; ms > 0 && calls < n; ms -= 5)
        usleep(5000);
    return calls == n;
}

static struct store_watch *
start(void)
{
    struct err err = ERR_INIT;
    struct store_watch *w;

    calls = 0;
    strcpy(folder, "/tmp/headgate-test-XXXXXX");
    ASSERT(mkdtemp(folder));
    make_folder("apis");
    make_folder("conf");
    write_file("conf/headgate.yaml");
    options = (struct options){.watch = {true, 30}};
    options.artifacts = str_from_c(xstrndup(folder, 64));
    options.artifacts = str_from_c(strcat(xrealloc((char *)options.artifacts.p, 128), "/apis"));
    options.config_path = str_from_c(strcat(strcpy(xmalloc(128), folder), "/conf/headgate.yaml"));
    w = store_watch_start(&options, count, NULL, &err);
    ASSERT(w);
    return w;
}

static void
stop(struct store_watch *w)
{
    char command[128];

    store_watch_stop(w);
    free((char *)options.artifacts.p);
    free((char *)options.config_path.p);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ASSERT(system(command) == 0);
}

TEST(a_written_file_is_told_once)
{
    struct store_watch *w = start();

    write_file("apis/policy.xml");
    EXPECT(calls_become(1, 1000));
    usleep(100000);
    EXPECT_EQ(calls, 1);
    stop(w);
}

TEST(many_changes_are_one)
{
    struct store_watch *w = start();
    char name[32];

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "apis/f%d.xml", i);
        write_file(name);
    }
    EXPECT(calls_become(1, 1000));
    usleep(100000);
    EXPECT_EQ(calls, 1);
    stop(w);
}

TEST(new_folders_are_watched_too)
{
    struct store_watch *w = start();

    make_folder("apis/shop");
    EXPECT(calls_become(1, 1000));
    make_folder("apis/shop/operations");
    EXPECT(calls_become(2, 1000));
    write_file("apis/shop/operations/policy.xml");
    EXPECT(calls_become(3, 1000));
    stop(w);
}

TEST(of_other_folders_only_named_files_count)
{
    struct store_watch *w = start();

    write_file("conf/other.txt");
    write_file("apis/.policy.xml.swp");
    usleep(150000);
    EXPECT_EQ(calls, 0);
    write_file("conf/headgate.yaml");
    EXPECT(calls_become(1, 1000));
    stop(w);
}

TEST(a_file_replaced_by_renaming_is_a_change)
{
    struct store_watch *w = start();
    char from[128], to[128];

    write_file("conf/new");
    snprintf(from, sizeof(from), "%s/conf/new", folder);
    snprintf(to, sizeof(to), "%s/conf/headgate.yaml", folder);
    ASSERT(rename(from, to) == 0);
    EXPECT(calls_become(1, 1000));
    stop(w);
}

TEST(a_poke_needs_no_change)
{
    struct store_watch *w = start();

    store_watch_poke(w);
    EXPECT(calls_become(1, 1000));
    stop(w);
}
