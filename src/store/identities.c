/* identities.c: managed identities and credential providers of headgate.yaml become those of the model: defaults of the platform's
 * environment put in, {{named values}} resolved, and checked for what each source needs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/codec.h"
#include "data/crypto.h"
#include "model/identity_conf.h"
#include "store/loader.h"

#define METADATA_ENDPOINT "http://169.254.169.254/metadata/identity/oauth2/token"
#define AUTHORITY "https://login.microsoftonline.com"

/* A secret's text; "{{name}}" is the named value. */
static struct str
resolved(struct loader *l, const char *what, struct str owner, const struct secret *s)
{
    struct str text = str_trim(s->value), name;
    size_t index;

    if (!str_starts_with(text, STR("{{")) || !str_ends_with(text, STR("}}")))
        return s->value;
    name = str_trim(str_sub(text, 2, text.len - 2));
    index = (size_t)(uintptr_t)map_get(&l->named_value_index, name);
    if (index && l->named_values.v[index - 1].value.is_set)
        return keep_str(l, l->named_values.v[index - 1].value.value);
    diag_add(l->diags, l->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_ERROR, NULL, 0, 0,
             index ? "headgate.yaml: %s of `%.*s`: named value `%.*s` has no value: %.*s"
                   : "headgate.yaml: %s of `%.*s`: there is no named value `%.*s`%.*s",
             what, STR_ARG(owner), STR_ARG(name), STR_ARG(index ? l->named_values.v[index - 1].missing : STR("")));
    return STR("");
}

/* What headgate.yaml says, else what the platform put into the environment. */
static struct str
or_environment(struct loader *l, struct str text, const char *variable)
{
    const char *value = getenv(variable);

    return text.len || !value ? keep_str(l, text) : keep_str(l, str_from_c(value));
}

static struct client_proof
read_proof(struct loader *l, struct str owner, const struct client_proof_option *o)
{
    struct client_proof p = {.secret = resolved(l, "client-secret", owner, &o->secret), .certificate = keep_str(l, o->certificate),
                             .certificate_password = resolved(l, "certificate-password", owner, &o->certificate_password)};
    struct str data = resolved(l, "certificate-data", owner, &o->certificate_data);
    struct buf bytes = buf_in(l->keep);

    p.certificate_bytes = data;
    if (data.len && str_find(data, STR("-----BEGIN"), 0) < 0 && codec_base64_decode_blanks(&bytes, data, NULL))
        p.certificate_bytes = buf_str(&bytes);
    return p;
}

static bool
proves_nothing(const struct client_proof *p)
{
    return !p->secret.len && !p->certificate.len && !p->certificate_bytes.len;
}

static void
add_text(struct buf *to, struct str s)
{
    buf_printf(to, "%zu:", s.len);
    buf_add_str(to, s);
}

static void
add_proof(struct buf *to, const struct client_proof *p)
{
    add_text(to, p->secret);
    add_text(to, p->certificate);
    add_text(to, p->certificate_bytes);
    add_text(to, p->certificate_password);
}

/* A name for tokens that says nothing of the secrets it covers. */
static struct str
fingerprint(struct loader *l, struct buf *of)
{
    uint8_t digest[CRYPTO_HASH_MAX];
    struct buf text = buf_in(l->keep);

    if (crypto_digest(HASH_SHA256, buf_str(of), digest))
        codec_hex_encode(&text, str_from((const char *)digest, 32), false);
    buf_destroy(of);
    return text.len ? buf_str(&text) : STR("");
}

static void
identity_fingerprint(struct loader *l, struct identity_conf *i)
{
    struct buf b = BUF_INIT;
    struct str texts[] = {i->name, i->client_id, i->endpoint, i->endpoint_secret, i->token_url, i->token_file};

    buf_printf(&b, "%d ", (int)i->source);
    for (size_t k = 0; k < COUNTOF(texts); k++)
        add_text(&b, texts[k]);
    add_proof(&b, &i->proof);
    for (uint32_t k = 0; k < i->n_command; k++)
        add_text(&b, i->command[k]);
    i->fingerprint = fingerprint(l, &b);
}

static void
complain(struct loader *l, struct str name, const char *what)
{
    diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "headgate.yaml: identity `%.*s`: %s", STR_ARG(name), what);
}

static void
read_token_endpoint(struct loader *l, const struct identity_option *o, struct identity_conf *to)
{
    struct str authority = or_environment(l, o->authority, "AZURE_AUTHORITY_HOST"), tenant = or_environment(l, o->tenant, "AZURE_TENANT_ID");

    to->token_url = keep_str(l, o->token_url);
    if (!authority.len)
        authority = STR(AUTHORITY);
    while (str_ends_with(authority, STR("/")))
        authority.len--;
    if (!to->token_url.len && tenant.len)
        to->token_url = str_printf(l->keep, "%.*s/%.*s/oauth2/v2.0/token", STR_ARG(authority), STR_ARG(tenant));
    if (!to->token_url.len)
        complain(l, o->name, "needs `tenant-id` or `token-url`");
    if (!to->client_id.len)
        complain(l, o->name, "needs `client-id`");
}

