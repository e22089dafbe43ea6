#include "store/load.c"
#include "hgt/identity.h"
#include "model/route.h"
#include "test.h"

#include <ftw.h>
#include <unistd.h>

/* A folder in a temporary place, made file by file; each test begins with an empty one. */
static char folder[64];
static struct arena arena = ARENA(NULL, 64 << 20);
static struct diags diags;
static struct options options;
static struct model *m;

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void
begin(void)
{
    model_unref(m);
    m = NULL;
    if (folder[0])
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    strcpy(folder, "/tmp/headgate-test-XXXXXX");
    ASSERT(mkdtemp(folder));
    diags_init(&diags, &arena);
    config_load(NULL, &arena, &options, &diags);
    options.artifacts = str_from_c(folder);
}

static void
put(const char *path, const char *content)
{
    char full[512];
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", folder, path);
    for (char *slash = full + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    ASSERT((f = fopen(full, "w")));
    fputs(content, f);
    fclose(f);
}

static bool
load_with(unsigned flags)
{
    diags_init(&diags, &arena);
    return store_load(&options, flags, &m, &diags);
}

/* Problems as they are printed, the folder's own path cut out. */
static struct str
problems(void)
{
    struct buf text = buf_in(&arena), out = buf_in(&arena);
    struct str rest;
    ptrdiff_t at;

    diags_print(&diags, &text);
    rest = buf_str(&text);
    while ((at = str_find(rest, str_from_c(folder), 0)) >= 0) {
        buf_add_str(&out, str_sub(rest, 0, (size_t)at));
        rest = str_skip(rest, (size_t)at + strlen(folder) + 1);
    }
    buf_add_str(&out, rest);
    return buf_str(&out);
}

#define EXPECT_PROBLEM(text) \
    do { \
        if (str_find(problems(), STR(text), 0) < 0) \
            TEST_FAIL("'%s' is not among\n%.*s", text, STR_ARG(problems())); \
    } while (0)

#define EXPECT_LOAD() \
    do { \
        if (!load_with(0)) \
            TEST_FAIL("did not load:\n%.*s", STR_ARG(problems())); \
    } while (0)

static const struct api *
api(const char *name)
{
    return model_find_api(m, str_from_c(name), NULL);
}

#define SPEC "openapi: 3.0.0\npaths:\n  /items/{id}:\n    get: {operationId: get-item}\n    put: {operationId: putItem}\n"

TEST(an_empty_folder_is_a_model_without_apis)
{
    begin();
    EXPECT_LOAD();
    EXPECT_EQ(m->n_apis, 0);
    EXPECT_EQ(m->n_groups, 3);
    EXPECT(m->routes != NULL);
    EXPECT(!m->policy);
}

TEST(an_api_has_the_operations_of_its_specification_and_their_policies)
{
    begin();
    put("policy.xml", "<policies />");
    put("apis/shop/apiInformation.json",
        "{\"properties\": {\"path\": \"/shop/public/\", \"displayName\": \"Shop\", \"protocols\": [\"https\"], "
        "\"serviceUrl\": \"https://b.example/base\", \"subscriptionRequired\": false}}");
    put("apis/shop/specification.yaml", SPEC);
    put("apis/shop/policy.xml", "<policies><inbound /></policies>");
    put("apis/shop/operations/get-item/policy.xml", "<policies><outbound /></policies>");
    put("apis/shop/operations/putItem/policy.xml", "<policies><backend /></policies>");
    EXPECT_LOAD();
    EXPECT_STR(problems(), "");
    EXPECT_STR(m->policy->text, "<policies />");
    EXPECT_STR(api("shop")->path, "shop/public");
    EXPECT_STR(api("SHOP")->display_name, "Shop");
    EXPECT_EQ(api("shop")->protocols, PROTOCOL_HTTPS);
    EXPECT_STR(api("shop")->service_url, "https://b.example/base");
    EXPECT(!api("shop")->is_subscription_required);
    EXPECT_STR(api("shop")->key_header, "Ocp-Apim-Subscription-Key");
    EXPECT_EQ(api("shop")->n_operations, 2);
    EXPECT_STR(api_find_operation(api("shop"), STR("get-item"))->policy->text, "<policies><outbound /></policies>");
    EXPECT_STR(api_find_operation(api("shop"), STR("putItem"))->policy->text, "<policies><backend /></policies>");
    EXPECT(api("shop")->operations[0].api == api("shop"));
    EXPECT_EQ(m->n_operations, 2);
}

TEST(an_api_without_operations_serves_everything)
{
    struct route_request rq = {.method = STR("PATCH"), .path = STR("/any/thing"), .is_secure = true};
    struct route_match match;

    begin();
    put("apis/any/apiInformation.json", "{\"properties\": {\"path\": \"any\"}}");
    EXPECT_LOAD();
    EXPECT_EQ(route_find(m->routes, &rq, &match), ROUTE_FOUND);
    EXPECT(match.operation->is_implicit);
}

TEST(an_operation_folder_that_fits_no_operation_is_an_error)
{
    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("apis/shop/specification.yaml", SPEC);
    put("apis/shop/operations/get-itm/policy.xml", "<policies />");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/shop/operations/get-itm: the specification has no operation `get-itm`; did you mean `get-item`?");
}

TEST(versions_and_revisions_are_linked)
{
    begin();
    put("version sets/shopset/versionSetInformation.json",
        "{\"properties\": {\"displayName\": \"Shop\", \"versioningScheme\": \"Segment\"}}");
    put("apis/shop-v1/apiInformation.json",
        "{\"properties\": {\"path\": \"shop\", \"apiVersion\": \"v1\", \"displayName\": \"Shop one\", \"apiRevision\": \"2\", "
        "\"isCurrent\": true, \"apiVersionSetId\": \"/apiVersionSets/shopset\"}}");
    put("apis/shop-v1;rev=1/apiInformation.json", "{\"properties\": {\"apiRevision\": \"1\", \"isCurrent\": false}}");
    put("apis/shop-v2/apiInformation.json",
        "{\"properties\": {\"path\": \"shop\", \"apiVersion\": \"v2\", \"apiVersionSetId\": "
        "\"/subscriptions/x/resourceGroups/y/providers/Microsoft.ApiManagement/service/z/apiVersionSets/shopset\"}}");
    EXPECT_LOAD();
    EXPECT_STR(api("shop-v1")->prefix, "shop/v1");
    EXPECT_STR(api("shop-v2")->prefix, "shop/v2");
    EXPECT(api("shop-v1")->version_set == api("shop-v2")->version_set);
    EXPECT_STR(api("shop-v1")->revision, "2");
    EXPECT_STR(api("shop-v1;rev=1")->prefix, "shop/v1");
    EXPECT_STR(api("shop-v1;rev=1")->root_name, "shop-v1");
    EXPECT_STR(api("shop-v1;rev=1")->display_name, "Shop one");
    EXPECT(!api("shop-v1;rev=1")->is_current);
}

TEST(products_hold_apis_and_open_ones_let_everybody_in)
{
    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("apis/shop;rev=2/apiInformation.json", "{\"properties\": {\"isCurrent\": false}}");
    put("products/gold/productInformation.json", "{\"properties\": {\"displayName\": \"Gold\", \"state\": \"published\"}}");
    put("products/gold/policy.xml", "<policies />");
    put("products/gold/apis/shop/productApiInformation.json", "{}");
    put("products/gold/groups/developers/productGroupInformation.json", "{}");
    put("products/free/productInformation.json", "{\"properties\": {\"subscriptionRequired\": false}}");
    put("products/free/apis/shop/productApiInformation.json", "{}");
    EXPECT_LOAD();
    EXPECT_EQ(api("shop")->n_products, 2);
    EXPECT_EQ(api("shop;rev=2")->n_products, 2);
    EXPECT_STR(api("shop")->open_product->name, "free");
    EXPECT_EQ(model_find_product(m, STR("gold"), NULL)->n_apis, 2);
    EXPECT_STR(model_find_product(m, STR("gold"), NULL)->groups[0]->name, "developers");
    EXPECT(model_find_product(m, STR("gold"), NULL)->policy != NULL);
}

static const struct subscription *
subscription(const char *name)
{
    for (uint32_t i = 0; i < m->n_subscriptions; i++)
        if (str_eq(m->subscriptions[i].name, str_from_c(name)))
            return &m->subscriptions[i];
    return NULL;
}

TEST(subscriptions_have_a_scope_and_keys_by_reference)
{
    begin();
    setenv("HEADGATE_TEST_KEY", "k-1", 1);
    unsetenv("HEADGATE_TEST_NONE");
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("products/gold/productInformation.json", "{\"properties\": {}}");
    put("secrets.txt", "k-2\n");
    put("subscriptions/a/subscriptionInformation.json",
        "{\"properties\": {\"scope\": \"/products/gold\", \"state\": \"active\", \"primaryKey\": \"env:HEADGATE_TEST_KEY\", "
        "\"secondaryKey\": \"file:secrets.txt\", \"ownerId\": \"/users/1\", \"startDate\": \"2026-01-01T00:00:00Z\"}}");
    put("subscriptions/b/subscriptionInformation.json",
        "{\"properties\": {\"scope\": \"/subscriptions/x/providers/Microsoft.ApiManagement/service/s/apis/shop%3Brev%3D1\", "
        "\"primaryKey\": \"env:HEADGATE_TEST_NONE\"}}");
    put("subscriptions/c/subscriptionInformation.json",
        "{\"properties\": {\"scope\": \"/subscriptions/x/providers/Microsoft.ApiManagement/service/s/\", "
        "\"primaryKey\": \"plain\", \"state\": \"suspended\"}}");
    put("subscriptions/d/subscriptionInformation.json", "{\"properties\": {\"scope\": \"/apis\"}}");
    EXPECT_LOAD();
    EXPECT_EQ(subscription("a")->scope, SUBSCRIPTION_TO_PRODUCT);
    EXPECT_STR(subscription("a")->product->name, "gold");
    EXPECT_STR(subscription("a")->primary_key, "k-1");
    EXPECT_STR(subscription("a")->secondary_key, "k-2");
    EXPECT_EQ(subscription("a")->start_s, 1767225600);
    EXPECT_EQ(subscription("b")->scope, SUBSCRIPTION_TO_API);
    EXPECT_STR(subscription("b")->scope_api, "shop");
    EXPECT_EQ(subscription("c")->scope, SUBSCRIPTION_TO_ALL);
    EXPECT_EQ(subscription("c")->state, SUBSCRIPTION_SUSPENDED);
    EXPECT_EQ(subscription("d")->scope, SUBSCRIPTION_TO_ALL);
    EXPECT_PROBLEM("environment variable `HEADGATE_TEST_NONE` is not set");
    EXPECT_PROBLEM("subscriptions/c/subscriptionInformation.json:1:105: warning: a secret in the clear");
    EXPECT_PROBLEM("secrets.txt: nothing reads this file, ignored");
    EXPECT(access_find_key(m, STR("k-2")) == subscription("a"));
}

TEST(named_values_are_put_into_backends)
{
    const struct backend_conf *b;

    begin();
    setenv("HEADGATE_TEST_KEY", "k-1", 1);
    put("named values/host/namedValueInformation.json",
        "{\"properties\": {\"displayName\": \"backend-host\", \"value\": \"b.example\", \"tags\": [\"t\"]}}");
    put("named values/key/namedValueInformation.json",
        "{\"properties\": {\"displayName\": \"fn-key\", \"secret\": true, \"value\": \"env:HEADGATE_TEST_KEY\"}}");
    put("backends/orders/backendInformation.json",
        "{\"properties\": {\"url\": \"https://{{backend-host}}/api\", \"protocol\": \"http\", \"credentials\": {\"header\": "
        "{\"x-functions-key\": [\"{{ fn-key }}\", \"x\"]}, \"query\": {\"code\": [\"c\"]}, \"authorization\": {\"scheme\": "
        "\"Basic\", \"parameter\": \"dTpw\"}}, \"tls\": {\"validateCertificateName\": false}, \"circuitBreaker\": {\"rules\": "
        "[{\"name\": \"r\", \"tripDuration\": \"PT30S\", \"failureCondition\": {\"count\": 3, \"interval\": \"PT1M\", "
        "\"statusCodeRanges\": [{\"min\": 500, \"max\": 599}], \"errorReasons\": [\"Timeout\"]}}]}}}");
    put("backends/pool/backendInformation.json",
        "{\"properties\": {\"type\": \"Pool\", \"pool\": {\"services\": [{\"id\": \"/backends/orders\", \"weight\": 3, "
        "\"priority\": 1}]}}}");
    EXPECT_LOAD();
    b = model_find_backend(m, STR("Orders"), NULL);
    EXPECT_STR(b->url, "https://b.example/api");
    EXPECT_STR(b->credentials.headers[0].values[0], "k-1");
    EXPECT_EQ(b->credentials.headers[0].n_values, 2);
    EXPECT_STR(b->credentials.authorization_scheme, "Basic");
    EXPECT(b->verify_chain && !b->verify_name);
    EXPECT_EQ(b->breakers[0].count, 3);
    EXPECT_EQ(b->breakers[0].trip_ms, 30000);
    EXPECT_EQ(b->breakers[0].statuses[0].max, 599);
    EXPECT(model_find_backend(m, STR("pool"), NULL)->members[0].backend == b);
    EXPECT_EQ(model_find_backend(m, STR("pool"), NULL)->members[0].weight, 3);
    EXPECT(model_find_named_value(m, STR("fn-key"), NULL)->is_secret);
}

TEST(a_folder_can_be_checked_where_its_secrets_are_not)
{
    begin();
    unsetenv("HEADGATE_TEST_NONE");
    put("named values/k/namedValueInformation.json",
        "{\"properties\": {\"displayName\": \"k\", \"secret\": true, \"value\": \"env:HEADGATE_TEST_NONE\"}}");
    put("backends/b/backendInformation.json", "{\"properties\": {\"url\": \"https://{{k}}/\"}}");
    EXPECT(!load_with(0));
    EXPECT(load_with(LOAD_SECRETS_OPTIONAL));
    EXPECT_EQ(diags.errors, 0);
    EXPECT_EQ(diags.notes, 1);
    EXPECT(model_find_named_value(m, STR("k"), NULL)->value.is_set);
}

TEST(a_named_value_without_a_value_says_where_and_how_to_give_one)
{
    begin();
    put("named values/k/namedValueInformation.json",
        "{\"properties\": {\"displayName\": \"key\", \"secret\": true, \"keyVault\": {\"secretIdentifier\": \"https://v/s/1\"}}}");
    put("apis/a/apiInformation.json", "{\"properties\": {\"path\": \"a\", \"serviceUrl\": \"https://{{key}}/\"}}");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/a/apiInformation.json:1:44: error: named value `key` has no value: named values/k/namedValueInformation.json "
                   "holds no `value`, it is kept in the key vault at https://v/s/1; give one under `named-values:` of headgate.yaml, "
                   "`key: {value: env:NAME}` or `file:PATH`\n");
}

