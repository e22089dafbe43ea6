/* fuzz_expr_vm.c: random valid programs under tight budgets, for the emitter and the VM.
 *
 * The input is a row of choices from which a program of the right types is written: locals of eight types, loops, switches, try with
 * catch and finally, lambdas and local functions that capture and change what is around them, tuples, arrays, lists. It must compile
 * (constants that overflow aside), pass the verifier of debug builds, and end with a value, an exception or a budget.
 * With FUZZ_SHOW in the environment each program is printed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "clr/clr.h"
#include "expr/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind { INT, LONG, DOUBLE, BOOL, STRING, ARRAY, LIST, NULLABLE, TUPLE, FUNCTION, KINDS };

static const char *const type_names[] = {"int", "long", "double", "bool", "string", "int[]", "List<int>", "int?", "(int a, string b)",
                                         "Func<int, int>"};

struct gen {
    const uint8_t *data;
    size_t size, at;
    struct buf *to;
    unsigned depth;
    unsigned loops;                   /* around this statement, in this function */
    bool in_finally;
    enum kind result;                 /* of the function being written */
    struct {
        enum kind kind;
        unsigned number;
        bool is_read_only;
    } locals[64];
    unsigned n_locals, names;
};

static void expression(struct gen *g, enum kind kind);
static void statement(struct gen *g);

/* 0..n-1; at the end of the data always 0, where the shortest alternatives stand. */
static unsigned
choose(struct gen *g, unsigned n)
{
    return g->at < g->size ? g->data[g->at++] % n : 0;
}

static void
put(struct gen *g, const char *text)
{
    buf_add_str(g->to, str_from_c(text));
}

static bool
is_deep(const struct gen *g)
{
    return g->depth > 7 || g->to->len > 6000 || g->at >= g->size;
}

/* A local of that kind; false when there is none. */
static bool
local(struct gen *g, enum kind kind, bool to_assign)
{
    unsigned from = choose(g, 8);

    for (unsigned i = 0; i < g->n_locals; i++) {
        unsigned at = (from + i) % g->n_locals;
        if (g->locals[at].kind == kind && !(to_assign && g->locals[at].is_read_only)) {
            buf_printf(g->to, "v%u", g->locals[at].number);
            return true;
        }
    }
    return false;
}

static void
declare(struct gen *g, enum kind kind, unsigned number, bool is_read_only)
{
    if (g->n_locals == COUNTOF(g->locals))
        return;
    g->locals[g->n_locals].kind = kind;
    g->locals[g->n_locals].is_read_only = is_read_only;
    g->locals[g->n_locals++].number = number;
}

/* $i $l $d $b $s $a $t $n $u $f: an expression of that kind; @: the parameter of a lambda in the pattern. */
static void
write(struct gen *g, const char *pattern)
{
    static const char letters[] = "ildbsatnuf";
    unsigned parameter = g->names;

    g->names += strchr(pattern, '@') != NULL;

    for (const char *p = pattern; *p; p++) {
        const char *which = *p == '$' && p[1] ? strchr(letters, p[1]) : NULL;
        if (which) {
            expression(g, (enum kind)(which - letters));
            p++;
        } else if (*p == '@') {
            buf_printf(g->to, "w%u", parameter);
        } else {
            buf_add_char(g->to, *p);
        }
    }
}

