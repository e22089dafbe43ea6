/* master.c: sockets, children, signals.
 *
 *     master --- socket pair --- serving process (current)
 *        |  \--- socket pair --- the next one (until it is ready) or former ones (until they have drained)
 *        '--- control.sock: `headgate upgrade`
 * Listening sockets are kept by what was asked for (address and index), so that a process that comes later gets the very
 * sockets of the one before, with the connections that wait in them: between a crash and the restart nobody is refused.
 * A process that dies is started again at once: it says so (DYING) before its last words and its core file are written. One
 * that keeps dying young is started ever later, up to 10 s. A process that never got ready at the first start has said why
 * itself; then the master ends with its status.
 * One thread, one poll() loop, no allocation that a peer can drive.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/master_protocol.h"
#include "gateway/sd_notify.h"
#include "net/listener.h"

#define CHILDREN_MAX 8                   /* the current one, the next, and former ones that drain */
#define SOCKETS_MAX 4096
#define READY_MS 60000                   /* for the next process to be ready */
#define YOUNG_MS 5000                    /* who dies before that is in a crash loop */
#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 10000

enum role { ROLE_NONE, ROLE_CURRENT, ROLE_NEXT, ROLE_FORMER };

struct child {
    enum role role;
    pid_t pid;
    int fd;                              /* our end of the channel; -1 once it has closed its own */
    bool is_ready;
    bool is_dying;                       /* it has crashed: another one is in its place already */
    uint64_t since_ms;
};

struct held {
    int fd;
    struct master_request asked;
    unsigned claims;                     /* of the processes that asked for it: a bit for each place among the children */
};

struct master {
    char **argv;
    char path[PATH_MAX];                 /* of the binary, as it was when we started: an upgrade puts the new one there */
    struct child children[CHILDREN_MAX];
    struct held *held;
    uint32_t n_held;
    int signal_fd;
    int control_fd;                      /* -1: none */
    int client_fd;                       /* who waits for the outcome of an upgrade; -1: nobody */
    struct sockaddr_un control_addr;
    bool was_ready;                      /* some process has been */
    bool is_stopping;
    int status;                          /* to end with */
    uint64_t delay_ms, start_at_ms;      /* of the next start; 0: none is planned */
};

static uint64_t
now_ms(void)
{
    return clock_mono_ns(NULL) / 1000000;
}

static struct child *
child_of_role(struct master *m, enum role role)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (m->children[i].role == role)
            return &m->children[i];
    return NULL;
}

static struct child *
child_of_pid(struct master *m, pid_t pid)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (m->children[i].role != ROLE_NONE && m->children[i].pid == pid)
            return &m->children[i];
    return NULL;
}

/* --- starting processes --- */

/* In the child: nothing of ours but the channel. A group of its own, so that Ctrl-C reaches it once, through us. */
static void NO_RETURN
become_serving_process(const struct master *m, int fd, bool is_restart)
{
    sigset_t none;
    char text[16];

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fcntl(fd, F_SETFD, 0);
    snprintf(text, sizeof(text), "%d", fd);
    setenv(MASTER_FD_NAME, text, 1);
    if (is_restart)
        setenv(MASTER_RESTART_NAME, "1", 1);
    unsetenv("NOTIFY_SOCKET");
    execv(m->path, m->argv);
    dprintf(STDERR_FILENO, "headgate: cannot run %s: %s\n", m->path, strerror(errno));
    _exit(127);
}

static struct child *
start_child(struct master *m, enum role role)
{
    struct child *c = child_of_role(m, ROLE_NONE);
    int fd[2];

    if (!c || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0)
        become_serving_process(m, fd[1], role == ROLE_CURRENT && m->was_ready);
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return NULL;
    }
    setpgid(pid, pid);                   /* whoever is first */
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    *c = (struct child){.role = role, .pid = pid, .fd = fd[0], .since_ms = now_ms()};
    return c;
}

static void
start_current(struct master *m)
{
    m->start_at_ms = 0;
    if (start_child(m, ROLE_CURRENT))
        return;
    log_error("cannot start the serving process, trying again in %d ms", DELAY_MAX_MS);
    m->start_at_ms = now_ms() + DELAY_MAX_MS;
}

