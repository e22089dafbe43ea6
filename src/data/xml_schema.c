/* xml_schema.c: see xml_schema.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml_schema.h"

#include <libxml/tree.h>
#include <libxml/xmlschemas.h>
#include <stdlib.h>

#include "data/xml_tree.h"

#define SOAP_11 "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP_12 "http://www.w3.org/2003/05/soap-envelope"

struct xml_schema {
    xmlSchemaPtr compiled;
};

/* --- compiling ----------------------------------------------------------------------------------------------------- */

static void
on_schema_error(void *ctx, xmlErrorPtr e)
{
    struct err *err = ctx;
    struct str text = xml_error_text(e);

    if (err->code == ERR_NONE)
        err_set(err, ERR_SYNTAX, "line %d: %.*s", e->line, (int)MIN(text.len, (size_t)400), text.p);
}

struct xml_schema *
xml_schema_new(struct str text, struct err *err)
{
    struct err first = ERR_INIT;
    xmlDocPtr doc = xml_tree_new(text, err);
    xmlSchemaParserCtxtPtr parser = doc ? xmlSchemaNewDocParserCtxt(doc) : NULL;
    struct xml_schema *s;
    xmlSchemaPtr compiled = NULL;

    if (!doc)
        return NULL;
    if (parser) {
        xmlSchemaSetParserStructuredErrors(parser, on_schema_error, &first);
        compiled = xmlSchemaParse(parser);   /* copies what it needs of the document */
        xmlSchemaFreeParserCtxt(parser);
    }
    xml_tree_delete(doc);
    if (!compiled) {
        err_set(err, first.code != ERR_NONE ? first.code : ERR_SYNTAX, "%s",
                first.code != ERR_NONE ? first.text : "it is no XML Schema");
        return NULL;
    }
    s = xnew(struct xml_schema);
    s->compiled = compiled;
    return s;
}

void
xml_schema_delete(void *schema)
{
    struct xml_schema *s = schema;

    if (!s)
        return;
    xmlSchemaFree(s->compiled);
    free(s);
}

/* --- validating ---------------------------------------------------------------------------------------------------- */

static void
on_error(void *ctx, xmlErrorPtr e)
{
    struct xml_validation *v = ctx;
    struct xml_schema_error *grown;

    if (e->level < XML_ERR_ERROR || v->n_errors == XML_SCHEMA_ERRORS_MAX)
        return;
    grown = arena_grow(v->arena, v->errors, v->n_errors * sizeof(*grown), (v->n_errors + 1) * sizeof(*grown), _Alignof(*grown));
    if (!grown) {
        err_set(&v->failed, ERR_NO_MEMORY, "no memory left for the errors of a validation");
        return;
    }
    v->errors = grown;
    grown[v->n_errors++] = (struct xml_schema_error){str_dup(v->arena, xml_error_text(e)), (uint32_t)MAX(e->line, 0)};
}

static bool
is_named(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && xmlStrEqual(n->name, (const xmlChar *)name) &&
           (xmlStrEqual(n->ns->href, (const xmlChar *)SOAP_11) || xmlStrEqual(n->ns->href, (const xmlChar *)SOAP_12));
}

/* The Body of the envelope; NULL with v->failed. */
static xmlNodePtr
soap_body(xmlDocPtr doc, struct xml_validation *v)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr n = root && is_named(root, "Envelope") ? root->children : NULL;

    while (n && !is_named(n, "Body"))
        n = n->next;
    if (!n)
        err_set(&v->failed, ERR_INVALID, "The message is no SOAP envelope with a Body.");
    return n;
}

/* One element of the body as the root of a document of its own. */
static bool
validate_alone(xmlSchemaValidCtxtPtr ctxt, xmlNodePtr element, struct xml_validation *v)
{
    xmlDocPtr alone = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr copy = alone ? xmlDocCopyNode(element, alone, 1) : NULL;
    bool ok = false;

    if (copy) {
        xmlDocSetRootElement(alone, copy);
        xmlReconciliateNs(alone, copy);
        ok = xmlSchemaValidateDoc(ctxt, alone) == 0;
    } else {
        err_set(&v->failed, ERR_NO_MEMORY, "no memory left for a validation");
    }
    xmlFreeDoc(alone);
    return ok;
}

static bool
validate_body(xmlSchemaValidCtxtPtr ctxt, xmlDocPtr doc, struct xml_validation *v)
{
    xmlNodePtr body = soap_body(doc, v);
    bool ok = body != NULL;

    for (xmlNodePtr n = body ? body->children : NULL; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            ok &= validate_alone(ctxt, n, v);
    return ok;
}

bool
xml_schema_validate(const struct xml_schema *s, struct xml_validation *v)
{
    xmlDocPtr doc;
    xmlSchemaValidCtxtPtr ctxt;
    bool ok;

    v->errors = NULL;
    v->n_errors = 0;
    v->failed = ERR_INIT;
    doc = xml_tree_new(v->text, &v->failed);
    if (!doc)
        return false;
    ctxt = xmlSchemaNewValidCtxt(s->compiled);
    if (!ctxt) {
        xml_tree_delete(doc);
        return err_set(&v->failed, ERR_NO_MEMORY, "no memory left for a validation");
    }
    xmlSchemaSetValidStructuredErrors(ctxt, on_error, v);
    ok = v->is_soap ? validate_body(ctxt, doc, v) : xmlSchemaValidateDoc(ctxt, doc) == 0;
    xmlSchemaFreeValidCtxt(ctxt);
    xml_tree_delete(doc);
    if (!ok && !v->n_errors && v->failed.code == ERR_NONE)
        err_set(&v->failed, ERR_INVALID, "The document cannot be validated.");
    return ok && v->failed.code == ERR_NONE;
}
