// SPDX-License-Identifier: Apache-2.0
#include "image/rows.h"

#include <string.h>

#include "base/clock.h"

static void no_pack(struct taps *t) {}

static inline unsigned char clamp8(int32_t sum)
{
    int32_t v = sum >> WEIGHT_BITS;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void across(const struct taps *t, const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride,
                   int rows)
{
    for (int y = 0; y < rows; y++, in += stride, out += out_stride)
        for (int i = 0; i < t->n; i++) {
            const unsigned char *p = in + (size_t)t->first[i] * 3;
            const int32_t *w = t->weight + (size_t)i * (size_t)t->most;
            int32_t r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
            for (int k = 0; k < t->count[i]; k++, p += 3) {
                r += p[0] * w[k];
                g += p[1] * w[k];
                b += p[2] * w[k];
            }
            out[3 * i] = clamp8(r);
            out[3 * i + 1] = clamp8(g);
            out[3 * i + 2] = clamp8(b);
        }
}

// Blocks of sums stay in registers or the first cache.
static void down(const int32_t *w, int count, const unsigned char *restrict in, size_t stride,
                 unsigned char *restrict out, size_t bytes)
{
    enum { BLOCK = 64 };
    for (size_t x = 0; x < bytes; x += BLOCK) {
        int32_t sum[BLOCK];
        size_t n = bytes - x < BLOCK ? bytes - x : BLOCK;
        for (size_t i = 0; i < BLOCK; i++)
            sum[i] = 1 << (WEIGHT_BITS - 1);
        const unsigned char *p = in + x;
        if (n == BLOCK)
            for (int k = 0; k < count; k++, p += stride)
                for (size_t i = 0; i < BLOCK; i++)
                    sum[i] += p[i] * w[k];
        else
            for (int k = 0; k < count; k++, p += stride)
                for (size_t i = 0; i < n; i++)
                    sum[i] += p[i] * w[k];
        for (size_t i = 0; i < n; i++)
            out[x + i] = clamp8(sum[i]);
    }
}

static void normalise(const unsigned char *rgb, float *out, size_t n, const float mean[3], const float std[3])
{
    for (int c = 0; c < 3; c++) {
        float table[256];   // once a level
        for (int v = 0; v < 256; v++)
            table[v] = ((float)v / 255.f - mean[c]) / std[c];
        for (size_t i = 0; i < n; i++)
            out[(size_t)c * n + i] = table[rgb[3 * i + (size_t)c]];
    }
}

const struct row_table rows_ref = {"ref", no_pack, across, down, normalise};

const struct row_table *rows_best(void)
{
#ifdef __x86_64__
    if (cpu_avx512_bytes())
        return &rows_avx512;
    if (cpu_avx2())
        return &rows_avx2;
#endif
    return &rows_ref;
}
