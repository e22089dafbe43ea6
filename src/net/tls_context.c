/* tls_context.c: what servers show and ask for, what clients trust.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "net/tls_internal.h"

#define CIPHERS_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"
#define ALONE SIZE_MAX                   /* an identity without another */
#define SERVERS_MAX 1024                 /* whose sessions a client context keeps */

bool
tls_fail(struct err *err, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    err_set(err, ERR_TLS, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return false;
}

/* --- certificates and keys --- */

struct identity {
    X509 *leaf;
    EVP_PKEY *key;
    STACK_OF(X509) *chain;
};

static void
identity_destroy(struct identity *id)
{
    X509_free(id->leaf);
    EVP_PKEY_free(id->key);
    sk_X509_pop_free(id->chain, X509_free);
}

static int
give_password(char *to, int size, int is_writing, void *arg)
{
    const struct str *password = arg;
    int n = (int)MIN(password->len, (size_t)size);

    if (n > 0)
        memcpy(to, password->p, (size_t)n);
    return n;
}

static bool
read_pkcs12(const struct tls_identity *from, struct identity *ret, struct err *err)
{
    const unsigned char *p = (const void *)from->cert.p;
    char password[512];
    PKCS12 *file = d2i_PKCS12(NULL, &p, (long)from->cert.len);
    bool ok;

    if (!file)
        return tls_fail(err, "neither PEM nor PKCS#12");
    if (from->password.len >= sizeof(password)) {
        PKCS12_free(file);
        return err_set(err, ERR_LIMIT, "the password is longer than 511 bytes");
    }
    if (from->password.len)
        memcpy(password, from->password.p, from->password.len);
    password[from->password.len] = 0;
    ok = PKCS12_parse(file, password, &ret->key, &ret->leaf, &ret->chain) && ret->leaf && ret->key;
    OPENSSL_cleanse(password, sizeof(password));
    PKCS12_free(file);
    return ok || tls_fail(err, "cannot open the PKCS#12 file (wrong password?)");
}

static bool
read_pem(const struct tls_identity *from, struct identity *ret, struct err *err)
{
    struct str key = from->key.len ? from->key : from->cert;
    BIO *certs = BIO_new_mem_buf(from->cert.p, (int)from->cert.len);
    BIO *keys = BIO_new_mem_buf(key.p, (int)key.len);
    X509 *next;

    ret->leaf = PEM_read_bio_X509(certs, NULL, NULL, NULL);
    ret->chain = sk_X509_new_null();
    while (ret->leaf && (next = PEM_read_bio_X509(certs, NULL, NULL, NULL)))
        sk_X509_push(ret->chain, next);
    if (ret->leaf)
        ERR_clear_error();               /* the end of the file */
    if (ret->leaf)
        ret->key = PEM_read_bio_PrivateKey(keys, NULL, give_password, (void *)&from->password);
    BIO_free(certs);
    BIO_free(keys);
    if (!ret->leaf)
        return tls_fail(err, "no certificate in it");
    return ret->key || tls_fail(err, "no private key in it that the password opens");
}

static bool
identity_load(const struct tls_identity *from, struct identity *ret, struct err *err)
{
    bool is_pkcs12 = from->cert.len > 0 && from->cert.p[0] == 0x30;

    if (from->cert.len > INT32_MAX || from->key.len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "the certificate is too large");
    if (!(is_pkcs12 ? read_pkcs12(from, ret, err) : read_pem(from, ret, err)))
        return false;
    if (X509_check_private_key(ret->leaf, ret->key) != 1)
        return tls_fail(err, "the private key does not belong to the certificate");
    return true;
}

static bool
use_identity(SSL_CTX *context, const struct identity *id, struct err *err)
{
    STACK_OF(X509) *chain = sk_X509_num(id->chain) > 0 ? id->chain : NULL; /* each connection has a copy, also of none */

    if (SSL_CTX_use_cert_and_key(context, id->leaf, id->key, chain, 1) != 1)
        return tls_fail(err, "OpenSSL refuses the certificate");
    return true;
}

/* Adds the certificates of a PEM text. False when there is none. */
static bool
store_add_pem(X509_STORE *store, struct str pem, STACK_OF(X509_NAME) *names, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)MIN(pem.len, (size_t)INT32_MAX));
    X509 *cert;
    int n = 0;

    for (; (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
        X509_STORE_add_cert(store, cert);
        if (names)
            sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(cert)));
        X509_free(cert);
    }
    ERR_clear_error();
    BIO_free(bio);
    return n > 0 || err_set(err, ERR_INVALID, "no certificate in the list of trusted CAs");
}

