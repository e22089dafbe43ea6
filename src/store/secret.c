/* secret.c: looking up what secrets refer to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/secret.h"

#include <stdlib.h>

#include "base/file.h"
#include "store/store.h"

#define SECRET_BYTES_MAX ((size_t)1 << 20)

/* "{{name}}": whoever uses it looks the named value up. */
static bool
is_named_value(struct str text)
{
    return str_starts_with(text, STR("{{")) && str_ends_with(text, STR("}}"));
}

static bool
is_reference(struct str text)
{
    return str_starts_with(text, STR("env:")) || str_starts_with(text, STR("file:"));
}

struct str
path_in(struct arena *a, struct str folder, struct str path)
{
    while (path.len > 2 && str_starts_with(path, STR("./")))
        path = str_skip(path, 2);
    if (!path.len || *path.p == '/' || !folder.len)
        return str_dup(a, path);
    if (str_eq_lit(path, "."))
        return str_dup(a, folder);
    return str_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(path));
}

static void
from_environment(const struct doc *d, const struct doc_node *node, struct str name, enum diag_level missing,
                 struct arena *a, struct secret *ret)
{
    const char *value = getenv(str_dup(a, name).p);

    if (value) {
        ret->value = str_dup(a, str_from_c(value));
        ret->is_set = true;
    } else {
        doc_report(d, missing, node, "environment variable `%.*s` is not set", STR_ARG(name));
    }
}

static void
from_file(const struct secret_rules *rules, const struct doc *d, const struct doc_node *node, struct str reference,
          struct arena *a, struct secret *ret)
{
    struct str path = path_in(a, rules->folder, reference);
    struct buf content = buf_in(a);
    struct err err = ERR_INIT;

    store_files_add(rules->files, path);
    if (!file_read(path.p, SECRET_BYTES_MAX, &content, &err)) {
        doc_report(d, rules->missing, node, "%s", err.text);
        return;
    }
    ret->value = buf_str(&content);
    if (str_ends_with(ret->value, STR("\n")))
        ret->value.len--;
    if (str_ends_with(ret->value, STR("\r")))
        ret->value.len--;
    ret->is_set = true;
}

void
secret_resolve(const struct secret_rules *rules, const struct doc *d, const struct doc_node *node, struct arena *a,
               struct secret *ret)
{
    struct str text;

    *ret = (struct secret){0};
    if (!node || node->kind == DOC_NULL)
        return;
    if (!doc_is_scalar(node)) {
        doc_report(d, DIAG_ERROR, node, "expected env:NAME, file:PATH or text, found %s", doc_kind_name(node));
        return;
    }
    text = node->text;
    if (!is_reference(text)) {
        *ret = (struct secret){.value = str_dup(a, text), .is_set = true};
        if (rules->warn_if_plain && !is_named_value(text)) {
            doc_report(d, DIAG_WARNING, node, "a secret in the clear; env:NAME or file:PATH keeps it out of this file");
            diags_hide_line(d->diags);
        }
        return;
    }
    ret->reference = str_dup(a, text);
    if (str_starts_with(text, STR("env:")))
        from_environment(d, node, str_skip(text, 4), rules->missing, a, ret);
    else
        from_file(rules, d, node, str_skip(text, 5), a, ret);
}
