/* p_proxy.c: <proxy url="http://proxy.example:3128" username="u" password="p" />
 * Requests to the backend go through an HTTP proxy: by CONNECT to https backends, with the whole address to others.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/target.h"
#include "http/client.h"
#include "policy/compile.h"
#include "policy/credentials.h"

struct proxy {
    struct pvalue url, username, password;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct proxy, url, "url", .required = true, .about = "The proxy: http://host:port."),
    VALUE_STR(struct proxy, username, "username", .about = "User name for the proxy (Basic)."),
    VALUE_STR(struct proxy, password, "password", .about = "Password for the proxy."),
    ATTR_END
};

bool
proxy_find(const void *conf, struct exchange *ex, const struct http_proxy **ret)
{
    const struct proxy *p = conf;
    struct http_proxy *proxy = arena_new(ex->arena, struct http_proxy);
    struct str url, username, password;
    struct err err = ERR_INIT;

    if (!pvalue_str(ex, &p->url, &url) || !pvalue_str(ex, &p->username, &username) || !pvalue_str(ex, &p->password, &password))
        return false;
    if (proxy && target_read_proxy(ex->arena, url, username, password, proxy, &err)) {
        *ret = proxy;
        return true;
    }
    exchange_fail(ex, "proxy: %s", proxy ? err.text : "no memory left");
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    return proxy_find(conf, ex, &ex->proxy) ? FLOW_NEXT : FLOW_ERROR;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct proxy *p = conf;
    struct http_proxy proxy;
    struct err err;

    if (p->url.program || compile_is_placeholder(c, p->url.text) || str_find(p->url.text, STR("{{"), 0) >= 0)
        return true;
    return target_read_proxy(c->arena, p->url.text, STR(""), STR(""), &proxy, &err) || compile_error(c, n, "%s", err.text);
}

const struct policy_def policy_proxy = {
    .name = "proxy", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct proxy), .compile = compile, .run = run,
    .summary = "Sends requests to the backend through an HTTP proxy.",
    .usage = "https backends are reached by CONNECT, others by requests with the whole address.\nUser name and password are sent as Basic; "
             "NTLM is not spoken.\nA proxy of the backend's entity gives way to it.",
};
