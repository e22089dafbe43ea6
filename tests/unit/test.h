/* test.h: unit tests that read as sentences. A file of tests includes the .c it tests, so statics are in reach:
 *
 *     #include "http/h1_chunk.c"
 *     #include "test.h"
 *
 *     TEST(size_line_may_carry_an_extension)
 *     {
 *         EXPECT_EQ(f(1), 2);
 *     }
 *
 * A failed expectation is printed and counted and the test goes on (nothing longjmps, so it works inside a fiber).
 * The program ends with "N passed, N failed" and takes names to run as arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
};

static struct test_case *test_first, **test_last = &test_first;
static int test_failures; /* of the running test */

#define TEST(name_) \
    static void test_##name_(void); \
    static __attribute__((constructor)) void test_add_##name_(void) \
    { \
        static struct test_case c = {#name_, test_##name_, NULL}; \
        *test_last = &c; \
        test_last = &c.next; \
    } \
    static void test_##name_(void)

#define TEST_FAIL(...) \
    (test_failures++, printf("  %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), putchar('\n'))

#define EXPECT(cond) ((cond) ? (void)0 : (void)TEST_FAIL("expected %s", #cond))
#define EXPECT_EQ(actual, expected) \
    do { \
        long long a_ = (long long)(actual), e_ = (long long)(expected); \
        if (a_ != e_) \
            TEST_FAIL("%s is %lld, expected %lld", #actual, a_, e_); \
    } while (0)
#define EXPECT_STR(actual, expected) \
    do { \
        struct str a_ = (actual); \
        struct str e_ = str_from_c(expected); \
        if (!str_eq(a_, e_)) \
            TEST_FAIL("%s is '%.*s', expected '%.*s'", #actual, STR_ARG(a_), STR_ARG(e_)); \
    } while (0)
/* A call that must succeed: prints the error's text otherwise. Needs `struct err err` in scope. */
#define EXPECT_OK(call) ((call) ? (void)0 : (void)TEST_FAIL("%s failed: %s", #call, err.text))
/* A call that must fail with this code. */
#define EXPECT_ERR(call, code_) \
    do { \
        if (call) \
            TEST_FAIL("%s succeeded", #call); \
        else if (err.code != (code_)) \
            TEST_FAIL("%s: %s (%s), expected %s", #call, err_code_name(err.code), err.text, err_code_name(code_)); \
    } while (0)

static bool
test_is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 1;
}

int
main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct test_case *c = test_first; c; c = c->next) {
        if (!test_is_wanted(c->name, argc, argv))
            continue;
        test_failures = 0;
        c->run();
        if (test_failures) {
            printf("FAILED %s\n", c->name);
            failed++;
        } else {
            passed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
