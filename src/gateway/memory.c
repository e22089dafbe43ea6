/* memory.c: looks four times a second (memory.h).
 *
 * What the process takes is its resident set, or, where a control group of its own sets the limit, what counts there (sockets,
 * too): all but the page cache, which the kernel takes back by itself. What others take in a group that we share is nothing that
 * we could give up. Files of /proc and /sys/fs/cgroup never block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/num.h"
#include "cache/cache.h"
#include "gateway/worker.h"
#include "rt/fiber.h"
#include "rt/offload.h"

#define LOOK_MS 250u
#define SHRINK_MS 1000u                  /* between two halvings of the cache */
#define SHRINK_ENTRIES 4096u             /* dropped at one look, so that the loop goes on */
#define CACHE_MIN ((uint64_t)1 << 20)
#define COST_MIN ((uint64_t)64 << 10)    /* an exchange that holds less is not worth breaking off */
#define QUIET_LOOKS 20u                  /* in a row that find the process idle, before anything is given back */
#define IDLE_CPU_US 12500u               /* of processor time between two looks: 5 % of a core */
#define TRIM_LOOK 3u                     /* of giving back: by now each worker has given back the end of its heap */
#define SETTLED_LOOK 8u                  /* and by now the rest is given back */
#define PAUSE_LOOKS 120u                 /* from one beginning to the next: requests that are few and large are to be slow seldom */
#define STACKS_A_LOOK 64u                /* a millisecond where the kernel is slow at it */
#define SETTLED_GROWTH ((uint64_t)1 << 20)   /* less is not worth it */
#define FILE_MAX ((size_t)64 << 10)
#define PROCESSES_MAX 3
#define GROUPS "/sys/fs/cgroup"

/* Per cent of max at which a level begins; it ends so many below. */
static const uint8_t begins[] = {[MEMORY_TIGHT] = 85, [MEMORY_SCARCE] = 92, [MEMORY_DESPERATE] = 97};
#define ENDS_BELOW 3

enum memory_level
memory_level(uint64_t used, uint64_t max, enum memory_level before)
{
    enum memory_level level = MEMORY_EASY;

    for (enum memory_level l = MEMORY_TIGHT; l <= MEMORY_DESPERATE; l++) {
        unsigned percent = l <= before ? begins[l] - ENDS_BELOW : begins[l];
        if (used / 100 >= max / 10000 * percent + max % 10000 * percent / 10000)
            level = l;
    }
    return level;
}

/* ---- the files ---- */

static bool
read_small(const char *path, struct buf *to)
{
    buf_clear(to);
    return file_read(path, FILE_MAX, to, NULL);
}

/* The first number of a text; 0: there is none. */
static uint64_t
number_of(struct str text)
{
    struct str rest = str_trim(text), word;
    uint64_t n = 0;

    if (!str_split_next(&rest, ' ', &word) || !num_parse_u64(str_trim(word), UINT64_MAX, &n, NULL))
        return 0;
    return n;
}

/* The number behind `name` in lines of names and numbers; 0: not there. */
static uint64_t
number_after(struct str text, struct str name)
{
    struct str line;

    while (str_split_next(&text, '\n', &line))
        if (str_starts_with(line, name))
            return number_of(str_skip(line, name.len));
    return 0;
}

