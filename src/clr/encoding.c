/* encoding.c: bytes to text and back, and System.Text.Encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/encoding.h"

#include "base/utf8.h"
#include "clr/families.h"
#include "clr/values.h"

#define REPLACEMENT 0xfffd

struct encoding_name {
    struct str name;
    enum text_encoding encoding;
    int code_page;                    /* 0: an alias */
    const char *title;
};

/* The first row of an encoding is its own name. */
static const struct encoding_name names[] = {
    {STR_INIT("utf-8"), TEXT_UTF8, 65001, "Unicode (UTF-8)"},
    {STR_INIT("us-ascii"), TEXT_ASCII, 20127, "US-ASCII"},
    {STR_INIT("utf-16"), TEXT_UTF16, 1200, "Unicode"},
    {STR_INIT("utf-16BE"), TEXT_UTF16_BE, 1201, "Unicode (Big-Endian)"},
    {STR_INIT("utf-32"), TEXT_UTF32, 12000, "Unicode (UTF-32)"},
    {STR_INIT("iso-8859-1"), TEXT_LATIN1, 28591, "Western European (ISO)"},
    {STR_INIT("windows-1252"), TEXT_WINDOWS_1252, 1252, "Western European (Windows)"},
    {STR_INIT("unicode-1-1-utf-8"), TEXT_UTF8, 0, NULL},
    {STR_INIT("utf8"), TEXT_UTF8, 0, NULL},
    {STR_INIT("unicode-2-0-utf-8"), TEXT_UTF8, 0, NULL},
    {STR_INIT("ascii"), TEXT_ASCII, 0, NULL},
    {STR_INIT("us"), TEXT_ASCII, 0, NULL},
    {STR_INIT("iso646-us"), TEXT_ASCII, 0, NULL},
    {STR_INIT("unicode"), TEXT_UTF16, 0, NULL},
    {STR_INIT("utf-16LE"), TEXT_UTF16, 0, NULL},
    {STR_INIT("ucs-2"), TEXT_UTF16, 0, NULL},
    {STR_INIT("iso-10646-ucs-2"), TEXT_UTF16, 0, NULL},
    {STR_INIT("unicodeFFFE"), TEXT_UTF16_BE, 0, NULL},
    {STR_INIT("utf-32LE"), TEXT_UTF32, 0, NULL},
    {STR_INIT("latin1"), TEXT_LATIN1, 0, NULL},
    {STR_INIT("iso8859-1"), TEXT_LATIN1, 0, NULL},
    {STR_INIT("iso_8859-1"), TEXT_LATIN1, 0, NULL},
    {STR_INIT("l1"), TEXT_LATIN1, 0, NULL},
    {STR_INIT("x-ansi"), TEXT_WINDOWS_1252, 0, NULL},
};

/* 0x80 - 0x9f of Windows-1252; 0: as Latin-1. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0,
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178,
};

bool
encoding_by_name(struct str name, enum text_encoding *ret)
{
    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(names[i].name, name)) {
            *ret = names[i].encoding;
            return true;
        }
    return false;
}

bool
encoding_by_code_page(int64_t code_page, enum text_encoding *ret)
{
    for (size_t i = 0; i < COUNTOF(names); i++)
        if (names[i].code_page && names[i].code_page == (code_page ? code_page : 65001)) {
            *ret = names[i].encoding;
            return true;
        }
    return false;
}

enum text_encoding
encoding_of_content_type(struct str content_type)
{
    struct str rest = content_type, part;
    enum text_encoding e;

    while (str_split_next(&rest, ';', &part)) {
        part = str_trim(part);
        if (!str_starts_with_nocase(part, STR("charset=")))
            continue;
        part = str_trim(str_skip(part, sizeof("charset=") - 1));
        if (part.len >= 2 && part.p[0] == '"' && part.p[part.len - 1] == '"')
            part = str_sub(part, 1, part.len - 1);
        if (encoding_by_name(part, &e))
            return e;
    }
    return TEXT_UTF8;
}

struct str
encoding_skip_mark(enum text_encoding e, struct str bytes)
{
    struct str mark = STR("");

    switch (e) {
    case TEXT_UTF8: mark = STR("\xef\xbb\xbf"); break;
    case TEXT_UTF16: mark = STR("\xff\xfe"); break;
    case TEXT_UTF16_BE: mark = STR("\xfe\xff"); break;
    case TEXT_UTF32: mark = STR("\xff\xfe\0\0"); break;
    case TEXT_ASCII:
    case TEXT_LATIN1:
    case TEXT_WINDOWS_1252: break;
    }
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

/* Bytes that one U+FFFD stands for: the longest start of a sequence that could still have become one. */
static size_t
bad_sequence_len(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    size_t left = s.len - at, want = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 1, n = 1;

    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 1;
    while (n < want && n < left) {
        unsigned char low = 0x80, high = 0xbf;
        if (n == 1) {
            low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
            high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
        }
        if (p[n] < low || p[n] > high)
            break;
        n++;
    }
    return n;
}

