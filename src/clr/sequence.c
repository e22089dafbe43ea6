/* sequence.c: IEnumerable<T> and IEnumerator<T>, and the interfaces of collections, whose members are found by the
 * receiver's own type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

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
    if (object_is_list(o))
        return ((const struct clr_list *)o)->n;
    if (object_is_dictionary(o) || object_is_hash_set(o))
        return table_count(&((const struct clr_table *)o)->t);
    if (object_is_queue(o))
        return ((const struct clr_queue *)o)->n;
    return dictionary_part_count(o);
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

    M("ICollection<T>", "int Count { get; }", NULL),
    M("ICollection<T>", "bool IsReadOnly { get; }", NULL),
    M("ICollection<T>", "void Add(T item)", NULL),
    M("ICollection<T>", "void Clear()", NULL),
    M("ICollection<T>", "bool Contains(T item)", NULL),
    M("ICollection<T>", "void CopyTo(T[] array, int arrayIndex)", NULL),
    M("ICollection<T>", "bool Remove(T item)", NULL),
    P("IList<T>", "T this[int index] { get; set; }", NULL, NULL),
    M("IList<T>", "int IndexOf(T item)", NULL),
    M("IList<T>", "void Insert(int index, T item)", NULL),
    M("IList<T>", "void RemoveAt(int index)", NULL),
    M("IReadOnlyCollection<T>", "int Count { get; }", NULL),
    M("IReadOnlyList<T>", "T this[int index] { get; }", NULL),

    P("IDictionary<K,V>", "V this[K key] { get; set; }", NULL, NULL),
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
