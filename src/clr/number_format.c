/* number_format.c: numbers as text by .NET's standard and custom formats.
 *
 *     value -> struct number: digits d1 d2 d3 ... with the point after `point` of them
 *           -> standard(): one letter and a precision, or custom(): a picture of up to three sections
 * Every rounding is half away from zero. Integers and decimals arrive with all their digits; a double arrives with the
 * digits its format asks for: exact ones for E F N P C, the 15 significant ones that .NET uses for pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/number_format.h"

#include <math.h>
#include <stdio.h>

#include "data/double_text.h"

enum number_kind { NUMBER_INTEGER, NUMBER_DECIMAL, NUMBER_FLOATING };

struct number {
    enum number_kind kind;
    bool negative;
    int point;
    uint32_t n;                       /* 0: zero */
    const char *digits;
};

/* A letter with its precision; -1: none given. */
struct standard {
    char letter;
    int precision;
};

/* More digits make it a custom format. */
#define PRECISION_DIGITS_MAX 2

static bool
read_standard(struct str format, struct standard *ret)
{
    int precision = -1;

    if (format.len == 0 || !ascii_is_alpha(format.p[0]) || format.len > 1 + PRECISION_DIGITS_MAX)
        return false;
    for (size_t i = 1; i < format.len; i++) {
        if (!ascii_is_digit(format.p[i]))
            return false;
        precision = (precision < 0 ? 0 : precision) * 10 + (format.p[i] - '0');
    }
    *ret = (struct standard){format.p[0], precision};
    return true;
}

/* Keeps the first `keep` digits in `room`, halves away from zero. */
static void
round_number(struct number *d, int64_t keep, char *room, size_t room_size)
{
    uint32_t n;
    bool up;

    if (keep >= (int64_t)d->n)
        return;
    n = keep > 0 ? (uint32_t)keep : 0;
    up = keep >= 0 && d->digits[n] >= '5';
    n = (uint32_t)MIN((size_t)n, room_size - 1);
    memmove(room, d->digits, n);
    if (up) {
        while (n && room[n - 1] == '9')
            n--;
        if (n) {
            room[n - 1]++;
        } else {
            room[0] = '1';
            n = 1;
            d->point++;
        }
    } else {
        while (n && room[n - 1] == '0')
            n--;
    }
    d->digits = room;
    d->n = n;
    if (n == 0) {
        d->point = 0;
        d->negative = false;
    }
}

static void
add_zeros(struct buf *to, int64_t n)
{
    static const char zeros[] = "00000000000000000000000000000000";

    for (; n > 0 && !to->failed; n -= 32)
        buf_add(to, zeros, (size_t)MIN(n, (int64_t)32));
}

/* The whole part, grouped by threes if asked, then `fraction` digits behind a point. */
static void
add_fixed(struct buf *to, const struct number *d, int64_t fraction, bool grouped)
{
    int64_t whole = d->n ? d->point : 0;
    uint32_t i = 0;

    if (whole <= 0)
        buf_add_char(to, '0');
    for (int64_t left = whole; left > 0 && !to->failed; left--) {
        buf_add_char(to, i < d->n ? d->digits[i++] : '0');
        if (grouped && left > 1 && left % 3 == 1)
            buf_add_char(to, ',');
    }
    if (fraction <= 0)
        return;
    buf_add_char(to, '.');
    int64_t zeros = d->n && d->point < 0 ? MIN((int64_t)-d->point, fraction) : 0;
    add_zeros(to, zeros);
    fraction -= zeros;
    int64_t left = MIN(fraction, (int64_t)(d->n - i));
    buf_add(to, d->digits + i, (size_t)left);
    add_zeros(to, fraction - left);
}

static void
add_exponent(struct buf *to, int exponent, char letter, int digits_min, bool positive_sign)
{
    buf_add_char(to, letter);
    if (exponent < 0)
        buf_add_char(to, '-');
    else if (positive_sign)
        buf_add_char(to, '+');
    buf_printf(to, "%0*d", digits_min, exponent < 0 ? -exponent : exponent);
}

static void
add_scientific(struct buf *to, const struct number *d, int digits, char letter, int exponent_digits)
{
    buf_add_char(to, d->n ? d->digits[0] : '0');
    if (digits > 1) {
        uint32_t have = d->n > 1 ? MIN(d->n - 1, (uint32_t)digits - 1) : 0;
        buf_add_char(to, '.');
        buf_add(to, d->digits + 1, have);
        add_zeros(to, digits - 1 - (int64_t)have);
    }
    add_exponent(to, d->n ? d->point - 1 : 0, letter, exponent_digits, true);
}