static void
read_identity(struct loader *l, const struct identity_option *o, struct identity_conf *to)
{
    *to = (struct identity_conf){.name = keep_str(l, o->name), .source = (enum identity_source)o->source,
                                 .timeout_ms = (uint32_t)MIN(o->timeout_ms, 30000u)};
    to->client_id = to->source == IDENTITY_ENDPOINT || to->source == IDENTITY_EXECUTABLE
                        ? keep_str(l, o->client_id) : or_environment(l, o->client_id, "AZURE_CLIENT_ID");
    switch (to->source) {
    case IDENTITY_ENDPOINT:
        to->endpoint = or_environment(l, o->endpoint, "IDENTITY_ENDPOINT");
        to->endpoint_secret = o->endpoint_secret.is_set ? resolved(l, "endpoint-secret", o->name, &o->endpoint_secret)
                                                        : o->endpoint.len ? STR("") : or_environment(l, STR(""), "IDENTITY_HEADER");
        if (!to->endpoint.len)
            to->endpoint = STR(METADATA_ENDPOINT);
        break;
    case IDENTITY_WORKLOAD:
        read_token_endpoint(l, o, to);
        to->token_file = or_environment(l, o->token_file, "AZURE_FEDERATED_TOKEN_FILE");
        if (!to->token_file.len)
            complain(l, o->name, "needs `token-file`");
        break;
    case IDENTITY_CLIENT:
        read_token_endpoint(l, o, to);
        to->proof = read_proof(l, o->name, &o->proof);
        if (proves_nothing(&to->proof) && !(l->flags & LOAD_SECRETS_OPTIONAL))
            complain(l, o->name, "needs `client-secret`, `certificate` or `certificate-data`");
        break;
    case IDENTITY_EXECUTABLE:
        to->command = o->command.v;
        to->n_command = o->command.n;
        if (!to->n_command)
            complain(l, o->name, "needs `command`");
        break;
    }
    identity_fingerprint(l, to);
}

/* ---- credential providers ---- */

static void
read_authorization(struct loader *l, const struct provider_option *p, const struct authorization_option *o, struct authorization_conf *to)
{
    struct buf b = BUF_INIT;

    *to = (struct authorization_conf){.name = keep_str(l, o->name), .client_id = keep_str(l, o->client_id),
                                      .proof = read_proof(l, o->name, &o->proof), .scope = keep_str(l, o->scope),
                                      .object_ids = o->object_ids.v, .n_object_ids = o->object_ids.n};
    if (!to->name.len || !to->client_id.len || (proves_nothing(&to->proof) && !(l->flags & LOAD_SECRETS_OPTIONAL)))
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "headgate.yaml: authorization `%.*s` of provider `%.*s` needs `id`, `client-id` and "
                 "`client-secret`, `certificate` or `certificate-data`", STR_ARG(to->name), STR_ARG(p->name));
    struct str texts[] = {p->name, p->token_url, p->scope, p->resource, p->audience, to->name, to->client_id, to->scope};
    for (size_t k = 0; k < COUNTOF(texts); k++)
        add_text(&b, texts[k]);
    buf_printf(&b, "%u", p->authentication);
    add_proof(&b, &to->proof);
    to->fingerprint = fingerprint(l, &b);
}

static void
read_provider(struct loader *l, const struct provider_option *o, struct provider_conf *to)
{
    struct authorization_conf *all = arena_new_array(l->keep, struct authorization_conf, MAX(o->n_authorizations, 1u));

    *to = (struct provider_conf){.name = keep_str(l, o->name), .token_url = keep_str(l, o->token_url), .scope = keep_str(l, o->scope),
                                 .resource = keep_str(l, o->resource), .audience = keep_str(l, o->audience),
                                 .uses_basic = o->authentication == 1, .timeout_ms = (uint32_t)MIN(o->timeout_ms, 30000u),
                                 .authorizations = all};
    if (!to->name.len || !to->token_url.len)
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "headgate.yaml: authorization provider `%.*s` needs `id` and `token-url`", STR_ARG(to->name));
    for (uint32_t i = 0; all && i < o->n_authorizations; i++)
        read_authorization(l, o, &o->authorizations[i], &all[to->n_authorizations++]);
}

/* The identity that the platform offers through the environment, when headgate.yaml names none. */
static uint32_t
read_platform_identity(struct loader *l, struct identity_conf *to)
{
    struct identity_option o = {.name = STR("system"), .timeout_ms = 10000};

    if (getenv("AZURE_FEDERATED_TOKEN_FILE") && getenv("AZURE_TENANT_ID") && getenv("AZURE_CLIENT_ID"))
        o.source = IDENTITY_WORKLOAD;
    else if (getenv("IDENTITY_ENDPOINT"))
        o.source = IDENTITY_ENDPOINT;
    else
        return 0;
    read_identity(l, &o, to);
    return 1;
}

void
read_own_identities(struct loader *l)
{
    const struct service_options *s = &l->service;
    struct identity_conf *identities = arena_new_array(l->keep, struct identity_conf, MAX(s->n_identities, 1u));
    struct provider_conf *providers = arena_new_array(l->keep, struct provider_conf, MAX(s->n_providers, 1u));

    if (!identities || !providers)
        return;
    for (uint32_t i = 0; i < s->n_identities; i++)
        read_identity(l, &s->identities[i], &identities[i]);
    for (uint32_t i = 0; i < s->n_providers; i++)
        read_provider(l, &s->providers[i], &providers[i]);
    l->m->identities = identities;
    l->m->n_identities = s->n_identities ? s->n_identities : read_platform_identity(l, identities);
    l->m->providers = providers;
    l->m->n_providers = s->n_providers;
}
