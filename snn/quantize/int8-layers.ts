/** Layers with 8-bit weights for inference: the copies of `Linear` and convolutions that `Int8` runs. */

import { FLOAT, POSITIVE, type Range, wrongValue } from "../../engine/arguments.ts";
import { alive, bitsOf, inReference, k, NO_GRADIENT, recycle, streamBytes } from "../../engine/extend.ts";
import { type Conv1d, Conv2d, type Tensor } from "../../engine/index.ts";
import { memory } from "../../engine/lasting.ts";
import { type Axis, FLAT, type StoredArray, windowOver } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../../engine/shape.ts";
import { allocateInScope, applyOp, int8Kernels, liftedOp, type ShortOp } from "../../engine/unchecked.ts";
import { own, Stage, Staged } from "../layer/stage.ts";
import { Int8Weights, type Past } from "./int8-weights.ts";

/** A layer's weight as integers, and its bias. */
export interface Int8State {
  /** Sizes of the weight, [out, in…]. */
  readonly shape: Shape;
  /** Integers in row-major order. */
  readonly q: Int8Array;
  /** One scale for each output, or one for all: the weight is scales[o]·q[o, …]. */
  readonly scales: Float32Array;
  /** [out], or null without a bias. */
  readonly bias: Float32Array | null;
}

/** Values of an op or a stream: floats at `ptr` unless it is 0; the same values as a stream of bits unless `bits` is 0. */
interface Input {
  readonly ptr: number;
  readonly bits: number;
  readonly size: number;
}

/** Plan of a sequence: the number of steps, the rows of the product per step, and the shape of z. */
interface Plan {
  readonly shape: Shape;
  readonly steps: number;
  readonly rows: number;
}

/** Attributes of the op. */
interface Run {
  readonly shape: Shape;
  readonly layer: Int8Layer<Plan>;
  readonly plan: Plan;
}

const op: ShortOp<Run> = {
  name: "Int8",
  saves: NO_GRADIENT,
  shortcuts: { reads: { a: ["bits"] } },
  forward(z, x, _w, _b, { layer, plan }) {
    layer.runSequence(z.ptr, { ptr: x.ptr, bits: bitsOf(x), size: x.size }, plan);
  },
  backward() {},
};

/** @throws Error inside of `gradcheck`. */
export function checkMemory(): void {
  if (inReference()) throw new Error("Int8: its weights lie in linear memory, which gradcheck does not use");
}

const forward = liftedOp(
  (x: Tensor, layer: Int8Layer<Plan>): Tensor => {
    checkMemory();
    const isStep = x.ndim <= layer.axes;
    const plan = layer.planOf(x.sizes, isStep);
    return applyOp(op, { shape: isStep ? plan.shape.slice(1) : plan.shape, layer, plan }, x);
  },
  (layer: Int8Layer<Plan>) => layer.axes,
);

const INTEGERS: Range = {
  expected: "an integer in [−127, 127]",
  fits: (x) => Number.isInteger(x) && Math.abs(x) <= 127,
};

/** Names of the axes after the channels. */
const AXES = ["", ", L", ", H, W"];

/** A product with an 8-bit weight: one for each group of outputs. */
abstract class Int8Layer<P extends Plan> extends Staged {
  /** Number of axes of x besides those of steps and batch. */
  abstract readonly axes: number;
  /** Size of the first of these axes: inputs of a Linear, channels of a convolution. */
  protected abstract readonly features: number;
  protected readonly weights: readonly Int8Weights[];
  /** Sizes of the weight, [out, in…]. */
  private readonly shape: Shape;
  private readonly hasBias: boolean;
  /** Whether all outputs share a scale. */
  private isUniform = false;
  /** The state by name. */
  private readonly state: Readonly<Record<string, StoredArray>>;

  constructor(state: Int8State, groups: number) {
    super();
    const { shape, bias } = state;
    const outputs = (shape[0] as number) / groups;
    const inputs = sizeOf(shape.slice(1));
    this.shape = shape;
    this.hasBias = bias !== null;
    this.weights = Array.from({ length: groups }, () => new Int8Weights(inputs, outputs));
    this.write(state);
    const all: Shape = [shape[0] as number];
    this.state = {
      weight: this.stored("q", INTEGERS, shape),
      weight_scale: this.stored("scales", POSITIVE, all, [1]),
      ...(bias === null ? {} : { bias: this.stored("bias", FLOAT, all) }),
    };
  }

