/* reply_object.c: replies as objects of expressions: what send-request puts into a variable and return-response takes out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context.h"
#include "expr/native.h"
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
