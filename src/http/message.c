/* message.c: methods, reasons, authorities and dates (message.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include <stdio.h>
#include <time.h>

static const struct str methods[] = {
    [HTTP_METHOD_OTHER] = STR_INIT(""),
#define METHOD(id, text) [HTTP_METHOD_##id] = STR_INIT(text),
    HTTP_METHODS(METHOD)
#undef METHOD
};

static const struct method_promise {
    struct str text;
    bool is_safe, is_idempotent;
} promises[] = {
#define METHOD(text, safe, idempotent) {STR_INIT(text), safe, idempotent},
#include "http/methods.def"
#undef METHOD
};

enum http_method
http_method_from(struct str text)
{
    for (size_t i = 1; i < COUNTOF(methods); i++)
        if (str_eq(text, methods[i]))
            return (enum http_method)i;
    return HTTP_METHOD_OTHER;
}

struct str
http_method_text(enum http_method method)
{
    return methods[method];
}

static const struct method_promise *
promise_of(struct str method)
{
    static const struct method_promise none = {0};

    for (size_t i = 0; i < COUNTOF(promises); i++)
        if (str_eq(method, promises[i].text))
            return &promises[i];
    return &none;
}

bool
http_method_is_safe(struct str method)
{
    return promise_of(method)->is_safe;
}

bool
http_method_is_idempotent(struct str method)
{
    return promise_of(method)->is_idempotent;
}

struct str
http_reason(uint16_t status)
{
    switch (status) {
#define REASON(code, text) case code: return STR(text);
#include "http/reasons.def"
#undef REASON
    }
    return STR("Unknown");
}

/* RFC 3986 reg-name without escapes: unreserved and sub-delims, less ',' which would make a list. */
static const uint8_t host_chars[256] = {
    ['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['-'] = 1, ['.'] = 1,  ['_'] = 1,
    ['~'] = 1,         ['!'] = 1,         ['$'] = 1,         ['&'] = 1, ['\''] = 1, ['('] = 1,
    [')'] = 1,         ['*'] = 1,         ['+'] = 1,         [';'] = 1, ['='] = 1,
};

/* Length of "[v6]" at the start; 0 when it is none. */
static size_t
bracketed_len(struct str s)
{
    size_t i = 1;

    if (s.len < 4 || s.p[0] != '[')
        return 0;
    while (i < s.len && (ascii_hex_value(s.p[i]) >= 0 || s.p[i] == ':' || s.p[i] == '.'))
        i++;
    return i > 2 && i < s.len && s.p[i] == ']' ? i + 1 : 0;
}

static bool
is_port(struct str s)
{
    uint32_t port = 0;

    if (s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        port = port * 10 + (uint32_t)(s.p[i] - '0');
    }
    return port <= 65535 && (port > 0 || s.len == 0);
}

bool
http_authority_is_valid(struct str a)
{
    size_t i = 0;

    if (a.len == 0 || a.len > 255 + 6)
        return false;
    if (a.p[0] == '[') {
        if (!(i = bracketed_len(a)))
            return false;
    } else {
        while (i < a.len && host_chars[(uint8_t)a.p[i]])
            i++;
        if (i == 0)
            return false;
    }
    return i == a.len || (a.p[i] == ':' && is_port(str_skip(a, i + 1)));
}

void
http_authority_split(struct str a, struct str scheme, struct str *ret_host, uint16_t *ret_port)
{
    ptrdiff_t colon = str_rfind_char(a, ':');
    uint32_t port = 0;

    if (colon >= 0 && a.p[0] == '[' && a.p[a.len - 1] == ']')
        colon = -1;
    *ret_host = colon < 0 ? a : str_sub(a, 0, (size_t)colon);
    if (ret_host->len > 1 && ret_host->p[ret_host->len - 1] == '.')
        ret_host->len--;
    for (size_t i = (size_t)colon + 1; colon >= 0 && i < a.len; i++)
        port = port * 10 + (uint32_t)(a.p[i] - '0');
    *ret_port = (uint16_t)(port ? port : str_eq_lit(scheme, "https") ? 443 : 80);
}

bool
http_authority_eq(struct str a, struct str b, struct str scheme)
{
    struct str host_a, host_b;
    uint16_t port_a, port_b;

    http_authority_split(a, scheme, &host_a, &port_a);
    http_authority_split(b, scheme, &host_b, &port_b);
    return port_a == port_b && str_eq_nocase(host_a, host_b);
}

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void
http_date_format(uint64_t unix_s, char out[30])
{
    time_t at = (time_t)MIN(unix_s, (uint64_t)253402300799); /* the last second of 9999 */
    struct tm tm;

    gmtime_r(&at, &tm);
    snprintf(out, 30, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[tm.tm_wday], tm.tm_mday,
             month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Where the numbers of a date were found. */
struct date_parts {
    int day, month, year, hour, minute, second;
};

/* Whether the parts name a day and time that exist; then the seconds. */
static bool
date_from_parts(const struct date_parts *p, uint64_t *ret)
{
    struct tm tm = {.tm_mday = p->day, .tm_mon = p->month, .tm_year = p->year - 1900, .tm_hour = p->hour,
                    .tm_min = p->minute, .tm_sec = p->second};
    time_t at;

    if (p->year < 1970 || p->day < 1 || p->hour > 23 || p->minute > 59 || p->second > 60)
        return false;
    at = timegm(&tm);
    if (at < 0 || tm.tm_mday != p->day)
        return false;
    *ret = (uint64_t)at;
    return true;
}

static int
month_from(struct str text)
{
    for (int m = 0; m < 12; m++)
        if (str_eq_nocase(text, str_from(month_names[m], 3)))
            return m;
    return -1;
}

/* Text against a pattern in which d, H, M, S and y are digits (p: a digit or a blank), m a month, w letters, and everything
 * else stands for itself in any case. */
static bool
date_matches(struct str text, const char *pattern, struct date_parts *ret)
{
    *ret = (struct date_parts){0};
    if (strlen(pattern) != text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        int *number = pattern[i] == 'd' || pattern[i] == 'p' ? &ret->day : pattern[i] == 'H' ? &ret->hour
                    : pattern[i] == 'M' ? &ret->minute : pattern[i] == 'S' ? &ret->second
                    : pattern[i] == 'y' ? &ret->year : NULL;

        if (number && (ascii_is_digit(c) || (pattern[i] == 'p' && c == ' ')))
            *number = *number * 10 + (c == ' ' ? 0 : c - '0');
        else if (pattern[i] == 'm' && pattern[i + 1] == 'm' && pattern[i + 2] == 'm')
            ret->month = month_from(str_sub(text, i, i + 3));
        else if (number || (pattern[i] == 'w' ? !ascii_is_alpha(c)
                                              : pattern[i] != 'm' && ascii_lower(c) != ascii_lower(pattern[i])))
            return false;
    }
    return ret->month >= 0;
}

bool
http_date_parse(struct str text, uint64_t *ret)
{
    struct date_parts parts;
    ptrdiff_t comma = str_find_char(text, ',', 0);

    if (date_matches(text, "www, dd mmm yyyy HH:MM:SS gmt", &parts) || date_matches(text, "www mmm pd HH:MM:SS yyyy", &parts))
        return date_from_parts(&parts, ret);
    if (comma < 6 || comma > 9 || !date_matches(str_skip(text, (size_t)comma), ", dd-mmm-yy HH:MM:SS gmt", &parts))
        return false;
    parts.year += parts.year < 70 ? 2000 : 1900;
    return date_from_parts(&parts, ret);
}
