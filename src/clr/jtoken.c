/* jtoken.c: making, finding and moving the tokens of a JSON tree. See jtoken.h for the picture and the invariants.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jtoken.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "clr/collections.h"

enum { INDEX_FROM = 16 };             /* members from which an object gets an index */

/* ---- making ---- */

const struct type *
jtoken_type(struct call *c, enum jtype type)
{
    const struct expr_env *env = c->run->env;

    switch (type) {
    case JTYPE_OBJECT: return type_find(env, STR("Newtonsoft.Json.Linq.JObject"), NULL, 0);
    case JTYPE_ARRAY: return type_find(env, STR("Newtonsoft.Json.Linq.JArray"), NULL, 0);
    case JTYPE_PROPERTY: return type_find(env, STR("Newtonsoft.Json.Linq.JProperty"), NULL, 0);
    case JTYPE_CONSTRUCTOR: return type_find(env, STR("Newtonsoft.Json.Linq.JConstructor"), NULL, 0);
    case JTYPE_NONE: return type_find(env, STR("Newtonsoft.Json.Linq.JToken"), NULL, 0);
    case JTYPE_RAW: return type_find(env, STR("Newtonsoft.Json.Linq.JRaw"), NULL, 0);
    default: return type_find(env, STR("Newtonsoft.Json.Linq.JValue"), NULL, 0);
    }
}

static struct jcontainer *
container_new(struct call *c, const struct type *type, enum jtype jtype)
{
    struct jcontainer *k = object_new(c, type, struct jcontainer);

    if (k)
        k->t.type = (uint8_t)jtype;
    return k;
}

struct jcontainer *
jobject_new(struct call *c)
{
    return container_new(c, jtoken_type(c, JTYPE_OBJECT), JTYPE_OBJECT);
}

struct jcontainer *
jarray_new(struct call *c)
{
    return container_new(c, jtoken_type(c, JTYPE_ARRAY), JTYPE_ARRAY);
}

struct jproperty *
jproperty_new(struct call *c, struct string *name, struct jtoken *value)
{
    struct jproperty *p = object_new(c, jtoken_type(c, JTYPE_PROPERTY), struct jproperty);

    if (!p)
        return NULL;
    p->t.type = JTYPE_PROPERTY;
    p->name = name;
    return jproperty_set_value(c, p, value) ? p : NULL;
}

struct jtoken *
jtoken_from_content(struct call *c, struct object *content)
{
    if (content && object_is_jtoken(content))
        return (struct jtoken *)content;
    return (struct jtoken *)jvalue_from_object(c, content);
}

/* ---- from the immutable tree ---- */

/* The types a level of children needs, looked up once. */
struct maker {
    struct call *c;
    const struct core_types *core;
    const struct type *object, *array, *value, *property, *constructor;
    const struct type *date_time, *big_integer;
    bool keeps_text;
};

static void
maker_init(struct maker *m, struct call *c, bool keeps_text)
{
    *m = (struct maker){.c = c, .core = core_types(c->run->env), .keeps_text = keeps_text};
}

/* The type behind a field, found at its first use. */
static const struct type *
lazy_type(struct maker *m, const struct type **field, enum jtype type)
{
    if (!*field)
        *field = jtoken_type(m->c, type);
    return *field;
}

static void
set_string(struct maker *m, struct string *s, struct str text, bool maybe_wide)
{
    s->head.type = m->core->string;
    s->p = text.p;
    s->size = (uint32_t)text.len;
    s->units = maybe_wide && !utf8_is_ascii(text) ? (uint32_t)utf8_units(text) : s->size;
}

