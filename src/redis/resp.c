/* resp.c: one pass over the bytes of a reply into a row of nodes.
 *
 *     *2\r\n $1\r\na\r\n :7\r\n     ->     [array n=2 span=3] [string "a"] [integer 7]
 *
 * `frames` are the aggregates that are not complete; when the last one is, so is the reply. Streamed strings and aggregates
 * ("$?", "*?") are not spoken by any server we know of and refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/resp.h"

#include "base/num.h"

/* --- reading ------------------------------------------------------------------------------------------------------- */

void
resp_parser_create(struct resp_parser *p, const struct resp_limits *limits)
{
    *p = (struct resp_parser){.limits = *limits};
}

void
resp_parser_destroy(struct resp_parser *p)
{
    vec_free(&p->nodes);
}

void
resp_parser_next(struct resp_parser *p)
{
    if (p->nodes.cap > 1024)
        vec_free(&p->nodes);
    p->nodes.n = 0;
    p->depth = 0;
    p->at = p->scanned = p->want = 0;
}

/* The line that begins at p->at, without its type byte and its end; p->at moves behind it. */
static enum resp_result
take_line(struct resp_parser *p, struct str input, struct str *ret, struct err *err)
{
    size_t from = MAX(p->at + 1, p->scanned);
    ptrdiff_t end = str_find_char(input, '\r', from);

    if (end < 0 || (size_t)end + 1 == input.len) {
        size_t seen = end < 0 ? input.len : (size_t)end;

        if (seen - p->at > RESP_LINE_MAX)
            return err_set(err, ERR_LIMIT, "a reply's line is longer than %zu bytes", RESP_LINE_MAX), RESP_BAD;
        p->scanned = seen;
        p->want = 1;
        return RESP_MORE;
    }
    if (input.p[end + 1] != '\n')
        return err_set(err, ERR_PROTOCOL, "a carriage return without a line feed in a reply"), RESP_BAD;
    if ((size_t)end - p->at > RESP_LINE_MAX)
        return err_set(err, ERR_LIMIT, "a reply's line is longer than %zu bytes", RESP_LINE_MAX), RESP_BAD;
    *ret = str_sub(input, p->at + 1, (size_t)end);
    if (str_find_char(*ret, '\n', 0) >= 0)
        return err_set(err, ERR_PROTOCOL, "a line feed without a carriage return in a reply"), RESP_BAD;
    p->at = (size_t)end + 2;
    p->scanned = 0;
    return RESP_DONE;
}

/* integer = ["-" | "+"] 1*19DIGIT */
static bool
integer(struct str text, int64_t *ret, struct err *err)
{
    if (!num_parse_i64(text, INT64_MIN, INT64_MAX, ret, NULL))
        return err_set(err, ERR_PROTOCOL, "expected a number in a reply, found '%.*s'", (int)MIN(text.len, (size_t)40), text.p);
    return true;
}

/* length = "-1" | 1*DIGIT */
static bool
length(struct str text, uint64_t max, int64_t *ret, struct err *err)
{
    uint64_t n;

    if (str_eq_lit(text, "-1")) {
        *ret = -1;
        return true;
    }
    if (!num_parse_u64(text, UINT64_MAX, &n, NULL))
        return err_set(err, ERR_PROTOCOL, "expected a length in a reply, found '%.*s'", (int)MIN(text.len, (size_t)40), text.p);
    if (n > max)
        return err_set(err, ERR_LIMIT, "a reply of %" PRIu64 " bytes or items is above the limit of %" PRIu64, n, max);
    *ret = (int64_t)n;
    return true;
}

static struct resp_node *
add_node(struct resp_parser *p, enum resp_type type)
{
    struct resp_node *n = vec_push(&p->nodes);

    *n = (struct resp_node){.type = (uint8_t)type, .span = 1};
    return n;
}

/* A text of known length and its line end, from p->at. The head stays unread until all of it is there. */
static enum resp_result
take_bulk(struct resp_parser *p, struct str input, size_t head, struct str line, enum resp_type type, bool is_verbatim,
          struct err *err)
{
    struct resp_node *n;
    int64_t len;

