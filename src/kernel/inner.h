// SPDX-License-Identifier: Apache-2.0
// Inside the kernel room: what one thread does to one piece. An instruction set is one table of these (ref.c for float
// and double, simd*.c compiled once per instruction set); the whole problems of kernels.h cut the work, hand the pieces
// to the pool and are the same for all of them (linear.c, attention.c, rows.c, embed.c).
// Pointers are to the table's element type.
#ifndef KERNEL_INNER_H
#define KERNEL_INNER_H

#include <assert.h>
#include <string.h>

#include "base/threads.h"
#include "kernel/kernels.h"

enum {
    WORKER_SCRATCH = 3 << 20,   // bytes of scratch a worker has: packed panels
    SHARED_SCRATCH = 8 << 20,   // bytes for partial sums of pieces, added in order afterwards
    COLUMNS = 64,               // columns of a piece where rows are summed in order
    ATTENTION_DIM = 1024,       // widest head
};

// c [m, n] = tail(alpha a b + beta c), the sum over k in order, so that an entry's bits do not depend on m, n or the cut.
// Element (i, l) of a lies at a[i * a_row + l * a_k], element (l, j) of b at b[l * b_k + j * b_col].
struct product {
    int64_t m, n, k;
    const void *a;
    int64_t a_row, a_k;
    const void *b;
    int64_t b_k, b_col;
    const void *packed;        // b as `pack` laid it out, first panel = first column (a table that packs needs it)
    const void *packed_next;   // the panel that will be wanted after these, or NULL: a hint
    const void *packed_rows;   // a as `pack_rows` laid it out; NULL: as it lies, a_k 1
    const struct quant *quant; // [m]: packed rows of bytes and of words only
    void *c;
    int64_t c_row;
    double alpha, beta;
    const void *bias;          // [n] or NULL: alpha 1, beta 0 with these
    enum activation act;
    bool coarse;               // GELU as gelu_coarse has it
    void *pre;                 // like c, or NULL
    const void *residual;      // like c, or NULL; may be c
    void *scratch;             // WORKER_SCRATCH bytes
};

// GELU where what comes of it is rounded to 8 bits anyhow: x (1/2 + z q(z^2 - GELU_MIDDLE)), z = x within +-GELU_END. A
// minimax fit, the value at the ends exactly 1/2: off by 2.6e-5 at most, and 0 or x beyond.
#define GELU_END 4.4f
#define GELU_MIDDLE 9.68f
enum { GELU_TERMS = 9 };
static const float gelu_coarse[GELU_TERMS] = {
    .160404413f, -.00812111035f, .000589641411f, -4.4197444e-5f, 3.05236851e-6f, -1.87996554e-7f, 1.33604281e-8f, -9.89874806e-10f,
    3.56933968e-11f};

// A packed row: x = scale (code - zero); of bytes 0 <= code <= 255; of 16-bit words, zero 0.
struct quant {
    float scale;
    int32_t zero;
};

// How linear maps multiply: in the table's own type, in pairs of bfloat16 or of words, in fours of bytes. An engine packs both
// sides as its dot product likes them and forms c from the panels; what enters and leaves is always in the table's type.
struct engine {
    const char *isa;
    enum dtype type, holds;    // what factors are rounded to; what packed sides hold
    int height, panel;         // rows, columns of a register block; panel 0: does not pack
    // b's columns, k x n, in panels [n / panel][k][panel], the last filled up with zeros (narrow types: engine.h)
    void (*pack)(void *to, const void *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n);
    // [m / height][k][height] (narrow types: engine.h). One of a_row, a_k is 1 (bytes: a_k). quant [m]: bytes and words
    void (*pack_rows)(void *to, struct quant *quant, const void *a, int64_t a_row, int64_t a_k, int64_t m, int64_t k);
    void (*product)(const struct product *p);
    void (*round)(float *x, int64_t n);   // rows as they lie to what the type can say; NULL: they are
    const struct weigh *weigh; // how attention forms its weighted sums beside this engine; NULL: in floats
};

