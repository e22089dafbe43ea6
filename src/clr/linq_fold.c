/* linq_fold.c: the operators of System.Linq.Enumerable that walk their source at once: one element of it, a yes or no, a
 * number, a collection.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/linq.h"

#include "clr/families.h"
#include "clr/values.h"

static const char no_elements[] = "Sequence contains no elements";
static const char no_match[] = "Sequence contains no matching element";
static const char more_elements[] = "Sequence contains more than one element";
static const char more_matches[] = "Sequence contains more than one matching element";

/* Walks args[0]; a predicate in args[1], if the call has one, must not be null. */
struct fold {
    struct iterator it;
    struct object *predicate;
};

static bool
fold_open(struct call *c, struct fold *f)
{
    f->predicate = c->n_args > 1 ? c->args[1].ref : NULL;
    if (!sequence_open(c, c->args[0].ref, c->type_args[0], "source", &f->it))
        return false;
    return c->n_args < 2 || f->predicate || throw_argument_null(c, "predicate");
}

/* The next element that the predicate accepts: 1, 0, -1. */
static int
fold_next(struct call *c, struct fold *f, struct value *ret)
{
    struct value yes;
    int got;

    while ((got = iterate_next(c, &f->it, ret)) > 0 && f->predicate) {
        if (!call_invoke(c, f->predicate, ret, 1, &yes))
            return -1;
        if (yes.i64)
            return 1;
    }
    return got;
}

/* ---- one element ---- */

enum which { FIRST, LAST, SINGLE };

static bool
pick(struct call *c, enum which which, bool or_default)
{
    struct value v, found = value_i64(0);
    uint32_t n = 0;
    struct fold f;
    int got;

    if (!fold_open(c, &f))
        return false;
    while ((got = fold_next(c, &f, &v)) > 0) {
        found = v;
        if (++n == 1 && which == FIRST)
            break;
        if (n == 2 && which == SINGLE)
            return call_throw(c, EXC_INVALID_OPERATION, "%s", f.predicate ? more_matches : more_elements);
    }
    if (got < 0)
        return false;
    if (n == 0 && !or_default)
        return call_throw(c, EXC_INVALID_OPERATION, "%s", f.predicate ? no_match : no_elements);
    c->ret = found;
    return true;
}

#define PICK_NATIVE(name, which, or_default) \
    static bool \
    name(struct call *c) \
    { \
        return pick(c, which, or_default); \
    }
PICK_NATIVE(linq_first, FIRST, false)
PICK_NATIVE(linq_first_or_default, FIRST, true)
PICK_NATIVE(linq_last, LAST, false)
PICK_NATIVE(linq_last_or_default, LAST, true)
PICK_NATIVE(linq_single, SINGLE, false)
PICK_NATIVE(linq_single_or_default, SINGLE, true)

/* *ret_found false: there is no such index. */
static bool
element_at(struct call *c, bool *ret_found)
{
    int64_t left = c->args[1].i64;
    struct iterator it;
    struct value v;
    int got = 0;

    *ret_found = false;
    if (!sequence_open(c, c->args[0].ref, c->type_args[0], "source", &it))
        return false;
    while (left >= 0 && (got = iterate_next(c, &it, &v)) > 0 && left-- > 0)
        ;
    *ret_found = got > 0;
    if (got > 0)
        c->ret = v;
    return got >= 0;
}

static bool
linq_element_at(struct call *c)
{
    bool found;

    if (!element_at(c, &found))
        return false;
    return found || throw_argument_range(c, "index",
                                         sequence_known_count(c->args[0].ref) >= 0
                                             ? "Index was out of range. Must be non-negative and less than the size of the "
                                               "collection."
                                             : "Specified argument was out of the range of valid values.");
}

static bool
linq_element_at_or_default(struct call *c)
{
    bool found;

    c->ret = value_i64(0);
    return element_at(c, &found);
}

/* ---- yes or no, how many ---- */

