// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file f;
    const char *path = fuzz_file(data, size, ".safetensors");
    if (st_open(&f, path) != 0) {
        MUST(strstr(error_last(), path));
        return 0;
    }
    unsigned sum = 0;
    for (int i = 0; i < f.n; i++) {
        const struct st_tensor *t = &f.tensors[i];
        char text[128];
        st_describe(text, t->type, t->ndim, t->shape);
        MUST(st_find(&f, t->name) == t && t->count >= 0 && (size_t)t->count <= size);
        for (int64_t k = 0; k < t->count * st_type_size(t->type); k++)
            sum += t->data[k];
        float x;
        if (t->count > 0 && st_is_real(t->type))
            st_read_f32(t, t->count - 1, 1, &x);
    }
    for (int i = 0; i < f.nmeta; i++)
        sum += (unsigned)strlen(f.meta[i].key) + (unsigned)strlen(f.meta[i].value);
    MUST(sum < UINT32_MAX);
    st_close(&f);
    return 0;
}
