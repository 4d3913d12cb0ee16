// SPDX-License-Identifier: Apache-2.0
// The kernel table: every piece of arithmetic the layers need, as whole problems on typed memory.
// nn/ and model/ call only through it and never look into a tensor; a device is another table.
// Shapes are row-major. `rows` is a count of tokens (packed, ragged batches have no padding).
// "=" overwrites, "+=" accumulates: activations' gradients are =, parameters' gradients +=.
// Results do not depend on the number of threads: work is cut in pieces fixed by the shape, sums over pieces are
// added in a fixed order.
#ifndef KERNEL_KERNELS_H
#define KERNEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

// What a buffer's elements are. F64 has reference rows only (gradient checks, 1e-12 golden data).
enum dtype { F32, F64, BF16, S8, S16 };
static inline size_t dtype_size(enum dtype t) { return t == F32 ? 4 : t == F64 ? 8 : t == S8 ? 1 : 2; }

// A place in memory that a backend allocated, and what lies there. NULL `at` = absent (optional arguments).
typedef struct view {
    void *at;
    enum dtype type;
} view;
static inline view view_at(view v, int64_t n) { return (view){v.at ? (char *)v.at + n * (int64_t)dtype_size(v.type) : NULL, v.type}; }
#define NO_VIEW ((view){0})

// A weight's values where they lie in another form (half precision in a mapped file): read piece by piece while it is
// prepared, by several threads at once. `done`: all has been prepared and will not be read again soon.
struct weight_source {
    void (*read)(const void *user, int64_t first, int64_t n, float *out);
    void (*done)(const void *user, int64_t first, int64_t n);
    const void *user;
};

// A linear map's weight, prepared once into the form its backend likes (packed, bf16, ...), until it changes.
struct weight;

enum activation { ACT_NONE, ACT_GELU /* exact: x (1 + erf(x / sqrt 2)) / 2 */, ACT_QUICK_GELU /* x sigmoid(1.702 x) */ };

// One sequence of an attention call: query rows q0 .. q0+nq-1 against key rows k0 .. k0+nk-1.
// Query i stands at position pos + i of its keys (causal: it sees keys 0 .. pos + i).
struct span {
    int32_t q0, nq, k0, nk, pos;
};

// Optional tail of a linear map: y = residual + act(x w' + bias).
struct tail {
    enum activation act;
    view pre;        // [rows, out] receives x w' + bias when given (act != ACT_NONE: the backward pass needs it)
    view residual;   // [rows, out] added last when given; may be y itself
};

struct adamw {
    double lr, beta1, beta2, eps, decay;   // decay 0 for tensors of one dimension
    int64_t t;                             // 1 at the first step
    double scale;                          // gradients are multiplied by this first (clipping)
};

// A matrix that Muon moves: its value, gradient and momentum, each [rows, columns].
struct muon_matrix {
    view w, g, m;
    int64_t rows, columns;
    double decay;
};

struct muon {
    double lr, momentum;
    double scale;                          // gradients are multiplied by this first (clipping)
};
int64_t muon_scratch(int64_t rows, int64_t columns);   // elements a thread needs for a matrix of this shape

struct ctx;   // table + compute type + threads + scratch
struct hn_block;   // kernel/hn.h
struct rank_block;

struct kernels {
    const char *isa;   // "ref", "avx2", "avx512"

    // --- linear maps ------------------------------------------------------------------------------------------
    // w [out, in] is borrowed and must outlive the weight. NULL: out of memory.
    struct weight *(*weight_new)(struct ctx *, view w, int64_t out, int64_t in);
    // The same from elements first .. first + out in - 1 of a source, copied here, whose `user` is borrowed; for
    // linear alone, single precision. NULL: out of memory.
    struct weight *(*weight_new_from)(struct ctx *, const struct weight_source *, int64_t first, int64_t out, int64_t in);
    void (*weight_free)(struct weight *);
    void (*weight_touch)(struct weight *);   // w's values changed: prepare again before the next use
    // Prepared for linear from here on, which several pieces of one pool_run may then call at once; false: no memory for it.
    bool (*weight_ready)(struct ctx *, struct weight *);
    // y [rows, out] = tail(x [rows, in] w' + bias [out] or absent)
    void (*linear)(struct ctx *, view y, view x, struct weight *, view bias, int64_t rows, const struct tail *);
    // dx [rows, in] (= or += when `add`) dy [rows, out] w
    void (*linear_dx)(struct ctx *, view dx, view dy, struct weight *, int64_t rows, bool add);
    // dw [out, in] += dy' x;  dbias [out] += column sums of dy (absent: skipped)
    void (*linear_dw)(struct ctx *, view dw, view dbias, view dy, view x, int64_t rows, int64_t out, int64_t in);
    // c [m, n] = alpha a b + beta c, each of a, b optionally transposed; ld* are row strides in elements.
    void (*gemm)(struct ctx *, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, view a, int64_t lda,
                 view b, int64_t ldb, double beta, view c, int64_t ldc);

