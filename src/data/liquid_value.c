/* liquid_value.c: what DotLiquid and the .NET functions below it do with values: text, equality, order, conversions, members.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "data/double_text.h"
#include "data/liquid_tree.h"

#define RENDER_DEPTH_MAX 64           /* lists inside lists, when printed or flattened */

/* --- problems ------------------------------------------------------------------------------------------------------ */

static bool
throw(struct liquid_run *run, bool is_syntax, const char *fmt, va_list ap)
{
    char text[ERR_TEXT_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    run->thrown = str_dup(run->arena, str_from_c(text));
    run->thrown_is_syntax = is_syntax;
    if (!run->thrown.p)
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for a template");
    return false;
}

bool
liquid_throw(struct liquid_run *run, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    throw(run, false, fmt, ap);
    va_end(ap);
    return false;
}

bool
liquid_throw_syntax(struct liquid_run *run, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    throw(run, true, fmt, ap);
    va_end(ap);
    return false;
}

void
liquid_fail(struct liquid_run *run, enum err_code code, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (run->has_failed)
        return;
    run->has_failed = true;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(&run->err, code, "%s", text);
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

const char *
liquid_type_name(const struct liquid_value *v)
{
    switch (v->kind) {
    case LIQUID_NIL: return "null";
    case LIQUID_BOOL: return "System.Boolean";
    case LIQUID_INT: return "System.Int32";
    case LIQUID_LONG: return "System.Int64";
    case LIQUID_DOUBLE: return "System.Double";
    case LIQUID_DECIMAL: return "System.Decimal";
    case LIQUID_STRING: return "System.String";
    case LIQUID_DATE: return "System.DateTime";
    case LIQUID_OBJECT: return v->object->ops->type_name;
    case LIQUID_EMPTY: return "DotLiquid.Util.Symbol";
    }
    UNREACHABLE();
}

static void
add_double(double d, struct buf *to)
{
    char text[DOUBLE_TEXT_MAX];

    buf_add(to, text, double_to_text(d, text));
}

/* Without the zeros behind the last digit that counts when is_short. */
static void
add_decimal(struct decimal d, bool is_short, struct buf *to)
{
    char text[DECIMAL_TEXT_MAX];
    size_t n = decimal_to_text(d, text);

    if (is_short && memchr(text, '.', n)) {
        while (text[n - 1] == '0')
            n--;
        n -= text[n - 1] == '.';
    }
    if (is_short && n == 2 && memcmp(text, "-0", 2) == 0)
        buf_add_lit(to, "0");
    else
        buf_add(to, text, n);
}

static void add_printed(struct liquid_run *run, const struct liquid_value *v, bool is_inside, unsigned depth, struct buf *to);

static void
add_elements(struct liquid_run *run, const struct liquid_value *v, unsigned depth, struct buf *to)
{
    struct liquid_walk at = {0};
    struct liquid_value item;

    while (!run->has_failed && !to->failed && liquid_next(run, v, &at, &item))
        add_printed(run, &item, true, depth + 1, to);
}

static void
add_object(struct liquid_run *run, const struct liquid_value *v, unsigned depth, struct buf *to)
{
    if (depth > RENDER_DEPTH_MAX)
        return liquid_fail(run, ERR_LIMIT, "values are nested deeper than %d levels", RENDER_DEPTH_MAX);
    if (v->object->ops->text)
        v->object->ops->text(run, v->object, to);
    else if (v->object->ops->next)
        add_elements(run, v, depth, to);
    else
        buf_add_str(to, str_from_c(v->object->ops->type_name));
}

/* is_inside: an element of a list that is printed; there a truth is True, outside it is true. */
static void
add_printed(struct liquid_run *run, const struct liquid_value *v, bool is_inside, unsigned depth, struct buf *to)
{
    switch (v->kind) {
    case LIQUID_NIL:
    case LIQUID_EMPTY:
        return;
    case LIQUID_BOOL:
        buf_add_str(to, is_inside ? (v->truth ? STR("True") : STR("False")) : v->truth ? STR("true") : STR("false"));
        return;
    case LIQUID_INT:
    case LIQUID_LONG:
        buf_add_i64(to, v->integer);
        return;
    case LIQUID_DOUBLE:
        add_double(v->real, to);
        return;
    case LIQUID_DECIMAL:
        add_decimal(v->decimal, true, to);
        return;
    case LIQUID_STRING:
        buf_add_str(to, v->text);
        return;
    case LIQUID_DATE:
        run->dotnet->date_format(v->date, STR(""), to);
        return;
    case LIQUID_OBJECT:
        add_object(run, v, depth, to);
        return;
    }
}

void
liquid_print(struct liquid_run *run, const struct liquid_value *v, struct buf *to)
{
    add_printed(run, v, false, 0, to);
}

void
liquid_add_text(struct liquid_run *run, const struct liquid_value *v, struct buf *to)
{
    if (v->kind == LIQUID_DECIMAL)
        add_decimal(v->decimal, false, to);
    else
        add_printed(run, v, true, 0, to);
}

struct str
liquid_text(struct liquid_run *run, const struct liquid_value *v)
{
    struct buf b = buf_in(run->arena);

    if (v->kind == LIQUID_STRING)
        return v->text;
    b.max = run->limits->output_bytes;
    liquid_add_text(run, v, &b);
    if (b.failed)
        liquid_fail(run, ERR_LIMIT, "a text of a template is larger than %" PRIu64 " bytes", run->limits->output_bytes);
    return b.len && !b.failed ? buf_str(&b) : STR("");
}

struct str
liquid_next_char(struct str s, size_t *at)
{
    size_t from = *at;

    utf8_next(s, at);
    return str_sub(s, from, *at);
}

/* --- truth, numbers ------------------------------------------------------------------------------------------------ */

bool
liquid_is_number(const struct liquid_value *v)
{
    return v->kind == LIQUID_INT || v->kind == LIQUID_LONG || v->kind == LIQUID_DOUBLE || v->kind == LIQUID_DECIMAL;
}

bool
liquid_is_true(const struct liquid_value *v)
{
    return v->kind != LIQUID_NIL && (v->kind != LIQUID_BOOL || v->truth);
}

static bool
throw_format(struct liquid_run *run)
{
    return liquid_throw(run, "Input string was not in a correct format.");
}

static bool
throw_cast(struct liquid_run *run, const struct liquid_value *v, const char *to)
{
    return liquid_throw(run, "Invalid cast from '%s' to '%s'.", liquid_type_name(v), to);
}

/* Halves to even, as Convert does. */
static bool
round_to_i64(struct liquid_run *run, double d, int64_t *ret)
{
    double whole = nearbyint(d);

    if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0))
        return liquid_throw(run, "Value was either too large or too small for an Int64.");
    *ret = (int64_t)whole;
    return true;
}

