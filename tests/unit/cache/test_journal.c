/* The last purges, for people.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/journal.c"
#include "test.h"

static void
add(struct purge_journal *j, uint64_t generation, cache_scope_id scope, const char *what)
{
    purge_journal_add(j, &(struct purge_note){.generation = generation, .entries = 3}, &scope, 1, str_from_c(what), STR("me"));
}

TEST(the_newest_comes_first_and_the_oldest_goes)
{
    struct purge_journal j;
    static struct purge_note note;

    purge_journal_create(&j);
    EXPECT(!purge_journal_get(&j, 0, &note));
    for (uint64_t i = 1; i <= JOURNAL_NOTES + 5; i++)
        add(&j, i, i, "x");
    EXPECT(purge_journal_get(&j, 0, &note) && note.generation == JOURNAL_NOTES + 5);
    EXPECT(purge_journal_get(&j, JOURNAL_NOTES - 1, &note) && note.generation == 6);
    EXPECT(!purge_journal_get(&j, JOURNAL_NOTES, &note));
    EXPECT_EQ(purge_journal_count(&j), JOURNAL_NOTES + 5);
    purge_journal_destroy(&j);
}

TEST(a_note_is_found_by_any_of_its_scopes)
{
    struct purge_journal j;
    static struct purge_note note;
    cache_scope_id wanted[] = {7, 9};

    purge_journal_create(&j);
    EXPECT(!purge_journal_find(&j, wanted, 2, &note));
    add(&j, 1, 9, "first");
    add(&j, 2, 7, "second");
    add(&j, 3, 8, "other");
    EXPECT(purge_journal_find(&j, wanted, 2, &note));
    EXPECT_STR(str_from_c(note.what), "second");
    add(&j, 4, SCOPE_ALL, "everything");
    EXPECT(purge_journal_find(&j, wanted, 2, &note));
    EXPECT_STR(str_from_c(note.what), "everything");
    purge_journal_destroy(&j);
}

TEST(long_texts_and_many_scopes_are_cut)
{
    struct purge_journal j;
    static struct purge_note note;
    cache_scope_id scopes[JOURNAL_SCOPES + 3];
    char text[JOURNAL_WHAT_MAX + 2];

    for (size_t i = 0; i < COUNTOF(scopes); i++)
        scopes[i] = i + 1;
    memset(text, 'a', sizeof(text));
    memcpy(text + JOURNAL_WHAT_MAX - 1, "\xc3\xa9", 2); /* the limit lies inside this character */
    purge_journal_create(&j);
    purge_journal_add(&j, &(struct purge_note){0}, scopes, COUNTOF(scopes), str_from(text, sizeof(text)), STR_NONE);
    EXPECT(purge_journal_get(&j, 0, &note) && note.n == JOURNAL_SCOPES);
    EXPECT_EQ(strlen(note.what), JOURNAL_WHAT_MAX - 1);
    EXPECT_STR(str_from_c(note.by), "");
    purge_journal_destroy(&j);
}
