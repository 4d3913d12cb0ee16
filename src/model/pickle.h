// SPDX-License-Identifier: Apache-2.0
// Pickled values as PyTorch's checkpoints hold them: texts, numbers, tuples, lists, dictionaries, tensors. The pickle
// is parsed, nothing in it runs: operations and names outside a short list are refused.
#ifndef MODEL_PICKLE_H
#define MODEL_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "model/safetensors.h"

enum pickle_kind { PICKLE_NONE, PICKLE_BOOL, PICKLE_INT, PICKLE_REAL, PICKLE_TEXT, PICKLE_TUPLE, PICKLE_LIST, PICKLE_DICT,
                   PICKLE_NAME, PICKLE_STORAGE, PICKLE_TENSOR };

struct pickle_value {
    enum pickle_kind kind;
    int64_t number;              // BOOL, INT; NAME: which of the list
    double real;
    const char *text;            // TEXT, and STORAGE's key: in the pickle's bytes, not terminated
    size_t len;
    int first, last;             // TUPLE, LIST, DICT: their cells, -1: none
    int64_t n;
    enum st_type type;           // STORAGE: of `number` elements
    int tensor;                  // TENSOR: index into pickle.tensors
};

struct pickle_cell {
    int key, value, next;        // indices of values (key -1: in tuples and lists) and of the next cell
};

struct pickle_tensor {
    int storage;                 // index of a value
    int ndim;
    int64_t offset, shape[ST_DIMS], stride[ST_DIMS];   // elements
};

struct pickle {
    struct pickle_value *values;
    struct pickle_cell *cells;
    struct pickle_tensor *tensors;
    int nvalues, ncells, ntensors;
    int root;
};
// Borrows the bytes. Memory stays within a constant times their number.
int pickle_parse(struct pickle *p, const unsigned char *at, size_t size, const char *path);
void pickle_free(struct pickle *p);
int pickle_get(const struct pickle *p, int dict, const char *key);   // value, or -1

#endif
