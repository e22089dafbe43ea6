/* dns.h: names to addresses on the worker's loop, by c-ares: hosts file, search rules, IPv4 and IPv6, kept as long as
 * their TTL says (at most 5 min or as set, at least 1 s; a failure for 1 s). One resolver a loop, made at first use; lookups of
 * the same name at the same time share one question.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"
#include "rt/loop.h"

#define DNS_ADDRS_MAX 16

struct dns_result {
    uint32_t n;
    struct addr v[DNS_ADDRS_MAX];        /* port 0; in the order to try: families alternate */
};

/* host: a name, or an address, which is taken as it is. ERR_NOT_FOUND, ERR_TIMEOUT, ERR_CANCELLED, ERR_CONNECT (no
 * server answers). Yields. */
MUST_USE bool dns_lookup(struct str host, uint64_t deadline_ms, struct dns_result *ret, struct err *err);
/* Forgets what this loop's resolver has kept, and reads the system's configuration again. Questions on their way fail. */
void dns_forget(struct loop *loop);
/* Longest time that an answer is kept. */
void dns_set_ttl_max(struct loop *loop, uint64_t ms);
/* Servers to ask instead of the system's: "192.0.2.1:53,[2001:db8::1]". NULL: the system's. */
void dns_set_servers(struct loop *loop, const char *servers);
