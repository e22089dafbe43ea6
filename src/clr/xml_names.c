/* xml_names.c: XmlNamespaceManager, NameTable and XmlConvert of System.Xml.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/families.h"
#include "clr/xtree.h"

struct plain {
    struct object head;
};

static bool table_new(struct call *c) { return return_new(c, object_new(c, c->owner, struct plain)); }

static struct xprefixes *
self_of(const struct call *c)
{
    return (struct xprefixes *)c->args[0].ref;
}

static bool
add(struct call *c, struct xprefixes *p, struct str prefix, struct str uri)
{
    struct xprefix *grown;

    for (uint32_t i = 0; i < p->n; i++)
        if (p->v[i].scope == p->scope && str_eq(p->v[i].prefix, prefix)) {
            p->v[i].uri = uri;
            return true;
        }
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 8;
        if (!(grown = call_alloc(c, cap * sizeof(*grown))))
            return false;
        if (p->n)
            memcpy(grown, p->v, p->n * sizeof(*grown));
        p->v = grown;
        p->cap = cap;
    }
    p->v[p->n++] = (struct xprefix){prefix, uri, p->scope};
    return true;
}

static bool
manager_new(struct call *c)
{
    struct xprefixes *p = object_new(c, c->owner, struct xprefixes);

    return p && add(c, p, STR("xml"), STR(XML_URI)) && add(c, p, STR("xmlns"), STR(XMLNS_URI)) && return_ref(c, p);
}

static bool
add_namespace(struct call *c)
{
    if (!call_string(c, 1) || !call_string(c, 2))
        return throw_argument_null(c, call_string(c, 1) ? "uri" : "prefix");
    return add(c, self_of(c), string_str(call_string(c, 1)), string_str(call_string(c, 2)));
}

static bool
remove_namespace(struct call *c)
{
    struct xprefixes *p = self_of(c);

    for (uint32_t i = p->n; i > 0; i--)
        if (call_string(c, 1) && str_eq(p->v[i - 1].prefix, string_str(call_string(c, 1)))) {
            memmove(&p->v[i - 1], &p->v[i], (p->n - i) * sizeof(*p->v));
            p->n--;
            return true;
        }
    return true;
}

static const struct xprefix *
find(const struct xprefixes *p, struct str text, bool by_uri)
{
    for (uint32_t i = p->n; i > 0; i--)
        if (str_eq(by_uri ? p->v[i - 1].uri : p->v[i - 1].prefix, text))
            return &p->v[i - 1];
    return NULL;
}

static bool
look_up(struct call *c, bool by_uri)
{
    const struct xprefix *found = call_string(c, 1) ? find(self_of(c), string_str(call_string(c, 1)), by_uri) : NULL;

    return found ? return_new(c, string_view(c, by_uri ? found->prefix : found->uri)) : return_ref(c, NULL);
}

static bool look_up_namespace(struct call *c) { return look_up(c, false); }
static bool look_up_prefix(struct call *c) { return look_up(c, true); }

static bool
has_namespace(struct call *c)
{
    return return_bool(c, call_string(c, 1) && find(self_of(c), string_str(call_string(c, 1)), false));
}

static bool
default_namespace(struct call *c)
{
    const struct xprefix *found = find(self_of(c), STR(""), false);

    return return_new(c, string_view(c, found ? found->uri : STR("")));
}

static bool
push_scope(struct call *c)
{
    self_of(c)->scope++;
    return true;
}

static bool
pop_scope(struct call *c)
{
    struct xprefixes *p = self_of(c);

    if (p->scope == 0)
        return return_bool(c, false);
    while (p->n && p->v[p->n - 1].scope == p->scope)
        p->n--;
    p->scope--;
    return return_bool(c, true);
}

#define X "System.Xml."
#define EXTRA_CLASS(name, base, interfaces) {TYPE_CLASS, X name, base, interfaces, NULL, TYPE_IS_EXTRA | TYPE_IS_IMPORTED, NULL}
#define N "XmlNamespaceManager"

static const struct type_row types[] = {
    INTERFACE(X "IXmlNamespaceResolver", NULL),
    CLASS_ABSTRACT(X "XmlNameTable", NULL, NULL, NULL),
    EXTRA_CLASS("NameTable", "XmlNameTable", NULL),
    EXTRA_CLASS(N, NULL, "IXmlNamespaceResolver"),
};

static const struct member_row members[] = {
    M("NameTable", "new()", table_new),
    M(N, "new(XmlNameTable nameTable)", manager_new),
    M(N, "void AddNamespace(string prefix, string uri)", add_namespace),
    M(N, "void RemoveNamespace(string prefix, string uri)", remove_namespace),
    M(N, "string LookupNamespace(string prefix)", look_up_namespace),
    M(N, "string LookupPrefix(string uri)", look_up_prefix),
    M(N, "bool HasNamespace(string prefix)", has_namespace),
    M(N, "string DefaultNamespace { get; }", default_namespace),
    M(N, "void PushScope()", push_scope),
    M(N, "bool PopScope()", pop_scope),
};

const struct library clr_xml_names = LIBRARY("xml names", types, members);
