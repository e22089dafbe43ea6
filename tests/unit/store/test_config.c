#include "store/config.c"
#include "test.h"

static struct arena arena = ARENA(NULL, 64 << 20);
static struct diags diags;
static struct options o;

static bool
load(const char *text)
{
    struct source *source = arena_new(&arena, struct source);

    diags_init(&diags, &arena);
    *source = (struct source){STR("conf/headgate.yaml"), str_from_c(text)};
    return config_parse(source, STR("conf"), &arena, &o, &diags);
}

/* The first problem of a text. */
static struct str
problem(const char *text)
{
    return load(text) ? STR("none") : diags_first_error(&diags, &arena);
}

TEST(without_a_file_every_default_is_there)
{
    diags_init(&diags, &arena);
    EXPECT(config_load(NULL, &arena, &o, &diags));
    EXPECT_EQ(o.version, 1);
    EXPECT_EQ(o.n_listeners, 1);
    EXPECT_STR(o.listeners[0].address, "127.0.0.1");
    EXPECT_STR(o.listeners[0].name, "127.0.0.1:8080");
    EXPECT_EQ(o.listeners[0].port, 8080);
    EXPECT_EQ(o.listeners[0].unix_mode, 0660);
    EXPECT(!o.listeners[0].is_tls);
    EXPECT_EQ(o.limits.head_bytes, 65536);
    EXPECT_EQ(o.timeouts.head_ms, 10000);
    EXPECT_EQ(o.upstream.first_byte_ms, 300000);
    EXPECT_EQ(o.cache_memory.bytes, 256 << 20);
    EXPECT(o.gateway_log.sampling == 100.0);
    EXPECT_STR(o.service.deployment.gateway_id, "managed");
    EXPECT_EQ(diags.errors + diags.warnings, 0);
}

TEST(an_empty_file_is_as_good_as_none)
{
    EXPECT(load(""));
    EXPECT(load("# nothing\n"));
    EXPECT_EQ(o.n_listeners, 1);
}

TEST(keys_of_every_type_are_read)
{
    EXPECT(load("workers: 3\n"
                "artifacts: apis\n"
                "state: /var/lib/headgate\n"
                "listeners:\n"
                "- {address: '::1', port: 0, http2: false}\n"
                "- address: unix:/run/h.sock\n"
                "  unix-mode: 600\n"
                "- port: 8443\n"
                "  tls:\n"
                "    client-certificates: ask\n"
                "    certificates: [{certificate: a.pem, names: [a.example, '*.b.example']}]\n"
                "limits: {body: 2MiB, head-fields: 50}\n"
                "timeouts: {head: 500ms}\n"
                "gateway-log: {sampling: 12.5, sinks: [{kind: file, path: /var/log/x}]}\n"
                "forwarding: {trusted-proxies: [10.0.0.0/8, '::1', unix]}\n"
                "resolve: {'login.example.org:443': '127.0.0.1:9443'}\n"
                "trust: ca.pem\n"
                "apis:\n"
                "  '*': {compress: true}\n"
                "  shop: {hosts: [shop.example], cache: {on-publish: purge}}\n"));
    EXPECT_EQ(diags.errors, 0);
    EXPECT_EQ(o.workers, 3);
    EXPECT_STR(o.artifacts, "conf/apis");
    EXPECT_STR(o.state, "/var/lib/headgate");
    EXPECT_EQ(o.n_listeners, 3);
    EXPECT_STR(o.listeners[0].name, "[::1]:0");
    EXPECT(!o.listeners[0].http2);
    EXPECT_STR(o.listeners[1].name, "unix:/run/h.sock");
    EXPECT_EQ(o.listeners[1].unix_mode, 0600);
    EXPECT(o.listeners[2].is_tls);
    EXPECT_EQ(o.listeners[2].tls.client_certificates, CLIENT_CERTIFICATES_ASK);
    EXPECT(o.listeners[2].tls.tickets);
    EXPECT_STR(o.listeners[2].tls.certificates[0].certificate, "conf/a.pem");
    EXPECT_STR(o.listeners[2].tls.certificates[0].names.v[1], "*.b.example");
    EXPECT_EQ(o.limits.body_bytes, 2 << 20);
    EXPECT_EQ(o.limits.head_fields, 50);
    EXPECT_EQ(o.timeouts.head_ms, 500);
    EXPECT(o.gateway_log.sampling == 12.5);
    EXPECT_EQ(o.gateway_log.sinks[0].kind, LOG_SINK_FILE);
    EXPECT_EQ(o.forwarding.trusted_proxies.n, 3);
    EXPECT_STR(o.service.resolve.v[0].name, "login.example.org:443");
    EXPECT_STR(o.service.trust.v[0], "conf/ca.pem");
    EXPECT_EQ(o.service.n_apis, 2);
    EXPECT_STR(o.service.apis[1].name, "shop");
    EXPECT_EQ(o.service.apis[1].cache.on_publish, 1);
    EXPECT(o.service.apis[1].cache.collapse);
    EXPECT(o.service.apis[0].compress);
}

TEST(warming_after_a_publish_has_a_rate)
{
    EXPECT_STR(problem("apis: {shop: {cache: {on-publish: warm, warm-rate: 0}}}\n"),
               "conf/headgate.yaml:1:52: `warm-rate`: 0 is below 1");
}

TEST(an_unknown_key_is_refused_with_the_nearest_name)
{
    EXPECT_STR(problem("workes: 3\n"), "conf/headgate.yaml:1:1: no key `workes` here; did you mean `workers`?");
    EXPECT_STR(problem("limits:\n  bodyy: 1\n"), "conf/headgate.yaml:2:3: no key `bodyy` here; did you mean `body`?");
    EXPECT_STR(problem("listeners: [{adress: '::'}]\n"),
               "conf/headgate.yaml:1:14: no key `adress` here; did you mean `address`?");
    EXPECT_STR(problem("banana: 3\n"), "conf/headgate.yaml:1:1: no key `banana` here");
    EXPECT_STR(problem("x-mine: &a {head: 1s}\ntimeouts: *a\n"), "none");
}

