/* token_check.c: the steps of a check, in the order of the reference: the token, its form and encryption, its signature, lifetime,
 * audience, issuer, claims.
 *
 * Messages begin with the code that the library of the original service has for the case, as documents and people look for it.
 * They quote names and times, never the token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/token_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/codec.h"
#include "base/num.h"
#include "clr/datetime.h"
#include "clr/jwt_object.h"
#include "data/crypto.h"
#include "data/jwe.h"
#include "exchange/openid.h"
#include "exchange/token_cache.h"
#include "expr/program.h"
#include "http/headers.h"
#include "observe/metrics.h"
#include "policy/compile.h"
#include "policy/leak_guard.h"
#include "rt/loop.h"

/* ---- tables ---- */

enum claim_match { MATCH_ALL, MATCH_ANY };
static const struct choice matches[] = {{"all", MATCH_ALL}, {"any", MATCH_ANY}, {NULL}};

const struct attr_def token_text_attrs[] = {
    VALUE_STR(struct token_text, text, "", .about = "One value."), ATTR_END
};

static const struct attr_def claim_attrs[] = {
    VALUE_STR(struct token_claim, name, "name", .required = true, .is_literal = true, .about = "Name of the claim."),
    VALUE_CHOICE(struct token_claim, match, "match", matches, .fallback = "all",
                 .about = "Whether all values listed must be among those of the claim, or one is enough."),
    ATTR_STR(struct token_claim, separator, "separator", .about = "Splits a claim that is one text into values: `,` or a blank."),
    ATTR_END
};

#define TEXT_CHILD(struct_, field, name_, about_) \
    {.name = (name_), .offset = offsetof(struct_, field), .size = sizeof(struct token_text), .attrs = token_text_attrs, .about = (about_)}

const struct child_def token_audience_children[] = {
    TEXT_CHILD(struct token_list, items, "audience", "An audience that passes."), CHILD_END
};
const struct child_def token_issuer_children[] = {
    TEXT_CHILD(struct token_list, items, "issuer", "An issuer that passes."), CHILD_END
};
static const struct child_def value_children[] = {
    TEXT_CHILD(struct token_claim, values, "value", "A value; without any the claim only has to be there."), CHILD_END
};
const struct child_def token_claim_children[] = {
    {.name = "claim", .offset = offsetof(struct token_list, items), .size = sizeof(struct token_claim), .attrs = claim_attrs, .children = value_children,
     .about = "A claim that must be there, with the values that pass."},
    CHILD_END
};

const struct children *
token_items(const struct children *list)
{
    static const struct children none = {0};
    const struct token_list *l = list->v;

    return list->n ? &l->items : &none;
}

/* ---- at load ---- */

static void
add_value(struct buf *to, const struct pvalue *v)
{
    buf_printf(to, "%c%zu:", v->program ? '@' : '=', v->text.len);
    buf_add_str(to, v->text);
}

static bool
add_texts(struct buf *to, const struct children *list)
{
    bool is_literal = true;

    buf_printf(to, "[%u", list->n);
    CHILDREN(list, struct token_text, t) {
        add_value(to, &t->text);
        is_literal &= !t->text.program;
    }
    return is_literal;
}

static bool
add_claims(struct buf *to, const struct children *list)
{
    bool is_literal = true;

    buf_printf(to, "{%u", list->n);
    CHILDREN(list, struct token_claim, claim) {
        add_value(to, &claim->name);
        add_value(to, &claim->match);
        buf_printf(to, "%zu:%.*s", claim->separator.len, STR_ARG(claim->separator));
        is_literal &= add_texts(to, &claim->values) && !claim->name.program && !claim->match.program;
    }
    return is_literal;
}

struct hash128
token_mark(struct hash128 mark, struct str more)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    uint8_t digest[CRYPTO_HASH_MAX];
    struct hash128 ret;

    buf_add(&b, &mark, sizeof(mark));
    buf_add_str(&b, more);
    if (!crypto_digest(HASH_SHA256, buf_str(&b), digest))
        memset(digest, 0, sizeof(digest));
    memcpy(&ret, digest, sizeof(ret));
    return ret;
}

