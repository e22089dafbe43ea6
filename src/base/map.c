/* map.c: open addressing over an insertion-ordered array of entries.
 *
 *     slots[]:   0 3 0 0 1 2 0 0      index + 1; linear probing; at most half full
 *     entries[]: a b c                 a removed entry keeps its place until the next growth
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"

static uint64_t
hash_key(const struct map *m, struct str key)
{
    return m->ignore_case ? hash_str_nocase(key) : hash_str(key);
}

static bool
same_key(const struct map *m, struct str a, struct str b)
{
    return m->ignore_case ? str_eq_nocase(a, b) : str_eq(a, b);
}

static struct map_entry *
find(const struct map *m, struct str key, uint64_t hash)
{
    if (!m->slots_cap)
        return NULL;
    for (uint32_t at = (uint32_t)hash & (m->slots_cap - 1); m->slots[at]; at = (at + 1) & (m->slots_cap - 1)) {
        struct map_entry *e = &m->entries[m->slots[at] - 1];
        if (e->key.p && e->hash == hash && same_key(m, e->key, key))
            return e;
    }
    return NULL;
}

static void
link_slot(struct map *m, uint32_t index)
{
    uint32_t at = (uint32_t)m->entries[index].hash & (m->slots_cap - 1);

    while (m->slots[at])
        at = (at + 1) & (m->slots_cap - 1);
    m->slots[at] = index + 1;
}

/* Drops removed entries and makes room for one more. */
static void
grow(struct map *m)
{
    uint32_t cap = 8, kept = 0;

    while (cap < m->n_live * 2 + 2)
        cap *= 2;
    for (uint32_t i = 0; i < m->n_entries; i++)
        if (m->entries[i].key.p)
            m->entries[kept++] = m->entries[i];
    m->n_entries = kept;
    m->entries_cap = cap;
    m->entries = xrealloc(m->entries, cap * sizeof(*m->entries));
    free(m->slots);
    m->slots_cap = cap * 2;
    m->slots = xcalloc(m->slots_cap, sizeof(*m->slots));
    for (uint32_t i = 0; i < kept; i++)
        link_slot(m, i);
}

void *
map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, hash_key(m, key));

    return e ? e->value : NULL;
}

bool
map_has(const struct map *m, struct str key)
{
    return find(m, key, hash_key(m, key)) != NULL;
}

static void *
set(struct map *m, struct str key, void *value, bool copy)
{
    uint64_t hash = hash_key(m, key);
    struct map_entry *e = find(m, key, hash);
    void *old = NULL;

    if (e) {
        old = e->value;
        e->value = value;
        return old;
    }
    if (m->n_entries == m->entries_cap)
        grow(m);
    if (!key.p)
        key.p = "";
    m->entries[m->n_entries] = (struct map_entry){
        .key = copy ? str_from(xstrndup(key.p, key.len), key.len) : key, .value = value, .hash = hash,
        .is_key_owned = copy};
    link_slot(m, m->n_entries++);
    m->n_live++;
    return NULL;
}

void *
map_set(struct map *m, struct str key, void *value)
{
    return set(m, key, value, false);
}

void *
map_set_copy(struct map *m, struct str key, void *value)
{
    return set(m, key, value, true);
}

void *
map_remove(struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, hash_key(m, key));

    if (!e)
        return NULL;
    if (e->is_key_owned)
        free((char *)e->key.p);
    e->key = STR_NONE;
    m->n_live--;
    return e->value;
}

struct map_entry *
map_next(const struct map *m, const struct map_entry *after)
{
    for (size_t i = after ? (size_t)(after - m->entries) + 1 : 0; i < m->n_entries; i++)
        if (m->entries[i].key.p)
            return &m->entries[i];
    return NULL;
}

void
map_destroy(struct map *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n_entries; i++)
        if (m->entries[i].key.p && m->entries[i].is_key_owned)
            free((char *)m->entries[i].key.p);
    free(m->entries);
    free(m->slots);
    *m = (struct map){.ignore_case = m->ignore_case};
}
