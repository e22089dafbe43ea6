/* xml_element.c: XElement and XAttribute, and what they convert to.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/clock.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/guid.h"
#include "clr/number_parse.h"
#include "clr/xsequence.h"

static struct xelement *
self_of(const struct call *c)
{
    return (struct xelement *)c->args[0].ref;
}

static struct xattribute *
attribute_of(const struct call *c)
{
    return (struct xattribute *)c->args[0].ref;
}

static bool
return_str(struct call *c, struct str s)
{
    return s.p ? return_new(c, string_view(c, s)) : return_ref(c, NULL);
}

/* ---- XElement: making ---- */

static bool
element_new(struct call *c)
{
    struct xelement *e;

    if (!c->args[0].ref)
        return throw_argument_null(c, "name");
    e = xelement_new(c, (struct xname *)c->args[0].ref);
    return e && (c->n_args < 2 || xelement_add_content(c, e, NULL, c->args[1].ref)) && return_ref(c, e);
}

static bool
element_copy(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "other");
    return return_new(c, xnode_clone(c, &self_of(c)->node));
}

static bool
element_parse(struct call *c)
{
    struct xelement *d;
    struct xnode *root;

    if (!c->args[0].ref)
        return throw_argument_null(c, "text");
    d = xdocument_parse(c, string_str(call_string(c, 0)), c->n_args > 1 && c->args[1].i64 & 1);
    if (!d)
        return false;
    for (root = d->first; root->kind != XKIND_ELEMENT;)
        root = root->next;
    xnode_unlink(root);
    return return_ref(c, root);
}

/* ---- XElement: properties ---- */

static bool
element_name(struct call *c)
{
    return return_ref(c, self_of(c)->name);
}

static bool
element_set_name(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "value");
    self_of(c)->name = (struct xname *)c->args[1].ref;
    return true;
}

static bool
element_value(struct call *c)
{
    struct str text;

    return xelement_value(c, self_of(c), &text) && return_str(c, text);
}

static bool
set_text(struct call *c, struct xelement *e, struct str text)
{
    struct xtext *t;

    xelement_clear(e);
    e->has_content = true;
    if (text.len == 0)
        return true;
    return (t = xtext_new(c, XKIND_TEXT, text)) && xelement_insert(c, e, NULL, &t->node);
}

static bool
element_set_value(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "value");
    return set_text(c, self_of(c), string_str(call_string(c, 1)));
}

/* SetValue(object) */
static bool
element_set_any_value(struct call *c)
{
    struct str text;

    return xvalue_text(c, c->args[1].ref, &text) && set_text(c, self_of(c), text);
}

static bool
element_is_empty(struct call *c)
{
    return return_bool(c, !self_of(c)->has_content);
}

static bool
element_has_attributes(struct call *c)
{
    return return_bool(c, self_of(c)->first_attribute != NULL);
}

static bool
element_has_elements(struct call *c)
{
    struct xnode *n = self_of(c)->first;

    while (n && n->kind != XKIND_ELEMENT)
        n = n->next;
    return return_bool(c, n != NULL);
}

static bool
element_first_attribute(struct call *c)
{
    return return_ref(c, self_of(c)->first_attribute);
}

static bool
element_last_attribute(struct call *c)
{
    return return_ref(c, self_of(c)->last_attribute);
}

static bool
element_attribute(struct call *c)
{
    return return_ref(c, xelement_attribute(self_of(c), (struct xname *)c->args[1].ref));
}

/* ---- XElement: namespaces ---- */

static bool
return_namespace(struct call *c, struct str uri)
{
    struct xnamespace *n = object_new(c, c->ret_type, struct xnamespace);

    if (n)
        n->uri = uri;
    return return_new(c, n);
}

static bool
element_default_namespace(struct call *c)
{
    struct str uri = xelement_space_of(self_of(c), STR(""));

    return return_namespace(c, uri.p ? uri : STR(""));
}

static bool
element_namespace_of_prefix(struct call *c)
{
    struct str uri;

    if (!c->args[1].ref)
        return throw_argument_null(c, "prefix");
    uri = xelement_space_of(self_of(c), string_str(call_string(c, 1)));
    return uri.p ? return_namespace(c, uri) : return_ref(c, NULL);
}

