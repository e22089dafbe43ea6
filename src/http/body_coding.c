/* body_coding.c: content codings as layers over a body: decoding for policies that read, encoding for clients that
 * accept (body.h).
 *
 *     below --pieces--> coder (zlib, brotli or zstd state on malloc) --> out, one buffer in the arena
 * The coder's state is freed when the layer is closed or its arena goes, whichever is first.
 * Invariants: C1  a decoder stops as soon as its output passes max bytes, or ratio times its input after the first MiB.
 *             C2  an encoder flushes when the body below has nothing at hand, so nothing a reader waits for
 *                 is kept back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "http/message.h"

#define OUT_SIZE ((size_t)16 << 10)
#define RATIO_STANDARD 200u
#define RATIO_FREE_BYTES ((uint64_t)1 << 20)
#define GZIP_LEVEL 4
#define BROTLI_LEVEL 4
#define BROTLI_WINDOW 18

struct coder {
    struct body super;
    enum http_coding coding;
    bool is_encoder, is_open;         /* open: the state below exists */
    bool is_input_over, is_done;
    uint64_t max, n_in, n_out;
    uint32_t ratio;                   /* of n_out to n_in, at most */
    uint64_t flushed_at;              /* n_in when all was flushed; UINT64_MAX: never */
    bool *was_hit;
    struct str in;                    /* what is left of the piece below */
    char *out;
    union {
        z_stream z;
        BrotliDecoderState *brotli_decoder;
        BrotliEncoderState *brotli_encoder;
        ZSTD_DStream *zstd;
    };
};

/* What a step shall do beyond consuming. */
enum step { STEP_RUN, STEP_FLUSH, STEP_FINISH };

static const struct str coding_names[] = {
    [HTTP_CODING_IDENTITY] = STR_INIT("identity"), [HTTP_CODING_GZIP] = STR_INIT("gzip"),
    [HTTP_CODING_DEFLATE] = STR_INIT("deflate"), [HTTP_CODING_BROTLI] = STR_INIT("br"),
    [HTTP_CODING_ZSTD] = STR_INIT("zstd"),
};

bool
http_coding_from(struct str word, enum http_coding *ret)
{
    if (str_eq_nocase(word, STR("x-gzip")))
        word = STR("gzip");
    for (size_t i = 0; i < COUNTOF(coding_names); i++) {
        if (str_eq_nocase(word, coding_names[i])) {
            *ret = (enum http_coding)i;
            return true;
        }
    }
    return false;
}

struct str
http_coding_name(enum http_coding coding)
{
    return coding_names[coding];
}

/* ---- one step of each coder: consumes from c->in, fills up to OUT_SIZE bytes. False: the data is broken ---- */