static bool
decode_utf8(struct str s, struct buf *to)
{
    size_t plain = 0, at = 0;

    while (at < s.len) {
        size_t n = utf8_sequence_len(s, at);
        if (n) {
            at += n;
            continue;
        }
        buf_add_str(to, str_sub(s, plain, at));
        add_code_point(to, REPLACEMENT);
        plain = at += bad_sequence_len(s, at);
    }
    return buf_add_str(to, str_skip(s, plain));
}

static bool
decode_utf16(struct str s, bool big, struct buf *to)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t at = 0; at + 2 <= s.len; at += 2) {
        uint32_t unit = p[at + !big] << 8 | p[at + big], low;
        if (unit >= 0xd800 && unit < 0xdc00 && at + 4 <= s.len &&
            ((low = p[at + 2 + !big] << 8 | p[at + 2 + big]) & 0xfc00) == 0xdc00) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        } else if (unit >= 0xd800 && unit < 0xe000) {
            unit = REPLACEMENT;
        }
        add_code_point(to, unit);
    }
    if (s.len % 2)
        add_code_point(to, REPLACEMENT);
    return !to->failed;
}

static bool
decode_utf32(struct str s, struct buf *to)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t at = 0; at + 4 <= s.len; at += 4) {
        uint32_t c = (uint32_t)p[at] | (uint32_t)p[at + 1] << 8 | (uint32_t)p[at + 2] << 16 | (uint32_t)p[at + 3] << 24;
        add_code_point(to, c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? REPLACEMENT : c);
    }
    if (s.len % 4)
        add_code_point(to, REPLACEMENT);
    return !to->failed;
}

static bool
decode_bytes(enum text_encoding e, struct str s, struct buf *to)
{
    for (size_t i = 0; i < s.len && !to->failed; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80)
            buf_add_char(to, (char)c);
        else if (e == TEXT_ASCII)
            buf_add_char(to, '?');
        else if (e == TEXT_WINDOWS_1252 && c < 0xa0 && windows_1252[c - 0x80])
            add_code_point(to, windows_1252[c - 0x80]);
        else
            add_code_point(to, c);
    }
    return !to->failed;
}

bool
encoding_decode(enum text_encoding e, struct str bytes, struct buf *to)
{
    switch (e) {
    case TEXT_UTF8: return decode_utf8(bytes, to);
    case TEXT_UTF16: return decode_utf16(bytes, false, to);
    case TEXT_UTF16_BE: return decode_utf16(bytes, true, to);
    case TEXT_UTF32: return decode_utf32(bytes, to);
    case TEXT_ASCII:
    case TEXT_LATIN1:
    case TEXT_WINDOWS_1252: return decode_bytes(e, bytes, to);
    }
    UNREACHABLE();
}

/* --- to bytes ------------------------------------------------------------------------------------------------------------------ */

static void
add_unit(struct buf *to, uint32_t unit, bool big)
{
    char pair[2] = {(char)(big ? unit >> 8 : unit), (char)(big ? unit : unit >> 8)};

    buf_add(to, pair, 2);
}

