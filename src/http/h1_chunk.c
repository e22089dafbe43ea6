/* h1_chunk.c: the chunked coding (h1_chunk.h).
 *     chunk      = 1*16HEXDIG [ ";" extension ] CR LF data CR LF
 *     last-chunk = 1*16"0" [ ";" extension ] CR LF
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_chunk.h"

#define CHUNK_DIGITS_MAX 16

static enum h1_chunk_event
refuse(const char **why, const char *text)
{
    *why = text;
    return H1_CHUNK_BAD;
}

static bool
is_extension_char(char c)
{
    return ((uint8_t)c >= 0x20 && c != 0x7f) || c == '\t';
}

/* One byte of a chunk line or of the line end behind data. NULL, or what is wrong with it. */
static const char *
line_byte(struct h1_chunk *c, char byte)
{
    int digit;

    switch ((enum h1_chunk_state)c->state) {
    case H1_CHUNK_SIZE:
    case H1_CHUNK_SIZE_MORE:
        digit = ascii_hex_value(byte);
        if (digit >= 0) {
            if (++c->digits > CHUNK_DIGITS_MAX)
                return "a chunk size of more than 16 digits";
            c->left = c->left << 4 | (uint64_t)digit;
            c->state = H1_CHUNK_SIZE_MORE;
            return NULL;
        }
        if (c->state == H1_CHUNK_SIZE || (byte != ';' && byte != '\r'))
            return "a chunk size that is not a hexadecimal number";
        c->state = byte == ';' ? H1_CHUNK_EXTENSION : H1_CHUNK_SIZE_LF;
        return NULL;
    case H1_CHUNK_EXTENSION:
        if (byte == '\r')
            c->state = H1_CHUNK_SIZE_LF;
        else if (!is_extension_char(byte))
            return "a control character in a chunk extension";
        else if (c->extension_left-- == 0)
            return "too many chunk extensions";
        return NULL;
    case H1_CHUNK_SIZE_LF:
        if (byte != '\n')
            return "a chunk line that does not end with CR LF";
        c->digits = 0;
        c->state = c->left ? H1_CHUNK_DATA : H1_CHUNK_TRAILERS;
        return NULL;
    case H1_CHUNK_DATA_CR:
        if (byte != '\r')
            return "a chunk longer than its size";
        c->state = H1_CHUNK_DATA_LF;
        return NULL;
    case H1_CHUNK_DATA_LF:
        if (byte != '\n')
            return "a chunk that does not end with CR LF";
        c->state = H1_CHUNK_SIZE;
        return NULL;
    case H1_CHUNK_DATA:
    case H1_CHUNK_TRAILERS:
        break;
    }
    UNREACHABLE();
}

enum h1_chunk_event
h1_chunk_next(struct h1_chunk *c, struct str *bytes, struct str *ret_piece, const char **why)
{
    while (c->state != H1_CHUNK_TRAILERS && bytes->len) {
        const char *wrong;

        if (c->state == H1_CHUNK_DATA) {
            *ret_piece = str_sub(*bytes, 0, (size_t)MIN(c->left, (uint64_t)bytes->len));
            *bytes = str_skip(*bytes, ret_piece->len);
            c->left -= ret_piece->len;
            if (c->left == 0)
                c->state = H1_CHUNK_DATA_CR;
            return H1_CHUNK_PIECE;
        }
        if ((wrong = line_byte(c, bytes->p[0])))
            return refuse(why, wrong);
        *bytes = str_skip(*bytes, 1);
    }
    return c->state == H1_CHUNK_TRAILERS ? H1_CHUNK_END : H1_CHUNK_MORE;
}
