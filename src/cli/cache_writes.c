/* cache_writes.c: the rules of exchange/writes.h, read out for a configuration. Nothing runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_writes.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "exchange/writes.h"
#include "http/message.h"
#include "model/model.h"
#include "store/store.h"

#define BYTES_MAX ((size_t)1 << 30)

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache writes [--config FILE] [--artifacts DIR] [API ...]\n\n"
                "Says for each operation that is not safe (POST, PUT, PATCH, DELETE ...) which paths it drops from the cache when it\n"
                "succeeds, once `apis.NAME.cache.drop-on-write` is on. `*` at the end: everything below, too. `apis.NAME.cache.writes`\n"
                "says something else for single operations.\n"
                "  --config FILE    headgate.yaml; ./headgate.yaml by default\n"
                "  --artifacts DIR  the folder in APIOps layout, instead of the one in the file\n");
    return status;
}

static const char *
source_text(enum write_source source)
{
    switch (source) {
    case WRITE_FROM_OPERATIONS: return "";
    case WRITE_FROM_SETTINGS: return "  (as configured)";
    case WRITE_FROM_PATH: return "  (no GET operation to go by: path and parent)";
    }
    return "";
}

static void
print_operation(const struct api *api, const struct operation *op)
{
    struct write_rule rule;

    write_rule_of(api, op, &rule);
    printf("  %-7.*s %-32.*s ", STR_ARG(op->method.len ? op->method : STR("any")), STR_ARG(op->url_template));
    if (rule.source == WRITE_FROM_PATH)
        printf("the path of the request and its parent");
    else if (rule.n == 0)
        printf("nothing");
    for (uint32_t i = 0; i < rule.n; i++)
        printf("%s%s%.*s%.*s%s", i ? ", " : "", api->prefix.len ? "/" : "", STR_ARG(api->prefix), STR_ARG(rule.paths[i].template),
               rule.paths[i].with_below ? "*" : "");
    puts(source_text(rule.source));
}

static void
print_api(const struct api *api)
{
    uint32_t n = 0;

    printf("%.*s: drop-on-write is %s\n", STR_ARG(api->name), api->settings.cache.drops_on_write ? "on" : "off");
    for (uint32_t i = 0; i < api->n_operations; i++) {
        const struct operation *op = &api->operations[i];

        if (op->method.len && http_method_is_safe(op->method))
            continue;
        print_operation(api, op);
        n++;
    }
    if (n == 0)
        puts("  no operation of it changes anything");
    for (uint32_t i = 0; i < api->settings.cache.writes.n; i++)
        if (!api_find_operation(api, api->settings.cache.writes.v[i].name))
            printf("  writes: there is no operation '%.*s'\n", STR_ARG(api->settings.cache.writes.v[i].name));
}

static bool
is_wanted(const struct api *api, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (str_eq(api->name, str_from_c(argv[i])) || str_eq(api->root_name, str_from_c(argv[i])))
            return true;
    return argc == 0;
}

static int
print_model(const struct model *model, int argc, char **argv)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < model->n_apis; i++) {
        if (!is_wanted(&model->apis[i], argc, argv))
            continue;
        print_api(&model->apis[i]);
        n++;
    }
    if (n)
        return 0;
    fprintf(stderr, "headgate cache writes: there is no such API: %s\n", argc ? argv[0] : "the configuration has none");
    return 1;
}

int
cache_writes_run(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'}, {"artifacts", required_argument, NULL, 'a'},
                                                 {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, BYTES_MAX);
    struct options *options = arena_new(&arena, struct options);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    const char *config = NULL, *artifacts = NULL;
    struct model *model = NULL;
    struct diags diags;
    struct stat st;
    int c, status;
    bool ok;

    while ((c = getopt_long(argc, argv, "c:a:h", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 'a': artifacts = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, &arena);
    ok = config_load(config, &arena, options, &diags);
    if (artifacts)
        options->artifacts = str_from_c(artifacts);
    if (ok && options->artifacts.len)
        ok = store_load(options, LOAD_SECRETS_OPTIONAL, &model, &diags);
    if (!ok || !model) {
        diags_print(&diags, &text);
        fprintf(stderr, "%s", text.len ? buf_str(&text).p : "headgate cache writes: which folder? Use --artifacts DIR or --config FILE\n");
        return 2;
    }
    status = print_model(model, argc - optind, argv + optind);
    model_unref(model);
    return status;
}
