/* p_set_body.c: <set-body>literal, expression or template</set-body>
 * Replaces the body of the message; Content-Type stays as it is. A literal is kept byte for byte, markup included. A template
 * is compiled with the document (data/liquid.h) and sees the message it replaces (template_model.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/program.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/parts.h"
#include "policy/template_model.h"

enum body_template { TEMPLATE_NONE, TEMPLATE_LIQUID };
enum xsi_nil { XSI_BLANK, XSI_NULL };

struct set_body {
    struct pvalue body;
    int template, xsi_nil;
    bool parse_date;
    const struct liquid *liquid;  /* NULL: no template, or one that an expression computes */
};

static const struct choice templates[] = {{"none", TEMPLATE_NONE}, {"liquid", TEMPLATE_LIQUID}, {NULL}};
static const struct choice xsi_nils[] = {{"blank", XSI_BLANK}, {"null", XSI_NULL}, {NULL}};

static const struct attr_def attrs[] = {
    ATTR_CHOICE(struct set_body, template, "template", templates, .fallback = "none",
                .about = "liquid makes the text a template."),
    ATTR_CHOICE(struct set_body, xsi_nil, "xsi-nil", xsi_nils, .fallback = "blank",
                .about = "What xsi:nil elements are in a template's model."),
    ATTR_BOOL(struct set_body, parse_date, "parse-date", .fallback = "true",
              .about = "Whether a template's model turns text that looks like a date into one."),
    VALUE_ANY(struct set_body, body, "", .keep_blanks = true, .about = "The body: text, markup, an expression or a template."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "value", .is_opaque = true, .about = "May stand around the body."},
    CHILD_END
};

/* Notes of the template, at their places in the document. */
static bool
report_notes(struct compiler *c, const struct doc_text *text, const struct liquid_note *note)
{
    bool ok = true;

    for (; note; note = note->next) {
        diag_add_mapped(c->diags, note->is_error ? DIAG_ERROR : DIAG_WARNING, &text->map, note->at, MAX(note->len, 1u),
                        "%s%.*s", note->is_error ? "Liquid syntax error: " : "in the template: ", STR_ARG(note->text));
        ok &= !note->is_error;
    }
    c->has_failed |= !ok;
    return ok;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct liquid_note *notes;
    const struct node *value = node_child(n, "value");
    struct set_body *s = conf;

    if (s->template != TEMPLATE_LIQUID && (node_attr(n, "xsi-nil") || node_attr(n, "parse-date")))
        compile_warning(c, n, "xsi-nil and parse-date have no effect without template=\"liquid\"");
    if (value && !compile_known_attributes(c, value, NULL))
        return false;
    if (value && !compile_value(c, &attrs[COUNTOF(attrs) - 2], &value->text, &s->body))
        return false;
    if (s->template != TEMPLATE_LIQUID || s->body.program)
        return true;
    leak_guard_expression(c, s->body.text);
    s->liquid = liquid_compile(c->arena, s->body.text, &notes);
    if (!report_notes(c, value ? &value->text : &n->text, notes))
        return false;
    return s->liquid || compile_error(c, n, "the template needs too much memory");
}

/* The bytes an expression's value stands for: those of a byte[], the text of anything else, none for null. */
static bool
object_bytes(struct exchange *ex, struct object *o, struct str *ret)
{
    struct call call = expr_host_call(ex->expr_run);
    struct string *text;

    if (!o) {
        *ret = STR("");
        return true;
    }
    if (o->type->kind == TYPE_ARRAY && ((struct array *)o)->is_bytes) {
        *ret = str_from((const char *)((struct array *)o)->u.bytes, ((struct array *)o)->n);
        return true;
    }
    if (!value_to_string(&call, o->type, value_unbox(o), STR_NONE, &text)) {
        exchange_make_error_room(ex);
        exchange_fail_expression(ex, str_dup(ex->arena, expr_run_error(ex->expr_run, NULL)));
        return false;
    }
    *ret = string_str(text);
    return true;
}

/* What the expression gives is the template; it is compiled each time. */
static const struct liquid *
computed_template(struct exchange *ex, struct str text)
{
    const struct liquid_note *note;
    const struct liquid *t = liquid_compile(ex->arena, text, &note);

    while (!t && note && !note->is_error)
        note = note->next;
    if (!t)
        exchange_fail(ex, "set-body: Liquid syntax error: %.*s", STR_ARG(note ? note->text : STR("no memory left")));
    return t;
}

static bool
render(const struct set_body *s, struct exchange *ex, struct str text, struct content *content, struct http_headers *headers)
{
    struct template_input in = {.content = content, .headers = headers, .nil_is_null = s->xsi_nil == XSI_NULL,
                                .with_dates = s->parse_date};
    const struct liquid *t = s->liquid ? s->liquid : computed_template(ex, text);
    struct buf to AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    if (!t || !template_render(ex, t, &in, &to))
        return false;
    if (content_set_copy(ex, content, to.len ? buf_str(&to) : STR(""), &err))
        return true;
    exchange_fail_io(ex, &err);
    return false;
}

bool
set_body_apply(const void *conf, struct exchange *ex, struct content *content, struct http_headers *headers)
{
    const struct set_body *s = conf;
    struct object *o;
    struct str bytes = s->body.text.p ? s->body.text : STR("");

    if (s->body.program && (!pvalue_object(ex, &s->body, &o) || !object_bytes(ex, o, &bytes)))
        return false;
    if (s->template != TEMPLATE_LIQUID)
        content_set(content, bytes);
    else if (!render(s, ex, bytes, content, headers))
        return false;
    http_headers_remove_id(headers, HTTP_CONTENT_ENCODING);
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct http_headers *headers = exchange_message_headers(ex);
    struct content *content = exchange_message_content(ex);

    if (!headers || !content)
        return exchange_fail(ex, "no memory left for a body");
    return set_body_apply(conf, ex, content, headers) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_set_body = {
    .name = "set-body", .sections = IN_ALL, .scopes = AT_ALL, .body = BODY_REPLACED,
    .attrs = attrs, .children = children, .size = sizeof(struct set_body), .compile = compile, .run = run,
    .summary = "Replaces the body of the request or answer.",
    .usage = "Content-Type is not touched.\nReading context.Request.Body without preserveContent uses the body up; set-body "
             "puts a new one in its place.\nIn on-error it changes the error answer; Azure's page does not list that section, "
             "real documents use it.",
};
