/* liquid_render.c: runs a compiled template.
 *
 * Names are looked for in the loops at work (innermost first), then among what assign and capture made, then counters, then the
 * caller's roots. A node that throws leaves "Liquid error: ..." where its output would end, and the rendering goes on; what ends
 * it is only a limit or the host (run->has_failed).
 * Recursion follows the tags, LIQUID_DEPTH_MAX at most.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/liquid_tree.h"

enum status { GOES_ON, BREAKS, CONTINUES };

static enum status render_nodes(struct liquid_run *run, const struct liquid_nodes *list, struct buf *to);
static bool evaluate(struct liquid_run *run, const struct liquid_expr *e, struct liquid_value *ret);

bool
liquid_step(struct liquid_run *run, uint64_t n)
{
    uint64_t before = run->steps / LIQUID_SLICE_STEPS;

    run->steps += n;
    if (run->steps / LIQUID_SLICE_STEPS != before && run->on_slice && !run->on_slice(run))
        liquid_fail(run, ERR_CANCELLED, "the rendering of a template was ended");
    return !run->has_failed;
}

/* What one output or condition makes is forgotten after it. Nobody but this rendering uses the scratch arena, so that yielding
 * in between is safe. An exception's text may lie in it: it is printed before. */
static struct arena_mark
scratch_begin(struct liquid_run *run)
{
    run->arena = run->scratch;
    return arena_mark(run->scratch);
}

static void
scratch_end(struct liquid_run *run, struct arena_mark mark)
{
    run->arena = run->lasting;
    if (run->thrown.p)
        run->thrown = str_dup(run->arena, run->thrown);
    arena_rewind(run->scratch, mark);
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static struct liquid_value *
find_name(const struct liquid_names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->v[i].name, name))
            return &names->v[i].value;
    return NULL;
}

static void
set_name(struct liquid_run *run, struct liquid_names *names, struct str name, struct liquid_value value)
{
    struct liquid_value *there = find_name(names, name);
    struct liquid_name *slot;

    if (there) {
        *there = value;
        return;
    }
    if ((slot = avec_push(run->arena, names)))
        *slot = (struct liquid_name){name, value};
    else
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for the names of a template");
}

/* A root is asked for once, and lasts. */
static bool
find_root(struct liquid_run *run, struct str name, struct liquid_value *ret)
{
    struct arena *arena = run->arena;

    for (uint32_t i = 0; i < run->n_roots; i++) {
        if (!str_eq(run->roots[i].name, name))
            continue;
        run->arena = run->lasting;
        *ret = run->roots[i].get(run, run->roots[i].ctx);
        set_name(run, &run->loaded, name, *ret);
        run->arena = arena;
        return true;
    }
    return false;
}

static struct liquid_value
find_variable(struct liquid_run *run, struct str name)
{
    const struct liquid_value *v;
    struct liquid_value root;

    for (const struct liquid_frame *f = run->frame; f; f = f->outer) {
        if (str_eq(f->variable, name))
            return f->item;
        if (str_eq(f->loop_name, name))
            return f->loop;
    }
    if ((v = find_name(&run->assigned, name)) || (v = find_name(&run->counters, name)) || (v = find_name(&run->loaded, name)))
        return *v;
    return find_root(run, name, &root) ? root : liquid_nil();
}

static bool
evaluate_path(struct liquid_run *run, const struct liquid_expr *e, struct liquid_value *ret)
{
    const struct liquid_part *part = e->path.parts;
    struct liquid_value v, name;

    if (!part->inner) {
        v = find_variable(run, part->name);
    } else {
        if (!evaluate(run, part->inner, &name))
            return false;
        v = find_variable(run, liquid_text(run, &name));
    }
    for (uint32_t i = 1; i < e->path.n && v.kind != LIQUID_NIL; i++) {
        struct liquid_value of = v;

        part = &e->path.parts[i];
        name = liquid_string(part->name);
        if (part->inner && !evaluate(run, part->inner, &name))
            return false;
        if (!liquid_member(run, &of, &name, part->inner != NULL, &v))
            v = liquid_nil();
        if (run->has_failed)
            return false;
    }
    *ret = v;
    return !run->has_failed;
}

