/**
 * A run of compiled neurons: the one place where a compiled step runs forward and backward. The record has spikes, or
 * the membrane of a readout, as its output, and further outputs and the last states as parts.
 */

import type { Recorded } from "../../engine/extend.ts";
import { constantSource, gradOfPart, k, passGradient, ready, recycle, streamBytes } from "../../engine/extend.ts";
import type { Before, Bound, Fused, StepDefinition } from "../../engine/fuse/index.ts";
import { allOf, derive, Program } from "../../engine/fuse/index.ts";
import { type Tensor, zeros } from "../../engine/index.ts";
import { memory, type Region, recycleIn, rootOf, scope } from "../../engine/lasting.ts";
import type { Shape } from "../../engine/shape.ts";
import {
  allocate,
  canTakeOver,
  empty,
  emptyLike,
  emptySpikes,
  giveGradient,
  gradOf,
  holds,
  multiplyGradient,
  part,
  record,
  SAVES,
  writeOutGradient,
} from "../../engine/unchecked.ts";
import { REFRACTORY } from "./names.ts";
import type { LoopValue, Named, Starting } from "./parameters.ts";
import { columnCount, FromParameters, noteParameters, overwritten, scalar } from "./parameters.ts";

/** The code of a step that saves the values for gradients of some outputs towards some parameters. */
interface Compiled {
  readonly outputs: number;
  readonly learned: readonly boolean[];
  readonly code: Fused;
}

/** A step that was traced, and its code for each set of gradients that was wanted. */
export class CompiledNeuron {
  readonly name: string;
  readonly program: Program;
  /** The names of outputs, in the order of the bits of masks. */
  readonly outputs: readonly string[];
  readonly states: readonly string[];
  /** The output that a run gives: spikes, or of neurons without these the membrane; and its number. */
  readonly main: string;
  readonly mainAt: number;
  /** The mask of all outputs. */
  readonly all: number;
  /** Whether the main output is bits. */
  readonly packed: boolean;
  /** The parameters of the step, and whether each has one value for each neuron. */
  readonly parameters: readonly string[];
  readonly columns: readonly boolean[];
  /** The parameters of its loop. */
  readonly loop: FromParameters;
  readonly op: Recorded<StepRun>;
  private plainCode: Fused | null = null;
  private starts: FromParameters | null = null;
  private readonly codes: Compiled[] = [];

  /** @throws TypeError where the step does something that no neuron can. */
  constructor(definition: StepDefinition) {
    this.name = definition.name;
    this.program = new Program(definition);
    this.states = definition.states;
    // Counters, the last state, are a state alone.
    this.outputs = [...this.program.traced.outputs.keys()].filter((name) => name !== REFRACTORY);
    this.main = this.outputs.includes("spikes") ? "spikes" : "membrane";
    this.mainAt = this.outputs.indexOf(this.main);
    this.all = allOf(this.outputs.length);
    this.packed = definition.packed?.includes(this.main) === true;
    this.parameters = Object.keys(definition.parameters);
    this.columns = Object.values(definition.parameters).map((kind) => kind === "column");
    this.loop = loopOf(this.program);
    this.op = stepOp(definition.name);
  }

  /** The code without gradients. */
  get plain(): Fused {
    this.plainCode ??= this.program.compile(null);
    return this.plainCode;
  }

  /**
   * The states of the layer before its first step, in their order: tensors of the shape of a step where a gradient may pass, else values [1]
   * or [N], and null for zeros.
   */
  startOf(layer: Starting, step: Shape, recorded: Named | null): readonly (LoopValue | null)[] {
    if (recorded !== null) return expandedStart(layer, step, recorded);
    this.starts ??= startOver(layer, this.parameters.length);
    return this.starts.of(layer, null);
  }

  /** One step with the main output, and the states in place. */
  oneStep(rows: number, n: number): Bound {
    const all = allOf(this.states.length);
    return this.plain.forward(1, rows, n, 1 << this.mainAt, all, all);
  }

  /**
   * The code that saves the values for gradients of the outputs in a mask, also towards the parameters that require
   * one.
   */
  code(outputs: number, parameters: readonly LoopValue[]): Fused {
    for (const each of this.codes) {
      if (each.outputs === outputs && each.learned.every((is, i) => is === isLearned(parameters[i]))) return each.code;
    }
    const learned = parameters.map(isLearned);
    const names = this.outputs.filter((_, i) => (outputs >> i) & 1);
    const code = this.program.compile({ outputs: names, parameters: learned });
    this.codes.push({ outputs, learned, code });
    return code;
  }
}

