/* core.c: the types that the language itself needs. src/clr adds their members (rows for "String", "Int32" ...) and hooks
 * (HOOKS("System.Int32", &int32_hooks)); what stands here is known to the compiler by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/core.h"

static const struct str exception_names[] = {
#define EXCEPTION(name, full, base, message) STR_INIT(full),
#include "expr/exceptions.def"
#undef EXCEPTION
};

struct str
exception_type_name(enum exception_kind kind)
{
    return exception_names[kind];
}

static bool
exception_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct exception *e = (struct exception *)v.ref;
    struct string *inner = NULL;
    struct str text = string_str(e->message);

    if (e->inner && !exception_to_string(c, e->inner->head.type, value_ref(e->inner), format, &inner))
        return false;
    *ret = string_printf(c, "%.*s%s%.*s%s%.*s%s", STR_ARG(type->full_name), text.len ? ": " : "", STR_ARG(text), inner ? " ---> " : "",
                         STR_ARG(inner ? string_str(inner) : STR("")), inner ? "\n   --- End of inner exception stack trace ---" : "");
    return *ret != NULL;
}

/* --- delegates -------------------------------------------------------------------------------------------------------------- */

static struct delegate *
combined(struct call *c, struct delegate *a, struct delegate *b)
{
    struct delegate *d;

    if (!a || !b)
        return a ? a : b;
    d = object_new(c, a->head.type, struct delegate);
    if (d) {
        d->first = a;
        d->second = b;
    }
    return d;
}

static bool
delegate_combine(struct call *c)
{
    struct delegate *d = combined(c, (struct delegate *)c->args[0].ref, (struct delegate *)c->args[1].ref);

    return d || (!c->args[0].ref && !c->args[1].ref) ? return_ref(c, d) : false;
}

static bool
is_same_delegate(const struct delegate *a, const struct delegate *b)
{
    return a == b || (!a->first && !b->first && a->function == b->function && a->captured == b->captured && a->member == b->member &&
                      a->target.ref == b->target.ref);
}

/* a without the last b in it. */
static bool
without(struct call *c, struct delegate *a, const struct delegate *b, struct delegate **ret)
{
    struct delegate *rest;

    if (is_same_delegate(a, b)) {
        *ret = NULL;
    } else if (!a->first) {
        *ret = a;
    } else if (is_same_delegate(a->second, b)) {
        *ret = a->first;
    } else {
        if (!call_charge(c, 1) || !without(c, a->first, b, &rest))
            return false;
        *ret = rest == a->first ? a : combined(c, rest, a->second);
        return *ret != NULL;
    }
    return true;
}

static bool
delegate_remove(struct call *c)
{
    struct delegate *a = (struct delegate *)c->args[0].ref, *b = (struct delegate *)c->args[1].ref, *d = a;

    if (a && b && !without(c, a, b, &d))
        return false;
    return return_ref(c, d);
}

static const struct type_hooks exception_hooks = {.to_string = exception_to_string};

/* Names of bases, for the rows that exceptions.def makes; Exception's own base is object. */
#define BASE_EXCEPTION "System.Exception"
#define BASE_SYSTEM "System.SystemException"
#define BASE_ARGUMENT "System.ArgumentException"
#define BASE_ARITHMETIC "System.ArithmeticException"
#define BASE_FORMAT "System.FormatException"
#define BASE_INVALID_OPERATION "System.InvalidOperationException"
#define BASE_NOT_SUPPORTED "System.NotSupportedException"
#define BASE_TIMEOUT "System.TimeoutException"
#define BASE_IO "System.IO.IOException"
#define BASE_JSON "Newtonsoft.Json.JsonException"

#define PRIMITIVE(kind, name) {kind, "System." name, "ValueType", "IComparable, IFormattable, IEquatable<" name ">, IComparable<" name ">", NULL, 0, NULL}

#define TUPLE(parameters) {TYPE_STRUCT, "System.ValueTuple<" parameters ">", NULL, "IComparable", NULL, TYPE_IS_REF_STRUCT | TYPE_IS_TUPLE, NULL}

