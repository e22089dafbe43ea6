/* string_builder.c: System.Text.StringBuilder, System.IO.StringReader and StringWriter.
 *
 * A builder is a buffer of WTF-8. Positions are UTF-16 units; while all of it is ASCII they are bytes, otherwise what works by
 * position goes through a string of the content.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/format.h"
#include "clr/text.h"

struct builder {
    struct object head;
    struct buf text;
    bool is_ascii;
    int32_t capacity;
};

static struct builder *
self_of(const struct call *c)
{
    return (struct builder *)c->args[0].ref;
}

static struct str
text_of(const struct builder *b)
{
    return b->text.len ? str_from(b->text.p, b->text.len) : STR("");
}

/* The content as a string that later changes do not reach. */
static struct string *
content(struct call *c, const struct builder *b)
{
    return string_new(c, text_of(b));
}

static bool
add(struct call *c, struct builder *b, struct str s)
{
    b->is_ascii = b->is_ascii && utf8_is_ascii(s);
    if (b->text.arena && b->text.len + s.len > (size_t)INT32_MAX)
        return call_throw(c, EXC_OUT_OF_MEMORY, "Insufficient memory to continue the execution of the program.");
    if (!call_charge(c, s.len / 64 + 1))
        return false;
    return buf_add_str(&b->text, s) || call_exceed(c, BUDGET_BYTES);
}

static bool
builder_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = content(c, (struct builder *)v.ref);
    return *ret != NULL;
}

static const struct type_hooks builder_hooks = {.to_string = builder_to_string};

static struct builder *
builder_new(struct call *c, const struct type *type, struct str initial)
{
    struct builder *b = object_new(c, type, struct builder);

    if (!b)
        return NULL;
    b->text = call_buf(c);
    b->is_ascii = true;
    b->capacity = 16;
    return add(c, b, initial) ? b : NULL;
}

static bool create(struct call *c) { return return_new(c, builder_new(c, c->owner, STR(""))); }
static bool create_with_text(struct call *c) { return return_new(c, builder_new(c, c->owner, call_str(c, 0))); }

static bool
create_with_capacity(struct call *c)
{
    if (call_i32(c, 0) < 0)
        return throw_argument_range(c, "capacity", "'capacity' must be greater than zero.");
    return create(c);
}

static bool
create_part(struct call *c)
{
    struct string *s = call_string(c, 0), *part;
    int64_t at = call_i32(c, 1), n = call_i32(c, 2);

    if (!s)
        return create(c);
    if (at < 0 || n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "length", "Index and length must refer to a location within the string.");
    return (part = string_slice(c, s, (uint32_t)at, (uint32_t)n)) && return_new(c, builder_new(c, c->owner, string_str(part)));
}

/* --- appending ------------------------------------------------------------------------------------------------------------------- */

static bool
done(struct call *c, bool ok)
{
    c->ret = c->args[0];
    return ok;
}

static bool append_string(struct call *c) { return done(c, add(c, self_of(c), call_str(c, 1))); }

