/* refusals.h: word in the process log of requests that were refused before there was a call: heads that are no HTTP or too large,
 * no place left. They have no row in the gateway log, since nothing of them can be trusted and a flood of them would be a flood
 * of rows; the first is told at once, and then a line a minute and worker says how many more there were, of which status.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/timer.h"

struct addr;
struct buf;
struct stream;

struct refusals {                     /* of one worker; zeroed at first */
    struct loop *loop;
    struct timer quiet;               /* runs for a minute after a line */
    uint32_t counts[200];             /* since the last line, by status - 400 */
    uint32_t n;
    uint16_t last_status;
    const char *last_why;
    char last_from[64];
};

/* One more. why lives for good. Never yields. */
void refusals_note(struct refusals *r, const struct addr *from, uint16_t status, const char *why);
/* "refused 3 more requests before routing: 2 with 400, 1 with 431, the last from 203.0.113.9: 400, ..." */
void refusals_text(const struct refusals *r, struct buf *to);
void refusals_stop(struct refusals *r);
/* http_server_conf.on_refused of a worker. */
void refusals_on_refused(void *worker, const struct stream *from, uint16_t status, const char *why);
