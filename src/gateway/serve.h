/* serve.h: the serving process from options to exit: what `headgate run` does, under a master or alone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/master_link.h"
#include "model/options.h"

struct serve_input {
    const struct options *options;
    struct master_link *master;       /* who started us and holds the sockets; NULL: nobody */
    bool is_quiet;                    /* no word on standard output about where it listens */
};

/* Serves until SIGTERM or SIGINT (drains; a second one ends at once) or SIGUSR2 (drains unannounced: another process has
 * taken over); SIGHUP loads the configuration again, SIGUSR1 opens the logs again. Call it on the main thread before any other thread starts. The exit status of the process: 0 after a drain,
 * 1 when it could not start (said on standard error). */
int serve(const struct serve_input *in);
