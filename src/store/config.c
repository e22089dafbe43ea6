/* config.c: headgate.yaml becomes struct options by the rows of config_keys.def.
 *
 * Each section is a struct; a row says where in it a value lands. First every field gets its default, by the same
 * conversion that values in the file pass, then the file's keys replace them. A key without a row is refused, with the
 * nearest name, and so is a value of another type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/config.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/vec.h"
#include "data/doc.h"
#include "data/uri.h"
#include "store/secret.h"

#define CONFIG_BYTES_MAX ((size_t)8 << 20)

enum section_id {
#define SECTION(id, type, title) SECTION_##id,
#include "store/config_keys.def"
    SECTIONS_END
};

enum key_type {
    KEY_BOOL, KEY_NUMBER, KEY_SIZE, KEY_TIME, KEY_PERCENT, KEY_CHOICE, KEY_TEXT, KEY_FILENAME, KEY_SECRET, KEY_TEXTS,
    KEY_FILENAMES, KEY_PAIRS, KEY_MAP, KEY_LIST, KEY_NAMED,
};

typedef bool check_fn(struct str text, struct err *err);

struct config_key {
    enum section_id section;
    const char *name;
    enum key_type type;
    size_t offset, offset_n;          /* of the field, and of the count beside it */
    enum section_id sub;
    uint64_t min, max;                /* max 0: no bounds */
    const char *choices;
    check_fn *check;
    const char *fallback, *doc;
};

struct config_section {
    const char *title;
    size_t size;
};

/* ---- checks that rows name ---- */

static bool
is_address(struct str text)
{
    char c[INET6_ADDRSTRLEN + 1];
    unsigned char bytes[16];

    if (text.len >= sizeof(c))
        return false;
    memcpy(c, text.p, text.len);
    c[text.len] = '\0';
    return inet_pton(AF_INET, c, bytes) == 1 || inet_pton(AF_INET6, c, bytes) == 1;
}

static bool
check_address(struct str text, struct err *err)
{
    if (str_starts_with(text, STR("unix:@")))
        return err_set(err, ERR_INVALID, "sockets with abstract names are not supported, as no mode guards them; expected unix:PATH, "
                       "found '%.*s'", STR_ARG(text));
    if (is_address(text) || (str_starts_with(text, STR("unix:")) && text.len > 5))
        return true;
    return err_set(err, ERR_INVALID, "expected an IP address or unix:PATH, found '%.*s'", STR_ARG(text));
}

/* "10.0.0.0/8", "::1", "unix" */
static bool
check_network(struct str text, struct err *err)
{
    struct str rest = text, address;
    uint32_t bits = 0;

    if (str_eq_lit(text, "unix"))
        return true;
    (void)str_split_next(&rest, '/', &address);
    if (!is_address(address) ||
        (rest.p && !num_parse_u32(rest, str_find_char(address, ':', 0) >= 0 ? 128 : 32, &bits, NULL)))
        return err_set(err, ERR_INVALID, "expected an address, a network such as 10.0.0.0/8, or unix, found '%.*s'",
                       STR_ARG(text));
    return true;
}

static bool
check_url(struct str text, struct err *err)
{
    struct uri u;

    return !text.len || uri_parse_http(text, &u, err);
}

static bool
parse_port(struct str text, uint32_t *ret)
{
    return num_parse_u32(text, 65535, ret, NULL);
}

/* ADDRESS, ADDRESS:PORT, [IPv6]:PORT or unix:PATH; *ret_port is 0 without a port. */
static bool
split_address(struct str text, struct str *ret_address, uint32_t *ret_port)
{
    ptrdiff_t colon = str_rfind_char(text, ':');

    *ret_port = 0;
    *ret_address = text;
    if (is_address(text) || (str_starts_with(text, STR("unix:")) && !str_starts_with(text, STR("unix:@"))))
        return true;
    if (colon < 0 || !parse_port(str_skip(text, (size_t)colon + 1), ret_port))
        return false;
    *ret_address = str_sub(text, 0, (size_t)colon);
    if (ret_address->len > 2 && *ret_address->p == '[')
        *ret_address = str_sub(*ret_address, 1, ret_address->len - 1);
    return is_address(*ret_address);
}

