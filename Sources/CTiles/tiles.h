// Products of matrices for processors with AVX-512, as tiles of the result that stay in the 32 vector registers.
//
// An element of `apus_product` is a chain of fused multiply-adds, in order, over each 256 places of the depth, and these are added in order;
// one of `apus_dot_products` and `apus_dots` is 16 such chains, over every 16th place each, added as a binary tree. So an element depends on its own row and
// column alone: not on how tiles are cut, on the rows around or on addresses.
#pragma once

#if defined(__AVX512F__)
#define APUS_HAS_TILES 1
#include <immintrin.h>
#include <stddef.h>

// A tile is 12 rows by two vectors: 24 sums hide the latency of an addition, and leave registers for the operands.
enum { apus_tile_rows = 12, apus_tile_columns = 32, apus_panel_depth = 256 };

// The mask of the first `count` lanes.
static inline __attribute__((always_inline)) __mmask16 apus_lanes(ptrdiff_t count) {
  return count >= 16 ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

// Row number i of those that `places` names; of all where it is null.
static inline __attribute__((always_inline)) const float *apus_row(const float *x, ptrdiff_t x_row, const int *places, ptrdiff_t i) {
  return x + (places ? places[i] : i) * x_row;
}

// c[i][j] (+)= Σ a[i][k] b[k][j] for i < rows, j < columns. `rows` (at most 12) and `vectors` (1 or 2) are constants where this is inlined.
// The rows of b are those that `places` names, or all in turn where it is null; the first `next` rows that it names behind these are asked for.
static inline __attribute__((always_inline)) void apus_sum_tile(
    int rows, int vectors, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b,
    ptrdiff_t b_row, const int *places, ptrdiff_t next, float *c, ptrdiff_t c_row, int accumulate) {
  __m512 sums[12][2];
  const __mmask16 masks[2] = {apus_lanes(columns), apus_lanes(columns - 16)};
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      sums[i][v] = _mm512_setzero_ps();
      __builtin_prefetch(c + i * c_row + 16 * v, 1, 3);
    }
  for (ptrdiff_t k = 0; k < depth; k++, a += a_step) {
    const float *const from = apus_row(b, b_row, places, k);
    __m512 line[2];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) line[v] = _mm512_maskz_loadu_ps(masks[v], from + 16 * v);
    if (places && k < next) {
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) __builtin_prefetch(apus_row(b, b_row, places, depth + k) + 16 * v, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_fmadd_ps(_mm512_set1_ps(a[i * a_row]), line[v], sums[i][v]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      float *const place = c + i * c_row + 16 * v;
      _mm512_mask_storeu_ps(place, masks[v], accumulate ? _mm512_add_ps(_mm512_maskz_loadu_ps(masks[v], place), sums[i][v]) : sums[i][v]);
    }
}

// A tile of any number of rows up to 12 and of columns up to 32.
static inline __attribute__((always_inline)) void apus_tile(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
    const int *places, ptrdiff_t next, float *c, ptrdiff_t c_row, int accumulate) {
#define APUS_TILE(n)                                                                                            \
  case n:                                                                                                       \
    if (columns > 16)                                                                                           \
      apus_sum_tile(n, 2, columns, depth, a, a_row, a_step, b, b_row, places, next, c, c_row, accumulate);      \
    else                                                                                                        \
      apus_sum_tile(n, 1, columns, depth, a, a_row, a_step, b, b_row, places, next, c, c_row, accumulate);      \
    break;
  switch (rows) {
    APUS_TILE(1) APUS_TILE(2) APUS_TILE(3) APUS_TILE(4) APUS_TILE(5) APUS_TILE(6)
    APUS_TILE(7) APUS_TILE(8) APUS_TILE(9) APUS_TILE(10) APUS_TILE(11) APUS_TILE(12)
  }
#undef APUS_TILE
}

// Copies a part of b, depth x columns, to a panel whose lines lie one behind the other.
static inline void apus_pack(const float *b, ptrdiff_t b_row, ptrdiff_t columns, ptrdiff_t depth, float *panel) {
  const __mmask16 low = apus_lanes(columns), high = apus_lanes(columns - 16);
  for (ptrdiff_t k = 0; k < depth; k++, b += b_row, panel += apus_tile_columns) {
    _mm512_store_ps(panel, _mm512_maskz_loadu_ps(low, b));
    _mm512_store_ps(panel + 16, _mm512_maskz_loadu_ps(high, b + 16));
  }
}

// Likewise from bᵀ, columns x depth: 16 x 16 elements at a time are turned in registers, in four rounds of merging two lines into two.
static inline void apus_pack_transposed(const float *b, ptrdiff_t b_row, ptrdiff_t columns, ptrdiff_t depth, float *panel) {
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  for (ptrdiff_t half = 0; half < columns; half += 16)
    for (ptrdiff_t k = 0; k < depth; k += 16) {
      const __mmask16 mask = apus_lanes(depth - k);
      __m512 lines[16], merged[16];
#pragma clang loop unroll(full)
      for (int i = 0; i < 16; i++)
        lines[i] = half + i < columns ? _mm512_maskz_loadu_ps(mask, b + (half + i) * b_row + k) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
      for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
          merged[2 * i] = _mm512_permutex2var_ps(lines[i], first, lines[i + 8]);
          merged[2 * i + 1] = _mm512_permutex2var_ps(lines[i], second, lines[i + 8]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) lines[i] = merged[i];
      }
      const ptrdiff_t count = depth - k < 16 ? depth - k : 16;
#pragma clang loop unroll(full)
      for (int i = 0; i < 16; i++)
        if (i < count) _mm512_store_ps(panel + (k + i) * apus_tile_columns + half, lines[i]);
    }
}

