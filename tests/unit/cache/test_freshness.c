/* RFC 9111 as arithmetic: what may be stored, how old, how long fresh, what a client accepts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.c"
#include "test.h"

#define NOW 784111777u /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct arena arena = ARENA(NULL, 4 << 20);
static const struct freshness_conf usual = {.heuristic_percent = 10, .heuristic_max_s = 86400};

static struct http_headers
fields(const char *const *pairs)
{
    struct http_headers h = http_headers_in(&arena);

    for (; *pairs; pairs += 2)
        EXPECT(http_headers_add(&h, str_from_c(pairs[0]), str_from_c(pairs[1])));
    return h;
}

#define FIELDS(...) fields((const char *const[]){__VA_ARGS__, NULL})

static struct freshness
judge(const struct freshness_conf *conf, uint16_t status, struct http_headers request, struct http_headers answer)
{
    struct exchange_instants when = {NOW, NOW};
    struct freshness f;

    freshness_of(conf, &request, status, &answer, &when, &f);
    return f;
}

static struct freshness
of(struct http_headers answer)
{
    return judge(&usual, 200, http_headers_in(&arena), answer);
}

TEST(lifetimes_in_their_order)
{
    EXPECT_EQ(of(FIELDS("Cache-Control", "max-age=60")).life_s, 60);
    EXPECT_EQ(of(FIELDS("Cache-Control", "max-age=60, s-maxage=5")).life_s, 5);
    EXPECT_EQ(of(FIELDS("Cache-Control", "max-age=60", "Expires", "Sun, 06 Nov 1994 08:49:38 GMT")).life_s, 60);
    EXPECT_EQ(of(FIELDS("Expires", "Sun, 06 Nov 1994 08:50:37 GMT")).life_s, 60);
    EXPECT_EQ(of(FIELDS("Expires", "Sun, 06 Nov 1994 08:50:37 GMT", "Date", "Sun, 06 Nov 1994 08:50:27 GMT")).life_s, 10);
    EXPECT_EQ(of(FIELDS("Expires", "0")).life_s, 0);
    EXPECT_EQ(of(FIELDS("Expires", "Sun, 06 Nov 1994 08:50:37 GMT", "Expires", "Sun, 06 Nov 1994 08:51:37 GMT")).life_s, 0);
    EXPECT_EQ(of(FIELDS("Cache-Control", "no-cache, max-age=60")).life_s, 0);
    EXPECT_EQ(of(FIELDS("X", "1")).life_s, 0);
}

TEST(heuristics)
{
    struct freshness f = of(FIELDS("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT"));

    EXPECT(f.is_heuristic);
    EXPECT_EQ(f.life_s, 8640); /* a tenth of a day */
    EXPECT_EQ(of(FIELDS("Last-Modified", "Sun, 06 Nov 1988 08:49:37 GMT")).life_s, 86400);
    EXPECT_EQ(judge(&usual, 500, http_headers_in(&arena), FIELDS("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT")).life_s, 0);
    EXPECT_EQ(of(FIELDS("Last-Modified", "Mon, 07 Nov 1994 08:49:37 GMT")).life_s, 0);
    struct freshness_conf none = {0};
    EXPECT_EQ(judge(&none, 200, http_headers_in(&arena), FIELDS("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT")).life_s, 0);
}

