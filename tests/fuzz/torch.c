// SPDX-License-Identifier: Apache-2.0
// Any bytes as a zip of tensors: refused with a sentence that names the file, or tensors that can be read to the end.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/torch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    const char *path = fuzz_file(data, size, ".pt");
    if (torch_open(&f, path) != 0) {
        MUST(strstr(error_last(), path));
        return 0;
    }
    for (int i = 0; i < f.n; i++) {
        const struct st_tensor *t = &f.tensors[i];
        float x;
        MUST(st_find(&f, t->name) == t && t->count >= 0 && (size_t)t->count <= size);
        for (int64_t k = 0; k < t->count && st_is_real(t->type); k++)
            st_read_f32(t, k, 1, &x);
    }
    st_close(&f);
    return 0;
}
