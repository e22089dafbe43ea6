/* natives.c: what native.h promises to natives: memory, strings, boxes, generic operations, sequences, exceptions.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "expr/core.h"
#include "expr/member.h"
#include "expr/value_ops.h"

#define WIDE_STEPS_PER_UNIT 16      /* units converted a step */

const struct expr_limits expr_limits_default = {
    .steps = 50000000,
    .bytes = (int64_t)64 << 20,
    .depth = 100,
    .regex_steps = 10000000,
    .regex_timeout_ms = 1000,
    .output_bytes = 32u << 20,
};

/* --- budgets ---------------------------------------------------------------------------------------------------------- */

const char *
expr_budget_name(enum expr_budget budget)
{
    static const char *const names[] = {"none", "steps", "memory", "call depth", "regex steps", "output size", "time"};

    return names[budget];
}

bool
call_exceed(struct call *c, enum expr_budget budget)
{
    c->run->exceeded = budget;
    c->run->exception = NULL;
    return false;
}

bool
call_enter(struct call *c)
{
    if (c->run->depth >= c->run->limits->depth)
        return call_exceed(c, BUDGET_DEPTH);
    c->run->depth++;
    return true;
}

void
call_leave(struct call *c)
{
    c->run->depth--;
}

bool
call_charge(struct call *c, uint64_t steps)
{
    struct expr_run *run = c->run;

    run->steps_left -= (int64_t)MIN(steps, (uint64_t)INT64_MAX / 4);
    if (run->steps_left < 0)
        return call_exceed(c, BUDGET_STEPS);
    if (run->steps_left < run->slice_left) {
        run->slice_left = run->steps_left - EXPR_SLICE_STEPS;
        if (run->on_slice && !run->on_slice(run))
            return call_exceed(c, BUDGET_CANCELLED);
    }
    return true;
}

void *
call_alloc(struct call *c, size_t size)
{
    void *p = NULL;

    c->run->bytes_left -= (int64_t)MIN(size, (size_t)INT64_MAX / 4);
    if (c->run->bytes_left >= 0)
        p = arena_alloc_zero(c->run->arena, 1, MAX(size, (size_t)1), 16);
    if (!p)
        call_exceed(c, BUDGET_BYTES);
    return p;
}

void *
object_new_(struct call *c, const struct type *type, size_t size)
{
    struct object *o = call_alloc(c, size);

    if (o)
        o->type = type;
    return o;
}

/* --- strings ------------------------------------------------------------------------------------------------------------ */

static uint32_t
count_units(struct str text)
{
    return utf8_is_ascii(text) ? (uint32_t)text.len : (uint32_t)utf8_units(text);
}

struct string *
string_view_units(struct call *c, struct str text, uint32_t units)
{
    struct string *s;

    if (text.len > c->run->limits->output_bytes) {
        call_exceed(c, BUDGET_OUTPUT);
        return NULL;
    }
    s = object_new(c, c->run->env->core.string, struct string);
    if (!s)
        return NULL;
    s->p = text.p ? text.p : "";
    s->size = (uint32_t)text.len;
    s->units = units;
    return s;
}

struct string *
string_view(struct call *c, struct str text)
{
    return string_view_units(c, text, count_units(text));
}

struct string *
string_new(struct call *c, struct str text)
{
    char *copy = call_alloc(c, text.len + 1);

    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.p, text.len);
    return string_view(c, str_from(copy, text.len));
}

