/* scan.c: where an expression ends inside a document, without making tokens.
 *
 * Brackets are counted by depth alone; which closes which is the parser's business. What may hide a bracket is skipped by
 * C#'s rules: strings (regular, verbatim, interpolated with holes), characters, both kinds of comment.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/program.h"

#define SCAN_DEPTH_MAX 32    /* interpolated strings inside each other */

struct scanner {
    struct str text;
    size_t at;
    bool has_entities;
    unsigned depth;
};

/* The character at s->at, an entity decoded, and its length in the document. -1 at the end. */
static int
look(const struct scanner *s, size_t at, size_t *ret_len)
{
    static const struct {
        struct str text;
        char c;
    } entities[] = {
        {STR_INIT("&quot;"), '"'}, {STR_INIT("&apos;"), '\''}, {STR_INIT("&amp;"), '&'}, {STR_INIT("&lt;"), '<'},
        {STR_INIT("&gt;"), '>'}, {STR_INIT("&#34;"), '"'}, {STR_INIT("&#39;"), '\''}, {STR_INIT("&#x22;"), '"'},
        {STR_INIT("&#x27;"), '\''}, {STR_INIT("&#10;"), '\n'}, {STR_INIT("&#xA;"), '\n'}, {STR_INIT("&#92;"), '\\'},
    };

    *ret_len = 1;
    if (at >= s->text.len)
        return -1;
    if (s->has_entities && s->text.p[at] == '&') {
        for (size_t i = 0; i < COUNTOF(entities); i++) {
            if (str_starts_with(str_skip(s->text, at), entities[i].text)) {
                *ret_len = entities[i].text.len;
                return entities[i].c;
            }
        }
    }
    return (unsigned char)s->text.p[at];
}

static int
take(struct scanner *s)
{
    size_t len;
    int c = look(s, s->at, &len);

    s->at += c >= 0 ? len : 0;
    return c;
}

static int
peek(const struct scanner *s)
{
    size_t len;

    return look(s, s->at, &len);
}

static bool scan_brackets(struct scanner *s);

/* Behind the opening quote. A regular string ends at a line's end too: the parser will say so. */
static bool
scan_string(struct scanner *s, bool is_verbatim, bool is_interpolated)
{
    for (;;) {
        int c = take(s);
        if (c < 0)
            return false;
        if (c == '\n' && !is_verbatim)
            return true;
        if (c == '"') {
            if (!is_verbatim || peek(s) != '"')
                return true;
            take(s);
        } else if (c == '\\' && !is_verbatim) {
            take(s);
        } else if (c == '{' && is_interpolated) {
            if (peek(s) == '{')
                take(s);
            else if (!scan_brackets(s))
                return false;
        }
    }
}

static bool
scan_character(struct scanner *s)
{
    for (;;) {
        int c = take(s);
        if (c < 0)
            return false;
        if (c == '\'' || c == '\n')
            return true;
        if (c == '\\')
            take(s);
    }
}

/* Behind '/'. */
static bool
scan_comment(struct scanner *s)
{
    int c = peek(s);

    if (c == '/') {
        while (peek(s) >= 0 && peek(s) != '\n')
            take(s);
    } else if (c == '*') {
        take(s);
        do {
            while ((c = take(s)) >= 0 && c != '*')
                ;
        } while (c >= 0 && peek(s) != '/');
        take(s);
    }
    return true;
}

/* Behind an opening bracket, up to behind the one that closes it. */
static bool
scan_brackets(struct scanner *s)
{
    size_t nesting = 1;
    int c, before = 0;
    bool ok = ++s->depth <= SCAN_DEPTH_MAX;

    while (ok && nesting > 0) {
        c = take(s);
        if (c < 0)
            ok = false;
        else if (c == '(' || c == '[' || c == '{')
            nesting++;
        else if (c == ')' || c == ']' || c == '}')
            nesting--;
        else if (c == '/')
            ok = scan_comment(s);
        else if (c == '\'')
            ok = scan_character(s);
        else if (c == '"')
            ok = scan_string(s, false, false);
        else if ((c == '@' || c == '$') && peek(s) == '"') {
            take(s);
            ok = scan_string(s, c == '@' || before == '@', c == '$' || before == '$');
        }
        before = c;
    }
    s->depth--;
    return ok;
}

size_t
expr_find_end(struct str text, size_t at, bool has_entities)
{
    struct scanner s = {.text = text, .at = at + 2, .has_entities = has_entities};

    if (at + 2 > text.len || text.p[at] != '@' || (text.p[at + 1] != '(' && text.p[at + 1] != '{'))
        return 0;
    return scan_brackets(&s) ? s.at : 0;
}

bool
expr_is_expression(struct str text, struct str *ret)
{
    struct str trimmed = str_trim(text);
    size_t end = expr_find_end(trimmed, 0, false);

    if (end == 0 || end != trimmed.len)
        return false;
    *ret = trimmed;
    return true;
}