TEST(folders_of_older_extractors_are_read)
{
    begin();
    put("apis/shop/apiInformation.json",
        "{\"properties\": {\"path\": \"shop\", \"apiVersion\": \"v1\", \"apiVersionSetId\": \"/apiVersionSets/set\"}}");
    put("apis/bare/apiInformation.json", "{\"properties\": {\"path\": \"bare\"}}");
    put("version sets/set/apiVersionSetInformation.json",
        "{\"properties\": {\"displayName\": \"Set\", \"versioningScheme\": \"Segment\"}}");
    put("products/gold/productInformation.json", "{\"properties\": {\"subscriptionRequired\": false}}");
    put("products/gold/apis.json", "[{\"name\": \"shop\"},\n {\"name\": \"left-out\"}]");
    put("products/gold/groups.json", "[{\"name\": \"guests\"}]");
    put("products/iron/productInformation.json", "{\"properties\": {}}");
    put("products/iron/apis.json", "[]");
    put("groups/guests/groupInformation.json", "{\"properties\": {\"displayName\": \"Guests\"}}");
    EXPECT(load_with(0));
    EXPECT_EQ(diags.errors, 0);
    EXPECT_EQ(diags.warnings, 1);
    EXPECT_PROBLEM("products/gold/apis.json:2:11: warning: no API `left-out`\n");
    EXPECT_EQ(model_find_product(m, STR("gold"), NULL)->n_apis, 1);
    EXPECT_EQ(model_find_product(m, STR("gold"), NULL)->n_groups, 1);
    EXPECT_EQ(model_find_product(m, STR("iron"), NULL)->n_apis, 0);
    EXPECT(api("shop")->open_product == model_find_product(m, STR("gold"), NULL));
    EXPECT_STR(api("shop")->version_set->display_name, "Set");
    EXPECT(!api("bare")->open_product);
}

