/* p_set_header.c: <set-header name="X" exists-action="override"><value>a</value></set-header>
 * Acts on the request in inbound and backend, on the answer later, or on the message of the policy it stands in.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/parts.h"

struct header_value {
    struct pvalue text;
};

struct set_header {
    struct pvalue name, action, bare;
    struct children values;       /* struct header_value */
};

const struct choice exists_actions[] = {
    {"override", EXISTS_OVERRIDE}, {"skip", EXISTS_SKIP}, {"append", EXISTS_APPEND}, {"delete", EXISTS_DELETE}, {NULL},
};

static const struct attr_def value_attrs[] = {
    VALUE_STR(struct header_value, text, "", .about = "One value. Null adds none; an empty text is an empty value."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct set_header, name, "name", .required = true, .about = "Name of the header, in any case."),
    VALUE_CHOICE(struct set_header, action, "exists-action", exists_actions, .fallback = "override",
                 .about = "What to do when the header is there: override replaces it, skip leaves it, append adds values, "
                          "delete removes it."),
    VALUE_STR(struct set_header, bare, "", .about = "A value written without <value>.",
              .unverified = "Some documents write the value as the text of set-header; it counts as one value."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "value", .offset = offsetof(struct set_header, values), .size = sizeof(struct header_value),
     .attrs = value_attrs, .about = "A value; several are joined with a comma, or sent as lines of their own where values "
                                    "may hold commas."},
    CHILD_END
};

/* Headers whose values may hold commas or dates: several values are several lines. */
static bool
has_own_lines(struct str name)
{
    static const struct str names[] = {
        STR_INIT("User-Agent"), STR_INIT("WWW-Authenticate"), STR_INIT("Proxy-Authenticate"), STR_INIT("Cookie"),
        STR_INIT("Set-Cookie"), STR_INIT("Warning"), STR_INIT("Date"), STR_INIT("Expires"), STR_INIT("If-Modified-Since"),
        STR_INIT("If-Unmodified-Since"), STR_INIT("Last-Modified"), STR_INIT("Retry-After"),
    };

    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* Framing is the gateway's: these cannot be changed or removed. */
static bool
is_protected(struct str name, bool is_delete)
{
    static const struct str names[] = {STR_INIT("Connection"), STR_INIT("Content-Length"), STR_INIT("Keep-Alive"),
                                       STR_INIT("Transfer-Encoding")};

    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return is_delete && str_eq_nocase(name, STR("Server"));
}

bool
check_header_value(struct exchange *ex, struct str name, struct str value)
{
    if (http_value_is_valid(value))
        return true;
    exchange_fail(ex, "the value for header %.*s holds a control character", STR_ARG(name));
    return false;
}

/* The values now; those that are null are left out. */
static bool
evaluate(const struct set_header *h, struct exchange *ex, struct str name, struct str *values, uint32_t *ret_n)
{
    uint32_t n = 0;

    CHILDREN(&h->values, struct header_value, v) {
        struct str text;

        if (!pvalue_str(ex, &v->text, &text))
            return false;
        if (v->text.program && !text.p)
            continue;
        values[n] = str_trim(text.p ? text : STR(""));
        if (!check_header_value(ex, name, values[n++]))
            return false;
    }
    if (h->values.n == 0 && pvalue_is_set(&h->bare)) {
        if (!pvalue_str(ex, &h->bare, &values[0]) || !check_header_value(ex, name, values[0]))
            return false;
        n = 1;
    }
    *ret_n = n;
    return true;
}

static struct str
joined(struct exchange *ex, const struct str *values, uint32_t n)
{
    struct buf b = buf_in(ex->arena);

    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_add_str(&b, values[i]);
    }
    return n == 1 ? values[0] : b.len ? buf_str(&b) : STR("");
}

