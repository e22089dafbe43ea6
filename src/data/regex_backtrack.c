/* regex_backtrack.c: a matcher that walks the tree, for what PCRE2 lacks.
 *
 * A match is a chain of continuations on the C stack: each node tries its ways and calls what comes after it; true goes all the
 * way up. Direction is a parameter: RightToLeft and lookbehind consume to the left, so lookbehind may have any length.
 *     captures: trail of {group, what its top was}   undone by cutting the trail back to a mark
 * Balancing groups pop their top, which is one more record on the trail. Work is counted, depth too: the stack is the loop's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/utf8.h"
#include "data/regex_tree.h"

#define DEPTH_MAX 12000

struct record {
    int group;
    int before;                       /* the group's top before this record; -1: none */
    size_t from, to;
    bool is_pop;
};

struct state {
    const struct regex_tree *t;
    struct str text;
    size_t start;                     /* where \G is */
    uint64_t steps;
    uint32_t depth;
    bool gave_up;
    VEC(struct record) trail;
    int *top;                         /* of each group: its newest record */
};

enum cont_kind { CONT_ACCEPT, CONT_CONCAT, CONT_CLOSE, CONT_REPEAT };

struct cont {
    enum cont_kind kind;
    bool back;
    const struct regex_node *node;
    const struct cont *next;
    size_t at;                        /* CLOSE: where it began; REPEAT: where this turn began; CONCAT: items done */
    uint32_t count;                   /* REPEAT: turns done */
    size_t *end;                      /* ACCEPT */
};

static bool run(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k);
static bool resume(struct state *s, const struct cont *k, size_t at);

static void
undo(struct state *s, size_t mark)
{
    while (s->trail.n > mark) {
        const struct record *r = &s->trail.v[--s->trail.n];
        s->top[r->group] = r->before;
    }
}

static void
push(struct state *s, int group, size_t from, size_t to)
{
    *vec_push(&s->trail) = (struct record){group, s->top[group], MIN(from, to), MAX(from, to), false};
    s->top[group] = (int)s->trail.n - 1;
}

/* The next older capture of a group below record i; -1: none. */
static int
older(const struct state *s, int i)
{
    return s->trail.v[i].before;
}

static bool
step_char(struct state *s, size_t *at, bool back, uint32_t *ret)
{
    if (back) {
        size_t i = *at, from;
        if (i == 0)
            return false;
        i--;
        while (i > 0 && (s->text.p[i] & 0xc0) == 0x80)
            i--;
        from = i;
        *ret = utf8_next(s->text, &from);
        *at = i;
        return true;
    }
    if (*at >= s->text.len)
        return false;
    *ret = utf8_next(s->text, at);
    return true;
}

static bool
is_word_at(struct state *s, size_t at, bool before, bool ecmascript)
{
    uint32_t c;

    return step_char(s, &at, before, &c) && regex_is_word(c, ecmascript);
}

static bool
matches_char(const struct regex_node *n, uint32_t c)
{
    switch (n->kind) {
    case RE_CHAR: return c == n->c || (n->ignore_case && regex_fold(c) == regex_fold(n->c));
    case RE_ANY: return n->singleline || c != '\n';
    default: return regex_set_has(n->set, c, n->ignore_case, n->ecmascript);
    }
}

static bool
holds(struct state *s, const struct regex_node *n, size_t at)
{
    size_t len = s->text.len;

    switch (n->kind) {
    case RE_BEGIN:
    case RE_BEGIN_A: return at == 0;
    case RE_END: return at == len;
    case RE_END_Z: return at == len || (at + 1 == len && s->text.p[at] == '\n');
    case RE_LINE_BEGIN: return at == 0 || s->text.p[at - 1] == '\n';
    case RE_LINE_END: return at == len || s->text.p[at] == '\n';
    case RE_START_G: return at == s->start;
    default: return (is_word_at(s, at, true, n->ecmascript) != is_word_at(s, at, false, n->ecmascript)) == (n->kind == RE_WORD);
    }
}

static bool
reference(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    const struct record *r;
    size_t len, from;

    if (s->top[n->group] < 0)
        return n->ecmascript && resume(s, k, at);
    r = &s->trail.v[s->top[n->group]];
    len = r->to - r->from;
    if (back ? at < len : s->text.len - at < len)
        return false;
    from = back ? at - len : at;
    for (size_t i = 0, a = r->from, b = from; i < len; i = a - r->from) {
        uint32_t x = utf8_next(s->text, &a), y = utf8_next(s->text, &b);
        if (x != y && !(n->ignore_case && regex_fold(x) == regex_fold(y)))
            return false;
    }
    return resume(s, k, back ? from : at + len);
}

