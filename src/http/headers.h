/* headers.h: the fields of one message, in the order they came, names in any case.
 *
 *     struct http_headers h = http_headers_in(arena);
 *     http_headers_add(&h, STR("Via"), STR("1.1 gate"));
 *     struct str type = http_headers_get(&h, HTTP_CONTENT_TYPE);       (STR_NONE when absent)
 *
 * Names and values are views: of the read buffer of an exchange, of its arena, or literals. Whoever adds one sees
 * to it that it lives as long as the message (str_dup into the arena otherwise). Fields that somebody asks for by
 * name have an id (fields.def), and a bit set says which of them are there, so that asking for an absent one costs
 * a test.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct buf;

enum http_field_id {
    HTTP_FIELD_OTHER,                 /* not in fields.def */
#define FIELD(slot, id, name, flags) HTTP_##id,
#include "http/fields.def"
#undef FIELD
    HTTP_FIELD_IDS
};

enum http_field_flags {
    HTTP_FIELD_HOP = 1,               /* hop-by-hop: never forwarded */
    HTTP_FIELD_KEEP = 2,              /* not removed because Connection names it */
    HTTP_FIELD_NOTRAIL = 4,           /* refused in trailers */
    HTTP_FIELD_SPOOF = 8,             /* its spelling with '_' is refused */
    HTTP_FIELD_ALONE = 16,            /* never in a compression table */
};

struct http_field {
    struct str name, value;           /* value without blanks at its ends */
    uint16_t id;                      /* enum http_field_id */
};

struct http_headers {
    struct http_field *v;
    uint32_t n, cap;
    struct arena *arena;              /* where v grows */
    uint64_t present[2];              /* bit of each known id that has a field in v */
};

#define http_headers_in(arena_) ((struct http_headers){.arena = (arena_)})

/* HTTP_FIELD_OTHER when the name is not in fields.def. */
enum http_field_id http_field_id(struct str name);
/* Lower case, as HTTP/2 wants it. STR_NONE for HTTP_FIELD_OTHER. */
struct str http_field_name(enum http_field_id id);
/* or-ed enum http_field_flags */
unsigned http_field_flags(enum http_field_id id);

static inline bool
http_headers_has(const struct http_headers *h, enum http_field_id id)
{
    return h->present[id >> 6] >> (id & 63) & 1;
}

/* The first value; STR_NONE when absent. */
struct str http_headers_get(const struct http_headers *h, enum http_field_id id);
struct str http_headers_get_name(const struct http_headers *h, struct str name);
/* The field at or after *at (set *at = 0 first), NULL after the last; *at moves behind it. */
struct http_field *http_headers_next(const struct http_headers *h, struct str name, uint32_t *at);
/* All values joined with ", " (cookies with "; ") in the headers' arena; a view when there is one. STR_NONE when
 * absent or when the arena is full. */
struct str http_headers_get_joined(const struct http_headers *h, struct str name);

/* Adds behind the others, also when the name is there already. False when the arena is full. */
bool http_headers_add(struct http_headers *h, struct str name, struct str value);
bool http_headers_add_id(struct http_headers *h, enum http_field_id id, struct str name,
                         struct str value);
/* One field of that name, where the first was; the others go. */
bool http_headers_set(struct http_headers *h, struct str name, struct str value);
bool http_headers_set_id(struct http_headers *h, enum http_field_id id, struct str name, struct str value);
/* How many were removed. */
uint32_t http_headers_remove(struct http_headers *h, struct str name);
uint32_t http_headers_remove_id(struct http_headers *h, enum http_field_id id);
/* Room for n fields without growing. */
bool http_headers_reserve(struct http_headers *h, uint32_t n);
/* Fields only, not the bytes: names and values stay shared. */
bool http_headers_copy(struct http_headers *to, const struct http_headers *from);
/* Every name and value into to's arena: for messages that outlive their connection's buffer. */
bool http_headers_dup(struct http_headers *to, const struct http_headers *from);

/* What a field may hold, whoever wrote it: token characters; no CR, LF, NUL or other control but HTAB inside (G6).
 * These say no, they never clean. */
bool http_name_is_valid(struct str name);
bool http_value_is_valid(struct str value);
/* Does the comma-separated list hold the word? Case is ignored, parameters behind ';' too. */
bool http_list_has(struct str list, struct str word);
/* Steps through a comma-separated list: false at the end, else *ret_item without blanks; empty items are skipped.
 * Commas inside quoted strings do not separate. */
bool http_list_next(struct str *rest, struct str *ret_item);
