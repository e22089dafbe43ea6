/* emit_stmt.c: statements to bytecode.
 *
 * Exceptions: handlers cover ranges of code; a jump out of a try block runs the finally blocks it leaves, written out again
 * at that place, outside of the ranges they belong to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/emitter.h"

#include <stdlib.h>

/* Before a finally block is written again: its variables get new registers, those of the functions in it too, whose frames begin anew. */
static void
forget_registers(const struct bound *n)
{
    if (!n || n->kind == B_SYMBOL || n->kind == B_CONSTANT || n->kind == B_DISPOSE)
        return;
    if (n->kind == B_LAMBDA) {
        forget_registers(n->a);
        return;
    }
    if (n->symbol)
        n->symbol->has_register = false;
    if (n->symbol2)
        n->symbol2->has_register = false;
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->kind == SYMBOL_TEMPORARY)
        n->a->symbol->has_register = false;
    forget_registers(n->a);
    forget_registers(n->b);
    forget_registers(n->c);
    for (const struct bound *it = n->list; it; it = it->next)
        forget_registers(it);
    for (const struct bound *it = n->more; it; it = it->next)
        forget_registers(it);
}

struct symbols {
    struct symbol **v;
    size_t n, cap;
};

/* The variables that expressions of a finally block declare (out var, deconstruction): they stand there as targets, like those of
 * blocks around it, which have a register when it is written. */
static void
find_declared(const struct bound *n, struct symbols *to)
{
    if (!n || n->kind == B_SYMBOL || n->kind == B_CONSTANT || n->kind == B_DISPOSE)
        return;
    if ((n->kind == B_OUT_ARGUMENT || n->kind == B_ASSIGN) && n->a && n->a->kind == B_SYMBOL && !n->a->symbol->has_register)
        *vec_push(to) = n->a->symbol;
    find_declared(n->a, to);
    find_declared(n->b, to);
    find_declared(n->c, to);
    for (const struct bound *it = n->list; it; it = it->next)
        find_declared(it, to);
    for (const struct bound *it = n->more; it; it = it->next)
        find_declared(it, to);
}

static void
emit_finally(struct emitter *e, const struct bound *finally)
{
    struct symbols declared = {0};

    forget_registers(finally);
    find_declared(finally, &declared);
    emit_statement(e, finally);
    for (size_t i = 0; i < declared.n; i++)
        declared.v[i]->has_register = false;
    vec_free(&declared);
}

/* --- try ------------------------------------------------------------------------------------------------------------------------------------ */

static void
open_frame(struct emitter *e, struct frame *f, enum frame_kind kind)
{
    *f = (struct frame){.kind = kind, .outer = e->frame, .range_from = emit_here(e)};
    e->frame = f;
}

static void
close_range(struct emitter *e, struct frame *f)
{
    if (emit_here(e) > f->range_from)
        *vec_push(&f->ranges) = (struct handler){.from = f->range_from, .to = emit_here(e)};
}

/* Leaves the try blocks between here and `until`, from the inside: each one's finally block runs outside of its own range, but inside of
 * those around it, which catch what it throws. */
static void
leave_frames(struct emitter *e, struct frame *until)
{
    struct frame *inner = e->frame;

    for (struct frame *f = inner; f != until; f = f->outer) {
        if (f->kind != FRAME_TRY)
            continue;
        close_range(e, f);
        e->frame = f->outer;
        if (f->finally)
            emit_finally(e, f->finally);
    }
    e->frame = inner;
}

static void
resume_frames(struct emitter *e, struct frame *until)
{
    for (struct frame *f = e->frame; f != until; f = f->outer)
        if (f->kind == FRAME_TRY)
            f->range_from = emit_here(e);
}

/* The handlers of a frame, now that their target is known. */
static void
close_frame(struct emitter *e, struct frame *f, uint32_t target, uint32_t reg)
{
    for (size_t i = 0; i < f->ranges.n; i++)
        *vec_push(&e->handlers) = (struct handler){f->ranges.v[i].from, f->ranges.v[i].to, target, (uint16_t)reg};
    vec_free(&f->ranges);
}

