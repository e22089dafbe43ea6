/* context_service.c: what is configured, as expressions see it: Api, Operation, Product, Subscription, User, Deployment, Backend,
 * Workspace.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "exchange/context_families.h"
#include "exchange/context_object.h"
#include "model/model.h"

/* --- sequences of views ------------------------------------------------------------------------------------------------------------------ */

struct views {
    struct sequence super;
    struct exchange *ex;
    const void *const *items;
    uint32_t n;
};

static int
next_view(struct call *c, struct iterator *it, struct value *ret)
{
    struct views *s = (struct views *)it->self;
    struct view *v;

    if (it->state[0].u64 >= s->n)
        return 0;
    if (!(v = object_new(c, s->super.head.type->args[0], struct view)))
        return -1;
    v->ex = s->ex;
    v->of = s->items[it->state[0].u64++];
    *ret = value_ref(v);
    return 1;
}

static bool
views_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    *it = (struct iterator){.next = next_view, .self = &self->head};
    return true;
}

/* c->ret_type is IEnumerable<X>; items are what the views show. */
static bool
return_views(struct call *c, struct exchange *ex, const void *const *items, uint32_t n)
{
    struct views *s = object_new(c, c->ret_type, struct views);

    if (s) {
        s->super.iterate = views_iterate;
        s->ex = ex;
        s->items = items;
        s->n = n;
    }
    return return_new(c, s);
}

/* --- IApi, IContextApi --------------------------------------------------------------------------------------------------------------------- */

static const struct api *
self_api(const struct call *c)
{
    return self_view(c)->of;
}

static bool api_id(struct call *c) { return return_text(c, self_api(c)->root_name); }
static bool api_name(struct call *c) { return return_text(c, self_api(c)->display_name); }
/* As in a URL: documents put it behind a host, OriginalUrl.Host + Api.Path. */
static bool
api_path(struct call *c)
{
    struct str path = self_api(c)->path;
    struct buf b = call_buf(c);

    if (str_starts_with(path, STR("/")))
        return return_text(c, path);
    buf_add_char(&b, '/');
    buf_add_str(&b, path);
    return return_new(c, string_from_buf(c, &b));
}

static bool api_revision(struct call *c) { return return_text(c, self_api(c)->revision); }
static bool api_version(struct call *c) { return return_text_or_null(c, self_api(c)->version); }
static bool api_is_current(struct call *c) { return return_bool(c, self_api(c)->is_current); }
static bool api_workspace(struct call *c) { return return_view_or_null(c, self_view(c)->ex, self_api(c)->workspace); }
static bool api_key_names(struct call *c) { return return_view(c, self_view(c)->ex, self_api(c)); }
static bool key_header(struct call *c) { return return_text(c, self_api(c)->key_header); }
static bool key_query(struct call *c) { return return_text(c, self_api(c)->key_query); }

static bool
api_service_url(struct call *c)
{
    struct url url;

    if (!self_api(c)->service_url.len || !url_parse(c->run->arena, self_api(c)->service_url, &url, NULL))
        return return_ref(c, NULL);
    return return_url(c, self_view(c)->ex, &url);
}

static bool
api_protocols(struct call *c)
{
    static const struct str names[] = {STR_INIT("http"), STR_INIT("https"), STR_INIT("ws"), STR_INIT("wss")};
    struct str found[COUNTOF(names)];
    uint32_t n = 0;

    for (uint32_t i = 0; i < COUNTOF(names); i++)
        if (self_api(c)->protocols >> i & 1)
            found[n++] = names[i];
    return return_new(c, array_of_strings(c, found, n));
}

/* --- IOperation ------------------------------------------------------------------------------------------------------------------------------ */

static const struct operation *
self_operation(const struct call *c)
{
    return self_view(c)->of;
}

