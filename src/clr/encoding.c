/* encoding.c: bytes to text and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/encoding.h"

#include "base/utf8.h"
#include "data/xml.h"

#define REPLACEMENT 0xfffd

static const struct encoding_info fixed[] = {
    [TEXT_UTF8] = {STR_INIT("utf-8"), 65001, "Unicode (UTF-8)"},
    [TEXT_ASCII] = {STR_INIT("us-ascii"), 20127, "US-ASCII"},
    [TEXT_UTF16] = {STR_INIT("utf-16"), 1200, "Unicode"},
    [TEXT_UTF16_BE] = {STR_INIT("utf-16BE"), 1201, "Unicode (Big-Endian)"},
    [TEXT_UTF32] = {STR_INIT("utf-32"), 12000, "Unicode (UTF-32)"},
    [TEXT_UTF32_BE] = {STR_INIT("utf-32BE"), 12001, "Unicode (UTF-32 Big-Endian)"},
    [TEXT_LATIN1] = {STR_INIT("iso-8859-1"), 28591, "Western European (ISO)"},
};

/* One byte a character. */
static const struct page {
    struct encoding_info info;
    uint16_t high[128];               /* code points of 0x80 - 0xff */
} pages[] = {
#define PAGE(code_page, name, title, ...) {{STR_INIT(name), code_page, title}, {__VA_ARGS__}},
#include "clr/code_pages.def"
#undef PAGE
};

static const struct alias {
    struct str name;
    int code_page;
} aliases[] = {
    {STR_INIT("unicode-1-1-utf-8"), 65001}, {STR_INIT("utf8"), 65001}, {STR_INIT("unicode-2-0-utf-8"), 65001},
    {STR_INIT("x-unicode-1-1-utf-8"), 65001}, {STR_INIT("x-unicode-2-0-utf-8"), 65001}, {STR_INIT("ascii"), 20127},
    {STR_INIT("us"), 20127}, {STR_INIT("iso646-us"), 20127}, {STR_INIT("iso-ir-6"), 20127}, {STR_INIT("ansi_x3.4-1968"), 20127},
    {STR_INIT("ansi_x3.4-1986"), 20127}, {STR_INIT("iso_646.irv:1991"), 20127}, {STR_INIT("cp367"), 20127}, {STR_INIT("ibm367"), 20127},
    {STR_INIT("csascii"), 20127}, {STR_INIT("unicode"), 1200}, {STR_INIT("utf-16LE"), 1200}, {STR_INIT("ucs-2"), 1200},
    {STR_INIT("iso-10646-ucs-2"), 1200}, {STR_INIT("unicodeFFFE"), 1201}, {STR_INIT("utf-32LE"), 12000}, {STR_INIT("ucs-4"), 12000},
    {STR_INIT("latin1"), 28591}, {STR_INIT("iso8859-1"), 28591}, {STR_INIT("iso_8859-1"), 28591}, {STR_INIT("iso_8859-1:1987"), 28591},
    {STR_INIT("iso-ir-100"), 28591}, {STR_INIT("l1"), 28591}, {STR_INIT("ibm819"), 28591}, {STR_INIT("cp819"), 28591},
    {STR_INIT("csisolatin1"), 28591}, {STR_INIT("x-ansi"), 1252}, {STR_INIT("cp1252"), 1252}, {STR_INIT("x-cp1250"), 1250},
    {STR_INIT("x-cp1251"), 1251}, {STR_INIT("437"), 437}, {STR_INIT("cp437"), 437}, {STR_INIT("850"), 850}, {STR_INIT("cp850"), 850},
    {STR_INIT("852"), 852}, {STR_INIT("cp852"), 852}, {STR_INIT("866"), 866}, {STR_INIT("ibm866"), 866}, {STR_INIT("koi8"), 20866},
    {STR_INIT("koi"), 20866}, {STR_INIT("cskoi8r"), 20866}, {STR_INIT("latin2"), 28592}, {STR_INIT("l2"), 28592}, {STR_INIT("iso_8859-2"), 28592},
    {STR_INIT("latin3"), 28593}, {STR_INIT("l3"), 28593}, {STR_INIT("latin4"), 28594}, {STR_INIT("l4"), 28594},
    {STR_INIT("cyrillic"), 28595}, {STR_INIT("arabic"), 28596}, {STR_INIT("greek"), 28597}, {STR_INIT("hebrew"), 28598},
    {STR_INIT("latin5"), 28599}, {STR_INIT("l5"), 28599}, {STR_INIT("latin9"), 28605}, {STR_INIT("l9"), 28605},
    {STR_INIT("iso_8859-15"), 28605},
};

