/* fuzz_h1_chunk.c: the first byte is a step; a chunked body read at once and in parts of that size must give the
 * same data and the same end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "http/h1_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum h1_chunk_event
feed(struct str bytes, size_t step, struct buf *out, size_t *ret_left)
{
    struct h1_chunk c = {.extension_left = H1_CHUNK_EXTENSION_BYTES};
    enum h1_chunk_event e = H1_CHUNK_MORE;
    const char *why = NULL;

    for (size_t at = 0; at < bytes.len;) {
        struct str part = str_sub(bytes, at, at + step), piece;
        at += part.len;
        while ((e = h1_chunk_next(&c, &part, &piece, &why)) == H1_CHUNK_PIECE) {
            ASSERT(piece.len > 0);
            buf_add_str(out, piece);
        }
        *ret_left = part.len + bytes.len - at;
        ASSERT(e != H1_CHUNK_MORE || part.len == 0);
        ASSERT(e != H1_CHUNK_BAD || why);
        if (e == H1_CHUNK_BAD || e == H1_CHUNK_END)
            break;
    }
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole AUTO(buf_destroy) = BUF_INIT, parts AUTO(buf_destroy) = BUF_INIT;
    size_t left_whole = 0, left_parts = 0;
    enum h1_chunk_event a, b;
    struct str bytes;

    if (size < 2)
        return 0;
    bytes = str_from((const char *)data + 1, size - 1);
    a = feed(bytes, bytes.len, &whole, &left_whole);
    b = feed(bytes, (size_t)data[0] + 1, &parts, &left_parts);
    ASSERT(a == b && str_eq(buf_str(&whole), buf_str(&parts)));
    ASSERT(a != H1_CHUNK_END || left_whole == left_parts);
    return 0;
}
