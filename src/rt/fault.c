/* fault.c: what the process says when it dies. Handlers run on an alternate stack a thread has (a fiber that ran off
 * its stack has none left), use write(2) and their own formatting, and end by dying of the same signal, so that core
 * files and the master see the true cause. What happens on the way must not keep the process from dying (a backtrace that
 * waits for a lock, standard error that nobody reads): an alarm ends it then.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/fault.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/fiber_pool.h"

#define ALTERNATE_STACK_BYTES ((size_t)64 << 10)
#define FRAMES_MAX 48
#define TEXT_MAX 512
#define LAST_WORDS_S 2

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(HEADGATE_ASAN)
#define HAS_OWN_HANDLERS 0
#else
#define HAS_OWN_HANDLERS 1
#endif

/* A signal handler has no argument for them: set once, before threads start. */
static describe_fn *fault_describe;
static struct {
    int fd;
    const void *bytes;
    size_t n;
} fault_heir = {.fd = -1};
static THREAD_LOCAL void *alternate_stack;

struct text {
    char p[TEXT_MAX];
    size_t len;
};

static void
text_add(struct text *t, const char *c)
{
    while (*c && t->len < sizeof(t->p))
        t->p[t->len++] = *c++;
}

static void
text_add_hex(struct text *t, uintptr_t n)
{
    text_add(t, "0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        if (n >> shift || shift == 0) {
            char digit[2] = {"0123456789abcdef"[n >> shift & 15], 0};
            text_add(t, digit);
        }
}

static const char *
signal_text(int signal_number)
{
    switch (signal_number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    }
    return "SIGABRT";
}

static void
on_fault(int signal_number, siginfo_t *info, void *context)
{
    struct loop *loop = loop_self();
    const struct fiber *f = loop ? loop->fibers->resumed : NULL;
    void *frames[FRAMES_MAX];
    struct text t = {.len = 0};

    if (fault_heir.fd >= 0)
        (void)!send(fault_heir.fd, fault_heir.bytes, fault_heir.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    signal(SIGALRM, SIG_DFL);
    alarm(LAST_WORDS_S);
    text_add(&t, "headgate: fatal: ");
    text_add(&t, signal_text(signal_number));
    if (signal_number != SIGABRT) {
        text_add(&t, " at ");
        text_add_hex(&t, (uintptr_t)info->si_addr);
    }
    if (f && signal_number == SIGSEGV && fiber_guard_has(f, info->si_addr))
        text_add(&t, ": fiber stack overflow");
    if (f && f->request && fault_describe) {
        text_add(&t, " while serving ");
        t.len += fault_describe(f->request, t.p + t.len, sizeof(t.p) - t.len - 1);
    }
    text_add(&t, "\n");
    if (write(STDERR_FILENO, t.p, t.len) > 0)
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    alarm(0);
    signal(signal_number, SIG_DFL);
    raise(signal_number);                /* blocked in here: taken on return, at the place of the fault */
}

void
fault_tell(int fd, const void *bytes, size_t n)
{
    fault_heir.bytes = bytes;
    fault_heir.n = n;
    fault_heir.fd = fd;
}

void
fault_install(describe_fn *describe)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    void *frame;

    fault_describe = describe;
    if (!HAS_OWN_HANDLERS)
        return;
    backtrace(&frame, 1);                /* loads what it needs now, not in a handler */
    for (size_t i = 0; i < COUNTOF(signals); i++)
        sigaction(signals[i], &action, NULL);
}

void
fault_thread_begin(void)
{
    stack_t stack = {.ss_size = ALTERNATE_STACK_BYTES};

    if (!HAS_OWN_HANDLERS || alternate_stack)
        return;
    stack.ss_sp = mmap(NULL, ALTERNATE_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        return;
    alternate_stack = stack.ss_sp;
    sigaltstack(&stack, NULL);
}

void
fault_thread_end(void)
{
    stack_t off = {.ss_flags = SS_DISABLE};

    if (!alternate_stack)
        return;
    sigaltstack(&off, NULL);
    munmap(alternate_stack, ALTERNATE_STACK_BYTES);
    alternate_stack = NULL;
}
