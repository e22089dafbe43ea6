/* p_validate_jwt.c: <validate-jwt header-name="Authorization"> <openid-config url="..."/> <issuer-signing-keys><key/>...
 *                   <audiences/> <issuers/> <required-claims/> </validate-jwt>
 * A request without a token that passes is refused with 401. Keys stand in the document, in the configuration's certificates, or
 * come from issuers; what is done with them is token_check.c's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "backend/certificates.h"
#include "base/vec.h"
#include "model/model.h"
#include "policy/compile.h"
#include "policy/token_check.h"

struct openid_config {
    struct pvalue url;
    bool validates;
};

struct validate_jwt {
    struct token_conf super;
    struct children issuers_by_url;   /* struct openid_config */
    struct children signing_keys;     /* struct token_list of struct token_key */
    /* Keys that are known at load. */
    struct key_list {
        struct jwt_key *v;
        size_t n, cap;
    } keys, decryption;
    bool is_fixed;                    /* no expression and no certificate: nothing to look up for a request */
};

/* ---- tables ---- */

static const struct attr_def openid_attrs[] = {
    VALUE_STR(struct openid_config, url, "url", .required = true, .about = "Address of the issuer's discovery document."),
    ATTR_BOOL(struct openid_config, validates, "validate-connectivity", .about = "Whether Azure calls the address when the document is saved.",
              .no_effect = "addresses are not called when a document is loaded"),
    ATTR_END
};

#define KEY_ATTRS \
    VALUE_STR(struct token_key, text, "", .is_literal = true, .about = "The secret, Base64-encoded."), \
    ATTR_STR(struct token_key, certificate, "certificate-id", .about = "Name of a certificate instead.")

static const struct attr_def signing_key_attrs[] = {
    KEY_ATTRS,
    ATTR_STR(struct token_key, id, "id", .about = "Key id that tokens name it by."),
    ATTR_STR(struct token_key, n, "n", .about = "Modulus of an RSA key, Base64url; with `e`."),
    ATTR_STR(struct token_key, e, "e", .about = "Exponent of an RSA key, Base64url; with `n`."),
    ATTR_END
};

static const struct attr_def decryption_key_attrs[] = {KEY_ATTRS, ATTR_END};

static const struct child_def signing_key_children[] = {
    {.name = "key", .offset = offsetof(struct token_list, items), .size = sizeof(struct token_key), .attrs = signing_key_attrs, .about = "A key."}, CHILD_END
};
static const struct child_def decryption_key_children[] = {
    {.name = "key", .offset = offsetof(struct token_list, items), .size = sizeof(struct token_key), .attrs = decryption_key_attrs, .about = "A key."}, CHILD_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct token_conf, header, "header-name", .is_header_name = true,
              .about = "Header that holds the token, behind a scheme if it is Authorization."),
    TOKEN_ATTRS,
    VALUE_STR(struct token_conf, scheme, "require-scheme", .about = "Scheme that the Authorization header must have: Bearer.",
              .unverified = "Schemes compare without case."),
    VALUE_BOOL(struct token_conf, requires_expiry, "require-expiration-time", .fallback = "true", .about = "Refuse tokens without `exp`."),
    VALUE_BOOL(struct token_conf, requires_signature, "require-signed-tokens", .fallback = "true",
               .about = "Refuse tokens that say they are not signed (`alg` none)."),
    VALUE_STR(struct token_conf, skew, "clock-skew", .fallback = "0", .about = "Seconds (or hh:mm:ss) that clocks may differ."),
    ATTR_END
};

/* ---- at load ---- */

static void
destroy_keys(void *list)
{
    struct key_list *keys = list;

    for (size_t i = 0; i < keys->n; i++)
        jwt_key_destroy(&keys->v[i]);
}

static const struct node *
key_node(const struct node *n, const char *list, uint32_t index)
{
    const struct node *parent = node_child(n, list), *child = parent ? parent->first_child : NULL;

    for (; child; child = child->next)
        if (index-- == 0)
            return child;
    return n;
}

static bool
check_certificate(struct compiler *c, const struct node *n, struct str id)
{
    const struct policy_names *names = c->in->names;

    if (names && !(names->certificate && names->certificate(names->ctx, id)))
        return compile_unknown_name(c, n, "certificate", id);
    return true;
}

