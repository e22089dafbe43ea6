/* commands.h: the commands of the binary, from commands.def.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define COMMAND(function, name, arguments, summary) int cmd_##function(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND
