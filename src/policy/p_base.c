/* p_base.c: <base />: what the next broader scope says in this section, here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

static enum flow
run(const void *conf, struct exchange *ex)
{
    return FLOW_BASE;
}

const struct policy_def policy_base = {
    .name = "base", .sections = IN_ALL, .scopes = AT_ALL, .run = run,
    .summary = "Runs the policies of the next broader scope in this section.",
    .usage = "A section that is left out acts as if it held <base /> alone; a section that is there without <base /> "
             "does not inherit.\nMay stand anywhere a policy may, also inside choose.",
};
