/* path.c: the normal form of a path, and the forms of a target (path.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/path.h"

#include "base/arena.h"
#include "base/utf8.h"

/* What a byte of a raw path is. */
enum path_char {
    PC_REFUSED,                       /* control, blank, '#', '?', raw bytes above 0x7f */
    PC_PLAIN,                         /* pchar of RFC 3986 but '.' */
    PC_DOT,
    PC_SLASH,
    PC_ESCAPE,                        /* '%' */
    PC_BACKSLASH,
    PC_UNWISE,                        /* browsers send them raw; they go on escaped: " < > ^ ` { | } */
};

static const uint8_t path_chars[256] = {
    ['A' ... 'Z'] = PC_PLAIN, ['a' ... 'z'] = PC_PLAIN, ['0' ... '9'] = PC_PLAIN, ['-'] = PC_PLAIN,
    ['_'] = PC_PLAIN,         ['~'] = PC_PLAIN,         ['!'] = PC_PLAIN,         ['$'] = PC_PLAIN,
    ['&'] = PC_PLAIN,         ['\''] = PC_PLAIN,        ['('] = PC_PLAIN,         [')'] = PC_PLAIN,
    ['*'] = PC_PLAIN,         ['+'] = PC_PLAIN,         [','] = PC_PLAIN,         [';'] = PC_PLAIN,
    ['='] = PC_PLAIN,         [':'] = PC_PLAIN,         ['@'] = PC_PLAIN,         ['['] = PC_UNWISE,
    [']'] = PC_UNWISE,        ['.'] = PC_DOT,           ['/'] = PC_SLASH,         ['%'] = PC_ESCAPE,
    ['\\'] = PC_BACKSLASH,    ['"'] = PC_UNWISE,        ['<'] = PC_UNWISE,        ['>'] = PC_UNWISE,
    ['^'] = PC_UNWISE,        ['`'] = PC_UNWISE,        ['{'] = PC_UNWISE,        ['|'] = PC_UNWISE,
    ['}'] = PC_UNWISE,
};

/* Normal already: no escapes, no dot at the start of a segment, no empty segment in the middle. */
static bool
is_normal(struct str path)
{
    char before = 0;

    if (path.len == 0 || path.p[0] != '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t kind = path_chars[(uint8_t)path.p[i]];
        if (kind != PC_PLAIN && (kind != PC_DOT || before == '/') &&
            (kind != PC_SLASH || before == '/'))
            return false;
        before = path.p[i];
    }
    return true;
}

