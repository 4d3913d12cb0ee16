// SPDX-License-Identifier: Apache-2.0
#include "base/npy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

static const struct {
    const char *descr, *name;
    int size;
} types[] = {
    [NPY_F16] = {"<f2", "float16", 2}, [NPY_F32] = {"<f4", "float32", 4}, [NPY_F64] = {"<f8", "float64", 8},
    [NPY_I8] = {"|i1", "int8", 1},     [NPY_U8] = {"|u1", "uint8", 1},    [NPY_I16] = {"<i2", "int16", 2},
    [NPY_I32] = {"<i4", "int32", 4},   [NPY_I64] = {"<i8", "int64", 8},   [NPY_BOOL] = {"|b1", "bool", 1},
};
enum { NTYPES = sizeof types / sizeof *types };

const char *npy_type_name(enum npy_type t) { return types[t].name; }
int npy_type_size(enum npy_type t) { return types[t].size; }

// The value after 'key': in the header's Python dict, or NULL.
static const char *header_value(const char *text, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *p = strstr(text, quoted);
    if (!p)
        return NULL;
    p += strlen(quoted);
    while (isspace((unsigned char)*p))
        p++;
    if (*p++ != ':')
        return NULL;
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static int parse_header(struct npy *a, const char *path, const char *text)
{
    const char *descr = header_value(text, "descr"), *order = header_value(text, "fortran_order");
    const char *shape = header_value(text, "shape");
    if (!descr || !order || !shape || *descr != '\'' || *shape != '(')
        return FAIL(EFORMAT_, "%s: the .npy header lacks descr, fortran_order or shape", path);
    int t = 0;
    while (t < NTYPES && strncmp(descr + 1, types[t].descr, 3) != 0)
        t++;
    if (t == NTYPES || descr[4] != '\'')
        return FAIL(EFORMAT_, "%s: element type %.8s is not supported (float16/32/64 or integers, little-endian)", path,
                    descr);
    a->type = (enum npy_type)t;
    if (strncmp(order, "False", 5) != 0)
        return FAIL(EFORMAT_, "%s: the array is in Fortran order; save it with numpy.ascontiguousarray", path);
    a->ndim = 0;
    a->count = 1;
    for (const char *p = shape + 1;;) {
        while (*p == ' ' || *p == ',')
            p++;
        if (*p == ')')
            break;
        char *end;
        long long d = strtoll(p, &end, 10);
        if (end == p || d < 0 || a->ndim == 8 || (d && a->count > INT64_MAX / 16 / d))
            return FAIL(EFORMAT_, "%s: the .npy header's shape cannot be read", path);
        a->shape[a->ndim++] = d;
        a->count *= d;
        p = end;
    }
    return 0;
}

int npy_open(struct npy *a, const char *path)
{
    memset(a, 0, sizeof *a);
    int rc = file_map(&a->map, path);
    if (rc)
        return rc;
    const unsigned char *p = a->map.at;
    size_t size = a->map.size, start = 0, len = 0;
    if (size < 12 || memcmp(p, "\x93NUMPY", 6) != 0)
        rc = FAIL(EFORMAT_, "%s: not a .npy file (it does not start with \\x93NUMPY)", path);
    else if (p[6] == 1) {
        start = 10;
        len = p[8] | (size_t)p[9] << 8;
    } else if (p[6] == 2 || p[6] == 3) {
        start = 12;
        len = p[8] | (size_t)p[9] << 8 | (size_t)p[10] << 16 | (size_t)p[11] << 24;
    } else
        rc = FAIL(EFORMAT_, "%s: .npy version %d is not known", path, p[6]);
    char *text = NULL;
    if (!rc && (len > size - start || len > 1 << 20))
        rc = FAIL(EFORMAT_, "%s: truncated: the header of %zu bytes ends past the file's %zu", path, len, size);
    if (!rc && !(text = strndup((const char *)p + start, len)))
        rc = FAIL(EMEMORY_, "out of memory");
    if (!rc)
        rc = parse_header(a, path, text);
    if (!rc) {
        size_t need = (size_t)a->count * (size_t)types[a->type].size, have = size - start - len;
        char what[96];
        npy_describe(a, what);
        if (have < need)
            rc = FAIL(EFORMAT_, "%s: truncated: %s needs %zu bytes, %zu are there", path, what, need, have);
        a->data = p + start + len;
    }
    free(text);
    if (rc)
        npy_close(a);
    return rc;
}

void npy_close(struct npy *a)
{
    file_unmap(&a->map);
    memset(a, 0, sizeof *a);
}

void npy_forget(const struct npy *a, int64_t first, int64_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), size = (uintptr_t)types[a->type].size;
    uintptr_t from = ((uintptr_t)a->data + (uintptr_t)first * size) / page * page;
    uintptr_t to = (uintptr_t)a->data + (uintptr_t)(first + n) * size;
    if (a->map.base && to > from)
        madvise((void *)from, to - from, MADV_DONTNEED);   // a map of a file: what is read later comes from it again
}

void npy_describe(const struct npy *a, char out[96])
{
    int n = snprintf(out, 96, "%s [", types[a->type].name);
    for (int i = 0; i < a->ndim && n < 80; i++)
        n += snprintf(out + n, 96 - (size_t)n, "%s%lld", i ? ", " : "", (long long)a->shape[i]);
    if (n > 94)
        n = 94;
    snprintf(out + n, 96 - (size_t)n, "]");
}

float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 1023, bits;
    if (exp == 31)
        bits = sign | 0x7f800000 | man << 13;
    else if (exp)
        bits = sign | (exp + 112) << 23 | man << 13;
    else {
        float f = (float)man * 0x1p-24f;
        memcpy(&bits, &f, 4);
        bits |= sign;
    }
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

