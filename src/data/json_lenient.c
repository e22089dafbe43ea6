/* json_lenient.c: JSON as Newtonsoft's JsonTextReader and JToken.Parse take it, with their messages.
 *
 * On top of RFC 8259: comments, single quotes, bare names, trailing and doubled commas (an empty place is undefined),
 * NaN, Infinity, undefined, hexadecimal and octal numbers, ".5", "1.", `new Name(...)`, raw controls in strings.
 * Only text that the strict grammar refused comes here, so this reads a character at a time and counts lines and paths
 * when a message needs them. A message ends as Newtonsoft's: "Path 'a.b[0]', line 1, position 5."; positions count
 * UTF-16 units, and the path names the last value finished in an array, the last name read in an object.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "data/json_build.h"

struct reader {
    const char *p, *end, *start;
    enum json_kind wanted;
    bool has_token;              /* the first token was read */
    struct json_build build;
    struct json_problem *problem;
};

/* ---- messages ---- */

static bool
name_needs_brackets(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (strchr(" '\".[]()\\/\t\r\n\f\b", name.p[i]))
            return true;
    return false;
}

static void
add_name(struct buf *to, struct str name)
{
    if (name_needs_brackets(name)) {
        buf_printf(to, "['%.*s']", STR_ARG(name));
        return;
    }
    if (to->len)
        buf_add_char(to, '.');
    buf_add_str(to, name);
}

static void
add_path(struct reader *r, struct buf *to)
{
    struct json_build *b = &r->build;

    for (uint32_t i = 0; i < b->depth; i++) {
        uint32_t base = b->frames[i].base;
        uint32_t last = i + 1 < b->depth ? b->frames[i + 1].base - 1 : b->n - 1; /* slot the path goes through */

        base += b->frames[i].kind == JSON_CONSTRUCTOR; /* its name */
        if (last < base || last == UINT32_MAX)
            return;
        if (b->frames[i].kind == JSON_OBJECT)
            add_name(to, b->stack[last].name);
        else
            buf_printf(to, "[%u]", last - base);
    }
}

void
json_line_and_position(struct str text, size_t at, uint32_t *line, uint32_t *position)
{
    size_t from = 0;

    *line = 1;
    for (size_t i = 0; i < at; i++) {
        if (text.p[i] == '\n' || (text.p[i] == '\r' && !(i + 1 < text.len && text.p[i + 1] == '\n'))) {
            from = i + 1;
            ++*line;
        }
    }
    *position = (uint32_t)utf8_units(str_sub(text, from, at));
}

/* Of r->p. Before anything was read both are 0. */
static void
line_and_position(const struct reader *r, uint32_t *line, uint32_t *position)
{
    json_line_and_position(str_from(r->start, (size_t)(r->end - r->start)), (size_t)(r->p - r->start), line, position);
    if (!r->has_token && *position == 0)
        *line = 0;
}

