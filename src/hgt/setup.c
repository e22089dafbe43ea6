/* setup.c: from declarations to a running gateway. Everything a script declares becomes what a user would have on disk, a folder
 * in APIOps layout and headgate.yaml, and is loaded by the same code.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/setup.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "base/vec.h"
#include "model/options.h"
#include "store/store.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define TEST_WORKERS 2

static bool
complain(struct setup *s, const struct step *step, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool
complain(struct setup *s, const struct step *step, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    diag_add(s->diags, DIAG_ERROR, step ? step->line.source : NULL, step ? step->line.offset : 0,
             step ? (uint32_t)step->line.text.len : 0, "%s", text);
    return false;
}

bool
setup_is_declaring(const struct step *step)
{
    switch (step->kind) {
    case STEP_NEEDS:
    case STEP_NAMED_VALUE:
    case STEP_ORIGIN:
    case STEP_ENV:
    case STEP_KEY:
    case STEP_TOKEN:
    case STEP_IDENTITY:
    case STEP_ARTIFACTS:
    case STEP_YAML:
    case STEP_FILE:
    case STEP_API: return true;
    case STEP_TEST:
    case STEP_REQUEST:
    case STEP_RAW:
    case STEP_ANSWER:
    case STEP_EXPECT:
    case STEP_SET:
    case STEP_ADVANCE:
    case STEP_CLOCK:
    case STEP_PUBLISH:
    case STEP_WAIT:
    case STEP_DROP:
    case STEP_REVIVE:
    case STEP_EACH:
    case STEP_COUNT: break;
    }
    return false;
}

struct fake_origin *
setup_origin(struct setup *s, struct str name)
{
    for (struct fake_origin *o = s->origins; o; o = o->next)
        if (str_eq(o->name, name))
            return o;
    return NULL;
}

static struct str
origin_url(struct setup *s, const struct fake_origin *o)
{
    if (o->url_as.p)
        return o->url_as;
    return str_printf(s->arena, "http://127.0.0.1:%u", o->port);
}

/* now, now+60, now-60: seconds of the gateway's clock since 1970. */
static struct str
moment(struct setup *s, struct str name)
{
    int64_t now = (int64_t)(clock_wall_ns(&s->clock) / 1000000000u);
    uint32_t by = 0;

    if (name.len > 4 && !num_parse_u32(str_skip(name, 4), UINT32_MAX, &by, NULL))
        return STR_NONE;
    return str_printf(s->arena, "%" PRId64, name.len > 3 && name.p[3] == '-' ? now - by : now + by);
}

/* What a name in ${...} stands for; STR_NONE when unknown. */
static struct str
lookup(struct setup *s, struct str name)
{
    struct str *set = map_get(&s->variables, name), rest = name, first, second = STR_NONE;
    struct fake_origin *o;

    if (set)
        return *set;
    if (str_eq_lit(name, "gateway"))
        return s->gateway ? str_printf(s->arena, "http://127.0.0.1:%u", gateway_port(s->gateway, 0)) : STR_NONE;
    if (str_eq_lit(name, "gateway.port"))
        return s->gateway ? str_printf(s->arena, "%u", gateway_port(s->gateway, 0)) : STR_NONE;
    if (str_eq_lit(name, "now") || str_starts_with(name, STR("now+")) || str_starts_with(name, STR("now-")))
        return moment(s, name);
    str_split_next(&rest, '.', &first);
    if (str_eq_lit(first, "key") && str_split_next(&rest, '.', &second))
        return secrets_key_part(&s->secrets, s->arena, second, rest);
    if (str_eq_lit(first, "identity") && str_split_next(&rest, '.', &second))
        return secrets_identity_part(&s->secrets, s->arena, s->folder, second, rest);
    if (!str_eq_lit(first, "origin") || !str_split_next(&rest, '.', &second) || !(o = setup_origin(s, second)))
        return STR_NONE;
    if (str_eq_lit(rest, "port"))
        return str_printf(s->arena, "%u", o->port);
    return rest.p ? STR_NONE : origin_url(s, o);
}

