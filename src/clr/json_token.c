/* json_token.c: the members of JToken and JContainer, and the types of Newtonsoft.Json.Linq.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/annotations.h"
#include "clr/families.h"
#include "clr/jsequence.h"
#include "clr/type_object.h"

static struct jtoken *
self_of(const struct call *c)
{
    return (struct jtoken *)c->args[0].ref;
}

/* ---- items ---- */

static bool
bad_key(struct call *c, struct jtoken *t, const char *verb, struct object *key, const char *expected)
{
    struct string *text;
    bool quoted = key && key->type->kind == TYPE_STRING;

    if (!key)
        return throw_argument_null(c, "key");
    if (!value_to_string(c, key->type, value_unbox(key), STR_NONE, &text))
        return false;
    return throw_argument(c, NULL, "%s %.*s values with invalid key value: %s%.*s%s. %s expected.",
                          verb, STR_ARG(t->head.type->name), quoted ? "\"" : "", STR_ARG(string_str(text)), quoted ? "\"" : "",
                          expected);
}

/* The position that an int key means; false after an exception. */
static bool
array_position(struct call *c, struct jcontainer *k, const char *verb, struct object *key, int64_t *ret)
{
    if (!key || key->type->kind != TYPE_INT)
        return bad_key(c, &k->t, verb, key, k->t.type == JTYPE_ARRAY ? "Int32 array index" : "Argument position index");
    if (!jcontainer_open(c, k))
        return false;
    *ret = value_unbox(key).i64;
    if ((uint64_t)*ret < k->n)
        return true;
    return throw_argument_range(c, "index", *verb == 'A' ? "Index was out of range. Must be non-negative and less than the size of "
                                                           "the collection."
                                            : *ret < 0   ? "Index is less than 0."
                                                         : "Index is equal to or greater than Count.");
}

bool
jtoken_item(struct call *c, struct jtoken *t, struct object *key, struct jtoken **ret)
{
    struct jcontainer *k = (struct jcontainer *)t;
    struct jproperty *p;
    int64_t i;

    if (t->type == JTYPE_OBJECT) {
        if (!key || key->type->kind != TYPE_STRING)
            return bad_key(c, t, "Accessed", key, "Object property name");
        if (!jobject_find(c, k, string_str((struct string *)key), &p))
            return false;
        *ret = p ? p->value : NULL;
        return true;
    }
    if (t->type == JTYPE_ARRAY || t->type == JTYPE_CONSTRUCTOR) {
        if (!array_position(c, k, "Accessed", key, &i))
            return false;
        *ret = k->items[i];
        return true;
    }
    return call_throw(c, EXC_INVALID_OPERATION, "Cannot access child value on %.*s.", STR_ARG(t->head.type->full_name));
}

static bool
token_get(struct call *c)
{
    struct jtoken *item;

    return jtoken_item(c, self_of(c), c->args[1].ref, &item) && return_ref(c, item);
}

static bool
token_set(struct call *c)
{
    struct jtoken *t = self_of(c);
    struct jcontainer *k = (struct jcontainer *)t;
    struct object *key = c->args[1].ref;
    int64_t i;

    if (t->type == JTYPE_OBJECT) {
        if (!key || key->type->kind != TYPE_STRING)
            return bad_key(c, t, "Set", key, "Object property name");
        return jobject_set(c, k, (struct string *)key, (struct jtoken *)c->args[2].ref);
    }
    if (t->type == JTYPE_ARRAY || t->type == JTYPE_CONSTRUCTOR)
        return array_position(c, k, "Set", key, &i) && jcontainer_replace_at(c, k, (uint32_t)i, (struct jtoken *)c->args[2].ref);
    return call_throw(c, EXC_INVALID_OPERATION, "Cannot set child value on %.*s.", STR_ARG(t->head.type->full_name));
}

/* ---- around the token ---- */

static bool
token_type(struct call *c)
{
    return return_i64(c, self_of(c)->type);
}

