/* Names that a client has made to collide (robustness reference, H7): they do where a hash has no key, and not here. */
#include "base/hash.c"
#include "test.h"

#define NAMES 500
#define SLOTS 1024u
/* So many balls fall into 395 of 1024 slots, give or take 9; all fell into one. */
#define SPREAD 300u

/* Names of the same slot under `hash`, each of 9 bytes. */
static void
make_colliding(char names[NAMES][12], uint64_t (*hash)(struct str))
{
    unsigned n = 0;

    for (unsigned i = 0; n < NAMES; i++) {
        snprintf(names[n], sizeof(names[n]), "p%08x", i);
        n += (hash(str_from_c(names[n])) & (SLOTS - 1)) == 0;
    }
}

static unsigned
slots_used(char names[NAMES][12], uint64_t (*hash)(struct str))
{
    bool used[SLOTS] = {0};
    unsigned n = 0;

    for (unsigned i = 0; i < NAMES; i++)
        used[hash(str_from_c(names[i])) & (SLOTS - 1)] = true;
    for (unsigned i = 0; i < SLOTS; i++)
        n += used[i];
    return n;
}

static uint64_t
without_key(struct str s)
{
    return XXH3_64bits(s.p, s.len);
}

static uint64_t
stable(struct str s)
{
    return hash_128(s).lo;
}

TEST(names_chosen_to_collide_do_not)
{
    static char names[NAMES][12];

    make_colliding(names, without_key);
    EXPECT_EQ(slots_used(names, without_key), 1);
    EXPECT(slots_used(names, hash_str) > SPREAD);
    EXPECT(slots_used(names, hash_str_nocase) > SPREAD);
    EXPECT(slots_used(names, hash_sip) > SPREAD);
}

TEST(nodes_agree_where_they_must)
{
    static char names[NAMES][12];

    make_colliding(names, stable);
    EXPECT_EQ(slots_used(names, stable), 1);
    EXPECT_EQ(hash_128(STR("")).lo, UINT64_C(0x6001c324468d497f)); /* XXH3-128 of nothing, as its authors publish it */
    EXPECT_EQ(hash_128(STR("")).hi, UINT64_C(0x99aa06d3014798d8));
}

TEST(case_is_ignored_where_asked)
{
    EXPECT_EQ(hash_str_nocase(STR("Content-Length")), hash_str_nocase(STR("cOnTeNt-lEnGtH")));
    EXPECT(hash_str_nocase(STR("a")) != hash_str_nocase(STR("b")));
}
