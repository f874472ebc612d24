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

// Asks for the cache line at `address` ahead of its use; never faults.
static inline __attribute__((always_inline)) void apus_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