/* One byte of a code point; every UTF-16 unit that has none is a '?'. */
static void
add_byte(struct buf *to, enum text_encoding e, uint32_t c)
{
    if (c < 0x80 || (c < 0x100 && e != TEXT_ASCII && (e == TEXT_LATIN1 || c >= 0xa0))) {
        buf_add_char(to, (char)c);
        return;
    }
    for (unsigned i = 0; e == TEXT_WINDOWS_1252 && i < 32; i++)
        if (windows_1252[i] == c) {
            buf_add_char(to, (char)(0x80 + i));
            return;
        }
    buf_add(to, "??", c >= 0x10000 ? 2 : 1);
}

bool
encoding_encode(enum text_encoding e, struct str text, struct buf *to)
{
    if (e == TEXT_UTF8 && utf8_is_valid(text))
        return buf_add_str(to, text);
    for (size_t i = 0; i < text.len && !to->failed;) {
        uint32_t c = utf8_next(text, &i);
        bool is_lone = c >= 0xd800 && c < 0xe000;

        if (is_lone && e != TEXT_ASCII && e != TEXT_LATIN1 && e != TEXT_WINDOWS_1252)
            c = REPLACEMENT;
        switch (e) {
        case TEXT_UTF8: add_code_point(to, c); break;
        case TEXT_UTF16:
        case TEXT_UTF16_BE:
            if (c >= 0x10000) {
                add_unit(to, 0xd800 + ((c - 0x10000) >> 10), e == TEXT_UTF16_BE);
                add_unit(to, 0xdc00 + ((c - 0x10000) & 0x3ff), e == TEXT_UTF16_BE);
            } else {
                add_unit(to, c, e == TEXT_UTF16_BE);
            }
            break;
        case TEXT_UTF32:
            add_unit(to, c & 0xffff, false);
            add_unit(to, c >> 16, false);
            break;
        case TEXT_ASCII:
        case TEXT_LATIN1:
        case TEXT_WINDOWS_1252: add_byte(to, e, c); break;
        }
    }
    return !to->failed;
}

/* --- System.Text.Encoding -------------------------------------------------------------------------------------------------------- */

struct encoding {
    struct object head;
    enum text_encoding kind;
};

static enum text_encoding
kind_of(const struct call *c)
{
    return ((const struct encoding *)c->args[0].ref)->kind;
}

static bool
make(struct call *c, enum text_encoding kind)
{
    struct encoding *e = object_new(c, c->ret_type, struct encoding);

    if (e)
        e->kind = kind;
    return return_new(c, e);
}

static bool utf8(struct call *c) { return make(c, TEXT_UTF8); }
static bool ascii(struct call *c) { return make(c, TEXT_ASCII); }
static bool unicode(struct call *c) { return make(c, TEXT_UTF16); }
static bool big_endian(struct call *c) { return make(c, TEXT_UTF16_BE); }
static bool utf32(struct call *c) { return make(c, TEXT_UTF32); }
static bool latin1(struct call *c) { return make(c, TEXT_LATIN1); }

static bool
by_name(struct call *c)
{
    enum text_encoding kind;

    if (!call_string(c, 0))
        return throw_argument_null(c, "name");
    if (!encoding_by_name(call_str(c, 0), &kind))
        return throw_argument(c, "name", "'%.*s' is not a supported encoding name.", STR_ARG(call_str(c, 0)));
    return make(c, kind);
}

static bool
by_code_page(struct call *c)
{
    enum text_encoding kind;

    if (!encoding_by_code_page(c->args[0].i64, &kind))
        return call_throw(c, EXC_NOT_SUPPORTED, "No data is available for encoding %" PRId64 ".", c->args[0].i64);
    return make(c, kind);
}

static bool
return_buf_bytes(struct call *c, struct buf *b)
{
    if (b->failed || b->len > UINT32_MAX)
        return call_exceed(c, BUDGET_BYTES);
    return return_new(c, array_of_bytes(c, b->p, (uint32_t)b->len));
}

static bool
encode(struct call *c, struct str text)
{
    struct buf b = call_buf(c);

    if (!call_charge(c, text.len / 64))
        return false;
    if (kind_of(c) == TEXT_UTF8 && utf8_is_valid(text)) /* one copy, not two */
        return return_new(c, array_of_bytes(c, text.p, (uint32_t)text.len));
    encoding_encode(kind_of(c), text, &b);
    return return_buf_bytes(c, &b);
}

