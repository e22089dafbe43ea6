/* listening.c: binding, and certificates from files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/listening.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "gateway/master_protocol.h"

#define PEM_BYTES_MAX ((size_t)1 << 20)

/* Everything read for one tls: section; freed once OpenSSL has it. */
struct tls_files {
    struct arena arena;
    struct tls_identity *identities;
    struct str client_ca;
};

static bool
read_text(struct arena *a, struct str path, struct str *ret, struct err *err)
{
    struct buf content = buf_in(a);

    if (!path.len)
        return true;
    if (!file_read(str_dup(a, path).p, PEM_BYTES_MAX, &content, err))
        return false;
    *ret = buf_str(&content);
    return true;
}

static void
tls_files_destroy(struct tls_files *f)
{
    arena_destroy(&f->arena);
}

static enum tls_client_cert
client_cert_mode(uint32_t choice)
{
    static const enum tls_client_cert modes[] = {
        [CLIENT_CERTIFICATES_OFF] = TLS_CLIENT_CERT_NONE,
        [CLIENT_CERTIFICATES_ASK] = TLS_CLIENT_CERT_REQUEST,
        [CLIENT_CERTIFICATES_REQUIRE] = TLS_CLIENT_CERT_REQUIRE,
    };

    return modes[choice];
}

/* What a certificate's names ask of clients where that is not what the listener does; *ret NULL: it is. */
static bool
own_rules(struct tls_files *f, const struct listener_tls *tls, const struct tls_certificate *c, const struct tls_client_rules **ret,
          struct err *err)
{
    bool inherits = c->client_certificates == CLIENT_CERTIFICATES_INHERIT;
    struct tls_client_rules *rules;

    *ret = NULL;
    if (inherits && !c->client_ca.len)
        return true;
    *ret = rules = arena_new(&f->arena, struct tls_client_rules);
    rules->cert = client_cert_mode(inherits ? tls->client_certificates : c->client_certificates);
    rules->ca_pem = f->client_ca;
    return !c->client_ca.len || read_text(&f->arena, c->client_ca, &rules->ca_pem, err);
}

static bool
tls_files_read(struct tls_files *f, const struct listener_tls *tls, struct err *err)
{
    f->arena = ARENA(NULL, PEM_BYTES_MAX * 64);
    f->identities = arena_new_array(&f->arena, struct tls_identity, tls->n_certificates ? tls->n_certificates : 1);
    if (!read_text(&f->arena, tls->client_ca, &f->client_ca, err))
        return false;
    for (uint32_t i = 0; i < tls->n_certificates; i++) {
        const struct tls_certificate *c = &tls->certificates[i];
        struct tls_identity *id = &f->identities[i];
        if (!read_text(&f->arena, c->certificate, &id->cert, err) || !read_text(&f->arena, c->key, &id->key, err) ||
            !own_rules(f, tls, c, &id->rules, err))
            return false;
        id->label = c->certificate;
        id->password = c->password.value;
        id->names = c->names.v;
        id->n_names = c->names.n;
    }
    return true;
}

static struct tls_server_options
tls_options(const struct listening *l, const struct listener_conf *conf, const struct tls_files *f)
{
    return (struct tls_server_options){
        .listener = l->name, .identities = f->identities, .n_identities = conf->tls.n_certificates,
        .rules = {client_cert_mode(conf->tls.client_certificates), f->client_ca}, .http2 = conf->http2,
        .tls12_off = conf->tls.min_version == TLS_VERSION_1_3, .ciphers_tls12 = conf->tls.ciphers,
        .suites_tls13 = conf->tls.suites,
        .tickets = l->tickets,
    };
}

static bool
make_tls(const struct listener_conf *conf, struct listening *l, struct err *err)
{
    struct tls_files files AUTO(tls_files_destroy) = {0};
    struct tls_server_options options;

    if (!conf->is_tls)
        return true;
    if (!tls_files_read(&files, &conf->tls, err))
        return err_prefix(err, "listener %s", l->name);
    options = tls_options(l, conf, &files);
    if (l->tls)
        return tls_server_reload(l->tls, &options, err) || err_prefix(err, "listener %s", l->name);
    l->tls = tls_server_new(&options, err);
    return l->tls || err_prefix(err, "listener %s", l->name);
}

/* options give address and port apart; "unix:PATH" needs none. */
static bool
parse_address(const struct listener_conf *conf, struct listening *l, struct err *err)
{
    char text[ADDR_TEXT_MAX + 256];
    bool is_v6 = str_find_char(conf->address, ':', 0) >= 0 && conf->address.p[0] != '[';

    if (str_starts_with(conf->address, STR("unix:")))
        snprintf(text, sizeof(text), "%.*s", STR_ARG(conf->address));
    else
        snprintf(text, sizeof(text), is_v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(conf->address), conf->port);
    l->path = xstrndup(text, strlen(text));
    return addr_parse(str_from_c(l->path), 0, &l->addr, err);
}

static struct addr
bound_addr(int fd, const struct addr *asked)
{
    union addr_socket at;
    socklen_t len = sizeof(at);

    if (asked->kind == ADDR_UNIX || getsockname(fd, &at.sa, &len) != 0)
        return *asked;
    return addr_from_sockaddr(&at.sa, len);
}

/* Of the listeners before this one: the same address is a mistake, and a port of theirs is ours. *ret_index: the number of our first
 * socket among those of one address, which only "any free port" has of several listeners. */
