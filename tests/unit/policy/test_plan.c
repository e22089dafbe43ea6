#include "policy/plan.c"

#include "base/buf.h"
#include "cache/cache.h"
#include "rt/loop.h"
#include "test.h"

/* A plan of documents given as text, and one exchange that runs it, without a gateway around. */
struct run {
    struct arena arena;
    struct diags diags;
    struct policy_document *documents[LEVEL_COUNT];
    struct plan *plan;
    struct loop loop;
    struct services services;
    struct exchange_limits limits;
    struct exchange ex;
    struct http_headers headers;
    bool is_strict;
};

static void
run_begin(struct run *r)
{
    *r = (struct run){.arena = ARENA(NULL, 64 << 20)};
    diags_init(&r->diags, &r->arena);
    r->limits = (struct exchange_limits){.buffered_body_max = 1 << 20};
    r->services.loop = &r->loop;
}

static void
run_end(struct run *r)
{
    exchange_close(&r->ex);
    plan_delete(r->plan);
    for (int i = 0; i < LEVEL_COUNT; i++)
        policy_document_unref(r->documents[i]);
    arena_destroy(&r->arena);
}

/* Compiles; what was found is in r->diags. */
static bool
add_document(struct run *r, enum level level, const char *text)
{
    struct source *source = arena_new(&r->arena, struct source);
    static const struct policy_names none;

    *source = (struct source){STR("p.xml"), str_from_c(text)};
    r->documents[level] = policy_document_new(
        &(struct policy_input){.source = source, .level = level, .names = &none, .is_strict = r->is_strict}, &r->diags);
    return r->documents[level] != NULL;
}

static void
add_ok(struct run *r, enum level level, const char *text)
{
    struct buf out AUTO(buf_destroy) = BUF_INIT;

    if (add_document(r, level, text))
        return;
    diags_print(&r->diags, &out);
    TEST_FAIL("%.*s", STR_ARG(buf_str(&out)));
}

static void
go(struct run *r)
{
    r->plan = plan_new(r->documents);
    exchange_init(&r->ex, &r->arena, &r->services, &r->limits, NULL);
    r->headers = http_headers_in(&r->arena);
    r->ex.request.headers = &r->headers;
    r->ex.request.method = STR("GET");
    r->ex.plan = r->plan;
    plan_run(&r->ex);
}

static struct str
answer_header(struct run *r, const char *name)
{
    return http_headers_get_joined(r->ex.response->headers, str_from_c(name));
}

static struct str
answer_body(struct run *r)
{
    return r->ex.response->content.bytes;
}

/* Appends a letter to the answer's header X: the order of steps shows in it. */
#define MARK(letter) \
    "<set-header name='X' exists-action='append'><value>" letter "</value></set-header>"

TEST(base_stands_for_the_next_broader_document)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, "<policies><outbound>" MARK("g") "</outbound></policies>");
    add_ok(&r, LEVEL_API, "<policies><outbound>" MARK("a1") "<base/>" MARK("a2") "</outbound></policies>");
    add_ok(&r, LEVEL_OPERATION, "<policies><outbound>" MARK("o1") "<base/>" MARK("o2") "</outbound></policies>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "o1,a1,g,a2,o2");
    EXPECT_EQ(r.ex.response->status, 200);
    run_end(&r);
}

TEST(a_missing_section_inherits_and_an_empty_one_does_not)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, "<policies><inbound/><outbound>" MARK("g") "</outbound></policies>");
    add_ok(&r, LEVEL_PRODUCT, "<policies><inbound/></policies>");
    add_ok(&r, LEVEL_API, "<policies><outbound>" MARK("a") "<base/></outbound></policies>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "a,g");
    run_end(&r);

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, "<policies><outbound>" MARK("g") "</outbound></policies>");
    add_ok(&r, LEVEL_API, "<policies><outbound/></policies>");
    go(&r);
    EXPECT(!answer_header(&r, "X").p);
    run_end(&r);
}

