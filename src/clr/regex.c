/* regex.c: System.Text.RegularExpressions: Regex, Match, Group, Capture and their collections.
 *
 * A literal pattern is compiled with the program and shared; another one when its Regex is made, freed with the run's arena.
 * Positions are bytes inside and UTF-16 units outside; for ASCII, nearly always, these are the same.
 *     match -> groups (one span each) -> captures (asked for: found by matching again with all captures kept)
 * Here: making a Regex and searching with it; regex_change.c replaces and splits, regex_match.c is what a search found.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/utf8.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/regex_object.h"

const struct type *
regex_type(struct call *c, const char *name)
{
    char full[96];
    int n = snprintf(full, sizeof(full), "System.Text.RegularExpressions.%s", name);

    return type_find(c->run->env, str_from(full, (size_t)n), NULL, 0);
}

/* --- making ----------------------------------------------------------------------------------------------------- */

const void *
regex_prepare(const struct prepare *p, uint32_t pattern, uint32_t options)
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

bool
regex_fill(struct call *c, struct regex_object *o, struct string *pattern, int64_t options, const int64_t *timeout_ticks)
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

    return o &&
           regex_fill(c, o, call_string(c, 0), c->n_args > 1 ? c->args[1].i64 : 0, c->n_args > 2 ? &c->args[2].i64 : NULL) &&
           return_ref(c, o);
}

/* The Regex behind a static call: pattern at args[at], options and timeout behind `skip` other arguments. */
struct regex_object *
regex_static(struct call *c, uint32_t at, uint32_t options_at)
{
    struct regex_object *o = object_new(c, regex_type(c, "Regex"), struct regex_object);
    const int64_t *timeout = c->n_args > options_at + 1 ? &c->args[options_at + 1].i64 : NULL;

    if (!o || !regex_fill(c, o, call_string(c, at), c->n_args > options_at ? c->args[options_at].i64 : 0, timeout))
        return NULL;
    return o;
}

/* --- matching --------------------------------------------------------------------------------------------------- */

#define STEPS_PER_MS 50000 /* of PCRE2's JIT on a slow core */

uint64_t
regex_steps_of(struct call *c, const struct regex_object *o)
{
    uint64_t most = (uint64_t)c->run->limits->regex_steps;
    uint64_t ms = o->timeout_ms > 0 ? (uint64_t)o->timeout_ms : c->run->limits->regex_timeout_ms;

    return MIN(most, ms * STEPS_PER_MS);
}

/* 1 found, 0 not, -1 thrown: a Regex with a timeout throws, others exceed the run's budget. */
int
regex_search(struct call *c, const struct regex_object *o, struct string *input, size_t from, struct regex_span *spans)
{
    if (!call_charge(c, 16 + (input->size - MIN(from, (size_t)input->size)) / 64))
        return -1;
    switch (regex_match(o->regex, string_str(input), from, regex_steps_of(c, o), spans)) {
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

struct regex_span *
regex_spans_new(struct call *c, const struct regex_object *o)
{
    return call_alloc(c, regex_groups(o->regex) * sizeof(struct regex_span));
}

size_t
regex_start(const struct regex_object *o, const struct string *input)
{
    return regex_is_right_to_left(o->regex) ? input->size : 0;
}

/* Where the search goes on after a match; an empty one steps over a character. False at the end. */
bool
regex_next_start(const struct regex_object *o, const struct string *input, struct regex_span span, size_t *ret)
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

struct match *
regex_match_new(struct call *c, const struct type *type, const struct regex_object *o, struct string *input,
                struct regex_span *spans, uint32_t group)
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
bool
regex_match_from(struct call *c, const struct regex_object *o, struct string *input, size_t from, const struct type *type)
{
    struct regex_span *spans;
    int found;

    if (!input)
        return throw_argument_null(c, "input");
    if (!(spans = regex_spans_new(c, o)) || (found = regex_search(c, o, input, from, spans)) < 0)
        return false;
    return return_new(c, regex_match_new(c, type, o, input, found ? spans : NULL, 0));
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

/* startat in units. False after throwing. */
bool
regex_start_argument(struct call *c, struct string *input, uint32_t i, size_t *ret)
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

    if (regex_groups(o->regex) > COUNTOF(room) && !(spans = regex_spans_new(c, o)))
        return false;
    found = regex_search(c, o, input, from, spans);
    return found >= 0 && return_bool(c, found);
}

/* Of (input [, startat]): where the search begins. */
static bool
input_start(struct call *c, size_t *ret)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "input");
    *ret = regex_start(self_regex(c), call_string(c, 1));
    return c->n_args <= 2 || regex_start_argument(c, call_string(c, 1), 2, ret);
}

