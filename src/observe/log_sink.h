/* log_sink.h: where rows of the gateway log go, shared by all workers: standard output, files, a syslog socket. Workers hand
 * over lines; a thread of the sink's own writes them, so that a disk that stalls or a reader that is slow holds up no request.
 * What waits is bounded; rows above that, and rows that a target does not take, are lost and counted.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/options.h"

struct log_sink;

/* Opens every target; standard output when there is none. The thread starts with the first row. goes_on: a file that cannot be
 * opened is said and tried again with each row, and those are lost meanwhile. */
MUST_USE bool log_sink_open(const struct gateway_log_options *o, bool goes_on, struct log_sink **ret, struct err *err);
/* Writes what waits, for a second at most, and frees. NULL is fine. */
void log_sink_close(struct log_sink *s);
/* Opens files again under their names (after rotation). Those that cannot be opened keep the old one; *err names one. Any
 * thread. */
MUST_USE bool log_sink_reopen(struct log_sink *s, struct err *err);

/* Takes n_rows whole lines, or loses them when too many wait; `lines` is empty afterwards. Never waits. Any thread. */
void log_sink_give(struct log_sink *s, struct buf *lines, uint32_t n_rows);
/* Until all that was given so far has been written or lost. Blocks. */
void log_sink_flush(struct log_sink *s);
/* Rows so far. One that two targets lose is counted twice. */
void log_sink_count(struct log_sink *s, uint64_t *ret_written, uint64_t *ret_lost);