static void
emit_catch(struct emitter *e, const struct bound *c, uint32_t exception, struct patches *ends)
{
    uint32_t mark = e->next, test = emit_registers(e, 1), outer_register = e->catch_register;
    struct patches next = {0};

    emit_put(e, VM_IS, test, exception, emit_type(e, c->target));
    patch_add(&next, emit_put(e, VM_JUMP_FALSE, test, 0, 0));
    if (c->symbol) {
        symbol_begin(e, c->symbol);
        symbol_store(e, c->symbol, exception);
    }
    if (c->b) {                         /* an exception in a filter counts as false */
        struct frame filter;
        uint32_t ignored = emit_registers(e, 1), ok;
        emit_variables(e, c->b);
        open_frame(e, &filter, FRAME_TRY);
        emit_jump(e, c->b, false, &next);
        close_range(e, &filter);
        e->frame = filter.outer;
        ok = emit_put(e, VM_JUMP, 0, 0, 0);
        close_frame(e, &filter, emit_here(e), ignored);
        patch_add(&next, emit_put(e, VM_JUMP, 0, 0, 0));
        patch_set(e, ok, emit_here(e));
    }
    e->catch_register = exception;
    emit_statement(e, c->a);
    e->catch_register = outer_register;
    patch_add(ends, emit_put(e, VM_JUMP, 0, 0, 0));
    patch_here(e, &next);
    e->next = mark;
}

static void
emit_catches(struct emitter *e, const struct bound *n)
{
    uint32_t exception = emit_registers(e, 1);
    struct patches ends = {0};
    struct frame f;

    open_frame(e, &f, FRAME_TRY);
    emit_statement(e, n->a);
    close_range(e, &f);
    e->frame = f.outer;
    patch_add(&ends, emit_put(e, VM_JUMP, 0, 0, 0));
    close_frame(e, &f, emit_here(e), exception);
    for (const struct bound *c = n->list; c; c = c->next)
        emit_catch(e, c, exception, &ends);
    emit_put(e, VM_RETHROW, exception, 0, 0);
    patch_here(e, &ends);
}

static void
emit_try(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, exception, end;
    struct frame f;

    if (!n->b) {
        if (n->list)
            emit_catches(e, n);
        else
            emit_statement(e, n->a);
        e->next = mark;
        return;
    }
    exception = emit_registers(e, 1);
    open_frame(e, &f, FRAME_TRY);
    f.finally = n->b;
    if (n->list)
        emit_catches(e, n);
    else
        emit_statement(e, n->a);
    close_range(e, &f);
    e->frame = f.outer;
    emit_finally(e, n->b);
    end = emit_put(e, VM_JUMP, 0, 0, 0);
    close_frame(e, &f, emit_here(e), exception);
    emit_finally(e, n->b);
    emit_put(e, VM_RETHROW, exception, 0, 0);
    patch_set(e, end, emit_here(e));
    e->next = mark;
}

/* --- statements -------------------------------------------------------------------------------------------------------------------------------- */

static void
emit_discard(struct emitter *e, const struct bound *n)
{
    uint32_t mark;

    emit_variables(e, n);
    mark = e->next;
    n = bound_unlinked(n);
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->function == e->scope && !symbol_needs_cell(n->a->symbol))
        emit_to(e, n->b, symbol_register(e, n->a->symbol));
    else
        emit_to(e, n, emit_registers(e, 1));
    e->next = mark;
}

static void
emit_declare(struct emitter *e, const struct bound *n)
{
    uint32_t mark;

    if (n->flag)                        /* local functions: their cells exist since the block began */
        mark = e->next;
    else
        symbol_begin(e, n->symbol);
    if (!n->a)
        return;
    emit_variables(e, n->a);
    mark = e->next;
    if (symbol_needs_cell(n->symbol)) {
        uint32_t value = emit_any(e, n->a);
        symbol_store(e, n->symbol, value);
    } else {
        emit_to(e, n->a, n->symbol->reg);
    }
    e->next = mark;
}

static void
begin_functions(struct emitter *e, const struct bound *list)
{
    bool any = false;

    for (const struct bound *it = list; it; it = it->next)
        any |= it->kind == B_DECLARE && it->flag;
    for (const struct bound *it = list; any && it; it = it->next)
        if (it->kind == B_DECLARE) {
            symbol_register(e, it->symbol);
            if (symbol_needs_cell(it->symbol))
                emit_put(e, VM_CELL_NEW, it->symbol->reg, 0, 0);
        }
}

