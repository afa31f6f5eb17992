/**
 * Plain neurons: a LIF of the defaults and few options besides, and a leaky integrator. Hand-written kernels run them, a whole loop over
 * time in one call, forward and backward, with the bits of the compiled step.
 */

import type { Recorded } from "../../engine/extend.ts";
import { constantSource, gradOfPart, k, passGradient, ready, recycle, spikesAt } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { rootOf, scope } from "../../engine/lasting.ts";
import type { Shape } from "../../engine/shape.ts";
import {
  allocate,
  canTakeOver,
  describeTransposed,
  descriptor,
  empty,
  emptyLike,
  emptySpikes,
  floats,
  giveGradient,
  gradOf,
  holds,
  integers,
  part,
  record,
  SAVES,
  saveFor,
  takeSaved,
  wantsGradient,
  wordsAt,
  writeOutGradient,
  writePair,
} from "../../engine/unchecked.ts";
import { BOXCAR, NO_RESET, TRIANGULAR } from "../../kernels/kinds.ts";
import * as layout from "../../kernels/lif-layout.ts";
import { words as PRODUCT_WORDS } from "../../kernels/product-layout.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import { columnCount, overwritten } from "./parameters.ts";

/** Options of plain neurons as the kernels take them: without rest, scale and refractory steps, with the reset detached. */
export interface PlainOptions {
  /** One of kinds.ts. */
  readonly reset: number;
  /** 1: the reset comes at the start of the next step. */
  readonly delayed: number;
  /** 1: fires above the threshold alone. */
  readonly strict: number;
  readonly resetValue: number;
  /** Null for a readout, whose output is the membrane. */
  readonly surrogate: Surrogate | null;
}

/** These options, and the record of neurons that have them. */
export interface Plain extends PlainOptions {
  readonly op: Recorded<PlainRun>;
}

const NOTHING: readonly Tensor[] = [];

/** In the place of the tensors of a run that has ended. */
const NONE = null as unknown as Tensor;

/** A run that has ended, whose object the next one takes. */
let ended: PlainRun | null = null;

/** A run: its results, and the operands that backward and the outputs which are read later need. */
export class PlainRun {
  plain: Plain = null as unknown as Plain;
  T = 0;
  rows = 0;
  n = 0;
  /** [T, B, …], or for a single step [B, …]. */
  current: Tensor = NONE;
  /** The current, or one step of it where it is the same in all. */
  input: Tensor = NONE;
  beta: Tensor = NONE;
  /** θ; null for a readout. */
  threshold: Tensor | null = null;
  /** v before the first step, [B, …]; null for zeros. */
  from: Tensor | null = null;
  /** Spikes in the shape of the current, or of a readout the membrane. */
  z: Tensor = NONE;
  /** v after the last step, [B, …]; none where it is not wanted. */
  last: readonly Tensor[] = NOTHING;
  /** The list of `last`, which later runs of this object take again. */
  private list: Tensor[] | null = null;
  /** Address of the membrane over time, which backward reads; 0 where it has not been kept. */
  membrane = 0;
  /** The membrane has overwritten the current. */
  isOver = false;
  /** When an operand had last been written. */
  written = 0;
  private isRecorded = false;

  /** v after the last step is to be in this tensor. */
  leave(last: Tensor): void {
    if (this.list === null) this.list = [last];
    else this.list[0] = last;
    this.last = this.list;
  }

  /** Adds the run to the tape, differentiable. */
  record(): void {
    const { z, plain, input, beta, threshold, last } = this;
    this.isRecorded = true;
    record(z, plain.op as Recorded<never>, this, input, beta, threshold);
    if (last.length > 0) part(z, LAST, last[0] as Tensor);
  }

  get names(): readonly string[] {
    return outputsOf(this.plain);
  }

  /** The output of this index over time. */
  output(index: number): Tensor {
    return plainOutput(this, this.names[index] as "membrane" | "v");
  }

  /** Gives the object to a later run, where no record has it. */
  end(): void {
    if (this.isRecorded) return;
    this.current = NONE;
    this.input = NONE;
    this.beta = NONE;
    this.threshold = null;
    this.from = null;
    this.z = NONE;
    this.last = NOTHING;
    if (this.list !== null) this.list[0] = NONE;
    ended = this;
  }
}

