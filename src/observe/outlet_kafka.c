/* outlet_kafka.c: one producer of librdkafka for a logger. Event Hubs speak Kafka: SASL PLAIN with `$ConnectionString` as the name and
 * the connection string as the password, or a token of an identity (OAUTHBEARER).
 *
 * kafka_put() copies into librdkafka's bounded queue and never waits. Its threads talk to brokers; what they have to say (delivery,
 * errors, a wish for a token) is an event of the main queue, which wakes the outlets' thread through their event_fd.
 * SPDX-License-Identifier: Apache-2.0 */
#include <librdkafka/rdkafka.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "model/model.h"
#include "observe/outlet_internal.h"

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define MESSAGES_MAX "1000000"            /* beside the bound in bytes */
#define CLOSE_POLLS 50u

struct kafka_outlet {
    struct outlet *outlet;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *main_queue;
    atomic_bool wants_token;
};

/* ---- callbacks ---- */

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_outlet *k = opaque;

    outlet_count_end(k->outlet, m->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (m->err)
        outlet_warn(k->outlet, "a message was not delivered", rd_kafka_err2str(m->err));
}

static void
on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    struct kafka_outlet *k = opaque;

    outlet_warn(k->outlet, k->outlet->target.servers.p, reason);
}

/* Its own lines say nothing that on_error does not. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *line)
{
}

static void
on_token_wanted(rd_kafka_t *rk, const char *config, void *opaque)
{
    struct kafka_outlet *k = opaque;

    atomic_store(&k->wants_token, true);
}

static const struct resolve_rule *
find_rule(const struct outlet *o, const char *host, const char *service)
{
    int port = service ? atoi(service) : 0;

    for (uint32_t i = 0; i < o->n_resolve; i++)
        if (str_eq_nocase(o->resolve[i].host, str_from_c(host)) && (!o->resolve[i].port || o->resolve[i].port == port))
            return &o->resolve[i];
    return NULL;
}

/* getaddrinfo() behind `resolve:`. Runs on a thread of librdkafka's. */
static int
on_resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **res, void *opaque)
{
    struct kafka_outlet *k = opaque;
    const struct resolve_rule *rule;
    char port[16];

    if (!host && !service && !hints) {
        freeaddrinfo(*res);
        return 0;
    }
    rule = find_rule(k->outlet, host, service);
    if (!rule)
        return getaddrinfo(host, service, hints, res);
    snprintf(port, sizeof(port), "%u", rule->to_port);
    return getaddrinfo(rule->address.p, rule->to_port ? port : service, hints, res);
}

/* ---- configuration ---- */

static bool
set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char text[256];

    return rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK || err_set(err, ERR_INVALID, "%s", text);
}

static bool
set_number(rd_kafka_conf_t *conf, const char *name, uint64_t value, struct err *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return set(conf, name, text, err);
}

/* The system's certificates and ours: one text replaces the default in librdkafka. */
static bool
set_trust(rd_kafka_conf_t *conf, struct str extra, struct err *err)
{
    struct buf all AUTO(buf_destroy) = BUF_INIT;

    if (!extra.len)
        return true;
    if (!file_read(SYSTEM_CA_FILE, (size_t)8 << 20, &all, NULL))
        buf_clear(&all);
    buf_add_char(&all, '\n');
    buf_add_str(&all, extra);
    return set(conf, "ssl.ca.pem", buf_str(&all).p, err);
}

static bool
set_security(rd_kafka_conf_t *conf, const struct logger_target *t, struct str extra_ca_pem, struct err *err)
{
    bool has_sasl = t->username.len || t->resource.len;
    const char *protocol = has_sasl ? t->is_tls ? "sasl_ssl" : "sasl_plaintext" : t->is_tls ? "ssl" : "plaintext";

    if (!set(conf, "security.protocol", protocol, err) || (t->is_tls && !set_trust(conf, extra_ca_pem, err)))
        return false;
    if (t->resource.len) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
        return set(conf, "sasl.mechanism", "OAUTHBEARER", err);
    }
    return !t->username.len || (set(conf, "sasl.mechanism", "PLAIN", err) && set(conf, "sasl.username", t->username.p, err) &&
                                set(conf, "sasl.password", t->password.p, err));
}