static bool
text_to_i64(struct liquid_run *run, struct str s, int64_t *ret)
{
    bool is_negative;
    int64_t n = 0;

    s = str_trim(s);
    is_negative = s.len && s.p[0] == '-';
    if (s.len && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    if (!s.len)
        return throw_format(run);
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.p[i]))
            return throw_format(run);
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.p[i] - '0', &n))
            return liquid_throw(run, "Value was either too large or too small for an Int64.");
    }
    if (!is_negative && __builtin_mul_overflow(n, -1, &n))
        return liquid_throw(run, "Value was either too large or too small for an Int64.");
    *ret = n;
    return true;
}

bool
liquid_to_i64(struct liquid_run *run, const struct liquid_value *v, int64_t *ret)
{
    struct decimal whole;

    switch (v->kind) {
    case LIQUID_NIL:
        *ret = 0;
        return true;
    case LIQUID_BOOL:
        *ret = v->truth;
        return true;
    case LIQUID_INT:
    case LIQUID_LONG:
        *ret = v->integer;
        return true;
    case LIQUID_DOUBLE:
        return round_to_i64(run, v->real, ret);
    case LIQUID_DECIMAL:
        whole = decimal_round(v->decimal, 0, ROUND_TO_EVEN);
        return decimal_to_i64(whole, ret) || liquid_throw(run, "Value was either too large or too small for an Int64.");
    case LIQUID_STRING:
        return text_to_i64(run, v->text, ret);
    case LIQUID_DATE:
    case LIQUID_OBJECT:
    case LIQUID_EMPTY:
        return throw_cast(run, v, "System.Int64");
    }
    UNREACHABLE();
}

