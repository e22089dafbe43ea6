/* value_cache.c: keys of stored values.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/value_cache.h"

bool
value_cache_key(struct exchange *ex, struct str name, struct cache_key *ret)
{
    struct buf b = buf_in(ex->arena);

    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&b, name);
    return cache_key_end(&b, ret);
}
