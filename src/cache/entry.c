/* entry.c: building, reading and freeing entries, and the fields they vary by.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/entry.h"

#include <stdatomic.h>
#include <stdlib.h>

static uint32_t
pieces_of(uint64_t body_len)
{
    return (uint32_t)((body_len + CACHE_PIECE_SIZE - 1) / CACHE_PIECE_SIZE);
}

/* More than one piece: they have memory of their own. */
static bool
is_pieced(uint64_t body_len)
{
    return body_len > CACHE_PIECE_SIZE;
}

static size_t
entry_size(const struct cache_item *item, uint64_t body_len)
{
    size_t n_scopes = item->scopes ? item->scopes->n : 0;

    return sizeof(struct cache_entry) + n_scopes * sizeof(cache_scope_id) + item->head.len + item->vary.len +
           item->key.bytes.len + (is_pieced(body_len) ? pieces_of(body_len) * sizeof(char *) : body_len);
}

uint64_t
entry_bytes(const struct cache_item *item, uint64_t body_len)
{
    return heap_bytes(entry_size(item, body_len));
}

static char **
piece_table(const struct cache_entry *e)
{
    return (char **)(e->scopes + e->n_scopes);
}

/* Where head, vary, key and a short body begin. */
static char *
text_of(const struct cache_entry *e)
{
    return (char *)(piece_table(e) + (is_pieced(e->body_len) ? e->n_pieces : 0));
}

static char *
put(char *to, struct str s)
{
    if (s.len)
        memcpy(to, s.p, s.len);
    return to + s.len;
}

struct cache_entry *
entry_new(struct cache_budget *budget, const struct cache_item *item, struct str inside, char **pieces,
          uint64_t body_len)
{
    struct cache_entry *e = xmalloc(entry_size(item, body_len));
    char *to;

    *e = (struct cache_entry){
        .refs = 1, .kind = (uint8_t)item->key.bytes.p[0], .status = item->status, .tag = item->tag,
        .n_scopes = (uint16_t)(item->scopes ? item->scopes->n : 0), .n_pieces = pieces_of(body_len),
        .head_len = (uint32_t)item->head.len, .vary_len = (uint32_t)item->vary.len,
        .key_len = (uint32_t)item->key.bytes.len, .body_len = body_len, .hash = item->key.hash.lo,
        .stored_ms = item->stored_ms, .expires_ms = item->expires_ms,
        .stale_until_ms = MAX(item->stale_until_ms, item->expires_ms), .stale_since_ms = item->expires_ms,
        .revalidate_s = item->revalidate_s, .error_s = item->error_s, .age_s = item->age_s, .flags = item->flags,
        .budget = budget, .born = item->born, .generation = item->born, .source = item->source, .source_epoch = item->source_epoch};
    if (e->n_scopes)
        memcpy(e->scopes, item->scopes->v, e->n_scopes * sizeof(cache_scope_id));
    if (is_pieced(body_len))
        memcpy(piece_table(e), pieces, e->n_pieces * sizeof(char *));
    to = put(text_of(e), item->head);
    to = put(to, item->vary);
    to = put(to, item->key.bytes);
    if (!is_pieced(body_len))
        put(to, inside);
    return e;
}

struct cache_entry *
entry_with_body_of(struct cache_budget *budget, const struct cache_item *item, struct cache_entry *old)
{
    struct str inside = old->n_pieces == 1 ? cache_entry_piece(old, 0) : STR_NONE;
    struct cache_entry *e = entry_new(budget, item, inside, is_pieced(old->body_len) ? piece_table(old) : NULL, old->body_len);

    if (is_pieced(old->body_len))
        e->body_of = cache_entry_ref(old->body_of ? old->body_of : old);
    return e;
}

static void
entry_free(struct cache_entry *e)
{
    if (is_pieced(e->body_len) && !e->body_of)
        for (uint32_t i = 0; i < e->n_pieces; i++)
            free(piece_table(e)[i]);
    cache_entry_unref(e->body_of);
    atomic_fetch_sub_explicit(&e->budget->bytes, e->charge, memory_order_relaxed);
    free(e);
}

