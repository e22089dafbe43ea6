/* cache_warm.c: `headgate cache warm FILE|API`: asks a running gateway for URLs at a bounded rate, so that its cache holds them before
 * clients come. It is a client like any other: what the documents store is stored.
 *
 *     FILE    one a line: /path?query, GET /path, or http://any.host/path (the host goes into Host); # begins a comment
 *     API     every GET operation of it whose template has no parameters
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_warm.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "base/vec.h"
#include "cli/caller.h"
#include "model/api.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "store/store.h"

#define BYTES_MAX ((size_t)1 << 30)
#define FILE_BYTES_MAX ((size_t)256 << 20)
#define RATE_MAX 100000u
#define AT_ONCE_MAX 256u
#define FIELDS_MAX 16u
#define PROGRESS_MS 1000u
#define COMPLAINTS_MAX 10u

struct target {
    struct str host, path;            /* host: STR_NONE: the gateway's own */
    uint32_t line;                    /* 0: of an API */
};

struct warming {
    struct caller caller;
    struct arena *arena;
    const char *config, *base;
    uint32_t rate, at_once;
    struct caller_field fields[FIELDS_MAX];
    uint32_t n_fields;
    struct { struct target *v; size_t n, cap; } targets;
    uint32_t skipped;                 /* operations with parameters */
    /* While it runs. */
    size_t next, done;
    uint32_t failed, from_cache, running;
    uint64_t begun_ms, told_ms;
    struct fiber *main;
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache warm FILE|API [--url BASE] [--rate N] [--at-once N] [--header 'NAME: VALUE']... [--config FILE]\n\n"
                "Asks a running gateway for URLs, so that its cache holds them before clients come.\n"
                "  FILE                  a path or URL a line; # begins a comment\n"
                "  API                   its GET operations without parameters, from the artifacts of the configuration\n"
                "  --url BASE            the gateway, http://HOST:PORT; the first listener of the configuration by default\n"
                "  --rate N              requests a second at most; 10 by default\n"
                "  --at-once N           under way at the same time; 4 by default\n"
                "  --header 'N: V'       sent with each, a subscription key perhaps; may be repeated\n"
                "  --config FILE         headgate.yaml; ./headgate.yaml by default\n");
    return status;
}

/* --- what ----------------------------------------------------------------------------------------------------------- */

static void
add_target(struct warming *w, struct str host, struct str path, uint32_t line)
{
    *avec_push(w->arena, &w->targets) = (struct target){host, path, line};
}

static bool
read_line(struct warming *w, struct str line, uint32_t number)
{
    struct str url = str_trim(line);
    ptrdiff_t scheme, slash;

    if (url.len == 0 || url.p[0] == '#')
        return true;
    if (str_starts_with(url, STR("GET ")))
        url = str_trim(str_skip(url, 4));
    if (url.len && url.p[0] == '/' && str_find_char(url, ' ', 0) < 0) {
        add_target(w, STR_NONE, url, number);
        return true;
    }
    scheme = str_find(url, STR("://"), 0);
    if (scheme < 0 || str_find_char(url, ' ', 0) >= 0)
        return false;
    url = str_skip(url, (size_t)scheme + 3);
    slash = str_find_char(url, '/', 0);
    add_target(w, slash < 0 ? url : str_sub(url, 0, (size_t)slash), slash < 0 ? STR("/") : str_skip(url, (size_t)slash), number);
    return true;
}

static bool
read_file(struct warming *w, const char *path)
{
    struct buf text = buf_in(w->arena);
    struct str rest, line;
    uint32_t number = 0;
    struct err err;

    if (!file_read(path, FILE_BYTES_MAX, &text, &err)) {
        fprintf(stderr, "headgate cache warm: %s\n", err.text);
        return false;
    }
    rest = text.len ? buf_str(&text) : STR("");
    while (str_split_next(&rest, '\n', &line)) {
        number++;
        if (!read_line(w, line, number)) {
            fprintf(stderr, "headgate cache warm: %s:%u: expected a path or URL, found '%.*s'\n", path, number, STR_ARG(str_trim(line)));
            return false;
        }
    }
    return true;
}

