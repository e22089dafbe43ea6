/* overload.c: which overload a call means: inference of type arguments, applicability, C#'s better-conversion rules.
 *
 * For each candidate: put arguments at parameters (names, params, defaults), infer type arguments, check conversions.
 * Of those that apply the one wins that is better for one argument and worse for none; ties go to the less generic, the
 * one not expanded, the one with fewer defaults.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#include <stdio.h>

#define BOUNDS_MAX 16

/* --- inference -------------------------------------------------------------------------------------------------------------- */

struct inference {
    struct binder *b;
    const struct member *member;
    const struct type *fixed[TYPE_PARAMETERS_MAX];
    const struct type *bounds[TYPE_PARAMETERS_MAX][BOUNDS_MAX];
    bool is_exact[TYPE_PARAMETERS_MAX][BOUNDS_MAX];
    uint32_t n_bounds[TYPE_PARAMETERS_MAX];
};

static void
add_bound(struct inference *in, uint32_t i, const struct type *t, bool is_exact)
{
    if (t->kind == TYPE_NULL || t->kind == TYPE_VOID || t->kind == TYPE_ERROR || in->n_bounds[i] == BOUNDS_MAX)
        return;
    for (uint32_t j = 0; j < in->n_bounds[i]; j++) {
        if (in->bounds[i][j] == t) {
            in->is_exact[i][j] |= is_exact;
            return;
        }
    }
    in->bounds[i][in->n_bounds[i]] = t;
    in->is_exact[i][in->n_bounds[i]++] = is_exact;
}

/* The one instantiation of pattern's definition that t is; NULL when there is none, or two (JObject is IEnumerable twice). */
static const struct type *
unique_base(const struct type *t, const struct type *pattern)
{
    const struct type *found = NULL;

    for (const struct type *base = t; base; base = base->base)
        if (base->def == pattern->def && base->kind == pattern->kind)
            return base;
    for (uint32_t i = 0; i < t->n_interfaces; i++) {
        if (t->interfaces[i]->def != pattern->def)
            continue;
        if (found && found != t->interfaces[i])
            return NULL;
        found = t->interfaces[i];
    }
    return found;
}

/* What `pattern`, a parameter's type that mentions type parameters, says about them when an argument is of type t. */
static void
infer_from(struct inference *in, const struct type *t, const struct type *pattern, bool is_exact)
{
    const struct type *base;

    if (!(pattern->flags & TYPE_IS_OPEN) || !t)
        return;
    if (pattern->kind == TYPE_PARAMETER) {
        if (pattern->is_method)
            add_bound(in, pattern->index, t, is_exact);
        return;
    }
    if (pattern->kind == TYPE_ARRAY) {
        if (t->kind == TYPE_ARRAY && t->rank == pattern->rank)
            infer_from(in, t->args[0], pattern->args[0], is_exact || !type_is_reference(t->args[0]));
        return;
    }
    if (pattern->kind == TYPE_NULLABLE) {
        infer_from(in, type_strip_nullable(t), pattern->args[0], is_exact);
        return;
    }
    base = is_exact ? (t->def == pattern->def ? t : NULL) : unique_base(t, pattern);
    for (uint32_t i = 0; base && i < pattern->n_args; i++)
        infer_from(in, base->args[i], pattern->args[i],
                   is_exact || !(pattern->def->out >> i & 1) || !type_is_reference(base->args[i]));
}

/* Exact bounds decide; otherwise the bound that all others convert to. */
static const struct type *
fix(struct inference *in, uint32_t i)
{
    const struct type *best = NULL;

    for (uint32_t j = 0; j < in->n_bounds[i]; j++) {
        const struct type *candidate = in->bounds[i][j];
        bool fits = true;
        for (uint32_t k = 0; fits && k < in->n_bounds[i]; k++) {
            const struct type *other = in->bounds[i][k];
            struct conversion c = other == candidate ? (struct conversion){.kind = CONVERT_IDENTITY}
                                  : classify_types(in->b, other, candidate);
            fits = in->is_exact[i][k] ? other == candidate : conversion_is_implicit(c) && c.kind != CONVERT_USER;
        }
        if (fits)
            best = candidate;
    }
    return best;
}

static bool
mentions(const struct type *t, uint32_t i)
{
    if (!(t->flags & TYPE_IS_OPEN))
        return false;
    if (t->kind == TYPE_PARAMETER)
        return t->is_method && t->index == i;
    for (uint32_t j = 0; j < t->n_args; j++)
        if (mentions(t->args[j], i))
            return true;
    return false;
}

