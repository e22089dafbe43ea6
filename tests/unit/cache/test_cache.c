/* The memory store: by the sentence, against a model, against an LRU, and with threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.c"
#include "cache/entry.c"
#include "base/clock.h"
#include "base/rand.h"
#include "test.h"

#define SECOND 1000u

static struct cache *
small_cache(uint64_t bytes)
{
    return cache_new(&(struct cache_limits){.bytes_max = bytes, .entry_bytes_max = bytes / 2, .workers = 1});
}

/* The key "v" + name, in a buffer of its own. */
static struct cache_key
key_of(struct buf *b, const char *name)
{
    struct cache_key key = {0};

    cache_key_begin(b, CACHE_VALUE);
    cache_key_add(b, str_from_c(name));
    EXPECT(cache_key_end(b, &key));
    return key;
}

static bool
put_text(struct cache *c, const char *name, const char *text, uint64_t now, uint64_t seconds)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = {.key = key_of(&b, name), .born = cache_generation(c), .stored_ms = now,
                              .expires_ms = now + seconds * SECOND};

    return cache_store(c, &item, str_from_c(text), NULL);
}

static enum cache_verdict
look(struct cache *c, const char *name, uint64_t now, struct cache_entry **ret)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, name);

    return cache_find(c, &key, NULL, now, ret);
}

static void
unref(struct cache_entry **e)
{
    cache_entry_unref(*e);
}

static bool
holds(struct cache *c, const char *name, uint64_t now, const char *text)
{
    struct cache_entry *e AUTO(unref) = NULL;
    struct str expected = str_from_c(text);

    if (look(c, name, now, &e) != CACHE_HIT)
        return false;
    for (uint32_t i = 0; i < cache_entry_pieces(e); i++) {
        struct str piece = cache_entry_piece(e, i);
        if (!str_starts_with(expected, piece))
            return false;
        expected = str_skip(expected, piece.len);
    }
    return expected.len == 0;
}

TEST(a_value_is_found_until_it_expires)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *e = NULL;

    EXPECT(put_text(c, "a", "one", 1000, 10));
    EXPECT(holds(c, "a", 1000, "one"));
    EXPECT(holds(c, "a", 10999, "one"));
    EXPECT_EQ(look(c, "a", 11000, &e), CACHE_MISS_EXPIRED);
    EXPECT_EQ(look(c, "a", 11000, &e), CACHE_MISS_ABSENT);
    EXPECT(e == NULL);
    cache_check(c);
    cache_delete(c);
}

TEST(a_newer_store_replaces_and_readers_keep_the_old)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *old = NULL;

    put_text(c, "a", "one", 0, 10);
    EXPECT_EQ(look(c, "a", 0, &old), CACHE_HIT);
    put_text(c, "a", "two", 0, 10);
    EXPECT(holds(c, "a", 0, "two"));
    EXPECT_STR(cache_entry_piece(old, 0), "one");
    cache_entry_unref(old);
    struct cache_stats s;
    cache_stats(c, &s);
    EXPECT_EQ(s.entries, 1);
    EXPECT_EQ(s.replaced, 1);
    cache_delete(c);
}

TEST(a_body_longer_than_a_piece_keeps_every_byte)
{
    struct cache *c = small_cache(4 << 20);
    struct buf b AUTO(buf_destroy) = BUF_INIT, body AUTO(buf_destroy) = BUF_INIT;
    struct cache_entry *e = NULL;
    enum cache_refusal why;

    for (size_t length = 0; length < 3 * CACHE_PIECE_SIZE + 2; length += length < 10 ? 1 : 4091) {
        buf_clear(&body);
        for (size_t i = 0; i < length; i++)
            buf_add_char(&body, (char)('a' + i % 23));
        struct cache_fill *f = cache_fill_begin(c, -1);
        for (size_t at = 0; at < length; at += 1000)
            EXPECT(cache_fill_add(f, str_sub(buf_str(&body), at, at + 1000)));
        struct cache_item item = {.key = key_of(&b, "body"), .born = cache_generation(c), .expires_ms = 5};
        EXPECT(cache_fill_commit(f, &item, &why, &e));
        EXPECT_EQ(why, CACHE_STORED);
        EXPECT_EQ(cache_entry_body_length(e), length);
        cache_entry_unref(e);
        EXPECT(holds(c, "body", 1, buf_str(&body).p));
        cache_check(c);
    }
    cache_delete(c);
}

