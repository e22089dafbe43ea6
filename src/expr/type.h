/* type.h: types as the compiler and the natives see them, and the rows that declare types and members.
 *
 *     type_row "System.Collections.Generic.List<T>"  ->  type_def (members, hooks)  ->  type List<int>, List<string>, ...
 *
 * A struct type is interned: within one environment two types are the same exactly when their pointers are. Types are made
 * on demand, by the compiler and at run time, by any worker (the environment locks), and live as long as the environment.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "expr/value.h"

struct expr_env;
struct member;
struct type_def;
struct arena;

enum type_kind {
    TYPE_ERROR,                       /* already reported; converts to and from anything */
    TYPE_VOID,
    TYPE_NULL,                        /* of the literal null */
    TYPE_BOOL, TYPE_CHAR, TYPE_SBYTE, TYPE_BYTE, TYPE_SHORT, TYPE_USHORT, TYPE_INT, TYPE_UINT, TYPE_LONG, TYPE_ULONG,
    TYPE_FLOAT, TYPE_DOUBLE, TYPE_DECIMAL,
    TYPE_STRUCT,                      /* other value types: DateTime, Guid, KeyValuePair<K,V> */
    TYPE_ENUM,
    TYPE_NULLABLE,                    /* args[0]? */
    TYPE_STRING, TYPE_OBJECT,
    TYPE_CLASS,
    TYPE_STATIC,                      /* static class: Math, Convert */
    TYPE_INTERFACE,
    TYPE_ARRAY,                       /* args[0][], rank */
    TYPE_DELEGATE,
    TYPE_PARAMETER,                   /* T of a generic type or method, in signatures only */
};

enum type_flags {
    TYPE_IS_REF_STRUCT = 1 << 0,      /* a struct kept behind a reference (value.h) */
    TYPE_IS_ANONYMOUS = 1 << 1,
    TYPE_IS_ABSTRACT = 1 << 2,        /* no `new` */
    TYPE_IS_OPEN = 1 << 3,            /* mentions a TYPE_PARAMETER */
    TYPE_IS_FLAGS = 1 << 4,           /* enum with [Flags] */
    TYPE_IS_EXTRA = 1 << 5,           /* ours or the toolkit's, not on Azure's list: a strict warning */
    TYPE_IS_LATER = 1 << 6,           /* known by name, refused as not supported yet */
    TYPE_IS_HIDDEN = 1 << 7,          /* cannot be named in an expression */
    TYPE_IS_TUPLE = 1 << 8,           /* System.ValueTuple */
    TYPE_IS_IMPORTED = 1 << 10,       /* may be named without its namespace, which is not imported */
    TYPE_IS_COVARIANT = 1 << 9,       /* interface whose parameters are all `out`: IEnumerable<T> */
};

/* What a type does that is not a member. A missing hook is inherited from the base class, at the end from Object:
 * equality by reference (boxes, enums and records by value), name of the type as text, no order.
 * `v` is the value as the static type keeps it (not boxed); `type` is its run-time type. False: an exception was thrown. */
struct type_hooks {
    /* `as` is the IEnumerable<T> (or IEnumerable) asked for, for types that are several. */
    bool (*iterate)(struct call *c, struct object *self, const struct type *as, struct iterator *it);
    /* How many elements that is, of collections that know without walking. */
    int64_t (*count)(const struct object *self);
    /* ICollection<T>.Contains of collections that look up by a comparer of their own; v is a T. */
    bool (*contains)(struct call *c, struct object *self, struct value v, bool *ret);
    bool (*equals)(struct call *c, const struct type *type, struct value a, struct value b, bool *ret);
    bool (*hash)(struct call *c, const struct type *type, struct value v, int32_t *ret);
    /* <0, 0, >0: IComparable. */
    bool (*compare)(struct call *c, const struct type *type, struct value a, struct value b, int *ret);
    /* ToString() when format is STR_NONE or empty, else IFormattable's with that format. */
    bool (*to_string)(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret);
    /* IDisposable; `using` calls it. */
    bool (*dispose)(struct call *c, struct object *self);
};

struct type {
    enum type_kind kind;
    uint16_t flags;
    uint8_t rank;                     /* of an array */
    uint8_t n_args;
    const struct type_def *def;       /* NULL: void, null, error, T */
    const struct type *const *args;   /* List<int>: int; int[]: int; int?: int; of anonymous types and tuples the fields */
    const struct type *base;          /* constructed; NULL for object and interfaces */
    const struct type *const *interfaces;   /* all of them, inherited ones included */
    uint32_t n_interfaces;
    uint32_t index;                   /* of a TYPE_PARAMETER: position; method parameters have is_method set */
    bool is_method;
    const struct type_hooks *hooks;   /* never NULL; inherited ones filled in */
    const struct str *field_names;    /* n_args of them: anonymous types and named tuples; else NULL */
    struct str name;                  /* as C# writes it: List<int>, string[], int? */
    struct str full_name;             /* as Type.ToString() writes it: System.Collections.Generic.List`1[System.Int32] */
    const struct expr_env *env;
};

