/* resolve.c: from a type as it is written to the type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/member.h"

#include <stdio.h>

/* Namespaces whose types an expression may name shortly. System.Xml is not among them: its Formatting would make
 * Formatting.None ambiguous. */
static const struct str imports[] = {
    STR_INIT("System"), STR_INIT("System.Collections.Generic"), STR_INIT("System.IO"), STR_INIT("System.Linq"),
    STR_INIT("System.Net"), STR_INIT("System.Security.Cryptography"),
    STR_INIT("System.Security.Cryptography.X509Certificates"), STR_INIT("System.Text"),
    STR_INIT("System.Text.RegularExpressions"), STR_INIT("System.Xml.Linq"), STR_INIT("Newtonsoft.Json"),
    STR_INIT("Newtonsoft.Json.Linq"), STR_INIT("Microsoft.Azure.ApiManagement"), STR_INIT(""),
};

static struct str
name_with_arity(char *to, size_t size, struct str name, uint32_t n)
{
    int len = snprintf(to, size, n ? "%.*s`%u" : "%.*s", STR_ARG(name), n);

    return str_from(to, MIN((size_t)len, size - 1));
}

static bool
is_imported(struct str space)
{
    for (size_t i = 0; i < COUNTOF(imports); i++)
        if (str_eq(imports[i], space))
            return true;
    return false;
}

/* Whether an expression may name it without its namespace. */
static bool
is_short_name(const struct type_def *def)
{
    return !(def->flags & TYPE_IS_HIDDEN) && (is_imported(def->space) || (def->flags & TYPE_IS_IMPORTED));
}

const struct type_def *
resolve_simple(const struct type_scope *scope, struct str name, uint32_t n)
{
    char key[256];
    struct type_def *def = map_get(&scope->env->by_short_name, name_with_arity(key, sizeof(key), name, n));

    for (; def; def = def->next_same_name)
        if (scope->is_signature || is_short_name(def))
            return def;
    return NULL;
}

const struct type_def *
resolve_qualified(const struct type_scope *scope, struct str space, struct str name, uint32_t n)
{
    char full[512], key[560];
    const struct type_def *def = NULL;

    /* The second: TimeZoneInfo.AdjustmentRule, a type inside an imported one. */
    for (int nested = 0; nested < 2 && !def; nested++) {
        int len = snprintf(full, sizeof(full), "%s%.*s.%.*s", nested ? "System." : "", STR_ARG(space), STR_ARG(name));
        def = map_get(&scope->env->by_full_name,
                      name_with_arity(key, sizeof(key), str_from(full, MIN((size_t)len, sizeof(full) - 1)), n));
    }
    return def;
}

static const struct type *
keyword_type(const struct expr_env *env, struct str text)
{
    static const struct {
        struct str text, full_name;
    } keywords[] = {
        {STR_INIT("string"), STR_INIT("System.String")}, {STR_INIT("int"), STR_INIT("System.Int32")},
        {STR_INIT("bool"), STR_INIT("System.Boolean")}, {STR_INIT("object"), STR_INIT("System.Object")},
        {STR_INIT("long"), STR_INIT("System.Int64")}, {STR_INIT("double"), STR_INIT("System.Double")},
        {STR_INIT("char"), STR_INIT("System.Char")}, {STR_INIT("byte"), STR_INIT("System.Byte")},
        {STR_INIT("decimal"), STR_INIT("System.Decimal")}, {STR_INIT("float"), STR_INIT("System.Single")},
        {STR_INIT("uint"), STR_INIT("System.UInt32")}, {STR_INIT("ulong"), STR_INIT("System.UInt64")},
        {STR_INIT("short"), STR_INIT("System.Int16")}, {STR_INIT("ushort"), STR_INIT("System.UInt16")},
        {STR_INIT("sbyte"), STR_INIT("System.SByte")},
    };

    for (size_t i = 0; i < COUNTOF(keywords); i++)
        if (str_eq(keywords[i].text, text))
            return type_construct(map_get(&env->by_full_name, keywords[i].full_name), NULL, 0, 0, NULL);
    return str_eq_lit(text, "void") ? env->core.void_ : env->core.error;
}

static const struct type *
type_parameter(const struct type_scope *scope, struct str name)
{
    for (uint32_t i = 0; scope->method && i < scope->method->n_type_parameters; i++)
        if (str_eq(scope->method->type_parameters[i], name))
            return scope->env->parameters[1][i];
    for (uint32_t i = 0; scope->owner && i < scope->owner->n_parameters; i++)
        if (str_eq(scope->owner->parameters[i], name))
            return scope->env->parameters[0][i];
    return NULL;
}

/* "System.Text" of the names before the last one. */
static struct str
space_of(const struct node *n, char *to, size_t size)
{
    size_t len = 0;

    if (n->a) {
        struct str outer = space_of(n->a, to, size);
        len = outer.len;
        if (len + 1 < size)
            to[len++] = '.';
    }
    for (size_t i = 0; i < n->text.len && len + 1 < size; i++)
        to[len++] = n->text.p[i];
    to[len] = 0;
    return str_from(to, len);
}