TEST(a_body_above_the_entry_limit_is_refused_and_counted)
{
    struct cache *c = cache_new(&(struct cache_limits){.bytes_max = 1 << 20, .entry_bytes_max = 100000});
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = {.key = key_of(&b, "big"), .born = 1, .expires_ms = 5};
    struct cache_fill *f = cache_fill_begin(c, -1);
    enum cache_refusal why;
    struct cache_stats s;
    char block[1000] = "";
    int added = 0;

    while (cache_fill_add(f, str_from(block, sizeof(block))))
        added++;
    EXPECT(added > 80 && added <= 100);
    EXPECT(!cache_fill_commit(f, &item, &why, NULL));
    EXPECT_EQ(why, CACHE_REFUSED_TOO_LARGE);
    cache_stats(c, &s);
    EXPECT_EQ(s.refused[CACHE_REFUSED_TOO_LARGE], 1);
    cache_delete(c);
}

TEST(an_aborted_fill_leaves_nothing)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_fill *f = cache_fill_begin(c, -1);
    struct cache_stats s;

    cache_fill_add(f, STR("half a bo"));
    cache_fill_abort(f);
    cache_stats(c, &s);
    EXPECT_EQ(s.entries, 0);
    EXPECT_EQ(s.refused[CACHE_REFUSED_ABORTED], 1);
    cache_delete(c);
}

static struct str
language_of(void *ctx, struct str name)
{
    return str_eq_lit(name, "accept-language") ? str_from_c(ctx) : STR_NONE;
}

static enum cache_verdict
look_in_language(struct cache *c, const char *language, struct cache_entry **ret)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, "page");
    struct cache_request request = {language_of, (void *)language};

    return cache_find(c, &key, &request, 0, ret);
}

static void
put_in_language(struct cache *c, const char *language)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT, vary AUTO(buf_destroy) = BUF_INIT;

    cache_vary_add(&vary, STR("accept-language"), str_from_c(language));
    struct cache_item item = {.key = key_of(&b, "page"), .vary = buf_str(&vary), .born = cache_generation(c),
                              .expires_ms = SECOND};
    EXPECT(cache_store(c, &item, str_from_c(language ? language : "none"), NULL));
}

TEST(variants_answer_their_own_requests)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *e = NULL;

    put_in_language(c, "de");
    put_in_language(c, "fr");
    put_in_language(c, NULL);
    EXPECT_EQ(look_in_language(c, "de", &e), CACHE_HIT);
    EXPECT_STR(cache_entry_piece(e, 0), "de");
    cache_entry_unref(e);
    EXPECT_EQ(look_in_language(c, NULL, &e), CACHE_HIT);
    EXPECT_STR(cache_entry_piece(e, 0), "none");
    cache_entry_unref(e);
    EXPECT_EQ(look_in_language(c, "", &e), CACHE_MISS_VARIANT); /* empty is not absent */
    EXPECT_EQ(look_in_language(c, "it", &e), CACHE_MISS_VARIANT);
    EXPECT_EQ(look(c, "page", 0, &e), CACHE_MISS_VARIANT);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, "page");
    EXPECT_EQ(cache_remove(c, &key), 3);
    EXPECT_EQ(look_in_language(c, "de", &e), CACHE_MISS_ABSENT);
    cache_delete(c);
}

TEST(the_least_recently_used_variant_goes_first)
{
    struct cache *c = cache_new(&(struct cache_limits){.bytes_max = 1 << 20, .variants_max = 3});
    struct cache_entry *e = NULL;

    put_in_language(c, "a");
    put_in_language(c, "b");
    put_in_language(c, "c");
    EXPECT_EQ(look_in_language(c, "a", &e), CACHE_HIT);
    cache_entry_unref(e);
    put_in_language(c, "d");
    EXPECT_EQ(look_in_language(c, "b", &e), CACHE_MISS_VARIANT);
    EXPECT_EQ(look_in_language(c, "a", &e), CACHE_HIT);
    cache_entry_unref(e);
    cache_check(c);
    cache_delete(c);
}

static bool
put_copy(struct cache *c, const char *name, uint32_t source)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = {.key = key_of(&b, name), .expires_ms = 10 * SECOND, .source = source, .source_epoch = 2};

    return cache_store(c, &item, str_from_c(name), NULL);
}

