/** Descriptors of plain LIF neurons and of products, for programs that call kernels directly. */
import * as lif from "../kernels/lif-layout.ts";
import * as product from "../kernels/product-layout.ts";
import { allOptions, FLOAT, numberOf, type Range } from "./arguments.ts";

/**
 * A run of plain LIF neurons: words of the descriptor that `kernels.lifForward` and `kernels.lifBackward` read. Arrays
 * are given by byte address; 0 omits one. An array's step is the number of values from one time step to the next;
 * default rows·n.
 *
 *   forward      u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ (strict: >) else 0     v[t] = u[t] after the reset
 *   backward     du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′·dSpikes[t]
 *
 * Each pass reads the common words and its own, so one descriptor serves a forward pass and its backward pass.
 */
export interface LIFDescriptor {
  /** Both passes: number of steps, ≥ 1. */
  readonly T: number;
  /** Both: number of rows in a time step, for example samples of a batch. */
  readonly rows: number;
  /** Both: number of columns in a row: neurons. */
  readonly n: number;
  /** Both: β, [n] or one value. */
  readonly beta: number;
  /** Both: 1 if each column has its own β. Default 0. */
  readonly stepBeta?: 0 | 1;
  /** Both: θ, [n] or one value. Default 0: no threshold, for integrators. */
  readonly threshold?: number;
  /** Both: 1 if each column has its own θ. Default 0. */
  readonly stepThreshold?: 0 | 1;
  /** Both: one of `kinds`, NO_RESET (default), SUBTRACT or ZERO. */
  readonly reset?: number;
  /** Both: 1 if the reset is applied at the start of the next step. Default 0. */
  readonly delayed?: 0 | 1;
  /** Both: 1 if a neuron fires at u > θ. Default 0. */
  readonly strict?: 0 | 1;
  /**
   * Both: u, the membrane before the reset: [T, rows, n], or with step 0 only the last time step, [rows, n]. Forward
   * may overwrite the current with u. Backward reads u if spikes have a gradient or resets interrupt the gradient path.
   */
  readonly u: number;
  /** Both: step of u. */
  readonly stepU?: number;
  /** Both: v before the first time step, [rows, n]. Default 0: zeros. */
  readonly from?: number;

  /** Forward: the value of v after a reset to ZERO. Default 0. */
  readonly resetValue?: number;
  /**
   * Forward: I, [T, rows, n], or with step 0 [rows, n], equal in all time steps. Default 0: no current; only v is
   * computed, from u.
   */
  readonly current?: number;
  /** Forward: step of the current. */
  readonly stepCurrent?: number;
  /**
   * Forward: s ← T·rows·n bits; the array has one word more. Default 0: no spikes. Without a reset this is a leaky
   * integrator.
   */
  readonly spikes?: number;
  /** Forward: v ← [T, rows, n]. May overwrite a u that has all time steps. */
  readonly v?: number;
  /** Forward: v after the last time step ← [rows, n]. May overwrite `from`, and u with step 0. */
  readonly last?: number;

  /** Backward: the surrogate, one of `kinds`. Default SIGMOID. */
  readonly kind?: number;
  /** Backward: parameter of the surrogate, such as a slope. Default 0. */
  readonly slope?: number;
  /** Backward: ∂L/∂s, [T, rows, n], or with step 0 [rows, n], equal in all time steps. */
  readonly dSpikes?: number;
  /** Backward: step of dSpikes. */
  readonly stepDSpikes?: number;
  /** Backward: ∂L/∂u, in the shapes of dSpikes. */
  readonly dMembrane?: number;
  /** Backward: step of dMembrane. */
  readonly stepDMembrane?: number;
  /** Backward: ∂L/∂v, in the shapes of dSpikes. */
  readonly dV?: number;
  /** Backward: step of dV. */
  readonly stepDV?: number;
  /** Backward: ∂L/∂v of the last step, [rows, n]. */
  readonly dLast?: number;
  /**
   * Backward: du, the gradient of the current ← [T, rows, n], or with step 0 [rows, n], which each time step
   * overwrites. May overwrite dSpikes, dMembrane, dV or u if the steps are equal.
   */
  readonly dU?: number;
  /** Backward: step of dU. */
  readonly stepDU?: number;
  /**
   * Backward: dSum += Σ du[t], from the last time step on, [rows, n]: the gradient of a current that is equal in all
   * time steps.
   */
  readonly dSum?: number;
  /** Backward: ∂L/∂v before the first time step ← [rows, n]. May overwrite dLast. */
  readonly dFrom?: number;
  /**
   * Both: number of values in a whole time step, if the arrays are only a part of its rows. Default 0: all rows. For a
   * part, the steps of u, I and gradients must be given. The index of its first neuron in the stream of bits must be a
   * multiple of 32, and bits of words shared with other parts must be 0.
   */
  readonly stepAll?: number;
  /**
   * Backward: address of a product's descriptor. Its C is dSpikes, or dMembrane if there is no dSpikes: room for one
   * time step, with step 0. A is [T, rows, k] and B [k, n], without gaps; m = rows, n ≤ 2048 and 1 ≤ k < 64. Default 0:
   * no product.
   */
  readonly product?: number;
}