  protected override fields(): Iterable<[string, unknown]> {
    return Object.entries(this.state);
  }

  private stored(key: "q" | "scales" | "bias", range: Range, ...shapes: Shape[]): StoredArray {
    return {
      isStored: true,
      shapes: () => {
        for (const t of this.memory) alive(t, "Int8");
        return shapes;
      },
      range,
      read: () => {
        const data = Float32Array.from(this.read()[key] as Int8Array | Float32Array);
        return { shape: [...(shapes.find((shape) => sizeOf(shape) === data.length) as Shape)], data };
      },
      write: (values) => this.write({ ...this.read(), [key]: key === "q" ? Int8Array.from(values) : values }),
      dispose: () => this.dispose(),
    };
  }

  /** Replaces all values; the weight has the same shape. */
  write({ q, scales, bias, shape: [outputs] }: Int8State): void {
    const all = new Float32Array(outputs as number);
    this.isUniform = scales.length === 1;
    const each = this.isUniform ? all.slice().fill(scales[0] as number) : scales;
    for (const [g, w] of this.weights.entries()) {
      const from = g * w.outputs;
      const to = from + w.outputs;
      const part = (bias ?? all).subarray(from, to);
      w.write({ q: q.subarray(from * w.inputs, to * w.inputs), scales: each.subarray(from, to), bias: part });
    }
  }

  /** The values as they were last written. */
  read(): Int8State {
    const { shape, weights, isUniform, hasBias } = this;
    const q = new Int8Array(sizeOf(shape));
    const scales = new Float32Array(shape[0] as number);
    const bias = new Float32Array(shape[0] as number);
    for (const [g, w] of weights.entries()) {
      const part = w.read();
      q.set(part.q, g * part.q.length);
      scales.set(part.scales, g * w.outputs);
      bias.set(part.bias, g * w.outputs);
    }
    return { shape, q, scales: isUniform ? scales.slice(0, 1) : scales, bias: hasBias ? bias : null };
  }

  /** Memory of the weights. */
  get memory(): Tensor[] {
    return this.weights.flatMap((w) => w.tensors);
  }

  override dispose(): void {
    for (const t of this.memory) t.dispose();
  }

  forward(x: Tensor): Tensor {
    alive(x, "Int8");
    return forward(x, this as Int8Layer<Plan>);
  }

  /** @internal */
  stage(input: Tensor): Stage {
    const plan = this.planOf(input.sizes, true);
    // Each step starts from the sums of the previous one.
    const past = own([this.pastWords(plan.rows).reduce((sum, n) => sum + n, 0)]);
    const pasts = this.pastsAt(past.ptr, plan.rows);
    const output = own(plan.shape.slice(1));
    const step = () => this.run(output.ptr, input, plan, pasts);
    return new Stage(output, { state: [past], parameters: this.memory }, step);
  }

  /**
   * Plans the product of x of this shape: a sequence [T, …], or a step of a sequence.
   *
   * @throws RangeError for a shape that does not fit.
   */
  planOf(x: Shape, isStep: boolean): P {
    const { axes, features } = this;
    if (x[x.length - axes] !== features) {
      throw wrongValue("Int8", `x [..., ${features}${AXES[axes - 1]}]`, formatShape(x));
    }
    return this.plan(isStep ? [1, ...x] : x);
  }

  /** Plans a sequence [T, …]; `planOf` has checked the number of its features. */
  protected abstract plan(x: Shape): P;

  /** z ← the products of all steps. `pasts` has the previous step of each group, which the last step replaces. */
  abstract run(z: number, x: Input, plan: P, pasts: readonly Past[]): void;

  /** z ← the products of all steps, without a previous step. */
  runSequence(z: number, x: Input, plan: P): void {
    for (const t of this.memory) alive(t, "Int8");
    const words = this.pastWords(plan.rows);
    const size = words.reduce((sum, n) => sum + n, 0);
    const at = allocateInScope(4 * size);
    k.fill(at, size, 0);
    this.run(z, x, plan, this.pastsAt(at, plan.rows));
    recycle(at, 4 * size);
  }

