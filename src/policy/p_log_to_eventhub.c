/* p_log_to_eventhub.c: <log-to-eventhub logger-id="x" partition-key="@(...)"> text </log-to-eventhub>
 * Hands a text to a logger: Event Hubs or another Kafka, an HTTP endpoint, a file (observe/outlet.h). Whatever becomes of it, the
 * request goes on; only an expression that throws is an error.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "exchange/log_delivery.h"
#include "model/model.h"
#include "observe/outlet.h"
#include "policy/compile.h"

#define PARTITION_MAX 1023u           /* as many as a dedicated cluster's hub may have */

struct log_to_eventhub {
    struct str logger, partition_text;
    struct pvalue key, text;
    int32_t partition;                /* -1: any */
};

static const struct attr_def attrs[] = {
    ATTR_STR(struct log_to_eventhub, logger, "logger-id", .required = true, .about = "Name of the logger."),
    ATTR_STR(struct log_to_eventhub, partition_text, "partition-id", .about = "Number of the partition; not together with partition-key."),
    VALUE_STR(struct log_to_eventhub, key, "partition-key", .about = "Messages with the same key go to the same partition."),
    VALUE_STR(struct log_to_eventhub, text, "", .keep_blanks = false, .about = "The message.",
              .unverified = "Longer than 204800 bytes (200 KB) it is cut, between characters. A null expression gives an empty message."),
    ATTR_END
};

static struct outlet *
find_outlet(const struct exchange *ex, struct str name)
{
    const struct logger *logger = model_find_logger(ex->model, name);

    return logger && ex->outlets ? ex->outlets[logger - ex->model->loggers] : NULL;
}

static void
say(struct exchange *ex, struct str logger, const char *why)
{
    exchange_trace(ex, TRACE_ERROR, STR("log-to-eventhub"), str_printf(ex->arena, "logger %.*s: %s", STR_ARG(logger), why));
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct log_to_eventhub *l = conf;
    struct outlet_message m = {.partition = l->partition};
    struct outlet *o;

    if (!pvalue_str(ex, &l->key, &m.key) || !pvalue_str(ex, &l->text, &m.text))
        return FLOW_ERROR;
    o = find_outlet(ex, l->logger);
    if (!o) {
        if (ex->services->outlets)
            outlets_count_lost(ex->services->outlets);
        say(ex, l->logger, "it has nowhere to write to, the message is dropped");
    } else if (!log_deliver(ex, o, &m)) {
        say(ex, l->logger, "too many messages wait, this one is dropped");
    }
    return FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct log_to_eventhub *l = conf;
    const struct policy_names *names = c->in->names;
    uint32_t partition;

    l->partition = -1;
    if (names && !(names->logger && names->logger(names->ctx, l->logger)) && !compile_unknown_name(c, n, "logger", l->logger))
        return false;
    if (!l->partition_text.len)
        return true;
    if (pvalue_is_set(&l->key))
        return compile_error(c, n, "<log-to-eventhub> takes either partition-id or partition-key");
    if (!num_parse_u32(str_trim(l->partition_text), PARTITION_MAX, &partition, NULL))
        return compile_is_placeholder(c, l->partition_text) ||
               compile_error(c, n, "partition-id: expected a number up to %u, found '%.*s'", PARTITION_MAX, STR_ARG(l->partition_text));
    l->partition = (int32_t)partition;
    return true;
}

const struct policy_def policy_log_to_eventhub = {
    .name = "log-to-eventhub", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct log_to_eventhub), .compile = compile, .run = run,
    .summary = "Sends a text to a logger.",
    .usage = "It goes out behind the request's back: failures, a full queue and an absent logger are counted and traced, and change nothing "
             "for the request.\nLoggers are those of the folder and of `loggers:` in headgate.yaml.",
};