static bool
evaluate(struct liquid_run *run, const struct liquid_expr *e, struct liquid_value *ret)
{
    struct liquid_value from, to;
    int32_t first, last;

    switch (e->kind) {
    case EXPR_CONSTANT:
        *ret = e->constant;
        return true;
    case EXPR_THROWS:
        return liquid_throw(run, "%s", e->message);
    case EXPR_RANGE:
        if (!evaluate(run, e->range.from, &from) || !evaluate(run, e->range.to, &to) || !liquid_to_i32(run, &from, &first) ||
            !liquid_to_i32(run, &to, &last))
            return false;
        *ret = liquid_range(run, first, last);
        return !run->has_failed;
    case EXPR_PATH:
        return evaluate_path(run, e, ret);
    }
    UNREACHABLE();
}

#define ARGS_MAX 16

static bool
apply_filters(struct liquid_run *run, const struct liquid_variable *v, struct liquid_value *value)
{
    struct liquid_value args[ARGS_MAX];

    for (uint32_t i = 0; i < v->n_uses; i++) {
        const struct liquid_use *use = &v->uses[i];
        uint32_t n = MIN(use->n_args, (uint32_t)ARGS_MAX - 1);

        args[0] = *value;
        for (uint32_t k = 0; k < n; k++)
            if (!evaluate(run, use->args[k], &args[k + 1]))
                return false;
        if (use->filter && !liquid_filter_apply(run, use, args, n + 1, value))
            return false;
        if (!liquid_step(run, 1))
            return false;
    }
    return true;
}

static bool
evaluate_variable(struct liquid_run *run, const struct liquid_variable *v, struct liquid_value *ret)
{
    *ret = liquid_nil();
    return !v->name || (evaluate(run, v->name, ret) && (!v->n_uses || apply_filters(run, v, ret)));
}

/* --- conditions ------------------------------------------------------------------------------------------------------ */

static bool
contains(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, bool *ret)
{
    struct liquid_walk at = {0};
    struct liquid_value item;

    *ret = false;
    if (a->kind == LIQUID_STRING) {
        if (b->kind == LIQUID_NIL)
            return liquid_throw(run, "Value cannot be null.\nParameter name: value");
        if (b->kind != LIQUID_STRING)
            return liquid_throw(run, "Unable to cast object of type '%s' to type 'System.String'.", liquid_type_name(b));
        *ret = str_find(a->text, b->text, 0) >= 0;
        return true;
    }
    while (!*ret && liquid_next(run, a, &at, &item) && liquid_step(run, 1))
        *ret = (item.kind == LIQUID_STRING) == (b->kind == LIQUID_STRING) && liquid_equals(run, &item, b);
    return !run->has_failed;
}

/* startsWith and endsWith: of a text, or the first or last element of a list. */
static bool
has_end(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, bool at_start, bool *ret)
{
    struct liquid_value name = liquid_string(at_start ? STR("first") : STR("last")), item = liquid_nil();

    *ret = false;
    if (a->kind == LIQUID_STRING && b->kind == LIQUID_STRING)
        *ret = at_start ? str_starts_with(a->text, b->text) : str_ends_with(a->text, b->text);
    else if (a->kind == LIQUID_OBJECT && a->object->ops->item && liquid_member(run, a, &name, false, &item))
        *ret = liquid_equals(run, &item, b);
    return !run->has_failed;
}

