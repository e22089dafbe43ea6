/* liquid_filter_text.c: filters that make text of text. Lengths and positions are UTF-16 units, as .NET counts.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "data/liquid_filter.h"
#include "data/regex.h"

static bool
return_text(struct liquid_call *c, struct str s)
{
    c->ret = liquid_string(s);
    return true;
}

static bool
return_input(struct liquid_call *c)
{
    c->ret = c->args[0];
    return true;
}

static bool
has_input(const struct liquid_call *c)
{
    return c->args[0].kind == LIQUID_STRING && c->args[0].text.len > 0;
}

static void
add_code_point(struct buf *to, uint32_t code)
{
    char bytes[4];

    buf_add(to, bytes, utf8_put(bytes, code));
}

/* --- white space ----------------------------------------------------------------------------------------------------- */

bool
liquid_is_blank_text(struct liquid_call *c, struct str s)
{
    for (size_t at = 0; at < s.len;)
        if (!c->run->dotnet->is_white(utf8_next(s, &at)))
            return false;
    return true;
}

static struct str
trim_start(struct liquid_call *c, struct str s)
{
    for (size_t at = 0, from = 0; at < s.len; from = at)
        if (!c->run->dotnet->is_white(utf8_next(s, &at)))
            return str_skip(s, from);
    return STR("");
}

static struct str
trim_end(struct liquid_call *c, struct str s)
{
    size_t end = 0;

    for (size_t at = 0; at < s.len;)
        if (!c->run->dotnet->is_white(utf8_next(s, &at)))
            end = at;
    return str_sub(s, 0, end);
}

FILTER(strip)
{
    return has_input(c) ? return_text(c, trim_end(c, trim_start(c, c->args[0].text))) : return_input(c);
}

FILTER(lstrip)
{
    return has_input(c) ? return_text(c, trim_start(c, c->args[0].text)) : return_input(c);
}

FILTER(rstrip)
{
    return has_input(c) ? return_text(c, trim_end(c, c->args[0].text)) : return_input(c);
}

/* What stands at every line end ("\n" or "\r\n") instead of it, or in front of it. */
static bool
replace_line_ends(struct liquid_call *c, struct str by, bool keeps_end)
{
    struct str s = c->args[0].text;
    struct buf b = liquid_call_buf(c);

    if (!has_input(c) || liquid_is_blank_text(c, s))
        return return_input(c);
    for (size_t i = 0; i < s.len; i++) {
        size_t end = s.p[i] == '\r' && i + 1 < s.len && s.p[i + 1] == '\n' ? i + 2 : s.p[i] == '\n' ? i + 1 : i;

        if (end == i) {
            buf_add_char(&b, s.p[i]);
            continue;
        }
        buf_add_str(&b, by);
        if (keeps_end)
            buf_add_str(&b, str_sub(s, i, end));
        i = end - 1;
    }
    return liquid_return_buf(c, &b);
}

FILTER(strip_newlines)
{
    return replace_line_ends(c, STR(""), false);
}

FILTER(newline_to_br)
{
    return replace_line_ends(c, STR("<br />"), true);
}

/* --- case ------------------------------------------------------------------------------------------------------------ */

static bool
change_case(struct liquid_call *c, uint32_t (*mapping)(uint32_t))
{
    struct buf b = liquid_call_buf(c);
    struct str s = c->args[0].text;

    if (!has_input(c))
        return return_input(c);
    for (size_t at = 0; at < s.len;)
        add_code_point(&b, mapping(utf8_next(s, &at)));
    return liquid_return_buf(c, &b);
}

FILTER(upcase)
{
    return change_case(c, c->run->dotnet->upper);
}

FILTER(downcase)
{
    return change_case(c, c->run->dotnet->lower);
}

/* Each word begins in upper case and goes on in lower case, but one all in upper case stays. */
static void
add_title_word(struct liquid_call *c, struct str word, struct buf *to)
{
    const struct liquid_dotnet *net = c->run->dotnet;
    bool is_all_upper = true, is_first = true;

    for (size_t at = 0; at < word.len;) {
        uint32_t code = utf8_next(word, &at);
        is_all_upper &= !net->is_letter(code) || net->is_upper(code);
    }
    if (is_all_upper && word.len > 1) {
        buf_add_str(to, word);
        return;
    }
    for (size_t at = 0; at < word.len; is_first = false) {
        uint32_t code = utf8_next(word, &at);
        add_code_point(to, is_first ? net->upper(code) : net->lower(code));
    }
}

