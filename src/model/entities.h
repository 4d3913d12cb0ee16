// SPDX-License-Identifier: Apache-2.0
#ifndef MODEL_ENTITIES_H
#define MODEL_ENTITIES_H

#include <stddef.h>

enum { ENTITY_LONGEST = 32 };   // no name is longer, ';' included

// What `&name` stands for, in UTF-8 (one or two characters); NULL: there is no such name. `name` as in "amp;" or "amp".
const char *entity_text(const char *name, size_t len);

#endif