bool
liquid_to_i32(struct liquid_run *run, const struct liquid_value *v, int32_t *ret)
{
    int64_t n;

    if (!liquid_to_i64(run, v, &n))
        return false;
    if (n < INT32_MIN || n > INT32_MAX)
        return liquid_throw(run, "Value was either too large or too small for an Int32.");
    *ret = (int32_t)n;
    return true;
}

bool
liquid_to_decimal(struct liquid_run *run, const struct liquid_value *v, struct decimal *ret)
{
    switch (v->kind) {
    case LIQUID_NIL:
    case LIQUID_BOOL:
    case LIQUID_INT:
    case LIQUID_LONG:
        *ret = decimal_from_i64(v->kind == LIQUID_NIL ? 0 : v->kind == LIQUID_BOOL ? v->truth : v->integer);
        return true;
    case LIQUID_DOUBLE:
        return decimal_from_double(v->real, ret) == DECIMAL_OK ||
               liquid_throw(run, "Value was either too large or too small for a Decimal.");
    case LIQUID_DECIMAL:
        *ret = v->decimal;
        return true;
    case LIQUID_STRING:
        return run->dotnet->parse_decimal(v->text, ret) || throw_format(run);
    case LIQUID_DATE:
    case LIQUID_OBJECT:
    case LIQUID_EMPTY:
        return throw_cast(run, v, "System.Decimal");
    }
    UNREACHABLE();
}

double
liquid_to_double(struct liquid_run *run, const struct liquid_value *v)
{
    double d;

    switch (v->kind) {
    case LIQUID_DOUBLE:
        return v->real;
    case LIQUID_DECIMAL:
        return decimal_to_double(v->decimal);
    case LIQUID_INT:
    case LIQUID_LONG:
        return (double)v->integer;
    case LIQUID_BOOL:
        return v->truth;
    case LIQUID_STRING:
        return run->dotnet->parse_double(v->text, &d) ? d : NAN;
    case LIQUID_NIL:
    case LIQUID_DATE:
    case LIQUID_OBJECT:
    case LIQUID_EMPTY:
        return 0;
    }
    UNREACHABLE();
}

/* --- sequences ----------------------------------------------------------------------------------------------------- */

bool
liquid_is_sequence(const struct liquid_value *v)
{
    return v->kind == LIQUID_STRING || (v->kind == LIQUID_OBJECT && v->object->ops->next);
}

bool
liquid_next(struct liquid_run *run, const struct liquid_value *v, struct liquid_walk *at, struct liquid_value *ret)
{
    size_t byte = at->at;

    if (v->kind == LIQUID_OBJECT)
        return v->object->ops->next && v->object->ops->next(run, v->object, at, ret) && !run->has_failed;
    if (v->kind != LIQUID_STRING || byte >= v->text.len)
        return false;
    *ret = liquid_string(liquid_next_char(v->text, &byte));
    at->at = byte;
    return true;
}

uint64_t
liquid_count(struct liquid_run *run, const struct liquid_value *v)
{
    struct liquid_walk at = {0};
    struct liquid_value item;
    uint64_t n = 0;

    if (v->kind == LIQUID_STRING)
        return utf8_units(v->text);
    if (v->kind == LIQUID_OBJECT && v->object->ops->count)
        return v->object->ops->count(run, v->object);
    while (liquid_next(run, v, &at, &item))
        n++;
    return n;
}

