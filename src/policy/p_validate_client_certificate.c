/* p_validate_client_certificate.c: <validate-client-certificate validate-trust="true" validate-revocation="true" ...>
 *                                      <identities><identity subject="CN=x" issuer-subject="CN=ca" /></identities>
 *                                  </validate-client-certificate>
 * The client must have shown a certificate that passes. What costs signatures or somebody else's answer is found out once for a
 * certificate, for all workers, and kept for some minutes; its dates are compared with each request.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "backend/backends.h"
#include "backend/certificates.h"
#include "base/codec.h"
#include "data/crypto.h"
#include "data/x500.h"
#include "exchange/revocation.h"
#include "exchange/supply.h"
#include "http/server.h"
#include "model/model.h"
#include "net/stream.h"
#include "net/tls.h"
#include "policy/compile.h"
#include "policy/token_check.h"
#include "rt/loop.h"
#include "rt/offload.h"

#define VERDICT_S 300                 /* how long one serves at most */
#define WAIT_MS 15000

struct identity {
    struct str thumbprint, serial, common_name, subject, dns_name, issuer_subject, issuer_thumbprint, issuer_certificate;
    struct x500_name subject_name, issuer_name;      /* parsed at load; n 0: not asked for */
};

struct client_certificate {
    bool revocation, trust, not_before, not_after, ignore_error;
    struct children identities;       /* struct token_list of struct identity */
    struct hash128 mark;              /* of all of it */
};

static const struct attr_def identity_attrs[] = {
    ATTR_STR(struct identity, thumbprint, "thumbprint", .about = "SHA-1 (or SHA-256) of the certificate, hexadecimal."),
    ATTR_STR(struct identity, serial, "serial-number", .about = "Its serial number, hexadecimal."),
    ATTR_STR(struct identity, common_name, "common-name", .about = "Common name of its subject."),
    ATTR_STR(struct identity, subject, "subject", .about = "Its subject: `CN=name, OU=unit, C=US`.",
             .unverified = "Names are compared part by part, in the order written or the opposite one, without case."),
    ATTR_STR(struct identity, dns_name, "dns-name", .about = "A DNS name in its subject alternative names."),
    ATTR_STR(struct identity, issuer_subject, "issuer-subject", .about = "Subject of its issuer."),
    ATTR_STR(struct identity, issuer_thumbprint, "issuer-thumbprint", .about = "Thumbprint of its issuer."),
    ATTR_STR(struct identity, issuer_certificate, "issuer-certificate-id",
             .about = "Name of a configured certificate that must have issued it; not with the other issuer attributes."),
    ATTR_END
};

static const struct child_def identity_children[] = {
    {.name = "identity", .offset = offsetof(struct token_list, items), .size = sizeof(struct identity), .attrs = identity_attrs,
     .about = "One whose every attribute fits lets the request through."},
    CHILD_END
};

static const struct attr_def attrs[] = {
    ATTR_BOOL(struct client_certificate, revocation, "validate-revocation", .fallback = "true",
              .about = "Ask the responders and lists that the certificate and its issuers name.",
              .unverified = "A certificate that names none has nobody to ask and passes; one whose responders and lists cannot be reached does not."),
    ATTR_BOOL(struct client_certificate, trust, "validate-trust", .fallback = "true",
              .about = "It must lead to a CA of the listener, of `trust` in headgate.yaml, or of the system, for authenticating clients."),
    ATTR_BOOL(struct client_certificate, not_before, "validate-not-before", .fallback = "true", .about = "It must be valid already."),
    ATTR_BOOL(struct client_certificate, not_after, "validate-not-after", .fallback = "true", .about = "It must not have expired."),
    ATTR_BOOL(struct client_certificate, ignore_error, "ignore-error", .fallback = "false", .about = "Go on when it does not pass."),
    ATTR_END
};

static const struct child_def children[] = {
    TOKEN_LIST(struct client_certificate, identities, "identities", identity_children, "Certificates that pass; without it, every one."),
    CHILD_END
};

