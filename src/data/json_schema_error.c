/* json_schema_error.c: what is wrong, and where: a reader's position in lines and UTF-16 units, and the messages in
 * their order.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "data/json_schema_check.h"

/* --- positions ----------------------------------------------------------------------------------------------------- */

/* Where the value that begins at `at` ends. The text has been parsed, so it is well-formed. */
static size_t
value_end(struct str text, size_t at)
{
    unsigned depth = 0;

    do {
        char c = text.p[at];

        if (c == '"') {
            for (at++; at < text.len && text.p[at] != '"'; at++)
                at += text.p[at] == '\\';
            at++;
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']') {
            depth--;
            at++;
        } else if (ascii_is_blank(c) || c == ',' || c == ':') {
            at++;
        } else {
            while (at < text.len && !ascii_is_blank(text.p[at]) && !strchr(",]}", text.p[at]))
                at++;
        }
    } while (depth && at < text.len);
    return MIN(at, text.len);
}

size_t
schema_end(const struct json_schema_run *r, const struct json *j)
{
    return value_end(r->text, j->at);
}

size_t
schema_begin(const struct json_schema_run *r, const struct json *j)
{
    return j->kind == JSON_OBJECT || j->kind == JSON_ARRAY ? j->at + 1 : schema_end(r, j);
}

size_t
schema_name_end(const struct json_schema_run *r, const struct json *value)
{
    size_t at = value->at;

    while (at > 0 && r->text.p[at - 1] != ':')
        at--;
    return at;
}

void
schema_set_position(struct json_schema_run *r, size_t at, struct json_schema_error *e)
{
    if (at < r->cursor)
        r->cursor = r->cursor_line_at = r->cursor_line = 0;
    for (; r->cursor < at && r->cursor < r->text.len; r->cursor++) {
        char c = r->text.p[r->cursor];

        if (c == '\n' || (c == '\r' && (r->cursor + 1 == r->text.len || r->text.p[r->cursor + 1] != '\n'))) {
            r->cursor_line++;
            r->cursor_line_at = r->cursor + 1;
        }
    }
    e->line = r->cursor_line + 1;
    e->position = (uint32_t)utf8_units(str_sub(r->text, r->cursor_line_at, at));
}

/* --- errors -------------------------------------------------------------------------------------------------------- */

bool
schema_give_up(struct json_schema_run *r, enum err_code code, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (r->failed.code != ERR_NONE)
        return false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(&r->failed, code, "%s", text);
}

bool
schema_step(struct json_schema_run *r, uint64_t n)
{
    r->steps += n;
    if (r->failed.code != ERR_NONE)
        return false;
    return r->steps <= r->steps_max ||
           schema_give_up(r, ERR_LIMIT, "the validation took more than %" PRIu64 " steps", r->steps_max);
}

#define MESSAGE_MAX ((size_t)64 << 10)

bool
schema_report(struct json_schema_run *r, size_t at, struct buf *message)
{
    struct json_schema_error *grown;

    if (message->len > MESSAGE_MAX) {
        message->len = MESSAGE_MAX;
        while (message->len && ((unsigned char)message->p[message->len] & 0xc0) == 0x80)
            message->len--;
        buf_add_lit(message, "...");
    }
    grown = arena_grow(r->arena, r->errors, r->n_errors * sizeof(*grown), (r->n_errors + 1) * sizeof(*grown), _Alignof(*grown));
    if (!grown || message->failed)
        return schema_give_up(r, ERR_NO_MEMORY, "no memory left for the errors of a validation");
    r->errors = grown;
    grown[r->n_errors].message = buf_str(message);
    schema_set_position(r, at, &grown[r->n_errors]);
    r->n_errors++;
    return false;
}

bool
schema_fail(struct json_schema_run *r, size_t at, const char *fmt, ...)
{
    struct buf b = buf_in(r->arena);
    va_list ap;

    if (!wants_message(r))
        return false;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return schema_report(r, at, &b);
}
