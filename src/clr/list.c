/* list.c: System.Collections.Generic.List<T> and ReadOnlyCollection<T>.
 *
 * Natives that call a lambda look at the list again afterwards: the lambda may have changed it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

static const char out_of_range[] = "Index was out of range. Must be non-negative and less than the size of the collection.";
static const char within_bounds[] = "Index must be within the bounds of the List.";
static const char count_too_large[] =
    "Offset and length were out of bounds for the array or count is greater than the number of elements from index "
    "to the end of the source collection.";

static struct clr_list *
self_of(const struct call *c)
{
    return (struct clr_list *)c->args[0].ref;
}

static struct key_rule
rule_of(const struct call *c)
{
    return (struct key_rule){c->owner->args[0], NULL};
}

struct clr_list *
clr_list_new(struct call *c, const struct type *list_type, uint32_t cap)
{
    struct clr_list *l = object_new(c, list_type, struct clr_list);

    if (!l || cap == 0)
        return l;
    l->v = call_alloc(c, (size_t)cap * sizeof(*l->v));
    l->cap = cap;
    return l->v ? l : NULL;
}

static bool
list_reserve(struct call *c, struct clr_list *l, uint32_t n)
{
    uint64_t cap = MAX((uint64_t)l->cap * 2, (uint64_t)MAX(n, 4u));
    struct value *v;

    if (n <= l->cap)
        return true;
    v = call_alloc(c, cap * sizeof(*v));
    if (!v)
        return false;
    if (l->n)
        memcpy(v, l->v, l->n * sizeof(*v));
    l->v = v;
    l->cap = (uint32_t)cap;
    return true;
}

bool
clr_list_add(struct call *c, struct clr_list *l, struct value v)
{
    if (l->n == l->cap && !list_reserve(c, l, l->n + 1))
        return false;
    l->v[l->n++] = v;
    l->version++;
    return true;
}

/* Makes room for n elements at `at`. */
static bool
list_open_gap(struct call *c, struct clr_list *l, uint32_t at, uint32_t n)
{
    if (!list_reserve(c, l, l->n + n))
        return false;
    if (at < l->n)                     /* an empty list has no room, not even for nothing */
        memmove(l->v + at + n, l->v + at, (l->n - at) * sizeof(*l->v));
    l->n += n;
    l->version++;
    return true;
}

static void
list_close_gap(struct clr_list *l, uint32_t at, uint32_t n)
{
    if (n)
        memmove(l->v + at, l->v + at + n, (l->n - at - n) * sizeof(*l->v));
    l->n -= n;
    l->version++;
}

static bool
list_new_empty(struct call *c)
{
    return return_new(c, clr_list_new(c, c->owner, 0));
}

static bool
list_new_capacity(struct call *c)
{
    int32_t cap = call_i32(c, 0);

    if (cap < 0)
        return throw_argument_range(c, "capacity", "Non-negative number required.");
    /* A capacity is a wish: memory is taken as elements come. */
    return return_new(c, clr_list_new(c, c->owner, (uint32_t)MIN(cap, 1024)));
}

static bool
list_new_from(struct call *c)
{
    struct clr_list *l = clr_list_new(c, c->owner, 0);

    if (!l || !sequence_collect(c, c->args[0].ref, c->owner->args[0], "collection", &l->v, &l->n))
        return false;
    l->cap = l->n;
    return return_ref(c, l);
}

static bool
list_count(struct call *c)
{
    return return_i64(c, self_of(c)->n);
}

static bool
list_capacity(struct call *c)
{
    return return_i64(c, self_of(c)->cap);
}

static bool
list_set_capacity(struct call *c)
{
    struct clr_list *l = self_of(c);

    if (call_i32(c, 1) < (int32_t)l->n)
        return throw_argument_range(c, "value", "capacity was less than the current size.");
    return true;
}

static bool
list_get(struct call *c)
{
    struct clr_list *l = self_of(c);

    if ((uint64_t)c->args[1].i64 >= l->n)
        return throw_argument_range(c, "index", out_of_range);
    c->ret = l->v[c->args[1].i64];
    return true;
}

