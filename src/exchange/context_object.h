/* context_object.h: how the objects of `context` are built: a type, the exchange, and what of it the object shows. They copy
 * nothing, so they show what policies have done since.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"
#include "expr/native.h"

struct view {
    struct object head;
    struct exchange *ex;
    const void *of;
};

/* An object of c->ret_type; false when out of budget. */
bool return_view(struct call *c, struct exchange *ex, const void *of);
/* null when `of` is NULL. */
bool return_view_or_null(struct call *c, struct exchange *ex, const void *of);
static inline struct view *
self_view(const struct call *c)
{
    return (struct view *)c->args[0].ref;
}

/* A view of text that lives as long as the exchange. */
bool return_text(struct call *c, struct str s);
/* null for STR_NONE and for "". */
bool return_text_or_null(struct call *c, struct str s);
/* A DateTime (UTC) of seconds since 1970; of a nullable property null when 0. */
bool return_time(struct call *c, int64_t unix_s);
bool return_time_or_null(struct call *c, int64_t unix_s);
/* IUrl */
bool return_url(struct call *c, struct exchange *ex, const struct url *url);
