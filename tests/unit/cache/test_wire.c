/* Entries as bytes: what was written is read, and nothing that was touched is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/wire.c"
#include "base/rand.h"
#include "test.h"

static const cache_scope_id scopes[] = {7, UINT64_MAX};

static struct wire
sample(void)
{
    return (struct wire){.kind = CACHE_RESPONSE, .status = 200, .tag = 3, .born = 1ull << 60, .token = 99, .stored_ms = 1000,
                         .expires_ms = 61000, .stale_until_ms = 90000, .scopes = (const char *)scopes, .n_scopes = 2,
                         .key = STR("rkey"), .vary = STR("vary"), .head = STR("head"), .body = STR("body!"), .body_len = 5};
}

TEST(what_was_written_is_read)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct wire v = sample(), r;
    struct cache_scopes s;
    struct err err;

    EXPECT(wire_encode(&b, &v, NULL, 0));
    EXPECT_OK(wire_decode(buf_str(&b), &r, &err));
    EXPECT(r.kind == v.kind && r.status == 200 && r.tag == 3 && r.born == v.born && r.token == 99 && !r.is_packed);
    EXPECT(r.stored_ms == 1000 && r.expires_ms == 61000 && r.stale_until_ms == 90000 && r.body_len == 5);
    EXPECT(str_eq(r.key, v.key) && str_eq(r.vary, v.vary) && str_eq(r.head, v.head) && str_eq(r.body, v.body));
    wire_scopes(&r, &s);
    EXPECT(s.n == 2 && s.v[0] == 7 && s.v[1] == UINT64_MAX);
}

TEST(a_body_may_come_in_parts)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str parts[] = {STR("bo"), STR(""), STR("dy!")};
    struct wire v = sample(), r;

    EXPECT(wire_encode(&b, &v, parts, 3) && wire_decode(buf_str(&b), &r, NULL));
    EXPECT_STR(r.body, "body!");
}

TEST(the_format_is_public)
{
    static const char head[] = "HGC1\x01r\0\0";
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct wire v = sample();

    EXPECT(wire_encode(&b, &v, NULL, 0));
    EXPECT_EQ(b.len, 112 + 16 + 4 + 4 + 4 + 5);
    EXPECT(memcmp(b.p, head, 8) == 0);
    EXPECT_EQ((uint8_t)b.p[16], b.len);
    EXPECT_EQ((uint8_t)b.p[31], 0x10); /* born, little-endian */
    EXPECT(memcmp(b.p + 112, "\x07\0\0\0\0\0\0\0\xff", 9) == 0);
    EXPECT(memcmp(b.p + b.len - 17, "rkeyvaryheadbody!", 17) == 0);
}

TEST(every_changed_or_missing_byte_is_noticed)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct wire v = sample(), r;

    EXPECT(wire_encode(&b, &v, NULL, 0));
    for (size_t i = 0; i < b.len; i++) {
        EXPECT(!wire_decode(str_sub(buf_str(&b), 0, i), &r, NULL));
        if (i == 4 || i == 5 || i == 6 || i == 7)
            continue;                 /* version, kind and flags are looked at by themselves */
        b.p[i] ^= 0x20;
        EXPECT(!wire_decode(buf_str(&b), &r, NULL));
        b.p[i] ^= 0x20;
    }
    buf_add_char(&b, 'x');
    EXPECT(!wire_decode(buf_str(&b), &r, NULL));
}

TEST(newer_and_foreign_values_are_refused_by_name)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct wire v = sample(), r;
    struct err err;

    EXPECT(wire_encode(&b, &v, NULL, 0));
    b.p[4] = 2;
    EXPECT_ERR(wire_decode(buf_str(&b), &r, &err), ERR_INVALID);
    EXPECT(strstr(err.text, "version 2"));
    b.p[4] = 1;
    b.p[5] = 'x';
    EXPECT_ERR(wire_decode(buf_str(&b), &r, &err), ERR_INVALID);
    memcpy(b.p, "\x80\x04\x95\x10", 4);
    EXPECT_ERR(wire_decode(buf_str(&b), &r, &err), ERR_INVALID);
    EXPECT(strstr(err.text, "not an entry"));
}

TEST(packing_saves_or_says_no)
{
    struct buf packed AUTO(buf_destroy) = BUF_INIT, noise AUTO(buf_destroy) = BUF_INIT, back AUTO(buf_destroy) = BUF_INIT;
    struct rand rand;
    struct str parts[3];
    struct err err;

    for (int i = 0; i < 5000; i++)
        buf_printf(&back, "{\"id\": %d, \"name\": \"thing\"}, ", i);
    parts[0] = str_sub(buf_str(&back), 0, 10);
    parts[1] = str_sub(buf_str(&back), 10, 20000);
    parts[2] = str_skip(buf_str(&back), 20000);
    EXPECT(wire_pack(parts, 3, &packed));
    EXPECT(packed.len < back.len / 4);
    char *to = xmalloc(back.len);
    EXPECT_OK(wire_unpack(buf_str(&packed), to, back.len, &err));
    EXPECT(memcmp(to, back.p, back.len) == 0);
    EXPECT_ERR(wire_unpack(buf_str(&packed), to, back.len - 1, &err), ERR_INVALID);
    packed.p[packed.len / 2] ^= 1;
    packed.len -= 3;
    EXPECT_ERR(wire_unpack(buf_str(&packed), to, back.len, &err), ERR_INVALID);
    free(to);
    rand_seed(&rand, 1);
    for (int i = 0; i < 2000; i++) {
        uint64_t n = rand_u64(&rand);
        buf_add(&noise, &n, sizeof(n));
    }
    buf_destroy(&packed);
    packed = BUF_INIT;
    parts[0] = buf_str(&noise);
    EXPECT(!wire_pack(parts, 1, &packed));
}