static bool
list_set(struct call *c)
{
    struct clr_list *l = self_of(c);

    if ((uint64_t)c->args[1].i64 >= l->n)
        return throw_argument_range(c, "index", out_of_range);
    l->v[c->args[1].i64] = c->args[2];
    l->version++;
    return true;
}

static bool
list_add(struct call *c)
{
    return clr_list_add(c, self_of(c), c->args[1]);
}

/* InsertRange: the new elements are collected first, so that a list may be inserted into itself. */
static bool
list_insert_all(struct call *c, uint32_t at, struct object *collection)
{
    struct clr_list *l = self_of(c);
    struct value *v;
    uint32_t n;

    if (!sequence_collect(c, collection, c->owner->args[0], "collection", &v, &n))
        return false;
    if (at > l->n)
        return throw_argument_range(c, "index", "%s", within_bounds);
    if (!list_open_gap(c, l, at, n))
        return false;
    if (n)
        memcpy(l->v + at, v, n * sizeof(*v));
    return true;
}

static bool
list_add_range(struct call *c)
{
    return list_insert_all(c, self_of(c)->n, c->args[1].ref);
}

static bool
list_insert_range(struct call *c)
{
    return list_insert_all(c, (uint32_t)call_i32(c, 1), c->args[2].ref);
}

static bool
list_insert(struct call *c)
{
    struct clr_list *l = self_of(c);

    if ((uint64_t)c->args[1].i64 > l->n)
        return throw_argument_range(c, "index", "%s", within_bounds);
    if (!list_open_gap(c, l, (uint32_t)call_i32(c, 1), 1))
        return false;
    l->v[c->args[1].i64] = c->args[2];
    return true;
}

/* The first (or last) index in [from, to) that equals the value; -1 when none. */
static bool
find_value(struct call *c, struct value wanted, uint32_t from, uint32_t to, bool last, int64_t *ret)
{
    struct clr_list *l = self_of(c);
    struct key_rule rule = rule_of(c);

    *ret = -1;
    for (uint32_t k = from; k < to; k++) {
        uint32_t i = last ? from + to - 1 - k : k;
        bool same;

        if (!call_charge(c, 1) || !key_equals(c, &rule, l->v[i], wanted, &same))
            return false;
        if (same) {
            *ret = i;
            return true;
        }
    }
    return true;
}

static bool
list_contains(struct call *c)
{
    int64_t at;

    return find_value(c, c->args[1], 0, self_of(c)->n, false, &at) && return_bool(c, at >= 0);
}

static bool
list_index_of(struct call *c)
{
    struct clr_list *l = self_of(c);
    int64_t from = c->n_args > 2 ? c->args[2].i64 : 0, n, at;

    if (from < 0 || from > l->n)
        return throw_argument_range(c, "index", out_of_range);
    n = c->n_args > 3 ? c->args[3].i64 : l->n - from;
    if (n < 0 || n > l->n - from)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the "
                                                "string/array/collection.");
    return find_value(c, c->args[1], (uint32_t)from, (uint32_t)(from + n), false, &at) && return_i64(c, at);
}

/* What LastIndexOf and FindLastIndex search: backwards from a start, a count of elements; n_given of the arguments from `at` on. */
static bool
backward_part(struct call *c, uint32_t n_given, uint32_t at, uint32_t *ret_from, uint32_t *ret_n)
{
    struct clr_list *l = self_of(c);
    int64_t start = n_given > 0 ? call_i32(c, at) : (int64_t)l->n - 1, n = n_given > 1 ? call_i32(c, at + 1) : start + 1;

    *ret_from = *ret_n = 0;
    if (l->n == 0 && (n_given == 0 || start == -1))
        return true;
    if (start < 0 || start >= l->n)
        return throw_argument_range(c, "startIndex", out_of_range);
    if (n < 0 || n > start + 1)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the "
                                                "string/array/collection.");
    *ret_from = (uint32_t)(start - n + 1);
    *ret_n = (uint32_t)n;
    return true;
}

static bool
list_last_index_of(struct call *c)
{
    uint32_t from, n;
    int64_t at;

    return backward_part(c, c->n_args - 2, 2, &from, &n) && find_value(c, c->args[1], from, from + n, true, &at) && return_i64(c, at);
}

