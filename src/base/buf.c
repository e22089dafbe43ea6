/* buf.c: growth, formatting and escaping into a buffer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

char *
buf_reserve_slow(struct buf *b, size_t n)
{
    size_t need, cap;
    char *p;

    if (b->failed || !size_add(b->len, n, &need) || (b->max && need > b->max) || need > SIZE_MAX / 4)
        goto full;
    cap = MAX(MAX(need + 1, b->cap * 2), (size_t)64);
    if (b->arena)
        p = arena_grow(b->arena, b->p, b->cap, cap, 1);
    else
        p = xrealloc(b->p, cap);
    if (!p)
        goto full;
    b->p = p;
    b->cap = cap;
    return p + b->len;
full:
    b->failed = true;
    return NULL;
}

bool
buf_add(struct buf *b, const void *p, size_t n)
{
    char *to;

    if (n == 0)
        return !b->failed;
    if (!(to = buf_reserve(b, n)))
        return false;
    memcpy(to, p, n);
    b->len += n;
    return true;
}

bool
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;
    char *to;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return to != NULL;
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    bool ok;

    va_start(ap, fmt);
    ok = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return ok;
}

bool
buf_add_u64(struct buf *b, uint64_t n)
{
    char digits[20], *p = digits + sizeof(digits);

    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

bool
buf_add_i64(struct buf *b, int64_t n)
{
    if (n >= 0)
        return buf_add_u64(b, (uint64_t)n);
    return buf_add_char(b, '-') && buf_add_u64(b, -(uint64_t)n);
}

bool
buf_add_json_escaped(struct buf *b, struct str s)
{
    size_t i = 0, plain = 0;

    if (!s.len)
        return !b->failed;               /* absent text has no address to count from */
    while (i < s.len) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = 1;

        if (c >= 0x80 && (n = utf8_sequence_len(s, i)) > 0) {
            i += n;
            continue;
        }
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        buf_add(b, s.p + plain, i - plain);
        switch (c) {
        case '"': buf_add_lit(b, "\\\""); break;
        case '\\': buf_add_lit(b, "\\\\"); break;
        case '\n': buf_add_lit(b, "\\n"); break;
        case '\r': buf_add_lit(b, "\\r"); break;
        case '\t': buf_add_lit(b, "\\t"); break;
        case '\b': buf_add_lit(b, "\\b"); break;
        case '\f': buf_add_lit(b, "\\f"); break;
        default:
            if (c >= 0x80)
                buf_add_lit(b, "\xef\xbf\xbd");
            else
                buf_printf(b, "\\u%04x", c);
        }
        plain = ++i;
    }
    return buf_add(b, s.p + plain, i - plain);
}

bool
buf_add_xml_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0, n; i < s.len; i += n) {
        unsigned char c = (unsigned char)s.p[i];
        struct str one;

        n = c < 0x80 ? 1 : utf8_sequence_len(s, i);
        one = str_sub(s, i, i + MAX(n, (size_t)1));
        if (n == 0 || (c < 0x20 && c != '\n' && c != '\t') || str_eq_lit(one, "\xef\xbf\xbe") || str_eq_lit(one, "\xef\xbf\xbf"))
            buf_add_lit(b, "\xef\xbf\xbd");
        else if (strchr("<>&\"'", c))
            buf_printf(b, "&#%d;", c);
        else
            buf_add_str(b, one);
        n = one.len;
    }
    return !b->failed;
}

struct str
buf_str(struct buf *b)
{
    char *end = b->failed ? NULL : buf_reserve(b, 0);

    if (!end)
        return STR_NONE;
    *end = '\0';
    return str_from(b->p, b->len);
}

void
buf_destroy(struct buf *b)
{
    if (b && !b->arena)
        free(b->p);
    if (b)
        *b = (struct buf){.arena = b->arena, .max = b->max};
}
