/** Weights on a grid of few values, which `quantize` installs as a reparametrization of layers. */
import { numberOf, type Range, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { Module, noGrad, type Tensor } from "../../engine/index.ts";
import { isWeighted, type Reading, readBefore, readingAt, setReading, type Weighted } from "../../engine/protocol.ts";
import { type Grid, gridOf, largestInteger, onGrid, type WeightBits } from "./grid.ts";
import { isLinked } from "./neurons.ts";

/** Options of the weights in {@link quantize}. */
export interface WeightOptions {
  /** b, the number of bits: 2 to 8, or "ternary". */
  bits: WeightBits;
  /** Whether each output, a row of [out, …], has its own scale; false: one scale for all rows. Default true. */
  perChannel?: boolean;
}

const DEFAULTS: { bits: unknown; perChannel: boolean } = { bits: null, perChannel: true };

const BITS: Range = {
  expected: 'an integer from 2 to 8, or "ternary"',
  fits: (x) => Number.isInteger(x) && x >= 2 && x <= 8,
};

/** The grid of the options. */
export function gridFrom(where: string, options: unknown): Grid {
  const { bits, perChannel } = withDefaults(`${where}: weights`, DEFAULTS, options);
  if (bits === "ternary") return { bits, perChannel };
  return { bits: numberOf(where, "weights.bits", bits, BITS) as WeightBits, perChannel };
}

/** Layers of a model whose weights can be on a grid, by name. */
export const weightedIn = (model: Module): [name: string, layer: Weighted][] =>
  model.namedModules().filter((each): each is [string, Weighted] => isWeighted(each[1]));

/**
 * `weightedIn`, if these are all weights of the model: parameters of two or more axes, and the weights with which neurons of a `Recurrent`
 * feed back to themselves.
 *
 * @throws RangeError for a model without such layers, and for weights of unsupported layers, such as `Embedding`, `SpikingLSTM`, `PSN` or a subclass
 *   that overrides `forward`; Error for a weight that was freed.
 */
export function onlyWeightedIn(where: string, model: Module): [name: string, layer: Weighted][] {
  const layers = weightedIn(model);
  const modules = new Map(model.namedModules());
  const read = new Set(layers.flatMap(([, layer]) => layer.namedParameters().map(([, t]) => t)));
  for (const [name, t] of model.namedParameters()) {
    const dot = name.lastIndexOf(".");
    const owner = modules.get(name.slice(0, Math.max(dot, 0))) ?? model;
    const isWeight = t.ndim > 1 || (name.slice(dot + 1) === "V" && isLinked(owner));
    if (read.has(t) || !isWeight) continue;
    throw wrongValue(
      where,
      "layers that read their weights on a grid",
      `${owner.constructor.name} with ${name}; quantize such layers apart: quantize(model.modules[0], …)`,
    );
  }
  if (layers.length === 0) throw wrongValue(where, "a model with layers for the option weights", "none");
  for (const [, { weight }] of layers) alive(weight, where);
  return layers;
}

type OnGrid = Reading & { readonly grid: Grid };

/** Puts the weight of the layer on a grid, or with null removes the grid. */
export function setGrid(layer: Weighted, grid: Grid | null): void {
  setReading(layer, "grid", grid && Object.assign((weight: Tensor) => onGrid(weight, grid), { grid }));
}

/** The grid of the layer, or null. */
export const gridIn = (layer: Weighted): Grid | null =>
  (readingAt(layer, "grid") as Partial<OnGrid> | null)?.grid ?? null;

/** Weights as integers: the layer computes with `scales[row]·q`, rounded to float32. */
export interface QuantizedWeights {
  /** q in row-major order, one value for each weight, for any number of bits. */
  readonly q: Int8Array;
  /** s: [1] for all weights, or [out], a scale for each row of [out, …]. */
  readonly scales: Float32Array;
  /** Bits of the grid. */
  readonly bits: WeightBits;
  /** Shape of the weight, [out, in] for a Linear. */
  readonly shape: readonly number[];
}

/**
 * Weights of a quantized layer (see {@link quantize}) as integers and scales:
 *
 *   w[o, …] = s[o]·q[o, …]     |q| ≤ 2^(bits − 1) − 1, ternary |q| ≤ 1
 *
 * If `perChannel` is false, s[0] applies to all o. Masked weights are 0.
 *
 * @throws TypeError for anything but a module; RangeError for a layer whose weights are not on a grid, or not finite.
 *
 * @example
 * ```ts
 * import { Linear } from "jarvis-snn";
 * import { quantize, quantizedWeights } from "jarvis-snn/quantize";
 *
 * const layer = new Linear(2, 1);
 * layer.weight.copyFrom([0.75, -1.75]);
 * const { q, scales } = quantizedWeights(quantize(layer, { weights: { bits: 4 } }));
 * console.log(q, scales); // Int8Array(2) [ 3, -7 ] Float32Array(1) [ 0.25 ]
 * ```
 */
export function quantizedWeights(layer: Module): QuantizedWeights {
  const grid = layer instanceof Module && isWeighted(layer) ? gridIn(layer) : null;
  if (grid === null) throw ungridded(layer);
  return weightIntegers(WHERE, layer as Weighted, grid);
}

/** The weights of a layer as integers on a grid. */
export function weightIntegers(where: string, layer: Weighted, grid: Grid): QuantizedWeights {
  return noGrad(() => {
    const { z, scales } = gridOf(readBefore(layer, "grid"), grid);
    const [values, factors] = [z.toFloat32Array(), scales.toFloat32Array()];
    const n = values.length / factors.length;
    const q = new Int8Array(values.length);
    for (let i = 0; i < q.length; i++) {
      const x = Math.round((values[i] as number) / (factors[Math.floor(i / n)] as number));
      if (!(Math.abs(x) <= largestInteger(grid.bits))) throw wrongValue(where, "finite weights", values[i] as number);
      q[i] = x;
    }
    return { q, scales: factors, bits: grid.bits, shape: [...layer.weight.sizes] };
  });
}

const WHERE = "quantizedWeights";

function ungridded(layer: unknown): Error {
  const expected = "a layer whose weights quantize(model, { weights }) has put on a grid";
  if (layer instanceof Module) return new RangeError(`${WHERE}: expected ${expected}, got ${layer.constructor.name}`);
  return wrongType(WHERE, expected, layer);
}
