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

/* --- the interfaces without a type argument ------------------------------------------------------------------------------ */

/* A boxed value as the comparer keeps its elements; a StringComparer's are references. */
static bool
unboxed(struct call *c, const struct comparer *self, struct object *o, struct value *ret)
{
    const struct type *element = self->head.type->n_args ? element_of(self) : NULL;

    if (!element || type_is_kept_in_ref(element)) {
        *ret = value_ref(o);
        if (!o || type_is_assignable(o->type, element ? type_strip_nullable(element) : core_types(c->run->env)->string))
            return true;
    } else if (o && o->type == element) {
        *ret = value_unbox(o);
        return true;
    }
    return throw_argument(c, NULL, "Type of argument is not compatible with the generic comparer.");
}

/* Nulls and what is no string, which a StringComparer leaves to Object. *ret false: left to the comparer. */
static bool
is_plain(const struct comparer *self, const struct object *a, const struct object *b)
{
    return !a || !b || a == b || (!self->head.type->n_args && (a->type->kind != TYPE_STRING || b->type->kind != TYPE_STRING));
}

static bool
object_compare(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    struct object *a = c->args[1].ref, *b = c->args[2].ref;
    struct value x, y;
    int order = 0;

    if (a == b || !a || !b)
        return return_i64(c, (a != NULL && a != b) - (b != NULL && a != b));
    if (is_plain(self, a, b)) {
        if (a->type != b->type)
            return throw_argument(c, NULL, "Object must be of the same type.");
        return value_compare(c, a->type, value_unbox(a), value_unbox(b), &order) && return_i64(c, order);
    }
    return unboxed(c, self, a, &x) && unboxed(c, self, b, &y) && self->ops->compare(c, self, x, y, &order) && return_i64(c, order);
}

static bool
object_equals(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    struct object *a = c->args[1].ref, *b = c->args[2].ref;
    struct value x, y;
    bool same = a == b;

    if (a == b || !a || !b)
        return return_bool(c, same);
    if (is_plain(self, a, b))
        return a->type != b->type ? return_bool(c, false)
                                  : value_equals(c, a->type, value_unbox(a), value_unbox(b), &same) && return_bool(c, same);
    return unboxed(c, self, a, &x) && unboxed(c, self, b, &y) && self->ops->equals(c, self, x, y, &same) && return_bool(c, same);
}

static bool
object_hash(struct call *c)
{
    struct comparer *self = (struct comparer *)c->args[0].ref;
    struct object *o = c->args[1].ref;
    struct value v;
    int32_t hash = 0;

    if (!o)
        return throw_argument_null(c, "obj");
    if (!self->head.type->n_args && o->type->kind != TYPE_STRING)
        return value_hash(c, o->type, value_unbox(o), &hash) && return_i64(c, hash);
    return unboxed(c, self, o, &v) && self->ops->hash(c, self, v, &hash) && return_i64(c, hash);
}

static const struct type_row types[] = {
    INTERFACE("System.Collections.IComparer", NULL),
    INTERFACE("System.Collections.IEqualityComparer", NULL),
    CLASS_ABSTRACT("System.Collections.Generic.Comparer<T>", NULL, "IComparer<T>, IComparer", NULL),
    CLASS_ABSTRACT("System.Collections.Generic.EqualityComparer<T>", NULL, "IEqualityComparer<T>, IEqualityComparer", NULL),
};

static const struct member_row members[] = {
    M("IEqualityComparer<T>", "bool Equals(T x, T y)", comparer_equals),
    M("IEqualityComparer<T>", "int GetHashCode(T obj)", comparer_get_hash_code),
    M("IComparer<T>", "int Compare(T x, T y)", comparer_compare),
    M("System.Collections.IComparer", "int Compare(object x, object y)", object_compare),
    M("System.Collections.IEqualityComparer", "bool Equals(object x, object y)", object_equals),
    M("System.Collections.IEqualityComparer", "int GetHashCode(object obj)", object_hash),
    M("StringComparer", "int Compare(object x, object y)", object_compare),
    M("StringComparer", "bool Equals(object x, object y)", object_equals),
    M("StringComparer", "int GetHashCode(object obj)", object_hash),
    M("Comparer<T>", "static Comparer<T> Default { get; }", comparer_default),
    M("Comparer<T>", "static Comparer<T> Create(Comparison<T> comparison)", comparer_create),
    M("Comparer<T>", "int Compare(T x, T y)", comparer_compare),
    M("EqualityComparer<T>", "static EqualityComparer<T> Default { get; }", comparer_default),
    M("EqualityComparer<T>", "bool Equals(T x, T y)", comparer_equals),
    M("EqualityComparer<T>", "int GetHashCode(T obj)", comparer_get_hash_code),
};

const struct library clr_comparer = LIBRARY("comparer", types, members);
