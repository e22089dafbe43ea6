/* array_object.c: members of System.Array for arrays whose element type is not known when the expression is compiled, or that have
 * several dimensions. Values come and go boxed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/array.h"
#include "clr/families.h"
#include "clr/type_object.h"
#include "expr/member.h"

/* A boxed value as the array keeps it: false when it is none of its element type. */
static bool
element_value(const struct array *a, struct object *o, struct value *ret)
{
    const struct type *element = array_element(a);

    if (type_is_kept_in_ref(element)) {
        *ret = value_ref(o);
        return !o || type_is_assignable(o->type, type_strip_nullable(element));
    }
    if (!o || o->type != element)
        return false;
    *ret = value_unbox(o);
    return true;
}

/* --- one element -------------------------------------------------------------------------------------------------------- */

/* The position that the index arguments from `first` on name: numbers, or one int[] or long[]. */
static bool
position(struct call *c, const struct array *a, uint32_t first, uint32_t *ret)
{
    uint32_t rank = MAX(a->head.type->rank, 1u), n = c->n_args - first;
    const struct array *indexes = NULL;
    uint64_t at = 0;

    if (c->member->parameters[c->member->n_parameters - 1].type->kind == TYPE_ARRAY) {
        if (!(indexes = array_at(c, first)))
            return throw_argument_null(c, "indices");
        n = indexes->n;
    }
    if (n != rank)
        return throw_argument(c, NULL, indexes || rank > 1 ? "Indices length does not match the array rank."
                                                           : "Array was not a one-dimensional array.");
    for (uint32_t i = 0; i < n; i++) {
        uint64_t index = (uint64_t)(indexes ? indexes->u.v[i].i64 : c->args[first + i].i64), length = a->lengths ? a->lengths[i] : a->n;
        if (index >= length)
            return call_throw_default(c, EXC_INDEX_OUT_OF_RANGE);
        at = at * length + index;
    }
    *ret = (uint32_t)at;
    return true;
}

static bool
get_value(struct call *c)
{
    struct array *a = array_at(c, 0);
    struct object *boxed;
    uint32_t at;

    return position(c, a, 1, &at) && value_box(c, array_element(a), array_get(a, at), &boxed) && return_ref(c, boxed);
}

static bool
set_value(struct call *c)
{
    struct array *a = array_at(c, 0);
    struct object *o = c->args[1].ref;
    struct value v = value_i64(0);
    uint32_t at;

    if (!position(c, a, 2, &at))
        return false;
    if ((o || type_is_kept_in_ref(array_element(a))) && !element_value(a, o, &v))
        return call_throw(c, EXC_INVALID_CAST, "Object cannot be stored in an array of this type.");
    array_set(a, at, v);
    return true;
}

/* CreateInstance(type, length...), (type, int[]), (type, long[]), (type, int[] lengths, int[] lowerBounds) */
static bool
create_instance(struct call *c)
{
    const struct type *element = type_of_object(c->args[0].ref);
    const struct array *list = c->member->parameters[1].type->kind == TYPE_ARRAY ? array_at(c, 1) : NULL;
    bool has_bounds = c->member->n_parameters == 3 && c->member->parameters[2].type->kind == TYPE_ARRAY;
    uint32_t rank = list ? list->n : c->n_args - 1, *lengths;
    uint64_t n = 1;
    struct array *a;

    if (!element)
        return throw_argument_null(c, "elementType");
    if (c->member->parameters[1].type->kind == TYPE_ARRAY && (!list || (has_bounds && !array_at(c, 2))))
        return throw_argument_null(c, list ? "lowerBounds" : "lengths");
    if (rank == 0)
        return throw_argument(c, NULL, "Must provide at least one rank.");
    if (rank > 32)
        return call_throw(c, EXC_NOT_SUPPORTED, "An array has at most 32 dimensions.");
    for (uint32_t i = 0; has_bounds && i < array_at(c, 2)->n; i++)
        if (array_at(c, 2)->u.v[i].i64 != 0)
            return call_throw(c, EXC_NOT_SUPPORTED, "Arrays start at 0.");
    if (!(lengths = call_alloc(c, rank * sizeof(*lengths))))
        return false;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t length = list ? list->u.v[i].i64 : c->args[1 + i].i64;
        if (length < 0)
            return throw_argument_range(c, list ? "lengths" : "length", "Non-negative number required.");
        if (length > INT32_MAX || __builtin_mul_overflow(n, (uint64_t)length, &n) || n > UINT32_MAX)
            return call_exceed(c, BUDGET_BYTES);
        lengths[i] = (uint32_t)length;
    }
    if (!(a = array_new(c, rank > 1 ? type_array_rank(element, (uint8_t)rank) : type_array_of(element), (uint32_t)n)))
        return false;
    a->lengths = rank > 1 ? lengths : NULL;
    return return_ref(c, a);
}

