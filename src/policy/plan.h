/* plan.h: policy documents compiled, and the plan of a request run.
 *
 *     document text -> policy_document (each section compiled once: a unit, a flat array of steps)
 *     the documents that apply to a request, narrow to broad -> plan: per section, a row of units
 * A <base /> step goes on in the next unit of the row and comes back; a section that a document lacks is <base /> alone and
 * is left out of the row. Documents and plans are immutable and shared by all workers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "exchange/exchange.h"

struct expr_env;
struct policy_document;
struct plan;

/* What documents refer to by name. Callbacks may be NULL: then the names are unknown. */
struct policy_names {
    void *ctx;
    bool (*named_value)(void *ctx, struct str name, struct str *ret);   /* false: *ret may say why it has no value */
    const struct source *(*fragment)(void *ctx, struct str id);   /* lives as long as the document */
    bool (*backend)(void *ctx, struct str id);
    bool (*certificate)(void *ctx, struct str id);
    bool (*logger)(void *ctx, struct str id);
    /* A schema of the service by schema-id. NULL when there is none. */
    const struct source *(*schema)(void *ctx, struct str id, bool *ret_is_xml);
    bool is_lone;                 /* one file on its own: unknown names are notes */
    bool has_no_proxies;          /* known to be: what only trusted proxies may say is never there; a note where it is read */
    bool has_stand_ins;           /* only checked: named values may be given as {{name}}, where nobody knows them */
};

struct policy_input {
    const struct source *source;  /* copied */
    enum level level;
    const struct expr_env *env;   /* NULL: a document with expressions is an error */
    const struct policy_names *names;
    /* Parameters of the operation's URL template for rewrite-uri; NULL when the scope is broader. */
    const struct str *parameters;
    uint32_t n_parameters;
    bool is_strict;               /* refuse what Azure refuses at save */
    bool with_coverage;           /* remember which steps ran: policy_document_coverage() */
};

/* A compiled document with one reference, or NULL when it has errors; diags (in their own arena) has all that was found.
 * A policy that is known and not built yet is a warning, and policy_document_unsupported() names it. */
struct policy_document *policy_document_new(const struct policy_input *in, struct diags *diags);
struct policy_document *policy_document_ref(struct policy_document *d);
void policy_document_unref(struct policy_document *d);
/* "llm-token-limit (apis/x/policy.xml:12)" of the first policy that is not supported yet; STR_NONE when all are. */
struct str policy_document_unsupported(const struct policy_document *d);
/* Calls fn for each step of a document compiled with_coverage: where it stands, and whether any request ran it. */
void policy_document_coverage(const struct policy_document *d, void (*fn)(void *ctx, const struct origin *at, bool ran),
                              void *ctx);
/* The document of a service that has none: forward-request in backend. */
struct str policy_default_global(void);

/* The plan for a row of documents by scope; entries may be NULL. documents[LEVEL_GLOBAL] == NULL stands for the default
 * document, which the caller compiles once from policy_default_global(). Takes references. Never fails. */
struct plan *plan_new(struct policy_document *const documents[LEVEL_COUNT]);
void plan_delete(struct plan *p);
/* Some step of a section needs the whole body (SECTION_INBOUND: of the request). */
bool plan_needs_body(const struct plan *p, enum section s);
/* Some step of outbound reads or replaces the answer's body. */
bool plan_touches_answer_body(const struct plan *p);
/* Whether some step validates, for ex->schemas; the places of a definition that documents name are added (views, as long as
 * the documents) to pointers in `a`, each once. */
struct plan_pointers { struct str *v; size_t n, cap; };
bool plan_needs_schemas(const struct plan *p, struct arena *a, struct plan_pointers *pointers);
/* As policy_document_unsupported(), of the first document that has one: the API answers 501. */
struct str plan_unsupported(const struct plan *p);

/* Some cache-store can run in outbound (or asked to, in inbound). */
bool plan_can_store(const struct plan *p);

/* Where a run of a section stands: at[0..depth] are the steps to go on with in the units entered, broader ones last. */
struct plan_place {
    uint32_t at[LEVEL_COUNT];
    uint32_t first;               /* row index of at[0] */
    uint32_t depth;
};
/* Behind the step at work; what contains it as a range (retry, limit-concurrency) is left. */
void plan_place_behind(const struct exchange *ex, struct plan_place *ret);
/* For a detached exchange: inbound from that place on, backend, outbound until a cache-store has run. ex->error tells what
 * went wrong; on-error does not run. Yields. */
void plan_run_from(struct exchange *ex, const struct plan_place *place);

/* Runs ex->plan: inbound, backend, outbound, or on-error, deferred work; afterwards ex->response is the answer (NULL only
 * when the exchange's memory ran out: 500), and ex->error tells what went wrong on the way. Yields. */
void plan_run(struct exchange *ex);
/* Only on-error, for an error the gateway found before the plan (no key, no operation): ex->error is set. Yields. */
void plan_run_error(struct exchange *ex);
/* A request that no operation matches: what the service's document answers all the same (cross-domain). True when it did. */
bool plan_run_unmatched(struct exchange *ex);
/* CORS preflight: only the cors policies of inbound. True when one answered (ex->response). Yields. */
bool plan_run_preflight(struct exchange *ex);
