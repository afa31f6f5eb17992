/** The naive twins of lif.ts and lif-back.ts: one loop over time each, in float64. */
import type { Kernels } from "../build/types.ts";
import { SUBTRACT, ZERO } from "../kinds.ts";
import * as layout from "../lif-layout.ts";
import * as product from "../product-layout.ts";
import { accumulate, at, put } from "./memory.ts";
import { surrogateDerivative } from "./surrogate.ts";

/** A neuron of a descriptor: its β and θ, whether it fires, and its v after a reset. */
function neuronOf(d: number, i: number) {
  const column = i % at(d, layout.n);
  const beta = at(at(d, layout.beta), column * at(d, layout.stepBeta));
  // Integrators have no θ, and fire never.
  const p = at(d, layout.threshold);
  const theta = p === 0 ? Number.POSITIVE_INFINITY : at(p, column * at(d, layout.stepThreshold));
  const isStrict = at(d, layout.strict) !== 0;
  const reset = at(d, layout.reset);
  return {
    beta,
    theta,
    fires: (u: number): boolean => (isStrict ? u > theta : u >= theta),
    afterReset: (u: number): number => (reset === SUBTRACT ? u - theta : reset === ZERO ? at(d, layout.resetValue) : u),
  };
}

export const lifForward: Kernels["lifForward"] = (d) => {
  const [T, size] = [at(d, layout.T), at(d, layout.rows) * at(d, layout.n)];
  const isLate = at(d, layout.delayed) !== 0;
  const [u, from, current] = [at(d, layout.u), at(d, layout.from), at(d, layout.current)];
  const [spikes, v, last] = [at(d, layout.spikes), at(d, layout.v), at(d, layout.last)];
  for (let i = 0; i < size; i++) {
    const { beta, theta, fires, afterReset } = neuronOf(d, i);
    let state = from === 0 ? 0 : at(from, i);
    for (let t = 0; t < T; t++) {
      const due = isLate && fires(state);
      // "subtract" takes θ off after the decay.
      const takesTheta = due && at(d, layout.reset) === SUBTRACT;
      const before = due && !takesTheta ? afterReset(state) : state;
      const uAt = t * at(d, layout.stepU) + i;
      const input = current === 0 ? 0 : at(current, t * at(d, layout.stepCurrent) + i);
      const membrane = current === 0 ? at(u, uAt) : beta * before + input - (takesTheta ? theta : 0);
      const fired = fires(membrane);
      put(u, uAt, membrane);
      if (spikes !== 0) put(spikes, t * size + i, fired ? 1 : 0);
      state = fired && !isLate ? afterReset(membrane) : membrane;
      if (v !== 0) put(v, t * size + i, state);
    }
    if (last !== 0) put(last, i, state);
  }
};

export const lifBackward: Kernels["lifBackward"] = (d) => {
  const [T, size] = [at(d, layout.T), at(d, layout.rows) * at(d, layout.n)];
  const isLate = at(d, layout.delayed) !== 0;
  const clears = at(d, layout.reset) === ZERO;
  const [u, from] = [at(d, layout.u), at(d, layout.from)];
  const [dSpikes, factors] = [at(d, layout.dSpikes), at(d, layout.product)];
  const ofProduct = factors === 0 ? -1 : dSpikes !== 0 ? layout.dSpikes : layout.dMembrane;
  const dLast = at(d, layout.dLast);
  const [dU, dSum, dFrom] = [at(d, layout.dU), at(d, layout.dSum), at(d, layout.dFrom)];
  const given = (word: number, t: number, i: number): number => {
    const array = at(d, word);
    if (array === 0) return 0;
    return word === ofProduct ? productAt(factors, t * size + i) : at(array, t * at(d, word + 1) + i);
  };
  for (let i = 0; i < size; i++) {
    const { beta, theta, fires } = neuronOf(d, i);
    const isCut = (state: number): boolean => clears && fires(state);
    // The gradient of v[t] that comes from the next step.
    let carried = dLast !== 0 ? at(dLast, i) : 0;
    for (let t = T - 1; t >= 0; t--) {
      const membrane = u === 0 ? 0 : at(u, t * size + i);
      if (isLate && isCut(membrane) && !(dLast !== 0 && t === T - 1)) carried = 0;
      const ofV = given(layout.dV, t, i) + carried;
      const ofSpikes = given(layout.dSpikes, t, i);
      let sum = given(layout.dMembrane, t, i) + (!isLate && isCut(membrane) ? 0 : ofV);
      if (dSpikes !== 0) {
        sum += surrogateDerivative(at(d, layout.kind), at(d, layout.slope), membrane - theta) * ofSpikes;
      }
      put(dU, t * at(d, layout.stepDU) + i, sum);
      if (dSum !== 0) accumulate(dSum, i, sum);
      carried = beta * sum;
    }
    if (dFrom !== 0) put(dFrom, i, isLate && from !== 0 && isCut(at(from, i)) ? 0 : carried);
  }
};

/** The value of number i of a product, counted over all of its rows. */
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