struct string *
string_constant(struct arena *arena, const struct type *string_type, struct str text)
{
    struct string *s = arena_new(arena, struct string);
    uint16_t *wide;
    uint32_t n = 0;

    if (!s)
        return NULL;
    *s = (struct string){.head = {string_type}, .p = text.p ? text.p : "", .size = (uint32_t)text.len, .units = count_units(text)};
    if (string_is_ascii(s))
        return s;
    /* Constants are shared by workers, so their units are made now. */
    wide = arena_new_array(arena, uint16_t, s->units);
    if (!wide)
        return NULL;
    for (size_t i = 0; i < text.len;) {
        uint32_t code = utf8_next(text, &i);
        if (code >= 0x10000) {
            wide[n++] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        wide[n++] = (uint16_t)code;
    }
    s->wide = wide;
    return s;
}

struct string *
string_printf(struct call *c, const char *fmt, ...)
{
    struct buf b = call_buf(c);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return string_from_buf(c, &b);
}

struct buf
call_buf(struct call *c)
{
    struct buf b = buf_in(c->run->arena);

    b.max = (size_t)MIN((int64_t)c->run->limits->output_bytes, MAX(c->run->bytes_left, (int64_t)1));
    return b;
}

bool
call_exceed_buf(struct call *c, const struct buf *b)
{
    return call_exceed(c, b->max >= c->run->limits->output_bytes ? BUDGET_OUTPUT : BUDGET_BYTES);
}

struct string *
string_from_buf(struct call *c, struct buf *b)
{
    if (b->failed) {
        call_exceed_buf(c, b);
        return NULL;
    }
    c->run->bytes_left -= (int64_t)b->cap;
    if (b->len == 0)
        return string_lit(c, "");
    return string_view(c, buf_str(b));
}

const uint16_t *
string_wide(struct call *c, struct string *s)
{
    uint16_t *wide;
    uint32_t n = 0;

    if (s->wide)
        return s->wide;
    if (!call_charge(c, s->units / WIDE_STEPS_PER_UNIT) || !(wide = call_alloc(c, (size_t)s->units * 2 + 2)))
        return NULL;
    for (size_t i = 0; i < s->size;) {
        uint32_t code = utf8_next(string_str(s), &i);
        if (code >= 0x10000) {
            wide[n++] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        wide[n++] = (uint16_t)code;
    }
    s->wide = wide;
    return wide;
}

struct string *
string_from_units(struct call *c, const uint16_t *units, uint32_t n)
{
    char *to = call_alloc(c, (size_t)n * 3 + 1);
    size_t len = 0;

    if (!to)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t code = units[i];
        if (code >= 0xd800 && code < 0xdc00 && i + 1 < n && units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000)
            code = 0x10000 + ((code - 0xd800) << 10) + (units[++i] - 0xdc00u);
        len += utf8_put(to + len, code);
    }
    return string_view_units(c, str_from(to, len), n);
}

struct string *
string_slice(struct call *c, struct string *s, uint32_t at, uint32_t n)
{
    const uint16_t *wide;

    if (at == 0 && n == s->units)
        return s;
    if (string_is_ascii(s))
        return string_view_units(c, str_from(s->p + at, n), n);
    wide = string_wide(c, s);
    return wide ? string_from_units(c, wide + at, n) : NULL;
}

int
string_unit(struct call *c, struct string *s, uint32_t i)
{
    const uint16_t *wide;

    if (string_is_ascii(s))
        return (unsigned char)s->p[i];
    wide = string_wide(c, s);
    return wide ? wide[i] : -1;
}

/* --- arrays, records, boxes ----------------------------------------------------------------------------------------------- */

struct array *
array_new(struct call *c, const struct type *type, uint32_t n)
{
    bool is_bytes = type->args[0]->kind == TYPE_BYTE;
    struct array *a;
    void *elements;

    if ((int64_t)n * (is_bytes ? 1 : 16) > c->run->bytes_left) {
        call_exceed(c, BUDGET_BYTES);
        return NULL;
    }
    if (!call_charge(c, n / 64))
        return NULL;
    a = object_new(c, type, struct array);
    elements = a ? call_alloc(c, (size_t)n * (is_bytes ? 1 : sizeof(struct value))) : NULL;
    if (!elements)
        return NULL;
    a->n = n;
    a->is_bytes = is_bytes;
    a->u.v = elements;
    return a;
}

struct array *
array_of_bytes(struct call *c, const void *p, uint32_t n)
{
    struct array *a = array_new(c, c->run->env->core.byte_array, n);

    if (a && n)
        memcpy(a->u.bytes, p, n);
    return a;
}

struct array *
array_of_strings(struct call *c, const struct str *v, uint32_t n)
{
    struct array *a = array_new(c, c->run->env->core.string_array, n);

    for (uint32_t i = 0; a && i < n; i++) {
        struct string *s = string_view(c, v[i]);
        if (!s)
            return NULL;
        a->u.v[i] = value_ref(s);
    }
    return a;
}

struct record *
record_new(struct call *c, const struct type *type)
{
    return object_new_(c, type, sizeof(struct record) + type->n_args * sizeof(struct value));
}

bool
object_is_box(const struct object *o)
{
    return type_is_value_type(o->type) && !(o->type->flags & TYPE_IS_REF_STRUCT);
}

bool
value_box(struct call *c, const struct type *type, struct value v, struct object **ret)
{
    struct box *b;

    if (type->kind == TYPE_STRUCT && (type->flags & TYPE_IS_REF_STRUCT)) {
        *ret = v.ref ? v.ref : (struct object *)record_new(c, type);
        return *ret != NULL;
    }
    if (type_is_kept_in_ref(type)) {
        *ret = v.ref;
        return true;
    }
    b = object_new(c, type, struct box);
    if (!b)
        return false;
    b->v = v;
    *ret = &b->head;
    return true;
}

/* --- generic operations ------------------------------------------------------------------------------------------------- */

/* The run-time type and bare value of something kept as `type`; false for null. */
static bool
look_inside(const struct type **type, struct value *v)
{
    if (!type_is_kept_in_ref(*type))
        return true;
    if (!v->ref)
        return (*type)->flags & TYPE_IS_REF_STRUCT;
    *type = v->ref->type;
    *v = value_unbox(v->ref);
    return true;
}

bool
value_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    const struct type *type_a = type, *type_b = type;
    bool ok;

    if (!look_inside(&type_a, &a)) {
        *ret = !look_inside(&type_b, &b);
        return true;
    }
    if (!look_inside(&type_b, &b)) {
        *ret = false;
        return true;
    }
    /* Of two types only tuples and classes of one family, which share a hook, can be equal. */
    if (type_a != type_b && !type_is_same_tuple(type_a, type_b) &&
        (type_is_value_type(type_a) || type_is_value_type(type_b) || type_a->hooks->equals != type_b->hooks->equals)) {
        *ret = false;
        return true;
    }
    if (!call_enter(c))
        return false;
    ok = type_a->hooks->equals(c, type_a, a, b, ret);
    call_leave(c);
    return ok;
}

