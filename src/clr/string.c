/* string.c: System.String, without formatting and joining (string_build.c).
 *
 * ASCII strings are cut and searched as bytes and share them; for others positions are UTF-16 units.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/text.h"
#include "clr/values.h"

static enum string_comparison
comparison(const struct call *c, uint32_t i)
{
    return (enum string_comparison)c->args[i].i64;
}

/* False after throwing for a StringComparison that is none. */
static bool
check_comparison(struct call *c, uint32_t i)
{
    if ((uint64_t)c->args[i].i64 <= ORDINAL_IGNORE_CASE)
        return true;
    return throw_argument(c, "comparisonType", "The string comparison type passed in is not supported.");
}

/* --- hooks ---------------------------------------------------------------------------------------------------------- */

static int
next_char(struct call *c, struct iterator *it, struct value *ret)
{
    struct string *s = (struct string *)it->self;

    if (it->state[0].u64 >= s->units)
        return 0;
    int unit = string_unit(c, s, (uint32_t)it->state[0].u64++);
    if (unit < 0)
        return -1;
    *ret = value_i64(unit);
    return 1;
}

static bool
string_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = next_char, .self = self};
    return true;
}

static bool
string_hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = string_eq((struct string *)a.ref, (struct string *)b.ref);
    return true;
}

/* Keyed: tables may be filled from requests. */
static bool
string_hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)hash_str(string_str((struct string *)v.ref));
    return true;
}

static bool
string_hook_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = text_compare((struct string *)a.ref, (struct string *)b.ref, CURRENT_CULTURE);
    return true;
}

static bool
string_hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = (struct string *)v.ref;
    return true;
}

static const struct type_hooks string_hooks = {
    .iterate = string_iterate,
    .equals = string_hook_equals,
    .hash = string_hook_hash,
    .compare = string_hook_compare,
    .to_string = string_hook_to_string,
};

/* --- making ---------------------------------------------------------------------------------------------------------- */

/* A char as WTF-8. */
static struct str
char_text(char room[4], int64_t unit)
{
    return str_from(room, utf8_put(room, (uint32_t)unit));
}

static bool
return_units(struct call *c, const struct array *chars, uint32_t from, uint32_t n)
{
    uint16_t *units = call_alloc(c, (size_t)n * 2 + 2);

    if (!units)
        return false;
    for (uint32_t i = 0; i < n; i++)
        units[i] = (uint16_t)chars->u.v[from + i].i64;
    return return_new(c, string_from_units(c, units, n));
}

static bool
new_repeated(struct call *c)
{
    char room[4];
    struct str unit = char_text(room, c->args[0].i64);
    int32_t n = call_i32(c, 1);
    struct buf b = call_buf(c);

    if (n < 0)
        return throw_argument_range(c, "count", "'count' must be non-negative.");
    if (!call_charge(c, (uint64_t)n / 64) || !buf_reserve(&b, unit.len * (size_t)n))
        return call_exceed(c, BUDGET_BYTES);
    for (int32_t i = 0; i < n; i++)
        buf_add_str(&b, unit);
    return return_new(c, string_from_buf(c, &b));
}

static bool
new_from_chars(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[0].ref;

    if (!chars)
        return return_new(c, string_lit(c, ""));
    return return_units(c, chars, 0, chars->n);
}

static bool
new_from_chars_range(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[0].ref;
    int64_t from = call_i32(c, 1), n = call_i32(c, 2);

    if (!chars)
        return throw_argument_null(c, "value");
    if (from < 0)
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    if (n < 0)
        return throw_argument_range(c, "length", "Length cannot be less than zero.");
    if (from > chars->n - n)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    return return_units(c, chars, (uint32_t)from, (uint32_t)n);
}

static bool
empty(struct call *c)
{
    return return_new(c, string_lit(c, ""));
}

