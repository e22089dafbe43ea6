/* p_include_fragment.c: <include-fragment fragment-id="name" />. The compiler puts the fragment's policies in its place, so
 * nothing of it is left to run.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

struct include_fragment {
    struct str id;
};

static const struct attr_def attrs[] = {
    ATTR_STR(struct include_fragment, id, "fragment-id", .required = true, .about = "Name of the policy fragment."),
    ATTR_END
};

static enum flow
run(const void *conf, struct exchange *ex)
{
    return FLOW_NEXT;
}

const struct policy_def policy_include_fragment = {
    .name = "include-fragment", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct include_fragment), .run = run,
    .summary = "Puts the policies of a fragment in this place.",
    .usage = "Resolved when the document is loaded; a missing fragment is an error then.\nFragments may include "
             "fragments, up to ten deep; Azure does not allow that, nor files above 512 KiB, so --strict refuses both.",
};
