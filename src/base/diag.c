/* diag.c: collecting and printing problems in files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

#define DIAGS_MAX_DEFAULT 1000
#define LINE_SHOWN_MAX 160   /* characters of a source line that are printed */
#define NEAREST_NAME_MAX 64

uint32_t
text_map_source(const struct text_map *map, uint32_t at)
{
    uint32_t low = 0, high = map->n;

    if (map->n == 0)
        return map->base + at;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (map->segments[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    if (map->segments[low].is_fixed || at < map->segments[low].at)
        return map->segments[low].from;
    return map->segments[low].from + (at - map->segments[low].at);
}

void
diags_init(struct diags *d, struct arena *arena)
{
    *d = (struct diags){.arena = arena, .last = &d->first};
}

/* A place that several parts lead to, a fragment of many documents, has its problems once. */
static struct diag *
find_same(const struct diags *d, const struct diag *wanted)
{
    for (struct diag *one = d->part && wanted->source ? d->first : NULL; one; one = one->next)
        if (one->offset == wanted->offset && one->level == wanted->level && one->part && one->source &&
            str_eq(one->source->name, wanted->source->name) && str_eq(one->message, wanted->message))
            return one;
    return NULL;
}

static void
add(struct diags *d, enum diag_level level, const struct source *source, uint32_t offset, uint32_t len,
    const char *fmt, va_list ap)
{
    uint32_t *count = level == DIAG_ERROR ? &d->errors : level == DIAG_WARNING ? &d->warnings : &d->notes;
    bool is_full = d->kept[level] >= (d->max ? d->max : DIAGS_MAX_DEFAULT);
    struct arena_mark mark = arena_mark(d->arena);
    struct buf text = buf_in(d->arena);
    struct diag *one = arena_new(d->arena, struct diag), found, *same;

    (*count)++;
    if (!one || (is_full && !d->part))
        return;
    buf_vprintf(&text, fmt, ap);
    found = (struct diag){.level = level, .source = source, .offset = offset, .len = len, .message = buf_str(&text),
                          .part = d->part, .parts = 1};
    if ((same = find_same(d, &found))) {
        d->repeats[level]++;
        same->parts += same->part != d->part;
        same->part = d->part;
    }
    if (same || is_full) {
        arena_rewind(d->arena, mark);
        return;
    }
    *one = found;
    d->kept[level]++;
    *d->last = one;
    d->last = &one->next;
}

void
diag_add(struct diags *d, enum diag_level level, const struct source *source, uint32_t offset, uint32_t len,
         const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(d, level, source, offset, len, fmt, ap);
    va_end(ap);
}

void
diag_add_mapped(struct diags *d, enum diag_level level, const struct text_map *map, uint32_t at, uint32_t len,
                const char *fmt, ...)
{
    uint32_t from = map ? text_map_source(map, at) : at;
    uint32_t to = map ? text_map_source(map, at + len) : at + len;
    va_list ap;

    va_start(ap, fmt);
    add(d, level, map ? map->source : NULL, from, to > from ? to - from : 1, fmt, ap);
    va_end(ap);
}

void
diags_hide_line(struct diags *d)
{
    if (d->first)
        CONTAINER_OF(d->last, struct diag, next)->hides_line = true;
}

/* Where the text begins for a reader: an editor's byte order mark is no character of the first line. */
static size_t
text_start(struct str text)
{
    return str_starts_with(text, STR("\xef\xbb\xbf")) ? 3 : 0;
}

struct line_column
source_position(const struct source *source, uint32_t offset)
{
    struct line_column at = {1, 1};
    size_t end = MIN((size_t)offset, source->text.len);

    for (size_t i = text_start(source->text); i < end; i++) {
        if (source->text.p[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char)source->text.p[i] & 0xc0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

/* The line around offset, without its end; *start is its first byte. */
static struct str
line_around(struct str text, size_t offset, size_t *start)
{
    size_t from = MIN(MAX(offset, text_start(text)), text.len), to = from;

    while (from > text_start(text) && text.p[from - 1] != '\n')
        from--;
    while (to < text.len && text.p[to] != '\n' && text.p[to] != '\r')
        to++;
    *start = from;
    return str_sub(text, from, to);
}

/* Controls, and bytes that are no text, would upset whoever shows it. */
static void
add_shown(struct buf *to, struct str line, size_t at)
{
    unsigned char c = (unsigned char)line.p[at];
    size_t start = at;

    while (start > 0 && at - start < 3 && ((unsigned char)line.p[start] & 0xc0) == 0x80)
        start--;
    if (c >= 0x80 && start + utf8_sequence_len(line, start) <= at)
        c = '?';
    buf_add_char(to, (char)(c < 0x20 || c == 0x7f ? ' ' : c));
}

static void
print_line_and_caret(const struct diag *d, struct line_column at, struct buf *to)
{
    size_t start, i = 0, shown = 0, skip = 0;
    struct str line = line_around(d->source->text, d->offset, &start);
    size_t caret = d->offset > start ? d->offset - start : 0, width = MAX(d->len, 1u);

    if (caret > LINE_SHOWN_MAX * 3 / 4) {
        skip = caret - LINE_SHOWN_MAX / 2;
        while (skip < line.len && ((unsigned char)line.p[skip] & 0xc0) == 0x80)
            skip++;
    }
    buf_printf(to, "%6u | %s", at.line, skip ? "..." : "");
    for (i = skip; i < line.len && (shown < LINE_SHOWN_MAX || ((unsigned char)line.p[i] & 0xc0) == 0x80); i++, shown++)
        add_shown(to, line, i);
    buf_printf(to, "%s\n       | %s", i < line.len ? "..." : "", skip ? "   " : "");
    for (i = skip; i < caret && i < line.len; i++)
        if (((unsigned char)line.p[i] & 0xc0) != 0x80)
            buf_add_char(to, ' ');
    buf_add_char(to, '^');
    for (i = caret + 1; i < caret + width && i < line.len && i < skip + LINE_SHOWN_MAX; i++)
        if (((unsigned char)line.p[i] & 0xc0) != 0x80)
            buf_add_char(to, '~');
    buf_add_char(to, '\n');
}

void
diag_print(const struct diag *d, struct buf *to)
{
    static const char *const levels[] = {"note", "warning", "error"};
    struct line_column at;

    if (!d->source) {
        buf_printf(to, "%s: %.*s\n", levels[d->level], STR_ARG(d->message));
        return;
    }
    at = source_position(d->source, d->offset);
    buf_printf(to, "%.*s:%u:%u: %s: %.*s\n", STR_ARG(d->source->name), at.line, at.column, levels[d->level],
               STR_ARG(d->message));
    if (d->source->text.len && !d->hides_line)
        print_line_and_caret(d, at, to);
    if (d->parts > 1)
        buf_printf(to, "       | (%" PRIu32 " documents include this)\n", d->parts);
}

uint32_t
diags_count(const struct diags *d, enum diag_level level)
{
    return (level == DIAG_ERROR ? d->errors : level == DIAG_WARNING ? d->warnings : d->notes) - d->repeats[level];
}

static int
compare(const void *x, const void *y)
{
    const struct diag *a = *(struct diag *const *)x, *b = *(struct diag *const *)y;
    int order;

    if (a->source != b->source) {
        order = str_cmp(a->source ? a->source->name : STR_NONE, b->source ? b->source->name : STR_NONE);
        return order ? order : a->source < b->source ? -1 : 1;
    }
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void
diags_print(const struct diags *d, struct buf *to)
{
    size_t n = 0, total = 0;
    const struct diag **all;

    for (int level = DIAG_NOTE; level <= DIAG_ERROR; level++)
        total += diags_count(d, (enum diag_level)level);
    for (const struct diag *one = d->first; one; one = one->next)
        n++;
    all = xcalloc(n, sizeof(const struct diag *));
    n = 0;
    for (const struct diag *one = d->first; one; one = one->next)
        all[n++] = one;
    qsort(all, n, sizeof(*all), compare);
    for (size_t i = 0; i < n; i++)
        diag_print(all[i], to);
    if (n < total)
        buf_printf(to, "... and %zu more\n", total - n);
    free(all);
}

struct str
diags_first_error(const struct diags *d, struct arena *a)
{
    for (const struct diag *one = d->first; one; one = one->next) {
        struct line_column at;

        if (one->level != DIAG_ERROR)
            continue;
        if (!one->source)
            return one->message;
        at = source_position(one->source, one->offset);
        return str_printf(a, "%.*s:%u:%u: %.*s", STR_ARG(one->source->name), at.line, at.column,
                          STR_ARG(one->message));
    }
    return STR_NONE;
}

/* Levenshtein over bytes, ASCII case ignored at half the price of a change: costs are doubled. */
static unsigned
distance(struct str a, struct str b)
{
    unsigned row[NEAREST_NAME_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = (unsigned)j * 2;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i * 2;
        for (size_t j = 1; j <= b.len; j++) {
            char x = a.p[i - 1], y = b.p[j - 1];
            unsigned change = diagonal + (x == y ? 0 : ascii_lower(x) == ascii_lower(y) ? 1 : 2);
            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 2);
        }
    }
    return row[b.len];
}

struct str
diag_nearest(struct str name, bool (*next)(void *ctx, struct str *candidate), void *ctx)
{
    struct str best = STR_NONE, candidate;
    unsigned best_distance = (unsigned)MAX(name.len / 3, (size_t)1) * 2 + 1;

    if (name.len > NEAREST_NAME_MAX)
        return STR_NONE;
    while (next(ctx, &candidate)) {
        unsigned d;
        if (candidate.len > NEAREST_NAME_MAX)
            continue;
        d = distance(name, candidate);
        if (d < best_distance) {
            best_distance = d;
            best = candidate;
        }
    }
    return best;
}
