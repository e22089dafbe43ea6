/* run.c: steps one after the other, and the report.
 *
 *     run -> setup (origins, folder, gateway)
 *         -> replies[] of the last request: an expectation about an answer holds for each of them
 *         -> connections by name, kept open between requests
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "exchange/exchange.h"
#include "hgt/expect.h"
#include "hgt/h2_client.h"
#include "hgt/setup.h"

#define SCRIPT_BYTES_MAX ((size_t)16 << 20)
#define ARENA_BYTES_MAX ((size_t)4 << 30)
#define WAIT_MS 20000
#define EACH_DEPTH_MAX 4
#define MORE_WAIT_MS 50               /* for what nobody expects: a further answer, an end */
#define LATER "later"                 /* the connection of what was sent `later` without a name */

struct connection {
    struct str name;
    struct wire wire;
    const struct step *later;         /* whose answer has not been read; NULL: nothing is under way */
    struct connection *next;
};

struct run {
    struct arena *arena;
    const struct hgt_options *options;
    struct hgt_result *result;
    struct buf *report, *junit;
    struct setup setup;
    struct client_reply *replies;
    size_t n_replies;
    struct connection *connections;
    size_t log_at;                    /* size of the gateway log when the last request was sent */
    struct str test;
    bool is_skipping;                 /* the test at hand was not asked for */
    bool has_begun;                   /* a step has run since the script was set up */
    bool test_failed;
    struct buf test_failures;
    struct buf figures_before;        /* of /metrics when the test began */
    struct str each[EACH_DEPTH_MAX];  /* variables of the loops we are in */
    size_t n_each;
};

/* The temporary folder means nothing to a reader. */
static struct str
without_folder(struct run *r, struct str file)
{
    struct str folder = str_printf(r->arena, "%s/artifacts/", r->setup.folder);

    return str_starts_with(file, folder) ? str_skip(file, folder.len) : file;
}

/* ---- sending ---- */

/* Whether one of the lines "NAME: VALUE\r\n" has this name. */
static bool
has_header(struct str headers, struct str name)
{
    struct str line, found;

    while (str_split_next(&headers, '\n', &line))
        if (str_split_next(&line, ':', &found) && str_eq_nocase(str_trim(found), name))
            return true;
    return false;
}

static struct str
render_request(struct run *r, const struct step *step)
{
    struct buf out = buf_in(r->arena);
    struct str headers = setup_expand(&r->setup, step->headers), body = setup_expand(&r->setup, step->body);

    buf_printf(&out, "%.*s %.*s HTTP/1.%d\r\n", STR_ARG(setup_expand(&r->setup, step->method)), STR_ARG(setup_expand(&r->setup, step->value)),
               step->is_http10 ? 0 : 1);
    if (!has_header(headers, STR("Host")))
        buf_add_lit(&out, "Host: gateway.test\r\n");
    buf_add_str(&out, headers);
    if (step->to_admin && !has_header(headers, STR("Authorization")))
        buf_add_lit(&out, "Authorization: Bearer " SETUP_ADMIN_TOKEN "\r\n");
    if (step->has_body && !has_header(headers, STR("Content-Length")) && !has_header(headers, STR("Transfer-Encoding")))
        buf_printf(&out, "Content-Length: %zu\r\n", body.len);
    if (!step->connection.p && !has_header(headers, STR("Connection")))
        buf_add_lit(&out, "Connection: close\r\n");
    buf_add_lit(&out, "\r\n");
    buf_add_str(&out, body);
    return buf_str(&out);
}

/* Reads one final answer and the 1xx ones before it. */
static bool
read_answer(struct wire *w, struct arena *a, bool is_head, struct client_reply *ret)
{
    struct wire_message m;

    while (wire_read_message(w, a, true, is_head, &m)) {
        if (m.start_line.len > 9 && m.start_line.p[9] == '1' && !str_eq_lit(str_sub(m.start_line, 9, 12), "101")) {
            ret->n_interim++;
            continue;
        }
        if (!ret->has_answer)
            ret->message = m;
        ret->has_answer = true;
        ret->n_answers++;
        return true;
    }
    if (!ret->has_answer)
        ret->trouble = wire_end(w, a);
    return false;
}

