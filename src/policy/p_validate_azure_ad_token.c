/* p_validate_azure_ad_token.c: <validate-azure-ad-token tenant-id="..."> <client-application-ids/> <audiences/> ... </validate-azure-ad-token>
 * validate-jwt for tokens of one tenant (or of any): keys and issuers come from the tenant's discovery documents, of both versions of the
 * endpoint; the applications that may call stand in the document.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "backend/certificates.h"
#include "backend/url.h"
#include "model/model.h"
#include "policy/compile.h"
#include "policy/token_check.h"

#define AUTHORITY "https://login.microsoftonline.com"
#define CONSUMERS "9188040d-6c67-4c5b-b112-36a304b66dad"     /* the tenant of personal accounts */

struct azure_ad_token {
    struct token_conf super;
    struct pvalue tenant;
    struct str authority;
    struct children backends, clients;    /* struct token_list of struct token_text */
    bool is_fixed;                        /* tenant and keys are known at load */
    struct str urls[2];                   /* then: of the discovery documents */
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct azure_ad_token, tenant, "tenant-id", .required = true,
              .about = "Tenant: its id, a domain, its URL; or `organizations`, `common` for any."),
    VALUE_STR(struct token_conf, header, "header-name", .is_header_name = true,
              .about = "Header that holds the token: with the scheme Bearer if it is Authorization (the default), else the bare token."),
    TOKEN_ATTRS,
    ATTR_STR(struct azure_ad_token, authority, "authentication-endpoint", .fallback = AUTHORITY,
             .about = "Of national clouds; `https://` may be left out."),
    ATTR_END
};

#define TEXT_ROW(name_, about_) \
    {.name = (name_), .offset = offsetof(struct token_list, items), .size = sizeof(struct token_text), .attrs = token_text_attrs, \
     .about = (about_)}

static const struct child_def application_children[] = {TEXT_ROW("application-id", "An application's id."), CHILD_END};

static const struct attr_def key_attrs[] = {
    ATTR_STR(struct token_key, certificate, "certificate-id", .required = true, .about = "Name of a certificate."), ATTR_END
};
static const struct child_def key_children[] = {
    {.name = "key", .offset = offsetof(struct token_list, items), .size = sizeof(struct token_key), .attrs = key_attrs, .about = "A key."},
    CHILD_END
};

static const struct child_def children[] = {
    TOKEN_LIST(struct azure_ad_token, backends, "backend-application-ids", application_children,
               "Applications that the token may be for: `aud` is the id, or `api://` with it."),
    TOKEN_LIST(struct azure_ad_token, clients, "client-application-ids", application_children,
               "Applications that may call: `azp` or `appid` of the token."),
    TOKEN_LIST(struct token_conf, audiences, "audiences", token_audience_children, "Audiences, one of which the token must be for."),
    TOKEN_LIST(struct token_conf, claims, "required-claims", token_claim_children, "Claims that must be there."),
    TOKEN_LIST(struct token_conf, decryption_keys, "decryption-keys", key_children, "Keys that encrypted tokens are opened with."),
    CHILD_END
};

/* ---- the tenant ---- */

/* Of "contoso.onmicrosoft.com", "https://login.microsoftonline.com/contoso/v2.0": endpoint and tenant. */
static bool
split_tenant(struct arena *a, const struct azure_ad_token *t, struct str tenant, struct str *ret_authority, struct str *ret_tenant,
             struct err *err)
{
    struct str authority = str_trim(t->authority), rest;
    struct url url;

    tenant = str_trim(tenant);
    if (str_find(tenant, STR("://"), 0) >= 0) {
        if (!url_parse(a, tenant, &url, err))
            return false;
        authority = str_printf(a, "%.*s://%.*s", STR_ARG(url.scheme), STR_ARG(url.host));
        if (!url_has_default_port(&url))
            authority = str_printf(a, "%.*s:%u", STR_ARG(authority), url.port);
        rest = str_skip(url.path, 1);
        str_split_next(&rest, '/', &tenant);
    }
    if (str_find(authority, STR("://"), 0) < 0)
        authority = str_concat(a, STR("https://"), authority);
    while (str_ends_with(authority, STR("/")))
        authority.len--;
    if (!tenant.len || str_find_char(tenant, '/', 0) >= 0 || str_find_char(tenant, '?', 0) >= 0 || str_find_char(tenant, '#', 0) >= 0)
        return err_set(err, ERR_INVALID, "tenant-id: '%.*s' names no tenant", STR_ARG(tenant));
    *ret_authority = authority;
    *ret_tenant = tenant;
    return true;
}