TEST(base_may_stand_in_a_branch)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, "<policies><outbound>" MARK("g") "</outbound></policies>");
    add_ok(&r, LEVEL_API, "<policies><outbound><choose><when condition='false'/><when condition='true'>" MARK("w1")
                          "<base/>" MARK("w2") "</when></choose>" MARK("end") "</outbound></policies>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "w1,g,w2,end");
    run_end(&r);
}

TEST(the_first_true_branch_runs_alone)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><outbound><choose>"
           "<when condition='false'>" MARK("1") "</when>"
           "<when condition='true'><choose><when condition='true'>" MARK("2") "</when></choose></when>"
           "<when condition='true'>" MARK("3") "</when>"
           "<otherwise>" MARK("4") "</otherwise></choose>"
           "<choose><when condition='false'/><otherwise>" MARK("5") "</otherwise></choose>"
           "<choose><when condition='true'/></choose>" MARK("6") "</outbound></policies>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "2,5,6");
    run_end(&r);
}

TEST(return_response_ends_everything)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><inbound><choose><when condition='true'><return-response><set-status code='418' reason='Tea'/>"
           "<set-header name='A'><value>1</value><value>2</value></set-header>"
           "<set-body>{\"a\": 1}</set-body></return-response></when></choose>"
           "<set-status code='500'/></inbound><outbound>" MARK("no") "</outbound></policies>");
    go(&r);
    EXPECT_EQ(r.ex.response->status, 418);
    EXPECT_STR(r.ex.response->reason, "Tea");
    EXPECT_STR(answer_header(&r, "A"), "1,2");
    EXPECT_STR(answer_body(&r), "{\"a\": 1}");
    EXPECT(!answer_header(&r, "X").p);
    run_end(&r);
}

TEST(last_error_says_where)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><inbound><choose><when condition='true'/></choose>"
           "<choose><when condition='false'/><when condition='true'>"
           "<set-header id='mine' name='a'><value>x\ny</value></set-header></when></choose></inbound>"
           "<outbound>" MARK("no") "</outbound><on-error>" MARK("a") "</on-error></policies>");
    go(&r);
    EXPECT_STR(r.ex.error.source, "set-header");
    EXPECT_STR(r.ex.error.scope, "api");
    EXPECT_STR(r.ex.error.section, "inbound");
    EXPECT_STR(r.ex.error.path, "choose[2]\\when[2]\\set-header");
    EXPECT_STR(r.ex.error.policy_id, "mine");
    EXPECT_EQ(r.ex.response->status, 500);
    EXPECT_STR(answer_header(&r, "Content-Type"), "application/json");
    EXPECT_STR(answer_header(&r, "X"), "a");
    EXPECT_STR(answer_body(&r), "{ \"statusCode\": 500, \"message\": \"Internal server error\", "
                                "\"activityId\": \"00000000-0000-0000-0000-000000000000\" }");
    run_end(&r);
}

TEST(an_error_inside_on_error_gives_the_default_500)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><backend><forward-request/></backend><on-error><set-status code='299'/>"
           "<set-header name='a'><value>x\ny</value></set-header>" MARK("no") "</on-error></policies>");
    go(&r);
    EXPECT_EQ(r.ex.response->status, 500);
    EXPECT_STR(r.ex.error.section, "on-error");
    EXPECT(!answer_header(&r, "X").p);
    run_end(&r);
}

TEST(no_backend_is_an_error_of_forward_request)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, policy_default_global().p);
    go(&r);
    EXPECT_STR(r.ex.error.source, "forward-request");
    EXPECT_STR(r.ex.error.reason, "BackendConnectionFailure");
    EXPECT_STR(r.ex.error.message, "no backend is set");
    EXPECT_EQ(r.ex.response->status, 500);
    run_end(&r);
}

