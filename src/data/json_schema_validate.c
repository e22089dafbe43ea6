/* json_schema_validate.c: a value against a schema.
 *
 * Errors come in the order in which a reader from front to back would meet them: the type when a value begins, then what is
 * inside, and at its end enum, schemas over the same value (allOf ...), counts. What a failed allOf, anyOf ... found inside itself
 * is not told, only that it failed; inside it nothing is reported (run->quiet) and the first mistake ends it.
 * Which members or elements were looked at is kept in bits (struct seen), only below a schema that asks for it
 * (unevaluatedProperties, unevaluatedItems, additional properties forbidden by the caller).
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "data/json_schema_check.h"

/* Resources entered on the way, for $dynamicRef and $recursiveRef. */
struct scope {
    const struct scope *outer;
    const struct schema_resource *resource;
};

/* One bit a member or element of the value at work. */
struct seen {
    uint64_t *bits;
    uint32_t n;
};

static bool check(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                  struct seen *seen);

/* --- what was looked at ---------------------------------------------------------------------------------------------- */

static void
mark(struct seen *seen, uint32_t i)
{
    if (seen)
        seen->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool
is_marked(const struct seen *seen, uint32_t i)
{
    return seen->bits[i / 64] >> (i % 64) & 1;
}

static void
merge(struct seen *into, const struct seen *from)
{
    for (uint32_t i = 0; into && i < (from->n + 63) / 64; i++)
        into->bits[i] |= from->bits[i];
}

static bool
seen_new(struct json_schema_run *r, const struct json *j, struct seen *ret)
{
    uint32_t n = (uint32_t)json_count(j);

    *ret = (struct seen){arena_new_array(r->arena, uint64_t, n / 64 + 1), n};
    return ret->bits || schema_give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
}

/* --- schemas over the same value ----------------------------------------------------------------------------------------- */

/* Validity alone; what the schema looked at counts only when it holds. */
static bool
holds(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    struct seen own = {NULL, 0};
    bool ok;

    if (seen && !seen_new(r, j, &own))
        return false;
    r->quiet++;
    ok = check(r, s, j, scope, seen ? &own : NULL);
    r->quiet--;
    if (ok && seen)
        merge(seen, &own);
    return ok;
}

/* "0, 2" of the schemas for which `held` says `wanted`. */
static void
add_indexes(struct buf *to, const bool *held, uint32_t n, bool wanted)
{
    bool is_first = true;

    for (uint32_t i = 0; i < n; i++) {
        if (held[i] != wanted)
            continue;
        if (!is_first)
            buf_add_lit(to, ", ");
        buf_add_u64(to, i);
        is_first = false;
    }
}

static bool
fail_list(struct json_schema_run *r, const struct json *j, const char *what, const bool *held, uint32_t n, bool wanted)
{
    struct buf b = buf_in(r->arena);

    if (!wants_message(r))
        return false;
    buf_add_str(&b, str_from_c(what));
    add_indexes(&b, held, n, wanted);
    buf_add_char(&b, '.');
    return schema_report(r, schema_end(r, j), &b);
}

/* How many of a list hold; held[i] tells which. quiet stops at `enough` that do, or do not. */
static bool
count_held(struct json_schema_run *r, const struct schema_list *list, const struct json *j, const struct scope *scope,
           struct seen *seen, bool **ret_held, uint32_t *ret_n)
{
    bool *held = arena_new_array(r->arena, bool, list->n + 1);

    *ret_n = 0;
    *ret_held = held;
    if (!held)
        return schema_give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
    for (uint32_t i = 0; i < list->n && r->failed.code == ERR_NONE; i++)
        *ret_n += held[i] = holds(r, list->v[i], j, scope, seen);
    return r->failed.code == ERR_NONE;
}

static bool
check_all_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool *held;
    uint32_t n;

    if (r->quiet) {                   /* nobody asks which */
        for (uint32_t i = 0; i < s->all_of.n; i++)
            if (!check(r, s->all_of.v[i], j, scope, seen))
                return false;
        return true;
    }
    if (!count_held(r, &s->all_of, j, scope, seen, &held, &n))
        return false;
    return n == s->all_of.n || fail_list(r, j, "JSON does not match all schemas from 'allOf'. Invalid schema indexes: ", held,
                                         s->all_of.n, false);
}

