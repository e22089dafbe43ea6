/* array.c: System.Array: what every T[] has, and the static helpers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/array.h"
#include "clr/families.h"

static const char not_long_enough[] =
    "Destination array was not long enough. Check destIndex and length, and the array's lower bounds.";

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

static struct array *
clone(struct call *c, struct array *from)
{
    struct array *a = array_new(c, from->head.type, from->n);

    if (!a)
        return NULL;
    a->lengths = from->lengths;
    if (from->n)
        memcpy(a->u.bytes, from->u.bytes, (size_t)from->n * (from->is_bytes ? 1 : sizeof(struct value)));
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
    if (array_element(from) != array_element(to) &&
        (type_is_value_type(array_element(from)) || type_is_value_type(array_element(to)) ||
         !(type_is_assignable(array_element(from), array_element(to)) || type_is_assignable(array_element(to), array_element(from)))))
        return call_throw(c, EXC_ARRAY_TYPE_MISMATCH,
                          "Source array type cannot be assigned to destination array type.");
    if (!call_charge(c, (uint64_t)n / 8))
        return false;
    if (array_element(from) != array_element(to)) {      /* two arrays, then, which do not overlap */
        for (int64_t i = 0; i < n; i++)
            if (!array_store_cast(c, to, (uint32_t)(at_to + i), array_get(from, (uint32_t)(at_from + i))))
                return false;
        return true;
    }
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

/* ---- order ---- */

bool
array_check_part(struct call *c, const struct array *a, int64_t at, int64_t n)
{
    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "length", "Non-negative number required.");
    return (at <= a->n && n <= a->n - at) ||
           throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                   "number of elements from index to the end of the source collection.");
}

