/* array.c: System.Array: what every T[] has, and the static helpers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"

static const char not_long_enough[] =
    "Destination array was not long enough. Check destIndex and length, and the array's lower bounds.";

static struct array *
array_at(const struct call *c, uint32_t i)
{
    return (struct array *)c->args[i].ref;
}

static const struct type *
element_of(const struct array *a)
{
    return a->head.type->args[0];
}

/* ---- of one array ---- */

static bool
array_length(struct call *c)
{
    return return_i64(c, array_at(c, 0)->n);
}

static bool
array_rank(struct call *c)
{
    return return_i64(c, MAX(array_at(c, 0)->head.type->rank, 1));
}

static uint32_t
dimension(const struct array *a, uint32_t i)
{
    return a->lengths ? a->lengths[i] : a->n;
}

static bool
array_get_length(struct call *c)
{
    struct array *a = array_at(c, 0);

    if ((uint64_t)c->args[1].i64 >= MAX(a->head.type->rank, 1u))
        return call_throw_default(c, EXC_INDEX_OUT_OF_RANGE);
    return return_i64(c, dimension(a, (uint32_t)c->args[1].i64));
}

static bool
array_get_lower_bound(struct call *c)
{
    return array_get_length(c) && return_i64(c, 0);
}

static bool
array_get_upper_bound(struct call *c)
{
    return array_get_length(c) && return_i64(c, c->ret.i64 - 1);
}

static bool
array_get_value(struct call *c)
{
    struct array *a = array_at(c, 0);

    if ((uint64_t)c->args[1].i64 >= a->n)
        return call_throw_default(c, EXC_INDEX_OUT_OF_RANGE);
    struct object *boxed;
    return value_box(c, element_of(a), array_get(a, (uint32_t)c->args[1].i64), &boxed) && return_ref(c, boxed);
}

static bool
array_set_value(struct call *c)
{
    struct array *a = array_at(c, 0);
    const struct type *element = element_of(a);
    struct object *o = c->args[1].ref;

    if ((uint64_t)c->args[2].i64 >= a->n)
        return call_throw_default(c, EXC_INDEX_OUT_OF_RANGE);
    if (o && !type_is_assignable(o->type, element))
        return call_throw(c, EXC_INVALID_CAST, "Object cannot be stored in an array of this type.");
    struct value v = type_is_kept_in_ref(element) ? value_ref(o) : o ? value_unbox(o) : value_i64(0);
    array_set(a, (uint32_t)c->args[2].i64, v);
    return true;
}

static struct array *
clone(struct call *c, struct array *from)
{
    struct array *a = array_new(c, from->head.type, from->n);

    if (a && from->n) {
        memcpy(a->u.bytes, from->u.bytes, (size_t)from->n * (from->is_bytes ? 1 : sizeof(struct value)));
        a->lengths = from->lengths;
    }
    return a;
}

static bool
array_clone(struct call *c)
{
    return return_new(c, clone(c, array_at(c, 0)));
}

static bool
return_true(struct call *c)
{
    return return_bool(c, true);
}

static bool
return_false(struct call *c)
{
    return return_bool(c, false);
}

static bool
array_initialize(struct call *c)
{
    return true;
}

/* ---- copying ---- */

static bool
copy(struct call *c, struct array *from, int64_t at_from, struct array *to, int64_t at_to, int64_t n)
{
    if (!from || !to)
        return throw_argument_null(c, from ? "destinationArray" : "sourceArray");
    if (n < 0 || at_from < 0 || at_to < 0)
        return throw_argument_range(c, n < 0 ? "length" : at_from < 0 ? "sourceIndex" : "destinationIndex",
                                    "Non-negative number required.");
    if (n > from->n || at_from > from->n - n)
        return throw_argument(c, NULL, "Source array was not long enough. Check srcIndex and length, and the array's "
                                       "lower bounds.");
    if (n > to->n || at_to > to->n - n)
        return throw_argument(c, NULL, not_long_enough);
    if (element_of(from) != element_of(to) &&
        (type_is_value_type(element_of(from)) || type_is_value_type(element_of(to))))
        return call_throw(c, EXC_ARRAY_TYPE_MISMATCH,
                          "Source array type cannot be assigned to destination array type.");
    if (!call_charge(c, (uint64_t)n / 8))
        return false;
    size_t size = from->is_bytes ? 1 : sizeof(struct value);
    if (n)
        memmove(to->u.bytes + (size_t)at_to * size, from->u.bytes + (size_t)at_from * size, (size_t)n * size);
    return true;
}

