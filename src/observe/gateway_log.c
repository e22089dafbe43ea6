/* gateway_log.c: rows as JSON lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/gateway_log.h"

#include <time.h>

#define LINES_FLUSH_AT ((size_t)32 << 10)

void
gateway_log_create(struct gateway_log *log, struct log_sink *sink, const struct gateway_log_options *o, struct rand *rand)
{
    *log = (struct gateway_log){.sink = sink, .rand = rand, .sampling = o->sampling / 100, .keeps_errors = o->always_log_errors};
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
    if (!log->sink)
        return false;
    return (!is_success && log->keeps_errors) || log->sampling >= 1 || rand_unit(log->rand) < log->sampling;
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

static bool
is_in(const struct str_list *list, struct str name)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (str_eq_nocase(list->v[i], name))
            return true;
    return false;
}

/* What proves who somebody is: never in a log, whatever is configured (robustness G11). */
static bool
is_secret(struct str name)
{
    static const struct str names[] = {
        STR_INIT("authorization"), STR_INIT("proxy-authorization"), STR_INIT("cookie"), STR_INIT("set-cookie"),
        STR_INIT("ocp-apim-subscription-key"), STR_INIT("api-key"), STR_INIT("x-api-key"), STR_INIT("x-functions-key"),
        STR_INIT("apim-debug-authorization"), STR_INIT("headgate-explain")};

    return is_in(&(struct str_list){names, COUNTOF(names)}, name);
}

struct str
gateway_log_headers(struct arena *a, const struct http_headers *h, const struct str_list *names, const struct str_list *masked,
                    struct str key)
{
    struct buf b = buf_in(a);

    for (uint32_t i = 0; i < names->n; i++) {
        struct str name = names->v[i], value = http_headers_get_joined(h, name);
        if (!value.p)
            continue;
        buf_add_str(&b, b.len ? STR(",\"") : STR("{\""));
        buf_add_json_escaped(&b, name);
        buf_add_str(&b, STR("\":\""));
        buf_add_json_escaped(&b, is_secret(name) || is_in(masked, name) || str_eq_nocase(name, key) ? STR("***") : value);
        buf_add_char(&b, '"');
    }
    if (!b.len)
        return STR_NONE;
    buf_add_char(&b, '}');
    return buf_str(&b);
}

void
gateway_log_flush(struct gateway_log *log)
{
    if (!log->rows_waiting)
        return;
    log_sink_give(log->sink, &log->lines, log->rows_waiting);
    log->rows_waiting = 0;
}
