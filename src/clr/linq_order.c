/* linq_order.c: OrderBy, ThenBy and their descending forms.
 *
 *     ordered(ThenBy b) -> ordered(OrderBy a) -> source
 * When walked, the source is read once, every key is computed once, and indexes are sorted by the chain of keys, first
 * OrderBy's, so that equal elements keep their order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/linq.h"

#include "clr/families.h"

struct ordered {
    struct sequence super;
    struct ordered *parent;           /* NULL: this is the OrderBy */
    struct object *source;
    const struct type *element, *key_type;
    struct object *key_selector;
    struct comparer *comparer;
    bool descending;
};

enum { LEVELS_MAX = 64 };

struct level {
    struct key_rule rule;
    bool descending;
    struct value *keys;
};

struct sort {
    struct call *c;
    struct level *levels;
    uint32_t n_levels;
};

static bool
compute_keys(struct call *c, const struct ordered *o, const struct value *v, uint32_t n, struct level *level)
{
    level->rule = (struct key_rule){o->key_type, o->comparer};
    level->descending = o->descending;
    level->keys = call_alloc(c, (size_t)n * sizeof(*level->keys));
    if (!level->keys)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!call_charge(c, 1) || !call_invoke(c, o->key_selector, &v[i], 1, &level->keys[i]))
            return false;
    return true;
}

static bool
compare(const struct sort *s, uint32_t a, uint32_t b, int *ret)
{
    *ret = 0;
    for (uint32_t i = 0; i < s->n_levels && *ret == 0; i++) {
        const struct level *l = &s->levels[i];
        if (!key_compare(s->c, &l->rule, l->keys[a], l->keys[b], ret))
            return false;
        if (l->descending)
            *ret = -*ret;
    }
    return true;
}

/* Merge sort of indexes. */
static bool
sort_indexes(const struct sort *s, uint32_t **from, uint32_t **to, uint32_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t middle = MIN(low + width, (size_t)n), high = MIN(low + 2 * width, (size_t)n);
            size_t a = low, b = middle;

            for (size_t i = low; i < high; i++) {
                int order = 0;
                if (a < middle && b < high && !compare(s, (*from)[a], (*from)[b], &order))
                    return false;
                (*to)[i] = b >= high || (a < middle && order <= 0) ? (*from)[a++] : (*from)[b++];
            }
            if (!call_charge(s->c, high - low))
                return false;
        }
        uint32_t *swap = *from;
        *from = *to;
        *to = swap;
    }
    return true;
}

/* The elements of the query in order. */
static bool
ordered_collect(struct call *c, const struct ordered *o, struct value **ret, uint32_t *ret_n)
{
    struct level *levels;             /* not on the stack: sorted sequences can stand inside each other */
    struct sort s = {c, NULL, 0};
    struct value *v;
    uint32_t n, *indexes, *spare;
    const struct ordered **chain;

    for (const struct ordered *up = o; up; up = up->parent)
        if (++s.n_levels > LEVELS_MAX)
            return call_exceed(c, BUDGET_DEPTH);
    levels = call_alloc(c, s.n_levels * sizeof(*levels));
    chain = call_alloc(c, s.n_levels * sizeof(*chain));
    if (!levels || !chain)
        return false;
    s.levels = levels;
    for (uint32_t i = 0; i < s.n_levels; i++, o = o->parent)
        chain[i] = o;
    o = chain[s.n_levels - 1];
    if (!sequence_collect(c, o->source, o->element, "source", &v, &n))
        return false;
    for (uint32_t i = 0; i < s.n_levels; i++)
        if (!compute_keys(c, chain[s.n_levels - 1 - i], v, n, &levels[i]))
            return false;
    indexes = call_alloc(c, 2 * (size_t)n * sizeof(*indexes));
    *ret = call_alloc(c, (size_t)n * sizeof(**ret));
    if (!indexes || !*ret)
        return false;
    spare = indexes + n;
    for (uint32_t i = 0; i < n; i++)
        indexes[i] = i;
    if (!sort_indexes(&s, &indexes, &spare, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        (*ret)[i] = v[indexes[i]];
    *ret_n = n;
    return true;
}

static int
ordered_next(struct call *c, struct iterator *it, struct value *ret)
{
    if (!it->state[0].p) {
        struct value *v;
        uint32_t n;

        if (!ordered_collect(c, (struct ordered *)it->self, &v, &n))
            return -1;
        it->state[0].p = v;
        it->state[1].u64 = n;
        it->state[2].u64 = 0;
    }
    if (it->state[2].u64 >= it->state[1].u64)
        return 0;
    *ret = ((struct value *)it->state[0].p)[it->state[2].u64++];
    return 1;
}

static bool
ordered_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = ordered_next, .self = &self->head};
    return true;
}

static bool
order(struct call *c, bool descending, bool is_then)
{
    struct ordered *o = object_new(c, c->ret_type, struct ordered);

    if (!o)
        return false;
    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "keySelector" : "source");
    o->super.iterate = ordered_iterate;
    if (is_then)
        o->parent = (struct ordered *)c->args[0].ref;
    o->source = c->args[0].ref;
    o->element = c->type_args[0];
    o->key_type = c->type_args[1];
    o->key_selector = c->args[1].ref;
    o->comparer = c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL;
    o->descending = descending;
    return return_ref(c, o);
}

static bool
linq_order_by(struct call *c)
{
    return order(c, false, false);
}

static bool
linq_order_by_descending(struct call *c)
{
    return order(c, true, false);
}

static bool
linq_then_by(struct call *c)
{
    return order(c, false, true);
}

static bool
linq_then_by_descending(struct call *c)
{
    return order(c, true, true);
}

static const struct type_row types[] = {
    INTERFACE("System.Linq.IOrderedEnumerable<T>", "IEnumerable<T>"),
};

#define E "Enumerable"
#define BY ", Func<T,K> keySelector"

static const struct member_row members[] = {
    M(E, "static IOrderedEnumerable<T> OrderBy<T,K>(this IEnumerable<T> source" BY ")", linq_order_by),
    M(E, "static IOrderedEnumerable<T> OrderBy<T,K>(this IEnumerable<T> source" BY ", IComparer<K> comparer)", linq_order_by),
    M(E, "static IOrderedEnumerable<T> OrderByDescending<T,K>(this IEnumerable<T> source" BY ")", linq_order_by_descending),
    M(E, "static IOrderedEnumerable<T> OrderByDescending<T,K>(this IEnumerable<T> source" BY ", IComparer<K> comparer)", linq_order_by_descending),
    M(E, "static IOrderedEnumerable<T> ThenBy<T,K>(this IOrderedEnumerable<T> source" BY ")", linq_then_by),
    M(E, "static IOrderedEnumerable<T> ThenBy<T,K>(this IOrderedEnumerable<T> source" BY ", IComparer<K> comparer)", linq_then_by),
    M(E, "static IOrderedEnumerable<T> ThenByDescending<T,K>(this IOrderedEnumerable<T> source" BY ")", linq_then_by_descending),
    M(E, "static IOrderedEnumerable<T> ThenByDescending<T,K>(this IOrderedEnumerable<T> source" BY ", IComparer<K> comparer)", linq_then_by_descending),
};

const struct library clr_linq_order = LIBRARY("linq order", types, members);
