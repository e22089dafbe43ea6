/* value_encode.c: values of expressions to bytes. Types are asked of the object, never of the expression.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "clr/collections.h"
#include "clr/families.h"
#include "clr/jtoken.h"
#include "clr/jwt_object.h"
#include "clr/string_builder.h"
#include "clr/string_comparer.h"
#include "clr/uri.h"
#include "clr/xtree.h"
#include "exchange/context.h"
#include "exchange/value_codec.h"
#include "exchange/value_kinds.h"
#include "expr/program.h"
#include "http/headers.h"

struct output {
    struct exchange *ex;
    struct call call;
    struct buf *to;
    struct err *err;
};

static bool encode(struct output *out, struct object *o, uint32_t depth);

static void
put_u32(struct output *out, uint32_t n)
{
    buf_add(out->to, &n, sizeof(n));  /* little-endian on every machine we run on */
}

static void
put_text(struct output *out, struct str text)
{
    put_u32(out, (uint32_t)text.len);
    buf_add_str(out->to, text);
}

static bool
put_kind(struct output *out, enum value_kind kind)
{
    buf_add_char(out->to, VALUE_VERSION);
    buf_add_char(out->to, (char)kind);
    return true;
}

static bool
refuse(struct output *out, const struct type *type)
{
    return err_set(out->err, ERR_UNSUPPORTED, "a value of type %.*s cannot be stored", STR_ARG(type->name));
}

/* What an expression threw while its value was walked. */
static bool
give_up(struct output *out, const struct type *type)
{
    out->call.run->exception = NULL;
    return err_set(out->err, ERR_INVALID, "a value of type %.*s could not be read to its end", STR_ARG(type->name));
}

/* The name by which a reader finds the type again. */
static bool
put_type(struct output *out, const struct type *type)
{
    if (type_of_full_name(type->env, type->full_name) != type)
        return refuse(out, type);
    put_text(out, type->full_name);
    return true;
}

/* --- items --------------------------------------------------------------------------------------------------------- */

/* With its length in front, which is known afterwards. */
static bool
put_item(struct output *out, const struct type *type, struct value v, uint32_t depth)
{
    size_t at = out->to->len;
    struct object *item;
    uint32_t length;

    if (!value_box(&out->call, type, v, &item))
        return err_set(out->err, ERR_NO_MEMORY, "no memory left");
    put_u32(out, 0);
    if (!encode(out, item, depth + 1))
        return false;
    if (out->to->failed)
        return err_set(out->err, ERR_LIMIT, "the value is too large");
    length = (uint32_t)(out->to->len - at - sizeof(length));
    memcpy(out->to->p + at, &length, sizeof(length));
    return true;
}

static bool
put_items(struct output *out, const struct type *element, const struct value *v, uint32_t n, uint32_t depth)
{
    put_u32(out, n);
    for (uint32_t i = 0; i < n; i++)
        if (!put_item(out, element, v[i], depth))
            return false;
    return true;
}

/* What a sequence holds, walked to its end. */
static bool
put_sequence(struct output *out, struct object *o, const struct type *element, uint32_t depth)
{
    struct value *v;
    uint32_t n;

    return sequence_collect(&out->call, o, element, "source", &v, &n) ? put_items(out, element, v, n, depth)
                                                                     : give_up(out, o->type);
}

static bool
put_comparer(struct output *out, const struct object *o, const struct comparer *comparer)
{
    int how = comparer ? string_comparer_how(comparer) : -1;

    if (comparer && how < 0 && !str_starts_with(comparer->head.type->full_name, STR("System.Collections.Generic.")))
        return refuse(out, o->type);
    put_u32(out, (uint32_t)(how + 1));
    return true;
}

/* --- containers ---------------------------------------------------------------------------------------------------- */

static bool
encode_array(struct output *out, struct array *a, uint32_t depth)
{
    if (a->head.type->rank > 1)
        return refuse(out, a->head.type);
    if (a->is_bytes) {
        put_kind(out, VALUE_BYTES);
        buf_add(out->to, a->u.bytes, a->n);
        return true;
    }
    put_kind(out, VALUE_ARRAY);
    return put_type(out, a->head.type->args[0]) && put_items(out, a->head.type->args[0], a->u.v, a->n, depth);
}

