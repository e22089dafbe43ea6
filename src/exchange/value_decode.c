/* value_decode.c: bytes to values of expressions, each a private copy. The bytes may come from a store that others write: lengths,
 * types and numbers are looked at before they are used.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/datetime.h"
#include "clr/jtoken.h"
#include "clr/jwt_object.h"
#include "clr/string_builder.h"
#include "clr/string_comparer.h"
#include "clr/uri.h"
#include "clr/xtree.h"
#include "data/decimal.h"
#include "exchange/context.h"
#include "exchange/value_codec.h"
#include "exchange/value_kinds.h"
#include "expr/program.h"
#include "http/headers.h"

#define ITEM_BYTES_MIN 6u             /* its length, version and kind */

struct input {
    struct exchange *ex;
    struct call call;
    struct str rest;
    bool is_short;                    /* something was cut off */
};

static bool decode(struct input *in, uint32_t depth, struct object **ret);

static uint32_t
get_u32(struct input *in)
{
    uint32_t n = 0;

    if (in->rest.len < sizeof(n)) {
        in->is_short = true;
        return 0;
    }
    memcpy(&n, in->rest.p, sizeof(n));
    in->rest = str_skip(in->rest, sizeof(n));
    return n;
}

static struct str
get_text(struct input *in)
{
    uint32_t n = get_u32(in);
    struct str text = str_sub(in->rest, 0, n);

    in->is_short |= text.len < n;
    in->rest = str_skip(in->rest, n);
    return text;
}

/* NULL when there is no such type here. */
static const struct type *
get_type(struct input *in)
{
    struct str name = get_text(in);

    return in->is_short ? NULL : type_of_full_name(in->call.run->env, name);
}

/* A count of items of at least so many bytes each; false when the rest cannot hold them. */
static bool
get_count(struct input *in, uint32_t parts, uint32_t *ret)
{
    *ret = get_u32(in);
    return !in->is_short && *ret <= in->rest.len / (ITEM_BYTES_MIN * parts);
}

/* An item as a place of static type `type` keeps it. */
static bool
get_item(struct input *in, const struct type *type, uint32_t depth, struct value *ret)
{
    struct input item = {.ex = in->ex, .call = in->call, .rest = get_text(in)};
    struct object *o;

    if (in->is_short || !decode(&item, depth + 1, &o))
        return false;
    if (!o) {
        *ret = value_ref(NULL);
        return type_is_kept_in_ref(type) && !(type->flags & TYPE_IS_REF_STRUCT);
    }
    *ret = type_is_kept_in_ref(type) ? value_ref(o) : value_unbox(o);
    return type_is_assignable(o->type, type->kind == TYPE_NULLABLE ? type_strip_nullable(type) : type);
}

/* --- numbers and their kin ----------------------------------------------------------------------------------------- */

static bool
is_sound_struct(struct str name, struct value v)
{
    const int64_t day = TICKS_PER_DAY;
    int64_t ticks = (int64_t)v.lo, offset = (int64_t)v.hi;

    if (str_eq_lit(name, "System.DateTime"))
        return ticks >= 0 && ticks <= TICKS_MAX && v.hi <= KIND_LOCAL;
    if (str_eq_lit(name, "System.DateTimeOffset"))
        return ticks >= 0 && ticks <= TICKS_MAX && offset > -day && offset < day && ticks + offset >= 0 &&
               ticks + offset <= TICKS_MAX;
    return str_eq_lit(name, "System.TimeSpan") || str_eq_lit(name, "System.Guid");
}

