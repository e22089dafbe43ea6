/* entity.c: the five named entities of XML and numeric references. Anything else that begins with '&' is text, as people
 * write query strings and && raw.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/entity.h"

#define REFERENCE_MAX 10          /* "&#x10FFFF;" */

static bool
is_xml_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
           (c >= 0x10000 && c <= 0x10ffff);
}

/* "#65" or "#x41" without & and ;. */
static bool
numeric(struct str s, uint32_t *ret)
{
    bool is_hex = s.len > 1 && (s.p[1] == 'x' || s.p[1] == 'X');
    uint32_t value = 0;

    s = str_skip(s, is_hex ? 2 : 1);
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = ascii_hex_value(s.p[i]);

        if (digit < 0 || (!is_hex && digit > 9))
            return false;
        value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    *ret = value;
    return is_xml_char(value);
}

size_t
entity_decode(struct str text, size_t at, uint32_t *ret)
{
    static const struct { struct str name; char c; } named[] = {
        {STR_INIT("quot"), '"'}, {STR_INIT("amp"), '&'}, {STR_INIT("lt"), '<'},
        {STR_INIT("gt"), '>'}, {STR_INIT("apos"), '\''},
    };
    struct str window = str_sub(text, at, at + REFERENCE_MAX);
    ptrdiff_t end = str_find_char(window, ';', 1);

    if (end < 2)
        return 0;
    struct str name = str_sub(window, 1, (size_t)end);
    if (name.p[0] == '#')
        return numeric(name, ret) ? (size_t)end + 1 : 0;
    for (size_t i = 0; i < COUNTOF(named); i++) {
        if (str_eq(name, named[i].name)) {
            *ret = (unsigned char)named[i].c;
            return (size_t)end + 1;
        }
    }
    return 0;
}
