/* file.c: whole files in and out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void
free_text(char **p)
{
    free(*p);
}

bool
file_read(const char *path, size_t max_bytes, struct buf *to, struct err *err)
{
    int fd AUTO(close_fd) = open(path, O_RDONLY | O_CLOEXEC);
    size_t start = to->len;

    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
    for (;;) {
        char *room = buf_reserve(to, (size_t)64 << 10);
        ssize_t n;

        if (!room)
            return err_set(err, ERR_LIMIT, "%s: too large", path);
        n = read(fd, room, (size_t)64 << 10);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "%s", path);
        if (n == 0)
            return true;
        to->len += (size_t)n;
        if (to->len - start > max_bytes)
            return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, max_bytes);
    }
}

static bool
write_all(int fd, struct str content)
{
    while (content.len) {
        ssize_t n = write(fd, content.p, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        content = str_skip(content, (size_t)n);
    }
    return true;
}

bool
file_write_atomic(const char *path, struct str content, unsigned mode, struct err *err)
{
    char temp[PATH_MAX];
    char *folder AUTO(free_text) = xstrndup(path, strlen(path));
    int fd AUTO(close_fd) = -1, dir AUTO(close_fd) = -1;

    if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
        return err_set(err, ERR_INVALID, "%s: name too long", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "%s", temp);
    if (!write_all(fd, content) || fchmod(fd, mode) != 0 || fsync(fd) != 0 || rename(temp, path) != 0) {
        int failure = errno;
        unlink(temp);
        return err_set_errno(err, ERR_IO, failure, "%s", path);
    }
    dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0)
        fsync(dir);
    return true;
}
