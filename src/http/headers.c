/* headers.c: the fields of a message (headers.h) and the table of known names.
 * Invariants: H1  the bit of an id is set exactly when a field in v has that id (but HTTP_FIELD_OTHER's, unused).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"

#include "base/arena.h"
#include "base/buf.h"

#define FIELD_SLOTS 512
#define HOP HTTP_FIELD_HOP
#define KEEP HTTP_FIELD_KEEP
#define NOTRAIL HTTP_FIELD_NOTRAIL
#define SPOOF HTTP_FIELD_SPOOF
#define ALONE HTTP_FIELD_ALONE

static const struct field_def {
    struct str name;
    unsigned flags;
} field_defs[HTTP_FIELD_IDS] = {
#define FIELD(slot, id, name, flags) [HTTP_##id] = {STR_INIT(name), flags},
#include "http/fields.def"
#undef FIELD
};

static const uint8_t field_slots[FIELD_SLOTS] = {
#define FIELD(slot, id, name, flags) [slot] = HTTP_##id,
#include "http/fields.def"
#undef FIELD
};

_Static_assert(HTTP_FIELD_IDS <= 128, "http_headers.present has 128 bits");

/* Five characters and the length, case folded: unique over fields.def. */
static uint32_t
field_hash(struct str name)
{
    const uint8_t *p = (const uint8_t *)name.p;
    size_t n = name.len;
    uint32_t w = (uint32_t)n << 24 | (uint32_t)(p[0] | 0x20) << 16 |
                 (uint32_t)(p[n / 2] | 0x20) << 8 | (p[n - 1] | 0x20);

    w ^= (uint32_t)(p[n * 3 / 4] | 0x20) << 22 ^ (uint32_t)(p[n / 4] | 0x20) << 11;
    return (w * 0x17bd0d45u) >> 23;
}

