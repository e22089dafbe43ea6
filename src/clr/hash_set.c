/* hash_set.c: System.Collections.Generic.HashSet<T>.
 *
 * The relations (IsSubsetOf ...) first make a set of the other sequence under this set's comparer, as .NET does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

static struct clr_table *
self_of(const struct call *c)
{
    return (struct clr_table *)c->args[0].ref;
}

static struct clr_table *
set_new(struct call *c, const struct type *type, struct comparer *comparer)
{
    struct clr_table *s = object_new(c, type, struct clr_table);

    if (s)
        table_init(&s->t, type->args[0], comparer);
    return s;
}

/* Adds each element of the sequence to t. */
static bool
add_all(struct call *c, struct table *t, struct object *sequence, const char *parameter)
{
    struct table_entry *e;
    struct iterator it;
    struct value v;
    bool added;
    int got;

    if (!sequence_open(c, sequence, t->rule.type, parameter, &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0)
        if (!table_put(c, t, v, &e, &added))
            return false;
    return got == 0;
}

static bool
hash_set_new(struct call *c)
{
    return return_new(c, set_new(c, c->owner, NULL));
}

static bool
hash_set_new_comparer(struct call *c)
{
    return return_new(c, set_new(c, c->owner, (struct comparer *)c->args[0].ref));
}

static bool
hash_set_new_capacity(struct call *c)
{
    if (call_i32(c, 0) < 0)
        return throw_argument_range(c, "capacity", "Non-negative number required.");
    return return_new(c, set_new(c, c->owner, c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL));
}

/* Tables grow by themselves. */
static bool
hash_set_ensure_capacity(struct call *c)
{
    if (call_i32(c, 1) < 0)
        return throw_argument_range(c, "capacity", "Non-negative number required.");
    return return_i64(c, MAX((int64_t)self_of(c)->t.cap, (int64_t)call_i32(c, 1)));
}

static bool
hash_set_try_get(struct call *c)
{
    struct table *t = &self_of(c)->t;
    int32_t i;

    if (!table_find(c, t, c->args[1], &i))
        return false;
    c->args[2] = i >= 0 ? t->entries[i].key : value_i64(0);
    return return_bool(c, i >= 0);
}

/* CreateSetComparer(): sets are equal that hold the same. */
static bool
sets_equal(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret)
{
    struct clr_table *x = (struct clr_table *)a.ref, *y = (struct clr_table *)b.ref;
    struct table_entry *e;
    uint32_t at = 0;
    int32_t i = 0;

    *ret = x == y || (x && y && table_count(&x->t) == table_count(&y->t));
    while (*ret && x && y && x != y && (e = table_next(&x->t, &at))) {
        if (!table_find(c, &y->t, e->key, &i))
            return false;
        *ret = i >= 0;
    }
    return true;
}

static bool
set_hash(struct call *c, struct comparer *self, struct value v, int32_t *ret)
{
    struct clr_table *s = (struct clr_table *)v.ref;
    struct table_entry *e;
    uint32_t at = 0, sum = 0;

    while (s && (e = table_next(&s->t, &at)))
        sum ^= e->hash;
    *ret = (int32_t)sum;
    return true;
}

static bool
hash_set_create_comparer(struct call *c)
{
    static const struct comparer_ops ops = {sets_equal, set_hash, NULL};
    struct comparer *comparer =
        object_new(c, type_find_lit(c->run->env, "System.Collections.Generic.EqualityComparer", c->owner), struct comparer);

    if (comparer)
        comparer->ops = &ops;
    return return_new(c, comparer);
}

static bool
hash_set_new_from(struct call *c)
{
    struct clr_table *s = set_new(c, c->owner, c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL);

    return s && add_all(c, &s->t, c->args[0].ref, "collection") && return_ref(c, s);
}

static bool
hash_set_count(struct call *c)
{
    return return_i64(c, table_count(&self_of(c)->t));
}

static bool
hash_set_comparer(struct call *c)
{
    return return_ref(c, self_of(c)->t.rule.comparer);
}

static bool
hash_set_add(struct call *c)
{
    struct table_entry *e;
    bool added;

    return table_put(c, &self_of(c)->t, c->args[1], &e, &added) && return_bool(c, added);
}

static bool
hook_contains(struct call *c, struct object *self, struct value v, bool *ret)
{
    int32_t i;

    if (!table_find(c, &((struct clr_table *)self)->t, v, &i))
        return false;
    *ret = i >= 0;
    return true;
}

static bool
hash_set_contains(struct call *c)
{
    bool found;

    return hook_contains(c, c->args[0].ref, c->args[1], &found) && return_bool(c, found);
}

static bool
hash_set_remove(struct call *c)
{
    bool removed;

    return table_remove(c, &self_of(c)->t, c->args[1], &removed, NULL) && return_bool(c, removed);
}

static bool
hash_set_remove_where(struct call *c)
{
    struct table *t = &self_of(c)->t;
    uint32_t at = 0, n = 0;
    struct table_entry *e;

    if (!c->args[1].ref)
        return throw_argument_null(c, "match");
    while ((e = table_next(t, &at))) {
        struct value key = e->key, yes;
        bool removed = false;

        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &key, 1, &yes))
            return false;
        if (yes.i64 && !table_remove(c, t, key, &removed, NULL))
            return false;
        n += removed;
    }
    return return_i64(c, n);
}