static bool
same(struct call *c)
{
    c->ret = c->args[0];
    return true;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static bool
length(struct call *c)
{
    return return_i64(c, call_string(c, 0)->units);
}

static bool
char_at(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t i = call_i32(c, 1);
    int unit;

    if (i < 0 || i >= s->units)
        return call_throw(c, EXC_INDEX_OUT_OF_RANGE, "Index was outside the bounds of the array.");
    unit = string_unit(c, s, (uint32_t)i);
    c->ret = value_i64(unit);
    return unit >= 0;
}

static bool
substring(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t from = call_i32(c, 1), n = c->n_args > 2 ? call_i32(c, 2) : (int64_t)s->units - from;

    if (from < 0)
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    if (from > s->units)
        return throw_argument_range(c, "startIndex", "startIndex cannot be larger than length of string.");
    if (n < 0)
        return throw_argument_range(c, "length", "Length cannot be less than zero.");
    if (from > s->units - n)
        return throw_argument_range(c, "length", "Index and length must refer to a location within the string.");
    if (n == s->units)
        return return_ref(c, s);
    return return_new(c, string_slice(c, s, (uint32_t)from, (uint32_t)n));
}

static bool
to_char_array(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t from = c->n_args > 1 ? call_i32(c, 1) : 0, n = c->n_args > 2 ? (int64_t)call_i32(c, 2) : (int64_t)s->units;
    struct array *chars;

    if (from < 0 || from > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || from > s->units - n)
        return throw_argument_range(c, "length", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (!(chars = array_new(c, core_types(c->run->env)->char_array, (uint32_t)n)))
        return false;
    for (uint32_t i = 0; i < chars->n; i++) {
        int unit = string_unit(c, s, (uint32_t)from + i);
        if (unit < 0)
            return false;
        chars->u.v[i] = value_i64(unit);
    }
    return return_ref(c, chars);
}

static bool
is_null_or_empty(struct call *c)
{
    const struct string *s = call_string(c, 0);

    return return_bool(c, !s || s->size == 0);
}

/* Bytes of white space at the start of s; Unicode's. */
static size_t
white_prefix(struct str s)
{
    size_t i = 0;

    while (i < s.len) {
        size_t next = i;
        if (!text_is_white(utf8_next(s, &next)))
            break;
        i = next;
    }
    return i;
}

static bool
is_null_or_white(struct call *c)
{
    const struct string *s = call_string(c, 0);

    return return_bool(c, !s || white_prefix(string_str(s)) == s->size);
}

/* --- comparing -------------------------------------------------------------------------------------------------------- */

static bool
equals_object(struct call *c)
{
    const struct object *other = c->args[1].ref;

    return return_bool(c, other && other->type == c->args[0].ref->type &&
                              string_eq(call_string(c, 0), (const struct string *)other));
}

static bool
equals_string(struct call *c)
{
    return return_bool(c, string_eq(call_string(c, 0), call_string(c, 1)));
}

static bool
equals_how(struct call *c)
{
    return check_comparison(c, 2) && return_bool(c, text_equals(call_string(c, 0), call_string(c, 1), comparison(c, 2)));
}

static bool
differs(struct call *c)
{
    return return_bool(c, !string_eq(call_string(c, 0), call_string(c, 1)));
}

static bool
get_hash_code(struct call *c)
{
    /* Unkeyed, so that a policy that spreads users by it does so alike on every node. */
    return return_i64(c, (int32_t)hash_128(string_str(call_string(c, 0))).lo);
}

static bool
compare_to(struct call *c)
{
    const struct object *other = c->args[1].ref;

    if (other && other->type != c->args[0].ref->type)
        return throw_argument(c, NULL, "Object must be of type String.");
    return return_i64(c, text_compare(call_string(c, 0), (const struct string *)other, CURRENT_CULTURE));
}

static bool
compare(struct call *c)
{
    return return_i64(c, text_compare(call_string(c, 0), call_string(c, 1), CURRENT_CULTURE));
}

static bool
compare_case(struct call *c)
{
    return return_i64(c, text_compare(call_string(c, 0), call_string(c, 1),
                                      call_bool(c, 2) ? CURRENT_CULTURE_IGNORE_CASE : CURRENT_CULTURE));
}

static bool
compare_how(struct call *c)
{
    return check_comparison(c, 2) && return_i64(c, text_compare(call_string(c, 0), call_string(c, 1), comparison(c, 2)));
}

/* At most n units of s from `from`, clamped; NULL stays. False after throwing. */
static bool
part_of(struct call *c, struct string *s, int64_t from, int64_t n, const char *name, struct string **ret)
{
    if (n < 0)
        return throw_argument_range(c, "length", "Length cannot be less than zero.");
    if (from < 0 || (s && from > s->units))
        return throw_argument_range(c, name, "Index must be within the string.");
    *ret = s ? string_slice(c, s, (uint32_t)from, (uint32_t)MIN(n, (int64_t)s->units - from)) : NULL;
    return !s || *ret;
}

static bool
compare_parts_how(struct call *c, enum string_comparison how)
{
    struct string *a, *b;

    if (!part_of(c, call_string(c, 0), call_i32(c, 1), call_i32(c, 4), "indexA", &a) ||
        !part_of(c, call_string(c, 2), call_i32(c, 3), call_i32(c, 4), "indexB", &b))
        return false;
    return return_i64(c, text_compare(a, b, how));
}

static bool
compare_parts(struct call *c)
{
    enum string_comparison how = CURRENT_CULTURE;

    if (c->n_args > 5) {
        if (!check_comparison(c, 5))
            return false;
        how = comparison(c, 5);
    }
    return compare_parts_how(c, how);
}

static bool
compare_parts_case(struct call *c)
{
    return compare_parts_how(c, call_bool(c, 5) ? CURRENT_CULTURE_IGNORE_CASE : CURRENT_CULTURE);
}

static bool
compare_ordinal(struct call *c)
{
    return return_i64(c, text_compare(call_string(c, 0), call_string(c, 1), ORDINAL));
}

static bool
compare_ordinal_parts(struct call *c)
{
    return compare_parts_how(c, ORDINAL);
}

/* --- searching -------------------------------------------------------------------------------------------------------- */

static bool
contains(struct call *c)
{
    struct string *s = call_string(c, 0), *value = call_string(c, 1);
    int64_t at;

    if (!value)
        return throw_argument_null(c, "value");
    if (c->n_args < 3)
        return return_bool(c, str_find(string_str(s), string_str(value), 0) >= 0);
    if (!check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_bool(c, at >= 0);
}

/* The string of one char. */
static struct string *
char_string(struct call *c, int64_t unit)
{
    char room[4];

    return string_new(c, char_text(room, unit));
}

/* First unit equal to `wanted` in [from, from + n), or last when backwards; -1, -2 out of budget. */
static int64_t
find_char(struct call *c, struct string *s, int64_t wanted, uint32_t from, uint32_t n, bool backwards)
{
    const char *hit;
    const uint16_t *units;

    if (string_is_ascii(s)) {
        if (wanted > 127 || n == 0)
            return -1;
        hit = backwards ? memrchr(s->p + from, (int)wanted, n) : memchr(s->p + from, (int)wanted, n);
        return hit ? hit - s->p : -1;
    }
    if (!(units = string_wide(c, s)) || !call_charge(c, n / 16))
        return -2;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = backwards ? from + n - 1 - i : from + i;
        if (units[at] == wanted)
            return at;
    }
    return -1;
}

static bool
contains_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t at = find_char(c, s, c->args[1].i64, 0, s->units, false);

    return at != -2 && return_bool(c, at >= 0);
}

static bool
contains_char_how(struct call *c)
{
    struct string *s = call_string(c, 0), *value = char_string(c, c->args[1].i64);
    int64_t at;

    if (!value || !check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_bool(c, at >= 0);
}

static bool
starts_with(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "value");
    if (c->n_args > 2 && !check_comparison(c, 2))
        return false;
    return return_bool(c, text_starts_with(c, call_string(c, 0), call_string(c, 1),
                                           c->n_args > 2 ? comparison(c, 2) : CURRENT_CULTURE));
}

static bool
ends_with(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "value");
    if (c->n_args > 2 && !check_comparison(c, 2))
        return false;
    return return_bool(c, text_ends_with(c, call_string(c, 0), call_string(c, 1),
                                         c->n_args > 2 ? comparison(c, 2) : CURRENT_CULTURE));
}

