/* p_get_authorization_context.c: <get-authorization-context provider-id="p" authorization-id="a" context-variable-name="auth"
 *                                identity-type="managed" ignore-error="false" />
 * The token of a connection of a credential provider, as an Authorization object in a variable. Providers are configured
 * (authorization-providers in headgate.yaml).
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "data/jwt.h"
#include "exchange/access_token.h"
#include "exchange/context_authorization.h"
#include "expr/program.h"
#include "model/identity_conf.h"
#include "model/model.h"
#include "policy/compile.h"
#include "policy/token_check.h"

#define MANAGER_AUDIENCE "https://azure-api.net/authorization-manager"

enum identity_type { IDENTITY_TYPE_MANAGED, IDENTITY_TYPE_JWT };

struct authorization_context {
    struct pvalue provider, authorization, variable, type, identity, ignore_error;
};

static const struct choice types[] = {{"managed", IDENTITY_TYPE_MANAGED}, {"jwt", IDENTITY_TYPE_JWT}, {NULL}};

static const struct attr_def attrs[] = {
    VALUE_STR(struct authorization_context, provider, "provider-id", .required = true, .about = "Name of a credential provider."),
    VALUE_STR(struct authorization_context, authorization, "authorization-id", .required = true, .about = "Name of one of its connections."),
    VALUE_STR(struct authorization_context, variable, "context-variable-name", .required = true, .about = "Variable for the Authorization object."),
    VALUE_CHOICE(struct authorization_context, type, "identity-type", types, .fallback = "managed",
                 .about = "Who asks: the gateway itself (`managed`), or whom a token names (`jwt`)."),
    VALUE_STR(struct authorization_context, identity, "identity",
              .about = "With `jwt`: a token of the default issuer for " MANAGER_AUDIENCE ", with `oid` and `tid`."),
    VALUE_BOOL(struct authorization_context, ignore_error, "ignore-error", .fallback = "false",
               .about = "On failure the variable is null and the request goes on; else the answer is 500."),
    ATTR_END
};

/* ---- who asks ---- */

#define LITERAL(text_) {.text = STR_INIT(text_)}

static const struct token_text audience = {LITERAL(MANAGER_AUDIENCE)};
static const struct token_list audiences = {{1, (void *)&audience}};
static const struct token_claim who[] = {{.name = LITERAL("oid")}, {.name = LITERAL("tid")}};
static const struct token_list required = {{COUNTOF(who), (void *)who}};

/* The identity must be a token that the default issuer signed. On success *ret_oid. False with ex->error set. Yields. */
static bool
check_identity(struct exchange *ex, const struct authorization_context *a, struct str *ret_oid)
{
    const struct token_conf conf = {
        .value = a->identity, .requires_expiry.literal.truth = true, .requires_signature.literal.truth = true, .skew = LITERAL("0"),
        .status.literal.number = 500, .audiences = {1, (void *)&audiences}, .claims = {1, (void *)&required}, .has_literal_rules = false,
        .mark = token_mark((struct hash128){0}, STR("get-authorization-context")),
    };
    struct token_wanted w = {.mark = conf.mark};
    struct str text;
    struct jwt t;

    if (!ex->model || !ex->model->settings.default_openid_config.len) {
        exchange_fail(ex, "identity-type jwt needs jwt.default-openid-config");
        return false;
    }
    w.urls[w.n_urls++] = ex->model->settings.default_openid_config;
    w.mark = token_mark(w.mark, w.urls[0]);
    if (token_check_run(&conf, ex, &w) != FLOW_NEXT || !pvalue_str(ex, &a->identity, &text))
        return false;
    if (jwt_parse(ex->arena, str_trim(text), JWT_STRICT, &t, NULL))
        *ret_oid = json_str(json_get_lit(t.claims, "oid"), STR_NONE);
    return true;
}

static bool
is_admitted(const struct authorization_conf *a, struct str oid)
{
    for (uint32_t i = 0; i < a->n_object_ids; i++)
        if (str_eq_nocase(a->object_ids[i], oid))
            return true;
    return a->n_object_ids == 0;
}

/* ---- the policy ---- */

/* A claim as .NET shows it: a text, or string[]. NULL after a budget. */
static void *
claim_value(struct call *c, const struct json *j)
{
    struct array *a;

    if (!json_is(j, JSON_ARRAY))
        return string_view(c, jwt_claim_text(c->run->arena, j));
    a = array_new(c, core_types(c->run->env)->string_array, j->n);
    for (uint32_t i = 0; a && i < j->n; i++) {
        struct string *s = string_view(c, jwt_claim_text(c->run->arena, &j->items[i]));
        if (!s)
            return NULL;
        a->u.v[i] = value_ref(s);
    }
    return a;
}

