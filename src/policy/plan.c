/* plan.c: the row of units that a request runs, and the runner.
 *
 *     row[outbound]:  operation unit -> api unit -> global unit        (documents that have the section, narrow first)
 *                        base ------------^  base -----^
 * A step tells the runner how to go on (enum flow). <base /> enters the next unit of the row and comes back; the way back
 * is kept in at most one frame a level. A cache hit enters outbound in the middle: at the step behind the first cache-store
 * of the effective list, with the frames that a run from the start would have had there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/plan.h"

#include <stdlib.h>

#include "http/headers.h"
#include "policy/cors.h"
#include "policy/policy_document.h"
#include "policy/response_cache.h"
#include "rt/fiber.h"

struct row {
    const struct unit *units[LEVEL_COUNT];
    uint32_t n;
};

struct plan {
    struct policy_document *documents[LEVEL_COUNT];
    struct row rows[SECTION_COUNT];
    struct plan_place after_store;    /* in outbound, for a cache hit */
    bool can_store;               /* some cache-store would run */
    bool needs_body[SECTION_COUNT];
    bool touches_answer_body;
};

/* --- making a plan ------------------------------------------------------------------------------------------------- */

static bool
step_is(const struct step *s, const char *name)
{
    return str_eq(s->origin.policy, str_from_c(name));
}

/* Behind a step, for somebody who jumps there: what is inside a range is left with it. */
static uint32_t
behind(const struct unit *u, uint32_t at)
{
    uint32_t next = u->steps[at].next;

    for (uint32_t outer = u->steps[at].container; outer != STEP_END; outer = u->steps[outer].container)
        if (u->steps[outer].def->is_range)
            next = u->steps[outer].next;
    return next;
}

/* The first cache-store in the order of the effective section. True when row[i] or what it inherits has one; the frames
 * from `depth` on then lead behind it. */
static bool
find_store(const struct row *row, uint32_t i, uint32_t depth, struct plan_place *p)
{
    const struct unit *u = row->units[i];

    for (uint32_t at = 0; at < u->n; at++) {
        if (step_is(&u->steps[at], "cache-store")) {
            p->at[depth] = behind(u, at);
            p->depth = depth;
            return true;
        }
        if (step_is(&u->steps[at], "base") && i + 1 < row->n && find_store(row, i + 1, depth + 1, p)) {
            p->at[depth] = behind(u, at);
            return true;
        }
    }
    return false;
}

/* Some step of the row does at least this much with a body. */
static bool
row_has_body_use(const struct row *row, enum policy_body least)
{
    for (uint32_t i = 0; i < row->n; i++)
        for (uint32_t at = 0; at < row->units[i]->n; at++)
            if (row->units[i]->steps[at].def->body >= least)
                return true;
    return false;
}

static bool
row_has_step(const struct row *row, const char *name)
{
    for (uint32_t i = 0; i < row->n; i++)
        for (uint32_t at = 0; at < row->units[i]->n; at++)
            if (step_is(&row->units[i]->steps[at], name))
                return true;
    return false;
}

struct plan *
plan_new(struct policy_document *const documents[LEVEL_COUNT])
{
    struct plan *p = xnew(struct plan);

    for (int level = LEVEL_COUNT; level-- > 0;) {
        struct policy_document *d = p->documents[level] = policy_document_ref(documents[level]);

        for (int s = 0; d && s < SECTION_COUNT; s++)
            if (d->units[s])
                p->rows[s].units[p->rows[s].n++] = d->units[s];
    }
    for (int s = 0; s < SECTION_COUNT; s++)
        p->needs_body[s] = row_has_body_use(&p->rows[s], BODY_WHOLE);
    p->touches_answer_body = row_has_body_use(&p->rows[SECTION_OUTBOUND], BODY_REPLACED);
    const struct row *outbound = &p->rows[SECTION_OUTBOUND];
    p->can_store = outbound->n && find_store(outbound, 0, 0, &p->after_store);
    if (outbound->n && !p->can_store)
        p->after_store = (struct plan_place){.at[0] = outbound->units[0]->n ? 0 : STEP_END};
    p->can_store |= row_has_step(&p->rows[SECTION_INBOUND], "cache-store");
    return p;
}

void
plan_delete(struct plan *p)
{
    if (!p)
        return;
    for (int level = 0; level < LEVEL_COUNT; level++)
        policy_document_unref(p->documents[level]);
    free(p);
}

