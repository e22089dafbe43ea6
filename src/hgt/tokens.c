/* tokens.c: what `key`, `token` and `identity` steps make.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/tokens.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/num.h"
#include "data/jwe.h"

/* A script's clock begins up to an hour and a second ahead of the machine's (setup.c), and handshakes go by the latter: what
 * is over, not yet and right now keeps more than that away from the borders of both. */
#define HOUR_S INT64_C(3600)

/* ---- keys ---- */

static struct test_key *
find_key(struct secrets *s, struct str name)
{
    for (struct test_key *k = s->keys; k; k = k->next)
        if (str_eq(k->name, name))
            return k;
    return NULL;
}

static bool
secret_bytes(struct arena *a, struct str kind, struct str text, struct str *ret, struct err *err)
{
    struct buf b = buf_in(a);

    *ret = text;
    if (!str_eq_lit(kind, "secret-base64"))
        return true;
    if (!codec_base64_decode(&b, text, err))
        return false;
    *ret = buf_str(&b);
    return true;
}

static EVP_PKEY *
new_pkey(struct str kind, struct str text, const char **ret_alg)
{
    uint32_t bits;

    *ret_alg = str_eq_lit(kind, "p-384") ? "ES384" : str_eq_lit(kind, "p-521") ? "ES512" : str_eq_lit(kind, "ed25519") ? "EdDSA" : "ES256";
    if (str_eq_lit(kind, "rsa")) {
        *ret_alg = "RS256";
        return EVP_RSA_gen(num_parse_u32(text, 8192, &bits, NULL) ? bits : 2048);
    }
    if (str_eq_lit(kind, "ed25519"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_EC_gen(str_eq_lit(kind, "p-384") ? "P-384" : str_eq_lit(kind, "p-521") ? "P-521" : "P-256");
}

bool
secrets_add_key(struct secrets *s, struct arena *a, const struct step *step, struct str text, struct err *err)
{
    struct test_key *k = arena_new(a, struct test_key);
    struct str kid = step->target.p ? step->target : step->name, bytes;
    const char *alg = "HS256";
    bool ok;

    k->name = step->name;
    if (str_starts_with(step->method, STR("secret"))) {
        ok = secret_bytes(a, step->method, text, &bytes, err) && jwt_key_from_secret(bytes, kid, &k->key, err);
    } else {
        EVP_PKEY *pkey = new_pkey(step->method, text, &alg);
        ok = pkey ? jwt_key_from_pkey(pkey, kid, &k->key, err) : err_set(err, ERR_INVALID, "no such key can be made");
        EVP_PKEY_free(pkey);
    }
    if (!ok)
        return false;
    k->default_alg = str_from_c(alg);
    k->next = s->keys;
    s->keys = k;
    return true;
}

static struct str
number_part(struct arena *a, const struct test_key *k, const char *name)
{
    struct buf b = buf_in(a);
    const struct json *jwk;

    if (!jwt_key_write_jwk(&k->key, &b) || !(jwk = json_parse(a, buf_str(&b), JSON_STRICT, NULL)))
        return STR_NONE;
    return json_str(json_get(jwk, str_from_c(name)), STR_NONE);
}

struct str
secrets_key_part(struct secrets *s, struct arena *a, struct str name, struct str part)
{
    const struct test_key *k = find_key(s, name);
    struct buf b = buf_in(a);

    if (!k)
        return STR_NONE;
    if (str_eq_lit(part, "n") || str_eq_lit(part, "e"))
        return number_part(a, k, str_dup(a, part).p);
    if (str_eq_lit(part, "base64")) {
        codec_base64_encode(&b, str_from((const char *)k->key.secret, k->key.secret_size));
        return buf_str(&b);
    }
    if (str_eq_lit(part, "jwk"))
        return jwt_key_write_jwk(&k->key, &b) ? buf_str(&b) : STR_NONE;
    if (!str_eq_lit(part, "jwks"))
        return STR_NONE;
    buf_add_lit(&b, "{\"keys\":[");
    if (!jwt_key_write_jwk(&k->key, &b))
        return STR_NONE;
    buf_add_lit(&b, "]}");
    return buf_str(&b);
}

/* ---- tokens ---- */

/* A key, or that of an identity, which has no key id: made at first use. NULL: nobody is called so. */
static const struct test_key *
find_signer(struct secrets *s, struct arena *a, struct str name)
{
    struct test_key *k = find_key(s, name);
    struct test_identity *id = k ? NULL : secrets_identity(s, name);
    bool is_rsa = id && EVP_PKEY_get_base_id(id->identity.key) == EVP_PKEY_RSA;

    if (!id)
        return k;
    k = arena_new(a, struct test_key);
    if (!jwt_key_from_pkey(id->identity.key, STR_NONE, &k->key, NULL))
        return NULL;
    k->name = name;
    k->default_alg = is_rsa ? STR("RS256") : STR("ES256");
    k->next = s->keys;
    return s->keys = k;
}

static bool
seal(struct secrets *s, struct arena *a, const struct step *step, struct str inner, struct buf *to, struct err *err)
{
    const struct test_key *k = find_signer(s, a, step->path);
    bool is_secret;

    if (!k)
        return err_set(err, ERR_NOT_FOUND, "no key is called %.*s", STR_ARG(step->path));
    is_secret = k->key.kind == JWT_KEY_SECRET;
    return jwe_encrypt(&k->key, step->connection.p ? step->connection : is_secret ? STR("dir") : STR("RSA-OAEP"),
                       step->operations.p ? step->operations : STR("A128CBC-HS256"), STR("\"typ\":\"JWT\",\"cty\":\"JWT\""), inner, to, err);
}

static bool
sign(struct secrets *s, struct arena *a, const struct step *step, struct str header, struct str claims, struct buf *to, struct err *err)
{
    const struct test_key *k = find_signer(s, a, step->target);
    struct str alg;

    if (str_eq_lit(step->target, "none")) {
        codec_base64url_encode(to, header.len ? header : STR("{\"alg\":\"none\",\"typ\":\"JWT\"}"));
        buf_add_char(to, '.');
        codec_base64url_encode(to, claims);
        buf_add_char(to, '.');
        return true;
    }
    if (!k)
        return err_set(err, ERR_NOT_FOUND, "no key is called %.*s", STR_ARG(step->target));
    alg = step->method.p ? step->method : k->default_alg;
    if (!header.len && k->key.kid)
        header = str_printf(a, "{\"alg\":\"%.*s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", STR_ARG(alg), k->key.kid);
    else if (!header.len)
        header = str_printf(a, "{\"alg\":\"%.*s\",\"typ\":\"JWT\"}", STR_ARG(alg));
    return jwt_sign(&k->key, alg, header, claims, to, err);
}

bool
secrets_make_token(struct secrets *s, struct arena *a, const struct step *step, struct str header, struct str claims, struct str *ret,
                   struct err *err)
{
    struct buf token = buf_in(a), sealed = buf_in(a);

    if (!sign(s, a, step, header, claims, &token, err))
        return false;
    *ret = buf_str(&token);
    if (!step->path.p)
        return true;
    if (!seal(s, a, step, buf_str(&token), &sealed, err))
        return false;
    *ret = buf_str(&sealed);
    return true;
}

/* ---- identities ---- */

struct test_identity *
secrets_identity(struct secrets *s, struct str name)
{
    for (struct test_identity *id = s->identities; id; id = id->next)
        if (str_eq(id->name, name))
            return id;
    return NULL;
}

static int64_t
now_s(const struct secrets *s)
{
    return (int64_t)(clock_wall_ns(s->clock) / 1000000000u);
}

/* One line of the block, into the plan of the certificate. */
static bool
read_trait(struct secrets *s, struct arena *a, struct test_identity *id, struct identity_traits *t, struct str line, struct err *err)
{
    struct str rest = line, word;

    if (!word_next(a, &rest, &word))
        return true;
    if (str_eq_lit(word, "subject"))
        return word_next(a, &rest, &t->subject);
    if (str_eq_lit(word, "dns"))
        return word_next(a, &rest, &t->dns);
    if (str_eq_lit(word, "crl"))
        return word_next(a, &rest, &t->crl_url);
    if (str_eq_lit(word, "ocsp"))
        return word_next(a, &rest, &t->ocsp_url);
    if (str_eq_lit(word, "usage"))
        return word_next(a, &rest, &t->usage);
    if (str_eq_lit(word, "permitted"))
        return word_next(a, &rest, &t->permitted);
    if (str_eq_lit(word, "signed-by")) {
        if (!word_next(a, &rest, &word) || !(id->authority = secrets_identity(s, word)))
            return err_set(err, ERR_NOT_FOUND, "no identity is called %.*s", STR_ARG(word));
        return true;
    }
    id->is_self_signed |= str_eq_lit(word, "self-signed");
    id->is_revoked |= str_eq_lit(word, "revoked");
    t->is_authority |= str_eq_lit(word, "authority");
    t->is_rsa |= str_eq_lit(word, "rsa");
    if (str_eq_lit(word, "expired") || str_eq_lit(word, "future")) {
        t->from_s = now_s(s) + (str_eq_lit(word, "expired") ? -3 * HOUR_S : 2 * HOUR_S);
        t->to_s = t->from_s + HOUR_S;
        return true;
    }
    return id->is_self_signed || id->is_revoked || t->is_authority || t->is_rsa ||
           err_set(err, ERR_SYNTAX, "expected subject, dns, usage, crl, ocsp, permitted, signed-by, self-signed, revoked, authority, rsa, "
                                    "expired or future, found %.*s", STR_ARG(word));
}

bool
secrets_add_identity(struct secrets *s, struct arena *a, const struct identity *authority, const struct step *step, struct str lines,
                     struct err *err)
{
    struct test_identity *id = arena_new(a, struct test_identity);
    struct identity_traits traits = {.subject = str_concat(a, STR("CN="), step->name), .from_s = now_s(s) - 2 * HOUR_S,
                                     .to_s = now_s(s) + INT64_C(30) * 24 * 3600};
    struct str line;

    id->name = step->name;
    while (str_split_next(&lines, '\n', &line))
        if (!read_trait(s, a, id, &traits, line, err))
            return false;
    if (id->authority)
        authority = &id->authority->identity;
    if (!identity_create_with(&id->identity, id->is_self_signed ? NULL : authority, &traits, a))
        return err_set(err, ERR_INVALID, "no certificate like this can be made");
    id->next = s->identities;
    s->identities = id;
    return true;
}

/* The certificates above it, up to the script's own authority. */
static void
add_chain(const struct test_identity *id, struct buf *to, struct arena *a)
{
    for (const struct test_identity *up = id->authority; up; up = up->authority)
        buf_add_str(to, identity_pem(&up->identity, false, a));
}

SSL_CTX *
secrets_client(struct test_identity *id, const struct identity *authority)
{
    if (id->client)
        return id->client;
    id->client = identity_client_context(authority);
    ASSERT(SSL_CTX_use_certificate(id->client, id->identity.certificate) == 1 &&
           SSL_CTX_use_PrivateKey(id->client, id->identity.key) == 1);
    for (const struct test_identity *up = id->authority; up; up = up->authority)
        SSL_CTX_add1_chain_cert(id->client, up->identity.certificate);
    return id->client;
}

static struct str
written(struct arena *a, const char *folder, const struct test_identity *id, const char *ending, struct str bytes)
{
    struct str path = str_printf(a, "%s/identity-%.*s.%s", folder, STR_ARG(id->name), ending);

    return file_write_atomic(path.p, bytes, 0600, NULL) ? path : STR_NONE;
}

static struct str
hex(struct arena *a, struct str bytes)
{
    struct buf b = buf_in(a);

    codec_hex_encode(&b, bytes, true);
    return buf_str(&b);
}

/* Serial numbers of what this authority signed and a script revoked. */
static struct str
revocation_part(struct secrets *s, struct arena *a, const struct test_identity *id, bool is_ocsp)
{
    X509 *revoked[64];
    size_t n = 0;

    if (is_ocsp)
        return id->authority ? identity_ocsp(&id->authority->identity, &id->identity, id->is_revoked, now_s(s), a) : STR_NONE;
    for (const struct test_identity *it = s->identities; it && n < COUNTOF(revoked); it = it->next)
        if (it->authority == id && it->is_revoked)
            revoked[n++] = it->identity.certificate;
    return identity_crl(&id->identity, revoked, n, now_s(s), a);
}

struct str
secrets_identity_part(struct secrets *s, struct arena *a, const char *folder, struct str name, struct str part)
{
    struct test_identity *id = secrets_identity(s, name);
    struct buf b = buf_in(a);

    if (!id)
        return STR_NONE;
    if (str_eq_lit(part, "file")) {
        buf_add_str(&b, identity_pem(&id->identity, true, a));
        add_chain(id, &b, a);
        return id->file.p ? id->file : (id->file = written(a, folder, id, "pem", buf_str(&b)));
    }
    if (str_eq_lit(part, "certificate"))
        return written(a, folder, id, "crt", identity_pem(&id->identity, false, a));
    if (str_eq_lit(part, "pfx"))
        return id->pfx.p ? id->pfx : (id->pfx = written(a, folder, id, "pfx", identity_pkcs12(&id->identity, "secret", a)));
    if (str_eq_lit(part, "base64") || str_eq_lit(part, "base64-without-password")) {
        codec_base64_encode(&b, identity_pkcs12(&id->identity, str_eq_lit(part, "base64") ? "secret" : "", a));
        return buf_str(&b);
    }
    if (str_eq_lit(part, "thumbprint"))
        return hex(a, identity_thumbprint(&id->identity, a));
    if (str_eq_lit(part, "serial"))
        return hex(a, identity_serial(&id->identity, a));
    if (str_eq_lit(part, "crl") || str_eq_lit(part, "ocsp"))
        return revocation_part(s, a, id, str_eq_lit(part, "ocsp"));
    return STR_NONE;
}

void
secrets_destroy(struct secrets *s)
{
    for (struct test_key *k = s->keys; k; k = k->next)
        jwt_key_destroy(&k->key);
    for (struct test_identity *id = s->identities; id; id = id->next) {
        SSL_CTX_free(id->client);
        identity_destroy(&id->identity);
    }
    *s = (struct secrets){0};
}
