/* test_privileges.c: names and numbers; becoming somebody for good, in a child process.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/privileges.c"

#include <sys/wait.h>

#include "test.h"

TEST(names_and_numbers_are_found)
{
    struct err err = ERR_INIT;
    unsigned uid, gid;

    EXPECT_OK(privileges_find(STR("nobody"), STR_NONE, &uid, &gid, &err));
    EXPECT_EQ(uid, 65534);
    EXPECT_EQ(gid, 65534);
    EXPECT_OK(privileges_find(STR("12345"), STR("4242"), &uid, &gid, &err));
    EXPECT_EQ(uid, 12345);
    EXPECT_EQ(gid, 4242);
    EXPECT_OK(privileges_find(STR_NONE, STR_NONE, &uid, &gid, &err));
    EXPECT_EQ((int)uid, -1);
    EXPECT_ERR(privileges_find(STR("no such user"), STR_NONE, &uid, &gid, &err), ERR_NOT_FOUND);
    EXPECT_ERR(privileges_find(STR_NONE, STR("no such group"), &uid, &gid, &err), ERR_NOT_FOUND);
}

TEST(root_becomes_another_user_for_good)
{
    int status;

    if (geteuid() != 0)
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct err err;
        gid_t groups[8];
        bool ok = privileges_drop(STR("nobody"), STR_NONE, &err) && getuid() == 65534 && geteuid() == 65534 &&
                  getegid() == 65534 && setuid(0) != 0 && getgroups(8, groups) == 1 && groups[0] == 65534;
        /* Somebody who is not root cannot become a third. */
        ok = ok && !privileges_drop(STR("12345"), STR_NONE, &err) && err.code == ERR_DENIED;
        _exit(ok ? 0 : 1);
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