static bool
get_bytes(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "s");
    return encode(c, call_str(c, 1));
}

/* Units [at, at + n) of a char[] as a string; NULL after throwing. */
static struct string *
chars_text(struct call *c, const struct array *chars, int64_t at, int64_t n)
{
    uint16_t *units;

    if (!chars) {
        throw_argument_null(c, "chars");
        return NULL;
    }
    if (at < 0 || n < 0 || at > chars->n - n) {
        throw_argument_range(c, "chars", "Index and count must refer to a location within the buffer.");
        return NULL;
    }
    if (!(units = call_alloc(c, (size_t)n * 2 + 2)))
        return NULL;
    for (int64_t i = 0; i < n; i++)
        units[i] = (uint16_t)chars->u.v[at + i].i64;
    return string_from_units(c, units, (uint32_t)n);
}

static bool
get_bytes_of_chars(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[1].ref;
    struct string *s = chars_text(c, chars, c->n_args > 2 ? call_i32(c, 2) : 0, c->n_args > 3 ? (int64_t)call_i32(c, 3) : chars ? (int64_t)chars->n : 0);

    return s && encode(c, string_str(s));
}

static bool
decode(struct call *c, int64_t at, int64_t n, struct string **ret)
{
    const struct array *bytes = (const struct array *)c->args[1].ref;
    struct buf b = call_buf(c);
    struct str part;

    if (at < 0 || n < 0 || at > bytes->n - n)
        return throw_argument_range(c, "bytes", "Index and count must refer to a location within the buffer.");
    part = str_from((const char *)bytes->u.bytes + at, (size_t)n);
    if (!call_charge(c, (uint64_t)n / 64))
        return false;
    if (kind_of(c) == TEXT_UTF8 && utf8_is_valid(part)) {
        *ret = string_new(c, part);
    } else {
        encoding_decode(kind_of(c), part, &b);
        *ret = string_from_buf(c, &b);
    }
    return *ret != NULL;
}

/* byte[] at args[1], perhaps a part of it. False after throwing. */
static bool
decode_arguments(struct call *c, struct string **ret)
{
    const struct array *bytes = (const struct array *)c->args[1].ref;

    if (!bytes)
        return throw_argument_null(c, "bytes");
    return decode(c, c->n_args > 2 ? call_i32(c, 2) : 0, c->n_args > 3 ? (int64_t)call_i32(c, 3) : bytes->n, ret);
}

static bool
get_string(struct call *c)
{
    struct string *s;

    return decode_arguments(c, &s) && return_ref(c, s);
}

static bool
get_chars(struct call *c)
{
    struct string *s;
    struct array *chars;

    if (!decode_arguments(c, &s) || !(chars = array_new(c, core_types(c->run->env)->char_array, s->units)))
        return false;
    for (uint32_t i = 0; i < s->units; i++)
        chars->u.v[i] = value_i64(string_unit(c, s, i));
    return return_ref(c, chars);
}

static bool
get_char_count(struct call *c)
{
    struct string *s;

    return decode_arguments(c, &s) && return_i64(c, s->units);
}

static bool
get_byte_count(struct call *c)
{
    return get_bytes(c) && return_i64(c, ((struct array *)c->ret.ref)->n);
}

static bool
get_byte_count_of_chars(struct call *c)
{
    return get_bytes_of_chars(c) && return_i64(c, ((struct array *)c->ret.ref)->n);
}

static bool
get_preamble(struct call *c)
{
    static const struct str marks[] = {
        [TEXT_UTF8] = STR_INIT("\xef\xbb\xbf"), [TEXT_UTF16] = STR_INIT("\xff\xfe"), [TEXT_UTF16_BE] = STR_INIT("\xfe\xff"),
        [TEXT_UTF32] = STR_INIT("\xff\xfe\0\0"), [TEXT_WINDOWS_1252] = {NULL, 0},
    };
    struct str mark = marks[kind_of(c)];

    return return_new(c, array_of_bytes(c, mark.p, (uint32_t)mark.len));
}

