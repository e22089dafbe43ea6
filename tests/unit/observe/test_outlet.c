/* Kafka is librdkafka's mock cluster; what it took is read back with a consumer. */
#include "observe/outlet.c"
#include "observe/outlet_kafka.c"

#include <librdkafka/rdkafka_mock.h>

#include "test.h"

#define PATIENCE_MS 20000

struct cluster {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *mock;
    struct logger_target target;
};

static void
cluster_start(struct cluster *c, int partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    *c = (struct cluster){0};
    rd_kafka_conf_set_log_cb(conf, on_log);
    c->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    ASSERT(c->host);
    c->mock = rd_kafka_mock_cluster_new(c->host, 1);
    rd_kafka_mock_topic_create(c->mock, "hub", partitions, 1);
    c->target = (struct logger_target){.kind = LOGGER_TARGET_KAFKA, .servers = str_from_c(rd_kafka_mock_cluster_bootstraps(c->mock)),
                                    .topic = STR("hub"), .queue_bytes = 8 << 20, .timeout_ms = 60000};
}

static void
cluster_stop(struct cluster *c)
{
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->host);
}

static struct outlet *
open_target(struct outlets *all, const struct logger_target *t)
{
    struct err err = ERR_INIT;
    struct outlet *o = outlet_open(all, &(struct outlet_conf){.name = STR("log"), .target = t}, &err);

    if (!o)
        TEST_FAIL("%s", err.text);
    return o;
}

static bool
put(struct outlet *o, const char *text, const char *key, int partition)
{
    return outlet_put(o, &(struct outlet_message){str_from_c(text), str_from_c(key), partition});
}

static bool
flush(struct outlets *all)
{
    return outlets_flush(all, clock_mono_ns(NULL) + (uint64_t)PATIENCE_MS * 1000000);
}

/* Reads n messages; calls fn with each. */
static int
read_back(struct cluster *c, int partitions, int n, void (*fn)(const rd_kafka_message_t *m, void *arg), void *arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
    char text[256];
    int got = 0;

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(c->mock), text, sizeof(text));
    rd_kafka_conf_set(conf, "group.id", "reader", text, sizeof(text));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));

    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(all, "hub", p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, all);
    for (int waited = 0; got < n && waited < PATIENCE_MS; waited += 100) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);

        if (m && !m->err) {
            got++;
            fn(m, arg);
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return got;
}

struct seen {
    int partition_of_key[2], of_seven, cut, plain;
    size_t cut_len;
};

static void
look(const rd_kafka_message_t *m, void *arg)
{
    struct seen *s = arg;
    struct str text = str_from(m->payload, m->len), key = str_from(m->key, m->key_len);

    if (m->key && (str_eq_lit(key, "a") || str_eq_lit(key, "b"))) {
        int *at = &s->partition_of_key[key.p[0] - 'a'];

        if (*at >= 0 && *at != m->partition)
            TEST_FAIL("key %c went to partitions %d and %d", key.p[0], *at, m->partition);
        *at = m->partition;
    } else if (str_eq_lit(text, "to seven")) {
        s->of_seven = m->partition;
    } else if (text.len > 1000) {
        s->cut++;
        s->cut_len = text.len;
    } else if (str_eq_lit(text, "plain")) {
        s->plain++;
    }
}

TEST(messages_reach_their_partitions)
{
    struct outlets *all = outlets_new(NULL);
    struct outlet_stats stats;
    struct seen seen = {.partition_of_key = {-1, -1}, .of_seven = -1};
    struct cluster c;

    cluster_start(&c, 8);
    struct outlet *o = open_target(all, &c.target);
    char *large = malloc(300001);

    memset(large, 'x', 300000);
    large[300000] = 0;
    memcpy(large + OUTLET_MESSAGE_MAX - 1, "é", 2);
    for (int i = 0; i < 10; i++) {
        EXPECT(put(o, "keyed", "a", -1));
        EXPECT(put(o, "keyed", "b", -1));
    }
    EXPECT(put(o, "to seven", NULL, 7));
    EXPECT(put(o, "plain", NULL, -1));
    EXPECT(put(o, large, NULL, -1));
    EXPECT(flush(all));
    EXPECT_EQ(read_back(&c, 8, 23, look, &seen), 23);
    EXPECT(seen.partition_of_key[0] >= 0 && seen.partition_of_key[1] >= 0);
    EXPECT_EQ(seen.of_seven, 7);
    EXPECT_EQ(seen.plain, 1);
    EXPECT_EQ(seen.cut, 1);
    EXPECT_EQ(seen.cut_len, OUTLET_MESSAGE_MAX - 1);
    outlets_stats(all, &stats);
    EXPECT_EQ(stats.events, 23);
    EXPECT_EQ(stats.delivered, 23);
    EXPECT_EQ(stats.truncated, 1);
    EXPECT_EQ(stats.waiting + stats.failed + stats.dropped, 0);
    free(large);
    outlet_unref(o);
    outlets_delete(all);
    cluster_stop(&c);
}

