/* linq.c: the deferred operators of System.Linq.Enumerable that pass elements on one at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/linq.h"

#include "clr/families.h"

static int
walk_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct linq_walk *w = it->state[0].p;

    return w->q->next(c, w, ret);
}

static bool
walk_open(struct call *c, struct sequence *self, struct iterator *it)
{
    const struct linq *q = (const struct linq *)self;
    struct linq_walk *w = call_alloc(c, sizeof(*w));

    if (!w || (q->source && !sequence_open(c, q->source, q->element, "source", &w->in)))
        return false;
    w->q = q;
    w->left = q->n;
    *it = (struct iterator){.next = walk_next, .self = &self->head};
    it->state[0].p = w;
    return true;
}

/* Without a source. */
static struct linq *
generated(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = object_new(c, c->ret_type, struct linq);

    if (q) {
        q->super.iterate = walk_open;
        q->next = next;
    }
    return q;
}

struct linq *
linq_new(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q;

    if (!c->args[0].ref) {
        throw_argument_null(c, "source");
        return NULL;
    }
    q = generated(c, next);
    if (q) {
        q->source = c->args[0].ref;
        q->element = c->type_args[0];
    }
    return q;
}

struct linq *
linq_new_with(struct call *c, const char *parameter,
              int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = linq_new(c, next);

    if (!q || c->args[1].ref) {
        if (q)
            q->fn = c->args[1].ref;
        return q;
    }
    throw_argument_null(c, parameter);
    return NULL;
}

bool
linq_call(struct call *c, struct linq_walk *w, struct value v, struct value *ret)
{
    struct value args[2] = {v, value_i64(w->i++)};

    return call_invoke(c, w->q->fn, args, w->q->has_index ? 2 : 1, ret);
}

/* Rows of the two shapes of a lambda: F(x) and F(x, index). */
#define DEFERRED_BY(name, parameter, next) \
    static bool \
    name(struct call *c) \
    { \
        return return_new(c, linq_new_with(c, parameter, next)); \
    } \
    static bool \
    name##_indexed(struct call *c) \
    { \
        struct linq *q = linq_new_with(c, parameter, next); \
        if (q) \
            q->has_index = true; \
        return return_new(c, q); \
    }

/* ---- Where, Select, SelectMany ---- */

static int
where_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value v, yes;
    int got;

    while ((got = iterate_next(c, &w->in, &v)) > 0) {
        if (!linq_call(c, w, v, &yes))
            return -1;
        if (yes.i64) {
            *ret = v;
            return 1;
        }
    }
    return got;
}
DEFERRED_BY(linq_where, "predicate", where_next)

static int
select_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value v;
    int got = iterate_next(c, &w->in, &v);

    if (got > 0 && !linq_call(c, w, v, ret))
        return -1;
    return got;
}
DEFERRED_BY(linq_select, "selector", select_next)

/* Steps of SelectMany: the outer element is held while its own sequence is walked. */
static int
select_many_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    const struct linq *q = w->q;
    struct value inner, pair[2];
    int got;

    for (;;) {
        if (w->phase == 0) {
            if ((got = iterate_next(c, &w->in, &w->held)) <= 0)
                return got;
            if (!linq_call(c, w, w->held, &inner))
                return -1;
            if (!inner.ref ? throw_null_reference(c), true
                           : !sequence_open(c, inner.ref, q->second_element, "source", &w->other))
                return -1;
            w->phase = 1;
        }
        if ((got = iterate_next(c, &w->other, &inner)) < 0)
            return got;
        if (got > 0)
            break;
        w->phase = 0;
    }
    if (!q->fn2) {
        *ret = inner;
        return 1;
    }
    pair[0] = w->held;
    pair[1] = inner;
    return call_invoke(c, q->fn2, pair, 2, ret) ? 1 : -1;
}

static bool
select_many(struct call *c, bool has_index)
{
    struct linq *q = linq_new_with(c, c->n_args > 2 ? "collectionSelector" : "selector", select_many_next);

    if (!q)
        return false;
    q->has_index = has_index;
    q->second_element = c->type_args[1]; /* TResult, or TCollection of the forms with two selectors */
    if (c->n_args > 2 && !(q->fn2 = c->args[2].ref))
        return throw_argument_null(c, "resultSelector");
    return return_ref(c, q);
}

