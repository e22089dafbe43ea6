/* hash.h: XXH3 with a per-process secret for tables inside the process; SipHash-1-3 for tables that attackers may
 * fill without bound; plain XXH3-128 where nodes must agree (cache keys in Redis).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/* Seeded at start from the kernel's randomness; differs between processes. Never leaves the process. */
uint64_t hash_str(struct str s);
/* ASCII case ignored. */
uint64_t hash_str_nocase(struct str s);
/* SipHash-1-3 under the per-process key. */
uint64_t hash_sip(struct str s);

struct hash128 {
    uint64_t hi, lo;
};
/* Unkeyed and stable between processes and versions: XXH3-128. */
struct hash128 hash_128(struct str s);

static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xbf58476d1ce4e5b9u);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}
