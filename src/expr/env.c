/* env.c: the environment: definitions read from rows, and the types made from them.
 *
 *     rows -> type_def (by name) -> type (by definition and arguments, interned in env->table)
 * Locking:    env->lock covers the table and the arena once the environment is made. A type never changes after
 *             type_construct() has returned it, so readers need no lock.
 * Invariants:
 *   E1  a definition and a list of arguments give one struct type, for ever
 *   E2  interfaces of a type holds every interface it implements, each once
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "expr/core.h"
#include "expr/member.h"
#include "expr/value_ops.h"

#define ENV_BYTES_MAX ((size_t)256 << 20)

static void finish_def(struct expr_env *env, struct type_def *def);
static const struct type *construct(struct expr_env *env, const struct type_def *def, const struct type *const *args,
                                    uint32_t n, uint8_t rank, const struct str *field_names);
static const struct type *substitute(const struct type *t, const struct type *const *owner_args,
                                     const struct type *const *method_args);

const struct core_types *
core_types(const struct expr_env *env)
{
    return &env->core;
}

/* --- interning --------------------------------------------------------------------------------------------------- */

static uint64_t
type_hash(const struct type_def *def, const struct type *const *args, uint32_t n, uint8_t rank)
{
    uint64_t h = hash_mix((uintptr_t)def, rank);

    for (uint32_t i = 0; i < n; i++)
        h = hash_mix(h, (uintptr_t)args[i]);
    return h;
}

static bool
is_same_type(const struct type *t, const struct type_def *def, const struct type *const *args, uint32_t n, uint8_t rank,
             const struct str *field_names)
{
    if (t->def != def || t->n_args != n || t->rank != rank || (t->field_names != NULL) != (field_names != NULL))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (t->args[i] != args[i] || (field_names && !str_eq(t->field_names[i], field_names[i])))
            return false;
    return true;
}

static void
table_insert(struct expr_env *env, struct type *t)
{
    uint64_t h = type_hash(t->def, t->args, t->n_args, t->rank);

    for (uint32_t i = (uint32_t)h & (env->table_cap - 1);; i = (i + 1) & (env->table_cap - 1)) {
        if (!env->table[i]) {
            env->table[i] = t;
            return;
        }
    }
}

static void
table_grow(struct expr_env *env)
{
    struct type **old = env->table;
    uint32_t old_cap = env->table_cap;

    env->table_cap = old_cap ? old_cap * 2 : 1024;
    env->table = xnew_array(struct type *, env->table_cap);
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i])
            table_insert(env, old[i]);
    free(old);
}

