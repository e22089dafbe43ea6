/* regex_parse.c: .NET's syntax of regular expressions into a tree.
 *
 *     alternation = concat ("|" concat)*        concat = (atom quantifier?)*
 * Inline options are resolved here: every node knows its own. Groups get their numbers at the end, when all names are known;
 * named groups come after the unnamed ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "data/regex_tree.h"

#define DEPTH_MAX 250
#define PATTERN_MAX ((size_t)256 << 10)
#define REPEAT_MAX 65535 /* PCRE2's */

struct parser {
    struct regex_tree *t;
    struct str s;
    size_t at;
    unsigned options;
    uint32_t depth;
    struct err *err;
    struct { struct regex_node **v; size_t n, cap; } captures;    /* in order of their opening brackets */
    struct { struct regex_node **v; size_t n, cap; } references;  /* BACKREF, CONDITION */
};

static struct regex_node *alternation(struct parser *p);

static struct regex_node *fail(struct parser *p, const char *what, ...) PRINTF_LIKE(2, 3);
static struct regex_node *
fail(struct parser *p, const char *what, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, what);
    vsnprintf(text, sizeof(text), what, ap);
    va_end(ap);
    err_set(p->err, ERR_SYNTAX, "parsing \"%.*s\" - %s.", STR_ARG(str_sub(p->s, 0, 200)), text);
    return NULL;
}

static struct regex_node *
full(struct parser *p)
{
    err_set(p->err, ERR_LIMIT, "the regular expression is too large");
    return NULL;
}

static struct regex_node *
node(struct parser *p, enum regex_kind kind)
{
    struct regex_node *n = arena_new(&p->t->arena, struct regex_node);

    if (!n)
        return full(p);
    n->kind = kind;
    n->group = n->minus = -1;
    n->ignore_case = p->options & REGEX_IGNORE_CASE;
    n->ecmascript = p->options & REGEX_ECMASCRIPT;
    n->singleline = p->options & REGEX_SINGLELINE;
    return n;
}

static bool
append(struct parser *p, struct regex_node *list, struct regex_node *item)
{
    struct regex_node **slot = item ? avec_push(&p->t->arena, &list->list) : NULL;

    if (slot)
        *slot = item;
    else if (item)
        full(p);
    return slot != NULL;
}

static bool
more(const struct parser *p)
{
    return p->at < p->s.len;
}

static char
peek(const struct parser *p)
{
    return more(p) ? p->s.p[p->at] : '\0';
}

static char
peek_at(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->s.len ? p->s.p[p->at + ahead] : '\0';
}

static bool
accept(struct parser *p, const char *text)
{
    struct str t = str_from_c(text);

    if (!str_starts_with(str_skip(p->s, p->at), t))
        return false;
    p->at += t.len;
    return true;
}

static struct regex_node *
char_node(struct parser *p, uint32_t c)
{
    struct regex_node *n = node(p, RE_CHAR);

    if (n)
        n->c = c;
    return n;
}

/* --- escapes ------------------------------------------------------------------------------------------------------------------------ */

/* `digits` hexadecimal digits; -1 when they are not there. */
static int64_t
hex(struct parser *p, int digits)
{
    int64_t value = 0;

    for (int i = 0; i < digits; i++) {
        int digit = more(p) ? ascii_hex_value(p->s.p[p->at]) : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
        p->at++;
    }
    return value;
}