static bool
starts_with_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int unit = s->units ? string_unit(c, s, 0) : -1;

    return return_bool(c, unit >= 0 && unit == c->args[1].i64);
}

static bool
ends_with_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int unit = s->units ? string_unit(c, s, s->units - 1) : -1;

    return return_bool(c, unit >= 0 && unit == c->args[1].i64);
}

/* [from, from + n) of the arguments at i and i + 1, where given. False after throwing. */
static bool
forward_range(struct call *c, uint32_t i, uint32_t n_given, const struct string *s, uint32_t *ret_from, uint32_t *ret_n)
{
    int64_t from = n_given > 0 ? call_i32(c, i) : 0, n;

    if (from < 0 || from > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    n = n_given > 1 ? call_i32(c, i + 1) : s->units - from;
    if (n < 0 || n > s->units - from)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the string/array/collection.");
    *ret_from = (uint32_t)from;
    *ret_n = (uint32_t)n;
    return true;
}

/* The same for LastIndexOf: from `start` backwards, `count` units. */
static bool
backward_range(struct call *c, uint32_t i, uint32_t n_given, const struct string *s, uint32_t *ret_from, uint32_t *ret_n)
{
    int64_t start = n_given > 0 ? call_i32(c, i) : (int64_t)s->units - 1, n = n_given > 1 ? call_i32(c, i + 1) : start + 1;

    if (s->units == 0) {
        *ret_from = *ret_n = 0;
        return true;
    }
    if (start < (n_given ? 0 : -1) || start > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (start == s->units) {
        start--;
        n -= n > 0;
    }
    if (n < 0 || n > start + 1)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the string/array/collection.");
    *ret_from = (uint32_t)(start + 1 - n);
    *ret_n = (uint32_t)n;
    return true;
}

static bool
index_of_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    uint32_t from, n;
    int64_t at;

    if (!forward_range(c, 2, c->n_args - 2, s, &from, &n))
        return false;
    at = find_char(c, s, c->args[1].i64, from, n, false);
    return at != -2 && return_i64(c, at);
}

static bool
index_of_char_how(struct call *c)
{
    struct string *s = call_string(c, 0), *value = char_string(c, c->args[1].i64);
    int64_t at;

    if (!value || !check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_i64(c, at);
}

static bool
find_text(struct call *c, uint32_t n_given, enum string_comparison how, bool backwards)
{
    struct string *s = call_string(c, 0), *value = call_string(c, 1);
    uint32_t from, n;
    int64_t at;

    if (!value)
        return throw_argument_null(c, "value");
    if (backwards ? !backward_range(c, 2, n_given, s, &from, &n) : !forward_range(c, 2, n_given, s, &from, &n))
        return false;
    at = backwards ? text_last_index_of(c, s, value, from, n, how) : text_index_of(c, s, value, from, n, how);
    return at != -2 && return_i64(c, at);
}

static bool
index_of(struct call *c)
{
    return find_text(c, c->n_args - 2, CURRENT_CULTURE, false);
}

static bool
index_of_how(struct call *c)
{
    return check_comparison(c, c->n_args - 1) && find_text(c, c->n_args - 3, comparison(c, c->n_args - 1), false);
}

static bool
last_index_of(struct call *c)
{
    return find_text(c, c->n_args - 2, CURRENT_CULTURE, true);
}

static bool
last_index_of_how(struct call *c)
{
    return check_comparison(c, c->n_args - 1) && find_text(c, c->n_args - 3, comparison(c, c->n_args - 1), true);
}

static bool
last_index_of_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    uint32_t from, n;
    int64_t at;

    if (!backward_range(c, 2, c->n_args - 2, s, &from, &n))
        return false;
    at = find_char(c, s, c->args[1].i64, from, n, true);
    return at != -2 && return_i64(c, at);
}

static bool
is_one_of(const struct array *chars, int unit)
{
    for (uint32_t i = 0; i < chars->n; i++)
        if (chars->u.v[i].i64 == unit)
            return true;
    return false;
}

static bool
find_any(struct call *c, bool backwards)
{
    struct string *s = call_string(c, 0);
    const struct array *any = (const struct array *)c->args[1].ref;
    uint32_t from, n;

    if (!any)
        return throw_argument_null(c, "anyOf");
    if (backwards ? !backward_range(c, 2, c->n_args - 2, s, &from, &n) : !forward_range(c, 2, c->n_args - 2, s, &from, &n))
        return false;
    if (!call_charge(c, n / 8))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = backwards ? from + n - 1 - i : from + i;
        int unit = string_unit(c, s, at);
        if (unit < 0)
            return false;
        if (is_one_of(any, unit))
            return return_i64(c, at);
    }
    return return_i64(c, -1);
}

