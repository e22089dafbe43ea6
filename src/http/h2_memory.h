/* h2_memory.h: the small blocks that HTTP/2 sessions of one worker take and give back with each stream, kept in lists by
 * size instead of going to malloc and back.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <nghttp2/nghttp2.h>

struct loop;

/* For nghttp2_session_..._new3(); lives as long as the loop, which all sessions that use it belong to. */
nghttp2_mem *h2_memory(struct loop *loop);
