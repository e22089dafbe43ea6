/* array.h: what the generic members of System.Array (array.c) share with those that take any Array (array_object.c).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/collections.h"

static inline struct array *
array_at(const struct call *c, uint32_t i)
{
    return (struct array *)c->args[i].ref;
}

static inline const struct type *
array_element(const struct array *a)
{
    return a->head.type->args[0];
}

/* [at, at + n) lies in a, which is not null. False after throwing. */
bool array_check_part(struct call *c, const struct array *a, int64_t at, int64_t n);
/* Sorts the checked part; comparer and comparison may be NULL. */
bool array_sort_range(struct call *c, struct array *a, int64_t at, int64_t n, struct comparer *comparer, struct object *comparison);
/* The same, and items follow their keys. items may be NULL. */
bool array_sort_pairs(struct call *c, struct array *keys, struct array *items, int64_t at, int64_t n, struct comparer *comparer);
/* Binary search in the checked part: *ret an index, or the complement of where v would stand. */
bool array_search_range(struct call *c, const struct array *a, int64_t at, int64_t n, struct value v, struct comparer *comparer,
                        int64_t *ret);
/* The first (or last) index in [from, from + n) whose element equals v, or -1. The range is checked. */
bool array_find_value(struct call *c, const struct array *a, int64_t from, int64_t n, struct value v, bool last, int64_t *ret);
/* The range of IndexOf or LastIndexOf(array, value [, startIndex [, count]]); args[2] and args[3] where given. */
bool array_search_part(struct call *c, const struct array *a, bool last, int64_t *ret_from, int64_t *ret_n);
