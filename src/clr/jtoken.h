/* jtoken.h: Newtonsoft's JToken tree: mutable, with parents, in the run's arena.
 *
 *     JObject -> JProperty "a" -> JValue 1          struct jcontainer -> struct jproperty -> struct jvalue
 *             \> JProperty "b" -> JArray -> ...
 * A container that was parsed keeps its place in the immutable tree (data/json.h) as `source`, and makes its children when
 * somebody first asks for them, one level at a time; what nobody looks into is written back from there.
 * Invariants:
 *   J1  a token has at most one parent; adding one that has a parent adds a deep clone, as Newtonsoft does
 *   J2  items of a JObject are JProperty with different names; a JProperty has exactly one value
 *   J3  source != NULL: n == 0 and items are not made yet
 * Functions that make tokens return NULL after a budget or an exception, as all natives.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/json.h"
#include "expr/native.h"

/* Newtonsoft.Json.Linq.JTokenType, same numbers. */
enum jtype {
    JTYPE_NONE, JTYPE_OBJECT, JTYPE_ARRAY, JTYPE_CONSTRUCTOR, JTYPE_PROPERTY, JTYPE_COMMENT, JTYPE_INTEGER, JTYPE_FLOAT,
    JTYPE_STRING, JTYPE_BOOLEAN, JTYPE_NULL, JTYPE_UNDEFINED, JTYPE_DATE, JTYPE_RAW, JTYPE_BYTES, JTYPE_GUID, JTYPE_URI,
    JTYPE_TIMESPAN,
};

/* Trees built by hand can be deeper than what the parser takes; walks that recurse end here (BUDGET_DEPTH). */
enum { JTOKEN_DEPTH_MAX = 256 };

struct jtoken {
    struct object head;
    struct jtoken *parent;            /* NULL: a root */
    uint32_t at;                      /* where it stands among the parent's items; a hint, ask jtoken_index() */
    uint8_t type;                     /* enum jtype */
};

/* JValue and JRaw. */
struct jvalue {
    struct jtoken t;
    const struct type *value_type;    /* System.Int64, String, DateTime ...; NULL: null or undefined */
    struct value v;                   /* kept as value_type keeps it */
};

struct jproperty {
    struct jtoken t;
    struct string *name;
    struct jtoken *value;
    struct string own_name;           /* name of a parsed property points here */
};

/* JObject, JArray, JConstructor. */
struct jcontainer {
    struct jtoken t;
    struct jtoken **items;
    uint32_t n, cap, version;
    const struct json *source;        /* J3 */
    bool keeps_text;                  /* children made from source keep strings that look like dates (DeserializeObject) */
    uint32_t *index;                  /* of a large JObject: hash of the name -> position + 1; NULL: not made */
    uint32_t index_size;              /* a power of two */
    struct string *name;              /* of a JConstructor */
};

/* ---- making ---- */

const struct type *jtoken_type(struct call *c, enum jtype type);
struct jcontainer *jobject_new(struct call *c);
struct jcontainer *jarray_new(struct call *c);
struct jproperty *jproperty_new(struct call *c, struct string *name, struct jtoken *value);
/* value_type NULL: a null JValue. The JTokenType follows from the type. */
struct jvalue *jvalue_new(struct call *c, const struct type *value_type, struct value v);
struct jvalue *jvalue_new_string(struct call *c, struct str text);
/* A JValue of a boxed object; throws ArgumentException for a type JSON has none for. */
struct jvalue *jvalue_from_object(struct call *c, struct object *o);
/* What stands in a constructor's or Add's argument: a token as it is, anything else as a JValue. */
struct jtoken *jtoken_from_content(struct call *c, struct object *content);
/* JToken.FromObject: any object by JsonConvert's rules. */
struct jtoken *jtoken_from_object(struct call *c, struct object *o);

/* Parses by JSON_LENIENT; the text must live as long as the run. wanted: JSON_OBJECT, JSON_ARRAY, JSON_NULL (any).
 * NULL with *problem filled; nothing is thrown. */
struct jtoken *jtoken_parse(struct call *c, struct str text, enum json_kind wanted, struct json_problem *problem);
/* The same, throwing JsonReaderException. */
struct jtoken *jtoken_parse_or_throw(struct call *c, struct str text, enum json_kind wanted);

/* The token of a node of the immutable tree. keeps_text as in struct jcontainer. */
struct jtoken *jtoken_from_json(struct call *c, const struct json *j, bool keeps_text);
const char *jtype_name(enum jtype type);

/* ---- asking ---- */

