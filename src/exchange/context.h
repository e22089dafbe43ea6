/* context.h: what the context object of expressions shares with policies.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"
#include "expr/value.h"

/* An IResponse: context.Response, and what send-request leaves in a variable. */
struct reply_object {
    struct object head;           /* of the type named "IResponse" */
    struct exchange *ex;
    struct reply *reply;
};

/* The reply behind an IResponse; NULL for any other object. */
struct reply *context_reply_of(struct object *o);
/* A reply as an object for a variable; NULL when the arena is full. */
struct object *context_object_of_reply(struct exchange *ex, struct reply *reply);
/* `context` itself; NULL when the arena is full. */
struct object *context_object(struct exchange *ex);
/* A boxed System.Int32; NULL when the arena is full. */
struct object *context_object_of_int(struct exchange *ex, int32_t n);
/* A System.String that keeps the bytes where they are. */
struct object *context_object_of_text(struct exchange *ex, struct str text);
