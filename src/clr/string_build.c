/* string_build.c: strings made of others: String.Concat, Join, Format, and composite formatting for everybody.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/format.h"
#include "clr/values.h"

bool
format_object(struct call *c, struct buf *to, struct object *o, struct str format)
{
    struct string *text;

    if (!o)
        return true;
    if (!value_to_string(c, o->type, value_unbox(o), format, &text))
        return false;
    if (text)
        buf_add_str(to, string_str(text));
    return !to->failed || call_exceed_buf(c, to);
}

struct object *const *
format_arguments(struct call *c, const struct array *args)
{
    struct object **objects = call_alloc(c, (args->n + 1) * sizeof(*objects));

    for (uint32_t i = 0; objects && i < args->n; i++)
        objects[i] = args->u.v[i].ref;
    return objects;
}

/* --- composite formats ----------------------------------------------------------------------------------------------- */

/* {index[,alignment][:format]} */
struct hole {
    uint32_t index;
    int32_t width;                    /* negative: to the left */
    struct str format;                /* braces still doubled */
    bool has_braces;
};

#define HOLE_NUMBER_MAX 1000000

static bool
read_hole_number(struct str s, size_t *at, int64_t *ret)
{
    size_t from = *at;

    for (*ret = 0; *at < s.len && ascii_is_digit(s.p[*at]); ++*at)
        if ((*ret = *ret * 10 + (s.p[*at] - '0')) >= HOLE_NUMBER_MAX)
            return false;
    return *at > from;
}

static void
skip_blanks(struct str s, size_t *at)
{
    while (*at < s.len && s.p[*at] == ' ')
        ++*at;
}

/* Behind the '{'; *at moves behind the '}'. */
static bool
read_hole(struct str s, size_t *at, struct hole *ret)
{
    int64_t n;

    *ret = (struct hole){0};
    if (!read_hole_number(s, at, &n))
        return false;
    ret->index = (uint32_t)n;
    skip_blanks(s, at);
    if (*at < s.len && s.p[*at] == ',') {
        bool negative;
        ++*at;
        skip_blanks(s, at);
        negative = *at < s.len && s.p[*at] == '-';
        *at += negative;
        if (!read_hole_number(s, at, &n))
            return false;
        ret->width = (int32_t)(negative ? -n : n);
        skip_blanks(s, at);
    }
    if (*at < s.len && s.p[*at] == ':') {
        size_t from = ++*at;
        for (; *at < s.len && (s.p[*at] != '}' || (*at + 1 < s.len && s.p[*at + 1] == '}')); ++*at) {
            if (s.p[*at] != '{' && s.p[*at] != '}')
                continue;
            ret->has_braces = true;
            if (++*at >= s.len || s.p[*at] != s.p[*at - 1])
                return false;
        }
        ret->format = str_sub(s, from, *at);
    }
    return *at < s.len && s.p[(*at)++] == '}';
}

static bool
add_padding(struct call *c, struct buf *to, int64_t n)
{
    if (n <= 0)
        return true;
    char *p = buf_reserve(to, (size_t)n);
    if (!p)
        return call_exceed_buf(c, to);
    memset(p, ' ', (size_t)n);
    to->len += (size_t)n;
    return true;
}

/* Braces in a format are doubled. */
static struct str
undoubled(struct call *c, struct str format)
{
    char *p = call_alloc(c, format.len + 1);
    size_t n = 0;

    for (size_t i = 0; p && i < format.len; i++) {
        p[n++] = format.p[i];
        i += format.p[i] == '{' || format.p[i] == '}';
    }
    return str_from(p, n);
}

static bool
add_hole(struct call *c, struct buf *to, const struct hole *h, struct object *o)
{
    struct string *text = NULL;
    int64_t width = h->width < 0 ? -(int64_t)h->width : h->width, units;

    if (o && !value_to_string(c, o->type, value_unbox(o), h->has_braces ? undoubled(c, h->format) : h->format, &text))
        return false;
    units = text ? text->units : 0;
    if (h->width > 0 && !add_padding(c, to, width - units))
        return false;
    if (text)
        buf_add_str(to, string_str(text));
    if (h->width < 0 && !add_padding(c, to, width - units))
        return false;
    return !to->failed || call_exceed_buf(c, to);
}

bool
format_composite(struct call *c, struct buf *to, struct str s, struct object *const *args, uint32_t n)
{
    size_t at = 0, plain = 0;

    while (at < s.len) {
        char ch = s.p[at];
        struct hole h;

        if (ch != '{' && ch != '}') {
            at++;
            continue;
        }
        buf_add_str(to, str_sub(s, plain, at));
        if (at + 1 < s.len && s.p[at + 1] == ch) { /* doubled */
            buf_add_char(to, ch);
            plain = at += 2;
            continue;
        }
        at++;
        if (ch == '}' || !read_hole(s, &at, &h))
            return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
        if (h.index >= n)
            return call_throw(c, EXC_FORMAT,
                              "Index (zero based) must be greater than or equal to zero and less than the size of the argument list.");
        if (!add_hole(c, to, &h, args[h.index]))
            return false;
        plain = at;
    }
    buf_add_str(to, str_skip(s, plain));
    return !to->failed || call_exceed_buf(c, to);
}

