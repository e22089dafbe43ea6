/* The cases are data: the files in tests/schema, whose format tests/schema/README.md tells. */
#include <dirent.h>

#include "base/buf.h"
#include "base/file.h"
#include "data/json_schema.h"
#include "test.h"

static const struct { const char *name; enum json_schema_dialect dialect; } dialects[] = {
    {"4", SCHEMA_DRAFT_4}, {"6", SCHEMA_DRAFT_6}, {"7", SCHEMA_DRAFT_7}, {"2019-09", SCHEMA_2019_09}, {"2020-12", SCHEMA_2020_12},
    {"openapi-2", SCHEMA_OPENAPI_2}, {"openapi-3.0", SCHEMA_OPENAPI_3_0}, {"openapi-3.1", SCHEMA_OPENAPI_3_1},
};

struct cases {
    const char *file;
    unsigned line;
    bool wanted[COUNTOF(dialects)];
    struct str schema;                /* of several lines, perhaps */
    unsigned schema_line;
    enum schema_additional additional;
    bool ignore_case;
    unsigned assertions;
};

static void
set_dialects(struct cases *c, struct str words)
{
    struct str word;

    memset(c->wanted, 0, sizeof(c->wanted));
    while (str_split_next(&words, ' ', &word)) {
        bool found = str_eq_lit(word, "drafts") || str_eq_lit(word, "openapi") || str_eq_lit(word, "all");

        for (size_t i = 0; i < COUNTOF(dialects); i++) {
            bool is_draft = i <= 4, from = false;
            struct str bare = word;

            if (word.len > 1 && word.p[word.len - 1] == '+') {
                bare.len--;
                from = is_draft;
            }
            if ((str_eq_lit(word, "drafts") && is_draft) || (str_eq_lit(word, "openapi") && !is_draft) || str_eq_lit(word, "all"))
                c->wanted[i] = true;
            if (str_eq(bare, str_from_c(dialects[i].name))) {
                found = true;
                for (size_t k = i; k < (from ? 5 : i + 1); k++)
                    c->wanted[k] = true;
            }
        }
        if (!found)
            TEST_FAIL("%s:%u: no dialect '%.*s'", c->file, c->line, STR_ARG(word));
    }
}

/* All errors as "message Line: 1, Position: 2", joined by " / ". */
static struct str
errors_text(struct arena *a, const struct json_schema_run *run)
{
    struct buf b = buf_in(a);

    if (run->failed.code != ERR_NONE)
        return str_printf(a, "failed: %s", run->failed.text);
    for (uint32_t i = 0; i < run->n_errors; i++)
        buf_printf(&b, "%s%.*s Line: %u, Position: %u", i ? " / " : "", STR_ARG(run->errors[i].message), run->errors[i].line,
                   run->errors[i].position);
    return b.len ? buf_str(&b) : STR("valid");
}

/* What validating the value says. */
static struct str
outcome(struct arena *a, const struct cases *c, enum json_schema_dialect dialect, struct str value)
{
    struct source source = {str_from_c(c->file), c->schema};
    struct arena scratch AUTO(arena_destroy) = ARENA(NULL, 16 << 20);
    struct json_schema_run run = {.arena = a, .text = value, .steps_max = 100000, .regex_steps = 10000,
                                  .additional = c->additional, .ignore_case = c->ignore_case};
    const struct json_schema *s;
    struct json_schemas *all;
    struct json_problem problem = {.err = ERR_INIT};
    const struct json *j = json_parse(a, value, JSON_STRICT_UNIQUE, &problem);
    struct diags diags;
    struct doc d;
    struct err err = ERR_INIT;

    diags_init(&diags, &scratch);
    if (!doc_parse(&d, &source, &scratch, &diags))
        return STR("the schema is no JSON");
    if (!j)
        return str_printf(a, "the value is no JSON: %s", problem.err.text);
    all = json_schemas_new(a, &d, dialect);
    s = json_schemas_get(all, STR("#"), &err);
    json_schemas_done(all);
    if (!s)
        return str_printf(a, "schema: %s", err.text);
    arena_destroy(&scratch); /* nothing of the document is needed any more */
    if (json_schema_validate(s, j, &run))
        return STR("valid");
    return errors_text(a, &run);
}

