/* lex.c: C# text to tokens.
 *
 * Strings and comments may hold brackets, quotes and '<', which is why a document's reader needs this file too:
 * expr_find_end() (scan.c) walks the same rules without making tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/lex.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "base/vec.h"

#define INTERPOLATION_DEPTH_MAX 16
#define NUMBER_DIGITS_MAX 400

struct lexer {
    struct str text;
    uint32_t at, end;
    const struct text_map *map;
    struct arena *arena;
    struct diags *diags;
    struct tokens *tokens;
    unsigned depth;                   /* interpolated strings inside each other */
    bool is_full;
};

static const struct {
    struct str text;
    enum token_kind kind;
} signs[] = {
#define SIGN(name, text) {STR_INIT(text), TOK_##name},
#define WORD(name, text)
#include "expr/tokens.def"
#undef SIGN
#undef WORD
}, words[] = {
#define SIGN(name, text)
#define WORD(name, text) {STR_INIT(text), TOK_##name},
#include "expr/tokens.def"
#undef SIGN
#undef WORD
};

const char *
token_kind_text(enum token_kind kind)
{
    static const char *const texts[] = {
        "the end", "a name", "a number", "a character", "a string", "a string", "the end of a string", "{", "a format", "}",
        "an unknown character",
#define SIGN(name, text) text,
#define WORD(name, text) text,
#include "expr/tokens.def"
#undef SIGN
#undef WORD
    };
    return texts[kind];
}

static void
report(struct lexer *l, uint32_t from, uint32_t to, const char *message)
{
    diag_add_mapped(l->diags, DIAG_ERROR, l->map, from, to - from, "%s", message);
}

static int
peek(const struct lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->end ? (unsigned char)l->text.p[l->at + ahead] : -1;
}

static struct token *
push(struct lexer *l, enum token_kind kind, uint32_t from)
{
    struct token *t = avec_push(l->arena, l->tokens);

    if (!t) {
        static const struct token none;
        l->is_full = true;
        l->at = l->end;
        if (l->tokens->n == 0)
            return NULL;
        t = &l->tokens->v[l->tokens->n - 1];
        *t = none;
    }
    *t = (struct token){.kind = kind, .at = from, .len = l->at - from};
    return t;
}

/* --- characters and strings ------------------------------------------------------------------------------------- */

static bool
read_hex(struct lexer *l, unsigned min, unsigned max, uint32_t *ret)
{
    unsigned n = 0;
    uint32_t value = 0;

    while (n < max && peek(l, 0) >= 0 && ascii_hex_value((char)peek(l, 0)) >= 0) {
        value = value << 4 | (uint32_t)ascii_hex_value((char)peek(l, 0));
        l->at++;
        n++;
    }
    *ret = value;
    return n >= min;
}

/* Behind the backslash. escape = ' " \ 0 a b f n r t v uXXXX UXXXXXXXX xH{1,4} */
static uint32_t
read_escape(struct lexer *l)
{
    static const char names[] = "'\"\\0abfnrtv", values[] = "'\"\\\0\a\b\f\n\r\t\v";
    uint32_t from = l->at - 1, value = 0;
    int c = peek(l, 0);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    bool ok = true;

    l->at += c >= 0;
    if (found && c != 0)
        return (unsigned char)values[found - names];
    if (c == 'u')
        ok = read_hex(l, 4, 4, &value);
    else if (c == 'U')
        ok = read_hex(l, 8, 8, &value) && value <= 0x10ffff;
    else if (c == 'x')
        ok = read_hex(l, 1, 4, &value);
    else
        ok = false;
    if (!ok)
        report(l, from, l->at, "unrecognized escape sequence (CS1009)");
    return ok ? value : '?';
}

/* Adds a code unit or point; a low surrogate behind a high one joins it, so that text stays proper UTF-8. */
static void
add_code(struct buf *b, uint32_t code)
{
    char bytes[4];

    if (code >= 0xdc00 && code <= 0xdfff && b->len >= 3) {
        const unsigned char *p = (const unsigned char *)b->p + b->len - 3;
        if (p[0] == 0xed && p[1] >= 0xa0 && p[1] < 0xb0) {
            uint32_t high = 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
            code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
            b->len -= 3;
        }
    }
    buf_add(b, bytes, utf8_put(bytes, code));
}

