/** Inference with 8-bit weights: a copy of a model whose products are sums of integers. */
import { listed, objectOf, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import type { ArrayEntry, LoadOptions, LoadReport, Module, NamedArrays, Tensor } from "../../engine/index.ts";
import { Linear, noGrad } from "../../engine/index.ts";
import { checkChangeable, isWeighted, locate, traitOf, traitsOf, weightOf } from "../../engine/protocol.ts";
import { type Stage, Staged } from "../layer/stage.ts";
import { layersOf } from "../layer/stepping.ts";
import { stageOfAll } from "../stream/stages.ts";
import { isWeightLayer, type WeightLayer } from "./convert/folded-weights.ts";
import { unpacked } from "./file.ts";
import { checkMemory, Int8Conv, Int8Linear, type Int8State } from "./int8-layers.ts";
import { MOST_INPUTS } from "./int8-weights.ts";
import { gridIn, weightIntegers } from "./weights.ts";

/** Options of {@link Int8}. */
export interface Int8Options {
  /** Whether each output, a row of [out, …], has its own scale; false: one scale a layer. Default true. */
  perChannel?: boolean;
}

const DEFAULTS: Required<Int8Options> = { perChannel: true };

const isInt8 = (layer: Module): layer is Int8Linear | Int8Conv =>
  layer instanceof Int8Linear || layer instanceof Int8Conv;

/**
 * A network for inference with 8-bit weights, in a quarter of the memory. Products of spikes are sums of integers:
 *
 *   z[o] = s[o]·Σ_i q[o, i]·x[i] + b[o]     q = round(w / s) in [−127, 127], half to even,  s[o] = max |w[o, …]| / 127
 *
 * `Linear`, `Conv1d` and `Conv2d` are copied: later training does not change q, s and b, and the float weights can be freed. All other layers, such
 * as `Recurrent` and `DelayedLinear`, are shared with the model, keep float weights and run in evaluation mode. A layer whose weight is on a grid
 * ({@link quantize}) keeps its integers and scales, whatever `perChannel` is.
 *
 * For binary x, Σ is an integer and exact in any order: if few inputs changed since the previous step, a step starts from the sums of that
 * step and adds or subtracts the rows of q for these inputs. A sequence gives the same bits as its single steps. Other values are
 * multiplied by q in float32, in the order of inputs. Roundings to float32: Σ from 2²⁴ on, then s·Σ, then the sum with b; a float network
 * with the weights s·q rounds each term instead. Nothing is recorded for backward.
 *
 * Shapes: x [T, B, …] → the output of the last layer, as in a `Sequential` of the model.
 *
 * Names, also in states, are the paths in the model. A list of layers, or a single layer, has the names of a `Sequential`, such as `0.weight`.
 *
 * @throws RangeError for a model without Linear and convolutions, for such a layer inside of a module of an unsupported
 *   class or with an overridden `forward`, for weights and biases that are not finite, or for more than 2²⁴ weights to
 *   an output; TypeError for anything but layers, or an option of another name; Error inside of `gradcheck`.
 * @see Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, CVPR.
 *
 * @example
 * ```ts
 * import { LIF, Linear, poissonEncode, rand, Sequential } from "jarvis-snn";
 * import { Int8 } from "jarvis-snn/quantize";
 *
 * const model = new Sequential(new Linear(784, 100), new LIF(), new Linear(100, 10), new LIF());
 * const small = new Int8(model); // also in a Stream
 * console.log(small.forward(poissonEncode(rand([1, 784]), { timesteps: 25 })).shape); // [ 25, 1, 10 ]
 * ```
 */
export class Int8 extends Staged {
  /** The layers in order. */
  readonly layers: readonly Module[];
  private readonly all: readonly Module[];
  /** The layers by path in the model. */
  private readonly named: [path: string, layer: Module][];

  constructor(model: Module | readonly Module[], options: Int8Options = DEFAULTS) {
    super(TRAITS);
    checkMemory();
    const { perChannel } = withDefaults("Int8", DEFAULTS, options);
    const paths: string[] = [];
    const layers = layersOf("Int8", model, paths);
    if (!layers.some(isWeightLayer)) {
      const names = listed(layers.map(({ constructor: { name } }) => name));
      const hint = "; give the layers of a network of another class as a list";
      throw wrongValue("Int8", "a Linear, Conv1d or Conv2d among the layers", `${names}${hint}`);
    }
    const names = paths.map((path) => path || "0");
    for (const [i, layer] of layers.entries()) checkWeights(layer, names[i] as string);
    const made = noGrad(() => {
      // Reads the weights of all layers before it makes the first one.
      const states = new Map(layers.filter(isWeightLayer).map((layer) => [layer, roundedOf(layer, perChannel)]));
      return new Map<Module, Module>(
        Array.from(states, ([layer, state]) => [
          layer,
          layer instanceof Linear ? new Int8Linear(state) : new Int8Conv(layer, state),
        ]),
      );
    });
    this.named = layers.map((layer, i) => [names[i] as string, made.get(layer) ?? layer]);
    this.layers = this.named.map(([, layer]) => layer);
    this.all = this.layers.flatMap((layer) => layer.namedModules().map(([, module]) => module));
  }

  /**
   * The output for a sequence [T, B, …], or for any input of the first layer.
   *
   * @throws RangeError for an x that does not fit a weight; Error after `dispose()`, or inside of `gradcheck`; errors of the layers.
   */
  forward(x: Tensor): Tensor {
    alive(x, "Int8");
    const training = this.all.filter((module) => module.training);
    for (const module of training) checkChangeable("Int8", module.constructor.name, module);
    for (const module of training) module.training = false;
    try {
      return noGrad(() =>
        this.named.reduce((z, [name, layer]) => {
          try {
            return layer.forward(z);
          } catch (error) {
            throw locate(error, name, layer);
          }
        }, x),
      );
    } finally {
      for (const module of training) module.training = true;
    }
  }

  /** Frees the integers, but not memory of the model's layers. */
  override dispose(): void {
    for (const layer of this.layers) if (isInt8(layer)) layer.dispose();
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.named;
  }

  /**
   * The state for a file, by the names of the model: `fc.weight`, the integers as Int8Array, `fc.weight_scale`, [1] or [out], and `fc.bias`. Other
   * layers have the entries of {@link Module.stateDict}, except that masks and grids are already applied to weights, so a model that loads the file
   * needs neither. For `saveSafetensors`; {@link dequantizedState} converts the integers to floats.
   *
   * @throws Error after `dispose()`.
   */
  arrays(): Record<string, ArrayEntry> {
    const arrays: Record<string, ArrayEntry> = this.stateDict();
    for (const [name, layer] of this.namedModules()) {
      const weight = `${name}.weight`;
      if (isInt8(layer)) {
        const { shape, q } = layer.read();
        arrays[weight] = { shape: [...shape], data: q };
      } else if (isWeighted(layer) && layer.reading !== null) {
        const read = noGrad(() => weightOf(layer));
        arrays[weight] = { shape: [...read.sizes], data: read.toFloat32Array() };
        delete arrays[`${name}.mask`];
      }
    }
    return arrays;
  }

  /**
   * Loads integers, scales, biases and the state of other layers from the arrays of `arrays`, `stateDict` or `quantizedState`, whose weights of fewer
   * bits are stored in 8 bits.
   *
   * @throws RangeError for integers outside of [−127, 127], scales that are not > 0, and as {@link Module.loadStateDict}. Errors are thrown before
   *   any write.
   */
  override loadStateDict(state: NamedArrays, options?: LoadOptions): LoadReport {
    const given = unpacked("loadStateDict", objectOf("loadStateDict", "a state, arrays by name", state));
    return super.loadStateDict(given as NamedArrays, options);
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    return traitOf(this) !== null ? stageOfAll(this.layers, input) : null;
  }
}

const TRAITS = traitsOf(Int8, "written");

/** Throws for a Linear or convolution whose weight would remain floats: its class overrides `forward`, or another module contains it. */
function checkWeights(layer: Module, path: string): void {
  const { name } = layer.constructor;
  if (isWeightLayer(layer)) {
    if (!layer.isPure) throw wrongValue("Int8", `${path} with the forward of its class`, `a ${name} with another one`);
  } else if (!(layer instanceof Staged)) {
    const [inner] = layer.namedModules().find(([, module]) => isWeightLayer(module)) ?? [];
    if (inner !== undefined) {
      throw wrongValue(
        "Int8",
        "all Linear, Conv1d and Conv2d in the list or a Sequential",
        `${inner} in ${path}, a ${name}`,
      );
    }
  }
}

/** The weight that a layer computes with, as integers, and its bias. */
function roundedOf(layer: WeightLayer, perChannel: boolean): Int8State {
  const { weight, bias } = layer;
  const inputs = weight.size / (weight.sizes[0] as number);
  if (inputs > MOST_INPUTS) throw wrongValue("Int8", "at most 2²⁴ inputs of an output", inputs);
  const { q, scales, shape } = weightIntegers("Int8", layer, gridIn(layer) ?? { bits: 8, perChannel });
  const added = bias === null ? null : bias.toFloat32Array();
  for (const value of added ?? []) if (!Number.isFinite(value)) throw wrongValue("Int8", "finite biases", value);
  return { shape, q, scales, bias: added };
}
