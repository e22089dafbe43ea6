/* type.c: questions about types.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/type.h"

#include "expr/member.h"

bool
type_is_value_type(const struct type *t)
{
    return t->kind >= TYPE_BOOL && t->kind <= TYPE_NULLABLE;
}

bool
type_is_reference(const struct type *t)
{
    return t->kind >= TYPE_STRING && t->kind != TYPE_PARAMETER && t->kind != TYPE_STATIC;
}

bool
type_is_kept_in_ref(const struct type *t)
{
    return type_is_reference(t) || t->kind == TYPE_NULLABLE || t->kind == TYPE_NULL || (t->flags & TYPE_IS_REF_STRUCT);
}

bool
type_is_numeric(const struct type *t)
{
    return t->kind >= TYPE_SBYTE && t->kind <= TYPE_DECIMAL;
}

bool
type_is_integral(const struct type *t)
{
    return t->kind >= TYPE_CHAR && t->kind <= TYPE_ULONG;
}

const struct type *
type_find_base(const struct type *t, const struct type_def *def)
{
    for (const struct type *b = t; b; b = b->base)
        if (b->def == def && b->kind != TYPE_ARRAY)
            return b;
    for (uint32_t i = 0; i < t->n_interfaces; i++)
        if (t->interfaces[i]->def == def)
            return t->interfaces[i];
    return NULL;
}

const struct type *
type_element(const struct type *t)
{
    const struct type *sequence;

    if (t->kind == TYPE_ARRAY)
        return t->args[0];
    sequence = type_find_base(t, t->env->enumerable_t);
    return sequence ? sequence->args[0] : NULL;
}

/* IEnumerable<string> is an IEnumerable<object>, and Func<object, string> a Func<string, object>: arguments that are references and
 * assignable one by one, in the direction that the definition allows. */
static bool
is_variant(const struct type *from, const struct type *to)
{
    if (!to->def || from->def != to->def || !(to->def->in | to->def->out) || from->n_args != to->n_args)
        return false;
    for (uint32_t i = 0; i < to->n_args; i++) {
        const struct type *x = from->args[i], *y = to->args[i];
        bool fits = x == y;
        if (!fits && type_is_reference(x) && type_is_reference(y))
            fits = (to->def->out >> i & 1 && type_is_assignable(x, y)) || (to->def->in >> i & 1 && type_is_assignable(y, x));
        if (!fits)
            return false;
    }
    return true;
}

bool
type_is_same_tuple(const struct type *a, const struct type *b)
{
    if (!(a->flags & TYPE_IS_TUPLE) || a->def != b->def)
        return false;
    for (uint32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != b->args[i] && !type_is_same_tuple(a->args[i], b->args[i]))
            return false;
    return true;
}

bool
type_is_assignable(const struct type *from, const struct type *to)
{
    if (from == to || to->kind == TYPE_OBJECT)
        return true;
    if (to->kind == TYPE_NULLABLE)
        return from == to->args[0];
    if (type_is_same_tuple(from, to))
        return true;
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY && from->rank == to->rank)
        return type_is_reference(from->args[0]) && type_is_reference(to->args[0]) &&
               type_is_assignable(from->args[0], to->args[0]);
    for (const struct type *b = from->base; b; b = b->base)
        if (b == to)
            return true;
    if (is_variant(from, to))
        return true;
    for (uint32_t i = 0; i < from->n_interfaces; i++)
        if (from->interfaces[i] == to || is_variant(from->interfaces[i], to))
            return true;
    return false;
}
