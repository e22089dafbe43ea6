/* admin_client.h: one call to the admin listener of a running gateway, as its configuration describes it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Where it listens and how we prove who we are. */
struct admin_at {
    struct str address;               /* "127.0.0.1:9090", "[::1]:9090" or "unix:PATH" */
    struct str token;
};

/* From --admin, --token-file, --state and the configuration, in that order; config NULL: ./headgate.yaml if it is there. Problems are
 * printed to standard error. */
bool admin_find(struct arena *arena, const char *command, const char *config, const char *state, const char *address,
                const char *token_file, struct admin_at *ret);

struct admin_reply {
    uint32_t status;
    struct str body;
};
/* Blocks, 30 s at most. */
bool admin_call(struct arena *arena, const struct admin_at *at, const char *method, struct str target, struct str body,
                struct admin_reply *ret, struct err *err);
