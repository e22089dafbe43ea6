/* sequence.c: IEnumerable<T> and IEnumerator<T>, and the interfaces of collections, whose members are found by the
 * receiver's own type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"
#include "expr/member.h"
#include "expr/vm.h"

/* An IEnumerator<T>: its type is the interface itself. */
struct enumerator {
    struct object head;
    struct iterator it;
    struct value current;
    bool is_on_element;
};

bool
sequence_open(struct call *c, struct object *sequence, const struct type *element, const char *parameter,
              struct iterator *it)
{
    const struct type *as = NULL;

    if (!sequence)
        return throw_argument_null(c, parameter);
    if (sequence->type->kind == TYPE_CLASS && type_element(sequence->type) != element) {
        for (uint32_t i = 0; i < sequence->type->n_interfaces && !as; i++) {
            const struct type *t = sequence->type->interfaces[i];
            if (t->n_args == 1 && t->args[0] == element)
                as = t;
        }
    }
    return iterate(c, sequence, as, it);
}

int64_t
sequence_known_count(const struct object *o)
{
    if (o->type->kind == TYPE_ARRAY)
        return ((const struct array *)o)->n;
    return o->type->hooks->count ? o->type->hooks->count(o) : -1;
}

bool
sequence_collect(struct call *c, struct object *sequence, const struct type *element, const char *parameter,
                 struct value **ret, uint32_t *ret_n)
{
    struct iterator it;
    int64_t known = sequence ? sequence_known_count(sequence) : 0;
    uint32_t cap = known >= 0 ? (uint32_t)known : 16, n = 0;
    struct value *v;
    int got;

    if (!sequence_open(c, sequence, element, parameter, &it))
        return false;
    v = call_alloc(c, (size_t)MAX(cap, 1u) * sizeof(*v));
    if (!v)
        return false;
    struct value next;
    while ((got = iterate_next(c, &it, &next)) > 0) {
        if (n == cap) {
            struct value *grown = call_alloc(c, (size_t)MAX(2 * cap, 16u) * sizeof(*v));
            if (!grown)
                return false;
            memcpy(grown, v, n * sizeof(*v));
            v = grown;
            cap = MAX(2 * cap, 16u);
        }
        v[n++] = next;
    }
    *ret = v;
    *ret_n = n;
    return got == 0;
}

bool
sequence_get_enumerator(struct call *c)
{
    struct enumerator *e = object_new(c, c->ret_type, struct enumerator);

    if (!e || !sequence_open(c, c->args[0].ref, c->ret_type->n_args ? c->ret_type->args[0] : NULL, "source", &e->it))
        return false;
    return return_ref(c, e);
}

static bool
enumerator_move_next(struct call *c)
{
    struct enumerator *e = (struct enumerator *)c->args[0].ref;
    int got = iterate_next(c, &e->it, &e->current);

    e->is_on_element = got > 0;
    if (got <= 0)
        e->current = value_ref(NULL);
    return got >= 0 && return_bool(c, got > 0);
}

static bool
enumerator_current(struct call *c)
{
    c->ret = ((struct enumerator *)c->args[0].ref)->current;
    return true;
}

static bool
enumerator_dispose(struct call *c)
{
    return true;
}

static bool
enumerator_reset(struct call *c)
{
    return call_throw_default(c, EXC_NOT_SUPPORTED);
}

/* ---- members of collection interfaces ----
 *
 * They are the receiver's own members of the same signature. Arrays have none of their own: what they do as IList<T> stands
 * here. */

static bool
dispatch(struct call *c, bool is_setter)
{
    const struct object *o = c->args[0].ref;
    const struct type *owner;
    const struct member *m = vm_find_virtual(o, c->member, c->owner, &owner);
    native_fn *fn = !m || m == c->member ? NULL : is_setter ? m->set : m->fn;

    if (!fn)
        return call_throw(c, EXC_NOT_SUPPORTED, "Specified method is not supported.");
    c->owner = owner;
    c->member = m;
    return fn(c);
}

static bool
own_member(struct call *c)
{
    return dispatch(c, false);
}

static bool
own_setter(struct call *c)
{
    return dispatch(c, true);
}

/* The receiver as an array; NULL: another collection. */
static struct array *
as_array(const struct call *c)
{
    return c->args[0].ref->type->kind == TYPE_ARRAY ? (struct array *)c->args[0].ref : NULL;
}

static bool
collection_count(struct call *c)
{
    return as_array(c) ? return_i64(c, as_array(c)->n) : own_member(c);
}

static bool
collection_is_read_only(struct call *c)
{
    return as_array(c) ? return_bool(c, true) : own_member(c);
}

/* Add, Insert, Remove, RemoveAt, Clear */
static bool
collection_resize(struct call *c)
{
    return as_array(c) ? call_throw(c, EXC_NOT_SUPPORTED, "Collection was of a fixed size.") : own_member(c);
}

static bool
index_in_range(struct call *c)
{
    return (uint64_t)c->args[1].i64 < as_array(c)->n ||
           throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the "
                                            "collection.");
}

static bool
collection_get(struct call *c)
{
    if (!as_array(c))
        return own_member(c);
    if (!index_in_range(c))
        return false;
    c->ret = array_get(as_array(c), (uint32_t)c->args[1].i64);
    return true;
}