/* --- rows ---------------------------------------------------------------------------------------------------------- */

typedef bool native_fn(struct call *c);

/* What a call site knows at compile time. constant[i] is NULL for an argument that is no constant. */
struct prepare {
    const struct expr_env *env;
    const struct value *const *constant;
    uint32_t n;
    struct arena *arena;              /* of the program: use arena_defer() for what malloc owns */
};

struct member_row {
    const char *type;                 /* "String", "List<T>", or the full name where the short one is not unique */
    const char *signature;
    native_fn *fn;                    /* NULL in an interface or abstract class: found by the receiver's own type */
    native_fn *set;                   /* of a property or indexer that can be assigned */
    uint32_t flags;                   /* enum member_flags: MEMBER_IS_EXTRA, MEMBER_IS_LATER */
    /* Optional: work done once for a call site with constant arguments (compile a literal Regex). Its result is
     * c->prepared; NULL means none. Never fails: what is wrong with the constants is thrown when the call runs. */
    const void *(*prepare)(const struct prepare *p);
};

enum member_flags {
    MEMBER_IS_EXTRA = 1 << 0,         /* Azure lacks it: `check --strict` warns */
    MEMBER_IS_LATER = 1 << 1,         /* "not supported yet" */
    MEMBER_IS_STATIC = 1 << 2,        /* this and the following are read from the signature */
    MEMBER_IS_EXTENSION = 1 << 3,
    MEMBER_IS_PARAMS = 1 << 4,
    MEMBER_HAS_SETTER = 1 << 5,
    MEMBER_IS_PURE = 1 << 6,          /* may be called at compile time on constants (decimal arithmetic) */
    MEMBER_IS_EXPLICIT = 1 << 7,      /* implements an interface's member and is reached through that interface alone */
};

/* Rows of a static const struct member_row array. The signature is a C# member declaration:
 *   "int IndexOf(char value, int startIndex)"             method
 *   "static bool TryParse(string s, out int result)"      out: the native writes c->args[1]
 *   "static string Join(string separator, params string[] value)"
 *   "T As<T>(bool preserveContent = false)"               generic; defaults are literals, `null` or `default`
 *   "static IEnumerable<R> Select<T,R>(this IEnumerable<T> source, Func<T,R> selector)"   extension
 *   "new(int year, int month, int day)"                   constructor: the native sets c->ret
 *   "int Length { get; }"   "string Value { get; set; }"  property (P with two functions when it can be set)
 *   "char this[int index] { get; }"                       indexer
 *   "static string Empty { get; }"                        static property or field
 *   "const int MaxValue = 2147483647"                     constant, no native: CONSTANT(type, signature)
 *   "static implicit operator JToken(string value)"   "static explicit operator int(JToken value)"
 *   "static bool operator ==(Uri a, Uri b)"   "static TimeSpan operator -(DateTime a, DateTime b)"
 * Types in signatures are written as in an expression; every namespace is searched. */
#define M(type, signature, fn) {type, signature, fn, NULL, 0, NULL}
#define P(type, signature, get, set) {type, signature, get, set, 0, NULL}
#define CONSTANT(type, signature) {type, signature, NULL, NULL, 0, NULL}
#define M_PURE(type, signature, fn) {type, signature, fn, NULL, MEMBER_IS_PURE, NULL}
#define M_PREPARED(type, signature, fn, prepare) {type, signature, fn, NULL, 0, prepare}
#define M_EXTRA(type, signature, fn) {type, signature, fn, NULL, MEMBER_IS_EXTRA, NULL}
#define M_EXPLICIT(type, signature, fn) {type, signature, fn, NULL, MEMBER_IS_EXPLICIT, NULL}
#define M_LATER(type, signature) {type, signature, NULL, NULL, MEMBER_IS_LATER, NULL}

struct type_row {
    enum type_kind kind;              /* CLASS, STRUCT, ENUM, STATIC, INTERFACE, DELEGATE; ERROR: adds hooks to a known type */
    const char *name;                 /* full: "System.Collections.Generic.List<T>" */
    const char *base;                 /* "Stream", "KeyedCollection<K,V>"; NULL: object */
    const char *interfaces;           /* "IList<T>, IReadOnlyList<T>"; NULL: none. Inherited ones need not be repeated */
    const struct type_hooks *hooks;   /* may be NULL */
    uint32_t flags;                   /* enum type_flags */
    const char *values;               /* enum: "None = 0, RemoveEmptyEntries = 1"; delegate: "TResult Invoke(T arg)" */
};