static bool
has_member(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, bool is_key, bool *ret)
{
    const struct liquid_ops *ops = a->kind == LIQUID_OBJECT ? a->object->ops : NULL;
    struct liquid_value found, key = liquid_string(is_key ? STR("Key") : STR("Value"));
    struct liquid_walk at = {0};

    *ret = false;
    if (!ops || !ops->is_hash)
        return true;
    if (is_key && b->kind == LIQUID_STRING) {
        *ret = ops->member(run, a->object, b->text, &found);
        return !run->has_failed;
    }
    while (!is_key && !*ret && liquid_next(run, a, &at, &found) && liquid_step(run, 1)) {
        struct liquid_value pair = found;
        *ret = liquid_member(run, &pair, &key, true, &found) && liquid_equals(run, &found, b);
    }
    return !run->has_failed;
}

/* <, >, <=, >= are false beside nil. */
static bool
is_ordered(struct liquid_run *run, enum liquid_operator op, const struct liquid_value *a, const struct liquid_value *b, bool *ret)
{
    int order;

    *ret = false;
    if (a->kind == LIQUID_NIL || b->kind == LIQUID_NIL)
        return true;
    if (!liquid_compare(run, a, b, &order))
        return false;
    *ret = op == OP_LESS ? order < 0 : op == OP_MORE ? order > 0 : op == OP_AT_MOST ? order <= 0 : order >= 0;
    return true;
}

static bool
compare_sides(struct liquid_run *run, const struct liquid_condition *c, bool *ret)
{
    struct liquid_value a, b;

    if (!evaluate(run, c->left, &a))
        return false;
    if (c->op == OP_NONE) {
        *ret = liquid_is_true(&a);
        return true;
    }
    if (!evaluate(run, c->right, &b))
        return false;
    switch (c->op) {
    case OP_NONE:
    case OP_UNKNOWN:
        return liquid_throw(run, "Unknown operator %.*s", STR_ARG(c->op_text));
    case OP_EQUAL:
    case OP_NOT_EQUAL:
        *ret = liquid_equals(run, &a, &b) == (c->op == OP_EQUAL);
        return !run->has_failed;
    case OP_LESS:
    case OP_MORE:
    case OP_AT_MOST:
    case OP_AT_LEAST:
        return is_ordered(run, c->op, &a, &b, ret);
    case OP_CONTAINS:
        return contains(run, &a, &b, ret);
    case OP_STARTS:
    case OP_ENDS:
        return has_end(run, &a, &b, c->op == OP_STARTS, ret);
    case OP_HAS_KEY:
    case OP_HAS_VALUE:
        return has_member(run, &a, &b, c->op == OP_HAS_KEY, ret);
    }
    UNREACHABLE();
}

static bool
compare(struct liquid_run *run, const struct liquid_condition *c, bool *ret)
{
    struct arena_mark mark = scratch_begin(run);
    bool ok = compare_sides(run, c, ret);

    scratch_end(run, mark);
    return ok;
}

/* From the left as long as it matters; a and (b or c): what follows a link is one condition. */
static bool
is_met(struct liquid_run *run, const struct liquid_condition *c, bool *ret)
{
    for (; c; c = c->rest) {
        if (!compare(run, c, ret))
            return false;
        if (c->link == LINK_NONE || *ret == (c->link == LINK_OR))
            return true;
    }
    return true;
}

/* --- loops --------------------------------------------------------------------------------------------------------- */

/* forloop and tablerowloop: computed when asked for. */
struct loop_object {
    struct liquid_object head;
    struct str name;
    int64_t length, index;            /* from 0 */
    int64_t cols;                     /* 0: no tablerow */
};