static bool
check_any_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool ok = false;

    for (uint32_t i = 0; i < s->any_of.n && (!ok || seen); i++)
        ok |= holds(r, s->any_of.v[i], j, scope, seen);
    return ok || schema_fail(r, schema_end(r, j), "JSON does not match any schemas from 'anyOf'.");
}

static bool
check_one_of(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool *held;
    uint32_t n;

    if (!count_held(r, &s->one_of, j, scope, seen, &held, &n))
        return false;
    if (n > 1)
        return fail_list(r, j, "JSON is valid against more than one schema from 'oneOf'. Valid schema indexes: ", held,
                         s->one_of.n, true);
    return n == 1 || schema_fail(r, schema_end(r, j), "JSON is valid against no schemas from 'oneOf'.");
}

static bool
check_if(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool met = holds(r, s->if_, j, scope, seen);
    const struct json_schema *next = met ? s->then : s->else_;

    if (!next || holds(r, next, j, scope, seen))
        return true;
    return schema_fail(r, schema_end(r, j), "JSON does not match schema from '%s'.", met ? "then" : "else");
}

/* The outermost resource on the way that has the anchor, or may recurse, has the say. */
static const struct json_schema *
dynamic_target(const struct json_schema *s, const struct scope *scope)
{
    const struct json_schema *found = s->ref;

    for (; scope; scope = scope->outer) {
        if (s->is_recursive_ref && scope->resource->root_schema)
            found = scope->resource->root_schema;
        for (const struct schema_anchor *a = s->dynamic.p ? scope->resource->anchors : NULL; a; a = a->next)
            if (a->schema && str_eq(a->name, s->dynamic))
                found = a->schema;
    }
    return found;
}

static bool
check_dependent_schemas(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                        struct seen *seen)
{
    bool ok = true;

    for (uint32_t i = 0; i < s->n_dependencies && (ok || goes_on(r)); i++) {
        const struct schema_dependency *d = &s->dependencies[i];
        if (d->schema && json_get(j, d->name) && !holds(r, d->schema, j, scope, seen))
            ok = schema_fail(r, schema_end(r, j), "Dependencies for property '%.*s' failed.", STR_ARG(d->name));
    }
    return ok;
}

static bool
check_same_value(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                 struct seen *seen)
{
    bool ok = true;

    if (s->ref)
        ok = check(r, s->dynamic.p || s->is_recursive_ref ? dynamic_target(s, scope) : s->ref, j, scope, seen);
    if (s->all_of.n && (ok || goes_on(r)))
        ok = check_all_of(r, s, j, scope, seen) && ok;
    if (s->any_of.n && (ok || goes_on(r)))
        ok = check_any_of(r, s, j, scope, seen) && ok;
    if (s->one_of.n && (ok || goes_on(r)))
        ok = check_one_of(r, s, j, scope, seen) && ok;
    if (s->not && (ok || goes_on(r)) && holds(r, s->not, j, scope, seen))
        ok = schema_fail(r, schema_end(r, j), "JSON is valid against schema from 'not'.");
    if (s->if_ && (ok || goes_on(r)))
        ok = check_if(r, s, j, scope, seen) && ok;
    if (s->n_dependencies && j->kind == JSON_OBJECT && (ok || goes_on(r)))
        ok = check_dependent_schemas(r, s, j, scope, seen) && ok;
    return ok;
}

/* --- objects ------------------------------------------------------------------------------------------------------- */

const struct schema_property *
schema_find_property(const struct json_schema *s, struct str name, bool ignore_case)
{
    uint32_t hash;

    if (ignore_case) {
        for (uint32_t i = 0; i < s->n_properties; i++)
            if (str_eq_nocase(s->properties[i].name, name))
                return &s->properties[i];
        return NULL;
    }
    if (!s->n_properties)
        return NULL;
    hash = schema_name_hash(name);
    for (uint32_t at = hash & (s->slots_size - 1); s->slots[at]; at = (at + 1) & (s->slots_size - 1)) {
        const struct schema_property *p = &s->properties[s->slots[at] - 1];
        if (p->hash == hash && str_eq(p->name, name))
            return p;
    }
    return NULL;
}

