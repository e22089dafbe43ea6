/* remote_log.c: purges of all nodes, in one order.
 *
 *     XADD {headgate}:purges MAXLEN ~ 65536 * scopes 9f..,03.. [soft 1] [what "tag shoes"] [by admin] node NAME
 *
 * The stream's id is the generation: it only grows, and an id is by the store's clock, so that a new and empty store begins
 * above an old one. A node reads on from the last id it has applied, so that a cut loses nothing; it does so when the store says
 * that the stream has changed, once a second, and before it uses what it knows after the lease has run out.
 * What only messages could lose:
 *   - the stream was cut at its front past us: purges were missed, so nothing in memory can be proven alive
 *   - the stream ends before what we know (an empty store, or an old copy of it): a `begin` entry with a higher id is written,
 *     and values born before it are dead for everybody
 *   - purges made while the store was away wait here and are written before anything is served from there again
 * People may write to the stream too: XADD {headgate}:purges * tag shoes | path /a | prefix /a | url /a?b=1 | api shop | key k |
 * all 1, with soft 1 if wanted.
 *
 * A purge counts as done when each node that was heard of lately has written that it has applied it, or the lease of those that
 * have not has run out since: then they serve no older copy of what the store holds. A purge with `count 1` is one whose receipt
 * says how much each node dropped: it writes that into {headgate}:purged:NUMBER before it says that it has applied the purge.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "cache/remote.h"

#define BATCH 1000u
#define BATCHES_MAX 200u             /* of one catching up */
#define RECORD_SCOPES_MAX 64u
#define ACK_MS (LEASE_MS + LEASE_MS / 10)
#define LOOK_AGAIN_MS 100u           /* at what the nodes say, when nothing is pushed */
#define NODE_ID_TEXT 20u
#define NODE_TEXT (NODE_NAME_MAX + 48u)
#define MARKS_MAX 3u                 /* tries to mend the stream, in one go */
#define CLOCK_NUMBERS (1ull << 50)   /* numbers from here on were made by a store's clock, smaller ones by counting */

/* --- applying ------------------------------------------------------------------------------------------------------ */

struct record {
    cache_scope_id scopes[RECORD_SCOPES_MAX];
    uint32_t n;
    bool is_soft, is_begin, is_counted;
    struct str what, by, node;        /* for people; views of the answer */
};

static void
add_scope(struct record *rec, cache_scope_id id)
{
    if (rec->n < RECORD_SCOPES_MAX)
        rec->scopes[rec->n++] = id;
}

static void
add_hex_scopes(struct record *rec, struct str list)
{
    struct str one;
    uint64_t id;

    while (str_split_next(&list, ',', &one))
        if (num_parse_hex(one, &id, NULL))
            add_scope(rec, id);
}

static cache_scope_id
key_scope(struct str name)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&b, name);
    return cache_scope(SCOPE_KEY, buf_str(&b));
}

/* One field and its value; what is not known is left alone, as a newer node may have written it. */
static void
add_field(struct record *rec, struct str name, struct str value)
{
    cache_scope_id ids[CACHE_PREFIX_SCOPES];
    ptrdiff_t question;

    if (str_eq_lit(name, "scopes"))
        add_hex_scopes(rec, value);
    else if (str_eq_lit(name, "soft"))
        rec->is_soft = str_eq_lit(value, "1");
    else if (str_eq_lit(name, "what"))
        rec->what = value;
    else if (str_eq_lit(name, "by"))
        rec->by = value;
    else if (str_eq_lit(name, "node"))
        rec->node = value;
    else if (str_eq_lit(name, "begin"))
        rec->is_begin = true;
    else if (str_eq_lit(name, "count"))
        rec->is_counted = str_eq_lit(value, "1");
    else if (str_eq_lit(name, "all"))
        add_scope(rec, SCOPE_ALL);
    else if (str_eq_lit(name, "tag"))
        add_scope(rec, cache_scope(SCOPE_TAG, value));
    else if (str_eq_lit(name, "api")) {
        add_scope(rec, cache_scope(SCOPE_API, value));
        add_scope(rec, cache_scope_unowned());
    } else if (str_eq_lit(name, "key"))
        add_scope(rec, key_scope(value));
    else if (str_eq_lit(name, "path"))
        add_scope(rec, cache_scope_path(value));
    else if (str_eq_lit(name, "url") && (question = str_find_char(value, '?', 0)) < 0)
        add_scope(rec, cache_scope_path(value));
    else if (str_eq_lit(name, "url"))
        add_scope(rec, cache_scope_url(str_sub(value, 0, (size_t)question), str_skip(value, (size_t)question + 1), NULL, 0));
    else if (str_eq_lit(name, "prefix")) {
        cache_prefix_scopes(value, ids);
        for (uint32_t i = 0; i < CACHE_PREFIX_SCOPES; i++)
            add_scope(rec, ids[i]);
    }
}

