/* reflect.c: members by name: the receiver's own type first, then its bases, then its interfaces, as the VM finds overrides.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/reflect.h"

#include "expr/core.h"
#include "expr/member.h"

/* A native with this receiver and at most one argument, its result boxed. */
static bool
call_member(struct call *c, struct object *o, const struct member *m, const struct type *owner, struct object *argument,
            struct object **ret)
{
    struct value args[2] = {value_ref(o), value_ref(argument)};
    struct call inner = {.run = c->run, .args = args, .n_args = 1 + m->n_parameters, .owner = owner, .member = m,
                         .ret_type = type_substitute(m->ret, owner->args, NULL)};

    return call_charge(c, 1) && m->fn(&inner) && value_box(c, inner.ret_type, inner.ret, ret);
}

static bool
is_getter(const struct member *m, const struct type *owner)
{
    if (m->flags & MEMBER_IS_STATIC || !m->fn || m->ret->kind == TYPE_VOID)
        return false;
    return m->kind == MEMBER_PROPERTY || (m->kind == MEMBER_METHOD && !m->n_parameters && !m->n_type_parameters);
}

static bool
takes_string(const struct member *m, const struct type *owner)
{
    return m->kind == MEMBER_INDEXER && m->fn && m->n_parameters == 1 &&
           type_substitute(m->parameters[0].type, owner->args, NULL)->kind == TYPE_STRING;
}

static const struct member *
find_in(const struct type *t, struct str name, bool (*fits)(const struct member *m, const struct type *owner))
{
    for (const struct member *m = t->def ? def_member(t->def, name) : NULL; m; m = m->next_same_name)
        if (fits(m, t))
            return m;
    return NULL;
}

static const struct member *
find(const struct object *o, struct str name, bool (*fits)(const struct member *m, const struct type *owner),
     const struct type **ret_owner)
{
    const struct member *m;

    for (const struct type *t = o->type; t; t = t->base)
        if ((m = find_in(t, name, fits))) {
            *ret_owner = t;
            return m;
        }
    for (uint32_t i = 0; i < o->type->n_interfaces; i++)
        if ((m = find_in(o->type->interfaces[i], name, fits))) {
            *ret_owner = o->type->interfaces[i];
            return m;
        }
    return NULL;
}

bool
reflect_get(struct call *c, struct object *o, struct str name, struct object **ret, bool *ret_found)
{
    const struct type *owner;
    const struct member *m = find(o, name, is_getter, &owner);

    *ret = NULL;
    *ret_found = m != NULL;
    return !m || call_member(c, o, m, owner, NULL, ret);
}

bool
reflect_index(struct call *c, struct object *o, struct str key, struct object **ret, bool *ret_found)
{
    const struct type *owner;
    const struct member *m = find(o, STR("this"), takes_string, &owner);
    struct string *s = m ? string_view(c, key) : NULL;

    *ret = NULL;
    *ret_found = false;
    if (!m)
        return true;
    if (!s || !call_member(c, o, m, owner, (struct object *)s, ret)) {
        bool is_missing = !c->run->exceeded && c->run->exception &&
                          str_eq(c->run->exception->head.type->full_name, exception_type_name(EXC_KEY_NOT_FOUND));
        if (is_missing)
            c->run->exception = NULL;
        return is_missing;
    }
    *ret_found = *ret != NULL;
    return true;
}
