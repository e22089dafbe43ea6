/* jtoken_write.c: JSON text of a token tree and of single values, as Newtonsoft's JsonTextWriter lays it out.
 *
 * Parts of the tree that nobody opened are written from the immutable tree they were parsed to; numbers and dates then
 * take the form they would have as values (1.10 -> 1.1, a date without trailing fraction zeros).
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jtoken.h"

#include <math.h>

#include <stdlib.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "clr/datetime.h"
#include "clr/guid.h"
#include "clr/uri.h"
#include "clr/values.h"
#include "data/double_text.h"

struct writer {
    struct call *c;
    struct buf *to;
    bool indented;
    uint32_t indent;                  /* level of the innermost container */
};

/* ---- values ---- */

static bool
write_quoted(struct buf *to, struct str s)
{
    buf_add_char(to, '"');
    json_write_escaped(to, s, true);
    return buf_add_char(to, '"');
}

/* A whole double keeps a point: 1.0, but 1E+20. */
static bool
write_float_text(struct buf *to, const char *text, size_t n, bool is_finite)
{
    if (!is_finite) {
        buf_add_char(to, '"');
        buf_add(to, text, n);
        return buf_add_char(to, '"');
    }
    buf_add(to, text, n);
    return memchr(text, '.', n) || memchr(text, 'E', n) || buf_add_lit(to, ".0");
}

static bool
write_double(struct buf *to, double d)
{
    char text[DOUBLE_TEXT_MAX];

    return write_float_text(to, text, double_to_text(d, text), isfinite(d));
}

