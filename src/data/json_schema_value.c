/* json_schema_value.c: keywords that look at one value and at nothing inside it: type, bounds, patterns, formats, enum and
 * const; and when two values are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "data/double_text.h"
#include "data/json_schema_check.h"
#include "data/regex.h"

/* --- values as text and numbers -------------------------------------------------------------------------------------- */

/* Digits and exponent as one decimal, when it fits exactly. */
static bool
exact_decimal(struct str text, struct decimal *ret)
{
    char digits[64];
    size_t n = 0, at = 0;
    long point = 0, exponent = 0;
    bool is_negative = text.len && text.p[0] == '-', has_point = false;

    for (at = is_negative; at < text.len && (ascii_is_digit(text.p[at]) || text.p[at] == '.'); at++) {
        if (text.p[at] == '.') {
            has_point = true;
            continue;
        }
        if (n == sizeof(digits))
            return false;
        if (n || text.p[at] != '0')
            digits[n++] = text.p[at];
        else if (has_point)
            point--;
        point += !has_point && n;
    }
    if (at < text.len) {
        char copy[16] = "";
        struct str e = str_skip(text, at + 1);

        if (e.len >= sizeof(copy))
            return false;
        memcpy(copy, e.p, e.len);
        exponent = strtol(copy, NULL, 10);
    }
    while (n && digits[n - 1] == '0')
        n--;
    if (n > 28 || labs(exponent) > 200 || point + exponent > 28 || (long)n - (point + exponent) > 28)
        return n == 0 && decimal_from_digits("", 0, 0, false, ret) == DECIMAL_OK;
    return decimal_from_digits(digits, n, (int)(point + exponent), is_negative, ret) == DECIMAL_OK;
}

struct schema_number
schema_number_of_text(struct str text)
{
    struct schema_number n = {0};
    char copy[64], *heap = NULL, *p = copy;

    if (text.len >= sizeof(copy))
        p = heap = xmalloc(text.len + 1);
    if (text.len)
        memcpy(p, text.p, text.len);
    p[text.len] = 0;
    n.d = strtod(p, NULL);
    free(heap);
    n.is_decimal = exact_decimal(text, &n.decimal);
    return n;
}

struct schema_number
schema_number_of(const struct json *j)
{
    return schema_number_of_text(json_text(j));
}

static int
compare_numbers(const struct schema_number *a, const struct schema_number *b)
{
    return a->is_decimal && b->is_decimal ? decimal_compare(a->decimal, b->decimal) : (a->d > b->d) - (a->d < b->d);
}

static bool
is_multiple(const struct schema_number *n, const struct schema_number *of)
{
    struct decimal rest;
    double quotient;

    if (of->d == 0)
        return true;
    if (n->is_decimal && of->is_decimal && decimal_remainder(n->decimal, of->decimal, &rest) == DECIMAL_OK)
        return decimal_is_zero(rest);
    quotient = n->d / of->d;
    return isfinite(quotient) ? quotient == floor(quotient) : fmod(n->d, of->d) == 0;
}

/* Integers as written, others as Newtonsoft writes a double. */
static void
add_number(struct buf *to, const struct json *j)
{
    char text[DOUBLE_TEXT_MAX];
    size_t n;

    if (j->flags & JSON_IS_INTEGER) {
        buf_add_str(to, json_text(j));
        return;
    }
    n = double_to_text(schema_number_of(j).d, text);
    buf_add(to, text, n);
    if (!memchr(text, '.', n) && !memchr(text, 'E', n) && !memchr(text, 'N', n) && !memchr(text, 'I', n))
        buf_add_lit(to, ".0");
}

static void
add_bound(struct buf *to, const struct schema_number *n)
{
    char text[DOUBLE_TEXT_MAX];

    buf_add(to, text, double_to_text(n->d, text));
}

static bool
is_whole(const struct json *j)
{
    double d;

    if (j->flags & JSON_IS_INTEGER)
        return true;
    d = schema_number_of(j).d;
    return isfinite(d) && d == floor(d);
}

/* --- equality ------------------------------------------------------------------------------------------------------ */

/* Keyed: what is compared comes from clients, who could choose values that meet in one slot of a table. */
static uint64_t
hash_part(const struct json *j, struct str s)
{
    return hash_mix(hash_str(s), j->kind);
}

uint64_t
schema_hash_value(const struct json *j)
{
    uint64_t h = hash_part(j, STR(""));
    double d;

    switch ((enum json_kind)j->kind) {
    case JSON_NUMBER:
        d = schema_number_of(j).d;
        d = d == 0 ? 0 : d;
        return hash_part(j, str_from((const char *)&d, sizeof(d)));
    case JSON_STRING:
        return hash_part(j, json_text(j));
    case JSON_ARRAY:
        for (uint32_t i = 0; i < j->n; i++)
            h = hash_mix(h, schema_hash_value(&j->items[i]));
        return h;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < j->n; i++)
            h += hash_mix(schema_hash_value(&j->members[i].value), hash_str(j->members[i].name));
        return h;
    default:
        return h;
    }
}

