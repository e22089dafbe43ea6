/* value_cache.c: values of expressions in the cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/value_cache.h"

#include "exchange/value_codec.h"
#include "rt/loop.h"

#define VALUE_BYTES_MAX ((size_t)16 << 20)

bool
value_cache_key(struct exchange *ex, struct str name, struct cache_key *ret)
{
    struct buf b = buf_in(ex->arena);

    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&b, name);
    return cache_key_end(&b, ret);
}

bool
value_cache_read(struct exchange *ex, struct cache_entry *entry, struct object **ret)
{
    struct str bytes;
    bool ok;

    if (cache_entry_pieces(entry) == 1) {
        bytes = cache_entry_piece(entry, 0);
    } else {
        struct buf b = buf_in(ex->arena);

        for (uint32_t i = 0; i < cache_entry_pieces(entry); i++)
            buf_add_str(&b, cache_entry_piece(entry, i));
        bytes = buf_str(&b);
    }
    ok = value_decode(ex, bytes, ret, NULL);
    cache_entry_unref(entry);
    return ok;
}

void
value_cache_say_refused(struct exchange *ex, struct str policy, enum cache_refusal why)
{
    exchange_trace(ex, TRACE_ERROR, policy, str_printf(ex->arena, "not stored: %s", cache_refusal_sentence(why)));
}

bool
value_cache_store(struct exchange *ex, struct str policy, int caching_type, struct str name, struct object *value, uint64_t born,
                  uint32_t fresh_s, uint32_t keep_s)
{
    struct buf bytes = buf_in(ex->arena);
    uint64_t now_ms = loop_now_ms(ex->services->loop);
    struct cache_item item = {.born = born, .stored_ms = now_ms, .expires_ms = now_ms + (uint64_t)fresh_s * 1000,
                              .stale_until_ms = now_ms + (uint64_t)keep_s * 1000, .revalidate_s = keep_s - fresh_s,
                              .error_s = keep_s - fresh_s};
    struct cache_place place = value_cache_place(caching_type, name);
    enum cache_refusal why = CACHE_STORED;
    struct err err = ERR_INIT;

    bytes.max = VALUE_BYTES_MAX;
    if (!value_cache_key(ex, name, &item.key) || !value_encode(ex, value, &bytes, &err)) {
        tiers_count_refusal(ex->services->tiers, err.code == ERR_LIMIT ? CACHE_REFUSED_TOO_LARGE : CACHE_REFUSED_NO_ENCODING);
        exchange_trace(ex, TRACE_ERROR, policy, str_dup(ex->arena, str_from_c(err.text)));
        return false;
    }
    if (tiers_store(ex->services->tiers, &place, &item, buf_str(&bytes), &why))
        return true;
    value_cache_say_refused(ex, policy, why);
    return false;
}
