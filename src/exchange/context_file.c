/* context_file.c: an exchange described by a file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context_file.h"

#include "backend/backends.h"
#include "base/codec.h"
#include "base/diag.h"
#include "clr/datetime.h"
#include "clr/guid.h"
#include "clr/jtoken.h"
#include "expr/program.h"
#include "http/headers.h"
#include "model/model.h"
#include "model/route.h"

struct loader {
    struct arena *arena;
    struct exchange *ex;
    struct err *err;
};

static struct str
text_of(const struct json *object, const char *name)
{
    return json_str(json_get(object, str_from_c(name)), STR_NONE);
}

/* ---- the keys ---- */

/* What an object may hold: "name:kind": s text, n number, b true or false, o object, a list, * whatever there is. null is always
 * fine. Objects without a row hold names of the writer's own. */
static const struct shape {
    const char *where, *keys;
} shapes[] = {
    {"", "request:o response:o variables:o api:o operation:o product:o subscription:o user:o backend:o deployment:o workspace:o "
         "lastError:o requestId:s timestamp:s tracing:b"},
    {"request", "method:s url:s originalUrl:s headers:o body:* ipAddress:s matchedParameters:o"},
    {"response", "statusCode:n statusReason:s headers:o body:*"},
    {"api", "id:s name:s path:s revision:s version:s serviceUrl:s isCurrentRevision:b protocols:a"},
    {"operation", "id:s name:s method:s urlTemplate:s"},
    {"product", "id:s name:s approvalRequired:b subscriptionRequired:b subscriptionsLimit:n state:s groups:a"},
    {"subscription", "id:s name:s key:s secondaryKey:s createdDate:s startDate:s endDate:s"},
    {"user", "id:s email:s firstName:s lastName:s note:s registrationDate:s groups:a"},
    {"backend", "id:s type:s"},
    {"deployment", "region:s serviceName:s serviceId:s gatewayId:s"},
    {"workspace", "id:s name:s"},
    {"lastError", "source:s reason:s message:s section:s path:s scope:s policyId:s httpErrorCode:n"},
};

static const struct { char letter; const char *name; } kinds[] = {
    [JSON_NULL] = {'*', "null"}, [JSON_FALSE] = {'b', "true or false"}, [JSON_TRUE] = {'b', "true or false"},
    [JSON_NUMBER] = {'n', "a number"}, [JSON_STRING] = {'s', "text"}, [JSON_ARRAY] = {'a', "a list"}, [JSON_OBJECT] = {'o', "an object"},
};

/* The next "name:kind" of a shape. */
static bool
next_shape_key(struct str *rest, struct str *ret_name, struct str *ret_kind)
{
    return str_split_next(rest, ' ', ret_kind) && str_split_next(ret_kind, ':', ret_name);
}

static bool
next_candidate(void *rest, struct str *candidate)
{
    struct str ignored;

    return next_shape_key(rest, candidate, &ignored);
}

