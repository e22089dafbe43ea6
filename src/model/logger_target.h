/* logger_target.h: where the messages of log-to-eventhub go, by logger. Part of a model: immutable. What delivers is observe/outlet.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

enum logger_target_kind {
    LOGGER_TARGET_NONE,                  /* nothing that we can write to (telemetry, or not complete) */
    LOGGER_TARGET_KAFKA,                 /* Event Hubs, too */
    LOGGER_TARGET_HTTP,
    LOGGER_TARGET_FILE,
};

struct logger_target {
    enum logger_target_kind kind;
    struct str servers, topic;        /* KAFKA: host:port[,host:port]; the hub */
    bool is_tls;
    struct str username, password;    /* SASL PLAIN; empty username: none */
    struct str resource, client_id;   /* SASL OAUTHBEARER with a token of an identity for this resource; empty: none */
    struct str url, authorization;    /* HTTP */
    struct str file;                  /* FILE: absolute */
    uint64_t queue_bytes;             /* of messages that wait; more are dropped */
    uint64_t timeout_ms;              /* a message that could not be delivered for so long is given up */
};
