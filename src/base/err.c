/* err.c: filling in an error.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
fill(struct err *err, const char *fmt, va_list ap)
{
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

    if (n >= (int)sizeof(err->text))
        memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return false;
    err->code = code;
    va_start(ap, fmt);
    fill(err, fmt, ap);
    va_end(ap);
    return false;
}

bool
err_set_errno(struct err *err, enum err_code code, int number, const char *fmt, ...)
{
    va_list ap;
    char reason[128];
    size_t len;

    if (!err)
        return false;
    err->code = code;
    va_start(ap, fmt);
    fill(err, fmt, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror_r(number, reason, sizeof(reason)));
    return false;
}

bool
err_prefix(struct err *err, const char *fmt, ...)
{
    char old[ERR_TEXT_MAX];
    va_list ap;
    size_t len;

    if (!err)
        return false;
    memcpy(old, err->text, sizeof(old));
    va_start(ap, fmt);
    fill(err, fmt, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %.*s", (int)(sizeof(old) - 8), old);
    return false;
}

const char *
err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none", [ERR_SYNTAX] = "syntax", [ERR_LIMIT] = "limit", [ERR_NOT_FOUND] = "not found",
        [ERR_EXISTS] = "exists", [ERR_INVALID] = "invalid", [ERR_UNSUPPORTED] = "unsupported",
        [ERR_DENIED] = "denied", [ERR_TIMEOUT] = "timeout", [ERR_CANCELLED] = "cancelled",
        [ERR_CLOSED] = "closed", [ERR_CONNECT] = "connect", [ERR_PROTOCOL] = "protocol", [ERR_TLS] = "tls",
        [ERR_IO] = "io", [ERR_NO_MEMORY] = "no memory", [ERR_BUSY] = "busy",
    };

    return names[code];
}
