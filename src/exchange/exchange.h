/* exchange.h: one request and all it owns, from the moment its route is known until its log row is written.
 *
 *     gateway/front.c   exchange_init, route and key into it, plan_run(), answer ex->response, log
 *     policy/p_*.c      read and edit request, response, variables; refuse or fail
 *     exchange/context  shows the same things to expressions
 * One fiber owns an exchange; everything in it comes from ex->arena. A detached exchange (background refresh, one-way
 * request) has call == NULL and copies of what it needs.
 * Not here: which policies run (policy/plan.h), how the answer reaches the client (gateway).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/str.h"
#include "exchange/message.h"
#include "expr/native.h"
#include "model/transform_limits.h"

struct api_schemas;
struct backend;
struct backends;
struct budget;
struct buf;
struct addr;
struct cache_advice;
struct cache_tiers;
struct expr_env;
struct expr_run;
struct fetch;
struct http_answer;
struct http_call;
struct http_client;
struct http_client_id;
struct http_forward_conf;
struct http_proxy;
struct loaded_certificate;
struct loop;
struct offload;
struct model;
struct api;
struct operation;
struct product;
struct subscription;
struct supplies;
struct token_cache;
struct user;
struct object;                    /* expr/value.h */
struct plan;
struct plan_place;                /* policy/plan.h */
struct worker_metrics;
struct route_parameter;           /* model/route.h */
struct target;                    /* backend/target.h */
struct target_cache;

/* The scopes a document can belong to, broad to narrow, and the sections of a document. */
enum level { LEVEL_GLOBAL, LEVEL_WORKSPACE, LEVEL_PRODUCT, LEVEL_API, LEVEL_OPERATION };
enum section { SECTION_INBOUND, SECTION_BACKEND, SECTION_OUTBOUND, SECTION_ON_ERROR };
#define LEVEL_COUNT 5
#define SECTION_COUNT 4
/* "global", ... as LastError.Scope; "inbound", "on-error", ... as LastError.Section. */
struct str level_name(enum level l);
struct str section_name(enum section s);

/* Where a step of a plan was written. Lives with the plan. */
struct origin {
    struct str policy;            /* element name */
    struct str path;              /* choose[3]\when[2]\set-header */
    struct str id;                /* the id attribute, or STR_NONE */
    struct str file;              /* for logs */
    uint32_t line;
    uint8_t level, section;       /* enum level, enum section */
};

/* What a step tells the runner. */
enum flow {
    FLOW_NEXT,
    FLOW_BRANCH,                  /* go on at ex->branch_to (set by containers, inside policy/ only) */
    FLOW_BASE,                    /* the parent's section, then the next step */
    FLOW_CACHE_HIT,               /* ex->response is a stored answer: on after the matching cache-store */
    FLOW_RETURN,                  /* the pipeline ends; ex->response is the answer */
    FLOW_ERROR,                   /* ex->error is set; on-error runs next */
};

/* errors.def: every error the gateway answers with by itself. */
enum error_id {
    E_NONE,
#define ERROR(id, source, reason, status, message, client) E_##id,
#include "exchange/errors.def"
#undef ERROR
    E_COUNT,
};

struct error_def {
    const char *name;
    struct str source;            /* LastError.Source; STR_NONE: the element at work */
    struct str reason;            /* LastError.Reason */
    uint16_t status;
    struct str message;           /* LastError.Message; {0}, {1} are arguments */
    struct str client;            /* the answer's message; STR_NONE: the same as `message` */
};
const struct error_def *error_def(enum error_id id);
/* Its name in figures: "body-too-large". */
void error_label(enum error_id id, struct buf *to);

/* context.LastError. */
struct last_error {
    enum error_id id;             /* E_NONE: no error yet */
    struct str source, reason, message;
    struct str scope, section, path, policy_id;
    struct str client_message;    /* what the answer says; placed into JSON as it is */
    uint64_t at_ns;               /* when, on the loop's monotonic clock */
    uint16_t status;
    struct header_addition *headers;  /* of the default answer: Retry-After, WWW-Authenticate */
};

/* One entry of context.Variables. value == NULL is C# null. */
struct variable {
    struct str name;
    struct object *value;
    uint8_t sources;              /* enum caller_source (policy/leak_guard.h): what it was made of */
};

