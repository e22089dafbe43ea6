/* p_set_backend_service.c: <set-backend-service base-url="https://host/base" /> or backend-id="name"
 * Where the request goes. The last one that runs wins.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "exchange/outgoing.h"
#include "policy/compile.h"

struct set_backend_service {
    struct pvalue base_url, backend_id;
    struct pvalue fabric[5];      /* Service Fabric: accepted, no effect */
    struct pvalue dapr[3];
    struct str unsupported;       /* the backend is Dapr's: what the 501 says; STR_NONE */
};

#define NO_FABRIC "Service Fabric is not reached from here"

static const struct attr_def attrs[] = {
    VALUE_STR(struct set_backend_service, base_url, "base-url", .about = "Address to send the request to."),
    VALUE_STR(struct set_backend_service, backend_id, "backend-id", .about = "Name of a backend."),
    VALUE_STR(struct set_backend_service, fabric[0], "sf-resolve-condition", .no_effect = NO_FABRIC),
    VALUE_STR(struct set_backend_service, fabric[1], "sf-service-instance-name", .no_effect = NO_FABRIC),
    VALUE_STR(struct set_backend_service, fabric[2], "sf-partition-key", .no_effect = NO_FABRIC),
    VALUE_STR(struct set_backend_service, fabric[3], "sf-replica-type", .no_effect = NO_FABRIC),
    VALUE_STR(struct set_backend_service, fabric[4], "sf-listener-name", .no_effect = NO_FABRIC),
    VALUE_STR(struct set_backend_service, dapr[0], "dapr-app-id", .no_effect = "Dapr is not supported yet"),
    VALUE_STR(struct set_backend_service, dapr[1], "dapr-method", .no_effect = "Dapr is not supported yet"),
    VALUE_STR(struct set_backend_service, dapr[2], "dapr-namespace", .no_effect = "Dapr is not supported yet"),
    ATTR_END
};

/* backend-id="dapr" means Dapr's sidecar, unless a backend of that name is meant. */
static bool
is_dapr(const struct set_backend_service *s, const struct policy_names *names)
{
    if (s->backend_id.program || !str_eq_nocase(str_trim(s->backend_id.text), STR("dapr")))
        return false;
    return pvalue_is_set(&s->dapr[0]) || pvalue_is_set(&s->dapr[1]) ||
           !(names && names->backend && names->backend(names->ctx, s->backend_id.text));
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct set_backend_service *s = conf;
    const struct policy_names *names = c->in->names;
    bool has_url = pvalue_is_set(&s->base_url), has_id = pvalue_is_set(&s->backend_id);
    struct err err;
    struct url url;

    if (has_url == has_id)
        return compile_error(c, n, "<set-backend-service> takes either base-url or backend-id");
    if (is_dapr(s, names)) {
        s->unsupported = compile_unsupported(c, n, "set-backend-service to Dapr");
        return true;
    }
    if (has_url && !s->base_url.program && !compile_is_placeholder(c, s->base_url.text) &&
        !url_parse(c->arena, s->base_url.text, &url, &err))
        return compile_strict(c, n, "base-url: %s; requests that come here fail", err.text);
    if (has_id && !s->backend_id.program && names && !(names->backend && names->backend(names->ctx, s->backend_id.text)))
        return compile_unknown_name(c, n, "backend", s->backend_id.text);
    return true;
}

static enum flow
use_backend(const struct set_backend_service *s, struct exchange *ex)
{
    struct str id;

    if (!pvalue_str(ex, &s->backend_id, &id))
        return FLOW_ERROR;
    const struct backend *backend = backends_find(ex->backends, str_trim(id));
    if (!backend)
        return exchange_fail(ex, "there is no backend '%.*s'", STR_ARG(id));
    ex->backend = backend;
    ex->target = &backend->target;
    return FLOW_NEXT;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct set_backend_service *s = conf;
    const struct target *target;
    struct str address;
    struct err err;

    if (s->unsupported.p)
        return exchange_refuse(ex, E_NOT_SUPPORTED_YET, s->unsupported);
    if (pvalue_is_set(&s->backend_id))
        return use_backend(s, ex);
    if (!pvalue_str(ex, &s->base_url, &address))
        return FLOW_ERROR;
    address = str_trim(address);
    target = s->base_url.program ? exchange_target(ex, address, &err) : target_find(ex->targets, address, &err);
    if (!target)
        return exchange_fail(ex, "base-url: %s", err.text);
    ex->backend = NULL;
    ex->target = target;
    return FLOW_NEXT;
}

const struct policy_def policy_set_backend_service = {
    .name = "set-backend-service", .sections = IN_INBOUND | IN_BACKEND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct set_backend_service), .compile = compile, .run = run,
    .summary = "Sends the request to another backend.",
    .usage = "The request's path below the API's prefix is appended to base-url with one slash between.\nAn entity's "
             "credentials are added when the request is sent and replace headers of the same name.\nIn on-error, followed by "
             "forward-request, it reaches a second backend; Azure refuses that section.",
};
