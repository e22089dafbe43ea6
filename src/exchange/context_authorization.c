/* context_authorization.c: Authorization, which get-authorization-context puts into a variable: an access token and its claims.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context_authorization.h"

#include "exchange/context_families.h"

struct authorization {
    struct object head;
    struct string *access_token;
    struct clr_table *claims;
};

struct object *
authorization_new(struct call *c, struct str access_token, struct clr_table *claims)
{
    struct authorization *a = object_new(c, type_find(c->run->env, STR("Authorization"), NULL, 0), struct authorization);

    if (!claims)
        claims = clr_dictionary_new(c, authorization_claims_type(c->run->env), NULL);
    if (!a || !claims || !(a->access_token = string_new(c, access_token)))
        return NULL;
    a->claims = claims;
    return &a->head;
}

const struct type *
authorization_claims_type(const struct expr_env *env)
{
    return type_find_lit(env, "System.Collections.Generic.Dictionary", core_types(env)->string, core_types(env)->object);
}

static bool access_token(struct call *c) { return return_ref(c, ((struct authorization *)c->args[0].ref)->access_token); }
static bool claims(struct call *c) { return return_ref(c, ((struct authorization *)c->args[0].ref)->claims); }

static const struct type_row types[] = {
    CLASS_ABSTRACT("Authorization", NULL, NULL, NULL),
};

static const struct member_row members[] = {
    M("Authorization", "string AccessToken { get; }", access_token),
    M("Authorization", "IReadOnlyDictionary<string, object> Claims { get; }", claims),
};

const struct library context_authorization = LIBRARY("Authorization", types, members);
