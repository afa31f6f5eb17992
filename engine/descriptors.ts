/** The descriptors of plain LIF neurons and of products, for those who call their kernels by hand. */
import * as lif from "../kernels/lif-layout.ts";
import * as product from "../kernels/product-layout.ts";
import { allOptions, FLOAT, numberOf, type Range } from "./arguments.ts";

/**
 * A run of plain LIF neurons: the words of the descriptor that `kernels.lifForward` and `kernels.lifBackward` take.
 * Arrays are given by their byte addresses, 0 for one that is left out. The step of an array over time is the number of
 * values from one time step to the next; default rows·n.
 *
 *   forward      u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *   backward     du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′·dSpikes[t]
 *
 * Each pass reads the words of both and its own; one block serves a forward pass and the backward pass after it.
 */
export interface LIFDescriptor {
  /** Both passes: steps, ≥ 1. */
  readonly T: number;
  /** Both: rows of a step, such as the samples of a batch. */
  readonly rows: number;
  /** Both: columns of a row, the neurons. */
  readonly n: number;
  /** Both: β, [n] or one value. */
  readonly beta: number;
  /** 1 where each column has its own β. Default 0. */
  readonly stepBeta?: 0 | 1;
  /** Both: θ, [n] or one value. Default 0: none, for integrators, which do not fire. */
  readonly threshold?: number;
  /** 1 where each column has its own θ. Default 0. */
  readonly stepThreshold?: 0 | 1;
  /** Both: one of `kinds`, NO_RESET, the default, SUBTRACT or ZERO. */
  readonly reset?: number;
  /** Both: 1 where the reset comes at the start of the next step. Default 0. */
  readonly delayed?: 0 | 1;
  /** Both: 1 where a neuron fires at u > θ. Default 0. */
  readonly strict?: 0 | 1;
  /**
   * Both: u, the membrane before the reset, [T, rows, n], which may lie over the current; or, with a step of 0, [rows, n], of the last
   * step. Backward reads it where spikes have a gradient or resets cut the path.
   */
  readonly u: number;
  /** The step of u. */
  readonly stepU?: number;
  /** Both: v before the first step, [rows, n]. Default 0: zeros. */
  readonly from?: number;

  /** Forward: v after a reset to a value. Default 0. */
  readonly resetValue?: number;
  /** Forward: I, [T, rows, n], or with a step of 0 [rows, n], the same in all steps. Default 0: u is read, and v made of it alone. */
  readonly current?: number;
  /** The step of the current. */
  readonly stepCurrent?: number;
  /** Forward: s ← a stream of T·rows·n bits, with a word more. Default 0: none; without a reset this is a leaky integrator. */
  readonly spikes?: number;
  /** Forward: v ← [T, rows, n]; it may lie over u, which must have all steps. */
  readonly v?: number;
  /** Forward: v after the last step ← [rows, n]; it may lie over `from`, and over u where this is one step. */
  readonly last?: number;

  /** Backward: the surrogate, one of `kinds`. Default SIGMOID. */
  readonly kind?: number;
  /** Backward: the parameter of the surrogate, such as a slope. Default 0. */
  readonly slope?: number;
  /** Backward: ∂L/∂s, [T, rows, n], or with a step of 0 [rows, n], the same in all steps. */
  readonly dSpikes?: number;
  /** The step of dSpikes. */
  readonly stepDSpikes?: number;
  /** Backward: ∂L/∂u, in the same shapes. */
  readonly dMembrane?: number;
  /** The step of dMembrane. */
  readonly stepDMembrane?: number;
  /** Backward: ∂L/∂v, in the same shapes. */
  readonly dV?: number;
  /** The step of dV. */
  readonly stepDV?: number;
  /** Backward: ∂L/∂v of the last step, [rows, n]. */
  readonly dLast?: number;
  /**
   * Backward: du, the gradient of the current ← [T, rows, n], or with a step of 0 [rows, n], of one step after the other. It may lie over
   * dSpikes, dMembrane, dV or u, where both have the same steps.
   */
  readonly dU?: number;
  /** The step of dU. */
  readonly stepDU?: number;
  /** Backward: += Σ du[t], the last step first, [rows, n]: the gradient of a current that is the same in all steps. */
  readonly dSum?: number;
  /** Backward: ∂L/∂v before the first step ← [rows, n]; it may lie over dLast. */
  readonly dFrom?: number;
  /**
   * Both: the arrays are a part of the rows of larger steps, of so many values; steps of u, I and gradients are given then, the first neuron
   * of the part is one of 32 in the stream of bits, and the bits are 0 before. Default 0: all rows.
   */
  readonly stepAll?: number;
  /**
   * Backward: dSpikes, or without it dMembrane, is room for one step, with a step of 0, and C of the product with this descriptor, in which A is
   * [T, rows, k] without gaps, B [k, n], with n ≤ 2048 and 1 ≤ k < 64, and m the rows of a step. Default 0: none.
   */
  readonly product?: number;
}

/**
 * A product C ← init + A·B, C [m, n], A [m, k] and B [k, n]: the words that `kernels.gemm`, `gemmGathered`, `gemmMasked`, `gemmSampled`,
 * `gather` and `feedBack` read, and `lifBackward` for a gradient that is a product. Arrays are given by their byte addresses, and steps count
 * elements; A, B and C have no gaps by default.
 *
 * Every kernel reads c, init, m, n, k, a and the words that name it or no other; `gemmSampled` adds to C whatever init says.
 */