const struct encoding_info *
encoding_info(enum text_encoding e)
{
    return e < TEXT_PAGES ? &fixed[e] : &pages[e - TEXT_PAGES].info;
}

uint32_t
encoding_count(void)
{
    return TEXT_PAGES + COUNTOF(pages);
}

bool
encoding_by_code_page(int64_t code_page, enum text_encoding *ret)
{
    for (uint32_t i = 0; i < encoding_count(); i++)
        if (encoding_info((enum text_encoding)i)->code_page == (code_page ? code_page : 65001)) {
            *ret = (enum text_encoding)i;
            return true;
        }
    return false;
}

bool
encoding_by_name(struct str name, enum text_encoding *ret)
{
    for (uint32_t i = 0; i < encoding_count(); i++)
        if (str_eq_nocase(encoding_info((enum text_encoding)i)->name, name)) {
            *ret = (enum text_encoding)i;
            return true;
        }
    for (size_t i = 0; i < COUNTOF(aliases); i++)
        if (str_eq_nocase(aliases[i].name, name))
            return encoding_by_code_page(aliases[i].code_page, ret);
    return false;
}

/* What a Content-Type's charset parameter says. */
static bool
charset_of(struct str content_type, enum text_encoding *ret)
{
    struct str rest = content_type, part;

    while (str_split_next(&rest, ';', &part)) {
        part = str_trim(part);
        if (!str_starts_with_nocase(part, STR("charset=")))
            continue;
        part = str_trim(str_skip(part, sizeof("charset=") - 1));
        if (part.len >= 2 && part.p[0] == '"' && part.p[part.len - 1] == '"')
            part = str_sub(part, 1, part.len - 1);
        if (encoding_by_name(part, ret))
            return true;
    }
    return false;
}

/* A declaration that can be read at all is written in single bytes: one that says otherwise is wrong. */
static bool
declared_in(struct str xml, enum text_encoding *ret)
{
    struct xml_declaration d;

    return xml_read_declaration(xml, &d) && d.encoding.p && encoding_by_name(d.encoding, ret) &&
           (*ret < TEXT_UTF16 || *ret >= TEXT_LATIN1);
}

enum text_encoding
encoding_of_body(struct str bytes, struct str content_type, bool is_xml)
{
    static const enum text_encoding marked[] = {TEXT_UTF8, TEXT_UTF32, TEXT_UTF32_BE, TEXT_UTF16, TEXT_UTF16_BE};
    enum text_encoding e;

    for (size_t i = 0; i < COUNTOF(marked); i++)
        if (str_starts_with(bytes, encoding_mark(marked[i])))
            return marked[i];
    return charset_of(content_type, &e) || (is_xml && declared_in(bytes, &e)) ? e : TEXT_UTF8;
}

struct str
encoding_body_text(struct str bytes, struct str content_type, bool is_xml, struct buf *scratch)
{
    enum text_encoding e = encoding_of_body(bytes, content_type, is_xml);

    bytes = encoding_skip_mark(e, bytes);
    if ((e == TEXT_UTF8 || e == TEXT_ASCII) && utf8_is_valid(bytes))
        return bytes;
    if (!encoding_decode(e, bytes, scratch))
        return STR_NONE;
    return scratch->len ? buf_str(scratch) : STR("");
}

struct str
encoding_mark(enum text_encoding e)
{
    switch (e) {
    case TEXT_UTF8: return STR("\xef\xbb\xbf");
    case TEXT_UTF16: return STR("\xff\xfe");
    case TEXT_UTF16_BE: return STR("\xfe\xff");
    case TEXT_UTF32: return STR("\xff\xfe\0\0");
    case TEXT_UTF32_BE: return STR("\0\0\xfe\xff");
    case TEXT_ASCII:
    case TEXT_LATIN1:
    case TEXT_PAGES: break;
    }
    return STR("");
}

struct str
encoding_skip_mark(enum text_encoding e, struct str bytes)
{
    struct str mark = encoding_mark(e);

    return mark.len && str_starts_with(bytes, mark) ? str_skip(bytes, mark.len) : bytes;
}

