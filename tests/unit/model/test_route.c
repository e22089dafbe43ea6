#include "model/route.c"
#include "base/buf.h"
#include "test.h"

/* A service written as lines: "api NAME PREFIX [version-set scheme name version] [rev=N] [https] [host=H]", then its
 * operations "METHOD TEMPLATE". */
static struct arena arena = ARENA(NULL, 64 << 20);
static struct diags diags;
static struct api apis[16];
static struct operation operations[16][16];
static struct version_set sets[16];
static struct model model = {.apis = apis};

static void
read_api_word(struct api *a, struct str word)
{
    struct version_set *set = &sets[model.n_apis - 1];
    ptrdiff_t equals = str_find_char(word, '=', 0);
    struct str value = str_skip(word, (size_t)equals + 1);

    if (str_starts_with(word, STR("rev="))) {
        a->revision = value;
        a->is_current = false;
    } else if (str_eq_lit(word, "https")) {
        a->protocols = PROTOCOL_HTTPS;
    } else if (str_starts_with(word, STR("host="))) {
        struct str *host = arena_new(&arena, struct str);
        *host = value;
        a->settings.hosts = host;
        a->settings.n_hosts = 1;
    } else if (str_starts_with(word, STR("header=")) || str_starts_with(word, STR("query="))) {
        *set = (struct version_set){.scheme = *word.p == 'h' ? VERSION_HEADER : VERSION_QUERY, .query_name = value,
                                    .header_name = value};
        a->version_set = set;
    } else if (str_starts_with(word, STR("version="))) {
        a->version = value;
    }
}

static void
read_line(struct str line)
{
    struct str rest = line, word, name;

    (void)str_split_next(&rest, ' ', &word);
    (void)str_split_next(&rest, ' ', &name);
    if (str_eq_lit(word, "api")) {
        struct api *a = &apis[model.n_apis];

        *a = (struct api){.name = name, .root_name = name, .revision = STR("1"), .is_current = true,
                          .operations = operations[model.n_apis]};
        model.n_apis++;
        (void)str_split_next(&rest, ' ', &a->prefix);
        while (str_split_next(&rest, ' ', &word))
            read_api_word(a, word);
        return;
    }
    struct api *a = &apis[model.n_apis - 1];
    struct operation *op = &operations[model.n_apis - 1][a->n_operations++];
    *op = (struct operation){.name = line, .method = str_eq_lit(word, "ANY") ? STR("") : word, .url_template = name,
                             .api = a};
}

static const struct route_table *
routes(const char *text)
{
    struct str rest = str_from_c(text), line;

    model.n_apis = 0;
    diags_init(&diags, &arena);
    while (str_split_next(&rest, '\n', &line))
        if (line.len)
            read_line(line);
    return route_table_new(&arena, &model, &diags);
}

static struct str
version_header(const void *ctx, struct str name)
{
    return str_eq_nocase(name, STR("api-version")) && ctx ? str_from_c(ctx) : STR_NONE;
}

/* "shop: GET /items/{id} id=7", or why not. `url` is "METHOD [host]/path[?query]". */
static struct str
find_with(const struct route_table *t, const char *url, const char *header, bool is_secure)
{
    struct str rest = str_from_c(url), target;
    struct route_request rq = {.is_secure = is_secure, .get_header = version_header, .headers = header};
    struct route_match m;
    struct buf out = buf_in(&arena);
    enum route_result result;

    (void)str_split_next(&rest, ' ', &rq.method);
    target = rest;
    rq.host = str_sub(target, 0, (size_t)str_find_char(target, '/', 0));
    target = str_skip(target, rq.host.len);
    rq.query = target;
    (void)str_split_next(&rq.query, '?', &rq.path);
    result = route_find(t, &rq, &m);
    if (result != ROUTE_FOUND)
        return result == ROUTE_NO_API ? STR("no api")
                                      : str_printf(&arena, "%.*s: no operation", STR_ARG(m.api->name));
    buf_printf(&out, "%.*s: %.*s", STR_ARG(m.api->name), STR_ARG(m.operation->name));
    for (uint32_t i = 0; i < m.n_parameters; i++)
        buf_printf(&out, " %.*s=%.*s", STR_ARG(m.parameters[i].name), STR_ARG(m.parameters[i].value));
    return buf_str(&out);
}

#define EXPECT_ROUTE(t, url, expected) EXPECT_STR(find_with(t, url, NULL, true), expected)

