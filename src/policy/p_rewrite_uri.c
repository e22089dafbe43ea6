/* p_rewrite_uri.c: <rewrite-uri template="/put/{id}?a=b" copy-unmatched-params="true" />
 * {id} is a parameter of the operation's own template. The result replaces path and query of the request below the
 * backend's base address; the query parameters that neither template names are kept unless told otherwise. What a client puts into
 * a placeholder stays there: it can neither climb in the path nor begin the query or another parameter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/codec.h"
#include "model/api.h"
#include "model/route.h"
#include "policy/compile.h"

struct rewrite_uri {
    struct pvalue template, copy_unmatched;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct rewrite_uri, template, "template", .required = true,
              .about = "The new path, with a query when wanted; {name} is a parameter of the operation's template.",
              .unverified = "A parameter that is not in the request is empty. {path} that no template defines is the path below "
                            "the API's prefix."),
    VALUE_BOOL(struct rewrite_uri, copy_unmatched, "copy-unmatched-params", .fallback = "true",
               .about = "Whether query parameters that the operation's template does not name are appended."),
    ATTR_END
};

static const struct route_parameter *
find_matched(const struct exchange *ex, struct str name)
{
    for (uint32_t i = 0; i < ex->n_parameters; i++)
        if (str_eq(ex->parameters[i].name, name))
            return &ex->parameters[i];
    return NULL;
}

/* The end of a placeholder {name} at text[at], or 0. */
static size_t
placeholder(struct str text, size_t at, struct str *ret_name)
{
    ptrdiff_t close = str_find_char(str_sub(text, at, at + 256), '}', 1);

    if (close < 2)
        return 0;
    struct str name = str_sub(text, at + 1, at + (size_t)close);
    if (name.p[0] == '*')
        name = str_skip(name, 1);
    *ret_name = name;
    return at + (size_t)close + 1;
}

/* What an address may hold stays, the rest is percent-encoded; controls are refused. */
static bool
add_text(struct exchange *ex, struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < 0x20 || c == 0x7f) {
            exchange_fail(ex, "the template of rewrite-uri gives a control character");
            return false;
        }
        if (c > 0x7f || c == ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' || c == '{' ||
            c == '}' || c == '|' || c == '#')
            buf_printf(to, "%%%02X", c);
        else
            buf_add_char(to, (char)c);
    }
    return true;
}

/* Of the operation's template: one that is not in this request (an optional one, a query parameter) is empty. */
static bool
is_declared(const struct exchange *ex, struct str name)
{
    const struct operation *op = ex->operation;

    for (uint32_t i = 0; op && i < op->n_template_parameters; i++)
        if (str_eq(op->parameters[i].name, name))
            return true;
    return false;
}

static bool
is_from_query(const struct exchange *ex, struct str name)
{
    const struct operation *op = ex->operation;

    for (uint32_t i = 0; op && i < op->n_template_parameters; i++)
        if (op->parameters[i].place == PARAMETER_QUERY && str_eq_nocase(op->parameters[i].name, name))
            return true;
    return false;
}

/* A segment "." or "..", however it is written. */
static bool
climbs(struct exchange *ex, struct str value)
{
    struct buf b = buf_in(ex->arena);
    size_t from = 0;

    codec_percent_decode(&b, value, false);
    struct str plain = b.len ? buf_str(&b) : STR("");
    for (size_t i = 0; i <= plain.len; i++) {
        if (i < plain.len && plain.p[i] != '/' && plain.p[i] != '\\')
            continue;
        struct str segment = str_sub(plain, from, i);
        if (str_eq_lit(segment, ".") || str_eq_lit(segment, ".."))
            return true;
        from = i + 1;
    }
    return false;
}

/* What would end the part it goes to is encoded; a plus is a blank in a query alone. */
static bool
add_value(struct exchange *ex, struct str value, bool from_query, bool to_query, struct buf *to)
{
    bool ok = true;

    for (size_t i = 0; i < value.len && ok; i++) {
        char c = value.p[i];

        if (c == '?' && !to_query)
            buf_add_lit(to, "%3F");
        else if (c == '&' && to_query)
            buf_add_lit(to, "%26");
        else if (c == '+' && from_query != to_query)
            buf_add_str(to, from_query ? STR("%20") : STR("%2B"));
        else
            ok = add_text(ex, to, str_sub(value, i, i + 1));
    }
    return ok;
}