/** The parameters of the loop of a step, from the parameters of a layer: its terms of parameters alone. */
export const loopOf = ({ traced }: Program): FromParameters =>
  new FromParameters(Object.keys(traced.definition.parameters).length, (now) => derive(traced, now));

// Functions of their own: a call that makes neither function needs no room for their variables.
const expandedStart = (layer: Starting, step: Shape, recorded: Named): (Tensor | null)[] =>
  layer.startTerms(recorded, (t) => scalar(t).expand(step));
const startOver = (layer: Starting, count: number): FromParameters =>
  new FromParameters(count, (now) => layer.startTerms(now, (t) => t), true);

const isLearned = (t: LoopValue | undefined): boolean => !(t instanceof Float32Array) && t?.requiresGrad === true;

/** Changes the current of each step by the steps before it, forward, and passes gradients on, backward. */
export interface Feedback {
  /** The record of the run, whose inputs are the current and two tensors of the feedback. */
  readonly op: Recorded<StepRun>;
  readonly b: Tensor;
  readonly c: Tensor | null;
  /** Further tensors that it reads. */
  readonly before: Tensor | null;
  /** Neurons of a row. */
  readonly n: number;
  /**
   * Forward, the function that writes the current of step t to the address `at`, `step` values from one step to the
   * next; the stream `spikes` has the spikes of the steps before.
   */
  feed(run: StepRun, at: number, step: number, spikes: number): Before;
  /** Gives back memory that `feed` has taken. */
  fed(): void;
  /** The state of the feedback after the last step, of this shape. */
  last(run: StepRun, shape: Shape): Tensor;
  /** Backward, the function that adds to the gradient of the spikes of step t; d holds those, and of later steps the gradient of the current. */
  feedBack(run: StepRun, d: number, dLast: number): Before;
  /** Gradients of its tensors, from the gradients of the current of all steps at d. */
  finish(run: StepRun, d: number): void;
}

/** Lets some neurons fire and others not, in each step by the states before it. */
export interface Competition {
  /**
   * The function that writes who may fire in step t, into zeros of the shape of the current. `states` hold the states after the steps
   * before.
   */
  choose(run: StepRun, winner: Tensor, states: readonly Tensor[]): Before;
}

const NOTHING: readonly never[] = [];
/** In the place of addresses, where no start is written out. */
const NOT_WRITTEN: number[] = [];

/** The address of a step of `size` values that repeats these, [1] or [N]. */
function writeOut(values: Float32Array, size: number): number {
  const p = allocate(4 * size);
  k.fill(p, size, values[0] as number);
  if (values.length === 1) return p;
  const step = new Float32Array(memory.buffer, p, size);
  for (let i = 0; i < size; i += values.length) step.set(values, i);
  return p;
}

/** In the place of the operands of a run that has ended. */
const NONE = null as never;

/** A run that has ended, whose object the next one takes. */
let ended: StepRun | null = null;

/**
 * Neurons over a current: made, run by `forward`, and from then on the memory of backward and of outputs that are read
 * later.
 */
export class StepRun {
  neuron: CompiledNeuron = NONE;
  /** [T, B, …], or for a single step [B, …]. */
  current: Tensor = NONE;
  T = 0;
  /** Elements of a step, in rows of n. */
  size = 0;
  n = 0;
  parameters: readonly LoopValue[] = NOTHING;
  /** States before the first step: tensors [B, …], values [1] or [N] for all rows, or null for zeros. */
  from: readonly (LoopValue | null)[] = NOTHING;
  feedback: Feedback | null = null;
  rivals: Competition | null = null;
  /** The current, or one step of it where it is the same in all. */
  input: Tensor = NONE;
  /** The main output, and the states after the last step. */
  z: Tensor = NONE;
  last: readonly Tensor[] = NOTHING;
  /** The list of `last`, which later runs of this object with as many states take again. */
  private list: Tensor[] | null = null;
  /** A second input beside the current, where neurons compete: 1 where one may fire, else 0. */
  private winner: Tensor | null = null;
  code: Fused = NONE;
  /** Addresses of arrays that forward has saved. */
  saved: readonly number[] = NOTHING;
  /** The address of the current of all steps, where a feedback makes it and backward reads it. */
  inputAt = 0;
  region: Region = scope.region;
  /** When operands had last been written, for outputs that are read later. */
  private written: readonly number[] = NOTHING;
  /** The addresses of states before the first step that were written out, 0 for others. */
  private writtenAt: number[] = NOT_WRITTEN;