static bool
sync_root(struct call *c)
{
    c->ret = c->args[0];
    return true;
}

/* --- searching ------------------------------------------------------------------------------------------------------------- */

static bool
index_by(struct call *c, bool last)
{
    const struct array *a = array_at(c, 0);
    int64_t from, n, i;
    struct value v;

    if (!array_search_part(c, a, last, &from, &n))
        return false;
    if (!element_value(a, c->args[1].ref, &v))
        return return_i64(c, -1);
    return array_find_value(c, a, from, n, v, last, &i) && return_i64(c, i);
}

static bool index_of(struct call *c) { return index_by(c, false); }
static bool last_index_of(struct call *c) { return index_by(c, true); }

/* The comparer of argument i for the elements of a; *ret NULL: their own order. A StringComparer leaves what is no string to its own
 * order, too. */
static bool
optional_comparer(struct call *c, uint32_t i, const struct array *a, struct comparer **ret)
{
    struct comparer *comparer = c->n_args > i ? (struct comparer *)c->args[i].ref : NULL;
    const struct type *element, *wanted;

    *ret = NULL;
    if (!comparer || !a)
        return true;
    element = array_element(a);
    wanted = type_find_lit(c->run->env, "System.Collections.Generic.IComparer", element);
    if (wanted && type_is_assignable(comparer->head.type, wanted))
        *ret = comparer;
    else if (!type_is_assignable(comparer->head.type, type_find(c->run->env, STR("System.StringComparer"), NULL, 0)))
        return call_throw(c, EXC_INVALID_OPERATION, "Failed to compare two elements in the array.");
    return true;
}

static bool
search(struct call *c, int64_t at, int64_t n, struct object *wanted, uint32_t comparer_at)
{
    const struct array *a = array_at(c, 0);
    struct comparer *comparer;
    struct value v;
    int64_t i;

    if (!array_check_part(c, a, at, n) || !optional_comparer(c, comparer_at, a, &comparer))
        return false;
    if (!element_value(a, wanted, &v))
        return call_throw(c, EXC_INVALID_OPERATION, "Failed to compare two elements in the array.");
    return array_search_range(c, a, at, n, v, comparer, &i) && return_i64(c, i);
}

static bool
binary_search(struct call *c)
{
    return search(c, 0, array_at(c, 0) ? array_at(c, 0)->n : 0, c->args[1].ref, 2);
}

static bool
binary_search_part(struct call *c)
{
    return search(c, c->args[1].i64, c->args[2].i64, c->args[3].ref, 4);
}

/* --- order ------------------------------------------------------------------------------------------------------------------- */

static bool
sort(struct call *c)
{
    struct array *a = array_at(c, 0);
    struct comparer *comparer;

    return array_check_part(c, a, 0, a ? a->n : 0) && optional_comparer(c, 1, a, &comparer) &&
           array_sort_range(c, a, 0, a->n, comparer, NULL);
}

static bool
sort_part(struct call *c)
{
    struct array *a = array_at(c, 0);
    struct comparer *comparer;

    return array_check_part(c, a, c->args[1].i64, c->args[2].i64) && optional_comparer(c, 3, a, &comparer) &&
           array_sort_range(c, a, c->args[1].i64, c->args[2].i64, comparer, NULL);
}

