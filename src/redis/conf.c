/* conf.c: connection strings.
 *
 *     text     = url | item *("," item)
 *     item     = endpoint | option "=" value
 *     endpoint = host [":" port] | "[" IPv6 "]" [":" port] | "unix:" path
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/conf.h"

#include "base/codec.h"
#include "base/num.h"

#define PORT_DEFAULT 6379
#define PORT_TLS 6380
#define CONNECT_MS 1000u

/* --- endpoints ----------------------------------------------------------------------------------------------------- */

static bool
add_endpoint(struct arena *a, struct redis_conf *c, struct str host, uint16_t port, struct err *err)
{
    if (c->n_endpoints == REDIS_ENDPOINTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %u servers", REDIS_ENDPOINTS_MAX);
    host = str_dup(a, host);
    if (!host.p)
        return err_set(err, ERR_NO_MEMORY, "no memory left for a server's name");
    c->endpoints[c->n_endpoints++] = (struct redis_endpoint){host, port};
    return true;
}

/* port 0: none was written. */
static bool
endpoint(struct arena *a, struct redis_conf *c, struct str text, struct err *err)
{
    struct str host = text, port_text = STR_NONE;
    uint32_t port = 0;
    ptrdiff_t colon;

    if (str_starts_with(text, STR("unix:")))
        return add_endpoint(a, c, text, 0, err);
    if (text.len && text.p[0] == '[') {
        ptrdiff_t end = str_find_char(text, ']', 0);

        if (end < 0 || ((size_t)end + 1 < text.len && text.p[end + 1] != ':'))
            return err_set(err, ERR_SYNTAX, "expected HOST:PORT, found '%.*s'", STR_ARG(text));
        host = str_sub(text, 1, (size_t)end);
        if ((size_t)end + 1 < text.len)
            port_text = str_skip(text, (size_t)end + 2);
    } else if ((colon = str_rfind_char(text, ':')) >= 0 && str_find_char(text, ':', 0) == colon) {
        host = str_sub(text, 0, (size_t)colon);
        port_text = str_skip(text, (size_t)colon + 1);
    }
    if (!host.len || str_find_char(host, ' ', 0) >= 0 || str_find_char(host, '/', 0) >= 0)
        return err_set(err, ERR_SYNTAX, "expected HOST:PORT, found '%.*s'", STR_ARG(text));
    if (port_text.p && (!num_parse_u32(port_text, 65535, &port, NULL) || port == 0))
        return err_set(err, ERR_SYNTAX, "expected a port from 1 to 65535, found '%.*s'", STR_ARG(port_text));
    return add_endpoint(a, c, host, (uint16_t)port, err);
}

/* --- options ------------------------------------------------------------------------------------------------------- */

enum option { SSL, SSL_HOST, USER, PASSWORD, NAME, DATABASE, CONNECT_TIMEOUT, PROTOCOL, SENTINEL, IGNORED };

/* Those of StackExchange.Redis. What has no meaning here is taken and left alone, so that a string works as it is. */
static const struct option_name {
    struct str name;
    enum option option;
} option_names[] = {
    {STR_INIT("ssl"), SSL}, {STR_INIT("sslHost"), SSL_HOST}, {STR_INIT("user"), USER}, {STR_INIT("password"), PASSWORD},
    {STR_INIT("name"), NAME}, {STR_INIT("defaultDatabase"), DATABASE}, {STR_INIT("connectTimeout"), CONNECT_TIMEOUT},
    {STR_INIT("protocol"), PROTOCOL}, {STR_INIT("serviceName"), SENTINEL}, {STR_INIT("abortConnect"), IGNORED},
    {STR_INIT("allowAdmin"), IGNORED}, {STR_INIT("asyncTimeout"), IGNORED}, {STR_INIT("channelPrefix"), IGNORED},
    {STR_INIT("checkCertificateRevocation"), IGNORED}, {STR_INIT("configChannel"), IGNORED},
    {STR_INIT("configCheckSeconds"), IGNORED}, {STR_INIT("connectRetry"), IGNORED},
    {STR_INIT("heartbeatConsistencyChecks"), IGNORED}, {STR_INIT("heartbeatInterval"), IGNORED},
    {STR_INIT("highIntegrity"), IGNORED}, {STR_INIT("highPrioritySocketThreads"), IGNORED}, {STR_INIT("keepAlive"), IGNORED},
    {STR_INIT("preserveAsyncOrder"), IGNORED}, {STR_INIT("proxy"), IGNORED}, {STR_INIT("resolveDns"), IGNORED},
    {STR_INIT("responseTimeout"), IGNORED}, {STR_INIT("setClientLibrary"), IGNORED}, {STR_INIT("sslProtocols"), IGNORED},
    {STR_INIT("syncTimeout"), IGNORED}, {STR_INIT("tieBreaker"), IGNORED}, {STR_INIT("tunnel"), IGNORED},
    {STR_INIT("version"), IGNORED}, {STR_INIT("writeBuffer"), IGNORED},
};

static bool
truth(struct str value, const char *name, bool *ret, struct err *err)
{
    if (num_parse_bool(value, ret, NULL))
        return true;
    if (str_eq_nocase(value, STR("yes")) || str_eq_lit(value, "1"))
        *ret = true;
    else if (str_eq_nocase(value, STR("no")) || str_eq_lit(value, "0"))
        *ret = false;
    else
        return err_set(err, ERR_SYNTAX, "%s: expected True or False, found '%.*s'", name, STR_ARG(value));
    return true;
}

static bool
protocol(struct str value, uint8_t *ret, struct err *err)
{
    if (str_eq_nocase(value, STR("resp2")) || str_eq_lit(value, "2"))
        *ret = 2;
    else if (str_eq_nocase(value, STR("resp3")) || str_eq_lit(value, "3"))
        *ret = 3;
    else
        return err_set(err, ERR_INVALID, "protocol: expected resp2 or resp3, found '%.*s'", STR_ARG(value));
    return true;
}

static bool
option(struct arena *a, struct redis_conf *c, struct str name, struct str value, struct err *err)
{
    enum option kind = IGNORED;
    bool is_known = name.len && name.p[0] == '$';   /* a command map of the .NET client */

    for (size_t i = 0; i < COUNTOF(option_names) && !is_known; i++) {
        kind = option_names[i].option;
        is_known = str_eq_nocase(name, option_names[i].name);
    }
    if (!is_known)
        return err_set(err, ERR_INVALID, "no option '%.*s' in a connection string", STR_ARG(name));
    switch (kind) {
    case SSL: return truth(value, "ssl", &c->is_tls, err);
    case SSL_HOST: c->tls_name = str_dup(a, value); break;
    case USER: c->user = str_dup(a, value); break;
    case PASSWORD: c->password = value.len ? str_dup(a, value) : STR_NONE; break;
    case NAME: c->client_name = str_dup(a, value); break;
    case DATABASE:
        return num_parse_u32(value, 65535, &c->database, err) || err_prefix(err, "defaultDatabase");
    case CONNECT_TIMEOUT:
        return num_parse_u32(value, 600000, &c->connect_ms, err) || err_prefix(err, "connectTimeout");
    case PROTOCOL: return protocol(value, &c->protocol, err);
    case SENTINEL: return err_set(err, ERR_UNSUPPORTED, "serviceName: Sentinel is not spoken; name the primary itself");
    case IGNORED: break;
    }
    return true;
}

/* --- URLs ---------------------------------------------------------------------------------------------------------- */

static struct str
unescaped(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    codec_percent_decode(&b, text, false);
    return buf_str(&b);
}

/* "user:password", "user", ":password", and "password" alone as older clients write it, which is the user then. */
static void
credentials(struct arena *a, struct redis_conf *c, struct str text)
{
    ptrdiff_t colon = str_find_char(text, ':', 0);

    c->user = unescaped(a, colon < 0 ? text : str_sub(text, 0, (size_t)colon));
    if (colon >= 0 && (size_t)colon + 1 < text.len)
        c->password = unescaped(a, str_skip(text, (size_t)colon + 1));
}

/* url = ("redis" | "rediss") "://" [credentials "@"] endpoint *("," endpoint) ["/" database] */
static bool
url(struct arena *a, struct redis_conf *c, struct str text, struct err *err)
{
    struct str rest = str_skip(text, (size_t)str_find(text, STR("://"), 0) + 3), path = STR_NONE, one;
    ptrdiff_t at = str_rfind_char(rest, '@'), slash, question = str_find_char(rest, '?', 0);

    c->is_tls = str_starts_with_nocase(text, STR("rediss:"));
    if (question > at)
        rest = str_sub(rest, 0, (size_t)question);
    if (at >= 0) {
        credentials(a, c, str_sub(rest, 0, (size_t)at));
        rest = str_skip(rest, (size_t)at + 1);
    }
    if ((slash = str_find_char(rest, '/', 0)) >= 0) {
        path = str_skip(rest, (size_t)slash + 1);
        rest = str_sub(rest, 0, (size_t)slash);
    }
    while (str_split_next(&rest, ',', &one))
        if (!endpoint(a, c, one, err))
            return false;
    if (path.len && !num_parse_u32(path, 65535, &c->database, NULL))
        return err_set(err, ERR_SYNTAX, "expected a database's number behind '/', found '%.*s'", STR_ARG(path));
    return true;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool
items(struct arena *a, struct redis_conf *c, struct str text, struct err *err)
{
    struct str item;

    while (str_split_next(&text, ',', &item)) {
        item = str_trim(item);
        ptrdiff_t equals = str_find_char(item, '=', 0);

        if (!item.len)
            continue;
        /* Not quoted: it may be the rest of the password. */
        if (equals < 0 && c->password.p)
            return err_set(err, ERR_SYNTAX, "expected NAME=VALUE behind the password; one that holds ',' goes into a redis:// URL");
        if (equals < 0 ? !endpoint(a, c, item, err)
                       : !option(a, c, str_trim(str_sub(item, 0, (size_t)equals)), str_trim(str_skip(item, (size_t)equals + 1)), err))
            return false;
    }
    return true;
}

static void
default_ports(struct redis_conf *c, bool is_url)
{
    for (uint32_t i = 0; i < c->n_endpoints; i++)
        if (!c->endpoints[i].port && !str_starts_with(c->endpoints[i].host, STR("unix:")))
            c->endpoints[i].port = c->is_tls && !is_url ? PORT_TLS : PORT_DEFAULT;
}

bool
redis_conf_parse(struct arena *a, struct str text, struct redis_conf *ret, struct err *err)
{
    struct redis_conf c = {.connect_ms = CONNECT_MS};
    bool is_url;

    text = str_trim(text);
    is_url = str_starts_with_nocase(text, STR("redis://")) || str_starts_with_nocase(text, STR("rediss://"));
    if (!(is_url ? url(a, &c, text, err) : items(a, &c, text, err)))
        return false;
    if (!c.n_endpoints)
        return err_set(err, ERR_SYNTAX, "the connection string names no server");
    default_ports(&c, is_url);
    *ret = c;
    return true;
}

bool
redis_conf_eq(const struct redis_conf *a, const struct redis_conf *b)
{
    if (a->n_endpoints != b->n_endpoints || a->is_tls != b->is_tls || a->database != b->database ||
        a->connect_ms != b->connect_ms || a->protocol != b->protocol || !str_eq(a->tls_name, b->tls_name) ||
        !str_eq(a->user, b->user) || !str_eq(a->password, b->password) || !str_eq(a->client_name, b->client_name))
        return false;
    for (uint32_t i = 0; i < a->n_endpoints; i++)
        if (a->endpoints[i].port != b->endpoints[i].port || !str_eq(a->endpoints[i].host, b->endpoints[i].host))
            return false;
    return true;
}