static bool
put(struct exchange *ex, struct http_headers *headers, struct str name, const struct str *values, uint32_t n)
{
    bool ok = true;

    if (n == 0)
        return true;
    if (!has_own_lines(name))
        return http_headers_add(headers, name, joined(ex, values, n));
    for (uint32_t i = 0; i < n; i++)
        ok &= http_headers_add(headers, name, values[i]);
    return ok;
}

/* The frequent case, one value in place of another, keeps the header where it stood. */
static bool
override(struct exchange *ex, struct http_headers *headers, struct str name, const struct str *values, uint32_t n)
{
    if (n == 1)
        return http_headers_set(headers, name, values[0]);
    http_headers_remove(headers, name);
    return put(ex, headers, name, values, n);
}

/* What is there and what is added, as one line where lines may be joined. */
static bool
append(struct exchange *ex, struct http_headers *headers, struct str name, const struct str *values, uint32_t n)
{
    struct str old = http_headers_get_name(headers, name);

    if (n == 0)
        return true;
    if (!old.p || has_own_lines(name))
        return put(ex, headers, name, values, n);
    struct str both[] = {http_headers_get_joined(headers, name), joined(ex, values, n)};
    return http_headers_set(headers, name, joined(ex, both, 2));
}

bool
set_header_apply(const void *conf, struct exchange *ex, struct http_headers *headers)
{
    const struct set_header *h = conf;
    struct str name, *values = arena_new_array(ex->arena, struct str, h->values.n + 1);
    uint32_t n;
    int action;
    bool ok;

    if (!pvalue_str(ex, &h->name, &name) || !pvalue_enum(ex, &h->action, exists_actions, &action))
        return false;
    name = str_trim(name);
    if (!http_name_is_valid(name)) {
        exchange_fail(ex, "'%.*s' is not a header name", STR_ARG(name));
        return false;
    }
    if (is_protected(name, action == EXISTS_DELETE))
        return true;
    if (action == EXISTS_DELETE) {
        http_headers_remove(headers, name);
        return true;
    }
    if (action == EXISTS_SKIP && http_headers_get_name(headers, name).p)
        return true;
    if (!values || !evaluate(h, ex, name, values, &n))
        return false;
    ok = action == EXISTS_APPEND ? append(ex, headers, name, values, n) : override(ex, headers, name, values, n);
    if (!ok)
        exchange_fail(ex, "no memory left for header %.*s", STR_ARG(name));
    return ok;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct set_header *h = conf;
    bool is_delete = !h->action.program && h->action.literal.choice == EXISTS_DELETE;

    if (pvalue_is_set(&h->bare) && h->values.n == 0)
        return compile_strict(c, n, "Azure takes the value of set-header in <value>");
    if (!h->name.program && !http_name_is_valid(str_trim(h->name.text)) && !compile_is_placeholder(c, h->name.text))
        return compile_strict(c, n, "'%.*s' is not a header name; requests that come here fail", STR_ARG(h->name.text));
    if (!h->name.program && !h->action.program && is_protected(str_trim(h->name.text), is_delete))
        compile_warning(c, n, "this set-header has no effect: %.*s belongs to the gateway", STR_ARG(h->name.text));
    else if (is_delete && (h->values.n || pvalue_is_set(&h->bare)))
        compile_warning(c, n, "values have no effect with exists-action=\"delete\"");
    else if (!h->action.program && !is_delete && !h->values.n && !pvalue_is_set(&h->bare))
        compile_warning(c, n, "there is no <value>: override removes the header, skip and append have no effect");
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct http_headers *headers = exchange_message_headers(ex);

    if (!headers)
        return exchange_fail(ex, "no memory left for headers");
    return set_header_apply(conf, ex, headers) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_set_header = {
    .name = "set-header", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct set_header), .compile = compile, .run = run,
    .summary = "Sets, appends to or removes a header.",
    .usage = "Connection, Content-Length, Keep-Alive and Transfer-Encoding belong to the gateway and stay as they are.\n"
             "A value with a control character is an error of the request; nothing is cleaned silently.",
};
