/* json.h: JSON text becomes an immutable tree in an arena, and back.
 *
 *     const struct json *doc = json_parse(&arena, text, JSON_STRICT, &problem);
 *     struct str title = json_str(json_path(doc, "properties.displayName"), STR("untitled"));
 *
 * The tree points into `text` wherever it can, so the text must live as long as the tree. Numbers keep their source
 * text; members keep their order; a name that is repeated keeps its first place and its last value (or is refused,
 * JSON_STRICT_UNIQUE). No recursion anywhere: depth is a number, JSON_DEPTH_MAX, not a stack.
 * All accessors take NULL, so that chains need no checks. Nothing here yields.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum json_syntax {
    JSON_STRICT,         /* RFC 8259; UTF-8 checked, no lone surrogates; a leading byte-order mark is skipped */
    JSON_STRICT_UNIQUE,  /* the same, and repeated names are refused: tokens, validation */
    JSON_LENIENT,        /* what Newtonsoft's reader takes; the text is WTF-8 and not checked */
};

#define JSON_DEPTH_MAX 128

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,         /* text is the source's; in JSON_LENIENT also hex, octal, NaN, Infinity, -Infinity */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_UNDEFINED,      /* the rest only in JSON_LENIENT */
    JSON_CONSTRUCTOR,    /* new Name(values): items[0] is the name as a string, then the arguments */
};

enum json_flags {
    JSON_IS_INTEGER = 1, /* a number of digits only, after an optional minus */
    JSON_NEEDS_ESCAPE = 2, /* a string that cannot be written as it stands between quotes */
};

struct json {
    uint8_t kind;        /* enum json_kind */
    uint8_t flags;       /* enum json_flags */
    uint32_t at;         /* where it begins in the text */
    uint32_t n;          /* bytes, items or members */
    union {
        const char *p;                       /* JSON_NUMBER, JSON_STRING (unescaped) */
        const struct json *items;            /* JSON_ARRAY, JSON_CONSTRUCTOR */
        const struct json_member *members;   /* JSON_OBJECT */
    };
};

struct json_member {
    struct str name;     /* unescaped */
    struct json value;
};

/* What was wrong. `err` is a sentence for a person: for the strict settings "expected ..., found ... (line 3, column 7)";
 * for JSON_LENIENT exactly the text of Newtonsoft's exception. */
struct json_problem {
    struct err err;      /* ERR_SYNTAX, ERR_LIMIT (depth, size), ERR_NO_MEMORY */
    size_t at;           /* byte offset in the text */
};

/* One value and nothing but blanks around it. NULL with *problem filled (may be NULL). */
const struct json *json_parse(struct arena *a, struct str text, enum json_syntax syntax, struct json_problem *problem);

/* JObject.Parse, JArray.Parse or JToken.Parse: JSON_LENIENT, and the root must be of kind `wanted` (JSON_OBJECT,
 * JSON_ARRAY; JSON_NULL: any). problem->err.text is Newtonsoft's message, path, line and position included. */
const struct json *json_parse_newtonsoft(struct arena *a, struct str text, enum json_kind wanted,
                                         struct json_problem *problem);

/* Line (from 1) and position in it of what is behind `at` bytes, as Newtonsoft's reader counts: UTF-16 units read of the line. */
void json_line_and_position(struct str text, size_t at, uint32_t *line, uint32_t *position);

/* The member's value, or NULL. The text of a string or number; `otherwise` for any other kind. */
const struct json *json_get(const struct json *object, struct str name);
#define json_get_lit(object, name) json_get((object), STR(name))
const struct json *json_item(const struct json *array, size_t i);
/* Follows names and indexes: "properties.policies[0].value". A name holding '.' or '[' needs json_get. */
const struct json *json_path(const struct json *j, const char *path);

/* Items or members of a container, 0 for the rest. */
static inline size_t
json_count(const struct json *j)
{
    return j && (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT) ? j->n : 0;
}

static inline bool
json_is(const struct json *j, enum json_kind kind)
{
    return j && j->kind == kind;
}

static inline struct str
json_text(const struct json *j)
{
    return j->n ? str_from(j->p, j->n) : STR("");
}

/* The value when it is of this kind, else `otherwise`. json_i64 takes whole numbers that fit, 1e3 and 5.0 too. */
struct str json_str(const struct json *j, struct str otherwise);
bool json_bool(const struct json *j, bool otherwise);
int64_t json_i64(const struct json *j, int64_t otherwise);
double json_double(const struct json *j, double otherwise);

/* Writing: calls in document order; commas, colons and indentation are the writer's. Depth is bounded by
 * JSON_DEPTH_MAX (ASSERT). Newtonsoft's layout when indented: two blanks, "\n", empty containers on one line. */
struct json_writer {
    struct buf *to;
    bool indented;
    bool escape_all;     /* U+0085, U+2028 and U+2029 as \uXXXX too, as Newtonsoft does */
    uint32_t depth;
    bool has_items;      /* something stands in the innermost container */
    bool after_name;
    uint64_t outer[(JSON_DEPTH_MAX + 64) / 64];  /* has_items of the containers around it, a bit each */
};

#define JSON_WRITER(buf_) ((struct json_writer){.to = (buf_)})
#define JSON_WRITER_INDENTED(buf_) ((struct json_writer){.to = (buf_), .indented = true})
void json_write_object_begin(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array_begin(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_name(struct json_writer *w, struct str name);
void json_write_str(struct json_writer *w, struct str s);
void json_write_i64(struct json_writer *w, int64_t n);
void json_write_u64(struct json_writer *w, uint64_t n);
void json_write_bool(struct json_writer *w, bool b);
void json_write_null(struct json_writer *w);
/* Text that is a JSON value already. */
void json_write_raw(struct json_writer *w, struct str text);
/* A tree; strings escaped anew, numbers as they stood. */
void json_write(struct json_writer *w, const struct json *j);
/* The inside of a JSON string, no quotes around; lone surrogates pass as \uXXXX. */
void json_write_escaped(struct buf *to, struct str s, bool escape_all);