/* A newline of the document is what the text has; \r\n is kept as it is, as C# does. */
static void
lex_string(struct lexer *l, bool is_verbatim)
{
    uint32_t from = l->at;
    struct buf text = buf_in(l->arena);
    struct token *t;

    l->at += is_verbatim ? 2 : 1;
    for (;;) {
        int c = peek(l, 0);
        if (c < 0 || (!is_verbatim && c == '\n')) {
            report(l, from, MIN(l->at, from + 20), "string literal is not closed (CS1010)");
            break;
        }
        l->at++;
        if (c == '"' && is_verbatim && peek(l, 0) == '"')
            l->at++;
        else if (c == '"')
            break;
        if (c == '\\' && !is_verbatim)
            add_code(&text, read_escape(l));
        else
            buf_add_char(&text, (char)c);
    }
    if ((t = push(l, TOK_TEXT, from)))
        t->text = text.len ? buf_str(&text) : STR("");
}

static void
lex_character(struct lexer *l)
{
    uint32_t from = l->at++, units = 0, value = 0;
    bool is_closed = false;
    struct token *t;

    while (peek(l, 0) >= 0 && peek(l, 0) != '\n') {
        if (peek(l, 0) == '\'' ) {
            is_closed = true;
            l->at++;
            break;
        }
        if (peek(l, 0) == '\\') {
            l->at++;
            value = read_escape(l);
        } else {
            size_t at = l->at;
            value = utf8_next(str_sub(l->text, 0, l->end), &at);
            l->at = (uint32_t)at;
        }
        units += value >= 0x10000 ? 2 : 1;
    }
    if (!is_closed)
        report(l, from, l->at, "character literal is not closed (CS1010)");
    else if (units == 0)
        report(l, from, l->at, "empty character literal (CS1011)");
    else if (units > 1)
        report(l, from, l->at, "a character literal holds one character; strings are written with \"double quotes\" (CS1012)");
    if ((t = push(l, TOK_CHARACTER, from)))
        t->value = value_i64(value & 0xffff);
}

static void skip_blanks_and_comments(struct lexer *l);
static bool lex_token(struct lexer *l);

/* The tokens of a hole, up to its '}' or format. A conditional's ':' is none: C# wants brackets around it, we do not insist. */
static void
lex_hole(struct lexer *l, bool is_verbatim)
{
    unsigned nesting = 0, questions = 0;
    struct token *t;

    push(l, TOK_HOLE_BEGIN, l->at);
    for (skip_blanks_and_comments(l); l->at < l->end; skip_blanks_and_comments(l)) {
        int c = peek(l, 0);
        bool is_conditional = c == '?' && peek(l, 1) != '?' && peek(l, 1) != '.' && peek(l, 1) != '[';
        if (nesting == 0 && (c == '}' || (c == ':' && peek(l, 1) != ':' && questions == 0)))
            break;
        questions += nesting == 0 && is_conditional;
        questions -= nesting == 0 && c == ':' && questions > 0;
        if (c == '"' && !is_verbatim && l->depth >= INTERPOLATION_DEPTH_MAX)
            break;
        nesting += c == '(' || c == '[' || c == '{';
        nesting -= nesting > 0 && (c == ')' || c == ']' || c == '}');
        if (!lex_token(l))
            break;
    }
    if (peek(l, 0) == ':') {
        uint32_t from = ++l->at;
        struct buf format = buf_in(l->arena);
        while (l->at < l->end && peek(l, 0) != '}' && peek(l, 0) != '"') {
            int c = peek(l, 0);
            l->at++;
            if (c == '\\' && !is_verbatim)
                add_code(&format, read_escape(l));
            else
                buf_add_char(&format, (char)c);
        }
        if (format.len == 0)
            report(l, from - 1, from, "a format is missing behind ':' (CS8089)");
        if ((t = push(l, TOK_HOLE_FORMAT, from)))
            t->text = format.len ? buf_str(&format) : STR("");
    }
    if (peek(l, 0) == '}')
        l->at++;
    else
        report(l, l->at, l->at + 1, "expected '}' at the end of an interpolation (CS8076)");
    push(l, TOK_HOLE_END, l->at);
}

