// SPDX-License-Identifier: Apache-2.0
// Attention of one sequence and one head: blocks of queries against all their keys, the scores of a block kept in the
// worker's scratch and nowhere else; the products are simd_product.c's. The backward pass makes the scores again.
//
//                 keys                         scratch: keys and values as panels (packed once),
//           +----------------+                          one block of scores (backward: and of its gradient)
//   queries |  block of BQ   |  x  values
//           +----------------+
#include "kernel/engine.h"
#include "kernel/simd.h"

// Rows of a block, at most: short sequences whole, of long ones what keeps their scores near.
enum { FORWARD_ROWS = 5 * HEIGHT, BACKWARD_ROWS = 6 * HEIGHT, LONG_ROWS = 2 * HEIGHT, LONG_KEYS = 128 };
_Static_assert((int)FORWARD_ROWS <= (int)WEIGH_ROWS, "what is weighed at once");

// Even blocks.
static int64_t block_rows(int64_t rows, int64_t most)
{
    return pieces_of(rows, rows > 0 ? pieces_of(rows, most) : 1);
}

static int64_t up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Carves the scratch; `left` below zero: it does not all fit (many thousand keys), the plain loops serve instead.
struct carver { float *at; int64_t left; };
static float *carve(struct carver *c, int64_t floats)
{
    float *p = c->at;
    c->at += up(floats, 16);
    c->left -= up(floats, 16);
    return p;
}

// Keys that query rows from .. from+rows-1 may see in all.
static int64_t keys_of(const struct attend *p, int64_t from, int64_t rows)
{
    return p->causal ? least(p->nk, p->pos + from + rows) : p->nk;
}

static void multiply(const float *a, int64_t a_row, const float *packed, float *c, int64_t c_row, int64_t m, int64_t n, int64_t k,
                     double alpha)
{
    struct product p = {.m = m, .n = n, .k = k, .a = a, .a_row = a_row, .a_k = 1, .packed = packed, .c = c, .c_row = c_row,
                        .alpha = alpha};
    NAMED(product)(&p);
}

// The same by a narrow engine, the rows of a packed on the way.
static void multiply_narrow(const struct engine *e, const float *a, int64_t a_row, void *rows, const void *packed, float *c,
                            int64_t c_row, int64_t m, int64_t n, int64_t k, double alpha)
{
    struct quant quant[FORWARD_ROWS];
    struct product p = {.m = m, .n = n, .k = k, .packed_rows = rows, .quant = quant, .packed = packed, .c = c, .c_row = c_row,
                        .alpha = alpha};
    e->pack_rows(rows, quant, a, a_row, 1, m, k);
    e->product(&p);
}

// c = packed_rows packed, or += where `more`
static void multiply_packed(const float *packed_rows, const float *packed, float *c, int64_t c_row, int64_t m, int64_t n,
                            int64_t k, bool more)
{
    struct product p = {.m = m, .n = n, .k = k, .packed_rows = packed_rows, .packed = packed, .c = c, .c_row = c_row,
                        .alpha = 1, .beta = more ? 1 : 0};
    NAMED(product)(&p);
}

// s[0 .. seen) becomes e^(s - max), s[seen .. n) zero; returns the sum. n: whole vectors. Lanes past the last key are filled in
// registers: a vector read over what was written piecemeal waits for all of it.
static float soften(float *s, int64_t seen, int64_t n, float *max_out)
{
    const vf none = v_all(-INFINITY);
    int64_t whole = seen / VL * VL;
    vf last = whole < seen ? v_load_or(s + whole, seen - whole, none) : none, top = last, sum = {0};
    for (int64_t j = 0; j < whole; j += VL)
        top = v_max(top, v_load(s + j));
    float max = v_top(top);
    for (int64_t j = 0; j < n; j += VL) {
        vf x = j < whole ? v_load(s + j) : j < seen ? last : none, e = v_exp(x - max);
        e = (vf)((vi)e & (x > -INFINITY));
        sum += e;
        v_store(s + j, e);
    }
    *max_out = max;
    return v_sum(sum);
}

