// SPDX-License-Identifier: Apache-2.0
// Running the program from a test: a scratch directory, its two streams apart, its exit status.
#ifndef TESTS_CLI_RUN_H
#define TESTS_CLI_RUN_H

#include <stdbool.h>

extern char out[1 << 16], err[1 << 16];   // what the last run said

// A fresh directory that becomes the working directory; removed by scratch_end. false: it could not be made.
bool scratch_begin(void);
void scratch_end(void);
void scratch_file(const char *name, const char *text);
bool scratch_has(const char *name);
// A list of 12 rows: ten pictures of the golden data (splits train and val), one missing file, one empty row.
void scratch_list(const char *name);

// `diht ARGS` through the shell, in the scratch directory; its exit status.
int diht(const char *args, ...) __attribute__((format(printf, 1, 2)));
bool said(const char *words);             // on stderr
bool json_line(void);                     // stdout is one line holding one JSON object

#endif
