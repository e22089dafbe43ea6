/* store.h: where configuration comes from: headgate.yaml, an APIOps folder, and word of their changes.
 *
 *     headgate.yaml -> config_load() -> struct options       (once, at start)
 *     folder        -> store_load()  -> struct model         (at start and after every change, off the workers)
 *                      store_watch() -> "something changed"   (a thread of its own)
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "model/model.h"
#include "model/options.h"

/* Reads headgate.yaml. path NULL: every default. Relative paths in the file are taken from its folder. Texts live in `a`.
 * Every problem is a diag; false when one is an error: then *ret holds what could be read. Blocks. */
bool config_load(const char *path, struct arena *a, struct options *ret, struct diags *diags);
/* The same for a text; folder is what relative paths start from ("" the working folder). */
bool config_parse(const struct source *source, struct str folder, struct arena *a, struct options *ret,
                  struct diags *diags);
/* `resolve:` as rules, in `a`; returns how many. */
uint32_t config_resolve_rules(const struct service_options *service, struct arena *a, const struct resolve_rule **ret);
/* The reference of headgate.yaml as Markdown, from the table of keys. */
void config_reference(struct buf *to);

struct store_files;

enum { LOAD_KEEP_GOING = 1, LOAD_SECRETS_OPTIONAL = 2 };

/* Reads options->artifacts (empty: a model without APIs), users.yaml and the service part of headgate.yaml into a new
 * model, compiled (routes, keys), with one reference that is the caller's. Policy documents are carried as text.
 * flags LOAD_KEEP_GOING: an API that does not load is kept with api->problem; LOAD_SECRETS_OPTIONAL: references that
 * lead nowhere are notes (checking on a machine without the secrets).
 * False when there was an error; *ret is then untouched. Texts that a problem points into are copied to the diags' own
 * arena. Blocks: for a start, or a thread off the workers. */
bool store_load(const struct options *options, unsigned flags, struct model **ret, struct diags *diags);
/* The same, and tells `files` (NULL: nobody) which it reads beside the folder's own. */
bool store_load_telling(const struct options *options, unsigned flags, struct store_files *files, struct model **ret,
                        struct diags *diags);

/* The files that loads have read, or looked for in vain, because something they read names them: secrets, certificates. Those of
 * the newest load, and of all since the last good one. Any thread, one load at a time. */
struct store_files *store_files_new(void);
/* Before the file is read, so that no change is missed by a watch. NULL files, and an empty path, are fine. */
void store_files_add(struct store_files *files, struct str path);
/* No watch may use it any more. NULL is fine. */
void store_files_delete(struct store_files *files);

/* Watches the folder, headgate.yaml, users.yaml and `files`, those too that are added later. After a change, and
 * `settle_ms` without another, calls changed(ctx) on the watcher's own thread; there a load may block. A folder that another takes
 * the place of, and links that lead elsewhere, are changes. The options and files stay until the watch is stopped. Made before the
 * first load, it misses nothing that changes during it; changed() is not called before the start. */
struct store_watch;
struct store_watch *store_watch_new(const struct options *options, struct store_files *files, void (*changed)(void *ctx), void *ctx,
                                    struct err *err);
bool store_watch_start(struct store_watch *w, struct err *err);
/* As if a file had changed (SIGHUP). Any thread. */
void store_watch_poke(struct store_watch *w);
/* Ends the thread, if it was started; a call of changed() that runs is waited for. NULL is fine. */
void store_watch_stop(struct store_watch *w);
