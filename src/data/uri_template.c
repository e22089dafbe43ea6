/* uri_template.c: reading URL templates (grammar in the header).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/uri_template.h"

#include "base/vec.h"

struct reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct err *err;
    struct str names[TEMPLATE_PARAMETERS_MAX];
    uint32_t n_names;
};

struct placeholder {
    struct str name, default_value;
    bool is_rest, is_optional, has_default;
};

static bool
add_name(struct reader *r, struct str name)
{
    for (uint32_t i = 0; i < r->n_names; i++)
        if (str_eq(r->names[i], name))
            return err_set(r->err, ERR_SYNTAX, "parameter {%.*s} is there twice", STR_ARG(name));
    if (r->n_names == TEMPLATE_PARAMETERS_MAX)
        return err_set(r->err, ERR_LIMIT, "more than %d parameters", TEMPLATE_PARAMETERS_MAX);
    r->names[r->n_names++] = name;
    return true;
}

/* placeholder = "{" [ "*" ] name [ "?" | "=" default ] "}" with r->at behind the '{' */
static bool
read_placeholder(struct reader *r, size_t end, struct placeholder *ret)
{
    struct str rest = str_sub(r->text, r->at, end), inside;
    ptrdiff_t close = str_find_char(rest, '}', 0), equals;

    if (close < 0)
        return err_set(r->err, ERR_SYNTAX, "'{' at %zu has no '}'", r->at);
    inside = str_sub(rest, 0, (size_t)close);
    *ret = (struct placeholder){0};
    if (str_starts_with(inside, STR("*"))) {
        ret->is_rest = true;
        inside = str_skip(inside, 1);
    }
    equals = str_find_char(inside, '=', 0);
    if (equals >= 0) {
        ret->default_value = str_skip(inside, (size_t)equals + 1);
        ret->has_default = ret->is_optional = true;
        inside = str_sub(inside, 0, (size_t)equals);
    } else if (str_ends_with(inside, STR("?"))) {
        ret->is_optional = true;
        inside = str_sub(inside, 0, inside.len - 1);
    }
    ret->name = str_trim(inside);
    if (!ret->name.len || str_find_char(inside, '{', 0) >= 0)
        return err_set(r->err, ERR_SYNTAX, "'{' at %zu: expected a name and '}'", r->at);
    r->at += (size_t)close + 1;
    return add_name(r, ret->name);
}

static bool
set_placeholder(struct template_segment *ret, const struct placeholder *p)
{
    *ret = (struct template_segment){
        .kind = p->is_rest ? SEGMENT_REST : SEGMENT_PARAMETER, .is_optional = p->is_optional,
        .has_default = p->has_default, .text = p->name, .default_value = p->default_value};
    return true;
}

/* A segment with braces: one parameter alone, or literals and parameters in turn. */
static bool
read_braces(struct reader *r, size_t end, struct template_segment *ret)
{
    struct { struct template_part *v; size_t n, cap; } parts = {0};
    struct placeholder p = {0};

    while (r->at < end) {
        size_t literal_end = r->at;
        struct template_part *part = avec_push(r->arena, &parts);

        if (!part)
            return err_set(r->err, ERR_NO_MEMORY, "out of memory");
        while (literal_end < end && r->text.p[literal_end] != '{' && r->text.p[literal_end] != '}')
            literal_end++;
        if (literal_end < end && r->text.p[literal_end] == '}')
            return err_set(r->err, ERR_SYNTAX, "'}' at %zu has no '{'", literal_end + 1);
        if (literal_end > r->at) {
            *part = (struct template_part){str_sub(r->text, r->at, literal_end), false};
            r->at = literal_end;
            continue;
        }
        r->at++;
        if (!read_placeholder(r, end, &p))
            return false;
        if (parts.n == 1 && r->at == end)
            return set_placeholder(ret, &p);
        if (p.is_rest || p.is_optional || (parts.n > 1 && parts.v[parts.n - 2].is_parameter))
            return err_set(r->err, ERR_SYNTAX, "{%.*s} must %s", STR_ARG(p.name),
                           p.is_rest || p.is_optional ? "be a segment of its own" : "be parted from the one before");
        *part = (struct template_part){p.name, true};
    }
    *ret = (struct template_segment){.kind = SEGMENT_MIXED, .parts = parts.v, .n_parts = (uint32_t)parts.n};
    return true;
}

static bool
read_segment(struct reader *r, size_t end, struct template_segment *ret)
{
    struct str text = str_sub(r->text, r->at, end);

    if (str_find_char(text, '{', 0) >= 0 || str_find_char(text, '}', 0) >= 0)
        return read_braces(r, end, ret);
    r->at = end;
    *ret = (struct template_segment){.kind = SEGMENT_LITERAL, .text = text};
    if (str_eq_lit(text, "*"))
        *ret = (struct template_segment){.kind = SEGMENT_REST, .text = STR("")};
    return true;
}

static uint32_t
count_parameters(const struct template_segment *s)
{
    uint32_t n = s->kind == SEGMENT_PARAMETER || (s->kind == SEGMENT_REST && s->text.len);

    for (uint32_t i = 0; i < s->n_parts; i++)
        n += s->parts[i].is_parameter;
    return n;
}

