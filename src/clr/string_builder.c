/* string_builder.c: System.Text.StringBuilder.
 *
 * A builder is a buffer of WTF-8. Positions are UTF-16 units; while all of it is ASCII they are bytes, otherwise what works by
 * position goes through a string of the content.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/format.h"
#include "clr/string_builder.h"
#include "clr/text.h"

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

static uint32_t
units_of(const struct builder *b)
{
    return b->is_ascii ? (uint32_t)b->text.len : (uint32_t)utf8_units(text_of(b));
}

struct string *
builder_content(struct call *c, const struct builder *b)
{
    return string_new(c, text_of(b));
}

bool
builder_add(struct call *c, struct builder *b, struct str s)
{
    b->is_ascii = b->is_ascii && utf8_is_ascii(s);
    if (b->text.arena && b->text.len + s.len > (size_t)INT32_MAX)
        return call_throw(c, EXC_OUT_OF_MEMORY, "Insufficient memory to continue the execution of the program.");
    if (b->capacity_max && b->capacity_max < INT32_MAX && units_of(b) + utf8_units(s) > (size_t)b->capacity_max)
        return throw_argument_range(c, "valueCount", "The length cannot be greater than the capacity.");
    if (!call_charge(c, s.len / 64 + 1))
        return false;
    return buf_add_str(&b->text, s) || call_exceed_buf(c, &b->text);
}

static bool
builder_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = builder_content(c, (struct builder *)v.ref);
    return *ret != NULL;
}

static const struct type_hooks builder_hooks = {.to_string = builder_to_string};

struct builder *
builder_new(struct call *c, const struct type *type, struct str initial)
{
    struct builder *b = object_new(c, type, struct builder);

    if (!b)
        return NULL;
    b->text = call_buf(c);
    b->is_ascii = true;
    b->capacity = 16;
    b->capacity_max = INT32_MAX;
    return builder_add(c, b, initial) ? b : NULL;
}

static bool create(struct call *c) { return return_new(c, builder_new(c, c->owner, STR(""))); }
static bool create_with_text(struct call *c) { return return_new(c, builder_new(c, c->owner, call_str(c, 0))); }

/* (capacity) or (capacity, maxCapacity) */
static bool
create_with_capacity(struct call *c)
{
    int32_t n = call_i32(c, 0), max = c->n_args > 1 ? call_i32(c, 1) : INT32_MAX;
    struct builder *b;

    if (max < 1)
        return throw_argument_range(c, "maxCapacity", "MaxCapacity must be one or greater.");
    if (n < 0)
        return throw_argument_range(c, "capacity", "'capacity' must be greater than zero.");
    if (n > max)
        return throw_argument_range(c, "capacity", "Capacity exceeds maximum capacity.");
    if ((b = builder_new(c, c->owner, STR("")))) {
        b->capacity = n ? n : MIN(16, max);
        b->capacity_max = max;
    }
    return return_new(c, b);
}

static bool
create_part(struct call *c)
{
    struct string *s = call_string(c, 0), *part;
    int64_t at = call_i32(c, 1), n = call_i32(c, 2);

    if (at < 0 || n < 0 || at > (s ? (int64_t)s->units : 0) - n)
        return throw_argument_range(c, "length", "Index and length must refer to a location within the string.");
    if (!s)
        return create(c);
    return (part = string_slice(c, s, (uint32_t)at, (uint32_t)n)) && return_new(c, builder_new(c, c->owner, string_str(part)));
}

/* --- appending ------------------------------------------------------------------------------------------------------------------- */

static bool
done(struct call *c, bool ok)
{
    c->ret = c->args[0];
    return ok;
}

static bool append_string(struct call *c) { return done(c, builder_add(c, self_of(c), call_str(c, 1))); }

static bool
append_part(struct call *c)
{
    struct string *s = call_string(c, 1), *part;
    int64_t at = call_i32(c, 2), n = call_i32(c, 3);

    if (!s && at == 0 && n == 0)
        return done(c, true);
    if (!s)
        return throw_argument_null(c, "value");
    if (at < 0 || n < 0 || (n && at > (int64_t)s->units - n)) /* nothing may be taken from anywhere */
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    return (part = string_slice(c, s, n ? (uint32_t)at : 0, (uint32_t)n)) && done(c, builder_add(c, self_of(c), string_str(part)));
}