/* yyyy-MM-ddTHH:mm:ss[.fffffff] */
static void
write_clock(struct buf *to, int64_t ticks)
{
    struct civil t;

    ticks_to_civil(ticks, &t);
    buf_printf(to, "%04d-%02d-%02dT%02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.minute, t.second);
    if (t.fraction) {
        buf_printf(to, ".%07d", t.fraction);
        while (!to->failed && to->p[to->len - 1] == '0')
            to->len--;
    }
}

void
json_write_date(struct buf *to, struct value v)
{
    write_clock(to, v.i64);
    if (v.hi == KIND_UTC)
        buf_add_char(to, 'Z');
    else if (v.hi == KIND_LOCAL)
        buf_add_lit(to, "+00:00");
}

static void
write_date_time(struct buf *to, struct value v)
{
    buf_add_char(to, '"');
    json_write_date(to, v);
    buf_add_char(to, '"');
}

static void
write_date_time_offset(struct buf *to, struct value v)
{
    int64_t minutes = (int64_t)v.hi / TICKS_PER_MINUTE;

    buf_add_char(to, '"');
    write_clock(to, (int64_t)v.lo + (int64_t)v.hi);
    buf_printf(to, "%c%02d:%02d\"", minutes < 0 ? '-' : '+', (int)llabs(minutes) / 60, (int)llabs(minutes) % 60);
}

static bool
write_struct(struct call *c, const struct type *type, struct value v, struct buf *to)
{
    struct string *text;

    if (str_eq_lit(type->full_name, "System.DateTime")) {
        write_date_time(to, v);
        return true;
    }
    if (str_eq_lit(type->full_name, "System.DateTimeOffset")) {
        write_date_time_offset(to, v);
        return true;
    }
    return value_to_string(c, type, v, STR_NONE, &text) && write_quoted(to, string_str(text));
}

static bool
write_bytes(struct buf *to, const struct array *a)
{
    buf_add_char(to, '"');
    codec_base64_encode(to, str_from((const char *)a->u.bytes, a->n));
    return buf_add_char(to, '"');
}

bool
json_write_value(struct call *c, const struct type *type, struct value v, struct buf *to)
{
    char text[DOUBLE_TEXT_MAX + DECIMAL_TEXT_MAX], unit[4];
    struct string *s;

    if (!type || (type_is_kept_in_ref(type) && !v.ref))
        return buf_add_lit(to, "null");
    switch (type->kind) {
    case TYPE_BOOL: return v.i64 ? buf_add_lit(to, "true") : buf_add_lit(to, "false");
    case TYPE_STRING: return write_quoted(to, string_str((struct string *)v.ref));
    case TYPE_ULONG: return buf_add_u64(to, v.u64);
    case TYPE_SBYTE: case TYPE_BYTE: case TYPE_SHORT: case TYPE_USHORT: case TYPE_INT: case TYPE_UINT: case TYPE_LONG:
    case TYPE_ENUM:
        return buf_add_i64(to, v.i64);
    case TYPE_DOUBLE: return write_double(to, v.f64);
    case TYPE_FLOAT: return write_float_text(to, text, float_to_text(v.f32, text), isfinite(v.f32));
    case TYPE_DECIMAL: return write_float_text(to, text, decimal_to_text(value_decimal(v), text), true);
    case TYPE_CHAR:
        return write_quoted(to, str_from(unit, utf8_put(unit, (uint32_t)v.i64)));
    case TYPE_STRUCT: return write_struct(c, type, v, to);
    case TYPE_ARRAY: return write_bytes(to, (struct array *)v.ref);
    default:
        if (str_eq_lit(type->full_name, "System.Numerics.BigInteger"))
            return buf_add_str(to, string_str((struct string *)v.ref));
        if (str_eq_lit(type->full_name, "System.Uri"))
            return write_quoted(to, uri_original(v.ref));
        return value_to_string(c, type, v, STR_NONE, &s) && write_quoted(to, string_str(s));
    }
}

static bool
write_jvalue(struct writer *w, struct jvalue *v)
{
    switch (v->t.type) {
    case JTYPE_NULL: return buf_add_lit(w->to, "null");
    case JTYPE_UNDEFINED: return buf_add_lit(w->to, "undefined");
    case JTYPE_RAW: return !v->v.ref || buf_add_str(w->to, string_str((struct string *)v->v.ref));
    case JTYPE_COMMENT:
        buf_add_lit(w->to, "/*");
        if (v->v.ref)
            buf_add_str(w->to, string_str((struct string *)v->v.ref));
        return buf_add_lit(w->to, "*/");
    }
    return json_write_value(w->c, v->value_type, v->v, w->to);
}

/* ---- layout ---- */

static void
new_line(struct writer *w)
{
    char *at = w->indented ? buf_reserve(w->to, 1 + 2 * (size_t)w->indent) : NULL;

    if (!at)
        return;
    *at = '\n';
    memset(at + 1, ' ', 2 * (size_t)w->indent);
    w->to->len += 1 + 2 * (size_t)w->indent;
}

static void
before_child(struct writer *w, uint32_t i)
{
    if (i > 0)
        buf_add_char(w->to, ',');
    new_line(w);
}

static void
write_name(struct writer *w, struct str name)
{
    write_quoted(w->to, name);
    buf_add_char(w->to, ':');
    if (w->indented)
        buf_add_char(w->to, ' ');
}

static void
open_container(struct writer *w, char bracket)
{
    buf_add_char(w->to, bracket);
    w->indent++;
}

static void
close_container(struct writer *w, char bracket, uint32_t n)
{
    w->indent--;
    if (n > 0)
        new_line(w);
    buf_add_char(w->to, bracket);
}

/* ---- the immutable tree ---- */

static bool write_json(struct writer *w, const struct json *j);

static bool
write_json_text(struct writer *w, const struct json *j)
{
    struct str text = json_text(j);
    struct value date;

    if (json_read_date(text, &date)) {
        write_date_time(w->to, date);
        return true;
    }
    if (j->flags & JSON_NEEDS_ESCAPE)
        return write_quoted(w->to, text);
    char *at = buf_reserve(w->to, text.len + 2);
    if (!at)
        return false;
    at[0] = '"';
    memcpy(at + 1, text.p, text.len);
    at[text.len + 1] = '"';
    w->to->len += text.len + 2;
    return true;
}

static bool
write_json_members(struct writer *w, const struct json *j)
{
    open_container(w, '{');
    for (uint32_t i = 0; i < j->n; i++) {
        before_child(w, i);
        write_name(w, j->members[i].name);
        if (!write_json(w, &j->members[i].value))
            return false;
    }
    close_container(w, '}', j->n);
    return true;
}

/* An array, or a constructor, whose first item is its name. */
static bool
write_json_items(struct writer *w, const struct json *j)
{
    bool is_array = j->kind == JSON_ARRAY;
    uint32_t first = !is_array;

    if (!is_array) {
        buf_add_lit(w->to, "new ");
        buf_add_str(w->to, json_text(&j->items[0]));
    }
    open_container(w, is_array ? '[' : '(');
    for (uint32_t i = first; i < j->n; i++) {
        before_child(w, i - first);
        if (!write_json(w, &j->items[i]))
            return false;
    }
    close_container(w, is_array ? ']' : ')', j->n - first);
    return true;
}

/* Depth is bounded by the parser's JSON_DEPTH_MAX. */
static bool
write_json(struct writer *w, const struct json *j)
{
    switch ((enum json_kind)j->kind) {
    case JSON_NULL: return buf_add_lit(w->to, "null");
    case JSON_FALSE: return buf_add_lit(w->to, "false");
    case JSON_TRUE: return buf_add_lit(w->to, "true");
    case JSON_UNDEFINED: return buf_add_lit(w->to, "undefined");
    case JSON_STRING: return write_json_text(w, j);
    case JSON_OBJECT: return write_json_members(w, j);
    case JSON_ARRAY: case JSON_CONSTRUCTOR: return write_json_items(w, j);
    case JSON_NUMBER: break;
    }
    if (!(j->flags & JSON_IS_INTEGER))
        return write_double(w->to, json_double(j, 0));
    return str_eq_lit(json_text(j), "-0") ? buf_add_char(w->to, '0') : buf_add_str(w->to, json_text(j));
}

/* ---- the mutable tree ---- */

static bool write_token(struct writer *w, struct jtoken *t, uint32_t depth);

static bool
write_container(struct writer *w, struct jcontainer *k, uint32_t depth)
{
    bool is_constructor = k->t.type == JTYPE_CONSTRUCTOR;
    char open = k->t.type == JTYPE_OBJECT ? '{' : is_constructor ? '(' : '[';

    if (k->source)
        return write_json(w, k->source);
    if (is_constructor) {
        buf_add_lit(w->to, "new ");
        if (k->name)
            buf_add_str(w->to, string_str(k->name));
    }
    open_container(w, open);
    for (uint32_t i = 0; i < k->n; i++) {
        before_child(w, i);
        if (!write_token(w, k->items[i], depth + 1))
            return false;
    }
    close_container(w, open == '{' ? '}' : open == '(' ? ')' : ']', k->n);
    return call_charge(w->c, k->n);
}

static bool
write_token(struct writer *w, struct jtoken *t, uint32_t depth)
{
    if (depth > JTOKEN_DEPTH_MAX)
        return call_exceed(w->c, BUDGET_DEPTH);
    if (jtoken_is_container(t))
        return write_container(w, (struct jcontainer *)t, depth);
    if (t->type != JTYPE_PROPERTY)
        return write_jvalue(w, (struct jvalue *)t);
    write_name(w, string_str(((struct jproperty *)t)->name));
    return write_token(w, ((struct jproperty *)t)->value, depth + 1);
}

bool
jtoken_write(struct call *c, struct jtoken *t, bool indented, struct buf *to)
{
    struct writer w = {c, to, indented, 0};

    if (!write_token(&w, t, 0))
        return false;
    return !to->failed || call_exceed_buf(c, to);
}
