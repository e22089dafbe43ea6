/* log.c: one write(2) a line, so that lines of several threads do not mix.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

/* The log sink is one of the exceptions to "no mutable globals" (style, section 13). */
static struct {
    enum log_level min;
    bool is_json;
} sink = {.min = LOG_INFO};

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

void
log_at(enum log_level level, const char *fmt, ...)
{
    struct buf line AUTO(buf_destroy) = BUF_INIT, text AUTO(buf_destroy) = BUF_INIT;
    va_list ap;
    struct str s;

    if (!log_is_on(level))
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    s = buf_str(&text);
    if (sink.is_json)
        buf_add_lit(&line, "{\"time\":\"");
    add_time(&line);
    if (sink.is_json) {
        buf_printf(&line, "\",\"level\":\"%s\",\"message\":\"", level_names[level]);
        buf_add_json_escaped(&line, s);
        buf_add_lit(&line, "\"}\n");
    } else {
        buf_printf(&line, " %s: ", level_names[level]);
        for (size_t i = 0; i < s.len; i++) /* control bytes would forge lines */
            buf_add_char(&line, (unsigned char)s.p[i] < 0x20 ? ' ' : s.p[i]);
        buf_add_char(&line, '\n');
    }
    if (write(STDERR_FILENO, line.p, line.len) < 0)
        return; /* nowhere left to say so */
}
