// Text as tables of numbers hold it, many bytes and many fields at once, in the compiler's own vectors: they become what the processor has.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX512VBMI2__)
#include <immintrin.h>
#endif

// All functions are inlined: no vector is passed by any convention.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

typedef uint8_t apus_bytes __attribute__((ext_vector_type(64)));
typedef _Bool apus_bits __attribute__((ext_vector_type(64)));
typedef int32_t apus_places __attribute__((ext_vector_type(8)));
typedef int64_t apus_offsets __attribute__((ext_vector_type(8)));
typedef uint64_t apus_words __attribute__((ext_vector_type(8)));
typedef double apus_doubles __attribute__((ext_vector_type(8)));
typedef float apus_floats __attribute__((ext_vector_type(8)));
typedef _Bool apus_lanes_8 __attribute__((ext_vector_type(8)));

// Which of 64 bytes are a delimiter, a point or a line end (LF or CR): the first byte's bit is the lowest.
typedef struct {
  uint64_t delimiters, points, lines;
} apus_marks;

static inline __attribute__((always_inline)) uint64_t apus_equal(apus_bytes text, uint8_t a, uint8_t b) {
  const apus_bits found = __builtin_convertvector((text == a) | (text == b), apus_bits);
  uint64_t bits;
  memcpy(&bits, &found, 8);
  return bits;
}

static inline __attribute__((always_inline)) apus_marks apus_find_marks(const void *bytes, uint8_t delimiter, uint8_t point) {
  apus_bytes text;
  memcpy(&text, bytes, 64);
  return (apus_marks){
      apus_equal(text, delimiter, delimiter), apus_equal(text, point, point), apus_equal(text, '\n', '\r')};
}

// Writes `start` + i for each bit i, in order, and up to 15 numbers more that mean nothing; returns how many bits there are.
static inline __attribute__((always_inline)) ptrdiff_t apus_append_places(uint64_t bits, int32_t start, int32_t *places) {
  const ptrdiff_t count = __builtin_popcountll(bits);
#if defined(__AVX512VBMI2__)
  static const uint8_t indices[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
                                      44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  __m512i found = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(indices));
  for (ptrdiff_t done = 0; done < count; done += 16) {
    const __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));
    _mm512_storeu_si512(places + done, _mm512_add_epi32(wide, _mm512_set1_epi32(start)));
    found = _mm512_alignr_epi64(_mm512_setzero_si512(), found, 2);
  }
#else
  // Four at a time, needed or not: a loop whose end the processor foresees is worth more than a few stores.
  for (int32_t *next = places; bits != 0; next += 4) {
    for (int i = 0; i < 4; i++) {
      next[i] = start + (int32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
      bits &= bits - 1;
    }
  }
#endif
  return count;
}

// What eight digits are as a number, the first of them in the lowest byte: two, four and eight of them become one.
static inline __attribute__((always_inline)) apus_words apus_number(apus_words digits) {
  const apus_words pairs = digits * 10 + (digits >> 8);
  return ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

static inline __attribute__((always_inline)) unsigned apus_lane_bits(apus_offsets condition) {
  const apus_lanes_8 lanes = __builtin_convertvector(condition, apus_lanes_8);
  uint8_t bits;
  memcpy(&bits, &lanes, 1);
  return bits;
}

// Whether each of eight fields has one point: field i ends at ends[i], and the one before the first at ends[-1].
static inline __attribute__((always_inline)) int apus_fields_have_points(const int32_t *points, const int32_t *ends) {
  apus_places point, end, before;
  memcpy(&point, points, 32);
  memcpy(&end, ends, 32);
  memcpy(&before, ends - 1, 32);
  const apus_places fits = (point > before) & (point < end);
  return apus_lane_bits(__builtin_convertvector(fits, apus_offsets)) == 0xff;
}

// Reads the numbers in eight fields: field i ends at text + ends[i] and has its point at points[i], which is its end where it has none; the one before
// the first ends at ends[-1], which is 7 at least. A number has a sign or none, 1 to 8 digits, and 0 to 8 digits behind the point.
//
// mantissas[i] becomes its 10⁸th part, and values[i] the float nearest to it. Returns the bits of the fields that are not such a number, or one that lies
// too near to the middle between two floats to be rounded here; what is written for them means nothing.
static inline __attribute__((always_inline)) unsigned apus_read_numbers(
    const uint8_t *text, const int32_t *points, const int32_t *ends, uint64_t *mantissas, float *values) {
  apus_places point_places, end_places, before_places;
  memcpy(&point_places, points, 32);
  memcpy(&end_places, ends, 32);
  memcpy(&before_places, ends - 1, 32);
  apus_words before_point, before_end;
  for (int i = 0; i < 8; i++) {
    uint64_t word;
    memcpy(&word, text + points[i] - 8, 8);
    before_point[i] = word;
    memcpy(&word, text + ends[i] - 8, 8);
    before_end[i] = word;
  }
  const apus_offsets point = __builtin_convertvector(point_places, apus_offsets);
  const apus_offsets end = __builtin_convertvector(end_places, apus_offsets);
  const apus_offsets before = __builtin_convertvector(before_places, apus_offsets);
  const apus_offsets one = 1, none = 0, most = 8;

  const apus_offsets length = point - before - 1;
  const apus_offsets decimals = __builtin_elementwise_max(end - point - 1, none);
  apus_offsets bad = (length < one) | (length > most) | (decimals > most);
  const apus_offsets characters = __builtin_elementwise_min(__builtin_elementwise_max(length, one), most);
  const apus_offsets few_decimals = __builtin_elementwise_min(decimals, most);

  const apus_words first = (before_point >> (apus_words)(64 - 8 * characters)) & 0xff;
  const apus_offsets negative = (apus_offsets)(first == '-');  // -1 or 0
  const apus_offsets wholes = characters + negative;
  bad |= wholes < one;

  // A shift by 64 in two halves, which may be of all bits. The digits before the point have zeros before them, those behind it zeros behind them.
  const apus_words whole_shift = (apus_words)(32 - 4 * wholes), decimal_shift = (apus_words)(32 - 4 * few_decimals);
  const apus_words zeros = 0x3030303030303030, high = 0x8080808080808080, beyond_nine = 0x7676767676767676;
  const apus_words all = ~(apus_words)0;
  const apus_words whole = (before_point ^ zeros) & (all << whole_shift << whole_shift);
  const apus_words fraction = (before_end ^ zeros) >> decimal_shift >> decimal_shift;
  bad |= (apus_offsets)((((whole + beyond_nine) | whole | (fraction + beyond_nine) | fraction) & high) != 0);

  const apus_words mantissa = apus_number(whole) * 100000000 + apus_number(fraction);
  memcpy(mantissas, &mantissa, 64);
  // Off by four last places at most, after as many roundings: that makes another float only this near to the middle between two.
  const apus_doubles near = __builtin_convertvector((apus_offsets)mantissa, apus_doubles) * 1e-8;
  const apus_words beyond_middle = ((apus_words)near & 0x1fffffff) - 0x10000000;
  bad |= (apus_offsets)(beyond_middle + 8 <= 16);
  const apus_floats magnitude = __builtin_convertvector(near, apus_floats);
  const apus_places signed_bits = (apus_places)magnitude | (__builtin_convertvector(negative, apus_places) & (int32_t)0x80000000);
  memcpy(values, &signed_bits, 32);
  return apus_lane_bits(bad);
}

#pragma clang diagnostic pop
