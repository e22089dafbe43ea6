/* gateway_log.c: rows as JSON lines into a file or standard output.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/gateway_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINES_FLUSH_AT ((size_t)32 << 10)

struct log_sink {
    _Atomic int fd;                   /* -1: none */
    char *path;                       /* NULL: standard output, or none */
    uint32_t sample_percent;
};

static int
open_for_append(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

bool
log_sink_open(struct str target, uint32_t sample_percent, struct log_sink **ret, struct err *err)
{
    struct log_sink *s = xnew(struct log_sink);

    s->sample_percent = sample_percent;
    s->fd = -1;
    if (str_eq_lit(target, "stdout")) {
        s->fd = STDOUT_FILENO;
    } else if (!str_eq_lit(target, "none")) {
        s->path = xstrndup(target.p, target.len);
        s->fd = open_for_append(s->path);
        if (s->fd < 0) {
            err_set_errno(err, ERR_IO, errno, "gateway log %s", s->path);
            log_sink_close(s);
            return false;
        }
    }
    *ret = s;
    return true;
}

bool
log_sink_reopen(struct log_sink *s, struct err *err)
{
    int fd, old;

    if (!s->path)
        return true;
    fd = open_for_append(s->path);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "gateway log %s", s->path);
    /* The number stays, so that a worker in the middle of a write is never left with a closed one. */
    old = atomic_load(&s->fd);
    if (dup3(fd, old, O_CLOEXEC) < 0) {
        int failure = errno;
        close(fd);
        return err_set_errno(err, ERR_IO, failure, "gateway log %s", s->path);
    }
    close(fd);
    return true;
}

void
log_sink_close(struct log_sink *s)
{
    if (!s)
        return;
    if (s->path && s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
}

void
gateway_log_create(struct gateway_log *log, struct log_sink *sink, struct rand *rand)
{
    *log = (struct gateway_log){.sink = sink, .rand = rand};
}

void
gateway_log_destroy(struct gateway_log *log)
{
    if (!log->sink)
        return;
    gateway_log_flush(log);
    buf_destroy(&log->lines);
}

bool
gateway_log_wants(struct gateway_log *log, bool is_success)
{
    if (!log->sink || log->sink->fd < 0)
        return false;
    return !is_success || log->sink->sample_percent >= 100 || rand_below(log->rand, 100) < log->sink->sample_percent;
}

static void
add_name(struct buf *to, const char *name)
{
    buf_add_char(to, to->len && to->p[to->len - 1] != '\n' ? ',' : '{');
    buf_add_char(to, '"');
    buf_add(to, name, strlen(name));
    buf_add_lit(to, "\":");
}

static void
add_text(struct buf *to, const char *name, struct str value)
{
    if (!value.len)
        return;
    add_name(to, name);
    buf_add_char(to, '"');
    buf_add_json_escaped(to, value);
    buf_add_char(to, '"');
}

static void
add_raw(struct buf *to, const char *name, struct str value)
{
    if (!value.len)
        return;
    add_name(to, name);
    buf_add_str(to, value);
}

static void
add_number(struct buf *to, const char *name, uint64_t value)
{
    add_name(to, name);
    buf_add_u64(to, value);
}

static void
add_sparse(struct buf *to, const char *name, uint64_t value)
{
    if (value)
        add_number(to, name, value);
}

static void
add_truth(struct buf *to, const char *name, bool value)
{
    add_name(to, name);
    buf_add_str(to, value ? STR("true") : STR("false"));
}

static void
add_time(struct buf *to, const char *name, uint64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    add_name(to, name);
    buf_printf(to, "\"%04d-%02d-%02dT%02d:%02d:%02d.%07uZ\"", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
               tm.tm_min, tm.tm_sec, (unsigned)(ns % 1000000000u / 100));
}

void
gateway_log_add(struct gateway_log *log, struct log_row *row)
{
    struct buf *to = &log->lines;

    row->operation_name_constant = STR("Microsoft.ApiManagement/GatewayLogs");
    row->category_constant = STR("GatewayLogs");
#define TEXT(name, value) add_text(to, name, value)
#define RAW(name, value) add_raw(to, name, value)
#define TIME(name, value) add_time(to, name, value)
#define NUMBER(name, value) add_number(to, name, value)
#define SPARSE(name, value) add_sparse(to, name, value)
#define TRUTH(name, value) add_truth(to, name, value)
#define COLUMN(name, type, field) type(#name, row->field);
#include "observe/log_columns.def"
#undef COLUMN
    buf_add_lit(to, "}\n");
    log->rows_waiting++;
    if (to->len >= LINES_FLUSH_AT)
        gateway_log_flush(log);
}

/* How much of the lines the sink took; a sink that cannot take more now, or fails, ends it. */
static size_t
write_lines(int fd, struct str lines)
{
    size_t done = 0;

    while (done < lines.len) {
        ssize_t n = write(fd, lines.p + done, lines.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            if (poll(&p, 1, 1) == 1) /* a reader that is only a little late */
                continue;
        }
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

void
gateway_log_flush(struct gateway_log *log)
{
    size_t done;
    uint32_t lost = 0;

    if (!log->lines.len)
        return;
    done = write_lines(log->sink->fd, str_from(log->lines.p, log->lines.len));
    for (size_t i = done; i < log->lines.len; i++)
        lost += log->lines.p[i] == '\n';
    log->rows_dropped += lost;
    log->rows_written += log->rows_waiting - lost;
    log->rows_waiting = 0;
    if (done && done < log->lines.len && log->lines.p[done - 1] != '\n')
        write_lines(log->sink->fd, STR("\n")); /* the line cut in two stays one bad line */
    buf_clear(&log->lines);
}
