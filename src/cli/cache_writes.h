/* cache_writes.h: `headgate cache writes`: what each unsafe operation drops from the cache when it succeeds.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

int cache_writes_run(int argc, char **argv);
