/* signature.c: C# member declarations, as the rows of the library write them, read with the parser of expressions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/member.h"

#include "base/utf8.h"

static bool
wrong(struct err *err, const struct member_row *row, const char *what)
{
    return err_set(err, ERR_SYNTAX, "member row %s: \"%s\": %s", row->type, row->signature, what);
}

static bool
read_parameters(struct type_scope *scope, const struct node *list, struct member *m)
{
    uint32_t n = 0;

    for (const struct node *it = list; it; it = it->next)
        n++;
    m->parameters = arena_new_array(&scope->env->arena, struct parameter, n);
    m->n_parameters = n;
    n = 0;
    for (const struct node *it = list; it; it = it->next) {
        struct parameter *p = &m->parameters[n++];
        if (!it->a)
            return false;
        p->name = it->text;
        p->op = it->op;
        p->type = resolve_type(scope, it->a);
        p->has_default = it->b != NULL;
        p->default_value = it->b && it->b->kind != NODE_DEFAULT ? it->b : NULL;
        if (p->type->kind == TYPE_ERROR)
            return false;
        if (it->op == TOK_PARAMS)
            m->flags |= MEMBER_IS_PARAMS;
        if (it->op == TOK_THIS)
            m->flags |= MEMBER_IS_EXTENSION;
    }
    return true;
}

/* "<T,R>" behind a method's name. */
static void
read_type_parameters(struct parser *p, struct member *m)
{
    if (!parser_accept(p, TOK_LESS))
        return;
    m->type_parameters = arena_new_array(p->arena, struct str, TYPE_PARAMETERS_MAX);
    do {
        if (m->n_type_parameters < TYPE_PARAMETERS_MAX)
            m->type_parameters[m->n_type_parameters++] = parser_peek(p, 0)->text;
        parser_expect(p, TOK_IDENTIFIER);
    } while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_GREATER);
}

/* "where T : JToken" behind a method's parameters: what is said of one type parameter. */
static bool
read_constraint(struct parser *p, struct type_scope *scope, struct member *m)
{
    uint32_t at = 0;

    p->at++;
    while (at < m->n_type_parameters && !str_eq(m->type_parameters[at], parser_peek(p, 0)->text))
        at++;
    if (at == m->n_type_parameters || !parser_expect(p, TOK_IDENTIFIER) || !parser_expect(p, TOK_COLON))
        return false;
    if (!m->constraints)
        m->constraints = arena_new_array(p->arena, const struct type *, TYPE_PARAMETERS_MAX);
    m->constraints[at] = resolve_type(scope, parse_type(p));
    return m->constraints[at]->kind != TYPE_ERROR;
}

/* "{ get; set; }" */
static void
read_accessors(struct parser *p, struct member *m)
{
    parser_expect(p, TOK_OPEN_BRACE);
    while (parser_kind(p) == TOK_IDENTIFIER) {
        if (str_eq_lit(parser_peek(p, 0)->text, "set"))
            m->flags |= MEMBER_HAS_SETTER;
        p->at++;
        parser_expect(p, TOK_SEMICOLON);
    }
    parser_expect(p, TOK_CLOSE_BRACE);
}

/* A constant's value: a literal, maybe with a minus. */
static bool
read_constant(struct parser *p, struct member *m)
{
    bool is_negative = parser_accept(p, TOK_MINUS);
    const struct token *t = parser_peek(p, 0);

    p->at++;
    if (t->kind == TOK_TRUE || t->kind == TOK_FALSE) {
        m->constant = value_bool(t->kind == TOK_TRUE);
        return true;
    }
    if (t->kind == TOK_TEXT) {
        struct string *s = arena_new(p->arena, struct string);
        *s = (struct string){.head = {m->ret}, .p = t->text.p, .size = (uint32_t)t->text.len, .units = (uint32_t)t->text.len};
        m->constant = value_ref(s);
        return utf8_is_ascii(t->text);
    }
    m->constant = t->value;
    if (t->kind == TOK_NUMBER && (t->literal_kind == TYPE_DOUBLE || t->literal_kind == TYPE_FLOAT)) {
        double d = t->literal_kind == TYPE_DOUBLE ? t->value.f64 : (double)t->value.f32;
        d = is_negative ? -d : d;
        m->constant = m->ret->kind == TYPE_FLOAT ? value_f32((float)d) : value_f64(d);
    } else if (is_negative) {
        m->constant.i64 = (int64_t)(0 - (uint64_t)m->constant.i64);
    }
    return t->kind == TOK_NUMBER || t->kind == TOK_CHARACTER;
}

