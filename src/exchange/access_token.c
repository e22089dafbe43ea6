/* access_token.c: how each source is asked, what it answers, how long that serves.
 *
 *     identity or provider + resource -> supply entry -> fetch: HTTP call, signed assertion, token file or program -> token
 * Addresses asked here stand in headgate.yaml, so egress rules do not apply to them. Answers are bounded and read strictly: a token must
 * be text that may stand in a header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/access_token.h"

#include <inttypes.h>
#include <stdlib.h>

#include "backend/backends.h"
#include "backend/certificates.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/num.h"
#include "base/rand.h"
#include "data/dates.h"
#include "data/jwt.h"
#include "exchange/outgoing.h"
#include "exchange/supply.h"
#include "http/headers.h"
#include "model/identity_conf.h"
#include "model/model.h"
#include "rt/loop.h"
#include "rt/offload.h"
#include "rt/program.h"

#define ANSWER_BYTES_MAX ((size_t)64 << 10)
#define TOKEN_BYTES_MAX ((size_t)16 << 10)
#define TOKEN_FILE_BYTES_MAX ((size_t)64 << 10)
#define WAIT_MS 35000                 /* above the longest timeout of a source */
#define VALID_S_DEFAULT 300           /* when a source does not say */
#define VALID_S_MAX (24u * 3600)
#define AHEAD_S 300                   /* a token is fetched anew so long before its end, or a fifth of its life */

struct access_token {
    struct supply_value super;
    struct str text;                  /* malloc */
};

static void
destroy(struct supply_value *v)
{
    struct access_token *t = CONTAINER_OF(v, struct access_token, super);

    OPENSSL_cleanse((char *)(uintptr_t)t->text.p, t->text.len);
    free((char *)(uintptr_t)t->text.p);
    free(t);
}

/* ---- answers ---- */

static bool
is_token_text(struct str token)
{
    for (size_t i = 0; i < token.len; i++)
        if ((unsigned char)token.p[i] <= ' ' || (unsigned char)token.p[i] >= 0x7f)
            return false;
    return token.len > 0 && token.len <= TOKEN_BYTES_MAX;
}

/* A number, also as text. */
static bool
seconds(const struct json *j, int64_t *ret)
{
    struct str text = json_str(j, STR_NONE);
    uint64_t n;

    if (json_is(j, JSON_NUMBER))
        *ret = json_i64(j, -1);
    else if (text.len && num_parse_u64(text, INT64_MAX, &n, NULL))
        *ret = (int64_t)n;
    else
        return false;
    return *ret >= 0;
}

static const struct json *
member(const struct json *j, const char *name, const char *other)
{
    const struct json *found = json_get(j, str_from_c(name));

    return found ? found : json_get(j, str_from_c(other));
}

static uint64_t
lifetime(const struct json *j, int64_t now_s)
{
    const struct json *on = member(j, "expires_on", "expiresOn");
    int64_t s = VALID_S_DEFAULT, at;

    if (seconds(member(j, "expires_in", "expiresIn"), &s))
        return MIN((uint64_t)s, (uint64_t)VALID_S_MAX);
    if (seconds(on, &at) || date_parse_iso(json_str(on, STR("")), &at, NULL))
        s = at > now_s ? at - now_s : 0;
    return MIN((uint64_t)s, (uint64_t)VALID_S_MAX);
}

bool
token_answer_read(struct arena *a, struct str text, int64_t now_s, struct token_answer *ret, struct err *err)
{
    const struct json *j = json_parse(a, text, JSON_STRICT, NULL);
    struct token_answer answer = {0};
    int64_t refresh = 0;

    if (!json_is(j, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "the answer is no JSON object");
    answer.token = json_str(member(j, "access_token", "accessToken"), STR_NONE);
    if (!answer.token.p)
        return err_set(err, ERR_INVALID, "the answer has no access_token");
    if (!is_token_text(answer.token))
        return err_set(err, ERR_INVALID, "the access_token is no text that can stand in a header");
    answer.valid_s = lifetime(j, now_s);
    if (answer.valid_s == 0)
        return err_set(err, ERR_INVALID, "the access_token has expired already");
    if (seconds(json_get_lit(j, "refresh_in"), &refresh))
        answer.refresh_s = (uint64_t)refresh;
    *ret = answer;
    return true;
}

/* The `error` of an OAuth answer: a word of letters and underscores; what stands beside it may quote anything. */
static struct str
error_word(struct arena *a, struct str text)
{
    struct str word = json_str(json_get_lit(json_parse(a, text, JSON_STRICT, NULL), "error"), STR_NONE);

    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_alpha(word.p[i]) && word.p[i] != '_')
            return STR_NONE;
    return word.len <= 64 ? word : STR_NONE;
}

