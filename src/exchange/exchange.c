/* exchange.c: what a request owns: errors and the answers made of them, variables, traces, headers for the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/exchange.h"

#include <stdio.h>

#include "backend/backends.h"
#include "backend/target.h"
#include "base/buf.h"
#include "base/codec.h"
#include "cache/tiers.h"
#include "exchange/fetch.h"
#include "expr/program.h"
#include "http/client.h"
#include "http/headers.h"
#include "http/message.h"
#include "http/server.h"
#include "observe/metrics.h"
#include "net/tls.h"
#include "rt/fiber.h"
#include "rt/offload.h"

#define ERROR_ROOM ((size_t)256 << 10)    /* above the limit, for on-error and the answer of an exchange that ran into it */

struct str
level_name(enum level l)
{
    static const struct str names[LEVEL_COUNT] = {
        STR_INIT("global"), STR_INIT("workspace"), STR_INIT("product"), STR_INIT("api"), STR_INIT("operation"),
    };

    return names[l];
}

struct str
section_name(enum section s)
{
    static const struct str names[SECTION_COUNT] = {
        STR_INIT("inbound"), STR_INIT("backend"), STR_INIT("outbound"), STR_INIT("on-error"),
    };

    return names[s];
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

void
exchange_init(struct exchange *ex, struct arena *arena, const struct services *services,
              const struct exchange_limits *limits, struct http_call *call)
{
    *ex = (struct exchange){.arena = arena, .services = services, .limits = limits, .call = call};
    ex->traces_end = &ex->traces;
    ex->variables = &ex->own_variables;
    ex->request.content = &ex->own_content;
    ex->times.start_ns = services->loop ? loop_now_ns(services->loop) : 0;
    ex->timestamp_ns = services->loop ? loop_wall_ns(services->loop) : 0;
    ex->born = services->tiers ? tiers_generation(services->tiers) : 0;
    if (!call)
        return;
    ex->times.start_ns = call->started_ns;
    ex->request.method = call->request.method_text;
    ex->request.headers = &call->request.headers;
    ex->request.query = call->request.query;
    ex->accept_encoding = http_headers_get(&call->request.headers, HTTP_ACCEPT_ENCODING);
    if (call->body)
        ex->own_content = (struct content){.state = CONTENT_STREAM, .stream = call->body};
}

void
exchange_close(struct exchange *ex)
{
    if (ex->response)
        content_close(&ex->response->content);
    if (!ex->call)
        content_close(ex->request.content);
    exchange_close_answers(ex);
}

void
exchange_share_pin(struct exchange *ex, const struct exchange *from)
{
    ex->model = from->model;
    ex->backends = from->backends;
    ex->outlets = from->outlets;
    ex->schemas = from->schemas;
    ex->targets = from->targets;
    ex->born_max = from->born_max;
    ex->pin = from->pin;
    ex->pin_take = from->pin_take;
    ex->pin_release = from->pin_release;
    if (ex->pin)
        ex->pin_take(ex->pin);
}

void
exchange_unpin(struct exchange *ex)
{
    if (ex->pin)
        ex->pin_release(ex->pin);
    ex->pin = NULL;
}

static uint64_t
run_wall_ns(struct expr_run *run)
{
    const struct exchange *ex = run->host;

    return loop_wall_ns(ex->services->loop);
}

struct trust_question {
    const struct tls_client *trust;
    struct tls_client_check check;
    struct buf path;
    bool ok;
};

static void
answer_trust(void *arg)
{
    struct trust_question *q = arg;

    q->ok = tls_client_check(q->trust, &q->check, &q->path, NULL);
}

/* Verify() of a certificate: what validate-client-certificate trusts, at the gateway's time. What the client sent along may lead to
 * the CA. Yields. */
static bool
run_trusts(struct expr_run *run, struct str der, bool *ret)
{
    const struct exchange *ex = run->host;
    struct tls_info info = {0};
    struct trust_question q = {.trust = ex->backends ? ex->backends->env.tls : NULL,
                               .check = {.certificate = der, .now_s = (int64_t)(run->wall_ns(run) / 1000000000u)}};
    bool is_told;

    if (ex->call && ex->call->stream)
        info = stream_tls_info(ex->call->stream);
    q.check.chain = info.client_chain_der;
    q.check.also_pem = info.client_ca_pem;
    is_told = q.trust && offload_call(ex->services->offload, answer_trust, &q, NULL);
    buf_destroy(&q.path);
    *ret = q.ok;
    return is_told;
}

/* A long expression keeps other requests of its worker waiting for one slice only, and ends when nobody wants it. */
static bool
let_others_run(struct expr_run *run)
{
    return !fiber_self() || fiber_yield(NULL);
}

struct expr_run *
exchange_expr_run(struct exchange *ex)
{
    if (ex->expr_run)
        return ex->expr_run;
    struct expr_run *run = arena_new(ex->arena, struct expr_run);
    if (!run)
        return NULL;
    expr_run_init(run, ex->services->env, ex->arena, &ex->limits->expr);
    run->host = ex;
    run->rand = ex->services->rand;
    if (ex->services->loop) {
        run->wall_ns = run_wall_ns;
        run->trusts = run_trusts;
    }
    run->on_slice = let_others_run;
    return ex->expr_run = run;
}

/* --- errors -------------------------------------------------------------------------------------------------------- */

static const struct error_def error_defs[E_COUNT] = {
#define ERROR(id_, source_, reason_, status_, message_, client_) \
    [E_##id_] = {#id_, STR_INIT(source_), STR_INIT(reason_), status_, STR_INIT(message_), STR_INIT(client_)},
#include "exchange/errors.def"
#undef ERROR
};

_Static_assert(E_COUNT <= METRIC_ERRORS, "each error has its figure");

const struct error_def *
error_def(enum error_id id)
{
    return &error_defs[id];
}

void
error_label(enum error_id id, struct buf *to)
{
    for (const char *p = error_defs[id].name; *p; p++)
        buf_add_char(to, *p == '_' ? '-' : ascii_lower(*p));
}

/* The text with {0}, {1} replaced; the text itself when it has none. */
static struct str
fill_in(struct arena *a, struct str text, const struct str *args, uint32_t n)
{
    struct buf b = buf_in(a);

    if (str_find_char(text, '{', 0) < 0)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        bool is_slot = text.p[i] == '{' && i + 2 < text.len && ascii_is_digit(text.p[i + 1]) && text.p[i + 2] == '}';

        if (!is_slot) {
            buf_add_char(&b, text.p[i]);
            continue;
        }
        uint32_t slot = (uint32_t)(text.p[i + 1] - '0');
        if (slot < n)
            buf_add_str(&b, args[slot]);
        i += 2;
    }
    return buf_str(&b);
}

enum flow
exchange_refuse_args(struct exchange *ex, enum error_id id, const struct str *args, uint32_t n_args)
{
    const struct error_def *def = &error_defs[id];
    struct last_error *e = &ex->error;
    const struct origin *at = ex->at;

    *e = (struct last_error){.id = id, .status = def->status};
    if (ex->services->figures)
        metric_count_error(ex->services->figures, id);
    e->source = def->source.len || !at ? def->source : at->policy;
    e->reason = fill_in(ex->arena, def->reason, args, n_args);
    e->message = fill_in(ex->arena, def->message, args, n_args);
    e->client_message = def->client.len ? fill_in(ex->arena, def->client, args, n_args) : e->message;
    e->section = section_name(ex->section);
    e->at_ns = ex->services->loop ? loop_now_ns(ex->services->loop) : 0;
    if (at) {
        e->scope = level_name(at->level);
        e->path = at->path;
        e->policy_id = at->id;
    }
    return FLOW_ERROR;
}

void
exchange_refusal_override(struct exchange *ex, uint16_t status, struct str client_message)
{
    if (status)
        ex->error.status = status;
    if (client_message.p)
        ex->error.client_message = client_message;
}

static bool
push_header(struct exchange *ex, struct header_addition **list, struct str name, struct str value, bool is_replacing)
{
    struct header_addition *h = arena_new(ex->arena, struct header_addition);

    if (!h)
        return false;
    *h = (struct header_addition){.next = *list, .name = name, .value = value, .is_replacing = is_replacing};
    *list = h;
    return true;
}

void
exchange_refusal_header(struct exchange *ex, struct str name, struct str value)
{
    push_header(ex, &ex->error.headers, name, value, true);
}

static bool
acts_on_request(const struct exchange *ex)
{
    return ex->section == SECTION_INBOUND || ex->section == SECTION_BACKEND;
}

bool
exchange_offload(struct exchange *ex, void (*fn)(void *arg), void *arg)
{
    struct err err;

    if (offload_call(ex->services->offload, fn, arg, &err))
        return true;
    exchange_fail(ex, "%s", err.text);
    return false;
}

enum flow
exchange_fail_io(struct exchange *ex, const struct err *err)
{
    struct str text = str_dup(ex->arena, str_from_c(err->text));

    switch (err->code) {
    case ERR_TIMEOUT:
        return exchange_refuse(ex, E_TIMEOUT, text);
    case ERR_CANCELLED:
        return exchange_refuse(ex, E_CLIENT_CONNECTION_FAILURE, STR("The operation was canceled."));
    case ERR_LIMIT:
        return exchange_refuse(ex, acts_on_request(ex) ? E_BODY_TOO_LARGE : E_INTERNAL, text);
    case ERR_NO_MEMORY:
        return exchange_refuse(ex, E_INTERNAL, text);
    case ERR_BUSY:
        exchange_refuse(ex, E_BUSY, text);
        exchange_refusal_header(ex, STR("Retry-After"), STR("1"));
        return FLOW_ERROR;
    case ERR_CLOSED:
        return exchange_refuse(ex, E_BACKEND_CONNECTION_FAILURE,
                               STR("Underlying transport connection was unexpectedly closed."));
    default:
        return exchange_refuse(ex, E_BACKEND_CONNECTION_FAILURE, text);
    }
}

void
exchange_make_error_room(struct exchange *ex)
{
    if (!ex->has_error_room)
        ex->arena->bytes_max += ERROR_ROOM;
    ex->has_error_room = true;
}

enum flow
exchange_fail_expression(struct exchange *ex, struct str message)
{
    if (ex->services->figures)
        metric_add(ex->services->figures, METRIC_EXPRESSION_ERRORS, 1);
    return exchange_refuse(ex, E_EXPRESSION, message);
}

enum flow
exchange_fail(struct exchange *ex, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return exchange_refuse(ex, E_INTERNAL, str_dup(ex->arena, str_from_c(text)));
}

struct str
exchange_id_text(struct arena *a, const uint8_t id[16])
{
    char *text = arena_alloc(a, 37, 1, 1), hex[32];

    if (!text)
        return STR("");
    for (int i = 0; i < 4; i++)
        codec_hex_bytes4(hex + i * 8, id + i * 4);
    memcpy(text, hex, 8);
    text[8] = text[13] = text[18] = text[23] = '-';
    memcpy(text + 9, hex + 8, 4);
    memcpy(text + 14, hex + 12, 4);
    memcpy(text + 19, hex + 16, 4);
    memcpy(text + 24, hex + 20, 12);
    text[36] = 0;
    return str_from(text, 36);
}

/* { "statusCode": 500, "message": "Internal server error", "activityId": "..." }: blanks as Azure puts them. */
static struct str
error_body(struct exchange *ex)
{
    const struct last_error *e = &ex->error;
    struct buf b = buf_in(ex->arena);

    buf_printf(&b, "{ \"statusCode\": %u, \"message\": \"", e->status);
    buf_add_str(&b, e->client_message);     /* unescaped: authors escape, as the reference tells them */
    buf_add_char(&b, '"');
    if (e->status == 500)
        buf_printf(&b, ", \"activityId\": \"%.*s\"", STR_ARG(exchange_id_text(ex->arena, ex->id)));
    buf_add_lit(&b, " }");
    return buf_str(&b);
}

void
exchange_error_response(struct exchange *ex)
{
    struct reply *r;
    const struct last_error *e = &ex->error;

    exchange_make_error_room(ex);
    r = reply_new(ex);
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = r;
    if (!r)
        return;                       /* the gateway answers without us */
    r->status = e->status;
    if (e->status == 401 && str_eq_lit(e->source, "authorization"))
        r->reason = STR("Access Denied");
    http_headers_add_id(r->headers, HTTP_CONTENT_TYPE, STR("Content-Type"), STR("application/json"));
    for (const struct header_addition *h = e->headers; h; h = h->next)
        http_headers_set(r->headers, h->name, h->value);
    content_set(&r->content, error_body(ex));
}

/* --- what waits for the end ---------------------------------------------------------------------------------------- */

bool
exchange_add_answer_header(struct exchange *ex, struct str name, struct str value, bool is_replacing)
{
    return push_header(ex, &ex->additions, name, value, is_replacing);
}

static void
apply_addition(struct http_headers *headers, const struct header_addition *h)
{
    if (!h)
        return;
    apply_addition(headers, h->next);       /* in the order they were asked for; as many as policies ran */
    if (h->is_replacing)
        http_headers_set(headers, h->name, h->value);
    else
        http_headers_add(headers, h->name, h->value);
}

void
exchange_apply_answer_headers(struct exchange *ex)
{
    if (ex->response)
        apply_addition(ex->response->headers, ex->additions);
    ex->additions = NULL;
}

struct deferred_work {
    struct deferred_work *next;
    void (*fn)(struct exchange *ex, void *arg);
    void *arg;
    const struct origin *at;
};

bool
exchange_defer(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg)
{
    struct deferred_work *w = arena_new(ex->arena, struct deferred_work);

    if (!w)
        return false;
    *w = (struct deferred_work){.next = ex->deferred, .fn = fn, .arg = arg, .at = ex->at};
    ex->deferred = w;
    return true;
}

void
exchange_run_deferred(struct exchange *ex)
{
    while (ex->deferred) {
        struct deferred_work *w = ex->deferred;

        ex->deferred = w->next;
        ex->at = w->at;
        w->fn(ex, w->arg);
    }
}

struct after_answer {
    struct after_answer *next;
    void (*fn)(struct exchange *ex, void *arg, uint64_t body_bytes);
    void *arg;
};

bool
exchange_after_answer(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg, uint64_t body_bytes), void *arg)
{
    struct after_answer *w = arena_new(ex->arena, struct after_answer);

    if (!w)
        return false;
    *w = (struct after_answer){.next = ex->after_answer, .fn = fn, .arg = arg};
    ex->after_answer = w;
    return true;
}

