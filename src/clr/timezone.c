/* timezone.c: TZif files (RFC 8536) and what their footers say about later years.
 *
 *     transitions t0 < t1 < ...   after ti the zone is of type index[i] {offset, daylight}
 *     footer "CET-1CEST,M3.5.0,M10.5.0/3"   rules behind the last transition
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/timezone.h"

#include <stdio.h>

#include "base/file.h"
#include "clr/datetime.h"

#define TZ_FILE_MAX ((size_t)1 << 20)
#define TZ_FOLDER "/usr/share/zoneinfo/"

/* When in a year a half begins: Mm.w.d, Jn or n, and the second of the day. */
struct rule {
    char kind;                        /* 'M', 'J', '0' */
    int month, week, day;
    int64_t second;
};

struct timezone_rules {
    uint32_t n;
    const int64_t *at;                /* seconds since 1970 */
    const uint8_t *index;
    uint32_t n_types;
    struct { int32_t offset; bool daylight; } types[256];
    bool has_footer, has_rules;
    int32_t standard, daylight;       /* of the footer, seconds east */
    struct rule begins, ends;         /* of daylight saving */
};

static const struct {
    struct str windows, iana;
} zones[] = {
#define ZONE(windows, iana) {STR_INIT(windows), STR_INIT(iana)},
#include "clr/windows_zones.def"
#undef ZONE
};

const struct str *
timezone_windows_name(size_t i)
{
    return i < COUNTOF(zones) ? &zones[i].windows : NULL;
}