struct cache_entry *
cache_entry_ref(struct cache_entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void
cache_entry_unref(struct cache_entry *e)
{
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        entry_free(e);
}

/* ---- reading ---- */

const cache_scope_id *
cache_entry_scopes(const struct cache_entry *e, uint32_t *ret_n)
{
    *ret_n = e->n_scopes;
    return e->scopes;
}

bool
entry_has_scope(const struct cache_entry *e, cache_scope_id scope)
{
    for (uint32_t i = 0; i < e->n_scopes; i++)
        if (e->scopes[i] == scope)
            return true;
    return false;
}

uint32_t
cache_entry_source(const struct cache_entry *e)
{
    return e->source;
}

uint32_t
cache_entry_source_epoch(const struct cache_entry *e)
{
    return e->source_epoch;
}

enum cache_kind
cache_entry_kind(const struct cache_entry *e)
{
    return (enum cache_kind)e->kind;
}

uint16_t
cache_entry_status(const struct cache_entry *e)
{
    return e->status;
}

uint16_t
cache_entry_tag(const struct cache_entry *e)
{
    return e->tag;
}

struct str
cache_entry_head(const struct cache_entry *e)
{
    return str_from(text_of(e), e->head_len);
}

struct str
cache_entry_vary(const struct cache_entry *e)
{
    return str_from(text_of(e) + e->head_len, e->vary_len);
}

struct str
cache_entry_key(const struct cache_entry *e)
{
    return str_from(text_of(e) + e->head_len + e->vary_len, e->key_len);
}

uint64_t
cache_entry_body_length(const struct cache_entry *e)
{
    return e->body_len;
}

uint32_t
cache_entry_pieces(const struct cache_entry *e)
{
    return e->n_pieces;
}

struct str
cache_entry_piece(const struct cache_entry *e, uint32_t i)
{
    ASSERT(i < e->n_pieces);
    if (!is_pieced(e->body_len))
        return str_from(text_of(e) + e->head_len + e->vary_len + e->key_len, e->body_len);
    return str_from(piece_table(e)[i], MIN((uint64_t)CACHE_PIECE_SIZE, e->body_len - (uint64_t)i * CACHE_PIECE_SIZE));
}

uint64_t
cache_entry_stored_ms(const struct cache_entry *e)
{
    return e->stored_ms;
}

uint64_t
cache_entry_expires_ms(const struct cache_entry *e)
{
    return e->expires_ms;
}

uint64_t
cache_entry_stale_until_ms(const struct cache_entry *e)
{
    return e->stale_until_ms;
}

uint32_t
cache_entry_revalidate_s(const struct cache_entry *e)
{
    return e->revalidate_s;
}

uint32_t
cache_entry_error_s(const struct cache_entry *e)
{
    return e->error_s;
}

uint32_t
cache_entry_age_s(const struct cache_entry *e)
{
    return e->age_s;
}

uint32_t
cache_entry_flags(const struct cache_entry *e)
{
    return e->flags;
}

bool
entry_matches(const struct cache_entry *e, const struct cache_key *key)
{
    return e->hash == key->hash.lo && str_eq(cache_entry_key(e), key->bytes);
}

/* ---- variants: { name length, value length + 1 or 0 when absent; both as 4 bytes; name; value }* ---- */

void
cache_vary_add(struct buf *b, struct str name, struct str value)
{
    uint32_t lengths[2] = {(uint32_t)name.len, value.p ? (uint32_t)value.len + 1 : 0};

    buf_add(b, lengths, sizeof(lengths));
    buf_add_str(b, name);
    buf_add_str(b, value);
}

bool
cache_vary_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    uint32_t lengths[2], value_len;

    if (rest->len < sizeof(lengths))
        return false;
    memcpy(lengths, rest->p, sizeof(lengths));
    value_len = lengths[1] ? lengths[1] - 1 : 0;
    *ret_name = str_from(rest->p + sizeof(lengths), lengths[0]);
    *ret_value = lengths[1] ? str_from(ret_name->p + lengths[0], value_len) : STR_NONE;
    *rest = str_skip(*rest, sizeof(lengths) + lengths[0] + value_len);
    return true;
}

bool
cache_vary_fits(struct str vary, const struct cache_request *request)
{
    struct str name, value;

    if (vary.len && !request)
        return false;
    while (cache_vary_next(&vary, &name, &value)) {
        struct str asked = request->field(request->ctx, name);
        if (!asked.p != !value.p || !str_eq(asked, value))
            return false;
    }
    return true;
}