/* A character behind a backslash that stands for one character; the backslash is read. -1 after an error. */
static int64_t
escaped_char(struct parser *p)
{
    char c = peek(p);
    int64_t value;

    if (!more(p)) {
        fail(p, "Illegal \\ at end of pattern");
        return -1;
    }
    if (c >= '0' && c <= '7') {
        for (value = 0; more(p) && peek(p) >= '0' && peek(p) <= '7' && value < 32; p->at++)
            value = value * 8 + (peek(p) - '0');
        return value & 0xff;
    }
    p->at++;
    switch (c) {
    case 'a': return 7;
    case 'b': return 8;
    case 't': return 9;
    case 'n': return 10;
    case 'v': return 11;
    case 'f': return 12;
    case 'r': return 13;
    case 'e': return 27;
    case 'x':
        if ((value = hex(p, 2)) < 0)
            fail(p, "Insufficient hexadecimal digits");
        return value;
    case 'u':
        if ((value = hex(p, 4)) < 0)
            fail(p, "Insufficient hexadecimal digits");
        if (value >= 0xd800 && value < 0xdc00 && peek(p) == '\\' && peek_at(p, 1) == 'u') { /* a pair is one character */
            size_t back = p->at;
            p->at += 2;
            int64_t low = hex(p, 4);
            if (low >= 0xdc00 && low < 0xe000)
                return 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
            p->at = back;
        }
        return value;
    case 'c':
        if (!more(p)) {
            fail(p, "Missing control character");
            return -1;
        }
        value = (unsigned char)(peek(p) & ~0x20) - 64;
        p->at++;
        if (value < 0 || value > 31) {
            fail(p, "Unrecognized control character");
            return -1;
        }
        return value;
    }
    if (c == '_' || ascii_is_alpha(c) || ascii_is_digit(c)) {
        p->at--;
        fail(p, "Unrecognized escape sequence");
        return -1;
    }
    p->at--;
    return utf8_next(p->s, &p->at);
}

/* \d \w \s \p{..} and their opposites behind the backslash; false: none of them (nothing read), or an error. */
static bool
class_escape(struct parser *p, struct regex_item *ret)
{
    char c = peek(p);
    ptrdiff_t close;

    *ret = (struct regex_item){.named = true, .negated = c == 'D' || c == 'W' || c == 'S' || c == 'P'};
    switch (c) {
    case 'd':
    case 'D': ret->class_ = CLASS_DIGIT; break;
    case 'w':
    case 'W': ret->class_ = CLASS_WORD; break;
    case 's':
    case 'S': ret->class_ = CLASS_SPACE; break;
    case 'p':
    case 'P':
        if (peek_at(p, 1) != '{' || (close = str_find_char(p->s, '}', p->at)) < 0) {
            fail(p, "Malformed \\p{X} character escape");
            return false;
        }
        ret->class_ = CLASS_PROPERTY;
        ret->property = str_sub(p->s, p->at + 2, (size_t)close);
        if (!regex_is_property(ret->property)) {
            fail(p, "Unknown property '%.*s'", STR_ARG(ret->property));
            return false;
        }
        p->at = (size_t)close + 1;
        return true;
    default: return false;
    }
    p->at++;
    return true;
}

/* --- sets ---------------------------------------------------------------------------------------------------------------------------- */

static struct regex_set *
set_new(struct parser *p)
{
    struct regex_set *s = arena_new(&p->t->arena, struct regex_set);

    if (!s)
        full(p);
    return s;
}

static bool
set_add(struct parser *p, struct regex_set *s, struct regex_item item)
{
    struct regex_item *slot = avec_push(&p->t->arena, &s->items);

    if (slot)
        *slot = item;
    return slot || full(p);
}

/* One character of a set; -1 after an error. */
static int64_t
set_char(struct parser *p)
{
    if (peek(p) != '\\')
        return utf8_next(p->s, &p->at);
    p->at++;
    return escaped_char(p);
}

/* Behind the '['. */
static struct regex_set *
read_set(struct parser *p)
{
    struct regex_set *s = set_new(p);
    bool first = true;

    if (!s || ++p->depth > DEPTH_MAX)
        return s ? (full(p), NULL) : NULL;
    if (peek(p) == '^') {
        s->negated = true;
        p->at++;
    }
    for (;; first = false) {
        struct regex_item item;
        int64_t low, high;

        if (!more(p)) {
            fail(p, "Unterminated [] set");
            return NULL;
        }
        if (peek(p) == ']' && !first) {
            p->at++;
            break;
        }
        if (!first && peek(p) == '-' && peek_at(p, 1) == '[') {
            p->at += 2;
            if (!(s->minus = read_set(p)))
                return NULL;
            if (peek(p) != ']') {
                fail(p, "A subtraction must be the last element in a character class");
                return NULL;
            }
            p->at++;
            break;
        }
        if (peek(p) == '\\') {
            p->at++;
            if (class_escape(p, &item)) {
                if (!set_add(p, s, item))
                    return NULL;
                continue;
            }
            p->at--;
        }
        if ((low = set_char(p)) < 0)
            return NULL;
        high = low;
        if (peek(p) == '-' && peek_at(p, 1) != ']' && peek_at(p, 1) != '[' && p->at + 1 < p->s.len) {
            p->at++;
            if (peek(p) == '\\' && peek_at(p, 1) && strchr("dDwWsSpP", peek_at(p, 1))) {
                fail(p, "Cannot include class in character range");
                return NULL;
            }
            if ((high = set_char(p)) < 0)
                return NULL;
            if (high < low) {
                fail(p, "[x-y] range in reverse order");
                return NULL;
            }
        }
        if (!set_add(p, s, (struct regex_item){.low = (uint32_t)low, .high = (uint32_t)high}))
            return NULL;
    }
    p->depth--;
    return s;
}

