/** The fused op behind LIF: the whole time loop in one kernel call, forward and backward. */

import {
  allocate,
  canTakeOver,
  checkUnchanged,
  constantSource,
  disposed,
  emptyLike,
  emptySpikes,
  gradOf,
  k,
  multiplyGradient,
  pass,
  passGradient,
  type Recorded,
  ready,
  record,
  recorded,
  recycle,
  recycleGradient,
  SAVES_B,
  SAVES_C,
  SAVES_NOTHING,
  SAVES_OUTPUT,
  scope,
  writeOutGradient,
} from "../engine/extend.ts";
import { concat, noGrad, type Tensor, zeros } from "../engine/index.ts";
import { BOXCAR, NO_RESET, STRAIGHT_THROUGH, TRIANGULAR } from "../kernels/kinds.ts";
import { forwardAny, forwardPlain, isPlain, type Neuron, neuronsOf } from "./lif-kernels.ts";
import { passToParameter, zeroBuffer } from "./per-neuron.ts";

/** One forward pass of a neuron: what backward and the lazily read outputs need. */
export interface Run {
  readonly neuron: Neuron;
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  /** The current is [rows, n], the same in all steps. */
  readonly constant: boolean;
  readonly v0: Tensor | null;
  readonly r0: Tensor | null;
  readonly threshold: Tensor;
  /** u, the membrane before the reset, [T, B, …]; null where nobody can ask for it. */
  readonly membrane: Tensor | null;
  /** Steps that each neuron is still held, [T, B, …], or null where nothing ever is. */
  readonly refractory: Tensor | null;
  readonly spikes: Tensor;
  /** The caller can still ask for the membrane. */
  reachable: boolean;
  /** The caller has seen the membrane. */
  exposed: boolean;
  /** Gradients of the other outputs, 0 until their records pass them on. */
  dMembrane: number;
  dState: number;
  /** The zeros that stand for the gradient of spikes nobody has read; of one step. */
  silence: number;
  /** The backward pass that they belong to: one that failed has left them behind. */
  pass: number;
}

const lifOp: Recorded<Run> = {
  name: "LIF",
  saves: SAVES_B | SAVES_C | SAVES_OUTPUT,
  takes: ["repeats", "product"],
  backward(z, current, beta, threshold, run) {
    const { neuron, rows, n, constant, v0, refractory } = run;
    for (const t of [run.membrane, v0, run.r0]) if (t !== null) checkUnchanged(z, t);
    const size = rows * n;
    // What may fail comes before the first kernel, which may write over the membrane: a further attempt finds it whole.
    gradOf(beta);
    gradOf(threshold);
    if (!constant && !canTakeOver(current)) gradOf(current);
    const to: Targets = {
      carry: zeroBuffer(size),
      dBeta: beta.requiresGrad ? zeroBuffer(size) : 0,
      dThreshold: threshold.requiresGrad ? zeroBuffer(size) : 0,
      dv0: v0 === null ? 0 : gradOf(v0),
      total: constant ? gradOf(current) : 0,
    };
    const { dMembrane, dState, silence } = run.pass === pass ? run : NOTHING;
    const silent = z.gradForm?.kind === "repeats" && z.gradPtr === silence;
    const oneOutput = dState === 0 && (dMembrane === 0 || silent);
    if (oneOutput && to.dThreshold === 0 && to.dv0 === 0 && neuron.attached === 0 && refractory === null) {
      backwardPlain(z, beta, threshold, run, to, dMembrane);
    } else backwardAny(z, beta, threshold, run, to, dMembrane, dState);
    passToParameter(beta, to.dBeta, rows, n);
    passToParameter(threshold, to.dThreshold, rows, n);
    recycle(to.carry, 4 * size, scope.region);
    if (!constant) passGradient(z, current);
  },
  support: ({ neuron, membrane, threshold }, bits, columns) =>
    surrogateSupport(neuron, membrane as Tensor, threshold, bits, columns),
};