TEST(a_source_takes_back_its_own_copies_alone)
{
    struct cache *c = cache_new(&(struct cache_limits){.bytes_max = 1 << 20, .workers = 1, .sources = 2});
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct hash128 hash = key_of(&b, "a").hash;

    cache_source_set(c, 1, 2, UINT64_MAX);
    cache_source_set(c, 2, 2, UINT64_MAX);
    EXPECT(put_copy(c, "a", 1));
    EXPECT_EQ(cache_remove_copies(c, hash, 2, 2), 0);
    EXPECT(holds(c, "a", 0, "a"));
    EXPECT_EQ(cache_remove_copies(c, hash, 1, 1), 1);
    EXPECT(!holds(c, "a", 0, "a"));
    EXPECT(put_copy(c, "a", 2));
    EXPECT_EQ(cache_remove_hash(c, hash), 1);
    EXPECT(!holds(c, "a", 0, "a"));
    cache_check(c);
    cache_delete(c);
}

static bool
put_at_path(struct cache *c, const char *path, const char *query, uint64_t born, enum cache_refusal *why)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    char name[200];

    snprintf(name, sizeof(name), "%s?%s", path, query);
    cache_scopes_add(&scopes, cache_scope(SCOPE_API, STR("catalog")));
    cache_scopes_add_path(&scopes, str_from_c(path), str_from_c(query));
    struct cache_item item = {.key = key_of(&b, name), .scopes = &scopes, .born = born, .expires_ms = 10 * SECOND,
                              .stale_until_ms = 20 * SECOND};
    return cache_store(c, &item, str_from_c(path), why);
}

static uint64_t
purge_path(struct cache *c, const char *prefix)
{
    cache_scope_id scopes[CACHE_PREFIX_SCOPES];
    uint64_t n;

    cache_prefix_scopes(str_from_c(prefix), scopes);
    cache_purge(c, scopes, CACHE_PREFIX_SCOPES, false, &n);
    return n;
}

TEST(a_prefix_purge_counts_and_kills_what_lies_below)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *e = NULL;
    uint64_t born = cache_generation(c);

    put_at_path(c, "/catalog/items/1", "", born, NULL);
    put_at_path(c, "/catalog/items/2", "a=1", born, NULL);
    put_at_path(c, "/catalog/items", "", born, NULL);
    put_at_path(c, "/catalog/itemsets", "", born, NULL);
    EXPECT_EQ(purge_path(c, "/catalog/items"), 3);
    EXPECT_EQ(look(c, "/catalog/items/1?", 0, &e), CACHE_MISS_PURGED);
    EXPECT_EQ(look(c, "/catalog/items/2?a=1", 0, &e), CACHE_MISS_PURGED);
    EXPECT_EQ(look(c, "/catalog/items?", 0, &e), CACHE_MISS_PURGED);
    EXPECT(holds(c, "/catalog/itemsets?", 0, "/catalog/itemsets"));
    EXPECT_EQ(purge_path(c, "/"), 1);
    EXPECT_EQ(look(c, "/catalog/itemsets?", 0, &e), CACHE_MISS_PURGED);
    cache_check(c);
    cache_delete(c);
}

TEST(a_url_purge_takes_that_query_only)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *e = NULL;
    uint64_t born = cache_generation(c);
    cache_scope_id url = cache_scope_url(STR("/p"), STR("b=2&a=1"), NULL, 0);

    put_at_path(c, "/p", "a=1&b=2", born, NULL);
    put_at_path(c, "/p", "a=2", born, NULL);
    EXPECT_EQ(cache_count(c, &url, 1), 1);
    cache_purge(c, &url, 1, false, NULL);
    EXPECT_EQ(look(c, "/p?a=1&b=2", 0, &e), CACHE_MISS_PURGED);
    EXPECT(holds(c, "/p?a=2", 0, "/p"));
    cache_delete(c);
}

TEST(a_fetch_that_began_before_a_purge_cannot_store_after_it)
{
    struct cache *c = small_cache(1 << 20);
    uint64_t born = cache_generation(c);
    enum cache_refusal why;

    purge_path(c, "/p");
    EXPECT(!put_at_path(c, "/p", "", born, &why));
    EXPECT_EQ(why, CACHE_REFUSED_PURGED);
    EXPECT(put_at_path(c, "/q", "", born, &why));
    EXPECT(put_at_path(c, "/p", "", cache_generation(c), &why));
    cache_check(c);
    cache_delete(c);
}

