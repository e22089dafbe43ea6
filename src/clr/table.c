/* table.c: see table.h. Chained buckets, as .NET's Dictionary.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/table.h"

enum { TABLE_FIRST_CAP = 4 };

bool
key_equals(struct call *c, const struct key_rule *rule, struct value a, struct value b, bool *ret)
{
    if (rule->comparer)
        return rule->comparer->ops->equals(c, rule->comparer, a, b, ret);
    if (rule->type->kind == TYPE_STRING) {
        *ret = string_eq((struct string *)a.ref, (struct string *)b.ref);
        return true;
    }
    return value_equals(c, rule->type, a, b, ret);
}

bool
key_hash(struct call *c, const struct key_rule *rule, struct value v, uint32_t *ret)
{
    int32_t hash = 0;
    bool ok = true;

    if (rule->comparer)
        ok = rule->comparer->ops->hash(c, rule->comparer, v, &hash);
    else if (!value_is_null(rule->type, v))
        ok = value_hash(c, rule->type, v, &hash);
    /* Numbers hash to themselves in .NET: spread them over the buckets. */
    *ret = (uint32_t)hash * 0x9e3779b1u;
    *ret ^= *ret >> 15;
    return ok;
}

bool
key_compare(struct call *c, const struct key_rule *rule, struct value a, struct value b, int *ret)
{
    if (rule->comparer)
        return rule->comparer->ops->compare(c, rule->comparer, a, b, ret);
    return value_compare(c, rule->type, a, b, ret);
}

void
table_init(struct table *t, const struct type *key_type, struct comparer *comparer)
{
    *t = (struct table){.rule = {key_type, comparer}, .first_free = -1};
}

static bool
find_hashed(struct call *c, const struct table *t, struct value key, uint32_t hash, int32_t *ret)
{
    uint32_t steps = 0;

    *ret = -1;
    if (t->cap == 0)
        return true;
    for (int32_t i = t->buckets[hash & (t->cap - 1)] - 1; i >= 0; i = t->entries[i].next) {
        bool same = false;

        if (t->entries[i].hash == hash && !key_equals(c, &t->rule, t->entries[i].key, key, &same))
            return false;
        if (same) {
            *ret = i;
            return true;
        }
        if (++steps % 64 == 0 && !call_charge(c, 64))
            return false;
    }
    return true;
}

bool
table_find(struct call *c, const struct table *t, struct value key, int32_t *ret)
{
    uint32_t hash;

    return key_hash(c, &t->rule, key, &hash) && find_hashed(c, t, key, hash, ret);
}

static void
link_entry(struct table *t, uint32_t i)
{
    int32_t *bucket = &t->buckets[t->entries[i].hash & (t->cap - 1)];

    t->entries[i].next = *bucket - 1;
    *bucket = (int32_t)i + 1;
}

static bool
table_grow(struct call *c, struct table *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : TABLE_FIRST_CAP;
    struct table_entry *entries = call_alloc(c, (size_t)cap * sizeof(*entries));
    int32_t *buckets = call_alloc(c, (size_t)cap * sizeof(*buckets));

    if (!entries || !buckets)
        return false;
    if (t->n_used)
        memcpy(entries, t->entries, t->n_used * sizeof(*entries));
    t->entries = entries;
    t->buckets = buckets;
    t->cap = cap;
    for (uint32_t i = 0; i < t->n_used; i++)
        link_entry(t, i);
    return true;
}

bool
table_put(struct call *c, struct table *t, struct value key, struct table_entry **ret, bool *ret_added)
{
    uint32_t hash, i;
    int32_t found;

    if (!key_hash(c, &t->rule, key, &hash) || !find_hashed(c, t, key, hash, &found))
        return false;
    *ret_added = found < 0;
    if (found >= 0) {
        t->version++;
        *ret = &t->entries[found];
        return true;
    }
    if (t->first_free >= 0) {
        i = (uint32_t)t->first_free;
        t->first_free = -3 - t->entries[i].next;
        t->n_free--;
    } else {
        if (t->n_used == t->cap && !table_grow(c, t))
            return false;
        i = t->n_used++;
    }
    t->version++;
    t->entries[i] = (struct table_entry){.key = key, .hash = hash};
    link_entry(t, i);
    *ret = &t->entries[i];
    return true;
}

void
table_remove_at(struct table *t, uint32_t index)
{
    struct table_entry *e = &t->entries[index];
    int32_t *bucket = &t->buckets[e->hash & (t->cap - 1)];

    if (*bucket == (int32_t)index + 1) {
        *bucket = e->next + 1;
    } else {
        int32_t before = *bucket - 1;
        while (t->entries[before].next != (int32_t)index)
            before = t->entries[before].next;
        t->entries[before].next = e->next;
    }
    *e = (struct table_entry){.next = -3 - t->first_free};
    t->first_free = (int32_t)index;
    t->n_free++;
}

bool
table_remove(struct call *c, struct table *t, struct value key, bool *ret_removed, struct value *ret)
{
    int32_t i;

    if (!table_find(c, t, key, &i))
        return false;
    *ret_removed = i >= 0;
    if (i >= 0) {
        if (ret)
            *ret = t->entries[i].value;
        table_remove_at(t, (uint32_t)i);
        t->version++;
    }
    return true;
}

void
table_clear(struct table *t)
{
    if (t->cap)
        memset(t->buckets, 0, t->cap * sizeof(*t->buckets));
    t->n_used = t->n_free = 0;
    t->first_free = -1;
    t->version++;
}

struct table_entry *
table_next(const struct table *t, uint32_t *at)
{
    while (*at < t->n_used) {
        struct table_entry *e = &t->entries[(*at)++];
        if (e->next >= -1)
            return e;
    }
    return NULL;
}
