/* regex.c: compiling for and matching with PCRE2, or with the backtracker where PCRE2 cannot.
 *
 * A struct regex is immutable and shared. What a match needs besides (match data, limits, JIT stack) belongs to the thread and is
 * made at its first match: PCRE2's own frames would take 32 KiB of a fiber's stack, with an assigned JIT stack half a KiB.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "data/regex_tree.h"
#include "rt/fiber.h"

#define JIT_STACK_MAX ((size_t)1 << 20)
#define HEAP_LIMIT_KIB 8192
#define GROUPS_MAX 1000

struct regex {
    struct regex_tree tree;
    pcre2_code *code;                 /* NULL: the backtracker */
    uint16_t *order;                  /* position of each PCRE2 group */
    uint32_t n_order;
};

/* --- what a thread keeps ---------------------------------------------------------------------------------------------------------------- */

struct regex_thread {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    pcre2_match_data *data;           /* room for GROUPS_MAX pairs */
};

static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;

static void
thread_free(void *arg)
{
    struct regex_thread *t = arg;

    pcre2_match_data_free(t->data);
    pcre2_jit_stack_free(t->stack);
    pcre2_match_context_free(t->context);
    free(t);
}

static void
thread_key_make(void)
{
    int failed = pthread_key_create(&thread_key, thread_free);

    ASSERT(!failed);
}

static struct regex_thread *
thread_get(void)
{
    struct regex_thread *t;

    pthread_once(&thread_once, thread_key_make);
    if ((t = pthread_getspecific(thread_key)))
        return t;
    t = xnew(struct regex_thread);
    t->context = pcre2_match_context_create(NULL);
    t->stack = pcre2_jit_stack_create((size_t)32 << 10, JIT_STACK_MAX, NULL);
    t->data = pcre2_match_data_create(GROUPS_MAX + 1, NULL);
    ASSERT(t->context && t->stack && t->data);
    pcre2_jit_stack_assign(t->context, NULL, t->stack);
    pcre2_set_heap_limit(t->context, HEAP_LIMIT_KIB);
    pthread_setspecific(thread_key, t);
    return t;
}

/* --- compiling ---------------------------------------------------------------------------------------------------------------------------- */

struct compile_job {
    struct str pattern;
    unsigned options;
    struct regex *ret;
    struct err *err;
};

static bool
compile_pcre(struct regex *r, struct str text)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    if (!context)
        return false;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context, (size_t)4 << 20);
    r->code = pcre2_compile((PCRE2_SPTR)text.p, text.len, PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NO_UTF_CHECK,
                            &code, &at, context);
    pcre2_compile_context_free(context);
    if (!r->code)
        return false;
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without JIT the interpreter does it */
    return true;
}

/* Goes deep: the parser recurses, and pcre2_compile() takes 24 KiB. */
static void
compile_now(void *arg)
{
    struct compile_job *job = arg;
    struct regex *r = xnew(struct regex);
    struct buf text = BUF_INIT;
    uint16_t order[GROUPS_MAX];

    if (!regex_parse(&r->tree, job->pattern, job->options, job->err)) {
        regex_delete(r);
        return;
    }
    if (r->tree.groups.n > GROUPS_MAX) {
        err_set(job->err, ERR_LIMIT, "the regular expression has more than %d groups", GROUPS_MAX);
        regex_delete(r);
        return;
    }
    if (!r->tree.needs_backtracker && regex_translate(&r->tree, &text, order, GROUPS_MAX, &r->n_order) &&
        compile_pcre(r, buf_str(&text))) {
        r->order = xnew_array(uint16_t, r->n_order + 1);
        memcpy(r->order, order, r->n_order * sizeof(*order));
    }
    buf_destroy(&text);
    job->ret = r;
}

struct regex *
regex_new(struct str pattern, unsigned options, struct err *err)
{
    /* The tree's names point into the pattern. */
    char *copy = xstrndup(pattern.p ? pattern.p : "", pattern.len);
    struct compile_job job = {.pattern = str_from(copy, pattern.len), .options = options, .err = err};

    fiber_call_on_loop_stack(compile_now, &job);
    if (!job.ret || !arena_defer(&job.ret->tree.arena, free, copy)) {
        free(copy);
        if (job.ret)
            regex_delete(job.ret);
        return NULL;
    }
    return job.ret;
}

void
regex_delete(struct regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r->order);
    arena_destroy(&r->tree.arena);
    free(r);
}

