/** A network of two layers that is trained by Adam: lists of spikes, neurons by panels of 64, a head of at most sixteen outputs. */
#pragma once
#include <cmath>
#include "lists.h"

/** A parameter with its gradient and its moments, in vectors. */
struct Parameter {
  size_t n;
  float *w, *gradient, *m, *v;

  explicit Parameter(size_t n) : n(n), w(zeros<float>(n)), gradient(zeros<float>(n)), m(zeros<float>(n)), v(zeros<float>(n)) {}

  void adam(float lr, int step) {
    const V rate = all(lr / (1 - std::pow(0.9f, step))), scale = all(1 / std::sqrt(1 - std::pow(0.999f, step)));
    for (size_t i = 0; i < n; i += 16) {
      V d = load(gradient + i);
      V first = all(0.9f) * load(m + i) + all(0.1f) * d, second = all(0.999f) * load(v + i) + all(0.001f) * d * d;
      store(m + i, first), store(v + i, second);
      store(w + i, load(w + i) - rate * first / (_mm512_sqrt_ps(second) * scale + all(1e-8f)));
    }
  }
};

/** snnTorch's Leaky with the derivative of the arctangent (alpha = 2): the threshold is subtracted in the step after a spike. */
struct Leaky {
  static V advance(V u, Mask spikes, float beta, V current) {
    u = all(beta) * u + current;
    return _mm512_mask_sub_ps(u, spikes, u, all(1));
  }
  static V slope(V distance) { return reciprocal(all(1) + all(float(M_PI * M_PI)) * distance * distance); }
  static V kept(V gradient, Mask) { return gradient; }
};

/** Neurons that spikes reset to zero, with the derivative of the sigmoid (slope 10). */
struct Resetting {
  static V advance(V u, Mask spikes, float beta, V current) { return all(beta) * where(~spikes, u) + current; }
  static V slope(V distance) {
    V e = exponential(all(-10) * _mm512_abs_ps(distance)), one = e + all(1);
    return all(10) * e * reciprocal(one * one);
  }
  static V kept(V gradient, Mask spikes) { return where(~spikes, gradient); }
};

/** What the loss is the cross-entropy of: the membranes of the output in every step, summed, its mean spikes, or a linear readout of mean spikes. */
enum class Loss { MEMBRANES, SPIKES, READOUT };

struct Sizes {
  int I, H, O, T, B;
  float beta, lr;
};

