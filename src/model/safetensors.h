// SPDX-License-Identifier: Apache-2.0
// safetensors files: an 8-byte length, a JSON header (name -> dtype, shape, data_offsets), raw little-endian data.
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/map.h"

enum st_type { ST_F64, ST_F32, ST_F16, ST_BF16, ST_I64, ST_I32, ST_I16, ST_I8, ST_U8, ST_BOOL };
const char *st_type_name(enum st_type type);   // "F32"
int st_type_size(enum st_type type);

enum { ST_DIMS = 8 };

struct st_tensor {
    char *name;
    enum st_type type;
    int ndim;
    int64_t shape[ST_DIMS];
    int64_t count;              // product of shape
    const unsigned char *data;  // mapped, read-only, any alignment
    bool strided;               // elements do not lie in order (PyTorch's views): `stride` tells where
    int64_t stride[ST_DIMS];    // elements
    const unsigned char *scale; // I8: a float a row (shape[0] of them), value = code x scale; NULL: mere integers
    int64_t part;               // > 0: three runs of so many elements, the second and third at `more`
    const unsigned char *more[2];
};

struct st_meta {
    char *key, *value;
};

// An open file: every tensor's bytes are known to lie inside it, without overlap or hole.
struct st_file {
    struct st_tensor *tensors;  // in the order of their data
    int n;
    struct st_meta *meta;
    int nmeta;
    struct map *index;          // name -> tensor
    struct file_map map;
};
int st_open(struct st_file *f, const char *path);
void st_close(struct st_file *f);
const struct st_tensor *st_find(const struct st_file *f, const char *name);   // NULL: absent
const char *st_meta_get(const struct st_file *f, const char *key);            // NULL: absent

// Bytes named X with a tensor X.scale, F32 [rows], are codes: X gets its scale, X.scale leaves the list. EMEMORY_.
int st_join_scales(struct st_file *f);

// Elements [first, first + n) converted; of tensors that st_readable says are real numbers.
bool st_is_real(enum st_type type);   // F64, F32, F16, BF16
bool st_readable(const struct st_tensor *t);
void st_read_f32(const struct st_tensor *t, int64_t first, int64_t n, float *out);
void st_forget(const struct st_tensor *t, int64_t first, int64_t n);   // not read again soon: leaves memory
void st_read_f64(const struct st_tensor *t, int64_t first, int64_t n, double *out);

// "F32 [512, 48]" into out[128], for sentences.
void st_describe(char out[128], enum st_type type, int ndim, const int64_t *shape);

// Writing: the header is made from the list, then each tensor's bytes follow in the list's order.
struct st_entry {
    const char *name;
    enum st_type type;
    int ndim;
    const int64_t *shape;
};
struct st_pair {
    const char *key, *value;
};
int st_begin(struct atomic_file *a, const char *path, const struct st_entry *entries, int n, const struct st_pair *meta,
             int nmeta);
int st_add(struct atomic_file *a, const void *bytes, int64_t n);

#endif
