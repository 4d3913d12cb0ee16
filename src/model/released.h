// SPDX-License-Identifier: Apache-2.0
// The published DiHT checkpoints.
#ifndef MODEL_RELEASED_H
#define MODEL_RELEASED_H

#include <stdbool.h>

#define RELEASED_AT "https://dl.fbaipublicfiles.com/diht/"
#define RELEASED_LICENCE "CC-BY-NC 4.0 (no commercial use)"

extern const char *const released_names[];              // "diht_vitb32_224px" ...; ends with NULL
const char *released_file(const char *name);            // its file's name; NULL: there is no such model
// The SHA-256 that a file's name carries, NAME_<64 hex digits>.ENDING, as lower-case hex. false: it carries none.
bool released_hash(char out[65], const char *file);

#endif
