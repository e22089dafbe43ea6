/* cmd_check.c: `headgate check [--strict] [--config FILE] PATH...`: loads documents, parts of documents and whole folders, and
 * reports every problem with its line and a caret. Nothing runs.
 *
 * A file is checked alone: names that only a service would know (named values, fragments, backends ...) are notes. A folder
 * in APIOps layout is loaded as `run` would load it, so there they are errors; in any other folder each .xml file is
 * checked alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "expr/program.h"
#include "exchange/context_families.h"
#include "gateway/snapshot.h"
#include "observe/metrics.h"
#include "policy/plan.h"
#include "store/store.h"

#define FILE_BYTES_MAX ((size_t)4 << 20)
#define ARENA_BYTES_MAX ((size_t)1 << 30)
#define FOLDER_DEPTH_MAX 64

struct check {
    struct expr_env *env;
    bool is_strict;
    const char *config;
    uint32_t n_files, n_folders, errors, warnings, notes, unsupported;
};

static void
report(struct check *c, const struct diags *diags)
{
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct str text;

    diags_print(diags, &out);
    text = buf_str(&out);
    if (text.len)
        fwrite(text.p, 1, text.len, stdout);
    c->errors += diags_count(diags, DIAG_ERROR);
    c->warnings += diags_count(diags, DIAG_WARNING);
    c->notes += diags_count(diags, DIAG_NOTE);
}

static void
report_err(struct check *c, const char *path, const struct err *err)
{
    printf("%s: error: %s\n", path, err->text);
    c->errors++;
}

/* --- one file ------------------------------------------------------------------------------------------------------ */

static void
check_file(struct check *c, const char *path, const char *name)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, ARENA_BYTES_MAX);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    static const struct policy_names lone = {.is_lone = true};
    struct source source;
    struct diags diags;
    struct err err;

    c->n_files++;
    if (!file_read(path, FILE_BYTES_MAX, &text, &err)) {
        report_err(c, name, &err);
        return;
    }
    diags_init(&diags, &arena);
    source = (struct source){str_from_c(name), text.len ? utf8_from_file(&arena, buf_str(&text)) : STR("")};
    struct policy_document *d = policy_document_new(
        &(struct policy_input){.source = &source, .level = LEVEL_API, .env = c->env, .names = &lone,
                               .is_strict = c->is_strict}, &diags);
    if (d)
        c->unsupported += policy_document_unsupported(d).p != NULL;
    policy_document_unref(d);
    report(c, &diags);
}

/* --- folders ------------------------------------------------------------------------------------------------------- */

static bool
exists(const char *folder, const char *name)
{
    char path[4096];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &st) == 0;
}

/* What the APIOps extractor writes has at least one of these at its top. */
static bool
is_apiops(const char *folder)
{
    static const char *const marks[] = {"apis", "policy.xml", "backends", "products", "named values", "policy fragments",
                                        "version sets"};

    for (size_t i = 0; i < COUNTOF(marks); i++)
        if (exists(folder, marks[i]))
            return true;
    return false;
}

static void
check_apiops(struct check *c, const char *folder)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, ARENA_BYTES_MAX);
    struct document_cache cache = {0};
    struct metrics *metrics = metrics_new(1, 1);
    struct options options;
    struct diags diags;
    struct model *model;

    c->n_folders++;
    diags_init(&diags, &arena);
    diags.part = c;                      /* headgate.yaml is read twice */
    if (config_load(c->config, &arena, &options, &diags)) {
        options.artifacts = str_from_c(folder);
        if (store_load(&options, LOAD_SECRETS_OPTIONAL, &model, &diags)) {
            const struct snapshot_input input = {.model = model, .env = c->env, .metrics = metrics, .is_strict = c->is_strict,
                                                 .has_no_proxies = !options.forwarding.trusted_proxies.n};
            struct snapshot *s = snapshot_new(&input, &cache, &diags);

            report(c, &diags);
            diags_init(&diags, &arena);
            snapshot_unref(s);
            model_unref(model);
        }
    }
    report(c, &diags);
    document_cache_destroy(&cache);
    metrics_delete(metrics);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_path(struct check *c, const char *path, int depth);

/* Links to folders are not followed, so that each document is checked once. */
static void
check_folder(struct check *c, const char *folder, int depth)
{
    uint32_t n_before = c->n_files;
    VEC(char *) names = {0};
    DIR *dir = opendir(folder);
    char path[4096];

    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            *vec_push(&names) = xstrndup(e->d_name, strlen(e->d_name));
    if (dir)
        closedir(dir);
    if (names.n)
        qsort(names.v, names.n, sizeof(*names.v), by_name);
    for (size_t i = 0; i < names.n; i++) {
        struct stat st;
        bool is_folder;

        snprintf(path, sizeof(path), "%s/%s", folder, names.v[i]);
        is_folder = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
        if (is_folder || (str_ends_with(str_from_c(path), STR(".xml")) && stat(path, &st) == 0 && !S_ISDIR(st.st_mode)))
            check_path(c, path, depth + 1);
        free(names.v[i]);
    }
    vec_free(&names);
    if (depth == 0 && c->n_files == n_before) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_NOT_FOUND, "no policy document (.xml) in this folder");
        report_err(c, folder, &err);
    }
}

static void
check_path(struct check *c, const char *path, int depth)
{
    struct err err = ERR_INIT;
    struct stat st;

    if (depth == 0 && !strcmp(path, "-")) {
        check_file(c, "/dev/stdin", "standard input");
    } else if (stat(path, &st) != 0) {
        err_set(&err, ERR_NOT_FOUND, "no such file or folder");
        report_err(c, path, &err);
    } else if (!S_ISDIR(st.st_mode)) {
        check_file(c, path, path);
    } else if (depth == 0 && is_apiops(path)) {
        check_apiops(c, path);
    } else if (depth < FOLDER_DEPTH_MAX) {
        check_folder(c, path, depth);
    }
}

/* --- the command --------------------------------------------------------------------------------------------------- */

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate check [--strict] [--config FILE] PATH...\n\n"
                "Checks policy documents, parts of documents, and folders in APIOps layout; `-` is standard input.\n\n"
                "  --strict       also refuse what Azure refuses at save: wrong section or scope, unknown attributes\n"
                "  --config FILE  headgate.yaml to load folders with\n\n"
                "Exit status 1 when there is an error.\n");
    return status;
}

static int
summary(const struct check *c)
{
    printf("%" PRIu32 " document%s", c->n_files, c->n_files == 1 ? "" : "s");
    if (c->n_folders)
        printf(", %" PRIu32 " folder%s", c->n_folders, c->n_folders == 1 ? "" : "s");
    printf(" checked: %" PRIu32 " error%s, %" PRIu32 " warning%s, %" PRIu32 " note%s", c->errors,
           c->errors == 1 ? "" : "s", c->warnings, c->warnings == 1 ? "" : "s", c->notes, c->notes == 1 ? "" : "s");
    if (c->unsupported)
        printf("; %" PRIu32 " with policies that are not supported yet", c->unsupported);
    printf("\n");
    return c->errors > 0;
}

int
cmd_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"strict", no_argument, NULL, 's'}, {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0},
    };
    struct check c = {0};
    struct err err;

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 's': c.is_strict = true; break;
        case 'c': c.config = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind == argc)
        return usage(stderr, 2);
    c.env = context_env_new(&err);
    if (!c.env) {
        fprintf(stderr, "headgate check: %s\n", err.text);
        return 2;
    }
    for (int i = optind; i < argc; i++)
        check_path(&c, argv[i], 0);
    expr_env_delete(c.env);
    return summary(&c);
}
