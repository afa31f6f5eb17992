/** Networks with weights of eight bits, for inference. */
import { ensure, numbersOf, objectOf, withDefaults, wrongValue } from "../../engine/arguments.ts";
import {
  type ArrayEntry,
  Conv1d,
  Conv2d,
  Linear,
  type LoadOptions,
  type LoadReport,
  type Module,
  type NamedArrays,
  noGrad,
  type StateDict,
  Tensor,
} from "../../engine/index.ts";
import { forwardOf } from "../../engine/nn/module.ts";
import { formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../../engine/shape.ts";
import { alive } from "../../engine/tensor.ts";
import { layersOf } from "../layers.ts";
import { Stage, Staged } from "../stage.ts";
import { stageOf } from "../stages.ts";
import { checkMemory, Int8Conv, Int8Linear, type Int8State } from "./int8-layers.ts";
import { MOST_INPUTS } from "./int8-weights.ts";
import { gridIn, integersOf } from "./weights.ts";

/** Options of {@link Int8}. */
export interface Int8Options {
  /** Whether each output, a row of [out, …], has a scale; with false all outputs of a layer share a scale. Default true. */
  perChannel?: boolean;
}

const DEFAULTS: Required<Int8Options> = { perChannel: true };
const LOAD: Required<LoadOptions> = { strict: true };

type Product = Linear | Conv1d | Conv2d;

const isProduct = (layer: Module): layer is Product =>
  (layer instanceof Linear || layer instanceof Conv1d || layer instanceof Conv2d) && layer.isPure;

const isInt8 = (layer: Module): layer is Int8Linear | Int8Conv =>
  layer instanceof Int8Linear || layer instanceof Int8Conv;

/**
 * A network for inference with weights of 8 bits, a quarter of the memory, and sums of integers where spikes come in:
 *
 *   z[o] = s[o]·Σ_i q[o, i]·x[i] + b[o]     q = round(w / s) in [−127, 127], half to even,  s[o] = max |w[o, …]| / 127
 *
 *     const small = new Int8([fc1, lif1, fc2, lif2]);
 *     const spikes = small.forward(poissonEncode(image, { timesteps: 25 })); // or new Stream(small, [1, 784])
 *
 * `Linear`, `Conv1d` and `Conv2d` are copied: later training does not change q, s and b, and the float weights can be freed. All other
 * layers are those of the model, with the parameters and the weights that they have, and run in evaluation mode. A layer whose weight
 * is on a grid ({@link quantize}) keeps its integers and scales, whatever the option says.
 *
 * Where x is binary, Σ is an integer, exact in any order: each time step starts from the sums of the step before and adds or subtracts the
 * rows of q of the inputs that differ, where these are fewer. A sequence has the bits of its single steps. Other values are multiplied by q in
 * float32, inputs ascending. Σ is rounded to float32 from 2²⁴ on, then s·Σ, then the sum with b; a float network with the weights s·q
 * rounds each term instead. Nothing is recorded.
 *
 * Shapes: x [T, B, …] → what the last layer gives, as in a `Sequential` of the model.
 *
 * @throws RangeError for layers without a Linear or a convolution among them, for weights that are not finite or more than 2²⁴ to an
 *   output; TypeError for anything but layers, or an option of another name; Error inside of `gradcheck`.
 * @see Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, CVPR.
 */
export class Int8 extends Staged {
  /** The layers in their order. */
  readonly layers: readonly Module[];
  private readonly all: readonly Module[];

  constructor(model: Module | readonly Module[], options: Int8Options = DEFAULTS) {
    super();
    checkMemory();
    const { perChannel } = withDefaults("Int8", DEFAULTS, options);
    const layers = layersOf("Int8", model);
    if (!layers.some(isProduct)) {
      const names = layers.map(({ constructor: { name } }) => name).join(", ") || "none";
      const hint = "; give the layers of a network of another class as a list";
      throw wrongValue("Int8", "a Linear, Conv1d or Conv2d among the layers", `${names}${hint}`);
    }
    this.layers = noGrad(() => {
      // All are read before the first is made.
      const states = layers.map((layer) => (isProduct(layer) ? roundedOf(layer, perChannel) : null));
      return layers.map((layer, i) => {
        const state = states[i];
        if (state === null || state === undefined) return layer;
        return layer instanceof Linear ? new Int8Linear(state) : new Int8Conv(layer as Conv2d, state);
      });
    });
    this.all = this.layers.flatMap((layer) => layer.namedModules().map(([, module]) => module));
  }

  /**
   * The output for a sequence [T, B, …], or for what the first layer takes.
   *
   * @throws what a layer throws; RangeError for an x that does not fit a weight; Error after `dispose()`, or inside of `gradcheck`.
   */
  forward(x: Tensor): Tensor {
    alive(x, "Int8");
    const modes = this.all.map(({ training }) => training);
    for (const module of this.all) module.training = false;
    try {
      return noGrad(() => this.layers.reduce((z, layer) => layer.forward(z), x));
    } finally {
      for (const [i, module] of this.all.entries()) module.training = modes[i] as boolean;
    }
  }

  /** Frees the integers, not the memory of layers of the model. */
  dispose(): void {
    for (const layer of this.layers) if (isInt8(layer)) layer.dispose();
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.layers.map((layer, i) => [String(i), layer]);
  }

  /**
   * The state by name, the position of the layer in front as in a `Sequential`: `0.weight`, the integers as Int8Array, and
   * `0.weight_scale`, [1] or [out], and `0.bias`; of other layers what {@link Module.stateDict} has. For `saveSafetensors`.
   *
   * @throws Error after `dispose()`.
   */
  arrays(): Record<string, ArrayEntry> {
    const arrays: Record<string, ArrayEntry> = super.stateDict();
    for (const [name, layer] of this.integers()) {
      const { shape, q, scales, bias } = layer.read();
      arrays[`${name}.weight`] = { shape: [...shape], data: q };
      arrays[`${name}.weight_scale`] = { shape: [scales.length], data: scales };
      if (bias !== null) arrays[`${name}.bias`] = { shape: [bias.length], data: bias };
    }
    return arrays;
  }

  /** {@link Int8.arrays} with the integers as float32. */
  override stateDict(): StateDict {
    const entries = Object.entries(this.arrays());
    return Object.fromEntries(
      entries.map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
    );
  }

  /**
   * Overwrites the integers, their scales and biases, and the state of other layers, with what `arrays` or `stateDict` gave.
   *
   * @throws RangeError for integers outside of [−127, 127], scales or biases that are not finite, and as {@link Module.loadStateDict}.
   *   Nothing is written then.
   */
  override loadStateDict(state: NamedArrays, options: LoadOptions = LOAD): LoadReport {
    const { strict } = withDefaults("loadStateDict", LOAD, options);
    const missing: string[] = [];
    const given = { ...objectOf("loadStateDict", "a state, arrays by name", state) };
    const writes = this.integers().flatMap(([name, layer]) => {
      const old = layer.read();
      const [outputs] = old.shape as [number];
      const take = (key: string, shapes: readonly Shape[], range: Values): Float32Array | null => {
        const path = `${name}.${key}`;
        const entry = given[path];
        if (entry === undefined && !strict) {
          missing.push(path);
          return null;
        }
        delete given[path];
        return valuesOf(`loadStateDict: ${path}`, entry, shapes, range);
      };
      const q = take("weight", [old.shape], INTEGERS);
      const scales = take("weight_scale", [[outputs], [1]], NUMBERS);
      const bias = old.bias === null ? null : take("bias", [[outputs]], NUMBERS);
      const next = {
        shape: old.shape,
        q: q === null ? old.q : Int8Array.from(q),
        scales: scales ?? old.scales,
        bias: bias ?? old.bias,
      };
      return [[layer, next] as const];
    });
    const report = super.loadStateDict(given as NamedArrays, { strict });
    for (const [layer, next] of writes) layer.write(next);
    return { ...report, missingKeys: [...missing, ...report.missingKeys] };
  }

  /** The layers with integers, by name. */
  private integers(): [name: string, layer: Int8Linear | Int8Conv][] {
    return this.layers.flatMap((layer, i) => (isInt8(layer) ? [[String(i), layer] as [string, typeof layer]] : []));
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    if (this.forward !== FORWARD) return null;
    const stages: Stage[] = [];
    let output = input;
    for (const layer of this.layers) {
      const stage = stageOf(layer, output);
      stages.push(stage);
      output = stage.output;
    }
    return new StageOfAll(stages);
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Int8);

/** Layers one after the other in a stream. */
class StageOfAll extends Stage {
  private readonly stages: readonly Stage[];

  constructor(stages: readonly Stage[]) {
    super((stages[stages.length - 1] as Stage).output, { memory: stages.flatMap(({ memory }) => memory) });
    this.stages = stages;
  }

  override check(): void {
    for (let i = 0; i < this.stages.length; i++) (this.stages[i] as Stage).check();
  }

  step(): void {
    for (let i = 0; i < this.stages.length; i++) (this.stages[i] as Stage).step();
  }

  override reset(): void {
    for (const stage of this.stages) stage.reset();
  }
}

/** The weight that a layer computes with, as integers, and its bias. */
function roundedOf(layer: Product, perChannel: boolean): Int8State {
  const { weight, bias } = layer;
  const inputs = weight.size / (weight.sizes[0] as number);
  if (inputs > MOST_INPUTS) throw wrongValue("Int8", "at most 2²⁴ inputs of an output", inputs);
  const { q, scales, shape } = integersOf("Int8", layer, gridIn(layer) ?? { bits: 8, perChannel });
  return { shape, q, scales, bias: bias === null ? null : bias.toFloat32Array() };
}

/** Values that an array of a state may have. */
interface Values {
  readonly expected: string;
  fits(x: number): boolean;
}

const INTEGERS: Values = {
  expected: "integers in [−127, 127]",
  fits: (x) => Number.isInteger(x) && Math.abs(x) <= 127,
};
const NUMBERS: Values = { expected: "finite numbers", fits: (x) => Number.isFinite(Math.fround(x)) };

/** A copy of the values of an array of a state, after a check of their shape, one of these. */
function valuesOf(where: string, entry: unknown, shapes: readonly Shape[], { expected, fits }: Values): Float32Array {
  if (entry instanceof Tensor) alive(entry, where);
  const { shape: sizes, data } =
    entry instanceof Tensor
      ? { shape: entry.sizes, data: entry.toFloat32Array() }
      : (objectOf(where, "an array { shape, data }", entry) as unknown as ArrayEntry);
  const given = sizesOf(where, sizes);
  const fitting = shapes.some((shape) => sameShape(given, shape));
  ensure(fitting, where, `expected shape ${shapes.map(formatShape).join(" or ")}`, given);
  const values = new Float32Array(numbersOf(where, "an array of numbers", data));
  const size = sizeOf(given);
  ensure(values.length === size, where, `expected ${size} values`, values.length);
  const wrong = values.find((x) => !fits(x));
  ensure(wrong === undefined, where, `expected ${expected}`, wrong);
  return values;
}