const OF_NEURONS: readonly string[] = ["spikes", "membrane", "v"];
const OF_READOUT: readonly string[] = ["membrane", "v"];

/** The outputs of plain neurons, the main one first. */
export const outputsOf = ({ surrogate }: PlainOptions): readonly string[] =>
  surrogate === null ? OF_READOUT : OF_NEURONS;

/** Parts of a record besides its output. */
const LAST = 0;
const MEMBRANE = 1;
const V = 2;

/** In the block for descriptors that of neurons lies behind that of a product. */
const NEURONS = 4 * PRODUCT_WORDS;

/** Values that {@link describeStep} writes. */
export const PLAIN_WORDS = layout.words;

/** Plain neurons with these options, of a layer with this name, which stands in errors. */
export function makePlain(name: string, options: PlainOptions): Plain {
  const { reset, delayed, strict, resetValue, surrogate } = options;
  return { reset, delayed, strict, resetValue, surrogate, op: { ...RECORD, name } };
}

/**
 * Plain neurons over a current, [T, B, …] or for a single step [B, …], from the state `from` [B, …] on, or from zeros. β and θ have one
 * value or one a feature, and are not learned; a readout has no θ. `shape`, of a step, asks for the last state. `over`:
 * the current has no other reader, and the membrane takes its place.
 *
 * @throws RangeError for parameters that do not fit a step; Error for an operand that was freed.
 */
export function runPlain(
  plain: Plain,
  current: Tensor,
  T: number,
  beta: Tensor,
  threshold: Tensor | null,
  from: Tensor | null,
  shape: Shape | null,
  over: boolean,
): PlainRun {
  const { surrogate } = plain;
  const { name } = plain.op;
  const size = current.size / T;
  const source = constantSource(current);
  const input = source?.size === size ? source : current;
  ready(name, input);
  ready(name, beta);
  if (threshold !== null) ready(name, threshold);
  if (from !== null) ready(name, from);
  const n = columnsIn(size, name, beta, threshold);
  const wanted = scope.recording && (input.requiresGrad || from?.requiresGrad === true);
  const z = surrogate === null ? emptyLike(current) : emptySpikes(current.sizes);
  const last = shape === null ? null : empty(shape);
  // A readout gives its membrane; the membrane of neurons is kept for backward alone.
  const isKept = surrogate !== null && wanted;
  const isOver = isKept && over && input === current;
  const membrane = !isKept ? 0 : isOver ? current.ptr : saveFor(z, 4 * current.size);
  const written = lastWrite(input, beta, threshold, from);
  const run = ended ?? new PlainRun();
  ended = null;
  run.plain = plain;
  run.T = T;
  run.rows = size / n;
  run.n = n;
  run.current = current;
  run.input = input;
  run.beta = beta;
  run.threshold = threshold;
  run.from = from;
  run.z = z;
  if (last !== null) run.leave(last);
  run.membrane = membrane;
  run.isOver = isOver;
  run.written = written;
  if (surrogate === null) forward(run, true, z.ptr, size, 0, 0, last);
  else if (isKept) forward(run, true, membrane, size, spikesAt(z), 0, last);
  else if (last !== null) forward(run, true, last.ptr, 0, spikesAt(z), 0, last);
  else {
    const u = allocate(4 * size);
    forward(run, true, u, 0, spikesAt(z), 0, last);
    recycle(u, 4 * size);
  }
  if (wanted) run.record();
  return run;
}

/** Neighbours in a step with parameters of their own, or all of them where parameters are shared. */
function columnsIn(size: number, name: string, beta: Tensor, threshold: Tensor | null): number {
  if (beta.size === 1 && (threshold === null || threshold.size === 1)) return size;
  return columnCount(name, threshold === null ? [beta] : [beta, threshold], size);
}

/**
 * Writes the descriptor of a single step on tensors that stay where they are, [B, …] each, into a block of PLAIN_WORDS values at p: each
 * call of `lifForward` with it reads the current, overwrites the state by the next one, and writes z.
 *
 * @throws RangeError for parameters that do not fit a step.
 */
