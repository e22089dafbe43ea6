/* watch.c: word of changes, by inotify, from a thread of its own.
 *
 *     event -> "dirty", quiet for settle_ms -> changed(ctx) -> ...
 *
 * Every directory of the artifacts folder is watched, and the folders of headgate.yaml, users.yaml and the files that it
 * names; events about other files there are dropped by name. New directories are watched as they appear; when the kernel's
 * queue overflows or watches run out the whole tree is taken up again with the next load. Editors and `git checkout`
 * write many files: a change is told once it has been quiet for settle_ms, but at the latest after four times that.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "store/store.h"

#define WATCHED_EVENTS \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
#define FOLDER_DEPTH_MAX 12
#define LATEST_FACTOR 4

/* One watched directory. In one that belongs to the tree every name counts, in another the listed ones. */
struct watched {
    int descriptor;                   /* of inotify */
    char *path;
    bool is_tree;
};

struct store_watch {
    pthread_t thread;
    int inotify, wake;                /* wake: an eventfd */
    _Atomic bool is_stopping, is_poked;
    void (*changed)(void *ctx);
    void *ctx;
    uint64_t settle_ms;
    char *root;                       /* the artifacts folder, or NULL */
    VEC(struct watched) folders;
    struct map files;                 /* paths that count outside the tree */
    bool is_full;                     /* told once that watches ran out */
};

/* ---- what is watched ---- */

static struct watched *
find_folder(struct store_watch *w, int descriptor)
{
    for (size_t i = 0; i < w->folders.n; i++)
        if (w->folders.v[i].descriptor == descriptor)
            return &w->folders.v[i];
    return NULL;
}

static void
watch_folder(struct store_watch *w, const char *path, bool is_tree)
{
    int descriptor = inotify_add_watch(w->inotify, path, WATCHED_EVENTS | IN_ONLYDIR);
    struct watched *known;

    if (descriptor < 0) {
        if (errno == ENOSPC && !w->is_full)
            log_warn("watch: no more inotify watches (fs.inotify.max_user_watches); changes below %s are seen with SIGHUP",
                     path);
        w->is_full = w->is_full || errno == ENOSPC;
        return;
    }
    known = find_folder(w, descriptor);
    if (known) {
        known->is_tree = known->is_tree || is_tree;
        return;
    }
    *vec_push(&w->folders) = (struct watched){descriptor, xstrndup(path, strlen(path)), is_tree};
}

static bool
is_folder_at(const char *path, const struct dirent *e)
{
    struct stat st;

    if (e->d_type != DT_UNKNOWN && e->d_type != DT_LNK)
        return e->d_type == DT_DIR;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void
watch_tree(struct store_watch *w, const char *path, int depth)
{
    DIR *dir;
    struct dirent *e;

    if (depth > FOLDER_DEPTH_MAX)
        return;
    watch_folder(w, path, true);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        struct buf below = BUF_INIT;

        if (e->d_name[0] == '.')
            continue;
        buf_printf(&below, "%s/%s", path, e->d_name);
        if (is_folder_at(buf_str(&below).p, e))
            watch_tree(w, buf_str(&below).p, depth + 1);
        buf_destroy(&below);
    }
    if (dir)
        closedir(dir);
}

/* A file outside the tree: its folder is watched, for files are replaced by renaming over them. */
static void
watch_file(struct store_watch *w, struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    char *folder;

    if (!path.len || map_has(&w->files, path))
        return;
    map_set_copy(&w->files, path, w);
    folder = slash < 0 ? xstrndup(".", 1) : xstrndup(path.p, MAX((size_t)slash, (size_t)1));
    watch_folder(w, folder, false);
    free(folder);
}

static void
watch_secret(struct store_watch *w, const struct secret *s)
{
    if (str_starts_with(s->reference, STR("file:/")))
        watch_file(w, str_skip(s->reference, 5));
}

static void
watch_everything(struct store_watch *w, const struct options *o)
{
    const struct service_options *s = &o->service;

    if (w->root)
        watch_tree(w, w->root, 0);
    watch_file(w, o->config_path);
    watch_file(w, o->users);
    for (uint32_t i = 0; i < s->n_certificates; i++) {
        watch_file(w, s->certificates[i].file);
        watch_file(w, s->certificates[i].key_file);
        watch_secret(w, &s->certificates[i].password);
    }
    for (uint32_t i = 0; i < s->n_named_values; i++)
        watch_secret(w, &s->named_values[i].value);
    for (uint32_t i = 0; i < s->trust.n; i++)
        watch_file(w, s->trust.v[i]);
    for (uint32_t i = 0; i < o->n_listeners; i++) {
        for (uint32_t k = 0; k < o->listeners[i].tls.n_certificates; k++) {
            watch_file(w, o->listeners[i].tls.certificates[k].certificate);
            watch_file(w, o->listeners[i].tls.certificates[k].key);
            watch_file(w, o->listeners[i].tls.certificates[k].client_ca);
        }
        watch_file(w, o->listeners[i].tls.client_ca);
    }
}

/* ---- events ---- */

