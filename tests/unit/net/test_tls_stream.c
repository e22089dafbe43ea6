/* test_tls_stream.c: listener, handshakes, certificates by name, resumption, client certificates, over loopback.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/ssl.h>

/* How many connections OpenSSL was asked for. */
static int n_made;

static SSL *
counted_new(SSL_CTX *context)
{
    n_made++;
    return SSL_new(context);
}

#define SSL_new counted_new
#include "net/tls_stream.c"
#undef SSL_new

#include "net/certs.h"
#include "net/listener.h"
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

/* One loop holds both sides. The server side answers each read with the same bytes. */
struct rig {
    struct clock clock;
    struct loop *loop;
    struct test_cert ca, ca2, plain, wild, client, expired;
    struct tls_identity identities[2];
    struct tls_tickets *tickets;
    struct tls_server_options options;
    struct tls_server *server;
    struct listener *listener;
    struct conn_limits *limits;
    struct addr at;
    struct stream *served;               /* the last accepted */
    struct tls_info served_info;
    char served_name[64];
    int n_served;
    bool is_done;
};

static void
on_served_readable(struct stream *s, void *ctx)
{
    char buf[4096];
    int64_t n = stream_try_read(s, buf, sizeof(buf));

    if (n > 0)
        EXPECT_EQ(stream_try_write(s, buf, (size_t)n), n);
    if (n < 0 && n != IO_AGAIN) {
        struct rig *r = ctx;
        if (r->served == s)
            r->served = NULL;
        stream_close(s);
        return;
    }
    stream_when_readable(s, on_served_readable, ctx);
}

/* What a handshake of TLS 1.3 agreed on by a fresh key is not to be had from memory afterwards. */
static bool
is_key_gone(SSL *ssl)
{
    unsigned char secret[64];
    size_t len = sizeof(secret);
    EVP_PKEY *key = NULL;
    bool is_there = SSL_get_tmp_key(ssl, &key) && EVP_PKEY_get_raw_private_key(key, secret, &len) == 1;

    EVP_PKEY_free(key);
    ERR_clear_error();
    return !is_there;
}

static void
on_stream(void *ctx, struct stream *s)
{
    struct rig *r = ctx;

    r->served = s;
    r->n_served++;
    EXPECT(is_key_gone(CONTAINER_OF(s, struct tls_stream, super)->ssl));
    r->served_info = stream_tls_info(s);
    snprintf(r->served_name, sizeof(r->served_name), "%.*s", STR_ARG(r->served_info.server_name));
    stream_when_readable(s, on_served_readable, r);
}

static void
rig_open(struct rig *r, enum tls_client_cert client_cert)
{
    struct err err = ERR_INIT;

    memset(r, 0, sizeof(*r));
    r->loop = loop_new(&(struct loop_options){.clock = &r->clock}, &err);
    r->ca = test_cert_make("test authority", NULL, NULL, 30);
    r->ca2 = test_cert_make("other authority", NULL, NULL, 30);
    r->plain = test_cert_make("a.test", "DNS:a.test,IP:127.0.0.1", &r->ca, 30);
    r->wild = test_cert_make("b.test", "DNS:*.b.test", &r->ca, 30);
    r->client = test_cert_make("somebody", NULL, &r->ca, 30);
    r->expired = test_cert_make("a.test", "DNS:a.test", &r->ca, -1);
    r->identities[0] = test_identity(&r->plain);
    r->identities[1] = test_identity(&r->wild);
    r->tickets = tls_tickets_new(&r->clock, 100);
    r->limits = conn_limits_new(100, 50);
    r->options = (struct tls_server_options){.listener = "main", .identities = r->identities, .n_identities = 2,
        .rules = {client_cert, client_cert ? buf_str(&r->ca.cert_pem) : STR_NONE},
        .http2 = true, .tickets = r->tickets};
    EXPECT((r->server = tls_server_new(&r->options, &err)) != NULL);
    struct addr at;
    EXPECT_OK(addr_parse(STR("127.0.0.1:0"), 0, &at, &err));
    int fd = listener_bind(&at, 0, 0, true, &err);
    EXPECT(fd >= 0);
    r->listener = listener_new(r->loop, &(struct listener_options){.addr = at, .fd = fd, .tls = r->server,
        .limits = r->limits, .on_stream = on_stream, .ctx = r}, &err);
    EXPECT(r->listener != NULL);
    r->at = listener_addr(r->listener);
}

