/* certificates.c: read once, shown through one TLS client for each certificate and set of rules, made at first use.
 *
 * Locking: lock covers given, n_given and the clients; what is read at publish never changes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/certificates.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/file.h"
#include "model/model.h"
#include "net/tls.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define BYTES_MAX ((size_t)64 << 20)
#define GIVEN_MAX 256                 /* different certificates that expressions gave */

struct slot {
    struct loaded_certificate super;
    struct tls_identity identity;
    struct tls_client *tls[4];        /* by rules: bit 0 chain, bit 1 name */
    uint8_t digest[32];               /* given ones: of bytes and password */
};

struct certificates {
    const struct model *model;
    struct tls_client *trust;
    struct arena arena;               /* what was read at publish */
    struct slot *v;                   /* by place in model->certificates */
    uint32_t n;
    pthread_mutex_t lock;
    struct slot *given[GIVEN_MAX];
    uint32_t n_given;
};

static struct slot *
slot_of(const struct loaded_certificate *c)
{
    return CONTAINER_OF((struct loaded_certificate *)(uintptr_t)c, struct slot, super);
}

/* Certificate and key, parsed; `problem` when that does not work. */
static void
open_slot(struct slot *s, struct arena *a)
{
    struct buf both = buf_in(a);
    struct err err;

    buf_add_str(&both, s->identity.cert);
    if (s->identity.key.len) {
        buf_add_char(&both, '\n');
        buf_add_str(&both, s->identity.key);
    }
    if (!crypto_certificate_read(buf_str(&both), s->identity.password, &s->super.own, &err))
        s->super.problem = str_dup(a, str_from_c(err.text));
    else if (!s->super.own.key)
        s->super.problem = STR("it has no private key that its password opens");
}

static void
load(struct certificates *c, struct slot *s, const struct certificate *conf, struct diags *diags)
{
    struct buf cert = buf_in(&c->arena), key = buf_in(&c->arena);
    struct err err;

    s->super.conf = conf;
    if (!file_read(str_dup(&c->arena, conf->file).p, FILE_BYTES_MAX, &cert, &err) ||
        (conf->key_file.len && !file_read(str_dup(&c->arena, conf->key_file).p, FILE_BYTES_MAX, &key, &err))) {
        s->super.problem = str_dup(&c->arena, str_from_c(err.text));
        diag_add(diags, DIAG_WARNING, NULL, 0, 0, "certificate `%.*s`: %s, it cannot be used", STR_ARG(conf->name), err.text);
        return;
    }
    s->identity = (struct tls_identity){.cert = buf_str(&cert), .key = key.len ? buf_str(&key) : STR_NONE, .password = conf->password.value};
    open_slot(s, &c->arena);
}

struct certificates *
certificates_new(const struct model *m, struct tls_client *trust, struct diags *diags)
{
    struct certificates *c = xnew(struct certificates);

    c->model = m;
    c->trust = tls_client_ref(trust);
    c->arena = ARENA(NULL, BYTES_MAX);
    c->n = m->n_certificates;
    c->v = xnew_array(struct slot, c->n + 1);
    pthread_mutex_init(&c->lock, NULL);
    for (uint32_t i = 0; i < c->n; i++)
        load(c, &c->v[i], &m->certificates[i], diags);
    return c;
}

static void
close_slot(struct slot *s)
{
    crypto_certificate_destroy(&s->super.own);
    for (size_t i = 0; i < COUNTOF(s->tls); i++)
        tls_client_unref(s->tls[i]);
}

static void
free_given(struct slot *s)
{
    close_slot(s);
    free((char *)(uintptr_t)s->identity.cert.p);
    free((char *)(uintptr_t)s->identity.password.p);
    free(s);
}

void
certificates_delete(struct certificates *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        close_slot(&c->v[i]);
    for (uint32_t i = 0; i < c->n_given; i++)
        free_given(c->given[i]);
    tls_client_unref(c->trust);
    pthread_mutex_destroy(&c->lock);
    free(c->v);
    arena_destroy(&c->arena);
    free(c);
}

const struct loaded_certificate *
certificates_of(const struct certificates *c, const struct certificate *conf)
{
    return conf ? &c->v[conf - c->model->certificates].super : NULL;
}

const struct loaded_certificate *
certificates_find(const struct certificates *c, struct str id_or_thumbprint)
{
    return c->n ? certificates_of(c, model_find_certificate(c->model, id_or_thumbprint)) : NULL;
}

/* ---- certificates that expressions give ---- */

static void
digest_of(struct str bytes, struct str password, uint8_t digest[32])
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    buf_printf(&b, "%zu\n", password.len);
    buf_add_str(&b, password);
    buf_add_str(&b, bytes);
    if (!crypto_digest(HASH_SHA256, buf_str(&b), digest))
        memset(digest, 0, 32);
    OPENSSL_cleanse(b.p, b.len);
}

static struct slot *
find_given(struct certificates *c, const uint8_t digest[32])
{
    for (uint32_t i = 0; i < c->n_given; i++)
        if (memcmp(c->given[i]->digest, digest, 32) == 0)
            return c->given[i];
    return NULL;
}

static struct slot *
new_given(struct str bytes, struct str password, const uint8_t digest[32], struct err *err)
{
    struct arena scratch AUTO(arena_destroy) = ARENA(NULL, 4 * FILE_BYTES_MAX);
    struct slot *s;

    if (bytes.len > FILE_BYTES_MAX) {
        err_set(err, ERR_LIMIT, "a certificate is larger than %zu bytes", FILE_BYTES_MAX);
        return NULL;
    }
    s = xnew(struct slot);
    s->identity.cert = str_from(xstrndup(bytes.p, bytes.len), bytes.len);
    s->identity.password = str_from(xstrndup(password.p, password.len), password.len);
    open_slot(s, &scratch);
    memcpy(s->digest, digest, 32);
    if (!s->super.problem.p)
        return s;
    err_set(err, ERR_INVALID, "the body is no certificate to show: %.*s", STR_ARG(s->super.problem));
    free_given(s);
    return NULL;
}

const struct loaded_certificate *
certificates_given(struct certificates *c, struct str bytes, struct str password, struct err *err)
{
    uint8_t digest[32];
    struct slot *s;

    digest_of(bytes, password, digest);
    pthread_mutex_lock(&c->lock);
    s = find_given(c, digest);
    if (!s && c->n_given == GIVEN_MAX)
        err_set(err, ERR_LIMIT, "more than %d different certificates were given as bodies", GIVEN_MAX);
    else if (!s && (s = new_given(bytes, password, digest, err)))
        c->given[c->n_given++] = s;
    pthread_mutex_unlock(&c->lock);
    return s ? &s->super : NULL;
}

struct tls_client *
certificates_tls(struct certificates *c, const struct loaded_certificate *certificate, bool verify_chain, bool verify_name,
                 struct err *err)
{
    struct slot *s = slot_of(certificate);
    struct tls_client_options options = {.trust_like = c->trust, .identity = &s->identity, .no_verify_chain = !verify_chain,
                                         .no_verify_name = !verify_name};
    struct tls_client **at = &s->tls[(verify_chain ? 1 : 0) | (verify_name ? 2 : 0)], *tls;

    if (certificate->problem.p) {
        err_set(err, ERR_INVALID, "%.*s", STR_ARG(certificate->problem));
        return NULL;
    }
    pthread_mutex_lock(&c->lock);
    if (!*at)
        *at = tls_client_new(&options, err);
    tls = *at;
    pthread_mutex_unlock(&c->lock);
    return tls;
}
