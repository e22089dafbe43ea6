/* liquid_expr.c: the insides of tags and outputs: names, literals, filters, conditions. DotLiquid finds them with regular
 * expressions that skip what they do not know; the functions here take and skip the same.
 *
 *     fragment     "text" or 'text' alone, or a run without blanks, ',' and '|' in which quoted parts may hold them
 *     literal      nil null true false empty blank "text" 'text' 12 -1.5 (1..5)
 *     path         everything else: names and [brackets], whatever stands between them is skipped
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/liquid_parse.h"
#include "data/regex.h"

/* --- notes --------------------------------------------------------------------------------------------------------- */

static void
add_note(struct liquid_parser *p, bool is_error, struct str where, const char *fmt, va_list ap)
{
    struct liquid_note *n = arena_new(p->keep, struct liquid_note);
    char text[ERR_TEXT_MAX];

    p->has_failed |= is_error || !n;
    if (!n)
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    *n = (struct liquid_note){.is_error = is_error, .at = (uint32_t)(where.p - p->text.p), .len = (uint32_t)where.len,
                              .text = str_dup(p->keep, str_from_c(text))};
    *p->notes_end = n;
    p->notes_end = &n->next;
}

bool
liquid_parse_error(struct liquid_parser *p, struct str where, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(p, true, where, fmt, ap);
    va_end(ap);
    return false;
}

void
liquid_parse_warning(struct liquid_parser *p, struct str where, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(p, false, where, fmt, ap);
    va_end(ap);
}

static void *
need(struct liquid_parser *p, void *allocated)
{
    if (!allocated)
        p->has_failed = true;
    return allocated;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

bool
liquid_is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

size_t
liquid_skip_blanks(struct str s, size_t at)
{
    while (at < s.len && (ascii_is_blank(s.p[at]) || s.p[at] == '\v' || s.p[at] == '\f'))
        at++;
    return at;
}

/* Where the quoted text at `at` ends, 0 when none begins there or it is not closed. */
static size_t
quoted_end(struct str s, size_t at)
{
    ptrdiff_t end;

    if (at >= s.len || (s.p[at] != '"' && s.p[at] != '\''))
        return 0;
    end = str_find_char(s, s.p[at], at + 1);
    return end < 0 ? 0 : (size_t)end + 1;
}

size_t
liquid_fragment_end(struct str s, size_t at, bool with_commas)
{
    size_t quoted = quoted_end(s, at);

    if (quoted)
        return quoted;
    while (at < s.len) {
        char c = s.p[at];

        if ((quoted = quoted_end(s, at)))
            at = quoted;
        else if (ascii_is_blank(c) || c == '|' || c == '"' || c == '\'' || (c == ',' && !with_commas))
            break;
        else
            at++;
    }
    return at;
}

bool
liquid_find_fragment(struct str s, size_t *at, bool with_commas, struct str *ret)
{
    for (size_t from = *at; from < s.len; from++) {
        size_t end = liquid_fragment_end(s, from, with_commas);

        if (end > from) {
            *ret = str_sub(s, from, end);
            *at = end;
            return true;
        }
    }
    return false;
}

size_t
liquid_word_end(struct str s, size_t at)
{
    while (at < s.len && liquid_is_word(s.p[at]))
        at++;
    return at;
}

/* --- literals ------------------------------------------------------------------------------------------------------ */

static const struct liquid_expr *
constant(struct liquid_parser *p, struct liquid_value v)
{
    struct liquid_expr *e = need(p, arena_new(p->keep, struct liquid_expr));

    if (e)
        *e = (struct liquid_expr){.kind = EXPR_CONSTANT, .constant = v};
    return e;
}

static const struct liquid_expr *
throwing(struct liquid_parser *p, const char *message)
{
    struct liquid_expr *e = need(p, arena_new(p->keep, struct liquid_expr));

    if (e)
        *e = (struct liquid_expr){.kind = EXPR_THROWS, .message = message};
    return e;
}

/* [+-]digits. */
static bool
is_integer(struct str s)
{
    size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');

    if (at == s.len)
        return false;
    while (at < s.len && ascii_is_digit(s.p[at]))
        at++;
    return at == s.len;
}

static const struct liquid_expr *
integer(struct liquid_parser *p, struct str s)
{
    bool is_negative = s.p[0] == '-';
    int64_t n = 0;

    for (size_t at = s.p[0] == '-' || s.p[0] == '+'; at < s.len; at++) {
        int64_t digit = s.p[at] - '0';

        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, digit, &n))
            return throwing(p, "Value was either too large or too small for an Int64.");
    }
    if (!is_negative && __builtin_mul_overflow(n, -1, &n))
        return throwing(p, "Value was either too large or too small for an Int64.");
    return constant(p, n < INT32_MIN || n > INT32_MAX ? liquid_long(n) : liquid_int(n));
}