  /** Number of 32-bit words in each past of `rows` rows. */
  pastWords(rows: number): number[] {
    return this.weights.map((w) => w.sumsOf(rows) + w.wordsOf(rows));
  }

  /** The pasts in memory that has room for all of them. */
  pastsAt(address: number, rows: number): Past[] {
    let at = address;
    return this.weights.map((w) => {
      const sums = at;
      const before = sums + 4 * w.sumsOf(rows);
      at = before + 4 * w.wordsOf(rows);
      return { sums, before };
    });
  }
}

/** Linear with an 8-bit weight: x [..., in] → z [..., out]. */
export class Int8Linear extends Int8Layer<Plan> {
  readonly axes = 1;
  protected readonly features: number;

  constructor(state: Int8State) {
    super(state, 1);
    this.features = state.shape[1] as number;
  }

  protected plan(x: Shape): Plan {
    const [{ outputs }] = this.weights as [Int8Weights];
    const [steps] = x as [number];
    const shape = checkShape("Int8", [...x.slice(0, -1), outputs]);
    return { shape, steps, rows: sizeOf(shape) / outputs / steps };
  }

  run(z: number, x: Input, { steps, rows }: Plan, [past]: readonly [Past]): void {
    const [weights] = this.weights as [Int8Weights];
    const { inputs } = weights;
    const words = steps * weights.wordsOf(rows);
    const isAligned = x.bits !== 0 && inputs % 32 === 0;
    const bits = isAligned ? x.bits : allocateInScope(4 * words);
    const found = isAligned
      ? k.countBits(bits, words)
      : x.bits !== 0
        ? k.alignBits(bits, x.bits, steps * rows, inputs)
        : k.packBits(bits, x.ptr, steps * rows, inputs);
    if (found >= 0) weights.multiplySpikes(z, bits, found, steps, rows, past);
    else weights.multiplyMixed(z, bits, x.ptr, steps, rows, past);
    if (!isAligned) recycle(bits, 4 * words);
  }
}

/** Windows over the images of a sequence. */
interface ConvPlan extends Plan {
  /** Images per step. */
  readonly images: number;
  readonly down: Axis;
  readonly across: Axis;
}

/** Conv1d or Conv2d with an 8-bit weight: the rows of the product are the bits, or the values, under the windows. */
export class Int8Conv extends Int8Layer<ConvPlan> {
  readonly axes: number;
  private readonly where: "Conv1d" | "Conv2d";
  private readonly kernel: Shape;
  protected readonly features: number;
  /** Window options of the copied layer. */
  readonly options: Pick<Conv2d, "stride" | "padding" | "dilation" | "groups">;

  constructor(layer: Conv1d | Conv2d, state: Int8State) {
    super(state, layer.groups);
    const { stride, padding, dilation, groups } = layer;
    this.where = layer instanceof Conv2d ? "Conv2d" : "Conv1d";
    this.kernel = state.shape.slice(2);
    this.axes = this.kernel.length + 1;
    this.features = (state.shape[1] as number) * groups;
    this.options = { stride, padding, dilation, groups };
  }

  protected plan(x: Shape): ConvPlan {
    const { axes, where, kernel, options, weights } = this;
    const first = x.length - axes;
    const [width = 0, height = 1] = x.slice(first + 1).reverse();
    const across = windowOver(where, 1, width, kernel[kernel.length - 1] as number, options);
    const down = axes === 2 ? FLAT : windowOver(where, 0, height, kernel[0] as number, options);
    const filters = weights.length * (weights[0] as Int8Weights).outputs;
    const places = axes === 2 ? [across.places] : [down.places, across.places];
    const [steps] = x as [number];
    const images = sizeOf(x.slice(1, first));
    const shape = checkShape("Int8", [...x.slice(0, first), filters, ...places]);
    return { shape, steps, rows: images * down.places * across.places, images, down, across };
  }

