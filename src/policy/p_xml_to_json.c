/* p_xml_to_json.c: <xml-to-json kind="direct" apply="content-type-xml" consider-accept-header="false" />
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml_json.h"
#include "policy/conversion.h"

enum kind { KIND_DIRECT, KIND_JAVASCRIPT };
enum apply { APPLY_ALWAYS, APPLY_CONTENT_TYPE };

struct xml_to_json_policy {
    struct pvalue kind, apply, consider_accept, always_arrays;
};

static const struct choice kinds[] = {{"direct", KIND_DIRECT}, {"javascript-friendly", KIND_JAVASCRIPT}, {NULL}};
static const struct choice applies[] = {{"always", APPLY_ALWAYS}, {"content-type-xml", APPLY_CONTENT_TYPE}, {NULL}};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct xml_to_json_policy, kind, "kind", kinds, .required = true,
                 .about = "direct keeps the shape of the XML, javascript-friendly leaves signs and namespaces out.",
                 .unverified = "direct: Newtonsoft's rules, comments left out; javascript-friendly: the same with plain names, "
                               "text as \"text\", no declaration and no instructions."),
    VALUE_CHOICE(struct xml_to_json_policy, apply, "apply", applies, .required = true,
                 .about = "always, or only when Content-Type is XML."),
    VALUE_BOOL(struct xml_to_json_policy, consider_accept, "consider-accept-header", .fallback = "true",
               .about = "Only when the request's Accept asks for JSON."),
    VALUE_BOOL(struct xml_to_json_policy, always_arrays, "always-array-child-elements", .fallback = "false",
               .about = "Every child element is an array; otherwise repeated ones are."),
    ATTR_END
};

static bool
convert(struct arena *a, struct str body, const void *how, struct buf *to, struct err *err)
{
    return xml_to_json(a, body, how, to, err);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct xml_to_json_policy *p = conf;
    struct xml_to_json how = {0};
    struct conversion c = {.policy = "xml-to-json", .is_to_json = true, .convert = convert, .how = &how};
    int kind, apply;

    if (!pvalue_enum(ex, &p->kind, kinds, &kind) || !pvalue_enum(ex, &p->apply, applies, &apply) ||
        !pvalue_bool(ex, &p->consider_accept, &c.considers_accept) || !pvalue_bool(ex, &p->always_arrays, &how.always_arrays))
        return FLOW_ERROR;
    c.always = apply == APPLY_ALWAYS;
    how.is_plain = kind == KIND_JAVASCRIPT;
    return conversion_run(ex, &c);
}

const struct policy_def policy_xml_to_json = {
    .name = "xml-to-json", .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR, .scopes = AT_ALL, .body = BODY_WHOLE,
    .attrs = attrs, .size = sizeof(struct xml_to_json_policy), .run = run,
    .summary = "Converts an XML body to JSON.",
    .usage = "What is repeated becomes an array, an empty tag null. The body then is UTF-8, its Content-Type application/json.\n"
             "A body that is not XML is an error, an empty one stays. Document types and entities of one's own are refused.",
};