static bool
append_part(struct call *c)
{
    struct string *s = call_string(c, 1), *part;
    int64_t at = call_i32(c, 2), n = call_i32(c, 3);

    if (!s && at == 0 && n == 0)
        return done(c, true);
    if (!s)
        return throw_argument_null(c, "value");
    if (at < 0 || n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    return (part = string_slice(c, s, (uint32_t)at, (uint32_t)n)) && done(c, add(c, self_of(c), string_str(part)));
}

/* A unit whose other half may stand at the end already. */
static bool
add_unit(struct call *c, struct builder *b, uint32_t unit)
{
    char room[4];
    const unsigned char *end = (const unsigned char *)b->text.p + b->text.len;

    if (unit >= 0xdc00 && unit < 0xe000 && b->text.len >= 3 && end[-3] == 0xed && end[-2] >= 0xa0 && end[-2] < 0xb0) {
        uint32_t high = 0xd000u | (end[-2] & 0x3fu) << 6 | (end[-1] & 0x3fu);
        b->text.len -= 3;
        unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
    }
    return add(c, b, str_from(room, utf8_put(room, unit)));
}

static bool append_char(struct call *c) { return done(c, add_unit(c, self_of(c), (uint32_t)c->args[1].i64)); }

static bool
append_repeated(struct call *c)
{
    int32_t n = call_i32(c, 2);

    if (n < 0)
        return throw_argument_range(c, "repeatCount", "'repeatCount' must be non-negative.");
    for (int32_t i = 0; i < n; i++)
        if (!add_unit(c, self_of(c), (uint32_t)c->args[1].i64))
            return false;
    return done(c, true);
}

static bool
append_chars(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[1].ref;
    int64_t at = c->n_args > 2 ? call_i32(c, 2) : 0, n = c->n_args > 3 ? (int64_t)call_i32(c, 3) : chars ? chars->n : 0;

    if (chars && (at < 0 || n < 0 || at > chars->n - n))
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    for (int64_t i = 0; chars && i < n; i++)
        if (!add_unit(c, self_of(c), (uint32_t)chars->u.v[at + i].i64))
            return false;
    return done(c, true);
}

static bool
append_value(struct call *c, const struct type *type)
{
    struct string *s;

    return value_to_string(c, type, c->args[1], STR_NONE, &s) && done(c, add(c, self_of(c), s ? string_str(s) : STR("")));
}

#define APPEND(name, field) \
    static bool append_##name(struct call *c) { return append_value(c, core_types(c->run->env)->field); }
APPEND(bool, bool_)
APPEND(long, long_)
APPEND(ulong, ulong_)
APPEND(float, float_)
APPEND(double, double_)
APPEND(decimal, decimal_)
APPEND(object, object)

static bool append_line(struct call *c)
{
    return (c->n_args < 2 || add(c, self_of(c), call_str(c, 1))) && done(c, add(c, self_of(c), STR("\n")));
}

static bool
append_format(struct call *c, struct object *const *args, uint32_t n)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 1))
        return throw_argument_null(c, "format");
    return format_composite(c, &b, call_str(c, 1), args, n) && done(c, add(c, self_of(c), b.len ? str_from(b.p, b.len) : STR("")));
}

static bool
append_format_few(struct call *c)
{
    struct object *args[3] = {NULL, NULL, NULL};

    for (uint32_t i = 2; i < c->n_args; i++)
        args[i - 2] = c->args[i].ref;
    return append_format(c, args, c->n_args - 2);
}

static bool
append_format_many(struct call *c)
{
    const struct array *args = (const struct array *)c->args[2].ref;
    struct object *const *objects;

    if (!args)
        return throw_argument_null(c, "args");
    return (objects = format_arguments(c, args)) && append_format(c, objects, args->n);
}

static bool
append_join(struct call *c)
{
    const struct array *values = (const struct array *)c->args[2].ref;

    if (!values)
        return throw_argument_null(c, "values");
    for (uint32_t i = 0; i < values->n; i++) {
        struct string *s;
        if (i && !add(c, self_of(c), call_str(c, 1)))
            return false;
        if (!value_to_string(c, values->head.type->args[0], array_get(values, i), STR_NONE, &s) ||
            !add(c, self_of(c), s ? string_str(s) : STR("")))
            return false;
    }
    return done(c, true);
}

/* --- by position ------------------------------------------------------------------------------------------------------------------ */

static bool
set_content(struct call *c, struct builder *b, struct str text)
{
    b->text.len = 0;
    b->is_ascii = true;
    return add(c, b, text);
}

/* Puts `by` in place of n units from `at`; the range is checked here. */
static bool
splice(struct call *c, int64_t at, int64_t n, struct str by)
{
    struct builder *b = self_of(c);
    struct string *s = content(c, b), *tail;

    if (!s)
        return false;
    if (at < 0 || at > s->units)
        return throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "length", "Index was out of range. Must be non-negative and less than the size of the collection.");
    struct string *head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)(at + n), s->units - (uint32_t)(at + n));
    return head && tail && set_content(c, b, string_str(head)) && add(c, b, by) && done(c, add(c, b, string_str(tail)));
}

