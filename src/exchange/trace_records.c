/* trace_records.c: the lines of a request's trace as the gateway log's column TraceRecords.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/exchange.h"

#define RECORDS_BYTES_MAX ((size_t)32 << 10)  /* what does not fit is counted in a last record */

static const char *const severities[] = {[TRACE_VERBOSE] = "verbose", [TRACE_INFORMATION] = "information", [TRACE_ERROR] = "error"};

static void
add_member(struct buf *to, const char *name, struct str value)
{
    buf_printf(to, ",\"%s\":\"", name);
    buf_add_json_escaped(to, value);
    buf_add_char(to, '"');
}

static void
add_metadata(struct buf *to, const struct trace_line *t)
{
    buf_add_lit(to, ",\"metadata\":{");
    for (uint32_t i = 0; i < t->n_metadata; i++) {
        buf_add_str(to, i ? STR(",\"") : STR("\""));
        buf_add_json_escaped(to, t->metadata[i].name);
        buf_add_lit(to, "\":\"");
        buf_add_json_escaped(to, t->metadata[i].value);
        buf_add_char(to, '"');
    }
    buf_add_char(to, '}');
}

static void
add_record(struct buf *to, const struct exchange *ex, const struct trace_line *t)
{
    uint64_t elapsed_ns = t->at_ns > ex->times.start_ns ? t->at_ns - ex->times.start_ns : 0;

    buf_printf(to, "%s{\"elapsed\":%" PRIu64 ",\"severity\":\"%s\"", to->len > 1 ? "," : "", elapsed_ns / 1000000, severities[t->severity]);
    add_member(to, "source", t->source);
    add_member(to, "message", t->message);
    if (t->n_metadata)
        add_metadata(to, t);
    buf_add_char(to, '}');
}

struct str
exchange_trace_json(const struct exchange *ex)
{
    struct buf b = buf_in(ex->arena);
    const struct trace_line *t = ex->traces;
    uint32_t left = 0;

    if (!t)
        return STR_NONE;
    buf_add_char(&b, '[');
    for (; t; t = t->next) {
        size_t before = b.len;

        add_record(&b, ex, t);
        if (b.failed || b.len > RECORDS_BYTES_MAX)
            b.len = before;
        left += b.len == before;
        b.failed = false;
    }
    if (left)
        buf_printf(&b, "%s{\"severity\":\"information\",\"source\":\"gateway\",\"message\":\"%" PRIu32 " more records\"}", b.len > 1 ? "," : "", left);
    buf_add_char(&b, ']');
    return buf_str(&b);
}
