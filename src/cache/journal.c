/* journal.c: a ring of notes under a lock.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/journal.h"

#include <stdlib.h>

void
purge_journal_create(struct purge_journal *j)
{
    *j = (struct purge_journal){0};
    pthread_mutex_init(&j->lock, NULL);
}

void
purge_journal_destroy(struct purge_journal *j)
{
    free(j->notes);
    pthread_mutex_destroy(&j->lock);
}

/* UTF-8 is not cut inside a character. */
static void
copy_text(char *to, size_t max, struct str text)
{
    size_t n = MIN(text.len, max);

    while (n && n < text.len && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    if (n)
        memcpy(to, text.p, n);
    to[n] = 0;
}

void
purge_journal_add(struct purge_journal *j, const struct purge_note *head, const cache_scope_id *scopes, size_t n, struct str what,
                  struct str by)
{
    struct purge_note *note;

    pthread_mutex_lock(&j->lock);
    if (!j->notes)
        j->notes = xnew_array(struct purge_note, JOURNAL_NOTES);
    note = &j->notes[j->n++ % JOURNAL_NOTES];
    note->generation = head->generation;
    note->at_s = head->at_s;
    note->entries = head->entries;
    note->is_soft = head->is_soft;
    note->n = (uint32_t)MIN(n, (size_t)JOURNAL_SCOPES);
    for (uint32_t i = 0; i < note->n; i++)
        note->scopes[i] = scopes[i];
    copy_text(note->what, JOURNAL_WHAT_MAX, what);
    copy_text(note->by, JOURNAL_BY_MAX, by);
    pthread_mutex_unlock(&j->lock);
}

/* The lock is held. NULL when it is not there, or not any more. */
static const struct purge_note *
note_at(const struct purge_journal *j, uint64_t back)
{
    return back < j->n && back < JOURNAL_NOTES ? &j->notes[(j->n - 1 - back) % JOURNAL_NOTES] : NULL;
}

bool
purge_journal_get(struct purge_journal *j, uint64_t back, struct purge_note *ret)
{
    const struct purge_note *note;

    pthread_mutex_lock(&j->lock);
    note = note_at(j, back);
    if (note)
        *ret = *note;
    pthread_mutex_unlock(&j->lock);
    return note != NULL;
}

uint64_t
purge_journal_count(struct purge_journal *j)
{
    uint64_t n;

    pthread_mutex_lock(&j->lock);
    n = j->n;
    pthread_mutex_unlock(&j->lock);
    return n;
}

/* Each scope of a purge has a number of its own, the note has the last: so it is the oldest that is not below. */
bool
purge_journal_at(struct purge_journal *j, uint64_t generation, struct purge_note *ret)
{
    const struct purge_note *note, *found = NULL;
    uint64_t back = 0;

    pthread_mutex_lock(&j->lock);
    while ((note = note_at(j, back++)) && note->generation >= generation)
        found = note;
    if (found)
        *ret = *found;
    pthread_mutex_unlock(&j->lock);
    return found != NULL;
}

static bool
names_one_of(const struct purge_note *note, const cache_scope_id *scopes, size_t n)
{
    for (uint32_t i = 0; i < note->n; i++) {
        if (note->scopes[i] == SCOPE_ALL)
            return true;
        for (size_t k = 0; k < n; k++)
            if (note->scopes[i] == scopes[k])
                return true;
    }
    return false;
}

bool
purge_journal_find(struct purge_journal *j, const cache_scope_id *scopes, size_t n, struct purge_note *ret)
{
    const struct purge_note *note;
    uint64_t back = 0;

    pthread_mutex_lock(&j->lock);
    while ((note = note_at(j, back++)) && !names_one_of(note, scopes, n))
        continue;
    if (note)
        *ret = *note;
    pthread_mutex_unlock(&j->lock);
    return note != NULL;
}
