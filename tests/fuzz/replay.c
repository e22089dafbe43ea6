/* replay.c: runs a fuzz target over files and folders given as arguments, one input a file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path)
{
    struct buf content AUTO(buf_destroy) = BUF_INIT;
    struct err err;
    struct stat st;
    int n = 0;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir));) {
            char name[4096];
            if (e->d_name[0] == '.')
                continue;
            snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
            n += replay(name);
        }
        if (dir)
            closedir(dir);
        return n;
    }
    if (!file_read(path, SIZE_MAX, &content, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    /* An exact copy, so that a read past the end is seen by the sanitizer. */
    uint8_t *copy = xmalloc(content.len);
    if (content.len)
        memcpy(copy, content.p, content.len);
    LLVMFuzzerTestOneInput(copy, content.len);
    free(copy);
    return 1;
}

int
main(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%d passed, 0 failed\n", n);
    return 0;
}
