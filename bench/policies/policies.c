/* policies.c: what each policy adds to a request, in processor time of this thread: a line a policy in its simplest form, the best of ROUNDS
 * rounds less the best of an empty plan's, with its goal.
 *     policies [ROUNDS [POLICY]]
 * One API a row of the table below is written into a temporary folder and loaded as any configuration is; a request is then an exchange on
 * this thread's one fiber, without sockets. Policies that talk to somebody have their row in bench/RESULTS.md's tables of whole requests.
 * Goals: 3 us, where issue 4 names no other; what validates schemas, runs XSLT or checks RSA has none. Exit status 1 when one is missed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cache/cache.h"
#include "cache/tiers.h"
#include "data/jwt.h"
#include "exchange/context_families.h"
#include "exchange/counters.h"
#include "exchange/exchange.h"
#include "exchange/openid.h"
#include "exchange/supply.h"
#include "exchange/token_cache.h"
#include "gateway/snapshot.h"
#include "hgt/identity.h"
#include "http/client.h"
#include "http/headers.h"
#include "http/server.h"
#include "model/access.h"
#include "model/options.h"
#include "model/route.h"
#include "net/stream.h"
#include "observe/metrics.h"
#include "policy/schemas.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "store/store.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define RUNS 4000
#define GOAL_NS 3000.0
#define JSON_BODY "{\"id\":7,\"name\":\"Ada\",\"tags\":[\"a\",\"b\"],\"link\":\"http://backend.example/things/7\"}"
#define XML_BODY "<thing id=\"7\">Ada</thing>"
#define KEY "a-secret-of-thirty-two-bytes----"

#define TENANT "11111111-2222-3333-4444-555555555555"
#define TENANT_URL "https://login.microsoftonline.com/" TENANT

enum place { INBOUND, OUTBOUND };

/* goal 0: printed, not judged. */
static const struct row {
    const char *name;
    enum place place;
    double goal_ns;
    const char *policy;
    const char *body;             /* of the request, or of the answer outbound meets; NULL: none */
    const char *before;           /* in inbound of an outbound row, and measured with it; NULL: nothing */
} rows[] = {
    {"base", INBOUND, GOAL_NS, "<base />", NULL},
    {"choose", INBOUND, GOAL_NS, "<choose><when condition=\"@(context.Request.Method == &quot;GET&quot;)\"><set-variable name=\"a\" value=\"b\" /></when></choose>", NULL},
    {"include-fragment", INBOUND, GOAL_NS, "<include-fragment fragment-id=\"f\" />", NULL},
    {"mock-response", INBOUND, GOAL_NS, "<mock-response status-code=\"204\" />", NULL},
    {"retry", INBOUND, GOAL_NS, "<retry condition=\"@(false)\" count=\"3\" interval=\"1\"><set-variable name=\"a\" value=\"b\" /></retry>", NULL},
    {"return-response", INBOUND, GOAL_NS, "<return-response><set-status code=\"200\" reason=\"OK\" /></return-response>", NULL},
    {"wait", INBOUND, 0, "<wait for=\"all\"><choose><when condition=\"@(true)\"><set-variable name=\"a\" value=\"b\" /></when></choose></wait>", NULL},
    {"find-and-replace", INBOUND, GOAL_NS, "<find-and-replace from=\"Ada\" to=\"Bob\" />", JSON_BODY},
    {"json-to-xml", INBOUND, GOAL_NS, "<json-to-xml apply=\"always\" consider-accept-header=\"false\" />", JSON_BODY},
    {"xml-to-json", INBOUND, GOAL_NS, "<xml-to-json kind=\"direct\" apply=\"always\" consider-accept-header=\"false\" />", XML_BODY},
    {"jsonp", OUTBOUND, GOAL_NS, "<jsonp callback-parameter-name=\"cb\" />", JSON_BODY},
    {"redirect-content-urls", OUTBOUND, GOAL_NS, "<redirect-content-urls />", JSON_BODY},
    {"rewrite-uri", INBOUND, GOAL_NS, "<rewrite-uri template=\"/v2/{id}\" />", NULL},
    {"set-body", INBOUND, GOAL_NS, "<set-body>text</set-body>", NULL},
    {"set-header", INBOUND, GOAL_NS, "<set-header name=\"X-A\" exists-action=\"override\"><value>b</value></set-header>", NULL},
    {"set-method", INBOUND, GOAL_NS, "<set-method>PUT</set-method>", NULL},
    {"set-query-parameter", INBOUND, GOAL_NS, "<set-query-parameter name=\"a\" exists-action=\"override\"><value>b</value></set-query-parameter>", NULL},
    {"set-status", OUTBOUND, GOAL_NS, "<set-status code=\"202\" reason=\"Accepted\" />", NULL},
    {"set-variable", INBOUND, GOAL_NS, "<set-variable name=\"a\" value=\"b\" />", NULL},
    {"xsl-transform", INBOUND, 0,
     "<xsl-transform><xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><xsl:template match=\"/\">"
     "<r><xsl:value-of select=\".\" /></r></xsl:template></xsl:stylesheet></xsl-transform>", XML_BODY},
    {"proxy", INBOUND, GOAL_NS, "<proxy url=\"http://proxy.example:8080\" />", NULL},
    {"set-backend-service", INBOUND, GOAL_NS, "<set-backend-service backend-id=\"other\" />", NULL},
    {"cache-lookup", INBOUND, GOAL_NS, "<cache-lookup vary-by-developer=\"false\" vary-by-developer-groups=\"false\" allow-private-response-caching=\"true\" />", NULL},
    {"cache-store", OUTBOUND, GOAL_NS, "<cache-store duration=\"3600\" />", JSON_BODY, /* each request is another entry */
     "<cache-lookup vary-by-developer=\"false\" vary-by-developer-groups=\"false\" allow-private-response-caching=\"true\" />"},
    {"cache-value", INBOUND, GOAL_NS,
     "<cache-value key=\"kept\" variable-name=\"a\"><value><set-variable name=\"a\" value=\"b\" /></value></cache-value>", NULL},
    {"cache-lookup-value", INBOUND, GOAL_NS, "<cache-lookup-value key=\"kept\" variable-name=\"v\" />", NULL},
    {"cache-store-value", INBOUND, GOAL_NS, "<cache-store-value key=\"kept\" value=\"v\" duration=\"3600\" />", NULL},
    {"cache-remove-value", INBOUND, GOAL_NS, "<cache-remove-value key=\"none\" />", NULL},
    {"authentication-basic", INBOUND, GOAL_NS, "<authentication-basic username=\"u\" password=\"p\" />", NULL},
    {"check-header", INBOUND, GOAL_NS, "<check-header name=\"X-Tenant\" failed-check-httpcode=\"401\"><value>acme</value></check-header>", NULL},
    {"authentication-certificate", INBOUND, GOAL_NS, "<authentication-certificate certificate-id=\"client\" />", NULL},
    {"validate-azure-ad-token", INBOUND, 2000,
     "<validate-azure-ad-token tenant-id=\"" TENANT "\"><audiences><audience>api</audience></audiences></validate-azure-ad-token>", NULL},
    {"validate-client-certificate", INBOUND, GOAL_NS,
     "<validate-client-certificate validate-revocation=\"false\" validate-trust=\"false\"><identities><identity common-name=\"ada\" />"
     "</identities></validate-client-certificate>", NULL},
    {"cross-domain", INBOUND, GOAL_NS, "<cross-domain />", NULL},
    {"cors", INBOUND, GOAL_NS, "<cors><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>", NULL},
    {"ip-filter", INBOUND, GOAL_NS, "<ip-filter action=\"allow\"><address>192.0.2.7</address></ip-filter>", NULL},
    {"limit-concurrency", INBOUND, GOAL_NS, "<limit-concurrency key=\"k\" max-count=\"5\"><set-variable name=\"a\" value=\"b\" /></limit-concurrency>", NULL},
    {"quota", INBOUND, GOAL_NS, "<quota calls=\"1000000000\" renewal-period=\"3600\" />", NULL},
    {"rate-limit", INBOUND, GOAL_NS, "<rate-limit calls=\"1000000000\" renewal-period=\"60\" />", NULL},
    {"quota-by-key", INBOUND, GOAL_NS, "<quota-by-key calls=\"1000000000\" renewal-period=\"3600\" counter-key=\"k\" />", NULL},
    {"rate-limit-by-key", INBOUND, 400, "<rate-limit-by-key calls=\"1000000000\" renewal-period=\"60\" counter-key=\"k\" />", NULL},
    {"validate-jwt", INBOUND, 2000,
     "<validate-jwt header-name=\"Authorization\"><issuer-signing-keys><key>YS1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcy0tLS0=</key></issuer-signing-keys></validate-jwt>", NULL},
    {"validate-content", INBOUND, 0,
     "<validate-content unspecified-content-type-action=\"ignore\" max-size=\"10000\" size-exceeded-action=\"prevent\">"
     "<content type=\"application/json\" validate-as=\"json\" action=\"prevent\" /></validate-content>", JSON_BODY},
    {"validate-headers", OUTBOUND, 0, "<validate-headers specified-header-action=\"prevent\" unspecified-header-action=\"ignore\" />", NULL},
    {"validate-parameters", INBOUND, 0, "<validate-parameters specified-parameter-action=\"prevent\" unspecified-parameter-action=\"ignore\" />", NULL},
    {"validate-status-code", OUTBOUND, GOAL_NS, "<validate-status-code unspecified-status-code-action=\"ignore\" />", NULL},
    {"emit-metric", INBOUND, GOAL_NS,
     "<emit-metric name=\"requests\" value=\"1\" namespace=\"shop\"><dimension name=\"API ID\" /></emit-metric>", NULL},
    {"trace", INBOUND, GOAL_NS, "<trace source=\"s\" severity=\"information\"><message>m</message></trace>", NULL},
};