static bool
set_integer(struct maker *m, struct jvalue *v, const struct json *j)
{
    int64_t n = json_i64(j, INT64_MIN);

    v->t.type = JTYPE_INTEGER;
    v->value_type = m->core->long_;
    v->v = value_i64(n);
    if (n != INT64_MIN || str_eq_lit(json_text(j), "-9223372036854775808"))
        return true;
    struct string *digits = string_view(m->c, json_text(j));
    if (!m->big_integer)
        m->big_integer = type_find(m->c->run->env, STR("System.Numerics.BigInteger"), NULL, 0);
    if (!digits)
        return false;
    digits->head.type = m->big_integer;
    v->value_type = m->big_integer;
    v->v = value_ref(digits);
    return true;
}

static bool
set_text(struct maker *m, struct jvalue *v, const struct json *j)
{
    struct str text = json_text(j);
    struct value date;

    if (!m->keeps_text && json_read_date(text, &date)) {
        if (!m->date_time)
            m->date_time = type_find(m->c->run->env, STR("System.DateTime"), NULL, 0);
        v->t.type = JTYPE_DATE;
        v->value_type = m->date_time;
        v->v = date;
        return true;
    }
    struct string *s = call_alloc(m->c, sizeof(*s));
    if (!s)
        return false;
    set_string(m, s, text, j->flags & JSON_NEEDS_ESCAPE);
    v->t.type = JTYPE_STRING;
    v->value_type = m->core->string;
    v->v = value_ref(s);
    return true;
}

static struct jtoken *
make_value(struct maker *m, const struct json *j)
{
    struct jvalue *v = object_new(m->c, lazy_type(m, &m->value, JTYPE_STRING), struct jvalue);

    if (!v)
        return NULL;
    switch ((enum json_kind)j->kind) {
    case JSON_NUMBER:
        if (j->flags & JSON_IS_INTEGER)
            return set_integer(m, v, j) ? &v->t : NULL;
        v->t.type = JTYPE_FLOAT;
        v->value_type = m->core->double_;
        v->v = value_f64(json_double(j, 0));
        return &v->t;
    case JSON_STRING:
        return set_text(m, v, j) ? &v->t : NULL;
    case JSON_TRUE: case JSON_FALSE:
        v->t.type = JTYPE_BOOLEAN;
        v->value_type = m->core->bool_;
        v->v = value_bool(j->kind == JSON_TRUE);
        return &v->t;
    default:
        v->t.type = j->kind == JSON_UNDEFINED ? JTYPE_UNDEFINED : JTYPE_NULL;
        return &v->t;
    }
}

static struct jtoken *
make_token(struct maker *m, const struct json *j)
{
    struct jcontainer *k;

    if (j->kind == JSON_OBJECT)
        k = container_new(m->c, lazy_type(m, &m->object, JTYPE_OBJECT), JTYPE_OBJECT);
    else if (j->kind == JSON_ARRAY)
        k = container_new(m->c, lazy_type(m, &m->array, JTYPE_ARRAY), JTYPE_ARRAY);
    else if (j->kind == JSON_CONSTRUCTOR)
        k = container_new(m->c, lazy_type(m, &m->constructor, JTYPE_CONSTRUCTOR), JTYPE_CONSTRUCTOR);
    else
        return make_value(m, j);
    if (!k)
        return NULL;
    k->source = j;
    k->keeps_text = m->keeps_text;
    if (j->kind == JSON_CONSTRUCTOR && !(k->name = string_view(m->c, json_text(&j->items[0]))))
        return NULL;
    return &k->t;
}

static struct jtoken *
make_property(struct maker *m, const struct json_member *member)
{
    struct jproperty *p = object_new(m->c, lazy_type(m, &m->property, JTYPE_PROPERTY), struct jproperty);

    if (!p || !(p->value = make_token(m, &member->value)))
        return NULL;
    p->t.type = JTYPE_PROPERTY;
    set_string(m, &p->own_name, member->name, true);
    p->name = &p->own_name;
    p->value->parent = &p->t;
    return &p->t;
}