static void
rig_close(struct rig *r)
{
    for (int i = 0; i < 20; i++)
        loop_turn(r->loop, 1);
    if (r->served)
        stream_close(r->served);
    EXPECT_EQ(listener_stats(r->listener).open, 0);
    EXPECT_EQ(conn_limits_total(r->limits), 0);
    listener_delete(r->listener);
    conn_limits_delete(r->limits);
    tls_server_unref(r->server);
    tls_tickets_unref(r->tickets);
    loop_delete(r->loop);
    test_cert_free(&r->ca);
    test_cert_free(&r->ca2);
    test_cert_free(&r->plain);
    test_cert_free(&r->wild);
    test_cert_free(&r->client);
    test_cert_free(&r->expired);
}

struct visit {
    struct rig *rig;
    struct tls_client *client;
    const char *name;
    enum tls_offer offer;
    size_t bytes;                        /* to send and get back; 0: "hello" */
    /* Results. */
    bool ok, is_resumed;
    char alpn[16], cn[64];
    struct err err;
};

static struct stream *
dial(struct rig *r)
{
    union addr_socket a;
    socklen_t len = addr_to_sockaddr(&r->at, &a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    EXPECT_EQ(connect(fd, &a.sa, len), 0);
    EXPECT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    struct stream *s = stream_from_fd(r->loop, fd, NULL);
    s->peer = r->at;
    return s;
}

static void
visit(void *arg)
{
    struct visit *v = arg;
    uint64_t deadline = loop_deadline(v->rig->loop, 5000);
    struct stream *s = tls_connect(v->client, dial(v->rig), str_from_c(v->name), v->offer, deadline, &v->err);
    char got[100];

    if (s) {
        EXPECT_EQ(stream_write(s, "hello", 5, deadline), IO_OK);
        int64_t n = stream_read(s, got, sizeof(got), deadline);
        v->ok = n == 5 && memcmp(got, "hello", 5) == 0;
        EXPECT(is_key_gone(CONTAINER_OF(s, struct tls_stream, super)->ssl));
        struct tls_info info = stream_tls_info(s);
        v->is_resumed = info.is_resumed;
        snprintf(v->alpn, sizeof(v->alpn), "%.*s", STR_ARG(info.alpn));
        X509 *cert = SSL_get0_peer_certificate(CONTAINER_OF(s, struct tls_stream, super)->ssl);
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, v->cn, sizeof(v->cn));
        stream_close(s);
    }
    v->rig->is_done = true;
}

static void
run_visit(struct visit *v)
{
    loop_turn(v->rig->loop, 0);          /* sees a clock that was moved */
    v->rig->is_done = false;
    EXPECT(fiber_start(v->rig->loop, visit, v, NULL));
    for (int i = 0; i < 2000 && !v->rig->is_done; i++)
        loop_turn(v->rig->loop, 10);
    EXPECT(v->rig->is_done);
}

static struct tls_client *
new_client(struct rig *r, struct tls_client_options o)
{
    struct err err = ERR_INIT;
    struct tls_client *c;

    if (!o.extra_ca_pem.p)
        o.extra_ca_pem = buf_str(&r->ca.cert_pem);
    o.no_system_store = true;
    c = tls_client_new(&o, &err);
    EXPECT(c != NULL);
    return c;
}