static bool
is_fixed(const struct inference *in, const struct type *t)
{
    for (uint32_t i = 0; i < in->member->n_type_parameters; i++)
        if (!in->fixed[i] && mentions(t, i))
            return false;
    return true;
}

/* A lambda or method group whose inputs are known tells its result's type. True when something new was learnt. */
static bool
infer_from_waiting(struct inference *in, struct bound *x, const struct type *pattern, const struct type *const *owner_args)
{
    const struct type *parameters[ARGUMENTS_MAX], *open_result, *result;
    uint32_t n = delegate_signature(pattern, parameters, ARGUMENTS_MAX, &open_result);

    for (uint32_t i = 0; i < n; i++) {
        if (!is_fixed(in, parameters[i]))
            return false;
        parameters[i] = type_substitute(parameters[i], owner_args, in->fixed);
    }
    if (x->kind == B_LAMBDA_WAITS) {
        result = lambda_result(in->b, x->node, parameters, n);
    } else {
        const struct type *made = type_substitute(pattern, owner_args, in->fixed);
        struct trial t;
        trial_begin(in->b, &t);
        result = NULL;
        method_group_for(in->b, x, made, &result);
        trial_end(in->b, &t);
    }
    if (!result || result->kind == TYPE_VOID)
        return false;
    infer_from(in, result, open_result, false);
    return true;
}

/* Explicit parameter types of a lambda are bounds too. */
static void
infer_from_parameter_types(struct inference *in, struct bound *x, const struct type *pattern)
{
    const struct type *parameters[ARGUMENTS_MAX], *result;
    uint32_t n = delegate_signature(pattern, parameters, ARGUMENTS_MAX, &result), i = 0;

    for (const struct node *it = x->node->list; it && i < n; it = it->next, i++)
        if (it->a)
            infer_from(in, bind_type(in->b, it->a), parameters[i], true);
}

static bool
fix_ready(struct inference *in, const struct candidate *c, struct argument *args, bool is_last)
{
    bool progress = false;

    for (uint32_t i = 0; i < in->member->n_type_parameters; i++) {
        bool waits = false;
        if (in->fixed[i] || !in->n_bounds[i])
            continue;
        /* Not yet when it is the result of a lambda that could still be asked. */
        for (uint32_t a = 0; a < c->n && !is_last; a++) {
            const struct type *pattern = in->member->parameters[c->at[a]].type, *parameters[ARGUMENTS_MAX], *result;
            if (args[a].value->type || pattern->kind != TYPE_DELEGATE)
                continue;
            delegate_signature(pattern, parameters, ARGUMENTS_MAX, &result);
            waits |= mentions(result, i) && !args[a].value->flag;
        }
        if (waits)
            continue;
        in->fixed[i] = fix(in, i);
        progress |= in->fixed[i] != NULL;
    }
    return progress;
}

static const struct type *
pattern_of(const struct candidate *c, uint32_t argument)
{
    const struct parameter *p = &c->member->parameters[c->at[argument]];

    return c->is_expanded && p->op == TOK_PARAMS ? p->type->args[0] : p->type;
}

static bool
infer(struct binder *b, struct candidate *c, struct argument *args)
{
    struct inference in = {.b = b, .member = c->member};
    uint32_t n = c->member->n_type_parameters;
    bool asked[ARGUMENTS_MAX] = {false}, progress = true;

    for (uint32_t a = 0; a < c->n; a++) {
        const struct type *pattern = type_substitute(pattern_of(c, a), c->owner->args, NULL);
        if (args[a].value->type)
            infer_from(&in, args[a].value->type, pattern, args[a].op != TOK_END);
        else if (args[a].value->kind == B_LAMBDA_WAITS && pattern->kind == TYPE_DELEGATE)
            infer_from_parameter_types(&in, args[a].value, pattern);
    }
    for (unsigned round = 0; progress && round < 2 * TYPE_PARAMETERS_MAX; round++) {
        progress = fix_ready(&in, c, args, round > 0);
        for (uint32_t a = 0; a < c->n; a++) {
            const struct type *pattern = type_substitute(pattern_of(c, a), c->owner->args, NULL);
            if (args[a].value->type || asked[a] || pattern->kind != TYPE_DELEGATE ||
                (args[a].value->kind != B_LAMBDA_WAITS && args[a].value->kind != B_METHODS && args[a].value->kind != B_FUNCTION_WAITS))
                continue;
            asked[a] = infer_from_waiting(&in, args[a].value, pattern, c->owner->args);
            progress |= asked[a];
        }
        if (round == 0)
            progress = true;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!in.fixed[i])
            in.fixed[i] = fix(&in, i);
        if (!in.fixed[i])
            return false;
        c->type_args[i] = in.fixed[i];
    }
    return true;
}