static bool
token_parent(struct call *c)
{
    return return_ref(c, self_of(c)->parent);
}

static bool
token_root(struct call *c)
{
    struct jtoken *t = self_of(c);

    while (t->parent)
        t = t->parent;
    return return_ref(c, t);
}

static bool
token_path(struct call *c)
{
    struct string *path;

    return jtoken_path(c, self_of(c), &path) && return_ref(c, path);
}

/* The sibling `by` places away, or null. */
static bool
sibling(struct call *c, int by)
{
    struct jtoken *t = self_of(c), **children;
    uint32_t n;

    if (!t->parent)
        return return_ref(c, NULL);
    if (!jtoken_children(c, t->parent, &children, &n))
        return false;
    int64_t i = (int64_t)jtoken_index(t) + by;
    return return_ref(c, i >= 0 && i < n ? children[i] : NULL);
}

static bool
token_next(struct call *c)
{
    return sibling(c, 1);
}

static bool
token_previous(struct call *c)
{
    return sibling(c, -1);
}

static bool
end_child(struct call *c, bool last)
{
    struct jtoken **children;
    uint32_t n;

    if (!jtoken_is_container(self_of(c)) && self_of(c)->type != JTYPE_PROPERTY)
        return call_throw(c, EXC_INVALID_OPERATION, "Cannot access child value on %.*s.",
                          STR_ARG(self_of(c)->head.type->full_name));
    if (!jtoken_children(c, self_of(c), &children, &n))
        return false;
    return return_ref(c, n == 0 ? NULL : children[last ? n - 1 : 0]);
}

static bool
token_first(struct call *c)
{
    return end_child(c, false);
}

static bool
token_last(struct call *c)
{
    return end_child(c, true);
}

static bool
count_of(const struct jtoken *t, uint32_t *ret)
{
    *ret = t->type == JTYPE_PROPERTY ? 1 : jtoken_is_container(t) ? jcontainer_count((const struct jcontainer *)t) : 0;
    return true;
}

static bool
token_has_values(struct call *c)
{
    uint32_t n;

    return count_of(self_of(c), &n) && return_bool(c, n > 0);
}

static bool
container_count(struct call *c)
{
    uint32_t n;

    return count_of(self_of(c), &n) && return_i64(c, n);
}

/* ---- sequences ---- */

static bool
walk(struct call *c, enum jwalk how)
{
    return return_new(c, jsequence_new(c, c->ret_type, how, self_of(c)));
}

bool
jnative_children(struct call *c)
{
    return walk(c, JWALK_CHILDREN);
}

/* Children<T>() */
bool
jnative_children_of(struct call *c)
{
    struct jsequence *s = jsequence_new(c, c->ret_type, JWALK_CHILDREN, self_of(c));

    if (s)
        s->filter = c->type_args[0];
    return return_new(c, s);
}

#define WALK(name, how) \
    static bool \
    name(struct call *c) \
    { \
        return walk(c, how); \
    }
WALK(token_ancestors, JWALK_ANCESTORS)
WALK(token_ancestors_and_self, JWALK_ANCESTORS_AND_SELF)
WALK(token_before_self, JWALK_BEFORE_SELF)
WALK(token_after_self, JWALK_AFTER_SELF)
WALK(container_descendants, JWALK_DESCENDANTS)
WALK(container_descendants_and_self, JWALK_DESCENDANTS_AND_SELF)

/* Values<T>(): the children of an array, or of an object its properties, converted. */
static bool
token_values(struct call *c)
{
    struct jsequence *s;

    if (!jtoken_is_container(self_of(c)) && self_of(c)->type != JTYPE_PROPERTY)
        return call_throw(c, EXC_INVALID_OPERATION, "Cannot access child value on %.*s.",
                          STR_ARG(self_of(c)->head.type->full_name));
    s = jsequence_new(c, c->ret_type, JWALK_CHILDREN, self_of(c));
    if (s) {
        s->filter = NULL;
        s->convert = c->type_args[0];
    }
    return return_new(c, s);
}

