/* json_build.h: the workbench both JSON parsers put a tree together on. Not for callers of json.h.
 *
 * Values under construction stand on one stack; a container's own slot lies just below its first child:
 *     stack: [root {] ["a": 1] ["b": [] ['x'] ['y']       frames: root (base 1), b (base 3)
 * Closing a container moves its children into the arena, in one piece, and pops them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/json.h"

enum { JSON_BUILD_INLINE = 48 };

struct json_frame {
    uint32_t base;       /* index of the first child */
    uint32_t at;
    uint8_t kind;        /* JSON_ARRAY, JSON_OBJECT, JSON_CONSTRUCTOR */
};

struct json_build {
    struct arena *arena;
    struct json_member *stack;
    uint32_t n, cap;
    uint32_t depth;
    bool unique_names;
    size_t repeated_at;  /* where the repeated name's value stands, when JSON_CLOSE_REPEATED */
    struct json_frame frames[JSON_DEPTH_MAX];
    struct json_member first[JSON_BUILD_INLINE];
};

void json_build_init(struct json_build *b, struct arena *a, bool unique_names);
void json_build_destroy(struct json_build *b);

struct json_member *json_build_grow(struct json_build *b);
/* The next slot; valid until the one after it is asked for. Never NULL. */
static inline struct json_member *
json_build_slot(struct json_build *b)
{
    return LIKELY(b->n < b->cap) ? &b->stack[b->n++] : json_build_grow(b);
}

/* Opens a container in the newest slot. False at JSON_DEPTH_MAX. */
bool json_build_open(struct json_build *b, enum json_kind kind, uint32_t at);

enum json_close { JSON_CLOSED, JSON_CLOSE_FULL, JSON_CLOSE_REPEATED };
/* Closes the innermost container: its children move to the arena. */
enum json_close json_build_close(struct json_build *b);

static inline struct json_frame *
json_build_top(struct json_build *b)
{
    return b->depth ? &b->frames[b->depth - 1] : NULL;
}

/* Writes one UTF-16 unit behind `to`, joining it with a high surrogate that was written just before; returns the end. */
char *json_put_unit(char *start, char *to, uint32_t unit);

/* Newtonsoft's reader, for text that the strict grammar refuses; json_lenient.c. */
const struct json *json_parse_lenient(struct arena *a, struct str text, enum json_kind wanted,
                                      struct json_problem *problem);