static void
literal(struct gen *g, enum kind kind)
{
    static const char *const texts[KINDS][4] = {
        [INT] = {"1", "0", "7", "-3"},
        [LONG] = {"2L", "0L", "9000000000", "-1L"},
        [DOUBLE] = {"1.5", "0.0", "-2.25", "1e10"},
        [BOOL] = {"true", "false", "true", "false"},
        [STRING] = {"\"a\"", "\"\"", "\"12\"", "\"\\u00e9\\ud83d\\ude00\""},
        [ARRAY] = {"new int[0]", "new[] { 1, 2 }", "new int[3]", "new[] { 5 }"},
        [LIST] = {"new List<int>()", "new List<int> { 1, 2 }", "new List<int>(4)", "new List<int> { 3 }"},
        [NULLABLE] = {"((int?)null)", "((int?)4)", "default(int?)", "((int?)0)"},
        [TUPLE] = {"(a: 1, b: \"x\")", "(2, \"y\")", "default((int, string))", "(0, \"\")"},
        [FUNCTION] = {"((Func<int, int>)(q => q))", "((Func<int, int>)(q => 3))", "((Func<int, int>)(q => q + 1))", "((Func<int, int>)(q => -q))"},
    };

    put(g, texts[kind][choose(g, 4)]);
}

/* A lambda of its own name and scope: what it captures it may change. */
static void
lambda(struct gen *g)
{
    unsigned number = g->names++, locals = g->n_locals, loops = g->loops;
    enum kind result = g->result;
    bool in_finally = g->in_finally;

    buf_printf(g->to, "((Func<int, int>)(v%u => ", number);
    declare(g, INT, number, false);
    g->loops = 0;
    g->in_finally = false;
    g->result = INT;
    if (choose(g, 2) && !is_deep(g)) {
        put(g, "{ ");
        statement(g);
        put(g, "return ");
        expression(g, INT);
        put(g, "; }");
    } else {
        expression(g, INT);
    }
    put(g, "))");
    g->n_locals = locals;
    g->loops = loops;
    g->in_finally = in_finally;
    g->result = result;
}

static const char *const patterns[KINDS][14] = {
    [INT] = {"($i + $i)", "($i - $i)", "($i * $i)", "($i / $i)", "($i % $i)", "($i & $i)", "($i << $i)", "$s.Length", "$t.Count", "$a.Length",
             "(int)($l)", "(int)($d)", "checked($i + $i)", "($b ? $i : $i)"},
    [LONG] = {"($l + $i)", "($l * $l)", "(long)($i)", "($l >> $i)", "checked($l - $l)", "($l ^ $l)", "(long)($d)", "($b ? $l : $i)", "($l / $l)",
              "($l % $l)", "(-($l))", "(~$l)", "Math.Max($l, $i)", "(long)($i)"},
    [DOUBLE] = {"($d + $i)", "($d * $d)", "(double)($l)", "($d / $d)", "($d % $d)", "Math.Abs($d)", "($b ? $d : $i)", "(-($d))", "Math.Floor($d)",
                "($d - $l)", "(double)($i)", "(0.5 * $i)", "Math.Sqrt($d)", "($i / $d)"},
    [BOOL] = {"($i < $i)", "($i == $i)", "($b && $b)", "($b || $b)", "(!$b)", "($s == $s)", "($d >= $d)", "($n.HasValue)", "($s.Contains($s))",
              "($b ^ $b)", "((object)$i is int)", "($n == $i)", "($l > $i)", "(($b & $b) | $b)"},
    [STRING] = {"($s + $s)", "($s + $i + $s)", "$\"<{$i}|{$s,4}>\"", "$s.Trim()", "$s.ToUpper()", "($b ? $s : $s)", "($i).ToString()",
                "string.Join(\",\", $a)", "$s.Substring($i)", "($s ?? $s)", "($u).Item2", "string.Concat($s, $i)", "$s.Replace($s, $s)", "($n).ToString()"},
    [ARRAY] = {"new[] { $i, $i }", "$t.ToArray()", "$a.Where(@ => @ > $i).ToArray()", "($b ? $a : $a)", "new int[] { $i }", "$a.Reverse().ToArray()",
               "$a.Select(@ => @ + $i).ToArray()", "$a.Concat($a).Take(20).ToArray()", "$a.OrderBy(@ => -@).ToArray()", "new int[2]", "$t.ToArray()",
               "Enumerable.Range(0, 5).ToArray()", "$a", "$a.Skip(1).ToArray()"},
    [LIST] = {"$a.ToList()", "new List<int> { $i, $i }", "($b ? $t : $t)", "$t", "$a.Take(9).ToList()", "new List<int>($a)", "$t", "$a.ToList()",
              "$t.GetRange(0, 0)", "$a.Distinct().ToList()", "$t", "$t", "$t", "$t"},
    [NULLABLE] = {"((int?)($i))", "($n + $n)", "($n * $i)", "($b ? $n : $i)", "($b ? (int?)null : $n)", "($s?.Length)", "(-($n))", "$n", "($n & $n)",
                  "((object)$i as int?)", "$n", "$n", "$n", "$n"},
    [TUPLE] = {"($i, $s)", "(a: $i, b: $s)", "($b ? $u : $u)", "$u", "($i, ($u).Item2)", "$u", "$u", "$u", "$u", "$u", "$u", "$u", "$u", "$u"},
    [FUNCTION] = {"$f", "($b ? $f : $f)", "$f", "$f", "$f", "$f", "$f", "$f", "$f", "$f", "$f", "$f", "$f", "$f"},
};