bool
value_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    bool ok;

    if (!look_inside(&type, &v)) {
        *ret = 0;
        return true;
    }
    if (!call_enter(c))
        return false;
    ok = type->hooks->hash(c, type, v, ret);
    call_leave(c);
    return ok;
}

bool
value_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    const struct type *type_a = type, *type_b = type;
    struct value whole = b;           /* a class compares with the object, box and all */
    bool has_a = look_inside(&type_a, &a), has_b = look_inside(&type_b, &b), ok;

    if (!has_a || !has_b) {
        *ret = has_a - has_b;
        return true;
    }
    if (!type_a->hooks->compare)
        return call_throw(c, EXC_ARGUMENT, "At least one object must implement IComparable.");
    if (type_a != type_b && (type_a->kind == TYPE_STRING || type_is_value_type(type_a)))
        return call_throw(c, EXC_ARGUMENT, "Object must be of type %.*s.",
                          STR_ARG(type_a->def ? type_a->def->name : type_a->full_name));
    if (!call_enter(c))
        return false;
    ok = type_a->hooks->compare(c, type_a, a, type_a == type_b ? b : whole, ret);
    call_leave(c);
    return ok;
}

bool
value_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    bool ok;

    if (type->kind == TYPE_STRING && v.ref) {
        *ret = (struct string *)v.ref;
        return true;
    }
    if (!look_inside(&type, &v)) {
        *ret = string_lit(c, "");
        return *ret != NULL;
    }
    if (type->kind == TYPE_STRING) {
        *ret = (struct string *)v.ref;
        return true;
    }
    if (!call_enter(c))
        return false;
    ok = type->hooks->to_string(c, type, v, format, ret);
    call_leave(c);
    return ok;
}