/** Addresses that gradients go to besides that of the spikes, 0 where none is wanted: of each element but for v0. */
interface Targets {
  /** Zeros, [rows, n]. */
  readonly carry: number;
  readonly dBeta: number;
  readonly dThreshold: number;
  readonly dv0: number;
  /** Of a constant current. */
  readonly total: number;
}

/** Values of a gradient that a second-level cache holds beside what it meets there. */
const PIECE = 131072;

/** Of a neuron without further options, towards its current and beta: from the gradient of its spikes, or of its membrane. */
function backwardPlain(
  z: Tensor,
  beta: Tensor,
  threshold: Tensor,
  run: Run,
  { carry, dBeta, total }: Targets,
  dMembrane: number,
): void {
  const { neuron, T, rows, n, constant, v0 } = run;
  const membrane = run.membrane as Tensor;
  const size = rows * n;
  const bytes = 4 * size;
  const silent = dMembrane !== 0;
  const product = z.gradForm?.kind === "product" && dBeta === 0 ? z.gradForm : null;
  if (product === null && !(z.gradForm?.kind === "repeats" && z.gradForm.steps === T)) writeOutGradient(z);
  const repeats = z.gradForm?.kind === "repeats" && !silent;
  // A membrane takes its gradient as it is, as spikes do whose surrogate is 1.
  const { kind, slope } = silent ? { kind: STRAIGHT_THROUGH, slope: 1 } : neuron.surrogate;
  const custom = kind < 0 ? customDerivative(neuron, threshold, v0, membrane) : null;
  const u = membrane.ptr;
  const ds = silent ? dMembrane : z.gradPtr;
  // A product is written out some steps at a time, so that they are read while they are in a cache.
  const together = product !== null ? Math.max(1, Math.min(T, Math.floor(PIECE / size))) : T;
  const piece = product !== null ? allocate(together * bytes) : 0;
  let du = ds;
  if (constant && dBeta === 0) du = carry;
  else if (repeats || product !== null) du = dBeta === 0 && takeOver(run, membrane) ? u : allocate(4 * z.size);
  const stepDu = du === carry ? 0 : size;
  let next = carry;
  for (let end = T; end > 0; end -= together) {
    const start = Math.max(0, end - together);
    if (product !== null) multiplyGradient(piece, z, product, start * size, (end - start) * size);
    k.lifBackward(
      du + 4 * start * stepDu,
      product !== null ? piece : ds,
      u + start * bytes,
      v0?.ptr ?? 0,
      beta.ptr,
      threshold.ptr,
      next,
      total,
      custom === null ? 0 : custom.ptr + (start + 1) * bytes,
      dBeta,
      end - start,
      rows,
      n,
      stepDu,
      repeats ? 0 : size,
      size,
      beta.size === 1 ? 0 : 1,
      threshold.size === 1 ? 0 : 1,
      neuron.reset,
      neuron.delayed,
      neuron.strict,
      neuron.resetValue,
      kind,
      slope,
    );
    next = du + 4 * start * stepDu;
  }
  custom?.dispose();
  if (product !== null) recycle(piece, together * bytes, scope.region);
  if (silent && du === carry) recycle(dMembrane, 4 * z.size, scope.region);
  if (du !== z.gradPtr && du !== carry) {
    recycleGradient(z);
    z.gradPtr = du;
  }
  if (du !== u && takeOver(run, membrane)) recycle(u, 4 * z.size, scope.region);
}

