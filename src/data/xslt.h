/* xslt.h: XSLT 1.0 by libxslt: no network, no files, no way to write anything but the result; depth, memory, output bounded, and
 * stopped from outside when it takes too long. A compiled stylesheet is immutable and shared by all threads; applying one belongs
 * on an offload thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

struct xslt;

/* NULL with *err and the line it is about, 0 when nobody knows. Blocks. */
struct xslt *xslt_new(struct str text, uint32_t *ret_line, struct err *err);
/* NULL is fine. */
void xslt_delete(void *xslt);

struct xslt_parameter {
    struct str name, value;           /* the value is a string to the stylesheet; both followed by a NUL */
};

struct xslt_run {
    struct str text;                  /* the document */
    const struct xslt_parameter *parameters;
    uint32_t n_parameters;
    uint32_t depth_max;               /* instructions inside instructions */
    uint64_t output_max, memory_max;  /* bytes */
    /* The result. */
    struct buf output;                /* malloc's, the caller's to destroy */
    struct err err;
    /* xslt.c's. */
    void *context;                    /* while it runs; under a lock */
    _Atomic bool is_stopped;
    bool is_out_of_memory;
    struct buf said, said_by_xpath;
};

/* False with run->err: ERR_SYNTAX the document is no XML, ERR_INVALID what the stylesheet did, ERR_LIMIT. Blocks, never yields. */
MUST_USE bool xslt_apply(const struct xslt *s, struct xslt_run *run);
/* Ends a run soon; from any thread. */
void xslt_stop(struct xslt_run *run);
