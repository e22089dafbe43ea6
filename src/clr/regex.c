/* regex.c: System.Text.RegularExpressions: Regex, Match, Group, Capture and their collections.
 *
 * A literal pattern is compiled with the program and shared; another one when its Regex is made, freed with the run's arena.
 * Positions are bytes inside and UTF-16 units outside; for ASCII, nearly always, these are the same.
 *     match -> groups (one span each) -> captures (asked for: found by matching again with all captures kept)
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/utf8.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/values.h"
#include "data/regex.h"

struct regex_object {
    struct object head;
    const struct regex *regex;
    struct string *pattern;
    int64_t options;
    int64_t timeout_ms;               /* -1: none of its own */
};

/* Capture, Group and Match are one struct: what a Match has more is behind pointers. */
struct match {
    struct object head;
    const struct regex_object *regex;
    struct string *input;
    struct regex_span span;           /* from == SIZE_MAX: no success */
    uint32_t group;                   /* position of a Group */
    struct regex_span *spans;         /* of all groups of the match */
};

/* GroupCollection, CaptureCollection, MatchCollection. */
struct collection {
    struct object head;
    const struct match *match;        /* groups, captures */
    struct match **items;             /* captures, matches */
    uint32_t n;
};

static const struct type *
type_named(struct call *c, const char *name)
{
    char full[96];
    int n = snprintf(full, sizeof(full), "System.Text.RegularExpressions.%s", name);

    return type_find(c->run->env, str_from(full, (size_t)n), NULL, 0);
}

/* --- positions ------------------------------------------------------------------------------------------------------------------------ */

static int64_t
units_at(const struct string *s, size_t bytes)
{
    return string_is_ascii(s) ? (int64_t)bytes : (int64_t)utf8_units(str_sub(string_str(s), 0, bytes));
}

/* Bytes before unit `at`; half a pair counts as before it. */
static size_t
bytes_at(const struct string *s, int64_t at)
{
    size_t i = 0;

    if (string_is_ascii(s))
        return (size_t)at;
    for (int64_t units = 0; units < at && i < s->size;) {
        size_t next = i;
        units += utf8_next(string_str(s), &next) >= 0x10000 ? 2 : 1;
        if (units > at)
            break;
        i = next;
    }
    return i;
}

static struct string *
span_text(struct call *c, struct string *input, struct regex_span span)
{
    if (span.from == SIZE_MAX)
        return string_lit(c, "");
    return string_view(c, str_sub(string_str(input), span.from, span.to));
}

/* --- making ---------------------------------------------------------------------------------------------------------------------------- */

static const void *
prepare_at(const struct prepare *p, uint32_t pattern, uint32_t options)
{
    const struct value *text = pattern < p->n ? p->constant[pattern] : NULL;
    const struct value *flags = options < p->n ? p->constant[options] : NULL;
    struct regex *r;

    if (!text || !text->ref || (options < p->n && !flags))
        return NULL;
    r = regex_new(string_str((struct string *)text->ref), flags ? (unsigned)flags->i64 : 0, NULL);
    if (r && !arena_defer(p->arena, regex_delete_any, r)) {
        regex_delete(r);
        return NULL;
    }
    return r;
}

/* new Regex(pattern[, options]) and Regex.IsMatch(input, pattern[, options]) */
static const void *prepare_new(const struct prepare *p) { return prepare_at(p, 0, 1); }
static const void *prepare_static(const struct prepare *p) { return prepare_at(p, 1, 2); }
static const void *prepare_replace(const struct prepare *p) { return prepare_at(p, 1, 3); }

static bool
check_timeout(struct call *c, int64_t ticks, int64_t *ret_ms)
{
    *ret_ms = ticks / TICKS_PER_MS;
    if (ticks == -TICKS_PER_MS)
        return true;
    if (ticks <= 0)
        return throw_argument_range(c, "matchTimeout", "Specified argument was out of the range of valid values.");
    *ret_ms = MAX(*ret_ms, (int64_t)1);
    return true;
}