void
exchange_run_after_answer(struct exchange *ex, uint64_t body_bytes)
{
    for (; ex->after_answer; ex->after_answer = ex->after_answer->next)
        ex->after_answer->fn(ex, ex->after_answer->arg, body_bytes);
}

void
exchange_take_waiting(struct exchange *to, struct exchange *from)
{
    struct deferred_work **work = &from->deferred;
    struct header_addition **header = &from->additions;

    while (*work)
        work = &(*work)->next;
    *work = to->deferred;
    to->deferred = from->deferred;
    while (*header)
        header = &(*header)->next;
    *header = to->additions;
    to->additions = from->additions;
}

/* --- variables ----------------------------------------------------------------------------------------------------- */

static struct variable *
find_variable(const struct variables *vars, struct str name)
{
    for (uint32_t i = 0; i < vars->n; i++)
        if (str_eq(vars->v[i].name, name))
            return &vars->v[i];
    return NULL;
}

const struct variable *
exchange_variable(const struct exchange *ex, struct str name)
{
    return find_variable(ex->variables, name);
}

const struct variable *
exchange_read_variable(struct exchange *ex, struct str name)
{
    const struct variable *v = find_variable(ex->variables, name);

    if (v)
        ex->step_sources |= v->sources;
    return v;
}

bool
exchange_set_variable(struct exchange *ex, struct str name, struct object *value)
{
    struct variables *vars = ex->variables;
    struct variable *found = find_variable(vars, name);

    if (found) {
        found->value = value;
        found->sources = ex->step_sources;
        return true;
    }
    if (vars->n == vars->cap) {
        uint32_t cap = vars->cap ? vars->cap * 2 : 16;
        void *v = arena_grow(ex->arena, vars->v, vars->cap * sizeof(*vars->v), cap * sizeof(*vars->v), _Alignof(struct variable));

        if (!v)
            return false;
        vars->v = v;
        vars->cap = cap;
    }
    vars->v[vars->n++] = (struct variable){name, value, ex->step_sources};
    return true;
}