static const char specification[] =
    "{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{\"/things/{id}\":{\"post\":{\"operationId\":\"post\",\"parameters\":["
    "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"integer\"}}],\"requestBody\":{\"content\":{\"application/json\":{\"schema\":"
    "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"},\"name\":{\"type\":\"string\"}}}}}},"
    "\"responses\":{\"200\":{\"description\":\"ok\",\"headers\":{\"X-A\":{\"schema\":{\"type\":\"string\"}}}}}}}}}";

struct bench {
    char folder[64];
    struct arena lasting;
    struct options options;
    struct services services;
    struct exchange_limits limits;
    struct loop *loop;
    struct snapshot *snapshot;
    struct str token, entra_token;    /* "Bearer ..." */
    struct str entra_keys;            /* what its issuer would publish */
    struct str certificate;           /* the client's, in DER */
    struct str identity_pem;          /* it and its key */
    struct stream stream;             /* that shows it */
    struct http_call call;
    struct subscription subscription;
    char query[24];                   /* of the next request: none has that of another */
    unsigned n_requests;
    unsigned rounds;
    const char *only;
    bool has_missed;
    bool is_entra, shows_certificate;   /* what the row's requests bring */
};

static void
die(const char *what, const struct diags *diags)
{
    struct buf out = BUF_INIT;

    if (diags)
        diags_print(diags, &out);
    fprintf(stderr, "%s\n%.*s", what, (int)out.len, out.p ? out.p : "");
    exit(1);
}

