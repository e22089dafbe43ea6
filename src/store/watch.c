/* watch.c: word of changes, by inotify, from a thread of its own.
 *
 *     event -> "dirty", quiet for settle_ms -> all taken up again where names have changed -> changed(ctx) -> ...
 *
 * Every directory of the artifacts folder is watched, but for what the gateway itself writes there (own_files.c), and the
 * folders of headgate.yaml, users.yaml and the files that they name; events about other files there are dropped by name. Which
 * these are the loads tell, while they read (store_files), so that what only a later headgate.yaml names is watched as well. What the kernel watches is a directory and not its name, so
 * that each name on the way to one counts, too, where another could be put in its place: the folder's own, and symbolic
 * links, however many lie behind each other (a mounted ConfigMap changes by a new link `..data`). After events that tell of
 * names everything is looked up anew, and what was not met again is not watched any more. New directories are watched as
 * they appear. Editors and `git checkout` write many files: a change is told once it has been quiet for settle_ms, but at
 * the latest after four times that.
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
#include "store/loader.h"

#define WATCHED_EVENTS \
    (IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
#define NAME_EVENTS (WATCHED_EVENTS & ~IN_CLOSE_WRITE)
#define FOLDER_DEPTH_MAX 12
#define LINKS_MAX 40                  /* as the kernel has it */
#define LATEST_FACTOR 4

/* One watched directory. In one that belongs to the tree every name counts, in any the listed ones. */
struct watched {
    int descriptor;                   /* of inotify: one for each directory, whatever its paths */
    uint32_t round;                   /* when it was met last */
    char *path;
    bool is_tree;
    struct map names;
};

/* Files that loads have told of, each with the number of the last load that did. The lock covers the folders of the watch, too. */
struct store_files {
    pthread_mutex_t lock;
    struct map names;
    uintptr_t load;
    struct store_watch *watch;        /* NULL before and after */
};

struct store_watch {
    pthread_t thread;
    bool is_started;
    int inotify, wake;                /* wake: an eventfd */
    _Atomic bool is_stopping, is_poked;
    void (*changed)(void *ctx);
    void *ctx;
    uint64_t settle_ms;
    const struct options *options;
    struct store_files *files;
    char *root;                       /* the artifacts folder, or NULL */
    /* files->lock covers: */
    struct map folders;               /* struct watched by descriptor */
    uint32_t round;                   /* of looking everything up */
    bool is_stale;                    /* names have changed since */
    bool is_full;                     /* told once that watches ran out */
};

/* ---- what is watched ---- */

static struct str
key_of(const int *descriptor)
{
    return str_from((const char *)descriptor, sizeof(*descriptor));
}

static struct watched *
find_folder(const struct store_watch *w, int descriptor)
{
    return map_get(&w->folders, key_of(&descriptor));
}

static void
free_folder(struct watched *f)
{
    map_destroy(&f->names);
    free(f->path);
    free(f);
}

/* As first met in this round: where it is now, and nothing yet that counts in it. */
static void
meet_again(struct store_watch *w, struct watched *f, const char *path)
{
    free(f->path);
    map_destroy(&f->names);
    f->path = xstrndup(path, strlen(path));
    f->names = MAP_INIT;
    f->is_tree = false;
    f->round = w->round;
}

/* NULL when it cannot be watched. */
static struct watched *
watch_folder(struct store_watch *w, const char *path)
{
    int descriptor = inotify_add_watch(w->inotify, path, WATCHED_EVENTS | IN_ONLYDIR);
    struct watched *f;

    if (descriptor < 0) {
        if (errno == ENOSPC && !w->is_full)
            log_warn("watch: no more inotify watches (fs.inotify.max_user_watches); changes below %s are seen with SIGHUP",
                     path);
        w->is_full = w->is_full || errno == ENOSPC;
        return NULL;
    }
    if (!(f = find_folder(w, descriptor))) {
        f = xnew(struct watched);
        f->descriptor = descriptor;
        map_set(&w->folders, key_of(&f->descriptor), f);
    }
    if (f->round != w->round)
        meet_again(w, f, path);
    return f;
}

