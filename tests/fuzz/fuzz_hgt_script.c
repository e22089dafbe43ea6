/* fuzz_hgt_script.c: test scripts as text: no crash, no read past the end, however the text is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA(NULL, (size_t)64 << 20);
    struct source source = {STR("fuzz.hgt"), str_from((const char *)data, size)};
    struct script script;
    struct diags diags;

    diags_init(&diags, &arena);
    script_parse(&source, &arena, &script, &diags);
    arena_destroy(&arena);
    return 0;
}