static bool
loop_member(struct liquid_run *run, const struct liquid_object *o, struct str name, struct liquid_value *ret)
{
    const struct loop_object *l = (const struct loop_object *)o;
    int64_t col = l->cols ? l->index % l->cols : 0;

    if (str_eq_lit(name, "index"))
        *ret = liquid_int(l->index + 1);
    else if (str_eq_lit(name, "index0"))
        *ret = liquid_int(l->index);
    else if (str_eq_lit(name, "length"))
        *ret = liquid_int(l->length);
    else if (str_eq_lit(name, "rindex"))
        *ret = liquid_int(l->length - l->index);
    else if (str_eq_lit(name, "rindex0"))
        *ret = liquid_int(l->length - l->index - 1);
    else if (str_eq_lit(name, "first"))
        *ret = liquid_bool(l->index == 0);
    else if (str_eq_lit(name, "last"))
        *ret = liquid_bool(l->index == l->length - 1);
    else if (str_eq_lit(name, "name") && !l->cols)
        *ret = liquid_string(l->name);
    else if (l->cols && str_eq_lit(name, "col"))
        *ret = liquid_int(col + 1);
    else if (l->cols && str_eq_lit(name, "col0"))
        *ret = liquid_int(col);
    else if (l->cols && (str_eq_lit(name, "col_first") || str_eq_lit(name, "col_last")))
        *ret = liquid_bool(col == (name.len == 9 ? 0 : l->cols - 1));
    else
        return false;
    return true;
}

static const struct liquid_ops loop_ops = {.type_name = "DotLiquid.Hash", .member = loop_member};

/* The part of a collection that a loop runs over: elements [from, from + n). */
struct segment {
    struct liquid_value collection;
    uint64_t from, n;
    struct liquid_walk at;            /* of the next element; not used by lists */
    const struct liquid_value *reversed;   /* all of them, last first; NULL: in order */
};

static bool
evaluate_i32(struct liquid_run *run, const struct liquid_expr *e, int32_t *ret)
{
    struct liquid_value v;

    return evaluate(run, e, &v) && liquid_to_i32(run, &v, ret);
}

static bool
skip_elements(struct liquid_run *run, struct segment *s)
{
    struct liquid_value item;

    if (s->collection.kind == LIQUID_OBJECT && s->collection.object->ops->item)
        return true;
    for (uint64_t i = 0; i < s->from; i++)
        if (!liquid_next(run, &s->collection, &s->at, &item) || !liquid_step(run, 1))
            return !run->has_failed;
    return true;
}

static bool
next_element(struct liquid_run *run, struct segment *s, uint64_t i, struct liquid_value *ret)
{
    const struct liquid_ops *ops = s->collection.kind == LIQUID_OBJECT ? s->collection.object->ops : NULL;

    if (s->reversed) {
        *ret = s->reversed[i];
        return true;
    }
    return ops && ops->item ? ops->item(run, s->collection.object, s->from + i, ret)
                            : liquid_next(run, &s->collection, &s->at, ret);
}

static bool
count_rounds(struct liquid_run *run, uint64_t n)
{
    if (n > run->limits->iterations - MIN(run->iterations, run->limits->iterations))
        liquid_fail(run, ERR_LIMIT, "Render Error - Maximum number of iterations %" PRIu64 " exceeded", run->limits->iterations);
    run->iterations += n;
    return !run->has_failed;
}

static bool
reverse_segment(struct liquid_run *run, struct segment *s)
{
    struct liquid_value *v = arena_new_array(run->arena, struct liquid_value, s->n);

    if (!v) {
        liquid_fail(run, ERR_NO_MEMORY, "no memory left to reverse a list of a template");
        return false;
    }
    for (uint64_t i = 0; i < s->n; i++)
        if (!next_element(run, s, i, &v[s->n - 1 - i]) || !liquid_step(run, 1))
            return false;
    s->reversed = v;
    return true;
}

/* Where offset: continue goes on. */
static int64_t
progress_of(struct liquid_run *run, const struct liquid_loop *loop)
{
    const struct liquid_value *v = find_name(&run->loops, loop->name);

    return v ? v->integer : 0;
}

