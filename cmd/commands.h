// SPDX-License-Identifier: Apache-2.0
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include <stdio.h>

#include "options.h"

extern const struct command *const commands[];   // ends with NULL

// Print the result (freed here) or the error's sentence; the program's exit status:
// 0, 1 failed, 2 used wrongly, 130 stopped.
int command_done(int rc, char *result);

// `diht help [COMMAND] [--man [COMMAND]] [--completion bash]`: the program's exit status.
int help_run(int argc, char **argv);
int help_usage(FILE *f);   // the list of commands; 0 on stdout, 2 elsewhere

#endif
