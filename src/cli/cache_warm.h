/* cache_warm.h: `headgate cache warm FILE|API`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

int cache_warm_run(int argc, char **argv);
