/* message.c: contents in their states, and replies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/message.h"

#include "exchange/exchange.h"
#include "http/body.h"
#include "http/message.h"
#include "model/api.h"
#include "rt/sync.h"

#define CONTENT_IN_ARENA_MAX (64u << 10)  /* larger bodies are kept outside, and counted */

/* --- contents ------------------------------------------------------------------------------------------------------ */

static void
destroy_pieces(void *pieces)
{
    pieces_destroy(pieces);
}

/* Pieces that are freed with the arena; NULL when it is full. */
static struct pieces *
pieces_in_arena(struct arena *a)
{
    struct pieces *p = arena_new(a, struct pieces);

    return p && arena_defer(a, destroy_pieces, p) ? p : NULL;
}

/* Of one body in memory. */
static uint64_t
buffer_max(const struct exchange *ex, const struct content *c)
{
    uint64_t own = ex->api && c != ex->request.content ? ex->api->settings.response_buffer_max : 0;

    return own ? own : ex->limits->buffered_body_max;
}

/* The budget of all exchanges together is spent: nobody's fault, and over soon. Always false. */
static bool
is_busy(struct err *err)
{
    if (err && err->code == ERR_NO_MEMORY)
        err->code = ERR_BUSY;
    return false;
}

/* Until no other fiber reads it. */
static bool
settle(struct content *c, struct err *err)
{
    while (c->state == CONTENT_READING)
        if (!fiber_cond_wait(c->reading, NO_DEADLINE, err))
            return false;
    return true;
}

/* Another branch may meanwhile have put a body in place of the one that is read here: that one stays. */
static bool
read_stream(struct exchange *ex, struct content *c, struct pieces *pieces, struct err *err)
{
    struct body *stream = c->stream;
    struct fiber_cond read;
    bool ok;

    fiber_cond_init(&read);
    *c = (struct content){.state = CONTENT_READING, .reading = &read};
    ok = body_read_all(stream, buffer_max(ex, c), ex->services->bodies, ex->deadline_ms, pieces, err);
    if (c->state == CONTENT_READING && ok)
        *c = (struct content){.state = CONTENT_PIECES, .pieces = pieces};
    else if (c->state == CONTENT_READING)
        *c = (struct content){.state = CONTENT_CONSUMED};
    fiber_cond_broadcast(&read);
    return ok || is_busy(err);
}

bool
content_buffer(struct exchange *ex, struct content *c, struct err *err)
{
    struct pieces *pieces;

    if (!settle(c, err))
        return false;
    if (c->state != CONTENT_STREAM)
        return true;
    pieces = pieces_in_arena(ex->arena);
    if (!pieces)
        return err_set(err, ERR_NO_MEMORY, "no memory left to keep a body");
    return read_stream(ex, c, pieces, err);
}

/* A small body becomes one view in the arena, a large one one piece outside of it. */
static bool
join(struct exchange *ex, struct pieces *p, struct str *ret, struct err *err)
{
    struct str all;

    if (p->bytes > CONTENT_IN_ARENA_MAX && !pieces_flatten(p, ex->services->bodies))
        return err_set(err, ERR_BUSY, "no memory left for a body of %" PRIu64 " bytes", p->bytes);
    all = pieces_join(p, ex->arena);
    if (!all.p)
        return err_set(err, ERR_NO_MEMORY, "a body of %" PRIu64 " bytes does not fit into the request's memory", p->bytes);
    *ret = all;
    return true;
}

bool
content_read(struct exchange *ex, struct content *c, bool is_kept, struct str *ret, struct err *err)
{
    if (!content_buffer(ex, c, err))
        return false;
    if (c->state == CONTENT_PIECES && !c->bytes.p && !join(ex, c->pieces, &c->bytes, err))
        return false;
    *ret = c->state == CONTENT_BYTES || c->state == CONTENT_PIECES ? c->bytes : STR_NONE;
    if (!is_kept && c->state != CONTENT_NONE)
        c->state = CONTENT_CONSUMED;
    return true;
}

