/* linq_group.c: GroupBy, ToLookup, Join, GroupJoin, ToDictionary.
 *
 * All of them build a struct groups: keys in order of their first appearance, the elements of each in order.
 *     groups.keys: table key -> struct grouping { key, elements }
 * A null key is a group like another here (only dictionaries refuse it).
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/linq.h"

#include "clr/families.h"

/* IGrouping<K,T>: its type is the interface. */
struct grouping {
    struct sequence super;
    struct value key;
    uint32_t n, cap;
    struct value *v;
};

/* ILookup<K,T> */
struct lookup {
    struct sequence super;
    struct table keys;                /* values: struct grouping */
    const struct type *grouping_type;
};

/* ---- groups ---- */

static int
grouping_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct grouping *g = (struct grouping *)it->self;

    if (it->state[0].u64 >= g->n)
        return 0;
    *ret = g->v[it->state[0].u64++];
    return 1;
}

static bool
grouping_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = grouping_next, .self = &self->head};
    return true;
}

static struct grouping *
grouping_new(struct call *c, const struct type *type, struct value key)
{
    struct grouping *g = object_new(c, type, struct grouping);

    if (g) {
        g->super.iterate = grouping_iterate;
        g->key = key;
    }
    return g;
}

static bool
grouping_add(struct call *c, struct grouping *g, struct value v)
{
    if (g->n == g->cap) {
        uint32_t cap = MAX(4u, 2 * g->cap);
        struct value *grown = call_alloc(c, (size_t)cap * sizeof(*grown));

        if (!grown)
            return false;
        if (g->n)
            memcpy(grown, g->v, g->n * sizeof(*grown));
        g->v = grown;
        g->cap = cap;
    }
    g->v[g->n++] = v;
    return true;
}

/* What a sequence is grouped by. element_selector may be NULL. */
struct grouping_plan {
    struct object *source;
    const struct type *element, *key_type, *grouping_type;
    struct object *key_selector, *element_selector;
    struct comparer *comparer;
    bool skip_null_keys;              /* joins: null matches nothing */
};

static bool
group_element(struct call *c, const struct grouping_plan *p, struct table *keys, struct value v)
{
    struct table_entry *e;
    struct value key;
    bool added;

    if (!call_invoke(c, p->key_selector, &v, 1, &key))
        return false;
    if (p->element_selector && !call_invoke(c, p->element_selector, &v, 1, &v))
        return false;
    if (p->skip_null_keys && value_is_null(p->key_type, key))
        return true;
    if (!table_put(c, keys, key, &e, &added))
        return false;
    if (added) {
        struct grouping *g = grouping_new(c, p->grouping_type, key);
        if (!g)
            return false;
        e->value = value_ref(g);
    }
    return grouping_add(c, (struct grouping *)e->value.ref, v);
}

static bool
group_all(struct call *c, const struct grouping_plan *p, struct table *keys)
{
    struct iterator it;
    struct value v;
    int got;

    table_init(keys, p->key_type, p->comparer);
    if (!sequence_open(c, p->source, p->element, "source", &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0)
        if (!group_element(c, p, keys, v))
            return false;
    return got == 0;
}

/* ---- GroupBy: deferred ---- */

struct group_by {
    struct sequence super;
    struct grouping_plan plan;
    struct object *result_selector;   /* Func<K, IEnumerable<T>, R>, or NULL */
};

struct group_walk {
    struct table keys;
    uint32_t at;
};

static int
group_by_next(struct call *c, struct iterator *it, struct value *ret)
{
    const struct group_by *g = (const struct group_by *)it->self;
    struct group_walk *w = it->state[0].p;
    struct table_entry *e;
    struct value pair[2];

    if (!w) {
        w = it->state[0].p = call_alloc(c, sizeof(*w));
        if (!w || !group_all(c, &g->plan, &w->keys))
            return -1;
    }
    if (!(e = table_next(&w->keys, &w->at)))
        return 0;
    *ret = e->value;
    if (!g->result_selector)
        return 1;
    pair[0] = e->key;
    pair[1] = e->value;
    return call_invoke(c, g->result_selector, pair, 2, ret) ? 1 : -1;
}

static bool
group_by_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = group_by_next, .self = &self->head};
    return true;
}

static const struct type *
grouping_type_of(struct call *c, const struct type *key, const struct type *element)
{
    return type_find_lit(c->run->env, "System.Linq.IGrouping", key, element);
}

