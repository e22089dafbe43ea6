/* mailbox.h: messages between workers. A message carries its ownership: the sender forgets it, the receiver frees it.
 *     struct purge { struct message super; struct str key; ... };
 *     mailbox_send(worker->loop, &p->super);        // p->super.deliver = on_purge
 * Messages of one sender to one loop arrive in order. deliver runs on the receiving loop's own stack, after the
 * timers that were due in that turn.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/loop.h"

struct message {
    struct message *next;                /* the mailbox's while on its way */
    void (*deliver)(struct message *);   /* on the receiving thread; loop_self() is the receiver */
};

/* From any thread, lock-free; one eventfd write when the box was empty. The message itself may be what lets the loop be deleted:
 * loop_delete() waits until the sender is out. */
void mailbox_send(struct loop *to, struct message *m);
/* For the loop: delivers what has come; true if there was any. */
bool mailbox_deliver(struct loop *loop);
