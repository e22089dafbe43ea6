/* json_object.c: the members of JObject, JProperty, JArray and JConstructor.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/families.h"
#include "clr/jsequence.h"

static struct jcontainer *
self_of(const struct call *c)
{
    return (struct jcontainer *)c->args[0].ref;
}

static struct jtoken *
token_at(const struct call *c, uint32_t i)
{
    return (struct jtoken *)c->args[i].ref;
}

/* A new container of the type being constructed. */
static struct jcontainer *
make(struct call *c, enum jtype type)
{
    struct jcontainer *k = object_new(c, c->owner, struct jcontainer);

    if (k)
        k->t.type = (uint8_t)type;
    return k;
}

/* new X(object content), new X(params object[] content): both add what is inside. */
static bool
make_with(struct call *c, enum jtype type, struct object *content)
{
    struct jcontainer *k = make(c, type);

    return k && jcontainer_add_content(c, k, UINT32_MAX, content) && return_ref(c, k);
}

/* new X(X other) */
static bool
copy_of_argument(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "other");
    return return_new(c, jtoken_clone(c, token_at(c, 0)));
}

static bool
parse(struct call *c, enum json_kind wanted)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "s");
    return return_new(c, jtoken_parse_or_throw(c, string_str(call_string(c, 0)), wanted));
}

/* FromObject, which must give a token of this type. */
static bool
from_object(struct call *c, enum jtype wanted, const char *what)
{
    struct jtoken *t;

    if (!c->args[0].ref)
        return throw_argument_null(c, "o");
    if (!(t = jtoken_from_object(c, c->args[0].ref)))
        return false;
    if (t->type != wanted)
        return throw_argument(c, NULL, "Object serialized to %s. %s instance expected.", jtype_name(t->type), what);
    return return_ref(c, t);
}

/* ---- JObject ---- */

static bool
object_new_empty(struct call *c)
{
    return return_new(c, make(c, JTYPE_OBJECT));
}

static bool
object_new_content(struct call *c)
{
    return make_with(c, JTYPE_OBJECT, c->args[0].ref);
}

static bool
object_parse(struct call *c)
{
    return parse(c, JSON_OBJECT);
}

static bool
object_from_object(struct call *c)
{
    return from_object(c, JTYPE_OBJECT, "JObject");
}

static bool
object_add(struct call *c)
{
    struct jproperty *p;

    if (!c->args[1].ref)
        return throw_argument_null(c, "name");
    p = jproperty_new(c, call_string(c, 1), token_at(c, 2));
    return p && jcontainer_insert(c, self_of(c), UINT32_MAX, &p->t);
}

/* The property called args[1], under the StringComparison of args[2] if there is one; exact names come first. */
static bool
find(struct call *c, int comparison, struct jproperty **ret)
{
    enum { INVARIANT_IGNORE_CASE = 3, ORDINAL_IGNORE_CASE = 5, CURRENT_IGNORE_CASE = 1 };
    bool nocase = comparison == INVARIANT_IGNORE_CASE || comparison == ORDINAL_IGNORE_CASE || comparison == CURRENT_IGNORE_CASE;

    *ret = NULL;
    if (!c->args[1].ref)
        return true;
    if (nocase)
        return jobject_find_nocase(c, self_of(c), string_str(call_string(c, 1)), ret);
    return jobject_find(c, self_of(c), string_str(call_string(c, 1)), ret);
}

static bool
object_get(struct call *c)
{
    struct jproperty *p;

    if (!c->args[1].ref)
        return throw_argument_null(c, "propertyName");
    return find(c, -1, &p) && return_ref(c, p ? p->value : NULL);
}

static bool
object_set(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "name");
    return jobject_set(c, self_of(c), call_string(c, 1), token_at(c, 2));
}

static bool
object_get_value(struct call *c)
{
    struct jproperty *p;

    return find(c, c->n_args > 2 ? (int)c->args[2].i64 : -1, &p) && return_ref(c, p ? p->value : NULL);
}