static bool
exchange_once(struct run *r, struct arena *a, struct wire *w, struct str request, bool is_head, struct client_reply *ret)
{
    wire_write(w, request); /* a gateway that answers early may close while we write: its answer counts */
    read_answer(w, a, is_head, ret);
    return ret->has_answer;
}

static uint16_t
port_for(struct run *r, const struct step *step)
{
    return step->to_admin ? gateway_admin_port(r->setup.gateway) : gateway_port(r->setup.gateway, step->is_tls ? 1 : 0);
}

struct burst {
    struct run *run;
    const struct step *step;
    struct str request;
    SSL_CTX *tls;                     /* how a client shows itself with `tls` */
    struct client_reply *reply;
    pthread_barrier_t *start;
    struct arena arena;
    pthread_t thread;
};

static void
send_one(struct burst *b)
{
    uint16_t port = port_for(b->run, b->step);
    SSL_CTX *tls = b->step->is_tls ? b->tls : NULL;
    struct wire w;
    struct err err;

    if (b->step->is_http2) {
        h2_client_exchange(port, tls, b->request, &b->arena, b->reply);
        return;
    }
    if (!wire_connect(&w, port, tls, "gateway.test", &err)) {
        b->reply->trouble = str_dup(&b->arena, str_from_c(err.text));
        return;
    }
    exchange_once(b->run, &b->arena, &w, b->request, str_eq_lit(b->step->method, "HEAD"), b->reply);
    b->reply->is_closed = wire_wait_closed(&w, 2000);
    wire_close(&w, false);
}

static void *
burst_thread(void *arg)
{
    struct burst *b = arg;

    pthread_barrier_wait(b->start);
    send_one(b);
    return NULL;
}

static void
destroy_arena(void *arena)
{
    arena_destroy(arena);
}

static void
send_at_once(struct run *r, struct burst *bursts, size_t n)
{
    pthread_barrier_t start;
    pthread_attr_t attr;

    pthread_barrier_init(&start, NULL, (unsigned)n);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)256 << 10);
    for (size_t i = 0; i < n; i++) {
        bursts[i].start = &start;
        ASSERT(pthread_create(&bursts[i].thread, &attr, burst_thread, &bursts[i]) == 0);
    }
    for (size_t i = 0; i < n; i++)
        pthread_join(bursts[i].thread, NULL);
    pthread_attr_destroy(&attr);
    pthread_barrier_destroy(&start);
}

static struct connection *
find_connection(struct run *r, struct str name)
{
    for (struct connection *c = r->connections; c; c = c->next)
        if (str_eq(c->name, name))
            return c;
    return NULL;
}

/* NULL when the step names an identity that is not there. */
static SSL_CTX *
client_tls(struct run *r, const struct step *step)
{
    struct test_identity *id;

    if (!step->identity.p)
        return r->setup.client_tls;
    id = secrets_identity(&r->setup.secrets, setup_expand(&r->setup, step->identity));
    return id ? secrets_client(id, &r->setup.authority) : NULL;
}

/* The named connection, opened when it is not there or was closed. */
static struct connection *
take_connection(struct run *r, struct str name, uint16_t port, SSL_CTX *tls, struct err *err)
{
    struct connection *c = find_connection(r, name);

    if (!c) {
        c = arena_new(r->arena, struct connection);
        *c = (struct connection){.name = name, .wire = {.fd = -1}, .next = r->connections};
        r->connections = c;
    }
    if (c->wire.fd < 0 && !wire_connect(&c->wire, port, tls, "gateway.test", err))
        return NULL;
    return c;
}

static size_t
log_size(struct run *r)
{
    struct buf content AUTO(buf_destroy) = BUF_INIT;

    gateway_flush_logs(r->setup.gateway); /* what is older than the next request */
    return file_read(r->setup.log_path.p, SIZE_MAX, &content, NULL) ? content.len : 0;
}

/* What the expectations behind a step wait for, so that reading is as patient as they are and no more. */
struct awaited {
    uint32_t answers;
    bool is_end;
};

