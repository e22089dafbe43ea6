/* folder.c: files and directories of an APIOps folder, and the information files in them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "data/dates.h"
#include "store/loader.h"

#define FILE_BYTES_MAX ((size_t)32 << 20)
#define NAMED_VALUE_NAME_MAX 256

static int
compare_names(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static const struct source *
report_file(struct loader *l, struct str path, const char *why)
{
    diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: %s", STR_ARG(path), why);
    return NULL;
}

/* What is not there may be left out. A link that leads nowhere may not: a policy that it stood for would protect nothing. */
static void
report_unless_absent(struct loader *l, struct str path, int error)
{
    struct stat st;

    if (error != ENOENT && error != ENOTDIR && error != ELOOP)
        report_file(l, path, strerror(error));
    else if (!map_has(&l->dead_links, path) && lstat(str_dup(&l->scratch, path).p, &st) == 0 && S_ISLNK(st.st_mode)) {
        map_set_copy(&l->dead_links, path, l);
        report_file(l, path, "a link that leads nowhere");
    }
}

/* Of a link: what it leads to. */
static bool
is_folder(struct loader *l, struct str path, DIR *dir, const struct dirent *e)
{
    struct stat st;

    if (e->d_type != DT_UNKNOWN && e->d_type != DT_LNK)
        return e->d_type == DT_DIR;
    if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0)
        return S_ISDIR(st.st_mode);
    report_unless_absent(l, path_join(&l->scratch, path, str_from_c(e->d_name)), errno);
    return false;
}

struct names
folder_list(struct loader *l, struct str path, bool folders)
{
    DIR *dir = opendir(str_dup(&l->scratch, path).p);
    struct names all = {0};
    struct dirent *e;

    if (!dir) {
        report_unless_absent(l, path, errno);
        return all;
    }
    while ((e = readdir(dir))) {
        struct str *slot;

        if (e->d_name[0] == '.' || (!folders && e->d_type == DT_DIR) || is_folder(l, path, dir, e) != folders)
            continue;
        if ((slot = avec_push(&l->scratch, &all)))
            *slot = str_dup(&l->scratch, str_from_c(e->d_name));
    }
    closedir(dir);
    if (all.n)
        qsort(all.v, all.n, sizeof(*all.v), compare_names);
    return all;
}

struct str
path_join(struct arena *a, struct str folder, struct str name)
{
    return str_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
}

void
folder_check_case(struct loader *l, struct str path, const struct names *all)
{
    struct map seen = MAP_INIT_NOCASE;

    for (size_t i = 0; i < all->n; i++) {
        const struct str *other = map_set(&seen, all->v[i], &all->v[i]);
        if (other)
            diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s/%.*s: names are the same in any case, and there is `%.*s` already",
                     STR_ARG(path), STR_ARG(all->v[i]), STR_ARG(*other));
    }
    map_destroy(&seen);
}

static bool
read_whole(int fd, char *to, size_t size, size_t *ret_len)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, to + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret_len = len;
    return true;
}

const struct source *
folder_read(struct loader *l, struct str path)
{
    struct source *s = arena_new(l->keep, struct source);
    struct str name = str_dup(l->keep, path);
    struct stat st;
    char *text;
    size_t len;
    int fd;

    if (!s || !name.p)
        return report_file(l, path, "out of memory");
    fd = open(name.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);   /* it might be a pipe that nobody writes to */
    if (fd < 0) {
        report_unless_absent(l, path, errno);
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > FILE_BYTES_MAX) {
        close(fd);
        return report_file(l, path, "not a file, or larger than 32 MiB");
    }
    text = arena_alloc(l->keep, (size_t)st.st_size + 1, 1, 1);
    if (!text || !read_whole(fd, text, (size_t)st.st_size, &len)) {
        close(fd);
        return report_file(l, path, text ? strerror(errno) : "out of memory");
    }
    close(fd);
    text[len] = '\0';
    *s = (struct source){name, utf8_from_file(l->keep, str_from(text, len))};
    return s;
}

