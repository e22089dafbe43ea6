/* value_codec.c: values of expressions as bytes and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/value_codec.h"

#include "clr/jtoken.h"
#include "exchange/context.h"
#include "expr/program.h"
#include "http/headers.h"

#define VERSION 1
#define DEPTH_MAX 16

static bool encode(struct exchange *ex, struct object *o, struct buf *to, uint32_t depth, struct err *err);

/* --- writing ------------------------------------------------------------------------------------------------------- */

static void
put_u32(struct buf *to, uint32_t n)
{
    buf_add(to, &n, sizeof(n));       /* little-endian on every machine we run on */
}

static void
put_text(struct buf *to, struct str text)
{
    put_u32(to, (uint32_t)text.len);
    buf_add_str(to, text);
}

static void
put_kind(struct buf *to, char kind)
{
    buf_add_char(to, VERSION);
    buf_add_char(to, kind);
}

/* An item with its length in front, which is known afterwards. */
static bool
put_item(struct exchange *ex, struct object *o, struct buf *to, uint32_t depth, struct err *err)
{
    size_t at = to->len;
    uint32_t length;

    put_u32(to, 0);
    if (!encode(ex, o, to, depth, err))
        return false;
    if (to->failed)
        return err_set(err, ERR_LIMIT, "the value is too large");
    length = (uint32_t)(to->len - at - sizeof(length));
    memcpy(to->p + at, &length, sizeof(length));
    return true;
}

static bool
encode_array(struct exchange *ex, const struct array *a, struct buf *to, uint32_t depth, struct err *err)
{
    const struct type *element = a->head.type->args[0];
    struct call call = expr_host_call(exchange_expr_run(ex));

    if (a->is_bytes) {
        put_kind(to, 'b');
        buf_add(to, a->u.bytes, a->n);
        return true;
    }
    put_kind(to, 'a');
    put_text(to, element->full_name);
    put_u32(to, a->n);
    for (uint32_t i = 0; i < a->n; i++) {
        struct object *item;

        if (!value_box(&call, element, a->u.v[i], &item))
            return err_set(err, ERR_NO_MEMORY, "no memory left");
        if (!put_item(ex, item, to, depth + 1, err))
            return false;
    }
    return true;
}

static bool
encode_reply(struct exchange *ex, struct reply *r, struct buf *to, struct err *err)
{
    struct str body;

    if (!content_read(ex, &r->content, true, &body, err))
        return false;
    put_kind(to, 'r');
    put_u32(to, r->status);
    put_text(to, r->reason);
    put_u32(to, r->headers->n);
    for (uint32_t i = 0; i < r->headers->n; i++) {
        put_text(to, r->headers->v[i].name);
        put_text(to, r->headers->v[i].value);
    }
    put_u32(to, body.p != NULL);
    buf_add_str(to, body);
    return true;
}

static bool
encode(struct exchange *ex, struct object *o, struct buf *to, uint32_t depth, struct err *err)
{
    struct reply *reply;

    if (depth > DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "the value is nested too deeply");
    if (!o) {
        put_kind(to, 'n');
        return true;
    }
    if (o->type->kind == TYPE_STRING) {
        put_kind(to, 's');
        buf_add_str(to, string_str((struct string *)o));
        return true;
    }
    if (object_is_box(o)) {
        put_kind(to, 'v');
        put_text(to, o->type->full_name);
        buf_add(to, &((struct box *)o)->v, sizeof(struct value));
        return true;
    }
    if (o->type->kind == TYPE_ARRAY && o->type->rank <= 1)
        return encode_array(ex, (struct array *)o, to, depth, err);
    if (object_is_jtoken(o)) {
        struct call call = expr_host_call(exchange_expr_run(ex));

        put_kind(to, 'j');
        return jtoken_write(&call, (struct jtoken *)o, false, to) || err_set(err, ERR_LIMIT, "the JSON value is too large");
    }
    reply = context_reply_of(o);
    if (reply)
        return encode_reply(ex, reply, to, err);
    return err_set(err, ERR_UNSUPPORTED, "a value of type %.*s cannot be stored", STR_ARG(o->type->name));
}