static bool
has_member(const struct json_schema_run *r, const struct json *j, struct str name)
{
    if (!r->ignore_case)
        return json_get(j, name) != NULL;
    for (uint32_t i = 0; i < j->n; i++)
        if (str_eq_nocase(j->members[i].name, name))
            return true;
    return false;
}

static bool
fail_additional(struct json_schema_run *r, const struct json_member *m)
{
    return schema_fail(r, schema_name_end(r, &m->value),
                       "Property '%.*s' has not been defined and the schema does not allow additional "
                       "properties.", STR_ARG(m->name));
}

/* The name itself as a value. */
static bool
check_name(struct json_schema_run *r, const struct json_schema *s, const struct json_member *m, const struct scope *scope)
{
    struct json name = {.kind = JSON_STRING, .n = (uint32_t)m->name.len, .at = m->value.at};
    size_t before = r->n_errors;
    bool ok;

    name.p = m->name.p;
    ok = check(r, s, &name, scope, NULL);
    for (size_t i = before; i < r->n_errors; i++) {   /* a reader is behind the colon, then */
        r->cursor = r->cursor_line = 0;
        r->cursor_line_at = 0;
        schema_set_position(r, schema_name_end(r, &m->value), &r->errors[i]);
    }
    return ok;
}

/* One member by properties, patternProperties, additionalProperties. */
static bool
check_member(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint32_t i, const struct scope *scope,
             struct seen *seen, uint64_t *required_left)
{
    const struct json_member *m = &j->members[i];
    const struct schema_property *p = schema_find_property(s, m->name, r->ignore_case);
    bool ok = true, is_defined = p && p->schema;

    if (p && p->is_required && !r->ignore_case)
        --*required_left;
    if (s->names)
        ok = check_name(r, s->names, m, scope);
    for (uint32_t k = 0; k < s->n_patterns && !is_defined; k++)
        is_defined = s->patterns[k].regex && schema_matches(r, &s->patterns[k], m->name);
    if (is_defined)
        mark(seen, i);
    else if (s->additional.kind == REST_NONE && r->additional == ADDITIONAL_AS_SCHEMA && (ok || goes_on(r)))
        ok = fail_additional(r, m);
    if (p && p->schema && (ok || goes_on(r)))
        ok = check(r, p->schema, &m->value, scope, NULL) && ok;
    for (uint32_t k = 0; k < s->n_patterns && (ok || goes_on(r)); k++)
        if (s->patterns[k].regex && schema_matches(r, &s->patterns[k], m->name))
            ok = check(r, s->patterns[k].schema, &m->value, scope, NULL) && ok;
    if (!is_defined && s->additional.kind != REST_UNSAID && r->additional != ADDITIONAL_FORBIDDEN)
        mark(seen, i);
    if (!is_defined && s->additional.kind == REST_SCHEMA && (ok || goes_on(r)))
        ok = check(r, s->additional.schema, &m->value, scope, NULL) && ok;
    return ok && r->failed.code == ERR_NONE;
}

static uint64_t
count_missing(const struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n_required; i++)
        n += !has_member(r, j, s->properties[s->required[i]].name);
    return n;
}

static bool
fail_required(struct json_schema_run *r, const struct json_schema *s, const struct json *j)
{
    struct buf b = buf_in(r->arena);
    bool is_first = true;

    if (!wants_message(r))
        return false;
    buf_add_lit(&b, "Required properties are missing from object: ");
    for (uint32_t i = 0; i < s->n_required; i++) {
        struct str name = s->properties[s->required[i]].name;

        if (has_member(r, j, name))
            continue;
        if (!is_first)
            buf_add_lit(&b, ", ");
        buf_add_str(&b, name);
        is_first = false;
    }
    buf_add_char(&b, '.');
    return schema_report(r, schema_end(r, j), &b);
}

static bool
check_dependent_names(struct json_schema_run *r, const struct json *j, const struct schema_dependency *d)
{
    struct buf b = buf_in(r->arena);
    bool is_first = true;

    for (uint32_t i = 0; i < d->n_required; i++) {
        if (has_member(r, j, d->required[i]))
            continue;
        if (!wants_message(r))
            return false;
        if (is_first)
            buf_printf(&b, "Dependencies for property '%.*s' failed. Missing required keys: ", STR_ARG(d->name));
        else
            buf_add_lit(&b, ", ");
        buf_add_str(&b, d->required[i]);
        is_first = false;
    }
    if (is_first)
        return true;
    buf_add_char(&b, '.');
    return schema_report(r, schema_end(r, j), &b);
}

