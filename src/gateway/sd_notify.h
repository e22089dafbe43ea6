/* sd_notify.h: a word to systemd, by its protocol: a datagram to the socket that NOTIFY_SOCKET names.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

/* "READY=1", "STOPPING=1", ... Does nothing when nobody asked for it. */
void sd_notify_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