/* Matches on its own: what comes after does not reach into it. */
static bool
alone(struct state *s, const struct regex_node *n, size_t at, bool back, size_t *end)
{
    struct cont accept = {.kind = CONT_ACCEPT, .end = end};

    return run(s, n, at, back, &accept);
}

static bool
look(struct state *s, const struct regex_node *n, size_t at, const struct cont *k)
{
    size_t mark = s->trail.n, end;
    bool found = alone(s, n->child, at, n->behind, &end);

    if (n->negative || !found)
        undo(s, mark);
    if (s->gave_up || found == n->negative)
        return false;
    if (resume(s, k, at))
        return true;
    undo(s, mark);
    return false;
}

static bool
atomic(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    size_t mark = s->trail.n, end;

    if (alone(s, n->child, at, back, &end) && resume(s, k, end))
        return true;
    undo(s, mark);
    return false;
}

static bool
condition(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    size_t mark = s->trail.n, end;
    bool yes = n->other ? alone(s, n->other->child, at, false, &end) : s->top[n->group] >= 0;
    const struct regex_node *branch = n->child;

    if (!yes)
        undo(s, mark);
    if (n->child->kind == RE_ALTERNATE)
        branch = n->child->list.v[yes ? 0 : 1];
    else if (!yes)
        return resume(s, k, at);
    if (run(s, branch, at, back, k))
        return true;
    undo(s, mark);
    return false;
}

/* One more turn of a repetition, or what comes after it. */
static bool
turn(struct state *s, const struct cont *c, size_t at)
{
    const struct regex_node *n = c->node;
    struct cont again = *c;
    size_t mark = s->trail.n;

    again.at = at;
    again.count = c->count + 1;
    if (c->count < n->min)
        return run(s, n->child, at, c->back, &again);
    if (n->lazy) {
        if (resume(s, c->next, at))
            return true;
        undo(s, mark);
        return c->count < n->max && !s->gave_up && run(s, n->child, at, c->back, &again);
    }
    if (c->count < n->max && run(s, n->child, at, c->back, &again))
        return true;
    undo(s, mark);
    return !s->gave_up && resume(s, c->next, at);
}

/* A greedy run of single characters needs no frame for each of them. */
static bool
simple_repeat(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    size_t here = at, next, mark = s->trail.n;
    uint32_t count = 0, c;

    for (; count < n->max; count++, here = next) {
        next = here;
        if (!step_char(s, &next, back, &c) || !matches_char(n->child, c))
            break;
        if (s->steps-- == 0) {
            s->gave_up = true;
            s->steps = 0;
            return false;
        }
    }
    for (;; count--) {
        if (count < n->min || s->gave_up)
            return false;
        if (resume(s, k, here))
            return true;
        undo(s, mark);
        if (count == 0)
            return false;
        step_char(s, &here, !back, &c);
    }
}

static bool
is_single(const struct regex_node *n)
{
    if (n->kind == RE_CONCAT && n->list.n == 1)
        n = n->list.v[0];
    return n->kind == RE_CHAR || n->kind == RE_ANY || n->kind == RE_SET;
}

static bool
run_node(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    size_t mark = s->trail.n;
    uint32_t c;

    switch (n->kind) {
    case RE_EMPTY: return resume(s, k, at);
    case RE_CHAR:
    case RE_ANY:
    case RE_SET: return step_char(s, &at, back, &c) && matches_char(n, c) && resume(s, k, at);
    case RE_CONCAT: {
        struct cont rest = {.kind = CONT_CONCAT, .back = back, .node = n, .next = k};
        return resume(s, &rest, at);
    }
    case RE_ALTERNATE:
        for (size_t i = 0; i < n->list.n && !s->gave_up; i++) {
            if (run(s, n->list.v[i], at, back, k))
                return true;
            undo(s, mark);
        }
        return false;
    case RE_REPEAT: {
        struct cont first = {.kind = CONT_REPEAT, .back = back, .node = n, .next = k, .at = SIZE_MAX};
        if (!n->lazy && is_single(n->child) && n->child->kind != RE_CONCAT)
            return simple_repeat(s, n, at, back, k);
        return turn(s, &first, at);
    }
    case RE_GROUP: return run(s, n->child, at, back, k);
    case RE_CAPTURE:
    case RE_BALANCE: {
        struct cont close = {.kind = CONT_CLOSE, .back = back, .node = n, .next = k, .at = at};
        return run(s, n->child, at, back, &close);
    }
    case RE_LOOK: return look(s, n, at, k);
    case RE_ATOMIC: return atomic(s, n, at, back, k);
    case RE_BACKREF: return reference(s, n, at, back, k);
    case RE_CONDITION: return condition(s, n, at, back, k);
    default: return holds(s, n, at) && resume(s, k, at);
    }
}