TEST(an_older_list_that_is_none_is_a_mistake)
{
    begin();
    put("products/gold/productInformation.json", "{\"properties\": {}}");
    put("products/gold/apis.json", "{\"name\": \"shop\"}");
    put("products/gold/groups.json", "[7]");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("products/gold/apis.json:1:1: error: expected [{\"name\": ...}], found a map\n");
    EXPECT_PROBLEM("products/gold/groups.json:1:2: error: expected {\"name\": ...}, found a number\n");
}

TEST(what_a_filter_left_out_does_not_stop_the_rest)
{
    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("subscriptions/a/subscriptionInformation.json",
        "{\"properties\": {\"scope\": \"/apis/left-out\", \"primaryKey\": \"k1\", \"state\": \"active\"}}");
    put("subscriptions/b/subscriptionInformation.json",
        "{\"properties\": {\"scope\": \"/products/left-out\", \"primaryKey\": \"k2\", \"state\": \"active\"}}");
    put("backends/b/backendInformation.json", "{\"properties\": {\"protocol\": \"http\", \"credentials\": {}}}");
    put("named values/s/namedValueInformation.json", "{\"properties\": {\"displayName\": \"s\", \"secret\": true}}");
    put("backends/k/backendInformation.json",
        "{\"properties\": {\"url\": \"https://k.example\", \"credentials\": {\"header\": {\"X-Key\": [\"{{s}}\"]}}}}");
    put("backends/u/backendInformation.json", "{\"properties\": {\"url\": \"https://{{s}}/\"}}");
    put("loggers/ai/loggerInformation.json",
        "{\"properties\": {\"loggerType\": \"applicationInsights\", \"credentials\": {\"instrumentationKey\": \"{{s}}\"}}}");
    EXPECT(load_with(0));
    EXPECT_EQ(diags.errors, 0);
    EXPECT_PROBLEM("warning: no API `left-out`\n");
    EXPECT_PROBLEM("warning: no product `left-out`\n");
    EXPECT_PROBLEM("backends/b/backendInformation.json:1:16: warning: it has no `url`\n");
    EXPECT_STR(model_find_backend(m, STR("b"), NULL)->problem, "it has no `url`");
    EXPECT_PROBLEM("backends/k/backendInformation.json:1:16: warning: its named value `s` has no value\n");
    EXPECT_STR(model_find_backend(m, STR("k"), NULL)->problem, "its named value `s` has no value");
    EXPECT_STR(model_find_backend(m, STR("u"), NULL)->problem, "its named value `s` has no value");
    EXPECT_PROBLEM("loggers/ai/loggerInformation.json:1:92: warning: named value `s` has no value: nothing reaches this logger\n");
}