/* --- settings that all contexts share --- */

static SSL_CTX *
context_new(const SSL_METHOD *method, bool tls12_off, struct str ciphers, struct err *err)
{
    SSL_CTX *context = SSL_CTX_new(method);
    char list[1024];

    if (!context) {
        tls_fail(err, "OpenSSL");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, tls12_off ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_ENCRYPT_THEN_MAC);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set1_groups_list(context, GROUPS);
    snprintf(list, sizeof(list), "%.*s", ciphers.len ? (int)ciphers.len : (int)strlen(CIPHERS_TLS12),
             ciphers.len ? ciphers.p : CIPHERS_TLS12);
    if (ciphers.len < sizeof(list) && SSL_CTX_set_cipher_list(context, list) == 1)
        return context;
    tls_fail(err, "no usable cipher in the list");
    SSL_CTX_free(context);
    return NULL;
}

/* --- server --- */

static int
on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *offered, unsigned int len,
        void *arg)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1";
    const struct tls_server_conf *conf = arg;
    const unsigned char *list = conf->http2 ? both : both + 3;
    unsigned int list_len = conf->http2 ? 12 : 9;

    /* Ours first; a client that names none of them wants something else, and hears so. */
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_len, list, list_len, offered, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

/* The host name of a ClientHello: list length (2), type 0 (1), name length (2), name. False when odd. */
static bool
sni_of(SSL *ssl, char name[256], size_t *ret_len)
{
    const unsigned char *p;
    size_t n;

    *ret_len = 0;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
        return true;
    if (n < 5 || (size_t)(p[0] << 8 | p[1]) != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t len = (size_t)(p[3] << 8 | p[4]);
    if (len != n - 5 || len == 0 || len > 255 || memchr(p + 5, 0, len))
        return false;
    for (size_t i = 0; i < len; i++)
        name[i] = ascii_lower((char)p[5 + i]);
    *ret_len = len;
    return true;
}

const struct tls_shown *
tls_shown_for(const struct tls_server_conf *conf, struct str name)
{
    const struct tls_shown *shown = map_get(&conf->exact, name);
    ptrdiff_t dot = str_find_char(name, '.', 0);

    if (!shown && dot > 0)
        shown = map_get(&conf->wildcard, str_skip(name, (size_t)dot + 1));
    return shown ? shown : conf->usual;
}

const struct tls_shown *
tls_shown_of(const struct tls_server_conf *conf, const SSL *ssl)
{
    const SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    size_t i = 0;

    while (i + 1 < conf->n && conf->shown[i]->context != context)
        i++;
    return conf->shown[i];
}

/* First of all callbacks, before a ticket is looked at: chooses the certificate and what is asked of the client, and binds the
 * session to listener, host and verification policy, so that it is resumed nowhere else. */
static int
on_client_hello(SSL *ssl, int *ret_alert, void *arg)
{
    const struct tls_server_conf *conf = arg;
    char name[256];
    uint8_t bound[32 + 256], digest[32];
    unsigned digest_len;
    size_t len;

    if (!sni_of(ssl, name, &len)) {
        *ret_alert = SSL_AD_DECODE_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    const struct tls_shown *shown = tls_shown_for(conf, str_from(name, len));
    SSL_set_SSL_CTX(ssl, shown->context);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(shown->context), SSL_CTX_get_verify_callback(shown->context));
    memcpy(bound, shown->binding, 32);
    memcpy(bound + 32, name, len);
    if (!EVP_Digest(bound, 32 + len, digest, &digest_len, EVP_sha256(), NULL) ||
        !SSL_set_session_id_context(ssl, digest, sizeof(digest))) {
        *ret_alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* A ticket keeps a client's certificate and not what it sent beside it, which decides whether it can be trusted: such clients
 * shake hands anew each time. */
static void
forget_chains(X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

    if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) < 2)
        return;
    SSL_set_num_tickets(ssl, 0);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
}

static int
accept_any_certificate(int is_ok, X509_STORE_CTX *store)
{
    forget_chains(store);
    return 1;                            /* the result is kept: tls_info.is_client_cert_ok */
}

static int
accept_verified_certificate(int is_ok, X509_STORE_CTX *store)
{
    forget_chains(store);
    return is_ok;
}

static bool
ask_for_client_cert(SSL_CTX *context, const struct tls_client_rules *rules, struct err *err)
{
    STACK_OF(X509_NAME) *names;
    int mode = SSL_VERIFY_PEER;

    if (rules->cert == TLS_CLIENT_CERT_NONE)
        return true;
    if (rules->ca_pem.len) {
        names = sk_X509_NAME_new_null();
        if (!store_add_pem(SSL_CTX_get_cert_store(context), rules->ca_pem, names, err)) {
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return false;
        }
        SSL_CTX_set_client_CA_list(context, names);
    }
    if (rules->cert == TLS_CLIENT_CERT_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    bool is_strict = rules->cert == TLS_CLIENT_CERT_REQUIRE && rules->ca_pem.len;
    SSL_CTX_set_verify(context, mode, is_strict ? accept_verified_certificate : accept_any_certificate);
    return true;
}

static bool
use_suites(SSL_CTX *context, struct str suites, struct err *err)
{
    char list[1024];

    if (!suites.len)
        return true;
    snprintf(list, sizeof(list), "%.*s", STR_ARG(suites));
    return (suites.len < sizeof(list) && SSL_CTX_set_ciphersuites(context, list) == 1) ||
           tls_fail(err, "no usable cipher suite in the list");
}

static void
bind_to(struct tls_shown *shown, const char *listener, const struct tls_client_rules *rules)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char mode = (unsigned char)rules->cert;

    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    EVP_DigestUpdate(md, listener, strlen(listener) + 1);
    EVP_DigestUpdate(md, &mode, 1);
    if (rules->cert != TLS_CLIENT_CERT_NONE)
        EVP_DigestUpdate(md, rules->ca_pem.p, rules->ca_pem.len);
    EVP_DigestFinal_ex(md, shown->binding, NULL);
    EVP_MD_CTX_free(md);
}

static bool
use_files(SSL_CTX *context, const struct tls_identity *from, struct err *err)
{
    struct identity id AUTO(identity_destroy) = {0};

    return identity_load(from, &id, err) && use_identity(context, &id, err);
}

static void
set_up(SSL_CTX *context, struct tls_server_conf *conf, const struct tls_server_options *o)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, o->tickets ? 1 : 0);
    if (o->tickets)
        tls_tickets_install(o->tickets, context);
    else
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, conf);
    SSL_CTX_set_client_hello_cb(context, on_client_hello, conf);
}

