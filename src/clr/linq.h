/* linq.h: what the operators of System.Linq.Enumerable share.
 *
 * A deferred operator is a struct linq: what it was called with, and the function that makes the next element. Walking it
 * makes a struct linq_walk with the state of that walk, so the same query may be walked again, or twice at once.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/collections.h"

struct linq_walk;

struct linq {
    struct sequence super;
    /* 1, 0, -1 as struct iterator. */
    int (*next)(struct call *c, struct linq_walk *w, struct value *ret);
    struct object *source;
    const struct type *element;       /* the T of the source */
    struct object *second;            /* another sequence */
    const struct type *second_element;
    struct object *fn, *fn2;          /* lambdas, in order of the arguments */
    struct comparer *comparer;
    struct value v;
    int64_t n;
    bool has_index;                   /* fn takes the index too */
};

struct linq_walk {
    const struct linq *q;
    struct iterator in, other;
    struct value held;                /* the outer element of SelectMany */
    int64_t i;
    int64_t left;
    int phase;                        /* 0 at first */
    struct table seen;
    struct value *buffer;
    uint32_t buffer_n;
};

/* A deferred operator over args[0], of the type the call returns; NULL after throwing (a null source). */
struct linq *linq_new(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret));
/* The same with the lambda of args[1], which must not be null. */
struct linq *linq_new_with(struct call *c, const char *parameter,
                           int (*next)(struct call *c, struct linq_walk *w, struct value *ret));
/* Calls q->fn with the element (and its index, when it takes one). */
bool linq_call(struct call *c, struct linq_walk *w, struct value v, struct value *ret);

/* A value as another type, as Cast<T>() does: *ret_ok false when it is none. */
bool value_cast(struct call *c, const struct type *from, struct value v, const struct type *to, struct value *ret,
                bool *ret_ok);
