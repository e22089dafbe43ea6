/* utf8.c: walking, checking and writing UTF-8 and WTF-8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/buf.h"

static bool
is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

static size_t
sequence_len(struct str s, size_t at, bool surrogates)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    size_t left = s.len - at;

    if (left == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && is_continuation(p[1]) ? 2 : 0;
    if ((p[0] & 0xf0) == 0xe0) {
        if (left < 3 || !is_continuation(p[1]) || !is_continuation(p[2]))
            return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f && !surrogates))
            return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (left < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3]))
            return 0;
        if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

size_t
utf8_sequence_len(struct str s, size_t at)
{
    return at < s.len ? sequence_len(s, at, false) : 0;
}

bool
utf8_is_ascii(struct str s)
{
    size_t i = 0;
    uint64_t word;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.p + i, 8);
        if (word & 0x8080808080808080u)
            return false;
    }
    for (; i < s.len; i++)
        if (s.p[i] & 0x80)
            return false;
    return true;
}

bool
utf8_is_valid(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        uint64_t word;
        size_t n;
        if (i + 8 <= s.len && (memcpy(&word, s.p + i, 8), (word & 0x8080808080808080u) == 0)) {
            i += 8;                   /* most text is ASCII */
            continue;
        }
        n = sequence_len(s, i, false);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

uint32_t
utf8_next(struct str s, size_t *at)
{
    const unsigned char *p = (const unsigned char *)s.p + *at;
    size_t n = sequence_len(s, *at, true);

    *at += n ? n : 1;
    switch (n) {
    case 1: return p[0];
    case 2: return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3: return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4: return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default: return 0xfffd;
    }
}

size_t
utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

size_t
utf8_units(struct str s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.len;)
        units += utf8_next(s, &i) >= 0x10000 ? 2 : 1;
    return units;
}

static bool
is_utf16(struct str s)
{
    return str_starts_with(s, STR("\xff\xfe")) || str_starts_with(s, STR("\xfe\xff"));
}

struct str
utf8_from_file(struct arena *a, struct str s)
{
    size_t low = str_starts_with(s, STR("\xff")) ? 0 : 1;
    struct buf out = buf_in(a);
    uint32_t high = 0;

    for (size_t i = 2; is_utf16(s) && i + 1 < s.len; i += 2) {
        uint32_t c = (uint32_t)(unsigned char)s.p[i + low] | (uint32_t)(unsigned char)s.p[i + 1 - low] << 8;
        bool is_half = c >= 0xd800 && c < 0xdc00;
        char bytes[4];

        if (c >= 0xdc00 && c < 0xe000)
            c = high ? 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00) : 0xfffd;
        high = is_half ? c : 0;
        if (!is_half)
            buf_add(&out, bytes, utf8_put(bytes, c));
    }
    return !is_utf16(s) ? s : out.len ? buf_str(&out) : STR("");
}
