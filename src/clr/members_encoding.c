/* members_encoding.c: System.Text.Encoding and the fallbacks it may have.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/values.h"

/* EncoderFallback or DecoderFallback. */
struct fallback {
    struct object head;
    struct text_fallback rule;
};

struct encoding {
    struct object head;
    enum text_encoding kind;
    const struct fallback *encoder, *decoder;     /* NULL: the usual replacement */
};

static const struct encoding *
self_of(const struct call *c)
{
    return (const struct encoding *)c->args[0].ref;
}

static enum text_encoding
kind_of(const struct call *c)
{
    return ((const struct encoding *)c->args[0].ref)->kind;
}

static struct encoding *
encoding_new(struct call *c, enum text_encoding kind)
{
    struct encoding *e = object_new(c, type_find(c->run->env, STR("System.Text.Encoding"), NULL, 0), struct encoding);

    if (e)
        e->kind = kind;
    return e;
}

struct object *
encoding_utf16(struct call *c)
{
    return (struct object *)encoding_new(c, TEXT_UTF16);
}

/* Perhaps with the fallbacks that two more arguments name. */
static bool
make(struct call *c, enum text_encoding kind)
{
    struct encoding *e = encoding_new(c, kind);

    if (e && c->n_args > 2) {
        if (!c->args[1].ref || !c->args[2].ref)
            return throw_argument_null(c, c->args[1].ref ? "decoderFallback" : "encoderFallback");
        e->encoder = (const struct fallback *)c->args[1].ref;
        e->decoder = (const struct fallback *)c->args[2].ref;
    }
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
        return throw_argument(c, "name", "'%.*s' is not a supported encoding name. For information on defining a custom encoding, see the "
                                         "documentation for the Encoding.RegisterProvider method.", STR_ARG(call_str(c, 0)));
    return make(c, kind);
}