/* Makes one that shows an identity, and another with it (or ALONE); what the first asks of clients holds. NULL when it fails. */
static const struct tls_shown *
show(struct tls_server_conf *conf, const struct tls_server_options *o, size_t first, size_t also, struct err *err)
{
    const struct tls_client_rules *rules = o->identities[first].rules ? o->identities[first].rules : &o->rules;
    SSL_CTX *context = context_new(TLS_server_method(), o->tls12_off, o->ciphers_tls12, err);
    struct tls_shown *shown;

    if (!context)
        return NULL;
    if (!use_suites(context, o->suites_tls13, err) || (also != ALONE && !use_files(context, &o->identities[also], err)) ||
        !use_files(context, &o->identities[first], err) || !ask_for_client_cert(context, rules, err)) {
        SSL_CTX_free(context);
        return NULL;
    }
    set_up(context, conf, o);
    if (conf->n == conf->cap)
        conf->shown = vec_grow_(conf->shown, &conf->cap, sizeof(*conf->shown));
    conf->shown[conf->n++] = shown = xnew(struct tls_shown);
    *shown = (struct tls_shown){.context = context, .first = first, .also = also};
    shown->client_ca_pem = str_from(xstrndup(rules->ca_pem.p, rules->ca_pem.len), rules->ca_pem.len);
    bind_to(shown, o->listener ? o->listener : "", rules);
    return shown;
}