TEST(the_certificate_is_chosen_by_name)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    static const struct { const char *name, *cn; } rows[] = {
        {"a.test", "a.test"}, {"x.b.test", "b.test"}, {"127.0.0.1", "a.test"}, {"A.Test", "a.test"}, {"a.test.", "a.test"}};

    for (size_t i = 0; i < COUNTOF(rows); i++) {
        struct visit v = {.rig = &r, .client = c, .name = rows[i].name, .offer = TLS_OFFER_EITHER};
        run_visit(&v);
        EXPECT(v.ok);
        EXPECT_STR(str_from_c(v.cn), rows[i].cn);
        EXPECT_STR(str_from_c(v.alpn), "h2");
    }
    tls_client_unref(c);
    rig_close(&r);
}

TEST(what_is_spoken_is_among_what_was_offered)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    static const char *const spoken[] = {[TLS_OFFER_HTTP1] = "http/1.1", [TLS_OFFER_EITHER] = "h2", [TLS_OFFER_HTTP2] = "h2"};

    for (size_t i = 0; i < COUNTOF(spoken) * 2; i++) { /* the second round resumes sessions that spoke something else */
        struct visit v = {.rig = &r, .client = c, .name = "a.test", .offer = (enum tls_offer)(i % COUNTOF(spoken))};
        run_visit(&v);
        EXPECT(v.ok);
        EXPECT_STR(str_from_c(v.alpn), spoken[v.offer]);
    }
    tls_client_unref(c);
    rig_close(&r);
}

TEST(a_wrong_name_and_an_unknown_authority_are_refused_with_the_reason)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct tls_client *stranger = new_client(&r, (struct tls_client_options){.extra_ca_pem = buf_str(&r.ca2.cert_pem)});
    struct tls_client *no_name = new_client(&r, (struct tls_client_options){.no_verify_name = true});
    struct tls_client *no_chain = new_client(&r,
        (struct tls_client_options){.no_verify_chain = true, .extra_ca_pem = buf_str(&r.ca2.cert_pem)});
    struct visit v = {.rig = &r, .client = c, .name = "c.test"};

    run_visit(&v);
    EXPECT(!v.ok);
    EXPECT_EQ(v.err.code, ERR_TLS);
    EXPECT(strstr(v.err.text, "hostname mismatch") != NULL);
    v = (struct visit){.rig = &r, .client = stranger, .name = "a.test"};
    run_visit(&v);
    EXPECT(!v.ok);
    EXPECT(strstr(v.err.text, "unable to get local issuer") != NULL);
    v = (struct visit){.rig = &r, .client = no_name, .name = "c.test"};
    run_visit(&v);
    EXPECT(v.ok);
    v = (struct visit){.rig = &r, .client = no_chain, .name = "a.test"};
    run_visit(&v);
    EXPECT(v.ok);
    v = (struct visit){.rig = &r, .client = no_chain, .name = "c.test"};
    run_visit(&v);
    EXPECT(!v.ok);
    tls_client_unref(c);
    tls_client_unref(stranger);
    tls_client_unref(no_name);
    tls_client_unref(no_chain);
    rig_close(&r);
}

TEST(sessions_are_resumed_and_rotate_away)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = c, .name = "a.test"};

    run_visit(&v);
    EXPECT(v.ok && !v.is_resumed);
    run_visit(&v);
    EXPECT(v.ok && v.is_resumed);
    clock_advance(&r.clock, INT64_C(150) * 1000000000);      /* an old key opens still */
    run_visit(&v);

    EXPECT(v.ok && v.is_resumed);
    clock_advance(&r.clock, INT64_C(400) * 1000000000);      /* all keys are gone */
    run_visit(&v);
    EXPECT(v.ok && !v.is_resumed);
    tls_client_unref(c);
    rig_close(&r);
}

