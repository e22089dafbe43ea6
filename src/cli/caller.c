/* caller.c: one loop, one client, one origin.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/caller.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/num.h"
#include "http/client.h"
#include "net/tls.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "store/store.h"

#define REQUEST_MS 60000u
#define BODY_BYTES_MAX ((size_t)64 << 20)
#define TOKEN_BYTES_MAX 4096u

/* --- where ---------------------------------------------------------------------------------------------------------- */

static bool
parse_base(struct str base, struct http_origin_conf *conf, bool *ret_is_tls, struct err *err)
{
    struct str rest = base;
    uint32_t port;
    ptrdiff_t colon;

    *ret_is_tls = str_starts_with_nocase(base, STR("https://"));
    if (str_starts_with(base, STR("unix:"))) {
        conf->host = base;
        return true;
    }
    if (!*ret_is_tls && !str_starts_with_nocase(base, STR("http://")))
        return err_set(err, ERR_SYNTAX, "expected http://HOST:PORT, https://HOST:PORT or unix:PATH, found '%.*s'", STR_ARG(base));
    rest = str_skip(base, *ret_is_tls ? 8 : 7);
    if (rest.len && rest.p[rest.len - 1] == '/')
        rest = str_sub(rest, 0, rest.len - 1);
    colon = str_rfind_char(rest, ':');
    port = *ret_is_tls ? 443 : 80;
    if (colon >= 0 && str_find_char(rest, ']', (size_t)colon) < 0) {
        if (!num_parse_u32(str_skip(rest, (size_t)colon + 1), UINT16_MAX, &port, err))
            return false;
        rest = str_sub(rest, 0, (size_t)colon);
    }
    if (rest.len > 2 && rest.p[0] == '[')
        rest = str_sub(rest, 1, rest.len - 2);
    conf->host = rest;
    conf->port = (uint16_t)port;
    return rest.len > 0 || err_set(err, ERR_SYNTAX, "'%.*s' names no host", STR_ARG(base));
}

/* Prints why not. */
static bool
read_token(struct arena *arena, const char *command, struct str path, struct str *ret)
{
    struct buf text = buf_in(arena);
    struct err err;

    if (!file_read(str_dup(arena, path).p, TOKEN_BYTES_MAX, &text, &err)) {
        fprintf(stderr, "headgate %s: the token of the admin listener: %s\n", command, err.text);
        return false;
    }
    *ret = str_trim(buf_str(&text));
    return true;
}

static struct str
admin_base(struct arena *arena, const char *address, const struct options *o)
{
    struct str said = address ? str_from_c(address) : o->admin.address;

    if (str_starts_with(said, STR("unix:")))
        return said;
    if (address)
        return str_printf(arena, "http://%s", address);
    return str_printf(arena, str_find_char(said, ':', 0) >= 0 ? "http://[%.*s]:%u" : "http://%.*s:%u", STR_ARG(said), o->admin.port);
}

bool
caller_find_admin(struct arena *arena, const char *command, const struct caller_words *w, struct caller_at *ret)
{
    struct options *o = arena_new(arena, struct options);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    const char *config = w->config;
    struct str folder, file;
    struct diags diags;
    struct stat st;

    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, arena);
    if (!o || !config_load(config, arena, o, &diags)) {
        diags_print(&diags, &text);
        fputs(text.len ? buf_str(&text).p : "no memory\n", stderr);
        return false;
    }
    ret->base = admin_base(arena, w->address, o);
    folder = w->state ? str_from_c(w->state) : o->state;
    file = w->token_file ? str_from_c(w->token_file) : o->admin.token_file;
    if (!file.len && folder.len)
        file = str_printf(arena, "%.*s/admin-token", STR_ARG(folder));
    if (file.len)
        return read_token(arena, command, file, &ret->token);
    fprintf(stderr, "headgate %s: which gateway? Use --state DIR or --token-file FILE, or `state:` in its configuration\n", command);
    return false;
}

/* --- a loop, a client ----------------------------------------------------------------------------------------------- */

bool
caller_create(struct caller *c, const struct caller_at *at, struct arena *arena, struct err *err)
{
    struct http_origin_conf conf = {0};
    bool is_tls;

    *c = (struct caller){.arena = arena, .token = at->token};
    if (!parse_base(at->base, &conf, &is_tls, err))
        return false;
    if (is_tls && !(c->tls = tls_client_new(&(struct tls_client_options){0}, err)))
        return false;
    conf.tls = c->tls;
    c->scheme = is_tls ? STR("https") : STR("http");
    c->authority = conf.port ? str_printf(arena, "%.*s:%u", STR_ARG(conf.host), conf.port) : STR("localhost");
    c->loop = loop_new(&(struct loop_options){0}, err);
    if (!c->loop) {
        caller_destroy(c);
        return false;
    }
    c->origins = http_origins_new();
    c->origin = http_origin_get(c->origins, &conf);
    c->client = http_client_new(c->loop, c->origins, NULL);
    return true;
}