static bool
collection_set(struct call *c)
{
    if (!as_array(c))
        return own_setter(c);
    if (!index_in_range(c))
        return false;
    return array_store(c, as_array(c), (uint32_t)c->args[1].i64, c->args[2]);
}

static bool
array_position(struct call *c, int64_t *ret)
{
    struct array *a = as_array(c);
    struct key_rule rule = {a->head.type->args[0], NULL};

    *ret = -1;
    for (uint32_t i = 0; i < a->n && *ret < 0; i++) {
        bool same;
        if (!call_charge(c, 1) || !key_equals(c, &rule, array_get(a, i), c->args[1], &same))
            return false;
        if (same)
            *ret = i;
    }
    return true;
}

static bool
collection_index_of(struct call *c)
{
    int64_t at;

    return as_array(c) ? array_position(c, &at) && return_i64(c, at) : own_member(c);
}

static bool
collection_contains(struct call *c)
{
    int64_t at;

    return as_array(c) ? array_position(c, &at) && return_bool(c, at >= 0) : own_member(c);
}

static bool
collection_copy_to(struct call *c)
{
    struct array *from = as_array(c), *to = (struct array *)c->args[1].ref;
    int64_t at = c->args[2].i64;

    if (!from)
        return own_member(c);
    if (!to)
        return throw_argument_null(c, "array");
    if (at < 0 || at > to->n || from->n > to->n - at)
        return throw_argument(c, NULL, "Destination array was not long enough. Check destIndex and length, and the array's "
                                       "lower bounds.");
    for (uint32_t i = 0; i < from->n; i++)
        if (!array_store_cast(c, to, (uint32_t)at + i, array_get(from, i)))
            return false;
    return true;
}

static const struct type_row types[] = {
    INTERFACE("System.Collections.Generic.IDictionary<K,V>", "ICollection<KeyValuePair<K,V>>"),
    INTERFACE("System.Collections.Generic.IReadOnlyDictionary<K,V>", "IReadOnlyCollection<KeyValuePair<K,V>>"),
    INTERFACE("System.Collections.Generic.ISet<T>", "ICollection<T>"),
};

static const struct member_row members[] = {
    M("IEnumerable<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
    M("IEnumerator", "bool MoveNext()", enumerator_move_next),
    M("IEnumerator", "void Reset()", enumerator_reset),
    M("IEnumerator<T>", "T Current { get; }", enumerator_current),
    M("IEnumerator<T>", "void Dispose()", enumerator_dispose),

    M("ICollection<T>", "int Count { get; }", collection_count),
    M("ICollection<T>", "bool IsReadOnly { get; }", collection_is_read_only),
    M("ICollection<T>", "void Add(T item)", collection_resize),
    M("ICollection<T>", "void Clear()", collection_resize),
    M("ICollection<T>", "bool Contains(T item)", collection_contains),
    M("ICollection<T>", "void CopyTo(T[] array, int arrayIndex)", collection_copy_to),
    M("ICollection<T>", "bool Remove(T item)", collection_resize),
    P("IList<T>", "T this[int index] { get; set; }", collection_get, collection_set),
    M("IList<T>", "int IndexOf(T item)", collection_index_of),
    M("IList<T>", "void Insert(int index, T item)", collection_resize),
    M("IList<T>", "void RemoveAt(int index)", collection_resize),
    M("IReadOnlyCollection<T>", "int Count { get; }", collection_count),
    M("IReadOnlyList<T>", "T this[int index] { get; }", collection_get),

    P("IDictionary<K,V>", "V this[K key] { get; set; }", own_member, own_setter),
    M("IDictionary<K,V>", "ICollection<K> Keys { get; }", NULL),
    M("IDictionary<K,V>", "ICollection<V> Values { get; }", NULL),
    M("IDictionary<K,V>", "void Add(K key, V value)", NULL),
    M("IDictionary<K,V>", "bool ContainsKey(K key)", NULL),
    M("IDictionary<K,V>", "bool Remove(K key)", NULL),
    M("IDictionary<K,V>", "bool TryGetValue(K key, out V value)", NULL),
    M("IReadOnlyDictionary<K,V>", "V this[K key] { get; }", NULL),
    M("IReadOnlyDictionary<K,V>", "IEnumerable<K> Keys { get; }", NULL),
    M("IReadOnlyDictionary<K,V>", "IEnumerable<V> Values { get; }", NULL),
    M("IReadOnlyDictionary<K,V>", "bool ContainsKey(K key)", NULL),
    M("IReadOnlyDictionary<K,V>", "bool TryGetValue(K key, out V value)", NULL),

    M("ISet<T>", "bool Add(T item)", NULL),
    M("ISet<T>", "void ExceptWith(IEnumerable<T> other)", NULL),
    M("ISet<T>", "void IntersectWith(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool IsProperSubsetOf(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool IsProperSupersetOf(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool IsSubsetOf(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool IsSupersetOf(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool Overlaps(IEnumerable<T> other)", NULL),
    M("ISet<T>", "bool SetEquals(IEnumerable<T> other)", NULL),
    M("ISet<T>", "void SymmetricExceptWith(IEnumerable<T> other)", NULL),
    M("ISet<T>", "void UnionWith(IEnumerable<T> other)", NULL),
};

const struct library clr_sequence = LIBRARY("sequence", types, members);