/* G: fixed while the exponent fits into `digits`, else scientific; no trailing zeros but a decimal's own. */
static void
add_general(struct buf *to, const struct number *d, int64_t digits, char letter)
{
    int point = d->n ? d->point : 1;

    if (d->n && (point > digits || point < -3)) {
        add_scientific(to, d, (int)d->n, letter, 2);
        return;
    }
    add_fixed(to, d, d->n ? MAX((int64_t)d->n - d->point, 0) : 0, false);
}

static bool
standard(struct buf *to, struct number d, struct standard f, char *room, size_t room_size)
{
    char letter = ascii_lower(f.letter);
    int precision = f.precision;

    switch (letter) {
    case 'c':
        precision = precision < 0 ? 2 : precision;
        round_number(&d, (int64_t)d.point + precision, room, room_size);
        buf_add_str(to, d.negative ? STR("(\u00a4") : STR("\u00a4"));
        add_fixed(to, &d, precision, true);
        if (d.negative)
            buf_add_char(to, ')');
        return true;
    case 'e':
        precision = precision < 0 ? 6 : precision;
        round_number(&d, (int64_t)precision + 1, room, room_size);
        if (d.negative)
            buf_add_char(to, '-');
        add_scientific(to, &d, precision + 1, f.letter, 3);
        return true;
    case 'f':
    case 'n':
        precision = precision < 0 ? 2 : precision;
        round_number(&d, (int64_t)d.point + precision, room, room_size);
        if (d.negative)
            buf_add_char(to, '-');
        add_fixed(to, &d, precision, letter == 'n');
        return true;
    case 'p':
        precision = precision < 0 ? 2 : precision;
        d.point += d.n ? 2 : 0;
        round_number(&d, (int64_t)d.point + precision, room, room_size);
        if (d.negative)
            buf_add_char(to, '-');
        add_fixed(to, &d, precision, true);
        buf_add_lit(to, " %");
        return true;
    case 'g':
        if (precision <= 0)
            precision = d.kind == NUMBER_INTEGER ? 20 : 29;
        round_number(&d, precision, room, room_size);
        if (d.negative)
            buf_add_char(to, '-');
        add_general(to, &d, precision, (char)(f.letter - ('g' - 'e')));
        return true;
    }
    return false;
}

/* --- pictures ------------------------------------------------------------------------------------------------------ */

/* One past the quoted text that begins at format[at] with its quote. */
static size_t
skip_quoted(struct str format, size_t at)
{
    ptrdiff_t end = str_find_char(format, format.p[at], at + 1);

    return end < 0 ? format.len : (size_t)end + 1;
}

/* Start of section `wanted` (1 negative, 2 zero), or 0 when it is missing or empty. */
static size_t
find_section(struct str format, int wanted)
{
    for (size_t i = 0; wanted && i < format.len;) {
        switch (format.p[i]) {
        case '\'':
        case '"': i = skip_quoted(format, i); continue;
        case '\\': i += 2; continue;
        case ';':
            if (--wanted == 0)
                return i + 1 < format.len && format.p[i + 1] != ';' ? i + 1 : 0;
        }
        i++;
    }
    return 0;
}

static bool
is_permille(struct str format, size_t i)
{
    return format.len - i >= 3 && memcmp(format.p + i, "\u2030", 3) == 0;
}

/* What a section asks for. Positions count digit places from its left. */
struct picture {
    int places, point, first_zero, last_zero, scale;
    bool scientific, grouped;
};

/* "0", "+0", "-0" behind an E. */
static bool
is_exponent(struct str format, size_t i)
{
    char next = i + 1 < format.len ? format.p[i + 1] : '\0';

    return next == '0' || ((next == '+' || next == '-') && i + 2 < format.len && format.p[i + 2] == '0');
}

static struct picture
read_picture(struct str format, size_t section)
{
    struct picture p = {.point = -1, .first_zero = INT32_MAX};
    int comma = -1, commas = 0;

    for (size_t i = section; i < format.len && format.p[i] != ';'; i++) {
        switch (format.p[i]) {
        case '#': p.places++; break;
        case '0':
            if (p.first_zero == INT32_MAX)
                p.first_zero = p.places;
            p.last_zero = ++p.places;
            break;
        case '.':
            if (p.point < 0)
                p.point = p.places;
            break;
        case ',':
            if (p.places == 0 || p.point >= 0)
                break;
            if (comma >= 0 && comma == p.places) {
                commas++;
                break;
            }
            p.grouped |= comma >= 0;
            comma = p.places;
            commas = 1;
            break;
        case '%': p.scale += 2; break;
        case '\xe2': p.scale += is_permille(format, i) ? 3 : 0; break;
        case '\'':
        case '"': i = skip_quoted(format, i) - 1; break;
        case '\\': i++; break;
        case 'E':
        case 'e':
            if (is_exponent(format, i)) {
                p.scientific = true;
                for (i++; i + 1 < format.len && format.p[i + 1] == '0';)
                    i++;
            }
        }
    }
    if (p.point < 0)
        p.point = p.places;
    if (comma >= 0) {
        if (comma == p.point)
            p.scale -= commas * 3;
        else
            p.grouped = true;
    }
    return p;
}

