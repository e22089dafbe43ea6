/* codec.h: base64, base64url, hexadecimal, percent-encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* RFC 4648 with padding; the url kind without. Both append to the buffer. */
bool codec_base64_encode(struct buf *to, struct str bytes);
bool codec_base64url_encode(struct buf *to, struct str bytes);
/* Strict: full alphabet check, padding exactly as it must be (base64) or absent (base64url), spare bits zero. */
MUST_USE bool codec_base64_decode(struct buf *to, struct str text, struct err *err);
MUST_USE bool codec_base64url_decode(struct buf *to, struct str text, struct err *err);
/* As .NET's Convert.FromBase64String: the standard alphabet, blanks anywhere are skipped, padding required. */
MUST_USE bool codec_base64_decode_blanks(struct buf *to, struct str text, struct err *err);

bool codec_hex_encode(struct buf *to, struct str bytes, bool upper);
MUST_USE bool codec_hex_decode(struct buf *to, struct str text, struct err *err);
/* Eight lower-case digits of a word, the highest first, all at once: nibbles are spread over the bytes of a wider word, and those
 * above 9 are raised to letters. For what every request prints; `to` has room for eight, no NUL is added. */
static inline void
codec_hex_word(char *to, uint32_t w)
{
    uint64_t x = w, letters;

    x = (x & 0xffff) | (x & 0xffff0000) << 16;
    x = (x & 0x000000ff000000ff) | (x & 0x0000ff000000ff00) << 8;
    x = (x & 0x000f000f000f000f) | (x & 0x00f000f000f000f0) << 4;
    letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    x += 0x3030303030303030 + letters * ('a' - '0' - 10);
    x = htobe64(x);
    memcpy(to, &x, sizeof(x));
}
/* Four bytes as eight digits, in their order. */
static inline void
codec_hex_bytes4(char *to, const void *bytes)
{
    uint32_t w;

    memcpy(&w, bytes, sizeof(w));
    codec_hex_word(to, be32toh(w));
}

/* %XX for every byte outside A-Za-z0-9 and `keep`. */
bool codec_percent_encode(struct buf *to, struct str text, const char *keep);
/* %XX becomes its byte, a '%' without two hex digits stays; '+' becomes a blank when plus_is_blank. */
bool codec_percent_decode(struct buf *to, struct str text, bool plus_is_blank);
