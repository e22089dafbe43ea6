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
/* The same without a format: the argument is a provider. */
bool value_text_plain(struct call *c);
/* CompareTo(object) of a type whose value is its ticks. */
bool compare_with_boxed(struct call *c, const char *type_name);

/* System.Globalization.DateTimeStyles, same bits. */
enum datetime_styles {
    STYLES_LEADING_WHITE = 1, STYLES_TRAILING_WHITE = 2, STYLES_INNER_WHITE = 4, STYLES_NO_CURRENT_DATE = 8, STYLES_TO_UNIVERSAL = 16,
    STYLES_ASSUME_LOCAL = 32, STYLES_ASSUME_UNIVERSAL = 64, STYLES_ROUNDTRIP = 128,
};
/* Throws ArgumentException for combinations that .NET refuses. */
bool check_styles(struct call *c, uint64_t styles, bool is_offset);
/* What was read as the DateTime that the styles make of it. False: outside of the calendar. */
bool moment_to_datetime(const struct moment *m, uint64_t styles, struct value *ret);
/* Text by any of the formats in `formats` (a string, or a string[] when has_many). False, without an exception: by none. */
bool read_exact(struct call *c, struct str text, const struct object *formats, bool has_many, uint64_t styles, struct moment *ret);

/* Hooks of types whose value is the ticks in lo. */
bool ticks_equal(struct call *c, const struct type *type, struct value a, struct value b, bool *ret);
bool ticks_hash(struct call *c, const struct type *type, struct value v, int32_t *ret);
bool ticks_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret);
