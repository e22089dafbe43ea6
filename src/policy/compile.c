/* compile.c: elements become configured structs by their tables, and blocks of policies become steps.
 *
 * Lenient by default: what Azure refuses and we can run is a warning. --strict turns those into errors. What cannot run is
 * an error either way, and nothing is dropped without a word.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "expr/program.h"
#include "http/headers.h"
#include "policy/hidden_fields.h"

#define STEPS_MAX 100000              /* of one section, fragments put in */
#define FRAGMENT_DEPTH_MAX 10
#define FRAGMENT_BYTES_MAX ((size_t)512 << 10)  /* Azure's limit, not ours (policies.md 1.5) */

/* A fragment on its way into a section. */
struct fragment_use {
    struct str id;
    const struct fragment_use *outer;
};

/* --- diagnostics --------------------------------------------------------------------------------------------------- */

static void
add_diag(struct compiler *c, enum diag_level level, const struct node *n, const char *fmt, va_list ap)
{
    char text[ERR_TEXT_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    diag_add(c->diags, level, n->source, n->at, n->len, "%s", text);
}

bool
compile_error(struct compiler *c, const struct node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_diag(c, DIAG_ERROR, n, fmt, ap);
    va_end(ap);
    c->has_failed = true;
    return false;
}

void
compile_warning(struct compiler *c, const struct node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_diag(c, DIAG_WARNING, n, fmt, ap);
    va_end(ap);
}

bool
compile_strict(struct compiler *c, const struct node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_diag(c, c->in->is_strict ? DIAG_ERROR : DIAG_WARNING, n, fmt, ap);
    va_end(ap);
    c->has_failed |= c->in->is_strict;
    return !c->in->is_strict;
}

/* The attribute of this element or of one inside that says just this; NULL when none does. The reader bounds the depth. */
static const struct doc_text *
attribute_that_says(const struct node *n, struct str what)
{
    const struct doc_text *found = NULL;

    for (const struct attribute *a = n->attrs; a && !found; a = a->next)
        if (str_eq(a->text.value, what))
            found = &a->text;
    for (const struct node *child = n->first_child; child && !found; child = child->next)
        found = attribute_that_says(child, what);
    return found;
}

bool
compile_unknown_name(struct compiler *c, const struct node *n, const char *what, struct str name)
{
    const struct doc_text *written = attribute_that_says(n, name);
    bool is_lone = c->in->names && c->in->names->is_lone;
    enum diag_level level = is_lone ? DIAG_NOTE : DIAG_ERROR;
    const char *more = is_lone ? " in this file alone" : "";

    if (!is_lone && compile_is_placeholder(c, name))
        return true;
    if (written)
        diag_add_mapped(c->diags, level, &written->map, 0, (uint32_t)name.len, "there is no %s '%.*s'%s", what, STR_ARG(name),
                        more);
    else
        diag_add(c->diags, level, n->source, n->at, n->len, "there is no %s '%.*s'%s", what, STR_ARG(name), more);
    c->has_failed |= !is_lone;
    return is_lone;
}

bool
compile_schema_pointer(struct compiler *c, const struct node *n, struct str pointer)
{
    struct str *slot = avec_push(c->arena, &c->schema_pointers);

    if (!slot)
        return compile_error(c, n, "the document needs too much memory");
    *slot = pointer;
    return true;
}

/* A problem with one text; its own words are underlined. */
static bool PRINTF_LIKE(3, 4)
text_error(struct compiler *c, const struct doc_text *text, const char *fmt, ...)
{
    char message[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    diag_add_mapped(c->diags, DIAG_ERROR, &text->map, 0, (uint32_t)text->value.len, "%s", message);
    c->has_failed = true;
    return false;
}

/* " (line 3)": how messages name the place a text belongs to. */
static const char *
attr_label(const struct attr_def *def)
{
    return def->name[0] ? def->name : "the text";
}

/* --- values -------------------------------------------------------------------------------------------------------- */

static void
list_choices(const struct choice *choices, char *to, size_t size)
{
    size_t at = 0;

    to[0] = 0;
    for (const struct choice *ch = choices; ch->name && at < size; ch++)
        at += (size_t)snprintf(to + at, size - at, "%s%s", ch == choices ? "" : ", ", ch->name);
}

static bool
next_choice(void *ctx, struct str *candidate)
{
    const struct choice **at = ctx;

    if (!(*at)->name)
        return false;
    *candidate = str_from_c((*at)++->name);
    return true;
}

static bool
unknown_choice(const struct choice *choices, struct str text, struct err *err)
{
    const struct choice *at = choices;
    struct str nearest = diag_nearest(text, next_choice, &at);
    char names[256];

    list_choices(choices, names, sizeof(names));
    return err_set(err, ERR_SYNTAX, "expected one of %s, found '%.*s'%s%.*s%s", names, STR_ARG(text),
                   nearest.p ? "; did you mean '" : "", STR_ARG(nearest), nearest.p ? "'?" : "");
}

static bool
find_choice(const struct choice *choices, struct str text, int *ret)
{
    for (const struct choice *ch = choices; ch->name; ch++) {
        if (str_eq_nocase(str_from_c(ch->name), text)) {
            *ret = ch->value;
            return true;
        }
    }
    return false;
}

static bool
parse_f64(struct str text, double *ret)
{
    char copy[64], *end;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    *ret = strtod(copy, &end);
    return *end == 0 && isfinite(*ret) && !strpbrk(copy, "xX");
}

/* The literal `text` as the type says, into ret->literal. */
static bool
convert_literal(const struct attr_def *def, struct str text, struct pvalue *ret, struct err *err)
{
    switch (def->type) {
    case ATTR_TYPE_STR:
    case ATTR_TYPE_ANY:
        return true;
    case ATTR_TYPE_BOOL:
        return num_parse_bool(text, &ret->literal.truth, err);
    case ATTR_TYPE_U32:
        if (!num_parse_u32(text, def->max ? def->max : UINT32_MAX, &ret->literal.number, err))
            return false;
        if (ret->literal.number < def->min)
            return err_set(err, ERR_LIMIT, "'%.*s' is below %" PRIu32, STR_ARG(text), def->min);
        return true;
    case ATTR_TYPE_F64:
        return parse_f64(text, &ret->literal.real) ||
               err_set(err, ERR_SYNTAX, "expected a number, found '%.*s'", STR_ARG(text));
    case ATTR_TYPE_CHOICE:
        return find_choice(def->choices, text, &ret->literal.choice) || unknown_choice(def->choices, text, err);
    }
    UNREACHABLE();
}

/* A static type that can never become what the attribute wants. */
static bool
type_fits(const struct attr_def *def, const struct type *type)
{
    bool is_number = type->kind >= TYPE_SBYTE && type->kind <= TYPE_DECIMAL;

    switch (def->type) {
    case ATTR_TYPE_BOOL:
        return !is_number && type->kind != TYPE_CHAR;
    case ATTR_TYPE_U32:
    case ATTR_TYPE_F64:
        return type->kind != TYPE_BOOL;
    case ATTR_TYPE_STR:
    case ATTR_TYPE_ANY:
    case ATTR_TYPE_CHOICE:
        return true;
    }
    UNREACHABLE();
}

/* What is only checked may hold {{named values}} that nobody knows here. */
static bool
may_have_open_names(const struct compiler *c)
{
    return c->has_open_names || (c->in->names && (c->in->names->is_lone || c->in->names->has_stand_ins));
}

/* A named value that nobody knows may stand for any operand: such an expression is not compiled, the note about the name says
 * enough. */
static bool
has_open_operand(const struct compiler *c, struct str text)
{
    if (!may_have_open_names(c))
        return false;
    for (ptrdiff_t at = str_find(text, STR("{{"), 0); at >= 0; at = str_find(text, STR("{{"), (size_t)at + 2))
        if (expression_is_code(text, (size_t)at))
            return true;
    return false;
}

static bool
compile_expression(struct compiler *c, const struct attr_def *def, const struct doc_text *text, struct pvalue *ret)
{
    struct expr_options options = {.map = &text->map, .wanted = EXPR_ANY, .is_strict = c->in->is_strict};

    if (!def->is_value)
        return text_error(c, text, "%s cannot be an expression", attr_label(def));
    if (!c->in->env)
        return text_error(c, text, "expressions are not available here");
    if (def->is_literal && c->in->is_strict)
        return text_error(c, text, "Azure allows no expression in %s", attr_label(def));
    ret->text = text->value;
    if (has_open_operand(c, text->value))
        return true;
    ret->program = expr_compile(c->in->env, text->value, &options, c->arena, c->diags);
    if (!ret->program) {
        c->has_failed = true;
        return false;
    }
    const struct type *type = expr_program_type(ret->program);
    if (!type_fits(def, type))
        return text_error(c, text, "%s takes %s, this expression is of type %.*s", attr_label(def),
                          def->type == ATTR_TYPE_BOOL ? "true or false" : "a number", STR_ARG(type->name));
    return true;
}

static bool
is_of_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Whether a word stands between two of a mark somewhere: https://#host#/x. */
static bool
has_word_between(struct str text, struct str mark)
{
    for (ptrdiff_t at = str_find(text, mark, 0); at >= 0; at = str_find(text, mark, (size_t)at + 1)) {
        struct str rest = str_skip(text, (size_t)at + mark.len);
        size_t n = 0;

        while (n < rest.len && is_of_word(rest.p[n]) && !str_starts_with(str_skip(rest, n), mark))
            n++;
        if (n && n < rest.len && str_starts_with(str_skip(rest, n), mark))
            return true;
    }
    return false;
}

/* A document checked alone may hold what somebody else fills in: {{named values}}, and the placeholders of deployment
 * tools: {x}, https://${x}/y, #{x}#, #x#, __x__. */
bool
compile_is_placeholder(const struct compiler *c, struct str text)
{
    if (!may_have_open_names(c))
        return false;
    if (str_find(text, STR("{{"), 0) >= 0)
        return true;
    return c->in->names && c->in->names->is_lone &&
           (str_find(text, STR("${"), 0) >= 0 || str_find(text, STR("#{"), 0) >= 0 || has_word_between(text, STR("#")) ||
            has_word_between(text, STR("__")) || (str_starts_with(text, STR("{")) && str_ends_with(text, STR("}"))));
}

/* A name with a blank or a colon in it names no header: what it is for never happens. */
static bool
check_header_name(struct compiler *c, const struct attr_def *def, const struct doc_text *text)
{
    struct str name = str_trim(text->value);

    if (http_name_is_valid(name) || compile_is_placeholder(c, name))
        return true;
    if (c->in->is_strict)
        return text_error(c, text, "%s: '%.*s' is not a header name", attr_label(def), STR_ARG(name));
    diag_add_mapped(c->diags, DIAG_WARNING, &text->map, 0, (uint32_t)text->value.len, "%s: '%.*s' is not a header name", attr_label(def),
                    STR_ARG(name));
    return true;
}

/* context.Request..., (context.Request...: text, where somebody forgot the @. */
static bool
begins_like_code(struct str text)
{
    struct str t = str_trim(text);

    if (str_starts_with(t, STR("@\"")) || str_starts_with(t, STR("@$\"")))
        return true;
    while (t.len && memchr("@(!$#", t.p[0], 5))
        t = str_skip(t, 1);
    return str_starts_with(t, STR("context.")) && t.len > 8 && t.p[8] >= 'A' && t.p[8] <= 'Z';
}

/* @(a)) and @{...}}: a bracket too many, or one too few before the end of the expression. */
static bool
closes_early(struct str text, size_t *ret_end)
{
    struct str t = str_trim(text);

    *ret_end = 0;
    if (!str_starts_with(t, STR("@(")) && !str_starts_with(t, STR("@{")))
        return false;
    *ret_end = expression_end(text, (size_t)str_find_char(text, '@', 0), false);
    return *ret_end && t.p[t.len - 1] == (t.p[1] == '(' ? ')' : '}');
}

/* A literal in which code stands is one all the same; whoever wrote it hears of it. False: it was meant as an expression. */
static bool
check_code(struct compiler *c, const struct attr_def *def, const struct doc_text *text)
{
    ptrdiff_t code = MAX(str_find(text->value, STR("@("), 0), str_find(text->value, STR("@{"), 0));
    size_t end;

    if (closes_early(text->value, &end)) {
        diag_add_mapped(c->diags, DIAG_ERROR, &text->map, (uint32_t)end - 1, 1,
                        "%s: this closes the expression, but more follows: a bracket too many, or one missing before",
                        attr_label(def));
        c->has_failed = true;
        return false;
    }
    if (end)
        diag_add_mapped(c->diags, DIAG_WARNING, &text->map, (uint32_t)end, (uint32_t)(text->value.len - end),
                        "%s: the expression ends before this, so that all of it stays as it is written; an expression is "
                        "the whole of a value", attr_label(def));
    else if (code >= 0)
        diag_add_mapped(c->diags, DIAG_WARNING, &text->map, (uint32_t)code, 2,
                        "%s: this stays as it is written; an expression is the whole of a value", attr_label(def));
    else if (begins_like_code(text->value) && (def->type == ATTR_TYPE_STR || def->type == ATTR_TYPE_ANY))
        diag_add_mapped(c->diags, DIAG_WARNING, &text->map, 0, (uint32_t)text->value.len,
                        "%s: this stays as it is written; an expression stands in @(...)", attr_label(def));
    return true;
}

bool
compile_value(struct compiler *c, const struct attr_def *def, const struct doc_text *text, struct pvalue *ret)
{
    struct err err;

    *ret = (struct pvalue){.text = text->value};
    if (text->is_broken)
        return true;
    if (text->is_expression) {
        leak_guard_expression(c, text->value);
        hidden_fields_expression(c, text);
        return compile_expression(c, def, text, ret);
    }
    if (!check_code(c, def, text))
        return false;
    if (def->name[0] == 0 ? !def->keep_blanks : def->type != ATTR_TYPE_STR && def->type != ATTR_TYPE_ANY)
        ret->text = str_trim(ret->text);
    if (!convert_literal(def, ret->text, ret, &err) && !compile_is_placeholder(c, ret->text))
        return text_error(c, text, "%s: %s%s", attr_label(def), err.text,
                          begins_like_code(text->value) ? "; an expression stands in @(...)" : "");
    return !def->is_header_name || check_header_name(c, def, text);
}

/* --- attributes ---------------------------------------------------------------------------------------------------- */

/* Puts a converted value where the table says: the whole pvalue, or the plain field. */
static void
store(const struct attr_def *def, const struct pvalue *v, void *conf)
{
    void *field = (char *)conf + def->offset;

    if (def->is_value) {
        *(struct pvalue *)field = *v;
        return;
    }
    switch (def->type) {
    case ATTR_TYPE_STR:
    case ATTR_TYPE_ANY:
        *(struct str *)field = v->text;
        return;
    case ATTR_TYPE_BOOL:
        *(bool *)field = v->literal.truth;
        return;
    case ATTR_TYPE_U32:
        *(uint32_t *)field = v->literal.number;
        return;
    case ATTR_TYPE_F64:
        *(double *)field = v->literal.real;
        return;
    case ATTR_TYPE_CHOICE:
        *(int *)field = v->literal.choice;
        return;
    }
}

static void
store_default(const struct attr_def *def, void *conf)
{
    struct pvalue v = {.text = str_from_c(def->fallback)};

    if (!def->fallback)
        return;
    ASSERT(convert_literal(def, v.text, &v, NULL));
    store(def, &v, conf);
}

static bool
fill_attribute(struct compiler *c, const struct node *n, const struct attr_def *def, void *conf)
{
    const struct attribute *a = def->name[0] ? node_attr(n, def->name) : NULL;
    const struct doc_text *text = a ? &a->text : !def->name[0] && str_trim(n->text.value).len ? &n->text : NULL;
    struct pvalue v;

    if (!def->name[0] && def->keep_blanks && n->text.value.len)
        text = &n->text;
    if (!text) {
        store_default(def, conf);
        if (!def->required)
            return true;
        if (def->name[0])
            return compile_error(c, n, "<%.*s> needs the attribute %s", STR_ARG(n->name), def->name);
        return compile_error(c, n, "<%.*s> needs a text", STR_ARG(n->name));
    }
    if (!compile_value(c, def, text, &v))
        return false;
    if (def->required && !def->is_value && def->type == ATTR_TYPE_STR && !str_trim(v.text).len &&
        !compile_strict(c, n, "%s of <%.*s> is empty", attr_label(def), STR_ARG(n->name)))
        return false;
    if (def->no_effect)
        compile_warning(c, n, "%s of <%.*s> has no effect: %s", attr_label(def), STR_ARG(n->name), def->no_effect);
    store(def, &v, conf);
    return true;
}

struct attr_names {
    const struct attr_def *at;
};

static bool
next_attr_name(void *ctx, struct str *candidate)
{
    struct attr_names *names = ctx;

    while (names->at && names->at->name && !names->at->name[0])
        names->at++;                  /* the element's text */
    if (!names->at || !names->at->name)
        return false;
    *candidate = str_from_c((names->at++)->name);
    return true;
}

static const struct attr_def *
find_attr(const struct attr_def *attrs, struct str name)
{
    for (; attrs && attrs->name; attrs++)
        if (str_eq(str_from_c(attrs->name), name))
            return attrs;
    return NULL;
}

bool
compile_known_attributes(struct compiler *c, const struct node *n, const struct attr_def *attrs)
{
    bool ok = true;

    for (const struct attribute *a = n->attrs; a; a = a->next) {
        if (find_attr(attrs, a->name) || str_eq_lit(a->name, "id") || str_starts_with(a->name, STR("xmlns")))
            continue;
        struct str nearest = diag_nearest(a->name, next_attr_name, &(struct attr_names){attrs});
        diag_add(c->diags, c->in->is_strict ? DIAG_ERROR : DIAG_WARNING, n->source, a->name_at, (uint32_t)a->name.len,
                 "<%.*s> has no attribute '%.*s', it is ignored%s%.*s%s", STR_ARG(n->name), STR_ARG(a->name),
                 nearest.p ? "; did you mean '" : "", STR_ARG(nearest), nearest.p ? "'?" : "");
        ok &= !c->in->is_strict;
    }
    c->has_failed |= !ok;
    return ok;
}

/* --- children ------------------------------------------------------------------------------------------------------ */

static const struct child_def *
find_child(const struct child_def *children, struct str name)
{
    for (; children && children->name; children++)
        if (str_eq(str_from_c(children->name), name))
            return children;
    return NULL;
}

static uint32_t
count_children(const struct node *n, struct str name)
{
    uint32_t count = 0;

    for (const struct node *k = n->first_child; k; k = k->next)
        count += str_eq(k->name, name);
    return count;
}

/* Whether `k` is the first of its kind with that value; of two, one goes unheard. */
static bool
check_unique(struct compiler *c, const struct node *k, const char *name)
{
    const struct attribute *a = node_attr(k, name), *b;

    for (const struct node *other = k->parent->first_child; a && !a->text.is_expression && other != k; other = other->next)
        if (str_eq(other->name, k->name) && (b = node_attr(other, name)) && str_eq_nocase(str_trim(a->text.value), str_trim(b->text.value)))
            return compile_strict(c, k, "there are two <%.*s> with the %s '%.*s'", STR_ARG(k->name), name, STR_ARG(a->text.value));
    return true;
}

static bool
fill_child(struct compiler *c, const struct node *k, const struct child_def *def, void *conf)
{
    const struct policy_def *policy = def->policy;

    if (!policy)
        return compile_element(c, k, def->attrs, def->children, conf);
    return compile_element(c, k, policy->attrs, policy->children, conf) &&
           (!policy->compile || policy->compile(c, k, conf));
}

static bool
fill_children(struct compiler *c, const struct node *n, const struct child_def *def, void *conf)
{
    struct children *list = (struct children *)((char *)conf + def->offset);
    uint32_t count = count_children(n, str_from_c(def->name));
    size_t size = def->policy ? def->policy->size : def->size;
    bool ok = true;

    if (count == 0)
        return !def->required || compile_error(c, n, "<%.*s> needs a <%s>", STR_ARG(n->name), def->name);
    if (def->is_opaque)
        return true;
    list->v = arena_alloc_zero(c->arena, count, size, _Alignof(max_align_t));
    if (!list->v)
        return compile_error(c, n, "the document needs too much memory");
    for (const struct node *k = n->first_child; k; k = k->next) {
        if (!str_eq(k->name, str_from_c(def->name)))
            continue;
        if (list->n == 1 && def->once)
            ok &= compile_strict(c, k, "<%.*s> takes one <%s>", STR_ARG(n->name), def->name);
        if (def->is_extension)
            ok &= compile_strict(c, k, "Azure has no <%s> in <%.*s>", def->name, STR_ARG(n->name));
        if (def->unique)
            ok &= check_unique(c, k, def->unique);
        ok &= fill_child(c, k, def, (char *)list->v + size * list->n++);
    }
    return ok;
}

struct child_names {
    const struct child_def *at;
};

static bool
next_child_name(void *ctx, struct str *candidate)
{
    struct child_names *names = ctx;

    if (!names->at || !names->at->name)
        return false;
    *candidate = str_from_c((names->at++)->name);
    return true;
}

/* "; it takes <when>, <otherwise>"; empty where it takes none. */
static void
list_children(const struct child_def *children, char *to, size_t size)
{
    size_t at = (size_t)snprintf(to, size, "%s", children && children->name ? "; it takes" : "");

    for (; children && children->name && at < size; children++)
        at += (size_t)snprintf(to + at, size - at, " <%s>%s", children->name, children[1].name ? "," : "");
}

static bool
check_unknown_children(struct compiler *c, const struct node *n, const struct attr_def *attrs, const struct child_def *children)
{
    bool ok = true;

    for (const struct node *k = n->first_child; k; k = k->next) {
        if (find_child(children, k->name))
            continue;
        if (find_attr(attrs, k->name)) {
            ok = compile_error(c, k, "%.*s is an attribute of <%.*s>, no element: %.*s=\"...\"", STR_ARG(k->name), STR_ARG(n->name),
                               STR_ARG(k->name));
            continue;
        }
        struct str nearest = diag_nearest(k->name, next_child_name, &(struct child_names){children});
        char takes[160];

        list_children(children, takes, sizeof(takes));
        ok = compile_error(c, k, "<%.*s> takes no <%.*s>%s%.*s%s%s", STR_ARG(n->name), STR_ARG(k->name),
                           nearest.p ? "; did you mean <" : "", STR_ARG(nearest), nearest.p ? ">?" : "", nearest.p ? "" : takes);
    }
    return ok;
}

static bool
fill_all_children(struct compiler *c, const struct node *n, const struct attr_def *attrs, const struct child_def *children,
                  void *conf)
{
    bool ok = true;

    for (const struct child_def *def = children; def && def->name; def++)
        ok &= fill_children(c, n, def, conf);
    return check_unknown_children(c, n, attrs, children) && ok;
}

/* The attribute is missed because it was written as an element, which is an error of its own. */
static bool
stands_inside(const struct node *n, const struct attr_def *def, const struct child_def *children)
{
    return def->name[0] && !node_attr(n, def->name) && node_child(n, def->name) && !find_child(children, str_from_c(def->name));
}

/* holds_policies: what is inside are policies, and `compile` of the policy makes a block of them. */
static bool
fill_element(struct compiler *c, const struct node *n, const struct attr_def *attrs, const struct child_def *children,
             bool holds_policies, void *conf)
{
    bool ok = compile_known_attributes(c, n, attrs), has_text = find_attr(attrs, STR("")) != NULL;

    for (const struct attr_def *def = attrs; def && def->name; def++)
        if (holds_policies || !stands_inside(n, def, children))
            ok &= fill_attribute(c, n, def, conf);
    if (!holds_policies)
        ok &= fill_all_children(c, n, attrs, children, conf);
    if (!has_text && str_trim(n->text.value).len)
        ok &= compile_strict(c, n, "the text inside <%.*s> is ignored", STR_ARG(n->name));
    return ok;
}

bool
compile_element(struct compiler *c, const struct node *n, const struct attr_def *attrs, const struct child_def *children,
                void *conf)
{
    return fill_element(c, n, attrs, children, false, conf);
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

static enum flow
run_unsupported(const void *conf, struct exchange *ex)
{
    return exchange_refuse(ex, E_NOT_SUPPORTED_YET, *(const struct str *)conf);
}

struct str
compile_unsupported(struct compiler *c, const struct node *n, const char *what)
{
    struct line_column at = source_position(n->source, n->at);
    struct str text = str_printf(c->arena, "%s (%.*s:%" PRIu32 ")", what, STR_ARG(n->source->name), at.line);

    diag_add(c->diags, DIAG_WARNING, n->source, n->at, n->len, "%s is not supported yet; the API answers 501", what);
    if (!c->unsupported.p)
        c->unsupported = text;
    return text;
}

struct str
compile_path(struct compiler *c, struct str outer, const struct node *n, uint32_t index, bool is_indexed)
{
    struct str separator = outer.len ? STR("\\") : STR("");

    if (is_indexed)
        return str_printf(c->arena, "%.*s%.*s%.*s[%" PRIu32 "]", STR_ARG(outer), STR_ARG(separator), STR_ARG(n->name),
                          index);
    return str_printf(c->arena, "%.*s%.*s%.*s", STR_ARG(outer), STR_ARG(separator), STR_ARG(n->name));
}

/* Where a policy may stand, how often: the reference's rules, which --strict enforces. */
static bool
check_place(struct compiler *c, const struct node *n, const struct policy_def *def, uint32_t index)
{
    bool ok = true, is_lone = c->in->names && c->in->names->is_lone;   /* nobody knows whose document it is */

    if (!c->is_fragment_alone && !(def->sections & (1u << c->section)))
        ok &= compile_strict(c, n, "Azure does not allow %s in %.*s", def->name, STR_ARG(section_name(c->section)));
    if (!is_lone && !(def->scopes & (1u << c->in->level)))
        ok &= compile_strict(c, n, "Azure does not allow %s at %.*s scope", def->name, STR_ARG(level_name(c->in->level)));
    if (def->once && index > 1)    /* branches of choose may each have one: published documents do */
        ok &= compile_strict(c, n, "Azure allows %s once in a section", def->name);
    if (def->not_in_fragment && c->n_fragments)
        compile_warning(c, n, "Azure does not support %s in fragments", def->name);
    if (c->n_fragments && str_eq_lit(n->name, "base"))
        ok &= compile_strict(c, n, "Azure does not allow base in fragments");
    return ok;
}

static struct origin
make_origin(struct compiler *c, const struct node *n, struct str path)
{
    const struct attribute *id = node_attr(n, "id");

    return (struct origin){
        .policy = n->name,
        .path = path,
        .id = id ? id->text.value : STR_NONE,
        .file = n->source->name,
        .line = source_position(n->source, n->at).line,
        .level = (uint8_t)c->in->level,
        .section = (uint8_t)c->section,
    };
}

/* Adds the step of one policy and what is inside it. */
static bool
compile_policy(struct compiler *c, const struct node *n, const struct policy_def *def, struct str path,
               uint32_t container)
{
    uint32_t outer_at = c->at, at = (uint32_t)c->steps.n;
    struct str outer_path = c->path;
    void *conf = arena_alloc_zero(c->arena, 1, MAX(def->size, sizeof(struct str)), _Alignof(max_align_t));
    bool ok;

    if (!conf || at >= STEPS_MAX)
        return compile_error(c, n, "the section is too large with its fragments: more than %d policies", STEPS_MAX);
    *vec_push(&c->ends_branch) = false;
    *vec_push(&c->steps) = (struct step){.run = def->run, .conf = conf, .container = container, .def = def,
                                         /* What decides whether a step runs decides what it sets, too. */
                                         .identity = container == STEP_END ? 0 : c->steps.v[container].identity,
                                         .origin = make_origin(c, n, path), .next = STEP_END};
    c->at = at;
    c->path = path;
    c->needs_schemas |= def->needs_schemas;
    leak_guard_policy(c, n->name);
    if (!def->run) {
        *(struct str *)conf = compile_unsupported(c, n, def->name);
        c->steps.v[at].run = run_unsupported;
        ok = true;
    } else {
        ok = fill_element(c, n, def->attrs, def->children, def->is_range && !def->children, conf);
        if ((ok || def->is_container) && def->compile)    /* what is wrong with a container hides no mistake inside */
            ok &= def->compile(c, n, conf);
    }
    c->at = outer_at;
    c->path = outer_path;
    return ok;
}

/* A block while its policies are added, fragments put in. */
struct block_state {
    struct str path;
    uint32_t container, last;         /* last: of this block, STEP_END before the first */
    const struct node *parent;
};

static bool compile_nodes(struct compiler *c, const struct node *first, struct block_state *block);

static bool
is_being_expanded(const struct compiler *c, struct str id)
{
    for (const struct fragment_use *u = c->fragments; u; u = u->outer)
        if (str_eq_nocase(u->id, id))
            return true;
    return false;
}

static const struct node *
read_fragment(struct compiler *c, const struct node *n, struct str id)
{
    const struct policy_names *names = c->in->names;
    const struct source *source = names && names->fragment ? names->fragment(names->ctx, id) : NULL;
    struct document d;
    struct named_value_source values = {0};

    if (!source) {
        compile_unknown_name(c, n, "policy fragment", id);
        return NULL;
    }
    values = (struct named_value_source){.ctx = names->ctx, .lookup = names->named_value,
                                         .is_unresolved_ok = names->is_lone};
    if (!document_read(c->arena, source, NULL, c->diags, &d) || !named_values_apply(&d, &values, c->diags)) {
        c->has_failed = true;
        return NULL;
    }
    if (!str_eq_lit(d.first->name, "fragment")) {
        compile_error(c, d.first, "a policy fragment begins with <fragment>");
        return NULL;
    }
    return d.first;
}

bool
compile_fragment_size(struct compiler *c, const struct node *root)
{
    return root->source->text.len <= FRAGMENT_BYTES_MAX ||
           compile_strict(c, root, "Azure takes policy fragments of at most %zu bytes; this one has %zu", FRAGMENT_BYTES_MAX,
                          root->source->text.len);
}

/* include-fragment: the fragment's policies stand in its place. */
static bool
expand_fragment(struct compiler *c, const struct node *n, struct block_state *block)
{
    const struct attribute *a = node_attr(n, "fragment-id");
    struct str id = a ? str_trim(a->text.value) : STR_NONE;
    struct fragment_use use = {.id = id, .outer = c->fragments};
    bool ok = compile_known_attributes(c, n, policy_find(n->name)->attrs);

    if (str_trim(n->text.value).len || n->first_child)
        ok &= compile_strict(c, n, "what is inside <include-fragment> is ignored");
    if (id.len == 0 || a->text.is_expression)
        return compile_error(c, n, "<include-fragment> needs the attribute fragment-id, a literal");
    if (is_being_expanded(c, id))
        return compile_error(c, n, "policy fragment '%.*s' includes itself", STR_ARG(id));
    if (c->n_fragments >= FRAGMENT_DEPTH_MAX)
        return compile_error(c, n, "more than %d policy fragments inside each other", FRAGMENT_DEPTH_MAX);
    if (c->n_fragments && !compile_strict(c, n, "Azure does not allow fragments inside fragments"))
        return false;
    const struct node *root = read_fragment(c, n, id);
    if (!root)
        return !c->has_failed;
    c->fragments = &use;
    c->n_fragments++;
    ok &= compile_fragment_size(c, root);
    ok &= compile_known_attributes(c, root, NULL);
    ok &= compile_nodes(c, root->first_child, block);
    c->n_fragments--;
    c->fragments = use.outer;
    return ok;
}

static bool
unknown_policy(struct compiler *c, const struct node *n)
{
    struct str nearest = policy_nearest(n->name);

    return compile_error(c, n, "there is no policy '%.*s'%s%.*s%s", STR_ARG(n->name),
                         nearest.p ? "; did you mean '" : "", STR_ARG(nearest), nearest.p ? "'?" : "");
}

/* How many of the same name stand before n, and whether there are several. */
static uint32_t
sibling_index(const struct node *n, bool *ret_several)
{
    uint32_t index = 1, count = 0;
    bool is_before = true;
    const struct node *first = n->parent ? n->parent->first_child : n;

    for (const struct node *k = first; k; k = k->next) {
        is_before &= k != n;
        if (str_eq(k->name, n->name)) {
            count++;
            index += is_before;
        }
    }
    *ret_several = count > 1;
    return index;
}

static bool
compile_node(struct compiler *c, const struct node *n, struct block_state *block)
{
    const struct policy_def *def = policy_find(n->name);
    bool has_several, ok;

    if (!def)
        return unknown_policy(c, n);
    uint32_t index = sibling_index(n, &has_several), at = (uint32_t)c->steps.n;
    ok = check_place(c, n, def, index);
    if (str_eq_lit(n->name, "include-fragment"))
        return expand_fragment(c, n, block) && ok;
    struct str path = compile_path(c, block->path, n, index, has_several || def->is_container);
    ok &= compile_policy(c, n, def, path, block->container);
    if (at >= c->steps.n)
        return false;
    if (block->last != STEP_END)
        c->steps.v[block->last].next = at;
    block->last = at;
    return ok;
}

static bool
compile_nodes(struct compiler *c, const struct node *first, struct block_state *block)
{
    bool ok = true;

    for (const struct node *n = first; n; n = n->next)
        ok &= compile_node(c, n, block);
    return ok;
}

bool
compile_block(struct compiler *c, const struct node *parent, struct str path, enum block kind, uint32_t *ret_from)
{
    uint32_t from = (uint32_t)c->steps.n;
    struct block_state block = {.path = path, .last = STEP_END, .parent = parent,
                                .container = kind == BLOCK_SECTION ? STEP_END : c->at};
    bool ok = compile_nodes(c, parent->first_child, &block);

    if (kind != BLOCK_RANGE && str_trim(parent->text.value).len)     /* a range's element has been looked at */
        ok &= compile_strict(c, parent, "the text inside <%.*s> is ignored", STR_ARG(parent->name));
    if (block.last != STEP_END && kind == BLOCK_BRANCH)
        c->ends_branch.v[block.last] = true;
    *ret_from = from < c->steps.n ? from : STEP_END;
    return ok;
}
