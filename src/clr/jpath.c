/* jpath.c: SelectToken(s): JSONPath in Newtonsoft's dialect.
 *
 *     path    = ["$"] { "." name | ".." name | "[" indexer "]" }        name may be "*"
 *     indexer = number {"," number} | [start] ":" [end] [":" step] | "*" | quoted {"," quoted} | "?(" query ")"
 *     query   = side [operator side] { ("&&" | "||") side [operator side] }     right to left, no precedence, as Newtonsoft
 *     side    = ("@" | "$") path | number | quoted | true | false | null | /regex/flags
 * A path is read into steps; each step turns a list of tokens into the next one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/jtoken.h"

#include <stdio.h>

#include "base/num.h"
#include "data/regex.h"

enum step_kind { STEP_ROOT, STEP_FIELDS, STEP_FIELD_ANY, STEP_INDEXES, STEP_INDEX_ANY, STEP_SLICE, STEP_QUERY };

enum compare_op { OP_EXISTS, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_STRICT_EQ, OP_STRICT_NE, OP_REGEX };

struct step;

struct side {
    struct step *steps;               /* a path; NULL: `value` */
    struct jvalue *value;
};

struct query {
    struct side left, right;
    enum compare_op op;
    char join;                        /* '&', '|' or 0 */
    struct query *rest;               /* behind the join */
    struct jvalue *pattern;           /* what `regex` was made of; NULL: nothing yet */
    const struct regex *regex;
};

struct step {
    enum step_kind kind;
    bool scan;                        /* preceded by ".." */
    struct str *names;
    int64_t *indexes;
    uint32_t n;
    int64_t start, end, stride;
    bool has_start, has_end, has_stride;
    struct query *query;
    struct step *next;
};

enum { QUERY_DEPTH_MAX = 32 };

struct reader {
    struct call *c;
    struct str text;
    size_t at;
    uint32_t depth;                   /* queries inside queries */
};

/* ---- reading ---- */

static bool
fail(struct reader *r, const char *what, bool with_char)
{
    if (r->c->run->exception || r->c->run->exceeded)
        return false;
    if (!with_char)
        return call_throw(r->c, EXC_JSON, "%s", what);
    return call_throw(r->c, EXC_JSON, "%s%c", what, r->at < r->text.len ? r->text.p[r->at] : ' ');
}

static int
peek(const struct reader *r)
{
    return r->at < r->text.len ? (unsigned char)r->text.p[r->at] : -1;
}

static void
skip_blanks(struct reader *r)
{
    while (peek(r) == ' ')
        r->at++;
}

static struct step *
step_add(struct reader *r, struct step ***end, enum step_kind kind)
{
    struct step *s = call_alloc(r->c, sizeof(*s));

    if (s) {
        s->kind = kind;
        **end = s;
        *end = &s->next;
    }
    return s;
}

static bool
step_add_name(struct reader *r, struct step *s, struct str name)
{
    struct str *names = call_alloc(r->c, (s->n + 1) * sizeof(*names));

    if (!names)
        return false;
    if (s->n)
        memcpy(names, s->names, s->n * sizeof(*names));
    names[s->n++] = name;
    s->names = names;
    return true;
}

/* A name between dots. */
static bool
read_field(struct reader *r, struct step ***end, struct str name, bool scan)
{
    struct step *s = step_add(r, end, str_eq_lit(name, "*") ? STEP_FIELD_ANY : STEP_FIELDS);

    if (!s || (s->kind == STEP_FIELDS && !step_add_name(r, s, name)))
        return false;
    s->scan = scan;
    return true;
}

/* 'name' with backslash escapes; r->at stands at the quote. */
static bool
read_quoted(struct reader *r, struct str *ret)
{
    int quote = peek(r);
    struct buf b = call_buf(r->c);

    for (r->at++; r->at < r->text.len; r->at++) {
        char ch = r->text.p[r->at];
        if (ch == quote) {
            r->at++;
            *ret = buf_str(&b);
            return ret->p || fail(r, "Path is too long.", false);
        }
        if (ch == '\\' && r->at + 1 < r->text.len) {
            static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
            const char *escape = strchr(from, r->text.p[++r->at]);
            ch = escape ? to[escape - from] : r->text.p[r->at];
        }
        buf_add_char(&b, ch);
    }
    return fail(r, "Path ended with an open string.", false);
}

