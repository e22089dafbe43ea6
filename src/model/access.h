/* access.h: who may call: products, subscriptions, users, groups, and the check of a subscription key.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

struct api;
struct model;
struct workspace;

struct group {
    struct str name, display_name, description;
    struct str type;                  /* "custom", "system", "external" */
    struct str external_id;
    const struct workspace *workspace;
};

struct user {
    struct str name;                  /* resource name, what subscriptions' ownerId ends with */
    struct str first_name, last_name, email, note, state;
    int64_t registered_s;             /* since 1970; 0: not said */
    const struct group *const *groups;
    uint32_t n_groups;
    const struct user_identity {
        struct str provider, id;
    } *identities;
    uint32_t n_identities;
};

enum product_state { PRODUCT_NOT_PUBLISHED, PRODUCT_PUBLISHED };

struct product {
    struct str name, display_name, description, terms;
    bool is_subscription_required;    /* false: an open product */
    bool is_approval_required;
    uint32_t subscriptions_limit;     /* 0: none */
    enum product_state state;         /* irrelevant at run time */
    const struct api *const *apis;    /* every revision of each */
    uint32_t n_apis;
    const struct group *const *groups;
    uint32_t n_groups;
    const struct str *tags;
    uint32_t n_tags;
    const struct workspace *workspace;
    const struct source *policy;      /* NULL: none saved */
    uint32_t index;                   /* within model->products */
};

enum subscription_state {
    SUBSCRIPTION_ACTIVE, SUBSCRIPTION_SUSPENDED, SUBSCRIPTION_EXPIRED, SUBSCRIPTION_SUBMITTED, SUBSCRIPTION_REJECTED,
    SUBSCRIPTION_CANCELLED,
};
enum subscription_scope { SUBSCRIPTION_TO_ALL, SUBSCRIPTION_TO_API, SUBSCRIPTION_TO_PRODUCT };

struct subscription {
    struct str name, display_name;
    enum subscription_scope scope;
    struct str scope_api;             /* SUBSCRIPTION_TO_API: root name */
    const struct product *product;    /* SUBSCRIPTION_TO_PRODUCT */
    enum subscription_state state;
    const struct user *owner;         /* NULL: nobody */
    bool allow_tracing;
    struct str primary_key, secondary_key;   /* the secrets themselves; empty: none, which no caller can match */
    int64_t created_s, start_s, expiration_s, end_s;   /* since 1970; 0: not said */
    const struct workspace *workspace;
    uint32_t index;                   /* within model->subscriptions */
};

enum access_result {
    ACCESS_ALLOWED,
    ACCESS_KEY_MISSING,               /* 401 SubscriptionKeyNotFound */
    ACCESS_KEY_INVALID,               /* 401 SubscriptionKeyInvalid */
};

struct access {
    const struct subscription *subscription;   /* NULL: called without a (valid) key */
    const struct product *product;             /* the product context, or NULL */
    const struct user *user;                   /* the subscription's owner, or NULL */
};

/* Decides by the table of subscription checks. `key` is what header, then query, gave; STR_NONE: no key.
 * now_s: wall clock, for start and expiration dates. *ret is written in every case. Never yields. */
enum access_result access_check(const struct model *m, const struct api *api, struct str key, int64_t now_s,
                                struct access *ret);

/* The subscription that holds this key, whatever its state; NULL when none. Constant time in the key's content. */
const struct subscription *access_find_key(const struct model *m, struct str key);

struct access_table;
/* Built once per model, in its arena. Two subscriptions with one key: the first wins, *ret_clash names the second. */
struct access_table *access_table_new(struct arena *a, const struct subscription *subscriptions, uint32_t n,
                                      const struct subscription **ret_clash);
