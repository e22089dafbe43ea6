/* make_apis.c: writes an APIOps folder with many APIs, to load and route.
 *     make_apis FOLDER [APIS [OPERATIONS [BACKEND-URL]]]         10000 10 http://127.0.0.1:9000
 * API n answers below /api-n; its operations are GET /things-k/{id}. One product holds them all; no key is needed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
fail(const char *path)
{
    fprintf(stderr, "make_apis: %s: %s\n", path, strerror(errno));
    exit(1);
}

static void
make_folder(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        fail(path);
}

static FILE *
create(const char *folder, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    if (!f)
        fail(path);
    return f;
}

static void
write_api(const char *root, int n, int operations, const char *backend)
{
    char folder[4096];
    FILE *f;

    snprintf(folder, sizeof(folder), "%s/apis/api-%d", root, n);
    make_folder(folder);
    f = create(folder, "apiInformation.json");
    fprintf(f,
            "{\n  \"properties\": {\n    \"path\": \"api-%d\",\n    \"displayName\": \"API %d\",\n"
            "    \"protocols\": [\"http\", \"https\"],\n    \"apiRevision\": \"1\",\n    \"isCurrent\": true,\n"
            "    \"subscriptionRequired\": false,\n    \"serviceUrl\": \"%s\"\n  }\n}\n",
            n, n, backend);
    fclose(f);
    f = create(folder, "specification.yaml");
    fprintf(f, "openapi: 3.0.1\ninfo:\n  title: API %d\n  version: '1.0'\npaths:\n", n);
    for (int k = 0; k < operations; k++)
        fprintf(f,
                "  /things-%d/{id}:\n    get:\n      summary: One of the things number %d\n      operationId: get-thing-%d\n"
                "      parameters:\n        - name: id\n          in: path\n          required: true\n"
                "          schema:\n            type: string\n      responses:\n        '200':\n"
                "          description: The thing\n",
                k, k, k);
    fclose(f);
}

int
main(int argc, char **argv)
{
    int apis = argc > 2 ? atoi(argv[2]) : 10000, operations = argc > 3 ? atoi(argv[3]) : 10;
    const char *backend = argc > 4 ? argv[4] : "http://127.0.0.1:9000";
    char folder[4096];
    FILE *f;

    if (argc < 2 || apis < 1 || operations < 0) {
        fprintf(stderr, "usage: make_apis FOLDER [APIS [OPERATIONS [BACKEND-URL]]]\n");
        return 2;
    }
    make_folder(argv[1]);
    snprintf(folder, sizeof(folder), "%s/apis", argv[1]);
    make_folder(folder);
    for (int n = 0; n < apis; n++)
        write_api(argv[1], n, operations, backend);
    f = create(argv[1], "policy.xml");
    fprintf(f, "<policies>\n  <inbound />\n  <backend>\n    <forward-request />\n  </backend>\n  <outbound />\n"
               "  <on-error />\n</policies>\n");
    fclose(f);
    return 0;
}