static bool
read_conversion(struct parser *p, struct type_scope *scope, struct member *m)
{
    m->kind = MEMBER_CONVERSION;
    m->is_implicit = parser_kind(p) == TOK_IMPLICIT;
    m->name = m->is_implicit ? STR("op_Implicit") : STR("op_Explicit");
    p->at++;
    parser_expect(p, TOK_OPERATOR);
    m->ret = resolve_type(scope, parse_type(p));
    return read_parameters(scope, parse_parameters(p), m) && m->n_parameters == 1;
}

static bool
read_operator(struct parser *p, struct type_scope *scope, struct member *m)
{
    m->kind = MEMBER_OPERATOR;
    m->name = str_printf(p->arena, "operator %s", token_kind_text(parser_kind(p)));
    if (parser_kind(p) == TOK_GREATER && parser_peek(p, 1)->kind == TOK_GREATER) {
        m->name = STR("operator >>");
        p->at++;
    }
    p->at++;
    return read_parameters(scope, parse_parameters(p), m);
}

/* What follows the result's type: operator, indexer, method, property or constant. */
static bool
read_named(struct parser *p, struct type_scope *scope, struct member *m, const struct node *type, bool is_const)
{
    if (parser_accept(p, TOK_OPERATOR)) {
        m->ret = resolve_type(scope, type);
        return read_operator(p, scope, m);
    }
    if (parser_accept(p, TOK_THIS)) {
        struct token *t = (struct token *)p->tokens;
        m->kind = MEMBER_INDEXER;
        m->name = STR("this");
        m->ret = resolve_type(scope, type);
        for (size_t i = p->at; i < p->n; i++) {       /* its brackets read as parentheses */
            if (t[i].kind == TOK_OPEN_BRACKET && i == p->at)
                t[i].kind = TOK_OPEN_PAREN;
            if (t[i].kind == TOK_OPEN_BRACE && t[i - 1].kind == TOK_CLOSE_BRACKET)
                t[i - 1].kind = TOK_CLOSE_PAREN;
        }
        if (!read_parameters(scope, parse_parameters(p), m))
            return false;
        read_accessors(p, m);
        return true;
    }
    m->name = parser_peek(p, 0)->text;
    if (!parser_expect(p, TOK_IDENTIFIER))
        return false;
    read_type_parameters(p, m);
    scope->method = m;
    m->ret = resolve_type(scope, type);
    if (parser_kind(p) == TOK_OPEN_PAREN) {
        m->kind = MEMBER_METHOD;
        if (!read_parameters(scope, parse_parameters(p), m))
            return false;
        while (parser_is_word(p, "where"))
            if (!read_constraint(p, scope, m))
                return false;
        return true;
    }
    if (is_const) {
        m->kind = MEMBER_CONSTANT;
        return parser_accept(p, TOK_ASSIGN) && read_constant(p, m);
    }
    m->kind = MEMBER_PROPERTY;
    read_accessors(p, m);
    return true;
}

static bool
read_declaration(struct parser *p, struct type_scope *scope, struct type_def *def, struct member *m)
{
    bool is_static = parser_accept(p, TOK_STATIC), is_const = !is_static && parser_accept(p, TOK_CONST);
    struct node *type;

    if (is_static || is_const)
        m->flags |= MEMBER_IS_STATIC;
    if (parser_kind(p) == TOK_NEW && parser_peek(p, 1)->kind == TOK_OPEN_PAREN) {
        p->at++;
        m->kind = MEMBER_CONSTRUCTOR;
        m->name = STR(".ctor");
        m->flags |= MEMBER_IS_STATIC;
        m->ret = def->open;
        return read_parameters(scope, parse_parameters(p), m);
    }
    if (parser_kind(p) == TOK_IMPLICIT || parser_kind(p) == TOK_EXPLICIT)
        return read_conversion(p, scope, m);
    type = parse_type(p);
    return read_named(p, scope, m, type, is_const);
}

bool
signature_read(struct expr_env *env, struct type_def *def, const struct member_row *row, struct member **ret,
               struct err *err)
{
    struct str text = str_from_c(row->signature);
    struct diags diags;
    struct parser p;
    struct member *m = arena_new(&env->arena, struct member);
    struct type_scope scope = {.env = env, .is_signature = true, .owner = def, .method = m, .diags = &diags};

    diags_init(&diags, &env->arena);
    *m = (struct member){.flags = row->flags, .fn = row->fn, .set = row->set, .row = row, .owner = def};
    env->tokens.n = 0;
    if (!lex(text, 0, (uint32_t)text.len, NULL, &env->arena, &diags, &env->tokens))
        return wrong(err, row, "no memory");
    parser_init(&p, text, &env->tokens, NULL, &env->arena, &diags);
    if (!read_declaration(&p, &scope, def, m) || diags.errors || m->ret->kind == TYPE_ERROR) {
        struct str first = diags_first_error(&diags, &env->arena);
        return wrong(err, row, first.len ? first.p : "not a declaration that can be read");
    }
    *ret = m;
    return true;
}
