/* cache_explain.h: `headgate cache explain URL`: sends a request and says what the cache made of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

int cache_explain_run(int argc, char **argv);