#define CLASS(name, base, interfaces, hooks) {TYPE_CLASS, name, base, interfaces, hooks, 0, NULL}
#define CLASS_ABSTRACT(name, base, interfaces, hooks) {TYPE_CLASS, name, base, interfaces, hooks, TYPE_IS_ABSTRACT, NULL}
#define STATIC_CLASS(name) {TYPE_STATIC, name, NULL, NULL, NULL, 0, NULL}
/* Kept in the 16 bytes of a struct value. */
#define STRUCT(name, interfaces, hooks) {TYPE_STRUCT, name, NULL, interfaces, hooks, 0, NULL}
/* Kept behind a reference, as a struct record or an own struct; NULL is its default value. */
#define REF_STRUCT(name, interfaces, hooks) {TYPE_STRUCT, name, NULL, interfaces, hooks, TYPE_IS_REF_STRUCT, NULL}
#define INTERFACE(name, interfaces) {TYPE_INTERFACE, name, NULL, interfaces, NULL, 0, NULL}
#define ENUM(name, values) {TYPE_ENUM, name, NULL, NULL, NULL, 0, values}
#define ENUM_FLAGS(name, values) {TYPE_ENUM, name, NULL, NULL, NULL, TYPE_IS_FLAGS, values}
#define DELEGATE(name, invoke) {TYPE_DELEGATE, name, NULL, NULL, NULL, 0, invoke}
/* Hooks for a type that expr/core.c declares (object, string, the numbers, arrays, Nullable, Enum, exceptions). */
#define HOOKS(name, hooks) {TYPE_ERROR, name, NULL, NULL, hooks, 0, NULL}
#define TYPE_LATER(name) {TYPE_CLASS, name, NULL, NULL, NULL, TYPE_IS_LATER, NULL}

/* One family: what a file of src/clr exports and clr/clr.c lists. */
struct library {
    const char *name;
    const struct type_row *types;
    size_t n_types;
    const struct member_row *members;
    size_t n_members;
};
#define LIBRARY(name, types, members) {name, types, COUNTOF(types), members, COUNTOF(members)}

/* --- asking -------------------------------------------------------------------------------------------------------- */

/* The well-known types, without a search. */
struct core_types {
    const struct type *error, *void_, *null, *object, *string, *bool_, *char_, *sbyte_, *byte_, *short_, *ushort_, *int_,
        *uint_, *long_, *ulong_, *float_, *double_, *decimal_, *string_array, *object_array, *byte_array, *char_array,
        *int_array, *exception, *value_type, *enum_, *array_, *delegate_, *enumerable /* IEnumerable */, *disposable,
        *type_type /* System.Type: one is a box whose v.ref is the struct type */;
};
const struct core_types *core_types(const struct expr_env *env);

/* By full name without arguments ("System.Uri", "System.Collections.Generic.List"), with its arguments. NULL: no such
 * definition or another number of arguments. Hashes the name: keep the result where it is asked for often. */
const struct type *type_find(const struct expr_env *env, struct str full_name, const struct type *const *args, uint32_t n);
#define type_find_lit(env, lit, ...) \
    type_find((env), STR(lit), (const struct type *const[]){__VA_ARGS__}, \
              sizeof((const struct type *const[]){__VA_ARGS__}) / sizeof(const struct type *))
/* By the name that full_name has, arguments and [] included. NULL when nothing here has that name; types without a definition of
 * their own (anonymous ones, rectangular arrays) have none. */
const struct type *type_of_full_name(const struct expr_env *env, struct str full_name);
/* A type whose full_name begins so; an array, whose name begins with its element's, is not one. */
static inline bool
type_begins(const struct type *t, struct str prefix)
{
    return t->kind != TYPE_ARRAY && str_starts_with(t->full_name, prefix);
}

/* Another instantiation of a type's definition: type_with_args(List<int>, string) is List<string>. */
const struct type *type_with_args(const struct type *like, const struct type *const *args, uint32_t n);
const struct type *type_array_of(const struct type *element);
/* int -> int?; a type that is nullable already, or a reference, is returned as it is. */
const struct type *type_nullable_of(const struct type *t);
/* int? -> int; others as they are. */
const struct type *type_strip_nullable(const struct type *t);
/* The IEnumerable<T> a type implements: T, the first one found; NULL when none. */
const struct type *type_element(const struct type *t);
/* The instantiation of an interface or base class (given by any of its instantiations) that t is; NULL when it is none. */
const struct type *type_find_base(const struct type *t, const struct type_def *def);

bool type_is_reference(const struct type *t);      /* in C#'s sense: classes, interfaces, arrays, delegates, string, object */
bool type_is_value_type(const struct type *t);     /* in C#'s sense; int? is one */
bool type_is_kept_in_ref(const struct type *t);    /* references, nullables and ref structs */
bool type_is_numeric(const struct type *t);        /* char and enums are not */
bool type_is_integral(const struct type *t);       /* char is one here */
/* Tuples of the same items, whatever the names of the items: one type to .NET. */
bool type_is_same_tuple(const struct type *a, const struct type *b);
/* Reference conversion, identity or boxing without a change of the value: what `is` asks of a run-time type. */
bool type_is_assignable(const struct type *from, const struct type *to);
/* Same as from's run-time type for an object; NULL gives NULL. */
static inline const struct type *
object_type(const struct object *o)
{
    return o ? o->type : NULL;
}

/* Enum members in order of declaration; false past the end. */
bool type_enum_member(const struct type *t, uint32_t i, struct str *ret_name, int64_t *ret_value);
/* A member of a definition: the i-th declared one; NULL past the end. For manuals and reflection-like natives. */
const struct member *type_member(const struct type *t, uint32_t i);
