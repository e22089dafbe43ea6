/* test_state_dir.c: the folder is made, closed to others, and knows its format.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state_dir.c"

#include "test.h"

static char folder[64];

static bool
open_state(const char *path, struct err *err)
{
    return state_dir_open(str_from_c(path), (unsigned)-1, (unsigned)-1, err);
}

static void
write_format(const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/format", folder);
    EXPECT(file_write_atomic(path, str_from_c(text), 0644, NULL));
}

static void
make_root(void)
{
    snprintf(folder, sizeof(folder), "/tmp/headgate-state-XXXXXX");
    EXPECT(mkdtemp(folder) != NULL);
}

static void
remove_root(void)
{
    char command[160];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    EXPECT_EQ(system(command), 0);
}

TEST(a_folder_is_made_with_its_parents)
{
    struct err err = ERR_INIT;
    struct stat st;
    char path[128];

    make_root();
    snprintf(path, sizeof(path), "%s/a/b/", folder);
    EXPECT_OK(open_state(path, &err));
    EXPECT_OK(open_state(path, &err));
    EXPECT_EQ(stat(path, &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700);
    remove_root();
}

TEST(a_folder_open_to_others_is_closed)
{
    struct err err = ERR_INIT;
    struct stat st;

    make_root();
    EXPECT_EQ(chmod(folder, 0755), 0);
    EXPECT_OK(open_state(folder, &err));
    EXPECT_EQ(stat(folder, &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700);
    remove_root();
}

TEST(a_newer_format_and_a_foreign_folder_are_refused)
{
    struct err err = ERR_INIT;

    make_root();
    write_format("headgate-state 2\n");
    EXPECT_ERR(open_state(folder, &err), ERR_UNSUPPORTED);
    write_format("something else\n");
    EXPECT_ERR(open_state(folder, &err), ERR_SYNTAX);
    write_format("headgate-state 1\n");
    EXPECT_OK(open_state(folder, &err));
    remove_root();
}

TEST(no_folder_is_fine_and_a_file_is_not)
{
    struct err err = ERR_INIT;

    EXPECT_OK(open_state("", &err));
    EXPECT_ERR(open_state("/dev/null", &err), ERR_IO);
    EXPECT_ERR(open_state("/dev/null/x", &err), ERR_IO);
}
