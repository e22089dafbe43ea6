/* log.c: one write(2) a line, so that lines of several threads do not mix.
 *
 * Who reads standard error may have stopped reading, and a full pipe holds up whoever writes to it: a worker with all its
 * connections, or the master, which then starts nothing any more. So each write first asks whether there is room, and lines
 * that find none are lost and counted; the next one that gets through says how many.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define PATIENCE_MS 1000             /* of those who may wait, with a reader that is slow */

/* The log sink is one of the exceptions to "no mutable globals" (style, section 13). */
static struct {
    enum log_level min;
    bool is_json;
    pthread_mutex_t lock;            /* from asking for room to using it; nobody waits while holding it */
    uint32_t n_lost;                 /* lines, under the lock */
} sink = {.min = LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void
log_configure(enum log_level min, bool is_json)
{
    sink.min = min;
    sink.is_json = is_json;
}

bool
log_is_on(enum log_level level)
{
    return level >= sink.min;
}

static void
add_time(struct buf *line)
{
    uint64_t ns = clock_wall_ns(NULL);
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    buf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ns / 1000000u % 1000u));
}

static void
add_line(struct buf *line, enum log_level level, struct str text)
{
    if (sink.is_json)
        buf_add_lit(line, "{\"time\":\"");
    add_time(line);
    if (sink.is_json) {
        buf_printf(line, "\",\"level\":\"%s\",\"message\":\"", level_names[level]);
        buf_add_json_escaped(line, text);
        buf_add_lit(line, "\"}\n");
    } else {
        buf_printf(line, " %s: ", level_names[level]);
        for (size_t i = 0; i < text.len; i++) /* control bytes would forge lines */
            buf_add_char(line, (unsigned char)text.p[i] < 0x20 ? ' ' : text.p[i]);
        buf_add_char(line, '\n');
    }
}

/* At most PIPE_BUF bytes: a pipe that has room at all takes that much whole. False: no room within so long. */
static bool
write_piece(const char *p, size_t n, int patience_ms)
{
    struct pollfd f = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&f, 1, patience_ms) == 0)
        return false;
    if (send(STDERR_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return true;
    if (errno == ENOTSOCK)
        return write(STDERR_FILENO, p, n) >= 0 || errno != EAGAIN;
    return errno != EAGAIN; /* whatever else it is: nowhere left to say so */
}

static bool
write_text(struct str text, int patience_ms)
{
    for (struct str piece; text.len; text = str_skip(text, piece.len)) {
        piece = str_sub(text, 0, MIN(text.len, (size_t)PIPE_BUF));
        if (!write_piece(piece.p, piece.len, patience_ms))
            return false;
    }
    return true;
}

/* Under the lock. */
static void
say_what_was_lost(void)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT, line AUTO(buf_destroy) = BUF_INIT;

    buf_printf(&text, "%" PRIu32 " lines before this one were lost, as nobody read them", sink.n_lost);
    add_line(&line, LOG_WARN, buf_str(&text));
    if (write_text(buf_str(&line), 0))
        sink.n_lost = 0;
}

void
log_at(enum log_level level, const char *fmt, ...)
{
    struct buf line AUTO(buf_destroy) = BUF_INIT, text AUTO(buf_destroy) = BUF_INIT;
    va_list ap;

    if (!log_is_on(level))
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    add_line(&line, level, buf_str(&text));
    pthread_mutex_lock(&sink.lock);
    if (sink.n_lost)
        say_what_was_lost();
    if (sink.n_lost || !write_text(buf_str(&line), 0))
        sink.n_lost++;
    pthread_mutex_unlock(&sink.lock);
}

void
log_text(struct str lines)
{
    if (write_text(lines, PATIENCE_MS))
        return;
    pthread_mutex_lock(&sink.lock);
    sink.n_lost++;
    pthread_mutex_unlock(&sink.lock);
}
