/* sort.c: sorting values by a rule or a comparison. Merge sort: stable, never quadratic, and safe with comparisons that
 * contradict themselves, which a lambda may.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"

struct sorting {
    struct call *c;
    const struct key_rule *rule;
    struct object *comparison;        /* NULL: by rule */
};

static bool
compare(const struct sorting *s, struct value a, struct value b, int *ret)
{
    struct value pair[2] = {a, b}, answer;

    if (!s->comparison)
        return key_compare(s->c, s->rule, a, b, ret);
    if (!call_invoke(s->c, s->comparison, pair, 2, &answer))
        return false;
    *ret = answer.i64 < 0 ? -1 : answer.i64 > 0;
    return true;
}

/* Merges [low, middle) and [middle, high) of `from` into `to`. */
static bool
merge(const struct sorting *s, const struct value *from, struct value *to, size_t low, size_t middle, size_t high)
{
    size_t a = low, b = middle;

    for (size_t i = low; i < high; i++) {
        int order = 0;

        if (a < middle && b < high && !compare(s, from[a], from[b], &order))
            return false;
        to[i] = b >= high || (a < middle && order <= 0) ? from[a++] : from[b++];
    }
    return call_charge(s->c, high - low);
}

/* An exception of the order becomes the inner one of what .NET throws. */
static bool
failed(struct call *c)
{
    struct exception *inner = c->run->exception;

    if (!inner)
        return false;
    c->run->exception = NULL;
    (void)call_throw(c, EXC_INVALID_OPERATION, "Failed to compare two elements in the array.");
    if (c->run->exception)
        c->run->exception->inner = inner;
    return false;
}

bool
values_sort(struct call *c, struct value *v, uint32_t n, const struct key_rule *rule, struct object *comparison)
{
    struct sorting s = {c, rule, comparison};
    struct value *from, *to;

    if (n < 2)
        return true;
    /* Sorted apart from the caller's array, which a lambda could change meanwhile. */
    from = call_alloc(c, 2 * (size_t)n * sizeof(*from));
    if (!from)
        return false;
    to = from + n;
    memcpy(from, v, n * sizeof(*from));
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width)
            if (!merge(&s, from, to, low, MIN(low + width, (size_t)n), MIN(low + 2 * width, (size_t)n)))
                return failed(c);
        struct value *swap = from;
        from = to;
        to = swap;
    }
    memcpy(v, from, n * sizeof(*v));
    return true;
}
