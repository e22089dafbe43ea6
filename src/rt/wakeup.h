/* wakeup.h: a call back to the worker that waits, sent from any thread, taken back by its owner at any time.
 *
 *     w = wakeup_new(loop, on_more, reader);        // owner, on loop's thread
 *     lock; link reader; unlock                     // others find w only through something a lock covers
 *     lock; wakeup_send(reader->w); unlock          // any thread that found it there
 *     lock; unlink reader; unlock; wakeup_delete(w) // owner: on_more is not called any more
 * Sent twice before it was delivered is sent once. Delivered on the loop's own stack.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/loop.h"

struct wakeup;

struct wakeup *wakeup_new(struct loop *loop, void (*fn)(void *ctx), void *ctx);
/* Never waits. The caller makes sure that the owner has not deleted it. */
void wakeup_send(struct wakeup *w);
/* On the loop's thread. NULL is fine. */
void wakeup_delete(struct wakeup *w);
