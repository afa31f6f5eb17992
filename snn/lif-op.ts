/** The fused op of plain LIF neurons: the whole time loop in one kernel call, forward and backward. */

import { k } from "../engine/backend.ts";
import type { Tensor } from "../engine/index.ts";
import {
  canTakeOver,
  gradOf,
  multiplyGradient,
  passGradient,
  type Recorded,
  ready,
  recycleGradient,
  SAVES,
  writeOutGradient,
} from "../engine/op.ts";
import { constantSource } from "../engine/ops/expand.ts";
import { allocate, disposed, recycle, scope } from "../engine/scope.ts";
import { emptyLike, emptySpikes, record } from "../engine/tensor.ts";
import { BOXCAR, TRIANGULAR, ZERO } from "../kernels/kinds.ts";
import { columnsOf } from "./neuron-op.ts";
import { zeroBuffer } from "./per-neuron.ts";
import type { Surrogate } from "./surrogate.ts";

/** The options of plain neurons as the kernels take them: without rest, scale and refractory steps, with the reset detached. */
export interface PlainLIF {
  readonly reset: number;
  readonly delayed: number;
  readonly strict: number;
  readonly resetValue: number;
  readonly surrogate: Surrogate;
}

/** What backward needs of a forward pass. */
interface Run {
  readonly neuron: PlainLIF;
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly threshold: Tensor;
  /** u, the membrane before the reset, [T, B, …]: the spikes are found in it again. */
  readonly membrane: Tensor;
}

const strideOf = ({ size }: Tensor): number => (size === 1 ? 0 : 1);

const lifOp: Recorded<Run> = {
  name: "LIF",
  saves: SAVES.b + SAVES.c,
  takes: ["repeats", "product"],
  backward(z, current, beta, threshold, { neuron, T, rows, n, membrane }) {
    const { surrogate } = neuron;
    // What may fail comes before the first kernel, which may write over the membrane: a further attempt finds it whole.
    if (!canTakeOver(current)) gradOf(current);
    const size = rows * n;
    const carry = zeroBuffer(size);
    const product = z.gradForm?.kind === "product" ? z.gradForm : null;
    const repeats = z.gradForm?.kind === "repeats" && z.gradForm.steps === T;
    if (product === null && !repeats) writeOutGradient(z);
    const [ds, u] = [z.gradPtr, membrane.ptr];
    // A gradient in a short form has no room for that of the current, which takes the place of the membrane.
    const isFree = membrane.region === scope.region;
    const isShort = product !== null || repeats;
    const du = !isShort ? ds : isFree ? u : allocate(4 * z.size);
    // A product is written out some steps at a time, so that they are read while they are in a cache.
    const together = product === null ? T : Math.max(1, Math.min(T, Math.floor(PIECE / size)));
    const piece = product === null ? 0 : allocate(4 * together * size);
    let next = carry;
    for (let end = T; end > 0; end -= together) {
      const start = Math.max(0, end - together);
      const o = 4 * start * size;
      if (product !== null) multiplyGradient(piece, z, product, start * size, (end - start) * size);
      k.lifBackward(
        du + o,
        product === null ? ds : piece,
        u + o,
        beta.ptr,
        threshold.ptr,
        next,
        end - start,
        rows,
        n,
        repeats ? 0 : size,
        strideOf(beta),
        strideOf(threshold),
        neuron.reset === ZERO ? 1 : 0,
        neuron.strict,
        surrogate.kind,
        surrogate.slope,
      );
      next = du + o;
    }
    if (piece !== 0) recycle(piece, 4 * together * size, scope.region);
    recycle(carry, 4 * size, scope.region);
    if (isShort) {
      recycleGradient(z);
      z.gradPtr = du;
    }
    if (isFree) {
      membrane.region = disposed;
      if (du !== u) recycle(u, 4 * z.size, scope.region);
    }
    passGradient(z, current);
  },
  support({ neuron, membrane, threshold }, bits, columns) {
    // Those that are 0 beyond some distance from the threshold.
    const { kind, slope } = neuron.surrogate;
    if (kind !== TRIANGULAR && kind !== BOXCAR) return -1;
    const rows = membrane.size / columns;
    return k.surrogateSupport(bits, membrane.ptr, threshold.ptr, strideOf(threshold), rows, columns, kind, slope);
  },
};

/** Values of a gradient that a second-level cache holds beside what it meets there. */
const PIECE = 131072;

/**
 * Spikes of plain neurons over a current [T, B, …], from v = 0; β and θ have one value or one a feature. `over`: nobody else can read
 * the current, and the membrane takes its place. Null for what compiled neurons compute: learned parameters, and a current that is
 * the same in all steps.
 */
export function runPlain(
  neuron: PlainLIF,
  current: Tensor,
  beta: Tensor,
  threshold: Tensor,
  over: boolean,
): Tensor | null {
  if (beta.requiresGrad || threshold.requiresGrad || constantSource(current) !== null) return null;
  for (const t of [current, beta, threshold]) ready("LIF", t);
  const T = current.sizes[0] as number;
  const size = current.size / T;
  const n = columnsOf("LIF", [beta, threshold], size);
  const wanted = scope.recording && current.requiresGrad;
  const spikes = emptySpikes(current.sizes);
  const membrane = !wanted ? null : over ? current.detach() : emptyLike(current);
  const u = membrane === null ? allocate(4 * size) : membrane.ptr;
  k.lifForward(
    u,
    spikes.bits,
    current.ptr,
    beta.ptr,
    threshold.ptr,
    T,
    size / n,
    n,
    membrane === null ? 0 : size,
    strideOf(beta),
    strideOf(threshold),
    neuron.reset,
    neuron.delayed,
    neuron.strict,
    neuron.resetValue,
  );
  if (membrane === null) recycle(u, 4 * size, scope.region);
  else {
    const run = { neuron, T, rows: size / n, n, threshold, membrane };
    record(spikes, lifOp as Recorded<never>, run, current, beta, threshold);
  }
  return spikes;
}
