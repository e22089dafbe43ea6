/* vec.c: growth by doubling.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"

#include <stdlib.h>

void *
vec_grow_(void *v, size_t *cap, size_t size)
{
    size_t bigger = *cap ? *cap * 2 : 8, bytes = 0;

    ASSERT(size_mul(bigger, size, &bytes));
    *cap = bigger;
    return xrealloc(v, bytes);
}

void
vec_free_(void *v)
{
    free(v);
}

bool
avec_grow_(struct arena *a, void **v, size_t *cap, size_t size)
{
    size_t bigger = *cap ? *cap * 2 : 8, bytes;
    void *p;

    if (!size_mul(bigger, size, &bytes) || !(p = arena_grow(a, *v, *cap * size, bytes, 16)))
        return false;
    *v = p;
    *cap = bigger;
    return true;
}