    if (!length(line, p->limits.reply_bytes - MIN(p->at, p->limits.reply_bytes), &len, err))
        return RESP_BAD;
    if (len < 0 && type == RESP_STRING && !is_verbatim) {
        add_node(p, RESP_NULL);
        return RESP_DONE;
    }
    if (len < (is_verbatim ? 4 : 0))
        return err_set(err, ERR_PROTOCOL, "a text of %" PRId64 " bytes in a reply", len), RESP_BAD;
    if (input.len < p->at || input.len - p->at < (size_t)len + 2) {
        p->want = p->at + (size_t)len + 2 - input.len;
        p->at = head;
        return RESP_MORE;
    }
    if (memcmp(input.p + p->at + len, "\r\n", 2) != 0)
        return err_set(err, ERR_PROTOCOL, "a text in a reply is not followed by a line end"), RESP_BAD;
    if (is_verbatim && input.p[p->at + 3] != ':')
        return err_set(err, ERR_PROTOCOL, "a verbatim text without its kind in a reply"), RESP_BAD;
    n = add_node(p, type);
    n->at = p->at + (is_verbatim ? 4 : 0);
    n->len = (size_t)len - (is_verbatim ? 4 : 0);
    p->at += (size_t)len + 2;
    return RESP_DONE;
}

/* Opens an aggregate; an empty one is complete at once. */
static enum resp_result
take_aggregate(struct resp_parser *p, struct str line, char kind, struct err *err)
{
    enum resp_type type = kind == '*' ? RESP_ARRAY : kind == '~' ? RESP_SET : kind == '>' ? RESP_PUSH : RESP_MAP;
    int64_t n;

    if (!length(line, p->limits.nodes, &n, err))
        return RESP_BAD;
    if (n < 0 && kind == '*') {
        add_node(p, RESP_NULL);
        return RESP_DONE;
    }
    if (n < 0 || (kind == '>' && (p->depth || n == 0)))
        return err_set(err, ERR_PROTOCOL, "a '%c' of %" PRId64 " items where a reply may not have one", kind, n), RESP_BAD;
    n *= type == RESP_MAP ? 2 : 1;
    add_node(p, type)->n = (uint32_t)n;
    if (n == 0 && kind != '|')
        return RESP_DONE;
    if (p->depth == RESP_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "a reply is nested deeper than %u", RESP_DEPTH_MAX), RESP_BAD;
    p->frames[p->depth++] = (struct resp_frame){(uint32_t)p->nodes.n - 1, (uint32_t)n, kind == '|'};
    return RESP_DONE;
}

static bool
is_number_text(struct str text, bool is_double)
{
    bool has_digit = false;

    if (is_double && (str_eq_lit(text, "inf") || str_eq_lit(text, "-inf") || str_eq_lit(text, "nan") ||
                      str_eq_lit(text, "-nan") || str_eq_lit(text, "+inf")))
        return true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        has_digit |= ascii_is_digit(c);
        if (!ascii_is_digit(c) && !((c == '-' || c == '+') && (i == 0 || is_double)) &&
            !(is_double && (c == '.' || c == 'e' || c == 'E')))
            return false;
    }
    return has_digit;
}

/* A value whose text is its line. */
static enum resp_result
take_plain(struct resp_parser *p, char kind, struct str line, size_t line_at, struct err *err)
{
    struct resp_node *n;
    int64_t value = 0;

    if (kind == ':' && !integer(line, &value, err))
        return RESP_BAD;
    if ((kind == '_' && line.len) || (kind == '#' && !str_eq_lit(line, "t") && !str_eq_lit(line, "f")) ||
        ((kind == ',' || kind == '(') && !is_number_text(line, kind == ',')))
        return err_set(err, ERR_PROTOCOL, "'%c%.*s' in a reply", kind, (int)MIN(line.len, (size_t)40), line.p), RESP_BAD;
    n = add_node(p, kind == '+' ? RESP_STRING : kind == '-' ? RESP_ERROR : kind == ':' ? RESP_INTEGER : kind == '#' ? RESP_BOOL
                    : kind == ',' ? RESP_DOUBLE : kind == '(' ? RESP_BIG : RESP_NULL);
    n->at = line_at;
    n->len = line.len;
    n->integer = kind == '#' ? line.p[0] == 't' : value;
    return RESP_DONE;
}

