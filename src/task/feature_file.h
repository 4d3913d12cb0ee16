// SPDX-License-Identifier: Apache-2.0
// Features kept beside the data while they are made: rows appended in order, so that a job killed at any moment goes on
// with the first row that is not whole. Every call accepts NULL: nothing is kept then.
#ifndef TASK_FEATURE_FILE_H
#define TASK_FEATURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct feature_file;

// `what` says what the rows depend on (model, samples, prompt): a file of something else starts anew. NULL in *out, and
// 0, when another process has it or the directory cannot be written (logged): the job then runs without.
int feature_file_open(struct feature_file **out, const char *dir, const char *name, const char *what, int64_t d,
                      int64_t n);
void feature_file_close(struct feature_file *f);

int64_t feature_file_rows(const struct feature_file *f);                             // whole ones
int feature_file_read(struct feature_file *f, int64_t i, bool *good, float *row /* d */);   // EIO_, EFORMAT_
// A disk that is full is logged, and nothing more is kept; the job goes on.
int feature_file_cut(struct feature_file *f, int64_t rows);                          // keep only these
int feature_file_add(struct feature_file *f, bool good, const float *row);           // a bad one's row is not looked at
int feature_file_flush(struct feature_file *f);

#endif
