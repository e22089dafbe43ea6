/* dictionary.c: System.Collections.Generic.Dictionary<K,V>, its keys and values, KeyValuePair<K,V>.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

/* Keys or Values of a dictionary: a live view. */
struct part {
    struct object head;
    struct clr_table *dictionary;
};

static struct clr_table *
self_of(const struct call *c)
{
    return (struct clr_table *)c->args[0].ref;
}

struct record *
key_value_pair_new(struct call *c, const struct type *pair_type, struct value key, struct value v)
{
    struct record *r = record_new(c, pair_type);

    if (r) {
        r->v[0] = key;
        r->v[1] = v;
    }
    return r;
}

struct clr_table *
clr_dictionary_new(struct call *c, const struct type *dictionary_type, struct comparer *comparer)
{
    struct clr_table *d = object_new(c, dictionary_type, struct clr_table);

    if (d)
        table_init(&d->t, dictionary_type->args[0], comparer);
    return d;
}

bool
clr_dictionary_set(struct call *c, struct clr_table *d, struct value key, struct value v)
{
    struct table_entry *e;
    bool added;

    if (!table_put(c, &d->t, key, &e, &added))
        return false;
    e->value = v;
    return true;
}

bool
clr_dictionary_get(struct call *c, const struct clr_table *d, struct value key, struct value *ret, bool *ret_found)
{
    int32_t i;

    if (!table_find(c, &d->t, key, &i))
        return false;
    *ret_found = i >= 0;
    if (i >= 0)
        *ret = d->t.entries[i].value;
    return true;
}

static bool
check_key(struct call *c)
{
    return !value_is_null(self_of(c)->t.rule.type, c->args[1]) || throw_argument_null(c, "key");
}

/* ---- constructors ---- */

static bool
dictionary_new(struct call *c)
{
    return return_new(c, clr_dictionary_new(c, c->owner, NULL));
}

static bool
dictionary_new_capacity(struct call *c)
{
    if (call_i32(c, 0) < 0)
        return throw_argument_range(c, "capacity", "Specified argument was out of the range of valid values.");
    return return_new(c, clr_dictionary_new(c, c->owner, c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL));
}

static bool
dictionary_new_comparer(struct call *c)
{
    return return_new(c, clr_dictionary_new(c, c->owner, (struct comparer *)c->args[0].ref));
}

bool
throw_same_key(struct call *c, const struct type *key_type, struct value key)
{
    struct string *text;

    return value_to_string(c, key_type, key, STR_NONE, &text) &&
           throw_argument(c, NULL, "An item with the same key has already been added. Key: %.*s",
                          STR_ARG(text ? string_str(text) : STR("")));
}

static bool
add_new(struct call *c, struct clr_table *d, struct value key, struct value v)
{
    struct table_entry *e;
    bool added;

    if (value_is_null(d->t.rule.type, key))
        return throw_argument_null(c, "key");
    if (!table_put(c, &d->t, key, &e, &added))
        return false;
    if (!added)
        return throw_same_key(c, d->t.rule.type, key);
    e->value = v;
    return true;
}