static bool
make_urls(struct arena *a, const struct azure_ad_token *t, struct str tenant, struct str urls[2], struct err *err)
{
    struct str authority;

    if (!split_tenant(a, t, tenant, &authority, &tenant, err))
        return false;
    urls[0] = str_printf(a, "%.*s/%.*s/v2.0/.well-known/openid-configuration", STR_ARG(authority), STR_ARG(tenant));
    urls[1] = str_printf(a, "%.*s/%.*s/.well-known/openid-configuration", STR_ARG(authority), STR_ARG(tenant));
    return urls[0].p && urls[1].p;
}

/* ---- at load ---- */

static void
set_truth(struct pvalue *v)
{
    *v = (struct pvalue){.text = STR("true"), .literal.truth = true};
}

static bool
check_keys(struct compiler *c, const struct node *n, const struct azure_ad_token *t)
{
    const struct policy_names *names = c->in->names;

    CHILDREN(token_items(&t->super.decryption_keys), struct token_key, k)
        if (names && !(names->certificate && names->certificate(names->ctx, k->certificate)) &&
            !compile_unknown_name(c, n, "certificate", k->certificate))
            return false;
    return true;
}

static bool
mark_applications(struct azure_ad_token *t, const struct children *list)
{
    bool is_literal = true;

    t->super.mark = token_mark(t->super.mark, STR("applications"));
    CHILDREN(list, struct token_text, id) {
        t->super.mark = token_mark(t->super.mark, id->text.text);
        is_literal &= !id->text.program;
    }
    return is_literal;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct azure_ad_token *t = conf;
    struct err err = ERR_INIT;

    if (!pvalue_is_set(&t->super.header) && !pvalue_is_set(&t->super.query) && !pvalue_is_set(&t->super.value))
        t->super.header.text = STR("Authorization");
    t->super.scheme.text = STR("Bearer");
    t->super.skew.text = STR("0");
    set_truth(&t->super.requires_expiry);
    set_truth(&t->super.requires_signature);
    if (!token_conf_compile(c, n, &t->super) || !check_keys(c, n, t))
        return false;
    t->super.has_literal_rules &= mark_applications(t, token_items(&t->backends));
    t->super.has_literal_rules &= mark_applications(t, token_items(&t->clients));
    if (!t->clients.n && !t->super.audiences.n && !t->backends.n)
        compile_warning(c, n, "neither client-application-ids, backend-application-ids nor audiences: every token of the tenant passes, "
                              "whoever it is for");
    if (t->tenant.program || compile_is_placeholder(c, t->tenant.text))
        return true;
    if (!make_urls(c->arena, t, t->tenant.text, t->urls, &err))
        return compile_error(c, n, "%s", err.text);
    for (size_t i = 0; i < COUNTOF(t->urls); i++)
        t->super.mark = token_mark(t->super.mark, t->urls[i]);
    t->is_fixed = !token_items(&t->super.decryption_keys)->n;
    return true;
}

/* ---- a request ---- */

/* *ret_ok false after an expression failed. */
static bool
has_application(struct exchange *ex, const struct children *list, struct str id, bool *ret_ok)
{
    struct str one;

    CHILDREN(list, struct token_text, t) {
        if (!(*ret_ok = pvalue_str(ex, &t->text, &one)))
            return false;
        if (one.len && str_eq_nocase(str_trim(one), id))
            return true;
    }
    return false;
}

static bool
check_client(const struct azure_ad_token *t, struct exchange *ex, const struct jwt *token)
{
    const struct json *azp = json_get_lit(token->claims, "azp"), *appid = json_get_lit(token->claims, "appid");
    struct str id = json_str(azp ? azp : appid, STR_NONE), name = azp ? STR("azp") : STR("appid");
    bool ok = true;

    if (!t->clients.n || (id.p && has_application(ex, token_items(&t->clients), id, &ok)))
        return true;
    if (ok && id.p)
        token_refuse_claim(&t->super, ex, name, id);
    else if (ok)
        token_refuse(&t->super, ex, E_TOKEN_CLAIM_NOT_FOUND, "appid");
    return false;
}

static bool
is_for_backend(struct exchange *ex, const struct children *list, const struct json *aud, bool *ret_ok)
{
    struct str id = json_str(aud, STR_NONE);

    if (str_starts_with_nocase(id, STR("api://")))
        return has_application(ex, list, str_skip(id, 6), ret_ok) || (*ret_ok && has_application(ex, list, id, ret_ok));
    return id.p && has_application(ex, list, id, ret_ok);
}

