/* program.c: posix_spawn, a pipe, a deadline. The child leads a process group of its own, so that a kill reaches its children, too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "rt/offload.h"

extern char **environ;

struct job {
    const struct program *p;
    struct buf output;                /* malloc: the arena is the fiber's */
    struct err err;
    bool ok;
};

/* argv or environment: malloc, each text too. */
static void
free_texts(char **v)
{
    for (size_t i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
}

static char **
arguments(const struct program *p)
{
    char **v = xnew_array(char *, p->n_words + 1);

    for (uint32_t i = 0; i < p->n_words; i++)
        v[i] = xstrndup(p->words[i].p, p->words[i].len);
    return v;
}

static char **
environment(const struct program *p)
{
    size_t n = 0;
    char **v;

    while (environ[n])
        n++;
    v = xnew_array(char *, n + p->n_variables + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = xstrndup(environ[i], strlen(environ[i]));
    for (uint32_t i = 0; i < p->n_variables; i++) {
        struct buf b = BUF_INIT;
        buf_printf(&b, "%s=%.*s", p->variables[i].name, STR_ARG(p->variables[i].value));
        v[n + i] = xstrndup(buf_str(&b).p, b.len);
        buf_destroy(&b);
    }
    return v;
}

static bool
spawn(const struct program *p, int out, pid_t *ret, struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    char **argv = arguments(p), **env = environment(p);
    int failure;

    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    failure = posix_spawnp(ret, argv[0], &actions, &attr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    free_texts(argv);
    free_texts(env);
    return failure == 0 || err_set_errno(err, failure == ENOENT ? ERR_NOT_FOUND : ERR_IO, failure, "cannot be started");
}

/* Until the pipe's end, the limit or the deadline. */
static bool
read_output(int fd, uint64_t until_ns, size_t max, struct buf *to, struct err *err)
{
    for (;;) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        uint64_t now_ns = clock_mono_ns(NULL);
        int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0, n;
        char *room;
        ssize_t got;

        if (left_ms == 0)
            return err_set(err, ERR_TIMEOUT, "took too long");
        n = poll(&pfd, 1, left_ms);
        if (n <= 0)
            continue;
        room = buf_reserve(to, 4096);
        got = room ? read(fd, room, 4096) : -1;
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return err_set_errno(err, ERR_IO, errno, "cannot be read");
        to->len += got > 0 ? (size_t)got : 0;
        if (to->len > max)
            return err_set(err, ERR_LIMIT, "prints more than %zu bytes", max);
    }
}

/* Whether it ended well; one that does not end by its own is killed at the deadline. */
static bool
wait_for_end(pid_t pid, uint64_t until_ns, struct err *err)
{
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_ns(NULL) >= until_ns) {
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
            return err_set(err, ERR_TIMEOUT, "took too long");
        }
        poll(NULL, 0, 5);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        return err_set(err, WEXITSTATUS(status) == 127 ? ERR_NOT_FOUND : ERR_INVALID, "ended with status %d", WEXITSTATUS(status));
    return err_set(err, ERR_INVALID, "was ended by signal %d", WTERMSIG(status));
}

static void
run(void *arg)
{
    struct job *j = arg;
    uint64_t until_ns = clock_mono_ns(NULL) + (uint64_t)j->p->timeout_ms * 1000000;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set_errno(&j->err, ERR_IO, errno, "no pipe");
        return;
    }
    j->ok = spawn(j->p, ends[1], &pid, &j->err);
    close(ends[1]);
    if (j->ok) {
        j->ok = read_output(ends[0], until_ns, j->p->output_max, &j->output, &j->err);
        if (!j->ok)
            kill(-pid, SIGKILL);
        j->ok = wait_for_end(pid, until_ns, j->ok ? &j->err : NULL) && j->ok;
    }
    close(ends[0]);
}

bool
program_run(struct offload *pool, const struct program *p, struct buf *output, struct err *err)
{
    struct job j = {.p = p};
    bool ok = offload_call(pool, run, &j, err);

    if (ok && !j.ok)
        ok = err_set(err, j.err.code, "%s", j.err.text);
    if (ok)
        ok = buf_add(output, j.output.p, j.output.len) || err_set(err, ERR_NO_MEMORY, "no memory left for its output");
    buf_destroy(&j.output);
    return ok;
}