static bool
is_sound(const struct type *t, struct value v)
{
    static const struct { int64_t min, max; } ranges[] = {
        [TYPE_BOOL] = {0, 1}, [TYPE_CHAR] = {0, UINT16_MAX}, [TYPE_SBYTE] = {INT8_MIN, INT8_MAX}, [TYPE_BYTE] = {0, UINT8_MAX},
        [TYPE_SHORT] = {INT16_MIN, INT16_MAX}, [TYPE_USHORT] = {0, UINT16_MAX}, [TYPE_INT] = {INT32_MIN, INT32_MAX},
        [TYPE_UINT] = {0, UINT32_MAX}, [TYPE_LONG] = {INT64_MIN, INT64_MAX}, [TYPE_ULONG] = {INT64_MIN, INT64_MAX},
    };
    struct decimal d;

    switch (t->kind) {
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_ENUM:
        return true;
    case TYPE_DECIMAL:
        memcpy(&d, &v, sizeof(d));
        return d.scale <= DECIMAL_SCALE_MAX && d.negative <= 1;
    case TYPE_STRUCT:
        return !(t->flags & TYPE_IS_REF_STRUCT) && is_sound_struct(t->full_name, v);
    default:
        return t->kind >= TYPE_BOOL && t->kind <= TYPE_ULONG && v.i64 >= ranges[t->kind].min && v.i64 <= ranges[t->kind].max;
    }
}

static bool
decode_box(struct input *in, struct object **ret)
{
    const struct type *type = get_type(in);
    struct value v;

    if (!type || in->rest.len != sizeof(v))
        return false;
    memcpy(&v, in->rest.p, sizeof(v));
    return is_sound(type, v) && value_box(&in->call, type, v, ret);
}

/* --- containers ---------------------------------------------------------------------------------------------------- */

static bool
get_items(struct input *in, const struct type *element, uint32_t depth, struct value *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!get_item(in, element, depth, &to[i]))
            return false;
    return true;
}

static bool
decode_array(struct input *in, uint32_t depth, struct object **ret)
{
    const struct type *element = get_type(in);
    struct array *a;
    uint32_t n;

    if (!element || element->kind == TYPE_BYTE || !get_count(in, 1, &n))
        return false;
    a = array_new(&in->call, type_array_of(element), n);
    *ret = (struct object *)a;
    return a && get_items(in, element, depth, a->u.v, n);
}

static bool
fill_list(struct input *in, const struct type *t, struct value *v, uint32_t n, struct object **ret)
{
    struct clr_list *l = clr_list_new(&in->call, t, n);

    for (uint32_t i = 0; l && i < n; i++)
        if (!clr_list_add(&in->call, l, v[i]))
            return false;
    *ret = (struct object *)l;
    return l != NULL;
}

/* A stack is walked, and so stored, from its top, which lies last. */
static bool
fill_queue(struct input *in, const struct type *t, struct value *v, uint32_t n, bool is_stack, struct object **ret)
{
    struct clr_queue *q = object_new(&in->call, t, struct clr_queue);

    if (!q)
        return false;
    q->v = v;
    q->n = q->cap = n;
    for (uint32_t i = 0; is_stack && i < n / 2; i++) {
        struct value kept = v[i];

        v[i] = v[n - 1 - i];
        v[n - 1 - i] = kept;
    }
    *ret = (struct object *)q;
    return true;
}

/* NULL in *ret: the usual one. */
static bool
get_comparer(struct input *in, const struct type *key, struct comparer **ret)
{
    uint32_t how = get_u32(in);

    *ret = NULL;
    if (in->is_short || how > ORDINAL_IGNORE_CASE + 1 || (how && key->kind != TYPE_STRING))
        return false;
    if (how)
        *ret = string_comparer_new(&in->call, (enum string_comparison)(how - 1));
    return !how || *ret;
}

static bool
fill_set(struct input *in, const struct type *t, struct comparer *comparer, struct value *v, uint32_t n, struct object **ret)
{
    struct clr_table *s = object_new(&in->call, t, struct clr_table);
    struct table_entry *e;
    bool added;

    if (!s)
        return false;
    table_init(&s->t, t->args[0], comparer);
    for (uint32_t i = 0; i < n; i++)
        if (!table_put(&in->call, &s->t, v[i], &e, &added))
            return false;
    *ret = (struct object *)s;
    return true;
}

static bool
is_generic(const struct type *t, struct str name)
{
    return str_starts_with(t->full_name, name) && t->kind == TYPE_CLASS;
}

