#include "model/access.c"
#include "test.h"

/* One service: product gold (needs a subscription) holds shop, product open holds pub; shop, pub and free are APIs,
 * only free needs no subscription. Subscriptions to gold, to the API other, to all APIs, and one that is suspended. */
static const struct user owner = {.name = STR_INIT("1")};
static const struct product gold = {.name = STR_INIT("gold"), .is_subscription_required = true};
static const struct product open_product = {.name = STR_INIT("open")};
static const struct product *const in_gold[] = {&gold};
static const struct product *const in_open[] = {&open_product};
static const struct api shop = {.name = STR_INIT("shop"), .root_name = STR_INIT("shop"), .products = in_gold,
                                .n_products = 1, .is_subscription_required = true};
static const struct api pub = {.name = STR_INIT("pub"), .root_name = STR_INIT("pub"), .products = in_open,
                               .n_products = 1, .open_product = &open_product, .is_subscription_required = true};
static const struct api free_api = {.name = STR_INIT("free"), .root_name = STR_INIT("free")};
static const struct api other = {.name = STR_INIT("other;rev=2"), .root_name = STR_INIT("other"),
                                 .is_subscription_required = true};
static const struct subscription subscriptions[] = {
    {.name = STR_INIT("to-gold"), .scope = SUBSCRIPTION_TO_PRODUCT, .product = &gold, .owner = &owner,
     .primary_key = STR_INIT("gold-1"), .secondary_key = STR_INIT("gold-2")},
    {.name = STR_INIT("to-other"), .scope = SUBSCRIPTION_TO_API, .scope_api = STR_INIT("Other"), .primary_key = STR_INIT("other-1")},
    {.name = STR_INIT("to-all"), .scope = SUBSCRIPTION_TO_ALL, .primary_key = STR_INIT("all-1")},
    {.name = STR_INIT("asleep"), .scope = SUBSCRIPTION_TO_ALL, .state = SUBSCRIPTION_SUSPENDED,
     .primary_key = STR_INIT("asleep-1")},
    {.name = STR_INIT("timed"), .scope = SUBSCRIPTION_TO_ALL, .start_s = 100, .expiration_s = 200,
     .primary_key = STR_INIT("timed-1")},
    {.name = STR_INIT("keyless"), .scope = SUBSCRIPTION_TO_ALL},
};

static struct arena arena = ARENA(NULL, 1 << 20);

static struct str
check(const struct api *api, const char *key, int64_t now_s)
{
    struct model m = {.keys = access_table_new(&arena, subscriptions, COUNTOF(subscriptions), NULL)};
    struct access a;
    enum access_result r = access_check(&m, api, str_from_c(key), now_s, &a);

    if (r != ACCESS_ALLOWED)
        return r == ACCESS_KEY_MISSING ? STR("missing") : STR("invalid");
    return str_printf(&arena, "%.*s/%.*s/%.*s", STR_ARG(a.subscription ? a.subscription->name : STR("-")),
                      STR_ARG(a.product ? a.product->name : STR("-")), STR_ARG(a.user ? a.user->name : STR("-")));
}

TEST(a_valid_key_gives_the_context_of_its_scope)
{
    EXPECT_STR(check(&shop, "gold-1", 0), "to-gold/gold/1");
    EXPECT_STR(check(&shop, "gold-2", 0), "to-gold/gold/1");
    EXPECT_STR(check(&other, "other-1", 0), "to-other/-/-");
    EXPECT_STR(check(&shop, "all-1", 0), "to-all/-/-");
    EXPECT_STR(check(&free_api, "all-1", 0), "to-all/-/-");
    EXPECT_STR(check(&pub, "all-1", 0), "to-all/-/-");
}

TEST(a_key_for_something_else_is_invalid)
{
    EXPECT_STR(check(&other, "gold-1", 0), "invalid");
    EXPECT_STR(check(&shop, "other-1", 0), "invalid");
    EXPECT_STR(check(&shop, "nobody's", 0), "invalid");
    EXPECT_STR(check(&shop, "asleep-1", 0), "invalid");
}

TEST(a_bad_key_is_ignored_where_an_open_product_or_the_api_lets_everybody_in)
{
    EXPECT_STR(check(&pub, "gold-1", 0), "-/open/-");
    EXPECT_STR(check(&free_api, "nobody's", 0), "-/-/-");
}

TEST(without_a_key_only_open_ways_lead_in)
{
    EXPECT_STR(check(&pub, NULL, 0), "-/open/-");
    EXPECT_STR(check(&free_api, NULL, 0), "-/-/-");
    EXPECT_STR(check(&shop, NULL, 0), "missing");
    EXPECT_STR(check(&shop, "", 0), "missing");
}

TEST(dates_bound_a_subscription)
{
    EXPECT_STR(check(&shop, "timed-1", 99), "invalid");
    EXPECT_STR(check(&shop, "timed-1", 100), "timed/-/-");
    EXPECT_STR(check(&shop, "timed-1", 199), "timed/-/-");
    EXPECT_STR(check(&shop, "timed-1", 200), "invalid");
}

TEST(one_key_for_two_subscriptions_is_reported)
{
    static const struct subscription two[] = {{.name = STR_INIT("a"), .primary_key = STR_INIT("k")},
                                              {.name = STR_INIT("b"), .secondary_key = STR_INIT("k")}};
    const struct subscription *clash = NULL;

    EXPECT(access_table_new(&arena, two, 2, &clash) != NULL);
    EXPECT(clash == &two[1]);
}
