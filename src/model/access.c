/* access.c: subscription keys and what they open.
 *
 * Keys stand in a table under SipHash with the process's secret, so that neither their order nor the time of a probe
 * tells anything about them; the final comparison looks at every byte. Both keys of a subscription are entries.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/access.h"

#include "base/hash.h"
#include "model/model.h"

struct key_slot {
    uint64_t hash;
    struct str key;                   /* p == NULL: free */
    const struct subscription *subscription;
};

struct access_table {
    struct key_slot *slots;
    uint32_t cap;                     /* a power of two, at most half full */
};

/* Time depends on the lengths alone. */
static bool
same_secret(struct str a, struct str b)
{
    unsigned char difference = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned char)(a.p[i] ^ b.p[i]);
    return difference == 0;
}

static struct key_slot *
find_slot(const struct access_table *t, struct str key, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->cap - 1);

    while (t->slots[at].key.p && (t->slots[at].hash != hash || !same_secret(t->slots[at].key, key)))
        at = (at + 1) & (t->cap - 1);
    return &t->slots[at];
}

static bool
add_key(struct access_table *t, struct str key, const struct subscription *s)
{
    uint64_t hash = hash_sip(key);
    struct key_slot *slot;

    if (!key.len)
        return true;
    slot = find_slot(t, key, hash);
    if (slot->key.p)
        return slot->subscription == s;
    *slot = (struct key_slot){hash, key, s};
    return true;
}

struct access_table *
access_table_new(struct arena *a, const struct subscription *subscriptions, uint32_t n,
                 const struct subscription **ret_clash)
{
    struct access_table *t = arena_new(a, struct access_table);
    uint32_t cap = 8;

    while (cap < n * 4)
        cap *= 2;
    if (!t || !(t->slots = arena_new_array(a, struct key_slot, cap)))
        return NULL;
    t->cap = cap;
    for (uint32_t i = 0; i < n; i++) {
        bool is_new = add_key(t, subscriptions[i].primary_key, &subscriptions[i]);
        is_new = add_key(t, subscriptions[i].secondary_key, &subscriptions[i]) && is_new;
        if (!is_new && ret_clash)
            *ret_clash = &subscriptions[i];
    }
    return t;
}

const struct subscription *
access_find_key(const struct model *m, struct str key)
{
    return key.len && m->keys ? find_slot(m->keys, key, hash_sip(key))->subscription : NULL;
}

static bool
product_contains(const struct product *p, const struct api *api)
{
    for (uint32_t i = 0; i < api->n_products; i++)
        if (api->products[i] == p)
            return true;
    return false;
}

static bool
is_in_force(const struct subscription *s, int64_t now_s)
{
    return s->state == SUBSCRIPTION_ACTIVE && (!s->start_s || now_s >= s->start_s) &&
           (!s->expiration_s || now_s < s->expiration_s);
}

static bool
scope_covers(const struct subscription *s, const struct api *api)
{
    switch (s->scope) {
    case SUBSCRIPTION_TO_ALL:
        return !s->workspace || s->workspace == api->workspace;
    case SUBSCRIPTION_TO_API:
        return s->workspace == api->workspace && str_eq_nocase(s->scope_api, api->root_name);
    case SUBSCRIPTION_TO_PRODUCT:
        return s->product && product_contains(s->product, api);
    }
    UNREACHABLE();
}

enum access_result
access_check(const struct model *m, const struct api *api, struct str key, int64_t now_s, struct access *ret)
{
    const struct subscription *s = access_find_key(m, key);

    *ret = (struct access){0};
    if (s && is_in_force(s, now_s) && scope_covers(s, api)) {
        *ret = (struct access){s, s->scope == SUBSCRIPTION_TO_PRODUCT ? s->product : NULL, s->owner};
        return ACCESS_ALLOWED;
    }
    if (api->open_product) {
        ret->product = api->open_product;
        return ACCESS_ALLOWED;
    }
    if (!api->is_subscription_required)
        return ACCESS_ALLOWED;
    return key.len ? ACCESS_KEY_INVALID : ACCESS_KEY_MISSING;
}