/* --- to text ------------------------------------------------------------------------------------------------------------------ */

static bool
add_code_point(struct buf *to, uint32_t c)
{
    char *p = buf_reserve(to, 4);

    if (p)
        to->len += utf8_put(p, c);
    return p != NULL;
}

/* What n bytes from `at` are when they are no character: U+FFFD, or what the fallback says. False: it ends the decoding. */
static bool
bad_bytes(struct buf *to, struct text_fallback *f, uint32_t usual, struct str s, size_t at, size_t n)
{
    if (!f || (!f->is_strict && !f->has_replacement))
        return add_code_point(to, usual);
    if (f->is_strict) {
        f->has_failed = true;
        f->bad = str_sub(s, at, at + n);
        f->bad_at = at;
        return false;
    }
    return buf_add_str(to, f->replacement);
}

/* Bytes that one replacement stands for: the longest start of a sequence that could still have become one, and the second byte that
 * made it a surrogate, too large or too long. */
static size_t
bad_sequence_len(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    size_t left = s.len - at, want = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 1, n = 1;

    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 1;
    while (n < want && n < left) {
        if ((p[n] & 0xc0) != 0x80)
            break;
        if (n++ == 1 && (p[1] < (p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80) ||
                         p[1] > (p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf)))
            break;
    }
    return n;
}

static bool
decode_utf8(struct str s, struct text_fallback *f, struct buf *to)
{
    size_t plain = 0, at = 0;

    while (at < s.len) {
        size_t n = utf8_sequence_len(s, at);
        if (n) {
            at += n;
            continue;
        }
        buf_add_str(to, str_sub(s, plain, at));
        n = bad_sequence_len(s, at);
        if (!bad_bytes(to, f, REPLACEMENT, s, at, n))
            return false;
        plain = at += n;
    }
    return buf_add_str(to, str_skip(s, plain));
}

static bool
decode_utf16(struct str s, bool big, struct text_fallback *f, struct buf *to)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t at = 0; at + 2 <= s.len; at += 2) {
        uint32_t unit = p[at + !big] << 8 | p[at + big], low;
        if (unit >= 0xd800 && unit < 0xdc00 && at + 4 <= s.len &&
            ((low = p[at + 2 + !big] << 8 | p[at + 2 + big]) & 0xfc00) == 0xdc00) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        } else if (unit >= 0xd800 && unit < 0xe000) {
            if (!bad_bytes(to, f, REPLACEMENT, s, at, 2))
                return false;
            continue;
        }
        add_code_point(to, unit);
    }
    if (s.len % 2 && !bad_bytes(to, f, REPLACEMENT, s, s.len - 1, 1))
        return false;
    return !to->failed;
}

static bool
decode_utf32(struct str s, bool big, struct text_fallback *f, struct buf *to)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t at = 0; at + 4 <= s.len; at += 4) {
        uint32_t c = 0;
        for (size_t i = 0; i < 4; i++)
            c |= (uint32_t)p[at + (big ? 3 - i : i)] << (8 * i);
        if (c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000))
            add_code_point(to, c);
        else if (!bad_bytes(to, f, REPLACEMENT, s, at, 4))
            return false;
    }
    if (s.len % 4 && !bad_bytes(to, f, REPLACEMENT, s, s.len - s.len % 4, s.len % 4))
        return false;
    return !to->failed;
}

static bool
decode_bytes(enum text_encoding e, struct str s, struct text_fallback *f, struct buf *to)
{
    for (size_t i = 0; i < s.len && !to->failed; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80) {
            buf_add_char(to, (char)c);
        } else if (e == TEXT_LATIN1) {
            add_code_point(to, c);
        } else if (e == TEXT_ASCII || pages[e - TEXT_PAGES].high[c - 0x80] == REPLACEMENT) {
            if (!bad_bytes(to, f, e == TEXT_ASCII ? '?' : REPLACEMENT, s, i, 1))
                return false;
        } else {
            add_code_point(to, pages[e - TEXT_PAGES].high[c - 0x80]);
        }
    }
    return !to->failed;
}

