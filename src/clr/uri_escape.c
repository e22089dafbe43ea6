/* uri_escape.c: the static members of System.Uri about %XX.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "base/utf8.h"
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/uri_parts.h"
#include "clr/values.h"

static bool
escape_keeping(struct call *c, const char *keep, const char *parameter)
{
    struct buf utf8 = call_buf(c), b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, parameter);
    if (!call_charge(c, call_string(c, 0)->size / 16))
        return false;
    if (!utf8_is_valid(call_str(c, 0)))
        return call_throw(c, EXC_URI_FORMAT, "Invalid URI: There is an invalid sequence in the string.");
    encoding_encode(TEXT_UTF8, call_str(c, 0), &utf8);
    codec_percent_encode(&b, utf8.len ? str_from(utf8.p, utf8.len) : STR(""), keep);
    return return_new(c, string_from_buf(c, &b));
}

static bool escape_data(struct call *c) { return escape_keeping(c, "-._~", "stringToEscape"); }

static bool
escape_uri(struct call *c)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "stringToEscape");
    for (size_t i = 0; i < call_string(c, 0)->size; i++) {
        unsigned char byte = (unsigned char)call_string(c, 0)->p[i];
        if (ascii_is_alpha((char)byte) || ascii_is_digit((char)byte) || (byte && byte != '%' && strchr(uri_reserved_and_more, byte)))
            buf_add_char(&b, (char)byte);
        else
            buf_printf(&b, "%%%02X", byte);
    }
    return return_new(c, string_from_buf(c, &b));
}

/* Escapes that make no UTF-8 stay as they are. */
static bool
unescape_data(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "stringToUnescape");
    for (size_t i = 0; i < s.len;) {
        unsigned char sequence[4];
        size_t n = 0, at = i;
        if (s.p[i] != '%') {
            buf_add_char(&b, s.p[i++]);
            continue;
        }
        while (n < 4 && at + 2 < s.len && s.p[at] == '%' && ascii_hex_value(s.p[at + 1]) >= 0 && ascii_hex_value(s.p[at + 2]) >= 0) {
            sequence[n++] = (unsigned char)(ascii_hex_value(s.p[at + 1]) << 4 | ascii_hex_value(s.p[at + 2]));
            at += 3;
            if (utf8_sequence_len(str_from((char *)sequence, n), 0) == n)
                break;
        }
        if (n && utf8_sequence_len(str_from((char *)sequence, n), 0) == n) {
            buf_add(&b, sequence, n);
            i = at;
        } else {
            buf_add_char(&b, s.p[i++]);
        }
    }
    return return_new(c, string_from_buf(c, &b));
}

static bool
hex_escape(struct call *c)
{
    if (c->args[0].i64 > 255)
        return throw_argument_range(c, "character", "Specified argument was out of the range of valid values.");
    return return_new(c, string_printf(c, "%%%02X", (unsigned)c->args[0].i64));
}

static bool
is_hex_digit(struct call *c)
{
    return return_bool(c, c->args[0].i64 < 128 && ascii_hex_value((char)c->args[0].i64) >= 0);
}

static bool
is_escape_at(struct str s, int64_t i)
{
    return i >= 0 && i + 2 < (int64_t)s.len && s.p[i] == '%' && ascii_hex_value(s.p[i + 1]) >= 0 && ascii_hex_value(s.p[i + 2]) >= 0;
}

static bool
is_hex_encoding(struct call *c)
{
    struct string *s = call_string(c, 0), *part;
    int64_t i = call_i32(c, 1);

    if (!s)
        return throw_null_reference(c);
    if (i < 0 || i > (int64_t)s->units - 3)
        return return_bool(c, false);
    return (part = string_slice(c, s, (uint32_t)i, 3)) && return_bool(c, part->size == 3 && is_escape_at(string_str(part), 0));
}

/* The character at *index, which moves behind it. */
static bool
hex_unescape(struct call *c)
{
    struct string *s = call_string(c, 0), *part;
    int64_t i = call_i32(c, 1);

    if (!s)
        return throw_null_reference(c);
    if (i < 0 || i >= s->units)
        return throw_argument_range(c, "index", "Specified argument was out of the range of valid values.");
    if (i <= (int64_t)s->units - 3) {
        if (!(part = string_slice(c, s, (uint32_t)i, 3)))
            return false;
        if (part->size == 3 && is_escape_at(string_str(part), 0)) {
            c->args[1] = value_i64(i + 3);
            return return_i64(c, ascii_hex_value(part->p[1]) << 4 | ascii_hex_value(part->p[2]));
        }
    }
    c->args[1] = value_i64(i + 1);
    return return_i64(c, string_unit(c, s, (uint32_t)i));
}

static bool
from_hex(struct call *c)
{
    int digit = c->args[0].i64 < 128 ? ascii_hex_value((char)c->args[0].i64) : -1;

    return digit >= 0 ? return_i64(c, digit) : throw_argument(c, NULL, "digit");
}

#define U "Uri"

static const struct member_row members[] = {
    M(U, "static string EscapeDataString(string stringToEscape)", escape_data),
    M(U, "static string EscapeUriString(string stringToEscape)", escape_uri),
    M(U, "static string UnescapeDataString(string stringToUnescape)", unescape_data),
    M(U, "static string HexEscape(char character)", hex_escape),
    M(U, "static bool IsHexDigit(char character)", is_hex_digit),
    M(U, "static bool IsHexEncoding(string pattern, int index)", is_hex_encoding),
    M(U, "static char HexUnescape(string pattern, ref int index)", hex_unescape),
    M(U, "static int FromHex(char digit)", from_hex),
};

const struct library clr_uri_escape = {"Uri escapes", NULL, 0, members, COUNTOF(members)};