TEST(a_session_of_one_host_is_not_resumed_on_another)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = c, .name = "a.test"};

    run_visit(&v);
    EXPECT(v.ok);
    /* The client is made to offer the ticket of a.test to x.b.test. */
    char key[32];
    snprintf(key, sizeof(key), "a.test:%u", r.at.port);
    struct tls_sessions *kept = map_remove(&c->sessions, str_from_c(key));
    EXPECT(kept && kept->n == 1);
    snprintf(key, sizeof(key), "x.b.test:%u", r.at.port);
    map_set_copy(&c->sessions, str_from_c(key), kept);
    v.name = "x.b.test";
    run_visit(&v);
    EXPECT(v.ok && !v.is_resumed);
    tls_client_unref(c);
    rig_close(&r);
}

TEST(a_required_client_certificate_is_asked_for_and_checked)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_REQUIRE);
    struct tls_identity id = test_identity(&r.client);
    struct tls_client *with = new_client(&r, (struct tls_client_options){.identity = &id, .tls12_off = false});
    struct tls_client *without = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = with, .name = "a.test"};

    run_visit(&v);
    EXPECT(v.ok);
    EXPECT(r.served_info.is_client_cert_ok);
    EXPECT(r.served_info.client_cert_der.len > 100);
    run_visit(&v);
    EXPECT(v.ok && v.is_resumed);
    EXPECT(r.served_info.is_client_cert_ok);     /* the certificate came along with the session */
    v = (struct visit){.rig = &r, .client = without, .name = "a.test"};
    run_visit(&v);
    EXPECT(!v.ok);
    tls_client_unref(with);
    tls_client_unref(without);
    rig_close(&r);
}

TEST(a_requested_client_certificate_may_be_missing_or_unknown)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_REQUEST);
    struct test_cert foreign = test_cert_make("foreign", NULL, &r.ca2, 30);
    struct tls_identity id = test_identity(&foreign);
    struct tls_client *with = new_client(&r, (struct tls_client_options){.identity = &id});
    struct tls_client *without = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = with, .name = "a.test"};

    run_visit(&v);
    EXPECT(v.ok);
    EXPECT(!r.served_info.is_client_cert_ok);
    v = (struct visit){.rig = &r, .client = without, .name = "a.test"};
    run_visit(&v);
    EXPECT(v.ok);
    EXPECT_EQ(r.served_info.client_cert_der.len, 0);
    tls_client_unref(with);
    tls_client_unref(without);
    test_cert_free(&foreign);
    rig_close(&r);
}

TEST(names_can_ask_for_other_client_certificates)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client_rules rules = {TLS_CLIENT_CERT_REQUIRE, buf_str(&r.ca.cert_pem)};
    struct tls_identity id = test_identity(&r.client);
    struct tls_client *with = new_client(&r, (struct tls_client_options){.identity = &id, .tls12_off = false});
    struct tls_client *without = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = without, .name = "x.b.test"};
    struct err err;

    r.identities[1].rules = &rules;
    EXPECT_OK(tls_server_reload(r.server, &r.options, &err));
    run_visit(&v);
    EXPECT(!v.ok);
    v = (struct visit){.rig = &r, .client = without, .name = "a.test"};
    run_visit(&v);
    EXPECT(v.ok && r.served_info.client_cert_der.len == 0);
    EXPECT(tls_stream_is_misdirected(r.served, STR("x.b.test")));
    EXPECT(!tls_stream_is_misdirected(r.served, STR("a.test")) && !tls_stream_is_misdirected(r.served, STR("other.test")));
    v = (struct visit){.rig = &r, .client = with, .name = "x.b.test"};
    run_visit(&v);
    EXPECT(v.ok && r.served_info.is_client_cert_ok);
    EXPECT(tls_stream_is_misdirected(r.served, STR("a.test")) && !tls_stream_is_misdirected(r.served, STR("y.b.test")));
    run_visit(&v);
    EXPECT(v.ok && v.is_resumed && r.served_info.is_client_cert_ok);
    tls_client_unref(with);
    tls_client_unref(without);
    rig_close(&r);
}

