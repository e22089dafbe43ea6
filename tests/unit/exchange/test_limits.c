/* The scripts' names are their digests; what they do is seen in tests/suite/redis_test.py, with a Redis.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/limits.c"

#include <openssl/sha.h>

#include "base/codec.h"
#include "test.h"

static bool
is_named(struct str text, struct str sha)
{
    struct buf hex AUTO(buf_destroy) = BUF_INIT;
    unsigned char digest[SHA_DIGEST_LENGTH];

    SHA1((const unsigned char *)text.p, text.len, digest);
    codec_hex_encode(&hex, str_from((const char *)digest, sizeof(digest)), false);
    return str_eq(buf_str(&hex), sha);
}

TEST(a_script_is_called_by_its_digest)
{
    EXPECT(is_named(SCRIPT(window_script), SCRIPT(window_sha)));
    EXPECT(is_named(SCRIPT(quota_script), SCRIPT(quota_sha)));
}

TEST(a_permit_serves_its_limit_and_its_time)
{
    struct counters *c = counters_new(1000);
    struct permit_state p;

    EXPECT(!permit_take(c, STR("k"), 500, 1, 1000, &p));
    permit_add(c, STR("k"), 500, 2, 7, 1050);
    EXPECT(permit_take(c, STR("k"), 500, 1, 1000, &p) && p.used == 7);
    EXPECT(!permit_take(c, STR("k"), 500, 2, 1000, &p));
    EXPECT(permit_take(c, STR("k"), 500, 1, 1049, &p));
    EXPECT(!permit_take(c, STR("k"), 500, 1, 1049, &p));
    permit_add(c, STR("k"), 500, 5, 9, 1100);
    EXPECT(!permit_take(c, STR("k"), 500, 1, 1100, &p));
    permit_add(c, STR("k"), 500, 1, 9, 1150);
    EXPECT(permit_take(c, STR("k"), 500, 1, 1100, &p));
    EXPECT(!permit_take(c, STR("k"), 500, 1, 1100, &p)); /* those of the earlier slot have lapsed */
    permit_refuse(c, STR("k"), 500, 3000);
    EXPECT(!permit_take(c, STR("k"), 500, 1, 2000, &p) && p.refused_until_ms == 3000);
    EXPECT(!permit_take(c, STR("k"), 600, 1, 2000, &p) && p.refused_until_ms == 0);
    counters_delete(c);
}

TEST(a_quota_is_raised_never_lowered)
{
    struct counters *c = counters_new(1000);
    uint64_t version = quotas_version(c);

    quota_add(c, STR("k"), 3, 5, 100);
    EXPECT(quotas_version(c) > version);
    quota_raise(c, STR("k"), 3, 4, 300);
    EXPECT_EQ(quota_add(c, STR("k"), 3, 0, 0).calls, 5);
    EXPECT_EQ(quota_add(c, STR("k"), 3, 0, 0).bytes, 300);
    quota_raise(c, STR("k"), 2, 50, 50);
    EXPECT_EQ(quota_add(c, STR("k"), 3, 0, 0).calls, 5);
    quota_raise(c, STR("k"), 4, 1, 1);
    EXPECT_EQ(quota_add(c, STR("k"), 4, 0, 0).calls, 1);
    counters_delete(c);
}