/* A key that is known now goes to *list. */
static bool
compile_key(struct compiler *c, const struct node *n, const struct token_key *k, struct key_list *list)
{
    bool has_rsa = k->n.len || k->e.len;
    struct err err = ERR_INIT;
    struct jwt_key key;
    struct str secret;

    if ((pvalue_is_set(&k->text) && k->text.text.len > 0) + (k->certificate.len > 0) + has_rsa != 1)
        return compile_error(c, n, "a <key> is a Base64 text, a certificate-id, or n and e");
    if (k->certificate.len)
        return check_certificate(c, n, k->certificate);
    if (k->text.program || compile_is_placeholder(c, k->text.text))
        return true;
    if (has_rsa) {
        if (!k->n.len || !k->e.len)
            return compile_error(c, n, "n and e stand together");
        if (!jwt_key_from_rsa(k->n, k->e, k->id, &key, &err))
            return compile_error(c, n, "%s", err.text);
    } else {
        if (!token_secret(c->arena, k->text.text, &secret, &err))
            return compile_error(c, n, "a key must be Base64: %s", err.text);
        if (!jwt_key_from_secret(secret, k->id, &key, &err)) {
            compile_warning(c, n, "%s, no token passes by this key", err.text);
            return true;
        }
        if (key.secret_size < 32)
            compile_warning(c, n, "a key of %zu bytes is easier to guess than its algorithm to break; 32 or more are good", key.secret_size);
    }
    *avec_push(c->arena, list) = key;
    return true;
}

static bool
compile_keys(struct compiler *c, const struct node *n, const char *name, const struct children *list, struct key_list *ret)
{
    uint32_t i = 0;
    bool ok = true;

    if (list->n && !token_items(list)->n)
        return compile_error(c, n, "<%s> needs a <key>", name);
    if (!arena_defer(c->arena, destroy_keys, ret))
        return compile_error(c, n, "no memory left for keys");
    CHILDREN(token_items(list), struct token_key, k)
        ok &= compile_key(c, key_node(n, name, i++), k, ret);
    return ok;
}

static bool
is_fixed_key(const struct token_key *k)
{
    return !k->text.program && !k->certificate.len;
}

static void
mark_key(struct token_conf *conf, const struct token_key *k, const char *use)
{
    struct str parts[] = {str_from_c(use), k->text.text, k->id, k->certificate, k->n, k->e};

    for (size_t i = 0; i < COUNTOF(parts); i++)
        conf->mark = token_mark(conf->mark, parts[i].p ? parts[i] : STR(""));
}

static void
find_out_what_is_fixed(struct validate_jwt *v)
{
    v->is_fixed = v->issuers_by_url.n > 0 || v->keys.n > 0;    /* else jwt.default-openid-config, which may change */
    CHILDREN(&v->issuers_by_url, struct openid_config, o) {
        v->is_fixed &= !o->url.program;
        v->super.mark = token_mark(v->super.mark, o->url.text);
    }
    CHILDREN(token_items(&v->signing_keys), struct token_key, k) {
        v->is_fixed &= is_fixed_key(k);
        mark_key(&v->super, k, "sign");
    }
    CHILDREN(token_items(&v->super.decryption_keys), struct token_key, k) {
        v->is_fixed &= is_fixed_key(k);
        mark_key(&v->super, k, "decrypt");
    }
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct validate_jwt *v = conf;

    if (v->issuers_by_url.n > TOKEN_ISSUERS_MAX)
        return compile_error(c, n, "more than %d openid-config elements", TOKEN_ISSUERS_MAX);
    if (node_attr(n, "require-scheme") && !v->super.header.program &&
        !str_eq_nocase(str_trim(v->super.header.text), STR("Authorization")))
        compile_warning(c, n, "require-scheme has no effect: only the Authorization header has a scheme");
    if (!token_conf_compile(c, n, &v->super) || !compile_keys(c, n, "issuer-signing-keys", &v->signing_keys, &v->keys) ||
        !compile_keys(c, n, "decryption-keys", &v->super.decryption_keys, &v->decryption))
        return false;
    if (!v->issuers_by_url.n && !token_items(&v->signing_keys)->n)
        compile_warning(c, n, "neither <issuer-signing-keys> nor <openid-config>: without jwt.default-openid-config every request is refused");
    find_out_what_is_fixed(v);
    return true;
}

/* ---- a request ---- */

/* The key of a certificate: public for signatures, private for decryption. *ret_some false: it has none. */
static bool
certificate_key(struct exchange *ex, const struct token_key *k, bool is_private, struct jwt_key *ret, bool *ret_some)
{
    const struct loaded_certificate *c = ex->backends ? certificates_find(ex->backends->certificates, k->certificate) : NULL;
    EVP_PKEY *pkey = !c || !c->own.x509 ? NULL : is_private ? c->own.key : X509_get0_pubkey(c->own.x509);
    struct err err;

    *ret_some = pkey && jwt_key_from_pkey(pkey, k->id, ret, &err);
    if (c)
        return true;
    exchange_fail(ex, "there is no certificate '%.*s'", STR_ARG(k->certificate));
    return false;
}

static bool
text_key(struct exchange *ex, const struct token_key *k, struct token_wanted *w, struct jwt_key *ret, bool *ret_some)
{
    struct str text, secret;
    struct err err;

    if (!pvalue_str(ex, &k->text, &text))
        return false;
    w->mark = token_mark(w->mark, text);
    if (!token_secret(ex->arena, text, &secret, &err)) {
        exchange_fail(ex, "a key must be Base64: %s", err.text);
        return false;
    }
    *ret_some = jwt_key_from_secret(secret, k->id, ret, NULL);
    return true;
}