/* The compiled pattern of this call. False after throwing. */
static bool
compile(struct call *c, struct string *pattern, int64_t options, const struct regex **ret)
{
    struct err err = ERR_INIT;
    struct regex *r;

    if (!pattern)
        return throw_argument_null(c, "pattern");
    if (options & ~(int64_t)0x3ff)
        return throw_argument_range(c, "options", "Specified argument was out of the range of valid values.");
    if (c->prepared) {
        *ret = c->prepared;
        return true;
    }
    if (!call_charge(c, 1000 + pattern->size))
        return false;
    if (!(r = regex_new(string_str(pattern), (unsigned)options, &err)))
        return throw_argument(c, NULL, "%s", err.text);
    if (!arena_defer(c->run->arena, regex_delete_any, r)) {
        regex_delete(r);
        return call_exceed(c, BUDGET_BYTES);
    }
    *ret = r;
    return true;
}

static bool
fill(struct call *c, struct regex_object *o, struct string *pattern, int64_t options, const int64_t *timeout_ticks)
{
    o->pattern = pattern;
    o->options = options;
    o->timeout_ms = -1;
    if (timeout_ticks && !check_timeout(c, *timeout_ticks, &o->timeout_ms))
        return false;
    return compile(c, pattern, options, &o->regex);
}

static bool
regex_create(struct call *c)
{
    struct regex_object *o = object_new(c, c->owner, struct regex_object);

    return o && fill(c, o, call_string(c, 0), c->n_args > 1 ? c->args[1].i64 : 0, c->n_args > 2 ? &c->args[2].i64 : NULL) &&
           return_ref(c, o);
}

/* The Regex behind a static call: pattern at args[at], options and timeout behind `skip` other arguments. */
static struct regex_object *
static_regex(struct call *c, uint32_t at, uint32_t options_at)
{
    struct regex_object *o = object_new(c, type_named(c, "Regex"), struct regex_object);
    const int64_t *timeout = c->n_args > options_at + 1 ? &c->args[options_at + 1].i64 : NULL;

    if (!o || !fill(c, o, call_string(c, at), c->n_args > options_at ? c->args[options_at].i64 : 0, timeout))
        return NULL;
    return o;
}

static struct regex_object *
self_regex(const struct call *c)
{
    return (struct regex_object *)c->args[0].ref;
}

/* --- matching ---------------------------------------------------------------------------------------------------------------------------- */

#define STEPS_PER_MS 50000 /* of PCRE2's JIT on a slow core */

static uint64_t
steps_of(struct call *c, const struct regex_object *o)
{
    uint64_t most = (uint64_t)c->run->limits->regex_steps;
    uint64_t ms = o->timeout_ms > 0 ? (uint64_t)o->timeout_ms : c->run->limits->regex_timeout_ms;

    return MIN(most, ms * STEPS_PER_MS);
}

/* 1 found, 0 not, -1 thrown: a Regex with a timeout throws, others exceed the run's budget. */
static int
find(struct call *c, const struct regex_object *o, struct string *input, size_t from, struct regex_span *spans)
{
    if (!call_charge(c, 16 + (input->size - MIN(from, (size_t)input->size)) / 64))
        return -1;
    switch (regex_match(o->regex, string_str(input), from, steps_of(c, o), spans)) {
    case REGEX_MATCH: return 1;
    case REGEX_NO_MATCH: return 0;
    case REGEX_NO_MEMORY: call_exceed(c, BUDGET_BYTES); return -1;
    case REGEX_TOO_LONG: break;
    }
    if (o->timeout_ms > 0)
        call_throw(c, EXC_REGEX_TIMEOUT,
                   "The RegEx engine has timed out while trying to match a pattern to an input string. This can occur for many "
                   "reasons, including very large inputs or excessive backtracking caused by nested quantifiers, back-references "
                   "and other factors.");
    else
        call_exceed(c, BUDGET_REGEX);
    return -1;
}

static struct regex_span *
spans_new(struct call *c, const struct regex_object *o)
{
    return call_alloc(c, regex_groups(o->regex) * sizeof(struct regex_span));
}

static size_t
start_of(const struct regex_object *o, const struct string *input)
{
    return regex_is_right_to_left(o->regex) ? input->size : 0;
}

