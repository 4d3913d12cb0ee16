// SPDX-License-Identifier: Apache-2.0
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "options.h"

extern const struct command *const commands[];   // ends with NULL

// Print the result (freed here) or the error's sentence; the program's exit status:
// 0, 1 failed, 2 used wrongly, 130 stopped.
int command_done(int rc, char *result);

#endif