/* False after an exception; *ret->n is 0 when there is nothing to do. */
static bool
cut_segment(struct liquid_run *run, const struct liquid_loop *loop, struct segment *ret)
{
    int32_t offset = 0, limit = INT32_MAX;
    uint64_t count;

    if (loop->continues)
        offset = (int32_t)progress_of(run, loop);
    else if (loop->offset && !evaluate_i32(run, loop->offset, &offset))
        return false;
    if (loop->limit && !evaluate_i32(run, loop->limit, &limit))
        return false;
    count = liquid_count(run, &ret->collection);
    ret->from = MIN((uint64_t)MAX(offset, 0), count);
    ret->n = MIN(count - ret->from, (uint64_t)MAX(limit, 0));
    return !run->has_failed && count_rounds(run, ret->n) && skip_elements(run, ret);
}

/* A thing that is no list counts as a list of it; nothing, and no text, as none. */
static bool
as_json_array(struct liquid_run *run, struct liquid_value *v)
{
    struct liquid_value *one;
    bool is_single = !liquid_is_sequence(v) || v->kind == LIQUID_STRING || v->object->ops->is_hash;

    if (v->kind == LIQUID_NIL || (v->kind == LIQUID_STRING && !v->text.len) || !is_single)
        return liquid_is_sequence(v);
    one = arena_new(run->arena, struct liquid_value);
    if (!one) {
        liquid_fail(run, ERR_NO_MEMORY, "no memory left for a list of a template");
        return false;
    }
    *one = *v;
    *v = liquid_list(run, one, 1);
    return !run->has_failed;
}

static bool
render_for(struct liquid_run *run, const struct liquid_node *n, struct buf *to)
{
    const struct liquid_loop *loop = n->loop;
    struct loop_object forloop = {.head = {&loop_ops}, .name = loop->name};
    struct liquid_frame frame = {.outer = run->frame, .variable = loop->variable, .loop_name = STR("forloop"),
                                 .loop = liquid_of_object(&forloop.head)};
    struct segment s = {.n = 0};
    enum status status = GOES_ON;
    bool is_array = n->kind == NODE_JSON_ARRAY_FOR;

    if (!evaluate(run, loop->collection, &s.collection))
        return false;
    if (is_array ? !as_json_array(run, &s.collection) : !liquid_is_sequence(&s.collection))
        return !run->has_failed;
    if (!cut_segment(run, loop, &s) || (loop->reversed && s.n && !reverse_segment(run, &s)))
        return false;
    if (s.n)
        set_name(run, &run->loops, loop->name, liquid_long((int64_t)(s.from + s.n)));
    forloop.length = (int64_t)s.n;
    run->frame = &frame;
    for (uint64_t i = 0; i < s.n && status != BREAKS && !run->has_failed; i++) {
        forloop.index = (int64_t)i;
        if (!next_element(run, &s, i, &frame.item))
            break;
        if (is_array && i)
            buf_add_char(to, ',');
        status = render_nodes(run, &loop->list, to);
    }
    run->frame = frame.outer;
    return !run->has_failed;
}

static bool
render_table_row(struct liquid_run *run, const struct liquid_node *n, struct buf *to)
{
    const struct liquid_loop *loop = n->loop;
    struct loop_object row = {.head = {&loop_ops}};
    struct liquid_frame frame = {.outer = run->frame, .variable = loop->variable, .loop_name = STR("tablerowloop"),
                                 .loop = liquid_of_object(&row.head)};
    struct segment s = {.n = 0};
    int32_t cols;

    if (!evaluate(run, loop->collection, &s.collection))
        return false;
    if (!liquid_is_sequence(&s.collection))
        return true;
    if (!loop->cols)
        return liquid_throw(run, "The given key was not present in the dictionary.");
    if (!cut_segment(run, loop, &s) || !evaluate_i32(run, loop->cols, &cols))
        return false;
    row.length = (int64_t)s.n;
    row.cols = cols > 0 ? cols : INT32_MAX;
    run->frame = &frame;
    buf_add_lit(to, "<tr class=\"row1\">\n");
    for (uint64_t i = 0; i < s.n && !run->has_failed; i++) {
        row.index = (int64_t)i;
        if (!next_element(run, &s, i, &frame.item))
            break;
        buf_printf(to, "<td class=\"col%" PRId64 "\">", row.index % row.cols + 1);
        if (render_nodes(run, &loop->list, to) == BREAKS)
            break;
        buf_add_lit(to, "</td>");
        if ((row.index + 1) % row.cols == 0 && i + 1 < s.n)
            buf_printf(to, "</tr>\n<tr class=\"row%" PRId64 "\">", (row.index + 1) / row.cols + 1);
    }
    run->frame = frame.outer;
    buf_add_lit(to, "</tr>\n");
    return !run->has_failed;
}

