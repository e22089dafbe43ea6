/* cache_explain.c: a real request with a pass of this gateway (gateway/explain_pass.h), and its answer's Headgate-Cache taken apart. It
 * is answered, stored and counted like any other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_explain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/url.h"
#include "base/buf.h"
#include "base/num.h"
#include "cli/caller.h"
#include "gateway/explain_pass.h"
#include "http/client.h"
#include "net/connect.h"
#include "net/tls.h"
#include "rt/fiber.h"
#include "rt/loop.h"

#define BYTES_MAX ((size_t)64 << 20)
#define WAIT_MS 30000u
#define PASS_S 300u                   /* how long a printed pass is good */

struct explain {
    struct arena *arena;
    const char *method, *url_text, *connect;
    struct http_headers fields;
    struct str pass;
    struct loop *loop;
    int status;
    bool is_done;
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache explain [-H 'NAME: VALUE']... [OPTIONS] URL\n"
                "       headgate cache explain --pass [OPTIONS]\n\n"
                "Sends the request (it is answered, stored and counted like any other) and says which parts made the key, hit or miss, and why.\n"
                "  -H 'NAME: VALUE'     a field of the request, as often as wanted\n"
                "  -X METHOD            GET by default\n"
                "  --connect HOST:PORT  where to send it, instead of the URL's host\n"
                "  --pass               prints a value of the field Headgate-Explain that is good for five minutes, for other clients\n"
                "  --config FILE        headgate.yaml of the gateway; ./headgate.yaml by default\n"
                "  --state DIR          its state folder, with the token of the admin listener; --token-file FILE that file\n");
    return status;
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

/* One "name", "name=value" or name="quoted" up to ';'. */
static bool
next_part(struct str *rest, struct str *ret_name, struct buf *value)
{
    size_t i = 0;
    bool quoted = false;

    *rest = str_trim(*rest);
    if (!rest->len)
        return false;
    while (i < rest->len && rest->p[i] != '=' && rest->p[i] != ';')
        i++;
    *ret_name = str_sub(*rest, 0, i);
    buf_clear(value);
    if (i < rest->len && rest->p[i] == '=') {
        for (i++; i < rest->len && (quoted || rest->p[i] != ';'); i++) {
            if (rest->p[i] == '"')
                quoted = !quoted;
            else if (rest->p[i] == '\\' && quoted && i + 1 < rest->len)
                buf_add_char(value, rest->p[++i]);
            else
                buf_add_char(value, rest->p[i]);
        }
    }
    *rest = str_skip(*rest, i < rest->len ? i + 1 : i);
    return true;
}

static int
print_answer(struct explain *e, const struct http_response *r)
{
    struct str said = http_headers_get_name(&r->headers, STR("Headgate-Cache")), name;
    struct buf value = buf_in(e->arena);

    printf("%s %s: %u\n", e->method, e->url_text, r->status);
    if (!said.p) {
        fprintf(stderr, "headgate cache explain: the answer says nothing of the cache: another gateway, another token, or none that reached an API\n");
        return 1;
    }
    for (bool is_first = true; next_part(&said, &name, &value); is_first = false) {
        struct str text = value.len ? buf_str(&value) : STR("");

        if (is_first)
            printf("%-12s %.*s\n", "cache", STR_ARG(name));
        else
            printf("%-12.*s %.*s\n", STR_ARG(name), STR_ARG(text.len ? text : STR("yes")));
    }
    said = http_headers_get_name(&r->headers, STR("Cache-Status"));
    if (said.p)
        printf("%-12s %.*s\n", "status", STR_ARG(said));
    return 0;
}

/* --- the request --------------------------------------------------------------------------------------------------- */

static bool
origin_of(struct explain *e, const struct url *url, struct tls_client *tls, struct http_origin_conf *ret, struct err *err)
{
    struct str where = e->connect ? str_from_c(e->connect) : STR_NONE;
    ptrdiff_t colon = str_rfind_char(where, ':');
    uint32_t port = url->port;

    if (where.p && (colon <= 0 || !num_parse_u32(str_skip(where, (size_t)colon + 1), 65535, &port, err)))
        return err_set(err, ERR_INVALID, "--connect: expected HOST:PORT, found '%s'", e->connect);
    *ret = (struct http_origin_conf){.host = where.p ? str_sub(where, 0, (size_t)colon) : url->host, .port = (uint16_t)port, .tls = tls,
                                     .tls_name = url->host};
    if (str_starts_with(ret->host, STR("[")) && str_ends_with(ret->host, STR("]")))
        ret->host = str_sub(ret->host, 1, ret->host.len - 1);
    return true;
}

