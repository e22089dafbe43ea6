/* pvalue.c: the values of attributes and texts at run time: literals as they were converted, or what an expression gives,
 * converted: text by the invariant culture, a boolean or number also from its text.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "expr/program.h"
#include "policy/policy.h"

static bool
expression_failed(struct exchange *ex, const struct pvalue *v)
{
    exchange_make_error_room(ex);
    if (ex->expr_run)
        exchange_fail_expression(ex, str_dup(ex->arena, expr_run_error(ex->expr_run, v->program)));
    else
        exchange_fail(ex, "no memory left to evaluate an expression");
    return false;
}

static bool PRINTF_LIKE(2, 3)
conversion_failed(struct exchange *ex, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    exchange_fail_expression(ex, str_dup(ex->arena, str_from_c(text)));
    return false;
}

/* The text of a value that may be null: STR_NONE then, so that callers can tell it from an empty one. */
static bool
run_nullable_text(const struct pvalue *v, struct expr_run *run, struct str *ret)
{
    struct call call = expr_host_call(run);
    struct string *text;
    struct object *o;

    if (!expr_run_object(v->program, run, &o))
        return false;
    if (!o) {
        *ret = STR_NONE;
        return true;
    }
    if (o->type->kind == TYPE_STRING)
        text = (struct string *)o;
    else if (!value_to_string(&call, o->type, value_unbox(o), STR_NONE, &text))
        return false;
    *ret = string_str(text);
    return true;
}

bool
pvalue_str(struct exchange *ex, const struct pvalue *v, struct str *ret)
{
    struct expr_run *run;
    bool ok;

    if (!v->program) {
        *ret = v->text;
        return true;
    }
    run = exchange_expr_run(ex);
    if (!run)
        return expression_failed(ex, v);
    ok = type_is_kept_in_ref(expr_program_type(v->program)) ? run_nullable_text(v, run, ret)
                                                           : expr_run_text(v->program, run, ret);
    return ok || expression_failed(ex, v);
}

/* Runs the expression: either its value, when the static type is what the caller can use as it is, or its text. */
static bool
run_value(struct exchange *ex, const struct pvalue *v, bool (*is_direct)(const struct type *), bool *ret_is_direct,
          struct value *ret_value, struct str *ret_text)
{
    struct expr_run *run = exchange_expr_run(ex);

    *ret_is_direct = is_direct(expr_program_type(v->program));
    if (run && *ret_is_direct && expr_run(v->program, run, ret_value))
        return true;
    if (run && !*ret_is_direct && expr_run_text(v->program, run, ret_text))
        return true;
    return expression_failed(ex, v);
}

static bool
is_bool(const struct type *type)
{
    return type->kind == TYPE_BOOL;
}

bool
pvalue_bool(struct exchange *ex, const struct pvalue *v, bool *ret)
{
    struct value value;
    struct str text;
    bool is_direct;

    if (!v->program) {
        *ret = v->literal.truth;
        return true;
    }
    if (!run_value(ex, v, is_bool, &is_direct, &value, &text))
        return false;
    if (is_direct) {
        *ret = value.i64 != 0;
        return true;
    }
    return num_parse_bool(str_trim(text), ret, NULL) ||
           conversion_failed(ex, "expected true or false, the expression gave '%.*s'", STR_ARG(text));
}

static bool
is_integer(const struct type *type)
{
    return type->kind >= TYPE_SBYTE && type->kind <= TYPE_ULONG;
}

/* What the expression gives, as a number or as the text of one. */
static bool
run_integer(struct exchange *ex, const struct pvalue *v, int64_t *ret)
{
    struct value value;
    struct str text;
    bool is_direct;

    if (!run_value(ex, v, is_integer, &is_direct, &value, &text))
        return false;
    if (!is_direct)
        return num_parse_i64(str_trim(text), INT64_MIN, INT64_MAX, ret, NULL) ||
               conversion_failed(ex, "expected a whole number, the expression gave '%.*s'", STR_ARG(text));
    *ret = value.i64;
    return true;
}

bool
pvalue_u32(struct exchange *ex, const struct pvalue *v, uint32_t *ret)
{
    int64_t n = v->literal.number;

    if (v->program && !run_integer(ex, v, &n))
        return false;
    if (n < 0 || n > UINT32_MAX)
        return conversion_failed(ex, "expected a number from 0 to %u, the expression gave %" PRId64, UINT32_MAX, n);
    *ret = (uint32_t)n;
    return true;
}

bool
pvalue_lifetime(struct exchange *ex, const struct pvalue *v, uint32_t *ret)
{
    int64_t n = v->literal.number;

    if (v->program && !run_integer(ex, v, &n))
        return false;
    *ret = (uint32_t)MIN(MAX(n, (int64_t)0), (int64_t)UINT32_MAX);
    return true;
}

static bool
is_double(const struct type *type)
{
    return type->kind == TYPE_DOUBLE;
}

bool
pvalue_f64(struct exchange *ex, const struct pvalue *v, double *ret)
{
    struct value value;
    struct str text;
    bool is_direct;
    char copy[64], *end;

    if (!v->program) {
        *ret = v->literal.real;
        return true;
    }
    if (!run_value(ex, v, is_double, &is_direct, &value, &text))
        return false;
    if (is_direct) {
        *ret = value.f64;
        return true;
    }
    snprintf(copy, sizeof(copy), "%.*s", STR_ARG(str_trim(text)));
    *ret = strtod(copy, &end);
    return (*copy && !*end) || conversion_failed(ex, "expected a number, the expression gave '%.*s'", STR_ARG(text));
}

bool
pvalue_enum(struct exchange *ex, const struct pvalue *v, const struct choice *choices, int *ret)
{
    struct buf names = buf_in(ex->arena);
    struct str text;

    if (!v->program) {
        *ret = v->literal.choice;
        return true;
    }
    if (!pvalue_str(ex, v, &text))
        return false;
    for (const struct choice *ch = choices; ch->name; ch++) {
        if (str_eq_nocase(str_from_c(ch->name), str_trim(text))) {
            *ret = ch->value;
            return true;
        }
    }
    for (const struct choice *ch = choices; ch->name; ch++)
        buf_printf(&names, "%s%s", ch == choices ? "" : ", ", ch->name);
    return conversion_failed(ex, "expected one of %.*s, the expression gave '%.*s'", STR_ARG(buf_str(&names)), STR_ARG(text));
}

bool
pvalue_object(struct exchange *ex, const struct pvalue *v, struct object **ret)
{
    struct expr_run *run = exchange_expr_run(ex);

    if (!run)
        return expression_failed(ex, v);
    if (v->program)
        return expr_run_object(v->program, run, ret) || expression_failed(ex, v);
    if (!v->text.p) {
        *ret = NULL;
        return true;
    }
    struct call call = expr_host_call(run);
    *ret = (struct object *)string_view(&call, v->text);
    return *ret || expression_failed(ex, v);
}
