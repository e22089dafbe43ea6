/* json_merge.c: JContainer.Merge and JsonMergeSettings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"
#include "clr/jtoken.h"

enum array_handling { ARRAYS_CONCAT, ARRAYS_UNION, ARRAYS_REPLACE, ARRAYS_MERGE };
enum null_handling { NULLS_IGNORE, NULLS_MERGE };
enum { COMPARE_ORDINAL = 4 };

struct merge_settings {
    struct object head;
    int64_t arrays, nulls;
    int64_t name_comparison;          /* StringComparison */
};

static const struct merge_settings settings_default = {.name_comparison = COMPARE_ORDINAL};

static bool merge(struct call *c, struct jtoken *into, struct jtoken *from, const struct merge_settings *s, uint32_t depth);

static bool
is_null(const struct jtoken *t)
{
    return !jtoken_is_container(t) && t->type != JTYPE_PROPERTY && !((const struct jvalue *)t)->value_type;
}

static bool
merge_member(struct call *c, struct jcontainer *into, struct jproperty *from, const struct merge_settings *s, uint32_t depth)
{
    bool nocase = s->name_comparison % 2 == 1;
    struct jproperty *mine;

    if (!(nocase ? jobject_find_nocase : jobject_find)(c, into, string_str(from->name), &mine))
        return false;
    if (!mine)
        return jobject_set(c, into, from->name, from->value);
    if (jtoken_is_container(mine->value) && mine->value->type == from->value->type)
        return merge(c, mine->value, from->value, s, depth + 1);
    return (is_null(from->value) && s->nulls != NULLS_MERGE) || jproperty_set_value(c, mine, from->value);
}

static bool
merge_objects(struct call *c, struct jcontainer *into, struct jcontainer *from, const struct merge_settings *s, uint32_t depth)
{
    if (!jcontainer_open(c, from))
        return false;
    for (uint32_t i = 0; i < from->n; i++)
        if (!call_charge(c, 1) || !merge_member(c, into, (struct jproperty *)from->items[i], s, depth))
            return false;
    return true;
}

/* Whether an equal token is in `a` already. */
static bool
holds(struct call *c, struct jcontainer *a, struct jtoken *t, bool *ret)
{
    *ret = false;
    for (uint32_t i = 0; i < a->n && !*ret; i++)
        if (!call_charge(c, 1) || !jtoken_deep_equals(c, a->items[i], t, ret))
            return false;
    return true;
}

static bool
merge_items(struct call *c, struct jcontainer *into, struct jcontainer *from, const struct merge_settings *s, uint32_t depth)
{
    uint32_t n;

    if (s->arrays == ARRAYS_REPLACE && into == from)
        return true;
    if (!jcontainer_open(c, into) || !jcontainer_open(c, from))
        return false;
    if (s->arrays == ARRAYS_REPLACE)
        jcontainer_clear(into);
    n = from->n;
    if (into == from && n && s->arrays == ARRAYS_CONCAT)
        return call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
    for (uint32_t i = 0; i < n; i++) {
        struct jtoken *t = from->items[i];
        bool skip = false;

        if (s->arrays == ARRAYS_UNION && !holds(c, into, t, &skip))
            return false;
        if (s->arrays == ARRAYS_MERGE && i < into->n) {
            skip = true;
            if (jtoken_is_container(into->items[i]) ? !merge(c, into->items[i], t, s, depth + 1)
                                                    : !is_null(t) && !jcontainer_replace_at(c, into, i, t))
                return false;
        }
        if (!skip && !jcontainer_insert(c, into, UINT32_MAX, t))
            return false;
    }
    return true;
}

static bool
merge(struct call *c, struct jtoken *into, struct jtoken *from, const struct merge_settings *s, uint32_t depth)
{
    struct jcontainer *k = (struct jcontainer *)into, *other = (struct jcontainer *)from;

    if (depth > JTOKEN_DEPTH_MAX)
        return call_exceed(c, BUDGET_DEPTH);
    if (into->type == JTYPE_OBJECT)
        return from->type != JTYPE_OBJECT || merge_objects(c, k, other, s, depth);
    if (into->type == JTYPE_ARRAY)
        return from->type != JTYPE_ARRAY || merge_items(c, k, other, s, depth);
    if (into->type == JTYPE_CONSTRUCTOR) {
        if (from->type != JTYPE_CONSTRUCTOR)
            return true;
        if (other->name)
            k->name = other->name;
        return merge_items(c, k, other, s, depth);
    }
    if (from->type != JTYPE_PROPERTY || is_null(((struct jproperty *)from)->value))
        return true;
    return jproperty_set_value(c, (struct jproperty *)into, ((struct jproperty *)from)->value);
}

static bool
container_merge(struct call *c)
{
    const struct merge_settings *s = c->n_args > 2 && c->args[2].ref ? (struct merge_settings *)c->args[2].ref : &settings_default;
    struct object *content = c->args[1].ref;
    struct jtoken *from = (struct jtoken *)content;

    if (!content)
        return true;
    if (!object_is_jtoken(content)) {
        struct jcontainer *list = jarray_new(c);
        if (!type_is_assignable(content->type, core_types(c->run->env)->enumerable))
            return true;
        if (!list || !jcontainer_add_content(c, list, UINT32_MAX, content))
            return false;
        from = &list->t;
    }
    return merge(c, (struct jtoken *)c->args[0].ref, from, s, 0);
}

/* ---- JsonMergeSettings ---- */

static struct merge_settings *
settings_of(const struct call *c)
{
    return (struct merge_settings *)c->args[0].ref;
}

static bool
settings_new(struct call *c)
{
    struct merge_settings *s = object_new(c, c->owner, struct merge_settings);

    if (s)
        s->name_comparison = COMPARE_ORDINAL;
    return return_new(c, s);
}

#define SETTING(name, field, max) \
    static bool \
    settings_##name(struct call *c) \
    { \
        return return_i64(c, settings_of(c)->field); \
    } \
    static bool \
    settings_set_##name(struct call *c) \
    { \
        if ((uint64_t)c->args[1].i64 > (max)) \
            return throw_argument_range(c, "value", "Specified argument was out of the range of valid values."); \
        settings_of(c)->field = c->args[1].i64; \
        return true; \
    }
SETTING(arrays, arrays, 3)
SETTING(nulls, nulls, 1)
SETTING(name_comparison, name_comparison, 5)

static const struct type_row types[] = {
    ENUM("Newtonsoft.Json.Linq.MergeArrayHandling", "Concat = 0, Union = 1, Replace = 2, Merge = 3"),
    ENUM_FLAGS("Newtonsoft.Json.Linq.MergeNullValueHandling", "Ignore = 0, Merge = 1"),
    CLASS("Newtonsoft.Json.Linq.JsonMergeSettings", NULL, NULL, NULL),
};

static const struct member_row members[] = {
    M("JContainer", "void Merge(object content)", container_merge),
    M("JContainer", "void Merge(object content, JsonMergeSettings settings)", container_merge),
    M("JsonMergeSettings", "new()", settings_new),
    P("JsonMergeSettings", "MergeArrayHandling MergeArrayHandling { get; set; }", settings_arrays, settings_set_arrays),
    P("JsonMergeSettings", "MergeNullValueHandling MergeNullValueHandling { get; set; }", settings_nulls, settings_set_nulls),
    P("JsonMergeSettings", "StringComparison PropertyNameComparison { get; set; }", settings_name_comparison, settings_set_name_comparison),
};

const struct library clr_json_merge = LIBRARY("json merge", types, members);
