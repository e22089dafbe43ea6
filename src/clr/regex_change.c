/* regex_change.c: Regex.Replace with its patterns of $..., Split, Escape and Unescape.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/regex_object.h"

/* --- replacing -------------------------------------------------------------------------------------------------- */

static void
add_span(struct buf *to, struct string *input, struct regex_span span)
{
    if (span.from != SIZE_MAX)
        buf_add_str(to, str_sub(string_str(input), span.from, span.to));
}

/* The group meant by digits or a name between braces; -1: none, the text is literal. */
int
regex_group_of(const struct regex *r, struct str name)
{
    uint32_t number = 0;

    if (!name.len || !ascii_is_digit(name.p[0]))
        return name.len ? regex_find_name(r, name) : -1;
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_digit(name.p[i]) || number > 100000)
            return -1;
        number = number * 10 + (uint32_t)(name.p[i] - '0');
    }
    return regex_find_number(r, number);
}

/* $1 ${name} $$ $& $` $' $+ $_ ; what is none of them stands for itself. */
void
regex_add_replacement(struct buf *to, const struct regex_object *o, struct string *input, const struct regex_span *spans,
                      struct str by)
{
    const struct regex *r = o->regex;

    for (size_t i = 0; i < by.len; i++) {
        char next = i + 1 < by.len ? by.p[i + 1] : '\0';
        int group = -1;
        size_t used = 0;

        if (by.p[i] != '$') {
            buf_add_char(to, by.p[i]);
            continue;
        }
        if (next == '{') {
            ptrdiff_t close = str_find_char(by, '}', i);
            if (close >= 0 && (group = regex_group_of(r, str_sub(by, i + 2, (size_t)close))) >= 0)
                used = (size_t)close - i;
        } else if (ascii_is_digit(next)) { /* all digits; under ECMAScript as many as make a group */
            size_t digits = 1;
            while (i + 1 + digits < by.len && ascii_is_digit(by.p[i + 1 + digits]))
                digits++;
            do
                if ((group = regex_group_of(r, str_sub(by, i + 1, i + 1 + digits))) >= 0)
                    used = digits;
            while (group < 0 && --digits && (o->options & REGEX_ECMASCRIPT));
        } else if (next == '&') {
            group = 0;
            used = 1;
        } else if (next == '+') {
            group = (int)regex_groups(r) - 1;
            used = 1;
        }
        if (group >= 0) {
            add_span(to, input, spans[group]);
            i += used;
            continue;
        }
        switch (next) {
        case '$': buf_add_char(to, '$'); i++; break;
        case '`': buf_add_str(to, str_sub(string_str(input), 0, spans[0].from)); i++; break;
        case '\'': buf_add_str(to, str_skip(string_str(input), spans[0].to)); i++; break;
        case '_': buf_add_str(to, string_str(input)); i++; break;
        default: buf_add_char(to, '$');
        }
    }
}

/* What stands for one match: a pattern of $..., or what the evaluator answers. */
static bool
add_substitute(struct call *c, struct buf *to, const struct regex_object *o, struct string *input, struct regex_span *spans,
               struct object *by, bool is_evaluator)
{
    struct value m, answer;

    if (!is_evaluator) {
        regex_add_replacement(to, o, input, spans, string_str((struct string *)by));
        return true;
    }
    m = value_ref(regex_match_new(c, regex_type(c, "Match"), o, input, spans, 0));
    if (!m.ref || !call_invoke(c, by, &m, 1, &answer))
        return false;
    if (answer.ref)
        buf_add_str(to, string_str((struct string *)answer.ref));
    return true;
}

/* From the right: pieces are found last first, so they are kept and put together at the end. */
static bool
replace_backwards(struct call *c, const struct regex_object *o, struct string *input, struct object *by, bool is_evaluator,
                  int64_t count, size_t from)
{
    struct string *result = input;
    bool more = true;

    while (count-- != 0 && more) {
        struct regex_span *spans = regex_spans_new(c, o);
        struct buf b = call_buf(c);
        int found = spans ? regex_search(c, o, input, from, spans) : -1;
        if (found < 0)
            return false;
        if (!found)
            break;
        buf_add_str(&b, str_sub(string_str(result), 0, spans[0].from));
        if (!add_substitute(c, &b, o, input, spans, by, is_evaluator))
            return false;
        /* What lies behind the match has its final form at the end of result. */
        buf_add_str(&b, str_skip(string_str(result), spans[0].to));
        if (!(result = string_from_buf(c, &b)))
            return false;
        more = regex_next_start(o, input, spans[0], &from);
    }
    return return_ref(c, result);
}

