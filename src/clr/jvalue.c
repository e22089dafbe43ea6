/* jvalue.c: what a JValue holds, how it compares, and how it becomes other types: the explicit operators of JToken.
 *
 * Conversions are System.Convert's under the invariant culture, behind Newtonsoft's table of what may become what.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jtoken.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/codec.h"
#include "clr/datetime.h"
#include "clr/guid.h"
#include "clr/number_parse.h"
#include "clr/uri.h"
#include "clr/values.h"

#define BIT(type) (1u << JTYPE_##type)

/* ---- making ---- */

/* The JTokenType of a value type, or JTYPE_NONE. */
static enum jtype
jtype_of(const struct type *type)
{
    static const struct { struct str name; enum jtype type; } named[] = {
        {STR_INIT("System.DateTime"), JTYPE_DATE}, {STR_INIT("System.DateTimeOffset"), JTYPE_DATE},
        {STR_INIT("System.Guid"), JTYPE_GUID},     {STR_INIT("System.TimeSpan"), JTYPE_TIMESPAN},
        {STR_INIT("System.Uri"), JTYPE_URI},       {STR_INIT("System.Numerics.BigInteger"), JTYPE_INTEGER},
    };

    switch (type->kind) {
    case TYPE_SBYTE: case TYPE_BYTE: case TYPE_SHORT: case TYPE_USHORT: case TYPE_INT: case TYPE_UINT: case TYPE_LONG:
    case TYPE_ULONG: case TYPE_ENUM:
        return JTYPE_INTEGER;
    case TYPE_FLOAT: case TYPE_DOUBLE: case TYPE_DECIMAL: return JTYPE_FLOAT;
    case TYPE_BOOL: return JTYPE_BOOLEAN;
    case TYPE_STRING: return JTYPE_STRING;
    case TYPE_ARRAY: return type->args[0]->kind == TYPE_BYTE && type->rank <= 1 ? JTYPE_BYTES : JTYPE_NONE;
    default: break;
    }
    for (size_t i = 0; i < COUNTOF(named); i++)
        if (str_eq(type->full_name, named[i].name))
            return named[i].type;
    return JTYPE_NONE;
}

struct jvalue *
jvalue_new(struct call *c, const struct type *value_type, struct value v)
{
    struct jvalue *j = object_new(c, jtoken_type(c, JTYPE_STRING), struct jvalue);

    if (!j)
        return NULL;
    j->t.type = (uint8_t)(value_type ? jtype_of(value_type) : JTYPE_NULL);
    j->value_type = value_type;
    j->v = v;
    return j;
}

struct jvalue *
jvalue_new_string(struct call *c, struct str text)
{
    struct string *s = string_new(c, text);

    return s ? jvalue_new(c, s->head.type, value_ref(s)) : NULL;
}

struct jvalue *
jvalue_from_object(struct call *c, struct object *o)
{
    if (!o)
        return jvalue_new(c, NULL, value_i64(0));
    if (jtype_of(o->type) != JTYPE_NONE)
        return jvalue_new(c, o->type, value_unbox(o));
    throw_argument(c, NULL, "Could not determine JSON object type for type %.*s.", STR_ARG(o->type->full_name));
    return NULL;
}

/* ---- dates in strings ---- */

/* n digits at *p, moved on; -1 when they are not all digits. */
static int
digits(const char **p, const char *end, int n)
{
    int value = 0;

    if (end - *p < n)
        return -1;
    for (int i = 0; i < n; i++, ++*p) {
        if (!ascii_is_digit(**p))
            return -1;
        value = value * 10 + (**p - '0');
    }
    return value;
}

static bool
is_char(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    ++*p;
    return true;
}

/* [.f{1,7}] */
static bool
read_fraction(const char **p, const char *end, int *ret)
{
    int n = 0;

    *ret = 0;
    if (!is_char(p, end, '.'))
        return true;
    for (; n < 7 && *p < end && ascii_is_digit(**p); n++, ++*p)
        *ret = *ret * 10 + (**p - '0');
    for (int i = n; i < 7; i++)
        *ret *= 10;
    return n > 0;
}

