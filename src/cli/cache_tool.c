/* cache_tool.c: words of the command line into an order, the answer into a table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "cli/caller.h"
#include "data/json.h"

#define BYTES_MAX ((size_t)256 << 20)

struct tool {
    struct arena *arena;
    const char *verb;
    struct caller_words words;
    struct buf query;                 /* of the target, without '?' */
    bool is_json, names_something;
};

static const struct verb {
    const char *name, *method, *path, *arguments, *summary;
    void (*print)(const struct json *answer);
    bool takes_names, wants_names;
} *find_verb(const char *name);

/* --- tables -------------------------------------------------------------------------------------------------------- */

static int64_t
number(const struct json *j, const char *name)
{
    return json_i64(json_get(j, str_from_c(name)), 0);
}

static struct str
text(const struct json *j, const char *name)
{
    return json_str(json_get(j, str_from_c(name)), STR(""));
}

static const char *
entries_word(int64_t n)
{
    return n == 1 ? "entry" : "entries";
}

static void
print_receipt(const struct json *r)
{
    const struct json *nodes = json_get_lit(r, "nodes"), *outstanding = json_get_lit(nodes, "outstanding");
    const struct json *dropped = json_get_lit(nodes, "dropped");
    bool is_dry = json_bool(json_get_lit(r, "dryRun"), false), is_soft = json_bool(json_get_lit(r, "soft"), false);

    printf("%s %" PRId64 " %s of this node: %.*s\n", is_dry ? "would drop" : is_soft ? "made stale:" : "dropped",
           number(r, "entries"), entries_word(number(r, "entries")), STR_ARG(text(r, "what")));
    if (is_dry)
        return;
    printf("generation %" PRId64 ", %" PRId64 " node%s reached%s\n", number(r, "generation"), number(nodes, "reached"),
           number(nodes, "reached") == 1 ? "" : "s",
           json_bool(json_get_lit(r, "shared"), false) ? ", the external cache knows" : "");
    for (size_t i = 0; i < json_count(dropped); i++)
        printf("%s %" PRId64 " %s of %.*s\n", is_soft ? "made stale:" : "dropped", number(json_item(dropped, i), "entries"),
               entries_word(number(json_item(dropped, i), "entries")), STR_ARG(text(json_item(dropped, i), "node")));
    for (size_t i = 0; i < json_count(outstanding); i++)
        printf("outstanding: %.*s\n", STR_ARG(json_str(json_item(outstanding, i), STR(""))));
}

static void
print_vary(const struct json *vary)
{
    for (size_t i = 0; vary && i < vary->n; i++)
        printf("  %.*s=%.*s", STR_ARG(vary->members[i].name), STR_ARG(json_str(&vary->members[i].value, STR("(absent)"))));
}

static void
print_entries(const struct json *answer)
{
    const struct json *entries = json_get_lit(answer, "entries");

    if (json_count(entries))
        printf("%-8s %6s %10s %8s %8s  %s\n", "state", "status", "bytes", "age", "ttl", "what");
    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *e = json_item(entries, i);
        struct str key = text(e, "key");

        printf("%-8.*s %6" PRId64 " %10" PRId64 " %8" PRId64 " %8" PRId64 "  ", STR_ARG(text(e, "state")), number(e, "status"),
               number(e, "bytes"), number(e, "age"), number(e, "ttl"));
        if (key.len)
            printf("value %.*s", STR_ARG(key));
        else
            printf("%.*s%s%.*s", STR_ARG(text(e, "api")), text(e, "api").len ? " " : "", STR_ARG(text(e, "url")));
        print_vary(json_get_lit(e, "vary"));
        putchar('\n');
    }
    printf("%" PRId64 " of %" PRId64 " entries\n", number(answer, "shown"), number(answer, "matched"));
}

static void
print_details(const struct json *answer)
{
    const struct json *entries = json_get_lit(answer, "entries");

    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *e = json_item(entries, i), *headers = json_get_lit(e, "headers"), *parts = json_get_lit(e, "parts");

        for (uint32_t m = 0; m < e->n; m++)
            if (json_is(&e->members[m].value, JSON_STRING) || json_is(&e->members[m].value, JSON_NUMBER))
                printf("%-10.*s %.*s\n", STR_ARG(e->members[m].name), STR_ARG(json_text(&e->members[m].value)));
        for (size_t p = 0; p < json_count(parts); p++)
            printf("%-10s %.*s\n", "part", STR_ARG(json_str(json_item(parts, p), STR("(absent)"))));
        if (json_get_lit(e, "vary")) {
            printf("%-9s", "vary");
            print_vary(json_get_lit(e, "vary"));
            putchar('\n');
        }
        for (size_t h = 0; h < json_count(headers); h++)
            printf("    %.*s\n", STR_ARG(json_str(json_item(headers, h), STR(""))));
        putchar('\n');
    }
    printf("%" PRId64 " of %" PRId64 " entries\n", number(answer, "shown"), number(answer, "matched"));
}

