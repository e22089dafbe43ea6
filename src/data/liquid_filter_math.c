/* liquid_filter_math.c: filters over numbers. Int32 and Int64 are checked; as soon as a side is not whole, both are decimals,
 * and doubles only where a decimal does not hold the result. Texts that are numbers count as numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "data/liquid_filter.h"

enum operation { ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER };

static bool
is_integer(const struct liquid_value *v)
{
    return v->kind == LIQUID_INT || v->kind == LIQUID_LONG;
}

static bool
overflow(struct liquid_call *c)
{
    return liquid_throw(c->run, "Arithmetic operation resulted in an overflow.");
}

static bool
integer_math(struct liquid_call *c, enum operation op, const struct liquid_value *a, const struct liquid_value *b)
{
    bool is_long = a->kind == LIQUID_LONG || b->kind == LIQUID_LONG, overflows = false;
    int64_t n = 0;

    if ((op == DIVIDE || op == REMAINDER) && b->integer == 0)
        return liquid_throw(c->run, "Attempted to divide by zero.");
    switch (op) {
    case ADD: overflows = __builtin_add_overflow(a->integer, b->integer, &n); break;
    case SUBTRACT: overflows = __builtin_sub_overflow(a->integer, b->integer, &n); break;
    case MULTIPLY: overflows = __builtin_mul_overflow(a->integer, b->integer, &n); break;
    case DIVIDE:
    case REMAINDER:
        overflows = a->integer == INT64_MIN && b->integer == -1;
        if (!overflows)
            n = op == DIVIDE ? a->integer / b->integer : a->integer % b->integer;
        break;
    }
    if (overflows || (!is_long && (n < INT32_MIN || n > INT32_MAX)))
        return overflow(c);
    c->ret = is_long ? liquid_long(n) : liquid_int(n);
    return true;
}

static double
double_math(enum operation op, double a, double b)
{
    switch (op) {
    case ADD: return a + b;
    case SUBTRACT: return a - b;
    case MULTIPLY: return a * b;
    case DIVIDE: return a / b;
    case REMAINDER: return fmod(a, b);
    }
    UNREACHABLE();
}

static enum decimal_status
decimal_math(enum operation op, struct decimal a, struct decimal b, struct decimal *ret)
{
    switch (op) {
    case ADD: return decimal_add(a, b, ret);
    case SUBTRACT: return decimal_subtract(a, b, ret);
    case MULTIPLY: return decimal_multiply(a, b, ret);
    case DIVIDE: return decimal_divide(a, b, ret);
    case REMAINDER: return decimal_remainder(a, b, ret);
    }
    UNREACHABLE();
}

/* A value as a decimal when it fits one. */
static bool
fits_decimal(const struct liquid_value *v, struct decimal *ret)
{
    if (v->kind == LIQUID_DOUBLE)
        return decimal_from_double(v->real, ret) == DECIMAL_OK;
    *ret = v->kind == LIQUID_DECIMAL ? v->decimal : decimal_from_i64(v->integer);
    return true;
}

/* Text that is a number becomes one: whole when it has no point. */
static bool
to_number(struct liquid_call *c, struct liquid_value *v)
{
    struct decimal d;
    int64_t n;

    if (liquid_is_number(v))
        return true;
    if (v->kind != LIQUID_STRING && v->kind != LIQUID_OBJECT)
        return liquid_throw(c->run, "Argument is not numeric");
    if (!c->run->dotnet->parse_decimal(liquid_text(c->run, v), &d))
        return liquid_throw(c->run, "Input string was not in a correct format.");
    *v = d.scale == 0 && decimal_to_i64(d, &n) ? liquid_long(n) : liquid_decimal(d);
    return true;
}

static bool
math(struct liquid_call *c, enum operation op)
{
    struct liquid_value a = c->args[0], b = c->args[1];
    struct decimal x, y, z;

    if (a.kind == LIQUID_NIL || b.kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (!to_number(c, &a) || !to_number(c, &b))
        return false;
    if (is_integer(&a) && is_integer(&b))
        return integer_math(c, op, &a, &b);
    if (fits_decimal(&a, &x) && fits_decimal(&b, &y) && decimal_math(op, x, y, &z) == DECIMAL_OK)
        c->ret = liquid_decimal(z);
    else
        c->ret = liquid_double(double_math(op, liquid_to_double(c->run, &a), liquid_to_double(c->run, &b)));
    return true;
}

/* Text grows by the text of anything. */
FILTER(plus)
{
    if (c->args[0].kind != LIQUID_STRING)
        return math(c, ADD);
    c->ret = liquid_string(str_concat(c->run->arena, c->args[0].text, liquid_text(c->run, &c->args[1])));
    return !c->run->has_failed;
}

FILTER(minus)
{
    return math(c, SUBTRACT);
}

/* Text is repeated. */
FILTER(times)
{
    struct buf b = liquid_call_buf(c);
    int32_t n;

    if (c->args[0].kind != LIQUID_STRING || !is_integer(&c->args[1]))
        return math(c, MULTIPLY);
    if (!liquid_to_i32(c->run, &c->args[1], &n))
        return false;
    if (n < 0)
        return liquid_throw(c->run, "Specified argument was out of the range of valid values.\nParameter name: count");
    for (; n > 0 && c->args[0].text.len && !b.failed; n--)
        buf_add_str(&b, c->args[0].text);
    return liquid_return_buf(c, &b);
}

FILTER(divided_by)
{
    return math(c, DIVIDE);
}

FILTER(modulo)
{
    return math(c, REMAINDER);
}

/* Halves to even; nil for what is no number. */
FILTER(round)
{
    struct decimal d;
    int32_t places = 0;

    if (!liquid_to_decimal(c->run, &c->args[0], &d) || (c->n > 1 && !liquid_to_i32(c->run, &c->args[1], &places)) ||
        places < 0 || places > DECIMAL_SCALE_MAX) {
        c->run->thrown = STR_NONE;
        return liquid_return_nil(c);
    }
    c->ret = liquid_decimal(decimal_round(d, (unsigned)places, ROUND_TO_EVEN));
    return true;
}

/* Double.TryParse(input.ToString()). False: no number; *ret_thrown when there was nothing to ask. */
static bool
as_double(struct liquid_call *c, uint32_t i, double *ret)
{
    struct str s = liquid_text(c->run, &c->args[i]);

    return c->run->dotnet->parse_double(s, ret);
}

static bool
throw_if_nil(struct liquid_call *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->args[i].kind == LIQUID_NIL)
            return liquid_throw(c->run, "Object reference not set to an instance of an object.");
    return true;
}

