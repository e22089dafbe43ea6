/* cmd_cache.c: `headgate cache VERB ...`.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "cli/cache_advise.h"
#include "cli/cache_check.h"
#include "cli/cache_explain.h"
#include "cli/cache_tool.h"
#include "cli/cache_writes.h"
#include "cli/cache_warm.h"
#include "cli/commands.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"advise", cache_advise_run, "which parts of keys make too many keys, and which answers may reach the wrong people"},
    {"check", cache_check_run, "reach the external cache step by step, and say which step fails"},
    {"purge", cache_tool_run, "drop entries, or make them stale, or count them"},
    {"ls", cache_tool_run, "what lies in the memory of a node"},
    {"show", cache_tool_run, "all that is known of single entries"},
    {"stats", cache_tool_run, "figures"},
    {"flights", cache_tool_run, "fetches under way, and how many requests wait for each"},
    {"explain", cache_explain_run, "what the cache makes of a request, and why"},
    {"writes", cache_writes_run, "which paths each write drops"},
    {"purges", cache_tool_run, "the last purges: what, by whom, when"},
    {"warm", cache_warm_run, "ask for URLs at a bounded rate, so that the cache holds them before clients come"},
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate cache VERB ...\n\n");
    for (size_t i = 0; i < COUNTOF(verbs); i++)
        fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    return status;
}

int
cmd_cache(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    for (size_t i = 0; i < COUNTOF(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    fprintf(stderr, "headgate cache: there is no '%s'\n", argv[1]);
    return usage(stderr, 2);
}
