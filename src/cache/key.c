/* key.c: the bytes of a cache key.
 *
 *     kind  { length+1 as 7-bit groups, low first; the field's bytes }*
 *
 * A length of 0 in that coding means "absent", so a missing header and an empty one make different keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#include <stdlib.h>

struct query_pair {
    struct str name, text;            /* text: the whole pair, "name" or "name=value" */
    size_t order;
};

void
cache_key_begin(struct buf *b, enum cache_kind kind)
{
    buf_clear(b);
    buf_add_char(b, (char)kind);
}

static void
add_length(struct buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_add_char(b, (char)(n | 0x80));
    buf_add_char(b, (char)n);
}

void
cache_key_add(struct buf *b, struct str field)
{
    add_length(b, field.p ? field.len + 1 : 0);
    buf_add_str(b, field);
}

static bool
is_unreserved(int c)
{
    return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* RFC 3986 6.2.2: the spellings that never change what a URI means. No longer than the text. */
static struct str
normal_escapes(struct arena *arena, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *to = arena_alloc(arena, text.len + 1, 1, 1);
    size_t n = 0;

    if (!to)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        int high = text.p[i] == '%' && i + 2 < text.len ? ascii_hex_value(text.p[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.p[i + 2]) : -1;
        if (low < 0) {
            to[n++] = text.p[i];
            continue;
        }
        i += 2;
        if (is_unreserved(high << 4 | low)) {
            to[n++] = (char)(high << 4 | low);
        } else {
            to[n++] = '%';
            to[n++] = hex[high];
            to[n++] = hex[low];
        }
    }
    return str_from(to, n);
}

static int
compare_pairs(const void *a, const void *b)
{
    const struct query_pair *x = a, *y = b;
    int by_name = str_cmp(x->name, y->name);

    return by_name ? by_name : (x->order > y->order) - (x->order < y->order);
}

static struct str
name_of(struct str pair)
{
    ptrdiff_t equals = str_find_char(pair, '=', 0);

    return equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
}

/* The next byte of a text as it is meant; it is cut off. */
static char
next_decoded(struct str *text)
{
    int high = text->p[0] == '%' && text->len > 2 ? ascii_hex_value(text->p[1]) : -1;
    int low = high >= 0 ? ascii_hex_value(text->p[2]) : -1;
    char c = text->p[0] == '+' ? ' ' : text->p[0];

    *text = str_skip(*text, low >= 0 ? 3 : 1);
    return low >= 0 ? (char)(high << 4 | low) : c;
}

bool
cache_query_is_named(struct str pair, struct str name)
{
    struct str spelled = name_of(pair);

    if (str_eq(spelled, name))
        return true;
    for (size_t i = 0; i < name.len; i++)
        if (!spelled.len || ascii_lower(next_decoded(&spelled)) != ascii_lower(name.p[i]))
            return false;
    return spelled.len == 0;
}

static bool
is_wanted(struct str pair, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cache_query_is_named(pair, names[i]))
            return true;
    return n == 0;
}

/* The wanted pairs, sorted; NULL when the arena is full. */
static struct query_pair *
sorted_pairs(struct arena *arena, struct str query, size_t most, const struct str *names, size_t n, size_t *ret_n)
{
    struct query_pair *pairs = arena_new_array(arena, struct query_pair, most);
    struct str rest = normal_escapes(arena, query), text;

    *ret_n = 0;
    if (!pairs || !rest.p)
        return NULL;
    while (str_split_next(&rest, '&', &text)) {
        if (is_wanted(text, names, n)) {
            pairs[*ret_n] = (struct query_pair){name_of(text), text, *ret_n};
            (*ret_n)++;
        }
    }
    qsort(pairs, *ret_n, sizeof(*pairs), compare_pairs);
    return pairs;
}

void
cache_key_add_query(struct buf *b, struct str query, const struct str *names, size_t n, struct arena *arena)
{
    size_t n_pairs, most = 1;

    if (query.len == 0) {
        add_length(b, 0);
        return;
    }
    for (size_t i = 0; i < query.len; i++)
        most += query.p[i] == '&';
    /* Grown before the mark, as the buffer may live in the same arena. */
    if (!buf_reserve(b, query.len + (most + 1) * sizeof("12345")))
        return;
    struct arena_mark mark = arena_mark(arena);
    struct query_pair *pairs = sorted_pairs(arena, query, most, names, n, &n_pairs);
    if (pairs) {
        add_length(b, n_pairs);
        for (size_t i = 0; i < n_pairs; i++)
            cache_key_add(b, pairs[i].text);
    } else {
        b->failed = true;
    }
    arena_rewind(arena, mark);
}

bool
cache_key_end(struct buf *b, struct cache_key *ret)
{
    struct str bytes = buf_str(b);

    if (b->failed || !bytes.p)
        return false;
    *ret = (struct cache_key){bytes, hash_128(bytes)};
    return true;
}
