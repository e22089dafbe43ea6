/* Compares the member tables with tests/expr/inventory.tsv: every type and member that Azure allows in expressions, as
 * tests/expr/inventory.cs reads them from .NET's own libraries. Each must be native, or known by name and refused as "not
 * supported yet", with at most one in twenty in that state.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/clr.c"

#include "base/file.h"
#include "expr/member.h"
#include "test.h"

/* A type as the inventory writes it: short names, !0 for the type's parameters, !!0 for a method's. */
static void
add_type(struct buf *b, const struct type *t)
{
    if (t->kind == TYPE_PARAMETER) {
        buf_printf(b, "%s%u", t->is_method ? "!!" : "!", t->index);
    } else if (t->kind == TYPE_ARRAY) {
        add_type(b, t->args[0]);
        buf_printf(b, "[%.*s]", t->rank - 1, ",,,,,,");
    } else if (t->kind == TYPE_NULLABLE) {
        add_type(b, t->args[0]);
        buf_add_char(b, '?');
    } else if (t->n_args) {
        buf_add_str(b, t->def->name);
        for (uint32_t i = 0; i < t->n_args; i++) {
            buf_add_char(b, i ? ',' : '<');
            add_type(b, t->args[i]);
        }
        buf_add_char(b, '>');
    } else {
        buf_add_str(b, t->name);
    }
}

static void
add_parameters(struct buf *b, const struct member *m, uint32_t n, char open, char close)
{
    buf_add_char(b, open);
    for (uint32_t i = 0; i < n; i++) {
        const struct parameter *p = &m->parameters[i];
        if (i)
            buf_add_char(b, ',');
        if (p->op == TOK_OUT || p->op == TOK_REF)
            buf_add_lit(b, "ref ");
        add_type(b, p->type);
    }
    buf_add_char(b, close);
}

/* The member as the inventory writes it, its last optional parameters left out but for n. */
static struct str
member_text(const struct member *m, uint32_t n, struct arena *a)
{
    struct buf b = buf_in(a);

    switch (m->kind) {
    case MEMBER_CONSTRUCTOR:
        buf_add_lit(&b, "new");
        add_parameters(&b, m, n, '(', ')');
        break;
    case MEMBER_INDEXER:
        buf_add_lit(&b, "this");
        add_parameters(&b, m, n, '[', ']');
        break;
    case MEMBER_CONVERSION:
        buf_add_str(&b, m->is_implicit ? STR("implicit ") : STR("explicit "));
        add_type(&b, m->parameters[0].type);
        buf_add_lit(&b, "->");
        add_type(&b, m->ret);
        break;
    case MEMBER_METHOD:
    case MEMBER_OPERATOR:
        buf_add_str(&b, m->name);
        add_parameters(&b, m, n, '(', ')');
        break;
    case MEMBER_PROPERTY:
    case MEMBER_CONSTANT:
        buf_add_str(&b, m->name);
        break;
    }
    return buf_str(&b);
}

enum state { STATE_UNKNOWN, STATE_LATER, STATE_NATIVE };

static enum state
member_state(const struct member *m, struct str wanted, bool is_setter, struct arena *a)
{
    for (uint32_t n = m->n_parameters;; n--) {
        if (str_eq(member_text(m, n, a), wanted))
            return m->flags & MEMBER_IS_LATER                     ? STATE_LATER
                   : is_setter && !(m->flags & MEMBER_HAS_SETTER) ? STATE_UNKNOWN
                                                                  : STATE_NATIVE;
        if (n == 0 || !m->parameters[n - 1].has_default)
            return STATE_UNKNOWN;
    }
}

static enum state
def_state(const struct type_def *def, const struct type_def *object, struct str wanted, bool is_setter, struct arena *a)
{
    enum state best = STATE_UNKNOWN;

    for (uint32_t i = 0; i < def->n_values; i++)
        if (str_eq(def->values[i].name, wanted))
            return STATE_NATIVE;
    for (uint32_t i = 0; i < def->members.n && best == STATE_UNKNOWN; i++)
        best = member_state(def->members.v[i], wanted, is_setter, a);
    if (best == STATE_UNKNOWN && def->base && def->base->def && !str_starts_with(wanted, STR("new(")))
        best = def_state(def->base->def, object, wanted, is_setter, a);
    for (uint32_t i = 0; i < def->n_interfaces && best == STATE_UNKNOWN && !str_starts_with(wanted, STR("new(")); i++)
        best = def_state(def->interfaces[i]->def, object, wanted, is_setter, a);
    if (best == STATE_UNKNOWN && def != object)
        best = def_state(object, object, wanted, is_setter, a);
    return best;
}

static const struct type_def *
find_def(const struct expr_env *env, struct str name, struct arena *a)
{
    struct buf b = buf_in(a);
    const struct type_def *def;

    for (size_t i = 0; i < name.len; i++)
        buf_add_char(&b, name.p[i] == '+' ? '.' : name.p[i]);
    def = map_get(&env->by_full_name, buf_str(&b));
    return def ? def : map_get(&env->by_full_name, str_printf(a, "%.*s`0", STR_ARG(buf_str(&b))));
}

TEST(every_member_that_azure_allows_is_known)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)256 << 20);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct err err = ERR_INIT;
    struct expr_env *env = expr_env_new(clr_libraries, clr_libraries_n, &err);
    struct str rest, line, type;
    unsigned counts[STATE_NATIVE + 1] = {0};
    bool show_later = getenv("INVENTORY_LATER") != NULL;

    EXPECT_OK(file_read(SOURCE_DIR "/tests/expr/inventory.tsv", 1 << 20, &text, &err));
    EXPECT_OK(env != NULL);
    rest = buf_str(&text);
    while (env && str_split_next(&rest, '\n', &line)) {
        bool is_setter = str_ends_with(line, STR(" ="));
        struct str wanted = is_setter ? str_sub(line, 0, line.len - 2) : line;
        const struct type_def *def;
        enum state state;
        if (!line.len || line.p[0] == '#' || !str_split_next(&wanted, '\t', &type))
            continue;
        def = find_def(env, type, &a);
        state = !def ? STATE_UNKNOWN : def->flags & TYPE_IS_LATER ? STATE_LATER : def_state(def, env->core.object->def, wanted, is_setter, &a);
        if (state == STATE_UNKNOWN)
            TEST_FAIL("unknown: %.*s", STR_ARG(line));
        if (state == STATE_LATER && show_later)
            printf("later: %.*s\n", STR_ARG(line));
        counts[state]++;
    }
    printf("members that Azure allows: %u native, %u known by name, %u unknown\n", counts[STATE_NATIVE], counts[STATE_LATER],
           counts[STATE_UNKNOWN]);
    EXPECT(counts[STATE_NATIVE] > 2000);
    EXPECT(counts[STATE_LATER] * 20 <= counts[STATE_NATIVE]);
    expr_env_delete(env);
}
