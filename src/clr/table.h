/* table.h: the hash table under Dictionary, HashSet, Lookup and the set operators of LINQ.
 *
 * Entries stand in order of insertion; a removed one joins a free list and is used again by the next insertion, so the
 * order of enumeration is .NET's. Memory comes from the run's arena. Hashes of strings are keyed per process.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/comparer.h"

struct table_entry {
    struct value key, value;
    uint32_t hash;
    int32_t next;                     /* chain: index or -1; of a free entry: -3 - next free (-1: none) */
};

struct table {
    struct key_rule rule;
    struct table_entry *entries;
    int32_t *buckets;                 /* index + 1, 0: empty */
    uint32_t n_used;                  /* entries ever used; free ones included */
    uint32_t n_free;
    uint32_t cap;                     /* of entries; buckets are as many, a power of two */
    int32_t first_free;               /* -1: none */
    uint32_t version;                 /* counts changes */
};

/* No allocation yet. */
void table_init(struct table *t, const struct type *key_type, struct comparer *comparer);
static inline uint32_t
table_count(const struct table *t)
{
    return t->n_used - t->n_free;
}
/* *ret: the index of the key's entry, or -1. False: an exception. */
bool table_find(struct call *c, const struct table *t, struct value key, int32_t *ret);
/* *ret: the entry of the key, which is new (value zeroed) when *ret_added. Counts as a change. */
bool table_put(struct call *c, struct table *t, struct value key, struct table_entry **ret, bool *ret_added);
/* *ret_removed, with the entry's value in *ret (may be NULL). */
bool table_remove(struct call *c, struct table *t, struct value key, bool *ret_removed, struct value *ret);
void table_remove_at(struct table *t, uint32_t index);
void table_clear(struct table *t);
/* The first live entry at or after *at, which moves behind it; NULL at the end. */
struct table_entry *table_next(const struct table *t, uint32_t *at);
