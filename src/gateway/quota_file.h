/* quota_file.h: quotas survive a restart: state/quotas, written behind by at most a second while they change, read at start.
 * Without a state folder nothing is kept. A process that another one has replaced stops writing: the file is the other's.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/worker.h"

/* At start, before anything counts. A file that is damaged is said so, and nothing of it is used. Blocks. */
void quota_file_load(struct gateway *g);
/* Begins to write, from the first worker's loop. */
void quota_file_start(struct worker *w);
/* No more, and what is being written is waited for; while the loops turn. Blocks. */
void quota_file_stop(struct gateway *g);
/* At the end, when the loops have ended: what is new since the last time. Blocks. */
void quota_file_finish(struct gateway *g);