// Asks for lines of a matrix ahead of their use.
static inline void apus_prefetch_lines(const float *line, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t length) {
  for (ptrdiff_t i = 0; i < lines; i++, line += row)
    for (ptrdiff_t k = 0; k < length; k += 16) __builtin_prefetch(line + k, 0, 3);
}

// c = a b or c += a b: rows x columns over depth. Element (i, k) of a is a[i * a_row + k * a_step]; b is depth x columns, or columns x
// depth where it is transposed.
static inline void apus_product(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
    int b_transposed, float *c, ptrdiff_t c_row, int accumulate) {
  // The part of b that a column of tiles shares; it stays in the nearest cache.
  _Alignas(64) float panel[apus_panel_depth * apus_tile_columns];
  const ptrdiff_t tiles = (rows + apus_tile_rows - 1) / apus_tile_rows;
  // Copying pays only where enough rows use the copy.
  const int packs = b_transposed || tiles > 2;
  ptrdiff_t k = 0;
  do {
    const ptrdiff_t part = depth - k < apus_panel_depth ? depth - k : apus_panel_depth;
    for (ptrdiff_t j = 0; j < columns; j += apus_tile_columns) {
      const ptrdiff_t width = columns - j < apus_tile_columns ? columns - j : apus_tile_columns;
      const float *const source = b_transposed ? b + j * b_row + k : b + k * b_row + j;
      if (b_transposed)
        apus_pack_transposed(source, b_row, width, part, panel);
      else if (packs)
        apus_pack(source, b_row, width, part, panel);
      // While the tiles are computed, the next panel comes nearer: its lines lie far apart, where the processor does not look ahead.
      const ptrdiff_t left = columns - j - width, next_width = left < apus_tile_columns ? left : apus_tile_columns;
      const float *const next = source + (b_transposed ? width * b_row : width);
      const ptrdiff_t lines = !packs || left == 0 ? 0 : b_transposed ? next_width : part;
      for (ptrdiff_t t = 0; t < tiles; t++) {
        const ptrdiff_t first = lines * t / tiles;
        apus_prefetch_lines(next + first * b_row, b_row, lines * (t + 1) / tiles - first, b_transposed ? part : next_width);
        // Tiles as even as can be: one of few rows would wait for its own sums.
        const ptrdiff_t i = rows * t / tiles, height = rows * (t + 1) / tiles - i;
        apus_tile(
            height, width, part, a + i * a_row + k * a_step, a_row, a_step, packs ? panel : source, packs ? apus_tile_columns : b_row, NULL, 0,
            c + i * c_row + j, c_row, accumulate || k > 0);
      }
    }
    k += apus_panel_depth;
  } while (k < depth);
}