/* --- sockets --- */

static bool
is_same_request(const struct master_request *a, const struct master_request *b)
{
    return a->index == b->index && a->is_shared == b->is_shared && a->addr_len == b->addr_len &&
           memcmp(&a->addr, &b->addr, a->addr_len) == 0;
}

/* Addresses of ours may overlap, as 0.0.0.0 and 127.0.0.1 do: only a port that none of them has can be somebody else's. */
static bool
is_ours_to_bind(struct master *m, const struct master_request *q, const struct addr *at, struct err *err)
{
    if (!q->is_shared || q->index % MASTER_SOCKETS_OF_ONE > 0)
        return true;
    for (uint32_t i = 0; i < m->n_held; i++)
        if (addr_from_sockaddr(&m->held[i].asked.addr.sa, m->held[i].asked.addr_len).port == at->port)
            return true;
    return listener_address_is_free(at, err);
}

static struct held *
bind_held(struct master *m, const struct master_request *q, struct err *err)
{
    struct addr at = addr_from_sockaddr(&q->addr.sa, q->addr_len);
    struct held *h;
    int fd;

    if (at.kind == ADDR_UNIX)
        at.path = q->addr.un.sun_path;
    if (m->n_held == SOCKETS_MAX) {
        err_set(err, ERR_LIMIT, "the master holds %d sockets already", SOCKETS_MAX);
        return NULL;
    }
    fd = is_ours_to_bind(m, q, &at, err) ? listener_bind(&at, q->backlog, q->mode, q->is_shared, err) : -1;
    if (fd < 0)
        return NULL;
    h = &m->held[m->n_held++];
    *h = (struct held){.fd = fd, .asked = *q};
    return h;
}

static bool
is_path_there(const struct sockaddr_un *at)
{
    struct stat st;

    return at->sun_family != AF_UNIX || (lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode));
}

/* A socket whose file somebody has removed is reached by nobody: it is bound anew. */
static struct held *
hold(struct master *m, const struct master_request *q, struct err *err)
{
    for (uint32_t i = 0; i < m->n_held; i++) {
        if (!is_same_request(&m->held[i].asked, q))
            continue;
        if (is_path_there(&q->addr.un))
            return &m->held[i];
        close(m->held[i].fd);
        m->held[i] = m->held[--m->n_held];
        break;
    }
    return bind_held(m, q, err);
}

static unsigned
claim_of(const struct master *m, const struct child *c)
{
    return 1u << (c - m->children);
}

static void
forget_claims(struct master *m, const struct child *c)
{
    for (uint32_t i = 0; i < m->n_held; i++)
        m->held[i].claims &= ~claim_of(m, c);
}

static void
unlink_file(const struct held *h)
{
    if (h->asked.addr.sa.sa_family == AF_UNIX)
        unlink(h->asked.addr.un.sun_path);
}

/* After a change of processes: what the new one did not ask for is no listener any more. */
static void
drop_unclaimed(struct master *m, const struct child *c)
{
    for (uint32_t i = 0; i < m->n_held;) {
        struct held *h = &m->held[i];
        if (h->claims & claim_of(m, c)) {
            i++;
            continue;
        }
        unlink_file(h);
        close(h->fd);
        *h = m->held[--m->n_held];
    }
}

static void
send_reply(struct child *c, const struct master_reply *reply, int fd)
{
    struct iovec v = {(void *)reply, sizeof(*reply)};
    union { struct cmsghdr head; char bytes[CMSG_SPACE(sizeof(int))]; } control = {0};
    struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};

    if (fd >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof(control.bytes);
        control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    }
    if (sendmsg(c->fd, &msg, MSG_NOSIGNAL) < 0)
        log_warn("cannot answer process %d: %s", (int)c->pid, strerror(errno));
}

static void
give_socket(struct master *m, struct child *c, const struct master_request *q)
{
    struct master_reply reply = {.ok = true};
    struct err err = ERR_INIT;
    struct held *h = hold(m, q, &err);

    if (h)
        h->claims |= claim_of(m, c);
    else
        snprintf(reply.text, sizeof(reply.text), "%s", err.text);
    reply.ok = h != NULL;
    send_reply(c, &reply, h ? h->fd : -1);
}

