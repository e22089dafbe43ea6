/* context_message.c: IRequest, IResponse and IMessageBody.
 *
 * A body is read when an expression asks for it, which suspends the request. Read without preserveContent it is used up:
 * afterwards Body is null, and nothing is forwarded in its place.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/utf8.h"
#include "clr/collections.h"
#include "clr/crypto.h"
#include "clr/encoding.h"
#include "clr/format.h"
#include "clr/jtoken.h"
#include "clr/values.h"
#include "exchange/context.h"
#include "exchange/context_body.h"
#include "exchange/context_dictionary.h"
#include "exchange/context_families.h"
#include "exchange/context_object.h"
#include "http/headers.h"
#include "http/message.h"
#include "http/server.h"
#include "model/model.h"
#include "net/stream.h"

/* --- IMessageBody -------------------------------------------------------------------------------------------------------------------- */

struct message_body {
    struct object head;
    struct exchange *ex;
    struct content *content;
    const struct http_headers *headers;
};

static bool
return_body(struct call *c, struct exchange *ex, struct content *content, const struct http_headers *headers)
{
    struct message_body *b;

    if (content_is_empty(content))
        return return_ref(c, NULL);
    if ((b = object_new(c, c->ret_type, struct message_body))) {
        b->ex = ex;
        b->content = content;
        b->headers = headers;
    }
    return return_new(c, b);
}

/* The bytes, Content-Encoding undone. False after throwing: a body that is used up is null. Yields. */
static bool
read_body(struct call *c, bool is_kept, struct str *ret)
{
    struct message_body *b = (struct message_body *)c->args[0].ref;
    struct err err = ERR_INIT;

    if (content_is_empty(b->content))
        return throw_null_reference(c);
    if (!content_read_decoded(b->ex, b->content, b->headers, is_kept, ret, &err))
        return call_throw(c, err.code == ERR_TIMEOUT ? EXC_TIMEOUT : EXC_IO, "The message body could not be read: %s.", err.text);
    if (!ret->p)
        *ret = STR("");
    return call_charge(c, ret->len / 64);
}

bool
context_body_text(struct call *c, struct str bytes, struct str content_type, bool is_xml, struct str *ret)
{
    struct buf b = call_buf(c);

    *ret = encoding_body_text(bytes, content_type, is_xml, &b);
    return ret->p || call_exceed(c, BUDGET_BYTES);
}

static bool
as_json(struct call *c, struct str text, enum json_kind wanted)
{
    struct json_problem problem = {.err = ERR_INIT};
    struct jtoken *t = jtoken_parse(c, text, wanted, &problem);

    if (!t && !c->run->exceeded && !c->run->exception)
        return call_throw(c, EXC_JSON_READER, "The message body is not a valid JSON. %s", problem.err.text);
    return return_new(c, t);
}

static bool
body_as(struct call *c)
{
    const struct type *wanted = c->type_args[0];
    struct message_body *b = (struct message_body *)c->args[0].ref;
    struct str bytes, text;

    if (!read_body(c, call_bool(c, 1), &bytes))
        return false;
    if (wanted->kind == TYPE_ARRAY && wanted->args[0]->kind == TYPE_BYTE)
        return return_new(c, array_of_bytes(c, bytes.p, (uint32_t)bytes.len));
    if (!context_body_text(c, bytes, http_headers_get(b->headers, HTTP_CONTENT_TYPE), str_starts_with(wanted->name, STR("X")), &text))
        return false;
    if (wanted->kind == TYPE_STRING || wanted->kind == TYPE_OBJECT)
        return return_new(c, string_view(c, text));
    if (str_eq_lit(wanted->name, "JObject"))
        return as_json(c, text, JSON_OBJECT);
    if (str_eq_lit(wanted->name, "JArray"))
        return as_json(c, text, JSON_ARRAY);
    if (str_eq_lit(wanted->name, "JToken"))
        return as_json(c, text, JSON_NULL);
    return context_body_as_xml(c, wanted, text);
}