/* --- groups --------------------------------------------------------------------------------------------------------------------------- */

static bool
is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || (c & 0x80);
}

/* A number, or a word that does not begin with a digit. */
static bool
is_group_name(struct str s)
{
    if (!s.len || !ascii_is_digit(s.p[0]))
        return s.len > 0;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return true;
}

/* A name or number up to `close`; false after an error. */
static bool
read_name(struct parser *p, char close, struct str *ret)
{
    size_t from = p->at;

    while (more(p) && is_name_char(peek(p)))
        p->at++;
    *ret = str_sub(p->s, from, p->at);
    if (peek(p) != close || !is_group_name(*ret))
        return fail(p, "Invalid group name: Group names must begin with a word character");
    p->at++;
    return true;
}

static bool
remember(struct parser *p, struct regex_node *n, bool is_reference)
{
    struct regex_node **slot = is_reference ? avec_push(&p->t->arena, &p->references) : avec_push(&p->t->arena, &p->captures);

    if (slot)
        *slot = n;
    return slot || full(p);
}

static struct regex_node *
close_group(struct parser *p, struct regex_node *n, unsigned options)
{
    if (!n)
        return NULL;
    if (!(n->child = alternation(p)))
        return NULL;
    if (!accept(p, ")"))
        return fail(p, "Not enough )'s");
    p->options = options;
    return n;
}

/* (?<name>  (?'name'  (?<a-b>  (?<-b> */
static struct regex_node *
named_group(struct parser *p, char close)
{
    struct regex_node *n = node(p, RE_CAPTURE);
    struct str name = STR_NONE, minus = STR_NONE;
    size_t from = p->at;

    if (!n)
        return NULL;
    while (more(p) && is_name_char(peek(p)))
        p->at++;
    name = str_sub(p->s, from, p->at);
    if (peek(p) == '-') {
        p->at++;
        if (!read_name(p, close, &minus))
            return NULL;
    } else if (!is_group_name(name) || peek(p) != close) {
        return fail(p, "Invalid group name: Group names must begin with a word character");
    } else {
        p->at++;
    }
    n->name = name.len ? name : STR_NONE;
    if (minus.p) {
        struct regex_node *reference = node(p, RE_BACKREF);
        if (!reference)
            return NULL;
        n->kind = RE_BALANCE;
        reference->name = minus;
        n->other = reference;
        p->t->needs_backtracker = true;
        if (!remember(p, reference, true))
            return NULL;
    }
    if ((name.len || n->kind == RE_CAPTURE) && !remember(p, n, false))
        return NULL;
    return close_group(p, n, p->options);
}

/* i, m, n, s, x with + and -. False when something else comes. */
static bool
read_options(struct parser *p)
{
    bool off = false;
    unsigned bit;

    for (;; p->at++) {
        switch (peek(p)) {
        case '+': off = false; continue;
        case '-': off = true; continue;
        case 'i': bit = REGEX_IGNORE_CASE; break;
        case 'm': bit = REGEX_MULTILINE; break;
        case 'n': bit = REGEX_EXPLICIT_CAPTURE; break;
        case 's': bit = REGEX_SINGLELINE; break;
        case 'x': bit = REGEX_IGNORE_WHITESPACE; break;
        default: return true;
        }
        p->options = off ? p->options & ~bit : p->options | bit;
    }
}