TEST(a_cluster_that_is_away_costs_messages_above_the_bound_and_gets_the_others_later)
{
    struct outlets *all = outlets_new(NULL);
    struct outlet_stats stats;
    struct cluster c;
    char text[1025];
    uint64_t taken = 0;

    cluster_start(&c, 1);
    rd_kafka_mock_broker_set_down(c.mock, 1);
    c.target.queue_bytes = 64 << 10;
    struct outlet *o = open_target(all, &c.target);

    memset(text, 'x', 1024);
    text[1024] = 0;
    for (int i = 0; i < 200; i++)
        taken += put(o, text, NULL, -1);
    outlets_stats(all, &stats);
    EXPECT(taken >= 30 && taken <= 64);
    EXPECT_EQ(stats.dropped, 200 - taken);
    EXPECT_EQ(stats.waiting, taken);
    EXPECT(!outlets_flush(all, clock_mono_ns(NULL) + 50000000));
    rd_kafka_mock_broker_set_up(c.mock, 1);
    EXPECT(flush(all));
    outlets_stats(all, &stats);
    EXPECT_EQ(stats.delivered, taken);
    outlet_unref(o);
    outlets_delete(all);
    cluster_stop(&c);
}

TEST(what_cannot_be_delivered_in_time_is_given_up_and_an_end_does_not_wait)
{
    struct outlets *all = outlets_new(NULL);
    struct outlet_stats stats;
    struct cluster c;

    cluster_start(&c, 1);
    rd_kafka_mock_broker_set_down(c.mock, 1);
    c.target.timeout_ms = 100;
    struct outlet *o = open_target(all, &c.target);

    EXPECT(put(o, "lost", NULL, -1));
    EXPECT(flush(all));
    outlets_stats(all, &stats);
    EXPECT_EQ(stats.failed, 1);
    outlet_unref(o);
    c.target.timeout_ms = 60000;
    o = open_target(all, &c.target);
    EXPECT(put(o, "lost at the end", NULL, -1));
    outlet_unref(o);
    outlets_delete(all);
    cluster_stop(&c);
}

static bool
is_set(const struct outlet *o, const char *name, const char *wanted)
{
    char text[256];
    size_t size = sizeof(text);

    return rd_kafka_conf_get(rd_kafka_conf(o->kafka->rk), name, text, &size) == RD_KAFKA_CONF_OK && strcmp(text, wanted) == 0;
}

TEST(names_of_brokers_follow_the_resolve_rules)
{
    struct outlets *all = outlets_new(NULL);
    struct cluster c;
    struct seen seen = {.partition_of_key = {-1, -1}};
    struct resolve_rule rule = {.host = STR("hub.example"), .port = 9093, .address = STR("127.0.0.1")};
    struct err err;

    cluster_start(&c, 1);
    rule.to_port = (uint16_t)atoi(strchr(c.target.servers.p, ':') + 1);
    c.target.servers = STR("hub.example:9093");
    struct outlet *o = outlet_open(all, &(struct outlet_conf){.name = STR("log"), .target = &c.target, .resolve = &rule,
                                                              .n_resolve = 1}, &err);
    EXPECT(put(o, "plain", NULL, -1));
    EXPECT(flush(all));
    EXPECT_EQ(read_back(&c, 1, 1, look, &seen), 1);
    EXPECT_EQ(seen.plain, 1);
    outlet_unref(o);
    outlets_delete(all);
    cluster_stop(&c);
}

TEST(an_event_hub_is_spoken_to_with_its_connection_string)
{
    struct outlets *all = outlets_new(NULL);
    struct logger_target t = {.kind = LOGGER_TARGET_KAFKA, .servers = STR("127.0.0.1:1"), .topic = STR("hub"), .is_tls = true,
                           .username = STR("$ConnectionString"), .password = STR("Endpoint=sb://x/;SharedAccessKey=k="),
                           .queue_bytes = 1 << 20, .timeout_ms = 1000};
    struct outlet *o = open_target(all, &t);

    EXPECT(is_set(o, "security.protocol", "sasl_ssl"));
    EXPECT(is_set(o, "sasl.mechanism", "PLAIN"));
    EXPECT(is_set(o, "sasl.username", "$ConnectionString"));
    EXPECT(is_set(o, "sasl.password", "Endpoint=sb://x/;SharedAccessKey=k="));
    EXPECT(is_set(o, "ssl.endpoint.identification.algorithm", "https"));
    EXPECT(outlet_open(all, &(struct outlet_conf){.name = STR("log"), .target = &t}, NULL) == o);
    t.password = STR("Endpoint=sb://x/;SharedAccessKey=other");
    struct outlet *other = open_target(all, &t);
    EXPECT(other != o);
    EXPECT(!outlet_wants_token(o));
    outlet_unref(o);
    outlet_unref(other);
    t = (struct logger_target){.kind = LOGGER_TARGET_KAFKA, .servers = t.servers, .topic = t.topic, .is_tls = true, .resource = STR("https://x"),
                            .queue_bytes = 1 << 20, .timeout_ms = 1000};
    other = open_target(all, &t);
    EXPECT(is_set(other, "sasl.mechanism", "OAUTHBEARER"));
    EXPECT(outlet_wants_token(other));
    EXPECT(!outlet_wants_token(other));           /* asked for once */
    outlet_set_token(other, STR("e30.e30."), (int64_t)(clock_wall_ns(NULL) / 1000000000) + 600, "");
    EXPECT_EQ(other->warned_ns, 0);               /* it was taken */
    outlet_set_token(other, STR("e30.e30."), (int64_t)(clock_wall_ns(NULL) / 1000000000) - 600, "");
    EXPECT(other->warned_ns > 0);                 /* one that has expired is not */
    other->warned_ns = 0;
    outlet_set_token(other, STR_NONE, 0, "none to be had");
    EXPECT(other->warned_ns > 0);
    outlet_unref(other);
    outlet_unref(o);
    outlets_delete(all);
}

