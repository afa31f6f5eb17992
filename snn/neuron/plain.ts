/**
 * Plain neurons: a LIF with the default options or some others, and a leaky integrator. Hand-written kernels run the whole loop over time
 * in one call, forward and backward, and give the same bits as the compiled step.
 */
import type { Recorded } from "../../engine/extend.ts";
import { k, recycle } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import {
  allocateInScope,
  describeTransposed,
  descriptor,
  floats,
  integers,
  type ProductForm,
  wordsAt,
  writePair,
} from "../../engine/unchecked.ts";
import { NO_RESET, STRAIGHT_THROUGH } from "../../kernels/kinds.ts";
import * as layout from "../../kernels/lif-layout.ts";
import { words as PRODUCT_WORDS } from "../../kernels/product-layout.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import { type Neuron, type NeuronRun, type Pass, runOp, type StepCode } from "./run.ts";

/**
 * Options of plain neurons for the kernels. Plain neurons have no rest, scale or refractory steps, and their reset is
 * detached.
 */
export interface PlainOptions {
  /** The kind of reset, a number of kinds.ts. */
  readonly reset: number;
  /** 1: the reset comes at the start of the next step. */
  readonly delayed: number;
  /** 1: fires only above the threshold; 0: also at it. */
  readonly strict: number;
  readonly resetValue: number;
  /** Null for a readout, whose output is the membrane. */
  readonly surrogate: Surrogate | null;
}

const STATES: readonly string[] = ["v"];
const OF_NEURONS: readonly string[] = ["spikes", "membrane", "v"];
const OF_READOUT: readonly string[] = ["membrane", "v"];
const INPUTS: readonly boolean[] = [false];

/** Offset of the descriptor of neurons in the block of descriptors, after the descriptor of a product. */
const NEURONS = 4 * PRODUCT_WORDS;

/**
 * Neurons with these options; errors contain `name`, the name of the layer. The parameters are β and θ, or only β for a readout, and none
 * is learned. A pass is one call of a kernel. The methods write the descriptor of the kernel, and the object is itself the pass that runs
 * next.
 */
export class Plain implements Neuron, StepCode, Pass {
  readonly op: Recorded<NeuronRun>;
  readonly states = STATES;
  readonly outputs: readonly string[];
  readonly mainAt = 0;
  readonly packed: boolean;
  readonly byHand = true;
  readonly plain: StepCode = this;
  /** Neurons that spike save the membrane over time. */
  readonly savedNumbers: number;
  readonly savedArrays: number;
  readonly reads = INPUTS;
  private readonly options: PlainOptions;
  private T = 0;
  private rows = 0;
  private n = 0;
  private isBack = false;
  /** The address of the descriptor, and the index of its first word. */
  private at = 0;
  private first = 0;
  /** Memory for one step, until `end`. */
  private room = 0;
  private bytes = 0;

  constructor(name: string, options: PlainOptions) {
    this.options = options;
    this.op = runOp(name);
    this.packed = options.surrogate !== null;
    this.outputs = this.packed ? OF_NEURONS : OF_READOUT;
    this.savedNumbers = this.packed ? 1 : 0;
    this.savedArrays = this.savedNumbers;
  }

  code(): StepCode {
    return this;
  }

  savedBytes(_i: number, size: number): number {
    return 4 * size;
  }

  savedAt(name: string): number {
    return this.packed && this.isMembrane(this.outputs.indexOf(name)) ? 0 : -1;
  }

  /**
   * Whether an output is the membrane before the reset. The state is such an output if it is not reset in its own step.
   */
  private isMembrane(output: number): boolean {
    const { reset, delayed } = this.options;
    return output === this.outputs.length - 2 || delayed !== 0 || reset === NO_RESET;
  }

  forward(T: number, rows: number, n: number): this {
    this.T = T;
    this.rows = rows;
    this.n = n;
    this.isBack = false;
    return this;
  }

  backward(T: number, rows: number, n: number): this {
    this.forward(T, rows, n);
    this.isBack = true;
    return this;
  }

