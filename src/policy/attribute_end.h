/* attribute_end.h: where the value of an attribute ends, closed or not: text alone, no tree.
 *
 * A literal ends at the quote behind which the rest of a tag stands, so that quotes may be nested in it. Where the closing
 * quote was forgotten, the next attribute or the end of the tag shows it. A part of the reader (document.c), which reports.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

static inline bool
is_name_start(char c)
{
    return ascii_is_alpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static inline bool
is_name_char(char c)
{
    return is_name_start(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == ':';
}

static inline size_t
skip_blanks(struct str text, size_t at)
{
    while (at < text.len && ascii_is_blank(text.p[at]))
        at++;
    return at;
}

static inline size_t
skip_name(struct str text, size_t at)
{
    if (at < text.len && is_name_start(text.p[at]))
        while (at < text.len && is_name_char(text.p[at]))
            at++;
    return at;
}

/* Whether the quote at text[at] can be the end of an attribute: what follows looks like the rest of a tag. */
bool quote_ends_value(struct str text, size_t at);
/* The closing quote of a literal that begins at `at`; text.len when there is none. */
size_t literal_end(struct str text, size_t at, char quote);
/* Where a literal ends that no quote closes: with its tag. */
size_t tag_end(struct str text, size_t from);
/* Where a literal that begins at `from` ends when its closing quote was forgotten, so that the first quote behind it opens the
 * next attribute: name="a exists-action="skip". 0 when that is not so; quotes nested in a value (O="Contoso") stay what
 * they are. */
size_t run_on_end(struct str text, size_t from, char quote);
/* Whether a tag goes on or ends at `at`, where a closing quote should stand. */
bool goes_on_as_tag(struct str text, size_t at);