static inline bool
jtoken_is_container(const struct jtoken *t)
{
    return t->type == JTYPE_OBJECT || t->type == JTYPE_ARRAY || t->type == JTYPE_CONSTRUCTOR;
}

/* True for every token: objects whose type is JToken or below. */
bool object_is_jtoken(const struct object *o);
/* Makes the children, if they were not yet. */
bool jcontainer_open(struct call *c, struct jcontainer *k);
/* Children without opening: of the source when closed. */
static inline uint32_t
jcontainer_count(const struct jcontainer *k)
{
    return k->source ? k->source->n - (k->source->kind == JSON_CONSTRUCTOR) : k->n;
}
/* The children of any token as an array: a JProperty has one, a JValue none. */
bool jtoken_children(struct call *c, struct jtoken *t, struct jtoken ***ret, uint32_t *ret_n);
/* *ret NULL when there is none. Opens the object. */
bool jobject_find(struct call *c, struct jcontainer *o, struct str name, struct jproperty **ret);
bool jobject_find_nocase(struct call *c, struct jcontainer *o, struct str name, struct jproperty **ret);
/* Position among the parent's children. The token has a parent. */
uint32_t jtoken_index(struct jtoken *t);
bool jtoken_path(struct call *c, struct jtoken *t, struct string **ret);
/* The JValue behind a token (of a JProperty its value); NULL when it is a container. */
struct jvalue *jtoken_value(struct jtoken *t);
bool jtoken_deep_equals(struct call *c, struct jtoken *a, struct jtoken *b, bool *ret);
/* JValue.CompareTo / equality of values across number types. */
bool jvalue_compare(struct call *c, struct jvalue *a, struct jvalue *b, int *ret);
bool jvalue_equals(struct call *c, struct jvalue *a, struct jvalue *b, bool *ret);

/* ---- changing ---- */

/* Inserts at `at` (UINT32_MAX: the end); clones what has a parent (J1). Throws what Newtonsoft throws. */
bool jcontainer_insert(struct call *c, struct jcontainer *k, uint32_t at, struct jtoken *item);
void jcontainer_remove_at(struct jcontainer *k, uint32_t at);
bool jcontainer_replace_at(struct call *c, struct jcontainer *k, uint32_t at, struct jtoken *item);
/* Add(object): a token, a plain value, or a sequence of them. */
bool jcontainer_add_content(struct call *c, struct jcontainer *k, uint32_t at, struct object *content);
void jcontainer_clear(struct jcontainer *k);
/* o[name] = value; NULL is JSON null. */
bool jobject_set(struct call *c, struct jcontainer *o, struct string *name, struct jtoken *value);
bool jproperty_set_value(struct call *c, struct jproperty *p, struct jtoken *value);
/* Takes the token out of its parent; throws InvalidOperation when it has none. */
bool jtoken_remove(struct call *c, struct jtoken *t);
bool jtoken_replace(struct call *c, struct jtoken *t, struct jtoken *by);
struct jtoken *jtoken_clone(struct call *c, struct jtoken *t);

/* ---- text and types ---- */

/* JSON text. A JProperty is written as "name": value. */
bool jtoken_write(struct call *c, struct jtoken *t, bool indented, struct buf *to);
/* A value as JSON text; type NULL is null. Not for tokens. */
bool json_write_value(struct call *c, const struct type *type, struct value v, struct buf *to);
/* Convert to a type that has an explicit operator: throws what it throws. t may be NULL. *ret kept as `to` keeps it. */
bool jtoken_cast(struct call *c, struct jtoken *t, const struct type *to, struct value *ret);
/* Value<T>(): casts to tokens and numbers alike. */
bool jtoken_convert(struct call *c, struct jtoken *t, const struct type *to, struct value *ret);
/* ToObject(to): builds arrays, lists, dictionaries, and what jtoken_cast() does. json_parts.h has the rest. */
bool jtoken_to_object(struct call *c, struct jtoken *t, const struct type *to, struct value *ret);
/* A string that Newtonsoft's reader takes for a date: DateTime in *ret. */
bool json_read_date(struct str text, struct value *ret);
/* The DateTime as Newtonsoft writes it, without quotes. */
void json_write_date(struct buf *to, struct value date);

/* ---- JSONPath ---- */

struct jtoken_list {
    struct jtoken **v;
    uint32_t n, cap;
};
bool jtoken_list_add(struct call *c, struct jtoken_list *l, struct jtoken *t);
/* All matches in document order. error_when_missing: JsonException instead of an empty result. */
bool jtoken_select(struct call *c, struct jtoken *from, struct str path, bool error_when_missing, struct jtoken_list *ret);
