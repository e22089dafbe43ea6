/* openid.c: discovery document -> jwks_uri -> key set, over our own client.
 *
 * The addresses are a document's or the issuer's, so egress rules hold for both; a redirect is followed only to the same host, and
 * an https issuer may not send us to plain http.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/openid.h"

#include <stdlib.h>

#include "data/crypto.h"
#include "exchange/outgoing.h"
#include "http/headers.h"
#include "rt/loop.h"

#define REDIRECTS_MAX 3

/* ---- reading ---- */

static const struct json *
parse(struct arena *a, struct str text, const char *what, struct err *err)
{
    struct json_problem problem;
    const struct json *j = json_parse(a, text, JSON_STRICT_UNIQUE, &problem);

    if (j && json_is(j, JSON_OBJECT))
        return j;
    err_set(err, ERR_INVALID, "the %s is no JSON object%s%s", what, j ? "" : ": ", j ? "" : problem.err.text);
    return NULL;
}

bool
openid_read_discovery(struct arena *a, struct str text, struct openid_discovery *ret, struct err *err)
{
    const struct json *j = parse(a, text, "discovery document", err);
    struct openid_discovery d;

    if (!j)
        return false;
    d.issuer = json_str(json_get_lit(j, "issuer"), STR_NONE);
    d.jwks_uri = json_str(json_get_lit(j, "jwks_uri"), STR_NONE);
    if (!d.issuer.len || !d.jwks_uri.len)
        return err_set(err, ERR_INVALID, "the discovery document has no '%s'", d.issuer.len ? "jwks_uri" : "issuer");
    *ret = d;
    return true;
}

static void
destroy(struct supply_value *v)
{
    struct openid *o = CONTAINER_OF(v, struct openid, super);

    jwt_keys_delete(o->keys, o->n);
    free(o->issuer);
    free(o);
}

/* Secrets in a set that anybody can read are none. */
static void
leave_secrets_out(struct openid *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n; i++) {
        if (o->keys[i].kind == JWT_KEY_SECRET)
            jwt_key_destroy(&o->keys[i]);
        else
            o->keys[n++] = o->keys[i];
    }
    o->n = n;
}

static uint64_t
tag_of(struct str issuer, struct str keys)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    uint8_t digest[CRYPTO_HASH_MAX];
    uint64_t tag;

    buf_add_str(&b, issuer);
    buf_add_char(&b, '\n');
    buf_add_str(&b, keys);
    if (!crypto_digest(HASH_SHA256, buf_str(&b), digest))
        memset(digest, 0xff, sizeof(digest));
    memcpy(&tag, digest, sizeof(tag));
    return tag ? tag : 1;
}

bool
openid_read_keys(struct arena *a, struct str issuer, struct str text, struct openid **ret, struct err *err)
{
    const struct json *j = parse(a, text, "key set", err);
    struct jwt_key *keys;
    struct openid *o;
    size_t n;

    if (!j || !jwt_keys_from_jwks(j, &keys, &n, err))
        return false;
    o = xnew(struct openid);
    *o = (struct openid){.super = {.refs = 1, .destroy = destroy, .tag = tag_of(issuer, text)}, .keys = keys, .n = n};
    o->issuer = xstrndup(issuer.p, issuer.len);
    leave_secrets_out(o);
    *ret = o;
    return true;
}

/* ---- fetching ---- */

static bool
is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where a Location leads, when it stays on the same scheme, host and port. */
static bool
follow(struct exchange *ex, struct str location, struct url *url, struct err *err)
{
    struct url next = *url;
    struct str rest = location, path;

    if (str_starts_with(location, STR("/")) && !str_starts_with(location, STR("//"))) {
        str_split_next(&rest, '?', &path);
        next.path = path;
        next.query = rest;
    } else if (!url_parse(ex->arena, location, &next, err)) {
        return false;
    }
    if (!str_eq(next.scheme, url->scheme) || !str_eq(next.host, url->host) || next.port != url->port)
        return err_set(err, ERR_DENIED, "%.*s redirects to another host", STR_ARG(url->host));
    *url = next;
    return true;
}