/* name=value&name=value -> IDictionary<string, IList<string>> */
static bool
body_as_form(struct call *c)
{
    const struct core_types *core = core_types(c->run->env);
    const struct type *list_type = type_find_lit(c->run->env, "System.Collections.Generic.List", core->string);
    const struct type *value_type = type_find_lit(c->run->env, "System.Collections.Generic.IList", core->string);
    const struct type *type = type_find_lit(c->run->env, "System.Collections.Generic.Dictionary", core->string, value_type);
    struct clr_table *form;
    struct str bytes, rest, pair;

    if (!read_body(c, call_bool(c, 1), &bytes) || !(form = clr_dictionary_new(c, type, NULL)))
        return false;
    for (rest = bytes.len ? bytes : STR_NONE; str_split_next(&rest, '&', &pair);) {
        struct buf name = call_buf(c), text = call_buf(c);
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        struct value list = value_ref(NULL);
        bool found;

        if (!pair.len)
            continue;
        codec_percent_decode(&name, equals < 0 ? pair : str_sub(pair, 0, (size_t)equals), true);
        codec_percent_decode(&text, equals < 0 ? STR("") : str_skip(pair, (size_t)equals + 1), true);
        struct string *key = string_from_buf(c, &name), *value = string_from_buf(c, &text);
        if (!key || !value || !clr_dictionary_get(c, form, value_ref(key), &list, &found))
            return false;
        if (!found) {
            list = value_ref(clr_list_new(c, list_type, 1));
            if (!list.ref || !clr_dictionary_set(c, form, value_ref(key), list))
                return false;
        }
        if (!clr_list_add(c, (struct clr_list *)list.ref, value_ref(value)))
            return false;
    }
    return return_ref(c, form);
}

/* The way back: every value of every name, escaped as a form. */
static bool
add_form(struct call *c, struct buf *to)
{
    struct iterator it, values;
    struct value pair, v;
    int more, inner = 0;

    if (!c->args[0].ref)
        return throw_null_reference(c);
    if (!iterate(c, c->args[0].ref, NULL, &it))
        return false;
    while ((more = iterate_next(c, &it, &pair)) > 0) {
        struct record *r = (struct record *)pair.ref;
        if (!r->v[1].ref)
            continue;
        if (!iterate(c, r->v[1].ref, NULL, &values))
            return false;
        while ((inner = iterate_next(c, &values, &v)) > 0) {
            if (to->len)
                buf_add_char(to, '&');
            codec_percent_encode(to, string_str((struct string *)r->v[0].ref), "-._~");
            buf_add_char(to, '=');
            codec_percent_encode(to, v.ref ? string_str((struct string *)v.ref) : STR(""), "-._~");
        }
        if (inner < 0)
            return false;
    }
    return more == 0;
}

static bool
to_form(struct call *c)
{
    struct buf b = call_buf(c);

    return add_form(c, &b) && return_new(c, string_from_buf(c, &b));
}

static bool
to_query_string(struct call *c)
{
    struct buf b = call_buf(c);

    if (!add_form(c, &b))
        return false;
    if (!b.len)
        return return_ref(c, NULL);
    return return_new(c, string_printf(c, "?%.*s", (int)b.len, b.p));
}

/* --- IRequest -------------------------------------------------------------------------------------------------------------------------- */

static struct exchange *
self_exchange(const struct call *c)
{
    return self_view(c)->ex;
}

static bool
request_headers(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    return return_new(c, dictionary_make(c, c->ret_type, &header_dictionary_ops, ex, ex->request.headers));
}

static bool
request_body(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    return return_body(c, ex, ex->request.content, ex->request.headers);
}

static bool
request_url(struct call *c)
{
    struct url url;

    exchange_request_url(self_exchange(c), &url);
    return return_url(c, self_exchange(c), &url);
}

static bool request_original_url(struct call *c) { return return_url(c, self_exchange(c), &self_exchange(c)->original_url); }
static bool request_method(struct call *c) { return return_text(c, self_exchange(c)->request.method); }
static bool request_ip(struct call *c) { return return_text(c, self_exchange(c)->client_ip); }
static bool nothing(struct call *c) { return return_ref(c, NULL); }

static bool
request_parameters(struct call *c)
{
    return return_new(c, dictionary_make(c, c->ret_type, &parameter_dictionary_ops, self_exchange(c), NULL));
}

/* An X509Certificate2 of bytes, null when they are none. */
static bool
return_certificate(struct call *c, struct str bytes, struct str password)
{
    struct crypto_certificate certificate;

    if (!bytes.len || !crypto_certificate_read(bytes, password, &certificate, NULL))
        return return_ref(c, NULL);
    return return_new(c, x509_new(c, certificate));
}

static bool
request_certificate(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    if (!ex->call || !ex->call->stream)
        return return_ref(c, NULL);
    return return_certificate(c, stream_tls_info(ex->call->stream).client_cert_der, STR_NONE);
}

/* --- IResponse --------------------------------------------------------------------------------------------------------------------------- */

static struct reply_object *
self_reply(const struct call *c)
{
    return (struct reply_object *)c->args[0].ref;
}

static bool response_status(struct call *c) { return return_i64(c, self_reply(c)->reply->status); }

