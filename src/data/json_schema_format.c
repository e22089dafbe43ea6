/* json_schema_format.c: what `format` checks: dates of RFC 3339, addresses, names, URIs, pointers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "data/json_schema_tree.h"
#include "data/regex.h"

/* --- reading from the front ------------------------------------------------------------------------------------------ */

/* Exactly n digits as a number. */
static bool
take_digits(struct str *s, size_t n, int *ret)
{
    int value = 0;

    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ascii_is_digit(s->p[i]))
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = str_skip(*s, n);
    *ret = value;
    return true;
}

static bool
take_char(struct str *s, const char *any_of)
{
    if (!s->len || !s->p[0] || !strchr(any_of, s->p[0]))
        return false;
    *s = str_skip(*s, 1);
    return true;
}

/* --- dates and times ------------------------------------------------------------------------------------------------- */

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

static bool
take_date(struct str *s)
{
    int year, month, day;

    return take_digits(s, 4, &year) && take_char(s, "-") && take_digits(s, 2, &month) && take_char(s, "-") &&
           take_digits(s, 2, &day) && month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month);
}

/* hh:mm:ss[.fraction], then Z or an offset; the 60th second is the last of a UTC day. */
static bool
take_time(struct str *s)
{
    int hour, minute, second, offset_hour = 0, offset_minute = 0, sign = 0, digit;

    if (!take_digits(s, 2, &hour) || !take_char(s, ":") || !take_digits(s, 2, &minute) || !take_char(s, ":") ||
        !take_digits(s, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (take_char(s, ".")) {
        if (!take_digits(s, 1, &digit))
            return false;
        while (s->len && ascii_is_digit(s->p[0]))
            *s = str_skip(*s, 1);
    }
    if (!take_char(s, "zZ")) {
        sign = s->len && s->p[0] == '-' ? -1 : 1;
        if (!take_char(s, "+-") || !take_digits(s, 2, &offset_hour) || !take_char(s, ":") ||
            !take_digits(s, 2, &offset_minute) || offset_hour > 23 || offset_minute > 59)
            return false;
    }
    if (second < 60)
        return true;
    return ((hour * 60 + minute - sign * (offset_hour * 60 + offset_minute)) % 1440 + 1440) % 1440 == 1439;
}

static bool
is_date_time(struct str s)
{
    return take_date(&s) && take_char(&s, "tT ") && take_time(&s) && !s.len;
}

static bool
is_date(struct str s)
{
    return take_date(&s) && !s.len;
}

static bool
is_time(struct str s)
{
    return take_time(&s) && !s.len;
}

/* digits and one of the letters of `order`, each at most once and in that order; how many in *ret. */
static bool
take_elements(struct str *s, const char *order, int *ret)
{
    *ret = 0;
    while (s->len && ascii_is_digit(s->p[0])) {
        const char *letter;

        while (s->len && ascii_is_digit(s->p[0]))
            *s = str_skip(*s, 1);
        letter = s->len && s->p[0] ? strchr(order, s->p[0]) : NULL;
        if (!letter)
            return false;
        order = letter + 1;
        *s = str_skip(*s, 1);
        ++*ret;
    }
    return true;
}

/* P3Y6M4DT12H30M5S, P2W */
static bool
is_duration(struct str s)
{
    struct str weeks;
    int days, hours;

    if (!take_char(&s, "P"))
        return false;
    weeks = s;
    if (take_elements(&weeks, "W", &days) && days == 1 && !weeks.len)
        return true;
    if (!take_elements(&s, "YMD", &days))
        return false;
    if (!take_char(&s, "T"))
        return days > 0 && !s.len;
    return take_elements(&s, "HMS", &hours) && hours > 0 && !s.len;
}

/* --- names and addresses --------------------------------------------------------------------------------------------- */

/* Labels of letters, digits and inner dashes, 63 at most, 253 in all. */
static bool
is_hostname(struct str s)
{
    struct str label;

    if (!s.len || s.len > 253)
        return false;
    while (str_split_next(&s, '.', &label)) {
        if (!label.len || label.len > 63 || label.p[0] == '-' || label.p[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!ascii_is_alpha(label.p[i]) && !ascii_is_digit(label.p[i]) && label.p[i] != '-')
                return false;
    }
    return true;
}

static bool
is_ipv4(struct str s)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr addr;

    if (s.len >= sizeof(text) || memchr(s.p ? s.p : "", 0, s.len))
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = 0;
    return inet_pton(AF_INET, text, &addr) == 1;
}

static bool
is_ipv6(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (!s.len || s.len >= sizeof(text) || memchr(s.p, 0, s.len))
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = 0;
    return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool
is_atom_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* atom.atom or "quoted" before the last '@'; a name or [address] behind it. */
static bool
is_email(struct str s)
{
    ptrdiff_t at = str_rfind_char(s, '@');
    struct str local, domain, atom;

    if (at <= 0 || (size_t)at + 1 >= s.len || s.len > 254 || at > 64)
        return false;
    local = str_sub(s, 0, (size_t)at);
    domain = str_skip(s, (size_t)at + 1);
    if (local.p[0] == '"') {
        if (local.len < 2 || local.p[local.len - 1] != '"')
            return false;
    } else {
        while (str_split_next(&local, '.', &atom)) {
            if (!atom.len)
                return false;
            for (size_t i = 0; i < atom.len; i++)
                if (!is_atom_char(atom.p[i]))
                    return false;
        }
    }
    if (domain.p[0] == '[') {
        struct str inside = domain.len > 2 && domain.p[domain.len - 1] == ']' ? str_sub(domain, 1, domain.len - 1) : STR("");
        return is_ipv4(inside) || (str_starts_with_nocase(inside, STR("IPv6:")) && is_ipv6(str_skip(inside, 5)));
    }
    for (size_t i = 0; i < domain.len; i++)
        if ((unsigned char)domain.p[i] >= 0x80)
            return true;              /* international: not looked into */
    return is_hostname(domain);
}

/* --- URIs ---------------------------------------------------------------------------------------------------------- */

/* What RFC 3986 allows, with whole percent escapes. */
static bool
has_uri_chars(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '%') {
            if (i + 2 >= s.len || ascii_hex_value(s.p[i + 1]) < 0 || ascii_hex_value(s.p[i + 2]) < 0)
                return false;
            i += 2;
        } else if (!ascii_is_alpha(c) && !ascii_is_digit(c) && (!c || !strchr("-._~:/?#[]@!$&'()*+,;=", c))) {
            return false;
        }
    }
    return true;
}

/* Length of "scheme:", 0 when there is none. */
static size_t
scheme_len(struct str s)
{
    size_t at = 0;

    if (!s.len || !ascii_is_alpha(s.p[0]))
        return 0;
    while (at < s.len && (ascii_is_alpha(s.p[at]) || ascii_is_digit(s.p[at]) || s.p[at] == '+' || s.p[at] == '-' || s.p[at] == '.'))
        at++;
    return at < s.len && s.p[at] == ':' ? at + 1 : 0;
}

/* user@host:port between "//" and the path. */
static bool
is_authority(struct str s)
{
    ptrdiff_t at = str_rfind_char(s, '@'), colon;
    struct str host = at < 0 ? s : str_skip(s, (size_t)at + 1);

    if (host.len && host.p[0] == '[') {
        ptrdiff_t close = str_find_char(host, ']', 0);
        return close > 0 && is_ipv6(str_sub(host, 1, (size_t)close));
    }
    colon = str_find_char(host, ':', 0);
    for (size_t i = colon < 0 ? host.len : (size_t)colon + 1; i < host.len; i++)
        if (!ascii_is_digit(host.p[i]))
            return false;
    return !memchr(host.p ? host.p : "", '[', host.len) && !memchr(host.p ? host.p : "", ']', host.len);
}

/* The rest behind a scheme. */
static bool
is_hierarchy(struct str s)
{
    size_t end = 2;
    ptrdiff_t hash = str_find_char(s, '#', 0);

    if (hash >= 0 && str_find_char(s, '#', (size_t)hash + 1) >= 0)
        return false;
    if (!str_starts_with(s, STR("//")))
        return str_find_char(s, '[', 0) < 0 && str_find_char(s, ']', 0) < 0;
    while (end < s.len && !strchr("/?#", s.p[end]))
        end++;
    return is_authority(str_sub(s, 2, end)) && str_find_char(s, '[', end) < 0 && str_find_char(s, ']', end) < 0;
}

static bool
is_uri(struct str s)
{
    size_t scheme = scheme_len(s);

    return scheme && has_uri_chars(s) && is_hierarchy(str_skip(s, scheme));
}

static bool
is_uri_reference(struct str s)
{
    size_t scheme = scheme_len(s), end = 0;

    while (end < s.len && !strchr("/?#", s.p[end]))
        end++;
    return has_uri_chars(s) && is_hierarchy(str_skip(s, scheme)) && (scheme || str_find_char(str_sub(s, 0, end), ':', 0) < 0);
}

/* Braces in pairs, an expression of names between them. */
static bool
is_uri_template(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        ptrdiff_t close;

        if (s.p[i] == '}' || (unsigned char)s.p[i] <= ' ' || strchr("\"<>\\^`|", s.p[i]))
            return false;
        if (s.p[i] != '{')
            continue;
        close = str_find_char(s, '}', i + 1);
        if (close <= (ptrdiff_t)i + 1)
            return false;
        for (size_t k = i + 1; k < (size_t)close; k++)
            if (!ascii_is_alpha(s.p[k]) && !ascii_is_digit(s.p[k]) && (!s.p[k] || !strchr("+#./;?&=,!@|_%*:", s.p[k])))
                return false;
        i = (size_t)close;
    }
    return true;
}