static bool
array_copy(struct call *c)
{
    return copy(c, array_at(c, 0), 0, array_at(c, 1), 0, c->args[2].i64);
}

static bool
array_copy_part(struct call *c)
{
    return copy(c, array_at(c, 0), c->args[1].i64, array_at(c, 2), c->args[3].i64, c->args[4].i64);
}

static bool
array_copy_to(struct call *c)
{
    return copy(c, array_at(c, 0), 0, array_at(c, 1), c->args[2].i64, array_at(c, 0)->n);
}

static bool
array_resize(struct call *c)
{
    struct array *old = array_at(c, 0), *a;
    int64_t n = c->args[1].i64;

    if (n < 0)
        return throw_argument_range(c, "newSize", "Non-negative number required.");
    a = array_new(c, type_array_of(c->type_args[0]), (uint32_t)n);
    if (!a || (old && !copy(c, old, 0, a, 0, MIN(old->n, n))))
        return false;
    c->args[0] = value_ref(a);
    return true;
}

static bool
array_clear(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t from = c->n_args > 1 ? c->args[1].i64 : 0, n = c->n_args > 1 ? c->args[2].i64 : a ? a->n : 0;

    if (!a)
        return throw_argument_null(c, "array");
    if (from < 0 || n < 0 || from > a->n || n > a->n - from)
        return call_throw_default(c, EXC_INDEX_OUT_OF_RANGE);
    for (int64_t i = 0; i < n; i++)
        array_set(a, (uint32_t)(from + i), value_i64(0));
    return true;
}

static bool
array_empty(struct call *c)
{
    return return_new(c, array_new(c, c->ret_type, 0));
}

static bool
array_create_instance(struct call *c)
{
    struct object *of = c->args[0].ref;

    if (!of)
        return throw_argument_null(c, "elementType");
    if (c->args[1].i64 < 0)
        return throw_argument_range(c, "length", "Non-negative number required.");
    return return_new(c, array_new(c, type_array_of((const struct type *)value_unbox(of).ref), (uint32_t)c->args[1].i64));
}

/* ---- order ---- */

/* Checks [at, at + n) of the array in args[0]. */
static bool
check_part(struct call *c, int64_t at, int64_t n)
{
    struct array *a = array_at(c, 0);

    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "length", "Non-negative number required.");
    return (at <= a->n && n <= a->n - at) ||
           throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                   "number of elements from index to the end of the source collection.");
}

/* Sorts a part of args[0]; byte arrays are widened meanwhile. */
static bool
sort_part(struct call *c, int64_t at, int64_t n, struct comparer *comparer, struct object *comparison)
{
    struct array *a = array_at(c, 0);
    struct key_rule rule;
    struct value *v;

    if (!check_part(c, at, n))
        return false;
    rule = (struct key_rule){element_of(a), comparer};
    v = call_alloc(c, (size_t)n * sizeof(*v));
    if (!v)
        return false;
    for (int64_t i = 0; i < n; i++)
        v[i] = array_get(a, (uint32_t)(at + i));
    if (!values_sort(c, v, (uint32_t)n, &rule, comparison))
        return false;
    for (int64_t i = 0; i < n; i++)
        array_set(a, (uint32_t)(at + i), v[i]);
    return true;
}

static bool
array_sort(struct call *c)
{
    struct array *a = array_at(c, 0);

    return sort_part(c, 0, a ? a->n : 0, c->n_args > 1 ? (struct comparer *)c->args[1].ref : NULL, NULL);
}

static bool
array_sort_part(struct call *c)
{
    return sort_part(c, c->args[1].i64, c->args[2].i64, c->n_args > 3 ? (struct comparer *)c->args[3].ref : NULL, NULL);
}

static bool
array_sort_by(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "comparison");
    return sort_part(c, 0, array_at(c, 0) ? array_at(c, 0)->n : 0, NULL, c->args[1].ref);
}