/* [+-]digit, then digits, points and commas. */
static bool
is_number(struct str s)
{
    size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');

    if (s.len < at + 2 || !ascii_is_digit(s.p[at]))
        return false;
    while (at < s.len && (ascii_is_digit(s.p[at]) || s.p[at] == '.' || s.p[at] == ','))
        at++;
    return at == s.len;
}

/* Commas before the point separate thousands. */
static const struct liquid_expr *
number(struct liquid_parser *p, struct str s)
{
    struct buf digits = buf_in(p->keep);
    struct decimal d;
    enum decimal_status status = DECIMAL_OK;
    bool has_point = false;

    for (size_t i = 0; i < s.len; i++) {
        if ((s.p[i] == '.' || s.p[i] == ',') && has_point)
            return throwing(p, "Input string was not in a correct format.");
        has_point |= s.p[i] == '.';
        if (s.p[i] != ',')
            buf_add_char(&digits, s.p[i]);
    }
    if (has_point && digits.len && digits.p[digits.len - 1] == '.')
        digits.len--;
    if (decimal_parse_plain(buf_str(&digits), &d, &status) && status == DECIMAL_OK)
        return constant(p, liquid_decimal(d));
    return constant(p, liquid_double(strtod(buf_str(&digits).p, NULL)));
}

