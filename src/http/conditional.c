/* conditional.c: validators and ranges.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/conditional.h"

#define RANGES_MAX 16                 /* more in one field are a flood: the whole is sent */
#define STRONG_AFTER_S 1              /* a date is a strong validator when Date is that much later (RFC 9110 8.8.2.2) */

static struct str
opaque(struct str etag)
{
    return str_starts_with(etag, STR("W/")) ? str_skip(etag, 2) : etag;
}

bool
http_etag_matches(struct str a, struct str b)
{
    return str_eq(opaque(a), opaque(b));
}

bool
http_etag_listed(struct str list, struct str etag)
{
    struct str item;

    while (http_list_next(&list, &item))
        if (str_eq_lit(item, "*") || (etag.len && http_etag_matches(item, etag)))
            return true;
    return false;
}

static bool
get_date(const struct http_headers *h, enum http_field_id id, uint64_t *ret)
{
    struct str text = http_headers_get(h, id);

    return text.len && http_date_parse(text, ret);
}

bool
http_is_not_modified(const struct http_headers *request, const struct http_headers *answer)
{
    uint64_t since, modified;

    if (http_headers_has(request, HTTP_IF_NONE_MATCH))
        return http_etag_listed(http_headers_get_joined(request, STR("If-None-Match")), http_headers_get(answer, HTTP_ETAG));
    if (!get_date(request, HTTP_IF_MODIFIED_SINCE, &since))
        return false;
    if (get_date(answer, HTTP_LAST_MODIFIED, &modified))
        return modified <= since;
    return get_date(answer, HTTP_DATE, &modified) && modified <= since;
}

bool
http_range_applies(const struct http_headers *request, const struct http_headers *answer)
{
    struct str wanted = http_headers_get(request, HTTP_IF_RANGE), etag = http_headers_get(answer, HTTP_ETAG);
    uint64_t modified, sent;

    if (!wanted.p)
        return true;
    if (str_find_char(wanted, '"', 0) >= 0)
        return str_eq(wanted, etag) && !str_starts_with(etag, STR("W/"));
    return str_eq(wanted, http_headers_get(answer, HTTP_LAST_MODIFIED)) && get_date(answer, HTTP_LAST_MODIFIED, &modified) &&
           get_date(answer, HTTP_DATE, &sent) && sent >= modified + STRONG_AFTER_S;
}

/* ---- ranges ---- */

/* Digits only; more than 64 bits is as much as there is. */
static bool
parse_position(struct str text, uint64_t *ret)
{
    uint64_t n = 0;

    if (!text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.p[i]))
            return false;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n))
            n = UINT64_MAX / 2;
    }
    *ret = n;
    return true;
}

/* int-range or suffix-range. False for what is neither; an empty part [0, 0) for one that lies outside. */
static bool
parse_range(struct str spec, uint64_t length, uint64_t *ret_from, uint64_t *ret_to)
{
    ptrdiff_t dash = str_find_char(spec, '-', 0);
    struct str first = str_sub(spec, 0, (size_t)MAX(dash, (ptrdiff_t)0)), last = str_skip(spec, (size_t)dash + 1);
    uint64_t from, to;

    if (dash < 0)
        return false;
    *ret_from = *ret_to = 0;
    if (!first.len) {
        if (!parse_position(last, &to))
            return false;
        *ret_from = to < length ? length - to : 0;
        *ret_to = to ? length : *ret_from;
        return true;
    }
    if (!parse_position(first, &from))
        return false;
    to = UINT64_MAX / 2;
    if (last.len && (!parse_position(last, &to) || to < from))
        return false;
    if (from >= length)
        return true;
    *ret_from = from;
    *ret_to = MIN(to + 1, length);
    return true;
}

enum http_range_result
http_range_read(struct str field, uint64_t length, uint64_t *ret_from, uint64_t *ret_to)
{
    uint64_t from = 0, to = 0;
    struct str item;
    int n = 0;

    if (!str_starts_with_nocase(field, STR("bytes=")))
        return HTTP_RANGE_ALL;
    field = str_skip(field, 6);
    while (http_list_next(&field, &item)) {
        uint64_t one_from, one_to;

        if (++n > RANGES_MAX || !parse_range(item, length, &one_from, &one_to))
            return HTTP_RANGE_ALL;
        if (one_from == one_to)
            continue;                 /* lies outside */
        if (from == to) {
            from = one_from;
            to = one_to;
        } else if (one_from > to || one_to < from) {
            return HTTP_RANGE_ALL;    /* apart */
        } else {
            from = MIN(from, one_from);
            to = MAX(to, one_to);
        }
    }
    if (n == 0)
        return HTTP_RANGE_ALL;
    if (from == to)
        return HTTP_RANGE_UNSATISFIABLE;
    *ret_from = from;
    *ret_to = to;
    return HTTP_RANGE_PART;
}
