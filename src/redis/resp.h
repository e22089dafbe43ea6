/* resp.h: the serialisation protocol of Redis, versions 2 and 3: commands out, replies in. The parser is strict and goes on
 * where the last bytes ended; what a server can make us hold is bounded.
 *
 *     struct resp_parser p;
 *     resp_parser_create(&p, &limits);
 *     switch (resp_parse(&p, input, &err)) {          // input begins where the reply begins
 *     case RESP_DONE:  use(resp_root(&p, input)); input = str_skip(input, p.at); resp_parser_next(&p); ...
 *     case RESP_MORE:  read more bytes behind input, p.want of them at best, call again
 *     case RESP_BAD:   err says what; the connection is of no more use
 *     }
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

enum resp_type {
    RESP_STRING,                      /* simple, bulk, verbatim */
    RESP_ERROR,
    RESP_INTEGER,
    RESP_BOOL,                        /* integer: 0 or 1 */
    RESP_DOUBLE,                      /* as text */
    RESP_BIG,                         /* as text */
    RESP_NULL,
    RESP_ARRAY,
    RESP_SET,
    RESP_MAP,                         /* key, value, key, value ... */
    RESP_PUSH,                        /* at the top only: not the reply to anything */
};

/* In the order of the bytes: a node, then all that is in it. */
struct resp_node {
    uint8_t type;                     /* enum resp_type */
    uint32_t n;                       /* nodes directly inside; of a map twice its pairs */
    uint32_t span;                    /* nodes, this one and all inside */
    size_t at, len;                   /* the text, from the reply's first byte */
    int64_t integer;
};

struct resp_limits {
    size_t reply_bytes;               /* of one reply as a whole */
    uint32_t nodes;                   /* in one reply */
};

#define RESP_DEPTH_MAX 8u
#define RESP_LINE_MAX ((size_t)64 << 10)

struct resp_parser {
    struct resp_limits limits;
    VEC(struct resp_node) nodes;
    struct resp_frame {
        uint32_t node;
        uint32_t left;                /* nodes still to come */
        bool is_attribute;            /* dropped when complete: the value follows */
    } frames[RESP_DEPTH_MAX];
    uint32_t depth;
    size_t at;                        /* bytes understood so far; with RESP_DONE the reply's length */
    size_t scanned;                   /* of a line without its end, so that no byte is looked at twice */
    size_t want;                      /* with RESP_MORE: at least that many more bytes are missing; 0: unknown */
};

enum resp_result { RESP_MORE, RESP_DONE, RESP_BAD };

void resp_parser_create(struct resp_parser *p, const struct resp_limits *limits);
void resp_parser_destroy(struct resp_parser *p);
/* RESP_BAD: ERR_PROTOCOL or ERR_LIMIT. */
enum resp_result resp_parse(struct resp_parser *p, struct str input, struct err *err);
/* Forgets the reply that is done. */
void resp_parser_next(struct resp_parser *p);

/* A value inside a reply that is done; valid while parser and bytes are left alone. */
struct resp {
    const struct resp_node *v;
    const char *bytes;
};
struct resp resp_root(const struct resp_parser *p, struct str input);
static inline enum resp_type
resp_type(struct resp r)
{
    return (enum resp_type)r.v->type;
}
/* Of what has no text (numbers, null, aggregates): STR_NONE. */
static inline struct str
resp_text(struct resp r)
{
    return r.v->type <= RESP_ERROR || r.v->type == RESP_DOUBLE || r.v->type == RESP_BIG ? str_from(r.bytes + r.v->at, r.v->len)
                                                                                         : STR_NONE;
}
/* Its text or its number in digits, for those who do not care; false for anything else. */
bool resp_u64(struct resp r, uint64_t *ret);
/* Array, set, map or push. */
static inline bool
resp_is_list(struct resp r)
{
    return r.v->type >= RESP_ARRAY;
}
static inline uint32_t
resp_n(struct resp r)
{
    return r.v->n;
}
/* for (struct resp item = resp_first(r); i < resp_n(r); i++, item = resp_next(item)) */
static inline struct resp
resp_first(struct resp r)
{
    return (struct resp){r.v + 1, r.bytes};
}
static inline struct resp
resp_next(struct resp r)
{
    return (struct resp){r.v + r.v->span, r.bytes};
}
/* Item i; false when there is none. */
bool resp_item(struct resp r, uint32_t i, struct resp *ret);
/* The value beside `name` in a map, or in a list of alternating names and values (RESP2). */
bool resp_field(struct resp r, struct str name, struct resp *ret);

/* Appends a command: its name and arguments. False: the buffer has no room. */
bool resp_command(struct buf *to, const struct str *words, uint32_t n);
/* Room that resp_command() asks of a buffer for it: no less than it takes. */
size_t resp_command_bytes(const struct str *words, uint32_t n);
