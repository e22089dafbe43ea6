/* utf8.h: UTF-8, and WTF-8, which also holds lone surrogates, as .NET strings may.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* Bytes of the well-formed UTF-8 sequence at s[at] (1-4), or 0 when there is none (RFC 3629: no surrogates,
 * no overlong forms, nothing above U+10FFFF). */
size_t utf8_sequence_len(struct str s, size_t at);
bool utf8_is_valid(struct str s);
bool utf8_is_ascii(struct str s);
/* Decodes one code point of WTF-8 at *at and moves on; a bad byte gives U+FFFD and one step. */
uint32_t utf8_next(struct str s, size_t *at);
/* Writes 1-4 bytes (surrogates as 3); returns how many. */
size_t utf8_put(char *to, uint32_t code_point);
/* UTF-16 code units of WTF-8 text. */
size_t utf8_units(struct str s);
/* The text of a file: UTF-16 with a byte order mark, as some editors and shells write it, becomes UTF-8 in `a`, where a half of a pair
 * alone is left out or U+FFFD; anything else is s itself. */
struct str utf8_from_file(struct arena *a, struct str s);