static bool
read_api(struct warming *w, const struct options *options, struct str name)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct model *model;
    struct diags diags;
    bool is_known = false;

    diags_init(&diags, w->arena);
    if (!store_load(options, LOAD_KEEP_GOING | LOAD_SECRETS_OPTIONAL, &model, &diags)) {
        diags_print(&diags, &text);
        fputs(text.len ? buf_str(&text).p : "", stderr);
        return false;
    }
    for (uint32_t i = 0; i < model->n_apis; i++) {
        const struct api *api = &model->apis[i];

        if (!str_eq(api->name, name))
            continue;
        is_known = true;
        for (uint32_t k = 0; k < api->n_operations; k++) {
            const struct operation *op = &api->operations[k];
            struct str prefix = str_dup(w->arena, api->prefix);

            if (!str_eq_lit(op->method, "GET"))
                continue;
            if (op->n_template_parameters)
                w->skipped++;
            else
                add_target(w, STR_NONE, str_printf(w->arena, "%s%.*s%.*s", prefix.len ? "/" : "", STR_ARG(prefix), STR_ARG(op->url_template)), 0);
        }
    }
    model_unref(model);
    if (!is_known)
        fprintf(stderr, "headgate cache warm: '%.*s' is neither a file nor an API of %.*s\n", STR_ARG(name), STR_ARG(options->artifacts));
    return is_known;
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

static void
tell_progress(struct warming *w, bool is_end)
{
    uint64_t now_ms = loop_now_ms(w->caller.loop);

    if (!is_end && now_ms - w->told_ms < PROGRESS_MS)
        return;
    w->told_ms = now_ms;
    fprintf(stderr, "%s%zu of %zu, %u from the cache already, %u failed%s", isatty(2) ? "\r" : "", w->done, w->targets.n, w->from_cache,
            w->failed, isatty(2) && !is_end ? "" : "\n");
}

static void
complain(struct warming *w, const struct target *t, const char *what)
{
    if (w->failed++ < COMPLAINTS_MAX)
        fprintf(stderr, "%s%.*s: %s\n", isatty(2) ? "\r" : "", STR_ARG(t->path), what);
}

static void
ask_for(struct warming *w, const struct target *t)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)8 << 20);
    struct caller_field fields[FIELDS_MAX + 1];
    struct caller_reply reply;
    uint32_t n = w->n_fields;
    struct err err;
    char text[40];

    memcpy(fields, w->fields, sizeof(w->fields));
    if (t->host.p)
        fields[n++] = (struct caller_field){STR("Host"), t->host};
    if (!caller_request(&w->caller, STR("GET"), t->path, fields, n, false, &arena, &reply, &err)) {
        complain(w, t, err.text);
    } else if (reply.status >= 400) {
        snprintf(text, sizeof(text), "status %u", reply.status);
        complain(w, t, text);
    } else {
        w->from_cache += reply.is_from_cache;
    }
    w->done++;
    tell_progress(w, false);
}

static void
run_worker(void *arg)
{
    struct warming *w = arg;

    while (w->next < w->targets.n) {
        size_t i = w->next++;
        uint64_t due_ms = w->begun_ms + (uint64_t)i * 1000 / w->rate;

        if (loop_now_ms(w->caller.loop) < due_ms && !fiber_sleep(due_ms, NULL))
            break;
        ask_for(w, &w->targets.v[i]);
    }
    if (--w->running == 0)
        fiber_wake(w->main);
}

static void
warm(void *arg)
{
    struct warming *w = arg;

    w->begun_ms = w->told_ms = loop_now_ms(w->caller.loop);
    w->main = fiber_self();
    w->running = 1;
    for (uint32_t i = 0; i < w->at_once; i++) {
        w->running++;
        if (!fiber_start(w->caller.loop, run_worker, w, NULL))
            w->running--;
    }
    w->running--;
    while (w->running)
        fiber_wait(NO_DEADLINE);
    tell_progress(w, true);
}

/* --- the command ---------------------------------------------------------------------------------------------------- */

