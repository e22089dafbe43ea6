/* cache_advise.c: `headgate cache advise`: asks a running gateway which parts of its cache keys make too many keys, and which answers
 * may reach the wrong people. The exit status is 1 when there is something to mend.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_advise.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/caller.h"
#include "data/json.h"
#include "store/store.h"

#define BYTES_MAX ((size_t)64 << 20)

struct asking {
    struct caller caller;
    struct arena *arena;
    struct caller_reply reply;
    bool ok;
    struct err err;
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache advise [--config FILE] [--json] [--all]\n\n"
                "Asks the running gateway what is odd about the keys of its cache.\n"
                "  --config FILE   headgate.yaml; ./headgate.yaml by default: where the admin listener is, and its token\n"
                "  --json          the gateway's answer as it is\n"
                "  --all           every part of a key that was seen, not only those that make too many keys\n");
    return status;
}

static void
ask(void *arg)
{
    struct asking *a = arg;

    a->ok = caller_request(&a->caller, STR("GET"), STR("/cache/advice"), NULL, 0, true, a->arena, &a->reply, &a->err);
}

static struct str
text_of(const struct json *object, const char *name)
{
    return json_str(json_get(object, str_from_c(name)), STR(""));
}

static long long
number_of(const struct json *object, const char *name)
{
    return (long long)json_i64(json_get(object, str_from_c(name)), 0);
}

static bool
is_true(const struct json *object, const char *name)
{
    return json_bool(json_get(object, str_from_c(name)), false);
}

/* How many fields explode. */
static int
print_fields(const struct json *fields, bool wants_all)
{
    const struct json *f;
    int n = 0;

    for (size_t i = 0; fields && (f = json_item(fields, i)); i++) {
        bool explodes = is_true(f, "explodes");

        n += explodes;
        if (!explodes && !wants_all)
            continue;
        printf("%s %.*s: %.*s %.*s: %lld values in %lld misses\n", explodes ? "too many keys" : "seen", STR_ARG(text_of(f, "api")),
               STR_ARG(text_of(f, "kind")), STR_ARG(text_of(f, "name")), number_of(f, "values"), number_of(f, "misses"));
        if (explodes)
            printf("    %.*s\n", STR_ARG(text_of(f, "advice")));
    }
    return n;
}

static int
print(struct asking *a, bool wants_all)
{
    struct json_problem problem;
    const struct json *doc = json_parse(a->arena, a->reply.body, JSON_STRICT, &problem), *warnings, *w;
    int n;

    if (!doc) {
        fprintf(stderr, "headgate cache advise: the gateway's answer is no JSON\n");
        return 2;
    }
    n = print_fields(json_get_lit(doc, "fields"), wants_all);
    warnings = json_get_lit(doc, "warnings");
    for (size_t i = 0; warnings && (w = json_item(warnings, i)); i++, n++)
        printf("%.*s (%lld times)\n", STR_ARG(text_of(w, "text")), number_of(w, "count"));
    if (n == 0)
        printf("nothing to mend\n");
    return n > 0;
}

static bool
prepare(struct asking *a, const char *config)
{
    struct options *options = arena_new(a->arena, struct options);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct diags diags;
    struct stat st;

    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, a->arena);
    if (!options || !config_load(config, a->arena, options, &diags)) {
        diags_print(&diags, &text);
        fputs(text.len ? buf_str(&text).p : "headgate cache advise: no memory\n", stderr);
        return false;
    }
    if (caller_create_admin(&a->caller, options, a->arena, &a->err))
        return true;
    fprintf(stderr, "headgate cache advise: %s\n", a->err.text);
    return false;
}

int
cache_advise_run(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
                                                 {"all", no_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    struct asking a = {.arena = &arena, .err = ERR_INIT};
    bool is_json = false, wants_all = false;
    const char *config = NULL;
    int c, status = 2;

    while ((c = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 'j': is_json = true; break;
        case 'a': wants_all = true; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind < argc)
        return usage(stderr, 2);
    if (!prepare(&a, config))
        return 2;
    if (!caller_run(&a.caller, ask, &a) || !a.ok)
        fprintf(stderr, "headgate cache advise: %s\n", a.err.text);
    else if (a.reply.status != 200)
        fprintf(stderr, "headgate cache advise: the gateway answered %u: %.*s\n", a.reply.status, STR_ARG(a.reply.body));
    else if (is_json)
        status = printf("%.*s", STR_ARG(a.reply.body)) < 0;
    else
        status = print(&a, wants_all);
    caller_destroy(&a.caller);
    return status;
}
