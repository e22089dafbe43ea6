/* What memory holds, written and read again: whole, old, purged, cut, damaged, in no time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/dump.c"
#include "test.h"

#include <sys/stat.h>

#include "cache/scope.h"

static char path[64];

static struct cache *
new_cache(void)
{
    return cache_new(&(struct cache_limits){.bytes_max = 8 << 20, .workers = 1});
}

static struct cache_key
key_of(struct buf *b, enum cache_kind kind, const char *name)
{
    struct cache_key key = {0};

    cache_key_begin(b, kind);
    cache_key_add(b, str_from_c(name));
    EXPECT(cache_key_end(b, &key));
    return key;
}

static void
put(struct cache *c, enum cache_kind kind, const char *name, struct str body, uint64_t stored_ms, uint64_t expires_ms, uint64_t stale_ms)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    struct cache_item item = {.key = key_of(&b, kind, name), .born = cache_generation(c), .stored_ms = stored_ms,
                              .expires_ms = expires_ms, .stale_until_ms = stale_ms, .scopes = &scopes, .status = 200, .tag = 7,
                              .age_s = 3, .head = STR("head"), .revalidate_s = 9};

    cache_scopes_add(&scopes, cache_scope(SCOPE_TAG, str_from_c(name)));
    EXPECT(cache_store(c, &item, body, NULL));
}

static enum cache_verdict
look(struct cache *c, enum cache_kind kind, const char *name, uint64_t now_ms, struct cache_entry **ret)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = key_of(&b, kind, name);

    return cache_find(c, &key, NULL, now_ms, ret);
}

static bool
holds(struct cache *c, enum cache_kind kind, const char *name, uint64_t now_ms)
{
    struct cache_entry *e = NULL;
    bool hit = look(c, kind, name, now_ms, &e) == CACHE_HIT;

    cache_entry_unref(e);
    return hit;
}

static void
begin(void)
{
    snprintf(path, sizeof(path), "/tmp/test-dump-%d", (int)getpid());
    unlink(path);
}

static uint64_t
entries_of(struct cache *c)
{
    struct cache_stats s;

    cache_stats(c, &s);
    return s.entries;
}

static bool
is_there(void)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* The clock of the machine began anew meanwhile, 10 s of the wall have passed. */
static const struct dump_moment before = {1000000, 1700000000000}, after = {5000, 1700000010000};

static void
write_sample(struct cache *c)
{
    static char large[3 * CACHE_PIECE_SIZE + 5];
    struct dump_figures figures;
    struct err err;

    memset(large, 'x', sizeof(large));
    put(c, CACHE_RESPONSE, "fresh", STR("body"), 990000, 1060000, 0);
    put(c, CACHE_RESPONSE, "soon", STR("body"), 990000, 1005000, 0);
    put(c, CACHE_RESPONSE, "stale", STR("body"), 900000, 995000, 1100000);
    put(c, CACHE_RESPONSE, "over", STR("body"), 900000, 950000, 0);
    put(c, CACHE_VALUE, "large", str_from(large, sizeof(large)), 999000, 2000000, 0);
    put(c, CACHE_VALUE, "empty", STR(""), 999000, 2000000, 0);
    EXPECT(cache_dump_write(c, path, &before, 10000, &figures, &err));
    EXPECT_EQ(figures.entries, 5);
    EXPECT_EQ(figures.left_out, 0);
}

TEST(entries_come_back_with_their_times)
{
    struct cache *c = new_cache(), *d = new_cache();
    struct cache_entry *e = NULL;
    struct dump_figures figures;
    struct stat st;
    struct err err;

    begin();
    write_sample(c);
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    EXPECT(cache_dump_read(d, path, &after, 10000, NULL, &figures, &err));
    EXPECT_EQ(figures.entries, 4);
    EXPECT_EQ(figures.left_out, 1);
    EXPECT(!is_there());
    EXPECT_EQ(look(d, CACHE_RESPONSE, "fresh", 5000, &e), CACHE_HIT);
    EXPECT_EQ(cache_entry_expires_ms(e), 5000 + 50000);
    EXPECT_EQ(cache_entry_stored_ms(e), 0);
    EXPECT_EQ(cache_entry_age_s(e), 3 + 15);   /* 20 s old, 5 of them since this clock began */
    EXPECT_EQ(cache_entry_status(e), 200);
    EXPECT_EQ(cache_entry_tag(e), 7);
    EXPECT(str_eq_lit(cache_entry_head(e), "head"));
    cache_entry_unref(e);
    EXPECT(!holds(d, CACHE_RESPONSE, "fresh", 55000));
    EXPECT(!holds(d, CACHE_RESPONSE, "soon", 5000));
    e = NULL;
    EXPECT_EQ(look(d, CACHE_RESPONSE, "stale", 5000, &e), CACHE_STALE);
    cache_entry_unref(e);
    EXPECT_EQ(look(d, CACHE_VALUE, "large", 5000, &e), CACHE_HIT);
    EXPECT_EQ(cache_entry_body_length(e), 3 * CACHE_PIECE_SIZE + 5);
    EXPECT_EQ(cache_entry_piece(e, 3).len, 5);
    cache_entry_unref(e);
    EXPECT(holds(d, CACHE_VALUE, "empty", 5000));
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("fresh"));
    cache_purge(d, &tag, 1, false, NULL);
    EXPECT(!holds(d, CACHE_RESPONSE, "fresh", 5000));
    EXPECT(holds(d, CACHE_VALUE, "empty", 5000));
    EXPECT(!cache_dump_read(d, path, &after, 10000, NULL, &figures, &err));
    EXPECT_EQ(err.code, ERR_NOT_FOUND);
    cache_check(d);
    cache_delete(c);
    cache_delete(d);
}

