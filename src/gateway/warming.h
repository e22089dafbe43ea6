/* warming.h: fetches what was cached of an API again after a publish has dropped it (`apis.NAME.cache.on-publish: warm`), so that
 * clients find it there.
 *
 *     stored answers  -> warming_note()     what was asked for, by API: the latest WARM_ADDRESSES
 *     publish         -> warming_start()    asks for them, one after the other, at the API's rate
 *
 * A request is asked again as an anonymous client would ask it: with the fields that are part of its key, and no others. What was asked with
 * an identity (Authorization, cookies, a subscription key) is not remembered: nobody but its caller may ask that.
 * One a gateway; any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

#define WARM_ADDRESSES 500u           /* of an API; then the one not stored for longest goes */
#define WARM_HEAD_MAX 4096u           /* longer requests are not remembered */

struct exchange;
struct warming;
struct worker;

struct warming *warming_new(void);
void warming_delete(struct warming *w);  /* NULL is fine */
/* Forgets everything. */
void warming_clear(struct warming *w);
/* The exchange is over: remembers what it asked for when its answer was stored and its API wants that. */
void warming_note(struct warming *w, const struct exchange *ex);
/* Asks for all that is remembered of the API, at most `rate` a second, on a fiber of this worker that says in the log how it went. It ends
 * early when the process does. On the worker's thread. */
void warming_start(struct worker *w, struct str api, uint32_t rate);