  /**
   * The run that these begin, in the object of a run that has ended if there is one.
   *
   * @throws Error for operands that were freed.
   */
  static over(
    neuron: CompiledNeuron,
    current: Tensor,
    T: number,
    parameters: readonly LoopValue[],
    from: readonly (LoopValue | null)[],
    feedback: Feedback | null = null,
    rivals: Competition | null = null,
  ): StepRun {
    const run = ended ?? new StepRun();
    ended = null;
    run.begin(neuron, current, T, parameters, from, feedback, rivals);
    return run;
  }

  private begin(
    neuron: CompiledNeuron,
    current: Tensor,
    T: number,
    parameters: readonly LoopValue[],
    from: readonly (LoopValue | null)[],
    feedback: Feedback | null,
    rivals: Competition | null,
  ): void {
    const size = current.size / T;
    const source = feedback === null ? constantSource(current) : null;
    this.region = scope.region;
    this.neuron = neuron;
    this.current = current;
    this.T = T;
    this.size = size;
    this.parameters = parameters;
    this.from = from;
    this.feedback = feedback;
    this.rivals = rivals;
    this.input = source?.size === size ? source : current;
    this.z = current;
    const where = this.where;
    ready(where, this.input);
    for (let i = 0; i < parameters.length; i++) {
      const t = parameters[i] as LoopValue;
      if (!(t instanceof Float32Array)) ready(where, t);
    }
    for (let i = 0; i < from.length; i++) {
      const t = from[i] as LoopValue | null;
      if (t !== null && !(t instanceof Float32Array)) ready(where, t);
    }
    if (feedback !== null) {
      ready(where, feedback.b);
      if (feedback.c !== null) ready(where, feedback.c);
      if (feedback.before !== null) ready(where, feedback.before);
    }
    this.n = feedback?.n ?? columnCount(where, parameters, size);
    this.code = neuron.plain;
  }

  /** Gives the object to a later run, unless a record has it, or a feedback may. */
  end(): void {
    if (this.z.op !== null || this.rivals !== null || this.feedback !== null) return;
    this.current = NONE;
    this.input = NONE;
    this.z = NONE;
    this.neuron = NONE;
    this.code = NONE;
    this.parameters = NOTHING;
    this.from = NOTHING;
    this.list?.fill(NONE);
    this.last = NOTHING;
    ended = this;
  }

  private get where(): string {
    return (this.feedback?.op ?? this.neuron.op).name;
  }

  /** All tensors that forward reads. */
  private operands(): Tensor[] {
    const { input, parameters, from, winner, feedback } = this;
    const fed = feedback === null ? NOTHING : [feedback.b, feedback.c, feedback.before];
    return tensorsIn([input, ...parameters, ...from, winner, ...fed]);
  }

  /** The tensors that backward reads besides inputs of the record. */
  reads(): (Tensor | null)[] {
    const { input, parameters, from, winner, feedback, code } = this;
    return [
      feedback === null && code.reads[0] === true ? input : null,
      ...tensorsIn(parameters),
      ...tensorsIn(from),
      winner,
      feedback?.before ?? null,
    ];
  }

  /** Whether a gradient is wanted. */
  private isDifferentiated(): boolean {
    if (!scope.recording) return false;
    const { input, parameters, from, feedback } = this;
    if (input.requiresGrad) return true;
    for (let i = 0; i < parameters.length; i++) if (isLearned(parameters[i])) return true;
    for (let i = 0; i < from.length; i++) if (from[i] !== null && isLearned(from[i] as LoopValue)) return true;
    if (feedback === null) return false;
    return feedback.b.requiresGrad || feedback.c?.requiresGrad === true || feedback.before?.requiresGrad === true;
  }