static bool
object_contains_key(struct call *c)
{
    struct jproperty *p;

    if (!c->args[1].ref)
        return throw_argument_null(c, "propertyName");
    return find(c, -1, &p) && return_bool(c, p != NULL);
}

static bool
object_try_get_value(struct call *c)
{
    struct jproperty *p;

    if (!find(c, -1, &p))
        return false;
    c->args[2] = value_ref(p ? p->value : NULL);
    return return_bool(c, p != NULL);
}

/* TryGetValue(name, comparison, out value) */
static bool
object_try_get_value_by(struct call *c)
{
    struct jproperty *p;

    if (!find(c, (int)c->args[2].i64, &p))
        return false;
    c->args[3] = value_ref(p ? p->value : NULL);
    return return_bool(c, p != NULL);
}

static bool
object_property(struct call *c)
{
    struct jproperty *p;

    return find(c, c->n_args > 2 ? (int)c->args[2].i64 : -1, &p) && return_ref(c, p);
}

static bool
object_properties(struct call *c)
{
    return return_new(c, jsequence_new(c, c->ret_type, JWALK_CHILDREN, token_at(c, 0)));
}

static bool
object_property_values(struct call *c)
{
    return return_new(c, jsequence_new(c, c->ret_type, JWALK_PROPERTY_VALUES, token_at(c, 0)));
}

static bool
object_remove(struct call *c)
{
    struct jproperty *p;

    if (!find(c, -1, &p))
        return false;
    if (p)
        jcontainer_remove_at(self_of(c), jtoken_index(&p->t));
    return return_bool(c, p != NULL);
}

/* IDictionary.Keys and Values: lists of what is there now. */
static bool
object_parts(struct call *c, bool keys)
{
    const struct type *list_type = type_find_lit(c->run->env, "System.Collections.Generic.List", c->ret_type->args[0]);
    struct clr_list *l;

    if (!jcontainer_open(c, self_of(c)) || !(l = clr_list_new(c, list_type, self_of(c)->n)))
        return false;
    for (uint32_t i = 0; i < self_of(c)->n; i++) {
        struct jproperty *p = (struct jproperty *)self_of(c)->items[i];
        if (!clr_list_add(c, l, keys ? value_ref(p->name) : value_ref(p->value)))
            return false;
    }
    return return_ref(c, l);
}

static bool
object_keys(struct call *c)
{
    return object_parts(c, true);
}

static bool
object_values(struct call *c)
{
    return object_parts(c, false);
}

/* foreach over a JObject gives KeyValuePair<string, JToken>; as an IEnumerable<JToken> it gives its properties. */
static int
pairs_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct jcontainer *o = (struct jcontainer *)it->self;

    if (o->version != (uint32_t)it->state[1].u64) {
        call_throw(c, EXC_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
        return -1;
    }
    if (it->state[0].u64 >= o->n)
        return 0;
    struct jproperty *p = (struct jproperty *)o->items[it->state[0].u64++];
    *ret = value_ref(key_value_pair_new(c, it->state[2].p, value_ref(p->name), value_ref(p->value)));
    return ret->ref ? 1 : -1;
}

static const struct type *
pair_type(const struct type *object_type)
{
    for (uint32_t i = 0; i < object_type->n_interfaces; i++) {
        const struct type *t = object_type->interfaces[i];
        if (t->n_args == 1 && str_starts_with(t->args[0]->name, STR("KeyValuePair<")))
            return t->args[0];
    }
    return NULL;
}

static bool
object_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    if (as && as->n_args == 1 && !str_starts_with(as->args[0]->name, STR("KeyValuePair<")))
        return jtoken_iterate(c, self, as, it);
    if (!jcontainer_open(c, (struct jcontainer *)self))
        return false;
    *it = (struct iterator){.next = pairs_next, .self = self};
    it->state[1].u64 = ((struct jcontainer *)self)->version;
    it->state[2].p = (void *)pair_type(self->type);
    return true;
}

static const struct type_hooks object_hooks = {.iterate = object_iterate};