static bool
encode_list(struct output *out, struct object *o, uint32_t depth)
{
    put_kind(out, VALUE_LIST);
    return put_type(out, o->type) &&
           (!object_is_hash_set(o) || put_comparer(out, o, ((struct clr_table *)o)->t.rule.comparer)) &&
           put_sequence(out, o, o->type->args[0], depth);
}

static bool
encode_dictionary(struct output *out, struct clr_table *d, uint32_t depth)
{
    const struct type *t = d->head.type, *const *args = t->args;
    struct table_entry *e;
    uint32_t at = 0;

    while (t->base && !type_begins(t, STR("System.Collections.Generic.Dictionary`")))
        t = t->base;                  /* claims are a hidden kind of it */
    put_kind(out, VALUE_TABLE);
    if (!put_type(out, t) || !put_comparer(out, &d->head, d->t.rule.comparer))
        return false;
    put_u32(out, table_count(&d->t));
    while ((e = table_next(&d->t, &at)))
        if (!put_item(out, args[0], e->key, depth) || !put_item(out, args[1], e->value, depth))
            return false;
    return true;
}

/* The IReadOnlyDictionary<string, ...> an object is: context's headers, query, claims. NULL: none. */
static const struct type *
text_dictionary_of(const struct type *t)
{
    for (uint32_t i = 0; i < t->n_interfaces; i++)
        if (str_starts_with(t->interfaces[i]->full_name, STR("System.Collections.Generic.IReadOnlyDictionary`")) &&
            t->interfaces[i]->args[0]->kind == TYPE_STRING)
            return t->interfaces[i];
    return NULL;
}

/* A view of the request becomes a Dictionary of its own, whose keys ignore case as the view's do. */
static bool
encode_view(struct output *out, struct object *o, const struct type *view, uint32_t depth)
{
    const struct type *own = type_find(view->env, STR("System.Collections.Generic.Dictionary"), view->args, 2);
    const struct type *pair = type_find(view->env, STR("System.Collections.Generic.KeyValuePair"), view->args, 2);
    struct clr_table *d = clr_dictionary_new(&out->call, own, string_comparer_new(&out->call, ORDINAL_IGNORE_CASE));
    struct value *v;
    uint32_t n;

    if (!d || !sequence_collect(&out->call, o, pair, "source", &v, &n))
        return give_up(out, o->type);
    for (uint32_t i = 0; i < n; i++) {
        struct record *r = (struct record *)v[i].ref;

        if (r && r->v[0].ref && !clr_dictionary_set(&out->call, d, r->v[0], r->v[1]))
            return give_up(out, o->type);
    }
    return encode_dictionary(out, d, depth);
}

static bool
encode_record(struct output *out, struct record *r, uint32_t depth)
{
    const struct type *t = r->head.type;

    put_kind(out, VALUE_RECORD);
    if (!put_type(out, t))
        return false;
    for (uint32_t i = 0; i < t->n_args; i++)
        if (!put_item(out, t->args[i], r->v[i], depth))
            return false;
    return true;
}

/* --- trees, tokens, responses -------------------------------------------------------------------------------------- */

static bool
encode_json(struct output *out, struct jtoken *t)
{
    if (t->type == JTYPE_PROPERTY) {
        put_kind(out, VALUE_PROPERTY);
        put_text(out, string_str(((struct jproperty *)t)->name));
        t = ((struct jproperty *)t)->value;
    } else {
        put_kind(out, VALUE_JSON);
    }
    return jtoken_write(&out->call, t, false, out->to) || err_set(out->err, ERR_LIMIT, "the JSON value is too large");
}

static bool
encode_xml(struct output *out, struct xnode *n)
{
    if (n->kind != XKIND_ELEMENT && n->kind != XKIND_DOCUMENT)
        return refuse(out, n->head.type);
    put_kind(out, n->kind == XKIND_ELEMENT ? VALUE_ELEMENT : VALUE_DOCUMENT);
    return xnode_write(&out->call, n, false, out->to) || give_up(out, n->head.type);
}

