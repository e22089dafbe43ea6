/* token_check.h: what validate-jwt and validate-azure-ad-token have in common: finding the token, verifying it against keys and
 * issuers, the rules of its claims, the refusal.
 *
 *     policy -> token_check_run(conf, wanted)     conf: the element; wanted: keys and issuers as they are for this request
 * A token that passed is remembered by its worker (exchange/token_cache.h), together with a mark of all it was held against.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/hash.h"
#include "data/jwt.h"
#include "policy/policy.h"

#define TOKEN_ISSUERS_MAX 8           /* openid-config elements of one policy */

/* ---- elements ---- */

struct token_text {
    struct pvalue text;
};

/* <audiences><audience>...</audience></audiences> and the like. */
struct token_list {
    struct children items;            /* struct token_text, unless said otherwise */
};

struct token_claim {
    struct pvalue name, match;
    struct str separator;
    struct children values;           /* struct token_text */
};

struct token_key {
    struct pvalue text;               /* Base64 */
    struct str id, certificate, n, e;
};

struct token_conf {
    struct pvalue header, query, value;      /* where it is; one of them */
    struct pvalue scheme, requires_expiry, requires_signature, skew, status, message;
    struct str output;
    struct children audiences, issuers;      /* struct token_list, one or none */
    struct children claims;                  /* struct token_list of struct token_claim */
    struct children decryption_keys;         /* struct token_list of struct token_key */
    /* Filled by token_conf_compile(). */
    bool has_literal_rules;                  /* what a token passed once, it passes again */
    struct hash128 mark;                     /* of all literals */
};

extern const struct attr_def token_text_attrs[];
extern const struct child_def token_audience_children[], token_issuer_children[], token_claim_children[];
/* One row: an element that holds a list. */
#define TOKEN_LIST(struct_, field, name_, children_, about_) \
    {.name = (name_), .offset = offsetof(struct_, field), .size = sizeof(struct token_list), .children = (children_), .once = true, \
     .about = (about_)}
/* Rows that both policies have, for a struct that begins with a struct token_conf. */
#define TOKEN_ATTRS \
    VALUE_STR(struct token_conf, query, "query-parameter-name", .about = "Query parameter that is the token."), \
    VALUE_STR(struct token_conf, value, "token-value", .about = "The token itself, without `Bearer`."), \
    VALUE_U32(struct token_conf, status, "failed-validation-httpcode", .fallback = "401", .min = 200, .max = 999, .about = "Status of a refusal."), \
    VALUE_STR(struct token_conf, message, "failed-validation-error-message", \
              .about = "Message of a refusal; goes into the JSON body unescaped. Left out: `JWT not present.` or `Invalid JWT.`", \
              .unverified = "The default for other failures than a missing token is `Invalid JWT.`"), \
    ATTR_STR(struct token_conf, output, "output-token-variable-name", .about = "Variable that is a Jwt object afterwards.")
/* Children of an element that holds a list: their array, n 0 when the element is not there. */
const struct children *token_items(const struct children *list);

/* Seconds, or a TimeSpan; nothing is none. */
MUST_USE bool token_skew_parse(struct str text, int64_t *ret_s);
#define TOKEN_SKEW_EXPECTED "clock-skew: expected seconds or hh:mm:ss, found '%.*s'"
/* Where the token is, and what can be said at load. False after a diagnostic. */
bool token_conf_compile(struct compiler *c, const struct node *n, struct token_conf *conf);
/* A key's text: Base64, either alphabet. */
MUST_USE bool token_secret(struct arena *a, struct str text, struct str *ret, struct err *err);

/* ---- a request ---- */

/* What the token is held against. Everything lives as long as the exchange. */
struct token_wanted {
    struct str urls[TOKEN_ISSUERS_MAX];      /* of discovery documents */
    uint32_t n_urls;
    const struct jwt_key *keys, *decryption;
    size_t n_keys, n_decryption;
    struct hash128 mark;                     /* conf->mark, and what expressions gave */
    /* One more rule of the policy's own, after audience and issuer; false with the refusal made. NULL: none. */
    bool (*rule)(const void *conf, struct exchange *ex, const struct jwt *t);
};

/* Text and refusals follow conf. Yields. */
enum flow token_check_run(const struct token_conf *conf, struct exchange *ex, const struct token_wanted *wanted);
/* Refuses, with status and message of conf. Always FLOW_ERROR. */
enum flow token_refuse(const struct token_conf *conf, struct exchange *ex, enum error_id id, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* TokenClaimValueNotAllowed. */
enum flow token_refuse_claim(const struct token_conf *conf, struct exchange *ex, struct str name, struct str value);

/* A mark that also covers these bytes: for what is only known at run time. */
struct hash128 token_mark(struct hash128 mark, struct str more);