TEST(mistakes_are_found_with_their_place)
{
    begin();
    put("apis/shop/apiInformation.json",
        "{\"properties\": {\n  \"path\": \"shop\",\n  \"apiVersionSetId\": \"/apiVersionSets/none\",\n"
        "  \"serviceUrl\": \"b.example\",\n  \"protocols\": [\"gopher\"]\n}}");
    put("apis/bad/apiInformation.json", "{\"properties\": {\"path\": }");
    put("apis/none/specification.yaml", SPEC);
    put("products/gold/productInformation.json", "{\"properties\": {\"subscriptionRequired\": \"maybe\"}}");
    put("products/gold/apis/nowhere/productApiInformation.json", "{}");
    put("products/gold/apis/bare/readme.md", "");
    put("backends/p/backendInformation.json",
        "{\"properties\": {\"type\": \"Pool\", \"pool\": {\"services\": [{\"id\": \"/backends/x\"}]}}}");
    put("backends/u/backendInformation.json", "{\"properties\": {\"url\": \"https://{{missing}}/\"}}");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/shop/apiInformation.json:3:22: error: no version set `none`\n");
    EXPECT_PROBLEM("apis/shop/apiInformation.json:4:17: error: `serviceUrl`: 'b.example': expected scheme://host\n");
    EXPECT_PROBLEM("apis/shop/apiInformation.json:5:17: error: expected http, https, ws or wss\n");
    EXPECT_PROBLEM("apis/bad/apiInformation.json:1:25: error: expected a JSON value, found '}'\n");
    EXPECT_PROBLEM("apis/none/apiInformation.json: no such file");
    EXPECT_PROBLEM("products/gold/productInformation.json:1:41: error: `subscriptionRequired` must be true or false");
    EXPECT_PROBLEM("products/gold/apis/nowhere/productApiInformation.json:1:1: error: no API `nowhere`");
    EXPECT_PROBLEM("products/gold/apis/bare:1:1: error: no API `bare`");
    EXPECT_PROBLEM("backends/p/backendInformation.json:1:62: error: no backend `x`\n");
    EXPECT_PROBLEM("backends/u/backendInformation.json:1:24: error: no named value `missing`\n");
}

TEST(going_on_costs_only_the_api_with_the_error)
{
    begin();
    put("apis/good/apiInformation.json", "{\"properties\": {\"path\": \"good\"}}");
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\", \"apiVersionSetId\": \"/apiVersionSets/none\"}}");
    put("apis/spec/apiInformation.json", "{\"properties\": {\"path\": \"spec\"}}");
    put("apis/spec/specification.yaml", "openapi: 9.0.0\n");
    EXPECT(!load_with(0));
    EXPECT(load_with(LOAD_KEEP_GOING));
    EXPECT(!api("good")->problem.p);
    EXPECT_EQ(api("shop")->problem_status, 503);
    EXPECT_STR(api("shop")->problem, "it did not load: no version set `none`");
    EXPECT_EQ(api("spec")->problem_status, 503);
}

TEST(kinds_that_are_not_built_answer_501_and_the_rest_loads)
{
    begin();
    put("apis/g/apiInformation.json", "{\"properties\": {\"path\": \"g\", \"type\": \"graphql\"}}");
    put("apis/g/specification.graphql", "type Query { a: Int }");
    put("apis/w/apiInformation.json", "{\"properties\": {\"path\": \"w\", \"type\": \"websocket\", \"protocols\": [\"wss\"]}}");
    EXPECT_LOAD();
    EXPECT_EQ(api("g")->problem_status, 501);
    EXPECT_PROBLEM("warning: APIs of the kind 'graphql' are not built yet; it answers 501");
    EXPECT_STR(api("w")->operations[0].name, "onHandshake");
    EXPECT_EQ(api("w")->protocols, PROTOCOL_WSS);
}

