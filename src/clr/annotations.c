/* annotations.c: see annotations.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/annotations.h"

#include "clr/collections.h"
#include "clr/type_object.h"

struct annotation {
    struct object *owner, *what;      /* what NULL: removed */
    struct annotation *next;          /* in order of addition */
};

/* The next annotation of the owner in args[0] that is a `type` (NULL: the first). False when a budget is exceeded. */
static bool
next_annotation(struct call *c, struct annotation *after, const struct type *type, struct annotation **ret)
{
    struct annotation *a = after ? after->next : c->run->annotations;

    for (; a; a = a->next) {
        if (!call_charge(c, 1))
            return false;
        if (a->owner == c->args[0].ref && a->what && type_is_assignable(a->what->type, type))
            break;
    }
    *ret = a;
    return true;
}

/* The type that the argument names, or T. NULL after throwing. */
static const struct type *
wanted_type(struct call *c, bool by_argument)
{
    const struct type *type = by_argument ? type_of_object(c->args[1].ref) : c->type_args[0];

    if (!type)
        throw_argument_null(c, "type");
    return type;
}

bool
annotation_add(struct call *c)
{
    struct annotation *a, **end = &c->run->annotations;

    if (!c->args[1].ref)
        return throw_argument_null(c, "annotation");
    if (!(a = call_alloc(c, sizeof(*a))))
        return false;
    *a = (struct annotation){c->args[0].ref, c->args[1].ref, NULL};
    while (*end)
        end = &(*end)->next;
    *end = a;
    return true;
}

static bool
find(struct call *c, bool by_argument)
{
    const struct type *type = wanted_type(c, by_argument);
    struct annotation *a;

    return type && next_annotation(c, NULL, type, &a) && return_ref(c, a ? a->what : NULL);
}

bool annotation_of_type(struct call *c) { return find(c, true); }
bool annotation_of(struct call *c) { return find(c, false); }

static bool
find_all(struct call *c, bool by_argument)
{
    const struct type *type = wanted_type(c, by_argument);
    struct annotation *a = NULL;
    struct clr_list *found;

    if (!type || !(found = clr_list_new(c, type_find_lit(c->run->env, "System.Collections.Generic.List", type_element(c->ret_type)), 0)))
        return false;
    for (;;) {
        if (!next_annotation(c, a, type, &a))
            return false;
        if (!a)
            return return_ref(c, found);
        if (!clr_list_add(c, found, value_ref(a->what)))
            return false;
    }
}

bool annotations_of_type(struct call *c) { return find_all(c, true); }
bool annotations_of(struct call *c) { return find_all(c, false); }

static bool
remove_all(struct call *c, bool by_argument)
{
    const struct type *type = wanted_type(c, by_argument);
    struct annotation *a = NULL;

    if (!type)
        return false;
    for (;;) {
        if (!next_annotation(c, a, type, &a))
            return false;
        if (!a)
            return true;
        a->what = NULL;
    }
}

bool annotations_remove_type(struct call *c) { return remove_all(c, true); }
bool annotations_remove(struct call *c) { return remove_all(c, false); }