/* --- String.Format ---------------------------------------------------------------------------------------------------- */

/* The format is argument `at`: a provider may stand before it. */
static bool
format_with(struct call *c, uint32_t at, struct object *const *args, uint32_t n)
{
    struct buf b = call_buf(c);

    if (!call_string(c, at))
        return throw_argument_null(c, "format");
    return format_composite(c, &b, call_str(c, at), args, n) && return_new(c, string_from_buf(c, &b));
}

static bool
format_few_at(struct call *c, uint32_t at)
{
    struct object *args[4];

    for (uint32_t i = at + 1; i < c->n_args; i++)
        args[i - at - 1] = c->args[i].ref;
    return format_with(c, at, args, c->n_args - at - 1);
}

static bool
format_many_at(struct call *c, uint32_t at)
{
    const struct array *args = (const struct array *)c->args[at + 1].ref;
    struct object *const *objects;

    if (!args)
        return throw_argument_null(c, call_string(c, at) ? "args" : "format");
    return (objects = format_arguments(c, args)) && format_with(c, at, objects, args->n);
}

static bool format_few(struct call *c) { return format_few_at(c, 0); }
static bool format_many(struct call *c) { return format_many_at(c, 0); }
static bool format_few_by(struct call *c) { return format_few_at(c, 1); }
static bool format_many_by(struct call *c) { return format_many_at(c, 1); }

/* --- Concat and Join -------------------------------------------------------------------------------------------------- */

static bool
concat_strings(struct call *c)
{
    size_t size = 0, at = 0;
    uint32_t units = 0;
    char *p;

    for (uint32_t i = 0; i < c->n_args; i++) {
        const struct string *s = call_string(c, i);
        size += s ? s->size : 0;
        units += s ? s->units : 0;
    }
    if (size >= UINT32_MAX)
        return call_exceed(c, BUDGET_BYTES);
    if (!(p = call_alloc(c, size + 1)))
        return false;
    for (uint32_t i = 0; i < c->n_args; i++) {
        struct str s = call_str(c, i);
        memcpy(p + at, s.p, s.len);
        at += s.len;
    }
    return return_new(c, string_view_units(c, str_from(p, size), units));
}

static bool
concat_objects(struct call *c)
{
    struct buf b = call_buf(c);

    for (uint32_t i = 0; i < c->n_args; i++)
        if (!format_object(c, &b, c->args[i].ref, STR_NONE))
            return false;
    return return_new(c, string_from_buf(c, &b));
}

