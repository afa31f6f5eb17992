/**
 * Runs the steps of neurons forward and backward. The code comes from plain.ts (hand-written kernels) or op.ts
 * (compiled steps). The record of a run has spikes, or the membrane of a readout, as its output. Its parts are the last
 * states and further outputs.
 */
import { wrongValue } from "../../engine/arguments.ts";
import type { Recorded } from "../../engine/extend.ts";
import { constantSource, gradOfPart, k, passGradient, ready, recycle, SAVES, spikesAt } from "../../engine/extend.ts";
import type { Before, BoundRun, Fused } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { memory, recycleIn, rootOf, scope, tick } from "../../engine/lasting.ts";
import type { Shape } from "../../engine/shape.ts";
import {
  allocateInScope,
  canTakeOver,
  emptyLike,
  emptyOf,
  emptySpikesOf,
  giveGradient,
  gradientAt,
  holds,
  type ProductForm,
  type RepeatsForm,
  recordOp,
  recordPart,
  type ShortRecorded,
  wantsGradient,
  writeOutGradient,
} from "../../engine/unchecked.ts";
import type { LoopValue } from "./parameters.ts";

/** Receives the addresses of arrays, then runs all steps. */
export type Pass = Pick<
  BoundRun,
  "begin" | "parameter" | "input" | "saved" | "state" | "output" | "run" | "end" | Back
>;
type Back = "stateBack" | "gradient" | "inputGradient";

/** The code of a step, with the arrays that forward saves for backward. */
export interface StepCode extends Pick<Fused, "savedNumbers" | "savedArrays" | "savedBytes" | "savedAt" | "reads"> {
  forward(...sizes: Parameters<Fused["forward"]>): Pass;
  backward(...sizes: Parameters<Fused["backward"]>): Pass;
}

/** Neurons, as plain.ts or op.ts describes them. */
export interface Neuron {
  readonly op: Recorded<NeuronRun>;
  readonly states: readonly string[];
  /** The names of outputs, in the order of the bits of masks. */
  readonly outputs: readonly string[];
  /** The number of the main output: spikes, or the membrane of neurons without spikes. */
  readonly mainAt: number;
  /** Whether the main output is bits. */
  readonly packed: boolean;
  /**
   * Whether the code is hand-written. Then all parameters are tensors, and none is learned. Backward may write the
   * gradient of the current over the first array that forward saved, and writes −0 to leaves.
   */
  readonly byHand: boolean;
  /** The code without gradients. */
  readonly plain: StepCode;
  /**
   * The code that saves values for the gradients of the main output, or of all outputs, and of parameters that require
   * a gradient.
   */
  code(all: boolean, parameters: readonly LoopValue[]): StepCode;
  /** A pass of one step that writes the main output and updates the states in place, in memory of the caller. */
  oneStep(rows: number, n: number): Pass;
  /**
   * Writes out a gradient in product form, one step of `size` values at a time. Either the next pass does it (returns
   * null), or the returned function does it before each step.
   */
  expanding(z: Tensor, form: ProductForm, piece: number, size: number): Before | null;
}

/** The states of a step: tensors [B, …], or null for zeros. */
export type States = readonly (Tensor | null)[];

const NOTHING: readonly never[] = [];

/** The current, or one step of it if all steps are equal. */
function inputOf(current: Tensor, T: number): Tensor {
  const source = constantSource(current);
  return source !== null && source.size === current.size / T ? source : current;
}

/** Whether t is a tensor, not an array. Reading a property is faster than `instanceof`, which walks prototypes. */
const isTensor = (t: LoopValue | null): t is Tensor => t !== null && (t as Tensor).region !== undefined;

export const isLearned = (t: LoopValue | null | undefined): boolean => t != null && isTensor(t) && t.requiresGrad;

function areLearned(all: readonly (LoopValue | null)[]): boolean {
  for (let i = 0; i < all.length; i++) if (isLearned(all[i])) return true;
  return false;
}

const isRecorded = (input: Tensor, parameters: readonly LoopValue[], from: readonly (LoopValue | null)[]): boolean =>
  scope.recording && (input.requiresGrad || areLearned(parameters) || areLearned(from));

