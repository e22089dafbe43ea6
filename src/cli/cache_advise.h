/* cache_advise.h: `headgate cache advise`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

int cache_advise_run(int argc, char **argv);