struct str
setup_expand(struct setup *s, struct str text)
{
    struct buf out = buf_in(s->arena);
    ptrdiff_t at, close;

    if (str_find(text, STR("${"), 0) < 0)
        return text;
    while ((at = str_find(text, STR("${"), 0)) >= 0 && (close = str_find_char(text, '}', (size_t)at)) >= 0) {
        struct str value = lookup(s, str_sub(text, (size_t)at + 2, (size_t)close));

        buf_add_str(&out, str_sub(text, 0, (size_t)at));
        buf_add_str(&out, value.p ? value : str_sub(text, (size_t)at, (size_t)close + 1));
        text = str_skip(text, (size_t)close + 1);
    }
    buf_add_str(&out, text);
    return buf_str(&out);
}

/* Makes the folders above a path. */
static void
make_folders(const char *path)
{
    char part[PATH_MAX];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        mkdir(part, 0700);
    }
}

static bool
write_file(struct setup *s, const struct step *step, struct str name, struct str text)
{
    struct str path = str_printf(s->arena, "%s/artifacts/%.*s", s->folder, STR_ARG(name));
    struct err err;

    make_folders(path.p);
    if (!file_write_atomic(path.p, text, 0600, &err))
        return complain(s, step, "%s", err.text);
    return true;
}

static bool
copy_folder(struct setup *s, const struct step *step, const char *from, const char *to)
{
    DIR *dir = opendir(from);
    struct dirent *entry;
    bool ok = true;

    if (!dir)
        return complain(s, step, "%s: %s", from, strerror(errno));
    mkdir(to, 0700);
    while (ok && (entry = readdir(dir))) {
        struct buf content AUTO(buf_destroy) = BUF_INIT;
        char source[PATH_MAX], target[PATH_MAX];
        struct stat st;
        struct err err;

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
        snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
        if (stat(source, &st) == 0 && S_ISDIR(st.st_mode)) {
            ok = copy_folder(s, step, source, target);
            continue;
        }
        if (!file_read(source, FILE_BYTES_MAX, &content, &err) ||
            !file_write_atomic(target, setup_expand(s, buf_str(&content)), 0600, &err))
            ok = complain(s, step, "%s", err.text);
    }
    closedir(dir);
    return ok;
}

/* A path of the script, taken from the script's own folder. */
static struct str
beside_script(struct setup *s, struct str path)
{
    ptrdiff_t slash = str_rfind_char(s->script->source->name, '/');

    if (path.p[0] == '/' || slash < 0)
        return str_dup(s->arena, path);
    return str_printf(s->arena, "%.*s/%.*s", (int)slash, s->script->source->name.p, STR_ARG(path));
}

/* "https://name[:port]/..." names a host that only the test knows: it gets a certificate, and `resolve:` leads to us. */
static bool
origin_secure(struct setup *s, struct fake_origin *o)
{
    struct str rest = o->url_as, host;
    struct identity id;

    if (!str_starts_with(rest, STR("https://")))
        return true;
    rest = str_skip(rest, 8);
    str_split_next(&rest, '/', &host);
    rest = host;
    str_split_next(&rest, ':', &host);
    if (o->step->identity.p) {
        struct test_identity *own = secrets_identity(&s->secrets, o->step->identity);

        o->tls = own ? identity_server_context(&own->identity) : NULL;
        return own != NULL;
    }
    identity_create_for(&id, &s->authority, str_dup(s->arena, host).p);
    o->tls = identity_server_context(&id);
    identity_destroy(&id);
    return true;
}

static bool
declare_origin(struct setup *s, struct step *step)
{
    struct fake_origin *o = arena_new(s->arena, struct fake_origin);
    struct err err;

    for (struct rule *r = step->rules; r; r = r->next) {
        r->headers = setup_expand(s, r->headers);
        r->body = setup_expand(s, r->body);
    }

    if (setup_origin(s, step->name.p ? step->name : STR("")))
        return complain(s, step, "origin %.*s is declared twice", STR_ARG(step->name));
    *o = (struct fake_origin){.name = step->name, .url_as = step->value, .step = step, .listener = -1, .next = s->origins, .all = &s->origins};
    if (!origin_secure(s, o))
        return complain(s, step, "no identity is called %.*s", STR_ARG(step->identity));
    if (!origin_start(o, &err))
        return complain(s, step, "%s", err.text);
    s->origins = o;
    return true;
}

/* [NAME] METHOD TEMPLATE */
struct short_operation {
    struct str name, method, path, query;
    bool is_done;
};

