/* json_schema_validate.c: a value against a schema.
 *
 * Errors come in the order in which a reader from front to back would meet them: the type when a value begins, then what is
 * inside, and at its end enum, schemas over the same value (allOf ...), counts. What a failed allOf, anyOf ... found inside itself
 * is not told, only that it failed; inside it nothing is reported (run->quiet) and the first mistake ends it.
 * Which members or elements were looked at is kept in bits (struct seen), only below a schema that asks for it
 * (unevaluatedProperties, unevaluatedItems, additional properties forbidden by the caller).
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "data/double_text.h"
#include "data/json_schema_tree.h"
#include "data/regex.h"

/* Resources entered on the way, for $dynamicRef and $recursiveRef. */
struct scope {
    const struct scope *outer;
    const struct schema_resource *resource;
};

/* One bit a member or element of the value at work. */
struct seen {
    uint64_t *bits;
    uint32_t n;
};

static bool check(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                  struct seen *seen);

/* --- positions ----------------------------------------------------------------------------------------------------- */

/* Where the value that begins at `at` ends. The text has been parsed, so it is well-formed. */
static size_t
value_end(struct str text, size_t at)
{
    unsigned depth = 0;

    do {
        char c = text.p[at];

        if (c == '"') {
            for (at++; at < text.len && text.p[at] != '"'; at++)
                at += text.p[at] == '\\';
            at++;
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']') {
            depth--;
            at++;
        } else if (ascii_is_blank(c) || c == ',' || c == ':') {
            at++;
        } else {
            while (at < text.len && !ascii_is_blank(text.p[at]) && !strchr(",]}", text.p[at]))
                at++;
        }
    } while (depth && at < text.len);
    return MIN(at, text.len);
}

/* A reader stops behind the first sign of a container, behind all of anything else. */
static size_t
begin_of(const struct json_schema_run *r, const struct json *j)
{
    return j->kind == JSON_OBJECT || j->kind == JSON_ARRAY ? j->at + 1 : value_end(r->text, j->at);
}

/* Behind the colon of a member. */
static size_t
name_end(const struct json_schema_run *r, const struct json *value)
{
    size_t at = value->at;

    while (at > 0 && r->text.p[at - 1] != ':')
        at--;
    return at;
}

static void
set_position(struct json_schema_run *r, size_t at, struct json_schema_error *e)
{
    if (at < r->cursor)
        r->cursor = r->cursor_line_at = r->cursor_line = 0;
    for (; r->cursor < at && r->cursor < r->text.len; r->cursor++) {
        char c = r->text.p[r->cursor];

        if (c == '\n' || (c == '\r' && (r->cursor + 1 == r->text.len || r->text.p[r->cursor + 1] != '\n'))) {
            r->cursor_line++;
            r->cursor_line_at = r->cursor + 1;
        }
    }
    e->line = r->cursor_line + 1;
    e->position = (uint32_t)utf8_units(str_sub(r->text, r->cursor_line_at, at));
}

/* --- errors -------------------------------------------------------------------------------------------------------- */