static bool
is_known(struct str name, const char *const *known)
{
    for (; *known; known++)
        if (str_eq(name, str_from_c(*known)))
            return true;
    return str_starts_with_nocase(name, STR("readme")) || str_ends_with(name, STR(".hgt"));   /* notes and tests */
}

static bool
next_known(void *ctx, struct str *candidate)
{
    const char *const **known = ctx;

    if (**known && str_eq_lit(str_from_c(**known), "*"))
        (*known)++;
    if (!**known)
        return false;
    *candidate = str_from_c(*(*known)++);
    return true;
}

/* Names are looked up as they are written: `Policy.xml` is read by nobody. */
static void
warn_unknown(struct loader *l, struct str path, struct str name, const char *const *known, const char *what)
{
    struct str near = diag_nearest(name, next_known, &known);

    if (str_starts_with(name, STR("configuration.")) && str_ends_with(name, STR(".yaml"))) {
        diag_add(l->diags, DIAG_WARNING, NULL, 0, 0, "%.*s/%.*s: what a publisher puts in its place is not read; `named-values:`, "
                 "`backends:` and `apis:` of headgate.yaml do that", STR_ARG(path), STR_ARG(name));
        return;
    }
    diag_add(l->diags, DIAG_WARNING, NULL, 0, 0, "%.*s/%.*s: nothing reads this %s, ignored%s%.*s%s", STR_ARG(path), STR_ARG(name), what,
             near.p ? "; did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}

void
folder_warn_unknown(struct loader *l, struct str path, const char *const *known)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    bool any_folder = is_known(STR("*"), known);

    for (int folders = any_folder ? 0 : 1; folders >= 0; folders--) {
        struct names all = folder_list(l, path, folders);
        for (size_t i = 0; i < all.n; i++)
            if (!is_known(all.v[i], known) && !own_files_name(l->options, path_join(&l->scratch, path, all.v[i]).p))
                warn_unknown(l, path, all.v[i], known, folders ? "folder" : "file");
    }
    arena_rewind(&l->scratch, mark);
}

bool
info_open(struct loader *l, struct str folder, const char *file, bool is_required, struct info *ret)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str path = path_join(&l->scratch, folder, str_from_c(file));

    *ret = (struct info){.mark = mark};
    ret->source = folder_read(l, path);
    if (!ret->source) {
        if (is_required)
            diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: no such file", STR_ARG(path));
        arena_rewind(&l->scratch, mark);
        return false;
    }
    if (doc_parse(&ret->doc, ret->source, &l->scratch, l->diags)) {
        ret->properties = doc_get(ret->doc.root, "properties");
        if (ret->properties && ret->properties->kind == DOC_MAP)
            return true;
        if (!is_required && ret->doc.root->kind == DOC_MAP) {
            ret->properties = ret->doc.root;
            return true;
        }
        doc_report(&ret->doc, DIAG_ERROR, ret->doc.root, "expected {\"properties\": {...}}");
    }
    arena_rewind(&l->scratch, mark);
    return false;
}

void
info_close(struct loader *l, struct info *i)
{
    arena_rewind(&l->scratch, i->mark);
    i->properties = NULL;
}

struct str
keep_str(struct loader *l, struct str s)
{
    return s.p ? str_dup(l->keep, s) : s;
}

struct str
info_str(struct loader *l, const struct info *i, const char *key)
{
    return keep_str(l, doc_get_str(&i->doc, i->properties, key, STR("")));
}

const struct str *
keep_strs(struct loader *l, const struct info *i, const struct doc_node *map, const char *key, uint32_t *ret_n)
{
    uint32_t n;
    struct str *from = doc_get_strs(&i->doc, map, key, &n);
    struct str *to = n ? arena_new_array(l->keep, struct str, n) : NULL;

    *ret_n = 0;
    for (uint32_t k = 0; to && k < n; k++)
        to[(*ret_n)++] = keep_str(l, from[k]);
    return to;
}

