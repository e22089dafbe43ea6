/* One fetch for many misses: within a worker, across workers, with variants, failures, purges and limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/flight.c"
#include "http/body.h"
#include "rt/sync.h"
#include "test.h"

static struct cache *
new_cache(void)
{
    return cache_new(&(struct cache_limits){.bytes_max = 8 << 20, .workers = 4});
}

static struct cache_key
key_of(struct buf *b, const char *name)
{
    struct cache_key key = {0};

    cache_key_begin(b, CACHE_RESPONSE);
    cache_key_add(b, str_from_c(name));
    EXPECT(cache_key_end(b, &key));
    return key;
}

/* A request with one field, "lang". */
static struct str
lang_of(void *ctx, struct str name)
{
    return str_eq_lit(name, "lang") ? str_from_c(ctx) : STR_NONE;
}

struct client {
    struct cache *cache;
    struct loop *loop;
    const char *key, *lang;
    struct cache_request request;
    struct cache_enter how;
    struct cache_entered got;
    bool is_done;
};

static void
enter(void *arg)
{
    struct client *cl = arg;
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, cl->key);

    cl->request = (struct cache_request){lang_of, (void *)cl->lang};
    cl->how.request = &cl->request;
    cl->how.loop = cl->loop;
    cache_enter(cl->cache, &key, &cl->how, &cl->got);
    cl->is_done = true;
}

static struct client
client(struct cache *c, struct loop *loop, const char *key, const char *lang)
{
    return (struct client){.cache = c, .loop = loop, .key = key, .lang = lang,
                           .how = {.wait_ms = 60000, .may_lead = true, .may_refresh = true, .wants_stale = true}};
}

static void
start(struct client *cl)
{
    EXPECT(fiber_start(cl->loop, enter, cl, NULL));
}

static bool
publish_as(struct cache *c, const char *name, const char *lang, uint64_t born, uint64_t now, uint32_t revalidate_s, uint32_t error_s)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT, vary AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    struct cache_item item = {.key = key_of(&b, name), .born = born, .stored_ms = now, .expires_ms = now + 1000000,
                              .revalidate_s = revalidate_s, .error_s = error_s, .status = 200, .scopes = &scopes};

    cache_scopes_add(&scopes, cache_scope(SCOPE_TAG, str_from_c(name)));
    item.stale_until_ms = item.expires_ms + MAX(revalidate_s, error_s) * 1000;
    if (lang)
        cache_vary_add(&vary, STR("lang"), str_from_c(lang));
    item.vary = vary.len ? buf_str(&vary) : STR_NONE;
    return cache_store(c, &item, STR("body"), NULL);
}

static void
drop(struct client *cl)
{
    cache_entry_unref(cl->got.entry);
    cache_fill_unref(cl->got.fill);
    cl->got = (struct cache_entered){0};
}

struct stand {
    struct clock clock;
    struct loop *loop;
    struct cache *cache;
};

static void
set_up(struct stand *s)
{
    struct err err;

    *s = (struct stand){0};
    s->loop = loop_new(&(struct loop_options){.clock = &s->clock}, &err);
    loop_set_self(s->loop);
    s->cache = new_cache();
}

static void
tear_down(struct stand *s)
{
    loop_turn(s->loop, 0);
    EXPECT_EQ(cache_flights(s->cache), 0);
    cache_check(s->cache);
    cache_delete(s->cache);
    loop_delete(s->loop);
}

static void
turn(struct stand *s)
{
    for (int i = 0; i < 5; i++)
        loop_turn(s->loop, 0);
}

static void
advance(struct stand *s, uint64_t ms)
{
    clock_advance(&s->clock, (int64_t)ms * 1000000);
    turn(s);
}

TEST(the_second_miss_waits_and_is_served_by_the_first_one_s_fetch)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL);

    start(&a);
    start(&b);
    EXPECT(a.is_done && a.got.part == CACHE_FETCH && a.got.flight);
    EXPECT(!b.is_done);
    EXPECT(publish_as(s.cache, "k", NULL, cache_generation(s.cache), loop_now_ms(s.loop), 0, 0));
    cache_flight_end(a.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    turn(&s);
    EXPECT(b.is_done && b.got.part == CACHE_SERVE && b.got.verdict == CACHE_HIT && b.got.has_waited);
    drop(&b);
    tear_down(&s);
}

