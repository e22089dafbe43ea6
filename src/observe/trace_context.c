/* trace_context.c: traceparent in and out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/trace_context.h"

#include "base/codec.h"

static bool
parse_hex(struct str text, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char hi = text.p[i * 2], lo = text.p[i * 2 + 1];
        if ((hi >= 'A' && hi <= 'F') || (lo >= 'A' && lo <= 'F')) /* the field is lower case */
            return false;
        if (ascii_hex_value(hi) < 0 || ascii_hex_value(lo) < 0)
            return false;
        to[i] = (uint8_t)(ascii_hex_value(hi) << 4 | ascii_hex_value(lo));
    }
    return true;
}

static bool
is_zero(const uint8_t *id, size_t n)
{
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= id[i];
    return any == 0;
}

/* version "-" trace-id "-" parent-id "-" flags; a later version may be longer, version 00 may not. */
static bool
parse(struct trace_context *t, struct str h)
{
    uint8_t version, flags;

    if (h.len < TRACEPARENT_LEN || h.p[2] != '-' || h.p[35] != '-' || h.p[52] != '-')
        return false;
    if (!parse_hex(str_sub(h, 0, 2), &version, 1) || version == 0xff)
        return false;
    if (version == 0 ? h.len != TRACEPARENT_LEN
                                      : h.len > TRACEPARENT_LEN && h.p[TRACEPARENT_LEN] != '-')
        return false;
    if (!parse_hex(str_sub(h, 3, 35), t->trace_id, 16) || !parse_hex(str_sub(h, 36, 52), t->parent_id, 8))
        return false;
    if (is_zero(t->trace_id, 16) || is_zero(t->parent_id, 8) || !parse_hex(str_sub(h, 53, 55), &flags, 1))
        return false;
    t->flags = flags & 1;
    return true;
}

static void
fill_random(struct rand *rand, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t r = rand_u64(rand) | 1; /* an id of zeros is not one */
        memcpy(to + i, &r, 8);
    }
}

bool
trace_context_begin(struct trace_context *t, struct str header, struct rand *rand)
{
    bool goes_on = parse(t, header);

    if (!goes_on) {
        memset(t, 0, sizeof(*t));
        fill_random(rand, t->trace_id, sizeof(t->trace_id));
        t->flags = 1;
    }
    fill_random(rand, t->span_id, sizeof(t->span_id));
    return goes_on;
}

void
trace_context_print(const struct trace_context *t, char *to)
{
    memcpy(to, "00-", 3);
    for (int i = 0; i < 4; i++)
        codec_hex_bytes4(to + 3 + i * 8, t->trace_id + i * 4);
    to[35] = '-';
    for (int i = 0; i < 2; i++)
        codec_hex_bytes4(to + 36 + i * 8, t->span_id + i * 4);
    memcpy(to + 52, t->flags & 1 ? "-01" : "-00", 3);
}
