/* emitted.h: figures that policy documents make (emit-metric): a sum and a count for each set of namespace, name and dimensions.
 * Shared by all workers. Requests decide what dimensions hold, so the number of series is bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct emitted;

struct emitted_dimension {
    struct str name, value;
};

#define EMITTED_DIMENSIONS_MAX 20u
#define EMITTED_VALUE_MAX 256u        /* bytes of a dimension's value; the rest is cut */

/* series_max: of all metrics together, one for what finds no room in each metric not counted. */
struct emitted *emitted_new(uint32_t series_max);
/* NULL is fine. */
void emitted_delete(struct emitted *e);
/* Adds a finite value; a is for the work. The order of dimensions does not matter; of two with the same label the last counts.
 * False when there was no room for one more series: then it went into the metric's own, overflow="true". */
bool emitted_add(struct emitted *e, struct arena *a, struct str name_space, struct str name,
                 const struct emitted_dimension *dimensions, uint32_t n, double value);
uint32_t emitted_series(struct emitted *e);
/* Prometheus text exposition format: the summary headgate_emitted. */
void emitted_print(struct emitted *e, struct buf *to);
