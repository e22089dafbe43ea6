/* response_cache.c: responses as entries of the cache and back.
 *
 *     head = [u16 length, reason] ([u16 id][u16 name length][u32 value length][name][value])*
 * A hit builds fields that point into the entry, which the exchange holds until it ends; the body is read in place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/response_cache.h"

#include "http/body.h"
#include "http/headers.h"
#include "rt/loop.h"

uint64_t
response_now_ms(const struct exchange *ex)
{
    return loop_now_ms(ex->services->loop);
}

/* --- heads --------------------------------------------------------------------------------------------------------- */

struct field_prefix {
    uint16_t id, name_len;
    uint32_t value_len;
};

bool
response_head_encode(struct buf *to, const struct reply *r)
{
    uint16_t reason_len = (uint16_t)MIN(r->reason.len, (size_t)UINT16_MAX);

    buf_add(to, &reason_len, sizeof(reason_len));
    buf_add(to, r->reason.p, reason_len);
    for (uint32_t i = 0; i < r->headers->n; i++) {
        const struct http_field *f = &r->headers->v[i];
        struct field_prefix p = {f->id, (uint16_t)f->name.len, (uint32_t)f->value.len};

        buf_add(to, &p, sizeof(p));
        buf_add_str(to, f->name);
        buf_add_str(to, f->value);
    }
    return !to->failed;
}

static bool
take(struct str *rest, void *to, size_t n)
{
    if (rest->len < n)
        return false;
    memcpy(to, rest->p, n);
    *rest = str_skip(*rest, n);
    return true;
}

static bool
decode_head(struct str head, struct reply *r)
{
    uint16_t reason_len;
    struct field_prefix p;

    if (!take(&head, &reason_len, sizeof(reason_len)) || head.len < reason_len)
        return false;
    r->reason = reason_len ? str_sub(head, 0, reason_len) : STR_NONE;
    head = str_skip(head, reason_len);
    while (take(&head, &p, sizeof(p))) {
        if (head.len < (size_t)p.name_len + p.value_len)
            return false;
        if (!http_headers_add_id(r->headers, (enum http_field_id)p.id, str_sub(head, 0, p.name_len),
                                 str_sub(head, p.name_len, (size_t)p.name_len + p.value_len)))
            return false;
        head = str_skip(head, (size_t)p.name_len + p.value_len);
    }
    return true;
}

bool
response_head_fix(char *head, size_t len)
{
    struct str rest = str_from(head, len);
    uint16_t reason_len;
    struct field_prefix p;

    if (!take(&rest, &reason_len, sizeof(reason_len)) || rest.len < reason_len)
        return false;
    rest = str_skip(rest, reason_len);
    while (rest.len) {
        char *at = head + (len - rest.len);

        if (!take(&rest, &p, sizeof(p)) || rest.len < (size_t)p.name_len + p.value_len)
            return false;
        p.id = (uint16_t)http_field_id(str_sub(rest, 0, p.name_len));
        memcpy(at, &p, sizeof(p));
        rest = str_skip(rest, (size_t)p.name_len + p.value_len);
    }
    return true;
}

/* --- bodies -------------------------------------------------------------------------------------------------------- */

/* A body that reads an entry's pieces in place; the exchange holds the entry. */
struct entry_body {
    struct body super;
    const struct cache_entry *entry;
    uint32_t at;
};

static int
entry_body_read(struct body *b, struct str *ret_piece)
{
    struct entry_body *e = (struct entry_body *)b;

    if (e->at == cache_entry_pieces(e->entry))
        return IO_EOF;
    *ret_piece = cache_entry_piece(e->entry, e->at++);
    return IO_OK;
}

static void
entry_body_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
}

static bool
entry_body_rewind(struct body *b)
{
    ((struct entry_body *)b)->at = 0;
    return true;
}

static const struct body_ops entry_body_ops = {
    .name = "cache entry", .try_read = entry_body_read, .when_ready = entry_body_when_ready, .rewind = entry_body_rewind,
};

static bool
set_content(struct exchange *ex, struct reply *r, const struct cache_entry *entry)
{
    if (cache_entry_pieces(entry) <= 1) {
        struct str bytes = cache_entry_pieces(entry) ? cache_entry_piece(entry, 0) : STR("");

        r->content = (struct content){.state = CONTENT_BYTES, .bytes = bytes};
        return true;
    }
    struct entry_body *b = arena_new(ex->arena, struct entry_body);
    if (!b)
        return false;
    *b = (struct entry_body){.super = {.ops = &entry_body_ops, .length = (int64_t)cache_entry_body_length(entry),
                                       .keeps_pieces = true},
                             .entry = entry};
    r->content = (struct content){.state = CONTENT_STREAM, .stream = &b->super};
    return true;
}

static void
drop_entry(void *entry)
{
    cache_entry_unref(entry);
}

struct reply *
response_from_entry(struct exchange *ex, struct cache_entry *e)
{
    struct reply *r = reply_new(ex);

    if (!arena_defer(ex->arena, drop_entry, e)) {
        cache_entry_unref(e);
        return NULL;
    }
    if (!r || !http_headers_reserve(r->headers, 16) || !decode_head(cache_entry_head(e), r) || !set_content(ex, r, e))
        return NULL;
    r->status = cache_entry_status(e);
    return r;
}

/* --- the client's own cache ---------------------------------------------------------------------------------------- */

bool
response_set_downstream(struct exchange *ex, struct reply *r, const struct cache_intent *intent, uint64_t seconds_left)
{
    static const struct str words[2][2] = {
        {STR_INIT("private, max-age="), STR_INIT("private, must-revalidate, max-age=")},
        {STR_INIT("public, max-age="), STR_INIT("public, must-revalidate, max-age=")},
    };
    struct str value = STR("no-store");

    http_headers_remove_id(r->headers, HTTP_EXPIRES);
    http_headers_remove_id(r->headers, HTTP_PRAGMA);
    if (intent->downstream != DOWNSTREAM_NONE)
        value = str_concat_u64(ex->arena, words[intent->downstream == DOWNSTREAM_PUBLIC][intent->must_revalidate],
                               seconds_left);
    return value.p && http_headers_set(r->headers, STR("Cache-Control"), value);
}

/* --- response-cache:<path> ----------------------------------------------------------------------------------------- */

bool
response_cache_address(struct str key, struct str *ret_path, struct str *ret_query)
{
    struct str prefix = STR("response-cache:");

    if (!str_starts_with(key, prefix))
        return false;
    key = str_skip(key, prefix.len);
    ptrdiff_t question = str_find_char(key, '?', 0);
    *ret_path = question < 0 ? key : str_sub(key, 0, (size_t)question);
    *ret_query = question < 0 ? STR_NONE : str_skip(key, (size_t)question + 1);
    return true;
}

bool
response_warm_key(struct exchange *ex, struct str path, struct str query, struct cache_key *ret)
{
    struct buf b = buf_in(ex->arena);

    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("response-cache"));
    cache_key_add(&b, path);
    cache_key_add_query(&b, query, NULL, 0, ex->arena);
    return cache_key_end(&b, ret);
}

void
response_purge(struct exchange *ex, struct str path, struct str query)
{
    cache_scope_id scope = query.p ? cache_scope_url(path, query) : cache_scope(SCOPE_PATH, path);
    struct purge_order order = {.scopes = &scope, .n = 1, .what = path, .by = ex->at ? ex->at->policy : STR_NONE};

    if (ex->services->tiers)
        tiers_purge(ex->services->tiers, &order, NULL);
}