  /**
   * Runs all steps. `outputs` is the mask of outputs that a gradient may come from; `shape`, of a step, asks for the last states. `over`:
   * the current has no other reader, and saved values overwrite it where backward does not read it again.
   */
  forward(outputs: number, shape: Shape | null, over = false): this {
    const { neuron, current, input, feedback } = this;
    const isRecorded = this.isDifferentiated();
    if (isRecorded) this.code = neuron.code(outputs, this.parameters);
    const z = neuron.packed ? emptySpikes(current.sizes) : emptyLike(current);
    this.z = z;
    if (shape !== null) this.last = this.statesIn(shape);
    if (isRecorded) {
      const { code } = this;
      const isOver = over && input === current && feedback === null && code.savedNumbers > 0 && !code.reads[0];
      const saved: number[] = [];
      for (let i = 0; i < code.savedArrays; i++) {
        saved.push(isOver && i === 0 ? current.ptr : allocate(code.savedBytes(i, current.size)));
      }
      this.saved = saved;
      if (feedback !== null && code.reads[0]) this.inputAt = allocate(4 * current.size);
    }
    const main = neuron.packed ? z.bits : z.ptr;
    if (this.rivals !== null) this.compete(this.rivals, main, shape);
    if (this.rivals === null || isRecorded) {
      this.execute(this.code, this.saved, this.inputAt, main, -1, 0, this.last, null);
    }
    if (outputs !== 1 << neuron.mainAt) this.written = this.operands().map(writeOf);
    if (feedback !== null && shape !== null) this.last = [...this.last, feedback.last(this, shape)];
    if (!isRecorded) return this;
    const op = (feedback?.op ?? neuron.op) as Recorded<never>;
    record(z, op, this, feedback === null ? input : current, feedback?.b ?? null, feedback?.c ?? null);
    for (let i = 0; i < this.last.length; i++) part(z, neuron.outputs.length + i, this.last[i] as Tensor);
    return this;
  }

  /** Room for the states of a step of this shape, in the list of the object. */
  private statesIn(shape: Shape): Tensor[] {
    const count = this.neuron.states.length;
    if (this.list?.length !== count) this.list = new Array<Tensor>(count);
    return filled(this.list, shape);
  }

  /** Runs the steps one by one, each with the winners of the states before it, and keeps the winners. */
  private compete(rivals: Competition, main: number, shape: Shape | null): void {
    const { neuron, current } = this;
    const winner = zeros(current.sizes);
    const states = shape === null ? this.statesIn(current.sizes.slice(1)) : this.last;
    this.winner = winner;
    this.execute(neuron.plain, NOTHING, 0, main, -1, 0, states, rivals.choose(this, winner, states));
  }

  /** Runs the code: the main output to an address, and one of the others, of number `other`, to another; −1 for none. */
  private execute(
    code: Fused,
    saved: readonly number[],
    inputAt: number,
    main: number,
    other: number,
    to: number,
    last: readonly Tensor[],
    choose: Before | null,
  ): void {
    const { neuron, T, size, n, from, input, current, winner, feedback } = this;
    const { mainAt } = neuron;
    const outputs = (main === 0 ? 0 : 1 << mainAt) | (other < 0 ? 0 : 1 << other);
    const wanted = allOf(last.length);
    const bound = code.forward(T, size / n, n, outputs, this.given(), wanted);
    // A step reads the current before it writes saved values, which may lie over it. Else one step of it has memory.
    const own = feedback === null || inputAt !== 0 || code.savedNumbers > 0 ? 0 : allocate(4 * size);
    bound.begin();
    try {
      noteParameters(bound, this.parameters);
      for (let i = 0; i < saved.length; i++) bound.saved(i, saved[i] as number);
      for (let i = 0; i < from.length; i++) bound.state(i, this.firstAt(i), last[i]?.ptr ?? 0);
      if (main !== 0) bound.output(mainAt, main);
      if (other >= 0) bound.output(other, to);
      if (winner !== null) bound.input(1, winner.ptr, winner.size / T);
      if (feedback === null) {
        bound.input(0, input.ptr, input === current ? size : 0);
        bound.run(choose);
      } else {
        const at = own || inputAt || (saved[0] as number);
        const step = own === 0 ? size : 0;
        bound.input(0, at, step);
        bound.run(feedback.feed(this, at, step, main));
        feedback.fed();
      }
    } finally {
      bound.end();
      this.release();
    }
    if (own !== 0) recycle(own, 4 * size);
  }

  /** The address of state i before the first step, 0 for zeros. Values of all rows are written out for the pass that runs. */
  private firstAt(i: number): number {
    const t = this.from[i] as LoopValue | null;
    if (t === null) return 0;
    if (!(t instanceof Float32Array)) return t.ptr;
    const p = writeOut(t, this.size);
    const { length } = this.from;
    if (this.writtenAt.length !== length) this.writtenAt = new Array<number>(length).fill(0);
    this.writtenAt[i] = p;
    return p;
  }