/* --- other tags ------------------------------------------------------------------------------------------------------ */

/* The first branch whose condition holds; `unless` turns its first one round. */
static bool
render_if(struct liquid_run *run, const struct liquid_node *n, struct buf *to, enum status *ret)
{
    const struct liquid_branches *all = n->branches;

    for (size_t i = 0; i < all->n; i++) {
        bool met = true;

        if (all->v[i].condition && !is_met(run, all->v[i].condition, &met))
            return false;
        if (met != (n->kind == NODE_UNLESS && i == 0)) {
            *ret = render_nodes(run, &all->v[i].list, to);
            return true;
        }
    }
    return true;
}

/* Every branch that fits; else when none before it did. */
static bool
render_case(struct liquid_run *run, const struct liquid_node *n, struct buf *to, enum status *ret)
{
    const struct liquid_branches *all = n->branches;
    bool found = false;

    for (size_t i = 0; i < all->n && *ret == GOES_ON; i++) {
        bool met = !found;

        if (all->v[i].condition && !is_met(run, all->v[i].condition, &met))
            return false;
        found |= all->v[i].condition && met;
        if (met)
            *ret = render_nodes(run, &all->v[i].list, to);
    }
    return true;
}

/* Renders into a text of its own. */
static enum status
render_aside(struct liquid_run *run, const struct liquid_nodes *list, struct str *ret)
{
    struct buf b = buf_in(run->arena);
    enum status status;

    b.max = run->limits->output_bytes;
    status = render_nodes(run, list, &b);
    *ret = b.len && !b.failed ? buf_str(&b) : STR("");
    return status;
}

static bool
render_cycle(struct liquid_run *run, const struct liquid_cycle *cycle, struct buf *to)
{
    struct liquid_value name, value = liquid_nil();
    struct liquid_value *at;
    struct str key;
    int64_t i;

    if (!evaluate(run, cycle->name, &name))
        return false;
    key = liquid_text(run, &name);
    at = find_name(&run->cycles, key);
    i = at && at->integer < cycle->n ? at->integer : 0;
    if (cycle->values[i] && !evaluate(run, cycle->values[i], &value))
        return false;
    if (value.kind == LIQUID_NIL)
        return liquid_throw(run, "Object reference not set to an instance of an object.");
    liquid_add_text(run, &value, to);
    set_name(run, &run->cycles, key, liquid_long((i + 1) % cycle->n));
    return !run->has_failed;
}

/* increment shows the number and adds one; decrement takes one away and shows it. */
static bool
render_counter(struct liquid_run *run, const struct liquid_node *n, struct buf *to)
{
    struct liquid_value *there = find_name(&run->counters, n->text);
    int64_t number = there ? there->integer : 0;

    number -= n->kind == NODE_DECREMENT;
    buf_add_i64(to, number);
    number += n->kind == NODE_INCREMENT;
    set_name(run, &run->counters, n->text, number < INT32_MIN || number > INT32_MAX ? liquid_long(number) : liquid_int(number));
    return !run->has_failed;
}

static bool
render_output(struct liquid_run *run, const struct liquid_variable *variable, struct buf *to)
{
    struct arena_mark mark = scratch_begin(run);
    struct liquid_value v;
    bool ok = evaluate_variable(run, variable, &v);

    if (ok)
        liquid_print(run, &v, to);
    scratch_end(run, mark);
    return ok && !run->has_failed;
}