static void scale_rows(float *out, int64_t ldo, const float *factor, int64_t rows, int64_t dim)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < dim; j += VL) {
            float *o = out + i * ldo + j;
            v_store_n(o, v_load_n(o, dim - j) * factor[i], dim - j);
        }
}

void NAMED(attention)(const struct attend *p)
{
    int64_t dim = p->dim, nk = p->nk, row = up(nk, PANEL) + LINE / 4;   // not a power of two: it would fill a few cache sets
    const struct engine *narrow = p->narrow;
    const struct weigh *weigh = narrow && !p->lse && !p->causal && nk <= WEIGH_KEYS ? narrow->weigh : NULL;
    struct carver scratch = {p->scratch, WORKER_SCRATCH / sizeof(float)};
    float *keys = carve(&scratch, narrow ? engine_columns(narrow, dim, nk) / 4 : up(nk, PANEL) * dim);
    float *values = carve(&scratch, weigh ? weigh->values_bytes(nk, dim) / 4 : nk * up(dim, PANEL));
    float *scores = carve(&scratch, FORWARD_ROWS * row);
    float *queries = carve(&scratch, narrow ? engine_rows(narrow, dim, FORWARD_ROWS) / 4 : 0);
    if (scratch.left < 0) {
        struct attend plain = *p;
        plain.narrow = NULL;
        inner_ref_f32.attention(&plain);
        return;
    }
    (narrow ? narrow->pack : NAMED(pack))(keys, p->k, 1, p->ldk, dim, nk);
    if (weigh)
        weigh->pack(values, p->v, p->ldv, nk, dim);
    else
        NAMED(pack)(values, p->v, p->ldv, 1, nk, dim);
    int64_t most = block_rows(p->nq, nk <= LONG_KEYS ? FORWARD_ROWS : weigh && narrow->holds == S8 ? HEIGHT : LONG_ROWS);
    for (int64_t from = 0; from < p->nq; from += most) {
        int64_t rows = least(most, p->nq - from), n = keys_of(p, from, rows);
        float inverse[FORWARD_ROWS];
        const float *q = (const float *)p->q + from * p->ldq;
        float *out = (float *)p->out + from * p->ldo;
        if (narrow)
            multiply_narrow(narrow, q, p->ldq, queries, keys, scores, row, rows, n, dim, p->factor);
        else
            multiply(q, p->ldq, keys, scores, row, rows, n, dim, p->factor);
        if (weigh) {
            weigh->soften(scores, row, rows, nk);
            weigh->product(out, p->ldo, scores, row, values, rows, nk, dim);
            continue;
        }
        for (int64_t i = 0; i < rows; i++) {
            float max, sum = soften(scores + i * row, keys_of(p, from + i, 1), up(n, VL), &max);
            inverse[i] = 1 / sum;
            if (p->lse)
                ((float *)p->lse)[(from + i) * p->ld_lse] = max + logf(sum);
        }
        // values' panels are nk long: a product over fewer keys goes panel by panel
        for (int64_t column = 0; column < dim; column += PANEL)
            multiply(scores, row, values + column * nk, out + column, p->ldo, rows, least(PANEL, dim - column), n, 1);
        scale_rows(out, p->ldo, inverse, rows, dim);
    }
}

static void zero_rows(float *x, int64_t ld, int64_t rows, int64_t dim)
{
    for (int64_t i = 0; i < rows; i++)
        memset(x + i * ld, 0, (size_t)dim * sizeof *x);
}

