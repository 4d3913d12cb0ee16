// SPDX-License-Identifier: Apache-2.0
// A fuzz target is one function that takes any bytes and must come back. The same file is linked with driver.c (the
// corpus and some thousand mutations of it, in every test run) or with libFuzzer (meson option `fuzzers`).
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What must hold whatever the input; ends the program, so that both drivers see it.
#define MUST(ok) ((ok) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #ok))
static inline void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

// The bytes as a file with this ending, until the next call; its path.
const char *fuzz_file(const uint8_t *data, size_t size, const char *ending);

#endif