TEST(what_nobody_reads_is_named)
{
    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("apis/shop/polcy.xml", "<policies />");
    put("backend/x/backendInformation.json", "{}");
    put("gateways/g/gatewayInformation.json", "{\"properties\": {}}");
    put("README.md", "hello");
    put("Policy.xml", "<policies />");
    put("Named Values/n/namedValueInformation.json", "{}");
    put("other.txt", "hello");
    EXPECT_LOAD();
    EXPECT_PROBLEM("warning: apis/shop/polcy.xml: nothing reads this file, ignored; did you mean `policy.xml`?");
    EXPECT_PROBLEM("warning: backend: nothing reads this folder, ignored; did you mean `backends`?");
    EXPECT_PROBLEM("warning: Policy.xml: nothing reads this file, ignored; did you mean `policy.xml`?");
    EXPECT_PROBLEM("warning: Named Values: nothing reads this folder, ignored; did you mean `named values`?");
    EXPECT_PROBLEM("warning: other.txt: nothing reads this file, ignored\n");
    EXPECT_EQ(diags.warnings, 5);
}

TEST(what_headgate_yaml_names_is_read_by_somebody)
{
    char path[128];

    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("var/state/format", "1");
    put("tls/deeper/ca.pem", "");
    put("snapshot", "");
    put("snapshots", "");
    put("headgate.yaml", "artifacts: .\nstate: ./var//state\ncache: {snapshot: snapshot}\n"
        "listeners: [{port: 1, tls: {client-ca: tls/deeper/ca.pem}}]\n");
    snprintf(path, sizeof(path), "%s/headgate.yaml", folder);
    EXPECT(config_load(path, &arena, &options, &diags));
    EXPECT_LOAD();
    EXPECT_PROBLEM("warning: snapshots: nothing reads this file, ignored\n");
    EXPECT_EQ(diags.warnings, 1);
}

TEST(fragments_tags_loggers_and_diagnostics_are_there)
{
    begin();
    put("policy fragments/auth/policy.xml", "<fragment />");
    put("policy fragments/auth/policyFragmentInformation.json", "{\"properties\": {\"description\": \"d\"}}");
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("apis/shop/diagnostics/local/diagnosticInformation.json",
        "{\"properties\": {\"loggerId\": \"/loggers/hub\", \"alwaysLog\": \"allErrors\", \"sampling\": {\"percentage\": 50}, "
        "\"frontend\": {\"request\": {\"headers\": [\"a\"], \"body\": {\"bytes\": 10}, \"dataMasking\": {\"headers\": "
        "[{\"value\": \"b\", \"mode\": \"Hide\"}]}}}}}");
    put("diagnostics/azuremonitor/diagnosticInformation.json", "{\"properties\": {\"loggerId\": \"/loggers/none\"}}");
    put("loggers/hub/loggerInformation.json",
        "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": {\"name\": \"n\"}}}");
    put("tags/red/tagInformation.json", "{\"properties\": {\"displayName\": \"Red\"}}");
    put("tags/red/apis/shop/tagApiInformation.json", "{}");
    EXPECT_LOAD();
    EXPECT_STR(model_find_fragment(m, STR("auth"), NULL)->policy->text, "<fragment />");
    EXPECT_STR(api("shop")->tags[0], "Red");
    EXPECT_EQ(m->n_diagnostics, 1);
    EXPECT_EQ(api("shop")->n_diagnostics, 1);
    EXPECT_STR(api("shop")->diagnostics[0]->logger->name, "hub");
    EXPECT(api("shop")->diagnostics[0]->frontend_request.mask_headers[0].hide);
    EXPECT(api("shop")->diagnostics[0]->sampling_percentage == 50.0);
    EXPECT_PROBLEM("warning: no logger `none`");
}

static const struct logger_target *
target_of(const char *name)
{
    const struct logger *g = model_find_logger(m, str_from_c(name));

    ASSERT(g);
    return &g->target;
}

TEST(loggers_of_the_folder_are_event_hubs)
{
    begin();
    put("named values/c/namedValueInformation.json", "{\"properties\": {\"displayName\": \"c\", \"value\": "
        "\"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k==;EntityPath=path\"}}");
    put("loggers/a/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": "
        "{\"name\": \"hub\", \"connectionString\": \"{{c}}\"}}}");
    put("loggers/b/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": "
        "{\"connectionString\": \"Endpoint=sb://localhost;UseDevelopmentEmulator=true;EntityPath=path\"}}}");
    put("loggers/c/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": "
        "{\"name\": \"hub\", \"endpointAddress\": \"ns.servicebus.windows.net\", \"identityClientId\": \"id\"}}}");
    put("loggers/d/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": "
        "{\"name\": \"hub\", \"endpointAddress\": \"https://ns:1234/\", \"identityClientId\": \"SystemAssigned\"}}}");
    put("loggers/e/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": {}}}");
    put("loggers/f/loggerInformation.json", "{\"properties\": {\"loggerType\": \"applicationInsights\", \"credentials\": {}}}");
    EXPECT_LOAD();
    EXPECT_EQ(target_of("a")->kind, LOGGER_TARGET_KAFKA);
    EXPECT_STR(target_of("a")->servers, "ns.servicebus.windows.net:9093");
    EXPECT_STR(target_of("a")->topic, "hub");
    EXPECT_STR(target_of("a")->username, "$ConnectionString");
    EXPECT_STR(target_of("a")->password, "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k==;EntityPath=path");
    EXPECT(target_of("a")->is_tls);
    EXPECT_STR(target_of("b")->servers, "localhost:9092");
    EXPECT_STR(target_of("b")->topic, "path");
    EXPECT(!target_of("b")->is_tls);
    EXPECT_STR(target_of("c")->resource, "https://ns.servicebus.windows.net");
    EXPECT_STR(target_of("c")->client_id, "id");
    EXPECT_STR(target_of("c")->username, "");
    EXPECT_STR(target_of("d")->servers, "ns:1234");
    EXPECT_STR(target_of("d")->resource, "https://ns");
    EXPECT_STR(target_of("d")->client_id, "");
    EXPECT_EQ(target_of("e")->kind, LOGGER_TARGET_NONE);
    EXPECT_EQ(target_of("f")->kind, LOGGER_TARGET_NONE);
    EXPECT_PROBLEM("warning: logger `e`: it has neither connectionString nor endpointAddress; its messages are dropped");
}

