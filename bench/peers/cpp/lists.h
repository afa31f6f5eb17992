/** Spikes as bits, lists of their places, and sums of the rows that lists choose. */
#pragma once
#include <algorithm>
#include <vector>
#include "vectors.h"

/** Columns of a panel of a matrix, which is stored panel by panel: four vectors. */
static const int PANEL = 64;

/** Rows of a panel that a list is about: 32 kB, which the first-level cache holds. */
static const int BLOCK = 128;

struct Bits {
  int rows, columns, words;
  uint64_t *data;

  Bits(int rows, int columns) : rows(rows), columns(columns), words((columns + 63) / 64), data(zeros<uint64_t>(size_t(rows) * words)) {}
  uint64_t *row(int r) const { return data + size_t(r) * words; }
};

/** 64 rows of 64 bits, turned by halves: blocks of 32, of 16, … */
static void turn(uint64_t a[64]) {
  uint64_t mask = 0x00000000ffffffff;
  for (int size = 32; size; size >>= 1, mask ^= mask << size)
    for (int k = 0; k < 64; k = (k + size + 1) & ~size) {
      uint64_t changed = ((a[k] >> size) ^ a[k + size]) & mask;
      a[k] ^= changed << size, a[k + size] ^= changed;
    }
}

static void transpose(Bits &to, const Bits &from) {
  for (int j = 0; j < from.words; j++)
    for (int i = 0; i < to.words; i++) {
      uint64_t a[64];
      for (int r = 0; r < 64; r++) a[r] = i * 64 + r < from.rows ? from.row(i * 64 + r)[j] : 0;
      turn(a);
      for (int r = 0; r < 64 && j * 64 + r < to.rows; r++) to.row(j * 64 + r)[i] = a[r];
    }
}

/** The places of the ones of each row of bits, a list for each block of columns; with values [rows][columns], unless there are none. */
struct Lists {
  int rows = 0, blocks = 0;
  std::vector<uint32_t> start;
  std::vector<uint16_t> place;
  std::vector<float> value;

  void make(const Bits &bits, const std::vector<float> &values) {
    rows = bits.rows, blocks = (bits.columns + BLOCK - 1) / BLOCK;
    size_t ones = 0, n = 0;
    for (size_t i = 0; i < size_t(bits.rows) * bits.words; i++) ones += __builtin_popcountll(bits.data[i]);
    start.resize(size_t(blocks) * rows + 1), place.resize(ones + 16), value.resize(values.empty() ? 0 : ones);
    for (int block = 0; block < blocks; block++)
      for (int r = 0; r < rows; r++) {
        start[size_t(block) * rows + r] = n;
        for (int w = block * BLOCK / 64; w < std::min(bits.words, (block + 1) * BLOCK / 64); w++) {
          const size_t before = n;
          n += compress(bits.row(r)[w], w * 64 - block * BLOCK, &place[n]);
          if (!values.empty())
            for (size_t i = before; i < n; i++) value[i] = values[size_t(r) * bits.columns + block * BLOCK + place[i]];
        }
      }
    start.back() = n;
  }

  /** Writes the places of the ones of a word, sixteen bits at a time; gives their number. */
  static int compress(uint64_t word, int first, uint16_t *to) {
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    int n = 0;
    for (; word; word >>= 16, first += 16) {
      Mask mask = word & 0xffff;
      __m512i places = _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(lanes, _mm512_set1_epi32(first)));
      _mm256_storeu_si256((__m256i *)(to + n), _mm512_cvtepi32_epi16(places));
      n += __builtin_popcount(mask);
    }
    return n;
  }
};

/** A panel z [rows][64] ← bias, or zeros, + the sum of the rows of w [columns][64] in the lists. */
template <bool GRADED> static void addRows(float *z, const Lists &lists, const float *w, const float *bias) {
  for (int block = 0; block < lists.blocks; block++)
    for (int r = 0; r < lists.rows; r++) {
      float *to = z + size_t(r) * PANEL;
      const float *from = block ? to : bias;
      V a = all(0), b = a, c = a, d = a;
      if (from) a = load(from), b = load(from + 16), c = load(from + 32), d = load(from + 48);
      const uint32_t *list = &lists.start[size_t(block) * lists.rows + r];
      for (uint32_t i = list[0]; i < list[1]; i++) {
        const float *row = w + (size_t(block) * BLOCK + lists.place[i]) * PANEL;
        V x = GRADED ? all(lists.value[i]) : all(1);
        a = a + x * load(row), b = b + x * load(row + 16), c = c + x * load(row + 32), d = d + x * load(row + 48);
      }
      store(to, a), store(to + 16, b), store(to + 32, c), store(to + 48, d);
    }
}
