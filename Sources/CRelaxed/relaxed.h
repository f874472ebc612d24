// Additions and multiplications that the compiler may reorder and fuse, so that a sum over floats becomes vector code.
// Strict floating point keeps the order of a loop, and with it one element a cycle at best.
#pragma once

static inline __attribute__((always_inline)) float apus_relaxed_add(float a, float b) {
#pragma clang fp reassociate(on) contract(fast)
  return a + b;
}

static inline __attribute__((always_inline)) float apus_relaxed_multiply(float a, float b) {
#pragma clang fp reassociate(on) contract(fast)
  return a * b;
}

// Asks for the cache lines of `count` floats ahead of their use, those of the first kilobyte; never faults.
static inline __attribute__((always_inline)) void apus_prefetch_row(const float *row, long count) {
  const long most = count < 256 ? count : 256;
  for (long k = 0; k < most; k += 16) __builtin_prefetch(row + k, 0, 3);
  __builtin_prefetch(row + most - 1, 0, 3);
}

// Asks for the cache lines of `count` floats for the second cache, to read or to write them; never faults.
static inline __attribute__((always_inline)) void apus_prefetch(const float *floats, long count, int to_write) {
  if (to_write)
    for (long k = 0; k < count; k += 16) __builtin_prefetch(floats + k, 1, 2);
  else
    for (long k = 0; k < count; k += 16) __builtin_prefetch(floats + k, 0, 2);
}