static bool
linq_any(struct call *c)
{
    struct value v;
    struct fold f;
    int got;

    if (!fold_open(c, &f))
        return false;
    got = fold_next(c, &f, &v);
    return got >= 0 && return_bool(c, got > 0);
}

static bool
linq_all(struct call *c)
{
    struct value v, yes;
    struct fold f;
    int got;

    if (!fold_open(c, &f))
        return false;
    while ((got = iterate_next(c, &f.it, &v)) > 0) {
        if (!call_invoke(c, f.predicate, &v, 1, &yes))
            return false;
        if (!yes.i64)
            return return_bool(c, false);
    }
    return got >= 0 && return_bool(c, true);
}

static bool
linq_count(struct call *c)
{
    int64_t n = c->n_args == 1 && c->args[0].ref ? sequence_known_count(c->args[0].ref) : -1;
    struct value v;
    struct fold f;
    int got;

    if (n >= 0)
        return return_i64(c, n);
    if (!fold_open(c, &f))
        return false;
    for (n = 0; (got = fold_next(c, &f, &v)) > 0;)
        n++;
    return got >= 0 && return_i64(c, n);
}

static bool
linq_contains(struct call *c)
{
    struct key_rule rule = {c->type_args[0], c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL};
    struct object *o = c->args[0].ref;
    struct iterator it;
    struct value v;
    bool found;
    int got;

    if (o && c->n_args == 2 && o->type->hooks->contains && type_element(o->type) == rule.type)
        return o->type->hooks->contains(c, o, c->args[1], &found) && return_bool(c, found);
    if (!sequence_open(c, o, rule.type, "source", &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        if (!key_equals(c, &rule, v, c->args[1], &found))
            return false;
        if (found)
            return return_bool(c, true);
    }
    return got >= 0 && return_bool(c, false);
}

static bool
linq_sequence_equal(struct call *c)
{
    struct key_rule rule = {c->type_args[0], c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL};
    struct iterator a, b;
    struct value x, y;
    bool same = true;
    int got_x, got_y;

    if (!sequence_open(c, c->args[0].ref, rule.type, "first", &a) ||
        !sequence_open(c, c->args[1].ref, rule.type, "second", &b))
        return false;
    do {
        if ((got_x = iterate_next(c, &a, &x)) < 0 || (got_y = iterate_next(c, &b, &y)) < 0)
            return false;
        if (got_x && got_y && !key_equals(c, &rule, x, y, &same))
            return false;
    } while (got_x && got_y && same);
    return return_bool(c, same && got_x == got_y);
}

/* ---- Aggregate ---- */

static bool
aggregate(struct call *c, struct iterator *it, struct object *fn, struct value *total)
{
    struct value pair[2];
    int got;

    while ((got = iterate_next(c, it, &pair[1])) > 0) {
        pair[0] = *total;
        if (!call_invoke(c, fn, pair, 2, total))
            return false;
    }
    return got == 0;
}

static bool
linq_aggregate(struct call *c)
{
    struct iterator it;
    struct value total;
    int got;

    if (!sequence_open(c, c->args[0].ref, c->type_args[0], "source", &it))
        return false;
    if (!c->args[1].ref)
        return throw_argument_null(c, "func");
    if ((got = iterate_next(c, &it, &total)) < 0)
        return false;
    if (got == 0)
        return call_throw(c, EXC_INVALID_OPERATION, no_elements);
    if (!aggregate(c, &it, c->args[1].ref, &total))
        return false;
    c->ret = total;
    return true;
}

static bool
linq_aggregate_seed(struct call *c)
{
    struct value total = c->args[1];
    struct iterator it;

    if (!sequence_open(c, c->args[0].ref, c->type_args[0], "source", &it))
        return false;
    if (!c->args[2].ref)
        return throw_argument_null(c, "func");
    if (!aggregate(c, &it, c->args[2].ref, &total))
        return false;
    if (c->n_args > 3)
        return call_invoke(c, c->args[3].ref, &total, 1, &c->ret);
    c->ret = total;
    return true;
}

/* ---- Sum, Average, Min, Max ---- */

/* The numbers of a sequence, through a selector if there is one; nulls of nullable numbers are left out. */
struct numbers {
    struct iterator it;
    struct object *selector;
    bool nullable;                    /* elements are boxes, or null */
    bool skips_null;                  /* nullable, or references */
};

static bool
numbers_open(struct call *c, struct numbers *s, bool nullable)
{
    s->selector = c->n_args > 1 ? c->args[1].ref : NULL;
    s->nullable = nullable;
    s->skips_null = nullable;
    if (!sequence_open(c, c->args[0].ref, c->n_args > 1 ? c->type_args[0] : NULL, "source", &s->it))
        return false;
    return c->n_args < 2 || s->selector || throw_argument_null(c, "selector");
}

static int
numbers_next(struct call *c, struct numbers *s, struct value *ret)
{
    struct value v;
    int got;

    while ((got = iterate_next(c, &s->it, &v)) > 0) {
        if (s->selector && !call_invoke(c, s->selector, &v, 1, &v))
            return -1;
        if (s->skips_null && !v.ref)
            continue;
        *ret = s->nullable ? ((struct box *)v.ref)->v : v;
        return 1;
    }
    return got;
}

/* Returns a number as the call's type: boxed when that is nullable. */
static bool
return_number(struct call *c, struct value v)
{
    struct object *o;

    c->ret = v;
    if (c->ret_type->kind != TYPE_NULLABLE)
        return true;
    return value_box(c, c->ret_type->args[0], v, &o) && return_ref(c, o);
}

static bool
overflow(struct call *c)
{
    return call_throw_default(c, EXC_OVERFLOW);
}

/* *total += v in the arithmetic of the kind. */
static bool
add(struct call *c, enum type_kind kind, struct value *total, struct value v)
{
    struct decimal sum;

    switch (kind) {
    case TYPE_INT:
        total->i64 += v.i64;
        return total->i64 == (int32_t)total->i64 || overflow(c);
    case TYPE_LONG:
        return !__builtin_add_overflow(total->i64, v.i64, &total->i64) || overflow(c);
    case TYPE_FLOAT: /* .NET adds floats as doubles; the total is rounded at the end */
        total->f64 += v.f32;
        return true;
    case TYPE_DOUBLE:
        total->f64 += v.f64;
        return true;
    default:
        if (decimal_add(value_decimal(*total), value_decimal(v), &sum) != DECIMAL_OK)
            return overflow(c);
        *total = value_from_decimal(sum);
        return true;
    }
}

static bool
sum_up(struct call *c, enum type_kind kind, bool nullable, struct value *ret_total, int64_t *ret_n)
{
    struct numbers s;
    struct value v;
    int got;

    *ret_total = value_i64(0);
    *ret_n = 0;
    if (!numbers_open(c, &s, nullable))
        return false;
    while ((got = numbers_next(c, &s, &v)) > 0) {
        if (!add(c, kind, ret_total, v))
            return false;
        ++*ret_n;
    }
    return got == 0;
}

static bool
linq_sum(struct call *c)
{
    enum type_kind kind = type_strip_nullable(c->ret_type)->kind;
    struct value total;
    int64_t n;

    if (!sum_up(c, kind, c->ret_type->kind == TYPE_NULLABLE, &total, &n))
        return false;
    return return_number(c, kind == TYPE_FLOAT ? value_f32((float)total.f64) : total);
}

static bool
average(struct call *c, enum type_kind kind)
{
    bool nullable = c->ret_type->kind == TYPE_NULLABLE;
    struct value total;
    struct decimal d;
    int64_t n;

    if (!sum_up(c, kind, nullable, &total, &n))
        return false;
    if (n == 0)
        return nullable ? return_ref(c, NULL) : call_throw(c, EXC_INVALID_OPERATION, no_elements);
    switch (kind) {
    case TYPE_LONG: return return_number(c, value_f64((double)total.i64 / (double)n));
    case TYPE_FLOAT: return return_number(c, value_f32((float)(total.f64 / (double)n)));
    case TYPE_DOUBLE: return return_number(c, value_f64(total.f64 / (double)n));
    default:
        if (decimal_divide(value_decimal(total), decimal_from_i64(n), &d) != DECIMAL_OK)
            return overflow(c);
        return return_number(c, value_from_decimal(d));
    }
}

/* Of int and long, whose average is a double. */
static bool
linq_average_integer(struct call *c)
{
    return average(c, TYPE_LONG);
}

static bool
linq_average(struct call *c)
{
    return average(c, type_strip_nullable(c->ret_type)->kind);
}

/* Min and Max of anything that has an order. */
static bool
extreme(struct call *c, int wanted)
{
    struct key_rule rule = {type_strip_nullable(c->ret_type), NULL};
    struct value best, v;
    struct numbers s;
    bool some = false;
    int got, order;

    if (!numbers_open(c, &s, c->ret_type->kind == TYPE_NULLABLE))
        return false;
    s.skips_null |= type_is_reference(c->ret_type);
    while ((got = numbers_next(c, &s, &v)) > 0) {
        if (some && !key_compare(c, &rule, v, best, &order))
            return false;
        if (!some || order * wanted > 0)
            best = v;
        some = true;
    }
    if (got < 0)
        return false;
    if (some)
        return return_number(c, best);
    return s.skips_null ? return_ref(c, NULL) : call_throw(c, EXC_INVALID_OPERATION, no_elements);
}

static bool
linq_min(struct call *c)
{
    return extreme(c, -1);
}

static bool
linq_max(struct call *c)
{
    return extreme(c, 1);
}

/* ---- collections ---- */

static bool
linq_to_array(struct call *c)
{
    struct value *v;
    struct array *a;
    uint32_t n;

    if (!sequence_collect(c, c->args[0].ref, c->type_args[0], "source", &v, &n))
        return false;
    a = array_new(c, c->ret_type, c->ret_type->args[0]->kind == TYPE_BYTE ? n : 0);
    if (!a)
        return false;
    if (a->is_bytes) {
        for (uint32_t i = 0; i < n; i++)
            array_set(a, i, v[i]);
    } else {
        a->u.v = v; /* collected for this array alone */
        a->n = n;
    }
    return return_ref(c, a);
}

static bool
linq_to_list(struct call *c)
{
    struct clr_list *l = clr_list_new(c, c->ret_type, 0);

    if (!l || !sequence_collect(c, c->args[0].ref, c->type_args[0], "source", &l->v, &l->n))
        return false;
    l->cap = l->n;
    return return_ref(c, l);
}

static bool
linq_to_hash_set(struct call *c)
{
    struct clr_table *s = object_new(c, c->ret_type, struct clr_table);
    struct table_entry *e;
    struct iterator it;
    struct value v;
    bool added;
    int got;

    if (!s || !sequence_open(c, c->args[0].ref, c->type_args[0], "source", &it))
        return false;
    table_init(&s->t, c->type_args[0], c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL);
    while ((got = iterate_next(c, &it, &v)) > 0)
        if (!table_put(c, &s->t, v, &e, &added))
            return false;
    return got == 0 && return_ref(c, s);
}

#define E "Enumerable"
#define S "this IEnumerable<T> source"
#define P_ ", Func<T,bool> predicate"

/* The four forms of a fold over one kind of number. */
#define FOLD(name, fn, number, result) \
    M(E, "static " result " " name "(this IEnumerable<" number "> source)", fn), \
    M(E, "static " result "? " name "(this IEnumerable<" number "?> source)", fn), \
    M(E, "static " result " " name "<T>(" S ", Func<T," number "> selector)", fn), \
    M(E, "static " result "? " name "<T>(" S ", Func<T," number "?> selector)", fn)
#define FOLD_EACH(name, fn) \
    FOLD(name, fn, "int", "int"), FOLD(name, fn, "long", "long"), FOLD(name, fn, "float", "float"), \
    FOLD(name, fn, "double", "double"), FOLD(name, fn, "decimal", "decimal")

static const struct member_row members[] = {
    M(E, "static T Aggregate<T>(" S ", Func<T,T,T> func)", linq_aggregate),
    M(E, "static A Aggregate<T,A>(" S ", A seed, Func<A,T,A> func)", linq_aggregate_seed),
    M(E, "static R Aggregate<T,A,R>(" S ", A seed, Func<A,T,A> func, Func<A,R> resultSelector)", linq_aggregate_seed),
    M(E, "static bool All<T>(" S P_ ")", linq_all),
    M(E, "static bool Any<T>(" S ")", linq_any),
    M(E, "static bool Any<T>(" S P_ ")", linq_any),
    M(E, "static bool Contains<T>(" S ", T value)", linq_contains),
    M(E, "static bool Contains<T>(" S ", T value, IEqualityComparer<T> comparer)", linq_contains),
    M(E, "static int Count<T>(" S ")", linq_count),
    M(E, "static int Count<T>(" S P_ ")", linq_count),
    M(E, "static long LongCount<T>(" S ")", linq_count),
    M(E, "static long LongCount<T>(" S P_ ")", linq_count),
    M(E, "static T ElementAt<T>(" S ", int index)", linq_element_at),
    M(E, "static T ElementAtOrDefault<T>(" S ", int index)", linq_element_at_or_default),
    M(E, "static T First<T>(" S ")", linq_first),
    M(E, "static T First<T>(" S P_ ")", linq_first),
    M(E, "static T FirstOrDefault<T>(" S ")", linq_first_or_default),
    M(E, "static T FirstOrDefault<T>(" S P_ ")", linq_first_or_default),
    M(E, "static T Last<T>(" S ")", linq_last),
    M(E, "static T Last<T>(" S P_ ")", linq_last),
    M(E, "static T LastOrDefault<T>(" S ")", linq_last_or_default),
    M(E, "static T LastOrDefault<T>(" S P_ ")", linq_last_or_default),
    M(E, "static T Single<T>(" S ")", linq_single),
    M(E, "static T Single<T>(" S P_ ")", linq_single),
    M(E, "static T SingleOrDefault<T>(" S ")", linq_single_or_default),
    M(E, "static T SingleOrDefault<T>(" S P_ ")", linq_single_or_default),
    M(E, "static bool SequenceEqual<T>(this IEnumerable<T> first, IEnumerable<T> second)", linq_sequence_equal),
    M(E, "static bool SequenceEqual<T>(this IEnumerable<T> first, IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_sequence_equal),

    FOLD("Average", linq_average_integer, "int", "double"),
    FOLD("Average", linq_average_integer, "long", "double"),
    FOLD("Average", linq_average, "float", "float"),
    FOLD("Average", linq_average, "double", "double"),
    FOLD("Average", linq_average, "decimal", "decimal"),
    FOLD_EACH("Sum", linq_sum),
    FOLD_EACH("Min", linq_min),
    M(E, "static T Min<T>(" S ")", linq_min),
    M(E, "static R Min<T,R>(" S ", Func<T,R> selector)", linq_min),
    FOLD_EACH("Max", linq_max),
    M(E, "static T Max<T>(" S ")", linq_max),
    M(E, "static R Max<T,R>(" S ", Func<T,R> selector)", linq_max),

    M(E, "static T[] ToArray<T>(" S ")", linq_to_array),
    M(E, "static List<T> ToList<T>(" S ")", linq_to_list),
    M(E, "static HashSet<T> ToHashSet<T>(" S ")", linq_to_hash_set),
    M(E, "static HashSet<T> ToHashSet<T>(" S ", IEqualityComparer<T> comparer)", linq_to_hash_set),
};

const struct library clr_linq_fold = {"linq fold", NULL, 0, members, COUNTOF(members)};