/** Of every neuron, towards all that it depends on, from the gradients of all of its outputs. */
function backwardAny(
  z: Tensor,
  beta: Tensor,
  threshold: Tensor,
  run: Run,
  { carry, dBeta, dThreshold, dv0, total }: Targets,
  dMembrane: number,
  dState: number,
): void {
  const { neuron, T, rows, n, v0, r0, refractory } = run;
  const membrane = run.membrane as Tensor;
  writeOutGradient(z);
  const { kind, slope } = neuron.surrogate;
  const custom = kind < 0 ? customDerivative(neuron, threshold, v0, membrane) : null;
  k.lifBackwardAny(
    z.gradPtr,
    membrane.ptr,
    refractory?.ptr ?? 0,
    v0?.ptr ?? 0,
    r0?.ptr ?? 0,
    beta.ptr,
    threshold.ptr,
    carry,
    total,
    custom === null ? 0 : custom.ptr + 4 * rows * n,
    dMembrane,
    dState,
    dBeta,
    dThreshold,
    dv0,
    T,
    rows,
    n,
    beta.size === 1 ? 0 : 1,
    threshold.size === 1 ? 0 : 1,
    neuron.reset,
    neuron.delayed,
    neuron.strict,
    neuron.resetValue,
    neuron.rest,
    neuron.inputScale,
    neuron.hold,
    neuron.attached,
    kind,
    slope,
    0,
  );
  custom?.dispose();
  if (dMembrane !== 0) recycle(dMembrane, 4 * z.size, scope.region);
  if (dState !== 0) recycle(dState, 4 * z.size, scope.region);
}

/** What {@link Op.support} says of neurons with this membrane. */
export function surrogateSupport(
  { surrogate: { kind, slope } }: Neuron,
  membrane: Tensor,
  threshold: Tensor,
  bits: number,
  columns: number,
): number {
  // Those that are 0 beyond some distance from the threshold.
  if (kind !== TRIANGULAR && kind !== BOXCAR) return -1;
  const step = threshold.size === 1 ? 0 : 1;
  return k.surrogateSupport(bits, membrane.ptr, threshold.ptr, step, membrane.size / columns, columns, kind, slope);
}

/** Whether the membrane has served its purpose here, so that its memory is free for a gradient. */
function takeOver({ reachable }: Run, membrane: Tensor): boolean {
  if (reachable || membrane.region !== scope.region) return false;
  membrane.region = disposed;
  return true;
}

const NOTHING = { dMembrane: 0, dState: 0, silence: 0 } as const;

/** The derivative of a custom surrogate on the whole sequence, after that of the state before it. */
export function customDerivative(
  { surrogate: { derivative } }: Neuron,
  threshold: Tensor,
  v0: Tensor | null,
  membrane: Tensor,
): Tensor | null {
  if (derivative === null) return null;
  return noGrad(() => {
    const initial = v0 ?? zeros(membrane.sizes.slice(1));
    return derivative(concat([initial.unsqueeze(0), membrane]).sub(threshold));
  });
}

/**
 * Runs a neuron over a current [T, B, …] from the state v0, counters (null: zeros); β and θ have one value or one a feature.
 * A neuron without refractory steps ignores the counters. With `over` nobody else can read the current, and the
 * membrane takes its place.
 */