FILTER(capitalize)
{
    const struct liquid_dotnet *net = c->run->dotnet;
    struct str s = c->args[0].text;
    struct buf b = liquid_call_buf(c);

    if (!has_input(c) || liquid_is_blank_text(c, s))
        return return_input(c);
    for (size_t at = 0; at < s.len;) {
        size_t from = at, end = at;
        uint32_t code = utf8_next(s, &at);

        if (!net->is_letter(code)) {
            add_code_point(&b, code);
            continue;
        }
        for (end = at; end < s.len; end = at) {
            code = utf8_next(s, &at);
            if (!net->is_letter(code) && !net->is_digit(code) && code != '\'' && code != '_')
                break;
        }
        at = end;
        add_title_word(c, str_sub(s, from, end), &b);
    }
    return liquid_return_buf(c, &b);
}

/* --- escapes --------------------------------------------------------------------------------------------------------- */

/* WebUtility.HtmlEncode: the five signs, U+00A0 to U+00FF and everything beyond 16 bits as references. */
FILTER(escape)
{
    struct buf b = liquid_call_buf(c);
    struct str s = c->args[0].text;

    if (!has_input(c))
        return return_input(c);
    for (size_t at = 0; at < s.len;) {
        uint32_t code = utf8_next(s, &at);

        switch (code) {
        case '<': buf_add_lit(&b, "&lt;"); break;
        case '>': buf_add_lit(&b, "&gt;"); break;
        case '&': buf_add_lit(&b, "&amp;"); break;
        case '"': buf_add_lit(&b, "&quot;"); break;
        case '\'': buf_add_lit(&b, "&#39;"); break;
        default:
            if ((code >= 0xa0 && code <= 0xff) || code > 0xffff)
                buf_printf(&b, "&#%" PRIu32 ";", code);
            else
                add_code_point(&b, code);
        }
    }
    return liquid_return_buf(c, &b);
}

FILTER(url_encode)
{
    struct buf b = liquid_call_buf(c);
    struct str s = c->args[0].text, piece;

    if (!has_input(c))
        return return_input(c);
    for (bool is_first = true; str_split_next(&s, ' ', &piece); is_first = false) {
        if (!is_first)
            buf_add_char(&b, '+');
        codec_percent_encode(&b, piece, "-_.!*()");
    }
    return liquid_return_buf(c, &b);
}

FILTER(url_decode)
{
    struct buf b = liquid_call_buf(c);

    if (!has_input(c))
        return return_input(c);
    codec_percent_decode(&b, c->args[0].text, true);
    return liquid_return_buf(c, &b);
}

/* <...> goes, as far as it stands on one line. */
FILTER(strip_html)
{
    struct buf b = liquid_call_buf(c);
    struct str s = c->args[0].text;

    if (!has_input(c) || liquid_is_blank_text(c, s))
        return return_input(c);
    for (size_t i = 0; i < s.len; i++) {
        ptrdiff_t end = s.p[i] == '<' ? str_find_char(s, '>', i + 1) : -1;

        if (end >= 0 && !memchr(s.p + i, '\n', (size_t)end - i))
            i = (size_t)end;
        else
            buf_add_char(&b, s.p[i]);
    }
    return liquid_return_buf(c, &b);
}

/* --- parts ----------------------------------------------------------------------------------------------------------- */

/* Byte offset of a UTF-16 unit; a pair is not cut. */
static size_t
byte_of_unit(struct str s, uint64_t unit)
{
    size_t at = 0, units = 0;

    if (utf8_is_ascii(s))
        return (size_t)MIN(unit, (uint64_t)s.len);
    while (at < s.len && units < unit)
        units += utf8_next(s, &at) > 0xffff ? 2 : 1;
    return at;
}

FILTER(slice)
{
    int64_t start, len, units;
    struct str s;

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    s = c->args[0].text;
    units = (int64_t)utf8_units(s);
    start = c->args[1].kind == LIQUID_NIL ? 0 : c->args[1].integer;
    len = c->n > 2 ? c->args[2].kind == LIQUID_NIL ? 0 : c->args[2].integer : 1;
    if (start > units)
        return liquid_return_nil(c);
    if (start < 0 && (start += units) < 0) {
        len = len > INT64_MAX + start ? INT64_MAX : MAX(len + start, (int64_t)0);
        start = 0;
    }
    if (len < 0)
        return liquid_throw(c->run, "Length cannot be less than zero.\nParameter name: length");
    len = MIN(len, units - start);
    size_t from = byte_of_unit(s, (uint64_t)start);
    return return_text(c, str_sub(s, from, byte_of_unit(s, (uint64_t)(start + len))));
}

FILTER(truncate)
{
    struct str s = c->args[0].text, end = c->n > 2 ? liquid_arg_text(c, 2) : STR("...");
    int64_t max = c->n > 1 && c->args[1].kind != LIQUID_NIL ? c->args[1].integer : c->n > 1 ? 0 : 50, keep;

    if (!has_input(c))
        return return_input(c);
    if (max < 0)
        return return_text(c, end);
    if ((int64_t)utf8_units(s) <= max)
        return return_input(c);
    keep = MAX(max - (int64_t)utf8_units(end), (int64_t)0);
    struct buf b = liquid_call_buf(c);
    buf_add_str(&b, str_sub(s, 0, byte_of_unit(s, (uint64_t)keep)));
    buf_add_str(&b, end);
    return liquid_return_buf(c, &b);
}

