/** Parts of the cases of saved runs: a case makes a module for inputs [T, B, FEATURES], with weights from a generator. */
import {
  BatchNormTT1d,
  BatchNormTT2d,
  concat,
  Delay,
  DelayedLinear,
  type Generator,
  Linear,
  Module,
  PSN,
  type Shape,
  Tensor,
  tensor,
} from "jarvis-snn";

/** Steps, samples and features of all inputs, and the neurons of most layers. */
export const [STEPS, BATCH, FEATURES, NEURONS] = [8, 3, 4, 5];

/** The cases of a file by their names. */
export type Cases = Readonly<Record<string, (generator: Generator) => Module>>;

/** A layer that may have unroll and step beside forward. */
interface Timed extends Module {
  unroll?(current: Tensor, state?: unknown): { readonly state: unknown };
  step?(current: Tensor, state: unknown): readonly [output: Tensor, state: unknown];
  initialState?(shape: Shape): unknown;
}

/** Whether the layer had `unroll` in version 0.2: the hashes of its files count no result of a later one. */
const hadUnroll = (layer: Module): boolean =>
  !("runStep" in layer || [Delay, DelayedLinear, BatchNormTT1d, BatchNormTT2d].some((type) => layer instanceof type));

/** A product in front of a layer, (W·x + 0.5)·gain in a shape of one step, so that the weights get the gradient of its input. */
class Fed extends Module {
  readonly fc: Linear;
  readonly layer: Timed;
  private readonly gain: number;
  private readonly shape: Shape;

  constructor(layer: Module, generator: Generator, gain: number, shape: Shape) {
    super();
    const features = shape.reduce((product, n) => product * n, 1);
    this.fc = new Linear(FEATURES, features, { bias: false, generator });
    this.layer = layer;
    this.gain = gain;
    this.shape = shape;
  }

  /** Outputs and states of forward, unroll and step as one axis, so that gradients come from all of them. */
  forward(x: Tensor): Tensor {
    const current = this.fc.forward(x).add(0.5).mul(this.gain);
    const values = this.valuesOf(current.reshape([STEPS, BATCH, ...this.shape]));
    return concat(values.map((z) => z.reshape([-1])));
  }

  private valuesOf(current: Tensor): Tensor[] {
    const { layer } = this;
    const values = [layer.forward(current)];
    if (layer instanceof PSN && layer.kind !== "sliding") return values;
    if (layer.unroll !== undefined && hadUnroll(layer)) {
      const first = layer.unroll(current.slice(0, 0, STEPS / 2));
      values.push(...scaled(first), ...scaled(layer.unroll(current.slice(0, STEPS / 2, STEPS), first.state)));
    }
    if (layer.step !== undefined && layer.initialState !== undefined) {
      const first = layer.step(current.select(0, 0), layer.initialState([BATCH, ...this.shape]));
      values.push(...scaled(first), ...scaled(layer.step(current.select(0, 1), first[1])));
    }
    return values;
  }
}

/** The tensors in a result by their names, in the order of these, at a hundredth, as membranes in mV are large. */
function scaled(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result.mul(0.01)];
  const entries = Object.entries(result as object).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.flatMap(([, value]) => scaled(value));
}

/** Makes a case of a layer: its inputs in this shape of one step come from a product, times the gain. */
export const fed =
  (make: (generator: Generator) => Module, gain = 1, shape: Shape = [NEURONS]) =>
  (generator: Generator) =>
    new Fed(make(generator), generator, gain, shape);

/** Maps of 2 channels, the shape of one step. */
export const MAPS = [2, 4, 4];

/** The same for a layer of maps. */
export const maps = (make: (generator: Generator) => Module) => fed(make, 1, MAPS);

/** One value for each neuron. */
export const each = (first: number, step: number): Tensor =>
  tensor(Array.from({ length: NEURONS }, (_, i) => first + i * step));

/** A product whose biases let LIF neurons fire. */
export function driving(generator: Generator): Linear {
  const fc = new Linear(FEATURES, NEURONS, { generator });
  fc.bias?.copyFrom(new Array(NEURONS).fill(0.5));
  return fc;
}
