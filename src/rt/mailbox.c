/* mailbox.c: a stack that many threads push to with one compare-and-swap and its loop takes whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/mailbox.h"

#include <stdatomic.h>

void
mailbox_send(struct loop *to, struct message *m)
{
    struct message *head = atomic_load_explicit(&to->mail, memory_order_relaxed);

    atomic_fetch_add_explicit(&to->n_senders, 1, memory_order_relaxed); /* seen by whoever takes m */
    do
        m->next = head;
    while (!atomic_compare_exchange_weak_explicit(&to->mail, &head, m, memory_order_acq_rel, memory_order_relaxed));
    if (!head)                           /* whoever found it empty wakes; the others ride along */
        loop_wake(to);
    atomic_fetch_sub_explicit(&to->n_senders, 1, memory_order_release);
}

bool
mailbox_deliver(struct loop *loop)
{
    struct message *newest, *oldest = NULL;

    if (!atomic_load_explicit(&loop->mail, memory_order_relaxed))
        return false;
    newest = atomic_exchange_explicit(&loop->mail, NULL, memory_order_acq_rel);
    while (newest) {
        struct message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct message *m = oldest;
        oldest = m->next;                /* deliver frees m */
        m->deliver(m);
    }
    return true;
}
