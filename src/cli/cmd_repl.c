/* cmd_repl.c: `headgate repl`: lines in, values out.
 *
 * On a terminal the line is edited here: arrows, Home, End, history with Up and Down, Tab completes members. Otherwise lines
 * are read as they come. The terminal is put back on every way out.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/vec.h"
#include "cli/commands.h"
#include "cli/eval.h"
#include "expr/member.h"

#define LINE_MAX_BYTES 4096
#define PROMPT "> "

struct editor {
    struct evaluator *ev;
    char line[LINE_MAX_BYTES];
    size_t len, at;
    VEC(char *) history;
    size_t history_at;
    struct termios before;
};

/* --- completion ------------------------------------------------------------------------------------------------------- */

struct matches {
    struct str first;
    size_t common;                    /* bytes that all share */
    unsigned n;
};

static void
add_match(struct matches *m, struct str name, struct str prefix)
{
    size_t i = 0;

    if (!str_starts_with(name, prefix))
        return;
    if (m->n++ == 0) {
        m->first = name;
        m->common = name.len;
        return;
    }
    while (i < m->common && i < name.len && m->first.p[i] == name.p[i])
        i++;
    m->common = i;
}

static bool
is_name_char(char c)
{
    return c == '_' || ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Members of the type of what stands before the dot. */
static void
match_members(struct editor *ed, struct str before, struct str prefix, struct matches *m)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 20);
    struct expr_program *p = eval_compile(ed->ev, &arena, eval_wrap(&arena, before), NULL);
    const struct type *t = p ? expr_program_type(p) : NULL;
    const struct type_def *def = NULL;

    if (!t) {                         /* a type: its static members */
        struct type_scope scope = {.env = ed->ev->env};
        def = resolve_simple(&scope, before, 0);
        t = def ? def->open : NULL;
    }
    for (; t; t = t->base)
        for (uint32_t i = 0; type_member(t, i); i++)
            if (type_member(t, i)->kind == MEMBER_METHOD || type_member(t, i)->kind == MEMBER_PROPERTY)
                add_match(m, type_member(t, i)->name, prefix);
}

static void
match_names(struct editor *ed, struct str prefix, struct matches *m)
{
    for (uint32_t i = 0; expr_env_type(ed->ev->env, i); i++)
        add_match(m, expr_env_type(ed->ev->env, i)->def->name, prefix);
}

static void
insert(struct editor *ed, struct str text)
{
    if (ed->len + text.len >= LINE_MAX_BYTES)
        return;
    memmove(ed->line + ed->at + text.len, ed->line + ed->at, ed->len - ed->at);
    memcpy(ed->line + ed->at, text.p, text.len);
    ed->len += text.len;
    ed->at += text.len;
}

/* The longest expression that ends before the dot: back over names, dots and closed brackets. */
static size_t
expression_start(const struct editor *ed, size_t dot)
{
    size_t at = dot;
    unsigned nesting = 0;

    while (at > 0) {
        char c = ed->line[at - 1];
        if (c == ')' || c == ']')
            nesting++;
        else if ((c == '(' || c == '[') && nesting == 0)
            break;
        else if (c == '(' || c == '[')
            nesting--;
        else if (nesting == 0 && !is_name_char(c) && c != '.' && c != '"' && c != '?')
            break;
        at--;
    }
    return at;
}

static void
complete(struct editor *ed)
{
    struct matches m = {0};
    size_t from = ed->at;

    while (from > 0 && is_name_char(ed->line[from - 1]))
        from--;
    if (from > 0 && ed->line[from - 1] == '.') {
        size_t start = expression_start(ed, from - 1);
        match_members(ed, str_from(ed->line + start, from - 1 - start), str_from(ed->line + from, ed->at - from), &m);
    } else {
        match_names(ed, str_from(ed->line + from, ed->at - from), &m);
    }
    if (m.n && m.common > ed->at - from)
        insert(ed, str_sub(m.first, ed->at - from, m.common));
}

/* --- the line --------------------------------------------------------------------------------------------------------- */

