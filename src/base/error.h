// SPDX-License-Identifier: Apache-2.0
// Failures: a negative code plus one sentence a user can act on, kept per thread.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

// Codes. The values are part of the public API (diht.h repeats them as DIHT_E*).
enum {
    EIO_ = -1,          // reading or writing failed (disk, pipe, permissions)
    EFORMAT_ = -2,      // a file's content is not what its kind promises
    EUSAGE_ = -3,       // an option or argument is wrong
    EMEMORY_ = -4,      // out of memory
    EMISSING_ = -5,     // a file, key, tensor or library is not there
    EFULL_ = -6,        // no space left
    ESTOPPED_ = -7,     // the user asked to stop
    EUNSUPPORTED_ = -8, // well-formed, but not something this build can do
};

// Record the sentence and return `code`: `return FAIL(EFORMAT_, "%s: line %d: ...", path, line);`
// Name the file, row, key or tensor; what was expected and what was found; what to do.
#define FAIL(code, ...) error_set((code), __FILE__, __LINE__, __VA_ARGS__)
int error_set(int code, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

// Put words before the recorded sentence ("data.tsv: row 7: " + sentence); returns `code` unchanged.
int error_prefix(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// The calling thread's last sentence ("" when none).
const char *error_last(void);
// Where it was raised, "src/x.c:12", for the debug log.
const char *error_where(void);
// Set the sentence in this thread to one taken from another (a worker's failure, reported by its owner).
int error_adopt(int code, const char *sentence);
// EFULL_ for ENOSPC/EDQUOT, EMISSING_ for ENOENT, else EIO_.
int error_from_errno(int err);

#endif