/* Sort(keys, items): items follow their keys. Pairs are sorted by inserting the index as a second value. */
static bool
array_sort_items(struct call *c)
{
    struct array *keys = array_at(c, 0), *items = array_at(c, 1);
    struct key_rule rule;

    if (!keys)
        return throw_argument_null(c, "keys");
    if (!items)
        return array_sort(c);
    if (items->n < keys->n)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                       "number of elements from index to the end of the source collection.");
    rule = (struct key_rule){element_of(keys), c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL};
    for (uint32_t i = 1; i < keys->n; i++) {
        struct value key = array_get(keys, i), item = array_get(items, i);
        uint32_t low = 0, high = i;

        while (low < high) {
            uint32_t middle = (low + high) / 2;
            int order;
            if (!key_compare(c, &rule, array_get(keys, middle), key, &order))
                return false;
            if (order <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (!call_charge(c, 1 + (i - low) / 4))
            return false;
        for (uint32_t k = i; k > low; k--) {
            array_set(keys, k, array_get(keys, k - 1));
            array_set(items, k, array_get(items, k - 1));
        }
        array_set(keys, low, key);
        array_set(items, low, item);
    }
    return true;
}

static bool
array_reverse(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t from = c->n_args > 1 ? c->args[1].i64 : 0, n = c->n_args > 1 ? c->args[2].i64 : a ? a->n : 0;

    if (!check_part(c, from, n))
        return false;
    for (int64_t to = from + n; from + 1 < to; from++, to--) {
        struct value v = array_get(a, (uint32_t)from);
        array_set(a, (uint32_t)from, array_get(a, (uint32_t)to - 1));
        array_set(a, (uint32_t)to - 1, v);
    }
    return true;
}

static bool
array_binary_search(struct call *c)
{
    struct array *a = array_at(c, 0);
    struct key_rule rule;
    int64_t low = 0, high;

    if (!a)
        return throw_argument_null(c, "array");
    rule = (struct key_rule){element_of(a), c->n_args > 2 ? (struct comparer *)c->args[2].ref : NULL};
    high = (int64_t)a->n - 1;
    while (low <= high) {
        int64_t middle = low + (high - low) / 2;
        int order;

        if (!key_compare(c, &rule, array_get(a, (uint32_t)middle), c->args[1], &order))
            return false;
        if (order == 0)
            return return_i64(c, middle);
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return return_i64(c, ~low);
}

/* ---- searching by value ---- */

static bool
index_of(struct call *c, bool last)
{
    struct array *a = array_at(c, 0);
    struct key_rule rule;
    int64_t from, n;

    if (!a)
        return throw_argument_null(c, "array");
    rule = (struct key_rule){element_of(a), NULL};
    from = c->n_args > 2 ? c->args[2].i64 : 0;
    n = c->n_args > 3 ? c->args[3].i64 : a->n - from;
    if (from < 0 || from > a->n || n < 0 || n > a->n - from)
        return throw_argument_range(c, from < 0 || from > a->n ? "startIndex" : "count",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    for (int64_t k = 0; k < n; k++) {
        int64_t i = last ? from + n - 1 - k : from + k;
        bool same;

        if (!call_charge(c, 1) || !key_equals(c, &rule, array_get(a, (uint32_t)i), c->args[1], &same))
            return false;
        if (same)
            return return_i64(c, i);
    }
    return return_i64(c, -1);
}

static bool
array_index_of(struct call *c)
{
    return index_of(c, false);
}

static bool
array_last_index_of(struct call *c)
{
    return index_of(c, true);
}

/* ---- searching by predicate ---- */

/* The first (or last) index whose element the predicate (the last argument) accepts, or -1. */
static bool
find_index(struct call *c, bool last, int64_t from, int64_t n, int64_t *ret)
{
    struct array *a = array_at(c, 0);
    struct object *match = c->args[c->n_args - 1].ref;

    *ret = -1;
    if (!match)
        return throw_argument_null(c, "match");
    for (int64_t k = 0; k < n; k++) {
        int64_t i = last ? from + n - 1 - k : from + k;
        struct value v = array_get(a, (uint32_t)i), yes;

        if (!call_charge(c, 1) || !call_invoke(c, match, &v, 1, &yes))
            return false;
        if (yes.i64) {
            *ret = i;
            return true;
        }
    }
    return true;
}

static bool
find_in_all(struct call *c, bool last, int64_t *ret)
{
    if (!array_at(c, 0))
        return throw_argument_null(c, "array");
    return find_index(c, last, 0, array_at(c, 0)->n, ret);
}

static bool
array_exists(struct call *c)
{
    int64_t i;

    return find_in_all(c, false, &i) && return_bool(c, i >= 0);
}

static bool
return_found(struct call *c, bool last)
{
    int64_t i;

    if (!find_in_all(c, last, &i))
        return false;
    c->ret = i >= 0 ? array_get(array_at(c, 0), (uint32_t)i) : value_i64(0);
    return true;
}

static bool
array_find(struct call *c)
{
    return return_found(c, false);
}

static bool
array_find_last(struct call *c)
{
    return return_found(c, true);
}

static bool
array_find_index(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t from = c->n_args > 2 ? c->args[1].i64 : 0, n, i;

    if (!a)
        return throw_argument_null(c, "array");
    n = c->n_args > 3 ? c->args[2].i64 : a->n - from;
    if (from < 0 || from > a->n || n < 0 || n > a->n - from)
        return throw_argument_range(c, from < 0 || from > a->n ? "startIndex" : "count",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    return find_index(c, false, from, n, &i) && return_i64(c, i);
}

static bool
array_find_last_index(struct call *c)
{
    int64_t i;

    return find_in_all(c, true, &i) && return_i64(c, i);
}

static bool
array_true_for_all(struct call *c)
{
    struct array *a = array_at(c, 0);

    if (!a || !c->args[1].ref)
        return throw_argument_null(c, a ? "match" : "array");
    for (uint32_t i = 0; i < a->n; i++) {
        struct value v = array_get(a, i), yes;
        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &v, 1, &yes))
            return false;
        if (!yes.i64)
            return return_bool(c, false);
    }
    return return_bool(c, true);
}

static bool
array_for_each(struct call *c)
{
    struct array *a = array_at(c, 0);

    if (!a || !c->args[1].ref)
        return throw_argument_null(c, a ? "action" : "array");
    for (uint32_t i = 0; i < a->n; i++) {
        struct value v = array_get(a, i);
        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &v, 1, NULL))
            return false;
    }
    return true;
}

