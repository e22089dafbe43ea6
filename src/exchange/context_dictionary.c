/* context_dictionary.c: the read-only dictionaries of the context object and their members.
 *
 * A missing key gives null through the indexer, as policies rely on. Values of type string[] are made when asked for;
 * GetValueOrDefault makes none, it joins with ",".
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context_dictionary.h"

#include "base/codec.h"
#include "clr/collections.h"
#include "clr/values.h"
#include "exchange/context_families.h"
#include "http/headers.h"
#include "model/route.h"

struct dictionary *
dictionary_make(struct call *c, const struct type *type, const struct dictionary_ops *ops, struct exchange *ex, const void *of)
{
    struct dictionary *d = object_new(c, type, struct dictionary);

    if (d) {
        d->ops = ops;
        d->ex = ex;
        d->of = of;
    }
    return d;
}

static struct dictionary *
self_of(const struct call *c)
{
    return (struct dictionary *)c->args[0].ref;
}

/* --- headers ------------------------------------------------------------------------------------------------------------------------ */

static bool
header_find(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found)
{
    const struct http_headers *h = d->of;
    struct str values[64];
    uint32_t at = 0, n = 0;
    const struct http_field *f;

    while (n < COUNTOF(values) && (f = http_headers_next(h, key, &at)))
        values[n++] = f->value;
    *ret_found = n > 0;
    if (!n)
        return true;
    *ret = value_ref(array_of_strings(c, values, n));
    return ret->ref != NULL;
}

/* True when v[at] is the first field of its name. */
static bool
is_first(const struct http_headers *h, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (str_eq_nocase(h->v[i].name, h->v[at].name))
            return false;
    return true;
}

static bool
header_next(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more)
{
    const struct http_headers *h = d->of;

    while (*at < h->n && !is_first(h, *at))
        ++*at;
    if (!(*ret_more = *at < h->n))
        return true;
    *ret_key = string_view(c, h->v[*at].name);
    return *ret_key && header_find(c, d, h->v[(*at)++].name, ret, ret_more);
}

const struct dictionary_ops header_dictionary_ops = {header_find, header_next};

/* --- query -------------------------------------------------------------------------------------------------------------------------- *
 *
 * Read where it stands: each look-up goes through all of it, and is charged for that. */