/* Of a struct's record, which NULL stands for while it holds nothing but defaults. */
static struct value
record_field(struct value record, uint32_t i)
{
    return record.ref ? ((struct record *)record.ref)->v[i] : value_i64(0);
}

static bool
record_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref == b.ref;
    for (uint32_t i = 0; a.ref != b.ref && i < type->n_args; i++)
        if (!value_equals(c, type->args[i], record_field(a, i), record_field(b, i), ret))
            return false;
        else if (!*ret)
            return true;
    return true;
}

static bool
object_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    if ((type->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE | TYPE_IS_REF_STRUCT)) &&
        (!b.ref || b.ref->type == type || type_is_same_tuple(b.ref->type, type)))
        return record_equals(c, type, a, b, ret);
    if (type->kind == TYPE_STRING)
        *ret = b.ref && b.ref->type == type && string_eq((struct string *)a.ref, (struct string *)b.ref);
    else if (type->kind == TYPE_DOUBLE)
        *ret = a.f64 == b.f64 || (a.f64 != a.f64 && b.f64 != b.f64);
    else if (type->kind == TYPE_FLOAT)
        *ret = a.f32 == b.f32 || (a.f32 != a.f32 && b.f32 != b.f32);
    else if (type->kind == TYPE_DECIMAL || type->kind == TYPE_STRUCT)
        *ret = a.lo == b.lo && a.hi == b.hi;
    else
        *ret = a.lo == b.lo;
    return true;
}

static bool
object_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    if (type->kind == TYPE_STRING) {
        *ret = (int32_t)hash_sip(string_str((struct string *)v.ref));
        return true;
    }
    if ((type->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE | TYPE_IS_REF_STRUCT)) && type->n_args) {
        uint64_t h = 0;
        for (uint32_t i = 0; i < type->n_args; i++) {
            int32_t one;
            if (!value_hash(c, type->args[i], record_field(v, i), &one))
                return false;
            h = hash_mix(h, (uint32_t)one);
        }
        *ret = (int32_t)h;
        return true;
    }
    if (type->kind >= TYPE_BOOL && type->kind <= TYPE_INT) {
        *ret = (int32_t)v.i64;
        return true;
    }
    *ret = (int32_t)hash_mix(v.lo, type->kind == TYPE_DECIMAL || type->kind == TYPE_STRUCT ? v.hi : 0);
    return true;
}

/* new { a = 1 } is "{ a = 1 }", a tuple "(1, x)". */
static bool
record_to_string(struct call *c, const struct type *type, struct value v, struct string **ret)
{
    struct buf b = call_buf(c);
    bool is_tuple = type->flags & TYPE_IS_TUPLE;

    if (!type->n_args) {
        *ret = string_lit(c, "{ }");
        return *ret != NULL;
    }
    buf_add_str(&b, is_tuple ? STR("(") : STR("{ "));
    for (uint32_t i = 0; i < type->n_args; i++) {
        struct string *one;
        if (!value_to_string(c, type->args[i], record_field(v, i), STR_NONE, &one))
            return false;
        if (i)
            buf_add_lit(&b, ", ");
        if (!is_tuple) {
            buf_add_str(&b, type->field_names[i]);
            buf_add_lit(&b, " = ");
        }
        buf_add_str(&b, one ? string_str(one) : STR(""));
    }
    buf_add_str(&b, is_tuple ? STR(")") : STR(" }"));
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

/* Names of an enum's value: one, several of [Flags], or the number. */
static bool
enum_to_string(struct call *c, const struct type *type, int64_t value, struct string **ret)
{
    struct buf b = call_buf(c);
    const struct type_def *def = type->def;
    uint64_t left = (uint64_t)value;

    for (uint32_t i = 0; i < def->n_values; i++) {
        if (def->values[i].value == value) {
            *ret = string_view(c, def->values[i].name);
            return *ret != NULL;
        }
    }
    for (uint32_t i = 0; (def->flags & TYPE_IS_FLAGS) && i < def->n_values; i++) {
        uint64_t bits = (uint64_t)def->values[i].value;
        if (bits && (left & bits) == bits) {
            buf_printf(&b, "%s%.*s", b.len ? ", " : "", STR_ARG(def->values[i].name));
            left &= ~bits;
        }
    }
    *ret = left || !b.len ? string_printf(c, "%" PRId64, value) : string_from_buf(c, &b);
    return *ret != NULL;
}

static bool
object_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    if (type->kind == TYPE_ENUM && !(format.len && (format.p[0] | 0x20) == 'd')) {
        if (format.len && (format.p[0] | 0x20) == 'x')
            *ret = string_printf(c, "%08" PRIX32, (uint32_t)v.i64);
        else
            return enum_to_string(c, type, v.i64, ret);
        return *ret != NULL;
    }
    if (type->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE))
        return record_to_string(c, type, v, ret);
    if (type->kind == TYPE_BOOL)
        *ret = string_view(c, v.i64 ? STR("True") : STR("False"));
    else if (type->kind == TYPE_CHAR)
        *ret = string_from_units(c, &(uint16_t){(uint16_t)v.i64}, 1);
    else if (type->kind == TYPE_ULONG)
        *ret = string_printf(c, "%" PRIu64, v.u64);
    else if (type_is_integral(type) || type->kind == TYPE_ENUM)
        *ret = string_printf(c, "%" PRId64, v.i64);
    else
        *ret = string_new(c, type->full_name);
    return *ret != NULL;
}