static uint32_t
count_places(const struct token_conf *conf)
{
    return (uint32_t)pvalue_is_set(&conf->header) + (uint32_t)pvalue_is_set(&conf->query) + (uint32_t)pvalue_is_set(&conf->value);
}

bool
token_skew_parse(struct str text, int64_t *ret)
{
    int64_t ticks;
    uint64_t s;

    *ret = 0;
    if (!text.len)
        return true;
    if (num_parse_u64(text, UINT32_MAX, &s, NULL)) {
        *ret = (int64_t)s;
        return true;
    }
    if (timespan_parse(text, &ticks) != TIMESPAN_OK || ticks < 0 || ticks / TICKS_PER_SECOND > UINT32_MAX)
        return false;
    *ret = ticks / TICKS_PER_SECOND;
    return true;
}

bool
token_conf_compile(struct compiler *c, const struct node *n, struct token_conf *conf)
{
    struct buf b = buf_in(c->arena);
    int64_t skew_s;

    if (count_places(conf) != 1)
        return compile_error(c, n, "<%.*s> takes one of header-name, query-parameter-name and token-value", STR_ARG(n->name));
    if (!conf->skew.program && !compile_is_placeholder(c, conf->skew.text) && !token_skew_parse(conf->skew.text, &skew_s))
        return compile_error(c, n, TOKEN_SKEW_EXPECTED, STR_ARG(conf->skew.text));
    if (conf->audiences.n && !token_items(&conf->audiences)->n)
        return compile_error(c, n, "<audiences> needs an <audience>");
    conf->has_literal_rules = add_texts(&b, token_items(&conf->audiences));
    conf->has_literal_rules &= add_texts(&b, token_items(&conf->issuers));
    conf->has_literal_rules &= add_claims(&b, token_items(&conf->claims));
    add_value(&b, &conf->requires_signature);
    conf->has_literal_rules &= !conf->requires_signature.program;
    conf->mark = token_mark((struct hash128){0}, buf_str(&b));
    return true;
}

bool
token_secret(struct arena *a, struct str text, struct str *ret, struct err *err)
{
    struct buf b = buf_in(a), url = buf_in(a);

    if (codec_base64_decode_blanks(&b, text, err)) {
        *ret = b.len ? buf_str(&b) : STR("");
        return true;
    }
    if (!codec_base64url_decode(&url, str_trim(text), NULL))
        return false;
    *ret = url.len ? buf_str(&url) : STR("");
    return true;
}

/* ---- refusing ---- */

static enum flow
refuse_with(const struct token_conf *conf, struct exchange *ex, enum error_id id, const struct str *args, uint32_t n)
{
    struct str message;
    uint32_t status;

    if (!pvalue_u32(ex, &conf->status, &status) || !pvalue_str(ex, &conf->message, &message))
        return FLOW_ERROR;
    exchange_refuse_args(ex, id, args, n);
    exchange_refusal_override(ex, (uint16_t)(status >= 200 && status <= 999 ? status : 401), message);
    return FLOW_ERROR;
}

enum flow
token_refuse(const struct token_conf *conf, struct exchange *ex, enum error_id id, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    struct str arg;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    arg = str_dup(ex->arena, str_from_c(text));
    return refuse_with(conf, ex, id, &arg, 1);
}

enum flow
token_refuse_claim(const struct token_conf *conf, struct exchange *ex, struct str name, struct str value)
{
    return refuse_with(conf, ex, E_TOKEN_CLAIM_VALUE_NOT_ALLOWED, (struct str[]){name, value}, 2);
}

/* ---- finding the token ---- */

/* The value of the header; several fields of that name are ambiguous. */
static bool
header_value(const struct token_conf *conf, struct exchange *ex, struct str name, struct str *ret)
{
    uint32_t at = 0;
    struct http_field *first = http_headers_next(ex->request.headers, name, &at);

    *ret = first ? first->value : STR_NONE;
    if (!first || !http_headers_next(ex->request.headers, name, &at))
        return true;
    token_refuse(conf, ex, E_JWT_INVALID, "The request has several %.*s headers; which of them is the token is not clear", STR_ARG(name));
    return false;
}