static bool
by_code_page(struct call *c)
{
    enum text_encoding kind;

    if (c->args[0].i64 < 0 || c->args[0].i64 > 65535)
        return throw_argument_range(c, "codepage", "Valid values are between 0 and 65535, inclusive.");
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

/* The bytes of text. False after throwing. */
static bool
encode_text(struct call *c, const struct encoding *e, struct str text, struct buf *to)
{
    struct text_fallback f = e->encoder ? e->encoder->rule : (struct text_fallback){0};

    if (!call_charge(c, text.len / 64))
        return false;
    if (encoding_encode_with(e->kind, text, &f, to))
        return true;
    if (!f.has_failed)
        return call_exceed(c, BUDGET_BYTES);
    return call_throw(c, EXC_ENCODER_FALLBACK, "Unable to translate Unicode character \\\\u%04X at index %zu to specified code page.",
                      f.bad_character, f.bad_at);
}

static bool
encode(struct call *c, struct str text)
{
    struct buf b = call_buf(c);

    if (kind_of(c) == TEXT_UTF8 && utf8_is_valid(text)) /* one copy, not two */
        return call_charge(c, text.len / 64) && return_new(c, array_of_bytes(c, text.p, (uint32_t)text.len));
    return encode_text(c, self_of(c), text, &b) && return_buf_bytes(c, &b);
}

static bool
get_bytes(struct call *c)
{
    if (!call_string(c, 1))
        return call_throw(c, EXC_ARGUMENT_NULL, "String reference not set to an instance of a String.\nParameter name: s");
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
decode_bytes(struct call *c, const struct encoding *e, struct str bytes, struct buf *to)
{
    struct text_fallback f = e->decoder ? e->decoder->rule : (struct text_fallback){0};
    struct buf shown = call_buf(c);

    if (!call_charge(c, bytes.len / 64))
        return false;
    if (encoding_decode_with(e->kind, bytes, &f, to))
        return true;
    if (!f.has_failed)
        return call_exceed(c, BUDGET_BYTES);
    for (size_t i = 0; i < f.bad.len; i++)
        buf_printf(&shown, "[%02X]", (unsigned char)f.bad.p[i]);
    return call_throw(c, EXC_DECODER_FALLBACK, "Unable to translate bytes %.*s at index %zu from specified code page to Unicode.",
                      STR_ARG(buf_str(&shown)), f.bad_at);
}

static bool
decode(struct call *c, int64_t at, int64_t n, struct string **ret)
{
    const struct array *bytes = (const struct array *)c->args[1].ref;
    struct buf b = call_buf(c);
    struct str part;

    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
    if (at > bytes->n - n)
        return throw_argument_range(c, "bytes", "Index and count must refer to a location within the buffer.");
    part = str_from((const char *)bytes->u.bytes + at, (size_t)n);
    if (kind_of(c) == TEXT_UTF8 && utf8_is_valid(part)) {
        if (!call_charge(c, (uint64_t)n / 64))
            return false;
        *ret = string_new(c, part);
    } else {
        if (!decode_bytes(c, self_of(c), part, &b))
            return false;
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
        return call_throw(c, EXC_ARGUMENT_NULL, "Array cannot be null.\nParameter name: bytes");
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
    struct str mark = encoding_mark(kind_of(c));

    return return_new(c, array_of_bytes(c, mark.p, (uint32_t)mark.len));
}

static const struct encoding_info *
info_of(const struct call *c)
{
    return encoding_info(kind_of(c));
}

static bool web_name(struct call *c) { return return_new(c, string_view(c, info_of(c)->name)); }
static bool title(struct call *c) { return return_new(c, string_view(c, str_from_c(info_of(c)->title))); }
static bool code_page(struct call *c) { return return_i64(c, info_of(c)->code_page); }
static bool is_single_byte(struct call *c) { return return_bool(c, kind_of(c) == TEXT_ASCII || kind_of(c) >= TEXT_LATIN1); }
static bool is_normalized(struct call *c) { return return_bool(c, false); }

/* The pages of Windows that mail and browsers know. */
static bool
is_for_display(struct call *c)
{
    return return_bool(c, kind_of(c) == TEXT_UTF8 || kind_of(c) >= TEXT_LATIN1);
}

static bool
is_for_mail(struct call *c)
{
    return return_bool(c, kind_of(c) == TEXT_UTF8 || kind_of(c) == TEXT_ASCII || kind_of(c) >= TEXT_LATIN1);
}

static bool
windows_code_page(struct call *c)
{
    int n = info_of(c)->code_page;

    return return_i64(c, n >= 1250 && n <= 1258 ? n : kind_of(c) < TEXT_LATIN1 && kind_of(c) != TEXT_ASCII ? 1200 : 1252);
}

static bool
get_max_byte_count(struct call *c)
{
    int64_t n = (int64_t)call_i32(c, 1) + 1;
    enum text_encoding kind = kind_of(c);

    if (n < 1)
        return throw_argument_range(c, "charCount", "Non-negative number required.");
    n *= kind == TEXT_UTF8                                     ? 3
         : kind == TEXT_UTF16 || kind == TEXT_UTF16_BE         ? 2
         : kind == TEXT_UTF32 || kind == TEXT_UTF32_BE         ? 4
                                                               : 1;
    if (n > INT32_MAX)
        return throw_argument_range(c, "charCount", "Too many characters. The resulting number of bytes is larger than what can be returned "
                                                    "as an int.");
    return return_i64(c, n);
}

static bool
get_max_char_count(struct call *c)
{
    int64_t n = call_i32(c, 1);
    enum text_encoding kind = kind_of(c);

    if (n < 0)
        return throw_argument_range(c, "byteCount", "Non-negative number required.");
    n = kind == TEXT_UTF8                               ? n + 1
        : kind == TEXT_UTF16 || kind == TEXT_UTF16_BE   ? (n >> 1) + (n & 1) + 1
        : kind == TEXT_UTF32 || kind == TEXT_UTF32_BE   ? n / 2 + 2
                                                        : n;
    return return_i64(c, n);
}

/* Convert(from, to, bytes [, index, count]) */
static bool
convert(struct call *c)
{
    const struct encoding *from = (const struct encoding *)c->args[0].ref, *to = (const struct encoding *)c->args[1].ref;
    const struct array *bytes = (const struct array *)c->args[2].ref;
    int64_t at = c->n_args > 3 ? call_i32(c, 3) : 0, n = c->n_args > 4 ? (int64_t)call_i32(c, 4) : bytes ? bytes->n : 0;
    struct buf text = call_buf(c), out = call_buf(c);

    if (!from || !to || !bytes)
        return throw_argument_null(c, !from ? "srcEncoding" : !to ? "dstEncoding" : "bytes");
    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
    if (at > bytes->n - n)
        return throw_argument_range(c, "bytes", "Index and count must refer to a location within the buffer.");
    return decode_bytes(c, from, str_from((const char *)bytes->u.bytes + at, (size_t)n), &text) &&
           encode_text(c, to, text.len ? str_from(text.p, text.len) : STR(""), &out) && return_buf_bytes(c, &out);
}

/* --- into arrays that are there ------------------------------------------------------------------------------------------ */

/* GetBytes(string or char[], from, count [, byte[] to, at]): the part of args[1] as a string. NULL after throwing. */
static struct string *
part_text(struct call *c, bool is_string)
{
    struct string *s = call_string(c, 1);
    int64_t at = call_i32(c, 2), n = call_i32(c, 3);

    if (!is_string)
        return chars_text(c, (const struct array *)c->args[1].ref, at, n);
    if (!s)
        throw_argument_null(c, "s");
    else if (at < 0 || n < 0)
        throw_argument_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
    else if (at > s->units - n)
        throw_argument_range(c, "s", "Index and count must refer to a location within the string.");
    else
        return string_slice(c, s, (uint32_t)at, (uint32_t)n);
    return NULL;
}

static bool
get_bytes_into(struct call *c, bool is_string)
{
    struct string *s = part_text(c, is_string);
    struct array *to = (struct array *)c->args[4].ref;
    int64_t at = call_i32(c, 5);
    struct buf b = call_buf(c);

    if (!s)
        return false;
    if (!to)
        return throw_argument_null(c, "bytes");
    if (at < 0 || at > to->n)
        return throw_argument_range(c, "byteIndex",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (!encode_text(c, self_of(c), string_str(s), &b))
        return false;
    if (b.len > (size_t)(to->n - at))
        return throw_argument(c, "bytes", "The output byte buffer is too small to contain the encoded data, encoding '%s' fallback "
                                          "'System.Text.EncoderReplacementFallback'.",
                              info_of(c)->title);
    if (b.len)
        memcpy(to->u.bytes + at, b.p, b.len);
    return return_i64(c, (int64_t)b.len);
}

static bool get_bytes_of_string_into(struct call *c) { return get_bytes_into(c, true); }
static bool get_bytes_of_chars_into(struct call *c) { return get_bytes_into(c, false); }

static bool
get_bytes_of_part(struct call *c)
{
    struct string *s = part_text(c, true);

    return s && encode(c, string_str(s));
}

static bool
get_byte_count_of_part(struct call *c)
{
    return get_bytes_of_part(c) && return_i64(c, ((struct array *)c->ret.ref)->n);
}

static bool
get_chars_into(struct call *c)
{
    struct array *to = (struct array *)c->args[4].ref;
    int64_t at = call_i32(c, 5);
    struct string *s;

    if (!c->args[1].ref || !to)
        return throw_argument_null(c, to ? "bytes" : "chars");
    if (!decode(c, call_i32(c, 2), call_i32(c, 3), &s))
        return false;
    if (at < 0 || at > to->n)
        return throw_argument_range(c, "charIndex",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (s->units > to->n - at)
        return throw_argument(c, "chars", "The output char buffer is too small to contain the decoded characters, encoding '%s' fallback "
                                          "'System.Text.DecoderReplacementFallback'.",
                              info_of(c)->title);
    for (uint32_t i = 0; i < s->units; i++)
        to->u.v[at + i] = value_i64(string_unit(c, s, i));
    return return_i64(c, s->units);
}

/* --- fallbacks, identity ----------------------------------------------------------------------------------------------------- */

static bool
new_fallback(struct call *c, const struct type *type, struct text_fallback rule)
{
    struct fallback *f = object_new(c, type, struct fallback);

    if (f)
        f->rule = rule;
    return return_new(c, f);
}

static bool replacement_fallback(struct call *c) { return new_fallback(c, c->ret_type, (struct text_fallback){0}); }
static bool exception_fallback(struct call *c) { return new_fallback(c, c->ret_type, (struct text_fallback){.is_strict = true}); }
static bool new_exception_fallback(struct call *c) { return new_fallback(c, c->owner, (struct text_fallback){.is_strict = true}); }

static bool
new_replacement_fallback(struct call *c)
{
    if (c->n_args == 0)
        return new_fallback(c, c->owner, (struct text_fallback){0});
    if (!call_string(c, 0))
        return throw_argument_null(c, "replacement");
    return new_fallback(c, c->owner, (struct text_fallback){.has_replacement = true, .replacement = call_str(c, 0)});
}

static bool
fallback_of(struct call *c, const struct fallback *f)
{
    return f ? return_ref(c, f) : new_fallback(c, c->ret_type, (struct text_fallback){0});
}

static bool encoder_fallback(struct call *c) { return fallback_of(c, self_of(c)->encoder); }
static bool decoder_fallback(struct call *c) { return fallback_of(c, self_of(c)->decoder); }

/* What Encoding.UTF8 and its like give is not to be changed; every encoding here is such a one. */
static bool
set_fallback(struct call *c)
{
    return call_throw(c, EXC_INVALID_OPERATION, "Instance is read-only.");
}

static bool is_read_only(struct call *c) { return return_bool(c, true); }

static bool
clone(struct call *c)
{
    struct encoding *e = encoding_new(c, kind_of(c));

    if (e) {
        e->encoder = self_of(c)->encoder;
        e->decoder = self_of(c)->decoder;
    }
    return return_new(c, e);
}

static bool
encoding_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    const struct encoding *x = (const struct encoding *)a.ref, *y = (const struct encoding *)b.ref;

    *ret = x == y || (x && y && x->head.type == y->head.type && x->kind == y->kind && x->encoder == y->encoder && x->decoder == y->decoder);
    return true;
}

static bool
encoding_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = encoding_info(((const struct encoding *)v.ref)->kind)->code_page;
    return true;
}

static const struct type_hooks encoding_hooks = {.equals = encoding_equals, .hash = encoding_hash};

#define E "Encoding"

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.Text.Encoding", NULL, NULL, &encoding_hooks),
    TYPE_LATER("System.Text.EncodingProvider"),
    CLASS_ABSTRACT("System.Text.EncoderFallback", NULL, NULL, NULL),
    CLASS("System.Text.EncoderExceptionFallback", "EncoderFallback", NULL, NULL),
    CLASS("System.Text.EncoderReplacementFallback", "EncoderFallback", NULL, NULL),
    CLASS_ABSTRACT("System.Text.DecoderFallback", NULL, NULL, NULL),
    CLASS("System.Text.DecoderExceptionFallback", "DecoderFallback", NULL, NULL),
    CLASS("System.Text.DecoderReplacementFallback", "DecoderFallback", NULL, NULL),
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
    M(E, "static Encoding GetEncoding(string name, EncoderFallback encoderFallback, DecoderFallback decoderFallback)", by_name),
    M(E, "static Encoding GetEncoding(int codepage, EncoderFallback encoderFallback, DecoderFallback decoderFallback)", by_code_page),
    M_LATER(E, "static object[] GetEncodings()"),
    M_LATER(E, "static void RegisterProvider(EncodingProvider provider)"),
    M_LATER(E, "object GetDecoder()"),
    M_LATER(E, "object GetEncoder()"),
    M(E, "static byte[] Convert(Encoding srcEncoding, Encoding dstEncoding, byte[] bytes, int index, int count)", convert),
    M(E, "byte[] GetBytes(string s, int index, int count)", get_bytes_of_part),
    M(E, "int GetBytes(string s, int charIndex, int charCount, byte[] bytes, int byteIndex)", get_bytes_of_string_into),
    M(E, "int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)", get_bytes_of_chars_into),
    M(E, "int GetByteCount(string s, int index, int count)", get_byte_count_of_part),
    M(E, "int GetByteCount(char[] chars, int index, int count)", get_byte_count_of_chars),
    M(E, "int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)", get_chars_into),
    M(E, "int GetMaxCharCount(int byteCount)", get_max_char_count),
    P(E, "EncoderFallback EncoderFallback { get; set; }", encoder_fallback, set_fallback),
    P(E, "DecoderFallback DecoderFallback { get; set; }", decoder_fallback, set_fallback),
    M(E, "object Clone()", clone),
    M(E, "bool IsReadOnly { get; }", is_read_only),
    M(E, "bool IsAlwaysNormalized()", is_normalized),
    M(E, "bool IsAlwaysNormalized(NormalizationForm form)", is_normalized),
    M(E, "bool IsBrowserDisplay { get; }", is_for_display),
    M(E, "bool IsBrowserSave { get; }", is_for_display),
    M(E, "bool IsMailNewsDisplay { get; }", is_for_mail),
    M(E, "bool IsMailNewsSave { get; }", is_for_mail),
    M(E, "int WindowsCodePage { get; }", windows_code_page),
    M("EncoderFallback", "static EncoderFallback ReplacementFallback { get; }", replacement_fallback),
    M("EncoderFallback", "static EncoderFallback ExceptionFallback { get; }", exception_fallback),
    M("EncoderExceptionFallback", "new()", new_exception_fallback),
    M("EncoderReplacementFallback", "new()", new_replacement_fallback),
    M("EncoderReplacementFallback", "new(string replacement)", new_replacement_fallback),
    M("DecoderFallback", "static DecoderFallback ReplacementFallback { get; }", replacement_fallback),
    M("DecoderFallback", "static DecoderFallback ExceptionFallback { get; }", exception_fallback),
    M("DecoderExceptionFallback", "new()", new_exception_fallback),
    M("DecoderReplacementFallback", "new()", new_replacement_fallback),
    M("DecoderReplacementFallback", "new(string replacement)", new_replacement_fallback),
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