static bool
check_address_port(struct str text, struct err *err)
{
    struct str address;
    uint32_t port;

    if (split_address(text, &address, &port) && !str_starts_with(text, STR("unix:")))
        return true;
    return err_set(err, ERR_INVALID, "expected ADDRESS or ADDRESS:PORT, found '%.*s'", STR_ARG(text));
}

static bool
check_resolve(struct str text, struct err *err)
{
    struct str address;
    uint32_t port;

    if (split_address(text, &address, &port))
        return true;
    return err_set(err, ERR_INVALID, "expected ADDRESS:PORT, found '%.*s'", STR_ARG(text));
}

/* As routing meets them: no scheme, no port, no dot at the end, and letters beyond ASCII in their xn-- form. */
static bool
check_host(struct str text, struct err *err)
{
    struct str name = str_starts_with(text, STR("*.")) ? str_skip(text, 2) : text;
    bool is_fine = name.len && *name.p != '.' && !str_ends_with(name, STR("."));

    for (size_t i = 0; i < name.len && is_fine; i++)
        is_fine = ascii_is_alpha(name.p[i]) || ascii_is_digit(name.p[i]) || strchr("-_.", name.p[i]);
    return is_fine || is_address(text) ||
           err_set(err, ERR_INVALID, "expected a host name alone, in ASCII, such as api.example.org or *.example.org, found '%.*s'",
                   STR_ARG(text));
}

static bool
check_status(struct str text, struct err *err)
{
    uint32_t n;

    if (num_parse_u32(text, 599, &n, NULL) && n >= 200 && n != 206 && n != 304)
        return true;
    return err_set(err, ERR_INVALID, "expected a status that can be kept, found '%.*s'", STR_ARG(text));
}

/* "none", or paths separated by blanks. */
static bool
check_paths(struct str text, struct err *err)
{
    struct str rest = text, one;

    if (str_eq_lit(text, "none"))
        return true;
    while (str_split_next(&rest, ' ', &one))
        if (one.len && one.p[0] != '/')
            return err_set(err, ERR_INVALID, "expected paths that begin with '/', or none, found '%.*s'", STR_ARG(one));
    return true;
}

/* ---- the table ---- */

static const struct config_section sections[] = {
#define SECTION(id, type, title_) [SECTION_##id] = {title_, sizeof(type)},
#include "store/config_keys.def"
};

#define SECTION(id, type, title) typedef type section_##id;
#include "store/config_keys.def"

