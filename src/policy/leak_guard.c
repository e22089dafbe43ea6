/* leak_guard.c: which expressions read an identity, and what to say about keys that hold none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/leak_guard.h"

#include "cache/advice.h"
#include "http/headers.h"
#include "http/message.h"
#include "model/api.h"
#include "observe/metrics.h"
#include "policy/compile.h"
#include "policy/response_cache.h"
#include "rt/loop.h"

static const struct source_word {
    const char *word;                 /* in the text of an expression, in any case, as names of fields have none */
    uint8_t source;
} source_words[] = {
    {"context.User", CALLER_USER},
    {"context.Subscription", CALLER_SUBSCRIPTION},
    {"context.Request.Certificate", CALLER_CERTIFICATE},
    {"\"Authorization\"", CALLER_TOKEN},
    {"Headers.Authorization", CALLER_TOKEN},          /* of a template */
    {"AsJwt(", CALLER_TOKEN},
    {"AsBasic(", CALLER_TOKEN},
    {"TryParseJwt(", CALLER_TOKEN},
    {"TryParseBasic(", CALLER_TOKEN},
    {"(Jwt)", CALLER_TOKEN},
    {"<Jwt>", CALLER_TOKEN},
    {" as Jwt", CALLER_TOKEN},
    {"\"Cookie\"", CALLER_COOKIE},
    {"Headers.Cookie", CALLER_COOKIE},
    {"\"Ocp-Apim-Subscription-Key\"", CALLER_SUBSCRIPTION},
    {"\"subscription-key\"", CALLER_SUBSCRIPTION},
};

static const struct source_name {
    uint8_t source;
    const char *name;
} source_names[] = {
    {CALLER_USER, "context.User"}, {CALLER_SUBSCRIPTION, "context.Subscription"},
    {CALLER_CERTIFICATE, "the client's certificate"}, {CALLER_TOKEN, "the caller's token"},
    {CALLER_COOKIE, "the caller's cookies"},
};

/* What they read decides whether a request goes on, or is only written down: the answer stays the same. */
static const char *const harmless[] = {
    "cache-lookup", "cache-remove-value", "cache-store-value", "check-header", "cors", "emit-metric", "ip-filter", "limit-concurrency",
    "log-to-eventhub", "quota", "quota-by-key", "rate-limit", "rate-limit-by-key", "trace", "validate-azure-ad-token",
    "validate-client-certificate", "validate-jwt",
};

static bool
holds(struct str text, struct str word)
{
    for (; text.len >= word.len; text = str_skip(text, 1))
        if (str_starts_with_nocase(text, word))
            return true;
    return false;
}

uint8_t
caller_sources(struct str expression)
{
    uint8_t found = 0;

    for (size_t i = 0; i < COUNTOF(source_words); i++)
        if (holds(expression, str_from_c(source_words[i].word)))
            found |= source_words[i].source;
    return found;
}

static const char *
name_of(uint8_t sources)
{
    for (size_t i = 0; i < COUNTOF(source_names); i++)
        if (sources & source_names[i].source)
            return source_names[i].name;
    return "an identity";
}

/* --- a document ---------------------------------------------------------------------------------------------------- */

void
leak_guard_expression(struct compiler *c, struct str expression)
{
    struct step *s = c->at < c->steps.n ? &c->steps.v[c->at] : NULL;
    uint8_t reads = caller_sources(expression);

    if (!s || !reads)
        return;
    for (size_t i = 0; i < COUNTOF(harmless); i++)
        if (strcmp(s->def->name, harmless[i]) == 0)
            return;
    s->identity |= reads;
    if (!c->leak.reads)
        c->leak.line = s->origin.line;
    c->leak.reads |= reads;
}

void
leak_guard_policy(struct compiler *c, struct str name)
{
    c->leak.has_base |= str_eq_lit(name, "base");
    c->leak.has_validated |= str_eq_lit(name, "validate-jwt") || str_eq_lit(name, "validate-azure-ad-token") ||
                             str_eq_lit(name, "validate-client-certificate");
}

