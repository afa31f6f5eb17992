/** The fused op behind LIF: the whole time loop in one kernel call, forward and backward. */

import {
  allocate,
  canTakeOver,
  checkUnchanged,
  constantSource,
  disposed,
  empty,
  emptySpikes,
  gradOf,
  k,
  type Op,
  pass,
  passGradient,
  ready,
  record,
  recycle,
  recycleGradient,
  root,
  SAVES_B,
  SAVES_C,
  SAVES_NOTHING,
  SAVES_OUTPUT,
  scope,
  streamBytes,
  writeOutGradient,
} from "../engine/extend.ts";
import { concat, noGrad, type Tensor, zeros } from "../engine/index.ts";
import { sumPerNeuron } from "./leaky-integrator.ts";
import { type Surrogate, surrogate } from "./surrogate.ts";

/** The options of a neuron as the kernels take them. */
export interface Neuron {
  readonly reset: number;
  readonly delayed: number;
  readonly strict: number;
  readonly resetValue: number;
  readonly rest: number;
  readonly inputScale: number;
  readonly hold: number;
  readonly attached: number;
  readonly surrogate: Surrogate;
}

/** Kinds of reset, as the kernels number them. */
export const RESETS = { none: 0, subtract: 1, zero: 2 } as const;

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
  /** u, the membrane before the reset, [T, B, …]; null where nobody can ask for it and backward computes it again. */
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

const lifOp: Op<Run> = {
  name: "LIF",
  saves: SAVES_B | SAVES_C | SAVES_OUTPUT,
  takesRepeats: true,
  shape: (run) => run.spikes.shape,
  forward() {},
  backward(z, current, beta, threshold, run) {
    if (run.membrane === null) return replay(z, current, beta, threshold, run);
    const { neuron, T, rows, n, constant, v0, r0, membrane } = run;
    checkUnchanged(z, membrane);
    const size = rows * n;
    const bytes = 4 * size;
    const carry = zeroBuffer(size);
    const dBeta = beta.requiresGrad ? zeroBuffer(size) : 0;
    const dThreshold = threshold.requiresGrad ? zeroBuffer(size) : 0;
    const dv0 = v0 === null ? 0 : gradOf(v0);
    const total = constant ? gradOf(current) : 0;
    const u = membrane.ptr;
    const stepBeta = beta.size === 1 ? 0 : 1;
    const stepThreshold = threshold.size === 1 ? 0 : 1;
    const { dMembrane, dState, silence } = run.pass === pass ? run : NOTHING;
    const silent = z.gradRepeats !== 0 && z.gradPtr === silence;
    const plain =
      (dMembrane === 0 || silent) &&
      dState === 0 &&
      dThreshold === 0 &&
      dv0 === 0 &&
      neuron.attached === 0 &&
      run.refractory === null;
    if (z.gradRepeats !== 0 && !(plain && z.gradRepeats === T)) writeOutGradient(z);
    // A membrane takes its gradient as it is, as spikes do whose surrogate is 1.
    const { kind, slope } = plain && silent ? STRAIGHT_THROUGH : neuron.surrogate;
    const custom = kind < 0 ? customDerivative(run, membrane) : null;
    const d = custom === null ? 0 : custom.ptr + bytes;
    if (plain) {
      const repeats = z.gradRepeats !== 0 && !silent;
      const ds = silent ? dMembrane : z.gradPtr;
      let du = ds;
      if (constant && dBeta === 0) du = carry;
      else if (repeats) du = dBeta === 0 && takeOver(run, membrane) ? u : allocate(4 * z.size);
      k.lifBackward(
        du,
        ds,
        u,
        v0?.ptr ?? 0,
        beta.ptr,
        threshold.ptr,
        carry,
        total,
        d,
        dBeta,
        T,
        rows,
        n,
        du === carry ? 0 : size,
        repeats ? 0 : size,
        size,
        stepBeta,
        stepThreshold,
        neuron.reset,
        neuron.delayed,
        neuron.strict,
        neuron.resetValue,
        kind,
        slope,
      );
      if (silent && du === carry) recycle(dMembrane, 4 * z.size, scope.region);
      if (du !== z.gradPtr && du !== carry) {
        recycleGradient(z);
        z.gradPtr = du;
      }
    } else {
      ready("LIF", z);
      if (v0 !== null) checkUnchanged(z, v0);
      if (r0 !== null) checkUnchanged(z, r0);
      k.lifBackwardAny(
        z.gradPtr,
        u,
        z.ptr,
        run.refractory?.ptr ?? 0,
        v0?.ptr ?? 0,
        r0?.ptr ?? 0,
        beta.ptr,
        threshold.ptr,
        carry,
        total,
        d,
        dMembrane,
        dState,
        dBeta,
        dThreshold,
        dv0,
        T,
        rows,
        n,
        stepBeta,
        stepThreshold,
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
      );
    }
    custom?.dispose();
    passToParameter(beta, dBeta, rows, n);
    passToParameter(threshold, dThreshold, rows, n);
    if (dMembrane !== 0 && !plain) recycle(dMembrane, 4 * z.size, scope.region);
    if (dState !== 0) recycle(dState, 4 * z.size, scope.region);
    recycle(carry, bytes, scope.region);
    if (!constant) passGradient(z, current);
    if (!run.exposed) discard(run);
  },
  support: ({ neuron, membrane, threshold }, bits, columns) =>
    membrane === null ? -1 : surrogateSupport(neuron, membrane, threshold, bits, columns),
  drop(run) {
    if (!run.exposed) discard(run);
  },
};

