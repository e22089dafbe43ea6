/* policy.h: what a policy is. One file p_NAME.c, one row in policies.def, one `const struct policy_def policy_NAME`.
 *
 * A definition declares its attributes and children as offsets into a struct of its own. The compiler fills that struct,
 * once a document (attributes checked, literals converted, expressions compiled), lets `compile` look at it, and the
 * runner calls `run` with it for each request. `headgate check`, the publish-time checks and the reference manual read
 * the same tables.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "exchange/exchange.h"

struct compiler;      /* policy/compile.h */
struct expr_program;
struct node;          /* policy/document.h */
struct object;

/* Where a policy may stand, by the reference. Elsewhere it runs all the same; --strict refuses it. */
#define IN_INBOUND (1u << SECTION_INBOUND)
#define IN_BACKEND (1u << SECTION_BACKEND)
#define IN_OUTBOUND (1u << SECTION_OUTBOUND)
#define IN_ON_ERROR (1u << SECTION_ON_ERROR)
#define IN_ALL (IN_INBOUND | IN_BACKEND | IN_OUTBOUND | IN_ON_ERROR)
#define AT_GLOBAL (1u << LEVEL_GLOBAL)
#define AT_WORKSPACE (1u << LEVEL_WORKSPACE)
#define AT_PRODUCT (1u << LEVEL_PRODUCT)
#define AT_API (1u << LEVEL_API)
#define AT_OPERATION (1u << LEVEL_OPERATION)
#define AT_ALL (AT_GLOBAL | AT_WORKSPACE | AT_PRODUCT | AT_API | AT_OPERATION)

/* Names of an enumerated attribute, ended by {NULL}. */
struct choice {
    const char *name;
    int value;
};

/* A value that may be an expression. A literal was converted when the document was compiled. */
struct pvalue {
    const struct expr_program *program;   /* NULL: a literal, or absent */
    struct str text;                      /* the literal, or the expression's source; STR_NONE: absent, no default */
    union {
        bool truth;
        uint32_t number;
        double real;
        int choice;
    } literal;
};

/* Each gives the value now; false after exchange_fail_expression() or a failed conversion has set ex->error, then
 * return FLOW_ERROR. An absent value without a default, and null, give STR_NONE, false, 0. Yield, as expressions may. */
MUST_USE bool pvalue_str(struct exchange *ex, const struct pvalue *v, struct str *ret);
MUST_USE bool pvalue_bool(struct exchange *ex, const struct pvalue *v, bool *ret);
MUST_USE bool pvalue_u32(struct exchange *ex, const struct pvalue *v, uint32_t *ret);
/* A lifetime in seconds. Expressions often give what another one has left, so below 0 is 0, and too long the longest there is. */
MUST_USE bool pvalue_lifetime(struct exchange *ex, const struct pvalue *v, uint32_t *ret);
MUST_USE bool pvalue_f64(struct exchange *ex, const struct pvalue *v, double *ret);
/* One of the attribute's names, in any case; another text is an error that lists them. */
MUST_USE bool pvalue_enum(struct exchange *ex, const struct pvalue *v, const struct choice *choices, int *ret);
/* The value as an object: a boxed number stays one, a literal is a string, null is NULL. */
MUST_USE bool pvalue_object(struct exchange *ex, const struct pvalue *v, struct object **ret);
static inline bool
pvalue_is_set(const struct pvalue *v)
{
    return v->program || v->text.p;
}

enum attr_type { ATTR_TYPE_STR, ATTR_TYPE_BOOL, ATTR_TYPE_U32, ATTR_TYPE_F64, ATTR_TYPE_CHOICE, ATTR_TYPE_ANY };

/* One attribute (or the text) of an element. */
struct attr_def {
    const char *name;                 /* NULL ends a table; "" is the element's text */
    uint16_t offset;
    enum attr_type type;
    bool is_value;                    /* the field is a struct pvalue; else the plain C type */
    bool required;
    bool is_literal;                  /* the reference allows no expression here; strict refuses one */
    bool keep_blanks;                 /* of a text: not trimmed */
    bool is_header_name;              /* a literal that is none is a slip: a warning, strict refuses it */
    const char *fallback;             /* default, as it would be written; NULL: none */
    uint32_t min, max;                /* of numbers; max 0: no bound */
    const struct choice *choices;
    const char *about;                /* one line for the manual */
    const char *unverified;           /* what no source tells, and what we do */
    const char *no_effect;            /* accepted, does nothing here: a warning that says why */
};

