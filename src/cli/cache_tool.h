/* cache_tool.h: `headgate cache purge|ls|show|stats|purges`: over the admin listener of a running gateway.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* argv[0] is the verb. Exit status: 0 done, 1 the gateway refused or cannot be reached, 2 the words were off. */
int cache_tool_run(int argc, char **argv);