/* [Z | (+|-)hh[:]mm | (+|-)hh] and the end. Local time is UTC here. */
static bool
read_zone(const char *p, const char *end, int64_t *ticks, enum datetime_kind *kind)
{
    int sign, hours, minutes = 0;

    *kind = KIND_UNSPECIFIED;
    if (p == end)
        return true;
    *kind = KIND_UTC;
    if (*p == 'Z' || *p == 'z')
        return p + 1 == end;
    sign = *p == '+' ? 1 : *p == '-' ? -1 : 0;
    p++;
    if (!sign || (hours = digits(&p, end, 2)) < 0)
        return false;
    if (p < end) {
        is_char(&p, end, ':');
        if ((minutes = digits(&p, end, 2)) < 0)
            return false;
    }
    *kind = KIND_LOCAL;
    *ticks -= sign * (hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE);
    *ticks = MAX(MIN(*ticks, TICKS_MAX), 0);
    return p == end;
}

/* yyyy-MM-ddTHH:mm:ss[.f][zone] */
static bool
read_iso_date(const char *p, const char *end, struct value *ret)
{
    enum datetime_kind kind;
    struct civil t = {0};
    bool next_day;
    int64_t ticks;

    if ((t.year = digits(&p, end, 4)) < 1 || !is_char(&p, end, '-') || (t.month = digits(&p, end, 2)) < 1 ||
        t.month > 12 || !is_char(&p, end, '-') || (t.day = digits(&p, end, 2)) < 1 ||
        t.day > days_in_month(t.year, t.month) || !is_char(&p, end, 'T'))
        return false;
    if ((t.hour = digits(&p, end, 2)) < 0 || t.hour > 24 || !is_char(&p, end, ':') ||
        (t.minute = digits(&p, end, 2)) < 0 || t.minute > 59 || !is_char(&p, end, ':') ||
        (t.second = digits(&p, end, 2)) < 0 || t.second > 59 || !read_fraction(&p, end, &t.fraction))
        return false;
    next_day = t.hour == 24;
    if (next_day && (t.minute || t.second || t.fraction))
        return false;
    t.hour = next_day ? 0 : t.hour;
    if (!ticks_from_civil(&t, &ticks))
        return false;
    ticks += next_day ? TICKS_PER_DAY : 0;
    if (!read_zone(p, end, &ticks, &kind) || ticks > TICKS_MAX)
        return false;
    *ret = value_datetime(ticks, kind);
    return true;
}

/* /Date(1234567890123[+0200])/ : milliseconds since 1970; an offset makes it local time. */
static bool
read_microsoft_date(struct str text, struct value *ret)
{
    struct str inside = str_sub(text, 6, text.len - 2);
    enum datetime_kind kind = KIND_UTC;
    int64_t ms, ticks;

    for (size_t i = 1; i < inside.len; i++) {
        if (inside.p[i] == '+' || inside.p[i] == '-') {
            kind = KIND_LOCAL;
            inside.len = i;
        }
    }
    if (number_parse_i64(inside, STYLE_LEADING_SIGN, INT64_MIN / 20000, INT64_MAX / 20000, &ms) != NUMBER_OK)
        return false;
    ticks = TICKS_UNIX_EPOCH + ms * TICKS_PER_MS;
    if (ticks < 0 || ticks > TICKS_MAX)
        return false;
    *ret = value_datetime(ticks, kind);
    return true;
}

bool
json_read_date(struct str text, struct value *ret)
{
    if (text.len < 9 || text.len > 40)
        return false;
    if (text.p[0] == '/')
        return str_starts_with(text, STR("/Date(")) && str_ends_with(text, STR(")/")) && read_microsoft_date(text, ret);
    return text.len >= 19 && text.p[10] == 'T' && ascii_is_digit(text.p[0]) &&
           read_iso_date(text.p, text.p + text.len, ret);
}

/* ---- numbers ---- */

