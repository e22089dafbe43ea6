/* strict_keying.c: requests without what the key does not hold.
 * Whether a field is the client's is told by where its value lies: what a policy sets lies elsewhere, even when it reads the same.
 * By value, a client that sends what a policy sets would have it dropped.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/strict_keying.h"

#include "cache/tiers.h"
#include "model/api.h"
#include "rt/loop.h"

#define VARY_NAMES_MAX 32u            /* of all variants; what is above is not sent */

bool
strict_keying_begin(struct exchange *ex)
{
    struct http_headers *received;

    if (LIKELY(!ex->api->settings.cache.strict_keying))
        return true;
    received = arena_new(ex->arena, struct http_headers);
    if (!received)
        return false;
    *received = http_headers_in(ex->arena);
    ex->received = received;
    return http_headers_copy(received, ex->request.headers);
}

static bool
is_received(const struct exchange *ex, const struct http_field *f)
{
    for (uint32_t i = 0; i < ex->received->n; i++) {
        const struct http_field *own = &ex->received->v[i];

        if (own->id == f->id && own->value.len == f->value.len && (own->value.p == f->value.p || f->value.len == 0) &&
            str_eq_nocase(own->name, f->name))
            return true;
    }
    return false;
}

bool
strict_keying_is_own(const struct exchange *ex, enum http_field_id id)
{
    for (uint32_t i = 0; ex->received && i < ex->request.headers->n; i++)
        if (ex->request.headers->v[i].id == id && is_received(ex, &ex->request.headers->v[i]))
            return true;
    return false;
}

/* --- what stored variants vary by ---------------------------------------------------------------------------------- */

struct known {
    struct arena *arena;
    struct str names[VARY_NAMES_MAX];
    uint32_t n;
};

static bool
is_named(struct str name, const struct str *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

static bool
see_variant(void *ctx, const struct cache_entry *e, const struct cache_seen *seen)
{
    struct known *k = ctx;
    struct str vary = cache_entry_vary(e), name, value;

    while (k->n < VARY_NAMES_MAX && cache_vary_next(&vary, &name, &value)) {
        if (is_named(name, k->names, k->n))
            continue;
        k->names[k->n] = str_dup(k->arena, name);
        k->n += k->names[k->n].p != NULL;
    }
    return k->n < VARY_NAMES_MAX;
}

/* --- fields and parameters ----------------------------------------------------------------------------------------- */

static bool
is_always_sent(enum http_field_id id)
{
    return id == HTTP_HOST || id == HTTP_VIA || id == HTTP_TRACEPARENT || id == HTTP_CDN_LOOP;
}

struct http_headers *
strict_keying_fields(struct exchange *ex, const struct cache_key *key, const struct str *names, uint32_t n)
{
    struct http_headers *kept;
    struct known *known;

    if (LIKELY(!ex->received))
        return ex->request.headers;
    kept = arena_new(ex->arena, struct http_headers);
    known = arena_new(ex->arena, struct known);
    if (!kept || !known)
        return NULL;
    known->arena = ex->arena;
    known->n = 0;
    cache_list_variants(tiers_memory(ex->services->tiers), key, loop_now_ms(ex->services->loop), see_variant, known);
    *kept = http_headers_in(ex->arena);
    for (uint32_t i = 0; i < ex->request.headers->n; i++) {
        const struct http_field *f = &ex->request.headers->v[i];
        bool goes = is_always_sent((enum http_field_id)f->id) || is_named(f->name, names, n) ||
                    is_named(f->name, known->names, known->n) || !is_received(ex, f);

        if (goes && !http_headers_add_id(kept, (enum http_field_id)f->id, f->name, f->value))
            return NULL;
    }
    return kept;
}

struct str
strict_keying_query(struct exchange *ex, struct str query, const struct str *names, uint32_t n)
{
    struct buf b = buf_in(ex->arena);
    struct str rest = query, pair;

    buf_reserve(&b, query.len + 1);
    while (str_split_next(&rest, '&', &pair)) {
        bool is_kept = false;

        for (uint32_t i = 0; i < n && !is_kept; i++)
            is_kept = cache_query_is_named(pair, names[i]);
        if (!is_kept)
            continue;
        if (b.len)
            buf_add_char(&b, '&');
        buf_add_str(&b, pair);
    }
    return b.failed ? STR_NONE : b.len ? buf_str(&b) : STR("");
}