TEST(the_longest_api_prefix_wins)
{
    const struct route_table *t = routes("api root \nGET /x\n"
                                         "api shop shop\nGET /x\n"
                                         "api open shop/open\nGET /x");

    EXPECT_ROUTE(t, "GET /shop/open/x", "open: GET /x");
    EXPECT_ROUTE(t, "GET /shop/x", "shop: GET /x");
    EXPECT_ROUTE(t, "GET /x", "root: GET /x");
    EXPECT_ROUTE(t, "GET /shop/other", "shop: no operation");
    EXPECT_ROUTE(t, "GET /shopping/x", "root: no operation");
}

TEST(without_an_api_there_is_no_route)
{
    const struct route_table *t = routes("api shop shop\nGET /x");

    EXPECT_ROUTE(t, "GET /", "no api");
    EXPECT_ROUTE(t, "GET /sho", "no api");
    EXPECT_ROUTE(t, "GET /other/x", "no api");
}

TEST(a_template_gives_its_parameters_as_they_were_received)
{
    const struct route_table *t = routes("api shop shop\nGET /items/{id}\nGET /items/{id}/parts/{part}");

    EXPECT_ROUTE(t, "GET /shop/items/7", "shop: GET /items/{id} id=7");
    EXPECT_ROUTE(t, "GET /shop/items/a%20b/parts/9", "shop: GET /items/{id}/parts/{part} id=a%20b part=9");
    EXPECT_ROUTE(t, "GET /shop/items", "shop: no operation");
    EXPECT_ROUTE(t, "GET /shop/items/7/parts", "shop: no operation");
}

TEST(only_the_method_may_differ_and_that_is_no_match)
{
    const struct route_table *t = routes("api shop shop\nGET /items\nPOST /items/{id}\nGET /items/special");

    EXPECT_ROUTE(t, "DELETE /shop/items", "shop: no operation");
    EXPECT_ROUTE(t, "POST /shop/items/special", "shop: POST /items/{id} id=special");
    EXPECT_ROUTE(t, "GET /shop/items/special", "shop: GET /items/special");
    EXPECT_ROUTE(t, "get /shop/items", "shop: no operation");
}

TEST(literal_before_mixed_before_parameter_before_rest)
{
    const struct route_table *t = routes("api s s\nGET /{any}\nGET /*\nGET /{f}.json\nGET /a.json\nGET /{x}/deep");

    EXPECT_ROUTE(t, "GET /s/a.json", "s: GET /a.json");
    EXPECT_ROUTE(t, "GET /s/b.json", "s: GET /{f}.json f=b");
    EXPECT_ROUTE(t, "GET /s/b.xml", "s: GET /{any} any=b.xml");
    EXPECT_ROUTE(t, "GET /s/b.xml/deep", "s: GET /{x}/deep x=b.xml");
    EXPECT_ROUTE(t, "GET /s/b/c/d", "s: GET /*");
}

TEST(the_walk_comes_back_when_a_literal_leads_nowhere)
{
    const struct route_table *t = routes("api s s\nGET /a/b/c\nGET /{x}/b/{y}\nGET /{x}/{*rest}");

    EXPECT_ROUTE(t, "GET /s/a/b/c", "s: GET /a/b/c");
    EXPECT_ROUTE(t, "GET /s/a/b/d", "s: GET /{x}/b/{y} x=a y=d");
    EXPECT_ROUTE(t, "GET /s/a/z/d/e", "s: GET /{x}/{*rest} x=a rest=z/d/e");
}

TEST(case_and_a_trailing_slash_make_no_difference)
{
    const struct route_table *t = routes("api s Shop\nGET /Items/{Id}\nGET /");

    EXPECT_ROUTE(t, "GET /sHOP/iTEMS/AbC", "s: GET /Items/{Id} Id=AbC");
    EXPECT_ROUTE(t, "GET /shop/items/7/", "s: GET /Items/{Id} Id=7");
    EXPECT_ROUTE(t, "GET /shop", "s: GET /");
    EXPECT_ROUTE(t, "GET /shop/", "s: GET /");
}

TEST(the_rest_may_be_empty_behind_a_slash)
{
    const struct route_table *t = routes("api s s\nGET /files/*\napi all all\nANY /*");

    EXPECT_ROUTE(t, "GET /s/files/", "s: GET /files/*");
    EXPECT_ROUTE(t, "GET /s/files/a/b", "s: GET /files/*");
    EXPECT_ROUTE(t, "GET /s/files", "s: no operation");
    EXPECT_ROUTE(t, "PATCH /all", "all: ANY /*");
    EXPECT_ROUTE(t, "PATCH /all/a/b", "all: ANY /*");
}

