/* supply.h: values that come from elsewhere and serve all workers for a while: the keys of issuers, tokens of identity providers.
 *
 *     key -> entry -> value (counted, immutable)     fresh | due: served, and one fetch begins | expired: waited for
 *                  -> waiters (fibers of any worker)
 * One fetch serves everybody who waits for it, on a detached exchange, so it goes on when its first client leaves. What a failed
 * fetch leaves: the old value when its kind says that stale is better than nothing, else the error; the next tries come later
 * and later. Thread-safe.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "exchange/exchange.h"

struct supplies;                      /* of the process */
struct supply_entry;

/* The head of what a fetch makes. Never changes once it is given away. */
struct supply_value {
    _Atomic uint32_t refs;
    void (*destroy)(struct supply_value *v);
    uint64_t tag;                     /* the same for the same content: a refresh that changed nothing is not noticed */
};
static inline struct supply_value *
supply_value_ref(struct supply_value *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}
void supply_value_unref(struct supply_value *v);

/* How long a value serves, from the end of its fetch. */
struct supply_life {
    uint64_t fresh_ms;                /* then a fetch begins while it still serves */
    uint64_t valid_ms;                /* then it is waited for */
};

struct supply_kind {
    const char *name;                 /* part of keys */
    /* Gets the value, with one reference, within its own deadline. ex is detached; what: of copy(). Yields. */
    bool (*fetch)(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err);
    /* What to fetch, for a fetch that may outlive whoever asked. NULL: memory is short. */
    const void *(*copy)(struct arena *a, const void *what);
    struct exchange_limits limits;    /* of the fetching exchange: its arena, the bodies it reads */
    uint32_t wait_ms;                 /* a request waits no longer */
    bool keeps_stale;                 /* an expired value serves when no other can be had */
};

struct supplies *supplies_new(void);
/* No fetch may be under way. NULL is fine. */
void supplies_delete(struct supplies *s);
/* Forgets all values; fetches under way end unseen. For tests. */
void supplies_clear(struct supplies *s);

/* The place of a key, made when there is none; counted. NULL when the table is full of entries in use. */
struct supply_entry *supply_entry_get(struct supplies *s, const struct supply_kind *kind, struct str key);
struct supply_entry *supply_entry_ref(struct supply_entry *e);
void supply_entry_unref(struct supply_entry *e);

/* The value, with a reference for the caller; NULL with *err. Begins a fetch when it is due, waits when there is nothing that
 * serves. Yields. */
struct supply_value *supply_get(struct exchange *ex, struct supply_entry *e, const void *what, struct err *err);
/* For somebody whom the value `than` did not satisfy: another one that came meanwhile, or after a fetch for which this waits, but
 * at most one such fetch every gap_ms. NULL, *err untouched: there is none. Yields. */
struct supply_value *supply_get_newer(struct exchange *ex, struct supply_entry *e, const void *what, const struct supply_value *than,
                                      uint64_t gap_ms);
/* The tag of the value while it is fresh, else 0: then supply_get() is to be asked. Takes no lock. */
uint64_t supply_fresh_tag(const struct supply_entry *e, uint64_t now_ms);
