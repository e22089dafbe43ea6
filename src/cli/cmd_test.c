/* cmd_test.c: `headgate test PATH...`: runs .hgt scripts, files and folders.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "hgt/run.h"

struct paths {
    char **v;
    size_t n, cap;
};

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every .hgt below a folder, or the file itself. Links to folders are not followed, so that each script runs once. */
static bool
collect(struct paths *to, const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *dir;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "headgate test: %s: no such file or folder\n", path);
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        *vec_push(to) = xstrndup(path, strlen(path));
        return true;
    }
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        char name[4096];
        size_t len = strlen(entry->d_name);

        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
            collect(to, name);
        else if (stat(name, &st) == 0 && !S_ISDIR(st.st_mode) && len > 4 && !strcmp(entry->d_name + len - 4, ".hgt"))
            *vec_push(to) = xstrndup(name, strlen(name));
    }
    if (dir)
        closedir(dir);
    return true;
}

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate test [--verbose] [--coverage] [--only NAME] [--junit FILE] PATH...\n\n"
                "Runs test scripts (.hgt), files or folders of them. Exit status 1 when an expectation fails.\n"
                "  --verbose     print each expectation\n"
                "  --coverage    tell which policies no test has run\n"
                "  --only NAME   only tests whose name contains NAME\n"
                "  --junit FILE  also write a JUnit XML report\n");
    return status;
}

static bool
write_junit(const char *path, struct buf *cases, const struct hgt_result *total, unsigned broken)
{
    struct buf all AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    buf_printf(&all, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"headgate\" tests=\"%u\" "
                     "failures=\"%u\" errors=\"%u\">\n", total->tests + broken, total->tests_failed, broken);
    buf_add_str(&all, buf_str(cases));
    buf_add_lit(&all, "  </testsuite>\n</testsuites>\n");
    if (file_write_atomic(path, buf_str(&all), 0644, &err))
        return true;
    fprintf(stderr, "headgate test: %s\n", err.text);
    return false;
}

int
cmd_test(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"verbose", no_argument, NULL, 'v'}, {"only", required_argument, NULL, 'o'},
        {"coverage", no_argument, NULL, 'c'}, {"junit", required_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    struct hgt_options options = {0};
    struct hgt_result total = {0};
    struct buf junit AUTO(buf_destroy) = BUF_INIT;
    const char *junit_path = NULL;
    struct paths paths = {0};
    int c, broken = 0;

    while ((c = getopt_long(argc, argv, "v", long_options, NULL)) != -1) {
        switch (c) {
        case 'v': options.is_verbose = true; break;
        case 'c': options.with_coverage = true; break;
        case 'o': options.only = str_from_c(optarg); break;
        case 'j': junit_path = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind == argc)
        return usage(stderr, 2);
    for (int i = optind; i < argc; i++) {
        size_t n = paths.n;

        if (!collect(&paths, argv[i]))
            return 2;
        if (paths.n == n) {
            fprintf(stderr, "headgate test: %s: no test script (.hgt) in this folder\n", argv[i]);
            return 2;
        }
    }
    log_configure(LOG_ERROR, false);
    signal(SIGPIPE, SIG_IGN);         /* fake backends write to whoever hung up, through TLS */
    qsort(paths.v, paths.n, sizeof(*paths.v), compare);
    for (size_t i = 0; i < paths.n; i++) {
        struct buf report AUTO(buf_destroy) = BUF_INIT;

        if (options.is_verbose)
            printf("%s\n", paths.v[i]);
        if (!hgt_run(paths.v[i], &options, &total, &report, junit_path ? &junit : NULL)) {
            printf("%s: could not be run\n", paths.v[i]);
            broken++;
            if (junit_path)
                hgt_junit_case(&junit, str_from_c(paths.v[i]), STR("(the script could not be run)"), "error", buf_str(&report));
        }
        if (report.len)
            fwrite(report.p, 1, report.len, stdout);
        fflush(stdout);
        free(paths.v[i]);
    }
    vec_free(&paths);
    if (junit_path && !write_junit(junit_path, &junit, &total, (unsigned)broken))
        return 2;
    if (options.with_coverage)
        printf("%u of %u policies ran\n", total.policies_ran, total.policies);
    if (total.documents.n_live)
        printf("%u documents executed end to end\n", total.documents.n_live);
    map_destroy(&total.documents);
    printf("%u tests, %u passed, %u failed\n", total.tests + broken, total.tests - total.tests_failed, total.tests_failed + broken);
    printf("%u passed, %u failed\n", total.passed, total.failed + broken);
    if (options.only.p && !total.tests && !broken) {
        fprintf(stderr, "headgate test: no test has '%.*s' in its name\n", STR_ARG(options.only));
        return 2;
    }
    return total.failed || broken;
}
