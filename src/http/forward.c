/* forward.c: hop-by-hop fields, forwarding fields and the client's identity (forward.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/forward.h"

#include "base/arena.h"
#include "base/buf.h"

#define LOOPS_MAX 10
#define LOOP_NAME "headgate"          /* the same for all gateways: the loop may be one of several */
#define NOMINATED_MAX 32              /* names in Connection; a head that has more loses none of the others */

/* ---- hop-by-hop ---- */

/* Takes out what Connection names, but for protected names: a client must not make us drop what the backend's
 * security rests on (D5). */
static void
remove_nominated(struct http_headers *h)
{
    struct str names[NOMINATED_MAX], rest;
    size_t n = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != HTTP_CONNECTION)
            continue;
        for (rest = h->v[i].value; n < NOMINATED_MAX && http_list_next(&rest, &names[n]);)
            n += !(http_field_flags(http_field_id(names[n])) & (HTTP_FIELD_KEEP | HTTP_FIELD_HOP));
    }
    for (size_t i = 0; i < n; i++)
        http_headers_remove(h, names[i]);
}

static bool
is_any_present(const struct http_headers *h, const uint64_t mask[2])
{
    return (h->present[0] & mask[0]) | (h->present[1] & mask[1]);
}

void
http_strip_hop_by_hop(struct http_headers *h, bool keep_trailers)
{
    static const enum http_field_id hops[] = {
        HTTP_CONNECTION, HTTP_KEEP_ALIVE,        HTTP_PROXY_CONNECTION, HTTP_TE,
        HTTP_TRAILER,    HTTP_TRANSFER_ENCODING, HTTP_UPGRADE,          HTTP_HTTP2_SETTINGS};
#define BIT(id, half) ((id) >> 6 == half ? (uint64_t)1 << ((id) & 63) : 0)
#define HALF(half) (BIT(HTTP_CONNECTION, half) | BIT(HTTP_KEEP_ALIVE, half) | BIT(HTTP_PROXY_CONNECTION, half) | \
        BIT(HTTP_TE, half) | BIT(HTTP_TRAILER, half) | BIT(HTTP_TRANSFER_ENCODING, half) | BIT(HTTP_UPGRADE, half) | \
        BIT(HTTP_HTTP2_SETTINGS, half))
    static const uint64_t mask[2] = {HALF(0), HALF(1)};
    bool wants_trailers =
        keep_trailers && http_list_has(http_headers_get(h, HTTP_TE), STR("trailers"));

    if (!is_any_present(h, mask))
        return;
    if (http_headers_has(h, HTTP_CONNECTION))
        remove_nominated(h);
    for (size_t i = 0; i < COUNTOF(hops); i++)
        http_headers_remove_id(h, hops[i]);
    if (wants_trailers)
        http_headers_add_id(h, HTTP_TE, STR("TE"), STR("trailers"));
}

struct str
http_upgrade_wanted(const struct http_headers *h)
{
    struct str rest, word;

    if (!http_headers_has(h, HTTP_UPGRADE) || !http_headers_has(h, HTTP_CONNECTION))
        return STR_NONE;
    rest = http_headers_get(h, HTTP_UPGRADE);
    if (!http_list_has(http_headers_get(h, HTTP_CONNECTION), STR("upgrade")) ||
        !http_list_next(&rest, &word) || str_eq_nocase(word, STR("h2c")) ||
        !http_name_is_valid(word))
        return STR_NONE;
    return word;
}

/* ---- who the client is ---- */

static const enum http_field_id forwarding_fields[] = {
    HTTP_X_FORWARDED_FOR,   HTTP_X_FORWARDED_HOST, HTTP_X_FORWARDED_PORT, HTTP_X_FORWARDED_PREFIX,
    HTTP_X_FORWARDED_PROTO, HTTP_FORWARDED,        HTTP_X_REAL_IP,        HTTP_X_ORIGINAL_URL,
    HTTP_X_REWRITE_URL,     HTTP_X_CLIENT_CERT,
};

/* Names that only a proxy in front of us may use, beside those above: every X-Forwarded-*, and a client certificate's
 * fields (RFC 9440, and what proxies called them before). */
static const struct str claim_prefixes[] = {STR_INIT("x-forwarded-"), STR_INIT("x-ssl-client-"), STR_INIT("ssl-client-"),
                                            STR_INIT("x-client-cert-")};
static const struct str claim_names[] = {STR_INIT("client-cert"), STR_INIT("client-cert-chain"), STR_INIT("x-arr-clientcert"),
                                         STR_INIT("x-ssl-cert")};

