/* p_wait.c: <wait for="all"> send-request | cache-lookup-value | choose ... </wait>
 * Its children run at the same time, each on a fiber of its own, sharing the variables. `all` ends when every child has,
 * `any` when the first has; the others are cancelled then. Either way all are joined: no child outlives the wait.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile.h"
#include "rt/fiber.h"
#include "rt/sync.h"

#define CHILDREN_MAX 16

enum wait_for { WAIT_ALL, WAIT_ANY };

struct wait {
    struct pvalue wait_for;
    uint32_t n;
    uint32_t from[CHILDREN_MAX];
};

static const struct choice wait_fors[] = {{"all", WAIT_ALL}, {"any", WAIT_ANY}, {NULL}};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct wait, wait_for, "for", wait_fors, .fallback = "all", .about = "all or any of the children."),
    ATTR_END
};

/* One child while it runs, with an exchange of its own: step, error and expression state are its own; headers, bodies, variables
 * and the arena are the request's; what else it changes is the request's when all are joined (take_edits). One fiber runs at a
 * time and none changes thread, so that needs no lock. */
struct branch {
    struct joining *joining;
    struct exchange ex;
    struct fiber *fiber;          /* NULL once it has ended */
    uint32_t from;
    enum flow flow;
};

struct joining {
    struct exchange *ex;
    struct exchange *before;      /* as it was when the branches began */
    struct fiber_cond changed;
    struct branch *branches, *first_done;
    uint32_t n, n_done;
};

static void
end_branch(struct branch *b)
{
    b->fiber = NULL;
    b->joining->n_done++;
    if (!b->joining->first_done)
        b->joining->first_done = b;
    fiber_cond_broadcast(&b->joining->changed);
}

static void
run_branch(void *arg)
{
    struct branch *b = arg;

    b->flow = plan_run_range(&b->ex, b->from);
    end_branch(b);
}

static void
start(struct joining *j, struct branch *b, uint32_t from)
{
    *b = (struct branch){.joining = j, .ex = *j->ex, .from = from, .flow = FLOW_NEXT};
    b->ex.expr_run = NULL;
    b->ex.context = NULL;         /* it shows the exchange it was made for */
    b->ex.answers = NULL;
    b->ex.deferred = NULL;
    b->ex.additions = NULL;
    b->ex.traces = NULL;
    b->ex.traces_end = &b->ex.traces;
    if (fiber_start(j->ex->services->loop, run_branch, b, &b->fiber))
        return;
    b->flow = exchange_fail(&b->ex, "no fiber left for a branch of wait");
    end_branch(b);
}

static void
cancel_running(struct joining *j)
{
    for (uint32_t i = 0; i < j->n; i++)
        if (j->branches[i].fiber)
            fiber_cancel(j->branches[i].fiber);
}

/* Until `n` have ended. A cancel of the waiting request cancels the branches, and the wait goes on. */
static bool
join(struct joining *j, uint32_t n)
{
    bool is_cancelled = false;

    while (j->n_done < n) {
        if (fiber_cond_wait(&j->changed, NO_DEADLINE, NULL))
            continue;
        is_cancelled = true;
        n = j->n;
        fiber_clear_cancel();
        cancel_running(j);
    }
    return !is_cancelled;
}

/* Puts what a branch gathered behind the request's own. */
static void
take_lists(struct exchange *to, struct exchange *from)
{
    struct exchange_answer **answer = &from->answers;

    while (*answer)
        answer = &(*answer)->next;
    *answer = to->answers;
    to->answers = from->answers;
    if (from->traces) {
        *to->traces_end = from->traces;
        to->traces_end = from->traces_end;
        to->n_traces += from->n_traces - MIN(from->n_traces, to->n_traces);
    }
    exchange_take_waiting(to, from);
}

/* What the policies of a branch have changed beside the headers, bodies and variables that all share. Where two changed the
 * same thing, the later branch has the word. */
