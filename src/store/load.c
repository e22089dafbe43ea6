/* load.c: one load of the configuration, from files to a compiled model; all or nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>

#include "store/config.h"
#include "store/loader.h"

#define SCRATCH_BYTES_MAX ((size_t)2 << 30)

/* ---- settings ---- */

static void
read_settings(struct loader *l)
{
    struct service_options *o = &l->service;
    struct service_settings *s = &l->m->settings;

    *s = (struct service_settings){
        .deployment = {o->deployment.region, o->deployment.service_name, o->deployment.service_id,
                       o->deployment.gateway_id, o->deployment.hostnames.v, o->deployment.hostnames.n},
        .default_openid_config = o->jwt.default_openid_config,
        .trust = o->trust.v, .n_trust = o->trust.n,
        .egress_allow = o->egress.allow.v, .n_egress_allow = o->egress.allow.n,
        .egress_allow_private = o->egress.allow_private,
        .https_only_in_plain = o->https_only_in_plain,
    };
    s->n_resolve = config_resolve_rules(o, l->keep, &s->resolve);
    for (uint32_t i = 0; i < s->n_trust; i++)
        store_files_add(l->files, s->trust[i]);
}

/* The newest service part of headgate.yaml. Texts of options that were not read from a file outlive every model. */
static bool
read_service(struct loader *l)
{
    struct options fresh;

    l->service = l->options->service;
    if (!l->options->config_path.len)
        return true;
    if (!config_load_again(str_dup(&l->scratch, l->options->config_path).p, l->flags, l->options, l->files, l->keep, &fresh,
                           l->diags))
        return false;
    l->service = fresh.service;
    return true;
}

/* ---- diags outlive the model they were made with ---- */

struct moved {
    const struct source *from;
    struct source *to;
};

static void
move_source(struct diags *diags, struct diag *d, struct moved *last)
{
    if (!d->source)
        return;
    if (last->from != d->source) {
        last->from = d->source;
        last->to = arena_new(diags->arena, struct source);
        if (last->to)
            *last->to = (struct source){str_dup(diags->arena, d->source->name), str_dup(diags->arena, d->source->text)};
    }
    d->source = last->to;
}

/* Copies what the problems found since `from` point into to the diags' own arena. */
static void
adopt_sources(struct diags *diags, struct diag *from)
{
    struct moved last = {0};

    for (struct diag *d = from; d; d = d->next)
        move_source(diags, d, &last);
}

/* ---- the load ---- */

static void
free_loader(struct loader *l)
{
    vec_free(&l->apis);
    vec_free(&l->version_sets);
    vec_free(&l->products);
    vec_free(&l->subscriptions);
    vec_free(&l->groups);
    vec_free(&l->users);
    vec_free(&l->backends);
    vec_free(&l->named_values);
    vec_free(&l->fragments);
    vec_free(&l->schemas);
    vec_free(&l->loggers);
    vec_free(&l->diagnostics);
    vec_free(&l->tag_links);
    map_destroy(&l->named_value_index);
    map_destroy(&l->owners);
    map_destroy(&l->dead_links);
    arena_destroy(&l->scratch);
}

static bool
is_folder(struct str path)
{
    struct stat st;

    return stat(path.p, &st) == 0 && S_ISDIR(st.st_mode);
}

static void
count_operations(struct model *m)
{
    for (uint32_t i = 0; i < m->n_apis; i++)
        m->n_operations += m->apis[i].n_operations;
}

static void
read_everything(struct loader *l)
{
    if (!read_service(l))
        return;
    read_settings(l);
    read_certificates(l);
    read_users(l);
    if (l->root.len && is_folder(l->root)) {
        l->m->policy = folder_read(l, path_join(&l->scratch, l->root, STR("policy.xml")));
        read_folder(l, l->root);
    } else if (l->root.len) {
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: no such folder", STR_ARG(l->root));
    } else {
        read_named_values(l, STR(""));
    }
    read_own_identities(l);
    read_logger_targets(l);
    read_service_buses(l);
    link_model(l);
    count_operations(l->m);
}

bool
store_load_telling(const struct options *options, unsigned flags, struct store_files *files, struct model **ret,
                   struct diags *diags)
{
    struct loader l = {.options = options, .flags = flags, .files = files, .m = model_new(), .diags = diags,
                       .scratch = ARENA(NULL, SCRATCH_BYTES_MAX)};
    struct diag **first = diags->last;
    uint32_t errors = diags->errors;
    bool ok;

    l.keep = &l.m->arena;
    l.root = str_dup(l.keep, options->artifacts);
    while (l.root.len > 1 && str_ends_with(l.root, STR("/")))
        l.root = str_dup(l.keep, str_sub(l.root, 0, l.root.len - 1));
    l.m->origin = l.root.len ? str_printf(l.keep, "folder %.*s", STR_ARG(l.root)) : STR("nowhere");
    store_files_begin(files);
    read_everything(&l);
    ok = diags->errors - errors == l.forgiven;
    if (ok && !model_compile(l.m, diags))
        diag_add(diags, DIAG_ERROR, NULL, 0, 0, "the configuration does not fit its memory limit");
    ok = ok && diags->errors - errors == l.forgiven;
    store_files_end(files, ok);
    adopt_sources(diags, *first);
    free_loader(&l);
    if (ok)
        *ret = l.m;
    else
        model_unref(l.m);
    return ok;
}

bool
store_load(const struct options *options, unsigned flags, struct model **ret, struct diags *diags)
{
    return store_load_telling(options, flags, NULL, ret, diags);
}
