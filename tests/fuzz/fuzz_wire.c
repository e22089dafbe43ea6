/* fuzz_wire.c: bytes as an entry; and, with head and checksum mended, what is in it, which must stay inside the bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cache/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_inside(struct str part, struct str bytes)
{
    return part.len == 0 || (part.p >= bytes.p && part.p + part.len <= bytes.p + bytes.len);
}

static void
look(struct str bytes)
{
    struct cache_scopes scopes;
    struct wire v;

    if (!wire_decode(bytes, &v, NULL))
        return;
    ASSERT(is_inside(v.key, bytes) && is_inside(v.vary, bytes) && is_inside(v.head, bytes) && is_inside(v.body, bytes));
    wire_scopes(&v, &scopes);
    if (v.is_packed && v.body_len < 1 << 20) {
        char *to = xmalloc(v.body_len + 1);

        if (wire_unpack(v.body, to, v.body_len, NULL))
            ASSERT(hash_str(str_from(to, v.body_len)) || true);
        free(to);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    uint64_t n;

    look(str_from((const char *)data, size));
    if (size < WIRE_HEAD_BYTES)
        return 0;
    buf_add(&b, data, size);
    memcpy(b.p, "HGC1\x01", 5);
    n = htole64(size);
    memcpy(b.p + 16, &n, 8);
    n = htole64(hash_128(str_from(b.p + 16, size - 16)).lo);
    memcpy(b.p + 8, &n, 8);
    look(buf_str(&b));
    return 0;
}
