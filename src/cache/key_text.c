/* key_text.c: reading keys back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/key_text.h"

/* One length in groups of seven bits; false at the end, or when it is cut. */
static bool
next_length(struct str *rest, uint64_t *ret)
{
    uint64_t n = 0;

    for (unsigned shift = 0; rest->len && shift < 63; shift += 7) {
        unsigned char c = (unsigned char)rest->p[0];
        *rest = str_skip(*rest, 1);
        n |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *ret = n;
            return true;
        }
    }
    return false;
}

static bool
next_field(struct str *rest, struct str *ret)
{
    uint64_t n;

    if (!next_length(rest, &n) || n > (uint64_t)rest->len + 1)
        return false;
    *ret = n ? str_sub(*rest, 0, (size_t)n - 1) : STR_NONE;
    if (n)
        *rest = str_skip(*rest, (size_t)n - 1);
    return true;
}

static bool
next_fields(struct str *rest, struct str *const *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!next_field(rest, to[i]))
            return false;
    return true;
}

/* "?a=1&b=2" from the pairs; nothing when there are none. */
static bool
add_pairs(struct buf *to, struct str *rest)
{
    struct str pair;
    uint64_t n;

    if (!next_length(rest, &n))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!next_field(rest, &pair))
            return false;
        buf_add_char(to, i ? '&' : '?');
        buf_add_str(to, pair);
    }
    return true;
}

static void
add_origin(struct buf *to, struct str scheme, struct str host, struct str port)
{
    uint16_t n = 0;
    bool is_usual;

    if (port.len == sizeof(n))
        memcpy(&n, port.p, sizeof(n));
    is_usual = n == (str_eq_lit(scheme, "https") ? 443 : 80);
    buf_printf(to, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(host));
    if (!is_usual)
        buf_printf(to, ":%u", n);
}

static bool
read_http(struct arena *arena, struct str rest, struct cache_key_text *ret)
{
    struct str prefix, scheme, host, port, authority, path, query;
    struct str *const fields[] = {&ret->api, &prefix, &scheme, &host, &port, &authority, &path, &query};
    struct buf url = buf_in(arena);

    if (!next_fields(&rest, fields, COUNTOF(fields)) || rest.len || port.len != sizeof(uint16_t))
        return false;
    add_origin(&url, scheme, host, port);
    buf_add_str(&url, path);
    if (query.p)
        buf_printf(&url, "?%.*s", STR_ARG(query));
    ret->form = KEY_FORM_HTTP;
    ret->url = buf_str(&url);
    if (authority.p && !str_eq_nocase(authority, host))
        ret->parts[ret->n_parts++] = authority;
    return true;
}

static bool
read_policy(struct arena *arena, struct str api, struct str rest, struct cache_key_text *ret)
{
    struct str prefix, scheme, host, port, path;
    struct str *const fields[] = {&prefix, &ret->operation, &ret->product, &scheme, &host, &port, &path};
    struct buf url = buf_in(arena);

    if (!next_fields(&rest, fields, COUNTOF(fields)))
        return false;
    add_origin(&url, scheme, host, port);
    buf_add_str(&url, path);
    if (!add_pairs(&url, &rest))
        return false;
    while (rest.len && ret->n_parts < KEY_PARTS_MAX)
        if (!next_field(&rest, &ret->parts[ret->n_parts++]))
            return false;
    ret->form = KEY_FORM_POLICY;
    ret->api = api;
    ret->url = buf_str(&url);
    return true;
}

static bool
read_warmed(struct arena *arena, struct str rest, struct cache_key_text *ret)
{
    struct buf url = buf_in(arena);
    struct str path;

    if (!next_field(&rest, &path))
        return false;
    buf_add_str(&url, path);
    if (!add_pairs(&url, &rest) || rest.len)
        return false;
    ret->form = KEY_FORM_WARMED;
    ret->url = buf_str(&url);
    return true;
}

static bool
read_any(struct arena *arena, struct str bytes, struct cache_key_text *ret)
{
    struct str rest = str_skip(bytes, 1), first;

    if (bytes.len == 0 || !next_field(&rest, &first))
        return false;
    if (bytes.p[0] == CACHE_VALUE) {
        ret->form = KEY_FORM_VALUE;
        ret->url = first;
        return true;
    }
    /* An API of one of these names has an operation behind it, and more fields than these layouts. */
    if (str_eq_lit(first, "http") && read_http(arena, rest, ret))
        return true;
    *ret = (struct cache_key_text){0};
    if (str_eq_lit(first, "response-cache") && read_warmed(arena, rest, ret))
        return true;
    *ret = (struct cache_key_text){0};
    return read_policy(arena, first, rest, ret);
}

bool
cache_key_read(struct arena *arena, struct str bytes, struct cache_key_text *ret)
{
    *ret = (struct cache_key_text){0};
    if (read_any(arena, bytes, ret))
        return true;
    *ret = (struct cache_key_text){0};
    return false;
}