static uint64_t
resident(struct buf *scratch)
{
    struct str text, size;

    if (!read_small("/proc/self/statm", scratch))
        return 0;
    text = buf_str(scratch);
    str_split_next(&text, ' ', &size);
    return number_of(text) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* All that counts in the group but what can be had back at once. */
static uint64_t
used_by_group(const char *group, struct buf *scratch)
{
    char path[sizeof(((struct memory_watch *)0)->group) + 32];
    uint64_t current, files;

    snprintf(path, sizeof(path), "%s/memory.current", group);
    if (!read_small(path, scratch))
        return 0;
    current = number_of(buf_str(scratch));
    snprintf(path, sizeof(path), "%s/memory.stat", group);
    if (!read_small(path, scratch))
        return 0;
    files = number_after(buf_str(scratch), STR("inactive_file ")) + number_after(buf_str(scratch), STR("active_file "));
    return current > files ? current - files : 0;
}

/* Nobody is in it but a master, who serves, and who is about to. */
static bool
is_ours(const char *group, struct buf *scratch)
{
    char path[sizeof(((struct memory_watch *)0)->group) + 32];
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    if (!read_small(path, scratch))
        return false;
    for (size_t i = 0; i < scratch->len; i++)
        n += scratch->p[i] == '\n';
    return n <= PROCESSES_MAX;
}

/* The tightest limit of our control group and those above it (cgroup v2). The files lie below root. */
static void
find_group(struct memory_watch *m, const char *root, struct buf *scratch)
{
    char folder[sizeof(m->group)], path[sizeof(folder) + 32];
    struct str text, line, own = STR_NONE;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (!read_small(path, scratch))
        return;
    text = buf_str(scratch);
    while (!own.p && str_split_next(&text, '\n', &line))
        if (str_starts_with(line, STR("0::")))
            own = str_skip(line, 3);
    if (!own.p || snprintf(folder, sizeof(folder), "%s" GROUPS "%.*s", root, STR_ARG(own)) >= (int)sizeof(folder))
        return;
    bool is_own = is_ours(folder, scratch);
    for (;; is_own = false) { /* there are others above */
        uint64_t max;
        snprintf(path, sizeof(path), "%s/memory.max", folder);
        max = read_small(path, scratch) ? number_of(buf_str(scratch)) : 0; /* "max": no limit */
        if (max && (!m->max || max < m->max)) {
            m->max = max;
            snprintf(m->group, sizeof(m->group), "%s", is_own ? folder : "");
        }
        char *slash = strrchr(folder, '/');
        if (strlen(folder) <= strlen(root) + strlen(GROUPS) || !slash)
            return;
        *slash = 0;
    }
}

/* What the control group allows, else what the machine has. */
static void
find_limit(struct memory_watch *m, const char *root)
{
    struct buf scratch AUTO(buf_destroy) = BUF_INIT;
    char path[sizeof(m->group)];

    find_group(m, root, &scratch);
    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    if (!m->max && read_small(path, &scratch))
        m->max = number_after(buf_str(&scratch), STR("MemTotal:")) * 1024;
}

void
memory_init(struct gateway *g)
{
    g->memory.max = g->options->limits.memory_bytes;
    if (!g->memory.max)
        find_limit(&g->memory, "");
}

/* ---- what is done about it ---- */

enum memory_step
memory_quiet_look(struct memory_quiet *q, bool is_idle, uint64_t used)
{
    q->looks = is_idle ? MIN(q->looks + 1, QUIET_LOOKS) : 0;
    q->pause -= q->pause > 0;
    if (q->looks < QUIET_LOOKS) {
        q->giving = 0;
        return MEMORY_BUSY;
    }
    if (!q->giving && (q->pause > 0 || used < q->settled + SETTLED_GROWTH)) {
        q->settled = MIN(q->settled, used);
        return MEMORY_QUIET;
    }
    if (q->giving++ == 0)
        q->pause = PAUSE_LOOKS;
    if (q->giving == SETTLED_LOOK) {
        q->giving = 0;
        q->settled = used;
    }
    return q->giving == 0 || q->giving > TRIM_LOOK ? MEMORY_QUIET : q->giving == TRIM_LOOK ? MEMORY_TRIM : MEMORY_GIVE;
}

static void
trim(void *arg)
{
    heap_release_end();
    heap_release_all();
}

/* What was freed lies in the heap; giving it back takes long. */
static void
trim_fiber(void *arg)
{
    struct gateway *g = arg;

    (void)!offload_call(g->offload, trim, NULL, NULL);
    g->memory.is_trimming = false;
}

/* Half of what it holds, and half again while that is not enough. */
static void
shrink_cache(struct worker *w)
{
    struct gateway *g = w->gateway;
    struct memory_watch *m = &g->memory;
    uint64_t now_ms = loop_now_ms(w->loop), held = cache_bytes(g->cache);

    if (!m->cache_max || (held <= m->cache_max && now_ms - m->shrunk_ms >= SHRINK_MS)) {
        m->cache_max = MAX(held / 2, CACHE_MIN);
        m->shrunk_ms = now_ms;
        cache_set_bytes_max(g->cache, MIN(m->cache_max, g->options->cache_memory.bytes));
    }
    cache_shrink(g->cache, m->cache_max, SHRINK_ENTRIES);
}

/* Since the last look no request has come, and those under way, streams and tunnels among them, took little time. */
static bool
is_idle(struct gateway *g)
{
    struct memory_watch *m = &g->memory;
    uint64_t calls = atomic_load_explicit(&g->load.calls, memory_order_relaxed), cpu_us;
    struct timespec t = {0};
    bool is;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    cpu_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
    is = calls == m->calls && cpu_us - m->cpu_us < IDLE_CPU_US;
    m->calls = calls;
    m->cpu_us = cpu_us;
    return is;
}

/* What was freed goes back when nothing is asked for, or little is left. */
static void
give_back(struct worker *w, enum memory_level level, uint64_t used)
{
    struct gateway *g = w->gateway;
    struct memory_watch *m = &g->memory;
    enum memory_step step = memory_quiet_look(&m->quiet, is_idle(g), used);
    enum memory_step was = (enum memory_step)atomic_load_explicit(&m->step, memory_order_relaxed);

    step = level >= MEMORY_TIGHT ? MEMORY_TRIM : step;
    if ((step >= MEMORY_GIVE) != (was >= MEMORY_GIVE))
        (step >= MEMORY_GIVE ? heap_keep_little : heap_keep_much)();
    atomic_store_explicit(&m->step, (uint8_t)step, memory_order_relaxed);
    if (step < MEMORY_TRIM || m->is_trimming)
        return;
    m->is_trimming = true;
    if (!fiber_start(w->loop, trim_fiber, g, NULL))
        m->is_trimming = false;
}

static void
say(const struct memory_watch *m, enum memory_level level)
{
    static const char *const words[] = {
        [MEMORY_EASY] = "enough again",
        [MEMORY_TIGHT] = "no connection is kept, the cache shrinks",
        [MEMORY_SCARCE] = "new requests are refused",
        [MEMORY_DESPERATE] = "the costliest exchanges are broken off",
    };

    log_warn("memory: %" PRIu64 " of %" PRIu64 " MiB: %s", atomic_load(&m->used) >> 20, m->max >> 20, words[level]);
}

/* The first worker looks for all. */
static void
look(struct worker *w)
{
    struct buf scratch AUTO(buf_destroy) = BUF_INIT;
    struct memory_watch *m = &w->gateway->memory;
    uint64_t used = m->group[0] ? used_by_group(m->group, &scratch) : resident(&scratch);
    enum memory_level before = memory_now(m), level = memory_level(used, m->max, before);

    atomic_store_explicit(&m->used, used, memory_order_relaxed);
    if (level != before) {
        atomic_store_explicit(&m->level, (uint8_t)level, memory_order_relaxed);
        atomic_store_explicit(&w->gateway->load.is_pressed, level >= MEMORY_TIGHT, memory_order_relaxed);
        if (level > before)
            atomic_fetch_add_explicit(&m->times[level], 1, memory_order_relaxed);
        say(m, level);
    }
    if (level >= MEMORY_TIGHT) {
        shrink_cache(w);
    } else if (m->cache_max) {
        m->cache_max = 0;
        cache_set_bytes_max(w->gateway->cache, w->gateway->options->cache_memory.bytes);
    }
    give_back(w, level, used);
}

static void
on_time(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, look_at_memory);
    struct memory_watch *m = &w->gateway->memory;
    enum memory_step step;

    if (w->index == 0)
        look(w);
    step = (enum memory_step)atomic_load_explicit(&m->step, memory_order_relaxed);
    if (step >= MEMORY_QUIET)
        loop_release_spares(w->loop, STACKS_A_LOOK);
    if (step >= MEMORY_GIVE)
        heap_release_end();
    if (memory_now(m) == MEMORY_DESPERATE && http_server_break_costliest(w->server, COST_MIN))
        atomic_fetch_add_explicit(&m->broken_off, 1, memory_order_relaxed);
    timer_start(w->loop, t, loop_now_ms(w->loop) + LOOK_MS, on_time);
}

void
memory_start(struct worker *w)
{
    if (w->gateway->memory.max)
        timer_start(w->loop, &w->look_at_memory, loop_now_ms(w->loop) + LOOK_MS, on_time);
}

static void
stop_looking(struct worker *w, void *arg)
{
    timer_stop(w->loop, &w->look_at_memory);
    if (w->index == 0 && w->gateway->memory.is_trimming)
        *(bool *)arg = true;
}

void
memory_stop(struct gateway *g)
{
    struct timespec pause = {.tv_nsec = 2000000};
    bool is_trimming;

    for (;;) {
        is_trimming = false;
        gateway_on_each_worker(g, stop_looking, &is_trimming);
        if (!is_trimming)
            return;
        nanosleep(&pause, NULL);
    }
}