static struct type *
table_find(const struct expr_env *env, const struct type_def *def, const struct type *const *args, uint32_t n,
           uint8_t rank, const struct str *field_names)
{
    uint64_t h = type_hash(def, args, n, rank);

    if (!env->table_cap)
        return NULL;
    for (uint32_t i = (uint32_t)h & (env->table_cap - 1); env->table[i]; i = (i + 1) & (env->table_cap - 1))
        if (is_same_type(env->table[i], def, args, n, rank, field_names))
            return env->table[i];
    return NULL;
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static struct str
keyword_name(const struct type_def *def)
{
    static const struct {
        enum type_kind kind;
        struct str name;
    } names[] = {
        {TYPE_BOOL, STR_INIT("bool")}, {TYPE_CHAR, STR_INIT("char")}, {TYPE_SBYTE, STR_INIT("sbyte")},
        {TYPE_BYTE, STR_INIT("byte")}, {TYPE_SHORT, STR_INIT("short")}, {TYPE_USHORT, STR_INIT("ushort")},
        {TYPE_INT, STR_INIT("int")}, {TYPE_UINT, STR_INIT("uint")}, {TYPE_LONG, STR_INIT("long")},
        {TYPE_ULONG, STR_INIT("ulong")}, {TYPE_FLOAT, STR_INIT("float")}, {TYPE_DOUBLE, STR_INIT("double")},
        {TYPE_DECIMAL, STR_INIT("decimal")}, {TYPE_STRING, STR_INIT("string")}, {TYPE_OBJECT, STR_INIT("object")},
    };

    for (size_t i = 0; i < COUNTOF(names); i++)
        if (names[i].kind == def->kind)
            return names[i].name;
    return def->name;
}

static void
write_name(struct buf *b, const struct type *t)
{
    if (t->kind == TYPE_ARRAY) {
        buf_add_str(b, t->args[0]->name);
        buf_add_char(b, '[');
        for (uint8_t i = 1; i < t->rank; i++)
            buf_add_char(b, ',');
        buf_add_char(b, ']');
        return;
    }
    if (t->kind == TYPE_NULLABLE) {
        buf_printf(b, "%.*s?", STR_ARG(t->args[0]->name));
        return;
    }
    if (t->flags & TYPE_IS_ANONYMOUS || (t->flags & TYPE_IS_TUPLE)) {
        bool is_tuple = t->flags & TYPE_IS_TUPLE;
        buf_add_str(b, is_tuple ? STR("(") : STR("new { "));
        for (uint32_t i = 0; i < t->n_args; i++)
            buf_printf(b, "%s%.*s%s%.*s", i ? ", " : "", STR_ARG(t->args[i]->name), t->field_names ? " " : "",
                       STR_ARG(t->field_names ? t->field_names[i] : STR("")));
        buf_add_str(b, is_tuple ? STR(")") : STR(" }"));
        return;
    }
    buf_add_str(b, keyword_name(t->def));
    for (uint32_t i = 0; i < t->n_args; i++)
        buf_printf(b, "%s%.*s", i ? ", " : "<", STR_ARG(t->args[i]->name));
    if (t->n_args)
        buf_add_char(b, '>');
}

static void
write_full_name(struct buf *b, const struct type *t)
{
    if (t->kind == TYPE_ARRAY) {
        buf_add_str(b, t->args[0]->full_name);
        buf_add_char(b, '[');
        for (uint8_t i = 1; i < t->rank; i++)
            buf_add_char(b, ',');
        buf_add_char(b, ']');
        return;
    }
    buf_add_str(b, t->def->full_name);
    if (t->n_args && !(t->flags & TYPE_IS_ANONYMOUS))
        buf_printf(b, "`%u", t->n_args);
    for (uint32_t i = 0; i < t->n_args; i++)
        buf_printf(b, "%s%.*s", i ? "," : "[", STR_ARG(t->args[i]->full_name));
    if (t->n_args)
        buf_add_char(b, ']');
}

/* --- construction -------------------------------------------------------------------------------------------------- */

static void
add_interface(struct arena *arena, const struct type ***v, uint32_t *n, const struct type *one)
{
    const struct type **grown;

    for (uint32_t i = 0; i < *n; i++)
        if ((*v)[i] == one)
            return;             /* E2 */
    grown = arena_new_array(arena, const struct type *, *n + 1);
    if (*n)
        memcpy(grown, *v, *n * sizeof(*grown));
    grown[(*n)++] = one;
    *v = grown;
}

/* Interfaces of the definition with the arguments put in, and theirs, and the base's. */
static void
add_interfaces(struct expr_env *env, struct type *t)
{
    const struct type **v = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->def->n_interfaces; i++) {
        const struct type *one = substitute(t->def->interfaces[i], t->args, NULL);
        add_interface(&env->arena, &v, &n, one);
        for (uint32_t j = 0; j < one->n_interfaces; j++)
            add_interface(&env->arena, &v, &n, one->interfaces[j]);
    }
    for (uint32_t i = 0; t->base && i < t->base->n_interfaces; i++)
        add_interface(&env->arena, &v, &n, t->base->interfaces[i]);
    if (t->kind == TYPE_ARRAY && t->rank == 1) {
        static const char *const names[] = {"IList`1", "IReadOnlyList`1", "ICollection`1", "IReadOnlyCollection`1", "IEnumerable`1"};
        for (size_t i = 0; i < COUNTOF(names); i++) {
            const struct type_def *def = map_get(&env->by_short_name, str_from_c(names[i]));
            add_interface(&env->arena, &v, &n, construct(env, def, t->args, 1, 0, NULL));
        }
    }
    t->interfaces = v;
    t->n_interfaces = n;
}