static bool
give_up(struct json_schema_run *r, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool
give_up(struct json_schema_run *r, enum err_code code, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (r->failed.code != ERR_NONE)
        return false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(&r->failed, code, "%s", text);
}

static bool
step(struct json_schema_run *r, uint64_t n)
{
    r->steps += n;
    return r->failed.code == ERR_NONE &&
           (r->steps <= r->steps_max || give_up(r, ERR_LIMIT, "the validation took more than %" PRIu64 " steps", r->steps_max));
}

/* Whether it is worth going on after an error. */
static bool
goes_on(const struct json_schema_run *r)
{
    return !r->quiet && !r->only_first && r->n_errors < SCHEMA_ERRORS_MAX && r->failed.code == ERR_NONE;
}

/* The buffer of a message, or NULL when nobody asks for it. */
static bool
wants_message(const struct json_schema_run *r)
{
    return !r->quiet && r->n_errors < SCHEMA_ERRORS_MAX && r->failed.code == ERR_NONE;
}

#define MESSAGE_MAX ((size_t)64 << 10)

/* Always false. */
static bool
report(struct json_schema_run *r, size_t at, struct buf *message)
{
    struct json_schema_error *grown;

    if (message->len > MESSAGE_MAX) {
        message->len = MESSAGE_MAX;
        while (message->len && ((unsigned char)message->p[message->len] & 0xc0) == 0x80)
            message->len--;
        buf_add_lit(message, "...");
    }
    grown = arena_grow(r->arena, r->errors, r->n_errors * sizeof(*grown), (r->n_errors + 1) * sizeof(*grown), _Alignof(*grown));
    if (!grown || message->failed)
        return give_up(r, ERR_NO_MEMORY, "no memory left for the errors of a validation");
    r->errors = grown;
    grown[r->n_errors].message = buf_str(message);
    set_position(r, at, &grown[r->n_errors]);
    r->n_errors++;
    return false;
}

static bool PRINTF_LIKE(3, 4)
fail(struct json_schema_run *r, size_t at, const char *fmt, ...)
{
    struct buf b = buf_in(r->arena);
    va_list ap;

    if (!wants_message(r))
        return false;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return report(r, at, &b);
}

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
    memcpy(p, text.p ? text.p : "", text.len);
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

static uint64_t
hash_text(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Equal values have equal hashes: numbers by their value, members in any order. */
static uint64_t
hash_value(const struct json *j)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) + j->kind;
    double d;

    switch ((enum json_kind)j->kind) {
    case JSON_NUMBER:
        d = schema_number_of(j).d;
        d = d == 0 ? 0 : d;
        return hash_text(h, str_from((const char *)&d, sizeof(d)));
    case JSON_STRING:
        return hash_text(h, json_text(j));
    case JSON_ARRAY:
        for (uint32_t i = 0; i < j->n; i++)
            h = h * 31 + hash_value(&j->items[i]);
        return h;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < j->n; i++)
            h += hash_text(hash_value(&j->members[i].value), j->members[i].name);
        return h;
    default:
        return h;
    }
}

