// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 (BYTES 0) or bytes (BYTES 1), compiled for both, by dot-product instructions or (TILES) by AMX.
//
// Dot products: as simd_product.c, HEIGHT x PANEL sums in registers, but a word of a holds two or four elements of k.
// Tiles: 32 x 32 sums in four tiles; a step takes 64 bytes of k from two tiles of a and two of b.
#include "kernel/narrow.h"
#include "kernel/simd.h"

#if TILES && BYTES
#define ENGINE narrow_tile_bytes
#elif TILES
#define ENGINE narrow_tile_bf16
#elif BYTES
#define ENGINE narrow_dot_bytes
#else
#define ENGINE narrow_dot_bf16
#endif

enum { WORD = BYTES ? 4 : 2, WORDS = 16 };   // elements of a word; words of a line

_Static_assert((int)PANEL == (int)NARROW_PANEL, "one layout for all");

// --- packing -------------------------------------------------------------------------------------------------------
#if BYTES
// A line of codes: 0 .. 255 by the saturation of the two narrowing steps, which leave the quarters in fours.
ALWAYS __m512i codes(vf a, vf b, vf c, vf d, vf inverse, vf zero)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512 x = (__m512)inverse, z = (__m512)zero;
    __m512i ab = _mm512_packs_epi32((__m512i)v_nearest((vf)_mm512_fmadd_ps((__m512)a, x, z)),
                                    (__m512i)v_nearest((vf)_mm512_fmadd_ps((__m512)b, x, z)));
    __m512i cd = _mm512_packs_epi32((__m512i)v_nearest((vf)_mm512_fmadd_ps((__m512)c, x, z)),
                                    (__m512i)v_nearest((vf)_mm512_fmadd_ps((__m512)d, x, z)));
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd));
}

static void pack_rows(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    enum { AWAY = 1024 };   // floats by which rows are asked for ahead: they come from far
    const float *a = a_;
    int64_t filled = engine_k(&ENGINE, k);
    assert(a_k == 1);
    for (int64_t i = 0; i < m; i++, a += a_row) {
        char *to = (char *)to_ + i * engine_row(&ENGINE, k);
        vf low[4] = {v_all(0), v_all(0), v_all(0), v_all(0)}, high[4] = {v_all(0), v_all(0), v_all(0), v_all(0)};
        int64_t l = 0;
        for (; l + 4 * VL <= k; l += 4 * VL)
            for (int u = 0; u < 4; u++) {
                __builtin_prefetch(a + l + u * VL + AWAY);
                vf x = v_load(a + l + u * VL);
                low[u] = v_min(low[u], x);
                high[u] = v_max(high[u], x);
            }
        for (; l < k; l += VL) {
            vf x = v_load_n(a + l, k - l);
            low[0] = v_min(low[0], x);
            high[0] = v_max(high[0], x);
        }
        low[0] = v_min(v_min(low[0], low[1]), v_min(low[2], low[3]));
        high[0] = v_max(v_max(high[0], high[1]), v_max(high[2], high[3]));
        quant[i] = narrow_quant(-v_top(-low[0]), v_top(high[0]));
        vf inverse = v_all(1 / quant[i].scale), zero = v_all((float)quant[i].zero);
        for (l = 0; l + LINE <= k; l += LINE)
            _mm512_storeu_si512(to + l, codes(v_load(a + l), v_load(a + l + VL), v_load(a + l + 2 * VL), v_load(a + l + 3 * VL),
                                              inverse, zero));
        if (l < filled)
            _mm512_storeu_si512(to + l, codes(v_load_n(a + l, k - l), v_load_n(a + l + VL, k - l - VL),
                                              v_load_n(a + l + 2 * VL, k - l - 2 * VL), v_load_n(a + l + 3 * VL, k - l - 3 * VL),
                                              inverse, zero));
    }
}

// A line of signed codes of a column, and what they add up to.
ALWAYS __m512i signed_codes(const float *b, int64_t k, vf inverse, vi *sum)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    vi x[4];
UNROLL
    for (int i = 0; i < 4; i++) {
        x[i] = v_nearest(v_load_n(b + i * VL, k - i * VL) * inverse);
        *sum += x[i];
    }
    return _mm512_permutexvar_epi32(order, _mm512_packs_epi16(_mm512_packs_epi32((__m512i)x[0], (__m512i)x[1]),
                                                              _mm512_packs_epi32((__m512i)x[2], (__m512i)x[3])));
}