/* The definition's hooks over the base's. */
static const struct type_hooks *
join_hooks(struct expr_env *env, const struct type_hooks *own, const struct type_hooks *base)
{
    struct type_hooks *h;

    if (!own || own == base)
        return base;
    h = arena_new(&env->arena, struct type_hooks);
    *h = *own;
    h->iterate = own->iterate ? own->iterate : base->iterate;
    h->equals = own->equals ? own->equals : base->equals;
    h->hash = own->hash ? own->hash : base->hash;
    h->compare = own->compare ? own->compare : base->compare;
    h->to_string = own->to_string ? own->to_string : base->to_string;
    h->count = own->count ? own->count : base->count;
    h->contains = own->contains ? own->contains : base->contains;
    h->dispose = own->dispose ? own->dispose : base->dispose;
    return h;
}

static uint16_t
flags_of(const struct type_def *def, const struct type *const *args, uint32_t n)
{
    uint32_t flags = def->flags;

    for (uint32_t i = 0; i < n; i++)
        flags |= args[i]->flags & TYPE_IS_OPEN;
    return (uint16_t)flags;
}

/* Finds or makes; the lock is held. */
static const struct type *
construct(struct expr_env *env, const struct type_def *def, const struct type *const *args, uint32_t n, uint8_t rank,
          const struct str *field_names)
{
    struct type *t = table_find(env, def, args, n, rank, field_names);
    const struct type **copy;
    struct buf name = buf_in(&env->arena), full = buf_in(&env->arena);

    if (t)
        return t;                   /* E1 */
    if (env->table_n * 2 >= env->table_cap)
        table_grow(env);
    t = arena_new(&env->arena, struct type);
    copy = arena_new_array(&env->arena, const struct type *, n);
    ASSERT(t && copy);
    if (n)
        memcpy(copy, args, n * sizeof(*copy));
    *t = (struct type){.kind = def->kind, .flags = flags_of(def, args, n), .rank = rank, .n_args = (uint8_t)n, .def = def,
                       .args = copy, .env = env};
    if (def == env->array)
        t->kind = rank ? TYPE_ARRAY : TYPE_CLASS;
    if (field_names) {
        struct str *names = arena_new_array(&env->arena, struct str, n);
        for (uint32_t i = 0; i < n; i++)
            names[i] = str_dup(&env->arena, field_names[i]);
        t->field_names = names;
    } else {
        t->field_names = def->field_names;
    }
    t->hooks = &object_hooks;
    write_name(&name, t);
    t->name = buf_str(&name);
    write_full_name(&full, t);
    t->full_name = buf_str(&full);
    table_insert(env, t);
    env->table_n++;
    finish_def(env, (struct type_def *)def);
    t->base = t->kind == TYPE_ARRAY ? env->core.array_ : def->base ? substitute(def->base, t->args, NULL) : NULL;
    if (!t->base && t->kind != TYPE_OBJECT && t->kind != TYPE_INTERFACE)
        t->base = env->core.object;
    t->hooks = join_hooks(env, def->hooks, t->base ? t->base->hooks : &object_hooks);
    add_interfaces(env, t);
    return t;
}

const struct type *
type_construct(const struct type_def *def, const struct type *const *args, uint32_t n, uint8_t rank,
               const struct str *field_names)
{
    struct expr_env *env = def->env;
    const struct type *t;

    if (n == 0 && rank == 0 && def->open)
        return def->open;
    pthread_mutex_lock(&env->lock);
    t = construct(env, def, args, n, rank, field_names);
    pthread_mutex_unlock(&env->lock);
    return t;
}

