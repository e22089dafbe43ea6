/* remote_value.c: entries in the external store: found, checked, copied into memory; encoded and stored.
 *
 *     apim:<api>:r:<hash>                   a response, a value, or the marker of a key whose answers vary
 *     apim:<api>:r:<hash>:<hash>            one of them: the second hash is that of the fields' values
 *
 * A look-up asks for at most value_bytes_max + 1 bytes, so that a giant under our name costs no more than a miss. A store is
 * SET and then a read of the head: the read makes the store tell us of changes, and shows whether ours is what lies there.
 * Who stores an answer that varies reads the marker first and keeps its token, so that no other variant is lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cache/remote.h"
#include "cache/wire.h"
#include "rt/offload.h"

#define HEAD_END "111"          /* the last byte of a value's head */
_Static_assert(WIRE_HEAD_BYTES == 112, "HEAD_END");
#define OFFLOAD_FROM ((uint64_t)128 << 10)   /* packing a body of that size would keep a worker busy for too long */

/* One look-up on its way. */
struct fetch {
    struct remote *r;
    const struct cache_key *key;
    const struct cache_request *request;
    struct remote_source source;
    uint32_t member;                  /* who has answered */
    bool is_copying;
    struct remote_watch watch;
    uint64_t marker_token;            /* 0: no marker was met yet */
    struct buf vary;                  /* the marker's fields, with the request's values */
    struct buf large;                 /* a value that is too large to unpack in passing */
    enum cache_verdict verdict;
    struct cache_entry *entry;
};

/* --- instants ------------------------------------------------------------------------------------------------------ */

/* The store keeps wall clock time, memory the loop's. */
static uint64_t
wall_ms(const struct remote *r)
{
    return loop_wall_ns(r->loop) / 1000000;
}

static uint64_t
to_wall(const struct remote *r, uint64_t at_ms)
{
    return at_ms + wall_ms(r) - loop_now_ms(r->loop);
}

/* An instant before this machine's start has no place on its clock: it is the start then, and *ret_lost_ms (may be NULL) says how
 * much earlier it was. */
static uint64_t
from_wall(const struct remote *r, uint64_t at_ms, uint64_t *ret_lost_ms)
{
    uint64_t shift = wall_ms(r) - loop_now_ms(r->loop);

    if (ret_lost_ms)
        *ret_lost_ms = shift - MIN(shift, at_ms);
    return at_ms > shift ? at_ms - shift : 0;
}

/* --- reading a value ----------------------------------------------------------------------------------------------- */

static bool
odd(struct fetch *f)
{
    external_count(f->r->x, EXTERNAL_ODD);
    f->verdict = CACHE_MISS_ABSENT;
    return false;
}

static bool
dead(struct fetch *f, enum cache_verdict why)
{
    external_count(f->r->x, EXTERNAL_DEAD);
    f->verdict = why;
    return false;
}

/* Whether the value may be used at all; sets the verdict. */
static bool
is_alive(struct fetch *f, const struct wire *v, const struct cache_scopes *scopes)
{
    uint64_t now_ms = wall_ms(f->r);
    enum scope_state state;

    if (v->born < atomic_load(&f->r->x->floor))
        return dead(f, CACHE_MISS_PURGED);
    state = cache_state_since(f->r->memory, scopes->v, scopes->n, v->born);
    if (state == SCOPE_DEAD)
        return dead(f, CACHE_MISS_PURGED);
    if (now_ms >= MAX(v->expires_ms, v->stale_until_ms))
        return dead(f, CACHE_MISS_EXPIRED);
    f->verdict = now_ms < v->expires_ms && state == SCOPE_LIVE ? CACHE_HIT : CACHE_STALE;
    if (f->verdict == CACHE_STALE && v->stale_until_ms <= v->expires_ms)
        return dead(f, state == SCOPE_STALE ? CACHE_MISS_PURGED : CACHE_MISS_EXPIRED);
    return true;
}