/* --- applicability ------------------------------------------------------------------------------------------------------------ */

/* Arguments to parameters: by position, then by name. False when they do not fit in number. */
static bool
place(struct candidate *c, const struct argument *args, uint32_t n, bool is_expanded)
{
    const struct member *m = c->member;
    bool given[ARGUMENTS_MAX] = {false};
    uint32_t last = m->n_parameters - 1;

    c->n = n;
    c->is_expanded = is_expanded;
    c->n_defaults = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;
        if (args[i].name.p) {
            for (at = 0; at < m->n_parameters && !str_eq(m->parameters[at].name, args[i].name); at++)
                ;
        } else if (is_expanded && i > last) {
            at = last;
        }
        if (at >= m->n_parameters || (given[at] && !(is_expanded && at == last)))
            return false;
        given[at] = true;
        c->at[i] = (uint8_t)at;
    }
    for (uint32_t i = 0; i < m->n_parameters; i++) {
        if (given[i] || (is_expanded && i == last))
            continue;
        if (!m->parameters[i].has_default)
            return false;
        c->n_defaults++;
    }
    return true;
}

static bool
is_argument_fit(struct binder *b, const struct argument *arg, const struct type *parameter, enum token_kind op)
{
    bool is_out = op == TOK_OUT, is_ref = op == TOK_REF;

    if ((arg->op == TOK_OUT) != is_out || (arg->op == TOK_REF) != is_ref)
        return false;
    if (is_out && (!arg->value->type || arg->value->kind == B_OUT_ARGUMENT))
        return !arg->value->type || arg->value->type == parameter || arg->value->type->kind == TYPE_ERROR;
    if (is_out || is_ref)
        return arg->value->type == parameter;
    if (is_error(arg->value))
        return true;
    return conversion_is_implicit(classify(b, arg->value, parameter));
}

/* Natives rely on it: an argument that breaks a constraint would be taken for what it is not. */
static bool
is_within_constraints(struct binder *b, const struct candidate *c)
{
    for (uint32_t i = 0; c->member->constraints && i < c->member->n_type_parameters; i++) {
        const struct type *wanted = c->member->constraints[i];
        enum conversion_kind kind;
        if (!wanted)
            continue;
        kind = classify_types(b, c->type_args[i], type_substitute(wanted, c->owner->args, c->type_args)).kind;
        if (kind != CONVERT_IDENTITY && kind != CONVERT_REFERENCE && kind != CONVERT_BOX)
            return false;
    }
    return true;
}

static bool
is_applicable(struct binder *b, struct candidate *c, struct argument *args, const struct type *const *given_args, uint32_t n_given)
{
    const struct member *m = c->member;

    if (m->n_type_parameters) {
        if (n_given) {
            if (n_given != m->n_type_parameters)
                return false;
            for (uint32_t i = 0; i < n_given; i++)
                c->type_args[i] = given_args[i];
        } else if (!infer(b, c, args)) {
            return false;
        }
    } else if (n_given) {
        return false;
    }
    if (!is_within_constraints(b, c))
        return false;
    for (uint32_t i = 0; i < c->n; i++) {
        c->parameters[i] = type_substitute(pattern_of(c, i), c->owner->args, c->type_args);
        if (!is_argument_fit(b, &args[i], c->parameters[i], c->is_expanded && c->at[i] == m->n_parameters - 1 ? TOK_END
                             : m->parameters[c->at[i]].op == TOK_OUT || m->parameters[c->at[i]].op == TOK_REF
                             ? m->parameters[c->at[i]].op : TOK_END))
            return false;
        /* An extension's receiver takes no user-defined or numeric conversion. */
        if (i == 0 && (m->flags & MEMBER_IS_EXTENSION) && args[0].node == NULL) {
            enum conversion_kind kind = classify(b, args[0].value, c->parameters[0]).kind;
            if (kind != CONVERT_IDENTITY && kind != CONVERT_REFERENCE && kind != CONVERT_BOX)
                return false;
        }
    }
    c->ret_type = type_substitute(m->ret, c->owner->args, c->type_args);
    return true;
}