// The same where the rows of b are those that `places` names, and not so many of c that copying would pay. It names `named` rows or more, of
// which those behind the first `depth` may be wanted next: they are asked for.
static inline void apus_product_of_rows(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
    const int *places, ptrdiff_t named, float *c, ptrdiff_t c_row, int accumulate) {
  const ptrdiff_t tiles = (rows + apus_tile_rows - 1) / apus_tile_rows;
  ptrdiff_t k = 0;
  do {
    const ptrdiff_t part = depth - k < apus_panel_depth ? depth - k : apus_panel_depth;
    // What follows the last part comes next; what follows another is this product's own.
    const ptrdiff_t next = k + part < depth ? 0 : named - depth;
    for (ptrdiff_t j = 0; j < columns; j += apus_tile_columns) {
      const ptrdiff_t width = columns - j < apus_tile_columns ? columns - j : apus_tile_columns;
      for (ptrdiff_t t = 0; t < tiles; t++) {
        const ptrdiff_t i = rows * t / tiles, height = rows * (t + 1) / tiles - i;
        apus_tile(
            height, width, part, a + i * a_row + k * a_step, a_row, a_step, b + j, b_row, places + k, t == 0 ? next : 0, c + i * c_row + j,
            c_row, accumulate || k > 0);
      }
    }
    k += apus_panel_depth;
  } while (k < depth);
}

// Adds products of 16 places, of those in `mask`, to the sums of a tile of dot products.
static inline __attribute__((always_inline)) void apus_dot_step(
    int rows, int outputs, __mmask16 mask, const float *const x[4], ptrdiff_t k, const float *w, ptrdiff_t w_row, __m512 sums[4][6]) {
  __m512 lines[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) lines[i] = _mm512_maskz_loadu_ps(mask, x[i] + k);
#pragma clang loop unroll(full)
  for (int j = 0; j < outputs; j++) {
    const __m512 weights = _mm512_maskz_loadu_ps(mask, w + j * w_row + k);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) sums[i][j] = _mm512_fmadd_ps(lines[i], weights, sums[i][j]);
  }
}

// y[i][j] (+)= x[i] · w[j] for i < rows (at most 4), j < outputs (at most 6), both constants where this is inlined.
static inline __attribute__((always_inline)) void apus_dot_tile(
    int rows, int outputs, ptrdiff_t depth, const float *const x[4], const float *w, ptrdiff_t w_row, float *y, ptrdiff_t y_row,
    int accumulate) {
  __m512 sums[4][6];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j++) sums[i][j] = _mm512_setzero_ps();
  ptrdiff_t k = 0;
  for (; k + 16 <= depth; k += 16) apus_dot_step(rows, outputs, 0xFFFF, x, k, w, w_row, sums);
  if (k < depth) apus_dot_step(rows, outputs, apus_lanes(depth - k), x, k, w, w_row, sums);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j++) {
      const float sum = _mm512_reduce_add_ps(sums[i][j]);
      y[i * y_row + j] = accumulate ? y[i * y_row + j] + sum : sum;
    }
}

