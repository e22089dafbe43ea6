/* json.c: the strict JSON parser (RFC 8259) and the tree's accessors.
 *
 * One loop, one state for what may stand next, no recursion. It is also the fast road for JSON_LENIENT: text that
 * the strict grammar accepts means the same to Newtonsoft's reader, and the rest goes to json_lenient.c.
 * Strings are scanned 16 bytes at a time and point into the text unless they hold an escape.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/num.h"
#include "base/utf8.h"
#include "data/json_build.h"

struct parser {
    const char *p, *end;
    const char *start;
    enum json_syntax syntax;
    struct json_build build;
    struct json_problem *problem;
};

/* Line and column (in characters, from 1) of a byte. */
static void
position_of(const struct parser *p, size_t at, uint32_t *line, uint32_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < at; i++) {
        if (p->start[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)p->start[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

static bool
fail(struct parser *p, const char *where, enum err_code code, const char *what)
{
    uint32_t line, column;
    char found[32] = "the end";

    if (!p->problem)
        return false;
    p->problem->at = (size_t)(where - p->start);
    position_of(p, p->problem->at, &line, &column);
    if (where < p->end && (unsigned char)*where >= 0x20 && (unsigned char)*where < 0x7f)
        snprintf(found, sizeof(found), "'%c'", *where);
    else if (where < p->end)
        snprintf(found, sizeof(found), "byte 0x%02x", (unsigned char)*where);
    if (code == ERR_SYNTAX)
        return err_set(&p->problem->err, code, "%s, found %s (line %u, column %u)", what, found, line, column);
    return err_set(&p->problem->err, code, "%s (line %u, column %u)", what, line, column);
}

#define FAIL_FULL(p) fail((p), (p)->p, ERR_NO_MEMORY, "the JSON text does not fit the memory limit")

/* The first byte at or after s that ends a plain run of a string: quote, backslash or control. *high gathers
 * whether a byte above 0x7f was passed. */
static inline const char *
scan_string(const char *s, const char *end, bool *high)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);

    while (end - s >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)s);
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                                    _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
        unsigned stops = (unsigned)_mm_movemask_epi8(stop), highs = (unsigned)_mm_movemask_epi8(v);

        if (stops) {
            unsigned n = (unsigned)__builtin_ctz(stops);
            *high |= (highs & ((1u << n) - 1)) != 0;
            return s + n;
        }
        *high |= highs != 0;
        s += 16;
    }
#endif
    for (; s < end && *s != '"' && *s != '\\' && (unsigned char)*s > 0x1f; s++)
        *high |= (*s & 0x80) != 0;
    return s;
}

/* Four hexadecimal digits at s, or -1. */
static int32_t
hex4(const char *s, const char *end)
{
    int32_t n = 0;

    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = ascii_hex_value(s[i]);
        if (digit < 0)
            return -1;
        n = n << 4 | digit;
    }
    return n;
}

static char
simple_escape(char c)
{
    switch (c) {
    case '"': case '\\': case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    }
    return 0;
}

/* Lenient text may hold lone surrogates, strict text may not. */
static bool
surrogates_are_paired(struct parser *p, uint32_t unit, const char *next)
{
    if (p->syntax == JSON_LENIENT || unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff)
        return false;
    int32_t low = p->end - next >= 6 && next[0] == '\\' && next[1] == 'u' ? hex4(next + 2, p->end) : -1;
    return low >= 0xdc00 && low <= 0xdfff;
}

