/* policy_document.c: one document from its text to four units. Parts of a document (one section, single policies, as articles
 * print them) are taken as the document they belong to: policies stand in the first section that allows them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_document.h"

#include <stdlib.h>

#define DOCUMENT_BYTES_MAX ((size_t)256 << 20)

struct str
policy_default_global(void)
{
    return STR("<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>");
}

/* Steps that end a branch go on where their container does. Containers come before what is inside them. */
static void
link_branches(struct compiler *c)
{
    for (size_t i = 0; i < c->steps.n; i++)
        if (c->ends_branch.v[i])
            c->steps.v[i].next = c->steps.v[c->steps.v[i].container].next;
}

static struct unit *
finish_unit(struct compiler *c)
{
    struct unit *u = arena_new(c->arena, struct unit);
    struct step *steps = arena_new_array(c->arena, struct step, c->steps.n + 1);

    if (!u || !steps)
        return NULL;
    link_branches(c);
    if (c->steps.n)
        memcpy(steps, c->steps.v, c->steps.n * sizeof(*steps));
    *u = (struct unit){.steps = steps, .n = (uint32_t)c->steps.n};
    if (c->in->with_coverage)
        u->ran = arena_new_array(c->arena, uint8_t, c->steps.n + 1);
    return u;
}

static bool
compile_section(struct compiler *c, struct policy_document *d, const struct node *n, enum section s)
{
    uint32_t from;
    bool ok;

    if (d->units[s])
        return compile_error(c, n, "<%.*s> appears twice", STR_ARG(n->name));
    c->section = s;
    c->steps.n = c->ends_branch.n = 0;
    ok = compile_known_attributes(c, n, NULL);
    ok &= compile_block(c, n, STR(""), BLOCK_SECTION, &from);
    d->units[s] = finish_unit(c);
    return ok && (d->units[s] || compile_error(c, n, "the document needs too much memory"));
}

static bool
find_section(struct str name, enum section *ret)
{
    for (int s = 0; s < SECTION_COUNT; s++) {
        if (str_eq(section_name((enum section)s), name)) {
            *ret = (enum section)s;
            return true;
        }
    }
    return false;
}

static bool
next_section(void *ctx, struct str *candidate)
{
    int *s = ctx;

    if (*s == SECTION_COUNT)
        return false;
    *candidate = section_name((enum section)(*s)++);
    return true;
}

static bool
unknown_section(struct compiler *c, const struct node *n)
{
    struct str nearest = diag_nearest(n->name, next_section, &(int){0});

    return compile_error(c, n, "expected <inbound>, <backend>, <outbound> or <on-error>, found <%.*s>%s%.*s%s", STR_ARG(n->name),
                         nearest.p ? "; did you mean <" : "", STR_ARG(nearest), nearest.p ? ">?" : "");
}

static bool
compile_sections(struct compiler *c, struct policy_document *d, const struct node *first)
{
    bool ok = true;

    for (const struct node *n = first; n; n = n->next) {
        enum section s;

        if (find_section(n->name, &s))
            ok &= compile_section(c, d, n, s);
        else
            ok = unknown_section(c, n);
    }
    return ok;
}

/* --- parts of a document ------------------------------------------------------------------------------------------- */

/* The section a lone policy belongs to: where it is at home, inbound first. */
static enum section
home_of(const struct node *n)
{
    const struct policy_def *def = policy_find(n->name);

    for (int s = 0; def && s < SECTION_COUNT; s++)
        if (def->sections & (1u << s))
            return (enum section)s;
    return SECTION_INBOUND;
}

static struct node *
add_section(struct compiler *c, struct node *sections[], enum section s, const struct node *near)
{
    struct node *n = arena_new(c->arena, struct node);

    if (n)
        *n = (struct node){.name = section_name(s), .at = near->at, .len = near->len, .source = near->source,
                           .text.value = STR("")};
    return sections[s] = n;
}

/* The policy that takes elements of this name inside; NULL when none does. */
static const struct policy_def *
policy_around(struct str name)
{
    const struct policy_def *p;

    for (size_t i = 0; (p = policy_row(i)); i++)
        for (const struct child_def *child = p->children; child && child->name; child++)
            if (!child->policy && str_eq(str_from_c(child->name), name))
                return p;
    return NULL;
}

/* A part of a policy, printed alone, stands in that policy; anything else comes back as it is. */
static struct node *
wrap_in_policy(struct compiler *c, struct node *n)
{
    enum section s;
    const struct policy_def *def = policy_find(n->name) || find_section(n->name, &s) ? NULL : policy_around(n->name);
    struct node *outer = def ? arena_new(c->arena, struct node) : NULL;

    if (!outer)
        return n;
    *outer = (struct node){.name = str_from_c(def->name), .at = n->at, .len = n->len, .source = n->source,
                           .text.value = STR(""), .first_child = n, .last_child = n};
    n->parent = outer;
    return outer;
}