/* --- choosing ------------------------------------------------------------------------------------------------------------------ */

static bool
is_signed_better(enum type_kind x, enum type_kind y)
{
    static const enum type_kind pairs[][5] = {
        {TYPE_SBYTE, TYPE_BYTE, TYPE_USHORT, TYPE_UINT, TYPE_ULONG},
        {TYPE_SHORT, TYPE_USHORT, TYPE_UINT, TYPE_ULONG, TYPE_ERROR},
        {TYPE_INT, TYPE_UINT, TYPE_ULONG, TYPE_ERROR, TYPE_ERROR},
        {TYPE_LONG, TYPE_ULONG, TYPE_ERROR, TYPE_ERROR, TYPE_ERROR},
    };

    for (size_t i = 0; i < COUNTOF(pairs); i++)
        for (size_t j = 1; j < 5; j++)
            if (pairs[i][0] == x && pairs[i][j] == y && y != TYPE_ERROR)
                return true;
    return false;
}

/* <0: x is the better target for the argument, >0: y, 0: neither. */
static int
compare_targets(struct binder *b, const struct bound *arg, const struct type *x, const struct type *y)
{
    bool x_to_y, y_to_x;

    if (x == y)
        return 0;
    if (arg->type == x || arg->type == y)
        return arg->type == x ? -1 : 1;
    if (arg->kind == B_LAMBDA_WAITS && x->kind == TYPE_DELEGATE && y->kind == TYPE_DELEGATE) {
        const struct type *px[ARGUMENTS_MAX], *py[ARGUMENTS_MAX], *rx, *ry, *result;
        uint32_t nx = delegate_signature(x, px, ARGUMENTS_MAX, &rx), ny = delegate_signature(y, py, ARGUMENTS_MAX, &ry);
        if (nx == ny && (nx == 0 || memcmp(px, py, nx * sizeof(*px)) == 0) && rx != ry) {
            result = lambda_result(b, arg->node, px, nx);
            if (ry->kind == TYPE_VOID || rx->kind == TYPE_VOID)
                return ry->kind == TYPE_VOID ? -1 : 1;
            if (result == rx || result == ry)
                return result == rx ? -1 : 1;
            return compare_targets(b, &(struct bound){.kind = B_SYMBOL, .type = result ? result : b->core->null}, rx, ry);
        }
        return 0;
    }
    x_to_y = conversion_is_implicit(classify_types(b, x, y));
    y_to_x = conversion_is_implicit(classify_types(b, y, x));
    if (x_to_y != y_to_x)
        return x_to_y ? -1 : 1;
    if (is_signed_better(x->kind, y->kind))
        return -1;
    return is_signed_better(y->kind, x->kind) ? 1 : 0;
}

/* C# 12.6.4.3: anything is more specific than a type parameter, and of two types of one definition the one with more specific
 * arguments; others do not compare. Adds to what was found so far: bit 0 when x is more specific somewhere, bit 1 when y is. */
static unsigned
specificity(const struct type *x, const struct type *y)
{
    unsigned found = 0;

    if ((x->kind == TYPE_PARAMETER) != (y->kind == TYPE_PARAMETER))
        return x->kind == TYPE_PARAMETER ? 2 : 1;
    if (x->def != y->def || x->n_args != y->n_args || x->rank != y->rank)
        return 0;
    for (uint32_t i = 0; i < x->n_args; i++)
        found |= specificity(x->args[i], y->args[i]);
    return found;
}

static int
compare_declarations(const struct candidate *x, const struct candidate *y)
{
    unsigned found = 0;

    if (!x->member->n_type_parameters != !y->member->n_type_parameters)
        return x->member->n_type_parameters ? 1 : -1;
    if (x->is_expanded != y->is_expanded)
        return x->is_expanded ? 1 : -1;
    if (x->n_defaults != y->n_defaults)
        return x->n_defaults > y->n_defaults ? 1 : -1;
    if (x->is_expanded && x->member->n_parameters != y->member->n_parameters)
        return x->member->n_parameters > y->member->n_parameters ? -1 : 1;
    for (uint32_t i = 0; i < x->n; i++)
        found |= specificity(pattern_of(x, i), pattern_of(y, i));
    return found == 1 ? -1 : found == 2 ? 1 : 0;
}

