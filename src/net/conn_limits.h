/* conn_limits.h: connections of the process and of each client address, shared by all listeners that name it, on any
 * thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

struct conn_limits;

struct conn_limits *conn_limits_new(uint32_t total_max, uint32_t per_address_max);   /* 0: no limit */
/* No stream of a listener that names it may be left. NULL is fine. */
void conn_limits_delete(struct conn_limits *l);
uint32_t conn_limits_total(const struct conn_limits *l);
/* How often there was no room in all. */
uint64_t conn_limits_refused_total(const struct conn_limits *l);

/* Each take that succeeds is paired with its give. */
MUST_USE bool conn_limits_take_total(struct conn_limits *l);
void conn_limits_give_total(struct conn_limits *l);
MUST_USE bool conn_limits_take_address(struct conn_limits *l, const struct addr *a);
void conn_limits_give_address(struct conn_limits *l, const struct addr *a);
