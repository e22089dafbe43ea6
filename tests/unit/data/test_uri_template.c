#include "data/uri_template.c"
#include "base/buf.h"
#include "test.h"

static struct arena arena = ARENA(NULL, 1 << 20);

/* The template in a plain notation: parameters as <x>, mixed segments in brackets, the rest as two stars. */
static struct str
shape(const char *text)
{
    struct uri_template t;
    struct err err = ERR_INIT;
    struct buf out = buf_in(&arena);

    if (!uri_template_parse(str_from_c(text), &arena, &t, &err))
        return str_printf(&arena, "%s", err.text);
    for (uint32_t i = 0; i < t.n_segments; i++) {
        const struct template_segment *s = &t.segments[i];
        static const char *const forms[] = {"/%.*s", "/[%.*s", "/<%.*s>", "/**%.*s"};

        buf_printf(&out, forms[s->kind], STR_ARG(s->text));
        for (uint32_t k = 0; k < s->n_parts; k++)
            buf_printf(&out, s->parts[k].is_parameter ? "<%.*s>" : " %.*s ", STR_ARG(s->parts[k].text));
        buf_printf(&out, "%s%s", s->kind == SEGMENT_MIXED ? "]" : "", s->is_optional ? "?" : "");
        if (s->has_default)
            buf_printf(&out, "=%.*s", STR_ARG(s->default_value));
    }
    for (uint32_t i = 0; i < t.n_query; i++) {
        const struct template_query *q = &t.query[i];
        buf_printf(&out, q->is_parameter ? " %.*s=<%.*s>%s" : " %.*s=%.*s%s", STR_ARG(q->name), STR_ARG(q->value),
                   q->is_optional ? "?" : "");
    }
    return buf_str(&out);
}

TEST(a_template_is_literals_and_parameters)
{
    EXPECT_STR(shape("/items/{id}"), "/items/<id>");
    EXPECT_STR(shape("items//x/"), "/items/x");
    EXPECT_STR(shape("/"), "");
    EXPECT_STR(shape("/a/{file}.{ext}/v{n}"), "/a/[<file> . <ext>]/[ v <n>]");
}

TEST(rest_and_optional_parameters_end_the_path)
{
    EXPECT_STR(shape("/*"), "/**");
    EXPECT_STR(shape("/files/{*path}"), "/files/**path");
    EXPECT_STR(shape("/orders/{id?}"), "/orders/<id>?");
    EXPECT_STR(shape("/orders/{id=7}/{x?}"), "/orders/<id>?=7/<x>?");
    EXPECT_STR(shape("/*/x"), "'*' may only stand at the end of the path");
    EXPECT_STR(shape("/{a?}/b"), "optional {a} must stand at the end of the path");
}

TEST(the_query_of_a_template_names_required_parameters)
{
    EXPECT_STR(shape("/get?a={b}&c=1&d={e?}"), "/get a=<b> c=1 d=<e>?");
    EXPECT_STR(shape("/x?flag"), "/x flag=");
}

TEST(mistakes_are_named_with_their_place)
{
    EXPECT_STR(shape("/items/{id"), "'{' at 8 has no '}'");
    EXPECT_STR(shape("/items/id}"), "'}' at 10 has no '{'");
    EXPECT_STR(shape("/{}"), "'{' at 2: expected a name and '}'");
    EXPECT_STR(shape("/{a}/{a}"), "parameter {a} is there twice");
    EXPECT_STR(shape("/{a}{b}"), "{b} must be parted from the one before");
    EXPECT_STR(shape("/x{*rest}"), "{rest} must be a segment of its own");
    EXPECT_STR(shape("/x?a={b"), "'{' at 6 has no '}'");
    EXPECT_STR(shape("/x?a={b}c"), "query value '{b}c': expected one {name}");
}

/* "a|b" for the values, "no" without a match. */
static struct str
mixed(const char *template, const char *segment)
{
    struct uri_template t;
    struct str values[TEMPLATE_PARAMETERS_MAX];
    struct buf out = buf_in(&arena);

    if (!uri_template_parse(str_from_c(template), &arena, &t, NULL) || t.n_segments != 1)
        return STR("bad template");
    if (!template_match_mixed(&t.segments[0], str_from_c(segment), values))
        return STR("no");
    for (uint32_t i = 0; i < t.n_path_parameters; i++)
        buf_printf(&out, "%s%.*s", i ? "|" : "", STR_ARG(values[i]));
    return buf_str(&out);
}

TEST(mixed_segments_match_from_the_right)
{
    EXPECT_STR(mixed("{file}.{ext}", "report.pdf"), "report|pdf");
    EXPECT_STR(mixed("{file}.{ext}", "a.b.c"), "a.b|c");
    EXPECT_STR(mixed("{file}.{ext}", "a.b."), "a|b.");
    EXPECT_STR(mixed("v{n}", "V12"), "12");
    EXPECT_STR(mixed("v{n}", "vv1"), "v1");
    EXPECT_STR(mixed("v{n}-end", "v12-END"), "12");
    EXPECT_STR(mixed("{a}-{b}-{c}", "1-2-3-4"), "1-2|3|4");
    EXPECT_STR(mixed("a{x}b{y}c", "a1b2c"), "1|2");
}

TEST(a_parameter_is_never_empty)
{
    EXPECT_STR(mixed("{file}.{ext}", ".pdf"), "no");
    EXPECT_STR(mixed("{file}.{ext}", "pdf"), "no");
    EXPECT_STR(mixed("{file}.{ext}", ""), "no");
    EXPECT_STR(mixed("v{n}", "v"), "no");
    EXPECT_STR(mixed("v{n}", "x1"), "no");
    EXPECT_STR(mixed("v{n}x", "v1"), "no");
}
