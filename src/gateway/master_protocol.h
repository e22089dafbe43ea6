/* master_protocol.h: what a serving process and its master say to each other, over a socket pair that keeps message
 * boundaries. Fixed structs of one binary's making; `version` guards against a master of an older one.
 *
 *     child -> master   SOCKET    give me this listening socket           -> reply with a descriptor, or why not
 *                       CONTROL   listen there yourself for `headgate upgrade` -> reply without a descriptor
 *                       READY     I serve
 *                       DYING     I have crashed: last words and a core file come, nothing else
 * The master tells the child things by signals. The end of the channel means that the master is gone: drain.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

#define MASTER_PROTOCOL_VERSION 1
#define MASTER_FD_NAME "HEADGATE_MASTER_FD"      /* environment: the child's end */

#define MASTER_RESTART_NAME "HEADGATE_RESTART"   /* environment: set where the process follows one that served and crashed */

enum master_request_kind { MASTER_SOCKET = 1, MASTER_CONTROL, MASTER_READY, MASTER_DYING };

#define MASTER_SOCKETS_OF_ONE 1024u             /* of one listener, at most: one a worker */

struct master_request {
    uint8_t version, kind;
    bool is_shared;                      /* one of several by SO_REUSEPORT */
    uint32_t index;                      /* which of them; a listener begins at a multiple of MASTER_SOCKETS_OF_ONE */
    uint32_t backlog;
    uint32_t mode;                       /* of a unix socket's file */
    uint32_t addr_len;
    union addr_socket addr;
};

struct master_reply {
    bool ok;
    char text[256];                      /* why not */
};

/* What `headgate upgrade` sends over the control socket; the answer is one line of text, "ok ..." or a reason. */
#define MASTER_COMMAND_UPGRADE 'U'
#define MASTER_CONTROL_NAME "control.sock"       /* in the state folder */
