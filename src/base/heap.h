/* heap.h: how much of what was freed the C library keeps for the next malloc().
 *
 * A page given back to the kernel costs a fault when it is needed again: bodies that policies read are dearer by their page faults
 * than by all that is done with them. So a process that is at work keeps what it frees, and one that has nothing to do gives it back.
 * Only the GNU C library heeds this; other allocators, those of sanitizers among them, go their own way.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From now on the end of each heap is kept, and blocks below 32 MiB come from heaps. Also before the first thread. Any thread. */
void heap_keep_much(void);
/* From now on what is free at the end of a heap goes back to the kernel as soon as something large is freed. Any thread. */
void heap_keep_little(void);
/* Gives back what is free at the end of the calling thread's own heap; after heap_keep_little(). */
void heap_release_end(void);
/* Gives back all whole free pages but those at the ends of other threads' heaps. Holds up every malloc() meanwhile: not on a worker. */
void heap_release_all(void);
