/* cache_check.c: `headgate cache check`: reaches the external cache step by step and says which step fails.
 *
 *     name      shop.redis.example is 10.1.2.3
 *     TCP       connected to 10.1.2.3:6380
 *     TLS       TLSv1.3, the certificate is good for shop.redis.example
 *     AUTH      Redis 7.0.15, RESP3
 *     write     apim:-:v:headgate-check-9f2c... for 10 s
 *     read      the same bytes
 *     tracking  a change was heard of after 1 ms
 *     purges    the stream has 12 entries, and can be written
 *
 * A step that fails ends it, but for the last two: without tracking memory keeps no copies, which works, and is slower.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_check.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "gateway/overrides.h"
#include "net/connect.h"
#include "redis/client.h"
#include "rt/fiber.h"
#include "store/store.h"

#define OPTIONS_BYTES_MAX ((size_t)64 << 20)
#define TRUST_BYTES_MAX ((size_t)4 << 20)
#define STEP_MS 3000u
#define PUSH_MS 1000u

struct check {
    struct loop *loop;
    struct arena *arena;
    struct redis_conf conf;
    struct connect_override *overrides;
    size_t n_overrides;
    struct str trust_pem;
    struct tls_client *tls;
    struct redis_figures figures;
    struct redis_client *clients[2];  /* the second one changes what the first one reads */
    struct err why[2];                /* of not being up */
    struct fiber *fiber;
    struct str watched;
    bool is_pushed, is_bad;
    uint32_t failures;
    bool is_done;
};

/* --- saying it ----------------------------------------------------------------------------------------------------- */

static bool PRINTF_LIKE(3, 4)
say(struct check *c, const char *step, const char *fmt, ...)
{
    va_list ap;

    printf("%-9s ", step);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    return true;
}

/* Always false. */
static bool PRINTF_LIKE(3, 4)
fail(struct check *c, const char *step, const char *fmt, ...)
{
    va_list ap;

    printf("%-9s FAILED: ", step);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    c->failures++;
    return false;
}

static uint64_t
soon(const struct check *c)
{
    return loop_now_ms(c->loop) + STEP_MS;
}

/* --- name, TCP, TLS ------------------------------------------------------------------------------------------------ */

static bool
check_name(struct check *c, const struct redis_endpoint *at)
{
    struct dns_result found;
    char text[ADDR_TEXT_MAX];
    struct err err;

    for (size_t i = 0; i < c->n_overrides; i++)
        if (str_eq_nocase(c->overrides[i].host, at->host) && (!c->overrides[i].port || c->overrides[i].port == at->port))
            return say(c, "name", "%.*s is %.*s (resolve:)", STR_ARG(at->host),
                       STR_ARG(addr_ip_text(&c->overrides[i].to, text)));
    if (str_starts_with(at->host, STR("unix:")))
        return say(c, "name", "%.*s needs none", STR_ARG(at->host));
    if (!dns_lookup(at->host, soon(c), &found, &err))
        return fail(c, "name", "%s", err.text);
    return say(c, "name", "%.*s is %.*s%s", STR_ARG(at->host), STR_ARG(addr_ip_text(&found.v[0], text)),
               found.n > 1 ? " and others" : "");
}

static struct stream *
connect_to(struct check *c, const struct redis_endpoint *at, struct tls_client *tls, struct err *err)
{
    struct connect_target target = {.host = at->host, .port = at->port, .tls = tls, .tls_name = c->conf.tls_name,
                                    .overrides = c->overrides, .n_overrides = c->n_overrides};

    return connect_happy(c->loop, &target, soon(c), err);
}

static bool
check_tcp(struct check *c, const struct redis_endpoint *at)
{
    char text[ADDR_TEXT_MAX];
    struct err err;
    struct stream *s = connect_to(c, at, NULL, &err);

    if (!s)
        return fail(c, "TCP", "%s", err.text);
    if (s->peer.kind == ADDR_UNIX)
        say(c, "TCP", "not needed, connected");
    else
        say(c, "TCP", "connected to %.*s", STR_ARG(addr_text(&s->peer, text)));
    stream_close(s);
    return true;
}

static bool
check_tls(struct check *c, const struct redis_endpoint *at)
{
    struct tls_client_options options = {.extra_ca_pem = c->trust_pem};
    struct err err;
    struct stream *s;

    if (!c->conf.is_tls)
        return say(c, "TLS", "not asked for (ssl=True, or rediss://)");
    if (!(c->tls = tls_client_new(&options, &err)) || !(s = connect_to(c, at, c->tls, &err)))
        return fail(c, "TLS", "%s", err.text);
    say(c, "TLS", "%s, the certificate is good for %.*s", stream_tls_info(s).version,
        STR_ARG(c->conf.tls_name.len ? c->conf.tls_name : at->host));
    stream_close(s);
    return true;
}

/* --- the rest over the client that gateways use -------------------------------------------------------------------- */

struct side {
    struct check *check;
    uint32_t number;
};

