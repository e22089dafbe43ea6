/* codec.h: base64, base64url, hexadecimal, percent-encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

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

/* %XX for every byte outside A-Za-z0-9 and `keep`. */
bool codec_percent_encode(struct buf *to, struct str text, const char *keep);
/* %XX becomes its byte, a '%' without two hex digits stays; '+' becomes a blank when plus_is_blank. */
bool codec_percent_decode(struct buf *to, struct str text, bool plus_is_blank);
