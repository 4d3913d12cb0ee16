// SPDX-License-Identifier: Apache-2.0
// A JSON line of any bytes: a text or a sentence; what jansson reads as an object with a text is read the same.
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "fuzz.h"
#include "task/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = {0};
    int rc = json_line_text(&out, (const char *)data, size);
    MUST(rc == 0 || (rc == EFORMAT_ && error_last()[0]));
    json_t *whole = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    json_t *text = json_object_get(whole, "text");
    // "te\u0078t" is such a key to jansson alone
    if (json_is_string(text) && memmem(data, size, "\"text\"", 6))
        MUST(rc != 0 || (out.len == json_string_length(text) && memcmp(out.len ? out.at : "", json_string_value(text), out.len) == 0) ||
             memmem(data, size, "\\u", 2));
    json_decref(whole);
    buf_free(&out);
    return 0;
}