/** Surrogates that are 0 beyond some distance from the threshold, as the kernels number them. */
const COMPACT = { triangular: 4, boxcar: 5 } as const;

/** What {@link Op.support} says of neurons with this membrane. */
export function surrogateSupport(
  { surrogate: { kind, slope } }: Neuron,
  membrane: Tensor,
  threshold: Tensor,
  bits: number,
  columns: number,
): number {
  if (kind !== COMPACT.triangular && kind !== COMPACT.boxcar) return -1;
  const step = threshold.size === 1 ? 0 : 1;
  return k.surrogateSupport(bits, membrane.ptr, threshold.ptr, step, membrane.size / columns, columns, kind, slope);
}

/** The surrogate that passes gradients as they are. */
const STRAIGHT_THROUGH = surrogate.straightThrough();

/** Neurons whose history is computed again at a time: 400 KB for 25 steps, which a second-level cache holds. */
const REPLAYED = 4096;
/** Neuron-steps from which on a history of 4 bytes each is not worth the time that it saves, a sixth of forward and backward. */
const LARGE = 2 ** 20;

/** The backward pass of a run without a history: its current is the same in all steps. */
function replay(z: Tensor, current: Tensor, beta: Tensor, threshold: Tensor, run: Run): void {
  const { neuron, T, rows, n } = run;
  checkUnchanged(z, current);
  if (z.gradRepeats !== 0 && z.gradRepeats !== T) writeOutGradient(z);
  const size = rows * n;
  const carry = zeroBuffer(size);
  const block = Math.min(REPLAYED, n);
  const bytes = 4 * T * block + streamBytes(T * block);
  const history = allocate(bytes);
  k.lifReplay(
    gradOf(current),
    z.gradPtr,
    current.ptr,
    beta.ptr,
    threshold.ptr,
    carry,
    history,
    T,
    rows,
    n,
    block,
    z.gradRepeats !== 0 ? 0 : size,
    beta.size === 1 ? 0 : 1,
    threshold.size === 1 ? 0 : 1,
    neuron.reset,
    neuron.delayed,
    neuron.strict,
    neuron.resetValue,
    neuron.surrogate.kind,
    neuron.surrogate.slope,
  );
  recycle(history, bytes, scope.region);
  recycle(carry, 4 * size, scope.region);
}

/** Whether the membrane has served its purpose here, so that its memory is free for a gradient. */
function takeOver({ reachable }: Run, membrane: Tensor): boolean {
  if (reachable || membrane.region !== scope.region) return false;
  membrane.region = disposed;
  return true;
}

/** A buffer of zeros that serves this pass. */
function zeroBuffer(size: number): number {
  const p = allocate(4 * size);
  k.fill(p, size, 0);
  return p;
}

/** Adds the gradients d of each element, [rows, n] or 0 for none, into a parameter and gives the buffer back. */
function passToParameter(parameter: Tensor, d: number, rows: number, n: number): void {
  if (d === 0) return;
  sumPerNeuron(parameter, d, rows, n);
  recycle(d, 4 * rows * n, scope.region);
}

const NOTHING = { dMembrane: 0, dState: 0, silence: 0 } as const;

/** The derivative of a custom surrogate on the whole sequence, after that of the state before it. */
function customDerivative({ neuron, threshold, v0 }: Run, membrane: Tensor): Tensor | null {
  const { derivative } = neuron.surrogate;
  if (derivative === null) return null;
  return noGrad(() => {
    const initial = v0 ?? zeros(membrane.shape.slice(1));
    return derivative(concat([initial.unsqueeze(0), membrane]).sub(threshold));
  });
}

/**
 * Runs a neuron over a current [T, B, …] from the state v0, counters (null: zeros); β and θ have one value or one a feature.
 * A neuron without refractory steps ignores the counters.
 */