static struct awaited
awaited_by(const struct step *step)
{
    struct awaited a = {.answers = 1};

    for (const struct step *s = step->next; s && s->kind == STEP_EXPECT; s = s->next) {
        const struct expectation *e = &s->expect;
        if (str_eq_lit(e->subject, "closed"))
            a.is_end |= e->op == MATCH_PRESENT && !e->is_negated;
        else if (str_eq_lit(e->subject, "answers") && e->op == MATCH_EQUALS && !e->is_negated)
            (void)!num_parse_u32(e->value, UINT32_MAX, &a.answers, NULL);
    }
    return a;
}

/* Reads what comes: the first answer is the one that expectations see, further ones are counted. */
static void
read_answers(struct run *r, struct wire *w, bool is_head, struct awaited awaited, struct client_reply *reply)
{
    while (read_answer(w, r->arena, is_head, reply)) {
        bool is_all = reply->n_answers >= awaited.answers;
        if (wire_wait_closed(w, is_all && !awaited.is_end ? MORE_WAIT_MS : WIRE_WAIT_MS))
            break;
        if (w->in.len == w->taken)
            break;                    /* open, and nothing more comes */
    }
    reply->is_closed = w->is_eof || w->is_broken;
}

static void fail(struct run *r, const struct step *step, struct str why);

/* Sends and leaves the answer to an `answer` step. */
static void
send_later(struct run *r, const struct step *step, struct str bytes)
{
    struct str name = step->connection.p ? step->connection : STR(LATER);
    struct err err;
    struct connection *c = take_connection(r, name, port_for(r, step), step->is_tls ? client_tls(r, step) : NULL, &err);

    r->n_replies = 0;
    if (c) {
        c->later = step;
        wire_write(&c->wire, bytes);  /* what became of it shows at the `answer` */
    } else {
        fail(r, step, str_dup(r->arena, str_from_c(err.text)));
    }
}

static bool
run_request(struct run *r, const struct step *step)
{
    struct str request = render_request(r, step);
    SSL_CTX *tls = client_tls(r, step);
    struct burst *bursts;
    struct err err;

    if (!tls)
        return false;
    r->log_at = log_size(r);
    if (step->is_later) {
        send_later(r, step, request);
        return true;
    }
    r->n_replies = step->times;
    r->replies = arena_new_array(r->arena, struct client_reply, step->times ? step->times : 1);
    if (step->connection.p) {
        struct connection *c = take_connection(r, step->connection, port_for(r, step), step->is_tls ? tls : NULL, &err);
        if (!c)
            fail(r, step, str_dup(r->arena, str_from_c(err.text)));
        for (uint32_t i = 0; c && i < step->times; i++)
            exchange_once(r, r->arena, &c->wire, request, str_eq_lit(step->method, "HEAD"), &r->replies[i]);
        if (c && (r->replies[0].is_closed = wire_wait_closed(&c->wire, awaited_by(step).is_end ? WIRE_WAIT_MS : MORE_WAIT_MS)))
            wire_close(&c->wire, false);
        return true;
    }
    bursts = arena_new_array(r->arena, struct burst, step->times ? step->times : 1);
    for (uint32_t i = 0; i < step->times; i++) {
        bursts[i] = (struct burst){.run = r, .step = step, .request = request, .tls = tls, .reply = &r->replies[i],
                                   .arena = ARENA(NULL, ARENA_BYTES_MAX)};
        if (!arena_defer(r->arena, destroy_arena, &bursts[i].arena))
            return false;
        if (!step->at_once)
            send_one(&bursts[i]);
    }
    if (step->at_once)
        send_at_once(r, bursts, step->times);
    return true;
}