void
exchange_unset_variable(struct exchange *ex, struct str name)
{
    struct variables *vars = ex->variables;
    struct variable *found = find_variable(vars, name);

    if (!found)
        return;
    memmove(found, found + 1, (size_t)(vars->v + vars->n - found - 1) * sizeof(*found));
    vars->n--;
}

/* --- answers of backends ------------------------------------------------------------------------------------------- */

bool
exchange_hold_answer(struct exchange *ex, struct http_answer *answer, struct fetch *fetch)
{
    struct exchange_answer *held = arena_new(ex->arena, struct exchange_answer);

    if (!held)
        return false;
    *held = (struct exchange_answer){.next = ex->answers, .answer = answer, .fetch = fetch};
    ex->answers = held;
    return true;
}

void
exchange_give_answer(struct exchange *ex, struct http_answer *answer)
{
    for (struct exchange_answer **link = &ex->answers; *link; link = &(*link)->next) {
        if ((*link)->answer == answer) {
            *link = (*link)->next;
            return;
        }
    }
}

void
exchange_close_answers(struct exchange *ex)
{
    while (ex->answers) {
        struct exchange_answer *held = ex->answers;

        ex->answers = held->next;
        fetch_close(held->fetch, held->answer);
    }
}

/* --- messages ------------------------------------------------------------------------------------------------------ */