struct variables {
    struct variable *v;           /* in order of first setting; few, so searched in a row */
    uint32_t n, cap;
};

/* What a worker lends to its exchanges; one a worker, outlives them. */
struct services {
    struct loop *loop;
    struct http_client *client;
    struct cache_tiers *tiers;    /* cache/tiers.h; NULL: every lookup is a miss */
    struct expr_env *env;
    struct arena_cache *arenas;
    struct rand *rand;
    struct budget *bodies;        /* buffered bodies of the process; may be NULL */
    struct retry_budget *retries; /* exchange/retry_budget.h: of the process; may be NULL */
    struct counters *counters;    /* exchange/counters.h: rate limits, quotas, concurrency; shared by the process */
    struct cache_advice *advice;  /* cache/advice.h: what is odd about keys; shared by the process. May be NULL */
    struct supplies *supplies;    /* exchange/supply.h: keys of issuers, tokens; shared by the process */
    struct token_cache *tokens;   /* exchange/token_cache.h: tokens verified before; this worker's. May be NULL */
    struct offload *offload;      /* rt/offload.h: for what blocks; may be NULL: it blocks here */
    struct list *background;      /* exchange/fetch.h: what goes on without a client; may be NULL */
    uint32_t *detached;           /* requests under way that nobody waits for, of this worker; may be NULL: not counted */
    const struct services *detached_services;  /* the same for exchanges without a client: no counters, so no limits */
    struct outlets *outlets;      /* observe/outlet.h: what loggers write to; of the process. May be NULL */
    struct worker_metrics *figures;   /* this worker's; may be NULL */
    void *gateway;                /* the gateway's own worker struct */
};

struct exchange_limits {
    uint64_t buffered_body_max;   /* bytes of one message held in memory */
    uint64_t arena_max;
    uint32_t inflate_ratio;       /* how much larger a body may become by decoding; 0: 200 */
    /* Calls to backends; 0: no limit. The first byte and HTTP/2 where a policy says nothing. */
    uint32_t first_byte_ms, answer_idle_ms;
    uint64_t call_ms;
    bool offers_http2;
    bool drops_key;               /* the subscription key does not go on to backends */
    uint32_t one_way_max;         /* requests of send-one-way-request under way, of one worker */
    struct expr_limits expr;
    struct transform_limits transform;
};

/* Moments on the loop's monotonic clock, 0 when not reached; the gateway log's columns are differences of them. */
struct exchange_times {
    uint64_t start_ns, request_end_ns, backend_start_ns, backend_end_ns, cache_ns;
};

/* A step that asked to run first in outbound. */
struct early_step {
    enum flow (*run)(const void *conf, struct exchange *ex);
    const void *conf;
    const struct origin *at;
};

/* One line of the request trace (trace policy, context.Trace, failures). */
enum trace_severity { TRACE_VERBOSE, TRACE_INFORMATION, TRACE_ERROR };
/* How much of it the log holds. */
enum trace_detail { TRACE_DETAIL_NONE, TRACE_DETAIL_ERRORS, TRACE_DETAIL_INFORMATION, TRACE_DETAIL_ALL };
struct trace_line {
    struct trace_line *next;
    enum trace_severity severity;
    struct str source, message;
    struct trace_metadata { struct str name, value; } *metadata;
    uint32_t n_metadata;
    uint64_t at_ns;
};

/* What the cache did, for Cache-Status and for explanations (exchange/cache_report.h). Zero: it was not asked. */
struct cache_said {
    uint8_t look;                 /* enum cache_verdict + 1; 0: no look-up */
    uint8_t bypass;               /* enum cache_bypass: why there was none */
    uint8_t refusal;              /* enum cache_refusal: why this answer was not stored */
    bool is_served, is_collapsed, is_external, is_request;    /* is_request: the client wanted it fresher */
    int32_t ttl_s;                /* of what was served or stored; negative: stale */
    struct explanation *explanation;  /* NULL: nobody asked for one */
};

struct exchange {
    struct arena *arena;
    const struct services *services;
    const struct exchange_limits *limits;
    struct http_call *call;       /* NULL when detached */