static bool
rest_takes(struct json_schema_run *r, const struct schema_rest *rest, const struct json *j, const struct scope *scope)
{
    return rest->kind != REST_NONE && (rest->kind != REST_SCHEMA || holds(r, rest->schema, j, scope, NULL));
}

static bool
check_unevaluated_members(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                          struct seen *seen)
{
    bool forbids = r->additional == ADDITIONAL_FORBIDDEN, ok = true;

    for (uint32_t i = 0; i < j->n && (ok || goes_on(r)); i++) {
        const struct json_member *m = &j->members[i];

        if (is_marked(seen, i))
            continue;
        if (forbids)
            ok = fail_additional(r, m);
        else if (r->additional == ADDITIONAL_AS_SCHEMA && !rest_takes(r, &s->unevaluated_properties, &m->value, scope))
            ok = schema_fail(r, schema_end(r, j), "Property '%.*s' has not been successfully evaluated and the schema does not "
                                                               "allow unevaluated properties.", STR_ARG(m->name));
        if (s->unevaluated_properties.kind != REST_UNSAID)
            mark(seen, i);
    }
    return ok;
}

/* What is checked when an object has been read, but for the schemas over the same value. */
static bool
check_object_end(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint64_t required_left)
{
    bool ok = true;

    if (required_left)
        ok = fail_required(r, s, j);
    if (s->max_properties >= 0 && j->n > s->max_properties && (ok || goes_on(r)))
        ok = schema_fail(r, schema_end(r, j), "Object property count %" PRIu32 " exceeds maximum count of %" PRId64 ".", j->n,
                         s->max_properties);
    if (s->min_properties >= 0 && j->n < s->min_properties && (ok || goes_on(r)))
        ok = schema_fail(r, schema_end(r, j),
                         "Object property count %" PRIu32 " is less than minimum count of %" PRId64 ".", j->n,
                         s->min_properties);
    for (uint32_t i = 0; i < s->n_dependencies && (ok || goes_on(r)); i++)
        if (!s->dependencies[i].schema && has_member(r, j, s->dependencies[i].name))
            ok = check_dependent_names(r, j, &s->dependencies[i]) && ok;
    for (uint32_t i = 0; i < s->n_patterns && (ok || goes_on(r)); i++)
        if (!s->patterns[i].regex)
            ok = schema_fail(r, schema_end(r, j), "Could not test property names with regex pattern '%.*s'. There was an error "
                             "parsing the regex: %.*s", STR_ARG(s->patterns[i].text), STR_ARG(s->patterns[i].problem));
    return ok;
}

static bool
check_object(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    uint64_t required_left = r->ignore_case ? count_missing(r, s, j) : s->n_required;
    bool ok = true, has_members = s->n_properties || s->n_patterns || s->additional.kind != REST_UNSAID || s->names;

    for (uint32_t i = 0; has_members && i < j->n && (ok || goes_on(r)); i++)
        ok = schema_step(r, 1) && check_member(r, s, j, i, scope, seen, &required_left) && ok;
    if (!ok && !goes_on(r))
        return false;
    ok = schema_check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, seen) && ok;
    if (ok || goes_on(r))
        ok = check_object_end(r, s, j, required_left) && ok;
    return ok;
}

/* --- arrays -------------------------------------------------------------------------------------------------------- */

/* A table of what was there before, by hash. */
struct unique {
    uint32_t *slots;
    uint64_t *hashes;
    uint32_t mask;
};

static bool
unique_init(struct json_schema_run *r, const struct json *j, struct unique *u)
{
    uint32_t size = 4;

    while (size < 2 * j->n)
        size *= 2;
    u->mask = size - 1;
    u->slots = arena_new_array(r->arena, uint32_t, size);
    u->hashes = arena_new_array(r->arena, uint64_t, j->n + 1);
    return (u->slots && u->hashes) || schema_give_up(r, ERR_NO_MEMORY, "no memory left for a validation");
}

