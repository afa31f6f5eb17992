/** Vectors of sixteen floats, memory that is aligned for them, and random numbers. */
#pragma once
#include <immintrin.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#ifndef __AVX512F__
#error a processor with AVX-512 is needed
#endif

/** +, −, ·, / work on them lane by lane; products and sums fuse. */
using V = __m512;
using Mask = __mmask16;

static inline V all(float x) { return _mm512_set1_ps(x); }
static inline V load(const float *p) { return _mm512_load_ps(p); }
static inline void store(float *p, V x) { _mm512_store_ps(p, x); }
/** x where the mask has a one, else 0. */
static inline V where(Mask mask, V x) { return _mm512_maskz_mov_ps(mask, x); }

/** n zeros, aligned for vectors; they live as long as the program. */
template <class T> T *zeros(size_t n) {
  size_t bytes = (n * sizeof(T) + 63) / 64 * 64;
  void *p = aligned_alloc(64, bytes);
  memset(p, 0, bytes);
  return (T *)p;
}

/** eˣ for x ≤ 0: 2ⁿ times a polynomial of the rest. Relative error 3·10⁻⁶. */
static inline V exponential(V x) {
  V y = _mm512_max_ps(x * all(1.44269504f), all(-80));
  V whole = _mm512_roundscale_ps(y, 0), rest = y - whole;
  V p = all(0.009570102f);
  for (float c : {0.05591786f, 0.24024744f, 0.6931218f, 0.9999993f}) p = p * rest + all(c);
  return _mm512_scalef_ps(p, whole);
}

/** 1/x by an estimate of 14 bits and a step of Newton. */
static inline V reciprocal(V x) {
  V r = _mm512_rcp14_ps(x);
  return r * (all(2) - x * r);
}

/** xorshift128+, eight of them side by side. */
struct Random {
  __m512i a, b;

  explicit Random(uint64_t seed) {
    alignas(64) uint64_t state[16];
    for (auto &word : state) word = seed = seed * 6364136223846793005u + 1442695040888963407u;
    a = _mm512_load_si512(state), b = _mm512_load_si512(state + 8);
  }

  /** Sixteen numbers in [0, 1). */
  V uniform() {
    __m512i x = _mm512_xor_si512(a, _mm512_slli_epi64(a, 23));
    a = b;
    b = _mm512_xor_si512(_mm512_xor_si512(x, a), _mm512_xor_si512(_mm512_srli_epi64(x, 18), _mm512_srli_epi64(a, 5)));
    return _mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_add_epi64(a, b), 8)) * all(0x1p-24f);
  }

  void fill(float *p, size_t n, float low, float high) {
    for (size_t i = 0; i < n; i += 16) store(p + i, all(low) + uniform() * all(high - low));
  }
};
