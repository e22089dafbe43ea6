#include "http/h1_chunk.c"
#include "test.h"

#define L "\r\n"

/* Feeds the bytes in parts of `step`; the data goes to out. The event that ended it; *left is what was not
 * consumed. */
static enum h1_chunk_event
feed(struct str bytes, size_t step, char *out, size_t *ret_len, size_t *left)
{
    struct h1_chunk c = {.extension_left = H1_CHUNK_EXTENSION_BYTES};
    enum h1_chunk_event e = H1_CHUNK_MORE;
    const char *why = NULL;

    *ret_len = 0;
    for (size_t at = 0; at < bytes.len;) {
        struct str part = str_sub(bytes, at, at + step), piece;
        at += part.len;
        while ((e = h1_chunk_next(&c, &part, &piece, &why)) == H1_CHUNK_PIECE) {
            memcpy(out + *ret_len, piece.p, piece.len);
            *ret_len += piece.len;
        }
        *left = part.len + bytes.len - at;
        if (e == H1_CHUNK_BAD || e == H1_CHUNK_END)
            break;
    }
    EXPECT(e != H1_CHUNK_BAD || why);
    return e;
}

static const struct {
    int event;
    struct str bytes;
    const char *data;
} bodies[] = {
    {H1_CHUNK_END, STR_INIT("5" L "hello" L "0" L L), "hello"},
    {H1_CHUNK_END, STR_INIT("5;a=b" L "hello" L "06" L " world" L "000;x" L L), "hello world"},
    {H1_CHUNK_END, STR_INIT("1a" L "abcdefghijklmnopqrstuvwxyz" L "0" L L), "abcdefghijklmnopqrstuvwxyz"},
    {H1_CHUNK_END, STR_INIT("A" L "0123456789" L "0" L L), "0123456789"},
    {H1_CHUNK_END, STR_INIT("0000000000000005" L "hello" L "0" L L), "hello"},
    {H1_CHUNK_END, STR_INIT("5;n=\"q\\\";\"" L "hello" L "0" L L), "hello"},
    {H1_CHUNK_MORE, STR_INIT("5" L "hel"), "hel"},
    {H1_CHUNK_MORE, STR_INIT("5" L "hello"), "hello"},
    {H1_CHUNK_MORE, STR_INIT("5" L "hello" L), "hello"},
    {H1_CHUNK_BAD, STR_INIT("00000000000000005" L "hello" L "0" L L), ""},
    {H1_CHUNK_BAD, STR_INIT("ffffffffffffffff5" L), ""},
    {H1_CHUNK_BAD, STR_INIT("+5" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("-5" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("0x5" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT(" 5" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5 " L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5 ;x" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5\t" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT(L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT(";x" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("g" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5\nhello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5\rhello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5;a\nb" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5;a\rb" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5;\x01" L "hello" L), ""},
    {H1_CHUNK_BAD, STR_INIT("5" L "hello\n0" L L), "hello"},
    {H1_CHUNK_BAD, STR_INIT("5" L "hello\r0" L L), "hello"},
    {H1_CHUNK_BAD, STR_INIT("5" L "hello!" L "0" L L), "hello"},
    {H1_CHUNK_BAD, STR_INIT("5" L "hello" L L), "hello"},
};

TEST(each_body_reads_the_same_however_it_is_cut)
{
    for (size_t i = 0; i < COUNTOF(bodies); i++) {
        for (size_t step = 1; step <= bodies[i].bytes.len; step++) {
            char out[128];
            size_t len, left;
            int e = feed(bodies[i].bytes, step, out, &len, &left);
            if (e != bodies[i].event || !str_eq(str_from(out, len), str_from_c(bodies[i].data)))
                TEST_FAIL("case %zu in steps of %zu: event %d, '%.*s'", i, step, e, (int)len, out);
            if (e == H1_CHUNK_END && left != 2)
                TEST_FAIL("case %zu: %zu bytes left for the trailers", i, left);
        }
    }
}

TEST(extensions_are_limited_over_the_whole_body)
{
    static char bytes[100 * 130];
    size_t n = 0, len, left;
    char out[128];

    for (int i = 0; i < 60; i++)
        n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "1;%0100d\r\nx\r\n", 7);
    EXPECT_EQ(feed(str_from(bytes, n), 1000, out, &len, &left), H1_CHUNK_BAD);
    EXPECT_EQ(len, 40);
}