static bool
list_remove(struct call *c)
{
    int64_t at;

    if (!find_value(c, c->args[1], 0, self_of(c)->n, false, &at))
        return false;
    if (at >= 0)
        list_close_gap(self_of(c), (uint32_t)at, 1);
    return return_bool(c, at >= 0);
}

static bool
list_remove_at(struct call *c)
{
    if ((uint64_t)c->args[1].i64 >= self_of(c)->n)
        return throw_argument_range(c, "index", out_of_range);
    list_close_gap(self_of(c), (uint32_t)call_i32(c, 1), 1);
    return true;
}

/* Checks (index, count) arguments at 1 and 2. */
static bool
check_range(struct call *c)
{
    if (c->args[1].i64 < 0 || c->args[2].i64 < 0)
        return throw_argument_range(c, c->args[1].i64 < 0 ? "index" : "count", "Non-negative number required.");
    if (c->args[1].i64 + c->args[2].i64 > self_of(c)->n)
        return throw_argument(c, NULL, "%s", count_too_large);
    return true;
}

static bool
list_remove_range(struct call *c)
{
    if (!check_range(c))
        return false;
    list_close_gap(self_of(c), (uint32_t)call_i32(c, 1), (uint32_t)call_i32(c, 2));
    return true;
}

static bool
list_get_range(struct call *c)
{
    struct clr_list *part;

    if (!check_range(c))
        return false;
    part = clr_list_new(c, c->owner, (uint32_t)call_i32(c, 2));
    if (!part)
        return false;
    part->n = part->cap;
    if (part->n)
        memcpy(part->v, self_of(c)->v + c->args[1].i64, part->n * sizeof(*part->v));
    return return_ref(c, part);
}

static bool
list_clear(struct call *c)
{
    self_of(c)->n = 0;
    self_of(c)->version++;
    return true;
}

static bool
list_reverse(struct call *c)
{
    struct clr_list *l = self_of(c);
    uint32_t from = 0, to = l->n;

    if (c->n_args > 1) {
        if (!check_range(c))
            return false;
        from = (uint32_t)call_i32(c, 1);
        to = from + (uint32_t)call_i32(c, 2);
    }
    for (; from + 1 < to; from++, to--) {
        struct value v = l->v[from];
        l->v[from] = l->v[to - 1];
        l->v[to - 1] = v;
    }
    l->version++;
    return true;
}

static bool
sort_part(struct call *c, uint32_t from, uint32_t n, struct comparer *comparer, struct object *comparison)
{
    struct clr_list *l = self_of(c);
    struct key_rule rule = {c->owner->args[0], comparer};

    l->version++;
    return values_sort(c, l->v + from, n, &rule, comparison);
}

static bool
list_sort(struct call *c)
{
    return sort_part(c, 0, self_of(c)->n, c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL, NULL);
}

static bool
list_sort_by(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "comparison");
    return sort_part(c, 0, self_of(c)->n, NULL, c->args[1].ref);
}

static bool
list_sort_range(struct call *c)
{
    return check_range(c) && sort_part(c, (uint32_t)call_i32(c, 1), (uint32_t)call_i32(c, 2),
                                       (struct comparer *)c->args[3].ref, NULL);
}

static bool
search_part(struct call *c, int64_t from, int64_t n, struct value wanted, struct comparer *comparer)
{
    struct clr_list *l = self_of(c);
    struct key_rule rule = {c->owner->args[0], comparer};
    int64_t low = from, high = from + n - 1;

    while (low <= high) {
        int64_t middle = low + (high - low) / 2;
        int order;

        if (!key_compare(c, &rule, l->v[middle], wanted, &order))
            return false;
        if (order == 0)
            return return_i64(c, middle);
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return return_i64(c, ~low);
}

static bool
list_binary_search(struct call *c)
{
    return search_part(c, 0, self_of(c)->n, c->args[1], c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL);
}

static bool
list_binary_search_part(struct call *c)
{
    int64_t from = call_i32(c, 1), n = call_i32(c, 2);

    if (from < 0 || n < 0)
        return throw_argument_range(c, from < 0 ? "index" : "count", "Non-negative number required.");
    if (n > self_of(c)->n - from)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the number of "
                                       "elements from index to the end of the source collection.");
    return search_part(c, from, n, c->args[3], (struct comparer *)c->args[4].ref);
}