static bool
overflow(struct call *c, const struct type *to)
{
    static const char *const names[] = {
        [TYPE_SBYTE] = "a signed byte", [TYPE_BYTE] = "an unsigned byte", [TYPE_SHORT] = "an Int16",
        [TYPE_USHORT] = "a UInt16", [TYPE_INT] = "an Int32", [TYPE_UINT] = "a UInt32", [TYPE_LONG] = "an Int64",
        [TYPE_ULONG] = "a UInt64", [TYPE_CHAR] = "a character", [TYPE_DECIMAL] = "a Decimal",
        [TYPE_DOUBLE] = "a Double", [TYPE_FLOAT] = "a Single",
    };
    return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small for %s.", names[to->kind]);
}

static bool
bad_format(struct call *c)
{
    return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
}

/* The range of an integral type. ulong is handled apart. */
static void
range_of(enum type_kind kind, int64_t *min, int64_t *max)
{
    switch (kind) {
    case TYPE_SBYTE: *min = INT8_MIN; *max = INT8_MAX; return;
    case TYPE_BYTE: *min = 0; *max = UINT8_MAX; return;
    case TYPE_SHORT: *min = INT16_MIN; *max = INT16_MAX; return;
    case TYPE_USHORT: case TYPE_CHAR: *min = 0; *max = UINT16_MAX; return;
    case TYPE_INT: *min = INT32_MIN; *max = INT32_MAX; return;
    case TYPE_UINT: *min = 0; *max = UINT32_MAX; return;
    default: *min = INT64_MIN; *max = INT64_MAX; return;
    }
}

static bool
is_big(const struct jvalue *v)
{
    return v->value_type->kind == TYPE_CLASS && v->t.type == JTYPE_INTEGER;
}

static double
big_to_double(const struct jvalue *v)
{
    struct string *s = (struct string *)v->v.ref;
    struct json j = {.kind = JSON_NUMBER, .n = s->size, {.p = s->p}};

    return json_double(&j, 0);
}

/* A number as a double; text is parsed. */
static bool
to_double(struct call *c, struct jvalue *v, double *ret)
{
    switch (v->value_type->kind) {
    case TYPE_DOUBLE: *ret = v->v.f64; return true;
    case TYPE_FLOAT: *ret = v->v.f32; return true;
    case TYPE_DECIMAL: *ret = decimal_to_double(value_decimal(v->v)); return true;
    case TYPE_ULONG: *ret = (double)v->v.u64; return true;
    case TYPE_STRING:
        return number_parse_double(string_str((struct string *)v->v.ref), STYLE_FLOAT_THOUSANDS, ret) == NUMBER_OK ||
               bad_format(c);
    default:
        *ret = is_big(v) ? big_to_double(v) : (double)v->v.i64;
        return true;
    }
}

static bool
to_decimal(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    enum number_status parsed = NUMBER_OK;
    enum decimal_status status = DECIMAL_OK;
    struct decimal d;

    switch (v->value_type->kind) {
    case TYPE_DOUBLE: status = decimal_from_double(v->v.f64, &d); break;
    case TYPE_FLOAT: status = decimal_from_float(v->v.f32, &d); break;
    case TYPE_DECIMAL: *ret = v->v; return true;
    case TYPE_ULONG: d = decimal_from_u64(v->v.u64); break;
    case TYPE_STRING: parsed = number_parse_decimal(string_str((struct string *)v->v.ref), STYLE_NUMBER, &d); break;
    default:
        if (is_big(v))
            parsed = number_parse_decimal(string_str((struct string *)v->v.ref), STYLE_NUMBER, &d);
        else
            d = decimal_from_i64(v->v.i64);
    }
    if (parsed == NUMBER_FORMAT)
        return bad_format(c);
    if (parsed != NUMBER_OK || status != DECIMAL_OK)
        return overflow(c, to);
    *ret = value_from_decimal(d);
    return true;
}