// One row: scores s become weights w, products dw become ds = w (dw - delta) factor; 0 past the keys seen.
static void soften_backward(float *s, float *dw, int64_t seen, int64_t n, float lse, float delta, float factor)
{
    for (int64_t j = 0; j < n; j += VL) {
        vf x = v_load(s + j), w = v_exp(x - lse), d;
        if (seen - j < VL)
            w = v_load_n((float *)&w, seen > j ? seen - j : 0);
        d = w * (v_load(dw + j) - delta) * factor;
        if (seen - j < VL)   // dw is not written there
            d = v_load_n((float *)&d, seen > j ? seen - j : 0);
        v_store(s + j, w);
        v_store(dw + j, d);
    }
}

static float dot(const float *a, const float *b, int64_t n)
{
    vf s = {0};
    for (int64_t j = 0; j < n; j += VL)
        s += v_load_n(a + j, n - j) * v_load_n(b + j, n - j);
    return v_sum(s);
}

void NAMED(attention_backward)(const struct attend *p)
{
    int64_t dim = p->dim, nk = p->nk, row = up(nk, PANEL), wide = up(dim, PANEL), tall = up(nk, HEIGHT);
    struct carver scratch = {p->scratch, WORKER_SCRATCH / sizeof(float)};
    float *keys = carve(&scratch, row * dim), *values = carve(&scratch, row * dim);       // columns = keys
    float *key_rows = carve(&scratch, nk * wide);                                         // columns = dim
    float *scores = carve(&scratch, BACKWARD_ROWS * row), *dscores = carve(&scratch, BACKWARD_ROWS * row);
    float *queries = carve(&scratch, BACKWARD_ROWS * wide), *douts = carve(&scratch, BACKWARD_ROWS * wide);
    float *turned = carve(&scratch, BACKWARD_ROWS * tall);
    if (scratch.left < 0) {
        inner_ref_f32.attention_backward(p);
        return;
    }
    NAMED(pack)(keys, p->k, 1, p->ldk, dim, nk);
    NAMED(pack)(values, p->v, 1, p->ldv, dim, nk);
    NAMED(pack)(key_rows, p->k, p->ldk, 1, nk, dim);
    // the first block's keys are written, the others' added to from the second on
    int64_t most = block_rows(p->nq, BACKWARD_ROWS), first = most > 0 ? keys_of(p, 0, most) : 0;
    zero_rows((float *)p->dk + first * p->ldk, p->ldk, nk - first, dim);
    zero_rows((float *)p->dv + first * p->ldv, p->ldv, nk - first, dim);
    for (int64_t from = 0; from < p->nq; from += most) {
        int64_t rows = least(most, p->nq - from), n = keys_of(p, from, rows);
        const float *q = (const float *)p->q + from * p->ldq, *dout = (const float *)p->dout + from * p->ldo;
        const float *out = (const float *)p->out + from * p->ldo;
        multiply(q, p->ldq, keys, scores, row, rows, n, dim, p->factor);
        multiply(dout, p->ldo, values, dscores, row, rows, n, dim, 1);
        for (int64_t i = 0; i < rows; i++)
            soften_backward(scores + i * row, dscores + i * row, keys_of(p, from + i, 1), up(n, VL),
                            ((const float *)p->lse)[(from + i) * p->ld_lse], dot(dout + i * p->ldo, out + i * p->ldo, dim),
                            (float)p->factor);
        for (int64_t column = 0; column < dim; column += PANEL)
            multiply(dscores, row, key_rows + column * nk, (float *)p->dq + from * p->ldq + column, p->ldq, rows,
                     least(PANEL, dim - column), n, 1);
        NAMED(pack)(queries, q, p->ldq, 1, rows, dim);
        NAMED(pack)(douts, dout, p->ldo, 1, rows, dim);
        NAMED(pack_rows)(turned, NULL, scores, 1, row, n, rows);
        multiply_packed(turned, douts, p->dv, p->ldv, n, dim, rows, from > 0);
        NAMED(pack_rows)(turned, NULL, dscores, 1, row, n, rows);
        multiply_packed(turned, queries, p->dk, p->ldk, n, dim, rows, from > 0);
    }
}