/* Times as the service asks of its clients: it closes connections that are idle for 4 minutes. */
static bool
configure(rd_kafka_conf_t *conf, struct kafka_outlet *k, struct str extra_ca_pem, struct err *err)
{
    const struct logger_target *t = &k->outlet->target;

    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_resolve_cb(conf, on_resolve);
    return set(conf, "bootstrap.servers", t->servers.p, err) && set(conf, "client.id", "headgate", err) &&
           set(conf, "queue.buffering.max.messages", MESSAGES_MAX, err) &&
           set_number(conf, "queue.buffering.max.kbytes", MAX(t->queue_bytes / 1024, 1u), err) &&
           set_number(conf, "message.timeout.ms", MAX(t->timeout_ms, 1u), err) && set(conf, "linger.ms", "5", err) &&
           set(conf, "partitioner", "murmur2_random", err) && set(conf, "socket.keepalive.enable", "true", err) &&
           set(conf, "metadata.max.age.ms", "180000", err) && set(conf, "connections.max.idle.ms", "180000", err) &&
           set_security(conf, t, extra_ca_pem, err);
}

bool
kafka_open(struct outlet *o, struct str extra_ca_pem, struct err *err)
{
    struct kafka_outlet *k = xnew(struct kafka_outlet);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    uint64_t one = 1;
    char text[256];

    k->outlet = o;
    atomic_store(&k->wants_token, o->target.resource.len > 0);
    if (!configure(conf, k, extra_ca_pem, err)) {
        rd_kafka_conf_destroy(conf);
        free(k);
        return false;
    }
    k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!k->rk) {
        rd_kafka_conf_destroy(conf);
        free(k);
        return err_set(err, ERR_INVALID, "%s", text);
    }
    k->topic = rd_kafka_topic_new(k->rk, o->target.topic.p, NULL);
    k->main_queue = rd_kafka_queue_get_main(k->rk);
    rd_kafka_queue_io_event_enable(k->main_queue, o->all->event_fd, &one, sizeof(one));
    o->kafka = k;
    return true;
}

void
kafka_close(struct kafka_outlet *k)
{
    if (!k)
        return;
    rd_kafka_queue_io_event_enable(k->main_queue, -1, NULL, 0);
    rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (uint32_t i = 0; rd_kafka_outq_len(k->rk) > 0 && i < CLOSE_POLLS; i++)
        rd_kafka_poll(k->rk, 10);
    rd_kafka_queue_destroy(k->main_queue);
    rd_kafka_topic_destroy(k->topic);
    rd_kafka_destroy(k->rk);
    free(k);
}

/* ---- at work ---- */

bool
kafka_put(struct kafka_outlet *k, const struct outlet_message *m)
{
    int32_t partition = m->partition >= 0 ? m->partition : RD_KAFKA_PARTITION_UA;
    void *text = (void *)(uintptr_t)m->text.p;    /* copied, though the parameter is not const */

    return rd_kafka_produce(k->topic, partition, RD_KAFKA_MSG_F_COPY, text, m->text.len, m->key.p, m->key.len, NULL) == 0;
}

void
kafka_poll(struct kafka_outlet *k)
{
    rd_kafka_poll(k->rk, 0);
}

uint32_t
kafka_waiting(struct kafka_outlet *k)
{
    return (uint32_t)rd_kafka_outq_len(k->rk);
}

bool
outlet_wants_token(struct outlet *o)
{
    return o->kafka && atomic_load(&o->kafka->wants_token) && atomic_exchange(&o->kafka->wants_token, false);
}

void
outlet_set_token(struct outlet *o, struct str token, int64_t expires_s, const char *why)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    char problem[256];

    if (!o->kafka)
        return;
    if (!token.len) {
        rd_kafka_oauthbearer_set_token_failure(o->kafka->rk, why);
        outlet_warn(o, "no token for it", why);
        return;
    }
    buf_add_str(&text, token);
    if (rd_kafka_oauthbearer_set_token(o->kafka->rk, buf_str(&text).p, expires_s * 1000, "headgate", NULL, 0, problem,
                                       sizeof(problem)))
        outlet_warn(o, "its token is not accepted", problem);
}