static bool
fail(struct reader *r, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool
fail(struct reader *r, enum err_code code, const char *fmt, ...)
{
    struct buf text = BUF_INIT, path = BUF_INIT;
    uint32_t line, position;
    va_list ap;

    if (r->problem) {
        va_start(ap, fmt);
        buf_vprintf(&text, fmt, ap);
        va_end(ap);
        add_path(r, &path);
        line_and_position(r, &line, &position);
        r->problem->at = (size_t)(r->p - r->start);
        err_set(&r->problem->err, code, "%.*s Path '%.*s', line %u, position %u.", (int)text.len, text.p,
                (int)MIN(path.len, (size_t)200), path.p ? path.p : "", line, position);
        buf_destroy(&text);
        buf_destroy(&path);
    }
    return false;
}

/* The character at r->p, for "%.*s". */
static struct str
here(const struct reader *r)
{
    struct str rest = str_from(r->p, (size_t)(r->end - r->p));
    size_t at = 0;

    if (rest.len)
        utf8_next(rest, &at);
    return str_from(r->p, at);
}

#define FAIL_HERE(r, what) fail((r), ERR_SYNTAX, what ": %.*s.", STR_ARG(here(r)))
#define FAIL_FULL(r) fail((r), ERR_NO_MEMORY, "The JSON text does not fit the memory limit.")

/* What the root is, or is wanted to be. */
static enum json_kind
root_kind(const struct reader *r)
{
    return r->has_token && r->build.depth ? (enum json_kind)r->build.frames[0].kind : r->wanted;
}

static bool
fail_end(struct reader *r)
{
    if (!r->has_token || (r->build.depth == 1 && r->build.n == 1))
        return fail(r, ERR_SYNTAX, "Error reading %s from JsonReader.",
                    root_kind(r) == JSON_OBJECT ? "JObject" : root_kind(r) == JSON_ARRAY ? "JArray" : "JToken");
    return fail(r, ERR_SYNTAX, "Unexpected end of content while loading %s.",
                r->build.frames[0].kind == JSON_OBJECT  ? "JObject"
                : r->build.frames[0].kind == JSON_ARRAY ? "JArray" : "JConstructor");
}

/* ---- blanks and comments ---- */

static int
peek(const struct reader *r)
{
    return r->p < r->end ? (unsigned char)*r->p : -1;
}

/* Length of .NET white space at s, or 0. */
static size_t
blank_len(struct str rest)
{
    size_t at = 0;
    uint32_t c;

    if (rest.len == 0)
        return 0;
    c = utf8_next(rest, &at);
    if ((c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
        c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000)
        return at;
    return 0;
}

static size_t
blank_here(const struct reader *r)
{
    return blank_len(str_from(r->p, (size_t)(r->end - r->p)));
}

/* r->p stands at the slash. */
static bool
skip_comment(struct reader *r)
{
    r->p++;
    int kind = peek(r);
    if (r->end - r->p < 2)
        return fail(r, ERR_SYNTAX, "Unexpected end while parsing comment.");
    if (kind != '*' && kind != '/')
        return fail(r, ERR_SYNTAX, "Error parsing comment. Expected: *, got %.*s.", STR_ARG(here(r)));
    r->p++;
    for (; r->p < r->end; r->p++) {
        if (kind == '/' && (*r->p == '\n' || *r->p == '\r'))
            return true;
        if (kind == '*' && *r->p == '*' && r->end - r->p >= 2 && r->p[1] == '/') {
            r->p += 2;
            return true;
        }
    }
    return kind == '/' || fail(r, ERR_SYNTAX, "Unexpected end while parsing comment.");
}

static bool
skip_blanks(struct reader *r)
{
    for (;;) {
        size_t n = blank_here(r);

        if (n > 0)
            r->p += n;
        else if (peek(r) != '/')
            return true;
        else if (!skip_comment(r))
            return false;
    }
}

/* ---- scalars ---- */

static bool
read_unicode_escape(struct reader *r, uint32_t *ret)
{
    *ret = 0;
    if (r->end - r->p <= 4) { /* the closing quote is looked for as well */
        return fail(r, ERR_SYNTAX, "Unexpected end while parsing Unicode escape sequence.");
    }
    for (int i = 0; i < 4; i++) {
        int digit = ascii_hex_value(r->p[i]);
        if (digit < 0)
            return fail(r, ERR_SYNTAX, "Invalid Unicode escape sequence: \\u%.4s.", r->p);
        *ret = *ret << 4 | (uint32_t)digit;
    }
    r->p += 4;
    return true;
}

/* r->p stands behind the backslash. */
static bool
read_escape(struct reader *r, char *start, char **out)
{
    static const char from[] = "bfnrt\"'\\/", to[] = "\b\f\n\r\t\"'\\/";
    const char *simple = r->p < r->end && *r->p ? strchr(from, *r->p) : NULL;
    uint32_t unit;

    if (simple) {
        *(*out)++ = to[simple - from];
        r->p++;
        return true;
    }
    if (peek(r) != 'u') {
        struct str bad = here(r);
        r->p += bad.len;
        return fail(r, ERR_SYNTAX, "Bad JSON escape sequence: \\%.*s.", STR_ARG(bad));
    }
    r->p++;
    if (!read_unicode_escape(r, &unit))
        return false;
    *out = json_put_unit(start, *out, unit);
    return true;
}

/* r->p stands at the opening quote. */
static bool
read_string(struct reader *r, struct str *ret)
{
    char quote = *r->p++;
    const char *end = r->p;
    char *copy, *out;

    while (end < r->end && *end != quote)
        end += *end == '\\' && r->end - end >= 2 ? 2 : 1;
    out = copy = arena_alloc(r->build.arena, (size_t)(end - r->p), 1, 1);
    if (!copy)
        return FAIL_FULL(r);
    while (r->p < end) {
        if (*r->p++ != '\\')
            *out++ = r->p[-1];
        else if (r->p == r->end)
            break;
        else if (!read_escape(r, copy, &out))
            return false;
    }
    if (r->p == r->end)
        return fail(r, ERR_SYNTAX, "Unterminated string. Expected delimiter: %c.", quote);
    r->p++;
    *ret = str_from(copy, (size_t)(out - copy));
    return true;
}

static bool
is_separator(const struct reader *r)
{
    int c = peek(r);

    if (c < 0 || c == '}' || c == ']' || c == ',' || c == ')' || blank_here(r) > 0)
        return true;
    return c == '/' && r->end - r->p >= 2 && (r->p[1] == '*' || r->p[1] == '/');
}

/* Matches a word that must be followed by a separator. On failure r->p stands where the match broke. */
static bool
read_word(struct reader *r, const char *word, const char *what)
{
    for (; *word; word++, r->p++)
        if (peek(r) < 0 && r->build.depth == 0)
            return fail(r, ERR_SYNTAX, "Unexpected end when reading JSON.");
        else if (peek(r) != *word)
            return fail(r, ERR_SYNTAX, "Error parsing %s value.", what);
    return is_separator(r) || fail(r, ERR_SYNTAX, "Error parsing %s value.", what);
}

static bool
set_number(struct json *j, struct str text, bool is_integer)
{
    j->kind = JSON_NUMBER;
    j->flags = is_integer ? JSON_IS_INTEGER : 0;
    j->p = text.p;
    j->n = (uint32_t)text.len;
    return true;
}

static bool
set_kind(struct json *j, enum json_kind kind)
{
    j->kind = (uint8_t)kind;
    j->n = 0;
    return true;
}

/* digits* [. digits*] [e [sign] digits+], at least one digit before the exponent */
static bool
is_decimal_float(struct str s)
{
    size_t i = s.len && s.p[0] == '-', digits = 0;

    for (; i < s.len && ascii_is_digit(s.p[i]); i++)
        digits++;
    if (i < s.len && s.p[i] == '.')
        for (i++; i < s.len && ascii_is_digit(s.p[i]); i++)
            digits++;
    if (digits && i < s.len && (s.p[i] | 0x20) == 'e') {
        i++;
        i += i < s.len && (s.p[i] == '+' || s.p[i] == '-');
        for (digits = 0; i < s.len && ascii_is_digit(s.p[i]); i++)
            digits++;
    }
    return digits && i == s.len;
}

static bool
is_decimal_integer(struct str s)
{
    size_t i = s.len && s.p[0] == '-', from = i;

    while (i < s.len && ascii_is_digit(s.p[i]))
        i++;
    return i == s.len && i > from;
}

/* 0x1F and 017, as Convert.ToInt64 with base 16 or 8. */
static bool
set_based_number(struct reader *r, struct json *j, struct str text)
{
    bool is_hex = (text.p[1] | 0x20) == 'x';
    uint64_t n = 0;

    for (size_t i = is_hex ? 2 : 1; i < text.len; i++) {
        int digit = ascii_hex_value(text.p[i]);
        if (digit < 0 || digit >= (is_hex ? 16 : 8) || n >> (is_hex ? 60 : 61))
            return fail(r, ERR_SYNTAX, "Input string '%.*s' is not a valid number.", STR_ARG(text));
        n = n * (is_hex ? 16 : 8) + (uint64_t)digit;
    }
    text = str_printf(r->build.arena, "%" PRId64, (int64_t)n);
    return text.p ? set_number(j, text, true) : FAIL_FULL(r);
}

/* "-01" is written "-1" */
static struct str
without_leading_zeros(struct reader *r, struct str text)
{
    bool negative = text.p[0] == '-';
    size_t i = negative;

    while (i + 1 < text.len && text.p[i] == '0')
        i++;
    if (i == negative)
        return text;
    return str_printf(r->build.arena, "%s%.*s", negative ? "-" : "", (int)(text.len - i), text.p + i);
}

/* For a double. */
static bool
is_too_large(struct str text)
{
    char start[512];
    size_t n = MIN(text.len, sizeof(start) - 1); /* what follows does not make it larger by more than a digit's worth */

    if (text.len < 5)
        return false;
    memcpy(start, text.p, n);
    start[n] = '\0';
    return isinf(strtod(start, NULL));
}

static bool
read_number(struct reader *r, struct json *j)
{
    const char *from = r->p;

    if (r->end - r->p >= 2 && r->p[0] == '-' && r->p[1] == 'I')
        return read_word(r, "-Infinity", "negative infinity") && set_number(j, STR("-Infinity"), false);
    while (r->p < r->end && *r->p && strchr("-+abcdefABCDEFxX.0123456789", *r->p))
        r->p++;
    if (r->p < r->end && !strchr(",}])/", *r->p) && !blank_here(r))
        return FAIL_HERE(r, "Unexpected character encountered while parsing number");
    struct str text = str_from(from, (size_t)(r->p - from));
    if (text.len > 1 && text.p[0] == '0' && !strchr(".eE", text.p[1]))
        return set_based_number(r, j, text);
    if (is_decimal_integer(text))
        return set_number(j, without_leading_zeros(r, text), true);
    if (!is_decimal_float(text))
        return fail(r, ERR_SYNTAX, "Input string '%.*s' is not a valid number.", STR_ARG(text));
    if (is_too_large(text))
        return fail(r, ERR_SYNTAX, "Input string '%.*s' is not a valid number.", STR_ARG(text));
    return set_number(j, text, false);
}

/* ---- structure ---- */

static const char *
kind_name(const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_NULL: return "Null";
    case JSON_FALSE: case JSON_TRUE: return "Boolean";
    case JSON_NUMBER: return j->flags & JSON_IS_INTEGER ? "Integer" : "Float";
    case JSON_STRING: return "String";
    case JSON_ARRAY: return "StartArray";
    case JSON_OBJECT: return "StartObject";
    case JSON_UNDEFINED: return "Undefined";
    case JSON_CONSTRUCTOR: return "StartConstructor";
    }
    UNREACHABLE();
}

/* The root's first token was read; it must be what the caller parses for. */
static bool
check_wanted(struct reader *r, const struct json *first)
{
    r->has_token = true;
    if (r->wanted == JSON_NULL || first->kind == r->wanted)
        return true;
    return fail(r, ERR_SYNTAX, "Error reading %s from JsonReader. Current JsonReader item is not %s: %s.",
                r->wanted == JSON_OBJECT ? "JObject" : "JArray", r->wanted == JSON_OBJECT ? "an object" : "an array",
                kind_name(first));
}

/* In an object the member's slot exists since its name; elsewhere a value gets its slot once it is known. */
static struct json *
value_slot(struct reader *r)
{
    struct json_frame *f = json_build_top(&r->build);

    if (f && f->kind == JSON_OBJECT)
        return &r->build.stack[r->build.n - 1].value;
    return &json_build_slot(&r->build)->value;
}

static bool
open_container(struct reader *r, enum json_kind kind, uint32_t at)
{
    struct json first = {.kind = (uint8_t)kind};
    bool is_root = r->build.depth == 0;

    r->p++;
    if (is_root && !check_wanted(r, &first))
        return false;
    value_slot(r);
    if (!json_build_open(&r->build, kind, at))
        return fail(r, ERR_LIMIT, "The reader's MaxDepth of %d has been exceeded.", JSON_DEPTH_MAX);
    return true;
}

/* new Name( ; the name becomes the first item. */
static bool
open_constructor(struct reader *r, uint32_t at)
{
    const char *from;
    struct json_member *name;

    for (const char *word = "new"; *word; word++, r->p++)
        if (peek(r) != *word)
            return fail(r, ERR_SYNTAX, "Unexpected content while parsing JSON.");
    if (!skip_blanks(r))
        return false;
    from = r->p;
    while (r->p < r->end && (ascii_is_alpha(*r->p) || ascii_is_digit(*r->p)))
        r->p++;
    struct str text = str_from(from, (size_t)(r->p - from));
    if (!skip_blanks(r))
        return false;
    if (peek(r) < 0)
        return fail(r, ERR_SYNTAX, "Unexpected end while parsing constructor.");
    if (*r->p != '(')
        return FAIL_HERE(r, "Unexpected character while parsing constructor");
    if (!open_container(r, JSON_CONSTRUCTOR, at))
        return false;
    name = json_build_slot(&r->build);
    name->value = (struct json){.kind = JSON_STRING, .at = at, .n = (uint32_t)text.len, {.p = text.p}};
    return true;
}

static bool
close_container(struct reader *r, char bracket)
{
    static const char *const types[] = {[JSON_ARRAY] = "Array", [JSON_OBJECT] = "Object",
                                        [JSON_CONSTRUCTOR] = "Constructor"};
    enum json_kind kind = bracket == ']' ? JSON_ARRAY : bracket == '}' ? JSON_OBJECT : JSON_CONSTRUCTOR;
    struct json_frame *f = json_build_top(&r->build);

    r->p++;
    if (!f)
        return fail(r, ERR_SYNTAX, "JsonToken End%s is not valid for closing JsonType None.", types[kind]);
    if (f->kind != kind) {
        r->build.depth--; /* the path in the message is that of what is around */
        r->build.n = f->base;
        return fail(r, ERR_SYNTAX, "JsonToken End%s is not valid for closing JsonType %s.", types[kind], types[f->kind]);
    }
    return json_build_close(&r->build) == JSON_CLOSED || FAIL_FULL(r);
}

static bool
read_scalar(struct reader *r, struct json *j)
{
    struct str text;
    int c = peek(r);

    j->flags = 0;
    switch (c) {
    case '"': case '\'':
        if (!read_string(r, &text))
            return false;
        *j = (struct json){.kind = JSON_STRING, .flags = JSON_NEEDS_ESCAPE, .at = j->at, .n = (uint32_t)text.len,
                           {.p = text.p}};
        return true;
    case 't': return read_word(r, "true", "boolean") && set_kind(j, JSON_TRUE);
    case 'f': return read_word(r, "false", "boolean") && set_kind(j, JSON_FALSE);
    case 'n': return read_word(r, "null", "null") && set_kind(j, JSON_NULL);
    case 'u': return read_word(r, "undefined", "undefined") && set_kind(j, JSON_UNDEFINED);
    case 'N': return read_word(r, "NaN", "NaN") && set_number(j, STR("NaN"), false);
    case 'I': return read_word(r, "Infinity", "positive infinity") && set_number(j, STR("Infinity"), false);
    case ',': return set_kind(j, JSON_UNDEFINED); /* the comma is read by what follows */
    }
    if (c == '-' || c == '.' || ascii_is_digit((char)c))
        return read_number(r, j);
    return FAIL_HERE(r, "Unexpected character encountered while parsing value");
}

/* What stands where a value may: containers are only opened, closing brackets end an array after a comma. */
static bool
read_value(struct reader *r)
{
    struct json j = {.at = (uint32_t)(r->p - r->start)};
    int c = peek(r);

    if (c < 0)
        return fail_end(r);
    if (c == '{' || c == '[')
        return open_container(r, c == '{' ? JSON_OBJECT : JSON_ARRAY, j.at);
    if (c == ']' || c == ')')
        return close_container(r, (char)c);
    if (c == 'n' && r->end - r->p >= 2 && r->p[1] == 'e')
        return open_constructor(r, j.at);
    if (!read_scalar(r, &j) || (r->build.depth == 0 && !check_wanted(r, &j)))
        return false;
    *value_slot(r) = j;
    return true;
}

static bool
is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '$' || (c & 0x80);
}

