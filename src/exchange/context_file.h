/* context_file.h: an exchange described by a file, for `headgate eval --context FILE`.
 *
 *     { "request": {"method": "POST", "url": "https://api.example/shop/items?x=1", "headers": {"X-A": "1", "X-B": ["2", "3"]},
 *                   "body": {"a": 1}, "ipAddress": "203.0.113.9", "matchedParameters": {"id": "7"}},
 *       "response": {"statusCode": 200, "statusReason": "OK", "headers": {}, "body": "text"},
 *       "variables": {"name": "text", "count": 5, "flag": true, "doc": {"b": 2}},
 *       "api": {"id", "name", "path", "revision", "version", "serviceUrl"}, "operation": {"id", "name", "method", "urlTemplate"},
 *       "product": {"id", "name"}, "subscription": {"id", "name", "key", "secondaryKey", "createdDate", "startDate", "endDate"},
 *       "user": {"id", "email", "firstName", "lastName", "note", "groups": [{"id", "name"}]}, "backend": {"id", "type": "Pool"},
 *       "deployment": {"region", "serviceName", "serviceId", "gatewayId"}, "workspace": {"id", "name"},
 *       "lastError": {"source", "reason", "message", "section", "path", "scope", "policyId"},
 *       "requestId": "GUID", "timestamp": "2024-01-02T03:04:05Z", "tracing": false }
 * All of it may be left out; what is left out is null, or empty where it cannot be. A body that is text stands for itself, any
 * other value for its JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

/* In arena `a`, with values made for `env`; text lives as long as the arena. NULL and *err, which says where, for a file that is
 * no JSON or holds something of the wrong kind. */
struct exchange *context_file_exchange(struct arena *a, struct expr_env *env, struct str text, struct err *err);