/* (?(name)yes|no) or (?(test)yes|no), behind "(?(". */
static struct regex_node *
condition(struct parser *p, unsigned options)
{
    struct regex_node *n = node(p, RE_CONDITION);
    size_t from = p->at;
    ptrdiff_t close = str_find_char(p->s, ')', p->at);
    bool is_name = close > (ptrdiff_t)p->at;

    if (!n)
        return NULL;
    for (size_t i = from; is_name && i < (size_t)close; i++)
        is_name = is_name_char(p->s.p[i]);
    if (is_name) { /* if no group has that name, it is a test after all: decided when numbers are given */
        n->name = str_sub(p->s, from, (size_t)close);
        if (!remember(p, n, true))
            return NULL;
    }
    n->other = node(p, RE_LOOK);
    if (!n->other || !(n->other->child = alternation(p)))
        return NULL;
    if (!accept(p, ")"))
        return fail(p, "Not enough )'s");
    n = close_group(p, n, options);
    if (n && n->child->kind == RE_ALTERNATE && n->child->list.n > 2)
        return fail(p, "Too many | in (?()|)");
    return n;
}

/* Behind "(?". *ret NULL: an option setting, not a group. False after an error. */
static bool
special_group(struct parser *p, struct regex_node **ret)
{
    unsigned options = p->options;
    struct regex_node *n = NULL;

    *ret = NULL;
    if (accept(p, "#")) {
        ptrdiff_t close = str_find_char(p->s, ')', p->at);
        if (close < 0)
            return fail(p, "Unterminated (?#...) comment");
        p->at = (size_t)close + 1;
        return true;
    }
    if (accept(p, ":"))
        n = node(p, RE_GROUP);
    else if (accept(p, ">"))
        n = node(p, RE_ATOMIC);
    else if (accept(p, "="))
        n = node(p, RE_LOOK);
    else if (accept(p, "!") && (n = node(p, RE_LOOK)))
        n->negative = true;
    else if (accept(p, "<=") && (n = node(p, RE_LOOK)))
        n->behind = true;
    else if (accept(p, "<!") && (n = node(p, RE_LOOK)))
        n->behind = n->negative = true;
    else if (accept(p, "<"))
        return (*ret = named_group(p, '>')) != NULL;
    else if (accept(p, "'"))
        return (*ret = named_group(p, '\'')) != NULL;
    else if (accept(p, "("))
        return (*ret = condition(p, options)) != NULL;
    if (n)
        return (*ret = close_group(p, n, options)) != NULL;
    read_options(p);
    if (accept(p, ")"))
        return true; /* until the end of the group around it */
    if (!accept(p, ":"))
        return fail(p, "Unrecognized grouping construct");
    if (!(n = node(p, RE_GROUP)))
        return false;
    return (*ret = close_group(p, n, options)) != NULL;
}

static bool
group(struct parser *p, struct regex_node **ret)
{
    unsigned options = p->options;

    if (accept(p, "?"))
        return special_group(p, ret);
    *ret = node(p, options & REGEX_EXPLICIT_CAPTURE ? RE_GROUP : RE_CAPTURE);
    if (!*ret || ((*ret)->kind == RE_CAPTURE && !remember(p, *ret, false)))
        return false;
    return (*ret = close_group(p, *ret, options)) != NULL;
}

/* --- atoms ------------------------------------------------------------------------------------------------------------------------------ */

static struct regex_node *
reference(struct parser *p, struct str name)
{
    struct regex_node *n = node(p, RE_BACKREF);

    if (!n)
        return NULL;
    n->name = name;
    return remember(p, n, true) ? n : NULL;
}

/* \1 ... \99: a reference when there is such a group, else octal; known at the end, so groups are counted ahead. */
static uint32_t
count_groups(struct str s)
{
    uint32_t n = 0;
    bool in_set = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (in_set)
            in_set = s.p[i] != ']';
        else if (s.p[i] == '[')
            in_set = true;
        else if (s.p[i] == '(' && (i + 1 >= s.len || s.p[i + 1] != '?' || (i + 2 < s.len && (s.p[i + 2] == '<' || s.p[i + 2] == '\''))))
            n++;
    }
    return n;
}

