/* str.c: comparing, searching and cutting views of text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

bool
str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);
    int order = n ? memcmp(a.p, b.p, n) : 0;

    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

int
str_cmp_nocase(struct str a, struct str b)
{
    size_t n = MIN(a.len, b.len);

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)ascii_lower(a.p[i]), y = (unsigned char)ascii_lower(b.p[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool
str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool
str_starts_with_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_sub(s, 0, prefix.len), prefix);
}

bool
str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_skip(s, s.len - suffix.len), suffix);
}

ptrdiff_t
str_find_char(struct str s, char c, size_t from)
{
    const char *hit = from < s.len ? memchr(s.p + from, c, s.len - from) : NULL;

    return hit ? hit - s.p : -1;
}

ptrdiff_t
str_rfind_char(struct str s, char c)
{
    const char *hit = s.len ? memrchr(s.p, c, s.len) : NULL;

    return hit ? hit - s.p : -1;
}

ptrdiff_t
str_find(struct str s, struct str needle, size_t from)
{
    const char *hit;

    if (from > s.len)
        return -1;
    if (needle.len == 0)
        return (ptrdiff_t)from;
    if (s.len == 0)
        return -1;                        /* memmem() takes no NULL */
    hit = memmem(s.p + from, s.len - from, needle.p, needle.len);
    return hit ? hit - s.p : -1;
}

struct str
str_trim(struct str s)
{
    while (s.len && ascii_is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.len && ascii_is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool
str_split_next(struct str *rest, char sep, struct str *head)
{
    ptrdiff_t at;

    if (!rest->p)
        return false;
    at = str_find_char(*rest, sep, 0);
    if (at < 0) {
        *head = *rest;
        *rest = STR_NONE;
        return true;
    }
    *head = str_sub(*rest, 0, (size_t)at);
    *rest = str_skip(*rest, (size_t)at + 1);
    return true;
}

struct str
str_dup(struct arena *a, struct str s)
{
    return str_concat(a, s, STR_NONE);
}

struct str
str_concat(struct arena *a, struct str x, struct str y)
{
    size_t len;
    char *p;

    if (!size_add(x.len, y.len, &len) || len == SIZE_MAX || !(p = arena_alloc(a, len + 1, 1, 1)))
        return STR_NONE;
    if (x.len)
        memcpy(p, x.p, x.len);
    if (y.len)
        memcpy(p + x.len, y.p, y.len);
    p[len] = '\0';
    return str_from(p, len);
}

struct str
str_concat_u64(struct arena *a, struct str x, uint64_t n)
{
    char digits[20], *p = digits + sizeof(digits);

    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return str_concat(a, x, str_from(p, (size_t)(digits + sizeof(digits) - p)));
}

struct str
str_printf(struct arena *a, const char *fmt, ...)
{
    char small[256], *p;              /* most texts are printed once */
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (len < 0 || !(p = arena_alloc(a, (size_t)len + 1, 1, 1)))
        return STR_NONE;
    if ((size_t)len < sizeof(small)) {
        memcpy(p, small, (size_t)len + 1);
        return str_from(p, (size_t)len);
    }
    va_start(ap, fmt);
    vsnprintf(p, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return str_from(p, (size_t)len);
}

struct str
str_lower(struct arena *a, struct str s)
{
    struct str copy = str_dup(a, s);

    for (size_t i = 0; i < copy.len; i++)
        ((char *)copy.p)[i] = ascii_lower(copy.p[i]);
    return copy;
}

int
ascii_hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
