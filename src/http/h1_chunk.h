/* h1_chunk.h: the chunked coding, read strictly. Chunk lines are judged and dropped, data comes out as views; what
 * goes out elsewhere is framed anew.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

#define H1_CHUNK_EXTENSION_BYTES 4096   /* the usual limit for one body, all chunks together */

enum h1_chunk_state {
    H1_CHUNK_SIZE,                    /* at the first digit of a size */
    H1_CHUNK_SIZE_MORE,               /* behind at least one digit */
    H1_CHUNK_EXTENSION,
    H1_CHUNK_SIZE_LF,
    H1_CHUNK_DATA,
    H1_CHUNK_DATA_CR,
    H1_CHUNK_DATA_LF,
    H1_CHUNK_TRAILERS,                /* behind the last chunk's line; the field parser takes over */
};

/* At the start of a body: all zero but extension_left. */
struct h1_chunk {
    uint64_t left;                    /* of the chunk's data */
    uint16_t extension_left;          /* bytes of extensions that may still come */
    uint8_t state;                    /* enum h1_chunk_state */
    uint8_t digits;
};

enum h1_chunk_event {
    H1_CHUNK_BAD = -1,                /* *why says so */
    H1_CHUNK_MORE,                    /* all bytes consumed, nothing to hand out */
    H1_CHUNK_PIECE,                   /* data */
    H1_CHUNK_END,                     /* the trailer section begins behind what was consumed */
};

/* Consumes from the front of *bytes; a piece is a view of it. */
enum h1_chunk_event h1_chunk_next(struct h1_chunk *c, struct str *bytes, struct str *ret_piece,
                                  const char **why);
