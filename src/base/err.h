/* err.h: an error is a value: what the caller branches on, and a sentence for a person.
 *
 * What can fail returns bool (or a pointer) and takes `struct err *err` last, NULL when nobody asks. Success leaves
 * *err alone, failure leaves the results alone. err_set() returns false, so the report is the return:
 *     return err_set(err, ERR_SYNTAX, "expected a number, found '%.*s'", STR_ARG(text));
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

enum err_code {
    ERR_NONE,
    ERR_SYNTAX,       /* input that does not follow its grammar */
    ERR_LIMIT,        /* a named limit was reached */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_INVALID,      /* well-formed, but not acceptable here */
    ERR_UNSUPPORTED,  /* known, and not built */
    ERR_DENIED,
    ERR_TIMEOUT,
    ERR_CANCELLED,
    ERR_CLOSED,       /* the peer ended it */
    ERR_CONNECT,      /* never reached the peer */
    ERR_PROTOCOL,     /* the peer broke its protocol */
    ERR_TLS,
    ERR_IO,           /* errno said so */
    ERR_NO_MEMORY,    /* an arena or a budget is full */
    ERR_BUSY,         /* what all share is used up for now */
};

#define ERR_TEXT_MAX 480

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

#define ERR_INIT ((struct err){.code = ERR_NONE})

/* Always false. A text that does not fit is cut with "...". err may be NULL. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Appends ": " and strerror(number). */
bool err_set_errno(struct err *err, enum err_code code, int number, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Puts "CONTEXT: " before the text that is there. Always false. */
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *err_code_name(enum err_code code);