function readyAll(where: string, states: readonly (LoopValue | null)[]): void {
  for (let i = 0; i < states.length; i++)
    if (isTensor(states[i] as LoopValue | null)) ready(where, states[i] as Tensor);
}

/** Fills a step of `size` values at p with copies of the values, [1] or [N]. */
export function fillStep(p: number, size: number, values: Float32Array): void {
  k.fill(p, size, values[0] as number);
  if (values.length === 1) return;
  const step = new Float32Array(memory.buffer, p, size);
  for (let i = 0; i < size; i += values.length) step.set(values, i);
}

/** Allocates a step, fills it with these values, and returns its address. */
function writtenStep(values: Float32Array, size: number): number {
  const p = allocateInScope(4 * size);
  fillStep(p, size, values);
  return p;
}

const outputFor = ({ packed }: Neuron, current: Tensor): Tensor =>
  packed ? emptySpikesOf(current.sizes) : emptyLike(current);

function statesOf({ states }: Neuron, shape: Shape): Tensor[] {
  const all = [emptyOf(shape)];
  for (let i = 1; i < states.length; i++) all.push(emptyOf(shape));
  return all;
}

/** A mask whose bit i is set if entry i is neither null nor the address 0. */
function maskOf(all: readonly (LoopValue | number | null)[]): number {
  let mask = 0;
  for (let i = 0; i < all.length; i++) if (all[i] !== null && all[i] !== 0) mask |= 1 << i;
  return mask;
}

/** Mask of `count` parts of a record, from part `first` on: bit i is set if a gradient has reached part `first` + i. */
function reached(z: Tensor, first: number, count: number): number {
  let mask = 0;
  for (let i = 0; z.parts !== null && i < count; i++) if (gradOfPart(z, first + i) !== 0) mask |= 1 << i;
  return mask;
}

/**
 * Number of neurons in a row: N if a parameter has N values, or the whole step if all parameters have one value.
 *
 * @throws RangeError for parameters of sizes other than 1 and N, or a step whose size is not a multiple of N; Error for
 *   a freed parameter.
 */
export function columnCount(where: string, parameters: readonly LoopValue[], size: number): number {
  let n = 1;
  for (let i = 0; i < parameters.length; i++) {
    const t = parameters[i] as LoopValue;
    const isValue = isTensor(t);
    if (isValue) ready(where, t);
    const own = isValue ? t.size : t.length;
    if (own === 1 || own === n) continue;
    if (n > 1 || size % own !== 0) throw wrongValue(where, `parameters of 1 or N values for a step of ${size}`, own);
    n = own;
  }
  return n > 1 ? n : size;
}

/** Passes the addresses of the parameters to a pass. */
export function noteParameters(pass: Pick<BoundRun, "parameter">, parameters: readonly LoopValue[]): void {
  for (let i = 0; i < parameters.length; i++) pass.parameter(i, parameters[i] as LoopValue);
}

/**
 * The main output of T steps over a current, [T, B, …] or for a single step [B, …]. If `shape`, the shape of a step, is
 * given, the states after the last step replace the initial states in the list. If no tape records, the initial states
 * may be values, [1] or [N]. `over`: nothing else reads the current, so saved values may overwrite it. Creates a {@link
 * NeuronRun} only if a gradient is wanted.
 *
 * @throws RangeError for parameters that do not fit a step; Error for operands that were freed.
 */