static struct regex_node *
escape(struct parser *p)
{
    struct regex_item item;
    struct regex_node *n;
    struct str name;
    char c = peek(p);
    int64_t value;

    switch (c) {
    case 'A': p->at++; return node(p, RE_BEGIN_A);
    case 'Z': p->at++; return node(p, RE_END_Z);
    case 'z': p->at++; return node(p, RE_END);
    case 'G': p->at++; return node(p, RE_START_G);
    case 'b': p->at++; return node(p, RE_WORD);
    case 'B': p->at++; return node(p, RE_NOT_WORD);
    case 'k':
        p->at++;
        if (accept(p, "<"))
            return read_name(p, '>', &name) ? reference(p, name) : NULL;
        if (accept(p, "'"))
            return read_name(p, '\'', &name) ? reference(p, name) : NULL;
        return fail(p, "Malformed \\k<...> named back reference");
    }
    if (c >= '1' && c <= '9') {
        size_t n_digits = ascii_is_digit(peek_at(p, 1)) ? 2 : 1;
        uint32_t number = (uint32_t)(c - '0'), groups = count_groups(p->s);
        if (n_digits == 2 && number * 10 + (uint32_t)(peek_at(p, 1) - '0') > groups)
            n_digits = 1;
        if (number <= groups || c > '7' || (n_digits == 1 && !ascii_is_digit(peek_at(p, 1)) && !(p->options & REGEX_ECMASCRIPT))) {
            name = str_sub(p->s, p->at, p->at + n_digits);
            p->at += n_digits;
            return reference(p, name);
        }
    }
    if (class_escape(p, &item)) {
        if (!(n = node(p, RE_SET)) || !(n->set = set_new(p)) || !set_add(p, n->set, item))
            return NULL;
        return n;
    }
    if (p->err && p->err->code != ERR_NONE)
        return NULL;
    return (value = escaped_char(p)) < 0 ? NULL : char_node(p, (uint32_t)value);
}

static void
skip_ignored(struct parser *p)
{
    while (p->options & REGEX_IGNORE_WHITESPACE) {
        while (more(p) && (ascii_is_blank(peek(p)) || peek(p) == '\f' || peek(p) == '\v'))
            p->at++;
        if (peek(p) != '#')
            return;
        while (more(p) && peek(p) != '\n')
            p->at++;
    }
}

/* *ret NULL: nothing that counts (an option, a comment). False after an error. */
static bool
atom(struct parser *p, struct regex_node **ret)
{
    bool multiline = p->options & REGEX_MULTILINE;

    switch (peek(p)) {
    case '(': p->at++; return group(p, ret);
    case '[':
        p->at++;
        if (!(*ret = node(p, RE_SET)))
            return false;
        return ((*ret)->set = read_set(p)) != NULL;
    case '.': p->at++; return (*ret = node(p, RE_ANY)) != NULL;
    case '^': p->at++; return (*ret = node(p, multiline ? RE_LINE_BEGIN : RE_BEGIN)) != NULL;
    case '$': p->at++; return (*ret = node(p, multiline ? RE_LINE_END : RE_END_Z)) != NULL;
    case '\\': p->at++; return (*ret = escape(p)) != NULL;
    case '*':
    case '+':
    case '?': return fail(p, "Quantifier {x,y} following nothing");
    default: return (*ret = char_node(p, utf8_next(p->s, &p->at))) != NULL;
    }
}

/* {n} {n,} {n,m}; false when the brace is a literal. */
static bool
read_braces(struct parser *p, uint32_t *min, uint32_t *max)
{
    size_t at = p->at + 1;
    uint64_t n = 0, m = 0;
    bool any = false;

    for (; at < p->s.len && ascii_is_digit(p->s.p[at]); at++, any = true)
        n = MIN(n * 10 + (uint64_t)(p->s.p[at] - '0'), (uint64_t)UINT32_MAX);
    if (!any || at >= p->s.len)
        return false;
    m = n;
    if (p->s.p[at] == ',') {
        m = UINT32_MAX;
        if (++at < p->s.len && ascii_is_digit(p->s.p[at]))
            for (m = 0; at < p->s.len && ascii_is_digit(p->s.p[at]); at++)
                m = MIN(m * 10 + (uint64_t)(p->s.p[at] - '0'), (uint64_t)UINT32_MAX);
    }
    if (at >= p->s.len || p->s.p[at] != '}')
        return false;
    p->at = at + 1;
    *min = (uint32_t)n;
    *max = (uint32_t)m;
    return true;
}

