/* pace.c: a credit of time (pace.h).
 *
 *     begin ---- PACE_LOOK_MS ----> first look, credit ---> looks, each when the credit would be gone
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/pace.h"

#include "net/stream.h"

/* 0: nothing is asked of the peer. */
static uint32_t
full_credit_ms(const struct pace_limit *limit)
{
    return limit->halt_ms || !limit->rate ? limit->halt_ms : MAX(limit->grace_ms, 1u);
}

static uint32_t
first_credit_ms(const struct pace_limit *limit, uint64_t taken)
{
    uint32_t full_ms = full_credit_ms(limit);

    return limit->rate && taken < PACE_ROOM ? MIN(full_ms, MAX(limit->grace_ms, 1u)) : full_ms;
}

void
pace_begin(struct pace *p, uint64_t now_ms)
{
    *p = (struct pace){.at_ms = now_ms, .credit_ms = PACE_LOOK_MS};
}

uint64_t
pace_next_ms(const struct pace *p)
{
    return p->at_ms + p->credit_ms;
}

/* What was taken since, in time. */
static uint64_t
earned_ms(const struct pace *p, const struct pace_limit *limit, uint64_t taken)
{
    uint64_t more = taken - p->taken;

    if (limit->rate)
        return MIN(more, (uint64_t)UINT32_MAX) * 1000 / limit->rate;
    return more ? limit->halt_ms : 0;
}

bool
pace_look(struct pace *p, const struct pace_limit *limit, uint64_t now_ms, uint64_t taken)
{
    uint32_t full_ms = full_credit_ms(limit);
    uint64_t waited_ms = now_ms - p->at_ms, has_ms = first_credit_ms(limit, taken);

    if (!full_ms) {
        pace_begin(p, now_ms);
        return true;
    }
    if (p->is_measured)
        has_ms = p->credit_ms + earned_ms(p, limit, taken);
    p->credit_ms = (uint32_t)MIN(has_ms - MIN(has_ms, waited_ms), (uint64_t)full_ms);
    p->at_ms = now_ms;
    p->taken = taken;
    p->is_measured = true;
    return p->credit_ms > 0;
}

bool
pace_look_at_stream(struct pace *p, const struct pace_limit *limit, uint64_t now_ms, const struct stream *s, uint64_t sent)
{
    struct stream_progress progress;

    return pace_look(p, limit, now_ms, stream_progress(s, &progress) ? progress.taken : sent);
}