static bool
is_match(struct call *c)
{
    size_t from;

    return input_start(c, &from) && is_match_with(c, self_regex(c), call_string(c, 1), from);
}

static bool
is_match_static(struct call *c)
{
    struct regex_object *o;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return (o = regex_static(c, 1, 2)) && is_match_with(c, o, call_string(c, 0), regex_start(o, call_string(c, 0)));
}

static bool
match(struct call *c)
{
    size_t from;

    return input_start(c, &from) && regex_match_from(c, self_regex(c), call_string(c, 1), from, c->ret_type);
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
    if (!part || !regex_match_from(c, self_regex(c), part, regex_start(self_regex(c), part), c->ret_type))
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
    return (o = regex_static(c, 1, 2)) &&
           regex_match_from(c, o, call_string(c, 0), regex_start(o, call_string(c, 0)), c->ret_type);
}

static bool
matches_with(struct call *c, const struct regex_object *o, struct string *input, size_t from)
{
    struct collection *all = object_new(c, c->ret_type, struct collection);
    const struct type *type = regex_type(c, "Match");
    uint32_t cap = 0;
    bool more = true;

    if (!input)
        return throw_argument_null(c, "input");
    while (all && more) {
        struct regex_span *spans = regex_spans_new(c, o);
        int found = spans ? regex_search(c, o, input, from, spans) : -1;
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
        if (!(all->items[all->n++] = regex_match_new(c, type, o, input, spans, 0)))
            return false;
        more = regex_next_start(o, input, spans[0], &from);
    }
    return return_new(c, all);
}

static bool
matches(struct call *c)
{
    size_t from;

    return input_start(c, &from) && matches_with(c, self_regex(c), call_string(c, 1), from);
}

static bool
matches_static(struct call *c)
{
    struct regex_object *o;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return (o = regex_static(c, 1, 2)) && matches_with(c, o, call_string(c, 0), regex_start(o, call_string(c, 0)));
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

static bool
text_of(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = ((const struct regex_object *)v.ref)->pattern;
    return true;
}

static bool to_string(struct call *c) { return return_ref(c, self_regex(c)->pattern); }

/* new Regex(pattern[, options]) and Regex.IsMatch(input, pattern[, options]) */
static const void *prepare_new(const struct prepare *p) { return regex_prepare(p, 0, 1); }
static const void *prepare_static(const struct prepare *p) { return regex_prepare(p, 1, 2); }

static const struct type_hooks regex_hooks = {.to_string = text_of};

#define SPACE "System.Text.RegularExpressions."

static const struct type_row types[] = {
    CLASS(SPACE "Regex", NULL, NULL, &regex_hooks),
    ENUM_FLAGS(SPACE "RegexOptions", "None = 0, IgnoreCase = 1, Multiline = 2, ExplicitCapture = 4, Compiled = 8, Singleline = 16, "
                                     "IgnorePatternWhitespace = 32, RightToLeft = 64, ECMAScript = 256, CultureInvariant = 512"),
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
    M(R, "string ToString()", to_string),
};

const struct library clr_regex = LIBRARY("regex", types, members);
