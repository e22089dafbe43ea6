/* relief.h: inside http/: answers whose clients do not take them, while others wait for a connection.
 *
 * An answer holds its connection to the origin until its client has taken nearly all of it. A crowd of clients that ask for much and
 * take little, each of them no slower than it may be, would so have all connections of an origin for as long as they like (robustness
 * H1: under pressure the slowest are closed first). So, when somebody waits, and more than half of an origin's connections are held
 * by answers that lie: those that have lain longest are broken off, as many as wait, down to that half. An answer lies when it
 * was begun, nobody waits for more of it, and nothing was read of it for RELIEF_LAIN_MS. Without anybody who waits none is broken off.
 * One that has been read to its end, and is only kept for what lies in its buffer, loses its connection first, and nothing else.
 * Over HTTP/2 one connection carries many answers: there is nothing to relieve.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/origin.h"

#define RELIEF_LOOK_MS 250u             /* a waiter asks for it that often, all of an origin together */
#define RELIEF_LAIN_MS 1000u

/* On behalf of who waits: all workers look at their connections to this origin, unless they have just done so. */
void relief_ask(struct http_origin *o, uint64_t now_ms);
