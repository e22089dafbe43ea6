/* stored_reply.c: responses as entries of the cache and back.
 *
 *     head = [u16 length, reason] ([u16 id][u16 name length][u32 value length][name][value])*
 * A hit builds fields that point into the entry, which the exchange holds until it ends; the body is read in place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/stored_reply.h"

#include "http/body.h"
#include "http/compress.h"
#include "http/conditional.h"
#include "http/headers.h"

/* --- heads --------------------------------------------------------------------------------------------------------- */

struct field_prefix {
    uint16_t id, name_len;
    uint32_t value_len;
};

bool
stored_head_encode(struct buf *to, const struct reply *r)
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

bool
stored_head_decode(struct str head, struct reply *r)
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
stored_head_fix(char *head, size_t len)
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
reply_from_entry(struct exchange *ex, struct cache_entry *e, struct body *coming)
{
    struct reply *r = reply_new(ex);

    if (!arena_defer(ex->arena, drop_entry, e)) {
        cache_entry_unref(e);
        return NULL;
    }
    if (!r || !http_headers_reserve(r->headers, 16) || !stored_head_decode(cache_entry_head(e), r))
        return NULL;
    r->status = cache_entry_status(e);
    if (coming)
        r->content = (struct content){.state = CONTENT_STREAM, .stream = coming};
    return coming || set_content(ex, r, e) ? r : NULL;
}

/* --- codings ------------------------------------------------------------------------------------------------------- */

/* What describes the bytes as they were. */
static void
remove_packed_fields(struct http_headers *h)
{
    static const struct str names[] = {STR_INIT("Content-Encoding"), STR_INIT("Content-Length"), STR_INIT("Accept-Ranges"),
                                       STR_INIT("Content-MD5"), STR_INIT("Content-Digest"), STR_INIT("Digest")};

    for (size_t i = 0; i < COUNTOF(names); i++)
        http_headers_remove(h, names[i]);
}

static bool
unpack(struct exchange *ex, struct reply *r, enum http_coding coding)
{
    struct body *below = r->content.state == CONTENT_STREAM ? r->content.stream : NULL, *plain;

    if (r->content.state == CONTENT_BYTES || r->content.state == CONTENT_PIECES)
        if (!content_body(ex, &r->content, &below))
            return false;
    remove_packed_fields(r->headers);
    if (!http_weaken_etag(ex->arena, r->headers))
        return false;
    if (!below)
        return true;
    plain = body_decode(ex->arena, below, coding, UINT64_MAX, ex->limits->inflate_ratio, NULL);
    if (plain)
        r->content = (struct content){.state = CONTENT_STREAM, .stream = plain};
    return plain != NULL;
}

bool
reply_fit_coding(struct exchange *ex, struct reply *r)
{
    struct str word = http_headers_get(r->headers, HTTP_CONTENT_ENCODING);
    enum http_coding coding;

    if (LIKELY(!word.len) || !ex->call || !http_status_has_body(r->status) || r->status == 206 ||
        !http_coding_from(str_trim(word), &coding) || coding == HTTP_CODING_IDENTITY ||
        http_list_has(http_headers_get_joined(r->headers, STR("Cache-Control")), STR("no-transform")))
        return true;
    if (!http_vary_by_coding(ex->arena, r->headers))
        return false;
    return http_accepts_coding(ex->accept_encoding, coding) || unpack(ex, r, coding);
}

/* --- what the client asked for of it ------------------------------------------------------------------------------- */

/* Part of a body: what comes before is dropped, what comes behind is not read. */
struct slice_body {
    struct body super;
    uint64_t skip, left;
};

static int
slice_try_read(struct body *b, struct str *ret_piece)
{
    struct slice_body *s = (struct slice_body *)b;
    int status;

    if (s->left == 0)
        return IO_EOF;
    while ((status = body_try_read(b->below, ret_piece)) == IO_OK) {
        if (s->skip >= ret_piece->len) {
            s->skip -= ret_piece->len;
            continue;
        }
        *ret_piece = str_skip(*ret_piece, (size_t)s->skip);
        s->skip = 0;
        *ret_piece = str_sub(*ret_piece, 0, (size_t)MIN(s->left, (uint64_t)ret_piece->len));
        s->left -= ret_piece->len;
        return IO_OK;
    }
    return status == IO_EOF ? IO_ERROR : status;     /* shorter than it said */
}

static void
slice_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    body_when_ready(b->below, fn, ctx);
}

static const struct body_ops slice_ops = {.name = "slice", .try_read = slice_try_read, .when_ready = slice_when_ready};

static bool
slice(struct exchange *ex, struct content *c, uint64_t from, uint64_t to)
{
    struct slice_body *s;

    if (c->state == CONTENT_BYTES) {
        c->bytes = str_sub(c->bytes, (size_t)from, (size_t)to);
        return true;
    }
    s = arena_new(ex->arena, struct slice_body);
    if (!s)
        return false;
    *s = (struct slice_body){.super = {.ops = &slice_ops, .below = c->stream, .length = (int64_t)(to - from),
                                       .keeps_pieces = c->stream->keeps_pieces}, .skip = from, .left = to - from};
    c->stream = &s->super;
    return true;
}

static int64_t
length_of(const struct content *c)
{
    return c->state == CONTENT_BYTES ? (int64_t)c->bytes.len : c->state == CONTENT_STREAM ? c->stream->length : -1;
}

static void
set_range(struct exchange *ex, struct str field, struct reply *r)
{
    int64_t length = length_of(&r->content);
    uint64_t from, to;

    if (length < 0)
        return;
    switch (http_range_read(field, (uint64_t)length, &from, &to)) {
    case HTTP_RANGE_ALL:
        return;
    case HTTP_RANGE_PART:
        if (!slice(ex, &r->content, from, to))
            return;
        r->status = 206;
        http_headers_set(r->headers, STR("Content-Range"),
                         str_printf(ex->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, from, to - 1, length));
        break;
    case HTTP_RANGE_UNSATISFIABLE:
        content_set(&r->content, STR(""));
        r->status = 416;
        http_headers_set(r->headers, STR("Content-Range"), str_printf(ex->arena, "bytes */%" PRId64, length));
        break;
    }
    r->reason = STR_NONE;
}

void
reply_settle_conditions(struct exchange *ex, const struct http_headers *request, bool is_head, struct reply *r)
{
    if (r->status != 200)
        return;
    if (http_is_not_modified(request, r->headers)) {
        r->status = 304;
        r->reason = STR_NONE;
        content_close(&r->content);
    } else if (!is_head && http_headers_has(request, HTTP_RANGE) && http_range_applies(request, r->headers)) {
        set_range(ex, http_headers_get(request, HTTP_RANGE), r);
    }
}