struct str
exchange_join_paths(struct arena *a, struct str base, struct str below)
{
    struct buf b = buf_in(a);

    if (base.len && base.p[base.len - 1] == '/')
        base.len--;
    if (base.len == 0)
        return below.len ? below : STR("/");
    if (below.len == 0)
        return base;
    buf_add_str(&b, base);
    if (below.p[0] != '/')
        buf_add_char(&b, '/');
    buf_add_str(&b, below);
    return buf_str(&b);
}

void
exchange_request_url(struct exchange *ex, struct url *ret)
{
    const struct url *base = ex->target ? &ex->target->base : NULL;

    *ret = base ? *base : ex->original_url;
    ret->path = exchange_join_paths(ex->arena, base ? base->path : STR(""), ex->request.path);
    ret->query = ex->request.query;
}

struct reply *
exchange_response(struct exchange *ex)
{
    if (!ex->response)
        ex->response = reply_new(ex);
    return ex->response;
}

struct http_headers *
exchange_message_headers(struct exchange *ex)
{
    if (acts_on_request(ex))
        return ex->request.headers;
    struct reply *r = exchange_response(ex);
    return r ? r->headers : NULL;
}

struct content *
exchange_message_content(struct exchange *ex)
{
    if (acts_on_request(ex))
        return ex->request.content;
    struct reply *r = exchange_response(ex);
    return r ? &r->content : NULL;
}

bool
exchange_has_body_to_change(struct exchange *ex)
{
    struct content *content = exchange_message_content(ex);

    if (content && !content_is_empty(content))
        return true;
    if (!acts_on_request(ex) && ex->response)
        ex->response->announced_length = HTTP_LENGTH_UNKNOWN;
    return false;
}

/* --- trace --------------------------------------------------------------------------------------------------------- */

#define TRACE_LINES_MAX 512

struct trace_line *
exchange_trace(struct exchange *ex, enum trace_severity severity, struct str source, struct str message)
{
    struct trace_line *t;

    if (!exchange_wants_trace(ex, severity) || ex->n_traces >= TRACE_LINES_MAX || !(t = arena_new(ex->arena, struct trace_line)))
        return NULL;
    *t = (struct trace_line){.severity = severity, .source = source, .message = message};
    t->at_ns = ex->services->loop ? loop_now_ns(ex->services->loop) : 0;
    *ex->traces_end = t;
    ex->traces_end = &t->next;
    ex->n_traces++;
    return t;
}
