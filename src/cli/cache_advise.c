/* cache_advise.c: `headgate cache advise`: asks a running gateway which parts of its cache keys make too many keys, and which answers
 * may reach the wrong people. The exit status is 1 when there is something to mend.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_advise.h"

#include <getopt.h>
#include <stdio.h>

#include "cli/caller.h"
#include "data/json.h"

#define BYTES_MAX ((size_t)64 << 20)

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache advise [--json] [--all] [OPTIONS]\n\n"
                "Asks the running gateway what is odd about the keys of its cache.\n"
                "  --json          the gateway's answer as it is\n"
                "  --all           every part of a key that was seen, not only those that make too many keys\n"
                "  --config FILE   headgate.yaml of the gateway; ./headgate.yaml by default\n"
                "  --state DIR     its state folder, with the token of the admin listener\n"
                "  --admin ADDRESS where it listens; --token-file FILE its token\n");
    return status;
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
print(struct arena *arena, struct str answer, bool wants_all)
{
    struct json_problem problem;
    const struct json *doc = json_parse(arena, answer, JSON_STRICT, &problem), *warnings, *w;
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

int
cache_advise_run(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
        {"all", no_argument, NULL, 'a'}, {"state", required_argument, NULL, 's'}, {"admin", required_argument, NULL, 'd'},
        {"token-file", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    bool is_json = false, wants_all = false;
    struct caller_words words = {0};
    struct caller_reply reply;
    struct caller_at at;
    struct err err = ERR_INIT;
    int c;

    while ((c = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': words.config = optarg; break;
        case 's': words.state = optarg; break;
        case 'd': words.address = optarg; break;
        case 't': words.token_file = optarg; break;
        case 'j': is_json = true; break;
        case 'a': wants_all = true; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind < argc)
        return usage(stderr, 2);
    if (!caller_find_admin(&arena, "cache advise", &words, &at))
        return 2;
    if (!caller_ask(&arena, &at, "GET", STR("/cache/advice"), &reply, &err)) {
        fprintf(stderr, "headgate cache advise: %s\n", err.text);
        return 2;
    }
    if (reply.status != 200) {
        fprintf(stderr, "headgate cache advise: the gateway answered %u: %.*s\n", reply.status, STR_ARG(reply.body));
        return 2;
    }
    if (is_json)
        return printf("%.*s", STR_ARG(reply.body)) < 0;
    return print(&arena, reply.body, wants_all);
}