static bool
is_unreserved(uint8_t c)
{
    return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static char *
put_escape(char *to, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";

    *to++ = '%';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

/* Bytes that UTF-8 still expects, checked as the escapes go by. */
struct utf8_run {
    char bytes[4];
    size_t n;
};

static bool
utf8_run_add(struct utf8_run *run, uint8_t byte)
{
    run->bytes[run->n++] = (char)byte;
    if (utf8_sequence_len(str_from(run->bytes, run->n), 0) == run->n)
        run->n = 0;
    return run->n < 4;
}

/* One escape at s[i]: unreserved characters come out plain, others as they are. NULL, or what is wrong. */
static const char *
escape(struct str s, size_t i, unsigned flags, struct utf8_run *run, char **to)
{
    int hi = i + 2 < s.len ? ascii_hex_value(s.p[i + 1]) : -1;
    int lo = hi >= 0 ? ascii_hex_value(s.p[i + 2]) : -1;
    uint8_t byte;

    if (lo < 0)
        return "a '%' without two hexadecimal digits";
    byte = (uint8_t)(hi << 4 | lo);
    if (byte == 0)
        return "an encoded NUL";
    if ((byte == '/' || byte == '\\') && !(flags & HTTP_PATH_ENCODED_SLASH))
        return "an encoded slash or backslash";
    if (byte < 0x80 ? run->n > 0 : !utf8_run_add(run, byte))
        return "bytes that are not UTF-8";
    if (is_unreserved(byte))
        *(*to)++ = (char)byte;
    else
        *to = put_escape(*to, byte);
    return NULL;
}

/* Decodes what may be decoded, into *to. NULL, or what is wrong. */
static const char *
decode(struct str s, unsigned flags, char **to)
{
    struct utf8_run run = {.n = 0};

    for (size_t i = 0; i < s.len; i++) {
        const char *wrong = NULL;
        uint8_t c = (uint8_t)s.p[i];

        if (path_chars[c] != PC_ESCAPE && run.n > 0)
            return "bytes that are not UTF-8";
        switch ((enum path_char)path_chars[c]) {
        case PC_PLAIN:
        case PC_DOT:
        case PC_SLASH:
            *(*to)++ = (char)c;
            break;
        case PC_UNWISE:
            *to = put_escape(*to, c);
            break;
        case PC_ESCAPE:
            wrong = escape(s, i, flags, &run, to);
            i += 2;
            break;
        case PC_BACKSLASH:
            return "a backslash";
        case PC_REFUSED:
            return "a character that a path cannot hold";
        }
        if (wrong)
            return wrong;
    }
    return run.n ? "bytes that are not UTF-8" : NULL;
}

/* How many dots the segment consists of, before an optional ';': "..;x" is two, "..a" is none. */
static int
dots(struct str segment, bool *ret_has_parameter)
{
    size_t n = 0;

    while (n < segment.len && segment.p[n] == '.')
        n++;
    *ret_has_parameter = n < segment.len && segment.p[n] == ';';
    return n >= 1 && n <= 2 && (n == segment.len || *ret_has_parameter) ? (int)n : 0;
}

/* Removes dot segments and empty ones in place (RFC 3986 5.2.4). NULL, or what is wrong. */
static const char *
remove_dots(char *p, size_t *len, unsigned flags)
{
    struct str rest = str_from(p + 1, *len - 1), segment;
    char *to = p;                     /* behind the last segment kept; segments are written with their slash */
    bool has_parameter, is_last;

    do {
        ptrdiff_t slash = str_find_char(rest, '/', 0);
        int n;

        is_last = slash < 0;
        segment = is_last ? rest : str_sub(rest, 0, (size_t)slash);
        rest = is_last ? STR_NONE : str_skip(rest, (size_t)slash + 1);
        n = dots(segment, &has_parameter);
        if (n && has_parameter)
            return "a dot segment with a parameter";
        if (n == 2) {
            if (to == p)
                return "a climb above the root";
            while (*--to != '/')
                ;
        }
        if (n == 0 && (segment.len > 0 || is_last || (flags & HTTP_PATH_KEEP_EMPTY))) {
            *to++ = '/';
            memmove(to, segment.p, segment.len);
            to += segment.len;
        } else if (n > 0 && is_last) {
            *to++ = '/';
        }
    } while (!is_last);
    *len = (size_t)(to - p);
    return NULL;
}

bool
http_path_normalise(struct arena *arena, struct str path, unsigned flags, struct str *ret,
                    struct err *err)
{
    const char *wrong;
    char *start, *to;
    size_t len;

    if (LIKELY(is_normal(path))) {
        *ret = path;
        return true;
    }
    if (path.len == 0 || path.p[0] != '/')
        return err_set(err, ERR_SYNTAX, "the path does not start with a slash");
    start = to = arena_alloc(arena, path.len, 3, 1);
    if (!start)
        return err_set(err, ERR_NO_MEMORY, "no memory left for the path");
    wrong = decode(path, flags, &to);
    len = (size_t)(to - start);
    if (!wrong)
        wrong = remove_dots(start, &len, flags);
    if (wrong)
        return err_set(err, ERR_SYNTAX, "the path holds %s", wrong);
    *ret = str_from(start, len);
    return true;
}

static bool
is_query_char(uint8_t c)
{
    return path_chars[c] == PC_PLAIN || path_chars[c] == PC_DOT || path_chars[c] == PC_SLASH ||
           c == '?' || c == '[' || c == ']';
}

static bool
is_escape_at(struct str s, size_t i)
{
    return i + 2 < s.len && ascii_hex_value(s.p[i + 1]) >= 0 && ascii_hex_value(s.p[i + 2]) >= 0;
}

bool
http_query_normalise(struct arena *arena, struct str query, struct str *ret)
{
    size_t i = 0;
    char *start, *to;

    while (i < query.len &&
           (is_query_char((uint8_t)query.p[i]) || (query.p[i] == '%' && is_escape_at(query, i))))
        i++;
    if (LIKELY(i == query.len)) {
        *ret = query;
        return true;
    }
    start = to = arena_alloc(arena, query.len, 3, 1);
    if (!start)
        return false;
    for (i = 0; i < query.len; i++) {
        uint8_t c = (uint8_t)query.p[i];
        if (is_query_char(c) || (c == '%' && is_escape_at(query, i)))
            *to++ = (char)c;
        else
            to = put_escape(to, c);
    }
    *ret = str_from(start, (size_t)(to - start));
    return true;
}

static void
split_query(struct str s, struct http_target *ret)
{
    ptrdiff_t mark = str_find_char(s, '?', 0);

    ret->path = mark < 0 ? s : str_sub(s, 0, (size_t)mark);
    ret->query = mark < 0 ? STR_NONE : str_skip(s, (size_t)mark + 1);
    if (ret->path.len == 0)
        ret->path = STR("/");
}

bool
http_target_split(struct str target, struct http_target *ret)
{
    size_t scheme_len, i;

    *ret = (struct http_target){0};
    if (target.len && target.p[0] == '/') {
        split_query(target, ret);
        return true;
    }
    if (str_eq_lit(target, "*")) {
        ret->path = target;
        return true;
    }
    if (str_starts_with_nocase(target, STR("http://")))
        scheme_len = 4;
    else if (str_starts_with_nocase(target, STR("https://")))
        scheme_len = 5;
    else
        return false;
    ret->scheme = scheme_len == 4 ? STR("http") : STR("https");
    target = str_skip(target, scheme_len + 3);
    for (i = 0; i < target.len && target.p[i] != '/' && target.p[i] != '?'; i++)
        ;
    ret->authority = str_sub(target, 0, i);
    split_query(str_skip(target, i), ret);
    return ret->authority.len > 0;
}
