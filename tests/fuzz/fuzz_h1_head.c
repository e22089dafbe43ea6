/* fuzz_h1_head.c: the bytes as a request head and as a response head. The first byte picks where they are cut: a
 * prefix must be incomplete or refused, never accepted as something shorter than the whole. What is accepted is
 * written again and must read the same; the vector scans must agree with the scalar ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/arena.h"
#include "http/h1_framing.h"
#include "http/h1_scan.h"
#include "http/h1_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_head_limits limits = {.target_bytes = 200, .fields = 20};

static void
scans_agree(struct str bytes)
{
    const char *end = bytes.p + bytes.len;

    for (size_t i = 0; i < bytes.len && i < 64; i++) {
        ASSERT(h1_scan_value(bytes.p + i, end) == h1_scan_value_scalar(bytes.p + i, end));
        ASSERT(h1_scan_target(bytes.p + i, end) == h1_scan_target_scalar(bytes.p + i, end));
    }
}

static ptrdiff_t
request(struct arena *arena, struct str bytes, struct http_request *rq, struct h1_framing *f)
{
    struct h1_refusal why = {0};
    bool has_underscore;
    ptrdiff_t n;

    *rq = (struct http_request){.headers = http_headers_in(arena)};
    n = h1_parse_request(bytes, &limits, rq, &has_underscore, &why);
    if (n > 0 && !h1_frame_request(rq, STR("http"), has_underscore, f, &why))
        n = H1_BAD;
    ASSERT(n != H1_BAD || (why.why && why.status >= 400));
    ASSERT(n <= (ptrdiff_t)bytes.len);
    return n;
}

/* What was accepted, written anew, is accepted again and means the same. */
static void
written_reads_the_same(struct arena *arena, const struct http_request *rq,
                       const struct h1_framing *f)
{
    struct h1_out out = {.content_length =
                             f->kind == H1_BODY_LENGTH ? rq->content_length : HTTP_LENGTH_UNKNOWN,
                         .is_chunked = f->kind == H1_BODY_CHUNKED};
    struct http_request again;
    struct h1_framing framing;
    size_t size = h1_request_size(rq, &out), n;
    char *to = arena_alloc(arena, size, 1, 1);

    if (rq->authority.len == 0)
        return;
    n = h1_write_request(to, rq, &out);
    ASSERT(n > 0 && n <= size);
    if (rq->headers.n + 4 > limits.fields || rq->target.len + 2 > limits.target_bytes)
        return;
    ASSERT(request(arena, str_from(to, n), &again, &framing) == (ptrdiff_t)n);
    ASSERT(framing.kind == f->kind &&
           again.content_length == (f->kind == H1_BODY_NONE ? 0 : rq->content_length));
    ASSERT(str_eq(again.path, rq->path) && str_eq(again.query, rq->query) &&
           str_eq(again.authority, rq->authority));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_response rs = {.headers = http_headers_in(&arena)};
    struct http_request rq, part;
    struct h1_framing f = {0};
    struct h1_refusal why = {0};
    struct str bytes;
    ptrdiff_t whole, cut;

    if (size < 2)
        return 0;
    bytes = str_from((const char *)data + 1, size - 1);
    scans_agree(bytes);
    cut = request(&arena, str_sub(bytes, 0, bytes.len * data[0] / 256), &part, &f);
    whole = request(&arena, bytes, &rq, &f);
    ASSERT(cut == H1_MORE || cut == whole || (cut == H1_BAD && whole == H1_BAD));
    if (whole > 0)
        written_reads_the_same(&arena, &rq, &f);
    whole = h1_parse_response(bytes, &limits, &rs, &why);
    if (whole > 0)
        h1_frame_response(&rs, data[0] & 1 ? HTTP_METHOD_HEAD : HTTP_METHOD_GET, &f, &why);
    return 0;
}