  oneStep(rows: number, n: number): Pass {
    return new Plain(this.op.name, this.options).forward(1, rows, n);
  }

  begin(take?: (bytes: number) => number): void {
    const { reset, delayed, strict, resetValue, surrogate } = this.options;
    this.at = take === undefined ? descriptor + NEURONS : take(4 * layout.words);
    const at = wordsAt(this.at, layout.words);
    this.first = at;
    const words = integers;
    // Clears the words of arrays, since some get no address; the states always get one.
    writePair(at + layout.threshold, 0, 0);
    writePair(at + layout.u, 0, 0);
    words[at + layout.stepAll] = 0;
    if (this.isBack) for (let i = at + layout.dSpikes; i < at + layout.words; i++) words[i] = 0;
    else {
      words[at + layout.spikes] = 0;
      words[at + layout.v] = 0;
    }
    writePair(at + layout.T, this.T, this.rows);
    words[at + layout.n] = this.n;
    writePair(at + layout.reset, reset, delayed);
    words[at + layout.strict] = strict;
    floats[at + layout.resetValue] = resetValue;
    words[at + layout.kind] = surrogate === null ? STRAIGHT_THROUGH : surrogate.kind;
    floats[at + layout.slope] = surrogate === null ? 0 : surrogate.slope;
  }

  parameter(i: number, t: Tensor): void {
    writePair(this.first + (i === 0 ? layout.beta : layout.threshold), t.ptr, t.size === 1 ? 0 : 1);
  }

  input(_i: number, at: number, step: number): void {
    writePair(this.first + layout.current, at, step);
  }

  saved(_i: number, at: number): void {
    writePair(this.first + layout.u, at, this.rows * this.n);
  }

  /**
   * Memory may have grown since `begin`, when the next state was allocated. The next state has room for a step of the
   * membrane.
   */
  state(_i: number, from: number, to: number): void {
    const first = wordsAt(this.at, layout.words);
    integers[first + layout.from] = from;
    integers[first + layout.last] = to;
    integers[first + layout.u] ||= to;
  }

  /** The kernel turns the membranes of all steps into states, in place. */
  output(i: number, at: number): void {
    const first = wordsAt(this.at, layout.words);
    const isSpikes = this.packed && i === 0;
    if (isSpikes) integers[first + layout.spikes] = at;
    else writePair(first + layout.u, at, this.rows * this.n);
    if (!isSpikes && !this.isMembrane(i)) integers[first + layout.v] = at;
  }

  stateBack(_i: number, from: number, dLast: number, dFirst: number): void {
    const { first } = this;
    integers[first + layout.from] = from;
    integers[first + layout.dLast] = dLast;
    integers[first + layout.dFrom] = dFirst;
  }

  gradient(i: number, at: number, step: number): void {
    const { packed, outputs, first } = this;
    const word = packed && i === 0 ? layout.dSpikes : i === outputs.length - 1 ? layout.dV : layout.dMembrane;
    writePair(first + word, at, step);
  }

  inputGradient(_i: number, at: number, step: number): void {
    if (step === 0) integers[this.first + layout.dSum] = at;
    else writePair(this.first + layout.dU, at, step);
  }

  /** The kernel writes out a step of the product before it reads it. */
  expanding(z: Tensor, { weights, factors }: ProductForm, piece: number, size: number): null {
    integers[this.first + layout.product] = descriptor;
    describeTransposed(piece, 0, z.gradPtr, weights, size / factors.depth, factors);
    return null;
  }

  run(): void {
    const { at, isBack } = this;
    const word = wordsAt(at, layout.words) + (isBack ? layout.dU : layout.u);
    if (integers[word] === 0) {
      // Without an array for the membrane, or its gradient, one step needs memory.
      this.bytes = 4 * this.rows * this.n;
      this.room = allocateInScope(this.bytes);
      // Memory may have grown.
      wordsAt(at, layout.words);
      integers[word] = this.room;
    }
    if (isBack) k.lifBackward(at);
    else k.lifForward(at);
  }

  end(): void {
    if (this.bytes !== 0) recycle(this.room, this.bytes);
    this.bytes = 0;
  }
}