static bool
double_to_integer(struct call *c, double d, const struct type *to, struct value *ret)
{
    int64_t min, max;
    double r = rint(d);

    if (to->kind == TYPE_ULONG) {
        if (!(r >= 0 && r < 0x1p64))
            return overflow(c, to);
        *ret = (struct value){.lo = (uint64_t)r};
        return true;
    }
    range_of(to->kind, &min, &max);
    if (!(r >= -0x1p63 && r < 0x1p63) || (int64_t)r < min || (int64_t)r > max)
        return overflow(c, to);
    *ret = value_i64((int64_t)r);
    return true;
}

static bool
text_to_integer(struct call *c, struct str text, const struct type *to, struct value *ret)
{
    enum number_status status;
    int64_t min, max, n;

    if (to->kind == TYPE_ULONG) {
        uint64_t u;
        status = number_parse_u64(text, STYLE_INTEGER, UINT64_MAX, &u);
        *ret = (struct value){.lo = u};
    } else {
        range_of(to->kind, &min, &max);
        status = number_parse_i64(text, STYLE_INTEGER, min, max, &n);
        *ret = value_i64(n);
    }
    if (status == NUMBER_FORMAT)
        return bad_format(c);
    return status == NUMBER_OK || overflow(c, to);
}

static bool
to_integer(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    int64_t min, max, n = v->v.i64;
    struct decimal d;

    switch (v->value_type->kind) {
    case TYPE_STRING: return text_to_integer(c, string_str((struct string *)v->v.ref), to, ret);
    case TYPE_DOUBLE: return double_to_integer(c, v->v.f64, to, ret);
    case TYPE_FLOAT: return double_to_integer(c, v->v.f32, to, ret);
    case TYPE_DECIMAL:
        d = decimal_round(value_decimal(v->v), 0, ROUND_TO_EVEN);
        if (to->kind == TYPE_ULONG ? !decimal_to_u64(d, &ret->lo) : !decimal_to_i64(d, &n))
            return overflow(c, to);
        if (to->kind == TYPE_ULONG)
            return true;
        break;
    case TYPE_ULONG:
        if (to->kind == TYPE_ULONG || v->v.u64 <= INT64_MAX)
            break;
        return overflow(c, to);
    default:
        if (is_big(v))
            return text_to_integer(c, string_str((struct string *)v->v.ref), to, ret);
    }
    range_of(to->kind, &min, &max);
    if (n < min || n > max || (to->kind == TYPE_ULONG && n < 0 && v->value_type->kind != TYPE_ULONG))
        return overflow(c, to);
    *ret = value_i64(n);
    return true;
}

/* ---- other types ---- */

static bool
to_bool(struct call *c, struct jvalue *v, struct value *ret)
{
    struct str text;
    double d;

    if (is_big(v))                       /* goes by way of an int, which none of them fits */
        return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small for an Int32.");
    if (v->value_type->kind != TYPE_STRING) {
        if (!to_double(c, v, &d))
            return false;
        *ret = value_bool(v->value_type->kind == TYPE_BOOL ? v->v.i64 : d != 0);
        return true;
    }
    text = str_trim(string_str((struct string *)v->v.ref));
    *ret = value_bool(str_eq_nocase(text, STR("true")));
    return ret->i64 || str_eq_nocase(text, STR("false")) ||
           call_throw(c, EXC_FORMAT, "String was not recognized as a valid Boolean.");
}

static bool
to_text(struct call *c, struct jvalue *v, struct value *ret)
{
    struct string *s;

    if (v->t.type == JTYPE_BYTES) {
        struct array *a = (struct array *)v->v.ref;
        struct buf b = call_buf(c);
        codec_base64_encode(&b, str_from((const char *)a->u.bytes, a->n));
        s = string_from_buf(c, &b);
        *ret = value_ref(s);
        return s != NULL;
    }
    if (!value_to_string(c, v->value_type, v->v, STR_NONE, &s))
        return false;
    *ret = value_ref(s);
    return true;
}

static int64_t
now_ticks(struct call *c)
{
    return ticks_from_unix_ns(c->run->wall_ns ? c->run->wall_ns(c->run) : clock_wall_ns(NULL));
}

