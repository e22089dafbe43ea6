/* reply_object.c: values of policies as objects of expressions: replies (what send-request puts into a variable and
 * return-response takes out), numbers, texts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context.h"
#include "expr/program.h"
#include "expr/type.h"

struct reply *
context_reply_of(struct object *o)
{
    if (!o || !str_eq_lit(o->type->name, "IResponse"))
        return NULL;
    return ((struct reply_object *)o)->reply;
}

struct object *
context_object_of_reply(struct exchange *ex, struct reply *reply)
{
    struct reply_object *o = arena_new(ex->arena, struct reply_object);

    if (!o)
        return NULL;
    *o = (struct reply_object){.head.type = type_find_lit(ex->services->env, "IResponse"), .ex = ex, .reply = reply};
    return o->head.type ? &o->head : NULL;
}

struct object *
context_object_of_int(struct exchange *ex, int32_t n)
{
    struct expr_run *run = exchange_expr_run(ex);
    struct object *o = NULL;

    if (!run)
        return NULL;
    struct call call = expr_host_call(run);
    return value_box(&call, core_types(run->env)->int_, value_i64(n), &o) ? o : NULL;
}

struct object *
context_object_of_text(struct exchange *ex, struct str text)
{
    struct expr_run *run = exchange_expr_run(ex);

    if (!run)
        return NULL;
    struct call call = expr_host_call(run);
    return (struct object *)string_view(&call, text);
}