/* Sends bytes as they are and reads all answers that come; the first is the one expectations see. */
static void
run_raw(struct run *r, const struct step *step)
{
    struct connection single = {.wire = {.fd = -1}}, *c = &single;
    struct client_reply *reply = arena_new(r->arena, struct client_reply);
    struct err err;

    r->log_at = log_size(r);
    if (step->is_later) {
        send_later(r, step, setup_expand(&r->setup, step->body));
        return;
    }
    r->replies = reply;
    r->n_replies = 1;
    if (step->connection.p)
        c = take_connection(r, step->connection, port_for(r, step), NULL, &err);
    else if (!wire_connect(&single.wire, gateway_port(r->setup.gateway, 0), NULL, NULL, &err))
        c = NULL;
    if (!c) {
        reply->trouble = str_dup(r->arena, str_from_c(err.text));
        return;
    }
    wire_write(&c->wire, setup_expand(&r->setup, step->body));
    read_answers(r, &c->wire, str_starts_with(step->body, STR("HEAD ")), awaited_by(step), reply);
    if (!step->connection.p || reply->is_closed)
        wire_close(&c->wire, false);
}

static void
run_answer(struct run *r, const struct step *step)
{
    struct connection *c = find_connection(r, step->connection.p ? step->connection : STR(LATER));
    struct client_reply *reply = arena_new(r->arena, struct client_reply);
    const struct step *sent = c ? c->later : NULL;

    r->replies = reply;
    r->n_replies = 1;
    if (!sent) {
        fail(r, step, STR("nothing was sent `later` on this connection"));
        return;
    }
    c->later = NULL;
    read_answers(r, &c->wire, str_eq_lit(sent->method, "HEAD") || str_starts_with(sent->body, STR("HEAD ")), awaited_by(step),
                 reply);
    if (!step->connection.p || reply->is_closed)
        wire_close(&c->wire, false);
}

/* ---- expecting ---- */

static struct str
origin_part(struct run *r, const struct expectation *e, struct fake_origin *o)
{
    struct str part = STR_NONE;
    struct seen_request *seen;

    pthread_mutex_lock(&o->lock);
    seen = o->newest;
    if (str_eq_lit(e->part, "requests"))
        part = str_printf(r->arena, "%u", o->n_requests);
    else if (str_eq_lit(e->part, "connections"))
        part = str_printf(r->arena, "%u", o->n_connections);
    else if (seen && str_eq_lit(e->part, "method"))
        part = str_dup(r->arena, seen->method);
    else if (seen && str_eq_lit(e->part, "path"))
        part = str_dup(r->arena, seen->target);
    else if (seen && str_eq_lit(e->part, "body"))
        part = str_dup(r->arena, seen->body);
    else if (seen && str_eq_lit(e->part, "certificate"))
        part = seen->certificate.p ? str_dup(r->arena, seen->certificate) : STR_NONE;
    else if (seen && str_eq_lit(e->part, "fault"))
        part = seen->fault;
    else if (seen && str_eq_lit(e->part, "header"))
        part = wire_header_joined(seen->headers, seen->n_headers, e->part_name, r->arena);
    pthread_mutex_unlock(&o->lock);
    return part;
}

static void
sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

/* A column of the newest row written since the last request was sent; rows are written at the end of a loop turn, so
 * this waits a little for it. */
static struct str
log_part(struct run *r, struct str column)
{
    for (int waited = 0; waited < WAIT_MS; waited += 5, sleep_ms(5)) {
        struct buf content = buf_in(r->arena);
        struct str rest, line, last = STR_NONE;

        gateway_flush_logs(r->setup.gateway);
        if (!file_read(r->setup.log_path.p, SIZE_MAX, &content, NULL))
            continue;
        rest = str_skip(buf_str(&content), r->log_at);
        while (str_split_next(&rest, '\n', &line))
            if (line.len && rest.p)
                last = line;
        if (last.p)
            return json_part(last, column, r->arena);
    }
    return STR_NONE;
}

/* The value of a figure in Prometheus text; STR_NONE when it is not there. */
static struct str
find_metric(struct str text, struct str name)
{
    struct str line;

    while (str_split_next(&text, '\n', &line))
        if (str_starts_with(line, name) && line.len > name.len && line.p[name.len] == ' ')
            return str_skip(line, name.len + 1);
    return STR_NONE;
}

static struct str
metric_part(struct run *r, struct str name)
{
    struct buf text = buf_in(r->arena);

    gateway_metrics_print(r->setup.gateway, &text);
    return find_metric(buf_str(&text), name);
}

