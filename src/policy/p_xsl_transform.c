/* p_xsl_transform.c: <xsl-transform><parameter name="id">@(...)</parameter><xsl:stylesheet ...>...</xsl:stylesheet></xsl-transform>
 * XSLT 1.0 over the body (data/xslt.h). The stylesheet is compiled with the document and applied on an offload thread, to a copy,
 * while a timer of the loop watches over its time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml.h"
#include "data/xslt.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/conversion.h"
#include "rt/timer.h"

#define DEPTH_DEFAULT 3000
#define OUTPUT_DEFAULT ((uint64_t)16 << 20)
#define MEMORY_DEFAULT ((uint64_t)256 << 20)
#define MS_DEFAULT 5000

struct parameter {
    struct pvalue value;
    struct str name, alias;
};

struct xsl_transform {
    struct children parameters;
    struct xslt *stylesheet;
};

static const struct attr_def parameter_attrs[] = {
    ATTR_STR(struct parameter, name, "name", .about = "Name of the xsl:param. Required."),
    ATTR_STR(struct parameter, alias, "parameter-name", .about = "The same, as some documents write it."),
    VALUE_STR(struct parameter, value, "", .about = "The value, a string to the stylesheet."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "parameter", .offset = offsetof(struct xsl_transform, parameters), .size = sizeof(struct parameter),
     .attrs = parameter_attrs, .about = "Sets a parameter of the stylesheet."},
    {.name = "xsl:stylesheet", .is_opaque = true, .about = "The stylesheet. Required."},
    {.name = "xsl:transform", .is_opaque = true, .about = "The same."},
    CHILD_END
};

/* --- compiling ----------------------------------------------------------------------------------------------------- */

static void
add_lines(struct buf *b, uint32_t *line, uint32_t wanted)
{
    for (; *line < wanted; (*line)++)
        buf_add_char(b, '\n');
}

/* The element as text again, named values put in, each line where it stands in the document: messages can tell it. */
static struct str
stylesheet_text(struct compiler *c, const struct node *n)
{
    uint32_t content_at = n->text.value.len ? text_map_source(&n->text.map, 0) : n->at, line = 1;
    struct buf b = buf_in(c->arena);

    add_lines(&b, &line, source_position(n->source, n->at).line);
    buf_printf(&b, "<%.*s", STR_ARG(n->name));
    for (const struct attribute *a = n->attrs; a; a = a->next) {
        buf_printf(&b, " %.*s=\"", STR_ARG(a->name));
        xml_add_escaped(&b, a->text.value);
        buf_add_char(&b, '"');
    }
    add_lines(&b, &line, source_position(n->source, content_at).line);
    buf_add_char(&b, '>');
    buf_add_str(&b, n->text.value);
    buf_printf(&b, "</%.*s>", STR_ARG(n->name));
    return b.failed ? STR_NONE : buf_str(&b);
}

/* Where the text of a line begins in the source; the tag when it is not one of the element's. */
static uint32_t
line_offset(const struct node *n, uint32_t line)
{
    struct str text = n->source->text;
    uint32_t at = 0;

    if (line < source_position(n->source, n->at).line)
        return n->at;
    for (uint32_t k = 1; k < line; k++) {
        ptrdiff_t end = str_find_char(text, '\n', at);

        if (end < 0)
            return n->at;
        at = (uint32_t)end + 1;
    }
    while (at < text.len && ascii_is_blank(text.p[at]))
        at++;
    return MAX(at, n->at);
}

static bool
compile_stylesheet(struct compiler *c, const struct node *n, struct xsl_transform *t)
{
    struct str text = stylesheet_text(c, n);
    uint32_t line = 0;
    struct err err;

    if (!text.p)
        return compile_error(c, n, "the document needs too much memory");
    t->stylesheet = xslt_new(text, &line, &err);
    if (!t->stylesheet) {
        diag_add(c->diags, DIAG_ERROR, n->source, line_offset(n, line), 1, "in the stylesheet: %s", err.text);
        c->has_failed = true;
        return false;
    }
    if (arena_defer(c->arena, xslt_delete, t->stylesheet))
        return true;
    xslt_delete(t->stylesheet);
    return compile_error(c, n, "the document needs too much memory");
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct node *stylesheet = NULL;
    struct xsl_transform *t = conf;
    struct parameter *p = t->parameters.v;
    bool ok = true;

    for (const struct node *k = n->first_child; k; k = k->next) {
        if (str_eq_lit(k->name, "parameter")) {
            p->name = str_dup(c->arena, p->name.len ? p->name : p->alias);
            ok &= p->name.len || compile_error(c, k, "<parameter> needs the attribute name");
            p++;
        } else if (stylesheet) {
            ok = compile_error(c, k, "<xsl-transform> takes one stylesheet");
        } else {
            stylesheet = k;
        }
    }
    if (!stylesheet)
        return compile_error(c, n, "<xsl-transform> needs an <xsl:stylesheet>");
    return compile_stylesheet(c, stylesheet, t) && ok;
}

