/* cmd_upgrade.c: `headgate upgrade`: asks the running master to start the binary that is on disk now and to hand over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/commands.h"
#include "gateway/master_protocol.h"
#include "store/store.h"

#define OPTIONS_BYTES_MAX ((size_t)64 << 20)
#define ANSWER_SECONDS 90

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate upgrade [--config FILE] [--state DIR]\n\n"
                "Starts the binary that is on disk now beside the running one, with the same sockets. Once it serves, the old\n"
                "process finishes what it has begun and ends. When the new one does not get ready, the old one goes on.\n"
                "  --state DIR     the state folder of the running gateway; goes before the file's `state:`\n"
                "  --config FILE   its headgate.yaml; ./headgate.yaml by default\n");
    return status;
}

/* The folder by --state, or by the configuration. */
static struct str
state_folder(const char *state, const char *config, struct arena *a)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct options options;
    struct diags diags;
    struct stat st;

    if (state)
        return str_from_c(state);
    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, a);
    if (config_load(config, a, &options, &diags))
        return options.state;
    diags_print(&diags, &text);
    if (text.len)
        fputs(buf_str(&text).p, stderr);
    return STR_NONE;
}

static int
connect_to(struct str folder)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    int n = snprintf(at.sun_path, sizeof(at.sun_path), "%.*s/" MASTER_CONTROL_NAME, STR_ARG(folder));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (n < 0 || (size_t)n >= sizeof(at.sun_path))
        errno = ENAMETOOLONG;
    else if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        return fd;
    }
    fprintf(stderr, "headgate upgrade: no master answers at %s: %s\n", at.sun_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int
ask(int fd)
{
    char answer[1024], command = MASTER_COMMAND_UPGRADE;
    ssize_t n = -1;

    if (send(fd, &command, 1, MSG_NOSIGNAL) == 1)
        do                            /* with a time limit it is interrupted by a mere stop and go on (Ctrl-Z), signal(7) */
            n = recv(fd, answer, sizeof(answer) - 1, 0);
        while (n < 0 && errno == EINTR);
    if (n <= 0) {
        fprintf(stderr, "headgate upgrade: the master does not answer\n");
        return 1;
    }
    answer[n] = 0;
    bool is_ok = strncmp(answer, "ok", 2) == 0;
    fprintf(is_ok ? stdout : stderr, "%s\n", answer);
    return is_ok ? 0 : 1;
}

int
cmd_upgrade(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, OPTIONS_BYTES_MAX);
    const char *config = NULL, *state = NULL;
    int c, status;

    while ((c = getopt_long(argc, argv, "c:s:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 's': state = optarg; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (optind < argc)
        return usage(stderr, 2);
    struct str folder = state_folder(state, config, &arena);
    if (!folder.len) {
        fprintf(stderr, "headgate upgrade: which gateway? Use --state DIR, or `state:` in its configuration\n");
        return 2;
    }
    int fd = connect_to(folder);
    if (fd < 0)
        return 1;
    status = ask(fd);
    close(fd);
    return status;
}