static bool insert_string(struct call *c) { return splice(c, call_i32(c, 1), 0, call_str(c, 2)); }
static bool remove_part(struct call *c) { return splice(c, call_i32(c, 1), call_i32(c, 2), STR("")); }

static bool
insert_object(struct call *c)
{
    struct buf b = call_buf(c);

    return format_object(c, &b, c->args[2].ref, STR_NONE) && splice(c, call_i32(c, 1), 0, b.len ? str_from(b.p, b.len) : STR(""));
}

static bool
insert_char(struct call *c)
{
    char room[4];

    return splice(c, call_i32(c, 1), 0, str_from(room, utf8_put(room, (uint32_t)c->args[2].i64)));
}

static bool
replace_text(struct call *c, struct str old, struct str new)
{
    struct builder *b = self_of(c);
    struct string *s = content(c, b);
    size_t from = 0;
    ptrdiff_t at;

    if (!s || !set_content(c, b, STR("")))
        return false;
    while ((at = str_find(string_str(s), old, from)) >= 0) {
        if (!add(c, b, str_sub(string_str(s), from, (size_t)at)) || !add(c, b, new))
            return false;
        from = (size_t)at + old.len;
    }
    return done(c, add(c, b, str_skip(string_str(s), from)));
}

static bool
replace_string(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "oldValue");
    if (call_string(c, 1)->size == 0)
        return throw_argument(c, "oldValue", "Empty name is not legal.");
    return replace_text(c, call_str(c, 1), call_str(c, 2));
}

static bool
replace_char(struct call *c)
{
    char old[4], new[4];

    return replace_text(c, str_from(old, utf8_put(old, (uint32_t)c->args[1].i64)), str_from(new, utf8_put(new, (uint32_t)c->args[2].i64)));
}

static bool
clear(struct call *c)
{
    return done(c, set_content(c, self_of(c), STR("")));
}

static uint32_t
units_of(const struct builder *b)
{
    return b->is_ascii ? (uint32_t)b->text.len : (uint32_t)utf8_units(text_of(b));
}

static bool length(struct call *c) { return return_i64(c, units_of(self_of(c))); }

static bool
set_length(struct call *c)
{
    int64_t want = call_i32(c, 1), have = units_of(self_of(c));

    if (want < 0)
        return throw_argument_range(c, "value", "'value' must be non-negative.");
    if (want < have)
        return splice(c, want, have - want, STR(""));
    for (; have < want; have++)
        if (!add(c, self_of(c), str_from("\0", 1)))
            return false;
    return true;
}

static bool capacity(struct call *c) { return return_i64(c, MAX((int64_t)self_of(c)->capacity, (int64_t)units_of(self_of(c)))); }

static bool
set_capacity(struct call *c)
{
    self_of(c)->capacity = call_i32(c, 1);
    return true;
}

static bool
char_at(struct call *c)
{
    struct builder *b = self_of(c);
    int64_t i = call_i32(c, 1);
    struct string *s;

    if (i < 0 || i >= units_of(b))
        return call_throw(c, EXC_INDEX_OUT_OF_RANGE, "Index was outside the bounds of the array.");
    if (b->is_ascii)
        return return_i64(c, (unsigned char)b->text.p[i]);
    return (s = content(c, b)) && return_i64(c, string_unit(c, s, (uint32_t)i));
}

static bool
set_char_at(struct call *c)
{
    char room[4];
    int64_t i = call_i32(c, 1);

    if (i < 0 || i >= units_of(self_of(c)))
        return throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
    return splice(c, i, 1, str_from(room, utf8_put(room, (uint32_t)c->args[2].i64)));
}

static bool
to_string(struct call *c)
{
    struct string *s = content(c, self_of(c));
    int64_t at, n;

    if (!s || c->n_args < 3)
        return return_new(c, s);
    at = call_i32(c, 1);
    n = call_i32(c, 2);
    if (at < 0 || n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "startIndex", "Index and length must refer to a location within the string.");
    return return_new(c, string_slice(c, s, (uint32_t)at, (uint32_t)n));
}