bool
jcontainer_open(struct call *c, struct jcontainer *k)
{
    const struct json *j = k->source;
    uint32_t skip, n;
    struct maker m;

    if (!j)
        return true;
    skip = j->kind == JSON_CONSTRUCTOR;
    n = j->n - skip;
    maker_init(&m, c, k->keeps_text);
    struct jtoken **items = call_alloc(c, (size_t)n * sizeof(*items));
    if (!items || !call_charge(c, n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        items[i] = j->kind == JSON_OBJECT ? make_property(&m, &j->members[i]) : make_token(&m, &j->items[i + skip]);
        if (!items[i])
            return false;
        items[i]->parent = &k->t;
        items[i]->at = i;
    }
    k->items = items;
    k->n = k->cap = n;
    k->source = NULL;
    return true;
}

struct jtoken *
jtoken_from_json(struct call *c, const struct json *j, bool keeps_text)
{
    struct maker m;

    maker_init(&m, c, keeps_text);
    return make_token(&m, j);
}

struct jtoken *
jtoken_parse(struct call *c, struct str text, enum json_kind wanted, struct json_problem *problem)
{
    const struct json *j = json_parse_newtonsoft(c->run->arena, text, wanted, problem);

    return j ? jtoken_from_json(c, j, false) : NULL;
}

struct jtoken *
jtoken_parse_or_throw(struct call *c, struct str text, enum json_kind wanted)
{
    struct json_problem problem = {0};
    struct jtoken *t;

    if (!call_charge(c, text.len / 64))
        return NULL;
    t = jtoken_parse(c, text, wanted, &problem);
    if (!t && problem.err.code == ERR_NO_MEMORY)
        call_exceed(c, BUDGET_BYTES);
    else if (!t && problem.err.code)
        call_throw(c, EXC_JSON_READER, "%s", problem.err.text);
    return t;
}

/* ---- asking ---- */

bool
jtoken_children(struct call *c, struct jtoken *t, struct jtoken ***ret, uint32_t *ret_n)
{
    struct jcontainer *k = (struct jcontainer *)t;

    if (t->type == JTYPE_PROPERTY) {
        *ret = &((struct jproperty *)t)->value;
        *ret_n = 1;
        return true;
    }
    *ret_n = 0;
    if (!jtoken_is_container(t))
        return true;
    if (!jcontainer_open(c, k))
        return false;
    *ret = k->items;
    *ret_n = k->n;
    return true;
}

struct jvalue *
jtoken_value(struct jtoken *t)
{
    if (t && t->type == JTYPE_PROPERTY)
        t = ((struct jproperty *)t)->value;
    return t && !jtoken_is_container(t) ? (struct jvalue *)t : NULL;
}

static struct jproperty *
property_at(const struct jcontainer *o, uint32_t i)
{
    return (struct jproperty *)o->items[i];
}

static void
index_add(struct jcontainer *o, uint32_t i)
{
    uint32_t at = (uint32_t)hash_str(string_str(property_at(o, i)->name)) & (o->index_size - 1);

    while (o->index[at])
        at = (at + 1) & (o->index_size - 1);
    o->index[at] = i + 1;
}

static bool
index_build(struct call *c, struct jcontainer *o)
{
    uint32_t size = 64;

    while (size < 3 * (uint64_t)o->n)
        size *= 2;
    o->index = call_alloc(c, size * sizeof(*o->index));
    if (!o->index)
        return false;
    o->index_size = size;
    for (uint32_t i = 0; i < o->n; i++)
        index_add(o, i);
    return true;
}

/* Positions or names changed: the next look-up makes the index anew. */
static void
index_drop(struct jcontainer *o)
{
    o->index = NULL;
}

bool
jobject_find(struct call *c, struct jcontainer *o, struct str name, struct jproperty **ret)
{
    *ret = NULL;
    if (!jcontainer_open(c, o))
        return false;
    if (o->n < INDEX_FROM) {
        for (uint32_t i = 0; i < o->n && !*ret; i++)
            if (str_eq(string_str(property_at(o, i)->name), name))
                *ret = property_at(o, i);
        return true;
    }
    if (!o->index && !index_build(c, o))
        return false;
    for (uint32_t at = (uint32_t)hash_str(name) & (o->index_size - 1); o->index[at]; at = (at + 1) & (o->index_size - 1)) {
        struct jproperty *p = property_at(o, o->index[at] - 1);
        if (str_eq(string_str(p->name), name)) {
            *ret = p;
            break;
        }
    }
    return true;
}

bool
jobject_find_nocase(struct call *c, struct jcontainer *o, struct str name, struct jproperty **ret)
{
    if (!jobject_find(c, o, name, ret) || *ret)
        return !c->run->exception && !c->run->exceeded;
    for (uint32_t i = 0; i < o->n && !*ret; i++)
        if (str_eq_nocase(string_str(property_at(o, i)->name), name))
            *ret = property_at(o, i);
    return call_charge(c, o->n / 8);
}

uint32_t
jtoken_index(struct jtoken *t)
{
    struct jcontainer *k = (struct jcontainer *)t->parent;

    if (t->parent->type == JTYPE_PROPERTY)
        return 0;
    if (t->at < k->n && k->items[t->at] == t)
        return t->at;
    for (t->at = 0; t->at < k->n && k->items[t->at] != t;)
        t->at++;
    ASSERT(t->at < k->n); /* J1 */
    return t->at;
}

static bool
needs_brackets(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (strchr(" '\".[]()\\/\t\r\n\f\b", name.p[i]))
            return true;
    return false;
}

static void
add_step(struct buf *b, struct jtoken *t)
{
    struct str name;

    if (t->type == JTYPE_PROPERTY) {
        name = string_str(((struct jproperty *)t)->name);
        if (needs_brackets(name)) {
            buf_add_lit(b, "['");
            for (size_t i = 0; i < name.len; i++) {
                if (name.p[i] == '\'' || name.p[i] == '\\')
                    buf_add_char(b, '\\');
                buf_add_char(b, name.p[i]);
            }
            buf_add_lit(b, "']");
            return;
        }
        if (b->len)
            buf_add_char(b, '.');
        buf_add_str(b, name);
    } else if (t->parent->type == JTYPE_ARRAY || t->parent->type == JTYPE_CONSTRUCTOR) {
        buf_printf(b, "[%u]", jtoken_index(t));
    }
}

bool
jtoken_path(struct call *c, struct jtoken *t, struct string **ret)
{
    struct buf b = call_buf(c);
    struct jtoken **steps;
    uint32_t n = 0;

    for (struct jtoken *up = t; up->parent; up = up->parent)
        n++;
    steps = call_alloc(c, n * sizeof(*steps));
    if (!steps || !call_charge(c, n))
        return false;
    for (uint32_t i = n; i-- > 0; t = t->parent)
        steps[i] = t;
    for (uint32_t i = 0; i < n; i++)
        add_step(&b, steps[i]);
    return (*ret = string_from_buf(c, &b)) != NULL;
}

/* ---- changing ---- */

/* J1: what has a parent already, or would become its own ancestor, is cloned. */
static struct jtoken *
unparented(struct call *c, struct jtoken *into, struct jtoken *item)
{
    struct jtoken *root = into;
    uint64_t steps = 0;

    if (item->parent || item == into)
        return jtoken_clone(c, item);
    if (jtoken_is_container(item) || item->type == JTYPE_PROPERTY)
        for (; root->parent; steps++)
            root = root->parent;
    if (!call_charge(c, steps))
        return NULL;
    return root == item ? jtoken_clone(c, item) : item;
}

bool
jproperty_set_value(struct call *c, struct jproperty *p, struct jtoken *value)
{
    if (!value && !(value = (struct jtoken *)jvalue_new(c, NULL, value_i64(0))))
        return false;
    if (value == p->value)
        return true;
    if (value->type == JTYPE_PROPERTY)
        return throw_argument(c, NULL, "Can not add %.*s to %.*s.", STR_ARG(value->head.type->full_name),
                              STR_ARG(p->t.head.type->full_name));
    if (!(value = unparented(c, &p->t, value)))
        return false;
    if (p->value)
        p->value->parent = NULL;
    p->value = value;
    value->parent = &p->t;
    return true;
}

/* What may stand in k at all; `existing` is the property that will make room for it (or NULL). */
static bool
check_child(struct call *c, struct jcontainer *k, struct jtoken *item, struct jproperty *existing)
{
    struct jproperty *same;

    if ((k->t.type == JTYPE_OBJECT) != (item->type == JTYPE_PROPERTY))
        return throw_argument(c, NULL, "Can not add %.*s to %.*s.", STR_ARG(item->head.type->full_name),
                              STR_ARG(k->t.head.type->full_name));
    if (k->t.type != JTYPE_OBJECT)
        return true;
    struct string *name = ((struct jproperty *)item)->name;
    if (existing && string_eq(existing->name, name))
        return true;
    if (!jobject_find(c, k, string_str(name), &same))
        return false;
    return !same || throw_argument(c, NULL, "Can not add property %.*s to %.*s. Property with the same name already "
                                            "exists on object.",
                                   STR_ARG(string_str(name)), STR_ARG(k->t.head.type->full_name));
}

static bool
reserve(struct call *c, struct jcontainer *k)
{
    uint32_t cap = MAX(4u, 2 * k->cap);
    struct jtoken **items;

    if (k->n < k->cap)
        return true;
    items = call_alloc(c, (size_t)cap * sizeof(*items));
    if (!items)
        return false;
    if (k->n)
        memcpy(items, k->items, k->n * sizeof(*items));
    k->items = items;
    k->cap = cap;
    return true;
}

bool
jcontainer_insert(struct call *c, struct jcontainer *k, uint32_t at, struct jtoken *item)
{
    if (!item && !(item = (struct jtoken *)jvalue_new(c, NULL, value_i64(0))))
        return false;
    if (!jcontainer_open(c, k) || !check_child(c, k, item, NULL) || !(item = unparented(c, &k->t, item)) ||
        !reserve(c, k))
        return false;
    if (at == UINT32_MAX)
        at = k->n;
    if (at > k->n)
        return throw_argument_range(c, "index", "Index must be within the bounds of the List.");
    memmove(k->items + at + 1, k->items + at, (k->n - at) * sizeof(*k->items));
    k->items[at] = item;
    item->parent = &k->t;
    item->at = at;
    k->n++;
    k->version++;
    if (at + 1 == k->n && k->index && 2 * (uint64_t)k->n < k->index_size)
        index_add(k, at);
    else
        index_drop(k);
    return true;
}

void
jcontainer_remove_at(struct jcontainer *k, uint32_t at)
{
    k->items[at]->parent = NULL;
    memmove(k->items + at, k->items + at + 1, (k->n - at - 1) * sizeof(*k->items));
    k->n--;
    k->version++;
    index_drop(k);
}

bool
jcontainer_replace_at(struct call *c, struct jcontainer *k, uint32_t at, struct jtoken *item)
{
    struct jtoken *old;

    if (!item && !(item = (struct jtoken *)jvalue_new(c, NULL, value_i64(0))))
        return false;
    if (!jcontainer_open(c, k))
        return false;
    old = k->items[at];
    if (item == old)
        return true;
    if (!check_child(c, k, item, old->type == JTYPE_PROPERTY ? (struct jproperty *)old : NULL) ||
        !(item = unparented(c, &k->t, item)))
        return false;
    old->parent = NULL;
    k->items[at] = item;
    item->parent = &k->t;
    item->at = at;
    k->version++;
    index_drop(k);
    return true;
}

/* Whether Add() takes the object apart: a sequence, but no string, token or bytes. */
static bool
is_multi_content(struct call *c, struct object *o)
{
    const struct core_types *core = core_types(c->run->env);

    if (!o || object_is_jtoken(o) || o->type == core->string || o->type == core->byte_array)
        return false;
    return type_is_assignable(o->type, core->enumerable);
}

bool
jcontainer_add_content(struct call *c, struct jcontainer *k, uint32_t at, struct object *content)
{
    struct iterator it;
    struct value v;
    int got;

    if (!is_multi_content(c, content)) {
        struct jtoken *t = jtoken_from_content(c, content);
        return t && jcontainer_insert(c, k, at, t);
    }
    const struct type *element = type_element(content->type);
    if (!jcontainer_open(c, k) || !iterate(c, content, NULL, &it))
        return false;
    at = MIN(at, k->n);
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct object *o = v.ref;
        if (element && !value_box(c, element, v, &o))
            return false;
        if (++c->run->depth > c->run->limits->depth)
            return call_exceed(c, BUDGET_DEPTH);
        bool ok = jcontainer_add_content(c, k, at, o);
        c->run->depth--;
        if (!ok)
            return false;
        at++; /* one place for each element, also for one that is a sequence itself: as Newtonsoft counts */
    }
    return got == 0;
}

