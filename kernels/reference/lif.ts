/** The naive twins of lif.ts and lif-back.ts: each equation as one loop over time, in float64. */
import type { Kernels } from "../build/types.ts";
import { SUBTRACT, ZERO } from "../kinds.ts";
import * as layout from "../lif-layout.ts";
import * as product from "../product-layout.ts";
import { accumulate, at, put } from "./memory.ts";
import { surrogateDerivative } from "./surrogate.ts";

/**
 * Neuron i for T steps. Returns v after the last of them.
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ else 0     v[t] = u[t], after the reset where s[t] = 1
 */
function forward({ T, current, u, spikes, v, from, neuronAt }: Run, i: number): number {
  const { beta, fires, afterReset } = neuronAt(i);
  let state = from.at(0, i);
  for (let t = 0; t < T; t++) {
    const membrane = current.isGiven ? beta * state + current.at(t, i) : u.at(t, i);
    const fired = fires(membrane);
    state = fired ? afterReset(membrane) : membrane;
    u.put(t, i, membrane);
    spikes.put(t, i, fired ? 1 : 0);
    v.put(t, i, state);
  }
  return state;
}

/** `forward` with a reset at the start of the next step: v[t] = u[t]. "subtract" subtracts θ after the decay. */
function lateForward({ T, current, u, spikes, v, from, subtracts, neuronAt }: Run, i: number): number {
  const { beta, theta, fires, afterReset } = neuronAt(i);
  let state = from.at(0, i);
  for (let t = 0; t < T; t++) {
    const isDue = fires(state);
    const before = isDue && !subtracts ? afterReset(state) : state;
    const less = isDue && subtracts ? theta : 0;
    const membrane = current.isGiven ? beta * before + current.at(t, i) - less : u.at(t, i);
    state = membrane;
    u.put(t, i, membrane);
    spikes.put(t, i, fires(membrane) ? 1 : 0);
    v.put(t, i, state);
  }
  return state;
}

export const lifForward: Kernels["lifForward"] = (d) => {
  const run = runOf(d);
  const steps = run.isLate ? lateForward : forward;
  for (let i = 0; i < run.size; i++) run.last.put(0, i, steps(run, i));
};

/**
 * Neuron i from the last step to the first.
 *
 *   du[t] = dMembrane[t] + κ·(dV[t] + β·du[t+1]) + σ′(u[t] − θ)·dSpikes[t]     κ = 0 where v[t] was reset to a value, else 1
 */
export const lifBackward: Kernels["lifBackward"] = (d) => {
  const { T, size, from, isLate, clears, neuronAt } = runOf(d);
  const { u, dSpikes, dMembrane, dV, dLast, dU, dSum, dFrom, kind, slope } = gradientsOf(d);
  for (let i = 0; i < size; i++) {
    const { beta, theta, fires } = neuronAt(i);
    const isCut = (state: number): boolean => clears && fires(state);
    // The gradient of v[t] from the next step.
    let carried = dLast.at(0, i);
    for (let t = T - 1; t >= 0; t--) {
      const membrane = u.at(t, i);
      // A delayed reset cuts the gradient from the next step, but not a gradient of the last v, which was not reset.
      if (isLate && isCut(membrane) && !(dLast.isGiven && t === T - 1)) carried = 0;
      const ofV = dV.at(t, i) + carried;
      let sum = dMembrane.at(t, i) + (!isLate && isCut(membrane) ? 0 : ofV);
      if (dSpikes.isGiven) sum += surrogateDerivative(kind, slope, membrane - theta) * dSpikes.at(t, i);
      dU.put(t, i, sum);
      if (dSum !== 0) accumulate(dSum, i, sum);
      carried = beta * sum;
    }
    dFrom.put(0, i, isLate && from.isGiven && isCut(from.at(0, i)) ? 0 : carried);
  }
};

/** An array over time, with steps `step` values apart. At the address 0, it reads as zeros. */
const arrayAt = (p: number, step: number) => ({
  isGiven: p !== 0,
  at: (t: number, i: number): number => (p === 0 ? 0 : at(p, t * step + i)),
  put: (t: number, i: number, value: number): void => {
    if (p !== 0) put(p, t * step + i, value);
  },
});

type Run = ReturnType<typeof runOf>;

/** Values of a descriptor for both passes and for forward. */
function runOf(d: number) {
  const n = at(d, layout.n);
  const size = at(d, layout.rows) * n;
  const [reset, isStrict] = [at(d, layout.reset), at(d, layout.strict) !== 0];
  /** β and θ of neuron i, whether it fires, and v after a reset. */
  function neuronAt(i: number) {
    const column = i % n;
    const beta = at(at(d, layout.beta), column * at(d, layout.stepBeta));
    // Integrators have no θ and never fire.
    const p = at(d, layout.threshold);
    const theta = p === 0 ? Number.POSITIVE_INFINITY : at(p, column * at(d, layout.stepThreshold));
    const fires = (u: number): boolean => (isStrict ? u > theta : u >= theta);
    const afterReset = (u: number): number =>
      reset === SUBTRACT ? u - theta : reset === ZERO ? at(d, layout.resetValue) : u;
    return { beta, theta, fires, afterReset };
  }
  return {
    T: at(d, layout.T),
    size,
    isLate: at(d, layout.delayed) !== 0,
    subtracts: reset === SUBTRACT,
    clears: reset === ZERO,
    neuronAt,
    current: arrayAt(at(d, layout.current), at(d, layout.stepCurrent)),
    u: arrayAt(at(d, layout.u), at(d, layout.stepU)),
    spikes: arrayAt(at(d, layout.spikes), size),
    v: arrayAt(at(d, layout.v), size),
    from: arrayAt(at(d, layout.from), 0),
    last: arrayAt(at(d, layout.last), 0),
  };
}

/** Values of a descriptor for backward. */
function gradientsOf(d: number) {
  const size = at(d, layout.rows) * at(d, layout.n);
  const [dSpikes, factors] = [at(d, layout.dSpikes), at(d, layout.product)];
  const ofProduct = factors === 0 ? -1 : dSpikes !== 0 ? layout.dSpikes : layout.dMembrane;
  /** A gradient of the caller: its address is this word, its stride over steps the next one. One gradient may be given as a product. */
  const given = (word: number) => {
    const array = arrayAt(at(d, word), at(d, word + 1));
    return word === ofProduct && array.isGiven
      ? { ...array, at: (t: number, i: number) => productAt(factors, t * size + i) }
      : array;
  };
  return {
    u: arrayAt(at(d, layout.u), size),
    dSpikes: given(layout.dSpikes),
    dMembrane: given(layout.dMembrane),
    dV: given(layout.dV),
    dLast: arrayAt(at(d, layout.dLast), 0),
    dU: arrayAt(at(d, layout.dU), at(d, layout.stepDU)),
    dSum: at(d, layout.dSum),
    dFrom: arrayAt(at(d, layout.dFrom), 0),
    kind: at(d, layout.kind),
    slope: at(d, layout.slope),
  };
}

/** Value number i of a product, counted over all of its rows. */
function productAt(d: number, i: number): number {
  const n = at(d, product.n);
  const [row, column] = [Math.floor(i / n), i % n];
  const [a, b] = [at(d, product.a), at(d, product.b)];
  let sum = 0;
  for (let k = 0; k < at(d, product.k); k++) {
    sum +=
      at(a, row * at(d, product.aRow) + k * at(d, product.aCol)) *
      at(b, k * at(d, product.bRow) + column * at(d, product.bCol));
  }
  return sum;
}