static bool
parse_operation(struct setup *s, struct str line, struct short_operation *ret)
{
    struct str words[3] = {STR_NONE, STR_NONE, STR_NONE};
    size_t n = 0;

    while (n < 3 && word_next(s->arena, &line, &words[n]))
        n++;
    if (n < 2)
        return false;
    *ret = (struct short_operation){.name = n == 3 ? words[0] : STR_NONE, .method = words[n - 2], .query = words[n - 1]};
    str_split_next(&ret->query, '?', &ret->path);
    return true;
}

static void
add_parameter(struct buf *to, struct str name, const char *place, bool *is_first)
{
    buf_printf(to, "%s{\"name\":\"%.*s\",\"in\":\"%s\",\"required\":true,\"schema\":{\"type\":\"string\"}}",
               *is_first ? "" : ",", STR_ARG(name), place);
    *is_first = false;
}

static void
add_operation(struct setup *s, struct buf *to, const struct short_operation *op)
{
    struct str rest = op->path, query = op->query, part, name;
    bool is_first = true;

    buf_printf(to, "\"%.*s\":{", STR_ARG(str_lower(s->arena, op->method)));
    if (op->name.p)
        buf_printf(to, "\"operationId\":\"%.*s\",", STR_ARG(op->name));
    buf_add_lit(to, "\"parameters\":[");
    while (str_split_next(&rest, '/', &part))
        if (part.len > 2 && part.p[0] == '{')
            add_parameter(to, str_sub(part, 1, part.len - 1), "path", &is_first);
    while (str_split_next(&query, '&', &part)) {
        str_split_next(&part, '=', &name);
        add_parameter(to, name, "query", &is_first);
    }
    buf_add_lit(to, "],\"responses\":{\"200\":{\"description\":\"\"}}}");
}

/* All methods of one path stand together, as OpenAPI has them. */
static void
add_path(struct setup *s, struct buf *to, struct short_operation *ops, size_t n, size_t at)
{
    const char *between = "";

    buf_printf(to, "\"%.*s\":{", STR_ARG(ops[at].path));
    for (size_t i = at; i < n; i++) {
        if (ops[i].is_done || !str_eq(ops[i].path, ops[at].path))
            continue;
        buf_printf(to, "%s", between);
        between = ",";
        add_operation(s, to, &ops[i]);
        ops[i].is_done = true;
    }
    buf_add_lit(to, "}");
}

static struct str
specification_of(struct setup *s, const struct step *step)
{
    struct buf text = buf_in(s->arena);
    struct str lines = step->operations, line;
    struct {
        struct short_operation *v;
        size_t n, cap;
    } ops = {0};
    const char *between = "";

    while (str_split_next(&lines, '\n', &line)) {
        struct short_operation op;
        if (parse_operation(s, line, &op))
            *avec_push(s->arena, &ops) = op;
    }
    buf_printf(&text, "{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"%.*s\",\"version\":\"1\"},\"paths\":{", STR_ARG(step->name));
    for (size_t i = 0; i < ops.n; i++) {
        if (ops.v[i].is_done)
            continue;
        buf_printf(&text, "%s", between);
        between = ",";
        add_path(s, &text, ops.v, ops.n, i);
    }
    buf_add_lit(&text, "}}");
    return buf_str(&text);
}

/* The file at `from`, to the byte: no ${...} is looked for. */
static bool
copy_file(struct setup *s, const struct step *step, struct str name, struct str from)
{
    struct str path = beside_script(s, setup_expand(s, from));
    struct buf content AUTO(buf_destroy) = BUF_INIT;
    struct copied_document *copy;
    char source[PATH_MAX];
    struct err err;

    if (!file_read(path.p, FILE_BYTES_MAX, &content, &err))
        return complain(s, step, "%s", err.text);
    if (str_ends_with(path, STR(".xml")) && realpath(path.p, source)) {
        copy = arena_new(s->arena, struct copied_document);
        *copy = (struct copied_document){.path = str_dup(s->arena, name), .source = str_dup(s->arena, str_from_c(source)), .next = s->copied};
        s->copied = copy;
    }
    return write_file(s, step, name, buf_str(&content));
}

