/* liquid_filter.c: DotLiquid's standard filters, one row each: name, parameters, function.
 *
 * Parameters are converted before the function runs, as DotLiquid does by reflection: s string, o object, e sequence, i Int32,
 * l Int64; behind '|' they may be left out. A nil stays nil.
 * Not here: filters for text alone (liquid_filter_text.c), numbers (liquid_filter_math.c).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"
#include "base/map.h"
#include "data/liquid_filter.h"

/* --- sequences ----------------------------------------------------------------------------------------------------- */

static bool
return_list(struct liquid_run *run, const struct liquid_values *values, struct liquid_value *ret)
{
    *ret = liquid_list(run, values->v, (uint32_t)values->n);
    return !run->has_failed;
}

static bool
size(struct liquid_call *c)
{
    c->ret = liquid_int(liquid_is_sequence(&c->args[0]) ? (int64_t)liquid_count(c->run, &c->args[0]) : 0);
    return true;
}

static bool
first(struct liquid_call *c)
{
    struct liquid_walk at = {0};

    if (c->args[0].kind == LIQUID_NIL || !liquid_next(c->run, &c->args[0], &at, &c->ret))
        c->ret = liquid_nil();
    return true;
}

static bool
last(struct liquid_call *c)
{
    struct liquid_value name = liquid_string(STR("last"));

    if (c->args[0].kind == LIQUID_NIL || !liquid_member(c->run, &c->args[0], &name, false, &c->ret))
        c->ret = liquid_nil();
    return true;
}

static bool
join(struct liquid_call *c)
{
    struct liquid_walk at = {0};
    struct liquid_value item;
    struct buf b = liquid_call_buf(c);
    bool is_first = true;

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    while (!b.failed && liquid_next(c->run, &c->args[0], &at, &item)) {
        if (!is_first)
            buf_add_str(&b, c->n > 1 ? liquid_arg_text(c, 1) : STR(" "));
        is_first = false;
        liquid_add_text(c->run, &item, &b);
        if (!liquid_step(c->run, 1))
            return false;
    }
    return liquid_return_buf(c, &b);
}

/* The elements of a sequence, flat; anything else alone. */
static bool
elements(struct liquid_call *c, struct liquid_values *ret)
{
    const struct liquid_value *in = &c->args[0];

    if (in->kind == LIQUID_OBJECT && in->object->ops->next)
        return liquid_collect(c->run, in, true, ret);
    struct liquid_value *slot = avec_push(c->run->arena, ret);
    if (!slot)
        return liquid_fail(c->run, ERR_NO_MEMORY, "no memory left for a list of a template"), false;
    *slot = *in;
    return true;
}

static bool
compact(struct liquid_call *c)
{
    struct liquid_values all = {0};
    size_t n = 0;

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (!elements(c, &all))
        return false;
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].kind != LIQUID_NIL)
            all.v[n++] = all.v[i];
    all.n = n;
    return return_list(c->run, &all, &c->ret);
}

/* Two values are the same when type and text are: objects only when they are one. */
static struct str
identity(struct liquid_run *run, const struct liquid_value *v)
{
    struct buf b = buf_in(run->arena);

    buf_add_char(&b, (char)v->kind);
    if (v->kind == LIQUID_OBJECT)
        buf_add(&b, &v->object, sizeof(v->object));
    else
        liquid_add_text(run, v, &b);
    return buf_str(&b);
}

static bool
uniq(struct liquid_call *c)
{
    struct liquid_values all = {0};
    struct map seen AUTO(map_destroy) = MAP_INIT;
    size_t n = 0;

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (!elements(c, &all))
        return false;
    for (size_t i = 0; i < all.n; i++) {
        struct str key = identity(c->run, &all.v[i]);

        if (!key.p)
            return liquid_fail(c->run, ERR_NO_MEMORY, "no memory left for a list of a template"), false;
        if (!map_has(&seen, key)) {
            map_set(&seen, key, &all.v[n]);
            all.v[n++] = all.v[i];
        }
    }
    all.n = n;
    return return_list(c->run, &all, &c->ret);
}

static bool
property_of(struct liquid_run *run, const struct liquid_value *v, struct str name, struct liquid_value *ret)
{
    if (v->kind == LIQUID_OBJECT && v->object->ops->member && v->object->ops->member(run, v->object, name, ret))
        return true;
    *ret = liquid_nil();
    return false;
}

