/* settings.c: headgate.yaml's limits, times and sizes for http, exchange and net.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/settings.h"

#include <unistd.h>

#include "base/buf.h"
#include "net/dns.h"

/* What is no client's: files, sockets of threads, and for each worker its loop; then an eighth for backends. */
#define DESCRIPTORS_OWN 40u
#define DESCRIPTORS_A_WORKER 6u
#define DESCRIPTORS_BACKENDS_MAX 1024u

static uint32_t
to_u32(uint64_t n)
{
    return (uint32_t)MIN(n, (uint64_t)UINT32_MAX);
}

struct http_limits
settings_limits(const struct options *o)
{
    return (struct http_limits){
        .head_bytes = (int64_t)o->limits.head_bytes,
        .head_fields = o->limits.head_fields,
        .target_bytes = (int64_t)o->limits.target_bytes,
        .body_bytes = (int64_t)o->limits.body_bytes,
        .extension_bytes = (int64_t)o->limits.chunk_extension_bytes,
        .trailer_bytes = (int64_t)o->limits.trailer_bytes,
        .exchange_bytes = (int64_t)o->limits.exchange_bytes,
        .exchanges = o->limits.exchanges,
        .requests = o->limits.requests_per_connection,
        .pipelined = o->limits.pipelined_requests,
        .head_ms = (int64_t)o->timeouts.head_ms,
        .idle_ms = (int64_t)o->timeouts.keep_alive_ms,
        .body_idle_ms = (int64_t)o->timeouts.body_idle_ms,
        .body_grace_ms = (int64_t)o->timeouts.body_grace_ms,
        .body_rate = o->timeouts.body_rate,
        .write_ms = (int64_t)o->timeouts.write_idle_ms,
        .write_grace_ms = (int64_t)o->timeouts.write_grace_ms,
        .write_rate = o->timeouts.write_rate,
        .drain_bytes = (int64_t)o->limits.drain_body_bytes,
        .drain_ms = (int64_t)o->timeouts.drain_body_ms,
        .quiet_ms = (int64_t)o->drain.quiet_ms,
        .h2_streams = o->limits.h2_streams,
        .h2_window = o->limits.h2_window_bytes,
        .h2_block_bytes = (int64_t)o->limits.h2_block_bytes,
        .h2_block_frames = o->limits.h2_block_frames,
        .h2_resets_of = (int64_t)o->limits.h2_resets_sample * 2 * o->limits.h2_resets_percent / 100, /* half of it drops */
        .h2_control_frames = o->limits.h2_control_frames,
    };
}

struct http_client_conf
settings_client(const struct options *o)
{
    return (struct http_client_conf){
        .head_bytes = to_u32(o->limits.answer_head_bytes),
        .head_fields = o->limits.answer_head_fields,
        .interims_max = o->limits.interim_answers,
        .connect_ms = to_u32(o->upstream.connect_ms),
        .head_start_ms = to_u32(o->upstream.happy_eyeballs_ms),
        .idle_max = o->upstream.idle_connections,
        .queue_ms = to_u32(o->upstream.queue_ms),
    };
}

struct http_origin_conf
settings_origin(const struct upstream_options *o)
{
    return (struct http_origin_conf){
        .connections_max = o->connections_max,
        .waiting_max = o->queue_max,
        .idle_ms = to_u32(o->keep_alive_ms),
    };
}

void
settings_retries(struct retry_budget *b, const struct options *o, const _Atomic int64_t *in_flight)
{
    b->percent = o->limits.retries_percent;
    b->at_least = o->limits.retries_at_least;
    b->in_flight = in_flight;
}

struct exchange_limits
settings_exchange(const struct options *o)
{
    struct exchange_limits l = {
        .buffered_body_max = o->limits.buffered_body_bytes,
        .arena_max = o->limits.exchange_bytes,
        .inflate_ratio = o->limits.inflate_ratio,
        .one_way_max = o->limits.one_way_requests,
        .first_byte_ms = to_u32(o->upstream.first_byte_ms),
        .answer_idle_ms = to_u32(o->upstream.idle_ms),
        .call_ms = o->upstream.total_ms,
        .transform = o->transform,
        .offers_http2 = o->upstream.http2,
        .drops_key = !o->forwarding.keep_subscription_key,
        .expr = expr_limits_default,
    };

    l.expr.steps = (int64_t)o->expressions.steps;
    l.expr.bytes = (int64_t)o->expressions.bytes;
    l.expr.depth = o->expressions.depth;
    l.expr.regex_steps = o->expressions.regex_steps;
    l.expr.output_bytes = to_u32(o->expressions.output_bytes);
    return l;
}

void
settings_resolver(struct loop *loop, const struct upstream_options *o)
{
    struct buf servers AUTO(buf_destroy) = BUF_INIT;

    dns_set_ttl_max(loop, o->dns_ttl_max_ms);
    for (uint32_t i = 0; i < o->nameservers.n; i++)
        buf_printf(&servers, "%s%.*s", i ? "," : "", STR_ARG(o->nameservers.v[i]));
    if (servers.len)
        dns_set_servers(loop, buf_str(&servers).p);
}

uint32_t
settings_workers(const struct options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return o->workers ? o->workers : cores > 0 ? (uint32_t)cores : 1;
}

uint32_t
settings_connections(const struct options *o, uint64_t descriptors)
{
    uint64_t own = DESCRIPTORS_OWN + (uint64_t)settings_workers(o) * (DESCRIPTORS_A_WORKER + 2 * o->n_listeners);
    uint64_t kept = MIN(own + MIN(descriptors / 8, (uint64_t)DESCRIPTORS_BACKENDS_MAX), descriptors / 4 * 3);

    return to_u32(MIN(MAX(descriptors - kept, (uint64_t)1), (uint64_t)o->limits.connections));
}