static bool
list_to_array(struct call *c)
{
    struct clr_list *l = self_of(c);
    struct array *a = array_new(c, c->ret_type, l->n);

    if (!a)
        return false;
    for (uint32_t i = 0; i < l->n; i++)
        array_set(a, i, l->v[i]);
    return return_ref(c, a);
}

/* CopyTo(array), CopyTo(array, arrayIndex), CopyTo(index, array, arrayIndex, count) */
static bool
list_copy_to(struct call *c)
{
    struct clr_list *l = self_of(c);
    bool is_part = c->n_args == 5;
    struct array *a = (struct array *)c->args[is_part ? 2 : 1].ref;
    int64_t from = is_part ? c->args[1].i64 : 0, n = is_part ? c->args[4].i64 : l->n;
    int64_t at = c->n_args == 3 ? c->args[2].i64 : is_part ? c->args[3].i64 : 0;

    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0)
        return throw_argument_range(c, "arrayIndex", "Non-negative number required.");
    if (from < 0 || n < 0 || from + n > l->n || at + n > a->n)
        return throw_argument(c, NULL, "Destination array was not long enough. Check destIndex and length, and the "
                                       "array's lower bounds.");
    for (int64_t i = 0; i < n; i++)
        if (!array_store_cast(c, a, (uint32_t)(at + i), l->v[from + i]))
            return false;
    return true;
}

static bool
list_is_read_only(struct call *c)
{
    return return_bool(c, false);
}

static bool
list_trim_excess(struct call *c)
{
    struct clr_list *l = self_of(c);

    if (l->n < l->cap - l->cap / 10)
        l->cap = l->n;
    return true;
}

/* ---- with lambdas ---- */

/* Calls predicate(v[i]); the list may have shrunk afterwards. */
static bool
test_at(struct call *c, struct object *predicate, uint32_t i, bool *ret)
{
    struct value answer;

    if (!call_invoke(c, predicate, &self_of(c)->v[i], 1, &answer))
        return false;
    *ret = answer.i64 != 0;
    return true;
}

/* The first (or last) index in [from, to) that the predicate accepts, or -1. */
static bool
find_index(struct call *c, struct object *predicate, int64_t from, int64_t to, bool last, int64_t *ret)
{
    *ret = -1;
    if (!predicate)
        return throw_argument_null(c, "match");
    for (int64_t k = from; k < to; k++) {
        int64_t i = last ? from + to - 1 - k : k;
        bool yes;

        if (i >= self_of(c)->n)
            continue;
        if (!call_charge(c, 1) || !test_at(c, predicate, (uint32_t)i, &yes))
            return false;
        if (yes) {
            *ret = i;
            return true;
        }
    }
    return true;
}

/* Find, FindLast: the element or the default. */
static bool
return_found(struct call *c, bool last)
{
    struct clr_list *l = self_of(c);
    int64_t at;

    if (!find_index(c, c->args[1].ref, 0, l->n, last, &at))
        return false;
    c->ret = at >= 0 && at < l->n ? l->v[at] : value_i64(0);
    return true;
}

static bool
list_find(struct call *c)
{
    return return_found(c, false);
}

static bool
list_find_last(struct call *c)
{
    return return_found(c, true);
}

static bool
list_exists(struct call *c)
{
    int64_t at;

    return find_index(c, c->args[1].ref, 0, self_of(c)->n, false, &at) && return_bool(c, at >= 0);
}

/* FindIndex(match), FindIndex(startIndex, match), FindIndex(startIndex, count, match) */
static bool
list_find_index(struct call *c)
{
    struct clr_list *l = self_of(c);
    int64_t from = c->n_args > 2 ? c->args[1].i64 : 0, n, at;

    if (from < 0 || from > l->n)
        return throw_argument_range(c, "startIndex", out_of_range);
    n = c->n_args > 3 ? c->args[2].i64 : l->n - from;
    if (n < 0 || n > l->n - from)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the "
                                                "string/array/collection.");
    return find_index(c, c->args[c->n_args - 1].ref, from, from + n, false, &at) && return_i64(c, at);
}

