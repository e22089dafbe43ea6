/* string_builder.h: the text that StringBuilder and StringWriter grow: WTF-8.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "expr/native.h"

struct builder {
    struct object head;
    struct buf text;
    bool is_ascii;
    int32_t capacity, capacity_max;   /* as asked for; what is kept grows by itself */
};

/* NULL after throwing or a budget was exceeded. */
struct builder *builder_new(struct call *c, const struct type *type, struct str initial);
bool builder_add(struct call *c, struct builder *b, struct str s);
/* One UTF-16 unit. */
bool builder_add_unit(struct call *c, struct builder *b, uint32_t unit);
/* The content as a string that later changes do not reach. */
struct string *builder_content(struct call *c, const struct builder *b);
