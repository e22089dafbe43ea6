/* own_files.c: what lies in the artifacts folder and belongs to headgate.yaml, not to the folder's layout: what it names is no
 * slip (a certificate, say), and what the gateway writes is no change (its state, a snapshot, a log).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>

#include "store/loader.h"

#define FRESH ".new"                  /* behind the name of a file that is written and takes the old one's place */

/* Paths may be written in several ways; what they stand for is one. */
static bool
is_at(const char *path, const struct stat *place)
{
    struct stat at;

    return stat(path, &at) == 0 && at.st_dev == place->st_dev && at.st_ino == place->st_ino;
}

static bool
is_in(struct str path, const struct stat *place)
{
    bool found = false;

    while (path.len && !found) {
        char *text = xstrndup(path.p, path.len);
        ptrdiff_t slash = str_rfind_char(path, '/');

        found = is_at(text, place);
        free(text);
        path = str_sub(path, 0, (size_t)MAX(slash, (ptrdiff_t)0));
    }
    return found;
}

bool
own_files_name(const struct options *o, const char *path)
{
    struct stat place;

    if (stat(path, &place) != 0)
        return false;
    for (uint32_t i = 0; i < o->files.n; i++)
        if (is_in(o->files.v[i], &place))
            return true;
    return is_in(o->state, &place);   /* the command line may have said so */
}

/* Whether this path of the options is the entry of the folder, or will be. */
static bool
is_entry(struct str path, const char *folder, struct str name)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    struct str last = str_skip(path, (size_t)(slash + 1));
    struct stat place;
    char *parent;
    bool found;

    if (!last.len || !str_starts_with(name, last) || (name.len > last.len && !str_eq_lit(str_skip(name, last.len), FRESH)))
        return false;
    parent = slash < 0 ? xstrndup(".", 1) : xstrndup(path.p, MAX((size_t)slash, (size_t)1));
    found = stat(folder, &place) == 0 && is_at(parent, &place);
    free(parent);
    return found;
}

bool
own_files_write(const struct options *o, const char *folder, struct str name)
{
    for (uint32_t i = 0; i < o->gateway_log.n_sinks; i++)
        if (o->gateway_log.sinks[i].kind == LOG_SINK_FILE && is_entry(o->gateway_log.sinks[i].path, folder, name))
            return true;
    return is_entry(o->state, folder, name) || is_entry(o->cache_memory.snapshot, folder, name);
}