static bool
hash_set_clear(struct call *c)
{
    table_clear(&self_of(c)->t);
    return true;
}

static bool
hash_set_copy_to(struct call *c)
{
    struct array *a = (struct array *)c->args[1].ref;
    int64_t to = c->n_args > 2 ? c->args[2].i64 : 0;
    int64_t n = c->n_args > 3 ? c->args[3].i64 : table_count(&self_of(c)->t);
    struct table_entry *e;
    uint32_t at = 0;

    if (!a)
        return throw_argument_null(c, "array");
    if (to < 0 || n < 0)
        return throw_argument_range(c, to < 0 ? "arrayIndex" : "count", "Non-negative number required.");
    if (to + n > a->n)
        return throw_argument(c, NULL, "Destination array is not long enough to copy all the items in the collection. "
                                       "Check array index and length.");
    while (n-- > 0 && (e = table_next(&self_of(c)->t, &at)))
        if (!array_store(c, a, (uint32_t)to++, e->key))
            return false;
    return true;
}

/* ---- with another sequence ---- */

/* The sequence args[1] as a table under this set's rule; as in .NET nobody walks it where this set is empty and that settles it. */
static bool
other_of(struct call *c, bool empty_settles, struct table *ret)
{
    table_init(ret, self_of(c)->t.rule.type, self_of(c)->t.rule.comparer);
    if (empty_settles && !table_count(&self_of(c)->t) && c->args[1].ref)
        return true;
    return add_all(c, ret, c->args[1].ref, "other");
}

/* How many keys of `a` are in b. */
static bool
count_shared(struct call *c, const struct table *a, const struct table *b, uint32_t *ret)
{
    struct table_entry *e;
    uint32_t at = 0;
    int32_t i;

    *ret = 0;
    while ((e = table_next(a, &at))) {
        if (!call_charge(c, 1) || !table_find(c, b, e->key, &i))
            return false;
        *ret += i >= 0;
    }
    return true;
}

static bool
hash_set_union(struct call *c)
{
    return add_all(c, &self_of(c)->t, c->args[1].ref, "other");
}

/* Keeps those keys whose presence in `other` is `wanted`. */
static bool
keep(struct call *c, bool wanted)
{
    struct table *t = &self_of(c)->t, other;
    struct table_entry *e;
    uint32_t at = 0;
    int32_t i;

    if (!other_of(c, true, &other))
        return false;
    while ((e = table_next(t, &at))) {
        if (!call_charge(c, 1) || !table_find(c, &other, e->key, &i))
            return false;
        if ((i >= 0) != wanted)
            table_remove_at(t, at - 1);
    }
    t->version++;
    return true;
}

static bool
hash_set_except(struct call *c)
{
    return keep(c, false);
}

static bool
hash_set_intersect(struct call *c)
{
    return keep(c, true);
}

static bool
hash_set_symmetric_except(struct call *c)
{
    struct table *t = &self_of(c)->t, other;
    struct table_entry *e, *mine;
    uint32_t at = 0;
    bool added;

    if (!other_of(c, false, &other))
        return false;
    while ((e = table_next(&other, &at))) {
        if (!call_charge(c, 1) || !table_put(c, t, e->key, &mine, &added))
            return false;
        if (!added)
            table_remove_at(t, (uint32_t)(mine - t->entries));
    }
    return true;
}

/* Counts that decide all relations. */
static bool
relation(struct call *c, bool empty_settles, uint32_t *mine, uint32_t *theirs, uint32_t *shared)
{
    struct table other;

    if (!other_of(c, empty_settles, &other) || !count_shared(c, &self_of(c)->t, &other, shared))
        return false;
    *mine = table_count(&self_of(c)->t);
    *theirs = table_count(&other);
    return true;
}

#define RELATION(name, empty_settles, condition) \
    static bool \
    name(struct call *c) \
    { \
        uint32_t mine, theirs, shared; \
        return relation(c, empty_settles, &mine, &theirs, &shared) && return_bool(c, condition); \
    }
