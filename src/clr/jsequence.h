/* jsequence.h: sequences of tokens: Children(), Descendants(), SelectTokens() ...
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/jtoken.h"

enum jwalk {
    JWALK_CHILDREN,                   /* live: notices changes, as List<T>'s enumerator */
    JWALK_DESCENDANTS, JWALK_DESCENDANTS_AND_SELF,
    JWALK_ANCESTORS, JWALK_ANCESTORS_AND_SELF,
    JWALK_BEFORE_SELF, JWALK_AFTER_SELF,
    JWALK_PROPERTY_VALUES,            /* of an object */
    JWALK_VALUES,                     /* Extensions.Values: a value itself, of a container its children */
    JWALK_SELECT,
};

/* Over one token, or over each token of a sequence (source). */
struct jsequence {
    struct sequence super;
    enum jwalk walk;
    struct jtoken *token;
    struct object *source;            /* IEnumerable of tokens; NULL: `token` alone */
    const struct type *source_element;
    const struct type *filter;        /* only tokens of this type; NULL: all */
    const struct type *convert;       /* elements become this by jtoken_convert(); NULL: tokens */
    struct object *key;               /* JWALK_VALUES: the value at this key of each (boxed int or string); NULL: all children */
    struct str path;                  /* JWALK_SELECT */
    bool error_when_missing;
};

/* type: of the sequence object, an IEnumerable<T>. */
struct jsequence *jsequence_new(struct call *c, const struct type *type, enum jwalk walk, struct jtoken *token);
/* token[key]: by name of an object, by position of an array; *ret NULL when there is none. Throws for keys that do not fit. */
bool jtoken_item(struct call *c, struct jtoken *t, struct object *key, struct jtoken **ret);
/* Natives that more than one family has rows for. */
bool jnative_children(struct call *c);
bool jnative_children_of(struct call *c);
/* Walks what `iterate` on a token walks: its children as tokens. */
bool jtoken_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it);
