/* rand.c: xoshiro256** (Blackman, Vigna; public domain), seeded by splitmix64.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include <sys/random.h>

void
rand_secret(void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);
        ASSERT(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

void
rand_seed(struct rand *r, uint64_t seed)
{
    for (size_t i = 0; i < COUNTOF(r->s); i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->s[i] = z ^ z >> 31;
    }
}

static uint64_t
rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t
rand_u64(struct rand *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t
rand_below(struct rand *r, uint64_t below)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % below, n;

    do
        n = rand_u64(r);
    while (n >= limit);
    return n % below;
}

double
rand_unit(struct rand *r)
{
    return (double)(rand_u64(r) >> 11) * 0x1p-53;
}