static bool operation_id(struct call *c) { return return_text(c, self_operation(c)->name); }
static bool operation_name(struct call *c) { return return_text(c, self_operation(c)->display_name); }
static bool operation_method(struct call *c) { return return_text(c, self_operation(c)->method); }
static bool operation_template(struct call *c) { return return_text(c, self_operation(c)->url_template); }

/* --- IProduct ---------------------------------------------------------------------------------------------------------------------------------- */

static const struct product *
self_product(const struct call *c)
{
    return self_view(c)->of;
}

static bool product_id(struct call *c) { return return_text(c, self_product(c)->name); }
static bool product_name(struct call *c) { return return_text(c, self_product(c)->display_name); }
static bool product_approval(struct call *c) { return return_bool(c, self_product(c)->is_approval_required); }
static bool product_subscription(struct call *c) { return return_bool(c, self_product(c)->is_subscription_required); }
static bool product_state(struct call *c) { return return_i64(c, self_product(c)->state); }

static bool
product_apis(struct call *c)
{
    return return_views(c, self_view(c)->ex, (const void *const *)self_product(c)->apis, self_product(c)->n_apis);
}

static bool
product_groups(struct call *c)
{
    return return_views(c, self_view(c)->ex, (const void *const *)self_product(c)->groups, self_product(c)->n_groups);
}

static bool
product_limit(struct call *c)
{
    struct object *boxed;

    if (!self_product(c)->subscriptions_limit)
        return return_ref(c, NULL);
    return value_box(c, core_types(c->run->env)->int_, value_i64(self_product(c)->subscriptions_limit), &boxed) &&
           return_ref(c, boxed);
}

/* --- ISubscription ------------------------------------------------------------------------------------------------------------------------------ */

static const struct subscription *
self_subscription(const struct call *c)
{
    return self_view(c)->of;
}

static bool subscription_id(struct call *c) { return return_text(c, self_subscription(c)->name); }
static bool subscription_name(struct call *c) { return return_text(c, self_subscription(c)->display_name); }
static bool subscription_primary(struct call *c) { return return_text(c, self_subscription(c)->primary_key); }
static bool subscription_secondary(struct call *c) { return return_text(c, self_subscription(c)->secondary_key); }
static bool subscription_created(struct call *c) { return return_time(c, self_subscription(c)->created_s); }
static bool subscription_start(struct call *c) { return return_time_or_null(c, self_subscription(c)->start_s); }

static bool
subscription_end(struct call *c)
{
    const struct subscription *s = self_subscription(c);

    return return_time_or_null(c, s->expiration_s ? s->expiration_s : s->end_s);
}

/* --- IUser, IGroup -------------------------------------------------------------------------------------------------------------------------------- */

static const struct user *
self_user(const struct call *c)
{
    return self_view(c)->of;
}

static bool user_id(struct call *c) { return return_text(c, self_user(c)->name); }
static bool user_email(struct call *c) { return return_text(c, self_user(c)->email); }
static bool user_first_name(struct call *c) { return return_text(c, self_user(c)->first_name); }
static bool user_last_name(struct call *c) { return return_text(c, self_user(c)->last_name); }
static bool user_note(struct call *c) { return return_text_or_null(c, self_user(c)->note); }
static bool user_registered(struct call *c) { return return_time(c, self_user(c)->registered_s); }

static bool
user_groups(struct call *c)
{
    return return_views(c, self_view(c)->ex, (const void *const *)self_user(c)->groups, self_user(c)->n_groups);
}

static bool
user_identities(struct call *c)
{
    const struct user *u = self_user(c);
    const void **items = call_alloc(c, (u->n_identities + 1) * sizeof(*items));

    for (uint32_t i = 0; items && i < u->n_identities; i++)
        items[i] = &u->identities[i];
    return items && return_views(c, self_view(c)->ex, items, u->n_identities);
}