static bool
element_prefix_of_namespace(struct call *c)
{
    struct str prefix;

    if (!c->args[1].ref)
        return throw_argument_null(c, "ns");
    xelement_prefix_of(self_of(c), ((struct xnamespace *)c->args[1].ref)->uri, false, &prefix);
    return return_str(c, prefix);
}

/* ---- XElement: changing ---- */

static bool
element_remove_attributes(struct call *c)
{
    while (self_of(c)->first_attribute)
        xattribute_unlink(self_of(c)->first_attribute);
    return true;
}

static bool
element_remove_all(struct call *c)
{
    xelement_clear(self_of(c));
    return element_remove_attributes(c);
}

static bool
element_replace_all(struct call *c)
{
    return element_remove_all(c) && xelement_add_content(c, self_of(c), NULL, c->args[1].ref);
}

static bool
element_replace_attributes(struct call *c)
{
    return element_remove_attributes(c) && xelement_add_content(c, self_of(c), NULL, c->args[1].ref);
}

/* A null value removes. */
static bool
element_set_attribute_value(struct call *c)
{
    struct xname *name = (struct xname *)c->args[1].ref;
    struct xattribute *a;
    struct str text;

    if (!name)
        return throw_argument_null(c, "name");
    if (c->args[2].ref)
        return xvalue_text(c, c->args[2].ref, &text) && xelement_set_attribute(c, self_of(c), name, text);
    if ((a = xelement_attribute(self_of(c), name)))
        xattribute_unlink(a);
    return true;
}

static bool
element_set_element_value(struct call *c)
{
    struct xname *name = (struct xname *)c->args[1].ref;
    struct xnode *n = self_of(c)->first;
    struct xelement *e;
    struct str text;

    if (!name)
        return throw_argument_null(c, "name");
    while (n && !(n->kind == XKIND_ELEMENT && xname_eq(((struct xelement *)n)->name, name)))
        n = n->next;
    if (!c->args[2].ref) {
        if (n)
            xnode_unlink(n);
        return true;
    }
    if (!xvalue_text(c, c->args[2].ref, &text))
        return false;
    if (n)
        return set_text(c, (struct xelement *)n, text);
    return (e = xelement_new(c, name)) && set_text(c, e, text) && xelement_insert(c, self_of(c), NULL, &e->node);
}

/* ---- XAttribute ---- */

static bool
attribute_new(struct call *c)
{
    struct str text;

    if (!c->args[0].ref)
        return throw_argument_null(c, "name");
    return xvalue_text(c, c->args[1].ref, &text) && return_new(c, xattribute_new(c, (struct xname *)c->args[0].ref, text));
}

static bool
attribute_name(struct call *c)
{
    return return_ref(c, attribute_of(c)->name);
}

static bool
attribute_value(struct call *c)
{
    return return_str(c, attribute_of(c)->value);
}

static bool
attribute_set_value(struct call *c)
{
    struct str text;

    if (!xvalue_text(c, c->args[1].ref, &text))
        return false;
    attribute_of(c)->value = text;
    return true;
}

static bool
attribute_is_declaration(struct call *c)
{
    const struct xname *n = attribute_of(c)->name;

    return return_bool(c, str_eq_lit(n->space, XMLNS_URI) || (n->space.len == 0 && str_eq_lit(n->local, "xmlns")));
}

static bool
attribute_next(struct call *c)
{
    return return_ref(c, attribute_of(c)->node.next);
}

static bool
attribute_previous(struct call *c)
{
    return return_ref(c, attribute_of(c)->node.prev);
}

static bool
attribute_remove(struct call *c)
{
    if (!attribute_of(c)->node.parent)
        return call_throw(c, EXC_INVALID_OPERATION, "The parent is missing.");
    xattribute_unlink(attribute_of(c));
    return true;
}

/* ---- conversions of text, as XmlConvert does them ---- */

static bool
bad_format(struct call *c)
{
    return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
}

static bool
number_status(struct call *c, enum number_status status)
{
    if (status == NUMBER_OVERFLOW)
        return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small.");
    return status == NUMBER_OK || bad_format(c);
}

