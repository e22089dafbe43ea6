/* run.h: runs .hgt scripts against a gateway inside this process.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/map.h"

struct hgt_options {
    bool is_verbose;                  /* every expectation is printed */
    bool with_coverage;               /* tell which policies of the scripts' documents never ran */
    struct str only;                  /* tests whose name contains it; STR_NONE: all */
};

struct hgt_result {
    uint32_t passed, failed;          /* expectations */
    uint32_t tests, tests_failed;
    uint32_t policies, policies_ran;  /* with_coverage */
    struct map documents;             /* those named by path (`policy from`) of which a policy ran: absolute paths */
};

/* Runs one script. What it prints (failures with file, line and both sides) goes to `report`; `junit`, when not NULL, gets one
 * <testcase> a test. A script whose `needs` are not there is reported as skipped. False when the script itself could not be read, parsed or set up: also reported. Blocks. */
bool hgt_run(const char *path, const struct hgt_options *options, struct hgt_result *ret, struct buf *report,
             struct buf *junit);

/* One <testcase>. `outcome` is the element that holds `text`, "failure" or "error"; NULL: it passed. */
void hgt_junit_case(struct buf *junit, struct str script, struct str test, const char *outcome, struct str text);