    // --- elementwise ------------------------------------------------------------------------------------------
    // dpre [n] = dact * act'(pre); when `act_out` is given it receives act(pre) (recomputed for the weight gradient)
    void (*act_backward)(struct ctx *, view dpre, view act_out, view dact, view pre, enum activation, int64_t n);
    void (*add)(struct ctx *, view y, view x, double scale, int64_t n);        // y += scale x
    void (*scale)(struct ctx *, view y, double factor, int64_t n);             // y *= factor
    void (*zero)(struct ctx *, view y, int64_t n);
    double (*sum_squares)(struct ctx *, view x, int64_t n);
    void (*adamw)(struct ctx *, view w, view m, view v, view g, int64_t n, const struct adamw *);
    // m = momentum m + g;  w -= lr decay w + 0.2 lr sqrt(max(rows, columns)) orthogonal(g + momentum m), for each of n
    // matrices. scratch: threads x room elements, room the largest muon_scratch among them.
    void (*muon)(struct ctx *, const struct muon_matrix *, int64_t n, const struct muon *, view scratch, int64_t room);

    // --- normalisation ----------------------------------------------------------------------------------------
    // y [rows, width] = (x - mean) rstd gamma + beta; mean, rstd [rows] kept when given
    void (*layernorm)(struct ctx *, view y, view mean, view rstd, view x, view gamma, view beta, int64_t rows,
                      int64_t width, double eps);
    // dx (= or += when `add`); dgamma, dbeta [width] +=
    void (*layernorm_backward)(struct ctx *, view dx, bool add, view dgamma, view dbeta, view dy, view x, view gamma,
                               view mean, view rstd, int64_t rows, int64_t width);
    // y [rows, width] = x / max(|x|, eps); norm [rows] kept when given
    void (*l2norm)(struct ctx *, view y, view norm, view x, int64_t rows, int64_t width, double eps);
    void (*l2norm_backward)(struct ctx *, view dx, view dy, view y, view norm, int64_t rows, int64_t width, double eps);

    // --- attention --------------------------------------------------------------------------------------------
    // softmax(q k' / sqrt(dim)) v per head, fused; rows of q, k, v are ldq, ldk, ldv elements apart and hold
    // heads x dim elements (so one [rows, 3 width] projection serves as all three); out [q rows, heads dim] packed.
    // lse [q rows, heads]: log of each softmax's denominator, for the backward pass (absent: not kept).
    void (*attention)(struct ctx *, view out, view lse, view q, int64_t ldq, view k, int64_t ldk, view v, int64_t ldv,
                      const struct span *spans, int64_t nspans, int heads, int dim, bool causal);
    // dq, dk, dv = (every row that a span covers is written), laid out and strided as q, k, v
    void (*attention_backward)(struct ctx *, view dq, view dk, view dv, view dout, view out, view lse, view q, int64_t ldq,
                               view k, int64_t ldk, view v, int64_t ldv, const struct span *spans, int64_t nspans,
                               int heads, int dim, bool causal);

    // --- embedding and pooling --------------------------------------------------------------------------------
    // images [n, 3, S, S] -> rows [n g g, 3 p p], g = S / p (the patch convolution as a product; channel-major patches)
    void (*patches)(struct ctx *, view rows, view images, int64_t n, int size, int patch);
    // x [n (cls + g), w]: row 0 of an image = class_emb + pos[0] when class_emb is given (cls = 1), then patch + pos
    void (*image_embed)(struct ctx *, view x, view patch /* n g x w */, view class_emb, view pos, int64_t n, int64_t g, int64_t w);
    // dpatch =, dclass +=, dpos +=
    void (*image_embed_backward)(struct ctx *, view dpatch, view dclass, view dpos, view dx, int64_t n, int64_t g, int64_t w);
    // x [rows, w] = table[ids] + pos[places]
    void (*token_embed)(struct ctx *, view x, const int32_t *ids, const int32_t *places, view table, view pos, int64_t rows, int64_t w);
    void (*token_embed_backward)(struct ctx *, view dtable, view dpos, const int32_t *ids, const int32_t *places, view dx, int64_t rows, int64_t w);
    // out [n, w] = x[index]
    void (*gather)(struct ctx *, view out, view x, const int32_t *index, int64_t n, int64_t w);
    // dx [rows, w]: zero (unless `add`), then dx[index[i]] += dout[i]; indices are distinct
    void (*scatter)(struct ctx *, view dx, bool add, view dout, const int32_t *index, int64_t n, int64_t rows, int64_t w);
    // out [n, w] = mean of x rows starts[i] .. starts[i+1]-1
    void (*mean_pool)(struct ctx *, view out, view x, const int32_t *starts, int64_t n, int64_t w);
    void (*mean_pool_backward)(struct ctx *, view dx, view dout, const int32_t *starts, int64_t n, int64_t w);