/* The name counts in its folder; where that is not there, its own name does. */
static void
watch_name(struct store_watch *w, struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    char *folder = slash < 0 ? xstrndup(".", 1) : xstrndup(path.p, MAX((size_t)slash, (size_t)1));
    struct watched *f = watch_folder(w, folder);

    if (f)
        map_set_copy(&f->names, str_skip(path, (size_t)(slash + 1)), f);
    else if (slash > 0)
        watch_name(w, str_sub(path, 0, (size_t)slash));
    free(folder);
}

/* Where a link leads, with the rest of the path behind it. False when it is none. */
static bool
read_link(struct str link, struct str rest, struct buf *ret)
{
    char target[4096], path[4096];
    ptrdiff_t slash = str_rfind_char(link, '/');
    ssize_t n;

    if (!link.len || link.len >= sizeof(path))
        return false;
    memcpy(path, link.p, link.len);
    path[link.len] = 0;
    if ((n = readlink(path, target, sizeof(target))) <= 0)
        return false;
    if (target[0] != '/' && slash >= 0)
        buf_add_str(ret, str_sub(link, 0, (size_t)slash + 1));
    buf_printf(ret, "%.*s%.*s", (int)n, target, STR_ARG(rest));
    return true;
}

/* Watches each name on the way to a file or folder that could come to stand for another: links, and its own. */
static void
watch_way(struct store_watch *w, struct str path, int links)
{
    struct buf next = BUF_INIT;
    bool is_link = false;

    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    if (!path.len || links > LINKS_MAX)
        return;
    for (size_t end = 1; end <= path.len && !is_link; end++) {
        struct str part = str_sub(path, 0, end);
        if (end < path.len && path.p[end] != '/')
            continue;
        if ((is_link = read_link(part, str_skip(path, end), &next)))
            watch_name(w, part);
    }
    if (is_link)
        watch_way(w, buf_str(&next), links + 1);
    else
        watch_name(w, path);
    buf_destroy(&next);
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
    struct watched *f = depth > FOLDER_DEPTH_MAX ? NULL : watch_folder(w, path);
    struct dirent *e;
    DIR *dir;

    if (!f || f->is_tree)
        return;                          /* a link leads back here */
    f->is_tree = true;
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        struct buf below = BUF_INIT;

        if (e->d_name[0] == '.' || own_files_write(w->options, path, str_from_c(e->d_name)))
            continue;
        buf_printf(&below, "%s/%s", path, e->d_name);
        if (e->d_type == DT_LNK)
            watch_way(w, buf_str(&below), 0);
        if (is_folder_at(buf_str(&below).p, e))
            watch_tree(w, buf_str(&below).p, depth + 1);
        buf_destroy(&below);
    }
    if (dir)
        closedir(dir);
}

static void
watch_file(struct store_watch *w, struct str path)
{
    watch_way(w, path, 0);
}

static void
watch_everything(struct store_watch *w)
{
    const struct options *o = w->options;

    if (w->root) {
        watch_file(w, str_from_c(w->root));
        watch_tree(w, w->root, 0);
    }
    watch_file(w, o->config_path);
    watch_file(w, o->users);
    for (struct map_entry *e = map_next(&w->files->names, NULL); e; e = map_next(&w->files->names, e))
        watch_file(w, e->key);
    for (uint32_t i = 0; i < o->n_listeners; i++) {
        for (uint32_t k = 0; k < o->listeners[i].tls.n_certificates; k++) {
            watch_file(w, o->listeners[i].tls.certificates[k].certificate);
            watch_file(w, o->listeners[i].tls.certificates[k].key);
            watch_file(w, o->listeners[i].tls.certificates[k].client_ca);
        }
        watch_file(w, o->listeners[i].tls.client_ca);
    }
}

/* Looks everything up, and lets go of what is not there any more. */
static void
take_up(struct store_watch *w)
{
    VEC(struct watched *) old = {0};

    pthread_mutex_lock(&w->files->lock);
    w->is_stale = false;
    w->round++;
    watch_everything(w);
    for (struct map_entry *e = map_next(&w->folders, NULL); e; e = map_next(&w->folders, e))
        if (((struct watched *)e->value)->round != w->round)
            *vec_push(&old) = e->value;
    for (size_t i = 0; i < old.n; i++) {
        inotify_rm_watch(w->inotify, old.v[i]->descriptor);
        map_remove(&w->folders, key_of(&old.v[i]->descriptor));
        free_folder(old.v[i]);
    }
    vec_free(&old);
    pthread_mutex_unlock(&w->files->lock);
}