/* ---- JProperty ---- */

static bool
property_new(struct call *c)
{
    struct object *content = c->args[1].ref;
    struct jproperty *p;
    struct jtoken *value;

    if (!c->args[0].ref)
        return throw_argument_null(c, "name");
    p = object_new(c, c->owner, struct jproperty);
    if (!p)
        return false;
    p->t.type = JTYPE_PROPERTY;
    p->name = call_string(c, 0);
    /* A sequence becomes an array, anything else stands for itself. */
    if (content && !object_is_jtoken(content) && content->type->kind != TYPE_STRING &&
        content->type != core_types(c->run->env)->byte_array &&
        type_is_assignable(content->type, core_types(c->run->env)->enumerable)) {
        struct jcontainer *a = jarray_new(c);
        if (!a || !jcontainer_add_content(c, a, UINT32_MAX, content))
            return false;
        value = &a->t;
    } else {
        value = jtoken_from_content(c, content);
    }
    return value && jproperty_set_value(c, p, value) && return_ref(c, p);
}

static bool
property_name(struct call *c)
{
    return return_ref(c, ((struct jproperty *)c->args[0].ref)->name);
}

static bool
property_value(struct call *c)
{
    return return_ref(c, ((struct jproperty *)c->args[0].ref)->value);
}

static bool
property_set_value(struct call *c)
{
    return jproperty_set_value(c, (struct jproperty *)c->args[0].ref, token_at(c, 1));
}

/* ---- JArray ---- */

static bool
array_new_empty(struct call *c)
{
    return return_new(c, make(c, JTYPE_ARRAY));
}

static bool
array_new_content(struct call *c)
{
    return make_with(c, JTYPE_ARRAY, c->args[0].ref);
}

static bool
array_parse(struct call *c)
{
    return parse(c, JSON_ARRAY);
}

static bool
array_from_object(struct call *c)
{
    return from_object(c, JTYPE_ARRAY, "JArray");
}

/* Of an item that is changed: the container's own words, where reading has the list's. */
static bool
check_position(struct call *c)
{
    int64_t at = c->args[1].i64;

    if (!jcontainer_open(c, self_of(c)))
        return false;
    return (uint64_t)at < self_of(c)->n ||
           throw_argument_range(c, "index", at < 0 ? "Index is less than 0." : "Index is equal to or greater than Count.");
}

static bool
jarray_get(struct call *c)
{
    int64_t at = c->args[1].i64;

    if (!jcontainer_open(c, self_of(c)))
        return false;
    if ((uint64_t)at >= self_of(c)->n)
        return throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the "
                                                "collection.");
    return return_ref(c, self_of(c)->items[at]);
}

static bool
jarray_set(struct call *c)
{
    return check_position(c) && jcontainer_replace_at(c, self_of(c), (uint32_t)c->args[1].i64, token_at(c, 2));
}

static bool
array_add(struct call *c)
{
    return jcontainer_insert(c, self_of(c), UINT32_MAX, token_at(c, 1));
}

static bool
array_insert(struct call *c)
{
    if (!jcontainer_open(c, self_of(c)))
        return false;
    if ((uint64_t)c->args[1].i64 > self_of(c)->n)
        return throw_argument_range(c, "index", "Index must be within the bounds of the List.");
    return jcontainer_insert(c, self_of(c), (uint32_t)c->args[1].i64, token_at(c, 2));
}

/* By reference, as Newtonsoft does. -1: none. */
static bool
position_of(struct call *c, struct jtoken *t, int64_t *ret)
{
    *ret = -1;
    if (!jcontainer_open(c, self_of(c)))
        return false;
    if (t && t->parent == &self_of(c)->t)
        *ret = jtoken_index(t);
    return true;
}

static bool
array_index_of(struct call *c)
{
    int64_t at;

    return position_of(c, token_at(c, 1), &at) && return_i64(c, at);
}

static bool
array_contains(struct call *c)
{
    int64_t at;

    return position_of(c, token_at(c, 1), &at) && return_bool(c, at >= 0);
}

