/* p_choose.c: <choose><when condition="@(...)">...</when> <otherwise>...</otherwise></choose>
 * The first branch whose condition is true runs; no condition behind it is evaluated. The policies inside are steps of the
 * same flat list: choosing is a jump.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile.h"

struct branch {
    struct pvalue condition;      /* unset: otherwise */
    uint32_t from;                /* first step, STEP_END when there is none */
    struct origin origin;
};

struct choose {
    struct children whens;        /* struct branch, compiled below; otherwise is the last */
};

static const struct attr_def when_attrs[] = {
    VALUE_BOOL(struct branch, condition, "condition", .required = true,
               .about = "The branch runs when this is true.",
               .unverified = "The text \"true\" or \"false\" is accepted for a boolean."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "when", .is_opaque = true, .attrs = when_attrs, .about = "Policies that run when the condition is true."},
    {.name = "otherwise", .is_opaque = true, .about = "Policies that run when no condition was."},
    CHILD_END
};

static bool
is_branch(const struct node *n)
{
    return str_eq_lit(n->name, "when") || str_eq_lit(n->name, "otherwise");
}

static bool
compile_branch(struct compiler *c, const struct node *n, uint32_t index, struct branch *b)
{
    bool is_when = str_eq_lit(n->name, "when"), ok = true;
    struct str path = compile_path(c, c->path, n, index, is_when);

    b->origin = c->steps.v[c->at].origin;
    b->origin.path = path;
    if (is_when)
        for (const struct attribute *a = node_attr(n, "condition"); a; a = NULL)
            ok = compile_value(c, &when_attrs[0], &a->text, &b->condition);
    if (is_when && !node_attr(n, "condition"))
        ok = compile_error(c, n, "<when> needs the attribute condition");
    ok &= compile_known_attributes(c, n, is_when ? when_attrs : NULL);
    return compile_block(c, n, path, BLOCK_BRANCH, &b->from) && ok;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct choose *choose = conf;
    uint32_t n_branches = 0;
    bool ok = true;

    for (const struct node *k = n->first_child; k; k = k->next)
        n_branches++;
    if (!node_child(n, "when"))
        ok = compile_strict(c, n, "Azure needs a <when> in <choose>");
    struct branch *branches = arena_new_array(c->arena, struct branch, n_branches);
    if (!branches)
        return compile_error(c, n, "the document needs too much memory");
    for (const struct node *k = n->first_child; k; k = k->next) {
        if (!is_branch(k))
            continue;                 /* reported by the table */
        ok &= compile_branch(c, k, choose->whens.n + 1, &branches[choose->whens.n]);
        choose->whens.n++;
        if (str_eq_lit(k->name, "otherwise") && k->next && is_branch(k->next))
            ok = compile_error(c, k->next, "<otherwise> is the last branch of <choose>");
    }
    choose->whens.v = branches;
    return ok;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct choose *choose = conf;

    CHILDREN(&choose->whens, struct branch, b) {
        bool is_true = true;

        ex->at = &b->origin;
        if (pvalue_is_set(&b->condition) && !pvalue_bool(ex, &b->condition, &is_true))
            return FLOW_ERROR;
        if (!is_true)
            continue;
        ex->branch_to = b->from;
        return b->from == STEP_END ? FLOW_NEXT : FLOW_BRANCH;
    }
    return FLOW_NEXT;
}

const struct policy_def policy_choose = {
    .name = "choose", .sections = IN_ALL, .scopes = AT_ALL, .is_container = true,
    .children = children, .size = sizeof(struct choose), .compile = compile, .run = run,
    .summary = "Runs the first branch whose condition is true.",
    .usage = "Without a true condition and without otherwise nothing runs.\nLastError.Path counts choose and when from 1: "
             "choose[3]\\when[2].",
};
