/* string_io.c: System.IO.StringReader and StringWriter, by way of the TextReader and TextWriter that they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/format.h"
#include "clr/string_builder.h"
#include "clr/string_io.h"
#include "clr/values.h"

/* --- StringReader ------------------------------------------------------------------------------------------------------------------ */

struct reader {
    struct object head;
    struct string *s;                 /* NULL: closed */
    uint32_t at;                      /* units */
};

static struct reader *
reader_of(const struct call *c)
{
    return (struct reader *)c->args[0].ref;
}

/* NULL after throwing. */
static struct reader *
open_reader(struct call *c)
{
    struct reader *r = reader_of(c);

    if (r->s)
        return r;
    call_throw(c, EXC_OBJECT_DISPOSED, "Cannot read from a closed TextReader.");
    return NULL;
}

static bool
reader_new(struct call *c)
{
    struct reader *r;

    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    if ((r = object_new(c, c->owner, struct reader)))
        r->s = call_string(c, 0);
    return return_new(c, r);
}

static bool
reader_dispose(struct call *c, struct object *self)
{
    ((struct reader *)self)->s = NULL;
    return true;
}

static bool close_reader(struct call *c) { return reader_dispose(c, c->args[0].ref); }

static const struct type_hooks reader_hooks = {.dispose = reader_dispose};

static bool
read_line(struct call *c)
{
    struct reader *r = open_reader(c);
    uint32_t from, unit = 0;

    if (!r)
        return false;
    if (r->at >= r->s->units)
        return return_ref(c, NULL);
    for (from = r->at; r->at < r->s->units; r->at++) {
        unit = (uint32_t)string_unit(c, r->s, r->at);
        if (unit == '\n' || unit == '\r')
            break;
    }
    if (!call_charge(c, (r->at - from) / 16))
        return false;
    c->ret = value_ref(string_slice(c, r->s, from, r->at - from));
    if (r->at < r->s->units)
        r->at += unit == '\r' && r->at + 1 < r->s->units && string_unit(c, r->s, r->at + 1) == '\n' ? 2 : 1;
    return c->ret.ref != NULL;
}

static bool
read_to_end(struct call *c)
{
    struct reader *r = open_reader(c);
    uint32_t from;

    if (!r)
        return false;
    from = r->at;
    r->at = r->s->units;
    return return_new(c, string_slice(c, r->s, from, r->at - from));
}

bool
reader_take_rest(struct call *c, struct object *reader, struct str *ret)
{
    struct reader *r = (struct reader *)reader;
    struct string *rest;

    if (!r->s)
        return call_throw(c, EXC_OBJECT_DISPOSED, "Cannot read from a closed TextReader.");
    if (!(rest = string_slice(c, r->s, r->at, r->s->units - r->at)))
        return false;
    r->at = r->s->units;
    *ret = string_str(rest);
    return true;
}

static bool
peek_unit(struct call *c, bool advance)
{
    struct reader *r = open_reader(c);

    if (!r)
        return false;
    return return_i64(c, r->at < r->s->units ? string_unit(c, r->s, advance ? r->at++ : r->at) : -1);
}

static bool read_unit(struct call *c) { return peek_unit(c, true); }
static bool peek(struct call *c) { return peek_unit(c, false); }

static bool
read_block(struct call *c)
{
    struct reader *r = reader_of(c);
    struct array *to = (struct array *)c->args[1].ref;
    int64_t at = call_i32(c, 2), n = call_i32(c, 3);

    if (!to)
        return throw_argument_null(c, "buffer");
    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
    if (at > to->n - n)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the number of "
                                       "elements from index to the end of the source collection.");
    if (!open_reader(c))
        return false;
    n = MIN(n, (int64_t)r->s->units - r->at);
    for (int64_t i = 0; i < n; i++)
        to->u.v[at + i] = value_i64(string_unit(c, r->s, r->at++));
    return return_i64(c, n);
}

/* --- StringWriter ------------------------------------------------------------------------------------------------------------------- */

struct writer {
    struct object head;
    struct builder *to;
    struct string *new_line;          /* NULL: "\n" */
    bool is_closed;
};

static struct writer *
writer_of(const struct call *c)
{
    return (struct writer *)c->args[0].ref;
}

