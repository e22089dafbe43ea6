/* p_trace.c: <trace source="x" severity="information"><message>...</message><metadata name="n" value="v" /></trace>
 * Adds a line to the request's trace when somebody will read it. Never fails the request. Older documents have their message as
 * the element's own text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

struct message {
    struct pvalue text;
};

struct metadata {
    struct pvalue name, value;
};

struct trace {
    struct pvalue source, text;
    int severity;
    struct children messages, metadata;
};

static const struct choice severities[] = {
    {"verbose", TRACE_VERBOSE}, {"information", TRACE_INFORMATION}, {"error", TRACE_ERROR}, {NULL},
};

static const struct attr_def message_attrs[] = {
    VALUE_STR(struct message, text, "", .about = "The text."),
    ATTR_END
};

static const struct attr_def metadata_attrs[] = {
    VALUE_STR(struct metadata, name, "name", .required = true, .about = "Name of a property of the line."),
    VALUE_STR(struct metadata, value, "value", .required = true, .about = "Its value."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct trace, source, "source", .required = true, .about = "Who says it."),
    ATTR_CHOICE(struct trace, severity, "severity", severities, .fallback = "verbose", .about = "How grave it is."),
    VALUE_STR(struct trace, text, "", .about = "The message, as older documents write it; `<message>` counts before it."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "message", .offset = offsetof(struct trace, messages), .size = sizeof(struct message),
     .attrs = message_attrs, .once = true, .about = "What is said."},
    {.name = "metadata", .offset = offsetof(struct trace, metadata), .size = sizeof(struct metadata),
     .attrs = metadata_attrs, .about = "A property of the line."},
    CHILD_END
};

static bool
add_metadata(const struct trace *t, struct exchange *ex, struct trace_line *line)
{
    line->metadata = arena_new_array(ex->arena, struct trace_metadata, t->metadata.n);
    if (!line->metadata)
        return true;
    CHILDREN(&t->metadata, struct metadata, m) {
        struct trace_metadata *to = &line->metadata[line->n_metadata];

        if (!pvalue_str(ex, &m->name, &to->name) || !pvalue_str(ex, &m->value, &to->value))
            return false;
        line->n_metadata++;
    }
    return true;
}

/* A value that fails leaves its message, and no error. */
static struct str
text_of(struct exchange *ex, const struct pvalue *v)
{
    struct last_error before = ex->error;
    struct str text;

    if (pvalue_str(ex, v, &text))
        return text.p ? text : STR("");
    text = ex->error.message;
    ex->error = before;
    return text;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct trace *t = conf;
    const struct message *message = t->messages.v;
    struct last_error before = ex->error;
    struct trace_line *line;
    struct str source, text;

    if (!exchange_wants_trace(ex, (enum trace_severity)t->severity))
        return FLOW_NEXT;
    source = text_of(ex, &t->source);
    text = text_of(ex, message ? &message->text : &t->text);
    line = exchange_trace(ex, (enum trace_severity)t->severity, source, text);
    if (line && !add_metadata(t, ex, line))
        ex->error = before;
    return FLOW_NEXT;
}

const struct policy_def policy_trace = {
    .name = "trace", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct trace), .run = run,
    .summary = "Adds a line to the request's trace and log.",
    .usage = "Rows of the gateway log hold the lines (TraceRecords) from the severity on that `gateway-log: traces` or the verbosity of the API's "
             "diagnostic says; by default from information on.\nAn expression in it that fails leaves its message in the line; the request goes on.",
};
