/* log.h: the process log (start, stop, configuration, faults), one line an event to standard error. The gateway log, a
 * row a request, is observe/. Below gateway/ nothing logs above debug: libraries report through err.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* The sink is the process's, set by main before threads start. is_json: one JSON object a line. */
void log_configure(enum log_level min, bool is_json);
bool log_is_on(enum log_level level);
/* Never waits: what standard error does not take is lost and counted. A message ends with what we do instead when it is a
 * warning: "..., using 30 s". */
void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Lines as they are, such as problems in documents. Waits up to a second for each 4 KiB: not on workers. */
void log_text(struct str lines);

#define log_debug(...) (log_is_on(LOG_DEBUG) ? log_at(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