static bool
index_of_any(struct call *c)
{
    return find_any(c, false);
}

static bool
last_index_of_any(struct call *c)
{
    return find_any(c, true);
}

/* --- changing --------------------------------------------------------------------------------------------------------- */

/* A part of s by bytes: a view of it. */
static bool
return_part(struct call *c, struct string *s, size_t from, size_t to)
{
    if (from == 0 && to == s->size)
        return return_ref(c, s);
    if (string_is_ascii(s))
        return return_new(c, string_view_units(c, str_sub(string_str(s), from, to), (uint32_t)(to - from)));
    return return_new(c, string_view(c, str_sub(string_str(s), from, to)));
}

enum { TRIM_START = 1, TRIM_END = 2 };

static bool
is_trimmed(uint32_t code_point, const struct array *set, int64_t single)
{
    if (single >= 0)
        return code_point == single;
    if (!set || set->n == 0)
        return text_is_white(code_point);
    return is_one_of(set, (int)code_point);
}

static bool
trim_set(struct call *c, unsigned ends, const struct array *set, int64_t single)
{
    struct string *s = call_string(c, 0);
    struct str text = string_str(s);
    size_t from = 0, to = s->size;

    while ((ends & TRIM_START) && from < to) {
        size_t next = from;
        if (!is_trimmed(utf8_next(text, &next), set, single))
            break;
        from = next;
    }
    while ((ends & TRIM_END) && to > from) {
        size_t at = to - 1, next;
        while (at > from && (text.p[at] & 0xc0) == 0x80)
            at--;
        next = at;
        if (!is_trimmed(utf8_next(text, &next), set, single))
            break;
        to = at;
    }
    return return_part(c, s, from, to);
}

static const struct array *
optional_array(const struct call *c, uint32_t i)
{
    return c->n_args > i ? (const struct array *)c->args[i].ref : NULL;
}

static bool trim(struct call *c) { return trim_set(c, TRIM_START | TRIM_END, optional_array(c, 1), -1); }
static bool trim_start(struct call *c) { return trim_set(c, TRIM_START, optional_array(c, 1), -1); }
static bool trim_end(struct call *c) { return trim_set(c, TRIM_END, optional_array(c, 1), -1); }
static bool trim_char(struct call *c) { return trim_set(c, TRIM_START | TRIM_END, NULL, c->args[1].i64); }
static bool trim_start_char(struct call *c) { return trim_set(c, TRIM_START, NULL, c->args[1].i64); }
static bool trim_end_char(struct call *c) { return trim_set(c, TRIM_END, NULL, c->args[1].i64); }

static bool
replace_text(struct call *c, struct string *s, struct str old, struct str new)
{
    struct str text = string_str(s);
    struct buf b = call_buf(c);
    ptrdiff_t at = str_find(text, old, 0);
    size_t from = 0;

    if (at < 0)
        return return_ref(c, s);
    if (!call_charge(c, s->size / 32))
        return false;
    for (; at >= 0; at = str_find(text, old, from)) {
        buf_add_str(&b, str_sub(text, from, (size_t)at));
        buf_add_str(&b, new);
        from = (size_t)at + old.len;
        if (b.failed)
            return call_exceed(c, BUDGET_BYTES);
    }
    buf_add_str(&b, str_skip(text, from));
    return return_new(c, string_from_buf(c, &b));
}

