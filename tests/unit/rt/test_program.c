/* test_program.c: programs that do what they should, and those that do not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/program.c"

#include "test.h"

static bool
shell(const char *script, uint32_t timeout_ms, struct buf *output, struct err *err)
{
    const struct str words[] = {STR("/bin/sh"), STR("-c"), str_from_c(script)};
    const struct program_variable variable = {"GREETING", STR("hello = there")};
    struct program p = {.words = words, .n_words = 3, .variables = &variable, .n_variables = 1, .timeout_ms = timeout_ms, .output_max = 1000};

    return program_run(NULL, &p, output, err);
}

TEST(its_output_is_read)
{
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    EXPECT_OK(shell("echo \"$GREETING\"; cat", 10000, &out, &err));
    EXPECT_STR(buf_str(&out), "hello = there\n");
}

TEST(failures_are_told_apart)
{
    static const struct { const char *script; enum err_code code; } cases[] = {
        {"exit 3", ERR_INVALID}, {"kill -9 $$", ERR_INVALID}, {"sleep 60", ERR_TIMEOUT}, {"sleep 60 & sleep 60", ERR_TIMEOUT},
        {"exec >&-; sleep 60", ERR_TIMEOUT}, {"while :; do echo xxxxxxxxxxxxxxxx; done", ERR_LIMIT}, {"exit 127", ERR_NOT_FOUND}};

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct buf out AUTO(buf_destroy) = BUF_INIT;
        struct err err = ERR_INIT;

        if (shell(cases[i].script, cases[i].code == ERR_TIMEOUT ? 50 : 10000, &out, &err) || err.code != cases[i].code)
            TEST_FAIL("%s: %s", cases[i].script, err.text);
        EXPECT_EQ(out.len, 0);
    }
}

TEST(a_program_that_is_not_there)
{
    const struct str words[] = {STR("/nowhere/at/all")};
    struct program p = {.words = words, .n_words = 1, .timeout_ms = 1000, .output_max = 10};
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    EXPECT_ERR(program_run(NULL, &p, &out, &err), ERR_NOT_FOUND);
}
