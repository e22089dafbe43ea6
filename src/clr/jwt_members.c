/* jwt_members.c: Jwt, BasicAuthCredentials, and the extensions that make them from a header's text.
 *
 * Claims are IReadOnlyDictionary<string, string[]>: arrays become several values, objects their JSON text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "base/utf8.h"
#include "clr/collections.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/jwt_object.h"

struct jwt_object {
    struct object head;
    struct jwt token;
    struct object *claims;            /* made at first need */
};

struct basic {
    struct object head;
    struct string *user, *password;
};

static struct jwt_object *
self_of(const struct call *c)
{
    return (struct jwt_object *)c->args[0].ref;
}

struct object *
jwt_object_new(struct call *c, const struct jwt *token)
{
    struct jwt_object *o =
        object_new(c, type_find(c->run->env, STR("Microsoft.Azure.ApiManagement.Jwt"), NULL, 0), struct jwt_object);

    if (o)
        o->token = *token;
    return (struct object *)o;
}

bool
jwt_object_parse(struct call *c, struct str text, struct object **ret)
{
    struct jwt token;

    *ret = NULL;
    text = str_trim(text);
    if (str_starts_with_nocase(text, STR("Bearer ")))
        text = str_trim(str_skip(text, strlen("Bearer ")));
    if (!call_charge(c, text.len / 16 + 10))
        return false;
    if (!jwt_parse(c->run->arena, text, JWT_TOLERANT, &token, NULL))
        return true;
    *ret = jwt_object_new(c, &token);
    return *ret != NULL;
}

const struct json *
jwt_object_claims(const struct object *o)
{
    return ((const struct jwt_object *)o)->token.claims;
}

const struct json *
jwt_object_header(const struct object *o)
{
    return ((const struct jwt_object *)o)->token.header;
}

bool
jwt_object_write(const struct object *o, struct buf *to)
{
    const struct jwt *token = &((const struct jwt_object *)o)->token;

    return buf_add_str(to, token->signed_part) && buf_add_char(to, '.') && codec_base64url_encode(to, token->signature);
}

/* ---- claims ---- */

/* The values of one claim as string[]. */
static struct array *
claim_values(struct call *c, const struct json *j)
{
    bool many = json_is(j, JSON_ARRAY);
    uint32_t n = many ? j->n : 1;
    struct array *a = array_new(c, core_types(c->run->env)->string_array, n);

    for (uint32_t i = 0; a && i < n; i++) {
        const struct json *item = many ? &j->items[i] : j;
        struct string *s = string_view(c, jwt_claim_text(c->run->arena, item));
        if (!s)
            return NULL;
        a->u.v[i] = value_ref(s);
    }
    return a;
}

static bool
claims_of(struct call *c, struct jwt_object *o, struct object **ret)
{
    const struct core_types *core = core_types(c->run->env);
    const struct json *j = o->token.claims;
    struct clr_table *d;

    if ((*ret = o->claims))
        return true;
    d = clr_dictionary_new(c, type_find_lit(c->run->env, "Microsoft.Azure.ApiManagement.Claims", core->string, core->string_array), NULL);
    for (uint32_t i = 0; d && i < j->n; i++) {
        struct string *name = string_view(c, j->members[i].name);
        struct array *values = claim_values(c, &j->members[i].value);
        if (!name || !values || !clr_dictionary_set(c, d, value_ref(name), value_ref(values)))
            return false;
    }
    o->claims = (struct object *)d;
    *ret = o->claims;
    return d != NULL;
}

static bool
jwt_claims(struct call *c)
{
    struct object *claims;

    return claims_of(c, self_of(c), &claims) && return_ref(c, claims);
}

/* ---- the token's own properties ---- */

static bool
text_claim(struct call *c, struct str name)
{
    const struct json *j = json_get(self_of(c)->token.claims, name);

    if (!j || json_is(j, JSON_NULL))
        return return_ref(c, NULL);
    return return_new(c, string_view(c, jwt_claim_text(c->run->arena, j)));
}