/* Cuts the next name=value; parts with nothing in them are skipped. */
static bool
next_pair(struct str *rest, struct str *name, struct str *value)
{
    struct str pair;

    while (str_split_next(rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        if (pair.len == 0)
            continue;
        *name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
        *value = equals < 0 ? STR("") : str_skip(pair, (size_t)equals + 1);
        return true;
    }
    return false;
}

static bool
needs_decoding(struct str s)
{
    return s.len && (memchr(s.p, '%', s.len) || memchr(s.p, '+', s.len));
}

static struct str
decoded(struct call *c, struct str s, bool plus_is_blank)
{
    struct buf b = call_buf(c);

    if (!needs_decoding(s))
        return s;
    codec_percent_decode(&b, s, plus_is_blank);
    return b.len ? buf_str(&b) : STR("");
}

static bool
query_find(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found)
{
    struct str rest = *(const struct str *)d->of, name, value, values[64];
    uint32_t n = 0, looked_at = 0;

    for (; n < COUNTOF(values) && next_pair(&rest, &name, &value); looked_at++)
        if (str_eq_nocase(decoded(c, name, true), key))
            values[n++] = decoded(c, value, true);
    *ret_found = n > 0;
    if (!call_charge(c, looked_at))
        return false;
    if (!n)
        return true;
    *ret = value_ref(array_of_strings(c, values, n));
    return ret->ref != NULL;
}

static bool
query_next(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more)
{
    struct str query = *(const struct str *)d->of, rest = query.p ? str_skip(query, *at) : STR_NONE, name, value;
    uint32_t looked_at = 0;

    while (next_pair(&rest, &name, &value)) {
        struct str key = decoded(c, name, true), earlier = str_sub(query, 0, (size_t)(name.p - query.p)), other, ignored;
        bool is_repeat = false;
        *at = rest.p ? (uint32_t)(rest.p - query.p) : (uint32_t)query.len;
        for (; !is_repeat && next_pair(&earlier, &other, &ignored); looked_at++)
            is_repeat = str_eq_nocase(decoded(c, other, true), key);
        if (is_repeat)
            continue;
        *ret_key = string_view(c, key);
        return *ret_key && call_charge(c, looked_at) && query_find(c, d, key, ret, ret_more);
    }
    *ret_more = false;
    return true;
}

const struct dictionary_ops query_dictionary_ops = {query_find, query_next};

/* --- matched parameters ---------------------------------------------------------------------------------------------------------------- */

static bool
parameter_find(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found)
{
    *ret_found = false;
    for (uint32_t i = 0; i < d->ex->n_parameters; i++) {
        if (!str_eq_nocase(d->ex->parameters[i].name, key))
            continue;
        *ret_found = true;
        *ret = value_ref(string_view(c, decoded(c, d->ex->parameters[i].value, false)));
        return ret->ref != NULL;
    }
    return true;
}

static bool
parameter_next(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more)
{
    if (!(*ret_more = *at < d->ex->n_parameters))
        return true;
    *ret_key = string_view(c, d->ex->parameters[*at].name);
    *ret = value_ref(string_view(c, decoded(c, d->ex->parameters[(*at)++].value, false)));
    return *ret_key && ret->ref;
}

const struct dictionary_ops parameter_dictionary_ops = {parameter_find, parameter_next};

/* --- variables -------------------------------------------------------------------------------------------------------------------------- */

static bool
variable_find(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found)
{
    const struct variable *v = exchange_read_variable(d->ex, key);

    *ret_found = v != NULL;
    if (v)
        *ret = value_ref(v->value);
    return true;
}

static bool
variable_next(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more)
{
    if (!(*ret_more = *at < d->ex->variables->n))
        return true;
    struct variable *v = &d->ex->variables->v[(*at)++];

    d->ex->step_sources |= v->sources;
    *ret_key = string_view(c, v->name);
    *ret = value_ref(v->value);
    return *ret_key != NULL;
}

const struct dictionary_ops variable_dictionary_ops = {variable_find, variable_next};

/* --- members shared by all of them ------------------------------------------------------------------------------------------------------- */

static int
next_entry(struct call *c, struct iterator *it, struct value *ret)
{
    struct dictionary *d = (struct dictionary *)it->self;
    struct string *key;
    struct value v;
    bool more;
    uint32_t at = (uint32_t)it->state[0].u64;

    if (!d->ops->next(c, d, &at, &key, &v, &more))
        return -1;
    it->state[0].u64 = at;
    if (!more)
        return 0;
    *ret = value_ref(key_value_pair_new(c, it->state[1].p, value_ref(key), v));
    return ret->ref ? 1 : -1;
}

static bool
dictionary_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    const struct type *pair = as && as->n_args ? as->args[0] : type_element(self->type);

    *it = (struct iterator){.next = next_entry, .self = self};
    it->state[1].p = (void *)pair;
    return true;
}

static const struct type_hooks dictionary_hooks = {.iterate = dictionary_iterate};

static bool
item(struct call *c)
{
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    c->ret = value_ref(NULL);
    return self_of(c)->ops->find(c, self_of(c), call_str(c, 1), &c->ret, &found);
}

static bool
contains_key(struct call *c)
{
    struct value v;
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    return self_of(c)->ops->find(c, self_of(c), call_str(c, 1), &v, &found) && return_bool(c, found);
}

static bool
try_get_value(struct call *c)
{
    struct value v = value_ref(NULL);
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    if (!self_of(c)->ops->find(c, self_of(c), call_str(c, 1), &v, &found))
        return false;
    c->args[2] = v;
    return return_bool(c, found);
}

/* All keys, or all values. */
static struct array *
collect(struct call *c, const struct type *array_type, bool keys)
{
    struct dictionary *d = self_of(c);
    struct string *key;
    struct value v;
    uint32_t n = 0, at = 0;
    bool more;

    for (;; n++) {
        if (!d->ops->next(c, d, &at, &key, &v, &more))
            return NULL;
        if (!more)
            break;
    }
    struct array *a = array_new(c, array_type, n);
    at = 0;
    for (uint32_t i = 0; a && i < n; i++) {
        if (!d->ops->next(c, d, &at, &key, &v, &more))
            return NULL;
        a->u.v[i] = keys ? value_ref(key) : v;
    }
    return a;
}

/* Keys: the names as they were when it was made, looked up as the dictionary looks them up. */
struct key_names {
    struct object head;
    struct dictionary *of;
    struct array *names;
};

static int
next_name(struct call *c, struct iterator *it, struct value *ret)
{
    const struct key_names *k = (const struct key_names *)it->self;

    if (it->state[0].u64 >= k->names->n)
        return 0;
    *ret = k->names->u.v[it->state[0].u64++];
    return 1;
}

static bool
names_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = next_name, .self = self};
    return true;
}

static int64_t
names_count(const struct object *self)
{
    return ((const struct key_names *)self)->names->n;
}

