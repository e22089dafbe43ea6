/* test_access_token.c: what sources of tokens answer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/access_token.c"

#include "test.h"

#define NOW 1700000000

TEST(answers_of_many_shapes)
{
    static const struct { const char *text; uint64_t valid_s, refresh_s; } good[] = {
        {"{\"access_token\":\"t\",\"expires_in\":3600}", 3600, 0},
        {"{\"access_token\":\"t\",\"expires_in\":\"3599\",\"token_type\":\"Bearer\"}", 3599, 0},
        {"{\"access_token\":\"t\",\"expires_on\":\"1700000100\"}", 100, 0},
        {"{\"access_token\":\"t\",\"expires_on\":1700000100}", 100, 0},
        {"{\"access_token\":\"t\",\"expires_in\":7200,\"refresh_in\":3600}", 7200, 3600},
        {"{\"accessToken\":\"t\",\"expiresOn\":\"2023-11-14T22:15:00Z\"}", 100, 0},
        {"{\"access_token\":\"t\"}", VALID_S_DEFAULT, 0},
        {"{\"access_token\":\"t\",\"expires_in\":\"soon\"}", VALID_S_DEFAULT, 0},
        {"{\"access_token\":\"t\",\"expires_in\":99999999999}", VALID_S_MAX, 0},
    };

    for (size_t i = 0; i < COUNTOF(good); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct token_answer a;
        struct err err;

        EXPECT_OK(token_answer_read(&arena, str_from_c(good[i].text), NOW, &a, &err));
        EXPECT_STR(a.token, "t");
        EXPECT_EQ(a.valid_s, good[i].valid_s);
        EXPECT_EQ(a.refresh_s, good[i].refresh_s);
    }
}

TEST(answers_that_are_none)
{
    static const char *const bad[] = {
        "", "[]", "null", "<html>", "{}", "{\"access_token\":1}", "{\"access_token\":\"\"}", "{\"access_token\":\"a b\"}",
        "{\"access_token\":\"a\\r\\nb\"}", "{\"access_token\":\"a\\u0000\"}", "{\"access_token\":\"\\u00e9\"}",
        "{\"access_token\":\"t\",\"expires_in\":0}", "{\"access_token\":\"t\",\"expires_on\":1}", "{\"error\":\"x\"}",
    };

    for (size_t i = 0; i < COUNTOF(bad); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct token_answer a;
        struct err err;

        EXPECT_ERR(token_answer_read(&arena, str_from_c(bad[i]), NOW, &a, &err), ERR_INVALID);
    }
}

TEST(of_an_error_only_its_word_is_told)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);

    EXPECT_STR(error_word(&arena, STR("{\"error\":\"invalid_client\",\"error_description\":\"x\"}")), "invalid_client");
    EXPECT(!error_word(&arena, STR("{\"error\":\"the secret was abc\"}")).p);
    EXPECT(!error_word(&arena, STR("{\"error\":{}}")).p);
    EXPECT(!error_word(&arena, STR("nothing")).p);
}

TEST(a_token_serves_till_shortly_before_its_end)
{
    struct supply_life hour = life_of(&(struct token_answer){.valid_s = 3600}), minute = life_of(&(struct token_answer){.valid_s = 60});
    struct supply_life told = life_of(&(struct token_answer){.valid_s = 86400, .refresh_s = 43200}), second = life_of(&(struct token_answer){.valid_s = 1});

    EXPECT_EQ(hour.valid_ms, 3570 * 1000);
    EXPECT_EQ(hour.fresh_ms, 3300 * 1000);
    EXPECT_EQ(minute.valid_ms, 57 * 1000);
    EXPECT_EQ(minute.fresh_ms, 48 * 1000);
    EXPECT_EQ(told.fresh_ms, 43200 * 1000);
    EXPECT_EQ(second.valid_ms, 1000);
}