bool
schema_equal(struct json_schema_run *r, const struct json *a, const struct json *b)
{
    struct schema_number x, y;

    if (!schema_step(r, 1) || a->kind != b->kind)
        return false;
    switch ((enum json_kind)a->kind) {
    case JSON_NUMBER:
        x = schema_number_of(a);
        y = schema_number_of(b);
        return compare_numbers(&x, &y) == 0;
    case JSON_STRING:
        return str_eq(json_text(a), json_text(b));
    case JSON_ARRAY:
        for (uint32_t i = 0; i < a->n && a->n == b->n; i++)
            if (!schema_equal(r, &a->items[i], &b->items[i]))
                return false;
        return a->n == b->n;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < a->n && a->n == b->n; i++) {
            const struct json *other = json_get(b, a->members[i].name);
            if (!schema_step(r, b->n) || !other || !schema_equal(r, &a->members[i].value, other))
                return false;
        }
        return a->n == b->n;
    default:
        return true;
    }
}

/* --- types --------------------------------------------------------------------------------------------------------- */

static const struct { unsigned type; struct str name; } type_names[] = {
    {SCHEMA_STRING, STR_INIT("String")}, {SCHEMA_NUMBER, STR_INIT("Number")}, {SCHEMA_INTEGER, STR_INIT("Integer")},
    {SCHEMA_BOOLEAN, STR_INIT("Boolean")}, {SCHEMA_OBJECT, STR_INIT("Object")}, {SCHEMA_ARRAY, STR_INIT("Array")},
    {SCHEMA_NULL, STR_INIT("Null")},
};

static void
add_types(struct buf *to, unsigned types)
{
    bool is_first = true;

    for (size_t i = 0; i < COUNTOF(type_names); i++) {
        if (!(types & type_names[i].type))
            continue;
        if (!is_first)
            buf_add_lit(to, ", ");
        buf_add_str(to, type_names[i].name);
        is_first = false;
    }
}

static unsigned
type_of(const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_NUMBER: return j->flags & JSON_IS_INTEGER ? SCHEMA_INTEGER : SCHEMA_NUMBER;
    case JSON_STRING: return SCHEMA_STRING;
    case JSON_FALSE:
    case JSON_TRUE: return SCHEMA_BOOLEAN;
    case JSON_OBJECT: return SCHEMA_OBJECT;
    case JSON_ARRAY: return SCHEMA_ARRAY;
    default: return SCHEMA_NULL;
    }
}

bool
schema_check_type(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    unsigned type = type_of(j);
    struct buf b = buf_in(r->arena);

    if (!s->types || s->types & type || (type == SCHEMA_INTEGER && s->types & SCHEMA_NUMBER) ||
        (type == SCHEMA_NUMBER && s->types & SCHEMA_INTEGER && s->takes_whole_floats && is_whole(j)))
        return true;
    if (!wants_message(r))
        return false;
    buf_add_lit(&b, "Invalid type. Expected ");
    add_types(&b, s->types);
    buf_add_lit(&b, " but got ");
    add_types(&b, type);
    buf_add_char(&b, '.');
    return schema_report(r, schema_begin(r, j), &b);
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static bool
fail_number(struct json_schema_run *r, const struct json *j, const char *what, const struct schema_number *bound, const char *tail)
{
    struct buf b = buf_in(r->arena);

    if (!wants_message(r))
        return false;
    buf_add_str(&b, j->flags & JSON_IS_INTEGER ? STR("Integer ") : STR("Float "));
    add_number(&b, j);
    buf_add_str(&b, str_from_c(what));
    add_bound(&b, bound);
    buf_add_str(&b, str_from_c(tail));
    return schema_report(r, schema_begin(r, j), &b);
}

/* sign: 1 for a maximum, -1 for a minimum. */
static bool
check_bound(struct json_schema_run *r, const struct json *j, const struct schema_number *n, const struct schema_bound *bound, int sign)
{
    int order;

    if (!bound->is_set)
        return true;
    order = compare_numbers(n, &bound->n) * sign;
    if (order > 0)
        return fail_number(r, j, sign > 0 ? " exceeds maximum value of " : " is less than minimum value of ", &bound->n, ".");
    if (order == 0 && bound->is_exclusive)
        return fail_number(r, j, sign > 0 ? " equals maximum value of " : " equals minimum value of ", &bound->n,
                           sign > 0 ? " and exclusive maximum is true." : " and exclusive minimum is true.");
    return true;
}

bool
schema_check_number(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct schema_number n = schema_number_of(j);
    bool ok = check_bound(r, j, &n, &s->maximum, 1);

    ok = (ok || goes_on(r)) && check_bound(r, j, &n, &s->exclusive_maximum, 1) && ok;
    ok = (ok || goes_on(r)) && check_bound(r, j, &n, &s->minimum, -1) && ok;
    ok = (ok || goes_on(r)) && check_bound(r, j, &n, &s->exclusive_minimum, -1) && ok;
    if ((ok || goes_on(r)) && s->multiple_of.is_set && !is_multiple(&n, &s->multiple_of.n))
        ok = fail_number(r, j, " is not a multiple of ", &s->multiple_of.n, ".");
    return ok;
}

/* --- texts --------------------------------------------------------------------------------------------------------- */

bool
schema_matches(struct json_schema_run *r, const struct schema_pattern *p, struct str text)
{
    struct regex_span spans[64], *all = spans;
    enum regex_status status;

    if (!schema_step(r, 1 + text.len / 64))
        return false;
    if (regex_groups(p->regex) > COUNTOF(spans) &&
        !(all = arena_new_array(r->arena, struct regex_span, regex_groups(p->regex))))
        return schema_give_up(r, ERR_NO_MEMORY, "no memory left for a pattern");
    status = regex_match(p->regex, text, 0, r->regex_steps, all);
    if (status == REGEX_TOO_LONG || status == REGEX_NO_MEMORY)
        schema_give_up(r, ERR_LIMIT, "Timeout when matching regex pattern '%.*s'.", STR_ARG(p->text));
    return status == REGEX_MATCH;
}

static bool
check_pattern(struct json_schema_run *r, const struct schema_pattern *p, const struct json *j)
{
    struct str text = json_text(j);

    if (!p)
        return true;
    if (!p->regex)
        return schema_fail(r, schema_begin(r, j),
                           "Could not validate string with regex pattern '%.*s'. There was an error parsing the regex: "
                           "%.*s", STR_ARG(p->text), STR_ARG(p->problem));
    return schema_matches(r, p, text) || schema_fail(r, schema_begin(r, j),
                                                     "String '%.*s' does not match regex pattern '%.*s'.", STR_ARG(text),
                                                     STR_ARG(p->text));
}

/* Code points; an accent put after its letter counts with it, as .NET's text elements do. */
static int64_t
text_length(struct str s)
{
    int64_t n = 0;

    if (utf8_is_ascii(s))
        return (int64_t)s.len;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = utf8_next(s, &at);
        n += !(n > 0 && c >= 0x300 && c <= 0x36f);
    }
    return n;
}