/* (from..to); the last ".." counts. */
static const struct liquid_expr *
range(struct liquid_parser *p, struct str s)
{
    struct str inside = str_sub(s, 1, s.len - 1);
    struct liquid_expr *e;

    for (size_t at = inside.len; at-- > 1;) {
        if (inside.p[at - 1] != '.' || inside.p[at] != '.' || at < 2 || at + 1 >= inside.len)
            continue;
        if (!(e = need(p, arena_new(p->keep, struct liquid_expr))))
            return NULL;
        e->kind = EXPR_RANGE;
        e->range.from = liquid_parse_expr(p, str_sub(inside, 0, at - 1));
        e->range.to = liquid_parse_expr(p, str_skip(inside, at + 1));
        return e;
    }
    return NULL;
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

/* The next [inside] or name of a path. */
static bool
next_part(struct str s, size_t *at, struct str *ret, bool *ret_is_bracket)
{
    for (; *at < s.len; ++*at) {
        size_t end = *at;

        if (s.p[end] == '[') {
            ptrdiff_t close = str_find_char(s, ']', end + 1);

            if (close > (ptrdiff_t)end + 1) {
                *ret = str_sub(s, end + 1, (size_t)close);
                *ret_is_bracket = true;
                *at = (size_t)close + 1;
                return true;
            }
        }
        while (end < s.len && (liquid_is_word(s.p[end]) || s.p[end] == '-'))
            end++;
        if (end > *at) {
            end += end < s.len && s.p[end] == '?';
            *ret = str_sub(s, *at, end);
            *ret_is_bracket = false;
            *at = end;
            return true;
        }
    }
    return false;
}

static void
remember_root(struct liquid_parser *p, struct str name)
{
    struct str *slot;

    for (size_t i = 0; i < p->result->roots.n; i++)
        if (str_eq(p->result->roots.v[i], name))
            return;
    if ((slot = need(p, avec_push(p->keep, &p->result->roots))))
        *slot = name;
}

static const struct liquid_expr *
path(struct liquid_parser *p, struct str s)
{
    struct { struct liquid_part *v; size_t n, cap; } parts = {0};
    struct liquid_expr *e;
    struct str part;
    bool is_bracket;

    for (size_t at = 0; next_part(s, &at, &part, &is_bracket);) {
        struct liquid_part *slot = need(p, avec_push(p->keep, &parts));

        if (!slot)
            return NULL;
        *slot = (struct liquid_part){.name = part, .inner = is_bracket ? liquid_parse_expr(p, part) : NULL};
        if (parts.n == 1 && !is_bracket)
            remember_root(p, part);
        if (parts.n == 1 && is_bracket && slot->inner && slot->inner->kind == EXPR_CONSTANT &&
            slot->inner->constant.kind == LIQUID_STRING)
            remember_root(p, slot->inner->constant.text);
    }
    if (!parts.n)
        return throwing(p, "Value cannot be null.\nParameter name: input");
    if (!(e = need(p, arena_new(p->keep, struct liquid_expr))))
        return NULL;
    *e = (struct liquid_expr){.kind = EXPR_PATH, .path = {parts.v, (uint32_t)parts.n}};
    return e;
}

const struct liquid_expr *
liquid_parse_expr(struct liquid_parser *p, struct str s)
{
    const struct liquid_expr *e;

    if (!s.len || str_eq_lit(s, "nil") || str_eq_lit(s, "null"))
        return constant(p, liquid_nil());
    if (str_eq_lit(s, "true") || str_eq_lit(s, "false"))
        return constant(p, liquid_bool(s.len == 4));
    if (str_eq_lit(s, "empty") || str_eq_lit(s, "blank"))
        return constant(p, (struct liquid_value){.kind = LIQUID_EMPTY});
    if (s.len >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.len - 1] == s.p[0])
        return constant(p, liquid_string(str_sub(s, 1, s.len - 1)));
    if (is_integer(s))
        return integer(p, s);
    if (s.len > 4 && s.p[0] == '(' && s.p[s.len - 1] == ')' && p->range_depth < 8) {
        p->range_depth++;
        e = range(p, s);
        p->range_depth--;
        if (e)
            return e;
    }
    if (is_number(s))
        return number(p, s);
    return path(p, s);
}

/* --- outputs with filters -------------------------------------------------------------------------------------------- */

static void
delete_regex(void *r)
{
    regex_delete(r);
}

/* A pattern written in the template is compiled with it; a wrong one is what DotLiquid finds out each time. */
static void
prepare_pattern(struct liquid_parser *p, struct liquid_use *use, struct str where)
{
    uint32_t at = use->filter ? liquid_filter_pattern(use->filter) : 0;
    const struct liquid_expr *e = at && at <= use->n_args ? use->args[at - 1] : NULL;
    struct regex *regex;
    struct err err;

    if (!e || e->kind != EXPR_CONSTANT || e->constant.kind != LIQUID_STRING || !e->constant.text.len)
        return;
    regex = regex_new(e->constant.text, 0, &err);
    if (!regex)
        liquid_parse_warning(p, where, "the pattern of %.*s: %s", STR_ARG(use->name), err.text);
    else if (arena_defer(p->keep, delete_regex, regex))
        use->regex = regex;
    else
        regex_delete(regex);
}