static bool
look_at_others(const struct listener_set *set, const struct listening *l, uint32_t *ret_index, bool *ret_is_ours, struct err *err)
{
    *ret_index = 0;
    *ret_is_ours = l->addr.kind == ADDR_UNIX || l->addr.port == 0;
    for (const struct listening *other = set->v; other < l; other++) {
        bool is_same = strcmp(other->path, l->path) == 0;
        if (is_same && l->addr.kind != ADDR_UNIX && l->addr.port == 0)
            *ret_index += MASTER_SOCKETS_OF_ONE;
        else if (is_same)
            return err_set(err, ERR_INVALID, "listeners: two of them have the address %s", l->path);
        *ret_is_ours |= other->addr.port == l->addr.port;
    }
    return true;
}

/* The first socket decides the port; the others join it. */
static bool
bind_all(const struct listener_set *set, struct listening *l, const struct listener_conf *conf, struct master_link *master, struct err *err)
{
    bool is_shared = l->addr.kind != ADDR_UNIX, is_ours;
    uint32_t first;

    if (!look_at_others(set, l, &first, &is_ours, err))
        return false;
    if (!master && !is_ours && !listener_address_is_free(&l->addr, err)) /* a master looks itself */
        return false;
    for (uint32_t w = 0; w < set->n_workers; w++) {
        if (!is_shared && w > 0) {       /* one file, one socket: workers share its queue */
            l->fds[w] = dup(l->fds[0]);
            continue;
        }
        l->fds[w] = master_link_socket(master, &l->addr, first + w, conf->backlog, conf->unix_mode, is_shared, err);
        if (l->fds[w] < 0)
            return false;
        l->addr = bound_addr(l->fds[w], &l->addr);
    }
    return true;
}

static void
close_all(struct listening *l, uint32_t n_workers)
{
    for (uint32_t w = 0; l->fds && w < n_workers; w++)
        if (l->fds[w] >= 0)
            close(l->fds[w]);
}

static bool
open_one(struct listener_set *set, const struct listener_conf *conf, struct listening *l, const struct clock *clock,
         struct master_link *master, struct err *err)
{
    char text[ADDR_TEXT_MAX];

    l->fds = xnew_array(int, set->n_workers);
    for (uint32_t w = 0; w < set->n_workers; w++)
        l->fds[w] = -1;
    if (!parse_address(conf, l, err))
        return false;
    if (!bind_all(set, l, conf, master, err))
        return false;
    l->name = conf->name.len ? xstrndup(conf->name.p, conf->name.len) : NULL;
    if (!l->name) {
        struct str at = addr_text(&l->addr, text);
        l->name = xstrndup(at.p, at.len);
    }
    if (conf->is_tls && conf->tls.tickets)
        l->tickets = tls_tickets_new(clock, (uint32_t)(conf->tls.ticket_rotation_ms / 1000));
    return make_tls(conf, l, err);
}

/* Who may send PROXY headers: the trusted proxies. */
static bool
read_proxy_peers(struct listener_set *set, const struct str_list *trusted, struct err *err)
{
    set->proxy_peers = xnew_array(struct addr_net, trusted->n ? trusted->n : 1);
    for (uint32_t i = 0; i < trusted->n; i++) {
        if (!addr_net_parse(trusted->v[i], &set->proxy_peers[set->n_proxy_peers], err))
            return err_prefix(err, "forwarding.trusted-proxies");
        set->n_proxy_peers++;
    }
    return true;
}

struct listener_set *
listener_set_new(const struct options *options, const struct clock *clock, uint32_t n_workers,
                 struct master_link *master, struct err *err)
{
    struct listener_set *set = xnew(struct listener_set);

    set->n = options->n_listeners;
    set->n_workers = n_workers;
    set->v = xnew_array(struct listening, set->n);
    set->limits = conn_limits_new(options->limits.connections, options->limits.connections_per_address);
    if (!read_proxy_peers(set, &options->forwarding.trusted_proxies, err))
        goto failed;
    for (uint32_t i = 0; i < set->n; i++)
        if (!open_one(set, &options->listeners[i], &set->v[i], clock, master, err))
            goto failed;
    return set;
failed:
    listener_set_delete(set);
    return NULL;
}

bool
listener_set_reload(struct listener_set *set, const struct options *options, struct err *err)
{
    struct err own;
    bool ok = true;

    for (uint32_t i = 0; i < set->n; i++) {
        bool is_made = make_tls(&options->listeners[i], &set->v[i], &own);
        if (!is_made && ok)
            *err = own;                  /* the others may have something new all the same */
        ok = ok && is_made;
    }
    return ok;
}

struct listener *
listener_set_start(struct listener_set *set, const struct options *options, uint32_t i, uint32_t worker, struct loop *loop,
                   void (*on_stream)(void *ctx, struct stream *s), void *ctx, struct err *err)
{
    struct listening *l = &set->v[i];
    struct listener_options lo = {
        .addr = l->addr, .fd = l->fds[worker], .tls = l->tls, .name = l->name,
        .is_proxy_protocol = options->listeners[i].proxy_protocol, .proxy_peers = set->proxy_peers,
        .n_proxy_peers = set->n_proxy_peers, .limits = set->limits,
        .handshake_timeout_ms = options->timeouts.handshake_ms, .on_stream = on_stream, .ctx = ctx,
    };
    struct listener *listener = listener_new(loop, &lo, err);

    if (listener)
        l->fds[worker] = -1;
    return listener;
}

void
listener_set_delete(struct listener_set *set)
{
    if (!set)
        return;
    for (uint32_t i = 0; i < set->n; i++) {
        close_all(&set->v[i], set->n_workers);
        tls_server_unref(set->v[i].tls);
        tls_tickets_unref(set->v[i].tickets);
        free(set->v[i].fds);
        free(set->v[i].name);
        free(set->v[i].path);
    }
    free(set->v);
    free(set->proxy_peers);
    conn_limits_delete(set->limits);
    free(set);
}
