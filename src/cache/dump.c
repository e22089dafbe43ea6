/* dump.c: entries to a file and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/dump.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "cache/entry.h"
#include "cache/wire.h"

#define MAGIC "HGDUMP1"
#define VERSION 1u
#define PATH_BYTES_MAX 4096
#define FILE_BUFFER ((size_t)1 << 20)

struct dump_head {
    char magic[8];
    uint32_t version, zero;
    uint64_t written_ms, entries, bytes, checksum;
};
_Static_assert(sizeof(struct dump_head) == 48, "a format on disk");

/* In front of an entry. */
struct dump_mark {
    uint32_t length, zero;
    uint64_t checksum;
};
_Static_assert(sizeof(struct dump_mark) == 16, "a format on disk");

static uint64_t
checksum(const struct dump_head *h)
{
    return hash_128(str_from((const char *)h, offsetof(struct dump_head, checksum))).lo;
}

static bool
is_over(uint64_t end_ns)
{
    return clock_mono_ns(NULL) >= end_ns;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

struct writer {
    struct cache *cache;
    const struct dump_moment *at;
    VEC(struct cache_entry *) entries;    /* references */
    struct str *parts;                    /* of the body at work */
    uint32_t parts_cap;
    struct buf bytes;
};

/* Under the lock of its shard. */
static void
gather(void *ctx, const struct cache_entry *e)
{
    struct writer *w = ctx;

    if (!e->source && MAX(e->expires_ms, e->stale_until_ms) > w->at->now_ms)
        *vec_push(&w->entries) = cache_entry_ref((struct cache_entry *)(uintptr_t)e);
}

static uint64_t
to_wall(const struct dump_moment *at, uint64_t ms)
{
    return at->wall_ms + ms - at->now_ms;
}

static bool
encode(struct writer *w, const struct cache_entry *e)
{
    uint32_t n = cache_entry_pieces(e), flags = e->flags | (e->born != cache_generation(w->cache) ? CACHE_ENTRY_OLD : 0);
    struct wire v = {.kind = e->kind, .status = e->status, .tag = e->tag, .stored_ms = to_wall(w->at, e->stored_ms),
                     .expires_ms = to_wall(w->at, e->expires_ms),
                     .stale_until_ms = e->stale_until_ms > e->expires_ms ? to_wall(w->at, e->stale_until_ms) : 0,
                     .age_s = e->age_s, .revalidate_s = e->revalidate_s, .error_s = e->error_s, .flags = flags,
                     .scopes = (const char *)e->scopes, .n_scopes = e->n_scopes, .key = cache_entry_key(e), .vary = cache_entry_vary(e),
                     .head = cache_entry_head(e), .body_len = e->body_len};
    struct dump_mark mark = {0};

    if (n > w->parts_cap) {
        free(w->parts);
        w->parts = xnew_array(struct str, n);
        w->parts_cap = n;
    }
    for (uint32_t i = 0; i < n; i++)
        w->parts[i] = cache_entry_piece(e, i);
    buf_clear(&w->bytes);
    if (!buf_add(&w->bytes, &mark, sizeof(mark)) || !wire_encode(&w->bytes, &v, w->parts, n))
        return false;
    mark.length = htole32((uint32_t)(w->bytes.len - sizeof(mark)));
    mark.checksum = htole64(hash_128(str_from(w->bytes.p + sizeof(mark), w->bytes.len - sizeof(mark))).lo);
    memcpy(w->bytes.p, &mark, sizeof(mark));
    return true;
}

/* Purged since it was looked at last: not worth a byte. */
static bool
is_live(struct writer *w, const struct cache_entry *e)
{
    return cache_state_since(w->cache, e->scopes, e->n_scopes, e->generation) == SCOPE_LIVE;
}

static bool
write_entries(struct writer *w, FILE *f, uint64_t end_ns, struct dump_figures *ret)
{
    size_t i = 0;

    for (; i < w->entries.n && !is_over(end_ns); i++) {
        const struct cache_entry *e = w->entries.v[i];

        if (!is_live(w, e)) {
            ret->left_out++;
            continue;
        }
        if (!encode(w, e) || fwrite(w->bytes.p, 1, w->bytes.len, f) != w->bytes.len)
            return false;
        ret->entries++;
        ret->bytes += w->bytes.len;
    }
    ret->left_out += w->entries.n - i;
    return true;
}

static bool
write_head(FILE *f, const struct dump_moment *at, const struct dump_figures *figures)
{
    struct dump_head h = {.magic = MAGIC, .version = htole32(VERSION), .written_ms = htole64(at->wall_ms),
                          .entries = htole64(figures->entries), .bytes = htole64(figures->bytes)};

    h.checksum = htole64(checksum(&h));
    return fseek(f, 0, SEEK_SET) == 0 && fwrite(&h, sizeof(h), 1, f) == 1;
}

static bool
write_file(struct writer *w, const char *path, uint64_t max_ms, struct dump_figures *ret)
{
    uint64_t end_ns = clock_mono_ns(NULL) + max_ms * 1000000;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    bool ok;

    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    setvbuf(f, NULL, _IOFBF, FILE_BUFFER);
    ok = write_head(f, w->at, ret) && write_entries(w, f, end_ns, ret) && write_head(f, w->at, ret) && fflush(f) == 0 &&
         fsync(fileno(f)) == 0;
    return fclose(f) == 0 && ok;
}

bool
cache_dump_write(struct cache *c, const char *path, const struct dump_moment *at, uint64_t max_ms, struct dump_figures *ret,
                 struct err *err)
{
    struct writer w = {.cache = c, .at = at, .bytes = BUF_INIT};
    char fresh[PATH_BYTES_MAX];
    bool ok;

    *ret = (struct dump_figures){0};
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return err_set(err, ERR_LIMIT, "the path is too long");
    cache_each(c, gather, &w);
    ok = write_file(&w, fresh, max_ms, ret) && rename(fresh, path) == 0;
    if (!ok) {
        err_set(err, ERR_IO, "%s: %s", fresh, strerror(errno));
        unlink(fresh);
        unlink(path);
    }
    for (size_t i = 0; i < w.entries.n; i++)
        cache_entry_unref(w.entries.v[i]);
    free(w.entries.v);
    free(w.parts);
    buf_destroy(&w.bytes);
    return ok;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

struct reader {
    struct cache *cache;
    FILE *file;
    const struct dump_moment *at;
    bool (*fix_head)(char *head, size_t len);
    uint64_t born, left;                  /* bytes behind the head that have not been read */
    char *bytes;
    size_t cap;
};

/* An instant of the wall on the cache's clock, which may have begun later: 0 then. */
static uint64_t
from_wall(const struct dump_moment *at, uint64_t ms)
{
    uint64_t past = at->wall_ms - MIN(ms, at->wall_ms);

    return ms >= at->wall_ms ? at->now_ms + (ms - at->wall_ms) : at->now_ms - MIN(past, at->now_ms);
}

static bool
store(struct reader *r, const struct wire *v, struct dump_figures *ret)
{
    struct cache_scopes scopes;
    uint64_t age_ms = r->at->wall_ms - MIN(v->stored_ms, r->at->wall_ms);
    uint64_t ended_ms = r->at->wall_ms - MIN(v->expires_ms, r->at->wall_ms);
    struct cache_item item = {.key = {v->key, hash_128(v->key)}, .vary = v->vary, .scopes = &scopes, .born = r->born,
                              .stored_ms = from_wall(r->at, v->stored_ms), .expires_ms = from_wall(r->at, v->expires_ms),
                              .stale_until_ms = v->stale_until_ms ? from_wall(r->at, v->stale_until_ms) : 0,
                              .flags = v->flags, .status = v->status, .tag = v->tag, .head = v->head};

    item.age_s = wire_age(v->age_s, age_ms - MIN(age_ms, r->at->now_ms));
    item.revalidate_s = wire_window_left(v->revalidate_s, ended_ms - MIN(ended_ms, r->at->now_ms));
    item.error_s = wire_window_left(v->error_s, ended_ms - MIN(ended_ms, r->at->now_ms));
    if (v->head.len && r->fix_head && v->kind == CACHE_RESPONSE && !r->fix_head((char *)(uintptr_t)v->head.p, v->head.len))
        return false;
    wire_scopes(v, &scopes);
    if (MAX(v->expires_ms, v->stale_until_ms) <= r->at->wall_ms || !cache_store(r->cache, &item, v->body, NULL))
        ret->left_out++;
    else
        ret->entries++;
    return true;
}

/* The next entry's bytes. */
static bool
read_entry(struct reader *r, struct wire *ret, struct err *err)
{
    struct dump_mark mark;
    uint32_t length;

    if (r->left < sizeof(mark) || fread(&mark, sizeof(mark), 1, r->file) != 1)
        return err_set(err, ERR_INVALID, "it ends too early");
    length = le32toh(mark.length);
    r->left -= sizeof(mark);
    if (length > r->left)
        return err_set(err, ERR_INVALID, "an entry is longer than the file");
    if (length > r->cap) {
        free(r->bytes);
        r->bytes = xmalloc(length);
        r->cap = length;
    }
    if (fread(r->bytes, 1, length, r->file) != length)
        return err_set(err, ERR_INVALID, "it ends too early");
    r->left -= length;
    if (mark.zero || le64toh(mark.checksum) != hash_128(str_from(r->bytes, length)).lo)
        return err_set(err, ERR_INVALID, "an entry is damaged");
    return wire_decode(str_from(r->bytes, length), ret, err) &&
           ((ret->kind != WIRE_MARKER && !ret->is_packed) || err_set(err, ERR_INVALID, "an entry of a kind that memory does not hold"));
}

static bool
read_head(struct reader *r, uint64_t *ret_entries, struct err *err)
{
    struct dump_head h;

    if (fread(&h, sizeof(h), 1, r->file) != 1 || memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 ||
        le64toh(h.checksum) != checksum(&h))
        return err_set(err, ERR_INVALID, "it is damaged, or no snapshot");
    if (le32toh(h.version) != VERSION)
        return err_set(err, ERR_INVALID, "it is of format %" PRIu32 ", and this build reads %u", le32toh(h.version), VERSION);
    if (le64toh(h.written_ms) > r->at->wall_ms)
        return err_set(err, ERR_INVALID, "it was written later than the clock says now");
    *ret_entries = le64toh(h.entries);
    r->left = le64toh(h.bytes);
    return true;
}

static bool
read_file(struct reader *r, uint64_t max_ms, struct dump_figures *ret, struct err *err)
{
    uint64_t end_ns = clock_mono_ns(NULL) + max_ms * 1000000, n;
    struct wire v;

    if (!read_head(r, &n, err))
        return false;
    ret->bytes = r->left;
    for (uint64_t i = 0; i < n; i++) {
        if (is_over(end_ns)) {
            ret->left_out += n - i;
            return true;
        }
        if (!read_entry(r, &v, err))
            return false;
        if (!store(r, &v, ret))
            return err_set(err, ERR_INVALID, "the head of an answer is damaged");
    }
    return r->left == 0 || err_set(err, ERR_INVALID, "it is longer than its head says");
}

bool
cache_dump_read(struct cache *c, const char *path, const struct dump_moment *at, uint64_t max_ms,
                bool (*fix_head)(char *head, size_t len), struct dump_figures *ret, struct err *err)
{
    struct reader r = {.cache = c, .at = at, .fix_head = fix_head, .born = cache_generation(c)};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok;

    *ret = (struct dump_figures){0};
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (unlink(path) < 0 || !(r.file = fdopen(fd, "rb"))) {
        close(fd);
        return err_set(err, ERR_IO, "%s: it cannot be removed: %s", path, strerror(errno));
    }
    setvbuf(r.file, NULL, _IOFBF, FILE_BUFFER);
    ok = read_file(&r, max_ms, ret, err);
    fclose(r.file);
    free(r.bytes);
    if (!ok) {
        cache_forget(c);
        cache_sweep(c, UINT64_MAX / 2, UINT32_MAX);
    }
    return ok;
}