static bool
jwt_id(struct call *c)
{
    return text_claim(c, STR("jti"));
}

static bool
jwt_issuer(struct call *c)
{
    return text_claim(c, STR("iss"));
}

static bool
jwt_subject(struct call *c)
{
    return text_claim(c, STR("sub"));
}

static bool
header_text(struct call *c, struct str text)
{
    return text.p ? return_new(c, string_view(c, text)) : return_ref(c, NULL);
}

static bool
jwt_algorithm(struct call *c)
{
    return header_text(c, self_of(c)->token.alg);
}

static bool
jwt_type(struct call *c)
{
    return header_text(c, self_of(c)->token.typ);
}

static bool
jwt_audiences(struct call *c)
{
    const struct json *j = json_get_lit(self_of(c)->token.claims, "aud");

    if (!j)
        return return_new(c, array_new(c, core_types(c->run->env)->string_array, 0));
    return return_new(c, claim_values(c, j));
}

/* A NumericDate as DateTime? in UTC. */
static bool
time_claim(struct call *c, struct str name)
{
    struct object *boxed;
    int64_t s;

    if (!jwt_claim_time(&self_of(c)->token, name, &s) || s > (TICKS_MAX - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND)
        return return_ref(c, NULL);
    return value_box(c, type_strip_nullable(c->ret_type), value_datetime(TICKS_UNIX_EPOCH + s * TICKS_PER_SECOND, KIND_UTC), &boxed) &&
           return_ref(c, boxed);
}

static bool
jwt_expiration(struct call *c)
{
    return time_claim(c, STR("exp"));
}

static bool
jwt_not_before(struct call *c)
{
    return time_claim(c, STR("nbf"));
}

static bool
jwt_issued_at(struct call *c)
{
    return time_claim(c, STR("iat"));
}

/* ---- the extensions ---- */

static bool
as_jwt(struct call *c)
{
    struct object *o = NULL;

    return (!c->args[0].ref || jwt_object_parse(c, string_str(call_string(c, 0)), &o)) && return_ref(c, o);
}

static bool
try_parse_jwt(struct call *c)
{
    if (!as_jwt(c))
        return false;
    c->args[1] = c->ret;
    return return_bool(c, c->ret.ref != NULL);
}

/* ISO-8859-1 bytes as a string. */
static struct string *
latin1(struct call *c, struct str bytes)
{
    struct buf b = call_buf(c);

    for (size_t i = 0; i < bytes.len; i++) {
        char *at = buf_reserve(&b, 4);
        if (at)
            b.len += utf8_put(at, (unsigned char)bytes.p[i]);
    }
    return string_from_buf(c, &b);
}

/* "Basic dXNlcjpwYXNz": user and password, divided at the first colon (RFC 7617); null when it is no such header. */
static bool
as_basic(struct call *c)
{
    const struct type *type = type_find(c->run->env, STR("Microsoft.Azure.ApiManagement.BasicAuthCredentials"), NULL, 0);
    struct buf b = call_buf(c);
    struct str text, decoded;
    struct basic *o;
    ptrdiff_t colon;

    c->ret = value_ref(NULL);
    if (!c->args[0].ref)
        return true;
    text = string_str(call_string(c, 0));
    if (!str_starts_with(text, STR("Basic ")) || !codec_base64_decode(&b, str_trim(str_skip(text, 6)), NULL))
        return true;
    decoded = b.len ? buf_str(&b) : STR("");
    colon = str_find_char(decoded, ':', 0);
    if (colon <= 0)
        return true;
    o = object_new(c, type, struct basic);
    if (!o || !(o->user = latin1(c, str_sub(decoded, 0, (size_t)colon))) ||
        !(o->password = latin1(c, str_skip(decoded, (size_t)colon + 1))))
        return false;
    return return_ref(c, o);
}

static bool
try_parse_basic(struct call *c)
{
    if (!as_basic(c))
        return false;
    c->args[1] = c->ret;
    return return_bool(c, c->ret.ref != NULL);
}

static bool
basic_user(struct call *c)
{
    return return_ref(c, ((struct basic *)c->args[0].ref)->user);
}

static bool
basic_password(struct call *c)
{
    return return_ref(c, ((struct basic *)c->args[0].ref)->password);
}

/* ---- Claims: a dictionary whose missing names are empty arrays ---- */

static bool
claims_get(struct call *c)
{
    bool found;

    if (!c->args[1].ref)
        return throw_argument_null(c, "key");
    if (!clr_dictionary_get(c, (struct clr_table *)c->args[0].ref, c->args[1], &c->ret, &found))
        return false;
    return found || return_new(c, array_new(c, core_types(c->run->env)->string_array, 0));
}

/* GetValueOrDefault(name[, default]): the values joined by commas. */
static bool
claims_joined(struct call *c)
{
    struct array *a;
    struct buf b = call_buf(c);
    struct value v;
    bool found = false;

    if (c->args[1].ref && !clr_dictionary_get(c, (struct clr_table *)c->args[0].ref, c->args[1], &v, &found))
        return false;
    if (!found)
        return return_ref(c, c->n_args > 2 ? c->args[2].ref : NULL);
    a = (struct array *)v.ref;
    for (uint32_t i = 0; i < a->n; i++) {
        if (i > 0)
            buf_add_char(&b, ',');
        buf_add_str(&b, string_str((struct string *)a->u.v[i].ref));
    }
    return return_new(c, string_from_buf(c, &b));
}

#define N "Microsoft.Azure.ApiManagement."

static const struct type_row types[] = {
    CLASS_ABSTRACT(N "Jwt", NULL, NULL, NULL),
    CLASS_ABSTRACT(N "BasicAuthCredentials", NULL, NULL, NULL),
    {TYPE_CLASS, N "Claims<K,V>", "Dictionary<K,V>", NULL, NULL, TYPE_IS_ABSTRACT | TYPE_IS_HIDDEN, NULL},
    STATIC_CLASS(N "TokenExtensions"),
};

#define X N "TokenExtensions"

static const struct member_row members[] = {
    M("Jwt", "string Algorithm { get; }", jwt_algorithm),
    M("Jwt", "IEnumerable<string> Audiences { get; }", jwt_audiences),
    M("Jwt", "Claims<string,string[]> Claims { get; }", jwt_claims),
    M("Jwt", "DateTime? ExpirationTime { get; }", jwt_expiration),
    M("Jwt", "string Id { get; }", jwt_id),
    M("Jwt", "string Issuer { get; }", jwt_issuer),
    M("Jwt", "DateTime? IssuedAt { get; }", jwt_issued_at),
    M("Jwt", "DateTime? NotBefore { get; }", jwt_not_before),
    M("Jwt", "string Subject { get; }", jwt_subject),
    M("Jwt", "string Type { get; }", jwt_type),
    M("Claims<K,V>", "V this[K key] { get; }", claims_get),
    M("Claims<K,V>", "string GetValueOrDefault(string key)", claims_joined),
    M("Claims<K,V>", "string GetValueOrDefault(string key, string defaultValue)", claims_joined),

    M("BasicAuthCredentials", "string UserId { get; }", basic_user),
    M_EXTRA("BasicAuthCredentials", "string Username { get; }", basic_user),
    M("BasicAuthCredentials", "string Password { get; }", basic_password),

    M(X, "static Jwt AsJwt(this string input)", as_jwt),
    M(X, "static bool TryParseJwt(this string input, out Jwt result)", try_parse_jwt),
    M(X, "static BasicAuthCredentials AsBasic(this string input)", as_basic),
    M(X, "static bool TryParseBasic(this string input, out BasicAuthCredentials result)", try_parse_basic),
};

const struct library clr_jwt = LIBRARY("jwt", types, members);