static bool
replace(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "oldValue");
    if (call_string(c, 1)->size == 0)
        return throw_argument(c, "oldValue", "String cannot be of zero length.");
    return replace_text(c, call_string(c, 0), call_str(c, 1), call_str(c, 2));
}

static bool
replace_how(struct call *c)
{
    struct string *s = call_string(c, 0), *old = call_string(c, 1);
    struct buf b = call_buf(c);
    uint32_t from = 0;
    int64_t at;

    if (!old)
        return throw_argument_null(c, "oldValue");
    if (old->size == 0)
        return throw_argument(c, "oldValue", "String cannot be of zero length.");
    if (!check_comparison(c, 3))
        return false;
    if (comparison(c, 3) == ORDINAL)
        return replace_text(c, s, string_str(old), call_str(c, 2));
    while ((at = text_index_of(c, s, old, from, s->units - from, comparison(c, 3))) >= 0) {
        struct string *before = string_slice(c, s, from, (uint32_t)at - from);
        if (!before)
            return false;
        buf_add_str(&b, string_str(before));
        buf_add_str(&b, call_str(c, 2));
        from = (uint32_t)at + old->units;
    }
    struct string *rest = at == -2 ? NULL : string_slice(c, s, from, s->units - from);
    if (!rest)
        return false;
    buf_add_str(&b, string_str(rest));
    return return_new(c, string_from_buf(c, &b));
}

static bool
replace_char(struct call *c)
{
    char old_room[4], new_room[4];
    struct string *s = call_string(c, 0);
    int64_t old = c->args[1].i64, new = c->args[2].i64;
    char *p;

    if (old > 127 || new > 127)
        return replace_text(c, s, char_text(old_room, old), char_text(new_room, new));
    if (!s->size || !memchr(s->p, (int)old, s->size))
        return return_ref(c, s);
    if (!(p = call_alloc(c, s->size)))
        return false;
    for (uint32_t i = 0; i < s->size; i++)
        p[i] = s->p[i] == (char)old ? (char)new : s->p[i];
    return return_new(c, string_view_units(c, str_from(p, s->size), s->units));
}

static bool
insert(struct call *c)
{
    struct string *s = call_string(c, 0), *head, *tail;
    int64_t at = call_i32(c, 1);
    struct buf b = call_buf(c);

    if (!call_string(c, 2))
        return throw_argument_null(c, "value");
    if (at < 0 || at > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)at, s->units - (uint32_t)at);
    if (!head || !tail)
        return false;
    buf_add_str(&b, string_str(head));
    buf_add_str(&b, call_str(c, 2));
    buf_add_str(&b, string_str(tail));
    return return_new(c, string_from_buf(c, &b));
}

static bool
remove_part(struct call *c)
{
    struct string *s = call_string(c, 0), *head, *tail;
    int64_t at = call_i32(c, 1), n = c->n_args > 2 ? call_i32(c, 2) : (int64_t)s->units - at;
    struct buf b = call_buf(c);

    if (at < 0)
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    if (c->n_args == 2 && at >= s->units)
        return throw_argument_range(c, "startIndex", "startIndex must be less than length of string.");
    if (n < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (at > s->units - n)
        return throw_argument_range(c, "count", "Index and count must refer to a location within the string.");
    head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)(at + n), s->units - (uint32_t)(at + n));
    if (!head || !tail)
        return false;
    buf_add_str(&b, string_str(head));
    buf_add_str(&b, string_str(tail));
    return return_new(c, string_from_buf(c, &b));
}

static bool
pad(struct call *c, bool left)
{
    struct string *s = call_string(c, 0);
    int64_t width = call_i32(c, 1), n = width - s->units;
    char room[4];
    struct str fill = char_text(room, c->n_args > 2 ? c->args[2].i64 : ' ');
    struct buf b = call_buf(c);

    if (width < 0)
        return throw_argument_range(c, "totalWidth", "Non-negative number required.");
    if (n <= 0)
        return return_ref(c, s);
    if (!call_charge(c, (uint64_t)n / 64) || !buf_reserve(&b, fill.len * (size_t)n + s->size))
        return call_exceed(c, BUDGET_BYTES);
    if (!left)
        buf_add_str(&b, string_str(s));
    for (; n > 0; n--)
        buf_add_str(&b, fill);
    if (left)
        buf_add_str(&b, string_str(s));
    return return_new(c, string_from_buf(c, &b));
}

static bool pad_left(struct call *c) { return pad(c, true); }
static bool pad_right(struct call *c) { return pad(c, false); }
static bool to_upper(struct call *c) { return return_new(c, text_to_upper(c, call_string(c, 0))); }
static bool to_lower(struct call *c) { return return_new(c, text_to_lower(c, call_string(c, 0))); }

/* Without tables only text that has no combining marks is known to be in form C. */
static bool
is_normalized(struct call *c)
{
    struct str s = string_str(call_string(c, 0));

    for (size_t i = 0; i < s.len;) {
        uint32_t code_point = utf8_next(s, &i);
        if (code_point >= 0x300 && code_point < 0x370)
            return return_bool(c, false);
    }
    return return_bool(c, true);
}

