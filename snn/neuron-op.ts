/** The record of compiled neurons: spikes, or the membrane of a readout, as its output; further outputs and the last states as parts. */

import { wrongValue } from "../engine/arguments.ts";
import { k } from "../engine/backend.ts";
import { type Fused, Program, type Run, type StepDefinition, type Stream } from "../engine/fuse/index.ts";
import type { Tensor } from "../engine/index.ts";
import {
  canTakeOver,
  freshGradOf,
  gradOf,
  gradOfPart,
  multiplyGradient,
  part,
  passGradient,
  type Recorded,
  ready,
  SAVES,
  startOf,
  writeOutGradient,
} from "../engine/op.ts";
import { constantSource } from "../engine/ops/expand.ts";
import { allocate, type Region, recycle, scope } from "../engine/scope.ts";
import type { Shape } from "../engine/shape.ts";
import { empty, emptyLike, emptySpikes, record, rootOf, streamBytes } from "../engine/tensor.ts";
import { REFRACTORY } from "./neuron-step.ts";

/** A step that was traced, and its code for each set of gradients that was wanted. */
export class CompiledNeuron {
  readonly name: string;
  readonly program: Program;
  /** What the step returns. */
  readonly outputs: readonly string[];
  readonly states: readonly string[];
  /** The output that a run gives: spikes, or of neurons without these the membrane. */
  readonly main: string;
  /** It is bits. */
  readonly packed: boolean;
  readonly op: Recorded<Passage>;
  private readonly codes = new Map<string, Fused>();

  /** @throws TypeError where the step does what a neuron cannot. */
  constructor(definition: StepDefinition) {
    this.name = definition.name;
    this.program = new Program(definition);
    this.states = definition.states;
    // Counters are a state alone.
    this.outputs = [...this.program.traced.outputs.keys()].filter((name) => name !== REFRACTORY);
    this.main = this.outputs.includes("spikes") ? "spikes" : "membrane";
    this.packed = definition.packed?.includes(this.main) === true;
    this.op = recordOf(definition.name);
  }

  /** The code that saves what gradients of these outputs towards these parameters need, or without gradients. */
  code(outputs: readonly string[], parameters: readonly boolean[] | null): Fused {
    const key = `${outputs} ${parameters}`;
    let code = this.codes.get(key);
    if (code === undefined) {
      code = this.program.compile(parameters && { outputs, parameters });
      this.codes.set(key, code);
    }
    return code;
  }

  /** Where the code writes the output of a run. */
  addresses(z: Tensor): Readonly<Record<string, number>> {
    return { [this.main]: this.packed ? z.bits : z.ptr };
  }
}

/** What a run reads. */
export interface Operands {
  /** [T, B, …], or for a single step [B, …]. */
  readonly current: Tensor;
  /** Who may fire, in the shape of the current; of neurons that compete. */
  readonly winner?: Tensor;
  readonly T: number;
  /** Of the loop, [] or [N]. */
  readonly parameters: readonly Tensor[];
  /** States before the first step, [B, …]; null for zeros. */
  readonly from: readonly (Tensor | null)[];
}

/** A run: what backward and the outputs that are read later need. */
export interface Passage extends Operands {
  readonly neuron: CompiledNeuron;
  readonly rows: number;
  readonly n: number;
  /** The current, or one step of it where it is the same in all. */
  readonly input: Tensor;
  /** Values from one step of the input to the next. */
  readonly stride: number;
  readonly code: Fused;
  /** Addresses of what forward has saved. */
  readonly saved: readonly number[];
  readonly region: Region;
  /** When the operands had last been written. */
  readonly written: readonly number[];
  /** The main output. */
  readonly z: Tensor;
  /** The states after the last step. */
  readonly last: readonly Tensor[];
}

/**
 * How many neighbours in a step have values of parameters of their own, or all of them where parameters are shared.
 *
 * @throws RangeError for parameters of other sizes than 1 and N, or a step that has no whole rows of N.
 */