static bool
array_remove(struct call *c)
{
    int64_t at;

    if (!position_of(c, token_at(c, 1), &at))
        return false;
    if (at >= 0)
        jcontainer_remove_at(self_of(c), (uint32_t)at);
    return return_bool(c, at >= 0);
}

static bool
array_remove_at(struct call *c)
{
    if (!check_position(c))
        return false;
    jcontainer_remove_at(self_of(c), (uint32_t)c->args[1].i64);
    return true;
}

static bool
container_clear(struct call *c)
{
    jcontainer_clear(self_of(c));
    return true;
}

static bool
array_copy_to(struct call *c)
{
    struct array *a = (struct array *)c->args[1].ref;
    int64_t at = c->args[2].i64;

    if (!jcontainer_open(c, self_of(c)))
        return false;
    if (!a)
        return throw_argument_null(c, "array");
    if (at < 0)
        return throw_argument_range(c, "arrayIndex", "arrayIndex is less than 0.");
    if (at + self_of(c)->n > a->n)
        return throw_argument(c, NULL, "The number of elements in the source JObject is greater than the available space "
                                       "from arrayIndex to the end of the destination array.");
    for (uint32_t i = 0; i < self_of(c)->n; i++)
        if (!array_store_cast(c, a, (uint32_t)at + i, value_ref(self_of(c)->items[i])))
            return false;
    return true;
}

static bool
container_is_read_only(struct call *c)
{
    return return_bool(c, false);
}

/* ---- JConstructor ---- */

static bool
constructor_new(struct call *c)
{
    struct jcontainer *k = make(c, JTYPE_CONSTRUCTOR);

    if (!k)
        return false;
    if (c->n_args > 0 && !c->args[0].ref)
        return throw_argument_null(c, "name");
    k->name = c->n_args > 0 ? call_string(c, 0) : NULL;
    if (k->name && k->name->size == 0)
        return throw_argument(c, "name", "Constructor name cannot be empty.");
    return (c->n_args < 2 || jcontainer_add_content(c, k, UINT32_MAX, c->args[1].ref)) && return_ref(c, k);
}

static bool
constructor_name(struct call *c)
{
    return return_ref(c, self_of(c)->name);
}

static bool
constructor_set_name(struct call *c)
{
    self_of(c)->name = call_string(c, 1);
    return true;
}

static const struct type_row types[] = {
    CLASS("Newtonsoft.Json.Linq.JObject", "JContainer", "IDictionary<string,JToken>", &object_hooks),
    CLASS("Newtonsoft.Json.Linq.JProperty", "JContainer", NULL, NULL),
    CLASS("Newtonsoft.Json.Linq.JArray", "JContainer", NULL, NULL),
    CLASS("Newtonsoft.Json.Linq.JConstructor", "JContainer", NULL, NULL),
};