/* The fields that the marker names, with this request's values. */
static bool
take_marker(struct fetch *f, const struct wire *v)
{
    struct str rest = v->vary, name, value;
    struct cache_scopes none = {0};

    if (f->marker_token)
        return odd(f);                /* a marker where a variant should be */
    if (!is_alive(f, v, &none))
        return false;
    f->verdict = CACHE_MISS_VARIANT;
    if (!f->request)
        return false;
    f->vary = BUF_INIT;
    while (cache_vary_next(&rest, &name, &value))
        cache_vary_add(&f->vary, name, f->request->field(f->request->ctx, name));
    if (rest.len)
        return odd(f);
    f->marker_token = v->token;
    return true;
}

static uint32_t
member_of_source(uint32_t source)
{
    return (source - 1) % REDIS_MEMBERS_MAX;
}

/* The link that it was read over still vouches for it, and nobody has changed it since. */
static bool
may_be_copied(const struct fetch *f)
{
    return f->is_copying && !f->watch.is_changed && f->member == member_of_source(f->source.source) &&
           f->source.epoch == f->r->epochs->v[f->member];
}

static struct cache_item
item_of(const struct fetch *f, const struct wire *v, const struct cache_scopes *scopes, bool is_copy)
{
    struct remote *r = f->r;
    uint64_t older_ms, ended_ms;
    struct cache_item item = {
        .key = is_copy ? remote_copy_key(f->key) : *f->key, .vary = v->vary, .scopes = scopes, .born = v->born,
        .stored_ms = MIN(from_wall(r, v->stored_ms, &older_ms), loop_now_ms(r->loop)),
        .expires_ms = from_wall(r, v->expires_ms, &ended_ms),
        .stale_until_ms = v->stale_until_ms ? from_wall(r, v->stale_until_ms, NULL) : 0, .status = v->status, .tag = v->tag,
        .flags = v->flags, .head = v->head, .is_unlisted = !is_copy};

    /* What the clock cannot hold is added to the age, and taken from what is left after the end. */
    item.age_s = wire_age(v->age_s, older_ms);
    item.revalidate_s = wire_window_left(v->revalidate_s, ended_ms);
    item.error_s = wire_window_left(v->error_s, ended_ms);
    if (is_copy) {
        item.source = f->source.source;
        item.source_epoch = f->source.epoch;
    }
    return item;
}

/* Never yields. */
static bool
make_entry(struct fetch *f, const struct wire *v, struct str body)
{
    bool (*fix_head)(char *head, size_t len) = v->kind == CACHE_RESPONSE ? f->r->x->options.fix_head : NULL;
    struct cache_scopes scopes;
    struct cache_item item;

    wire_scopes(v, &scopes);
    item = item_of(f, v, &scopes, may_be_copied(f));
    /* In place: the bytes are what was read from the socket, or our copy of it, and nobody looks at their checksum again. */
    if (fix_head && !fix_head((char *)(uintptr_t)v->head.p, v->head.len))
        return odd(f);
    if (!cache_store_entry(f->r->memory, &item, body, NULL, &f->entry) && !item.is_unlisted) {
        item.is_unlisted = true;      /* it does not fit into memory for long; for this request it may */
        cache_store_entry(f->r->memory, &item, body, NULL, &f->entry);
    }
    if (!f->entry)
        f->verdict = CACHE_MISS_ABSENT;
    return f->entry != NULL;
}

struct unpacking {
    struct str packed;
    char *to;
    size_t len;
    bool ok;
};

static void
unpack(void *arg)
{
    struct unpacking *u = arg;

    u->ok = wire_unpack(u->packed, u->to, u->len, NULL);
}

/* on_thread: on one of the offload threads. Yields then. */
static bool
unpack_entry(struct fetch *f, const struct wire *v, bool on_thread)
{
    struct unpacking u = {v->body, xmalloc(v->body_len + 1), v->body_len, false};
    bool ok;

    if (!on_thread || !offload_call(f->r->x->options.offload, unpack, &u, NULL))
        unpack(&u);
    ok = u.ok ? make_entry(f, v, str_from(u.to, u.len)) : odd(f);
    free(u.to);
    return ok;
}

static bool
take_alive(struct fetch *f, const struct wire *v, struct str text)
{
    if (!v->is_packed)
        return make_entry(f, v, v->body);
    if (v->body_len > f->r->x->options.value_bytes_max)
        return odd(f);
    if (v->body_len < OFFLOAD_FROM)
        return unpack_entry(f, v, false);
    f->large = BUF_INIT;
    return buf_add_str(&f->large, text);
}