static bool
select_tokens(struct call *c, bool error_when_missing)
{
    struct jsequence *s;

    if (!c->args[1].ref)
        return throw_argument_null(c, "expression");
    s = jsequence_new(c, c->ret_type, JWALK_SELECT, self_of(c));
    if (s) {
        s->path = string_str(call_string(c, 1));
        s->error_when_missing = error_when_missing;
    }
    return return_new(c, s);
}

static bool
token_select_tokens(struct call *c)
{
    return select_tokens(c, c->n_args > 2 && call_bool(c, 2));
}

static bool
token_select_token(struct call *c)
{
    struct jtoken_list found = {0};

    if (!c->args[1].ref)
        return throw_argument_null(c, "expression");
    if (!jtoken_select(c, self_of(c), string_str(call_string(c, 1)), c->n_args > 2 && call_bool(c, 2), &found))
        return false;
    if (found.n > 1)
        return call_throw(c, EXC_JSON, "Path returned multiple tokens.");
    return return_ref(c, found.n ? found.v[0] : NULL);
}

/* ---- values ---- */

/* Value<T>(key) */
static bool
token_value(struct call *c)
{
    struct jtoken *item;

    return jtoken_item(c, self_of(c), c->args[1].ref, &item) && jtoken_convert(c, item, c->type_args[0], &c->ret);
}

static bool
token_to_object(struct call *c)
{
    return jtoken_to_object(c, self_of(c), c->type_args[0], &c->ret);
}

static bool
token_to_object_type(struct call *c)
{
    struct object *o = c->args[1].ref;
    const struct type *to;
    struct value v;

    if (!o)
        return throw_argument_null(c, "objectType");
    to = type_of_object(o);
    return jtoken_to_object(c, self_of(c), to, &v) && value_box(c, to, v, &o) && return_ref(c, o);
}

static bool
token_deep_clone(struct call *c)
{
    return return_new(c, jtoken_clone(c, self_of(c)));
}

static bool
token_deep_equals(struct call *c)
{
    bool same;

    return jtoken_deep_equals(c, self_of(c), (struct jtoken *)c->args[1].ref, &same) && return_bool(c, same);
}

static bool
return_text(struct call *c, struct jtoken *t, bool indented)
{
    struct buf b = call_buf(c);

    return jtoken_write(c, t, indented, &b) && return_new(c, string_from_buf(c, &b));
}

/* ToString(Formatting, params JsonConverter[]) */
static bool
token_to_string_formatting(struct call *c)
{
    return return_text(c, self_of(c), c->args[1].i64 == 1);
}

/* ---- changing ---- */

static bool
token_remove(struct call *c)
{
    return jtoken_remove(c, self_of(c));
}

static bool
token_replace(struct call *c)
{
    return jtoken_replace(c, self_of(c), (struct jtoken *)c->args[1].ref);
}

/* AddBeforeSelf, AddAfterSelf */
static bool
add_beside(struct call *c, uint32_t by)
{
    struct jtoken *t = self_of(c);

    if (!t->parent)
        return call_throw(c, EXC_INVALID_OPERATION, "The parent is missing.");
    if (t->parent->type == JTYPE_PROPERTY)
        return call_throw(c, EXC_JSON, "Newtonsoft.Json.Linq.JProperty cannot have multiple values.");
    return jcontainer_add_content(c, (struct jcontainer *)t->parent, jtoken_index(t) + by, c->args[1].ref);
}

static bool
token_add_before_self(struct call *c)
{
    return add_beside(c, 0);
}

static bool
token_add_after_self(struct call *c)
{
    return add_beside(c, 1);
}

static bool
only_one_value(struct call *c)
{
    return call_throw(c, EXC_JSON, "Newtonsoft.Json.Linq.JProperty cannot have multiple values.");
}