static bool
array_convert_all(struct call *c)
{
    struct array *a = array_at(c, 0), *converted;

    if (!a || !c->args[1].ref)
        return throw_argument_null(c, a ? "converter" : "array");
    converted = array_new(c, c->ret_type, a->n);
    for (uint32_t i = 0; converted && i < a->n; i++) {
        struct value v = array_get(a, i), r;
        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &v, 1, &r))
            return false;
        array_set(converted, i, r);
    }
    return return_new(c, converted);
}

static bool
array_find_all(struct call *c)
{
    struct array *a = array_at(c, 0), *found;
    uint32_t n = 0;

    if (!a || !c->args[1].ref)
        return throw_argument_null(c, a ? "match" : "array");
    struct value *kept = call_alloc(c, (size_t)a->n * sizeof(*kept));
    for (uint32_t i = 0; kept && i < a->n; i++) {
        struct value v = array_get(a, i), yes;
        if (!call_charge(c, 1) || !call_invoke(c, c->args[1].ref, &v, 1, &yes))
            return false;
        if (yes.i64)
            kept[n++] = v;
    }
    found = kept ? array_new(c, c->ret_type, n) : NULL;
    for (uint32_t i = 0; found && i < n; i++)
        array_set(found, i, kept[i]);
    return return_new(c, found);
}