/* The overloads differ in which of their arguments are there. Indexes are 0 for absent ones. */
static bool
group_by(struct call *c, uint32_t element_arg, uint32_t result_arg, uint32_t comparer_arg)
{
    struct group_by *g = object_new(c, c->ret_type, struct group_by);
    const struct type *kept = element_arg ? c->type_args[2] : c->type_args[0];

    if (!g)
        return false;
    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "keySelector" : "source");
    if ((element_arg && !c->args[element_arg].ref) || (result_arg && !c->args[result_arg].ref))
        return throw_argument_null(c, element_arg && !c->args[element_arg].ref ? "elementSelector" : "resultSelector");
    g->super.iterate = group_by_iterate;
    g->plan = (struct grouping_plan){
        .source = c->args[0].ref, .element = c->type_args[0], .key_type = c->type_args[1],
        .grouping_type = grouping_type_of(c, c->type_args[1], kept), .key_selector = c->args[1].ref,
        .element_selector = element_arg ? c->args[element_arg].ref : NULL,
        .comparer = comparer_arg ? (struct comparer *)c->args[comparer_arg].ref : NULL,
    };
    g->result_selector = result_arg ? c->args[result_arg].ref : NULL;
    return return_ref(c, g);
}

#define GROUP_BY(name, element_arg, result_arg, comparer_arg) \
    static bool \
    name(struct call *c) \
    { \
        return group_by(c, element_arg, result_arg, comparer_arg); \
    }
GROUP_BY(group_by_key, 0, 0, 0)
GROUP_BY(group_by_key_comparer, 0, 0, 2)
GROUP_BY(group_by_element, 2, 0, 0)
GROUP_BY(group_by_element_comparer, 2, 0, 3)
GROUP_BY(group_by_result, 0, 2, 0)
GROUP_BY(group_by_result_comparer, 0, 2, 3)
GROUP_BY(group_by_element_result, 2, 3, 0)
GROUP_BY(group_by_element_result_comparer, 2, 3, 4)

static bool
grouping_key(struct call *c)
{
    c->ret = ((struct grouping *)c->args[0].ref)->key;
    return true;
}

/* ---- ToLookup ---- */

static int
lookup_next(struct call *c, struct iterator *it, struct value *ret)
{
    uint32_t at = (uint32_t)it->state[0].u64;
    struct table_entry *e = table_next(&((struct lookup *)it->self)->keys, &at);

    it->state[0].u64 = at;
    if (e)
        *ret = e->value;
    return e != NULL;
}

static bool
lookup_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = lookup_next, .self = &self->head};
    return true;
}

static bool
to_lookup(struct call *c, uint32_t element_arg, uint32_t comparer_arg)
{
    struct lookup *l = object_new(c, c->ret_type, struct lookup);
    const struct type *kept = element_arg ? c->type_args[2] : c->type_args[0];

    if (!l)
        return false;
    if (!c->args[0].ref || !c->args[1].ref || (element_arg && !c->args[element_arg].ref))
        return throw_argument_null(c, !c->args[0].ref ? "source" : !c->args[1].ref ? "keySelector" : "elementSelector");
    l->super.iterate = lookup_iterate;
    l->grouping_type = grouping_type_of(c, c->type_args[1], kept);
    struct grouping_plan plan = {
        .source = c->args[0].ref, .element = c->type_args[0], .key_type = c->type_args[1],
        .grouping_type = l->grouping_type, .key_selector = c->args[1].ref,
        .element_selector = element_arg ? c->args[element_arg].ref : NULL,
        .comparer = comparer_arg ? (struct comparer *)c->args[comparer_arg].ref : NULL,
    };
    return group_all(c, &plan, &l->keys) && return_ref(c, l);
}

static bool
to_lookup_key(struct call *c)
{
    return to_lookup(c, 0, 0);
}

static bool
to_lookup_key_comparer(struct call *c)
{
    return to_lookup(c, 0, 2);
}

static bool
to_lookup_element(struct call *c)
{
    return to_lookup(c, 2, 0);
}

static bool
to_lookup_element_comparer(struct call *c)
{
    return to_lookup(c, 2, 3);
}

static bool
lookup_count(struct call *c)
{
    return return_i64(c, table_count(&((struct lookup *)c->args[0].ref)->keys));
}

static bool
lookup_contains(struct call *c)
{
    int32_t i;

    return table_find(c, &((struct lookup *)c->args[0].ref)->keys, c->args[1], &i) && return_bool(c, i >= 0);
}

/* A missing key is an empty sequence. */
static bool
lookup_get(struct call *c)
{
    struct lookup *l = (struct lookup *)c->args[0].ref;
    int32_t i;

    if (!table_find(c, &l->keys, c->args[1], &i))
        return false;
    if (i >= 0)
        c->ret = l->keys.entries[i].value;
    return i >= 0 || return_new(c, grouping_new(c, l->grouping_type, c->args[1]));
}

/* ---- Join, GroupJoin: deferred ---- */

struct join {
    struct sequence super;
    struct object *outer;
    const struct type *outer_element;
    struct object *outer_key, *result;
    struct grouping_plan inner;
    bool is_group_join;
};