bool
plan_needs_body(const struct plan *p, enum section s)
{
    return p->needs_body[s];
}

bool
plan_touches_answer_body(const struct plan *p)
{
    return p->touches_answer_body;
}

bool
plan_can_store(const struct plan *p)
{
    return p->can_store;
}

static void
add_pointer(struct arena *a, struct plan_pointers *pointers, struct str pointer)
{
    struct str *slot;

    for (size_t i = 0; i < pointers->n; i++)
        if (str_eq(pointers->v[i], pointer))
            return;
    if ((slot = avec_push(a, pointers)))
        *slot = pointer;
}

bool
plan_needs_schemas(const struct plan *p, struct arena *a, struct plan_pointers *pointers)
{
    bool needs = false;

    for (int level = 0; level < LEVEL_COUNT; level++) {
        const struct policy_document *d = p->documents[level];

        needs |= d && d->needs_schemas;
        for (uint32_t i = 0; d && i < d->n_schema_pointers; i++)
            add_pointer(a, pointers, d->schema_pointers[i]);
    }
    return needs;
}

struct str
plan_unsupported(const struct plan *p)
{
    for (int level = 0; level < LEVEL_COUNT; level++)
        if (p->documents[level] && p->documents[level]->unsupported.p)
            return p->documents[level]->unsupported;
    return STR_NONE;
}

/* --- running ------------------------------------------------------------------------------------------------------- */

static const struct row *
row_at_work(const struct exchange *ex)
{
    return &ex->plan->rows[ex->section];
}

/* Runs from a place until its section (or range) ends or a step ends it. Yields. */
static enum flow
run_from(struct exchange *ex, struct plan_place p)
{
    const struct row *row = row_at_work(ex);
    struct plan_place *outermost = ex->place;
    uint8_t outer = ex->row_at;
    enum flow flow = FLOW_NEXT;

    if (!outermost)
        ex->place = &p;
    for (;;) {
        uint32_t at = p.at[p.depth];
        uint32_t unit = p.first + p.depth;

        if (at == STEP_END) {
            if (p.depth == 0)
                break;
            p.depth--;
            continue;
        }
        const struct unit *u = row->units[unit];
        const struct step *s = &u->steps[at];
        if (UNLIKELY(u->ran != NULL))
            __atomic_store_n(&u->ran[at], 1, __ATOMIC_RELAXED);
        ex->row_at = (uint8_t)unit;
        ex->at = &s->origin;
        ex->identity |= s->identity;
        ex->step_sources = s->identity;
        flow = s->run(s->conf, ex);
        p.at[p.depth] = flow == FLOW_BRANCH ? ex->branch_to : s->next;
        if (flow == FLOW_BASE && unit + 1 < row->n)
            p.at[++p.depth] = row->units[unit + 1]->n ? 0 : STEP_END;
        else if (flow >= FLOW_CACHE_HIT)
            break;
        flow = FLOW_NEXT;
    }
    ex->row_at = outer;
    ex->place = outermost;
    return flow;
}

void
plan_place_behind(const struct exchange *ex, struct plan_place *ret)
{
    const struct unit *u;

    *ret = *ex->place;
    u = row_at_work(ex)->units[ret->first + ret->depth];
    ret->at[ret->depth] = behind(u, ret->at[ret->depth]);
}

enum flow
plan_run_range(struct exchange *ex, uint32_t from)
{
    return run_from(ex, (struct plan_place){.first = ex->row_at, .at[0] = from});
}

static enum flow
run_section(struct exchange *ex, enum section s)
{
    const struct row *row = &ex->plan->rows[s];

    ex->section = s;
    if (row->n == 0 || row->units[0]->n == 0)
        return FLOW_NEXT;
    return run_from(ex, (struct plan_place){.at[0] = 0});
}

/* on-error: the answer is made first, so that its steps can change it. An error inside ends it with the default answer. */
static void
run_on_error(struct exchange *ex)
{
    if (ex->error.id == E_CLIENT_CONNECTION_FAILURE && fiber_self())
        fiber_clear_cancel();     /* nobody waits for it, but it may still say somewhere that this happened */
    if (ex->error.id != E_BACKEND_STATUS)     /* fail-on-error-status-code: the backend's answer stays */
        exchange_error_response(ex);
    if (run_section(ex, SECTION_ON_ERROR) != FLOW_ERROR)
        return;
    struct str source = ex->error.source, reason = ex->error.reason, message = ex->error.message;
    exchange_refuse(ex, E_INTERNAL, message);
    ex->error.source = source;
    ex->error.reason = reason;
    exchange_error_response(ex);
}

