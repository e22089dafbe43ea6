/* jsequence.c: see jsequence.h. All walks but the one over children collect their tokens when they are begun.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jsequence.h"

#include "clr/collections.h"

struct jsequence_walk {
    const struct jsequence *s;
    struct jtoken_list list;          /* what to hand out */
    uint32_t at;
};

static bool
is_wanted(const struct jsequence *s, const struct jtoken *t)
{
    return !s->filter || type_is_assignable(t->head.type, s->filter);
}

/* The token after t in document order, inside top's tree; NULL at its end. Opens containers. */
static bool
next_in_document(struct call *c, struct jtoken *top, struct jtoken *t, struct jtoken **ret)
{
    struct jtoken **children;
    uint32_t n;

    if (!jtoken_children(c, t, &children, &n))
        return false;
    if (n > 0) {
        *ret = children[0];
        return true;
    }
    for (; t != top; t = t->parent) {
        uint32_t next = jtoken_index(t) + 1;
        if (!jtoken_children(c, t->parent, &children, &n))
            return false;
        if (next < n) {
            *ret = children[next];
            return true;
        }
    }
    *ret = NULL;
    return true;
}

static bool
add_descendants(struct call *c, const struct jsequence *s, struct jtoken *top, struct jtoken_list *l)
{
    struct jtoken *t = top;

    if (s->walk == JWALK_DESCENDANTS_AND_SELF && is_wanted(s, top) && !jtoken_list_add(c, l, top))
        return false;
    for (;;) {
        if (!call_charge(c, 1) || !next_in_document(c, top, t, &t))
            return false;
        if (!t)
            return true;
        if (is_wanted(s, t) && !jtoken_list_add(c, l, t))
            return false;
    }
}

static bool
add_ancestors(struct call *c, const struct jsequence *s, struct jtoken *t, struct jtoken_list *l)
{
    for (t = s->walk == JWALK_ANCESTORS_AND_SELF ? t : t->parent; t; t = t->parent)
        if (!call_charge(c, 1) || (is_wanted(s, t) && !jtoken_list_add(c, l, t)))
            return false;
    return true;
}

/* Children, or those siblings that stand before or after. */
static bool
add_range(struct call *c, const struct jsequence *s, struct jtoken *parent, uint32_t from, uint32_t to, struct jtoken_list *l)
{
    struct jtoken **children;
    uint32_t n;

    if (!jtoken_children(c, parent, &children, &n))
        return false;
    for (uint32_t i = from; i < n && i < to; i++) {
        struct jtoken *t = children[i];
        if (s->walk == JWALK_PROPERTY_VALUES)
            t = ((struct jproperty *)t)->value;
        if (!call_charge(c, 1) || (is_wanted(s, t) && !jtoken_list_add(c, l, t)))
            return false;
    }
    return true;
}

static bool
add_item(struct call *c, const struct jsequence *s, struct jtoken *t, struct jtoken_list *l)
{
    struct jtoken *item;

    return jtoken_item(c, t, s->key, &item) && (!item || jtoken_list_add(c, l, item));
}

static bool
collect_one(struct call *c, const struct jsequence *s, struct jtoken *t, struct jtoken_list *l)
{
    switch (s->walk) {
    case JWALK_CHILDREN: case JWALK_PROPERTY_VALUES: return add_range(c, s, t, 0, UINT32_MAX, l);
    case JWALK_VALUES:
        if (s->key)
            return add_item(c, s, t, l);
        if (!jtoken_is_container(t) && t->type != JTYPE_PROPERTY)
            return jtoken_list_add(c, l, t);
        return add_range(c, s, t, 0, UINT32_MAX, l);
    case JWALK_DESCENDANTS: case JWALK_DESCENDANTS_AND_SELF: return add_descendants(c, s, t, l);
    case JWALK_ANCESTORS: case JWALK_ANCESTORS_AND_SELF: return add_ancestors(c, s, t, l);
    case JWALK_BEFORE_SELF: return !t->parent || add_range(c, s, t->parent, 0, jtoken_index(t), l);
    case JWALK_AFTER_SELF: return !t->parent || add_range(c, s, t->parent, jtoken_index(t) + 1, UINT32_MAX, l);
    case JWALK_SELECT: return jtoken_select(c, t, s->path, s->error_when_missing, l);
    }
    UNREACHABLE();
}

static bool
collect(struct call *c, const struct jsequence *s, struct jtoken_list *l)
{
    struct iterator it;
    struct value v;
    int got;

    if (!s->source)
        return collect_one(c, s, s->token, l);
    if (!sequence_open(c, s->source, s->source_element, "source", &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0)
        if (v.ref && !collect_one(c, s, (struct jtoken *)v.ref, l))
            return false;
    return got == 0;
}

static int
list_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct jsequence_walk *w = it->state[0].p;
    struct jtoken *t;

    if (w->at == w->list.n)
        return 0;
    t = w->list.v[w->at++];
    *ret = value_ref(t);
    if (w->s->convert && !jtoken_convert(c, t, w->s->convert, ret))
        return -1;
    return 1;
}

/* The children of one token, looked at while they are walked. state: position, version, filter. */
static int
children_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct jtoken *self = (struct jtoken *)it->state[3].p, **children;
    const struct type *filter = it->state[2].p;
    uint32_t n;

    if (!jtoken_children(c, self, &children, &n))
        return -1;
    if (jtoken_is_container(self) && ((struct jcontainer *)self)->version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    while (it->state[0].u64 < n) {
        struct jtoken *t = children[it->state[0].u64++];
        if (!filter || type_is_assignable(t->head.type, filter)) {
            *ret = value_ref(t);
            return 1;
        }
    }
    return 0;
}

static void
open_children(struct jtoken *t, const struct type *filter, struct iterator *it)
{
    *it = (struct iterator){.next = children_next, .self = &t->head};
    if (jtoken_is_container(t))
        it->state[1].u64 = ((struct jcontainer *)t)->version;
    it->state[2].p = (void *)filter;
    it->state[3].p = t;
}

bool
jtoken_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    open_children((struct jtoken *)self, NULL, it);
    return true;
}

static bool
jsequence_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    struct jsequence *s = (struct jsequence *)self;
    struct jsequence_walk *w;

    if (s->walk == JWALK_CHILDREN && s->token && !s->convert) {
        open_children(s->token, s->filter, it);
        return true;
    }
    w = call_alloc(c, sizeof(*w));
    if (!w || !collect(c, s, &w->list))
        return false;
    w->s = s;
    *it = (struct iterator){.next = list_next, .self = &self->head};
    it->state[0].p = w;
    return true;
}

struct jsequence *
jsequence_new(struct call *c, const struct type *type, enum jwalk walk, struct jtoken *token)
{
    struct jsequence *s = object_new(c, type, struct jsequence);

    if (!s)
        return NULL;
    s->super.iterate = jsequence_iterate;
    s->walk = walk;
    s->token = token;
    if (type->n_args == 1 && !str_eq_lit(type->args[0]->name, "JToken"))
        s->filter = type->args[0];
    return s;
}
