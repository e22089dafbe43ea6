/* pace.h: whether a peer takes what it is sent. While something waits for it, it has a credit of time, the grace; what it takes brings
 * more, at the minimum rate, up to the time for which it may halt. When the credit is gone the peer is too slow. Who has room for
 * PACE_ROOM bytes may halt from the beginning: a kernel of that much room tells of it again only when a good part is free, so that an
 * honest reader shows nothing for a while. A look costs a system call, so the first is only taken when the peer has kept us waiting
 * for PACE_LOOK_MS.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

struct stream;

#define PACE_LOOK_MS 2000u
#define PACE_ROOM (32u << 10)

/* Of what lies in a socket when we are through with an answer: less is not worth a look. */
#define PACE_UNTAKEN_MIN 4096u

struct pace_limit {
    uint32_t halt_ms;                 /* without a byte, once it has taken some; 0: the grace, or without a rate no limit */
    uint32_t rate, grace_ms;          /* bytes a second that it must take after the grace; rate 0: no minimum, no grace */
};

struct pace {
    uint64_t at_ms, taken;            /* when it was looked at last, and what had been taken */
    uint32_t credit_ms;
    bool is_measured;
};

/* The wait begins. */
void pace_begin(struct pace *p, uint64_t now_ms);
/* When to look next. */
uint64_t pace_next_ms(const struct pace *p);
/* taken: all so far, a number that only grows. False: too slow. */
bool pace_look(struct pace *p, const struct pace_limit *limit, uint64_t now_ms, uint64_t taken);
/* The same of a stream; where its socket cannot tell, `sent` is what it took. */
bool pace_look_at_stream(struct pace *p, const struct pace_limit *limit, uint64_t now_ms, const struct stream *s, uint64_t sent);