/* Moves the top-level elements under sections of their own; the first section. */
static struct node *
wrap_parts(struct compiler *c, struct document *doc)
{
    struct node *sections[SECTION_COUNT] = {NULL}, *first = NULL, **last = &first;

    for (struct node *n = doc->first, *next; n; n = next) {
        next = n->next;
        n->next = NULL;
        n = wrap_in_policy(c, n);
        enum section s = home_of(n);

        if (find_section(n->name, &s)) {
            *last = n;
            last = &n->next;
            continue;
        }
        if (!sections[s] && !add_section(c, sections, s, n))
            return NULL;
        n->parent = sections[s];
        if (sections[s]->last_child)
            sections[s]->last_child->next = n;
        else
            sections[s]->first_child = n;
        sections[s]->last_child = n;
    }
    for (int s = 0; s < SECTION_COUNT; s++) {
        if (sections[s]) {
            *last = sections[s];
            last = &sections[s]->next;
        }
    }
    return first;
}

static bool
compile_top(struct compiler *c, struct policy_document *d, struct document *doc)
{
    struct node *root = doc->first;

    if (str_eq_lit(root->name, "policies")) {
        if (root->next)
            compile_error(c, root->next, "a document ends with </policies>");
        bool ok = compile_known_attributes(c, root, NULL);
        if (str_trim(root->text.value).len)
            ok &= compile_strict(c, root, "the text inside <policies> is ignored");
        return compile_sections(c, d, root->first_child) && ok;
    }
    if (str_eq_lit(root->name, "fragment")) {
        if (!c->in->names || !c->in->names->is_lone)
            return compile_error(c, root, "a policy document begins with <policies>");
        c->n_fragments = 1;
        c->is_fragment_alone = true;
        bool ok = compile_fragment_size(c, root);
        return compile_section(c, d, root, SECTION_INBOUND) && ok;
    }
    if (str_eq_nocase(root->name, STR("policies")) || str_eq_nocase(root->name, STR("fragment")))
        return compile_error(c, root, "expected <policies> or <fragment>, found <%.*s>: names of elements have a case",
                             STR_ARG(root->name));
    return compile_sections(c, d, wrap_parts(c, doc));
}

static bool
compile_all(struct compiler *c, struct policy_document *d)
{
    const struct policy_names *names = c->in->names;
    struct named_value_source values = {0};
    struct document doc;

    if (names)
        values = (struct named_value_source){.ctx = names->ctx, .lookup = names->named_value,
                                             .is_unresolved_ok = names->is_lone};
    /* A slip in the markup or an unknown name does not hide the other mistakes. */
    c->has_failed = !document_read(&d->arena, &d->source, NULL, c->diags, &doc);
    if (c->has_failed && !doc.is_readable)
        return false;
    c->has_open_names = !named_values_apply(&doc, &values, c->diags);
    c->has_failed |= c->has_open_names;
    return compile_top(c, d, &doc) && !c->has_failed;
}

/* A copy of a source that lives as long as the problems that show it. */
static const struct source *
keep_source(struct diags *diags, const struct source *from)
{
    struct source *s = arena_new(diags->arena, struct source);

    if (!s)
        return NULL;
    *s = (struct source){str_dup(diags->arena, from->name), str_dup(diags->arena, from->text)};
    return s->name.p && s->text.p ? s : NULL;
}

/* Problems outlive the document, and the configuration that its text (or a fragment's) came from. Those of one source mostly
 * stand together: one copy serves them. */
static void
keep_sources(struct diags *diags, struct diag *first)
{
    const struct source *from = NULL, *copy = NULL;

    for (struct diag *one = first; one; one = one->next) {
        if (!one->source)
            continue;
        if (one->source != from) {
            from = one->source;
            copy = keep_source(diags, from);
        }
        one->source = copy;
    }
}

struct policy_document *
policy_document_new(const struct policy_input *in, struct diags *diags)
{
    struct policy_document *d = xnew(struct policy_document);
    struct compiler c = {.in = in, .diags = diags};
    struct diag **own = diags->last;
    bool ok;

    d->arena = ARENA(NULL, DOCUMENT_BYTES_MAX);
    d->refs = 1;
    d->level = in->level;
    d->source = (struct source){str_dup(&d->arena, in->source->name), str_dup(&d->arena, in->source->text)};
    c.arena = &d->arena;
    diags->part = in->source;
    ok = compile_all(&c, d);
    diags->part = NULL;
    d->unsupported = c.unsupported;
    d->needs_schemas = c.needs_schemas;
    d->schema_pointers = c.schema_pointers.v;
    d->n_schema_pointers = (uint32_t)c.schema_pointers.n;
    vec_free(&c.steps);
    vec_free(&c.ends_branch);
    keep_sources(diags, *own);
    if (ok)
        return d;
    policy_document_unref(d);
    return NULL;
}

struct policy_document *
policy_document_ref(struct policy_document *d)
{
    if (d)
        atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void
policy_document_unref(struct policy_document *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
        return;
    arena_destroy(&d->arena);
    free(d);
}

struct str
policy_document_unsupported(const struct policy_document *d)
{
    return d->unsupported;
}

void
policy_document_coverage(const struct policy_document *d, void (*fn)(void *ctx, const struct origin *at, bool ran), void *ctx)
{
    for (int s = 0; s < SECTION_COUNT; s++) {
        const struct unit *u = d->units[s];

        for (uint32_t i = 0; u && u->ran && i < u->n; i++)
            fn(ctx, &u->steps[i].origin, __atomic_load_n(&u->ran[i], __ATOMIC_RELAXED));
    }
}