/* "entries" is headgate_cache_entries now, "hits" by how much headgate_cache_hits_total has grown since the test began. */
static struct str
cache_part(struct run *r, struct str part)
{
    struct str value = metric_part(r, str_printf(r->arena, "headgate_cache_%.*s", STR_ARG(part))), total, before;
    struct str name = str_printf(r->arena, "headgate_cache_%.*s_total", STR_ARG(part));
    uint64_t now, then = 0;

    if (value.p)
        return value;
    total = metric_part(r, name);
    before = find_metric(buf_str(&r->figures_before), name);
    if (!num_parse_u64(total, UINT64_MAX, &now, NULL) || (before.p && !num_parse_u64(before, UINT64_MAX, &then, NULL)))
        return STR_NONE;
    return str_concat_u64(r->arena, STR(""), now - then);
}

static void
fail(struct run *r, const struct step *step, struct str why)
{
    struct line_column at = source_position(step->line.source, step->line.offset);

    buf_printf(&r->test_failures, "%.*s:%u: %.*s%s%.*s\n    %.*s\n", STR_ARG(step->line.source->name), at.line,
               STR_ARG(r->test), r->test.len ? ": " : "", STR_ARG(setup_expand(&r->setup, step->line.text)), STR_ARG(why));
    for (size_t i = 0; i < r->n_each; i++) {
        struct str *value = map_get(&r->setup.variables, r->each[i]);
        buf_printf(&r->test_failures, "      with %.*s = %.*s\n", STR_ARG(r->each[i]), STR_ARG(*value));
    }
    r->test_failed = true;
    r->result->failed++;
}

static void
pass(struct run *r, const struct step *step)
{
    r->result->passed++;
    if (r->options->is_verbose)
        buf_printf(r->report, "  ok %.*s\n", STR_ARG(step->line.text));
}

/* False when `actual` could not be had at all. */
static bool
actual_of(struct run *r, const struct expectation *e, struct str *ret)
{
    struct fake_origin *o;
    struct str *variable;

    if (str_eq_lit(e->subject, "origin")) {
        if (!(o = setup_origin(&r->setup, e->name)))
            return false;
        *ret = origin_part(r, e, o);
    } else if (str_eq_lit(e->subject, "log")) {
        *ret = log_part(r, e->name);
    } else if (str_eq_lit(e->subject, "metric")) {
        *ret = metric_part(r, e->name);
    } else if (str_eq_lit(e->subject, "cache")) {
        *ret = cache_part(r, e->part);
    } else if (str_eq_lit(e->subject, "variable")) {
        variable = map_get(&r->setup.variables, e->name);
        *ret = variable ? *variable : STR_NONE;
    } else {
        return false;
    }
    return true;
}

static void
run_expect(struct run *r, const struct step *step)
{
    const struct expectation *e = &step->expect;
    struct str value = setup_expand(&r->setup, e->value), actual, why;

    if (actual_of(r, e, &actual)) {
        if (expectation_holds(e, value, actual, r->arena, &why))
            pass(r, step);
        else
            fail(r, step, why);
        return;
    }
    if (str_eq_lit(e->subject, "origin")) {
        fail(r, step, STR("no origin has this name"));
        return;
    }
    if (!r->n_replies)
        fail(r, step, STR("no request was sent before this"));
    for (size_t i = 0; i < r->n_replies; i++) {
        actual = reply_part(&r->replies[i], e->subject, e->name, r->arena);
        if (expectation_holds(e, value, actual, r->arena, &why))
            continue;
        if (!r->replies[i].has_answer && r->replies[i].trouble.p)
            why = str_printf(r->arena, "%.*s\n      no answer came: %.*s", STR_ARG(why), STR_ARG(r->replies[i].trouble));
        if (str_eq_lit(e->subject, "json") && !json_part(r->replies[i].message.body, STR("$"), r->arena).p)
            why = str_concat(r->arena, why, STR(": the body is no JSON"));
        fail(r, step, r->n_replies > 1 ? str_printf(r->arena, "answer %zu of %zu: %.*s", i + 1, r->n_replies, STR_ARG(why))
                                       : why);
        return;
    }
    if (r->n_replies)
        pass(r, step);
}