/* --- configuration ------------------------------------------------------------------------------------------------------------ */

static void
put(struct bench *b, const char *name, struct str text)
{
    struct str path = str_printf(&b->lasting, "%s/%s", b->folder, name);
    struct err err;

    for (char *slash = strchr(path.p + strlen(b->folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path.p, 0700);
        *slash = '/';
    }
    if (!file_write_atomic(path.p, text, 0600, &err))
        die(err.text, NULL);
}

/* NULL: the empty plan. */
static void
put_api(struct bench *b, const char *name, const struct row *row)
{
    static const char api[] = "{\"properties\":{\"displayName\":\"%s\",\"path\":\"%s\",\"serviceUrl\":\"http://backend.example\",\"protocols\":[\"http\"],"
                              "\"subscriptionRequired\":false,\"apiRevision\":\"1\",\"isCurrent\":true}}";
    const char *in = !row ? "" : row->place == INBOUND ? row->policy : row->before ? row->before : "";
    const char *out = row && row->place == OUTBOUND ? row->policy : "";
    struct arena *a = &b->lasting;

    put(b, str_printf(a, "apis/%s/apiInformation.json", name).p, str_printf(a, api, name, name));
    put(b, str_printf(a, "apis/%s/specification.json", name).p, str_from_c(specification));
    put(b, str_printf(a, "apis/%s/policy.xml", name).p,
        str_printf(a, "<policies><inbound>%s</inbound><backend></backend><outbound>%s</outbound><on-error /></policies>", in, out));
}

static void
load(struct bench *b)
{
    struct source source = {.name = STR("headgate.yaml")};
    struct snapshot_input in = {.env = b->services.env, .backends.origins = http_origins_new(), .metrics = metrics_new(1, 16)};
    struct document_cache documents = {0};
    struct diags diags;

    diags_init(&diags, &b->lasting);
    snprintf(b->folder, sizeof(b->folder), "/tmp/headgate-bench-XXXXXX");
    if (!mkdtemp(b->folder))
        die("no temporary folder", NULL);
    put_api(b, "empty", NULL);
    for (size_t i = 0; i < COUNTOF(rows); i++)
        put_api(b, rows[i].name, &rows[i]);
    put(b, "backends/other/backendInformation.json", STR("{\"properties\":{\"url\":\"http://other.example\",\"protocol\":\"http\"}}"));
    put(b, "policy fragments/f/policy.xml", STR("<fragment><set-variable name=\"a\" value=\"b\" /></fragment>"));
    put(b, "client.pem", b->identity_pem);
    source.text = str_printf(&b->lasting, "certificates: [{id: client, file: %s/client.pem}]\n", b->folder);
    if (!config_parse(&source, STR(""), &b->lasting, &b->options, &diags))
        die("headgate.yaml", &diags);
    b->options.artifacts = str_from_c(b->folder);
    b->services.figures = metrics_of_worker(in.metrics, 0);
    if (!store_load(&b->options, 0, &in.model, &diags) || !(b->snapshot = snapshot_new(&in, &documents, &diags)))
        die("the configuration does not load", &diags);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    return remove(path);
}

static void
make_token(struct bench *b)
{
    struct buf text = buf_in(&b->lasting);
    struct jwt_key key;
    struct err err;

    buf_add_lit(&text, "Bearer ");
    if (!jwt_key_from_secret(STR(KEY), STR_NONE, &key, &err) ||
        !jwt_sign(&key, STR("HS256"), STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
                  STR("{\"iss\":\"https://issuer.example\",\"sub\":\"ada\",\"aud\":\"api\",\"roles\":[\"a\",\"b\"],\"exp\":4102444800}"), &text, &err))
        die(err.text, NULL);
    jwt_key_destroy(&key);
    b->token = buf_str(&text);
}

static void
make_entra_token(struct bench *b)
{
    struct buf text = buf_in(&b->lasting), keys = buf_in(&b->lasting);
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    struct jwt_key key;
    struct err err;

    buf_add_lit(&text, "Bearer ");
    buf_add_lit(&keys, "{\"keys\":[");
    if (!pkey || !jwt_key_from_pkey(pkey, STR("k"), &key, &err) || !jwt_key_write_jwk(&key, &keys) ||
        !jwt_sign(&key, STR("ES256"), STR("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"k\"}"),
                  STR("{\"iss\":\"" TENANT_URL "/v2.0\",\"tid\":\"" TENANT "\",\"sub\":\"ada\",\"aud\":\"api\",\"azp\":\"app\",\"exp\":4102444800}"),
                  &text, &err))
        die(err.text, NULL);
    buf_add_lit(&keys, "]}");
    b->entra_token = buf_str(&text);
    b->entra_keys = buf_str(&keys);
    jwt_key_destroy(&key);
    EVP_PKEY_free(pkey);
}

static void
make_identity(struct bench *b)
{
    unsigned char *der = NULL;
    struct identity id = {0};

    identity_create_authority(&id, "ada");
    int n = i2d_X509(id.certificate, &der);
    if (n <= 0)
        die("no certificate", NULL);
    b->certificate = str_dup(&b->lasting, str_from((const char *)der, (size_t)n));
    b->identity_pem = identity_pem(&id, true, &b->lasting);
    OPENSSL_free(der);
    identity_destroy(&id);
}

static struct tls_info
show_certificate(struct stream *s)
{
    return (struct tls_info){.version = "TLSv1.3", .cipher = "", .client_cert_der = CONTAINER_OF(s, struct bench, stream)->certificate};
}

/* The issuer's keys, as if they had been fetched. */
static bool
give_keys(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err)
{
    const struct bench *b = what;
    struct openid *o;

    if (!openid_read_keys(ex->arena, STR(TENANT_URL "/v2.0"), b->entra_keys, &o, err))
        return false;
    *ret = &o->super;
    *ret_life = (struct supply_life){86400000, 86400000};
    return true;
}

static const void *
same(struct arena *a, const void *what)
{
    return what;
}

static void
supply_keys(struct bench *b, struct exchange *ex)
{
    static const struct supply_kind kind = {.name = "openid", .fetch = give_keys, .copy = same, .wait_ms = 1000,
                                            .limits = {.buffered_body_max = 1 << 20, .arena_max = (size_t)8 << 20}};
    static const char *const urls[] = {TENANT_URL "/v2.0/.well-known/openid-configuration", TENANT_URL "/.well-known/openid-configuration"};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < COUNTOF(urls); i++)
        if (!supply_get(ex, supply_entry_get(b->services.supplies, &kind, str_from_c(urls[i])), b, &err))
            die(err.text, NULL);
}