static bool
decode_list(struct input *in, uint32_t depth, struct object **ret)
{
    const struct type *t = get_type(in);
    bool is_set = t && is_generic(t, STR("System.Collections.Generic.HashSet`"));
    bool is_stack = t && is_generic(t, STR("System.Collections.Generic.Stack`"));
    struct comparer *comparer = NULL;
    struct value *v;
    uint32_t n;

    if (!t || t->n_args != 1 || (is_set && !get_comparer(in, t->args[0], &comparer)) || !get_count(in, 1, &n))
        return false;
    v = call_alloc(&in->call, (size_t)MAX(n, 1u) * sizeof(*v));
    if (!v || !get_items(in, t->args[0], depth, v, n))
        return false;
    if (is_set)
        return fill_set(in, t, comparer, v, n, ret);
    if (is_stack || is_generic(t, STR("System.Collections.Generic.Queue`")))
        return fill_queue(in, t, v, n, is_stack, ret);
    return (is_generic(t, STR("System.Collections.Generic.List`")) ||
            is_generic(t, STR("System.Collections.ObjectModel.ReadOnlyCollection`"))) && fill_list(in, t, v, n, ret);
}

static bool
decode_table(struct input *in, uint32_t depth, struct object **ret)
{
    const struct type *t = get_type(in);
    struct comparer *comparer;
    struct clr_table *d;
    struct value key, v;
    uint32_t n;

    if (!t || !is_generic(t, STR("System.Collections.Generic.Dictionary`")) || !get_comparer(in, t->args[0], &comparer) ||
        !get_count(in, 2, &n))
        return false;
    d = clr_dictionary_new(&in->call, t, comparer);
    for (uint32_t i = 0; d && i < n; i++) {
        if (!get_item(in, t->args[0], depth, &key) || value_is_null(t->args[0], key) || !get_item(in, t->args[1], depth, &v) ||
            !clr_dictionary_set(&in->call, d, key, v))
            return false;
    }
    *ret = (struct object *)d;
    return d != NULL;
}

static bool
decode_record(struct input *in, uint32_t depth, struct object **ret)
{
    const struct type *t = get_type(in);
    struct record *r = t && value_type_is_record(t) ? record_new(&in->call, t) : NULL;

    for (uint32_t i = 0; r && i < t->n_args; i++)
        if (!get_item(in, t->args[i], depth, &r->v[i]))
            return false;
    *ret = (struct object *)r;
    return r != NULL;
}

/* --- trees, tokens, responses: parsed again; a parsed tree points into its text, so it gets a copy that lives as long ------- */

static struct str
own_rest(struct input *in)
{
    return str_dup(in->ex->arena, in->rest);
}

static bool
decode_json(struct input *in, struct object **ret)
{
    struct str text = own_rest(in);
    struct json_problem problem;

    *ret = text.p ? (struct object *)jtoken_parse(&in->call, text, JSON_NULL, &problem) : NULL;
    return *ret != NULL;
}

static bool
decode_property(struct input *in, struct object **ret)
{
    struct string *name = string_new(&in->call, get_text(in));
    struct object *v;

    if (in->is_short || !name || !decode_json(in, &v))
        return false;
    *ret = (struct object *)jproperty_new(&in->call, name, (struct jtoken *)v);
    return *ret != NULL;
}

static bool
decode_xml(struct input *in, bool is_element, struct object **ret)
{
    struct str text = own_rest(in);
    struct xelement *document = text.p ? xdocument_parse(&in->call, text, true) : NULL;
    struct xnode *n = document ? &document->node : NULL;

    for (struct xnode *k = document && is_element ? document->first : NULL; k; k = k->next)
        if (k->kind == XKIND_ELEMENT)
            n = k;
    if (!n)
        return false;
    if (is_element && n->kind == XKIND_ELEMENT)
        xnode_unlink(n);
    *ret = (struct object *)n;
    return true;
}

