/* heap.c: the two thresholds of glibc (mallopt(3)), both set by hand, so that it adjusts neither. Left alone it raises them to the
 * largest block that was ever freed and twice that, which a request that frees five large blocks in a row exceeds each time.
 *
 * malloc_trim() leaves the ends of all heaps alone but the main one's. They are looked at when a block of 64 KiB or more is freed, and
 * only by the thread that does: hence heap_release_end().
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include <malloc.h>
#include <stdlib.h>

#define FROM_KERNEL (32 << 20)            /* blocks from here on are mapped one by one, and unmapped when freed; glibc takes no more */
#define KEPT_AT_WORK (48 << 20)           /* at the end of each heap, which never has more than 64 MiB in one piece */
#define KEPT_AT_REST (64 << 10)
#define LARGE ((size_t)96 << 10)          /* a free() of so much looks at the heap's end */

void
heap_keep_much(void)
{
    mallopt(M_MMAP_THRESHOLD, FROM_KERNEL);
    mallopt(M_TRIM_THRESHOLD, KEPT_AT_WORK);
}

void
heap_keep_little(void)
{
    mallopt(M_TRIM_THRESHOLD, KEPT_AT_REST);
}

void
heap_release_end(void)
{
    void *volatile large = malloc(LARGE); /* volatile: or the compiler does without both */

    free(large);
}

void
heap_release_all(void)
{
    malloc_trim(0);
}
