/* gateway_log.h: one JSON line a request, columns named as ApiManagementGatewayLogs (log_columns.def).
 *
 * Each worker fills its own buffer; it goes to the sink when it is full or by gateway_log_flush() at the end of a loop turn.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/rand.h"
#include "http/headers.h"
#include "observe/log_sink.h"

/* What is known of one request. Views are the exchange's; nothing is kept after gateway_log_add(). */
struct log_row {
    uint64_t time_ns;                 /* wall clock at the request's head */
    struct str operation_name_constant, category_constant; /* filled in by gateway_log_add() */
    struct str request_id, region, caller_address, method, url, client_protocol, client_tls_version, cache;
    struct str api_id, api_revision, operation_id, product_id, subscription_id, user_id, workspace_id;
    struct str backend_id, backend_method, backend_url, backend_protocol;
    struct str last_error_source, last_error_reason, last_error_message, last_error_scope, last_error_section;
    struct str trace_records_json;    /* a JSON array as text, or STR_NONE */
    struct str request_headers_json, response_headers_json;   /* gateway_log_headers() */
    struct str traceparent;
    uint64_t response_code, request_bytes, response_bytes, total_ms, backend_ms, cache_ms, client_ms;
    uint64_t backend_response_code, last_error_elapsed_ms;
    bool is_success;
};

/* One worker's end of the sink. */
struct gateway_log {
    struct log_sink *sink;
    struct rand *rand;
    double sampling;                  /* 0 to 1 of the requests that succeed */
    bool keeps_errors;                /* of the others all */
    struct buf lines;
    uint32_t rows_waiting;
};

/* sink NULL: nothing is written. */
void gateway_log_create(struct gateway_log *log, struct log_sink *sink, const struct gateway_log_options *o, struct rand *rand);
void gateway_log_destroy(struct gateway_log *log);
/* False when no row would be written for such a request, so that nobody fills one in. */
bool gateway_log_wants(struct gateway_log *log, bool is_success);
void gateway_log_add(struct gateway_log *log, struct log_row *row);
/* The named headers of a message as a JSON object; STR_NONE when it has none of them. Values of those in `masked`, of `key` (the
 * header of the API's subscription keys; STR_NONE: none), and of headers that hold secrets, are asterisks. */
struct str gateway_log_headers(struct arena *a, const struct http_headers *h, const struct str_list *names,
                               const struct str_list *masked, struct str key);
/* Hands the rows over. */
void gateway_log_flush(struct gateway_log *log);