static struct str
decoded(struct exchange *ex, struct str text)
{
    struct buf b = buf_in(ex->arena);

    if (str_find_char(text, '%', 0) < 0 && str_find_char(text, '+', 0) < 0)
        return text;
    codec_percent_decode(&b, text, true);
    return b.len ? buf_str(&b) : STR("");
}

static bool
query_value(const struct token_conf *conf, struct exchange *ex, struct str name, struct str *ret)
{
    struct str rest = ex->request.query, pair, key;

    *ret = STR_NONE;
    while (str_split_next(&rest, '&', &pair)) {
        str_split_next(&pair, '=', &key);
        if (!str_eq_nocase(decoded(ex, key), name))
            continue;
        if (ret->p) {
            token_refuse(conf, ex, E_JWT_INVALID, "The request has the query parameter %.*s several times", STR_ARG(name));
            return false;
        }
        *ret = pair.p ? decoded(ex, pair) : STR("");
    }
    return true;
}

/* "Bearer abc" without its scheme. STR_NONE: another scheme than the one that is required, or nothing behind it. */
static struct str
without_scheme(struct str value, struct str scheme)
{
    ptrdiff_t blank = str_find_char(value, ' ', 0);
    struct str word = blank < 0 ? STR("") : str_sub(value, 0, (size_t)blank);

    if (scheme.len && !str_eq_nocase(word, scheme))
        return STR_NONE;
    if (blank < 0)
        return str_eq_nocase(value, STR("Bearer")) ? STR_NONE : value;
    return str_trim(str_skip(value, (size_t)blank));
}

static bool
find_text(const struct token_conf *conf, struct exchange *ex, struct str *ret)
{
    struct str name, scheme;

    if (pvalue_is_set(&conf->value)) {
        if (!pvalue_str(ex, &conf->value, ret))
            return false;
    } else if (pvalue_is_set(&conf->query)) {
        if (!pvalue_str(ex, &conf->query, &name) || !query_value(conf, ex, name, ret))
            return false;
    } else {
        if (!pvalue_str(ex, &conf->header, &name) || !pvalue_str(ex, &conf->scheme, &scheme) ||
            !header_value(conf, ex, str_trim(name), ret))
            return false;
        if (str_eq_nocase(str_trim(name), STR("Authorization")))
            *ret = without_scheme(*ret, str_trim(scheme));
    }
    *ret = str_trim(*ret);
    if (ret->len)
        return true;
    refuse_with(conf, ex, E_TOKEN_NOT_PRESENT, NULL, 0);
    return false;
}

/* ---- verifying ---- */

/* What is known while a token is verified, and what came out. */
struct proof {
    const struct token_conf *conf;
    const struct token_wanted *wanted;
    struct str inner;                 /* the signed text */
    struct jwt token;
    bool is_issuer_known;             /* its issuer is the one whose keys it was verified with */
    bool is_cacheable;
    struct issuer {
        struct str url;
        struct supply_entry *entry;
        const struct openid *openid;  /* NULL: it could not be had */
    } issuers[TOKEN_ISSUERS_MAX];
    uint32_t n_issuers;
    struct err missing;               /* why an issuer's keys could not be had; ERR_NONE: all are there */
    bool needs_signature;
};

static void
proof_destroy(struct proof *p)
{
    for (uint32_t i = 0; i < p->n_issuers; i++) {
        openid_unref(p->issuers[i].openid);
        supply_entry_unref(p->issuers[i].entry);
    }
}

