/* xslt.c: see xslt.h.
 *
 * libxslt has three hooks, and all are needed: its security preferences refuse files and the network, the loader of xml_tree.c
 * refuses what gets past them, and a state that its interpreter looks at between instructions ends a run from outside (by a timer,
 * or when the memory of the run is used up).
 * What libxslt says about a stylesheet goes to a function of the process; it is led to the thread that compiles (compile_errors).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xslt.h"

#include <libxml/xpath.h>
#include <libxslt/extensions.h>
#include <libxslt/extra.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/variables.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/num.h"
#include "data/xml_tree.h"

#define NAME "stylesheet"             /* libxslt tells lines only of documents that have a name */

struct xslt {
    xsltStylesheetPtr compiled;
};

/* What libxslt says about a stylesheet that this thread compiles. */
static THREAD_LOCAL struct buf *compile_errors;

static void
add_message(struct buf *to, const char *fmt, va_list ap)
{
    if (to && to->len <= 400)
        buf_vprintf(to, fmt, ap);
}

static void PRINTF_LIKE(2, 3)
on_compile_error(void *ctx, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_message(compile_errors, fmt, ap);
    va_end(ap);
}

#define MSXSL "urn:schemas-microsoft-com:xslt"
#define EXSL "http://exslt.org/common"

static void
init(void)
{
    static const xsltSecurityOption all[] = {XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
                                             XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK};
    xsltSecurityPrefsPtr prefs;

    xsltInit();
    prefs = xsltNewSecurityPrefs();   /* as long as the process */
    for (size_t i = 0; i < COUNTOF(all); i++)
        xsltSetSecurityPrefs(prefs, all[i], xsltSecurityForbid);
    xsltSetDefaultSecurityPrefs(prefs);
    xsltSetGenericErrorFunc(NULL, on_compile_error);
    xsltRegisterExtModuleFunction((const xmlChar *)"node-set", (const xmlChar *)MSXSL, xsltFunctionNodeSet);
    xsltRegisterExtModuleFunction((const xmlChar *)"node-set", (const xmlChar *)EXSL, xsltFunctionNodeSet);
}

static void
init_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    xml_forbid_files();
    pthread_once(&once, init);
}

/* "runtime error: file stylesheet line 5 element value-of" and what follows, as "line 5, value-of: ...". */
static struct str
location(struct str text, uint32_t *line, struct str *element)
{
    ptrdiff_t at = str_find(text, STR(" file " NAME " line "), 0), end = str_find_char(text, '\n', 0);
    struct str rest, word;
    uint64_t number;

    if (at < 0 || end < at)
        return text;
    rest = str_sub(text, (size_t)at + strlen(" file " NAME " line "), (size_t)end);
    if (!str_split_next(&rest, ' ', &word) || !num_parse_u64(word, UINT32_MAX, &number, NULL))
        return text;
    *line = (uint32_t)number;
    if (rest.p && str_starts_with(rest, STR("element ")))
        *element = str_skip(rest, strlen("element "));
    return str_skip(text, (size_t)end + 1);
}

static struct str
first_line(struct str text)
{
    struct str line = STR_NONE;

    text = str_trim(text);
    return text.len && str_split_next(&text, '\n', &line) ? str_trim(line) : STR_NONE;
}

/* "xmlXPathCompOpEval: function f not found", "XPath error : Invalid type": what is behind the colon. */
static struct str
without_origin(struct str line)
{
    ptrdiff_t at = str_find(line, STR(": "), 0);

    return at < 0 ? line : str_skip(line, (size_t)at + 2);
}

/* What libxslt says about nothing in particular begins with a line of its own, "error". */
static struct str
without_kind(struct str text)
{
    return str_starts_with(text, STR("error\n")) ? str_skip(text, strlen("error\n")) : text;
}