struct name_walk {
    const struct type_scope *scope;
    size_t i;
};

static bool
next_type_name(void *ctx, struct str *candidate)
{
    struct name_walk *w = ctx;

    while (w->i < w->scope->env->defs.n) {
        const struct type_def *def = w->scope->env->defs.v[w->i++];
        if (!is_short_name(def))
            continue;
        *candidate = def->name;
        return true;
    }
    return false;
}

static const struct type *
unknown_type(struct type_scope *scope, const struct node *n)
{
    struct name_walk walk = {.scope = scope};
    struct str near;

    if (scope->diags) {
        near = diag_nearest(n->text, next_type_name, &walk);
        diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at,
                        near.p ? "there is no type `%.*s`; did you mean `%.*s`? (CS0246)"
                        : "there is no type `%.*s` in policy expressions (CS0246)", STR_ARG(n->text), STR_ARG(near));
    }
    return scope->env->core.error;
}

static const struct type *
named_type(struct type_scope *scope, const struct node *n)
{
    const struct type *args[TYPE_PARAMETERS_MAX], *found;
    const struct type_def *def;
    uint32_t n_args = 0;
    char space[256];

    if (n->flag)
        return keyword_type(scope->env, n->text);
    if (!n->a && !n->list && (found = type_parameter(scope, n->text)))
        return found;
    for (const struct node *it = n->list; it; it = it->next) {
        const struct type *arg = resolve_type(scope, it);
        if (arg->kind == TYPE_ERROR)
            return arg;
        if (n_args < TYPE_PARAMETERS_MAX)
            args[n_args++] = arg;
    }
    def = n->a ? resolve_qualified(scope, space_of(n->a, space, sizeof(space)), n->text, n_args)
               : resolve_simple(scope, n->text, n_args);
    if (!def || (def->flags & TYPE_IS_HIDDEN && !scope->is_signature))
        return unknown_type(scope, n);
    if (scope->diags && !scope->is_signature && (def->flags & TYPE_IS_LATER))
        diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at,
                        "the type `%.*s` is not supported yet", STR_ARG(n->text));
    if (scope->diags && scope->is_strict && (def->flags & TYPE_IS_EXTRA))
        diag_add_mapped(scope->diags, DIAG_WARNING, scope->map, n->at, n->end - n->at,
                        "the type `%.*s` does not exist on Azure", STR_ARG(n->text));
    if (def == scope->env->nullable && !scope->is_signature && type_is_reference(args[0])) {
        if (scope->diags)
            diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at,
                            "`%.*s` can be null itself: Nullable<T> is for value types (CS0453)", STR_ARG(args[0]->name));
        return scope->env->core.error;
    }
    if (def == scope->env->nullable)
        return type_nullable_of(args[0]);
    return type_construct(def, args, n_args, 0, NULL);
}

static const struct type *
tuple_type(struct type_scope *scope, const struct node *n)
{
    const struct type *types[TUPLE_VALUES_MAX];
    struct str names[TUPLE_VALUES_MAX];
    uint32_t count = 0;

    for (const struct node *it = n->list; it; it = it->next) {
        if (count == TUPLE_VALUES_MAX) {
            if (scope->diags)
                diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at, "a tuple has at most %d values", TUPLE_VALUES_MAX);
            return scope->env->core.error;
        }
        types[count] = resolve_type(scope, it->a);
        if (types[count]->kind == TYPE_ERROR)
            return types[count];
        names[count++] = it->text;
    }
    if (count < 2) {
        if (scope->diags)
            diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at, "a tuple has at least two values (CS8124)");
        return scope->env->core.error;
    }
    return type_tuple(scope->env, names, types, count);
}

const struct type *
resolve_type(struct type_scope *scope, const struct node *n)
{
    const struct type *inner;

    switch ((int)n->kind) {
    case NODE_TYPE_ARRAY:
        inner = resolve_type(scope, n->a);
        return inner->kind == TYPE_ERROR ? inner : type_array_rank(inner, n->rank);
    case NODE_TYPE_NULLABLE:
        inner = resolve_type(scope, n->a);
        if (inner->kind != TYPE_ERROR && type_is_reference(inner) && scope->diags && !scope->is_signature)
            diag_add_mapped(scope->diags, DIAG_ERROR, scope->map, n->at, n->end - n->at,
                            "`%.*s` may be null already; only value types take '?' (CS0453)", STR_ARG(inner->name));
        return inner->kind == TYPE_ERROR ? inner : type_nullable_of(inner);
    case NODE_TYPE_TUPLE:
        return tuple_type(scope, n);
    case NODE_TYPE_NAME:
        return named_type(scope, n);
    }
    return scope->env->core.error;
}