static bool
take_text(struct fetch *f, struct str text)
{
    struct cache_scopes scopes;
    struct wire v;

    f->verdict = CACHE_MISS_ABSENT;
    if (!text.len)
        return false;
    if (!wire_decode(text, &v, NULL) || !str_eq(v.key, f->key->bytes))
        return odd(f);
    if (v.kind == WIRE_MARKER)
        return take_marker(f, &v);
    if (v.kind != (uint8_t)f->key->bytes.p[0] || (f->marker_token && v.token != f->marker_token))
        return odd(f);
    if (v.vary.len && !str_eq(v.vary, buf_str(&f->vary)))
        return odd(f);
    wire_scopes(&v, &scopes);
    return is_alive(f, &v, &scopes) && take_alive(f, &v, text);
}

/* Another type lies there, or we may not read it, which is worth a word. */
static void
take_error(struct fetch *f, struct str error)
{
    odd(f);
    if (error.len && !str_starts_with(error, STR("WRONGTYPE")) && external_may_tell(&f->r->x->told_reads_ms, loop_now_ms(f->r->loop)))
        external_tell(f->r->x, LOG_WARN, "cache: the external cache refuses to read an entry (%.*s), so look-ups miss", STR_ARG(error));
}

/* Runs as the bytes come in: no copy of them is kept. */
static void
take_value(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct fetch *f = ctx;

    f->member = ask->member;
    remote_heard(f->r, ask->member, ask->sent_ns);
    if (resp_type(reply) == RESP_STRING)
        take_text(f, resp_text(reply));
    else
        take_error(f, resp_type(reply) == RESP_ERROR ? resp_text(reply) : STR(""));
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

/* Makes the name of a variant of the name that lies in `text`. */
static struct str
variant_name(char text[REMOTE_NAME_MAX], struct str name, struct str vary, uint64_t token)
{
    struct hash128 hash = hash_128(vary);
    char *to = text + name.len;

    ASSERT(name.p == text);
    *to = ':';
    remote_put_hash(to + 1, (struct hash128){hash.hi ^ token, hash.lo});
    return str_from(text, name.len + 1 + REMOTE_HASH_HEX);
}

/* Asks for one name. False when nobody answered. Yields. */
static bool
fetch_name(struct fetch *f, struct str name, uint64_t deadline_ms)
{
    struct str words[] = {STR("GETRANGE"), name, STR("0"), str_from_c(f->r->x->value_end)};
    struct redis_ask ask = {words, COUNTOF(words), take_value, f, 0, 0};

    return redis_client_run(f->r->client, name, &ask, 1, deadline_ms, NULL);
}

/* The answer that the marker leads to, which may live on another member of a cluster. Yields. */
static bool
fetch_variant(struct fetch *f, char text[REMOTE_NAME_MAX], struct str name, uint64_t deadline_ms)
{
    f->verdict = CACHE_MISS_VARIANT;
    name = variant_name(text, name, buf_str(&f->vary), f->marker_token);
    f->source = remote_source(f->r, name);
    f->is_copying &= f->source.is_up && f->source.can_copy;
    return fetch_name(f, name, deadline_ms);
}

enum cache_verdict
remote_find(struct remote *r, const struct cache_place *place, const struct cache_key *key,
            const struct cache_request *request, struct cache_entry **ret)
{
    char text[REMOTE_NAME_MAX];
    struct str name = remote_name(place, key, text);
    struct fetch f = {.r = r, .key = key, .request = request, .verdict = CACHE_MISS_ABSENT, .vary = BUF_INIT,
                      .large = BUF_INIT};
    uint64_t deadline_ms = remote_deadline(r);
    struct wire v;
    bool ok;

    f.source = remote_source(r, name);
    f.is_copying = place->type == CACHING_PREFER_EXTERNAL && f.source.can_copy;
    if (!f.source.is_up || !remote_is_fresh(r)) {
        external_count(r->x, EXTERNAL_AWAY);
        return CACHE_MISS_ABSENT;
    }
    if (f.is_copying)
        remote_watch(r, &f.watch, key);
    ok = fetch_name(&f, name, deadline_ms);
    if (ok && f.marker_token)
        ok = fetch_variant(&f, text, name, deadline_ms);
    if (f.large.len && wire_decode(buf_str(&f.large), &v, NULL))
        unpack_entry(&f, &v, true);
    remote_unwatch(&f.watch);
    buf_destroy(&f.vary);
    buf_destroy(&f.large);
    if (!ok)
        external_count(r->x, EXTERNAL_AWAY);
    external_count(r->x, f.entry ? EXTERNAL_HITS : EXTERNAL_MISSES);
    if (f.entry)
        *ret = f.entry;
    else if (f.verdict == CACHE_HIT || f.verdict == CACHE_STALE)
        f.verdict = CACHE_MISS_ABSENT;
    return f.verdict;
}

/* --- storing ------------------------------------------------------------------------------------------------------- */

/* An entry on its way out. The texts behind place and key belong to it. */
struct store_job {
    struct remote *r;
    struct cache_place place;
    struct cache_key key;             /* not the copy's */
    struct cache_entry *entry;
    uint64_t born;
    bool is_copy;
    struct buf value;                 /* encoded */
    /* What the store said. */
    bool is_set, is_ours, is_absent, is_refused;
    uint64_t marker_token;            /* of the marker that is there and names the same fields; 0: none */
    uint64_t marker_until_ms;         /* how long that one is good for, since 1970 */
    char text[];
};

static void
take_set(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct store_job *j = ctx;

    remote_heard(j->r, ask->member, ask->sent_ns);
    j->is_set = resp_type(reply) == RESP_STRING;
    j->is_refused = resp_type(reply) == RESP_ERROR;
    if (j->is_refused && external_may_tell(&j->r->x->told_stores_ms, loop_now_ms(j->r->loop)))
        external_tell(j->r->x, LOG_WARN, "cache: the external cache refuses to store an entry (%.*s); memory keeps it where prefer-external "
                      "asks", STR_ARG(resp_text(reply)));
}

static void
take_head(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct store_job *j = ctx;
    struct str head = resp_text(reply);

    if (ask->member != member_of_source(cache_entry_source(j->entry)))
        return;                       /* of a cluster: whom nobody took for the one that vouches */
    j->is_absent = resp_type(reply) == RESP_STRING && head.len == 0;
    j->is_ours = head.len == WIRE_HEAD_BYTES && memcmp(head.p, j->value.p, WIRE_HEAD_BYTES) == 0;
}

/* Two lists of fields name the same ones? */
static bool
names_agree(struct str a, struct str b)
{
    struct str name_a, name_b, value;

    while (cache_vary_next(&a, &name_a, &value))
        if (!cache_vary_next(&b, &name_b, &value) || !str_eq(name_a, name_b))
            return false;
    return a.len == 0 && b.len == 0;
}

static void
take_old_marker(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct store_job *j = ctx;
    struct wire v;

    if (resp_type(reply) == RESP_STRING && wire_decode(resp_text(reply), &v, NULL) && v.kind == WIRE_MARKER &&
        str_eq(v.key, j->key.bytes) && v.born >= atomic_load(&j->r->x->floor) && names_agree(v.vary, cache_entry_vary(j->entry))) {
        j->marker_token = v.token;
        j->marker_until_ms = v.expires_ms;
    }
}

/* How long the store keeps a value: until it is of no use to anybody. */
static struct str
life_text(const struct store_job *j, uint64_t until_ms, char text[24])
{
    uint64_t now_ms = wall_ms(j->r);

    return str_from(text, (size_t)snprintf(text, 24, "%" PRIu64, MAX(until_ms, now_ms + 1) - now_ms));
}

static uint64_t
end_of_entry(const struct store_job *j)
{
    return to_wall(j->r, MAX(cache_entry_expires_ms(j->entry), cache_entry_stale_until_ms(j->entry)));
}

static struct wire
wire_of(const struct store_job *j, uint64_t token)
{
    const struct cache_entry *e = j->entry;
    struct remote *r = j->r;
    uint32_t n_scopes;
    const cache_scope_id *scopes = cache_entry_scopes(e, &n_scopes);

    return (struct wire){
        .kind = (uint8_t)cache_entry_kind(e), .status = cache_entry_status(e), .tag = cache_entry_tag(e),
        .born = j->born, .token = token, .stored_ms = to_wall(r, cache_entry_stored_ms(e)),
        .expires_ms = to_wall(r, cache_entry_expires_ms(e)),
        .stale_until_ms = cache_entry_stale_until_ms(e) > cache_entry_expires_ms(e)
                              ? to_wall(r, cache_entry_stale_until_ms(e)) : 0,
        .age_s = cache_entry_age_s(e), .revalidate_s = cache_entry_revalidate_s(e), .error_s = cache_entry_error_s(e),
        .flags = cache_entry_flags(e), .scopes = (const char *)scopes, .n_scopes = n_scopes, .key = j->key.bytes,
        .vary = cache_entry_vary(e), .head = cache_entry_head(e), .body_len = cache_entry_body_length(e)};
}

/* The value of an entry, made where the worker is not kept busy by it. */
struct encoding {
    struct wire v;
    const struct cache_entry *entry;
    uint64_t pack_from;
    struct buf *to;
    bool ok;
};

static void
encode(void *arg)
{
    struct encoding *e = arg;
    uint32_t n = cache_entry_pieces(e->entry);
    struct str *parts = xnew_array(struct str, n + 1);
    struct buf packed AUTO(buf_destroy) = BUF_INIT;

    for (uint32_t i = 0; i < n; i++)
        parts[i] = cache_entry_piece(e->entry, i);
    if (e->pack_from && e->v.body_len >= e->pack_from && wire_pack(parts, n, &packed)) {
        e->v.is_packed = true;
        e->v.body = buf_str(&packed);
        n = 0;
    }
    e->ok = wire_encode(e->to, &e->v, parts, n);
    free(parts);
}

/* Yields when the body is large. */
static bool
encode_entry(struct store_job *j, uint64_t token)
{
    const struct external_options *o = &j->r->x->options;
    struct encoding e = {.v = wire_of(j, token), .entry = j->entry, .pack_from = o->compress_bytes, .to = &j->value};

    if (!o->compress_bytes || e.v.body_len < OFFLOAD_FROM || !offload_call(o->offload, encode, &e, NULL))
        encode(&e);
    return e.ok && j->value.len <= o->value_bytes_max;
}

/* SET and the look at what lies there now. False when nobody answered. Yields. */
static bool
set(struct store_job *j, struct str name)
{
    char life[24];
    struct str words[] = {STR("SET"), name, buf_str(&j->value), STR("PX"), life_text(j, end_of_entry(j), life)};
    struct str look[] = {STR("GETRANGE"), name, STR("0"), STR(HEAD_END)};
    struct redis_ask asks[] = {{words, COUNTOF(words), take_set, j, 0, 0}, {look, COUNTOF(look), take_head, j, 0, 0}};

    remote_changes(j->r, &j->key, j->is_copy);
    return redis_client_run(j->r->client, name, asks, j->is_copy ? 2 : 1, remote_deadline(j->r), NULL);
}

/* The marker of a key whose answers vary: the one that is there when it names the same fields, else a new one. Yields. */
static bool
set_marker(struct store_job *j, struct str name, uint64_t *ret_token)
{
    struct str look[] = {STR("GETRANGE"), name, STR("0"), STR("65535")};
    struct redis_ask ask = {look, COUNTOF(look), take_old_marker, j, 0, 0};
    struct buf names AUTO(buf_destroy) = BUF_INIT, value AUTO(buf_destroy) = BUF_INIT;
    struct str rest = cache_entry_vary(j->entry), field, field_value;
    struct wire v = wire_of(j, 0);
    char life[24];

    if (!redis_client_run(j->r->client, name, &ask, 1, remote_deadline(j->r), NULL))
        return false;
    *ret_token = j->marker_token ? j->marker_token : atomic_fetch_add(&j->r->x->tokens, 1);
    while (cache_vary_next(&rest, &field, &field_value))
        cache_vary_add(&names, field, STR_NONE);
    v.kind = WIRE_MARKER;
    v.token = *ret_token;
    v.vary = buf_str(&names);
    v.head = STR_NONE;
    v.n_scopes = 0;
    v.status = v.tag = 0;
    v.body_len = 0;
    v.born = cache_generation(j->r->memory);
    v.stale_until_ms = 0;
    v.expires_ms = MAX(end_of_entry(j), j->marker_until_ms);
    if (!wire_encode(&value, &v, NULL, 0))
        return false;
    struct str words[] = {STR("SET"), name, buf_str(&value), STR("PX"), life_text(j, v.expires_ms, life)};
    /* Read again, so that we are told when somebody changes it. */
    struct redis_ask asks[] = {{words, COUNTOF(words), take_set, j, 0, 0}, {look, COUNTOF(look), NULL, NULL, 0, 0}};
    return redis_client_run(j->r->client, name, asks, j->is_copy ? 2 : 1, remote_deadline(j->r), NULL) && j->is_set;
}

/* The copy in memory stays when ours is what lies there; or when the store refused it and nothing lies there, since then it
 * will tell us when something does. */
static void
judge_copy(struct store_job *j, bool is_answered)
{
    struct cache_key copy = remote_copy_key(&j->key);

    if (!is_answered || !j->is_set)
        external_count(j->r->x, EXTERNAL_STORE_ERRORS);
    else
        external_count(j->r->x, EXTERNAL_STORES);
    if (j->is_copy && !(is_answered && (j->is_ours || (j->is_refused && j->is_absent))))
        cache_drop(j->r->memory, &copy, j->entry);
}

/* What was refused was to take the place of what lies there, which nobody shall find any more. Yields. */
static void
remove_older(struct store_job *j, struct str name)
{
    struct str words[] = {STR("DEL"), name};
    struct redis_ask ask = {words, COUNTOF(words), NULL, NULL, 0, 0};

    if (!redis_client_run(j->r->client, name, &ask, 1, remote_deadline(j->r), NULL))
        external_count(j->r->x, EXTERNAL_AWAY);
}

static void
run_job(struct store_job *j)
{
    char text[REMOTE_NAME_MAX];
    struct str name = remote_name(&j->place, &j->key, text), vary = cache_entry_vary(j->entry);
    uint64_t token = atomic_fetch_add(&j->r->x->tokens, 1);
    bool ok = true;

    remote_changes(j->r, &j->key, j->is_copy);
    if (vary.len) {
        ok = set_marker(j, name, &token);
        name = variant_name(text, name, vary, token);
    }
    judge_copy(j, ok && encode_entry(j, token) && set(j, name));
    if (j->is_refused && !j->is_absent)
        remove_older(j, name);
}

static void
free_job(struct store_job *j)
{
    buf_destroy(&j->value);
    cache_entry_unref(j->entry);
    free(j);
}

static void
store_fiber(void *arg)
{
    struct store_job *j = arg;

    run_job(j);
    free_job(j);
}

static struct str
keep(char **to, struct str s)
{
    struct str kept = {s.p ? *to : NULL, s.len};

    if (s.len)
        memcpy(*to, s.p, s.len);
    *to += s.len;
    return kept;
}

static struct store_job *
job_new(struct remote *r, const struct cache_place *place, const struct cache_key *key, struct cache_entry *entry,
        uint64_t born, bool is_copy)
{
    struct store_job *j = xcalloc(1, sizeof(*j) + place->owner.len + place->name.len + key->bytes.len);
    char *to = j->text;

    j->r = r;
    j->place = (struct cache_place){place->type, keep(&to, place->owner), keep(&to, place->name)};
    j->key = (struct cache_key){keep(&to, key->bytes), key->hash};
    j->entry = cache_entry_ref(entry);
    j->born = born;
    j->is_copy = is_copy;
    return j;
}

void
remote_store_later(struct remote *r, const struct cache_place *place, const struct cache_key *key, struct cache_entry *entry,
                   uint64_t born, bool is_copy)
{
    struct store_job *j = job_new(r, place, key, entry, born, is_copy);

    if (remote_start(r, store_fiber, j))
        return;
    judge_copy(j, false);
    free_job(j);
}

void
remote_store(struct remote *r, const struct cache_place *place, const struct cache_key *key, struct cache_entry *entry,
             uint64_t born, bool is_copy)
{
    struct store_job *j = job_new(r, place, key, entry, born, is_copy);

    run_job(j);
    free_job(j);
}
