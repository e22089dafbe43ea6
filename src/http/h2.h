/* h2.h: HTTP/2 behind the seams of server.h and client.h: the rest of the gateway sees struct http_call and struct
 * http_answer only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/client.h"
#include "http/server.h"

/* For http_server_conf.accept_h2: takes the stream over; `first` are bytes already read from it. */
void h2_server_accept(struct http_server *s, struct stream *stream, struct str first);

/* For http_client_conf.h2: one connection is shared by many exchanges of a worker. */
extern const struct http_session_ops h2_session_ops;
