/* map.h: a table from text to a pointer: open addressing, keyed hash, on malloc. Keys are views that must
 * outlive the map (or be copied with map_set_copy). Order of iteration is order of insertion.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
    uint64_t hash;
    bool is_key_owned;
};

struct map {
    struct map_entry *entries;        /* in order of insertion; a removed one has key.p == NULL */
    uint32_t *slots;                  /* index + 1 into entries, 0 free */
    uint32_t n_entries, entries_cap, slots_cap, n_live;
    bool ignore_case;                 /* set before the first insertion */
};

#define MAP_INIT ((struct map){0})
#define MAP_INIT_NOCASE ((struct map){.ignore_case = true})

/* NULL when absent. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Sets or replaces; returns the value that was there, or NULL. The key's bytes must outlive the map. */
void *map_set(struct map *m, struct str key, void *value);
/* The same with a copy of the key. */
void *map_set_copy(struct map *m, struct str key, void *value);
/* Returns what was removed, or NULL. */
void *map_remove(struct map *m, struct str key);
/* Steps through live entries: for (e = map_next(m, NULL); e; e = map_next(m, e)). The map must not change. */
struct map_entry *map_next(const struct map *m, const struct map_entry *after);
/* Frees the table, not the values. */
void map_destroy(struct map *m);
