/* leak_guard.h: warns when an answer that depends on who asked is stored under a key that does not.
 *
 * What depends on it: steps that ran before the answer was stored and whose expressions read the caller's identity, the caller's
 * Authorization or Cookie on its way to the backend, an answer that says `private`. When the document is compiled its steps are
 * marked with what they read; the runner gathers the marks in ex->identity.
 * It only warns: once an hour for an API and a reason, counted each time. `headgate check` warns of what a document shows by itself.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct cache_intent;
struct compiler;
struct doc_text;
struct node;

/* Where an identity was read; bits of ex->identity and struct step. */
enum caller_source {
    CALLER_USER = 1,                /* context.User */
    CALLER_SUBSCRIPTION = 2,
    CALLER_CERTIFICATE = 4,
    CALLER_TOKEN = 8,               /* Authorization, or what it was parsed to */
    CALLER_COOKIE = 16,
};

/* What the text of an expression reads. */
uint8_t caller_sources(struct str expression);

/* What a document shows of itself while it is compiled, in order; in struct compiler. */
struct leak_facts {
    const struct node *lookup;        /* the cache-lookup whose answers a later cache-store stores */
    uint8_t reads;                    /* of the steps so far */
    uint32_t line;                    /* of the first of them */
    bool is_key_personal, takes_authorization;
    bool has_base;                    /* broader documents may have done something unseen */
    bool has_validated;               /* a policy that proves who asks */
    bool is_told;
};
/* An expression, or a template, of the step at work. */
void leak_guard_expression(struct compiler *c, struct str expression);
/* A policy begins. */
void leak_guard_policy(struct compiler *c, struct str name);
/* key_reads: what the parts of the key read. */
void leak_guard_lookup(struct compiler *c, const struct node *n, bool is_key_personal, uint8_t key_reads, bool takes_authorization);
void leak_guard_store(struct compiler *c);

/* The answer at ex->response is about to be stored. */
void leak_guard_check(struct exchange *ex, const struct cache_intent *intent);
