#include "http/body_coding.c"
#include "test.h"

#include "base/buf.h"

/* Pieces of `step` bytes, an IO_AGAIN before each when `halting`. */
struct dripping {
    struct body super;
    struct str bytes;
    size_t at, step;
    bool halting, halted;
};

static int
drip(struct body *b, struct str *ret_piece)
{
    struct dripping *d = (struct dripping *)b;

    if (d->at == d->bytes.len)
        return IO_EOF;
    d->halted = d->halting && !d->halted;
    if (d->halted)
        return IO_AGAIN;
    *ret_piece = str_sub(d->bytes, d->at, d->at + d->step);
    d->at += ret_piece->len;
    return IO_OK;
}

static const struct body_ops drip_ops = {
    .name = "drip", .try_read = drip, .when_ready = coder_when_ready};

static struct dripping
dripping(struct str bytes, size_t step)
{
    return (struct dripping){
        .super = {.ops = &drip_ops, .length = (int64_t)bytes.len}, .bytes = bytes, .step = step};
}

/* Everything, IO_AGAIN ignored; the status that ended it. */
static int
read_all(struct body *b, struct buf *to)
{
    struct str piece;
    int status;

    while ((status = body_try_read(b, &piece)) == IO_OK || status == IO_AGAIN)
        if (status == IO_OK)
            buf_add_str(to, piece);
    return status;
}

static struct str
sample(struct buf *b, size_t n)
{
    while (b->len < n)
        buf_printf(b, "line %zu of a text that repeats itself, as texts do\n", b->len);
    return buf_str(b);
}

static int
encode(struct str text, enum http_coding coding, size_t step, struct buf *to)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct dripping d = dripping(text, step);

    d.halting = true;
    return read_all(body_encode(&arena, &d.super, coding), to);
}

static int
decode(struct str bytes, enum http_coding coding, size_t step, uint64_t max, struct buf *to,
       bool *was_hit)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct dripping d = dripping(bytes, step);

    return read_all(body_decode(&arena, &d.super, coding, max, 0, was_hit), to);
}

TEST(what_is_encoded_decodes_to_the_same)
{
    static const enum http_coding codings[] = {HTTP_CODING_GZIP, HTTP_CODING_BROTLI};
    struct buf text AUTO(buf_destroy) = BUF_INIT;

    sample(&text, 200000);
    for (size_t i = 0; i < COUNTOF(codings); i++) {
        for (size_t step = 97; step <= text.len; step *= 13) {
            struct buf coded AUTO(buf_destroy) = BUF_INIT, back AUTO(buf_destroy) = BUF_INIT;
            EXPECT_EQ(encode(buf_str(&text), codings[i], step, &coded), IO_EOF);
            EXPECT_EQ(decode(buf_str(&coded), codings[i], step, 1 << 20, &back, NULL), IO_EOF);
            EXPECT(str_eq(buf_str(&back), buf_str(&text)));
        }
    }
}

TEST(an_encoder_keeps_nothing_back_while_the_body_below_waits)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct dripping d = dripping(STR("data: 1\n\n"), 100);
    struct buf coded AUTO(buf_destroy) = BUF_INIT, back AUTO(buf_destroy) = BUF_INIT;
    struct body *b = body_encode(&arena, &d.super, HTTP_CODING_GZIP);
    struct str piece;
    z_stream z = {0};
    char out[100];

    /* One event, then silence: what came out so far must hold the whole event. */
    EXPECT_EQ(drip(&d.super, &piece), IO_OK);
    d.at = 0;
    d.halting = true;
    d.halted = true;
    while (body_try_read(b, &piece) == IO_OK && coded.len < 1000) {
        buf_add_str(&coded, piece);
        d.bytes.len += d.at == 9; /* not the end yet: another byte is awaited */
        d.halted = false;
    }
    inflateInit2(&z, 15 + 16);
    z.next_in = (Bytef *)coded.p;
    z.avail_in = (uInt)coded.len;
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof(out);
    inflate(&z, Z_SYNC_FLUSH);
    EXPECT_EQ(sizeof(out) - z.avail_out, 9);
    inflateEnd(&z);
    body_close(b);
}

