/* p_set_body.c: <set-body>literal, expression or template</set-body>
 * Replaces the body of the message; Content-Type stays as it is. A literal is kept byte for byte, markup included.
 * Not here: the template engine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/program.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/parts.h"

enum body_template { TEMPLATE_NONE, TEMPLATE_LIQUID };

struct set_body {
    struct pvalue body;
    int template, xsi_nil;
    bool parse_date;
};

static const struct choice templates[] = {{"none", TEMPLATE_NONE}, {"liquid", TEMPLATE_LIQUID}, {NULL}};
static const struct choice xsi_nils[] = {{"blank", 0}, {"null", 1}, {NULL}};

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

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct set_body *s = conf;

    if (s->template != TEMPLATE_LIQUID)
        return true;
    compile_unsupported(c, n, "set-body template=\"liquid\"");
    return true;
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
        exchange_fail_expression(ex, str_dup(ex->arena, expr_run_error(ex->expr_run, NULL)));
        return false;
    }
    *ret = string_str(text);
    return true;
}

bool
set_body_apply(const void *conf, struct exchange *ex, struct content *content, struct http_headers *headers)
{
    const struct set_body *s = conf;
    struct object *o;
    struct str bytes;

    if (s->template == TEMPLATE_LIQUID)
        return exchange_refuse(ex, E_NOT_SUPPORTED_YET, STR("set-body template=\"liquid\"")) != FLOW_ERROR;
    if (!s->body.program) {
        bytes = s->body.text.p ? s->body.text : STR("");
    } else {
        if (!pvalue_object(ex, &s->body, &o) || !object_bytes(ex, o, &bytes))
            return false;
    }
    content_set(content, bytes);
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
    .name = "set-body", .sections = IN_INBOUND | IN_BACKEND | IN_OUTBOUND, .scopes = AT_ALL, .body = BODY_REPLACED,
    .attrs = attrs, .size = sizeof(struct set_body), .compile = compile, .run = run,
    .summary = "Replaces the body of the request or answer.",
    .usage = "Content-Type is not touched.\nReading context.Request.Body without preserveContent uses the body up; set-body "
             "puts a new one in its place.\nIn on-error it changes the error answer; Azure's page does not list that section, "
             "real documents use it.",
};