/* Elements of an array as text, with the separator between them. */
static bool
add_elements(struct call *c, struct buf *to, const struct array *a, uint32_t from, uint32_t n, struct str separator)
{
    const struct type *element = a->head.type->args[0];
    bool is_string = element->kind == TYPE_STRING;
    struct string *text;

    if (!call_charge(c, n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct value v = array_get(a, from + i);
        if (i)
            buf_add_str(to, separator);
        if (is_string)
            text = (struct string *)v.ref;
        else if (!value_to_string(c, element, v, STR_NONE, &text))
            return false;
        if (text)
            buf_add_str(to, string_str(text));
        if (to->failed)
            return call_exceed_buf(c, to);
    }
    return true;
}

static bool
add_sequence(struct call *c, struct buf *to, struct object *o, const struct type *element, struct str separator)
{
    struct iterator it;
    struct value v;
    struct string *text;
    bool first = true;
    int more;

    if (o->type->kind == TYPE_ARRAY)
        return add_elements(c, to, (struct array *)o, 0, ((struct array *)o)->n, separator);
    if (!iterate(c, o, NULL, &it))
        return false;
    while ((more = iterate_next(c, &it, &v)) > 0) {
        if (!first)
            buf_add_str(to, separator);
        first = false;
        if (!value_to_string(c, element, v, STR_NONE, &text))
            return false;
        if (text)
            buf_add_str(to, string_str(text));
        if (to->failed)
            return call_exceed_buf(c, to);
    }
    return more == 0;
}

static bool
concat_array(struct call *c)
{
    const struct array *a = (const struct array *)c->args[0].ref;
    struct buf b = call_buf(c);

    if (!a)
        return throw_argument_null(c, "values");
    return add_elements(c, &b, a, 0, a->n, STR("")) && return_new(c, string_from_buf(c, &b));
}

static bool
concat_sequence(struct call *c)
{
    struct buf b = call_buf(c);

    if (!c->args[0].ref)
        return throw_argument_null(c, "values");
    return add_sequence(c, &b, c->args[0].ref, c->type_args[0], STR("")) && return_new(c, string_from_buf(c, &b));
}

static bool
concat_string_sequence(struct call *c)
{
    struct buf b = call_buf(c);

    if (!c->args[0].ref)
        return throw_argument_null(c, "values");
    return add_sequence(c, &b, c->args[0].ref, core_types(c->run->env)->string, STR("")) &&
           return_new(c, string_from_buf(c, &b));
}

static bool
join_array_with(struct call *c, struct str separator)
{
    const struct array *a = (const struct array *)c->args[1].ref;
    struct buf b = call_buf(c);

    if (!a)
        return throw_argument_null(c, "value");
    return add_elements(c, &b, a, 0, a->n, separator) && return_new(c, string_from_buf(c, &b));
}

static bool
join_array(struct call *c)
{
    return join_array_with(c, call_str(c, 0));
}

static bool
join_array_char(struct call *c)
{
    char room[4];

    return join_array_with(c, str_from(room, utf8_put(room, (uint32_t)c->args[0].i64)));
}

static bool
join_range_with(struct call *c, struct str separator)
{
    const struct array *a = (const struct array *)c->args[1].ref;
    int64_t from = call_i32(c, 2), n = call_i32(c, 3);
    struct buf b = call_buf(c);

    if (!a)
        return throw_argument_null(c, "value");
    if (from < 0)
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    if (n < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (from > a->n - n)
        return throw_argument_range(c, "startIndex", "Index and count must refer to a location within the buffer.");
    return add_elements(c, &b, a, (uint32_t)from, (uint32_t)n, separator) && return_new(c, string_from_buf(c, &b));
}

static bool
join_range(struct call *c)
{
    return join_range_with(c, call_str(c, 0));
}

static bool
join_range_char(struct call *c)
{
    char room[4];

    return join_range_with(c, str_from(room, utf8_put(room, (uint32_t)c->args[0].i64)));
}

static bool
join_sequence_with(struct call *c, const struct type *element, struct str separator)
{
    struct buf b = call_buf(c);

    if (!c->args[1].ref)
        return throw_argument_null(c, "values");
    return add_sequence(c, &b, c->args[1].ref, element, separator) && return_new(c, string_from_buf(c, &b));
}

static bool
join_sequence(struct call *c)
{
    return join_sequence_with(c, c->type_args[0], call_str(c, 0));
}

static bool
join_sequence_char(struct call *c)
{
    char room[4];

    return join_sequence_with(c, c->type_args[0], str_from(room, utf8_put(room, (uint32_t)c->args[0].i64)));
}

static bool
join_strings(struct call *c)
{
    return join_sequence_with(c, core_types(c->run->env)->string, call_str(c, 0));
}

static const struct member_row members[] = {
    M("String", "static string Format(string format, object arg0)", format_few),
    M("String", "static string Format(string format, object arg0, object arg1)", format_few),
    M("String", "static string Format(string format, object arg0, object arg1, object arg2)", format_few),
    M("String", "static string Format(string format, params object[] args)", format_many),
    M("String", "static string Format(IFormatProvider provider, string format, object arg0)", format_few_by),
    M("String", "static string Format(IFormatProvider provider, string format, object arg0, object arg1)", format_few_by),
    M("String", "static string Format(IFormatProvider provider, string format, object arg0, object arg1, object arg2)", format_few_by),
    M("String", "static string Format(IFormatProvider provider, string format, params object[] args)", format_many_by),
    M("String", "static string Concat(object arg0)", concat_objects),
    M("String", "static string Concat(object arg0, object arg1)", concat_objects),
    M("String", "static string Concat(object arg0, object arg1, object arg2)", concat_objects),
    M("String", "static string Concat(object arg0, object arg1, object arg2, object arg3)", concat_objects),
    M("String", "static string Concat(params object[] args)", concat_array),
    M("String", "static string Concat(string str0, string str1)", concat_strings),
    M("String", "static string Concat(string str0, string str1, string str2)", concat_strings),
    M("String", "static string Concat(string str0, string str1, string str2, string str3)", concat_strings),
    M("String", "static string Concat(params string[] values)", concat_array),
    M("String", "static string Concat(IEnumerable<string> values)", concat_string_sequence),
    M("String", "static string Concat<T>(IEnumerable<T> values)", concat_sequence),
    M("String", "static string Join(string separator, params string[] value)", join_array),
    M("String", "static string Join(string separator, params object[] values)", join_array),
    M("String", "static string Join(string separator, IEnumerable<string> values)", join_strings),
    M("String", "static string Join<T>(string separator, IEnumerable<T> values)", join_sequence),
    M("String", "static string Join(string separator, string[] value, int startIndex, int count)", join_range),
    M("String", "static string Join(char separator, params string[] value)", join_array_char),
    M("String", "static string Join(char separator, string[] value, int startIndex, int count)", join_range_char),
    M("String", "static string Join(char separator, params object[] values)", join_array_char),
    M("String", "static string Join<T>(char separator, IEnumerable<T> values)", join_sequence_char),
};

const struct library clr_string_build = {"string building", NULL, 0, members, COUNTOF(members)};