/* Whether element i equals an earlier one; remembers it. */
static bool
is_repeated(struct json_schema_run *r, const struct json *j, uint32_t i, struct unique *u)
{
    uint64_t h = schema_hash_value(&j->items[i]);
    uint32_t at = (uint32_t)(h >> 20) & u->mask;

    for (; u->slots[at]; at = (at + 1) & u->mask) {
        uint32_t other = u->slots[at] - 1;
        if (u->hashes[other] == h && schema_equal(r, &j->items[other], &j->items[i]))
            return true;
    }
    u->slots[at] = i + 1;
    u->hashes[i] = h;
    return false;
}

static bool
check_item(struct json_schema_run *r, const struct json_schema *s, const struct json *j, uint32_t i, const struct scope *scope,
           struct seen *seen)
{
    const struct json *item = &j->items[i];

    if (i < s->prefix.n) {
        mark(seen, i);
        return check(r, s->prefix.v[i], item, scope, NULL);
    }
    if (s->items.kind == REST_UNSAID)
        return true;
    mark(seen, i);
    if (s->items.kind == REST_NONE) {
        if (s->has_tuple)
            return schema_fail(r, schema_begin(r, item),
                               "Index %" PRIu32 " has not been defined and the schema does not allow additional items.", i + 1);
        return schema_fail(r, schema_begin(r, item), "Schema always fails validation.");
    }
    return s->items.kind == REST_ANY || check(r, s->items.schema, item, scope, NULL);
}

static bool
check_contains(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
               struct seen *seen)
{
    enum schema_additional additional = r->additional;
    int64_t n = 0;
    bool ok = true;

    r->additional = ADDITIONAL_AS_SCHEMA;   /* it asks whether there is one, and says nothing of the others */
    for (uint32_t i = 0; i < j->n && r->failed.code == ERR_NONE; i++) {
        if (!schema_step(r, 1) || !holds(r, s->contains, &j->items[i], scope, NULL))
            continue;
        n++;
        if (s->contains_evaluates)
            mark(seen, i);
    }
    r->additional = additional;
    if (s->min_contains >= 0 && n < s->min_contains)
        ok = schema_fail(r, schema_end(r, j),
                         "Contains match count %" PRId64 " is less than minimum contains count of %" PRId64 ".",
                         n, s->min_contains);
    else if (s->min_contains < 0 && n == 0)
        ok = schema_fail(r, schema_end(r, j), "No items match contains.");
    if (s->max_contains >= 0 && n > s->max_contains && (ok || goes_on(r)))
        ok = schema_fail(r, schema_end(r, j),
                         "Contains match count %" PRId64 " exceeds maximum contains count of %" PRId64 ".", n, s->max_contains);
    return ok;
}

static bool
check_array_end(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                struct seen *seen)
{
    bool ok = true;

    if (s->max_items >= 0 && j->n > s->max_items)
        ok = schema_fail(r, schema_end(r, j), "Array item count %" PRIu32 " exceeds maximum count of %" PRId64 ".", j->n,
                         s->max_items);
    if (s->min_items >= 0 && j->n < s->min_items && (ok || goes_on(r)))
        ok = schema_fail(r, schema_end(r, j), "Array item count %" PRIu32 " is less than minimum count of %" PRId64 ".", j->n,
                         s->min_items);
    if (s->contains && (ok || goes_on(r)))
        ok = check_contains(r, s, j, scope, seen) && ok;
    return ok;
}

static bool
check_unevaluated_items(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
                        struct seen *seen)
{
    bool ok = true;

    for (uint32_t i = 0; i < j->n && (ok || goes_on(r)); i++) {
        if (is_marked(seen, i))
            continue;
        if (!rest_takes(r, &s->unevaluated_items, &j->items[i], scope))
            ok = schema_fail(r, schema_end(r, j),
                             "Item at index %" PRIu32 " has not been successfully evaluated and the schema "
                             "does not allow unevaluated items.", i);
        if (s->unevaluated_items.kind != REST_UNSAID)
            mark(seen, i);
    }
    return ok;
}

static bool
check_array(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    bool ok = true, has_items = s->prefix.n || s->items.kind != REST_UNSAID || s->unique_items;
    struct unique u = {0};

    if (s->unique_items && !unique_init(r, j, &u))
        return false;
    for (uint32_t i = 0; has_items && i < j->n && (ok || goes_on(r)); i++) {
        ok = schema_step(r, 1) && check_item(r, s, j, i, scope, seen) && ok;
        if (s->unique_items && (ok || goes_on(r)) && is_repeated(r, j, i, &u))
            ok = schema_fail(r, schema_end(r, &j->items[i]), "Non-unique array item at index %" PRIu32 ".", i);
    }
    if (!ok && !goes_on(r))
        return false;
    ok = schema_check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, seen) && ok;
    if (ok || goes_on(r))
        ok = check_array_end(r, s, j, scope, seen) && ok;
    return ok;
}

