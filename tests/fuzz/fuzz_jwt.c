/* fuzz_jwt.c: tokens read strictly and tolerantly, and verified with a secret that nobody else has: none may pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 16 << 20);
    struct str text = {(const char *)data, size};
    struct jwt_key key;
    struct jwt t;
    struct err err;

    if (jwt_parse(&arena, text, JWT_TOLERANT, &t, &err))
        ASSERT(t.claims && t.header);
    if (!jwt_parse(&arena, text, JWT_STRICT, &t, &err) || !jwt_key_from_secret(STR("not the key of any seed"), STR_NONE, &key, &err))
        return 0;
    ASSERT(jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err) != JWT_VALID);
    if (jwt_check_times(&t, 1700000000, 0, true, &err))
        ASSERT(json_get_lit(t.claims, "exp"));
    jwt_key_destroy(&key);
    return 0;
}