static const struct type *
substitute(const struct type *t, const struct type *const *owner_args, const struct type *const *method_args)
{
    const struct type *args[TYPE_PARAMETERS_MAX];

    if (!(t->flags & TYPE_IS_OPEN))
        return t;
    if (t->kind == TYPE_PARAMETER) {
        const struct type *const *from = t->is_method ? method_args : owner_args;
        return from && from[t->index] ? from[t->index] : t;
    }
    for (uint32_t i = 0; i < t->n_args; i++)
        args[i] = substitute(t->args[i], owner_args, method_args);
    if (t->kind == TYPE_NULLABLE && !(args[0]->flags & TYPE_IS_OPEN) && type_is_kept_in_ref(args[0]) &&
        !(args[0]->flags & TYPE_IS_REF_STRUCT))
        return args[0];
    return construct(t->def->env, t->def, args, t->n_args, t->rank, t->field_names);
}

const struct type *
type_substitute(const struct type *t, const struct type *const *owner_args, const struct type *const *method_args)
{
    const struct type *result;

    if (!(t->flags & TYPE_IS_OPEN))
        return t;
    if (t->kind == TYPE_PARAMETER)
        return substitute(t, owner_args, method_args);
    pthread_mutex_lock(&t->def->env->lock);
    result = substitute(t, owner_args, method_args);
    pthread_mutex_unlock(&t->def->env->lock);
    return result;
}

const struct type *
type_array_rank(const struct type *element, uint8_t rank)
{
    return type_construct(element->env->array, &element, 1, rank, NULL);
}

const struct type *
type_array_of(const struct type *element)
{
    return type_array_rank(element, 1);
}

const struct type *
type_nullable_of(const struct type *t)
{
    if (t->kind != TYPE_PARAMETER && !type_is_value_type(t))
        return t;
    if (t->kind == TYPE_NULLABLE)
        return t;
    return type_construct(t->env->nullable, &t, 1, 0, NULL);
}

const struct type *
type_strip_nullable(const struct type *t)
{
    return t->kind == TYPE_NULLABLE ? t->args[0] : t;
}

const struct type *
type_with_args(const struct type *like, const struct type *const *args, uint32_t n)
{
    return type_construct(like->def, args, n, 0, NULL);
}

const struct type *
type_find(const struct expr_env *env, struct str full_name, const struct type *const *args, uint32_t n)
{
    char key[300];
    struct str name = full_name;
    const struct type_def *def;

    if (n) {                          /* natives ask for plain names often */
        int len = snprintf(key, sizeof(key), "%.*s`%u", STR_ARG(full_name), n);
        name = str_from(key, MIN((size_t)len, sizeof(key) - 1));
    }
    def = map_get(&env->by_full_name, name);
    if (!def || def->n_parameters != n)
        return NULL;
    return type_construct(def, args, n, 0, NULL);
}

/* One definition for all anonymous types, told apart by names and types of their fields. */
const struct type *
type_anonymous(struct expr_env *env, const struct str *names, const struct type *const *types, uint32_t n)
{
    return type_construct(map_get(&env->by_full_name, STR("<anonymous>")), types, n, 0, names);
}

const struct type *
type_tuple(struct expr_env *env, const struct str *names, const struct type *const *types, uint32_t n)
{
    static const char *const items[] = {"Item1", "Item2", "Item3", "Item4", "Item5", "Item6", "Item7"};
    struct str given[TYPE_PARAMETERS_MAX];
    bool is_named = false;

    for (uint32_t i = 0; i < n; i++) {
        given[i] = names && names[i].p ? names[i] : str_from_c(items[i]);
        is_named |= names && names[i].p;
    }
    return type_construct(env->tuple[n], types, n, 0, is_named ? given : NULL);
}

/* --- definitions --------------------------------------------------------------------------------------------------- */

