/* tls_check.c: judging a client's certificate apart from its handshake, which may have been another one (resumption) and under other
 * rules (a listener that only asks).
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/tls_internal.h"

#define DEPTH_MAX 10
#define CHAIN_MAX 20                  /* certificates that are looked at */

/* Certificates one after another; stops at the first that is none. */
static STACK_OF(X509) *
read_chain(struct str der)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    const unsigned char *p = (const unsigned char *)der.p, *end = p + der.len;

    while (p && p < end && sk_X509_num(chain) < CHAIN_MAX) {
        X509 *x = d2i_X509(NULL, &p, end - p);
        if (!x)
            break;
        sk_X509_push(chain, x);
    }
    ERR_clear_error();
    return chain;
}

/* What a server asks for, beside what the client context trusts. */
static STACK_OF(X509) *
read_more_roots(struct str pem)
{
    STACK_OF(X509) *roots = sk_X509_new_null();
    BIO *bio = pem.len ? BIO_new_mem_buf(pem.p, (int)MIN(pem.len, (size_t)INT32_MAX)) : NULL;
    X509 *x;

    while (bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(roots, x);
    BIO_free(bio);
    ERR_clear_error();
    return roots;
}

struct leniency {
    bool not_before, not_after;
};

static int
on_verify(int is_ok, X509_STORE_CTX *ctx)
{
    const struct leniency *l = X509_STORE_CTX_get_app_data(ctx);
    int error = X509_STORE_CTX_get_error(ctx);

    if (is_ok || X509_STORE_CTX_get_error_depth(ctx) > 0)
        return is_ok;
    if ((l->not_before && error == X509_V_ERR_CERT_NOT_YET_VALID) || (l->not_after && error == X509_V_ERR_CERT_HAS_EXPIRED)) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    }
    return 0;
}

static void
write_path(X509_STORE_CTX *ctx, struct buf *to)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);

    for (int i = 0; i < sk_X509_num(path); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(path, i), &der);
        if (n > 0)
            buf_add(to, der, (size_t)n);
        OPENSSL_free(der);
    }
}

/* One try: against the store, or against roots alone. */
static bool
verify(X509_STORE *store, STACK_OF(X509) *roots, X509 *leaf, STACK_OF(X509) *chain, const struct tls_client_check *check, struct buf *path,
       struct err *err)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    struct leniency l = {check->ignores_not_before, check->ignores_not_after};
    bool ok = ctx && X509_STORE_CTX_init(ctx, store, leaf, chain) == 1;

    if (ok) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, (time_t)check->now_s);
        X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
        X509_VERIFY_PARAM_set_auth_level(param, 1);
        if (roots)
            X509_STORE_CTX_set0_trusted_stack(ctx, roots);
        X509_STORE_CTX_set_app_data(ctx, &l);
        X509_STORE_CTX_set_verify_cb(ctx, on_verify);
        ok = X509_verify_cert(ctx) == 1;
        if (ok)
            write_path(ctx, path);
        else
            err_set(err, ERR_TLS, "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    } else {
        err_set(err, ERR_NO_MEMORY, "no memory left to check a certificate");
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool
tls_client_check(const struct tls_client *c, const struct tls_client_check *check, struct buf *ret_path, struct err *err)
{
    const unsigned char *p = (const unsigned char *)check->certificate.p;
    X509 *leaf = d2i_X509(NULL, &p, (long)check->certificate.len);
    STACK_OF(X509) *chain = read_chain(check->chain), *roots = read_more_roots(check->also_pem);
    X509_STORE *store = SSL_CTX_get_cert_store(c->context);
    bool ok = false;

    if (!leaf)
        err_set(err, ERR_TLS, "it is no certificate");
    else
        ok = verify(store, NULL, leaf, chain, check, ret_path, err) ||
             (sk_X509_num(roots) > 0 && verify(store, roots, leaf, chain, check, ret_path, err));
    X509_free(leaf);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(roots, X509_free);
    ERR_clear_error();
    return ok;
}
