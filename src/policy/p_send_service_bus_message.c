/* p_send_service_bus_message.c: <send-service-bus-message namespace="ns.servicebus.windows.net" queue-name="orders">
 *                                   <message-properties> <message-property name="Customer">x</message-property>* </message-properties>
 *                                   <payload>...</payload>
 * One message by the broker's REST interface: POST https://NAMESPACE/QUEUE-OR-TOPIC/messages, the properties as headers. Authorized by
 * a token of an identity, or by a shared access signature when headgate.yaml has a connection string for the namespace.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "data/crypto.h"
#include "exchange/access_token.h"
#include "exchange/outgoing.h"
#include "http/headers.h"
#include "model/model.h"
#include "policy/compile.h"
#include "policy/parts.h"
#include "rt/loop.h"

#define RESOURCE "https://servicebus.azure.net"
#define SIGNATURE_S 1200
#define UNRESERVED "-._~"

struct property {
    struct str name;
    struct pvalue text;
};

struct properties {
    struct children properties;
};

struct payload {
    struct pvalue text;
};

struct service_bus_message {
    struct pvalue queue, topic, name_space, client_id;
    struct children properties, payload;
};

static const struct attr_def property_attrs[] = {
    ATTR_STR(struct property, name, "name", .required = true, .about = "Name of a property of the message."),
    VALUE_STR(struct property, text, "", .about = "Its value.", .unverified = "Sent as a text."),
    ATTR_END
};

static const struct child_def properties_children[] = {
    {.name = "message-property", .offset = offsetof(struct properties, properties), .size = sizeof(struct property),
     .attrs = property_attrs, .about = "A property."},
    CHILD_END
};

static const struct attr_def payload_attrs[] = {
    VALUE_STR(struct payload, text, "", .keep_blanks = true, .about = "What the message holds.", .unverified = "Its type is text/plain."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct service_bus_message, queue, "queue-name", .about = "Queue it goes to; or topic-name."),
    VALUE_STR(struct service_bus_message, topic, "topic-name", .about = "Topic it goes to; or queue-name."),
    VALUE_STR(struct service_bus_message, name_space, "namespace",
              .about = "Host of the namespace; may be left out when headgate.yaml has one, which then counts."),
    VALUE_STR(struct service_bus_message, client_id, "client-id", .about = "Client id of the identity; empty: the system's."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "message-properties", .offset = offsetof(struct service_bus_message, properties), .size = sizeof(struct properties),
     .children = properties_children, .once = true, .about = "Properties of the message."},
    {.name = "payload", .offset = offsetof(struct service_bus_message, payload), .size = sizeof(struct payload),
     .attrs = payload_attrs, .required = true, .once = true, .about = "What is sent."},
    CHILD_END
};

/* ---- where to, and with what right ---- */

/* The namespace of headgate.yaml with this host; without a host the first. NULL. */
static const struct service_bus *
find_namespace(const struct exchange *ex, struct str host)
{
    for (uint32_t i = 0; i < ex->model->n_service_buses; i++)
        if (!host.len || str_eq_nocase(ex->model->service_buses[i].host, host))
            return &ex->model->service_buses[i];
    return NULL;
}

static bool
make_url(const struct service_bus_message *s, struct exchange *ex, struct outgoing *o, const struct service_bus **ret)
{
    struct str host, entity;
    struct buf address = buf_in(ex->arena);
    struct err err;

    if (!pvalue_str(ex, &s->name_space, &host) || !pvalue_str(ex, pvalue_is_set(&s->queue) ? &s->queue : &s->topic, &entity))
        return false;
    host = str_trim(host);
    *ret = find_namespace(ex, host);
    if (!host.len && !*ret) {
        exchange_fail(ex, "no namespace is given, and headgate.yaml has none");
        return false;
    }
    buf_add_str(&address, *ret ? (*ret)->base : str_concat(ex->arena, STR("https://"), host));
    buf_add_char(&address, '/');
    codec_percent_encode(&address, str_trim(entity), UNRESERVED "/");
    buf_add_lit(&address, "/messages");
    if (url_parse(ex->arena, buf_str(&address), &o->url, &err))
        return true;
    exchange_fail(ex, "the namespace '%.*s': %s", STR_ARG(host), err.text);
    return false;
}

/* SharedAccessSignature sr=ADDRESS&sig=HMAC&se=EXPIRY&skn=NAME */
static struct str
sign(struct exchange *ex, const struct service_bus *bus, const struct outgoing *o)
{
    struct buf text = buf_in(ex->arena), code = buf_in(ex->arena), to = buf_in(ex->arena);
    uint64_t expiry = loop_wall_ns(ex->services->loop) / 1000000000 + SIGNATURE_S;
    uint8_t digest[CRYPTO_HASH_MAX];
    struct str resource;

    codec_percent_encode(&text, url_print(ex->arena, &o->url), UNRESERVED);
    resource = str_dup(ex->arena, buf_str(&text));
    buf_printf(&text, "\n%" PRIu64, expiry);
    if (!crypto_hmac(HASH_SHA256, bus->key, buf_str(&text), digest))
        return STR_NONE;
    codec_base64_encode(&code, str_from((const char *)digest, 32));
    buf_printf(&to, "SharedAccessSignature sr=%.*s&sig=", STR_ARG(resource));
    codec_percent_encode(&to, buf_str(&code), UNRESERVED);
    buf_printf(&to, "&se=%" PRIu64 "&skn=", expiry);
    codec_percent_encode(&to, bus->key_name, UNRESERVED);
    return buf_str(&to);
}