static bool
zlib_step(struct coder *c, enum step step, size_t *ret_len)
{
    int flush = step == STEP_FINISH ? Z_FINISH : step == STEP_FLUSH ? Z_SYNC_FLUSH : Z_NO_FLUSH, rc;

    c->z.next_in = (Bytef *)c->in.p;
    c->z.avail_in = (uInt)c->in.len;
    c->z.next_out = (Bytef *)c->out;
    c->z.avail_out = (uInt)OUT_SIZE;
    rc = c->is_encoder ? deflate(&c->z, flush) : inflate(&c->z, Z_NO_FLUSH);
    c->in = str_skip(c->in, c->in.len - c->z.avail_in);
    *ret_len = OUT_SIZE - c->z.avail_out;
    c->is_done = rc == Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool
brotli_decode_step(struct coder *c, size_t *ret_len)
{
    size_t in_len = c->in.len, out_len = OUT_SIZE;
    const uint8_t *in = (const uint8_t *)c->in.p;
    uint8_t *out = (uint8_t *)c->out;
    BrotliDecoderResult rc =
        BrotliDecoderDecompressStream(c->brotli_decoder, &in_len, &in, &out_len, &out, NULL);

    c->in = str_skip(c->in, c->in.len - in_len);
    *ret_len = OUT_SIZE - out_len;
    c->is_done = rc == BROTLI_DECODER_RESULT_SUCCESS;
    return rc != BROTLI_DECODER_RESULT_ERROR;
}

static bool
brotli_encode_step(struct coder *c, enum step step, size_t *ret_len)
{
    BrotliEncoderOperation op = step == STEP_FINISH  ? BROTLI_OPERATION_FINISH
                                : step == STEP_FLUSH ? BROTLI_OPERATION_FLUSH
                                                     : BROTLI_OPERATION_PROCESS;
    size_t in_len = c->in.len, out_len = OUT_SIZE;
    const uint8_t *in = (const uint8_t *)c->in.p;
    uint8_t *out = (uint8_t *)c->out;
    bool ok =
        BrotliEncoderCompressStream(c->brotli_encoder, op, &in_len, &in, &out_len, &out, NULL);

    c->in = str_skip(c->in, c->in.len - in_len);
    *ret_len = OUT_SIZE - out_len;
    c->is_done = BrotliEncoderIsFinished(c->brotli_encoder);
    return ok;
}

static bool
zstd_step(struct coder *c, size_t *ret_len)
{
    ZSTD_inBuffer in = {c->in.p, c->in.len, 0};
    ZSTD_outBuffer out = {c->out, OUT_SIZE, 0};
    size_t rc = ZSTD_decompressStream(c->zstd, &out, &in);

    c->in = str_skip(c->in, in.pos);
    *ret_len = out.pos;
    c->is_done = rc == 0;
    return !ZSTD_isError(rc);
}

static bool
code(struct coder *c, enum step step, size_t *ret_len)
{
    size_t before = c->in.len;
    bool ok = false;

    switch (c->coding) {
    case HTTP_CODING_GZIP:
    case HTTP_CODING_DEFLATE:
        ok = zlib_step(c, step, ret_len);
        break;
    case HTTP_CODING_BROTLI:
        ok = c->is_encoder ? brotli_encode_step(c, step, ret_len) : brotli_decode_step(c, ret_len);
        break;
    case HTTP_CODING_ZSTD:
        ok = zstd_step(c, ret_len);
        break;
    case HTTP_CODING_IDENTITY:
        UNREACHABLE();
    }
    c->n_in += before - c->in.len;
    c->n_out += *ret_len;
    return ok;
}

/* ---- state ---- */

static bool
coder_open(struct coder *c)
{
    switch (c->coding) {
    case HTTP_CODING_GZIP:
    case HTTP_CODING_DEFLATE:
        memset(&c->z, 0, sizeof(c->z));
        if (c->is_encoder)
            c->is_open =
                deflateInit2(&c->z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        else
            c->is_open = inflateInit2(&c->z, c->coding == HTTP_CODING_GZIP ? 15 + 16 : 15) == Z_OK;
        break;
    case HTTP_CODING_BROTLI:
        if (c->is_encoder && (c->brotli_encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL))) {
            BrotliEncoderSetParameter(c->brotli_encoder, BROTLI_PARAM_QUALITY, BROTLI_LEVEL);
            BrotliEncoderSetParameter(c->brotli_encoder, BROTLI_PARAM_LGWIN, BROTLI_WINDOW);
            c->is_open = true;
        } else if (!c->is_encoder) {
            c->is_open =
                (c->brotli_decoder = BrotliDecoderCreateInstance(NULL, NULL, NULL)) != NULL;
        }
        break;
    case HTTP_CODING_ZSTD:
        c->is_open = !c->is_encoder && (c->zstd = ZSTD_createDStream()) != NULL;
        if (c->is_open)
            ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, 23); /* 8 MiB, as RFC 9659 has it */
        break;
    case HTTP_CODING_IDENTITY:
        break;
    }
    return c->is_open;
}

static void
coder_free(void *arg)
{
    struct coder *c = arg;

    if (!c->is_open)
        return;
    c->is_open = false;
    switch (c->coding) {
    case HTTP_CODING_GZIP:
    case HTTP_CODING_DEFLATE:
        c->is_encoder ? deflateEnd(&c->z) : inflateEnd(&c->z);
        break;
    case HTTP_CODING_BROTLI:
        if (c->is_encoder)
            BrotliEncoderDestroyInstance(c->brotli_encoder);
        else
            BrotliDecoderDestroyInstance(c->brotli_decoder);
        break;
    case HTTP_CODING_ZSTD:
        ZSTD_freeDStream(c->zstd);
        break;
    case HTTP_CODING_IDENTITY:
        break;
    }
}

/* ---- decoding ---- */

/* "deflate" means zlib's wrapper, but raw deflate is sent under that name too: the first byte tells. */
static void
guess_raw_deflate(struct coder *c)
{
    if (c->coding == HTTP_CODING_DEFLATE && c->n_in == 0 && (c->in.p[0] & 0x0f) != Z_DEFLATED) {
        inflateEnd(&c->z);
        memset(&c->z, 0, sizeof(c->z));
        c->is_open = inflateInit2(&c->z, -15) == Z_OK;
    }
}

/* gzip files may be joined end to end (RFC 1952 2.2). */
static bool
next_member(struct coder *c)
{
    if (c->coding != HTTP_CODING_GZIP || c->in.p[0] != 0x1f || inflateReset(&c->z) != Z_OK)
        return false;
    c->is_done = false;
    return true;
}