/* ---- files that loads tell of ---- */

struct store_files *
store_files_new(void)
{
    struct store_files *f = xnew(struct store_files);

    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void
store_files_begin(struct store_files *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->load++;
    pthread_mutex_unlock(&f->lock);
}

void
store_files_add(struct store_files *f, struct str path)
{
    if (!f || !path.len)
        return;
    pthread_mutex_lock(&f->lock);
    if (!map_has(&f->names, path) && f->watch)
        watch_file(f->watch, path);
    map_set_copy(&f->names, path, (void *)f->load);
    pthread_mutex_unlock(&f->lock);
}

void
store_files_end(struct store_files *f, bool is_good)
{
    struct map newest = MAP_INIT;

    if (!f || !is_good)
        return;
    pthread_mutex_lock(&f->lock);
    for (struct map_entry *e = map_next(&f->names, NULL); e; e = map_next(&f->names, e))
        if (e->value == (void *)f->load)
            map_set_copy(&newest, e->key, e->value);
    map_destroy(&f->names);
    f->names = newest;
    pthread_mutex_unlock(&f->lock);
}

void
store_files_delete(struct store_files *f)
{
    if (!f)
        return;
    map_destroy(&f->names);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void
tell_files(struct store_files *f, struct store_watch *w)
{
    pthread_mutex_lock(&f->lock);
    f->watch = w;
    pthread_mutex_unlock(&f->lock);
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
    if (!folder || (e->mask & IN_IGNORED))
        return false;
    counts = !name.len || map_has(&folder->names, name) ||
             (folder->is_tree && name_counts(name) && !own_files_write(w->options, folder->path, name));
    if (counts && name.len && folder->is_tree && (e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO))) {
        buf_printf(&path, "%s/%.*s", folder->path, STR_ARG(name));
        watch_tree(w, buf_str(&path).p, 1);
        buf_destroy(&path);
    }
    return counts;
}

static void
forget_folder(struct store_watch *w, int descriptor)
{
    struct watched *folder = map_remove(&w->folders, key_of(&descriptor));

    if (folder)
        free_folder(folder);
}

/* Reads what the kernel has; true when any of it counts. */
static bool
read_events(struct store_watch *w)
{
    _Alignas(struct inotify_event) char room[16384];
    bool any = false;
    ssize_t n;

    while ((n = read(w->inotify, room, sizeof(room))) > 0) {
        pthread_mutex_lock(&w->files->lock);
        for (char *p = room; p < room + n;) {
            const struct inotify_event *e = (const struct inotify_event *)p;

            if (event_counts(w, e)) {
                any = true;
                w->is_stale = w->is_stale || (e->mask & (NAME_EVENTS | IN_Q_OVERFLOW | IN_UNMOUNT));
            }
            if (e->mask & IN_IGNORED)
                forget_folder(w, e->wd);
            p += sizeof(*e) + e->len;
        }
        pthread_mutex_unlock(&w->files->lock);
    }
    return any;
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
        if (was_poked(w)) {
            w->is_stale = true;
            return !w->is_stopping;
        }
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

    while (wait_for_change(w)) {
        if (w->is_stale)
            take_up(w);
        w->changed(w->ctx);
    }
    return NULL;
}

/* ---- the calls ---- */

static void
destroy(struct store_watch *w)
{
    tell_files(w->files, NULL);
    if (w->inotify >= 0)
        close(w->inotify);
    if (w->wake >= 0)
        close(w->wake);
    for (struct map_entry *e = map_next(&w->folders, NULL); e; e = map_next(&w->folders, e))
        free_folder(e->value);
    map_destroy(&w->folders);
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
store_watch_new(const struct options *options, struct store_files *files, void (*changed)(void *ctx), void *ctx, struct err *err)
{
    struct store_watch *w = xnew(struct store_watch);

    w->changed = changed;
    w->ctx = ctx;
    w->options = options;
    w->files = files;
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
    tell_files(files, w);
    take_up(w);
    return w;
}

bool
store_watch_start(struct store_watch *w, struct err *err)
{
    int failure = start_thread(w);

    w->is_started = failure == 0;
    return w->is_started || err_set_errno(err, ERR_IO, failure, "watching for changes");
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
    if (w->is_started)
        pthread_join(w->thread, NULL);
    destroy(w);
}
