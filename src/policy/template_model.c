/* template_model.c: `body` and `context` for templates.
 *
 * `body` is the message as JSON or XML, by its Content-Type; nothing for other types. `context` is the object that expressions
 * have: members are found by name (expr/reflect.h), dictionaries by key, JSON in variables by member and index, so that
 * everything an expression can read without calling something a template can read too. A few names exist only here, as the
 * reference lists them: OriginalMethod, HasBody, ClientCertificates; Response.Method.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/template_model.h"

#include "base/clock.h"
#include "clr/jtoken.h"
#include "clr/liquid_dotnet.h"
#include "clr/values.h"
#include "clr/xtree.h"
#include "data/json.h"
#include "exchange/context.h"
#include "exchange/context_body.h"
#include "expr/program.h"
#include "expr/reflect.h"
#include "http/headers.h"
#include "http/server.h"
#include "policy/conversion.h"
#include "rt/fiber.h"
#include "rt/loop.h"

struct host {
    struct exchange *ex;
    const struct template_input *in;
    struct str body;
    struct call call;                 /* for natives */
};

/* An object of the expression language. */
struct wrapped {
    struct liquid_object head;
    struct object *o;
};

static struct liquid_value wrap(struct liquid_run *run, struct object *o);
static struct liquid_value wrap_entry(struct liquid_run *run, struct object *o);

static struct call *
host_call(struct liquid_run *run)
{
    return &((struct host *)run->host)->call;
}

/* An exception inside of a native ends the rendering: the expression would have failed, too. */
static void
failed(struct liquid_run *run)
{
    struct expr_run *expr = host_call(run)->run;
    struct str text = expr_run_error(expr, NULL);

    liquid_fail(run, expr->exceeded ? ERR_LIMIT : ERR_INVALID, "%.*s", STR_ARG(text));
    expr->exception = NULL;
}

static struct object *
unwrap(const struct liquid_object *o)
{
    return ((const struct wrapped *)o)->o;
}

/* --- members ------------------------------------------------------------------------------------------------------- */

static bool
is_type(const struct object *o, const char *name)
{
    return str_eq(o->type->name, str_from_c(name));
}

/* Names that only templates have. */
static bool
own_member(struct liquid_run *run, const struct object *o, struct str name, struct liquid_value *ret)
{
    struct exchange *ex = ((struct host *)run->host)->ex;
    struct str original = ex->call ? ex->call->request.method_text : ex->request.method;

    if (is_type(o, "IRequest") && str_eq_lit(name, "OriginalMethod"))
        *ret = liquid_string(original);
    else if (is_type(o, "IResponse") && str_eq_lit(name, "Method"))
        *ret = liquid_string(ex->request.method);
    else if (is_type(o, "IRequest") && str_eq_lit(name, "HasBody"))
        *ret = liquid_bool(!content_is_empty(ex->request.content));
    else
        return false;
    return true;
}

static bool
client_certificates(struct liquid_run *run, struct object *request, struct liquid_value *ret)
{
    struct liquid_value *one = arena_new(run->arena, struct liquid_value);
    struct object *certificate;
    bool found;

    if (!one)
        return false;
    if (!reflect_get(host_call(run), request, STR("Certificate"), &certificate, &found)) {
        failed(run);
        return false;
    }
    *one = wrap(run, certificate);
    *ret = liquid_list(run, one, certificate != NULL);
    return true;
}

static bool
member(struct liquid_run *run, const struct liquid_object *self, struct str name, struct liquid_value *ret)
{
    struct object *o = unwrap(self), *value = NULL;
    bool found = false;

    if (own_member(run, o, name, ret))
        return true;
    if (is_type(o, "IRequest") && str_eq_lit(name, "ClientCertificates"))
        return client_certificates(run, o, ret);
    if (!reflect_index(host_call(run), o, name, &value, &found)) {
        failed(run);
        return false;
    }
    if (found) {
        *ret = wrap_entry(run, value);
        return true;
    }
    if (!reflect_get(host_call(run), o, name, &value, &found)) {
        failed(run);
        return false;
    }
    *ret = wrap(run, value);
    return found;
}

static bool
jobject_member(struct liquid_run *run, const struct liquid_object *self, struct str name, struct liquid_value *ret)
{
    struct jproperty *p;

    if (!jobject_find(host_call(run), (struct jcontainer *)unwrap(self), name, &p)) {
        failed(run);
        return false;
    }
    if (p)
        *ret = wrap(run, (struct object *)p->value);
    return p != NULL;
}

/* --- walks --------------------------------------------------------------------------------------------------------- */

_Static_assert(sizeof(struct iterator) <= sizeof(((struct liquid_walk *)0)->state), "a walk holds an iterator");

