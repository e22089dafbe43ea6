/* tls_tickets.c: keys for session tickets, shared by all workers. A key encrypts for rotate_s and opens for twice as
 * long again, so a resumed session is never older than three periods. Made at random, kept in memory only.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "net/tls_internal.h"

#define KEYS 3

struct ticket_key {
    uint8_t name[16], cipher[32], mac[32];
    uint64_t made_ns;                    /* 0: none */
};

struct tls_tickets {
    _Atomic uint32_t refs;
    const struct clock *clock;
    uint64_t rotate_ns;
    pthread_mutex_t lock;                /* covers keys */
    struct ticket_key keys[KEYS];        /* newest first */
};

struct tls_tickets *
tls_tickets_new(const struct clock *clock, uint32_t rotate_s)
{
    struct tls_tickets *t = xnew(struct tls_tickets);

    t->refs = 1;
    t->clock = clock;
    t->rotate_ns = (uint64_t)(rotate_s ? rotate_s : 3600) * 1000000000;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

struct tls_tickets *
tls_tickets_ref(struct tls_tickets *t)
{
    if (t)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void
tls_tickets_unref(struct tls_tickets *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&t->lock);
    OPENSSL_cleanse(t->keys, sizeof(t->keys));
    free(t);
}

/* Drops what is too old and sees to a newest key. Under the lock. */
static void
rotate(struct tls_tickets *t)
{
    uint64_t now_ns = clock_mono_ns(t->clock);

    for (int i = 0; i < KEYS; i++)
        if (t->keys[i].made_ns && now_ns - t->keys[i].made_ns >= KEYS * t->rotate_ns)
            OPENSSL_cleanse(&t->keys[i], sizeof(t->keys[i]));
    if (t->keys[0].made_ns && now_ns - t->keys[0].made_ns < t->rotate_ns)
        return;
    memmove(&t->keys[1], &t->keys[0], (KEYS - 1) * sizeof(t->keys[0]));
    rand_secret(&t->keys[0], sizeof(t->keys[0]));
    t->keys[0].made_ns = now_ns;
}

/* The key to encrypt with, or the one of this name; *ret_index tells its age. */
static bool
choose_key(struct tls_tickets *t, const uint8_t *name, struct ticket_key *ret, int *ret_index)
{
    bool found = false;

    pthread_mutex_lock(&t->lock);
    rotate(t);
    for (int i = 0; i < KEYS && !found; i++) {
        if (!t->keys[i].made_ns || (name && CRYPTO_memcmp(name, t->keys[i].name, sizeof(t->keys[i].name)) != 0))
            continue;
        *ret = t->keys[i];
        *ret_index = i;
        found = true;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct ticket_key key;
    int index;

    if (!choose_key(t, encrypt ? NULL : name, &key, &index))
        return 0;                        /* unknown: a full handshake */
    if (encrypt) {
        memcpy(name, key.name, sizeof(key.name));
        rand_secret(iv, 16);
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof(key.mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    bool ok = EVP_MAC_CTX_set_params(mac, params) && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, encrypt);
    OPENSSL_cleanse(&key, sizeof(key));
    if (!ok)
        return -1;
    if (encrypt)
        return 1;
    /* 2: give the client a new ticket. TLS 1.3 clients use each only once. */
    return index > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

void
tls_tickets_install(struct tls_tickets *t, SSL_CTX *context)
{
    SSL_CTX_set_app_data(context, t);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}