bool
http_is_claim(struct str name)
{
    char first = name.len ? ascii_lower(name.p[0]) : 0;

    if (first != 'x' && first != 'c' && first != 's')
        return false;
    for (size_t i = 0; i < COUNTOF(claim_prefixes); i++)
        if (name.len > claim_prefixes[i].len && str_eq_nocase(str_sub(name, 0, claim_prefixes[i].len), claim_prefixes[i]))
            return true;
    for (size_t i = 0; i < COUNTOF(claim_names); i++)
        if (str_eq_nocase(name, claim_names[i]))
            return true;
    return false;
}

bool
http_is_for_proxies(struct str name)
{
    enum http_field_id id = http_field_id(name);

    for (size_t i = 0; i < COUNTOF(forwarding_fields) && id != HTTP_FIELD_OTHER; i++)
        if (forwarding_fields[i] == id)
            return true;
    return http_is_claim(name);
}

static void
remove_claims(struct http_headers *h)
{
    uint32_t kept = 0;

    for (size_t i = 0; i < COUNTOF(forwarding_fields); i++)
        http_headers_remove_id(h, forwarding_fields[i]);
    for (uint32_t i = 0; i < h->n; i++)
        if (h->v[i].id != HTTP_FIELD_OTHER || !http_is_claim(h->v[i].name))
            h->v[kept++] = h->v[i];
    h->n = kept;
}

/* An address of X-Forwarded-For or Forwarded's for=: with or without port, brackets and quotes. */
static bool
parse_node(struct str text, struct addr *ret)
{
    ptrdiff_t colon;

    if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
        text = str_sub(text, 1, text.len - 1);
    if (addr_parse_ip(text, ret, NULL))
        return true;
    colon = str_rfind_char(text, ':');
    return colon > 0 && addr_parse_ip(str_sub(text, 0, (size_t)colon), ret, NULL);
}

/* The value of one parameter of an element of Forwarded: for=..;proto=..; STR_NONE when it has none. */
static struct str
forwarded_param(struct str element, struct str name)
{
    struct str part;

    while (str_split_next(&element, ';', &part)) {
        ptrdiff_t eq = str_find_char(part, '=', 0);
        if (eq > 0 && str_eq_nocase(str_trim(str_sub(part, 0, (size_t)eq)), name))
            return str_trim(str_skip(part, (size_t)eq + 1));
    }
    return STR_NONE;
}

/* The last item of a list, which loses it. False when the list is empty. */
static bool
take_last(struct str *list, struct str *ret)
{
    ptrdiff_t comma;

    *list = str_trim(*list);
    if (list->len == 0)
        return false;
    comma = str_rfind_char(*list, ',');
    *ret = str_trim(str_skip(*list, (size_t)(comma + 1)));
    *list = comma < 0 ? STR_NONE : str_sub(*list, 0, (size_t)comma);
    return true;
}

/* Walks the proxies from the right: each address counts only because the one that wrote it is trusted (D4). */
static void
walk_proxies(const struct http_forward_conf *conf, struct str list, bool is_forwarded,
             struct http_client_id *ret)
{
    struct str item;
    struct addr a;

    while (take_last(&list, &item)) {
        if (is_forwarded)
            item = forwarded_param(item, STR("for"));
        if (!parse_node(item, &a))
            return;                   /* "unknown", or nonsense: what stands further left is nobody's word */
        ret->addr = a;
        if (!addr_nets_have(conf->trusted, conf->trusted_n, &a))
            return;
    }
}

static struct str
last_item(struct str list)
{
    struct str item = STR_NONE;

    take_last(&list, &item);
    return item;
}

static void
read_trusted(const struct http_forward_conf *conf, const struct http_headers *h,
             struct http_client_id *ret)
{
    struct str proto, host;

    if (http_headers_has(h, HTTP_X_FORWARDED_FOR)) {
        walk_proxies(conf, http_headers_get_joined(h, STR("x-forwarded-for")), false, ret);
        proto = last_item(http_headers_get_joined(h, STR("x-forwarded-proto")));
        host = last_item(http_headers_get_joined(h, STR("x-forwarded-host")));
    } else if (http_headers_has(h, HTTP_FORWARDED)) {
        struct str list = http_headers_get_joined(h, STR("forwarded"));
        struct str last = last_item(list);
        walk_proxies(conf, list, true, ret);
        proto = forwarded_param(last, STR("proto"));
        host = forwarded_param(last, STR("host"));
    } else {
        proto = last_item(http_headers_get_joined(h, STR("x-forwarded-proto")));
        host = last_item(http_headers_get_joined(h, STR("x-forwarded-host")));
    }
    if (str_eq_nocase(proto, STR("https")) || str_eq_nocase(proto, STR("http")))
        ret->scheme = str_eq_nocase(proto, STR("https")) ? STR("https") : STR("http");
    if (http_authority_is_valid(host))
        ret->host = host;
}

bool
http_client_identify(const struct http_forward_conf *conf, const struct addr *peer, bool is_tls,
                     struct arena *arena, struct http_request *request, struct http_client_id *ret)
{
    char text[ADDR_TEXT_MAX];