/* One document, within what is left of the time. Yields. */
static bool
get(struct exchange *ex, struct str address, const char *scheme, uint64_t end_ms, struct str *ret, struct err *err)
{
    struct url url;
    struct reply *reply;

    if (!url_parse(ex->arena, address, &url, err))
        return false;
    if (scheme && str_eq_lit(str_from_c(scheme), "https") && !str_eq_lit(url.scheme, "https"))
        return err_set(err, ERR_DENIED, "an https issuer names a key set at %.*s, which is not https", STR_ARG(url.host));
    for (int hops = 0; hops <= REDIRECTS_MAX; hops++) {
        struct http_headers headers = http_headers_in(ex->arena);
        struct outgoing o = {.method = STR("GET"), .url = url, .headers = &headers};
        uint64_t now_ms = loop_now_ms(ex->services->loop);

        if (now_ms >= end_ms)
            return err_set(err, ERR_TIMEOUT, "%.*s is too slow", STR_ARG(url.host));
        o.timeout_ms = (uint32_t)(end_ms - now_ms);
        if (!http_headers_add(&headers, STR("Accept"), STR("application/json")) || !outgoing_send(ex, &o, &reply, err))
            return false;
        if (!is_redirect(reply->status))
            break;
        if (!follow(ex, str_dup(ex->arena, http_headers_get(reply->headers, HTTP_LOCATION)), &url, err))
            return false;
    }
    if (reply->status != 200)
        return err_set(err, ERR_INVALID, "%.*s answered %u", STR_ARG(url.host), reply->status);
    return content_read_decoded(ex, &reply->content, reply->headers, true, ret, err);
}

static bool
fetch(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err)
{
    const struct str *address = what;
    uint64_t end_ms = loop_now_ms(ex->services->loop) + OPENID_WAIT_MS;
    const char *scheme = str_starts_with_nocase(*address, STR("https:")) ? "https" : NULL;
    struct openid_discovery discovery;
    struct openid *o;
    struct str text;

    if (!get(ex, *address, NULL, end_ms, &text, err) || !openid_read_discovery(ex->arena, text, &discovery, err) ||
        !get(ex, discovery.jwks_uri, scheme, end_ms, &text, err) || !openid_read_keys(ex->arena, discovery.issuer, text, &o, err))
        return false;
    *ret = &o->super;
    *ret_life = (struct supply_life){.fresh_ms = OPENID_FRESH_MS - OPENID_AHEAD_MS, .valid_ms = OPENID_FRESH_MS};
    return true;
}

static const void *
copy(struct arena *a, const void *what)
{
    struct str *address = arena_new(a, struct str);

    if (address)
        *address = str_dup(a, *(const struct str *)what);
    return address && address->p ? address : NULL;
}

static const struct supply_kind kind = {
    .name = "openid", .fetch = fetch, .copy = copy, .wait_ms = OPENID_WAIT_MS + 500, .keeps_stale = true,
    .limits = {.buffered_body_max = OPENID_BYTES_MAX, .arena_max = 16 * OPENID_BYTES_MAX},
};

struct supply_entry *
openid_entry(struct exchange *ex, struct str url)
{
    return ex->services->supplies ? supply_entry_get(ex->services->supplies, &kind, url) : NULL;
}

static const struct openid *
openid_of(struct supply_value *v)
{
    return v ? CONTAINER_OF(v, struct openid, super) : NULL;
}

const struct openid *
openid_get(struct exchange *ex, struct supply_entry *e, struct str url, struct err *err)
{
    return openid_of(supply_get(ex, e, &url, err));
}

const struct openid *
openid_get_newer(struct exchange *ex, struct supply_entry *e, struct str url, const struct openid *than)
{
    struct supply_value *v = supply_get_newer(ex, e, &url, &than->super, OPENID_UNKNOWN_KID_MS);

    if (v && v->tag == than->super.tag) {
        supply_value_unref(v);
        return NULL;
    }
    return openid_of(v);
}

void
openid_unref(const struct openid *o)
{
    if (o)
        supply_value_unref((struct supply_value *)(uintptr_t)&o->super);
}
