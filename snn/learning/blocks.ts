/** A network over blocks of time: forward keeps the state before each block, backward runs the block again. */
import { alive, allocate, constantSource, gradOf, k, recycle, SAVES } from "../../engine/extend.ts";
import { type Generator, type GeneratorState, type Module, noGrad, type Tensor, tape } from "../../engine/index.ts";
import { backwardWithin, enter, leave, recordsOf, scope, viewOf } from "../../engine/lasting.ts";
import { watchingDraws } from "../../engine/protocol.ts";
import { formatShape } from "../../engine/shape.ts";
import { gradientAt, holds, recordOp, type ShortRecorded } from "../../engine/unchecked.ts";
import { blockOf, outputOf, writeBlock } from "./block-values.ts";
import { disposeState, mapped, type NetworkLayer, type NetworkState, tensorsOfState } from "./network.ts";
import { forwardFrom } from "./pieces.ts";

type Recorded = Omit<ShortRecorded<Blocks>, "shortcuts">;

const blocksOp: Recorded = {
  name: "inBlocks",
  saves: SAVES.more,
  more: (blocks) => blocks.reads,
  backward: (z, _x, _b, _c, blocks) => blocks.backward(z),
};

/** Where the gradient of a leaf of a block is written. */
interface End {
  readonly at: number;
  isReached: boolean;
}

/** The record of a leaf of a block: it copies the gradient, which may have any form. A copy keeps the sign of a zero; a sum would not. */
const leafOp: Omit<ShortRecorded<End>, "shortcuts"> = {
  name: "inBlocks",
  saves: 0,
  backward(z, _a, _b, _c, end) {
    k.copy(end.at, z.gradPtr, z.size);
    end.isReached = true;
  },
};

/** States, before a block, of the generators that the block draws from. */
type Draws = Map<Generator, GeneratorState>;

/** The layers over x, [T, B, …]. */
export class Blocks {
  private readonly layers: readonly NetworkLayer[];
  private readonly modules: readonly Module[];
  private readonly x: Tensor;
  /** The tensor that gets the gradient of x: the step that x repeats, or x. */
  private readonly source: Tensor;
  private readonly steps: number;
  /** The states before the blocks; undefined before the first. */
  private readonly states: (NetworkState | undefined)[] = [];
  private readonly draws: Draws[] = [];
  private modes: readonly boolean[] = [];
  /** The tensors that backward reads. */
  reads: readonly Tensor[] = [];

  constructor(layers: readonly NetworkLayer[], x: Tensor, steps: number) {
    this.layers = layers;
    this.modules = layers.flatMap(({ module }) => module.namedModules().map(([, inner]) => inner));
    this.x = x;
    this.source = constantSource(x) ?? x;
    this.steps = steps;
  }

  /** The output, [T, B, …]. */
  forward(): Tensor {
    const { x, states, steps } = this;
    const T = x.sizes[0] as number;
    const { shape, isPacked, isRecorded } = this.firstStep();
    const records = isRecorded && scope.recording;
    const z = outputOf([T, ...shape], isPacked);
    let state: NetworkState | undefined;
    for (let from = 0; from < T; from += steps) {
      const before: NetworkState | undefined = state;
      if (records) states.push(before);
      state = noGrad(() => {
        const [block, next] = this.run(from, before);
        writeBlock(z, block, (z.size / T) * from);
        return next;
      });
      if (!records) disposeState(before);
    }
    disposeState(state);
    return records ? this.recorded(z) : z;
  }

  /**
   * Runs the first step alone to find out which tensors the layers return and read. Afterwards restores their
   * generators.
   */
  private firstStep(): { shape: readonly number[]; isPacked: boolean; isRecorded: boolean } {
    const draws: Draws = new Map();
    const first = () =>
      tape(() => {
        const [z] = forwardFrom(this.layers, this.blockFrom(0, 1), undefined);
        const records = recordsOf(scope);
        for (const record of records) checkInputs(record);
        return { shape: z.sizes.slice(1), isPacked: z.ptr === 0 && z.bits !== 0, isRecorded: records.length > 0 };
      });
    try {
      return noting(draws, first);
    } finally {
      for (const [generator, state] of draws) generator.setState(state);
    }
  }

  /** Records z: its backward runs the blocks again. */
  private recorded(z: Tensor): Tensor {
    const { source, modules, states } = this;
    this.modes = modules.map(({ training }) => training);
    const own = modules.flatMap((module) => module.namedState().map(([, t]) => t));
    this.reads = [source, ...new Set(own), ...states.flatMap(tensorsOfState)];
    recordOp(z, blocksOp as Recorded as never, this, source, null, null);
    return z;
  }