TEST(optional_parameters_match_with_and_without)
{
    const struct route_table *t = routes("api s s\nGET /orders/{id?}\nGET /list/{page=1}");

    EXPECT_ROUTE(t, "GET /s/orders", "s: GET /orders/{id?}");
    EXPECT_ROUTE(t, "GET /s/orders/9", "s: GET /orders/{id?} id=9");
    EXPECT_ROUTE(t, "GET /s/list", "s: GET /list/{page=1} page=1");
    EXPECT_ROUTE(t, "GET /s/list/4", "s: GET /list/{page=1} page=4");
}

TEST(query_parameters_of_the_template_are_needed)
{
    const struct route_table *t = routes("api s s\nGET /x\nGET /x?a={b}\nGET /x?a={b}&k=1\nGET /y?q={q?}");

    EXPECT_ROUTE(t, "GET /s/x", "s: GET /x");
    EXPECT_ROUTE(t, "GET /s/x?z=1", "s: GET /x");
    EXPECT_ROUTE(t, "GET /s/x?A=5", "s: GET /x?a={b} b=5");
    EXPECT_ROUTE(t, "GET /s/x?k=1&a=%20", "s: GET /x?a={b}&k=1 b=%20");
    EXPECT_ROUTE(t, "GET /s/y", "s: GET /y?q={q?}");
    EXPECT_ROUTE(t, "GET /s/y?q=2", "s: GET /y?q={q?} q=2");
}

TEST(a_default_of_the_operation_fills_a_missing_parameter)
{
    static const struct parameter defaults[] = {{.name = STR_INIT("q"), .has_default = true,
                                                 .default_value = STR_INIT("all")}};

    routes("api s s\nGET /y?q={q?}");
    operations[0][0].parameters = defaults;
    operations[0][0].n_parameters = operations[0][0].n_template_parameters = 1;
    EXPECT_ROUTE(route_table_new(&arena, &model, &diags), "GET /s/y", "s: GET /y?q={q?} q=all");
}

TEST(versions_by_header_or_query_share_a_prefix)
{
    const struct route_table *t = routes("api h h header=api-version\nGET /x\n"
                                         "api h2 h header=api-version version=v2\nGET /x\n"
                                         "api q1 q query=v version=2020-01-01\nGET /x");

    EXPECT_STR(find_with(t, "GET /h/x", NULL, true), "h: GET /x");
    EXPECT_STR(find_with(t, "GET /h/x", "V2", true), "h2: GET /x");
    EXPECT_STR(find_with(t, "GET /h/x", "v9", true), "no api");
    EXPECT_ROUTE(t, "GET /q/x?v=2020-01-01", "q1: GET /x");
    EXPECT_ROUTE(t, "GET /q/x", "no api");
}

TEST(a_revision_is_asked_for_behind_the_path_of_the_api)
{
    const struct route_table *t = routes("api s shop/v1\nGET /x\n"
                                         "api s shop/v1 rev=2\nGET /new\n"
                                         "api root \nGET /x\n"
                                         "api root  rev=3\nGET /r3");

    EXPECT_ROUTE(t, "GET /shop/v1/x", "s: GET /x");
    EXPECT_ROUTE(t, "GET /shop/v1;rev=2/new", "s: GET /new");
    EXPECT_ROUTE(t, "GET /shop/v1;rev=2/x", "s: no operation");
    EXPECT_ROUTE(t, "GET /shop/v1;REV=1/x", "s: GET /x");
    EXPECT_ROUTE(t, "GET /shop/v1;rev=9/x", "no api");
    EXPECT_ROUTE(t, "GET /;rev=3/r3", "root: GET /r3");
    EXPECT_ROUTE(t, "GET /shop/v1/x;rev=2", "s: no operation");
}

TEST(an_api_for_https_only_is_not_there_in_plain)
{
    const struct route_table *t = routes("api s s https\nGET /x");

    EXPECT_STR(find_with(t, "GET /s/x", NULL, false), "no api");
    EXPECT_STR(find_with(t, "GET /s/x", NULL, true), "s: GET /x");
}

