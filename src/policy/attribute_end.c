/* attribute_end.c: see attribute_end.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/attribute_end.h"

#include "policy/policy.h"

static bool
child_has_attribute(const struct child_def *children, struct str name)
{
    for (; children && children->name; children++) {
        for (const struct attr_def *a = children->attrs; a && a->name; a++)
            if (str_eq(str_from_c(a->name), name))
                return true;
        if (child_has_attribute(children->children, name))
            return true;
    }
    return false;
}

/* Whether any policy, or an element in one, has an attribute of that name. */
static bool
is_attribute_name(struct str name)
{
    const struct policy_def *p;

    for (size_t i = 0; (p = policy_row(i)); i++) {
        for (const struct attr_def *a = p->attrs; a && a->name; a++)
            if (str_eq(str_from_c(a->name), name))
                return true;
        if (child_has_attribute(p->children, name))
            return true;
    }
    return str_eq_lit(name, "id");
}

/* Whether the quote at `at` ends a literal: what follows has to look like the rest of a tag. Quotes nested in a value
 * (subject="O="Contoso, Inc.", C=US") do not pass. Looks no further than the next quote. */
bool
quote_ends_value(struct str text, size_t at)
{
    size_t next = skip_blanks(text, at + 1);

    if (next >= text.len || text.p[next] == '>' || text.p[next] == '<' || text.p[next] == '?')
        return true;
    if (text.p[next] == '/')
        return next + 1 < text.len && text.p[next + 1] == '>';
    size_t name_end = skip_name(text, next);
    if (name_end == next)
        return false;
    struct str name = str_sub(text, next, name_end);
    name_end = skip_blanks(text, name_end);
    if (name_end >= text.len || text.p[name_end] != '=')
        return false;
    name_end = skip_blanks(text, name_end + 1);
    return name_end < text.len && (text.p[name_end] == '"' || text.p[name_end] == '\'' || is_attribute_name(name));
}

/* The closing quote of a literal that begins at `at`; text.len when there is none. */
size_t
literal_end(struct str text, size_t at, char quote)
{
    size_t first = text.len;

    for (size_t i = at; i < text.len; i++) {
        /* Nobody nests quotes over lines: take the first one and let the tag report what follows it. */
        if (text.p[i] == '\n' && first < text.len)
            return first;
        if (text.p[i] != quote)
            continue;
        if (quote_ends_value(text, i))
            return i;
        first = MIN(first, i);
    }
    return first;
}

size_t
tag_end(struct str text, size_t from)
{
    ptrdiff_t close = str_find_char(text, '>', from);
    size_t end = close < 0 ? text.len : (size_t)close;

    while (end > from && (ascii_is_blank(text.p[end - 1]) || text.p[end - 1] == '/'))
        end--;
    return end;
}

/* Whether a line of the text ends with '>' and the next one begins with '<'. */
static bool
holds_end_of_tag(struct str text)
{
    for (ptrdiff_t at = str_find_char(text, '>', 0); at >= 0; at = str_find_char(text, '>', (size_t)at + 1)) {
        size_t next = skip_blanks(text, (size_t)at + 1);

        if (next < text.len && text.p[next] == '<' && str_find_char(str_sub(text, (size_t)at, next), '\n', 0) >= 0)
            return true;
    }
    return false;
}

size_t
run_on_end(struct str text, size_t from, char quote)
{
    ptrdiff_t found = str_find_char(text, quote, from);
    size_t end = (size_t)found, name;

    if (found <= (ptrdiff_t)from)
        return 0;
    if (text.p[end - 1] != '=')
        return !quote_ends_value(text, end) && holds_end_of_tag(str_sub(text, from, end)) ? tag_end(text, from) : 0;
    for (name = --end; name > from && is_name_char(text.p[name - 1]); name--) {}
    if (name == from || !ascii_is_blank(text.p[name - 1]) || !is_attribute_name(str_sub(text, name, end)))
        return 0;
    for (size_t at = from; at < name; at++)
        if (text.p[at] == '>' || text.p[at] == '<' || text.p[at] == '\n')
            name = at;
    while (name > from && (ascii_is_blank(text.p[name - 1]) || text.p[name - 1] == '/'))
        name--;
    return MAX(name, from + 1);
}

bool
goes_on_as_tag(struct str text, size_t at)
{
    size_t end = skip_name(text, at);

    if (at < text.len && (text.p[at] == '>' || (text.p[at] == '/' && at + 1 < text.len && text.p[at + 1] == '>')))
        return true;
    return end > at && end < text.len && text.p[end] == '=' && is_attribute_name(str_sub(text, at, end));
}