// narrow_pack_bytes for columns that lie in one piece, the same codes.
static void pack(void *to, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    int64_t filled = engine_k(&ENGINE, k);
    if (b_k != 1) {
        narrow_pack_bytes(to, b, b_k, b_col, k, n);
        return;
    }
    for (char *at = to; n > 0; n -= PANEL, b += PANEL * b_col, at += engine_panel(&ENGINE, k)) {
        float *scale = (float *)(at + PANEL * filled), *sum = scale + PANEL;
        float inverse[PANEL];
        vi sums[PANEL] = {{0}};
        for (int64_t j = 0; j < PANEL; j++) {
            vf most = v_all(0);
            for (int64_t l = 0; l < k && j < n; l += VL)
                most = v_max(most, (vf)((vi)v_load_n(b + j * b_col + l, k - l) & 0x7fffffff));
            float top = v_top(most);
            scale[j] = j < n ? top > NARROW_LEAST ? top / 127 : 1 : 0;
            inverse[j] = 1 / scale[j];
        }
        for (int64_t l = 0; l < filled; l += LINE)
            for (int64_t from = 0; from < PANEL; from += WORDS) {
                __m512i r[WORDS];
                for (int64_t i = from; i < from + WORDS; i++)
                    r[i - from] = i < n ? signed_codes(b + i * b_col + l, k - l, v_all(inverse[i]), &sums[i]) : _mm512_setzero_si512();
                v_turn((vi *)r);
                for (int64_t w = 0; w < WORDS; w++)
                    _mm512_storeu_si512(at + ((l / WORD + w) * PANEL + from) * WORD, r[w]);
            }
        for (int64_t j = 0; j < PANEL; j++)
            sum[j] = v_sum(v_float(sums[j]));
    }
}
#else
// Two vectors of floats: bfloat16, `a`'s first.
ALWAYS __m512i both(vf a, vf b) { return (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a); }

// Words (a_i, b_i).
ALWAYS __m512i zip(vf a, vf b)
{
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                           20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, both(a, b));
}

// Lines of words from up to 16 rows or columns, `stride` floats apart: out[i] = elements l .. l + 31 of row i.
ALWAYS void lines(__m512i out[16], const float *from, int64_t stride, int64_t rows, int64_t k)
{
UNROLL
    for (int64_t i = 0; i < 16; i++)
        out[i] = i < rows ? both(v_load_n(from + i * stride, k), k > VL ? v_load_n(from + i * stride + VL, k - VL) : v_all(0))
                          : _mm512_setzero_si512();
}

// The same where elements of k are `stride` apart and rows lie side by side: out[word] = its 16 rows.
ALWAYS void words(__m512i out[16], const float *from, int64_t stride, int64_t rows, int64_t k)
{
UNROLL
    for (int64_t w = 0; w < 16; w++)
        out[w] = zip(2 * w < k ? v_load_n(from + 2 * w * stride, rows) : v_all(0),
                     2 * w + 1 < k ? v_load_n(from + (2 * w + 1) * stride, rows) : v_all(0));
}

static void pack(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    int64_t filled = engine_k(&ENGINE, k);
    for (uint32_t *to = to_; n > 0; n -= PANEL, b += PANEL * b_col, to += PANEL * filled / WORD)
        for (int64_t l = 0; l < filled; l += WORD * WORDS)
            for (int64_t j = 0; j < PANEL; j += 16) {
                __m512i r[16];
                int64_t there = n > j ? least(n - j, 16) : 0;
                if (b_col == 1)
                    words(r, b + l * b_k + j, b_k, there, k - l);
                else
                    lines(r, b + l + j * b_col, b_col, there, k - l);
                if (b_col != 1)
                    v_turn((vi *)r);
                for (int64_t w = 0; w < WORDS; w++)
                    _mm512_storeu_si512(to + (l / WORD + w) * PANEL + j, r[w]);
            }
}

static void pack_rows(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t filled = engine_k(&ENGINE, k), row = engine_row(&ENGINE, k);
    for (char *to = to_; m > 0; m -= 16, a += 16 * a_row, to += 16 * row)
        for (int64_t l = 0; l < filled; l += WORD * WORDS) {
            __m512i r[16];
            if (a_k == 1) {
                lines(r, a + l, a_row, m, k - l);
            } else {
                words(r, a + l * a_k, a_k, m, k - l);
                v_turn((vi *)r);
            }
            for (int64_t i = 0; i < least(m, 16); i++)
                _mm512_storeu_si512(to + i * row + l * (LINE / WORDS / WORD), r[i]);
        }
}
#endif

