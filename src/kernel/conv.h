// SPDX-License-Identifier: Apache-2.0
// Convolutions of small networks on one thread. A map keeps its channels in blocks of 16: [block][row][column][16], rows
// and columns of zeros around it, so that no reader asks where the picture ends. Channels that only fill a block are 0.
#ifndef KERNEL_CONV_H
#define KERNEL_CONV_H

#include <stdint.h>

enum { CONV_LANES = 16 };
enum conv_act { CONV_PLAIN, CONV_RELU, CONV_HARD_SWISH /* x clip(x + 3, 0, 6) / 6 */,
                CONV_HARD_SIGMOID /* clip(scale x + shift, 0, 1) */ };

// Output (y, x) reads inputs (y sy + u, x sx + v), u and v below kh and kw, from where `in` points. All strides in floats.
struct conv {
    const float *in;
    int64_t in_block, in_row, in_step;      // to the next block, row and column
    float *out;
    int64_t out_block, out_row, out_step;
    int inputs, blocks_out, height, width;   // inputs: channels; the others: of the output
    int kh, kw, sy, sx;
    // conv_whole: [output block][u][v][input channel][16]; conv_each: [block][u][v][16], a filter a channel.
    const float *weights, *bias;            // bias: [output block][16]
    enum conv_act act;
    float scale, shift;                     // CONV_HARD_SWISH: scale of its value, and what is added; see above
};

// One instruction set's functions; "ref", "avx2", "avx512".
struct conv_kernels {
    const char *isa;
    void (*whole)(const struct conv *);     // every output channel sees every input channel
    void (*each)(const struct conv *);      // depthwise: as many blocks out as in, kh = kw = 3 or 5
    void (*sigmoid)(float *x, int64_t n);   // in place: 1 / (1 + exp(-x))
    // Rows of 16 lanes. to (n x times) += from, whose columns go to `times` columns each: first, middle .. middle, last.
    void (*add)(float *to, const float *first, const float *middle, const float *last, int n, int times);
    void (*gate)(float *to, const float *from, const float *by, int n);   // to = from * by [16]
    void (*relu)(float *x, int n);
};
// What DIHT_ISA says, else the best this processor has. NULL: EUSAGE_, it says what this processor has not.
const struct conv_kernels *conv_kernels_find(void);
extern const struct conv_kernels conv_ref, conv_avx2, conv_avx512;

#endif
