/* fuzz_value.c: bytes as a value of an expression, as they may lie in a store that others write. What can be read can be written, and what is
 * written then is read back as the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "exchange/context_families.h"
#include "exchange/exchange.h"
#include "exchange/value_codec.h"
#include "expr/program.h"

#define INPUT_MAX 65536u

static struct expr_env *env;

/* False when it cannot be read; else its encoding, or nothing when it has none any more. */
static bool
read_and_write(struct str bytes, struct buf *to)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct services services = {.env = env};
    struct exchange_limits limits = {.buffered_body_max = 1 << 20, .arena_max = 64 << 20,
                                     .expr = {.steps = 1000000, .bytes = 32 << 20, .depth = 100, .regex_steps = 10000,
                                              .regex_timeout_ms = 50, .output_bytes = 1 << 20}};
    struct exchange ex = {0};
    struct object *o = NULL;
    struct err err = ERR_INIT;

    exchange_init(&ex, &arena, &services, &limits, NULL);
    if (!value_decode(&ex, bytes, &o, &err)) {
        ASSERT(err.code != ERR_NONE);
        return false;
    }
    if (!value_encode(&ex, o, to, &err)) {
        ASSERT(err.code != ERR_NONE);
        buf_clear(to);
    }
    exchange_close(&ex);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once AUTO(buf_destroy) = BUF_INIT, twice AUTO(buf_destroy) = BUF_INIT;
    struct err err = ERR_INIT;

    if (!env && !(env = context_env_new(&err)))
        abort();
    if (size > INPUT_MAX || !read_and_write(str_from((const char *)data, size), &once) || !once.len)
        return 0;
    ASSERT(read_and_write(buf_str(&once), &twice));
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