  /** Gives back memory of `firstAt`. */
  private release(): void {
    const { writtenAt, size } = this;
    for (let i = 0; i < writtenAt.length; i++) {
      const p = writtenAt[i] as number;
      if (p !== 0) recycle(p, 4 * size);
      writtenAt[i] = 0;
    }
  }

  /** The mask of states that do not start from zeros. */
  private given(): number {
    const { from } = this;
    let mask = 0;
    for (let i = 0; i < from.length; i++) if (from[i] !== null) mask |= 1 << i;
    return mask;
  }

  get names(): readonly string[] {
    return this.neuron.outputs;
  }

  /**
   * A further output over time, differentiable: from another forward run, with the same bits.
   *
   * @throws Error where an operand was freed or overwritten since.
   */
  output(index: number): Tensor {
    const { neuron, z: main, current, feedback } = this;
    const name = neuron.outputs[index] as string;
    this.checkUnwritten(name);
    const z = emptyLike(current);
    const at = main.op === null ? -1 : this.code.savedAt(name);
    // Backward has not yet consumed the saved values.
    if (at >= 0) k.copy(z.ptr, this.saved[at] as number, z.size);
    else {
      const bytes = neuron.packed ? streamBytes(z.size) : 4 * z.size;
      const own = feedback === null ? 0 : allocate(bytes);
      this.execute(neuron.plain, NOTHING, 0, own, index, z.ptr, NOTHING, null);
      if (own !== 0) recycle(own, bytes);
    }
    return scope.recording ? part(main, index, z) : z;
  }

  private checkUnwritten(output: string): void {
    const { where, written } = this;
    for (const [i, t] of this.operands().entries()) {
      ready(where, t);
      if (writeOf(t) !== written[i]) throw overwritten(where, output);
    }
  }

  /** Adds to the gradients of all operands; z is the main output, whose record this is. */
  backward(z: Tensor): void {
    const { neuron, code, T, size, n, current, input, parameters, from, feedback, winner, saved, region } = this;
    const { outputs, mainAt, states } = neuron;
    const others = outputs.map((_, i) => (i === mainAt ? 0 : gradOfPart(z, i)));
    const dLast = states.map((_, i) => gradOfPart(z, outputs.length + i));
    const dFed = feedback === null ? 0 : gradOfPart(z, outputs.length + states.length);
    // A feedback adds to all steps of the gradient of the main output; else that may be short.
    if (feedback !== null) gradOf(z);
    // A product is written out one step at a time, before that step: learned parameters sum up other groups of steps then.
    const form = z.gradForm?.kind === "product" && !parameters.some(isLearned) ? z.gradForm : null;
    const piece = form === null ? 0 : allocate(4 * size);
    const repeats = z.gradForm?.kind === "repeats" && z.gradForm.steps === T;
    if (form === null && !repeats && holds(z)) writeOutGradient(z);
    const d = form === null ? z.gradPtr : piece;
    const dStep = form === null && !repeats ? size : 0;
    // Gradients that are added to are asked for before those that are written: one tensor may have both.
    const dParameters = parameters.map((t) => (t instanceof Float32Array ? 0 : gradOf(t)));
    const targets = new GradientTargets();
    // The gradient of the output is read for the last time: the gradient of the current overwrites it.
    const isConstant = feedback === null && input !== current;
    const isOver = feedback === null && !isConstant && d !== 0 && dStep === size && canTakeOver(input);
    if (isOver) passGradient(z, input);
    const dInput = feedback !== null || isOver ? d : isConstant ? gradOf(input) : targets.target(input);
    const dFirst = from.map((t) => (t === null || t instanceof Float32Array ? 0 : targets.target(t)));
    const bound = code.backward(
      T,
      size / n,
      n,
      others.reduce((mask, at, i) => mask | (at === 0 ? 0 : 1 << i), d === 0 ? 0 : 1 << mainAt),
      this.given(),
      maskOf(dFirst),
      maskOf(dLast),
      dInput === 0 ? 0 : isConstant ? 2 : 1,
    );
    const expanding = form && ((t: number) => multiplyGradient(piece, z, form, t * size, size));
    const before = feedback?.feedBack(this, d, dFed) ?? expanding;
    bound.begin();
    try {
      noteParameters(bound, this.parameters);
      for (let i = 0; i < saved.length; i++) bound.saved(i, saved[i] as number);
      for (let i = 0; i < from.length; i++) {
        bound.stateBack(i, this.firstAt(i), dLast[i] as number, dFirst[i] as number);
      }
      if (d !== 0) bound.gradient(mainAt, d, dStep);
      for (let i = 0; i < others.length; i++) if (others[i] !== 0) bound.gradient(i, others[i] as number, size);
      if (winner !== null) bound.input(1, winner.ptr, winner.size / T);
      if (feedback === null) bound.input(0, input.ptr, isConstant ? 0 : size);
      else if (this.inputAt !== 0) bound.input(0, this.inputAt, size);
      if (dInput !== 0) bound.inputGradient(0, dInput, isConstant ? 0 : size);
      if (dParameters.some(isThere)) bound.runSumming(dParameters, before);
      else bound.run(before);
    } finally {
      bound.end();
      this.release();
    }
    targets.finish();
    if (piece !== 0) recycle(piece, 4 * size);
    if (feedback !== null) {
      feedback.finish(this, d);
      passGradient(z, current);
    }
    for (let i = 0; i < saved.length; i++) recycleIn(region, saved[i] as number, code.savedBytes(i, current.size));
    if (this.inputAt !== 0) recycleIn(region, this.inputAt, 4 * current.size);
  }