static bool
read_quoted_fields(struct reader *r, struct step ***end, bool scan)
{
    struct step *s = step_add(r, end, STEP_FIELDS);
    struct str name;

    if (!s)
        return false;
    s->scan = scan;
    for (;;) {
        if (!read_quoted(r, &name) || !step_add_name(r, s, name))
            return false;
        skip_blanks(r);
        if (peek(r) == ']')
            return true;
        if (peek(r) != ',')
            return fail(r, peek(r) < 0 ? "Path ended with open indexer." : "Unexpected character while parsing path indexer: ",
                        peek(r) >= 0);
        r->at++;
        skip_blanks(r);
        if (peek(r) != '\'' && peek(r) != '"')
            return fail(r, "Unexpected character while parsing path indexer: ", true);
    }
}

/* An optional signed number. */
static bool
read_number(struct reader *r, int64_t *ret, bool *ret_some)
{
    size_t from = r->at;

    skip_blanks(r);
    from = r->at;
    if (peek(r) == '-')
        r->at++;
    while (ascii_is_digit((char)peek(r)))
        r->at++;
    *ret_some = r->at > from;
    if (*ret_some && !num_parse_i64(str_sub(r->text, from, r->at), INT32_MIN, INT32_MAX, ret, NULL))
        return fail(r, "Array index expected.", false);
    skip_blanks(r);
    return true;
}

static bool
read_slice(struct reader *r, struct step *s, int64_t start, bool has_start)
{
    s->kind = STEP_SLICE;
    s->start = start;
    s->has_start = has_start;
    r->at++;
    if (!read_number(r, &s->end, &s->has_end))
        return false;
    while (peek(r) == ':') { /* of more than three parts Newtonsoft ignores the rest */
        struct step ignored = {0};
        struct step *to = s->has_stride ? &ignored : s;
        r->at++;
        if (!read_number(r, &to->stride, &to->has_stride))
            return false;
    }
    return true;
}

static bool
read_indexes(struct reader *r, struct step ***end)
{
    struct step *s = step_add(r, end, STEP_INDEXES);
    int64_t n, *indexes;
    bool some;

    if (!s)
        return false;
    if (peek(r) == '*') {
        r->at++;
        skip_blanks(r);
        s->kind = STEP_INDEX_ANY;
        return true;
    }
    for (;;) {
        if (!read_number(r, &n, &some))
            return false;
        if (peek(r) == ':' && s->n == 0)
            return read_slice(r, s, n, some);
        if (!some)
            return fail(r, peek(r) < 0    ? "Path ended with open indexer."
                           : peek(r) == ']' ? "Array index expected."
                                            : "Unexpected character while parsing path indexer: ",
                        peek(r) >= 0 && peek(r) != ']');
        indexes = call_alloc(r->c, (s->n + 1) * sizeof(*indexes));
        if (!indexes)
            return false;
        if (s->n)
            memcpy(indexes, s->indexes, s->n * sizeof(*indexes));
        indexes[s->n++] = n;
        s->indexes = indexes;
        if (peek(r) != ',')
            return true;
        r->at++;
    }
}

static bool read_query(struct reader *r, struct query **ret);

/* r->at stands at the bracket. */
static bool
read_indexer(struct reader *r, struct step ***end, bool scan)
{
    r->at++;
    skip_blanks(r);
    if (peek(r) < 0)
        return fail(r, "Path ended with open indexer.", false);
    if (peek(r) == '\'' || peek(r) == '"') {
        if (!read_quoted_fields(r, end, scan))
            return false;
    } else if (peek(r) == '?') {
        struct step *s = step_add(r, end, STEP_QUERY);
        r->at++;
        if (s && peek(r) != '(')
            return fail(r, "Unexpected character while parsing path indexer: ", true);
        r->at++;
        if (!s || !read_query(r, &s->query))
            return false;
        s->scan = scan;
        skip_blanks(r);
    } else if (!read_indexes(r, end)) {
        return false;
    }
    if (peek(r) != ']')
        return fail(r, peek(r) < 0 ? "Path ended with open indexer." : "Unexpected character while parsing path indexer: ",
                    peek(r) >= 0);
    r->at++;
    return true;
}

