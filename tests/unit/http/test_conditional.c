/* Validators and ranges, by RFC 9110 sections 13 and 14.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/conditional.c"
#include "base/arena.h"
#include "test.h"

static struct arena arena = ARENA(NULL, 1 << 20);

static struct http_headers
fields(const char *const *pairs)
{
    struct http_headers h = http_headers_in(&arena);

    for (; *pairs; pairs += 2)
        EXPECT(http_headers_add(&h, str_from_c(pairs[0]), str_from_c(pairs[1])));
    return h;
}

#define FIELDS(...) fields((const char *const[]){__VA_ARGS__, NULL})

static bool
not_modified(struct http_headers request, struct http_headers answer)
{
    return http_is_not_modified(&request, &answer);
}

TEST(if_none_match_compares_weakly_and_counts_alone)
{
    EXPECT(not_modified(FIELDS("If-None-Match", "\"a\""), FIELDS("ETag", "\"a\"")));
    EXPECT(not_modified(FIELDS("If-None-Match", "W/\"a\""), FIELDS("ETag", "\"a\"")));
    EXPECT(not_modified(FIELDS("If-None-Match", "\"x\", W/\"a,b\" ,\"y\""), FIELDS("ETag", "W/\"a,b\"")));
    EXPECT(not_modified(FIELDS("If-None-Match", "*"), FIELDS("ETag", "\"a\"")));
    EXPECT(not_modified(FIELDS("If-None-Match", "\"x\"", "If-None-Match", "\"a\""), FIELDS("ETag", "\"a\"")));
    EXPECT(!not_modified(FIELDS("If-None-Match", "\"b\""), FIELDS("ETag", "\"a\"")));
    EXPECT(!not_modified(FIELDS("If-None-Match", "w/\"a\""), FIELDS("ETag", "\"a\"")));
    EXPECT(!not_modified(FIELDS("If-None-Match", "\"b\"", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
                         FIELDS("ETag", "\"a\"", "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")));
}

TEST(if_modified_since)
{
    const char *lm = "Sun, 06 Nov 1994 08:49:37 GMT", *later = "Sun, 06 Nov 1994 08:49:38 GMT";

    EXPECT(not_modified(FIELDS("If-Modified-Since", lm), FIELDS("Last-Modified", lm)));
    EXPECT(not_modified(FIELDS("If-Modified-Since", later), FIELDS("Last-Modified", lm)));
    EXPECT(!not_modified(FIELDS("If-Modified-Since", lm), FIELDS("Last-Modified", later)));
    EXPECT(not_modified(FIELDS("If-Modified-Since", later), FIELDS("Date", lm)));
    EXPECT(!not_modified(FIELDS("If-Modified-Since", "yesterday"), FIELDS("Last-Modified", lm)));
    EXPECT(!not_modified(FIELDS("If-Modified-Since", lm), FIELDS("X", "1")));
}

TEST(if_range_needs_a_strong_validator)
{
    const char *lm = "Sun, 06 Nov 1994 08:49:37 GMT", *later = "Sun, 06 Nov 1994 08:50:37 GMT";
    struct http_headers none = FIELDS("X", "1"), strong = FIELDS("ETag", "\"a\""), weak = FIELDS("ETag", "W/\"a\"");
    struct http_headers dated = FIELDS("Last-Modified", lm, "Date", later), at_once = FIELDS("Last-Modified", lm, "Date", lm);
    struct http_headers by_tag = FIELDS("If-Range", "\"a\""), by_weak = FIELDS("If-Range", "W/\"a\"");
    struct http_headers by_date = FIELDS("If-Range", lm), by_other = FIELDS("If-Range", later);

    EXPECT(http_range_applies(&none, &strong));
    EXPECT(http_range_applies(&by_tag, &strong));
    EXPECT(!http_range_applies(&by_tag, &weak));
    EXPECT(!http_range_applies(&by_weak, &weak));
    EXPECT(http_range_applies(&by_date, &dated));
    EXPECT(!http_range_applies(&by_date, &at_once));
    EXPECT(!http_range_applies(&by_other, &dated));
    EXPECT(!http_range_applies(&by_tag, &none));
}

static void
expect_part(const char *field, uint64_t length, uint64_t from, uint64_t to)
{
    uint64_t f = 0, t = 0;

    if (http_range_read(str_from_c(field), length, &f, &t) != HTTP_RANGE_PART || f != from || t != to)
        TEST_FAIL("%s of %llu: [%llu, %llu)", field, (unsigned long long)length, (unsigned long long)f, (unsigned long long)t);
}

static void
expect_whole(const char *field, enum http_range_result expected)
{
    uint64_t f, t;
    enum http_range_result found = http_range_read(str_from_c(field), 100, &f, &t);

    if (found != expected)
        TEST_FAIL("%s: %d", field, found);
}

TEST(ranges)
{
    expect_part("bytes=0-9", 100, 0, 10);
    expect_part("Bytes=0-0", 100, 0, 1);
    expect_part("bytes=90-", 100, 90, 100);
    expect_part("bytes=90-1000", 100, 90, 100);
    expect_part("bytes=-10", 100, 90, 100);
    expect_part("bytes=-1000", 100, 0, 100);
    expect_part("bytes=0-18446744073709551616", 100, 0, 100);
    expect_part("bytes=0-9, 10-19", 100, 0, 20);
    expect_part("bytes= 10-19 ,5-12,200-300", 100, 5, 20);
    expect_whole("bytes=0-1,50-51", HTTP_RANGE_ALL);
    expect_whole("bytes=100-", HTTP_RANGE_UNSATISFIABLE);
    expect_whole("bytes=-0", HTTP_RANGE_UNSATISFIABLE);
    expect_whole("bytes=100-200,300-", HTTP_RANGE_UNSATISFIABLE);
    expect_whole("lines=0-1", HTTP_RANGE_ALL);
    expect_whole("bytes=", HTTP_RANGE_ALL);
    expect_whole("bytes=5-4", HTTP_RANGE_ALL);
    expect_whole("bytes=a-5", HTTP_RANGE_ALL);
    expect_whole("bytes=5", HTTP_RANGE_ALL);
    expect_whole("bytes=--5", HTTP_RANGE_ALL);
    expect_whole("bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", HTTP_RANGE_ALL);
    uint64_t f, t;
    EXPECT_EQ(http_range_read(STR("bytes=0-"), 0, &f, &t), HTTP_RANGE_UNSATISFIABLE);
}
