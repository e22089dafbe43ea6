/* values.c: the run's clock in .NET's units.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/values.h"

#include "base/clock.h"
#include "clr/datetime.h"

int64_t
clr_now_ticks(struct call *c)
{
    return ticks_from_unix_ns(c->run->wall_ns ? c->run->wall_ns(c->run) : clock_wall_ns(NULL));
}
