/** The compiled step of neurons, which makes the code of a run if no hand-written kernels do (plain.ts). */
import type { Recorded } from "../../engine/extend.ts";
import type { Before, BoundRun, Fused } from "../../engine/fuse/index.ts";
import { allOf, derive, type Program } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { emptyOf, multiplyGradient, type ProductForm } from "../../engine/unchecked.ts";
import { REFRACTORY } from "./names.ts";
import { FromParameters, type LoopValue, type Named, type Starting, scalar } from "./parameters.ts";
import { fillStep, isLearned, type Neuron, type NeuronRun, runOp } from "./run.ts";

/** A traced step, and its code for each set of gradients. */
export class CompiledNeuron implements Neuron {
  readonly name: string;
  readonly program: Program;
  readonly outputs: readonly string[];
  readonly states: readonly string[];
  /** The name of the main output. */
  readonly main: string;
  readonly mainAt: number;
  readonly packed: boolean;
  readonly byHand = false;
  /** The parameters of the step. */
  readonly parameters: readonly string[];
  /** The parameters of the compiled loop. */
  readonly loop: FromParameters;
  readonly op: Recorded<NeuronRun>;
  private plainCode: Fused | null = null;
  private starts: FromParameters | null = null;
  /** The code that saves values, by the outputs with gradients and the parameters that want one. */
  private readonly codes = new Map<number, Fused>();

  constructor(program: Program) {
    const { definition } = program.traced;
    this.name = definition.name;
    this.program = program;
    this.states = definition.states;
    // The counters of refractory steps, the last state, are not an output.
    this.outputs = [...program.traced.outputs.keys()].filter((name) => name !== REFRACTORY);
    this.main = this.outputs.includes("spikes") ? "spikes" : "membrane";
    this.mainAt = this.outputs.indexOf(this.main);
    this.packed = definition.packed?.includes(this.main) === true;
    this.parameters = Object.keys(definition.parameters);
    this.loop = loopOf(program);
    this.op = runOp(definition.name);
  }

  get plain(): Fused {
    this.plainCode ??= this.program.compile(null);
    return this.plainCode;
  }

  /** The states of the layer before its first step, in the shape of a step; null for zeros. */
  startOf(layer: Starting, step: Shape, recorded: Named | null): (Tensor | null)[] {
    if (recorded !== null) return expandedStart(layer, step, recorded);
    const values = this.startValues(layer);
    return values.every(isNull) ? (values as null[]) : repeated(values, step);
  }

  /** The states before the first step as values, [1] or [N], from the present parameters. */
  startValues(layer: Starting): readonly (LoopValue | null)[] {
    this.starts ??= startOver(layer, this.parameters.length);
    return this.starts.of(layer, null);
  }

  oneStep(rows: number, n: number): BoundRun {
    const all = allOf(this.states.length);
    return this.plain.forward(1, rows, n, 1 << this.mainAt, all, all);
  }

  code(all: boolean, parameters: readonly LoopValue[]): Fused {
    let key = all ? 1 : 0;
    for (let i = 0; i < parameters.length; i++) if (isLearned(parameters[i])) key += 2 ** (i + 1);
    const known = this.codes.get(key);
    if (known !== undefined) return known;
    const outputs = all ? this.outputs : [this.main];
    const code = this.program.compile({ outputs, parameters: parameters.map(isLearned) });
    this.codes.set(key, code);
    return code;
  }

  expanding(z: Tensor, form: ProductForm, piece: number, size: number): Before {
    return (t) => multiplyGradient(piece, z, form, t * size, size);
  }
}

/** The parameters of the loop of a step, from the parameters of a layer: the terms of the step that depend on parameters only. */
export const loopOf = ({ traced }: Program): FromParameters =>
  new FromParameters(Object.keys(traced.definition.parameters).length, (now) => derive(traced, now));

// Separate functions: a call that creates none of these closures then allocates no context. Each value is expanded as
// soon as it is computed, which fixes the order of sums in the gradient of a shared parameter.
const expandedStart = (layer: Starting, step: Shape, recorded: Named): (Tensor | null)[] =>
  layer.startTerms(recorded, (t) => scalar(t).expand(step));
const startOver = (layer: Starting, count: number): FromParameters =>
  new FromParameters(count, (now) => layer.startTerms(now, (t) => t), true);

const isNull = (x: unknown): boolean => x === null;
const repeated = (values: readonly (LoopValue | null)[], step: Shape): (Tensor | null)[] =>
  values.map((x) => x && (x instanceof Float32Array ? filled(x, step) : scalar(x).expand(step)));

/** A tensor of the shape of a step, filled with these values, [1] or [N]. */
function filled(values: Float32Array, step: Shape): Tensor {
  const t = emptyOf(step);
  fillStep(t.ptr, t.size, values);
  return t;
}
