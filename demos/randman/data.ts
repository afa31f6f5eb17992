/** Smooth random manifolds, and samples of them as spike times. */
import { arange, Generator, matmul, noGrad, rand, type Tensor, TensorDataset } from "jarvis-snn";
import type { Samples } from "../training.ts";

export interface RandmanOptions {
  /** One manifold a class. */
  classes: number;
  /** M, the dimensions of the space that the manifolds lie in, one input neuron each. */
  inputs: number;
  /** D, the dimensions of a manifold. */
  dimensions: number;
  /** α: the larger, the smoother. */
  alpha: number;
  /** Samples of a class, of which a tenth each is for validation and test. */
  samples: number;
  /** Seed of the manifolds and of the samples. */
  dataSeed: number;
}

/** Sizes of the experiment in section 4.1.1 of the paper. */
export const PAPER = { classes: 10, inputs: 20, dimensions: 1, alpha: 1, samples: 1000 };

/** Terms of the Fourier series of a coordinate. */
const TERMS = 1000;
const TWO_PI = 2 * Math.PI;

/**
 * Samples [M] in [0, 1] of random manifolds, labelled with their manifold. A manifold maps D parameters x, drawn uniformly from
 * [0, 1), to M coordinates, each of which is scaled to [0, 1] over the samples of its manifold:
 *
 *   f_i(x) = Π_d Σ_k k^−α · A_idk · sin(2π·(k·B_idk·x_d + C_idk))      k = 1 … 1000, A, B, C uniform in [0, 1)
 *
 * Training, validation and test set are different samples of the same manifolds; classes take turns in each.
 *
 * @see Zenke and Vogels (2021), The Remarkable Robustness of Surrogate Gradient Learning for Instilling Complex Function in
 *   Spiking Neural Networks, Neural Computation 33(4).
 */
export function randman(options: RandmanOptions): { train: Samples; validation: Samples; test: Samples } {
  const { classes, inputs, samples, dataSeed } = options;
  const generator = new Generator(dataSeed);
  const x = new Float32Array(samples * classes * inputs);
  const y = Uint8Array.from({ length: samples * classes }, (_, i) => i % classes);
  for (let label = 0; label < classes; label++) {
    const parameters = noGrad(() => rand([options.dimensions, samples, 1], { generator }));
    for (let i = 0; i < inputs; i++) {
      const values = noGrad(() => scaled(coordinate(parameters, options.alpha, generator)).toFloat32Array());
      for (let n = 0; n < samples; n++) x[(n * classes + label) * inputs + i] = values[n] as number;
    }
  }
  const part = (from: number, to: number): Samples =>
    new TensorDataset(
      x.subarray(from * inputs * classes, to * inputs * classes),
      y.subarray(from * classes, to * classes),
    );
  const tenth = Math.max(1, Math.floor(samples / 10));
  return {
    train: part(0, samples - 2 * tenth),
    validation: part(samples - 2 * tenth, samples - tenth),
    test: part(samples - tenth, samples),
  };
}

/** f_i of parameters [D, n, 1], as [n, 1], with coefficients of its own. */
function coordinate(parameters: Tensor, alpha: number, generator: Generator): Tensor {
  const k = arange(1, TERMS + 1);
  const factors = parameters.unbind(0).map((x) => {
    const [a, b, c] = rand([3, TERMS], { generator }).unbind(0) as [Tensor, Tensor, Tensor];
    const turns = x.mul(k.mul(b)).add(c);
    // The sine of whole turns is left out before it is rounded: k·x reaches 1000.
    const waves = turns.sub(turns.floor()).mul(TWO_PI).sin();
    return matmul(waves, k.pow(-alpha).mul(a).unsqueeze(1));
  });
  return factors.reduce((product, factor) => product.mul(factor));
}

/** (z − min z) / (max z − min z). */
function scaled(z: Tensor): Tensor {
  const low = z.amin();
  return z.sub(low).div(z.amax().sub(low));
}