TEST(loggers_of_headgate_yaml_win)
{
    char path[128];

    begin();
    put("loggers/a/loggerInformation.json", "{\"properties\": {\"loggerType\": \"azureEventHub\", \"credentials\": {}}}");
    put("headgate.yaml", "loggers:\n"
        "  - {id: A, to: kafka, servers: \"k1:9092,k2:9092\", topic: t, tls: false, username: u, password: p, queue: 1MiB, timeout: 3s}\n"
        "  - {id: b, to: http, url: \"http://x/y\"}\n"
        "  - {id: c, to: file, file: messages}\n"
        "  - {id: d, to: kafka, topic: t}\n"
        "  - {id: e, connection: \"Endpoint=sb://ns/;EntityPath=e\"}\n"
        "  - {id: f, to: http}\n");
    snprintf(path, sizeof(path), "%s/headgate.yaml", folder);
    ASSERT(config_load(path, &arena, &options, &diags));
    options.artifacts = str_from_c(folder);
    EXPECT_LOAD();
    unlink(path);
    EXPECT_EQ(target_of("a")->kind, LOGGER_TARGET_KAFKA);
    EXPECT_STR(target_of("a")->servers, "k1:9092,k2:9092");
    EXPECT_STR(target_of("a")->password, "p");
    EXPECT(!target_of("a")->is_tls);
    EXPECT_EQ(target_of("a")->queue_bytes, 1 << 20);
    EXPECT_EQ(target_of("a")->timeout_ms, 3000);
    EXPECT_STR(target_of("b")->url, "http://x/y");
    EXPECT_EQ(target_of("c")->kind, LOGGER_TARGET_FILE);
    EXPECT(str_ends_with(target_of("c")->file, STR("/messages")));
    EXPECT_EQ(target_of("d")->kind, LOGGER_TARGET_NONE);
    EXPECT_STR(target_of("e")->topic, "e");
    EXPECT_EQ(target_of("f")->kind, LOGGER_TARGET_NONE);
    EXPECT_PROBLEM("logger `f`: `http` needs url; its messages are dropped");
}

TEST(workspaces_hold_the_same_tree_and_their_names_win)
{
    begin();
    put("named values/h/namedValueInformation.json", "{\"properties\": {\"displayName\": \"host\", \"value\": \"outer\"}}");
    put("workspaces/w/named values/h/namedValueInformation.json",
        "{\"properties\": {\"displayName\": \"host\", \"value\": \"inner\"}}");
    put("workspaces/w/apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"w/shop\"}}");
    put("workspaces/w/backends/b/backendInformation.json", "{\"properties\": {\"url\": \"http://{{host}}\"}}");
    put("workspaces/w/products/p/productInformation.json", "{\"properties\": {}}");
    put("workspaces/w/products/p/apis/link1/productApiInformation.json",
        "{\"properties\": {\"apiId\": \"/workspaces/w/apis/shop\"}}");
    put("workspaces/w/policy.xml", "<policies />");
    EXPECT_LOAD();
    EXPECT_STR(problems(), "");
    EXPECT_EQ(m->n_workspaces, 1);
    EXPECT(model_find_api(m, STR("shop"), &m->workspaces[0])->workspace == &m->workspaces[0]);
    EXPECT_STR(model_find_backend(m, STR("b"), &m->workspaces[0])->url, "http://inner");
    EXPECT_EQ(model_find_product(m, STR("p"), &m->workspaces[0])->n_apis, 1);
    EXPECT(m->workspaces[0].policy != NULL);
    EXPECT_STR(model_find_named_value(m, STR("host"), NULL)->value.value, "outer");
    EXPECT_STR(model_find_named_value(m, STR("host"), &m->workspaces[0])->value.value, "inner");
}

/* As `>` of an older PowerShell writes it. */
static void
put_utf16(const char *path, const char *content, bool is_big)
{
    char full[512];
    FILE *f;

    put(path, "");
    snprintf(full, sizeof(full), "%s/%s", folder, path);
    ASSERT((f = fopen(full, "w")));
    fputs(is_big ? "\xfe\xff" : "\xff\xfe", f);
    for (; *content; content++) {
        fputc(is_big ? 0 : *content, f);
        fputc(is_big ? *content : 0, f);
    }
    fclose(f);
}

TEST(files_may_be_utf16)
{
    begin();
    put_utf16("apis/a/apiInformation.json", "{\"properties\": {\"path\": \"a\"}}", false);
    put_utf16("apis/a/policy.xml", "<policies>\r\n</policies>", true);
    put_utf16("apis/b/apiInformation.json", "{\"properties\":\n{\"path\": 1,}}", false);
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/b/apiInformation.json:2:12: error: expected a member name in double quotes, found '}'\n     2 | {\"path\": 1,}}\n");
    put("apis/b/apiInformation.json", "{\"properties\": {\"path\": \"b\"}}");
    EXPECT_LOAD();
    EXPECT_STR(api("a")->policy->text, "<policies>\r\n</policies>");
}

TEST(an_api_without_a_current_revision_is_named)
{
    begin();
    put("apis/a;rev=2/apiInformation.json", "{\"properties\": {\"path\": \"a\", \"isCurrent\": false}}");
    EXPECT_LOAD();
    EXPECT_PROBLEM("apis/a;rev=2/apiInformation.json:1:1: warning: there is no current revision of `a`; this one is reached only with "
                   "`;rev=2` behind the path\n");
}