TEST(a_wrong_type_is_refused_with_its_place)
{
    EXPECT_STR(problem("workers: many\n"), "conf/headgate.yaml:1:10: `workers`: expected a number, found 'many'");
    EXPECT_STR(problem("workers: [1]\n"), "conf/headgate.yaml:1:10: `workers`: expected a number, found a list");
    EXPECT_STR(problem("limits: 5\n"), "conf/headgate.yaml:1:9: `limits`: expected a map of keys, found a number");
    EXPECT_STR(problem("listeners: {port: 1}\n"), "conf/headgate.yaml:1:12: `listeners`: expected a list, found a map");
    EXPECT_STR(problem("listeners: [8080]\n"),
               "conf/headgate.yaml:1:13: `listeners`: expected a map of keys, found a number");
    EXPECT_STR(problem("log: {level: loud}\n"),
               "conf/headgate.yaml:1:14: `level`: expected one of debug|info|warn|error, found 'loud'");
    EXPECT_STR(problem("timeouts: {head: 10 years}\n"),
               "conf/headgate.yaml:1:18: `head`: expected a duration such as 10s, found '10 years'");
    EXPECT_STR(problem("- a\n"), "conf/headgate.yaml:1:1: expected a map of keys, found a list");
}

TEST(values_are_checked_where_they_stand)
{
    EXPECT_STR(problem("listeners: [{address: localhost}]\n"),
               "conf/headgate.yaml:1:23: `address`: expected an IP address or unix:PATH, found 'localhost'");
    EXPECT_STR(problem("apis: {a: {hosts: [a.example, '*.b.example', 127.0.0.1, '::1', 'https://c.example']}}\n"),
               "conf/headgate.yaml:1:64: `hosts`: expected a host name alone, in ASCII, such as api.example.org or *.example.org, found "
               "'https://c.example'");
    EXPECT_STR(problem("apis: {a: {hosts: 'a.example:443'}}\n"),
               "conf/headgate.yaml:1:19: `hosts`: expected a host name alone, in ASCII, such as api.example.org or *.example.org, found "
               "'a.example:443'");
    EXPECT_STR(problem("listeners: [{address: 'unix:@gateway'}]\n"),
               "conf/headgate.yaml:1:23: `address`: sockets with abstract names are not supported, as no mode guards them; expected "
               "unix:PATH, found 'unix:@gateway'");
    EXPECT_STR(problem("resolve: {a: 'unix:@b'}\n"), "conf/headgate.yaml:1:14: `resolve`: expected ADDRESS:PORT, found 'unix:@b'");
    EXPECT_STR(problem("listeners: [{port: 70000}]\n"), "conf/headgate.yaml:1:20: `port`: '70000' is above 65535");
    EXPECT_STR(problem("limits: {head-fields: 0}\n"), "conf/headgate.yaml:1:23: `head-fields`: 0 is below 8");
    EXPECT_STR(problem("version: 2\n"), "conf/headgate.yaml:1:10: `version`: '2' is above 1");
    EXPECT_STR(problem("resolve: {a: b}\n"), "conf/headgate.yaml:1:14: `resolve`: expected ADDRESS:PORT, found 'b'");
    EXPECT_STR(problem("forwarding: {trusted-proxies: [10.0.0.0/33]}\n"),
               "conf/headgate.yaml:1:32: `trusted-proxies`: expected an address, a network such as 10.0.0.0/8, or unix, "
               "found '10.0.0.0/33'");
    EXPECT_STR(problem("gateway-log: {sampling: 101}\n"), "conf/headgate.yaml:1:25: `sampling`: '101' is above 100");
}

TEST(secrets_come_from_the_environment_or_a_file)
{
    setenv("HEADGATE_TEST_SECRET", "s3cret", 1);
    unsetenv("HEADGATE_TEST_NONE");
    EXPECT(load("named-values:\n  a: {value: env:HEADGATE_TEST_SECRET}\n  b: {value: plain, secret: false}\n"));
    EXPECT_STR(o.service.named_values[0].value.value, "s3cret");
    EXPECT_STR(o.service.named_values[0].value.reference, "env:HEADGATE_TEST_SECRET");
    EXPECT_STR(o.service.named_values[1].value.value, "plain");
    EXPECT_EQ(diags.warnings, 1);
    EXPECT_STR(problem("named-values: {a: {value: env:HEADGATE_TEST_NONE}}\n"),
               "conf/headgate.yaml:1:27: environment variable `HEADGATE_TEST_NONE` is not set");
    EXPECT(!load("named-values: {a: {value: 'file:/nonexistent/x'}}\n"));
}

TEST(the_reference_lists_every_key)
{
    struct buf out = buf_in(&arena);

    config_reference(&out);
    for (size_t i = 0; i < COUNTOF(keys); i++)
        EXPECT(str_find(buf_str(&out), str_printf(&arena, "| `%s` | ", keys[i].name), 0) >= 0);
    EXPECT(str_find(buf_str(&out), STR("| `min-version` | `1.2`, `1.3` | `1.2` |"), 0) > 0);
}

TEST(every_default_stands_in_its_own_range)
{
    for (size_t i = 0; i < COUNTOF(keys); i++) {
        uint32_t n;
        if (keys[i].type == KEY_NUMBER && !parse_number(&keys[i], str_from_c(keys[i].fallback), &n, NULL))
            TEST_FAIL("%s: default %s", keys[i].name, keys[i].fallback);
    }
}