/* <0: x is the better member. */
static int
compare_candidates(struct binder *b, const struct candidate *x, const struct candidate *y, const struct argument *args)
{
    bool x_better = false, y_better = false;

    for (uint32_t i = 0; i < x->n; i++) {
        int order = args[i].op == TOK_END ? compare_targets(b, args[i].value, x->parameters[i], y->parameters[i]) : 0;
        x_better |= order < 0;
        y_better |= order > 0;
    }
    if (x_better != y_better)
        return x_better ? -1 : 1;
    return x_better ? 0 : compare_declarations(x, y);
}

static bool
consider(struct binder *b, struct candidate *c, struct argument *args, uint32_t n, const struct type *const *given_args,
         uint32_t n_given)
{
    if (place(c, args, n, false) && is_applicable(b, c, args, given_args, n_given))
        return true;
    return (c->member->flags & MEMBER_IS_PARAMS) && place(c, args, n, true) && is_applicable(b, c, args, given_args, n_given);
}

enum overload_result
overload_resolve(struct binder *b, const struct member *first, const struct type *owner, const struct type *const *given_args,
                 uint32_t n_given, bool want_extension, enum receiver_kind receiver, struct argument *args, uint32_t n,
                 struct candidate *ret, struct candidate *ret_other)
{
    struct candidate best = {0}, *c = arena_new(b->arena, struct candidate);
    bool is_found = false, is_tie = false;

    if (!c || n > ARGUMENTS_MAX)
        return OVERLOAD_NONE;
    for (const struct member *m = first; m; m = m->next_same_name) {
        int order;
        if (m->flags & MEMBER_IS_EXPLICIT)
            continue;
        *c = (struct candidate){.member = m, .owner = want_extension ? m->owner->open : owner};
        if (((m->flags & MEMBER_IS_EXTENSION) != 0) != want_extension && want_extension)
            continue;
        if ((receiver == RECEIVER_IS_TYPE && !(m->flags & MEMBER_IS_STATIC)) ||
            (receiver == RECEIVER_IS_VALUE && !want_extension && (m->flags & MEMBER_IS_STATIC)))
            continue;
        if (m->n_parameters > ARGUMENTS_MAX || !consider(b, c, args, n, given_args, n_given))
            continue;
        order = is_found ? compare_candidates(b, c, &best, args) : -1;
        if (order < 0) {
            best = *c;
            is_tie = false;
        } else if (order == 0) {
            is_tie = true;
            if (ret_other)
                *ret_other = *c;
        }
        is_found = true;
    }
    if (!is_found)
        return OVERLOAD_NONE;
    *ret = best;
    /* The same parameters twice (an extension in two classes) is no ambiguity a user could mend: take the first. */
    return is_tie && ret_other && memcmp(ret_other->parameters, best.parameters, n * sizeof(*best.parameters)) != 0
           ? OVERLOAD_AMBIGUOUS : OVERLOAD_FOUND;
}

/* --- reports ------------------------------------------------------------------------------------------------------------------- */

/* No overload takes so many arguments: how many they do take. */
static struct bound *
report_count(struct binder *b, const struct node *node, const struct member *first, struct str what, uint32_t found, bool is_extension)
{
    uint32_t min = UINT32_MAX, max = 0;
    bool is_open = false;
    char takes[40];

    for (const struct member *m = first; m; m = m->next_same_name) {
        uint32_t needed = 0;
        for (uint32_t i = is_extension; i < m->n_parameters; i++) {
            is_open |= m->parameters[i].op == TOK_PARAMS;
            needed += !m->parameters[i].has_default && m->parameters[i].op != TOK_PARAMS;
        }
        min = MIN(min, needed);
        max = MAX(max, m->n_parameters - is_extension);
    }
    if (is_open)
        snprintf(takes, sizeof(takes), "at least %u", min);
    else if (min == max)
        snprintf(takes, sizeof(takes), "%u", min);
    else
        snprintf(takes, sizeof(takes), "%u to %u", min, max);
    return bind_error(b, name_in(b, node), "`%.*s` takes %s argument%s, found %u (CS1501)", STR_ARG(what), takes,
                      min == 1 && (is_open || max == 1) ? "" : "s", found);
}

struct bound *
overload_report(struct binder *b, const struct node *node, const struct member *first, const struct type *owner, struct str what,
                struct argument *args, uint32_t n, bool is_extension)
{
    const struct member *only = NULL;
    uint32_t fits = 0;

