/* unicode.c: see unicode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/unicode.h"

#include <stdatomic.h>

#include "base/base.h"

/* Where the category changes. */
static const struct unicode_run {
    uint16_t first;
    uint8_t category;
} runs[] = {
#define AT(first, category) {first, category},
#include "base/unicode_categories.def"
#undef AT
};

enum unicode_category
unicode_category(uint32_t c)
{
    size_t low = 0, high = COUNTOF(runs);

    if (c > 0xffff)
        return CATEGORY_UNASSIGNED;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (runs[middle].first <= c)
            low = middle;
        else
            high = middle;
    }
    return (enum unicode_category)runs[low].category;
}

/* A second maker gives its own back. */
locale_t
unicode_locale(void)
{
    static _Atomic(locale_t) made;
    locale_t mine, none = (locale_t)0, seen = atomic_load(&made);

    if (LIKELY(seen != none))
        return seen;
    mine = newlocale(LC_CTYPE_MASK, "C.UTF-8", none);
    ASSERT(mine != none);
    if (atomic_compare_exchange_strong(&made, &none, mine))
        return mine;
    freelocale(mine);
    return none; /* which now holds the other one */
}