/* ---- at load ---- */

static bool
parse_name(struct compiler *c, const struct node *n, const char *what, struct str text, struct x500_name *ret)
{
    struct err err;

    return !text.p || x500_parse(c->arena, text, ret, &err) || compile_error(c, n, "%s: %s", what, err.text);
}

static bool
compile_identity(struct compiler *c, const struct node *n, struct identity *i)
{
    const struct policy_names *names = c->in->names;
    bool has_issuer = i->issuer_subject.p || i->issuer_thumbprint.p;

    if (!i->thumbprint.p && !i->serial.p && !i->common_name.p && !i->subject.p && !i->dns_name.p && !has_issuer && !i->issuer_certificate.p)
        return compile_error(c, n, "an <identity> without attributes");
    if (i->issuer_certificate.p && has_issuer)
        return compile_error(c, n, "issuer-certificate-id stands without issuer-subject and issuer-thumbprint");
    if (i->issuer_certificate.p && names && !(names->certificate && names->certificate(names->ctx, i->issuer_certificate)) &&
        !compile_unknown_name(c, n, "certificate", i->issuer_certificate))
        return false;
    return parse_name(c, n, "subject", i->subject, &i->subject_name) && parse_name(c, n, "issuer-subject", i->issuer_subject, &i->issuer_name);
}

static void
add_mark(struct client_certificate *v)
{
    bool flags[] = {v->revocation, v->trust};

    v->mark = token_mark(v->mark, str_from((const char *)flags, sizeof(flags)));
    CHILDREN(token_items(&v->identities), struct identity, i) {
        struct str texts[] = {i->thumbprint, i->serial, i->common_name, i->subject, i->dns_name, i->issuer_subject, i->issuer_thumbprint,
                              i->issuer_certificate};
        for (size_t k = 0; k < COUNTOF(texts); k++)
            v->mark = token_mark(v->mark, texts[k].p ? texts[k] : STR("\x01"));
    }
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct client_certificate *v = conf;
    const struct node *list = node_child(n, "identities"), *child = list ? list->first_child : NULL;
    struct children *items = (struct children *)(uintptr_t)token_items(&v->identities);
    struct identity *all = items->v;

    if (list && items->n == 0)
        return compile_error(c, list, "<identities> needs an <identity>");
    for (uint32_t i = 0; i < items->n; i++) {
        if (!compile_identity(c, child ? child : n, &all[i]))
            return false;
        child = child ? child->next : NULL;
    }
    add_mark(v);
    return true;
}

/* ---- identities ---- */

/* Hexadecimal digits without blanks, colons and leading zeros, against bytes. */
static bool
same_hex(struct str text, struct str bytes)
{
    char digits[2 * 64], plain[2 * 64];
    size_t n = 0, m = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (ascii_is_blank(text.p[i]) || text.p[i] == ':' || (n == 0 && text.p[i] == '0'))
            continue;
        if (n == sizeof(digits) || ascii_hex_value(text.p[i]) < 0)
            return false;
        digits[n++] = (char)ascii_hex_value(text.p[i]);
    }
    for (size_t i = 0; i < bytes.len && m + 2 <= sizeof(plain); i++) {
        plain[m++] = (char)((unsigned char)bytes.p[i] >> 4);
        plain[m++] = (char)(bytes.p[i] & 15);
    }
    size_t skip = 0;
    while (skip < m && plain[skip] == 0)
        skip++;
    return bytes.len <= 64 && n > 0 && n == m - skip && memcmp(digits, plain + skip, n) == 0;
}

static bool
has_thumbprint(const X509 *x, struct str text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!x)
        return false;
    if (X509_digest(x, EVP_sha1(), digest, &n) == 1 && same_hex(text, str_from((const char *)digest, n)))
        return true;
    return X509_digest(x, EVP_sha256(), digest, &n) == 1 && same_hex(text, str_from((const char *)digest, n));
}