// y = x wᵀ or y += x wᵀ for few rows or few outputs: nothing is copied, since both operands are read along their rows. The rows of x are those
// that `places` names, or all in turn where it is null.
static inline void apus_dot_products(
    ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t depth, const float *x, ptrdiff_t x_row, const int *places, const float *w, ptrdiff_t w_row,
    float *y, ptrdiff_t y_row, int accumulate) {
  const ptrdiff_t tiles = (outputs + 5) / 6;
  for (ptrdiff_t t = 0; t < tiles; t++) {
    const ptrdiff_t j = outputs * t / tiles, count = outputs * (t + 1) / tiles - j;
    for (ptrdiff_t i = 0; i < rows; i += 4) {
      const ptrdiff_t some = rows - i < 4 ? rows - i : 4;
      const float *lines[4];
#pragma clang loop unroll(full)
      for (int r = 0; r < 4; r++) lines[r] = apus_row(x, x_row, places, r < some ? i + r : i);
#define APUS_DOTS(r, o) \
  case 8 * r + o: apus_dot_tile(r, o, depth, lines, w + j * w_row, w_row, y + i * y_row + j, y_row, accumulate); break;
#define APUS_DOTS_OF(o) APUS_DOTS(1, o) APUS_DOTS(2, o) APUS_DOTS(3, o) APUS_DOTS(4, o)
      switch (8 * some + count) { APUS_DOTS_OF(1) APUS_DOTS_OF(2) APUS_DOTS_OF(3) APUS_DOTS_OF(4) APUS_DOTS_OF(5) APUS_DOTS_OF(6) }
#undef APUS_DOTS_OF
#undef APUS_DOTS
    }
  }
}

// y[i * y_step] (+)= x[i] · w for each row: 16 chains over every 16th place each, added as a binary tree. Eight rows at a time, so that their
// trees are one. The rows of x are those that `places` names, or all in turn where it is null. (Rows in a random order are not asked for ahead here: it
// would take as long as it saves, and `apus_combination` does so for the rows that come next.)
static inline void apus_dots(
    ptrdiff_t rows, ptrdiff_t depth, const float *x, ptrdiff_t x_row, const int *places, const float *w, float *y, ptrdiff_t y_step,
    int accumulate) {
  for (ptrdiff_t i = 0; i < rows; i += 8) {
    const float *lines[8];
    __m512 sums[8];
#pragma clang loop unroll(full)
    for (int r = 0; r < 8; r++) {
      // The last row stands in for those that are not there.
      lines[r] = apus_row(x, x_row, places, i + r < rows ? i + r : rows - 1);
      sums[r] = _mm512_setzero_ps();
    }
    ptrdiff_t k = 0;
    for (; k + 16 <= depth; k += 16) {
      const __m512 weights = _mm512_loadu_ps(w + k);
#pragma clang loop unroll(full)
      for (int r = 0; r < 8; r++) sums[r] = _mm512_fmadd_ps(_mm512_loadu_ps(lines[r] + k), weights, sums[r]);
    }
    if (k < depth) {
      const __mmask16 mask = apus_lanes(depth - k);
      const __m512 weights = _mm512_maskz_loadu_ps(mask, w + k);
#pragma clang loop unroll(full)
      for (int r = 0; r < 8; r++) sums[r] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, lines[r] + k), weights, sums[r]);
    }
    // Lanes l and l + 8 of all rows, then l and l + 4, l + 2, l + 1: half as many vectors each time.
#pragma clang loop unroll(full)
    for (int r = 0; r < 8; r += 2)
      sums[r / 2] = _mm512_add_ps(
          _mm512_shuffle_f32x4(sums[r], sums[r + 1], 0x44), _mm512_shuffle_f32x4(sums[r], sums[r + 1], 0xEE));
#pragma clang loop unroll(full)
    for (int r = 0; r < 4; r += 2)
      sums[r / 2] = _mm512_add_ps(
          _mm512_shuffle_f32x4(sums[r], sums[r + 1], 0x88), _mm512_shuffle_f32x4(sums[r], sums[r + 1], 0xDD));
    const __m512 two = _mm512_add_ps(_mm512_shuffle_ps(sums[0], sums[1], 0x44), _mm512_shuffle_ps(sums[0], sums[1], 0xEE));
    const __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xB1));
    const __m512 all = _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0), one);
    if (y_step == 1 && !accumulate) {
      _mm512_mask_storeu_ps(y + i, apus_lanes(rows - i < 8 ? rows - i : 8), all);
      continue;
    }
    float dots[16];
    _mm512_storeu_ps(dots, all);
    for (ptrdiff_t r = 0; r < 8 && i + r < rows; r++) {
      float *const place = y + (i + r) * y_step;
      *place = accumulate ? *place + dots[r] : dots[r];
    }
  }
}