/* --- asking -------------------------------------------------------------------------------------------------------------------------------- */

uint32_t
regex_groups(const struct regex *r)
{
    return (uint32_t)r->tree.groups.n;
}

uint32_t
regex_group_number(const struct regex *r, uint32_t i)
{
    return r->tree.groups.v[i].number;
}

struct str
regex_group_name(const struct regex *r, uint32_t i)
{
    return r->tree.groups.v[i].name;
}

int
regex_find_number(const struct regex *r, uint32_t number)
{
    for (uint32_t i = 0; i < r->tree.groups.n; i++)
        if (r->tree.groups.v[i].number == number)
            return (int)i;
    return -1;
}

int
regex_find_name(const struct regex *r, struct str name)
{
    for (uint32_t i = 0; i < r->tree.groups.n; i++)
        if (str_eq(r->tree.groups.v[i].name, name))
            return (int)i;
    return -1;
}

bool
regex_is_right_to_left(const struct regex *r)
{
    return r->tree.options & REGEX_RIGHT_TO_LEFT;
}

/* --- matching ------------------------------------------------------------------------------------------------------------------------------ */

struct walk_job {
    const struct regex *r;
    struct str text;
    size_t from;
    uint64_t steps;
    bool anchored;
    struct regex_span *spans;
    struct arena *arena;
    struct regex_span **ret;
    uint32_t *ret_n;
    enum regex_status status;
};

static void
walk_now(void *arg)
{
    struct walk_job *j = arg;

    j->status = regex_backtrack(&j->r->tree, j->text, j->from, j->steps, j->anchored, j->spans, j->arena, j->ret, j->ret_n);
}

static enum regex_status
match_pcre(const struct regex *r, struct str text, size_t from, uint64_t steps, struct regex_span *spans)
{
    struct regex_thread *t = thread_get();
    const PCRE2_SIZE *pairs;
    int rc;

    pcre2_set_match_limit(t->context, (uint32_t)MIN(steps, (uint64_t)UINT32_MAX));
    rc = pcre2_match(r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.len, from, PCRE2_NO_UTF_CHECK, t->data, t->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    if (rc < 0)
        return REGEX_TOO_LONG; /* limits of steps, heap or JIT stack */
    pairs = pcre2_get_ovector_pointer(t->data);
    for (uint32_t g = 0; g < r->tree.groups.n; g++)
        spans[g] = (struct regex_span){SIZE_MAX, 0};
    spans[0] = (struct regex_span){pairs[0], pairs[1]};
    for (uint32_t k = 0; k < r->n_order; k++) {
        uint32_t i = k + 1;
        if ((int)i < rc && pairs[2 * i] != PCRE2_UNSET)
            spans[r->order[k]] = (struct regex_span){pairs[2 * i], pairs[2 * i + 1]};
    }
    return REGEX_MATCH;
}

enum regex_status
regex_match(const struct regex *r, struct str text, size_t from, uint64_t steps, struct regex_span *spans)
{
    struct walk_job job = {.r = r, .text = text, .from = from, .steps = steps, .spans = spans};

    if (r->code)
        return match_pcre(r, text, from, steps, spans);
    fiber_call_on_loop_stack(walk_now, &job);
    return job.status;
}

enum regex_status
regex_captures(const struct regex *r, struct str text, const struct regex_span *spans, uint64_t steps, struct arena *a,
               struct regex_span **ret, uint32_t *ret_n)
{
    bool back = regex_is_right_to_left(r);
    struct regex_span *again;
    struct walk_job job = {.r = r, .text = text, .from = back ? spans[0].to : spans[0].from, .steps = steps, .anchored = true,
                           .arena = a, .ret = ret, .ret_n = ret_n};

    if (!r->tree.has_repeated_capture && r->code) { /* one each: what the match says */
        for (uint32_t g = 0; g < r->tree.groups.n; g++) {
            ret_n[g] = spans[g].from != SIZE_MAX;
            if (!(ret[g] = arena_alloc(a, 1, sizeof(**ret), _Alignof(struct regex_span))))
                return REGEX_NO_MEMORY;
            *ret[g] = spans[g];
        }
        return REGEX_MATCH;
    }
    if (!(again = arena_alloc(a, r->tree.groups.n, sizeof(*again), _Alignof(struct regex_span))))
        return REGEX_NO_MEMORY;
    job.spans = again;
    fiber_call_on_loop_stack(walk_now, &job);
    return job.status;
}
