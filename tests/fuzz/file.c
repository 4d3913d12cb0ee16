// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include <unistd.h>

static char path[256];

static void forget(void)
{
    if (path[0])
        unlink(path);
}

const char *fuzz_file(const uint8_t *data, size_t size, const char *ending)
{
    const char *dir = getenv("TMPDIR");
    if (!path[0])
        atexit(forget);
    forget();
    snprintf(path, sizeof path, "%s/diht-fuzz-%d%s", dir ? dir : "/tmp", (int)getpid(), ending);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
    return path;
}