TEST(a_body_that_is_cut_short_is_broken)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT, coded AUTO(buf_destroy) = BUF_INIT;

    sample(&text, 5000);
    encode(buf_str(&text), HTTP_CODING_GZIP, 1000, &coded);
    for (size_t cut = 1; cut < coded.len; cut += 7) {
        struct buf back AUTO(buf_destroy) = BUF_INIT;
        EXPECT_EQ(
            decode(str_sub(buf_str(&coded), 0, cut), HTTP_CODING_GZIP, 100, 1 << 20, &back, NULL),
            IO_ERROR);
    }
    buf_add_lit(&coded, "x");
    struct buf back AUTO(buf_destroy) = BUF_INIT;
    EXPECT_EQ(decode(buf_str(&coded), HTTP_CODING_GZIP, 100, 1 << 20, &back, NULL), IO_ERROR);
}

TEST(joined_gzip_members_are_one_text)
{
    struct buf coded AUTO(buf_destroy) = BUF_INIT, back AUTO(buf_destroy) = BUF_INIT;

    encode(STR("one "), HTTP_CODING_GZIP, 100, &coded);
    encode(STR("two"), HTTP_CODING_GZIP, 100, &coded);
    EXPECT_EQ(decode(buf_str(&coded), HTTP_CODING_GZIP, 5, 100, &back, NULL), IO_EOF);
    EXPECT_STR(buf_str(&back), "one two");
}

TEST(a_bomb_stops_at_the_ratio_and_at_the_limit)
{
    static const enum http_coding codings[] = {HTTP_CODING_GZIP, HTTP_CODING_BROTLI};
    struct str zeros = str_from(xcalloc(1, 8 << 20), 8 << 20);

    for (size_t i = 0; i < COUNTOF(codings); i++) {
        struct buf coded AUTO(buf_destroy) = BUF_INIT, back AUTO(buf_destroy) = BUF_INIT;
        bool was_hit = false;
        encode(zeros, codings[i], 1 << 20, &coded);
        EXPECT_EQ(decode(buf_str(&coded), codings[i], 1000, UINT64_MAX, &back, &was_hit), IO_ERROR);
        EXPECT(was_hit && back.len < (2 << 20));
        buf_clear(&back);
        was_hit = false;
        EXPECT_EQ(decode(buf_str(&coded), codings[i], 1000, 100000, &back, &was_hit), IO_ERROR);
        EXPECT(was_hit && back.len <= 100000);
    }
    free((char *)zeros.p);
}

TEST(zstd_and_both_kinds_of_deflate_are_decoded)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    char coded[20000];
    uLongf len = sizeof(coded);
    size_t n;

    sample(&text, 10000);
    n = ZSTD_compress(coded, sizeof(coded), text.p, text.len, 3);
    struct buf back AUTO(buf_destroy) = BUF_INIT;
    EXPECT_EQ(decode(str_from(coded, n), HTTP_CODING_ZSTD, 33, 1 << 20, &back, NULL), IO_EOF);
    EXPECT(str_eq(buf_str(&back), buf_str(&text)));
    compress((Bytef *)coded, &len, (Bytef *)text.p, text.len);
    buf_clear(&back);
    EXPECT_EQ(decode(str_from(coded, len), HTTP_CODING_DEFLATE, 33, 1 << 20, &back, NULL), IO_EOF);
    EXPECT(str_eq(buf_str(&back), buf_str(&text)));
    buf_clear(&back);
    EXPECT_EQ(decode(str_from(coded + 2, len - 6), HTTP_CODING_DEFLATE, 33, 1 << 20, &back, NULL),
              IO_EOF);
    EXPECT(str_eq(buf_str(&back), buf_str(&text)));
}