static bool
equal(struct json_schema_run *r, const struct json *a, const struct json *b)
{
    struct schema_number x, y;

    if (!step(r, 1) || a->kind != b->kind)
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
            if (!equal(r, &a->items[i], &b->items[i]))
                return false;
        return a->n == b->n;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < a->n && a->n == b->n; i++) {
            const struct json *other = json_get(b, a->members[i].name);
            if (!step(r, b->n) || !other || !equal(r, &a->members[i].value, other))
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

static bool
check_type(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
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
    return report(r, begin_of(r, j), &b);
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
    return report(r, begin_of(r, j), &b);
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

static bool
check_number(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
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

static bool
matches(struct json_schema_run *r, const struct schema_pattern *p, struct str text)
{
    struct regex_span spans[64], *all = spans;
    enum regex_status status;

    if (!step(r, 1 + text.len / 64))
        return false;
    if (regex_groups(p->regex) > COUNTOF(spans) &&
        !(all = arena_new_array(r->arena, struct regex_span, regex_groups(p->regex))))
        return give_up(r, ERR_NO_MEMORY, "no memory left for a pattern");
    status = regex_match(p->regex, text, 0, r->regex_steps, all);
    if (status == REGEX_TOO_LONG || status == REGEX_NO_MEMORY)
        give_up(r, ERR_LIMIT, "Timeout when matching regex pattern '%.*s'.", STR_ARG(p->text));
    return status == REGEX_MATCH;
}

static bool
check_pattern(struct json_schema_run *r, const struct schema_pattern *p, const struct json *j)
{
    struct str text = json_text(j);

    if (!p)
        return true;
    if (!p->regex)
        return fail(r, begin_of(r, j), "Could not validate string with regex pattern '%.*s'. There was an error parsing the regex: "
                                       "%.*s", STR_ARG(p->text), STR_ARG(p->problem));
    return matches(r, p, text) || fail(r, begin_of(r, j), "String '%.*s' does not match regex pattern '%.*s'.", STR_ARG(text),
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
        ok = fail(r, begin_of(r, j), "String '%.*s' exceeds maximum length of %" PRId64 ".", STR_ARG(text), s->max_length);
    if ((ok || goes_on(r)) && s->min_length >= 0 && n < s->min_length)
        ok = fail(r, begin_of(r, j), "String '%.*s' is less than minimum length of %" PRId64 ".", STR_ARG(text), s->min_length);
    return ok;
}

static bool
is_base64(struct json_schema_run *r, struct str text)
{
    struct buf scratch = buf_in(r->arena);

    return codec_base64_decode(&scratch, text, NULL);
}

static bool
check_string(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct str text = json_text(j);
    bool ok = check_length(r, s, j);

    ok = (ok || goes_on(r)) && check_pattern(r, s->pattern, j) && ok;
    if ((ok || goes_on(r)) && s->is_base64 && !is_base64(r, text))
        ok = fail(r, begin_of(r, j), "String '%.*s' does not validate against content encoding 'base64'.", STR_ARG(text));
    if ((ok || goes_on(r)) && s->format != FORMAT_NONE && !schema_format_check(s->format, text))
        ok = fail(r, begin_of(r, j), "String '%.*s' does not validate against format '%.*s'.", STR_ARG(text),
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
    return report(r, value_end(r->text, j->at), &b);
}

static bool
check_values(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    bool ok = !s->values;

    for (uint32_t i = 0; i < s->n_values && !ok; i++)
        ok = equal(r, s->values[i], j);
    if (!ok)
        fail_value(r, j, " is not defined in enum.");
    if ((ok || goes_on(r)) && s->constant && !equal(r, s->constant, j))
        ok = fail_value(r, j, " does not match const.");
    return ok;
}

/* --- what was looked at ---------------------------------------------------------------------------------------------- */

static void
mark(struct seen *seen, uint32_t i)
{
    if (seen)
        seen->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool
is_marked(const struct seen *seen, uint32_t i)
{
    return seen->bits[i / 64] >> (i % 64) & 1;
}

static void
merge(struct seen *into, const struct seen *from)
{
    for (uint32_t i = 0; into && i < (from->n + 63) / 64; i++)
        into->bits[i] |= from->bits[i];
}

static bool
seen_new(struct json_schema_run *r, const struct json *j, struct seen *ret)
{
    uint32_t n = (uint32_t)json_count(j);

    *ret = (struct seen){arena_new_array(r->arena, uint64_t, n / 64 + 1), n};
    return ret->bits || give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
}

/* --- schemas over the same value ----------------------------------------------------------------------------------------- */

/* Validity alone; what the schema looked at counts only when it holds. */
static bool
holds(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    struct seen own = {NULL, 0};
    bool ok;

    if (seen && !seen_new(r, j, &own))
        return false;
    r->quiet++;
    ok = check(r, s, j, scope, seen ? &own : NULL);
    r->quiet--;
    if (ok && seen)
        merge(seen, &own);
    return ok;
}

/* "0, 2" of the schemas for which `held` says `wanted`. */
static void
add_indexes(struct buf *to, const bool *held, uint32_t n, bool wanted)
{
    bool is_first = true;

    for (uint32_t i = 0; i < n; i++) {
        if (held[i] != wanted)
            continue;
        if (!is_first)
            buf_add_lit(to, ", ");
        buf_add_u64(to, i);
        is_first = false;
    }
}

static bool
fail_list(struct json_schema_run *r, const struct json *j, const char *what, const bool *held, uint32_t n, bool wanted)
{
    struct buf b = buf_in(r->arena);

    if (!wants_message(r))
        return false;
    buf_add_str(&b, str_from_c(what));
    add_indexes(&b, held, n, wanted);
    buf_add_char(&b, '.');
    return report(r, value_end(r->text, j->at), &b);
}

/* How many of a list hold; held[i] tells which. quiet stops at `enough` that do, or do not. */
static bool
count_held(struct json_schema_run *r, const struct schema_list *list, const struct json *j, const struct scope *scope,
           struct seen *seen, bool **ret_held, uint32_t *ret_n)
{
    bool *held = arena_new_array(r->arena, bool, list->n + 1);

    *ret_n = 0;
    *ret_held = held;
    if (!held)
        return give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
    for (uint32_t i = 0; i < list->n && r->failed.code == ERR_NONE; i++)
        *ret_n += held[i] = holds(r, list->v[i], j, scope, seen);
    return r->failed.code == ERR_NONE;
}

static bool
check_all_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool *held;
    uint32_t n;

    if (r->quiet) {                   /* nobody asks which */
        for (uint32_t i = 0; i < s->all_of.n; i++)
            if (!check(r, s->all_of.v[i], j, scope, seen))
                return false;
        return true;
    }
    if (!count_held(r, &s->all_of, j, scope, seen, &held, &n))
        return false;
    return n == s->all_of.n || fail_list(r, j, "JSON does not match all schemas from 'allOf'. Invalid schema indexes: ", held,
                                         s->all_of.n, false);
}

static bool
check_any_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool ok = false;

    for (uint32_t i = 0; i < s->any_of.n && (!ok || seen); i++)
        ok |= holds(r, s->any_of.v[i], j, scope, seen);
    return ok || fail(r, value_end(r->text, j->at), "JSON does not match any schemas from 'anyOf'.");
}

static bool
check_one_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool *held;
    uint32_t n;

    if (!count_held(r, &s->one_of, j, scope, seen, &held, &n))
        return false;
    if (n > 1)
        return fail_list(r, j, "JSON is valid against more than one schema from 'oneOf'. Valid schema indexes: ", held,
                         s->one_of.n, true);
    return n == 1 || fail(r, value_end(r->text, j->at), "JSON is valid against no schemas from 'oneOf'.");
}

static bool
check_if(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool met = holds(r, s->if_, j, scope, seen);
    const struct json_schema *next = met ? s->then : s->else_;

    if (!next || holds(r, next, j, scope, seen))
        return true;
    return fail(r, value_end(r->text, j->at), "JSON does not match schema from '%s'.", met ? "then" : "else");
}

/* The outermost resource on the way that has the anchor, or may recurse, has the say. */
static const struct json_schema *
dynamic_target(const struct json_schema *s, const struct scope *scope)
{
    const struct json_schema *found = s->ref;

    for (; scope; scope = scope->outer) {
        if (s->is_recursive_ref && scope->resource->root_schema)
            found = scope->resource->root_schema;
        for (const struct schema_anchor *a = s->dynamic.p ? scope->resource->anchors : NULL; a; a = a->next)
            if (a->schema && str_eq(a->name, s->dynamic))
                found = a->schema;
    }
    return found;
}

static bool
check_dependent_schemas(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                        struct seen *seen)
{
    bool ok = true;

    for (uint32_t i = 0; i < s->n_dependencies && (ok || goes_on(r)); i++) {
        const struct schema_dependency *d = &s->dependencies[i];
        if (d->schema && json_get(j, d->name) && !holds(r, d->schema, j, scope, seen))
            ok = fail(r, value_end(r->text, j->at), "Dependencies for property '%.*s' failed.", STR_ARG(d->name));
    }
    return ok;
}

static bool
check_same_value(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                 struct seen *seen)
{
    bool ok = true;

    if (s->ref)
        ok = check(r, s->dynamic.p || s->is_recursive_ref ? dynamic_target(s, scope) : s->ref, j, scope, seen);
    if (s->all_of.n && (ok || goes_on(r)))
        ok = check_all_of(r, s, j, scope, seen) && ok;
    if (s->any_of.n && (ok || goes_on(r)))
        ok = check_any_of(r, s, j, scope, seen) && ok;
    if (s->one_of.n && (ok || goes_on(r)))
        ok = check_one_of(r, s, j, scope, seen) && ok;
    if (s->not && (ok || goes_on(r)) && holds(r, s->not, j, scope, seen))
        ok = fail(r, value_end(r->text, j->at), "JSON is valid against schema from 'not'.");
    if (s->if_ && (ok || goes_on(r)))
        ok = check_if(r, s, j, scope, seen) && ok;
    if (s->n_dependencies && j->kind == JSON_OBJECT && (ok || goes_on(r)))
        ok = check_dependent_schemas(r, s, j, scope, seen) && ok;
    return ok;
}

/* --- objects ------------------------------------------------------------------------------------------------------- */

const struct schema_property *
schema_find_property(const struct json_schema *s, struct str name, bool ignore_case)
{
    uint32_t hash;

    if (ignore_case) {
        for (uint32_t i = 0; i < s->n_properties; i++)
            if (str_eq_nocase(s->properties[i].name, name))
                return &s->properties[i];
        return NULL;
    }
    if (!s->n_properties)
        return NULL;
    hash = schema_name_hash(name);
    for (uint32_t at = hash & (s->slots_size - 1); s->slots[at]; at = (at + 1) & (s->slots_size - 1)) {
        const struct schema_property *p = &s->properties[s->slots[at] - 1];
        if (p->hash == hash && str_eq(p->name, name))
            return p;
    }
    return NULL;
}

static bool
has_member(const struct json_schema_run *r, const struct json *j, struct str name)
{
    if (!r->ignore_case)
        return json_get(j, name) != NULL;
    for (uint32_t i = 0; i < j->n; i++)
        if (str_eq_nocase(j->members[i].name, name))
            return true;
    return false;
}

static bool
fail_additional(struct json_schema_run *r, const struct json_member *m)
{
    return fail(r, name_end(r, &m->value), "Property '%.*s' has not been defined and the schema does not allow additional "
                                           "properties.", STR_ARG(m->name));
}

/* The name itself as a value. */
static bool
check_name(struct json_schema_run *r, const struct json_schema *s, const struct json_member *m, const struct scope *scope)
{
    struct json name = {.kind = JSON_STRING, .n = (uint32_t)m->name.len, .at = m->value.at};
    size_t before = r->n_errors;
    bool ok;

    name.p = m->name.p;
    ok = check(r, s, &name, scope, NULL);
    for (size_t i = before; i < r->n_errors; i++) {   /* a reader is behind the colon, then */
        r->cursor = r->cursor_line = 0;
        r->cursor_line_at = 0;
        set_position(r, name_end(r, &m->value), &r->errors[i]);
    }
    return ok;
}

/* One member by properties, patternProperties, additionalProperties. */
static bool
check_member(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint32_t i, const struct scope *scope,
             struct seen *seen, uint64_t *required_left)
{
    const struct json_member *m = &j->members[i];
    const struct schema_property *p = schema_find_property(s, m->name, r->ignore_case);
    bool ok = true, is_defined = p && p->schema;

    if (p && p->is_required && !r->ignore_case)
        --*required_left;
    if (s->names)
        ok = check_name(r, s->names, m, scope);
    for (uint32_t k = 0; k < s->n_patterns && !is_defined; k++)
        is_defined = s->patterns[k].regex && matches(r, &s->patterns[k], m->name);
    if (is_defined)
        mark(seen, i);
    else if (s->additional.kind == REST_NONE && r->additional == ADDITIONAL_AS_SCHEMA && (ok || goes_on(r)))
        ok = fail_additional(r, m);
    if (p && p->schema && (ok || goes_on(r)))
        ok = check(r, p->schema, &m->value, scope, NULL) && ok;
    for (uint32_t k = 0; k < s->n_patterns && (ok || goes_on(r)); k++)
        if (s->patterns[k].regex && matches(r, &s->patterns[k], m->name))
            ok = check(r, s->patterns[k].schema, &m->value, scope, NULL) && ok;
    if (!is_defined && s->additional.kind != REST_UNSAID && r->additional != ADDITIONAL_FORBIDDEN)
        mark(seen, i);
    if (!is_defined && s->additional.kind == REST_SCHEMA && (ok || goes_on(r)))
        ok = check(r, s->additional.schema, &m->value, scope, NULL) && ok;
    return ok && r->failed.code == ERR_NONE;
}

static uint64_t
count_missing(const struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n_required; i++)
        n += !has_member(r, j, s->properties[s->required[i]].name);
    return n;
}

static bool
fail_required(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct buf b = buf_in(r->arena);
    bool is_first = true;

    if (!wants_message(r))
        return false;
    buf_add_lit(&b, "Required properties are missing from object: ");
    for (uint32_t i = 0; i < s->n_required; i++) {
        struct str name = s->properties[s->required[i]].name;

        if (has_member(r, j, name))
            continue;
        if (!is_first)
            buf_add_lit(&b, ", ");
        buf_add_str(&b, name);
        is_first = false;
    }
    buf_add_char(&b, '.');
    return report(r, value_end(r->text, j->at), &b);
}

static bool
check_dependent_names(struct json_schema_run *r, const struct json *j, const struct schema_dependency *d)
{
    struct buf b = buf_in(r->arena);
    bool is_first = true;

    for (uint32_t i = 0; i < d->n_required; i++) {
        if (has_member(r, j, d->required[i]))
            continue;
        if (!wants_message(r))
            return false;
        if (is_first)
            buf_printf(&b, "Dependencies for property '%.*s' failed. Missing required keys: ", STR_ARG(d->name));
        else
            buf_add_lit(&b, ", ");
        buf_add_str(&b, d->required[i]);
        is_first = false;
    }
    if (is_first)
        return true;
    buf_add_char(&b, '.');
    return report(r, value_end(r->text, j->at), &b);
}

static bool
rest_takes(struct json_schema_run *r, const struct schema_rest *rest, const struct json *j, const struct scope *scope)
{
    return rest->kind != REST_NONE && (rest->kind != REST_SCHEMA || holds(r, rest->schema, j, scope, NULL));
}

static bool
check_unevaluated_members(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                          struct seen *seen)
{
    bool forbids = r->additional == ADDITIONAL_FORBIDDEN, ok = true;

    for (uint32_t i = 0; i < j->n && (ok || goes_on(r)); i++) {
        const struct json_member *m = &j->members[i];

        if (is_marked(seen, i))
            continue;
        if (forbids)
            ok = fail_additional(r, m);
        else if (r->additional == ADDITIONAL_AS_SCHEMA && !rest_takes(r, &s->unevaluated_properties, &m->value, scope))
            ok = fail(r, value_end(r->text, j->at), "Property '%.*s' has not been successfully evaluated and the schema does not "
                                                    "allow unevaluated properties.", STR_ARG(m->name));
        if (s->unevaluated_properties.kind != REST_UNSAID)
            mark(seen, i);
    }
    return ok;
}

/* What is checked when an object has been read, but for the schemas over the same value. */
static bool
check_object_end(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint64_t required_left)
{
    size_t end = j->at;
    bool ok = true;

    if (required_left)
        ok = fail_required(r, s, j);
    if (s->max_properties >= 0 && j->n > s->max_properties && (ok || goes_on(r)))
        ok = fail(r, value_end(r->text, end), "Object property count %" PRIu32 " exceeds maximum count of %" PRId64 ".", j->n,
                  s->max_properties);
    if (s->min_properties >= 0 && j->n < s->min_properties && (ok || goes_on(r)))
        ok = fail(r, value_end(r->text, end), "Object property count %" PRIu32 " is less than minimum count of %" PRId64 ".", j->n,
                  s->min_properties);
    for (uint32_t i = 0; i < s->n_dependencies && (ok || goes_on(r)); i++)
        if (!s->dependencies[i].schema && has_member(r, j, s->dependencies[i].name))
            ok = check_dependent_names(r, j, &s->dependencies[i]) && ok;
    for (uint32_t i = 0; i < s->n_patterns && (ok || goes_on(r)); i++)
        if (!s->patterns[i].regex)
            ok = fail(r, value_end(r->text, end), "Could not test property names with regex pattern '%.*s'. There was an error "
                      "parsing the regex: %.*s", STR_ARG(s->patterns[i].text), STR_ARG(s->patterns[i].problem));
    return ok;
}

static bool
check_object(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    uint64_t required_left = r->ignore_case ? count_missing(r, s, j) : s->n_required;
    bool ok = true, has_members = s->n_properties || s->n_patterns || s->additional.kind != REST_UNSAID || s->names;

    for (uint32_t i = 0; has_members && i < j->n && (ok || goes_on(r)); i++)
        ok = step(r, 1) && check_member(r, s, j, i, scope, seen, &required_left) && ok;
    if (!ok && !goes_on(r))
        return false;
    ok = check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, seen) && ok;
    if (ok || goes_on(r))
        ok = check_object_end(r, s, j, required_left) && ok;
    return ok;
}

/* --- arrays -------------------------------------------------------------------------------------------------------- */

/* A table of what was there before, by hash. */
struct unique {
    uint32_t *slots;
    uint64_t *hashes;
    uint32_t mask;
};

static bool
unique_init(struct json_schema_run *r, const struct json *j, struct unique *u)
{
    uint32_t size = 4;

    while (size < 2 * j->n)
        size *= 2;
    u->mask = size - 1;
    u->slots = arena_new_array(r->arena, uint32_t, size);
    u->hashes = arena_new_array(r->arena, uint64_t, j->n + 1);
    return (u->slots && u->hashes) || give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
}

/* Whether element i equals an earlier one; remembers it. */
static bool
is_repeated(struct json_schema_run *r, const struct json *j, uint32_t i, struct unique *u)
{
    uint64_t h = hash_value(&j->items[i]);
    uint32_t at = (uint32_t)(h >> 20) & u->mask;

    for (; u->slots[at]; at = (at + 1) & u->mask) {
        uint32_t other = u->slots[at] - 1;
        if (u->hashes[other] == h && equal(r, &j->items[other], &j->items[i]))
            return true;
    }
    u->slots[at] = i + 1;
    u->hashes[i] = h;
    return false;
}

static bool
check_item(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint32_t i, const struct scope *scope,
           struct seen *seen)
{
    const struct json *item = &j->items[i];

    if (i < s->prefix.n) {
        mark(seen, i);
        return check(r, s->prefix.v[i], item, scope, NULL);
    }
    if (s->items.kind == REST_UNSAID)
        return true;
    mark(seen, i);
    if (s->items.kind == REST_NONE) {
        if (s->has_tuple)
            return fail(r, begin_of(r, item), "Index %" PRIu32 " has not been defined and the schema does not allow additional items.",
                        i + 1);
        return fail(r, begin_of(r, item), "Schema always fails validation.");
    }
    return s->items.kind == REST_ANY || check(r, s->items.schema, item, scope, NULL);
}

static bool
check_contains(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
               struct seen *seen)
{
    enum schema_additional additional = r->additional;
    int64_t n = 0;
    bool ok = true;

    r->additional = ADDITIONAL_AS_SCHEMA;   /* it asks whether there is one, and says nothing of the others */
    for (uint32_t i = 0; i < j->n && r->failed.code == ERR_NONE; i++) {
        if (!step(r, 1) || !holds(r, s->contains, &j->items[i], scope, NULL))
            continue;
        n++;
        if (s->contains_evaluates)
            mark(seen, i);
    }
    r->additional = additional;
    if (s->min_contains >= 0 && n < s->min_contains)
        ok = fail(r, value_end(r->text, j->at), "Contains match count %" PRId64 " is less than minimum contains count of %" PRId64 ".",
                  n, s->min_contains);
    else if (s->min_contains < 0 && n == 0)
        ok = fail(r, value_end(r->text, j->at), "No items match contains.");
    if (s->max_contains >= 0 && n > s->max_contains && (ok || goes_on(r)))
        ok = fail(r, value_end(r->text, j->at), "Contains match count %" PRId64 " exceeds maximum contains count of %" PRId64 ".", n,
                  s->max_contains);
    return ok;
}

static bool
check_array_end(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                struct seen *seen)
{
    bool ok = true;

    if (s->max_items >= 0 && j->n > s->max_items)
        ok = fail(r, value_end(r->text, j->at), "Array item count %" PRIu32 " exceeds maximum count of %" PRId64 ".", j->n,
                  s->max_items);
    if (s->min_items >= 0 && j->n < s->min_items && (ok || goes_on(r)))
        ok = fail(r, value_end(r->text, j->at), "Array item count %" PRIu32 " is less than minimum count of %" PRId64 ".", j->n,
                  s->min_items);
    if (s->contains && (ok || goes_on(r)))
        ok = check_contains(r, s, j, scope, seen) && ok;
    return ok;
}

static bool
check_unevaluated_items(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                        struct seen *seen)
{
    bool ok = true;

    for (uint32_t i = 0; i < j->n && (ok || goes_on(r)); i++) {
        if (is_marked(seen, i))
            continue;
        if (!rest_takes(r, &s->unevaluated_items, &j->items[i], scope))
            ok = fail(r, value_end(r->text, j->at), "Item at index %" PRIu32 " has not been successfully evaluated and the schema "
                                                    "does not allow unevaluated items.", i);
        if (s->unevaluated_items.kind != REST_UNSAID)
            mark(seen, i);
    }
    return ok;
}

static bool
check_array(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool ok = true, has_items = s->prefix.n || s->items.kind != REST_UNSAID || s->unique_items;
    struct unique u = {0};

    if (s->unique_items && !unique_init(r, j, &u))
        return false;
    for (uint32_t i = 0; has_items && i < j->n && (ok || goes_on(r)); i++) {
        ok = step(r, 1) && check_item(r, s, j, i, scope, seen) && ok;
        if (s->unique_items && (ok || goes_on(r)) && is_repeated(r, j, i, &u))
            ok = fail(r, value_end(r->text, j->items[i].at), "Non-unique array item at index %" PRIu32 ".", i);
    }
    if (!ok && !goes_on(r))
        return false;
    ok = check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, seen) && ok;
    if (ok || goes_on(r))
        ok = check_array_end(r, s, j, scope, seen) && ok;
    return ok;
}