export function columnsOf(where: string, parameters: readonly Tensor[], size: number): number {
  let n = 1;
  for (let i = 0; i < parameters.length; i++) {
    const own = (parameters[i] as Tensor).size;
    if (own === 1 || own === n) continue;
    if (n > 1 || size % own !== 0) throw wrongValue(where, `parameters of 1 or N values for a step of ${size}`, own);
    n = own;
  }
  return n > 1 ? n : size;
}

const operandsOf = ({ input, parameters, from, winner }: Operands & Pick<Passage, "input">): Tensor[] =>
  [input, ...parameters, ...from, winner].filter((t) => t !== null && t !== undefined);

/**
 * Runs neurons over a current. `outputs` are those that a gradient may come from; `shape`, that of a step, asks for the last
 * states. `over`: nobody else can read the current, and what is saved takes its place where backward does not read it again.
 */
export function runNeuron(
  neuron: CompiledNeuron,
  operands: Operands,
  outputs: readonly string[],
  shape: Shape | null,
  over = false,
): Passage {
  const { current, T, parameters } = operands;
  const size = current.size / T;
  const source = constantSource(current);
  const input = source?.size === size ? source : current;
  const read = operandsOf({ ...operands, input });
  for (const t of read) ready(neuron.name, t);
  const wanted = scope.recording && read.some((t) => t.requiresGrad);
  const n = columnsOf(neuron.name, parameters, size);
  const z = neuron.packed ? emptySpikes(current.sizes) : emptyLike(current);
  const last = shape === null ? [] : neuron.states.map(() => empty(shape));
  const code = neuron.code(outputs, wanted ? parameters.map((t) => t.requiresGrad) : null);
  const isOver = over && wanted && input === current && code.saves > 0 && !code.reads[0];
  const passage: Passage = {
    ...operands,
    neuron,
    rows: size / n,
    n,
    input,
    stride: input === current ? size : 0,
    code,
    saved: code.savedBytes(current.size).map((bytes, i) => (isOver && i === 0 ? current.ptr : allocate(bytes))),
    region: scope.region,
    written: writesOf(read),
    z,
    last,
  };
  const to = neuron.states.map((_, i) => last[i]?.ptr ?? 0);
  code.forward({ ...sizesOf(passage), to, outputs: neuron.addresses(z) });
  if (wanted) {
    record(z, neuron.op as Recorded<never>, passage, input, null, null);
    last.forEach((state, i) => part(z, neuron.outputs.length + i, state));
  }
  return passage;
}

/** The sizes and addresses of a run. */
const sizesOf = ({ T, rows, n, input, stride, winner, parameters, from, saved }: Passage) => ({
  T,
  rows,
  n,
  inputs: [
    { at: input.ptr, step: stride },
    ...(winner === undefined ? [] : [{ at: winner.ptr, step: winner.size / T }]),
  ],
  parameters: parameters.map((t) => t.ptr),
  from: from.map((t) => t?.ptr ?? 0),
  saved,
});

/** When tensors had last been written. */
export const writesOf = (tensors: readonly Tensor[]): number[] => tensors.map((t) => rootOf(t).written);

/** Throws where an operand of a run was freed or overwritten since, and so an output cannot be computed any more. */
export function checkUnwritten(
  where: string,
  output: string,
  operands: readonly Tensor[],
  written: readonly number[],
): void {
  for (const [i, t] of operands.entries()) {
    ready(where, t);
    if (rootOf(t).written === written[i]) continue;
    throw new Error(
      `${where}: ${output} was first read after the current, a state or a parameter was overwritten; read it before`,
    );
  }
}

/**
 * A further output over time, differentiable: from another forward run, with the same bits.
 *
 * @throws Error where an operand was freed or overwritten since.
 */
export function outputOf(passage: Passage, index: number): Tensor {
  const { neuron, z: main, current, written } = passage;
  const name = neuron.outputs[index] as string;
  checkUnwritten(neuron.name, name, operandsOf(passage), written);
  const z = emptyLike(current);
  if (!copySaved(passage, name, main, z)) {
    const run = { ...sizesOf(passage), saved: [], to: neuron.states.map(() => 0), outputs: { [name]: z.ptr } };
    neuron.code([], null).forward(run);
  }
  return scope.recording ? part(main, index, z) : z;
}