static bool
map(struct liquid_call *c)
{
    struct liquid_values all = {0};

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (!liquid_collect(c->run, &c->args[0], false, &all))
        return false;
    for (size_t i = 0; i < all.n; i++) {
        struct liquid_value of = all.v[i];

        property_of(c->run, &of, liquid_arg_text(c, 1), &all.v[i]);
        if (!liquid_step(c->run, 1))
            return false;
    }
    return return_list(c->run, &all, &c->ret);
}

/* --- sorting ------------------------------------------------------------------------------------------------------- */

struct sorted {
    struct liquid_value value, key;
};

/* Comparer.Default: nil first, numbers among each other, otherwise only what is of one type. False: an exception. */
static bool
compare_keys(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, int *ret)
{
    struct decimal x, y;

    if (a->kind == LIQUID_NIL || b->kind == LIQUID_NIL) {
        *ret = (a->kind != LIQUID_NIL) - (b->kind != LIQUID_NIL);
        return true;
    }
    if (liquid_is_number(a) && liquid_is_number(b)) {
        if (a->kind == LIQUID_DOUBLE || b->kind == LIQUID_DOUBLE) {
            double p = liquid_to_double(run, a), q = liquid_to_double(run, b);
            *ret = (p > q) - (p < q);
            return true;
        }
        if (!liquid_to_decimal(run, a, &x) || !liquid_to_decimal(run, b, &y))
            return false;
        *ret = decimal_compare(x, y);
        return true;
    }
    if (a->kind != b->kind || a->kind == LIQUID_OBJECT)
        return liquid_throw(run, "Failed to compare two elements in the array.");
    return liquid_compare(run, a, b, ret);
}

/* Merges v[0..middle) and v[middle..n), both sorted, through `space`. */
static bool
merge(struct liquid_run *run, struct sorted *v, size_t middle, size_t n, struct sorted *space)
{
    size_t a = 0, b = middle, to = 0;
    int order;

    while (a < middle && b < n) {
        if (!compare_keys(run, &v[b].key, &v[a].key, &order) || !liquid_step(run, 1))
            return false;
        space[to++] = order < 0 ? v[b++] : v[a++];
    }
    while (a < middle)
        space[to++] = v[a++];
    memcpy(v, space, to * sizeof(*v));
    return true;
}

static bool
merge_sort(struct liquid_run *run, struct sorted *v, size_t n, struct sorted *space)
{
    for (size_t width = 1; width < n; width *= 2)
        for (size_t at = 0; at + width < n; at += 2 * width)
            if (!merge(run, v + at, width, MIN(2 * width, n - at), space))
                return false;
    return true;
}

static bool
sort(struct liquid_call *c)
{
    struct liquid_values all = {0};
    struct str property = liquid_arg_text(c, 1);
    struct sorted *v, *space;
    bool has_property = false;

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (!elements(c, &all))
        return false;
    v = arena_new_array(c->run->arena, struct sorted, all.n + 1);
    space = arena_new_array(c->run->arena, struct sorted, all.n + 1);
    if (!v || !space)
        return liquid_fail(c->run, ERR_NO_MEMORY, "no memory left to sort a list of a template"), false;
    for (size_t i = 0; i < all.n; i++) {
        v[i] = (struct sorted){.value = all.v[i], .key = all.v[i]};
        if (property.len)
            has_property |= property_of(c->run, &all.v[i], property, &v[i].key);
    }
    if ((!property.len || has_property) && !merge_sort(c->run, v, all.n, space))
        return false;
    for (size_t i = 0; i < all.n; i++)
        all.v[i] = v[i].value;
    return return_list(c->run, &all, &c->ret);
}

/* --- dates and fallbacks --------------------------------------------------------------------------------------------- */

/* ToString(format); text that is no date stays. */
static bool
date(struct liquid_call *c)
{
    struct str format = liquid_arg_text(c, 1), text;
    struct liquid_date d;
    struct buf b = liquid_call_buf(c);
    bool has_format = !liquid_is_blank_text(c, format);

    if (c->args[0].kind == LIQUID_NIL)
        return liquid_return_nil(c);
    if (c->args[0].kind == LIQUID_DATE) {
        d = c->args[0].date;
    } else {
        text = liquid_text(c->run, &c->args[0]);
        if (str_eq_nocase(text, STR("now")) || str_eq_nocase(text, STR("today"))) {
            d = c->run->dotnet->now(c->run);
        } else if (!c->run->dotnet->date_parse(c->run, text, &d) || !has_format) {
            c->ret = liquid_string(text);
            return true;
        }
    }
    if (!c->run->dotnet->date_format(d, has_format ? format : STR(""), &b))
        return liquid_throw(c->run, "Input string was not in a correct format.");
    return liquid_return_buf(c, &b);
}

