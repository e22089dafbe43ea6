/* fuzz_resp.c: the first byte is a step; replies read at once and in parts of that size must be the same nodes or the same
 * failure, and no node may point outside the bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "redis/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
digest(const struct resp_parser *p, struct str input, uint64_t sum)
{
    struct resp root = resp_root(p, input);

    ASSERT(root.v->span == p->nodes.n && p->at <= input.len);
    for (size_t i = 0; i < p->nodes.n; i++) {
        struct resp r = {&p->nodes.v[i], input.p};
        struct str text = resp_text(r);

        ASSERT(i + r.v->span <= p->nodes.n && r.v->at + r.v->len <= p->at);
        sum = hash_mix(sum ^ r.v->type, text.p ? hash_str(text) : (uint64_t)r.v->integer ^ r.v->n);
    }
    return sum;
}

static uint64_t
feed(struct str bytes, size_t step, enum resp_result *ret)
{
    struct resp_parser p AUTO(resp_parser_destroy);
    uint64_t sum = 0;
    size_t begin = 0;

    resp_parser_create(&p, &(struct resp_limits){.reply_bytes = 4096, .nodes = 256});
    *ret = RESP_MORE;
    for (size_t end = 0; end < bytes.len && *ret != RESP_BAD;) {
        end = MIN(end + step, bytes.len);
        for (;;) {
            struct str input = str_sub(bytes, begin, end);

            *ret = resp_parse(&p, input, NULL);
            if (*ret != RESP_DONE)
                break;
            sum = digest(&p, input, sum);
            begin += p.at;
            resp_parser_next(&p);
        }
        ASSERT(*ret != RESP_MORE || p.want > 0);
    }
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum resp_result whole, parts;
    struct str bytes;

    if (size < 2)
        return 0;
    bytes = str_from((const char *)data + 1, size - 1);
    uint64_t a = feed(bytes, bytes.len, &whole), b = feed(bytes, (size_t)data[0] + 1, &parts);
    ASSERT(a == b && whole == parts);
    return 0;
}