static bool
check_member(struct loader *l, const struct shape *s, const struct json_member *m)
{
    struct str rest = str_from_c(s->keys), name, fine, near;
    const char *dot = *s->where ? "." : "", *expected = "";

    while (next_shape_key(&rest, &name, &fine)) {
        if (!str_eq(name, m->name))
            continue;
        if (m->value.kind == JSON_NULL || *fine.p == '*' || *fine.p == kinds[m->value.kind].letter ||
            (*fine.p == 's' && m->value.kind == JSON_NUMBER)) /* reads as its text */
            return true;
        for (size_t i = 0; i < COUNTOF(kinds); i++)
            if (kinds[i].letter == *fine.p)
                expected = kinds[i].name;
        return err_set(l->err, ERR_INVALID, "%s%s%.*s: expected %s, found %s", s->where, dot, STR_ARG(name), expected,
                       kinds[m->value.kind].name);
    }
    rest = str_from_c(s->keys);
    near = diag_nearest(m->name, next_candidate, &rest);
    return err_set(l->err, ERR_INVALID, "%s%sno key `%.*s` here%s%.*s%s", s->where, *s->where ? ": " : "", STR_ARG(m->name),
                   near.p ? "; did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}

/* A key that nobody reads would leave what it was meant for null, and the reason for that in the dark. */
static bool
check_keys(struct loader *l, const struct json *root)
{
    for (size_t i = 0; i < COUNTOF(shapes); i++) {
        const struct json *object = *shapes[i].where ? json_get(root, str_from_c(shapes[i].where)) : root;

        for (size_t k = 0; json_is(object, JSON_OBJECT) && k < json_count(object); k++)
            if (!check_member(l, &shapes[i], &object->members[k]))
                return false;
    }
    return true;
}

/* ---- the parts ---- */

/* Unix seconds of an ISO date; 0 when there is none. */
static int64_t
time_of(const struct json *object, const char *name)
{
    struct str s = text_of(object, name);
    struct moment m;

    if (!s.len || !datetime_parse(s, TICKS_UNIX_EPOCH, &m))
        return 0;
    return (m.ticks - m.offset - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND;
}

static bool
wrong(struct loader *l, const char *where, const char *expected)
{
    return err_set(l->err, ERR_INVALID, "%s: expected %s", where, expected);
}

static bool
load_headers(struct loader *l, const struct json *from, struct http_headers **ret)
{
    struct http_headers *h = arena_new(l->arena, struct http_headers);

    if (!h)
        return err_set(l->err, ERR_LIMIT, "the context is too large");
    *h = http_headers_in(l->arena);
    for (size_t i = 0; json_is(from, JSON_OBJECT) && i < json_count(from); i++) {
        const struct json_member *m = &from->members[i];
        for (size_t k = 0; k < json_count(&m->value) && m->value.kind == JSON_ARRAY; k++)
            http_headers_add(h, m->name, json_str(json_item(&m->value, k), STR("")));
        if (m->value.kind != JSON_ARRAY)
            http_headers_add(h, m->name, json_str(&m->value, STR("")));
    }
    *ret = h;
    return true;
}

static bool
load_body(struct loader *l, const struct json *from, struct content *to)
{
    struct buf b = buf_in(l->arena);
    struct json_writer w = JSON_WRITER(&b);

    if (!from || from->kind == JSON_NULL)
        return true;
    if (from->kind == JSON_STRING) {
        content_set(to, json_text(from));
        return true;
    }
    json_write(&w, from);
    content_set(to, buf_str(&b));
    return !b.failed;
}

static bool
load_parameters(struct loader *l, const struct json *from)
{
    size_t n = json_is(from, JSON_OBJECT) ? json_count(from) : 0;
    struct route_parameter *v = arena_new_array(l->arena, struct route_parameter, n + 1);

    for (size_t i = 0; v && i < n; i++) {
        struct buf escaped = buf_in(l->arena); /* they are kept as received */
        codec_percent_encode(&escaped, json_str(&from->members[i].value, STR("")), "-._~");
        v[i] = (struct route_parameter){from->members[i].name, buf_str(&escaped)};
    }
    l->ex->parameters = v;
    l->ex->n_parameters = (uint32_t)n;
    return v != NULL;
}

static bool
load_request(struct loader *l, const struct json *from)
{
    struct exchange *ex = l->ex;
    struct target *target = arena_new(l->arena, struct target);
    struct url url;
    struct str address = text_of(from, "url"), original = text_of(from, "originalUrl");

    address = address.p ? address : STR("http://localhost/");
    if (!target || !url_parse(l->arena, address, &url, l->err) ||
        !url_parse(l->arena, original.p ? original : address, &ex->original_url, l->err))
        return err_prefix(l->err, "request");
    target->base = url;
    target->base.path = STR("/");
    ex->target = target;
    ex->request.path = url.path;
    ex->request.query = url.query;
    ex->request.method = text_of(from, "method").p ? text_of(from, "method") : STR("GET");
    ex->client_ip = text_of(from, "ipAddress").p ? text_of(from, "ipAddress") : STR("127.0.0.1");
    return load_headers(l, json_get_lit(from, "headers"), &ex->request.headers) &&
           load_body(l, json_get_lit(from, "body"), ex->request.content) &&
           load_parameters(l, json_get_lit(from, "matchedParameters"));
}

static bool
load_response(struct loader *l, const struct json *from)
{
    struct reply *r;

    if (!json_is(from, JSON_OBJECT))
        return true;
    if (!(r = reply_new(l->ex)))
        return err_set(l->err, ERR_LIMIT, "the context is too large");
    r->status = (uint16_t)json_i64(json_get_lit(from, "statusCode"), 200);
    r->reason = text_of(from, "statusReason");
    l->ex->response = r;
    return load_headers(l, json_get_lit(from, "headers"), &r->headers) && load_body(l, json_get_lit(from, "body"), &r->content);
}

/* A JSON value as the .NET object it would be in a variable. */
static struct object *
object_of(struct call *c, const struct json *j)
{
    const struct core_types *core = core_types(c->run->env);
    struct object *o = NULL;
    struct buf b = call_buf(c);
    struct json_writer w = JSON_WRITER(&b);
    int64_t n;

    switch (j->kind) {
    case JSON_STRING: return (struct object *)string_new(c, json_text(j));
    case JSON_TRUE:
    case JSON_FALSE: value_box(c, core->bool_, value_bool(j->kind == JSON_TRUE), &o); return o;
    case JSON_NUMBER:
        n = json_i64(j, INT64_MIN);
        if (!(j->flags & JSON_IS_INTEGER) || n == INT64_MIN)
            value_box(c, core->double_, value_f64(json_double(j, 0)), &o);
        else
            value_box(c, n >= INT32_MIN && n <= INT32_MAX ? core->int_ : core->long_, value_i64(n), &o);
        return o;
    case JSON_OBJECT:
    case JSON_ARRAY: json_write(&w, j); return (struct object *)jtoken_parse(c, buf_str(&b), JSON_NULL, NULL);
    default: return NULL;
    }
}

static bool
load_variables(struct loader *l, const struct json *from)
{
    struct call c;

    if (!from)
        return true;
    if (!json_is(from, JSON_OBJECT))
        return wrong(l, "variables", "an object");
    if (!exchange_expr_run(l->ex))
        return err_set(l->err, ERR_LIMIT, "the context is too large");
    c = expr_host_call(l->ex->expr_run);
    for (size_t i = 0; i < json_count(from); i++)
        if (!exchange_set_variable(l->ex, from->members[i].name, object_of(&c, &from->members[i].value)))
            return err_set(l->err, ERR_LIMIT, "the context is too large");
    return true;
}

static struct str
or_empty(struct str s)
{
    return s.p ? s : STR("");
}

static const struct workspace *
load_workspace(struct loader *l, const struct json *from)
{
    struct workspace *w = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct workspace) : NULL;

    if (w) {
        w->name = or_empty(text_of(from, "id"));
        w->display_name = or_empty(text_of(from, "name"));
    }
    return w;
}

static void
load_api(struct loader *l, const struct json *from, const struct json *workspace)
{
    struct api *api = json_is(from, JSON_OBJECT) || workspace ? arena_new(l->arena, struct api) : NULL;
    static const char *const schemes[] = {"http", "https", "ws", "wss"};
    const struct json *protocols = json_get_lit(from, "protocols");

    if (!api)
        return;
    api->name = api->root_name = or_empty(text_of(from, "id"));
    api->display_name = or_empty(text_of(from, "name"));
    api->path = api->prefix = or_empty(text_of(from, "path"));
    api->revision = text_of(from, "revision").p ? text_of(from, "revision") : STR("1");
    api->version = or_empty(text_of(from, "version"));
    api->service_url = or_empty(text_of(from, "serviceUrl"));
    api->is_current = json_bool(json_get_lit(from, "isCurrentRevision"), true);
    api->key_header = STR("Ocp-Apim-Subscription-Key");
    api->key_query = STR("subscription-key");
    api->protocols = protocols ? 0 : PROTOCOL_HTTPS;
    for (size_t i = 0; i < json_count(protocols); i++)
        for (unsigned k = 0; k < COUNTOF(schemes); k++)
            if (str_eq(json_str(json_item(protocols, i), STR("")), str_from_c(schemes[k])))
                api->protocols |= (uint8_t)(1u << k);
    api->workspace = load_workspace(l, workspace);
    l->ex->api = api;
}

static void
load_operation(struct loader *l, const struct json *from)
{
    struct operation *op = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct operation) : NULL;

    if (!op)
        return;
    op->name = or_empty(text_of(from, "id"));
    op->display_name = or_empty(text_of(from, "name"));
    op->method = or_empty(text_of(from, "method"));
    op->url_template = or_empty(text_of(from, "urlTemplate"));
    op->api = l->ex->api;
    l->ex->operation = op;
}

static const struct group *const *
load_groups(struct loader *l, const struct json *from, uint32_t *ret_n)
{
    uint32_t n = (uint32_t)(json_is(from, JSON_ARRAY) ? json_count(from) : 0);
    const struct group **list = arena_new_array(l->arena, const struct group *, n + 1);
    struct group *groups = arena_new_array(l->arena, struct group, n + 1);

    *ret_n = list && groups ? n : 0;
    for (uint32_t i = 0; i < *ret_n; i++) {
        const struct json *g = json_item(from, i);
        groups[i].name = or_empty(json_is(g, JSON_STRING) ? json_text(g) : text_of(g, "id"));
        groups[i].display_name = or_empty(json_is(g, JSON_STRING) ? json_text(g) : text_of(g, "name"));
        list[i] = &groups[i];
    }
    return list;
}

static void
load_product(struct loader *l, const struct json *from)
{
    struct product *p = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct product) : NULL;

    if (!p)
        return;
    p->name = or_empty(text_of(from, "id"));
    p->display_name = or_empty(text_of(from, "name"));
    p->is_approval_required = json_bool(json_get_lit(from, "approvalRequired"), false);
    p->is_subscription_required = json_bool(json_get_lit(from, "subscriptionRequired"), true);
    p->subscriptions_limit = (uint32_t)json_i64(json_get_lit(from, "subscriptionsLimit"), 0);
    p->state = str_eq_lit(text_of(from, "state"), "NotPublished") ? PRODUCT_NOT_PUBLISHED : PRODUCT_PUBLISHED;
    p->groups = load_groups(l, json_get_lit(from, "groups"), &p->n_groups);
    l->ex->product = p;
}