/* The first of what was said as one sentence. */
static void
set_error(struct err *err, enum err_code code, struct str said, struct str said_by_xpath, const char *otherwise,
          uint32_t *ret_line)
{
    struct str element = STR_NONE, text = first_line(location(without_kind(said), ret_line, &element));
    struct str xpath = first_line(said_by_xpath);

    if (xpath.len)
        text = without_origin(xpath);
    if (!text.len)
        text = str_from_c(otherwise);
    if (*ret_line && element.len)
        err_set(err, code, "line %" PRIu32 ", %.*s: %.*s", *ret_line, STR_ARG(element), (int)MIN(text.len, (size_t)300),
                text.p);
    else
        err_set(err, code, "%.*s", (int)MIN(text.len, (size_t)300), text.p);
}

/* --- compiling ----------------------------------------------------------------------------------------------------- */

struct xslt *
xslt_new(struct str text, uint32_t *ret_line, struct err *err)
{
    struct buf said = BUF_INIT, said_by_xpath = BUF_INIT;
    xsltStylesheetPtr compiled;
    struct xslt *s = NULL;
    xmlDocPtr doc;

    *ret_line = 0;
    init_once();
    doc = xml_tree_new(text, err);
    if (!doc)
        return NULL;
    doc->URL = xmlStrdup((const xmlChar *)NAME);
    compile_errors = &said;
    xml_listen(&said_by_xpath);
    compiled = xsltParseStylesheetDoc(doc);   /* takes the document when it succeeds */
    compile_errors = NULL;
    xml_listen(NULL);
    if (compiled && !compiled->errors) {
        s = xnew(struct xslt);
        s->compiled = compiled;
    } else {
        set_error(err, ERR_SYNTAX, str_from(said.p, said.len), STR_NONE, "it is no XSLT stylesheet", ret_line);
        if (compiled)
            xsltFreeStylesheet(compiled);
        else
            xml_tree_delete(doc);
    }
    buf_destroy(&said);
    buf_destroy(&said_by_xpath);
    return s;
}

void
xslt_delete(void *xslt)
{
    struct xslt *s = xslt;

    if (!s)
        return;
    xsltFreeStylesheet(s->compiled);
    free(s);
}

/* --- applying ------------------------------------------------------------------------------------------------------ */

#define OPERATIONS_MAX 500000000ul    /* where no timer stops it */

/* Guards run->context: who stops a run must not meet the end of it. Never held for long. */
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;

static void
set_context(struct xslt_run *run, xsltTransformContextPtr ctxt)
{
    pthread_mutex_lock(&stop_lock);
    run->context = ctxt;
    pthread_mutex_unlock(&stop_lock);
}

void
xslt_stop(struct xslt_run *run)
{
    xsltTransformContextPtr ctxt;

    pthread_mutex_lock(&stop_lock);
    atomic_store(&run->is_stopped, true);
    ctxt = run->context;
    if (ctxt) {
        *(volatile xsltTransformState *)&ctxt->state = XSLT_STATE_STOPPED;
        *(volatile unsigned long *)&ctxt->xpathCtxt->opLimit = 1;
    }
    pthread_mutex_unlock(&stop_lock);
}

static void
on_memory(void *ctx)
{
    struct xslt_run *run = ctx;

    run->is_out_of_memory = true;
    xslt_stop(run);
}

static void PRINTF_LIKE(2, 3)
on_message(void *ctx, const char *fmt, ...)
{
    struct xslt_run *run = ctx;
    va_list ap;

    va_start(ap, fmt);
    add_message(&run->said, fmt, ap);
    va_end(ap);
}

static bool
quote_parameters(xsltTransformContextPtr ctxt, const struct xslt_run *run)
{
    const char **pairs = xnew_array(const char *, 2 * (size_t)run->n_parameters + 1);
    int rc;

    for (uint32_t i = 0; i < run->n_parameters; i++) {
        pairs[2 * i] = run->parameters[i].name.p;
        pairs[2 * i + 1] = run->parameters[i].value.p;
    }
    rc = xsltQuoteUserParams(ctxt, pairs);
    free(pairs);
    return rc == 0;
}