static bool
has_serial(const X509 *x, struct str text)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);

    return same_hex(text, str_from((const char *)ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
}

static bool
has_dns_name(const X509 *x, struct str text)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            found = str_eq_nocase(text, str_from((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                                 (size_t)ASN1_STRING_length(name->d.dNSName)));
    }
    GENERAL_NAMES_free(names);
    return found;
}

static bool
is_issued_by(X509 *x, const struct loaded_certificate *issuer)
{
    return issuer && issuer->own.x509 && X509_check_issued(issuer->own.x509, x) == X509_V_OK &&
           X509_verify(x, X509_get0_pubkey(issuer->own.x509)) == 1;
}

/* What is looked at: the certificate, and its issuer where it is known. */
struct shown {
    X509 *certificate, *issuer;
};

static bool
fits(struct exchange *ex, const struct identity *i, const struct shown *s)
{
    const X509_NAME *subject = X509_get_subject_name(s->certificate);

    return (!i->thumbprint.p || has_thumbprint(s->certificate, i->thumbprint)) && (!i->serial.p || has_serial(s->certificate, i->serial)) &&
           (!i->common_name.p || str_eq_nocase(i->common_name, x500_get(ex->arena, subject, NID_commonName))) &&
           (!i->subject.p || x500_matches(&i->subject_name, subject)) &&
           (!i->dns_name.p || has_dns_name(s->certificate, i->dns_name)) &&
           (!i->issuer_subject.p || x500_matches(&i->issuer_name, X509_get_issuer_name(s->certificate))) &&
           (!i->issuer_thumbprint.p || has_thumbprint(s->issuer, i->issuer_thumbprint)) &&
           (!i->issuer_certificate.p || is_issued_by(s->certificate, certificates_find(ex->backends->certificates, i->issuer_certificate)));
}

/* ---- the verdict ---- */

struct verdict {
    struct supply_value super;
    int64_t not_before_s, not_after_s;
    enum error_id id;                 /* E_NONE: it passes, but for its dates */
    char *problem;                    /* of E_CLIENT_CERTIFICATE_INVALID */
};

static void
destroy(struct supply_value *v)
{
    struct verdict *verdict = CONTAINER_OF(v, struct verdict, super);

    free(verdict->problem);
    free(verdict);
}

/* What the verdict is about; the configuration it points into is held by whoever asks. */
struct question {
    const struct client_certificate *conf;
    struct str certificate, chain, client_ca;
};

static const void *
copy(struct arena *a, const void *what)
{
    const struct question *from = what;
    struct question *q = arena_new(a, struct question);

    if (!q)
        return NULL;
    *q = (struct question){from->conf, str_dup(a, from->certificate), str_dup(a, from->chain), str_dup(a, from->client_ca)};
    return q->certificate.p && q->chain.p && q->client_ca.p ? q : NULL;
}

struct trust_check {
    const struct tls_client *trust;
    struct tls_client_check check;
    struct buf path;
    struct err err;
    bool ok;
};

static void
check_trust(void *arg)
{
    struct trust_check *t = arg;

    t->ok = tls_client_check(t->trust, &t->check, &t->path, &t->err);
}

static int64_t
wall_s(const struct exchange *ex)
{
    return (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000u);
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : INT64_MAX;
}

/* The issuer among the certificates of a way up, or of what the client sent; itself when it is self-signed. The caller frees both. */
static void
open_shown(const struct question *q, struct str path, struct shown *ret)
{
    const unsigned char *p = (const unsigned char *)q->certificate.p, *end;
    struct str rest = path.len ? path : q->chain;

    *ret = (struct shown){.certificate = d2i_X509(NULL, &p, (long)q->certificate.len)};
    p = (const unsigned char *)rest.p;
    for (end = p + rest.len; ret->certificate && !ret->issuer && p < end;) {
        X509 *x = d2i_X509(NULL, &p, end - p);
        if (!x)
            break;
        if (X509_check_issued(x, ret->certificate) == X509_V_OK)
            ret->issuer = x;
        else
            X509_free(x);
    }
    if (ret->certificate && !ret->issuer && X509_check_issued(ret->certificate, ret->certificate) == X509_V_OK) {
        X509_up_ref(ret->certificate);
        ret->issuer = ret->certificate;
    }
    ERR_clear_error();
}