/* Where the search goes on after a match; an empty one steps over a character. False at the end. */
static bool
next_start(const struct regex_object *o, const struct string *input, struct regex_span span, size_t *ret)
{
    if (regex_is_right_to_left(o->regex)) {
        *ret = span.from;
        if (span.from != span.to)
            return true;
        if (*ret == 0)
            return false;
        do
            --*ret;
        while (*ret && (input->p[*ret] & 0xc0) == 0x80);
        return true;
    }
    *ret = span.to;
    if (span.from == span.to) {
        if (*ret >= input->size)
            return false;
        utf8_next(string_str(input), ret);
    }
    return true;
}

static struct match *
match_new(struct call *c, const struct type *type, const struct regex_object *o, struct string *input, struct regex_span *spans,
          uint32_t group)
{
    struct match *m = object_new(c, type, struct match);

    if (m) {
        m->regex = o;
        m->input = input;
        m->spans = spans;
        m->group = group;
        m->span = spans ? spans[group] : (struct regex_span){SIZE_MAX, 0};
    }
    return m;
}

/* Match() from a byte position; a failed one is a Match without success. */
static bool
match_from(struct call *c, const struct regex_object *o, struct string *input, size_t from, const struct type *type)
{
    struct regex_span *spans;
    int found;

    if (!input)
        return throw_argument_null(c, "input");
    if (!(spans = spans_new(c, o)) || (found = find(c, o, input, from, spans)) < 0)
        return false;
    return return_new(c, match_new(c, type, o, input, found ? spans : NULL, 0));
}

/* startat in units. False after throwing. */
static bool
start_argument(struct call *c, struct string *input, uint32_t i, size_t *ret)
{
    int64_t at = call_i32(c, i);

    if (!input)
        return throw_argument_null(c, "input");
    if (at < 0 || at > input->units)
        return throw_argument_range(c, "startat", "Start index cannot be less than 0 or greater than input length.");
    *ret = bytes_at(input, at);
    return true;
}

static bool
is_match_with(struct call *c, const struct regex_object *o, struct string *input, size_t from)
{
    struct regex_span room[32], *spans = room;
    int found;

    if (regex_groups(o->regex) > COUNTOF(room) && !(spans = spans_new(c, o)))
        return false;
    found = find(c, o, input, from, spans);
    return found >= 0 && return_bool(c, found);
}

static bool
is_match(struct call *c)
{
    size_t from;

    if (!call_string(c, 1))
        return throw_argument_null(c, "input");
    from = start_of(self_regex(c), call_string(c, 1));
    if (c->n_args > 2 && !start_argument(c, call_string(c, 1), 2, &from))
        return false;
    return is_match_with(c, self_regex(c), call_string(c, 1), from);
}

static bool
is_match_static(struct call *c)
{
    struct regex_object *o;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return (o = static_regex(c, 1, 2)) && is_match_with(c, o, call_string(c, 0), start_of(o, call_string(c, 0)));
}

static bool
match(struct call *c)
{
    size_t from;

    if (!call_string(c, 1))
        return throw_argument_null(c, "input");
    from = start_of(self_regex(c), call_string(c, 1));
    if (c->n_args > 2 && !start_argument(c, call_string(c, 1), 2, &from))
        return false;
    return match_from(c, self_regex(c), call_string(c, 1), from, c->ret_type);
}

/* Only `length` units from `beginning` exist for the pattern. */
static bool
match_part(struct call *c)
{
    struct string *s = call_string(c, 1);
    int64_t at = call_i32(c, 2), n = call_i32(c, 3);
    size_t shift;

    if (!s)
        return throw_argument_null(c, "input");
    if (at < 0 || n < 0 || at > (int64_t)s->units - n)
        return throw_argument_range(c, "length", "Length cannot be less than 0 or exceed input length.");
    struct string *part = string_slice(c, s, (uint32_t)at, (uint32_t)n);
    if (!part || !match_from(c, self_regex(c), part, start_of(self_regex(c), part), c->ret_type))
        return false;
    struct match *m = (struct match *)c->ret.ref;
    shift = bytes_at(s, at);
    m->input = s;
    for (uint32_t g = 0; m->spans && g < regex_groups(m->regex->regex); g++)
        if (m->spans[g].from != SIZE_MAX)
            m->spans[g] = (struct regex_span){m->spans[g].from + shift, m->spans[g].to + shift};
    if (m->spans)
        m->span = m->spans[0];
    return true;
}