TEST(a_fetch_that_began_before_a_removal_cannot_store_after_it)
{
    struct cache *c = small_cache(1 << 20);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = {.key = key_of(&b, "k"), .born = cache_generation(c), .expires_ms = SECOND};
    struct cache_entry *e;

    EXPECT_EQ(cache_remove(c, &item.key), 0);
    EXPECT(!cache_store(c, &item, STR("old"), NULL));
    EXPECT_EQ(look(c, "k", 0, &e), CACHE_MISS_ABSENT);
    EXPECT(put_text(c, "other", "untouched", 0, 1));
    EXPECT(holds(c, "other", 0, "untouched"));
    item.born = cache_generation(c);
    EXPECT(cache_store(c, &item, STR("new"), NULL));
    EXPECT(holds(c, "k", 0, "new"));
    cache_delete(c);
}

TEST(a_soft_purge_serves_stale_inside_the_window)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *e = NULL;
    cache_scope_id api = cache_scope(SCOPE_API, STR("catalog"));

    put_at_path(c, "/p", "", cache_generation(c), NULL);
    cache_purge(c, &api, 1, true, NULL);
    EXPECT_EQ(look(c, "/p?", 1 * SECOND, &e), CACHE_STALE);
    cache_entry_unref(e);
    /* Its window of 10 s begins when the purge is first noticed. */
    EXPECT_EQ(look(c, "/p?", 10999, &e), CACHE_STALE);
    cache_entry_unref(e);
    EXPECT_EQ(look(c, "/p?", 11 * SECOND, &e), CACHE_MISS_PURGED);
    cache_delete(c);
}

TEST(a_count_of_the_living_leaves_the_dead_out)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_scopes scopes = {0};
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("t")), all = SCOPE_ALL;

    cache_scopes_add(&scopes, tag);
    for (int i = 0; i < 10; i++) {
        struct buf b AUTO(buf_destroy) = BUF_INIT;
        char name[2] = {(char)('a' + i), 0};
        struct cache_item item = {.key = key_of(&b, name), .born = cache_generation(c), .scopes = i < 4 ? &scopes : NULL,
                                  .expires_ms = (i < 9 ? 10 : 1) * SECOND};

        EXPECT(cache_store(c, &item, STR("x"), NULL));
    }
    EXPECT(!cache_wants_sweep(c));
    cache_purge(c, &tag, 1, false, NULL);
    EXPECT(cache_wants_sweep(c));
    EXPECT_EQ(cache_count(c, &all, 1), 10);
    EXPECT_EQ(cache_count_live(c, &all, 1, 2 * SECOND), 5);
    EXPECT_EQ(cache_count_live(c, &tag, 1, 2 * SECOND), 0);
    EXPECT_EQ(cache_count_live(c, (cache_scope_id[]){all, tag}, 2, 2 * SECOND), 5);
    cache_sweep(c, 2 * SECOND, UINT32_MAX);
    EXPECT(!cache_wants_sweep(c));
    cache_delete(c);
}

TEST(which_purge_took_an_entry_is_known_after_its_memory_has_gone)
{
    struct cache *c = small_cache(1 << 20);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    cache_scope_id tags[] = {cache_scope(SCOPE_TAG, STR("other")), cache_scope(SCOPE_TAG, STR("t"))};
    struct cache_item item = {.key = key_of(&b, "k"), .born = cache_generation(c), .scopes = &scopes, .expires_ms = SECOND};
    struct purge_note note, head = {0};
    uint64_t number;

    cache_scopes_add(&scopes, tags[1]);
    EXPECT(cache_store(c, &item, STR("x"), NULL));
    EXPECT_EQ(cache_noted_purge(c, &item.key), 0);
    head.generation = cache_purge(c, tags, 2, false, NULL);
    purge_journal_add(cache_journal(c), &head, tags, 2, STR("both"), STR("me"));
    head.generation = cache_purge(c, tags, 1, false, NULL);
    purge_journal_add(cache_journal(c), &head, tags, 1, STR("other"), STR("me"));
    cache_sweep(c, 0, UINT32_MAX);
    number = cache_noted_purge(c, &item.key);
    EXPECT(number > 0 && purge_journal_at(cache_journal(c), number, &note));
    EXPECT_STR(str_from_c(note.what), "both");
    item.born = cache_generation(c);
    EXPECT(cache_store(c, &item, STR("x"), NULL));
    cache_sweep(c, SECOND, UINT32_MAX);
    EXPECT_EQ(cache_noted_purge(c, &item.key), 0);
    cache_delete(c);
}