static bool
quantifier(struct parser *p, uint32_t *min, uint32_t *max)
{
    switch (peek(p)) {
    case '*': *min = 0; *max = UINT32_MAX; break;
    case '+': *min = 1; *max = UINT32_MAX; break;
    case '?': *min = 0; *max = 1; break;
    case '{': return read_braces(p, min, max);
    default: return false;
    }
    p->at++;
    return true;
}

static struct regex_node *
concat(struct parser *p)
{
    struct regex_node *list = node(p, RE_CONCAT);

    for (skip_ignored(p); list && more(p) && peek(p) != '|' && peek(p) != ')'; skip_ignored(p)) {
        struct regex_node *item = NULL, *repeat;
        uint32_t min, max;

        if (!atom(p, &item))
            return NULL;
        skip_ignored(p);
        if (!item) {
            if (quantifier(p, &min, &max))
                return fail(p, "Quantifier {x,y} following nothing");
            continue;
        }
        if (quantifier(p, &min, &max)) {
            if (max < min)
                return fail(p, "Illegal {x,y} with x > y");
            if (!(repeat = node(p, RE_REPEAT)))
                return NULL;
            repeat->min = min;
            repeat->max = max;
            repeat->child = item;
            if (min > REPEAT_MAX || (max != UINT32_MAX && max > REPEAT_MAX))
                p->t->needs_backtracker = true;
            if (peek(p) == '?') {
                repeat->lazy = true;
                p->at++;
            }
            item = repeat;
            skip_ignored(p);
            if (strchr("*+?", peek(p)) && more(p))
                return fail(p, "Nested quantifier %c", peek(p));
        }
        if (!append(p, list, item))
            return NULL;
    }
    return list;
}

/* alternation = concat ("|" concat)* */
static struct regex_node *
alternation(struct parser *p)
{
    struct regex_node *first, *n;

    if (++p->depth > DEPTH_MAX)
        return full(p);
    if (!(first = concat(p)))
        return NULL;
    if (peek(p) == '|') {
        if (!(n = node(p, RE_ALTERNATE)) || !append(p, n, first))
            return NULL;
        while (accept(p, "|"))
            if (!append(p, n, concat(p)))
                return NULL;
        first = n;
    }
    p->depth--;
    return first;
}

/* --- numbers ---------------------------------------------------------------------------------------------------------------------------- */

static bool
is_number(struct str s, uint32_t *ret)
{
    *ret = 0;
    if (s.len == 0 || s.len > 6)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        *ret = *ret * 10 + (uint32_t)(s.p[i] - '0');
    }
    return true;
}

static int
find_group(const struct regex_tree *t, struct str name)
{
    uint32_t number;
    bool by_number = is_number(name, &number);

    for (size_t i = 0; i < t->groups.n; i++)
        if (by_number ? t->groups.v[i].number == number : str_eq(t->groups.v[i].name, name))
            return (int)i;
    return -1;
}

static bool
add_group(struct parser *p, uint32_t number, struct str name)
{
    struct regex_group_info *slot = avec_push(&p->t->arena, &p->t->groups);

    if (!slot)
        return full(p);
    *slot = (struct regex_group_info){number, name.p ? name : str_printf(&p->t->arena, "%u", number)};
    return true;
}

static bool
number_used(struct parser *p, uint32_t number)
{
    for (size_t i = 0; i < p->captures.n; i++) {
        uint32_t n;
        if (p->captures.v[i]->name.p && is_number(p->captures.v[i]->name, &n) && n == number)
            return true;
    }
    return false;
}

