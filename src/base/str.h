/* str.h: text as a view that nobody frees: bytes of an arena, a buffer or a literal.
 * Not terminated, may hold NUL. {NULL, 0} is "absent", {"", 0} is "empty"; both have len 0.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

#include <string.h>

struct arena;

struct str {
    const char *p;
    size_t len;
};

#define STR(lit) ((struct str){("" lit), sizeof(lit) - 1})
#define STR_INIT(lit) {("" lit), sizeof(lit) - 1}   /* the same, for static tables */
#define STR_NONE ((struct str){NULL, 0})
/* For "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).p

static inline struct str
str_from(const char *p, size_t len)
{
    return (struct str){p, len};
}

/* NULL gives STR_NONE. */
static inline struct str
str_from_c(const char *c)
{
    return c ? (struct str){c, strlen(c)} : STR_NONE;
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#define str_eq_lit(s, lit) str_eq((s), STR(lit))

/* ASCII case is ignored; other bytes compare as they are. */
bool str_eq_nocase(struct str a, struct str b);
/* Bytewise; <0, 0, >0; a prefix sorts first. */
int str_cmp(struct str a, struct str b);
int str_cmp_nocase(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_starts_with_nocase(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);

/* Index of the first c or needle at or after `from`, or -1. */
ptrdiff_t str_find_char(struct str s, char c, size_t from);
ptrdiff_t str_rfind_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle, size_t from);

/* The part [from, to); both are clamped to the length. */
static inline struct str
str_sub(struct str s, size_t from, size_t to)
{
    to = to > s.len ? s.len : to;
    from = from > to ? to : from;
    return (struct str){s.p + from, to - from};
}

static inline struct str
str_skip(struct str s, size_t n)
{
    return str_sub(s, n, s.len);
}

/* Without blanks (SP, HTAB, CR, LF) at both ends. */
struct str str_trim(struct str s);
/* Cuts s at the first `sep`: the part before goes to *head, the part after stays in *rest.
 * Without a separator *head is all and *rest is STR_NONE. False when *rest was STR_NONE already. */
bool str_split_next(struct str *rest, char sep, struct str *head);

/* Copies; the result is followed by a NUL that is not counted, so .p serves C functions. NULL-p when the
 * arena's limit is reached. */
struct str str_dup(struct arena *a, struct str s);
struct str str_concat(struct arena *a, struct str x, struct str y);
/* x, then n in plain decimal: for hot paths, where printf would be felt. */
struct str str_concat_u64(struct arena *a, struct str x, uint64_t n);
struct str str_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str str_lower(struct arena *a, struct str s);

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool
ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alpha(char c)
{
    return (unsigned)((c | 0x20) - 'a') < 26;
}

static inline bool
ascii_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 0-15, or -1. */
int ascii_hex_value(char c);