static void
get_issuers(struct exchange *ex, struct proof *p)
{
    struct err err = ERR_INIT;

    for (uint32_t i = 0; i < p->wanted->n_urls; i++) {
        struct issuer *to = &p->issuers[p->n_issuers];

        to->url = p->wanted->urls[i];
        to->entry = openid_entry(ex, to->url);
        if (to->entry)
            to->openid = openid_get(ex, to->entry, to->url, &err);
        else
            err_set(&err, ERR_LIMIT, "too many issuers at once");
        if (!to->openid && p->missing.code == ERR_NONE)
            p->missing = err;
        p->n_issuers++;
    }
}

/* Names of tenants are GUIDs and domains. */
static bool
is_tenant(struct str tid)
{
    for (size_t i = 0; i < tid.len; i++)
        if (!ascii_is_alpha(tid.p[i]) && !ascii_is_digit(tid.p[i]) && tid.p[i] != '-' && tid.p[i] != '.')
            return false;
    return tid.len > 0;
}

/* The token's issuer is what the issuer calls itself; {tenantid} in it is the token's own tid. */
static bool
is_issued_by(struct exchange *ex, const struct jwt *t, const struct openid *o)
{
    struct str issuer = str_from_c(o->issuer), iss = json_str(json_get_lit(t->claims, "iss"), STR_NONE);
    struct str tid = json_str(json_get_lit(t->claims, "tid"), STR_NONE);
    ptrdiff_t at = str_find(issuer, STR("{tenantid}"), 0);

    if (!iss.p)
        return false;
    if (at < 0)
        return str_eq(iss, issuer);
    return is_tenant(tid) && str_eq(iss, str_printf(ex->arena, "%.*s%.*s%s", (int)at, issuer.p, STR_ARG(tid),
                                                    issuer.p + at + strlen("{tenantid}")));
}

static bool
has_kid(const struct jwt_key *keys, size_t n, struct str kid)
{
    for (size_t i = 0; i < n; i++)
        if (keys[i].kid && str_eq(str_from_c(keys[i].kid), kid))
            return true;
    return false;
}

static enum jwt_result
better(enum jwt_result a, enum jwt_result b)
{
    return a == JWT_VALID || b == JWT_VALID ? JWT_VALID : a == JWT_BAD_SIGNATURE || b == JWT_BAD_SIGNATURE ? JWT_BAD_SIGNATURE : a;
}

/* Keys of the document first, then those of the issuer it names, then the others: whose key it was decides which issuer counts. */
static enum jwt_result
try_keys(struct exchange *ex, struct proof *p)
{
    const struct token_wanted *w = p->wanted;
    enum jwt_result result = jwt_verify(&p->token, w->keys, w->n_keys, JWT_KID_PREFERS, NULL), one;

    for (uint32_t i = 0; result == JWT_VALID && i < p->n_issuers; i++)
        p->is_issuer_known |= p->issuers[i].openid && is_issued_by(ex, &p->token, p->issuers[i].openid);
    for (int round = 0; round < 2 && result != JWT_VALID; round++) {
        for (uint32_t i = 0; i < p->n_issuers && result != JWT_VALID; i++) {
            const struct openid *o = p->issuers[i].openid;

            if (!o || is_issued_by(ex, &p->token, o) != (round == 0))
                continue;
            one = jwt_verify(&p->token, o->keys, o->n, JWT_KID_DECIDES, NULL);
            p->is_issuer_known = one == JWT_VALID && round == 0;
            result = better(result, one);
        }
    }
    return result;
}

/* After a key id that nobody has: other key sets, where it is time to ask for them. True when any changed. */
static bool
get_newer(struct exchange *ex, struct proof *p)
{
    bool any = false;

    for (uint32_t i = 0; i < p->n_issuers; i++) {
        struct issuer *issuer = &p->issuers[i];
        const struct openid *newer;

        if (!issuer->openid || has_kid(issuer->openid->keys, issuer->openid->n, p->token.kid))
            continue;
        newer = openid_get_newer(ex, issuer->entry, issuer->url, issuer->openid);
        if (!newer)
            continue;
        openid_unref(issuer->openid);
        issuer->openid = newer;
        any = true;
    }
    return any;
}

