/* string.c: System.String: making, reading and comparing. Searching is in string_search.c, cutting and changing in string_change.c,
 * formatting and joining in string_build.c.
 *
 * ASCII strings are cut and searched as bytes and share them; for others positions are UTF-16 units.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/numbers.h"
#include "clr/string_parts.h"
#include "clr/text.h"
#include "clr/values.h"

enum string_comparison
comparison(const struct call *c, uint32_t i)
{
    return (enum string_comparison)c->args[i].i64;
}

/* False after throwing for a StringComparison that is none. */
bool
check_comparison(struct call *c, uint32_t i)
{
    if ((uint64_t)c->args[i].i64 <= ORDINAL_IGNORE_CASE)
        return true;
    return throw_argument(c, "comparisonType", "The string comparison type passed in is not supported.");
}

bool
is_one_of(const struct array *chars, int unit)
{
    for (uint32_t i = 0; i < chars->n; i++)
        if (chars->u.v[i].i64 == unit)
            return true;
    return false;
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
struct str
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
        return call_exceed_buf(c, &b);
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

    if (from < 0 || from > s->units || from > s->units - n)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0)
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
copy_to(struct call *c)
{
    struct string *s = call_string(c, 0);
    struct array *to = (struct array *)c->args[2].ref;
    int64_t from = call_i32(c, 1), at = call_i32(c, 3), n = call_i32(c, 4);

    if (!to)
        return throw_argument_null(c, "destination");
    if (n < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (from < 0)
        return throw_argument_range(c, "sourceIndex",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n > s->units - from)
        return throw_argument_range(c, "sourceIndex", "Index and count must refer to a location within the string.");
    if (at < 0 || at > to->n - n)
        return throw_argument_range(c, "destinationIndex", "Index and count must refer to a location within the string.");
    if (!call_charge(c, (uint64_t)n))
        return false;
    for (int64_t i = 0; i < n; i++)
        to->u.v[at + i] = value_i64(string_unit(c, s, (uint32_t)(from + i)));
    return true;
}

static bool
is_null_or_empty(struct call *c)
{
    const struct string *s = call_string(c, 0);

    return return_bool(c, !s || s->size == 0);
}

size_t
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
get_hash_code_how(struct call *c)
{
    return check_comparison(c, 1) && return_i64(c, (int32_t)text_hash(call_string(c, 0), comparison(c, 1)));
}

static bool
get_type_code(struct call *c)
{
    return return_i64(c, CODE_STRING);
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

/* At most n units of s from `from`, clamped; of NULL only nothing at all can be had. False after throwing. */
static bool
part_of(struct call *c, struct string *s, int64_t from, int64_t n, const char *name, struct string **ret)
{
    if (n < 0 || (!s && n > 0))
        return throw_argument_range(c, "length", n < 0 ? "Length cannot be less than zero." : "Index and length must refer to a location within the string.");
    if (from < 0 || from > (s ? s->units : 0))
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
    return return_i64(c, a && b ? text_compare_str(string_str(a), string_str(b), how) : text_compare(a, b, how));
}

/* Those with a StringComparison and CompareOrdinal look at no index where a text is null. */
static bool
compare_parts_or_null(struct call *c, enum string_comparison how)
{
    bool has_both = call_string(c, 0) && call_string(c, 2);

    return has_both ? compare_parts_how(c, how) : return_i64(c, (call_string(c, 0) != NULL) - (call_string(c, 2) != NULL));
}

static bool
compare_parts_comparison(struct call *c)
{
    return check_comparison(c, 5) && compare_parts_or_null(c, comparison(c, 5));
}

static bool
compare_parts(struct call *c)
{
    return compare_parts_how(c, CURRENT_CULTURE);
}

/* CompareOptions as far as a StringComparison says the same. False after throwing. */
static bool
comparison_of_options(struct call *c, uint64_t options, enum string_comparison *ret)
{
    enum { IGNORE_CASE = 1, IGNORE_WIDTH_AND_KANA = 24, STRING_SORT = 536870912, ORDINAL_NOCASE = 268435456, ORDINAL_ALONE = 1073741824 };

    if (options == ORDINAL_ALONE || options == ORDINAL_NOCASE)
        *ret = options == ORDINAL_ALONE ? ORDINAL : ORDINAL_IGNORE_CASE;
    else if (options & ~(uint64_t)(IGNORE_CASE | IGNORE_WIDTH_AND_KANA))
        return options & ~(uint64_t)(31 | STRING_SORT)
                   ? throw_argument(c, "options", "Value of flags is invalid.")
                   : call_throw(c, EXC_NOT_SUPPORTED, "Comparing with these CompareOptions is not supported.");
    else
        *ret = options & IGNORE_CASE ? INVARIANT_CULTURE_IGNORE_CASE : INVARIANT_CULTURE;
    return true;
}

static bool
compare_options(struct call *c)
{
    enum string_comparison how = ORDINAL;

    return comparison_of_options(c, c->args[3].u64, &how) && return_i64(c, text_compare(call_string(c, 0), call_string(c, 1), how));
}

static bool
compare_parts_options(struct call *c)
{
    enum string_comparison how = ORDINAL;

    return comparison_of_options(c, c->args[6].u64, &how) && compare_parts_how(c, how);
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
    return compare_parts_or_null(c, ORDINAL);
}

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
    M("String", "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", copy_to),
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
    M("String", "int GetHashCode(StringComparison comparisonType)", get_hash_code_how),
    M("String", "TypeCode GetTypeCode()", get_type_code),
    M("String", "int CompareTo(object value)", compare_to),
    M("String", "int CompareTo(string strB)", compare_to),
    M("String", "static int Compare(string strA, string strB)", compare),
    M("String", "static int Compare(string strA, string strB, bool ignoreCase)", compare_case),
    M("String", "static int Compare(string strA, string strB, StringComparison comparisonType)", compare_how),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length)", compare_parts),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase)",
      compare_parts_case),
    M("String", "static int Compare(string strA, int indexA, string strB, int indexB, int length, StringComparison comparisonType)",
      compare_parts_comparison),
    M("String", "static int Compare(string strA, string strB, bool ignoreCase, CultureInfo culture)", compare_case),
    M("String", "static int Compare(string strA, string strB, CultureInfo culture, CompareOptions options)", compare_options),
    M("String",
      "static int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase, CultureInfo culture)",
      compare_parts_case),
    M("String",
      "static int Compare(string strA, int indexA, string strB, int indexB, int length, CultureInfo culture, CompareOptions options)",
      compare_parts_options),
    M("String", "static int CompareOrdinal(string strA, string strB)", compare_ordinal),
    M("String", "static int CompareOrdinal(string strA, int indexA, string strB, int indexB, int length)", compare_ordinal_parts),
    M("String", "string ToString()", same),
    M("String", "string ToString(IFormatProvider provider)", same),
    M("String", "object Clone()", same),
    M("String", "static string Copy(string str)", same),
    M("String", "static string Intern(string str)", same),
    M("String", "static string IsInterned(string str)", same),
    M_LATER("String", "string Normalize()"),
    M_LATER("String", "string Normalize(NormalizationForm normalizationForm)"),
    M_LATER("String", "bool IsNormalized(NormalizationForm normalizationForm)"),
};

const struct library clr_string = LIBRARY("string", types, members);