static bool
match_static(struct call *c)
{
    struct regex_object *o;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return (o = static_regex(c, 1, 2)) && match_from(c, o, call_string(c, 0), start_of(o, call_string(c, 0)), c->ret_type);
}

static bool
matches_with(struct call *c, const struct regex_object *o, struct string *input, size_t from)
{
    struct collection *all = object_new(c, c->ret_type, struct collection);
    const struct type *type = type_named(c, "Match");
    uint32_t cap = 0;
    bool more = true;

    if (!input)
        return throw_argument_null(c, "input");
    while (all && more) {
        struct regex_span *spans = spans_new(c, o);
        int found = spans ? find(c, o, input, from, spans) : -1;
        if (found < 0)
            return false;
        if (!found)
            break;
        if (all->n == cap) {
            struct match **grown = call_alloc(c, (cap ? cap * 2 : 8) * sizeof(*grown));
            if (!grown)
                return false;
            if (all->n)
                memcpy(grown, all->items, all->n * sizeof(*grown));
            all->items = grown;
            cap = cap ? cap * 2 : 8;
        }
        if (!(all->items[all->n++] = match_new(c, type, o, input, spans, 0)))
            return false;
        more = next_start(o, input, spans[0], &from);
    }
    return return_new(c, all);
}

static bool
matches(struct call *c)
{
    size_t from = 0;

    if (!call_string(c, 1))
        return throw_argument_null(c, "input");
    from = start_of(self_regex(c), call_string(c, 1));
    if (c->n_args > 2 && !start_argument(c, call_string(c, 1), 2, &from))
        return false;
    return matches_with(c, self_regex(c), call_string(c, 1), from);
}

static bool
matches_static(struct call *c)
{
    struct regex_object *o;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return (o = static_regex(c, 1, 2)) && matches_with(c, o, call_string(c, 0), start_of(o, call_string(c, 0)));
}

/* --- replacing ---------------------------------------------------------------------------------------------------------------------------- */

static void
add_span(struct buf *to, struct string *input, struct regex_span span)
{
    if (span.from != SIZE_MAX)
        buf_add_str(to, str_sub(string_str(input), span.from, span.to));
}

/* The group meant by digits or a name between braces; -1: none, the text is literal. */
static int
group_of(const struct regex *r, struct str name)
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
static void
add_replacement(struct buf *to, const struct regex_object *o, struct string *input, const struct regex_span *spans, struct str by)
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
            if (close >= 0 && (group = group_of(r, str_sub(by, i + 2, (size_t)close))) >= 0)
                used = (size_t)close - i;
        } else if (ascii_is_digit(next)) { /* all digits; under ECMAScript as many as make a group */
            size_t digits = 1;
            while (i + 1 + digits < by.len && ascii_is_digit(by.p[i + 1 + digits]))
                digits++;
            do
                if ((group = group_of(r, str_sub(by, i + 1, i + 1 + digits))) >= 0)
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
        add_replacement(to, o, input, spans, string_str((struct string *)by));
        return true;
    }
    m = value_ref(match_new(c, type_named(c, "Match"), o, input, spans, 0));
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
        struct regex_span *spans = spans_new(c, o);
        struct buf b = call_buf(c);
        int found = spans ? find(c, o, input, from, spans) : -1;
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
        more = next_start(o, input, spans[0], &from);
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
    if (!(spans = spans_new(c, o)))
        return false;
    while (count-- != 0 && more) {
        int found = find(c, o, input, from, spans);
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
        if (is_evaluator && !(spans = spans_new(c, o))) /* the Match keeps its own */
            return false;
        if (b.failed)
            return call_exceed(c, BUDGET_BYTES);
        more = next_start(o, input, whole, &from);
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
    size_t from = input ? start_of(self_regex(c), input) : 0;

    if (c->n_args > 4 && !start_argument(c, input, 4, &from))
        return false;
    return replace_with(c, self_regex(c), input, c->args[2].ref, is_evaluator, c->n_args > 3 ? call_i32(c, 3) : -1, from);
}

static bool replace_text(struct call *c) { return replace_self(c, false); }
static bool replace_evaluator(struct call *c) { return replace_self(c, true); }

