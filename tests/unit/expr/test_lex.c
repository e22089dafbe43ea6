/* test_lex.c: words are found by halves, which wants them in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/lex.c"

#include "test.h"

TEST(words_stand_in_order_and_each_is_found)
{
    for (size_t i = 0; i < COUNTOF(words); i++) {
        EXPECT_EQ(word_kind(words[i].text), words[i].kind);
        if (i > 0 && str_cmp(words[i - 1].text, words[i].text) >= 0)
            TEST_FAIL("'%.*s' stands after '%.*s'", STR_ARG(words[i].text), STR_ARG(words[i - 1].text));
    }
}

TEST(what_only_begins_like_a_word_is_a_name)
{
    static const char *const names[] = {"", "a", "As", "asx", "i", "in_", "zzz", "String", "nameof", "var"};

    for (size_t i = 0; i < COUNTOF(names); i++)
        EXPECT_EQ(word_kind(str_from_c(names[i])), TOK_IDENTIFIER);
}