static bool
check_length(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct str text = json_text(j);
    int64_t n = s->min_length >= 0 || s->max_length >= 0 ? text_length(text) : 0;
    bool ok = true;

    if (s->max_length >= 0 && n > s->max_length)
        ok = schema_fail(r, schema_begin(r, j),
                         "String '%.*s' exceeds maximum length of %" PRId64 ".", STR_ARG(text), s->max_length);
    if ((ok || goes_on(r)) && s->min_length >= 0 && n < s->min_length)
        ok = schema_fail(r, schema_begin(r, j),
                         "String '%.*s' is less than minimum length of %" PRId64 ".", STR_ARG(text), s->min_length);
    return ok;
}

static bool
is_base64(struct json_schema_run *r, struct str text)
{
    struct buf scratch = buf_in(r->arena);

    return codec_base64_decode(&scratch, text, NULL);
}

bool
schema_check_string(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct str text = json_text(j);
    bool ok = check_length(r, s, j);

    ok = (ok || goes_on(r)) && check_pattern(r, s->pattern, j) && ok;
    if ((ok || goes_on(r)) && s->is_base64 && !is_base64(r, text))
        ok = schema_fail(r, schema_begin(r, j),
                         "String '%.*s' does not validate against content encoding 'base64'.", STR_ARG(text));
    if ((ok || goes_on(r)) && s->format != FORMAT_NONE && !schema_format_check(s->format, text))
        ok = schema_fail(r, schema_begin(r, j), "String '%.*s' does not validate against format '%.*s'.", STR_ARG(text),
                         STR_ARG(s->format_name));
    return ok;
}

/* --- enum, const ----------------------------------------------------------------------------------------------------- */

static bool
fail_value(struct json_schema_run *r, const struct json *j, const char *what)
{
    struct buf b = buf_in(r->arena);
    struct json_writer w = JSON_WRITER(&b);

    if (!wants_message(r))
        return false;
    buf_add_lit(&b, "Value ");
    if (j->kind == JSON_NUMBER)
        add_number(&b, j);
    else
        json_write(&w, j);
    buf_add_str(&b, str_from_c(what));
    return schema_report(r, schema_end(r, j), &b);
}

bool
schema_check_values(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    bool ok = !s->values;

    for (uint32_t i = 0; i < s->n_values && !ok; i++)
        ok = schema_equal(r, s->values[i], j);
    if (!ok)
        fail_value(r, j, " is not defined in enum.");
    if ((ok || goes_on(r)) && s->constant && !schema_equal(r, s->constant, j))
        ok = fail_value(r, j, " does not match const.");
    return ok;
}