/* valid VALUE, invalid VALUE [=> ERRORS], bad [=> ERROR] */
static void
run_case(struct cases *c, struct str line)
{
    ptrdiff_t arrow = str_find(line, STR(" => "), 0);
    struct str word, rest = line, expected = arrow < 0 ? STR_NONE : str_skip(line, (size_t)arrow + 4);

    str_split_next(&rest, ' ', &word);
    rest = arrow < 0 ? rest : str_sub(rest, 0, (size_t)arrow - word.len - 1);
    for (size_t i = 0; i < COUNTOF(dialects); i++) {
        struct arena a AUTO(arena_destroy) = ARENA(NULL, 16 << 20);
        struct str got;
        bool ok;

        if (!c->wanted[i])
            continue;
        got = outcome(&a, c, dialects[i].dialect, str_eq_lit(word, "bad") ? STR("0") : str_trim(rest));
        if (str_eq_lit(word, "valid"))
            ok = str_eq_lit(got, "valid");
        else if (str_eq_lit(word, "bad"))
            ok = str_starts_with(got, STR("schema: ")) && (!expected.p || str_find(got, expected, 0) >= 0);
        else
            ok = !str_eq_lit(got, "valid") && !str_starts_with(got, STR("schema: ")) && !str_starts_with(got, STR("the ")) &&
                 (!expected.p || str_eq(got, expected));
        c->assertions++;
        if (!ok)
            TEST_FAIL("%s:%u: %s: %.*s\n      got %.*s", c->file, c->line, dialects[i].name, STR_ARG(line), STR_ARG(got));
    }
}

static void
run_line(struct cases *c, struct str line)
{
    struct str trimmed = str_trim(line);

    if (!trimmed.len || trimmed.p[0] == '#')
        return;
    if (str_starts_with(line, STR("dialects "))) {
        set_dialects(c, str_skip(line, 9));
    } else if (str_starts_with(line, STR("schema "))) {
        c->schema = str_skip(line, 7);
        c->schema_line = c->line;
        c->additional = ADDITIONAL_AS_SCHEMA;
        c->ignore_case = false;
    } else if (line.p[0] == ' ') {
        c->schema.len = (size_t)(line.p + line.len - c->schema.p);
    } else if (str_eq_lit(trimmed, "additional allowed")) {
        c->additional = ADDITIONAL_ALLOWED;
    } else if (str_eq_lit(trimmed, "additional forbidden")) {
        c->additional = ADDITIONAL_FORBIDDEN;
    } else if (str_eq_lit(trimmed, "ignore case")) {
        c->ignore_case = true;
    } else {
        run_case(c, line);
    }
}

static unsigned
run_file(const char *path)
{
    struct cases c = {.file = path};
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct str rest, line;
    struct err err;

    if (!file_read(path, 1 << 20, &text, &err)) {
        TEST_FAIL("%s", err.text);
        return 0;
    }
    for (rest = buf_str(&text); str_split_next(&rest, '\n', &line);) {
        c.line++;
        run_line(&c, line);
    }
    return c.assertions;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

TEST(every_case_of_the_data)
{
    DIR *dir = opendir(SOURCE_DIR "/tests/schema");
    char *names[64];
    struct dirent *e;
    size_t n = 0;
    unsigned assertions = 0;

    while (dir && (e = readdir(dir)) && n < COUNTOF(names))
        if (str_ends_with(str_from_c(e->d_name), STR(".txt")))
            names[n++] = strdup(e->d_name);
    if (dir)
        closedir(dir);
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/tests/schema/%s", SOURCE_DIR, names[i]);
        assertions += run_file(path);
        free(names[i]);
    }
    printf("  %u assertions about schemas\n", assertions);
    EXPECT(assertions >= 1000);
}
