/* native.h: how a native member of the .NET library is written.
 *
 *     static bool
 *     string_contains(struct call *c)                      M("String", "bool Contains(string value)", string_contains)
 *     {
 *         struct string *self = call_string(c, 0), *value = call_string(c, 1);
 *
 *         if (!value)
 *             return throw_argument_null(c, "value");
 *         return return_bool(c, str_find(string_str(self), string_str(value), 0) >= 0);
 *     }
 *
 * The receiver is args[0] and never NULL for an instance member of a reference type (the VM has thrown already); for an
 * extension method it may be. An `out` or `ref` argument is read and written in c->args[i]. A constructor returns the
 * new object. False means that an exception (or a budget) is on its way: return at once.
 * A native may yield (a body read, a lambda that does): values stay valid, but a collection may have changed.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "expr/type.h"
#include "expr/value.h"

struct rand;
struct annotation;

/* The host's on_slice() is called this often. */
#define EXPR_SLICE_STEPS 100000

enum exception_kind {
#define EXCEPTION(name, full, base, message) EXC_##name,
#include "expr/exceptions.def"
#undef EXCEPTION
    EXC_COUNT
};

/* Budgets of one run. Exceeding one ends the run, no `catch` sees it. */
enum expr_budget {
    BUDGET_NONE,
    BUDGET_STEPS,                     /* instructions, elements visited, bytes copied / 64 */
    BUDGET_BYTES,                     /* arena memory */
    BUDGET_DEPTH,                     /* calls inside calls */
    BUDGET_REGEX,                     /* matching steps of regular expressions */
    BUDGET_OUTPUT,                    /* size of the result's text */
    BUDGET_CANCELLED,                 /* the host wants it to end (deadline, shutdown) */
};

struct expr_limits {
    int64_t steps;                    /* 50,000,000 */
    int64_t bytes;                    /* 64 MiB */
    uint32_t depth;                   /* 100 */
    int64_t regex_steps;              /* 10,000,000 a match */
    uint32_t regex_timeout_ms;        /* 1,000: of a match without a timeout of its own */
    uint32_t output_bytes;            /* 32 MiB */
};
/* The defaults above. */
extern const struct expr_limits expr_limits_default;

/* One run, or several in sequence on one arena: a request keeps one. Fill with expr_run_init() (program.h), then set the
 * host's fields. */
struct expr_run {
    struct arena *arena;
    const struct expr_env *env;
    const struct expr_limits *limits;
    /* Set by the host. */
    void *host;                       /* struct exchange *, or NULL under `headgate eval` */
    struct rand *rand;                /* for Random, Guid.NewGuid (secrets use rand_secret()) */
    uint64_t (*wall_ns)(struct expr_run *run);        /* 1970 based; NULL: the machine's clock */
    bool (*trusts)(struct expr_run *run, struct str der, bool *ret);  /* a certificate, now; false: it cannot be told. May yield. NULL: the machine's CAs */
    bool (*on_slice)(struct expr_run *run);           /* called every EXPR_SLICE_STEPS steps; may yield; false ends the run */
    /* Written by the VM and natives. */
    int64_t steps_left, bytes_left, slice_left;
    uint32_t depth;                   /* calls, and natives inside each other through values and sequences */
    enum expr_budget exceeded;
    struct exception *exception;      /* thrown and not caught yet */
    struct value *stack, *stack_end;  /* registers: what is free in the newest chunk */
    struct stack_chunk *chunk;        /* vm.c */
    struct annotation *annotations;   /* clr/annotations.h */
};

struct call {
    struct expr_run *run;
    struct value *args;               /* receiver first */
    uint32_t n_args;                  /* with the receiver; defaults and params array are filled in */
    struct value ret;
    const struct type *owner;         /* constructed type that declares the member: List<int>; the one to make by `new` */
    const struct type *const *type_args;   /* of the generic method, in order of declaration: Select<T,R>: T, R */
    const struct type *ret_type;      /* constructed: int[] for ToArray<int>; what c->ret must be of */
    const struct member *member;
    const void *prepared;             /* of this call site (struct member_row.prepare), or NULL */
};

/* --- memory -------------------------------------------------------------------------------------------------------- */

/* size bytes from the arena, charged to the budget; NULL after it is exceeded (then return false). Zeroed. Aligned 16. */
void *call_alloc(struct call *c, size_t size);
/* An object of a struct that begins with struct object; zeroed, with its type set. */
#define object_new(c, type, struct_type) ((struct_type *)object_new_((c), (type), sizeof(struct_type)))
void *object_new_(struct call *c, const struct type *type, size_t size);
/* Before a native goes into a value of any type, whose parts may lead to further ones: the C stack is bounded as the depth of calls
 * is. False when the budget is exceeded; call_leave() only after true. */
bool call_enter(struct call *c);
void call_leave(struct call *c);
/* n steps of work that depends on data. False when the budget is exceeded. May yield. */
bool call_charge(struct call *c, uint64_t steps);

/* --- strings ------------------------------------------------------------------------------------------------------- */

