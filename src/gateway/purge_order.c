/* purge_order.c: names into scopes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/purge_order.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/num.h"
#include "cache/cache.h"
#include "data/json.h"
#include "http/path.h"

struct reading {
    struct arena *arena;
    struct named_entries *to;
    struct buf what;
};

/* --- one name ------------------------------------------------------------------------------------------------------ */

/* Once, so that counts are right. */
static bool
add_scope(struct reading *r, cache_scope_id id, struct err *err)
{
    for (size_t i = 0; i < r->to->n; i++)
        if (r->to->scopes[i] == id)
            return true;
    if (r->to->n == ORDER_SCOPES_MAX)
        return err_set(err, ERR_LIMIT, "one order takes %u names at most; a prefix counts as two", ORDER_SCOPES_MAX);
    r->to->scopes[r->to->n++] = id;
    return true;
}

/* What people write and clients escape: blanks, letters beyond ASCII. */
static struct str
escaped(struct arena *arena, struct str path)
{
    struct buf b = buf_in(arena);

    codec_percent_encode(&b, path, "-._~!$&'()*+,;=:@/%");
    return b.failed ? path : buf_str(&b);
}

/* The path as entries know it, without scheme and host, and the query as requests have it. */
static bool
normal_path(struct reading *r, struct str text, struct str *ret_path, struct str *ret_query, struct err *err)
{
    struct http_target target;

    if (text.len && text.p[0] != '/' && str_find(text, STR("://"), 0) < 0)
        return err_set(err, ERR_INVALID, "expected a path that begins with '/', or an address, found '%.*s'", STR_ARG(text));
    if (!http_target_split(text, &target))
        return err_set(err, ERR_INVALID, "'%.*s' is no address", STR_ARG(text));
    if (!http_query_normalise(r->arena, target.query, ret_query))
        return err_set(err, ERR_NO_MEMORY, "no memory left for this order");
    return http_path_normalise(r->arena, target.path.len ? escaped(r->arena, target.path) : STR("/"), HTTP_PATH_ENCODED_SLASH,
                               ret_path, err) || err_prefix(err, "'%.*s'", STR_ARG(text));
}

static bool
add_url(struct reading *r, struct str text, struct err *err)
{
    struct str path, query;

    if (!normal_path(r, text, &path, &query, err))
        return false;
    return add_scope(r, query.p ? cache_scope_url(path, query, NULL, 0) : cache_scope_path(path), err);
}

static bool
add_prefix(struct reading *r, struct str text, struct err *err)
{
    cache_scope_id ids[CACHE_PREFIX_SCOPES];
    struct str path, query;

    if (str_ends_with(text, STR("*")))
        text = str_sub(text, 0, text.len - 1);
    if (!normal_path(r, text, &path, &query, err))
        return false;
    if (query.p)
        return err_set(err, ERR_INVALID, "a prefix has no query: '%.*s'", STR_ARG(text));
    cache_prefix_scopes(path, ids);
    for (uint32_t i = 0; i < CACHE_PREFIX_SCOPES; i++)
        if (!add_scope(r, ids[i], err))
            return false;
    return true;
}

static bool
add_tag(struct reading *r, struct str text, struct err *err)
{
    return add_scope(r, cache_scope(SCOPE_TAG, text), err);
}

static bool
add_group(struct reading *r, struct str text, struct err *err)
{
    if (str_find_char(text, ' ', 0) <= 0)
        return err_set(err, ERR_INVALID, "expected 'API GROUP', found '%.*s'", STR_ARG(text));
    return add_scope(r, cache_scope(SCOPE_GROUP, text), err);
}

static bool
add_api(struct reading *r, struct str text, struct err *err)
{
    return add_scope(r, cache_scope(SCOPE_API, text), err) && add_scope(r, cache_scope_unowned(), err);
}

static bool
add_operation(struct reading *r, struct str text, struct err *err)
{
    ptrdiff_t slash = str_find_char(text, '/', 0);

    if (slash <= 0)
        return err_set(err, ERR_INVALID, "expected 'API/OPERATION', found '%.*s'", STR_ARG(text));
    return add_scope(r, cache_scope_operation(str_sub(text, 0, (size_t)slash), str_skip(text, (size_t)slash + 1)), err) &&
           add_scope(r, cache_scope_unowned(), err);
}

static bool
add_key(struct reading *r, struct str text, struct err *err)
{
    if (str_starts_with(text, STR("response-cache:")))
        return add_url(r, str_skip(text, 15), err);
    if (r->to->n_keys == ORDER_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "one order takes %u keys at most", ORDER_KEYS_MAX);
    r->to->keys[r->to->n_keys++] = text;
    return true;
}

static const struct selector {
    struct str name, many;
    bool (*add)(struct reading *r, struct str text, struct err *err);
} selectors[] = {
    {STR_INIT("url"), STR_INIT("urls"), add_url},
    {STR_INIT("prefix"), STR_INIT("prefixes"), add_prefix},
    {STR_INIT("tag"), STR_INIT("tags"), add_tag},
    {STR_INIT("group"), STR_INIT("groups"), add_group},
    {STR_INIT("api"), STR_INIT("apis"), add_api},
    {STR_INIT("operation"), STR_INIT("operations"), add_operation},
    {STR_INIT("key"), STR_INIT("keys"), add_key},
};

