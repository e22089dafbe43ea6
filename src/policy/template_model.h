/* template_model.h: what a template of set-body sees: `body`, the message it replaces, and `context`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/liquid.h"
#include "exchange/exchange.h"

struct http_headers;

struct template_input {
    struct content *content;          /* `body`; read when the template speaks of it */
    const struct http_headers *headers;   /* its Content-Type says what it is */
    bool nil_is_null;                 /* of XML: xsi:nil="true" */
    bool with_dates;                  /* of JSON: texts that look like dates */
};

/* Renders into `to`, a buffer of malloc's. False with ex->error set. Yields. */
MUST_USE bool template_render(struct exchange *ex, const struct liquid *t, const struct template_input *in, struct buf *to);