// y (+)= Σ factors[i * step] m[i]: for each column one chain over the rows, in order, in a register. The rows of m are those that `places`
// names, or all in turn where it is null; it names `named` rows or more, of which those behind the first `rows` may be wanted next: they are
// asked for while these are in the nearest cache.
static inline __attribute__((always_inline)) void apus_combination_part(
    int vectors, ptrdiff_t rows, ptrdiff_t columns, const float *factors, ptrdiff_t step, const float *m, ptrdiff_t m_row, const int *places,
    ptrdiff_t named, float *y, int accumulate) {
  __m512 sums[8];
  const __mmask16 mask = apus_lanes(columns - 16 * (vectors - 1));
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++)
    sums[v] = accumulate ? _mm512_maskz_loadu_ps(v + 1 < vectors ? 0xFFFF : mask, y + 16 * v) : _mm512_setzero_ps();
  for (ptrdiff_t i = 0; i < rows; i++, factors += step) {
    const __m512 factor = _mm512_set1_ps(*factors);
    const float *const line = apus_row(m, m_row, places, i);
    if (places && i + rows < named) {
      const float *const next = apus_row(m, m_row, places, i + rows);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) __builtin_prefetch(next + 16 * v, 0, 2);
      __builtin_prefetch(next + columns - 1, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      sums[v] = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(v + 1 < vectors ? 0xFFFF : mask, line + 16 * v), sums[v]);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) _mm512_mask_storeu_ps(y + 16 * v, v + 1 < vectors ? 0xFFFF : mask, sums[v]);
}

static inline void apus_combination(
    ptrdiff_t rows, ptrdiff_t columns, const float *factors, ptrdiff_t step, const float *m, ptrdiff_t m_row, const int *places,
    ptrdiff_t named, float *y, int accumulate) {
  // As many columns at a time as there are chains to hide the latency, in parts as even as can be.
  const ptrdiff_t vectors = (columns + 15) / 16, parts = (vectors + 7) / 8;
  for (ptrdiff_t p = 0; p < parts; p++) {
    const ptrdiff_t j = 16 * (vectors * p / parts), end = 16 * (vectors * (p + 1) / parts), count = (end < columns ? end : columns) - j;
#define APUS_PART(n) \
  case n: apus_combination_part(n, rows, count, factors, step, m + j, m_row, places, named, y + j, accumulate); break;
    switch ((count + 15) / 16) {
      APUS_PART(1) APUS_PART(2) APUS_PART(3) APUS_PART(4) APUS_PART(5) APUS_PART(6) APUS_PART(7) APUS_PART(8)
    }
#undef APUS_PART
  }
}

// In what follows w has room for whole vectors, with zeros behind the last weight. `vectors` says how many; where it is a constant, a loop
// over rows keeps the weights in registers.

// w from as many weights as there are.
static inline __attribute__((always_inline)) void apus_widen(ptrdiff_t vectors, ptrdiff_t depth, const float *weights, float *w) {
  for (ptrdiff_t v = 0; v < vectors; v++) _mm512_storeu_ps(w + 16 * v, _mm512_maskz_loadu_ps(apus_lanes(depth - 16 * v), weights + 16 * v));
}

// The weights of w.
static inline __attribute__((always_inline)) void apus_narrow(ptrdiff_t vectors, ptrdiff_t depth, const float *w, float *weights) {
  for (ptrdiff_t v = 0; v < vectors; v++) _mm512_mask_storeu_ps(weights + 16 * v, apus_lanes(depth - 16 * v), _mm512_loadu_ps(w + 16 * v));
}