// Exponent and fraction moved up are the value x 2^-112, also of a subnormal; infinities and NaN keep their exponent full.
void halves_to_floats(float *out, const void *halves, int64_t n)
{
    enum { LANES = 8 };
    typedef uint16_t u16s __attribute__((vector_size(2 * LANES)));
    typedef uint32_t u32s __attribute__((vector_size(4 * LANES)));
    typedef float f32s __attribute__((vector_size(4 * LANES)));
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        u16s h;
        memcpy(&h, (const char *)halves + 2 * i, sizeof h);
        u32s x = __builtin_convertvector(h, u32s), full = (u32s)((x & 0x7c00) == 0x7c00) & 0x7f800000;
        f32s f = (f32s)((x & 0x7fff) << 13) * 0x1p112f;
        u32s bits = (u32s)f | full | (x & 0x8000) << 16;
        memcpy(out + i, &bits, sizeof bits);
    }
    for (; i < n; i++) {
        uint16_t h;
        memcpy(&h, (const char *)halves + 2 * i, sizeof h);
        out[i] = half_to_float(h);
    }
}

uint16_t float_to_half(float f)
{
    uint32_t x;
    memcpy(&x, &f, 4);
    uint16_t sign = (uint16_t)(x >> 16 & 0x8000);
    x &= 0x7fffffff;
    if (x > 0x7f800000)
        return sign | 0x7e00;
    if (x >= 0x477ff000)   // rounds to infinity
        return sign | 0x7c00;
    if (x < 0x38800000) {  // subnormal: add a magic number so the FPU rounds
        float g;
        memcpy(&g, &x, 4);
        g += 0.5f;
        memcpy(&x, &g, 4);
        return sign | (uint16_t)(x - 0x3f000000);
    }
    x += 0xfff + (x >> 13 & 1);
    return sign | (uint16_t)((x >> 13) - (112 << 10));
}

// Element i as a double, whatever the alignment.
static double element(const struct npy *a, int64_t i)
{
    const unsigned char *p = (const unsigned char *)a->data + i * types[a->type].size;
    union { uint16_t h; float f; double d; int8_t b; uint8_t u; int16_t s; int32_t i; int64_t l; } v;
    memcpy(&v, p, (size_t)types[a->type].size);
    switch (a->type) {
    case NPY_F16: return half_to_float(v.h);
    case NPY_F32: return v.f;
    case NPY_F64: return v.d;
    case NPY_I8: return v.b;
    case NPY_U8: case NPY_BOOL: return v.u;
    case NPY_I16: return v.s;
    case NPY_I32: return v.i;
    case NPY_I64: return (double)v.l;
    }
    return 0;
}

void npy_read_f32(const struct npy *a, int64_t first, int64_t n, float *out)
{
    if (a->type == NPY_F32)
        memcpy(out, (const char *)a->data + 4 * first, (size_t)(4 * n));
    else
        for (int64_t i = 0; i < n; i++)
            out[i] = (float)element(a, first + i);
}

void npy_read_f64(const struct npy *a, int64_t first, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = element(a, first + i);
}

void npy_read_i64(const struct npy *a, int64_t first, int64_t n, int64_t *out)
{
    for (int64_t i = 0; i < n; i++)
        if (a->type == NPY_I64)
            memcpy(&out[i], (const char *)a->data + 8 * (first + i), 8);
        else {
            double v = element(a, first + i);
            // what no int64 holds, NaN too, becomes the least: no index is ever that
            out[i] = v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
        }
}

static void *room(const struct npy *a, size_t size)
{
    void *p = malloc((size_t)a->count * size + 1);
    if (!p)
        FAIL(EMEMORY_, "out of memory: an array of %lld elements", (long long)a->count);
    return p;
}

float *npy_all_f32(const struct npy *a)
{
    float *p = room(a, sizeof *p);
    if (p)
        npy_read_f32(a, 0, a->count, p);
    return p;
}

double *npy_all_f64(const struct npy *a)
{
    double *p = room(a, sizeof *p);
    if (p)
        npy_read_f64(a, 0, a->count, p);
    return p;
}

int64_t *npy_all_i64(const struct npy *a)
{
    int64_t *p = room(a, sizeof *p);
    if (p)
        npy_read_i64(a, 0, a->count, p);
    return p;
}

int npy_begin(struct atomic_file *a, const char *path, enum npy_type type, int ndim, const int64_t *shape)
{
    int rc = atomic_open(a, path);
    if (rc)
        return rc;
    char text[512];
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[type].descr);
    for (int i = 0; i < ndim; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%lld%s", (long long)shape[i],
                      i + 1 < ndim || ndim == 1 ? ", " : "");
    n += snprintf(text + n, sizeof text - (size_t)n, "), }");
    while ((10 + n + 1) % 64)
        text[n++] = ' ';
    text[n++] = '\n';
    unsigned char head[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(n & 255), (unsigned char)(n >> 8)};
    fwrite(head, 1, sizeof head, a->f);
    fwrite(text, 1, (size_t)n, a->f);
    return 0;
}

int npy_write(const char *path, enum npy_type type, int ndim, const int64_t *shape, const void *data)
{
    struct atomic_file a;
    int rc = npy_begin(&a, path, type, ndim, shape);
    if (rc)
        return rc;
    size_t count = 1;
    for (int i = 0; i < ndim; i++)
        count *= (size_t)shape[i];
    fwrite(data, (size_t)types[type].size, count, a.f);
    return atomic_commit(&a);
}