static bool
decode_uri(struct input *in, struct object **ret)
{
    *ret = uri_new(&in->call, type_find(in->call.run->env, STR("System.Uri"), NULL, 0), own_rest(in));
    return *ret != NULL;
}

static bool
decode_builder(struct input *in, struct object **ret)
{
    const struct type *t = type_find(in->call.run->env, STR("System.Text.StringBuilder"), NULL, 0);

    *ret = (struct object *)builder_new(&in->call, t, in->rest);
    return *ret != NULL;
}

static bool
decode_reply(struct input *in, struct object **ret)
{
    struct reply *r = reply_new(in->ex);
    uint32_t n;

    if (!r)
        return false;
    n = get_u32(in);
    if (n < 100 || n > 999)
        return false;
    r->status = (uint16_t)n;
    r->reason = str_dup(in->ex->arena, get_text(in));
    n = get_u32(in);
    for (uint32_t i = 0; i < n && !in->is_short; i++) {
        struct str name = str_dup(in->ex->arena, get_text(in)), value = str_dup(in->ex->arena, get_text(in));

        if (in->is_short || !http_name_is_valid(name) || !http_value_is_valid(value) || !http_headers_add(r->headers, name, value))
            return false;
    }
    if (get_u32(in))
        content_set(&r->content, own_rest(in));
    *ret = in->is_short ? NULL : context_object_of_reply(in->ex, r);
    return *ret != NULL;
}

/* --- by kind ------------------------------------------------------------------------------------------------------- */

static bool
decode_text(struct input *in, struct object **ret)
{
    *ret = (struct object *)string_new(&in->call, in->rest);
    return *ret != NULL;
}

static bool
decode_bytes(struct input *in, struct object **ret)
{
    *ret = (struct object *)array_of_bytes(&in->call, in->rest.p, (uint32_t)in->rest.len);
    return *ret != NULL;
}

static bool
decode_token(struct input *in, struct object **ret)
{
    return jwt_object_parse(&in->call, own_rest(in), ret) && *ret;
}

static bool
decode(struct input *in, uint32_t depth, struct object **ret)
{
    char kind;

    if (in->rest.len < 2 || in->rest.p[0] != VALUE_VERSION || depth > VALUE_DEPTH_MAX)
        return false;
    kind = in->rest.p[1];
    in->rest = str_skip(in->rest, 2);
    *ret = NULL;
    switch ((enum value_kind)kind) {
    case VALUE_NULL: return in->rest.len == 0;
    case VALUE_STRING: return decode_text(in, ret);
    case VALUE_BYTES: return decode_bytes(in, ret);
    case VALUE_BOX: return decode_box(in, ret);
    case VALUE_ARRAY: return decode_array(in, depth, ret);
    case VALUE_LIST: return decode_list(in, depth, ret);
    case VALUE_TABLE: return decode_table(in, depth, ret);
    case VALUE_RECORD: return decode_record(in, depth, ret);
    case VALUE_JSON: return decode_json(in, ret);
    case VALUE_PROPERTY: return decode_property(in, ret);
    case VALUE_ELEMENT: return decode_xml(in, true, ret);
    case VALUE_DOCUMENT: return decode_xml(in, false, ret);
    case VALUE_URI: return decode_uri(in, ret);
    case VALUE_BUILDER: return decode_builder(in, ret);
    case VALUE_TOKEN: return decode_token(in, ret);
    case VALUE_REPLY: return decode_reply(in, ret);
    }
    return false;
}

bool
value_decode(struct exchange *ex, struct str bytes, struct object **ret, struct err *err)
{
    struct expr_run *run = exchange_expr_run(ex);
    struct input in = {.ex = ex, .rest = bytes};
    struct object *o;

    if (!run)
        return err_set(err, ERR_NO_MEMORY, "no memory left");
    in.call = expr_host_call(run);
    if (decode(&in, 0, &o)) {
        *ret = o;
        return true;
    }
    run->exception = NULL;            /* of a parser, for what it could not read */
    return err_set(err, ERR_INVALID, "the stored value cannot be read");
}
