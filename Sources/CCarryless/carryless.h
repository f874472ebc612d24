// Products of polynomials over bits, which processors of x86-64 have an instruction for: a checksum takes a tenth of the time.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The first and the last eight bytes of 16.
typedef struct {
  uint64_t first, last;
} apus_words;

#if defined(__x86_64__)
#include <immintrin.h>

static inline int apus_has_carryless(void) { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }

#define APUS_CARRYLESS __attribute__((target("pclmul,sse4.1")))

// What `block` is, further on in the stream, plus what stands there.
static inline APUS_CARRYLESS __m128i apus_fold_block(__m128i block, __m128i factors, __m128i there) {
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(block, factors, 0x00), _mm_clmulepi64_si128(block, factors, 0x11)), there);
}

// Brings `count` bytes, a multiple of 64 and at least 64, down to 16 that have the same remainder; `start` is added to the first eight.
// The factors are what moves a block by 64 and by 16 bytes: for its first eight bytes, and for its last.
static inline APUS_CARRYLESS apus_words apus_fold(
    const uint8_t *bytes, size_t count, uint64_t start, apus_words by64, apus_words by16) {
  const __m128i far = _mm_set_epi64x((long long)by64.last, (long long)by64.first);
  const __m128i near = _mm_set_epi64x((long long)by16.last, (long long)by16.first);
  const __m128i *block = (const __m128i *)bytes;
  __m128i a = _mm_xor_si128(_mm_loadu_si128(block), _mm_set_epi64x(0, (long long)start));
  __m128i b = _mm_loadu_si128(block + 1), c = _mm_loadu_si128(block + 2), d = _mm_loadu_si128(block + 3);
  for (size_t left = count / 64 - 1; left > 0; left--) {
    block += 4;
    a = apus_fold_block(a, far, _mm_loadu_si128(block));
    b = apus_fold_block(b, far, _mm_loadu_si128(block + 1));
    c = apus_fold_block(c, far, _mm_loadu_si128(block + 2));
    d = apus_fold_block(d, far, _mm_loadu_si128(block + 3));
  }
  a = apus_fold_block(a, near, b);
  a = apus_fold_block(a, near, c);
  a = apus_fold_block(a, near, d);
  apus_words result;
  _mm_storeu_si128((__m128i *)&result, a);
  return result;
}

#else

static inline int apus_has_carryless(void) { return 0; }

static inline apus_words apus_fold(
    const uint8_t *bytes, size_t count, uint64_t start, apus_words by64, apus_words by16) {
  (void)bytes, (void)count, (void)by64, (void)by16;
  return (apus_words){start, 0};
}

#endif