static bool
names_contains(struct call *c, struct object *self, struct value v, bool *ret)
{
    struct dictionary *d = ((struct key_names *)self)->of;
    struct value ignored;

    return v.ref ? d->ops->find(c, d, string_str((struct string *)v.ref), &ignored, ret) : throw_argument_null(c, "key");
}

static const struct type_hooks names_hooks = {.iterate = names_iterate, .count = names_count, .contains = names_contains};

static bool
keys(struct call *c)
{
    struct key_names *k = object_new(c, type_find_lit(c->run->env, "KeyNames"), struct key_names);

    if (!k)
        return false;
    k->of = self_of(c);
    k->names = collect(c, core_types(c->run->env)->string_array, true);
    return k->names && return_ref(c, k);
}

static bool
values(struct call *c)
{
    return return_new(c, collect(c, type_array_of(c->ret_type->args[0]), false));
}

static bool
count(struct call *c)
{
    struct array *names = collect(c, core_types(c->run->env)->string_array, true);

    return names && return_i64(c, names->n);
}

/* --- GetValueOrDefault -------------------------------------------------------------------------------------------------------------------- */

static struct string *
joined(struct call *c, const struct array *parts)
{
    struct buf b = call_buf(c);

    if (parts->n == 1)
        return (struct string *)parts->u.v[0].ref;
    for (uint32_t i = 0; i < parts->n; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_add_str(&b, parts->u.v[i].ref ? string_str((struct string *)parts->u.v[i].ref) : STR(""));
    }
    return string_from_buf(c, &b);
}

/* The usual case, a header that is there once or not at all, makes nothing but the string. */
static bool
header_value_or_default(struct call *c)
{
    const struct http_headers *h = self_of(c)->of;
    struct str name = call_str(c, 1);
    uint32_t at = 0;
    const struct http_field *f;
    struct value v;
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    if (!(f = http_headers_next(h, name, &at)))
        return return_ref(c, c->n_args > 2 ? call_string(c, 2) : NULL);
    struct str value = f->value;
    if (!http_headers_next(h, name, &at))
        return return_new(c, string_view(c, value));
    return header_find(c, self_of(c), name, &v, &found) && return_new(c, joined(c, (struct array *)v.ref));
}

static bool
value_or_default(struct call *c)
{
    struct value v;
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    if (!self_of(c)->ops->find(c, self_of(c), call_str(c, 1), &v, &found))
        return false;
    if (!found)
        return return_ref(c, c->n_args > 2 ? call_string(c, 2) : NULL);
    return return_new(c, joined(c, (struct array *)v.ref));
}

static bool
parameter_or_default(struct call *c)
{
    struct value v;
    bool found;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    if (!self_of(c)->ops->find(c, self_of(c), call_str(c, 1), &v, &found))
        return false;
    return return_ref(c, found ? v.ref : c->n_args > 2 ? c->args[2].ref : NULL);
}

/* Variables: the type must be the stored one; nothing is converted. */
static bool
variable_or_default(struct call *c)
{
    const struct type *wanted = c->type_args[0], *plain = type_strip_nullable(wanted);
    const struct variable *v;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    v = exchange_read_variable(self_of(c)->ex, call_str(c, 1));
    if (!v || (!v->value && type_is_kept_in_ref(wanted))) {
        c->ret = v ? value_ref(NULL) : c->n_args > 2 ? c->args[2] : value_i64(0);
        return true;
    }
    if (!v->value)
        return throw_null_reference(c);
    if (!type_is_assignable(v->value->type, plain))
        return throw_invalid_cast(c, v->value->type, wanted);
    c->ret = type_is_kept_in_ref(wanted) ? value_ref(v->value) : value_unbox(v->value);
    return true;
}

/* Without a type argument it is a look-up: the cast around it decides. */
static bool
variable_or_null(struct call *c)
{
    const struct variable *v;

    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    v = exchange_read_variable(self_of(c)->ex, call_str(c, 1));
    return return_ref(c, v ? v->value : NULL);
}

/* The value of a key in whatever maps keys of `key_type` to values: our own dictionaries know the way, others are walked. */
static bool
find_in_any(struct call *c, struct object *o, const struct type *key_type, struct value key, struct value *ret, bool *ret_found)
{
    struct key_rule rule = {key_type, NULL};
    struct iterator it;
    struct value pair;
    int more;

    *ret_found = false;
    if (o->type->hooks->iterate == dictionary_iterate) {
        struct dictionary *d = (struct dictionary *)o;
        return d->ops->find(c, d, string_str((struct string *)key.ref), ret, ret_found);
    }
    if (!iterate(c, o, NULL, &it))
        return false;
    while ((more = iterate_next(c, &it, &pair)) > 0) {
        struct record *r = (struct record *)pair.ref;
        if (!key_equals(c, &rule, r->v[0], key, ret_found))
            return false;
        if (*ret_found) {
            *ret = r->v[1];
            return true;
        }
    }
    return more == 0;
}

