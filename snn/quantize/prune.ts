/** Magnitude pruning: masks that keep weights at zero through training. */
import {
  choiceOf,
  listed,
  NOT_NEGATIVE,
  numberOf,
  show,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { alive, buffer } from "../../engine/extend.ts";
import { type Module, noGrad, ones, type Tensor } from "../../engine/index.ts";
import { root, scope } from "../../engine/lasting.ts";
import { moduleOf, readBefore, readingAt, setReading, type Weighted } from "../../engine/protocol.ts";
import { weightedIn } from "./weights.ts";

/** Options of {@link prune}: either an amount or a threshold. */
export interface PruneOptions {
  /** Share of all weights or outputs to prune, in [0, 1]; already pruned ones count. */
  amount?: number;
  /** Prunes weights whose magnitude, or outputs whose mean magnitude, is below this number; finite and ≥ 0. */
  threshold?: number;
  /** "layer" (default) applies the share to each layer; "global" ranks the weights of all layers together. */
  scope?: "layer" | "global";
  /** "weight" (default) prunes single weights; "output" prunes whole rows or filters, ranked by mean magnitude. */
  unit?: "weight" | "output";
  /** Paths of the layers to prune, or the class name if the model is a layer itself; default all. */
  layers?: readonly string[];
}

/** Result of {@link prune}. */
export interface Pruned {
  /** Share of weights that masks keep at 0. */
  readonly sparsity: number;
  /** Share of each pruned layer by path, or by class name if the model is a layer itself. */
  readonly layers: Readonly<Record<string, number>>;
}

const DEFAULTS = {
  amount: undefined as number | undefined,
  threshold: undefined as number | undefined,
  scope: "layer" as "layer" | "global",
  unit: "weight" as "weight" | "output",
  layers: undefined as readonly string[] | undefined,
} satisfies Record<keyof PruneOptions, unknown>;

/**
 * Keeps the weights of the smallest magnitude at zero, by masks that persist during training:
 *
 *   w′ = w ⊙ m     m = 0 for the pruned weights, else 1     ∂L/∂w = ∂L/∂w′ ⊙ m
 *
 * Layers compute with w′: pruned weights are 0 in each run, whatever an optimizer does to w. ⌊amount·n + ½⌋ of n weights are pruned, the first of
 * equal ones; outputs are pruned until their weights come nearest to the share. Weights that were pruned before count, so a second call with a larger
 * amount continues the first. A layer (with "global", the model) that has already lost this share does not change. Layers with weights are `Linear`,
 * `Conv1d`, `Conv2d`, `DelayedLinear` and the connection "all" of `Recurrent`, except for subclasses that override `forward`; biases are never
 * pruned.
 *
 * The mask is a buffer of the layer, `mask`, in the shape of the weight: state dicts and checkpoints store it as `0.mask` beside `0.weight`. Call
 * `prune(model, { amount: 0 })` on a new model before it loads masks. {@link applyMasks} writes the zeros into the weights and removes the masks.
 *
 * @throws RangeError unless there is either an amount in [0, 1] or a threshold that is finite and ≥ 0, for an unknown
 *   scope or unit, for paths or a model without a layer to prune, and for a layer that is frozen, has a different field
 *   `mask`, or weights that are not finite; TypeError for an unknown option or a value of the wrong type. After an
 *   error, also one of an enclosing tape, masks are as before.
 * @see Han et al. (2015), Learning both Weights and Connections for Efficient Neural Networks, NeurIPS; Zhu and Gupta (2017), To Prune, or
 *   Not to Prune: Exploring the Efficacy of Pruning for Model Compression, arXiv:1710.01878; for outputs Li et al. (2017), Pruning Filters
 *   for Efficient ConvNets, ICLR.
 *
 * @example
 * ```ts
 * import { Linear, Sequential } from "jarvis-snn";
 * import { prune } from "jarvis-snn/quantize";
 *
 * const layer = new Linear(4, 1);
 * layer.weight.copyFrom([0.1, -2, 0.3, 1]);
 * const { sparsity } = prune(new Sequential(layer), { amount: 0.5 }); // masks stay through training
 * console.log(sparsity, layer.stateDict().mask?.data); // 0.5 Float32Array(4) [ 0, 1, 0, 1 ]
 * ```
 */
export function prune(model: Module, options: PruneOptions): Pruned {
  const where = "prune";
  const { amount, threshold, scope, unit, layers: names } = withDefaults(where, DEFAULTS, options);
  if ((amount === undefined) === (threshold === undefined)) {
    throw wrongValue(where, "an amount or a threshold", `amount ${show(amount)} and threshold ${show(threshold)}`);
  }
  if (amount !== undefined) numberOf(where, "amount", amount, UNIT);
  if (threshold !== undefined) numberOf(where, "threshold", threshold, NOT_NEGATIVE);
  choiceOf(where, "scope", scope, ["layer", "global"]);
  choiceOf(where, "unit", unit, ["weight", "output"]);
  const layers = prunedIn(where, model, names).map(([name, layer]) => ({
    name,
    layer,
    ...unitsOf(where, layer, unit),
  }));
  for (const group of scope === "global" ? [layers] : layers.map((each) => [each])) {
    if (threshold === undefined) dropShare(group, amount as number);
    else dropBelow(group, threshold);
  }
  for (const { layer, keeps } of layers) write(maskOf(layer), layer, keeps);
  return sparsityOf(layers);
}

/**
 * Writes the zeros of all masks into the weights and removes the masks: w ← w ⊙ m. The model computes the same, its state has no masks, and training
 * may move the weights away from 0 again. Layers without a mask of {@link prune} do not change.
 *
 * @throws TypeError for anything but a module; RangeError for a layer that is frozen, Error for a weight or a mask that was freed. Errors are thrown
 *   before any write.
 *
 * @example
 * ```ts
 * import { Linear } from "jarvis-snn";
 * import { applyMasks, prune } from "jarvis-snn/quantize";
 *
 * const layer = new Linear(4, 1);
 * layer.weight.copyFrom([0.25, -2, 0.5, 1]);
 * prune(layer, { threshold: 0.75 });
 * applyMasks(layer);
 * console.log(layer.weight.toArray()); // [ [ 0, -2, 0, 1 ] ]
 * ```
 */
export function applyMasks(model: Module): void {
  const where = "applyMasks";
  const layers = weightedIn(moduleOf(where, model)).filter((each): each is [string, Masked] => isMasked(each[1]));
  for (const [name, layer] of layers) {
    checkExtensible(where, name, layer);
    for (const t of [layer.weight, layer.mask]) alive(t, where);
  }
  for (const [, layer] of layers) {
    const { weight, mask } = layer;
    noGrad(() => void weight.copyFrom(weight.mul(mask)));
    unmask(layer, mask);
    mask.dispose();
  }
}

type Masked = Weighted & { readonly mask: Tensor };

/** The mask that `prune` made; a field of the same name may have a different purpose. */
const maskIn = (layer: Weighted): Tensor | undefined => readingAt(layer, "mask")?.mask;

const isMasked = (layer: Weighted): layer is Masked => "mask" in layer && layer.mask === maskIn(layer);

/** Layers to prune by name: their path, or the class name if the model is a layer itself. */
function prunedIn(where: string, model: Module, names: readonly string[] | undefined): [string, Weighted][] {
  const all = weightedIn(moduleOf(where, model)).map(([path, layer]): [string, Weighted] => [
    path || layer.constructor.name,
    layer,
  ]);
  const found = names === undefined ? all : namedAmong(where, all, names);
  if (found.length === 0) throw wrongValue(where, "a model with layers to prune", "none");
  for (const [name, layer] of found) {
    if ("mask" in layer && !isMasked(layer)) {
      throw wrongValue(where, "layers without a field mask", `${name}, a ${layer.constructor.name} with another mask`);
    }
    checkExtensible(where, name, layer);
  }
  return found;
}

function namedAmong(where: string, all: [string, Weighted][], names: readonly string[]): [string, Weighted][] {
  if (!Array.isArray(names)) throw wrongType(where, "layers as a list of paths", names);
  if (names.length === 0) throw wrongValue(where, "layers with at least one path", "[]");
  return [...new Set(names as readonly string[])].map((name) => {
    const layer = all.find(([each]) => each === name);
    if (layer === undefined) throw wrongValue(where, `layers of ${listed(all.map(([each]) => each))}`, show(name));
    return layer;
  });
}

function checkExtensible(where: string, name: string, layer: Weighted): void {
  if (!Object.isExtensible(layer)) throw wrongValue(where, "layers that can change", `${name}, which is frozen`);
}

/** Units of a layer, each pruned or kept as a whole. */
interface Units {
  /** Weights per unit. */
  readonly each: number;
  /** Mean magnitude of each unit; −1 if it is pruned already. */
  readonly magnitudes: Float64Array;
  /** Number of unpruned weights of each unit. */
  readonly kept: Uint32Array;
  readonly keeps: Float32Array;
}

function unitsOf(where: string, layer: Weighted, unit: "weight" | "output"): Units {
  const values = noGrad(() => readBefore(layer, "mask").toFloat32Array());
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw wrongValue(where, "finite weights", wrong);
  const keeps = isMasked(layer) ? layer.mask.toFloat32Array() : new Float32Array(values.length).fill(1);
  const each = unit === "weight" ? 1 : values.length / (layer.weight.sizes[0] as number);
  const kept = new Uint32Array(values.length / each);
  const magnitudes = new Float64Array(kept.length);
  for (let u = 0; u < kept.length; u++) {
    let [sum, n] = [0, 0];
    for (let i = u * each; i < (u + 1) * each; i++) {
      if (keeps[i] === 0) continue;
      sum += Math.abs(values[i] as number);
      n++;
    }
    kept[u] = n;
    magnitudes[u] = n === 0 ? -1 : sum / each;
  }
  return { each, magnitudes, kept, keeps };
}

function drop({ keeps, each }: Units, at: number): void {
  keeps.fill(0, at * each, (at + 1) * each);
}

function dropBelow(group: readonly Units[], threshold: number): void {
  for (const units of group) {
    for (const [at, magnitude] of units.magnitudes.entries()) if (magnitude < threshold) drop(units, at);
  }
}

/** Drops the smallest units, the first of equal ones, until the share of all weights is pruned; earlier pruned ones count. */
function dropShare(group: readonly Units[], amount: number): void {
  const magnitudes = group.flatMap((units) => Array.from(units.magnitudes));
  const starts = group.map((_, i) => group.slice(0, i).reduce((sum, units) => sum + units.magnitudes.length, 0));
  const total = group.reduce((sum, { keeps }) => sum + keeps.length, 0);
  const order = Uint32Array.from(magnitudes.keys()).sort(
    (a, b) => (magnitudes[a] as number) - (magnitudes[b] as number),
  );
  let pruned = group.reduce((sum, { keeps }) => sum + prunedOf(keeps), 0);
  for (const place of order) {
    const layer = starts.filter((start) => start <= place).length - 1;
    const units = group[layer] as Units;
    const at = place - (starts[layer] as number);
    const kept = units.kept[at] as number;
    // The last unit is dropped only if that brings the number nearer to the share.
    if (kept > 0 && pruned + kept / 2 > amount * total) break;
    drop(units, at);
    pruned += kept;
  }
}

const prunedOf = (keeps: Float32Array): number => keeps.reduce((sum, kept) => sum + (kept === 0 ? 1 : 0), 0);

/** The mask of a layer. For a layer without a mask, makes one of ones and lets the layer read its weight through it. */
function maskOf(layer: Weighted): Tensor {
  if (isMasked(layer)) return layer.mask;
  const mask = noGrad(() => buffer(ones(layer.weight.sizes)));
  Object.defineProperty(layer, "mask", { value: mask, enumerable: true, configurable: true });
  setReading(
    layer,
    "mask",
    Object.assign((weight: Tensor) => weight.mul(mask), { mask }),
  );
  // A failing tape frees the tensors made in it, so the mask must be removed.
  if (scope !== root) scope.persisted.push({ dispose: () => unmask(layer, mask) });
  return mask;
}

/** Writes the values of a mask; a failing tape restores the pruned weights. */
function write(mask: Tensor, layer: Weighted, keeps: Float32Array): void {
  if (scope !== root) {
    const before = mask.toFloat32Array();
    const dispose = (): void => {
      if (maskIn(layer) !== mask) return;
      mask.copyFrom(mask.toFloat32Array().map((kept, i) => Math.max(kept, before[i] as number)));
    };
    scope.persisted.push({ dispose });
  }
  mask.copyFrom(keeps);
}

/** Removes the mask, unless it was replaced since. */
function unmask(layer: Weighted, mask: Tensor): void {
  if (maskIn(layer) !== mask) return;
  setReading(layer, "mask", null);
  Reflect.deleteProperty(layer, "mask");
}

function sparsityOf(layers: readonly (Units & { readonly name: string })[]): Pruned {
  const pruned = layers.map(({ keeps }) => prunedOf(keeps));
  const weights = layers.reduce((sum, { keeps }) => sum + keeps.length, 0);
  return {
    sparsity: pruned.reduce((sum, n) => sum + n, 0) / weights,
    layers: Object.fromEntries(layers.map(({ name, keeps }, i) => [name, (pruned[i] as number) / keeps.length])),
  };
}
