/* json_schema_check.h: one validation at work: where the reader is, what it reports, and the checks of single values.
 * Between the files json_schema_*.c only; json_schema.h is for callers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "data/json_schema_tree.h"

/* Where a reader of the run's text stands: behind all of a value; at its beginning (behind the first sign of a container,
 * behind all of anything else); behind the colon of the member whose value it is. */
size_t schema_end(const struct json_schema_run *r, const struct json *j);
size_t schema_begin(const struct json_schema_run *r, const struct json *j);
size_t schema_name_end(const struct json_schema_run *r, const struct json *value);
/* Line and position of byte `at`; cheap when positions ascend. */
void schema_set_position(struct json_schema_run *r, size_t at, struct json_schema_error *e);

/* Nothing is known: r->failed. The first one counts. Always false. */
bool schema_give_up(struct json_schema_run *r, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Counts work; false when the run has failed, or fails now: steps_max. */
bool schema_step(struct json_schema_run *r, uint64_t n);

/* Whether anybody asks for a message. */
static inline bool
wants_message(const struct json_schema_run *r)
{
    return !r->quiet && r->n_errors < SCHEMA_ERRORS_MAX && r->failed.code == ERR_NONE;
}

/* Whether it is worth going on after an error. */
static inline bool
goes_on(const struct json_schema_run *r)
{
    return wants_message(r) && !r->only_first;
}

/* Adds an error at a position, when wants_message (report: its caller has asked). Always false. */
bool schema_fail(struct json_schema_run *r, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool schema_report(struct json_schema_run *r, size_t at, struct buf *message);

/* Equal values have equal hashes: numbers by their value, members in any order. Keyed (base/hash.h). */
bool schema_equal(struct json_schema_run *r, const struct json *a, const struct json *b);
uint64_t schema_hash_value(const struct json *j);

/* False with errors. check_values: enum and const. */
bool schema_check_type(struct json_schema_run *r, const struct json_schema *s, const struct json *j);
bool schema_check_number(struct json_schema_run *r, const struct json_schema *s, const struct json *j);
bool schema_check_string(struct json_schema_run *r, const struct json_schema *s, const struct json *j);
bool schema_check_values(struct json_schema_run *r, const struct json_schema *s, const struct json *j);
/* The pattern has a regex. False also when the run has failed. */
bool schema_matches(struct json_schema_run *r, const struct schema_pattern *p, struct str text);
