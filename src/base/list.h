/* list.h: an intrusive, circular, doubly linked list. A node that is not linked is {NULL, NULL}.
 *     struct list idle = LIST_INIT(idle);
 *     list_push_back(&idle, &conn->idle_link);
 *     struct conn *c = list_take_first(&idle, struct conn, idle_link);
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

struct list_node {
    struct list_node *next, *prev;
};

struct list {
    struct list_node head;
};

#define LIST_INIT(name) {{&(name).head, &(name).head}}

static inline void
list_init(struct list *l)
{
    l->head.next = l->head.prev = &l->head;
}

static inline bool
list_is_empty(const struct list *l)
{
    return l->head.next == &l->head;
}

static inline bool
list_is_linked(const struct list_node *n)
{
    return n->next != NULL;
}

static inline void
list_insert_before(struct list_node *at, struct list_node *n)
{
    ASSERT(!list_is_linked(n));
    n->next = at;
    n->prev = at->prev;
    at->prev->next = n;
    at->prev = n;
}

static inline void
list_push_back(struct list *l, struct list_node *n)
{
    list_insert_before(&l->head, n);
}

static inline void
list_push_front(struct list *l, struct list_node *n)
{
    list_insert_before(l->head.next, n);
}

/* A node that is not linked stays so. */
static inline void
list_remove(struct list_node *n)
{
    if (!list_is_linked(n))
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->next = n->prev = NULL;
}

static inline struct list_node *
list_pop_front(struct list *l)
{
    struct list_node *n = l->head.next;

    if (n == &l->head)
        return NULL;
    list_remove(n);
    return n;
}

#define list_entry(node, type, member) CONTAINER_OF(node, type, member)
/* NULL when empty. */
#define list_take_first(l, type, member) \
    ({ struct list_node *n_ = list_pop_front(l); n_ ? list_entry(n_, type, member) : NULL; })
#define list_first(l, type, member) (list_is_empty(l) ? NULL : list_entry((l)->head.next, type, member))
#define list_last(l, type, member) (list_is_empty(l) ? NULL : list_entry((l)->head.prev, type, member))
/* The current entry may be removed inside the loop. */
#define list_each(l, it, type, member) \
    for (struct list_node *n_ = (l)->head.next, *next_ = n_->next; \
         n_ != &(l)->head && ((it) = list_entry(n_, type, member), true); \
         n_ = next_, next_ = n_->next)