export function runSteps(
  neuron: Neuron,
  current: Tensor,
  T: number,
  parameters: readonly LoopValue[],
  states: (LoopValue | null)[],
  shape: Shape | null,
  over: boolean,
): Tensor {
  const input = inputOf(current, T);
  if (isRecorded(input, parameters, states)) {
    const from = (shape === null ? states : states.slice()) as States;
    const run = new NeuronRun(neuron, current, T, parameters, from).forward(false, shape, over);
    for (let i = 0; i < run.last.length; i++) states[i] = run.last[i] as Tensor;
    return run.z;
  }
  const size = current.size / T;
  const { name } = neuron.op;
  ready(name, input);
  readyAll(name, states);
  const n = columnCount(name, parameters, size);
  const z = outputFor(neuron, current);
  const wanted = shape === null ? 0 : (1 << states.length) - 1;
  const pass = neuron.plain.forward(T, size / n, n, 1 << neuron.mainAt, maskOf(states), wanted);
  let written: number[] | null = null;
  pass.begin();
  try {
    noteParameters(pass, parameters);
    for (let i = 0; i < states.length; i++) {
      const state = states[i] as LoopValue | null;
      const next = shape === null ? null : emptyOf(shape);
      const isValues = state instanceof Float32Array;
      const at = isValues ? writtenStep(state, size) : (state?.ptr ?? 0);
      if (isValues) written = written === null ? [at] : [...written, at];
      pass.state(i, at, next === null ? 0 : next.ptr);
      if (next !== null) states[i] = next;
    }
    pass.output(neuron.mainAt, spikesAt(z));
    pass.input(0, input.ptr, input === current ? size : 0);
    pass.run();
  } finally {
    pass.end();
    if (written !== null) for (const p of written) recycle(p, 4 * size);
  }
  return z;
}

/**
 * A run of neurons over a current, from given states. After `forward`, the object keeps the values that backward and
 * later reads of outputs need.
 */
export class NeuronRun {
  readonly neuron: Neuron;
  /** [T, B, …], or for a single step [B, …]. */
  readonly current: Tensor;
  readonly T: number;
  readonly parameters: readonly LoopValue[];
  readonly from: States;
  /** Further tensors that the run reads. */
  readonly others: States;
  private readonly op: Recorded<NeuronRun>;
  /** The current, or one step of it if all steps are equal. */
  readonly input: Tensor;
  /** Elements of a step, in rows of n. */
  readonly size: number;
  readonly n: number;
  /** The main output, and the states after the last step. */
  readonly z: Tensor;
  last: readonly Tensor[] = NOTHING;
  code: StepCode;
  /** Addresses of the arrays that forward saved, and of the current that a feedback computed, if backward reads it. */
  saved: readonly number[] = NOTHING;
  protected inputAt = 0;
  /** Count of the clock of writes at the start of the run. */
  private readonly made = tick();

  /**
   * A feedback passes `others`, its `op`, and `columns`, the number of neurons in a row.
   *
   * @throws as {@link runSteps}.
   */
  constructor(
    neuron: Neuron,
    current: Tensor,
    T: number,
    parameters: readonly LoopValue[],
    from: States,
    others: States = NOTHING,
    op: Recorded<NeuronRun> = neuron.op,
    columns = 0,
  ) {
    this.neuron = neuron;
    this.current = current;
    this.T = T;
    this.parameters = parameters;
    this.from = from;
    this.others = others;
    this.op = op;
    this.input = inputOf(current, T);
    this.size = current.size / T;
    ready(op.name, this.input);
    readyAll(op.name, from);
    readyAll(op.name, others);
    const n = columnCount(op.name, parameters, this.size);
    this.n = columns || n;
    this.code = neuron.plain;
    this.z = outputFor(neuron, current);
  }

  get names(): readonly string[] {
    return this.neuron.outputs;
  }

  /** The tensors among the operands, with the input or without it. */
  private operands(hasInput: boolean): Tensor[] {
    const { input, parameters, from, others } = this;
    return [hasInput ? input : null, ...parameters, ...from, ...others].filter(isTensor);
  }

  /** The tensors that backward reads. */
  reads(): readonly Tensor[] {
    const { neuron, parameters, from, code } = this;
    if (neuron.byHand && from[0] === null) return parameters as readonly Tensor[];
    return this.operands(code.reads[0] === true && this.inputAt === 0);
  }