int64_t
info_date(struct loader *l, const struct info *i, const char *key)
{
    struct str text = doc_get_str(&i->doc, i->properties, key, STR_NONE);
    struct err err = ERR_INIT;
    int64_t seconds = 0;

    if (text.len && !date_parse_iso(text, &seconds, &err))
        doc_report(&i->doc, DIAG_ERROR, doc_get(i->properties, key), "`%s`: %s", key, err.text);
    return seconds;
}

static const struct named_value *
find_named_value(struct loader *l, struct str name)
{
    char key[NAMED_VALUE_NAME_MAX];
    void *found = NULL;

    if (l->workspace && l->workspace->name.len + 1 + name.len <= sizeof(key)) {
        int len = snprintf(key, sizeof(key), "%.*s/%.*s", STR_ARG(l->workspace->name), STR_ARG(name));
        found = map_get(&l->named_value_index, str_from(key, (size_t)len));
    }
    if (!found)
        found = map_get(&l->named_value_index, name);
    return found ? &l->named_values.v[(uintptr_t)found - 1] : NULL;
}

/* `valueless`: where the name of a value that is not there is kept; NULL: that is an error. */
static struct str
expand(struct loader *l, const struct info *i, const struct doc_node *n, struct str text, struct str *valueless)
{
    struct buf out = buf_in(l->keep);
    ptrdiff_t open, close;
    size_t at = 0;

    if (str_find(text, STR("{{"), 0) < 0)
        return keep_str(l, text);
    while ((open = str_find(text, STR("{{"), at)) >= 0 && (close = str_find(text, STR("}}"), (size_t)open)) >= 0) {
        struct str name = str_trim(str_sub(text, (size_t)open + 2, (size_t)close));
        const struct named_value *v = find_named_value(l, name);

        buf_add_str(&out, str_sub(text, at, (size_t)open));
        if (v && v->value.is_set)
            buf_add_str(&out, v->value.value);
        else if (v && valueless)
            *valueless = v->display_name;
        else
            doc_report(&i->doc, DIAG_ERROR, n, v ? "named value `%.*s` has no value: %.*s" : "no named value `%.*s`%.*s",
                       STR_ARG(name), STR_ARG(v ? v->missing : STR("")));
        at = (size_t)close + 2;
    }
    buf_add_str(&out, str_skip(text, at));
    return buf_str(&out);
}

struct str
expand_named_values(struct loader *l, const struct info *i, const struct doc_node *n, struct str text)
{
    return expand(l, i, n, text, NULL);
}

struct str
expand_what_is_known(struct loader *l, const struct info *i, const struct doc_node *n, struct str text)
{
    return expand(l, i, n, text, &l->valueless);
}

struct str
id_name(struct loader *l, struct str id, const char *kind)
{
    struct str needle = str_printf(&l->scratch, "/%s/", kind), name;
    ptrdiff_t found = -1, percent;

    for (size_t i = 0; i + needle.len <= id.len; i++)
        if (str_eq_nocase(str_sub(id, i, i + needle.len), needle))
            found = (ptrdiff_t)i;
    if (found < 0)
        return str_find_char(id, '/', 0) < 0 && id.len ? id : STR_NONE;
    id = str_skip(id, (size_t)found + needle.len);
    (void)str_split_next(&id, '/', &name);
    percent = str_find(name, STR("%3B"), 0);
    if (percent < 0)
        percent = str_find(name, STR("%3b"), 0);
    if (percent >= 0)
        name = str_printf(&l->scratch, "%.*s;%.*s", STR_ARG(str_sub(name, 0, (size_t)percent)),
                          STR_ARG(str_skip(name, (size_t)percent + 3)));
    return name.len ? name : STR_NONE;
}

struct mention
mention_at(struct loader *l, const struct info *i, const struct doc_node *n, struct str name)
{
    return (struct mention){keep_str(l, name), i->source, n ? n->at : 0, n ? n->len : 1};
}