static void
raise_floor(struct external *x, uint64_t to)
{
    if (to > atomic_load(&x->floor))
        atomic_store(&x->floor, to);
}

static bool
is_ours(const struct remote *r, const struct record *rec)
{
    return str_eq(rec->node, str_from_c(r->x->name)) || !rec->node.len;
}

/* What a counted purge is about to drop here, for the receipt of the node that made it; UINT64_MAX: nobody asks. The oldest that has not
 * been written down gives way. x->lock is held. */
static uint64_t
count_record(struct remote *r, const struct record *rec, uint64_t number)
{
    struct external *x = r->x;
    uint64_t entries;

    if (!rec->is_counted)
        return UINT64_MAX;
    entries = cache_count_live(r->memory, rec->scopes, rec->n, loop_now_ms(r->loop));
    if (is_ours(r, rec))
        return entries;
    if (x->n_counts == PURGE_COUNTS_MAX)
        memmove(x->counts, x->counts + 1, --x->n_counts * sizeof(x->counts[0]));
    x->counts[x->n_counts++] = (struct purge_count){number, entries};
    return entries;
}

/* For people: what was purged, by whom, on which node. */
static void
note_record(struct remote *r, const struct record *rec, uint64_t number, uint64_t entries)
{
    struct purge_note head = {.generation = number, .at_s = loop_wall_ns(r->loop) / 1000000000, .entries = entries,
                              .is_soft = rec->is_soft};
    char by[JOURNAL_BY_MAX + 1];
    bool is_own = is_ours(r, rec);
    int n = is_own ? 0 : snprintf(by, sizeof(by), "%.*s%snode %.*s", STR_ARG(rec->by), rec->by.len ? ", " : "", STR_ARG(rec->node));

    purge_journal_add(cache_journal(r->memory), &head, rec->scopes, rec->n, rec->what,
                      is_own ? rec->by : str_from(by, MIN((size_t)n, sizeof(by) - 1)));
}