static bool
ends_name(const struct reader *r, int ch, bool in_query)
{
    if (ch < 0 || ch == '.' || ch == '[' || ch == ' ')
        return true;
    return in_query && strchr("=<>!|&)]", ch);
}

/* Steps up to the end of the text, or inside a query to what cannot belong to the path. */
static bool
read_path(struct reader *r, struct step **ret, bool in_query)
{
    struct step **end = ret;
    bool scan = false, after_dot = false, after_indexer = false;

    *ret = NULL;
    for (bool is_first = !in_query && r->at == 0;; is_first = false) {
        size_t from = r->at;
        int ch;

        if (is_first)
            skip_blanks(r); /* which are part of the name that follows, as Newtonsoft has it */

        while (!ends_name(r, ch = peek(r), in_query)) {
            if (after_indexer)
                return fail(r, "Unexpected character following indexer: ", true);
            if (!in_query && (ch == ']' || ch == ')'))
                return fail(r, "Unexpected character while parsing path: ", true);
            r->at++;
        }
        if (r->at > from) {
            if (!read_field(r, &end, str_sub(r->text, from, r->at), scan))
                return false;
            scan = after_dot = false;
        }
        if (ch == '[') {
            if (!read_indexer(r, &end, scan))
                return false;
            scan = after_dot = false;
            after_indexer = true;
        } else if (ch == '.') {
            r->at++;
            if ((scan = peek(r) == '.'))
                r->at++;
            after_dot = true;
            after_indexer = false;
        } else {
            size_t end_of_path = r->at;
            skip_blanks(r);
            if (!in_query && peek(r) >= 0) {
                r->at = end_of_path;
                return fail(r, "Unexpected character while parsing path: ", true);
            }
            return !after_dot || fail(r, "Unexpected end while parsing path.", false);
        }
    }
}

/* ---- queries ---- */

static bool
read_regex(struct reader *r, struct str *ret)
{
    size_t from = r->at++;

    for (; r->at < r->text.len; r->at++) {
        if (r->text.p[r->at] == '\\') {
            r->at++;
        } else if (r->text.p[r->at] == '/') {
            r->at++;
            while (r->at < r->text.len && ascii_is_alpha(r->text.p[r->at]))
                r->at++;
            *ret = str_sub(r->text, from, r->at);
            return true;
        }
    }
    return fail(r, "Path ended with an open regex.", false);
}

static bool
is_number_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("-.0123456789eE+", text.p[i]))
            return false;
    return text.len > 0;
}

static bool
read_value(struct reader *r, struct jvalue **ret)
{
    const struct core_types *core = core_types(r->c->run->env);
    size_t from = r->at;
    struct json number;
    struct str text;
    int64_t n;

    if (peek(r) == '\'' || peek(r) == '"')
        return read_quoted(r, &text) && (*ret = jvalue_new_string(r->c, text));
    if (peek(r) == '/')
        return read_regex(r, &text) && (*ret = jvalue_new_string(r->c, text));
    while (r->at < r->text.len && !strchr(" )=<>!|&", r->text.p[r->at]))
        r->at++;
    text = str_sub(r->text, from, r->at);
    if (str_eq_lit(text, "true") || str_eq_lit(text, "false"))
        return (*ret = jvalue_new(r->c, core->bool_, value_bool(text.len == 4))) != NULL;
    if (str_eq_lit(text, "null"))
        return (*ret = jvalue_new(r->c, NULL, value_i64(0))) != NULL;
    if (num_parse_i64(text, INT64_MIN, INT64_MAX, &n, NULL))
        return (*ret = jvalue_new(r->c, core->long_, value_i64(n))) != NULL;
    number = (struct json){.kind = JSON_NUMBER, .n = (uint32_t)text.len, {.p = text.p}};
    if (is_number_text(text))
        return (*ret = jvalue_new(r->c, core->double_, value_f64(json_double(&number, 0)))) != NULL;
    r->at = from;
    return fail(r, "Unexpected character while parsing path query: ", true);
}

static bool
read_side(struct reader *r, struct side *ret)
{
    int first;

    skip_blanks(r);
    first = peek(r);
    if (first != '@' && first != '$')
        return first < 0 ? fail(r, "Path ended with open query.", false) : read_value(r, &ret->value);
    r->at++;
    struct step *root = call_alloc(r->c, sizeof(*root)), **rest = &root->next;
    if (!root)
        return false;
    root->kind = STEP_ROOT;
    if (!read_path(r, rest, true))
        return false;
    root->n = first == '$';
    ret->steps = root;
    return true;
}