static bool
object_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    if (type->kind == TYPE_DOUBLE)
        *ret = a.f64 < b.f64 ? -1 : a.f64 > b.f64 ? 1 : a.f64 == b.f64 ? 0 : (a.f64 == a.f64) - (b.f64 == b.f64);
    else if (type->kind == TYPE_FLOAT)
        *ret = a.f32 < b.f32 ? -1 : a.f32 > b.f32 ? 1 : a.f32 == b.f32 ? 0 : (a.f32 == a.f32) - (b.f32 == b.f32);
    else if (type->kind == TYPE_ULONG)
        *ret = a.u64 < b.u64 ? -1 : a.u64 > b.u64;
    else if (type_is_integral(type) || type->kind == TYPE_BOOL || type->kind == TYPE_ENUM)
        *ret = a.i64 < b.i64 ? -1 : a.i64 > b.i64;
    else if (type->kind == TYPE_STRING)
        *ret = str_cmp(string_str((struct string *)a.ref), string_str((struct string *)b.ref));
    else if (type->flags & TYPE_IS_TUPLE) {
        *ret = 0;
        for (uint32_t i = 0; *ret == 0 && i < type->n_args; i++)
            if (!value_compare(c, type->args[i], record_field(a, i), record_field(b, i), ret))
                return false;
    } else {
        return call_throw(c, EXC_ARGUMENT, "At least one object must implement IComparable.");
    }
    return true;
}

bool
array_store(struct call *c, struct array *a, uint32_t i, struct value v)
{
    if (!array_takes(a, v))
        return call_throw_default(c, EXC_ARRAY_TYPE_MISMATCH);
    array_set(a, i, v);
    return true;
}

bool
array_store_cast(struct call *c, struct array *a, uint32_t i, struct value v)
{
    if (!array_takes(a, v))
        return call_throw(c, EXC_INVALID_CAST, "At least one element in the source array could not be cast down to the destination array type.");
    array_set(a, i, v);
    return true;
}

/* --- sequences -------------------------------------------------------------------------------------------------------------- */

static int
array_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct array *a = (struct array *)it->self;

    if (it->state[0].u64 >= a->n)
        return 0;
    *ret = array_get(a, (uint32_t)it->state[0].u64++);
    return 1;
}

static int
string_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct string *s = (struct string *)it->self;
    int unit;

    if (it->state[0].u64 >= s->units)
        return 0;
    unit = string_unit(c, s, (uint32_t)it->state[0].u64++);
    *ret = value_i64(unit);
    return unit < 0 ? -1 : 1;
}

