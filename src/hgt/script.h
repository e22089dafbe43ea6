/* script.h: an .hgt script as text becomes a list of steps. What a step does is run.c's; this is the grammar.
 *
 * A script is lines; a line's block is the deeper-indented lines below it. '#' starts a comment line. Words are separated by
 * blanks; "..." holds blanks and the escapes \n \r \t \" \\ \xHH. ${name} is replaced when the step runs.
 *
 *     needs PATH [as NAME]          skips the script when that is not there; ${NAME} is the path, taken from the script's folder
 *     origin NAME [as URL [with IDENTITY]]   a fake backend; its block holds `on METHOD PATH [once]` rules
 *     env NAME VALUE                an environment variable for secrets by reference
 *     key NAME KIND [VALUE]         rsa [BITS], p-256, p-384, p-521, ed25519, secret TEXT, secret-base64 TEXT; `kid TEXT`
 *     token NAME by KEY [as ALG] [for KEY [as ALG [with ENC]]]   block: `header JSON`, `claims JSON`; by none: unsigned
 *     identity NAME                 a client's certificate with its key; block: subject, dns, expired, signed-by ...
 *     artifacts PATH                a folder of configuration, relative to the script
 *     yaml                          block: headgate.yaml
 *     file PATH [from PATH]         block: a file of the configuration folder; `from`: a copy of that one, to the byte
 *     api NAME at PATH to ORIGIN    shorthand: block of `operation METHOD TEMPLATE` (with its own `policy` below), `subscription
 *                                   required`, `policy` (block, or `policy from PATH`)
 *     named-value NAME VALUE        a named value
 *     test NAME                     a new test: caches, counters and what origins saw start empty; its steps may be indented
 *     request METHOD TARGET ...     sends it; block: `header N: V`, `body ...`; options: `times N at once`, `on CONNECTION`,
 *                                   `later`
 *     raw [on CONNECTION] [later]   block: bytes to send, escapes allowed, each line ended by CR LF; an empty line
 *                                   after the block belongs to it
 *     answer [on CONNECTION]        reads the answer to what was sent `later`
 *     expect ...                    about the last answer, an origin, the cache or the log
 *     set NAME = ...                keeps a part of the last answer, of what an origin saw, of the log ...
 *     advance DURATION              moves the clock of the gateway
 *     clock forward|back DURATION   sets the wall clock of the gateway and no other
 *     publish [fails TEXT]          applies changed files
 *     wait for ORIGIN requests N    until it has seen so many; at most 20 s
 *     wait for metric NAME N        until the figure is at least so much; at most 20 s
 *     wait for background work      until no refresh, fill or one-way request goes on; at most 20 s
 *     wait for answer [on CONNECTION]  until its first byte has come
 *     drop ORIGIN / revive ORIGIN   stops and restarts a fake backend
 *     drop CONNECTION               resets a client's
 *     each NAME in WORD WORD ...    the steps of its block, once for each word as ${NAME}
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"

/* Lines of a source between two offsets. */
struct region {
    const struct source *source;
    uint32_t at, end;
    struct str indent;                /* of its first line, once that was read */
};

struct line {
    const struct source *source;
    struct str text;                  /* without indentation and trailing blanks */
    struct str indent;                /* the blanks and tabs before it */
    uint32_t offset;                  /* of text in the source */
    struct region block;              /* the deeper-indented lines below; empty when at == end */
};

/* The next line that says something; false at the region's end. */
bool line_next(struct region *r, struct line *ret);
/* Takes the next word off *rest, quotes and escapes resolved. False when none is left or a quote is not closed. */
bool word_next(struct arena *a, struct str *rest, struct str *ret);
/* The block as text: common indentation removed, lines ended by \n but for the last. */
struct str block_text(const struct region *block, struct arena *a);
/* Resolves the escapes of a quoted word in any text. */
struct str unescape(struct str text, struct arena *a);

enum step_kind {
#define STEP(id, word) STEP_##id,
#include "hgt/steps.def"
#undef STEP
    STEP_COUNT
};

enum match_op { MATCH_EQUALS, MATCH_CONTAINS, MATCH_REGEX, MATCH_PRESENT, MATCH_ABSENT, MATCH_LESS, MATCH_MORE };

/* `expect SUBJECT [NAME] OP VALUE` */
struct expectation {
    struct str subject;               /* status, reason, header, trailer, body, json, origin, cache, log, answers, closed, ... */
    struct str name;                  /* the header, JSON path, origin, column */
    struct str part, part_name;       /* of an origin: requests | method | path | header NAME | body | connections */
    enum match_op op;
    bool is_negated;
    struct str value;
};

/* What a fake backend does with a request. */
struct rule {
    struct str method, path;          /* "*" matches any; a path may end in '*' */
    bool once;
    uint16_t status;
    struct str headers;               /* lines "N: V\r\n" */
    struct str body;
    struct str trailers;
    struct str interim;               /* raw head of a 1xx answer */
    struct str raw;                   /* the whole answer as bytes */
    uint32_t delay_ms, piece_delay_ms;
    uint32_t pieces;                  /* the body is sent in so many parts; 0: one */
    bool is_chunked, no_length, reset, hang, half, closes, echoes, tunnels;
    struct rule *next;
};

/* `policy` below an operation of an api step. */
struct operation_policy {
    struct operation_policy *next;
    struct str operation, text, from; /* one of the two */
    struct region block;              /* where the text stands */
};

struct step {
    enum step_kind kind;
    struct line line;
    struct step *next;
    struct str name;                  /* origin, file, api, test, variable, environment variable, key, token, identity */
    struct str value;                 /* text of the block, URL, target, duration, ... */
    struct str method, headers, body, connection, path, target;
    struct str identity;              /* request, origin: whose certificate is shown */
    struct rule *rules;               /* origin */
    struct str operations;            /* api: one "METHOD TEMPLATE" a line */
    struct str policy;                /* api: text of its policy */
    struct region text_block;         /* api, file: where the text of the policy, the file stands */
    struct str from;                  /* api, file: the path it is copied from; STR_NONE: the text is here */
    struct operation_policy *operation_policies;  /* api: those of its operations */
    bool has_body, at_once, needs_key, is_http10, is_http2, is_tls, is_later, to_admin, is_for_answer, is_for_metric, waits_for_background;
    uint32_t times;
    uint64_t number;
    struct step *steps;               /* each: its block */
    struct { struct str *v; size_t n, cap; } values;
    struct expectation expect;
};

struct script {
    const struct source *source;
    struct step *first;
    bool uses_admin;                  /* some request goes to the admin listener */
};

/* False when there is any error in diags. Everything lives in the arena. */
bool script_parse(const struct source *source, struct arena *a, struct script *ret, struct diags *diags);