void
jcontainer_clear(struct jcontainer *k)
{
    for (uint32_t i = 0; i < k->n; i++)
        k->items[i]->parent = NULL;
    k->source = NULL;
    k->n = 0;
    k->version++;
    index_drop(k);
}

bool
jobject_set(struct call *c, struct jcontainer *o, struct string *name, struct jtoken *value)
{
    struct jproperty *p;

    if (!jobject_find(c, o, string_str(name), &p))
        return false;
    if (p)
        return jproperty_set_value(c, p, value);
    p = jproperty_new(c, name, value);
    return p && jcontainer_insert(c, o, UINT32_MAX, &p->t);
}

bool
jtoken_remove(struct call *c, struct jtoken *t)
{
    if (!t->parent)
        return call_throw(c, EXC_INVALID_OPERATION, "The parent is missing.");
    if (t->parent->type == JTYPE_PROPERTY)
        return call_throw(c, EXC_JSON, "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.");
    jcontainer_remove_at((struct jcontainer *)t->parent, jtoken_index(t));
    return true;
}

bool
jtoken_replace(struct call *c, struct jtoken *t, struct jtoken *by)
{
    if (!t->parent)
        return call_throw(c, EXC_INVALID_OPERATION, "The parent is missing.");
    if (t->parent->type == JTYPE_PROPERTY)
        return jproperty_set_value(c, (struct jproperty *)t->parent, by);
    return jcontainer_replace_at(c, (struct jcontainer *)t->parent, jtoken_index(t), by);
}