static bool
writer_create(struct call *c, struct builder *to)
{
    struct writer *w;

    if (!to && !(to = builder_new(c, type_find(c->run->env, STR("System.Text.StringBuilder"), NULL, 0), STR(""))))
        return false;
    if ((w = object_new(c, c->owner, struct writer)))
        w->to = to;
    return return_new(c, w);
}

static bool writer_new(struct call *c) { return writer_create(c, NULL); }

static bool
writer_over(struct call *c)
{
    return c->args[0].ref ? writer_create(c, (struct builder *)c->args[0].ref) : throw_argument_null(c, "sb");
}

bool
writer_add(struct call *c, struct object *writer, struct str text)
{
    struct writer *w = (struct writer *)writer;

    if (w->is_closed)
        return call_throw(c, EXC_OBJECT_DISPOSED, "Cannot write to a closed TextWriter.");
    return builder_add(c, w->to, text);
}

static bool
writer_dispose(struct call *c, struct object *self)
{
    ((struct writer *)self)->is_closed = true;
    return true;
}

static bool close_writer(struct call *c) { return writer_dispose(c, c->args[0].ref); }
static bool flush(struct call *c) { return true; }

static bool
writer_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = builder_content(c, ((struct writer *)v.ref)->to);
    return *ret != NULL;
}

static const struct type_hooks writer_hooks = {.to_string = writer_to_string, .dispose = writer_dispose};

static bool to_string(struct call *c) { return return_new(c, builder_content(c, writer_of(c)->to)); }
static bool string_builder(struct call *c) { return return_ref(c, writer_of(c)->to); }
static bool write_string(struct call *c) { return writer_add(c, c->args[0].ref, call_str(c, 1)); }

static bool
end_line(struct call *c, bool ok)
{
    const struct string *end = writer_of(c)->new_line;

    return ok && writer_add(c, c->args[0].ref, end ? string_str(end) : STR("\n"));
}

static bool write_line(struct call *c) { return end_line(c, c->n_args < 2 || write_string(c)); }
static bool write_char(struct call *c) { return writer_add(c, c->args[0].ref, STR("")) && builder_add_unit(c, writer_of(c)->to, (uint32_t)c->args[1].i64); }
static bool write_line_char(struct call *c) { return end_line(c, write_char(c)); }

/* (char[]) or (char[], index, count) */
static bool
write_chars(struct call *c)
{
    const struct array *from = (const struct array *)c->args[1].ref;
    int64_t at = c->n_args > 2 ? call_i32(c, 2) : 0, n = c->n_args > 3 ? (int64_t)call_i32(c, 3) : from ? from->n : 0;

    if (!from)
        return c->n_args < 3 || throw_argument_null(c, "buffer");
    if (at < 0 || n < 0)
        return throw_argument_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
    if (at > from->n - n)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the number of "
                                       "elements from index to the end of the source collection.");
    if (!writer_add(c, c->args[0].ref, STR("")))
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!builder_add_unit(c, writer_of(c)->to, (uint32_t)from->u.v[at + i].i64))
            return false;
    return true;
}

static bool write_line_chars(struct call *c) { return end_line(c, write_chars(c)); }

static bool
write_value(struct call *c, const struct type *type)
{
    struct string *s;

    return value_to_string(c, type, c->args[1], STR_NONE, &s) && writer_add(c, c->args[0].ref, s ? string_str(s) : STR(""));
}

#define WRITE(name, field) \
    static bool write_##name(struct call *c) { return write_value(c, core_types(c->run->env)->field); } \
    static bool write_line_##name(struct call *c) { return end_line(c, write_##name(c)); }
WRITE(bool, bool_)
WRITE(long, long_)
WRITE(ulong, ulong_)
WRITE(float, float_)
WRITE(double, double_)
WRITE(decimal, decimal_)
WRITE(object, object)

static bool
write_formatted(struct call *c, struct object *const *args, uint32_t n)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 1))
        return throw_argument_null(c, "format");
    return format_composite(c, &b, call_str(c, 1), args, n) && writer_add(c, c->args[0].ref, b.len ? str_from(b.p, b.len) : STR(""));
}

static bool
write_format_few(struct call *c)
{
    struct object *args[3] = {NULL, NULL, NULL};

    for (uint32_t i = 2; i < c->n_args; i++)
        args[i - 2] = c->args[i].ref;
    return write_formatted(c, args, c->n_args - 2);
}