/* "System.Collections.Generic.List<T>" to names and parameters. */
static void
split_name(struct expr_env *env, struct type_def *def, struct str text)
{
    ptrdiff_t open = str_find_char(text, '<', 0), dot;
    struct str rest, one;

    def->full_name = open < 0 || text.p[0] == '<' ? text : str_sub(text, 0, (size_t)open);
    dot = str_rfind_char(def->full_name, '.');
    def->name = str_skip(def->full_name, (size_t)(dot + 1));
    def->space = dot < 0 ? STR("") : str_sub(def->full_name, 0, (size_t)dot);
    if (open <= 0)
        return;
    rest = str_sub(text, (size_t)open + 1, text.len - 1);
    while (str_split_next(&rest, ',', &one)) {
        uint32_t bit = 1u << def->n_parameters;
        one = str_trim(one);
        if (str_starts_with(one, STR("in ")))
            def->in |= bit;
        if (str_starts_with(one, STR("out ")) || (def->flags & TYPE_IS_COVARIANT))
            def->out |= bit;
        def->parameters[def->n_parameters++] = str_trim(str_skip(one, (size_t)(str_rfind_char(one, ' ') + 1)));
    }
}

static void
add_spaces(struct expr_env *env, struct str space)
{
    for (size_t i = 1; i <= space.len; i++)
        if (i == space.len || space.p[i] == '.')
            map_set_copy(&env->spaces, str_sub(space, 0, i), (void *)1);
}

static struct str
arity_name(struct expr_env *env, struct str name, uint32_t n)
{
    return n ? str_printf(&env->arena, "%.*s`%u", STR_ARG(name), n) : name;
}

/* "None = 0, RemoveEmptyEntries = 1" ; without "=" the value before plus one. */
static bool
read_values(struct expr_env *env, struct type_def *def, struct str text, struct err *err)
{
    struct str rest = text, one, name;
    int64_t next = 0;
    uint32_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == ',';
    def->values = arena_new_array(&env->arena, struct enum_value, n);
    while (str_split_next(&rest, ',', &one)) {
        name = one;
        if (str_find_char(one, '=', 0) >= 0) {
            str_split_next(&one, '=', &name);
            next = strtoll(str_dup(&env->arena, str_trim(one)).p, NULL, 0);
        }
        if (!str_trim(name).len)
            return err_set(err, ERR_SYNTAX, "type row %.*s: a value has no name", STR_ARG(def->full_name));
        def->values[def->n_values++] = (struct enum_value){str_trim(name), next++};
    }
    return true;
}

static bool
add_def(struct expr_env *env, const struct type_row *row, struct err *err)
{
    struct type_def *def = arena_new(&env->arena, struct type_def);
    struct str key;

    *def = (struct type_def){.row = row, .env = env, .kind = row->kind, .flags = row->flags, .hooks = row->hooks,
                             .by_name = MAP_INIT};
    split_name(env, def, str_from_c(row->name));
    key = arity_name(env, def->full_name, def->n_parameters);
    if (row->kind == TYPE_ERROR) {
        struct type_def *known = map_get(&env->by_full_name, key);
        if (!known)
            return err_set(err, ERR_NOT_FOUND, "type row %s adds hooks to an unknown type", row->name);
        known->hooks = row->hooks;
        return true;
    }
    if (map_set(&env->by_full_name, key, def))
        return err_set(err, ERR_EXISTS, "type row %s: declared twice", row->name);
    key = arity_name(env, def->name, def->n_parameters);
    def->next_same_name = map_get(&env->by_short_name, key);
    map_set(&env->by_short_name, key, def);
    add_spaces(env, def->space);
    *vec_push(&env->defs) = def;
    if (row->kind == TYPE_ENUM && !read_values(env, def, str_from_c(row->values), err))
        return false;
    if (str_eq_lit(def->full_name, "System.Array"))
        env->array = def;
    return true;
}