/* --- splitting -------------------------------------------------------------------------------------------------------- */

enum { SPLIT_REMOVE_EMPTY = 1, SPLIT_TRIM = 2 };

struct splitter {
    struct call *c;
    struct string *s;
    const struct array *chars;        /* single units; NULL or empty with strings == NULL: white space */
    const struct array *strings;
    int64_t single;                   /* one unit, or -1 */
    int64_t max, options;
};

/* Bytes of the separator at s[at], 0 when none stands there. */
static size_t
separator_at(const struct splitter *sp, struct str s, size_t at)
{
    size_t next = at;
    uint32_t code_point;

    if (sp->strings) {
        for (uint32_t i = 0; i < sp->strings->n; i++) {
            const struct string *one = (const struct string *)sp->strings->u.v[i].ref;
            if (one && one->size && str_starts_with(str_skip(s, at), string_str(one)))
                return one->size;
        }
        return 0;
    }
    code_point = utf8_next(s, &next);
    if (sp->single >= 0 ? code_point == sp->single
                        : sp->chars && sp->chars->n ? is_one_of(sp->chars, (int)code_point) : text_is_white(code_point))
        return next - at;
    return 0;
}

/* Next separator at or after `from`; false when none. */
static bool
find_separator(const struct splitter *sp, struct str s, size_t from, size_t *ret_at, size_t *ret_len)
{
    int64_t unit = sp->single >= 0 ? sp->single : sp->chars && sp->chars->n == 1 ? sp->chars->u.v[0].i64 : -1;

    if (unit >= 0 && unit < 128) {
        ptrdiff_t hit = str_find_char(s, (char)unit, from);
        *ret_at = (size_t)hit;
        *ret_len = 1;
        return hit >= 0;
    }
    for (size_t at = from; at < s.len; at++) {
        if ((s.p[at] & 0xc0) == 0x80)
            continue;
        if ((*ret_len = separator_at(sp, s, at))) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

static struct str
trim_white(struct str s)
{
    s = str_skip(s, white_prefix(s));
    while (s.len) {
        size_t at = s.len - 1, next;
        while (at && (s.p[at] & 0xc0) == 0x80)
            at--;
        next = at;
        if (!text_is_white(utf8_next(s, &next)))
            break;
        s.len = at;
    }
    return s;
}

/* A piece of the string in its last form; false when it is left out. */
static bool
keep_piece(const struct splitter *sp, struct str *piece)
{
    if (sp->options & SPLIT_TRIM)
        *piece = trim_white(*piece);
    return piece->len || !(sp->options & SPLIT_REMOVE_EMPTY);
}

static bool
add_piece(const struct splitter *sp, struct str piece, struct array *to, uint32_t *n)
{
    struct string *s = string_is_ascii(sp->s) ? string_view_units(sp->c, piece, (uint32_t)piece.len) : string_view(sp->c, piece);

    if (!s)
        return false;
    to->u.v[(*n)++] = value_ref(s);
    return true;
}

/* Walks the pieces; counts them, or with `to` stores them. */
static bool
walk_pieces(const struct splitter *sp, struct array *to, uint32_t *n)
{
    struct str s = string_str(sp->s), piece;
    size_t from = 0, at = 0, len = 0;

    for (*n = 0; *n + 1 < sp->max && find_separator(sp, s, from, &at, &len); from = at + len) {
        piece = str_sub(s, from, at);
        if (!keep_piece(sp, &piece))
            continue;
        if (!to)
            ++*n;
        else if (!add_piece(sp, piece, to, n))
            return false;
    }
    /* With a limit the last piece is the rest, less separators and empty pieces before it when those go. */
    while (*n + 1 == sp->max && (sp->options & SPLIT_REMOVE_EMPTY) && find_separator(sp, s, from, &at, &len)) {
        piece = str_sub(s, from, at);
        if (keep_piece(sp, &piece))
            break;
        from = at + len;
    }
    piece = str_skip(s, from);
    if (!keep_piece(sp, &piece))
        return true;
    if (!to) {
        ++*n;
        return true;
    }
    return add_piece(sp, piece, to, n);
}

static bool
split(struct splitter *sp)
{
    struct call *c = sp->c;
    uint32_t n = 0;
    struct array *pieces;

    sp->s = call_string(c, 0);
    if (sp->options & ~(int64_t)3)
        return throw_argument(c, "options", "Illegal enum value: %" PRId64 ".", sp->options);
    if (sp->max < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (!call_charge(c, sp->s->size / 8))
        return false;
    if (sp->max > 0 && !walk_pieces(sp, NULL, &n))
        return false;
    if (!(pieces = array_new(c, core_types(c->run->env)->string_array, n)))
        return false;
    if (n && !walk_pieces(sp, pieces, &n))
        return false;
    return return_ref(c, pieces);
}

static bool
split_on(struct call *c, const struct array *chars, int64_t single, uint32_t count_at, uint32_t options_at)
{
    struct splitter sp = {.c = c, .chars = chars, .single = single};

    sp.max = count_at ? call_i32(c, count_at) : INT32_MAX;
    sp.options = options_at ? c->args[options_at].i64 : 0;
    return split(&sp);
}

static bool
split_on_strings(struct call *c, const struct array *strings, uint32_t count_at, uint32_t options_at)
{
    struct splitter sp = {.c = c, .strings = strings && strings->n ? strings : NULL, .single = -1};

    sp.max = count_at ? call_i32(c, count_at) : INT32_MAX;
    sp.options = options_at ? c->args[options_at].i64 : 0;
    return split(&sp);
}

static bool
split_on_string(struct call *c, uint32_t count_at, uint32_t options_at)
{
    struct array one = {.n = 1, .u.v = &c->args[1]};

    if (!call_string(c, 1) || call_string(c, 1)->size == 0) { /* null: white space; "": one piece */
        struct array none = {.n = 1, .u.v = (struct value[]){value_ref(NULL)}};
        return call_string(c, 1) ? split_on_strings(c, &none, count_at, options_at) : split_on(c, NULL, -1, count_at, options_at);
    }
    return split_on_strings(c, &one, count_at, options_at);
}

#define CHARS ((const struct array *)c->args[1].ref)
static bool split_chars(struct call *c) { return split_on(c, CHARS, -1, 0, 0); }
static bool split_chars_count(struct call *c) { return split_on(c, CHARS, -1, 2, 0); }
static bool split_chars_options(struct call *c) { return split_on(c, CHARS, -1, 0, 2); }
static bool split_chars_both(struct call *c) { return split_on(c, CHARS, -1, 2, 3); }
static bool split_char(struct call *c) { return split_on(c, NULL, c->args[1].i64, 0, 2); }
static bool split_char_count(struct call *c) { return split_on(c, NULL, c->args[1].i64, 2, 3); }
static bool split_strings(struct call *c) { return split_on_strings(c, CHARS, 0, 2); }
static bool split_strings_count(struct call *c) { return split_on_strings(c, CHARS, 2, 3); }
static bool split_string(struct call *c) { return split_on_string(c, 0, 2); }
static bool split_string_count(struct call *c) { return split_on_string(c, 2, 3); }

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static const struct type_row types[] = {
    HOOKS("System.String", &string_hooks),
    ENUM("System.StringComparison", "CurrentCulture = 0, CurrentCultureIgnoreCase = 1, InvariantCulture = 2, "
                                    "InvariantCultureIgnoreCase = 3, Ordinal = 4, OrdinalIgnoreCase = 5"),
    ENUM_FLAGS("System.StringSplitOptions", "None = 0, RemoveEmptyEntries = 1, TrimEntries = 2"),
};

static const struct member_row members[] = {
    M("String", "new(char c, int count)", new_repeated),
    M("String", "new(char[] value)", new_from_chars),
    M("String", "new(char[] value, int startIndex, int length)", new_from_chars_range),
    M("String", "static string Empty { get; }", empty),
    M("String", "int Length { get; }", length),
    M("String", "char this[int index] { get; }", char_at),
    M("String", "string Substring(int startIndex)", substring),
    M("String", "string Substring(int startIndex, int length)", substring),
    M("String", "char[] ToCharArray()", to_char_array),
    M("String", "char[] ToCharArray(int startIndex, int length)", to_char_array),
    M("String", "static bool IsNullOrEmpty(string value)", is_null_or_empty),
    M("String", "static bool IsNullOrWhiteSpace(string value)", is_null_or_white),
    M("String", "bool Equals(object obj)", equals_object),
    M("String", "bool Equals(string value)", equals_string),
    M("String", "bool Equals(string value, StringComparison comparisonType)", equals_how),
    M("String", "static bool Equals(string a, string b)", equals_string),
    M("String", "static bool Equals(string a, string b, StringComparison comparisonType)", equals_how),
    M_PURE("String", "static bool operator ==(string a, string b)", equals_string),
    M_PURE("String", "static bool operator !=(string a, string b)", differs),
    M("String", "int GetHashCode()", get_hash_code),
    M("String", "int CompareTo(object value)", compare_to),
    M("String", "int CompareTo(string strB)", compare_to),
    M("String", "static int Compare(string strA, string strB)", compare),
    M("String", "static int Compare(string strA, string strB, bool ignoreCase)", compare_case),
    M("String", "static int Compare(string strA, string strB, StringComparison comparisonType)", compare_how),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length)", compare_parts),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase)",
      compare_parts_case),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length, StringComparison comparisonType)",
      compare_parts),
    M("String", "static int CompareOrdinal(string strA, string strB)", compare_ordinal),
    M("String", "static int CompareOrdinal(string strA, int indexA, string strB, int indexB, int length)", compare_ordinal_parts),
    M("String", "bool Contains(string value)", contains),
    M("String", "bool Contains(string value, StringComparison comparisonType)", contains),
    M("String", "bool Contains(char value)", contains_char),
    M("String", "bool Contains(char value, StringComparison comparisonType)", contains_char_how),
    M("String", "bool StartsWith(string value)", starts_with),
    M("String", "bool StartsWith(string value, StringComparison comparisonType)", starts_with),
    M("String", "bool StartsWith(char value)", starts_with_char),
    M("String", "bool EndsWith(string value)", ends_with),
    M("String", "bool EndsWith(string value, StringComparison comparisonType)", ends_with),
    M("String", "bool EndsWith(char value)", ends_with_char),
    M("String", "int IndexOf(char value)", index_of_char),
    M("String", "int IndexOf(char value, int startIndex)", index_of_char),
    M("String", "int IndexOf(char value, int startIndex, int count)", index_of_char),
    M("String", "int IndexOf(char value, StringComparison comparisonType)", index_of_char_how),
    M("String", "int IndexOf(string value)", index_of),
    M("String", "int IndexOf(string value, int startIndex)", index_of),
    M("String", "int IndexOf(string value, int startIndex, int count)", index_of),
    M("String", "int IndexOf(string value, StringComparison comparisonType)", index_of_how),
    M("String", "int IndexOf(string value, int startIndex, StringComparison comparisonType)", index_of_how),
    M("String", "int IndexOf(string value, int startIndex, int count, StringComparison comparisonType)", index_of_how),
    M("String", "int LastIndexOf(char value)", last_index_of_char),
    M("String", "int LastIndexOf(char value, int startIndex)", last_index_of_char),
    M("String", "int LastIndexOf(char value, int startIndex, int count)", last_index_of_char),
    M("String", "int LastIndexOf(string value)", last_index_of),
    M("String", "int LastIndexOf(string value, int startIndex)", last_index_of),
    M("String", "int LastIndexOf(string value, int startIndex, int count)", last_index_of),
    M("String", "int LastIndexOf(string value, StringComparison comparisonType)", last_index_of_how),
    M("String", "int LastIndexOf(string value, int startIndex, StringComparison comparisonType)", last_index_of_how),
    M("String", "int LastIndexOf(string value, int startIndex, int count, StringComparison comparisonType)", last_index_of_how),
    M("String", "int IndexOfAny(char[] anyOf)", index_of_any),
    M("String", "int IndexOfAny(char[] anyOf, int startIndex)", index_of_any),
    M("String", "int IndexOfAny(char[] anyOf, int startIndex, int count)", index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf)", last_index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf, int startIndex)", last_index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf, int startIndex, int count)", last_index_of_any),
    M("String", "string Trim()", trim),
    M("String", "string Trim(params char[] trimChars)", trim),
    M("String", "string Trim(char trimChar)", trim_char),
    M("String", "string TrimStart()", trim_start),
    M("String", "string TrimStart(params char[] trimChars)", trim_start),
    M("String", "string TrimStart(char trimChar)", trim_start_char),
    M("String", "string TrimEnd()", trim_end),
    M("String", "string TrimEnd(params char[] trimChars)", trim_end),
    M("String", "string TrimEnd(char trimChar)", trim_end_char),
    M("String", "string Replace(string oldValue, string newValue)", replace),
    M("String", "string Replace(string oldValue, string newValue, StringComparison comparisonType)", replace_how),
    M("String", "string Replace(char oldChar, char newChar)", replace_char),
    M("String", "string Insert(int startIndex, string value)", insert),
    M("String", "string Remove(int startIndex)", remove_part),
    M("String", "string Remove(int startIndex, int count)", remove_part),
    M("String", "string PadLeft(int totalWidth)", pad_left),
    M("String", "string PadLeft(int totalWidth, char paddingChar)", pad_left),
    M("String", "string PadRight(int totalWidth)", pad_right),
    M("String", "string PadRight(int totalWidth, char paddingChar)", pad_right),
    M("String", "string ToUpper()", to_upper),
    M("String", "string ToUpperInvariant()", to_upper),
    M("String", "string ToLower()", to_lower),
    M("String", "string ToLowerInvariant()", to_lower),
    M("String", "string ToString()", same),
    M("String", "object Clone()", same),
    M("String", "static string Copy(string str)", same),
    M("String", "static string Intern(string str)", same),
    M("String", "static string IsInterned(string str)", same),
    M("String", "bool IsNormalized()", is_normalized),
    M_LATER("String", "string Normalize()"),
    M("String", "string[] Split(params char[] separator)", split_chars),
    M("String", "string[] Split(char[] separator, int count)", split_chars_count),
    M("String", "string[] Split(char[] separator, StringSplitOptions options)", split_chars_options),
    M("String", "string[] Split(char[] separator, int count, StringSplitOptions options)", split_chars_both),
    M("String", "string[] Split(char separator, StringSplitOptions options = default)", split_char),
    M("String", "string[] Split(char separator, int count, StringSplitOptions options = default)", split_char_count),
    M("String", "string[] Split(string[] separator, StringSplitOptions options)", split_strings),
    M("String", "string[] Split(string[] separator, int count, StringSplitOptions options)", split_strings_count),
    M("String", "string[] Split(string separator, StringSplitOptions options = default)", split_string),
    M("String", "string[] Split(string separator, int count, StringSplitOptions options = default)", split_string_count),
};

const struct library clr_string = LIBRARY("string", types, members);