static bool
container_add(struct call *c)
{
    if (self_of(c)->type == JTYPE_PROPERTY)
        return only_one_value(c);
    return jcontainer_add_content(c, (struct jcontainer *)self_of(c), UINT32_MAX, c->args[1].ref);
}

static bool
container_add_first(struct call *c)
{
    if (self_of(c)->type == JTYPE_PROPERTY)
        return only_one_value(c);
    return jcontainer_add_content(c, (struct jcontainer *)self_of(c), 0, c->args[1].ref);
}

static bool
container_remove_all(struct call *c)
{
    if (self_of(c)->type == JTYPE_PROPERTY)
        return call_throw(c, EXC_JSON, "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.");
    jcontainer_clear((struct jcontainer *)self_of(c));
    return true;
}

static bool
container_replace_all(struct call *c)
{
    return container_remove_all(c) && container_add(c);
}

/* ---- making ---- */

static bool
token_parse(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "s");
    return return_ref(c, jtoken_parse_or_throw(c, string_str(call_string(c, 0)), JSON_NULL)) && c->ret.ref;
}

static bool
token_from_object(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "o");
    return return_ref(c, jtoken_from_object(c, c->args[0].ref)) && c->ret.ref;
}

/* ---- hooks ---- */

static bool
hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct jtoken *t = (struct jtoken *)v.ref;
    struct jvalue *value = (struct jvalue *)t;
    struct buf b;

    if (jtoken_is_container(t) || t->type == JTYPE_PROPERTY) {
        b = call_buf(c);
        return jtoken_write(c, t, true, &b) && (*ret = string_from_buf(c, &b));
    }
    if (!value->value_type)
        return (*ret = string_lit(c, "")) != NULL;
    return value_to_string(c, value->value_type, value->v, format, ret);
}

static const struct type_hooks token_hooks = {.iterate = jtoken_iterate, .to_string = hook_to_string};

bool
object_is_jtoken(const struct object *o)
{
    return o->type->hooks->to_string == hook_to_string;
}

static const struct type_row types[] = {
    ENUM("Newtonsoft.Json.Linq.JTokenType",
         "None = 0, Object = 1, Array = 2, Constructor = 3, Property = 4, Comment = 5, Integer = 6, Float = 7, String = 8, "
         "Boolean = 9, Null = 10, Undefined = 11, Date = 12, Raw = 13, Bytes = 14, Guid = 15, Uri = 16, TimeSpan = 17"),
    ENUM("Newtonsoft.Json.Formatting", "None = 0, Indented = 1"),
    {TYPE_INTERFACE, "Newtonsoft.Json.Linq.IJEnumerable<T>", NULL, "IEnumerable<T>", NULL, TYPE_IS_COVARIANT, NULL},
    {TYPE_INTERFACE, "Newtonsoft.Json.Linq.JEnumerable<T>", NULL, "IJEnumerable<T>", NULL, TYPE_IS_COVARIANT, NULL},
    CLASS_ABSTRACT("Newtonsoft.Json.Linq.JToken", NULL, "IJEnumerable<JToken>", &token_hooks),
    CLASS_ABSTRACT("Newtonsoft.Json.Linq.JContainer", "JToken", "IList<JToken>", NULL),
    CLASS_ABSTRACT("Newtonsoft.Json.JsonConverter", NULL, NULL, NULL),
    TYPE_LATER("Newtonsoft.Json.JsonReader"),
    TYPE_LATER("Newtonsoft.Json.JsonWriter"),
    TYPE_LATER("Newtonsoft.Json.JsonSerializer"),
};

#define T "JToken"

