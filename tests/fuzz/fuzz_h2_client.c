/* fuzz_h2_client.c: frames of a hostile server into a client's connection with a GET and a POST under way; the first
 * byte says how the rest is cut into reads. Whatever comes, both exchanges end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_client.c"

/* What client.c gives to a session. */
struct http_client {
    struct loop *loop;
    struct http_client_conf conf;
};

struct loop *
http_client_loop(const struct http_client *c)
{
    return c->loop;
}

const struct http_client_conf *
http_client_conf(const struct http_client *c)
{
    return &c->conf;
}

void
http_session_gone(struct http_session *s)
{
}

struct trip {
    struct http_session *session;
    struct arena arena;
    bool is_upload, is_done;
};

static void
trip_fiber(void *arg)
{
    struct trip *t = arg;
    struct http_request rq = {.method = t->is_upload ? HTTP_METHOD_POST : HTTP_METHOD_GET, .scheme = STR("https"),
                              .method_text = t->is_upload ? STR("POST") : STR("GET"), .authority = STR("a"),
                              .target = STR("/x"), .headers = http_headers_in(&t->arena)};
    struct body *body = t->is_upload ? body_from_str(&t->arena, STR("body")) : NULL;
    struct http_answer *answer;
    bool is_unprocessed;
    struct str piece;

    if (h2_do_exchange(t->session, &rq, body, NULL, &t->arena, &answer, &is_unprocessed, NULL)) {
        ASSERT(answer->response.status >= 200 && answer->response.status < 600);
        for (uint32_t i = 0; i < answer->response.headers.n; i++)
            ASSERT(http_value_is_valid(answer->response.headers.v[i].value));
        while (answer->body && body_read(answer->body, &piece, NO_DEADLINE) == IO_OK)
            continue;
        answer->ops->close(answer);
    }
    t->is_done = true;
}

static void
turn(struct loop *loop, struct h2_client *c)
{
    static char out[64 << 10];

    loop_turn(loop, 0);
    while (!h2_link_is_dead(&c->link) && h2_link_collect(&c->link, out, sizeof(out)) > 0)
        continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_client fake;
    struct trip trips[2] = {{.arena = ARENA(NULL, 1 << 20)}, {.arena = ARENA(NULL, 1 << 20), .is_upload = true}};
    struct str rest = str_from((const char *)data, size);
    size_t cut = size && data[0] ? data[0] * 3u : SIZE_MAX;

    fake.conf.interims_max = 8;
    if (!fake.loop)
        fake.loop = loop_new(&(struct loop_options){0}, NULL);
    struct http_session *session = h2_open(&fake, &(struct http_origin_conf){.idle_ms = 60000}, NULL, NULL);
    struct h2_client *c = CONTAINER_OF(session, struct h2_client, super);
    c->link.n_held++;
    for (int i = 0; i < 2; i++) {
        trips[i].session = session;
        if (!fiber_start(fake.loop, trip_fiber, &trips[i], NULL))
            trips[i].is_done = true;
    }
    turn(fake.loop, c);
    rest = str_skip(rest, 1);
    while (rest.len && !h2_link_is_dead(&c->link)) {
        h2_link_feed(&c->link, str_sub(rest, 0, cut));
        rest = str_skip(rest, cut);
        turn(fake.loop, c);
    }
    turn(fake.loop, c);
    h2_link_die(&c->link);
    for (int i = 0; i < 100 && !(trips[0].is_done && trips[1].is_done); i++)
        loop_turn(fake.loop, 0);
    ASSERT(trips[0].is_done && trips[1].is_done && c->link.n_held == 1);
    c->link.n_held--;
    h2_link_post(&c->link);
    loop_turn(fake.loop, 0);
    loop_turn(fake.loop, 0);
    arena_destroy(&trips[0].arena);
    arena_destroy(&trips[1].arena);
    return 0;
}