TEST(retry_repeats_its_range)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><outbound>" MARK("1")
           "<retry condition='true' count='2' interval='0'>" MARK("r") "<choose><when condition='true'>" MARK("c")
           "</when></choose></retry>" MARK("2") "</outbound></policies>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "1,r,c,r,c,r,c,2");
    run_end(&r);
}

TEST(an_error_in_retry_is_tried_again_and_then_stands)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><backend><retry condition='true' count='3' interval='0'>" "<set-method>POST</set-method>"
           "<forward-request/></retry></backend><on-error>" MARK("e") "</on-error></policies>");
    go(&r);
    EXPECT_STR(r.ex.error.path, "retry[1]\\forward-request");
    EXPECT_STR(answer_header(&r, "X"), "e");
    run_end(&r);
}

TEST(return_response_leaves_retry)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><inbound><retry condition='true' count='3' interval='0'><return-response>"
           "<set-status code='204'/></return-response></retry></inbound><outbound>" MARK("no") "</outbound></policies>");
    go(&r);
    EXPECT_EQ(r.ex.response->status, 204);
    EXPECT(!answer_header(&r, "X").p);
    run_end(&r);
}

/* Where a cache hit enters outbound: built by hand, as a hit needs no cache-lookup to have run. */
static void
go_after_hit(struct run *r)
{
    r->plan = plan_new(r->documents);
    exchange_init(&r->ex, &r->arena, &r->services, &r->limits, NULL);
    r->ex.plan = r->plan;
    exchange_response(&r->ex);
    run_after_hit(&r->ex);
}

TEST(a_cache_hit_goes_on_behind_the_first_cache_store)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_GLOBAL, "<policies><outbound>" MARK("g1") "<cache-store duration='1'/>" MARK("g2") "</outbound></policies>");
    add_ok(&r, LEVEL_API, "<policies><outbound>" MARK("a1") "<base/>" MARK("a2") "<cache-store duration='1'/>" MARK("a3")
                          "</outbound></policies>");
    go_after_hit(&r);
    EXPECT_STR(answer_header(&r, "X"), "g2,a2,a3");
    run_end(&r);
}

TEST(a_cache_store_in_a_branch_places_the_hit_behind_it)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API,
           "<policies><outbound>" MARK("1") "<choose><when condition='false'>" MARK("2") "<cache-store duration='1'/>" MARK("3")
           "</when><otherwise>" MARK("4") "</otherwise></choose>" MARK("5") "</outbound></policies>");
    go_after_hit(&r);
    EXPECT_STR(answer_header(&r, "X"), "3,5");
    run_end(&r);
}

TEST(a_hit_without_cache_store_runs_all_of_outbound)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API, "<policies><outbound>" MARK("1") "<base/></outbound></policies>");
    go_after_hit(&r);
    EXPECT_STR(answer_header(&r, "X"), "1");
    run_end(&r);
}

TEST(one_mistake_hides_no_other)
{
    struct run r;

    run_begin(&r);
    EXPECT(!add_document(&r, LEVEL_API, "<policies><inbound><set-header name='{{n}}'/><set-heder/><retry condition='maybe' count='99'>"
                                        "<set-status code='1'/></retry><choose><when condition='true'><set-method/></when><else/></choose>"
                                        "<set-variable name='a' value=b></set-variabel></inbound></policies>"));
    EXPECT_EQ(r.diags.errors, 9);
    run_end(&r);
    run_begin(&r);
    EXPECT(!add_document(&r, LEVEL_API, "<policies><inbound><set-header name='{{n}}'/></inbound></policies>"));
    EXPECT_EQ(r.diags.errors, 1);
    run_end(&r);
}