static const struct encoding_name *
row_of(const struct call *c)
{
    return &names[kind_of(c)];
}

static bool web_name(struct call *c) { return return_new(c, string_view(c, row_of(c)->name)); }
static bool title(struct call *c) { return return_new(c, string_view(c, str_from_c(row_of(c)->title))); }
static bool code_page(struct call *c) { return return_i64(c, row_of(c)->code_page); }
static bool is_single_byte(struct call *c) { return return_bool(c, kind_of(c) == TEXT_ASCII || kind_of(c) >= TEXT_LATIN1); }

static bool
get_max_byte_count(struct call *c)
{
    int64_t n = call_i32(c, 1) + 1;
    enum text_encoding kind = kind_of(c);

    return return_i64(c, kind == TEXT_UTF8 ? n * 3 : kind == TEXT_UTF16 || kind == TEXT_UTF16_BE ? n * 2 : kind == TEXT_UTF32 ? n * 4 : n);
}

static bool
convert(struct call *c)
{
    const struct encoding *from = (const struct encoding *)c->args[0].ref, *to = (const struct encoding *)c->args[1].ref;
    const struct array *bytes = (const struct array *)c->args[2].ref;
    struct buf text = call_buf(c), out = call_buf(c);

    if (!from || !to || !bytes)
        return throw_argument_null(c, !from ? "srcEncoding" : !to ? "dstEncoding" : "bytes");
    encoding_decode(from->kind, str_from((const char *)bytes->u.bytes, bytes->n), &text);
    encoding_encode(to->kind, text.failed ? STR("") : str_from(text.p, text.len), &out);
    if (text.failed)
        return call_exceed(c, BUDGET_BYTES);
    return return_buf_bytes(c, &out);
}

#define E "Encoding"

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.Text.Encoding", NULL, NULL, NULL),
};

static const struct member_row members[] = {
    M(E, "static Encoding UTF8 { get; }", utf8),
    M(E, "static Encoding ASCII { get; }", ascii),
    M(E, "static Encoding Unicode { get; }", unicode),
    M(E, "static Encoding BigEndianUnicode { get; }", big_endian),
    M(E, "static Encoding UTF32 { get; }", utf32),
    M(E, "static Encoding Latin1 { get; }", latin1),
    M(E, "static Encoding Default { get; }", utf8),
    M_LATER(E, "static Encoding UTF7 { get; }"),
    M(E, "static Encoding GetEncoding(string name)", by_name),
    M(E, "static Encoding GetEncoding(int codepage)", by_code_page),
    M(E, "static byte[] Convert(Encoding srcEncoding, Encoding dstEncoding, byte[] bytes)", convert),
    M(E, "byte[] GetBytes(string s)", get_bytes),
    M(E, "byte[] GetBytes(char[] chars)", get_bytes_of_chars),
    M(E, "byte[] GetBytes(char[] chars, int index, int count)", get_bytes_of_chars),
    M(E, "string GetString(byte[] bytes)", get_string),
    M(E, "string GetString(byte[] bytes, int index, int count)", get_string),
    M(E, "char[] GetChars(byte[] bytes)", get_chars),
    M(E, "char[] GetChars(byte[] bytes, int index, int count)", get_chars),
    M(E, "int GetByteCount(string s)", get_byte_count),
    M(E, "int GetByteCount(char[] chars)", get_byte_count_of_chars),
    M(E, "int GetCharCount(byte[] bytes)", get_char_count),
    M(E, "int GetCharCount(byte[] bytes, int index, int count)", get_char_count),
    M(E, "int GetMaxByteCount(int charCount)", get_max_byte_count),
    M(E, "byte[] GetPreamble()", get_preamble),
    M(E, "string WebName { get; }", web_name),
    M(E, "string HeaderName { get; }", web_name),
    M(E, "string BodyName { get; }", web_name),
    M(E, "string EncodingName { get; }", title),
    M(E, "int CodePage { get; }", code_page),
    M(E, "bool IsSingleByte { get; }", is_single_byte),
};

const struct library clr_encoding = LIBRARY("encoding", types, members);
