/* vec.h: growing arrays, typed by macro. VEC lives on malloc and is freed with vec_free; AVEC lives in an arena.
 *     VEC(struct route) routes = {0};
 *     *vec_push(&routes) = (struct route){...};
 *     for (size_t i = 0; i < routes.n; i++) use(&routes.v[i]);
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/base.h"

#define VEC(type) struct { type *v; size_t n, cap; }

/* Room for one more at the end; returns its address (not zeroed). Never NULL. */
#define vec_push(vec) \
    ((vec)->n == (vec)->cap \
         ? ((vec)->v = vec_grow_((vec)->v, &(vec)->cap, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++]) \
         : &(vec)->v[(vec)->n++])
#define vec_free(vec) (vec_free_((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)
/* The same in an arena; NULL when the arena is full. */
#define avec_push(arena, vec) \
    ((vec)->n == (vec)->cap && !avec_grow_((arena), (void **)&(vec)->v, &(vec)->cap, sizeof(*(vec)->v)) \
         ? NULL : &(vec)->v[(vec)->n++])

void *vec_grow_(void *v, size_t *cap, size_t size);
void vec_free_(void *v);
bool avec_grow_(struct arena *a, void **v, size_t *cap, size_t size);