static void
expression(struct gen *g, enum kind kind)
{
    unsigned which = choose(g, 20);

    g->depth++;
    if (is_deep(g) || which >= 14) {
        if (!(which % 2 ? local(g, kind, false) : false) && !local(g, kind, false))
            literal(g, kind);
    } else if (kind == FUNCTION) {
        lambda(g);
    } else if (kind == INT && which < 4) {          /* what only an int can be */
        static const char *const more[] = {"$a[$i]", "$f.Invoke($i)", "($n ?? $i)", "$a.Sum(@ => @ * $i)"};
        write(g, more[which]);
    } else if (kind == INT && which == 5) {
        if (local(g, INT, true))
            put(g, choose(g, 2) ? "++" : "--");
        else
            literal(g, INT);
    } else {
        write(g, patterns[kind][which]);
    }
    g->depth--;
}

/* --- statements --------------------------------------------------------------------------------------------------------------- */

static void
block(struct gen *g)
{
    unsigned locals = g->n_locals, n = 1 + choose(g, 3);

    put(g, "{ ");
    for (unsigned i = 0; i < n; i++)
        statement(g);
    put(g, "} ");
    g->n_locals = locals;
}

static void
declaration(struct gen *g)
{
    enum kind kind = (enum kind)choose(g, KINDS);
    unsigned number = g->names++;

    buf_printf(g->to, "%s v%u = ", choose(g, 2) && kind != FUNCTION ? "var" : type_names[kind], number);
    expression(g, kind);
    put(g, "; ");
    declare(g, kind, number, false);
}

static void
assignment(struct gen *g)
{
    static const char *const ops[KINDS][5] = {
        [INT] = {" = ", " += ", " -= ", " |= ", " *= "}, [LONG] = {" = ", " += ", " ^= ", " -= ", " = "},
        [DOUBLE] = {" = ", " += ", " *= ", " /= ", " = "}, [BOOL] = {" = ", " &= ", " |= ", " ^= ", " = "},
        [STRING] = {" = ", " += ", " = ", " += ", " = "}, [ARRAY] = {" = ", " = ", " = ", " = ", " = "},
        [LIST] = {" = ", " = ", " = ", " = ", " = "}, [NULLABLE] = {" = ", " += ", " -= ", " = ", " = "},
        [TUPLE] = {" = ", " = ", " = ", " = ", " = "}, [FUNCTION] = {" = ", " += ", " = ", " = ", " = "},
    };
    enum kind kind = (enum kind)choose(g, KINDS);

    if (!local(g, kind, true)) {
        declaration(g);
        return;
    }
    if (kind == TUPLE && choose(g, 2)) {
        write(g, choose(g, 2) ? ".Item1 += $i; " : ".Item2 = $s; ");
        return;
    }
    if (kind == ARRAY && choose(g, 2)) {
        write(g, choose(g, 2) ? "[$i] = $i; " : "[$i]++; ");
        return;
    }
    if (kind == LIST && choose(g, 2)) {
        write(g, choose(g, 2) ? ".Add($i); " : "[$i] += $i; ");
        return;
    }
    put(g, ops[kind][choose(g, 5)]);
    expression(g, kind);
    put(g, "; ");
}

