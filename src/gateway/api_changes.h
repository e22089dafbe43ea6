/* api_changes.h: cached answers of APIs that a publish has changed (`apis.NAME.cache.on-publish: purge`).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct api;
struct gateway;
struct model;

/* A number that changes with anything in the model that can change what the API answers: its addresses, operations and files,
 * every document that applies to it, with the named values, fragments, backends and schemas that those name. */
uint64_t api_fingerprint(const struct model *m, const struct api *api);

/* Drops what is cached of each API that differs between the models and wants that. For the publisher, once every worker serves
 * `now`: what was fetched before is then older than the purge and is not stored any more. What is in memory is gone on return
 * when no shared cache is configured; else the purge goes on there in the background. Blocks for the workers' turn. */
void api_changes_purge(struct gateway *g, const struct model *before, const struct model *now);
