/* wire.h: an entry as bytes in the external store. A public format: other versions and other programs read it.
 *
 *      0  "HGC1"                       magic
 *      4  u8 version (1), u8 kind ('r', 'v', 'm'), u8 flags (1: the body is zstd), u8 0
 *      8  u64 checksum                 XXH3-128 of all bytes from 16 on, its low half
 *     16  u64 length of all            24  u64 born (generation)
 *     32  u64 stored                   40  u64 expires             48  u64 stale until      (ms since 1970)
 *     56  u64 token                    64  u64 length of the body, unpacked
 *     72  u32 key  76  u32 vary  80  u32 head (lengths)  84  u16 status  86  u16 tag  88  u16 scopes  90  u16 0
 *     92  u32 age when stored   96  u32 seconds it may be served while refreshed   100  u32 seconds it may be served on errors
 *    104  u32 flags  108  u32 0
 *    112  scopes (u64 each), key, vary, head, body
 *
 * Numbers are little-endian. The instants are the writer's: the store's own expiry only frees memory.
 * Kind 'm' marks a key whose answers vary: `vary` names the fields, and each answer lies under a key of its own that carries
 * the marker's token, so that removing the marker removes them all.
 * Anything odd is refused as a whole: a reader takes it for a miss.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "cache/scope.h"

#define WIRE_HEAD_BYTES ((size_t)112)
#define WIRE_MARKER 'm'

struct wire {
    uint8_t kind;                     /* enum cache_kind, WIRE_MARKER */
    bool is_packed;
    uint16_t status, tag;
    uint64_t born, token;
    uint64_t stored_ms, expires_ms, stale_until_ms;  /* since 1970 */
    uint32_t age_s, revalidate_s, error_s, flags;    /* as in struct cache_item */
    const char *scopes;               /* n_scopes, eight bytes each, not aligned */
    uint32_t n_scopes;
    struct str key, vary, head;
    struct str body;                  /* as it lies there */
    uint64_t body_len;                /* unpacked */
};

/* Appends the value, in one piece. body_parts: what v->body would be, in n pieces (n 0: v->body itself). */
MUST_USE bool wire_encode(struct buf *to, const struct wire *v, const struct str *body_parts, uint32_t n);
/* Views into bytes. ERR_INVALID says what is odd: too short, foreign, of a newer version, cut, damaged. */
MUST_USE bool wire_decode(struct str bytes, struct wire *ret, struct err *err);
void wire_scopes(const struct wire *v, struct cache_scopes *ret);

/* A reader's clock may have begun after the entry was stored, or even after it had expired; an instant before that is its zero, and
 * lost_ms says how much earlier it was. The age when stored, with what was lost; and what is left of a window behind the end. */
uint32_t wire_age(uint32_t age_s, uint64_t lost_ms);
uint32_t wire_window_left(uint32_t window_s, uint64_t lost_ms);

/* zstd. pack: false when it would not save an eighth. unpack: exactly `len` bytes into `to`, else ERR_INVALID. */
MUST_USE bool wire_pack(const struct str *parts, uint32_t n, struct buf *to);
MUST_USE bool wire_unpack(struct str packed, char *to, size_t len, struct err *err);