static bool
authorize(const struct service_bus_message *s, struct exchange *ex, const struct service_bus *bus, struct outgoing *o)
{
    struct str client_id, token;
    struct err err;

    if (!pvalue_str(ex, &s->client_id, &client_id))
        return false;
    if (bus && bus->key.len) {
        token = sign(ex, bus, o);
    } else if (identity_token(ex, STR(RESOURCE), str_trim(client_id), &token, &err)) {
        token = str_concat(ex->arena, STR("Bearer "), token);
    } else {
        if (err.code == ERR_CANCELLED)
            exchange_fail_io(ex, &err);
        else
            exchange_fail(ex, "no token for the namespace: %s", err.text);
        return false;
    }
    if (token.p && http_headers_set(o->headers, STR("Authorization"), token))
        return true;
    exchange_fail(ex, "no memory left for a message");
    return false;
}

/* ---- the message ---- */

/* A text in quotes, as the interface wants it. */
static bool
add_property(struct exchange *ex, struct str name, struct str value, struct outgoing *o)
{
    struct buf text = buf_in(ex->arena);

    if (!check_header_value(ex, name, value))
        return false;
    buf_add_char(&text, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_add_char(&text, '\\');
        buf_add_char(&text, value.p[i]);
    }
    buf_add_char(&text, '"');
    if (!text.failed && http_headers_add(o->headers, name, buf_str(&text)))
        return true;
    exchange_fail(ex, "no memory left for a message");
    return false;
}

static bool
make(const struct service_bus_message *s, struct exchange *ex, struct outgoing *o)
{
    const struct properties *all = s->properties.v;
    const struct payload *payload = s->payload.v;
    const struct service_bus *bus;
    struct str text;

    *o = (struct outgoing){.method = STR("POST"), .headers = arena_new(ex->arena, struct http_headers)};
    if (!o->headers) {
        exchange_fail(ex, "no memory left for a message");
        return false;
    }
    *o->headers = http_headers_in(ex->arena);
    if (!make_url(s, ex, o, &bus))
        return false;
    o->is_trusted = bus != NULL;
    if (all)
        CHILDREN(&all->properties, struct property, p)
            if (!pvalue_str(ex, &p->text, &text) || !add_property(ex, p->name, text, o))
                return false;
    if (!pvalue_str(ex, &payload->text, &text) || !authorize(s, ex, bus, o))
        return false;
    o->content = (struct content){.state = CONTENT_BYTES, .bytes = text.p ? text : STR("")};
    return http_headers_set(o->headers, STR("Content-Type"), STR("text/plain; charset=utf-8")) ||
           exchange_fail(ex, "no memory left for a message") == FLOW_NEXT;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct outgoing o;
    struct reply *reply;
    struct err err;

    if (!make(conf, ex, &o))
        return FLOW_ERROR;
    if (!outgoing_send(ex, &o, &reply, &err))
        return exchange_fail_io(ex, &err);
    if (reply->status / 100 == 2)
        return FLOW_NEXT;
    return exchange_fail(ex, "%.*s answered %u %.*s", STR_ARG(o.url.host), reply->status, STR_ARG(reply->reason));
}

/* ---- loading ---- */

/* What the request itself needs cannot be a property. */
static bool
is_free_name(struct str name)
{
    static const struct str taken[] = {
        STR_INIT("Authorization"), STR_INIT("BrokerProperties"), STR_INIT("Connection"), STR_INIT("Content-Length"),
        STR_INIT("Content-Type"), STR_INIT("Expect"), STR_INIT("Host"), STR_INIT("Proxy-Authorization"), STR_INIT("TE"),
        STR_INIT("Trailer"), STR_INIT("Transfer-Encoding"), STR_INIT("Upgrade"),
    };

    for (size_t i = 0; i < COUNTOF(taken); i++)
        if (str_eq_nocase(taken[i], name))
            return false;
    return http_name_is_valid(name);
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct service_bus_message *s = conf;
    const struct properties *all = s->properties.v;

    if (pvalue_is_set(&s->queue) == pvalue_is_set(&s->topic))
        return compile_error(c, n, "<send-service-bus-message> takes either queue-name or topic-name");
    if (all)
        CHILDREN(&all->properties, struct property, p)
            if (!is_free_name(p->name))
                return compile_error(c, n, "`%.*s` cannot be the name of a property", STR_ARG(p->name));
    return true;
}

const struct policy_def policy_send_service_bus_message = {
    .name = "send-service-bus-message", .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR,
    .scopes = AT_GLOBAL | AT_PRODUCT | AT_API | AT_OPERATION,
    .attrs = attrs, .children = children, .size = sizeof(struct service_bus_message), .compile = compile, .run = run,
    .summary = "Sends one message to a queue or topic of Service Bus.",
    .usage = "The request waits until the broker has it; a failure, any answer but 2xx among them, is an error (500).\nThe right to send "
             "comes from a token of an identity, or from a connection string that `service-bus:` in headgate.yaml has for the namespace.",
};