static bool
to_date(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    bool wants_offset = str_eq_lit(to->full_name, "System.DateTimeOffset");
    struct moment m;

    if (v->value_type->kind == TYPE_STRING) {
        if (!datetime_parse(string_str((struct string *)v->v.ref), now_ticks(c), &m))
            return call_throw(c, EXC_FORMAT, "String was not recognized as a valid DateTime.");
        if (wants_offset)
            *ret = value_datetime_offset(m.ticks - (m.has_offset ? m.offset : 0), m.has_offset ? m.offset : 0);
        else
            *ret = value_datetime(m.ticks - (m.has_offset ? m.offset : 0), m.has_offset ? KIND_LOCAL : m.kind);
        return true;
    }
    if (v->value_type == to)
        *ret = v->v;
    else if (wants_offset)
        *ret = value_datetime_offset(v->v.i64, 0);
    else
        *ret = value_datetime(v->v.i64 + (int64_t)v->v.hi, KIND_UNSPECIFIED);
    return true;
}

static bool
to_guid(struct call *c, struct jvalue *v, struct value *ret)
{
    uint8_t guid[16];

    if (v->t.type == JTYPE_BYTES) {
        struct array *a = (struct array *)v->v.ref;
        if (a->n != 16)
            return throw_argument(c, NULL, "Byte array for GUID must be exactly 16 bytes long.");
        guid_swap(a->u.bytes, guid);
        *ret = value_guid(guid);
        return true;
    }
    if (v->value_type->kind != TYPE_STRING) {
        *ret = v->v;
        return true;
    }
    if (!guid_parse(str_trim(string_str((struct string *)v->v.ref)), guid))
        return call_throw(c, EXC_FORMAT, "Guid should contain 32 digits with 4 dashes "
                                         "(xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).");
    *ret = value_guid(guid);
    return true;
}

static bool
to_time_span(struct call *c, struct jvalue *v, struct value *ret)
{
    int64_t ticks;

    if (v->value_type->kind != TYPE_STRING) {
        *ret = v->v;
        return true;
    }
    switch (timespan_parse(string_str((struct string *)v->v.ref), &ticks)) {
    case TIMESPAN_OK: *ret = value_i64(ticks); return true;
    case TIMESPAN_FORMAT: break;
    case TIMESPAN_OVERFLOW:
        return call_throw(c, EXC_OVERFLOW, "The TimeSpan could not be parsed because at least one of the numeric "
                                           "components is out of range or contains too many digits.");
    }
    return bad_format(c);
}

static bool
to_bytes(struct call *c, struct jvalue *v, struct value *ret)
{
    struct buf b = call_buf(c);
    struct err err;

    if (v->t.type == JTYPE_BYTES) {
        *ret = v->v;
        return true;
    }
    if (v->value_type->kind != TYPE_STRING)
        return throw_argument(c, NULL, "Can not convert Integer to byte array.");
    if (!codec_base64_decode_blanks(&b, string_str((struct string *)v->v.ref), &err))
        return call_throw(c, EXC_FORMAT,
                          "The input is not a valid Base-64 string as it contains a non-base 64 character, more than "
                          "two padding characters, or an illegal character among the padding characters.");
    struct array *a = array_of_bytes(c, b.p, (uint32_t)b.len);
    *ret = value_ref(a);
    return a != NULL;
}

static bool
to_char(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    struct string *s = (struct string *)v->v.ref;

    if (v->t.type == JTYPE_FLOAT)
        return call_throw(c, EXC_INVALID_CAST, "Invalid cast from 'Double' to 'Char'.");
    if (v->value_type->kind != TYPE_STRING)
        return to_integer(c, v, to, ret);
    if (s->units != 1)
        return call_throw(c, EXC_FORMAT, "String must be exactly one character long.");
    *ret = value_i64(string_unit(c, s, 0));
    return ret->i64 >= 0;
}

static bool
to_uri(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    if (v->value_type == to)
        *ret = v->v;
    else
        *ret = value_ref(uri_new(c, to, string_str((struct string *)v->v.ref)));
    return ret->ref != NULL;
}