/* --- running ------------------------------------------------------------------------------------------------------- */

struct job {
    const struct xslt *stylesheet;
    struct xslt_run run;
    struct timer timer;
    bool is_done;
};

static void
transform(void *arg)
{
    struct job *job = arg;

    job->is_done = xslt_apply(job->stylesheet, &job->run);
}

static void
on_timer(struct timer *t)
{
    xslt_stop(&CONTAINER_OF(t, struct job, timer)->run);
}

static bool
read_parameters(const struct xsl_transform *t, struct exchange *ex, struct xslt_run *run)
{
    struct xslt_parameter *to = arena_new_array(ex->arena, struct xslt_parameter, t->parameters.n + 1);

    if (!to)
        return exchange_fail(ex, "no memory left for a transformation") == FLOW_NEXT;
    run->parameters = to;
    CHILDREN(&t->parameters, struct parameter, p) {
        struct str value;

        if (!pvalue_str(ex, &p->value, &value))
            return false;
        to->name = p->name;
        to->value = str_dup(ex->arena, value.p ? value : STR(""));
        if (!to->value.p)
            return exchange_fail(ex, "no memory left for a transformation") == FLOW_NEXT;
        to++;
        run->n_parameters++;
    }
    return true;
}

static enum flow
apply(const struct xsl_transform *t, struct exchange *ex, struct job *job)
{
    const struct transform_limits *max = &ex->limits->transform;
    struct loop *loop = ex->services->loop;
    bool has_run;

    job->stylesheet = t->stylesheet;
    job->run.depth_max = max->xslt_depth ? max->xslt_depth : DEPTH_DEFAULT;
    job->run.output_max = max->xslt_output ? max->xslt_output : OUTPUT_DEFAULT;
    job->run.memory_max = max->xslt_memory ? max->xslt_memory : MEMORY_DEFAULT;
    timer_start(loop, &job->timer, loop_now_ms(loop) + (max->xslt_ms ? max->xslt_ms : MS_DEFAULT), on_timer);
    has_run = exchange_offload(ex, transform, job);
    timer_stop(loop, &job->timer);
    if (!has_run)
        return FLOW_ERROR;
    return job->is_done ? FLOW_NEXT : exchange_fail(ex, "xsl-transform: %s", job->run.err.text);
}

/* The text is UTF-8 by now, whatever is declared. */
static struct str
without_declaration(struct str text)
{
    struct xml_declaration d;

    return xml_read_declaration(text, &d) && d.encoding.p ? str_skip(text, (size_t)str_find(text, STR("?>"), 0) + 2) : text;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct http_headers *headers = exchange_message_headers(ex);
    struct content *content = exchange_message_content(ex);
    struct job job = {0};
    enum flow flow;
    struct err err;

    if (!headers || !exchange_has_body_to_change(ex))
        return FLOW_NEXT;
    if (!content_read_decoded(ex, content, headers, true, &job.run.text, &err))
        return exchange_fail_io(ex, &err);
    if (!message_text(ex, headers, job.run.text, true, &job.run.text) || !read_parameters(conf, ex, &job.run))
        return FLOW_ERROR;
    job.run.text = without_declaration(job.run.text);
    flow = apply(conf, ex, &job);
    if (flow == FLOW_NEXT && !content_set_copy(ex, content, job.run.output.len ? buf_str(&job.run.output) : STR(""), &err))
        flow = exchange_fail_io(ex, &err);
    buf_destroy(&job.run.output);
    if (flow == FLOW_NEXT)
        http_headers_remove_id(headers, HTTP_CONTENT_ENCODING);
    return flow;
}

const struct policy_def policy_xsl_transform = {
    .name = "xsl-transform", .sections = IN_INBOUND | IN_OUTBOUND, .scopes = AT_ALL, .once = true, .body = BODY_WHOLE,
    .children = children, .size = sizeof(struct xsl_transform), .compile = compile, .run = run,
    .summary = "Applies an XSLT 1.0 stylesheet to an XML body.",
    .usage = "Content-Type is not touched: set-header says what came out.\nA message without a body stays as it is; one that is not "
             "XML is an error.\nNothing outside of the stylesheet can be reached: xsl:import, xsl:include and document() are "
             "refused. msxsl:node-set and exsl:node-set exist, scripts do not.\nTime, memory, depth and output are bounded by "
             "transformation of headgate.yaml.",
};