/* --- any value ----------------------------------------------------------------------------------------------------- */

static bool
check_scalar(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope)
{
    bool ok = true;

    if (j->kind == JSON_NUMBER)
        ok = check_number(r, s, j);
    else if (j->kind == JSON_STRING)
        ok = check_string(r, s, j);
    if (ok || goes_on(r))
        ok = check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, NULL) && ok;
    return ok;
}

static bool
check_by_kind(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    if (s->always_false)
        return fail(r, begin_of(r, j), "Schema always fails validation.");
    if (!check_type(r, s, j))
        return false;
    if (j->kind == JSON_OBJECT)
        return check_object(r, s, j, scope, seen);
    return j->kind == JSON_ARRAY ? check_array(r, s, j, scope, seen) : check_scalar(r, s, j, scope);
}

/* A schema that asks what was looked at keeps books of its own, and hands them on. */
static bool
check_tracking(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
               struct seen *seen)
{
    struct seen own;
    bool ok;

    if (!seen_new(r, j, &own))
        return false;
    ok = check_by_kind(r, s, j, scope, &own);
    if (j->kind == JSON_OBJECT && (ok || goes_on(r)))
        ok = check_unevaluated_members(r, s, j, scope, &own) && ok;
    if (j->kind == JSON_ARRAY && (ok || goes_on(r)))
        ok = check_unevaluated_items(r, s, j, scope, &own) && ok;
    if (seen)
        merge(seen, &own);
    return ok;
}

