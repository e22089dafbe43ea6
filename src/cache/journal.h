/* journal.h: the last purges, for people: what was dropped, by whom, when. One a cache, shared by all workers; a purge costs a
 * lock and a copy. Nothing is decided by it: whether an entry is alive is the business of the generations (scope.h).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "cache/scope.h"

#define JOURNAL_NOTES 256u            /* then the oldest goes */
#define JOURNAL_SCOPES 64u            /* of one purge */
#define JOURNAL_WHAT_MAX 200u
#define JOURNAL_BY_MAX 120u

struct purge_note {
    uint64_t generation;
    uint64_t at_s;                    /* wall clock */
    uint64_t entries;                 /* that the scopes held on this node; UINT64_MAX: nobody counted */
    uint32_t n;
    bool is_soft;
    cache_scope_id scopes[JOURNAL_SCOPES];
    char what[JOURNAL_WHAT_MAX + 1], by[JOURNAL_BY_MAX + 1];
};

struct purge_journal {
    pthread_mutex_t lock;             /* covers the rest */
    struct purge_note *notes;         /* a ring; made with the first note */
    uint64_t n;                       /* written so far */
};

void purge_journal_create(struct purge_journal *j);
void purge_journal_destroy(struct purge_journal *j);
/* Text and scopes above the limits are cut. */
void purge_journal_add(struct purge_journal *j, const struct purge_note *head, const cache_scope_id *scopes, size_t n, struct str what,
                       struct str by);
/* The note that is `back` notes old, 0 the newest; false when there is none. */
bool purge_journal_get(struct purge_journal *j, uint64_t back, struct purge_note *ret);
/* Written so far. */
uint64_t purge_journal_count(struct purge_journal *j);
/* The one of the purge that has this number, or whose numbers it is among. */
bool purge_journal_at(struct purge_journal *j, uint64_t generation, struct purge_note *ret);
/* The newest one that names one of these scopes, or everything. */
bool purge_journal_find(struct purge_journal *j, const cache_scope_id *scopes, size_t n, struct purge_note *ret);