TEST(diagnostics_belong_to_the_api_beside_them)
{
    const struct api *outer, *inner;

    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("apis/shop/diagnostics/local/diagnosticInformation.json", "{\"properties\": {\"verbosity\": \"error\"}}");
    put("apis/zoo/apiInformation.json", "{\"properties\": {\"path\": \"zoo\"}}");
    put("apis/zoo/diagnostics/local/diagnosticInformation.json", "{\"properties\": {}}");
    put("diagnostics/local/diagnosticInformation.json", "{\"properties\": {}}");
    put("workspaces/w/apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"w/shop\"}}");
    put("workspaces/w/apis/shop/diagnostics/local/diagnosticInformation.json", "{\"properties\": {\"verbosity\": \"verbose\"}}");
    EXPECT_LOAD();
    outer = model_find_api(m, STR("shop"), NULL);
    inner = model_find_api(m, STR("shop"), &m->workspaces[0]);
    EXPECT_EQ(outer->n_diagnostics, 1);
    EXPECT_STR(outer->diagnostics[0]->verbosity, "error");
    EXPECT_EQ(inner->n_diagnostics, 1);
    EXPECT_STR(inner->diagnostics[0]->verbosity, "verbose");
}

TEST(users_own_subscriptions)
{
    begin();
    put("users.yaml", "groups: {partners: {display-name: Partners}}\n"
                      "users:\n  alice: {first-name: Alice, email: a@example.org, groups: [partners, developers], "
                      "registered: 2026-01-01}\n"
                      "owners: {s: alice}\n");
    put("subscriptions/s/subscriptionInformation.json", "{\"properties\": {\"scope\": \"/apis\"}}");
    EXPECT_LOAD();
    EXPECT_STR(problems(), "");
    EXPECT_STR(subscription("s")->owner->first_name, "Alice");
    EXPECT_EQ(subscription("s")->owner->n_groups, 2);
    EXPECT_STR(subscription("s")->owner->groups[0]->display_name, "Partners");
    EXPECT_EQ(subscription("s")->owner->registered_s, 1767225600);
    put("users.yaml", "usrs: {}\n");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("users.yaml:1:1: error: no key `usrs` here");
}

TEST(headgate_yaml_adds_what_the_folder_cannot_hold)
{
    begin();
    put("headgate.yaml", "artifacts: .\n"
                         "deployment: {region: west, service-name: svc}\n"
                         "resolve: {'Login.example.org:443': '127.0.0.1:9443', other: '[::1]:80'}\n"
                         "caches: [{connection: 'file:redis.txt', use-from: west}, {id: d, connection: 'file:redis.txt'}]\n"
                         "named-values: {token: {value: 'file:redis.txt'}}\n"
                         "apis: {shop: {hosts: [shop.example], service-url: 'http://127.0.0.1:1'}}\n"
                         "jwt: {default-openid-config: 'https://idp.example/x'}\n");
    put("redis.txt", "localhost:6379,ssl=False\n");
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\", \"serviceUrl\": \"https://real.example\"}}");
    EXPECT(config_load(str_printf(&arena, "%s/headgate.yaml", folder).p, &arena, &options, &diags));
    EXPECT_LOAD();
    EXPECT_STR(m->settings.deployment.region, "west");
    EXPECT_STR(m->settings.resolve[0].host, "login.example.org");
    EXPECT_EQ(m->settings.resolve[0].port, 443);
    EXPECT_EQ(m->settings.resolve[0].to_port, 9443);
    EXPECT_STR(m->settings.resolve[1].address, "::1");
    EXPECT_EQ(m->settings.resolve[1].port, 0);
    EXPECT_STR(model_find_cache(m, STR("west"))->connection.value, "localhost:6379,ssl=False");
    EXPECT_STR(model_find_cache(m, STR("east"))->name, "d");
    EXPECT_STR(model_find_named_value(m, STR("token"), NULL)->value.value, "localhost:6379,ssl=False");
    EXPECT_STR(api("shop")->settings.hosts[0], "shop.example");
    EXPECT_STR(api("shop")->service_url, "http://127.0.0.1:1");
    EXPECT_STR(m->settings.default_openid_config, "https://idp.example/x");
}

TEST(additions_to_what_is_not_there_are_named)
{
    begin();
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\"}}");
    put("backends/b/backendInformation.json", "{\"properties\": {\"url\": \"https://b.example\"}}");
    put("subscriptions/gold/subscriptionInformation.json", "{\"properties\": {\"scope\": \"/apis\", \"state\": \"active\"}}");
    put("users.yaml", "users: {ann: {}}\nowners: {gold: ann, golf: ann}\n");
    put("headgate.yaml", "artifacts: .\napis: {'*': {compress: true}, Shop: {}, shops: {hosts: [a.example]}}\n"
                         "backends: {b: {}, other: {url: 'https://o.example'}}\n");
    EXPECT(config_load(str_printf(&arena, "%s/headgate.yaml", folder).p, &arena, &options, &diags));
    EXPECT_LOAD();
    EXPECT_STR(problems(), "warning: `apis:` of headgate.yaml: no API `shops`, ignored; did you mean `shop`?\n"
                           "warning: `backends:` of headgate.yaml: no backend `other`, ignored\n"
                           "warning: `owners:` of users.yaml: no subscription `golf`, ignored; did you mean `gold`?\n");
}

TEST(an_address_of_headgate_yaml_needs_none_of_the_file)
{
    begin();
    put("named values/k/namedValueInformation.json", "{\"properties\": {\"displayName\": \"host\", \"secret\": true}}");
    put("apis/shop/apiInformation.json", "{\"properties\": {\"path\": \"shop\", \"serviceUrl\": \"https://{{host}}/\"}}");
    put("backends/b/backendInformation.json", "{\"properties\": {\"url\": \"https://{{host}}/\"}}");
    put("headgate.yaml", "artifacts: .\napis: {shop: {service-url: 'https://a.example'}}\nbackends: {b: {url: 'https://b.example'}}\n");
    EXPECT(config_load(str_printf(&arena, "%s/headgate.yaml", folder).p, &arena, &options, &diags));
    EXPECT_LOAD();
    EXPECT_STR(api("shop")->service_url, "https://a.example");
    EXPECT_STR(model_find_backend(m, STR("b"), NULL)->url, "https://b.example");
    EXPECT(!model_find_backend(m, STR("b"), NULL)->problem.p);
}