/* Copies. NULL after a budget was exceeded, as all that make objects. */
struct string *string_new(struct call *c, struct str text);
/* Keeps the bytes where they are: for literals, parts of other strings and request memory of the same lifetime. */
struct string *string_view(struct call *c, struct str text);
/* The same for text known to be ASCII, or with known units. */
struct string *string_view_units(struct call *c, struct str text, uint32_t units);
#define string_lit(c, lit) string_view_units((c), STR(lit), sizeof(lit) - 1)
struct string *string_printf(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A buffer in the run's arena, and the string made of it; NULL when it failed. */
struct buf call_buf(struct call *c);
/* Ends the run because a call_buf() is full: by the size of texts, or by the memory where that was nearer. Returns false. */
bool call_exceed_buf(struct call *c, const struct buf *b);
struct string *string_from_buf(struct call *c, struct buf *b);
/* The UTF-16 units of a string that is not ASCII, made once; NULL only when the budget is exceeded. */
const uint16_t *string_wide(struct call *c, struct string *s);
/* Units [at, at + n) as a string: a view for ASCII, cut at code units else (surrogates may be left alone). In range. */
struct string *string_slice(struct call *c, struct string *s, uint32_t at, uint32_t n);
/* The unit at i, which is in range; -1 only when the budget is exceeded. */
int string_unit(struct call *c, struct string *s, uint32_t i);
/* UTF-16 back to WTF-8; joined surrogate pairs become one character. */
struct string *string_from_units(struct call *c, const uint16_t *units, uint32_t n);
static inline bool
string_eq(const struct string *a, const struct string *b)
{
    return a == b || (a && b && a->size == b->size && memcmp(a->p, b->p, a->size) == 0);
}

/* --- other objects -------------------------------------------------------------------------------------------------- */

/* Elements are zeroed: the default of every type. */
struct array *array_new(struct call *c, const struct type *array_type, uint32_t n);
/* Whether v may stand in it: an object[] may be a string[] in truth. */
static inline bool
array_takes(const struct array *a, struct value v)
{
    const struct type *element = a->head.type->args[0];

    return !v.ref || !type_is_reference(element) || v.ref->type == element || type_is_assignable(v.ref->type, element);
}

/* Into an array that came as an argument. False after throwing ArrayTypeMismatchException. */
bool array_store(struct call *c, struct array *a, uint32_t i, struct value v);
/* The same as Array.Copy does it: InvalidCastException. */
bool array_store_cast(struct call *c, struct array *a, uint32_t i, struct value v);
struct array *array_of_bytes(struct call *c, const void *p, uint32_t n);     /* copies */
struct array *array_of_strings(struct call *c, const struct str *v, uint32_t n);
struct record *record_new(struct call *c, const struct type *type);
/* A value as an object: boxes value types, leaves references (and nullables) as they are. False when out of budget. */
bool value_box(struct call *c, const struct type *type, struct value v, struct object **ret);
/* True for the objects that value_box() makes of what is kept in the 16 bytes (numbers, dates, enums ...). */
bool object_is_box(const struct object *o);
/* What was boxed: of a box its value, of other objects the reference itself. Goes with o->type. */
static inline struct value
value_unbox(struct object *o)
{
    return o && object_is_box(o) ? ((struct box *)o)->v : value_ref(o);
}

/* --- generic operations: dispatch on the run-time type through its hooks; null-safe ------------------------------- */

/* Object.Equals(a, b) for two values kept as `type`. */
bool value_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret);
bool value_hash(struct call *c, const struct type *type, struct value v, int32_t *ret);
/* Comparer<T>.Default: null first; throws InvalidOperation/Argument when the type has no order. */
bool value_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret);
/* ToString(); null gives "" (as concatenation does). format STR_NONE: none. */
bool value_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret);

/* --- sequences ------------------------------------------------------------------------------------------------------ */

/* Begins to walk an IEnumerable<T>. `as` may be NULL: the type's first one. o must not be NULL. */
bool iterate(struct call *c, struct object *o, const struct type *as, struct iterator *it);
/* 1, 0, -1 as struct iterator; charges one step. */
int iterate_next(struct call *c, struct iterator *it, struct value *ret);

/* --- lambdas -------------------------------------------------------------------------------------------------------- */

/* Calls a delegate (throws NullReference for NULL). ret may be NULL. May yield: look at your collection again. */
bool call_invoke(struct call *c, struct object *delegate, const struct value *args, uint32_t n, struct value *ret);

/* --- exceptions: all return false ----------------------------------------------------------------------------------- */

bool call_throw(struct call *c, enum exception_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* With the kind's default message. */
bool call_throw_default(struct call *c, enum exception_kind kind);
bool throw_null_reference(struct call *c);
/* "Value cannot be null.\nParameter name: s" */
bool throw_argument_null(struct call *c, const char *parameter);
/* MESSAGE + "\nParameter name: parameter"; parameter may be NULL. */
bool throw_argument(struct call *c, const char *parameter, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool throw_argument_range(struct call *c, const char *parameter, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool throw_invalid_cast(struct call *c, const struct type *from, const struct type *to);
/* Ends the run. */
bool call_exceed(struct call *c, enum expr_budget budget);
/* "steps", "memory", ... and the name of its setting, for messages. */
const char *expr_budget_name(enum expr_budget budget);

/* --- arguments and results ------------------------------------------------------------------------------------------ */

static inline struct string *
call_string(const struct call *c, uint32_t i)
{
    return (struct string *)c->args[i].ref;
}

static inline int32_t
call_i32(const struct call *c, uint32_t i)
{
    return (int32_t)c->args[i].i64;
}

static inline bool
call_bool(const struct call *c, uint32_t i)
{
    return c->args[i].i64 != 0;
}

static inline bool
return_bool(struct call *c, bool b)
{
    c->ret = value_i64(b);
    return true;
}

static inline bool
return_i64(struct call *c, int64_t i)
{
    c->ret = value_i64(i);
    return true;
}

static inline bool
return_f64(struct call *c, double d)
{
    c->ret = value_f64(d);
    return true;
}

/* Any object. NULL is null: natives whose maker failed use return_new(). */
static inline bool
return_ref(struct call *c, const void *object)
{
    c->ret = value_ref(object);
    return true;
}

/* A new object; false when it is NULL, because then the budget is exceeded. */
static inline bool
return_new(struct call *c, const void *object)
{
    c->ret = value_ref(object);
    return object != NULL;
}
