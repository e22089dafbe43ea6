/* comparer.c: Comparer<T>, EqualityComparer<T> and the interfaces behind them. StringComparer stands with the strings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/comparer.h"
#include "clr/families.h"

static const struct type *
element_of(const struct comparer *self)
{
    return self->head.type->args[0];
}

static bool
default_equals(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret)
{
    return value_equals(c, element_of(self), a, b, ret);
}

static bool
default_hash(struct call *c, struct comparer *self, struct value v, int32_t *ret)
{
    *ret = 0;
    return value_is_null(element_of(self), v) || value_hash(c, element_of(self), v, ret);
}

static bool
default_compare(struct call *c, struct comparer *self, struct value a, struct value b, int *ret)
{
    return value_compare(c, element_of(self), a, b, ret);
}

static const struct comparer_ops default_ops = {default_equals, default_hash, default_compare};

/* Comparer<T>.Create(comparison) */
struct by_comparison {
    struct comparer super;
    struct object *comparison;
};

static bool
comparison_compare(struct call *c, struct comparer *self, struct value a, struct value b, int *ret)
{
    struct value pair[2] = {a, b}, answer;

    if (!call_invoke(c, ((struct by_comparison *)self)->comparison, pair, 2, &answer))
        return false;
    *ret = answer.i64 < 0 ? -1 : answer.i64 > 0;
    return true;
}

static const struct comparer_ops comparison_ops = {NULL, NULL, comparison_compare};

static bool
comparer_default(struct call *c)
{
    struct comparer *comparer = object_new(c, c->ret_type, struct comparer);

    if (comparer)
        comparer->ops = &default_ops;
    return return_new(c, comparer);
}

static bool
comparer_create(struct call *c)
{
    struct by_comparison *by = object_new(c, c->ret_type, struct by_comparison);

    if (!by)
        return false;
    if (!c->args[0].ref)
        return throw_argument_null(c, "comparison");
    by->super.ops = &comparison_ops;
    by->comparison = c->args[0].ref;
    return return_ref(c, by);
}

static bool
comparer_equals(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    bool same;

    return self->ops->equals(c, self, c->args[1], c->args[2], &same) && return_bool(c, same);
}

static bool
comparer_get_hash_code(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    int32_t hash;

    return self->ops->hash(c, self, c->args[1], &hash) && return_i64(c, hash);
}

static bool
comparer_compare(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    int order;

    return self->ops->compare(c, self, c->args[1], c->args[2], &order) && return_i64(c, order);
}

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.Collections.Generic.Comparer<T>", NULL, "IComparer<T>", NULL),
    CLASS_ABSTRACT("System.Collections.Generic.EqualityComparer<T>", NULL, "IEqualityComparer<T>", NULL),
};

static const struct member_row members[] = {
    M("IEqualityComparer<T>", "bool Equals(T x, T y)", comparer_equals),
    M("IEqualityComparer<T>", "int GetHashCode(T obj)", comparer_get_hash_code),
    M("IComparer<T>", "int Compare(T x, T y)", comparer_compare),
    M("Comparer<T>", "static Comparer<T> Default { get; }", comparer_default),
    M("Comparer<T>", "static Comparer<T> Create(Comparison<T> comparison)", comparer_create),
    M("Comparer<T>", "int Compare(T x, T y)", comparer_compare),
    M("EqualityComparer<T>", "static EqualityComparer<T> Default { get; }", comparer_default),
    M("EqualityComparer<T>", "bool Equals(T x, T y)", comparer_equals),
    M("EqualityComparer<T>", "int GetHashCode(T obj)", comparer_get_hash_code),
};

const struct library clr_comparer = LIBRARY("comparer", types, members);
