/* token_cache.c: a hash table of entries in order of use.
 *
 *     buckets[hash] -> entry -> entry           entry: one malloc: head, text of the token, parsed header and claims
 * An entry that is still used by an exchange when it is evicted goes with the last user.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/token_cache.h"

#include <stdlib.h>

#include "base/list.h"

#define BUCKETS 1024
#define ENTRY_BYTES_MAX ((size_t)64 << 10)
#define SCRATCH_BYTES ((size_t)256 << 10)

struct entry {
    struct kept_token kept;
    struct hash128 mark;
    uint64_t hash;
    struct str text;                  /* as it came; in this piece of memory */
    size_t bytes;
    uint32_t refs;                    /* the table's and those of exchanges */
    struct entry *next;               /* of the bucket */
    struct list_node link;            /* by use */
    _Alignas(16) char room[];
};

struct token_cache {
    struct entry *buckets[BUCKETS];
    struct list by_use;               /* the latest first */
    size_t bytes, bytes_max;
};

struct token_cache *
token_cache_new(size_t bytes_max)
{
    struct token_cache *c = xnew(struct token_cache);

    list_init(&c->by_use);
    c->bytes_max = bytes_max;
    return c;
}

static void
unref(void *arg)
{
    struct entry *e = arg;

    if (--e->refs > 0)
        return;
    for (uint32_t i = 0; i < e->kept.n_sources; i++)
        supply_entry_unref(e->kept.sources[i].entry);
    free(e);
}

static void
evict(struct token_cache *c, struct entry *e)
{
    struct entry **at = &c->buckets[e->hash % BUCKETS];

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    list_remove(&e->link);
    c->bytes -= e->bytes;
    unref(e);
}

void
token_cache_clear(struct token_cache *c)
{
    struct entry *e;

    while ((e = list_first(&c->by_use, struct entry, link)))
        evict(c, e);
}

void
token_cache_delete(struct token_cache *c)
{
    if (!c)
        return;
    token_cache_clear(c);
    free(c);
}

static uint64_t
hash_of(struct str text, struct hash128 mark)
{
    return hash_str(text) ^ mark.lo;
}

static bool
is_current(const struct entry *e, uint64_t now_ms)
{
    for (uint32_t i = 0; i < e->kept.n_sources; i++)
        if (supply_fresh_tag(e->kept.sources[i].entry, now_ms) != e->kept.sources[i].tag)
            return false;
    return true;
}

struct kept_token *
token_cache_find(struct token_cache *c, struct str text, struct hash128 mark, uint64_t now_ms)
{
    uint64_t hash = hash_of(text, mark);
    struct entry *e = c->buckets[hash % BUCKETS];

    while (e && !(e->hash == hash && e->mark.hi == mark.hi && e->mark.lo == mark.lo && str_eq(e->text, text)))
        e = e->next;
    if (!e)
        return NULL;
    if (!is_current(e, now_ms)) {
        evict(c, e);
        return NULL;
    }
    list_remove(&e->link);
    list_push_front(&c->by_use, &e->link);
    return &e->kept;
}

/* Parses the texts into the region; how much of it was used. 0: it does not fit, or is no token. */
static size_t
fill(char *region, size_t size, struct str text, struct str inner, struct str *ret_text, struct jwt *ret)
{
    struct arena a = {.next = region, .end = region + size};     /* full means full: no block is ever added */
    struct str copy = str_dup(&a, text), inner_copy = copy;

    if (inner.p != text.p)
        inner_copy = str_dup(&a, inner);
    if (!copy.p || !inner_copy.p || !jwt_parse(&a, inner_copy, JWT_STRICT, ret, NULL))
        return 0;
    *ret_text = copy;
    return (size_t)(a.next - region);
}

struct kept_token *
token_cache_add(struct token_cache *c, struct str text, struct str inner, struct hash128 mark, const struct token_source *sources,
                uint32_t n_sources)
{
    char *scratch;
    struct entry *e;
    struct jwt token;
    struct str copy;
    size_t used;

    if (n_sources > TOKEN_CACHE_SOURCES_MAX || text.len + inner.len > ENTRY_BYTES_MAX / 2 || c->bytes_max < ENTRY_BYTES_MAX)
        return NULL;
    scratch = xmalloc(SCRATCH_BYTES);            /* to measure, so that what is kept is as large as it must be */
    used = fill(scratch, SCRATCH_BYTES, text, inner, &copy, &token);
    free(scratch);
    if (used == 0 || used > ENTRY_BYTES_MAX)
        return NULL;
    e = xmalloc(sizeof(*e) + used + 64);
    memset(e, 0, sizeof(*e));
    if (!fill(e->room, used + 64, text, inner, &e->text, &e->kept.token)) {
        free(e);
        return NULL;
    }
    e->refs = 1;
    e->mark = mark;
    e->hash = hash_of(text, mark);
    e->bytes = sizeof(*e) + used + 64;
    e->kept.n_sources = n_sources;
    for (uint32_t i = 0; i < n_sources; i++)
        e->kept.sources[i] = (struct token_source){supply_entry_ref(sources[i].entry), sources[i].tag};
    e->next = c->buckets[e->hash % BUCKETS];
    c->buckets[e->hash % BUCKETS] = e;
    list_push_front(&c->by_use, &e->link);
    c->bytes += e->bytes;
    while (c->bytes > c->bytes_max)
        evict(c, list_last(&c->by_use, struct entry, link));
    return &e->kept;
}

bool
token_keep(struct kept_token *t, struct arena *a)
{
    struct entry *e = CONTAINER_OF(t, struct entry, kept);

    if (!arena_defer(a, unref, e))
        return false;
    e->refs++;
    return true;
}
