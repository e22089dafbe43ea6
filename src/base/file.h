/* file.h: whole files in and out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the content. ERR_NOT_FOUND, ERR_LIMIT above max_bytes, ERR_IO. Blocks: not for workers. */
MUST_USE bool file_read(const char *path, size_t max_bytes, struct buf *to, struct err *err);
/* Temporary file, fsync, rename, fsync of the folder: the old or the new content, never half. */
MUST_USE bool file_write_atomic(const char *path, struct str content, unsigned mode, struct err *err);