/* Decodes [from, to), which holds backslashes, into the arena. */
static bool
unescape(struct parser *p, const char *from, const char *to, struct str *ret)
{
    char *copy = arena_alloc(p->build.arena, (size_t)(to - from), 1, 1), *out = copy;
    bool after_high = false;

    if (!copy)
        return FAIL_FULL(p);
    while (from < to) {
        if (*from != '\\') {
            *out++ = *from++;
            after_high = false;
            continue;
        }
        char simple = simple_escape(from[1]);
        int32_t unit = from[1] == 'u' ? hex4(from + 2, to) : -1;
        if (simple) {
            *out++ = simple;
            from += 2;
            after_high = false;
        } else if (unit >= 0) {
            if (!after_high && !surrogates_are_paired(p, (uint32_t)unit, from + 6))
                return fail(p, from, ERR_SYNTAX, "expected a pair of surrogates");
            out = json_put_unit(copy, out, (uint32_t)unit);
            after_high = unit >= 0xd800 && unit <= 0xdbff;
            from += 6;
        } else {
            return fail(p, from, ERR_SYNTAX, "expected an escape (one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)");
        }
    }
    *ret = str_from(copy, (size_t)(out - copy));
    return true;
}

/* p->p stands behind the opening quote. */
static bool
parse_string(struct parser *p, struct str *ret, uint8_t *flags)
{
    const char *from = p->p, *s = from;
    bool high = false, escaped = false;

    for (;;) {
        s = scan_string(s, p->end, &high);
        if (s == p->end)
            return fail(p, s, ERR_SYNTAX, "expected the closing '\"' of a string");
        if (*s == '"')
            break;
        if (*s != '\\')
            return fail(p, s, ERR_SYNTAX, "expected \\n, \\t or \\u00XX for a control character in a string");
        escaped = true;
        s = p->end - s >= 2 ? s + 2 : p->end;
    }
    p->p = s + 1;
    *flags = high || escaped ? JSON_NEEDS_ESCAPE : 0;
    *ret = str_from(from, (size_t)(s - from));
    if (high && p->syntax != JSON_LENIENT && !utf8_is_valid(*ret))
        return fail(p, from, ERR_SYNTAX, "expected UTF-8 in a string");
    return !escaped || unescape(p, from, s, ret);
}

static const char *
skip_digits(const char *s, const char *end)
{
    while (s < end && ascii_is_digit(*s))
        s++;
    return s;
}

static bool
parse_number(struct parser *p, struct json *j)
{
    const char *s = p->p, *end = p->end, *digits;

    j->flags = JSON_IS_INTEGER;
    if (*s == '-')
        s++;
    digits = s;
    s = skip_digits(s, end);
    if (s == digits)
        return fail(p, s, ERR_SYNTAX, "expected a digit");
    if (*digits == '0' && s - digits > 1)
        return fail(p, digits, ERR_SYNTAX, "expected a number without leading zeros");
    if (s < end && *s == '.') {
        digits = ++s;
        s = skip_digits(s, end);
        j->flags = 0;
        if (s == digits)
            return fail(p, s, ERR_SYNTAX, "expected a digit after the decimal point");
    }
    if (s < end && (*s | 0x20) == 'e') {
        s += s + 1 < end && (s[1] == '+' || s[1] == '-') ? 2 : 1;
        digits = s;
        s = skip_digits(s, end);
        j->flags = 0;
        if (s == digits)
            return fail(p, s, ERR_SYNTAX, "expected a digit in the exponent");
    }
    if (p->syntax == JSON_LENIENT && !j->flags && (s - digits > 2 || s - p->p > 300))
        return fail(p, s, ERR_SYNTAX, "perhaps too large for a double, which the other reader finds out");
    j->kind = JSON_NUMBER;
    j->p = p->p;
    j->n = (uint32_t)(s - p->p);
    p->p = s;
    return true;
}

static bool
parse_literal(struct parser *p, const char *literal, size_t n, enum json_kind kind, struct json *j)
{
    if ((size_t)(p->end - p->p) < n || memcmp(p->p, literal, n) != 0)
        return fail(p, p->p, ERR_SYNTAX, "expected a JSON value");
    j->kind = (uint8_t)kind;
    j->flags = 0;
    j->n = 0;
    j->p = p->p;
    p->p += n;
    return true;
}

static inline void
skip_blanks(struct parser *p)
{
    const char *s = p->p;

    while (s < p->end && ascii_is_blank(*s))
        s++;
    p->p = s;
}

