/* codec.c: bytes as text and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool
encode64(struct buf *to, struct str bytes, const char *alphabet, bool pad)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t n = bytes.len;
    char *out = buf_reserve(to, n / 3 * 4 + 4);
    char *at = out;

    if (!out)
        return false;
    for (; n >= 3; p += 3, n -= 3) {
        *at++ = alphabet[p[0] >> 2];
        *at++ = alphabet[(p[0] & 3) << 4 | p[1] >> 4];
        *at++ = alphabet[(p[1] & 15) << 2 | p[2] >> 6];
        *at++ = alphabet[p[2] & 63];
    }
    if (n) {
        *at++ = alphabet[p[0] >> 2];
        *at++ = alphabet[(p[0] & 3) << 4 | (n == 2 ? p[1] >> 4 : 0)];
        if (n == 2)
            *at++ = alphabet[(p[1] & 15) << 2];
        else if (pad)
            *at++ = '=';
        if (pad)
            *at++ = '=';
    }
    to->len += (size_t)(at - out);
    return true;
}

bool
codec_base64_encode(struct buf *to, struct str bytes)
{
    return encode64(to, bytes, std_alphabet, true);
}

bool
codec_base64url_encode(struct buf *to, struct str bytes)
{
    return encode64(to, bytes, url_alphabet, false);
}

static int
value64(unsigned char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

enum decode64_flags { D64_URL = 1, D64_BLANKS = 2 };

static bool
decode64(struct buf *to, struct str text, unsigned flags, struct err *err)
{
    size_t start = to->len, n = 0, pads = 0;
    uint32_t bits = 0;

    if (!buf_reserve(to, text.len / 4 * 3 + 3))
        return err_set(err, ERR_LIMIT, "decoded text is too long");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        int v;

        if ((flags & D64_BLANKS) && ascii_is_blank((char)c))
            continue;
        if (c == '=' && !(flags & D64_URL) && ++pads <= 2)
            continue;
        v = value64(c, flags & D64_URL);
        if (v < 0 || pads) {
            to->len = start;
            return err_set(err, ERR_SYNTAX, "not base64: byte 0x%02x at %zu", c, i);
        }
        bits = bits << 6 | (unsigned)v;
        if (++n % 4 == 0) {
            to->p[to->len++] = (char)(bits >> 16);
            to->p[to->len++] = (char)(bits >> 8);
            to->p[to->len++] = (char)bits;
        }
    }
    if (n % 4 == 1 || (!(flags & D64_URL) && (n + pads) % 4 != 0) || (n % 4 == 0 && pads)) {
        to->len = start;
        return err_set(err, ERR_SYNTAX, "not base64: wrong length or padding");
    }
    if (n % 4 == 2) {
        if ((bits & 15) && !(flags & D64_BLANKS))
            goto spare;
        to->p[to->len++] = (char)(bits >> 4);
    } else if (n % 4 == 3) {
        if ((bits & 3) && !(flags & D64_BLANKS))
            goto spare;
        to->p[to->len++] = (char)(bits >> 10);
        to->p[to->len++] = (char)(bits >> 2);
    }
    return true;
spare:
    to->len = start;
    return err_set(err, ERR_SYNTAX, "not base64: spare bits are not zero");
}

bool
codec_base64_decode(struct buf *to, struct str text, struct err *err)
{
    return decode64(to, text, 0, err);
}

bool
codec_base64url_decode(struct buf *to, struct str text, struct err *err)
{
    return decode64(to, text, D64_URL, err);
}

bool
codec_base64_decode_blanks(struct buf *to, struct str text, struct err *err)
{
    return decode64(to, text, D64_BLANKS, err);
}

bool
codec_hex_encode(struct buf *to, struct str bytes, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *out = buf_reserve(to, bytes.len * 2);

    if (!out)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        *out++ = digits[(unsigned char)bytes.p[i] >> 4];
        *out++ = digits[(unsigned char)bytes.p[i] & 15];
    }
    to->len += bytes.len * 2;
    return true;
}

bool
codec_hex_decode(struct buf *to, struct str text, struct err *err)
{
    size_t start = to->len;

    if (text.len % 2)
        return err_set(err, ERR_SYNTAX, "not hexadecimal: odd number of digits");
    if (!buf_reserve(to, text.len / 2))
        return err_set(err, ERR_LIMIT, "decoded text is too long");
    for (size_t i = 0; i < text.len; i += 2) {
        int hi = ascii_hex_value(text.p[i]), lo = ascii_hex_value(text.p[i + 1]);
        if (hi < 0 || lo < 0) {
            to->len = start;
            return err_set(err, ERR_SYNTAX, "not hexadecimal at %zu", i);
        }
        to->p[to->len++] = (char)(hi << 4 | lo);
    }
    return true;
}

bool
codec_percent_encode(struct buf *to, struct str text, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || (c && strchr(keep, c))) {
            buf_add_char(to, (char)c);
            continue;
        }
        buf_add(to, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
    return !to->failed;
}

bool
codec_percent_decode(struct buf *to, struct str text, bool plus_is_blank)
{
    for (size_t i = 0; i < text.len; i++) {
        int hi, lo;

        if (text.p[i] == '%' && text.len - i > 2 && (hi = ascii_hex_value(text.p[i + 1])) >= 0 &&
            (lo = ascii_hex_value(text.p[i + 2])) >= 0) {
            buf_add_char(to, (char)(hi << 4 | lo));
            i += 2;
        } else {
            buf_add_char(to, text.p[i] == '+' && plus_is_blank ? ' ' : text.p[i]);
        }
    }
    return !to->failed;
}
