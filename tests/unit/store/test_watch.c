#include "store/watch.c"
#include "test.h"

static char folder[64];
static struct options options;
static struct store_files *files;
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

static void
prepare(void)
{
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
}

static struct store_watch *
begin(void)
{
    struct err err = ERR_INIT;
    struct store_watch *w;

    files = store_files_new();
    w = store_watch_new(&options, files, count, NULL, &err);
    ASSERT(w && store_watch_start(w, &err));
    return w;
}

static struct store_watch *
start(void)
{
    prepare();
    return begin();
}

static void
stop(struct store_watch *w)
{
    char command[128];

    store_watch_stop(w);
    store_files_delete(files);
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

TEST(what_the_gateway_writes_is_no_change)
{
    struct log_sink_options log = {.kind = LOG_SINK_FILE};
    char state[128], snapshot[128], rows[128];
    struct store_watch *w;

    prepare();
    make_folder("apis/state");
    /* The same folder in other words. */
    snprintf(state, sizeof(state), "%s/conf/../apis/state", folder);
    snprintf(snapshot, sizeof(snapshot), "%s/apis/snapshot", folder);
    snprintf(rows, sizeof(rows), "%s/apis/rows.log", folder);
    options.state = str_from_c(state);
    options.cache_memory.snapshot = str_from_c(snapshot);
    log.path = str_from_c(rows);
    options.gateway_log.sinks = &log;
    options.gateway_log.n_sinks = 1;
    w = begin();
    write_file("apis/state/format");
    make_folder("apis/state/more");
    write_file("apis/snapshot.new");
    write_file("apis/snapshot");
    write_file("apis/rows.log");
    usleep(200000);
    EXPECT_EQ(calls, 0);
    write_file("apis/snapshots");
    EXPECT(calls_become(1, 1000));
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

/* A name in the folder as a path. */
static const char *
in(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* A change is told. How often is not asked: on a busy machine one change may look like two. */
static bool
is_told(void)
{
    int before;

    for (int ms = 10000; ms > 0 && calls == 0; ms -= 5)
        usleep(5000);
    do {
        before = calls;
        usleep(100000);
    } while (calls != before);
    calls = 0;
    return before > 0;
}

/* As kubelet writes a ConfigMap: a new folder, and the link `..data` replaced by one to it. */
static void
write_version(const char *where, const char *version)
{
    char name[64];

    snprintf(name, sizeof(name), "%s/%s", where, version);
    make_folder(name);
    snprintf(name, sizeof(name), "%s/%s/policy.xml", where, version);
    write_file(name);
    ASSERT(symlink(version, in("link")) == 0);
    snprintf(name, sizeof(name), "%s/..data", where);
    ASSERT(rename(in("link"), in(name)) == 0);
}

TEST(each_new_link_is_followed)
{
    struct store_watch *w = start();

    write_version("apis", "..1");
    ASSERT(symlink("..data/policy.xml", in("apis/policy.xml")) == 0);
    EXPECT(is_told());
    write_version("apis", "..2");
    EXPECT(is_told());
    write_version("apis", "..3");
    EXPECT(is_told());
    write_file("apis/..3/policy.xml");
    EXPECT(is_told());
    stop(w);
}

TEST(links_of_single_files_are_followed)
{
    struct store_watch *w = start();

    store_watch_stop(w);
    unlink(in("conf/headgate.yaml"));
    write_version("conf", "..1");
    ASSERT(symlink("..data/policy.xml", in("conf/headgate.yaml")) == 0);
    w = store_watch_new(&options, files, count, NULL, NULL);
    ASSERT(w && store_watch_start(w, NULL));
    calls = 0;
    write_version("conf", "..2");
    EXPECT(is_told());
    write_version("conf", "..3");
    EXPECT(is_told());
    stop(w);
}

TEST(a_folder_in_place_of_another_is_watched)
{
    struct store_watch *w = start();

    make_folder("new");
    make_folder("new/shop");
    ASSERT(rename(in("apis"), in("old")) == 0 && rename(in("new"), in("apis")) == 0);
    EXPECT(is_told());
    write_file("apis/shop/policy.xml");
    EXPECT(is_told());
    write_file("apis/policy.xml");
    EXPECT(is_told());
    stop(w);
}

TEST(a_folder_may_go_and_come_back)
{
    struct store_watch *w = start();

    ASSERT(rename(in("apis"), in("away")) == 0);
    EXPECT(is_told());
    make_folder("apis");
    EXPECT(is_told());
    write_file("apis/policy.xml");
    EXPECT(is_told());
    stop(w);
}

TEST(links_in_a_circle_end)
{
    struct store_watch *w = start();

    ASSERT(symlink("..", in("apis/loop")) == 0 && symlink("self", in("apis/self")) == 0);
    EXPECT(is_told());
    write_file("apis/policy.xml");
    EXPECT(is_told());
    stop(w);
}

TEST(files_that_a_later_load_names_are_watched_until_none_does)
{
    struct store_watch *w = start();

    make_folder("secrets");
    write_file("secrets/key");
    usleep(100000);
    EXPECT_EQ(calls, 0);
    store_files_begin(files);
    store_files_add(files, str_from_c(in("secrets/key")));
    store_files_end(files, true);
    write_file("secrets/key");
    EXPECT(is_told());
    write_file("secrets/other");
    store_watch_poke(w);                 /* all is looked up anew */
    EXPECT(is_told());
    write_file("secrets/key");
    EXPECT(is_told());
    store_files_begin(files);
    store_files_end(files, true);
    store_watch_poke(w);
    EXPECT(is_told());
    write_file("secrets/key");
    usleep(150000);
    EXPECT_EQ(calls, 0);
    stop(w);
}

TEST(a_load_that_fails_forgets_no_file)
{
    struct store_watch *w = start();

    write_file("key");
    store_files_begin(files);
    store_files_add(files, str_from_c(in("key")));
    store_files_end(files, true);
    store_files_begin(files);
    store_files_end(files, false);
    store_watch_poke(w);
    EXPECT(is_told());
    write_file("key");
    EXPECT(is_told());
    stop(w);
}

TEST(what_changes_before_the_start_is_told_after_it)
{
    struct store_watch *w = start();

    store_watch_stop(w);
    w = store_watch_new(&options, files, count, NULL, NULL);
    calls = 0;
    write_file("apis/policy.xml");       /* while the first configuration is read */
    ASSERT(store_watch_start(w, NULL));
    EXPECT(is_told());
    stop(w);
}

TEST(a_file_in_a_folder_that_is_not_there_is_waited_for)
{
    struct store_watch *w = start();

    store_files_begin(files);
    store_files_add(files, str_from_c(in("run/secrets/key")));
    store_files_end(files, false);
    make_folder("run");
    EXPECT(is_told());
    make_folder("run/secrets");
    EXPECT(is_told());
    write_file("run/secrets/key");
    EXPECT(is_told());
    stop(w);
}

TEST(a_file_that_may_be_read_now_is_a_change)
{
    struct store_watch *w = start();

    write_file("apis/policy.xml");
    EXPECT(is_told());
    ASSERT(chmod(in("apis/policy.xml"), 0) == 0);
    EXPECT(is_told());
    ASSERT(chmod(in("apis/policy.xml"), 0644) == 0);
    EXPECT(is_told());
    stop(w);
}

TEST(a_watch_that_was_never_started_ends)
{
    struct store_watch *w = start();

    store_watch_stop(w);
    w = store_watch_new(&options, files, count, NULL, NULL);
    calls = 0;
    write_file("apis/policy.xml");
    stop(w);
    EXPECT_EQ(calls, 0);
}