static bool
list_find_last_index(struct call *c)
{
    uint32_t from, n;
    int64_t at;

    return backward_part(c, c->n_args - 2, 1, &from, &n) &&
           find_index(c, c->args[c->n_args - 1].ref, from, from + n, true, &at) && return_i64(c, at);
}

static bool
list_find_all(struct call *c)
{
    struct clr_list *found = clr_list_new(c, c->owner, 0);

    if (!c->args[1].ref)
        return throw_argument_null(c, "match");
    for (uint32_t i = 0; found && i < self_of(c)->n; i++) {
        struct value v = self_of(c)->v[i];
        bool yes;

        if (!call_charge(c, 1) || !test_at(c, c->args[1].ref, i, &yes) || (yes && !clr_list_add(c, found, v)))
            return false;
    }
    return return_new(c, found);
}

static bool
list_true_for_all(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "match");
    for (uint32_t i = 0; i < self_of(c)->n; i++) {
        bool yes;

        if (!call_charge(c, 1) || !test_at(c, c->args[1].ref, i, &yes))
            return false;
        if (!yes)
            return return_bool(c, false);
    }
    return return_bool(c, true);
}

static bool
list_for_each(struct call *c)
{
    struct clr_list *l = self_of(c);
    uint32_t version = l->version;

    if (!c->args[1].ref)
        return throw_argument_null(c, "action");
    for (uint32_t i = 0; i < l->n; i++) {
        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &l->v[i], 1, NULL))
            return false;
        if (l->version != version)
            return call_throw(c, EXC_INVALID_OPERATION,
                              "Collection was modified; enumeration operation may not execute.");
    }
    return true;
}

static bool
list_remove_all(struct call *c)
{
    struct clr_list *l = self_of(c);
    uint32_t kept = 0, n = l->n;

    if (!c->args[1].ref)
        return throw_argument_null(c, "match");
    for (uint32_t i = 0; i < n && i < l->n; i++) {
        struct value v = l->v[i];
        bool yes;

        if (!call_charge(c, 1) || !test_at(c, c->args[1].ref, i, &yes))
            return false;
        if (!yes)
            l->v[kept++] = v;
    }
    n -= kept;
    l->n = kept;
    l->version++;
    return return_i64(c, n);
}

static bool
list_convert_all(struct call *c)
{
    struct clr_list *converted = clr_list_new(c, c->ret_type, self_of(c)->n);

    if (!c->args[1].ref)
        return throw_argument_null(c, "converter");
    for (uint32_t i = 0; converted && i < self_of(c)->n; i++) {
        struct value v;

        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &self_of(c)->v[i], 1, &v) ||
            !clr_list_add(c, converted, v))
            return false;
    }
    return return_new(c, converted);
}

/* ---- sequences ---- */

static int
list_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct clr_list *l = (struct clr_list *)it->self;

    if (l->version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    if (it->state[0].u64 >= l->n)
        return 0;
    *ret = l->v[it->state[0].u64++];
    return 1;
}

static bool
list_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = list_next, .self = self};
    it->state[1].u64 = ((struct clr_list *)self)->version;
    return true;
}

/* ReadOnlyCollection<T> shows the list it was made of. */
struct read_only {
    struct object head;
    struct clr_list *list;
};

static bool
list_as_read_only(struct call *c)
{
    struct read_only *r = object_new(c, c->ret_type, struct read_only);

    if (r)
        r->list = self_of(c);
    return return_new(c, r);
}

