/* external.c: one external store and what this process knows of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/external.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/rand.h"
#include "cache/external_internal.h"

#define OPERATION_MS 50u
#define ARENA_MAX ((size_t)4 << 20)
#define SEQUENCE_BITS 20

uint64_t
external_generation_parse(struct str id)
{
    struct str ms_text;
    uint64_t ms, sequence = 0;

    if (!str_split_next(&id, '-', &ms_text) || !num_parse_u64(ms_text, (1ull << (64 - SEQUENCE_BITS)) - 1, &ms, NULL) ||
        (id.p && !num_parse_u64(id, (1ull << SEQUENCE_BITS) - 1, &sequence, NULL)))
        return 0;
    return ms << SEQUENCE_BITS | sequence;
}

struct str
external_generation_text(uint64_t generation, char text[40])
{
    int n = snprintf(text, 40, "%" PRIu64 "-%" PRIu64, generation >> SEQUENCE_BITS,
                     generation & (((uint64_t)1 << SEQUENCE_BITS) - 1));

    return str_from(text, (size_t)n);
}

void
external_tell(struct external *x, enum log_level level, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX + 160];
    va_list ap;

    if (!x->options.tell)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    x->options.tell(x->options.tell_ctx, level, text);
}

static void
make_identity(struct external *x)
{
    rand_secret(&x->id, sizeof(x->id));
    snprintf(x->name, sizeof(x->name), "%.*s/%08x", (int)MIN(x->options.node.len, (size_t)60), x->options.node.p,
             (unsigned)(x->id >> 32));
    for (char *c = x->name; *c; c++)
        if (*c <= ' ' || *c == 127)
            *c = '_';
    /* Tokens are told apart between nodes by their upper half. */
    atomic_init(&x->tokens, x->id << 32 | 1);
}

static bool
make_tls(struct external *x, struct err *err)
{
    struct tls_client_options options = {.extra_ca_pem = x->options.trust_pem};

    if (!x->conf.is_tls)
        return true;
    x->tls = tls_client_new(&options, err);
    return x->tls != NULL;
}

struct external *
external_new(const struct external_options *options, struct err *err)
{
    struct external *x = xnew(struct external);

    x->refs = 1;
    x->arena = ARENA(NULL, ARENA_MAX);
    pthread_mutex_init(&x->lock, NULL);
    list_init(&x->turns);
    x->options = *options;
    x->options.connection = str_dup(&x->arena, options->connection);
    x->options.trust_pem = str_dup(&x->arena, options->trust_pem);
    x->options.node = str_dup(&x->arena, options->node);
    x->options.operation_ms = options->operation_ms ? options->operation_ms : OPERATION_MS;
    snprintf(x->value_end, sizeof(x->value_end), "%" PRIu64, x->options.value_bytes_max);
    x->redis = xnew_array(struct redis_figures, options->n_workers);
    make_identity(x);
    if (redis_conf_parse(&x->arena, x->options.connection, &x->conf, err) && make_tls(x, err))
        return x;
    external_unref(x);
    return NULL;
}

struct external *
external_ref(struct external *x)
{
    atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
    return x;
}

void
external_unref(struct external *x)
{
    if (!x || atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) != 1)
        return;
    tls_client_unref(x->tls);
    vec_free(&x->pending);
    pthread_mutex_destroy(&x->lock);
    free(x->redis);
    arena_destroy(&x->arena);
    free(x);
}

bool
external_is_same(const struct external *x, const struct external_options *options)
{
    const struct external_options *o = &x->options;

    return str_eq(o->connection, options->connection) && str_eq(o->trust_pem, options->trust_pem) &&
           o->operation_ms == (options->operation_ms ? options->operation_ms : OPERATION_MS) &&
           o->compress_bytes == options->compress_bytes && o->value_bytes_max == options->value_bytes_max &&
           o->is_strict == options->is_strict;
}

static void
add_redis(const struct redis_figures *f, struct external_stats *ret)
{
    ret->commands += f->commands;
    ret->errors += f->errors;
    ret->timeouts += f->timeouts;
    ret->connects += f->connects;
    ret->breaks += f->breaks;
    ret->bytes_in += f->bytes_in;
    ret->bytes_out += f->bytes_out;
    ret->latency_us += f->latency_us;
    for (size_t i = 0; i < REDIS_LATENCY_BUCKETS; i++)
        ret->latency[i] += f->latency[i];
}

void
external_stats(struct external *x, struct external_stats *ret)
{
    *ret = (struct external_stats){
        .connections = x->links_up, .hits = x->figures[EXTERNAL_HITS], .misses = x->figures[EXTERNAL_MISSES],
        .stores = x->figures[EXTERNAL_STORES], .removes = x->figures[EXTERNAL_REMOVES],
        .purges = x->figures[EXTERNAL_PURGES],
        .purges_alone = x->figures[EXTERNAL_PURGES_ALONE],
        .purges_outstanding = x->figures[EXTERNAL_PURGES_OUTSTANDING], .odd = x->figures[EXTERNAL_ODD], .dead = x->figures[EXTERNAL_DEAD],
        .away = x->figures[EXTERNAL_AWAY], .store_errors = x->figures[EXTERNAL_STORE_ERRORS],
        .copies_dropped = x->figures[EXTERNAL_COPIES_DROPPED], .turns_waited = x->figures[EXTERNAL_TURNS_WAITED],
        .turns_filled = x->figures[EXTERNAL_TURNS_FILLED], .generation = x->applied};
    for (uint32_t i = 0; i < x->options.n_workers; i++)
        add_redis(&x->redis[i], ret);
    pthread_mutex_lock(&x->lock);
    for (uint32_t i = 0; i < x->n_nodes; i++)
        ret->nodes += x->nodes[i].applied != NODE_GONE;
    pthread_mutex_unlock(&x->lock);
}