// Attention's weighted sums in codes: out = softmax(scores) values, for scores that all keys have a part in.
enum { WEIGH_KEYS = 1 << 15, WEIGH_ROWS = 128 };   // at most
struct weigh {
    int64_t (*values_bytes)(int64_t keys, int64_t dim);
    void (*pack)(void *values, const float *v, int64_t ldv, int64_t keys, int64_t dim);
    void (*soften)(float *scores, int64_t ld, int64_t rows, int64_t keys);   // become codes where they lie; room for whole lines
    void (*product)(float *out, int64_t ldo, const float *codes, int64_t ld, const void *values, int64_t rows, int64_t keys, int64_t dim);
};

// One sequence and one head; rows are `dim` long.
struct attend {
    const void *q, *k, *v;
    int64_t ldq, ldk, ldv;
    void *out;                 // ldo
    void *lse;                 // ld_lse apart; NULL: not kept (forward)
    int64_t ldo, ld_lse;
    void *dq, *dk, *dv;        // backward: strides as q, k, v
    const void *dout;          // stride ldo
    int64_t nq, nk, pos;
    int dim;
    bool causal;
    double factor;             // 1 / sqrt(dim)
    const struct engine *narrow;   // the scores are its products; NULL: the table's own (forward)
    void *scratch;
};

struct inner {
    const char *isa;
    struct engine engine;

    void (*act_backward)(void *dpre, void *act_out, const void *dact, const void *pre, enum activation act, int64_t n);
    void (*add)(void *y, const void *x, double scale, int64_t n);
    void (*sum)(void *y, const void *a, const void *b, int64_t n);   // y = a + b
    void (*scale)(void *y, double factor, int64_t n);
    double (*sum_squares)(const void *x, int64_t n);
    void (*column_sums)(void *out, const void *x, int64_t rows, int64_t ld, int64_t columns);   // out +=
    void (*adamw)(void *w, void *m, void *v, const void *g, int64_t n, const struct adamw *);

    void (*layernorm)(void *y, void *mean, void *rstd, const void *x, const void *gamma, const void *beta, int64_t rows,
                      int64_t width, double eps);
    // dgamma, dbeta [width] += this piece's
    void (*layernorm_backward)(void *dx, bool add, void *dgamma, void *dbeta, const void *dy, const void *x,
                               const void *gamma, const void *mean, const void *rstd, int64_t rows, int64_t width);
    void (*l2norm)(void *y, void *norm, const void *x, int64_t rows, int64_t width, double eps);
    void (*l2norm_backward)(void *dx, const void *dy, const void *y, const void *norm, int64_t rows, int64_t width,
                            double eps);

    void (*attention)(const struct attend *);
    void (*attention_backward)(const struct attend *);
};

extern const struct inner inner_ref_f32, inner_ref_f64, inner_avx2, inner_avx512;

// The rows that lie prepared in a worker's scratch: which run's, from which on. A worker's own, a line of its own.
struct held {
    _Alignas(64) uint64_t run;
    int64_t row;
};

struct ctx {
    struct kernels table;
    const struct inner *inner;
    const struct engine *engine;   // of new weights and their gradients
    const char *isa;           // as asked for at ctx_open, or NULL
    enum dtype real;
    size_t size;               // bytes of one element
    struct pool *pool;
    int threads;
    char *worker;              // threads x WORKER_SCRATCH
    struct held *held;         // [threads]
    uint64_t runs;             // of pieces with prepared rows, so far
    char *shared;              // SHARED_SCRATCH
};

extern const struct kernels whole_problems;   // whole.c: everything but `isa`

static inline void *ctx_scratch(const struct ctx *c, int worker) { return c->worker + (size_t)worker * WORKER_SCRATCH; }
static inline char *step(const void *p, int64_t n, size_t size) { return p ? (char *)p + n * (int64_t)size : NULL; }
static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t pieces_of(int64_t n, int64_t piece) { return (n + piece - 1) / piece; }

