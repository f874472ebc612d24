// Products of polynomials over bits, which processors of x86-64 have an instruction for: a checksum takes a tenth of the time.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The first and the last eight bytes of 16.
typedef struct {
  uint64_t first, last;
} apus_words;

// What moves a block of bytes on by so many: for the first eight bytes of each 16, and for the last.
typedef struct {
  apus_words by256, by64, by16;
} apus_factors;

// How many bytes a pass takes at a time: 0 where the processor has no such instruction.
enum { apus_narrow = 64, apus_wide = 256 };

#if defined(__x86_64__)
#include <immintrin.h>

static inline int apus_carryless_bytes(void) {
  if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 0;
  return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") ? apus_wide : apus_narrow;
}

#define APUS_CARRYLESS __attribute__((target("pclmul,sse4.1")))
#define APUS_WIDE __attribute__((target("pclmul,sse4.1,avx512f,vpclmulqdq")))

// What `block` is, further on in the stream, plus what stands there.
static inline APUS_CARRYLESS __m128i apus_fold_block(__m128i block, apus_words by, __m128i there) {
  const __m128i factors = _mm_set_epi64x((long long)by.last, (long long)by.first);
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(block, factors, 0x00), _mm_clmulepi64_si128(block, factors, 0x11)), there);
}

// As `apus_fold_block`, four blocks side by side.
static inline APUS_WIDE __m512i apus_fold_blocks(__m512i blocks, apus_words by, __m512i there) {
  const __m512i factors = _mm512_broadcast_i32x4(_mm_set_epi64x((long long)by.last, (long long)by.first));
  return _mm512_xor_si512(
      _mm512_xor_si512(_mm512_clmulepi64_epi128(blocks, factors, 0x00), _mm512_clmulepi64_epi128(blocks, factors, 0x11)),
      there);
}

static inline APUS_CARRYLESS apus_words apus_result(__m128i block) {
  apus_words result;
  _mm_storeu_si128((__m128i *)&result, block);
  return result;
}

// Brings `count` bytes, a multiple of 64 and at least 64, down to 16 that have the same remainder; `start` is added to the first eight.
static inline APUS_CARRYLESS apus_words apus_fold_narrow(
    const uint8_t *bytes, size_t count, uint64_t start, const apus_factors *factors) {
  const apus_factors by = *factors;
  const __m128i *block = (const __m128i *)bytes;
  __m128i a = _mm_xor_si128(_mm_loadu_si128(block), _mm_set_epi64x(0, (long long)start));
  __m128i b = _mm_loadu_si128(block + 1), c = _mm_loadu_si128(block + 2), d = _mm_loadu_si128(block + 3);
  for (size_t left = count / 64 - 1; left > 0; left--) {
    block += 4;
    a = apus_fold_block(a, by.by64, _mm_loadu_si128(block));
    b = apus_fold_block(b, by.by64, _mm_loadu_si128(block + 1));
    c = apus_fold_block(c, by.by64, _mm_loadu_si128(block + 2));
    d = apus_fold_block(d, by.by64, _mm_loadu_si128(block + 3));
  }
  a = apus_fold_block(a, by.by16, b);
  a = apus_fold_block(a, by.by16, c);
  return apus_result(apus_fold_block(a, by.by16, d));
}

// Four registers of a pass, from memory and, where `to` is somewhere, to there; whether one of the floats in them is none, or infinite,
// is added to `special`.
static inline APUS_WIDE void apus_take(const uint8_t *from, uint8_t *to, __m512i taken[4], __mmask16 *special) {
  const __m512i exponent = _mm512_set1_epi32(0x7F800000);
  for (int i = 0; i < 4; i++) {
    taken[i] = _mm512_loadu_si512(from + 64 * i);
    if (!to) continue;
    _mm512_stream_si512((__m512i *)(to + 64 * i), taken[i]);
    *special |= _mm512_cmpeq_epi32_mask(_mm512_and_si512(taken[i], exponent), exponent);
  }
}

// As `apus_fold_narrow`, for a multiple of 256 bytes. Where `to` is somewhere, a multiple of 64, they are copied to there in the same
// pass, past the caches, and `*has_special` is set where one of the floats that they are is no number, or infinite.
static inline APUS_WIDE apus_words apus_fold_wide(
    const uint8_t *bytes, size_t count, uint64_t start, const apus_factors *factors, uint8_t *to, int *has_special) {
  const apus_factors by = *factors;
  __m512i sum[4], next[4];
  __mmask16 special = 0;
  apus_take(bytes, to, sum, &special);
  sum[0] = _mm512_xor_si512(sum[0], _mm512_zextsi128_si512(_mm_set_epi64x(0, (long long)start)));
  for (size_t place = 256; place < count; place += 256) {
    apus_take(bytes + place, to ? to + place : 0, next, &special);
    for (int i = 0; i < 4; i++) sum[i] = apus_fold_blocks(sum[i], by.by256, next[i]);
  }
  for (int i = 1; i < 4; i++) sum[i] = apus_fold_blocks(sum[i - 1], by.by64, sum[i]);
  if (to) {
    _mm_sfence();
    *has_special = special != 0;
  }
  __m128i block = _mm512_castsi512_si128(sum[3]);
  block = apus_fold_block(block, by.by16, _mm512_extracti32x4_epi32(sum[3], 1));
  block = apus_fold_block(block, by.by16, _mm512_extracti32x4_epi32(sum[3], 2));
  return apus_result(apus_fold_block(block, by.by16, _mm512_extracti32x4_epi32(sum[3], 3)));
}

#else

static inline int apus_carryless_bytes(void) { return 0; }

static inline apus_words apus_fold_narrow(
    const uint8_t *bytes, size_t count, uint64_t start, const apus_factors *factors) {
  (void)bytes, (void)count, (void)factors;
  return (apus_words){start, 0};
}

static inline apus_words apus_fold_wide(
    const uint8_t *bytes, size_t count, uint64_t start, const apus_factors *factors, uint8_t *to, int *has_special) {
  (void)to, (void)has_special;
  return apus_fold_narrow(bytes, count, start, factors);
}

#endif