    /* Written by the gateway before the plan runs. */
    const struct model *model;    /* the pinned configuration */
    const struct api *api;
    const struct operation *operation;
    const struct product *product;            /* NULL outside a product context */
    const struct subscription *subscription;  /* NULL without one */
    const struct user *user;                  /* the subscription's owner, or NULL */
    const struct plan *plan;
    _Atomic uint32_t *cache_slot; /* of the operation's cache figures (observe/metrics.h), in the pinned configuration; may be NULL */
    const _Atomic uint64_t *born_max;     /* struct snapshot; NULL: fetches of this configuration may be of any generation */
    void *pin;                    /* what keeps model, plan, backends and targets alive, for detached exchanges */
    void (*pin_take)(void *pin), (*pin_release)(void *pin);
    const struct api_schemas *schemas;    /* policy/schemas.h, of the API; NULL: no policy here validates */
    const struct backends *backends;  /* backend/backends.h, of the pinned configuration */
    struct outlet *const *outlets;    /* observe/outlet.h, by the model's loggers; NULL: none, or NULL entries */
    struct target_cache *targets; /* addresses computed by expressions; this worker's, of that configuration */
    uint8_t id[16];               /* context.RequestId, activityId, log */
    struct url original_url;      /* as received, normal form */
    uint64_t born;                /* generation of the cache when it began, or purged something itself: what its values are based on */
    const struct http_headers *received;  /* exchange/strict_keying.h: the client's fields; NULL: the API does not ask for it */
    struct str original_request_path;  /* the path below the API's prefix, as it was before any rewrite */
    const struct http_client_id *client;   /* who called, behind trusted proxies; NULL when detached */
    const struct http_forward_conf *forwarding;  /* X-Forwarded-For and the like for backends; NULL: none are added */
    struct str client_ip;         /* behind trusted proxies resolved */
    const struct addr *peer;      /* of the connection; NULL: none */
    uint8_t client_version;       /* enum http_version of the request */
    struct str authority;         /* Host as the client sent it */
    struct str accept_encoding;   /* as the client sent it, whatever policies have made of it; STR_NONE: not at all */
    struct str gateway_base;      /* "https://host/api-prefix", for redirect-content-urls */
    const struct route_parameter *parameters;  /* of the template, values as received (percent-encoded) */
    uint32_t n_parameters;
    uint64_t deadline_ms;         /* 0: none */
    uint64_t timestamp_ns;        /* wall clock at the start */
    bool is_tracing;              /* all lines are kept, as somebody asked for the request's trace */
    uint8_t trace_detail;         /* enum trace_detail: lines kept for the log */
    bool is_detached;             /* goes on without a client: counts no limits, ends with cache-store */

    /* Edited by policies. */
    struct request request;
    struct content own_content;   /* of the request; that of a branch is unused (wait) */
    struct reply *response;    /* NULL in inbound: context.Response is null */
    struct variables *variables;  /* its own, or those of the exchange it is a branch of (wait) */
    struct variables own_variables;
    struct expr_run *expr_run;    /* exchange_expr_run() */
    struct object *context;       /* the object `context`, made at the first use */
    struct last_error error;
    struct http_answer *upgraded; /* the backend took an upgrade (101): the gateway tunnels; else NULL */
    const struct backend *backend;    /* chosen by backend-id; NULL: none was */
    const struct loaded_certificate *certificate;   /* backend/certificates.h: to show the backend; NULL: as its entity says */
    const struct http_proxy *proxy;   /* http/client.h: on the way to it; NULL: as its entity says */
    const struct target *target;      /* where requests go: the backend's, a base-url's, or the API's own; NULL: nowhere */
    struct cache_intent *cache;   /* what cache-lookup left for cache-store; NULL without one */
    struct value_lookup *computing;   /* policy/p_cache_value.c: whose values are being computed; NULL: none */
    struct early_step *early;     /* runs before outbound's own steps; NULL: none */
    struct deferred_work *deferred;   /* runs after outbound, newest first */
    struct after_answer *after_answer;   /* runs when the answer is out */
    struct rate_key *rate_keys;        /* rate-limit-by-key: what this request has been counted for */
    struct counted_key *counted_keys;  /* quota-by-key: what is counted at the end */
    struct header_addition *additions; /* headers that every final answer gets (rate limits, CORS) */