/* Its other half may stand at the end already. */
bool
builder_add_unit(struct call *c, struct builder *b, uint32_t unit)
{
    char room[4];
    const unsigned char *end = (const unsigned char *)b->text.p + b->text.len;

    if (unit >= 0xdc00 && unit < 0xe000 && b->text.len >= 3 && end[-3] == 0xed && end[-2] >= 0xa0 && end[-2] < 0xb0) {
        uint32_t high = 0xd000u | (end[-2] & 0x3fu) << 6 | (end[-1] & 0x3fu);
        b->text.len -= 3;
        unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
    }
    return builder_add(c, b, str_from(room, utf8_put(room, unit)));
}

static bool append_char(struct call *c) { return done(c, builder_add_unit(c, self_of(c), (uint32_t)c->args[1].i64)); }

static bool
append_repeated(struct call *c)
{
    int32_t n = call_i32(c, 2);

    if (n < 0)
        return throw_argument_range(c, "repeatCount", "'repeatCount' must be non-negative.");
    for (int32_t i = 0; i < n; i++)
        if (!builder_add_unit(c, self_of(c), (uint32_t)c->args[1].i64))
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
        if (!builder_add_unit(c, self_of(c), (uint32_t)chars->u.v[at + i].i64))
            return false;
    return done(c, true);
}

static bool
append_value(struct call *c, const struct type *type)
{
    struct string *s;

    return value_to_string(c, type, c->args[1], STR_NONE, &s) && done(c, builder_add(c, self_of(c), s ? string_str(s) : STR("")));
}

static bool
append_builder(struct call *c)
{
    struct string *s = c->args[1].ref ? builder_content(c, (const struct builder *)c->args[1].ref) : NULL;

    return (s || !c->args[1].ref) && done(c, !s || builder_add(c, self_of(c), string_str(s)));
}

static bool
append_builder_part(struct call *c)
{
    if (c->args[1].ref && !(c->args[1].ref = (struct object *)builder_content(c, (const struct builder *)c->args[1].ref)))
        return false;
    return append_part(c);
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
    return (c->n_args < 2 || builder_add(c, self_of(c), call_str(c, 1))) && done(c, builder_add(c, self_of(c), STR("\n")));
}

/* The format is argument `at`: a provider may stand before it. */
static bool
append_format(struct call *c, uint32_t at, struct object *const *args, uint32_t n)
{
    struct buf b = call_buf(c);

    if (!call_string(c, at))
        return throw_argument_null(c, "format");
    return format_composite(c, &b, call_str(c, at), args, n) && done(c, builder_add(c, self_of(c), b.len ? str_from(b.p, b.len) : STR("")));
}

static bool
append_format_few_at(struct call *c, uint32_t at)
{
    struct object *args[3] = {NULL, NULL, NULL};

    for (uint32_t i = at + 1; i < c->n_args; i++)
        args[i - at - 1] = c->args[i].ref;
    return append_format(c, at, args, c->n_args - at - 1);
}

static bool
append_format_many_at(struct call *c, uint32_t at)
{
    const struct array *args = (const struct array *)c->args[at + 1].ref;
    struct object *const *objects;

    if (!args)
        return throw_argument_null(c, "args");
    return (objects = format_arguments(c, args)) && append_format(c, at, objects, args->n);
}

static bool append_format_few(struct call *c) { return append_format_few_at(c, 1); }
static bool append_format_many(struct call *c) { return append_format_many_at(c, 1); }
static bool append_format_few_by(struct call *c) { return append_format_few_at(c, 2); }
static bool append_format_many_by(struct call *c) { return append_format_many_at(c, 2); }