/* The pen that writes digits into a picture. */
struct pen {
    struct buf *to;
    const struct number *number;
    uint32_t used;                    /* digits written */
    int place;                        /* digit places left before the point; negative behind it */
    bool grouped;
};

static void
pen_write(struct pen *pen, char c)
{
    buf_add_char(pen->to, c);
    if (pen->grouped && pen->place > 1 && pen->place % 3 == 1)
        buf_add_char(pen->to, ',');
}

static char
pen_next_digit(struct pen *pen)
{
    return pen->used < pen->number->n ? pen->number->digits[pen->used++] : '\0';
}

/* An E in a picture and what belongs to it; returns the last index used. */
static size_t
add_picture_exponent(struct buf *to, struct str format, size_t i, const struct number *d, const struct picture *p, bool *done)
{
    char letter = format.p[i];
    bool signed_plus = false;
    int digits = 0;

    if (!is_exponent(format, i) || *done) {
        buf_add_char(to, letter);
        if (*done) { /* a second exponent is literal */
            if (i + 1 < format.len && (format.p[i + 1] == '+' || format.p[i + 1] == '-'))
                buf_add_char(to, format.p[++i]);
            while (i + 1 < format.len && format.p[i + 1] == '0')
                buf_add_char(to, format.p[++i]);
        }
        return i;
    }
    if (format.p[i + 1] != '0')
        signed_plus = format.p[++i] == '+';
    while (i + 1 < format.len && format.p[i + 1] == '0') {
        i++;
        digits++;
    }
    add_exponent(to, d->n ? d->point - p->point : 0, letter, MIN(digits, 10), signed_plus);
    *done = true;
    return i;
}

static void
draw(struct buf *to, struct str format, size_t section, const struct number *d, const struct picture *p)
{
    int first = p->first_zero < p->point ? p->point - p->first_zero : 0;
    int last = p->last_zero > p->point ? p->point - p->last_zero : 0;
    int place = p->scientific ? p->point : MAX(d->point, p->point);
    int ahead = p->scientific ? 0 : d->point - p->point; /* digits before (or zeros behind) the first place */
    struct pen pen = {to, d, 0, place, p->grouped};
    bool point_written = false, exponent_written = !p->scientific;

    for (size_t i = section; i < format.len && format.p[i] != ';' && !to->failed; i++) {
        char c = format.p[i], digit;

        if (c == '#' || c == '0' || c == '.')
            for (; ahead > 0; ahead--, pen.place--) {
                digit = pen_next_digit(&pen);
                pen_write(&pen, digit ? digit : '0');
            }
        switch (c) {
        case '#':
        case '0':
            if (ahead < 0) {
                ahead++;
                digit = pen.place <= first ? '0' : '\0';
            } else {
                digit = pen_next_digit(&pen);
                if (!digit && pen.place > last)
                    digit = '0';
            }
            if (digit)
                pen_write(&pen, digit);
            pen.place--;
            break;
        case '.':
            if (pen.place == 0 && !point_written && (last < 0 || (p->point < p->places && pen.used < d->n))) {
                buf_add_char(to, '.');
                point_written = true;
            }
            break;
        case ',': break;
        case '\'':
        case '"': {
            size_t end = skip_quoted(format, i);
            bool closed = end > i + 1 && format.p[end - 1] == c;
            buf_add_str(to, str_sub(format, i + 1, end - closed));
            i = end - 1;
            break;
        }
        case '\\':
            if (i + 1 < format.len)
                buf_add_char(to, format.p[++i]);
            break;
        case 'E':
        case 'e': i = add_picture_exponent(to, format, i, d, p, &exponent_written); break;
        default: buf_add_char(to, c);
        }
    }
}

static void
custom(struct buf *to, struct number d, struct str format, char *room, size_t room_size)
{
    size_t section = find_section(format, d.n == 0 ? 2 : d.negative ? 1 : 0);
    struct picture p = read_picture(format, section);
    struct number rounded = d;

    if (d.n) {
        rounded.point += p.scale;
        round_number(&rounded, p.scientific ? p.places : (int64_t)rounded.point + p.places - p.point, room, room_size);
        if (rounded.n == 0) {
            size_t zero = find_section(format, 2);
            if (zero != section) {
                section = zero;
                p = read_picture(format, section);
            }
        }
    }
    if (rounded.n == 0) {
        rounded.point = 0;
        rounded.negative = false;
    }
    if (rounded.negative && section == 0)
        buf_add_char(to, '-');
    draw(to, format, section, &rounded, &p);
}

/* --- the entries --------------------------------------------------------------------------------------------------- */