static bool
read_operator(struct reader *r, enum compare_op *ret)
{
    static const struct { const char *text; enum compare_op op; } operators[] = {
        {"===", OP_STRICT_EQ}, {"!==", OP_STRICT_NE}, {"==", OP_EQ}, {"=~", OP_REGEX}, {"!=", OP_NE}, {"<>", OP_NE},
        {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT}, {">", OP_GT},
    };

    for (size_t i = 0; i < COUNTOF(operators); i++) {
        if (str_starts_with(str_skip(r->text, r->at), str_from_c(operators[i].text))) {
            r->at += strlen(operators[i].text);
            *ret = operators[i].op;
            return true;
        }
    }
    return fail(r, "Could not read query operator.", false);
}

/* Up to and with the closing bracket. */
static bool
read_query(struct reader *r, struct query **ret)
{
    if (++r->depth > QUERY_DEPTH_MAX)
        return call_exceed(r->c, BUDGET_DEPTH);
    for (;;) {
        struct query *q = *ret = call_alloc(r->c, sizeof(*q));

        if (!q || !read_side(r, &q->left))
            return false;
        skip_blanks(r);
        if (peek(r) != ')' && peek(r) != '&' && peek(r) != '|' &&
            (!read_operator(r, &q->op) || !read_side(r, &q->right)))
            return false;
        skip_blanks(r);
        if (peek(r) == ')') {
            r->at++;
            r->depth--;
            return true;
        }
        if (peek(r) != '&' && peek(r) != '|')
            return fail(r, peek(r) < 0 ? "Path ended with open query." : "Unexpected character while parsing path query: ",
                        peek(r) >= 0);
        q->join = (char)peek(r);
        r->at++;
        if (peek(r) != q->join)
            return fail(r, "Unexpected character while parsing path query: ", true);
        r->at++;
        ret = &q->rest;
    }
}

/* ---- running ---- */

struct runner {
    struct call *c;
    struct jtoken *root;
    bool strict;                      /* errorWhenNoMatch */
};

static bool run_steps(struct runner *r, const struct step *steps, struct jtoken *from, struct jtoken_list *ret);
static bool query_matches(struct runner *r, struct query *q, struct jtoken *t, bool *ret);