static bool
any_fits(struct exchange *ex, const struct question *q, const struct shown *s)
{
    const struct children *list = token_items(&q->conf->identities);

    CHILDREN(list, struct identity, i)
        if (fits(ex, i, s))
            return true;
    return list->n == 0;
}

/* What is settled for some minutes: *ret_id E_NONE or why not; false with *err: it could not be found out. */
static bool
judge(struct exchange *ex, const struct question *q, const struct trust_check *t, const struct shown *s, enum error_id *ret_id,
      uint64_t *ret_valid_s, struct err *err)
{
    *ret_id = E_NONE;
    *ret_valid_s = VERDICT_S;
    if (!s->certificate || (q->conf->trust && !t->ok)) {
        *ret_id = E_CLIENT_CERTIFICATE_INVALID;
        err_set(err, ERR_DENIED, "%s", s->certificate ? t->err.text : "it cannot be read");
        return true;
    }
    if (!any_fits(ex, q, s)) {
        *ret_id = E_CLIENT_CERTIFICATE_NOT_ALLOWED;
        return true;
    }
    /* Nobody vouches for the addresses in a certificate that leads nowhere. */
    if (!q->conf->revocation || !t->ok)
        return true;
    if (revocation_check(ex, str_from(t->path.p, t->path.len), ret_valid_s, err))
        return true;
    *ret_id = E_CLIENT_CERTIFICATE_INVALID;
    return err->code == ERR_DENIED;
}

static struct verdict *
verdict_new(enum error_id id, const struct shown *s, const struct err *err)
{
    struct verdict *v = xnew(struct verdict);

    *v = (struct verdict){.super = {.refs = 1, .destroy = destroy, .tag = 1}, .id = id};
    if (id == E_CLIENT_CERTIFICATE_INVALID)
        v->problem = xstrndup(err->text, strlen(err->text));
    if (s->certificate) {
        v->not_before_s = seconds_of(X509_get0_notBefore(s->certificate));
        v->not_after_s = seconds_of(X509_get0_notAfter(s->certificate));
    }
    return v;
}

static bool
fetch(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err)
{
    const struct question *q = what;
    struct trust_check t = {.trust = ex->backends->env.tls, .check = {.certificate = q->certificate, .chain = q->chain,
                            .also_pem = q->client_ca, .now_s = wall_s(ex), .ignores_not_before = true, .ignores_not_after = true}};
    uint64_t valid_s;
    enum error_id id;
    struct shown s;
    bool ok;

    if (!t.trust || !offload_call(ex->services->offload, check_trust, &t, err)) {
        buf_destroy(&t.path);
        return t.trust ? false : err_set(err, ERR_UNSUPPORTED, "no trusted CAs are set up");
    }
    open_shown(q, str_from(t.path.p, t.path.len), &s);
    ok = judge(ex, q, &t, &s, &id, &valid_s, err);
    if (ok) {
        *ret = &verdict_new(id, &s, err)->super;
        valid_s = MIN(valid_s, (uint64_t)VERDICT_S);
        *ret_life = (struct supply_life){.valid_ms = valid_s * 1000, .fresh_ms = valid_s * 900};
    }
    X509_free(s.certificate);
    X509_free(s.issuer);
    buf_destroy(&t.path);
    return ok;
}

static const struct supply_kind kind = {
    .name = "client-certificate", .fetch = fetch, .copy = copy, .wait_ms = WAIT_MS,
    .limits = {.buffered_body_max = (size_t)1 << 20, .arena_max = (size_t)8 << 20},
};

/* ---- a request ---- */

