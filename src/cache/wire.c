/* wire.c: entries to bytes and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/wire.h"

#include <endian.h>
#include <zstd.h>

#include "base/hash.h"
#include "cache/key.h"

#define MAGIC "HGC1"
#define VERSION 1
#define FLAG_PACKED 1u
#define CHECKED_FROM ((size_t)16)   /* magic, version and checksum itself are not covered by it */
#define PACK_LEVEL 1
#define AGE_MAX_S ((uint64_t)1 << 31)  /* RFC 9111 1.2.2: more is as much */

/* The head as it lies in memory. */
struct wire_head {
    char magic[4];
    uint8_t version, kind, flags, zero;
    uint64_t checksum, length, born, stored, expires, stale_until, token, body_len;
    uint32_t key, vary, head;
    uint16_t status, tag, scopes, zero16;
    uint32_t age, revalidate, error, flags32, zero32;
} __attribute__((packed));
_Static_assert(sizeof(struct wire_head) == 112, "a public format");

static uint64_t
checksum(struct str bytes)
{
    return hash_128(str_skip(bytes, CHECKED_FROM)).lo;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

bool
wire_encode(struct buf *to, const struct wire *v, const struct str *body_parts, uint32_t n)
{
    size_t at = to->len;
    struct wire_head h = {.magic = MAGIC, .version = VERSION, .kind = v->kind, .flags = v->is_packed ? FLAG_PACKED : 0,
        .born = htole64(v->born), .stored = htole64(v->stored_ms), .expires = htole64(v->expires_ms),
        .stale_until = htole64(v->stale_until_ms), .token = htole64(v->token), .body_len = htole64(v->body_len),
        .key = htole32((uint32_t)v->key.len), .vary = htole32((uint32_t)v->vary.len),
        .head = htole32((uint32_t)v->head.len), .status = htole16(v->status), .tag = htole16(v->tag),
        .scopes = htole16((uint16_t)v->n_scopes), .age = htole32(v->age_s), .revalidate = htole32(v->revalidate_s),
        .error = htole32(v->error_s), .flags32 = htole32(v->flags)};

    memcpy(h.magic, MAGIC, sizeof(h.magic));
    buf_add(to, &h, sizeof(h));
    buf_add(to, v->scopes, (size_t)v->n_scopes * 8);
    buf_add_str(to, v->key);
    buf_add_str(to, v->vary);
    buf_add_str(to, v->head);
    for (uint32_t i = 0; i < n; i++)
        buf_add_str(to, body_parts[i]);
    if (n == 0)
        buf_add_str(to, v->body);
    if (to->failed)
        return false;
    h.length = htole64(to->len - at);
    memcpy(to->p + at, &h, sizeof(h));
    h.checksum = htole64(checksum(str_from(to->p + at, to->len - at)));
    memcpy(to->p + at, &h, sizeof(h));
    return true;
}

bool
wire_pack(const struct str *parts, uint32_t n, struct buf *to)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    size_t total = 0, left = 1;
    bool ok = z && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, PACK_LEVEL));

    for (uint32_t i = 0; i < n; i++)
        total += parts[i].len;
    if (ok)
        ZSTD_CCtx_setPledgedSrcSize(z, total);
    to->max = to->len + total - total / 8;
    for (uint32_t i = 0; ok && i < n; i++) {
        ZSTD_inBuffer in = {parts[i].p, parts[i].len, 0};
        ZSTD_EndDirective mode = i + 1 == n ? ZSTD_e_end : ZSTD_e_continue;

        do {
            char *room = buf_reserve(to, MIN((size_t)4096, to->max - to->len));
            ZSTD_outBuffer out = {room, room ? MIN(to->cap, to->max) - to->len : 0, 0};

            ok = room && out.size;
            if (!ok)
                break;
            left = ZSTD_compressStream2(z, &out, &in, mode);
            to->len += out.pos;
            ok = !ZSTD_isError(left);
        } while (ok && (mode == ZSTD_e_end ? left : in.pos < in.size));
    }
    ZSTD_freeCCtx(z);
    return ok && left == 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static struct str
