/* p_ip_filter.c: <ip-filter action="allow"><address>10.0.0.1</address><address-range from="10.0.1.0" to="10.0.1.255" /></ip-filter>
 * Compares addresses as numbers; IPv4 inside IPv6 counts as IPv4. The caller is who stands behind trusted proxies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"
#include "policy/compile.h"

enum action { ACTION_ALLOW, ACTION_FORBID };

struct address {
    struct pvalue text;
};

struct range {
    struct pvalue from, to;
};

struct ip_filter {
    struct pvalue action;
    struct children addresses, ranges;
};

static const struct choice actions[] = {{"allow", ACTION_ALLOW}, {"forbid", ACTION_FORBID}, {NULL}};

static const struct attr_def address_attrs[] = {
    VALUE_STR(struct address, text, "", .required = true, .about = "An IPv4 or IPv6 address.",
              .unverified = "A network (10.0.0.0/8) is accepted as well."),
    ATTR_END
};

static const struct attr_def range_attrs[] = {
    VALUE_STR(struct range, from, "from", .required = true, .about = "First address."),
    VALUE_STR(struct range, to, "to", .required = true, .about = "Last address."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct ip_filter, action, "action", actions, .required = true,
                 .about = "allow refuses everybody else, forbid refuses these."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "address", .offset = offsetof(struct ip_filter, addresses), .size = sizeof(struct address),
     .attrs = address_attrs, .about = "One address."},
    {.name = "address-range", .offset = offsetof(struct ip_filter, ranges), .size = sizeof(struct range),
     .attrs = range_attrs, .about = "Addresses from one to another, both included."},
    CHILD_END
};

static int
compare(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, a->kind == ADDR_V4 ? 4 : 16);
}

/* False with ex->error set when it is no address. */
static bool
parse(struct exchange *ex, const struct pvalue *v, struct addr *ret)
{
    struct str text;
    struct err err;

    if (!pvalue_str(ex, v, &text))
        return false;
    if (addr_parse_ip(str_trim(text), ret, &err))
        return true;
    exchange_fail(ex, "ip-filter: %s", err.text);
    return false;
}

static bool
matches_address(struct exchange *ex, const struct address *a, const struct addr *caller, bool *ret)
{
    struct addr_net net;
    struct addr one;
    struct str text;

    if (!pvalue_str(ex, &a->text, &text))
        return false;
    text = str_trim(text);
    if (str_find_char(text, '/', 0) >= 0 && addr_net_parse(text, &net, NULL)) {
        *ret = addr_net_has(&net, caller);
        return true;
    }
    if (!parse(ex, &a->text, &one))
        return false;
    *ret = addr_same_ip(&one, caller);
    return true;
}

static bool
matches_range(struct exchange *ex, const struct range *r, const struct addr *caller, bool *ret)
{
    struct addr from, to;

    if (!parse(ex, &r->from, &from) || !parse(ex, &r->to, &to))
        return false;
    *ret = from.kind == caller->kind && to.kind == caller->kind && compare(&from, caller) <= 0 && compare(caller, &to) <= 0;
    return true;
}

static bool
matches(const struct ip_filter *f, struct exchange *ex, const struct addr *caller, bool *ret)
{
    *ret = false;
    CHILDREN(&f->addresses, struct address, a)
        if (!matches_address(ex, a, caller, ret) || *ret)
            return *ret;
    CHILDREN(&f->ranges, struct range, r)
        if (!matches_range(ex, r, caller, ret) || *ret)
            return *ret;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct ip_filter *f = conf;
    struct addr caller;
    bool is_listed;
    int action;

    if (!pvalue_enum(ex, &f->action, actions, &action))
        return FLOW_ERROR;
    if (!addr_parse_ip(ex->client_ip, &caller, NULL))
        return action == ACTION_FORBID ? FLOW_NEXT : exchange_refuse(ex, E_CALLER_IP_UNKNOWN);
    if (!matches(f, ex, &caller, &is_listed))
        return FLOW_ERROR;
    if (is_listed == (action == ACTION_ALLOW))
        return FLOW_NEXT;
    return action == ACTION_ALLOW ? exchange_refuse(ex, E_CALLER_IP_NOT_ALLOWED, ex->client_ip)
                                  : exchange_refuse(ex, E_CALLER_IP_BLOCKED);
}

static bool
check_literal(struct compiler *c, const struct node *n, const struct pvalue *v)
{
    struct addr_net net;
    struct addr a;
    struct err err;
    struct str text = str_trim(v->text);

    if (v->program || compile_is_placeholder(c, text) || addr_parse_ip(text, &a, &err))
        return true;
    if (str_find_char(text, '/', 0) >= 0 && addr_net_parse(text, &net, &err))
        return compile_strict(c, n, "Azure takes single addresses, not networks");
    return compile_error(c, n, "%s", err.text);
}

/* A range that holds no address is a slip. */
static bool
check_range(struct compiler *c, const struct node *n, const struct range *r)
{
    struct addr from, to;

    if (!check_literal(c, n, &r->from) || !check_literal(c, n, &r->to))
        return false;
    if (r->from.program || r->to.program || !addr_parse_ip(str_trim(r->from.text), &from, NULL) ||
        !addr_parse_ip(str_trim(r->to.text), &to, NULL))
        return true;
    if (from.kind == to.kind && compare(&from, &to) <= 0)
        return true;
    return compile_error(c, n, "the range from %.*s to %.*s holds no address", STR_ARG(r->from.text), STR_ARG(r->to.text));
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct ip_filter *f = conf;
    bool ok = true;

    CHILDREN(&f->addresses, struct address, a)
        ok &= check_literal(c, n, &a->text);
    CHILDREN(&f->ranges, struct range, r)
        ok &= check_range(c, n, r);
    if (f->addresses.n + f->ranges.n == 0)
        ok = compile_error(c, n, "<ip-filter> needs an <address> or <address-range>");
    return ok;
}

const struct policy_def policy_ip_filter = {
    .name = "ip-filter", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct ip_filter), .compile = compile, .run = run,
    .summary = "Lets callers in, or keeps them out, by their address.",
    .usage = "The address is that of the connection, or what a trusted proxy says. A caller whose address cannot be told is "
             "refused by allow.",
};
