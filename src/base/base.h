/* base.h: the handful of macros that every file may use.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTOF(a) (sizeof(a) / sizeof((a)[0]))
#define PICK_(a, op, b, x, y) ({ __typeof__(a) x = (a); __typeof__(b) y = (b); x op y ? x : y; })
#define PICK(a, op, b, n) PICK_(a, op, b, JOIN(x_, n), JOIN(y_, n))
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define MIN(a, b) PICK(a, <, b, __COUNTER__) /* each argument once; they may nest */
#define MAX(a, b) PICK(a, >, b, __COUNTER__)
#define CONTAINER_OF(ptr, type, member) \
    ({ const __typeof__(((type *)0)->member) *p_ = (ptr); (type *)((char *)p_ - offsetof(type, member)); })

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NO_RETURN __attribute__((noreturn))
#define NO_INLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define UNUSED __attribute__((unused))
#define THREAD_LOCAL _Thread_local

/* Runs fn(&variable) when the variable leaves its scope: struct arena a AUTO(arena_destroy) = ... */
#define AUTO(fn) __attribute__((cleanup(fn)))

/* Our own mistakes, never a client's (those are errors, err.h). Stays on in release builds. */
#define ASSERT(cond) \
    (LIKELY(cond) ? (void)0 : assert_failed(__FILE__, __LINE__, __func__, #cond))
/* Walks whole structures; debug and sanitizer builds only. */
#ifdef HEADGATE_CHECKS
#define CHECK(cond) ASSERT(cond)
#else
#define CHECK(cond) ((void)0)
#endif
#define UNREACHABLE() assert_failed(__FILE__, __LINE__, __func__, "unreachable")

/* Prints where and what, with a backtrace, and aborts. */
void assert_failed(const char *file, int line, const char *func, const char *what) NO_RETURN;

/* Sums and products that could wrap. False, with *ret untouched, when they would. */
static inline MUST_USE bool
size_add(size_t a, size_t b, size_t *ret)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

static inline MUST_USE bool
size_mul(size_t a, size_t b, size_t *ret)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

/* malloc family for what outlives an exchange: never NULL, since a process that is out of memory for its
 * own bookkeeping cannot answer sensibly; what a client can make large comes from an arena with a limit. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrndup(const char *p, size_t len);
#define xnew(type) ((type *)xcalloc(1, sizeof(type)))
#define xnew_array(type, n) ((type *)xcalloc((n), sizeof(type)))