/* Plain fields: no expression possible. */
#define ATTR_STR(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_STR, .is_literal = true, ##__VA_ARGS__}
#define ATTR_BOOL(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_BOOL, .is_literal = true, ##__VA_ARGS__}
#define ATTR_U32(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_U32, .is_literal = true, ##__VA_ARGS__}
#define ATTR_CHOICE(type_, field, name_, choices_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_CHOICE, .choices = (choices_), \
     .is_literal = true, ##__VA_ARGS__}
/* Fields of type struct pvalue. */
#define VALUE_STR(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_STR, .is_value = true, ##__VA_ARGS__}
#define VALUE_BOOL(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_BOOL, .is_value = true, ##__VA_ARGS__}
#define VALUE_U32(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_U32, .is_value = true, ##__VA_ARGS__}
#define VALUE_F64(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_F64, .is_value = true, ##__VA_ARGS__}
#define VALUE_CHOICE(type_, field, name_, choices_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_CHOICE, .choices = (choices_), \
     .is_value = true, ##__VA_ARGS__}
#define VALUE_ANY(type_, field, name_, ...) \
    {.name = (name_), .offset = offsetof(type_, field), .type = ATTR_TYPE_ANY, .is_value = true, ##__VA_ARGS__}
#define ATTR_END {.name = NULL}

/* Child elements of one kind: an array of structs, filled like the policy's own. */
struct children {
    uint32_t n;
    void *v;
};

struct child_def {
    const char *name;                 /* NULL ends a table */
    uint16_t offset;                  /* of a struct children */
    uint16_t size;                    /* of one struct */
    const struct attr_def *attrs;     /* NULL: none; a row named "" is its text */
    const struct child_def *children;
    const struct policy_def *policy;  /* the child is this policy (set-header in send-request); size, attrs unused */
    bool required, once;
    const char *unique;               /* two of these with the same value of this attribute are a slip; NULL: they may repeat */
    bool is_opaque;                   /* `compile` reads it (policies inside, markup kept) */
    bool is_extension;                /* Azure has no such element; strict refuses it */
    const char *about;
};
#define CHILD_END {.name = NULL}
#define CHILDREN(list, type, it) \
    for (const type *it = (list)->v, *end_##it = it + (list)->n; it < end_##it; it++)

/* What a policy does with bodies, so that plans know at publish. */
enum policy_body { BODY_UNTOUCHED, BODY_REPLACED, BODY_WHOLE };

struct policy_def {
    const char *name;
    uint32_t sections, scopes;        /* IN_..., AT_... */
    bool once;                        /* documented as once a section */
    bool not_in_fragment;             /* documented so; a warning */
    bool needs_schemas;               /* of the API's definition: ex->schemas is compiled for APIs that run it */
    bool is_container;                /* holds other policies */
    bool is_range;                    /* and runs them itself, by plan_run_range() */
    enum policy_body body;
    const struct attr_def *attrs;
    const struct child_def *children;
    size_t size;                      /* of the policy's own struct; 0: none */
    /* After attributes and children were filled in. False after adding a diagnostic. May be NULL. */
    bool (*compile)(struct compiler *c, const struct node *n, void *conf);
    enum flow (*run)(const void *conf, struct exchange *ex);   /* NULL: known, not supported yet */
    const char *summary;              /* one sentence for the manual */
    const char *usage;                /* usage notes, paragraphs split by newlines; may be NULL */
};

/* The rows of policies.def by position, for the manual; NULL past the last. */
const struct policy_def *policy_row(size_t i);
/* NULL when there is none of that name. */
const struct policy_def *policy_find(struct str name);
/* The known name nearest to `name`, or STR_NONE. */
struct str policy_nearest(struct str name);