static void
run_set(struct run *r, const struct step *step)
{
    struct str *value = arena_new(r->arena, struct str);

    if (str_eq_lit(step->expect.subject, "text"))
        *value = str_dup(r->arena, setup_expand(&r->setup, step->value));
    else if (actual_of(r, &step->expect, value))
        ;
    else if (r->n_replies)
        *value = reply_part(&r->replies[0], step->expect.subject, step->expect.name, r->arena);
    if (!value->p)
        fail(r, step, STR("there is no such part"));
    map_set(&r->setup.variables, step->name, value);
}

/* Marks the documents named by path of which a policy has run. */
static void
note_document(void *ctx, const struct origin *at, bool ran)
{
    struct run *r = ctx;
    struct str file = without_folder(r, at->file);

    if (!ran || str_eq_lit(at->policy, "base"))
        return;
    for (struct copied_document *d = r->setup.copied; d; d = d->next)
        if (!d->ran && str_eq(d->path, file)) {
            d->ran = true;
            map_set_copy(&r->result->documents, d->source, r->result);
            return;
        }
}

static void
run_publish(struct run *r, const struct step *step)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, ARENA_BYTES_MAX);
    struct buf text = buf_in(r->arena);
    struct diags diags;
    bool ok;

    diags_init(&diags, &arena);
    gateway_coverage(r->setup.gateway, note_document, r);
    ok = gateway_publish(r->setup.gateway, &diags);
    diags_print(&diags, &text);
    if (ok && step->at_once)
        fail(r, step, STR("it was published"));
    else if (!ok && !step->at_once) {
        setup_relocate(&r->setup, &diags);
        buf_clear(&text);
        diags_print(&diags, &text);
        fail(r, step, buf_str(&text));
    } else if (!ok && str_find(buf_str(&text), step->value, 0) < 0)
        fail(r, step, str_printf(r->arena, "it failed otherwise:\n%.*s", STR_ARG(buf_str(&text))));
    else
        pass(r, step);
}

static void
run_drop(struct run *r, const struct step *step)
{
    struct fake_origin *o = setup_origin(&r->setup, step->name);
    struct connection *c = o || step->kind != STEP_DROP ? NULL : find_connection(r, step->name);
    struct err err;

    if (c) {
        wire_close(&c->wire, true);
        c->later = NULL;
    } else if (!o)
        fail(r, step, STR("no origin and no connection has this name"));
    else if (step->kind == STEP_DROP)
        origin_stop(o);
    else if (!origin_start(o, &err))
        fail(r, step, str_dup(r->arena, str_from_c(err.text)));
}

/* Until a figure of /metrics is at least the step's number. */
static void
wait_for_metric(struct run *r, const struct step *step)
{
    struct str seen = STR_NONE;
    uint64_t value;

    for (int waited = 0; waited < WAIT_MS; waited += 5, sleep_ms(5)) {
        seen = metric_part(r, step->name);
        if (num_parse_u64(seen, UINT64_MAX, &value, NULL) && value >= step->number)
            return;
    }
    fail(r, step, seen.p ? str_printf(r->arena, "it is %.*s", STR_ARG(seen)) : STR("no figure has this name"));
}

static void
run_wait(struct run *r, const struct step *step)
{
    struct connection *c = find_connection(r, step->connection.p ? step->connection : STR(LATER));
    struct fake_origin *o;

    if (step->waits_for_background) {
        if (!gateway_wait_background(r->setup.gateway, WAIT_MS))
            fail(r, step, STR("it goes on still"));
        return;
    }
    if (step->is_for_answer) {
        if (!c || !wire_wait_bytes(&c->wire, WAIT_MS))
            fail(r, step, c ? STR("nothing came") : STR("nothing was sent `later` on this connection"));
        return;
    }
    if (step->is_for_metric) {
        wait_for_metric(r, step);
        return;
    }
    o = setup_origin(&r->setup, step->name);
    if (!o || !origin_wait(o, (uint32_t)step->number, WAIT_MS))
        fail(r, step, o ? str_printf(r->arena, "it saw %u requests", o->n_requests) : STR("no origin has this name"));
}

