/* master_link.h: the serving process's side of the channel to its master, and what it does without one.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

/* The channel of this process; NULL when no master started it. Takes the variable out of the environment. */
struct master_link *master_link_open(void);
void master_link_close(struct master_link *link);
/* Whether this process follows one that served and crashed. */
bool master_link_is_restart(const struct master_link *link);

/* A listening socket from the master, or bound here when link is NULL. -1 on failure. Blocks; for start-up.
 * index tells apart several of one address (is_shared); each listener begins at a multiple of MASTER_SOCKETS_OF_ONE, with the socket that
 * decides whether the address is free. */
int master_link_socket(struct master_link *link, const struct addr *at, uint32_t index, uint32_t backlog, unsigned mode,
                       bool is_shared, struct err *err);
/* Lets the master listen for `headgate upgrade` in this folder. Nothing to do without a master. */
bool master_link_control(struct master_link *link, struct str state_folder, struct err *err);
/* Requests are answered from now on. */
void master_link_ready(struct master_link *link);
/* A crash is told to the master at its beginning (rt/fault.h). Before threads start. */
void master_link_announce_death(struct master_link *link);
/* Calls on_lost(ctx) on a thread of its own when the master has gone. */
bool master_link_watch(struct master_link *link, void (*on_lost)(void *ctx), void *ctx, struct err *err);