static const struct selector *
find_selector(struct str name)
{
    for (size_t i = 0; i < COUNTOF(selectors); i++)
        if (str_eq(name, selectors[i].name) || str_eq(name, selectors[i].many))
            return &selectors[i];
    return NULL;
}

static bool
add_name(struct reading *r, const struct selector *s, struct str text, struct err *err)
{
    if (text.len == 0)
        return err_set(err, ERR_INVALID, "'%.*s' is empty", STR_ARG(s->name));
    if (!(text = str_dup(r->arena, text)).p)
        return err_set(err, ERR_NO_MEMORY, "no memory left for this order");
    if (r->what.len)
        buf_add_lit(&r->what, ", ");
    buf_printf(&r->what, "%.*s %.*s", STR_ARG(s->name), STR_ARG(text));
    return s->add(r, text, err) || err_prefix(err, "'%.*s'", STR_ARG(s->name));
}

/* --- switches ------------------------------------------------------------------------------------------------------ */

static bool
set_all(struct reading *r, struct str name, struct str text, struct err *err)
{
    bool all;

    if (!num_parse_bool(text, &all, err))
        return err_prefix(err, "'%.*s'", STR_ARG(name));
    if (!all)
        return true;
    buf_printf(&r->what, "%severything", r->what.len ? ", " : "");
    return add_scope(r, SCOPE_ALL, err);
}

static bool
set_option(struct reading *r, struct str name, struct str text, struct err *err)
{
    struct named_entries *to = r->to;

    if (str_eq_lit(name, "all"))
        return set_all(r, name, text, err);
    if (str_eq_lit(name, "by")) {
        to->by = str_dup(r->arena, text);
        return true;
    }
    if (str_eq_lit(name, "limit"))
        return num_parse_u32(text, 10000, &to->limit, err) || err_prefix(err, "'limit'");
    if (str_eq_lit(name, "soft"))
        return num_parse_bool(text, &to->is_soft, err) || err_prefix(err, "'soft'");
    if (str_eq_lit(name, "dryRun") || str_eq_lit(name, "dry-run"))
        return num_parse_bool(text, &to->is_dry_run, err) || err_prefix(err, "'dryRun'");
    if (str_eq_lit(name, "details"))
        return num_parse_bool(text, &to->with_details, err) || err_prefix(err, "'details'");
    return err_set(err, ERR_INVALID, "expected url, prefix, tag, group, api, operation, key, all, soft, dryRun or by, found '%.*s'",
                   STR_ARG(name));
}

/* --- both forms ---------------------------------------------------------------------------------------------------- */

static bool
read_query(struct reading *r, struct str query, struct err *err)
{
    struct str rest = query, pair, name;

    while (rest.len && str_split_next(&rest, '&', &pair)) {
        struct buf decoded = buf_in(r->arena);
        const struct selector *s;
        struct str value;

        str_split_next(&pair, '=', &name);
        codec_percent_decode(&decoded, pair, true);
        value = decoded.len ? buf_str(&decoded) : STR("");
        s = find_selector(name);
        if (s ? !add_name(r, s, value, err) : !set_option(r, name, value, err))
            return false;
    }
    return true;
}

static bool
read_member(struct reading *r, const struct selector *s, struct str name, const struct json *value, struct err *err)
{
    if (s && json_is(value, JSON_ARRAY)) {
        for (size_t i = 0; i < value->n; i++) {
            const struct json *item = json_item(value, i);
            if (!json_is(item, JSON_STRING))
                return err_set(err, ERR_INVALID, "'%.*s': expected texts", STR_ARG(name));
            if (!add_name(r, s, json_text(item), err))
                return false;
        }
        return true;
    }
    if (s)
        return json_is(value, JSON_STRING) ? add_name(r, s, json_text(value), err)
                                           : err_set(err, ERR_INVALID, "'%.*s': expected a text or a list of texts", STR_ARG(name));
    if (json_is(value, JSON_TRUE) || json_is(value, JSON_FALSE))
        return set_option(r, name, json_is(value, JSON_TRUE) ? STR("true") : STR("false"), err);
    if (json_is(value, JSON_NUMBER) || json_is(value, JSON_STRING))
        return set_option(r, name, json_text(value), err);
    return err_set(err, ERR_INVALID, "'%.*s': expected a text, a number, true or false", STR_ARG(name));
}

static bool
read_json(struct reading *r, struct str body, struct err *err)
{
    struct json_problem problem;
    const struct json *doc = json_parse(r->arena, body, JSON_STRICT, &problem);

    if (!doc) {
        *err = problem.err;
        return err_prefix(err, "the body");
    }
    if (!json_is(doc, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "the body: expected an object, {\"tag\": \"shoes\"}");
    for (size_t i = 0; i < doc->n; i++) {
        const struct json_member *m = &doc->members[i];
        if (!read_member(r, find_selector(m->name), m->name, &m->value, err))
            return false;
    }
    return true;
}

bool
named_entries_read(struct arena *arena, struct str query, struct str body, struct named_entries *ret, struct err *err)
{
    struct reading r = {.arena = arena, .to = ret, .what = buf_in(arena)};

    *ret = (struct named_entries){.limit = 100};
    if (!read_query(&r, query, err) || (str_trim(body).len && !read_json(&r, body, err)))
        return false;
    ret->what = r.what.len ? buf_str(&r.what) : STR("nothing");
    return true;
}