static bool
knows_kid(const struct proof *p)
{
    bool known = !p->token.kid.p || has_kid(p->wanted->keys, p->wanted->n_keys, p->token.kid);

    for (uint32_t i = 0; i < p->n_issuers && !known; i++)
        known = p->issuers[i].openid && has_kid(p->issuers[i].openid->keys, p->issuers[i].openid->n, p->token.kid);
    return known;
}

static bool
refuse_unsigned(struct exchange *ex, const struct proof *p)
{
    token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_INVALID, "IDX10504: Unable to validate signature, the token does not have one");
    return false;
}

static bool
refuse_signature(struct exchange *ex, const struct proof *p, enum jwt_result result)
{
    const struct jwt *t = &p->token;

    if (!p->wanted->n_keys && !p->wanted->n_urls)
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_KEY_NOT_FOUND, "IDX10500: Signature validation failed, no security keys were provided: "
                     "%.*s:%u names neither keys nor an issuer, and jwt.default-openid-config is not set", STR_ARG(ex->at->file), ex->at->line);
    else if (result == JWT_BAD_ALGORITHM)
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_INVALID, "IDX10511: Signature validation failed, the algorithm is not accepted");
    else if (result == JWT_BAD_SIGNATURE)
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_INVALID, "IDX10511: Signature validation failed, none of the keys fits the signature");
    else if (p->missing.code != ERR_NONE)
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_KEY_NOT_FOUND, "IDX20803: Unable to obtain the issuer's configuration: %s", p->missing.text);
    else if (!knows_kid(p))
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_KEY_NOT_FOUND, "IDX10501: Signature validation failed, no key has the id '%.*s'",
                     (int)MIN(t->kid.len, (size_t)64), t->kid.p);
    else
        token_refuse(p->conf, ex, E_TOKEN_SIGNATURE_INVALID, "IDX10511: Signature validation failed, no key is for the algorithm '%.*s'",
                     (int)MIN(t->alg.len, (size_t)32), t->alg.p);
    return false;
}

static bool
check_signature(struct exchange *ex, struct proof *p)
{
    bool is_unsigned = str_eq_lit(p->token.alg, "none");
    enum jwt_result result;

    if (is_unsigned && (p->needs_signature || p->token.signature.len))
        return refuse_unsigned(ex, p);
    get_issuers(ex, p);
    if (is_unsigned) {
        for (uint32_t i = 0; i < p->n_issuers; i++)
            p->is_issuer_known |= p->issuers[i].openid && is_issued_by(ex, &p->token, p->issuers[i].openid);
        p->is_cacheable = false;
        return true;
    }
    result = try_keys(ex, p);
    if (result == JWT_NO_KEY && p->token.kid.p && get_newer(ex, p))
        result = try_keys(ex, p);
    if (result == JWT_VALID)
        return true;
    return refuse_signature(ex, p, result);
}

/* The text inside an encrypted token. */
static bool
decrypt(struct exchange *ex, struct proof *p, struct str text)
{
    struct err err = ERR_INIT;

    if (!p->wanted->n_decryption) {
        token_refuse(p->conf, ex, E_JWT_INVALID, "IDX10609: Decryption failed, the token is encrypted and no decryption-keys are given");
        return false;
    }
    if (jwe_decrypt(ex->arena, text, p->wanted->decryption, p->wanted->n_decryption, &p->inner, &err))
        return true;
    token_refuse(p->conf, ex, E_JWT_INVALID, "IDX10603: Decryption failed, %s", err.text);
    return false;
}

/* Claims that were encrypted and not signed. */
static bool
read_claims_alone(struct exchange *ex, struct proof *p)
{
    struct jwt *t = &p->token;

    t->claims = json_parse(ex->arena, p->inner, JSON_STRICT_UNIQUE, NULL);
    if (!json_is(t->claims, JSON_OBJECT))
        return false;
    t->header = json_parse(ex->arena, STR("{\"alg\":\"none\"}"), JSON_STRICT, NULL);
    t->alg = STR("none");
    t->signature = STR("");
    return t->header != NULL;
}