static bool identity_id(struct call *c) { return return_text(c, ((const struct user_identity *)self_view(c)->of)->id); }
static bool identity_provider(struct call *c) { return return_text(c, ((const struct user_identity *)self_view(c)->of)->provider); }
static bool group_id(struct call *c) { return return_text(c, ((const struct group *)self_view(c)->of)->name); }
static bool group_name(struct call *c) { return return_text(c, ((const struct group *)self_view(c)->of)->display_name); }

/* --- IDeployment, IGateway -------------------------------------------------------------------------------------------------------------------------- */

static const struct deployment *
self_deployment(const struct call *c)
{
    static const struct deployment none;
    const struct model *m = self_view(c)->ex->model;

    return m ? &m->settings.deployment : &none;
}

static struct str
gateway_id_of(const struct call *c)
{
    struct str id = self_deployment(c)->gateway_id;

    return id.len ? id : STR("managed");
}

static bool deployment_region(struct call *c) { return return_text(c, self_deployment(c)->region); }
static bool deployment_service_name(struct call *c) { return return_text(c, self_deployment(c)->service_name); }
static bool deployment_service_id(struct call *c) { return return_text(c, self_deployment(c)->service_id); }
static bool deployment_gateway_id(struct call *c) { return return_text(c, gateway_id_of(c)); }
static bool deployment_gateway(struct call *c) { return return_view(c, self_view(c)->ex, NULL); }
static bool gateway_is_managed(struct call *c) { return return_bool(c, str_eq_lit(gateway_id_of(c), "managed")); }
static bool nothing(struct call *c) { return return_ref(c, NULL); }

/* --- IBackend, IWorkspace ----------------------------------------------------------------------------------------------------------------------------- */

enum { BACKEND_SINGLE, BACKEND_POOL };

static const struct backend_conf *
self_backend(const struct call *c)
{
    return ((const struct backend *)self_view(c)->of)->conf;
}

static bool backend_id(struct call *c) { return return_text(c, self_backend(c)->name); }
static bool backend_region(struct call *c) { return return_text_or_null(c, STR_NONE); }
static bool backend_type(struct call *c) { return return_i64(c, self_backend(c)->is_pool ? BACKEND_POOL : BACKEND_SINGLE); }
static bool workspace_id(struct call *c) { return return_text(c, ((const struct workspace *)self_view(c)->of)->name); }
static bool workspace_name(struct call *c) { return return_text(c, ((const struct workspace *)self_view(c)->of)->display_name); }

/* --- rows ------------------------------------------------------------------------------------------------------------------------------------------------ */

#define VIEW(name) {TYPE_CLASS, name, NULL, NULL, NULL, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    VIEW("IApi"),
    {TYPE_CLASS, "IContextApi", "IApi", NULL, NULL, TYPE_IS_ABSTRACT, NULL},
    VIEW("ISubscriptionKeyParameterNames"),
    VIEW("IOperation"),
    VIEW("IProduct"),
    ENUM("ProductState", "NotPublished = 0, Published = 1"),
    VIEW("ISubscription"),
    VIEW("IUser"),
    VIEW("IUserIdentity"),
    VIEW("IGroup"),
    VIEW("IDeployment"),
    VIEW("IGateway"),
    VIEW("ISustainabilityInfo"),
    VIEW("IBackend"),
    ENUM("BackendType", "Single = 0, Pool = 1"),
    VIEW("IWorkspace"),
    VIEW("IGraphQL"),
};

