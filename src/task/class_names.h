// SPDX-License-Identifier: Apache-2.0
// Class names and prompt templates from files, as CLIP_benchmark keeps them or one a line.
#ifndef TASK_CLASS_NAMES_H
#define TASK_CLASS_NAMES_H

#include <stdint.h>

struct names {
    char **at;
    int64_t n;
};
void names_clear(struct names *names);   // accepts a zeroed one

// A text file: one a line, empty lines passed over. JSON: a list of texts, or an object of such lists by data set
// (maybe inside one by language): `set` picks; one alone needs no picking. EFORMAT_ lists the sets there are.
int names_read(struct names *out, const char *path, const char *set);
int names_add(struct names *names, const char *text);   // EMEMORY_

// Prompts of each class's own, from a JSON object keyed by class name, at the top or inside another (CuPL's files, alone or
// by data set; `set`: only inside the object called so): whole sentences, or with {} or {c} as templates. 1: *out
// [classes->n] was filled; 0: the file is not of this kind. EMISSING_ names a class that has none.
int prompts_by_class(struct names **out, const char *path, const char *set, const struct names *classes);
void prompts_free(struct names *prompts, int64_t classes);   // accepts NULL

// Every template with {} or {c} once: EFORMAT_ names the one without. The project's own: a dozen plain ones.
int templates_check(const struct names *templates, const char *from);
int templates_own(struct names *out);

#endif