TEST(certificates_are_reloaded_under_a_running_listener)
{
    struct rig r;
    struct err err = ERR_INIT;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct test_cert fresh = test_cert_make("fresh", "DNS:a.test", &r.ca, 30);
    struct tls_identity mixed = {.cert = buf_str(&fresh.cert_pem), .key = buf_str(&r.plain.key_pem)};
    struct tls_server_options o = r.options;

    o.identities = &mixed;
    o.n_identities = 1;
    EXPECT_ERR(tls_server_reload(r.server, &o, &err), ERR_TLS);
    EXPECT(strstr(err.text, "certificate 1: the private key does not belong") != NULL);
    mixed = test_identity(&fresh);
    EXPECT_OK(tls_server_reload(r.server, &o, &err));
    struct visit v = {.rig = &r, .client = c, .name = "a.test"};
    run_visit(&v);
    EXPECT(v.ok);
    EXPECT_STR(str_from_c(v.cn), "fresh");
    tls_client_unref(c);
    test_cert_free(&fresh);
    rig_close(&r);
}

TEST(a_client_that_says_nothing_is_closed_at_the_deadline)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct stream *s = dial(&r);
    char byte;

    n_made = 0;
    for (int i = 0; i < 5; i++)
        loop_turn(r.loop, 1);
    EXPECT_EQ(listener_stats(r.listener).open, 2);           /* the stream, and the handshake's hold */
    EXPECT_EQ(n_made, 0);                                    /* nor does it cost OpenSSL's memory */
    clock_advance(&r.clock, INT64_C(11) * 1000000000);
    for (int i = 0; i < 5; i++)
        loop_turn(r.loop, 1);
    EXPECT_EQ(listener_stats(r.listener).timed_out, 1);
    EXPECT_EQ(stream_try_read(s, &byte, 1), IO_EOF);
    stream_close(s);
    rig_close(&r);
}

TEST(what_is_no_record_is_openssl_s_to_refuse_at_its_first_bytes)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool is_refused;                 /* at once; of the others OpenSSL wants more */
    } starts[] = {
        {"G", 1, false}, {"GET / HTTP/1.1\r\n\r\n", 18, true}, {"\x80\x2e\x01", 3, false}, {"\x80\x2e\x01\x03\x01\x00", 6, false},
        {"\x16\x03\x01\xff\xff", 5, true}, {"\x16\x03\x01\x00\x00", 5, false},
    };

    for (size_t i = 0; i < COUNTOF(starts); i++) {
        struct rig r;
        rig_open(&r, TLS_CLIENT_CERT_NONE);
        struct stream *s = dial(&r);

        n_made = 0;
        EXPECT_EQ(stream_try_write(s, starts[i].bytes, starts[i].n), (int64_t)starts[i].n);
        for (int turn = 0; turn < 20; turn++)
            loop_turn(r.loop, 1);
        EXPECT_EQ(listener_stats(r.listener).tls_failed, starts[i].is_refused);
        EXPECT_EQ(n_made, 1);
        clock_advance(&r.clock, INT64_C(11) * 1000000000);
        for (int turn = 0; turn < 5; turn++)
            loop_turn(r.loop, 1);
        EXPECT_EQ(listener_stats(r.listener).open, 0);
        stream_close(s);
        rig_close(&r);
    }
}

TEST(a_client_that_says_half_a_word_is_closed_at_the_deadline)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct stream *s = dial(&r);
    char byte;

    n_made = 0;
    for (int i = 0; i < 200; i++) {      /* a record of 512 bytes */
        const char head[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01};
        EXPECT_EQ(stream_try_write(s, &head[MIN((size_t)i, sizeof(head) - 1)], 1), 1);
        loop_turn(r.loop, 1);
    }
    EXPECT_EQ(n_made, 0);
    EXPECT_EQ(listener_stats(r.listener).open, 2);
    clock_advance(&r.clock, INT64_C(11) * 1000000000);
    for (int i = 0; i < 5; i++)
        loop_turn(r.loop, 1);
    EXPECT_EQ(listener_stats(r.listener).timed_out, 1);
    EXPECT_EQ(stream_try_read(s, &byte, 1), IO_EOF);
    stream_close(s);
    rig_close(&r);
}

