// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

int model_write(const char *path);   // a small fresh model
int model_read(const char *path);    // opened, made ready to train, closed

#endif
