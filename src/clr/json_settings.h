/* json_settings.h: JsonSerializerSettings as JsonConvert reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

struct json_settings {
    struct object head;
    int64_t formatting;               /* Formatting */
    int64_t null_values;              /* NullValueHandling: 1 leaves null members out */
    int64_t dates;                    /* DateParseHandling: 0 keeps strings that look like dates */
};

enum { DATES_AS_TEXT, DATES_AS_DATE_TIME, DATES_AS_OFFSET };