    for (uint32_t i = 0; i < n; i++)
        if (args[i].value && is_error(args[i].value))
            return bound_new(b, B_ERROR, node, b->core->error);
    for (const struct member *m = first; m; m = m->next_same_name) {
        struct candidate c = {.member = m};
        if (place(&c, args, n, false)) {
            only = m;
            fits++;
        }
    }
    for (uint32_t i = 0; fits == 1 && !only->n_type_parameters && i < n; i++) {
        struct candidate c = {.member = only};
        const struct type *to;
        place(&c, args, n, false);
        to = type_substitute(only->parameters[c.at[i]].type, owner->args, NULL);
        if (args[i].op == TOK_END && only->parameters[c.at[i]].op == TOK_END && !conversion_is_implicit(classify(b, args[i].value, to))) {
            if (!args[i].value->type)
                return convert(b, args[i].value, to);
            return bind_error(b, args[i].node ? args[i].node : node, "argument %u of `%.*s` is `%.*s`, expected `%.*s` (CS1503)",
                              i + 1, STR_ARG(what), STR_ARG(args[i].value->type->name), STR_ARG(to->name));
        }
    }
    for (uint32_t i = 0; i < n; i++) {        /* what is wrong inside a lambda explains more than the overloads do */
        const struct type *parameters[2] = {b->core->object, b->core->object};
        if (args[i].value->kind == B_LAMBDA_WAITS && fits > 0 && only->n_type_parameters && i > 0 && args[0].value->type &&
            type_element(args[0].value->type)) {
            struct trial t;
            const struct type *result;
            parameters[0] = type_element(args[0].value->type);
            trial_begin(b, &t);
            result = lambda_result(b, args[i].value->node, parameters, 1);
            trial_end(b, &t);
            if (!result && args[i].value->node->list && !args[i].value->node->list->next)
                return lambda_explain(b, args[i].value->node, parameters, 1);
        }
    }
    if (!fits)
        return report_count(b, node, first, what, n - is_extension, is_extension);
    return bind_error(b, name_in(b, node), "no overload of `%.*s` takes these arguments (CS1503)", STR_ARG(what));
}

/* --- the argument list ------------------------------------------------------------------------------------------------------------ */

static struct bound *
default_argument(struct binder *b, const struct node *node, const struct parameter *p, const struct type *type)
{
    if (p->default_value)
        return bind_as(b, p->default_value, type);
    return bound_default(b, node, type);
}

static struct bound *
one_argument(struct binder *b, struct argument *arg, const struct type *to)
{
    struct bound *n;

    if (arg->op == TOK_END)
        return convert(b, arg->value, to);
    if (arg->value->kind == B_OUT_ARGUMENT) {      /* out var x, out _ */
        arg->value->type = to;
        if (arg->value->a)
            arg->value->a->type = arg->value->a->symbol->type = to;
        return arg->value;
    }
    n = bound_new(b, B_OUT_ARGUMENT, arg->node, to);
    n->a = arg->value;
    n->flag = arg->op == TOK_REF;
    if (arg->value->kind == B_SYMBOL)
        use_symbol(b, arg->value->symbol, true);
    return n;
}

struct bound *
overload_arguments(struct binder *b, const struct node *node, const struct candidate *c, struct argument *args)
{
    const struct member *m = c->member;
    struct bound *by_parameter[ARGUMENTS_MAX] = {NULL}, *first = NULL, **last = &first;
    struct bound *expanded = NULL, **last_expanded = &expanded;

    for (uint32_t i = 0; i < c->n; i++) {
        struct bound *value = one_argument(b, &args[i], c->parameters[i]);
        if (is_error(value))
            return value;
        if (c->is_expanded && c->at[i] == m->n_parameters - 1) {
            *last_expanded = bound_new(b, B_SEQUENCE, value->node, value->type);    /* a link of its own */
            (*last_expanded)->a = value;
            last_expanded = &(*last_expanded)->next;
        } else {
            by_parameter[c->at[i]] = value;
        }
    }
    for (uint32_t i = 0; i < m->n_parameters; i++) {
        const struct type *type = type_substitute(m->parameters[i].type, c->owner->args, c->type_args);
        if (c->is_expanded && i == m->n_parameters - 1) {
            by_parameter[i] = bound_new(b, B_NEW_ARRAY, node, type);
            by_parameter[i]->list = expanded;
            by_parameter[i]->flag = true;
        } else if (!by_parameter[i]) {
            by_parameter[i] = default_argument(b, node, &m->parameters[i], type);
        }
        *last = bound_new(b, B_SEQUENCE, by_parameter[i]->node, by_parameter[i]->type);
        (*last)->a = by_parameter[i];
        last = &(*last)->next;
    }
    return first;
}
