// SPDX-License-Identifier: Apache-2.0
// Any bytes as a pickle: refused with a sentence, or values whose references all lie within it.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pickle p;
    if (pickle_parse(&p, data, size, "x.pt") != 0) {
        MUST(strstr(error_last(), "x.pt") || strstr(error_last(), "memory"));
        return 0;
    }
    MUST(p.root >= 0 && p.root < p.nvalues);
    for (int i = 0; i < p.nvalues; i++) {
        const struct pickle_value *v = &p.values[i];
        MUST(v->first >= -1 && v->first < p.ncells && v->last < p.ncells && v->n <= p.ncells);
        if (v->kind == PICKLE_TEXT || v->kind == PICKLE_STORAGE)
            MUST((const uint8_t *)v->text >= data && v->len <= size);
        if (v->kind == PICKLE_TENSOR)
            MUST(v->tensor >= 0 && v->tensor < p.ntensors);
    }
    for (int i = 0; i < p.ncells; i++)
        MUST(p.cells[i].key < p.nvalues && p.cells[i].value >= 0 && p.cells[i].value < p.nvalues && p.cells[i].next < p.ncells);
    for (int i = 0; i < p.ntensors; i++)
        MUST(p.values[p.tensors[i].storage].kind == PICKLE_STORAGE && p.tensors[i].offset >= 0 &&
             p.tensors[i].ndim <= ST_DIMS);
    (void)pickle_get(&p, p.root, "state_dict");
    pickle_free(&p);
    return 0;
}