static const struct member_row members[] = {
    M("JObject", "new()", object_new_empty),
    M("JObject", "new(JObject other)", copy_of_argument),
    M("JObject", "new(params object[] content)", object_new_content),
    M("JObject", "new(object content)", object_new_content),
    P("JObject", "JToken this[string propertyName] { get; set; }", object_get, object_set),
    M("JObject", "void Add(string propertyName, JToken value)", object_add),
    M("JObject", "bool ContainsKey(string propertyName)", object_contains_key),
    M("JObject", "static JObject FromObject(object o)", object_from_object),
    M("JObject", "IEnumerator<KeyValuePair<string,JToken>> GetEnumerator()", sequence_get_enumerator),
    M("JObject", "JToken GetValue(string propertyName)", object_get_value),
    M("JObject", "JToken GetValue(string propertyName, StringComparison comparison)", object_get_value),
    M("JObject", "static JObject Parse(string json)", object_parse),
    M("JObject", "static JObject Parse(string json, JsonLoadSettings settings)", object_parse),
    M_LATER("JObject", "static JObject FromObject(object o, JsonSerializer jsonSerializer)"),
    M_LATER("JObject", "static JObject Load(JsonReader reader)"),
    M_LATER("JObject", "static JObject Load(JsonReader reader, JsonLoadSettings settings)"),
    M_LATER("JObject", "object PropertyChanged { get; }"),
    M_LATER("JObject", "object PropertyChanging { get; }"),
    M("JObject", "IEnumerable<JProperty> Properties()", object_properties),
    M("JObject", "JProperty Property(string name)", object_property),
    M("JObject", "JProperty Property(string name, StringComparison comparison)", object_property),
    M("JObject", "JEnumerable<JToken> PropertyValues()", object_property_values),
    M("JObject", "bool Remove(string propertyName)", object_remove),
    M("JObject", "bool TryGetValue(string propertyName, out JToken value)", object_try_get_value),
    M("JObject", "bool TryGetValue(string propertyName, StringComparison comparison, out JToken value)", object_try_get_value_by),
    M_EXPLICIT("JObject", "ICollection<string> Keys { get; }", object_keys),
    M_EXPLICIT("JObject", "ICollection<JToken> Values { get; }", object_values),
    M_EXPLICIT("JObject", "bool IsReadOnly { get; }", container_is_read_only),
    M_EXPLICIT("JObject", "void Clear()", container_clear),

    M("JProperty", "new(JProperty other)", copy_of_argument),
    M("JProperty", "new(string name, params object[] content)", property_new),
    M("JProperty", "new(string name, object content)", property_new),
    M("JProperty", "string Name { get; }", property_name),
    M_LATER("JProperty", "static JProperty Load(JsonReader reader)"),
    M_LATER("JProperty", "static JProperty Load(JsonReader reader, JsonLoadSettings settings)"),
    P("JProperty", "JToken Value { get; set; }", property_value, property_set_value),

    M("JArray", "new()", array_new_empty),
    M("JArray", "new(JArray other)", copy_of_argument),
    M("JArray", "new(params object[] content)", array_new_content),
    M("JArray", "new(object content)", array_new_content),
    P("JArray", "JToken this[int index] { get; set; }", jarray_get, jarray_set),
    M("JArray", "bool IsReadOnly { get; }", container_is_read_only),
    M("JArray", "void Add(JToken item)", array_add),
    M("JArray", "void Clear()", container_clear),
    M("JArray", "bool Contains(JToken item)", array_contains),
    M("JArray", "void CopyTo(JToken[] array, int arrayIndex)", array_copy_to),
    M("JArray", "static JArray FromObject(object o)", array_from_object),
    M("JArray", "IEnumerator<JToken> GetEnumerator()", sequence_get_enumerator),
    M("JArray", "int IndexOf(JToken item)", array_index_of),
    M("JArray", "void Insert(int index, JToken item)", array_insert),
    M("JArray", "static JArray Parse(string json)", array_parse),
    M("JArray", "static JArray Parse(string json, JsonLoadSettings settings)", array_parse),
    M_LATER("JArray", "static JArray FromObject(object o, JsonSerializer jsonSerializer)"),
    M_LATER("JArray", "static JArray Load(JsonReader reader)"),
    M_LATER("JArray", "static JArray Load(JsonReader reader, JsonLoadSettings settings)"),
    M("JArray", "bool Remove(JToken item)", array_remove),
    M("JArray", "void RemoveAt(int index)", array_remove_at),

    M("JConstructor", "new()", constructor_new),
    M_LATER("JConstructor", "static JConstructor Load(JsonReader reader)"),
    M_LATER("JConstructor", "static JConstructor Load(JsonReader reader, JsonLoadSettings settings)"),
    M("JConstructor", "new(JConstructor other)", copy_of_argument),
    M("JConstructor", "new(string name)", constructor_new),
    M("JConstructor", "new(string name, params object[] content)", constructor_new),
    M("JConstructor", "new(string name, object content)", constructor_new),
    P("JConstructor", "string Name { get; set; }", constructor_name, constructor_set_name),
};

const struct library clr_json_object = LIBRARY("json object", types, members);
