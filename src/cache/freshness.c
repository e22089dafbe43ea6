/* freshness.c: RFC 9111 sections 3 and 4.2, RFC 9213 (targeted fields), RFC 5861 in its directives.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.h"

#include "base/buf.h"

/* RFC 9110 15.1: these may be given a lifetime by guessing. */
static bool
is_heuristic_status(uint16_t status)
{
    static const uint16_t statuses[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};

    for (size_t i = 0; i < COUNTOF(statuses); i++)
        if (statuses[i] == status)
            return true;
    return false;
}

/* Final statuses whose meaning for caching we know (3, must-understand). */
static bool
is_understood(uint16_t status)
{
    static const uint16_t others[] = {201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 409, 411, 412, 413, 415,
                                      417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 502, 503, 504, 505};

    if (is_heuristic_status(status))
        return true;
    for (size_t i = 0; i < COUNTOF(others); i++)
        if (others[i] == status)
            return true;
    return false;
}

/* ---- what governs the answer ---- */

static void
read_lines(const struct http_headers *h, struct str name, struct cache_control *c,
           void (*read)(struct cache_control *c, struct str value))
{
    struct http_field *f;
    uint32_t at = 0;

    while ((f = http_headers_next(h, name, &at)))
        read(c, f->value);
}

/* The first of these that is there and says something: CDN-Cache-Control, Surrogate-Control, Cache-Control. */
static bool
governing(const struct freshness_conf *conf, const struct http_headers *answer, struct cache_control *ret)
{
    cache_control_init(ret);
    if (http_headers_has(answer, HTTP_CDN_CACHE_CONTROL)) {
        if (cache_control_read_targeted(ret, http_headers_get_joined(answer, STR("CDN-Cache-Control"))))
            return true;
        cache_control_init(ret);
    }
    if (conf->surrogate_control) {
        read_lines(answer, STR("Surrogate-Control"), ret, cache_control_read_surrogate);
        if (ret->is_there)
            return true;
    }
    read_lines(answer, STR("Cache-Control"), ret, cache_control_read);
    return false;
}

/* ---- may it be stored ---- */

bool
freshness_is_partial(uint16_t status)
{
    return status == 206 || status == 304 || status == 412 || status == 416;
}

static enum cache_refusal
refusal_of(const struct freshness_conf *conf, const struct http_headers *request, uint16_t status,
           const struct http_headers *answer, const struct freshness *f, bool is_targeted)
{
    const struct cache_control *c = &f->control;
    bool no_store = c->flags & CONTROL_NO_STORE && !(c->flags & CONTROL_MUST_UNDERSTAND && is_understood(status));
    bool is_for_all = c->flags & (CONTROL_PUBLIC | CONTROL_MUST_REVALIDATE) || c->s_maxage >= 0;
    bool is_explicit = c->flags & CONTROL_PUBLIC || c->max_age >= 0 || c->s_maxage >= 0 ||
                       (!is_targeted && http_headers_has(answer, HTTP_EXPIRES));

    if (freshness_is_partial(status))
        return CACHE_REFUSED_PARTIAL;
    if (status < 200)
        return CACHE_REFUSED_STATUS;
    if (no_store)
        return CACHE_REFUSED_NO_STORE;
    if (c->flags & CONTROL_MUST_UNDERSTAND && !is_understood(status))
        return CACHE_REFUSED_STATUS;
    if (c->flags & CONTROL_PRIVATE)
        return CACHE_REFUSED_PRIVATE;
    if (http_headers_has(request, HTTP_AUTHORIZATION) && !is_for_all)
        return CACHE_REFUSED_AUTHORIZATION;
    if (http_list_has(http_headers_get_joined(answer, STR("Vary")), STR("*")))
        return CACHE_REFUSED_VARY_STAR;
    if (http_headers_has(answer, HTTP_SET_COOKIE) && !conf->keeps_set_cookie)
        return CACHE_REFUSED_SET_COOKIE;
    if (str_starts_with_nocase(http_headers_get(answer, HTTP_CONTENT_TYPE), STR("text/event-stream")))
        return CACHE_REFUSED_STREAM;
    if (!is_explicit && !is_heuristic_status(status) && !(f->has_validator && c->flags & CONTROL_NO_CACHE))
        return CACHE_REFUSED_STATUS;
    return CACHE_STORED;
}

/* ---- how old, how long ---- */

