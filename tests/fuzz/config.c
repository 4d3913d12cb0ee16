// SPDX-License-Identifier: Apache-2.0
// A model's configuration: refused with a sentence, or one that reads back as itself.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config c, again;
    if (config_parse(&c, (const char *)data, size, "config.json") != 0) {
        MUST(strstr(error_last(), "config.json"));
        return 0;
    }
    char *text = config_json(&c);
    MUST(text && config_parse(&again, text, strlen(text), "config.json") == 0);
    char *twice = config_json(&again);
    MUST(twice && strcmp(text, twice) == 0);
    free(text);
    free(twice);
    return 0;
}