/* What a verdict is kept under: certificate, what came with it, the listener's rules, the element, the configuration. */
static struct str
key_of(struct exchange *ex, const struct client_certificate *conf, const struct tls_info *info)
{
    uint64_t generation = ex->model ? ex->model->generation : 0;
    uint8_t digest[CRYPTO_HASH_MAX];
    struct buf b = buf_in(ex->arena), key = buf_in(ex->arena);

    buf_printf(&b, "%zu %zu ", info->client_cert_der.len, info->client_chain_der.len);
    buf_add_str(&b, info->client_cert_der);
    buf_add_str(&b, info->client_chain_der);
    buf_add_str(&b, info->client_rules);
    buf_add(&b, &conf->mark, sizeof(conf->mark));
    buf_add(&b, &generation, sizeof(generation));
    if (!crypto_digest(HASH_SHA256, buf_str(&b), digest))
        return STR_NONE;
    codec_hex_encode(&key, str_from((const char *)digest, 32), false);
    return buf_str(&key);
}

static bool
check_dates(const struct client_certificate *conf, struct exchange *ex, const struct verdict *v)
{
    int64_t now = wall_s(ex);

    if (conf->not_before && now < v->not_before_s)
        exchange_refuse(ex, E_CLIENT_CERTIFICATE_INVALID, STR("it is not valid yet"));
    else if (conf->not_after && now > v->not_after_s)
        exchange_refuse(ex, E_CLIENT_CERTIFICATE_INVALID, STR("it has expired"));
    else
        return true;
    return false;
}

static bool
apply(const struct client_certificate *conf, struct exchange *ex, const struct verdict *v)
{
    if (v->id == E_NONE)
        return check_dates(conf, ex, v);
    if (v->problem)
        exchange_refuse(ex, v->id, str_dup(ex->arena, str_from_c(v->problem)));
    else
        exchange_refuse(ex, v->id);
    return false;
}

/* False with ex->error set. Yields. */
static bool
check(const struct client_certificate *conf, struct exchange *ex)
{
    struct tls_info info = ex->call && ex->call->stream ? stream_tls_info(ex->call->stream) : (struct tls_info){0};
    struct question q = {conf, info.client_cert_der, info.client_chain_der.p ? info.client_chain_der : STR(""),
                         info.client_ca_pem.p ? info.client_ca_pem : STR("")};
    struct supply_entry *e;
    struct supply_value *v;
    struct err err = ERR_INIT;
    bool ok;

    if (!info.client_cert_der.len) {
        exchange_refuse(ex, E_CLIENT_CERTIFICATE_MISSING);
        return false;
    }
    e = ex->services->supplies && ex->backends ? supply_entry_get(ex->services->supplies, &kind, key_of(ex, conf, &info)) : NULL;
    v = e ? supply_get(ex, e, &q, &err) : NULL;
    supply_entry_unref(e);
    if (!v) {
        exchange_refuse(ex, E_CLIENT_CERTIFICATE_INVALID, str_dup(ex->arena, e ? str_from_c(err.text) : STR("too many at once")));
        return false;
    }
    ok = apply(conf, ex, CONTAINER_OF(v, struct verdict, super));
    supply_value_unref(v);
    return ok;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct client_certificate *v = conf;
    struct last_error before = ex->error;

    if (check(v, ex)) {
        ex->is_caller_proven = true;
        return FLOW_NEXT;
    }
    if (!v->ignore_error)
        return FLOW_ERROR;
    exchange_trace(ex, TRACE_ERROR, STR("validate-client-certificate"), ex->error.message);
    ex->error = before;
    return FLOW_NEXT;
}

const struct policy_def policy_validate_client_certificate = {
    .name = "validate-client-certificate", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct client_certificate), .compile = compile, .run = run,
    .summary = "Lets only clients through that show a certificate which passes.",
    .usage = "A listener must ask for certificates: listeners[].tls.client-certificates.\nThe decision is made for each request, also on "
             "resumed sessions and on streams of one connection; what a certificate is worth is found out once and kept for five "
             "minutes at most.\nA failure is 403 with the message `Invalid client certificate.`; context.LastError says more.",
};
