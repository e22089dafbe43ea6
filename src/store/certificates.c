/* certificates.c: certificates and caches of headgate.yaml become those of the model; thumbprints are computed here, so
 * that documents can name certificates by them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/codec.h"
#include "base/file.h"
#include "store/loader.h"

#define CERTIFICATE_BYTES_MAX ((size_t)1 << 20)

/* The leaf of a PKCS#12 or PEM text; NULL when it is neither. */
static X509 *
parse_certificate(struct str bytes, const char *password)
{
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
    PKCS12 *p12 = bio ? d2i_PKCS12_bio(bio, NULL) : NULL;
    EVP_PKEY *key = NULL;
    X509 *x = NULL;

    if (p12) {
        PKCS12_parse(p12, password, &key, &x, NULL);
        PKCS12_free(p12);
        EVP_PKEY_free(key);
    } else if (bio) {
        (void)BIO_reset(bio);
        x = PEM_read_bio_X509(bio, NULL, NULL, (void *)password);
    }
    BIO_free(bio);
    ERR_clear_error();
    return x;
}

static struct str
thumbprint(struct loader *l, X509 *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text = buf_in(l->keep);

    X509_digest(x, EVP_sha1(), digest, &len);
    codec_hex_encode(&text, str_from((const char *)digest, len), true);
    return buf_str(&text);
}

static void
read_certificate(struct loader *l, const struct certificate_option *o, struct certificate *to)
{
    struct buf bytes = BUF_INIT;
    struct err err = ERR_INIT;
    X509 *x = NULL;

    *to = (struct certificate){.name = keep_str(l, o->name), .file = keep_str(l, o->file),
                               .key_file = keep_str(l, o->key_file), .password = o->password,
                               .thumbprint = keep_str(l, o->thumbprint)};
    store_files_add(l->files, to->file);
    store_files_add(l->files, to->key_file);
    if (!to->name.len || !to->file.len)
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "headgate.yaml: certificate `%.*s` needs `id` and `file`",
                 STR_ARG(to->name));
    else if (!file_read(to->file.p, CERTIFICATE_BYTES_MAX, &bytes, &err))
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "certificate `%.*s`: %s", STR_ARG(to->name), err.text);
    else if (!(x = parse_certificate(buf_str(&bytes), to->password.value.len ? to->password.value.p : "")))
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0,
                 "certificate `%.*s`: %.*s is neither PEM nor PKCS#12 that its password opens", STR_ARG(to->name),
                 STR_ARG(to->file));
    else if (!to->thumbprint.len)
        to->thumbprint = thumbprint(l, x);
    X509_free(x);
    buf_destroy(&bytes);
}

void
read_certificates(struct loader *l)
{
    const struct service_options *s = &l->service;
    struct certificate *certificates = arena_new_array(l->keep, struct certificate, MAX(s->n_certificates, 1u));
    struct cache_conf *caches = arena_new_array(l->keep, struct cache_conf, MAX(s->n_caches, 1u));

    if (!certificates || !caches)
        return;
    for (uint32_t i = 0; i < s->n_certificates; i++)
        read_certificate(l, &s->certificates[i], &certificates[i]);
    for (uint32_t i = 0; i < s->n_caches; i++)
        caches[i] = (struct cache_conf){.name = keep_str(l, s->caches[i].name), .connection = s->caches[i].connection,
                                        .use_from = keep_str(l, s->caches[i].use_from),
                                        .description = keep_str(l, s->caches[i].description),
                                        .timeout_ms = s->caches[i].timeout_ms, .compress_bytes = s->caches[i].compress_bytes,
                                        .is_strict = s->caches[i].when_away == 1};
    l->m->certificates = certificates;
    l->m->n_certificates = s->n_certificates;
    l->m->caches = caches;
    l->m->n_caches = s->n_caches;
}