TEST(followers_read_along_as_soon_as_the_head_is_known)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL);
    struct client c = client(s.cache, s.loop, "k", NULL);
    struct buf kb AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = {.key = key_of(&kb, "k"), .born = cache_generation(s.cache), .stored_ms = loop_now_ms(s.loop),
                              .expires_ms = loop_now_ms(s.loop) + 1000, .status = 200, .head = STR("head")};
    struct cache_fill *f = cache_fill_begin(s.cache, -1);

    start(&a);
    start(&b);
    cache_flight_head(a.got.flight, cache_head_new(s.cache, &item), cache_fill_ref(f));
    turn(&s);
    EXPECT(b.is_done && b.got.part == CACHE_FOLLOW && b.got.fill);
    EXPECT_STR(cache_entry_head(b.got.entry), "head");
    start(&c); /* comes later, while the body still comes */
    EXPECT(c.is_done && c.got.part == CACHE_FOLLOW);
    cache_fill_add(f, STR("all"));
    EXPECT(cache_fill_commit(f, &item, NULL, NULL));
    cache_flight_end(a.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    drop(&b);
    drop(&c);
    tear_down(&s);
}

/* What breaks off, or becomes too large to be kept, between a client's look and its first read: it fetches for itself. */
TEST(who_comes_too_late_to_follow_is_alone)
{
    static char megabyte[1 << 20];

    for (int too_large = 0; too_large < 2; too_large++) {
        struct stand s;
        set_up(&s);
        struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL), c = b;
        struct arena arena = ARENA(NULL, 1 << 20);
        struct buf kb AUTO(buf_destroy) = BUF_INIT;
        struct cache_item item = {.key = key_of(&kb, "k"), .born = cache_generation(s.cache), .stored_ms = loop_now_ms(s.loop),
                                  .expires_ms = loop_now_ms(s.loop) + 1000, .status = 200, .head = STR("head")};
        struct cache_fill *f = cache_fill_begin(s.cache, -1);

        start(&a);
        start(&b);
        start(&c);
        cache_flight_head(a.got.flight, cache_head_new(s.cache, &item), cache_fill_ref(f));
        turn(&s);
        EXPECT(c.got.part == CACHE_FOLLOW && cache_entered_follow(&c.got, &arena, s.loop) && c.got.entry && !c.got.fill);
        for (int i = 0; i < 9 && too_large; i++)
            cache_fill_add(f, str_from(megabyte, sizeof(megabyte)));
        if (!too_large)
            cache_fill_abort(f);
        EXPECT(b.got.part == CACHE_FOLLOW && !cache_entered_follow(&b.got, &arena, s.loop));
        EXPECT(b.got.part == CACHE_ALONE && !b.got.entry && !b.got.fill);
        if (too_large)
            cache_fill_abort(f);
        cache_flight_end(a.got.flight, FLIGHT_FAILED, loop_now_ms(s.loop));
        drop(&c);
        arena_destroy(&arena);
        tear_down(&s);
    }
}

TEST(a_failed_fetch_is_not_copied_the_next_one_leads)
{
    struct stand s;
    set_up(&s);
    struct client v[4];

    for (int i = 0; i < 4; i++) {
        v[i] = client(s.cache, s.loop, "k", NULL);
        start(&v[i]);
    }
    for (int lead = 0; lead < 4; lead++) {
        int leading = 0;
        for (int i = 0; i < 4; i++)
            leading += v[i].is_done;
        EXPECT_EQ(leading, lead + 1);
        EXPECT_EQ(cache_flights(s.cache), 1);
        for (int i = 0; i < 4; i++) {
            struct cache_flight *f = v[i].got.flight;
            v[i].got.flight = NULL;
            cache_flight_end(f, FLIGHT_FAILED, loop_now_ms(s.loop));
        }
        turn(&s);
    }
    tear_down(&s);
}

TEST(what_cannot_be_shared_sends_all_on_their_ways_and_nobody_waits_for_a_while)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL);
    struct client c = client(s.cache, s.loop, "k", NULL);

    start(&a);
    start(&b);
    cache_flight_end(a.got.flight, FLIGHT_SOLO, loop_now_ms(s.loop));
    turn(&s);
    EXPECT(b.is_done && b.got.part == CACHE_ALONE && !b.got.flight);
    start(&c);
    EXPECT(c.is_done && c.got.part == CACHE_ALONE);
    advance(&s, SOLO_MS);
    c = client(s.cache, s.loop, "k", NULL);
    start(&c);
    EXPECT(c.is_done && c.got.part == CACHE_FETCH);
    cache_flight_end(c.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    tear_down(&s);
}