    // --- losses -----------------------------------------------------------------------------------------------
    // HN-NCE on one block of the score matrix: rows row0 .. row0+m-1 of images x, columns col0 .. col0+n-1 of texts t.
    // See kernel/hn.h for the statistics and the formula.
    void (*hn_tile)(struct ctx *, const struct hn_block *);
    void (*hn_tile_backward)(struct ctx *, const struct hn_block *);
    // Soft-label cross-entropy against each row's k kept classes: per-row loss (double [rows]);
    // logits [rows, classes] are replaced by scale * d(sum of losses) / d logits when `grad`.
    void (*soft_ce)(struct ctx *, double *loss, view logits, const int32_t *index /* rows x k, -1 = unused */,
                    const float *prob /* rows x k */, int64_t rows, int64_t classes, int64_t k, bool grad, double scale);

    // --- evaluation -------------------------------------------------------------------------------------------
    // For one block of scores q [m, d] . c [n, d]': for each query i, add to above[i] the candidates that score
    // higher than threshold[i] and to equal[i] those that equal it; and the same for candidates against
    // col_threshold (absent: skipped). Each pair's score is bitwise the same for every blocking and thread count.
    void (*rank_tile)(struct ctx *, const struct rank_block *);
    // out[i] = q[i] . c[i], rounded as rank_tile rounds it
    void (*rank_pairs)(struct ctx *, float *out, view q, view c, const int32_t *qi, const int32_t *ci, int64_t n, int64_t d);
};

// The rows that ctx_open chooses when none are named: "ref", "avx2" or "avx512". NULL: EUSAGE_.
const char *ctx_best_isa(void);
// `real`: F32 or F64. isa NULL: $DIHT_ISA, else the best this CPU has. threads <= 0: one a processor.
// Fails (EUSAGE_) on an isa that is unknown or that the CPU lacks.
int ctx_open(struct ctx **out, enum dtype real, int threads, const char *isa);
void ctx_close(struct ctx *);
const struct kernels *ctx_kernels(const struct ctx *);
enum dtype ctx_real(const struct ctx *);
struct pool *ctx_pool(const struct ctx *);
int ctx_threads(const struct ctx *);

// What linear maps opened from now on multiply in: F32, BF16 (both operands rounded, sums in single precision; the weight
// gradient too; where that is faster, 16-bit words with a scale a row and a column, which are finer) or S8 (weights a scale a
// column, activations a range a row; for inference). Everything between the products stays float. false: this processor lacks
// the instructions, nothing changed.
bool ctx_products(struct ctx *, enum dtype type);
// "avx2", "avx512", "amx", "ref"; bf16: "avx512-words", "avx512-dot", "avx512-fma", "avx2-fma"
const char *ctx_products_isa(const struct ctx *);

// Memory of the backend, 64-byte aligned, zeroed: `count` elements of the type. `at` NULL and a sentence: none left.
view ctx_alloc(struct ctx *, enum dtype type, int64_t count);
void ctx_free(struct ctx *, view);
// Between host and backend, converting between host type and the view's own (F32 or F64).
void ctx_put(struct ctx *, view to, const float *from, int64_t n);
void ctx_get(struct ctx *, float *to, view from, int64_t n);
void ctx_put64(struct ctx *, view to, const double *from, int64_t n);
void ctx_get64(struct ctx *, double *to, view from, int64_t n);

// One block of scores and the counters it adds to.
struct rank_block {
    view q, c;                      // [m, d], [n, d]
    int64_t m, n, d;
    const float *threshold;         // [m]
    const float *col_threshold;     // [n] or NULL
    int64_t *above, *equal;         // [m] +=
    int64_t *col_above, *col_equal; // [n] +=
};

#endif