TEST(what_was_purged_is_not_written)
{
    struct cache *c = new_cache();
    struct dump_figures figures;
    cache_scope_id hard = cache_scope(SCOPE_TAG, STR("a")), soft = cache_scope(SCOPE_TAG, STR("b"));
    struct err err;

    begin();
    put(c, CACHE_RESPONSE, "a", STR("x"), 999000, 2000000, 0);
    put(c, CACHE_RESPONSE, "b", STR("x"), 999000, 2000000, 3000000);
    put(c, CACHE_RESPONSE, "c", STR("x"), 999000, 2000000, 0);
    cache_purge(c, &hard, 1, false, NULL);
    cache_purge(c, &soft, 1, true, NULL);
    EXPECT(cache_dump_write(c, path, &before, 10000, &figures, &err));
    EXPECT_EQ(figures.entries, 1);
    EXPECT_EQ(figures.left_out, 2);
    unlink(path);
    cache_delete(c);
}

static void
rewrite(struct str bytes)
{
    FILE *f = fopen(path, "wb");

    EXPECT(f && fwrite(bytes.p, 1, bytes.len, f) == bytes.len && fclose(f) == 0);
}

static bool
read_again(struct str bytes, const struct dump_moment *at)
{
    struct cache *d = new_cache();
    struct dump_figures figures;
    struct err err = ERR_INIT;
    bool ok;

    rewrite(bytes);
    ok = cache_dump_read(d, path, at, 10000, NULL, &figures, &err);
    EXPECT(!is_there());
    if (!ok) {
        EXPECT_EQ(err.code, ERR_INVALID);
        EXPECT_EQ(entries_of(d), 0);
        EXPECT(!holds(d, CACHE_VALUE, "empty", 5000));
    }
    cache_delete(d);
    return ok;
}

TEST(a_cut_or_damaged_file_is_a_clean_start)
{
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;
    struct cache *c = new_cache();
    const struct dump_moment past = {5000, 1699999999999};
    struct err err;
    FILE *f;
    char piece[4096];
    size_t n;

    begin();
    write_sample(c);
    f = fopen(path, "rb");
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&bytes, piece, n);
    fclose(f);
    EXPECT(read_again(buf_str(&bytes), &after));
    for (size_t len = 0; len < bytes.len; len += len < 400 ? 1 : 997)
        EXPECT(!read_again(str_from(bytes.p, len), &after));
    for (size_t at = 0; at < bytes.len; at += at < 400 ? 1 : 997) {
        bytes.p[at] ^= 0x20;
        EXPECT(!read_again(buf_str(&bytes), &after));
        bytes.p[at] ^= 0x20;
    }
    EXPECT(!read_again(buf_str(&bytes), &past));
    rewrite(buf_str(&bytes));
    struct cache *d = new_cache();
    struct dump_figures figures;
    EXPECT(cache_dump_read(d, path, &after, 0, NULL, &figures, &err));
    EXPECT_EQ(figures.entries, 0);
    EXPECT_EQ(figures.left_out, 5);
    cache_delete(d);
    cache_delete(c);
}

TEST(that_there_were_purges_is_not_forgotten)
{
    struct cache *c, *d;
    struct dump_figures figures;
    struct dump_moment at = {.now_ms = 1000000, .wall_ms = 1000000};
    cache_scope_id other = cache_scope(SCOPE_TAG, STR("other"));
    struct cache_entry *e = NULL;

    begin();
    c = new_cache();
    d = new_cache();
    put(c, CACHE_RESPONSE, "old", STR("body"), 990000, 1060000, 0);
    cache_purge(c, &other, 1, false, NULL);
    put(c, CACHE_RESPONSE, "new", STR("body"), 990000, 1060000, 0);
    EXPECT(cache_dump_write(c, path, &at, 10000, &figures, NULL));
    EXPECT(cache_dump_read(d, path, &at, 10000, NULL, &figures, NULL));
    EXPECT_EQ(look(d, CACHE_RESPONSE, "old", 1000000, &e), CACHE_HIT);
    EXPECT(cache_entry_flags(e) & CACHE_ENTRY_OLD);
    cache_entry_unref(e);
    EXPECT_EQ(look(d, CACHE_RESPONSE, "new", 1000000, &e), CACHE_HIT);
    EXPECT(!(cache_entry_flags(e) & CACHE_ENTRY_OLD));
    cache_entry_unref(e);
    cache_delete(c);
    cache_delete(d);
}

TEST(a_place_that_cannot_be_written_is_an_error)
{
    struct cache *c = new_cache();
    struct dump_figures figures;
    struct err err;

    EXPECT(!cache_dump_write(c, "/nowhere/at/all", &before, 10000, &figures, &err));
    EXPECT_EQ(err.code, ERR_IO);
    cache_delete(c);
}
