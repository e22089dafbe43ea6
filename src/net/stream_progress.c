/* stream_progress.c: what a TCP peer has taken, as the kernel knows it from its acknowledgements. A socket's buffer takes megabytes at
 * once and says that it takes more when a third of it is free: neither tells how fast the peer reads. In a file of its own, since the
 * kernel's header of TCP does not go with the library's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/stream.h"

bool
stream_progress(const struct stream *s, struct stream_progress *ret)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    int untaken;

    if (getsockopt(s->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
        len < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked) ||
        ioctl(s->io.fd, SIOCOUTQ, &untaken) < 0)
        return false;
    ret->taken = info.tcpi_bytes_acked;
    ret->untaken = (uint64_t)MAX(untaken, 0);
    return true;
}
