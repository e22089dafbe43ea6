/* base.c: what base.h declares: the end of an assertion, and malloc that does not return NULL.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
assert_failed(const char *file, int line, const char *func, const char *what)
{
    void *frames[32];
    int n;

    dprintf(STDERR_FILENO, "%s:%d: %s: assertion failed: %s\n", file, line, func, what);
    n = backtrace(frames, (int)COUNTOF(frames));
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
    abort();
}

static NO_RETURN void
out_of_memory(size_t size)
{
    dprintf(STDERR_FILENO, "headgate: out of memory asking for %zu bytes\n", size);
    abort();
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        out_of_memory(size);
    return p;
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        out_of_memory(n * size);
    return p;
}

void *
xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p)
        out_of_memory(size);
    return p;
}

char *
xstrndup(const char *p, size_t len)
{
    char *copy = xmalloc(len + 1);

    if (len)
        memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}