/* ---- which is shown for which name ---- */

static int
key_kind(const struct tls_shown *shown)
{
    return EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(shown->context));
}

/* Of one name: both, where a client may be able to verify but one of them. *ret stays what it is where they do not go together. */
static bool
pair_up(struct tls_server_conf *conf, const struct tls_server_options *o, const struct tls_shown *of, const struct tls_shown *with,
        const struct tls_shown **ret, struct err *err)
{
    if (of->also != ALONE || of == with || key_kind(of) == key_kind(with) || memcmp(of->binding, with->binding, sizeof(of->binding)) != 0)
        return true;
    for (size_t i = o->n_identities; i < conf->n; i++) {
        if (conf->shown[i]->first == of->first && conf->shown[i]->also == with->first) {
            *ret = conf->shown[i];
            return true;
        }
    }
    const struct tls_shown *both = show(conf, o, of->first, with->first, err);
    if (both)
        *ret = both;
    return both != NULL;
}

static bool
add_name(struct tls_server_conf *conf, const struct tls_server_options *o, const struct tls_shown *shown, struct str as_written,
         struct err *err)
{
    bool is_wildcard = as_written.len > 2 && str_starts_with(as_written, STR("*."));
    struct map *map = is_wildcard ? &conf->wildcard : &conf->exact;
    char lower[256];
    struct str name = {lower, as_written.len};

    if (as_written.len == 0 || as_written.len >= sizeof(lower))
        return true;
    for (size_t i = 0; i < as_written.len; i++)
        lower[i] = ascii_lower(as_written.p[i]);
    name = is_wildcard ? str_skip(name, 2) : name;
    const struct tls_shown *before = map_get(map, name), *now = before ? before : shown;
    if (before && !pair_up(conf, o, before, shown, &now, err))
        return false;
    map_set_copy(map, name, (void *)(uintptr_t)now);
    return true;
}

/* DNS names of the certificate; its common name when it has none. */
static bool
add_own_names(struct tls_server_conf *conf, const struct tls_server_options *o, const struct tls_shown *shown, struct err *err)
{
    X509 *leaf = SSL_CTX_get0_certificate(shown->context);
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    char common[256];
    bool ok = true;
    int found = 0;

    for (int i = 0; ok && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        if (n->type != GEN_DNS)
            continue;
        ok = add_name(conf, o, shown, str_from((const char *)ASN1_STRING_get0_data(n->d.dNSName), (size_t)ASN1_STRING_length(n->d.dNSName)),
                      err);
        found++;
    }
    GENERAL_NAMES_free(names);
    if (found)
        return ok;
    int len = X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, common, sizeof(common));
    return len <= 0 || add_name(conf, o, shown, str_from(common, (size_t)len), err);
}

static bool
add_names(struct tls_server_conf *conf, const struct tls_server_options *o, size_t i, struct err *err)
{
    const struct tls_identity *from = &o->identities[i];
    bool ok = from->n_names > 0 || add_own_names(conf, o, conf->shown[i], err);

    for (size_t k = 0; ok && k < from->n_names; k++)
        ok = add_name(conf, o, conf->shown[i], from->names[k], err);
    return ok;
}