/* new(IDictionary<K,V> dictionary[, comparer]): any sequence of pairs. */
static bool
dictionary_new_from(struct call *c)
{
    struct comparer *comparer = c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL;
    struct clr_table *d = clr_dictionary_new(c, c->owner, comparer);
    struct iterator it;
    struct value v;
    int got;

    if (!d || !sequence_open(c, c->args[0].ref, type_element(c->owner), "dictionary", &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct record *pair = (struct record *)v.ref;      /* NULL: default(KeyValuePair) */
        if (!add_new(c, d, pair ? pair->v[0] : value_i64(0), pair ? pair->v[1] : value_i64(0)))
            return false;
    }
    return got == 0 && return_ref(c, d);
}

/* ---- members ---- */

/* Tables grow by themselves. */
static bool
dictionary_ensure_capacity(struct call *c)
{
    if (call_i32(c, 1) < 0)
        return throw_argument_range(c, "capacity", "Specified argument was out of the range of valid values.");
    return return_i64(c, MAX((int64_t)self_of(c)->t.cap, (int64_t)call_i32(c, 1)));
}

static bool
dictionary_trim(struct call *c)
{
    if (c->n_args > 1 && call_i32(c, 1) < (int64_t)table_count(&self_of(c)->t))
        return throw_argument_range(c, "capacity", "Specified argument was out of the range of valid values.");
    return true;
}

static bool
dictionary_count(struct call *c)
{
    return return_i64(c, table_count(&self_of(c)->t));
}

static bool
dictionary_get(struct call *c)
{
    bool found;

    if (!check_key(c) || !clr_dictionary_get(c, self_of(c), c->args[1], &c->ret, &found))
        return false;
    return found || call_throw(c, EXC_KEY_NOT_FOUND, "The given key was not present in the dictionary.");
}

static bool
dictionary_set(struct call *c)
{
    return check_key(c) && clr_dictionary_set(c, self_of(c), c->args[1], c->args[2]);
}

static bool
dictionary_add(struct call *c)
{
    return add_new(c, self_of(c), c->args[1], c->args[2]);
}

static bool
dictionary_add_pair(struct call *c)
{
    struct record *pair = (struct record *)c->args[1].ref;

    return add_new(c, self_of(c), pair ? pair->v[0] : value_i64(0), pair ? pair->v[1] : value_i64(0));
}

static bool
dictionary_try_add(struct call *c)
{
    struct table_entry *e;
    bool added;

    if (!check_key(c) || !table_put(c, &self_of(c)->t, c->args[1], &e, &added))
        return false;
    if (added)
        e->value = c->args[2];
    return return_bool(c, added);
}

static bool
dictionary_contains_key(struct call *c)
{
    struct value v;
    bool found;

    return check_key(c) && clr_dictionary_get(c, self_of(c), c->args[1], &v, &found) && return_bool(c, found);
}

static bool
dictionary_try_get(struct call *c)
{
    bool found;

    if (!check_key(c))
        return false;
    c->args[2] = value_i64(0);
    return clr_dictionary_get(c, self_of(c), c->args[1], &c->args[2], &found) && return_bool(c, found);
}

/* GetValueOrDefault(key[, defaultValue]) of System.Collections.Generic.CollectionExtensions, on our own dictionaries. */
static bool
dictionary_get_or_default(struct call *c)
{
    bool found;

    c->ret = c->n_args > 2 ? c->args[2] : value_i64(0);
    return check_key(c) && clr_dictionary_get(c, self_of(c), c->args[1], &c->ret, &found);
}

static bool
contains_value(struct call *c, const struct clr_table *d, struct value wanted, bool *ret)
{
    struct key_rule rule = {d->head.type->args[1], NULL};
    struct table_entry *e;
    uint32_t at = 0;

    *ret = false;
    while (!*ret && (e = table_next(&d->t, &at)))
        if (!call_charge(c, 1) || !key_equals(c, &rule, e->value, wanted, ret))
            return false;
    return true;
}

static bool
dictionary_contains_value(struct call *c)
{
    bool found;

    return contains_value(c, self_of(c), c->args[1], &found) && return_bool(c, found);
}

/* Whether the key of a KeyValuePair is there with that value. */
static bool
find_pair(struct call *c, const struct record *pair, bool *ret)
{
    struct clr_table *d = self_of(c);
    struct key_rule rule = {d->head.type->args[1], NULL};
    struct value v;
    bool found = false;

    *ret = false;
    if (!pair || !clr_dictionary_get(c, d, pair->v[0], &v, &found))
        return pair ? false : throw_argument_null(c, "key");
    return !found || key_equals(c, &rule, v, pair->v[1], ret);
}

/* ICollection<KeyValuePair<K,V>>.Contains */
static bool
dictionary_contains_pair(struct call *c)
{
    bool found;

    return find_pair(c, (struct record *)c->args[1].ref, &found) && return_bool(c, found);
}

/* ICollection<KeyValuePair<K,V>>.Remove: only with that value. */
static bool
dictionary_remove_pair(struct call *c)
{
    struct record *pair = (struct record *)c->args[1].ref;
    bool found;

    if (!find_pair(c, pair, &found) || (found && !table_remove(c, &self_of(c)->t, pair->v[0], &found, NULL)))
        return false;
    return return_bool(c, found);
}

static bool
dictionary_remove(struct call *c)
{
    bool removed;

    return check_key(c) && table_remove(c, &self_of(c)->t, c->args[1], &removed, NULL) && return_bool(c, removed);
}

static bool
dictionary_remove_out(struct call *c)
{
    bool removed;

    if (!check_key(c))
        return false;
    c->args[2] = value_i64(0);
    return table_remove(c, &self_of(c)->t, c->args[1], &removed, &c->args[2]) && return_bool(c, removed);
}

static bool
dictionary_clear(struct call *c)
{
    table_clear(&self_of(c)->t);
    return true;
}

static bool
dictionary_comparer(struct call *c)
{
    return return_ref(c, self_of(c)->t.rule.comparer);
}

static bool
return_false(struct call *c)
{
    return return_bool(c, false);
}

static bool
keys_change(struct call *c)
{
    return call_throw(c, EXC_NOT_SUPPORTED, "Mutating a key collection derived from a dictionary is not allowed.");
}

static bool
values_change(struct call *c)
{
    return call_throw(c, EXC_NOT_SUPPORTED, "Mutating a value collection derived from a dictionary is not allowed.");
}

static bool
return_true(struct call *c)
{
    return return_bool(c, true);
}

/* ---- walking ---- */

enum { WALK_PAIRS, WALK_KEYS, WALK_VALUES };

static int
dictionary_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct clr_table *d = (struct clr_table *)it->self;
    uint32_t at = (uint32_t)it->state[0].u64;
    struct table_entry *e;

    if (d->t.version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    if (!(e = table_next(&d->t, &at)))
        return 0;
    it->state[0].u64 = at;
    if (it->state[2].u64 != WALK_PAIRS) {
        *ret = it->state[2].u64 == WALK_KEYS ? e->key : e->value;
        return 1;
    }
    *ret = value_ref(key_value_pair_new(c, it->state[3].p, e->key, e->value));
    return ret->ref ? 1 : -1;
}

static void
dictionary_open(struct clr_table *d, int what, struct iterator *it)
{
    *it = (struct iterator){.next = dictionary_next, .self = &d->head};
    it->state[1].u64 = d->t.version;
    it->state[2].i64 = what;
    it->state[3].p = (void *)type_element(d->head.type);
}

static bool
dictionary_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    dictionary_open((struct clr_table *)self, WALK_PAIRS, it);
    return true;
}