TEST(sweeping_gives_dead_memory_back)
{
    struct cache *c = small_cache(8 << 20);
    cache_scope_id api = cache_scope(SCOPE_API, STR("catalog"));
    struct cache_stats s;
    char path[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/p/%d", i);
        put_at_path(c, path, "", cache_generation(c), NULL);
    }
    EXPECT_EQ(cache_count(c, &api, 1), 1000);
    cache_purge(c, &api, 1, false, NULL);
    uint32_t freed = 0;
    for (int turn = 0; turn < 40; turn++)
        freed += cache_sweep(c, 0, 50);
    EXPECT_EQ(freed, 1000);
    cache_stats(c, &s);
    EXPECT_EQ(s.entries, 0);
    EXPECT_EQ(cache_count(c, &api, 1), 0);
    cache_delete(c);
}

TEST(the_memory_limit_holds_also_while_readers_pin)
{
    struct cache *c = small_cache(1 << 20);
    struct cache_entry *pinned[64];
    struct cache_stats s;
    static char body[30000];
    char name[32];
    int n = 0;

    memset(body, 'x', sizeof(body) - 1);
    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof(name), "%d", i);
        put_text(c, name, body, 0, 10);
        if (look(c, name, 0, &pinned[n]) == CACHE_HIT)
            n++;
        cache_stats(c, &s);
        EXPECT(s.bytes <= s.bytes_max);
    }
    EXPECT(n > 25 && n < 36);
    EXPECT(s.refused[CACHE_REFUSED_NO_ROOM] > 0);
    EXPECT(cache_entry_pieces(pinned[0]) == 2);
    for (int i = 0; i < n; i++)
        cache_entry_unref(pinned[i]);
    EXPECT(put_text(c, "again", body, 0, 10));
    cache_check(c);
    cache_delete(c);
}

/* ---- against a model: a map from name to version, with the purges that happened ---- */

enum { NAMES = 300, TAGS = 5 };

struct model {
    uint32_t version;                 /* 0: never stored */
    uint64_t expires_ms;
    bool is_dead;
};

TEST(random_operations_agree_with_a_model)
{
    struct cache *c = small_cache(256 << 10);
    struct model model[NAMES] = {0};
    struct rand rand;
    uint64_t now = 0, hits = 0;

    rand_seed(&rand, 42);
    for (uint32_t step = 1; step <= 60000; step++) {
        uint32_t i = (uint32_t)rand_below(&rand, NAMES), tag = i % TAGS;
        char name[32], text[64];
        snprintf(name, sizeof(name), "/%u/%u", tag, i);
        now += rand_below(&rand, 3);
        switch (rand_below(&rand, 200)) {
        case 0: {
            char prefix[8];
            snprintf(prefix, sizeof(prefix), "/%u", tag);
            purge_path(c, prefix);
            for (uint32_t k = tag; k < NAMES; k += TAGS)
                model[k].is_dead = true;
            break;
        }
        case 1: cache_sweep(c, now, 100); break;
        case 2: {
            struct buf b AUTO(buf_destroy) = BUF_INIT;
            struct cache_key key = key_of(&b, name);
            cache_remove(c, &key);
            model[i].is_dead = true;
            break;
        }
        default: {
            struct cache_entry *e = NULL;
            enum cache_verdict v = look(c, name, now, &e);
            if (v == CACHE_HIT) {
                hits++;
                snprintf(text, sizeof(text), "%u of %s", model[i].version, name);
                EXPECT(!model[i].is_dead && now < model[i].expires_ms);
                EXPECT(str_starts_with(cache_entry_piece(e, 0), str_from_c(text)));
                cache_entry_unref(e);
                break;
            }
            struct buf b AUTO(buf_destroy) = BUF_INIT, body AUTO(buf_destroy) = BUF_INIT;
            struct cache_scopes scopes = {0};
            model[i] = (struct model){step, now + 1 + rand_below(&rand, 20000), false};
            buf_printf(&body, "%u of %s", step, name);
            for (uint64_t pad = rand_below(&rand, 5000); pad; pad--)
                buf_add_char(&body, '.');
            cache_scopes_add_path(&scopes, str_from_c(name), STR_NONE);
            struct cache_item item = {.key = key_of(&b, name), .scopes = &scopes, .born = cache_generation(c),
                                      .stored_ms = now, .expires_ms = model[i].expires_ms};
            EXPECT(cache_store(c, &item, buf_str(&body), NULL));
        }
        }
        if (step % 1000 == 0)
            cache_check(c);
    }
    EXPECT(hits > 1000);
    cache_delete(c);
}

