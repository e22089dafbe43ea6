/* num.c: numbers, sizes and durations from text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

/* Reads leading digits into *n and returns how many; 0 also when the value leaves 64 bits. */
static size_t
digits_value(struct str text, uint64_t *n)
{
    size_t i = 0;

    *n = 0;
    for (; i < text.len && ascii_is_digit(text.p[i]); i++)
        if (__builtin_mul_overflow(*n, (uint64_t)10, n) ||
            __builtin_add_overflow(*n, (uint64_t)(text.p[i] - '0'), n))
            return 0;
    return i;
}

bool
num_parse_u64(struct str text, uint64_t max, uint64_t *ret, struct err *err)
{
    uint64_t n;
    size_t used = digits_value(text, &n);

    if (used == 0 && text.len && ascii_is_digit(text.p[0]))
        return err_set(err, ERR_LIMIT, "'%.*s' is above %" PRIu64, STR_ARG(text), max);
    if (used == 0 || used != text.len)
        return err_set(err, ERR_SYNTAX, "expected a number, found '%.*s'", STR_ARG(text));
    if (n > max)
        return err_set(err, ERR_LIMIT, "'%.*s' is above %" PRIu64, STR_ARG(text), max);
    *ret = n;
    return true;
}

bool
num_parse_u32(struct str text, uint32_t max, uint32_t *ret, struct err *err)
{
    uint64_t n;

    if (!num_parse_u64(text, max, &n, err))
        return false;
    *ret = (uint32_t)n;
    return true;
}

bool
num_parse_i64(struct str text, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
    bool negative = text.len && text.p[0] == '-';
    struct str digits = negative || (text.len && text.p[0] == '+') ? str_skip(text, 1) : text;
    uint64_t n;
    int64_t value;

    if (!num_parse_u64(digits, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &n, NULL))
        return err_set(err, ERR_SYNTAX, "expected a whole number, found '%.*s'", STR_ARG(text));
    value = negative ? (int64_t)-n : (int64_t)n;
    if (value < min || value > max)
        return err_set(err, ERR_LIMIT, "'%.*s' is not within %" PRId64 " and %" PRId64, STR_ARG(text), min, max);
    *ret = value;
    return true;
}

bool
num_parse_hex(struct str text, uint64_t *ret, struct err *err)
{
    uint64_t n = 0;

    if (text.len == 0 || text.len > 16)
        return err_set(err, ERR_SYNTAX, "expected 1 to 16 hexadecimal digits, found '%.*s'", STR_ARG(text));
    for (size_t i = 0; i < text.len; i++) {
        int digit = ascii_hex_value(text.p[i]);
        if (digit < 0)
            return err_set(err, ERR_SYNTAX, "expected hexadecimal digits, found '%.*s'", STR_ARG(text));
        n = n << 4 | (unsigned)digit;
    }
    *ret = n;
    return true;
}

bool
num_parse_bool(struct str text, bool *ret, struct err *err)
{
    if (!str_eq_nocase(text, STR("true")) && !str_eq_nocase(text, STR("false")))
        return err_set(err, ERR_SYNTAX, "expected true or false, found '%.*s'", STR_ARG(text));
    *ret = text.len == 4;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static bool
unit_factor(const struct unit *units, size_t n, struct str name, uint64_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_from_c(units[i].name))) {
            *ret = units[i].factor;
            return true;
        }
    return false;
}

bool
num_parse_size(struct str text, uint64_t *ret_bytes, struct err *err)
{
    static const struct unit units[] = {
        {"", 1}, {"b", 1}, {"k", 1024}, {"kib", 1024}, {"kb", 1000}, {"m", 1 << 20}, {"mib", 1 << 20},
        {"mb", 1000000}, {"g", 1 << 30}, {"gib", 1 << 30}, {"gb", 1000000000},
    };
    uint64_t n, factor;
    size_t used = digits_value(text, &n);

    if (used == 0 || !unit_factor(units, COUNTOF(units), str_trim(str_skip(text, used)), &factor))
        return err_set(err, ERR_SYNTAX, "expected a size such as 64KiB, found '%.*s'", STR_ARG(text));
    if (__builtin_mul_overflow(n, factor, &n))
        return err_set(err, ERR_LIMIT, "'%.*s' is too large", STR_ARG(text));
    *ret_bytes = n;
    return true;
}

bool
num_parse_duration(struct str text, uint64_t *ret_ms, struct err *err)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    };
    struct str rest = text;
    uint64_t total = 0;

    do {
        uint64_t n, factor;
        size_t used = digits_value(rest, &n), name = 0;

        rest = str_skip(rest, used);
        while (name < rest.len && ascii_is_alpha(rest.p[name]))
            name++;
        if (used == 0 || !unit_factor(units, COUNTOF(units), str_sub(rest, 0, name), &factor) ||
            (name == 0 && used != text.len))
            return err_set(err, ERR_SYNTAX, "expected a duration such as 10s, found '%.*s'", STR_ARG(text));
        if (__builtin_mul_overflow(n, factor, &n) || __builtin_add_overflow(total, n, &total))
            return err_set(err, ERR_LIMIT, "'%.*s' is too long", STR_ARG(text));
        rest = str_skip(rest, name);
    } while (rest.len);
    *ret_ms = total;
    return true;
}

bool
num_parse_iso_duration(struct str text, uint64_t *ret_ms, struct err *err)
{
    struct str rest = str_skip(text, 1);
    uint64_t total = 0;
    bool in_time = false, any = false;

    if (text.len == 0 || text.p[0] != 'P')
        goto bad;
    while (rest.len) {
        uint64_t n, factor, fraction = 0, scale = 1;
        size_t used;

        if (rest.p[0] == 'T' && !in_time) {
            in_time = true;
            rest = str_skip(rest, 1);
            continue;
        }
        used = digits_value(rest, &n);
        rest = str_skip(rest, used);
        if (used == 0 || rest.len == 0)
            goto bad;
        if (rest.p[0] == '.' || rest.p[0] == ',') {
            for (rest = str_skip(rest, 1); rest.len && ascii_is_digit(rest.p[0]); rest = str_skip(rest, 1))
                if (scale < 1000000000) {
                    fraction = fraction * 10 + (uint64_t)(rest.p[0] - '0');
                    scale *= 10;
                }
            if (scale == 1 || rest.len == 0)
                goto bad;
        }
        switch (rest.p[0]) {
        case 'W': factor = 604800000; break;
        case 'D': factor = 86400000; break;
        case 'H': factor = 3600000; break;
        case 'M': factor = 60000; break;
        case 'S': factor = 1000; break;
        default: goto bad;
        }
        if ((rest.p[0] == 'W' || rest.p[0] == 'D') == in_time)
            goto bad;
        if (__builtin_mul_overflow(n, factor, &n) ||
            __builtin_add_overflow(total, n + fraction * factor / scale, &total))
            return err_set(err, ERR_LIMIT, "'%.*s' is too long", STR_ARG(text));
        rest = str_skip(rest, 1);
        any = true;
    }
    if (!any)
        goto bad;
    *ret_ms = total;
    return true;
bad:
    return err_set(err, ERR_SYNTAX, "expected an ISO 8601 duration such as PT30S, found '%.*s'", STR_ARG(text));
}