/* Types in a row: "IList<T>, IReadOnlyList<T>". */
static bool
read_types(struct expr_env *env, struct type_def *def, const char *text, const struct type **to, uint32_t *n, struct err *err)
{
    struct tokens tokens = {0};
    struct diags diags;
    struct parser p;
    struct type_scope scope = {.env = env, .is_signature = true, .owner = def, .diags = &diags};
    struct str all = str_from_c(text);

    diags_init(&diags, &env->arena);
    lex(all, 0, (uint32_t)all.len, NULL, &env->arena, &diags, &tokens);
    parser_init(&p, all, &tokens, NULL, &env->arena, &diags);
    do {
        const struct type *t = resolve_type(&scope, parse_type(&p));
        if (t->kind == TYPE_ERROR || *n == 16)
            return err_set(err, ERR_NOT_FOUND, "type row %s: \"%s\": unknown type", def->row->name, text);
        to[(*n)++] = t;
    } while (parser_accept(&p, TOK_COMMA));
    return true;
}

/* Base and interfaces, when the first type of the definition is made. A definition may stand in its own list
 * (Int32: IEquatable<Int32>), because the type is in the table before. */
static void
finish_def(struct expr_env *env, struct type_def *def)
{
    const struct type *found[17], **copy;
    const char *base = def->row->base;
    uint32_t n = 0;

    if (def->is_finished)
        return;
    def->is_finished = true;
    if (def->kind == TYPE_ENUM)
        base = "Enum";
    else if (def->kind == TYPE_DELEGATE)
        base = "Delegate";
    else if (def->kind == TYPE_STRUCT)
        base = "ValueType";
    if (base && strcmp(base, def->row->name)) {           /* System.Exception's row names itself */
        if (!read_types(env, def, base, found, &n, &env->failed))
            return;
        def->base = found[0];
    }
    n = 0;
    if (def->row->interfaces && !read_types(env, def, def->row->interfaces, found, &n, &env->failed))
        return;
    copy = arena_new_array(&env->arena, const struct type *, n);
    if (n)
        memcpy(copy, found, n * sizeof(*copy));
    def->interfaces = copy;
    def->n_interfaces = n;
}

static const struct type *
open_type(struct expr_env *env, struct type_def *def)
{
    const struct type *own[TYPE_PARAMETERS_MAX];

    for (uint32_t i = 0; i < def->n_parameters; i++)
        own[i] = env->parameters[0][i];
    return construct(env, def, own, def->n_parameters, 0, NULL);
}

static struct type_def *
def_named(struct expr_env *env, struct str text)
{
    struct type_def name = {0}, *def;

    split_name(env, &name, text);
    def = map_get(&env->by_full_name, arity_name(env, name.full_name, name.n_parameters));
    return def ? def : map_get(&env->by_short_name, arity_name(env, name.name, name.n_parameters));
}

static void
add_member(struct expr_env *env, struct type_def *def, struct member *m)
{
    *vec_push(&def->members) = m;
    m->next_same_name = map_get(&def->by_name, m->name);
    map_set(&def->by_name, m->name, m);
    if (m->flags & MEMBER_IS_EXTENSION) {
        struct member *copy = arena_new(&env->arena, struct member);
        *copy = *m;
        copy->next_same_name = map_get(&env->extensions, m->name);
        map_set(&env->extensions, m->name, copy);
    }
}

static bool
add_members(struct expr_env *env, const struct library *library, struct err *err)
{
    for (size_t i = 0; i < library->n_members; i++) {
        const struct member_row *row = &library->members[i];
        struct type_def *def = def_named(env, str_from_c(row->type));
        struct type_def named;
        struct member *m;
        if (!def)
            return err_set(err, ERR_NOT_FOUND, "member row %s: \"%s\": no such type", row->type, row->signature);
        /* The row may call the parameters by other names than the type's row. */
        named = *def;
        named.n_parameters = 0;
        split_name(env, &named, str_from_c(row->type));
        if (!signature_read(env, &named, row, &m, err))
            return false;
        m->owner = def;
        add_member(env, def, m);
    }
    return true;
}