/* --- requests ----------------------------------------------------------------------------------------------------------------- */

/* As front.c leaves an exchange before its plan runs. */
static void
begin_exchange(struct bench *b, struct exchange *ex, struct arena *arena, const struct api *api, const char *method)
{
    static const char *const fields[][2] = {
        {"Host", "api.example"}, {"User-Agent", "curl/8.5.0"}, {"Accept", "application/json"}, {"X-Tenant", "acme"},
        {"Content-Type", "application/json"}, {"X-Request-Id", "5f2c9b6e-7d0a"}, {"Origin", "https://a.example"},
    };
    static const struct route_parameter id = {{"id", 2}, {"7", 1}};
    struct http_headers *headers = arena_new(arena, struct http_headers);

    exchange_init(ex, arena, &b->services, &b->limits, NULL);
    *headers = http_headers_in(arena);
    for (size_t i = 0; i < COUNTOF(fields); i++)
        if (!http_headers_add(headers, str_from_c(fields[i][0]), str_from_c(fields[i][1])))
            abort();
    if (!http_headers_add(headers, STR("Authorization"), b->is_entra ? b->entra_token : b->token))
        abort();
    ex->call = b->shows_certificate ? &b->call : NULL;
    ex->request.headers = headers;
    ex->request.method = str_from_c(method);
    ex->request.path = ex->original_request_path = STR("/things/7");
    snprintf(b->query, sizeof(b->query), "cb=show&n=%u", b->n_requests++);
    ex->request.query = ex->original_url.query = str_from_c(b->query);
    ex->subscription = &b->subscription;
    ex->client_ip = STR("192.0.2.7");
    ex->gateway_base = STR("http://api.example/things");
    ex->model = b->snapshot->model;
    ex->api = api;
    ex->operation = &api->operations[0];
    ex->schemas = b->snapshot->apis[api->index].schemas;
    ex->backends = b->snapshot->backends;
    ex->target = &b->snapshot->backends->apis[api->index];
    ex->parameters = &id;
    ex->n_parameters = 1;
    ex->plan = snapshot_plan(b->snapshot, api, ex->operation, NULL);
}