TEST(ages)
{
    EXPECT_EQ(of(FIELDS("Age", "50")).age_s, 50);
    EXPECT_EQ(of(FIELDS("Age", "50, 7")).age_s, 50);
    EXPECT_EQ(of(FIELDS("Age", "50;x=1")).age_s, 50);
    EXPECT_EQ(of(FIELDS("Age", "0", "Age", "70")).age_s, 70);
    EXPECT_EQ(of(FIELDS("Age", "old")).age_s, CONTROL_SECONDS_MAX);
    EXPECT_EQ(of(FIELDS("Age", "-1")).age_s, CONTROL_SECONDS_MAX);
    EXPECT_EQ(of(FIELDS("Age", "99999999999")).age_s, CONTROL_SECONDS_MAX);
    EXPECT_EQ(of(FIELDS("Date", "Sun, 06 Nov 1994 08:48:37 GMT", "Age", "5")).age_s, 60);
    EXPECT_EQ(of(FIELDS("Date", "Sun, 06 Nov 1994 08:59:37 GMT")).age_s, 0);
    /* The time it took counts, too. */
    struct exchange_instants slow = {NOW - 9, NOW};
    struct http_headers none = http_headers_in(&arena), answer = FIELDS("Age", "5");
    struct freshness f;
    freshness_of(&usual, &none, 200, &answer, &slow, &f);
    EXPECT_EQ(f.age_s, 14);
}

static void
expect_refused(enum cache_refusal expected, uint16_t status, struct http_headers request, struct http_headers answer)
{
    enum cache_refusal found = judge(&usual, status, request, answer).refusal;

    if (found != expected)
        TEST_FAIL("refused because of %s, expected %s", cache_refusal_word(found), cache_refusal_word(expected));
}

TEST(what_may_be_stored)
{
    struct http_headers none = http_headers_in(&arena), bearer = FIELDS("Authorization", "Bearer x");

    expect_refused(CACHE_STORED, 200, none, FIELDS("Cache-Control", "max-age=60"));
    expect_refused(CACHE_STORED, 201, none, FIELDS("Cache-Control", "max-age=60"));
    expect_refused(CACHE_STORED, 599, none, FIELDS("Cache-Control", "max-age=60"));
    expect_refused(CACHE_STORED, 200, none, FIELDS("ETag", "\"a\""));
    expect_refused(CACHE_REFUSED_STATUS, 201, none, FIELDS("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT"));
    expect_refused(CACHE_REFUSED_PARTIAL, 206, none, FIELDS("Cache-Control", "max-age=60"));
    expect_refused(CACHE_REFUSED_PARTIAL, 412, none, FIELDS("Cache-Control", "public, max-age=60"));
    expect_refused(CACHE_REFUSED_PARTIAL, 416, none, FIELDS("Cache-Control", "public, max-age=60"));
    expect_refused(CACHE_REFUSED_NO_STORE, 200, none, FIELDS("Cache-Control", "no-store, max-age=60"));
    expect_refused(CACHE_STORED, 200, none, FIELDS("Cache-Control", "no-store, must-understand, max-age=60"));
    expect_refused(CACHE_REFUSED_NO_STORE, 599, none, FIELDS("Cache-Control", "no-store, must-understand, max-age=60"));
    expect_refused(CACHE_REFUSED_STATUS, 599, none, FIELDS("Cache-Control", "must-understand, max-age=60"));
    expect_refused(CACHE_REFUSED_PRIVATE, 200, none, FIELDS("Cache-Control", "private, max-age=60"));
    expect_refused(CACHE_STORED, 200, none, FIELDS("Cache-Control", "private=\"x\", max-age=60"));
    expect_refused(CACHE_REFUSED_VARY_STAR, 200, none, FIELDS("Cache-Control", "max-age=60", "Vary", "a, *"));
    expect_refused(CACHE_REFUSED_SET_COOKIE, 200, none, FIELDS("Cache-Control", "max-age=60", "Set-Cookie", "a=1"));
    expect_refused(CACHE_REFUSED_STREAM, 200, none, FIELDS("Cache-Control", "max-age=60", "Content-Type", "text/event-stream"));
    expect_refused(CACHE_REFUSED_AUTHORIZATION, 200, bearer, FIELDS("Cache-Control", "max-age=60"));
    expect_refused(CACHE_STORED, 200, bearer, FIELDS("Cache-Control", "max-age=60, public"));
    expect_refused(CACHE_STORED, 200, bearer, FIELDS("Cache-Control", "max-age=60, must-revalidate"));
    expect_refused(CACHE_STORED, 200, bearer, FIELDS("Cache-Control", "s-maxage=60"));
}

