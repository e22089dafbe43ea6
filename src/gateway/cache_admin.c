/* cache_admin.c: purges and looks into the cache for operators.
 *
 * The admin listener has a thread of its own, and the way into the external store belongs to the workers: a purge goes to the
 * first worker by mailbox, runs there on a fiber, and its receipt comes back the same way. What memory holds can be read from
 * any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cache_admin.h"

#include "base/log.h"
#include "base/num.h"
#include "cache/flight.h"
#include "cache/journal.h"
#include "cache/key_text.h"
#include "cache/tiers.h"
#include "data/json.h"
#include "exchange/stored_reply.h"
#include "gateway/purge_order.h"
#include "gateway/worker.h"
#include "net/stream.h"
#include "rt/fiber.h"

#define BODY_WAIT_MS 10000u
#define FLIGHTS_MAX 1000u

void
cache_admin_init(struct cache_admin *c, struct gateway *g, struct loop *loop)
{
    *c = (struct cache_admin){.gateway = g, .loop = loop, .filled_ms = loop_now_ms(loop),
                              .left = g->options->cache_memory.purges_per_s};
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static void
send_json(struct http_call *call, struct buf *text)
{
    buf_add_char(text, '\n');
    if (text->failed)
        http_call_send_error(call, 500, STR("The answer is too large."));
    else
        http_call_send_text(call, 200, STR("application/json"), buf_str(text));
}

static void
write_u64(struct json_writer *w, struct str name, uint64_t n)
{
    json_write_name(w, name);
    json_write_u64(w, n);
}

static void
write_str(struct json_writer *w, struct str name, struct str text)
{
    json_write_name(w, name);
    json_write_str(w, text);
}

static void
write_bool(struct json_writer *w, struct str name, bool b)
{
    json_write_name(w, name);
    json_write_bool(w, b);
}

/* 2044-11-06T08:49:37Z */
static void
write_time(struct json_writer *w, struct str name, uint64_t unix_s)
{
    char text[32];
    struct tm parts;
    time_t t = (time_t)unix_s;

    gmtime_r(&t, &parts);
    write_str(w, name, str_from(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

/* --- what the caller says ------------------------------------------------------------------------------------------ */

/* False when the call has been answered. */
static bool
read_order(struct http_call *call, struct named_entries *ret)
{
    struct pieces pieces = PIECES_INIT;
    struct str body = STR("");
    struct err err;
    bool ok;

    if (call->body) {
        ok = body_read_all(call->body, ORDER_BODY_MAX, NULL, loop_now_ms(fiber_loop()) + BODY_WAIT_MS, &pieces, &err);
        if (ok)
            body = str_dup(call->arena, pieces_join(&pieces, call->arena));
        pieces_destroy(&pieces);
        if (!ok) {
            http_call_send_error(call, err.code == ERR_LIMIT ? 413 : 400, err.code == ERR_LIMIT
                                 ? str_printf(call->arena, "The body is larger than an order may be, %zu bytes.", ORDER_BODY_MAX)
                                 : STR("The body could not be read."));
            return false;
        }
    }
    if (named_entries_read(call->arena, call->request.query, body, ret, &err))
        return true;
    http_call_send_error(call, 400, str_dup(call->arena, str_from_c(err.text)));
    return false;
}

/* cache.purges-per-second, as a bucket that holds one second's. */
static bool
take_turn(struct cache_admin *c)
{
    uint64_t now_ms = loop_now_ms(c->loop);
    double rate = c->gateway->options->cache_memory.purges_per_s;

    c->left = MIN(rate, c->left + rate * (double)(now_ms - c->filled_ms) / 1000);
    c->filled_ms = now_ms;
    if (c->left < 1)
        return false;
    c->left -= 1;
    return true;
}

/* --- a purge, on a worker ------------------------------------------------------------------------------------------ */

struct purge_job {
    struct message there, back;
    struct worker *worker;
    struct loop *home;
    struct fiber *waiter;             /* of the home loop */
    const struct named_entries *names;
    struct purge_order order;
    struct purge_receipt receipt;
    struct buf outstanding, dropped;  /* as in the receipt; malloc: they cross threads */
    bool has_part;                    /* the receipt is that of something already */
    bool has_run, is_done;
};

static void
on_back(struct message *m)
{
    struct purge_job *job = CONTAINER_OF(m, struct purge_job, back);

    job->is_done = true;
    fiber_wake(job->waiter);
}

/* The receipt of an order is that of all its parts: it holds where each of them does. */
static void
add_receipt(struct purge_job *job, const struct purge_receipt *one)
{
    struct purge_receipt *all = &job->receipt;

    all->is_shared = one->is_shared && (all->is_shared || !job->has_part);
    all->nodes_reached = job->has_part ? MIN(all->nodes_reached, one->nodes_reached) : one->nodes_reached;
    all->generation = MAX(all->generation, one->generation);
    if (one->outstanding.len && str_find(buf_str(&job->outstanding), one->outstanding, 0) < 0)
        buf_printf(&job->outstanding, "%s%.*s", job->outstanding.len ? ", " : "", STR_ARG(one->outstanding));
    if (one->dropped.len)
        buf_printf(&job->dropped, "%s%.*s", job->dropped.len ? ", " : "", STR_ARG(one->dropped));
    job->has_part = true;
}

/* A value may lie in memory, in the external store, or under either name in both. */
static void
remove_key(struct purge_job *job, struct str name)
{
    static const enum caching_type types[] = {CACHING_INTERNAL, CACHING_PREFER_EXTERNAL};
    struct cache_tiers *t = job->worker->tiers;
    bool is_shared = tiers_has(t, CACHING_EXTERNAL);
    struct purge_receipt receipt;
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key;

    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&b, name);
    if (!cache_key_end(&b, &key))
        return;
    for (size_t i = 0; i < (is_shared ? COUNTOF(types) : 1u); i++) {
        struct cache_place place = {.type = types[i], .name = name};
        struct cache_entry *found;

        if (tiers_find(t, &place, &key, NULL, &found) == CACHE_HIT) {
            cache_entry_unref(found);
            job->receipt.entries++;
        }
        if (job->names->is_dry_run)
            continue;
        if (is_shared && types[i] == CACHING_INTERNAL) {
            tiers_remove(t, &place, &key);
        } else {
            tiers_remove_as(t, &place, &key, &job->order, &receipt);
            add_receipt(job, &receipt);
        }
    }
}

static void
run_job(void *arg)
{
    struct purge_job *job = arg;
    struct cache_tiers *t = job->worker->tiers;

    job->has_part = job->order.n && !job->names->is_dry_run;
    if (job->has_part)
        tiers_purge(t, &job->order, &job->receipt);
    else
        job->receipt = (struct purge_receipt){.generation = tiers_generation(t), .nodes_reached = 1, .outstanding = STR(""),
                                              .dropped = STR(""),
                                              .entries = cache_count_live(tiers_memory(t), job->order.scopes, job->order.n,
                                                                          loop_now_ms(job->worker->loop))};
    buf_add_str(&job->outstanding, job->receipt.outstanding);
    buf_add_str(&job->dropped, job->receipt.dropped);
    for (uint32_t i = 0; i < job->names->n_keys; i++)
        remove_key(job, job->names->keys[i]);
    job->has_run = true;
    mailbox_send(job->home, &job->back);
}

static void
on_there(struct message *m)
{
    struct purge_job *job = CONTAINER_OF(m, struct purge_job, there);

    if (!fiber_start(job->worker->loop, run_job, job, NULL))
        mailbox_send(job->home, &job->back);
}

/* False when the worker has no room for it. Yields. */
static bool
run_on_worker(struct cache_admin *c, struct purge_job *job)
{
    job->worker = &c->gateway->workers[0];
    job->home = c->loop;
    job->waiter = fiber_self();
    job->there.deliver = on_there;
    job->back.deliver = on_back;
    mailbox_send(job->worker->loop, &job->there);
    while (!job->is_done)
        fiber_wait_hard();
    return job->has_run;
}

/* What the other nodes have dropped: "12 NAME, 3 NAME". */
static void
write_dropped(struct json_writer *w, struct str list)
{
    struct str one, number;
    uint64_t entries;

    json_write_name(w, STR("dropped"));
    json_write_array_begin(w);
    while (list.len && str_split_next(&list, ',', &one)) {
        one = str_trim(one);
        if (!str_split_next(&one, ' ', &number) || !num_parse_u64(number, UINT64_MAX, &entries, NULL))
            continue;
        json_write_object_begin(w);
        write_str(w, STR("node"), one);
        write_u64(w, STR("entries"), entries);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void
send_receipt(struct http_call *call, struct purge_job *job)
{
    const struct purge_receipt *r = &job->receipt;
    struct buf text = buf_in(call->arena);
    struct json_writer w = JSON_WRITER(&text);
    struct str rest = buf_str(&job->outstanding), name;

    json_write_object_begin(&w);
    write_str(&w, STR("what"), job->names->what);
    write_u64(&w, STR("entries"), r->entries);
    write_bool(&w, STR("dryRun"), job->names->is_dry_run);
    write_bool(&w, STR("soft"), job->names->is_soft);
    write_u64(&w, STR("generation"), r->generation);
    write_bool(&w, STR("shared"), r->is_shared);
    json_write_name(&w, STR("nodes"));
    json_write_object_begin(&w);
    write_u64(&w, STR("reached"), r->nodes_reached);
    json_write_name(&w, STR("outstanding"));
    json_write_array_begin(&w);
    while (rest.len && str_split_next(&rest, ',', &name))
        json_write_str(&w, str_trim(name));
    json_write_array_end(&w);
    write_dropped(&w, buf_str(&job->dropped));
    json_write_object_end(&w);
    json_write_object_end(&w);
    send_json(call, &text);
}

/* Who asks: the address of the connection, and what the caller says of itself. */
static struct str
caller(struct http_call *call, const struct named_entries *names)
{
    char text[ADDR_TEXT_MAX];
    const struct addr *peer = &call->stream->peer;
    struct str from = peer->kind == ADDR_UNIX ? STR("the admin socket") : addr_ip_text(peer, text);

    if (names->by.len)
        return str_printf(call->arena, "%.*s, admin at %.*s", STR_ARG(names->by), STR_ARG(from));
    return str_printf(call->arena, "admin at %.*s", STR_ARG(from));
}

void
cache_admin_purge(struct cache_admin *c, struct http_call *call)
{
    struct purge_job job = {.outstanding = BUF_INIT, .dropped = BUF_INIT};
    struct named_entries *names = arena_new(call->arena, struct named_entries);

    if (!names || !read_order(call, names)) {
        if (!names)
            http_call_send_error(call, 500, STR("Internal server error"));
        return;
    }
    if (names->n == 0 && names->n_keys == 0) {
        http_call_send_error(call, 400, STR("Nothing is named: expected url, prefix, tag, group, api, operation, key or all."));
        return;
    }
    if (!take_turn(c)) {
        atomic_fetch_add_explicit(&c->gateway->purges_refused, 1, memory_order_relaxed);
        http_call_send_error(call, 429, STR("More purges than cache.purges-per-second."));
        return;
    }
    job.names = names;
    job.order = (struct purge_order){.scopes = names->scopes, .n = names->n, .is_soft = names->is_soft, .what = names->what,
                                     .by = caller(call, names), .is_counted = true};
    if (!run_on_worker(c, &job)) {
        http_call_send_error(call, 503, STR("The worker has no room for a purge now."));
        return;
    }
    if (!names->is_dry_run)
        log_info("cache: %s of %.*s by %.*s: %llu entries, generation %llu", names->is_soft ? "soft purge" : "purge",
                 STR_ARG(names->what), STR_ARG(job.order.by), (unsigned long long)job.receipt.entries,
                 (unsigned long long)job.receipt.generation);
    send_receipt(call, &job);
    buf_destroy(&job.outstanding);
    buf_destroy(&job.dropped);
}

/* --- what lies there ----------------------------------------------------------------------------------------------- */

struct listing {
    struct arena *arena;
    struct json_writer *w;
    const struct named_entries *names;
    struct str keys[ORDER_KEYS_MAX];  /* of values, as bytes */
    uint64_t now_ms, matched;
    uint32_t shown;
};

static bool
is_named(const struct listing *l, const struct cache_entry *e)
{
    uint32_t n;
    const cache_scope_id *scopes = cache_entry_scopes(e, &n);

    if (l->names->n == 0 && l->names->n_keys == 0)
        return true;
    for (uint32_t i = 0; i < l->names->n; i++) {
        if (l->names->scopes[i] == SCOPE_ALL)
            return true;
        for (uint32_t k = 0; k < n; k++)
            if (scopes[k] == l->names->scopes[i])
                return true;
    }
    for (uint32_t i = 0; i < l->names->n_keys; i++)
        if (str_eq(cache_entry_key(e), l->keys[i]))
            return true;
    return false;
}

static void
write_vary(struct json_writer *w, struct str vary)
{
    struct str name, value;

    json_write_name(w, STR("vary"));
    json_write_object_begin(w);
    while (cache_vary_next(&vary, &name, &value)) {
        json_write_name(w, name);
        if (value.p)
            json_write_str(w, value);
        else
            json_write_null(w);
    }
    json_write_object_end(w);
}

static void
write_key(struct arena *arena, struct json_writer *w, struct str bytes)
{
    struct cache_key_text key;

    if (!cache_key_read(arena, bytes, &key))
        return;
    if (key.form == KEY_FORM_VALUE) {
        write_str(w, STR("key"), key.url);
        return;
    }
    if (key.api.p)
        write_str(w, STR("api"), key.api);
    if (key.operation.p)
        write_str(w, STR("operation"), key.operation);
    if (key.product.p)
        write_str(w, STR("product"), key.product);
    write_str(w, STR("url"), key.url);
    if (key.n_parts == 0)
        return;
    json_write_name(w, STR("parts"));
    json_write_array_begin(w);
    for (uint32_t i = 0; i < key.n_parts; i++) {
        if (key.parts[i].p)
            json_write_str(w, key.parts[i]);
        else
            json_write_null(w);
    }
    json_write_array_end(w);
}

static void
write_fields(struct listing *l, const struct cache_entry *e)
{
    struct http_headers fields = http_headers_in(l->arena);
    struct reply head = {.headers = &fields};

    if (cache_entry_kind(e) != CACHE_RESPONSE || !stored_head_decode(cache_entry_head(e), &head))
        return;
    json_write_name(l->w, STR("headers"));
    json_write_array_begin(l->w);
    for (uint32_t i = 0; i < fields.n; i++)
        json_write_str(l->w, str_printf(l->arena, "%.*s: %.*s", STR_ARG(fields.v[i].name), STR_ARG(fields.v[i].value)));
    json_write_array_end(l->w);
}

static void
write_times(const struct listing *l, const struct cache_entry *e)
{
    uint64_t stored_ms = cache_entry_stored_ms(e), end_ms = cache_entry_expires_ms(e), until_ms = cache_entry_stale_until_ms(e);

    write_u64(l->w, STR("age"), (l->now_ms - MIN(l->now_ms, stored_ms)) / 1000 + cache_entry_age_s(e));
    write_u64(l->w, STR("ttl"), end_ms > l->now_ms ? (end_ms - l->now_ms) / 1000 : 0);
    if (until_ms > end_ms)
        write_u64(l->w, STR("keptFor"), until_ms > l->now_ms ? (until_ms - l->now_ms) / 1000 : 0);
}

/* The shard is locked. */
static bool
list_one(void *ctx, const struct cache_entry *e, const struct cache_seen *seen)
{
    struct listing *l = ctx;

    if (!is_named(l, e))
        return true;
    l->matched++;
    if (l->shown >= l->names->limit)
        return true;
    l->shown++;
    json_write_object_begin(l->w);
    write_str(l->w, STR("kind"), cache_entry_kind(e) == CACHE_VALUE ? STR("value") : STR("response"));
    write_key(l->arena, l->w, cache_entry_key(e));
    if (cache_entry_vary(e).len)
        write_vary(l->w, cache_entry_vary(e));
    write_str(l->w, STR("state"), str_from_c(cache_verdict_word(seen->verdict)));
    if (cache_entry_kind(e) == CACHE_RESPONSE)
        write_u64(l->w, STR("status"), cache_entry_status(e));
    write_u64(l->w, STR("bytes"), cache_entry_body_length(e));
    write_times(l, e);
    if (l->names->with_details) {
        write_u64(l->w, STR("uses"), seen->uses);
        write_bool(l->w, STR("external"), cache_entry_source(e) != 0);
        write_fields(l, e);
    }
    json_write_object_end(l->w);
    return true;
}

static void
make_keys(struct listing *l)
{
    for (uint32_t i = 0; i < l->names->n_keys; i++) {
        struct buf b = buf_in(l->arena);

        cache_key_begin(&b, CACHE_VALUE);
        cache_key_add(&b, l->names->keys[i]);
        l->keys[i] = buf_str(&b);
    }
}

void
cache_admin_entries(struct cache_admin *c, struct http_call *call)
{
    struct named_entries *names = arena_new(call->arena, struct named_entries);
    struct buf text = buf_in(call->arena);
    struct json_writer w = JSON_WRITER(&text);
    struct listing l = {.arena = call->arena, .w = &w, .names = names, .now_ms = loop_now_ms(c->loop)};

    if (!names || !read_order(call, names)) {
        if (!names)
            http_call_send_error(call, 500, STR("Internal server error"));
        return;
    }
    make_keys(&l);
    json_write_object_begin(&w);
    json_write_name(&w, STR("entries"));
    json_write_array_begin(&w);
    cache_list(c->gateway->cache, l.now_ms, list_one, &l);
    json_write_array_end(&w);
    write_u64(&w, STR("matched"), l.matched);
    write_u64(&w, STR("shown"), l.shown);
    json_write_object_end(&w);
    send_json(call, &text);
}

/* --- what is being fetched ----------------------------------------------------------------------------------------- */

struct flights {
    struct arena *arena;
    struct json_writer *w;
    uint64_t now_ms;
    uint32_t shown;
};

static bool
list_flight(void *ctx, const struct cache_flight_seen *f)
{
    struct flights *l = ctx;

    json_write_object_begin(l->w);
    write_key(l->arena, l->w, f->key);
    write_u64(l->w, STR("waiting"), f->waiting);
    write_u64(l->w, STR("sinceMs"), l->now_ms - MIN(l->now_ms, f->begun_ms));
    write_bool(l->w, STR("filling"), f->is_filling);
    json_write_object_end(l->w);
    return ++l->shown < FLIGHTS_MAX;
}

void
cache_admin_flights(struct cache_admin *c, struct http_call *call)
{
    struct buf text = buf_in(call->arena);
    struct json_writer w = JSON_WRITER(&text);
    struct flights l = {.arena = call->arena, .w = &w, .now_ms = loop_now_ms(c->loop)};

    json_write_object_begin(&w);
    json_write_name(&w, STR("flights"));
    json_write_array_begin(&w);
    cache_flights_list(c->gateway->cache, list_flight, &l);
    json_write_array_end(&w);
    json_write_object_end(&w);
    send_json(call, &text);
}

/* --- figures ------------------------------------------------------------------------------------------------------- */

static void
write_refusals(struct json_writer *w, const struct cache_stats *stats)
{
    json_write_name(w, STR("refused"));
    json_write_object_begin(w);
    for (uint32_t i = CACHE_STORED + 1; i < CACHE_REFUSALS_END; i++)
        if (stats->refused[i])
            write_u64(w, str_from_c(cache_refusal_word((enum cache_refusal)i)), stats->refused[i]);
    json_write_object_end(w);
}

void
cache_admin_stats(struct cache_admin *c, struct http_call *call)
{
    struct buf text = buf_in(call->arena);
    struct json_writer w = JSON_WRITER(&text);
    struct cache_stats s;

    cache_stats(c->gateway->cache, &s);
    const struct { struct str name; uint64_t n; } rows[] = {
        {STR("entries"), s.entries}, {STR("bytes"), s.bytes}, {STR("bytesMax"), s.bytes_max}, {STR("hits"), s.hits},
        {STR("stale"), s.stale}, {STR("misses"), s.misses}, {STR("collapsed"), s.collapsed}, {STR("follows"), s.follows},
        {STR("stores"), s.stores}, {STR("replaced"), s.replaced}, {STR("evictions"), s.evictions}, {STR("expired"), s.expired},
        {STR("purged"), s.purged}, {STR("removed"), s.removed}, {STR("generation"), cache_generation(c->gateway->cache)},
    };
    json_write_object_begin(&w);
    for (size_t i = 0; i < COUNTOF(rows); i++)
        write_u64(&w, rows[i].name, rows[i].n);
    write_refusals(&w, &s);
    json_write_object_end(&w);
    send_json(call, &text);
}

void
cache_admin_purges(struct cache_admin *c, struct http_call *call)
{
    struct buf text = buf_in(call->arena);
    struct json_writer w = JSON_WRITER(&text);
    struct purge_note *note = arena_new(call->arena, struct purge_note);

    json_write_object_begin(&w);
    json_write_name(&w, STR("purges"));
    json_write_array_begin(&w);
    for (uint64_t back = 0; note && purge_journal_get(cache_journal(c->gateway->cache), back, note); back++) {
        json_write_object_begin(&w);
        write_time(&w, STR("time"), note->at_s);
        write_str(&w, STR("what"), str_from_c(note->what));
        write_str(&w, STR("by"), str_from_c(note->by));
        write_bool(&w, STR("soft"), note->is_soft);
        if (note->entries != UINT64_MAX)
            write_u64(&w, STR("entries"), note->entries);
        write_u64(&w, STR("generation"), note->generation);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
    send_json(call, &text);
}