static const struct member_row members[] = {
    P("JToken", "JToken this[object key] { get; set; }", token_get, token_set),
    M("JToken", "JTokenType Type { get; }", token_type),
    M("JToken", "JContainer Parent { get; }", token_parent),
    M("JToken", "JToken Root { get; }", token_root),
    M("JToken", "JToken Next { get; }", token_next),
    M("JToken", "JToken Previous { get; }", token_previous),
    M("JToken", "JToken First { get; }", token_first),
    M("JToken", "JToken Last { get; }", token_last),
    M("JToken", "bool HasValues { get; }", token_has_values),
    M("JToken", "string Path { get; }", token_path),
    M("JToken", "void AddAfterSelf(object content)", token_add_after_self),
    M("JToken", "void AddBeforeSelf(object content)", token_add_before_self),
    M("JToken", "IEnumerable<JToken> AfterSelf()", token_after_self),
    M("JToken", "IEnumerable<JToken> BeforeSelf()", token_before_self),
    M("JToken", "IEnumerable<JToken> Ancestors()", token_ancestors),
    M("JToken", "IEnumerable<JToken> AncestorsAndSelf()", token_ancestors_and_self),
    M("JToken", "JEnumerable<JToken> Children()", jnative_children),
    M("JToken", "JEnumerable<T> Children<T>()", jnative_children_of),
    M("JToken", "JToken DeepClone()", token_deep_clone),
    M("JToken", "static bool DeepEquals(JToken t1, JToken t2)", token_deep_equals),
    M("JToken", "static JToken FromObject(object o)", token_from_object),
    M("JToken", "static JToken Parse(string json)", token_parse),
    M("JToken", "void Remove()", token_remove),
    M("JToken", "void Replace(JToken value)", token_replace),
    M("JToken", "JToken SelectToken(string path)", token_select_token),
    M("JToken", "JToken SelectToken(string path, bool errorWhenNoMatch)", token_select_token),
    M("JToken", "IEnumerable<JToken> SelectTokens(string path)", token_select_tokens),
    M("JToken", "IEnumerable<JToken> SelectTokens(string path, bool errorWhenNoMatch)", token_select_tokens),
    M("JToken", "T ToObject<T>()", token_to_object),
    M("JToken", "object ToObject(Type objectType)", token_to_object_type),
    M("JToken", "string ToString(Formatting formatting, params JsonConverter[] converters)", token_to_string_formatting),
    M("JToken", "T Value<T>(object key)", token_value),
    M("JToken", "IEnumerable<T> Values<T>()", token_values),
    ANNOTATION_ROWS("JToken"),
    M(T, "static JToken Parse(string json, JsonLoadSettings settings)", token_parse),
    M_LATER(T, "JsonReader CreateReader()"),
    M_LATER(T, "void WriteTo(JsonWriter writer, params JsonConverter[] converters)"),
    M_LATER(T, "static JToken FromObject(object o, JsonSerializer jsonSerializer)"),
    M_LATER(T, "T ToObject<T>(JsonSerializer jsonSerializer)"),
    M_LATER(T, "object ToObject(Type objectType, JsonSerializer jsonSerializer)"),
    M_LATER(T, "static JToken ReadFrom(JsonReader reader)"),
    M_LATER(T, "static JToken ReadFrom(JsonReader reader, JsonLoadSettings settings)"),
    M_LATER(T, "static JToken Load(JsonReader reader)"),
    M_LATER(T, "static JToken Load(JsonReader reader, JsonLoadSettings settings)"),

    M_LATER("JContainer", "JsonWriter CreateWriter()"),
    M_LATER("JContainer", "object AddingNew { get; }"),
    M_LATER("JContainer", "object CollectionChanged { get; }"),
    M_LATER("JContainer", "object ListChanged { get; }"),
    M("JContainer", "int Count { get; }", container_count),
    M("JContainer", "void Add(object content)", container_add),
    M("JContainer", "void AddFirst(object content)", container_add_first),
    M("JContainer", "IEnumerable<JToken> Descendants()", container_descendants),
    M("JContainer", "IEnumerable<JToken> DescendantsAndSelf()", container_descendants_and_self),
    M("JContainer", "void RemoveAll()", container_remove_all),
    M("JContainer", "void ReplaceAll(object content)", container_replace_all),
};

const struct library clr_json_token = LIBRARY("json token", types, members);