static bool
replace_with(struct call *c, const struct regex_object *o, struct string *input, struct object *by, bool is_evaluator,
             int64_t count, size_t from)
{
    struct regex_span *spans;
    struct buf b = call_buf(c);
    size_t copied = 0;
    bool more = true, any = false;

    if (!input)
        return throw_argument_null(c, "input");
    if (!by)
        return throw_argument_null(c, is_evaluator ? "evaluator" : "replacement");
    if (count < -1)
        return throw_argument_range(c, "count", "Count cannot be less than -1.");
    if (regex_is_right_to_left(o->regex))
        return replace_backwards(c, o, input, by, is_evaluator, count, from);
    if (!(spans = regex_spans_new(c, o)))
        return false;
    while (count-- != 0 && more) {
        int found = regex_search(c, o, input, from, spans);
        if (found < 0)
            return false;
        if (!found)
            break;
        any = true;
        buf_add_str(&b, str_sub(string_str(input), copied, spans[0].from));
        copied = spans[0].to;
        struct regex_span whole = spans[0];
        if (!add_substitute(c, &b, o, input, spans, by, is_evaluator))
            return false;
        if (is_evaluator && !(spans = regex_spans_new(c, o))) /* the Match keeps its own */
            return false;
        if (b.failed)
            return call_exceed(c, BUDGET_BYTES);
        more = regex_next_start(o, input, whole, &from);
    }
    if (!any)
        return return_ref(c, input);
    buf_add_str(&b, str_skip(string_str(input), copied));
    return return_new(c, string_from_buf(c, &b));
}

static bool
replace_self(struct call *c, bool is_evaluator)
{
    struct string *input = call_string(c, 1);
    size_t from = input ? regex_start(self_regex(c), input) : 0;

    if (c->n_args > 4 && !regex_start_argument(c, input, 4, &from))
        return false;
    return replace_with(c, self_regex(c), input, c->args[2].ref, is_evaluator, c->n_args > 3 ? call_i32(c, 3) : -1, from);
}

static bool replace_text(struct call *c) { return replace_self(c, false); }
static bool replace_evaluator(struct call *c) { return replace_self(c, true); }

static bool
replace_static(struct call *c, bool is_evaluator)
{
    struct string *input = call_string(c, 0);
    struct regex_object *o = regex_static(c, 1, 3);

    return o && replace_with(c, o, input, c->args[2].ref, is_evaluator, -1, input ? regex_start(o, input) : 0);
}

static bool replace_text_static(struct call *c) { return replace_static(c, false); }
static bool replace_evaluator_static(struct call *c) { return replace_static(c, true); }

/* --- splitting -------------------------------------------------------------------------------------------------- */

struct pieces {
    struct str *v;
    uint32_t n, cap;
};

static bool
add_piece(struct call *c, struct pieces *p, struct str piece)
{
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 16;
        struct str *grown = call_alloc(c, cap * sizeof(*grown));
        if (!grown)
            return false;
        if (p->n)
            memcpy(grown, p->v, p->n * sizeof(*grown));
        p->v = grown;
        p->cap = cap;
    }
    p->v[p->n++] = piece;
    return true;
}

/* Pieces between the matches, and what groups captured of the separators. */
static bool
split_with(struct call *c, const struct regex_object *o, struct string *input, int64_t count, size_t from)
{
    struct pieces p = {0};
    struct regex_span *spans;
    struct str s;
    bool back = regex_is_right_to_left(o->regex), more = true;
    size_t edge;

    if (!input)
        return throw_argument_null(c, "input");
    if (count < 0)
        return throw_argument_range(c, "count", "Count cannot be less than -1.");
    s = string_str(input);
    edge = back ? s.len : 0;
    if (!(spans = regex_spans_new(c, o)))
        return false;
    while ((count == 0 || --count > 0) && more) {
        int found = regex_search(c, o, input, from, spans);
        if (found < 0)
            return false;
        if (!found)
            break;
        if (!add_piece(c, &p, back ? str_sub(s, spans[0].to, edge) : str_sub(s, edge, spans[0].from)))
            return false;
        edge = back ? spans[0].from : spans[0].to;
        for (uint32_t g = 1; g < regex_groups(o->regex); g++)
            if (spans[g].from != SIZE_MAX && !add_piece(c, &p, str_sub(s, spans[g].from, spans[g].to)))
                return false;
        more = regex_next_start(o, input, spans[0], &from);
    }
    if (!add_piece(c, &p, back ? str_sub(s, 0, edge) : str_skip(s, edge)))
        return false;
    for (uint32_t i = 0; back && i < p.n / 2; i++) {
        struct str swap = p.v[i];
        p.v[i] = p.v[p.n - 1 - i];
        p.v[p.n - 1 - i] = swap;
    }
    return return_new(c, array_of_strings(c, p.v, p.n));
}

static bool
split(struct call *c)
{
    struct string *input = call_string(c, 1);
    size_t from = input ? regex_start(self_regex(c), input) : 0;

    if (c->n_args > 3 && !regex_start_argument(c, input, 3, &from))
        return false;
    return split_with(c, self_regex(c), input, c->n_args > 2 ? call_i32(c, 2) : 0, from);
}

static bool
split_static(struct call *c)
{
    struct string *input = call_string(c, 0);
    struct regex_object *o = regex_static(c, 1, 2);

    return o && split_with(c, o, input, 0, input ? regex_start(o, input) : 0);
}

