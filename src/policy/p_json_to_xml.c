/* p_json_to_xml.c: <json-to-xml apply="always" consider-accept-header="false" />
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jtoken.h"
#include "data/xml_json.h"
#include "policy/conversion.h"

enum apply { APPLY_ALWAYS, APPLY_CONTENT_TYPE };

struct json_to_xml_policy {
    struct pvalue apply, consider_accept, separator, namespace_prefix, attribute_block;
    bool parse_date;
};

static const struct choice applies[] = {{"always", APPLY_ALWAYS}, {"content-type-json", APPLY_CONTENT_TYPE}, {NULL}};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct json_to_xml_policy, apply, "apply", applies, .required = true,
                 .about = "always, or only when Content-Type is JSON."),
    VALUE_BOOL(struct json_to_xml_policy, consider_accept, "consider-accept-header", .fallback = "true",
               .about = "Only when the request's Accept asks for XML."),
    ATTR_BOOL(struct json_to_xml_policy, parse_date, "parse-date", .fallback = "true",
              .about = "Text that looks like a date is written as one; false: unchanged.",
              .unverified = "A date is written as Newtonsoft does: fractions without trailing zeros, offsets as UTC."),
    VALUE_STR(struct json_to_xml_policy, separator, "namespace-separator", .fallback = "_",
              .about = "Stands between prefix and local name in property names."),
    VALUE_STR(struct json_to_xml_policy, namespace_prefix, "namespace-prefix",
              .about = "Properties that begin with it declare namespaces, usually xmlns."),
    VALUE_STR(struct json_to_xml_policy, attribute_block, "attribute-block-name",
              .about = "Properties of the object of this name become attributes."),
    ATTR_END
};

static bool
write_date(struct str text, struct buf *to)
{
    struct value date;

    if (!json_read_date(text, &date))
        return false;
    json_write_date(to, date);
    return true;
}

static bool
convert(struct arena *a, struct str body, const void *how, struct buf *to, struct err *err)
{
    return json_to_xml(a, body, how, to, err);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct json_to_xml_policy *p = conf;
    struct json_to_xml how = {.date = p->parse_date ? write_date : NULL};
    struct conversion c = {.policy = "json-to-xml", .convert = convert, .how = &how};
    int apply;

    if (!pvalue_enum(ex, &p->apply, applies, &apply) || !pvalue_bool(ex, &p->consider_accept, &c.considers_accept) ||
        !pvalue_str(ex, &p->separator, &how.separator) || !pvalue_str(ex, &p->namespace_prefix, &how.namespace_prefix) ||
        !pvalue_str(ex, &p->attribute_block, &how.attribute_block))
        return FLOW_ERROR;
    c.always = apply == APPLY_ALWAYS;
    return conversion_run(ex, &c);
}

const struct policy_def policy_json_to_xml = {
    .name = "json-to-xml", .sections = IN_ALL, .scopes = AT_ALL, .body = BODY_WHOLE,
    .attrs = attrs, .size = sizeof(struct json_to_xml_policy), .run = run,
    .summary = "Converts a JSON body to XML.",
    .usage = "A property is an element, an array repeats it, null is an empty element. A root object with one property gives the "
             "root element, anything else stands in <Document>; the items of a root array are <item>.\nThe body then is UTF-8, "
             "its Content-Type application/xml. What may not stand in a name of XML is written _xHHHH_. A body that is not "
             "JSON is an error, an empty one stays.",
};
