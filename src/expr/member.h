/* member.h: definitions of types and their members, read from the rows once: what the compiler searches.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "base/vec.h"
#include "expr/ast.h"
#include "expr/program.h"
#include "expr/type.h"

#define TYPE_PARAMETERS_MAX 17            /* Func<...> has sixteen parameters and a result */
#define TUPLE_VALUES_MAX 7

enum member_kind { MEMBER_METHOD, MEMBER_CONSTRUCTOR, MEMBER_PROPERTY, MEMBER_INDEXER, MEMBER_OPERATOR, MEMBER_CONVERSION,
                   MEMBER_CONSTANT };

struct parameter {
    struct str name;
    const struct type *type;          /* may be open */
    enum token_kind op;               /* OUT, REF, PARAMS, THIS or END */
    bool has_default;
    const struct node *default_value; /* NULL: default of the type */
};

struct member {
    enum member_kind kind;
    uint32_t flags;                   /* enum member_flags */
    struct str name;                  /* "IndexOf", "operator ==", "op_Implicit", "this", ".ctor" */
    const struct type_def *owner;
    const struct type *ret;           /* may be open; of a constructor the open type itself */
    struct parameter *parameters;     /* an extension's first one is its receiver */
    uint32_t n_parameters;
    uint32_t n_type_parameters;
    struct str *type_parameters;
    const struct type **constraints;  /* "where T : X", by type parameter; NULL: none */
    native_fn *fn, *set;
    const struct member_row *row;
    struct value constant;            /* of a CONSTANT; strings as struct string * */
    bool is_implicit;                 /* conversion */
    struct member *next_same_name;    /* in its type, or among extensions */
};

struct type_def {
    const struct type_row *row;
    struct expr_env *env;
    enum type_kind kind;
    uint32_t flags;
    struct str name, space, full_name;      /* "List", "System.Collections.Generic", both joined */
    uint32_t n_parameters;
    struct str parameters[TYPE_PARAMETERS_MAX];
    uint32_t in, out;                 /* a bit for each contravariant or covariant parameter: Func<in T, out R> */
    const struct type *open;          /* List<T> itself */
    const struct type *base;          /* may be open */
    const struct type *const *interfaces;
    uint32_t n_interfaces;
    const struct type_hooks *hooks;   /* may be NULL */
    VEC(struct member *) members;
    struct map by_name;               /* first member of that name */
    struct enum_value {
        struct str name;
        int64_t value;
    } *values;
    uint32_t n_values;
    const struct member *invoke;      /* of a delegate */
    bool is_finished;                 /* base and interfaces are read */
    struct type_def *next_same_name;  /* same short name and arity, another namespace */
    struct str const *field_names;    /* of an anonymous type */
};

struct expr_env {
    struct arena arena;               /* all that follows; guarded by lock after the environment is made */
    pthread_mutex_t lock;
    struct map by_full_name;          /* "System.Collections.Generic.List`1" -> type_def */
    struct map by_short_name;         /* "List`1" -> type_def, chained */
    struct map spaces;                /* "System", "System.Collections" ... */
    struct map extensions;            /* name -> member, chained */
    VEC(struct type_def *) defs;
    VEC(const struct type *) order;   /* in order of rows, for expr_env_type() */
    struct type **table;              /* constructed types by definition and arguments */
    uint32_t table_n, table_cap;
    const struct type *parameters[2][TYPE_PARAMETERS_MAX];
    struct core_types core;
    struct err failed;                /* while rows are read */
    struct tokens tokens;             /* likewise: of the signature at hand, in room that the next one takes over */
    const struct type_def *nullable, *array, *enumerable_t, *globals, *tuple[TUPLE_VALUES_MAX + 1];
    const struct type *exceptions[EXC_COUNT];
};

/* signature.c: reads one row into a member of def. */
bool signature_read(struct expr_env *env, struct type_def *def, const struct member_row *row, struct member **ret,
                    struct err *err);

/* resolve.c: types as written. In signatures every namespace is searched; in expressions the imported ones. */
struct type_scope {
    struct expr_env *env;
    bool is_signature;
    const struct type_def *owner;     /* its parameters are in scope; may be NULL */
    const struct member *method;      /* likewise */
    const struct text_map *map;
    struct diags *diags;              /* NULL: quiet */
    bool is_strict;
};
/* Reports and returns core.error when there is no such type. */
const struct type *resolve_type(struct type_scope *scope, const struct node *n);
/* A simple or qualified name as a type, quietly: NULL when it is none. */
const struct type_def *resolve_simple(const struct type_scope *scope, struct str name, uint32_t n_arguments);
const struct type_def *resolve_qualified(const struct type_scope *scope, struct str space, struct str name, uint32_t n);

/* env.c */
const struct type *type_construct(const struct type_def *def, const struct type *const *args, uint32_t n, uint8_t rank,
                                  const struct str *field_names);
/* Replaces the parameters of the owner and of the method; either may be NULL when there are none (they stay then). */
const struct type *type_substitute(const struct type *t, const struct type *const *owner_args,
                                   const struct type *const *method_args);
const struct type *type_array_rank(const struct type *element, uint8_t rank);
/* new { names } with these types. */
const struct type *type_anonymous(struct expr_env *env, const struct str *names, const struct type *const *types, uint32_t n);
const struct type *type_tuple(struct expr_env *env, const struct str *names, const struct type *const *types, uint32_t n);
const struct member *def_member(const struct type_def *def, struct str name);
/* The delegate's Invoke with the instantiation's types: parameters[], returns the number; ret_type its result. */
uint32_t delegate_signature(const struct type *t, const struct type **parameters, uint32_t max, const struct type **ret_type);