static bool
read_token(struct exchange *ex, struct proof *p, struct str text)
{
    struct err err = ERR_INIT;
    bool is_encrypted = jwt_is_encrypted(text);

    p->inner = text;
    if (is_encrypted && !decrypt(ex, p, text))
        return false;
    if (jwt_parse(ex->arena, p->inner, JWT_STRICT, &p->token, &err))
        return true;
    if (is_encrypted && read_claims_alone(ex, p))
        return true;
    token_refuse(p->conf, ex, E_JWT_INVALID, "IDX12741: The token cannot be read, %s", err.text);
    return false;
}

static struct kept_token *
remember(struct exchange *ex, const struct proof *p, struct str text)
{
    struct token_source sources[TOKEN_ISSUERS_MAX];
    struct kept_token *kept;
    uint32_t n = 0;

    /* An issuer that could not be had may turn out to be the one that counts. */
    if (!ex->services->tokens || !p->is_cacheable || (p->missing.code != ERR_NONE && !p->is_issuer_known))
        return NULL;
    for (uint32_t i = 0; i < p->n_issuers; i++)
        if (p->issuers[i].openid)
            sources[n++] = (struct token_source){p->issuers[i].entry, p->issuers[i].openid->super.tag};
    kept = token_cache_add(ex->services->tokens, text, p->inner, p->wanted->mark, sources, n);
    if (kept)
        kept->is_issuer_known = p->is_issuer_known;
    return kept;
}

/* ---- the rules of claims ---- */

/* What the rules look at. */
struct subject {
    const struct token_conf *conf;
    const struct token_wanted *wanted;
    const struct jwt *token;
    bool is_issuer_known;
};

static int64_t
now_s(const struct exchange *ex)
{
    return (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000u);
}

static bool
skew_of(const struct token_conf *conf, struct exchange *ex, int64_t *ret)
{
    struct str text;

    if (!pvalue_str(ex, &conf->skew, &text))
        return false;
    if (token_skew_parse(text, ret))
        return true;
    exchange_fail(ex, TOKEN_SKEW_EXPECTED, STR_ARG(text));
    return false;
}

static bool
check_lifetime(const struct subject *s, struct exchange *ex)
{
    struct err err = ERR_INIT;
    int64_t skew, now = now_s(ex);
    bool requires_expiry;

    if (!skew_of(s->conf, ex, &skew) || !pvalue_bool(ex, &s->conf->requires_expiry, &requires_expiry))
        return false;
    if (jwt_check_times(s->token, now, skew, requires_expiry, &err))
        return true;
    if (err.code == ERR_TIMEOUT)
        token_refuse(s->conf, ex, E_TOKEN_EXPIRED, "IDX10223: Lifetime validation failed, %s, it is %" PRId64, err.text, now);
    else if (err.code == ERR_DENIED)
        token_refuse(s->conf, ex, E_JWT_INVALID, "IDX10222: Lifetime validation failed, %s, it is %" PRId64, err.text, now);
    else
        token_refuse(s->conf, ex, E_JWT_INVALID, "IDX10225: Lifetime validation failed, %s", err.text);
    return false;
}

/* Whether `text` is one of the list; *ret_ok false when an expression failed. */
static bool
list_has(struct exchange *ex, const struct children *list, struct str text, bool *ret_ok)
{
    struct str one;

    CHILDREN(list, struct token_text, t) {
        if (!pvalue_str(ex, &t->text, &one)) {
            *ret_ok = false;
            return false;
        }
        if (one.p && str_eq(one, text))
            return true;
    }
    return false;
}

