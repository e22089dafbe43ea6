/* log_sink.c: lines from many workers to a few descriptors, by one thread.
 *
 *     worker: give --> pending (one buffer, whole lines) --> thread: swaps it for an empty one, writes to each target
 * Locking:    lock covers pending and what stands beside it. Targets are the thread's, but for their descriptors' files,
 *             which reopen() changes under their numbers.
 * Invariants: G1  n_pending is the number of line ends in pending, at most n_max.
 *             G2  idle is signalled whenever n_done has grown.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define GATHER_MS 10                  /* rows of that long go out together */
#define PATIENCE_MS 1000              /* with a reader that takes nothing, before rows are lost */
#define KEEP_BYTES ((size_t)1 << 20)
#define SYSLOG_PATH "/dev/log"
#define SYSLOG_HEAD "<134>headgate: "  /* local0, informational */
#define SYSLOG_MAX 65000              /* of one datagram */

struct sink_target {
    enum log_sink_kind kind;
    int fd;                           /* -1: a syslog that nobody listens at, a file that cannot be opened; tried again */
    char *path;                       /* NULL: standard output */
    bool is_socket;
    bool is_late;                     /* a file that could not be opened at the start: the thread does it, and reopens it when */
    _Atomic bool wants_new;           /* somebody says so here */
};

struct log_sink {
    struct sink_target *targets;
    uint32_t n_targets, n_max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    bool is_started, is_ending;
    uint32_t n_hurried;               /* who waits in flush: no gathering */
    struct buf pending;
    uint32_t n_pending;
    uint64_t n_given, n_done;         /* rows taken from workers, and those of them that are written or lost */
    uint64_t n_written, n_lost;
};

/* ---- targets ---- */

static int
open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

/* Ours alone, where the system lets us have it: others who hold the same descriptor keep their way of writing. A plain file is
 * shared with them, place included, since `>FILE 2>&1` is how people keep rows and messages together. */