static bool
equals(struct call *c)
{
    const struct builder *other = (const struct builder *)c->args[1].ref;

    return return_bool(c, other && str_eq(text_of(self_of(c)), text_of(other)));
}

/* --- StringReader ------------------------------------------------------------------------------------------------------------------ */

struct reader {
    struct object head;
    struct string *s;
    uint32_t at;                      /* bytes */
};

static struct reader *
reader_of(const struct call *c)
{
    return (struct reader *)c->args[0].ref;
}

static bool
reader_new(struct call *c)
{
    struct reader *r;

    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    if ((r = object_new(c, c->owner, struct reader)))
        r->s = call_string(c, 0);
    return return_new(c, r);
}

static bool
reader_dispose(struct call *c, struct object *self)
{
    return true;
}

static bool nothing(struct call *c) { return true; }

static const struct type_hooks reader_hooks = {.dispose = reader_dispose};

static bool
read_line(struct call *c)
{
    struct reader *r = reader_of(c);
    struct str rest = str_skip(string_str(r->s), r->at);
    size_t n = 0;

    if (rest.len == 0)
        return return_ref(c, NULL);
    while (n < rest.len && rest.p[n] != '\n' && rest.p[n] != '\r')
        n++;
    r->at += (uint32_t)n;
    if (n < rest.len)
        r->at += rest.p[n] == '\r' && n + 1 < rest.len && rest.p[n + 1] == '\n' ? 2 : 1;
    return return_new(c, string_view(c, str_sub(rest, 0, n)));
}

static bool
read_to_end(struct call *c)
{
    struct reader *r = reader_of(c);
    struct str rest = str_skip(string_str(r->s), r->at);

    r->at = r->s->size;
    return return_new(c, string_view(c, rest));
}

/* Characters beyond U+FFFF come as one replacement; readers of such text by unit are not worth a state. */
static bool
peek_unit(struct call *c, bool advance)
{
    struct reader *r = reader_of(c);
    size_t at = r->at;
    uint32_t code_point;

    if (at >= r->s->size)
        return return_i64(c, -1);
    code_point = utf8_next(string_str(r->s), &at);
    if (advance)
        r->at = (uint32_t)at;
    return return_i64(c, code_point > 0xffff ? 0xfffd : code_point);
}

static bool read_unit(struct call *c) { return peek_unit(c, true); }
static bool peek(struct call *c) { return peek_unit(c, false); }

/* --- StringWriter: a builder by another name ----------------------------------------------------------------------------------------- */

static const struct type_hooks writer_hooks = {.to_string = builder_to_string, .dispose = reader_dispose};

static bool write_string(struct call *c) { return add(c, self_of(c), call_str(c, 1)); }
static bool write_char(struct call *c) { return add_unit(c, self_of(c), (uint32_t)c->args[1].i64); }

static bool
write_object(struct call *c)
{
    struct buf b = call_buf(c);

    return format_object(c, &b, c->args[1].ref, STR_NONE) && add(c, self_of(c), b.len ? str_from(b.p, b.len) : STR(""));
}

static bool write_line(struct call *c) { return (c->n_args < 2 || write_string(c)) && add(c, self_of(c), STR("\n")); }
static bool write_line_object(struct call *c) { return write_object(c) && add(c, self_of(c), STR("\n")); }

static bool
write_format(struct call *c)
{
    return append_format_many(c);
}

static bool
new_line(struct call *c)
{
    return return_new(c, string_lit(c, "\n"));
}

#define S "StringBuilder"
#define APPEND_ROW(type, fn) M(S, "StringBuilder Append(" type " value)", fn)

static const struct type_row types[] = {
    CLASS("System.Text.StringBuilder", NULL, NULL, &builder_hooks),
    CLASS("System.IO.TextReader", NULL, "IDisposable", &reader_hooks),
    CLASS("System.IO.StringReader", "TextReader", NULL, NULL),
    CLASS("System.IO.TextWriter", NULL, "IDisposable", &writer_hooks),
    CLASS("System.IO.StringWriter", "TextWriter", NULL, NULL),
};

