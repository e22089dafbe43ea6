/* bind.h: from what was written to what it means: the bound tree, where every expression has its type, every conversion
 * is a node and every call names its member.
 *
 *     bind.c          scopes, messages                 bind_expr.c    each kind of expression
 *     bind_member.c   names and members                bind_op.c      operators
 *     bind_call.c     calls and indexers               bind_assign.c  assignments
 *     bind_new.c      creation                         bind_pattern.c casts, `is`, patterns
 *     bind_lambda.c   lambdas and method groups        bind_stmt.c    statements
 *     convert.c       which conversion, and its node   fold.c         arithmetic on constants
 *     overload.c      which overload, type inference   flow.c         definite assignment, reachability
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/member.h"

#define ARGUMENTS_MAX 64

enum symbol_kind { SYMBOL_LOCAL, SYMBOL_PARAMETER, SYMBOL_CONSTANT, SYMBOL_FUNCTION, SYMBOL_ALIAS, SYMBOL_TEMPORARY };

struct function_scope;
struct lambda_answers;

struct symbol {
    enum symbol_kind kind;
    struct str name;
    const struct type *type;
    struct function_scope *function;  /* whose frame holds it */
    const struct node *node;          /* where it is declared; of an ALIAS the expression it stands for */
    struct value value;               /* of a CONSTANT */
    struct bound *body;               /* of a local FUNCTION: its LAMBDA */
    struct symbol *next;              /* in its scope */
    uint32_t index;                   /* for flow.c: its bit */
    void *flow;                       /* for flow.c: what a local function needs and gives */
    uint32_t reg;                     /* for emit.c */
    bool is_read_only;                /* foreach, using */
    bool is_in_initializer;           /* its own first value is being bound */
    bool is_used_in_initializer;      /* which mentions it */
    bool is_captured, is_reassigned;
    bool is_used_by_function;         /* by a local function, which exists before its variables have values */
    bool is_out;                      /* out parameter of a local function: not supported, kept for the message */
    bool has_register;
};

/* Symbols of a scope that was inside and is closed: their names stay taken (CS0136). */
struct closed_scope {
    const struct symbol *symbols;
    struct closed_scope *next;
};

struct scope {
    struct scope *outer;
    struct symbol *symbols;
    struct closed_scope *closed;
    struct function_scope *function;
    const struct node *statements;    /* of a block: what it will declare */
    bool is_section;                  /* of a switch: its declarations belong to the whole switch block, its patterns do not */
};

/* A body that returns: the expression itself, a lambda or a local function. */
struct function_scope {
    struct function_scope *outer;
    const struct type *ret_type;      /* NULL: to be inferred from `returns` */
    VEC(struct bound *) returned;     /* what it returns, while inferring */
    bool is_local_function, returns_void;
    struct symbol *parameters[ARGUMENTS_MAX];
    uint32_t n_parameters;
    struct str name;
    struct emitter *emitter;
};

enum bound_kind {
#define BOUND(name, fields) B_##name,
#include "expr/bound.def"
#undef BOUND
};

enum operation {
    OP_NONE, OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_REMAINDER, OP_AND, OP_OR, OP_XOR, OP_SHIFT_LEFT, OP_SHIFT_RIGHT,
    OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL,
    OP_NEGATE, OP_COMPLEMENT, OP_NOT,
};

enum conversion_kind {
    CONVERT_NONE,
    CONVERT_IDENTITY,
    /* implicit */
    CONVERT_NUMERIC, CONVERT_CONSTANT, CONVERT_ENUM_ZERO, CONVERT_NULL, CONVERT_NULLABLE /* T -> U? */,
    CONVERT_LIFTED /* T? -> U? */, CONVERT_REFERENCE, CONVERT_BOX, CONVERT_LAMBDA, CONVERT_METHOD_GROUP, CONVERT_DEFAULT,
    CONVERT_THROW, CONVERT_TUPLE, CONVERT_USER,
    /* explicit only */
    CONVERT_EXPLICIT, CONVERT_NARROW, CONVERT_ENUM, CONVERT_UNBOX, CONVERT_DOWN, CONVERT_UNWRAP /* T? -> U */, CONVERT_USER_EXPLICIT,
};

struct conversion {
    enum conversion_kind kind;
    const struct member *user;
    const struct type *user_owner, *user_from, *user_to;      /* what the operator takes and gives */
};