static void
emit_block(struct emitter *e, const struct bound *list)
{
    uint32_t mark = e->next;
    bool has_functions = list && list->kind == B_DECLARE && list->flag;

    begin_functions(e, list);
    for (const struct bound *it = list; it; it = it->next) {
        if (has_functions && it->kind == B_DECLARE && !it->flag && symbol_needs_cell(it->symbol)) {
            if (it->a) {                /* the cell that the functions have already */
                uint32_t inner = e->next;
                emit_variables(e, it->a);
                symbol_store(e, it->symbol, emit_any(e, it->a));
                e->next = inner;
            }
            continue;
        }
        emit_statement(e, it);
    }
    e->next = mark;
}

static void
emit_if(struct emitter *e, const struct bound *n)
{
    struct patches ends = {0};

    for (;;) {
        struct patches no = {0};
        emit_variables(e, n->a);
        emit_jump(e, n->a, false, &no);
        emit_statement(e, n->b);
        if (!n->c) {
            patch_here(e, &no);
            break;
        }
        patch_add(&ends, emit_put(e, VM_JUMP, 0, 0, 0));
        patch_here(e, &no);
        if (n->c->kind != B_IF) {
            emit_statement(e, n->c);
            break;
        }
        n = n->c;
    }
    patch_here(e, &ends);
}

/* The jump back that ends a loop, with the charge in it; false when it is of another kind. */
static bool
close_loop(struct emitter *e, const struct patches *again, uint32_t top)
{
    static const uint16_t loops[] = {VM_LOOP_EQ, VM_LOOP_NE, VM_LOOP_LT, VM_LOOP_GE, VM_LOOP_LE, VM_LOOP_GT};
    struct instruction *last = &e->code.v[e->code.n - 1];

    if (again->n != 1 || again->v[0] != e->code.n - 1)
        return false;
    if (last->op == VM_JUMP)
        last->op = VM_LOOP;
    else if (last->op >= VM_JUMP_EQ && last->op <= VM_JUMP_GT && e->code.n - top <= INT16_MAX)
        last->op = loops[last->op - VM_JUMP_EQ];
    else
        return false;
    patch_set(e, again->v[0], top);
    return true;
}

/* jump test; top: body; continue: steps; test: jump top when true. A test that is several jumps goes back to a charge of its
 * own, behind the loop's end. */
static void
emit_loop(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, top, first = 0;
    struct patches again = {0};
    struct frame f;

    emit_variables(e, n->a);
    open_frame(e, &f, FRAME_LOOP);
    e->loops++;
    if (!n->flag && n->a)
        first = emit_put(e, VM_JUMP, 0, 0, 0);
    top = emit_here(e);
    emit_statement(e, n->b);
    patch_here(e, &f.continues);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_statement(e, it);
    if (!n->flag && n->a)
        patch_set(e, first, emit_here(e));
    if (n->a)
        emit_jump(e, n->a, true, &again);
    else
        patch_add(&again, emit_put(e, VM_JUMP, 0, 0, 0));
    if (again.n && !close_loop(e, &again, top)) {
        patch_add(&f.breaks, emit_put(e, VM_JUMP, 0, 0, 0));
        patch_here(e, &again);
        emit_jump_back(e, top);
    }
    vec_free(&again);
    e->loops--;
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    e->next = mark;
}

static void
emit_foreach(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, iterator = emit_registers(e, 1), element, next;
    struct frame f;

    emit_variables(e, n->a);
    emit_put(e, VM_ITERATE, iterator, emit_any(e, n->a), emit_type(e, n->target));
    element = symbol_register(e, n->symbol2);
    open_frame(e, &f, FRAME_LOOP);
    e->loops++;
    next = emit_put(e, VM_NEXT, element, iterator, 0);
    if (n->symbol) {
        symbol_begin(e, n->symbol);
        if (symbol_needs_cell(n->symbol))
            symbol_store(e, n->symbol, emit_any(e, n->c));
        else
            emit_to(e, n->c, n->symbol->reg);
    }
    emit_statement(e, n->b);
    patch_here(e, &f.continues);
    emit_jump_back(e, next);
    patch_set(e, next, emit_here(e));
    e->loops--;
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    e->next = mark;
}

