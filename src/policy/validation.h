/* validation.h: what the validate policies share: actions, the findings they record, and validating on a large stack.
 *
 *     struct validation v = validation_begin(ex, variable);
 *     validation_find(&v, action, &(struct finding){...});      ignore: nothing; detect: recorded; prevent: recorded, ends it
 *     return validation_end(&v);                                the variable is set; 400 or 502 when something was prevented
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/json_schema.h"
#include "policy/policy.h"

enum validation_action { VALIDATION_IGNORE, VALIDATION_PREVENT, VALIDATION_DETECT };
extern const struct choice validation_actions[];

/* Sentences that the reference gives word by word. */
#define PUBLIC_INTERNAL_ERROR "The request could not be processed due to an internal error. Contact the API owner."

struct finding {
    struct str name;                  /* of the parameter, content type ...; STR_NONE: none */
    struct str type;                  /* RequestBody, QueryParameter ... */
    struct str rule;                  /* SizeLimit, Unspecified ...; STR_NONE: none */
    struct str details;
    struct str public;                /* what a client may read; STR_NONE: the details */
    bool is_internal;                 /* the client reads PUBLIC_INTERNAL_ERROR */
};

struct validation {
    struct exchange *ex;
    struct str variable;              /* empty: nothing is kept */
    bool is_response;
    bool is_prevented;
    struct finding first;             /* that was prevented */
    struct object *errors;            /* a JArray; NULL: none yet */
    bool has_failed;                  /* ex->error is set: no memory */
};

/* In inbound and backend the request is judged, later the answer. */
struct validation validation_begin(struct exchange *ex, struct str variable);
/* False when the validation is over: prevented, or failed. Texts live as long as the exchange. */
bool validation_find(struct validation *v, int action, const struct finding *f);
enum flow validation_end(struct validation *v);

/* A JSON text against a schema, on a large stack; long texts on an offload thread. The result's messages are in the exchange's
 * arena. True: valid. False: problem->err.code says that the text is no JSON (of a kind that cannot be read in two ways), or
 * run->failed that a limit was reached, or run->errors why it does not fit. Yields. */
MUST_USE bool validation_json(struct exchange *ex, const struct json_schema *s, struct str text, struct json_schema_run *run,
                              struct json_problem *problem);