export interface ProductDescriptor {
  /** C, [m, n]. */
  readonly c: number;
  /** Default 0: zeros. c to add to C; or a row that all rows start from, for `gemmMasked` a column that all columns start from. */
  readonly init?: number;
  /** Rows of A and C. */
  readonly m: number;
  /** Columns of B and C. */
  readonly n: number;
  /** Columns of A and rows of B. */
  readonly k: number;
  /** A, [m, k]; for `gather` 0 where the values at the bits are ones. */
  readonly a: number;
  /** From a row of A to the next; default k. */
  readonly aRow?: number;
  /** From a column of A to the next; default 1, as `gemmGathered` and `gemmSampled` have it in any case. */
  readonly aCol?: number;
  /** B, [k, n]; `gemmMasked` takes the bits in its place. */
  readonly b?: number;
  /** From a row of B to the next; default n. */
  readonly bRow?: number;
  /** From a column of B to the next; default 1. */
  readonly bCol?: number;
  /** From a row of C to the next; default n, as `gather` has it in any case. */
  readonly cRow?: number;
  /** `gemmMasked`: from a column of C to the next; default 1. */
  readonly cCol?: number;
  /** `gemmGathered`: B[p, j] = b[rows[p] + cols[j]], of k ascending integers. */
  readonly rows?: number;
  /** `gemmGathered`: n ascending integers. */
  readonly cols?: number;
  /**
   * `gather`: where A is not 0, [m, ⌈k/32⌉]. `gemmMasked`: B, [k, ⌈n/32⌉]. `gemmSampled`: the elements of C that are wanted, [m, ⌈n/32⌉];
   * others may be computed too.
   */
  readonly bits?: number;
  /** `gather`: how many bits are set. */
  readonly count?: number;
  /** `gather`: m + 5 words to work in and half of one for every set bit, or two where a is not 0. */
  readonly work?: number;
}

/** Bytes of a descriptor of neurons. */
export const LIF_DESCRIPTOR_BYTES = 4 * lif.words;
/** Bytes of a descriptor of a product. */
export const PRODUCT_DESCRIPTOR_BYTES = 4 * product.words;

/** Words that are integers: addresses have 32 bits. */
const WORD: Range = {
  expected: "an integer of 32 bits",
  fits: (x) => Number.isInteger(x) && x >= -(2 ** 31) && x < 2 ** 32,
};

/** Views of one memory, as integers and as floats. */
type Views = readonly [integers: Uint32Array | Float64Array, floats: Float32Array | Float64Array];

/** Words by their names. */
type Given = Readonly<Record<string, number>>;

/**
 * A function that writes a descriptor from number `first` of the views on, after a check of all words. A word that is not given is 0, but
 * those that `steps` makes of the others; `required` ones must be given.
 */
function writerOf<D extends object>(
  where: string,
  layout: Readonly<Record<keyof D | "words", number>>,
  required: readonly (keyof D)[],
  steps: (given: Given) => Given,
): (views: Views, first: number, descriptor: D) => void {
  const { words: _, ...places } = layout as Given;
  const words = Object.entries(places).sort(([, a], [, b]) => a - b);
  const none = words.map(([name]) => [name, required.includes(name as keyof D) ? NaN : 0]);
  const usual = { ...Object.fromEntries(none), ...steps({}) };
  const isFloat = (name: string): boolean => name === "resetValue" || name === "slope";
  return (views, first, descriptor) => {
    const given: Record<string, number> = allOptions(where, usual, descriptor);
    for (const [name, step] of Object.entries(steps(given))) if (Number.isNaN(given[name])) given[name] = step;
    for (const [name] of words) numberOf(where, name, given[name], isFloat(name) ? FLOAT : WORD);
    for (const [name, place] of words) views[isFloat(name) ? 1 : 0][first + place] = given[name] as number;
  };
}

/** Arrays over time have the steps of the run, unless it is said otherwise. */
const ofRun = ({ rows = NaN, n = NaN }: Given) => {
  const size = rows * n;
  return { stepU: size, stepCurrent: size, stepDSpikes: size, stepDMembrane: size, stepDV: size, stepDU: size };
};

/** Matrices have no gaps, unless it is said otherwise. */
const ofMatrices = ({ n = NaN, k = NaN }: Given) => ({ aRow: k, aCol: 1, bRow: n, bCol: 1, cRow: n, cCol: 1 });

/**
 * Writes the words of a descriptor of neurons from number `first` of the views on.
 *
 * @throws TypeError for a word of another name, or that is no number; RangeError for a number that is missing or does not fit.
 */
export const writeLIF = /* @__PURE__ */ writerOf<LIFDescriptor>(
  "lifDescriptor",
  lif,
  ["T", "rows", "n", "beta", "u"],
  ofRun,
);

/** The same for a product. */
export const writeProduct = /* @__PURE__ */ writerOf<ProductDescriptor>(
  "productDescriptor",
  product,
  ["c", "m", "n", "k", "a"],
  ofMatrices,
);