static bool
keys_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    dictionary_open(((struct part *)self)->dictionary, WALK_KEYS, it);
    return true;
}

static bool
values_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    dictionary_open(((struct part *)self)->dictionary, WALK_VALUES, it);
    return true;
}

/* Called through IDictionary and IReadOnlyDictionary too, so the type is made from the dictionary's own. */
static bool
part_of(struct call *c, struct str type_name)
{
    const struct type *d = self_of(c)->head.type;
    struct part *p = object_new(c, type_find(c->run->env, type_name, d->args, 2), struct part);

    if (p)
        p->dictionary = self_of(c);
    return return_new(c, p);
}

static bool
dictionary_keys(struct call *c)
{
    return part_of(c, STR("System.Collections.Generic.KeyCollection"));
}

static bool
dictionary_values(struct call *c)
{
    return part_of(c, STR("System.Collections.Generic.ValueCollection"));
}

static bool
part_count(struct call *c)
{
    return return_i64(c, table_count(&((struct part *)c->args[0].ref)->dictionary->t));
}

static bool
hook_keys_contains(struct call *c, struct object *self, struct value v, bool *ret)
{
    struct clr_table *d = ((struct part *)self)->dictionary;
    struct value ignored;

    if (value_is_null(d->t.rule.type, v))
        return throw_argument_null(c, "key");
    return clr_dictionary_get(c, d, v, &ignored, ret);
}

static bool
keys_contains(struct call *c)
{
    bool found;

    return hook_keys_contains(c, c->args[0].ref, c->args[1], &found) && return_bool(c, found);
}

static bool
values_contains(struct call *c)
{
    bool found;

    return contains_value(c, ((struct part *)c->args[0].ref)->dictionary, c->args[1], &found) &&
           return_bool(c, found);
}

/* CopyTo(array, index) of whatever the receiver's hook walks. */
static bool
copy_to(struct call *c)
{
    struct array *a = (struct array *)c->args[1].ref;
    struct iterator it;
    struct value v;
    int64_t at = c->n_args > 2 ? c->args[2].i64 : 0;
    int got;

    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0 || at > a->n)
        return throw_argument_range(c, "index", "Non-negative number required.");
    if (sequence_known_count(c->args[0].ref) > a->n - at)
        return throw_argument(c, NULL, "Destination array is not long enough to copy all the items in the collection. "
                                       "Check array index and length.");
    if (!iterate(c, c->args[0].ref, NULL, &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0 && at < a->n)
        if (!array_store(c, a, (uint32_t)at++, v))
            return false;
    return got >= 0;
}

