/**
 * What this processor can do: the steps of the toy, small and tutorial-5 networks in C++ for vectors of 512 bits, with one thread. Sums are in any
 * order, products and sums fuse, exponentials and reciprocals are approximate, and the generator is a weaker one than ours.
 *
 *   g++ -std=c++17 -O3 -march=native -ffast-math steps.cpp -o steps
 *   ./steps toy|small|mnist [MNIST's images and labels]      then by the protocol of bench/support/peer.ts
 */
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include "network.h"

using std::string;
using std::vector;

/** The bytes of a file from a place on, as many values as there are or as are wanted. */
template <class T> vector<T> read(const string &path, size_t from = 0, size_t most = SIZE_MAX) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("Error: expected a file, got " + path);
  vector<T> values(std::min(most, (size_t(file.tellg()) - from) / sizeof(T)));
  file.seekg(from).read((char *)values.data(), values.size() * sizeof(T));
  return values;
}

struct Workload {
  virtual ~Workload() = default;
  virtual float step() = 0;
  /** From the parameters and spikes of a case: into its folder, the gradients of the first step, and the losses of all. */
  virtual void check(const string &path, int steps) = 0;
};

/** Steps of a network on spikes that are drawn by rates [B][I], in every step or once, or on values that do not change. */
template <class N> struct Steps : Workload {
  N network;
  bool draws;
  vector<float> rates;
  Random random{7};

  Steps(Sizes sizes, bool draws, vector<float> rates) : network(sizes), draws(draws), rates(std::move(rates)) {
    this->rates.resize(this->rates.size() + 64); // Vectors end behind the last one.
    if (!draws) draw();
  }

  /** Steps on these values. */
  Steps(Sizes sizes, vector<float> values) : network(sizes), draws(false) {
    network.values = std::move(values);
    copy(network.values.data());
  }

  float step() override {
    if (draws) draw();
    return network.step();
  }

  void draw() {
    const Sizes &n = network.n;
    for (int r = 0; r < network.rows; r++)
      for (int w = 0; w < network.input.words; w++) {
        const int left = n.I - w * 64;
        uint64_t word = 0;
        for (int q = 0; q < std::min(left, 64); q += 16) {
          V limits = _mm512_loadu_ps(&rates[size_t(r % n.B) * n.I + w * 64 + q]);
          word |= uint64_t(_mm512_cmp_ps_mask(random.uniform(), limits, _CMP_LT_OQ)) << q;
        }
        network.input.row(r)[w] = left < 64 ? word & ((1ull << left) - 1) : word;
      }
  }

  /** Spikes where x [rows][I] is not 0. */
  void copy(const float *x) {
    const int I = network.n.I;
    for (int r = 0; r < network.rows; r++) {
      std::fill_n(network.input.row(r), network.input.words, 0);
      for (int i = 0; i < I; i++) network.input.row(r)[i / 64] |= uint64_t(x[size_t(r) * I + i] != 0) << (i % 64);
    }
  }

  void check(const string &path, int steps) override {
    vector<float> values = read<float>(path), found;
    size_t count = 0;
    network.each([&](float *w, float *, size_t i) { *w = values[i], count = i + 1; });
    if (network.values.empty()) copy(&values[count]);
    vector<float> losses;
    for (int i = 0; i < steps; i++) {
      losses.push_back(network.step());
      if (i == 0) network.each([&](float *, float *gradient, size_t) { found.push_back(*gradient); });
    }
    found.insert(found.end(), losses.begin(), losses.end());
    std::ofstream(path + "." + getenv("BENCH_CHECK_AS"), std::ios::binary).write((char *)found.data(), found.size() * sizeof(float));
  }
};

using Workloads = std::map<string, std::unique_ptr<Workload>>;

static vector<float> randomRates(size_t n) {
  vector<float> rates(n);
  Random random(3);
  for (auto &rate : rates) rate = _mm512_cvtss_f32(random.uniform());
  return rates;
}

static Workloads toy() {
  Sizes n{32, 128, 2, 25, 128, 0.95f, 1e-3f};
  Workloads all;
  all["step"] = std::make_unique<Steps<Network<Resetting, Loss::READOUT, false>>>(n, true, randomRates(n.B * n.I));
  return all;
}

static Workloads small() {
  Sizes n{20, 64, 2, 20, 64, 0.9f, 1e-3f};
  Workloads all;
  all["step"] = std::make_unique<Steps<Network<Leaky, Loss::SPIKES, false>>>(n, false, randomRates(n.B * n.I));
  return all;
}

static Workloads mnist(const string &images, const string &labels) {
  Sizes n{784, 1000, 10, 25, 128, 0.95f, 5e-4f};
  auto bytes = read<uint8_t>(images, 16, size_t(n.B) * n.I);
  vector<float> x(bytes.begin(), bytes.end());
  for (auto &pixel : x) pixel /= 255;
  auto still = std::make_unique<Steps<Network<Leaky, Loss::MEMBRANES, true>>>(n, x);
  auto poisson = std::make_unique<Steps<Network<Leaky, Loss::MEMBRANES, false>>>(n, true, x);
  auto y = read<uint8_t>(labels, 8, n.B);
  still->network.y.assign(y.begin(), y.end()), poisson->network.y.assign(y.begin(), y.end());
  Workloads all;
  all["static"] = std::move(still), all["poisson"] = std::move(poisson);
  return all;
}

int main(int, char **arguments) {
  const string family = arguments[1];
  Workloads workloads = family == "toy" ? toy() : family == "small" ? small() : mnist(arguments[2], arguments[3]);
  std::cout << "C++ (g++ " << __VERSION__ << ")" << std::endl;
  string name;
  for (int steps; std::cin >> name >> steps;) {
    auto start = std::chrono::steady_clock::now();
    if (const char *folder = getenv("BENCH_CHECK")) workloads.at(name)->check(string(folder) + "/" + name, steps);
    else
      for (int i = 0; i < steps; i++) workloads.at(name)->step();
    std::cout << std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / steps << std::endl;
  }
}
