/* setup.h: what a script needs before its first request: fake backends, a folder of configuration, a gateway.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/map.h"
#include "gateway/gateway.h"
#include "hgt/origin.h"
#include "hgt/tokens.h"

#define SETUP_ADMIN_TOKEN "the-token-of-this-test"

struct setup {
    struct arena *arena;
    const struct script *script;
    struct diags *diags;
    char folder[64];                  /* temporary; removed by setup_destroy() */
    struct fake_origin *origins;
    struct identity authority;
    struct secrets secrets;           /* keys and identities of the script */
    struct map variables;             /* name -> struct str in the arena */
    struct clock clock;
    struct options options;
    struct gateway *gateway;
    SSL_CTX *client_tls;
    bool with_coverage;
    struct str log_path;
    struct copied_document *copied;   /* policies taken from elsewhere by their path */
    struct inline_document *inlined;  /* files whose text stands in the script */
    struct changed_env *changed_env;  /* newest first */
    struct str missing;               /* what the script needs and is not there; STR_NONE: nothing */
};

/* A policy document that a script names by path. */
struct copied_document {
    struct str path, source;          /* in the configuration folder; where it stands, made absolute */
    bool ran;                         /* a policy of it has run */
    struct copied_document *next;
};

/* A variable of the environment as it was before the script set it: the next script shall not see that. */
struct changed_env {
    const char *name, *before;        /* NULL: it was not there */
    struct changed_env *next;
};

/* A file of the configuration folder that was written from a block of the script. */
struct inline_document {
    struct str path;                  /* in the configuration folder; headgate.yaml */
    struct region block;
    struct inline_document *next;
};

/* Problems in files that the script holds, moved to their lines there; of the others the temporary folder is left out. */
void setup_relocate(struct setup *s, struct diags *diags);
/* The same for a line of such a file; false when the script does not hold it. */
bool setup_locate(const struct setup *s, struct str path, uint32_t line, uint32_t *ret_line);
/* Runs the declaring steps from *at up to the first other one, which *at is left at, and starts the gateway.
 * False with a diag (or several: what the configuration's compiler said), or with s->missing set. */
bool setup_create(struct setup *s, struct step **at);
void setup_destroy(struct setup *s);
/* A declaring step in the middle of a script: `file` changes the folder, `env` the environment. */
bool setup_change(struct setup *s, const struct step *step);
bool setup_is_declaring(const struct step *step);
/* ${name} replaced: variables, ${origin.NAME}, ${origin.NAME.port}, ${gateway}, ${now}, ${now+60}, ${key.NAME.PART},
 * ${identity.NAME.PART}. Unknown ones stay. */
struct str setup_expand(struct setup *s, struct str text);
struct fake_origin *setup_origin(struct setup *s, struct str name);
