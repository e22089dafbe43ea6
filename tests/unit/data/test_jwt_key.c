/* test_jwt_key.c: what a key may not be. Keys with tokens stand in test_jwt.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwt_key.c"

#include "test.h"

/* n is 65537 to some power modulo each small prime: by the Chinese remainder theorem 65537 itself will do. */
TEST(the_structure_of_infineon_moduli_is_seen)
{
    BIGNUM *n = BN_new();

    BN_set_word(n, 65537);
    EXPECT(is_roca(n));
    EXPECT_EQ(BN_mul_word(n, 65537), 1);
    EXPECT(is_roca(n));
    BN_set_word(n, 6);
    EXPECT(!is_roca(n));
    BN_free(n);
}
