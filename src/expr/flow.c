/* flow.c: definite assignment and reachability.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

void
flow_check(struct binder *b, struct bound *body, struct function_scope *function)
{
}