static void
note_inline(struct setup *s, struct str path, struct region block)
{
    struct inline_document *d = arena_new(s->arena, struct inline_document);

    *d = (struct inline_document){.path = path, .block = block, .next = s->inlined};
    s->inlined = d;
}

/* Where `offset` of the text that block_text() made stands in the script: as many lines below the block's first, and as many bytes
 * behind its indentation. A line in which ${...} was replaced may be longer than the one in the script: then its end. */
static uint32_t
place_in_block(const struct region *block, struct str text, uint32_t offset)
{
    struct str script = block->source->text;
    uint32_t at = block->at, line_at = 0, indent = UINT32_MAX, width, end;

    for (uint32_t line = block->at; line < block->end; line = end + 1) {
        ptrdiff_t newline = str_find_char(script, '\n', line);
        end = newline < 0 ? (uint32_t)script.len : (uint32_t)newline;
        for (width = line; width < end && (script.p[width] == ' ' || script.p[width] == '\t');)
            width++;
        if (str_trim(str_sub(script, line, end)).len)
            indent = MIN(indent, width - line);
    }
    for (uint32_t i = 0; i < offset && i < text.len; i++)
        if (text.p[i] == '\n') {
            ptrdiff_t newline = str_find_char(script, '\n', at);
            at = newline < 0 ? block->end : (uint32_t)newline + 1;
            line_at = i + 1;
        }
    if (at >= block->end)
        return block->end - (block->end > block->at);
    end = at;
    while (end < block->end && script.p[end] != '\n')
        end++;
    return MIN(at + indent + (offset - line_at), end);
}

static const struct inline_document *
find_inline(const struct setup *s, struct str path)
{
    const struct inline_document *d = s->inlined;

    while (d && !str_eq(d->path, path))
        d = d->next;
    return d;
}

bool
setup_locate(const struct setup *s, struct str path, uint32_t line, uint32_t *ret_line)
{
    const struct inline_document *d = find_inline(s, path);

    if (d)
        *ret_line = source_position(d->block.source, d->block.at).line + line - 1;
    return d != NULL;
}

void
setup_relocate(struct setup *s, struct diags *diags)
{
    struct str folder = str_printf(s->arena, "%s/artifacts/", s->folder);

    for (struct diag *d = diags->first; d; d = d->next) {
        const struct inline_document *found;
        struct source *named;
        struct str name;

        if (!d->source || d->source == s->script->source)
            continue;
        name = str_starts_with(d->source->name, folder) ? str_skip(d->source->name, folder.len) : d->source->name;
        if ((found = find_inline(s, name))) {
            uint32_t end = place_in_block(&found->block, d->source->text, d->offset + d->len);
            d->offset = place_in_block(&found->block, d->source->text, d->offset);
            d->len = end > d->offset ? end - d->offset : 1;
            d->source = found->block.source;
        } else if (name.len != d->source->name.len) {
            named = arena_new(s->arena, struct source);
            *named = (struct source){name, d->source->text};
            d->source = named;
        }
    }
}

/* The text of a policy or another file, from `block` of the script, or from the file at `from`. */
static bool
write_policy(struct setup *s, const struct step *step, struct str name, struct str text, struct str from, struct region block)
{
    if (!from.p && text.p)
        note_inline(s, name, block);
    return from.p ? copy_file(s, step, name, from) : !text.p || write_file(s, step, name, setup_expand(s, text));
}

static bool
declare_operation_policies(struct setup *s, const struct step *step)
{
    for (const struct operation_policy *o = step->operation_policies; o; o = o->next)
        if (!write_policy(s, step, str_printf(s->arena, "apis/%.*s/operations/%.*s/policy.xml", STR_ARG(step->name),
                                              STR_ARG(o->operation)), o->text, o->from, o->block))
            return false;
    return true;
}