/* ---- KeyValuePair ---- */

static bool
pair_new(struct call *c)
{
    return return_new(c, key_value_pair_new(c, c->owner, c->args[0], c->args[1]));
}

static bool
pair_field(struct call *c, uint32_t i)
{
    struct record *r = (struct record *)c->args[0].ref;

    c->ret = r ? r->v[i] : value_i64(0);
    return true;
}

static bool
pair_key(struct call *c)
{
    return pair_field(c, 0);
}

static bool
pair_deconstruct(struct call *c)
{
    struct record *pair = (struct record *)c->args[0].ref;

    c->args[1] = pair ? pair->v[0] : value_i64(0);
    c->args[2] = pair ? pair->v[1] : value_i64(0);
    return true;
}

static bool
pair_value(struct call *c)
{
    return pair_field(c, 1);
}

static bool
pair_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct record *r = (struct record *)v.ref;
    struct string *key, *value;
    struct buf b = call_buf(c);

    if (!value_to_string(c, type->args[0], r ? r->v[0] : value_i64(0), STR_NONE, &key) ||
        !value_to_string(c, type->args[1], r ? r->v[1] : value_i64(0), STR_NONE, &value))
        return false;
    buf_add_char(&b, '[');             /* not by printf, which would stop at a NUL */
    buf_add_str(&b, string_str(key));
    buf_add_lit(&b, ", ");
    buf_add_str(&b, string_str(value));
    buf_add_char(&b, ']');
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

static int64_t
hook_count(const struct object *self)
{
    return table_count(&((const struct clr_table *)self)->t);
}

static int64_t
hook_part_count(const struct object *self)
{
    return hook_count(&((const struct part *)self)->dictionary->head);
}

static const struct type_hooks dictionary_hooks = {.iterate = dictionary_iterate, .count = hook_count};
static const struct type_hooks keys_hooks = {.iterate = keys_iterate, .count = hook_part_count, .contains = hook_keys_contains};
static const struct type_hooks values_hooks = {.iterate = values_iterate, .count = hook_part_count};
static const struct type_hooks pair_hooks = {.to_string = pair_to_string};

bool
object_is_dictionary(const struct object *o)
{
    return o->type->hooks->iterate == dictionary_iterate;
}

static const struct type_row types[] = {
    REF_STRUCT("System.Collections.Generic.KeyValuePair<K,V>", NULL, &pair_hooks),
    CLASS("System.Collections.Generic.Dictionary<K,V>", NULL, "IDictionary<K,V>, IReadOnlyDictionary<K,V>",
          &dictionary_hooks),
    CLASS("System.Collections.Generic.KeyCollection<K,V>", NULL, "ICollection<K>, IReadOnlyCollection<K>", &keys_hooks),
    CLASS("System.Collections.Generic.ValueCollection<K,V>", NULL, "ICollection<V>, IReadOnlyCollection<V>",
          &values_hooks),
};