/* Delegates of more parameters than anyone writes by hand; a local function may be one of them. */
#define IN_5 "in T1,in T2,in T3,in T4,in T5"
#define ARGS_5 "T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5"
#define IN_6 IN_5 ",in T6"
#define ARGS_6 ARGS_5 ", T6 arg6"
#define IN_7 IN_6 ",in T7"
#define ARGS_7 ARGS_6 ", T7 arg7"
#define IN_8 IN_7 ",in T8"
#define ARGS_8 ARGS_7 ", T8 arg8"
#define IN_9 IN_8 ",in T9"
#define ARGS_9 ARGS_8 ", T9 arg9"
#define IN_10 IN_9 ",in T10"
#define ARGS_10 ARGS_9 ", T10 arg10"
#define IN_11 IN_10 ",in T11"
#define ARGS_11 ARGS_10 ", T11 arg11"
#define IN_12 IN_11 ",in T12"
#define ARGS_12 ARGS_11 ", T12 arg12"
#define IN_13 IN_12 ",in T13"
#define ARGS_13 ARGS_12 ", T13 arg13"
#define IN_14 IN_13 ",in T14"
#define ARGS_14 ARGS_13 ", T14 arg14"
#define IN_15 IN_14 ",in T15"
#define ARGS_15 ARGS_14 ", T15 arg15"
#define IN_16 IN_15 ",in T16"
#define ARGS_16 ARGS_15 ", T16 arg16"
#define ACTION_AND_FUNC(n) \
    DELEGATE("System.Action<" IN_##n ">", "void Invoke(" ARGS_##n ")"), \
    DELEGATE("System.Func<" IN_##n ",out TResult>", "TResult Invoke(" ARGS_##n ")")

static const struct type_row types[] = {
    {TYPE_OBJECT, "System.Object", NULL, NULL, NULL, 0, NULL},
    {TYPE_CLASS, "System.ValueType", "Object", NULL, NULL, TYPE_IS_ABSTRACT, NULL},
    {TYPE_CLASS, "System.Enum", "ValueType", "IComparable, IFormattable", NULL, TYPE_IS_ABSTRACT, NULL},
    {TYPE_CLASS, "System.Array", NULL, "IEnumerable", NULL, TYPE_IS_ABSTRACT, NULL},
    {TYPE_CLASS, "System.Delegate", NULL, NULL, NULL, TYPE_IS_ABSTRACT, NULL},
    {TYPE_STRING, "System.String", NULL, "IEnumerable<char>, IComparable, IComparable<string>, IEquatable<string>", NULL, 0, NULL},
    PRIMITIVE(TYPE_BOOL, "Boolean"),
    PRIMITIVE(TYPE_CHAR, "Char"),
    PRIMITIVE(TYPE_SBYTE, "SByte"),
    PRIMITIVE(TYPE_BYTE, "Byte"),
    PRIMITIVE(TYPE_SHORT, "Int16"),
    PRIMITIVE(TYPE_USHORT, "UInt16"),
    PRIMITIVE(TYPE_INT, "Int32"),
    PRIMITIVE(TYPE_UINT, "UInt32"),
    PRIMITIVE(TYPE_LONG, "Int64"),
    PRIMITIVE(TYPE_ULONG, "UInt64"),
    PRIMITIVE(TYPE_FLOAT, "Single"),
    PRIMITIVE(TYPE_DOUBLE, "Double"),
    PRIMITIVE(TYPE_DECIMAL, "Decimal"),
    {TYPE_NULLABLE, "System.Nullable<T>", "ValueType", NULL, NULL, 0, NULL},
    STATIC_CLASS("System.Nullable"),
    CLASS("System.Type", NULL, NULL, NULL),

    /* new { a, b }, and what is found without a dot (`context`): members of <globals>. */
    {TYPE_CLASS, "<anonymous>", NULL, NULL, NULL, TYPE_IS_ANONYMOUS | TYPE_IS_HIDDEN, NULL},
    {TYPE_STATIC, "<globals>", NULL, NULL, NULL, TYPE_IS_HIDDEN, NULL},
    TUPLE("T1,T2"),
    TUPLE("T1,T2,T3"),
    TUPLE("T1,T2,T3,T4"),
    TUPLE("T1,T2,T3,T4,T5"),
    TUPLE("T1,T2,T3,T4,T5,T6"),
    TUPLE("T1,T2,T3,T4,T5,T6,T7"),

    INTERFACE("System.IDisposable", NULL),
    INTERFACE("System.IComparable", NULL),
    INTERFACE("System.IFormattable", NULL),
    INTERFACE("System.IComparable<in T>", NULL),
    INTERFACE("System.IEquatable<T>", NULL),
    INTERFACE("System.Collections.IEnumerable", NULL),
    INTERFACE("System.Collections.IEnumerator", NULL),
    INTERFACE("System.Collections.ICollection", "IEnumerable"),
    INTERFACE("System.Collections.IList", "ICollection"),
    {TYPE_INTERFACE, "System.Collections.Generic.IEnumerable<T>", NULL, "IEnumerable", NULL, TYPE_IS_COVARIANT, NULL},
    {TYPE_INTERFACE, "System.Collections.Generic.IEnumerator<T>", NULL, "IEnumerator, IDisposable", NULL, TYPE_IS_COVARIANT, NULL},
    INTERFACE("System.Collections.Generic.ICollection<T>", "IEnumerable<T>"),
    INTERFACE("System.Collections.Generic.IList<T>", "ICollection<T>"),
    {TYPE_INTERFACE, "System.Collections.Generic.IReadOnlyCollection<T>", NULL, "IEnumerable<T>", NULL, TYPE_IS_COVARIANT, NULL},
    {TYPE_INTERFACE, "System.Collections.Generic.IReadOnlyList<T>", NULL, "IReadOnlyCollection<T>", NULL, TYPE_IS_COVARIANT, NULL},
    INTERFACE("System.Collections.Generic.IComparer<in T>", NULL),
    INTERFACE("System.Collections.Generic.IEqualityComparer<in T>", NULL),

    DELEGATE("System.Action", "void Invoke()"),
    DELEGATE("System.Action<in T>", "void Invoke(T obj)"),
    DELEGATE("System.Action<in T1,in T2>", "void Invoke(T1 arg1, T2 arg2)"),
    DELEGATE("System.Action<in T1,in T2,in T3>", "void Invoke(T1 arg1, T2 arg2, T3 arg3)"),
    DELEGATE("System.Action<in T1,in T2,in T3,in T4>", "void Invoke(T1 arg1, T2 arg2, T3 arg3, T4 arg4)"),
    DELEGATE("System.Func<out TResult>", "TResult Invoke()"),
    DELEGATE("System.Func<in T,out TResult>", "TResult Invoke(T arg)"),
    DELEGATE("System.Func<in T1,in T2,out TResult>", "TResult Invoke(T1 arg1, T2 arg2)"),
    DELEGATE("System.Func<in T1,in T2,in T3,out TResult>", "TResult Invoke(T1 arg1, T2 arg2, T3 arg3)"),
    DELEGATE("System.Func<in T1,in T2,in T3,in T4,out TResult>", "TResult Invoke(T1 arg1, T2 arg2, T3 arg3, T4 arg4)"),
    ACTION_AND_FUNC(5), ACTION_AND_FUNC(6), ACTION_AND_FUNC(7), ACTION_AND_FUNC(8), ACTION_AND_FUNC(9), ACTION_AND_FUNC(10),
    ACTION_AND_FUNC(11), ACTION_AND_FUNC(12), ACTION_AND_FUNC(13), ACTION_AND_FUNC(14), ACTION_AND_FUNC(15), ACTION_AND_FUNC(16),
    DELEGATE("System.Predicate<in T>", "bool Invoke(T obj)"),
    DELEGATE("System.Comparison<in T>", "int Invoke(T x, T y)"),
    DELEGATE("System.Converter<in TInput,out TOutput>", "TOutput Invoke(TInput input)"),

#define EXCEPTION(name, full, base, message) {TYPE_CLASS, full, BASE_##base, NULL, &exception_hooks, 0, NULL},
#include "expr/exceptions.def"
#undef EXCEPTION
};

static const struct member_row members[] = {
    M("Delegate", "static Delegate Combine(Delegate a, Delegate b)", delegate_combine),
    M("Delegate", "static Delegate Remove(Delegate source, Delegate value)", delegate_remove),
};

const struct library expr_core = LIBRARY("core", types, members);