static bool
declare_api(struct setup *s, const struct step *step)
{
    struct fake_origin *o = setup_origin(s, step->target);
    struct str url = o ? origin_url(s, o) : setup_expand(s, step->target), path = step->path, information;

    if (url.len && !o && str_find(url, STR("://"), 0) < 0)
        return complain(s, step, "no origin above this line is called '%.*s', nor is it a URL", STR_ARG(url));
    for (const struct step *above = s->script->first; !s->gateway && above && above != step; above = above->next)
        if (above->kind == STEP_API && str_eq(above->name, step->name))
            return complain(s, step, "api %.*s is declared twice", STR_ARG(step->name));
    while (path.len && path.p[0] == '/')
        path = str_skip(path, 1);
    information = str_printf(s->arena,
        "{\"properties\":{\"displayName\":\"%.*s\",\"path\":\"%.*s\",\"protocols\":[\"http\",\"https\"],"
        "\"apiRevision\":\"1\",\"isCurrent\":true,\"subscriptionRequired\":%s%s%.*s%s}}", STR_ARG(step->name), STR_ARG(path),
        step->needs_key ? "true" : "false", url.len ? ",\"serviceUrl\":\"" : "", STR_ARG(url), url.len ? "\"" : "");
    return write_file(s, step, str_printf(s->arena, "apis/%.*s/apiInformation.json", STR_ARG(step->name)), information) &&
           (!step->operations.len ||
            write_file(s, step, str_printf(s->arena, "apis/%.*s/specification.json", STR_ARG(step->name)),
                       specification_of(s, step))) &&
           write_policy(s, step, str_printf(s->arena, "apis/%.*s/policy.xml", STR_ARG(step->name)), step->policy, step->from,
                        step->text_block) &&
           declare_operation_policies(s, step);
}

static bool
declare_token(struct setup *s, const struct step *step)
{
    struct str *text = arena_new(s->arena, struct str);
    struct step now = *step;          /* as its words are now, in loops */
    struct err err;

    now.target = setup_expand(s, step->target);
    now.method = setup_expand(s, step->method);
    now.path = setup_expand(s, step->path);
    now.connection = setup_expand(s, step->connection);
    now.operations = setup_expand(s, step->operations);
    if (!secrets_make_token(&s->secrets, s->arena, &now, setup_expand(s, step->headers), setup_expand(s, step->body), text, &err))
        return complain(s, step, "%s", err.text);
    map_set(&s->variables, step->name, text);
    return true;
}

static bool
declare_key(struct setup *s, const struct step *step)
{
    struct err err;

    return secrets_add_key(&s->secrets, s->arena, step, setup_expand(s, step->value), &err) || complain(s, step, "%s", err.text);
}

static bool
declare_identity(struct setup *s, const struct step *step)
{
    struct err err;

    return secrets_add_identity(&s->secrets, s->arena, &s->authority, step, setup_expand(s, step->value), &err) ||
           complain(s, step, "%s", err.text);
}

/* A script that needs what is not there is skipped. */
static bool
declare_needs(struct setup *s, const struct step *step)
{
    struct str *path = arena_new(s->arena, struct str);
    char found[PATH_MAX];

    *path = beside_script(s, step->value);
    if (!realpath(path->p, found)) {
        s->missing = *path;
        return false;
    }
    *path = str_dup(s->arena, str_from_c(found));
    if (step->name.p)
        map_set(&s->variables, step->name, path);
    return true;
}

static bool
declare_named_value(struct setup *s, const struct step *step)
{
    struct buf text = buf_in(s->arena);

    buf_printf(&text, "{\"properties\":{\"displayName\":\"%.*s\",\"value\":\"", STR_ARG(step->name));
    buf_add_json_escaped(&text, setup_expand(s, step->value));
    buf_add_lit(&text, "\"}}");
    return write_file(s, step, str_printf(s->arena, "named values/%.*s/namedValueInformation.json", STR_ARG(step->name)), buf_str(&text));
}

static bool
declare_env(struct setup *s, const struct step *step)
{
    struct changed_env *changed = arena_new(s->arena, struct changed_env);
    const char *name = str_dup(s->arena, step->name).p, *before = getenv(name);

    *changed = (struct changed_env){.name = name, .before = before ? str_dup(s->arena, str_from_c(before)).p : NULL,
                                    .next = s->changed_env};
    s->changed_env = changed;
    return setenv(name, str_dup(s->arena, setup_expand(s, step->value)).p, 1) == 0 ||
           complain(s, step, "'%s' is no name of an environment variable", name);
}