static bool
response_reason(struct call *c)
{
    const struct reply *r = self_reply(c)->reply;

    return return_text(c, r->reason.p ? r->reason : http_reason(r->status));
}

static bool
response_headers(struct call *c)
{
    return return_new(c, dictionary_make(c, c->ret_type, &header_dictionary_ops, self_reply(c)->ex, self_reply(c)->reply->headers));
}

static bool
response_body(struct call *c)
{
    struct reply_object *o = self_reply(c);

    return return_body(c, o->ex, &o->reply->content, o->reply->headers);
}

/* --- Deployment.Certificates --------------------------------------------------------------------------------------------------------------- */

/* Read when an expression asks for one. */
static bool
load_certificate(struct call *c, const struct certificate *conf, struct value *ret)
{
    struct buf bytes = call_buf(c);
    char path[4096];

    snprintf(path, sizeof(path), "%.*s", STR_ARG(conf->file));
    *ret = value_ref(NULL);
    if (!file_read(path, 1 << 20, &bytes, NULL))
        return true;
    if (conf->key_file.len) { /* certificate and key in one text */
        snprintf(path, sizeof(path), "%.*s", STR_ARG(conf->key_file));
        buf_add_char(&bytes, '\n');
        if (!file_read(path, 1 << 20, &bytes, NULL))
            return true;
    }
    if (!return_certificate(c, buf_str(&bytes), conf->password.is_set ? conf->password.value : STR_NONE))
        return false;
    *ret = c->ret;
    return true;
}

static bool
certificate_find(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found)
{
    const struct model *m = d->ex->model;
    const struct certificate *conf = m && m->n_certificates ? model_find_certificate(m, key) : NULL;

    *ret_found = false;
    if (!conf)
        return true;
    if (!load_certificate(c, conf, ret))
        return false;
    *ret_found = ret->ref != NULL;
    return true;
}

static bool
certificate_next(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more)
{
    const struct model *m = d->ex->model;

    *ret_more = m && *at < m->n_certificates;
    if (!*ret_more)
        return true;
    *ret_key = string_view(c, m->certificates[*at].thumbprint);
    return *ret_key && load_certificate(c, &m->certificates[(*at)++], ret);
}

static const struct dictionary_ops certificate_ops = {certificate_find, certificate_next};

static bool
deployment_certificates(struct call *c)
{
    return return_new(c, dictionary_make(c, c->ret_type, &certificate_ops, self_exchange(c), NULL));
}

#define VIEW(name) {TYPE_CLASS, name, NULL, NULL, NULL, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    VIEW("IRequest"),
    VIEW("IResponse"),
    VIEW("IMessageBody"),
    VIEW("IPrivateEndpointConnection"),
    VIEW("IFoundry"),
    STATIC_CLASS("MessageExtensions"),
};

static const struct member_row members[] = {
    M("IRequest", "HeaderCollection Headers { get; }", request_headers),
    M("IRequest", "IMessageBody Body { get; }", request_body),
    M("IRequest", "IUrl Url { get; }", request_url),
    M("IRequest", "IUrl OriginalUrl { get; }", request_original_url),
    M("IRequest", "string Method { get; }", request_method),
    M("IRequest", "string IpAddress { get; }", request_ip),
    M("IRequest", "ParameterCollection MatchedParameters { get; }", request_parameters),
    M("IRequest", "X509Certificate2 Certificate { get; }", request_certificate),
    M("IRequest", "IPrivateEndpointConnection PrivateEndpointConnection { get; }", nothing),
    M("IRequest", "IFoundry Foundry { get; }", nothing),
    M("IPrivateEndpointConnection", "string Name { get; }", nothing),
    M("IPrivateEndpointConnection", "string GroupId { get; }", nothing),
    M("IPrivateEndpointConnection", "string MemberName { get; }", nothing),
    M("IFoundry", "string Deployment { get; }", nothing),

    M("IResponse", "int StatusCode { get; }", response_status),
    M("IResponse", "string StatusReason { get; }", response_reason),
    M("IResponse", "HeaderCollection Headers { get; }", response_headers),
    M("IResponse", "IMessageBody Body { get; }", response_body),

    M("IMessageBody", "T As<T>(bool preserveContent = false)", body_as),
    M("IMessageBody", "IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)", body_as_form),
    M("MessageExtensions", "static string ToFormUrlEncodedContent(this IDictionary<string, IList<string>> dictionary)", to_form),
    M("MessageExtensions", "static string ToQueryString(this IDictionary<string, IList<string>> dictionary)", to_query_string),
    M("IDeployment", "CertificateCollection Certificates { get; }", deployment_certificates),
};

const struct library context_message = LIBRARY("context messages", types, members);