/* The control socket is ours to listen on; a path that cannot be bound is no reason not to serve. */
static void
open_control(struct master *m, struct child *c, const struct master_request *q)
{
    struct master_reply reply = {.ok = true};
    struct err err = ERR_INIT;
    struct addr at = {.kind = ADDR_UNIX, .path = q->addr.un.sun_path};

    bool is_elsewhere = strcmp(m->control_addr.sun_path, q->addr.un.sun_path) != 0;

    if (m->control_fd >= 0 && (is_elsewhere || !is_path_there(&m->control_addr))) {
        unlink(m->control_addr.sun_path);
        close(m->control_fd);
        m->control_fd = -1;
    }
    if (m->control_fd < 0) {
        m->control_addr = q->addr.un;
        m->control_fd = listener_bind(&at, 4, 0600, false, &err);
    }
    if (err.code == ERR_EXISTS)
        err_prefix(&err, "another gateway uses this state folder, and each overwrites the other's quotas");
    reply.ok = m->control_fd >= 0;
    snprintf(reply.text, sizeof(reply.text), "%s", reply.ok ? "" : err.text);
    send_reply(c, &reply, -1);
}

/* --- upgrades --- */

static void
answer_client(struct master *m, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
answer_client(struct master *m, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_info("upgrade: %s", text);
    if (m->client_fd < 0)
        return;
    (void)!send(m->client_fd, text, strlen(text), MSG_NOSIGNAL);
    close(m->client_fd);
    m->client_fd = -1;
}

static void
begin_upgrade(struct master *m)
{
    if (m->is_stopping || child_of_role(m, ROLE_NEXT))
        answer_client(m, "another upgrade or the end is under way");
    else if (!child_of_role(m, ROLE_CURRENT))
        answer_client(m, "no process serves now; the next start runs the new binary");
    else if (!start_child(m, ROLE_NEXT))
        answer_client(m, "cannot start the new process");
}

static void
finish_upgrade(struct master *m, struct child *next)
{
    struct child *old = child_of_role(m, ROLE_CURRENT);

    next->role = ROLE_CURRENT;
    m->start_at_ms = 0;                  /* the old one may have died meanwhile */
    drop_unclaimed(m, next);
    sd_notify_printf("MAINPID=%d\nREADY=1", (int)getpid());
    if (!old) {
        answer_client(m, "ok: process %d serves", (int)next->pid);
        return;
    }
    old->role = ROLE_FORMER;
    kill(old->pid, SIGUSR2);             /* drains without announcing it: somebody else serves */
    answer_client(m, "ok: process %d serves, process %d drains", (int)next->pid, (int)old->pid);
}

static void
give_up_upgrade(struct master *m, struct child *next, const char *why)
{
    next->role = ROLE_FORMER;
    kill(next->pid, SIGKILL);
    answer_client(m, "the new process %s; the old one goes on serving", why);
}

/* --- messages and deaths --- */

static void
on_ready(struct master *m, struct child *c)
{
    c->is_ready = true;
    m->was_ready = true;
    if (c->role == ROLE_NEXT) {
        finish_upgrade(m, c);
        return;
    }
    drop_unclaimed(m, c);
    sd_notify_printf("READY=1");
}

static void
describe_end(int status, char text[96])
{
    if (WIFSIGNALED(status))
        snprintf(text, 96, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, 96, "ended with status %d", WEXITSTATUS(status));
}

static int
exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* At once after a long life, ever later after short ones. */
static void
plan_restart(struct master *m, uint64_t lived_ms)
{
    uint64_t delay = m->delay_ms;

    if (lived_ms >= YOUNG_MS)
        delay = m->delay_ms = 0;
    m->delay_ms = MIN(MAX(m->delay_ms * 2, (uint64_t)DELAY_MIN_MS), (uint64_t)DELAY_MAX_MS);
    m->start_at_ms = now_ms() + delay;
    log_warn("starting it again%s", delay ? " after a pause, as it did not live long" : "");
}

/* The place is free for the next one; what the old one still does is nobody's business but the log's. */
static void
on_dying(struct master *m, struct child *c)
{
    if (c->role != ROLE_CURRENT || m->is_stopping)
        return;
    c->role = ROLE_FORMER;
    c->is_dying = true;
    log_error("serving process %d has crashed", (int)c->pid);
    plan_restart(m, now_ms() - c->since_ms);
}

static bool
is_well_formed(const struct master_request *q, ssize_t n)
{
    if (n != (ssize_t)sizeof(*q) || q->version != MASTER_PROTOCOL_VERSION)
        return false;
    if (q->kind == MASTER_READY || q->kind == MASTER_DYING)
        return true;
    if (q->addr_len < sizeof(sa_family_t) || q->addr_len > sizeof(q->addr))
        return false;
    return q->kind == MASTER_SOCKET || (q->kind == MASTER_CONTROL && q->addr.sa.sa_family == AF_UNIX);
}

static void
on_message(struct master *m, struct child *c)
{
    struct master_request q;
    ssize_t n = recv(c->fd, &q, sizeof(q), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close(c->fd);
        c->fd = -1;                      /* its death is told by SIGCHLD */
        return;
    }
    q.addr.un.sun_path[sizeof(q.addr.un.sun_path) - 1] = 0;
    if (!is_well_formed(&q, n)) {
        send_reply(c, &(struct master_reply){.text = "the running master is of another version: restart it"}, -1);
        return;
    }
    switch ((enum master_request_kind)q.kind) {
    case MASTER_SOCKET: give_socket(m, c, &q); break;
    case MASTER_CONTROL: open_control(m, c, &q); break;
    case MASTER_READY: on_ready(m, c); break;
    case MASTER_DYING: on_dying(m, c); break;
    }
}

static void
on_current_end(struct master *m, const struct child *c, int status)
{
    char text[96];

    if (m->is_stopping) {
        m->status = exit_status(status);
        return;
    }
    if (!m->was_ready && WIFEXITED(status)) {        /* it has said itself what is wrong */
        m->status = exit_status(status);
        m->is_stopping = true;
        return;
    }
    describe_end(status, text);
    log_error("serving process %d %s", (int)c->pid, text);
    plan_restart(m, now_ms() - c->since_ms);
}

static void
on_former_end(const struct child *c, int status)
{
    char text[96];

    describe_end(status, text);
    if (c->is_dying || WIFSIGNALED(status))
        log_error("serving process %d %s", (int)c->pid, text);
    else
        log_info("process %d has drained", (int)c->pid);
}

static void
on_end(struct master *m, pid_t pid, int status)
{
    struct child *c = child_of_pid(m, pid), was;
    char text[96];

    if (!c)
        return;
    was = *c;
    forget_claims(m, c);
    /* What it still said: READY may wait in the channel of a process that died right after. */
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct child){.role = ROLE_NONE, .fd = -1};
    switch (was.role) {
    case ROLE_NONE: break;
    case ROLE_CURRENT: on_current_end(m, &was, status); break;
    case ROLE_NEXT:
        describe_end(status, text);
        answer_client(m, "the new process %s before it was ready; the old one goes on serving", text);
        break;
    case ROLE_FORMER: on_former_end(&was, status); break;
    }
}