/* Value<T>(): a token that is a T already, else System.Convert.ChangeType on what the JValue holds. */
static bool
is_convertible(const struct jvalue *v, const struct type *to)
{
    bool is_date = str_eq_lit(to->full_name, "System.DateTime");

    if (v->value_type->kind == TYPE_STRUCT)
        return str_eq_lit(v->value_type->full_name, "System.DateTime") && (to->kind == TYPE_STRING || is_date);
    if (to->kind == TYPE_CHAR && (v->t.type == JTYPE_FLOAT || v->t.type == JTYPE_BOOLEAN))
        return false;
    if (is_date)
        return v->value_type->kind == TYPE_STRING;
    return v->value_type->kind != TYPE_CLASS && v->value_type->kind != TYPE_ARRAY && to->kind != TYPE_STRUCT &&
           to->kind != TYPE_CLASS && to->kind != TYPE_ARRAY && to->kind != TYPE_INTERFACE;
}

/* ---- the table of conversions ---- */

enum {
    FROM_TEXT = BIT(STRING) | BIT(COMMENT) | BIT(RAW),
    FROM_NUMBERS = BIT(INTEGER) | BIT(FLOAT) | BIT(BOOLEAN) | FROM_TEXT,
};

static uint32_t
sources_of(const struct type *to)
{
    switch (to->kind) {
    case TYPE_STRING: return FROM_NUMBERS | BIT(DATE) | BIT(BYTES) | BIT(GUID) | BIT(TIMESPAN) | BIT(URI);
    case TYPE_CHAR: return BIT(INTEGER) | BIT(FLOAT) | FROM_TEXT;
    case TYPE_ARRAY: return BIT(BYTES) | BIT(INTEGER) | FROM_TEXT;
    case TYPE_STRUCT:
        if (str_eq_lit(to->full_name, "System.Guid"))
            return BIT(GUID) | BIT(BYTES) | FROM_TEXT;
        return (str_eq_lit(to->full_name, "System.TimeSpan") ? BIT(TIMESPAN) : BIT(DATE)) | FROM_TEXT;
    case TYPE_CLASS: return BIT(URI) | FROM_TEXT;
    default: return FROM_NUMBERS;
    }
}

static const char *
type_name(const struct type *to)
{
    static const char *const names[] = {
        [TYPE_BOOL] = "Boolean", [TYPE_CHAR] = "Char", [TYPE_SBYTE] = "SByte", [TYPE_BYTE] = "Byte",
        [TYPE_SHORT] = "Int16", [TYPE_USHORT] = "UInt16", [TYPE_INT] = "Int32", [TYPE_UINT] = "UInt32",
        [TYPE_LONG] = "Int64", [TYPE_ULONG] = "UInt64", [TYPE_FLOAT] = "Single", [TYPE_DOUBLE] = "Double",
        [TYPE_DECIMAL] = "Decimal", [TYPE_STRING] = "String", [TYPE_ARRAY] = "byte array",
    };
    if (to->kind < COUNTOF(names) && names[to->kind])
        return names[to->kind];
    return to->full_name.p + sizeof("System.") - 1;
}

const char *
jtype_name(enum jtype type)
{
    static const char *const names[] = {
        "None", "Object", "Array", "Constructor", "Property", "Comment", "Integer", "Float", "String", "Boolean",
        "Null", "Undefined", "Date", "Raw", "Bytes", "Guid", "Uri", "TimeSpan",
    };
    return names[type];
}

