/* url.c: an absolute http address in parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/url.h"

#include "base/buf.h"
#include "http/message.h"

static uint16_t
default_port(struct str scheme)
{
    return str_eq_lit(scheme, "https") || str_eq_lit(scheme, "wss") ? 443 : 80;
}

static bool
known_scheme(struct str text, struct str *ret)
{
    static const struct str schemes[] = {STR_INIT("http"), STR_INIT("https"), STR_INIT("ws"), STR_INIT("wss")};

    for (size_t i = 0; i < COUNTOF(schemes); i++) {
        if (str_eq_nocase(text, schemes[i])) {
            *ret = schemes[i];
            return true;
        }
    }
    return false;
}

static bool
has_upper(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

/* A path without its leading slash ("?x", "a/b") gets one. */
static struct str
rooted(struct arena *a, struct str path)
{
    if (path.len == 0)
        return STR("/");
    return path.p[0] == '/' ? path : str_concat(a, STR("/"), path);
}

bool
url_parse(struct arena *a, struct str text, struct url *ret, struct err *err)
{
    struct str rest = str_trim(text), authority;
    ptrdiff_t colon = str_find(rest, STR("://"), 0);
    struct url url;

    if (colon < 0 || !known_scheme(str_sub(rest, 0, (size_t)colon), &url.scheme))
        return err_set(err, ERR_SYNTAX, "'%.*s' is not an http or https address", STR_ARG(text));
    rest = str_skip(rest, (size_t)colon + 3);
    ptrdiff_t fragment = str_find_char(rest, '#', 0);
    if (fragment >= 0)
        rest = str_sub(rest, 0, (size_t)fragment);
    size_t end = 0;
    while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '\\')
        end++;
    authority = str_sub(rest, 0, end);
    if (!http_authority_is_valid(authority))
        return err_set(err, ERR_SYNTAX, "'%.*s' has no valid host", STR_ARG(text));
    http_authority_split(authority, url.scheme, &url.host, &url.port);
    if (has_upper(url.host))
        url.host = str_lower(a, url.host);
    rest = str_skip(rest, end);
    ptrdiff_t question = str_find_char(rest, '?', 0);
    url.query = question < 0 ? STR_NONE : str_skip(rest, (size_t)question + 1);
    url.path = rooted(a, question < 0 ? rest : str_sub(rest, 0, (size_t)question));
    if (!url.host.p || !url.path.p)
        return err_set(err, ERR_NO_MEMORY, "no memory left for an address");
    *ret = url;
    return true;
}

bool
url_has_default_port(const struct url *url)
{
    return url->port == default_port(url->scheme);
}

struct str
url_print(struct arena *a, const struct url *url)
{
    struct buf b = buf_in(a);

    buf_reserve(&b, url->scheme.len + url->host.len + url->path.len + url->query.len + 16);
    buf_add_str(&b, url->scheme);
    buf_add_lit(&b, "://");
    buf_add_str(&b, url->host);
    if (!url_has_default_port(url)) {
        buf_add_char(&b, ':');
        buf_add_u64(&b, url->port);
    }
    buf_add_str(&b, url->path);
    if (url->query.p && url->query.len) {
        buf_add_char(&b, '?');
        buf_add_str(&b, url->query);
    }
    return buf_str(&b);
}

/* Steps back for "..", drops ".": in place of the base's last segment. */
static struct str
merge_path(struct arena *a, struct str base, struct str path)
{
    struct buf b = buf_in(a);
    struct str rest, segment;

    if (!str_starts_with(path, STR("/"))) {
        ptrdiff_t slash = str_rfind_char(base, '/');
        path = str_concat(a, str_sub(base, 0, (size_t)(slash + 1)), path);
    }
    rest = str_skip(path, 1);
    while (str_split_next(&rest, '/', &segment)) {
        bool is_last = !rest.p;

        if (str_eq_lit(segment, ".."))
            b.len = (size_t)MAX(str_rfind_char(str_from(b.p, b.len), '/'), (ptrdiff_t)0);
        if (str_eq_lit(segment, "..") || str_eq_lit(segment, ".")) {
            if (is_last)
                buf_add_char(&b, '/');
            continue;
        }
        buf_add_char(&b, '/');
        buf_add_str(&b, segment);
    }
    return b.len ? buf_str(&b) : STR("/");
}

bool
url_resolve(struct arena *a, const struct url *base, struct str reference, struct url *ret)
{
    ptrdiff_t fragment = str_find_char(reference, '#', 0), question;

    if (fragment >= 0)
        reference = str_sub(reference, 0, (size_t)fragment);
    if (str_starts_with(reference, STR("//")))
        reference = str_printf(a, "%.*s:%.*s", STR_ARG(base->scheme), STR_ARG(reference));
    if (str_find(reference, STR("://"), 0) > 0)
        return url_parse(a, reference, ret, NULL);
    *ret = *base;
    if (!reference.len)
        return true;
    question = str_find_char(reference, '?', 0);
    ret->query = question >= 0 ? str_skip(reference, (size_t)question + 1) : STR_NONE;
    reference = question >= 0 ? str_sub(reference, 0, (size_t)question) : reference;
    if (reference.len)
        ret->path = merge_path(a, base->path, reference);
    return ret->path.p != NULL;
}
