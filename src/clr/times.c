/* times.c: what the families about time share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/times.h"

#include <math.h>

#include "clr/values.h"

bool
read_civil(struct call *c, uint32_t n, int64_t *ret_ticks)
{
    int64_t v[7] = {0};
    struct civil parts;

    for (uint32_t i = 0; i < n && i < 7; i++)
        v[i] = call_i32(c, i);
    if (v[3] < 0 || v[3] > 23 || v[4] < 0 || v[4] > 59 || v[5] < 0 || v[5] > 59)
        return throw_argument_range(c, NULL, "Hour, Minute, and Second parameters describe an un-representable DateTime.");
    if (v[6] < 0 || v[6] > 999)
        return throw_argument_range(c, "millisecond", "Valid values are between 0 and 999, inclusive.");
    parts = (struct civil){(int)v[0], (int)v[1], (int)v[2], (int)v[3], (int)v[4], (int)v[5], (int)(v[6] * TICKS_PER_MS)};
    if (!ticks_from_civil(&parts, ret_ticks))
        return throw_argument_range(c, NULL, "Year, Month, and Day parameters describe an un-representable DateTime.");
    return true;
}

bool
ticks_of_units(double n, int64_t unit, int64_t *ret)
{
    double whole = trunc(n);

    if (!(fabs(n) * (double)unit < 9.2233720368547758e18))
        return false;
    *ret = (int64_t)whole * unit + (int64_t)((n - whole) * (double)unit);
    return true;
}

bool
format_moment(struct call *c, const struct moment *m, struct str format, struct string **ret)
{
    struct buf b = call_buf(c);

    if (!datetime_format(&b, m, format))
        return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

bool
check_styles(struct call *c, uint64_t styles, bool is_offset)
{
    if (styles & ~(uint64_t)255)
        return throw_argument(c, is_offset ? "styles" : "style", "An undefined DateTimeStyles value is being used.");
    if ((styles & STYLES_ASSUME_LOCAL) && (styles & STYLES_ASSUME_UNIVERSAL))
        return throw_argument(c, is_offset ? "styles" : "style",
                              "The DateTimeStyles values AssumeLocal and AssumeUniversal cannot be used together.");
    if (is_offset && (styles & STYLES_NO_CURRENT_DATE))
        return throw_argument(c, "styles", "The DateTimeStyles value 'NoCurrentDateDefault' is not allowed when parsing DateTimeOffset.");
    if (!is_offset && (styles & STYLES_ROUNDTRIP) && (styles & (STYLES_ASSUME_LOCAL | STYLES_ASSUME_UNIVERSAL | STYLES_TO_UNIVERSAL)))
        return throw_argument(c, "style",
                              "The DateTimeStyles value RoundtripKind cannot be used with the values AssumeLocal, AssumeUniversal or "
                              "AdjustToUniversal.");
    return true;
}

bool
moment_to_datetime(const struct moment *m, uint64_t styles, struct value *ret)
{
    int64_t ticks = m->ticks - m->offset;
    enum datetime_kind kind = KIND_LOCAL; /* which is UTC */

    if (!m->has_offset && !(styles & (STYLES_ASSUME_LOCAL | STYLES_ASSUME_UNIVERSAL)))
        kind = KIND_UNSPECIFIED;
    else if ((styles & STYLES_TO_UNIVERSAL) || ((styles & STYLES_ROUNDTRIP) && m->is_utc_text))
        kind = KIND_UTC;
    if (ticks < 0 || ticks > TICKS_MAX)
        return false;
    *ret = value_datetime(ticks, kind);
    return true;
}

static bool
is_white(char ch)
{
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

bool
read_exact(struct call *c, struct str text, const struct object *formats, bool has_many, uint64_t styles, struct moment *ret)
{
    const struct array *list = (const struct array *)formats;
    int64_t now = styles & STYLES_NO_CURRENT_DATE ? 0 : clr_now_ticks(c);

    while ((styles & STYLES_LEADING_WHITE) && text.len && is_white(text.p[0]))
        text = str_skip(text, 1);
    while ((styles & STYLES_TRAILING_WHITE) && text.len && is_white(text.p[text.len - 1]))
        text.len--;
    if (!has_many)
        return datetime_parse_exact(text, string_str((const struct string *)formats), now, ret);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct string *format = (const struct string *)list->u.v[i].ref;
        if (format && format->size && datetime_parse_exact(text, string_str(format), now, ret))
            return true;
    }
    return false;
}

bool
value_text(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], c->n_args > 1 ? call_str(c, 1) : STR_NONE, &s) && return_ref(c, s);
}

bool
value_text_plain(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

bool
compare_with_boxed(struct call *c, const char *type_name)
{
    struct object *other = c->args[1].ref;
    int order = 0;

    if (!other)
        return return_i64(c, 1);
    if (other->type != c->owner)
        return throw_argument(c, NULL, "Object must be of type %s.", type_name);
    return ticks_compare(c, c->owner, c->args[0], value_unbox(other), &order) && return_i64(c, order);
}

bool
ticks_equal(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.i64 == b.i64;
    return true;
}

bool
ticks_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)(v.u64 ^ v.u64 >> 32);
    return true;
}

bool
ticks_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = a.i64 < b.i64 ? -1 : a.i64 > b.i64;
    return true;
}