void
caller_destroy(struct caller *c)
{
    if (c->client) {
        http_client_close_idle(c->client);
        http_client_delete(c->client);
    }
    for (int i = 0; c->loop && i < 4; i++)
        loop_turn(c->loop, 0);
    http_origin_unref(c->origin);
    http_origins_delete(c->origins);
    loop_delete(c->loop);
    tls_client_unref(c->tls);
    *c = (struct caller){0};
}

struct running {
    struct caller *caller;
    void (*fn)(void *arg);
    void *arg;
};

static void
run_fiber(void *arg)
{
    struct running *r = arg;

    r->fn(r->arg);
    loop_stop(r->caller->loop);
}

bool
caller_run(struct caller *c, void (*fn)(void *arg), void *arg)
{
    struct running r = {c, fn, arg};

    if (!fiber_start(c->loop, run_fiber, &r, NULL))
        return false;
    loop_run(c->loop);
    return true;
}

/* --- requests ------------------------------------------------------------------------------------------------------- */

static bool
read_body(struct http_answer *answer, bool is_kept, uint64_t end_ms, struct arena *arena, struct str *ret, struct err *err)
{
    struct buf b = buf_in(arena);
    struct str piece;
    int status = IO_EOF;

    b.max = BODY_BYTES_MAX;
    while (answer->body && (status = body_read(answer->body, &piece, end_ms)) == IO_OK)
        if (is_kept && !buf_add_str(&b, piece))
            return err_set(err, ERR_LIMIT, "the answer is too large");
    *ret = is_kept ? (b.len ? buf_str(&b) : STR("")) : STR_NONE;
    return status == IO_EOF || err_set(err, ERR_CLOSED, "the answer broke off");
}

bool
caller_request(struct caller *c, struct str method, struct str target, const struct caller_field *fields, uint32_t n,
               bool wants_body, struct arena *arena, struct caller_reply *ret, struct err *err)
{
    struct http_request request = {.method = http_method_from(method), .method_text = method, .scheme = c->scheme,
                                   .authority = c->authority, .target = target, .headers = http_headers_in(arena),
                                   .query = STR_NONE, .protocol = STR_NONE};
    uint64_t end_ms = loop_deadline(c->loop, REQUEST_MS);
    struct http_exchange_conf conf = {.deadlines.total_at_ms = end_ms};
    ptrdiff_t question = str_find_char(target, '?', 0);
    struct http_answer *answer;
    bool ok;

    request.path = question < 0 ? target : str_sub(target, 0, (size_t)question);
    if (question >= 0)
        request.query = str_skip(target, (size_t)question + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq_nocase(fields[i].name, STR("Host")))
            request.authority = fields[i].value;
        else if (!http_headers_add(&request.headers, fields[i].name, fields[i].value))
            return err_set(err, ERR_NO_MEMORY, "no memory left");
    }
    if (c->token.len && !http_headers_add(&request.headers, STR("Authorization"), str_printf(arena, "Bearer %.*s", STR_ARG(c->token))))
        return err_set(err, ERR_NO_MEMORY, "no memory left");
    if (!http_client_exchange(c->client, c->origin, &request, NULL, &conf, arena, &answer, err))
        return false;
    ret->status = answer->response.status;
    ret->is_from_cache = http_headers_has(&answer->response.headers, HTTP_AGE);
    ok = read_body(answer, wants_body, end_ms, arena, &ret->body, err);
    http_answer_close(answer);
    return ok;
}

/* --- one request ---------------------------------------------------------------------------------------------------- */

struct asking {
    struct caller caller;
    struct str method, target;
    struct caller_reply *reply;
    struct err *err;
    bool ok;
};

static void
ask(void *arg)
{
    struct asking *a = arg;

    a->ok = caller_request(&a->caller, a->method, a->target, NULL, 0, true, a->caller.arena, a->reply, a->err);
}

bool
caller_ask(struct arena *arena, const struct caller_at *at, const char *method, struct str target, struct caller_reply *ret,
           struct err *err)
{
    struct asking a = {.method = str_from_c(method), .target = target, .reply = ret, .err = err};

    if (!caller_create(&a.caller, at, arena, err))
        return false;
    if (!caller_run(&a.caller, ask, &a))
        err_set(err, ERR_NO_MEMORY, "no memory left");
    caller_destroy(&a.caller);
    if (!a.ok && err->code == ERR_CONNECT) {
        struct err why = *err;

        err_set(err, ERR_CONNECT, "no gateway answers at %.*s: %s", STR_ARG(at->base), why.text);
    }
    return a.ok;
}
