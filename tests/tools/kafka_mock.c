/* kafka_mock.c: usage: kafka_mock TOPIC PARTITIONS   the mock cluster of librdkafka as a server of its own, and a consumer that tells
 * what arrived.
 *
 *     stdout   servers HOST:PORT           once, at the start
 *              PARTITION OFFSET KEY VALUE  a message; key and value in hexadecimal, - for none
 *              done                        a command has been obeyed
 *     stdin    down | up                   the broker breaks its connections and takes no more, until it is up again
 *              delay MS                    what a round trip to it takes
 *              deny N                      the next N requests to produce are answered with an error that asks for another try
 * Ends with its input.
 * SPDX-License-Identifier: Apache-2.0 */
#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BROKER 1
#define PRODUCE_REQUEST 0             /* of Kafka's protocol */
#define DENIED_MAX 100

struct server {
    rd_kafka_t *host, *consumer;
    rd_kafka_mock_cluster_t *mock;
};

static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *line)
{
}

static void
fail(const char *what)
{
    fprintf(stderr, "kafka_mock: %s\n", what);
    exit(1);
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        fail(text);
}

static void
start_cluster(struct server *s, const char *topic, int partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set_log_cb(conf, on_log);
    s->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!s->host)
        fail(text);
    s->mock = rd_kafka_mock_cluster_new(s->host, 1);
    if (!s->mock || rd_kafka_mock_topic_create(s->mock, topic, partitions, 1))
        fail("the cluster does not start");
}

static void
start_consumer(struct server *s, const char *topic, int partitions)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set_log_cb(conf, on_log);
    set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(s->mock));
    set(conf, "group.id", "reader");
    set(conf, "reconnect.backoff.max.ms", "200");
    s->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (!s->consumer)
        fail(text);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(all, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(s->consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
}

static void
print_hex(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    if (!n)
        fputs("-", stdout);
    for (size_t i = 0; i < n; i++)
        printf("%02x", p[i]);
}

static void
print_message(const rd_kafka_message_t *m)
{
    printf("%d %lld ", (int)m->partition, (long long)m->offset);
    print_hex(m->key, m->key_len);
    fputs(" ", stdout);
    print_hex(m->payload, m->len);
    fputs("\n", stdout);
    fflush(stdout);
}

static void
deny(struct server *s, int n)
{
    rd_kafka_resp_err_t errors[DENIED_MAX];

    n = n < 0 ? 0 : n > DENIED_MAX ? DENIED_MAX : n;
    for (int i = 0; i < n; i++)
        errors[i] = RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
    rd_kafka_mock_push_request_errors_array(s->mock, PRODUCE_REQUEST, (size_t)n, errors);
}

static void
obey(struct server *s, const char *line)
{
    if (strcmp(line, "down") == 0)
        rd_kafka_mock_broker_set_down(s->mock, BROKER);
    else if (strcmp(line, "up") == 0)
        rd_kafka_mock_broker_set_up(s->mock, BROKER);
    else if (strncmp(line, "delay ", 6) == 0)
        rd_kafka_mock_broker_set_rtt(s->mock, BROKER, atoi(line + 6));
    else if (strncmp(line, "deny ", 5) == 0)
        deny(s, atoi(line + 5));
    else
        fail("an unknown command");
    puts("done");
    fflush(stdout);
}

/* False at the end of the input. Commands are short and come one at a time. */
static int
read_commands(struct server *s)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char text[256], *rest = text, *line;
    ssize_t n;

    if (poll(&in, 1, 0) <= 0)
        return 1;
    n = read(STDIN_FILENO, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = 0;
    while ((line = strsep(&rest, "\n")))
        if (*line)
            obey(s, line);
    return 1;
}

int
main(int argc, char **argv)
{
    struct server s = {0};
    int partitions = argc == 3 ? atoi(argv[2]) : 0;

    if (partitions < 1)
        fail("usage: kafka_mock TOPIC PARTITIONS");
    start_cluster(&s, argv[1], partitions);
    start_consumer(&s, argv[1], partitions);
    printf("servers %s\n", rd_kafka_mock_cluster_bootstraps(s.mock));
    fflush(stdout);
    while (read_commands(&s)) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s.consumer, 20);

        if (m && !m->err)
            print_message(m);
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_mock_broker_set_up(s.mock, BROKER);
    rd_kafka_mock_broker_set_rtt(s.mock, BROKER, 0);
    rd_kafka_destroy(s.consumer);
    rd_kafka_mock_cluster_destroy(s.mock);
    rd_kafka_destroy(s.host);
    return 0;
}