export function describeStep(
  plain: Plain,
  p: number,
  current: Tensor,
  beta: Tensor,
  threshold: Tensor | null,
  state: Tensor,
  z: Tensor,
): void {
  const { size } = current;
  const n = columnsIn(size, plain.op.name, beta, threshold);
  const isReadout = plain.surrogate === null;
  const at = describe({ plain, T: 1, rows: size / n, n, beta, threshold, from: state }, p);
  writePair(at + layout.u, isReadout ? z.ptr : state.ptr, 0);
  describeForward(at, plain, current.ptr, 0, isReadout ? 0 : spikesAt(z), 0, state.ptr);
}

/**
 * The membrane before the reset or the state after it, over time, differentiable: a copy of the series that backward
 * needs, or from another forward run, with the same bits.
 *
 * @throws Error where an operand was freed or overwritten since.
 */
export function plainOutput(run: PlainRun, name: "membrane" | "v"): Tensor {
  const { plain, current, input, beta, threshold, from, z: main, membrane, written } = run;
  const { surrogate, reset, delayed, op } = plain;
  if (surrogate === null && name === "membrane") return main;
  checkOperand(op.name, name, input, written);
  checkOperand(op.name, name, beta, written);
  if (threshold !== null) checkOperand(op.name, name, threshold, written);
  if (from !== null) checkOperand(op.name, name, from, written);
  const z = emptyLike(current);
  const isMembrane = name === "membrane" || delayed !== 0 || reset === NO_RESET;
  const isKept = membrane !== 0 && main.op !== null;
  if (isKept && isMembrane) k.copy(z.ptr, membrane, z.size);
  else forward(run, !isKept, isKept ? membrane : z.ptr, z.size / run.T, 0, isMembrane ? 0 : z.ptr, null);
  return scope.recording ? part(main, name === "membrane" ? MEMBRANE : V, z) : z;
}

/** Runs the kernel: u, spikes and v at these addresses, 0 for none; u is computed, or there already. */
function forward(
  run: PlainRun,
  isComputed: boolean,
  u: number,
  stepU: number,
  spikes: number,
  v: number,
  last: Tensor | null,
): void {
  const { plain, current, input } = run;
  const from = isComputed ? input.ptr : 0;
  const step = input === current ? current.size / run.T : 0;
  const at = describe(run, descriptor);
  writePair(at + layout.u, u, stepU);
  describeForward(at, plain, from, step, spikes, v, last === null ? 0 : last.ptr);
  k.lifForward(descriptor);
}

/** Writes the words of forward, but those of u, into the descriptor whose first word has this index. */
function describeForward(
  at: number,
  plain: Plain,
  current: number,
  stepCurrent: number,
  spikes: number,
  v: number,
  last: number,
): void {
  floats[at + layout.resetValue] = plain.resetValue;
  writePair(at + layout.current, current, stepCurrent);
  integers[at + layout.spikes] = spikes;
  integers[at + layout.v] = v;
  integers[at + layout.last] = last;
}

/** Writes the words of both passes, but not of u, into the descriptor at p. Returns the index of its first word. */
function describe(
  {
    plain,
    T,
    rows,
    n,
    beta,
    threshold,
    from,
  }: Pick<PlainRun, "plain" | "T" | "rows" | "n" | "beta" | "threshold" | "from">,
  p: number,
): number {
  const at = wordsAt(p, PLAIN_WORDS);
  writePair(at + layout.T, T, rows);
  integers[at + layout.n] = n;
  writePair(at + layout.beta, beta.ptr, beta.size === 1 ? 0 : 1);
  writePair(
    at + layout.threshold,
    threshold === null ? 0 : threshold.ptr,
    threshold === null || threshold.size === 1 ? 0 : 1,
  );
  writePair(at + layout.reset, plain.reset, plain.delayed);
  integers[at + layout.strict] = plain.strict;
  integers[at + layout.from] = from === null ? 0 : from.ptr;
  writePair(at + layout.stepAll, 0, 0);
  return at;
}