static bool
check_audience(const struct subject *s, struct exchange *ex)
{
    const struct children *list = token_items(&s->conf->audiences);
    const struct json *aud = json_get_lit(s->token->claims, "aud");
    struct str text = aud ? jwt_claim_text(ex->arena, aud) : STR("");
    bool ok = true, found = false;

    if (!s->conf->audiences.n)
        return true;
    if (json_is(aud, JSON_STRING))
        found = list_has(ex, list, json_text(aud), &ok);
    for (size_t i = 0; json_is(aud, JSON_ARRAY) && i < json_count(aud) && ok && !found; i++)
        found = json_is(json_item(aud, i), JSON_STRING) && list_has(ex, list, json_text(json_item(aud, i)), &ok);
    if (ok && !found && aud)
        token_refuse(s->conf, ex, E_TOKEN_AUDIENCE_NOT_ALLOWED, "IDX10214: Audience validation failed, the token is for '%.*s'",
                     (int)MIN(text.len, (size_t)200), text.p);
    else if (ok && !found)
        token_refuse(s->conf, ex, E_TOKEN_AUDIENCE_NOT_ALLOWED, "IDX10206: Audience validation failed, the token names no audience");
    return ok && found;
}

static bool
check_issuer(const struct subject *s, struct exchange *ex)
{
    const struct children *list = token_items(&s->conf->issuers);
    struct str iss = json_str(json_get_lit(s->token->claims, "iss"), STR_NONE);
    bool ok = true;

    if ((!list->n && !s->wanted->n_urls) || s->is_issuer_known)
        return true;
    if (iss.p && list_has(ex, list, iss, &ok))
        return true;
    if (ok && iss.p)
        token_refuse(s->conf, ex, E_TOKEN_ISSUER_NOT_ALLOWED, "IDX10205: Issuer validation failed, the token is from '%.*s'",
                     (int)MIN(iss.len, (size_t)200), iss.p);
    else if (ok)
        token_refuse(s->conf, ex, E_TOKEN_ISSUER_NOT_ALLOWED, "IDX10211: Issuer validation failed, the token names no issuer");
    return false;
}

/* ---- required claims ---- */

/* The claim's values one after another: members of an array, parts between separators, or the one it is. */
struct values {
    const struct json *claim;
    struct str separator, rest;
    size_t at;
    bool is_split;
};

static struct values
values_of(struct exchange *ex, const struct json *claim, struct str separator)
{
    struct values v = {.claim = claim, .separator = separator};

    if (json_is(claim, JSON_ARRAY))
        return v;
    v.rest = jwt_claim_text(ex->arena, claim);
    v.is_split = true;
    return v;
}

static bool
next_value(struct exchange *ex, struct values *v, struct str *ret)
{
    ptrdiff_t end;

    if (!v->is_split) {
        if (v->at == json_count(v->claim))
            return false;
        *ret = jwt_claim_text(ex->arena, json_item(v->claim, v->at++));
        return true;
    }
    if (!v->rest.p)
        return false;
    end = v->separator.len ? str_find(v->rest, v->separator, 0) : -1;
    *ret = end < 0 ? v->rest : str_sub(v->rest, 0, (size_t)end);
    v->rest = end < 0 ? STR_NONE : str_skip(v->rest, (size_t)end + v->separator.len);
    return true;
}

static bool
claim_has(struct exchange *ex, const struct json *claim, struct str separator, struct str wanted)
{
    struct values v = values_of(ex, claim, separator);
    struct str one;

    while (next_value(ex, &v, &one))
        if (str_eq(one, wanted))
            return true;
    return false;
}

/* *ret_ok false after an expression failed. */
static bool
claim_passes(struct exchange *ex, const struct token_claim *conf, const struct json *claim, bool *ret_ok)
{
    bool any = false, all = true;
    struct str wanted;
    int match;

    *ret_ok = pvalue_enum(ex, &conf->match, matches, &match);
    CHILDREN(&conf->values, struct token_text, t) {
        if (!*ret_ok || !pvalue_str(ex, &t->text, &wanted))
            return *ret_ok = false;
        bool has = wanted.p && claim_has(ex, claim, conf->separator, wanted);
        any |= has;
        all &= has;
    }
    return conf->values.n == 0 || (match == MATCH_ANY ? any : all);
}

static struct str
joined_values(struct exchange *ex, const struct json *claim, struct str separator)
{
    struct values v = values_of(ex, claim, separator);
    struct buf b = buf_in(ex->arena);
    struct str one;

    while (next_value(ex, &v, &one)) {
        if (b.len)
            buf_add_lit(&b, ", ");
        buf_add_str(&b, one);
    }
    return b.len ? buf_str(&b) : STR("");
}