static bool
read_invoke(struct expr_env *env, struct type_def *def, struct err *err)
{
    struct member_row *row = arena_new(&env->arena, struct member_row);
    struct member *m;

    *row = (struct member_row){.type = def->row->name, .signature = def->row->values};
    if (!signature_read(env, def, row, &m, err))
        return false;
    m->owner = def;
    add_member(env, def, m);
    def->invoke = m;
    return true;
}

/* --- the environment ------------------------------------------------------------------------------------------------- */

static const struct type *
plain_type(struct expr_env *env, enum type_kind kind, const char *name)
{
    struct type *t = arena_new(&env->arena, struct type);

    *t = (struct type){.kind = kind, .name = str_from_c(name), .full_name = str_from_c(name), .env = env, .hooks = &object_hooks};
    return t;
}

static void
make_parameters(struct expr_env *env)
{
    for (uint32_t method = 0; method < 2; method++) {
        for (uint32_t i = 0; i < TYPE_PARAMETERS_MAX; i++) {
            struct type *t = (struct type *)plain_type(env, TYPE_PARAMETER, method ? "TMethod" : "T");
            t->flags = TYPE_IS_OPEN;
            t->index = i;
            t->is_method = method;
            env->parameters[method][i] = t;
        }
    }
}

static const struct type *
known(struct expr_env *env, const char *full_name)
{
    struct type_def *def = map_get(&env->by_full_name, str_from_c(full_name));

    ASSERT(def);
    return def->open;
}

/* object first: every other type inherits its hooks. */
static void
make_core_types(struct expr_env *env)
{
    struct core_types *c = &env->core;

    c->object = open_type(env, map_get(&env->by_full_name, STR("System.Object")));
    ((struct type_def *)c->object->def)->open = c->object;
    env->core.array_ = open_type(env, (struct type_def *)env->array);
    ((struct type_def *)env->array)->open = env->core.array_;
    for (size_t i = 0; i < env->defs.n; i++)
        if (!env->defs.v[i]->open)
            env->defs.v[i]->open = open_type(env, env->defs.v[i]);
}

static void
name_core_types(struct expr_env *env)
{
    struct core_types *c = &env->core;

    c->string = known(env, "System.String");
    c->bool_ = known(env, "System.Boolean");
    c->char_ = known(env, "System.Char");
    c->sbyte_ = known(env, "System.SByte");
    c->byte_ = known(env, "System.Byte");
    c->short_ = known(env, "System.Int16");
    c->ushort_ = known(env, "System.UInt16");
    c->int_ = known(env, "System.Int32");
    c->uint_ = known(env, "System.UInt32");
    c->long_ = known(env, "System.Int64");
    c->ulong_ = known(env, "System.UInt64");
    c->float_ = known(env, "System.Single");
    c->double_ = known(env, "System.Double");
    c->decimal_ = known(env, "System.Decimal");
    c->exception = known(env, "System.Exception");
    c->value_type = known(env, "System.ValueType");
    c->enum_ = known(env, "System.Enum");
    c->delegate_ = known(env, "System.Delegate");
    c->enumerable = known(env, "System.Collections.IEnumerable");
    c->disposable = known(env, "System.IDisposable");
    c->type_type = known(env, "System.Type");
    c->string_array = construct(env, env->array, &c->string, 1, 1, NULL);
    c->object_array = construct(env, env->array, &c->object, 1, 1, NULL);
    c->byte_array = construct(env, env->array, &c->byte_, 1, 1, NULL);
    c->char_array = construct(env, env->array, &c->char_, 1, 1, NULL);
    c->int_array = construct(env, env->array, &c->int_, 1, 1, NULL);
    env->enumerable_t = map_get(&env->by_full_name, STR("System.Collections.Generic.IEnumerable`1"));
    env->globals = map_get(&env->by_full_name, STR("<globals>"));
    for (uint32_t i = 2; i <= TUPLE_VALUES_MAX; i++) {
        char key[40];
        snprintf(key, sizeof(key), "System.ValueTuple`%u", i);
        env->tuple[i] = map_get(&env->by_full_name, str_from_c(key));
    }
    for (int i = 0; i < EXC_COUNT; i++)
        env->exceptions[i] = ((struct type_def *)map_get(&env->by_full_name, exception_type_name((enum exception_kind)i)))->open;
}