struct join_walk {
    struct iterator outer;
    struct table keys;                /* of the inner sequence */
    struct value held;                /* the outer element */
    struct grouping *matches;         /* left to pair with it */
    uint32_t next_match;
    bool has_keys;                    /* the inner sequence is walked when there is an outer element */
};

/* The inner elements that match the held one; NULL when there are none. */
static bool
find_matches(struct call *c, const struct join *j, struct join_walk *w)
{
    struct value key;
    int32_t i = -1;

    if (!call_invoke(c, j->outer_key, &w->held, 1, &key))
        return false;
    if (!value_is_null(j->inner.key_type, key) && !table_find(c, &w->keys, key, &i))
        return false;
    w->matches = i >= 0 ? (struct grouping *)w->keys.entries[i].value.ref : NULL;
    w->next_match = 0;
    return true;
}

static struct join_walk *
join_begin(struct call *c, const struct join *j)
{
    struct join_walk *w = call_alloc(c, sizeof(*w));

    return w && sequence_open(c, j->outer, j->outer_element, "outer", &w->outer) ? w : NULL;
}

static int
join_next(struct call *c, struct iterator *it, struct value *ret)
{
    const struct join *j = (const struct join *)it->self;
    struct join_walk *w = it->state[0].p;
    struct value pair[2];
    int got;

    if (!w && !(w = it->state[0].p = join_begin(c, j)))
        return -1;
    while (j->is_group_join || !w->matches || w->next_match == w->matches->n) {
        if ((got = iterate_next(c, &w->outer, &w->held)) <= 0)
            return got;
        if (!w->has_keys && !group_all(c, &j->inner, &w->keys))
            return -1;
        w->has_keys = true;
        if (!j->is_group_join && table_count(&w->keys) == 0)
            return 0;                 /* nothing to pair with: the rest is not looked at */
        if (!find_matches(c, j, w))
            return -1;
        if (j->is_group_join)
            break;
    }
    pair[0] = w->held;
    if (!j->is_group_join) {
        pair[1] = w->matches->v[w->next_match++];
    } else {
        struct grouping *g = w->matches;
        if (!g && !(g = grouping_new(c, j->inner.grouping_type, value_i64(0))))
            return -1;
        pair[1] = value_ref(g);
    }
    return call_invoke(c, j->result, pair, 2, ret) ? 1 : -1;
}

static bool
join_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = join_next, .self = &self->head};
    return true;
}

/* Join<TOuter,TInner,TKey,TResult>(outer, inner, outerKeySelector, innerKeySelector, resultSelector[, comparer]) */
static bool
join(struct call *c, bool is_group_join)
{
    static const char *const names[] = {"outer", "inner", "outerKeySelector", "innerKeySelector", "resultSelector"};
    struct join *j = object_new(c, c->ret_type, struct join);

    if (!j)
        return false;
    for (uint32_t i = 0; i < 5; i++)
        if (!c->args[i].ref)
            return throw_argument_null(c, names[i]);
    *j = (struct join){
        .super = {j->super.head, join_iterate}, .outer = c->args[0].ref, .outer_element = c->type_args[0],
        .outer_key = c->args[2].ref, .result = c->args[4].ref, .is_group_join = is_group_join,
        .inner = {.source = c->args[1].ref, .element = c->type_args[1], .key_type = c->type_args[2],
                  .grouping_type = grouping_type_of(c, c->type_args[2], c->type_args[1]),
                  .key_selector = c->args[3].ref, .skip_null_keys = true,
                  .comparer = c->n_args > 5 ? (struct comparer *)c->args[5].ref : NULL},
    };
    return return_ref(c, j);
}

static bool
linq_join(struct call *c)
{
    return join(c, false);
}

static bool
linq_group_join(struct call *c)
{
    return join(c, true);
}

/* ---- ToDictionary ---- */