static int
open_stdout(bool *ret_is_socket)
{
    struct stat st;
    bool is_known = fstat(STDOUT_FILENO, &st) == 0;
    int fd;

    *ret_is_socket = is_known && S_ISSOCK(st.st_mode);
    fd = *ret_is_socket || (is_known && S_ISREG(st.st_mode)) ? -1 : open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int
open_syslog(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool
target_open(struct sink_target *t, const struct log_sink_options *o, struct err *err)
{
    *t = (struct sink_target){.kind = (enum log_sink_kind)o->kind, .fd = -1};
    switch (t->kind) {
    case LOG_SINK_STDOUT:
        t->fd = open_stdout(&t->is_socket);
        break;
    case LOG_SINK_FILE:
        if (!o->path.len)
            return err_set(err, ERR_INVALID, "gateway-log: a sink of kind file needs a path");
        t->path = xstrndup(o->path.p, o->path.len);
        t->fd = open_file(t->path);
        break;
    case LOG_SINK_SYSLOG:
        t->path = o->path.len ? xstrndup(o->path.p, o->path.len) : xstrndup(SYSLOG_PATH, strlen(SYSLOG_PATH));
        t->fd = open_syslog(t->path);
        return true;                  /* may come later */
    }
    return t->fd >= 0 || err_set_errno(err, ERR_IO, errno, "gateway log %s", t->path ? t->path : "on standard output");
}

static ssize_t
write_some(const struct sink_target *t, const char *p, size_t n)
{
    return t->is_socket ? send(t->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(t->fd, p, n);
}

/* How much of the lines the target took. */
static size_t
write_lines(const struct sink_target *t, struct str lines)
{
    size_t done = 0;

    while (done < lines.len) {
        ssize_t n = write_some(t, lines.p + done, lines.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = t->fd, .events = POLLOUT};
            if (poll(&p, 1, PATIENCE_MS) == 1)
                continue;
        }
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static uint32_t
count_lines(struct str lines)
{
    uint32_t n = 0;

    for (const char *p = lines.p, *end = p + lines.len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    return n;
}

/* Rows lost. */
static uint32_t
write_stream(struct sink_target *t, struct str lines)
{
    size_t done;

    if (t->is_late && atomic_exchange(&t->wants_new, false) && t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
    if (t->fd < 0)
        t->fd = open_file(t->path);
    done = t->fd < 0 ? 0 : write_lines(t, lines);
    if (done && done < lines.len && lines.p[done - 1] != '\n')
        write_lines(t, STR("\n"));     /* the line cut in two stays one bad line */
    return count_lines(str_skip(lines, done));
}

/* One datagram a row. */
static uint32_t
write_syslog(struct sink_target *t, struct str lines)
{
    struct buf one AUTO(buf_destroy) = BUF_INIT;
    struct str row;
    uint32_t lost = 0;

    while (str_split_next(&lines, '\n', &row) && row.len) {
        buf_clear(&one);
        buf_add_lit(&one, SYSLOG_HEAD);
        buf_add_str(&one, str_sub(row, 0, SYSLOG_MAX));
        if (t->fd < 0)
            t->fd = open_syslog(t->path);
        if (t->fd >= 0 && write_lines(t, buf_str(&one)) == one.len)
            continue;
        lost++;
        if (t->fd >= 0 && errno != EAGAIN) {  /* gone: a new one may be there */
            close(t->fd);
            t->fd = -1;
        }
    }
    return lost;
}

/* ---- the thread ---- */

static void
gather(struct log_sink *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GATHER_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!s->n_hurried && !s->is_ending && pthread_cond_timedwait(&s->work, &s->lock, &until) == 0)
        continue;
}

static void
write_all(struct log_sink *s, struct str lines, uint32_t n_rows)
{
    uint64_t lost = 0;

    for (uint32_t i = 0; i < s->n_targets; i++) {
        struct sink_target *t = &s->targets[i];
        lost += t->kind == LOG_SINK_SYSLOG ? write_syslog(t, lines) : write_stream(t, lines);
    }
    pthread_mutex_lock(&s->lock);
    s->n_lost += lost;
    s->n_written += n_rows - MIN(lost / s->n_targets, (uint64_t)n_rows);
    s->n_done += n_rows;
    pthread_cond_broadcast(&s->idle); /* G2 */
    pthread_mutex_unlock(&s->lock);
}

static void *
run(void *arg)
{
    struct log_sink *s = arg;
    struct buf taken AUTO(buf_destroy) = BUF_INIT, swap;
    uint32_t n_rows;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->n_pending && !s->is_ending)
            pthread_cond_wait(&s->work, &s->lock);
        if (!s->n_pending)
            break;
        gather(s);
        swap = taken;
        taken = s->pending;
        s->pending = swap;
        n_rows = s->n_pending;
        s->n_pending = 0;
        pthread_mutex_unlock(&s->lock);
        write_all(s, str_from(taken.p, taken.len), n_rows);
        if (taken.cap > KEEP_BYTES)
            buf_destroy(&taken);
        buf_clear(&taken);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- for everybody ---- */

bool
log_sink_open(const struct gateway_log_options *o, bool goes_on, struct log_sink **ret, struct err *err)
{
    static const struct log_sink_options standard = {.kind = LOG_SINK_STDOUT};
    const struct log_sink_options *targets = o->n_sinks ? o->sinks : &standard;
    struct log_sink *s = xnew(struct log_sink);

    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->idle, NULL);
    s->n_max = o->queue_rows;
    s->targets = xnew_array(struct sink_target, o->n_sinks ? o->n_sinks : 1);
    for (uint32_t i = 0; i < MAX(o->n_sinks, 1u); i++) {
        s->n_targets++;
        if (target_open(&s->targets[i], &targets[i], err))
            continue;
        if (!goes_on || !s->targets[i].path) {
            log_sink_close(s);
            return false;
        }
        s->targets[i].is_late = true;
        log_warn("%s, trying again with each row", err->text);
    }
    *ret = s;
    return true;
}

bool
log_sink_reopen(struct log_sink *s, struct err *err)
{
    bool ok = true;

    for (uint32_t i = 0; i < s->n_targets; i++) {
        struct sink_target *t = &s->targets[i];
        int fd;

        atomic_store(&t->wants_new, true);
        if (t->kind != LOG_SINK_FILE || t->is_late)
            continue;
        fd = open_file(t->path);
        /* The number stays, so that a write under way is never left with a closed one. */
        if (fd < 0 || dup3(fd, t->fd, O_CLOEXEC) < 0)
            ok = err_set_errno(err, ERR_IO, errno, "gateway log %s", t->path);
        if (fd >= 0)
            close(fd);
    }
    return ok;
}

/* Under the lock. */
static bool
start_thread(struct log_sink *s)
{
    if (!s->is_started)
        s->is_started = pthread_create(&s->thread, NULL, run, s) == 0;
    return s->is_started;
}

void
log_sink_give(struct log_sink *s, struct buf *lines, uint32_t n_rows)
{
    struct buf swap;

    pthread_mutex_lock(&s->lock);
    s->n_given += n_rows;
    if (s->n_pending + n_rows > s->n_max || !start_thread(s)) {
        s->n_lost += n_rows;
        s->n_done += n_rows;
    } else if (!s->n_pending) {
        swap = s->pending;
        s->pending = *lines;
        *lines = swap;
        s->n_pending = n_rows;
        pthread_cond_signal(&s->work);
    } else {
        buf_add_str(&s->pending, str_from(lines->p, lines->len));
        s->n_pending += n_rows;
    }
    pthread_mutex_unlock(&s->lock);
    buf_clear(lines);
}

void
log_sink_flush(struct log_sink *s)
{
    uint64_t given;

    pthread_mutex_lock(&s->lock);
    given = s->n_given;
    s->n_hurried++;
    pthread_cond_signal(&s->work);
    while (s->n_done < given)
        pthread_cond_wait(&s->idle, &s->lock);
    s->n_hurried--;
    pthread_mutex_unlock(&s->lock);
}

void
log_sink_count(struct log_sink *s, uint64_t *ret_written, uint64_t *ret_lost)
{
    pthread_mutex_lock(&s->lock);
    *ret_written = s->n_written;
    *ret_lost = s->n_lost;
    pthread_mutex_unlock(&s->lock);
}

void
log_sink_close(struct log_sink *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    if (s->is_started)
        pthread_join(s->thread, NULL);
    for (uint32_t i = 0; i < s->n_targets; i++) {
        if (s->targets[i].fd >= 0)
            close(s->targets[i].fd);
        free(s->targets[i].path);
    }
    buf_destroy(&s->pending);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->lock);
    free(s->targets);
    free(s);
}
