/* encoding.h: bytes to text and back, as System.Text.Encoding; used for message bodies too.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

enum text_encoding {
    TEXT_UTF8, TEXT_ASCII, TEXT_UTF16, TEXT_UTF16_BE, TEXT_UTF32, TEXT_UTF32_BE, TEXT_LATIN1,
    TEXT_PAGES,                       /* and above: the rows of code_pages.def */
};

struct encoding_info {
    struct str name;                  /* web name */
    int code_page;
    const char *title;
};

/* What happens to bytes that are no character, or characters that have no bytes. NULL or zeroed: U+FFFD or '?'. */
struct text_fallback {
    bool is_strict;                   /* it ends the work, and the rest says where */
    bool has_replacement;
    struct str replacement;
    bool has_failed;
    struct str bad;                   /* the bytes */
    uint32_t bad_character;
    size_t bad_at;                    /* bytes when decoding, UTF-16 units when encoding */
};

const struct encoding_info *encoding_info(enum text_encoding e);
uint32_t encoding_count(void);
/* By its web name or an alias of it ("utf-8", "latin1", "iso-8859-1"...); false when unknown. */
bool encoding_by_name(struct str name, enum text_encoding *ret);
/* 0 is UTF-8. */
bool encoding_by_code_page(int64_t code_page, enum text_encoding *ret);
/* What a body's byte order mark says, else charset of its Content-Type, else, where it is XML, its declaration, else UTF-8. */
enum text_encoding encoding_of_body(struct str bytes, struct str content_type, bool is_xml);
/* The body as WTF-8 without byte order mark, bytes that are no text as U+FFFD: a view of it, or what *scratch then holds. STR_NONE
 * when *scratch takes no more. */
struct str encoding_body_text(struct str bytes, struct str content_type, bool is_xml, struct buf *scratch);

/* Appends WTF-8; what is no text becomes U+FFFD ('?' for ASCII). */
bool encoding_decode(enum text_encoding e, struct str bytes, struct buf *to);
bool encoding_decode_with(enum text_encoding e, struct str bytes, struct text_fallback *f, struct buf *to);
/* Appends bytes of WTF-8 text; what the encoding lacks becomes '?', lone surrogates U+FFFD. */
bool encoding_encode(enum text_encoding e, struct str text, struct buf *to);
bool encoding_encode_with(enum text_encoding e, struct str text, struct text_fallback *f, struct buf *to);
/* The byte order mark; "" when it has none. */
struct str encoding_mark(enum text_encoding e);
/* Without the byte order mark of this encoding, if it begins with one. */
struct str encoding_skip_mark(enum text_encoding e, struct str bytes);

struct call;
struct object;
/* Encoding.Unicode, for StringWriter. NULL after a budget was exceeded. */
struct object *encoding_utf16(struct call *c);