static bool
read_bare_name(struct reader *r, struct str *ret)
{
    const char *from = r->p;

    if (!is_name_char(*from))
        return FAIL_HERE(r, "Invalid property identifier character");
    while (r->p < r->end && is_name_char(*r->p) && !blank_here(r))
        r->p++;
    if (r->p == r->end)
        return fail(r, ERR_SYNTAX, "Unexpected end while parsing unquoted property name.");
    if (*r->p != ':' && !blank_here(r))
        return FAIL_HERE(r, "Invalid JavaScript property identifier character");
    *ret = str_from(from, (size_t)(r->p - from));
    return true;
}

/* A member's name and colon, or the end of the object. *ret_value: a value follows. */
static bool
read_member(struct reader *r, bool *ret_value)
{
    struct str name;

    *ret_value = false;
    if (peek(r) < 0)
        return fail_end(r);
    if (*r->p == '}')
        return close_container(r, '}');
    if (!(*r->p == '"' || *r->p == '\'' ? read_string(r, &name) : read_bare_name(r, &name)))
        return false;
    while (blank_here(r))
        r->p += blank_here(r);
    if (peek(r) != ':')
        return FAIL_HERE(r, "Invalid character after parsing property name. Expected ':' but got");
    r->p++;
    json_build_slot(&r->build)->name = name;
    *ret_value = true;
    return skip_blanks(r);
}