static bool
any_value_or_default(struct call *c)
{
    struct value v;
    bool found;

    if (!c->args[0].ref)
        return throw_null_reference(c);
    if (!call_string(c, 1))
        return throw_argument_null(c, "key");
    if (!find_in_any(c, c->args[0].ref, c->args[1].ref->type, c->args[1], &v, &found))
        return false;
    if (!found || !v.ref)
        return return_ref(c, c->n_args > 2 ? call_string(c, 2) : NULL);
    return return_new(c, joined(c, (struct array *)v.ref));
}

/* Of any dictionary, with values as they are. A key of null, as of the others. */
static bool
value_of_any_or_default(struct call *c)
{
    struct value v = c->n_args > 2 ? c->args[2] : value_i64(0);
    bool found;

    if (!c->args[0].ref)
        return throw_argument_null(c, "dictionary");
    if (type_is_kept_in_ref(c->type_args[0]) && !c->args[1].ref)
        return throw_argument_null(c, "key");
    if (!find_in_any(c, c->args[0].ref, c->type_args[0], c->args[1], &v, &found))
        return false;
    c->ret = v;
    return true;
}

#define COMMON(type, value) \
    M(type, value " this[string key] { get; }", item), \
    M(type, "bool ContainsKey(string key)", contains_key), \
    M(type, "bool TryGetValue(string key, out " value " value)", try_get_value), \
    M(type, "IEnumerable<string> Keys { get; }", keys), \
    M(type, "IEnumerable<" value "> Values { get; }", values), \
    M(type, "int Count { get; }", count)

#define DICTIONARY(name, value) {TYPE_CLASS, name, NULL, "IReadOnlyDictionary<string, " value ">", &dictionary_hooks, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    DICTIONARY("HeaderCollection", "string[]"),
    DICTIONARY("QueryCollection", "string[]"),
    DICTIONARY("ParameterCollection", "string"),
    DICTIONARY("VariableCollection", "object"),
    DICTIONARY("CertificateCollection", "X509Certificate2"),
    {TYPE_CLASS, "KeyNames", NULL, "IEnumerable<string>", &names_hooks, TYPE_IS_ABSTRACT | TYPE_IS_HIDDEN, NULL},
    STATIC_CLASS("DictionaryExtensions"),
};

static const struct member_row members[] = {
    COMMON("HeaderCollection", "string[]"),
    M("HeaderCollection", "string GetValueOrDefault(string headerName)", header_value_or_default),
    M("HeaderCollection", "string GetValueOrDefault(string headerName, string defaultValue)", header_value_or_default),
    COMMON("QueryCollection", "string[]"),
    M("QueryCollection", "string GetValueOrDefault(string queryParameterName)", value_or_default),
    M("QueryCollection", "string GetValueOrDefault(string queryParameterName, string defaultValue)", value_or_default),
    COMMON("ParameterCollection", "string"),
    M("ParameterCollection", "string GetValueOrDefault(string key)", parameter_or_default),
    M("ParameterCollection", "string GetValueOrDefault(string key, string defaultValue)", parameter_or_default),
    COMMON("VariableCollection", "object"),
    M("VariableCollection", "object GetValueOrDefault(string variableName)", variable_or_null),
    M("VariableCollection", "T GetValueOrDefault<T>(string variableName)", variable_or_default),
    M("VariableCollection", "T GetValueOrDefault<T>(string variableName, T defaultValue)", variable_or_default),
    COMMON("CertificateCollection", "X509Certificate2"),
    M("DictionaryExtensions", "static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> source, string key)",
      any_value_or_default),
    M("DictionaryExtensions",
      "static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> source, string key, string defaultValue)",
      any_value_or_default),
    M("DictionaryExtensions", "static V GetValueOrDefault<K,V>(this IReadOnlyDictionary<K,V> dictionary, K key)", value_of_any_or_default),
    M("DictionaryExtensions", "static V GetValueOrDefault<K,V>(this IReadOnlyDictionary<K,V> dictionary, K key, V defaultValue)",
      value_of_any_or_default),
    M("DictionaryExtensions", "static V GetValueOrDefault<K,V>(this IDictionary<K,V> dictionary, K key)", value_of_any_or_default),
    M("DictionaryExtensions", "static V GetValueOrDefault<K,V>(this IDictionary<K,V> dictionary, K key, V defaultValue)",
      value_of_any_or_default),
};

const struct library context_dictionary = LIBRARY("context dictionaries", types, members);