/* Array.AsReadOnly: the array's elements seen as a list. Bytes are copied, as they are kept in another way. */
static bool
array_as_read_only(struct call *c)
{
    struct array *a = (struct array *)c->args[0].ref;
    struct read_only *r = object_new(c, c->ret_type, struct read_only);

    if (!a)
        return throw_argument_null(c, "array");
    if (!r || !(r->list = object_new(c, c->ret_type, struct clr_list)))
        return false;
    r->list->v = a->is_bytes ? call_alloc(c, a->n * sizeof(struct value)) : a->u.v;
    r->list->n = a->n;
    for (uint32_t i = 0; a->is_bytes && r->list->v && i < a->n; i++)
        r->list->v[i] = array_get(a, i);
    return r->list->v || a->n == 0 ? return_ref(c, r) : false;
}

static bool
read_only_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    return list_iterate(c, &((struct read_only *)self)->list->head, as, it);
}

/* Runs a native of List<T> on the list behind. */
static bool
on_list(struct call *c, native_fn *fn)
{
    c->args[0] = value_ref(((struct read_only *)c->args[0].ref)->list);
    return fn(c);
}

static bool
read_only_count(struct call *c)
{
    return on_list(c, list_count);
}

static bool
read_only_get(struct call *c)
{
    return on_list(c, list_get);
}

/* IList<T>'s members that would change it. */
static bool
read_only_change(struct call *c)
{
    return call_throw(c, EXC_NOT_SUPPORTED, "Collection is read-only.");
}

static bool
read_only_is_read_only(struct call *c)
{
    return return_bool(c, true);
}

static bool
read_only_contains(struct call *c)
{
    return on_list(c, list_contains);
}

static bool
read_only_index_of(struct call *c)
{
    return on_list(c, list_index_of);
}

static bool
read_only_copy_to(struct call *c)
{
    return on_list(c, list_copy_to);
}

static int64_t
hook_count(const struct object *self)
{
    return ((const struct clr_list *)self)->n;
}

static int64_t
hook_read_only_count(const struct object *self)
{
    return ((const struct read_only *)self)->list->n;
}

static const struct type_hooks list_hooks = {.iterate = list_iterate, .count = hook_count};
static const struct type_hooks read_only_hooks = {.iterate = read_only_iterate, .count = hook_read_only_count};

bool
object_is_list(const struct object *o)
{
    return o->type->hooks->iterate == list_iterate;
}

static const struct type_row types[] = {
    CLASS("System.Collections.Generic.List<T>", NULL, "IList<T>, IReadOnlyList<T>", &list_hooks),
    CLASS("System.Collections.ObjectModel.ReadOnlyCollection<T>", NULL, "IList<T>, IReadOnlyList<T>", &read_only_hooks),
};

