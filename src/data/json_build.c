/* json_build.c: see json_build.h for the picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json_build.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"

enum { COMPARE_PAIRS_UP_TO = 12 };

void
json_build_init(struct json_build *b, struct arena *a, bool unique_names)
{
    b->arena = a;
    b->stack = b->first;
    b->n = b->depth = 0;
    b->cap = JSON_BUILD_INLINE;
    b->unique_names = unique_names;
    b->repeated_at = 0;
}

void
json_build_destroy(struct json_build *b)
{
    if (b->stack != b->first)
        free(b->stack);
}

struct json_member *
json_build_grow(struct json_build *b)
{
    size_t bytes = (size_t)b->cap * 2 * sizeof(*b->stack);

    if (b->stack == b->first) {
        b->stack = xmalloc(bytes);
        memcpy(b->stack, b->first, sizeof(b->first));
    } else {
        b->stack = xrealloc(b->stack, bytes);
    }
    b->cap *= 2;
    return &b->stack[b->n++];
}

bool
json_build_open(struct json_build *b, enum json_kind kind, uint32_t at)
{
    if (b->depth == JSON_DEPTH_MAX)
        return false;
    b->frames[b->depth++] = (struct json_frame){.base = b->n, .at = at, .kind = (uint8_t)kind};
    return true;
}

/* Member `late` repeats `early`: the early place keeps the late value. */
static bool
is_repeat_refused(struct json_build *b, struct json_member *early, const struct json_member *late)
{
    b->repeated_at = late->value.at;
    early->value = late->value;
    return b->unique_names;
}

static bool
same_name(const struct json_member *x, const struct json_member *y)
{
    return x->name.len == y->name.len && memcmp(x->name.p, y->name.p, x->name.len) == 0;
}

/* Compares each member with those kept before it. Returns how many are kept, or UINT32_MAX when refused. */
static uint32_t
drop_repeats_by_pairs(struct json_build *b, struct json_member *m, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;

        while (k < kept && !same_name(&m[k], &m[i]))
            k++;
        if (k == kept) {
            if (kept != i)
                m[kept] = m[i];
            kept++;
        } else if (is_repeat_refused(b, &m[k], &m[i])) {
            return UINT32_MAX;
        }
    }
    return kept;
}

/* The same through a table of indexes, for objects with many members. */
static uint32_t
drop_repeats_by_hash(struct json_build *b, struct json_member *m, uint32_t n)
{
    uint32_t mask = 31, kept = 0;

    while (mask < 2 * (uint64_t)n)
        mask = mask * 2 + 1;
    uint32_t *slots = xcalloc((size_t)mask + 1, sizeof(*slots)); /* index + 1 of a kept member, 0 free */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)hash_str(m[i].name) & mask;

        while (slots[at] && !same_name(&m[slots[at] - 1], &m[i]))
            at = (at + 1) & mask;
        if (!slots[at]) {
            if (kept != i)
                m[kept] = m[i];
            slots[at] = ++kept;
        } else if (is_repeat_refused(b, &m[slots[at] - 1], &m[i])) {
            kept = UINT32_MAX;
            break;
        }
    }
    free(slots);
    return kept;
}

static enum json_close
close_object(struct json_build *b, const struct json_frame *f, struct json *container)
{
    struct json_member *m = &b->stack[f->base], *copy;
    uint32_t n = b->n - f->base;

    n = n <= COMPARE_PAIRS_UP_TO ? drop_repeats_by_pairs(b, m, n) : drop_repeats_by_hash(b, m, n);
    if (n == UINT32_MAX)
        return JSON_CLOSE_REPEATED;
    copy = arena_alloc(b->arena, n, sizeof(*copy), _Alignof(struct json_member));
    if (!copy)
        return JSON_CLOSE_FULL;
    memcpy(copy, m, n * sizeof(*copy));
    container->n = n;
    container->members = copy;
    return JSON_CLOSED;
}

static enum json_close
close_array(struct json_build *b, const struct json_frame *f, struct json *container)
{
    uint32_t n = b->n - f->base;
    struct json *copy = arena_alloc(b->arena, n, sizeof(*copy), _Alignof(struct json));

    if (!copy)
        return JSON_CLOSE_FULL;
    for (uint32_t i = 0; i < n; i++)
        copy[i] = b->stack[f->base + i].value;
    container->n = n;
    container->items = copy;
    return JSON_CLOSED;
}

enum json_close
json_build_close(struct json_build *b)
{
    struct json_frame *f = &b->frames[--b->depth];
    struct json *container = &b->stack[f->base - 1].value;
    enum json_close result;

    container->kind = f->kind;
    container->flags = 0;
    container->at = f->at;
    result = f->kind == JSON_OBJECT ? close_object(b, f, container) : close_array(b, f, container);
    b->n = f->base;
    return result;
}

char *
json_put_unit(char *start, char *to, uint32_t unit)
{
    size_t at;
    uint32_t high;

    if (unit < 0xdc00 || unit > 0xdfff || to - start < 3 || (unsigned char)to[-3] != 0xed)
        return to + utf8_put(to, unit);
    at = 0;
    high = utf8_next(str_from(to - 3, 3), &at);
    if (high < 0xd800 || high > 0xdbff)
        return to + utf8_put(to, unit);
    return to - 3 + utf8_put(to - 3, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
}
