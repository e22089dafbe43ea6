/* buf.h: bytes that grow. Two kinds behind one set of calls: on malloc (BUF_INIT, freed with buf_destroy), or
 * in an arena (buf_in). Text is finished with buf_str(), which adds an uncounted NUL.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

#include "base/arena.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t len, cap;
    size_t max;               /* 0: no limit but memory's */
    struct arena *arena;      /* NULL: malloc */
    bool failed;              /* a limit was hit; what was added since is missing */
};

#define BUF_INIT ((struct buf){0})
#define buf_in(arena_) ((struct buf){.arena = (arena_)})

/* Room for n more bytes behind len; NULL, and failed set, when a limit is hit. The caller adds to len. */
char *buf_reserve_slow(struct buf *b, size_t n);
static inline char *
buf_reserve(struct buf *b, size_t n)
{
    return LIKELY(b->cap - b->len > n) ? b->p + b->len : buf_reserve_slow(b, n);    /* one byte stays for buf_str()'s NUL */
}
bool buf_add(struct buf *b, const void *p, size_t n);
static inline bool
buf_add_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);

    if (!to)
        return false;
    *to = c;
    b->len++;
    return true;
}
bool buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Plain decimal. */
bool buf_add_u64(struct buf *b, uint64_t n);
bool buf_add_i64(struct buf *b, int64_t n);
/* As the inside of a JSON string: quotes, backslash and controls escaped, bad UTF-8 as U+FFFD. No quotes around. */
bool buf_add_json_escaped(struct buf *b, struct str s);
/* As XML text or an attribute's value: markup and quotes escaped; bad UTF-8 and what XML cannot hold, such as controls, as U+FFFD. */
bool buf_add_xml_escaped(struct buf *b, struct str s);
static inline bool
buf_add_str(struct buf *b, struct str s)
{
    return buf_add(b, s.p, s.len);
}
#define buf_add_lit(b, lit) buf_add((b), "" lit, sizeof(lit) - 1)
/* The content; valid until the next change. STR_NONE after a failure. */
struct str buf_str(struct buf *b);
static inline void
buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}
/* Frees malloc memory; nothing to do for an arena. */
void buf_destroy(struct buf *b);