static void
load_subscription(struct loader *l, const struct json *from)
{
    struct subscription *s = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct subscription) : NULL;

    if (!s)
        return;
    s->name = or_empty(text_of(from, "id"));
    s->display_name = or_empty(text_of(from, "name"));
    s->primary_key = or_empty(text_of(from, "key"));
    s->secondary_key = or_empty(text_of(from, "secondaryKey"));
    s->created_s = time_of(from, "createdDate");
    s->start_s = time_of(from, "startDate");
    s->end_s = time_of(from, "endDate");
    l->ex->subscription = s;
}

static void
load_user(struct loader *l, const struct json *from)
{
    struct user *u = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct user) : NULL;

    if (!u)
        return;
    u->name = or_empty(text_of(from, "id"));
    u->email = or_empty(text_of(from, "email"));
    u->first_name = or_empty(text_of(from, "firstName"));
    u->last_name = or_empty(text_of(from, "lastName"));
    u->note = or_empty(text_of(from, "note"));
    u->registered_s = time_of(from, "registrationDate");
    u->groups = load_groups(l, json_get_lit(from, "groups"), &u->n_groups);
    l->ex->user = u;
}

static void
load_backend(struct loader *l, const struct json *from)
{
    struct backend *b = json_is(from, JSON_OBJECT) ? arena_new(l->arena, struct backend) : NULL;
    struct backend_conf *conf = b ? arena_new(l->arena, struct backend_conf) : NULL;

    if (!conf)
        return;
    conf->name = or_empty(text_of(from, "id"));
    conf->is_pool = str_eq_lit(text_of(from, "type"), "Pool");
    b->conf = conf;
    l->ex->backend = b;
}