/* As .NET writes XML: the declaration names the encoding, no line end follows it or the document. */
static struct str
like_dotnet(const struct xslt *s, xmlDocPtr result, struct str text, struct buf *to)
{
    const xsltStylesheet *c = s->compiled;
    bool is_xml = c->method ? xmlStrEqual(c->method, (const xmlChar *)"xml") : result->type != XML_HTML_DOCUMENT_NODE;

    if (!is_xml || c->methodURI || c->encoding || c->indent == 1)
        return text;
    if (str_ends_with(text, STR("\n")))
        text = str_sub(text, 0, text.len - 1);
    if (!str_starts_with(text, STR("<?xml version=\"1.0\"?>\n")))
        return text;
    buf_add_lit(to, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    return str_skip(text, strlen("<?xml version=\"1.0\"?>\n"));
}

static bool
save(const struct xslt *s, struct xslt_run *run, xmlDocPtr result)
{
    xmlChar *text = NULL;
    int len = 0;
    bool ok = true;

    if (xsltSaveResultToString(&text, &len, result, s->compiled) != 0)
        return err_set(&run->err, ERR_INVALID, "the result cannot be written");
    if ((uint64_t)len > run->output_max)
        ok = err_set(&run->err, ERR_LIMIT, "the result is larger than %" PRIu64 " bytes", run->output_max);
    else if (len && !buf_add_str(&run->output, like_dotnet(s, result, str_from((char *)text, (size_t)len), &run->output)))
        ok = err_set(&run->err, ERR_NO_MEMORY, "no memory left for the result");
    xmlFree(text);
    return ok;
}

static bool
check(struct xslt_run *run, xsltTransformContextPtr ctxt, xmlDocPtr result)
{
    uint32_t line = 0;

    if (run->is_out_of_memory)
        return err_set(&run->err, ERR_LIMIT, "the transformation needs more than %" PRIu64 " bytes of memory", run->memory_max);
    if (atomic_load(&run->is_stopped))
        return err_set(&run->err, ERR_LIMIT, "the transformation took too long");
    if (ctxt->state == XSLT_STATE_OK && result)
        return true;
    set_error(&run->err, ERR_INVALID, str_from(run->said.p, run->said.len), str_from(run->said_by_xpath.p, run->said_by_xpath.len),
              "the transformation failed", &line);
    return false;
}

static bool
transform(const struct xslt *s, struct xslt_run *run, xmlDocPtr doc)
{
    xsltTransformContextPtr ctxt = xsltNewTransformContext(s->compiled, doc);
    xmlDocPtr result = NULL;
    bool ok;

    if (!ctxt)
        return err_set(&run->err, ERR_NO_MEMORY, "no memory left for a transformation");
    ctxt->maxTemplateDepth = (int)run->depth_max;
    ctxt->opLimit = OPERATIONS_MAX;
    xsltSetTransformErrorFunc(ctxt, run, on_message);
    ok = quote_parameters(ctxt, run);
    if (ok) {
        set_context(run, ctxt);
        if (!atomic_load(&run->is_stopped))
            result = xsltApplyStylesheetUser(s->compiled, doc, NULL, NULL, NULL, ctxt);
        set_context(run, NULL);
        ok = check(run, ctxt, result) && save(s, run, result) && check(run, ctxt, result);
    } else {
        err_set(&run->err, ERR_INVALID, "a parameter cannot be given to the stylesheet");
    }
    xmlFreeDoc(result);
    xsltFreeTransformContext(ctxt);
    return ok;
}

bool
xslt_apply(const struct xslt *s, struct xslt_run *run)
{
    struct xml_budget budget = {.left = (int64_t)MIN(run->memory_max, (uint64_t)INT64_MAX), .on_exceeded = on_memory, .ctx = run};
    xmlDocPtr doc;
    bool ok;

    run->output = run->said = run->said_by_xpath = BUF_INIT;
    run->err = ERR_INIT;
    init_once();
    xml_budget_begin(&budget);
    xml_listen(&run->said_by_xpath);
    doc = xml_tree_new(run->text, &run->err);
    ok = doc && transform(s, run, doc);
    xml_tree_delete(doc);
    xml_budget_end();
    xml_listen(NULL);
    buf_destroy(&run->said);
    buf_destroy(&run->said_by_xpath);
    return ok;
}
