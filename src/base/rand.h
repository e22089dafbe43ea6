/* rand.h: random bytes for secrets (the kernel's), and a fast generator for jitter and choices.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

/* From getrandom(2); aborts when the kernel has none. */
void rand_secret(void *p, size_t n);

/* xoshiro256**; one a worker, not for secrets. */
struct rand {
    uint64_t s[4];
};
void rand_seed(struct rand *r, uint64_t seed);
uint64_t rand_u64(struct rand *r);
/* Even over [0, below); below > 0. */
uint64_t rand_below(struct rand *r, uint64_t below);
/* [0, 1) */
double rand_unit(struct rand *r);
