/* emitted.c: figures by their labels.
 *
 *     emitted -> shard[hash] -> labels -> series (count, sum)
 * The key of a series is the text of its labels as it is printed, dimensions sorted, so that two series never print alike.
 * Locking: shard->lock covers its map and its series. n_series is counted before a series is made, so the bound is exact.
 * Metric and namespace are literals of documents; one overflow series for each of them is bounded by the configuration.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/emitted.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/utf8.h"
#include "data/double_text.h"

#define SHARDS 16u

struct series {
    uint64_t count;
    double sum;
};

struct shard {
    pthread_mutex_t lock;
    struct map series;                /* labels -> struct series */
};

struct emitted {
    uint32_t series_max;
    atomic_uint n_series;
    struct shard shards[SHARDS];
};

struct emitted *
emitted_new(uint32_t series_max)
{
    struct emitted *e = xnew(struct emitted);

    e->series_max = series_max;
    for (uint32_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&e->shards[i].lock, NULL);
    return e;
}

void
emitted_delete(struct emitted *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct map *all = &e->shards[i].series;

        for (struct map_entry *it = map_next(all, NULL); it; it = map_next(all, it))
            free(it->value);
        map_destroy(all);
        pthread_mutex_destroy(&e->shards[i].lock);
    }
    free(e);
}

uint32_t
emitted_series(struct emitted *e)
{
    return atomic_load(&e->n_series);
}

/* ---- labels ---- */

static bool
is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "API ID" is API_ID. What is ours, or no label by itself, gets a word in front. */
static void
add_label_name(struct buf *to, struct str name)
{
    static const struct str ours[] = {STR_INIT("namespace"), STR_INIT("metric"), STR_INIT("overflow")};
    bool is_ours = name.len == 0 || (name.p[0] >= '0' && name.p[0] <= '9') || !is_label_char(name.p[0]);

    for (size_t i = 0; i < COUNTOF(ours); i++)
        is_ours |= str_eq(name, ours[i]);
    if (is_ours)
        buf_add_lit(to, "dimension_");
    for (size_t i = 0; i < name.len; i++)
        buf_add_char(to, is_label_char(name.p[i]) ? name.p[i] : '_');
}

/* One character; what no scraper should meet (controls, broken UTF-8) as U+FFFD. */
static void
add_label_char(struct buf *to, struct str c)
{
    if (c.len == 1 && c.p[0] == '\n')
        buf_add_lit(to, "\\n");
    else if (c.len == 1 && (c.p[0] == '\\' || c.p[0] == '"'))
        buf_add(to, (char[]){'\\', c.p[0]}, 2);
    else if (c.len == 0 || (unsigned char)c.p[0] < ' ' || c.p[0] == 0x7f)
        buf_add_lit(to, "\xef\xbf\xbd");
    else
        buf_add_str(to, c);
}

static void
add_label_value(struct buf *to, struct str value)
{
    size_t at = 0, len;

    buf_add_lit(to, "=\"");
    while (at < value.len) {
        len = utf8_sequence_len(value, at);
        if (at + MAX(len, (size_t)1) > EMITTED_VALUE_MAX)
            break;
        add_label_char(to, str_sub(value, at, at + len));
        at += MAX(len, (size_t)1);
    }
    buf_add_char(to, '"');
}

struct label {
    struct str name;                  /* in the text of all names */
    struct str value;
};

/* Sorted by name; of two alike the later one stays. */
static uint32_t
insert_label(struct label *all, uint32_t n, struct label new)
{
    uint32_t at = 0;

    while (at < n && str_cmp(all[at].name, new.name) < 0)
        at++;
    if (at < n && str_eq(all[at].name, new.name)) {
        all[at] = new;
        return n;
    }
    memmove(&all[at + 1], &all[at], (n - at) * sizeof(*all));
    all[at] = new;
    return n + 1;
}

static void
add_own_labels(struct buf *to, struct str name_space, struct str name)
{
    buf_add_lit(to, "namespace");
    add_label_value(to, name_space);
    buf_add_lit(to, ",metric");
    add_label_value(to, name);
}

static void
add_dimensions(struct buf *to, const struct emitted_dimension *dimensions, uint32_t n)
{
    struct buf names = buf_in(to->arena);
    struct label labels[EMITTED_DIMENSIONS_MAX];
    size_t ends[EMITTED_DIMENSIONS_MAX];
    uint32_t n_labels = 0;

    n = MIN(n, EMITTED_DIMENSIONS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        add_label_name(&names, dimensions[i].name);
        ends[i] = buf_str(&names).len;
    }
    for (uint32_t i = 0; i < n; i++) {
        size_t from = i ? ends[i - 1] : 0;

        n_labels = insert_label(labels, n_labels, (struct label){str_sub(buf_str(&names), from, ends[i]), dimensions[i].value});
    }
    for (uint32_t i = 0; i < n_labels; i++) {
        buf_add_char(to, ',');
        buf_add_str(to, labels[i].name);
        add_label_value(to, labels[i].value);
    }
}

/* ---- counting ---- */

static bool
take_room(struct emitted *e)
{
    unsigned n = atomic_load(&e->n_series);

    while (n < e->series_max)
        if (atomic_compare_exchange_weak(&e->n_series, &n, n + 1))
            return true;
    return false;
}

/* False when the series is not there and may not be made. */
static bool
add(struct emitted *e, struct str labels, double value, bool is_bounded)
{
    struct shard *shard = &e->shards[hash_str(labels) % SHARDS];
    struct series *s;

    pthread_mutex_lock(&shard->lock);
    s = map_get(&shard->series, labels);
    if (!s && (!is_bounded || take_room(e))) {
        s = xnew(struct series);
        map_set_copy(&shard->series, labels, s);
    }
    if (s) {
        s->count++;
        s->sum += value;
    }
    pthread_mutex_unlock(&shard->lock);
    return s != NULL;
}

bool
emitted_add(struct emitted *e, struct arena *a, struct str name_space, struct str name,
            const struct emitted_dimension *dimensions, uint32_t n, double value)
{
    struct buf labels = buf_in(a);
    size_t own;

    add_own_labels(&labels, name_space, name);
    own = labels.len;
    add_dimensions(&labels, dimensions, n);
    if (labels.failed)
        return false;
    if (add(e, buf_str(&labels), value, true))
        return true;
    labels.len = own;
    buf_add_lit(&labels, ",overflow=\"true\"");
    if (!labels.failed)
        add(e, buf_str(&labels), value, false);
    return false;
}

/* ---- printing ---- */

static void
print_series(struct buf *to, struct str labels, const struct series *s)
{
    char sum[DOUBLE_TEXT_MAX];

    double_to_text(s->sum, sum);
    buf_printf(to, "headgate_emitted_sum{%.*s} %s\nheadgate_emitted_count{%.*s} %" PRIu64 "\n", STR_ARG(labels), sum,
               STR_ARG(labels), s->count);
}

void
emitted_print(struct emitted *e, struct buf *to)
{
    buf_add_lit(to, "# HELP headgate_emitted values of emit-metric\n# TYPE headgate_emitted summary\n");
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct map *all = &e->shards[i].series;

        pthread_mutex_lock(&e->shards[i].lock);
        for (struct map_entry *it = map_next(all, NULL); it; it = map_next(all, it))
            print_series(to, it->key, it->value);
        pthread_mutex_unlock(&e->shards[i].lock);
    }
}
