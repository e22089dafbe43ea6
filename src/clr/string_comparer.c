/* string_comparer.c: System.StringComparer: the StringComparison values as comparers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/string_comparer.h"

#include "clr/families.h"
#include "clr/text.h"

struct string_comparer {
    struct comparer super;
    enum string_comparison how;
};

static enum string_comparison
how_of(const struct comparer *self)
{
    return ((const struct string_comparer *)self)->how;
}

static bool
ops_equals(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret)
{
    *ret = text_equals((struct string *)a.ref, (struct string *)b.ref, how_of(self));
    return true;
}

static bool
ops_hash(struct call *c, struct comparer *self, struct value v, int32_t *ret)
{
    *ret = v.ref ? (int32_t)text_hash((struct string *)v.ref, how_of(self)) : 0;
    return true;
}

static bool
ops_compare(struct call *c, struct comparer *self, struct value a, struct value b, int *ret)
{
    *ret = text_compare((struct string *)a.ref, (struct string *)b.ref, how_of(self));
    return true;
}

static const struct comparer_ops ops = {ops_equals, ops_hash, ops_compare};

struct comparer *
string_comparer_new(struct call *c, enum string_comparison how)
{
    const struct type *type = type_find(c->run->env, STR("System.StringComparer"), NULL, 0);
    struct string_comparer *comparer = object_new(c, type, struct string_comparer);

    if (!comparer)
        return NULL;
    comparer->super.ops = &ops;
    comparer->how = how;
    return &comparer->super;
}

int
string_comparer_how(const struct comparer *comparer)
{
    return comparer->ops == &ops ? (int)how_of(comparer) : -1;
}

static bool
make(struct call *c, enum string_comparison how)
{
    return return_new(c, string_comparer_new(c, how));
}

static bool ordinal(struct call *c) { return make(c, ORDINAL); }
static bool ordinal_ignore_case(struct call *c) { return make(c, ORDINAL_IGNORE_CASE); }
static bool culture(struct call *c) { return make(c, INVARIANT_CULTURE); }
static bool culture_ignore_case(struct call *c) { return make(c, INVARIANT_CULTURE_IGNORE_CASE); }

static bool
from_comparison(struct call *c)
{
    if ((uint64_t)c->args[0].i64 > ORDINAL_IGNORE_CASE)
        return throw_argument(c, "comparisonType", "The string comparison type passed in is not supported.");
    return make(c, (enum string_comparison)c->args[0].i64);
}

static bool
create(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "culture");
    return make(c, call_bool(c, 1) ? INVARIANT_CULTURE_IGNORE_CASE : INVARIANT_CULTURE);
}

static bool
create_by_options(struct call *c)
{
    enum { NONE = 0, IGNORE_CASE = 1, ORDINAL_NOCASE = 268435456, ORDINAL_ALONE = 1073741824 };

    if (!c->args[0].ref)
        return throw_argument_null(c, "culture");
    switch (c->args[1].i64) {
    case NONE: return make(c, INVARIANT_CULTURE);
    case IGNORE_CASE: return make(c, INVARIANT_CULTURE_IGNORE_CASE);
    case ORDINAL_NOCASE: return make(c, ORDINAL_IGNORE_CASE);
    case ORDINAL_ALONE: return make(c, ORDINAL);
    }
    return call_throw(c, EXC_NOT_SUPPORTED, "Comparing with these CompareOptions is not supported.");
}

static bool
comparer_equals(struct call *c)
{
    return return_bool(c, text_equals(call_string(c, 1), call_string(c, 2), how_of((struct comparer *)c->args[0].ref)));
}

static bool
comparer_compare(struct call *c)
{
    return return_i64(c, text_compare(call_string(c, 1), call_string(c, 2), how_of((struct comparer *)c->args[0].ref)));
}

static bool
comparer_hash(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "obj");
    return return_i64(c, (int32_t)text_hash(call_string(c, 1), how_of((struct comparer *)c->args[0].ref)));
}

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.StringComparer", NULL, "IComparer<string>, IEqualityComparer<string>, IComparer, IEqualityComparer", NULL),
};

static const struct member_row members[] = {
    M("StringComparer", "static StringComparer Ordinal { get; }", ordinal),
    M("StringComparer", "static StringComparer OrdinalIgnoreCase { get; }", ordinal_ignore_case),
    M("StringComparer", "static StringComparer InvariantCulture { get; }", culture),
    M("StringComparer", "static StringComparer InvariantCultureIgnoreCase { get; }", culture_ignore_case),
    M("StringComparer", "static StringComparer CurrentCulture { get; }", culture),
    M("StringComparer", "static StringComparer CurrentCultureIgnoreCase { get; }", culture_ignore_case),
    M("StringComparer", "static StringComparer Create(CultureInfo culture, bool ignoreCase)", create),
    M("StringComparer", "static StringComparer Create(CultureInfo culture, CompareOptions options)", create_by_options),
    M("StringComparer", "static StringComparer FromComparison(StringComparison comparisonType)", from_comparison),
    M("StringComparer", "bool Equals(string x, string y)", comparer_equals),
    M("StringComparer", "int Compare(string x, string y)", comparer_compare),
    M("StringComparer", "int GetHashCode(string obj)", comparer_hash),
};

const struct library clr_string_comparer = LIBRARY("string comparer", types, members);