/* ---- asking ---- */

/* What to fetch; copied for the fetch. Pointers lead into the model, which the fetch holds. */
struct want {
    const struct identity_conf *identity;
    struct str resource, client_id;
    const struct provider_conf *provider;
    const struct authorization_conf *authorization;
};

static const void *
copy_want(struct arena *a, const void *what)
{
    struct want *w = arena_new(a, struct want);

    if (!w)
        return NULL;
    *w = *(const struct want *)what;
    w->resource = str_dup(a, w->resource);
    w->client_id = str_dup(a, w->client_id);
    return w->resource.p && w->client_id.p ? w : NULL;
}

static bool
send(struct exchange *ex, struct outgoing *o, uint32_t timeout_ms, struct str *ret, struct err *err)
{
    struct reply *reply;
    struct str text, word;

    o->timeout_ms = timeout_ms;
    o->is_trusted = true;
    if (!outgoing_send(ex, o, &reply, err) || !content_read_decoded(ex, &reply->content, reply->headers, true, &text, err))
        return false;
    if (reply->status == 200) {
        *ret = text.p ? text : STR("");
        return true;
    }
    word = error_word(ex->arena, text.p ? text : STR(""));
    return err_set(err, ERR_INVALID, "%.*s answered %u%s%.*s", STR_ARG(o->url.host), reply->status, word.len ? " " : "", STR_ARG(word));
}

static void
add_field(struct buf *to, const char *name, struct str value)
{
    if (!value.len)
        return;
    if (to->len)
        buf_add_char(to, '&');
    buf_printf(to, "%s=", name);
    codec_percent_encode(to, value, "-._~");
}

static bool
post_form(struct exchange *ex, struct str address, struct str form, struct str authorization, uint32_t timeout_ms, struct str *ret,
          struct err *err)
{
    struct http_headers headers = http_headers_in(ex->arena);
    struct outgoing o = {.method = STR("POST"), .headers = &headers, .content = {.state = CONTENT_BYTES, .bytes = form}};

    if (!url_parse(ex->arena, address, &o.url, err))
        return false;
    if (!http_headers_add(&headers, STR("Content-Type"), STR("application/x-www-form-urlencoded")) ||
        !http_headers_add(&headers, STR("Accept"), STR("application/json")) ||
        (authorization.len && !http_headers_add(&headers, STR("Authorization"), authorization)))
        return err_set(err, ERR_NO_MEMORY, "no memory left for a request");
    return send(ex, &o, timeout_ms, ret, err);
}

/* ---- an endpoint of the platform ---- */

static bool
ask_endpoint(struct exchange *ex, const struct want *w, struct str *ret, struct err *err)
{
    const struct identity_conf *i = w->identity;
    struct http_headers headers = http_headers_in(ex->arena);
    struct outgoing o = {.method = STR("GET"), .headers = &headers};
    struct buf query = buf_in(ex->arena);
    bool has_secret = i->endpoint_secret.len > 0;

    if (!url_parse(ex->arena, i->endpoint, &o.url, err))
        return false;
    if (o.url.query.len)
        buf_add_str(&query, o.url.query);
    add_field(&query, "api-version", has_secret ? STR("2019-08-01") : STR("2018-02-01"));
    add_field(&query, "resource", w->resource);
    add_field(&query, "client_id", w->client_id.len ? w->client_id : i->client_id);
    o.url.query = buf_str(&query);
    if (!o.url.query.p || !http_headers_add(&headers, has_secret ? STR("X-IDENTITY-HEADER") : STR("Metadata"),
                                            has_secret ? i->endpoint_secret : STR("true")))
        return err_set(err, ERR_NO_MEMORY, "no memory left for a request");
    return send(ex, &o, i->timeout_ms, ret, err);
}

