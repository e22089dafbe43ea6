/* tags.h: the names under which an answer can be purged: Surrogate-Key (separated by blanks), Cache-Tag (by commas), Cache-Groups
 * (RFC 9875: a Structured Field list of strings). Groups belong to one origin, here one API; tags are everybody's.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/headers.h"

/* Calls tag(ctx, name) for each tag and group(ctx, "api group") for each group that the fields name. */
void cache_tags_of(const struct http_headers *answer, struct str api, void (*tag)(void *ctx, struct str name),
                   void (*group)(void *ctx, struct str name), void *ctx);
/* The groups of one field's value, Cache-Groups or Cache-Group-Invalidation. */
void cache_groups_of(const struct http_headers *h, struct str field, struct str api, void (*group)(void *ctx, struct str name),
                     void *ctx);
/* "api group": what a group's scope is named by. Into `text`; STR_NONE when it is too long. */
#define GROUP_NAME_MAX 512
struct str cache_group_name(struct str api, struct str group, char text[GROUP_NAME_MAX]);