// x · w as `apus_dots` has it, for one row.
static inline __attribute__((always_inline)) float apus_dot(ptrdiff_t vectors, ptrdiff_t depth, const float *x, const float *w) {
  __m512 sum = _mm512_setzero_ps();
  for (ptrdiff_t v = 0; v < vectors; v++)
    sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(apus_lanes(depth - 16 * v), x + 16 * v), _mm512_loadu_ps(w + 16 * v), sum);
  const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sum), 1));
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sum), high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// One step of gradient descent for one row: w -= rate (slope x + l2 w + l1 sign w). Leaves w alone and returns 0 where slope x is not finite.
static inline __attribute__((always_inline)) int apus_descend_row(
    ptrdiff_t vectors, ptrdiff_t depth, float slope, const float *x, float l1, float l2, float rate, float *w) {
  const __m512 factor = _mm512_set1_ps(slope), zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1);
  const __m512 most = _mm512_set1_ps(__builtin_inff());
  __mmask16 finite = 0xFFFF;
  for (ptrdiff_t v = 0; v < vectors; v++) {
    const __m512 sum = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(apus_lanes(depth - 16 * v), x + 16 * v), zero);
    finite &= _mm512_cmp_ps_mask(_mm512_abs_ps(sum), most, _CMP_LT_OQ);
  }
  if (finite != 0xFFFF) return 0;
  for (ptrdiff_t v = 0; v < vectors; v++) {
    const __m512 weights = _mm512_loadu_ps(w + 16 * v);
    __m512 slopes = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(apus_lanes(depth - 16 * v), x + 16 * v), zero);
    // Without penalties the sums below would add zeros to what is no negative zero, while the next row waits for the weights.
    if (l1 != 0 || l2 != 0) {
      const __m512 above = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(weights, zero, _CMP_GT_OQ), one);
      const __m512 sign = _mm512_mask_sub_ps(above, _mm512_cmp_ps_mask(weights, zero, _CMP_LT_OQ), zero, one);
      slopes = _mm512_fmadd_ps(_mm512_set1_ps(l2), weights, slopes);
      slopes = _mm512_fmadd_ps(_mm512_set1_ps(l1), sign, slopes);
    }
    _mm512_storeu_ps(w + 16 * v, _mm512_fmadd_ps(_mm512_set1_ps(-rate), slopes, weights));
  }
  return 1;
}

// Which of the values are infinite or not a number.
static inline __attribute__((always_inline)) __mmask16 apus_not_finite(__m512 values) {
  return _mm512_cmp_ps_mask(_mm512_abs_ps(values), _mm512_set1_ps(__builtin_inff()), _CMP_NLT_UQ);
}

// Copies rows, those of `from` in turn to those of `to` that `places` names where `scatters` is set, else the other way round. `vectors`, which
// hold a row, is a constant where this is inlined, or 0. Returns whether a number is not finite, if it scatters.
static inline __attribute__((always_inline)) int apus_copy_rows_of(
    ptrdiff_t vectors, ptrdiff_t rows, ptrdiff_t columns, float *to, const float *from, const int *places, int scatters) {
  // Rows in a random order: the processor cannot guess the next one, so it is told some ahead; the shorter they are the more.
  const ptrdiff_t count = vectors ? vectors : (columns + 15) / 16, distance = vectors ? 16 : 1 + 1024 / columns;
  const __mmask16 mask = apus_lanes(columns - 16 * (count - 1));
  __mmask16 odd = 0;
  for (ptrdiff_t i = 0; i < rows; i++) {
    const float *const next = (scatters ? to : from) + places[i + distance < rows ? i + distance : rows - 1] * columns;
    const float *const source = from + (scatters ? i : places[i]) * columns;
    float *const target = to + (scatters ? places[i] : i) * columns;
    ptrdiff_t v = 0;
#define APUS_COPY_VECTOR(lanes)                                                     \
  do {                                                                              \
    if (scatters)                                                                   \
      __builtin_prefetch(next + 16 * v, 1, 3);                                      \
    else                                                                            \
      __builtin_prefetch(next + 16 * v, 0, 3);                                      \
    const __m512 values = _mm512_maskz_loadu_ps(lanes, source + 16 * v);            \
    if (scatters) odd |= apus_not_finite(values);                                   \
    _mm512_mask_storeu_ps(target + 16 * v, lanes, values);                          \
  } while (0)
    if (vectors) {
#pragma clang loop unroll(full)
      for (; v < vectors - 1; v++) APUS_COPY_VECTOR(0xFFFF);
    } else {
      for (; v < count - 1; v++) APUS_COPY_VECTOR(0xFFFF);
    }
    APUS_COPY_VECTOR(mask);
#undef APUS_COPY_VECTOR
    // A row may end in one more line than it has vectors.
    if (scatters)
      __builtin_prefetch(next + columns - 1, 1, 3);
    else
      __builtin_prefetch(next + columns - 1, 0, 3);
  }
  return odd != 0;
}

