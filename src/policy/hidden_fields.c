/* hidden_fields.c: X-Forwarded-For, Client-Cert and their like are taken off requests of clients that are no trusted proxy
 * (http/forward.c), so that without any a policy that reads them always finds nothing. That is right where clients come
 * themselves and a surprise behind a balancer: `headgate check` notes it, where it knows the configuration.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/hidden_fields.h"

#include "http/forward.h"
#include "policy/compile.h"

static void
note(struct compiler *c, const struct doc_text *text, size_t at, struct str name)
{
    diag_add_mapped(c->diags, DIAG_NOTE, &text->map, (uint32_t)at, (uint32_t)name.len,
                    "%.*s is taken off requests, as no proxy is trusted; `forwarding: trusted-proxies` of headgate.yaml names those "
                    "whose word counts", STR_ARG(name));
}

/* Its literals, in an expression that looks at fields of the request. */
void
hidden_fields_expression(struct compiler *c, const struct doc_text *text)
{
    struct str all = text->value;
    ptrdiff_t open, close;

    if (!c->in->names || !c->in->names->has_no_proxies || str_find(all, STR("Request.Headers"), 0) < 0)
        return;
    for (size_t at = 0; (open = str_find_char(all, '"', at)) >= 0; at = (size_t)close + 1) {
        struct str name;

        if ((close = str_find_char(all, '"', (size_t)open + 1)) < 0)
            return;
        name = str_sub(all, (size_t)open + 1, (size_t)close);
        if (http_is_for_proxies(name))
            note(c, text, (size_t)open + 1, name);
    }
}