static bool
check(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    struct scope inner = {scope, s->resource};
    bool tracks = s->tracks || (r->additional == ADDITIONAL_FORBIDDEN && !seen && j->kind == JSON_OBJECT), ok;

    if (!step(r, 1))
        return false;
    if (++r->depth > SCHEMA_DEPTH_MAX)
        return give_up(r, ERR_LIMIT, "the schema refers to itself more than %d levels deep", SCHEMA_DEPTH_MAX);
    if (!scope || scope->resource != s->resource)
        scope = &inner;
    ok = tracks && json_count(j) ? check_tracking(r, s, j, scope, seen) : check_by_kind(r, s, j, scope, seen);
    r->depth--;
    return ok && r->failed.code == ERR_NONE;
}

bool
json_schema_validate(const struct json_schema *s, const struct json *value, struct json_schema_run *r)
{
    r->errors = NULL;
    r->n_errors = 0;
    r->failed = ERR_INIT;
    r->steps = 0;
    r->depth = r->quiet = 0;
    r->cursor = r->cursor_line_at = 0;
    r->cursor_line = 0;
    return check(r, s, value, NULL, NULL) && r->failed.code == ERR_NONE;
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

#define REFERENCES_MAX 32

static const struct json_schema *
behind_references(const struct json_schema *s)
{
    for (int i = 0; s && s->ref && !s->types && i < REFERENCES_MAX; i++)
        s = s->ref;
    return s;
}

unsigned
json_schema_types(const struct json_schema *s)
{
    s = behind_references(s);
    if (!s)
        return 0;
    for (uint32_t i = 0; !s->types && i < s->all_of.n; i++)
        if (json_schema_types(s->all_of.v[i]))
            return json_schema_types(s->all_of.v[i]);
    return s->types;
}

const struct json_schema *
json_schema_items(const struct json_schema *s)
{
    s = behind_references(s);
    return s ? s->items.schema : NULL;
}

const struct json_schema *
json_schema_property(const struct json_schema *s, struct str name)
{
    const struct schema_property *p;

    s = behind_references(s);
    p = s ? schema_find_property(s, name, false) : NULL;
    return p ? p->schema : s ? s->additional.schema : NULL;
}