/* The element type of what an iterator gives: a KeyValuePair is a pair. */
static struct liquid_value
element(struct liquid_run *run, const struct type *type, struct value v)
{
    struct object *o;

    if (!type || type->name.len < 12 || !str_starts_with(type->name, STR("KeyValuePair"))) {
        if (!type || value_box(host_call(run), type, v, &o))
            return wrap(run, type ? o : v.ref);
        failed(run);
        return liquid_nil();
    }
    struct record *r = (struct record *)v.ref;
    struct object *key, *value;
    if (!r || !value_box(host_call(run), type->args[0], r->v[0], &key) || !value_box(host_call(run), type->args[1], r->v[1], &value))
        return liquid_nil();
    return liquid_pair(run, wrap(run, key), wrap_entry(run, value));
}

static bool
next(struct liquid_run *run, const struct liquid_object *self, struct liquid_walk *at, struct liquid_value *ret)
{
    struct object *o = unwrap(self);
    struct iterator *it = (struct iterator *)at->state;
    struct value v;
    int more;

    if (at->at++ == 0 && !iterate(host_call(run), o, NULL, it)) {
        failed(run);
        return false;
    }
    more = iterate_next(host_call(run), it, &v);
    if (more < 0)
        failed(run);
    if (more <= 0)
        return false;
    *ret = element(run, type_element(o->type), v);
    return true;
}

static bool
array_item(struct liquid_run *run, const struct liquid_object *self, uint64_t i, struct liquid_value *ret)
{
    struct array *a = (struct array *)unwrap(self);

    if (i >= a->n)
        return false;
    *ret = element(run, a->head.type->args[0], array_get(a, (uint32_t)i));
    return true;
}

static bool
array_next(struct liquid_run *run, const struct liquid_object *self, struct liquid_walk *at, struct liquid_value *ret)
{
    return array_item(run, self, at->at++, ret);
}

static uint64_t
array_count(struct liquid_run *run, const struct liquid_object *self)
{
    return ((const struct array *)unwrap(self))->n;
}

static bool
token_children(struct liquid_run *run, const struct liquid_object *self, struct jtoken ***ret, uint32_t *ret_n)
{
    if (jtoken_children(host_call(run), (struct jtoken *)unwrap(self), ret, ret_n))
        return true;
    failed(run);
    return false;
}

static bool
jarray_item(struct liquid_run *run, const struct liquid_object *self, uint64_t i, struct liquid_value *ret)
{
    struct jtoken **items;
    uint32_t n;

    if (!token_children(run, self, &items, &n) || i >= n)
        return false;
    *ret = wrap(run, (struct object *)items[i]);
    return true;
}

static bool
jarray_next(struct liquid_run *run, const struct liquid_object *self, struct liquid_walk *at, struct liquid_value *ret)
{
    return jarray_item(run, self, at->at++, ret);
}

static bool
jobject_next(struct liquid_run *run, const struct liquid_object *self, struct liquid_walk *at, struct liquid_value *ret)
{
    struct jtoken **items;
    uint32_t n;

    if (!token_children(run, self, &items, &n) || at->at >= n)
        return false;
    struct jproperty *p = (struct jproperty *)items[at->at++];
    *ret = liquid_pair(run, liquid_string(string_str(p->name)), wrap(run, (struct object *)p->value));
    return true;
}