static bool
fallback(struct liquid_call *c)
{
    c->ret = c->args[0].kind != LIQUID_NIL && !liquid_is_blank_text(c, c->args[0].text) ? c->args[0] : c->args[1];
    return true;
}

/* --- the table ------------------------------------------------------------------------------------------------------- */

const struct liquid_filter liquid_filters[] = {
    {STR_INIT("Abs"), "o", liquid_filter_abs, NULL, 0},
    {STR_INIT("Append"), "ss", liquid_filter_append, "string", 0},
    {STR_INIT("AtLeast"), "oo", liquid_filter_at_least, "atLeast", 0},
    {STR_INIT("AtMost"), "oo", liquid_filter_at_most, "atMost", 0},
    {STR_INIT("Capitalize"), "s", liquid_filter_capitalize, NULL, 0},
    {STR_INIT("Compact"), "o", compact, NULL, 0},
    {STR_INIT("Currency"), "o|s", liquid_filter_currency, NULL, 0},
    {STR_INIT("Date"), "os", date, "format", 0},
    {STR_INIT("Default"), "ss", fallback, "defaultValue", 0},
    {STR_INIT("DividedBy"), "oo", liquid_filter_divided_by, "operand", 0},
    {STR_INIT("Downcase"), "s", liquid_filter_downcase, NULL, 0},
    {STR_INIT("Escape"), "s", liquid_filter_escape, NULL, 0},
    {STR_INIT("First"), "e", first, NULL, 0},
    {STR_INIT("H"), "s", liquid_filter_escape, NULL, 0},
    {STR_INIT("Join"), "e|s", join, NULL, 0},
    {STR_INIT("Last"), "e", last, NULL, 0},
    {STR_INIT("Lstrip"), "s", liquid_filter_lstrip, NULL, 0},
    {STR_INIT("Map"), "es", map, "property", 0},
    {STR_INIT("Minus"), "oo", liquid_filter_minus, "operand", 0},
    {STR_INIT("Modulo"), "oo", liquid_filter_modulo, "operand", 0},
    {STR_INIT("NewlineToBr"), "s", liquid_filter_newline_to_br, NULL, 0},
    {STR_INIT("Plus"), "oo", liquid_filter_plus, "operand", 0},
    {STR_INIT("Prepend"), "ss", liquid_filter_prepend, "string", 0},
    {STR_INIT("Remove"), "ss", liquid_filter_remove, "string", 1},
    {STR_INIT("RemoveFirst"), "ss", liquid_filter_remove_first, "string", 1},
    {STR_INIT("Replace"), "ss|s", liquid_filter_replace, "string", 1},
    {STR_INIT("ReplaceFirst"), "ss|s", liquid_filter_replace_first, "string", 1},
    {STR_INIT("Round"), "o|o", liquid_filter_round, NULL, 0},
    {STR_INIT("Rstrip"), "s", liquid_filter_rstrip, NULL, 0},
    {STR_INIT("Size"), "o", size, NULL, 0},
    {STR_INIT("Slice"), "sl|l", liquid_filter_slice, "start", 0},
    {STR_INIT("Sort"), "o|s", sort, NULL, 0},
    {STR_INIT("Split"), "ss", liquid_filter_split, "pattern", 0},
    {STR_INIT("Strip"), "s", liquid_filter_strip, NULL, 0},
    {STR_INIT("StripHtml"), "s", liquid_filter_strip_html, NULL, 0},
    {STR_INIT("StripNewlines"), "s", liquid_filter_strip_newlines, NULL, 0},
    {STR_INIT("Times"), "oo", liquid_filter_times, "operand", 0},
    {STR_INIT("Truncate"), "s|is", liquid_filter_truncate, NULL, 0},
    {STR_INIT("TruncateWords"), "s|is", liquid_filter_truncate_words, NULL, 0},
    {STR_INIT("Uniq"), "o", uniq, NULL, 0},
    {STR_INIT("Upcase"), "s", liquid_filter_upcase, NULL, 0},
    {STR_INIT("UrlDecode"), "s", liquid_filter_url_decode, NULL, 0},
    {STR_INIT("UrlEncode"), "s", liquid_filter_url_encode, NULL, 0},
};