static bool
convert(struct call *c, struct jvalue *v, const struct type *to, struct value *ret)
{
    double d;

    switch (to->kind) {
    case TYPE_BOOL: return to_bool(c, v, ret);
    case TYPE_CHAR: return to_char(c, v, to, ret);
    case TYPE_STRING: return to_text(c, v, ret);
    case TYPE_DOUBLE:
        if (!to_double(c, v, &d))
            return false;
        *ret = value_f64(d);
        return true;
    case TYPE_FLOAT:
        if (!to_double(c, v, &d))
            return false;
        *ret = value_f32((float)d);
        return true;
    case TYPE_DECIMAL: return to_decimal(c, v, to, ret);
    case TYPE_ARRAY: return to_bytes(c, v, ret);
    case TYPE_STRUCT:
        if (str_eq_lit(to->full_name, "System.Guid"))
            return to_guid(c, v, ret);
        return str_eq_lit(to->full_name, "System.TimeSpan") ? to_time_span(c, v, ret) : to_date(c, v, to, ret);
    case TYPE_CLASS: return to_uri(c, v, to, ret);
    default: return to_integer(c, v, to, ret);
    }
}

/* A null token: of a nullable or a reference null, else an exception. */
static bool
cast_missing(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    if (type_is_kept_in_ref(to)) {
        *ret = value_ref(NULL);
        return true;
    }
    if (!t)
        return throw_argument_null(c, "value");
    return throw_argument(c, NULL, "Can not convert %s to %s.", jtype_name(jtoken_value(t)->t.type), type_name(to));
}

bool
jtoken_cast(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct type *plain = type_strip_nullable(to);
    struct jvalue *v = jtoken_value(t);
    enum jtype from;
    struct object *boxed;

    if (!t || (v && (v->t.type == JTYPE_NULL || v->t.type == JTYPE_UNDEFINED || !v->value_type)))
        return cast_missing(c, t, to, ret);
    from = v ? v->t.type : t->type == JTYPE_PROPERTY ? ((struct jproperty *)t)->value->type : t->type;
    if (!v || !(sources_of(plain) & 1u << from))
        return throw_argument(c, NULL, "Can not convert %s to %s.", jtype_name(from), type_name(plain));
    if (!convert(c, v, plain, ret))
        return false;
    if (plain == to)
        return true;
    if (!value_box(c, plain, *ret, &boxed))
        return false;
    *ret = value_ref(boxed);
    return true;
}

bool
jtoken_convert(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct type *plain = type_strip_nullable(to);
    struct jvalue *v = (struct jvalue *)t;
    struct object *boxed;

    *ret = value_i64(0);
    if (!t)
        return true;
    if (type_is_assignable(t->head.type, to)) {
        *ret = value_ref(t);
        return true;
    }
    if (jtoken_is_container(t) || t->type == JTYPE_PROPERTY)
        return call_throw(c, EXC_INVALID_CAST, "Cannot cast %.*s to Newtonsoft.Json.Linq.JToken.",
                          STR_ARG(t->head.type->full_name));
    if (!v->value_type)
        return type_is_kept_in_ref(to) ||
               call_throw(c, EXC_INVALID_CAST, "Null object cannot be converted to a value type.");
    if (v->value_type == plain)
        *ret = v->v;
    else if (!is_convertible(v, plain))
        return call_throw(c, EXC_INVALID_CAST, "Invalid cast from '%.*s' to '%.*s'.", STR_ARG(v->value_type->full_name),
                          STR_ARG(plain->full_name));
    else if (!convert(c, v, plain, ret))
        return false;
    if (plain == to || type_is_reference(plain))
        return true;
    if (!value_box(c, plain, *ret, &boxed))
        return false;
    *ret = value_ref(boxed);
    return true;
}

/* ---- comparing ---- */

static bool
is_date_offset(const struct jvalue *v)
{
    return str_eq_lit(v->value_type->full_name, "System.DateTimeOffset");
}

static int
sign_of(double x)
{
    return x < 0 ? -1 : x > 0;
}

/* Numbers of different types: exact for integers and decimals, through double when one is a double. */
static bool
compare_numbers(struct call *c, struct jvalue *a, struct jvalue *b, int *ret)
{
    const struct type *decimal = core_types(c->run->env)->decimal_;
    bool a_is_double = a->value_type->kind == TYPE_DOUBLE || a->value_type->kind == TYPE_FLOAT || is_big(a);
    bool b_is_double = b->value_type->kind == TYPE_DOUBLE || b->value_type->kind == TYPE_FLOAT || is_big(b);
    struct value x, y;
    double d, e;

    if (a_is_double || b_is_double) {
        if (!to_double(c, a, &d) || !to_double(c, b, &e))
            return false;
        *ret = isnan(d) ? (isnan(e) ? 0 : -1) : isnan(e) ? 1 : sign_of(d - e);
        return true;
    }
    if (!to_decimal(c, a, decimal, &x) || !to_decimal(c, b, decimal, &y))
        return false;
    *ret = decimal_compare(value_decimal(x), value_decimal(y));
    return true;
}

