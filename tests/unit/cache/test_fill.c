/* Bodies on their way into the cache: readers see every byte or a break, memory is accounted for, large ones pass through.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/fill.c"
#include "base/rand.h"
#include "test.h"

static struct cache *
cache_of(uint64_t bytes, uint64_t entry)
{
    return cache_new(&(struct cache_limits){.bytes_max = bytes, .entry_bytes_max = entry, .workers = 1});
}

static struct cache_item
item_of(struct buf *b, struct cache *c, const char *name)
{
    struct cache_item item = {.born = cache_generation(c), .stored_ms = 1000, .expires_ms = 61000, .status = 200};

    cache_key_begin(b, CACHE_RESPONSE);
    cache_key_add(b, str_from_c(name));
    EXPECT(cache_key_end(b, &item.key));
    return item;
}

/* Byte i of every body of these tests. */
static char
byte_at(uint64_t i)
{
    return (char)('a' + (i * 7 + i / 16384) % 26);
}

static void
add(struct cache_fill *f, uint64_t *at, size_t n)
{
    char *text = xmalloc(n);

    for (size_t i = 0; i < n; i++)
        text[i] = byte_at(*at + i);
    EXPECT(cache_fill_add(f, str_from(text, n)));
    *at += n;
    free(text);
}

/* Reads what is there; the status that ended it. */
static int
read_on(struct body *b, uint64_t *at)
{
    struct str piece;
    int status;

    while ((status = body_try_read(b, &piece)) == IO_OK) {
        for (size_t i = 0; i < piece.len; i++)
            if (piece.p[i] != byte_at(*at + i)) {
                TEST_FAIL("byte %llu is wrong", (unsigned long long)(*at + i));
                return IO_ERROR;
            }
        *at += piece.len;
    }
    return status;
}

struct stand {
    struct loop *loop;
    struct arena arena;
};

static struct stand
stand(void)
{
    struct err err;
    struct stand s = {loop_new(&(struct loop_options){0}, &err), ARENA(NULL, 1 << 20)};

    loop_set_self(s.loop);
    return s;
}

static void
tear_down(struct stand *s)
{
    arena_destroy(&s->arena);
    loop_turn(s->loop, 0);
    loop_delete(s->loop);
}

TEST(readers_follow_a_body_as_it_comes_and_the_entry_has_it_all)
{
    struct stand s = stand();
    struct cache *c = cache_of(8 << 20, 1 << 20);
    struct buf key AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = item_of(&key, c, "a");
    struct cache_fill *f = cache_fill_begin(c, -1);
    struct body *first = cache_fill_body(f, &s.arena, s.loop), *second;
    uint64_t at = 0, at_first = 0, at_second = 0;
    struct cache_entry *e = NULL;

    EXPECT_EQ(read_on(first, &at_first), IO_AGAIN);
    add(f, &at, 10);
    EXPECT_EQ(read_on(first, &at_first), IO_AGAIN);
    EXPECT_EQ(at_first, 10);
    second = cache_fill_body(f, &s.arena, s.loop);
    add(f, &at, 100000);
    EXPECT_EQ(read_on(second, &at_second), IO_AGAIN);
    EXPECT_EQ(at_second, 100010);
    EXPECT(cache_fill_commit(f, &item, NULL, &e));
    EXPECT_EQ(cache_entry_body_length(e), 100010);
    for (uint32_t i = 0, n = 0; i < cache_entry_pieces(e); i++)
        for (size_t k = 0; k < cache_entry_piece(e, i).len; k++, n++)
            EXPECT_EQ(cache_entry_piece(e, i).p[k], byte_at(n));
    /* The entry may go while they read. */
    cache_remove(c, &item.key);
    cache_entry_unref(e);
    EXPECT_EQ(read_on(first, &at_first), IO_EOF);
    EXPECT_EQ(read_on(second, &at_second), IO_EOF);
    EXPECT_EQ(at_first, 100010);
    body_close(first);
    body_close(second);
    tear_down(&s);
    cache_check(c);
    cache_delete(c);
}

TEST(an_aborted_body_breaks_for_its_readers_and_is_never_short)
{
    struct stand s = stand();
    struct cache *c = cache_of(8 << 20, 1 << 20);
    struct cache_fill *f = cache_fill_begin(c, -1);
    struct body *b = cache_fill_body(f, &s.arena, s.loop);
    uint64_t at = 0, read = 0;

    add(f, &at, 20000);
    EXPECT_EQ(read_on(b, &read), IO_AGAIN);
    cache_fill_abort(f);
    EXPECT_EQ(read_on(b, &read), IO_ERROR);
    body_close(b);
    tear_down(&s);
    cache_delete(c);
}

static void
note(void *ctx)
{
    ++*(int *)ctx;
}

TEST(a_reader_that_waits_is_woken_and_one_that_left_is_not)
{
    struct stand s = stand();
    struct cache *c = cache_of(8 << 20, 1 << 20);
    struct cache_fill *f = cache_fill_begin(c, 5);
    struct body *stays = cache_fill_body(f, &s.arena, s.loop), *leaves = cache_fill_body(f, &s.arena, s.loop);
    int woken = 0, woken_gone = 0;
    uint64_t at = 0;

    EXPECT_EQ(stays->length, 5);
    body_when_ready(stays, note, &woken);
    body_when_ready(leaves, note, &woken_gone);
    add(f, &at, 5);
    body_close(leaves);
    loop_turn(s.loop, 0);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(woken_gone, 0);
    cache_fill_abort(f);
    loop_turn(s.loop, 0);
    EXPECT_EQ(woken, 1);
    tear_down(&s);
    cache_delete(c);
}