/* Unnamed groups from the left, numbered names where they say, then named groups from the left. */
static bool
give_numbers(struct parser *p)
{
    struct regex_tree *t = p->t;
    uint32_t next = 1, n;

    if (!add_group(p, 0, STR("0")))
        return false;
    for (size_t i = 0; i < p->captures.n; i++) {
        struct regex_node *c = p->captures.v[i];
        if (c->name.p)
            continue;
        while (number_used(p, next))
            next++;
        c->group = (int)next;
        if (!add_group(p, next++, STR_NONE))
            return false;
    }
    for (size_t i = 0; i < p->captures.n; i++) {
        struct regex_node *c = p->captures.v[i];
        if (c->name.p && is_number(c->name, &n)) {
            c->group = (int)n;
            if (find_group(t, c->name) < 0 && !add_group(p, n, STR_NONE))
                return false;
        }
    }
    for (size_t i = 0; i < p->captures.n; i++) {
        struct regex_node *c = p->captures.v[i];
        int known;
        if (!c->name.p || is_number(c->name, &n))
            continue;
        known = find_group(t, c->name);
        if (known < 0) {
            while (number_used(p, next))
                next++;
            if (!add_group(p, next++, c->name))
                return false;
            known = (int)t->groups.n - 1;
        }
        c->group = (int)t->groups.v[known].number;
    }
    return true;
}

/* By ascending number; nodes keep positions from here on. */
static bool
resolve(struct parser *p)
{
    struct regex_tree *t = p->t;

    for (size_t i = 1; i < t->groups.n; i++) {
        struct regex_group_info g = t->groups.v[i];
        size_t k = i;
        for (; k > 0 && t->groups.v[k - 1].number > g.number; k--)
            t->groups.v[k] = t->groups.v[k - 1];
        t->groups.v[k] = g;
    }
    for (size_t i = 0; i < p->captures.n; i++)
        for (size_t k = 0; k < t->groups.n; k++)
            if (t->groups.v[k].number == (uint32_t)p->captures.v[i]->group) {
                p->captures.v[i]->group = (int)k;
                break;
            }
    for (size_t i = 0; i < p->references.n; i++) {
        struct regex_node *r = p->references.v[i];
        r->group = find_group(t, r->name);
        if (r->group < 0 && r->kind == RE_BACKREF)
            return fail(p, ascii_is_digit(r->name.p[0]) ? "Reference to undefined group number %.*s" : "Reference to undefined group name %.*s",
                        STR_ARG(r->name));
        if (r->group >= 0 && r->kind == RE_CONDITION)
            r->other = NULL;
    }
    return true;
}

/* A capture inside a repetition keeps several values, which only the backtracker tells. */
static bool
has_repeated_capture(const struct regex_node *n, bool in_repeat)
{
    if (!n)
        return false;
    if (n->kind == RE_CAPTURE && in_repeat)
        return true;
    in_repeat |= n->kind == RE_REPEAT && n->max > 1;
    for (size_t i = 0; i < n->list.n; i++)
        if (has_repeated_capture(n->list.v[i], in_repeat))
            return true;
    return has_repeated_capture(n->child, in_repeat) || (n->kind == RE_CONDITION && has_repeated_capture(n->other, in_repeat));
}

/* (?<x>a)(?<x>b) likewise. */
static bool
has_shared_capture(const struct parser *p)
{
    for (size_t i = 0; i < p->captures.n; i++)
        for (size_t k = 0; k < i; k++)
            if (p->captures.v[i]->group == p->captures.v[k]->group)
                return true;
    return false;
}

bool
regex_parse(struct regex_tree *t, struct str pattern, unsigned options, struct err *err)
{
    struct err own = ERR_INIT;
    struct parser p = {.t = t, .s = pattern, .options = options, .err = err ? err : &own};

    p.err->code = ERR_NONE;
    t->arena = ARENA(NULL, (size_t)16 << 20);
    t->options = options;
    if (pattern.len > PATTERN_MAX)
        return full(&p);
    if (!(t->root = alternation(&p)))
        return false;
    if (more(&p))
        return fail(&p, "Too many )'s");
    if (!give_numbers(&p) || !resolve(&p))
        return false;
    t->needs_backtracker |= (options & REGEX_RIGHT_TO_LEFT) != 0;
    t->has_repeated_capture = has_repeated_capture(t->root, false) || has_shared_capture(&p);
    return true;
}
