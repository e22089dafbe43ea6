/* times.h: what the families about time share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/datetime.h"
#include "expr/native.h"

/* int year, month, day [, hour, minute, second [, millisecond]] in args[0..n). False after throwing. */
bool read_civil(struct call *c, uint32_t n, int64_t *ret_ticks);
/* n units of `unit` ticks; false when that is no span (or NaN). */
bool ticks_of_units(double n, int64_t unit, int64_t *ret);
/* datetime_format() with its exception. */
bool format_moment(struct call *c, const struct moment *m, struct str format, struct string **ret);
/* value_to_string() of the receiver by c->owner; the format, if any, is args[1]. */
bool value_text(struct call *c);

/* Hooks of types whose value is the ticks in lo. */
bool ticks_equal(struct call *c, const struct type *type, struct value a, struct value b, bool *ret);
bool ticks_hash(struct call *c, const struct type *type, struct value v, int32_t *ret);
bool ticks_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret);