static void
one_request(struct bench *b, const struct api *api, const char *body, enum place place, bool must_pass)
{
    struct arena arena = ARENA(&b->loop->blocks, ARENA_BYTES);
    struct exchange ex;

    begin_exchange(b, &ex, &arena, api, body && place == INBOUND ? "POST" : "GET");
    if (place == OUTBOUND && !(ex.response = reply_new(&ex)))
        abort();
    if (ex.response && !http_headers_add(ex.response->headers, STR("Content-Type"), STR("application/json")))
        abort();
    if (body)
        content_set(place == OUTBOUND ? &ex.response->content : ex.request.content, str_from_c(body));
    plan_run(&ex);
    if (must_pass && ex.error.source.p)
        die(str_printf(&arena, "%.*s: %.*s", STR_ARG(ex.error.source), STR_ARG(ex.error.message)).p, NULL);
    exchange_close(&ex);
    arena_destroy(&arena);
}

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
sample(struct bench *b, const char *name, const struct row *row)
{
    const struct api *api = model_find_api(b->snapshot->model, str_from_c(name), NULL);
    double from;

    one_request(b, api, row->body, row->place, true); /* what is only made once is not counted */
    from = cpu_ns();
    for (int i = 0; i < RUNS; i++)
        one_request(b, api, row->body, row->place, false);
    return (cpu_ns() - from) / RUNS;
}