static void
reap(struct master *m)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        on_end(m, pid, status);
}

/* --- signals, the control socket, the loop --- */

static void
tell_children(struct master *m, int signal_number, bool all)
{
    for (int i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &m->children[i];
        if (c->role == ROLE_CURRENT || (all && c->role != ROLE_NONE))
            kill(c->pid, signal_number);
    }
}

static void
on_signal(struct master *m, int signal_number)
{
    switch (signal_number) {
    case SIGCHLD: reap(m); break;
    case SIGHUP:
    case SIGUSR1: tell_children(m, signal_number, false); break;
    case SIGUSR2: begin_upgrade(m); break;
    default:
        m->is_stopping = true;
        m->start_at_ms = 0;
        if (!child_of_role(m, ROLE_CURRENT))
            m->status = 0;               /* nobody is left to say how it ended */
        sd_notify_printf("STOPPING=1");
        tell_children(m, signal_number, true);
    }
}

static void
read_signals(struct master *m)
{
    struct signalfd_siginfo info;

    while (read(m->signal_fd, &info, sizeof(info)) == sizeof(info))
        on_signal(m, (int)info.ssi_signo);
}

static void
on_control(struct master *m)
{
    struct timeval patience = {.tv_sec = 1};
    int fd = accept4(m->control_fd, NULL, NULL, SOCK_CLOEXEC);
    char command = 0;
    ssize_t n;

    if (fd < 0)
        return;
    /* The file is ours alone (0600), so whoever is here may; a second's wait is the most it can cost. */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    do
        n = recv(fd, &command, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n != 1 || command != MASTER_COMMAND_UPGRADE || m->client_fd >= 0) {
        static const char busy[] = "another upgrade is under way";
        (void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
        close(fd);
        return;
    }
    m->client_fd = fd;
    begin_upgrade(m);
}

static int
wait_ms(struct master *m)
{
    const struct child *next = child_of_role(m, ROLE_NEXT);
    uint64_t at = m->start_at_ms, now = now_ms();

    if (next && (!at || next->since_ms + READY_MS < at))
        at = next->since_ms + READY_MS;
    return !at ? -1 : at <= now ? 0 : (int)(at - now);
}

static void
do_what_is_due(struct master *m)
{
    struct child *next = child_of_role(m, ROLE_NEXT);

    if (m->start_at_ms && m->start_at_ms <= now_ms())
        start_current(m);
    if (next && next->since_ms + READY_MS <= now_ms())
        give_up_upgrade(m, next, "was not ready within 60 s");
}

static bool
has_children(const struct master *m)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (m->children[i].role != ROLE_NONE)
            return true;
    return false;
}