TEST(bad_documents_are_refused_with_a_hint)
{
    static const struct { const char *text, *message; } bad[] = {
        {"<policies><inbound><set-heder name='x'/></inbound></policies>",
         "p.xml:1:20: there is no policy 'set-heder'; did you mean 'set-header'?"},
        {"<policies><inbound><set-header/></inbound></policies>", "p.xml:1:20: <set-header> needs the attribute name"},
        {"<policies><inbound/><inbound/></policies>", "p.xml:1:21: <inbound> appears twice"},
        {"<policies><inbond/></policies>",
         "p.xml:1:11: expected <inbound>, <backend>, <outbound> or <on-error>, found <inbond>; did you mean <inbound>?"},
        {"<policies><inbound><set-status code='abc'/></inbound></policies>",
         "p.xml:1:38: code: expected a number, found 'abc'"},
        {"<policies><inbound><set-header name='a' exists-action='x'/></inbound></policies>",
         "p.xml:1:56: exists-action: expected one of override, skip, append, delete, found 'x'"},
        {"<policies><inbound><set-header name='a' exists-action='overide'/></inbound></policies>",
         "p.xml:1:56: exists-action: expected one of override, skip, append, delete, found 'overide'; did you mean 'override'?"},
        {"<Policies><inbound/></Policies>",
         "p.xml:1:1: expected <policies> or <fragment>, found <Policies>: names of elements have a case"},
        {"<policies><inbound><choose><when condition='context.Response.StatusCode == 200'/></choose></inbound></policies>",
         "p.xml:1:45: condition: expected true or false, found 'context.Response.StatusCode == 200'; an expression stands in @(...)"},
        {"<policies><inbound><choose><when condition='true'/><els/></choose></inbound></policies>",
         "p.xml:1:52: <choose> takes no <els>; it takes <when>, <otherwise>"},
        {"<policies><inbound><include-fragment fragment-id='f'/></inbound></policies>",
         "p.xml:1:51: there is no policy fragment 'f'"},
        {"<policies><inbound><set-header name='{{n}}'/></inbound></policies>", "p.xml:1:38: there is no named value 'n'"},
        {"<policies><inbound><set-variable name='x' value='@(1)'/></inbound></policies>",
         "p.xml:1:50: expressions are not available here"},
    };

    for (size_t i = 0; i < COUNTOF(bad); i++) {
        struct run r;

        run_begin(&r);
        EXPECT(!add_document(&r, LEVEL_API, bad[i].text));
        EXPECT_STR(diags_first_error(&r.diags, &r.arena), bad[i].message);
        run_end(&r);
    }
}

TEST(what_is_not_built_yet_is_named_and_answers_501)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API, "<policies><inbound>\n<llm-token-limit counter-key='x'/></inbound></policies>");
    EXPECT_STR(policy_document_unsupported(r.documents[LEVEL_API]), "llm-token-limit (p.xml:2)");
    EXPECT_EQ(r.diags.warnings, 1);
    go(&r);
    EXPECT_EQ(r.ex.response->status, 501);
    run_end(&r);
}

TEST(strict_refuses_what_azure_refuses)
{
    static const char *const texts[] = {
        "<policies><inbound><cache-store duration='1'/></inbound></policies>",
        "<policies><outbound><rewrite-uri template='/'/></outbound></policies>",
        "<policies><inbound><set-method nonsense='1'>GET</set-method></inbound></policies>",
        "<policies><outbound><cache-store duration='1'/><cache-store duration='1'/></outbound></policies>",
        "<policies><inbound><cache-lookup vary-by-developer='false' vary-by-developer-groups='false'>"
        "<vary-by-custom>x</vary-by-custom></cache-lookup></inbound></policies>",
    };

    for (size_t i = 0; i < COUNTOF(texts); i++) {
        struct run r;

        run_begin(&r);
        EXPECT(add_document(&r, LEVEL_API, texts[i]));
        run_end(&r);
        run_begin(&r);
        r.is_strict = true;
        EXPECT(!add_document(&r, LEVEL_API, texts[i]));
        run_end(&r);
    }
}