/* Later rows and values refer to earlier ones by name only, so all names come first. */
static bool
read_libraries(struct expr_env *env, const struct library *const *libraries, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < libraries[i]->n_types; j++)
            if (!add_def(env, &libraries[i]->types[j], err))
                return false;
    env->nullable = map_get(&env->by_full_name, STR("System.Nullable`1"));
    make_core_types(env);
    if (env->failed.code)
        return err_set(err, env->failed.code, "%s", env->failed.text);
    name_core_types(env);
    for (size_t i = 0; i < env->defs.n; i++)
        if (env->defs.v[i]->kind == TYPE_DELEGATE && !read_invoke(env, env->defs.v[i], err))
            return false;
    for (size_t i = 0; i < n; i++)
        if (!add_members(env, libraries[i], err))
            return false;
    return true;
}

struct expr_env *
expr_env_new(const struct library *const *libraries, size_t n, struct err *err)
{
    struct expr_env *env = xnew(struct expr_env);
    pthread_mutexattr_t attr;

    env->arena = ARENA(NULL, ENV_BYTES_MAX);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&env->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    env->core.error = plain_type(env, TYPE_ERROR, "?");
    env->core.void_ = plain_type(env, TYPE_VOID, "void");
    ((struct type *)env->core.void_)->full_name = STR("System.Void");
    env->core.null = plain_type(env, TYPE_NULL, "null");
    make_parameters(env);
    if (!read_libraries(env, libraries, n, err)) {
        expr_env_delete(env);
        return NULL;
    }
    return env;
}

void
expr_env_delete(struct expr_env *env)
{
    if (!env)
        return;
    for (size_t i = 0; i < env->defs.n; i++) {
        vec_free(&env->defs.v[i]->members);
        map_destroy(&env->defs.v[i]->by_name);
    }
    vec_free(&env->defs);
    map_destroy(&env->by_full_name);
    map_destroy(&env->by_short_name);
    map_destroy(&env->spaces);
    map_destroy(&env->extensions);
    free(env->table);
    pthread_mutex_destroy(&env->lock);
    arena_destroy(&env->arena);
    free(env);
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

const struct member *
def_member(const struct type_def *def, struct str name)
{
    return map_get(&def->by_name, name);
}

const struct type *
expr_env_type(const struct expr_env *env, uint32_t i)
{
    return i < env->defs.n ? env->defs.v[i]->open : NULL;
}

const struct member *
type_member(const struct type *t, uint32_t i)
{
    return t->def && i < t->def->members.n ? t->def->members.v[i] : NULL;
}

bool
type_enum_member(const struct type *t, uint32_t i, struct str *ret_name, int64_t *ret_value)
{
    if (!t->def || i >= t->def->n_values)
        return false;
    *ret_name = t->def->values[i].name;
    *ret_value = t->def->values[i].value;
    return true;
}

uint32_t
delegate_signature(const struct type *t, const struct type **parameters, uint32_t max, const struct type **ret_type)
{
    const struct member *invoke = t->def->invoke;

    if (!invoke)
        return 0;
    for (uint32_t i = 0; i < invoke->n_parameters && i < max; i++)
        parameters[i] = type_substitute(invoke->parameters[i].type, t->args, NULL);
    *ret_type = type_substitute(invoke->ret, t->args, NULL);
    return invoke->n_parameters;
}
