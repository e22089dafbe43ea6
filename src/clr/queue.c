/* queue.c: System.Collections.Generic.Queue<T>, a ring, and Stack<T>, whose top is the ring's end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

static struct clr_queue *
self_of(const struct call *c)
{
    return (struct clr_queue *)c->args[0].ref;
}

static struct value *
slot(const struct clr_queue *q, uint32_t i)
{
    return &q->v[(q->first + i) % q->cap];
}

static bool
push(struct call *c, struct clr_queue *q, struct value v)
{
    if (q->n == q->cap) {
        uint32_t cap = MAX(4u, 2 * q->cap);
        struct value *grown = call_alloc(c, (size_t)cap * sizeof(*grown));

        if (!grown)
            return false;
        for (uint32_t i = 0; i < q->n; i++)
            grown[i] = *slot(q, i);
        q->v = grown;
        q->cap = cap;
        q->first = 0;
    }
    *slot(q, q->n++) = v;
    q->version++;
    return true;
}

static bool
queue_new(struct call *c)
{
    return return_new(c, object_new(c, c->owner, struct clr_queue));
}

static bool
queue_new_capacity(struct call *c)
{
    if (call_i32(c, 0) < 0)
        return throw_argument_range(c, "capacity", "Non-negative number required.");
    return queue_new(c);
}

static bool
queue_new_from(struct call *c)
{
    struct clr_queue *q = object_new(c, c->owner, struct clr_queue);

    if (!q || !sequence_collect(c, c->args[0].ref, c->owner->args[0], "collection", &q->v, &q->n))
        return false;
    q->cap = q->n;
    return return_ref(c, q);
}

static bool
queue_count(struct call *c)
{
    return return_i64(c, self_of(c)->n);
}

static bool
queue_push(struct call *c)
{
    return push(c, self_of(c), c->args[1]);
}

static bool
queue_peek(struct call *c)
{
    if (self_of(c)->n == 0)
        return call_throw(c, EXC_INVALID_OPERATION, "Queue empty.");
    c->ret = *slot(self_of(c), 0);
    return true;
}

static bool
queue_dequeue(struct call *c)
{
    struct clr_queue *q = self_of(c);

    if (!queue_peek(c))
        return false;
    q->first = (q->first + 1) % q->cap;
    q->n--;
    q->version++;
    return true;
}

/* TryPeek and TryDequeue: out at args[1]. */
static bool
queue_try(struct call *c, native_fn *fn)
{
    bool some = self_of(c)->n > 0;

    if (some && !fn(c))
        return false;
    c->args[1] = some ? c->ret : value_i64(0);
    return return_bool(c, some);
}

static bool
queue_try_peek(struct call *c)
{
    return queue_try(c, queue_peek);
}

static bool
queue_try_dequeue(struct call *c)
{
    return queue_try(c, queue_dequeue);
}

static bool
stack_peek(struct call *c)
{
    if (self_of(c)->n == 0)
        return call_throw(c, EXC_INVALID_OPERATION, "Stack empty.");
    c->ret = *slot(self_of(c), self_of(c)->n - 1);
    return true;
}

static bool
stack_pop(struct call *c)
{
    if (!stack_peek(c))
        return false;
    self_of(c)->n--;
    self_of(c)->version++;
    return true;
}

static bool
stack_try_peek(struct call *c)
{
    return queue_try(c, stack_peek);
}

static bool
stack_try_pop(struct call *c)
{
    return queue_try(c, stack_pop);
}

static bool
queue_clear(struct call *c)
{
    self_of(c)->n = self_of(c)->first = 0;
    self_of(c)->version++;
    return true;
}

static bool
queue_contains(struct call *c)
{
    struct key_rule rule = {c->owner->args[0], NULL};
    bool same = false;

    for (uint32_t i = 0; i < self_of(c)->n && !same; i++)
        if (!call_charge(c, 1) || !key_equals(c, &rule, *slot(self_of(c), i), c->args[1], &same))
            return false;
    return return_bool(c, same);
}

static bool stack_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it);

/* Elements in order of enumeration: a stack begins at its top. */
static struct value
element(const struct clr_queue *q, uint32_t i)
{
    return *slot(q, q->head.type->hooks->iterate == stack_iterate ? q->n - 1 - i : i);
}