static void
loop(struct gen *g)
{
    unsigned number = g->names++, locals = g->n_locals;
    static const char *const heads[] = {"for (int v%u = 0; v%u < 5; v%u++) ", "foreach (var v%u in new[] { 1, 2, 3 }) ",
                                        "for (var v%u = 3; v%u > 0 && v%u < 9; v%u -= 1) ", "foreach (int v%u in \"abc\") "};
    unsigned which = choose(g, 6);

    if (which < COUNTOF(heads)) {
        buf_printf(g->to, heads[which], number, number, number, number);
        declare(g, INT, number, which == 1 || which == 3);
    } else {
        put(g, which == 4 ? "while (" : "do ");
        if (which == 4) {
            write(g, "$b) ");
        }
    }
    g->loops++;
    block(g);
    g->loops--;
    if (which == 5)
        write(g, "while ($b); ");
    g->n_locals = locals;
}

static void
try_statement(struct gen *g)
{
    unsigned which = choose(g, 3), loops = g->loops;
    bool was = g->in_finally;

    put(g, "try ");
    block(g);
    if (which != 1) {
        static const char *const clauses[] = {"catch ", "catch (Exception) ", "catch (FormatException) when ($b) ",
                                              "catch (Exception e%u) when (e%u.Message.Length > $i) "};
        unsigned clause = choose(g, 4), number = g->names++;
        char text[100];
        snprintf(text, sizeof(text), clauses[clause], number, number);
        write(g, text);
        block(g);
    }
    if (which != 0) {
        put(g, "finally ");
        g->in_finally = true;
        g->loops = 0;
        block(g);
        g->in_finally = was;
        g->loops = loops;
    }
}

static void
switch_statement(struct gen *g)
{
    bool on_object = choose(g, 2);
    unsigned first = g->names;

    g->names += 2;
    write(g, on_object ? "switch ((object)($b ? (object)$i : $s)) { " : "switch ($i) { ");
    for (unsigned i = 0, n = choose(g, 4); i < n; i++) {
        if (on_object)
            buf_printf(g->to, i == 0 ? "case int p%u when p%u > 1: " : i == 1 ? "case string p%u: " : "case %u: ", first + i, first + i);
        else
            buf_printf(g->to, "case %u: ", i);
        block(g);
        put(g, "break; ");
    }
    if (choose(g, 2)) {
        put(g, "default: ");
        block(g);
        put(g, "break; ");
    }
    put(g, "} ");
}

/* A local function that calls itself less and less, and changes what is around it. */
static void
local_function(struct gen *g)
{
    unsigned number = g->names++, parameter = g->names++, result_name = g->names++, locals = g->n_locals, loops = g->loops;
    enum kind result = g->result;
    bool in_finally = g->in_finally;

    buf_printf(g->to, "int f%u(int v%u) { if (v%u > 3) return f%u(v%u / 2); ", number, parameter, parameter, number, parameter);
    declare(g, INT, parameter, false);
    g->loops = 0;
    g->in_finally = false;
    g->result = INT;
    statement(g);
    write(g, "return $i; } ");
    g->n_locals = locals;
    g->loops = loops;
    g->in_finally = in_finally;
    g->result = result;
    buf_printf(g->to, "int v%u = f%u(", result_name, number);
    write(g, "$i); ");
    declare(g, INT, result_name, false);
}