/**
 * A product C ← init + A·B, with C [m, n], A [m, k] and B [k, n]: words that `kernels.gemm`, `gemmGathered`,
 * `gemmMasked`, `gather` and `feedBack` read. `lifBackward` reads them for a gradient that is a product. Arrays are
 * given by byte address; steps count elements. By default A, B and C have no gaps.
 *
 * Every kernel reads c, init, m, n, k and a, and the words below that name the kernel or name none.
 */
export interface ProductDescriptor {
  /** C, [m, n]. */
  readonly c: number;
  /**
   * Initial values: 0 (default) for zeros, c to add to C, or a row that every row starts from; for `gemmMasked` a
   * column that every column starts from.
   */
  readonly init?: number;
  /** Rows of A and C. */
  readonly m: number;
  /** Columns of B and C. */
  readonly n: number;
  /** Columns of A and rows of B. */
  readonly k: number;
  /** A, [m, k]. `gather`: 0 if all values at the bits are 1. */
  readonly a: number;
  /** Step between rows of A; default k. */
  readonly aRow?: number;
  /** Step between columns of A; default 1. `gemmGathered` always uses 1. */
  readonly aCol?: number;
  /** B, [k, n]. `gemmMasked` reads `bits` instead. */
  readonly b?: number;
  /** Step between rows of B; default n. */
  readonly bRow?: number;
  /** Step between columns of B; default 1. */
  readonly bCol?: number;
  /** Step between rows of C; default n, which `gather` requires. */
  readonly cRow?: number;
  /** `gemmMasked`: step between columns of C; default 1. */
  readonly cCol?: number;
  /** `gemmGathered`: k ascending integers, with B[p, j] = b[rows[p] + cols[j]]. */
  readonly rows?: number;
  /** `gemmGathered`: n ascending integers. */
  readonly cols?: number;
  /** `gather`: bits of the non-zeros of A, [m, ⌈k/32⌉]. `gemmMasked`: B as bits, [k, ⌈n/32⌉]. */
  readonly bits?: number;
  /** `gather`: number of set bits. */
  readonly count?: number;
  /** `gather`: workspace of m + 5 words, plus half a word per set bit, or two words per set bit if a is not 0. */
  readonly work?: number;
}

/** Bytes of a neuron descriptor. */
export const LIF_DESCRIPTOR_BYTES = 4 * lif.words;
/** Bytes of a product descriptor. */
export const PRODUCT_DESCRIPTOR_BYTES = 4 * product.words;

/** Range of integer words; addresses have 32 bits. */
const WORD: Range = {
  expected: "an integer of 32 bits",
  fits: (x) => Number.isInteger(x) && x >= -(2 ** 31) && x < 2 ** 32,
};

/** Views of one memory, as integers and as floats. */
type Views = readonly [integers: Uint32Array | Float64Array, floats: Float32Array | Float64Array];

/** Numbers for a descriptor, by the names of its words. */
type Given = Readonly<Record<string, number>>;

/**
 * Makes a function that checks all words and writes a descriptor into the views, from index `first` on. Missing words
 * are 0, or computed by `steps`; the `required` ones must be given.
 */
/* @__NO_SIDE_EFFECTS__ */
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

/** Default steps of arrays over time. */
const ofRun = ({ rows = NaN, n = NaN }: Given) => {
  const size = rows * n;
  return { stepU: size, stepCurrent: size, stepDSpikes: size, stepDMembrane: size, stepDV: size, stepDU: size };
};

/** Default steps of matrices without gaps. */
const ofMatrices = ({ n = NaN, k = NaN }: Given) => ({ aRow: k, aCol: 1, bRow: n, bCol: 1, cRow: n, cCol: 1 });

/**
 * Writes a neuron descriptor into the views, from index `first` on.
 *
 * @throws TypeError for an unknown word, or one that is not a number; RangeError for a missing number or one out of
 *   range.
 */
export const writeLIF = writerOf<LIFDescriptor>("lifDescriptor", lif, ["T", "rows", "n", "beta", "u"], ofRun);

/** Writes a product descriptor, like `writeLIF`. */
export const writeProduct = writerOf<ProductDescriptor>(
  "productDescriptor",
  product,
  ["c", "m", "n", "k", "a"],
  ofMatrices,
);
