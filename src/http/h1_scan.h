/* h1_scan.h: the two inner loops of the head parser and the head writer, sixteen bytes at a time where there is
 * SSE2 and one at a time elsewhere. Both forms are compiled, so that the fuzzer can compare them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The first byte of [p, end) that a field value cannot hold: a control character but HTAB. */
static inline const char *
h1_scan_value_scalar(const char *p, const char *end)
{
    while (p < end && ((uint8_t)*p >= 0x20 || *p == '\t') && *p != 0x7f)
        p++;
    return p;
}

/* The first byte of [p, end) that a request target cannot hold: outside 0x21-0x7e, or '#'. */
static inline const char *
h1_scan_target_scalar(const char *p, const char *end)
{
    while (p < end && *p > 0x20 && *p != 0x7f && *p != '#')
        p++;
    return p;
}

#if defined(__SSE2__)
/* A bit for each of sixteen bytes that a value cannot hold. */
static inline unsigned
h1_bad_value_bits(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

static inline const char *
h1_scan_value(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        unsigned bad = h1_bad_value_bits(p);
        if (bad)
            return p + __builtin_ctz(bad);
    }
    return h1_scan_value_scalar(p, end);
}

static inline const char *
h1_scan_target(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i good = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x20)); /* signed: bytes above 0x7f fall out too */
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        __m128i hash = _mm_cmpeq_epi8(v, _mm_set1_epi8('#'));
        unsigned ok = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(del, hash), good));
        if (ok != 0xffff)
            return p + __builtin_ctz(~ok);
    }
    return h1_scan_target_scalar(p, end);
}
#else
#define h1_scan_value h1_scan_value_scalar
#define h1_scan_target h1_scan_target_scalar
#endif