RELATION(hash_set_is_subset, true, shared == mine)
RELATION(hash_set_is_proper_subset, false, shared == mine && theirs > mine)
RELATION(hash_set_is_superset, false, shared == theirs)
RELATION(hash_set_is_proper_superset, true, shared == theirs && mine > theirs)
RELATION(hash_set_overlaps, true, shared > 0)
RELATION(hash_set_equals, false, shared == mine && mine == theirs)

static bool
hash_set_is_read_only(struct call *c)
{
    return return_bool(c, false);
}

static bool
hash_set_trim(struct call *c)
{
    return true;
}

static int
hash_set_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct clr_table *s = (struct clr_table *)it->self;
    uint32_t at = (uint32_t)it->state[0].u64;
    struct table_entry *e;

    if (s->t.version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    if (!(e = table_next(&s->t, &at)))
        return 0;
    it->state[0].u64 = at;
    *ret = e->key;
    return 1;
}

static bool
hash_set_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = hash_set_next, .self = self};
    it->state[1].u64 = ((struct clr_table *)self)->t.version;
    return true;
}

static int64_t
hook_count(const struct object *self)
{
    return table_count(&((const struct clr_table *)self)->t);
}

static const struct type_hooks hash_set_hooks = {.iterate = hash_set_iterate, .count = hook_count, .contains = hook_contains};

bool
object_is_hash_set(const struct object *o)
{
    return o->type->hooks->iterate == hash_set_iterate;
}

static const struct type_row types[] = {
    CLASS("System.Collections.Generic.HashSet<T>", NULL, "ISet<T>, IReadOnlyCollection<T>", &hash_set_hooks),
};

static const struct member_row members[] = {
    M("HashSet<T>", "new()", hash_set_new),
    M("HashSet<T>", "new(IEqualityComparer<T> comparer)", hash_set_new_comparer),
    M("HashSet<T>", "new(int capacity)", hash_set_new_capacity),
    M("HashSet<T>", "new(int capacity, IEqualityComparer<T> comparer)", hash_set_new_capacity),
    M("HashSet<T>", "static IEqualityComparer<HashSet<T>> CreateSetComparer()", hash_set_create_comparer),
    M("HashSet<T>", "int EnsureCapacity(int capacity)", hash_set_ensure_capacity),
    M("HashSet<T>", "bool TryGetValue(T equalValue, out T actualValue)", hash_set_try_get),
    M("HashSet<T>", "new(IEnumerable<T> collection)", hash_set_new_from),
    M("HashSet<T>", "new(IEnumerable<T> collection, IEqualityComparer<T> comparer)", hash_set_new_from),
    M("HashSet<T>", "IEqualityComparer<T> Comparer { get; }", hash_set_comparer),
    M("HashSet<T>", "int Count { get; }", hash_set_count),
    M_EXPLICIT("HashSet<T>", "bool IsReadOnly { get; }", hash_set_is_read_only),
    M("HashSet<T>", "bool Add(T item)", hash_set_add),
    M("HashSet<T>", "void Clear()", hash_set_clear),
    M("HashSet<T>", "bool Contains(T item)", hash_set_contains),
    M("HashSet<T>", "void CopyTo(T[] array)", hash_set_copy_to),
    M("HashSet<T>", "void CopyTo(T[] array, int arrayIndex)", hash_set_copy_to),
    M("HashSet<T>", "void CopyTo(T[] array, int arrayIndex, int count)", hash_set_copy_to),
    M("HashSet<T>", "void ExceptWith(IEnumerable<T> other)", hash_set_except),
    M("HashSet<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
    M("HashSet<T>", "void IntersectWith(IEnumerable<T> other)", hash_set_intersect),
    M("HashSet<T>", "bool IsProperSubsetOf(IEnumerable<T> other)", hash_set_is_proper_subset),
    M("HashSet<T>", "bool IsProperSupersetOf(IEnumerable<T> other)", hash_set_is_proper_superset),
    M("HashSet<T>", "bool IsSubsetOf(IEnumerable<T> other)", hash_set_is_subset),
    M("HashSet<T>", "bool IsSupersetOf(IEnumerable<T> other)", hash_set_is_superset),
    M("HashSet<T>", "bool Overlaps(IEnumerable<T> other)", hash_set_overlaps),
    M("HashSet<T>", "bool Remove(T item)", hash_set_remove),
    M("HashSet<T>", "int RemoveWhere(Predicate<T> match)", hash_set_remove_where),
    M("HashSet<T>", "bool SetEquals(IEnumerable<T> other)", hash_set_equals),
    M("HashSet<T>", "void SymmetricExceptWith(IEnumerable<T> other)", hash_set_symmetric_except),
    M("HashSet<T>", "void TrimExcess()", hash_set_trim),
    M("HashSet<T>", "void UnionWith(IEnumerable<T> other)", hash_set_union),
};

const struct library clr_hash_set = LIBRARY("hash set", types, members);