static bool
run(struct state *s, const struct regex_node *n, size_t at, bool back, const struct cont *k)
{
    bool found;

    if (s->gave_up || s->steps == 0 || s->depth >= DEPTH_MAX) {
        s->gave_up = true;
        return false;
    }
    s->steps--;
    s->depth++;
    found = run_node(s, n, at, back, k);
    s->depth--;
    return found;
}

/* (?<a-b>...): takes b's newest capture away; a captures what lies between that and this. */
static bool
close_balance(struct state *s, const struct cont *k, size_t at)
{
    const struct regex_node *n = k->node;
    int minus = n->other->group, popped = s->top[minus];
    size_t from = MIN(k->at, at), to = MAX(k->at, at);

    if (popped < 0)
        return false;
    struct record r = s->trail.v[popped];
    *vec_push(&s->trail) = (struct record){minus, popped, 0, 0, true};
    s->top[minus] = older(s, popped);
    if (n->group >= 0) {
        if (from >= r.to)
            push(s, n->group, r.to, from);
        else if (to <= r.from)
            push(s, n->group, to, r.from);
        else
            push(s, n->group, MAX(from, r.from), MIN(to, r.to));
    }
    return resume(s, k->next, at);
}

static bool
resume(struct state *s, const struct cont *k, size_t at)
{
    size_t mark = s->trail.n;

    switch (k->kind) {
    case CONT_ACCEPT: *k->end = at; return true;
    case CONT_CONCAT: {
        struct cont rest = *k;
        size_t n = k->node->list.n;
        if (k->at == n)
            return resume(s, k->next, at);
        rest.at = k->at + 1;
        return run(s, k->node->list.v[k->back ? n - 1 - k->at : k->at], at, k->back, &rest);
    }
    case CONT_CLOSE:
        if (k->node->kind == RE_BALANCE) {
            if (close_balance(s, k, at))
                return true;
        } else {
            push(s, k->node->group, k->at, at);
            if (resume(s, k->next, at))
                return true;
        }
        undo(s, mark);
        return false;
    case CONT_REPEAT:
        if (at == k->at && k->count > k->node->min)
            return resume(s, k->next, at); /* an empty turn ends it */
        return turn(s, k, at);
    }
    UNREACHABLE();
}

/* The captures of each group that were not popped, oldest first. */
static bool
collect(const struct state *s, struct arena *a, struct regex_span **ret, uint32_t *ret_n)
{
    for (size_t g = 0; g < s->t->groups.n; g++) {
        uint32_t n = 0;
        for (int i = s->top[g]; i >= 0; i = older(s, i))
            n++;
        ret_n[g] = n;
        ret[g] = arena_alloc(a, n + 1, sizeof(**ret), _Alignof(struct regex_span));
        if (!ret[g])
            return false;
        for (int i = s->top[g]; i >= 0; i = older(s, i))
            ret[g][--n] = (struct regex_span){s->trail.v[i].from, s->trail.v[i].to};
    }
    return true;
}

enum regex_status
regex_backtrack(const struct regex_tree *t, struct str text, size_t from, uint64_t steps, bool anchored, struct regex_span *spans,
                struct arena *a, struct regex_span **ret, uint32_t *ret_n)
{
    bool back = t->options & REGEX_RIGHT_TO_LEFT;
    struct state s = {.t = t, .text = text, .start = from, .steps = steps};
    enum regex_status status = REGEX_NO_MATCH;
    size_t end;

    s.top = xnew_array(int, t->groups.n);
    for (size_t g = 0; g < t->groups.n; g++)
        s.top[g] = -1;
    for (size_t at = from;;) {
        uint32_t c;
        undo(&s, 0);
        if (alone(&s, t->root, at, back, &end)) {
            push(&s, 0, at, end);
            for (size_t g = 0; g < t->groups.n; g++)
                spans[g] = s.top[g] < 0 ? (struct regex_span){SIZE_MAX, 0}
                                        : (struct regex_span){s.trail.v[s.top[g]].from, s.trail.v[s.top[g]].to};
            status = REGEX_MATCH;
            if (a && !collect(&s, a, ret, ret_n))
                status = REGEX_NO_MEMORY;
            break;
        }
        if (s.gave_up) {
            status = REGEX_TOO_LONG;
            break;
        }
        if (anchored || !step_char(&s, &at, back, &c))
            break;
    }
    vec_free(&s.trail);
    free(s.top);
    return status;
}