/* Editors' own files do not count: hidden ones, and backups. */
static bool
name_counts(struct str name)
{
    return name.len && *name.p != '.' && !str_ends_with(name, STR("~"));
}

static bool
event_counts(struct store_watch *w, const struct inotify_event *e)
{
    struct watched *folder = find_folder(w, e->wd);
    struct str name = e->len ? str_from_c(e->name) : STR("");
    struct buf path = BUF_INIT;
    bool counts;

    if (e->mask & IN_Q_OVERFLOW)
        return true;
    if (!folder || (!name.len && !folder->is_tree) || (name.len && !name_counts(name)))
        return false;
    buf_printf(&path, "%s/%.*s", folder->path, STR_ARG(name));
    counts = folder->is_tree || map_has(&w->files, buf_str(&path)) || map_has(&w->files, name);
    if (folder->is_tree && (e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO)))
        watch_tree(w, buf_str(&path).p, 1);
    buf_destroy(&path);
    return counts;
}

static void
forget_folder(struct store_watch *w, int descriptor)
{
    struct watched *folder = find_folder(w, descriptor);

    if (!folder)
        return;
    free(folder->path);
    *folder = w->folders.v[--w->folders.n];
}

/* Reads what the kernel has; true when any of it counts. */
static bool
read_events(struct store_watch *w)
{
    _Alignas(struct inotify_event) char room[16384];
    bool counts = false, is_lost = false;
    ssize_t n;

    while ((n = read(w->inotify, room, sizeof(room))) > 0) {
        for (char *p = room; p < room + n;) {
            const struct inotify_event *e = (const struct inotify_event *)p;

            counts = event_counts(w, e) || counts;
            is_lost = is_lost || (e->mask & IN_Q_OVERFLOW);
            if (e->mask & IN_IGNORED)
                forget_folder(w, e->wd);
            p += sizeof(*e) + e->len;
        }
    }
    if (is_lost && w->root)
        watch_tree(w, w->root, 0);
    return counts;
}

static bool
was_poked(struct store_watch *w)
{
    uint64_t count;

    if (read(w->wake, &count, sizeof(count)) != sizeof(count))
        return false;
    return atomic_exchange(&w->is_poked, false);
}

static uint64_t
now_ms(void)
{
    return clock_mono_ns(NULL) / 1000000;
}

/* Waits for events; returns true when changed() is due. */
static bool
wait_for_change(struct store_watch *w)
{
    struct pollfd fds[] = {{.fd = w->inotify, .events = POLLIN}, {.fd = w->wake, .events = POLLIN}};
    uint64_t first = 0, last = 0;

    while (!w->is_stopping) {
        uint64_t due = first ? MIN(last + w->settle_ms, first + w->settle_ms * LATEST_FACTOR) : 0, now = now_ms();

        if (first && now >= due)
            return true;
        if (poll(fds, 2, first ? (int)(due - now) : -1) < 0 && errno != EINTR)
            return false;
        if (was_poked(w))
            return !w->is_stopping;
        if (read_events(w)) {
            last = now_ms();
            first = first ? first : last;
        }
    }
    return false;
}

static void *
run(void *watch)
{
    struct store_watch *w = watch;

    while (wait_for_change(w))
        w->changed(w->ctx);
    return NULL;
}

/* ---- the calls ---- */

static void
destroy(struct store_watch *w)
{
    if (w->inotify >= 0)
        close(w->inotify);
    if (w->wake >= 0)
        close(w->wake);
    for (size_t i = 0; i < w->folders.n; i++)
        free(w->folders.v[i].path);
    vec_free(&w->folders);
    map_destroy(&w->files);
    free(w->root);
    free(w);
}

/* Signals are for the threads that expect them. */
static int
start_thread(struct store_watch *w)
{
    sigset_t all, before;
    int failure;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

struct store_watch *
store_watch_start(const struct options *options, void (*changed)(void *ctx), void *ctx, struct err *err)
{
    struct store_watch *w = xnew(struct store_watch);
    int failure;

    w->changed = changed;
    w->ctx = ctx;
    w->settle_ms = MAX(options->watch.settle_ms, (uint64_t)1);
    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->inotify < 0 || w->wake < 0) {
        err_set_errno(err, ERR_IO, errno, "watching for changes");
        destroy(w);
        return NULL;
    }
    if (options->artifacts.len)
        w->root = xstrndup(options->artifacts.p, options->artifacts.len);
    if (options->watch.is_on)
        watch_everything(w, options);
    failure = start_thread(w);
    if (failure) {
        err_set_errno(err, ERR_IO, failure, "watching for changes");
        destroy(w);
        return NULL;
    }
    return w;
}

void
store_watch_poke(struct store_watch *w)
{
    uint64_t one = 1;
    ssize_t written;

    atomic_store(&w->is_poked, true);
    written = write(w->wake, &one, sizeof(one));
    (void)written;                    /* EAGAIN: it is awake already */
}

void
store_watch_stop(struct store_watch *w)
{
    if (!w)
        return;
    w->is_stopping = true;
    store_watch_poke(w);
    pthread_join(w->thread, NULL);
    destroy(w);
}