TEST(host_names_come_before_the_rest)
{
    const struct route_table *t = routes("api any s\nGET /x\n"
                                         "api a s host=a.example\nGET /x\n"
                                         "api w s host=*.b.example\nGET /x");

    EXPECT_ROUTE(t, "GET A.example/s/x", "a: GET /x");
    EXPECT_ROUTE(t, "GET x.b.example/s/x", "w: GET /x");
    EXPECT_ROUTE(t, "GET y.x.b.example/s/x", "w: GET /x");
    EXPECT_ROUTE(t, "GET b.example/s/x", "any: GET /x");
    EXPECT_ROUTE(t, "GET /s/x", "any: GET /x");
}

TEST(clashes_are_reported_and_the_first_wins)
{
    const struct route_table *t = routes("api s s\nGET /{a}\nGET /{b}");

    EXPECT_ROUTE(t, "GET /s/1", "s: GET /{a} a=1");
    EXPECT_EQ(diags.warnings, 1);
    routes("api s1 s\nGET /x\napi s2 s\nGET /x");
    EXPECT_EQ(diags.errors, 1);
}

TEST(hostile_paths_find_nothing_and_break_nothing)
{
    const struct route_table *t = routes("api s s\nGET /{a}/{b}\nGET /x-{c}");
    char *long_path = xcalloc(70000, 1);

    memset(long_path, 'a', 65000);
    memcpy(long_path, "GET /s/", 7);
    EXPECT_ROUTE(t, long_path, "s: no operation");
    memset(long_path + 6, '/', 65000);
    EXPECT_ROUTE(t, long_path, "s: no operation");
    EXPECT_ROUTE(t, "GET /s//b", "s: no operation");
    EXPECT_ROUTE(t, "GET /;;;rev=/s", "no api");
    free(long_path);
}

TEST(a_preflight_asks_for_the_method_it_announces)
{
    const struct route_table *t = routes("api s s\nPUT /x/{id}\nOPTIONS /own");
    struct route_request rq = {.method = STR("OPTIONS"), .path = STR("/s/x/1"), .is_secure = true};
    struct route_match m;

    EXPECT_EQ(route_find(t, &rq, &m), ROUTE_NO_OPERATION);
    EXPECT_EQ(route_find_method(t, &rq, STR("PUT"), &m), ROUTE_FOUND);
    EXPECT_STR(route_parameter_value(&m, STR("id")), "1");
    EXPECT_STR(m.api_path, "/s");
    EXPECT_STR(m.operation_path, "/x/1");
    rq.path = STR("/s/own");
    EXPECT_EQ(route_find(t, &rq, &m), ROUTE_FOUND);
}

TEST(escaped_delimiters_pass_no_literal_by)
{
    const struct route_table *t = routes("api s s@x\nGET /a;b\nGET /me('it')\nGET /c%2Cd\nGET /e[0]\nGET /{any}\n"
                                         "GET /o('{key}')\nGET /{a}::{b}\nGET /{n}.{x}/z");

    EXPECT_ROUTE(t, "GET /s%40X/a;b", "s: GET /a;b");
    EXPECT_ROUTE(t, "GET /s@x/A%3bB", "s: GET /a;b");
    EXPECT_ROUTE(t, "GET /s@x/me%28%27it')", "s: GET /me('it')");
    EXPECT_ROUTE(t, "GET /s@x/c,d", "s: GET /c%2Cd");
    EXPECT_ROUTE(t, "GET /s@x/c%2cd", "s: GET /c%2Cd");
    EXPECT_ROUTE(t, "GET /s@x/e%5B0%5D", "s: GET /e[0]");
    EXPECT_ROUTE(t, "GET /s@x/a%253Bb", "s: GET /{any} any=a%253Bb");       /* once */
    EXPECT_ROUTE(t, "GET /s@x/a%2Fb", "s: GET /{any} any=a%2Fb");
    EXPECT_ROUTE(t, "GET /s@x/o('7')", "s: GET /o('{key}') key=7");
    EXPECT_ROUTE(t, "GET /s@x/o(%27%C3%A4%27%29", "s: GET /o('{key}') key=%C3%A4");
    EXPECT_ROUTE(t, "GET /s@x/1%3A:2%3B3", "s: GET /{a}::{b} a=1 b=2%3B3");
    EXPECT_ROUTE(t, "GET /s@x/o(%27", "s: GET /{any} any=o(%27");
    EXPECT_ROUTE(t, "GET /s@x/%2", "s: GET /{any} any=%2");
    EXPECT_ROUTE(t, "GET /s@x/a.b%3Bc/z", "s: GET /{n}.{x}/z n=a x=b%3Bc");
}