const struct liquid_filter *
liquid_filter_find(struct str name)
{
    for (size_t i = 0; i < COUNTOF(liquid_filters); i++)
        if (str_eq(liquid_filters[i].name, name))
            return &liquid_filters[i];
    return NULL;
}

static bool
next_name(void *ctx, struct str *candidate)
{
    size_t *at = ctx;

    if (*at == COUNTOF(liquid_filters))
        return false;
    *candidate = liquid_filters[(*at)++].name;
    return true;
}

struct str
liquid_filter_nearest(struct str name)
{
    size_t at = 0;

    for (size_t i = 0; i < COUNTOF(liquid_filters); i++)
        if (str_eq_nocase(liquid_filters[i].name, name))
            return liquid_filters[i].name;
    return diag_nearest(name, next_name, &at);
}

uint32_t
liquid_filter_pattern(const struct liquid_filter *f)
{
    return f->pattern;
}

/* --- calling ------------------------------------------------------------------------------------------------------- */

static bool
convert(struct liquid_run *run, char type, struct liquid_value *v)
{
    int64_t n;
    int32_t small;

    if (v->kind == LIQUID_NIL || type == 'o')
        return true;
    switch (type) {
    case 's':
        if (v->kind == LIQUID_OBJECT && !v->object->ops->text)
            return liquid_throw(run, "Object of type '%s' cannot be converted to type 'System.String'.", liquid_type_name(v));
        *v = liquid_string(liquid_text(run, v));
        return !run->has_failed;
    case 'e':
        if (liquid_is_sequence(v))
            return true;
        return liquid_throw(run, "Invalid cast from '%s' to 'System.Collections.IEnumerable'.", liquid_type_name(v));
    case 'i':
        if (!liquid_to_i32(run, v, &small))
            return false;
        *v = liquid_int(small);
        return true;
    case 'l':
        if (!liquid_to_i64(run, v, &n))
            return false;
        *v = liquid_long(n);
        return true;
    }
    UNREACHABLE();
}

bool
liquid_filter_apply(struct liquid_run *run, const struct liquid_use *use, struct liquid_value *args, uint32_t n,
                    struct liquid_value *ret)
{
    const struct liquid_filter *f = use->filter;
    struct liquid_call c = {.run = run, .use = use, .n = n};
    const char *type = f->types;
    bool is_optional = false;
    uint32_t i = 0;

    for (; *type; type++) {
        if (*type == '|') {
            is_optional = true;
            continue;
        }
        if (i >= n && !is_optional)
            return liquid_throw_syntax(run, "Error - Filter '%.*s' does not have a default value for '%s' and no value was "
                                            "supplied", STR_ARG(f->name), f->parameter);
        if (i < n) {
            c.args[i] = args[i];
            if (!convert(run, *type, &c.args[i]))
                return false;
        }
        i++;
    }
    if (n > i)
        return liquid_throw(run, "Parameter count mismatch.");
    if (!f->apply(&c) || run->has_failed)
        return false;
    *ret = c.ret;
    return true;
}

/* --- what filters share ---------------------------------------------------------------------------------------------- */

struct buf
liquid_call_buf(struct liquid_call *c)
{
    struct buf b = buf_in(c->run->arena);

    b.max = c->run->limits->output_bytes;
    return b;
}

bool
liquid_return_buf(struct liquid_call *c, struct buf *b)
{
    if (b->failed) {
        liquid_fail(c->run, ERR_LIMIT, "a text of a template is larger than %" PRIu64 " bytes or than the memory left",
                    c->run->limits->output_bytes);
        return false;
    }
    c->ret = liquid_string(b->len ? buf_str(b) : STR(""));
    return true;
}

bool
liquid_return_nil(struct liquid_call *c)
{
    c->ret = liquid_nil();
    return true;
}

struct str
liquid_arg_text(const struct liquid_call *c, uint32_t i)
{
    return i < c->n && c->args[i].kind == LIQUID_STRING ? c->args[i].text : STR("");
}