static bool
is_bomb(struct coder *c)
{
    if (c->n_out <= c->max && (c->n_out <= RATIO_FREE_BYTES || c->n_out / c->ratio <= c->n_in))
        return false;
    if (c->was_hit)
        *c->was_hit = true;
    return true;                      /* C1 */
}

static int
decode_try_read(struct body *b, struct str *ret_piece)
{
    struct coder *c = (struct coder *)b;

    for (;;) {
        size_t len = 0, had = c->in.len;
        int status;
        if (had == 0 && !c->is_input_over) {
            status = body_try_read(b->below, &c->in);
            if (status == IO_EOF)
                c->is_input_over = true;
            else if (status != IO_OK)
                return status;
            else
                guess_raw_deflate(c);
            had = c->in.len;
        }
        if (c->is_done && c->is_input_over && had == 0)
            return IO_EOF;
        if (c->is_done && had == 0)
            continue;
        if (c->is_done && !next_member(c))
            return IO_ERROR;          /* bytes behind the end: somebody else may read them as more */
        if (!c->is_open || !code(c, STEP_RUN, &len) || is_bomb(c))
            return IO_ERROR;
        if (len) {
            *ret_piece = str_from(c->out, len);
            return IO_OK;
        }
        if (had && c->in.len == had && !c->is_done)
            return IO_ERROR;
        if (c->is_input_over && !c->is_done)
            return c->n_in == 0 ? IO_EOF : IO_ERROR; /* nothing at all is an empty body, else it was cut short */
    }
}

/* ---- encoding ---- */

static int
encode_try_read(struct body *b, struct str *ret_piece)
{
    struct coder *c = (struct coder *)b;

    while (!c->is_done) {
        enum step step = c->is_input_over ? STEP_FINISH : STEP_RUN;
        size_t len = 0;
        int status = IO_OK;
        if (c->in.len == 0 && !c->is_input_over) {
            status = body_try_read(b->below, &c->in);
            if (status == IO_EOF) {
                c->is_input_over = true;
                step = STEP_FINISH;
            } else if (status == IO_AGAIN) {
                step = STEP_FLUSH;    /* C2 */
            } else if (status != IO_OK) {
                return status;
            }
        }
        if (step == STEP_FLUSH && c->n_in == c->flushed_at)
            return IO_AGAIN;
        if (!code(c, step, &len))
            return IO_ERROR;
        if (step == STEP_FLUSH && len < OUT_SIZE)
            c->flushed_at = c->n_in;
        if (len) {
            *ret_piece = str_from(c->out, len);
            return IO_OK;
        }
        if (status == IO_AGAIN)
            return IO_AGAIN;
    }
    return IO_EOF;
}

static void
coder_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    body_when_ready(b->below, fn, ctx);
}

static void
coder_close(struct body *b)
{
    coder_free(b);
}

static const struct body_ops decode_ops = {
    .name = "decode",
    .try_read = decode_try_read,
    .when_ready = coder_when_ready,
    .close = coder_close,
};
static const struct body_ops encode_ops = {
    .name = "encode",
    .try_read = encode_try_read,
    .when_ready = coder_when_ready,
    .close = coder_close,
};

static struct coder *
coder_new(struct arena *arena, struct body *below, enum http_coding coding,
          const struct body_ops *ops)
{
    struct coder *c = arena_new(arena, struct coder);

    if (!c || !(c->out = arena_alloc(arena, OUT_SIZE, 1, 1)) || !arena_defer(arena, coder_free, c))
        return NULL;
    c->super = (struct body){.ops = ops, .below = below, .length = HTTP_LENGTH_UNKNOWN};
    c->coding = coding;
    c->is_encoder = ops == &encode_ops;
    c->flushed_at = UINT64_MAX;
    return coder_open(c) ? c : NULL;
}

struct body *
body_decode(struct arena *arena, struct body *below, enum http_coding coding, uint64_t max, uint32_t ratio,
            bool *ret_was_hit)
{
    struct coder *c;

    if (coding == HTTP_CODING_IDENTITY)
        return body_limit(arena, below, max, ret_was_hit);
    if (!(c = coder_new(arena, below, coding, &decode_ops)))
        return NULL;
    c->max = max;
    c->ratio = ratio ? ratio : RATIO_STANDARD;
    c->was_hit = ret_was_hit;
    return &c->super;
}

struct body *
body_encode(struct arena *arena, struct body *below, enum http_coding coding)
{
    struct coder *c;

    ASSERT(coding == HTTP_CODING_GZIP || coding == HTTP_CODING_BROTLI);
    if (!(c = coder_new(arena, below, coding, &encode_ops)))
        return NULL;
    return &c->super;
}