static void
print_figures(const struct json *answer)
{
    const struct json *refused = json_get_lit(answer, "refused");

    for (uint32_t i = 0; i < answer->n; i++)
        if (json_is(&answer->members[i].value, JSON_NUMBER))
            printf("%-12.*s %.*s\n", STR_ARG(answer->members[i].name), STR_ARG(json_text(&answer->members[i].value)));
    for (uint32_t i = 0; refused && i < refused->n; i++)
        printf("refused: %-16.*s %.*s\n", STR_ARG(refused->members[i].name), STR_ARG(json_text(&refused->members[i].value)));
}

static void
print_purges(const struct json *answer)
{
    const struct json *purges = json_get_lit(answer, "purges");

    for (size_t i = 0; i < json_count(purges); i++) {
        const struct json *p = json_item(purges, i);

        printf("%.*s  %-5s %.*s  by %.*s\n", STR_ARG(text(p, "time")), json_bool(json_get_lit(p, "soft"), false) ? "soft" : "hard",
               STR_ARG(text(p, "what")), STR_ARG(text(p, "by")));
    }
    printf("%zu purges\n", json_count(purges));
}

static void
print_flights(const struct json *answer)
{
    const struct json *flights = json_get_lit(answer, "flights");

    for (size_t i = 0; i < json_count(flights); i++) {
        const struct json *f = json_item(flights, i);
        struct str key = text(f, "key");

        printf("%" PRId64 " waiting, for %" PRId64 " ms%s: %s%.*s%s%.*s\n", number(f, "waiting"), number(f, "sinceMs"),
               json_bool(json_get_lit(f, "filling"), false) ? ", the body comes" : "", key.len ? "value " : "",
               STR_ARG(key.len ? key : text(f, "api")), key.len || !text(f, "api").len ? "" : " ", STR_ARG(text(f, "url")));
    }
    printf("%zu fetches under way\n", json_count(flights));
}

static const struct verb verbs[] = {
    {"purge", "POST", "/cache/purge", "[--soft] [--dry-run] NAMES", "drop entries, or make them stale, or count them", print_receipt,
     true, true},
    {"ls", "GET", "/cache/entries", "[--limit N] [NAMES]", "what lies in the memory of this node", print_entries, true, false},
    {"show", "GET", "/cache/entries", "NAMES", "the same with all that is known of each entry", print_details, true, true},
    {"stats", "GET", "/cache/stats", "", "figures of the cache", print_figures, false, false},
    {"purges", "GET", "/cache/purges", "", "the last purges: what, by whom, when", print_purges, false, false},
    {"flights", "GET", "/cache/flights", "", "fetches under way, and how many requests wait for each", print_flights, false, false},
};

