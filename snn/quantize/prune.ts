/** Magnitude pruning: masks that keep weights at zero through training. */
import {
  choiceOf,
  NOT_NEGATIVE,
  numberOf,
  show,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { type Module, noGrad, ones, type Tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { isWeighted, type Weighted } from "../../engine/nn/reading.ts";
import { setReading } from "../../engine/nn/readings.ts";
import { root, scope } from "../../engine/scope.ts";
import { buffer } from "../../engine/tape.ts";

/** Options of {@link prune}: an amount or a threshold. */
export interface PruneOptions {
  /** The share that is pruned, in [0, 1], of all weights or outputs, those that were pruned before included. */
  amount?: number;
  /** Weights, or means of an output, of a smaller magnitude are pruned; finite and ≥ 0. */
  threshold?: number;
  /** "layer" (default): the share is that of each layer. "global": one ranking over all layers. */
  scope?: "layer" | "global";
  /** "weight" (default): each weight on its own. "output": all weights of a row or a filter, ranked by their mean magnitude. */
  unit?: "weight" | "output";
  /** Paths of the layers to prune; all by default. */
  layers?: readonly string[];
}

/** The result of {@link prune}. */
export interface Pruned {
  /** The share of weights that masks keep at 0. */
  readonly sparsity: number;
  /** The same of each layer that was pruned, by its path. */
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
 * Keeps the weights of the smallest magnitude at zero, by masks that stay through training:
 *
 *   w′ = w ⊙ m     m = 0 for the pruned weights, else 1     ∂L/∂w = ∂L/∂w′ ⊙ m
 *
 * Layers compute with w′: pruned weights are 0 in each run, whatever an optimizer does to w. Of n weights ⌊amount·n + ½⌋ are
 * pruned; of equal weights the first. Pruned weights rank before all others, so a second call with a larger amount goes on from the first,
 * and a call with a smaller amount changes nothing. Layers with weights are `Linear`, `Conv1d`, `Conv2d`, `DelayedLinear` and the
 * connection "all" of `Recurrent`; biases stay.
 *
 * The mask is a buffer of the layer, `mask`, in the shape of the weight: state dicts and checkpoints hold it as `0.mask` beside
 * `0.weight`. A new model that is to load masks gets them by `prune(model, { amount: 0 })`. {@link applyMasks} writes the zeros into the
 * weights and takes the masks away.
 *
 *     for (let epoch = 1; epoch <= epochs; epoch++) {
 *       const amount = 0.9 * (1 - (1 - epoch / epochs) ** 3); // Zhu and Gupta: fast at first, slower towards the end
 *       prune(model, { amount });
 *       await fit(model, loader, { epochs: 1, optimizer, loss });
 *     }
 *
 * @throws RangeError unless there is either an amount in [0, 1] or a threshold that is finite and ≥ 0, for an unknown scope or unit, for
 *   paths without a layer to prune, and for a model without one; TypeError for arguments and options of another kind or name. Masks are
 *   then as before.
 * @see Han et al. (2015), Learning both Weights and Connections for Efficient Neural Networks, NeurIPS; Zhu and Gupta (2017), To Prune, or
 *   Not to Prune: Exploring the Efficacy of Pruning for Model Compression, arXiv:1710.01878; for outputs Li et al. (2017), Pruning Filters
 *   for Efficient ConvNets, ICLR.
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
  const layers = layersOf(where, model, names).map(([path, layer]) => ({ path, layer, ...unitsOf(layer, unit) }));
  for (const group of scope === "global" ? [layers] : layers.map((each) => [each])) {
    if (threshold === undefined) dropShare(group, amount as number);
    else dropBelow(group, threshold);
  }
  for (const { layer, keeps } of layers) maskOf(layer).copyFrom(keeps);
  return sparsityOf(layers);
}

/**
 * Writes the zeros of all masks into the weights, and takes the masks away: w ← w ⊙ m. The model computes the same, its state has no masks
 * any more, and training may move the weights away from 0 again. Layers without a mask stay as they are.
 *
 * @throws TypeError for anything but a module.
 */
export function applyMasks(model: Module): void {
  for (const [, layer] of moduleOf("applyMasks", model).namedModules()) {
    if (!isMasked(layer)) continue;
    const { weight, mask } = layer;
    noGrad(() => void weight.copyFrom(weight.mul(mask)));
    unmask(layer, mask);
    mask.dispose();
  }
}

/** A layer with a mask. */
type Masked = Weighted & { readonly mask: Tensor };

const isMasked = (layer: Module): layer is Masked => isWeighted(layer) && "mask" in layer;

function layersOf(
  where: string,
  model: Module,
  names: readonly string[] | undefined,
): [path: string, layer: Weighted][] {
  const found = moduleOf(where, model)
    .namedModules()
    .filter((each): each is [string, Weighted] => isWeighted(each[1]));
  if (names === undefined) {
    if (found.length === 0) throw wrongValue(where, "a model with layers to prune", "none");
    return found;
  }
  if (!Array.isArray(names)) throw wrongType(where, "layers as a list of paths", names);
  return [...new Set(names as readonly string[])].map((name) => {
    const layer = found.find(([path]) => path === name);
    if (layer === undefined) throw wrongValue(where, `layers of ${found.map(([path]) => path).join(", ")}`, show(name));
    return layer;
  });
}

/** The units of a layer that are pruned or kept as a whole. */
interface Units {
  /** Weights of a unit. */
  readonly each: number;
  /** The mean magnitude of each; −1 for those that are pruned already. */
  readonly magnitudes: Float64Array;
  /** The mask. */
  readonly keeps: Float32Array;
}

function unitsOf(layer: Weighted, unit: "weight" | "output"): Units {
  const values = layer.weight.toFloat32Array();
  const keeps = isMasked(layer) ? layer.mask.toFloat32Array() : new Float32Array(values.length).fill(1);
  const each = unit === "weight" ? 1 : values.length / (layer.weight.sizes[0] as number);
  const magnitudes = new Float64Array(values.length / each).map((_, u) => {
    let [sum, kept] = [0, 0];
    for (let i = u * each; i < (u + 1) * each; i++) {
      if (keeps[i] === 0) continue;
      sum += Math.abs(values[i] as number);
      kept++;
    }
    return kept === 0 ? -1 : sum / each;
  });
  return { each, magnitudes, keeps };
}

/** Sets the mask of the units at these places to zero. */
function drop({ keeps, each }: Units, at: number): void {
  keeps.fill(0, at * each, (at + 1) * each);
}

function dropBelow(group: readonly Units[], threshold: number): void {
  for (const units of group) {
    for (const [at, magnitude] of units.magnitudes.entries()) if (magnitude < threshold) drop(units, at);
  }
}

/** Drops the smallest units, of equal ones the first, up to the share of all weights. */
function dropShare(group: readonly Units[], amount: number): void {
  const magnitudes = group.flatMap((units) => Array.from(units.magnitudes));
  const starts = group.map((_, i) => group.slice(0, i).reduce((sum, units) => sum + units.magnitudes.length, 0));
  const total = group.reduce((sum, { keeps }) => sum + keeps.length, 0);
  const order = Uint32Array.from(magnitudes.keys()).sort(
    (a, b) => (magnitudes[a] as number) - (magnitudes[b] as number),
  );
  let weights = 0;
  for (const place of order) {
    const layer = starts.filter((start) => start <= place).length - 1;
    const units = group[layer] as Units;
    // The last unit is the one that comes nearest to the share.
    if (weights + units.each / 2 > amount * total) break;
    drop(units, place - (starts[layer] as number));
    weights += units.each;
  }
}

/** The mask of a layer; a layer without one gets ones, and reads its weight through them. */
function maskOf(layer: Weighted): Tensor {
  if (isMasked(layer)) return layer.mask;
  const mask = noGrad(() => buffer(ones(layer.weight.sizes)));
  Object.defineProperty(layer, "mask", { value: mask, enumerable: true, configurable: true });
  setReading(layer, "mask", (weight) => weight.mul(mask));
  // A tape that fails frees what was made in it, the mask too.
  if (scope !== root) scope.persisted.push({ dispose: () => unmask(layer, mask) });
  return mask;
}

/** The layer reads its weight as it is again, unless it has another mask by now. */
function unmask(layer: Weighted, mask: Tensor): void {
  if (!isMasked(layer) || layer.mask !== mask) return;
  setReading(layer, "mask", null);
  Reflect.deleteProperty(layer, "mask");
}

function sparsityOf(layers: readonly (Units & { readonly path: string; readonly layer: Weighted })[]): Pruned {
  const pruned = layers.map(({ keeps }) => keeps.reduce((sum, kept) => sum + (kept === 0 ? 1 : 0), 0));
  const weights = layers.reduce((sum, { keeps }) => sum + keeps.length, 0);
  const names = layers.map(({ path, layer }) => path || layer.constructor.name);
  return {
    sparsity: pruned.reduce((sum, n) => sum + n, 0) / weights,
    layers: Object.fromEntries(layers.map(({ keeps }, i) => [names[i], (pruned[i] as number) / keeps.length])),
  };
}