static const struct member_row members[] = {
    M("List<T>", "new()", list_new_empty),
    M("List<T>", "new(int capacity)", list_new_capacity),
    M("List<T>", "new(IEnumerable<T> collection)", list_new_from),
    P("List<T>", "int Capacity { get; set; }", list_capacity, list_set_capacity),
    M("List<T>", "int Count { get; }", list_count),
    M_EXPLICIT("List<T>", "bool IsReadOnly { get; }", list_is_read_only),
    P("List<T>", "T this[int index] { get; set; }", list_get, list_set),
    M("List<T>", "void Add(T item)", list_add),
    M("List<T>", "void AddRange(IEnumerable<T> collection)", list_add_range),
    M("List<T>", "ReadOnlyCollection<T> AsReadOnly()", list_as_read_only),
    M("List<T>", "int BinarySearch(T item)", list_binary_search),
    M("List<T>", "int BinarySearch(T item, IComparer<T> comparer)", list_binary_search),
    M("List<T>", "int BinarySearch(int index, int count, T item, IComparer<T> comparer)", list_binary_search_part),
    M("List<T>", "void Clear()", list_clear),
    M("List<T>", "bool Contains(T item)", list_contains),
    M("List<T>", "List<U> ConvertAll<U>(Converter<T,U> converter)", list_convert_all),
    M("List<T>", "void CopyTo(T[] array)", list_copy_to),
    M("List<T>", "void CopyTo(T[] array, int arrayIndex)", list_copy_to),
    M("List<T>", "void CopyTo(int index, T[] array, int arrayIndex, int count)", list_copy_to),
    M("List<T>", "bool Exists(Predicate<T> match)", list_exists),
    M("List<T>", "T Find(Predicate<T> match)", list_find),
    M("List<T>", "List<T> FindAll(Predicate<T> match)", list_find_all),
    M("List<T>", "int FindIndex(Predicate<T> match)", list_find_index),
    M("List<T>", "int FindIndex(int startIndex, Predicate<T> match)", list_find_index),
    M("List<T>", "int FindIndex(int startIndex, int count, Predicate<T> match)", list_find_index),
    M("List<T>", "T FindLast(Predicate<T> match)", list_find_last),
    M("List<T>", "int FindLastIndex(Predicate<T> match)", list_find_last_index),
    M("List<T>", "int FindLastIndex(int startIndex, Predicate<T> match)", list_find_last_index),
    M("List<T>", "int FindLastIndex(int startIndex, int count, Predicate<T> match)", list_find_last_index),
    M("List<T>", "void ForEach(Action<T> action)", list_for_each),
    M("List<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
    M("List<T>", "List<T> GetRange(int index, int count)", list_get_range),
    M("List<T>", "int IndexOf(T item)", list_index_of),
    M("List<T>", "int IndexOf(T item, int index)", list_index_of),
    M("List<T>", "int IndexOf(T item, int index, int count)", list_index_of),
    M("List<T>", "void Insert(int index, T item)", list_insert),
    M("List<T>", "void InsertRange(int index, IEnumerable<T> collection)", list_insert_range),
    M("List<T>", "int LastIndexOf(T item)", list_last_index_of),
    M("List<T>", "int LastIndexOf(T item, int index)", list_last_index_of),
    M("List<T>", "int LastIndexOf(T item, int index, int count)", list_last_index_of),
    M("List<T>", "bool Remove(T item)", list_remove),
    M("List<T>", "int RemoveAll(Predicate<T> match)", list_remove_all),
    M("List<T>", "void RemoveAt(int index)", list_remove_at),
    M("List<T>", "void RemoveRange(int index, int count)", list_remove_range),
    M("List<T>", "void Reverse()", list_reverse),
    M("List<T>", "void Reverse(int index, int count)", list_reverse),
    M("List<T>", "void Sort()", list_sort),
    M("List<T>", "void Sort(IComparer<T> comparer)", list_sort),
    M("List<T>", "void Sort(Comparison<T> comparison)", list_sort_by),
    M("List<T>", "void Sort(int index, int count, IComparer<T> comparer)", list_sort_range),
    M("List<T>", "T[] ToArray()", list_to_array),
    M("List<T>", "void TrimExcess()", list_trim_excess),
    M("List<T>", "bool TrueForAll(Predicate<T> match)", list_true_for_all),

    M("Array", "static ReadOnlyCollection<T> AsReadOnly<T>(T[] array)", array_as_read_only),
    M("ReadOnlyCollection<T>", "int Count { get; }", read_only_count),
    M("ReadOnlyCollection<T>", "T this[int index] { get; }", read_only_get),
    {"ReadOnlyCollection<T>", "T this[int index] { get; set; }", read_only_get, read_only_change, MEMBER_IS_EXPLICIT, NULL},
    M_EXPLICIT("ReadOnlyCollection<T>", "bool IsReadOnly { get; }", read_only_is_read_only),
    M_EXPLICIT("ReadOnlyCollection<T>", "void Add(T item)", read_only_change),
    M_EXPLICIT("ReadOnlyCollection<T>", "void Clear()", read_only_change),
    M_EXPLICIT("ReadOnlyCollection<T>", "void Insert(int index, T item)", read_only_change),
    M_EXPLICIT("ReadOnlyCollection<T>", "bool Remove(T item)", read_only_change),
    M_EXPLICIT("ReadOnlyCollection<T>", "void RemoveAt(int index)", read_only_change),
    M("ReadOnlyCollection<T>", "bool Contains(T value)", read_only_contains),
    M("ReadOnlyCollection<T>", "int IndexOf(T value)", read_only_index_of),
    M("ReadOnlyCollection<T>", "void CopyTo(T[] array, int index)", read_only_copy_to),
    M("ReadOnlyCollection<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
};

const struct library clr_list = LIBRARY("list", types, members);
