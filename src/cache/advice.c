/* advice.c: fields and warnings in two small open tables behind one lock; distinct values are estimated as HyperLogLog does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/advice.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FIELDS_MAX 512u
#define FIELDS_OF_API_MAX 32u
#define WARNINGS_MAX 128u
#define REGISTERS 512u
#define REGISTER_BITS 9u
#define NAME_MAX_BYTES 100u
#define MISSES_MIN 100u
#define TELL_AGAIN_MS (UINT64_C(3600) * 1000)

struct field {
    uint64_t hash;                    /* of API, kind and name; 0: free */
    char *api, *name;
    enum advice_kind kind;
    uint64_t misses;
    uint8_t registers[REGISTERS];     /* the longest run of zeros that a value's hash began with, by its low bits */
};

struct warning {
    char *api, *reason, *text;
    uint64_t count, told_ms;
};

struct cache_advice {
    pthread_mutex_t lock;             /* covers all that follows */
    struct field *fields[FIELDS_MAX];
    uint32_t n_fields;
    uint64_t dropped;                 /* observations of fields for which there was no room */
    struct warning warnings[WARNINGS_MAX];
    uint32_t n_warnings;
    void (*tell)(void *ctx, const char *text);
    void *tell_ctx;
};

static char *
copy_text(struct str s)
{
    s = str_sub(s, 0, MIN(s.len, (size_t)1000));
    char *p = xmalloc(s.len + 1);

    if (s.len)
        memcpy(p, s.p, s.len);
    p[s.len] = 0;
    return p;
}

struct cache_advice *
cache_advice_new(void (*tell)(void *ctx, const char *text), void *ctx)
{
    struct cache_advice *a = xnew(struct cache_advice);

    pthread_mutex_init(&a->lock, NULL);
    a->tell = tell;
    a->tell_ctx = ctx;
    return a;
}

static void
forget(struct cache_advice *a)
{
    for (uint32_t i = 0; i < a->n_fields; i++) {
        free(a->fields[i]->api);
        free(a->fields[i]->name);
        free(a->fields[i]);
    }
    for (uint32_t i = 0; i < a->n_warnings; i++) {
        free(a->warnings[i].api);
        free(a->warnings[i].reason);
        free(a->warnings[i].text);
    }
    a->n_fields = a->n_warnings = 0;
    a->dropped = 0;
}

void
cache_advice_reset(struct cache_advice *a)
{
    pthread_mutex_lock(&a->lock);
    forget(a);
    pthread_mutex_unlock(&a->lock);
}

void
cache_advice_delete(struct cache_advice *a)
{
    if (!a)
        return;
    forget(a);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* --- fields -------------------------------------------------------------------------------------------------------- */

static uint64_t
field_hash(struct str api, enum advice_kind kind, struct str name)
{
    return (hash_str(api) * UINT64_C(0x9E3779B97F4A7C15) ^ hash_str(name) ^ ((uint64_t)kind << 56)) | 1;
}

static struct field *
find_field(struct cache_advice *a, struct str api, enum advice_kind kind, struct str name)
{
    uint64_t hash = field_hash(api, kind, name);
    uint32_t of_api = 0;
    struct field *f;

    for (uint32_t i = 0; i < a->n_fields; i++) {
        f = a->fields[i];
        if (f->hash == hash)
            return f;
        of_api += str_eq(str_from_c(f->api), api);
    }
    if (a->n_fields == FIELDS_MAX || of_api >= FIELDS_OF_API_MAX)
        return NULL;
    f = xnew(struct field);
    *f = (struct field){.hash = hash, .api = copy_text(api), .kind = kind, .name = copy_text(str_sub(name, 0, NAME_MAX_BYTES))};
    a->fields[a->n_fields++] = f;
    return f;
}

void
cache_advice_miss(struct cache_advice *a, struct str api, enum advice_kind kind, struct str name, struct str value)
{
    uint64_t hash = hash_128(value).hi, rest = hash >> REGISTER_BITS;
    uint8_t rank = rest ? (uint8_t)(__builtin_ctzll(rest) + 1) : 64 - REGISTER_BITS;
    struct field *f;

    pthread_mutex_lock(&a->lock);
    f = find_field(a, api, kind, name);
    if (f) {
        f->misses++;
        f->registers[hash % REGISTERS] = MAX(f->registers[hash % REGISTERS], rank);
    } else {
        a->dropped++;
    }
    pthread_mutex_unlock(&a->lock);
}

/* How many values there were: within 5 % or so. */
static uint64_t
estimate(const struct field *f)
{
    const double m = REGISTERS;
    double sum = 0, e;
    uint32_t zeros = 0;

    for (uint32_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -f->registers[i]);
        zeros += f->registers[i] == 0;
    }
    e = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (e <= 2.5 * m && zeros)
        e = m * log(m / zeros);
    return MIN((uint64_t)(e + 0.5), f->misses);
}

static bool
explodes(const struct field *f)
{
    return f->misses >= MISSES_MIN && estimate(f) * 2 > f->misses;
}

