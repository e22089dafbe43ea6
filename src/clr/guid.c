/* guid.c: the five text forms of a Guid.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/guid.h"

#include <stdio.h>

/* 32 digits, with dashes at their places when `dashes`. */
static bool
parse_digits(struct str s, bool dashes, uint8_t ret[16])
{
    size_t at = 0;

    if (s.len != (dashes ? 36 : 32))
        return false;
    for (int i = 0; i < 16; i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && s.p[at++] != '-')
            return false;
        int high = ascii_hex_value(s.p[at]), low = ascii_hex_value(s.p[at + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

static bool
parse_wrapped(struct str s, char open, char close, uint8_t ret[16])
{
    return s.len == 38 && s.p[0] == open && s.p[37] == close && parse_digits(str_sub(s, 1, 37), true, ret);
}

/* {0xdddddddd,0xdddd,0xdddd,{0xdd,...}} */
static bool
parse_hex_fields(struct str s, uint8_t ret[16])
{
    static const uint8_t sizes[] = {4, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1};
    size_t at = 0, out = 0;

    for (size_t field = 0; field < COUNTOF(sizes); field++) {
        uint32_t value = 0;
        size_t digits = 0;

        if (field == 0 || field == 3) {
            if (at >= s.len || s.p[at++] != '{')
                return false;
        }
        if (s.len - at < 3 || s.p[at] != '0' || ascii_lower(s.p[at + 1]) != 'x')
            return false;
        for (at += 2; at < s.len && ascii_hex_value(s.p[at]) >= 0; at++, digits++)
            value = value << 4 | (uint32_t)ascii_hex_value(s.p[at]);
        if (digits == 0 || digits > sizes[field] * 2u)
            return false;
        for (int byte = sizes[field] - 1; byte >= 0; byte--)
            ret[out++] = (uint8_t)(value >> (8 * byte));
        if (at >= s.len || s.p[at++] != (field == 10 ? '}' : ','))
            return false;
    }
    return at + 1 == s.len && s.p[at] == '}';
}

bool
guid_parse_exact(struct str text, char letter, uint8_t ret[16])
{
    struct str s = str_trim(text);

    switch (ascii_lower(letter)) {
    case 'n': return parse_digits(s, false, ret);
    case 'd': return parse_digits(s, true, ret);
    case 'b': return parse_wrapped(s, '{', '}', ret);
    case 'p': return parse_wrapped(s, '(', ')', ret);
    case 'x': return parse_hex_fields(s, ret);
    }
    return false;
}

bool
guid_parse(struct str text, uint8_t ret[16])
{
    for (const char *letter = "dnbpx"; *letter; letter++)
        if (guid_parse_exact(text, *letter, ret))
            return true;
    return false;
}

size_t
guid_format(const uint8_t g[16], char letter, char text[GUID_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    char l = letter ? ascii_lower(letter) : 'd';
    size_t n = 0;

    if (l == 'x')
        return (size_t)snprintf(text, GUID_TEXT_MAX,
                                "{0x%02x%02x%02x%02x,0x%02x%02x,0x%02x%02x,{0x%02x,0x%02x,0x%02x,0x%02x,0x%02x,0x%02x,0x%02x,"
                                "0x%02x}}",
                                g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
                                g[15]);
    if (l != 'n' && l != 'd' && l != 'b' && l != 'p')
        return 0;
    if (l == 'b' || l == 'p')
        text[n++] = l == 'b' ? '{' : '(';
    for (int i = 0; i < 16; i++) {
        if (l != 'n' && (i == 4 || i == 6 || i == 8 || i == 10))
            text[n++] = '-';
        text[n++] = digits[g[i] >> 4];
        text[n++] = digits[g[i] & 15];
    }
    if (l == 'b' || l == 'p')
        text[n++] = l == 'b' ? '}' : ')';
    text[n] = '\0';
    return n;
}

void
guid_swap(const uint8_t from[16], uint8_t to[16])
{
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (int i = 0; i < 16; i++)
        to[i] = from[order[i]];
}
