/* cache_check.h: `headgate cache check`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* argv[0] is "check". The exit status: 0 all steps passed, 1 one failed, 2 the words of the call were off. */
int cache_check_run(int argc, char **argv);