/* ---- cloning ---- */

static struct jtoken *clone_at(struct call *c, struct jtoken *t, uint32_t depth);

static struct jtoken *
clone_property(struct call *c, struct jproperty *p, uint32_t depth)
{
    struct jproperty *copy = object_new(c, p->t.head.type, struct jproperty);

    if (!copy || !(copy->value = clone_at(c, p->value, depth + 1)))
        return NULL;
    copy->t.type = JTYPE_PROPERTY;
    copy->name = p->name;
    copy->value->parent = &copy->t;
    return &copy->t;
}

static struct jtoken *
clone_container(struct call *c, struct jcontainer *k, uint32_t depth)
{
    struct jcontainer *copy = container_new(c, k->t.head.type, k->t.type);

    if (!copy)
        return NULL;
    copy->name = k->name;
    copy->source = k->source;
    if (k->source)
        return &copy->t;
    copy->items = call_alloc(c, (size_t)k->n * sizeof(*copy->items));
    if (!copy->items || !call_charge(c, k->n))
        return NULL;
    for (uint32_t i = 0; i < k->n; i++) {
        if (!(copy->items[i] = clone_at(c, k->items[i], depth + 1)))
            return NULL;
        copy->items[i]->parent = &copy->t;
        copy->items[i]->at = i;
    }
    copy->n = copy->cap = k->n;
    return &copy->t;
}