/* --- any value ----------------------------------------------------------------------------------------------------- */

static bool
check_scalar(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope)
{
    bool ok = true;

    if (j->kind == JSON_NUMBER)
        ok = schema_check_number(r, s, j);
    else if (j->kind == JSON_STRING)
        ok = schema_check_string(r, s, j);
    if (ok || goes_on(r))
        ok = schema_check_values(r, s, j) && ok;
    if (ok || goes_on(r))
        ok = check_same_value(r, s, j, scope, NULL) && ok;
    return ok;
}

static bool
check_by_kind(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    if (s->always_false)
        return schema_fail(r, schema_begin(r, j), "Schema always fails validation.");
    if (!schema_check_type(r, s, j))
        return false;
    if (j->kind == JSON_OBJECT)
        return check_object(r, s, j, scope, seen);
    return j->kind == JSON_ARRAY ? check_array(r, s, j, scope, seen) : check_scalar(r, s, j, scope);
}

/* A schema that asks what was looked at keeps books of its own, and hands them on. */
static bool
check_tracking(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope,
               struct seen *seen)
{
    struct seen own;
    bool ok;

    if (!seen_new(r, j, &own))
        return false;
    ok = check_by_kind(r, s, j, scope, &own);
    if (j->kind == JSON_OBJECT && (ok || goes_on(r)))
        ok = check_unevaluated_members(r, s, j, scope, &own) && ok;
    if (j->kind == JSON_ARRAY && (ok || goes_on(r)))
        ok = check_unevaluated_items(r, s, j, scope, &own) && ok;
    if (seen)
        merge(seen, &own);
    return ok;
}

static bool
check(struct json_schema_run *r, const struct json_schema *s, const struct json *j, const struct scope *scope, struct seen *seen)
{
    struct scope inner = {scope, s->resource};
    bool tracks = s->tracks || (r->additional == ADDITIONAL_FORBIDDEN && !seen && j->kind == JSON_OBJECT), ok;

    if (!schema_step(r, 1))
        return false;
    if (++r->depth > SCHEMA_DEPTH_MAX)
        return schema_give_up(r, ERR_LIMIT, "the schema refers to itself more than %d levels deep", SCHEMA_DEPTH_MAX);
    if (!scope || scope->resource != s->resource)
        scope = &inner;
    ok = tracks && json_count(j) ? check_tracking(r, s, j, scope, seen) : check_by_kind(r, s, j, scope, seen);
    r->depth--;
    return ok && r->failed.code == ERR_NONE;
}

bool
json_schema_validate(const struct json_schema *s, const struct json *value, struct json_schema_run *r)
{
    r->errors = NULL;
    r->n_errors = 0;
    r->failed = ERR_INIT;
    r->steps = 0;
    r->depth = r->quiet = 0;
    r->cursor = r->cursor_line_at = 0;
    r->cursor_line = 0;
    return check(r, s, value, NULL, NULL) && r->failed.code == ERR_NONE;
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

#define REFERENCES_MAX 32

static const struct json_schema *
behind_references(const struct json_schema *s)
{
    for (int i = 0; s && s->ref && !s->types && i < REFERENCES_MAX; i++)
        s = s->ref;
    return s;
}

unsigned
json_schema_types(const struct json_schema *s)
{
    s = behind_references(s);
    if (!s)
        return 0;
    for (uint32_t i = 0; !s->types && i < s->all_of.n; i++)
        if (json_schema_types(s->all_of.v[i]))
            return json_schema_types(s->all_of.v[i]);
    return s->types;
}

const struct json_schema *
json_schema_items(const struct json_schema *s)
{
    s = behind_references(s);
    return s ? s->items.schema : NULL;
}

const struct json_schema *
json_schema_property(const struct json_schema *s, struct str name)
{
    const struct schema_property *p;

    s = behind_references(s);
    p = s ? schema_find_property(s, name, false) : NULL;
    return p ? p->schema : s ? s->additional.schema : NULL;
}