/* ---- tests of a script ---- */

void
hgt_junit_case(struct buf *junit, struct str script, struct str test, const char *outcome, struct str text)
{
    buf_add_lit(junit, "    <testcase classname=\"");
    buf_add_xml_escaped(junit, script);
    buf_add_lit(junit, "\" name=\"");
    buf_add_xml_escaped(junit, test.len ? test : script); /* steps before the first `test` have no name */
    buf_add_lit(junit, "\">");
    if (outcome) {
        buf_printf(junit, "<%s>", outcome);
        buf_add_xml_escaped(junit, text);
        buf_printf(junit, "</%s>", outcome);
    }
    buf_add_lit(junit, "</testcase>\n");
}

static void
end_test(struct run *r)
{
    /* Steps before the first `test` are one, when there are any and all tests were asked for, or when they fail. */
    if (r->is_skipping || (!r->test.len && !r->test_failed && (!r->has_begun || r->options->only.p)))
        return;
    r->result->tests++;
    r->result->tests_failed += r->test_failed;
    buf_add_str(r->report, buf_str(&r->test_failures));
    if (r->junit)
        hgt_junit_case(r->junit, r->setup.script->source->name, r->test, r->test_failed ? "failure" : NULL,
                       buf_str(&r->test_failures));
    buf_clear(&r->test_failures);
    r->test_failed = false;
}

static void
begin_test(struct run *r, const struct step *step)
{
    end_test(r);
    r->test = step->name;
    r->is_skipping = r->options->only.p && str_find(step->name, r->options->only, 0) < 0;
    for (struct connection *c = r->connections; c; c = c->next) {
        wire_close(&c->wire, false);
        c->later = NULL;
    }
    r->n_replies = 0;                 /* what the last test received says nothing about this one */
    gateway_reset(r->setup.gateway);
    r->log_at = log_size(r);
    buf_clear(&r->figures_before);
    gateway_metrics_print(r->setup.gateway, &r->figures_before);
    for (struct fake_origin *o = r->setup.origins; o; o = o->next)
        origin_reset(o);
}

static void run_step(struct run *r, const struct step *step);

static void
run_each(struct run *r, const struct step *step)
{
    if (r->n_each == EACH_DEPTH_MAX) {
        fail(r, step, STR("too many loops inside each other"));
        return;
    }
    r->each[r->n_each++] = step->name;
    for (size_t i = 0; i < step->values.n; i++) {
        struct str *value = arena_new(r->arena, struct str);

        *value = setup_expand(&r->setup, step->values.v[i]);
        map_set(&r->setup.variables, step->name, value);
        for (const struct step *s = step->steps; s; s = s->next)
            run_step(r, s);
    }
    r->n_each--;
}

/* advance and clock */
static void
run_clock(struct run *r, const struct step *step)
{
    struct str text = setup_expand(&r->setup, step->value);
    uint64_t ms = step->number;

    if (text.len && !num_parse_duration(text, &ms, NULL))
        fail(r, step, str_printf(r->arena, "expected a duration such as 31s, found '%.*s'", STR_ARG(text)));
    else if (step->kind == STEP_ADVANCE)
        gateway_advance(r->setup.gateway, ms);
    else
        gateway_set_wall_clock(r->setup.gateway, step->at_once ? -(int64_t)ms : (int64_t)ms);
}

static void
run_step(struct run *r, const struct step *step)
{
    r->has_begun = true;
    switch (step->kind) {
    case STEP_NEEDS:
    case STEP_NAMED_VALUE:
    case STEP_ORIGIN:
    case STEP_ENV:
    case STEP_KEY:
    case STEP_TOKEN:
    case STEP_IDENTITY:
    case STEP_ARTIFACTS:
    case STEP_YAML:
    case STEP_FILE:
    case STEP_API:
        if (!setup_change(&r->setup, step))
            fail(r, step, STR("this could not be changed"));
        break;
    case STEP_TEST: begin_test(r, step); break;
    case STEP_REQUEST:
        if (!run_request(r, step))
            fail(r, step, STR("no identity has this name"));
        break;
    case STEP_RAW: run_raw(r, step); break;
    case STEP_ANSWER: run_answer(r, step); break;
    case STEP_EXPECT: run_expect(r, step); break;
    case STEP_SET: run_set(r, step); break;
    case STEP_ADVANCE:
    case STEP_CLOCK: run_clock(r, step); break;
    case STEP_PUBLISH: run_publish(r, step); break;
    case STEP_WAIT: run_wait(r, step); break;
    case STEP_DROP:
    case STEP_REVIVE: run_drop(r, step); break;
    case STEP_EACH: run_each(r, step); break;
    case STEP_COUNT: UNREACHABLE();
    }
}