/* ---- a token endpoint ---- */

/* SHA-1 or SHA-256 of the certificate, as x5t and x5t#S256 say which key it is. */
static void
add_thumbprint(struct buf *to, const char *name, X509 *x, const EVP_MD *md)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (X509_digest(x, md, digest, &n) != 1)
        return;
    buf_printf(to, ",\"%s\":\"", name);
    codec_base64url_encode(to, str_from((const char *)digest, n));
    buf_add_char(to, '"');
}

/* RFC 7523: a short token about ourselves, signed with the certificate's key. */
static bool
sign_assertion(struct exchange *ex, const struct loaded_certificate *c, struct str client_id, struct str audience, struct str *ret,
               struct err *err)
{
    struct buf header = buf_in(ex->arena), claims = buf_in(ex->arena), token = buf_in(ex->arena);
    int64_t now_s = (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000u);
    uint64_t id[2];
    struct jwt_key key;
    struct str alg;
    bool ok;

    if (!jwt_key_from_pkey(c->own.key, STR_NONE, &key, err))
        return false;
    alg = key.kind == JWT_KEY_RSA ? STR("RS256") : key.coordinate_size == 66 ? STR("ES512") : key.coordinate_size == 48 ? STR("ES384")
          : key.kind == JWT_KEY_EC ? STR("ES256") : STR("EdDSA");
    rand_secret(id, sizeof(id));
    buf_printf(&header, "{\"alg\":\"%.*s\",\"typ\":\"JWT\"", STR_ARG(alg));
    add_thumbprint(&header, "x5t", c->own.x509, EVP_sha1());
    add_thumbprint(&header, "x5t#S256", c->own.x509, EVP_sha256());
    buf_add_char(&header, '}');
    buf_add_lit(&claims, "{\"aud\":\"");
    buf_add_json_escaped(&claims, audience);
    buf_add_lit(&claims, "\",\"iss\":\"");
    buf_add_json_escaped(&claims, client_id);
    buf_add_lit(&claims, "\",\"sub\":\"");
    buf_add_json_escaped(&claims, client_id);
    buf_printf(&claims, "\",\"jti\":\"%016" PRIx64 "%016" PRIx64 "\",\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64 "}", id[0], id[1],
               now_s, now_s, now_s + 600);
    ok = jwt_sign(&key, alg, buf_str(&header), buf_str(&claims), &token, err);
    jwt_key_destroy(&key);
    *ret = buf_str(&token);
    return ok;
}

static const struct loaded_certificate *
certificate_of(struct exchange *ex, const struct client_proof *p, struct err *err)
{
    const struct loaded_certificate *c;

    if (!ex->backends)
        return NULL;
    if (p->certificate_bytes.len)
        return certificates_given(ex->backends->certificates, p->certificate_bytes, p->certificate_password, err);
    c = certificates_find(ex->backends->certificates, p->certificate);
    if (!c)
        err_set(err, ERR_NOT_FOUND, "there is no certificate '%.*s'", STR_ARG(p->certificate));
    else if (c->problem.p)
        err_set(err, ERR_INVALID, "certificate '%.*s': %.*s", STR_ARG(p->certificate), STR_ARG(c->problem));
    return c && !c->problem.p ? c : NULL;
}