static bool
get_date(const struct http_headers *h, enum http_field_id id, uint64_t *ret)
{
    struct str text = http_headers_get(h, id);

    return text.len && http_date_parse(text, ret);
}

/* One line of Age: its first member (5.1), parameters behind it not read. What is no number may be of any age: 5.1 would ignore it, but
 * whoever could not say how old an answer is has no claim to its freshness (4.2.1), and a stale answer costs one validation. */
static uint64_t
age_of_line(struct str line)
{
    struct str item, number;
    int64_t n;

    if (!http_list_next(&line, &item))
        return 0;
    (void)str_split_next(&item, ';', &number);
    n = cache_seconds_parse(str_trim(number));
    return n < 0 ? (uint64_t)CONTROL_SECONDS_MAX : (uint64_t)n;
}

/* Lines that contradict one another: the oldest counts. */
static uint64_t
age_value(const struct http_headers *h)
{
    struct http_field *f;
    uint64_t age = 0;
    uint32_t at = 0;

    while (http_headers_has(h, HTTP_AGE) && (f = http_headers_next(h, STR("Age"), &at)))
        age = MAX(age, age_of_line(f->value));
    return age;
}

static uint64_t
initial_age(const struct http_headers *answer, const struct exchange_instants *when)
{
    uint64_t date, apparent = 0, corrected = age_value(answer) + (when->answered_s - MIN(when->asked_s, when->answered_s));

    if (get_date(answer, HTTP_DATE, &date) && date < when->answered_s)
        apparent = when->answered_s - date;
    return MIN(MAX(apparent, corrected), (uint64_t)CONTROL_SECONDS_MAX);
}

/* Expires minus Date; what is no date has expired. */
static uint64_t
expires_life(const struct http_headers *answer, const struct exchange_instants *when)
{
    uint64_t expires, date;
    uint32_t at = 0;

    http_headers_next(answer, STR("Expires"), &at);
    if (http_headers_next(answer, STR("Expires"), &at) || !get_date(answer, HTTP_EXPIRES, &expires))
        return 0;
    if (!get_date(answer, HTTP_DATE, &date))
        date = when->answered_s;
    return expires > date ? MIN(expires - date, (uint64_t)CONTROL_SECONDS_MAX) : 0;
}

static uint64_t
heuristic_life(const struct freshness_conf *conf, uint16_t status, const struct http_headers *answer,
               const struct cache_control *c, const struct exchange_instants *when)
{
    uint64_t modified, date;

    if (!conf->heuristic_percent || !(is_heuristic_status(status) || c->flags & CONTROL_PUBLIC) ||
        !get_date(answer, HTTP_LAST_MODIFIED, &modified))
        return 0;
    if (!get_date(answer, HTTP_DATE, &date))
        date = when->answered_s;
    if (date <= modified)
        return 0;
    return MIN((date - modified) * conf->heuristic_percent / 100, conf->heuristic_max_s);
}

static void
set_life(const struct freshness_conf *conf, uint16_t status, const struct http_headers *answer,
         const struct exchange_instants *when, bool is_targeted, struct freshness *f)
{
    const struct cache_control *c = &f->control;

    if (c->flags & CONTROL_NO_CACHE)
        f->life_s = 0;
    else if (c->s_maxage >= 0)
        f->life_s = (uint64_t)c->s_maxage;
    else if (c->max_age >= 0)
        f->life_s = (uint64_t)c->max_age;
    else if (!is_targeted && http_headers_has(answer, HTTP_EXPIRES))
        f->life_s = expires_life(answer, when);
    else if ((f->life_s = heuristic_life(conf, status, answer, c, when)) > 0)
        f->is_heuristic = true;
}

void
freshness_of(const struct freshness_conf *conf, const struct http_headers *request, uint16_t status,
             const struct http_headers *answer, const struct exchange_instants *when, struct freshness *ret)
{
    *ret = (struct freshness){0};
    bool is_targeted = governing(conf, answer, &ret->control);
    const struct cache_control *c = &ret->control;

    ret->has_validator = http_headers_has(answer, HTTP_ETAG) || http_headers_has(answer, HTTP_LAST_MODIFIED);
    ret->refusal = refusal_of(conf, request, status, answer, ret, is_targeted);
    ret->age_s = (uint32_t)initial_age(answer, when);
    ret->must_validate = c->flags & (CONTROL_MUST_REVALIDATE | CONTROL_PROXY_REVALIDATE | CONTROL_NO_CACHE) || c->s_maxage >= 0;
    ret->omit_fields[0] = c->no_cache_fields;
    ret->omit_fields[1] = c->private_fields;
    ret->omit_fields[2] = conf->surrogate_control ? STR("Surrogate-Control") : STR_NONE;
    set_life(conf, status, answer, when, is_targeted, ret);
}