static const struct verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < COUNTOF(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

static int
usage(const struct verb *v, FILE *to, int status)
{
    fprintf(to, "usage: headgate cache %s %s%s[OPTIONS]\n\n  %s\n\n", v->name, v->arguments, v->arguments[0] ? " " : "", v->summary);
    if (v->takes_names)
        fprintf(to, "NAMES, each as often as wanted:\n"
                    "  PATH, URL            every variant and query of a path; with ?query that query alone; with * at its end all below\n"
                    "  --url URL            the same\n"
                    "  --prefix PATH        a path and all below it\n"
                    "  --tag TAG            of Surrogate-Key or Cache-Tag\n"
                    "  --group \"API GROUP\"  of Cache-Groups\n"
                    "  --api NAME, --operation API/NAME\n"
                    "  --key NAME           a stored value; response-cache:/path\n"
                    "  --all                everything\n\n");
    fprintf(to, "OPTIONS:\n"
                "  --json               the admin listener's answer as it is\n"
                "  --config FILE        headgate.yaml of the gateway; ./headgate.yaml by default\n"
                "  --state DIR          its state folder, with the token of the admin listener\n"
                "  --admin ADDRESS      where it listens; --token-file FILE its token\n");
    return status;
}

static void
add_word(struct tool *t, const char *name, struct str value)
{
    if (t->query.len)
        buf_add_char(&t->query, '&');
    buf_printf(&t->query, "%s=", name);
    codec_percent_encode(&t->query, value, "/:*");
}

static void
add_name(struct tool *t, const char *name, struct str value)
{
    t->names_something = true;
    add_word(t, name, value);
}

static bool
parse_words(struct tool *t, const struct verb *v, int argc, char **argv, int *ret_status)
{
    enum { CONFIG = 'c', HELP = 'h', LIMIT = 'n', STATE = 256, ADMIN, TOKEN_FILE, JSON, SOFT, DRY_RUN, ALL, NAME };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG}, {"state", required_argument, NULL, STATE}, {"admin", required_argument, NULL, ADMIN},
        {"token-file", required_argument, NULL, TOKEN_FILE}, {"json", no_argument, NULL, JSON}, {"soft", no_argument, NULL, SOFT},
        {"dry-run", no_argument, NULL, DRY_RUN}, {"all", no_argument, NULL, ALL}, {"limit", required_argument, NULL, LIMIT},
        {"help", no_argument, NULL, HELP}, {"url", required_argument, NULL, NAME}, {"prefix", required_argument, NULL, NAME},
        {"tag", required_argument, NULL, NAME}, {"group", required_argument, NULL, NAME}, {"api", required_argument, NULL, NAME},
        {"operation", required_argument, NULL, NAME}, {"key", required_argument, NULL, NAME}, {NULL, 0, NULL, 0}};
    int c, at;

    while ((c = getopt_long(argc, argv, "c:n:h", options, &at)) != -1) {
        switch (c) {
        case CONFIG: t->words.config = optarg; break;
        case STATE: t->words.state = optarg; break;
        case ADMIN: t->words.address = optarg; break;
        case TOKEN_FILE: t->words.token_file = optarg; break;
        case JSON: t->is_json = true; break;
        case SOFT: add_word(t, "soft", STR("true")); break;
        case DRY_RUN: add_word(t, "dryRun", STR("true")); break;
        case ALL: add_name(t, "all", STR("true")); break;
        case LIMIT: add_word(t, "limit", str_from_c(optarg)); break;
        case NAME: add_name(t, options[at].name, str_from_c(optarg)); break;
        case HELP: *ret_status = usage(v, stdout, 0); return false;
        default: *ret_status = usage(v, stderr, 2); return false;
        }
    }
    for (; optind < argc; optind++) {
        struct str word = str_from_c(argv[optind]);
        add_name(t, str_ends_with(word, STR("*")) ? "prefix" : "url", word);
    }
    if (t->names_something && !v->takes_names)
        fprintf(stderr, "headgate cache %s: it takes no names\n", v->name);
    else if (v->wants_names && !t->names_something)
        fprintf(stderr, "headgate cache %s: nothing is named; --all means everything\n", v->name);
    else
        return true;
    *ret_status = usage(v, stderr, 2);
    return false;
}

/* --- the call ------------------------------------------------------------------------------------------------------ */

static int
show(struct tool *t, const struct verb *v, const struct caller_reply *reply)
{
    struct json_problem problem;
    const struct json *answer = json_parse(t->arena, reply->body, JSON_STRICT, &problem);

    if (reply->status != 200) {
        struct str message = answer ? json_str(json_get_lit(answer, "message"), reply->body) : reply->body;
        fprintf(stderr, "headgate cache %s: %u: %.*s\n", v->name, reply->status, STR_ARG(message));
        return 1;
    }
    if (t->is_json || !answer || !json_is(answer, JSON_OBJECT))
        printf("%.*s", STR_ARG(reply->body));
    else
        v->print(answer);
    return 0;
}

int
cache_tool_run(int argc, char **argv)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    struct tool t = {.arena = &arena, .verb = argv[0], .query = buf_in(&arena)};
    const struct verb *v = find_verb(argv[0]);
    const char *user = getenv("USER");
    struct caller_reply reply;
    struct caller_at at;
    struct str target;
    char command[64];
    int status;
    struct err err;

    if (!parse_words(&t, v, argc, argv, &status))
        return status;
    if (strcmp(v->name, "show") == 0)
        add_word(&t, "details", STR("true"));
    if (strcmp(v->method, "POST") == 0 && user)
        add_word(&t, "by", str_from_c(user));
    snprintf(command, sizeof(command), "cache %s", v->name);
    if (!caller_find_admin(&arena, command, &t.words, &at))
        return 2;
    target = t.query.len ? str_printf(&arena, "%s?%.*s", v->path, STR_ARG(buf_str(&t.query))) : str_from_c(v->path);
    if (!caller_ask(&arena, &at, v->method, target, &reply, &err)) {
        fprintf(stderr, "headgate %s: %s\n", command, err.text);
        return 1;
    }
    return show(&t, v, &reply);
}
