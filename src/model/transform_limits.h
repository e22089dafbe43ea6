/* transform_limits.h: what templates, stylesheets and schemas may use; `transformation:` of headgate.yaml.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* 0: the default that store/config_keys.def tells. */
struct transform_limits {
    uint32_t template_iterations;     /* rounds of all loops of one rendering */
    uint64_t template_output;         /* bytes */
    uint64_t xslt_output;             /* bytes */
    uint64_t xslt_memory;             /* bytes of one transformation */
    uint64_t conversion_output;       /* bytes that json-to-xml or xml-to-json may make */
    uint64_t xslt_ms;                 /* one transformation */
    uint32_t xslt_depth;              /* instructions inside instructions */
    uint64_t schema_steps;            /* keywords looked at in one validation */
};