static bool
collect(struct liquid_run *run, const struct liquid_value *v, bool is_flat, unsigned depth, struct liquid_values *ret)
{
    struct liquid_walk at = {0};
    struct liquid_value item, *slot;

    if (depth > RENDER_DEPTH_MAX)
        liquid_fail(run, ERR_LIMIT, "values are nested deeper than %d levels", RENDER_DEPTH_MAX);
    while (!run->has_failed && liquid_next(run, v, &at, &item)) {
        if (is_flat && item.kind == LIQUID_OBJECT && item.object->ops->next && !item.object->ops->is_hash) {
            collect(run, &item, true, depth + 1, ret);
        } else if (run->iterations >= run->limits->iterations) {
            liquid_fail(run, ERR_LIMIT, "Render Error - Maximum number of iterations %" PRIu64 " exceeded",
                        run->limits->iterations);
        } else if (!(slot = avec_push(run->arena, ret))) {
            liquid_fail(run, ERR_NO_MEMORY, "no memory left for a list of a template");
        } else {
            *slot = item;
            run->iterations++;
        }
    }
    return !run->has_failed;
}

bool
liquid_collect(struct liquid_run *run, const struct liquid_value *v, bool is_flat, struct liquid_values *ret)
{
    return collect(run, v, is_flat, 0, ret);
}

/* --- equality and order -------------------------------------------------------------------------------------------- */

/* Numbers of different types: equal when one converts to the other without a loss. */
static bool
numbers_equal(const struct liquid_value *a, const struct liquid_value *b)
{
    struct liquid_run quiet = {0};
    struct decimal x, y;

    if (a->kind != LIQUID_DOUBLE && b->kind != LIQUID_DOUBLE) {
        liquid_to_decimal(&quiet, a, &x);
        liquid_to_decimal(&quiet, b, &y);
        return decimal_compare(x, y) == 0;
    }
    return liquid_to_double(&quiet, a) == liquid_to_double(&quiet, b);
}

/* A text beside something else: the text becomes the other's type, or the other one a text. */
static bool
text_equals(struct liquid_run *run, struct str s, const struct liquid_value *v)
{
    struct liquid_date date;
    double d;

    if (liquid_is_number(v) && run->dotnet->parse_double(s, &d))
        return d == liquid_to_double(run, v);
    if (v->kind == LIQUID_BOOL)
        return str_eq_nocase(str_trim(s), v->truth ? STR("true") : STR("false"));
    if (v->kind == LIQUID_DATE && run->dotnet->date_parse(run, s, &date))
        return date.ticks == v->date.ticks;
    return v->kind != LIQUID_OBJECT && str_eq(s, liquid_text(run, v));
}

static bool
is_empty(struct liquid_run *run, const struct liquid_value *v)
{
    struct liquid_walk at = {0};
    struct liquid_value item;

    return v->kind == LIQUID_EMPTY || (liquid_is_sequence(v) && !liquid_next(run, v, &at, &item));
}

bool
liquid_equals(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b)
{
    if (a->kind == LIQUID_EMPTY || b->kind == LIQUID_EMPTY)
        return is_empty(run, a->kind == LIQUID_EMPTY ? b : a);
    if (a->kind == LIQUID_NIL || b->kind == LIQUID_NIL)
        return a->kind == b->kind;
    if (liquid_is_number(a) && liquid_is_number(b))
        return numbers_equal(a, b);
    if (a->kind == LIQUID_STRING && b->kind == LIQUID_STRING)
        return str_eq(a->text, b->text);
    if (a->kind == LIQUID_STRING)
        return text_equals(run, a->text, b);
    if (b->kind == LIQUID_STRING)
        return text_equals(run, b->text, a);
    if (a->kind == LIQUID_BOOL && (b->kind == LIQUID_BOOL || liquid_is_number(b)))
        return a->truth == (b->kind == LIQUID_BOOL ? b->truth : liquid_to_double(run, b) != 0);
    if (b->kind == LIQUID_BOOL && liquid_is_number(a))
        return b->truth == (liquid_to_double(run, a) != 0);
    if (a->kind == LIQUID_DATE && b->kind == LIQUID_DATE)
        return a->date.ticks == b->date.ticks;
    return a->kind == LIQUID_OBJECT && b->kind == LIQUID_OBJECT && a->object == b->object;
}

static int
order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static bool
compare_integers(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, int *ret)
{
    int64_t n;
    int32_t small;

    if (a->kind == LIQUID_INT) {
        if (!liquid_to_i32(run, b, &small))
            return false;
        n = small;
    } else if (!liquid_to_i64(run, b, &n)) {
        return false;
    }
    *ret = order_i64(a->integer, n);
    return true;
}