    /* Written by the runner. */
    const struct origin *at;      /* the step at work */
    enum section section;
    struct plan_place *place;     /* of the run at work, the outermost one */
    uint32_t branch_to;           /* with FLOW_BRANCH */
    uint8_t row_at;               /* which of the plan's documents is at work */
    bool is_forwarded;            /* some forward-request got an answer */
    bool has_cors;                /* a cors policy has matched: the others stay out */
    bool is_body_sent;            /* a request body that was not kept has gone to a backend */
    bool is_answer_kept;          /* the answer may go into the cache: it gets memory of its own (exchange/fetch.h) */
    uint8_t identity;             /* what of the caller's identity the steps so far have read: policy/leak_guard.h */
    uint8_t step_sources;         /* the same of the step at work alone, with what the variables that it has read were made of */
    bool is_caller_proven;        /* a policy has validated the caller's token or certificate */
    bool is_answer_streamed;      /* bytes of the answer have gone to the client: nothing can be replaced */

    /* For the log row. */
    struct exchange_times times;
    uint8_t cache_outcome;        /* enum cache_outcome, observe/metrics.h */
    bool is_answer_stored;        /* in the cache, or on its way there */
    struct cache_said said;       /* what the cache did, in more words */
    uint16_t backend_status;
    struct str backend_id, backend_protocol;
    struct str backend_scheme, backend_authority, backend_target;   /* of the last try; the row joins them */
    struct str upstream_error;
    struct trace_line *traces, **traces_end;
    uint32_t n_traces;
    struct exchange_answer *answers;  /* of backends, closed with the exchange */
    bool has_error_room;              /* the arena got room for on-error and the answer */
};

/* Zeroed but for what is given; the gateway fills the rest in. */
void exchange_init(struct exchange *ex, struct arena *arena, const struct services *services,
                   const struct exchange_limits *limits, struct http_call *call);
/* Makes a detached exchange see the same configuration as `from`, and hold it until exchange_unpin(). */
void exchange_share_pin(struct exchange *ex, const struct exchange *from);
void exchange_unpin(struct exchange *ex);
/* Closes bodies and answers that nobody took; one of zeros that was never begun is fine. The arena is the caller's. */
void exchange_close(struct exchange *ex);

/* The error `id` with {0}, {1}... of its texts replaced. Sets ex->error from it and from ex->at; always FLOW_ERROR. The
 * default answer is made by exchange_error_response() when on-error starts. */