FILTER(truncate_words)
{
    struct str s = c->args[0].text, end = c->n > 2 ? liquid_arg_text(c, 2) : STR("...");
    int64_t max = c->n > 1 && c->args[1].kind != LIQUID_NIL ? c->args[1].integer : c->n > 1 ? 0 : 15, words = 0;

    if (!has_input(c))
        return return_input(c);
    if (max <= 0)
        return return_text(c, end);
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != ' ' || ++words < max)
            continue;
        struct buf b = liquid_call_buf(c);
        buf_add_str(&b, str_sub(s, 0, i));
        buf_add_str(&b, end);
        return liquid_return_buf(c, &b);
    }
    return return_input(c);
}

static bool
add_piece(struct liquid_call *c, struct liquid_values *all, struct str piece)
{
    struct liquid_value *slot = piece.len ? avec_push(c->run->arena, all) : NULL;

    if (slot)
        *slot = liquid_string(piece);
    else if (piece.len)
        liquid_fail(c->run, ERR_NO_MEMORY, "no memory left for a list of a template");
    return !c->run->has_failed && liquid_step(c->run, 1);
}

/* Empty pieces are left out. An empty separator is none to .NET, which then takes white space. */
FILTER(split)
{
    struct str s = c->args[0].text, by = liquid_arg_text(c, 1);
    struct liquid_values all = {0};
    size_t from = 0, at = 0;

    if (!has_input(c) || liquid_is_blank_text(c, s)) {
        struct liquid_value *one = avec_push(c->run->arena, &all);
        if (one)
            *one = c->args[0];
        c->ret = liquid_list(c->run, all.v, (uint32_t)all.n);
        return true;
    }
    while (at < s.len) {
        size_t next = at;
        bool is_separator = by.len ? str_starts_with(str_skip(s, at), by) : c->run->dotnet->is_white(utf8_next(s, &next));

        if (is_separator && !add_piece(c, &all, str_sub(s, from, at)))
            return false;
        if (by.len)
            next = is_separator ? at + by.len : at + 1;
        if (is_separator)
            from = next;
        at = next;
    }
    if (!add_piece(c, &all, str_skip(s, from)))
        return false;
    c->ret = liquid_list(c->run, all.v, (uint32_t)all.n);
    return true;
}

FILTER(append)
{
    return c->args[0].kind == LIQUID_NIL ? liquid_return_nil(c)
                                         : return_text(c, str_concat(c->run->arena, c->args[0].text, liquid_arg_text(c, 1)));
}

FILTER(prepend)
{
    return c->args[0].kind == LIQUID_NIL ? liquid_return_nil(c)
                                         : return_text(c, str_concat(c->run->arena, liquid_arg_text(c, 1), c->args[0].text));
}

/* --- regular expressions --------------------------------------------------------------------------------------------- */

/* The pattern compiled with the template, or one computed at run time, which the arena frees. NULL after an exception. */
static const struct regex *
pattern_of(struct liquid_call *c, struct str pattern)
{
    struct regex *r;
    struct err err;

    if (c->use->regex)
        return c->use->regex;
    r = regex_new(pattern, 0, &err);
    if (!r) {
        liquid_throw(c->run, "%s", err.text);
        return NULL;
    }
    if (arena_defer(c->run->arena, regex_delete_any, r))
        return r;
    regex_delete(r);
    liquid_fail(c->run, ERR_NO_MEMORY, "no memory left for a regular expression of a template");
    return NULL;
}

static void
add_group(struct buf *to, struct str s, const struct regex_span *span)
{
    if (span->from != SIZE_MAX)
        buf_add_str(to, str_sub(s, span->from, span->to));
}

/* $1 ${name} behind a '$': how many bytes it took, 0 when it is no group. */
static size_t
add_numbered(struct buf *to, const struct regex *r, struct str s, const struct regex_span *spans, struct str by, size_t at)
{
    size_t end = at;
    uint32_t number = 0;
    int i;

    if (at < by.len && by.p[at] == '{') {
        ptrdiff_t close = str_find_char(by, '}', at);
        struct str name = close < 0 ? STR("") : str_sub(by, at + 1, (size_t)close);
        i = name.len ? regex_find_name(r, name) : -1;
        if (i < 0)
            return 0;
        add_group(to, s, &spans[i]);
        return (size_t)close + 1 - at;
    }
    for (; end < by.len && ascii_is_digit(by.p[end]) && number < 100000; end++)
        number = number * 10 + (uint32_t)(by.p[end] - '0');
    if (end == at || (i = regex_find_number(r, number)) < 0)
        return 0;
    add_group(to, s, &spans[i]);
    return end - at;
}