static void
take_edits(struct exchange *to, const struct exchange *from, const struct exchange *before)
{
#define TAKE(field) \
    if (memcmp(&from->field, &before->field, sizeof(from->field)) != 0) \
        to->field = from->field
    TAKE(request.method);
    TAKE(request.headers);
    TAKE(request.path);
    TAKE(request.query);
    TAKE(response);
    TAKE(upgraded);
    TAKE(backend);
    TAKE(certificate);
    TAKE(proxy);
    TAKE(target);
    TAKE(cache);
    TAKE(early);
    TAKE(rate_keys);
    TAKE(counted_keys);
    TAKE(is_forwarded);
    TAKE(has_cors);
    TAKE(is_body_sent);
    TAKE(is_answer_kept);
    TAKE(is_answer_streamed);
    TAKE(times);
    TAKE(cache_outcome);
    TAKE(is_answer_stored);
    TAKE(said);
    TAKE(backend_status);
    TAKE(backend_id);
    TAKE(backend_protocol);
    TAKE(backend_scheme);
    TAKE(backend_authority);
    TAKE(backend_target);
    TAKE(upstream_error);
    TAKE(has_error_room);
#undef TAKE
}

static enum flow
collect(struct joining *j, int wait_for)
{
    struct branch *decisive = NULL;

    for (uint32_t i = 0; i < j->n; i++) {
        struct branch *b = &j->branches[i];

        take_lists(j->ex, &b->ex);
        take_edits(j->ex, &b->ex, j->before);
        j->ex->identity |= b->ex.identity;
        j->ex->is_caller_proven |= b->ex.is_caller_proven;
        if (!decisive && b->flow != FLOW_NEXT && (wait_for == WAIT_ALL || b == j->first_done))
            decisive = b;
    }
    if (!decisive)
        return FLOW_NEXT;
    j->ex->error = decisive->ex.error;
    j->ex->response = decisive->ex.response;
    return decisive->flow;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct wait *w = conf;
    struct joining j = {.ex = ex, .n = w->n};
    bool ok;
    int wait_for;

    if (!pvalue_enum(ex, &w->wait_for, wait_fors, &wait_for))
        return FLOW_ERROR;
    if (w->n == 0)
        return FLOW_NEXT;
    j.branches = arena_new_array(ex->arena, struct branch, w->n);
    j.before = arena_new(ex->arena, struct exchange);
    if (!j.branches || !j.before)
        return exchange_fail(ex, "no memory left for the branches of wait");
    *j.before = *ex;
    fiber_cond_init(&j.changed);
    for (uint32_t i = 0; i < w->n; i++)
        start(&j, &j.branches[i], w->from[i]);
    ok = join(&j, wait_for == WAIT_ANY ? 1 : j.n);
    cancel_running(&j);
    ok &= join(&j, j.n);
    enum flow flow = collect(&j, wait_for);
    return ok ? flow : exchange_fail_io(ex, &(struct err){.code = ERR_CANCELLED});
}

/* --- compiling: every child is a range of its own ------------------------------------------------------------------ */

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct wait *w = conf;
    uint32_t from;
    bool ok;

    for (const struct node *k = n->first_child; k; k = k->next) {
        bool is_usual = str_eq_lit(k->name, "send-request") || str_eq_lit(k->name, "cache-lookup-value") ||
                        str_eq_lit(k->name, "choose");

        if (!is_usual && !compile_strict(c, k, "Azure takes send-request, cache-lookup-value and choose in wait"))
            return false;
    }
    ok = compile_block(c, n, c->path, BLOCK_RANGE, &from);
    while (from != STEP_END && from < c->steps.n) {
        uint32_t next = c->steps.v[from].next;

        if (w->n == CHILDREN_MAX)
            return compile_error(c, n, "<wait> runs at most %d policies at the same time", CHILDREN_MAX);
        c->steps.v[from].next = STEP_END;
        w->from[w->n++] = from;
        from = next;
    }
    return ok;
}

const struct policy_def policy_wait = {
    .name = "wait", .sections = IN_INBOUND | IN_BACKEND | IN_OUTBOUND, .scopes = AT_ALL, .is_container = true, .is_range = true,
    .attrs = attrs, .size = sizeof(struct wait), .compile = compile, .run = run,
    .summary = "Runs its policies at the same time.",
    .usage = "At most 16 children, each on its own; they share the variables.\nall: an error of a child is raised when the others "
             "have ended. any: the first to end counts, the others are cancelled.",
};
