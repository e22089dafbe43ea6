/* policy_table.c: all policies by name: the rows of policies.def.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"
#include "policy/policy.h"

#define POLICY(id) extern const struct policy_def policy_##id;
#define LATER(name, sections, scopes)
#include "policy/policies.def"
#undef POLICY
#undef LATER

static const struct policy_def later[] = {
#define POLICY(id)
#define LATER(name_, sections_, scopes_) \
    {.name = (name_), .sections = (sections_), .scopes = (scopes_), .summary = "Known by name; not supported yet."},
#include "policy/policies.def"
#undef POLICY
#undef LATER
};

static const struct policy_def *const rows[] = {
#define POLICY(id) &policy_##id,
#define LATER(name, sections, scopes)
#include "policy/policies.def"
#undef POLICY
#undef LATER
};

const struct policy_def *
policy_row(size_t i)
{
    if (i < COUNTOF(rows))
        return rows[i];
    return i - COUNTOF(rows) < COUNTOF(later) ? &later[i - COUNTOF(rows)] : NULL;
}

/* Only while documents are compiled: a hundred rows in a row are found soon enough. */
const struct policy_def *
policy_find(struct str name)
{
    const struct policy_def *p;

    for (size_t i = 0; (p = policy_row(i)); i++)
        if (str_eq(str_from_c(p->name), name))
            return p;
    return NULL;
}

static bool
next_policy_name(void *ctx, struct str *candidate)
{
    size_t *i = ctx;
    const struct policy_def *p = policy_row((*i)++);

    if (p)
        *candidate = str_from_c(p->name);
    return p != NULL;
}

struct str
policy_nearest(struct str name)
{
    size_t i = 0;

    return diag_nearest(name, next_policy_name, &i);
}