TEST(a_wait_has_a_limit)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL);

    b.how.wait_ms = 60000;
    start(&a);
    start(&b);
    advance(&s, 20000);
    EXPECT(!b.is_done);
    advance(&s, 41000);
    EXPECT(b.is_done && b.got.part == CACHE_ALONE);
    cache_flight_end(a.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    tear_down(&s);
}

TEST(variants_are_fetched_side_by_side_once_it_is_known_that_there_are_some)
{
    struct stand s;
    set_up(&s);
    struct client de = client(s.cache, s.loop, "k", "de"), fr = client(s.cache, s.loop, "k", "fr");
    struct client fr2 = client(s.cache, s.loop, "k", "fr"), it = client(s.cache, s.loop, "k", "it");

    start(&de);
    start(&fr);
    start(&fr2);
    start(&it);
    EXPECT(de.is_done && !fr.is_done && !it.is_done);
    EXPECT(publish_as(s.cache, "k", "de", cache_generation(s.cache), loop_now_ms(s.loop), 0, 0));
    cache_flight_end(de.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    turn(&s);
    EXPECT(fr.is_done != fr2.is_done); /* one of the two leads, the other waits for it */
    EXPECT(it.is_done && it.got.part == CACHE_FETCH);
    EXPECT_EQ(cache_flights(s.cache), 2);
    struct client *leader = fr.is_done ? &fr : &fr2, *follower = fr.is_done ? &fr2 : &fr;
    EXPECT(publish_as(s.cache, "k", "fr", cache_generation(s.cache), loop_now_ms(s.loop), 0, 0));
    cache_flight_end(leader->got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    cache_flight_end(it.got.flight, FLIGHT_FAILED, loop_now_ms(s.loop));
    turn(&s);
    EXPECT(follower->is_done && follower->got.verdict == CACHE_HIT);
    drop(follower);
    tear_down(&s);
}

TEST(stale_is_served_while_one_refreshes_and_after_a_failure_while_nobody_tries)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL), c;

    EXPECT(publish_as(s.cache, "k", NULL, cache_generation(s.cache), loop_now_ms(s.loop), 1000, 6000));
    advance(&s, 1100000);
    start(&a);
    EXPECT(a.got.part == CACHE_SERVE && a.got.verdict == CACHE_STALE && a.got.flight && a.got.stale_ms >= 100000);
    start(&b);
    EXPECT(b.got.part == CACHE_SERVE && !b.got.flight); /* one refresh is enough */
    cache_flight_end(a.got.flight, FLIGHT_FAILED, loop_now_ms(s.loop));
    drop(&a);
    drop(&b);
    /* Behind the window for revalidation: somebody has to wait, and gets the stale one if fetching fails. */
    advance(&s, 2000000);
    a = client(s.cache, s.loop, "k", NULL);
    start(&a);
    EXPECT(a.got.part == CACHE_FETCH && a.got.entry && a.got.verdict == CACHE_STALE);
    cache_flight_end(a.got.flight, FLIGHT_FAILED, loop_now_ms(s.loop) + 100000); /* room for a slow machine */
    drop(&a);
    c = client(s.cache, s.loop, "k", NULL);
    start(&c);
    EXPECT(c.got.part == CACHE_SERVE && c.got.is_for_error);
    drop(&c);
    advance(&s, 100000 + RETRY_MS);
    c = client(s.cache, s.loop, "k", NULL);
    start(&c);
    EXPECT(c.got.part == CACHE_FETCH);
    cache_flight_end(c.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    drop(&c);
    tear_down(&s);
}

TEST(a_hot_entry_is_refreshed_ahead_of_its_end_once)
{
    struct stand s;
    set_up(&s);
    struct client a;

    EXPECT(publish_as(s.cache, "k", NULL, cache_generation(s.cache), loop_now_ms(s.loop), 0, 0));
    for (int i = 0; i < 3; i++) {
        a = client(s.cache, s.loop, "k", NULL);
        a.how.ahead_percent = 20;
        start(&a);
        EXPECT(a.got.verdict == CACHE_HIT && !a.got.flight);
        drop(&a);
    }
    advance(&s, 850000); /* of 1000 s */
    for (int i = 0; i < 2; i++) {
        struct client *cl = i ? &(struct client){0} : &a;
        *cl = client(s.cache, s.loop, "k", NULL);
        cl->how.ahead_percent = 20;
        start(cl);
        EXPECT(cl->got.verdict == CACHE_HIT);
        EXPECT_EQ(cl->got.flight != NULL, i == 0);
        cache_entry_unref(cl->got.entry);
    }
    cache_flight_end(a.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    tear_down(&s);
}

TEST(nobody_follows_a_fetch_that_began_before_a_purge_they_came_after)
{
    struct stand s;
    set_up(&s);
    struct client a = client(s.cache, s.loop, "k", NULL), b = client(s.cache, s.loop, "k", NULL);
    struct buf kb AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("k"));
    struct cache_item item = {.key = key_of(&kb, "k"), .born = cache_generation(s.cache), .stored_ms = loop_now_ms(s.loop),
                              .expires_ms = loop_now_ms(s.loop) + 1000, .status = 200, .scopes = &scopes};
    struct cache_fill *f = cache_fill_begin(s.cache, -1);
    enum cache_refusal why;

    cache_scopes_add(&scopes, tag);
    start(&a);
    cache_flight_head(a.got.flight, cache_head_new(s.cache, &item), cache_fill_ref(f));
    cache_purge(s.cache, &tag, 1, false, NULL);
    start(&b);
    EXPECT(b.is_done && b.got.part == CACHE_FETCH); /* on its own, not along with the old */
    EXPECT(!cache_fill_commit(f, &item, &why, NULL));
    EXPECT_EQ(why, CACHE_REFUSED_PURGED);
    cache_flight_end(a.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    cache_flight_end(b.got.flight, FLIGHT_LANDED, loop_now_ms(s.loop));
    tear_down(&s);
}

/* ---- across workers ---- */

#define WORKERS 4
#define CLIENTS 250

struct crowd {
    struct cache *cache;
    _Atomic int leads, served, others, left;
};

struct crowd_worker {
    struct crowd *crowd;
    pthread_t thread;
    struct loop *loop;
    struct client clients[CLIENTS];
};

static void
crowd_client(void *arg)
{
    struct client *cl = arg;
    struct crowd *crowd = *(struct crowd **)cl->lang; /* smuggled */
    cl->lang = NULL;

    enter(cl);
    if (cl->got.part == CACHE_FETCH) {
        crowd->leads++;
        fiber_sleep(loop_deadline(cl->loop, 30), NULL);
        EXPECT(publish_as(cl->cache, cl->key, NULL, cache_generation(cl->cache), loop_now_ms(cl->loop), 0, 0));
        cache_flight_end(cl->got.flight, FLIGHT_LANDED, loop_now_ms(cl->loop));
    } else if (cl->got.part == CACHE_SERVE) {
        crowd->served++;
    } else {
        crowd->others++;
    }
    cache_entry_unref(cl->got.entry);
    if (--crowd->left == 0)
        return;
}

static void *
crowd_thread(void *arg)
{
    struct crowd_worker *w = arg;

    loop_set_self(w->loop);
    for (int i = 0; i < CLIENTS; i++)
        EXPECT(fiber_start(w->loop, crowd_client, &w->clients[i], NULL));
    while (w->crowd->left > 0)
        loop_turn(w->loop, 5);
    loop_turn(w->loop, 0);
    return NULL;
}

TEST(a_thousand_clients_on_four_workers_make_one_fetch)
{
    struct crowd crowd = {.cache = new_cache(), .left = WORKERS * CLIENTS};
    struct crowd *smuggled = &crowd;
    struct crowd_worker *w = xnew_array(struct crowd_worker, WORKERS);
    struct err err;

    for (int i = 0; i < WORKERS; i++) {
        w[i].crowd = &crowd;
        w[i].loop = loop_new(&(struct loop_options){.workers = WORKERS}, &err);
        for (int k = 0; k < CLIENTS; k++)
            w[i].clients[k] = client(crowd.cache, w[i].loop, "cold", (const char *)&smuggled);
        pthread_create(&w[i].thread, NULL, crowd_thread, &w[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(w[i].thread, NULL);
    EXPECT_EQ(crowd.leads, 1);
    EXPECT_EQ(crowd.served, WORKERS * CLIENTS - 1);
    EXPECT_EQ(cache_flights(crowd.cache), 0);
    for (int i = 0; i < WORKERS; i++)
        loop_delete(w[i].loop);
    cache_check(crowd.cache);
    cache_delete(crowd.cache);
    free(w);
}
