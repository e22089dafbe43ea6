/* json_write.c: JSON text from calls in document order, or from a tree.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How many bytes from p on need no look at all: printable ASCII without quotes and backslashes. */
static size_t
plain_len(const char *p, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i blank = _mm_set1_epi8(' '), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');

    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* signed: bytes from 0x80 on are below the blank too */
        __m128i special = _mm_or_si128(_mm_cmplt_epi8(v, blank),
                                       _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        int mask = _mm_movemask_epi8(special);
        if (mask)
            return i + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (i < n && (unsigned char)(p[i] - 0x20) < 0x60 && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

static void
escape_control(struct buf *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    static const char letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    if (c == '"' || c == '\\' || (c < 0x20 && letters[c])) {
        text[1] = c < 0x20 ? letters[c] : (char)c;
        buf_add(to, text, 2);
    } else {
        buf_add(to, text, 6);
    }
}

/* Length of U+0085, U+2028 or U+2029 at s[i], or 0. */
static size_t
line_separator_len(struct str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.p + i;

    if (s.len - i >= 2 && p[0] == 0xc2 && p[1] == 0x85)
        return 2;
    return s.len - i >= 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] | 1) == 0xa9 ? 3 : 0;
}

void
json_write_escaped(struct buf *to, struct str s, bool escape_all)
{
    size_t plain = 0, i = 0;

    while ((i += plain_len(s.p + i, s.len - i)) < s.len) {
        unsigned char c = (unsigned char)s.p[i];
        size_t separator = c >= 0x80 && escape_all ? line_separator_len(s, i) : 0;

        if (!separator && c >= 0x20 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        buf_add(to, s.p + plain, i - plain);
        if (!separator)
            escape_control(to, c);
        else if (separator == 2)
            buf_add_lit(to, "\\u0085");
        else
            buf_printf(to, "\\u20%02x", (unsigned char)s.p[i + 2] - 0x80);
        i += separator ? separator : 1;
        plain = i;
    }
    buf_add(to, s.p + plain, i - plain);
}

static void
new_line(struct json_writer *w)
{
    char *at = buf_reserve(w->to, 1 + 2 * (size_t)w->depth);

    if (!at)
        return;
    *at = '\n';
    memset(at + 1, ' ', 2 * (size_t)w->depth);
    w->to->len += 1 + 2 * (size_t)w->depth;
}

/* What stands between the last thing written and a new name or item. */
static void
before_item(struct json_writer *w)
{
    if (w->after_name) {
        w->after_name = false;
        return;
    }
    if (w->has_items)
        buf_add_char(w->to, ',');
    if (w->indented && w->depth)
        new_line(w);
    w->has_items = true;
}

static void
begin(struct json_writer *w, char bracket)
{
    before_item(w);
    buf_add_char(w->to, bracket);
    ASSERT(w->depth < JSON_DEPTH_MAX);
    w->outer[w->depth / 64] &= ~(1ull << w->depth % 64);
    w->outer[w->depth / 64] |= (uint64_t)w->has_items << w->depth % 64;
    w->depth++;
    w->has_items = false;
}

static void
end(struct json_writer *w, char bracket)
{
    ASSERT(w->depth > 0 && !w->after_name);
    w->depth--;
    if (w->indented && w->has_items)
        new_line(w);
    buf_add_char(w->to, bracket);
    w->has_items = w->outer[w->depth / 64] >> w->depth % 64 & 1;
}

void
json_write_object_begin(struct json_writer *w)
{
    begin(w, '{');
}

void
json_write_object_end(struct json_writer *w)
{
    end(w, '}');
}

void
json_write_array_begin(struct json_writer *w)
{
    begin(w, '[');
}

void
json_write_array_end(struct json_writer *w)
{
    end(w, ']');
}

static void
write_quoted(struct json_writer *w, struct str s)
{
    buf_add_char(w->to, '"');
    json_write_escaped(w->to, s, w->escape_all);
    buf_add_char(w->to, '"');
}

void
json_write_name(struct json_writer *w, struct str name)
{
    before_item(w);
    write_quoted(w, name);
    if (w->indented)
        buf_add_lit(w->to, ": ");
    else
        buf_add_char(w->to, ':');
    w->after_name = true;
}

void
json_write_str(struct json_writer *w, struct str s)
{
    before_item(w);
    write_quoted(w, s);
}

void
json_write_raw(struct json_writer *w, struct str text)
{
    before_item(w);
    buf_add_str(w->to, text);
}

void
json_write_i64(struct json_writer *w, int64_t n)
{
    before_item(w);
    buf_add_i64(w->to, n);
}

void
json_write_u64(struct json_writer *w, uint64_t n)
{
    before_item(w);
    buf_add_u64(w->to, n);
}

void
json_write_bool(struct json_writer *w, bool b)
{
    json_write_raw(w, b ? STR("true") : STR("false"));
}

void
json_write_null(struct json_writer *w)
{
    json_write_raw(w, STR("null"));
}

/* A value that holds no others. */
static void
write_scalar(struct json_writer *w, const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_NULL: json_write_null(w); return;
    case JSON_FALSE: json_write_bool(w, false); return;
    case JSON_TRUE: json_write_bool(w, true); return;
    case JSON_NUMBER: json_write_raw(w, json_text(j)); return;
    case JSON_STRING: json_write_str(w, json_text(j)); return;
    case JSON_UNDEFINED: json_write_raw(w, STR("undefined")); return;
    case JSON_ARRAY: case JSON_OBJECT: case JSON_CONSTRUCTOR: break;
    }
    UNREACHABLE();
}

struct walk {
    const struct json *container;
    uint32_t next;
};

/* Opens a container and returns true, or writes a scalar. Constructors are written as arrays of their parts: only
 * trees from JSON_LENIENT hold them, and those are written by their owner. */
static bool
open_or_write(struct json_writer *w, const struct json *j)
{
    if (j->kind == JSON_OBJECT)
        json_write_object_begin(w);
    else if (j->kind == JSON_ARRAY || j->kind == JSON_CONSTRUCTOR)
        json_write_array_begin(w);
    else
        write_scalar(w, j);
    return j->kind == JSON_OBJECT || j->kind == JSON_ARRAY || j->kind == JSON_CONSTRUCTOR;
}

void
json_write(struct json_writer *w, const struct json *j)
{
    struct walk stack[JSON_DEPTH_MAX];
    uint32_t depth = 0;

    if (open_or_write(w, j))
        stack[depth++] = (struct walk){j, 0};
    while (depth) {
        struct walk *top = &stack[depth - 1];
        const struct json *c = top->container, *child;

        if (top->next == c->n) {
            end(w, c->kind == JSON_OBJECT ? '}' : ']');
            depth--;
            continue;
        }
        if (c->kind == JSON_OBJECT) {
            json_write_name(w, c->members[top->next].name);
            child = &c->members[top->next].value;
        } else {
            child = &c->items[top->next];
        }
        top->next++;
        if (open_or_write(w, child)) {
            ASSERT(depth < JSON_DEPTH_MAX);
            stack[depth++] = (struct walk){child, 0};
        }
    }
}