/* Both in turn, so that a busy machine is busy for both. */
static void
measure(struct bench *b, const struct row *row)
{
    double empty = 0, full = 0, added;

    b->is_entra = !strcmp(row->name, "validate-azure-ad-token");
    b->shows_certificate = !strcmp(row->name, "validate-client-certificate");
    for (unsigned r = 0; r < b->rounds; r++) {
        double e = sample(b, "empty", row), f = sample(b, row->name, row);

        empty = r == 0 || e < empty ? e : empty;
        full = r == 0 || f < full ? f : full;
    }
    added = full - empty;
    printf("%-22s %8.0f ns", row->name, added);
    if (row->goal_ns > 0)
        printf("   goal %.0f ns%s", row->goal_ns, added <= row->goal_ns ? "" : "   missed");
    printf("\n");
    fflush(stdout);
    b->has_missed |= row->goal_ns > 0 && added > row->goal_ns;
}

static void
run_all(void *arg)
{
    struct bench *b = arg;
    struct arena arena = ARENA(&b->loop->blocks, ARENA_BYTES);
    struct exchange ex;

    begin_exchange(b, &ex, &arena, model_find_api(b->snapshot->model, STR("empty"), NULL), "GET");
    supply_keys(b, &ex);
    exchange_close(&ex);
    arena_destroy(&arena);
    for (size_t i = 0; i < COUNTOF(rows); i++)
        if (!b->only || !strcmp(b->only, rows[i].name))
            measure(b, &rows[i]);
    loop_stop(b->loop);
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct cache_limits limits = {.bytes_max = 2 << 20}; /* soon full: an entry takes the room of another */
    struct err err;

    b.rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 9;
    b.only = argc > 2 ? argv[2] : NULL;
    b.lasting = ARENA(NULL, (size_t)1 << 30);
    b.loop = loop_new(&(struct loop_options){.workers = 1}, &err);
    if (!b.loop || !(b.services.env = context_env_new(&err)))
        die(err.text, NULL);
    b.subscription = (struct subscription){.name = STR("ada"), .state = SUBSCRIPTION_ACTIVE};
    b.services.loop = b.loop;
    b.services.arenas = &b.loop->blocks;
    b.services.rand = &b.loop->rand;
    b.services.tiers = tiers_new(b.loop, cache_new(&limits), 0);
    b.services.counters = counters_new(0);
    b.services.supplies = supplies_new();
    b.services.tokens = token_cache_new((size_t)8 << 20);
    b.limits = (struct exchange_limits){.buffered_body_max = 1 << 20, .arena_max = ARENA_BYTES, .expr = expr_limits_default};
    make_token(&b);
    make_entra_token(&b);
    make_identity(&b);
    static const struct stream_ops shows = {.info = show_certificate};
    b.stream.ops = &shows;
    b.call.stream = &b.stream;
    load(&b);
    b.limits.transform = b.options.transform;
    if (!fiber_start(b.loop, run_all, &b, NULL))
        die("no fiber", NULL);
    loop_run(b.loop);
    nftw(b.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return b.has_missed;
}
