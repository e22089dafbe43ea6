#include "exchange/context.c"
#include "test.h"

TEST(every_row_of_every_family_is_read)
{
    struct err err = ERR_INIT;
    struct expr_env *env = context_env_new(&err);

    if (!env)
        TEST_FAIL("%s", err.text);
    expr_env_delete(env);
}