static bool
replace_static(struct call *c, bool is_evaluator)
{
    struct string *input = call_string(c, 0);
    struct regex_object *o = static_regex(c, 1, 3);

    return o && replace_with(c, o, input, c->args[2].ref, is_evaluator, -1, input ? start_of(o, input) : 0);
}

static bool replace_text_static(struct call *c) { return replace_static(c, false); }
static bool replace_evaluator_static(struct call *c) { return replace_static(c, true); }

/* --- splitting ------------------------------------------------------------------------------------------------------------------------------ */

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
    if (!(spans = spans_new(c, o)))
        return false;
    while ((count == 0 || --count > 0) && more) {
        int found = find(c, o, input, from, spans);
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
        more = next_start(o, input, spans[0], &from);
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
    size_t from = input ? start_of(self_regex(c), input) : 0;

    if (c->n_args > 3 && !start_argument(c, input, 3, &from))
        return false;
    return split_with(c, self_regex(c), input, c->n_args > 2 ? call_i32(c, 2) : 0, from);
}

static bool
split_static(struct call *c)
{
    struct string *input = call_string(c, 0);
    struct regex_object *o = static_regex(c, 1, 2);

    return o && split_with(c, o, input, 0, input ? start_of(o, input) : 0);
}

/* --- Escape, Unescape ------------------------------------------------------------------------------------------------------------------------- */

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

/* --- Capture, Group, Match ----------------------------------------------------------------------------------------------------------------------- */

static struct match *
self_match(const struct call *c)
{
    return (struct match *)c->args[0].ref;
}

static bool success(struct call *c) { return return_bool(c, self_match(c)->span.from != SIZE_MAX); }
static bool value(struct call *c) { return return_new(c, span_text(c, self_match(c)->input, self_match(c)->span)); }

static bool
index_of(struct call *c)
{
    const struct match *m = self_match(c);

    return return_i64(c, m->span.from == SIZE_MAX ? 0 : units_at(m->input, m->span.from));
}

static bool
length(struct call *c)
{
    const struct match *m = self_match(c);

    if (m->span.from == SIZE_MAX)
        return return_i64(c, 0);
    return return_i64(c, units_at(m->input, m->span.to) - units_at(m->input, m->span.from));
}

static bool
capture_text(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct match *m = (const struct match *)v.ref;

    *ret = span_text(c, m->input, m->span);
    return *ret != NULL;
}

static bool
group_name(struct call *c)
{
    return return_new(c, string_view(c, regex_group_name(self_match(c)->regex->regex, self_match(c)->group)));
}

static bool
groups(struct call *c)
{
    struct collection *g = object_new(c, c->ret_type, struct collection);

    if (g) {
        g->match = self_match(c);
        g->n = g->match->spans ? regex_groups(g->match->regex->regex) : 1;
    }
    return return_new(c, g);
}

static bool
captures(struct call *c)
{
    const struct match *m = self_match(c);
    struct collection *all = object_new(c, c->ret_type, struct collection);
    const struct type *type = type_named(c, "Capture");
    uint32_t n = m->spans ? regex_groups(m->regex->regex) : 0;
    struct regex_span **spans = call_alloc(c, (n + 1) * sizeof(*spans));
    uint32_t *counts = call_alloc(c, (n + 1) * sizeof(*counts));

    if (!all || !spans || !counts)
        return false;
    if (!m->spans || m->span.from == SIZE_MAX)
        return return_ref(c, all);
    switch (regex_captures(m->regex->regex, string_str(m->input), m->spans, steps_of(c, m->regex), c->run->arena, spans, counts)) {
    case REGEX_MATCH: break;
    case REGEX_NO_MEMORY: return call_exceed(c, BUDGET_BYTES);
    case REGEX_NO_MATCH: /* the two matchers disagree: what the match itself knows is still right */
    case REGEX_TOO_LONG:
        counts[m->group] = 1;
        spans[m->group] = (struct regex_span *)&m->span;
    }
    all->n = counts[m->group];
    if (!(all->items = call_alloc(c, (all->n + 1) * sizeof(*all->items))))
        return false;
    for (uint32_t i = 0; i < all->n; i++) {
        if (!(all->items[i] = match_new(c, type, m->regex, m->input, NULL, 0)))
            return false;
        all->items[i]->span = spans[m->group][i];
    }
    return return_ref(c, all);
}