static bool
check_backend(const struct azure_ad_token *t, struct exchange *ex, const struct jwt *token)
{
    const struct children *list = token_items(&t->backends);
    const struct json *aud = json_get_lit(token->claims, "aud");
    bool ok = true, found = false;

    if (!t->backends.n)
        return true;
    if (json_is(aud, JSON_STRING))
        found = is_for_backend(ex, list, aud, &ok);
    for (size_t i = 0; json_is(aud, JSON_ARRAY) && i < json_count(aud) && ok && !found; i++)
        found = is_for_backend(ex, list, json_item(aud, i), &ok);
    if (ok && !found)
        token_refuse(&t->super, ex, E_TOKEN_AUDIENCE_NOT_ALLOWED, "IDX10214: Audience validation failed, the token is for no backend application");
    return ok && found;
}

/* `organizations` is every tenant but that of personal accounts. */
static bool
check_tenant(const struct azure_ad_token *t, struct exchange *ex, const struct jwt *token)
{
    struct str tid = json_str(json_get_lit(token->claims, "tid"), STR_NONE), tenant;

    if (!pvalue_str(ex, &t->tenant, &tenant))
        return false;
    if (!str_ends_with(str_trim(tenant), STR("organizations")) || !str_eq_nocase(tid, STR(CONSUMERS)))
        return true;
    token_refuse(&t->super, ex, E_TOKEN_ISSUER_NOT_ALLOWED, "IDX40001: Issuer validation failed, the token is of a personal account");
    return false;
}

static bool
check_applications(const void *conf, struct exchange *ex, const struct jwt *token)
{
    const struct azure_ad_token *t = conf;

    return check_tenant(t, ex, token) && check_client(t, ex, token) && check_backend(t, ex, token);
}

static void
destroy_key(void *key)
{
    jwt_key_destroy(key);
}

/* Private keys of certificates, for this request. */
static bool
gather_keys(const struct azure_ad_token *t, struct exchange *ex, struct token_wanted *w)
{
    const struct children *list = token_items(&t->super.decryption_keys);
    struct jwt_key *all = arena_new_array(ex->arena, struct jwt_key, list->n + 1);
    uint64_t generation = ex->model ? ex->model->generation : 0;
    struct err err;

    CHILDREN(list, struct token_key, k) {
        const struct loaded_certificate *c = all && ex->backends ? certificates_find(ex->backends->certificates, k->certificate) : NULL;

        if (!c) {
            exchange_fail(ex, "there is no certificate '%.*s'", STR_ARG(k->certificate));
            return false;
        }
        if (!c->own.key || !jwt_key_from_pkey(c->own.key, STR_NONE, &all[w->n_decryption], &err))
            continue;
        if (!arena_defer(ex->arena, destroy_key, &all[w->n_decryption])) {
            jwt_key_destroy(&all[w->n_decryption]);
            exchange_fail(ex, "no memory left for keys");
            return false;
        }
        w->n_decryption++;
    }
    w->decryption = all;
    w->mark = token_mark(w->mark, str_from((const char *)&generation, sizeof(generation)));
    return true;
}

static bool
gather(const struct azure_ad_token *t, struct exchange *ex, struct token_wanted *w)
{
    struct err err = ERR_INIT;
    struct str tenant;

    if (!pvalue_str(ex, &t->tenant, &tenant))
        return false;
    if (!make_urls(ex->arena, t, tenant, w->urls, &err)) {
        exchange_fail(ex, "%s", err.text);
        return false;
    }
    w->mark = token_mark(token_mark(w->mark, w->urls[0]), w->urls[1]);
    return gather_keys(t, ex, w);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct azure_ad_token *t = conf;
    struct token_wanted w = {.mark = t->super.mark, .rule = check_applications, .n_urls = COUNTOF(t->urls)};

    if (!t->is_fixed)
        return gather(t, ex, &w) ? token_check_run(&t->super, ex, &w) : FLOW_ERROR;
    w.urls[0] = t->urls[0];
    w.urls[1] = t->urls[1];
    return token_check_run(&t->super, ex, &w);
}

const struct policy_def policy_validate_azure_ad_token = {
    .name = "validate-azure-ad-token", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct azure_ad_token), .compile = compile, .run = run,
    .summary = "Lets only requests through that carry a token of a Microsoft Entra tenant.",
    .usage = "Keys and issuers are those that the tenant publishes, for both versions of its endpoint; what is said of issuers under "
             "validate-jwt holds here.\nTokens must be signed and must not have expired.",
};
