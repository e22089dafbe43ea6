/* compress.h: answers packed for clients that take it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/body.h"
#include "http/message.h"

/* Puts gzip or brotli over *body where that helps and is allowed: an answer with a text-like type and no coding of its own,
 * long enough or of unknown length, whole (not 206), not `no-transform`, to a request whose Accept-Encoding takes one of
 * the two and does not like `identity` better; the better q wins, brotli on equal terms. An answer to HEAD gets the same header. Sets Content-Encoding, weakens a strong ETag, drops Accept-Ranges, and
 * says `Vary: Accept-Encoding` on whatever could have been packed. False when the arena is full: the answer is then not to
 * be sent. *body may be NULL. */
bool http_compress(struct arena *arena, const struct http_request *request, struct http_response *response,
                   struct body **body);
/* What an Accept-Encoding field asks for: HTTP_CODING_BROTLI, HTTP_CODING_GZIP or HTTP_CODING_IDENTITY. */
enum http_coding http_accepted_coding(struct str accept_encoding);
/* Whether it names the coding, or any, and not with q=0. A client that says nothing takes none: few that are silent could read it. */
bool http_accepts_coding(struct str accept_encoding, enum http_coding coding);
/* Says `Vary: Accept-Encoding`, once. False when the arena is full. */
bool http_vary_by_coding(struct arena *arena, struct http_headers *h);
/* The other coding of a body is another representation: a strong ETag becomes a weak one. False when the arena is full. */
bool http_weaken_etag(struct arena *arena, struct http_headers *h);