static bool
next_match(struct call *c)
{
    const struct match *m = self_match(c);
    size_t from;

    if (m->span.from == SIZE_MAX)
        return return_ref(c, m);
    if (!next_start(m->regex, m->input, m->span, &from))
        return return_new(c, match_new(c, c->ret_type, m->regex, m->input, NULL, 0));
    return match_from(c, m->regex, m->input, from, c->ret_type);
}

static bool
result(struct call *c)
{
    const struct match *m = self_match(c);
    struct buf b = call_buf(c);

    if (!call_string(c, 1))
        return throw_argument_null(c, "replacement");
    if (m->span.from == SIZE_MAX)
        return call_throw(c, EXC_NOT_SUPPORTED, "Result cannot be called on a failed Match.");
    add_replacement(&b, m->regex, m->input, m->spans, call_str(c, 1));
    return return_new(c, string_from_buf(c, &b));
}

static bool
empty_match(struct call *c)
{
    struct regex_object *o = object_new(c, type_named(c, "Regex"), struct regex_object);
    struct string *s = string_lit(c, "");

    c->prepared = NULL;
    return o && s && fill(c, o, s, 0, NULL) && return_new(c, match_new(c, c->ret_type, o, s, NULL, 0));
}

/* --- collections -------------------------------------------------------------------------------------------------------------------------------------- */

static struct collection *
self_collection(const struct call *c)
{
    return (struct collection *)c->args[0].ref;
}

/* Element i: a Group made now, or a kept Match or Capture. */
static struct match *
element(struct call *c, const struct collection *all, uint32_t i)
{
    if (all->items)
        return all->items[i];
    return match_new(c, type_named(c, "Group"), all->match->regex, all->match->input, all->match->spans, i);
}

static int
next_element(struct call *c, struct iterator *it, struct value *ret)
{
    const struct collection *all = (const struct collection *)it->self;

    if (it->state[0].u64 >= all->n)
        return 0;
    *ret = value_ref(element(c, all, (uint32_t)it->state[0].u64++));
    return ret->ref ? 1 : -1;
}

static bool
collection_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = next_element, .self = self};
    return true;
}

static bool count(struct call *c) { return return_i64(c, self_collection(c)->n); }

static bool
item(struct call *c)
{
    const struct collection *all = self_collection(c);
    int64_t i = call_i32(c, 1);

    if (i < 0 || i >= all->n)
        return throw_argument_range(c, "i", "Specified argument was out of the range of valid values.");
    return return_new(c, element(c, all, (uint32_t)i));
}

/* A group that is not there has no success. */
static bool
group_at(struct call *c, int position)
{
    const struct collection *all = self_collection(c);
    struct match *m;

    if (position >= 0 && (uint32_t)position < all->n)
        return return_new(c, element(c, all, (uint32_t)position));
    if ((m = match_new(c, c->ret_type, all->match->regex, all->match->input, NULL, 0)))
        m->spans = NULL;
    return return_new(c, m);
}

static bool
group_by_number(struct call *c)
{
    int64_t n = call_i32(c, 1);

    return group_at(c, n < 0 ? -1 : regex_find_number(self_collection(c)->match->regex->regex, (uint32_t)n));
}

static bool
group_by_name(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "groupname");
    return group_at(c, group_of(self_collection(c)->match->regex->regex, call_str(c, 1)));
}

static bool
regex_text(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = ((const struct regex_object *)v.ref)->pattern;
    return true;
}

static bool regex_to_string(struct call *c) { return return_ref(c, self_regex(c)->pattern); }

static const struct type_hooks capture_hooks = {.to_string = capture_text};
static const struct type_hooks collection_hooks = {.iterate = collection_iterate};
static const struct type_hooks regex_hooks = {.to_string = regex_text};