static uint64_t
load_8(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static uint32_t
load_4(const char *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

/* Equal but for ASCII case; `known` is lower-case token text, in which only letters lose by folding 0x20: the few
 * other characters of a token that differ by that bit alone ('^' and '~', '@' is none) are not in any known name. */
static bool
name_eq_known(struct str name, struct str known)
{
    const uint64_t fold = 0x2020202020202020u;
    const char *a = name.p, *b = known.p;
    size_t n = name.len, i = 0;

    if (n != known.len)
        return false;
    if (n >= 8) {
        for (; i + 8 < n; i += 8)
            if ((load_8(a + i) ^ load_8(b + i)) & ~fold)
                return false;
        return ((load_8(a + n - 8) ^ load_8(b + n - 8)) & ~fold) == 0; /* the last eight, overlapping */
    }
    if (n >= 4)
        return (((load_4(a) ^ load_4(b)) | (load_4(a + n - 4) ^ load_4(b + n - 4))) &
                ~(uint32_t)fold) == 0;
    for (; i < n; i++)
        if ((a[i] ^ b[i]) & ~0x20)
            return false;
    return true;
}

enum http_field_id
http_field_id(struct str name)
{
    enum http_field_id id;

    if (name.len == 0 || name.len > 64)
        return HTTP_FIELD_OTHER;
    id = field_slots[field_hash(name)];
    /* Folding 0x20 also equates a few control bytes with token characters; parsers have refused those before. */
    return id != HTTP_FIELD_OTHER && name_eq_known(name, field_defs[id].name) ? id
                                                                              : HTTP_FIELD_OTHER;
}

struct str
http_field_name(enum http_field_id id)
{
    return field_defs[id].name;
}

unsigned
http_field_flags(enum http_field_id id)
{
    return field_defs[id].flags;
}

static void
set_present(struct http_headers *h, unsigned id)
{
    h->present[id >> 6] |= (uint64_t)1 << (id & 63);
}

static bool
is_named(const struct http_field *f, struct str name, enum http_field_id id)
{
    return id != HTTP_FIELD_OTHER ? f->id == id
                                  : f->id == HTTP_FIELD_OTHER && str_eq_nocase(f->name, name);
}

struct str
http_headers_get(const struct http_headers *h, enum http_field_id id)
{
    if (!http_headers_has(h, id))
        return STR_NONE;
    for (uint32_t i = 0; i < h->n; i++)
        if (h->v[i].id == id)
            return h->v[i].value;
    return STR_NONE;
}

static struct http_field *
next_named(const struct http_headers *h, struct str name, enum http_field_id id, uint32_t *at)
{
    if (id != HTTP_FIELD_OTHER && !http_headers_has(h, id))
        return NULL;
    for (uint32_t i = *at; i < h->n; i++) {
        if (is_named(&h->v[i], name, id)) {
            *at = i + 1;
            return &h->v[i];
        }
    }
    *at = h->n;
    return NULL;
}

struct http_field *
http_headers_next(const struct http_headers *h, struct str name, uint32_t *at)
{
    return next_named(h, name, http_field_id(name), at);
}

struct str
http_headers_get_name(const struct http_headers *h, struct str name)
{
    uint32_t at = 0;
    const struct http_field *f = http_headers_next(h, name, &at);

    return f ? f->value : STR_NONE;
}

struct str
http_headers_get_joined(const struct http_headers *h, struct str name)
{
    struct buf joined = buf_in(h->arena);
    uint32_t at = 0;
    const struct http_field *first = http_headers_next(h, name, &at), *f;

    if (!first || !(f = http_headers_next(h, name, &at)))
        return first ? first->value : STR_NONE;
    buf_add_str(&joined, first->value);
    for (; f; f = http_headers_next(h, name, &at)) {
        buf_add_str(&joined, first->id == HTTP_COOKIE ? STR("; ") : STR(", "));
        buf_add_str(&joined, f->value);
    }
    return buf_str(&joined);
}

bool
http_headers_reserve(struct http_headers *h, uint32_t n)
{
    struct http_field *v;

    if (n <= h->cap)
        return true;
    v = arena_grow(h->arena, h->v, h->cap * sizeof(*v), n * sizeof(*v),
                   _Alignof(struct http_field));
    if (!v)
        return false;
    h->v = v;
    h->cap = n;
    return true;
}

bool
http_headers_add_id(struct http_headers *h, enum http_field_id id, struct str name,
                    struct str value)
{
    if (UNLIKELY(h->n == h->cap) && !http_headers_reserve(h, h->cap ? h->cap * 2 : 16))
        return false;
    h->v[h->n++] = (struct http_field){name, value, (uint16_t)id};
    set_present(h, id);
    return true;
}

bool
http_headers_add(struct http_headers *h, struct str name, struct str value)
{
    return http_headers_add_id(h, http_field_id(name), name, value);
}

/* Removes fields of that name from index `from` on. */
static uint32_t
remove_from(struct http_headers *h, struct str name, enum http_field_id id, uint32_t from)
{
    uint32_t kept = from;

    for (uint32_t i = from; i < h->n; i++)
        if (!is_named(&h->v[i], name, id))
            h->v[kept++] = h->v[i];
    from = h->n - kept;
    h->n = kept;
    return from;
}

bool
http_headers_set(struct http_headers *h, struct str name, struct str value)
{
    return http_headers_set_id(h, http_field_id(name), name, value);
}

bool
http_headers_set_id(struct http_headers *h, enum http_field_id id, struct str name, struct str value)
{
    uint32_t at = 0;
    struct http_field *f = next_named(h, name, id, &at);

    if (!f)
        return http_headers_add_id(h, id, name, value);
    f->name = name;
    f->value = value;
    remove_from(h, name, id, at);
    return true;
}

uint32_t
http_headers_remove(struct http_headers *h, struct str name)
{
    enum http_field_id id = http_field_id(name);

    if (id != HTTP_FIELD_OTHER)
        return http_headers_remove_id(h, id);
    return remove_from(h, name, id, 0);
}

uint32_t
http_headers_remove_id(struct http_headers *h, enum http_field_id id)
{
    ASSERT(id != HTTP_FIELD_OTHER);
    if (!http_headers_has(h, id))
        return 0;
    h->present[id >> 6] &= ~((uint64_t)1 << (id & 63)); /* H1 */
    return remove_from(h, STR_NONE, id, 0);
}

bool
http_headers_copy(struct http_headers *to, const struct http_headers *from)
{
    if (!http_headers_reserve(to, from->n))
        return false;
    if (from->n)
        memcpy(to->v, from->v, from->n * sizeof(*to->v));
    to->n = from->n;
    memcpy(to->present, from->present, sizeof(to->present));
    return true;
}

bool
http_headers_dup(struct http_headers *to, const struct http_headers *from)
{
    if (!http_headers_copy(to, from))
        return false;
    for (uint32_t i = 0; i < to->n; i++) {
        struct http_field *f = &to->v[i];
        f->name = str_dup(to->arena, f->name);
        f->value = str_dup(to->arena, f->value);
        if (!f->name.p || !f->value.p)
            return false;
    }
    return true;
}

bool
http_name_is_valid(struct str name)
{
    static const uint8_t token[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1,         ['&'] = 1,         ['\''] = 1,
        ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,         ['^'] = 1,         ['_'] = 1,
        ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
    };

    for (size_t i = 0; i < name.len; i++)
        if (!token[(uint8_t)name.p[i]])
            return false;
    return name.len > 0;
}

bool
http_value_is_valid(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = (uint8_t)value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool
http_list_next(struct str *rest, struct str *ret_item)
{
    while (rest->len) {
        bool is_quoted = false;
        size_t i = 0;
        for (; i < rest->len && (is_quoted || rest->p[i] != ','); i++) {
            if (rest->p[i] == '"')
                is_quoted = !is_quoted;
            else if (is_quoted && rest->p[i] == '\\' && i + 1 < rest->len)
                i++;
        }
        *ret_item = str_trim(str_sub(*rest, 0, i));
        *rest = str_skip(*rest, i + 1);
        if (ret_item->len)
            return true;
    }
    return false;
}

bool
http_list_has(struct str list, struct str word)
{
    struct str item;

    while (http_list_next(&list, &item)) {
        ptrdiff_t end = str_find_char(item, ';', 0);
        if (str_eq_nocase(end < 0 ? item : str_trim(str_sub(item, 0, (size_t)end)), word))
            return true;
    }
    return false;
}