static bool
linq_select_many(struct call *c)
{
    return select_many(c, false);
}

static bool
linq_select_many_indexed(struct call *c)
{
    return select_many(c, true);
}

/* ---- parts of a sequence ---- */

static int
take_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    return w->left-- > 0 ? iterate_next(c, &w->in, ret) : 0;
}

static int
skip_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got = 1;

    while (w->left > 0 && got > 0) {
        got = iterate_next(c, &w->in, ret);
        w->left--;
    }
    return got > 0 ? iterate_next(c, &w->in, ret) : got;
}

static bool
counted(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = linq_new(c, next);

    if (q)
        q->n = c->args[1].i64;
    return return_new(c, q);
}

static bool
linq_take(struct call *c)
{
    return counted(c, take_next);
}

static bool
linq_skip(struct call *c)
{
    return counted(c, skip_next);
}

static int
take_while_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value v, yes;
    int got = w->phase ? 0 : iterate_next(c, &w->in, &v);

    if (got <= 0)
        return got;
    if (!linq_call(c, w, v, &yes))
        return -1;
    w->phase = yes.i64 == 0;
    *ret = v;
    return yes.i64 != 0;
}
DEFERRED_BY(linq_take_while, "predicate", take_while_next)

static int
skip_while_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value v, yes;
    int got;

    while ((got = iterate_next(c, &w->in, &v)) > 0 && w->phase == 0) {
        if (!linq_call(c, w, v, &yes))
            return -1;
        w->phase = yes.i64 == 0;
        if (w->phase)
            break;
    }
    *ret = v;
    return got;
}
DEFERRED_BY(linq_skip_while, "predicate", skip_while_next)

/* Reads the rest of the source into w->buffer, once. */
static bool
fill_buffer(struct call *c, struct linq_walk *w)
{
    if (w->phase++ > 0)
        return true;
    return sequence_collect(c, w->q->source, w->q->element, "source", &w->buffer, &w->buffer_n);
}

static int
reverse_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    if (!fill_buffer(c, w))
        return -1;
    if (w->i >= w->buffer_n)
        return 0;
    *ret = w->buffer[w->buffer_n - 1 - w->i++];
    return call_charge(c, 1) ? 1 : -1;
}

static int
take_last_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    if (!fill_buffer(c, w))
        return -1;
    if (w->i == 0 && w->buffer_n > MAX(w->q->n, 0))
        w->i = w->buffer_n - MAX(w->q->n, 0);
    if (w->i >= w->buffer_n)
        return 0;
    *ret = w->buffer[w->i++];
    return call_charge(c, 1) ? 1 : -1;
}

static int
skip_last_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    if (!fill_buffer(c, w))
        return -1;
    if (w->i + MAX(w->q->n, 0) >= w->buffer_n)
        return 0;
    *ret = w->buffer[w->i++];
    return call_charge(c, 1) ? 1 : -1;
}

static bool
linq_reverse(struct call *c)
{
    return return_new(c, linq_new(c, reverse_next));
}

static bool
linq_take_last(struct call *c)
{
    return counted(c, take_last_next);
}

static bool
linq_skip_last(struct call *c)
{
    return counted(c, skip_last_next);
}

/* ---- joining sequences end to end, or side by side ---- */

static int
concat_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got = w->phase == 0 ? iterate_next(c, &w->in, ret) : 0;

    if (got != 0)
        return got;
    if (w->phase++ == 0 && !sequence_open(c, w->q->second, w->q->element, "second", &w->other))
        return -1;
    return iterate_next(c, &w->other, ret);
}

/* With the second sequence in args[1]. */
static struct linq *
with_second(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = NULL;

    if (!c->args[0].ref || !c->args[1].ref)
        throw_argument_null(c, c->args[0].ref ? "second" : "first");
    else
        q = linq_new(c, next);
    if (q)
        q->second = c->args[1].ref;
    return q;
}

static bool
linq_concat(struct call *c)
{
    return return_new(c, with_second(c, concat_next));
}

static int
append_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got = w->phase == 0 ? iterate_next(c, &w->in, ret) : 0;

    if (got != 0 || w->phase++ > 0)
        return got;
    *ret = w->q->v;
    return 1;
}

