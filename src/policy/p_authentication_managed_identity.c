/* p_authentication_managed_identity.c: <authentication-managed-identity resource="https://vault.azure.net" client-id="..."
 *                                      output-token-variable-name="token" ignore-error="false" />
 * A token of the gateway's own identity for a resource: in the Authorization header, or in a variable. Where identities come from is
 * configured (identities in headgate.yaml).
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/access_token.h"
#include "exchange/context.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/credentials.h"

struct managed_identity {
    struct pvalue resource, client_id;
    struct str output;
    bool ignore_error;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct managed_identity, resource, "resource", .required = true, .about = "What the token is for: an application id URI."),
    VALUE_STR(struct managed_identity, client_id, "client-id", .about = "Client id (or name) of an identity; left out, the system's own."),
    ATTR_STR(struct managed_identity, output, "output-token-variable-name",
             .about = "Variable for the token, without `Bearer`; then no header is set.",
             .unverified = "With it the Authorization header stays as it is."),
    ATTR_BOOL(struct managed_identity, ignore_error, "ignore-error", .fallback = "false",
              .about = "Go on when no token can be had; the variable is not set then."),
    ATTR_END
};

static bool
use_token(const struct managed_identity *m, struct exchange *ex, struct http_headers *headers, struct str token)
{
    struct object *o;
    bool ok;

    if (m->output.len) {
        o = context_object_of_text(ex, token);
        ok = o && exchange_set_variable(ex, m->output, o);
    } else {
        token = str_concat(ex->arena, STR("Bearer "), token);
        ok = token.p && http_headers_set(headers, STR("Authorization"), token);
    }
    if (!ok)
        exchange_fail(ex, "no memory left for a token");
    return ok;
}

bool
managed_identity_apply(const void *conf, struct exchange *ex, struct http_headers *headers)
{
    const struct managed_identity *m = conf;
    struct str resource, client_id, token;
    struct err err = ERR_INIT;

    if (!pvalue_str(ex, &m->resource, &resource) || !pvalue_str(ex, &m->client_id, &client_id))
        return false;
    if (identity_token(ex, str_trim(resource), str_trim(client_id), &token, &err))
        return use_token(m, ex, headers, token);
    if (m->ignore_error && err.code != ERR_CANCELLED) {
        exchange_trace(ex, TRACE_ERROR, STR("authentication-managed-identity"), str_dup(ex->arena, str_from_c(err.text)));
        return true;
    }
    if (err.code == ERR_CANCELLED)
        exchange_fail_io(ex, &err);
    else
        exchange_fail(ex, "no token for '%.*s': %s", STR_ARG(resource), err.text);
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    return managed_identity_apply(conf, ex, ex->request.headers) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_authentication_managed_identity = {
    .name = "authentication-managed-identity", .sections = IN_INBOUND | IN_OUTBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct managed_identity), .run = run,
    .summary = "Shows the backend a token of the gateway's own identity.",
    .usage = "Identities are configured in headgate.yaml: an endpoint of the platform, a workload identity, a client's secret or "
             "certificate, or a program.\nTokens are kept for all workers until shortly before they expire and fetched ahead of that; one "
             "fetch serves all who wait.\nA failure is an error (500) unless ignore-error is true.",
};