bool
value_encode(struct exchange *ex, struct object *o, struct buf *to, struct err *err)
{
    if (!exchange_expr_run(ex))
        return err_set(err, ERR_NO_MEMORY, "no memory left");
    if (!encode(ex, o, to, 0, err))
        return false;
    return !to->failed || err_set(err, ERR_LIMIT, "the value is too large");
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

struct input {
    struct exchange *ex;
    struct call call;
    struct str rest;
    bool is_short;                    /* something was cut off */
};

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

static bool decode(struct input *in, uint32_t depth, struct object **ret);

static bool
decode_box(struct input *in, struct object **ret)
{
    const struct type *type = type_find(in->call.run->env, get_text(in), NULL, 0);
    struct value v;

    if (!type || in->is_short || in->rest.len != sizeof(v))
        return false;
    memcpy(&v, in->rest.p, sizeof(v));
    return value_box(&in->call, type, v, ret);
}

static bool
decode_array(struct input *in, uint32_t depth, struct object **ret)
{
    const struct type *element = type_find(in->call.run->env, get_text(in), NULL, 0);
    uint32_t n = get_u32(in);
    struct array *a = element && !in->is_short && n <= in->rest.len ? array_new(&in->call, type_array_of(element), n) : NULL;

    for (uint32_t i = 0; a && i < n; i++) {
        struct input item = {.ex = in->ex, .call = in->call, .rest = get_text(in)};
        struct object *o;

        if (in->is_short || !decode(&item, depth + 1, &o))
            return false;
        a->u.v[i] = value_unbox(o);
    }
    *ret = (struct object *)a;
    return a != NULL;
}

/* The tree points into its text, so it gets a copy that lives as long. */
static bool
decode_json(struct input *in, struct object **ret)
{
    struct str text = str_dup(in->ex->arena, in->rest);
    struct json_problem problem;

    *ret = text.p ? (struct object *)jtoken_parse(&in->call, text, JSON_NULL, &problem) : NULL;
    return *ret != NULL;
}

static bool
decode_reply(struct input *in, struct object **ret)
{
    struct reply *r = reply_new(in->ex);
    uint32_t n;

    if (!r)
        return false;
    r->status = (uint16_t)get_u32(in);
    r->reason = str_dup(in->ex->arena, get_text(in));
    n = get_u32(in);
    for (uint32_t i = 0; i < n && !in->is_short; i++) {
        struct str name = str_dup(in->ex->arena, get_text(in)), value = str_dup(in->ex->arena, get_text(in));

        if (!http_headers_add(r->headers, name, value))
            return false;
    }
    if (get_u32(in))
        content_set(&r->content, str_dup(in->ex->arena, in->rest));
    *ret = in->is_short ? NULL : context_object_of_reply(in->ex, r);
    return *ret != NULL;
}

static bool
decode(struct input *in, uint32_t depth, struct object **ret)
{
    char kind;

    if (in->rest.len < 2 || in->rest.p[0] != VERSION || depth > DEPTH_MAX)
        return false;
    kind = in->rest.p[1];
    in->rest = str_skip(in->rest, 2);
    switch (kind) {
    case 'n':
        *ret = NULL;
        return true;
    case 's':
        *ret = (struct object *)string_new(&in->call, in->rest);
        return *ret != NULL;
    case 'b':
        *ret = (struct object *)array_of_bytes(&in->call, in->rest.p, (uint32_t)in->rest.len);
        return *ret != NULL;
    case 'v':
        return decode_box(in, ret);
    case 'a':
        return decode_array(in, depth, ret);
    case 'j':
        return decode_json(in, ret);
    case 'r':
        return decode_reply(in, ret);
    default:
        return false;
    }
}

bool
value_decode(struct exchange *ex, struct str bytes, struct object **ret, struct err *err)
{
    struct expr_run *run = exchange_expr_run(ex);
    struct input in = {.ex = ex, .rest = bytes};

    if (!run)
        return err_set(err, ERR_NO_MEMORY, "no memory left");
    in.call = expr_host_call(run);
    return decode(&in, 0, ret) || err_set(err, ERR_INVALID, "the stored value cannot be read");
}
