/* p_authentication_certificate.c: <authentication-certificate certificate-id="c" />, or thumbprint="...", or body="@(...)" password="..."
 * The connection to the backend shows this certificate when the backend asks for one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "backend/certificates.h"
#include "base/codec.h"
#include "expr/native.h"
#include "expr/program.h"
#include "policy/compile.h"
#include "policy/credentials.h"

struct authentication_certificate {
    struct pvalue thumbprint, id, body, password;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct authentication_certificate, thumbprint, "thumbprint", .about = "SHA-1 thumbprint of a configured certificate."),
    VALUE_STR(struct authentication_certificate, id, "certificate-id", .about = "Name of a configured certificate."),
    VALUE_ANY(struct authentication_certificate, body, "body", .about = "The certificate itself: PKCS#12 as byte[], or Base64 text.",
              .unverified = "A text is taken for Base64, or for PEM."),
    VALUE_STR(struct authentication_certificate, password, "password", .about = "Password of the body."),
    ATTR_END
};

/* ---- the body ---- */

static bool
text_bytes(struct exchange *ex, struct str text, struct str *ret)
{
    struct buf b = buf_in(ex->arena);
    struct err err;

    *ret = text;
    if (str_find(text, STR("-----BEGIN"), 0) >= 0)
        return true;
    if (!codec_base64_decode_blanks(&b, text, &err)) {
        exchange_fail(ex, "body is neither Base64 nor PEM: %s", err.text);
        return false;
    }
    *ret = b.len ? buf_str(&b) : STR("");
    return true;
}

static bool
body_bytes(const struct authentication_certificate *a, struct exchange *ex, struct str *ret)
{
    const struct core_types *core = core_types(ex->services->env);
    struct object *o;
    struct str text;

    if (!a->body.program)
        return text_bytes(ex, a->body.text, ret);
    if (!pvalue_object(ex, &a->body, &o))
        return false;
    if (o && o->type == core->byte_array) {
        struct array *bytes = (struct array *)o;
        *ret = str_from((const char *)bytes->u.bytes, bytes->n);
        return true;
    }
    if (o && o->type == core->string)
        return text_bytes(ex, text = string_str((struct string *)o), ret);
    exchange_fail(ex, "body: expected byte[] or a text");
    return false;
}

static bool
find_given(const struct authentication_certificate *a, struct exchange *ex, const struct loaded_certificate **ret)
{
    struct str bytes, password;
    struct err err = ERR_INIT;

    if (!body_bytes(a, ex, &bytes) || !pvalue_str(ex, &a->password, &password))
        return false;
    *ret = certificates_given(ex->backends->certificates, bytes, password, &err);
    if (!*ret)
        exchange_fail(ex, "%s", err.text);
    return *ret != NULL;
}

bool
client_certificate_find(const void *conf, struct exchange *ex, const struct loaded_certificate **ret)
{
    const struct authentication_certificate *a = conf;
    const struct pvalue *name = pvalue_is_set(&a->thumbprint) ? &a->thumbprint : &a->id;
    struct str text;

    if (!ex->backends) {
        exchange_fail(ex, "no certificates are configured here");
        return false;
    }
    if (pvalue_is_set(&a->body))
        return find_given(a, ex, ret);
    if (!pvalue_str(ex, name, &text))
        return false;
    *ret = certificates_find(ex->backends->certificates, str_trim(text));
    if (!*ret)
        exchange_fail(ex, "there is no certificate '%.*s'", STR_ARG(text));
    return *ret != NULL;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    return client_certificate_find(conf, ex, &ex->certificate) ? FLOW_NEXT : FLOW_ERROR;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct authentication_certificate *a = conf;
    const struct policy_names *names = c->in->names;
    const struct pvalue *name = pvalue_is_set(&a->thumbprint) ? &a->thumbprint : &a->id;

    if (pvalue_is_set(&a->thumbprint) + pvalue_is_set(&a->id) + pvalue_is_set(&a->body) != 1)
        return compile_error(c, n, "<authentication-certificate> takes one of thumbprint, certificate-id and body");
    if (pvalue_is_set(&a->password) && !pvalue_is_set(&a->body))
        compile_warning(c, n, "password belongs to body; those of configured certificates stand in headgate.yaml");
    if (pvalue_is_set(name) && !name->program && !compile_is_placeholder(c, name->text) && names &&
        !(names->certificate && names->certificate(names->ctx, str_trim(name->text))))
        return compile_unknown_name(c, n, "certificate", name->text);
    return true;
}

const struct policy_def policy_authentication_certificate = {
    .name = "authentication-certificate", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct authentication_certificate), .compile = compile, .run = run,
    .summary = "Shows the backend a client certificate.",
    .usage = "Certificates are configured in headgate.yaml, by id and file; their thumbprints are computed.\nOf backends that speak plain "
             "HTTP it changes nothing.\nA certificate of the backend's entity gives way to it.",
};