  run(z: number, x: Input, plan: ConvPlan, pasts: readonly Past[]): void {
    if (x.bits !== 0) return this.runSpikes(z, x.bits, plan, pasts, []);
    const bits = allocateInScope(streamBytes(x.size));
    const count = plan.steps * plan.images;
    const size = x.size / count;
    const isGraded = (i: number): boolean => k.packBits(bits, x.ptr + 4 * i * size, 1, size) < 0;
    const graded = Array.from({ length: count }, (_, i) => isGraded(i));
    if (graded.includes(false)) {
      k.packBits(bits, x.ptr, 1, x.size);
      this.runSpikes(z, bits, plan, pasts, graded);
    }
    if (graded.includes(true)) this.runGraded(z, x.ptr, plan, graded);
    recycle(bits, streamBytes(x.size));
  }

  /** Runs steps in order and skips graded images, those with values other than 0 and 1. */
  private runSpikes(
    z: number,
    stream: number,
    plan: ConvPlan,
    pasts: readonly Past[],
    graded: readonly boolean[],
  ): void {
    const { steps, rows, images, down, across } = plan;
    const { features, weights } = this;
    const kernels = int8Kernels();
    const { inputs, outputs } = weights[0] as Int8Weights;
    const perGroup = features / weights.length;
    const places = rows / images;
    const words = Math.ceil(inputs / 32);
    const axes = axesOf(down, across);
    const bits = allocateInScope(4 * rows * words);
    const maps = allocateInScope(4 * rows * outputs);
    for (let n = 0; n < steps * images; n += images) {
      for (let g = 0; g < weights.length; g++) {
        for (let i = 0; i < images; i++) {
          const first = ((n + i) * features + g * perGroup) * down.size * across.size;
          const at = bits + 4 * i * places * words;
          if (graded[n + i]) k.fill(at, places * words, 0);
          else kernels.lookUnder(at, 0, stream, first, perGroup, axes);
        }
        const count = k.countBits(bits, rows * words);
        (weights[g] as Int8Weights).multiplySpikes(maps, bits, count, 1, rows, pasts[g] as Past);
        for (let i = 0; i < images; i++) {
          if (graded[n + i]) continue;
          const to = z + 4 * ((n + i) * weights.length + g) * outputs * places;
          k.transpose(to, maps + 4 * i * places * outputs, places, outputs);
        }
      }
    }
    recycle(maps, 4 * rows * outputs);
    recycle(bits, 4 * rows * words);
    recycle(axes, AXES_BYTES);
  }

  /** Runs the graded images one by one. */
  private runGraded(z: number, x: number, plan: ConvPlan, graded: readonly boolean[]): void {
    const { steps, rows, images, down, across } = plan;
    const { features, weights } = this;
    const kernels = int8Kernels();
    const { inputs, outputs } = weights[0] as Int8Weights;
    const perGroup = features / weights.length;
    const places = rows / images;
    const words = Math.ceil(inputs / 32);
    const axes = axesOf(down, across);
    const values = allocateInScope(4 * places * inputs);
    const bits = allocateInScope(4 * places * words);
    const maps = allocateInScope(4 * places * outputs);
    for (let n = 0; n < steps * images * weights.length; n++) {
      if (!graded[Math.floor(n / weights.length)]) continue;
      kernels.lookUnder(values, x, 0, n * perGroup * down.size * across.size, perGroup, axes);
      const count = k.packBits(bits, values, places, inputs) & 0x7fffffff;
      (weights[n % weights.length] as Int8Weights).multiplyGraded(maps, bits, count, values, places);
      k.transpose(z + 4 * n * outputs * places, maps, places, outputs);
    }
    recycle(maps, 4 * places * outputs);
    recycle(bits, 4 * places * words);
    recycle(values, 4 * places * inputs);
    recycle(axes, AXES_BYTES);
  }
}

/** Bytes of twelve integers. */
const AXES_BYTES = 48;

/** Writes the axes of windows in the layout that kernels read. */
function axesOf(down: Axis, across: Axis): number {
  const at = allocateInScope(AXES_BYTES);
  const numbers = [down, across].flatMap(({ size, places, kernel, stride, padding, dilation }) => {
    return [size, places, kernel, stride, padding, dilation];
  });
  new Int32Array(memory.buffer, at, numbers.length).set(numbers);
  return at;
}