  /** Runs all steps. `all`: any output may have a gradient, not only the main one. `shape` and `over` as for {@link runSteps}. */
  forward(all: boolean, shape: Shape | null, over = false): this {
    const { neuron, current, input, parameters, others, z } = this;
    const wanted = isRecorded(input, parameters, this.from) || (scope.recording && areLearned(others));
    if (shape !== null) this.last = statesOf(neuron, shape);
    if (wanted) {
      const code = neuron.code(all, parameters);
      const isOver = over && input === current && code.savedNumbers > 0 && !code.reads[0];
      // A literal is faster than `new Array`.
      const saved = code.savedArrays === 1 ? [0] : new Array<number>(code.savedArrays);
      for (let i = 0; i < saved.length; i++) {
        saved[i] = isOver && i === 0 ? current.ptr : allocateInScope(code.savedBytes(i, current.size));
      }
      this.code = code;
      this.saved = saved;
    }
    this.execute(this.code, spikesAt(z), this.last);
    if (!wanted) return this;
    recordOp(z, this.op as Recorded<never>, this, input, others[0] ?? null, others[1] ?? null);
    for (let i = 0; i < this.last.length; i++) recordPart(z, i, this.last[i] as Tensor);
    return this;
  }

  /**
   * Runs the code. Writes the main output to the address `main`, unless `main` is 0, and output number `other` to the
   * address `to`, unless `other` is −1.
   */
  protected execute(code: StepCode, main: number, last: readonly Tensor[], other = -1, to = 0): void {
    const { neuron, T, size, n, from, saved } = this;
    const outputs = (main === 0 ? 0 : 1 << neuron.mainAt) | (other < 0 ? 0 : 1 << other);
    const pass = code.forward(T, size / n, n, outputs, maskOf(from), (1 << last.length) - 1);
    pass.begin();
    try {
      this.note(pass, other < 0 && code === this.code ? saved : NOTHING);
      for (let i = 0; i < from.length; i++) pass.state(i, from[i]?.ptr ?? 0, last[i]?.ptr ?? 0);
      if (main !== 0) pass.output(neuron.mainAt, main);
      if (other >= 0) pass.output(other, to);
      if (this.sweep === undefined) pass.run();
      else this.sweep(pass, code, main);
    } finally {
      pass.end();
    }
  }

  /** For layers that compute something between two steps: runs a pass forward, with the spikes at `main`. */
  protected sweep?(pass: Pass, code: StepCode, main: number): void;
  /** Prepares the pass backward, and adds to the gradient of the main output. */
  protected feedBack?(z: Tensor): Before;
  /** Ends the pass backward; the gradient of the current is at d. */
  protected finish?(d: number): void;

  /** Notes the parameters, the saved arrays and the input. */
  note(pass: Pass, saved: readonly number[]): void {
    const { input, current, size, inputAt } = this;
    noteParameters(pass, this.parameters);
    for (let i = 0; i < saved.length; i++) pass.saved(i, saved[i] as number);
    pass.input(0, inputAt || input.ptr, input === current ? size : 0);
  }

  /**
   * A further output over time, differentiable: it was saved, or a second forward run computes it with the same bits.
   *
   * @throws Error if an operand was freed or overwritten since.
   */
  output(index: number): Tensor {
    const { neuron, z: main, current, code, saved } = this;
    const { name: where } = this.op;
    const name = neuron.outputs[index] as string;
    for (const t of this.operands(true)) {
      ready(where, t);
      if (rootOf(t).written <= this.made) continue;
      const what = `${name} was first read after the current, a state or a parameter was overwritten`;
      throw new Error(`${where}: ${what}; read it before`);
    }
    const z = emptyLike(current);
    // Backward has not yet consumed the saved values.
    const at = main.op === null ? -1 : code.savedAt(name);
    if (at >= 0) k.copy(z.ptr, saved[at] as number, z.size);
    else this.execute(neuron.plain, 0, NOTHING, index, z.ptr);
    return scope.recording ? recordPart(main, neuron.states.length + 1 + index, z) : z;
  }

