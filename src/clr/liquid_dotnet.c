/* liquid_dotnet.c: dates, order, case and numbers of .NET for templates. A date keeps its ticks, and in `zone` its kind.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/liquid_dotnet.h"

#include "clr/datetime.h"
#include "clr/jtoken.h"
#include "clr/number_format.h"
#include "clr/number_parse.h"
#include "clr/text.h"

static struct liquid_date
now(struct liquid_run *run)
{
    return (struct liquid_date){ticks_from_unix_ns(run->wall_ns), KIND_LOCAL};
}

static bool
date_parse(struct liquid_run *run, struct str text, struct liquid_date *ret)
{
    struct moment m;

    if (!datetime_parse(text, now(run).ticks, &m))
        return false;
    *ret = (struct liquid_date){m.has_offset ? m.ticks - m.offset : m.ticks, m.has_offset ? KIND_LOCAL : m.kind};
    return true;
}

static bool
date_format(struct liquid_date d, struct str format, struct buf *to)
{
    struct moment m = {.ticks = d.ticks, .kind = (enum datetime_kind)d.zone};

    return datetime_format(to, &m, format);
}

static bool
json_date(struct str text, struct liquid_date *ret)
{
    struct value v;

    if (!json_read_date(text, &v))
        return false;
    *ret = (struct liquid_date){(int64_t)v.lo, (int64_t)v.hi};
    return true;
}

static int
compare(struct str a, struct str b)
{
    return text_compare_str(a, b, CURRENT_CULTURE);
}

static bool
parse_double(struct str text, double *ret)
{
    return number_parse_double(text, STYLE_NUMBER | STYLE_EXPONENT, ret) == NUMBER_OK;
}

static bool
parse_decimal(struct str text, struct decimal *ret)
{
    return number_parse_decimal(text, STYLE_NUMBER, ret) == NUMBER_OK;
}

static bool
decimal_text(struct decimal d, struct str format, struct buf *to)
{
    return format_decimal(to, d, format);
}

const struct liquid_dotnet liquid_dotnet = {
    .now = now, .date_parse = date_parse, .date_format = date_format, .json_date = json_date, .compare = compare,
    .upper = text_upper, .lower = text_lower, .is_white = text_is_white, .is_letter = text_is_letter,
    .is_digit = text_is_digit, .is_upper = text_is_upper, .parse_double = parse_double, .parse_decimal = parse_decimal,
    .format_decimal = decimal_text,
};