/* --- Escape, Unescape ------------------------------------------------------------------------------------------- */

static bool
escape(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "str");
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '\n': buf_add_lit(&b, "\\n"); break;
        case '\r': buf_add_lit(&b, "\\r"); break;
        case '\t': buf_add_lit(&b, "\\t"); break;
        case '\f': buf_add_lit(&b, "\\f"); break;
        default:
            if (s.p[i] && strchr("\\*+?|{[()^$.# ", s.p[i]))
                buf_add_char(&b, '\\');
            buf_add_char(&b, s.p[i]);
        }
    }
    return return_new(c, string_from_buf(c, &b));
}

/* The value of `n` hexadecimal digits at s[at]; -1 when they are not there. */
static int64_t
hex_at(struct str s, size_t at, size_t n)
{
    int64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = at + i < s.len ? ascii_hex_value(s.p[at + i]) : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool
unescape(struct call *c)
{
    static const char plain[] = "abtnvfre", values[] = "\a\b\t\n\v\f\r\033";
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "str");
    for (size_t i = 0; i < s.len; i++) {
        char room[4], ch = s.p[i];
        const char *known;
        int64_t value;

        if (ch != '\\') {
            buf_add_char(&b, ch);
            continue;
        }
        if (++i >= s.len)
            return throw_argument(c, NULL, "parsing \"%.*s\" - Illegal \\ at end of pattern.", STR_ARG(s));
        ch = s.p[i];
        if ((known = strchr(plain, ch))) {
            buf_add_char(&b, values[known - plain]);
        } else if (ch == 'x' || ch == 'u') {
            size_t digits = ch == 'x' ? 2 : 4;
            if ((value = hex_at(s, i + 1, digits)) < 0)
                return throw_argument(c, NULL, "parsing \"%.*s\" - Insufficient hexadecimal digits.", STR_ARG(s));
            buf_add(&b, room, utf8_put(room, (uint32_t)value));
            i += digits;
        } else if (ch >= '0' && ch <= '7') {
            for (value = 0; i < s.len && s.p[i] >= '0' && s.p[i] <= '7' && value < 32; i++)
                value = value * 8 + (s.p[i] - '0');
            i--;
            buf_add(&b, room, utf8_put(room, (uint32_t)(value & 0xff)));
        } else if (ascii_is_alpha(ch)) {
            return throw_argument(c, NULL, "parsing \"%.*s\" - Unrecognized escape sequence \\%c.", STR_ARG(s), ch);
        } else {
            buf_add_char(&b, ch);
        }
    }
    return return_new(c, string_from_buf(c, &b));
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

static const void *prepare_replace(const struct prepare *p) { return regex_prepare(p, 1, 3); }
static const void *prepare_split(const struct prepare *p) { return regex_prepare(p, 1, 2); }

#define R "Regex"

static const struct member_row members[] = {
    M(R, "string Replace(string input, string replacement)", replace_text),
    M(R, "string Replace(string input, string replacement, int count)", replace_text),
    M(R, "string Replace(string input, string replacement, int count, int startat)", replace_text),
    M(R, "string Replace(string input, MatchEvaluator evaluator)", replace_evaluator),
    M(R, "string Replace(string input, MatchEvaluator evaluator, int count)", replace_evaluator),
    M(R, "string Replace(string input, MatchEvaluator evaluator, int count, int startat)", replace_evaluator),
    M_PREPARED(R, "static string Replace(string input, string pattern, string replacement)", replace_text_static, prepare_replace),
    M_PREPARED(R, "static string Replace(string input, string pattern, string replacement, RegexOptions options)",
               replace_text_static, prepare_replace),
    M_PREPARED(R,
               "static string Replace(string input, string pattern, string replacement, RegexOptions options, TimeSpan matchTimeout)",
               replace_text_static, prepare_replace),
    M_PREPARED(R, "static string Replace(string input, string pattern, MatchEvaluator evaluator)", replace_evaluator_static,
               prepare_replace),
    M_PREPARED(R, "static string Replace(string input, string pattern, MatchEvaluator evaluator, RegexOptions options)",
               replace_evaluator_static, prepare_replace),
    M_PREPARED(
        R,
        "static string Replace(string input, string pattern, MatchEvaluator evaluator, RegexOptions options, TimeSpan matchTimeout)",
        replace_evaluator_static, prepare_replace),
    M(R, "string[] Split(string input)", split),
    M(R, "string[] Split(string input, int count)", split),
    M(R, "string[] Split(string input, int count, int startat)", split),
    M_PREPARED(R, "static string[] Split(string input, string pattern)", split_static, prepare_split),
    M_PREPARED(R, "static string[] Split(string input, string pattern, RegexOptions options)", split_static, prepare_split),
    M_PREPARED(R, "static string[] Split(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", split_static,
               prepare_split),
    M_EXTRA(R, "static string Escape(string str)", escape),
    M(R, "static string Unescape(string str)", unescape),
};

const struct library clr_regex_change = {"regex changes", NULL, 0, members, COUNTOF(members)};