TEST(what_the_cache_cannot_take_passes_through_whole_at_the_readers_pace)
{
    struct stand s = stand();
    struct cache *c = cache_of(8 << 20, 100000);
    struct buf key AUTO(buf_destroy) = BUF_INIT;
    struct cache_item item = item_of(&key, c, "large");
    struct cache_fill *f = cache_fill_begin(c, -1);
    struct body *b = cache_fill_body(f, &s.arena, s.loop);
    int has_room = 0;
    struct wakeup *on_room = wakeup_new(s.loop, note, &has_room);
    enum cache_refusal why;
    uint64_t at = 0, read = 0;
    struct cache_stats stats;

    while (cache_fill_has_room(f, on_room) && at < 10000000)
        add(f, &at, 4096);
    EXPECT(at >= 100000 && at < 400000); /* up to the limit, and the window behind it */
    loop_turn(s.loop, 0);
    EXPECT_EQ(has_room, 0);
    while (at < 2000000) {
        EXPECT_EQ(read_on(b, &read), IO_AGAIN);
        EXPECT_EQ(read, at);
        loop_turn(s.loop, 0);
        while (cache_fill_has_room(f, on_room) && at < 2000000)
            add(f, &at, 5000);
    }
    EXPECT(has_room > 0);
    cache_stats(c, &stats);
    EXPECT(stats.bytes < 400000); /* what was passed is given back */
    EXPECT(!cache_fill_commit(f, &item, &why, NULL));
    EXPECT_EQ(why, CACHE_REFUSED_TOO_LARGE);
    EXPECT_EQ(read_on(b, &read), IO_EOF);
    EXPECT_EQ(read, at);
    body_close(b);
    wakeup_delete(on_room);
    tear_down(&s);
    cache_check(c);
    cache_delete(c);
}

TEST(a_large_body_that_nobody_reads_is_given_up)
{
    struct stand s = stand();
    struct cache *c = cache_of(8 << 20, 100000);
    struct cache_fill *f = cache_fill_begin(c, -1);
    struct body *b = cache_fill_body(f, &s.arena, s.loop);
    char text[4096] = {0};
    int woken = 0;
    struct wakeup *on_room = wakeup_new(s.loop, note, &woken);

    while (cache_fill_has_room(f, on_room))
        EXPECT(cache_fill_add(f, str_from(text, sizeof(text))));
    EXPECT(cache_fill_body(f, &s.arena, s.loop) == NULL); /* its beginning may be gone */
    body_close(b);
    loop_turn(s.loop, 0);
    EXPECT_EQ(woken, 1);
    EXPECT(!cache_fill_add(f, str_from(text, sizeof(text))));
    cache_fill_abort(f);
    wakeup_delete(on_room);
    tear_down(&s);
    cache_delete(c);
}

/* Random sizes, readers that come and go, limits of every kind: each sees a prefix, and all of it at the end. */
TEST(random_bodies_and_readers)
{
    struct stand s = stand();
    struct rand rand;

    rand_seed(&rand, 11);
    for (int round = 0; round < 300; round++) {
        struct cache *c = cache_of(2 << 20, 10000 + rand_below(&rand, 200000));
        struct buf key AUTO(buf_destroy) = BUF_INIT;
        struct cache_item item = item_of(&key, c, "x");
        uint64_t total = rand_below(&rand, 3) ? rand_below(&rand, 300000) : rand_below(&rand, 20000), at = 0;
        struct cache_fill *f = cache_fill_begin(c, rand_below(&rand, 2) ? (int64_t)total : -1);
        struct body *readers[4] = {cache_fill_body(f, &s.arena, s.loop)};
        uint64_t read[4] = {0};
        struct wakeup *on_room = wakeup_new(s.loop, note, &(int){0});
        bool stored;

        while (at < total) {
            uint32_t r = (uint32_t)rand_below(&rand, 4);
            size_t n = (size_t)MIN(1 + rand_below(&rand, 9000), total - at);
            if (!readers[r])
                readers[r] = cache_fill_body(f, &s.arena, s.loop);
            if (!cache_fill_has_room(f, on_room)) {
                for (int i = 0; i < 4; i++)
                    if (readers[i])
                        EXPECT_EQ(read_on(readers[i], &read[i]), IO_AGAIN);
                continue;
            }
            add(f, &at, n);
            if (readers[r] && rand_below(&rand, 3))
                EXPECT_EQ(read_on(readers[r], &read[r]), IO_AGAIN);
        }
        stored = cache_fill_commit(f, &item, NULL, NULL);
        for (int i = 0; i < 4; i++) {
            if (!readers[i])
                continue;
            EXPECT_EQ(read_on(readers[i], &read[i]), IO_EOF);
            EXPECT_EQ(read[i], total);
            body_close(readers[i]);
        }
        EXPECT_EQ(cache_find(c, &item.key, NULL, 2000, &(struct cache_entry *){NULL}) == CACHE_HIT, stored);
        /* The reference that the look above took. */
        if (stored) {
            struct cache_entry *e;
            cache_find(c, &item.key, NULL, 2000, &e);
            cache_entry_unref(e);
            cache_entry_unref(e);
        }
        wakeup_delete(on_room);
        arena_destroy(&s.arena);
        cache_check(c);
        cache_delete(c);
    }
    tear_down(&s);
}