static bool
to_bool(struct call *c, struct str text, struct value *ret)
{
    *ret = value_bool(str_eq_nocase(text, STR("true")) || str_eq_lit(text, "1"));
    return ret->i64 || str_eq_nocase(text, STR("false")) || str_eq_lit(text, "0") ||
           call_throw(c, EXC_FORMAT, "The string '%.*s' is not a valid Boolean value.", STR_ARG(text));
}

static bool
to_double(struct call *c, struct str text, double *ret)
{
    if (str_eq_lit(text, "INF") || str_eq_lit(text, "-INF")) {
        *ret = text.p[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    return number_status(c, number_parse_double(text, STYLE_FLOAT, ret));
}

static bool
to_date(struct call *c, struct str text, const struct type *to, struct value *ret)
{
    int64_t now = ticks_from_unix_ns(c->run->wall_ns ? c->run->wall_ns(c->run) : clock_wall_ns(NULL));
    struct moment m;

    if (!datetime_parse(text, now, &m))
        return call_throw(c, EXC_FORMAT, "The string '%.*s' is not a valid AllXsd value.", STR_ARG(text));
    if (str_eq_lit(to->full_name, "System.DateTimeOffset"))
        *ret = value_datetime_offset(m.ticks - (m.has_offset ? m.offset : 0), m.has_offset ? m.offset : 0);
    else
        *ret = value_datetime(m.ticks - (m.has_offset ? m.offset : 0), m.is_utc_text  ? KIND_UTC
                                                                       : m.has_offset ? KIND_LOCAL
                                                                                      : m.kind);
    return true;
}

/* [-]P[nD][T[nH][nM][n[.f]S]] */
static bool
to_duration(struct call *c, struct str text, struct value *ret)
{
    bool negative = text.len && text.p[0] == '-', in_time = false;
    int64_t total = 0;
    size_t i = negative;

    if (i >= text.len || text.p[i++] != 'P' || i == text.len)
        return bad_format(c);
    while (i < text.len) {
        int64_t n = 0, fraction = 0, unit, scale = TICKS_PER_SECOND;
        size_t from;

        if (text.p[i] == 'T' && !in_time) {
            in_time = true;
            i++;
            continue;
        }
        for (from = i; i < text.len && ascii_is_digit(text.p[i]) && n < 100000000; i++)
            n = n * 10 + (text.p[i] - '0');
        if (i == from)
            return bad_format(c);
        if (i < text.len && text.p[i] == '.')
            for (i++; i < text.len && ascii_is_digit(text.p[i]); i++)
                fraction += (text.p[i] - '0') * (scale /= 10);
        if (i == text.len)
            return bad_format(c);
        switch (text.p[i++]) {
        case 'D': unit = TICKS_PER_DAY; break;
        case 'H': unit = TICKS_PER_HOUR; break;
        case 'M': unit = in_time ? TICKS_PER_MINUTE : 30 * TICKS_PER_DAY; break;
        case 'Y': unit = 365 * TICKS_PER_DAY; break;
        case 'S': unit = TICKS_PER_SECOND; break;
        default: return bad_format(c);
        }
        if (__builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(total, n + fraction, &total))
            return call_throw_default(c, EXC_OVERFLOW);
    }
    *ret = value_i64(negative ? -total : total);
    return true;
}

static bool
to_guid(struct call *c, struct str text, struct value *ret)
{
    uint8_t guid[16];

    if (!guid_parse(text, guid))
        return call_throw(c, EXC_FORMAT, "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).");
    *ret = value_guid(guid);
    return true;
}

static bool
to_decimal(struct call *c, struct str text, struct value *ret)
{
    struct decimal d;

    if (!number_status(c, number_parse_decimal(text, STYLE_LEADING_WHITE | STYLE_TRAILING_WHITE | STYLE_LEADING_SIGN | STYLE_POINT, &d)))
        return false;
    memcpy(ret, &d, sizeof(*ret));
    return true;
}

static bool
convert(struct call *c, struct str text, const struct type *to, struct value *ret)
{
    int64_t n;
    uint64_t u;
    double d;

    text = to->kind == TYPE_STRING ? text : str_trim(text);
    switch (to->kind) {
    case TYPE_STRING:
        *ret = value_ref(string_view(c, text));
        return ret->ref != NULL;
    case TYPE_BOOL: return to_bool(c, text, ret);
    case TYPE_INT:
        *ret = value_i64(0);
        return number_status(c, number_parse_i64(text, STYLE_INTEGER, INT32_MIN, INT32_MAX, &ret->i64));
    case TYPE_UINT:
        if (!number_status(c, number_parse_i64(text, STYLE_INTEGER, 0, UINT32_MAX, &n)))
            return false;
        *ret = value_i64(n);
        return true;
    case TYPE_LONG:
        *ret = value_i64(0);
        return number_status(c, number_parse_i64(text, STYLE_INTEGER, INT64_MIN, INT64_MAX, &ret->i64));
    case TYPE_ULONG:
        if (!number_status(c, number_parse_u64(text, STYLE_INTEGER, UINT64_MAX, &u)))
            return false;
        *ret = (struct value){.lo = u};
        return true;
    case TYPE_FLOAT: case TYPE_DOUBLE:
        if (!to_double(c, text, &d))
            return false;
        *ret = to->kind == TYPE_FLOAT ? value_f32((float)d) : value_f64(d);
        return true;
    case TYPE_DECIMAL: return to_decimal(c, text, ret);
    default: break;
    }
    if (str_eq_lit(to->full_name, "System.Guid"))
        return to_guid(c, text, ret);
    return str_eq_lit(to->full_name, "System.TimeSpan") ? to_duration(c, text, ret) : to_date(c, text, to, ret);
}

/* (T)element and (T)attribute: null gives null, or ArgumentNullException for value types. */
static bool
cast(struct call *c, const char *parameter)
{
    const struct type *plain = type_strip_nullable(c->ret_type);
    struct xnode *n = (struct xnode *)c->args[0].ref;
    struct object *boxed;
    struct str text;

    if (!n)
        return type_is_kept_in_ref(c->ret_type) ? return_ref(c, NULL) : throw_argument_null(c, parameter);
    if (n->kind == XKIND_ATTRIBUTE)
        text = ((struct xattribute *)n)->value;
    else if (!xelement_value(c, (struct xelement *)n, &text))
        return false;
    if (!convert(c, text, plain, &c->ret))
        return false;
    return plain == c->ret_type || (value_box(c, plain, c->ret, &boxed) && return_ref(c, boxed));
}

static bool
element_cast(struct call *c)
{
    return cast(c, "element");
}

static bool
attribute_cast(struct call *c)
{
    return cast(c, "attribute");
}

static bool
empty_sequence(struct call *c)
{
    return return_new(c, array_new(c, type_array_of(c->ret_type->args[0]), 0));
}

static const struct type_row types[] = {
    CLASS("System.Xml.Linq.XElement", "XContainer", NULL, NULL),
    CLASS("System.Xml.Linq.XAttribute", "XObject", NULL, NULL),
};

#define CASTS(type, argument, fn) \
    M(type, "static explicit operator string(" argument ")", fn), M(type, "static explicit operator bool(" argument ")", fn), \
    M(type, "static explicit operator bool?(" argument ")", fn), M(type, "static explicit operator int(" argument ")", fn), \
    M(type, "static explicit operator int?(" argument ")", fn), M(type, "static explicit operator uint(" argument ")", fn), \
    M(type, "static explicit operator uint?(" argument ")", fn), M(type, "static explicit operator long(" argument ")", fn), \
    M(type, "static explicit operator long?(" argument ")", fn), M(type, "static explicit operator ulong(" argument ")", fn), \
    M(type, "static explicit operator ulong?(" argument ")", fn), M(type, "static explicit operator float(" argument ")", fn), \
    M(type, "static explicit operator float?(" argument ")", fn), M(type, "static explicit operator double(" argument ")", fn), \
    M(type, "static explicit operator double?(" argument ")", fn), \
    M(type, "static explicit operator decimal(" argument ")", fn), \
    M(type, "static explicit operator decimal?(" argument ")", fn), \
    M(type, "static explicit operator DateTime(" argument ")", fn), \
    M(type, "static explicit operator DateTime?(" argument ")", fn), \
    M(type, "static explicit operator DateTimeOffset(" argument ")", fn), \
    M(type, "static explicit operator DateTimeOffset?(" argument ")", fn), \
    M(type, "static explicit operator TimeSpan(" argument ")", fn), \
    M(type, "static explicit operator TimeSpan?(" argument ")", fn), M(type, "static explicit operator Guid(" argument ")", fn), \
    M(type, "static explicit operator Guid?(" argument ")", fn)

static const struct member_row members[] = {
    M("XElement", "new(XName name)", element_new),
    M("XElement", "new(XName name, object content)", element_new),
    M("XElement", "new(XName name, params object[] content)", element_new),
    M("XElement", "new(XElement other)", element_copy),
    M("XElement", "static XElement Parse(string text)", element_parse),
    M("XElement", "static XElement Parse(string text, LoadOptions options)", element_parse),
    M("XElement", "static IEnumerable<XElement> EmptySequence { get; }", empty_sequence),
    M("XElement", "XAttribute FirstAttribute { get; }", element_first_attribute),
    M("XElement", "XAttribute LastAttribute { get; }", element_last_attribute),
    M("XElement", "bool HasAttributes { get; }", element_has_attributes),
    M("XElement", "bool HasElements { get; }", element_has_elements),
    M("XElement", "bool IsEmpty { get; }", element_is_empty),
    P("XElement", "XName Name { get; set; }", element_name, element_set_name),
    P("XElement", "string Value { get; set; }", element_value, element_set_value),
    M("XElement", "IEnumerable<XElement> AncestorsAndSelf()", xsequence_ancestors_and_self),
    M("XElement", "IEnumerable<XElement> AncestorsAndSelf(XName name)", xsequence_ancestors_and_self),
    M("XElement", "XAttribute Attribute(XName name)", element_attribute),
    M("XElement", "IEnumerable<XAttribute> Attributes()", xsequence_attributes),
    M("XElement", "IEnumerable<XAttribute> Attributes(XName name)", xsequence_attributes),
    M("XElement", "IEnumerable<XNode> DescendantNodesAndSelf()", xsequence_descendant_nodes_and_self),
    M("XElement", "IEnumerable<XElement> DescendantsAndSelf()", xsequence_descendants_and_self),
    M("XElement", "IEnumerable<XElement> DescendantsAndSelf(XName name)", xsequence_descendants_and_self),
    M("XElement", "XNamespace GetDefaultNamespace()", element_default_namespace),
    M("XElement", "XNamespace GetNamespaceOfPrefix(string prefix)", element_namespace_of_prefix),
    M("XElement", "string GetPrefixOfNamespace(XNamespace ns)", element_prefix_of_namespace),
    M("XElement", "void RemoveAll()", element_remove_all),
    M("XElement", "void RemoveAttributes()", element_remove_attributes),
    M("XElement", "void ReplaceAll(object content)", element_replace_all),
    M("XElement", "void ReplaceAll(params object[] content)", element_replace_all),
    M("XElement", "void ReplaceAttributes(object content)", element_replace_attributes),
    M("XElement", "void ReplaceAttributes(params object[] content)", element_replace_attributes),
    M("XElement", "void SetAttributeValue(XName name, object value)", element_set_attribute_value),
    M("XElement", "void SetElementValue(XName name, object value)", element_set_element_value),
    M("XElement", "void SetValue(object value)", element_set_any_value),
    CASTS("XElement", "XElement element", element_cast),

    M("XAttribute", "new(XName name, object value)", attribute_new),
    M("XAttribute", "new(XAttribute other)", element_copy),
    M("XAttribute", "static IEnumerable<XAttribute> EmptySequence { get; }", empty_sequence),
    M("XAttribute", "bool IsNamespaceDeclaration { get; }", attribute_is_declaration),
    M("XAttribute", "XName Name { get; }", attribute_name),
    M("XAttribute", "XAttribute NextAttribute { get; }", attribute_next),
    M("XAttribute", "XAttribute PreviousAttribute { get; }", attribute_previous),
    P("XAttribute", "string Value { get; set; }", attribute_value, attribute_set_value),
    M("XAttribute", "void Remove()", attribute_remove),
    M("XAttribute", "void SetValue(object value)", attribute_set_value),
    CASTS("XAttribute", "XAttribute attribute", attribute_cast),
};

const struct library clr_xml_element = LIBRARY("xml element", types, members);