static const struct member_row members[] = {
    M("KeyValuePair<K,V>", "new(K key, V value)", pair_new),
    M("KeyValuePair<K,V>", "K Key { get; }", pair_key),
    M("KeyValuePair<K,V>", "V Value { get; }", pair_value),
    M("KeyValuePair<K,V>", "void Deconstruct(out K key, out V value)", pair_deconstruct),

    M("Dictionary<K,V>", "new()", dictionary_new),
    M("Dictionary<K,V>", "new(int capacity)", dictionary_new_capacity),
    M("Dictionary<K,V>", "new(int capacity, IEqualityComparer<K> comparer)", dictionary_new_capacity),
    M("Dictionary<K,V>", "new(IEqualityComparer<K> comparer)", dictionary_new_comparer),
    M("Dictionary<K,V>", "new(IDictionary<K,V> dictionary)", dictionary_new_from),
    M("Dictionary<K,V>", "new(IDictionary<K,V> dictionary, IEqualityComparer<K> comparer)", dictionary_new_from),
    M("Dictionary<K,V>", "new(IEnumerable<KeyValuePair<K,V>> collection)", dictionary_new_from),
    M("Dictionary<K,V>", "new(IEnumerable<KeyValuePair<K,V>> collection, IEqualityComparer<K> comparer)", dictionary_new_from),
    M("Dictionary<K,V>", "int EnsureCapacity(int capacity)", dictionary_ensure_capacity),
    M("Dictionary<K,V>", "void TrimExcess()", dictionary_trim),
    M("Dictionary<K,V>", "void TrimExcess(int capacity)", dictionary_trim),
    P("Dictionary<K,V>", "V this[K key] { get; set; }", dictionary_get, dictionary_set),
    M("Dictionary<K,V>", "IEqualityComparer<K> Comparer { get; }", dictionary_comparer),
    M("Dictionary<K,V>", "int Count { get; }", dictionary_count),
    M_EXPLICIT("Dictionary<K,V>", "bool IsReadOnly { get; }", return_false),
    M("Dictionary<K,V>", "KeyCollection<K,V> Keys { get; }", dictionary_keys),
    M("Dictionary<K,V>", "ValueCollection<K,V> Values { get; }", dictionary_values),
    M("Dictionary<K,V>", "void Add(K key, V value)", dictionary_add),
    M_EXPLICIT("Dictionary<K,V>", "void Add(KeyValuePair<K,V> item)", dictionary_add_pair),
    M("Dictionary<K,V>", "void Clear()", dictionary_clear),
    M_EXPLICIT("Dictionary<K,V>", "bool Contains(KeyValuePair<K,V> item)", dictionary_contains_pair),
    M("Dictionary<K,V>", "bool ContainsKey(K key)", dictionary_contains_key),
    M("Dictionary<K,V>", "bool ContainsValue(V value)", dictionary_contains_value),
    M_EXPLICIT("Dictionary<K,V>", "void CopyTo(KeyValuePair<K,V>[] array, int index)", copy_to),
    M("Dictionary<K,V>", "IEnumerator<KeyValuePair<K,V>> GetEnumerator()", sequence_get_enumerator),
    M_EXTRA("Dictionary<K,V>", "V GetValueOrDefault(K key)", dictionary_get_or_default),
    M_EXTRA("Dictionary<K,V>", "V GetValueOrDefault(K key, V defaultValue)", dictionary_get_or_default),
    M("Dictionary<K,V>", "bool Remove(K key)", dictionary_remove),
    M_EXPLICIT("Dictionary<K,V>", "bool Remove(KeyValuePair<K,V> item)", dictionary_remove_pair),
    M("Dictionary<K,V>", "bool Remove(K key, out V value)", dictionary_remove_out),
    M("Dictionary<K,V>", "bool TryAdd(K key, V value)", dictionary_try_add),
    M("Dictionary<K,V>", "bool TryGetValue(K key, out V value)", dictionary_try_get),

    M("KeyCollection<K,V>", "int Count { get; }", part_count),
    M_EXPLICIT("KeyCollection<K,V>", "bool IsReadOnly { get; }", return_true),
    M_EXPLICIT("KeyCollection<K,V>", "void Add(K item)", keys_change),
    M_EXPLICIT("KeyCollection<K,V>", "void Clear()", keys_change),
    M_EXPLICIT("KeyCollection<K,V>", "bool Remove(K item)", keys_change),
    M_EXPLICIT("KeyCollection<K,V>", "bool Contains(K item)", keys_contains),
    M("KeyCollection<K,V>", "void CopyTo(K[] array, int index)", copy_to),
    M("KeyCollection<K,V>", "IEnumerator<K> GetEnumerator()", sequence_get_enumerator),
    M("ValueCollection<K,V>", "int Count { get; }", part_count),
    M_EXPLICIT("ValueCollection<K,V>", "bool IsReadOnly { get; }", return_true),
    M_EXPLICIT("ValueCollection<K,V>", "void Add(V item)", values_change),
    M_EXPLICIT("ValueCollection<K,V>", "void Clear()", values_change),
    M_EXPLICIT("ValueCollection<K,V>", "bool Remove(V item)", values_change),
    M_EXPLICIT("ValueCollection<K,V>", "bool Contains(V item)", values_contains),
    M("ValueCollection<K,V>", "void CopyTo(V[] array, int index)", copy_to),
    M("ValueCollection<K,V>", "IEnumerator<V> GetEnumerator()", sequence_get_enumerator),
};

const struct library clr_dictionary = LIBRARY("dictionary", types, members);