static bool
send_to(struct explain *e, const struct url *url, struct tls_client *tls, struct err *err)
{
    struct http_origins *origins = http_origins_new();
    struct http_client *client = http_client_new(e->loop, origins, &(struct http_client_conf){0});
    struct http_exchange_conf conf = {.deadlines = {.total_at_ms = loop_deadline(e->loop, WAIT_MS)}, .no_resend = true};
    struct http_request request = {.method = http_method_from(str_from_c(e->method)), .method_text = str_from_c(e->method),
        .path = url->path, .query = url->query, .scheme = url->scheme, .headers = e->fields};
    struct http_origin_conf where;
    struct http_origin *origin = NULL;
    struct http_answer *answer = NULL;
    bool ok = origin_of(e, url, tls, &where, err);

    request.authority = url_has_default_port(url) ? url->host : str_printf(e->arena, "%.*s:%u", STR_ARG(url->host), url->port);
    if (ok) {
        origin = http_origin_get(origins, &where);
        ok = http_client_exchange(client, origin, &request, NULL, &conf, e->arena, &answer, err);
    }
    if (ok)
        e->status = print_answer(e, &answer->response);
    http_answer_close(answer);
    http_origin_unref(origin);
    http_client_delete(client);
    http_origins_delete(origins);
    return ok;
}

static void
run_request(void *arg)
{
    struct explain *e = arg;
    struct tls_client_options tls_options = {0};
    struct tls_client *tls = NULL;
    struct url url;
    struct err err;
    bool ok = url_parse(e->arena, str_from_c(e->url_text), &url, &err);

    e->status = 1;
    if (ok && str_eq_lit(url.scheme, "https"))
        ok = (tls = tls_client_new(&tls_options, &err)) != NULL;
    if (!ok || !send_to(e, &url, tls, &err))
        fprintf(stderr, "headgate cache explain: %s\n", err.text);
    tls_client_unref(tls);
    e->is_done = true;
    loop_stop(e->loop);
}

static int
run(struct explain *e)
{
    struct err err;

    e->loop = loop_new(&(struct loop_options){0}, &err);
    if (!e->loop || !fiber_start(e->loop, run_request, e, NULL)) {
        fprintf(stderr, "headgate cache explain: no loop can be made\n");
        return 1;
    }
    if (!e->is_done)
        loop_run(e->loop);
    loop_turn(e->loop, 0);            /* what was cancelled ends */
    loop_delete(e->loop);
    return e->status;
}

static bool
add_field(struct explain *e, const char *text)
{
    struct str line = str_from_c(text);
    ptrdiff_t colon = str_find_char(line, ':', 0);
    struct str name = colon > 0 ? str_sub(line, 0, (size_t)colon) : STR_NONE, value = str_trim(str_skip(line, (size_t)(colon + 1)));

    if (colon > 0 && http_name_is_valid(name) && http_value_is_valid(value) && http_headers_add(&e->fields, name, value))
        return true;
    fprintf(stderr, "headgate cache explain: -H: expected 'NAME: VALUE', found '%s'\n", text);
    return false;
}

int
cache_explain_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"header", required_argument, NULL, 'H'}, {"request", required_argument, NULL, 'X'}, {"connect", required_argument, NULL, 'o'},
        {"pass", no_argument, NULL, 'p'}, {"config", required_argument, NULL, 'c'}, {"state", required_argument, NULL, 's'},
        {"token-file", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    struct explain e = {.arena = &arena, .method = "GET", .fields = http_headers_in(&arena)};
    struct caller_words words = {0};
    struct buf pass = buf_in(&arena);
    struct caller_at at;
    bool only_pass = false;
    int c;

    while ((c = getopt_long(argc, argv, "H:X:c:h", options, NULL)) != -1) {
        switch (c) {
        case 'H': if (!add_field(&e, optarg)) return 2; break;
        case 'X': e.method = optarg; break;
        case 'o': e.connect = optarg; break;
        case 'p': only_pass = true; break;
        case 'c': words.config = optarg; break;
        case 's': words.state = optarg; break;
        case 't': words.token_file = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind + !only_pass != argc)
        return usage(stderr, 2);
    if (!caller_find_admin(&arena, "cache explain", &words, &at))
        return 2;
    if (!explain_pass_make(&pass, at.token, (uint64_t)time(NULL) + PASS_S))
        return 2;
    if (only_pass) {
        puts(buf_str(&pass).p);
        return 0;
    }
    e.url_text = argv[optind];
    http_headers_set(&e.fields, STR("Headgate-Explain"), buf_str(&pass));
    return run(&e);
}
