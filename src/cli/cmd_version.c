/* cmd_version.c: `headgate version`.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ares.h>
#include <libxml/xmlversion.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "cli/commands.h"

int
cmd_version(int argc, char **argv)
{
    char pcre[64] = "";
    bool is_help = argc == 2 && !strcmp(argv[1], "--help");

    if (argc != 1) {
        fprintf(is_help ? stdout : stderr, "usage: headgate version\n\nPrints the version and what it was built with.\n");
        return is_help ? 0 : 2;
    }
    pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    printf("headgate %s\n", HEADGATE_VERSION);
    printf("%s, nghttp2 %s, c-ares %s, libxml2 %s, PCRE2 %s, zlib %s\n", OpenSSL_version(OPENSSL_VERSION),
           nghttp2_version(0)->version_str, ares_version(NULL), LIBXML_DOTTED_VERSION, pcre, zlibVersion());
    return 0;
}