static void
run(struct master *m)
{
    while (!m->is_stopping || has_children(m)) {
        struct pollfd fds[2 + CHILDREN_MAX];
        struct child *who[2 + CHILDREN_MAX];
        nfds_t n = 0;

        fds[n++] = (struct pollfd){.fd = m->signal_fd, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = m->control_fd, .events = POLLIN};
        for (int i = 0; i < CHILDREN_MAX; i++)
            if (m->children[i].role != ROLE_NONE && m->children[i].fd >= 0) {
                who[n] = &m->children[i];
                fds[n++] = (struct pollfd){.fd = m->children[i].fd, .events = POLLIN};
            }
        if (poll(fds, n, wait_ms(m)) < 0 && errno != EINTR)
            break;
        for (nfds_t i = 2; i < n; i++)   /* before deaths: a last READY counts */
            if (fds[i].revents)
                on_message(m, who[i]);
        if (fds[0].revents)
            read_signals(m);
        if (fds[1].revents & POLLIN)
            on_control(m);
        do_what_is_due(m);
    }
}

static bool
open_signals(struct master *m)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNTOF(handled); i++)
        sigaddset(&set, handled[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return m->signal_fd >= 0;
}

static void
clean_up(struct master *m)
{
    for (uint32_t i = 0; i < m->n_held; i++) {
        unlink_file(&m->held[i]);
        close(m->held[i].fd);
    }
    if (m->control_fd >= 0) {
        unlink(m->control_addr.sun_path);
        close(m->control_fd);
    }
    close(m->signal_fd);
    free(m->held);
}

int
master_run(char **argv)
{
    struct master m = {.argv = argv, .control_fd = -1, .client_fd = -1, .status = 1};
    ssize_t len = readlink("/proc/self/exe", m.path, sizeof(m.path) - 1);

    for (int i = 0; i < CHILDREN_MAX; i++)
        m.children[i].fd = -1;
    if (len <= 0 || !open_signals(&m)) {
        log_error("cannot start the master: %s", strerror(errno));
        return 1;
    }
    m.held = xnew_array(struct held, SOCKETS_MAX);
    start_current(&m);
    run(&m);
    clean_up(&m);
    return m.status;
}