static void
add_replacement(struct buf *to, const struct regex *r, struct str s, const struct regex_span *spans, struct str by)
{
    for (size_t i = 0; i < by.len; i++) {
        char next = i + 1 < by.len ? by.p[i + 1] : 0;
        size_t took = 1;

        if (by.p[i] != '$') {
            buf_add_char(to, by.p[i]);
            continue;
        }
        if (next == '$')
            buf_add_char(to, '$');
        else if (next == '&')
            add_group(to, s, &spans[0]);
        else if (next == '`')
            buf_add_str(to, str_sub(s, 0, spans[0].from));
        else if (next == '\'')
            buf_add_str(to, str_skip(s, spans[0].to));
        else if (next == '_')
            buf_add_str(to, s);
        else if (next == '+')
            add_group(to, s, &spans[regex_groups(r) - 1]);
        else if (!(took = add_numbered(to, r, s, spans, by, i + 1)))
            buf_add_char(to, '$');
        i += took;
    }
}

static bool
too_long(struct liquid_call *c, enum regex_status status)
{
    if (status == REGEX_NO_MEMORY)
        liquid_fail(c->run, ERR_NO_MEMORY, "no memory left for a regular expression of a template");
    else
        liquid_fail(c->run, ERR_LIMIT, "a regular expression of a template took more than %" PRIu64 " steps",
                    c->run->limits->regex_steps);
    return false;
}

/* Every match, or the first one, by a replacement; is_plain: '$' means nothing in it. */
static bool
replace_matches(struct liquid_call *c, struct str s, const struct regex *r, struct str by, bool only_first, bool is_plain)
{
    struct regex_span *spans = arena_new_array(c->run->arena, struct regex_span, regex_groups(r));
    struct buf b = liquid_call_buf(c);
    enum regex_status status = REGEX_NO_MATCH;
    size_t done = 0, at = 0;

    if (!spans)
        return too_long(c, REGEX_NO_MEMORY);
    while (at <= s.len && (status = regex_match(r, s, at, c->run->limits->regex_steps, spans)) == REGEX_MATCH) {
        buf_add_str(&b, str_sub(s, done, spans[0].from));
        if (is_plain)
            buf_add_str(&b, by);
        else
            add_replacement(&b, r, s, spans, by);
        done = at = spans[0].to;
        if (spans[0].to == spans[0].from) {
            if (at < s.len)
                utf8_next(s, &at);
            else
                at++;
        }
        if (only_first || b.failed)
            break;
        if (!liquid_step(c->run, 1))
            return false;
    }
    if (status != REGEX_MATCH && status != REGEX_NO_MATCH)
        return too_long(c, status);
    buf_add_str(&b, str_skip(s, done));
    return liquid_return_buf(c, &b);
}

static bool
replace_by(struct liquid_call *c, struct str by, bool only_first)
{
    struct str pattern = liquid_arg_text(c, 1);
    const struct regex *r;

    if (!has_input(c) || !pattern.len)
        return return_input(c);
    r = pattern_of(c, pattern);
    return r && replace_matches(c, c->args[0].text, r, by, only_first, only_first);
}

FILTER(replace)
{
    return replace_by(c, liquid_arg_text(c, 2), false);
}

FILTER(replace_first)
{
    return replace_by(c, liquid_arg_text(c, 2), true);
}

FILTER(remove_first)
{
    return replace_by(c, STR(""), true);
}

/* DotLiquid's code takes the text as it is, its documentation speaks of regular expressions. Both are served: text that
 * occurs is removed as it is, otherwise it is a pattern, when it is one. */
FILTER(remove)
{
    struct str s = c->args[0].text, what = liquid_arg_text(c, 1);
    struct buf b = liquid_call_buf(c);
    size_t done = 0;
    struct err err;

    if (!has_input(c) || !what.len || liquid_is_blank_text(c, s))
        return return_input(c);
    for (ptrdiff_t at = str_find(s, what, 0); at >= 0; at = str_find(s, what, done)) {
        buf_add_str(&b, str_sub(s, done, (size_t)at));
        done = (size_t)at + what.len;
    }
    if (done) {
        buf_add_str(&b, str_skip(s, done));
        return liquid_return_buf(c, &b);
    }
    if (!c->use->regex) {
        struct regex *probe = regex_new(what, 0, &err);
        if (!probe)
            return return_input(c);
        regex_delete(probe);
    }
    const struct regex *r = pattern_of(c, what);
    return r && replace_matches(c, s, r, STR(""), false, true);
}