static bool
declare(struct setup *s, struct step *step, struct str *yaml)
{
    switch ((int)step->kind) {
    case STEP_NEEDS: return declare_needs(s, step);
    case STEP_NAMED_VALUE: return declare_named_value(s, step);
    case STEP_ORIGIN: return declare_origin(s, step);
    case STEP_ENV: return declare_env(s, step);
    case STEP_KEY: return declare_key(s, step);
    case STEP_TOKEN: return declare_token(s, step);
    case STEP_IDENTITY: return declare_identity(s, step);
    case STEP_ARTIFACTS:
        return copy_folder(s, step, beside_script(s, step->value).p,
                           str_printf(s->arena, "%s/artifacts", s->folder).p);
    case STEP_YAML:
        *yaml = setup_expand(s, step->value);
        note_inline(s, STR("headgate.yaml"), step->line.block);
        return true;
    case STEP_FILE: return write_policy(s, step, step->name, step->value, step->from, step->text_block);
    case STEP_API: return declare_api(s, step);
    default: return true;
    }
}

bool
setup_change(struct setup *s, const struct step *step)
{
    struct str yaml = STR_NONE;

    if (step->kind == STEP_YAML || step->kind == STEP_ORIGIN)
        return complain(s, step, "this has to stand before the first test or request");
    return declare(s, (struct step *)step, &yaml);
}

static bool
read_options(struct setup *s, struct str yaml)
{
    struct source *source = arena_new(s->arena, struct source);

    *source = (struct source){STR("headgate.yaml"), yaml.p ? yaml : STR("")};
    return config_parse(source, str_printf(s->arena, "%s/artifacts", s->folder), s->arena, &s->options, s->diags) ||
           complain(s, NULL, "headgate.yaml of the script has errors");
}

/* name:port -> 127.0.0.1:port for every origin that is called by a name. */
static void
add_resolve_rules(struct setup *s)
{
    struct str_pairs *list = &s->options.service.resolve;
    struct str_pair *rules;
    uint32_t n = list->n;

    for (struct fake_origin *o = s->origins; o; o = o->next)
        n++;
    rules = arena_new_array(s->arena, struct str_pair, n);
    for (uint32_t i = 0; i < list->n; i++)
        rules[i] = list->v[i];
    n = list->n;
    for (struct fake_origin *o = s->origins; o; o = o->next) {
        struct str rest = o->url_as, scheme, host;
        const char *port = "";

        if (!rest.p)
            continue;
        str_split_next(&rest, ':', &scheme);
        rest = str_skip(rest, 2);
        str_split_next(&rest, '/', &host);
        if (str_find_char(host, ':', 0) < 0)
            port = str_eq_lit(scheme, "https") ? ":443" : ":80";
        rules[n++] = (struct str_pair){str_printf(s->arena, "%.*s%s", STR_ARG(host), port),
                                       str_printf(s->arena, "127.0.0.1:%u", o->port)};
    }
    *list = (struct str_pairs){rules, n};
}

static bool
write_identity(struct setup *s)
{
    struct str *trust = arena_new_array(s->arena, struct str, s->options.service.trust.n + 1);
    uint32_t n = s->options.service.trust.n;
    struct identity server;
    struct err err;
    bool ok;

    for (uint32_t i = 0; i < n; i++)
        trust[i] = s->options.service.trust.v[i];
    trust[n] = str_printf(s->arena, "%s/authority.pem", s->folder);
    s->options.service.trust = (struct str_list){trust, n + 1};
    identity_create_for(&server, &s->authority, "gateway.test");
    ok = file_write_atomic(trust[n].p, identity_pem(&s->authority, false, s->arena), 0600, &err) &&
         file_write_atomic(str_printf(s->arena, "%s/gateway.pem", s->folder).p, identity_pem(&server, true, s->arena), 0600,
                           &err);
    identity_destroy(&server);
    return ok || complain(s, NULL, "%s", err.text);
}

/* The script's own first listener (its limits of protocol) on a free port, and beside it one with TLS. */
static void
choose_listeners(struct setup *s)
{
    struct listener_conf *two = arena_new_array(s->arena, struct listener_conf, 2);
    struct tls_certificate *certificate = arena_new(s->arena, struct tls_certificate);

    two[0] = s->options.listeners[0];
    two[0].address = STR("127.0.0.1");
    two[0].port = 0;
    two[1] = two[0];
    two[1].proxy_protocol = false;
    *certificate = (struct tls_certificate){.certificate = str_printf(s->arena, "%s/gateway.pem", s->folder),
                                            .client_certificates = CLIENT_CERTIFICATES_INHERIT};
    two[1].is_tls = true;
    two[1].tls.certificates = certificate;
    two[1].tls.n_certificates = 1;
    two[1].tls.client_certificates = CLIENT_CERTIFICATES_ASK;
    s->options.listeners = two;
    s->options.n_listeners = 2;
}

