// SPDX-License-Identifier: Apache-2.0
// Parquet as lines of JSON, a row a line, through DuckDB's shared library: loaded when the first file asks for it, from
// $DIHT_DUCKDB, the usual names, or the user's data directory.
#ifndef DATA_PARQUET_H
#define DATA_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct parquet;

bool parquet_is(const void *bytes, size_t n);                    // by the first bytes
// EUNSUPPORTED_: the library is not there, and how to do without; EFORMAT_: what DuckDB says of the file.
int parquet_open(struct parquet **out, const char *path);
void parquet_close(struct parquet *p);                           // accepts NULL
// The next bytes of the lines: numbers, truths, lists and structures as JSON's own, everything else as a text, NULL as null.
// 0 at the end, EFORMAT_, EMEMORY_. Memory does not grow with the rows.
ssize_t parquet_read(struct parquet *p, void *to, size_t n);
double parquet_share(const struct parquet *p);                   // of the rows read so far, 0 .. 1

#endif
