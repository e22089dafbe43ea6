/* Names under which answers are purged.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/tags.c"
#include "base/buf.h"
#include "test.h"

static struct arena arena = ARENA(NULL, 1 << 20);

static void
note_tag(void *ctx, struct str name)
{
    buf_printf(ctx, "[%.*s]", STR_ARG(name));
}

static void
note_group(void *ctx, struct str name)
{
    buf_printf(ctx, "{%.*s}", STR_ARG(name));
}

static struct str
tags_of(const char *field, const char *value)
{
    struct http_headers h = http_headers_in(&arena);
    struct buf b = buf_in(&arena);

    EXPECT(http_headers_add(&h, str_from_c(field), str_from_c(value)));
    cache_tags_of(&h, STR("shop"), note_tag, note_group, &b);
    return b.len ? buf_str(&b) : STR("");
}

TEST(tags_and_groups)
{
    EXPECT_STR(tags_of("Surrogate-Key", "a  b,c d"), "[a][b,c][b][c][d]");
    EXPECT_STR(tags_of("Cache-Tag", "a, b c ,,d"), "[a][b c][d]");
    EXPECT_STR(tags_of("Cache-Groups", "\"one\", \"t\\\"w\\\\o\";x=1 , \"three\""), "{shop one}{shop t\"w\\o}{shop three}");
    EXPECT_STR(tags_of("Cache-Groups", "\"one\", two"), "{shop one}");
    EXPECT_STR(tags_of("Cache-Groups", "\"open"), "");
    EXPECT_STR(tags_of("X-Other", "a"), "");
}
