/* serve.h: the serving process from options to exit: what `headgate run` does, under a master or alone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/options.h"

struct serve_input {
    const struct options *options;
    const int *listen_fds;            /* bound by a master, one a listener and worker; NULL: bind here */
    uint32_t n_listen_fds;
    void (*on_ready)(void *ctx);      /* once requests are answered; may be NULL */
    void *ctx;
    bool is_quiet;                    /* no word on standard output about where it listens */
};

/* Serves until SIGTERM or SIGINT (drains; a second one ends at once), SIGHUP loads the configuration again, SIGUSR1 opens the
 * logs again. Call it on the main thread before any other thread starts. The exit status of the process: 0 after a drain,
 * 1 when it could not start (said on standard error). */
int serve(const struct serve_input *in);