static bool
append_join_with(struct call *c, struct str separator)
{
    const struct type *element;
    struct iterator it;
    struct value v;
    bool is_first = true;
    int got;

    if (!c->args[2].ref)
        return throw_argument_null(c, "values");
    element = type_element(c->args[2].ref->type);
    if (!iterate(c, c->args[2].ref, NULL, &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct string *s;
        if (!is_first && !builder_add(c, self_of(c), separator))
            return false;
        is_first = false;
        if (!value_to_string(c, element, v, STR_NONE, &s) || !builder_add(c, self_of(c), s ? string_str(s) : STR("")))
            return false;
    }
    return got == 0 && done(c, true);
}

static bool append_join(struct call *c) { return append_join_with(c, call_str(c, 1)); }

static bool
append_join_char(struct call *c)
{
    char room[4];

    return append_join_with(c, str_from(room, utf8_put(room, (uint32_t)c->args[1].i64)));
}

/* --- by position ------------------------------------------------------------------------------------------------------------------ */

static bool
set_content(struct call *c, struct builder *b, struct str text)
{
    b->text.len = 0;
    b->is_ascii = true;
    return builder_add(c, b, text);
}

/* Puts `by` in place of n units from `at`; the range is checked here. */
static bool
splice(struct call *c, int64_t at, int64_t n, struct str by)
{
    struct builder *b = self_of(c);
    struct string *s = builder_content(c, b), *tail;

    if (!s)
        return false;
    if (at < 0 || at > s->units)
        return throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "length", "Index was out of range. Must be non-negative and less than the size of the collection.");
    struct string *head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)(at + n), s->units - (uint32_t)(at + n));
    return head && tail && set_content(c, b, string_str(head)) && builder_add(c, b, by) && done(c, builder_add(c, b, string_str(tail)));
}

static bool insert_string(struct call *c) { return splice(c, call_i32(c, 1), 0, call_str(c, 2)); }
static bool remove_part(struct call *c) { return splice(c, call_i32(c, 1), call_i32(c, 2), STR("")); }

static bool
insert_value(struct call *c, const struct type *type)
{
    struct string *s;

    return value_to_string(c, type, c->args[2], STR_NONE, &s) && splice(c, call_i32(c, 1), 0, s ? string_str(s) : STR(""));
}

#define INSERT(name, field) \
    static bool insert_##name(struct call *c) { return insert_value(c, core_types(c->run->env)->field); }
INSERT(bool, bool_)
INSERT(long, long_)
INSERT(ulong, ulong_)
INSERT(float, float_)
INSERT(double, double_)
INSERT(decimal, decimal_)
INSERT(object, object)

static bool
insert_repeated(struct call *c)
{
    struct buf b = call_buf(c);
    int64_t n = call_i32(c, 3);

    if (n < 0)
        return throw_argument_range(c, "count", "Non-negative number required.");
    if (!call_charge(c, (uint64_t)n / 64))
        return false;
    for (int64_t i = 0; i < n && !b.failed; i++)
        buf_add_str(&b, call_str(c, 2));
    if (b.failed)
        return call_exceed_buf(c, &b);
    return splice(c, call_i32(c, 1), 0, b.len ? str_from(b.p, b.len) : STR(""));
}

static bool
insert_chars(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[2].ref;
    int64_t at = c->n_args > 3 ? call_i32(c, 3) : 0, n = c->n_args > 4 ? (int64_t)call_i32(c, 4) : chars ? chars->n : 0;
    struct builder piece = {.text = call_buf(c), .is_ascii = true};

    if (!chars && n)
        return throw_argument_null(c, "value");
    if (chars && (at < 0 || n < 0 || at > chars->n - n))
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    for (int64_t i = 0; i < n; i++)
        if (!builder_add_unit(c, &piece, (uint32_t)chars->u.v[at + i].i64))
            return false;
    return splice(c, call_i32(c, 1), 0, text_of(&piece));
}

static bool
insert_char(struct call *c)
{
    char room[4];

    return splice(c, call_i32(c, 1), 0, str_from(room, utf8_put(room, (uint32_t)c->args[2].i64)));
}