TEST(a_configuration_that_kafka_refuses_is_reported)
{
    struct outlets *all = outlets_new(NULL);
    struct logger_target t = {.kind = LOGGER_TARGET_KAFKA, .servers = STR("127.0.0.1:1"), .topic = STR("hub"), .queue_bytes = 1 << 20,
                           .timeout_ms = UINT64_MAX};
    struct err err = ERR_INIT;

    EXPECT(!outlet_open(all, &(struct outlet_conf){.name = STR("log"), .target = &t}, &err));
    EXPECT(strstr(err.text, "message.timeout.ms"));
    outlets_delete(all);
}

static void
read_file(const char *path, struct buf *to)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *room = buf_reserve(to, 100000);
    ssize_t n = fd < 0 ? 0 : read(fd, room, 99999);

    to->len += n > 0 ? (size_t)n : 0;
    if (fd >= 0)
        close(fd);
}

TEST(a_file_gets_one_line_of_json_a_message)
{
    char folder[] = "/tmp/headgate-outlet-XXXXXX", path[64];
    struct outlets *all = outlets_new(NULL);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct outlet_stats stats;

    ASSERT(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/messages", folder);
    struct logger_target t = {.kind = LOGGER_TARGET_FILE, .file = str_from_c(path), .queue_bytes = 1 << 20, .timeout_ms = 1000};
    struct outlet *o = open_target(all, &t);

    EXPECT(put(o, "two\nlines \"x\"", "k", -1));
    EXPECT(put(o, "", NULL, 3));
    EXPECT(flush(all));
    read_file(path, &text);
    EXPECT(str_find(buf_str(&text), STR("\",\"logger\":\"log\",\"partitionKey\":\"k\",\"body\":\"two\\nlines \\\"x\\\"\"}\n"), 0) > 0);
    EXPECT(str_find(buf_str(&text), STR("\"partitionId\":\"3\",\"body\":\"\"}\n"), 0) > 0);
    unlink(path);
    EXPECT(put(o, "after rotation", NULL, -1));
    EXPECT(flush(all));
    buf_clear(&text);
    read_file(path, &text);
    EXPECT(str_find(buf_str(&text), STR("after rotation"), 0) > 0);
    unlink(path);
    outlet_unref(o);

    t.file = str_from_c(folder);          /* a folder cannot be written to */
    o = open_target(all, &t);
    EXPECT(put(o, "lost", NULL, -1));
    EXPECT(flush(all));
    outlets_stats(all, &stats);
    EXPECT_EQ(stats.failed, 1);
    EXPECT_EQ(stats.delivered, 3);
    outlet_unref(o);
    outlets_delete(all);
    rmdir(folder);
}

TEST(a_queue_is_bounded_and_gives_turns)
{
    struct outlets *all = outlets_new(NULL);
    struct logger_target t = {.kind = LOGGER_TARGET_HTTP, .url = STR("http://x/"), .queue_bytes = 10 * (sizeof(struct outlet_item) + 10)};
    struct outlet *o = open_target(all, &t);
    struct outlet_stats stats;
    struct outlet_item *item;
    int n = 0;

    EXPECT(!outlet_begin(o));
    for (int i = 0; i < 12; i++)
        n += put(o, "0123456789", NULL, -1);
    EXPECT_EQ(n, 10);
    EXPECT(outlet_begin(o));
    EXPECT(!outlet_begin(o));
    item = outlet_take(o);
    outlet_return(o, item);
    EXPECT(outlet_take(o) == item);
    outlet_done(o, item, true);
    outlet_end(o);
    EXPECT(outlet_begin(o));
    for (n = 0; (item = outlet_take(o)); n++)
        outlet_done(o, item, n % 2);
    EXPECT_EQ(n, 9);
    EXPECT(!outlet_begin(o));
    outlets_stats(all, &stats);
    EXPECT_EQ(stats.delivered, 5);
    EXPECT_EQ(stats.failed, 5);
    EXPECT_EQ(stats.dropped, 2);
    EXPECT(put(o, "left", NULL, -1));
    outlet_unref(o);
    outlets_delete(all);
}
