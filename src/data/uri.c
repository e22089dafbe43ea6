/* uri.c: taking absolute URLs apart (RFC 3986).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/uri.h"

#include "base/num.h"

static bool
is_host_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("-._~%!$&'()*+,;=", c));
}

static bool
parse_port(struct str text, struct uri *u, struct err *err)
{
    uint32_t port;

    if (!text.len)
        return true;
    if (!num_parse_u32(text, 65535, &port, err))
        return err_prefix(err, "port");
    u->port = (uint16_t)port;
    u->has_port = true;
    return true;
}

static bool
parse_authority(struct str text, struct uri *u, struct err *err)
{
    ptrdiff_t at = str_rfind_char(text, '@'), colon;

    if (at >= 0) {
        u->user_info = str_sub(text, 0, (size_t)at);
        text = str_skip(text, (size_t)at + 1);
    }
    if (str_starts_with(text, STR("["))) {
        ptrdiff_t close = str_find_char(text, ']', 0);
        if (close < 0)
            return err_set(err, ERR_SYNTAX, "'[' without ']' in the host");
        u->host = str_sub(text, 1, (size_t)close);
        text = str_skip(text, (size_t)close + 1);
        for (size_t i = 0; i < u->host.len; i++)
            if (ascii_hex_value(u->host.p[i]) < 0 && u->host.p[i] != ':' && u->host.p[i] != '.')
                return err_set(err, ERR_SYNTAX, "'[%.*s]' is no IPv6 address", STR_ARG(u->host));
        if (text.len && *text.p != ':')
            return err_set(err, ERR_SYNTAX, "unexpected '%.*s' behind ']'", STR_ARG(text));
        return u->host.len ? parse_port(str_skip(text, 1), u, err) : err_set(err, ERR_SYNTAX, "no host");
    }
    colon = str_find_char(text, ':', 0);
    u->host = colon < 0 ? text : str_sub(text, 0, (size_t)colon);
    if (!u->host.len)
        return err_set(err, ERR_SYNTAX, "no host");
    for (size_t i = 0; i < u->host.len; i++)
        if (!is_host_byte(u->host.p[i]))
            return err_set(err, ERR_SYNTAX, "host '%.*s' holds a character that no host may", STR_ARG(u->host));
    return colon < 0 || parse_port(str_skip(text, (size_t)colon + 1), u, err);
}

static bool
check_bytes(struct str text, struct err *err)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c == 0x7f || strchr("<>\"\\^`", c))
            return err_set(err, ERR_SYNTAX, "'%.*s' holds a blank or another character that no URL may",
                           STR_ARG(text));
        if (c == '#')
            return err_set(err, ERR_SYNTAX, "'%.*s' has a fragment", STR_ARG(text));
    }
    return true;
}

static uint16_t
default_port(struct str scheme)
{
    if (str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("ws")))
        return 80;
    return str_eq_nocase(scheme, STR("https")) || str_eq_nocase(scheme, STR("wss")) ? 443 : 0;
}

bool
uri_parse(struct str text, struct uri *ret, struct err *err)
{
    struct uri u = {0};
    ptrdiff_t colon = str_find(text, STR("://"), 0), question;
    struct str rest, authority;
    size_t end = 0;

    if (!check_bytes(text, err))
        return false;
    if (colon <= 0)
        return err_set(err, ERR_SYNTAX, "'%.*s': expected scheme://host", STR_ARG(text));
    u.scheme = str_sub(text, 0, (size_t)colon);
    for (size_t i = 0; i < u.scheme.len; i++)
        if (!ascii_is_alpha(u.scheme.p[i]) && (i == 0 || (!ascii_is_digit(u.scheme.p[i]) &&
                                                         !strchr("+-.", u.scheme.p[i]))))
            return err_set(err, ERR_SYNTAX, "'%.*s' is no scheme", STR_ARG(u.scheme));
    rest = str_skip(text, (size_t)colon + 3);
    while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    authority = str_sub(rest, 0, end);
    rest = str_skip(rest, end);
    question = str_find_char(rest, '?', 0);
    u.path = question < 0 ? rest : str_sub(rest, 0, (size_t)question);
    u.query = question < 0 ? STR_NONE : str_skip(rest, (size_t)question + 1);
    u.port = default_port(u.scheme);
    if (!parse_authority(authority, &u, err))
        return false;
    *ret = u;
    return true;
}

bool
uri_parse_http(struct str text, struct uri *ret, struct err *err)
{
    struct uri u;

    if (!uri_parse(text, &u, err))
        return false;
    if (!default_port(u.scheme))
        return err_set(err, ERR_INVALID, "'%.*s': expected http:// or https://", STR_ARG(text));
    *ret = u;
    return true;
}

bool
query_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str pair;

    do {
        if (!str_split_next(rest, '&', &pair))
            return false;
    } while (!pair.len);
    *ret_value = pair;
    (void)str_split_next(ret_value, '=', ret_name);
    return true;
}

/* The byte at *at, escapes resolved; *at moves behind it. */
static unsigned char
query_byte(struct str s, size_t *at)
{
    char c = s.p[(*at)++];
    int high, low;

    if (c == '%' && *at + 1 < s.len && (high = ascii_hex_value(s.p[*at])) >= 0 && (low = ascii_hex_value(s.p[*at + 1])) >= 0) {
        *at += 2;
        return (unsigned char)(high * 16 + low);
    }
    return (unsigned char)(c == '+' ? ' ' : c);
}

bool
query_text_is(struct str x, struct str y, bool ignore_case)
{
    size_t i = 0, k = 0;

    while (i < x.len && k < y.len) {
        char a = (char)query_byte(x, &i), b = (char)query_byte(y, &k);

        if (a != b && !(ignore_case && ascii_lower(a) == ascii_lower(b)))
            return false;
    }
    return i == x.len && k == y.len;
}