static bool
compare_dates(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, int *ret)
{
    struct liquid_date date;

    if (b->kind == LIQUID_DATE)
        date = b->date;
    else if (b->kind != LIQUID_STRING)
        return throw_cast(run, b, "System.DateTime");
    else if (!run->dotnet->date_parse(run, b->text, &date))
        return liquid_throw(run, "String was not recognized as a valid DateTime.");
    *ret = order_i64(a->date.ticks, date.ticks);
    return true;
}

bool
liquid_compare(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, int *ret)
{
    struct decimal d;
    double real;

    switch (a->kind) {
    case LIQUID_INT:
    case LIQUID_LONG:
        return compare_integers(run, a, b, ret);
    case LIQUID_DECIMAL:
        if (!liquid_to_decimal(run, b, &d))
            return false;
        *ret = decimal_compare(a->decimal, d);
        return true;
    case LIQUID_DOUBLE:
        real = liquid_to_double(run, b);
        if (b->kind == LIQUID_STRING && isnan(real))
            return throw_format(run);
        *ret = (a->real > real) - (a->real < real);
        return true;
    case LIQUID_STRING:
        *ret = run->dotnet->compare(a->text, liquid_text(run, b));
        return true;
    case LIQUID_BOOL:
        *ret = (int)a->truth - (b->kind == LIQUID_BOOL ? (int)b->truth : liquid_to_double(run, b) != 0);
        return true;
    case LIQUID_DATE:
        return compare_dates(run, a, b, ret);
    case LIQUID_NIL:
    case LIQUID_EMPTY:
    case LIQUID_OBJECT:
        return liquid_throw(run, "Object must implement IConvertible.");
    }
    UNREACHABLE();
}

/* --- lists, pairs, ranges ------------------------------------------------------------------------------------------ */

struct list_object {
    struct liquid_object head;
    const struct liquid_value *v;
    uint32_t n;
};

static bool
list_item(struct liquid_run *run, const struct liquid_object *o, uint64_t i, struct liquid_value *ret)
{
    const struct list_object *l = (const struct list_object *)o;

    if (i >= l->n)
        return false;
    *ret = l->v[i];
    return true;
}

static bool
list_next(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret)
{
    return list_item(run, o, at->at++, ret);
}

static uint64_t
list_count(struct liquid_run *run, const struct liquid_object *o)
{
    return ((const struct list_object *)o)->n;
}

static const struct liquid_ops list_ops = {
    .type_name = "System.Collections.Generic.List`1[System.Object]", .item = list_item, .next = list_next, .count = list_count,
};

static void *
new_object(struct liquid_run *run, size_t size, const struct liquid_ops *ops)
{
    struct liquid_object *o = arena_alloc_zero(run->arena, 1, size, _Alignof(max_align_t));

    if (o)
        o->ops = ops;
    else
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for the values of a template");
    return o;
}

struct liquid_value
liquid_list(struct liquid_run *run, const struct liquid_value *v, uint32_t n)
{
    struct list_object *l = new_object(run, sizeof(*l), &list_ops);

    if (!l)
        return liquid_nil();
    l->v = v;
    l->n = n;
    return liquid_of_object(&l->head);
}

struct pair_object {
    struct liquid_object head;
    struct liquid_value key, value;
};

static bool
pair_member(struct liquid_run *run, const struct liquid_object *o, struct str name, struct liquid_value *ret)
{
    const struct pair_object *p = (const struct pair_object *)o;
    const struct liquid_ops *ops = p->value.kind == LIQUID_OBJECT ? p->value.object->ops : NULL;

    if (ops && ops->member && ops->is_hash && ops->member(run, p->value.object, name, ret))
        return true;
    if (str_eq_lit(name, "Key") || str_eq_lit(name, "0") || str_eq_lit(name, "itemName"))
        *ret = p->key;
    else if (str_eq_lit(name, "Value") || str_eq_lit(name, "1") ||
             (p->key.kind == LIQUID_STRING && str_eq(name, p->key.text)))
        *ret = p->value;
    else
        return false;
    return true;
}