/* Half-built is fine: the caller frees. */
static bool
show_all(struct tls_server_conf *conf, const struct tls_server_options *o, struct err *err)
{
    for (size_t i = 0; i < o->n_identities; i++) {
        if (!show(conf, o, i, ALONE, err)) {
            const struct str *label = &o->identities[i].label;
            return label->len ? err_prefix(err, "%.*s", STR_ARG(*label)) : err_prefix(err, "certificate %zu", i + 1);
        }
        conf->has_several_rules |= memcmp(conf->shown[i]->binding, conf->shown[0]->binding, sizeof(conf->shown[i]->binding)) != 0;
    }
    for (size_t i = 0; i < o->n_identities; i++)
        if (!add_names(conf, o, i, err))
            return false;
    conf->usual = conf->shown[0];
    for (size_t i = o->n_identities; i < conf->n && conf->usual->also == ALONE; i++)
        if (conf->shown[i]->first == 0)
            conf->usual = conf->shown[i];
    return true;
}

static struct tls_server_conf *
conf_new(const struct tls_server_options *o, struct err *err)
{
    struct tls_server_conf *conf = xnew(struct tls_server_conf);

    conf->refs = 1;
    conf->http2 = o->http2;
    conf->tickets = tls_tickets_ref(o->tickets);
    if (o->n_identities == 0)
        err_set(err, ERR_INVALID, "a TLS listener needs a certificate");
    if (o->n_identities > 0 && show_all(conf, o, err))
        return conf;
    tls_server_conf_unref(conf);
    return NULL;
}

void
tls_server_conf_unref(struct tls_server_conf *conf)
{
    if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < conf->n; i++) {
        SSL_CTX_free(conf->shown[i]->context);
        free((char *)(uintptr_t)conf->shown[i]->client_ca_pem.p);
        free(conf->shown[i]);
    }
    map_destroy(&conf->exact);
    map_destroy(&conf->wildcard);
    tls_tickets_unref(conf->tickets);
    free(conf->shown);
    free(conf);
}

struct tls_server_conf *
tls_server_conf_ref(struct tls_server *s)
{
    struct tls_server_conf *conf;

    pthread_mutex_lock(&s->lock);
    conf = s->conf;
    atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    return conf;
}

struct tls_server *
tls_server_new(const struct tls_server_options *options, struct err *err)
{
    struct tls_server_conf *conf = conf_new(options, err);
    struct tls_server *s;

    if (!conf)
        return NULL;
    s = xnew(struct tls_server);
    s->refs = 1;
    s->conf = conf;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

bool
tls_server_reload(struct tls_server *s, const struct tls_server_options *options, struct err *err)
{
    struct tls_server_conf *conf = conf_new(options, err), *old;

    if (!conf)
        return false;
    pthread_mutex_lock(&s->lock);
    old = s->conf;
    s->conf = conf;
    pthread_mutex_unlock(&s->lock);
    tls_server_conf_unref(old);
    return true;
}

struct tls_server *
tls_server_ref(struct tls_server *s)
{
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void
tls_server_unref(struct tls_server *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    tls_server_conf_unref(s->conf);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- client --- */

/* The chain may be anything, the name may not. */
static int
accept_any_chain(int is_ok, X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);

    return is_ok || (error != X509_V_ERR_HOSTNAME_MISMATCH && error != X509_V_ERR_IP_ADDRESS_MISMATCH);
}

static void
sessions_free(struct tls_sessions *kept)
{
    for (uint32_t i = 0; kept && i < kept->n; i++)
        SSL_SESSION_free(kept->v[i]);
    free(kept);
}

/* Under the lock. */
static void
keep_session(struct tls_client *c, struct str key, SSL_SESSION *session)
{
    struct tls_sessions *kept = map_get(&c->sessions, key);

    if (!kept) {
        if (c->sessions.n_live >= SERVERS_MAX)
            sessions_free(map_remove(&c->sessions, map_next(&c->sessions, NULL)->key));
        kept = xnew(struct tls_sessions);
        map_set_copy(&c->sessions, key, kept);
    }
    if (kept->n == TLS_SESSIONS_KEPT) {
        SSL_SESSION_free(kept->v[0]);
        memmove(&kept->v[0], &kept->v[1], (TLS_SESSIONS_KEPT - 1) * sizeof(kept->v[0]));
        kept->n--;
    }
    kept->v[kept->n++] = session;
}

/* A ticket came. Returns 1: the session is ours now. */
static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct str key = tls_stream_session_key(ssl);

    if (!key.len || !SSL_SESSION_is_resumable(session))
        return 0;
    pthread_mutex_lock(&c->lock);
    keep_session(c, key, session);
    pthread_mutex_unlock(&c->lock);
    return 1;
}

SSL_SESSION *
tls_client_session(struct tls_client *c, struct str key)
{
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&c->lock);
    struct tls_sessions *kept = map_get(&c->sessions, key);
    if (kept && kept->n > 0) {
        session = kept->v[kept->n - 1];
        if (SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION)
            kept->n--;
        else
            SSL_SESSION_up_ref(session);
    }
    pthread_mutex_unlock(&c->lock);
    return session;
}

