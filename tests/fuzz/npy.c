// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "base/npy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy a;
    const char *path = fuzz_file(data, size, ".npy");
    if (npy_open(&a, path) != 0) {
        MUST(strstr(error_last(), path));
        return 0;
    }
    char text[96];
    npy_describe(&a, text);
    MUST(a.ndim >= 0 && a.ndim <= 8 && a.count >= 0 && (size_t)a.count <= size);
    if (a.count > 0) {   // both ends can be read
        double x[2];
        npy_read_f64(&a, 0, 1, &x[0]);
        npy_read_f64(&a, a.count - 1, 1, &x[1]);
    }
    npy_close(&a);
    return 0;
}