/* The claims of a token that is a JWT; none of an opaque one. NULL after a budget. */
static struct clr_table *
claims_of(struct call *c, struct str token)
{
    struct clr_table *d = clr_dictionary_new(c, authorization_claims_type(c->run->env), NULL);
    struct jwt t;

    if (!d || !call_charge(c, token.len / 16 + 10))
        return NULL;
    if (!jwt_parse(c->run->arena, token, JWT_TOLERANT, &t, NULL))
        return d;
    for (uint32_t i = 0; i < t.claims->n; i++) {
        struct string *name = string_view(c, t.claims->members[i].name);
        void *v = claim_value(c, &t.claims->members[i].value);

        if (!name || !v || !clr_dictionary_set(c, d, value_ref(name), value_ref(v)))
            return NULL;
    }
    return d;
}

static bool
set_result(struct exchange *ex, struct str variable, struct str token)
{
    struct expr_run *run = token.p ? exchange_expr_run(ex) : NULL;
    struct object *o = NULL;

    if (run) {
        struct call call = expr_host_call(run);
        struct clr_table *claims = claims_of(&call, token);
        o = claims ? authorization_new(&call, token, claims) : NULL;
    }
    if ((!token.p || o) && exchange_set_variable(ex, variable, o))
        return true;
    exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(variable));
    return false;
}

/* The token; false with ex->error set. */
static bool
get(const struct authorization_context *a, struct exchange *ex, struct str *ret)
{
    struct str provider, authorization, oid = STR_NONE;
    const struct authorization_conf *connection;
    const struct provider_conf *p;
    struct err err = ERR_INIT;
    int type;

    if (!pvalue_str(ex, &a->provider, &provider) || !pvalue_str(ex, &a->authorization, &authorization) ||
        !pvalue_enum(ex, &a->type, types, &type))
        return false;
    p = ex->model ? model_find_provider(ex->model, str_trim(provider)) : NULL;
    connection = p ? provider_find_authorization(p, str_trim(authorization)) : NULL;
    if (!connection) {
        exchange_fail(ex, "there is no %s '%.*s'", p ? "authorization" : "authorization provider",
                      STR_ARG(p ? authorization : provider));
        return false;
    }
    if (type == IDENTITY_TYPE_JWT && !check_identity(ex, a, &oid))
        return false;
    if (type == IDENTITY_TYPE_JWT && !is_admitted(connection, oid)) {
        exchange_fail(ex, "the identity may not use authorization '%.*s'", STR_ARG(authorization));
        return false;
    }
    if (authorization_token(ex, p, connection, ret, &err))
        return true;
    if (err.code == ERR_CANCELLED)
        exchange_fail_io(ex, &err);
    else
        exchange_fail(ex, "no token of authorization provider '%.*s': %s", STR_ARG(provider), err.text);
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct authorization_context *a = conf;
    struct last_error before = ex->error;
    struct str variable, token;
    bool ignores;

    if (!pvalue_str(ex, &a->variable, &variable) || !pvalue_bool(ex, &a->ignore_error, &ignores))
        return FLOW_ERROR;
    if (get(a, ex, &token))
        return set_result(ex, variable, token) ? FLOW_NEXT : FLOW_ERROR;
    if (!ignores || ex->error.id == E_CLIENT_CONNECTION_FAILURE)
        return FLOW_ERROR;
    exchange_trace(ex, TRACE_ERROR, STR("get-authorization-context"), ex->error.message);
    ex->error = before;
    return set_result(ex, variable, STR_NONE) ? FLOW_NEXT : FLOW_ERROR;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct authorization_context *a = conf;

    if (!a->type.program && a->type.literal.choice == IDENTITY_TYPE_JWT && !pvalue_is_set(&a->identity))
        return compile_error(c, n, "identity-type jwt needs identity");
    return true;
}

const struct policy_def policy_get_authorization_context = {
    .name = "get-authorization-context", .sections = IN_INBOUND | IN_BACKEND | IN_OUTBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct authorization_context), .compile = compile, .run = run,
    .summary = "Puts the token of a credential provider's connection into a variable.",
    .usage = "The variable is an Authorization: AccessToken, and the token's Claims when it is a JWT.\nProviders with client credentials are "
             "configured in headgate.yaml.\nTokens are kept and fetched ahead as those of managed identities.",
};