/* One node: for an aggregate its head. */
static enum resp_result
take_node(struct resp_parser *p, struct str input, struct err *err)
{
    enum resp_result result;
    size_t head = p->at;
    struct str line;
    char kind;

    if (p->nodes.n >= p->limits.nodes)
        return err_set(err, ERR_LIMIT, "a reply has more than %u parts", p->limits.nodes), RESP_BAD;
    if (p->at >= p->limits.reply_bytes)
        return err_set(err, ERR_LIMIT, "a reply is longer than %zu bytes", p->limits.reply_bytes), RESP_BAD;
    if (p->at >= input.len) {
        p->want = 1;
        return RESP_MORE;
    }
    kind = input.p[p->at];
    if (kind == 0 || !strchr("+-:$*_#,(!=%~>|", kind))
        return err_set(err, ERR_PROTOCOL, "byte 0x%02x where a reply should begin", (unsigned char)kind), RESP_BAD;
    if ((result = take_line(p, input, &line, err)) != RESP_DONE)
        return result;
    switch (kind) {
    case '$': return take_bulk(p, input, head, line, RESP_STRING, false, err);
    case '=': return take_bulk(p, input, head, line, RESP_STRING, true, err);
    case '!': return take_bulk(p, input, head, line, RESP_ERROR, false, err);
    case '*': case '%': case '~': case '>': case '|': return take_aggregate(p, line, kind, err);
    default: return take_plain(p, kind, line, head + 1, err);
    }
}

/* A node is complete: so may be the aggregates it ends. True when nothing is open any more. */
static bool
close_frames(struct resp_parser *p)
{
    while (p->depth) {
        struct resp_frame *f = &p->frames[p->depth - 1];

        if (f->left && --f->left)
            return false;
        p->nodes.v[f->node].span = (uint32_t)p->nodes.n - f->node;
        p->depth--;
        if (f->is_attribute) { /* it says something about the value behind it, which is still to come */
            p->nodes.n = f->node;
            return false;
        }
    }
    return true;
}

enum resp_result
resp_parse(struct resp_parser *p, struct str input, struct err *err)
{
    for (;;) {
        uint32_t depth = p->depth;
        enum resp_result result = take_node(p, input, err);

        if (result != RESP_DONE)
            return result;
        if (p->depth > depth && p->frames[depth].left)
            continue;                 /* an aggregate was opened */
        if (close_frames(p))
            return RESP_DONE;
    }
}

struct resp
resp_root(const struct resp_parser *p, struct str input)
{
    return (struct resp){p->nodes.v, input.p};
}

bool
resp_u64(struct resp r, uint64_t *ret)
{
    if (r.v->type == RESP_INTEGER && r.v->integer >= 0) {
        *ret = (uint64_t)r.v->integer;
        return true;
    }
    return r.v->type == RESP_STRING && num_parse_u64(resp_text(r), UINT64_MAX, ret, NULL);
}

bool
resp_item(struct resp r, uint32_t i, struct resp *ret)
{
    if (!resp_is_list(r) || i >= r.v->n)
        return false;
    for (*ret = resp_first(r); i; i--)
        *ret = resp_next(*ret);
    return true;
}

bool
resp_field(struct resp r, struct str name, struct resp *ret)
{
    struct resp item = resp_first(r);

    for (uint32_t i = 0; resp_is_list(r) && i + 1 < r.v->n; i += 2, item = resp_next(resp_next(item))) {
        if (resp_type(item) != RESP_STRING || !str_eq(resp_text(item), name))
            continue;
        *ret = resp_next(item);
        return true;
    }
    return false;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

#define HEAD_BYTES 24u   /* '*' or '$', at most 20 digits, "\r\n", rounded up */

/* kind n "\r\n" */
static char *
put_head(char *to, char kind, uint64_t n)
{
    char digits[20], *at = digits + sizeof(digits);

    *to++ = kind;
    do {
        *--at = (char)('0' + n % 10);
    } while (n /= 10);
    while (at < digits + sizeof(digits))
        *to++ = *at++;
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

size_t
resp_command_bytes(const struct str *words, uint32_t n)
{
    size_t bytes = HEAD_BYTES;

    for (uint32_t i = 0; i < n; i++)
        bytes += HEAD_BYTES + words[i].len + 2;
    return bytes;
}

bool
resp_command(struct buf *to, const struct str *words, uint32_t n)
{
    char *at = buf_reserve(to, resp_command_bytes(words, n));

    if (!at)
        return false;
    at = put_head(at, '*', n);
    for (uint32_t i = 0; i < n; i++) {
        at = put_head(at, '$', words[i].len);
        if (words[i].len)
            memcpy(at, words[i].p, words[i].len);
        at += words[i].len;
        *at++ = '\r';
        *at++ = '\n';
    }
    to->len = (size_t)(at - to->p);
    return true;
}