static int
prepend_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    if (w->phase++ > 0)
        return iterate_next(c, &w->in, ret);
    *ret = w->q->v;
    return 1;
}

static bool
with_value(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = linq_new(c, next);

    if (q && c->n_args > 1)
        q->v = c->args[1];
    return return_new(c, q);
}

static bool
linq_append(struct call *c)
{
    return with_value(c, append_next);
}

static bool
linq_prepend(struct call *c)
{
    return with_value(c, prepend_next);
}

static int
default_if_empty_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    enum { AT_START, PASSING_ON, AT_END };
    int got = w->phase == AT_END ? 0 : iterate_next(c, &w->in, ret);

    if (got == 0 && w->phase == AT_START) {
        *ret = w->q->v;
        w->phase = AT_END;
        return 1;
    }
    if (w->phase == AT_START)
        w->phase = PASSING_ON;
    return got;
}

static bool
linq_default_if_empty(struct call *c)
{
    return with_value(c, default_if_empty_next);
}

static int
zip_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value pair[2];
    int got;

    if (w->phase++ == 0 && !sequence_open(c, w->q->second, w->q->second_element, "second", &w->other))
        return -1;
    if ((got = iterate_next(c, &w->in, &pair[0])) <= 0 || (got = iterate_next(c, &w->other, &pair[1])) <= 0)
        return got;
    return call_invoke(c, w->q->fn, pair, 2, ret) ? 1 : -1;
}

static bool
linq_zip(struct call *c)
{
    struct linq *q = with_second(c, zip_next);

    if (!q)
        return false;
    q->second_element = c->type_args[1];
    if (!(q->fn = c->args[2].ref))
        return throw_argument_null(c, "resultSelector");
    return return_ref(c, q);
}

/* ---- sets ---- */

/* Whether v was not in w->seen before. */
static int
is_new(struct call *c, struct linq_walk *w, struct value v)
{
    struct table_entry *e;
    bool added;

    return table_put(c, &w->seen, v, &e, &added) ? added : -1;
}

static int
distinct_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got;

    if (w->phase++ == 0)
        table_init(&w->seen, w->q->element, w->q->comparer);
    while ((got = iterate_next(c, &w->in, ret)) > 0)
        if ((got = is_new(c, w, *ret)) != 0)
            return got;
    return got;
}

static int
union_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got;

    if (!w->seen.rule.type)
        table_init(&w->seen, w->q->element, w->q->comparer);
    while ((got = concat_next(c, w, ret)) > 0)
        if ((got = is_new(c, w, *ret)) != 0)
            return got;
    return got;
}

/* Puts the second sequence into w->seen at the first step. */
static bool
see_second(struct call *c, struct linq_walk *w)
{
    struct table_entry *e;
    struct value v;
    bool added;
    int got;

    if (w->phase++ > 0)
        return true;
    table_init(&w->seen, w->q->element, w->q->comparer);
    if (!sequence_open(c, w->q->second, w->q->element, "second", &w->other))
        return false;
    while ((got = iterate_next(c, &w->other, &v)) > 0)
        if (!table_put(c, &w->seen, v, &e, &added))
            return false;
    return got == 0;
}

static int
except_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got;

    if (!see_second(c, w))
        return -1;
    while ((got = iterate_next(c, &w->in, ret)) > 0)
        if ((got = is_new(c, w, *ret)) != 0)
            return got;
    return got;
}

static int
intersect_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    int got;

    if (!see_second(c, w))
        return -1;
    while ((got = iterate_next(c, &w->in, ret)) > 0) {
        bool removed;
        if (!table_remove(c, &w->seen, *ret, &removed, NULL))
            return -1;
        if (removed)
            return 1;
    }
    return got;
}

static bool
linq_distinct(struct call *c)
{
    struct linq *q = linq_new(c, distinct_next);

    if (q && c->n_args > 1)
        q->comparer = (struct comparer *)c->args[1].ref;
    return return_new(c, q);
}

static bool
set_operator(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = with_second(c, next);

    if (q && c->n_args > 2)
        q->comparer = (struct comparer *)c->args[2].ref;
    return return_new(c, q);
}