static bool
refuse_missing_claims(const struct subject *s, struct exchange *ex, struct str names)
{
    refuse_with(s->conf, ex, E_TOKEN_CLAIM_NOT_FOUND, &names, 1);
    return false;
}

static bool
check_claims(const struct subject *s, struct exchange *ex)
{
    const struct children *list = token_items(&s->conf->claims);
    struct buf missing = buf_in(ex->arena);
    struct str name;

    CHILDREN(list, struct token_claim, c) {
        if (!pvalue_str(ex, &c->name, &name))
            return false;
        if (!json_get(s->token->claims, name)) {
            buf_add_str(&missing, missing.len ? STR(", ") : STR(""));
            buf_add_str(&missing, name);
        }
    }
    if (missing.len)
        return refuse_missing_claims(s, ex, buf_str(&missing));
    CHILDREN(list, struct token_claim, c) {
        const struct json *claim;
        bool ok;

        if (!pvalue_str(ex, &c->name, &name))
            return false;
        claim = json_get(s->token->claims, name);
        if (claim_passes(ex, c, claim, &ok))
            continue;
        if (ok)
            token_refuse_claim(s->conf, ex, name, joined_values(ex, claim, c->separator));
        return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool
set_output(const struct token_conf *conf, struct exchange *ex, const struct jwt *token)
{
    struct expr_run *run = conf->output.len ? exchange_expr_run(ex) : NULL;
    struct object *o;

    if (!conf->output.len)
        return true;
    if (run) {
        struct call call = expr_host_call(run);
        o = jwt_object_new(&call, token);
        ex->step_sources |= CALLER_TOKEN;
        if (o && exchange_set_variable(ex, conf->output, o))
            return true;
    }
    exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(conf->output));
    return false;
}

/* A token that was verified, at once or before. */
static enum flow
check_rules(const struct subject *s, struct exchange *ex, struct kept_token *kept)
{
    bool is_known_good = kept && kept->has_passed && s->conf->has_literal_rules;

    if (!check_lifetime(s, ex))
        return FLOW_ERROR;
    if (!is_known_good && (!check_audience(s, ex) || !check_issuer(s, ex) ||
                           (s->wanted->rule && !s->wanted->rule(s->conf, ex, s->token)) || !check_claims(s, ex)))
        return FLOW_ERROR;
    if (kept)
        kept->has_passed = true;
    ex->is_caller_proven = true;
    return set_output(s->conf, ex, s->token) ? FLOW_NEXT : FLOW_ERROR;
}

enum flow
token_check_run(const struct token_conf *conf, struct exchange *ex, const struct token_wanted *wanted)
{
    struct proof p AUTO(proof_destroy) = {.conf = conf, .wanted = wanted, .is_cacheable = true};
    struct subject s = {.conf = conf, .wanted = wanted};
    struct kept_token *kept = NULL;
    struct str text;

    if (!find_text(conf, ex, &text) || !pvalue_bool(ex, &conf->requires_signature, &p.needs_signature))
        return FLOW_ERROR;
    if (ex->services->tokens)
        kept = token_cache_find(ex->services->tokens, text, wanted->mark, loop_now_ms(ex->services->loop));
    if (ex->services->figures)
        metric_add(ex->services->figures, kept ? METRIC_TOKENS_SEEN : METRIC_TOKENS_VERIFIED, 1);
    if (!kept) {
        if (!read_token(ex, &p, text) || !check_signature(ex, &p))
            return FLOW_ERROR;
        kept = remember(ex, &p, text);
    }
    if (kept && !token_keep(kept, ex->arena))    /* before anything below may yield */
        return exchange_fail(ex, "no memory left for a token");
    s.token = kept ? &kept->token : &p.token;
    s.is_issuer_known = kept ? kept->is_issuer_known : p.is_issuer_known;
    return check_rules(&s, ex, kept);
}