/* The document's own keys, then those that only this request knows. */
static bool
gather_keys(struct exchange *ex, const struct children *conf, const struct key_list *fixed, bool is_private, struct token_wanted *w,
            const struct jwt_key **ret, size_t *ret_n)
{
    struct jwt_key *all = arena_new_array(ex->arena, struct jwt_key, fixed->n + conf->n + 1);
    struct key_list *own = arena_new(ex->arena, struct key_list);

    if (!all || !own || !arena_defer(ex->arena, destroy_keys, own)) {
        exchange_fail(ex, "no memory left for keys");
        return false;
    }
    own->v = all;                     /* those of this request stand first and are freed; the others are views */
    CHILDREN(conf, struct token_key, k) {
        bool some = false;

        if (is_fixed_key(k))
            continue;
        if (!(k->certificate.len ? certificate_key(ex, k, is_private, &all[own->n], &some) : text_key(ex, k, w, &all[own->n], &some)))
            return false;
        own->n += some;
    }
    for (size_t i = 0; i < fixed->n; i++)
        all[own->n + i] = fixed->v[i];
    *ret = all;
    *ret_n = own->n + fixed->n;
    return true;
}

static bool
gather(const struct validate_jwt *v, struct exchange *ex, struct token_wanted *w)
{
    const struct children *keys = token_items(&v->signing_keys);
    struct str fallback = ex->model ? ex->model->settings.default_openid_config : STR_NONE;
    uint64_t generation = ex->model ? ex->model->generation : 0;

    CHILDREN(&v->issuers_by_url, struct openid_config, o) {
        if (!pvalue_str(ex, &o->url, &w->urls[w->n_urls]))
            return false;
        w->urls[w->n_urls] = str_trim(w->urls[w->n_urls]);
        w->mark = token_mark(w->mark, w->urls[w->n_urls++]);
    }
    if (!w->n_urls && !keys->n && fallback.len) {
        w->mark = token_mark(w->mark, fallback);
        w->urls[w->n_urls++] = fallback;
    }
    /* Certificates change with the configuration. */
    w->mark = token_mark(w->mark, str_from((const char *)&generation, sizeof(generation)));
    return gather_keys(ex, keys, &v->keys, false, w, &w->keys, &w->n_keys) &&
           gather_keys(ex, token_items(&v->super.decryption_keys), &v->decryption, true, w, &w->decryption, &w->n_decryption);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct validate_jwt *v = conf;
    struct token_wanted w = {.mark = v->super.mark};

    if (!v->is_fixed)
        return gather(v, ex, &w) ? token_check_run(&v->super, ex, &w) : FLOW_ERROR;
    w.keys = v->keys.v;
    w.n_keys = v->keys.n;
    w.decryption = v->decryption.v;
    w.n_decryption = v->decryption.n;
    CHILDREN(&v->issuers_by_url, struct openid_config, o)
        w.urls[w.n_urls++] = o->url.text;
    return token_check_run(&v->super, ex, &w);
}

static const struct child_def children[] = {
    {.name = "openid-config", .offset = offsetof(struct validate_jwt, issuers_by_url), .size = sizeof(struct openid_config),
     .attrs = openid_attrs, .about = "An issuer: its name and keys come from its discovery document."},
    TOKEN_LIST(struct validate_jwt, signing_keys, "issuer-signing-keys", signing_key_children, "Keys that tokens are signed with."),
    TOKEN_LIST(struct token_conf, decryption_keys, "decryption-keys", decryption_key_children,
               "Keys that encrypted tokens are opened with."),
    TOKEN_LIST(struct token_conf, audiences, "audiences", token_audience_children, "Audiences, one of which the token must be for."),
    TOKEN_LIST(struct token_conf, issuers, "issuers", token_issuer_children, "Issuers that pass, beside those that openid-config names."),
    TOKEN_LIST(struct token_conf, claims, "required-claims", token_claim_children, "Claims that must be there."),
    CHILD_END
};

const struct policy_def policy_validate_jwt = {
    .name = "validate-jwt", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct validate_jwt), .compile = compile, .run = run,
    .summary = "Lets only requests through that carry a valid JSON Web Token.",
    .usage = "Signatures: HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA. The type of the key "
             "decides which of them may be; the token's header only chooses among these, and keys in it are not looked at.\nEncryption: dir, "
             "A128KW to A256KW, A128GCMKW to A256GCMKW, RSA-OAEP, RSA-OAEP-256, RSA1_5, ECDH-ES and PBES2 with A128CBC-HS256 to A256CBC-HS512 and "
             "A128GCM to A256GCM.\nWhat an issuer publishes is kept for an hour. A key id that it does not know is looked for again, at most "
             "once in five minutes; while the issuer cannot be reached its last keys go on serving.\nA token whose key is one of an issuer must "
             "name that issuer, or one of <issuers>.\nA token that passed is remembered until it expires, keys or document change.",
};