TEST(targeted_fields_go_first)
{
    struct freshness f = of(FIELDS("CDN-Cache-Control", "max-age=60", "Cache-Control", "no-store", "Expires", "0"));

    EXPECT_EQ(f.refusal, CACHE_STORED);
    EXPECT_EQ(f.life_s, 60);
    EXPECT_EQ(of(FIELDS("CDN-Cache-Control", "foo", "Cache-Control", "max-age=60", "Expires", "Sun, 06 Nov 1994 08:50:37 GMT")).life_s, 0);
    EXPECT_EQ(of(FIELDS("CDN-Cache-Control", "&&", "Cache-Control", "max-age=60")).life_s, 60);
    EXPECT_EQ(of(FIELDS("Surrogate-Control", "max-age=9", "Cache-Control", "max-age=60")).life_s, 60);
    struct freshness_conf surrogate = usual;
    surrogate.surrogate_control = true;
    f = judge(&surrogate, 200, http_headers_in(&arena), FIELDS("Surrogate-Control", "max-age=9+5", "Cache-Control", "no-store"));
    EXPECT_EQ(f.life_s, 9);
    EXPECT_EQ(f.control.stale_while_revalidate, 5);
    EXPECT_STR(f.omit_fields[2], "Surrogate-Control");
}

TEST(what_is_never_served_stale)
{
    EXPECT(of(FIELDS("Cache-Control", "max-age=60, must-revalidate")).must_validate);
    EXPECT(of(FIELDS("Cache-Control", "max-age=60, proxy-revalidate")).must_validate);
    EXPECT(of(FIELDS("Cache-Control", "s-maxage=60")).must_validate);
    EXPECT(of(FIELDS("Cache-Control", "no-cache")).must_validate);
    EXPECT(!of(FIELDS("Cache-Control", "max-age=60")).must_validate);
}

static bool
takes(const char *line, uint64_t age, uint64_t life)
{
    struct http_headers h = FIELDS("Cache-Control", line);
    struct cache_wanted w;

    cache_wanted_of(&h, &w);
    return cache_wanted_takes(&w, age, life);
}

TEST(what_a_client_takes)
{
    EXPECT(takes("x", 59, 60));
    EXPECT(!takes("x", 60, 60));
    EXPECT(takes("max-age=10", 10, 60));
    EXPECT(!takes("max-age=10", 11, 60));
    EXPECT(takes("min-fresh=10", 50, 60));
    EXPECT(!takes("min-fresh=10", 51, 60));
    EXPECT(!takes("min-fresh=0", 60, 60));
    EXPECT(takes("max-stale", 6000, 60));
    EXPECT(takes("max-stale=5", 65, 60));
    EXPECT(!takes("max-stale=5", 66, 60));
    EXPECT(!takes("no-cache", 0, 60));
    EXPECT(!takes("max-stale, max-age=5", 65, 60));
    struct http_headers h = FIELDS("Pragma", "no-cache");
    struct cache_wanted w;
    cache_wanted_of(&h, &w);
    EXPECT(w.must_validate);
    h = FIELDS("Pragma", "no-cache", "Cache-Control", "max-age=10");
    cache_wanted_of(&h, &w);
    EXPECT(!w.must_validate);
}

TEST(values_as_they_are_compared_for_vary)
{
    struct http_headers h = FIELDS("Accept-Encoding", "gzip, BR", "Accept-Language", "fr ,de", "Foo", "1,  2", "Foo", "3", "Bar", "one");

    EXPECT_STR(vary_value(&h, STR("accept-encoding")), "br,gzip");
    EXPECT_STR(vary_value(&h, STR("Accept-Language")), "de,fr");
    EXPECT_STR(vary_value(&h, STR("foo")), "1,2,3");
    EXPECT_STR(vary_value(&h, STR("Bar")), "one");
    EXPECT(vary_value(&h, STR("None")).p == NULL);
}
