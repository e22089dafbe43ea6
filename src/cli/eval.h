/* eval.h: expressions outside of a gateway: what eval, explain and repl share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "expr/program.h"

struct evaluator {
    struct expr_env *env;
    struct rand *rand;
    struct buf context;               /* the file that describes the request; empty: none */
};

/* NULL and *err when the library's tables or the context file are wrong. */
struct evaluator *evaluator_new(const char *context_path, struct err *err);
void evaluator_delete(struct evaluator *ev);
/* "@(...)" or "@{...}" stay, "{...}" gets its "@", anything else "@(" and ")". */
struct str eval_wrap(struct arena *a, struct str text);
/* The value in the notation of `headgate eval`; problems are printed to `to` (NULL: nowhere). */
struct str eval_text(struct evaluator *ev, struct arena *a, struct str text, FILE *to);
/* NULL after printing the problems. */
struct expr_program *eval_compile(struct evaluator *ev, struct arena *a, struct str text, FILE *to);
