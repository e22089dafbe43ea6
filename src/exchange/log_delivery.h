/* log_delivery.h: what outlets of loggers cannot do from their own thread, on exchanges that nobody waits for: sending to an HTTP
 * endpoint, and getting tokens for Kafka.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct outlet;
struct outlet_message;

/* Gives a message to its outlet and starts what must be started to deliver it. False when the queue was full. Never yields for the
 * delivery. */
bool log_deliver(struct exchange *ex, struct outlet *o, const struct outlet_message *m);