/* The admin listener, for scripts that speak to it. */
static void
choose_admin(struct setup *s)
{
    struct admin_options *o = &s->options.admin;
    struct str file = str_printf(s->arena, "%s/token", s->folder);

    o->is_on = s->script->uses_admin && file_write_atomic(file.p, STR(SETUP_ADMIN_TOKEN), 0600, NULL);
    o->address = STR("127.0.0.1");
    o->port = 0;
    o->token_file = file;
}

static void
choose_surroundings(struct setup *s)
{
    struct log_sink_options *sink = arena_new(s->arena, struct log_sink_options);

    s->log_path = str_printf(s->arena, "%s/gateway.log", s->folder);
    *sink = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = s->log_path};
    s->options.gateway_log.is_on = true;
    s->options.gateway_log.sinks = sink;
    s->options.gateway_log.n_sinks = 1;
    s->options.workers = TEST_WORKERS;
    s->options.artifacts = str_printf(s->arena, "%s/artifacts", s->folder);
    s->options.state = str_printf(s->arena, "%s/state", s->folder);
    s->options.watch.is_on = false;
    choose_admin(s);
    s->options.user = s->options.group = STR_NONE;
}

static bool
start_gateway(struct setup *s)
{
    struct err err;

    s->gateway = gateway_new(&s->options, &s->clock, NULL, &err);
    if (!s->gateway)
        return complain(s, NULL, "%s", err.text);
    if (s->with_coverage || s->copied)
        gateway_want_coverage(s->gateway);
    if (!gateway_publish(s->gateway, s->diags))
        return complain(s, NULL, "the configuration of this script does not load");
    if (!gateway_start(s->gateway, &err))
        return complain(s, NULL, "%s", err.text);
    return true;
}

/* Windows of limits and quotas end at full minutes, hours and days. A script begins a second after a full hour, at whatever time
 * it is run, so that none ends in the middle of it. Forward only: the steady clock may be as young as the machine. */
static void
begin_at_a_full_hour(struct clock *clock)
{
    uint64_t hour_ns = (uint64_t)3600 * 1000000000u;

    clock_advance(clock, (int64_t)(hour_ns - clock_wall_ns(clock) % hour_ns) + 1000000000);
}

bool
setup_create(struct setup *s, struct step **at)
{
    struct str yaml = STR_NONE;

    begin_at_a_full_hour(&s->clock);
    s->secrets.clock = &s->clock;
    snprintf(s->folder, sizeof(s->folder), "/tmp/headgate-test-XXXXXX");
    if (!mkdtemp(s->folder))
        return complain(s, NULL, "%s: %s", s->folder, strerror(errno));
    mkdir(str_printf(s->arena, "%s/artifacts", s->folder).p, 0700);
    mkdir(str_printf(s->arena, "%s/state", s->folder).p, 0700);
    identity_create_authority(&s->authority, "headgate test");
    s->client_tls = identity_client_context(&s->authority);
    for (; *at && setup_is_declaring(*at); *at = (*at)->next)
        if (!declare(s, *at, &yaml))
            return s->diags->errors > 0 || s->missing.p ? false : complain(s, *at, "this did not work");
    if (!read_options(s, yaml) || !write_identity(s))
        return false;
    add_resolve_rules(s);
    choose_listeners(s);
    choose_surroundings(s);
    return start_gateway(s);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    return remove(path);
}

void
setup_destroy(struct setup *s)
{
    gateway_delete(s->gateway);
    for (const struct changed_env *e = s->changed_env; e; e = e->next)
        e->before ? setenv(e->name, e->before, 1) : unsetenv(e->name);
    for (struct fake_origin *o = s->origins; o; o = o->next)
        origin_destroy(o);
    SSL_CTX_free(s->client_tls);
    secrets_destroy(&s->secrets);
    identity_destroy(&s->authority);
    map_destroy(&s->variables);
    if (s->folder[0])
        nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
