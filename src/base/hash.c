/* hash.c: the process's hash secret, set before main() starts threads, never written again.
 * SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <xxhash.h>

#include "base/rand.h"

static uint64_t seed;          /* constant after hash_init() */
static uint64_t sip_key[2];

static __attribute__((constructor)) void
hash_init(void)
{
    rand_secret(&seed, sizeof(seed));
    rand_secret(sip_key, sizeof(sip_key));
}

uint64_t
hash_str(struct str s)
{
    return XXH3_64bits_withSeed(s.p, s.len, seed);
}

uint64_t
hash_str_nocase(struct str s)
{
    char lower[64];
    uint64_t h = seed;

    do {
        size_t n = MIN(s.len, sizeof(lower));
        for (size_t i = 0; i < n; i++)
            lower[i] = ascii_lower(s.p[i]);
        h = XXH3_64bits_withSeed(lower, n, h);
        s = str_skip(s, n);
    } while (s.len);
    return h;
}

struct hash128
hash_128(struct str s)
{
    XXH128_hash_t h = XXH3_128bits(s.p, s.len);

    return (struct hash128){h.high64, h.low64};
}

#define ROTL(x, k) ((x) << (k) | (x) >> (64 - (k)))

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTL(v[1], 13) ^ v[0];
    v[0] = ROTL(v[0], 32);
    v[2] += v[3];
    v[3] = ROTL(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTL(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTL(v[1], 17) ^ v[2];
    v[2] = ROTL(v[2], 32);
}

/* SipHash-1-3, Aumasson and Bernstein. */
uint64_t
hash_sip(struct str s)
{
    uint64_t v[4] = {sip_key[0] ^ 0x736f6d6570736575u, sip_key[1] ^ 0x646f72616e646f6du,
                     sip_key[0] ^ 0x6c7967656e657261u, sip_key[1] ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)s.len << 56, word;
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t shift = 0; i < s.len; i++, shift += 8)
        last |= (uint64_t)(unsigned char)s.p[i] << shift;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