const RECORD: Recorded<PlainRun> = {
  name: "",
  saves: SAVES.b + SAVES.c + SAVES.more,
  reads: { gradient: ["repeats", "product"] },
  more: ({ from }) => (from === null ? [] : [from]),
  backward(z, input, _beta, _threshold, run) {
    const { plain, T, rows, n, current, from, membrane, isOver } = run;
    const { surrogate } = plain;
    const size = rows * n;
    // Allocations, which may fail, come before the first kernel, which may write over the membrane: a further attempt finds it whole.
    const isConstant = input !== current;
    const isWanted = wantsGradient(input);
    const sum = isConstant ? gradOf(input) : 0;
    if (isWanted && !canTakeOver(input)) gradOf(input);
    const leavesState = from !== null && wantsGradient(from);
    if (leavesState && !canTakeOver(from)) gradOf(from);
    const dFrom = leavesState ? allocate(4 * size) : 0;
    const dLast = gradOfPart(z, LAST);
    const dMembrane = gradOfPart(z, MEMBRANE);
    const dV = gradOfPart(z, V);
    const product = z.gradForm?.kind === "product" ? z.gradForm : null;
    const repeats = z.gradForm?.kind === "repeats" && z.gradForm.steps === T;
    if (product === null && !repeats) writeOutGradient(z);
    // The gradient of the current overwrites the incoming gradient or the membrane, where one of these has room for it.
    const isWhole = holds(z) && z.gradForm === null;
    const isOverTime = isWanted && !isConstant;
    const isFree = z.region === scope.region;
    const dU = !isOverTime ? allocate(4 * size) : isWhole ? z.gradPtr : placeOf(z, membrane, isFree);
    const given = product === null ? z.gradPtr : allocate(4 * size);
    const step = isWhole ? size : 0;
    const neurons = descriptor + NEURONS;
    const at = describe(run, neurons);
    integers[at + layout.u] = membrane;
    if (surrogate === null) {
      writePair(at + layout.dSpikes, 0, 0);
      writePair(at + layout.dMembrane, given, step);
    } else {
      integers[at + layout.kind] = surrogate.kind;
      floats[at + layout.slope] = surrogate.slope;
      writePair(at + layout.dSpikes, given, step);
      writePair(at + layout.dMembrane, dMembrane, size);
    }
    writePair(at + layout.dV, dV, size);
    integers[at + layout.dLast] = dLast;
    writePair(at + layout.dU, dU, isOverTime ? size : 0);
    writePair(at + layout.dSum, sum, dFrom);
    if (product !== null) {
      integers[at + layout.product] = descriptor;
      describeTransposed(given, 0, z.gradPtr, product.weights, size / product.factors.depth, product.factors);
    }
    k.lifBackward(neurons);
    if (product !== null) recycle(given, 4 * size);
    if (!isOverTime) recycle(dU, 4 * size);
    else if (isWhole) passGradient(z, input);
    else giveGradient(input, dU);
    if (isOver && isFree && dU !== membrane) recycle(membrane, 4 * z.size);
    if (leavesState) giveGradient(from, dFrom);
  },
  support({ plain, membrane, T, rows, n, threshold }, bits, columns) {
    // The derivatives that are 0 beyond some distance from the threshold.
    const { surrogate } = plain;
    if (surrogate === null || threshold === null || (surrogate.kind !== TRIANGULAR && surrogate.kind !== BOXCAR))
      return -1;
    const step = threshold.size === 1 ? 0 : 1;
    const lines = (T * rows * n) / columns;
    return k.surrogateSupport(bits, membrane, threshold.ptr, step, lines, columns, surrogate.kind, surrogate.slope);
  },
};

/** Where the gradient of a current over time is written: over the membrane, which ends with it, or to a block of its own. */
function placeOf(z: Tensor, membrane: number, isFree: boolean): number {
  if (membrane === 0 || !isFree) return allocate(4 * z.size);
  // Where the current has room for the membrane, the record has saved nothing.
  takeSaved(z);
  return membrane;
}

/** When an operand was last written. */
function lastWrite(input: Tensor, beta: Tensor, threshold: Tensor | null, from: Tensor | null): number {
  return Math.max(
    rootOf(input).written,
    rootOf(beta).written,
    threshold === null ? 0 : rootOf(threshold).written,
    from === null ? 0 : rootOf(from).written,
  );
}

/** Throws where an operand of a run was freed, or overwritten after all operands had been written. */
function checkOperand(where: string, output: string, t: Tensor, written: number): void {
  ready(where, t);
  if (rootOf(t).written > written) throw overwritten(where, output);
}