static bool
object_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    if (self->type->kind == TYPE_ARRAY) {
        *it = (struct iterator){.next = array_next, .self = self};
        return true;
    }
    if (self->type->kind == TYPE_STRING) {
        *it = (struct iterator){.next = string_next, .self = self};
        return true;
    }
    if (self->type->kind == TYPE_INTERFACE)
        return ((struct sequence *)self)->iterate(c, (struct sequence *)self, it);
    return call_throw(c, EXC_INVALID_OPERATION, "%.*s is not a sequence.", STR_ARG(self->type->full_name));
}

bool
iterate(struct call *c, struct object *o, const struct type *as, struct iterator *it)
{
    bool ok;

    if (!call_enter(c))
        return false;
    ok = o->type->hooks->iterate(c, o, as, it);
    call_leave(c);
    return ok;
}

int
iterate_next(struct call *c, struct iterator *it, struct value *ret)
{
    int got;

    if (!call_charge(c, 1) || !call_enter(c))
        return -1;
    got = it->next(c, it, ret);
    call_leave(c);
    return got;
}

const struct type_hooks object_hooks = {
    .iterate = object_iterate, .equals = object_equals, .hash = object_hash, .compare = object_compare,
    .to_string = object_to_string,
};

/* --- exceptions --------------------------------------------------------------------------------------------------------------- */

static const struct str messages[] = {
#define EXCEPTION(name, full, base, message) STR_INIT(message),
#include "expr/exceptions.def"
#undef EXCEPTION
};

/* A full arena is an exceeded budget, whatever was to be thrown. */
static bool
throw_text(struct call *c, enum exception_kind kind, struct str text, const char *parameter)
{
    struct expr_run *run = c->run;
    struct exception *e = arena_new(run->arena, struct exception);
    struct string *message = arena_new(run->arena, struct string), *name = NULL;

    if (run->exceeded)
        return false;
    if (!e || !message)
        return call_exceed(c, BUDGET_BYTES);
    *message = (struct string){.head = {run->env->core.string}, .p = text.p ? text.p : "", .size = (uint32_t)text.len,
                               .units = count_units(text)};
    if (parameter && (name = arena_new(run->arena, struct string)))
        *name = (struct string){.head = {run->env->core.string}, .p = parameter, .size = (uint32_t)strlen(parameter),
                                .units = (uint32_t)strlen(parameter)};
    *e = (struct exception){.head = {run->env->exceptions[kind]}, .message = message, .parameter = name};
    run->exception = e;
    return false;
}

bool
call_throw(struct call *c, enum exception_kind kind, const char *fmt, ...)
{
    struct buf b = buf_in(c->run->arena);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return throw_text(c, kind, buf_str(&b), NULL);
}

bool
call_throw_default(struct call *c, enum exception_kind kind)
{
    return throw_text(c, kind, messages[kind], NULL);
}

bool
throw_null_reference(struct call *c)
{
    return call_throw_default(c, EXC_NULL_REFERENCE);
}

static bool
throw_about(struct call *c, enum exception_kind kind, const char *parameter, const char *fmt, va_list ap)
{
    struct buf b = buf_in(c->run->arena);

    buf_vprintf(&b, fmt, ap);
    if (parameter)
        buf_printf(&b, "\nParameter name: %s", parameter);
    return throw_text(c, kind, buf_str(&b), parameter);
}

bool
throw_argument(struct call *c, const char *parameter, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    throw_about(c, EXC_ARGUMENT, parameter, fmt, ap);
    va_end(ap);
    return false;
}

bool
throw_argument_range(struct call *c, const char *parameter, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    throw_about(c, EXC_ARGUMENT_OUT_OF_RANGE, parameter, fmt, ap);
    va_end(ap);
    return false;
}

bool
throw_argument_null(struct call *c, const char *parameter)
{
    struct buf b = buf_in(c->run->arena);

    buf_printf(&b, "Value cannot be null.\nParameter name: %s", parameter);
    return throw_text(c, EXC_ARGUMENT_NULL, buf_str(&b), parameter);
}

bool
throw_invalid_cast(struct call *c, const struct type *from, const struct type *to)
{
    return call_throw(c, EXC_INVALID_CAST, "Unable to cast object of type '%.*s' to type '%.*s'.", STR_ARG(from->full_name),
                      STR_ARG(to->full_name));
}
