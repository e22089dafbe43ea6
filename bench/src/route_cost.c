/* route_cost.c: how long an APIOps folder takes to load, and a request to route.
 *     route_cost FOLDER [REQUESTS]
 * Requests go to the APIs and operations of the folder in turn, and to a few of them again and again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "model/route.h"
#include "store/store.h"

#define PATHS 65536u

static struct str paths[PATHS];

static double
seconds(void)
{
    return (double)clock_mono_ns(NULL) / 1e9;
}

/* Of the processor: other jobs on the machine do not count. */
static double
cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Paths of operations of the first `n_apis` APIs, each parameter replaced. */
static void
make_paths(const struct model *m, struct arena *a, uint32_t n_apis)
{
    uint64_t state = 88172645463325252u;

    for (uint32_t i = 0; i < PATHS; i++) {
        const struct api *api;

        state = state * 6364136223846793005u + 1442695040888963407u;
        api = &m->apis[(uint32_t)(state >> 33) % n_apis];
        paths[i] = str_printf(a, "/%.*s/things-%u/%u", STR_ARG(api->prefix),
                              (uint32_t)(state >> 20) % api->n_operations, i);
    }
}

static double
route_all(const struct model *m, uint32_t requests)
{
    struct route_request rq = {.method = STR("GET"), .is_secure = true};
    struct route_match match;
    uint32_t found = 0;
    double from = cpu_seconds();

    for (uint32_t i = 0; i < requests; i++) {
        rq.path = paths[i % PATHS];
        found += route_find(m->routes, &rq, &match) == ROUTE_FOUND;
    }
    from = cpu_seconds() - from;
    if (found != requests)
        printf("only %u of %u were found\n", found, requests);
    return from / requests * 1e9;
}

int
main(int argc, char **argv)
{
    struct arena arena = ARENA(NULL, (size_t)1 << 30);
    uint32_t requests = argc > 2 ? (uint32_t)atoi(argv[2]) : 5000000;
    struct options options;
    struct rusage before, after;
    struct diags diags;
    struct buf text = BUF_INIT;
    struct model *m;
    double from, cpu;

    if (argc < 2) {
        fprintf(stderr, "usage: route_cost FOLDER [REQUESTS]\n");
        return 2;
    }
    diags_init(&diags, &arena);
    config_load(NULL, &arena, &options, &diags);
    options.artifacts = str_from_c(argv[1]);
    getrusage(RUSAGE_SELF, &before);
    from = seconds();
    cpu = cpu_seconds();
    if (!store_load(&options, 0, &m, &diags)) {
        diags_print(&diags, &text);
        fprintf(stderr, "%.*s", STR_ARG(buf_str(&text)));
        return 1;
    }
    from = seconds() - from;
    cpu = cpu_seconds() - cpu;
    getrusage(RUSAGE_SELF, &after);
    printf("%u APIs, %u operations: loaded in %.2f s (%.2f s of the processor), %ld MiB\n", m->n_apis,
           m->n_operations, from, cpu,
           (after.ru_maxrss - before.ru_maxrss) / 1024);
    make_paths(m, &arena, m->n_apis);
    printf("all of the APIs: %.0f ns a request\n", route_all(m, requests));
    make_paths(m, &arena, m->n_apis < 10 ? m->n_apis : 10);
    printf("ten of the APIs: %.0f ns a request\n", route_all(m, requests));
    model_unref(m);
    arena_destroy(&arena);
    return 0;
}
