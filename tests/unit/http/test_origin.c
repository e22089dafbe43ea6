/* Permits of an origin, asked for by two workers at once. */
#include "http/client.c"
#include "http/origin.c"
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIBERS 40
#define ROUNDS 30
#define MAX_CONNECTIONS 3

static _Atomic int n_done, n_failed;

/* Stands in for the network: every connection leads to a thread that answers each request. */
static void *
origin_thread(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char bytes[4096];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        usleep(100);
        if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            break;
    }
    close(fd);
    return NULL;
}

struct stream *
connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms,
              struct err *err)
{
    pthread_t thread;
    int fds[2];

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    EXPECT(pthread_create(&thread, NULL, origin_thread, (void *)(intptr_t)fds[0]) == 0);
    pthread_detach(thread);
    EXPECT(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    return stream_from_fd(loop, fds[1], err);
}

struct worker {
    struct http_origins *origins;
    struct http_origin *origin;
    struct loop *loop;
    struct http_client *client;
    int left;
};

static void
fiber(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_request rq = {.method = HTTP_METHOD_GET,
                                  .method_text = STR("GET"),
                                  .authority = STR("o"),
                                  .path = STR("/"),
                                  .headers = http_headers_in(&arena)};
        struct http_exchange_conf conf = {.deadlines.connect_ms = 60000};
        struct http_answer *answer;
        struct str piece;
        struct err err;
        if (!http_client_exchange(w->client, w->origin, &rq, NULL, &conf, &arena, &answer, &err)) {
            printf("  %s\n", err.text);
            n_failed++;
            continue;
        }
        while (body_read(answer->body, &piece, NO_DEADLINE) == IO_OK)
            ;
        http_answer_close(answer);
        if (i % 7 == 0)
            fiber_sleep(loop_now_ms(w->loop) + 2, NULL);
        atomic_fetch_add(&n_done, 1);
    }
    if (--w->left > 0)
        return;
    /* An idle connection here may be what the other worker waits for. */
    while (n_done + n_failed < 2 * FIBERS * ROUNDS)
        fiber_sleep(loop_now_ms(w->loop) + 5, NULL);
    loop_stop(w->loop);
}

static void *
worker_thread(void *arg)
{
    struct worker *w = arg;

    w->client = http_client_new(w->loop, w->origins, NULL);
    w->left = FIBERS;
    for (int i = 0; i < FIBERS; i++)
        EXPECT(fiber_start(w->loop, fiber, w, NULL));
    loop_run(w->loop);
    return NULL;
}

TEST(two_workers_share_the_connections_of_an_origin)
{
    struct worker w[2] = {0};
    struct http_origins *origins = http_origins_new();
    struct http_origin_conf conf = {
        .host = STR("o"), .port = 80, .connections_max = MAX_CONNECTIONS, .waiting_max = 1000};
    struct http_origin *origin = http_origin_get(origins, &conf);
    pthread_t threads[2];
    uint32_t connections, waiting;

    for (int i = 0; i < 2; i++) {
        w[i].origins = origins;
        w[i].origin = origin;
        w[i].loop = loop_new(&(struct loop_options){.io = LOOP_IO_EPOLL}, NULL); /* two threads take turns on it */
        EXPECT(pthread_create(&threads[i], NULL, worker_thread, &w[i]) == 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(n_done, 2 * FIBERS * ROUNDS);
    EXPECT_EQ(n_failed, 0);
    http_origin_load(origin, &connections, &waiting);
    EXPECT(connections <= MAX_CONNECTIONS && waiting == 0);
    for (int i = 0; i < 2; i++)
        http_client_delete(w[i].client);
    http_origin_load(origin, &connections, &waiting);
    EXPECT_EQ(connections, 0);
    for (int i = 0; i < 2; i++) {
        loop_turn(w[i].loop, 0);
        loop_delete(w[i].loop);
    }
    http_origin_unref(origin);
    http_origins_delete(origins);
}

TEST(the_same_values_are_one_origin)
{
    struct http_origins *origins = http_origins_new();
    struct http_origin *a =
        http_origin_get(origins, &(struct http_origin_conf){.host = STR("a"), .port = 80});
    struct http_origin *b =
        http_origin_get(origins, &(struct http_origin_conf){.host = STR("a"), .port = 80});
    struct http_origin *c =
        http_origin_get(origins, &(struct http_origin_conf){.host = STR("a"), .port = 81});

    EXPECT(a == b && a != c);
    http_origin_unref(a);
    http_origin_unref(b);
    http_origin_unref(c);
    http_origins_delete(origins);
}