    *ret = (struct http_client_id){
        .addr = *peer,
        .is_peer_trusted = conf->trusted_n && addr_nets_have(conf->trusted, conf->trusted_n, peer),
        .scheme = is_tls ? STR("https") : STR("http"),
        .host = request->authority,
    };
    if (ret->is_peer_trusted)
        read_trusted(conf, &request->headers, ret);
    else
        remove_claims(&request->headers);
    ret->address = str_dup(arena, addr_ip_text(&ret->addr, text));
    return ret->address.p != NULL;
}

/* ---- what we add ---- */

/* Behind what is there, in one field. */
static bool
append(struct arena *arena, struct http_headers *h, struct str name, struct str item)
{
    struct str before = http_headers_get_joined(h, name);

    if (item.p && before.len)
        item = str_concat(arena, str_concat(arena, before, STR(", ")), item);
    return item.p && http_headers_set(h, name, item);
}

static struct str
via_item(const struct http_forward_conf *conf, struct arena *arena, uint8_t version)
{
    return str_concat(arena,
                      version == HTTP_2     ? STR("2 ")
                      : version == HTTP_1_0 ? STR("1.0 ")
                                            : STR("1.1 "),
                      conf->via_name);
}

bool
http_via_add(const struct http_forward_conf *conf, struct arena *arena, uint8_t version,
             struct http_headers *headers)
{
    return append(arena, headers, STR("Via"), via_item(conf, arena, version));
}

static struct str
forwarded_item(struct arena *arena, const struct http_client_id *id, const struct addr *peer,
               struct str node)
{
    const char *open = peer->kind == ADDR_V6 ? "\"[" : "",
               *close = peer->kind == ADDR_V6 ? "]\"" : "";

    if (peer->kind == ADDR_UNIX)
        node = STR("unknown");
    return str_printf(arena, "for=%s%.*s%s;host=\"%.*s\";proto=%.*s", open, STR_ARG(node), close,
                      STR_ARG(id->host), STR_ARG(id->scheme));
}

bool
http_forward_add(const struct http_forward_conf *conf, const struct http_client_id *id,
                 const struct addr *peer, struct arena *arena, uint8_t version,
                 struct http_headers *h)
{
    char text[ADDR_TEXT_MAX];
    struct str node, host;
    uint16_t port;
    bool ok = true;

    if (!http_loop_add(arena, h, h))
        return false;
    if (conf->add == 0)
        return true;
    /* The hop that we see is the peer; who stands before it is in the list already when the peer is trusted. */
    node = addr_same_ip(peer, &id->addr) ? id->address : str_dup(arena, addr_ip_text(peer, text));
    if (conf->add & HTTP_ADD_X_FORWARDED_FOR)
        ok = ok && append(arena, h, STR("X-Forwarded-For"), node);
    if (conf->add & HTTP_ADD_X_FORWARDED_PROTO)
        ok = ok && http_headers_set(h, STR("X-Forwarded-Proto"), id->scheme);
    if ((conf->add & HTTP_ADD_X_FORWARDED_HOST) && id->host.len)
        ok = ok && http_headers_set(h, STR("X-Forwarded-Host"), id->host);
    if (conf->add & HTTP_ADD_X_FORWARDED_PORT) {
        http_authority_split(id->host, id->scheme, &host, &port);
        ok = ok && http_headers_set(h, STR("X-Forwarded-Port"), str_printf(arena, "%u", port));
    }
    if (conf->add & HTTP_ADD_FORWARDED)
        ok = ok && append(arena, h, STR("Forwarded"), forwarded_item(arena, id, peer, node));
    if (conf->add & HTTP_ADD_VIA)
        ok = ok && http_via_add(conf, arena, version, h);
    return ok;
}

bool
http_loop_add(struct arena *arena, const struct http_headers *from, struct http_headers *headers)
{
    struct str passed = from ? http_headers_get_joined(from, STR("cdn-loop")) : STR_NONE, item = STR(LOOP_NAME);

    if (passed.len)
        item = str_concat(arena, passed, STR(", " LOOP_NAME));
    return item.p && http_headers_set(headers, STR("CDN-Loop"), item);
}

bool
http_is_loop(const struct http_forward_conf *conf, const struct http_headers *headers)
{
    uint32_t max = conf->loops_max ? conf->loops_max : LOOPS_MAX, n = 0;

    if (LIKELY(!http_headers_has(headers, HTTP_CDN_LOOP)))
        return false;
    for (uint32_t i = 0; i < headers->n; i++) {
        struct str rest = headers->v[i].value, item, name;
        if (headers->v[i].id != HTTP_CDN_LOOP)
            continue;
        while (http_list_next(&rest, &item)) {
            str_split_next(&item, ';', &name); /* parameters may follow */
            n += str_eq_nocase(str_trim(name), STR(LOOP_NAME));
        }
    }
    return n >= max;
}
