/* proxy.h: reaching an origin through an HTTP proxy: a tunnel (CONNECT) for TLS, whole addresses in requests otherwise.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/client.h"

/* Asks the proxy at the other end of `plain` for a way to the origin, and makes TLS through it when the origin wants that. Takes `plain` in
 * any case. NULL with ERR_CONNECT when the proxy refuses (its status is in the text), ERR_PROTOCOL, ERR_TLS, ERR_TIMEOUT ... Yields. */
struct stream *http_proxy_tunnel(struct stream *plain, const struct http_origin_conf *o, uint64_t deadline_ms, struct err *err);
/* Whether requests to this origin go through a tunnel, and not to the proxy itself. */
bool http_proxy_needs_tunnel(const struct http_origin_conf *o);