static bool
linq_union(struct call *c)
{
    return set_operator(c, union_next);
}

static bool
linq_except(struct call *c)
{
    return set_operator(c, except_next);
}

static bool
linq_intersect(struct call *c)
{
    return set_operator(c, intersect_next);
}

/* ---- Cast, OfType ---- */

bool
value_cast(struct call *c, const struct type *from, struct value v, const struct type *to, struct value *ret,
           bool *ret_ok)
{
    struct object *o;

    if (!value_box(c, from, v, &o))
        return false;
    if (!o)
        *ret_ok = type_is_kept_in_ref(to);
    else
        *ret_ok = type_is_assignable(o->type, type_strip_nullable(to));
    if (*ret_ok)
        *ret = type_is_kept_in_ref(to) ? value_ref(o) : value_unbox(o);
    return true;
}

static int
cast_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    const struct type *from = w->q->second_element, *to = w->q->element;
    struct value v;
    int got = iterate_next(c, &w->in, &v);
    bool ok;

    if (got <= 0)
        return got;
    if (!value_cast(c, from, v, to, ret, &ok))
        return -1;
    if (ok)
        return 1;
    struct object *o = NULL;
    if (!value_box(c, from, v, &o))
        return -1;
    (void)(o ? throw_invalid_cast(c, o->type, to) : throw_null_reference(c));
    return -1;
}

static int
of_type_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    struct value v;
    int got;

    while ((got = iterate_next(c, &w->in, &v)) > 0) {
        bool ok = false;

        if (!value_cast(c, w->q->second_element, v, w->q->element, ret, &ok))
            return -1;
        if (ok && !value_is_null(w->q->element, *ret))
            return 1;
    }
    return got;
}

/* The source is a plain IEnumerable: its own element type says how its values are kept. */
static bool
converted(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = linq_new(c, next);

    if (!q)
        return false;
    q->second_element = type_element(q->source->type);
    if (!q->second_element)
        q->second_element = core_types(c->run->env)->object;
    return return_ref(c, q);
}

static bool
linq_cast(struct call *c)
{
    return converted(c, cast_next);
}

static bool
linq_of_type(struct call *c)
{
    return converted(c, of_type_next);
}

/* ---- Range, Repeat, Empty ---- */

static int
range_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    if (w->left <= 0)
        return 0;
    w->left--;
    *ret = value_i64(w->q->v.i64 + w->i++);
    return 1;
}

static int
repeat_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    *ret = w->q->v;
    return w->left-- > 0;
}

static bool
generate(struct call *c, int (*next)(struct call *c, struct linq_walk *w, struct value *ret))
{
    struct linq *q = generated(c, next);

    if (!q)
        return false;
    q->v = c->args[0];
    q->n = c->args[1].i64;
    return return_ref(c, q);
}

static bool
linq_range(struct call *c)
{
    if (c->args[1].i64 < 0 || c->args[0].i64 + c->args[1].i64 - 1 > INT32_MAX)
        return throw_argument_range(c, "count", "Specified argument was out of the range of valid values.");
    return generate(c, range_next);
}

static bool
linq_repeat(struct call *c)
{
    if (c->args[1].i64 < 0)
        return throw_argument_range(c, "count", "Specified argument was out of the range of valid values.");
    return generate(c, repeat_next);
}

static int
empty_next(struct call *c, struct linq_walk *w, struct value *ret)
{
    return 0;
}

static bool
linq_empty(struct call *c)
{
    return return_new(c, generated(c, empty_next));
}

static bool
linq_as_enumerable(struct call *c)
{
    return return_ref(c, c->args[0].ref);
}

static const struct type_row types[] = {
    STATIC_CLASS("System.Linq.Enumerable"),
};

#define E "Enumerable"
#define S "this IEnumerable<T> source"