/* ---- hit ratio against an LRU of the same number of entries, on a Zipf trace ---- */

TEST(hit_ratio_on_a_zipf_trace_is_above_lru)
{
    enum { KEYS = 20000, HELD = 1000, REQUESTS = 300000 };
    struct cache *c = NULL;
    static double cdf[KEYS];
    static uint32_t lru_at[KEYS];
    static struct list_node lru_node[KEYS];
    struct list lru;
    struct rand rand;
    uint64_t hits = 0, lru_hits = 0, held = 0;
    double sum = 0;
    static char body[1000];

    memset(body, 'b', sizeof(body) - 1);
    rand_seed(&rand, 7);
    for (int i = 0; i < KEYS; i++)
        cdf[i] = sum += 1.0 / pow(i + 1, 0.9);
    memset(lru_at, 0, sizeof(lru_at));
    list_init(&lru);
    c = small_cache(HELD * (sizeof(body) + 256));
    for (int r = 0; r < REQUESTS; r++) {
        double x = rand_unit(&rand) * sum;
        uint32_t low = 0, high = KEYS - 1;
        while (low < high) {
            uint32_t mid = (low + high) / 2;
            if (cdf[mid] < x)
                low = mid + 1;
            else
                high = mid;
        }
        char name[16];
        struct cache_entry *e = NULL;
        snprintf(name, sizeof(name), "%u", low);
        if (look(c, name, 0, &e) == CACHE_HIT)
            hits++;
        else
            put_text(c, name, body, 0, 10);
        cache_entry_unref(e);
        lru_hits += lru_at[low];
        if (lru_at[low])
            list_remove(&lru_node[low]);
        else if (held == HELD)
            lru_at[list_pop_front(&lru) - lru_node] = 0;
        else
            held++;
        lru_at[low] = 1;
        list_push_back(&lru, &lru_node[low]);
    }
    struct cache_stats s;
    cache_stats(c, &s);
    printf("  S3-FIFO %.1f %% with %d entries, LRU %.1f %% with %d\n", 100.0 * (double)hits / REQUESTS,
           (int)s.entries, 100.0 * (double)lru_hits / REQUESTS, HELD);
    EXPECT(s.entries <= HELD + HELD / 10);
    EXPECT(hits > lru_hits);
    cache_check(c);
    cache_delete(c);
}

/* ---- threads: nothing stale after a purge that returned ---- */

struct crowd {
    struct cache *cache;
    _Atomic uint32_t version;         /* what a fetch returns; raised before a purge begins */
    _Atomic uint32_t purged;          /* no reader that starts now may see less */
    _Atomic bool is_over;
    _Atomic uint32_t stale, hits;
};

static void *
crowd_read(void *arg)
{
    struct crowd *w = arg;
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, "one");

    while (!atomic_load(&w->is_over)) {
        struct cache_entry *e = NULL;
        uint32_t least = atomic_load(&w->purged), seen;
        uint64_t born = cache_generation(w->cache);
        if (cache_find(w->cache, &key, NULL, 0, &e) == CACHE_HIT) {
            memcpy(&seen, cache_entry_piece(e, 0).p, sizeof(seen));
            atomic_fetch_add(&w->hits, 1);
            if (seen < least)
                atomic_fetch_add(&w->stale, 1);
            cache_entry_unref(e);
            continue;
        }
        seen = atomic_load(&w->version);
        struct cache_item item = {.key = key, .born = born, .expires_ms = 1};
        cache_store(w->cache, &item, str_from((char *)&seen, sizeof(seen)), NULL);
    }
    return NULL;
}

TEST(no_thread_sees_less_than_an_acknowledged_purge)
{
    struct crowd w = {.cache = small_cache(1 << 20), .version = 1};
    pthread_t thread[3];
    cache_scope_id all = SCOPE_ALL;

    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, crowd_read, &w);
    for (uint32_t v = 2; v < 2000; v++) {
        atomic_store(&w.version, v);
        cache_purge(w.cache, &all, 1, false, NULL);
        atomic_store(&w.purged, v);
    }
    atomic_store(&w.is_over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    EXPECT_EQ(w.stale, 0);
    cache_check(w.cache);
    cache_delete(w.cache);
}