/* A value's first token into the newest slot; containers are only opened. */
static bool
parse_value(struct parser *p, struct json *j)
{
    struct str text;

    if (p->p == p->end)
        return fail(p, p->p, ERR_SYNTAX, "expected a JSON value");
    j->at = (uint32_t)(p->p - p->start);
    switch (*p->p) {
    case '"':
        p->p++;
        if (!parse_string(p, &text, &j->flags))
            return false;
        j->kind = JSON_STRING;
        j->p = text.p;
        j->n = (uint32_t)text.len;
        return true;
    case '{':
    case '[':
        if (!json_build_open(&p->build, *p->p == '{' ? JSON_OBJECT : JSON_ARRAY, j->at))
            return fail(p, p->p, ERR_LIMIT, "JSON is nested deeper than 128 levels");
        p->p++;
        return true;
    case 't': return parse_literal(p, "true", 4, JSON_TRUE, j);
    case 'f': return parse_literal(p, "false", 5, JSON_FALSE, j);
    case 'n': return parse_literal(p, "null", 4, JSON_NULL, j);
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return parse_number(p, j);
    }
    return fail(p, p->p, ERR_SYNTAX, "expected a JSON value");
}

static bool
parse_name(struct parser *p, struct json_member *m)
{
    uint8_t flags;

    if (p->p == p->end || *p->p != '"')
        return fail(p, p->p, ERR_SYNTAX, "expected a member name in double quotes");
    p->p++;
    if (!parse_string(p, &m->name, &flags))
        return false;
    skip_blanks(p);
    if (p->p == p->end || *p->p != ':')
        return fail(p, p->p, ERR_SYNTAX, "expected ':' after a member name");
    p->p++;
    skip_blanks(p);
    return true;
}

static bool
close_container(struct parser *p)
{
    switch (json_build_close(&p->build)) {
    case JSON_CLOSED: p->p++; return true;
    case JSON_CLOSE_FULL: return FAIL_FULL(p);
    case JSON_CLOSE_REPEATED: break;
    }
    return fail(p, p->start + p->build.repeated_at, ERR_INVALID, "a member name is repeated");
}

static bool
is_close_of(const struct json_frame *f, char c)
{
    return c == (f->kind == JSON_OBJECT ? '}' : ']');
}

/* Closes what ends here and passes the comma before the next value. False with *ret_done set at the end of the root. */
static bool
parse_between(struct parser *p, bool *ret_done)
{
    struct json_frame *f;

    *ret_done = false;
    while ((f = json_build_top(&p->build))) {
        bool is_first = p->build.n == f->base;

        skip_blanks(p);
        if (p->p < p->end && is_close_of(f, *p->p)) {
            if (!close_container(p))
                return false;
            continue;
        }
        if (is_first)
            return true;
        if (p->p == p->end || *p->p != ',')
            return fail(p, p->p, ERR_SYNTAX, f->kind == JSON_OBJECT ? "expected ',' or '}'" : "expected ',' or ']'");
        p->p++;
        skip_blanks(p);
        return true;
    }
    *ret_done = true;
    return true;
}

static bool
parse_document(struct parser *p)
{
    bool done = false;

    if (p->syntax != JSON_LENIENT && p->end - p->p >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0)
        p->p += 3;
    skip_blanks(p);
    while (!done) {
        struct json_frame *f = json_build_top(&p->build);
        struct json_member *m = json_build_slot(&p->build);

        if (f && f->kind == JSON_OBJECT && !parse_name(p, m))
            return false;
        if (!parse_value(p, &m->value) || !parse_between(p, &done))
            return false;
    }
    skip_blanks(p);
    return p->p == p->end || fail(p, p->p, ERR_SYNTAX, "expected the end of the JSON text");
}

static const struct json *
keep_root(struct parser *p)
{
    struct json *root = arena_alloc(p->build.arena, 1, sizeof(*root), _Alignof(struct json));

    if (root)
        *root = p->build.stack[0].value;
    else
        FAIL_FULL(p);
    return root;
}