static void
add_assertion(struct buf *form, struct str assertion)
{
    add_field(form, "client_assertion_type", STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    add_field(form, "client_assertion", assertion);
}

/* The client's name and proof, in the form; a secret that goes into a header is *ret_authorization. */
static bool
add_client(struct exchange *ex, struct buf *form, struct str client_id, const struct client_proof *p, struct str audience,
           bool uses_basic, struct str *ret_authorization, struct err *err)
{
    struct buf pair = buf_in(ex->arena), header = buf_in(ex->arena);
    const struct loaded_certificate *c;
    struct str assertion;

    *ret_authorization = STR_NONE;
    if (p->certificate.len || p->certificate_bytes.len) {
        add_field(form, "client_id", client_id);
        if (!(c = certificate_of(ex, p, err)) || !sign_assertion(ex, c, client_id, audience, &assertion, err))
            return false;
        add_assertion(form, assertion);
        return true;
    }
    if (!uses_basic) {
        add_field(form, "client_id", client_id);
        add_field(form, "client_secret", p->secret);
        return true;
    }
    codec_percent_encode(&pair, client_id, "-._~");      /* RFC 6749 2.3.1 */
    buf_add_char(&pair, ':');
    codec_percent_encode(&pair, p->secret, "-._~");
    buf_add_lit(&header, "Basic ");
    codec_base64_encode(&header, buf_str(&pair));
    *ret_authorization = buf_str(&header);
    return true;
}

/* "https://vault.azure.net" -> "https://vault.azure.net/.default"; a slash at the end stays, as it is part of the audience. */
static struct str
scope_of(struct arena *a, struct str resource)
{
    return str_ends_with(resource, STR("/.default")) ? resource : str_concat(a, resource, STR("/.default"));
}

struct reading {
    const char *path;
    struct buf text;
    struct err err;
    bool ok;
};

static void
read_file(void *arg)
{
    struct reading *r = arg;

    r->ok = file_read(r->path, TOKEN_FILE_BYTES_MAX, &r->text, &r->err);
}

/* The platform rotates the file, so it is read for each fetch, on a thread that may block. */
static bool
read_token_file(struct exchange *ex, struct str path, struct str *ret, struct err *err)
{
    struct reading r = {.path = str_dup(ex->arena, path).p};
    bool ok = offload_call(ex->services->offload, read_file, &r, err);

    if (ok && !r.ok)
        ok = err_set(err, r.err.code, "%s", r.err.text);
    if (ok) {
        *ret = str_dup(ex->arena, str_trim(buf_str(&r.text)));
        ok = is_token_text(*ret) || err_set(err, ERR_INVALID, "%.*s holds no token", STR_ARG(path));
    }
    buf_destroy(&r.text);
    return ok;
}

static bool
ask_token_url(struct exchange *ex, const struct want *w, struct str *ret, struct err *err)
{
    const struct identity_conf *i = w->identity;
    struct buf form = buf_in(ex->arena);
    struct str assertion, authorization = STR_NONE;

    add_field(&form, "grant_type", STR("client_credentials"));
    add_field(&form, "scope", scope_of(ex->arena, w->resource));
    if (i->source == IDENTITY_WORKLOAD) {
        if (!read_token_file(ex, i->token_file, &assertion, err))
            return false;
        add_field(&form, "client_id", i->client_id);
        add_assertion(&form, assertion);
    } else if (!add_client(ex, &form, i->client_id, &i->proof, i->token_url, false, &authorization, err)) {
        return false;
    }
    return post_form(ex, i->token_url, buf_str(&form), authorization, i->timeout_ms, ret, err);
}

/* ---- a program ---- */

static bool
ask_program(struct exchange *ex, const struct want *w, struct str *ret, struct err *err)
{
    const struct identity_conf *i = w->identity;
    struct program_variable variables[] = {{"HEADGATE_RESOURCE", w->resource},
                                           {"HEADGATE_CLIENT_ID", w->client_id.len ? w->client_id : i->client_id}};
    struct program p = {.words = i->command, .n_words = i->n_command, .variables = variables, .n_variables = COUNTOF(variables),
                        .timeout_ms = i->timeout_ms, .output_max = ANSWER_BYTES_MAX};
    struct buf output = buf_in(ex->arena);

    if (!program_run(ex->services->offload, &p, &output, err))
        return err_prefix(err, "%.*s", STR_ARG(i->command[0]));
    *ret = output.len ? str_trim(buf_str(&output)) : STR("");
    /* A token alone will do, too. */
    if (is_token_text(*ret) && ret->p[0] != '{')
        *ret = str_printf(ex->arena, "{\"access_token\":\"%.*s\"}", STR_ARG(*ret));
    return ret->p || err_set(err, ERR_NO_MEMORY, "no memory left for a token");
}

/* ---- a credential provider ---- */

static bool
ask_provider(struct exchange *ex, const struct want *w, struct str *ret, struct err *err)
{
    const struct provider_conf *p = w->provider;
    const struct authorization_conf *a = w->authorization;
    struct buf form = buf_in(ex->arena);
    struct str authorization;

    add_field(&form, "grant_type", STR("client_credentials"));
    add_field(&form, "scope", a->scope.len ? a->scope : p->scope);
    add_field(&form, "resource", p->resource);
    add_field(&form, "audience", p->audience);
    return add_client(ex, &form, a->client_id, &a->proof, p->token_url, p->uses_basic, &authorization, err) &&
           post_form(ex, p->token_url, buf_str(&form), authorization, p->timeout_ms, ret, err);
}

/* ---- the supply ---- */

static struct supply_life
life_of(const struct token_answer *answer)
{
    uint64_t margin_s = MIN(answer->valid_s / 20, 30u), ahead_s = MIN(answer->valid_s / 5, (uint64_t)AHEAD_S);
    struct supply_life life = {.valid_ms = (answer->valid_s - margin_s) * 1000};

    life.fresh_ms = (answer->valid_s - MAX(ahead_s, margin_s)) * 1000;
    if (answer->refresh_s)
        life.fresh_ms = MIN(life.fresh_ms, answer->refresh_s * 1000);
    return life;
}

static bool
ask(struct exchange *ex, const struct want *w, struct str *ret, struct err *err)
{
    if (w->provider)
        return ask_provider(ex, w, ret, err);
    switch (w->identity->source) {
    case IDENTITY_ENDPOINT: return ask_endpoint(ex, w, ret, err);
    case IDENTITY_WORKLOAD: case IDENTITY_CLIENT: return ask_token_url(ex, w, ret, err);
    case IDENTITY_EXECUTABLE: return ask_program(ex, w, ret, err);
    }
    UNREACHABLE();
}

static bool
fetch(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err)
{
    int64_t now_s = (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000u);
    struct token_answer answer;
    struct access_token *t;
    struct str text;

    if (!ask(ex, what, &text, err) || !token_answer_read(ex->arena, text, now_s, &answer, err))
        return false;
    t = xnew(struct access_token);
    *t = (struct access_token){.super = {.refs = 1, .destroy = destroy, .tag = 1}};
    t->text = str_from(xstrndup(answer.token.p, answer.token.len), answer.token.len);
    *ret = &t->super;
    *ret_life = life_of(&answer);
    return true;
}

static const struct supply_kind kind = {
    .name = "token", .fetch = fetch, .copy = copy_want, .wait_ms = WAIT_MS,
    .limits = {.buffered_body_max = ANSWER_BYTES_MAX, .arena_max = (size_t)4 << 20},
};

static bool
token_for(struct exchange *ex, struct str key, const struct want *w, struct str *ret, struct err *err)
{
    struct supply_entry *e = ex->services->supplies ? supply_entry_get(ex->services->supplies, &kind, key) : NULL;
    struct supply_value *v;

    if (!e)
        return err_set(err, ERR_LIMIT, "too many different tokens are asked for");
    v = supply_get(ex, e, w, err);
    if (v)
        *ret = str_dup(ex->arena, CONTAINER_OF(v, struct access_token, super)->text);
    supply_value_unref(v);
    supply_entry_unref(e);
    return v && (ret->p || err_set(err, ERR_NO_MEMORY, "no memory left for a token"));
}

bool
identity_token(struct exchange *ex, struct str resource, struct str client_id, struct str *ret, struct err *err)
{
    struct want w = {.resource = resource, .client_id = client_id};

    w.identity = ex->model ? model_find_identity(ex->model, client_id) : NULL;
    if (!w.identity && client_id.len)
        return err_set(err, ERR_NOT_FOUND, "no identity with client id '%.*s' is configured (identities)", STR_ARG(client_id));
    if (!w.identity)
        return err_set(err, ERR_NOT_FOUND, "no managed identity is configured (identities)");
    if (str_eq_nocase(w.identity->name, client_id))
        w.client_id = w.identity->client_id;
    return token_for(ex, str_printf(ex->arena, "%.*s\n%.*s\n%.*s", STR_ARG(w.identity->fingerprint), STR_ARG(w.client_id), STR_ARG(resource)),
                     &w, ret, err);
}

bool
authorization_token(struct exchange *ex, const struct provider_conf *p, const struct authorization_conf *a, struct str *ret,
                    struct err *err)
{
    struct want w = {.resource = STR(""), .client_id = STR(""), .provider = p, .authorization = a};

    return token_for(ex, a->fingerprint, &w, ret, err);
}
