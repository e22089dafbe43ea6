/* encoding.h: bytes to text and back, as System.Text.Encoding; used for message bodies too.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

enum text_encoding {
    TEXT_UTF8, TEXT_ASCII, TEXT_UTF16, TEXT_UTF16_BE, TEXT_UTF32, TEXT_LATIN1, TEXT_WINDOWS_1252,
};

/* By its web name or an alias of it ("utf-8", "latin1", "iso-8859-1"...); false when unknown. */
bool encoding_by_name(struct str name, enum text_encoding *ret);
bool encoding_by_code_page(int64_t code_page, enum text_encoding *ret);
/* What a Content-Type's charset parameter says; UTF-8 without one or for an unknown one. */
enum text_encoding encoding_of_content_type(struct str content_type);

/* Appends WTF-8; what is no text becomes U+FFFD ('?' for ASCII). */
bool encoding_decode(enum text_encoding e, struct str bytes, struct buf *to);
/* Appends bytes of WTF-8 text; what the encoding lacks becomes '?', lone surrogates U+FFFD. */
bool encoding_encode(enum text_encoding e, struct str text, struct buf *to);
/* Without the byte order mark of this encoding, if it begins with one. */
struct str encoding_skip_mark(enum text_encoding e, struct str bytes);
