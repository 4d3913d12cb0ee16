// SPDX-License-Identifier: Apache-2.0
// JSON written as it comes, a line a sample; reading is jansson's.
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stddef.h>

#include "base/buf.h"

void json_text(struct buf *out, const char *text, size_t n);   // quoted and escaped; bytes that are no UTF-8 as U+FFFD

#endif