static void
push_piece(struct lexer *l, uint32_t from, struct buf *text)
{
    struct token *t;

    if (text->len == 0)
        return;
    if ((t = push(l, TOK_TEXT, from)))
        t->text = buf_str(text);
    *text = buf_in(l->arena);
}

/* interpolated = '$"' (text | "{{" | "}}" | "{" expression ("," alignment)? (":" format)? "}")* '"' */
static void
lex_interpolated(struct lexer *l, unsigned prefix, bool is_verbatim)
{
    uint32_t from = l->at;
    struct buf text = buf_in(l->arena);

    l->at += prefix;
    if (++l->depth > INTERPOLATION_DEPTH_MAX) {
        report(l, from, l->at, "interpolated strings are nested too deeply");
        l->at = l->end;
    }
    push(l, TOK_INTERPOLATION_BEGIN, from);
    for (;;) {
        int c = peek(l, 0);
        if (c < 0 || (!is_verbatim && c == '\n')) {
            report(l, from, MIN(l->at, from + 20), "string literal is not closed (CS1010)");
            break;
        }
        l->at++;
        if (c == '"' && is_verbatim && peek(l, 0) == '"') {
            l->at++;
        } else if (c == '"') {
            break;
        } else if ((c == '{' || c == '}') && peek(l, 0) == c) {
            l->at++;
        } else if (c == '{') {
            push_piece(l, from, &text);
            lex_hole(l, is_verbatim);
            continue;
        } else if (c == '}') {
            report(l, l->at - 1, l->at, "a lone '}' in an interpolated string is written '}}' (CS8086)");
        }
        if (c == '\\' && !is_verbatim)
            add_code(&text, read_escape(l));
        else
            buf_add_char(&text, (char)c);
    }
    push_piece(l, from, &text);
    push(l, TOK_INTERPOLATION_END, from);
    l->depth--;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

/* Digits without underscores into to[]; how many. */
static size_t
take_digits(struct lexer *l, char *to, size_t n, bool is_hex, bool is_binary)
{
    for (;; l->at++) {
        int c = peek(l, 0);
        bool fits = c >= 0 && (is_hex ? ascii_hex_value((char)c) >= 0
                               : is_binary ? c == '0' || c == '1' : ascii_is_digit((char)c));
        if (c == '_' && n > 0)
            continue;
        if (!fits)
            break;
        if (n < NUMBER_DIGITS_MAX)
            to[n++] = (char)c;
    }
    return n;
}

/* int, uint, long or ulong: the first that holds the value and that the suffix admits. */
static void
finish_integer(struct lexer *l, uint32_t from, const char *digits, size_t n, unsigned base)
{
    bool u = false, is_long = false;
    struct token *t;
    uint64_t value = 0;
    bool fits = n > 0;

    for (int c; (c = peek(l, 0)) > 0 && strchr("uUlL", c); l->at++) {
        bool *which = (c | 0x20) == 'u' ? &u : &is_long;
        if (*which)
            break;
        *which = true;
    }
    for (size_t i = 0; i < n; i++)
        fits = fits && !__builtin_mul_overflow(value, base, &value) &&
               !__builtin_add_overflow(value, (uint64_t)ascii_hex_value(digits[i]), &value);
    if (!fits)
        report(l, from, l->at, n ? "integral constant is too large (CS1021)" : "invalid number (CS1013)");
    if (!(t = push(l, TOK_NUMBER, from)))
        return;
    t->value = value_i64((int64_t)value);
    if (!u && !is_long && value <= INT32_MAX)
        t->literal_kind = TYPE_INT;
    else if (!is_long && value <= UINT32_MAX)
        t->literal_kind = TYPE_UINT;
    else
        t->literal_kind = !u && value <= INT64_MAX ? TYPE_LONG : TYPE_ULONG;
}

static void
finish_real(struct lexer *l, uint32_t from, char *digits, size_t n)
{
    int suffix = peek(l, 0) >= 0 ? peek(l, 0) | 0x20 : 0;
    struct token *t;
    double d;

    digits[n] = 0;
    if (suffix == 'f' || suffix == 'd' || suffix == 'm')
        l->at++;
    if (!(t = push(l, TOK_NUMBER, from)))
        return;
    d = strtod(digits, NULL);
    if (suffix == 'm') {
        t->literal_kind = TYPE_DECIMAL;          /* the binder parses it exactly */
        t->text = str_dup(l->arena, str_from(digits, n));
    } else if (suffix == 'f') {
        t->literal_kind = TYPE_FLOAT;
        t->value = value_f32(strtof(digits, NULL));
        if (t->value.f32 > 3.40282347e38f)
            report(l, from, l->at, "floating-point constant is outside the range of float (CS0594)");
    } else {
        t->literal_kind = TYPE_DOUBLE;
        t->value = value_f64(d);
        if (d > 1.7976931348623157e308)
            report(l, from, l->at, "floating-point constant is outside the range of double (CS0594)");
    }
}

/* number = "0x" hex | "0b" binary | digits ("." digits)? exponent? suffix? */
static void
lex_number(struct lexer *l)
{
    char digits[NUMBER_DIGITS_MAX + 2];
    uint32_t from = l->at;
    int second = peek(l, 1) >= 0 ? peek(l, 1) | 0x20 : 0;
    size_t n = 0;
    bool is_real = false;

    if (peek(l, 0) == '0' && (second == 'x' || second == 'b')) {
        l->at += 2;
        n = take_digits(l, digits, 0, second == 'x', second == 'b');
        finish_integer(l, from, digits, n, second == 'x' ? 16 : 2);
        return;
    }
    n = take_digits(l, digits, 0, false, false);
    if (peek(l, 0) == '.' && peek(l, 1) >= 0 && ascii_is_digit((char)peek(l, 1))) {
        is_real = true;
        digits[n++] = '.';
        l->at++;
        n = take_digits(l, digits, n, false, false);
    }
    if (peek(l, 0) >= 0 && (peek(l, 0) | 0x20) == 'e') {
        uint32_t sign = peek(l, 1) == '+' || peek(l, 1) == '-';
        if (peek(l, 1 + sign) >= 0 && ascii_is_digit((char)peek(l, 1 + sign))) {
            is_real = true;
            for (uint32_t i = 0; i < 1 + sign && n < NUMBER_DIGITS_MAX; i++)
                digits[n++] = (char)peek(l, i);
            l->at += 1 + sign;
            n = take_digits(l, digits, n, false, false);
        }
    }
    if (is_real || (peek(l, 0) >= 0 && strchr("fFdDmM", peek(l, 0))))
        finish_real(l, from, digits, n);
    else
        finish_integer(l, from, digits, n, 10);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static bool
is_name_start(int c)
{
    return c == '_' || c >= 0x80 || (c >= 0 && ascii_is_alpha((char)c));
}

/* The quotes that word processors put in place of " and ': U+2018 to U+201F. */
static bool
is_curly_quote(const struct lexer *l)
{
    return peek(l, 0) == 0xe2 && peek(l, 1) == 0x80 && peek(l, 2) >= 0x98 && peek(l, 2) <= 0x9f;
}

/* \uXXXX and \UXXXXXXXX may stand in a name. */
static bool
is_name_escape(const struct lexer *l)
{
    return peek(l, 0) == '\\' && (peek(l, 1) == 'u' || peek(l, 1) == 'U');
}

static bool
is_in_name(const struct lexer *l)
{
    return (is_name_start(peek(l, 0)) && !is_curly_quote(l)) || is_name_escape(l) || (peek(l, 0) >= 0 && ascii_is_digit((char)peek(l, 0)));
}

/* The name with its escapes replaced. */
static struct str
unescaped_name(struct lexer *l, uint32_t from)
{
    struct buf text = buf_in(l->arena);

    l->at = from;
    while (is_in_name(l)) {
        if (is_name_escape(l)) {
            l->at++;
            add_code(&text, read_escape(l));
        } else {
            buf_add_char(&text, (char)peek(l, 0));
            l->at++;
        }
    }
    return text.len ? buf_str(&text) : STR("");
}

/* The kind of a word, by halves; TOK_IDENTIFIER: it is none. */
static enum token_kind
word_kind(struct str name)
{
    size_t from = 0, to = COUNTOF(words);

    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = str_cmp(name, words[middle].text);
        if (order == 0)
            return words[middle].kind;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return TOK_IDENTIFIER;
}

static void
lex_name(struct lexer *l)
{
    uint32_t from = l->at;
    bool is_escaped = peek(l, 0) == '@', has_escapes = false;
    struct token *t;
    struct str name;

    l->at += is_escaped;
    while (is_in_name(l)) {
        has_escapes |= peek(l, 0) == '\\';
        l->at++;
    }
    name = has_escapes ? unescaped_name(l, from + is_escaped) : str_sub(l->text, from + is_escaped, l->at);
    if (!(t = push(l, TOK_IDENTIFIER, from)))
        return;
    t->text = name;
    if (!is_escaped && !has_escapes)
        t->kind = word_kind(name);
}

static void
skip_blanks_and_comments(struct lexer *l)
{
    for (;;) {
        int c = peek(l, 0);
        if (c >= 0 && (c <= ' ' || c == 0x7f)) {
            l->at++;
        } else if (c == 0xc2 && peek(l, 1) == 0xa0) {       /* no-break space, from copied articles */
            l->at += 2;
        } else if (c == 0xef && peek(l, 1) == 0xbb && peek(l, 2) == 0xbf) {
            l->at += 3;
        } else if (c == '/' && peek(l, 1) == '/') {
            while (peek(l, 0) >= 0 && peek(l, 0) != '\n' && peek(l, 0) != '\r')
                l->at++;
        } else if (c == '/' && peek(l, 1) == '*') {
            uint32_t from = l->at;
            l->at += 2;
            while (peek(l, 0) >= 0 && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
                l->at++;
            if (peek(l, 0) < 0)
                report(l, from, from + 2, "end of comment expected: '*/' is missing (CS1035)");
            l->at = MIN(l->at + 2, l->end);
        } else {
            return;
        }
    }
}

static void
lex_sign(struct lexer *l)
{
    uint32_t from = l->at;
    struct str rest = str_sub(l->text, l->at, l->end);

    for (size_t i = 0; i < COUNTOF(signs); i++) {
        if (signs[i].text.p[0] == rest.p[0] && str_starts_with(rest, signs[i].text)) {
            l->at += (uint32_t)signs[i].text.len;
            push(l, signs[i].kind, from);
            return;
        }
    }
    if (is_curly_quote(l)) {
        l->at += 3;
        report(l, from, l->at, "a typographic quote; strings stand between plain quotes: \"...\" (CS1056)");
    } else if (peek(l, 0) == '#') {
        while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
            l->at++;
        report(l, from, l->at, "preprocessor directives are not allowed in policy expressions (CS1024)");
    } else {
        l->at++;
        report(l, from, l->at, "unexpected character (CS1056)");
    }
    push(l, TOK_UNKNOWN, from);
}

/* One token; an interpolated string is many. False at the end. */
static bool
lex_token(struct lexer *l)
{
    int c, second;

    skip_blanks_and_comments(l);
    if (l->at >= l->end || l->is_full)
        return false;
    c = peek(l, 0);
    second = peek(l, 1);
    if (c == '"')
        lex_string(l, false);
    else if (c == '@' && second == '"')
        lex_string(l, true);
    else if (c == '$' && second == '"')
        lex_interpolated(l, 2, false);
    else if ((c == '$' && second == '@' && peek(l, 2) == '"') || (c == '@' && second == '$' && peek(l, 2) == '"'))
        lex_interpolated(l, 3, true);
    else if (c == '\'')
        lex_character(l);
    else if (ascii_is_digit((char)c) || (c == '.' && second >= 0 && ascii_is_digit((char)second)))
        lex_number(l);
    else if ((is_name_start(c) && !is_curly_quote(l)) || is_name_escape(l) || (c == '@' && is_name_start(second)))
        lex_name(l);
    else
        lex_sign(l);
    return true;
}

bool
lex(struct str text, uint32_t from, uint32_t to, const struct text_map *map, struct arena *arena, struct diags *diags,
    struct tokens *ret)
{
    struct lexer l = {.text = text, .at = from, .end = to, .map = map, .arena = arena, .diags = diags, .tokens = ret};

    while (lex_token(&l))
        ;
    push(&l, TOK_END, l.end);
    return !l.is_full && ret->n > 0;
}