static const struct member_row members[] = {
    M(S, "new()", create),
    M(S, "new(int capacity)", create_with_capacity),
    M(S, "new(string value)", create_with_text),
    M(S, "new(string value, int capacity)", create_with_text),
    M(S, "new(string value, int startIndex, int length, int capacity)", create_part),
    APPEND_ROW("string", append_string),
    APPEND_ROW("char", append_char),
    APPEND_ROW("char[]", append_chars),
    APPEND_ROW("bool", append_bool),
    APPEND_ROW("sbyte", append_long),
    APPEND_ROW("byte", append_long),
    APPEND_ROW("short", append_long),
    APPEND_ROW("ushort", append_long),
    APPEND_ROW("int", append_long),
    APPEND_ROW("uint", append_long),
    APPEND_ROW("long", append_long),
    APPEND_ROW("ulong", append_ulong),
    APPEND_ROW("float", append_float),
    APPEND_ROW("double", append_double),
    APPEND_ROW("decimal", append_decimal),
    APPEND_ROW("object", append_object),
    M(S, "StringBuilder Append(char value, int repeatCount)", append_repeated),
    M(S, "StringBuilder Append(string value, int startIndex, int count)", append_part),
    M(S, "StringBuilder Append(char[] value, int startIndex, int charCount)", append_chars),
    M(S, "StringBuilder AppendLine()", append_line),
    M(S, "StringBuilder AppendLine(string value)", append_line),
    M(S, "StringBuilder AppendFormat(string format, object arg0)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, object arg0, object arg1)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, object arg0, object arg1, object arg2)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, params object[] args)", append_format_many),
    M(S, "StringBuilder AppendJoin(string separator, params object[] values)", append_join),
    M(S, "StringBuilder AppendJoin(string separator, params string[] values)", append_join),
    M(S, "StringBuilder Insert(int index, string value)", insert_string),
    M(S, "StringBuilder Insert(int index, char value)", insert_char),
    M(S, "StringBuilder Insert(int index, object value)", insert_object),
    M(S, "StringBuilder Remove(int startIndex, int length)", remove_part),
    M(S, "StringBuilder Replace(string oldValue, string newValue)", replace_string),
    M(S, "StringBuilder Replace(char oldChar, char newChar)", replace_char),
    M_LATER(S, "StringBuilder Replace(string oldValue, string newValue, int startIndex, int count)"),
    M(S, "StringBuilder Clear()", clear),
    P(S, "int Length { get; set; }", length, set_length),
    P(S, "int Capacity { get; set; }", capacity, set_capacity),
    P(S, "char this[int index] { get; set; }", char_at, set_char_at),
    M(S, "string ToString()", to_string),
    M(S, "string ToString(int startIndex, int length)", to_string),
    M(S, "bool Equals(StringBuilder sb)", equals),

    M("StringReader", "new(string s)", reader_new),
    M("TextReader", "string ReadLine()", read_line),
    M("TextReader", "string ReadToEnd()", read_to_end),
    M("TextReader", "int Read()", read_unit),
    M("TextReader", "int Peek()", peek),
    M("TextReader", "void Close()", nothing),
    M("TextReader", "void Dispose()", nothing),

    M("StringWriter", "new()", create),
    M("TextWriter", "void Write(string value)", write_string),
    M("TextWriter", "void Write(char value)", write_char),
    M("TextWriter", "void Write(object value)", write_object),
    M("TextWriter", "void Write(string format, params object[] arg)", write_format),
    M("TextWriter", "void WriteLine()", write_line),
    M("TextWriter", "void WriteLine(string value)", write_line),
    M("TextWriter", "void WriteLine(object value)", write_line_object),
    M("TextWriter", "string NewLine { get; }", new_line),
    M("TextWriter", "string ToString()", to_string),
    M("TextWriter", "void Flush()", nothing),
    M("TextWriter", "void Close()", nothing),
    M("TextWriter", "void Dispose()", nothing),
};

const struct library clr_string_builder = LIBRARY("StringBuilder", types, members);
