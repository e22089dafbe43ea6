/* program.h: running another program and reading what it prints. On an offload thread; the loop goes on.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct offload;

struct program_variable {
    const char *name;
    struct str value;
};

struct program {
    const struct str *words;          /* the program, by path or name, and its arguments; no shell */
    uint32_t n_words;
    const struct program_variable *variables;   /* beside those of this process */
    uint32_t n_variables;
    uint32_t timeout_ms;              /* then it is killed, with what it started */
    size_t output_max;
};

/* Appends its standard output; its standard input is empty, its errors go to ours. ERR_NOT_FOUND: there is no such program; ERR_TIMEOUT;
 * ERR_LIMIT: it prints too much; ERR_INVALID: it ended with another status than 0. Yields. */
MUST_USE bool program_run(struct offload *pool, const struct program *p, struct buf *output, struct err *err);