uint32_t
cache_advice_exploding(struct cache_advice *a)
{
    uint32_t n = 0;

    pthread_mutex_lock(&a->lock);
    for (uint32_t i = 0; i < a->n_fields; i++)
        n += explodes(a->fields[i]);
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* --- warnings ------------------------------------------------------------------------------------------------------ */

static struct warning *
find_warning(struct cache_advice *a, struct str api, struct str reason)
{
    for (uint32_t i = 0; i < a->n_warnings; i++)
        if (str_eq(str_from_c(a->warnings[i].api), api) && str_eq(str_from_c(a->warnings[i].reason), reason))
            return &a->warnings[i];
    if (a->n_warnings == WARNINGS_MAX)
        return NULL;
    a->warnings[a->n_warnings] = (struct warning){.api = copy_text(api), .reason = copy_text(reason), .text = copy_text(STR(""))};
    return &a->warnings[a->n_warnings++];
}

void
cache_advice_warn(struct cache_advice *a, struct str api, struct str reason, struct str text, uint64_t now_ms)
{
    struct warning *w;
    char *told = NULL;

    pthread_mutex_lock(&a->lock);
    w = find_warning(a, api, reason);
    if (w && (w->count++ == 0 || now_ms - w->told_ms >= TELL_AGAIN_MS)) {
        free(w->text);
        w->text = copy_text(text);
        w->told_ms = now_ms;
        told = copy_text(text);
    }
    pthread_mutex_unlock(&a->lock);
    if (told && a->tell)
        a->tell(a->tell_ctx, told);
    free(told);
}

/* --- telling ------------------------------------------------------------------------------------------------------- */

static const char *const kind_words[] = {
    [ADVICE_HEADER] = "header", [ADVICE_QUERY] = "query", [ADVICE_CUSTOM] = "custom", [ADVICE_DEVELOPER] = "developer",
    [ADVICE_GROUPS] = "groups",
};

static const char *
advice_for(const struct field *f)
{
    struct str name = str_from_c(f->name);

    if (!explodes(f))
        return "";
    switch (f->kind) {
    case ADVICE_QUERY:
        return "Name the parameters that matter with vary-by-query-parameter, this one not among them.";
    case ADVICE_DEVELOPER:
    case ADVICE_GROUPS:
        return "Answers are hardly shared: leave the developer out of the key where the answer is the same for all.";
    case ADVICE_CUSTOM:
        return "Let the expression give fewer values: a class of users, not each of them.";
    case ADVICE_HEADER:
        break;
    }
    if (str_eq_nocase(name, STR("Authorization")) || str_eq_nocase(name, STR("Cookie")))
        return "Every token makes a key of its own: vary-by-custom by a claim, once the token is validated.";
    if (str_eq_nocase(name, STR("User-Agent")))
        return "Take it out of the key, or of the backend's Vary; or reduce it to a class with vary-by-custom.";
    return "Take it out of the key (or of the backend's Vary), or reduce it to few values with vary-by-custom or set-header.";
}

static void
print_text(struct buf *to, const char *text)
{
    buf_add_char(to, '"');
    buf_add_json_escaped(to, str_from_c(text));
    buf_add_char(to, '"');
}

static void
print_field(const struct field *f, bool is_first, struct buf *to)
{
    buf_add_str(to, is_first ? STR("{\"api\":") : STR(",{\"api\":"));
    print_text(to, f->api);
    buf_printf(to, ",\"kind\":\"%s\",\"name\":", kind_words[f->kind]);
    print_text(to, f->name);
    buf_printf(to, ",\"misses\":%" PRIu64 ",\"values\":%" PRIu64 ",\"explodes\":%s,\"advice\":\"%s\"}", f->misses, estimate(f),
               explodes(f) ? "true" : "false", advice_for(f));
}

bool
cache_advice_print(struct cache_advice *a, struct buf *to)
{
    uint32_t n = 0;

    pthread_mutex_lock(&a->lock);
    buf_add_str(to, STR("{\"fields\":["));
    for (int wanted = 1; wanted >= 0; wanted--)
        for (uint32_t i = 0; i < a->n_fields; i++)
            if (explodes(a->fields[i]) == (bool)wanted)
                print_field(a->fields[i], n++ == 0, to);
    buf_printf(to, "],\"fields_dropped\":%" PRIu64 ",\"warnings\":[", a->dropped);
    for (uint32_t i = 0; i < a->n_warnings; i++) {
        const struct warning *w = &a->warnings[i];

        buf_add_str(to, i ? STR(",{\"api\":") : STR("{\"api\":"));
        print_text(to, w->api);
        buf_printf(to, ",\"reason\":\"%s\",\"count\":%" PRIu64 ",\"text\":", w->reason, w->count);
        print_text(to, w->text);
        buf_add_char(to, '}');
    }
    buf_add_str(to, STR("]}\n"));
    pthread_mutex_unlock(&a->lock);
    return !to->failed;
}