// --- blocks --------------------------------------------------------------------------------------------------------
#if BYTES
typedef vi sums;
// Sums of codes as floats: what the row's zero stands for goes out, the scales come in.
ALWAYS void in_units(vf out[2], const sums sum[2], const struct product *p, const float *panel, int64_t row)
{
    const float *scale = panel + PANEL * engine_k(&ENGINE, p->k) / WORD;
    struct quant q = p->quant[row];
    for (int j = 0; j < 2; j++) {
        vf total = v_load(scale + PANEL + j * VL);   // below 2^24 for any k that fits: exact
        out[j] = (v_float(sum[j]) - total * (float)q.zero) * (v_load(scale + j * VL) * q.scale);
    }
}
#else
typedef vf sums;
ALWAYS void in_units(vf out[2], const sums sum[2], const struct product *p, const float *panel, int64_t row)
{
    out[0] = sum[0];
    out[1] = sum[1];
}
#endif

#if TILES
#include "kernel/simd_leave.h"
#else
// Assembly, not the intrinsics: gcc 12 copies each sum to another register and back.
ALWAYS void add_product(sums *sum, vf a, vf b)
{
#if BYTES
    __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#else
    __asm__ volatile("vdpbf16ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#endif
}

#include "kernel/simd_block.h"
#endif

// --- products ------------------------------------------------------------------------------------------------------
#if TILES
enum { BLOCK_ROWS = 32 };

// The tiles' shapes: all eight 16 rows of 64 bytes.
static const struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} shapes = {.palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

#if BYTES
#define DOT(c, a, b) _tile_dpbusd(c, a, b)
#else
#define DOT(c, a, b) _tile_dpbf16ps(c, a, b)
#endif

static void tile_block(const struct product *p, const char *a, int64_t a_row, const char *panel, int64_t row, int64_t column)
{
    sums c[BLOCK_ROWS][2];
    int64_t lines = engine_k(&ENGINE, p->k) / (WORD * WORDS), rows = least(BLOCK_ROWS, p->m - row);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const char *b = panel;
    for (int64_t l = 0; l < lines; l++, a += LINE, b += LINE * PANEL) {
        _tile_loadd(4, a, a_row);
        _tile_loadd(6, b, PANEL * 4);
        DOT(0, 4, 6);
        _tile_loadd(7, b + LINE, PANEL * 4);
        DOT(1, 4, 7);
        if (rows > 16) {
            _tile_loadd(5, a + 16 * a_row, a_row);
            DOT(2, 5, 6);
            DOT(3, 5, 7);
        }
    }
    _tile_stored(0, &c[0][0], sizeof c[0]);
    _tile_stored(1, &c[0][1], sizeof c[0]);
    _tile_stored(2, &c[16][0], sizeof c[0]);
    _tile_stored(3, &c[16][1], sizeof c[0]);
    vf out[BLOCK_ROWS][2];
    for (int64_t r = 0; r < rows; r++)
        in_units(out[r], c[r], p, (const float *)panel, row + r);
    leave_rows(p, (const vf (*)[2])out, rows, row, column);
}

static void product(const struct product *p)
{
    const char *a = p->packed_rows, *b = p->packed;
    int64_t a_row = engine_row(&ENGINE, p->k), panel = engine_panel(&ENGINE, p->k);
    _tile_loadconfig(&shapes);
    for (int64_t column = 0; column < p->n; column += PANEL, b += panel)
        for (int64_t row = 0; row < p->m; row += BLOCK_ROWS)
            tile_block(p, a + row * a_row, a_row, b, row, column);
    _tile_release();
}

#else
enum { BLOCK_ROWS = HEIGHT };

static void product(const struct product *p)
{
    int64_t words = engine_k(&ENGINE, p->k) / WORD;
    blocks(p, lying, words, p->packed_rows, engine_row(&ENGINE, p->k) / (int64_t)sizeof(float),
           engine_panel(&ENGINE, p->k) / (int64_t)sizeof(float), true);
}
#endif

const struct engine ENGINE = {TILES ? "amx" : BYTES ? "avx512" : "avx512-dot", BYTES ? S8 : BF16, BYTES ? S8 : BF16, BLOCK_ROWS, PANEL,
    pack, pack_rows, product, .weigh = BYTES ? &weigh_words : NULL};
