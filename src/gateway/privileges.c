/* privileges.c: setgroups, setgid, setuid, in that order, and the proof that they held.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/num.h"

#define NAME_MAX_BYTES 64
#define NOBODY ((unsigned)-1)

static bool
name_of(struct str text, char name[NAME_MAX_BYTES])
{
    if (text.len >= NAME_MAX_BYTES)
        return false;
    memcpy(name, text.p, text.len);
    name[text.len] = 0;
    return true;
}

static bool
find_user(struct str text, unsigned *ret_uid, unsigned *ret_gid, struct err *err)
{
    char name[NAME_MAX_BYTES];
    uint32_t number;

    if (num_parse_u32(text, UINT32_MAX - 1, &number, NULL)) {
        const struct passwd *p = getpwuid(number);
        *ret_uid = number;
        *ret_gid = p ? p->pw_gid : number;
        return true;
    }
    const struct passwd *p = name_of(text, name) ? getpwnam(name) : NULL;
    if (!p)
        return err_set(err, ERR_NOT_FOUND, "user: there is no user '%.*s'", STR_ARG(text));
    *ret_uid = p->pw_uid;
    *ret_gid = p->pw_gid;
    return true;
}

static bool
find_group(struct str text, unsigned *ret, struct err *err)
{
    char name[NAME_MAX_BYTES];
    uint32_t number;

    if (num_parse_u32(text, UINT32_MAX - 1, &number, NULL)) {
        *ret = number;
        return true;
    }
    const struct group *g = name_of(text, name) ? getgrnam(name) : NULL;
    if (!g)
        return err_set(err, ERR_NOT_FOUND, "group: there is no group '%.*s'", STR_ARG(text));
    *ret = g->gr_gid;
    return true;
}

bool
privileges_find(struct str user, struct str group, unsigned *ret_uid, unsigned *ret_gid, struct err *err)
{
    unsigned uid = NOBODY, gid = NOBODY;

    if (user.len && !find_user(user, &uid, &gid, err))
        return false;
    if (group.len && !find_group(group, &gid, err))
        return false;
    *ret_uid = uid;
    *ret_gid = gid;
    return true;
}

bool
privileges_drop(struct str user, struct str group, struct err *err)
{
    unsigned uid, gid;

    if (!privileges_find(user, group, &uid, &gid, err))
        return false;
    bool is_other_group = gid != NOBODY && (gid != getgid() || gid != getegid());
    bool is_other_user = uid != NOBODY && (uid != getuid() || uid != geteuid());
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!is_other_group && !is_other_user)
        return true;
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED, "user: only root can become '%.*s'", STR_ARG(user.len ? user : group));
    gid_t only = gid == NOBODY ? getgid() : gid;
    if (setgroups(1, &only) < 0 || (gid != NOBODY && setresgid(gid, gid, gid) < 0) ||
        (uid != NOBODY && setresuid(uid, uid, uid) < 0))
        return err_set_errno(err, ERR_DENIED, errno, "cannot become user %u, group %u", uid, gid);
    if (uid != NOBODY && uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        return err_set(err, ERR_DENIED, "dropping privileges did not last");
    return true;
}
