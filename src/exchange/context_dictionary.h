/* context_dictionary.h: the read-only dictionaries of the context object: headers, query, variables, matched parameters,
 * certificates. They look at what they show (a header collection is live), they hold no copy.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"
#include "expr/native.h"

struct dictionary;

struct dictionary_ops {
    /* The value of a key; *ret_found false when it is absent. */
    bool (*find)(struct call *c, struct dictionary *d, struct str key, struct value *ret, bool *ret_found);
    /* The entry at *at, which moves on; *ret_more false at the end. */
    bool (*next)(struct call *c, struct dictionary *d, uint32_t *at, struct string **ret_key, struct value *ret, bool *ret_more);
};

/* An object of HeaderCollection, QueryCollection ... */
struct dictionary {
    struct object head;
    const struct dictionary_ops *ops;
    struct exchange *ex;
    const void *of;
};

/* NULL when out of budget. type is c->ret_type of the property. */
struct dictionary *dictionary_make(struct call *c, const struct type *type, const struct dictionary_ops *ops,
                                   struct exchange *ex, const void *of);
extern const struct dictionary_ops header_dictionary_ops;     /* of: struct http_headers */
extern const struct dictionary_ops query_dictionary_ops;      /* of: struct str, the raw query, STR_NONE allowed */
extern const struct dictionary_ops parameter_dictionary_ops;  /* of: nothing */
extern const struct dictionary_ops variable_dictionary_ops;   /* of: nothing */
