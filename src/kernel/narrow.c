// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 (BYTES 0) or bytes (BYTES 1), compiled for both, by dot-product instructions or (TILES) by AMX.
//
// Dot products: as simd_product.c, HEIGHT x PANEL sums in registers, but a word of a holds two or four elements of k.
// Tiles: 32 x 32 sums in four tiles; a step takes 64 bytes of k from two tiles of a and two of b.
#include "kernel/narrow.h"
#include "kernel/simd_leave.h"

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
static void pack_rows(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t filled = engine_k(&ENGINE, k);
    assert(a_k == 1);
    for (int64_t i = 0; i < m; i++, a += a_row) {
        uint8_t *to = (uint8_t *)to_ + i * engine_row(&ENGINE, k);
        vf low = v_all(0), high = low;
        for (int64_t l = 0; l < k; l += VL) {
            vf x = v_load_n(a + l, k - l);
            low = v_min(low, x);
            high = v_max(high, x);
        }
        quant[i] = narrow_quant(-v_top(-low), v_top(high));
        vf inverse = v_all(1 / quant[i].scale);
        vi zero = quant[i].zero - (vi){0};
        for (int64_t l = 0; l < filled; l += VL) {
            vi code = v_nearest(v_load_n(a + l, k - l) * inverse) + zero;
            __m512i kept = _mm512_min_epi32(_mm512_max_epi32((__m512i)code, _mm512_setzero_si512()), _mm512_set1_epi32(255));
            _mm_storeu_si128((__m128i *)(to + l), _mm512_maskz_cvtepi32_epi8(lanes(k - l), kept));
        }
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
#pragma GCC unroll 16
    for (int64_t i = 0; i < 16; i++)
        out[i] = i < rows ? both(v_load_n(from + i * stride, k), k > VL ? v_load_n(from + i * stride + VL, k - VL) : v_all(0))
                          : _mm512_setzero_si512();
}

// The same where elements of k are `stride` apart and rows lie side by side: out[word] = its 16 rows.
ALWAYS void words(__m512i out[16], const float *from, int64_t stride, int64_t rows, int64_t k)
{
#pragma GCC unroll 16
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

// --- leaving -------------------------------------------------------------------------------------------------------
#if BYTES
typedef vi sums;
// Sums of codes become floats, in place.
ALWAYS void depart(const struct product *p, const char *panel, sums (*c)[2], int64_t rows, int64_t row, int64_t column)
{
    const float *scale = (const float *)(panel + PANEL * engine_k(&ENGINE, p->k));
    vf scales[2] = {v_load(scale), v_load(scale + VL)};
    vi totals[2] = {(vi)v_load(scale + PANEL), (vi)v_load(scale + PANEL + VL)};
    for (int64_t r = 0; r < rows; r++)
        for (int j = 0; j < 2; j++)
            v_store((float *)&c[r][j], v_float(c[r][j] - totals[j] * p->quant[row + r].zero) * (scales[j] * p->quant[row + r].scale));
    leave_rows(p, (const float (*)[PANEL])c, rows, row, column);
}
#else
typedef vf sums;
ALWAYS void depart(const struct product *p, const char *panel, sums (*c)[2], int64_t rows, int64_t row, int64_t column)
{
    leave_rows(p, (const float (*)[PANEL])c, rows, row, column);
}
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

static void block(const struct product *p, const char *a, int64_t a_row, const char *panel, int64_t row, int64_t column)
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
    depart(p, panel, c, rows, row, column);
}

static void product(const struct product *p)
{
    const char *a = p->packed_rows, *b = p->packed;
    int64_t a_row = engine_row(&ENGINE, p->k), panel = engine_panel(&ENGINE, p->k);
    _tile_loadconfig(&shapes);
    for (int64_t column = 0; column < p->n; column += PANEL, b += panel)
        for (int64_t row = 0; row < p->m; row += BLOCK_ROWS)
            block(p, a + row * a_row, a_row, b, row, column);
    _tile_release();
}

#else
enum { BLOCK_ROWS = HEIGHT, AHEAD = 8 };

// Assembly, not the intrinsics: gcc 12 copies each sum to another register and back.
#if BYTES
#define DOT(sum, a, b) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#else
#define DOT(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#endif

ALWAYS void block(const struct product *p, const char *a, int64_t a_row, const char *panel, int64_t row, int64_t column, const int height)
{
    sums sum[BLOCK_ROWS][2];
    const uint32_t *at[BLOCK_ROWS], *b = (const uint32_t *)panel;
    int64_t count = engine_k(&ENGINE, p->k) / WORD;
#pragma GCC unroll 16
    for (int r = 0; r < height; r++) {
        sum[r][0] = sum[r][1] = (sums){0};
        at[r] = (const uint32_t *)(a + r * a_row);
        __builtin_prefetch((float *)p->c + (row + r) * p->c_row + column, 1);
    }
    for (int64_t w = 0; w < count; w++) {
        __builtin_prefetch(b + (w + AHEAD) * PANEL);
        __builtin_prefetch(b + (w + AHEAD) * PANEL + VL);
        __m512i b0 = _mm512_loadu_si512(b + w * PANEL), b1 = _mm512_loadu_si512(b + w * PANEL + VL);
#pragma GCC unroll 16
        for (int r = 0; r < height; r++) {
            __m512i x = _mm512_set1_epi32((int)at[r][w]);
            DOT(sum[r][0], x, b0);
            DOT(sum[r][1], x, b1);
        }
    }
    sums left[BLOCK_ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < height; r++) {
        left[r][0] = sum[r][0];
        left[r][1] = sum[r][1];
    }
    depart(p, panel, left, height, row, column);
}

typedef void block_fn(const struct product *p, const char *a, int64_t a_row, const char *panel, int64_t row, int64_t column);

#define BLOCK(h) \
    static void block_##h(const struct product *p, const char *a, int64_t a_row, const char *panel, int64_t row, int64_t column) \
    { block(p, a, a_row, panel, row, column, h); }
BLOCK(1) BLOCK(2) BLOCK(3) BLOCK(4) BLOCK(5) BLOCK(6) BLOCK(7) BLOCK(8) BLOCK(9) BLOCK(10) BLOCK(11) BLOCK(12) BLOCK(13) BLOCK(14)

static block_fn *const blocks[BLOCK_ROWS + 1] = {NULL, block_1, block_2, block_3, block_4, block_5, block_6, block_7, block_8,
                                                 block_9, block_10, block_11, block_12, block_13, block_14};

static void product(const struct product *p)
{
    const char *a = p->packed_rows, *b = p->packed;
    int64_t a_row = engine_row(&ENGINE, p->k), panel = engine_panel(&ENGINE, p->k);
    for (int64_t column = 0; column < p->n; column += PANEL, b += panel)
        for (int64_t row = 0; row < p->m; row += BLOCK_ROWS)
            blocks[least(BLOCK_ROWS, p->m - row)](p, a + row * a_row, a_row, b, row, column);
}
#endif

#if BYTES
#define PACK narrow_pack_bytes
#else
#define PACK pack
#endif
const struct engine ENGINE = {TILES ? "amx" : "avx512", BYTES ? S8 : BF16, BLOCK_ROWS, PANEL, PACK, pack_rows, product};