  /** {@link Recorded.support} of the spikes. */
  support(bits: number, columns: number): number {
    const { code, T, size, n, saved, from, input, current, feedback, inputAt } = this;
    if (!code.hasSupport) return -1;
    const bytes = streamBytes(T * size);
    const stream = allocate(bytes);
    const bound = code.support(T, size / n, n, this.given());
    bound.begin();
    try {
      noteParameters(bound, this.parameters);
      for (let i = 0; i < saved.length; i++) bound.saved(i, saved[i] as number);
      for (let i = 0; i < from.length; i++) bound.stateBack(i, this.firstAt(i), 0, 0);
      if (feedback === null) bound.input(0, input.ptr, input === current ? size : 0);
      else if (inputAt !== 0) bound.input(0, inputAt, size);
      bound.support(stream);
      bound.run();
    } finally {
      bound.end();
      this.release();
    }
    const groups = k.alignGroups(bits, stream, (T * size) / columns, columns);
    recycle(stream, bytes);
    return groups;
  }
}

const tensorsIn = (all: readonly (LoopValue | null)[]): Tensor[] =>
  all.filter((t): t is Tensor => t !== null && !(t instanceof Float32Array));

const isThere = (p: number): boolean => p !== 0;

function maskOf(addresses: readonly number[]): number {
  let mask = 0;
  for (let i = 0; i < addresses.length; i++) if (addresses[i] !== 0) mask |= 1 << i;
  return mask;
}

/** The list, filled with tensors of the shape. */
function filled(list: Tensor[], shape: Shape): Tensor[] {
  for (let i = 0; i < list.length; i++) list[i] = empty(shape);
  return list;
}

/** When a tensor had last been written. */
const writeOf = (t: Tensor): number => rootOf(t).written;

const stepOp = (name: string): Recorded<StepRun> => ({
  name,
  saves: SAVES.more,
  reads: { gradient: ["repeats", "product"] },
  more: (run) => run.reads(),
  backward: (z, _a, _b, _c, run) => run.backward(z),
  support: (run, bits, columns) => run.support(bits, columns),
});

/** The record of a run with a feedback: backward reads the weights too, and the spikes. */
export const feedbackOp = (name: string): Recorded<StepRun> => ({
  ...stepOp(name),
  saves: SAVES.b + SAVES.output + SAVES.more,
  reads: {},
});

/** Gradients that are written, of tensors that may have one already. */
class GradientTargets {
  private readonly later: [x: Tensor, from: number][] = [];

  /** Address to write the gradient of x to, 0 where none is wanted. */
  target(x: Tensor): number {
    const isFirst = !holds(x);
    const dx = gradOf(x, true);
    if (isFirst || dx === 0) return dx;
    const own = allocate(4 * x.size);
    this.later.push([x, own]);
    return own;
  }

  /** Adds the gradients that were written elsewhere. */
  finish(): void {
    for (const [x, p] of this.later) giveGradient(x, p);
  }
}
