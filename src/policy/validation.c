/* validation.c: see validation.h. The variable is a JArray of {Name, Type, ValidationRule, Details, Action}, which expressions
 * can walk, cast and serialise; it exists only when something was found, and grows over several policies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/validation.h"

#include "base/buf.h"
#include "clr/jtoken.h"
#include "expr/program.h"
#include "rt/fiber.h"

const struct choice validation_actions[] = {
    {"ignore", VALIDATION_IGNORE}, {"prevent", VALIDATION_PREVENT}, {"detect", VALIDATION_DETECT}, {NULL}};

/* --- findings ------------------------------------------------------------------------------------------------------ */

struct validation
validation_begin(struct exchange *ex, struct str variable)
{
    return (struct validation){.ex = ex, .variable = variable,
                               .is_response = ex->section == SECTION_OUTBOUND || ex->section == SECTION_ON_ERROR};
}

static bool
set_text(struct call *c, struct jcontainer *o, struct str name, struct str text)
{
    struct string *key = string_view(c, name);
    struct jvalue *value = jvalue_new_string(c, text.p ? text : STR(""));

    return key && value && jobject_set(c, o, key, &value->t);
}

static bool
add_error(struct call *c, struct jcontainer *list, const struct finding *f, struct str action)
{
    struct jcontainer *o = jobject_new(c);

    return o && set_text(c, o, STR("Name"), f->name) && set_text(c, o, STR("Type"), f->type) &&
           set_text(c, o, STR("ValidationRule"), f->rule) && set_text(c, o, STR("Details"), f->details) &&
           set_text(c, o, STR("Action"), action) && jcontainer_insert(c, list, UINT32_MAX, &o->t);
}

/* The list that an earlier policy began under the same name, or a new one. */
static struct jcontainer *
error_list(struct call *c, struct validation *v)
{
    const struct variable *there = exchange_variable(v->ex, v->variable);

    if (!v->errors && there && there->value && object_is_jtoken(there->value) &&
        ((struct jtoken *)there->value)->type == JTYPE_ARRAY)
        v->errors = there->value;
    if (!v->errors)
        v->errors = (struct object *)jarray_new(c);
    return (struct jcontainer *)v->errors;
}

static bool
keep_error(struct validation *v, const struct finding *f, int action)
{
    struct expr_run *run = exchange_expr_run(v->ex);
    struct call call;
    struct jcontainer *list;

    if (!v->variable.len)
        return true;
    if (run) {
        call = expr_host_call(run);
        list = error_list(&call, v);
        if (list && add_error(&call, list, f, action == VALIDATION_PREVENT ? STR("prevent") : STR("detect")) &&
            exchange_set_variable(v->ex, v->variable, v->errors))
            return true;
    }
    exchange_fail(v->ex, "no memory left for the errors of a validation");
    v->has_failed = true;
    return false;
}

bool
validation_find(struct validation *v, int action, const struct finding *f)
{
    if (action == VALIDATION_IGNORE)
        return true;
    if (!keep_error(v, f, action))
        return false;
    exchange_trace(v->ex, action == VALIDATION_PREVENT ? TRACE_ERROR : TRACE_INFORMATION,
                   v->ex->at ? v->ex->at->policy : STR("validation"), f->details);
    if (action == VALIDATION_PREVENT && !v->is_prevented) {
        v->is_prevented = true;
        v->first = *f;
    }
    return action != VALIDATION_PREVENT;
}

/* As it stands inside the quotes of the answer. */
static struct str
escaped(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    buf_add_json_escaped(&b, text);
    return b.len ? buf_str(&b) : STR("");
}

enum flow
validation_end(struct validation *v)
{
    struct str public = v->first.is_internal ? STR(PUBLIC_INTERNAL_ERROR) : v->first.public.p ? v->first.public : v->first.details;

    if (v->has_failed)
        return FLOW_ERROR;
    if (!v->is_prevented)
        return FLOW_NEXT;
    if (v->is_response)
        return exchange_refuse(v->ex, E_RESPONSE_NOT_ALLOWED, v->first.details);
    return exchange_refuse(v->ex, E_BAD_REQUEST, v->first.details, escaped(v->ex->arena, public));
}

/* --- validating ---------------------------------------------------------------------------------------------------- */

#define OFFLOAD_BYTES_MIN ((size_t)64 << 10)
#define SCHEMA_STEPS_DEFAULT 10000000

struct json_job {
    const struct json_schema *schema;
    struct json_schema_run *run;
    struct json_problem *problem;
    bool is_valid;
};

static void
run_job(void *arg)
{
    struct json_job *job = arg;
    const struct json *j;
    struct json_problem lenient = {.err = ERR_INIT};

    job->problem->err = ERR_INIT;
    j = json_parse(job->run->arena, job->run->text, JSON_STRICT_UNIQUE, job->problem);
    if (j) {
        job->is_valid = json_schema_validate(job->schema, j, job->run);
        return;
    }
    if (!json_parse_newtonsoft(job->run->arena, job->run->text, JSON_NULL, &lenient))
        job->problem->err = lenient.err;     /* the words people know */
    job->run->n_errors = 0;
    job->run->failed = ERR_INIT;
}

/* Messages out of the job's own memory. */
static bool
keep_messages(struct exchange *ex, struct json_schema_run *run)
{
    struct json_schema_error *errors = arena_new_array(ex->arena, struct json_schema_error, run->n_errors + 1);

    if (!errors)
        return false;
    for (uint32_t i = 0; i < run->n_errors; i++) {
        errors[i] = run->errors[i];
        errors[i].message = str_dup(ex->arena, run->errors[i].message);
        if (!errors[i].message.p)
            return false;
    }
    run->errors = errors;
    return true;
}

bool
validation_json(struct exchange *ex, const struct json_schema *s, struct str text, struct json_schema_run *run,
                struct json_problem *problem)
{
    /* Not the worker's blocks: another thread may do the work. */
    struct arena own AUTO(arena_destroy) = ARENA(NULL, MAX((size_t)64 << 20, text.len * 64));
    struct json_job job = {.schema = s, .run = run, .problem = problem};
    const struct exchange_limits *max = ex->limits;

    run->text = text;
    run->arena = &own;
    run->steps_max = max->transform.schema_steps ? max->transform.schema_steps : SCHEMA_STEPS_DEFAULT;
    run->regex_steps = (uint64_t)MAX(max->expr.regex_steps, (int64_t)1);
    if (text.len < OFFLOAD_BYTES_MIN) {
        run->arena = ex->arena;
        fiber_call_on_loop_stack(run_job, &job);
        return job.is_valid;
    }
    if (!exchange_offload(ex, run_job, &job)) {
        err_set(&run->failed, ERR_LIMIT, "too many validations wait for a thread");
        problem->err = ERR_INIT;
        return false;
    }
    if (!keep_messages(ex, run))
        err_set(&run->failed, ERR_NO_MEMORY, "no memory left for the errors of a validation");
    run->arena = ex->arena;
    return job.is_valid;
}