void
leak_guard_lookup(struct compiler *c, const struct node *n, bool is_key_personal, uint8_t key_reads, bool takes_authorization)
{
    struct leak_facts *f = &c->leak;

    f->lookup = n;
    f->is_key_personal = is_key_personal || key_reads;
    f->takes_authorization = takes_authorization;
    if ((key_reads & CALLER_TOKEN) && !f->has_validated && !f->has_base)
        compile_warning(c, n, "a part of the key comes from a token that no policy before it validates: who makes up a token gets the "
                        "answers of its owner. Put validate-jwt before it");
}

void
leak_guard_store(struct compiler *c)
{
    struct leak_facts *f = &c->leak;

    if (!f->lookup || f->is_key_personal || f->is_told)
        return;
    f->is_told = true;
    if (f->reads)
        compile_warning(c, f->lookup, "what is stored depends on %s (line %" PRIu32 "), and the key holds no identity: one caller's "
                        "answer can go to another. Add vary-by-developer, vary-by-header or vary-by-custom", name_of(f->reads), f->line);
    else if (f->takes_authorization)
        compile_warning(c, f->lookup, "answers to requests with Authorization are stored under a key that holds no identity: one "
                        "caller's answer can go to another, unless the backend answers all alike");
    else
        f->is_told = false;
}

/* --- an answer ----------------------------------------------------------------------------------------------------- */

static bool
says(const struct reply *r, struct str word)
{
    return http_list_has(http_headers_get_joined(r->headers, STR("Cache-Control")), word);
}

/* The caller's own field is still what goes to the backend, and the backend does not keep its answers apart by it. */
static bool
is_passed_on(const struct exchange *ex, const struct cache_intent *intent, struct str name)
{
    struct str own = intent->request_headers ? http_headers_get_joined(intent->request_headers, name) : STR_NONE;

    return own.p && str_eq(own, http_headers_get_joined(ex->request.headers, name)) &&
           !http_list_has(http_headers_get_joined(ex->response->headers, STR("Vary")), name);
}

struct finding {
    const char *reason, *text;
};

/* What is wrong; reason NULL: nothing. */
static struct finding
find(const struct exchange *ex, const struct cache_intent *intent)
{
    const struct reply *r = ex->response;

    if (intent->is_key_unproven)
        return (struct finding){"token-not-validated", "a part of the key comes from a token that no earlier policy has validated"};
    if (intent->is_key_personal || says(r, STR("public")))
        return (struct finding){0};
    if (says(r, STR("private")))
        return (struct finding){"private", "the backend calls the answer private, and the key holds no identity"};
    if (ex->identity)
        return (struct finding){"identity-read", "the answer depends on who asks, and the key holds no identity: a policy read "};
    if (is_passed_on(ex, intent, STR("Authorization")))
        return (struct finding){"authorization", "the caller's Authorization went to the backend, and the key does not hold it"};
    if (is_passed_on(ex, intent, STR("Cookie")))
        return (struct finding){"cookie", "the caller's Cookie went to the backend, and the key does not hold it"};
    return (struct finding){0};
}

void
leak_guard_check(struct exchange *ex, const struct cache_intent *intent)
{
    struct cache_advice *advice = ex->services->advice;
    struct finding found = find(ex, intent);
    struct str api = ex->api ? ex->api->name : STR("");
    struct str text;

    if (!found.reason)
        return;
    if (ex->services->figures)
        metric_add(ex->services->figures, METRIC_CACHE_LEAK_WARNINGS, 1);
    if (!advice)
        return;
    text = str_printf(ex->arena, "leak guard: API %.*s%s%.*s stores an answer that may reach the wrong people: %s%s. "
                      "See vary-by-developer, vary-by-header, vary-by-custom of cache-lookup", STR_ARG(api),
                      ex->operation ? ", operation " : "", STR_ARG(ex->operation ? ex->operation->name : STR("")), found.text,
                      strcmp(found.reason, "identity-read") == 0 ? name_of(ex->identity) : "");
    cache_advice_warn(advice, api, str_from_c(found.reason), text, loop_now_ms(ex->services->loop));
}