#define ROW(in_, key_, type_, field_, ...) \
    {.section = SECTION_##in_, .name = key_, .type = type_, .offset = offsetof(section_##in_, field_), __VA_ARGS__},
static const struct config_key keys[] = {
#define BOOL(s, k, f, d, t) ROW(s, k, KEY_BOOL, f, .fallback = d, .doc = t)
#define NUMBER(s, k, f, min_, max_, d, t) ROW(s, k, KEY_NUMBER, f, .min = min_, .max = max_, .fallback = d, .doc = t)
#define SIZE(s, k, f, d, t) ROW(s, k, KEY_SIZE, f, .fallback = d, .doc = t)
#define TIME(s, k, f, d, t) ROW(s, k, KEY_TIME, f, .fallback = d, .doc = t)
#define SIZE_IN(s, k, f, min_, max_, d, t) ROW(s, k, KEY_SIZE, f, .min = min_, .max = max_, .fallback = d, .doc = t)
#define TIME_IN(s, k, f, min_, max_, d, t) ROW(s, k, KEY_TIME, f, .min = min_, .max = max_, .fallback = d, .doc = t)
#define PERCENT(s, k, f, d, t) ROW(s, k, KEY_PERCENT, f, .fallback = d, .doc = t)
#define CHOICE(s, k, f, c, d, t) ROW(s, k, KEY_CHOICE, f, .choices = c, .fallback = d, .doc = t)
#define TEXT(s, k, f, c, d, t) ROW(s, k, KEY_TEXT, f, .check = c, .fallback = d, .doc = t)
#define FILENAME(s, k, f, d, t) ROW(s, k, KEY_FILENAME, f, .fallback = d, .doc = t)
#define SECRET(s, k, f, t) ROW(s, k, KEY_SECRET, f, .doc = t)
#define TEXTS(s, k, f, c, t) ROW(s, k, KEY_TEXTS, f, .check = c, .doc = t)
#define FILENAMES(s, k, f, t) ROW(s, k, KEY_FILENAMES, f, .doc = t)
#define PAIRS(s, k, f, c, t) ROW(s, k, KEY_PAIRS, f, .check = c, .doc = t)
#define MAP(s, k, f, u, t) ROW(s, k, KEY_MAP, f, .sub = SECTION_##u, .doc = t)
/* The count of a list stands right behind its pointer. */
#define LIST(s, k, f, u, t) \
    ROW(s, k, KEY_LIST, f, .offset_n = offsetof(section_##s, f) + sizeof(void *), .sub = SECTION_##u, .doc = t)
#define NAMED(s, k, f, u, t) \
    ROW(s, k, KEY_NAMED, f, .offset_n = offsetof(section_##s, f) + sizeof(void *), .sub = SECTION_##u, .doc = t)
#include "store/config_keys.def"
};

/* ---- reading ---- */

struct config_reader {
    struct doc doc;
    struct arena *arena;
    struct str folder;                /* of headgate.yaml: where relative paths start */
    unsigned flags;
    struct store_files *files;
    struct { struct str *v; size_t n, cap; } named;   /* paths that the file names */
};

static void read_section(struct config_reader *r, enum section_id id, const struct doc_node *map, char *to);

static bool
find_choice(const char *choices, struct str text, uint32_t *ret)
{
    struct str rest = str_from_c(choices), one;
    uint32_t i = 0;

    for (; str_split_next(&rest, '|', &one); i++) {
        if (str_eq(one, text)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
parse_percent(struct str text, double *ret, struct err *err)
{
    ptrdiff_t dot = str_find_char(text, '.', 0);
    struct str whole = dot < 0 ? text : str_sub(text, 0, (size_t)dot);
    struct str part = dot < 0 ? STR("") : str_skip(text, (size_t)dot + 1);
    uint32_t n, fraction = 0;
    double scale = 1;

    if (!num_parse_u32(whole, 100, &n, err) || (part.len && !num_parse_u32(part, UINT32_MAX, &fraction, err)))
        return false;
    for (size_t i = 0; i < part.len; i++)
        scale *= 10;
    *ret = MIN(n + fraction / scale, 100.0);
    return true;
}

static bool
parse_number(const struct config_key *k, struct str text, uint32_t *ret, struct err *err)
{
    uint32_t n;

    if (!num_parse_u32(text, (uint32_t)k->max, &n, err))
        return false;
    if (n < k->min)
        return err_set(err, ERR_LIMIT, "%u is below %" PRIu64, n, k->min);
    *ret = n;
    return true;
}

static bool
parse_text(struct config_reader *r, const struct config_key *k, struct str text, struct str *ret, struct err *err)
{
    bool is_file = k->type == KEY_FILENAME || k->type == KEY_FILENAMES;
    struct str *named;

    if (k->check && !k->check(text, err))
        return false;
    *ret = is_file ? path_in(r->arena, r->folder, text) : str_dup(r->arena, text);
    if (is_file && ret->len && (named = avec_push(r->arena, &r->named)))
        *named = *ret;
    return true;
}

/* A bound as people write it: 64KiB, 100ms. */
static const char *
measure_text(const struct config_key *k, uint64_t n, char text[32])
{
    static const struct unit {
        uint64_t of;
        const char *name;
    } sizes[] = {{(uint64_t)1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, ""}},
      times[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    const struct unit *u = k->type == KEY_SIZE ? sizes : times;

    while (u->of > 1 && (n % u->of || n < u->of))
        u++;
    snprintf(text, 32, n ? "%" PRIu64 "%s" : "0", n / u->of, u->name);
    return text;
}

static bool
parse_measure(const struct config_key *k, struct str text, uint64_t *ret, struct err *err)
{
    bool ok = k->type == KEY_SIZE ? num_parse_size(text, ret, err) : num_parse_duration(text, ret, err);
    char least[32], most[32];

    if (!ok || !k->max || (*ret >= k->min && *ret <= k->max))
        return ok;
    return err_set(err, ERR_LIMIT, "expected %s to %s, found '%.*s'", measure_text(k, k->min, least),
                   measure_text(k, k->max, most), STR_ARG(text));
}

/* One scalar, from the file or a row's default, into its field. */
static bool
parse_scalar(struct config_reader *r, const struct config_key *k, struct str text, void *field, struct err *err)
{
    switch (k->type) {
    case KEY_BOOL:
        return num_parse_bool(text, field, err);
    case KEY_NUMBER:
        return parse_number(k, text, field, err);
    case KEY_SIZE:
    case KEY_TIME:
        return parse_measure(k, text, field, err);
    case KEY_PERCENT:
        return parse_percent(text, field, err);
    case KEY_CHOICE:
        if (k->check && !k->check(text, err))
            return false;
        return find_choice(k->choices, text, field) ||
               err_set(err, ERR_INVALID, "expected one of %s, found '%.*s'", k->choices, STR_ARG(text));
    case KEY_TEXT:
    case KEY_FILENAME:
        return parse_text(r, k, text, field, err);
    case KEY_SECRET:
    case KEY_TEXTS:
    case KEY_FILENAMES:
    case KEY_PAIRS:
    case KEY_MAP:
    case KEY_LIST:
    case KEY_NAMED:
        break;
    }
    UNREACHABLE();
}

static bool
is_scalar_type(enum key_type type)
{
    return type <= KEY_FILENAME;
}

static void
set_defaults(struct config_reader *r, enum section_id id, char *to)
{
    for (size_t i = 0; i < COUNTOF(keys); i++) {
        const struct config_key *k = &keys[i];

        if (k->section != id)
            continue;
        if (k->type == KEY_MAP)
            set_defaults(r, k->sub, to + k->offset);
        else if (is_scalar_type(k->type) && (k->fallback[0] || k->type == KEY_TEXT || k->type == KEY_FILENAME))
            ASSERT(parse_scalar(r, k, str_from_c(k->fallback), to + k->offset, NULL));
    }
}

void
config_api_defaults(struct arena *a, struct api_override *ret)
{
    struct config_reader r = {.arena = a};

    *ret = (struct api_override){0};
    set_defaults(&r, SECTION_api, (char *)ret);
}

static void
read_texts(struct config_reader *r, const struct config_key *k, const struct doc_node *n, struct str_list *to)
{
    struct str *all = arena_new_array(r->arena, struct str, MAX(n->n, 1u));
    uint32_t count = 0;

    for (const struct doc_node *it = n->kind == DOC_LIST ? n->first : n; all && it; it = n == it ? NULL : it->next) {
        struct err err = ERR_INIT;

        if (!doc_is_scalar(it))
            doc_report(&r->doc, DIAG_ERROR, it, "`%s`: expected text, found %s", k->name, doc_kind_name(it));
        else if (!parse_text(r, k, it->text, &all[count], &err))
            doc_report(&r->doc, DIAG_ERROR, it, "`%s`: %s", k->name, err.text);
        else
            count++;
    }
    *to = (struct str_list){all, count};
}

static void
read_pairs(struct config_reader *r, const struct config_key *k, const struct doc_node *n, struct str_pairs *to)
{
    struct str_pair *all = arena_new_array(r->arena, struct str_pair, MAX(n->n, 1u));
    uint32_t count = 0;

    doc_each(it, n) {
        struct err err = ERR_INIT;

        if (!all)
            break;
        all[count].name = str_dup(r->arena, it->key);
        if (!doc_is_scalar(it))
            doc_report(&r->doc, DIAG_ERROR, it, "`%s`: expected text, found %s", k->name, doc_kind_name(it));
        else if (!parse_text(r, k, it->text, &all[count].value, &err))
            doc_report(&r->doc, DIAG_ERROR, it, "`%s`: %s", k->name, err.text);
        else
            count++;
    }
    *to = (struct str_pairs){all, count};
}

/* A list of sections, or a map of them whose keys go into each one's first field, its name. */
static void
read_sections(struct config_reader *r, const struct config_key *k, const struct doc_node *n, char *to)
{
    size_t size = sections[k->sub].size;
    char *all = arena_alloc_zero(r->arena, MAX(n->n, 1u), size, _Alignof(max_align_t));
    uint32_t count = 0;

    doc_each(it, n) {
        char *one = all + count * size;

        if (!all)
            break;
        if (it->kind != DOC_MAP) {
            doc_report(&r->doc, DIAG_ERROR, it, "`%s`: expected a map of keys, found %s", k->name, doc_kind_name(it));
            continue;
        }
        set_defaults(r, k->sub, one);
        if (k->type == KEY_NAMED)
            *(struct str *)one = str_dup(r->arena, it->key);
        read_section(r, k->sub, it, one);
        count++;
    }
    memcpy(to + k->offset, &all, sizeof(all));
    memcpy(to + k->offset_n, &count, sizeof(count));
}

static const char *
expected_kind(enum key_type type)
{
    switch (type) {
    case KEY_TEXTS:
    case KEY_FILENAMES:
        return "a list of texts";
    case KEY_LIST:
        return "a list";
    case KEY_PAIRS:
    case KEY_MAP:
    case KEY_NAMED:
        return "a map of keys";
    case KEY_BOOL:
        return "true or false";
    case KEY_NUMBER:
    case KEY_PERCENT:
        return "a number";
    case KEY_SIZE:
        return "a size such as 64KiB";
    case KEY_TIME:
        return "a duration such as 10s";
    case KEY_CHOICE:
    case KEY_TEXT:
    case KEY_FILENAME:
    case KEY_SECRET:
        return "text";
    }
    UNREACHABLE();
}

static bool
kind_fits(enum key_type type, const struct doc_node *n)
{
    if (type == KEY_LIST)
        return n->kind == DOC_LIST;
    if (type == KEY_MAP || type == KEY_NAMED || type == KEY_PAIRS)
        return n->kind == DOC_MAP;
    if (type == KEY_TEXTS || type == KEY_FILENAMES)
        return n->kind == DOC_LIST || n->kind == DOC_STRING;
    return doc_is_scalar(n);
}

static void
read_value(struct config_reader *r, const struct config_key *k, const struct doc_node *n, char *to)
{
    struct err err = ERR_INIT;

    if (!kind_fits(k->type, n)) {
        doc_report(&r->doc, DIAG_ERROR, n, "`%s`: expected %s, found %s", k->name, expected_kind(k->type),
                   doc_kind_name(n));
        return;
    }
    if (is_scalar_type(k->type)) {
        if (!parse_scalar(r, k, n->text, to + k->offset, &err))
            doc_report(&r->doc, DIAG_ERROR, n, "`%s`: %s", k->name, err.text);
    } else if (k->type == KEY_SECRET) {
        const struct secret_rules rules = {.folder = r->folder, .warn_if_plain = true, .files = r->files,
                                           .missing = r->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_ERROR};
        secret_resolve(&rules, &r->doc, n, r->arena, (struct secret *)(to + k->offset));
    } else if (k->type == KEY_TEXTS || k->type == KEY_FILENAMES) {
        read_texts(r, k, n, (struct str_list *)(to + k->offset));
    } else if (k->type == KEY_PAIRS) {
        read_pairs(r, k, n, (struct str_pairs *)(to + k->offset));
    } else if (k->type == KEY_MAP) {
        read_section(r, k->sub, n, to + k->offset);
    } else {
        read_sections(r, k, n, to);
    }
}

struct nearest {
    enum section_id section;
    size_t at;
};

static bool
next_key(void *ctx, struct str *candidate)
{
    struct nearest *n = ctx;

    for (; n->at < COUNTOF(keys); n->at++) {
        if (keys[n->at].section == n->section) {
            *candidate = str_from_c(keys[n->at++].name);
            return true;
        }
    }
    return false;
}

static void
report_unknown(struct config_reader *r, enum section_id id, const struct doc_node *n)
{
    struct nearest ctx = {id, 0};
    struct str near = diag_nearest(n->key, next_key, &ctx);

    if (near.p)
        doc_report_key(&r->doc, DIAG_ERROR, n, "no key `%.*s` here; did you mean `%.*s`?", STR_ARG(n->key),
                       STR_ARG(near));
    else
        doc_report_key(&r->doc, DIAG_ERROR, n, "no key `%.*s` here", STR_ARG(n->key));
}

static const struct config_key *
find_key(enum section_id id, struct str name)
{
    for (size_t i = 0; i < COUNTOF(keys); i++)
        if (keys[i].section == id && str_eq(name, str_from_c(keys[i].name)))
            return &keys[i];
    return NULL;
}

/* Keys that begin with x- are the writer's own: a home for anchors. A key without a value keeps its default. */
static void
read_section(struct config_reader *r, enum section_id id, const struct doc_node *map, char *to)
{
    doc_each(it, map) {
        const struct config_key *k = find_key(id, it->key);

        if (k && it->kind != DOC_NULL)
            read_value(r, k, it, to);
        else if (!k && !str_starts_with(it->key, STR("x-")))
            report_unknown(r, id, it);
    }
}

/* ---- what no row can say ---- */

static const struct listener_conf *
default_listener(struct config_reader *r)
{
    struct listener_conf *l = arena_new(r->arena, struct listener_conf);

    if (l)
        set_defaults(r, SECTION_listener, (char *)l);
    return l;
}

/* 660, as chmod takes it, is six times eight and so on. */
static uint32_t
octal_digits(uint32_t decimal)
{
    return decimal / 100 % 10 * 64 + decimal / 10 % 10 * 8 + decimal % 10;
}

static bool
finish(struct config_reader *r, struct options *o)
{
    struct listener_conf *all;

    if (!o->n_listeners) {
        o->listeners = default_listener(r);
        o->n_listeners = 1;
    }
    all = (struct listener_conf *)o->listeners;
    for (uint32_t i = 0; all && i < o->n_listeners; i++) {
        all[i].unix_mode = octal_digits(all[i].unix_mode);
        all[i].is_tls = all[i].tls.n_certificates > 0;
        if (!all[i].name.len)
            all[i].name = str_starts_with(all[i].address, STR("unix:"))
                              ? all[i].address
                              : str_printf(r->arena, str_find_char(all[i].address, ':', 0) < 0 ? "%.*s:%u" : "[%.*s]:%u",
                                           STR_ARG(all[i].address), all[i].port);
    }
    return o->listeners != NULL;
}

/* What the file says of each key at its top; 0 of one that is not there. */
static const uint64_t *
hash_keys(struct config_reader *r)
{
    uint64_t *all = arena_new_array(r->arena, uint64_t, COUNTOF(keys));

    for (size_t i = 0; all && i < COUNTOF(keys) && keys[i].section == SECTION_root; i++) {
        const struct doc_node *n = doc_get(r->doc.root, keys[i].name);
        struct buf text AUTO(buf_destroy) = BUF_INIT;

        all[i] = 0;
        if (!n || n->kind == DOC_NULL)
            continue;
        doc_write_json(n, &text);
        all[i] = hash_str(buf_str(&text)) | 1;
    }
    return all;
}

/* Nothing but the service's part is taken by a running process, and of that not what its connections were made with. */
static bool
is_for_the_start(const struct config_key *k)
{
    bool is_of_service = k->offset >= offsetof(struct options, service) &&
                         k->offset < offsetof(struct options, service) + sizeof(struct service_options);

    return !is_of_service || k->offset == offsetof(struct options, service.resolve);
}

/* Keys that have changed since the process was started, in vain. */
static void
tell_changes(struct config_reader *r, const uint64_t *before, const uint64_t *now)
{
    for (size_t i = 0; before && now && i < COUNTOF(keys) && keys[i].section == SECTION_root; i++) {
        const struct doc_node *n = doc_get(r->doc.root, keys[i].name);

        if (before[i] == now[i] || !is_for_the_start(&keys[i]))
            continue;
        if (n)
            doc_report_key(&r->doc, DIAG_WARNING, n, "`%s` has changed; that counts from the next start on", keys[i].name);
        else
            doc_report(&r->doc, DIAG_WARNING, r->doc.root, "`%s` is gone; that counts from the next start on", keys[i].name);
        diags_hide_line(r->doc.diags);   /* there may be a secret in it */
    }
}

static bool
parse(struct config_reader *r, const struct source *source, struct options *ret, struct diags *diags)
{
    struct options o = {0};
    uint32_t errors = diags->errors;

    set_defaults(r, SECTION_root, (char *)&o);
    if (source) {
        if (!doc_parse_yaml(&r->doc, source, r->arena, diags))
            return false;
        if (r->doc.root->kind == DOC_MAP)
            read_section(r, SECTION_root, r->doc.root, (char *)&o);
        else if (r->doc.root->kind != DOC_NULL)
            doc_report(&r->doc, DIAG_ERROR, r->doc.root, "expected a map of keys, found %s",
                       doc_kind_name(r->doc.root));
        o.said = hash_keys(r);
    }
    o.files = (struct str_list){r->named.v, (uint32_t)r->named.n};
    if (!finish(r, &o))
        diag_add(diags, DIAG_ERROR, source, 0, 1, "out of memory");
    *ret = o;
    return diags->errors == errors;
}

bool
config_parse(const struct source *source, struct str folder, struct arena *a, struct options *ret, struct diags *diags)
{
    struct config_reader r = {.arena = a, .folder = folder};

    return parse(&r, source, ret, diags);
}

/* The part of a path in front of its last '/'; "" for a bare name. */
static struct str
folder_of(struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');

    return slash < 0 ? STR("") : str_sub(path, 0, MAX((size_t)slash, (size_t)1));
}

bool
config_load_again(const char *path, unsigned flags, const struct options *before, struct store_files *files, struct arena *a,
                  struct options *ret, struct diags *diags)
{
    struct config_reader r = {.arena = a, .flags = flags, .files = files};
    struct source *source = arena_new(a, struct source);
    struct buf text = buf_in(a);
    struct err err = ERR_INIT;

    if (!path)
        return parse(&r, NULL, ret, diags);
    if (!source || !file_read(path, CONFIG_BYTES_MAX, &text, &err)) {
        diag_add(diags, DIAG_ERROR, NULL, 0, 0, "%s", err.text);
        return false;
    }
    *source = (struct source){.name = str_dup(a, str_from_c(path)), .text = buf_str(&text)};
    r.folder = folder_of(source->name);
    if (!parse(&r, source, ret, diags))
        return false;
    if (before)
        tell_changes(&r, before->said, ret->said);
    ret->config_path = source->name;
    return true;
}

bool
config_load(const char *path, struct arena *a, struct options *ret, struct diags *diags)
{
    return config_load_again(path, 0, NULL, NULL, a, ret, diags);
}

/* ---- rules of resolve: ---- */

/* "name:443" or a name alone, which means every port. */
static void
split_host_port(struct str text, struct str *ret_host, uint16_t *ret_port)
{
    ptrdiff_t colon = str_rfind_char(text, ':');
    uint32_t port = 0;

    *ret_host = text;
    if (colon >= 0 && parse_port(str_skip(text, (size_t)colon + 1), &port))
        *ret_host = str_sub(text, 0, (size_t)colon);
    *ret_port = (uint16_t)port;
}

uint32_t
config_resolve_rules(const struct service_options *service, struct arena *a, const struct resolve_rule **ret)
{
    const struct str_pairs *from = &service->resolve;
    struct resolve_rule *rules = arena_new_array(a, struct resolve_rule, MAX(from->n, 1u));
    uint32_t n = 0;

    for (uint32_t i = 0; rules && i < from->n; i++) {
        struct resolve_rule *r = &rules[n];
        uint32_t port;

        split_host_port(str_lower(a, from->v[i].name), &r->host, &r->port);
        if (!split_address(from->v[i].value, &r->address, &port))
            continue;
        r->address = str_dup(a, r->address);
        r->to_port = (uint16_t)port;
        n++;
    }
    *ret = rules;
    return n;
}

/* ---- the manual ---- */

static void
describe_type(const struct config_key *k, struct buf *to)
{
    static const char *const names[] = {
        [KEY_BOOL] = "true or false", [KEY_NUMBER] = "number", [KEY_SIZE] = "size", [KEY_TIME] = "duration",
        [KEY_PERCENT] = "per cent", [KEY_TEXT] = "text", [KEY_FILENAME] = "path", [KEY_SECRET] = "secret",
        [KEY_TEXTS] = "list of texts", [KEY_FILENAMES] = "list of paths", [KEY_PAIRS] = "map of texts"};
    struct str rest = str_from_c(k->choices), one;

    if (k->type == KEY_MAP || k->type == KEY_LIST || k->type == KEY_NAMED) {
        buf_printf(to, "%s `%s`", k->type == KEY_MAP ? "map:" : k->type == KEY_LIST ? "list of" : "map by name of",
                   sections[k->sub].title);
        return;
    }
    if (k->type == KEY_CHOICE) {
        for (const char *between = ""; str_split_next(&rest, '|', &one); between = ", ")
            buf_printf(to, "%s`%.*s`", between, STR_ARG(one));
        return;
    }
    buf_printf(to, "%s", names[k->type]);
    char least[32], most[32];
    if (k->type == KEY_NUMBER && k->max < UINT32_MAX)
        buf_printf(to, ", %" PRIu64 " to %" PRIu64, k->min, k->max);
    else if (k->type != KEY_NUMBER && k->max)
        buf_printf(to, ", %s to %s", measure_text(k, k->min, least), measure_text(k, k->max, most));
}

void
config_reference(struct buf *to)
{
    for (size_t s = 0; s < COUNTOF(sections); s++) {
        buf_printf(to, "%s## %s%s%s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", s ? "\n" : "",
                   s ? "`" : "", sections[s].title, s ? "`" : "");
        for (size_t i = 0; i < COUNTOF(keys); i++) {
            const struct config_key *k = &keys[i];

            if (k->section != (enum section_id)s)
                continue;
            buf_printf(to, "| `%s` | ", k->name);
            describe_type(k, to);
            buf_printf(to, k->fallback && k->fallback[0] ? " | `%s` | %s |\n" : " | %s | %s |\n",
                       k->fallback ? k->fallback : "", k->doc);
        }
    }
}