static bool
queue_to_array(struct call *c)
{
    struct array *a = array_new(c, c->ret_type, self_of(c)->n);

    if (!a)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        array_set(a, i, element(self_of(c), i));
    return return_ref(c, a);
}

static bool
queue_copy_to(struct call *c)
{
    struct array *a = (struct array *)c->args[1].ref;
    int64_t at = c->args[2].i64;

    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0 || at > a->n)
        return throw_argument_range(c, "arrayIndex", "Index was out of range. Must be non-negative and less than the "
                                                     "size of the collection.");
    if (self_of(c)->n > a->n - at)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                       "number of elements from index to the end of the source collection.");
    for (uint32_t i = 0; i < self_of(c)->n; i++)
        if (!array_store_cast(c, a, (uint32_t)at + i, element(self_of(c), i)))
            return false;
    return true;
}

static bool
queue_trim(struct call *c)
{
    return true;
}

static int
queue_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct clr_queue *q = (struct clr_queue *)it->self;

    if (q->version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    if (it->state[0].u64 >= q->n)
        return 0;
    *ret = element(q, (uint32_t)it->state[0].u64++);
    return 1;
}

static bool
queue_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = queue_next, .self = self};
    it->state[1].u64 = ((struct clr_queue *)self)->version;
    return true;
}

/* Told from queue_iterate() by its address: see element(). */
static bool
stack_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    return queue_iterate(c, self, as, it);
}

static int64_t
hook_count(const struct object *self)
{
    return ((const struct clr_queue *)self)->n;
}

static const struct type_hooks queue_hooks = {.iterate = queue_iterate, .count = hook_count};
static const struct type_hooks stack_hooks = {.iterate = stack_iterate, .count = hook_count};

bool
object_is_queue(const struct object *o)
{
    return o->type->hooks->iterate == queue_iterate || o->type->hooks->iterate == stack_iterate;
}

static const struct type_row types[] = {
    CLASS("System.Collections.Generic.Queue<T>", NULL, "IReadOnlyCollection<T>", &queue_hooks),
    CLASS("System.Collections.Generic.Stack<T>", NULL, "IReadOnlyCollection<T>", &stack_hooks),
};

static const struct member_row members[] = {
    M("Queue<T>", "new()", queue_new),
    M("Queue<T>", "new(int capacity)", queue_new_capacity),
    M("Queue<T>", "new(IEnumerable<T> collection)", queue_new_from),
    M("Queue<T>", "int Count { get; }", queue_count),
    M("Queue<T>", "void Clear()", queue_clear),
    M("Queue<T>", "bool Contains(T item)", queue_contains),
    M("Queue<T>", "void CopyTo(T[] array, int arrayIndex)", queue_copy_to),
    M("Queue<T>", "T Dequeue()", queue_dequeue),
    M("Queue<T>", "void Enqueue(T item)", queue_push),
    M("Queue<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
    M("Queue<T>", "T Peek()", queue_peek),
    M("Queue<T>", "T[] ToArray()", queue_to_array),
    M("Queue<T>", "void TrimExcess()", queue_trim),
    M("Queue<T>", "bool TryDequeue(out T result)", queue_try_dequeue),
    M("Queue<T>", "bool TryPeek(out T result)", queue_try_peek),

    M("Stack<T>", "new()", queue_new),
    M("Stack<T>", "new(int capacity)", queue_new_capacity),
    M("Stack<T>", "new(IEnumerable<T> collection)", queue_new_from),
    M("Stack<T>", "int Count { get; }", queue_count),
    M("Stack<T>", "void Clear()", queue_clear),
    M("Stack<T>", "bool Contains(T item)", queue_contains),
    M("Stack<T>", "void CopyTo(T[] array, int arrayIndex)", queue_copy_to),
    M("Stack<T>", "IEnumerator<T> GetEnumerator()", sequence_get_enumerator),
    M("Stack<T>", "T Peek()", stack_peek),
    M("Stack<T>", "T Pop()", stack_pop),
    M("Stack<T>", "void Push(T item)", queue_push),
    M("Stack<T>", "T[] ToArray()", queue_to_array),
    M("Stack<T>", "void TrimExcess()", queue_trim),
    M("Stack<T>", "bool TryPeek(out T result)", stack_try_peek),
    M("Stack<T>", "bool TryPop(out T result)", stack_try_pop),
};

const struct library clr_queue = LIBRARY("queue", types, members);
