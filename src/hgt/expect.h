/* expect.h: what a script expects, held against what came.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "hgt/script.h"
#include "hgt/wire.h"

/* One answer of the gateway. */
struct client_reply {
    struct wire_message message;
    bool has_answer;                  /* a complete head came */
    bool is_closed;                   /* the connection ended after it */
    struct str trouble;               /* why no answer came; STR_NONE when one did */
    uint32_t n_interim, n_answers;    /* 1xx before it; answers in all (raw) */
};

/* The part of a reply an expectation speaks of; STR_NONE when it is not there. */
struct str reply_part(const struct client_reply *r, struct str subject, struct str name, struct arena *a);
/* A value inside a JSON text: $.a.b[0], a missing '$.' is added; a string without its quotes, other values as JSON. */
struct str json_part(struct str text, struct str path, struct arena *a);
/* Compares; on failure *ret_why tells, with both sides. */
bool expectation_holds(const struct expectation *e, struct str value, struct str actual, struct arena *a,
                       struct str *ret_why);