/* Where the gateway's clients connect: the first listener without TLS, else the first. */
static struct str
base_of(struct warming *w, const struct options *o)
{
    const struct listener_conf *l = &o->listeners[0];

    if (w->base)
        return str_from_c(w->base);
    for (uint32_t i = 0; i < o->n_listeners && l->is_tls; i++)
        l = &o->listeners[i];
    if (str_starts_with(l->address, STR("unix:")))
        return l->address;
    if (str_eq_lit(l->address, "0.0.0.0") || str_eq_lit(l->address, "::"))
        return str_printf(w->arena, "%s://127.0.0.1:%u", l->is_tls ? "https" : "http", l->port);
    return str_printf(w->arena, str_find_char(l->address, ':', 0) >= 0 ? "%s://[%.*s]:%u" : "%s://%.*s:%u", l->is_tls ? "https" : "http",
                      STR_ARG(l->address), l->port);
}

static bool
prepare(struct warming *w, const char *what)
{
    struct options *options = arena_new(w->arena, struct options);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct caller_at at = {STR_NONE, STR_NONE};
    struct diags diags;
    struct stat st;
    struct err err;

    if (!w->config && stat("headgate.yaml", &st) == 0)
        w->config = "headgate.yaml";
    diags_init(&diags, w->arena);
    if (!options || !config_load(w->config, w->arena, options, &diags)) {
        diags_print(&diags, &text);
        fputs(text.len ? buf_str(&text).p : "", stderr);
        return false;
    }
    if (stat(what, &st) == 0 && !S_ISDIR(st.st_mode) ? !read_file(w, what) : !read_api(w, options, str_from_c(what)))
        return false;
    if (w->skipped)
        fprintf(stderr, "%u operations have parameters: put the URLs that matter into a file\n", w->skipped);
    at.base = base_of(w, options);
    if (caller_create(&w->caller, &at, w->arena, &err))
        return true;
    fprintf(stderr, "headgate cache warm: %s\n", err.text);
    return false;
}

static bool
add_field(struct warming *w, const char *text)
{
    struct str all = str_from_c(text);
    ptrdiff_t colon = str_find_char(all, ':', 0);

    if (colon <= 0 || w->n_fields == FIELDS_MAX) {
        fprintf(stderr, "headgate cache warm: --header: expected 'NAME: VALUE', %u of them at most, found '%s'\n", FIELDS_MAX, text);
        return false;
    }
    w->fields[w->n_fields++] = (struct caller_field){str_trim(str_sub(all, 0, (size_t)colon)), str_trim(str_skip(all, (size_t)colon + 1))};
    return true;
}

static bool
read_number(const char *option, const char *text, uint32_t max, uint32_t *ret)
{
    if (num_parse_u32(str_from_c(text), max, ret, NULL) && *ret > 0)
        return true;
    fprintf(stderr, "headgate cache warm: %s: expected a number from 1 to %u, found '%s'\n", option, max, text);
    return false;
}

static int
run(struct warming *w, const char *what)
{
    if (!prepare(w, what))
        return 2;
    if (w->targets.n == 0)
        fprintf(stderr, "headgate cache warm: '%s' has nothing to ask for: no line with a path, no GET operation without parameters\n",
                what);
    else if (!caller_run(&w->caller, warm, w))
        fprintf(stderr, "headgate cache warm: no memory\n");
    caller_destroy(&w->caller);
    return w->failed || w->done < w->targets.n || w->targets.n == 0;
}

int
cache_warm_run(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'}, {"url", required_argument, NULL, 'u'}, {"rate", required_argument, NULL, 'r'},
        {"at-once", required_argument, NULL, 'n'}, {"header", required_argument, NULL, 'H'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    struct warming w = {.arena = &arena, .rate = 10, .at_once = 4};
    bool ok = true;
    int c;

    while ((c = getopt_long(argc, argv, "c:u:r:n:H:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': w.config = optarg; break;
        case 'u': w.base = optarg; break;
        case 'r': ok &= read_number("--rate", optarg, RATE_MAX, &w.rate); break;
        case 'n': ok &= read_number("--at-once", optarg, AT_ONCE_MAX, &w.at_once); break;
        case 'H': ok &= add_field(&w, optarg); break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (!ok)
        return 2;
    return optind + 1 == argc ? run(&w, argv[optind]) : usage(stderr, 2);
}