enum flow exchange_refuse_args(struct exchange *ex, enum error_id id, const struct str *args, uint32_t n_args);
#define exchange_refuse(ex, id, ...) \
    exchange_refuse_args((ex), (id), (struct str[]){STR_NONE, ##__VA_ARGS__} + 1, \
                         sizeof((struct str[]){STR_NONE, ##__VA_ARGS__}) / sizeof(struct str) - 1)
/* The same with another status and client text than the table's (failed-check-httpcode and the like). 0 and STR_NONE
 * keep the table's. */
void exchange_refusal_override(struct exchange *ex, uint16_t status, struct str client_message);
/* One more header of the refusal's default answer. */
void exchange_refusal_header(struct exchange *ex, struct str name, struct str value);
/* A thing that went wrong on the way to a backend (ERR_TIMEOUT: Timeout, ERR_CANCELLED with the client gone:
 * ClientConnectionFailure, ERR_LIMIT: a body above its limit, others BackendConnectionFailure). Always FLOW_ERROR. */
enum flow exchange_fail_io(struct exchange *ex, const struct err *err);
/* Before the text of an error is made: an expression may have taken all the memory there was. Once an exchange. */
void exchange_make_error_room(struct exchange *ex);
/* An exception of an expression. `message` without "Expression evaluation failed. ". Always FLOW_ERROR. */
enum flow exchange_fail_expression(struct exchange *ex, struct str message);
/* Anything else, 500. Always FLOW_ERROR. */
enum flow exchange_fail(struct exchange *ex, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* fn(arg) on an offload thread, or here when there are none. False after a full queue (ex->error). Yields. */
MUST_USE bool exchange_offload(struct exchange *ex, void (*fn)(void *arg), void *arg);
/* Puts the default answer of ex->error into ex->response: status, application/json, the exact body. */
void exchange_error_response(struct exchange *ex);
/* Lower-case text of a 16-byte id. */
struct str exchange_id_text(struct arena *a, const uint8_t id[16]);

struct header_addition {
    struct header_addition *next;
    struct str name, value;
    bool is_replacing;
};
/* A header added to (or, with is_replacing, put in place of) those of the final answer, whatever it is by then. */
bool exchange_add_answer_header(struct exchange *ex, struct str name, struct str value, bool is_replacing);
/* Called once by plan_run() with the answer settled. */
void exchange_apply_answer_headers(struct exchange *ex);
/* fn(ex, arg) once after outbound (or on-error, or an early end), with ex->response the answer. May yield. */
bool exchange_defer(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg);
void exchange_run_deferred(struct exchange *ex);
/* fn(ex, arg, bytes of its body) once when the answer has gone out to its client, or as much of it as went. Must not yield. False when
 * memory is short. */
bool exchange_after_answer(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg, uint64_t body_bytes), void *arg);
void exchange_run_after_answer(struct exchange *ex, uint64_t body_bytes);
/* Moves what `from` (a branch of wait) put off, work and headers, behind what `to` has. */
void exchange_take_waiting(struct exchange *to, struct exchange *from);

/* The run that expressions of this exchange share: arena, budgets, clock, host == ex. Made at the first use; NULL when the
 * arena is full. */
struct expr_run *exchange_expr_run(struct exchange *ex);

/* NULL when absent. Names are case-sensitive. */
const struct variable *exchange_variable(const struct exchange *ex, struct str name);
/* The same for an expression: what the variable was made of, the step at work has read then, too. */
const struct variable *exchange_read_variable(struct exchange *ex, struct str name);
/* False when the arena is full. The name is kept as a view: it must live as long as the exchange. The value counts as made of what the
 * step at work has read. */
MUST_USE bool exchange_set_variable(struct exchange *ex, struct str name, struct object *value);
/* As if it had never been set. */
void exchange_unset_variable(struct exchange *ex, struct str name);

/* The whole address the request would go to now: chosen backend, path, query (context.Request.Url). */
void exchange_request_url(struct exchange *ex, struct url *ret);
/* context.Response, made (200, empty) if there was none. NULL when the arena is full. */
struct reply *exchange_response(struct exchange *ex);
/* The headers and content that body and header policies act on in this section: the request in inbound and backend, the
 * response later. */
struct http_headers *exchange_message_headers(struct exchange *ex);
struct content *exchange_message_content(struct exchange *ex);
/* Whether that message has a body, for a policy that is about to change it. Where an answer only announces one (to HEAD, with 304),
 * nobody knows how long it would be afterwards, and the announcement is taken back. */
bool exchange_has_body_to_change(struct exchange *ex);

/* `base` and `below` with exactly one slash between. */
struct str exchange_join_paths(struct arena *a, struct str base, struct str below);

/* Holds a backend's answer until it is given away or the exchange ends. */
struct exchange_answer {
    struct exchange_answer *next;
    struct http_answer *answer;
    struct fetch *fetch;              /* exchange/fetch.h: where the answer lives; NULL: in the exchange's arena */
};
bool exchange_hold_answer(struct exchange *ex, struct http_answer *answer, struct fetch *fetch);
/* It is the caller's to close from now on. */
void exchange_give_answer(struct exchange *ex, struct http_answer *answer);
void exchange_close_answers(struct exchange *ex);

static inline bool
exchange_wants_trace(const struct exchange *ex, enum trace_severity severity)
{
    return ex->is_tracing || (unsigned)severity + ex->trace_detail > TRACE_ERROR;
}

/* Adds a line to the request's trace when someone will read it; the line, for its metadata, or NULL. Copies nothing:
 * texts live as long as the exchange. */
struct trace_line *exchange_trace(struct exchange *ex, enum trace_severity severity, struct str source, struct str message);
/* All lines as a JSON array, for the log, in the arena; STR_NONE when there is none. */
struct str exchange_trace_json(const struct exchange *ex);