struct str
timezone_iana_name(struct str name)
{
    for (size_t i = 0; i < COUNTOF(zones); i++)
        if (str_eq_nocase(zones[i].windows, name))
            return zones[i].iana;
    return name;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------- */

static int64_t
big_endian(const unsigned char *p, int n)
{
    uint64_t value = p[0] & 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < n; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

static bool
accept(struct str *s, char c)
{
    if (!s->len || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static bool
read_digits(struct str *s, int *ret)
{
    size_t n = 0;

    for (*ret = 0; n < s->len && n < 4 && ascii_is_digit(s->p[n]); n++)
        *ret = *ret * 10 + (s->p[n] - '0');
    *s = str_skip(*s, n);
    return n > 0;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool
read_clock(struct str *s, int64_t *ret)
{
    bool negative = accept(s, '-');
    int hours, minutes = 0, seconds = 0;

    if (!negative)
        accept(s, '+');
    if (!read_digits(s, &hours) || (accept(s, ':') && (!read_digits(s, &minutes) || (accept(s, ':') && !read_digits(s, &seconds)))))
        return false;
    *ret = hours * 3600 + minutes * 60 + seconds;
    if (negative)
        *ret = -*ret;
    return true;
}

static bool
skip_name(struct str *s)
{
    size_t n = 0;

    if (accept(s, '<')) {
        ptrdiff_t close = str_find_char(*s, '>', 0);
        if (close < 0)
            return false;
        *s = str_skip(*s, (size_t)close + 1);
        return true;
    }
    while (n < s->len && ascii_is_alpha(s->p[n]))
        n++;
    *s = str_skip(*s, n);
    return n >= 3;
}

static bool
read_rule(struct str *s, struct rule *ret)
{
    *ret = (struct rule){.kind = '0', .second = 7200};
    if (!accept(s, ','))
        return false;
    if (accept(s, 'M')) {
        ret->kind = 'M';
        if (!read_digits(s, &ret->month) || !accept(s, '.') || !read_digits(s, &ret->week) || !accept(s, '.') ||
            !read_digits(s, &ret->day) || ret->month < 1 || ret->month > 12)
            return false;
    } else {
        if (accept(s, 'J'))
            ret->kind = 'J';
        if (!read_digits(s, &ret->day))
            return false;
    }
    return !accept(s, '/') || read_clock(s, &ret->second);
}

/* std offset [dst [offset] , rule , rule] */
static void
read_footer(struct timezone_rules *z, struct str s)
{
    int64_t west, daylight_west;

    if (!skip_name(&s) || !read_clock(&s, &west))
        return;
    z->standard = (int32_t)-west;
    z->has_footer = true;
    if (!s.len || !skip_name(&s))
        return;
    daylight_west = west - 3600;
    if (s.len && s.p[0] != ',' && !read_clock(&s, &daylight_west))
        return;
    z->daylight = (int32_t)-daylight_west;
    z->has_rules = read_rule(&s, &z->begins) && read_rule(&s, &z->ends);
}

/* The second block of the file, with 64-bit times. */
static bool
read_zone(struct arena *a, struct timezone_rules *z, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint64_t counts[6], need = 0;

    for (int block = 0; block < 2; block++) {
        size_t wide = block ? 8 : 4;
        s = str_skip(s, (size_t)need);
        p = (const unsigned char *)s.p;
        if (s.len < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
            return false;
        for (int i = 0; i < 6; i++) /* isutc, isstd, leaps, times, types, names */
            counts[i] = (uint64_t)big_endian(p + 20 + 4 * i, 4) & 0xffffffff;
        need = 44 + counts[3] * (wide + 1) + counts[4] * 6 + counts[5] + counts[2] * (wide + 4) + counts[1] + counts[0];
        if (need > s.len || counts[3] > 100000 || counts[4] > 256)
            return false;
    }
    z->n = (uint32_t)counts[3];
    z->n_types = (uint32_t)counts[4];
    int64_t *at = arena_new_array(a, int64_t, z->n + 1);
    uint8_t *index = arena_new_array(a, uint8_t, z->n + 1);
    if (!at || !index)
        return false;
    for (uint32_t i = 0; i < z->n; i++) {
        at[i] = big_endian(p + 44 + 8 * i, 8);
        index[i] = p[44 + 8 * z->n + i];
        if (index[i] >= z->n_types)
            return false;
    }
    for (uint32_t i = 0; i < z->n_types; i++) {
        const unsigned char *type = p + 44 + 9 * z->n + 6 * i;
        z->types[i].offset = (int32_t)big_endian(type, 4);
        z->types[i].daylight = type[4];
    }
    z->at = at;
    z->index = index;
    s = str_trim(str_skip(s, (size_t)need));
    read_footer(z, s);
    return z->n_types > 0;
}

const struct timezone_rules *
timezone_load(struct arena *a, struct str name)
{
    struct timezone_rules *z = arena_new(a, struct timezone_rules);
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;
    char path[256];

    name = timezone_iana_name(name);
    if (!z || !name.len || name.len > 100 || name.p[0] == '/' || name.p[0] == '.')
        return NULL;
    for (size_t i = 0; i < name.len; i++) /* no way out of the folder */
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && !strchr("/_+-", name.p[i]))
            return NULL;
    snprintf(path, sizeof(path), TZ_FOLDER "%.*s", STR_ARG(name));
    if (!file_read(path, TZ_FILE_MAX, &bytes, NULL) || !read_zone(a, z, buf_str(&bytes)))
        return NULL;
    return z;
}

/* --- asking -------------------------------------------------------------------------------------------------------------------------- */

/* Local second of the year's change, counted from 1970 as if local were UTC. */
static int64_t
rule_second(const struct rule *r, int year)
{
    struct civil c = {year, 1, 1, 0, 0, 0, 0};
    int64_t ticks = 0;
    int day = r->day;

    if (r->kind == 'M') {
        int first;
        c.month = r->month;
        if (!ticks_from_civil(&c, &ticks))
            return 0;
        first = (r->day - ticks_day_of_week(ticks) + 7) % 7 + 1 + (r->week - 1) * 7;
        while (first > days_in_month(year, r->month))
            first -= 7;
        day = first - 1;
    } else if (!ticks_from_civil(&c, &ticks)) {
        return 0;
    } else if (r->kind == 'J') {
        day = r->day - 1 + (r->day > 59 && is_leap_year(year));
    }
    return (ticks - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND + (int64_t)day * 86400 + r->second;
}

static int32_t
footer_offset(const struct timezone_rules *z, int64_t second, bool *daylight)
{
    struct civil c;
    int64_t begins, ends;

    *daylight = false;
    if (!z->has_rules)
        return z->standard;
    ticks_to_civil(TICKS_UNIX_EPOCH + (second + z->standard) * TICKS_PER_SECOND, &c);
    begins = rule_second(&z->begins, c.year) - z->standard;
    ends = rule_second(&z->ends, c.year) - z->daylight;
    *daylight = begins < ends ? second >= begins && second < ends : second >= begins || second < ends;
    return *daylight ? z->daylight : z->standard;
}

int64_t
timezone_offset(const struct timezone_rules *z, int64_t utc_ticks, bool *ret_daylight)
{
    int64_t second = (utc_ticks - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND;
    uint32_t low = 0, high = z->n, type = 0;
    bool ignored;

    if (!ret_daylight)
        ret_daylight = &ignored;
    if ((utc_ticks - TICKS_UNIX_EPOCH) % TICKS_PER_SECOND < 0)
        second--;
    if (z->has_footer && (z->n == 0 || second >= z->at[z->n - 1]))
        return footer_offset(z, second, ret_daylight) * TICKS_PER_SECOND;
    while (low < high) { /* the last transition at or before it */
        uint32_t middle = (low + high) / 2;
        if (z->at[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    type = low ? z->index[low - 1] : 0;
    *ret_daylight = z->types[type].daylight;
    return z->types[type].offset * TICKS_PER_SECOND;
}

int64_t
timezone_offset_of_local(const struct timezone_rules *z, int64_t local, bool *ret_daylight, bool *ret_ambiguous, bool *ret_invalid)
{
    bool early_daylight, late_daylight;
    int64_t early = timezone_offset(z, local - TICKS_PER_DAY, NULL), late = timezone_offset(z, local + TICKS_PER_DAY, NULL);
    bool early_fits = timezone_offset(z, local - early, &early_daylight) == early;
    bool late_fits = timezone_offset(z, local - late, &late_daylight) == late;
    bool use_late = late_fits && (!early_fits || (early != late && early_daylight && !late_daylight));

    if (ret_ambiguous)
        *ret_ambiguous = early_fits && late_fits && early != late;
    if (ret_invalid)
        *ret_invalid = !early_fits && !late_fits;
    if (ret_daylight)
        *ret_daylight = use_late ? late_daylight : early_fits && early_daylight;
    return use_late ? late : early;
}

int64_t
timezone_base_offset(const struct timezone_rules *z)
{
    if (z->has_footer)
        return z->standard * TICKS_PER_SECOND;
    for (uint32_t i = z->n; i > 0; i--)
        if (!z->types[z->index[i - 1]].daylight)
            return z->types[z->index[i - 1]].offset * TICKS_PER_SECOND;
    return z->types[0].offset * TICKS_PER_SECOND;
}

bool
timezone_has_daylight(const struct timezone_rules *z)
{
    for (uint32_t i = 0; i < z->n; i++)
        if (z->types[z->index[i]].daylight)
            return true;
    return z->has_rules;
}

static struct timezone_rule
yearly(const struct rule *r)
{
    return (struct timezone_rule){r->month, r->week, r->day, r->second};
}

bool
timezone_yearly_rules(const struct timezone_rules *z, struct timezone_rule *ret_begins, struct timezone_rule *ret_ends,
                      int64_t *ret_delta)
{
    if (!z->has_rules || z->begins.kind != 'M' || z->ends.kind != 'M')
        return false;
    *ret_begins = yearly(&z->begins);
    *ret_ends = yearly(&z->ends);
    *ret_delta = (int64_t)(z->daylight - z->standard) * TICKS_PER_SECOND;
    return true;
}