static bool
pair_item(struct liquid_run *run, const struct liquid_object *o, uint64_t i, struct liquid_value *ret)
{
    const struct pair_object *p = (const struct pair_object *)o;

    *ret = i == 0 ? p->key : p->value;
    return i < 2;
}

/* [key, value] */
static void
pair_text(struct liquid_run *run, const struct liquid_object *o, struct buf *to)
{
    const struct pair_object *p = (const struct pair_object *)o;

    buf_add_char(to, '[');
    liquid_add_text(run, &p->key, to);
    buf_add_lit(to, ", ");
    liquid_add_text(run, &p->value, to);
    buf_add_char(to, ']');
}

static const struct liquid_ops pair_ops = {
    .type_name = "System.Collections.Generic.KeyValuePair`2[System.String,System.Object]", .member = pair_member,
    .item = pair_item, .text = pair_text,
};

struct liquid_value
liquid_pair(struct liquid_run *run, struct liquid_value key, struct liquid_value value)
{
    struct pair_object *p = new_object(run, sizeof(*p), &pair_ops);

    if (!p)
        return liquid_nil();
    p->key = key;
    p->value = value;
    return liquid_of_object(&p->head);
}

struct range_object {
    struct liquid_object head;
    int64_t from, to;
};

static bool
range_item(struct liquid_run *run, const struct liquid_object *o, uint64_t i, struct liquid_value *ret)
{
    const struct range_object *r = (const struct range_object *)o;

    if (r->from > r->to || i > (uint64_t)(r->to - r->from))
        return false;
    *ret = liquid_int(r->from + (int64_t)i);
    return true;
}

static bool
range_next(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret)
{
    return range_item(run, o, at->at++, ret);
}

static uint64_t
range_count(struct liquid_run *run, const struct liquid_object *o)
{
    const struct range_object *r = (const struct range_object *)o;

    return r->from > r->to ? 0 : (uint64_t)(r->to - r->from) + 1;
}

static const struct liquid_ops range_ops = {
    .type_name = "System.Collections.Generic.IEnumerable`1[System.Int32]", .item = range_item, .next = range_next,
    .count = range_count,
};

struct liquid_value
liquid_range(struct liquid_run *run, int64_t from, int64_t to)
{
    struct range_object *r = new_object(run, sizeof(*r), &range_ops);

    if (!r)
        return liquid_nil();
    r->from = from;
    r->to = to;
    return liquid_of_object(&r->head);
}

/* --- members ------------------------------------------------------------------------------------------------------- */

/* size, first and last of what can be walked. */
static bool
sequence_member(struct liquid_run *run, const struct liquid_value *of, struct str name, struct liquid_value *ret)
{
    struct liquid_walk at = {0};
    struct liquid_value item;

    if (str_eq_lit(name, "size")) {
        *ret = liquid_int((int64_t)liquid_count(run, of));
        return true;
    }
    if (!str_eq_lit(name, "first") && !str_eq_lit(name, "last"))
        return false;
    *ret = liquid_nil();
    if (name.p[0] == 'l' && of->kind == LIQUID_OBJECT && of->object->ops->item) {
        uint64_t n = liquid_count(run, of);
        return n == 0 || of->object->ops->item(run, of->object, n - 1, ret);
    }
    while (liquid_next(run, of, &at, &item)) {
        *ret = item;
        if (name.p[0] == 'f')
            break;
    }
    return true;
}

bool
liquid_member(struct liquid_run *run, const struct liquid_value *of, const struct liquid_value *part, bool is_bracket,
              struct liquid_value *ret)
{
    const struct liquid_ops *ops = of->kind == LIQUID_OBJECT ? of->object->ops : NULL;

    if (ops && ops->item && (part->kind == LIQUID_INT || part->kind == LIQUID_LONG))
        return part->integer >= 0 && ops->item(run, of->object, (uint64_t)part->integer, ret);
    if (part->kind != LIQUID_STRING)
        return false;
    if (ops && ops->member && ops->member(run, of->object, part->text, ret))
        return true;
    return !is_bracket && liquid_is_sequence(of) && sequence_member(run, of, part->text, ret);
}
