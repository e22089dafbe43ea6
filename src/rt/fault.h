/* fault.h: last words. SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are reported on standard error (what, where, "fiber
 * stack overflow" or not, which request, a backtrace) before the process dies by the same signal.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/watchdog.h"

/* Once a process, before threads start. Sanitizer builds keep their own handlers. describe may be NULL. */
void fault_install(describe_fn *describe);
/* Bytes that the handlers send to this socket before all else, so that whoever starts processes need not wait for last words
 * and core files. Once, before threads start; they live as long as the process. */
void fault_tell(int fd, const void *bytes, size_t n);
/* On each thread: a stack for the handlers to stand on. loop_run() does it for workers. */
void fault_thread_begin(void);
void fault_thread_end(void);