/* In the whole, or in [startIndex, startIndex + count), the last arguments. */
static bool
replace_text(struct call *c, struct str old, struct str new)
{
    struct builder *b = self_of(c);
    struct string *s = builder_content(c, b), *head, *middle, *tail;
    int64_t first = c->n_args > 3 ? call_i32(c, 3) : 0, n = c->n_args > 3 ? call_i32(c, 4) : (int64_t)units_of(b);
    size_t from = 0;
    ptrdiff_t at;

    if (!s)
        return false;
    if (first < 0 || first > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || first > (int64_t)s->units - n)
        return throw_argument_range(c, "count", "Index was out of range. Must be non-negative and less than the size of the collection.");
    head = string_slice(c, s, 0, (uint32_t)first);
    middle = string_slice(c, s, (uint32_t)first, (uint32_t)n);
    tail = string_slice(c, s, (uint32_t)(first + n), s->units - (uint32_t)(first + n));
    if (!head || !middle || !tail || !set_content(c, b, string_str(head)))
        return false;
    s = middle;
    while ((at = str_find(string_str(s), old, from)) >= 0) {
        if (!builder_add(c, b, str_sub(string_str(s), from, (size_t)at)) || !builder_add(c, b, new))
            return false;
        from = (size_t)at + old.len;
    }
    return builder_add(c, b, str_skip(string_str(s), from)) && done(c, builder_add(c, b, string_str(tail)));
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
        if (!builder_add(c, self_of(c), str_from("\0", 1)))
            return false;
    return true;
}

static bool capacity(struct call *c) { return return_i64(c, MAX((int64_t)self_of(c)->capacity, (int64_t)units_of(self_of(c)))); }

static bool max_capacity(struct call *c) { return return_i64(c, self_of(c)->capacity_max); }

static bool
set_capacity(struct call *c)
{
    int64_t n = call_i32(c, 1);

    if (n < 0)
        return throw_argument_range(c, "value", "Capacity must be positive.");
    if (n > self_of(c)->capacity_max)
        return throw_argument_range(c, "value", "Capacity exceeds maximum capacity.");
    if (n < units_of(self_of(c)))
        return throw_argument_range(c, "value", "capacity was less than the current size.");
    self_of(c)->capacity = (int32_t)n;
    return true;
}

static bool
ensure_capacity(struct call *c)
{
    int32_t n = call_i32(c, 1);

    if (n < 0)
        return throw_argument_range(c, "capacity", "Capacity must be positive.");
    self_of(c)->capacity = MAX(self_of(c)->capacity, n);
    return capacity(c);
}

