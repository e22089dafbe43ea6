/* type_object.c: System.Type, as far as an expression can ask for it: typeof(T), GetType() and a name. A Type is a box whose value is
 * the struct type; reflection is not here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/families.h"
#include "clr/numbers.h"
#include "clr/type_object.h"
#include "expr/member.h"

const struct type *
type_of_object(const struct object *type_object)
{
    return type_object ? (const struct type *)(const void *)((const struct box *)type_object)->v.ref : NULL;
}

struct object *
type_object_new(struct call *c, const struct type *t)
{
    struct box *box = object_new(c, core_types(c->run->env)->type_type, struct box);

    if (box)
        box->v = value_ref(t);
    return (struct object *)box;
}

/* TypeCode by TYPE_BOOL ... TYPE_DECIMAL. */
enum type_code
type_code(const struct type *t)
{
    static const uint8_t codes[] = {
        [TYPE_BOOL] = CODE_BOOLEAN, [TYPE_CHAR] = CODE_CHAR, [TYPE_SBYTE] = CODE_SBYTE, [TYPE_BYTE] = CODE_BYTE,
        [TYPE_SHORT] = CODE_INT16, [TYPE_USHORT] = CODE_UINT16, [TYPE_INT] = CODE_INT32, [TYPE_UINT] = CODE_UINT32,
        [TYPE_LONG] = CODE_INT64, [TYPE_ULONG] = CODE_UINT64, [TYPE_FLOAT] = CODE_SINGLE, [TYPE_DOUBLE] = CODE_DOUBLE,
        [TYPE_DECIMAL] = CODE_DECIMAL, [TYPE_STRING] = CODE_STRING, [TYPE_ENUM] = CODE_INT32,
    };

    if (t->kind < COUNTOF(codes) && codes[t->kind])
        return (enum type_code)codes[t->kind];
    return str_eq_lit(t->full_name, "System.DateTime") ? CODE_DATE_TIME : str_eq_lit(t->full_name, "System.DBNull") ? CODE_DB_NULL
                                                                                                                  : CODE_OBJECT;
}

static const struct type *
self(const struct call *c)
{
    return type_of_object(c->args[0].ref);
}

static bool
get_type(struct call *c)
{
    return return_new(c, type_object_new(c, c->args[0].ref->type));
}

/* "List`1" of "System.Collections.Generic.List`1[System.Int32]". */
static bool
name(struct call *c)
{
    struct str full = self(c)->full_name;
    size_t end = 0, start = 0;

    while (end < full.len && (full.p[end] != '[' || (end + 1 < full.len && full.p[end + 1] == ']')))
        end++;
    for (size_t i = 0; i < end; i++)
        if (full.p[i] == '.' || full.p[i] == '+')
            start = i + 1;
    return return_new(c, string_view(c, str_sub(full, start, end)));
}

static bool
name_space(struct call *c)
{
    const struct type *t = self(c);

    while (t->kind == TYPE_ARRAY)
        t = t->args[0];
    return t->def && t->def->space.len ? return_new(c, string_view(c, t->def->space)) : return_ref(c, NULL);
}

static bool full_name(struct call *c) { return return_new(c, string_view(c, self(c)->full_name)); }
static bool is_array(struct call *c) { return return_bool(c, self(c)->kind == TYPE_ARRAY); }
static bool is_enum(struct call *c) { return return_bool(c, self(c)->kind == TYPE_ENUM); }
static bool is_value_type(struct call *c) { return return_bool(c, type_is_value_type(self(c))); }
static bool is_interface(struct call *c) { return return_bool(c, self(c)->kind == TYPE_INTERFACE); }
static bool is_class(struct call *c) { return return_bool(c, type_is_reference(self(c)) && self(c)->kind != TYPE_INTERFACE); }
static bool is_generic(struct call *c) { return return_bool(c, self(c)->n_args > 0 && self(c)->kind != TYPE_ARRAY); }

static bool
is_primitive(struct call *c)
{
    return return_bool(c, self(c)->kind >= TYPE_BOOL && self(c)->kind <= TYPE_DOUBLE);
}

static bool
base_type(struct call *c)
{
    return self(c)->base ? return_new(c, type_object_new(c, self(c)->base)) : return_ref(c, NULL);
}

static bool
element_type(struct call *c)
{
    return self(c)->kind == TYPE_ARRAY ? return_new(c, type_object_new(c, self(c)->args[0])) : return_ref(c, NULL);
}

static bool
is_assignable_from(struct call *c)
{
    const struct type *other = type_of_object(c->args[1].ref);

    return return_bool(c, other && type_is_assignable(other, self(c)));
}

static bool
get_type_code(struct call *c)
{
    return return_i64(c, c->args[0].ref ? type_code(type_of_object(c->args[0].ref)) : CODE_EMPTY);
}

static bool
same(const struct call *c)
{
    return type_of_object(c->args[0].ref) == type_of_object(c->args[1].ref);
}

static bool equal(struct call *c) { return return_bool(c, same(c)); }
static bool not_equal(struct call *c) { return return_bool(c, !same(c)); }

static bool
type_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = type_of_object(a.ref) == type_of_object(b.ref);
    return true;
}

static bool
type_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)((uintptr_t)type_of_object(v.ref) >> 4);
    return true;
}

static bool
type_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = string_view(c, type_of_object(v.ref)->full_name);
    return *ret != NULL;
}

static const struct type_hooks type_object_hooks = {.to_string = type_to_string, .equals = type_equals, .hash = type_hash};

#define T "System.Type"

static const struct type_row types[] = {
    HOOKS(T, &type_object_hooks),
    ENUM("System.TypeCode", "Empty = 0, Object = 1, DBNull = 2, Boolean = 3, Char = 4, SByte = 5, Byte = 6, Int16 = 7, UInt16 = 8, "
                            "Int32 = 9, UInt32 = 10, Int64 = 11, UInt64 = 12, Single = 13, Double = 14, Decimal = 15, DateTime = 16, "
                            "String = 18"),
};

static const struct member_row members[] = {
    M_EXTRA("Object", "Type GetType()", get_type),
    M(T, "string Name { get; }", name),
    M(T, "string FullName { get; }", full_name),
    M(T, "string Namespace { get; }", name_space),
    M(T, "bool IsArray { get; }", is_array),
    M(T, "bool IsEnum { get; }", is_enum),
    M(T, "bool IsValueType { get; }", is_value_type),
    M(T, "bool IsInterface { get; }", is_interface),
    M(T, "bool IsClass { get; }", is_class),
    M(T, "bool IsPrimitive { get; }", is_primitive),
    M(T, "bool IsGenericType { get; }", is_generic),
    M(T, "Type BaseType { get; }", base_type),
    M(T, "Type GetElementType()", element_type),
    M(T, "bool IsAssignableFrom(Type c)", is_assignable_from),
    M(T, "static TypeCode GetTypeCode(Type type)", get_type_code),
    M(T, "static bool operator ==(Type left, Type right)", equal),
    M(T, "static bool operator !=(Type left, Type right)", not_equal),
};

const struct library clr_type = LIBRARY("type", types, members);