template <class Neurons, Loss LOSS, bool CONSTANT> struct Network {
  const Sizes n;
  /** Rows of the first product, T·B or B, and of the second. */
  const int rows, all_rows, panels;
  /** Weights [panels][I][64] and [panels · 64][16]. */
  Parameter w1, b1, w2, b2;
  Bits input, turned;
  Lists forward, backward;
  /** Values of a constant input [B][I], and [I][B]. */
  std::vector<float> values, turned_values;
  /** Currents of the hidden neurons [panels][rows][64], in whose place their membranes and gradients come. */
  float *hidden, *out, *d_out;
  /** A word for each panel and row. */
  uint64_t *spikes;
  /** Mean spikes over time [B][panels · 64] of a readout. */
  std::vector<float> mean;
  std::vector<int> y;
  int steps = 0;

  explicit Network(Sizes n)
      : n(n), rows(CONSTANT ? n.B : n.T * n.B), all_rows(n.T * n.B), panels((n.H + PANEL - 1) / PANEL), w1(size_t(panels) * n.I * PANEL),
        b1(panels * PANEL), w2(size_t(panels) * PANEL * 16), b2(16), input(rows, n.I), turned(n.I, rows),
        hidden(zeros<float>(size_t(panels) * rows * PANEL)), out(zeros<float>(size_t(all_rows) * 16)), d_out(zeros<float>(size_t(all_rows) * 16)),
        spikes(zeros<uint64_t>(size_t(panels) * all_rows)), y(n.B) {
    for (int b = 0; b < n.B; b++) y[b] = b % n.O;
    // Columns of padding have no weights: their neurons stay silent, as they get no current.
    Random random(1);
    std::vector<float> w(size_t(n.H) * n.I + n.H + n.O * n.H + n.O);
    for (auto &x : w) x = _mm512_cvtss_f32(random.uniform()) * 2 - 1;
    const size_t first = size_t(n.H) * (n.I + 1);
    for (size_t i = 0; i < w.size(); i++) w[i] /= std::sqrt(float(i < first ? n.I : n.H));
    each([&](float *parameter, float *, size_t i) { *parameter = w[i]; });
  }

  /** Calls f with the places of each parameter and of its gradient, and its index in PyTorch's order: w1 [H][I], b1, w2 [O][H], b2. */
  template <class F> void each(F f) {
    size_t i = 0;
    auto visit = [&](Parameter &p, size_t at) { f(p.w + at, p.gradient + at, i++); };
    for (int h = 0; h < n.H; h++)
      for (int k = 0; k < n.I; k++) visit(w1, (size_t(h / PANEL) * n.I + k) * PANEL + h % PANEL);
    for (int h = 0; h < n.H; h++) visit(b1, h);
    for (int o = 0; o < n.O; o++)
      for (int h = 0; h < n.H; h++) visit(w2, h * 16 + o);
    for (int o = 0; o < n.O; o++) visit(b2, o);
  }

  Mask outputs() const { return (1 << n.O) - 1; }
  float *panel(int p) { return hidden + size_t(p) * rows * PANEL; }
  uint64_t *spikes_of(int p) { return spikes + size_t(p) * all_rows; }

  /** The lists of the input, as it is in a new batch. */
  void list() {
    transpose(turned, input);
    turned_values.resize(values.size());
    for (size_t i = 0; i < values.size(); i++) turned_values[i % n.I * n.B + i / n.I] = values[i];
    forward.make(input, values), backward.make(turned, turned_values);
  }

  /** A step of training; gives the loss. */
  float step() {
    list();
    for (int p = 0; p < panels; p++) {
      addRows<CONSTANT>(panel(p), forward, w1.w + size_t(p) * n.I * PANEL, b1.w + p * PANEL);
      fire(p);
    }
    float loss;
    if (LOSS == Loss::READOUT) {
      loss = readOut();
    } else {
      sumSpikes();
      loss = outputNeurons();
    }
    for (int p = 0; p < panels; p++) {
      if (LOSS != Loss::READOUT) headGradient(p);
      surrogateGradient(p);
      biasGradient(p);
      addRows<CONSTANT>(w1.gradient + size_t(p) * n.I * PANEL, backward, panel(p), nullptr);
    }
    steps++;
    for (Parameter *parameter : {&w1, &b1, &w2, &b2}) parameter->adam(n.lr, steps);
    return loss;
  }

  /** Spikes of a panel from its currents, which membranes replace where currents change from step to step. */
  void fire(int p) {
    for (int b = 0; b < n.B; b++) {
      V u[4] = {all(0), all(0), all(0), all(0)};
      Mask s[4] = {};
      for (int t = 0; t < n.T; t++) {
        float *row = panel(p) + (CONSTANT ? size_t(b) : size_t(t) * n.B + b) * PANEL;
        uint64_t word = 0;
        for (int q = 0; q < 4; q++) {
          u[q] = Neurons::advance(u[q], s[q], n.beta, load(row + 16 * q));
          s[q] = fires(u[q]);
          if (!CONSTANT) store(row + 16 * q, u[q]);
          word |= uint64_t(s[q]) << (16 * q);
        }
        spikes_of(p)[t * n.B + b] = word;
      }
    }
  }

  static Mask fires(V u) { return _mm512_cmp_ps_mask(u, all(1), _CMP_GT_OQ); }

  /** The currents of the output: the bias and the rows of the weights that spikes choose, two sums at a time. */
  void sumSpikes() {
    for (int r = 0; r < all_rows; r++) {
      V sum = load(b2.w), other = all(0);
      for (int p = 0; p < panels; p++)
        for (uint64_t word = spikes_of(p)[r]; word; word &= word - 1) {
          const float *w = w2.w + size_t(p) * PANEL * 16;
          sum = sum + load(w + 16 * __builtin_ctzll(word));
          if (!(word &= word - 1)) break;
          other = other + load(w + 16 * __builtin_ctzll(word));
        }
      store(out + size_t(r) * 16, sum + other);
    }
  }

  /** Adds the cross-entropy of z for a sample to the loss; gives its gradient. Both times scale. */
  V crossEntropy(V z, int label, float scale, float &loss) const {
    float most = _mm512_mask_reduce_max_ps(outputs(), z);
    V e = where(outputs(), exponential(z - all(most)));
    float sum = _mm512_reduce_add_ps(e);
    V onLabel = where(1 << label, all(1));
    loss += scale * (std::log(sum) + most - _mm512_reduce_add_ps(onLabel * z));
    return all(scale) * (e * all(1 / sum) - onLabel);
  }

  /** Output neurons over their currents: the loss, and the gradient of these currents. */
  float outputNeurons() {
    float loss = 0;
    V u[64], total = all(0);
    for (int b = 0; b < n.B; b++) {
      V before = all(0), count = all(0), each = all(0), d = all(0);
      Mask s = 0;
      for (int t = 0; t < n.T; t++) {
        before = u[t] = Neurons::advance(before, s, n.beta, load(out + (size_t(t) * n.B + b) * 16));
        s = fires(before) & outputs();
        count = count + where(s, all(1));
      }
      if (LOSS == Loss::SPIKES) each = crossEntropy(count * all(1.0f / n.T), y[b], 1.0f / n.B, loss) * all(1.0f / n.T);
      for (int t = n.T - 1; t >= 0; t--) {
        V given = LOSS == Loss::SPIKES ? each * Neurons::slope(u[t] - all(1)) : crossEntropy(u[t], y[b], 1.0f / n.B, loss);
        d = all(n.beta) * d + given;
        store(d_out + (size_t(t) * n.B + b) * 16, d);
        total = total + d;
      }
    }
    store(b2.gradient, total);
    return loss;
  }

  /** A linear readout of mean spikes: the loss, the gradients of its parameters, and that of a spike of a sample in d_out [B][16]. */
  float readOut() {
    float loss = 0;
    mean.resize(size_t(n.B) * panels * PANEL);
    for (int p = 0; p < panels; p++)
      for (int b = 0; b < n.B; b++)
        for (int q = 0; q < 4; q++) {
          V count = all(0);
          for (int t = 0; t < n.T; t++) count = count + where(spikes_of(p)[t * n.B + b] >> (16 * q), all(1));
          _mm512_storeu_ps(&mean[(size_t(b) * panels + p) * PANEL + 16 * q], count * all(1.0f / n.T));
        }
    memset(w2.gradient, 0, w2.n * sizeof(float));
    V total = all(0);
    for (int b = 0; b < n.B; b++) {
      const float *row = &mean[size_t(b) * panels * PANEL];
      V z = load(b2.w);
      for (int h = 0; h < n.H; h++) z = z + all(row[h]) * load(w2.w + h * 16);
      V d = crossEntropy(z, y[b], 1.0f / n.B, loss);
      for (int h = 0; h < n.H; h++) store(w2.gradient + h * 16, load(w2.gradient + h * 16) + all(row[h]) * d);
      total = total + d;
      store(d_out + size_t(b) * 16, d * all(1.0f / n.T));
    }
    store(b2.gradient, total);
    return loss;
  }

  void headGradient(int p) {
    float *gradient = w2.gradient + size_t(p) * PANEL * 16;
    memset(gradient, 0, PANEL * 16 * sizeof(float));
    for (int r = 0; r < all_rows; r++) {
      V d = load(d_out + size_t(r) * 16);
      for (uint64_t word = spikes_of(p)[r]; word; word &= word - 1) {
        float *to = gradient + 16 * __builtin_ctzll(word);
        store(to, load(to) + d);
      }
    }
  }

  /** The gradient of a spike of sixteen neurons: d_out times their weights wt [16][64]. */
  V spikeGradient(const float *d, const float (*wt)[PANEL], int q) const {
    V sum = all(0);
    for (int o = 0; o < n.O; o++) sum = sum + all(d[o]) * load(wt[o] + 16 * q);
    return sum;
  }

  /** The gradient of the currents of a panel, in their place; of constant ones its sum over time, from membranes that are computed again. */
  void surrogateGradient(int p) {
    alignas(64) float wt[16][PANEL];
    for (int o = 0; o < 16; o++)
      for (int j = 0; j < PANEL; j++) wt[o][j] = w2.w[(p * PANEL + j) * 16 + o];
    V again[64];
    for (int b = 0; b < n.B; b++)
      for (int q = 0; q < 4; q++) {
        float *first = panel(p) + size_t(b) * PANEL + 16 * q;
        auto spikesAt = [&](int t) -> Mask { return spikes_of(p)[t * n.B + b] >> (16 * q); };
        if (CONSTANT) {
          V u = all(0), current = load(first);
          for (int t = 0; t < n.T; t++) again[t] = u = Neurons::advance(u, t ? spikesAt(t - 1) : Mask(0), n.beta, current);
        }
        V d = all(0), total = all(0), same = all(0);
        if (LOSS == Loss::READOUT) same = spikeGradient(d_out + size_t(b) * 16, wt, q);
        for (int t = n.T - 1; t >= 0; t--) {
          float *place = first + size_t(t) * n.B * PANEL;
          V u = CONSTANT ? again[t] : load(place);
          V given = LOSS == Loss::READOUT ? same : spikeGradient(d_out + (size_t(t) * n.B + b) * 16, wt, q);
          d = all(n.beta) * Neurons::kept(d, spikesAt(t)) + Neurons::slope(u - all(1)) * given;
          if (CONSTANT) total = total + d;
          else store(place, d);
        }
        if (CONSTANT) store(first, total);
      }
  }

  void biasGradient(int p) {
    V sum[4] = {all(0), all(0), all(0), all(0)};
    for (int r = 0; r < rows; r++)
      for (int q = 0; q < 4; q++) sum[q] = sum[q] + load(panel(p) + size_t(r) * PANEL + 16 * q);
    for (int q = 0; q < 4; q++) store(b1.gradient + p * PANEL + 16 * q, sum[q]);
  }
};
