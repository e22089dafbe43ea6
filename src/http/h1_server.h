/* h1_server.h: client connections that speak HTTP/1.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/server.h"

struct h1_server;

struct h1_server *h1_server_new(struct http_server *server);
/* No connection may be left. NULL is fine. */
void h1_server_delete(struct h1_server *s);
/* Takes the stream. */
void h1_server_accept(struct h1_server *s, struct stream *stream);