static void
statement(struct gen *g)
{
    unsigned which = choose(g, 16), locals;

    if (is_deep(g)) {
        put(g, "; ");
        return;
    }
    g->depth++;
    switch (which) {
    case 0: case 1: declaration(g); break;
    case 2: case 3: case 4: assignment(g); break;
    case 5:
        write(g, "if ($b) ");
        block(g);
        if (choose(g, 2)) {
            put(g, "else ");
            block(g);
        }
        break;
    case 6: case 7: loop(g); break;
    case 8: try_statement(g); break;
    case 9: switch_statement(g); break;
    case 10:
        locals = g->n_locals;
        put(g, "{ ");
        local_function(g);
        statement(g);
        put(g, "} ");
        g->n_locals = locals;
        break;
    case 11:
        if (g->loops) {
            write(g, choose(g, 2) ? "if ($b) break; " : "if ($b) continue; ");
        } else {
            declaration(g);
        }
        break;
    case 12:
        if (!g->in_finally) {
            write(g, "if ($b) return ");
            expression(g, g->result);
            put(g, "; ");
        } else {
            assignment(g);
        }
        break;
    case 13: write(g, "if ($b) throw new ArgumentException($s); "); break;
    case 14: block(g); break;
    default: {
        unsigned number = g->names;
        g->names += 2;
        buf_printf(g->to, "var (v%u, v%u) = ", number, number + 1);
        write(g, "$u; ");
        declare(g, INT, number, false);
        declare(g, STRING, number + 1, false);
        break;
    }
    }
    g->depth--;
}

static struct str
program(struct gen *g)
{
    put(g, "@{ int v0 = 2; string v1 = \"xyz\"; ");
    declare(g, INT, 0, false);
    declare(g, STRING, 1, false);
    g->names = 2;
    g->result = (enum kind)choose(g, KINDS - 1);
    for (unsigned i = 0, n = 1 + choose(g, 6); i < n; i++)
        statement(g);
    put(g, "return ");
    expression(g, g->result);
    put(g, "; }");
    return buf_str(g->to);
}

/* Constants that C# computes while compiling may not fit, a shift or division of literals among them. */
static bool
is_about_constants(struct str message)
{
    static const struct str codes[] = {STR_INIT("CS0020"), STR_INIT("CS0220"), STR_INIT("CS0221"), STR_INIT("CS0152"), STR_INIT("too large")};

    for (size_t i = 0; i < COUNTOF(codes); i++)
        if (str_find(message, codes[i], 0) >= 0)
            return true;
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct expr_env *env;
    static const struct expr_limits limits = {
        .steps = 20000, .bytes = 1 << 20, .depth = 12, .regex_steps = 10000, .regex_timeout_ms = 50, .output_bytes = 1 << 14,
    };
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 20);
    struct expr_options options = {.wanted = EXPR_ANY};
    struct buf text = buf_in(&arena);
    struct gen g = {.data = data, .size = size, .to = &text};
    struct err err = ERR_INIT;
    struct expr_program *p;
    struct diags diags;
    struct expr_run run;
    struct rand rand;
    struct str source, result;

    if (!env && !(env = expr_env_new(clr_libraries, clr_libraries_n, &err)))
        abort();
    source = program(&g);
    if (getenv("FUZZ_SHOW"))
        printf("%.*s\n", STR_ARG(source));
    diags_init(&diags, &arena);
    p = expr_compile(env, source, &options, &arena, &diags);
    if (!p) {
        const struct diag *d = diags.first;
        while (d->level != DIAG_ERROR)
            d = d->next;
        if (!is_about_constants(d->message)) {
            fprintf(stderr, "%.*s\n%.*s\n", STR_ARG(d->message), STR_ARG(source));
            abort();
        }
        return 0;
    }
    rand_seed(&rand, 1);
    for (int i = 0; i < 2; i++) {           /* the second time on the stack chunks of the first */
        expr_run_init(&run, env, &arena, &limits);
        run.rand = &rand;
        if (!expr_run_text(p, &run, &result))
            ASSERT(run.exception || run.exceeded);
    }
    return 0;
}