static bool
sort_items(struct call *c)
{
    struct array *keys = array_at(c, 0);
    struct comparer *comparer;

    if (!keys)
        return throw_argument_null(c, "keys");
    return optional_comparer(c, 2, keys, &comparer) && array_sort_pairs(c, keys, array_at(c, 1), 0, keys->n, comparer);
}

static bool
sort_items_part(struct call *c)
{
    struct array *keys = array_at(c, 0);
    struct comparer *comparer;

    if (!keys)
        return throw_argument_null(c, "keys");
    return optional_comparer(c, 4, keys, &comparer) &&
           array_sort_pairs(c, keys, array_at(c, 1), c->args[2].i64, c->args[3].i64, comparer);
}

static const struct member_row members[] = {
    M("Array", "object GetValue(int index)", get_value),
    M("Array", "object GetValue(long index)", get_value),
    M("Array", "object GetValue(int index1, int index2)", get_value),
    M("Array", "object GetValue(long index1, long index2)", get_value),
    M("Array", "object GetValue(int index1, int index2, int index3)", get_value),
    M("Array", "object GetValue(long index1, long index2, long index3)", get_value),
    M("Array", "object GetValue(params int[] indices)", get_value),
    M("Array", "object GetValue(params long[] indices)", get_value),
    M("Array", "void SetValue(object value, int index)", set_value),
    M("Array", "void SetValue(object value, long index)", set_value),
    M("Array", "void SetValue(object value, int index1, int index2)", set_value),
    M("Array", "void SetValue(object value, long index1, long index2)", set_value),
    M("Array", "void SetValue(object value, int index1, int index2, int index3)", set_value),
    M("Array", "void SetValue(object value, long index1, long index2, long index3)", set_value),
    M("Array", "void SetValue(object value, params int[] indices)", set_value),
    M("Array", "void SetValue(object value, params long[] indices)", set_value),
    M("Array", "object SyncRoot { get; }", sync_root),
    M("Array", "static Array CreateInstance(Type elementType, int length)", create_instance),
    M("Array", "static Array CreateInstance(Type elementType, int length1, int length2)", create_instance),
    M("Array", "static Array CreateInstance(Type elementType, int length1, int length2, int length3)", create_instance),
    M("Array", "static Array CreateInstance(Type elementType, params int[] lengths)", create_instance),
    M("Array", "static Array CreateInstance(Type elementType, params long[] lengths)", create_instance),
    M("Array", "static Array CreateInstance(Type elementType, int[] lengths, int[] lowerBounds)", create_instance),
    M("Array", "static int IndexOf(Array array, object value)", index_of),
    M("Array", "static int IndexOf(Array array, object value, int startIndex)", index_of),
    M("Array", "static int IndexOf(Array array, object value, int startIndex, int count)", index_of),
    M("Array", "static int LastIndexOf(Array array, object value)", last_index_of),
    M("Array", "static int LastIndexOf(Array array, object value, int startIndex)", last_index_of),
    M("Array", "static int LastIndexOf(Array array, object value, int startIndex, int count)", last_index_of),
    M("Array", "static int BinarySearch(Array array, object value)", binary_search),
    M("Array", "static int BinarySearch(Array array, object value, IComparer comparer)", binary_search),
    M("Array", "static int BinarySearch(Array array, int index, int length, object value)", binary_search_part),
    M("Array", "static int BinarySearch(Array array, int index, int length, object value, IComparer comparer)", binary_search_part),
    M("Array", "static void Sort(Array array)", sort),
    M("Array", "static void Sort(Array array, IComparer comparer)", sort),
    M("Array", "static void Sort(Array array, int index, int length)", sort_part),
    M("Array", "static void Sort(Array array, int index, int length, IComparer comparer)", sort_part),
    M("Array", "static void Sort(Array keys, Array items)", sort_items),
    M("Array", "static void Sort(Array keys, Array items, IComparer comparer)", sort_items),
    M("Array", "static void Sort(Array keys, Array items, int index, int length)", sort_items_part),
    M("Array", "static void Sort(Array keys, Array items, int index, int length, IComparer comparer)", sort_items_part),
};

const struct library clr_array_object = {"any array", NULL, 0, members, COUNTOF(members)};
