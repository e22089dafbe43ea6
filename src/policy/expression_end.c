/* expression_end.c: where a C# expression inside a document ends.
 *
 * Brackets cannot be counted without knowing C#'s tokens: strings of four kinds, characters and comments hold brackets of
 * their own. In the well-formed style of documents a quote is written &quot;, so that the cursor decodes entities as it
 * goes; positions stay those of the text as written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/document.h"
#include "policy/entity.h"

#define HOLES_MAX 16

struct cursor {
    struct str text;
    size_t at;
    bool is_encoded;
    uint32_t holes;               /* interpolated strings we are inside of */
    size_t watched;               /* offset of braces somebody asks about */
    bool is_watched_escape, is_watched_code;
};

/* The character at an offset and its width as written; 0 at the end. What is not ASCII is never of interest: U+FFFD
 * stands for all of it. */
static uint32_t
char_at(const struct cursor *c, size_t at, size_t *width)
{
    *width = 1;
    if (at >= c->text.len)
        return 0;
    if (c->text.p[at] == '&' && c->is_encoded) {
        uint32_t decoded;
        size_t n = entity_decode(c->text, at, &decoded);

        if (n) {
            *width = n;
            return decoded;
        }
    }
    return (unsigned char)c->text.p[at] < 0x80 ? (unsigned char)c->text.p[at] : 0xfffd;
}

static uint32_t
peek(const struct cursor *c)
{
    size_t width;

    return char_at(c, c->at, &width);
}

static uint32_t
peek_second(const struct cursor *c)
{
    size_t width;

    char_at(c, c->at, &width);
    return char_at(c, c->at + width, &width);
}

static uint32_t
take(struct cursor *c)
{
    size_t width;
    uint32_t ch = char_at(c, c->at, &width);

    if (ch)
        c->at += width;
    return ch;
}

static bool code(struct cursor *c, uint32_t closer);

/* The rest of "..." or @"...", behind the opening quote. */
static bool
plain_string(struct cursor *c, bool is_verbatim)
{
    for (uint32_t ch; (ch = take(c));) {
        if (ch == '\\' && !is_verbatim) {
            take(c);
        } else if (ch == '"') {
            if (!is_verbatim || peek(c) != '"')
                return true;
            take(c);
        }
    }
    return false;
}

/* The rest of $"...", $@"...": text with holes of code; {{ and }} are braces. */
static bool
interpolated_string(struct cursor *c, bool is_verbatim)
{
    if (++c->holes > HOLES_MAX)
        return false;
    for (uint32_t ch; (ch = take(c));) {
        if (ch == '\\' && !is_verbatim) {
            take(c);
        } else if (ch == '"' && is_verbatim && peek(c) == '"') {
            take(c);
        } else if (ch == '"') {
            c->holes--;
            return true;
        } else if ((ch == '{' || ch == '}') && peek(c) == ch) {
            c->is_watched_escape |= c->at - 1 == c->watched;
            take(c);
        } else if (ch == '{' && !code(c, '}')) {
            return false;
        }
    }
    return false;
}

/* Behind an opening '. A quote that begins no character literal (people write 'strings') runs to the next one on the
 * line; the expression's own compiler says what is wrong with it. */
static void
character(struct cursor *c)
{
    struct cursor ahead = *c;

    for (uint32_t ch; (ch = take(&ahead)) && ch != '\n';) {
        if (ch == '\\') {
            take(&ahead);
        } else if (ch == '\'') {
            *c = ahead;
            return;
        }
    }
}

static void
line_comment(struct cursor *c)
{
    for (uint32_t ch; (ch = peek(c)) && ch != '\n';)
        take(c);
}

static void
block_comment(struct cursor *c)
{
    take(c);
    for (uint32_t ch; (ch = take(c));) {
        if (ch == '*' && peek(c) == '/') {
            take(c);
            return;
        }
    }
}

/* One token that starts with $ or @; other uses of them (@name) are just that character. */
static bool
prefixed_string(struct cursor *c, uint32_t first)
{
    uint32_t second = peek(c);

    if (second == '"') {
        take(c);
        return first == '@' ? plain_string(c, true) : interpolated_string(c, false);
    }
    if ((second == '$' || second == '@') && second != first && peek_second(c) == '"') {
        take(c);
        take(c);
        return interpolated_string(c, true);
    }
    return true;
}

/* Code up to `closer`, behind its opener. */
static bool
code(struct cursor *c, uint32_t closer)
{
    char closers[EXPRESSION_BRACKETS_MAX];
    uint32_t depth = 0;

    closers[depth++] = (char)closer;
    for (uint32_t ch; c->is_watched_code |= c->at == c->watched, (ch = take(c));) {
        switch (ch) {
        case '(': case '[': case '{':
            if (depth == EXPRESSION_BRACKETS_MAX)
                return false;
            closers[depth++] = ch == '(' ? ')' : ch == '[' ? ']' : '}';
            break;
        case ')': case ']': case '}':
            if (closers[--depth] != (char)ch)
                return false;
            if (depth == 0)
                return true;
            break;
        case '"':
            if (!plain_string(c, false))
                return false;
            break;
        case '\'':
            character(c);
            break;
        case '$': case '@':
            if (!prefixed_string(c, ch))
                return false;
            break;
        case '/':
            if (peek(c) == '/')
                line_comment(c);
            else if (peek(c) == '*')
                block_comment(c);
            break;
        default:
            break;
        }
    }
    return false;
}

size_t
expression_end(struct str text, size_t at, bool is_encoded)
{
    struct cursor c = {.text = text, .at = at, .is_encoded = is_encoded, .watched = SIZE_MAX};

    if (take(&c) != '@')
        return 0;
    uint32_t opener = take(&c);
    if (opener != '(' && opener != '{')
        return 0;
    return code(&c, opener == '(' ? ')' : '}') ? c.at : 0;
}

static struct cursor
watch(struct str text, size_t at)
{
    struct cursor c = {.text = text, .watched = at};
    uint32_t opener;

    take(&c);
    opener = take(&c);
    code(&c, opener == '(' ? ')' : '}');
    return c;
}

bool
expression_is_brace_escape(struct str text, size_t at)
{
    return watch(text, at).is_watched_escape;
}

bool
expression_is_code(struct str text, size_t at)
{
    return watch(text, at).is_watched_code;
}
