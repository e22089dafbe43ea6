/* p_authentication_basic.c: <authentication-basic username="u" password="p" />
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/codec.h"
#include "http/headers.h"
#include "policy/basic_auth.h"

struct basic_auth {
    struct pvalue username, password;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct basic_auth, username, "username", .required = true, .about = "User name."),
    VALUE_STR(struct basic_auth, password, "password", .required = true, .about = "Password."),
    ATTR_END
};

bool
basic_auth_apply(const void *conf, struct exchange *ex, struct http_headers *headers)
{
    const struct basic_auth *a = conf;
    struct str username, password;
    struct buf value = buf_in(ex->arena);

    if (!pvalue_str(ex, &a->username, &username) || !pvalue_str(ex, &a->password, &password))
        return false;
    buf_add_lit(&value, "Basic ");
    codec_base64_encode(&value, str_printf(ex->arena, "%.*s:%.*s", STR_ARG(username), STR_ARG(password)));
    if (!value.failed && http_headers_set(headers, STR("Authorization"), buf_str(&value)))
        return true;
    exchange_fail(ex, "no memory left for credentials");
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    return basic_auth_apply(conf, ex, ex->request.headers) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_authentication_basic = {
    .name = "authentication-basic", .sections = IN_INBOUND, .scopes = AT_ALL, .once = true,
    .attrs = attrs, .size = sizeof(struct basic_auth), .run = run,
    .summary = "Shows the backend a user name and password.",
    .usage = "Replaces an Authorization header that is there.",
};