static bool
encode_reply(struct output *out, struct reply *r)
{
    struct str body;

    if (!content_read(out->ex, &r->content, true, &body, out->err))
        return false;
    put_kind(out, VALUE_REPLY);
    put_u32(out, r->status);
    put_text(out, r->reason);
    put_u32(out, r->headers->n);
    for (uint32_t i = 0; i < r->headers->n; i++) {
        put_text(out, r->headers->v[i].name);
        put_text(out, r->headers->v[i].value);
    }
    put_u32(out, body.p != NULL);
    buf_add_str(out->to, body);
    return true;
}

static bool
encode_token(struct output *out, const struct object *o)
{
    put_kind(out, VALUE_TOKEN);
    return jwt_object_write(o, out->to);
}

static bool
encode_text(struct output *out, enum value_kind kind, struct str text)
{
    put_kind(out, kind);
    buf_add_str(out->to, text);
    return true;
}

/* --- by type ------------------------------------------------------------------------------------------------------- */

static bool
encode_box(struct output *out, const struct object *o)
{
    put_kind(out, VALUE_BOX);
    if (!put_type(out, o->type))
        return false;
    buf_add(out->to, &((const struct box *)o)->v, sizeof(struct value));
    return true;
}

static bool
encode_collection(struct output *out, struct object *o, uint32_t depth)
{
    const struct type *view = text_dictionary_of(o->type), *element = type_element(o->type);

    if (object_is_list(o) || object_is_hash_set(o) || object_is_queue(o))
        return encode_list(out, o, depth);
    if (object_is_dictionary(o))
        return encode_dictionary(out, (struct clr_table *)o, depth);
    if (view)
        return encode_view(out, o, view, depth);
    if (!element || (o->type->kind != TYPE_INTERFACE && sequence_known_count(o) < 0) ||
        str_find(o->type->full_name, STR(".ILookup`"), 0) >= 0)
        return refuse(out, o->type);
    put_kind(out, VALUE_ARRAY);
    return put_type(out, element) && put_sequence(out, o, element, depth);
}

static bool
encode_class(struct output *out, struct object *o, uint32_t depth)
{
    struct reply *reply = context_reply_of(o);

    if (reply)
        return encode_reply(out, reply);
    if (value_type_is_record(o->type))
        return encode_record(out, (struct record *)o, depth);
    if (str_eq_lit(o->type->full_name, "System.Uri"))
        return encode_text(out, VALUE_URI, uri_original(o));
    if (str_eq_lit(o->type->full_name, "System.Text.StringBuilder"))
        return encode_text(out, VALUE_BUILDER, buf_str(&((struct builder *)o)->text));
    if (str_eq_lit(o->type->full_name, "Microsoft.Azure.ApiManagement.Jwt"))
        return encode_token(out, o);
    return encode_collection(out, o, depth);
}

static bool
encode(struct output *out, struct object *o, uint32_t depth)
{
    if (depth > VALUE_DEPTH_MAX)
        return err_set(out->err, ERR_LIMIT, "the value is nested too deeply");
    if (!o)
        return put_kind(out, VALUE_NULL);
    if (o->type->kind == TYPE_STRING)
        return encode_text(out, VALUE_STRING, string_str((struct string *)o));
    if (object_is_box(o))
        return encode_box(out, o);
    if (o->type->kind == TYPE_ARRAY)
        return encode_array(out, (struct array *)o, depth);
    if (object_is_jtoken(o))
        return encode_json(out, (struct jtoken *)o);
    if (object_is_xobject(o))
        return encode_xml(out, (struct xnode *)o);
    return encode_class(out, o, depth);
}

bool
value_encode(struct exchange *ex, struct object *o, struct buf *to, struct err *err)
{
    struct expr_run *run = exchange_expr_run(ex);
    struct output out = {.ex = ex, .to = to, .err = err};

    if (!run)
        return err_set(err, ERR_NO_MEMORY, "no memory left");
    out.call = expr_host_call(run);
    return encode(&out, o, 0) && (!to->failed || err_set(err, ERR_LIMIT, "the value is too large"));
}
