/* snapshot.h: one compiled configuration: a model, and the plans of its APIs. Immutable, counted, shared by all workers.
 *
 *     snapshot -> model
 *              -> apis[i] -> plans[0]            without a product
 *                         -> plans[1 + p]        called through product p of the API
 *                         -> by_operation[o]     the same row again, for operations with a document of their own
 * APIs whose documents are the same share their plans.
 * Documents are compiled once and kept by the publisher over publishes while nothing they depend on changes.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/backends.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "model/model.h"
#include "policy/plan.h"

struct api_schemas;
struct expr_env;
struct metrics;
struct outlet;
struct outlets;

#define TRACE_DETAIL_UNSAID 0xff

struct api_entry {                    /* what most requests need stands here, not behind pointers: it is cold memory */
    struct plan *plan;                /* without a product: plans[0] */
    struct plan **plans;              /* 1 + api->n_products; NULL: all are `plan` */
    struct plan ***by_operation;      /* api->n_operations entries, NULL: `plans` serves; NULL: no operation has one */
    struct str unsupported;           /* what is missing here, for a 501; STR_NONE: nothing */
    bool is_broken;                   /* it did not load and the rest did: `unsupported` says why, for a 503 */
    const struct api_schemas *schemas;    /* policy/schemas.h; NULL: nothing here validates */
    uint32_t metrics_slot;
    _Atomic uint32_t *cache_slots;    /* exchange->cache_slot of each operation, and behind them of none */
    uint8_t trace_detail;             /* enum trace_detail; TRACE_DETAIL_UNSAID: no diagnostic says it */
};

struct snapshot {
    _Atomic uint32_t refs;
    struct arena arena;
    struct model *model;
    struct backends *backends;        /* where requests go, resolved once */
    struct outlet **outlets;          /* observe/outlet.h, by the model's loggers; entries may be NULL */
    struct api_entry *apis;           /* by api->index */
    struct plan *global_plan;         /* for what fails before an API is known */
    struct plan_list { struct plan **v; size_t n, cap; } plans;   /* all of them, to delete */
    bool any_encoded_slash;           /* some API lets %2F through */
    _Atomic uint64_t born_max;        /* of what is fetched by it for the cache: what was purged when it was replaced stays so */
};

/* Compiled documents by where they stand; one a gateway, used by one publisher at a time. */
struct document_cache {
    struct map documents;             /* "scope\0path" -> struct cached_document */
    uint64_t surroundings;            /* fingerprint of named values, fragments and names that documents refer to */
};
void document_cache_destroy(struct document_cache *c);
/* policy_document_coverage() of all of them. */
void document_cache_coverage(struct document_cache *c, void (*fn)(void *ctx, const struct origin *at, bool ran), void *ctx);

struct snapshot_input {
    struct model *model;              /* a reference is taken */
    const struct expr_env *env;
    struct backends_input backends;
    struct metrics *metrics;
    struct outlets *outlets;          /* NULL: nothing is opened */
    bool is_strict, with_coverage;
    bool has_no_proxies;              /* note where documents read what only trusted proxies may say */
    bool keep_going;                  /* an API with a broken document answers 503 instead of refusing it all */
};

/* Compiles everything the model holds. NULL when a document has an error (diags says which). Blocks; off the workers. */
struct snapshot *snapshot_new(const struct snapshot_input *in, struct document_cache *cache, struct diags *diags);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

/* The plan of a request. product NULL: none. */
const struct plan *snapshot_plan(const struct snapshot *s, const struct api *api, const struct operation *op,
                                 const struct product *product);
