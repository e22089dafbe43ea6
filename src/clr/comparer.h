/* comparer.h: IEqualityComparer<T> and IComparer<T> as natives see them.
 *
 * Every comparer object of the library (StringComparer, EqualityComparer<T>.Default, JTokenEqualityComparer ...) begins
 * with struct comparer, so collections and LINQ call it without a member look-up. A NULL comparer is the type's default.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

struct comparer;

/* A NULL function: this comparer does not do that. Values are kept as the comparer's element type. */
struct comparer_ops {
    bool (*equals)(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret);
    bool (*hash)(struct call *c, struct comparer *self, struct value v, int32_t *ret);
    bool (*compare)(struct call *c, struct comparer *self, struct value a, struct value b, int *ret);
};

struct comparer {
    struct object head;
    const struct comparer_ops *ops;
    int64_t kind;                     /* the owner's */
};

/* How the keys of a table or the elements of a sequence are told apart. comparer may be NULL. */
struct key_rule {
    const struct type *type;          /* what the values are kept as */
    struct comparer *comparer;
};

bool key_equals(struct call *c, const struct key_rule *rule, struct value a, struct value b, bool *ret);
bool key_hash(struct call *c, const struct key_rule *rule, struct value v, uint32_t *ret);
bool key_compare(struct call *c, const struct key_rule *rule, struct value a, struct value b, int *ret);
/* Whether a value of this type is the null reference (or a nullable without value). */
static inline bool
value_is_null(const struct type *type, struct value v)
{
    return type_is_kept_in_ref(type) && !(type->flags & TYPE_IS_REF_STRUCT) && !v.ref;
}
