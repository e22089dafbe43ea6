/* forward.h: what a proxy does to a head on its way: hop-by-hop fields out, X-Forwarded-*, Forwarded and Via in,
 * and who the client is when trusted proxies stand in between.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/message.h"
#include "net/addr.h"

/* Removes what Connection names (but for protected names, robustness D5), then every hop-by-hop field.
 * keep_trailers: a `TE: trailers` stays (gRPC). */
void http_strip_hop_by_hop(struct http_headers *h, bool keep_trailers);
/* Upgrade's word when Connection names it too: "websocket"; STR_NONE otherwise, and always for h2c. Call it before
 * the strip. */
struct str http_upgrade_wanted(const struct http_headers *h);

enum http_forwarded_flags {
    HTTP_ADD_X_FORWARDED_FOR = 1,
    HTTP_ADD_X_FORWARDED_HOST = 2,
    HTTP_ADD_X_FORWARDED_PROTO = 4,
    HTTP_ADD_X_FORWARDED_PORT = 8,
    HTTP_ADD_FORWARDED = 16,          /* RFC 7239 */
    HTTP_ADD_VIA = 32,
};

struct http_forward_conf {
    const struct addr_net *trusted;   /* proxies whose word about the client counts */
    size_t trusted_n;
    unsigned add;                     /* or-ed enum http_forwarded_flags */
    struct str via_name;              /* our name in Via */
    uint32_t loops_max;               /* a request that has been through here this often is answered 508; 0: 10 */
};

/* Who sent the request: views and a copy, computed once per call. */
struct http_client_id {
    struct str address;               /* text: "203.0.113.7", "2001:db8::1", "unix:" */
    struct addr addr;
    bool is_peer_trusted;
    struct str scheme, host;          /* as the client saw them; from trusted headers, else the connection's */
};

/* True for a name that says something of the client which only a trusted proxy may say; the well-known X-Forwarded-For and
 * its like are known by their flags and need not be asked for. */
bool http_is_claim(struct str name);
/* The same, and the well-known ones too. */
bool http_is_for_proxies(struct str name);
/* Reads X-Forwarded-For, or Forwarded when there is no X-Forwarded-For, from the right through trusted proxies
 * (D4). From a peer that is not trusted every such field is removed from `request`. False when the arena is full. */
bool http_client_identify(const struct http_forward_conf *conf, const struct addr *peer,
                          bool is_tls, struct arena *arena, struct http_request *request,
                          struct http_client_id *ret);
/* Adds the configured fields to a request on its way out, and our name to its CDN-Loop (RFC 8586). */
bool http_forward_add(const struct http_forward_conf *conf, const struct http_client_id *id,
                      const struct addr *peer, struct arena *arena, uint8_t version,
                      struct http_headers *headers);
/* Adds our entry to a response's Via. */
bool http_via_add(const struct http_forward_conf *conf, struct arena *arena, uint8_t version,
                  struct http_headers *headers);
/* What `from` says of passes through gateways, and this one, for a request of our own making. */
bool http_loop_add(struct arena *arena, const struct http_headers *from, struct http_headers *headers);
/* True when the request has been through here loops_max times: 508. */
bool http_is_loop(const struct http_forward_conf *conf, const struct http_headers *headers);