/* Name: argument, argument. */
static bool
filter(struct liquid_parser *p, struct str s, struct liquid_use *ret)
{
    struct { const struct liquid_expr **v; size_t n, cap; } args = {0};
    size_t at = 0, end;
    struct str arg;

    while (at < s.len && !liquid_is_word(s.p[at]))
        at++;
    end = liquid_word_end(s, at);
    if (end == at)
        return false;
    *ret = (struct liquid_use){.name = str_sub(s, at, end), .filter = liquid_filter_find(str_sub(s, at, end))};
    for (at = end; at < s.len; at++) {
        size_t from;

        if (s.p[at] != ':' && s.p[at] != ',')
            continue;
        from = liquid_skip_blanks(s, at + 1);
        end = liquid_fragment_end(s, from, false);
        if (end == from)
            continue;
        arg = str_sub(s, from, end);
        const struct liquid_expr **slot = need(p, avec_push(p->keep, &args));
        if (!slot)
            return false;
        *slot = liquid_parse_expr(p, arg);
        at = end - 1;
    }
    ret->args = args.v;
    ret->n_args = (uint32_t)args.n;
    if (!ret->filter) {
        struct str nearest = liquid_filter_nearest(ret->name);
        liquid_parse_warning(p, ret->name, "there is no filter '%.*s', its input stays as it is%s%.*s%s", STR_ARG(ret->name),
                             nearest.p ? "; did you mean '" : "", STR_ARG(nearest), nearest.p ? "'?" : "");
    }
    prepare_pattern(p, ret, s);
    return true;
}

/* The end of one filter: the next '|' outside of quotes. */
static size_t
filter_end(struct str s, size_t at)
{
    while (at < s.len && s.p[at] != '|') {
        size_t quoted = quoted_end(s, at);
        at = quoted ? quoted : at + 1;
    }
    return at;
}

const struct liquid_variable *
liquid_parse_variable(struct liquid_parser *p, struct str s)
{
    struct liquid_variable *v = need(p, arena_new(p->keep, struct liquid_variable));
    struct { struct liquid_use *v; size_t n, cap; } uses = {0};
    struct str name;
    size_t at = 0;

    if (!v || !liquid_find_fragment(s, &at, true, &name))
        return v;
    v->name = liquid_parse_expr(p, name);
    for (at = filter_end(s, at); at < s.len;) {
        size_t end = filter_end(s, at + 1);
        struct liquid_use use, *slot;

        if (filter(p, str_sub(s, at + 1, end), &use)) {
            if (!(slot = need(p, avec_push(p->keep, &uses))))
                return NULL;
            *slot = use;
        }
        at = end;
    }
    v->uses = uses.v;
    v->n_uses = (uint32_t)uses.n;
    return v;
}

/* --- conditions ------------------------------------------------------------------------------------------------------ */

static const struct { struct str name; enum liquid_operator op; } operators[] = {
    {STR_INIT("=="), OP_EQUAL}, {STR_INIT("!="), OP_NOT_EQUAL}, {STR_INIT("<>"), OP_NOT_EQUAL}, {STR_INIT("<"), OP_LESS},
    {STR_INIT(">"), OP_MORE}, {STR_INIT("<="), OP_AT_MOST}, {STR_INIT(">="), OP_AT_LEAST},
    {STR_INIT("contains"), OP_CONTAINS}, {STR_INIT("Contains"), OP_CONTAINS}, {STR_INIT("startsWith"), OP_STARTS},
    {STR_INIT("startswith"), OP_STARTS}, {STR_INIT("StartsWith"), OP_STARTS}, {STR_INIT("endsWith"), OP_ENDS},
    {STR_INIT("endswith"), OP_ENDS}, {STR_INIT("EndsWith"), OP_ENDS}, {STR_INIT("hasKey"), OP_HAS_KEY},
    {STR_INIT("haskey"), OP_HAS_KEY}, {STR_INIT("HasKey"), OP_HAS_KEY}, {STR_INIT("hasValue"), OP_HAS_VALUE},
    {STR_INIT("hasvalue"), OP_HAS_VALUE}, {STR_INIT("HasValue"), OP_HAS_VALUE},
};

