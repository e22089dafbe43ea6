/* value.h: what a C# value is at run time: 16 untagged bytes, or a reference to an object in the run's arena.
 *
 *     struct value   i64    bool char sbyte byte short ushort int uint long ulong and every enum (widened to 64 bits;
 *                           unsigned ones zero-extended, ulong as its bits)
 *                    f64 f32
 *                    lo hi  128 bits: decimal, DateTime, DateTimeOffset, TimeSpan (lo), Guid: the file that owns the type says how
 *                    ref    objects; NULL is null
 *     Nullable<T>    ref: NULL, or an immutable box of T; so boxing a nullable costs nothing
 *     other structs  (KeyValuePair, ValueTuple; TYPE_IS_REF_STRUCT) ref to an immutable object; NULL is the default value
 *
 * Static types know which; a tag is needed only behind a reference, and there it is the object's type.
 * Ownership: objects live in the arena of the run and die with it. Constants of a program live as long as the program and
 * are shared by all workers, so an object is never changed by somebody who did not make it (but collections, by their user).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

struct type;
struct call;
struct object;
struct function;

struct value {
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        float f32;
        struct object *ref;
        struct {
            uint64_t lo, hi;
        };
    };
};
_Static_assert(sizeof(struct value) == 16, "registers and elements are 16 bytes");

/* First member of every heap object. The type is the instantiated one: List<int>, not List<T>. */
struct object {
    const struct type *type;
};

/* WTF-8 (lone surrogates exist). May point into request memory or a literal: nobody frees or changes it. */
struct string {
    struct object head;
    const char *p;
    uint32_t size;                    /* bytes */
    uint32_t units;                   /* UTF-16 code units, which is Length; == size exactly when the text is ASCII */
    const uint16_t *wide;             /* the units of a non-ASCII text, made by string_wide() at first need; else NULL */
};

struct box {
    struct object head;               /* type of v: System.Int32 ... */
    struct value v;
};

/* Elements of type->args[0]. byte[] keeps one byte each. A rectangular array (type->rank > 1) is stored row by row. */
struct array {
    struct object head;
    uint32_t n;                       /* elements in all */
    bool is_bytes;                    /* u.bytes, otherwise u.v */
    union {
        struct value *v;
        uint8_t *bytes;
    } u;
    const uint32_t *lengths;          /* of each dimension; NULL when rank is 1 */
};

/* Fields by position: anonymous types, System.Tuple, System.ValueTuple, KeyValuePair. As many as type->n_args. */
struct record {
    struct object head;
    struct value v[];
};

/* A lambda or method group bound to what it captured. Call it with call_invoke(). */
struct delegate {
    struct object head;               /* Func<int, bool> ... */
    const struct function *function;  /* bytecode; NULL: a native member */
    struct value *captured;           /* of the bytecode function */
    const struct member *member;      /* native method group */
    struct value target;              /* its receiver, when it has one */
    bool has_target;
    const struct type *owner;         /* constructed type of the member, for struct call */
    const struct type *const *type_args;
    struct delegate *first, *second;  /* a + b: both are called, the second one's result counts; else NULL */
};

struct exception {
    struct object head;               /* System.FormatException ... */
    struct string *message;           /* never NULL */
    struct string *parameter;         /* ArgumentException.ParamName; may be NULL */
    struct exception *inner;          /* may be NULL */
    struct string *source, *help_link;    /* as set; may be NULL */
    struct object *actual;            /* ArgumentOutOfRangeException.ActualValue; may be NULL */
};

/* Walks an IEnumerable<T>. Whoever fills it chooses the use of state; it may be copied while not running. */
struct iterator {
    /* 1: *ret is the next element; 0: the end; -1: an exception was thrown. */
    int (*next)(struct call *c, struct iterator *it, struct value *ret);
    struct object *self;              /* the sequence */
    union {
        uint64_t u64;
        int64_t i64;
        void *p;
    } state[4];
};

/* A sequence computed on demand (LINQ): begin an own struct with this and give it the type IEnumerable<T>. */
struct sequence {
    struct object head;
    bool (*iterate)(struct call *c, struct sequence *self, struct iterator *it);
};

static inline struct value
value_i64(int64_t i)
{
    return (struct value){.lo = (uint64_t)i, .hi = 0};
}

static inline struct value
value_bool(bool b)
{
    return value_i64(b);
}

static inline struct value
value_f64(double d)
{
    struct value v = {.lo = 0, .hi = 0};
    v.f64 = d;
    return v;
}

static inline struct value
value_f32(float f)
{
    struct value v = {.lo = 0, .hi = 0};
    v.f32 = f;
    return v;
}

/* Any pointer to a struct that begins with struct object. */
static inline struct value
value_ref(const void *object)
{
    return (struct value){.lo = (uint64_t)(uintptr_t)object, .hi = 0};
}

static inline struct str
string_str(const struct string *s)
{
    return (struct str){s->p, s->size};
}

static inline bool
string_is_ascii(const struct string *s)
{
    return s->units == s->size;
}

static inline struct value
array_get(const struct array *a, uint32_t i)
{
    return a->is_bytes ? value_i64(a->u.bytes[i]) : a->u.v[i];
}

/* Unchecked: v must be what the array's own element type holds. */
static inline void
array_set(struct array *a, uint32_t i, struct value v)
{
    if (a->is_bytes)
        a->u.bytes[i] = (uint8_t)v.i64;
    else
        a->u.v[i] = v;
}