#define SPACE "System.Text.RegularExpressions."
#define COLLECTION(name, of) \
    {TYPE_CLASS, SPACE name, NULL, "IReadOnlyCollection<" of ">, ICollection", &collection_hooks, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    CLASS(SPACE "Regex", NULL, NULL, &regex_hooks),
    ENUM_FLAGS(SPACE "RegexOptions", "None = 0, IgnoreCase = 1, Multiline = 2, ExplicitCapture = 4, Compiled = 8, Singleline = 16, "
                                     "IgnorePatternWhitespace = 32, RightToLeft = 64, ECMAScript = 256, CultureInvariant = 512"),
    CLASS_ABSTRACT(SPACE "Capture", NULL, NULL, &capture_hooks),
    CLASS_ABSTRACT(SPACE "Group", "Capture", NULL, NULL),
    CLASS_ABSTRACT(SPACE "Match", "Group", NULL, NULL),
    COLLECTION("MatchCollection", "Match"),
    COLLECTION("GroupCollection", "Group"),
    COLLECTION("CaptureCollection", "Capture"),
    DELEGATE(SPACE "MatchEvaluator", "string Invoke(Match match)"),
};

#define R "Regex"

static const struct member_row members[] = {
    M_PREPARED(R, "new(string pattern)", regex_create, prepare_new),
    M_PREPARED(R, "new(string pattern, RegexOptions options)", regex_create, prepare_new),
    M_PREPARED(R, "new(string pattern, RegexOptions options, TimeSpan matchTimeout)", regex_create, prepare_new),
    M(R, "bool IsMatch(string input)", is_match),
    M(R, "bool IsMatch(string input, int startat)", is_match),
    M_PREPARED(R, "static bool IsMatch(string input, string pattern)", is_match_static, prepare_static),
    M_PREPARED(R, "static bool IsMatch(string input, string pattern, RegexOptions options)", is_match_static, prepare_static),
    M_PREPARED(R, "static bool IsMatch(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", is_match_static,
               prepare_static),
    M(R, "Match Match(string input)", match),
    M(R, "Match Match(string input, int startat)", match),
    M(R, "Match Match(string input, int beginning, int length)", match_part),
    M_PREPARED(R, "static Match Match(string input, string pattern)", match_static, prepare_static),
    M_PREPARED(R, "static Match Match(string input, string pattern, RegexOptions options)", match_static, prepare_static),
    M_PREPARED(R, "static Match Match(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", match_static,
               prepare_static),
    M(R, "MatchCollection Matches(string input)", matches),
    M(R, "MatchCollection Matches(string input, int startat)", matches),
    M_PREPARED(R, "static MatchCollection Matches(string input, string pattern)", matches_static, prepare_static),
    M_PREPARED(R, "static MatchCollection Matches(string input, string pattern, RegexOptions options)", matches_static,
               prepare_static),
    M_PREPARED(R, "static MatchCollection Matches(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)",
               matches_static, prepare_static),
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
    M_PREPARED(R, "static string[] Split(string input, string pattern)", split_static, prepare_static),
    M_PREPARED(R, "static string[] Split(string input, string pattern, RegexOptions options)", split_static, prepare_static),
    M_PREPARED(R, "static string[] Split(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", split_static,
               prepare_static),
    M_EXTRA(R, "static string Escape(string str)", escape),
    M(R, "static string Unescape(string str)", unescape),
    M(R, "string ToString()", regex_to_string),

    M("Capture", "int Index { get; }", index_of),
    M("Capture", "int Length { get; }", length),
    M("Capture", "string Value { get; }", value),
    M("Capture", "string ToString()", value),
    M("Group", "bool Success { get; }", success),
    M("Group", "CaptureCollection Captures { get; }", captures),
    M_EXTRA("Group", "string Name { get; }", group_name),
    M("Match", "static Match Empty { get; }", empty_match),
    M("Match", "GroupCollection Groups { get; }", groups),
    M("Match", "string Result(string replacement)", result),
    M_EXTRA("Match", "Match NextMatch()", next_match),

    M("MatchCollection", "int Count { get; }", count),
    M("MatchCollection", "Match this[int i] { get; }", item),
    M("GroupCollection", "int Count { get; }", count),
    M("GroupCollection", "Group this[int groupnum] { get; }", group_by_number),
    M("GroupCollection", "Group this[string groupname] { get; }", group_by_name),
    M("CaptureCollection", "int Count { get; }", count),
    M("CaptureCollection", "Capture this[int i] { get; }", item),
};

const struct library clr_regex = LIBRARY("regex", types, members);
