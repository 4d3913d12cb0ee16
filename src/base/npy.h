// SPDX-License-Identifier: Apache-2.0
// NumPy .npy files (format 1.0-3.0, little-endian, C order).
#ifndef BASE_NPY_H
#define BASE_NPY_H

#include <stdint.h>

#include "base/file.h"

enum npy_type { NPY_F16, NPY_F32, NPY_F64, NPY_I8, NPY_U8, NPY_I16, NPY_I32, NPY_I64, NPY_BOOL };

struct npy {
    enum npy_type type;
    int ndim;
    int64_t shape[8];
    int64_t count;         // product of shape
    const void *data;      // mapped, read-only; may be unaligned for hand-made files: use npy_read_*
    struct file_map map;
};

int npy_open(struct npy *a, const char *path);
void npy_close(struct npy *a);
const char *npy_type_name(enum npy_type type);   // "float32"
int npy_type_size(enum npy_type type);

// Elements [first, first + n) converted (f16, f32, f64 and integers -> float or double or int64).
void npy_read_f32(const struct npy *a, int64_t first, int64_t n, float *out);
void npy_read_f64(const struct npy *a, int64_t first, int64_t n, double *out);
void npy_read_i64(const struct npy *a, int64_t first, int64_t n, int64_t *out);
// These elements will not be read again soon: their pages need not stay in memory.
void npy_forget(const struct npy *a, int64_t first, int64_t n);
// Fresh copies of everything (free them); NULL: out of memory.
float *npy_all_f32(const struct npy *a);
double *npy_all_f64(const struct npy *a);
int64_t *npy_all_i64(const struct npy *a);

// "float32 [10, 3, 64, 64]" into out[96], for messages.
void npy_describe(const struct npy *a, char out[96]);

// Write atomically. For rows that come one by one: npy_begin with the final shape, fwrite into a->f, atomic_commit(a).
int npy_begin(struct atomic_file *a, const char *path, enum npy_type type, int ndim, const int64_t *shape);
int npy_write(const char *path, enum npy_type type, int ndim, const int64_t *shape, const void *data);

float half_to_float(uint16_t h);
void halves_to_floats(float *out, const void *halves, int64_t n);   // any alignment
uint16_t float_to_half(float f);   // round to nearest even

#endif