static const struct member_row members[] = {
    M(E, "static IEnumerable<T> Append<T>(" S ", T element)", linq_append),
    M(E, "static IEnumerable<T> AsEnumerable<T>(" S ")", linq_as_enumerable),
    M(E, "static IEnumerable<T> Cast<T>(this IEnumerable source)", linq_cast),
    M(E, "static IEnumerable<T> Concat<T>(this IEnumerable<T> first, IEnumerable<T> second)", linq_concat),
    M(E, "static IEnumerable<T> DefaultIfEmpty<T>(" S ")", linq_default_if_empty),
    M(E, "static IEnumerable<T> DefaultIfEmpty<T>(" S ", T defaultValue)", linq_default_if_empty),
    M(E, "static IEnumerable<T> Distinct<T>(" S ")", linq_distinct),
    M(E, "static IEnumerable<T> Distinct<T>(" S ", IEqualityComparer<T> comparer)", linq_distinct),
    M(E, "static IEnumerable<T> Empty<T>()", linq_empty),
    M(E, "static IEnumerable<T> Except<T>(this IEnumerable<T> first, IEnumerable<T> second)", linq_except),
    M(E, "static IEnumerable<T> Except<T>(this IEnumerable<T> first, IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_except),
    M(E, "static IEnumerable<T> Intersect<T>(this IEnumerable<T> first, IEnumerable<T> second)", linq_intersect),
    M(E, "static IEnumerable<T> Intersect<T>(this IEnumerable<T> first, IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_intersect),
    M(E, "static IEnumerable<T> OfType<T>(this IEnumerable source)", linq_of_type),
    M(E, "static IEnumerable<T> Prepend<T>(" S ", T element)", linq_prepend),
    M(E, "static IEnumerable<int> Range(int start, int count)", linq_range),
    M(E, "static IEnumerable<T> Repeat<T>(T element, int count)", linq_repeat),
    M(E, "static IEnumerable<T> Reverse<T>(" S ")", linq_reverse),
    M(E, "static IEnumerable<R> Select<T,R>(" S ", Func<T,R> selector)", linq_select),
    M(E, "static IEnumerable<R> Select<T,R>(" S ", Func<T,int,R> selector)", linq_select_indexed),
    M(E, "static IEnumerable<R> SelectMany<T,R>(" S ", Func<T,IEnumerable<R>> selector)", linq_select_many),
    M(E, "static IEnumerable<R> SelectMany<T,R>(" S ", Func<T,int,IEnumerable<R>> selector)", linq_select_many_indexed),
    M(E, "static IEnumerable<R> SelectMany<T,C,R>(" S ", Func<T,IEnumerable<C>> collectionSelector, Func<T,C,R> resultSelector)", linq_select_many),
    M(E, "static IEnumerable<R> SelectMany<T,C,R>(" S ", Func<T,int,IEnumerable<C>> collectionSelector, Func<T,C,R> resultSelector)", linq_select_many_indexed),
    M(E, "static IEnumerable<T> Skip<T>(" S ", int count)", linq_skip),
    M(E, "static IEnumerable<T> SkipLast<T>(" S ", int count)", linq_skip_last),
    M(E, "static IEnumerable<T> SkipWhile<T>(" S ", Func<T,bool> predicate)", linq_skip_while),
    M(E, "static IEnumerable<T> SkipWhile<T>(" S ", Func<T,int,bool> predicate)", linq_skip_while_indexed),
    M(E, "static IEnumerable<T> Take<T>(" S ", int count)", linq_take),
    M(E, "static IEnumerable<T> TakeLast<T>(" S ", int count)", linq_take_last),
    M(E, "static IEnumerable<T> TakeWhile<T>(" S ", Func<T,bool> predicate)", linq_take_while),
    M(E, "static IEnumerable<T> TakeWhile<T>(" S ", Func<T,int,bool> predicate)", linq_take_while_indexed),
    M(E, "static IEnumerable<T> Union<T>(this IEnumerable<T> first, IEnumerable<T> second)", linq_union),
    M(E, "static IEnumerable<T> Union<T>(this IEnumerable<T> first, IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_union),
    M(E, "static IEnumerable<T> Where<T>(" S ", Func<T,bool> predicate)", linq_where),
    M(E, "static IEnumerable<T> Where<T>(" S ", Func<T,int,bool> predicate)", linq_where_indexed),
    M(E, "static IEnumerable<R> Zip<T,U,R>(this IEnumerable<T> first, IEnumerable<U> second, Func<T,U,R> resultSelector)", linq_zip),
};

const struct library clr_linq = LIBRARY("linq", types, members);