/* --- the system's trusted CAs --- */

static X509_STORE *system_store;         /* OpenSSL locks it for itself; no more is added by us */
static pthread_once_t system_store_once = PTHREAD_ONCE_INIT;

static void
load_system_store(void)
{
    system_store = X509_STORE_new();
    if (system_store && X509_STORE_set_default_paths(system_store) != 1) {
        X509_STORE_free(system_store);
        system_store = NULL;
    }
    ERR_clear_error();
}

X509_STORE *
tls_system_store(void)
{
    pthread_once(&system_store_once, load_system_store);
    return system_store;
}

/* The certificates are shared, and so is where further ones are looked for. */
static void
add_system_store(X509_STORE *to, X509_STORE *system)
{
    X509_LOOKUP *folder = X509_STORE_add_lookup(to, X509_LOOKUP_hash_dir());
    const STACK_OF(X509_OBJECT) *objects;

    X509_STORE_lock(system);
    objects = X509_STORE_get0_objects(system);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (cert)
            X509_STORE_add_cert(to, cert);
    }
    X509_STORE_unlock(system);
    if (folder)
        X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT);
    ERR_clear_error();
}

static bool
client_trust(SSL_CTX *context, const struct tls_client_options *o, struct err *err)
{
    X509_STORE *system;

    if (o->trust_like) {
        SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(o->trust_like->context));
        return true;
    }
    system = o->no_system_store ? NULL : tls_system_store();
    if (!system && !o->no_system_store)
        return tls_fail(err, "cannot use the system's trusted CAs");
    if (system && !o->extra_ca_pem.len) {
        SSL_CTX_set1_cert_store(context, system);
        return true;
    }
    if (system)
        add_system_store(SSL_CTX_get_cert_store(context), system);
    return !o->extra_ca_pem.len || store_add_pem(SSL_CTX_get_cert_store(context), o->extra_ca_pem, NULL, err);
}

static bool
client_setup(SSL_CTX *context, const struct tls_client_options *o, struct err *err)
{
    struct identity id AUTO(identity_destroy) = {0};

    if (!client_trust(context, o, err))
        return false;
    if (o->identity && (!identity_load(o->identity, &id, err) || !use_identity(context, &id, err)))
        return err_prefix(err, "client certificate");
    if (o->no_verify_chain && o->no_verify_name)
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    else
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, o->no_verify_chain ? accept_any_chain : NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
    return true;
}

struct tls_client *
tls_client_new(const struct tls_client_options *options, struct err *err)
{
    struct tls_client *c;
    SSL_CTX *context = context_new(TLS_client_method(), options->tls12_off, STR_NONE, err);

    if (!context)
        return NULL;
    if (!client_setup(context, options, err)) {
        SSL_CTX_free(context);
        return NULL;
    }
    c = xnew(struct tls_client);
    c->refs = 1;
    c->context = context;
    c->no_verify_name = options->no_verify_name;
    pthread_mutex_init(&c->lock, NULL);
    SSL_CTX_set_app_data(context, c);
    return c;
}

struct tls_client *
tls_client_ref(struct tls_client *c)
{
    if (c)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void
tls_client_unref(struct tls_client *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (struct map_entry *e = map_next(&c->sessions, NULL); e; e = map_next(&c->sessions, e))
        sessions_free(e->value);
    map_destroy(&c->sessions);
    pthread_mutex_destroy(&c->lock);
    SSL_CTX_free(c->context);
    free(c);
}