export function runLif(
  neuron: Neuron,
  current: Tensor,
  beta: Tensor,
  threshold: Tensor,
  v0: Tensor | null,
  counters: Tensor | null,
  reachable: boolean,
  over?: boolean,
): Run {
  const r0 = neuron.hold === 0 ? null : counters;
  const T = current.sizes[0] as number;
  const size = current.size / T;
  const n = neuronsOf(beta.size, threshold.size, size);
  const rows = size / n;
  const source = constantSource(current);
  const constant = source !== null && source.size === size;
  const input = constant ? source : current;
  for (const t of [input, beta, threshold]) ready("LIF", t);
  if (v0 !== null) ready("LIF", v0);
  if (counters !== null) ready("LIF", counters);
  const plain = isPlain(neuron);
  const spikes = emptySpikes(current.sizes);
  const refractory = plain ? null : emptyLike(current);
  const stepCurrent = constant ? 0 : size;
  const learned = beta.requiresGrad || threshold.requiresGrad;
  const wanted = scope.recording && (input.requiresGrad || learned || (v0?.requiresGrad ?? false));
  const kept = !plain || reachable || wanted;
  const membrane = !kept ? null : over && !constant ? current.detach() : emptyLike(current);
  const from = v0?.ptr ?? 0;
  if (refractory === null) {
    const u = membrane === null ? allocate(4 * size) : membrane.ptr;
    const stepU = membrane === null ? 0 : size;
    forwardPlain(neuron, u, spikes.bits, input.ptr, from, beta.ptr, beta.size, threshold, T, size, stepU, stepCurrent);
    if (membrane === null) recycle(u, 4 * size, scope.region);
  } else {
    const s = allocate(4 * current.size);
    const u = (membrane as Tensor).ptr;
    const r = refractory.ptr;
    const held = r0?.ptr ?? 0;
    forwardAny(neuron, u, s, r, input.ptr, from, held, beta.ptr, beta.size, threshold, T, size, stepCurrent);
    k.packBits(spikes.bits, s, 1, current.size);
    recycle(s, 4 * current.size, scope.region);
  }
  const run: Run = {
    neuron,
    T,
    rows,
    n,
    constant,
    v0,
    r0,
    threshold,
    membrane,
    refractory,
    spikes,
    reachable,
    exposed: false,
    dMembrane: 0,
    dState: 0,
    silence: 0,
    pass: 0,
  };
  if (wanted) record(spikes, lifOp as Recorded<never>, run, input, beta, threshold);
  return run;
}

/** Adds z's gradient into a buffer of the run, and makes sure that the run's backward is reached. */
function passToRun(z: Tensor, spikes: Tensor, run: Run, name: "dMembrane" | "dState"): void {
  if (run.pass !== pass) Object.assign(run, NOTHING, { pass });
  if (canTakeOver(spikes)) {
    run.silence = zeroBuffer(run.rows * run.n);
    spikes.gradPtr = run.silence;
    spikes.gradForm = { kind: "repeats", steps: run.T };
  } else if (spikes.op === null) gradOf(spikes); // an error: consumed before
  if (run[name] === 0) {
    run[name] = z.gradPtr;
    z.gradPtr = 0;
  } else {
    k.addTo(run[name], z.gradPtr, z.size);
  }
}

const membraneOp: Recorded<Run> = {
  name: "LIF membrane",
  saves: SAVES_NOTHING,
  backward: (z, spikes, _y, _w, run) => passToRun(z, spikes, run, "dMembrane"),
};

const stateOp: Recorded<Run> = {
  name: "LIF state",
  saves: SAVES_NOTHING,
  backward: (z, spikes, _y, _w, run) => passToRun(z, spikes, run, "dState"),
};

/** u as a differentiable output: what the run keeps anyway. On its tape also where it is first read under noGrad. */
export function membraneOf(run: Run): Tensor {
  const { spikes } = run;
  const membrane = run.membrane as Tensor;
  ready("LIF", membrane);
  if (!run.exposed && spikes.requiresGrad) record(membrane, membraneOp as Recorded<never>, run, spikes, null, null);
  run.exposed = true;
  return membrane;
}

/** v, the state after the reset, as a differentiable output. */
export function stateOf(run: Run): Tensor {
  const { neuron, spikes, threshold, T, rows, n } = run;
  const membrane = run.membrane as Tensor;
  for (const t of [membrane, spikes, threshold]) ready("LIF", t);
  const z = emptyLike(membrane);
  const reset = neuron.delayed !== 0 ? NO_RESET : neuron.reset;
  const step = threshold.size === 1 ? 0 : 1;
  k.lifState(z.ptr, membrane.ptr, spikes.ptr, threshold.ptr, T * rows, n, step, reset, neuron.resetValue);
  return recorded(stateOp, run, spikes, z);
}

/** The steps that each neuron is still held after the last one, or null where nothing ever is. */
export function countersOf({ refractory }: Run): Tensor | null {
  return refractory === null ? null : refractory.select(0, -1).clone();
}
