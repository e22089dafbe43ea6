/* loader.h: reading a folder in APIOps layout into a model, in three steps that share struct loader:
 *
 *     folder.c      files and directories, with their problems
 *     apiops*.c     each kind of resource -> a draft: its own fields, and the names of what it refers to
 *     link.c        drafts -> the model's arrays, names -> pointers
 *
 * Texts of the model live in its arena; trees of files live in the scratch arena only while the file is read.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/vec.h"
#include "data/doc.h"
#include "model/model.h"
#include "model/options.h"
#include "store/store.h"

/* A name in a file that stands for another resource. */
struct mention {
    struct str name;                  /* p == NULL: none */
    const struct source *source;
    uint32_t at, len;
};

struct mentions {
    struct mention *v;                /* in the model's arena */
    size_t n, cap;
};

struct api_draft {
    struct api api;
    struct mention version_set;
    bool has_path, has_display_name, has_protocols, has_version, has_subscription;  /* said by its own file */
    uint32_t errors;                  /* that its files had */
    struct str first_error;
};

struct product_draft {
    struct product product;
    struct mentions apis, groups;
    struct mentions listed_apis;      /* those of apis.json */
};

struct subscription_draft {
    struct subscription subscription;
    struct mention scope, owner;
};

struct backend_draft {
    struct backend_conf backend;
    struct mentions members;          /* parallel to backend.members */
    struct mentions certificates;
};

struct diagnostic_draft {
    struct diagnostic diagnostic;
    struct mention logger;
    struct str api;                   /* STR_NONE: of the service */
    const struct workspace *workspace;
};

/* "tag is on that API or product" */
struct tag_link {
    struct str tag;
    struct mention api, product;
    const struct workspace *workspace;
};

struct loader {
    const struct options *options;
    struct service_options service;   /* as the newest headgate.yaml says */
    unsigned flags;                   /* LOAD_... */
    struct store_files *files;        /* told what is read beside the folder's own; may be NULL */
    struct str root;                  /* the folder */
    struct model *m;
    struct arena *keep;               /* the model's */
    struct arena scratch;
    struct diags *diags;
    uint32_t forgiven;                /* errors that only cost an API (LOAD_KEEP_GOING) */
    struct workspace *workspaces;
    const struct workspace *workspace;    /* whose part of the folder is being read; NULL: the service */
    VEC(struct api_draft) apis;
    VEC(struct version_set) version_sets;
    VEC(struct product_draft) products;
    VEC(struct subscription_draft) subscriptions;
    VEC(struct group) groups;
    VEC(struct user) users;
    VEC(struct backend_draft) backends;
    VEC(struct named_value) named_values;
    VEC(struct fragment) fragments;
    VEC(struct schema_conf) schemas;
    VEC(struct logger) loggers;
    VEC(struct diagnostic_draft) diagnostics;
    VEC(struct tag_link) tag_links;
    struct map named_value_index;     /* "name" or "workspace/name" by display name -> index + 1 */
    struct map dead_links;            /* links that lead nowhere and were reported */
    struct map owners;                /* subscription -> user name, from users.yaml */
    struct str valueless;             /* what expand_what_is_known() had to leave out */
};

/* ---- watch.c ---- */

/* Around a load; is_good: files that it did not read are forgotten. NULL is fine. */
void store_files_begin(struct store_files *files);
void store_files_end(struct store_files *files, bool is_good);

/* ---- folder.c ---- */

struct names {
    struct str *v;                    /* sorted; in the scratch arena */
    size_t n, cap;
};

/* Entries of a directory, without hidden ones; empty when there is none. `folders` or files. */
struct names folder_list(struct loader *l, struct str path, bool folders);
/* Reports names that are the same but for case, without regard to which they are looked up. */
void folder_check_case(struct loader *l, struct str path, const struct names *all);
struct str path_join(struct arena *a, struct str folder, struct str name);
/* A file's name and text, both in the model's arena; NULL when it is not there. Other failures are reported. */
const struct source *folder_read(struct loader *l, struct str path);
/* Warns about entries of a directory that nobody reads. `known` ends with NULL; "*" in it stands for any folder. */
void folder_warn_unknown(struct loader *l, struct str path, const char *const *known);

/* The open information file of a resource. */
struct info {
    struct doc doc;
    const struct source *source;
    const struct doc_node *properties;
    struct arena_mark mark;
};
/* Reads FOLDER/FILE; false, and reported when it is required, if it is not there or no {"properties": {...}}. */
bool info_open(struct loader *l, struct str folder, const char *file, bool is_required, struct info *ret);
void info_close(struct loader *l, struct info *i);

/* Text that outlives the scratch arena. */
struct str keep_str(struct loader *l, struct str s);
struct str info_str(struct loader *l, const struct info *i, const char *key);
/* A list of texts into the model. */
const struct str *keep_strs(struct loader *l, const struct info *i, const struct doc_node *map, const char *key,
                            uint32_t *ret_n);
/* A date, 0 when it is absent or wrong (reported). */
int64_t info_date(struct loader *l, const struct info *i, const char *key);
/* Text with {{named values}} put in. */
struct str expand_named_values(struct loader *l, const struct info *i, const struct doc_node *n, struct str text);
/* The same for what may go without: a named value that has no value (a secret that nobody has given yet) is no error, and
 * its name goes to l->valueless. */
struct str expand_what_is_known(struct loader *l, const struct info *i, const struct doc_node *n, struct str text);

/* The name behind the last "/KIND/" in an id, relative or absolute, "%3B" read as ';'; a bare name is taken as it is.
 * STR_NONE when KIND is not in it. May live in the scratch arena. */
struct str id_name(struct loader *l, struct str id, const char *kind);
struct mention mention_at(struct loader *l, const struct info *i, const struct doc_node *n, struct str name);

/* ---- apiops.c, apiops_backend.c, apiops_api.c, users.c ---- */

/* Everything below a folder: the root, or one of its workspaces. */
void read_folder(struct loader *l, struct str path);
void read_named_values(struct loader *l, struct str path);
void read_backends(struct loader *l, struct str path);
void read_apis(struct loader *l, struct str path);
void read_diagnostics(struct loader *l, struct str path, struct str api);
void read_users(struct loader *l);
void read_schema(struct loader *l, struct str path, struct str name);
/* Certificates and caches of headgate.yaml, into the model. */
void read_certificates(struct loader *l);
/* Identities and credential providers of headgate.yaml, into the model; after the named values. */
void read_own_identities(struct loader *l);

/* Where loggers of the folder and of headgate.yaml write to; after the named values. */
void read_logger_targets(struct loader *l);

/* The value of a part of "Key=value;Key=value"; STR_NONE. */
struct str connection_part(struct str connection, const char *key);
/* NAME.servicebus.windows.net of sb://NAME.servicebus.windows.net/, port and all. */
struct str connection_host(struct str endpoint);
void read_service_buses(struct loader *l);

/* ---- own_files.c ---- */

/* Whether headgate.yaml names this file, or something in this folder. */
bool own_files_name(const struct options *o, const char *path);
/* Whether the gateway writes this entry of a folder; it may not be there yet. */
bool own_files_write(const struct options *o, const char *folder, struct str name);

/* ---- link.c ---- */

/* Fills the model's arrays. Unknown names are reported. */
void link_model(struct loader *l);
