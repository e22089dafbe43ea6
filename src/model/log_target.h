/* log_target.h: where the messages of log-to-eventhub go, by logger. Part of a model: immutable. What delivers is observe/outlet.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

enum log_target_kind {
    LOG_TARGET_NONE,                  /* nothing that we can write to (telemetry, or not complete) */
    LOG_TARGET_KAFKA,                 /* Event Hubs, too */
    LOG_TARGET_HTTP,
    LOG_TARGET_FILE,
};

struct log_target {
    enum log_target_kind kind;
    struct str servers, topic;        /* KAFKA: host:port[,host:port]; the hub */
    bool is_tls;
    struct str username, password;    /* SASL PLAIN; empty username: none */
    struct str resource, client_id;   /* SASL OAUTHBEARER with a token of an identity for this resource; empty: none */
    struct str url, authorization;    /* HTTP */
    struct str file;                  /* FILE: absolute */
    uint64_t queue_bytes;             /* of messages that wait; more are dropped */
    uint64_t timeout_ms;              /* a message that could not be delivered for so long is given up */
};
