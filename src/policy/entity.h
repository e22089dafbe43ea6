/* entity.h: the five named entities of XML and numeric references.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/* Decodes the reference at text[at] ('&'): its width, with the code point in *ret; 0 when it is none (then the '&' stands
 * for itself). Code points that XML does not allow are none. */
size_t entity_decode(struct str text, size_t at, uint32_t *ret);