export function runLif(
  neuron: Neuron,
  current: Tensor,
  beta: Tensor,
  threshold: Tensor,
  v0: Tensor | null,
  counters: Tensor | null,
  reachable: boolean,
): Run {
  const r0 = neuron.hold === 0 ? null : counters;
  const T = current.shape[0] as number;
  const size = current.size / T;
  const n = Math.max(beta.size, threshold.size) > 1 ? (current.shape[current.ndim - 1] as number) : size;
  const rows = size / n;
  const source = constantSource(current);
  const constant = source !== null && source.size === size;
  const input = constant ? source : current;
  for (const t of [input, beta, threshold]) ready("LIF", t);
  if (v0 !== null) ready("LIF", v0);
  if (counters !== null) ready("LIF", counters);
  const plain = neuron.hold === 0 && neuron.rest === 0 && neuron.inputScale === 1;
  const spikes = plain ? emptySpikes(current.shape, current.size) : empty(current.shape, current.size);
  const refractory = plain ? null : empty(current.shape, current.size);
  const stepCurrent = constant ? 0 : size;
  const learned = beta.requiresGrad || threshold.requiresGrad;
  const wanted = scope.recording && (input.requiresGrad || learned || (v0?.requiresGrad ?? false));
  const replayed =
    constant && current.size >= LARGE && neuron.attached === 0 && !learned && neuron.surrogate.derivative === null;
  const forgets = plain && !reachable && (replayed || !wanted);
  const membrane = forgets ? null : empty(current.shape, current.size);
  const last = membrane === null ? allocate(4 * size) : 0;
  const stepBeta = beta.size === 1 ? 0 : 1;
  const stepThreshold = threshold.size === 1 ? 0 : 1;
  if (refractory === null) {
    k.lifForward(
      membrane === null ? last : membrane.ptr,
      spikes.bits,
      input.ptr,
      v0?.ptr ?? 0,
      beta.ptr,
      threshold.ptr,
      T,
      rows,
      n,
      membrane === null ? 0 : size,
      stepCurrent,
      stepBeta,
      stepThreshold,
      neuron.reset,
      neuron.delayed,
      neuron.strict,
      neuron.resetValue,
      0,
    );
    if (membrane === null) recycle(last, 4 * size, scope.region);
  } else {
    k.lifForwardAny(
      (membrane as Tensor).ptr,
      spikes.ptr,
      refractory.ptr,
      input.ptr,
      v0?.ptr ?? 0,
      r0?.ptr ?? 0,
      beta.ptr,
      threshold.ptr,
      T,
      rows,
      n,
      stepCurrent,
      stepBeta,
      stepThreshold,
      neuron.reset,
      neuron.delayed,
      neuron.strict,
      neuron.resetValue,
      neuron.rest,
      neuron.inputScale,
      neuron.hold,
    );
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
  if (wanted) record(spikes, lifOp as Op<never>, run, input, beta, threshold);
  return run;
}

/** Adds z's gradient into a buffer of the run, and makes sure that the run's backward is reached. */
function passToRun(z: Tensor, spikes: Tensor, run: Run, name: "dMembrane" | "dState"): void {
  if (run.pass !== pass) Object.assign(run, NOTHING, { pass });
  if (canTakeOver(spikes)) {
    run.silence = zeroBuffer(run.rows * run.n);
    spikes.gradPtr = run.silence;
    spikes.gradRepeats = run.T;
  }
  if (run[name] === 0) {
    run[name] = z.gradPtr;
    z.gradPtr = 0;
  } else {
    k.addTo(run[name], z.gradPtr, z.size);
  }
}

const membraneOp: Op<Run> = {
  name: "LIF membrane",
  saves: SAVES_NOTHING,
  shape: (run) => run.spikes.shape,
  forward() {},
  backward: (z, spikes, _y, _w, run) => passToRun(z, spikes, run, "dMembrane"),
};

const stateOp: Op<Run> = {
  name: "LIF state",
  saves: SAVES_NOTHING,
  shape: (run) => run.spikes.shape,
  forward() {},
  backward: (z, spikes, _y, _w, run) => passToRun(z, spikes, run, "dState"),
};

/** u as a differentiable output: what the run keeps anyway. On its tape also where it is first read under noGrad. */
export function membraneOf(run: Run): Tensor {
  const { spikes } = run;
  const membrane = run.membrane as Tensor;
  if (!run.exposed && spikes.requiresGrad) record(membrane, membraneOp as Op<never>, run, spikes, null, null);
  run.exposed = true;
  return membrane;
}

/** v, the state after the reset, as a differentiable output. */
export function stateOf(run: Run): Tensor {
  const { neuron, spikes, threshold, T, rows, n } = run;
  const membrane = run.membrane as Tensor;
  for (const t of [membrane, spikes, threshold]) ready("LIF", t);
  const z = empty(membrane.shape, membrane.size);
  const reset = neuron.delayed !== 0 ? RESETS.none : neuron.reset;
  const step = threshold.size === 1 ? 0 : 1;
  k.lifState(z.ptr, membrane.ptr, spikes.ptr, threshold.ptr, T * rows, n, step, reset, neuron.resetValue);
  if (scope.recording && spikes.requiresGrad) record(z, stateOp as Op<never>, run, spikes, null, null);
  return z;
}

/** Frees what the caller of a run at the root cannot reach; inside a tape the tape does. */
export function discard(run: Run): void {
  if (run.membrane?.region === root.region) run.membrane.dispose();
  run.refractory?.dispose();
}