static bool
add_hex(struct buf *to, uint64_t n, unsigned bits, struct standard f)
{
    int digits;

    if (bits < 64)
        n &= ((uint64_t)1 << bits) - 1;
    digits = n ? (67 - __builtin_clzll(n)) / 4 : 1;
    add_zeros(to, (int64_t)f.precision - digits);
    buf_printf(to, f.letter == 'X' ? "%" PRIX64 : "%" PRIx64, n);
    return true;
}

static bool
format_integer(struct buf *to, bool negative, uint64_t magnitude, uint64_t raw, unsigned bits, struct str format)
{
    char digits[24], room[32];
    int n;
    struct standard f;
    struct number d;

    if (format.len == 0) {
        if (negative)
            buf_add_char(to, '-');
        buf_add_u64(to, magnitude);
        return true;
    }
    n = magnitude ? snprintf(digits, sizeof(digits), "%" PRIu64, magnitude) : 0;
    d = (struct number){NUMBER_INTEGER, negative, n, (uint32_t)n, digits};
    if (!read_standard(format, &f)) {
        custom(to, d, format, room, sizeof(room));
        return true;
    }
    switch (ascii_lower(f.letter)) {
    case 'x': return add_hex(to, raw, bits, f);
    case 'd':
        if (negative)
            buf_add_char(to, '-');
        add_zeros(to, (int64_t)f.precision - MAX(n, 1));
        buf_add_u64(to, magnitude);
        return true;
    default: return standard(to, d, f, room, sizeof(room));
    }
}

bool
format_i64(struct buf *to, int64_t n, unsigned bits, struct str format)
{
    return format_integer(to, n < 0, n < 0 ? -(uint64_t)n : (uint64_t)n, (uint64_t)n, bits, format);
}

bool
format_u64(struct buf *to, uint64_t n, unsigned bits, struct str format)
{
    return format_integer(to, false, n, n, bits, format);
}

bool
format_decimal(struct buf *to, struct decimal value, struct str format)
{
    char digits[30], room[32], text[DECIMAL_TEXT_MAX];
    struct standard f;
    struct number d = {NUMBER_DECIMAL, value.negative, 0, 0, digits};
    size_t n = decimal_digits(value, digits);

    if (format.len == 0 || (read_standard(format, &f) && ascii_lower(f.letter) == 'g' && f.precision <= 0)) {
        n = decimal_to_text(value, text);
        return buf_add(to, text, n), true;
    }
    d.n = (uint32_t)n;
    d.point = (int)n - value.scale;
    d.negative &= n > 0;
    while (d.n && digits[d.n - 1] == '0')
        d.n--;
    if (read_standard(format, &f))
        return standard(to, d, f, room, sizeof(room));
    custom(to, d, format, room, sizeof(room));
    return true;
}

/* The digits that a standard format of a double starts from: as many as a double is sure to keep, so that 2.675 rounds to 2.68; a few
 * more where E or G asks for them. */
static void
digits_for(double value, bool is_float, struct standard f, struct double_digits *ret)
{
    int sure = is_float ? 7 : 15, letter = ascii_lower(f.letter);
    bool wants_more = (letter == 'e' && f.precision > sure - 1) || (letter == 'g' && f.precision > sure);

    double_digits_significant(value, wants_more ? sure + 2 : sure, ret);
}

static bool
format_floating(struct buf *to, double value, bool is_float, struct str format)
{
    char text[DOUBLE_TEXT_MAX], room[DOUBLE_DIGITS_MAX];
    struct double_digits digits;
    struct standard f = {'G', -1};
    struct number d = {NUMBER_FLOATING, signbit(value) != 0, 0, 0, digits.digits};
    bool is_standard = format.len == 0 || read_standard(format, &f);
    char letter = ascii_lower(f.letter);

    if (is_standard && !strchr("cefgnpr", letter))
        return false;
    if (!isfinite(value) || (is_standard && (letter == 'r' || (letter == 'g' && f.precision <= 0)))) {
        size_t n = is_float ? float_to_text((float)value, text) : double_to_text(value, text);
        char *e = f.letter == 'g' && isfinite(value) ? memchr(text, 'E', n) : NULL;
        if (e)
            *e = 'e';
        return buf_add(to, text, n), true;
    }
    if (is_standard)
        digits_for(value, is_float, f, &digits);
    else
        double_digits_significant(value, is_float ? 7 : 15, &digits);
    d.point = digits.point;
    d.n = digits.n;
    d.negative &= d.n > 0;
    if (is_standard)
        return standard(to, d, f, room, sizeof(room));
    custom(to, d, format, room, sizeof(room));
    return true;
}

bool
format_double(struct buf *to, double value, struct str format)
{
    return format_floating(to, value, false, format);
}

bool
format_float(struct buf *to, float value, struct str format)
{
    return format_floating(to, (double)value, true, format);
}