// The whole problems, one file a family.
struct weight *linear_weight_new(struct ctx *, view w, int64_t out, int64_t in);
struct weight *linear_weight_new_from(struct ctx *, const struct weight_source *, int64_t first, int64_t out, int64_t in);
void linear_weight_free(struct weight *);
void linear_weight_touch(struct weight *);
bool linear_weight_ready(struct ctx *, struct weight *);
void linear_y(struct ctx *, view y, view x, struct weight *, view bias, int64_t rows, const struct tail *);
void linear_dx(struct ctx *, view dx, view dy, struct weight *, int64_t rows, bool add);
void linear_dw(struct ctx *, view dw, view dbias, view dy, view x, int64_t rows, int64_t out, int64_t in);
void linear_gemm(struct ctx *, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, view a, int64_t lda, view b,
                 int64_t ldb, double beta, view c, int64_t ldc);

void whole_act_backward(struct ctx *, view dpre, view act_out, view dact, view pre, enum activation, int64_t n);
void whole_add(struct ctx *, view y, view x, double scale, int64_t n);
void whole_scale(struct ctx *, view y, double factor, int64_t n);
void whole_zero(struct ctx *, view y, int64_t n);
double whole_sum_squares(struct ctx *, view x, int64_t n);
void whole_adamw(struct ctx *, view w, view m, view v, view g, int64_t n, const struct adamw *);
void whole_muon(struct ctx *, const struct muon_matrix *, int64_t n, const struct muon *, view scratch, int64_t room);
void whole_layernorm(struct ctx *, view y, view mean, view rstd, view x, view gamma, view beta, int64_t rows, int64_t width,
                     double eps);
void whole_layernorm_backward(struct ctx *, view dx, bool add, view dgamma, view dbeta, view dy, view x, view gamma,
                              view mean, view rstd, int64_t rows, int64_t width);
void whole_l2norm(struct ctx *, view y, view norm, view x, int64_t rows, int64_t width, double eps);
void whole_l2norm_backward(struct ctx *, view dx, view dy, view y, view norm, int64_t rows, int64_t width, double eps);

void whole_attention(struct ctx *, view out, view lse, view q, int64_t ldq, view k, int64_t ldk, view v, int64_t ldv,
                     const struct span *spans, int64_t nspans, int heads, int dim, bool causal);
void whole_attention_backward(struct ctx *, view dq, view dk, view dv, view dout, view out, view lse, view q, int64_t ldq,
                              view k, int64_t ldk, view v, int64_t ldv, const struct span *spans, int64_t nspans, int heads,
                              int dim, bool causal);

void embed_patches(struct ctx *, view rows, view images, int64_t n, int size, int patch);
void embed_image(struct ctx *, view x, view patch, view class_emb, view pos, int64_t n, int64_t g, int64_t w);
void embed_image_backward(struct ctx *, view dpatch, view dclass, view dpos, view dx, int64_t n, int64_t g, int64_t w);
void embed_token(struct ctx *, view x, const int32_t *ids, const int32_t *places, view table, view pos, int64_t rows, int64_t w);
void embed_token_backward(struct ctx *, view dtable, view dpos, const int32_t *ids, const int32_t *places, view dx, int64_t rows,
                          int64_t w);
void embed_gather(struct ctx *, view out, view x, const int32_t *index, int64_t n, int64_t w);
void embed_scatter(struct ctx *, view dx, bool add, view dout, const int32_t *index, int64_t n, int64_t rows, int64_t w);
void embed_mean_pool(struct ctx *, view out, view x, const int32_t *starts, int64_t n, int64_t w);
void embed_mean_pool_backward(struct ctx *, view dx, view dout, const int32_t *starts, int64_t n, int64_t w);

void whole_hn_tile(struct ctx *, const struct hn_block *);
void whole_hn_tile_backward(struct ctx *, const struct hn_block *);
void whole_soft_ce(struct ctx *, double *loss, view logits, const int32_t *index, const float *prob, int64_t rows, int64_t classes,
                   int64_t k, bool grad, double scale);
void whole_rank_tile(struct ctx *, const struct rank_block *);
void whole_rank_pairs(struct ctx *, float *out, view q, view c, const int32_t *qi, const int32_t *ci, int64_t n, int64_t d);

#endif