/* Jumps to the section whose label fits; which one is `otherwise` is returned. What flow.c knows about a switch holds here too: on a
 * constant the labels are decided now, and the last label of a bool's two needs no test. */
static struct patches *
emit_labels(struct emitter *e, const struct bound *n, struct patches *bodies)
{
    struct patches *otherwise = NULL;
    uint32_t i = 0;

    for (const struct bound *s = n->list; s; s = s->next, i++) {
        for (const struct bound *test = s->list; test; test = test->next) {
            int matches = switch_matches(n, test);
            if (bound_unlinked(test)->flag && bound_unlinked(test)->kind == B_CONSTANT) {
                otherwise = otherwise ? otherwise : &bodies[i];
            } else if (matches < 0 && switch_is_exhaustive(n) && !s->next && !test->next) {
                otherwise = &bodies[i];
            } else if (matches > 0) {
                return &bodies[i];
            } else if (matches < 0) {
                emit_variables(e, test);
                emit_jump(e, test, true, &bodies[i]);
            }
        }
    }
    return otherwise;
}

static void
emit_switch(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, n_sections = bound_count(n->list), i = 0;
    struct patches *bodies = xnew_array(struct patches, n_sections + 1), *otherwise;
    struct frame f;

    emit_variables(e, n->a);
    emit_to(e, n->a, symbol_register(e, n->symbol));
    otherwise = emit_labels(e, n, bodies);
    open_frame(e, &f, FRAME_SWITCH);
    patch_add(otherwise ? otherwise : &f.breaks, emit_put(e, VM_JUMP, 0, 0, 0));
    for (const struct bound *s = n->list; s; s = s->next) {
        patch_here(e, &bodies[i++]);
        emit_statement(e, s->more);
    }
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    free(bodies);
    e->next = mark;
}

static void
emit_break(struct emitter *e, bool is_continue)
{
    struct frame *f = e->frame;

    while (f && (f->kind == FRAME_TRY || (is_continue && f->kind == FRAME_SWITCH)))
        f = f->outer;
    if (!f)
        return;
    leave_frames(e, f);
    patch_add(is_continue ? &f->continues : &f->breaks, emit_put(e, VM_JUMP, 0, 0, 0));
    resume_frames(e, f);
}

static void
emit_return(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, value;

    if (n->a) {
        emit_variables(e, n->a);
        value = bound_unlinked(n->a)->kind == B_SYMBOL && e->frame ? emit_registers(e, 1) : NO_REGISTER;
        if (value == NO_REGISTER)
            value = emit_any(e, n->a);
        else
            emit_to(e, n->a, value);        /* a finally block may change the variable */
        leave_frames(e, NULL);
        emit_put(e, VM_RETURN, value, 0, 0);
    } else {
        leave_frames(e, NULL);
        emit_put(e, VM_RETURN_VOID, 0, 0, 0);
    }
    resume_frames(e, NULL);
    e->next = mark;
}

void
emit_statement(struct emitter *e, const struct bound *n)
{
    if (!n || e->unit->failed)
        return;
    switch (n->kind) {
    case B_BLOCK: emit_block(e, n->list); return;
    case B_SEQUENCE:
        for (const struct bound *it = n->list; it; it = it->next)
            emit_statement(e, it);
        if (n->a)
            emit_statement(e, n->a);
        return;
    case B_DECLARE: emit_declare(e, n); return;
    case B_DO: emit_discard(e, n->a); return;
    case B_ASSIGN:
        if (n->a->kind == B_SYMBOL && n->a->symbol->function == e->scope && !n->a->symbol->has_register)
            symbol_begin(e, n->a->symbol);
        emit_discard(e, n);
        return;
    case B_IF: emit_if(e, n); return;
    case B_LOOP: emit_loop(e, n); return;
    case B_FOREACH: emit_foreach(e, n); return;
    case B_SWITCH: emit_switch(e, n); return;
    case B_BREAK: emit_break(e, false); return;
    case B_CONTINUE: emit_break(e, true); return;
    case B_RETURN: emit_return(e, n); return;
    case B_TRY: emit_try(e, n); return;
    case B_DISPOSE: emit_put(e, VM_DISPOSE, symbol_register(e, n->symbol), 0, 0); return;
    case B_EMPTY: return;
    default: emit_discard(e, n);
    }
}