struct bound {
    enum bound_kind kind;
    const struct node *node;
    const struct type *type;          /* NULL: a lambda or method group that waits for its target */
    struct bound *a, *b, *c;
    struct bound *list, *more;        /* arguments, statements */
    struct bound *next;
    bool is_constant;                 /* CONSTANT, and other nodes never */
    bool flag, is_checked;            /* see bound.def */
    enum operation op;
    struct value value;
    struct symbol *symbol, *symbol2;
    const struct member *member;
    const struct type *owner;
    const struct type *const *type_args;
    const struct type *target;        /* IS, AS, CONVERT: the type tested or made */
    enum conversion_kind conversion;
    uint32_t index;                   /* FIELD */
    struct function_scope *function;  /* LAMBDA */
    struct str text;                  /* FORMAT */
};

struct binder {
    struct expr_env *env;
    const struct core_types *core;
    const struct text_map *map;
    struct arena *arena;
    struct diags *diags;
    struct scope *scope;
    struct function_scope *function;
    struct bound *receiver;           /* of the ?. being bound */
    const struct node *called;        /* what the innermost call calls: properties of that name are not meant */
    bool is_checked, is_unchecked, is_strict;
    unsigned trial;                   /* inside a binding whose result is thrown away */
    unsigned depth;
    uint32_t nodes_left;              /* work budget */
    unsigned loops, switches, finallies;  /* around the statement, in this function */
    bool in_catch, is_given_up, next_is_local_function;
    struct lambda_answers *answers;   /* bind_lambda.c: what was found out in trials; lambda_forget_answers() frees it */
    const struct node *given_up_at;   /* is_given_up, and not yet reported: a message made in a trial would go with its memory */
    struct bound spare;               /* what is handed out when the arena is full */
    struct symbol spare_symbol;
};

