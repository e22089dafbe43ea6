/* stream_internal.h: between stream.c, tls_stream.c and listener.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/stream.h"

/* As stream_from_fd(), for one whose first bytes are looked at in the socket; io_become_stream() ends that. */
struct stream *stream_from_fd_polled(struct loop *loop, int fd, struct err *err);
/* Sees to it that try_flush() is called when the socket takes more. */
void stream_watch_out(struct stream *s);
/* The stream is gone: the listener takes it off its counts. */
void listener_on_close(struct listener *l, struct stream *s);