static void
on_state(void *owner, uint32_t member, bool is_up, const struct err *why)
{
    struct side *side = owner;

    if (why)
        side->check->why[side->number] = *why;
    if (side->check->fiber)
        fiber_wake(side->check->fiber);
}

static void
on_push(void *owner, uint32_t member, struct resp push)
{
    struct side *side = owner;
    struct resp kind, keys, key;

    if (!resp_item(push, 0, &kind) || !resp_item(push, str_eq_lit(resp_text(kind), "message") ? 2 : 1, &keys) ||
        !resp_item(keys, 0, &key) || !str_eq(resp_text(key), side->check->watched))
        return;
    side->check->is_pushed = true;
    fiber_wake(side->check->fiber);
}

static void
on_gone(void *owner)
{
    free(owner);
}

static bool
open_client(struct check *c, uint32_t number)
{
    struct side *side = xnew(struct side);
    struct redis_client_options options = {
        .link = {.loop = c->loop, .conf = &c->conf, .tls = c->tls, .overrides = c->overrides, .n_overrides = c->n_overrides,
                 .client_name = STR("headgate-check"), .limits = {.reply_bytes = 1 << 20, .nodes = 65536},
                 .unsent_max = 1 << 20, .operation_ms = STEP_MS, .figures = &c->figures},
        .owner = side, .on_state = on_state, .on_push = on_push, .on_gone = on_gone};
    uint64_t end_ms = soon(c);
    uint32_t member;

    *side = (struct side){c, number};
    c->clients[number] = redis_client_new(&options);
    while (!redis_client_member(c->clients[number], c->watched, &member))
        if (c->why[number].code || fiber_wait(end_ms) == IO_TIMEOUT)
            return fail(c, "AUTH", "%s", c->why[number].code ? c->why[number].text : "no answer");
    return true;
}

static bool
check_auth(struct check *c)
{
    const struct redis_hello *h;

    if (!open_client(c, 0) || !open_client(c, 1))
        return false;
    h = redis_client_hello(c->clients[0]);
    return say(c, "AUTH", "%s version %s, RESP%u%s", c->conf.password.p ? "accepted," : "no password,",
               h->version[0] ? h->version : "unknown", h->protocol, h->is_cluster ? ", a cluster" : "");
}

struct answer {
    bool is_error;
    char text[200];
    uint64_t number;
};

static void
take_answer(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct answer *a = ctx;

    a->is_error = resp_type(reply) == RESP_ERROR;
    snprintf(a->text, sizeof(a->text), "%.*s", STR_ARG(resp_text(reply)));
    resp_u64(reply, &a->number);
}

/* False with a->text saying why. */
static bool
run(struct check *c, uint32_t client, struct str key, const struct str *words, uint32_t n, struct answer *a)
{
    struct redis_ask ask = {words, n, take_answer, a, 0, 0};
    struct err err;

    *a = (struct answer){0};
    if (redis_client_run(c->clients[client], key, &ask, 1, soon(c), &err))
        return !a->is_error;
    snprintf(a->text, sizeof(a->text), "%s", err.text);
    return false;
}

static bool
check_write(struct check *c)
{
    struct str words[] = {STR("SET"), c->watched, STR("step by step"), STR("PX"), STR("10000")};
    struct answer a;

    if (!run(c, 0, c->watched, words, COUNTOF(words), &a))
        return fail(c, "write", "%s", a.text);
    return say(c, "write", "%.*s, for 10 s", STR_ARG(c->watched));
}

static bool
check_read(struct check *c)
{
    struct str words[] = {STR("GETRANGE"), c->watched, STR("0"), STR("100")};
    struct answer a;

    if (!run(c, 0, c->watched, words, COUNTOF(words), &a))
        return fail(c, "read", "%s", a.text);
    if (strcmp(a.text, "step by step") != 0)
        return fail(c, "read", "something else lies there");
    return say(c, "read", "what was written");
}

static bool
check_tracking(struct check *c)
{
    struct str words[] = {STR("DEL"), c->watched};
    uint64_t begin_ns = clock_mono_ns(NULL), end_ms = loop_now_ms(c->loop) + PUSH_MS;
    struct answer a;

    if (!redis_client_hello(c->clients[0])->has_tracking)
        return fail(c, "tracking", "CLIENT TRACKING is refused; it works without, but memory keeps no copies");
    if (!run(c, 1, c->watched, words, COUNTOF(words), &a))
        return fail(c, "tracking", "%s", a.text);
    while (!c->is_pushed)
        if (fiber_wait(end_ms) == IO_TIMEOUT)
            return fail(c, "tracking", "a change was not heard of within %u ms", PUSH_MS);
    return say(c, "tracking", "a change was heard of after %" PRIu64 " ms", (clock_mono_ns(NULL) - begin_ns) / 1000000);
}