static const struct member_row members[] = {
    M("Array", "int Length { get; }", array_length),
    M("Array", "long LongLength { get; }", array_length),
    M("Array", "int Rank { get; }", array_rank),
    M("Array", "bool IsFixedSize { get; }", return_true),
    M("Array", "bool IsReadOnly { get; }", return_false),
    M("Array", "bool IsSynchronized { get; }", return_false),
    M("Array", "object Clone()", array_clone),
    M("Array", "void CopyTo(Array array, int index)", array_copy_to),
    M("Array", "void CopyTo(Array array, long index)", array_copy_to),
    M("Array", "IEnumerator GetEnumerator()", sequence_get_enumerator),
    M("Array", "int GetLength(int dimension)", array_get_length),
    M("Array", "long GetLongLength(int dimension)", array_get_length),
    M("Array", "int GetLowerBound(int dimension)", array_get_lower_bound),
    M("Array", "int GetUpperBound(int dimension)", array_get_upper_bound),
    M("Array", "object GetValue(int index)", array_get_value),
    M("Array", "void SetValue(object value, int index)", array_set_value),
    M("Array", "void Initialize()", array_initialize),

    M("Array", "static int BinarySearch<T>(T[] array, T value)", array_binary_search),
    M("Array", "static int BinarySearch<T>(T[] array, T value, IComparer<T> comparer)", array_binary_search),
    M("Array", "static void Clear(Array array)", array_clear),
    M("Array", "static void Clear(Array array, int index, int length)", array_clear),
    M("Array", "static TOutput[] ConvertAll<TInput,TOutput>(TInput[] array, Converter<TInput,TOutput> converter)", array_convert_all),
    M("Array", "static void Copy(Array sourceArray, Array destinationArray, int length)", array_copy),
    M("Array", "static void Copy(Array sourceArray, Array destinationArray, long length)", array_copy),
    M("Array", "static void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", array_copy_part),
    M("Array", "static void Copy(Array sourceArray, long sourceIndex, Array destinationArray, long destinationIndex, long length)", array_copy_part),
    M("Array", "static void ConstrainedCopy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", array_copy_part),
    M("Array", "static Array CreateInstance(Type elementType, int length)", array_create_instance),
    M("Array", "static T[] Empty<T>()", array_empty),
    M("Array", "static bool Exists<T>(T[] array, Predicate<T> match)", array_exists),
    M("Array", "static T Find<T>(T[] array, Predicate<T> match)", array_find),
    M("Array", "static T[] FindAll<T>(T[] array, Predicate<T> match)", array_find_all),
    M("Array", "static int FindIndex<T>(T[] array, Predicate<T> match)", array_find_index),
    M("Array", "static int FindIndex<T>(T[] array, int startIndex, Predicate<T> match)", array_find_index),
    M("Array", "static int FindIndex<T>(T[] array, int startIndex, int count, Predicate<T> match)", array_find_index),
    M("Array", "static T FindLast<T>(T[] array, Predicate<T> match)", array_find_last),
    M("Array", "static int FindLastIndex<T>(T[] array, Predicate<T> match)", array_find_last_index),
    M("Array", "static void ForEach<T>(T[] array, Action<T> action)", array_for_each),
    M("Array", "static int IndexOf<T>(T[] array, T value)", array_index_of),
    M("Array", "static int IndexOf<T>(T[] array, T value, int startIndex)", array_index_of),
    M("Array", "static int IndexOf<T>(T[] array, T value, int startIndex, int count)", array_index_of),
    M("Array", "static int LastIndexOf<T>(T[] array, T value)", array_last_index_of),
    M("Array", "static void Resize<T>(ref T[] array, int newSize)", array_resize),
    M("Array", "static void Reverse(Array array)", array_reverse),
    M("Array", "static void Reverse(Array array, int index, int length)", array_reverse),
    M("Array", "static void Sort<T>(T[] array)", array_sort),
    M("Array", "static void Sort<T>(T[] array, IComparer<T> comparer)", array_sort),
    M("Array", "static void Sort<T>(T[] array, Comparison<T> comparison)", array_sort_by),
    M("Array", "static void Sort<T>(T[] array, int index, int length)", array_sort_part),
    M("Array", "static void Sort<T>(T[] array, int index, int length, IComparer<T> comparer)", array_sort_part),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items)", array_sort_items),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items, IComparer<TKey> comparer)", array_sort_items),
    M("Array", "static bool TrueForAll<T>(T[] array, Predicate<T> match)", array_true_for_all),
};

const struct library clr_array = {"array", NULL, 0, members, COUNTOF(members)};
