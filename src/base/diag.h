/* diag.h: problems found in files people wrote: where, how bad, what was expected; printed with the line and a caret.
 *
 *     apis/shop/policy.xml:12:34: error: `Headers` has no member `GetValueOrDefalt`; did you mean `GetValueOrDefault`?
 *        12 | <set-header name="x"><value>@(context.Request.Headers.GetValueOrDefalt("x"))</value>
 *           |                                                       ^~~~~~~~~~~~~~~~
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };

/* A file's name and text. Whoever makes it keeps it alive as long as the diags that point into it. */
struct source {
    struct str name;
    struct str text;
};

/* How positions in a text made from a source (entities decoded, named values put in) lead back to it. Segments are
 * sorted by `at`; inside one, both sides advance together. n == 0: the text is the source from `base` on. */
struct text_map {
    const struct source *source;
    uint32_t base;
    uint32_t n;
    struct text_segment {
        uint32_t at;       /* first byte in the made text */
        uint32_t from;     /* where it stands in the source */
        bool is_fixed;     /* every byte of the segment stands for `from` (a replaced token) */
    } *segments;
};

/* The source offset of byte `at` of the made text. */
uint32_t text_map_source(const struct text_map *map, uint32_t at);

struct diag {
    enum diag_level level;
    const struct source *source;      /* NULL: about no file */
    uint32_t offset, len;             /* bytes in source->text */
    struct str message;
    bool hides_line;                  /* the line holds a secret and is not printed */
    const void *part;                 /* that found it last, and how many have */
    uint32_t parts;
    struct diag *next;
};

struct diags {
    struct arena *arena;              /* messages live here */
    struct diag *first, **last;
    uint32_t errors, warnings, notes; /* repeats too */
    uint32_t kept[DIAG_ERROR + 1], repeats[DIAG_ERROR + 1]; /* of a level: in the list; found again and there once */
    const void *part;                 /* whose work finds what is added: a document, which may bring in parts of others; or NULL */
    uint32_t max;                     /* of a level; later ones are counted, not kept; 0: 1000 */
};

void diags_init(struct diags *d, struct arena *arena);
/* Never fails; a message that the arena cannot hold is only counted. */
void diag_add(struct diags *d, enum diag_level level, const struct source *source, uint32_t offset, uint32_t len,
              const char *fmt, ...) PRINTF_LIKE(6, 7);
/* The same for a range of a made text. */
void diag_add_mapped(struct diags *d, enum diag_level level, const struct text_map *map, uint32_t at, uint32_t len,
                     const char *fmt, ...) PRINTF_LIKE(6, 7);

/* The line of the last one that was added is not printed with it. */
void diags_hide_line(struct diags *d);

struct line_column {
    uint32_t line, column;            /* from 1; columns count characters (UTF-8 sequences), a tab is one */
};
struct line_column source_position(const struct source *source, uint32_t offset);

/* One problem with its line and caret, as in the picture above. */
void diag_print(const struct diag *d, struct buf *to);
/* How many different ones of a level there are. */
uint32_t diags_count(const struct diags *d, enum diag_level level);
/* All, in order of file and position. What several parts have found is there once, and says in how many. */
void diags_print(const struct diags *d, struct buf *to);
/* "FILE:LINE:COL: message" of the first error, for logs; STR_NONE when there is none. */
struct str diags_first_error(const struct diags *d, struct arena *a);

/* The candidate nearest to `name` by edit distance, when near enough to be what was meant; STR_NONE otherwise.
 * next(ctx, &candidate) gives one name a call, false at the end. */
struct str diag_nearest(struct str name, bool (*next)(void *ctx, struct str *candidate), void *ctx);