static uint64_t
token_count(struct liquid_run *run, const struct liquid_object *self)
{
    struct jtoken **items;
    uint32_t n;

    return token_children(run, self, &items, &n) ? n : 0;
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

static void
object_text(struct liquid_run *run, const struct liquid_object *self, struct buf *to)
{
    struct object *o = unwrap(self);
    struct string *s;

    if (value_to_string(host_call(run), o->type, value_unbox(o), STR_NONE, &s))
        buf_add_str(to, string_str(s));
    else
        failed(run);
}

static void
token_text(struct liquid_run *run, const struct liquid_object *self, struct buf *to)
{
    if (!jtoken_write(host_call(run), (struct jtoken *)unwrap(self), false, to))
        failed(run);
}

/* The values of a header or query parameter: usually one, printed as a header line has them. */
static void
values_text(struct liquid_run *run, const struct liquid_object *self, struct buf *to)
{
    const struct array *a = (const struct array *)unwrap(self);

    for (uint32_t i = 0; i < a->n; i++) {
        if (i)
            buf_add_char(to, ',');
        if (array_get(a, i).ref)
            buf_add_str(to, string_str((struct string *)array_get(a, i).ref));
    }
}

static const struct liquid_ops object_ops = {.type_name = "System.Object", .member = member, .text = object_text};
static const struct liquid_ops sequence_ops = {.type_name = "System.Collections.IEnumerable", .member = member, .next = next};
static const struct liquid_ops dictionary_ops = {
    .type_name = "System.Collections.IDictionary", .member = member, .next = next, .is_hash = true};
static const struct liquid_ops array_ops = {
    .type_name = "System.Object[]", .item = array_item, .next = array_next, .count = array_count};
static const struct liquid_ops values_ops = {
    .type_name = "System.String[]", .item = array_item, .next = array_next, .count = array_count, .text = values_text};
static const struct liquid_ops jobject_ops = {
    .type_name = "Newtonsoft.Json.Linq.JObject", .member = jobject_member, .next = jobject_next, .count = token_count,
    .text = token_text, .is_hash = true};
static const struct liquid_ops jarray_ops = {
    .type_name = "Newtonsoft.Json.Linq.JArray", .item = jarray_item, .next = jarray_next, .count = token_count};

/* --- values -------------------------------------------------------------------------------------------------------- */

static struct liquid_value
new_wrapped(struct liquid_run *run, struct object *o, const struct liquid_ops *ops)
{
    struct wrapped *w = arena_new(run->arena, struct wrapped);

    if (!w) {
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for the values of a template");
        return liquid_nil();
    }
    *w = (struct wrapped){{ops}, o};
    return liquid_of_object(&w->head);
}

/* What prints as text and is nothing more: Guid, TimeSpan, Uri, enums. */
static struct liquid_value
as_text(struct liquid_run *run, struct object *o)
{
    struct string *s;

    if (value_to_string(host_call(run), o->type, value_unbox(o), STR_NONE, &s))
        return liquid_string(string_str(s));
    failed(run);
    return liquid_nil();
}

static struct liquid_value
of_token(struct liquid_run *run, struct jtoken *t)
{
    struct jvalue *v = (struct jvalue *)t;
    struct object *o;

    if (t->type == JTYPE_OBJECT)
        return new_wrapped(run, &t->head, &jobject_ops);
    if (t->type == JTYPE_ARRAY || t->type == JTYPE_CONSTRUCTOR)
        return new_wrapped(run, &t->head, &jarray_ops);
    if (t->type == JTYPE_PROPERTY)
        return wrap(run, (struct object *)((struct jproperty *)t)->value);
    if (!v->value_type)
        return liquid_nil();
    if (value_box(host_call(run), v->value_type, v->v, &o))
        return wrap(run, o);
    failed(run);
    return liquid_nil();
}

/* An XML node of a variable is seen as a body of its text would be. */
static struct liquid_value
of_xml(struct liquid_run *run, struct object *o)
{
    const struct template_input *in = ((struct host *)run->host)->in;
    struct buf text = buf_in(run->arena);
    struct liquid_value v, root = liquid_nil();
    struct err err;

    if (!xnode_is_container((struct xnode *)o))
        return as_text(run, o);
    if (!xnode_write(host_call(run), (struct xnode *)o, false, &text)) {
        failed(run);
        return liquid_nil();
    }
    if (!liquid_of_xml(run, buf_str(&text), in->nil_is_null, &v, &err)) {
        liquid_fail(run, err.code, "%s", err.text);
        return liquid_nil();
    }
    if (((struct xnode *)o)->kind == XKIND_ELEMENT)   /* itself, not the document around it */
        v.object->ops->next(run, v.object, &(struct liquid_walk){0}, &root);
    return ((struct xnode *)o)->kind == XKIND_ELEMENT ? root : v;
}

static bool
is_dictionary(const struct object *o)
{
    const struct type *e = type_element(o->type);

    return e && str_starts_with(e->name, STR("KeyValuePair"));
}

static struct liquid_value
wrap(struct liquid_run *run, struct object *o)
{
    struct value v;

    if (!o || is_type(o, "IMessageBody"))   /* a body is not read in passing */
        return liquid_nil();
    v = value_unbox(o);
    switch (o->type->kind) {
    case TYPE_STRING: return liquid_string(string_str((struct string *)o));
    case TYPE_BOOL: return liquid_bool(v.i64 != 0);
    case TYPE_SBYTE:
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_USHORT:
    case TYPE_INT: return liquid_int(v.i64);
    case TYPE_UINT:
    case TYPE_LONG: return liquid_long(v.i64);
    case TYPE_ULONG: return liquid_decimal(decimal_from_u64(v.u64));
    case TYPE_FLOAT: return liquid_double(v.f32);
    case TYPE_DOUBLE: return liquid_double(v.f64);
    case TYPE_DECIMAL: return liquid_decimal(value_decimal(v));
    case TYPE_ARRAY: return new_wrapped(run, o, &array_ops);
    default: break;
    }
    if (str_eq_lit(o->type->full_name, "System.DateTime"))
        return liquid_of_date((struct liquid_date){(int64_t)v.lo, (int64_t)v.hi});
    if (object_is_jtoken(o))
        return of_token(run, (struct jtoken *)o);
    if (object_is_xobject(o))
        return of_xml(run, o);
    if (object_is_box(o))
        return as_text(run, o);
    if (is_dictionary(o))
        return new_wrapped(run, o, &dictionary_ops);
    return new_wrapped(run, o, type_element(o->type) ? &sequence_ops : &object_ops);
}

/* What stands in a dictionary. */
static struct liquid_value
wrap_entry(struct liquid_run *run, struct object *o)
{
    if (o && o->type == core_types(o->type->env)->string_array)
        return new_wrapped(run, o, &values_ops);
    return wrap(run, o);
}

/* --- roots --------------------------------------------------------------------------------------------------------- */

static struct liquid_value
get_context(struct liquid_run *run, void *ctx)
{
    struct host *h = ctx;
    struct object *o = context_object(h->ex);

    if (!o)
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for `context`");
    return wrap(run, o);
}

static struct liquid_value
json_body(struct liquid_run *run, struct host *h)
{
    struct json_problem problem = {.err = ERR_INIT};
    const struct json *j = json_parse_newtonsoft(h->ex->arena, h->body, JSON_NULL, &problem);

    if (!j) {
        liquid_fail(run, problem.err.code, "The message body is not a valid JSON. %s", problem.err.text);
        return liquid_nil();
    }
    return liquid_of_json(run, j, h->in->with_dates);
}

static struct liquid_value
get_body(struct liquid_run *run, void *ctx)
{
    struct host *h = ctx;
    struct str type = http_headers_get(h->in->headers, HTTP_CONTENT_TYPE);
    struct liquid_value v;
    struct err err;

    if (!h->body.len)
        return liquid_nil();
    if (media_type_is(type, STR("json")))
        return json_body(run, h);
    if (!media_type_is(type, STR("xml")))
        return liquid_nil();
    if (liquid_of_xml(run, h->body, h->in->nil_is_null, &v, &err))
        return v;
    liquid_fail(run, err.code, "The message body is not a valid XML. %s", err.text);
    return liquid_nil();
}

/* The text of the message, as far as the template asks for it. */
static bool
read_body(struct host *h, const struct liquid *t)
{
    struct exchange *ex = h->ex;
    struct str bytes = STR_NONE;
    struct err err;

    h->body = STR_NONE;
    if (!liquid_mentions(t, STR("body")) || content_is_empty(h->in->content))
        return true;
    if (!content_read_decoded(ex, h->in->content, h->in->headers, true, &bytes, &err)) {
        exchange_fail_io(ex, &err);
        return false;
    }
    struct str type = http_headers_get(h->in->headers, HTTP_CONTENT_TYPE);
    if (!bytes.len || context_body_text(&h->call, bytes, type, media_type_is(type, STR("xml")), &h->body))
        return true;
    exchange_make_error_room(ex);
    exchange_fail_expression(ex, str_dup(ex->arena, expr_run_error(ex->expr_run, NULL)));
    return false;
}

static bool
on_slice(struct liquid_run *run)
{
    struct host *h = run->host;

    return h->ex->services->loop ? fiber_slice(NULL) : true;
}

#define ITERATIONS_DEFAULT 100000
#define OUTPUT_DEFAULT ((uint64_t)16 << 20)
#define REGEX_STEPS_DEFAULT 1000000

bool
template_render(struct exchange *ex, const struct liquid *t, const struct template_input *in, struct buf *to)
{
    const struct transform_limits *max = &ex->limits->transform;
    struct liquid_limits limits = {
        .iterations = max->template_iterations ? max->template_iterations : ITERATIONS_DEFAULT,
        .output_bytes = max->template_output ? max->template_output : OUTPUT_DEFAULT,
        .regex_steps = ex->limits->expr.regex_steps ? (uint64_t)ex->limits->expr.regex_steps : REGEX_STEPS_DEFAULT};
    struct expr_run *expr = exchange_expr_run(ex);
    struct host h = {.ex = ex, .in = in};
    struct liquid_root roots[] = {{STR_INIT("body"), get_body, &h}, {STR_INIT("context"), get_context, &h}};
    struct liquid_run run = {.arena = ex->arena, .dotnet = &liquid_dotnet, .limits = &limits, .roots = roots,
                             .n_roots = COUNTOF(roots), .host = &h, .on_slice = on_slice,
                             .wall_ns = ex->services->loop ? loop_wall_ns(ex->services->loop) : clock_wall_ns(NULL)};
    struct err err;

    if (!expr) {
        exchange_fail(ex, "no memory left for a template");
        return false;
    }
    h.call = expr_host_call(expr);
    if (!read_body(&h, t))
        return false;
    if (liquid_render(t, &run, to, &err))
        return true;
    exchange_fail(ex, "set-body: %s", err.text);
    return false;
}
