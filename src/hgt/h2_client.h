/* h2_client.h: one request over HTTP/2 for scripts, blocking, on nghttp2.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "hgt/expect.h"

/* `request` is an HTTP/1 message as a script renders it; its Host becomes :authority. The reply looks like an HTTP/1
 * one, with version HTTP/2. ctx NULL: prior knowledge on plain text. */
bool h2_client_exchange(uint16_t port, SSL_CTX *ctx, struct str request, struct arena *a, struct client_reply *ret);