static bool
to_dictionary(struct call *c, uint32_t element_arg, uint32_t comparer_arg)
{
    struct clr_table *d =
        clr_dictionary_new(c, c->ret_type, comparer_arg ? (struct comparer *)c->args[comparer_arg].ref : NULL);
    struct iterator it;
    struct value v, key;
    int got;

    if (!d)
        return false;
    if (!c->args[1].ref || (element_arg && !c->args[element_arg].ref))
        return throw_argument_null(c, c->args[1].ref ? "elementSelector" : "keySelector");
    if (!sequence_open(c, c->args[0].ref, c->type_args[0], "source", &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct table_entry *e;
        bool added;

        if (!call_invoke(c, c->args[1].ref, &v, 1, &key) ||
            (element_arg && !call_invoke(c, c->args[element_arg].ref, &v, 1, &v)))
            return false;
        if (value_is_null(d->t.rule.type, key))
            return throw_argument_null(c, "key");
        if (!table_put(c, &d->t, key, &e, &added))
            return false;
        if (!added)
            return throw_same_key(c, d->t.rule.type, key);
        e->value = v;
    }
    return got == 0 && return_ref(c, d);
}

static bool
to_dictionary_key(struct call *c)
{
    return to_dictionary(c, 0, 0);
}

static bool
to_dictionary_key_comparer(struct call *c)
{
    return to_dictionary(c, 0, 2);
}

static bool
to_dictionary_element(struct call *c)
{
    return to_dictionary(c, 2, 0);
}

static bool
to_dictionary_element_comparer(struct call *c)
{
    return to_dictionary(c, 2, 3);
}

static const struct type_row types[] = {
    INTERFACE("System.Linq.IGrouping<K,T>", "IEnumerable<T>"),
    INTERFACE("System.Linq.ILookup<K,T>", "IEnumerable<IGrouping<K,T>>"),
};

#define E "Enumerable"
#define BY "this IEnumerable<T> source, Func<T,K> keySelector"
#define ELEMENT ", Func<T,U> elementSelector"
#define COMPARER ", IEqualityComparer<K> comparer"
#define JOINED "<T,U,K,R>(this IEnumerable<T> outer, IEnumerable<U> inner, Func<T,K> outerKeySelector, Func<U,K> innerKeySelector, "

static const struct member_row members[] = {
    M(E, "static IEnumerable<IGrouping<K,T>> GroupBy<T,K>(" BY ")", group_by_key),
    M(E, "static IEnumerable<IGrouping<K,T>> GroupBy<T,K>(" BY COMPARER ")", group_by_key_comparer),
    M(E, "static IEnumerable<IGrouping<K,U>> GroupBy<T,K,U>(" BY ELEMENT ")", group_by_element),
    M(E, "static IEnumerable<IGrouping<K,U>> GroupBy<T,K,U>(" BY ELEMENT COMPARER ")", group_by_element_comparer),
    M(E, "static IEnumerable<R> GroupBy<T,K,R>(" BY ", Func<K,IEnumerable<T>,R> resultSelector)", group_by_result),
    M(E, "static IEnumerable<R> GroupBy<T,K,R>(" BY ", Func<K,IEnumerable<T>,R> resultSelector" COMPARER ")", group_by_result_comparer),
    M(E, "static IEnumerable<R> GroupBy<T,K,U,R>(" BY ELEMENT ", Func<K,IEnumerable<U>,R> resultSelector)", group_by_element_result),
    M(E, "static IEnumerable<R> GroupBy<T,K,U,R>(" BY ELEMENT ", Func<K,IEnumerable<U>,R> resultSelector" COMPARER ")", group_by_element_result_comparer),
    M(E, "static ILookup<K,T> ToLookup<T,K>(" BY ")", to_lookup_key),
    M(E, "static ILookup<K,T> ToLookup<T,K>(" BY COMPARER ")", to_lookup_key_comparer),
    M(E, "static ILookup<K,U> ToLookup<T,K,U>(" BY ELEMENT ")", to_lookup_element),
    M(E, "static ILookup<K,U> ToLookup<T,K,U>(" BY ELEMENT COMPARER ")", to_lookup_element_comparer),
    M(E, "static Dictionary<K,T> ToDictionary<T,K>(" BY ")", to_dictionary_key),
    M(E, "static Dictionary<K,T> ToDictionary<T,K>(" BY COMPARER ")", to_dictionary_key_comparer),
    M(E, "static Dictionary<K,U> ToDictionary<T,K,U>(" BY ELEMENT ")", to_dictionary_element),
    M(E, "static Dictionary<K,U> ToDictionary<T,K,U>(" BY ELEMENT COMPARER ")", to_dictionary_element_comparer),
    M(E, "static IEnumerable<R> Join" JOINED "Func<T,U,R> resultSelector)", linq_join),
    M(E, "static IEnumerable<R> Join" JOINED "Func<T,U,R> resultSelector" COMPARER ")", linq_join),
    M(E, "static IEnumerable<R> GroupJoin" JOINED "Func<T,IEnumerable<U>,R> resultSelector)", linq_group_join),
    M(E, "static IEnumerable<R> GroupJoin" JOINED "Func<T,IEnumerable<U>,R> resultSelector" COMPARER ")", linq_group_join),

    M("IGrouping<K,T>", "K Key { get; }", grouping_key),
    M("ILookup<K,T>", "int Count { get; }", lookup_count),
    M("ILookup<K,T>", "bool Contains(K key)", lookup_contains),
    M("ILookup<K,T>", "IEnumerable<T> this[K key] { get; }", lookup_get),
};

const struct library clr_linq_group = LIBRARY("linq group", types, members);