/* By the strict grammar; on failure the arena is as it was. */
static const struct json *
parse(struct arena *a, struct str text, enum json_syntax syntax, struct json_problem *problem)
{
    struct parser p;
    const struct json *root = NULL;
    struct arena_mark mark = arena_mark(a);

    p.p = p.start = text.len ? text.p : "";
    p.end = p.p + text.len;
    p.syntax = syntax;
    p.problem = problem;
    if (text.len > UINT32_MAX - 16) {
        fail(&p, p.p, ERR_LIMIT, "the JSON text is longer than 4 GiB");
        return NULL;
    }
    json_build_init(&p.build, a, syntax == JSON_STRICT_UNIQUE);
    if (parse_document(&p))
        root = keep_root(&p);
    json_build_destroy(&p.build);
    if (!root)
        arena_rewind(a, mark);
    return root;
}

const struct json *
json_parse_newtonsoft(struct arena *a, struct str text, enum json_kind wanted, struct json_problem *problem)
{
    const struct json *root = parse(a, text, JSON_LENIENT, NULL);

    if (root && (wanted == JSON_NULL || root->kind == wanted))
        return root;
    return json_parse_lenient(a, text, wanted, problem);
}

const struct json *
json_parse(struct arena *a, struct str text, enum json_syntax syntax, struct json_problem *problem)
{
    if (syntax == JSON_LENIENT)
        return json_parse_newtonsoft(a, text, JSON_NULL, problem);
    return parse(a, text, syntax, problem);
}

const struct json *
json_get(const struct json *object, struct str name)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    for (uint32_t i = 0; i < object->n; i++)
        if (str_eq(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

const struct json *
json_item(const struct json *array, size_t i)
{
    return json_is(array, JSON_ARRAY) && i < array->n ? &array->items[i] : NULL;
}

const struct json *
json_path(const struct json *j, const char *path)
{
    while (j && *path) {
        if (*path == '[') {
            char *close;
            j = json_item(j, strtoul(path + 1, &close, 10));
            path = *close ? close + 1 : close;
        } else {
            path += *path == '.';
            size_t n = strcspn(path, ".[");
            j = json_get(j, str_from(path, n));
            path += n;
        }
    }
    return j;
}

struct str
json_str(const struct json *j, struct str otherwise)
{
    return json_is(j, JSON_STRING) ? json_text(j) : otherwise;
}

bool
json_bool(const struct json *j, bool otherwise)
{
    return json_is(j, JSON_TRUE) || (otherwise && !json_is(j, JSON_FALSE));
}

/* Up to 15 digits with a small power of ten: both are exact doubles, so one division or multiplication rounds as strtod does. */
static bool
plain_double(struct str text, double *ret)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = text.len && text.p[0] == '-', digits = 0, fraction = 0;
    bool is_behind_point = false;
    uint64_t n = 0;

    for (; i < text.len; i++) {
        char c = text.p[i];
        if (c == '.' && !is_behind_point) {
            is_behind_point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 15)
            return false;
        n = n * 10 + (uint64_t)(c - '0');
        fraction += is_behind_point;
    }
    *ret = (double)n / powers[fraction];
    if (text.p[0] == '-')
        *ret = -*ret;
    return digits > 0;
}

double
json_double(const struct json *j, double otherwise)
{
    char small[64], *text = small;
    double plain;

    if (!json_is(j, JSON_NUMBER))
        return otherwise;
    if (plain_double(json_text(j), &plain))
        return plain;
    if (j->n >= sizeof(small))
        text = xmalloc((size_t)j->n + 1);
    memcpy(text, j->p, j->n);
    text[j->n] = '\0';
    double value = strtod(text, NULL);
    if (text != small)
        free(text);
    return value;
}

int64_t
json_i64(const struct json *j, int64_t otherwise)
{
    int64_t n;

    if (!json_is(j, JSON_NUMBER))
        return otherwise;
    if (j->flags & JSON_IS_INTEGER)
        return num_parse_i64(json_text(j), INT64_MIN, INT64_MAX, &n, NULL) ? n : otherwise;
    double d = json_double(j, NAN);
    return d == floor(d) && fabs(d) < 0x1p63 ? (int64_t)d : otherwise;
}