/* The value of a placeholder; absent ones are empty. */
static bool
add_parameter(struct exchange *ex, const struct route_parameter *m, bool to_query, struct buf *to)
{
    if (!m)
        return true;
    if (!to_query && climbs(ex, m->value)) {
        exchange_refuse(ex, E_BAD_REQUEST, str_printf(ex->arena, "the value of {%.*s} climbs in the path", STR_ARG(m->name)),
                        STR("A parameter is not valid."));
        return false;
    }
    return add_value(ex, m->value, is_from_query(ex, m->name), to_query, to);
}

static bool
fill_in(struct exchange *ex, struct str template, struct buf *to)
{
    size_t plain = 0;
    bool to_query = false;

    for (size_t at = 0; at < template.len;) {
        struct str name;
        to_query |= template.p[at] == '?';
        size_t end = template.p[at] == '{' ? placeholder(template, at, &name) : 0;
        const struct route_parameter *m = end ? find_matched(ex, name) : NULL;
        bool is_absent = end && !m && is_declared(ex, name), is_path = end && !m && !is_absent && str_eq_lit(name, "path");

        if (!m && !is_absent && !is_path) {
            at++;
            continue;
        }
        if (!add_text(ex, to, str_sub(template, plain, at)) ||
            !(is_path ? add_value(ex, ex->original_request_path, false, to_query, to) : add_parameter(ex, m, to_query, to)))
            return false;
        plain = at = end;
    }
    return add_text(ex, to, str_skip(template, plain));
}

static struct str
pair_name(struct str pair)
{
    ptrdiff_t equals = str_find_char(pair, '=', 0);

    return equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
}

static bool
has_name(struct str query, struct str name)
{
    struct str pair;

    while (str_split_next(&query, '&', &pair))
        if (str_eq_nocase(pair_name(pair), name))
            return true;
    return false;
}

/* Appends the pairs of the current query that neither template names. */
static struct str
with_unmatched(struct exchange *ex, struct str query)
{
    struct buf b = buf_in(ex->arena);
    struct str rest = ex->request.query, pair;

    buf_add_str(&b, query);
    while (str_split_next(&rest, '&', &pair)) {
        struct str name = pair_name(pair);

        if (pair.len == 0 || is_from_query(ex, name) || has_name(query, name))
            continue;
        if (b.len)
            buf_add_char(&b, '&');
        buf_add_str(&b, pair);
    }
    return b.len ? buf_str(&b) : STR_NONE;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct rewrite_uri *r = conf;
    struct buf b = buf_in(ex->arena);
    struct str template, uri;
    bool copies;

    if (!pvalue_str(ex, &r->template, &template) || !pvalue_bool(ex, &r->copy_unmatched, &copies))
        return FLOW_ERROR;
    template = str_trim(template);
    if (template.len == 0 || (template.p[0] != '/' && template.p[0] != '{'))
        buf_add_char(&b, '/');
    if (!fill_in(ex, template, &b))
        return FLOW_ERROR;
    if (b.failed)
        return exchange_fail(ex, "no memory left to rewrite the address");
    uri = buf_str(&b);
    ptrdiff_t question = str_find_char(uri, '?', 0);
    struct str query = question < 0 ? STR_NONE : str_skip(uri, (size_t)question + 1);
    ex->request.query = copies ? with_unmatched(ex, query) : query.len ? query : STR_NONE;
    ex->request.path = question < 0 ? uri : str_sub(uri, 0, (size_t)question);
    return FLOW_NEXT;
}

static bool
is_known_parameter(const struct policy_input *in, struct str name)
{
    for (uint32_t i = 0; i < in->n_parameters; i++)
        if (str_eq(in->parameters[i], name))
            return true;
    return str_eq_lit(name, "path");
}

/* A literal's placeholders must be the operation's, where the operation is known. */
static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct rewrite_uri *r = conf;
    struct str text = r->template.text, name;
    bool ok = true;

    if (r->template.program || !c->in->parameters)
        return true;
    for (size_t at = 0; at < text.len; at++)
        if (text.p[at] == '{' && placeholder(text, at, &name) && !is_known_parameter(c->in, name))
            ok = compile_error(c, n, "the operation's template has no parameter '%.*s'", STR_ARG(name));
    return ok;
}

const struct policy_def policy_rewrite_uri = {
    .name = "rewrite-uri", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct rewrite_uri), .compile = compile, .run = run,
    .summary = "Changes the path and query that go to the backend.",
    .usage = "What a client puts into a placeholder is encoded for its place; one that climbs in the path (`..`) is answered with 400.\n"
             "The result stands below the backend's base address; context.Request.OriginalUrl stays.\nThe last rewrite wins.",
};