/* ---- requests ---- */

void
cache_wanted_of(const struct http_headers *request, struct cache_wanted *ret)
{
    struct cache_control c;

    *ret = (struct cache_wanted){.max_age_s = -1, .min_fresh_s = -1, .max_stale_s = -1};
    if (!http_headers_has(request, HTTP_CACHE_CONTROL)) {
        ret->must_validate = http_headers_has(request, HTTP_PRAGMA) &&
                             http_list_has(http_headers_get_joined(request, STR("Pragma")), STR("no-cache"));
        return;
    }
    cache_control_init(&c);
    read_lines(request, STR("Cache-Control"), &c, cache_control_read);
    ret->no_store = c.flags & CONTROL_NO_STORE;
    ret->only_if_cached = c.flags & CONTROL_ONLY_IF_CACHED;
    ret->must_validate = c.flags & CONTROL_NO_CACHE;
    ret->max_age_s = c.max_age;
    ret->min_fresh_s = c.min_fresh;
    ret->max_stale_s = c.flags & CONTROL_ANY_STALE ? CONTROL_SECONDS_MAX : c.max_stale;
}

bool
cache_wanted_takes(const struct cache_wanted *w, uint64_t age_s, uint64_t life_s)
{
    uint64_t stale_s = age_s >= life_s ? age_s - life_s : 0;
    bool is_fresh = age_s < life_s;

    if (w->must_validate || (w->max_age_s >= 0 && age_s > (uint64_t)w->max_age_s))
        return false;
    if (w->min_fresh_s >= 0 && (!is_fresh || life_s - age_s < (uint64_t)w->min_fresh_s))
        return false;
    return is_fresh || (w->max_stale_s >= 0 && stale_s <= (uint64_t)w->max_stale_s);
}

/* ---- fields ---- */

bool
freshness_is_stored_field(enum http_field_id id, struct str name)
{
    if (id && http_field_flags(id) & HTTP_FIELD_HOP)
        return false;
    return id != HTTP_PROXY_AUTHENTICATE && id != HTTP_PROXY_AUTHENTICATION_INFO && id != HTTP_PROXY_AUTHORIZATION &&
           id != HTTP_AGE && !str_eq_nocase(name, STR("Content-Length"));
}

bool
freshness_is_kept_field(struct str name)
{
    static const struct str kept[] = {STR_INIT("Content-Encoding"), STR_INIT("Content-Range"), STR_INIT("Content-MD5"),
                                      STR_INIT("Content-Length"), STR_INIT("Content-Digest"), STR_INIT("Digest"),
                                      STR_INIT("ETag")};

    for (size_t i = 0; i < COUNTOF(kept); i++)
        if (str_eq_nocase(kept[i], name))
            return true;
    return false;
}

/* ---- Vary ---- */

#define MEMBERS_MAX 32

/* Insertion sort: lists are short, and one that is too long keeps its order. */
static uint32_t
sorted_members(struct arena *a, struct str list, bool in_order, struct str *members)
{
    struct str item;
    uint32_t n = 0;

    while (http_list_next(&list, &item)) {
        if (n == MEMBERS_MAX)
            return UINT32_MAX;
        item = in_order ? str_lower(a, item) : item;
        uint32_t at = n++;
        for (; in_order && at > 0 && str_cmp(members[at - 1], item) > 0; at--)
            members[at] = members[at - 1];
        members[at] = item;
    }
    return n;
}

struct str
vary_value(const struct http_headers *h, struct str name)
{
    bool in_order = str_eq_nocase(name, STR("Accept-Encoding")) || str_eq_nocase(name, STR("Accept-Language"));
    struct str joined = http_headers_get_joined(h, name), members[MEMBERS_MAX];
    struct buf b = buf_in(h->arena);
    uint32_t n;

    if (!joined.len || (!in_order && str_find_char(joined, ',', 0) < 0))
        return joined;
    n = sorted_members(h->arena, joined, in_order, members);
    if (n == UINT32_MAX)
        return joined;
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_add_str(&b, members[i]);
    }
    return b.len && !b.failed ? buf_str(&b) : joined;
}