/** z ← an output of the run that recorded `main`, where forward has saved it and backward has not consumed it. */
export function copySaved(
  { code, saved }: Pick<Passage, "code" | "saved">,
  name: string,
  main: Tensor,
  z: Tensor,
): boolean {
  const at = main.op === null ? -1 : code.savedAt(name);
  if (at >= 0) k.copy(z.ptr, saved[at] as number, z.size);
  return at >= 0;
}

/** What {@link Recorded.support} says of the spikes of a run. */
export function supportOf(code: Fused, run: Run, bits: number, columns: number): number {
  if (!code.hasSupport) return -1;
  const size = run.T * run.rows * run.n;
  const stream = allocate(streamBytes(size));
  code.support(run, stream);
  const groups = k.alignGroups(bits, stream, size / columns, columns);
  recycle(stream, streamBytes(size), scope.region);
  return groups;
}

const recordOf = (name: string): Recorded<Passage> => ({
  name,
  saves: SAVES.more,
  takes: ["repeats", "product"],
  reads: ({ input, winner, code, parameters, from }) => [
    code.reads[0] ? input : null,
    ...parameters,
    ...from,
    winner ?? null,
  ],
  backward(z, _a, _b, _c, passage) {
    const { neuron, code, T, input, stride, winner, parameters, from, current, saved, region } = passage;
    const gradients: Record<string, Stream> = {};
    const step = current.size / T;
    neuron.outputs.forEach((output, i) => {
      const at = output === neuron.main ? 0 : gradOfPart(z, i);
      if (at !== 0) gradients[output] = { at, step };
    });
    // A product is written out one step at a time, before that step: learned parameters sum up other groups of steps then.
    const form = z.gradForm?.kind === "product" && !parameters.some((t) => t.requiresGrad) ? z.gradForm : null;
    const piece = form === null ? 0 : allocate(4 * step);
    if (form !== null) gradients[neuron.main] = { at: piece, step: 0 };
    else if (z.gradPtr !== 0) {
      const repeats = z.gradForm?.kind === "repeats" && z.gradForm.steps === T;
      if (!repeats) writeOutGradient(z);
      gradients[neuron.main] = { at: z.gradPtr, step: repeats ? 0 : step };
    }
    const before = form === null ? undefined : (t: number) => multiplyGradient(piece, z, form, t * step, step);
    const dLast = from.map((_, i) => gradOfPart(z, neuron.outputs.length + i));
    // What is added to comes before what is written: one tensor may be both.
    const dParameters = parameters.map(gradOf);
    const targets = new GradientTargets();
    // The gradient of the output is read for the last time: that of the current takes its place.
    const isOver = stride !== 0 && gradients[neuron.main]?.step === step && canTakeOver(input);
    if (isOver) passGradient(z, input);
    const at = stride === 0 ? gradOf(input) : isOver ? input.gradPtr : targets.target(input);
    const dFirst = from.map((t) => (t === null ? 0 : targets.target(t)));
    const dInputs = [at === 0 ? null : { at, step: stride }, ...(winner === undefined ? [] : [null])];
    code.backward({ ...sizesOf(passage), gradients, dInputs, dLast, dFirst, dParameters }, before);
    targets.finish();
    if (piece !== 0) recycle(piece, 4 * step, scope.region);
    for (const [i, bytes] of code.savedBytes(current.size).entries()) recycle(saved[i] as number, bytes, region);
  },
  support: (passage, bits, columns) => supportOf(passage.code, sizesOf(passage), bits, columns),
});

/** Gradients that are written, of tensors that may have one already. */
export class GradientTargets {
  private readonly later: [x: Tensor, from: number][] = [];

  /** Address to write the gradient of x to, 0 where none is wanted. */
  target(x: Tensor): number {
    const start = startOf(x);
    if (start === 0) return freshGradOf(x, start);
    const own = allocate(4 * x.size);
    this.later.push([x, own]);
    return own;
  }

  /** Adds what was written elsewhere. */
  finish(): void {
    for (const [x, p] of this.later) {
      k.addTo(x.gradPtr, p, x.size);
      recycle(p, 4 * x.size, scope.region);
    }
  }
}