/* After a value: commas and closing brackets, until another value is due or the root is complete. */
static bool
read_after_value(struct reader *r)
{
    while (r->build.depth) {
        if (!skip_blanks(r))
            return false;
        switch (peek(r)) {
        case -1: return fail_end(r);
        case ',': r->p++; return true;
        case '}': case ']': case ')':
            if (!close_container(r, *r->p))
                return false;
            continue;
        }
        return FAIL_HERE(r, "After parsing a value an unexpected character was encountered");
    }
    return true;
}

static bool
read_document(struct reader *r)
{
    bool value_is_due;

    do {
        uint32_t depth = r->build.depth;
        struct json_frame *f = json_build_top(&r->build);

        value_is_due = true;
        if (!skip_blanks(r))
            return false;
        if (f && f->kind == JSON_OBJECT && !read_member(r, &value_is_due))
            return false;
        if (value_is_due && !read_value(r))
            return false;
        if (r->build.depth <= depth && !read_after_value(r))
            return false;
    } while (r->build.depth);
    if (!skip_blanks(r))
        return false;
    while (r->p < r->end && *r->p == '\0') /* as Newtonsoft's reader */
        r->p++;
    return r->p == r->end || FAIL_HERE(r, "Additional text encountered after finished reading JSON content");
}

const struct json *
json_parse_lenient(struct arena *a, struct str text, enum json_kind wanted, struct json_problem *problem)
{
    struct reader r = {.wanted = wanted, .problem = problem};
    struct json *root = NULL;

    r.p = r.start = text.len ? text.p : "";
    r.end = r.p + text.len;
    json_build_init(&r.build, a, false);
    if (text.len > UINT32_MAX - 16)
        fail(&r, ERR_LIMIT, "The JSON text is longer than 4 GiB.");
    else if (read_document(&r)) {
        root = arena_alloc(a, 1, sizeof(*root), _Alignof(struct json));
        if (root)
            *root = r.build.stack[0].value;
        else
            FAIL_FULL(&r);
    }
    json_build_destroy(&r.build);
    return root;
}