  /**
   * Runs the block that begins with step `from` in the current scope, and stores the generator states before its draws.
   */
  private run(from: number, state: NetworkState | undefined): [z: Tensor, state: NetworkState] {
    const draws: Draws = new Map();
    this.draws.push(draws);
    return noting(draws, () => forwardFrom(this.layers, this.blockFrom(from, this.endOf(from)), state));
  }

  private endOf(from: number): number {
    return Math.min(from + this.steps, this.x.sizes[0] as number);
  }

  /**
   * The steps of x from … to − 1. Their gradient is written to that of x, at dx. If `isBegun`, x has a gradient already, to which it is
   * added in the order of the whole run.
   */
  private blockFrom(from: number, to: number, dx = 0, isBegun = false): Tensor {
    const { x } = this;
    return blockOf(x, from, to, (view, first) => {
      if (!x.requiresGrad) return;
      const at = dx + 4 * first;
      makeLeaf(view, { at, isReached: false });
      if (isBegun) give(view, at);
    });
  }

  /** Adds to the gradients of x and of all leaves, from the last block to the first. */
  backward(z: Tensor): void {
    const { x, source, states, modules, modes } = this;
    if (modules.some(({ training }, i) => training !== modes[i])) {
      throw new Error(
        "inBlocks: expected the mode of forward in backward(), got another; call train() or eval() after it",
      );
    }
    const isBegun = source !== x || x.op === null || holds(x);
    const dx = gradOf(source);
    let after: End[] = [];
    for (let i = states.length - 1; i >= 0; i--) {
      const before = tensorsOfState(states[i]);
      const ends = before.map(({ size }) => ({ at: allocate(4 * size), isReached: false }));
      enter(true);
      try {
        this.again(i, z, dx, isBegun, new Map(before.map((t, j) => [t, ends[j] as End])), after);
      } finally {
        leave();
      }
      const later = tensorsOfState(states[i + 1]);
      for (const [j, { at }] of after.entries()) recycle(at, 4 * (later[j] as Tensor).size);
      after = ends;
    }
  }

  /** Runs block i again, then backward through it. Writes the gradients of the state before the block to `ends`. */
  private again(
    i: number,
    z: Tensor,
    dx: number,
    isBegun: boolean,
    ends: Map<Tensor, End>,
    after: readonly End[],
  ): void {
    const { states, steps } = this;
    const from = i * steps;
    const leaves = new Map([...ends].map(([t, end]) => [t, makeLeaf(viewOf(t, t.sizes, t.size, 0), end)]));
    const state = mapped(states[i], (t) => leaves.get(t) as Tensor) as unknown as NetworkState | undefined;
    const run = () => forwardFrom(this.layers, this.blockFrom(from, this.endOf(from), dx, isBegun), state);
    const [block, next] = withDraws(this.draws[i] as Draws, run);
    if (z.gradPtr !== 0) give(block, z.gradPtr + 4 * (z.size / (z.sizes[0] as number)) * from);
    for (const [j, t] of tensorsOfState(next).entries()) if (after[j]?.isReached) give(t, (after[j] as End).at);
    backwardWithin();
  }
}

/** Makes a view of values a leaf of the current scope. */
function makeLeaf(view: Tensor, end: End): Tensor {
  recordOp(view, leafOp as never, end, null as never, null, null);
  return view;
}

/** Adds the values at an address to the gradient of t, if it has one. */
function give(t: Tensor, from: number): void {
  if (!t.requiresGrad) return;
  if (holds(t)) k.addTo(gradientAt(t), from, t.size);
  else k.copy(gradientAt(t, true), from, t.size);
}

/** Runs fn; stores the state of each generator before its first draw. */
const noting = <R>(draws: Draws, fn: () => R): R =>
  watchingDraws((generator) => {
    if (!draws.has(generator)) draws.set(generator, generator.getState());
  }, fn);

/** Runs fn with generators in these states, then restores them. */
function withDraws<R>(draws: Draws, fn: () => R): R {
  const now = [...draws.keys()].map((generator) => [generator, generator.getState()] as const);
  for (const [generator, state] of draws) generator.setState(state);
  try {
    return fn();
  } finally {
    for (const [generator, state] of now) generator.setState(state);
  }
}

/** Throws if a record of the current scope reads the output of an op outside: its gradient would end with the block. */
function checkInputs(z: Tensor): void {
  const { a, b, c, op, attrs } = z;
  const more = op !== null && (op.saves & SAVES.more) !== 0 ? (op.more?.(attrs as never) ?? []) : [];
  for (const t of [a, b, c, ...more]) {
    if (t === null || t.op === null || t.region === scope.region) continue;
    alive(t, "inBlocks");
    throw new Error(
      `inBlocks: expected a module that reads x, constants and leaves, got one that reads ${formatShape(t.sizes)}, ` +
        `the output of ${t.op.name} outside of it; make it in the forward of the module`,
    );
  }
}