static void
show(const struct editor *ed)
{
    printf("\r\033[K" PROMPT "%.*s", (int)ed->len, ed->line);
    if (ed->at < ed->len)
        printf("\033[%zuD", ed->len - ed->at);
    fflush(stdout);
}

static void
use_history(struct editor *ed, int step)
{
    if ((step < 0 && ed->history_at == 0) || (step > 0 && ed->history_at >= ed->history.n))
        return;
    ed->history_at = (size_t)((ptrdiff_t)ed->history_at + step);
    ed->len = 0;
    ed->at = 0;
    if (ed->history_at < ed->history.n)
        insert(ed, str_from_c(ed->history.v[ed->history_at]));
}

static void
erase(struct editor *ed, size_t at)
{
    if (at >= ed->len)
        return;
    memmove(ed->line + at, ed->line + at + 1, ed->len - at - 1);
    ed->len--;
}

/* ESC [ A ... */
static void
on_escape(struct editor *ed)
{
    int c = getchar();

    if (c != '[' && c != 'O')
        return;
    switch (getchar()) {
    case 'A': use_history(ed, -1); break;
    case 'B': use_history(ed, 1); break;
    case 'C': ed->at += ed->at < ed->len; break;
    case 'D': ed->at -= ed->at > 0; break;
    case 'H': ed->at = 0; break;
    case 'F': ed->at = ed->len; break;
    case '3':
        getchar();
        erase(ed, ed->at);
        break;
    }
}

/* One line into ed->line; false at the end. */
static bool
edit(struct editor *ed)
{
    ed->len = ed->at = 0;
    ed->history_at = ed->history.n;
    for (;;) {
        int c;
        show(ed);
        c = getchar();
        if (c == EOF || (c == 4 && ed->len == 0))
            return false;
        if (c == '\r' || c == '\n')
            break;
        if (c == 3) {
            ed->len = ed->at = 0;
        } else if (c == 27) {
            on_escape(ed);
        } else if (c == '\t') {
            complete(ed);
        } else if (c == 127 || c == 8) {
            if (ed->at > 0)
                erase(ed, --ed->at);
        } else if (c == 1) {
            ed->at = 0;
        } else if (c == 5) {
            ed->at = ed->len;
        } else if (c >= ' ') {
            char one = (char)c;
            insert(ed, str_from(&one, 1));
        }
    }
    putchar('\n');
    return true;
}

static void
evaluate(struct editor *ed, struct str line)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)512 << 20);
    struct str result;

    if (!str_trim(line).len)
        return;
    result = eval_text(ed->ev, &arena, eval_wrap(&arena, line), stdout);
    printf("%.*s\n", STR_ARG(result));
}

static void
on_terminal(struct editor *ed)
{
    struct termios raw = ed->before;

    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    for (;;) {
        bool more;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        more = edit(ed);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &ed->before);
        if (!more)
            break;
        evaluate(ed, str_from(ed->line, ed->len));
        if (ed->len)
            *vec_push(&ed->history) = xstrndup(ed->line, ed->len);
    }
    putchar('\n');
}

static void
on_pipe(struct editor *ed)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) >= 0)
        evaluate(ed, str_trim(str_from(line, (size_t)n)));
    free(line);
}

int
cmd_repl(int argc, char **argv)
{
    struct editor ed = {0};
    struct err err = ERR_INIT;

    bool is_help = argc == 2 && !strcmp(argv[1], "--help");

    if (argc != 1) {
        fprintf(is_help ? stdout : stderr, "usage: headgate repl\n\n"
                "Evaluates policy expressions, one a line, from the terminal or a pipe. Tab completes members; Ctrl-D ends.\n");
        return is_help ? 0 : 2;
    }
    ed.ev = evaluator_new(NULL, &err);
    if (!ed.ev) {
        fprintf(stderr, "headgate repl: %s\n", err.text);
        return 2;
    }
    if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &ed.before) == 0)
        on_terminal(&ed);
    else
        on_pipe(&ed);
    for (size_t i = 0; i < ed.history.n; i++)
        free(ed.history.v[i]);
    vec_free(&ed.history);
    evaluator_delete(ed.ev);
    return 0;
}