static bool
copy_to(struct call *c)
{
    struct string *s = builder_content(c, self_of(c));
    struct array *to = (struct array *)c->args[2].ref;
    int64_t from = call_i32(c, 1), at = call_i32(c, 3), n = call_i32(c, 4);

    if (!s)
        return false;
    if (!to)
        return throw_argument_null(c, "destination");
    if (n < 0)
        return throw_argument_range(c, "count", "Argument count must not be negative.");
    if (at < 0)
        return throw_argument_range(c, "destinationIndex", "'destinationIndex' must be non-negative.");
    if (at > to->n - n)
        return throw_argument(c, NULL, "Either offset did not refer to a position in the string, or there is an insufficient length of "
                                       "destination character array.");
    if (from < 0 || from > s->units)
        return throw_argument_range(c, "sourceIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (from > s->units - n)
        return throw_argument(c, NULL, "Source string was not long enough. Check sourceIndex and count.");
    for (int64_t i = 0; i < n; i++)
        to->u.v[at + i] = value_i64(string_unit(c, s, (uint32_t)(from + i)));
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
    return (s = builder_content(c, b)) && return_i64(c, string_unit(c, s, (uint32_t)i));
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
    struct string *s = builder_content(c, self_of(c));
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

#define S "StringBuilder"
#define APPEND_ROW(type, fn) M(S, "StringBuilder Append(" type " value)", fn)

#define INSERT_ROW(type, fn) M(S, "StringBuilder Insert(int index, " type " value)", fn)

static const struct type_row types[] = {
    CLASS("System.Text.StringBuilder", NULL, NULL, &builder_hooks),
};

static const struct member_row members[] = {
    M(S, "new()", create),
    M(S, "new(int capacity)", create_with_capacity),
    M(S, "new(int capacity, int maxCapacity)", create_with_capacity),
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
    APPEND_ROW("StringBuilder", append_builder),
    M(S, "StringBuilder Append(StringBuilder value, int startIndex, int count)", append_builder_part),
    M(S, "StringBuilder Append(char value, int repeatCount)", append_repeated),
    M(S, "StringBuilder Append(string value, int startIndex, int count)", append_part),
    M(S, "StringBuilder Append(char[] value, int startIndex, int charCount)", append_chars),
    M(S, "StringBuilder AppendLine()", append_line),
    M(S, "StringBuilder AppendLine(string value)", append_line),
    M(S, "StringBuilder AppendFormat(string format, object arg0)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, object arg0, object arg1)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, object arg0, object arg1, object arg2)", append_format_few),
    M(S, "StringBuilder AppendFormat(string format, params object[] args)", append_format_many),
    M(S, "StringBuilder AppendFormat(IFormatProvider provider, string format, object arg0)", append_format_few_by),
    M(S, "StringBuilder AppendFormat(IFormatProvider provider, string format, object arg0, object arg1)", append_format_few_by),
    M(S, "StringBuilder AppendFormat(IFormatProvider provider, string format, object arg0, object arg1, object arg2)",
      append_format_few_by),
    M(S, "StringBuilder AppendFormat(IFormatProvider provider, string format, params object[] args)", append_format_many_by),
    M(S, "StringBuilder AppendJoin(string separator, params object[] values)", append_join),
    M(S, "StringBuilder AppendJoin(string separator, params string[] values)", append_join),
    M(S, "StringBuilder AppendJoin<T>(string separator, IEnumerable<T> values)", append_join),
    M(S, "StringBuilder AppendJoin(char separator, params object[] values)", append_join_char),
    M(S, "StringBuilder AppendJoin(char separator, params string[] values)", append_join_char),
    M(S, "StringBuilder AppendJoin<T>(char separator, IEnumerable<T> values)", append_join_char),
    M(S, "StringBuilder Insert(int index, string value)", insert_string),
    M(S, "StringBuilder Insert(int index, string value, int count)", insert_repeated),
    M(S, "StringBuilder Insert(int index, char[] value)", insert_chars),
    M(S, "StringBuilder Insert(int index, char[] value, int startIndex, int charCount)", insert_chars),
    INSERT_ROW("char", insert_char),
    INSERT_ROW("bool", insert_bool),
    INSERT_ROW("sbyte", insert_long),
    INSERT_ROW("byte", insert_long),
    INSERT_ROW("short", insert_long),
    INSERT_ROW("ushort", insert_long),
    INSERT_ROW("int", insert_long),
    INSERT_ROW("uint", insert_long),
    INSERT_ROW("long", insert_long),
    INSERT_ROW("ulong", insert_ulong),
    INSERT_ROW("float", insert_float),
    INSERT_ROW("double", insert_double),
    INSERT_ROW("decimal", insert_decimal),
    INSERT_ROW("object", insert_object),
    M(S, "StringBuilder Remove(int startIndex, int length)", remove_part),
    M(S, "StringBuilder Replace(string oldValue, string newValue)", replace_string),
    M(S, "StringBuilder Replace(char oldChar, char newChar)", replace_char),
    M(S, "StringBuilder Replace(string oldValue, string newValue, int startIndex, int count)", replace_string),
    M(S, "StringBuilder Replace(char oldChar, char newChar, int startIndex, int count)", replace_char),
    M(S, "StringBuilder Clear()", clear),
    P(S, "int Length { get; set; }", length, set_length),
    P(S, "int Capacity { get; set; }", capacity, set_capacity),
    M(S, "int MaxCapacity { get; }", max_capacity),
    M(S, "int EnsureCapacity(int capacity)", ensure_capacity),
    M(S, "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", copy_to),
    P(S, "char this[int index] { get; set; }", char_at, set_char_at),
    M(S, "string ToString()", to_string),
    M(S, "string ToString(int startIndex, int length)", to_string),
    M(S, "bool Equals(StringBuilder sb)", equals),
};

const struct library clr_string_builder = LIBRARY("StringBuilder", types, members);