/* One entry of the stream, in order: [id, [name, value, ...]]. x->lock is held. */
static void
apply_record(struct remote *r, struct resp entry)
{
    struct external *x = r->x;
    struct record rec = {0};
    struct resp id, fields, field;
    uint64_t number;

    if (!resp_item(entry, 0, &id) || !resp_item(entry, 1, &fields) || !(number = external_generation_parse(resp_text(id))) ||
        number <= atomic_load(&x->applied))
        return;
    field = resp_is_list(fields) ? resp_first(fields) : fields;
    for (uint32_t i = 0; resp_is_list(fields) && i + 1 < resp_n(fields); i += 2) {
        struct resp value = resp_next(field);

        add_field(&rec, resp_text(field), resp_text(value));
        field = resp_next(value);
    }
    if (rec.is_begin)
        raise_floor(x, number);
    if (rec.n) {
        uint64_t entries = count_record(r, &rec, number);

        cache_purge_at(r->memory, rec.scopes, rec.n, rec.is_soft, number);
        note_record(r, &rec, number, entries);
    }
    cache_generation_raise(r->memory, number);
    atomic_store(&x->applied, number);
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

/* What one question for the generations has brought. */
struct inquiry {
    struct remote *r;
    uint64_t before;                  /* what was applied when it was sent */
    uint64_t first, last;             /* of the stream; 0: it is empty */
    uint32_t n;                       /* entries that came */
    bool is_bad;                      /* the store could not answer */
    char error[120];
};

static uint64_t
id_of_first(struct resp list)
{
    struct resp entry, id;

    return resp_is_list(list) && resp_item(list, 0, &entry) && resp_item(entry, 0, &id)
               ? external_generation_parse(resp_text(id)) : 0;
}

static void
say_bad(struct inquiry *q, struct resp reply)
{
    struct str text = resp_type(reply) == RESP_ERROR ? resp_text(reply) : STR("an answer of another kind");

    if (!q->is_bad)
        snprintf(q->error, sizeof(q->error), "%.*s", STR_ARG(text));
    q->is_bad = true;
}

static void
take_last(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct inquiry *q = ctx;

    if (!resp_is_list(reply))
        say_bad(q, reply);
    q->last = id_of_first(reply);
}

static void
take_first(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct inquiry *q = ctx;

    if (!resp_is_list(reply))
        say_bad(q, reply);
    q->first = id_of_first(reply);
}

/* RESP3: {stream: [entries]}; RESP2: [[stream, [entries]]]. */
static void
take_entries(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct inquiry *q = ctx;
    struct external *x = q->r->x;
    struct resp list, pair, entry;

    if (resp_type(reply) == RESP_NULL)
        return;
    if (!(resp_type(reply) == RESP_MAP ? resp_item(reply, 1, &list) : resp_item(reply, 0, &pair) && resp_item(pair, 1, &list)) ||
        !resp_is_list(list)) {
        say_bad(q, reply);
        return;
    }
    pthread_mutex_lock(&x->lock);
    entry = resp_first(list);
    for (q->n = 0; q->n < resp_n(list); q->n++, entry = resp_next(entry))
        apply_record(q->r, entry);
    pthread_mutex_unlock(&x->lock);
}

static struct str
node_id_text(uint64_t id, char text[NODE_ID_TEXT])
{
    return str_from(text, (size_t)snprintf(text, NODE_ID_TEXT, "%016" PRIx64, id));
}

/* What a node says of itself: applied " " beat " " name. */
static struct str
node_text(struct remote *r, uint64_t applied, char text[NODE_TEXT])
{
    uint64_t beat = atomic_fetch_add(&r->x->beats, 1) + 1;

    return str_from(text, (size_t)snprintf(text, NODE_TEXT, "%" PRIu64 " %" PRIu64 " %s", applied, beat, r->x->name));
}

/* Nobody can wait for a node that may not be on the list: it may not use what it knows. A store that is full takes no purges either. */
static void
take_listed(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    if (resp_type(reply) == RESP_ERROR && str_starts_with(resp_text(reply), STR("NOPERM ")))
        say_bad(ctx, reply);
}

/* Who asks is on the list of nodes first, so that a purge which the answer does not know waits for it. */
static bool
ask_once(struct remote *r, struct inquiry *q, uint64_t *ret_sent_ns)
{
    char from[40], id[NODE_ID_TEXT], text[NODE_TEXT];
    struct str node[] = {STR("HSETNX"), KEY_NODES, node_id_text(r->x->id, id), node_text(r, atomic_load(&r->x->applied), text)};
    struct str last[] = {STR("XREVRANGE"), KEY_PURGES, STR("+"), STR("-"), STR("COUNT"), STR("1")};
    struct str first[] = {STR("XRANGE"), KEY_PURGES, STR("-"), STR("+"), STR("COUNT"), STR("1")};
    struct str read[] = {STR("XREAD"), STR("COUNT"), STR("1000"), STR("STREAMS"), KEY_PURGES, STR_NONE};
    struct redis_ask asks[] = {{node, COUNTOF(node), take_listed, q, 0, 0}, {last, COUNTOF(last), take_last, q, 0, 0},
                               {first, COUNTOF(first), take_first, q, 0, 0}, {read, COUNTOF(read), take_entries, q, 0, 0}};

    *q = (struct inquiry){.r = r, .before = atomic_load(&r->x->applied)};
    read[5] = external_generation_text(q->before, from);
    if (!redis_client_run(r->client, KEY_PURGES, asks, COUNTOF(asks), remote_deadline(r), NULL) || q->is_bad)
        return false;
    remote_heard(r, asks[3].member, asks[3].sent_ns);
    *ret_sent_ns = asks[3].sent_ns;
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

#define WHY_MAX 120u
#define PURGED_LIFE_MS "60000"       /* of what nodes say about one purge: its receipt has been given long before */
#define DROPPED_TEXT_MAX 8192u

struct added {
    uint64_t number;                  /* 0: it was not written */
    char why[WHY_MAX];                /* then */
};

static void
take_added(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct added *a = ctx;

    if (resp_type(reply) == RESP_STRING)
        a->number = external_generation_parse(resp_text(reply));
    if (resp_type(reply) == RESP_ERROR)
        snprintf(a->why, sizeof(a->why), "%.*s", STR_ARG(resp_text(reply)));
    else if (!a->number)
        snprintf(a->why, sizeof(a->why), "an answer of another kind");
}

/* False when nobody answered. Yields. */
static bool
write_entry(struct remote *r, const struct str *words, uint32_t n, struct added *ret)
{
    struct redis_ask ask = {words, n, take_added, ret, 0, 0};
    struct err err = ERR_INIT;

    *ret = (struct added){0};
    if (redis_client_run(r->client, KEY_PURGES, &ask, 1, remote_deadline(r), &err))
        return true;
    snprintf(ret->why, sizeof(ret->why), "%s", err.text);
    return false;
}

static struct str
scopes_text(const cache_scope_id *scopes, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%016" PRIx64, i ? "," : "", scopes[i]);
    return buf_str(b);
}

/* The generation of the purge; 0: it was not written, and `added` says why. Yields. */
static uint64_t
write_purge(struct remote *r, const struct purge_order *order, struct added *added)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str words[] = {STR("XADD"), KEY_PURGES, STR("MAXLEN"), STR("~"), STR(LOG_LENGTH), STR("*"),
        STR("scopes"), scopes_text(order->scopes, order->n, &b), STR("soft"), order->is_soft ? STR("1") : STR("0"),
        STR("what"), str_sub(order->what, 0, 200), STR("by"), str_sub(order->by, 0, 100), STR("node"), str_from_c(r->x->name),
        STR("count"), order->is_counted ? STR("1") : STR("0")};

    return write_entry(r, words, COUNTOF(words), added) ? added->number : 0;
}

/* An entry that is no purge: `begin`, everything born before it is dead; `raise`, numbers go on above it. Refused when another
 * node was quicker: what that one wrote is read in the next round. False when nobody answered. Yields. */
static bool
write_mark(struct remote *r, struct str what, struct added *added)
{
    char text[40];
    uint64_t above = MAX(atomic_load(&r->x->applied), cache_generation(r->memory)) + 1;
    struct str id = above >= CLOCK_NUMBERS ? external_generation_text(above, text) : STR("*");
    struct str words[] = {STR("XADD"), KEY_PURGES, id, what, STR("1"), STR("node"), str_from_c(r->x->name)};

    return write_entry(r, words, COUNTOF(words), added);
}

static void
keep_pending(struct external *x, const struct purge_order *order)
{
    pthread_mutex_lock(&x->lock);
    if (x->pending.n >= PENDING_MAX) {
        x->pending.n = 1;
        x->pending.v[0] = (struct pending_purge){.scopes = {SCOPE_ALL}, .n = 1};
    } else {
        for (size_t i = 0; i < order->n; i += COUNTOF(((struct pending_purge *)0)->scopes)) {
            struct pending_purge *p = vec_push(&x->pending);

            *p = (struct pending_purge){.is_soft = order->is_soft};
            for (; p->n < COUNTOF(p->scopes) && i + p->n < order->n; p->n++)
                p->scopes[p->n] = order->scopes[i + p->n];
        }
    }
    atomic_store(&x->n_pending, (uint32_t)x->pending.n);
    pthread_mutex_unlock(&x->lock);
}

static bool
take_pending(struct external *x, struct pending_purge *ret)
{
    bool any;

    pthread_mutex_lock(&x->lock);
    any = x->pending.n > 0;
    if (any)
        *ret = x->pending.v[--x->pending.n];
    atomic_store(&x->n_pending, (uint32_t)x->pending.n);
    pthread_mutex_unlock(&x->lock);
    return any;
}

/* Purges that were made while the store was away. Yields. */
static bool
write_pending(struct remote *r, struct added *added)
{
    struct pending_purge p;

    while (take_pending(r->x, &p)) {
        struct purge_order order = {.scopes = p.scopes, .n = p.n, .is_soft = p.is_soft, .what = STR("made while away")};

        if (write_purge(r, &order, added))
            continue;
        keep_pending(r->x, &order);
        return false;
    }
    return true;
}

/* Why the store is not used although it answers: once, until it has worked again. That nobody answered is the link's to tell. */
static void
warn_once(struct remote *r, const char *what, const char *why)
{
    bool expected = false;

    if (!*why || !atomic_compare_exchange_strong(&r->x->has_warned, &expected, true))
        return;
    external_tell(r->x, LOG_WARN, "cache: the purges of other nodes cannot be %s (%s), so nothing is served from the external cache",
                  what, why);
}

/* --- the lease ----------------------------------------------------------------------------------------------------- */

static void
extend_lease(struct remote *r, uint64_t sent_ns)
{
    uint64_t until_ms = sent_ns / 1000000 + LEASE_MS, old = atomic_load(&r->x->fresh_until_ms);

    while (old < until_ms && !atomic_compare_exchange_weak(&r->x->fresh_until_ms, &old, until_ms))
        ;
    cache_lease_extend(r->memory, until_ms);
}

/* What is not as it should be after a question was answered, and what was done about it. */
enum mending { NOTHING_TO_MEND, MENDED, CANNOT_MEND };

/* added: what has become of the last entry that was written, here or in an earlier round. Yields. */
static enum mending
mend(struct remote *r, const struct inquiry *q, uint32_t *marks, struct added *added)
{
    struct external *x = r->x;

    if (q->last < q->before || q->last == 0)
        return ++*marks <= MARKS_MAX && write_mark(r, STR("begin"), added) ? MENDED : CANNOT_MEND;
    if (q->before == 0)
        raise_floor(x, q->first);
    if (q->before && q->first > q->before) {
        raise_floor(x, q->first);
        cache_forget(r->memory);
    }
    if (q->n >= BATCH)
        return MENDED;                /* there is more */
    if (atomic_load(&x->n_pending))
        return write_pending(r, added) ? MENDED : CANNOT_MEND;
    if (cache_generation(r->memory) > atomic_load(&x->applied)) {
        atomic_store(&x->born_min, cache_generation(r->memory) + 1);
        return ++*marks <= MARKS_MAX && write_mark(r, STR("raise"), added) ? MENDED : CANNOT_MEND;
    }
    return NOTHING_TO_MEND;
}

/* Reads until there is nothing new, and mends what does not fit. Yields. */
static bool
catch_up(struct remote *r)
{
    struct added added = {0};
    struct inquiry q;
    uint64_t sent_ns;
    uint32_t marks = 0;

    for (uint32_t i = 0; i < BATCHES_MAX && !r->is_ending; i++) {
        if (!ask_once(r, &q, &sent_ns)) {
            warn_once(r, "read", q.is_bad ? q.error : "");
            return false;
        }
        switch (mend(r, &q, &marks, &added)) {
        case MENDED: continue;
        case CANNOT_MEND: warn_once(r, "written", added.why); return false;
        case NOTHING_TO_MEND: break;
        }
        atomic_store(&r->x->has_warned, false);
        extend_lease(r, sent_ns);
        return true;
    }
    return false;
}

/* One fiber a worker asks at a time; whoever needs an answer to a question of its own waits for its turn. Yields. */
static bool
confirm(struct remote *r, bool only_if_stale)
{
    struct external *x = r->x;
    bool ok;

    while (r->is_confirming) {
        if (r->is_ending || !fiber_cond_wait(&r->confirmed, remote_deadline(r), NULL))
            return false;
        if (only_if_stale && loop_now_ms(r->loop) < atomic_load(&x->fresh_until_ms))
            return true;
    }
    if (r->is_ending)
        return false;
    r->is_confirming = true;
    ok = catch_up(r);
    r->is_confirming = false;
    fiber_cond_broadcast(&r->confirmed);
    return ok;
}

bool
remote_is_fresh(struct remote *r)
{
    if (loop_now_ms(r->loop) < atomic_load(&r->x->fresh_until_ms) && !atomic_load(&r->x->n_pending))
        return true;
    return confirm(r, true);
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */

/* A look at the list. While the store was away nobody could say anything, so that time makes nobody silent; and a store that comes
 * and goes every few seconds does not keep a dead node alive, as what passes between absences adds up. Where it takes nothing from us
 * it takes nothing from others. x->lock is held. */
static void
listen_on(struct external *x, uint64_t now_ms)
{
    if (x->looked_ms && now_ms > x->looked_ms && !atomic_load(&x->is_refused))
        x->listened_ms += MIN(now_ms - x->looked_ms, (uint64_t)LISTEN_GAP_MS);
    x->looked_ms = MAX(now_ms, x->looked_ms);
}

/* x->lock is held. */
static void
hear_node(struct external *x, struct str id_text, struct str text)
{
    struct str applied_text, beat_text;
    uint64_t id, applied, beat;
    struct node *n = NULL;

    if (!num_parse_hex(id_text, &id, NULL) || !str_split_next(&text, ' ', &applied_text) ||
        !str_split_next(&text, ' ', &beat_text) || !num_parse_u64(applied_text, UINT64_MAX, &applied, NULL) ||
        !num_parse_u64(beat_text, UINT64_MAX, &beat, NULL))
        return;
    for (uint32_t i = 0; i < x->n_nodes && !n; i++)
        n = x->nodes[i].id == id ? &x->nodes[i] : NULL;
    if (!n && x->n_nodes == NODES_MAX)
        return;
    if (!n) {
        n = &x->nodes[x->n_nodes++];
        *n = (struct node){.id = id, .heard_ms = x->listened_ms};
        snprintf(n->name, sizeof(n->name), "%.*s", STR_ARG(text));
    }
    if (n->applied != applied || n->beat != beat)
        n->heard_ms = x->listened_ms;
    n->applied = applied;
    n->beat = beat;
}

/* Who is not on the list any more is forgotten, but not soon: the list may have been lost with the store's data, and who was
 * on it is about to come back. Who ends in peace says so. x->lock is held. */
static void
keep_listed(struct external *x, struct resp map)
{
    for (uint32_t i = 0; i < x->n_nodes;) {
        char id[NODE_ID_TEXT];
        struct resp value;

        if (x->listened_ms < x->nodes[i].heard_ms + NODE_FORGOTTEN_MS || resp_field(map, node_id_text(x->nodes[i].id, id), &value))
            i++;
        else
            x->nodes[i] = x->nodes[--x->n_nodes];
    }
}

static void
take_nodes(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct remote *r = ctx;
    struct resp item;

    if (!resp_is_list(reply))
        return;
    pthread_mutex_lock(&r->x->lock);
    listen_on(r->x, MAX(loop_now_ms(r->loop), (uint64_t)1));
    item = resp_n(reply) ? resp_first(reply) : reply;
    for (uint32_t i = 0; i + 1 < resp_n(reply); i += 2) {
        struct resp value = resp_next(item);

        hear_node(r->x, resp_text(item), resp_text(value));
        item = resp_next(value);
    }
    keep_listed(r->x, reply);
    pthread_mutex_unlock(&r->x->lock);
}

/* Sends commands whose failure changes nothing here. Yields. */
static void
run_anyway(struct remote *r, struct str key, struct redis_ask *asks, uint32_t n)
{
    if (!redis_client_run(r->client, key, asks, n, remote_deadline(r), NULL))
        external_count(r->x, EXTERNAL_AWAY);
}

/* Yields. */
static void
read_nodes(struct remote *r)
{
    struct str words[] = {STR("HGETALL"), KEY_NODES};
    struct redis_ask ask = {words, COUNTOF(words), take_nodes, r, 0, 0};

    run_anyway(r, KEY_NODES, &ask, 1);
}

static struct str
purged_key(uint64_t number, char text[64])
{
    return str_from(text, (size_t)snprintf(text, 64, "{headgate}:purged:%" PRIu64, number));
}

static bool
take_count(struct external *x, struct purge_count *ret)
{
    bool any;

    pthread_mutex_lock(&x->lock);
    any = x->n_counts > 0;
    if (any)
        *ret = x->counts[--x->n_counts];
    pthread_mutex_unlock(&x->lock);
    return any;
}

/* What purges of others have dropped here, for their receipts. Yields. */
static void
write_counts(struct remote *r)
{
    struct purge_count count;

    while (take_count(r->x, &count)) {
        char key[64], id[NODE_ID_TEXT], text[NODE_TEXT];
        int n = snprintf(text, sizeof(text), "%" PRIu64 " %s", count.entries, r->x->name);
        struct str put[] = {STR("HSET"), purged_key(count.number, key), node_id_text(r->x->id, id), str_from(text, (size_t)n)};
        struct str life[] = {STR("PEXPIRE"), put[1], STR(PURGED_LIFE_MS)};
        struct redis_ask asks[] = {{put, COUNTOF(put), NULL, NULL, 0, 0}, {life, COUNTOF(life), NULL, NULL, 0, 0}};

        run_anyway(r, KEY_PURGES, asks, COUNTOF(asks));
    }
}

static void
take_written(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct external *x = ctx;

    atomic_store(&x->is_refused, resp_type(reply) == RESP_ERROR);
}

/* How far we are, for the others. Yields. */
static void
write_node(struct remote *r, uint64_t applied)
{
    char id[NODE_ID_TEXT], text[NODE_TEXT];
    struct str words[] = {STR("HSET"), KEY_NODES, node_id_text(r->x->id, id), STR_NONE};
    struct str all[] = {STR("HGETALL"), KEY_NODES};
    struct redis_ask asks[] = {{words, COUNTOF(words), take_written, r->x, 0, 0}, {all, COUNTOF(all), take_nodes, r, 0, 0}};

    atomic_store(&r->x->said_ms, loop_now_ms(r->loop));
    words[3] = node_text(r, applied, text);
    run_anyway(r, KEY_NODES, asks, COUNTOF(asks));
}

/* Yields. */
static void
remove_node(struct remote *r, uint64_t id)
{
    char text[NODE_ID_TEXT];
    struct str words[] = {STR("HDEL"), KEY_NODES, node_id_text(id, text)};
    struct redis_ask ask = {words, COUNTOF(words), NULL, NULL, 0, 0};

    run_anyway(r, KEY_NODES, &ask, 1);
}

/* A node that has not been heard of for so long that it is taken off the list; 0: none. */
static uint64_t
dead_node(struct external *x)
{
    uint64_t id = 0;

    pthread_mutex_lock(&x->lock);
    for (uint32_t i = 0; i < x->n_nodes && !id; i++)
        if (x->listened_ms > x->nodes[i].heard_ms + NODE_FORGOTTEN_MS && x->nodes[i].id != x->id)
            id = x->nodes[i].id;
    pthread_mutex_unlock(&x->lock);
    return id;
}

/* Yields. */
static void
remove_dead_node(struct remote *r)
{
    uint64_t id = dead_node(r->x);

    if (id)
        remove_node(r, id);
}

static void
pulse_fiber(void *arg)
{
    struct remote *r = arg;
    uint64_t applied;
    uint32_t member;

    do {
        r->pulse_again = false;
        if (!remote_member(r, KEY_PURGES, &member) || !confirm(r, false))
            break;
        applied = atomic_load(&r->x->applied);
        write_counts(r);              /* of all that is applied so far: who sees the number below finds them */
        write_node(r, applied);
        remove_dead_node(r);
    } while (r->pulse_again && !r->is_ending);
    r->is_pulsing = false;
}

/* One worker pulses for the node; when it says nothing any more, since it has no connection, another one that has takes over. */
static bool
has_pulse(struct remote *r)
{
    struct external *x = r->x;
    uint32_t member;

    if (atomic_load(&x->has_ended))
        return false;
    if (atomic_load(&x->pulse_worker) == r->worker)
        return true;
    if (loop_now_ms(r->loop) < atomic_load(&x->said_ms) + LISTEN_GAP_MS || !remote_member(r, KEY_NODES, &member))
        return false;
    atomic_store(&x->pulse_worker, r->worker);
    return true;
}

void
remote_pulse(struct remote *r)
{
    r->pulse_again = true;
    if (!has_pulse(r) || r->is_pulsing || r->is_ending)
        return;
    r->is_pulsing = true;
    if (!remote_start(r, pulse_fiber, r))
        r->is_pulsing = false;
}

static void
goodbye_fiber(void *arg)
{
    struct remote *r = arg;

    write_node(r, NODE_GONE);
}

void
remote_say_goodbye(struct remote *r)
{
    uint32_t member;

    if (atomic_load(&r->x->pulse_worker) != r->worker)
        return;
    atomic_store(&r->x->has_ended, true);
    if (!remote_member(r, KEY_NODES, &member))
        return;
    if (!remote_start(r, goodbye_fiber, r))
        external_count(r->x, EXTERNAL_AWAY); /* the others find out by themselves */
}

/* --- purging ------------------------------------------------------------------------------------------------------- */

/* Who has not applied this purge. Fills the receipt; *ret_waits: someone of them was heard of lately. */
static void
count_nodes(struct remote *r, uint64_t number, struct purge_receipt *receipt, bool *ret_waits)
{
    struct external *x = r->x;

    buf_clear(&r->outstanding);
    receipt->nodes_reached = 1;
    receipt->nodes_outstanding = 0;
    *ret_waits = false;
    pthread_mutex_lock(&x->lock);
    for (uint32_t i = 0; i < x->n_nodes; i++) {
        const struct node *n = &x->nodes[i];

        if (n->id == x->id || n->applied == NODE_GONE)
            continue;
        if (n->applied >= number) {
            receipt->nodes_reached++;
            continue;
        }
        receipt->nodes_outstanding++;
        *ret_waits |= x->listened_ms < n->heard_ms + NODE_SILENT_MS;
        buf_printf(&r->outstanding, "%s%s", r->outstanding.len ? ", " : "", n->name);
    }
    pthread_mutex_unlock(&x->lock);
    receipt->outstanding = r->outstanding.len ? buf_str(&r->outstanding) : STR("");
}

/* Until all nodes that live have applied it, or could not use what they knew before any more. Yields. */
static void
wait_for_nodes(struct remote *r, uint64_t number, struct purge_receipt *receipt)
{
    uint64_t end_ms = loop_now_ms(r->loop) + ACK_MS;
    struct err err = ERR_INIT;
    bool waits;

    do {
        read_nodes(r);
        count_nodes(r, number, receipt, &waits);
        if (!waits || r->is_ending || loop_now_ms(r->loop) >= end_ms)
            return;
    } while (fiber_cond_wait(&r->nodes_changed, MIN(end_ms, loop_now_ms(r->loop) + LOOK_AGAIN_MS), &err) ||
             err.code == ERR_TIMEOUT);
}

static void
take_dropped(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct remote *r = ctx;
    struct resp item;

    buf_clear(&r->dropped);
    if (!resp_is_list(reply) || !resp_n(reply))
        return;
    item = resp_first(reply);
    for (uint32_t i = 0; i + 1 < resp_n(reply) && r->dropped.len < DROPPED_TEXT_MAX; i += 2) {
        struct resp value = resp_next(item);

        buf_printf(&r->dropped, "%s%.*s", r->dropped.len ? ", " : "", STR_ARG(resp_text(value)));
        item = resp_next(value);
    }
}

/* How much the other nodes dropped, as far as they have said. Yields. */
static void
read_dropped(struct remote *r, uint64_t number, struct purge_receipt *receipt)
{
    char key[64];
    struct str words[] = {STR("HGETALL"), purged_key(number, key)};
    struct redis_ask ask = {words, COUNTOF(words), take_dropped, r, 0, 0};

    buf_clear(&r->dropped);
    run_anyway(r, KEY_PURGES, &ask, 1);
    receipt->dropped = r->dropped.len ? buf_str(&r->dropped) : STR("");
}

static void
remove_name(struct remote *r, struct str name)
{
    struct str words[] = {STR("DEL"), name};
    struct redis_ask ask = {words, COUNTOF(words), NULL, NULL, 0, 0};

    external_count(r->x, EXTERNAL_REMOVES);
    run_anyway(r, name, &ask, 1);
}

void
remote_purge(struct remote *r, const struct purge_order *order, struct str del, struct purge_receipt *ret)
{
    struct added added;
    uint32_t member;
    uint64_t number = 0;

    *ret = (struct purge_receipt){.nodes_reached = 1, .outstanding = STR(""), .dropped = STR("")};
    external_count(r->x, EXTERNAL_PURGES);
    if (remote_member(r, KEY_PURGES, &member))
        number = write_purge(r, order, &added);
    if (number && confirm(r, false) && atomic_load(&r->x->applied) >= number) {
        ret->is_shared = true;
        ret->generation = number;
        if (del.p)
            remove_name(r, del);
        wait_for_nodes(r, number, ret);
        if (order->is_counted && ret->nodes_reached > 1)
            read_dropped(r, number, ret);
        if (ret->nodes_outstanding)
            external_count(r->x, EXTERNAL_PURGES_OUTSTANDING);
        return;
    }
    external_count(r->x, EXTERNAL_PURGES_ALONE);
    /* At once here; with the others when the store is back. */
    ret->generation = cache_purge(r->memory, order->scopes, order->n, order->is_soft, NULL);
    if (!number)
        keep_pending(r->x, order);
    count_nodes(r, UINT64_MAX, ret, &(bool){false});
}

/* --- purges on the channel ----------------------------------------------------------------------------------------- */

struct message_purge {
    struct remote *r;
    struct record record;
};

static void
message_fiber(void *arg)
{
    struct message_purge *m = arg;
    struct purge_order order = {.scopes = m->record.scopes, .n = m->record.n, .is_soft = m->record.is_soft,
                                .what = STR("a message"), .by = STR("channel")};
    struct purge_receipt receipt;

    remote_purge(m->r, &order, STR_NONE, &receipt);
    free(m);
}

void
remote_on_message(struct remote *r, struct str text)
{
    struct message_purge *m = xcalloc(1, sizeof(*m));
    struct str word;

    text = str_trim(text);
    m->r = r;
    if (str_starts_with(text, STR("soft "))) {
        m->record.is_soft = true;
        text = str_skip(text, 5);
    }
    if (str_eq_lit(text, "all"))
        add_scope(&m->record, SCOPE_ALL);
    else if (str_split_next(&text, ' ', &word) && text.len && !str_eq_lit(word, "scopes") && !str_eq_lit(word, "soft"))
        add_field(&m->record, word, text);
    if (m->record.n == 0)
        external_count(r->x, EXTERNAL_ODD);
    if (m->record.n == 0 || !remote_start(r, message_fiber, m))
        free(m);
}