static enum liquid_operator
operator_of(struct str s)
{
    if (!s.len)
        return OP_NONE;
    for (size_t i = 0; i < COUNTOF(operators); i++)
        if (str_eq(s, operators[i].name))
            return operators[i].op;
    return OP_UNKNOWN;
}

static bool
is_operator_char(char c)
{
    return c == '=' || c == '!' || c == '<' || c == '>' || c == '_' || ascii_is_alpha(c);
}

/* a==b, which reads like a comparison. */
static bool
has_bare_operator(struct str s)
{
    for (size_t i = 0; i < s.len && !strchr("[\"'", s.p[i]); i++)
        if (strchr("=<>", s.p[i]))
            return true;
    return false;
}

/* left [operator [right]] */
static struct liquid_condition *
comparison(struct liquid_parser *p, struct str s)
{
    struct liquid_condition *c = need(p, arena_new(p->keep, struct liquid_condition));
    struct str left, right = STR("");
    size_t at = 0, from;

    if (!c || !liquid_find_fragment(s, &at, false, &left))
        return NULL;
    from = at = liquid_skip_blanks(s, at);
    while (at < s.len && is_operator_char(s.p[at]))
        at++;
    c->op_text = str_sub(s, from, at);
    c->op = operator_of(c->op_text);
    from = liquid_skip_blanks(s, at);
    right = str_sub(s, from, liquid_fragment_end(s, from, false));
    c->left = liquid_parse_expr(p, left);
    c->right = liquid_parse_expr(p, right);
    if (c->op == OP_NONE && c->left && c->left->kind == EXPR_PATH && has_bare_operator(left))
        liquid_parse_warning(p, left, "'%.*s' is read as one name: an operator needs blanks around it", STR_ARG(left));
    if (c->op == OP_UNKNOWN)
        liquid_parse_warning(p, c->op_text, "there is no operator '%.*s'", STR_ARG(c->op_text));
    return c;
}

/* The next `and`/`or` word, or the comparison before it. False at the end. */
static bool
next_term(struct str s, size_t *at, struct str *ret, bool *ret_is_link)
{
    size_t from = liquid_skip_blanks(s, *at), end = from;

    *ret_is_link = false;
    for (size_t next = from; next < s.len; next = liquid_skip_blanks(s, next)) {
        size_t word = liquid_fragment_end(s, next, false);

        if (word == next)
            for (word = next + 1; word < s.len && !ascii_is_blank(s.p[word]); word++)
                ;
        if (str_eq_lit(str_sub(s, next, word), "and") || str_eq_lit(str_sub(s, next, word), "or")) {
            if (end == from) {
                *ret_is_link = true;
                end = word;
            }
            break;
        }
        next = end = word;
    }
    *ret = str_sub(s, from, end);
    *at = end;
    return end > from;
}

#define CONDITIONS_MAX 500            /* as DotLiquid */

const struct liquid_condition *
liquid_parse_condition(struct liquid_parser *p, struct str s)
{
    struct liquid_condition *first = NULL, *last = NULL, *c;
    struct str term;
    size_t at = 0;
    bool is_link, wants_link = false;

    for (uint32_t n = 0; next_term(s, &at, &term, &is_link); wants_link = !wants_link) {
        if (is_link != wants_link)
            break;
        if (is_link) {
            last->link = term.len == 2 ? LINK_OR : LINK_AND;
            continue;
        }
        if (++n > CONDITIONS_MAX) {
            liquid_parse_error(p, s, "Syntax Error in 'if' tag - max %d conditions are allowed", CONDITIONS_MAX);
            return NULL;
        }
        if (!(c = comparison(p, term)))
            break;
        if (last)
            last->rest = c;
        else
            first = c;
        last = c;
    }
    if (!first || (last->link != LINK_NONE && !last->rest) || liquid_skip_blanks(s, at) < s.len) {
        liquid_parse_error(p, s, "Syntax Error in 'if' tag - Valid syntax: if [expression]");
        return NULL;
    }
    return first;
}
