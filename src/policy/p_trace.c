/* p_trace.c: <trace source="x" severity="information"><message>...</message><metadata name="n" value="v" /></trace>
 * Adds a line to the request's trace when somebody will read it. Never fails the request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

struct message {
    struct pvalue text;
};

struct metadata {
    struct pvalue name, value;
};

struct trace {
    struct str source;
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
    ATTR_STR(struct trace, source, "source", .required = true, .about = "Who says it."),
    ATTR_CHOICE(struct trace, severity, "severity", severities, .fallback = "verbose", .about = "How grave it is."),
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

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct trace *t = conf;
    const struct message *message = t->messages.v;
    struct last_error before = ex->error;
    struct trace_line *line;
    struct str text = STR("");

    if (!exchange_wants_trace(ex, (enum trace_severity)t->severity))
        return FLOW_NEXT;
    if (message && !pvalue_str(ex, &message->text, &text)) {
        text = ex->error.message;
        ex->error = before;
    }
    line = exchange_trace(ex, (enum trace_severity)t->severity, t->source, text);
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