static struct jtoken *
clone_at(struct call *c, struct jtoken *t, uint32_t depth)
{
    struct jvalue *v;

    if (depth > JTOKEN_DEPTH_MAX) {
        call_exceed(c, BUDGET_DEPTH);
        return NULL;
    }
    if (t->type == JTYPE_PROPERTY)
        return clone_property(c, (struct jproperty *)t, depth);
    if (jtoken_is_container(t))
        return clone_container(c, (struct jcontainer *)t, depth);
    v = object_new(c, t->head.type, struct jvalue);
    if (v) {
        *v = *(struct jvalue *)t;
        v->t.parent = NULL;
    }
    return (struct jtoken *)v;
}

struct jtoken *
jtoken_clone(struct call *c, struct jtoken *t)
{
    return clone_at(c, t, 0);
}

/* ---- comparing ---- */

static bool
equals_at(struct call *c, struct jtoken *a, struct jtoken *b, uint32_t depth, bool *ret);

static bool
objects_equal(struct call *c, struct jcontainer *a, struct jcontainer *b, uint32_t depth, bool *ret)
{
    struct jproperty *other;

    *ret = a->n == b->n;
    for (uint32_t i = 0; *ret && i < a->n; i++) {
        if (!jobject_find(c, b, string_str(property_at(a, i)->name), &other))
            return false;
        *ret = other != NULL;
        if (other && !equals_at(c, property_at(a, i)->value, other->value, depth + 1, ret))
            return false;
    }
    return true;
}