// See `apus_copy_rows_of`. A call of memcpy for each row would take longer, most of all for short ones.
static inline int apus_copy_rows(ptrdiff_t rows, ptrdiff_t columns, float *to, const float *from, const int *places, int scatters) {
#define APUS_COPY(n)                                                                          \
  case n:                                                                                     \
    return scatters ? apus_copy_rows_of(n % 9, rows, columns, to, from, places, 1)            \
                    : apus_copy_rows_of(n % 9, rows, columns, to, from, places, 0);
  switch (columns > 128 ? 9 : (columns + 15) / 16) {
    APUS_COPY(1) APUS_COPY(2) APUS_COPY(3) APUS_COPY(4) APUS_COPY(5) APUS_COPY(6) APUS_COPY(7) APUS_COPY(8) APUS_COPY(9)
  }
#undef APUS_COPY
  return 0;
}
#else
#define APUS_HAS_TILES 0
#include <stddef.h>

static inline int apus_copy_rows(ptrdiff_t rows, ptrdiff_t columns, float *to, const float *from, const int *places, int scatters) {
  unsigned largest = 0;
  for (ptrdiff_t i = 0; i < rows; i++) {
    float *const target = to + (scatters ? places[i] : i) * columns;
    const float *const source = from + (scatters ? i : places[i]) * columns;
    for (ptrdiff_t k = 0; k < columns; k++) {
      const union { float number; unsigned bits; } value = {source[k]};
      const unsigned exponent = value.bits & 0x7F800000;
      largest = exponent > largest ? exponent : largest;
      target[k] = source[k];
    }
  }
  return scatters && largest == 0x7F800000;
}

// Never called: other processors leave their products to the BLAS.
static inline void apus_product(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
    int b_transposed, float *c, ptrdiff_t c_row, int accumulate) {
  __builtin_trap();
}
static inline void apus_product_of_rows(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
    const int *places, ptrdiff_t named, float *c, ptrdiff_t c_row, int accumulate) {
  __builtin_trap();
}
static inline void apus_dot_products(
    ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t depth, const float *x, ptrdiff_t x_row, const int *places, const float *w, ptrdiff_t w_row,
    float *y, ptrdiff_t y_row, int accumulate) {
  __builtin_trap();
}
static inline void apus_dots(
    ptrdiff_t rows, ptrdiff_t depth, const float *x, ptrdiff_t x_row, const int *places, const float *w, float *y, ptrdiff_t y_step,
    int accumulate) {
  __builtin_trap();
}
static inline void apus_combination(
    ptrdiff_t rows, ptrdiff_t columns, const float *factors, ptrdiff_t step, const float *m, ptrdiff_t m_row, const int *places,
    ptrdiff_t named, float *y, int accumulate) {
  __builtin_trap();
}
static inline void apus_widen(ptrdiff_t vectors, ptrdiff_t depth, const float *weights, float *w) { __builtin_trap(); }
static inline void apus_narrow(ptrdiff_t vectors, ptrdiff_t depth, const float *w, float *weights) { __builtin_trap(); }
static inline float apus_dot(ptrdiff_t vectors, ptrdiff_t depth, const float *x, const float *w) { __builtin_trap(); }
static inline int apus_descend_row(
    ptrdiff_t vectors, ptrdiff_t depth, float slope, const float *x, float l1, float l2, float rate, float *w) {
  __builtin_trap();
}
#endif