TEST(what_a_running_process_does_not_take_is_told)
{
    const char *path;

    begin();
    put("headgate.yaml", "artifacts: .\nlimits: {body: 1MiB}\ndrain: {limit: 10s}\njwt: {}\n");
    path = str_printf(&arena, "%s/headgate.yaml", folder).p;
    EXPECT(config_load(path, &arena, &options, &diags));
    EXPECT_LOAD();
    EXPECT_STR(problems(), "");
    model_unref(m);
    put("headgate.yaml", "artifacts: .   # as before\nworkers: 2\nlimits:\n  body: 2MiB\nresolve: {a: '127.0.0.1:1'}\n"
                         "deployment: {region: west}\njwt: {default-openid-config: 'https://i'}\n");
    EXPECT_LOAD();
    EXPECT_STR(problems(), "headgate.yaml:1:1: warning: `drain` is gone; that counts from the next start on\n"
                           "headgate.yaml:2:1: warning: `workers` has changed; that counts from the next start on\n"
                           "headgate.yaml:3:1: warning: `limits` has changed; that counts from the next start on\n"
                           "headgate.yaml:5:1: warning: `resolve` has changed; that counts from the next start on\n");
    EXPECT_STR(m->settings.deployment.region, "west");
}

TEST(certificates_are_found_by_id_and_by_thumbprint)
{
    struct identity id;
    const struct certificate *c;
    char spaced[80] = "";

    begin();
    identity_create_authority(&id, "partner");
    put("certificates/partner.pem", identity_pem(&id, true, &arena).p);
    identity_destroy(&id);
    put("headgate.yaml", "artifacts: .\ncertificates: [{id: partner, file: certificates/partner.pem}]\n");
    put("backends/b/backendInformation.json",
        "{\"properties\": {\"url\": \"https://b\", \"credentials\": {\"certificateIds\": [\"/certificates/partner\", "
        "\"/certificates/other\"]}}}");
    EXPECT(config_load(str_printf(&arena, "%s/headgate.yaml", folder).p, &arena, &options, &diags));
    EXPECT_LOAD();
    c = model_find_certificate(m, STR("Partner"));
    EXPECT_EQ(c->thumbprint.len, 40);
    for (size_t i = 0; i < 40; i++)
        sprintf(spaced + strlen(spaced), i % 2 ? "%c " : "%c", ascii_lower(c->thumbprint.p[i]));
    EXPECT(model_find_certificate(m, str_from_c(spaced)) == c);
    EXPECT(model_find_backend(m, STR("b"), NULL)->credentials.certificates[0] == c);
    EXPECT_STR(model_find_backend(m, STR("b"), NULL)->problem, "its client certificate `other` is not configured");
    put("certificates/partner.pem", "no certificate\n");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("is neither PEM nor PKCS#12 that its password opens");
}

TEST(two_apis_with_one_path_are_refused)
{
    begin();
    put("apis/a/apiInformation.json", "{\"properties\": {\"path\": \"same\"}}");
    put("apis/b/apiInformation.json", "{\"properties\": {\"path\": \"Same/\"}}");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/b/apiInformation.json:1:1: error: API `b` has the path 'Same' of API `a`; paths must differ");
}

TEST(a_missing_folder_is_an_error)
{
    begin();
    options.artifacts = STR("/nonexistent/apis");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("/nonexistent/apis: no such folder");
    begin();
    model_unref(m);
    m = NULL;
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#define API_AT(path) "{\"properties\": {\"path\": \"" path "\", \"subscriptionRequired\": false}}"

static const char *
full_path(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

TEST(a_link_that_leads_nowhere_is_no_missing_file)
{
    begin();
    put("apis/a/apiInformation.json", API_AT("a"));
    ASSERT(symlink("/nowhere/at/all", full_path("apis/a/policy.xml")) == 0);
    ASSERT(symlink("round", full_path("apis/round")) == 0);
    EXPECT(!load_with(0));
    EXPECT_EQ(diags.errors, 2);
    EXPECT_PROBLEM("apis/a/policy.xml: a link that leads nowhere");
    EXPECT_PROBLEM("apis/round: a link that leads nowhere");
    begin();
    ASSERT(symlink("nowhere", full_path("apis")) == 0);
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis: a link that leads nowhere");
}

TEST(a_pipe_holds_nobody_up)
{
    begin();
    put("apis/a/apiInformation.json", API_AT("a"));
    ASSERT(mkfifo(full_path("apis/a/policy.xml"), 0600) == 0);
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/a/policy.xml: not a file");
}

TEST(who_users_are_is_described_by_maps)
{
    begin();
    put("users.yaml", "groups: {a: 1}\nusers: {ada: 5, bob: , eve: {identities: [x]}}\nowners: {s: [bob]}\n");
    EXPECT(!load_with(0));
    EXPECT_EQ(diags.errors, 4);
    EXPECT_PROBLEM("users.yaml:1:13: error: expected a map of keys, found a number");
    EXPECT_PROBLEM("users.yaml:2:14: error: expected a map of keys, found a number");
    EXPECT_PROBLEM("expected a map of keys, found text");
}

TEST(names_in_two_cases_are_refused)
{
    begin();
    put("apis/a/apiInformation.json", API_AT("a"));
    put("apis/A/apiInformation.json", API_AT("b"));
    put("backends/B/backendInformation.json", "{\"properties\": {\"url\": \"http://b.example\"}}");
    put("backends/b/backendInformation.json", "{\"properties\": {\"url\": \"http://b.example\"}}");
    put("named values/x/namedValueInformation.json", "{\"properties\": {\"displayName\": \"n\", \"value\": \"1\"}}");
    put("named values/y/namedValueInformation.json", "{\"properties\": {\"displayName\": \"n\", \"value\": \"2\"}}");
    EXPECT(!load_with(0));
    EXPECT_PROBLEM("apis/a: names are the same in any case, and there is `A` already");
    EXPECT_PROBLEM("backends/b: names are the same in any case, and there is `B` already");
    EXPECT_PROBLEM("there is another named value with the display name `n`");
}