static bool
render_assign(struct liquid_run *run, const struct liquid_node *n)
{
    struct liquid_value v;

    if (!evaluate_variable(run, n->variable, &v))
        return false;
    set_name(run, &run->assigned, n->text, v);
    return !run->has_failed;
}

/* False after an exception or with the run failed. */
static bool
render_node(struct liquid_run *run, const struct liquid_node *n, struct buf *to, enum status *ret)
{
    struct str text;

    switch (n->kind) {
    case NODE_TEXT:
        buf_add_str(to, n->text);
        return true;
    case NODE_OUTPUT:
        return render_output(run, n->variable, to);
    case NODE_IF:
    case NODE_UNLESS:
        return render_if(run, n, to, ret);
    case NODE_CASE:
        return render_case(run, n, to, ret);
    case NODE_FOR:
    case NODE_JSON_ARRAY_FOR:
        return render_for(run, n, to);
    case NODE_TABLE_ROW:
        return render_table_row(run, n, to);
    case NODE_ASSIGN:
        return render_assign(run, n);
    case NODE_CAPTURE:
        *ret = render_aside(run, n->list, &text);
        set_name(run, &run->assigned, n->text, liquid_string(text));
        return !run->has_failed;
    case NODE_CYCLE:
        return render_cycle(run, n->cycle, to);
    case NODE_INCREMENT:
    case NODE_DECREMENT:
        return render_counter(run, n, to);
    case NODE_IF_CHANGED:
        *ret = render_aside(run, n->list, &text);
        if (!run->changed.p || !str_eq(run->changed, text))
            buf_add_str(to, text);
        run->changed = text;
        return !run->has_failed;
    case NODE_BREAK:
    case NODE_CONTINUE:
        *ret = n->kind == NODE_BREAK ? BREAKS : CONTINUES;
        return true;
    case NODE_BLOCK:
        *ret = render_nodes(run, n->list, to);
        return !run->has_failed;
    case NODE_THROW:
        return liquid_throw(run, "%.*s", STR_ARG(n->text));
    }
    UNREACHABLE();
}

static void
add_thrown(struct liquid_run *run, struct buf *to)
{
    buf_add_str(to, run->thrown_is_syntax ? STR("Liquid syntax error: ") : STR("Liquid error: "));
    buf_add_str(to, run->thrown);
    run->thrown = STR_NONE;
}

static enum status
render_nodes(struct liquid_run *run, const struct liquid_nodes *list, struct buf *to)
{
    for (size_t i = 0; i < list->n && liquid_step(run, 1); i++) {
        struct liquid_frame *frame = run->frame;
        enum status status = GOES_ON;

        if (!render_node(run, &list->v[i], to, &status) && !run->has_failed) {
            run->frame = frame;
            add_thrown(run, to);
        }
        if (to->failed)
            liquid_fail(run, ERR_LIMIT, "the output of a template is larger than %" PRIu64 " bytes or than the memory left",
                        run->limits->output_bytes);
        if (status != GOES_ON)
            return status;
    }
    return GOES_ON;
}

bool
liquid_render(const struct liquid *t, struct liquid_run *run, struct buf *to, struct err *err)
{
    struct arena scratch AUTO(arena_destroy) = ARENA(run->arena->cache, run->arena->bytes_max);

    if (!arena_alloc(&scratch, 1, 1, 1))   /* the first block stays */
        return err_set(err, ERR_NO_MEMORY, "no memory left for a template");
    run->lasting = run->arena;
    run->scratch = &scratch;
    to->max = to->len + run->limits->output_bytes;
    render_nodes(run, &t->list, to);
    run->arena = run->lasting;
    if (run->has_failed)
        return err_set(err, run->err.code, "%s", run->err.text);
    return true;
}