/* Byte arrays are widened meanwhile. */
bool
array_sort_range(struct call *c, struct array *a, int64_t at, int64_t n, struct comparer *comparer, struct object *comparison)
{
    struct key_rule rule = {array_element(a), comparer};
    struct value *v = call_alloc(c, (size_t)n * sizeof(*v));

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

static struct comparer *
optional_comparer(const struct call *c, uint32_t i)
{
    return c->n_args > i ? (struct comparer *)c->args[i].ref : NULL;
}

static bool
array_sort(struct call *c)
{
    struct array *a = array_at(c, 0);

    return array_check_part(c, a, 0, a ? a->n : 0) && array_sort_range(c, a, 0, a->n, optional_comparer(c, 1), NULL);
}

static bool
array_sort_part(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t at = c->args[1].i64, n = c->args[2].i64;

    return array_check_part(c, a, at, n) && array_sort_range(c, a, at, n, optional_comparer(c, 3), NULL);
}

static bool
array_sort_by(struct call *c)
{
    struct array *a = array_at(c, 0);

    if (!c->args[1].ref)
        return throw_argument_null(c, "comparison");
    return array_check_part(c, a, 0, a ? a->n : 0) && array_sort_range(c, a, 0, a->n, NULL, c->args[1].ref);
}

/* Pairs are sorted by insertion. */
bool
array_sort_pairs(struct call *c, struct array *keys, struct array *items, int64_t at, int64_t n, struct comparer *comparer)
{
    struct key_rule rule = {array_element(keys), comparer};

    if (!array_check_part(c, keys, at, n))
        return false;
    if (!items)
        return array_sort_range(c, keys, at, n, comparer, NULL);
    if (items->n - at < n)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                       "number of elements from index to the end of the source collection.");
    for (uint32_t i = (uint32_t)at + 1; i < at + n; i++) {
        struct value key = array_get(keys, i), item = array_get(items, i);
        uint32_t low = (uint32_t)at, high = i;

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
array_sort_items(struct call *c)
{
    struct array *keys = array_at(c, 0);

    if (!keys)
        return throw_argument_null(c, "keys");
    return array_sort_pairs(c, keys, array_at(c, 1), 0, keys->n, optional_comparer(c, 2));
}

static bool
array_sort_items_part(struct call *c)
{
    if (!array_at(c, 0))
        return throw_argument_null(c, "keys");
    return array_sort_pairs(c, array_at(c, 0), array_at(c, 1), c->args[2].i64, c->args[3].i64, optional_comparer(c, 4));
}

static bool
array_reverse(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t from = c->n_args > 1 ? c->args[1].i64 : 0, n = c->n_args > 1 ? c->args[2].i64 : a ? a->n : 0;

    if (!array_check_part(c, a, from, n))
        return false;
    for (int64_t to = from + n; from + 1 < to; from++, to--) {
        struct value v = array_get(a, (uint32_t)from);
        array_set(a, (uint32_t)from, array_get(a, (uint32_t)to - 1));
        array_set(a, (uint32_t)to - 1, v);
    }
    return true;
}

static bool
array_fill(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t from = c->n_args > 2 ? c->args[2].i64 : 0, n = c->n_args > 2 ? c->args[3].i64 : a ? a->n : 0;

    if (!a)
        return throw_argument_null(c, "array");
    if (from < 0 || from > a->n || n < 0 || n > a->n - from)
        return throw_argument_range(c, from < 0 || from > a->n ? "startIndex" : "count",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (!call_charge(c, (uint64_t)n / 8))
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!array_store(c, a, (uint32_t)(from + i), c->args[1]))
            return false;
    return true;
}

bool
array_search_range(struct call *c, const struct array *a, int64_t at, int64_t n, struct value v, struct comparer *comparer,
                   int64_t *ret)
{
    struct key_rule rule = {array_element(a), comparer};
    int64_t low = at, high = at + n - 1;

    while (low <= high) {
        int64_t middle = low + (high - low) / 2;
        int order;

        if (!key_compare(c, &rule, array_get(a, (uint32_t)middle), v, &order))
            return false;
        if (order == 0) {
            *ret = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    *ret = ~low;
    return true;
}

static bool
array_binary_search(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t i;

    return array_check_part(c, a, 0, a ? a->n : 0) &&
           array_search_range(c, a, 0, a->n, c->args[1], optional_comparer(c, 2), &i) && return_i64(c, i);
}

static bool
array_binary_search_part(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t at = c->args[1].i64, n = c->args[2].i64, i;

    return array_check_part(c, a, at, n) && array_search_range(c, a, at, n, c->args[3], optional_comparer(c, 4), &i) &&
           return_i64(c, i);
}

/* ---- searching by value ---- */

bool
array_search_part(struct call *c, const struct array *a, bool last, int64_t *ret_from, int64_t *ret_n)
{
    int64_t start, n;

    if (!a)
        return throw_argument_null(c, "array");
    start = c->n_args > 2 ? c->args[2].i64 : last ? (int64_t)a->n - 1 : 0;
    n = c->n_args > 3 ? c->args[3].i64 : last ? (a->n ? start + 1 : 0) : (int64_t)a->n - start;
    if (last && a->n == 0) {
        *ret_from = *ret_n = 0;
        return (start == -1 || start == 0) && n <= 1
                   ? true
                   : throw_argument_range(c, "startIndex",
                                          "Index was out of range. Must be non-negative and less than the size of the collection.");
    }
    if (start < 0 || (last ? start >= a->n : start > a->n))
        return throw_argument_range(c, "startIndex",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || n > (last ? start + 1 : a->n - start))
        return throw_argument_range(c, "count",
                                    "Count must be positive and count must refer to a location within the string/array/collection.");
    *ret_from = last ? start - n + 1 : start;
    *ret_n = n;
    return true;
}

bool
array_find_value(struct call *c, const struct array *a, int64_t from, int64_t n, struct value v, bool last, int64_t *ret)
{
    struct key_rule rule = {array_element(a), NULL};

    *ret = -1;
    for (int64_t k = 0; k < n && *ret < 0; k++) {
        int64_t i = last ? from + n - 1 - k : from + k;
        bool same;

        if (!call_charge(c, 1) || !key_equals(c, &rule, array_get(a, (uint32_t)i), v, &same))
            return false;
        if (same)
            *ret = i;
    }
    return true;
}

static bool
index_of(struct call *c, bool last)
{
    struct array *a = array_at(c, 0);
    int64_t from, n, i;

    return array_search_part(c, a, last, &from, &n) && array_find_value(c, a, from, n, c->args[1], last, &i) && return_i64(c, i);
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

/* (array, match), (array, startIndex, match), (array, startIndex, count, match): backwards from startIndex. */
static bool
array_find_last_index(struct call *c)
{
    struct array *a = array_at(c, 0);
    int64_t start, n, i;

    if (!a)
        return throw_argument_null(c, "array");
    start = c->n_args > 2 ? c->args[1].i64 : (int64_t)a->n - 1;
    n = c->n_args > 3 ? c->args[2].i64 : start + 1;
    if (a->n == 0 ? start != -1 : start < 0 || start >= a->n)
        return throw_argument_range(c, "startIndex",
                                    "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (n < 0 || n > start + 1)
        return throw_argument_range(c, "count",
                                    "Count must be positive and count must refer to a location within the string/array/collection.");
    return find_index(c, true, start - n + 1, n, &i) && return_i64(c, i);
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
    M("Array", "void Initialize()", array_initialize),

    M("Array", "static int BinarySearch<T>(T[] array, T value)", array_binary_search),
    M("Array", "static int BinarySearch<T>(T[] array, T value, IComparer<T> comparer)", array_binary_search),
    M("Array", "static int BinarySearch<T>(T[] array, int index, int length, T value)", array_binary_search_part),
    M("Array", "static int BinarySearch<T>(T[] array, int index, int length, T value, IComparer<T> comparer)", array_binary_search_part),
    M("Array", "static void Clear(Array array)", array_clear),
    M("Array", "static void Clear(Array array, int index, int length)", array_clear),
    M("Array", "static TOutput[] ConvertAll<TInput,TOutput>(TInput[] array, Converter<TInput,TOutput> converter)", array_convert_all),
    M("Array", "static void Copy(Array sourceArray, Array destinationArray, int length)", array_copy),
    M("Array", "static void Copy(Array sourceArray, Array destinationArray, long length)", array_copy),
    M("Array", "static void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", array_copy_part),
    M("Array", "static void Copy(Array sourceArray, long sourceIndex, Array destinationArray, long destinationIndex, long length)", array_copy_part),
    M("Array", "static void ConstrainedCopy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", array_copy_part),
    M("Array", "static T[] Empty<T>()", array_empty),
    M("Array", "static bool Exists<T>(T[] array, Predicate<T> match)", array_exists),
    M("Array", "static T Find<T>(T[] array, Predicate<T> match)", array_find),
    M("Array", "static T[] FindAll<T>(T[] array, Predicate<T> match)", array_find_all),
    M("Array", "static int FindIndex<T>(T[] array, Predicate<T> match)", array_find_index),
    M("Array", "static int FindIndex<T>(T[] array, int startIndex, Predicate<T> match)", array_find_index),
    M("Array", "static int FindIndex<T>(T[] array, int startIndex, int count, Predicate<T> match)", array_find_index),
    M("Array", "static T FindLast<T>(T[] array, Predicate<T> match)", array_find_last),
    M("Array", "static int FindLastIndex<T>(T[] array, Predicate<T> match)", array_find_last_index),
    M("Array", "static int FindLastIndex<T>(T[] array, int startIndex, Predicate<T> match)", array_find_last_index),
    M("Array", "static int FindLastIndex<T>(T[] array, int startIndex, int count, Predicate<T> match)", array_find_last_index),
    M("Array", "static void Fill<T>(T[] array, T value)", array_fill),
    M("Array", "static void Fill<T>(T[] array, T value, int startIndex, int count)", array_fill),
    M("Array", "static void ForEach<T>(T[] array, Action<T> action)", array_for_each),
    M("Array", "static int IndexOf<T>(T[] array, T value)", array_index_of),
    M("Array", "static int IndexOf<T>(T[] array, T value, int startIndex)", array_index_of),
    M("Array", "static int IndexOf<T>(T[] array, T value, int startIndex, int count)", array_index_of),
    M("Array", "static int LastIndexOf<T>(T[] array, T value)", array_last_index_of),
    M("Array", "static int LastIndexOf<T>(T[] array, T value, int startIndex)", array_last_index_of),
    M("Array", "static int LastIndexOf<T>(T[] array, T value, int startIndex, int count)", array_last_index_of),
    M("Array", "static void Resize<T>(ref T[] array, int newSize)", array_resize),
    M("Array", "static void Reverse(Array array)", array_reverse),
    M("Array", "static void Reverse(Array array, int index, int length)", array_reverse),
    M("Array", "static void Reverse<T>(T[] array)", array_reverse),
    M("Array", "static void Reverse<T>(T[] array, int index, int length)", array_reverse),
    M("Array", "static void Sort<T>(T[] array)", array_sort),
    M("Array", "static void Sort<T>(T[] array, IComparer<T> comparer)", array_sort),
    M("Array", "static void Sort<T>(T[] array, Comparison<T> comparison)", array_sort_by),
    M("Array", "static void Sort<T>(T[] array, int index, int length)", array_sort_part),
    M("Array", "static void Sort<T>(T[] array, int index, int length, IComparer<T> comparer)", array_sort_part),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items)", array_sort_items),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items, IComparer<TKey> comparer)", array_sort_items),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items, int index, int length)", array_sort_items_part),
    M("Array", "static void Sort<TKey,TValue>(TKey[] keys, TValue[] items, int index, int length, IComparer<TKey> comparer)",
      array_sort_items_part),
    M("Array", "static bool TrueForAll<T>(T[] array, Predicate<T> match)", array_true_for_all),
};

const struct library clr_array = {"array", NULL, 0, members, COUNTOF(members)};