static bool
decode(struct exchange *ex, struct str bytes, enum http_coding coding, uint64_t max, struct str *ret, struct err *err)
{
    struct pieces *pieces = pieces_in_arena(ex->arena);
    struct body *below = body_from_str(ex->arena, bytes), *decoded;

    decoded = below ? body_decode(ex->arena, below, coding, max, ex->limits->inflate_ratio, NULL) : NULL;
    if (!pieces || !decoded)
        return err_set(err, ERR_NO_MEMORY, "no memory left to decode a body");
    if (!body_read_all(decoded, max, ex->services->bodies, ex->deadline_ms, pieces, err))
        return is_busy(err);
    return join(ex, pieces, ret, err);
}

bool
content_read_decoded(struct exchange *ex, struct content *c, const struct http_headers *headers, bool is_kept,
                     struct str *ret, struct err *err)
{
    struct str word = http_headers_get(headers, HTTP_CONTENT_ENCODING), bytes;
    enum http_coding coding = HTTP_CODING_IDENTITY;

    if (!content_read(ex, c, is_kept, &bytes, err))
        return false;
    if (word.len && bytes.len && http_coding_from(str_trim(word), &coding) && coding != HTTP_CODING_IDENTITY)
        return decode(ex, bytes, coding, buffer_max(ex, c), ret, err);
    *ret = bytes;
    return true;
}

bool
content_body(struct exchange *ex, struct content *c, struct body **ret)
{
    if (!settle(c, NULL))
        return false;
    switch (c->state) {
    case CONTENT_NONE:
    case CONTENT_CONSUMED:
    case CONTENT_READING:
        *ret = NULL;
        return true;
    case CONTENT_STREAM:
        *ret = c->stream;
        *c = (struct content){.state = CONTENT_CONSUMED};
        return true;
    case CONTENT_BYTES:
        *ret = body_from_str(ex->arena, c->bytes);
        return *ret != NULL;
    case CONTENT_PIECES:
        *ret = body_from_pieces(ex->arena, c->pieces);
        return *ret != NULL;
    }
    UNREACHABLE();
}

bool
content_is_empty(const struct content *c)
{
    return c->state == CONTENT_NONE || c->state == CONTENT_CONSUMED;
}

void
content_set(struct content *c, struct str bytes)
{
    content_close(c);
    *c = (struct content){.state = CONTENT_BYTES, .bytes = bytes};
}

bool
content_set_copy(struct exchange *ex, struct content *c, struct str bytes, struct err *err)
{
    struct pieces *pieces;
    struct str copy;

    if (bytes.len <= CONTENT_IN_ARENA_MAX) {
        copy = str_dup(ex->arena, bytes);
        if (!copy.p)
            return err_set(err, ERR_NO_MEMORY, "no memory left for a body");
        content_set(c, copy);
        return true;
    }
    pieces = pieces_in_arena(ex->arena);
    if (!pieces || !pieces_add(pieces, bytes, ex->services->bodies))
        return err_set(err, ERR_NO_MEMORY, "no memory left for a body of %zu bytes", bytes.len);
    content_close(c);
    *c = (struct content){.state = CONTENT_PIECES, .pieces = pieces};
    return true;
}

void
content_close(struct content *c)
{
    if (!c)
        return;
    if (c->state == CONTENT_STREAM)
        body_close(c->stream);
    *c = (struct content){.state = CONTENT_NONE};
}

/* --- replies ------------------------------------------------------------------------------------------------------- */

struct reply *
reply_new(struct exchange *ex)
{
    struct reply *r = arena_new(ex->arena, struct reply);
    struct http_headers *headers = arena_new(ex->arena, struct http_headers);

    if (!r || !headers)
        return NULL;
    *headers = http_headers_in(ex->arena);
    r->status = 200;
    r->announced_length = HTTP_LENGTH_UNKNOWN;
    r->headers = headers;
    return r;
}

struct reply *
reply_copy(struct exchange *ex, const struct reply *from)
{
    struct reply *r = reply_new(ex);

    if (!r || !http_headers_copy(r->headers, from->headers))
        return NULL;
    r->status = from->status;
    r->reason = from->reason;
    r->content = from->content;
    if (from->content.state == CONTENT_STREAM)
        r->content = (struct content){.state = CONTENT_NONE};
    return r;
}