static size_t
segment_end(const struct reader *r, size_t path_end)
{
    size_t end = r->at, depth = 0;

    while (end < path_end && (depth || r->text.p[end] != '/')) {
        depth += r->text.p[end] == '{';
        depth -= r->text.p[end] == '}' && depth;
        end++;
    }
    return end;
}

static bool
read_path(struct reader *r, size_t path_end, struct uri_template *ret)
{
    struct { struct template_segment *v; size_t n, cap; } all = {0};

    while (r->at < path_end) {
        size_t end;
        struct template_segment *s;

        if (r->text.p[r->at] == '/') {
            r->at++;
            continue;
        }
        end = segment_end(r, path_end);
        if (all.n && all.v[all.n - 1].kind == SEGMENT_REST)
            return err_set(r->err, ERR_SYNTAX, "'*' may only stand at the end of the path");
        if (!(s = avec_push(r->arena, &all)))
            return err_set(r->err, ERR_NO_MEMORY, "out of memory");
        if (!read_segment(r, end, s))
            return false;
        if (all.n > 1 && s[-1].is_optional && !s->is_optional && s->kind != SEGMENT_REST)
            return err_set(r->err, ERR_SYNTAX, "optional {%.*s} must stand at the end of the path",
                           STR_ARG(s[-1].text));
        ret->n_path_parameters += count_parameters(s);
    }
    ret->segments = all.v;
    ret->n_segments = (uint32_t)all.n;
    return true;
}

static bool
read_query_value(struct reader *r, struct str value, struct template_query *ret)
{
    struct placeholder p;
    size_t end = (size_t)(value.p - r->text.p) + value.len;

    ret->value = value;
    if (!str_starts_with(value, STR("{")))
        return true;
    r->at = (size_t)(value.p - r->text.p) + 1;
    if (!read_placeholder(r, end, &p))
        return false;
    if (r->at != end || p.is_rest)
        return err_set(r->err, ERR_SYNTAX, "query value '%.*s': expected one {name}", STR_ARG(value));
    ret->value = p.name;
    ret->is_parameter = true;
    ret->is_optional = p.is_optional;
    ret->has_default = p.has_default;
    ret->default_value = p.default_value;
    return true;
}

static bool
read_query(struct reader *r, struct str query, struct uri_template *ret)
{
    struct { struct template_query *v; size_t n, cap; } all = {0};
    struct str pair;

    while (str_split_next(&query, '&', &pair)) {
        struct template_query *q;
        struct str value = pair, name;

        if (!pair.len)
            continue;
        if (!(q = avec_push(r->arena, &all)))
            return err_set(r->err, ERR_NO_MEMORY, "out of memory");
        (void)str_split_next(&value, '=', &name);
        *q = (struct template_query){.name = name};
        if (!value.p)
            value = str_sub(pair, pair.len, pair.len);
        if (!read_query_value(r, value, q))
            return false;
    }
    ret->query = all.v;
    ret->n_query = (uint32_t)all.n;
    return true;
}

/* The '?' that begins the query: the first outside braces. */
static size_t
find_query(struct str text)
{
    size_t depth = 0, i;

    for (i = 0; i < text.len; i++) {
        depth += text.p[i] == '{';
        depth -= text.p[i] == '}' && depth;
        if (text.p[i] == '?' && !depth)
            break;
    }
    return i;
}

bool
uri_template_parse(struct str text, struct arena *a, struct uri_template *ret, struct err *err)
{
    struct reader r = {.text = text, .arena = a, .err = err};
    struct uri_template t = {0};
    size_t path_end = find_query(text);

    if (!read_path(&r, path_end, &t))
        return false;
    if (path_end < text.len && !read_query(&r, str_skip(text, path_end + 1), &t))
        return false;
    *ret = t;
    return true;
}

/* The last place of `needle` that leaves at least one byte behind it; -1 when there is none. */
static ptrdiff_t
find_last_before_value(struct str text, struct str needle)
{
    for (ptrdiff_t i = (ptrdiff_t)text.len - (ptrdiff_t)needle.len - 1; i >= 0; i--)
        if (str_eq_nocase(str_from(text.p + i, needle.len), needle))
            return i;
    return -1;
}

static bool
ends_with_nocase(struct str s, struct str end)
{
    return s.len >= end.len && str_eq_nocase(str_skip(s, s.len - end.len), end);
}

/* From the right: the literal in front of a parameter is looked for in what is left, the text behind it is the value. */
bool
template_match_mixed(const struct template_segment *s, struct str segment, struct str *values)
{
    struct str left = segment;
    uint32_t i = s->n_parts, n = count_parameters(s);

    while (i > 0) {
        const struct template_part *part = &s->parts[i - 1];
        ptrdiff_t at = 0;
        size_t literal = 0;

        if (!part->is_parameter) {
            if (!ends_with_nocase(left, part->text))
                return false;
            left = str_sub(left, 0, left.len - part->text.len);
            i--;
            continue;
        }
        if (i > 1) {
            literal = s->parts[i - 2].text.len;
            at = find_last_before_value(i == 2 ? str_sub(left, 0, literal + 1) : left, s->parts[i - 2].text);
        }
        if (at < 0 || left.len <= (size_t)at + literal)
            return false;
        values[--n] = str_skip(left, (size_t)at + literal);
        left = str_sub(left, 0, (size_t)at);
        i -= MIN(i, 2u);
    }
    return left.len == 0;
}