cut(struct str *rest, size_t n)
{
    struct str part = str_sub(*rest, 0, n);

    *rest = str_skip(*rest, n);
    return part;
}

bool
wire_decode(struct str bytes, struct wire *ret, struct err *err)
{
    struct wire_head h;
    struct str rest = bytes;
    uint64_t texts;

    if (bytes.len < sizeof(h))
        return err_set(err, ERR_INVALID, "it is too short for an entry (%zu bytes)", bytes.len);
    memcpy(&h, bytes.p, sizeof(h));
    if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0)
        return err_set(err, ERR_INVALID, "it is not an entry of ours");
    if (h.version > VERSION || h.version == 0)
        return err_set(err, ERR_INVALID, "its format has version %u, and %u is the newest known", h.version, VERSION);
    if (le64toh(h.length) != bytes.len)
        return err_set(err, ERR_INVALID, "it was cut: %zu of %" PRIu64 " bytes", bytes.len, le64toh(h.length));
    if (le64toh(h.checksum) != checksum(bytes))
        return err_set(err, ERR_INVALID, "its checksum is wrong");
    texts = (uint64_t)le16toh(h.scopes) * 8 + le32toh(h.key) + (uint64_t)le32toh(h.vary) + le32toh(h.head);
    if (texts > bytes.len - sizeof(h) || le16toh(h.scopes) > CACHE_SCOPES_MAX ||
        (h.kind != CACHE_RESPONSE && h.kind != CACHE_VALUE && h.kind != WIRE_MARKER) || h.flags & ~FLAG_PACKED)
        return err_set(err, ERR_INVALID, "its parts do not fit together");
    rest = str_skip(rest, sizeof(h));
    *ret = (struct wire){
        .kind = h.kind, .is_packed = h.flags & FLAG_PACKED, .status = le16toh(h.status), .tag = le16toh(h.tag),
        .born = le64toh(h.born), .token = le64toh(h.token), .stored_ms = le64toh(h.stored), .expires_ms = le64toh(h.expires),
        .stale_until_ms = le64toh(h.stale_until), .age_s = le32toh(h.age), .revalidate_s = le32toh(h.revalidate),
        .error_s = le32toh(h.error), .flags = le32toh(h.flags32), .n_scopes = le16toh(h.scopes), .body_len = le64toh(h.body_len)};
    ret->scopes = cut(&rest, (size_t)ret->n_scopes * 8).p;
    ret->key = cut(&rest, le32toh(h.key));
    ret->vary = cut(&rest, le32toh(h.vary));
    ret->head = cut(&rest, le32toh(h.head));
    ret->body = rest;
    if (!ret->is_packed && ret->body_len != rest.len)
        return err_set(err, ERR_INVALID, "its parts do not fit together");
    return true;
}

uint32_t
wire_age(uint32_t age_s, uint64_t lost_ms)
{
    return (uint32_t)MIN(age_s + lost_ms / 1000, AGE_MAX_S);
}

/* A second that has begun is gone. */
uint32_t
wire_window_left(uint32_t window_s, uint64_t lost_ms)
{
    uint64_t lost_s = lost_ms / 1000 + (lost_ms % 1000 != 0);

    return window_s - (uint32_t)MIN(lost_s, (uint64_t)window_s);
}

void
wire_scopes(const struct wire *v, struct cache_scopes *ret)
{
    ret->n = v->n_scopes;
    ret->is_full = false;
    for (uint32_t i = 0; i < v->n_scopes; i++) {
        uint64_t id;

        memcpy(&id, v->scopes + (size_t)i * 8, sizeof(id));
        ret->v[i] = le64toh(id);
    }
}

bool
wire_unpack(struct str packed, char *to, size_t len, struct err *err)
{
    size_t n = ZSTD_decompress(to, len, packed.p, packed.len);

    if (ZSTD_isError(n) || n != len)
        return err_set(err, ERR_INVALID, "its packed body is damaged");
    return true;
}
