/* refusals.c: at most one line a minute.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/refusals.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "gateway/worker.h"
#include "net/stream.h"

#define QUIET_MS 60000

void
refusals_text(const struct refusals *r, struct buf *to)
{
    buf_printf(to, "refused %" PRIu32 " more request%s before routing:", r->n, r->n == 1 ? "" : "s");
    for (unsigned i = 0; i < COUNTOF(r->counts); i++)
        if (r->counts[i])
            buf_printf(to, " %" PRIu32 " with %u,", r->counts[i], i + 400);
    buf_printf(to, " the last from %s: %u, %s", r->last_from, r->last_status, r->last_why);
}

/* A minute after the last line: the next, or none until there is something to say. */
static void
on_quiet_end(struct timer *t)
{
    struct refusals *r = CONTAINER_OF(t, struct refusals, quiet);
    struct buf text AUTO(buf_destroy) = BUF_INIT;

    if (!r->n)
        return;
    refusals_text(r, &text);
    log_warn("%.*s", STR_ARG(buf_str(&text)));
    memset(r->counts, 0, sizeof(r->counts));
    r->n = 0;
    timer_start(r->loop, t, loop_now_ms(r->loop) + QUIET_MS, on_quiet_end);
}

void
refusals_note(struct refusals *r, const struct addr *from, uint16_t status, const char *why)
{
    char text[ADDR_TEXT_MAX];

    if (status < 400 || status - 400u >= COUNTOF(r->counts))
        return;
    r->last_status = status;
    r->last_why = why;
    snprintf(r->last_from, sizeof(r->last_from), "%s", from->kind == ADDR_UNIX ? "a unix socket" : addr_ip_text(from, text).p);
    if (timer_is_running(&r->quiet)) {
        r->counts[status - 400]++;
        r->n++;
        return;
    }
    log_warn("refused a request from %s before routing: %u, %s; more are told once a minute", r->last_from, status, why);
    timer_start(r->loop, &r->quiet, loop_now_ms(r->loop) + QUIET_MS, on_quiet_end);
}

void
refusals_stop(struct refusals *r)
{
    if (r->loop)
        timer_stop(r->loop, &r->quiet);
}

void
refusals_on_refused(void *worker, const struct stream *from, uint16_t status, const char *why)
{
    struct worker *w = worker;

    refusals_note(&w->refusals, &from->peer, status, why);
}