/* A backend section that forwarded nothing leaves an empty 200. */
static enum flow
run_outbound(struct exchange *ex)
{
    if (!exchange_response(ex))
        return exchange_fail(ex, "no memory left for an answer");
    ex->section = SECTION_OUTBOUND;
    if (ex->early) {
        ex->at = ex->early->at;
        enum flow flow = ex->early->run(ex->early->conf, ex);
        if (flow != FLOW_NEXT)
            return flow;
    }
    return run_section(ex, SECTION_OUTBOUND);
}

/* Behind the cache-store of outbound: what stands before it is in the stored answer already. */
static enum flow
run_after_hit(struct exchange *ex)
{
    ex->section = SECTION_OUTBOUND;
    if (ex->plan->rows[SECTION_OUTBOUND].n == 0)
        return FLOW_NEXT;
    return run_from(ex, ex->plan->after_store);
}

static void
finish(struct exchange *ex)
{
    exchange_run_deferred(ex);
    exchange_apply_answer_headers(ex);
}

void
plan_run(struct exchange *ex)
{
    enum flow flow = run_section(ex, SECTION_INBOUND);

    if (flow == FLOW_NEXT)
        flow = run_section(ex, SECTION_BACKEND);
    if (UNLIKELY(ex->cache && flow != FLOW_RETURN))
        flow = response_instead_of_failure(ex, flow);
    if (flow == FLOW_NEXT)
        flow = run_outbound(ex);
    else if (flow == FLOW_CACHE_HIT)
        flow = run_after_hit(ex);
    if (flow == FLOW_ERROR)
        run_on_error(ex);
    finish(ex);
}

void
plan_run_from(struct exchange *ex, const struct plan_place *place)
{
    enum flow flow;

    ex->section = SECTION_INBOUND;
    flow = run_from(ex, *place);
    if (flow == FLOW_NEXT)
        flow = run_section(ex, SECTION_BACKEND);
    if (flow == FLOW_NEXT)
        run_outbound(ex);
    exchange_run_deferred(ex);
}

void
plan_run_error(struct exchange *ex)
{
    ex->at = NULL;
    run_on_error(ex);
    finish(ex);
}

/* The cors policies that stand directly in the effective inbound section, in order, until one answers. */
static enum preflight
run_preflights(struct exchange *ex, uint32_t i, bool *ret_has_cors)
{
    const struct row *row = &ex->plan->rows[SECTION_INBOUND];
    const struct unit *u = row->units[i];

    for (uint32_t at = 0; at < u->n; at++) {
        const struct step *s = &u->steps[at];
        enum preflight result = PREFLIGHT_UNMATCHED;

        if (s->container != STEP_END)
            continue;
        ex->at = &s->origin;
        if (s->def == &policy_cors) {
            *ret_has_cors = true;
            result = cors_preflight(s->conf, ex);
        } else if (step_is(s, "base") && i + 1 < row->n) {
            result = run_preflights(ex, i + 1, ret_has_cors);
        }
        if (result != PREFLIGHT_UNMATCHED)
            return result;
    }
    return PREFLIGHT_UNMATCHED;
}

bool
plan_run_unmatched(struct exchange *ex)
{
    const struct row *row = &ex->plan->rows[SECTION_INBOUND];

    ex->section = SECTION_INBOUND;
    for (uint32_t at = 0; row->n && at < row->units[0]->n; at++) {
        const struct step *s = &row->units[0]->steps[at];

        if (s->container != STEP_END || !step_is(s, "cross-domain"))
            continue;
        ex->at = &s->origin;
        if (s->run(s->conf, ex) == FLOW_RETURN) {
            finish(ex);
            return true;
        }
    }
    return false;
}

bool
plan_run_preflight(struct exchange *ex)
{
    bool has_cors = false;

    ex->section = SECTION_INBOUND;
    if (ex->plan->rows[SECTION_INBOUND].n == 0)
        return false;
    if (run_preflights(ex, 0, &has_cors) == PREFLIGHT_FAILED)
        exchange_error_response(ex);
    if (!has_cors)
        return false;
    exchange_response(ex);
    finish(ex);
    return true;
}