static bool
write_format_many(struct call *c)
{
    const struct array *args = (const struct array *)c->args[2].ref;
    struct object *const *objects;

    if (!args)
        return throw_argument_null(c, "args");
    return (objects = format_arguments(c, args)) && write_formatted(c, objects, args->n);
}

static bool write_line_format_few(struct call *c) { return end_line(c, write_format_few(c)); }
static bool write_line_format_many(struct call *c) { return end_line(c, write_format_many(c)); }

static bool
new_line(struct call *c)
{
    return writer_of(c)->new_line ? return_ref(c, writer_of(c)->new_line) : return_new(c, string_lit(c, "\n"));
}

static bool
set_new_line(struct call *c)
{
    writer_of(c)->new_line = call_string(c, 1);
    return true;
}

static bool
writer_encoding(struct call *c)
{
    return return_new(c, encoding_utf16(c));
}

#define W "TextWriter"
#define WRITE_ROWS(type, name) \
    M(W, "void Write(" type " value)", write_##name), M(W, "void WriteLine(" type " value)", write_line_##name)

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.IO.TextReader", NULL, "IDisposable", &reader_hooks),
    CLASS("System.IO.StringReader", "TextReader", NULL, NULL),
    CLASS_ABSTRACT("System.IO.TextWriter", NULL, "IDisposable", &writer_hooks),
    CLASS("System.IO.StringWriter", "TextWriter", NULL, NULL),
};

static const struct member_row members[] = {
    M("StringReader", "new(string s)", reader_new),
    M("TextReader", "string ReadLine()", read_line),
    M("TextReader", "string ReadToEnd()", read_to_end),
    M("TextReader", "int Read()", read_unit),
    M("TextReader", "int Read(char[] buffer, int index, int count)", read_block),
    M("TextReader", "int ReadBlock(char[] buffer, int index, int count)", read_block),
    M("TextReader", "int Peek()", peek),
    M("TextReader", "void Close()", close_reader),
    M("TextReader", "void Dispose()", close_reader),

    M("StringWriter", "new()", writer_new),
    M("StringWriter", "new(IFormatProvider formatProvider)", writer_new),
    M("StringWriter", "new(StringBuilder sb)", writer_over),
    M("StringWriter", "new(StringBuilder sb, IFormatProvider formatProvider)", writer_over),
    M("StringWriter", "StringBuilder GetStringBuilder()", string_builder),
    M(W, "System.Text.Encoding Encoding { get; }", writer_encoding),
    M(W, "void Write(string value)", write_string),
    M(W, "void WriteLine()", write_line),
    M(W, "void WriteLine(string value)", write_line),
    M(W, "void Write(char[] buffer)", write_chars),
    M(W, "void WriteLine(char[] buffer)", write_line_chars),
    M(W, "void Write(char[] buffer, int index, int count)", write_chars),
    M(W, "void WriteLine(char[] buffer, int index, int count)", write_line_chars),
    WRITE_ROWS("char", char),
    WRITE_ROWS("bool", bool),
    WRITE_ROWS("int", long),
    WRITE_ROWS("uint", long),
    WRITE_ROWS("long", long),
    WRITE_ROWS("ulong", ulong),
    WRITE_ROWS("float", float),
    WRITE_ROWS("double", double),
    WRITE_ROWS("decimal", decimal),
    WRITE_ROWS("object", object),
    M(W, "void Write(string format, object arg0)", write_format_few),
    M(W, "void Write(string format, object arg0, object arg1)", write_format_few),
    M(W, "void Write(string format, object arg0, object arg1, object arg2)", write_format_few),
    M(W, "void Write(string format, params object[] arg)", write_format_many),
    M(W, "void WriteLine(string format, object arg0)", write_line_format_few),
    M(W, "void WriteLine(string format, object arg0, object arg1)", write_line_format_few),
    M(W, "void WriteLine(string format, object arg0, object arg1, object arg2)", write_line_format_few),
    M(W, "void WriteLine(string format, params object[] arg)", write_line_format_many),
    P(W, "string NewLine { get; set; }", new_line, set_new_line),
    M(W, "string ToString()", to_string),
    M(W, "void Flush()", flush),
    M(W, "void Close()", close_writer),
    M(W, "void Dispose()", close_writer),
};

const struct library clr_string_io = LIBRARY("StringReader and StringWriter", types, members);