/* --- large transfers through a socket that takes little at a time --- */

struct bulk {
    struct rig *rig;
    struct tls_client *client;
    size_t total;
    size_t got;
    bool is_right;
};

static void
drain_and_check(struct stream *s, void *ctx)
{
    struct bulk *b = ctx;
    unsigned char buf[3000];
    int64_t n;

    while ((n = stream_try_read(s, buf, sizeof(buf))) > 0)
        for (int64_t i = 0; i < n; i++, b->got++)
            b->is_right &= buf[i] == (unsigned char)(b->got * 7 + b->got / 1000);
    if (n == IO_AGAIN) {
        stream_when_readable(s, drain_and_check, b);
        return;
    }
    EXPECT_EQ(n, IO_EOF);
    stream_close(s);
    b->rig->served = NULL;
}

static void
bulk_send(void *arg)
{
    struct bulk *b = arg;
    struct rig *r = b->rig;
    struct stream *plain = dial(r);
    int small = 8192;
    setsockopt(plain->io.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    struct stream *s = tls_connect(b->client, plain, STR("a.test"), TLS_OFFER_HTTP1, loop_deadline(r->loop, 5000), NULL);
    unsigned char *data = xmalloc(b->total);

    EXPECT(s != NULL);
    for (size_t i = 0; i < b->total; i++)
        data[i] = (unsigned char)(i * 7 + i / 1000);
    while (!r->served)
        fiber_yield(NULL);
    stream_when_readable(r->served, drain_and_check, b);
    struct iovec v[4] = {{data, 5}, {data + 5, 20000}, {data + 20005, 0}, {data + 20005, b->total - 20005}};
    EXPECT_EQ(stream_writev(s, v, 4, loop_deadline(r->loop, 20000)), IO_OK);
    stream_close_gently(s, 65536, 5000);         /* the ticket, unread, would make close() a reset */
    free(data);
    r->is_done = true;
}

TEST(a_megabyte_arrives_whole_through_a_narrow_socket)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct bulk b = {.rig = &r, .client = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE}), .total = 1 << 20, .is_right = true};

    EXPECT(fiber_start(r.loop, bulk_send, &b, NULL));
    for (int i = 0; i < 5000 && (!r.is_done || b.got < b.total); i++)
        loop_turn(r.loop, 10);
    EXPECT_EQ(b.got, b.total);
    EXPECT(b.is_right);
    tls_client_unref(b.client);
    rig_close(&r);
}

/* --- how deep it goes --- */

TEST(a_connection_by_name_over_tls_stays_within_the_stack_that_is_kept)
{
    struct rig r;
    rig_open(&r, TLS_CLIENT_CERT_NONE);
    struct tls_client *c = new_client(&r, (struct tls_client_options){.extra_ca_pem = STR_NONE});
    struct visit v = {.rig = &r, .client = c, .name = "a.test"};

    run_visit(&v);                       /* what is done once a process comes first */
    fiber_measure_depth(r.loop, true);
    for (int i = 0; i < 2; i++) {
        v = (struct visit){.rig = &r, .client = c, .name = i ? "x.b.test" : "a.test"};
        run_visit(&v);
        EXPECT(v.ok);
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
    if (fiber_stats(r.loop).deepest_bytes >= 16384)
        TEST_FAIL("%u bytes of stack", fiber_stats(r.loop).deepest_bytes);
#endif
    tls_client_unref(c);
    rig_close(&r);
}
