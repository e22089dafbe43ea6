/* expression_end.c: where a C# expression inside a document ends; and, when it does not, what is missing where.
 *
 * Brackets cannot be counted without knowing C#'s tokens: strings of four kinds, characters and comments hold brackets of
 * their own. In the well-formed style of documents a quote is written &quot;, so that the cursor decodes entities as it
 * goes; positions stay those of the text as written.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/attribute_end.h"
#include "policy/document.h"
#include "policy/entity.h"

/* Looks for the mistake of an expression that does not end. Only then the scan may ask whether something can be C#: what is
 * markup without doubt is where the author saw the expression end. */
struct fault_finder {
    char quote;                   /* of the attribute; 0 in an element's text */
    uint32_t depth;
    size_t opened[EXPRESSION_BRACKETS_MAX];
    size_t string_at, string_end; /* the last whole string */
    struct expression_fault fault;
};

struct cursor {
    struct str text;
    size_t at;
    bool is_encoded;
    uint32_t holes;               /* interpolated strings we are inside of */
    size_t watched;               /* offset of braces somebody asks about */
    bool is_watched_escape, is_watched_code;
    struct fault_finder *finder;  /* NULL: nobody asks */
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

/* A line end ends no string when nobody looks closer: the compiler of the expression says it better. */
static bool
is_cut_off(const struct cursor *c, uint32_t ch, bool is_verbatim)
{
    return c->finder && ch == '\n' && !is_verbatim;
}

/* The rest of "..." or @"...", behind the opening quote. */
static bool
plain_string(struct cursor *c, bool is_verbatim)
{
    for (uint32_t ch; (ch = take(c)) && !is_cut_off(c, ch, is_verbatim);) {
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

/* The first fault counts: what fails behind it fails because of it. */
static bool
fault(struct cursor *c, struct expression_fault f)
{
    if (c->finder && !c->finder->fault.len)
        c->finder->fault = f;
    return false;
}

/* The rest of $"...", $@"...": text with holes of code; {{ and }} are braces. */
static bool
interpolated_string(struct cursor *c, bool is_verbatim)
{
    if (++c->holes > EXPRESSION_INTERPOLATED_MAX)
        return fault(c, (struct expression_fault){.at = c->at - 1, .len = 1, .expected = '$'});
    for (uint32_t ch; (ch = take(c)) && !is_cut_off(c, ch, is_verbatim);) {
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

/* --- what is wrong with an expression that does not end ------------------------------------------------------------ */

/* The string that begins at `at` is not closed: it is shown to the end of its line. */
static bool
fault_string(struct cursor *c, size_t at)
{
    size_t end = at + 1;

    while (end < c->text.len && c->text.p[end] != '\n' && c->text.p[end] != '\r')
        end++;
    return fault(c, (struct expression_fault){.at = at, .len = end - at, .expected = '"'});
}

/* `expected` is missing at `at`, where `found` stands (0: the value ends). */
static bool
fault_bracket(struct cursor *c, size_t at, char expected, char found)
{
    size_t opened_at = c->finder && c->finder->depth ? c->finder->opened[c->finder->depth - 1] : at;

    return fault(c, (struct expression_fault){.at = at, .len = 1, .expected = expected, .found = found, .opened_at = opened_at});
}

static size_t
back_over_blanks(struct str text, size_t at)
{
    while (at > 0 && ascii_is_blank(text.p[at - 1]))
        at--;
    return at;
}

static bool
starts_a_tag(struct str text, size_t at)
{
    return at + 1 < text.len && text.p[at] == '<' &&
           (ascii_is_alpha(text.p[at + 1]) ||
            (text.p[at + 1] == '/' && at + 2 < text.len && ascii_is_alpha(text.p[at + 2])));
}

/* Whether the attribute's quote that stands at `at`, in code, is the closing one and not the start of a string, before which
 * an operator or a bracket would stand. */
static bool
is_closing_quote(const struct cursor *c, size_t at)
{
    size_t before;

    if (!c->finder->quote || c->text.p[at] != c->finder->quote || !quote_ends_value(c->text, at))
        return false;
    before = back_over_blanks(c->text, at);
    return before == 0 || !strchr("(,=+[?:{&|!$@<>;", c->text.p[before - 1]);
}

/* Whether markup begins at `at`, in code: "/>", "</name", and in an attribute ">" with a tag behind it. */
static bool
is_markup(const struct cursor *c, size_t at)
{
    struct str text = c->text;
    size_t next = at + 1;

    if (at + 1 >= text.len)
        return false;
    if (text.p[at] == '/')
        return text.p[at + 1] == '>';
    if (text.p[at] == '<')
        return text.p[at + 1] == '/' && starts_a_tag(text, at);
    if (text.p[at] != '>' || !c->finder->quote)
        return false;
    while (next < text.len && ascii_is_blank(text.p[next]))
        next++;
    return starts_a_tag(text, next);
}

/* Whether the value ends at `at` for whoever wrote it. A string in front of it that took the attribute's quote for its own is
 * the mistake; otherwise it is `closer` that is missing. */
static bool
ends_here(struct cursor *c, size_t at, char closer)
{
    size_t end;

    if (is_closing_quote(c, at)) {
        fault_bracket(c, at, closer, 0);
        return true;
    }
    if (!is_markup(c, at))
        return false;
    end = back_over_blanks(c->text, at);
    if (c->finder->quote && c->finder->string_end == end)
        fault_string(c, c->finder->string_at);
    else
        fault_bracket(c, c->finder->quote ? at : end, closer, 0);
    return true;
}

/* Whether the innermost open bracket is that of "for (;;)", the only one with semicolons in it. */
static bool
is_head_of_for(const struct cursor *c)
{
    size_t end = back_over_blanks(c->text, c->finder->opened[c->finder->depth - 1]);

    return str_ends_with(str_sub(c->text, 0, end), STR("for"));
}

/* Whether the string that was just read took the attribute's closing quote for its own: "abc)" name="x". */
static bool
took_closing_quote(const struct cursor *c, size_t at)
{
    size_t quote = c->at - 1, before = back_over_blanks(c->text, quote);

    return c->finder && c->text.p[quote] == c->finder->quote && before > at + 1 && strchr(")}];", c->text.p[before - 1]) &&
           quote_ends_value(c->text, quote);
}

/* A string, opened at `at` and read by now; the finder remembers it. */
static bool
string_read(struct cursor *c, size_t at, bool is_whole)
{
    if (!is_whole || took_closing_quote(c, at))
        return fault_string(c, at);
    if (c->finder) {
        c->finder->string_at = at;
        c->finder->string_end = c->at;
    }
    return true;
}

/* --- code ---------------------------------------------------------------------------------------------------------- */

static bool
open_bracket(struct cursor *c, char closers[], uint32_t *depth, uint32_t ch, size_t at)
{
    if (*depth == EXPRESSION_BRACKETS_MAX || (c->finder && c->finder->depth == EXPRESSION_BRACKETS_MAX))
        return fault(c, (struct expression_fault){.at = at, .len = 1});
    closers[(*depth)++] = ch == '(' ? ')' : ch == '[' ? ']' : '}';
    if (c->finder)
        c->finder->opened[c->finder->depth++] = at;
    return true;
}

/* False when another bracket is open. */
static bool
close_bracket(struct cursor *c, const char closers[], uint32_t *depth, uint32_t ch, size_t at)
{
    if (closers[*depth - 1] != (char)ch)
        return fault_bracket(c, at, closers[*depth - 1], (char)ch);
    (*depth)--;
    if (c->finder)
        c->finder->depth--;
    return true;
}

/* Code up to `closer`, behind its opener. */
static bool
code(struct cursor *c, uint32_t closer)
{
    char closers[EXPRESSION_BRACKETS_MAX];
    uint32_t depth = 0;

    if (!open_bracket(c, closers, &depth, closer == ')' ? '(' : '{', c->at - 1))
        return false;
    for (uint32_t ch;;) {
        size_t at = c->at;

        c->is_watched_code |= at == c->watched;
        if (c->finder && at < c->text.len && ends_here(c, at, closers[depth - 1]))
            return false;
        if (!(ch = take(c)))
            return fault_bracket(c, back_over_blanks(c->text, at), closers[depth - 1], 0);
        switch (ch) {
        case '(': case '[': case '{':
            if (!open_bracket(c, closers, &depth, ch, at))
                return false;
            break;
        case ')': case ']': case '}':
            if (!close_bracket(c, closers, &depth, ch, at))
                return false;
            if (depth == 0)
                return true;
            break;
        case ';':
            if (c->finder && closers[depth - 1] != '}' && !is_head_of_for(c))
                return fault_bracket(c, at, closers[depth - 1], ';');
            break;
        case '"':
            if (!string_read(c, at, plain_string(c, false)))
                return false;
            break;
        case '\'':
            character(c);
            break;
        case '$': case '@':
            if (!string_read(c, at, prefixed_string(c, ch)))
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

struct expression_fault
expression_find_fault(struct str text, size_t at, char quote)
{
    struct fault_finder finder = {.quote = quote};
    struct cursor c = {.text = text, .at = at, .is_encoded = true, .watched = SIZE_MAX, .finder = &finder};

    take(&c);
    code(&c, take(&c) == '(' ? ')' : '}');
    return finder.fault;
}

size_t
expression_guess_end(struct str text, size_t at, char quote, bool minds_strings)
{
    struct fault_finder finder = {.quote = quote};
    struct cursor c = {.text = text, .at = at, .is_encoded = true, .watched = SIZE_MAX, .finder = &finder};

    for (uint32_t ch;;) {
        struct cursor before = c;

        if (c.at < text.len && text.p[c.at] == quote && quote_ends_value(text, c.at) &&
            strchr(")}];", text.p[back_over_blanks(text, c.at) - 1]))
            return c.at;
        if (!(ch = take(&c)))
            return 0;
        if (ch == '/' && peek(&c) == '/')
            line_comment(&c);
        else if (ch == '/' && peek(&c) == '*')
            block_comment(&c);
        else if (ch == '"' && minds_strings && !plain_string(&c, before.at > 0 && text.p[before.at - 1] == '@'))
            c = before, take(&c);     /* no string after all: on behind its quote */
    }
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
