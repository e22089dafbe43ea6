/* state_dir.c: mkdir, chmod, chown and the format file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

#define FORMAT_FILE "format"
#define FORMAT_WORD "headgate-state "

static bool
make_folders(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int failed = mkdir(path, 0755) < 0 && errno != EEXIST;
        if (failed)
            err_set_errno(err, ERR_IO, errno, "state: cannot make %s", path);
        *slash = '/';
        if (failed)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST || err_set_errno(err, ERR_IO, errno, "state: cannot make %s", path);
}

/* By descriptor, so that the path cannot be changed under us between two calls. */
static bool
close_to_others(const char *path, unsigned uid, unsigned gid, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    bool ok;

    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "state: %s", path);
    ok = fstat(fd, &st) == 0;
    if (ok && geteuid() == 0 && (uid != (unsigned)-1 || gid != (unsigned)-1))
        ok = fchown(fd, uid, gid) == 0;
    if (ok && (st.st_mode & 077) != 0)
        ok = fchmod(fd, 0700) == 0;
    if (!ok)
        err_set_errno(err, ERR_IO, errno, "state: cannot make %s ours alone", path);
    close(fd);
    return ok;
}

static bool
check_format(struct str text, const char *path, struct err *err)
{
    struct str line = str_trim(text), word = STR(FORMAT_WORD);
    uint32_t version;

    if (!str_starts_with(line, word) || !num_parse_u32(str_skip(line, word.len), UINT32_MAX, &version, NULL))
        return err_set(err, ERR_SYNTAX, "state: %s is not a format file; is the folder somebody else's?", path);
    if (version > STATE_FORMAT)
        return err_set(err, ERR_UNSUPPORTED, "state: the folder has format %" PRIu32 ", this version reads up to %d", version,
                       STATE_FORMAT);
    return true;
}

bool
state_dir_open(struct str path, unsigned uid, unsigned gid, struct err *err)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct err failed = ERR_INIT;
    char folder[PATH_MAX], file[PATH_MAX + 16];

    if (!path.len)
        return true;
    if (path.len >= sizeof(folder))
        return err_set(err, ERR_LIMIT, "state: the path is too long");
    memcpy(folder, path.p, path.len);
    folder[path.len] = 0;
    for (size_t n = path.len; n > 1 && folder[n - 1] == '/'; n--)
        folder[n - 1] = 0;
    if (!make_folders(folder, err) || !close_to_others(folder, uid, gid, err))
        return false;
    snprintf(file, sizeof(file), "%s/" FORMAT_FILE, folder);
    if (file_read(file, 256, &text, &failed))
        return check_format(buf_str(&text), file, err);
    if (failed.code != ERR_NOT_FOUND)
        return err_set(err, failed.code, "state: %s", failed.text);
    snprintf(folder, sizeof(folder), FORMAT_WORD "%d\n", STATE_FORMAT);
    return file_write_atomic(file, str_from_c(folder), 0644, err);
}