static void
load_deployment(struct loader *l, const struct json *from)
{
    struct model *m = arena_new(l->arena, struct model);

    if (!m)
        return;
    m->settings.deployment.region = or_empty(text_of(from, "region"));
    m->settings.deployment.service_name = or_empty(text_of(from, "serviceName"));
    m->settings.deployment.service_id = or_empty(text_of(from, "serviceId"));
    m->settings.deployment.gateway_id = or_empty(text_of(from, "gatewayId"));
    l->ex->model = m;
}

static void
load_error(struct loader *l, const struct json *from)
{
    struct last_error *e = &l->ex->error;

    if (!json_is(from, JSON_OBJECT))
        return;
    e->id = E_INTERNAL;
    e->source = text_of(from, "source");
    e->reason = text_of(from, "reason");
    e->message = text_of(from, "message");
    e->section = text_of(from, "section");
    e->path = text_of(from, "path");
    e->scope = text_of(from, "scope");
    e->policy_id = text_of(from, "policyId");
    e->status = (uint16_t)json_i64(json_get_lit(from, "httpErrorCode"), 500);
}

static bool
load(struct loader *l, const struct json *root)
{
    struct str id = text_of(root, "requestId"), timestamp = text_of(root, "timestamp");

    if (!json_is(root, JSON_OBJECT))
        return err_set(l->err, ERR_INVALID, "expected an object that describes the context");
    if (!check_keys(l, root))
        return false;
    if (id.p && !guid_parse(id, l->ex->id))
        return wrong(l, "requestId", "a GUID");
    if (timestamp.p && !time_of(root, "timestamp"))
        return wrong(l, "timestamp", "a date such as 2024-01-02T03:04:05Z");
    l->ex->timestamp_ns = (uint64_t)time_of(root, "timestamp") * 1000000000u;
    l->ex->is_tracing = json_bool(json_get_lit(root, "tracing"), false);
    load_api(l, json_get_lit(root, "api"), json_get_lit(root, "workspace"));
    load_operation(l, json_get_lit(root, "operation"));
    load_product(l, json_get_lit(root, "product"));
    load_subscription(l, json_get_lit(root, "subscription"));
    load_user(l, json_get_lit(root, "user"));
    load_backend(l, json_get_lit(root, "backend"));
    load_deployment(l, json_get_lit(root, "deployment"));
    load_error(l, json_get_lit(root, "lastError"));
    return load_request(l, json_get_lit(root, "request")) && load_response(l, json_get_lit(root, "response")) &&
           load_variables(l, json_get_lit(root, "variables"));
}

struct exchange *
context_file_exchange(struct arena *a, struct expr_env *env, struct str text, struct err *err)
{
    struct exchange_limits *limits = arena_new(a, struct exchange_limits);
    struct json_problem problem = {.err = ERR_INIT};
    struct services *services = arena_new(a, struct services);
    struct loader l = {.arena = a, .ex = arena_new(a, struct exchange), .err = err};
    const struct json *root = json_parse(a, text, JSON_STRICT, &problem);

    if (!services || !limits || !l.ex)
        return err_set(err, ERR_LIMIT, "the context is too large"), NULL;
    if (!root)
        return err_set(err, ERR_SYNTAX, "%s", problem.err.text), NULL;
    *limits = (struct exchange_limits){.buffered_body_max = a->bytes_max, .arena_max = a->bytes_max,
                                       .expr = expr_limits_default};
    services->env = env;
    exchange_init(l.ex, a, services, limits, NULL);
    return load(&l, root) ? l.ex : NULL;
}