FILTER(abs)
{
    double d = 0;

    if (!throw_if_nil(c))
        return false;
    c->ret = liquid_double(as_double(c, 0, &d) ? fabs(d) : 0);
    return true;
}

FILTER(at_least)
{
    double n, limit;

    if (!throw_if_nil(c))
        return false;
    c->ret = as_double(c, 0, &n) && as_double(c, 1, &limit) ? liquid_double(limit > n ? limit : n) : c->args[0];
    return true;
}

FILTER(at_most)
{
    double n, limit;

    if (!throw_if_nil(c))
        return false;
    c->ret = as_double(c, 0, &n) && as_double(c, 1, &limit) ? liquid_double(limit < n ? limit : n) : c->args[0];
    return true;
}

/* --- currency -------------------------------------------------------------------------------------------------------- */

/* How a culture writes money: sign, amount with its separators, places. */
struct culture {
    struct str name;
    struct str symbol, thousands, point;
    bool is_behind;                   /* the symbol, after a no-break space */
    uint8_t places;
};

#define NBSP "\xc2\xa0"
#define NNBSP "\xe2\x80\xaf"
static const struct culture cultures[] = {
    {STR_INIT(""), STR_INIT("\xc2\xa4"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en"), STR_INIT("$"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-US"), STR_INIT("$"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-AU"), STR_INIT("$"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-CA"), STR_INIT("$"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-GB"), STR_INIT("\xc2\xa3"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-IE"), STR_INIT("\xe2\x82\xac"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("en-IN"), STR_INIT("\xe2\x82\xb9"), STR_INIT(","), STR_INIT("."), false, 2},
    {STR_INIT("de-DE"), STR_INIT("\xe2\x82\xac"), STR_INIT("."), STR_INIT(","), true, 2},
    {STR_INIT("es-ES"), STR_INIT("\xe2\x82\xac"), STR_INIT("."), STR_INIT(","), true, 2},
    {STR_INIT("fr-FR"), STR_INIT("\xe2\x82\xac"), STR_INIT(NNBSP), STR_INIT(","), true, 2},
    {STR_INIT("it-IT"), STR_INIT("\xe2\x82\xac"), STR_INIT("."), STR_INIT(","), true, 2},
    {STR_INIT("pl-PL"), STR_INIT("z\xc5\x82"), STR_INIT(NBSP), STR_INIT(","), true, 2},
    {STR_INIT("sv-SE"), STR_INIT("kr"), STR_INIT(NBSP), STR_INIT(","), true, 2},
    {STR_INIT("ja-JP"), STR_INIT("\xef\xbf\xa5"), STR_INIT(","), STR_INIT("."), false, 0},
    {STR_INIT("zh-CN"), STR_INIT("\xc2\xa5"), STR_INIT(","), STR_INIT("."), false, 2},
};

static const struct culture *
find_culture(struct str name)
{
    for (size_t i = 0; i < COUNTOF(cultures); i++)
        if (str_eq_nocase(cultures[i].name, name))
            return &cultures[i];
    return NULL;
}

/* The invariant text 1,234.50 with the culture's separators. */
static void
add_amount(struct buf *to, struct str plain, const struct culture *culture)
{
    for (size_t i = 0; i < plain.len; i++) {
        if (plain.p[i] == ',' || plain.p[i] == '.')
            buf_add_str(to, plain.p[i] == ',' ? culture->thousands : culture->point);
        else
            buf_add_char(to, plain.p[i]);
    }
}

FILTER(currency)
{
    struct str text = liquid_text(c->run, &c->args[0]), name = liquid_arg_text(c, 1);
    const struct culture *culture = find_culture(str_trim(name));
    struct buf plain = liquid_call_buf(c), b = liquid_call_buf(c);
    struct decimal d;
    bool is_negative;

    if (!throw_if_nil(c))
        return false;
    if (!c->run->dotnet->parse_decimal(text, &d)) {
        c->ret = liquid_string(text);
        return true;
    }
    if (!culture)
        return liquid_throw(c->run, "Culture is not supported.\nParameter name: name\n%.*s is an invalid culture identifier.",
                            (int)MIN(name.len, (size_t)40), name.p);
    is_negative = d.negative && !decimal_is_zero(d);
    d.negative = 0;
    if (!c->run->dotnet->format_decimal(d, culture->places ? STR("N2") : STR("N0"), &plain))
        return liquid_return_nil(c);
    if (is_negative)
        buf_add_str(&b, culture->name.len ? STR("-") : STR("("));
    if (!culture->is_behind)
        buf_add_str(&b, culture->symbol);
    add_amount(&b, buf_str(&plain), culture);
    if (culture->is_behind) {
        buf_add_lit(&b, NBSP);
        buf_add_str(&b, culture->symbol);
    }
    if (is_negative && !culture->name.len)
        buf_add_char(&b, ')');
    return liquid_return_buf(c, &b);
}
