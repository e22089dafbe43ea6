/* collections.h: the collections of System.Collections.Generic as natives build and read them.
 *
 * Elements are kept as the static element type keeps them (value.h). `version` counts changes, so that an enumerator
 * notices them ("Collection was modified"). Memory comes from the run's arena; makers return NULL after a budget.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/table.h"

/* List<T>, and ReadOnlyCollection<T>, which shares the storage of the list it was made of. */
struct clr_list {
    struct object head;
    uint32_t n, cap, version;
    struct value *v;
};

/* list_type is List<T>. */
struct clr_list *clr_list_new(struct call *c, const struct type *list_type, uint32_t cap);
bool clr_list_add(struct call *c, struct clr_list *l, struct value v);

/* Dictionary<K,V>, and HashSet<T>, whose values are unused. */
struct clr_table {
    struct object head;
    struct table t;
};

struct clr_table *clr_dictionary_new(struct call *c, const struct type *dictionary_type, struct comparer *comparer);
/* Sets or replaces. The key is not null. */
bool clr_dictionary_set(struct call *c, struct clr_table *d, struct value key, struct value v);
/* ArgumentException for a key that is there. */
bool throw_same_key(struct call *c, const struct type *key_type, struct value key);
/* *ret_found false: *ret is untouched. */
bool clr_dictionary_get(struct call *c, const struct clr_table *d, struct value key, struct value *ret, bool *ret_found);

/* Queue<T>: a ring; Stack<T>: its end is the top. */
struct clr_queue {
    struct object head;
    uint32_t first, n, cap, version;
    struct value *v;
};

/* KeyValuePair<K,V>; pair_type is the constructed type. */
struct record *key_value_pair_new(struct call *c, const struct type *pair_type, struct value key, struct value v);

/* What a sequence holds, copied into memory of the run: *ret and *ret_n. `element` is the T of the IEnumerable<T> meant.
 * For a null sequence throws ArgumentNullException(parameter). */
bool sequence_collect(struct call *c, struct object *sequence, const struct type *element, const char *parameter,
                      struct value **ret, uint32_t *ret_n);
/* iterate() for the IEnumerable<element> of a type that may be several; throws ArgumentNull for NULL. */
bool sequence_open(struct call *c, struct object *sequence, const struct type *element, const char *parameter,
                   struct iterator *it);
/* The number of elements when the object knows it without walking: arrays, and types with the hook `count`; else -1. */
int64_t sequence_known_count(const struct object *o);

/* .NET's List.Sort/Array.Sort order of v[0..n): by comparison delegate or rule. Not stable in .NET; ours is. */
bool values_sort(struct call *c, struct value *v, uint32_t n, const struct key_rule *rule, struct object *comparison);
