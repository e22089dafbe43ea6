/* cache_memory.c: what a million answers of 1 KiB cost: the memory of the process, and what the cache counts.
 *
 *     build/release/bench/cache_memory [ENTRIES [BODY]]
 *
 * Each is the answer that the backend of the benchmark gives (bench/src/backend.c: Content-Type, Cache-Control), with a key and the
 * scopes that cache-store gives it: API, path, what is above the path. Longer heads and paths cost what they are longer. The exit
 * status is 1 when the process grew by more than 1.35 GiB for a million, or when something was evicted.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache.h"

#define LIMIT_FOR_A_MILLION (1.35 * (1 << 30))

static uint64_t
resident(void)
{
    unsigned long all, in = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f)
        return 0;
    if (fscanf(f, "%lu %lu", &all, &in) != 2)
        in = 0;
    fclose(f);
    return in * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
put(struct cache *c, unsigned long i, struct str body)
{
    struct { struct str name, value; } fields[] = {{STR("Content-Type"), STR("application/json")},
                                                   {STR("Cache-Control"), STR("max-age=36000")}};
    struct buf head AUTO(buf_destroy) = BUF_INIT;
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    struct cache_item item = {.scopes = &scopes, .born = cache_generation(c), .stored_ms = 1, .expires_ms = 1000000, .status = 200};
    char path[64];

    snprintf(path, sizeof(path), "/shop/items/%lu", i);
    buf_add_lit(&head, "\2\0OK");     /* as stored_head_encode() lays it out */
    for (size_t f = 0; f < COUNTOF(fields); f++) {
        uint32_t prefix[2] = {(uint32_t)fields[f].name.len << 16, (uint32_t)fields[f].value.len};

        buf_add(&head, prefix, sizeof(prefix));
        buf_add_str(&head, fields[f].name);
        buf_add_str(&head, fields[f].value);
    }
    item.head = buf_str(&head);
    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("shop"));
    cache_key_add(&b, STR("get-item"));
    cache_key_add(&b, STR("http"));
    cache_key_add(&b, STR("orders.internal.example"));
    cache_key_add(&b, STR("80"));
    cache_key_add(&b, str_from_c(path));
    cache_key_add(&b, STR(""));
    if (!cache_key_end(&b, &item.key))
        abort();
    cache_scopes_add(&scopes, cache_scope(SCOPE_API, STR("shop")));
    cache_scopes_add_path(&scopes, str_from_c(path), STR_NONE);
    if (!cache_store(c, &item, body, NULL))
        abort();
}

int
main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, size = argc > 2 ? strtoul(argv[2], NULL, 10) : 1024;
    struct cache *c = cache_new(&(struct cache_limits){.bytes_max = UINT64_C(1) << 36, .entry_bytes_max = 1 << 26, .workers = 1});
    char *body = malloc(size + 1);
    uint64_t before = resident(), grown;
    struct cache_stats s;

    if (!body || n == 0)
        return 2;
    memset(body, 'x', size);
    for (unsigned long i = 0; i < n; i++)
        put(c, i, str_from(body, size));
    grown = resident() - before;
    cache_stats(c, &s);
    printf("%lu entries of %lu bytes: resident %.2f GiB, counted %.2f GiB, %.0f bytes an entry\n", n, size,
           (double)grown / (1 << 30), (double)s.bytes / (1 << 30), (double)grown / (double)n);
    cache_delete(c);
    free(body);
    return s.entries != n || (size == 1024 && (double)grown > LIMIT_FOR_A_MILLION * (double)n / 1e6);
}