static void
run_steps(struct run *r, struct step *first)
{
    /* What stands before the first `test` line is a test without a name, when it expects anything. */
    bool is_named = first && first->kind == STEP_TEST;

    r->is_skipping = is_named;
    for (struct step *step = first; step; step = step->next)
        if (step->kind == STEP_TEST || !r->is_skipping)
            run_step(r, step);
    end_test(r);
    for (struct connection *c = r->connections; c; c = c->next)
        wire_close(&c->wire, false);
}

struct coverage {
    struct run *run;
    uint32_t n, ran;
    struct buf missed;
};

static void
note_step(void *ctx, const struct origin *at, bool ran)
{
    struct coverage *c = ctx;
    struct str file = without_folder(c->run, at->file);
    uint32_t line = at->line;

    if (str_eq_lit(at->policy, "base") || str_eq_lit(file, "default global policy")) /* nobody wrote that one */
        return;
    if (setup_locate(&c->run->setup, file, at->line, &line))
        file = c->run->setup.script->source->name;
    c->n++;
    c->ran += ran;
    if (!ran)
        buf_printf(&c->missed, "  never ran: %.*s:%u %.*s\n", STR_ARG(file), line, STR_ARG(at->path));
}

static void
report_coverage(struct run *r)
{
    struct coverage c = {.run = r, .missed = buf_in(r->arena)};

    if (!r->n_replies) /* a script that only declares backends */
        return;
    gateway_coverage(r->setup.gateway, note_step, &c);
    buf_printf(r->report, "%.*s: %u of %u policies ran\n%.*s", STR_ARG(r->setup.script->source->name), c.ran, c.n,
               (int)c.missed.len, c.missed.p ? c.missed.p : "");
    r->result->policies += c.n;
    r->result->policies_ran += c.ran;
}

bool
hgt_run(const char *path, const struct hgt_options *options, struct hgt_result *ret, struct buf *report, struct buf *junit)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, ARENA_BYTES_MAX);
    struct buf text = buf_in(&arena);
    struct source source = {str_from_c(path), STR_NONE};
    struct script script;
    struct diags diags;
    struct run r = {.arena = &arena, .options = options, .result = ret, .report = report, .junit = junit,
                    .test_failures = buf_in(&arena)};
    struct step *at;
    struct err err;
    bool ok;

    diags_init(&diags, &arena);
    if (!file_read(path, SCRIPT_BYTES_MAX, &text, &err)) {
        buf_printf(report, "%s\n", err.text);
        return false;
    }
    source.text = buf_str(&text);
    if (!script_parse(&source, &arena, &script, &diags)) {
        diags_print(&diags, report);
        return false;
    }
    r.setup = (struct setup){.arena = &arena, .script = &script, .diags = &diags, .with_coverage = options->with_coverage};
    at = script.first;
    ok = setup_create(&r.setup, &at);
    if (ok)
        run_steps(&r, at);
    if (ok && r.setup.copied)
        gateway_coverage(r.setup.gateway, note_document, &r);
    if (ok && options->with_coverage)
        report_coverage(&r);
    else if (r.setup.missing.p)
        buf_printf(report, "%s: skipped, there is no %.*s\n", path, STR_ARG(r.setup.missing));
    else if (!ok) {
        setup_relocate(&r.setup, &diags);
        diags_print(&diags, report);
    }
    setup_destroy(&r.setup);
    buf_destroy(&r.figures_before);
    return ok || r.setup.missing.p;
}