/* --- bind.c --- */
struct bound *bound_new(struct binder *b, enum bound_kind kind, const struct node *node, const struct type *type);
struct bound *bind_error(struct binder *b, const struct node *node, const char *fmt, ...) PRINTF_LIKE(3, 4);
void bind_warning(struct binder *b, const struct node *node, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* For a message about the member that node accesses or calls: the part of it that is the member's name. Other nodes as they are. */
const struct node *name_in(struct binder *b, const struct node *node);
bool is_error(const struct bound *n);
/* For messages: the type, or what waits for one. */
struct str bound_type_name(const struct bound *x);
struct bound *bound_constant(struct binder *b, const struct node *node, const struct type *type, struct value value);
struct bound *bound_string(struct binder *b, const struct node *node, struct str text);
struct bound *bound_symbol(struct binder *b, const struct node *node, struct symbol *symbol);
struct bound *bound_default(struct binder *b, const struct node *node, const struct type *type);
/* A link of an argument list, so that one node can stand in several. */
struct bound *bound_link(struct binder *b, struct bound *x);
struct bound *bound_sequence(struct binder *b, struct bound *effect, struct bound *result);
/* A fresh variable that holds value; *ret_effect is its assignment. */
struct bound *bound_keep(struct binder *b, struct bound *value, struct bound **ret_effect);
struct symbol *symbol_new(struct binder *b, enum symbol_kind kind, struct str name, const struct type *type, const struct node *node);
/* Adds to the current scope; reports a name that is taken. */
struct symbol *declare(struct binder *b, enum symbol_kind kind, struct str name, const struct type *type, const struct node *node);
struct symbol *find_symbol(const struct binder *b, struct str name);
void use_symbol(struct binder *b, struct symbol *s, bool is_assigned);
void scope_open(struct binder *b, struct scope *s);
void scope_close(struct binder *b, struct scope *s);
struct type_scope type_scope(const struct binder *b);
const struct type *bind_type(struct binder *b, const struct node *n);
const struct type *bind_type_name(struct binder *b, const struct node *n);     /* NAME or MEMBER known to be one */
bool type_is_named(struct binder *b, const struct node *n, const struct type **ret);    /* quietly: n as a type */
struct str nearest_member(struct binder *b, const struct type *t, struct str name);
struct trial {
    struct diags diags, *outer;
    struct arena_mark mark;           /* what a trial allocates is given back at its end */
    struct scope *scope;
    struct symbol *symbols;           /* of that scope: what a trial declares is not declared */
};
void bind_report_given_up(struct binder *b);
void trial_begin(struct binder *b, struct trial *t);
/* False when there was an error inside. */
bool trial_end(struct binder *b, struct trial *t);

/* --- bind_expr.c --- */
struct bound *bind_expression(struct binder *b, const struct node *n);
struct bound *bind_value(struct binder *b, const struct node *n);        /* and it must have a value: no void, no type */
struct bound *bind_as(struct binder *b, const struct node *n, const struct type *type);  /* converted, target-typed */
struct bound *bind_condition(struct binder *b, const struct node *n);

/* --- bind_op.c --- */
struct bound *bind_binary(struct binder *b, const struct node *n);
struct bound *bind_logical(struct binder *b, const struct node *n);      /* && and || */
struct bound *bind_coalesce(struct binder *b, const struct node *n);
struct bound *bind_conditional(struct binder *b, const struct node *n);
struct bound *bound_binary(struct binder *b, const struct node *node, enum token_kind op, bool is_right_shift, struct bound *x, struct bound *y);
struct bound *bound_unary(struct binder *b, const struct node *node, enum token_kind op, struct bound *x);
struct bound *bound_is_null(struct binder *b, struct bound *x, bool is_not);
struct bound *bound_not(struct binder *b, struct bound *x);
/* Of a nullable that is known not to be null its value; others as they are. */
struct bound *bound_unwrapped(struct binder *b, struct bound *x);
struct bound *bound_concat(struct binder *b, const struct node *node, struct bound *x, struct bound *y);
/* AND or OR of two conditions. */
struct bound *bound_pair(struct binder *b, enum bound_kind kind, struct bound *x, struct bound *y);
bool is_arithmetic_type(const struct type *t);

/* --- bind_assign.c --- */
struct bound *bind_assignment(struct binder *b, const struct node *n);
struct bound *assign_to(struct binder *b, const struct node *node, struct bound *target, struct bound *value);
struct bound *bind_increment(struct binder *b, const struct node *n, bool is_postfix);

/* --- bind_pattern.c --- */
struct bound *bind_cast(struct binder *b, const struct node *n);
struct bound *bind_as_type(struct binder *b, const struct node *n);
struct bound *bind_pattern(struct binder *b, const struct node *pattern, struct bound *value);

/* --- convert.c --- */
struct conversion classify(struct binder *b, const struct bound *x, const struct type *to);
struct conversion classify_types(struct binder *b, const struct type *from, const struct type *to);
struct conversion classify_explicit(struct binder *b, const struct bound *x, const struct type *to);
bool conversion_is_implicit(struct conversion c);
/* Applies one; reports CS0029/CS0266 when there is none. */
struct bound *convert(struct binder *b, struct bound *x, const struct type *to);
struct bound *convert_explicit(struct binder *b, const struct node *node, struct bound *x, const struct type *to);
struct bound *convert_with(struct binder *b, struct bound *x, const struct type *to, struct conversion c);
/* The type all of n expressions convert to, NULL when there is none (new[], ?:, lambda returns). */
const struct type *best_common_type(struct binder *b, struct bound **v, uint32_t n);

/* --- overload.c --- */
struct argument {
    struct bound *value;              /* type NULL: lambda or method group */
    struct str name;
    enum token_kind op;
    const struct node *node;
};
struct candidate {
    const struct member *member;
    const struct type *owner;
    const struct type *type_args[TYPE_PARAMETERS_MAX];
    const struct type *parameters[ARGUMENTS_MAX];   /* type each argument goes to, receiver of an extension included */
    uint8_t at[ARGUMENTS_MAX];                      /* parameter of each argument */
    uint32_t n;                                     /* arguments */
    bool is_expanded;
    uint32_t n_defaults;
    const struct type *ret_type;
};
enum receiver_kind { RECEIVER_ANY, RECEIVER_IS_TYPE, RECEIVER_IS_VALUE };
enum overload_result { OVERLOAD_FOUND, OVERLOAD_NONE, OVERLOAD_AMBIGUOUS };
/* Chooses among chained members (next_same_name) of one type. */
enum overload_result overload_resolve(struct binder *b, const struct member *first, const struct type *owner,
                                      const struct type *const *given_args, uint32_t n_given, bool want_extension,
                                      enum receiver_kind receiver, struct argument *args, uint32_t n, struct candidate *ret,
                                      struct candidate *ret_other);
/* Explains why none fits; `what` is the member's name. */
struct bound *overload_report(struct binder *b, const struct node *node, const struct member *first, const struct type *owner,
                              struct str what, struct argument *args, uint32_t n, bool is_extension);
/* The call's argument list in order of parameters: conversions, defaults, params array. */
struct bound *overload_arguments(struct binder *b, const struct node *node, const struct candidate *c, struct argument *args);

/* --- bind_member.c --- */
/* Walks where a member of a value of type t may be declared: t, its bases; of an interface its interfaces, then object. */
struct level {
    const struct type *type, *start;
    uint32_t i;
};
const struct type *next_level(struct binder *b, struct level *l);
/* The first member of that name of t itself that expressions see; the others follow by next_same_name. NULL: none. */
const struct member *visible_member(const struct type *t, struct str name);
struct bound *bind_member(struct binder *b, const struct node *n);
struct bound *bind_name(struct binder *b, const struct node *n);
struct bound *bound_member_value(struct binder *b, const struct node *node, struct bound *object, struct str name);
struct bound *bound_property(struct binder *b, const struct node *node, const struct member *m, const struct type *owner, struct bound *object);
struct bound *bound_call(struct binder *b, const struct node *node, const struct member *m, const struct type *owner,
                         const struct type *const *type_args, const struct type *ret_type, struct bound *arguments);
/* A receiver as its member takes it: value types are boxed for members of object and of interfaces. */
struct bound *as_receiver(struct binder *b, struct bound *x, const struct type *owner);
/* False after reporting that the member is not supported yet; warns of what Azure lacks. */
bool check_member(struct binder *b, const struct node *node, const struct member *m);
struct bound *report_no_member(struct binder *b, const struct node *node, const struct type *t, struct str name, bool is_static);

/* --- bind_call.c --- */
struct bound *bind_call(struct binder *b, const struct node *n);
struct bound *bind_index(struct binder *b, const struct node *n);
struct bound *bound_index(struct binder *b, const struct node *n, struct bound *object, const struct node *list);
uint32_t bind_arguments(struct binder *b, const struct node *list, struct argument *to);
bool has_error(const struct argument *args, uint32_t n);
/* The overload of a METHODS node that takes these arguments, called. */
struct bound *call_methods(struct binder *b, const struct node *node, struct bound *group, struct argument *args, uint32_t n);
/* Puts the receiver (or NULL) in front of the arguments and makes the call. */
struct bound *finish_call(struct binder *b, const struct node *node, struct candidate *c, struct bound *object, struct argument *args);
struct bound *report_ambiguous(struct binder *b, const struct node *node, struct str name, const struct candidate *x, const struct candidate *y);
/* --- bind_new.c --- */
struct bound *bind_new(struct binder *b, const struct node *n);
struct bound *bind_new_array(struct binder *b, const struct node *n);
struct bound *bind_array_initializer(struct binder *b, const struct node *init, const struct type *array);
struct bound *bind_anonymous(struct binder *b, const struct node *n);

/* --- bind_lambda.c --- */
struct bound *bind_lambda(struct binder *b, const struct node *n);
/* Binds a lambda for parameter types that do not work out, so that its errors are reported. */
struct bound *lambda_explain(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters);
/* A lambda node's body bound for a delegate type; NULL when the number of parameters differs. */
struct bound *lambda_for(struct binder *b, const struct node *n, const struct type *delegate);
/* Whether it could be bound for the delegate type, quietly. */
bool lambda_fits(struct binder *b, const struct node *n, const struct type *delegate);
void lambda_forget_answers(struct binder *b);
/* Type of what the body gives for these parameter types, quietly; NULL when it has errors; void when it gives nothing. */
const struct type *lambda_result(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters);
struct bound *method_group_for(struct binder *b, struct bound *group, const struct type *delegate, const struct type **ret_result);

/* --- bind_stmt.c --- */
struct bound *bind_block(struct binder *b, const struct node *n);
struct bound *bind_statement(struct binder *b, const struct node *n);
/* The body of a lambda or local function; function is b->function. */
struct bound *bind_body(struct binder *b, const struct node *body);

/* --- fold.c --- */
struct bound *fold_binary(struct binder *b, const struct node *node, enum operation op, const struct type *operands,
                          const struct type *result, struct bound *x, struct bound *y);
struct bound *fold_unary(struct binder *b, const struct node *node, enum operation op, struct bound *x);
/* A constant as another numeric type; false when it does not fit (and must). */
bool fold_convert(struct value v, const struct type *from, const struct type *to, bool must_fit, struct value *ret);
/* Calls a native on constants while compiling; NULL when it threw. */
struct bound *fold_call(struct binder *b, struct bound *call);

/* --- flow.c: reports use of unassigned variables, missing returns, and unreachable code --- */
/* A SWITCH on a constant: 1 when the label is its, 0 when not, -1 when that is not known. */
int switch_matches(const struct bound *n, const struct bound *test);
/* On a bool, with labels for both values. */
bool switch_is_exhaustive(const struct bound *n);
void flow_check(struct binder *b, struct bound *body, struct function_scope *function);