  /** Adds to the gradients of all operands; z is the main output, which has this record. */
  backward(z: Tensor): void {
    const { neuron, code, T, size, n, current, input, parameters, from, saved } = this;
    const { mainAt, byHand } = neuron;
    const feeding = this.feedBack?.(z) ?? null;
    // Learned parameters need the whole gradient: with a product that is written out step by step, their sums would group the steps differently.
    const learns = !byHand && areLearned(parameters);
    const form = z.gradForm?.kind === "product" && !learns ? (z.gradForm as ProductForm) : null;
    const piece = form === null ? 0 : allocateInScope(4 * size);
    const repeats = z.gradForm?.kind === "repeats" && (z.gradForm as RepeatsForm).steps === T;
    if (form === null && !repeats) writeOutGradient(z);
    const d = piece || z.gradPtr;
    const dStep = form === null && !repeats ? size : 0;
    // Allocates the gradients to add to before those to overwrite: one tensor may have both.
    const dParameters = learns ? parameters.map((t) => (t instanceof Float32Array ? 0 : gradientAt(t))) : null;
    const isConstant = input !== current;
    // The first gradient of a leaf is written directly to its buffer, without −0.
    const isFirst = !isConstant && feeding === null && !byHand && input.op === null && !holds(input);
    // This is the last read of the output's gradient, so the gradient of the current may overwrite it.
    const isWhole = d !== 0 && dStep === size;
    const isOver = !isConstant && !isFirst && isWhole && (feeding !== null || wantsGradient(input));
    const spare = byHand && z.region === scope.region ? (saved[0] ?? 0) : 0;
    const dInput =
      isConstant || isFirst ? gradientAt(input, isFirst) : placeOf(input, isOver ? d : spare) || (isOver ? d : 0);
    const dFirst = areLearned(from) ? from.map((t) => (t === null ? 0 : placeOf(t, 0))) : NOTHING;
    // The parts of the record are the last states, the last spikes of a feedback, and the outputs.
    const first = from.length + 1;
    const others = reached(z, first, neuron.outputs.length);
    const gradients = others | (d === 0 ? 0 : 1 << mainAt);
    const mode = dInput === 0 ? 0 : isConstant ? 2 : isFirst ? 3 : 1;
    const dLast = reached(z, 0, from.length);
    const pass = code.backward(T, size / n, n, gradients, maskOf(from), maskOf(dFirst), dLast, mode);
    pass.begin();
    try {
      this.note(pass, saved);
      for (let i = 0; i < from.length; i++) {
        pass.stateBack(i, from[i]?.ptr ?? 0, gradOfPart(z, i), dFirst[i] ?? 0);
      }
      if (d !== 0) pass.gradient(mainAt, d, dStep);
      for (let i = 0; others >> i !== 0; i++) if ((others >> i) & 1) pass.gradient(i, gradOfPart(z, first + i), size);
      if (dInput !== 0) pass.inputGradient(0, dInput, isConstant ? 0 : size);
      pass.run(form === null ? feeding : neuron.expanding(z, form, piece, size), dParameters);
    } finally {
      pass.end();
    }
    if (isOver) passGradient(z, input);
    else if (dInput !== 0 && !isConstant && !isFirst) giveGradient(input, dInput);
    for (let i = 0; i < dFirst.length; i++) if (dFirst[i] !== 0) giveGradient(from[i] as Tensor, dFirst[i] as number);
    this.finish?.(d);
    if (piece !== 0) recycle(piece, 4 * size);
    for (let i = 0; i < saved.length; i++) {
      if (saved[i] !== dInput) recycleIn(z.region, saved[i] as number, code.savedBytes(i, current.size));
    }
  }
}

/**
 * Memory for a new gradient of x, or 0 if x wants none. Uses `spare` unless it is 0. If x will add it to a buffer,
 * allocates this buffer now: if memory does not suffice, no kernel has run yet.
 */
function placeOf(x: Tensor, spare: number): number {
  if (!wantsGradient(x)) return 0;
  if (!canTakeOver(x)) gradientAt(x);
  return spare || allocateInScope(4 * x.size);
}

/** The record of runs of neurons of this name. */
/* @__NO_SIDE_EFFECTS__ */
export const runOp = (name: string): ShortRecorded<NeuronRun> => ({
  name,
  saves: SAVES.more,
  shortcuts: { reads: { gradient: ["repeats", "product"] } },
  more: (run) => run.reads(),
  backward: (z, _a, _b, _c, run) => run.backward(z),
});
