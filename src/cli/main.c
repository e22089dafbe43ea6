/* main.c: `headgate COMMAND ...`: finds the command's row and runs it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/heap.h"
#include "cli/commands.h"

struct command {
    const char *name, *arguments, *summary;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(function, name, arguments, summary) {name, arguments, summary, cmd_##function},
#include "cli/commands.def"
#undef COMMAND
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate COMMAND ...\n\n");
    for (size_t i = 0; i < COUNTOF(commands); i++) {
        int wide = (int)(strlen(commands[i].name) + strlen(commands[i].arguments)) + 1;
        fprintf(to, "  %s %s%*s %s\n", commands[i].name, commands[i].arguments, wide < 40 ? 40 - wide : 0, "",
                commands[i].summary);
    }
    fprintf(to, "\n`headgate COMMAND --help` says more.\n");
    return status;
}

static bool
next_name(void *ctx, struct str *candidate)
{
    size_t *i = ctx;

    if (*i == COUNTOF(commands))
        return false;
    *candidate = str_from_c(commands[(*i)++].name);
    return true;
}

/* Where descriptors 0 to 2 are closed, sockets and files of ours would take their numbers, and get what is meant for people. */
static void
fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int
main(int argc, char **argv)
{
    static char option[] = "--help";
    size_t at = 0;
    struct str near;

    fill_standard_descriptors();
    heap_keep_much();
    if (argc < 2)
        return usage(stderr, 2);
    if (argc == 3 && !strcmp(argv[1], "help")) { /* help COMMAND */
        argv[1] = argv[2];
        argv[2] = option;
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return usage(stdout, 0);
    if (!strcmp(argv[1], "--version"))
        return cmd_version(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNTOF(commands); i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    near = diag_nearest(str_from_c(argv[1]), next_name, &at);
    fprintf(stderr, "headgate: no command '%s'", argv[1]);
    if (near.p)
        fprintf(stderr, "; did you mean '%.*s'?", STR_ARG(near));
    fprintf(stderr, "\n\n");
    return usage(stderr, 2);
}