static const struct member_row members[] = {
    M("IApi", "string Id { get; }", api_id),
    M("IApi", "string Name { get; }", api_name),
    M("IApi", "string Path { get; }", api_path),
    M("IApi", "string Revision { get; }", api_revision),
    M("IApi", "string Version { get; }", api_version),
    M("IApi", "IUrl ServiceUrl { get; }", api_service_url),
    M("IApi", "IEnumerable<string> Protocols { get; }", api_protocols),
    M("IApi", "ISubscriptionKeyParameterNames SubscriptionKeyParameterNames { get; }", api_key_names),
    M("IApi", "IWorkspace Workspace { get; }", api_workspace),
    M("IContextApi", "bool IsCurrentRevision { get; }", api_is_current),
    M("ISubscriptionKeyParameterNames", "string Header { get; }", key_header),
    M("ISubscriptionKeyParameterNames", "string Query { get; }", key_query),

    M("IOperation", "string Id { get; }", operation_id),
    M("IOperation", "string Name { get; }", operation_name),
    M("IOperation", "string Method { get; }", operation_method),
    M("IOperation", "string UrlTemplate { get; }", operation_template),

    M("IProduct", "string Id { get; }", product_id),
    M("IProduct", "string Name { get; }", product_name),
    M("IProduct", "IEnumerable<IApi> Apis { get; }", product_apis),
    M("IProduct", "IEnumerable<IGroup> Groups { get; }", product_groups),
    M("IProduct", "bool ApprovalRequired { get; }", product_approval),
    M("IProduct", "bool SubscriptionRequired { get; }", product_subscription),
    M("IProduct", "ProductState State { get; }", product_state),
    M("IProduct", "int? SubscriptionLimit { get; }", product_limit),
    M("IProduct", "int? SubscriptionsLimit { get; }", product_limit),

    M("ISubscription", "string Id { get; }", subscription_id),
    M("ISubscription", "string Name { get; }", subscription_name),
    M("ISubscription", "string Key { get; }", subscription_primary),
    M("ISubscription", "string PrimaryKey { get; }", subscription_primary),
    M("ISubscription", "string SecondaryKey { get; }", subscription_secondary),
    M("ISubscription", "DateTime CreatedDate { get; }", subscription_created),
    M("ISubscription", "DateTime CreatedTime { get; }", subscription_created),
    M("ISubscription", "DateTime? StartDate { get; }", subscription_start),
    M("ISubscription", "DateTime? EndDate { get; }", subscription_end),

    M("IUser", "string Id { get; }", user_id),
    M("IUser", "string Email { get; }", user_email),
    M("IUser", "string FirstName { get; }", user_first_name),
    M("IUser", "string LastName { get; }", user_last_name),
    M("IUser", "string Note { get; }", user_note),
    M("IUser", "DateTime RegistrationDate { get; }", user_registered),
    M("IUser", "IEnumerable<IGroup> Groups { get; }", user_groups),
    M("IUser", "IEnumerable<IUserIdentity> Identities { get; }", user_identities),
    M("IUserIdentity", "string Id { get; }", identity_id),
    M("IUserIdentity", "string Provider { get; }", identity_provider),
    M("IGroup", "string Id { get; }", group_id),
    M("IGroup", "string Name { get; }", group_name),

    M("IDeployment", "string Region { get; }", deployment_region),
    M("IDeployment", "string ServiceName { get; }", deployment_service_name),
    M("IDeployment", "string ServiceId { get; }", deployment_service_id),
    M("IDeployment", "string GatewayId { get; }", deployment_gateway_id),
    M("IDeployment", "IGateway Gateway { get; }", deployment_gateway),
    M("IDeployment", "ISustainabilityInfo SustainabilityInfo { get; }", nothing),
    M("IGateway", "string Id { get; }", deployment_gateway_id),
    M("IGateway", "string InstanceId { get; }", deployment_gateway_id),
    M("IGateway", "bool IsManaged { get; }", gateway_is_managed),

    M("IBackend", "string Id { get; }", backend_id),
    M("IBackend", "string AzureRegion { get; }", backend_region),
    M("IBackend", "BackendType Type { get; }", backend_type),
    M("IWorkspace", "string Id { get; }", workspace_id),
    M("IWorkspace", "string Name { get; }", workspace_name),
    M("IGraphQL", "JObject GraphQLArguments { get; }", nothing),
    M("IGraphQL", "JObject Parent { get; }", nothing),
};

const struct library context_service = LIBRARY("context service", types, members);
