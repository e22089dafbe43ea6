/* expect.c: parts of answers, and comparing them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/expect.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <math.h>
#include <stdlib.h>

#include "data/json.h"

#define SHOWN_MAX 400                 /* bytes of a value that a failure prints */
#define DIFFERENCE_BEFORE 30          /* bytes that are shown before and behind a difference that lies beyond that */
#define DIFFERENCE_AFTER 40
#define EXACT_BELOW 9007199254740992.0 /* from 2^53 on a double does not tell neighbours apart */

static struct str
status_text(const struct client_reply *r)
{
    return r->has_answer ? str_sub(r->message.start_line, 9, 12) : STR("none");
}

struct str
reply_part(const struct client_reply *r, struct str subject, struct str name, struct arena *a)
{
    if (str_eq_lit(subject, "status"))
        return status_text(r);
    if (str_eq_lit(subject, "reason"))
        return str_skip(r->message.start_line, 13);
    if (str_eq_lit(subject, "version"))
        return str_sub(r->message.start_line, 0, 8);
    if (str_eq_lit(subject, "header"))
        return wire_header_joined(r->message.headers, r->message.n_headers, name, a);
    if (str_eq_lit(subject, "trailer"))
        return wire_header_joined(r->message.trailers, r->message.n_trailers, name, a);
    if (str_eq_lit(subject, "body"))
        return r->has_answer ? r->message.body : STR_NONE;
    if (str_eq_lit(subject, "json"))
        return json_part(r->message.body, name, a);
    if (str_eq_lit(subject, "answers"))
        return str_printf(a, "%u", r->n_answers);
    if (str_eq_lit(subject, "interim"))
        return str_printf(a, "%u", r->n_interim);
    /* The rest are truths: there or not. */
    if (str_eq_lit(subject, "closed"))
        return r->is_closed ? STR("closed") : STR_NONE;
    if (str_eq_lit(subject, "complete"))
        return r->has_answer && r->message.is_complete ? STR("complete") : STR_NONE;
    if (str_eq_lit(subject, "aborted"))
        return !r->has_answer || !r->message.is_complete ? STR("aborted") : STR_NONE;
    return STR_NONE;
}

struct str
json_part(struct str text, struct str path, struct arena *a)
{
    const struct json *at = json_parse(a, text, JSON_STRICT, NULL);
    struct buf out = buf_in(a);
    struct json_writer writer = JSON_WRITER(&out);

    if (str_starts_with(path, STR("$")))
        path = str_skip(path, 1);
    if (str_starts_with(path, STR(".")))
        path = str_skip(path, 1);
    if (path.len)
        at = json_path(at, str_dup(a, path).p);
    if (!at)
        return STR_NONE;
    if (json_is(at, JSON_STRING))
        return json_text(at);
    json_write(&writer, at);
    return buf_str(&out);
}

static bool
regex_matches(struct str pattern, struct str text, struct arena *a, struct str *ret_why)
{
    int code, rc;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.len, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE,
                                   &code, &at, NULL);
    pcre2_match_data *data;

    if (!re) {
        PCRE2_UCHAR message[120];
        pcre2_get_error_message(code, message, sizeof(message));
        *ret_why = str_printf(a, "the regular expression is wrong at %zu: %s", (size_t)at, (const char *)message);
        return false;
    }
    data = pcre2_match_data_create_from_pattern(re, NULL);
    rc = pcre2_match(re, (PCRE2_SPTR)(text.p ? text.p : ""), text.len, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    pcre2_code_free(re);
    return rc >= 0;
}

/* A number as JSON and the metrics write it. */
static bool
parse_number(struct str text, double *ret)
{
    char digits[64], *end;

    if (!text.len || text.len >= sizeof(digits) || (!ascii_is_digit(text.p[0]) && text.p[0] != '-'))
        return false;
    memcpy(digits, text.p, text.len);
    digits[text.len] = '\0';
    *ret = strtod(digits, &end);
    return *end == '\0' && isfinite(*ret);
}

