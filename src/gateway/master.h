/* master.h: the process outside the serving one. It parses nothing a client or a file says: it holds the listening
 * sockets, starts the serving process, starts it again when it dies, and starts the next one for an upgrade.
 *
 *     SIGTERM, SIGINT   to the serving process, which drains; the master ends with its status
 *     SIGHUP, SIGUSR1   passed on (load the configuration, open the logs again)
 *     SIGUSR2           upgrade, as `headgate upgrade`
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Runs `argv` (this very binary, from where it lies on disk now) as serving processes until told to stop. Call it before
 * any thread starts. Returns the exit status. */
int master_run(char **argv);