/* Values of two text-like types compare as text, ordinally. */
static bool
compare_as_text(struct call *c, struct jvalue *a, struct jvalue *b, int *ret)
{
    struct string *x, *y;

    if (!value_to_string(c, a->value_type, a->v, STR_NONE, &x) || !value_to_string(c, b->value_type, b->v, STR_NONE, &y))
        return false;
    *ret = str_cmp(string_str(x), string_str(y));
    return true;
}

bool
jvalue_compare(struct call *c, struct jvalue *a, struct jvalue *b, int *ret)
{
    bool a_is_null = !a || !a->value_type, b_is_null = !b || !b->value_type;
    struct value bv;

    if (a_is_null || b_is_null) {
        *ret = (int)b_is_null - (int)a_is_null;
        return true;
    }
    switch (a->t.type) {
    case JTYPE_INTEGER: case JTYPE_FLOAT:
        if (b->t.type != JTYPE_STRING && b->t.type != JTYPE_INTEGER && b->t.type != JTYPE_FLOAT && b->t.type != JTYPE_BOOLEAN)
            return call_throw(c, EXC_INVALID_CAST, "Unable to cast the value to a number.");
        return compare_numbers(c, a, b, ret);
    case JTYPE_BOOLEAN:
        if (!to_bool(c, b, &bv))
            return false;
        *ret = (int)(a->v.i64 - bv.i64);
        return true;
    case JTYPE_DATE:
        if (b->t.type != JTYPE_DATE && b->value_type->kind != TYPE_STRING)
            return throw_argument(c, NULL, "Object must be of type DateTime.");
        if (!to_date(c, b, a->value_type, &bv))
            return false;
        *ret = (a->v.i64 > bv.i64) - (a->v.i64 < bv.i64);
        return true;
    case JTYPE_STRING: case JTYPE_COMMENT: case JTYPE_RAW:
        return compare_as_text(c, a, b, ret);
    default:
        if (a->value_type != b->value_type)
            return throw_argument(c, NULL, "Object must be of type %s.", type_name(a->value_type));
        if (a->t.type == JTYPE_BYTES || a->t.type == JTYPE_URI)
            return compare_as_text(c, a, b, ret);
        return value_compare(c, a->value_type, a->v, b->v, ret);
    }
}

static bool
bytes_equal(const struct jvalue *a, const struct jvalue *b)
{
    const struct array *x = (struct array *)a->v.ref, *y = (struct array *)b->v.ref;

    return x->n == y->n && memcmp(x->u.bytes, y->u.bytes, x->n) == 0;
}

bool
jvalue_equals(struct call *c, struct jvalue *a, struct jvalue *b, bool *ret)
{
    int order = 1;

    *ret = a->t.type == b->t.type && !a->value_type && !b->value_type;
    if (a->t.type != b->t.type || !a->value_type || !b->value_type)
        return true;
    if (a->t.type == JTYPE_BYTES) {
        *ret = bytes_equal(a, b);
        return true;
    }
    if (a->t.type == JTYPE_DATE && is_date_offset(a) != is_date_offset(b))
        return true;
    if (a->t.type == JTYPE_FLOAT && a->value_type->kind == TYPE_DOUBLE && b->value_type->kind == TYPE_DOUBLE) {
        *ret = a->v.f64 == b->v.f64 || (isnan(a->v.f64) && isnan(b->v.f64));
        return true;
    }
    if (!jvalue_compare(c, a, b, &order))
        return false;
    *ret = order == 0;
    return true;
}