/* "2xx" stands for any of its class; a number of a JSON body is the same however it is written. */
static bool
equals(const struct expectation *e, struct str value, struct str actual)
{
    if (str_eq_lit(e->subject, "status") && value.len == 3 && str_eq_lit(str_skip(value, 1), "xx"))
        return actual.len == 3 && actual.p[0] == value.p[0];
    double a, b;
    if (str_eq_lit(e->subject, "json") && parse_number(value, &a) && parse_number(actual, &b) && a == b)
        return fabs(a) < EXACT_BELOW || str_eq(value, actual);
    return actual.p && str_eq(value, actual);
}

/* Whether `actual` is on the side that was asked for; what is no number is on neither, nor is it `not`. */
static bool
compare_numbers(const struct expectation *e, struct str value, struct str actual)
{
    double expected, found;

    if (!parse_number(value, &expected) || !parse_number(actual, &found))
        return e->is_negated;
    return e->op == MATCH_LESS ? found < expected : found > expected;
}

/* A value as a person reads it: quoted, controls escaped, cut when long. */
static struct str
shown(struct str s, struct arena *a)
{
    struct buf out = buf_in(a);

    if (!s.p)
        return STR("nothing");
    buf_add_char(&out, '"');
    for (size_t i = 0; i < s.len && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n')
            buf_add_lit(&out, "\\n");
        else if (c == '\r')
            buf_add_lit(&out, "\\r");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(&out, "\\x%02x", c);
        else
            buf_add_char(&out, (char)c);
    }
    buf_add_str(&out, s.len > SHOWN_MAX ? STR("\"...") : STR("\""));
    return buf_str(&out);
}

/* What stands around byte `at`. */
static struct str
surroundings(struct str s, size_t at, struct arena *a)
{
    size_t from = at > DIFFERENCE_BEFORE ? at - DIFFERENCE_BEFORE : 0;

    return shown(str_sub(s, from, MIN(s.len, at + DIFFERENCE_AFTER)), a);
}

static struct str
describe_difference(struct str value, struct str actual, struct arena *a)
{
    size_t at = 0;
    struct str text;

    if (!actual.p || value.len + actual.len < 60)
        return STR("");
    while (at < value.len && at < actual.len && value.p[at] == actual.p[at])
        at++;
    text = str_printf(a, "\n      first difference at byte %zu", at);
    if (at + DIFFERENCE_AFTER < SHOWN_MAX)
        return text;
    return str_printf(a, "%.*s: expected ...%.*s...\n        found ...%.*s...", STR_ARG(text), STR_ARG(surroundings(value, at, a)),
                      STR_ARG(surroundings(actual, at, a)));
}

bool
expectation_holds(const struct expectation *e, struct str value, struct str actual, struct arena *a, struct str *ret_why)
{
    static const char *const words[] = {
        [MATCH_EQUALS] = "be", [MATCH_CONTAINS] = "contain", [MATCH_REGEX] = "match", [MATCH_PRESENT] = "be there",
        [MATCH_ABSENT] = "be absent", [MATCH_LESS] = "be less than", [MATCH_MORE] = "be more than",
    };
    bool holds = false;
    struct str why = STR_NONE;

    switch (e->op) {
    case MATCH_EQUALS: holds = equals(e, value, actual); break;
    case MATCH_CONTAINS: holds = actual.p && str_find(actual, value, 0) >= 0; break;
    case MATCH_REGEX: holds = actual.p && regex_matches(value, actual, a, &why); break;
    case MATCH_PRESENT: holds = actual.p != NULL; break;
    case MATCH_ABSENT: holds = actual.p == NULL; break;
    case MATCH_LESS:
    case MATCH_MORE: holds = compare_numbers(e, value, actual); break;
    }
    if (holds != e->is_negated)
        return true;
    if (why.p) {
        *ret_why = why;
        return false;
    }
    *ret_why = str_printf(a, "%.*s%s%.*s should %s%s%s%.*s\n      found %.*s%.*s", STR_ARG(e->subject), e->name.len ? " " : "",
                          STR_ARG(e->name), e->is_negated ? "not " : "", words[e->op],
                          e->op == MATCH_PRESENT || e->op == MATCH_ABSENT ? "" : " ",
                          STR_ARG((e->op == MATCH_PRESENT || e->op == MATCH_ABSENT ? STR("") : shown(value, a))),
                          STR_ARG(shown(actual, a)),
                          STR_ARG((e->op == MATCH_EQUALS ? describe_difference(value, actual, a) : STR(""))));
    return false;
}
