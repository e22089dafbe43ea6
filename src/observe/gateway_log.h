/* gateway_log.h: one JSON line a request, columns named as ApiManagementGatewayLogs (log_columns.def).
 *
 * Each worker fills its own buffer; it is written when it is full or by gateway_log_flush() at the end of a loop turn, with
 * one write(2) of whole lines, so that lines of workers do not mix. A sink that fails loses rows, never requests: they are
 * counted, and the next row tries again.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"

/* What is known of one request. Views are the exchange's; nothing is kept after gateway_log_add(). */
struct log_row {
    uint64_t time_ns;                 /* wall clock at the request's head */
    struct str operation_name_constant, category_constant; /* filled in by gateway_log_add() */
    struct str request_id, region, caller_address, method, url, client_protocol, client_tls_version, cache;
    struct str api_id, api_revision, operation_id, product_id, subscription_id, user_id, workspace_id;
    struct str backend_id, backend_method, backend_url, backend_protocol;
    struct str last_error_source, last_error_reason, last_error_message, last_error_scope, last_error_section;
    struct str trace_records_json;    /* a JSON array as text, or STR_NONE */
    struct str traceparent;
    uint64_t response_code, request_bytes, response_bytes, total_ms, backend_ms, cache_ms, client_ms;
    uint64_t backend_response_code, last_error_elapsed_ms;
    bool is_success;
};

/* Where rows go; shared by all workers. Thread-safe. */
struct log_sink;

/* "none", "stdout", or the path of a file that is appended to. sample_percent: 0-100 of the successful requests are
 * written; failures always are. */
MUST_USE bool log_sink_open(struct str target, uint32_t sample_percent, struct log_sink **ret, struct err *err);
/* Opens the file again under its name (after rotation). Keeps the old one when that fails. */
MUST_USE bool log_sink_reopen(struct log_sink *s, struct err *err);
void log_sink_close(struct log_sink *s);

/* One worker's end of the sink. */
struct gateway_log {
    struct log_sink *sink;
    struct rand *rand;
    struct buf lines;
    uint32_t rows_waiting;
    uint64_t rows_written, rows_dropped;
};

void gateway_log_create(struct gateway_log *log, struct log_sink *sink, struct rand *rand);
void gateway_log_destroy(struct gateway_log *log);
/* False when no row would be written for such a request, so that nobody fills one in. */
bool gateway_log_wants(struct gateway_log *log, bool is_success);
void gateway_log_add(struct gateway_log *log, struct log_row *row);
/* Never yields; a blocking sink (a pipe nobody reads) drops rows instead of waiting. */
void gateway_log_flush(struct gateway_log *log);