/* A file of that many bytes with a fragment in it. */
static struct str
large_fragment(struct arena *arena, size_t size)
{
    static const char begin[] = "<fragment><set-status code='201'/><!--", end[] = "--></fragment>";
    char *text = arena_alloc(arena, size, 1, 1);

    memset(text, 'x', size);
    memcpy(text, begin, sizeof(begin) - 1);
    memcpy(text + size - (sizeof(end) - 1), end, sizeof(end) - 1);
    return str_from(text, size);
}

TEST(strict_refuses_a_fragment_above_512_kib)
{
    static const struct policy_names lone = {.is_lone = true};

    for (int above = 0; above < 2; above++) {
        for (int strict = 0; strict < 2; strict++) {
            struct run r;
            struct source source = {STR("f.xml"), STR_NONE};
            struct policy_input input = {.source = &source, .level = LEVEL_API, .names = &lone, .is_strict = strict};

            run_begin(&r);
            source.text = large_fragment(&r.arena, (512 << 10) + (size_t)above);
            r.documents[LEVEL_API] = policy_document_new(&input, &r.diags);
            EXPECT_EQ(r.documents[LEVEL_API] != NULL, !(above && strict));
            EXPECT_EQ(r.diags.errors + r.diags.warnings, above);
            run_end(&r);
        }
    }
}

/* As the check of a folder sees named values that have no value there. */
static bool
stand_in(void *ctx, struct str name, struct str *ret)
{
    *ret = STR("{{open}}");
    return str_eq_lit(name, "open");
}

TEST(what_only_the_service_knows_is_no_mistake_when_checked)
{
    static const struct policy_names folder = {.named_value = stand_in, .has_stand_ins = true}, alone = {.is_lone = true};
    static const struct { const char *text; bool in_folder, alone; } cases[] = {
        {"<ip-filter action='allow'><address>{{open}}</address><address-range from='{{open}}' to='1.2.3.4'/></ip-filter>", true, true},
        {"<rate-limit calls='{{open}}' renewal-period='60'/>", true, true},
        {"<set-backend-service backend-id='{{open}}'/>", true, true},
        {"<set-backend-service base-url='https://{{open}}/x'/>", true, true},
        {"<validate-jwt header-name='A'><issuer-signing-keys><key>{{open}}</key></issuer-signing-keys></validate-jwt>", true, true},
        {"<ip-filter action='{{open}}'><address>1.2.3</address></ip-filter>", false, false},
        {"<ip-filter action='allow'><address>{{closed}}</address></ip-filter>", false, true},
        {"<ip-filter action='allow'><address>${here}</address></ip-filter>", false, true},
        {"<rate-limit calls='#{calls}#' renewal-period='60'/>", false, true},
        {"<rate-limit calls='#calls#' renewal-period='__PERIOD_S__'/>", false, true},
        {"<rate-limit calls='#a b#' renewal-period='60'/>", false, false},
        {"<rate-limit calls='#' renewal-period='60'/>", false, false},
        {"<rate-limit calls='____' renewal-period='60'/>", false, false},
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct source source = {STR("p.xml"), str_from_c(cases[i].text)};

        for (int k = 0; k < 2; k++) {
            struct run r;

            run_begin(&r);
            r.documents[LEVEL_API] = policy_document_new(
                &(struct policy_input){.source = &source, .level = LEVEL_API, .names = k ? &alone : &folder}, &r.diags);
            if ((r.documents[LEVEL_API] != NULL) != (k ? cases[i].alone : cases[i].in_folder))
                TEST_FAIL("%s, %s", cases[i].text, k ? "alone" : "in a folder");
            run_end(&r);
        }
    }
}

TEST(parts_of_a_document_are_wrapped)
{
    struct run r;

    run_begin(&r);
    add_ok(&r, LEVEL_API, "<set-status code='201'/><outbound>" MARK("o") "</outbound>");
    go(&r);
    EXPECT_STR(answer_header(&r, "X"), "o");
    EXPECT_EQ(r.ex.response->status, 201);
    run_end(&r);
}
