/* regex_match.c: what a search found: Capture, Group, Match and their collections.
 *
 *     match -> groups (one span each) -> captures (asked for: found by matching again with all captures kept)
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/regex_object.h"

/* --- Capture, Group, Match -------------------------------------------------------------------------------------- */

static int64_t
units_at(const struct string *s, size_t bytes)
{
    return string_is_ascii(s) ? (int64_t)bytes : (int64_t)utf8_units(str_sub(string_str(s), 0, bytes));
}

static struct string *
span_text(struct call *c, struct string *input, struct regex_span span)
{
    if (span.from == SIZE_MAX)
        return string_lit(c, "");
    return string_view(c, str_sub(string_str(input), span.from, span.to));
}

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
    const struct type *type = regex_type(c, "Capture");
    uint32_t n = m->spans ? regex_groups(m->regex->regex) : 0;
    struct regex_span **spans = call_alloc(c, (n + 1) * sizeof(*spans));
    uint32_t *counts = call_alloc(c, (n + 1) * sizeof(*counts));

    if (!all || !spans || !counts)
        return false;
    if (!m->spans || m->span.from == SIZE_MAX)
        return return_ref(c, all);
    switch (regex_captures(m->regex->regex, string_str(m->input), m->spans, regex_steps_of(c, m->regex), c->run->arena, spans,
                           counts)) {
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
        if (!(all->items[i] = regex_match_new(c, type, m->regex, m->input, NULL, 0)))
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
    if (!regex_next_start(m->regex, m->input, m->span, &from))
        return return_new(c, regex_match_new(c, c->ret_type, m->regex, m->input, NULL, 0));
    return regex_match_from(c, m->regex, m->input, from, c->ret_type);
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
    regex_add_replacement(&b, m->regex, m->input, m->spans, call_str(c, 1));
    return return_new(c, string_from_buf(c, &b));
}

static bool
empty_match(struct call *c)
{
    struct regex_object *o = object_new(c, regex_type(c, "Regex"), struct regex_object);
    struct string *s = string_lit(c, "");

    c->prepared = NULL;
    return o && s && regex_fill(c, o, s, 0, NULL) && return_new(c, regex_match_new(c, c->ret_type, o, s, NULL, 0));
}

/* --- collections ------------------------------------------------------------------------------------------------ */

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
    return regex_match_new(c, regex_type(c, "Group"), all->match->regex, all->match->input, all->match->spans, i);
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
    if ((m = regex_match_new(c, c->ret_type, all->match->regex, all->match->input, NULL, 0)))
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
    return group_at(c, regex_group_of(self_collection(c)->match->regex->regex, call_str(c, 1)));
}

static const struct type_hooks capture_hooks = {.to_string = capture_text};
static const struct type_hooks collection_hooks = {.iterate = collection_iterate};

#define SPACE "System.Text.RegularExpressions."
#define COLLECTION(name, of) \
    {TYPE_CLASS, SPACE name, NULL, "IReadOnlyCollection<" of ">, ICollection", &collection_hooks, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    CLASS_ABSTRACT(SPACE "Capture", NULL, NULL, &capture_hooks),
    CLASS_ABSTRACT(SPACE "Group", "Capture", NULL, NULL),
    CLASS_ABSTRACT(SPACE "Match", "Group", NULL, NULL),
    COLLECTION("MatchCollection", "Match"),
    COLLECTION("GroupCollection", "Group"),
    COLLECTION("CaptureCollection", "Capture"),
    DELEGATE(SPACE "MatchEvaluator", "string Invoke(Match match)"),
};

static const struct member_row members[] = {
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

const struct library clr_regex_match = LIBRARY("regex matches", types, members);