static bool
missing(struct runner *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool
missing(struct runner *r, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    if (!r->strict)
        return true;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return call_throw(r->c, EXC_JSON, "%s", text);
}

static bool
run_fields(struct runner *r, const struct step *s, struct jtoken *t, struct jtoken_list *ret)
{
    struct jcontainer *o = (struct jcontainer *)t;
    struct jproperty *p;

    if (t->type != JTYPE_OBJECT)
        return missing(r, "Property '%.*s' not valid on %.*s.", STR_ARG(s->n ? s->names[0] : STR("*")),
                       STR_ARG(t->head.type->name));
    if (s->kind == STEP_FIELD_ANY) {
        if (!jcontainer_open(r->c, o))
            return false;
        for (uint32_t i = 0; i < o->n; i++)
            if (!jtoken_list_add(r->c, ret, ((struct jproperty *)o->items[i])->value))
                return false;
        return true;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (!jobject_find(r->c, o, s->names[i], &p) || (p && !jtoken_list_add(r->c, ret, p->value)))
            return false;
        /* Of several names Newtonsoft misses each, whether it is there or not. */
        if ((!p || s->n > 1) && !missing(r, "Property '%.*s' does not exist on JObject.", STR_ARG(s->names[i])))
            return false;
    }
    return true;
}

static bool
run_indexes(struct runner *r, const struct step *s, struct jtoken *t, struct jtoken_list *ret)
{
    struct jcontainer *k = (struct jcontainer *)t;

    if (t->type != JTYPE_ARRAY && t->type != JTYPE_CONSTRUCTOR)
        return s->kind == STEP_INDEX_ANY
                   ? missing(r, "Index * not valid on %.*s.", STR_ARG(t->head.type->name))
                   : missing(r, "Index %" PRId64 " not valid on %.*s.", s->indexes[0], STR_ARG(t->head.type->name));
    if (!jcontainer_open(r->c, k))
        return false;
    for (uint32_t i = 0; s->kind == STEP_INDEX_ANY && i < k->n; i++)
        if (!jtoken_list_add(r->c, ret, k->items[i]))
            return false;
    for (uint32_t i = 0; i < s->n; i++) {
        int64_t at = s->indexes[i];
        if (at < 0)
            return throw_argument_range(r->c, "index", "Index was out of range. Must be non-negative and less than the "
                                                       "size of the collection.");
        if (at < k->n ? !jtoken_list_add(r->c, ret, k->items[at])
                      : !missing(r, "Index %" PRId64 " outside the bounds of JArray.", at))
            return false;
    }
    return true;
}

static bool
run_slice(struct runner *r, const struct step *s, struct jtoken *t, struct jtoken_list *ret)
{
    struct jcontainer *k = (struct jcontainer *)t;
    int64_t stride = s->has_stride ? s->stride : 1, start, end, n;

    if (stride == 0)
        return call_throw(r->c, EXC_JSON, "Step cannot be zero.");
    if (t->type != JTYPE_ARRAY)
        return missing(r, "Array slice is not valid on %.*s.", STR_ARG(t->head.type->name));
    if (!jcontainer_open(r->c, k))
        return false;
    n = k->n;
    start = s->has_start ? s->start : stride > 0 ? 0 : n - 1;
    end = s->has_end ? s->end : stride > 0 ? n : -1;
    start += s->has_start && s->start < 0 ? n : 0;
    end += s->has_end && s->end < 0 ? n : 0;
    start = MIN(stride > 0 ? MAX(start, 0) : start, stride > 0 ? n : n - 1);
    end = MIN(MAX(end, -1), n);
    if (stride > 0 ? start >= end : start <= end)
        return missing(r, "Array slice of %s to %s returned no results.", s->has_start ? "start" : "*", s->has_end ? "end" : "*");
    for (int64_t i = start; stride > 0 ? i < end : i > end; i += stride)
        if (!jtoken_list_add(r->c, ret, k->items[i]))
            return false;
    return true;
}

/* Queries look at each child. */
static bool
run_query(struct runner *r, const struct step *s, struct jtoken *t, struct jtoken_list *ret)
{
    struct jtoken **children;
    bool matches;
    uint32_t n;

    if (!jtoken_children(r->c, t, &children, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!call_charge(r->c, 1) || !query_matches(r, s->query, children[i], &matches))
            return false;
        if (matches && !jtoken_list_add(r->c, ret, children[i]))
            return false;
    }
    return true;
}

/* What ".." takes at one token: the values of properties with the names, or every value that is no property. */
static bool
scan_one(struct runner *r, const struct step *s, struct jtoken *t, bool is_top, struct jtoken_list *ret)
{
    bool matches = false;

    if (s->kind == STEP_QUERY) {
        if (!query_matches(r, s->query, t, &matches))
            return false;
        return !matches || jtoken_list_add(r->c, ret, t);
    }
    if (s->kind == STEP_FIELD_ANY)
        return t->type == JTYPE_PROPERTY || jtoken_list_add(r->c, ret, t);
    if (is_top || t->type != JTYPE_PROPERTY)
        return true;
    for (uint32_t i = 0; i < s->n; i++)
        if (str_eq(string_str(((struct jproperty *)t)->name), s->names[i]))
            return jtoken_list_add(r->c, ret, ((struct jproperty *)t)->value);
    return true;
}

/* Document order, by first child, next sibling and parent. */
static bool
run_scan(struct runner *r, const struct step *s, struct jtoken *top, struct jtoken_list *ret)
{
    struct jtoken *t = top, **children;
    uint32_t n;

    for (;;) {
        if (!call_charge(r->c, 1) || !scan_one(r, s, t, t == top, ret) || !jtoken_children(r->c, t, &children, &n))
            return false;
        if (n > 0) {
            t = children[0];
            continue;
        }
        for (;; t = t->parent) {
            if (t == top)
                return true;
            uint32_t next = jtoken_index(t) + 1;
            if (!jtoken_children(r->c, t->parent, &children, &n))
                return false;
            if (next < n) {
                t = children[next];
                break;
            }
        }
    }
}

static bool
run_step(struct runner *r, const struct step *s, struct jtoken *t, struct jtoken_list *ret)
{
    if (s->scan)
        return run_scan(r, s, t, ret);
    switch (s->kind) {
    case STEP_ROOT: return jtoken_list_add(r->c, ret, s->n ? r->root : t);
    case STEP_FIELDS: case STEP_FIELD_ANY: return run_fields(r, s, t, ret);
    case STEP_INDEXES: case STEP_INDEX_ANY: return run_indexes(r, s, t, ret);
    case STEP_SLICE: return run_slice(r, s, t, ret);
    case STEP_QUERY: return run_query(r, s, t, ret);
    }
    UNREACHABLE();
}

static bool
run_steps(struct runner *r, const struct step *steps, struct jtoken *from, struct jtoken_list *ret)
{
    struct jtoken_list now = {0}, next;

    if (!jtoken_list_add(r->c, &now, from))
        return false;
    for (const struct step *s = steps; s; s = s->next) {
        next = (struct jtoken_list){0};
        for (uint32_t i = 0; i < now.n; i++)
            if (!run_step(r, s, now.v[i], &next))
                return false;
        now = next;
    }
    *ret = now;
    return true;
}

/* ---- comparing ---- */

/* Reads "/pattern/flags" once for a query; *ret NULL when it is no pattern. False after throwing. */
static bool
query_regex(struct runner *r, struct query *q, struct jvalue *pattern, const struct regex **ret)
{
    struct str p = pattern->t.type == JTYPE_STRING && pattern->v.ref ? string_str((struct string *)pattern->v.ref) : STR_NONE;
    ptrdiff_t slash = str_rfind_char(p, '/');
    struct err err = ERR_INIT;
    unsigned options = 0;
    struct regex *made;

    *ret = q->pattern == pattern ? q->regex : NULL;
    if (*ret || slash <= 0)
        return true;
    for (size_t i = (size_t)slash + 1; i < p.len; i++) {
        static const char flags[] = "imsx";
        static const unsigned meant[] = {REGEX_IGNORE_CASE, REGEX_MULTILINE, REGEX_SINGLELINE, REGEX_EXPLICIT_CAPTURE};
        const char *flag = strchr(flags, p.p[i]);
        options |= flag ? meant[flag - flags] : 0;
    }
    if (!call_charge(r->c, 1000 + p.len))
        return false;
    if (!(made = regex_new(str_sub(p, 1, (size_t)slash), options, &err)))
        return throw_argument(r->c, NULL, "%s", err.text);
    if (!arena_defer(r->c->run->arena, regex_delete_any, made)) {
        regex_delete(made);
        return call_exceed(r->c, BUDGET_BYTES);
    }
    q->pattern = pattern;
    *ret = q->regex = made;
    return true;
}

static bool
regex_matches(struct runner *r, struct query *q, struct jvalue *text, struct jvalue *pattern, bool *ret)
{
    const struct regex *regex;
    struct regex_span *spans;
    struct str s;

    *ret = false;
    if (text->t.type != JTYPE_STRING || !text->v.ref)
        return true;
    if (!query_regex(r, q, pattern, &regex) || !regex)
        return !r->c->run->exception && !r->c->run->exceeded;
    s = string_str((struct string *)text->v.ref);
    if (!call_charge(r->c, s.len / 8 + 100) || !(spans = call_alloc(r->c, regex_groups(regex) * sizeof(*spans))))
        return false;
    switch (regex_match(regex, s, regex_is_right_to_left(regex) ? s.len : 0, (uint64_t)r->c->run->limits->regex_steps, spans)) {
    case REGEX_MATCH: *ret = true; return true;
    case REGEX_NO_MATCH: return true;
    case REGEX_NO_MEMORY: return call_exceed(r->c, BUDGET_BYTES);
    case REGEX_TOO_LONG: break;
    }
    return call_exceed(r->c, BUDGET_REGEX);
}

/* Equality of the query language: integers and floats by value, dates and the like by their text. */
static bool
loosely_equal(struct call *c, struct jvalue *a, struct jvalue *b, bool *ret)
{
    bool a_is_number = a->t.type == JTYPE_INTEGER || a->t.type == JTYPE_FLOAT;
    bool b_is_number = b->t.type == JTYPE_INTEGER || b->t.type == JTYPE_FLOAT;
    struct buf text = call_buf(c);
    int order;

    if (!jvalue_equals(c, a, b, ret))
        return false;
    if (*ret)
        return true;
    if (a_is_number && b_is_number) {
        if (!jvalue_compare(c, a, b, &order))
            return false;
        *ret = order == 0;
        return true;
    }
    if (b->t.type != JTYPE_STRING || !b->v.ref || !a->value_type || a_is_number || a->t.type == JTYPE_BOOLEAN)
        return true;
    if (!json_write_value(c, a->value_type, a->v, &text))
        return false;
    *ret = text.len >= 2 && str_eq(str_from(text.p + 1, text.len - 2), string_str((struct string *)b->v.ref));
    return true;
}

static bool
compare(struct call *c, struct jvalue *a, struct jvalue *b, int *ret)
{
    if (a->t.type != JTYPE_STRING || b->t.type == JTYPE_STRING || !b->value_type)
        return jvalue_compare(c, a, b, ret);
    if (!jvalue_compare(c, b, a, ret)) /* text against another type: compared as that type */
        return false;
    *ret = -*ret;
    return true;
}

static bool
values_match(struct runner *r, struct query *q, struct jtoken *left, struct jtoken *right, bool *ret)
{
    enum compare_op op = q->op;
    bool is_container = jtoken_is_container(left) || jtoken_is_container(right) || left->type == JTYPE_PROPERTY;
    struct jvalue *a = (struct jvalue *)left, *b = (struct jvalue *)right;
    int order = 0;

    *ret = op == OP_NE || op == OP_STRICT_NE;
    if (is_container)
        return true;
    switch (op) {
    case OP_EXISTS: *ret = true; return true;
    case OP_REGEX: return regex_matches(r, q, a, b, ret);
    case OP_EQ: case OP_NE:
        if (!loosely_equal(r->c, a, b, ret))
            return false;
        *ret = *ret == (op == OP_EQ);
        return true;
    case OP_STRICT_EQ: case OP_STRICT_NE:
        if (!jvalue_equals(r->c, a, b, ret))
            return false;
        *ret = *ret == (op == OP_STRICT_EQ);
        return true;
    case OP_LT: case OP_LE: case OP_GT: case OP_GE: break;
    }
    if (!compare(r->c, a, b, &order))
        return false;
    *ret = op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0;
    return true;
}

static bool
side_tokens(struct runner *r, const struct side *s, struct jtoken *t, struct jtoken_list *ret)
{
    struct runner quiet = {r->c, r->root, false};

    if (s->steps)
        return run_steps(&quiet, s->steps, t, ret);
    return jtoken_list_add(r->c, ret, &s->value->t);
}

static bool
comparison_matches(struct runner *r, struct query *q, struct jtoken *t, bool *ret)
{
    struct jtoken_list left = {0}, right = {0};

    *ret = false;
    if (!side_tokens(r, &q->left, t, &left))
        return false;
    if (q->op == OP_EXISTS) {
        *ret = left.n > 0;
        return true;
    }
    if (!side_tokens(r, &q->right, t, &right))
        return false;
    for (uint32_t i = 0; i < left.n; i++)
        for (uint32_t k = 0; k < right.n && !*ret; k++)
            if (!call_charge(r->c, 1) || !values_match(r, q, left.v[i], right.v[k], ret))
                return false;
    return true;
}

static bool
query_matches(struct runner *r, struct query *q, struct jtoken *t, bool *ret)
{
    for (;; q = q->rest) {
        if (!comparison_matches(r, q, t, ret))
            return false;
        if (!q->rest || *ret == (q->join == '|'))
            return true;
    }
}

bool
jtoken_select(struct call *c, struct jtoken *from, struct str path, bool error_when_missing, struct jtoken_list *ret)
{
    struct reader r = {.c = c, .text = path};
    struct runner run = {c, from, error_when_missing};
    struct jtoken_list found = {0};
    struct step *steps;

    if (path.len && path.p[0] == '$' && (path.len == 1 || path.p[1] == '.' || path.p[1] == '['))
        r.at = 1;
    if (!read_path(&r, &steps, false) || !run_steps(&run, steps, from, &found))
        return false;
    for (uint32_t i = 0; i < found.n; i++)
        if (!jtoken_list_add(c, ret, found.v[i]))
            return false;
    return true;
}