static bool
containers_equal(struct call *c, struct jcontainer *a, struct jcontainer *b, uint32_t depth, bool *ret)
{
    if (!jcontainer_open(c, a) || !jcontainer_open(c, b) || !call_charge(c, a->n))
        return false;
    if (a->t.type == JTYPE_OBJECT)
        return objects_equal(c, a, b, depth, ret);
    *ret = a->n == b->n && (a->t.type != JTYPE_CONSTRUCTOR || string_eq(a->name, b->name));
    for (uint32_t i = 0; *ret && i < a->n; i++)
        if (!equals_at(c, a->items[i], b->items[i], depth + 1, ret))
            return false;
    return true;
}

static bool
equals_at(struct call *c, struct jtoken *a, struct jtoken *b, uint32_t depth, bool *ret)
{
    *ret = a == b;
    if (a == b || !a || !b)
        return true;
    if (depth > JTOKEN_DEPTH_MAX)
        return call_exceed(c, BUDGET_DEPTH);
    if (!jtoken_is_container(a) && a->type != JTYPE_PROPERTY) {
        if (jtoken_is_container(b) || b->type == JTYPE_PROPERTY)
            return true;
        return jvalue_equals(c, (struct jvalue *)a, (struct jvalue *)b, ret);
    }
    if (a->type != b->type)
        return true;
    if (jtoken_is_container(a))
        return containers_equal(c, (struct jcontainer *)a, (struct jcontainer *)b, depth, ret);
    if (!string_eq(((struct jproperty *)a)->name, ((struct jproperty *)b)->name))
        return true;
    return equals_at(c, ((struct jproperty *)a)->value, ((struct jproperty *)b)->value, depth + 1, ret);
}

bool
jtoken_deep_equals(struct call *c, struct jtoken *a, struct jtoken *b, bool *ret)
{
    return equals_at(c, a, b, 0, ret);
}

bool
jtoken_list_add(struct call *c, struct jtoken_list *l, struct jtoken *t)
{
    if (l->n == l->cap) {
        uint32_t cap = MAX(8u, 2 * l->cap);
        struct jtoken **v = call_alloc(c, (size_t)cap * sizeof(*v));

        if (!v)
            return false;
        if (l->n)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = t;
    return true;
}
