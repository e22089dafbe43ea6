/* advice.h: what a person should know about the keys of a cache: fields that give nearly every request a key of its own, and answers
 * that may reach the wrong people. Of bounded memory, shared by all workers; any thread.
 *
 *     field = (API, kind, name)     requests that missed, and how many values they brought: a sketch of 512 bytes
 *     warning = (API, reason)       how often, the last text; told at most once an hour
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum advice_kind { ADVICE_HEADER, ADVICE_QUERY, ADVICE_CUSTOM, ADVICE_DEVELOPER, ADVICE_GROUPS };

struct cache_advice;

/* tell(ctx, text): a warning for the log, from any thread. */
struct cache_advice *cache_advice_new(void (*tell)(void *ctx, const char *text), void *ctx);
void cache_advice_delete(struct cache_advice *a);  /* NULL is fine */

/* A request of this API missed, and its key held this value of the field. The first 32 fields of an API count, 512 of all. */
void cache_advice_miss(struct cache_advice *a, struct str api, enum advice_kind kind, struct str name, struct str value);
/* Something is wrong with what an API stores; reason is a word, text a sentence for the log. */
void cache_advice_warn(struct cache_advice *a, struct str api, struct str reason, struct str text, uint64_t now_ms);
/* Fields that make too many keys: at least 100 misses, and more than half of them brought a value not seen before. */
uint32_t cache_advice_exploding(struct cache_advice *a);
/* {"fields": [{"api", "kind", "name", "misses", "values", "explodes", "advice"}], "fields_dropped", "warnings": [{"api", "reason",
 * "count", "text"}]}, exploding fields first. False when `to` is full. */
bool cache_advice_print(struct cache_advice *a, struct buf *to);
/* Forgets everything. */
void cache_advice_reset(struct cache_advice *a);