/* --- others -------------------------------------------------------------------------------------------------------- */

static bool
is_uuid(struct str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? s.p[i] != '-' : ascii_hex_value(s.p[i]) < 0)
            return false;
    }
    return true;
}

static bool
is_json_pointer(struct str s)
{
    if (s.len && s.p[0] != '/')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '~' && (i + 1 == s.len || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
            return false;
    return true;
}

#define REGEX_TEXT_MAX 10000

static bool
is_regex(struct str s)
{
    struct regex *r = s.len <= REGEX_TEXT_MAX ? regex_new(s, 0, NULL) : NULL;

    regex_delete(r);
    return r != NULL;
}

/* #rgb, #rrggbb, a name of CSS 2. */
static bool
is_color(struct str s)
{
    static const char *const names[] = {
        "aqua", "black", "blue", "fuchsia", "gray", "green", "lime", "maroon", "navy", "olive", "orange", "purple", "red",
        "silver", "teal", "white", "yellow",
    };

    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(s, str_from_c(names[i])))
            return true;
    if ((s.len != 4 && s.len != 7) || s.p[0] != '#')
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (ascii_hex_value(s.p[i]) < 0)
            return false;
    return true;
}

static bool
is_utc_millisec(struct str s)
{
    bool has_digit = false;

    s = str_trim(s);
    take_char(&s, "+-");
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != ',')
            return false;
        has_digit |= ascii_is_digit(s.p[i]);
    }
    return has_digit;
}

static const struct { struct str name; bool (*check)(struct str s); } formats[] = {
    [FORMAT_NONE] = {{NULL, 0}, NULL},
#define FORMAT(id, name, check) [FORMAT_##id] = {STR_INIT(name), check},
#include "data/json_schema_formats.def"
#undef FORMAT
};

enum schema_format
schema_format_by_name(struct str name)
{
    for (size_t i = FORMAT_NONE + 1; i < COUNTOF(formats); i++)
        if (str_eq(formats[i].name, name))
            return (enum schema_format)i;
    return FORMAT_NONE;
}

bool
schema_format_check(enum schema_format f, struct str text)
{
    return f == FORMAT_NONE || formats[f].check(text);
}