static bool
check_purges(struct check *c)
{
    struct str key = STR("{headgate}:purges");
    struct str count[] = {STR("XLEN"), key}, add[] = {STR("XADD"), key, STR("*"), STR("check"), STR("1")};
    struct answer a;
    uint64_t n;

    if (!run(c, 0, key, count, COUNTOF(count), &a))
        return fail(c, "purges", "%s", a.text);
    n = a.number;
    if (!run(c, 0, key, add, COUNTOF(add), &a))
        return fail(c, "purges", "%s", a.text);
    return say(c, "purges", "the stream has %" PRIu64 " entries, and can be written", n);
}

static void
run_steps(void *arg)
{
    struct check *c = arg;
    const struct redis_endpoint *at = &c->conf.endpoints[0];

    c->fiber = fiber_self();
    if (check_name(c, at) && check_tcp(c, at) && check_tls(c, at) && check_auth(c) && check_write(c) && check_read(c)) {
        check_tracking(c);
        check_purges(c);
    }
    redis_client_delete(c->clients[0]);
    redis_client_delete(c->clients[1]);
    c->fiber = NULL;
    c->is_done = true;
    loop_stop(c->loop);
}

/* --- what to check ------------------------------------------------------------------------------------------------- */

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache check [--config FILE] [CONNECTION]\n\n"
                "Reaches the external cache step by step: name, TCP, TLS, AUTH, write, read, tracking, purges.\n"
                "  CONNECTION      a connection string; without it, the one of this region in the configuration\n"
                "  --config FILE   headgate.yaml; ./headgate.yaml by default\n");
    return status;
}

static void
read_trust(struct check *c, const struct str_list *files)
{
    struct buf pem = buf_in(c->arena);
    struct err err;

    for (uint32_t i = 0; i < files->n; i++) {
        if (!file_read(str_dup(c->arena, files->v[i]).p, TRUST_BYTES_MAX, &pem, &err))
            fprintf(stderr, "headgate cache check: trust: %s, going on without it\n", err.text);
        buf_add_char(&pem, '\n');
    }
    c->trust_pem = pem.len ? buf_str(&pem) : STR_NONE;
}

/* The connection string of this region. STR_NONE: none is configured, said so. */
static struct str
configured(const struct options *o)
{
    const struct str region = o->service.deployment.region;
    const struct cache_option *found = NULL;

    for (uint32_t i = 0; i < o->service.n_caches; i++) {
        const struct cache_option *one = &o->service.caches[i];

        if (region.len && region_is(one->use_from, region)) {
            found = one;
            break;
        }
        if (!found && region_is(one->use_from, STR("default")))
            found = one;
    }
    if (!found)
        fprintf(stderr, "headgate cache check: no cache is configured for region '%.*s' (`caches:`)\n", STR_ARG(region));
    else if (!found->connection.is_set)
        fprintf(stderr, "headgate cache check: the connection string of cache '%.*s' is not set\n", STR_ARG(found->name));
    else
        return found->connection.value;
    return STR_NONE;
}

/* Everything that the steps need; false when it has been said what is missing. */
static bool
prepare(struct check *c, const char *config, struct str connection)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct options *options = arena_new(c->arena, struct options);
    struct diags diags;
    struct stat st;
    struct err err;
    bool ok = true;

    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, c->arena);
    if (config || !connection.p)
        ok = config_load(config, c->arena, options, &diags);
    diags_print(&diags, &text);
    if (text.len)
        fputs(buf_str(&text).p, stderr);
    if (!ok || (!connection.p && !(connection = configured(options)).p))
        return false;
    if (!redis_conf_parse(c->arena, connection, &c->conf, &err)) {
        fprintf(stderr, "headgate cache check: the connection string: %s\n", err.text);
        return false;
    }
    c->overrides = overrides_new(options, c->arena, &c->n_overrides);
    read_trust(c, &options->service.trust);
    return true;
}

static int
run_check(struct check *c)
{
    struct err err;
    uint64_t id;

    rand_secret(&id, sizeof(id));
    c->watched = str_printf(c->arena, "apim:-:v:headgate-check-%016" PRIx64, id);
    c->loop = loop_new(&(struct loop_options){0}, &err);
    if (!c->loop || !fiber_start(c->loop, run_steps, c, NULL)) {
        fprintf(stderr, "headgate cache check: no loop can be made\n");
        return 1;
    }
    if (!c->is_done)
        loop_run(c->loop);
    loop_turn(c->loop, 0);            /* what was cancelled ends */
    loop_delete(c->loop);
    tls_client_unref(c->tls);
    if (c->failures)
        printf("%u of these steps failed\n", c->failures);
    return c->failures ? 1 : 0;
}

int
cache_check_run(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
                                                 {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, OPTIONS_BYTES_MAX);
    struct check *check = arena_new(&arena, struct check);
    const char *config = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind + 1 < argc)
        return usage(stderr, 2);
    check->arena = &arena;
    if (!prepare(check, config, optind < argc ? str_from_c(argv[optind]) : STR_NONE))
        return 2;
    return run_check(check);
}
