/* fuzz_proxy_protocol.c: any bytes; a verdict must not change when more bytes follow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, part;
    struct err err;
    int verdict = proxy_header_parse(str_from((const char *)data, size), &whole, &err);

    ASSERT(verdict >= -1 && verdict <= PROXY_HEADER_MAX && (verdict <= 0 || (size_t)verdict <= size));
    for (size_t cut = 0; verdict > 0 && cut < (size_t)verdict; cut++)
        ASSERT(proxy_header_parse(str_from((const char *)data, cut), &part, &err) == 0);
    return 0;
}