bool
encoding_decode_with(enum text_encoding e, struct str bytes, struct text_fallback *f, struct buf *to)
{
    switch (e) {
    case TEXT_UTF8: return decode_utf8(bytes, f, to);
    case TEXT_UTF16: return decode_utf16(bytes, false, f, to);
    case TEXT_UTF16_BE: return decode_utf16(bytes, true, f, to);
    case TEXT_UTF32: return decode_utf32(bytes, false, f, to);
    case TEXT_UTF32_BE: return decode_utf32(bytes, true, f, to);
    case TEXT_ASCII:
    case TEXT_LATIN1:
    case TEXT_PAGES: break;
    }
    return decode_bytes(e, bytes, f, to);
}

bool
encoding_decode(enum text_encoding e, struct str bytes, struct buf *to)
{
    return encoding_decode_with(e, bytes, NULL, to);
}

/* --- to bytes ------------------------------------------------------------------------------------------------------------------ */

static void
add_unit(struct buf *to, uint32_t unit, bool big)
{
    char pair[2] = {(char)(big ? unit >> 8 : unit), (char)(big ? unit : unit >> 8)};

    buf_add(to, pair, 2);
}

/* The byte of a code point beyond ASCII; -1: none. */
static int
page_byte(enum text_encoding e, uint32_t c)
{
    if (e == TEXT_ASCII)
        return -1;
    if (e == TEXT_LATIN1)
        return c < 0x100 ? (int)c : -1;
    for (int i = 0; i < 128; i++)
        if (pages[e - TEXT_PAGES].high[i] == c && c != REPLACEMENT)
            return 0x80 + i;
    return -1;
}

static void
add_encoded(struct buf *to, enum text_encoding e, uint32_t c)
{
    bool big = e == TEXT_UTF16_BE || e == TEXT_UTF32_BE;

    switch (e) {
    case TEXT_UTF8: add_code_point(to, c); return;
    case TEXT_UTF16:
    case TEXT_UTF16_BE:
        if (c >= 0x10000) {
            add_unit(to, 0xd800 + ((c - 0x10000) >> 10), big);
            add_unit(to, 0xdc00 + ((c - 0x10000) & 0x3ff), big);
        } else {
            add_unit(to, c, big);
        }
        return;
    case TEXT_UTF32:
    case TEXT_UTF32_BE:
        add_unit(to, big ? c >> 16 : c & 0xffff, big);
        add_unit(to, big ? c & 0xffff : c >> 16, big);
        return;
    case TEXT_ASCII:
    case TEXT_LATIN1:
    case TEXT_PAGES: break;
    }
    buf_add_char(to, (char)(c < 0x80 ? (int)c : page_byte(e, c)));
}

/* A character that the encoding lacks: '?' for each of its units, U+FFFD in Unicode ones, or what the fallback says. */
static bool
add_unknown(struct buf *to, enum text_encoding e, struct text_fallback *f, uint32_t c, size_t at)
{
    bool is_unicode = e < TEXT_PAGES && e != TEXT_ASCII && e != TEXT_LATIN1;

    if (f && f->is_strict) {
        f->has_failed = true;
        f->bad_character = c;
        f->bad_at = at;
        return false;
    }
    if (f && f->has_replacement) {
        for (size_t i = 0; i < f->replacement.len;)
            add_encoded(to, e, utf8_next(f->replacement, &i));
    } else if (is_unicode) {
        add_encoded(to, e, REPLACEMENT);
    } else {
        buf_add(to, "??", c >= 0x10000 ? 2 : 1);
    }
    return !to->failed;
}

bool
encoding_encode_with(enum text_encoding e, struct str text, struct text_fallback *f, struct buf *to)
{
    size_t units = 0;

    if (e == TEXT_UTF8 && utf8_is_valid(text))
        return buf_add_str(to, text);
    for (size_t i = 0; i < text.len && !to->failed;) {
        uint32_t c = utf8_next(text, &i);
        bool is_lone = c >= 0xd800 && c < 0xe000, is_unicode = e < TEXT_PAGES && e != TEXT_ASCII && e != TEXT_LATIN1;

        if (is_lone || (c >= 0x80 && !is_unicode && page_byte(e, c) < 0)) {
            if (!add_unknown(to, e, f, c, units))
                return false;
        } else {
            add_encoded(to, e, c);
        }
        units += c >= 0x10000 ? 2 : 1;
    }
    return !to->failed;
}

bool
encoding_encode(enum text_encoding e, struct str text, struct buf *to)
{
    return encoding_encode_with(e, text, NULL, to);
}
