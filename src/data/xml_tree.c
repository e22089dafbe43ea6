/* xml_tree.c: see xml_tree.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/xml.h"

/* --- memory -------------------------------------------------------------------------------------------------------- */

static THREAD_LOCAL struct xml_budget *budget;

static void
charge(void *p, int sign)
{
    struct xml_budget *b = budget;

    if (!b || !p)
        return;
    b->left -= sign * (int64_t)malloc_usable_size(p);
    if (b->left >= 0 || b->is_exceeded)
        return;
    b->is_exceeded = true;
    b->on_exceeded(b->ctx);
}

static void *
counted_malloc(size_t n)
{
    void *p = malloc(n);

    charge(p, 1);
    return p;
}

static void *
counted_realloc(void *old, size_t n)
{
    void *p;

    charge(old, -1);
    p = realloc(old, n);
    charge(p ? p : old, 1);
    return p;
}

static void
counted_free(void *p)
{
    charge(p, -1);
    free(p);
}

static char *
counted_strdup(const char *s)
{
    char *p = strdup(s);

    charge(p, 1);
    return p;
}

void
xml_budget_begin(struct xml_budget *b)
{
    xml_forbid_files();
    budget = b;
}

void
xml_budget_end(void)
{
    budget = NULL;
}

/* --- what libxml2 says --------------------------------------------------------------------------------------------- */

#define SAID_MAX 400

static THREAD_LOCAL struct buf *said;

/* Much of it is about bytes that a client sent: none of it goes to stderr. */
static void PRINTF_LIKE(2, 3)
on_message(void *ctx, const char *fmt, ...)
{
    va_list ap;

    if (!said || said->len > SAID_MAX)
        return;
    va_start(ap, fmt);
    buf_vprintf(said, fmt, ap);
    va_end(ap);
}

void
xml_listen(struct buf *to)
{
    xml_forbid_files();
    said = to;
}

/* --- loading ------------------------------------------------------------------------------------------------------- */

static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
    return NULL;
}

static void
forbid(void)
{
    xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup);
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
    xmlThrDefSetGenericErrorFunc(NULL, on_message);
    xmlSetGenericErrorFunc(NULL, on_message);
}

void
xml_forbid_files(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, forbid);
}

struct str
xml_error_text(const struct _xmlError *e)
{
    return str_trim(str_from_c(e->message ? e->message : "not well-formed"));
}

bool
xml_error_counts(const struct _xmlError *e)
{
    return e->level >= XML_ERR_ERROR && e->code != XML_WAR_NS_URI;
}

struct parsing {
    struct err *err;
    bool has_failed;
};

static void
on_error(void *ctx, xmlErrorPtr e)
{
    struct parsing *p = ((xmlParserCtxtPtr)ctx)->_private;
    struct str text = xml_error_text(e);

    if (p->has_failed || !xml_error_counts(e))
        return;
    p->has_failed = true;
    err_set(p->err, ERR_SYNTAX, "%.*s Line %d, position %d.", (int)MIN(text.len, (size_t)300), text.p, e->line, e->int2);
}

static void
on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxtPtr ctxt = ctx;
    struct parsing *p = ctxt->_private;

    if (!p->has_failed)
        err_set(p->err, ERR_DENIED, "For security reasons DTD is prohibited in this XML document.");
    p->has_failed = true;
    xmlStopParser(ctxt);
}

static unsigned
depth_of(const xmlNode *root)
{
    unsigned depth = 0, deepest = 0;

    for (const xmlNode *n = root; n;) {
        if (n->type == XML_ELEMENT_NODE && n->children) {
            n = n->children;
            deepest = MAX(deepest, ++depth);
            continue;
        }
        while (n != root && !n->next) {
            n = n->parent;
            depth--;
        }
        if (n == root)
            break;
        n = n->next;
    }
    return deepest;
}

struct _xmlDoc *
xml_tree_new(struct str text, struct err *err)
{
    struct parsing p = {.err = err};
    xmlParserCtxtPtr ctxt;
    xmlDocPtr doc = NULL;

    xml_forbid_files();
    if (text.len == 0) {
        err_set(err, ERR_SYNTAX, "Root element is missing.");
        return NULL;
    }
    ctxt = text.len < INT32_MAX ? xmlCreateMemoryParserCtxt(text.p, (int)text.len) : NULL;
    if (!ctxt) {
        err_set(err, ERR_NO_MEMORY, "XML cannot be read now");
        return NULL;
    }
    xmlCtxtUseOptions(ctxt, XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    ctxt->_private = &p;
    ctxt->sax->serror = on_error;
    ctxt->sax->internalSubset = on_doctype;
    xmlParseDocument(ctxt);
    doc = ctxt->myDoc;
    if (!ctxt->wellFormed && !p.has_failed)
        p.has_failed = !err_set(err, ERR_SYNTAX, "XML is not well-formed");
    if (!p.has_failed && doc && depth_of(xmlDocGetRootElement(doc)) >= XML_DEPTH_MAX)
        p.has_failed = !err_set(err, ERR_LIMIT, "XML is nested deeper than %d levels", XML_DEPTH_MAX);
    ctxt->myDoc = NULL;
    xmlFreeParserCtxt(ctxt);
    if (!p.has_failed)
        return doc;
    xmlFreeDoc(doc);
    return NULL;
}

void
xml_tree_delete(struct _xmlDoc *doc)
{
    xmlFreeDoc(doc);
}
