/** The cost of a network on data: spikes, operations, memory and an estimate of energy, by the definitions of NeuroBench. */
import { NOT_NEGATIVE, numberOf, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { batchOf, countOf } from "../../engine/data/batch.ts";
import {
  type Batches,
  type Dataset,
  type Encode,
  type Module,
  noGrad,
  ones,
  ReLU,
  type Tensor,
} from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { isWeighted } from "../../engine/nn/reading.ts";
import { replaceMethod } from "../../engine/nn/replace.ts";
import { constantSource } from "../../engine/ops/expand.ts";
import { formatShape, type Shape, sizeOf } from "../../engine/shape.ts";
import { alive } from "../../engine/tensor.ts";
import { type Observer, observedBy, type Seen } from "../observer.ts";
import { BatchSize } from "./batch-size.ts";
import { readData } from "./data.ts";
import { scaleCount } from "./grid.ts";
import { fanOutOf, integersIn, type Product, presentOf, productsOf, watchProducts } from "./products.ts";
import { gridIn } from "./weights.ts";

/** Joules of an operation. */
export interface Joules {
  /** Of a multiplication with an addition; default 4.6e-12. */
  mac?: number;
  /** Of an addition alone; default 0.9e-12. */
  ac?: number;
  /** Of a step of a neuron; default 0, as the cited figures are of synapses. */
  update?: number;
}

/** Options of {@link profile}. */
export interface ProfileOptions {
  /** Turns the samples of a batch into the input of the model, as in `fit`; by default the batch is the input. */
  encode?: Encode;
  /**
   * The axis of the samples in the input of the model: 1 behind time, 0 without it. Default: the axis that has as many samples as layers of
   * neurons got, [T, B, …], or layers with weights, [B, …], in a model without neurons.
   */
  batchAxis?: 0 | 1;
  /** Joules of an operation. */
  joules?: Joules;
}

/** Synaptic operations of a sample. */
export interface SynapticOperations {
  /** All products of an input and a weight, zeros too. */
  readonly dense: number;
  /** Products without a zero, of steps whose inputs have other values than 0, 1 and −1: multiplications with additions. */
  readonly effectiveMACs: number;
  /** Products without a zero, of steps whose inputs are all 0, 1 or −1: additions alone. */
  readonly effectiveACs: number;
}

/** Joules of a sample. */
export interface Energy {
  /** Of the effective MACs. */
  readonly macs: number;
  /** Of the effective ACs. */
  readonly acs: number;
  /** Of the steps of neurons. */
  readonly updates: number;
  /** The sum. */
  readonly total: number;
}

/** The cost of a layer, or of a network. */
export interface Cost {
  /** Parameters, by their number; integers of `Int8` too. */
  readonly parameterCount: number;
  /** Bytes of parameters and buffers; weights on a grid of `quantize` with their bits, integers of `Int8` with a byte, and their scales. */
  readonly footprint: number;
  /** The share of weights that are 0, of weights of products; null without such weights. */
  readonly connectionSparsity: number | null;
  /** The share of outputs of neurons and of `ReLU` that are 0, over steps and samples; null without such layers. */
  readonly activationSparsity: number | null;
  /** Spikes of a sample. */
  readonly spikes: number;
  /** Steps of neurons of a sample: neurons × time steps. */
  readonly neuronUpdates: number;
  /** Operations of a sample. */
  readonly synapticOperations: SynapticOperations;
  /** The estimate of a sample, in joules. */
  readonly energy: Energy;
}

/** The cost of a layer. */
export interface LayerCost extends Cost {
  /** The class of the layer. */
  readonly kind: string;
}

/** The result of {@link profile}: a plain object. */
export interface Profile {
  /** The layers by the paths of their modules. */
  readonly layers: Readonly<Record<string, LayerCost>>;
  /** Names of the layers as the model lists them. The keys of `layers` have another order: JavaScript puts "1" before "0.1". */
  readonly order: readonly string[];
  /** The network. */
  readonly total: Cost;
  /** Samples in the data. */
  readonly samples: number;
  /**
   * Names of weight matrices without a count: those of layers of one's own, of subclasses with a `forward` of their own, and of layers that
   * did not run.
   */
  readonly uncounted: readonly string[];
}

const JOULES: Required<Joules> = { mac: 4.6e-12, ac: 0.9e-12, update: 0 };

const DEFAULTS = {
  encode: ((x) => x) as Encode,
  batchAxis: undefined as 0 | 1 | undefined,
  joules: {} as Joules,
} satisfies Record<keyof ProfileOptions, unknown>;

/**
 * The cost of a sample, by layer and in total, measured on data by the definitions of NeuroBench:
 *
 *   dense            Σ over steps of the weights that the inputs meet, zeros too; padding is no input
 *   effective        Σ over steps of pairs of an input ≠ 0 and a weight ≠ 0:  Σ_i c[i]·F[i]
 *   ACs, MACs        effective ones of steps whose inputs are all 0, 1 or −1, and of the other steps
 *   activationSparsity   outputs = 0 / outputs, of neurons and ReLU      connectionSparsity   weights = 0 / weights
 *   energy           MACs·4.6 pJ + ACs·0.9 pJ (Horowitz: float32 at 45 nm, 3.7 pJ a product, 0.9 pJ a sum)
 *
 * c[i]: steps in which input i is not 0, F[i]: its weights that are not 0. Biases, pools, normalisation and neurons are no synaptic
 * operations. Operations, spikes, updates and joules are means over samples, of all time steps of a sample; NeuroBench rounds sparsity.
 *
 * Counted are `Linear`, `Conv1d`, `Conv2d`, `DelayedLinear`, the connection of `Recurrent`, whose inputs are the spikes of the step
 * before, `SpikingLSTM`, and the layers of `Int8`; spikes are those of the layers that `record` sees. A layer that runs at several places is counted
 * for all of them. The estimate leaves out memory: reading a weight can cost more than the product with it. The option `joules` has
 * the figures of other hardware.
 *
 *     profile(model, testLoader, { encode }).total.synapticOperations;
 *
 * Data: the input of the model as a tensor, [T, B, …]; or batches, a loader or a dataset, as in `evaluate`. The model runs in evaluation
 * mode, nothing is recorded, and its methods are as before afterwards.
 *
 * @throws RangeError for data without samples, batches with another number of targets than of samples, an input without a batchAxis whose axis of samples the layers do not tell, joules that are
 *   not finite and ≥ 0, or a batchAxis but 0 and 1; TypeError for arguments
 *   and options of another kind or name; and what the model throws.
 * @see Yik et al. (2025), The NeuroBench Framework for Benchmarking Neuromorphic Computing Algorithms and Systems, Nature Communications
 *   16; Horowitz (2014), Computing's Energy Problem (and What We Can Do about It), ISSCC.
 */
export function profile<Y>(
  model: Module,
  data: Tensor | Batches<Y> | Dataset<Y>,
  options: ProfileOptions = DEFAULTS as ProfileOptions,
): Profile {
  const where = "profile";
  const { encode, batchAxis, joules } = withDefaults(where, DEFAULTS, options);
  const price = pricesOf(where, joules);
  if (![undefined, 0, 1].includes(batchAxis)) throw wrongValue(where, "batchAxis 0 or 1", show(batchAxis));
  moduleOf(where, model);
  const meter = new Meter(model);
  /** Runs the model on samples; gives the shape of its input. */
  const run = (x: Tensor, lengths?: Int32Array): Shape =>
    noGrad(() => {
      const input = encode(x, lengths);
      alive(input, `${where}: encode`);
      meter.count(() => alive(model.forward(input), `${where}: the output of the model`));
      return input.sizes;
    });
  /** The samples in an input that has just run. */
  const samplesIn = (shape: Shape): number => {
    if (batchAxis === undefined) return meter.batch.in(where, shape);
    const rows = shape[batchAxis];
    if (rows === undefined)
      throw wrongValue(where, `an input with an axis ${batchAxis} of samples`, formatShape(shape));
    return rows;
  };
  let samples = 0;
  model.evaluating(() =>
    readData(
      where,
      data,
      (x) => {
        samples = samplesIn(run(x));
      },
      (batch) => {
        const { x, y, lengths, size } = batchOf(where, batch);
        const shape = run(x, lengths);
        // A size, or the lengths, tell the samples by themselves.
        const isGiven = batch.size !== undefined || lengths !== undefined;
        const rows = isGiven ? size : samplesIn(shape);
        const targets = isGiven ? size : (countOf(y) ?? rows);
        if (targets !== rows)
          throw wrongValue(where, `as many targets as samples, ${rows}, or the size of the batch`, targets);
        samples += rows;
      },
    ),
  );
  if (samples === 0)
    throw new RangeError(`${where}: expected data with samples, got no batches; a generator gives them once`);
  return meter.result(samples, price);
}

function pricesOf(where: string, joules: Joules): Required<Joules> {
  const prices = withDefaults(`${where}: joules`, JOULES, joules);
  for (const name of ["mac", "ac", "update"] as const) numberOf(where, `joules.${name}`, prices[name], NOT_NEGATIVE);
  return prices;
}

/** Sums of a layer, over all samples. */
class Tally {
  dense = 0;
  macs = 0;
  acs = 0;
  spikes = 0;
  /** Outputs of neurons and of ReLU, and those that are not 0. */
  outputs = 0;
  active = 0;
  updates = 0;
  weights = 0;
  zeros = 0;
  parameters = 0;
  bytes = 0;

  add(other: Tally): void {
    for (const name of Object.keys(this) as (keyof Tally & ("dense" | "macs"))[]) this[name] += other[name];
  }

  cost(samples: number, { mac, ac, update }: Required<Joules>): Cost {
    const [macs, acs, updates] = [this.macs / samples, this.acs / samples, this.updates / samples];
    const energy = { macs: macs * mac, acs: acs * ac, updates: updates * update };
    return {
      parameterCount: this.parameters,
      footprint: this.bytes,
      connectionSparsity: this.weights === 0 ? null : this.zeros / this.weights,
      activationSparsity: this.outputs === 0 ? null : 1 - this.active / this.outputs,
      spikes: this.spikes / samples,
      neuronUpdates: updates,
      synapticOperations: { dense: this.dense / samples, effectiveMACs: macs, effectiveACs: acs },
      energy: { ...energy, total: energy.macs + energy.acs + energy.updates },
    };
  }
}

/** Fan-outs of the inputs of a product: of all weights, and of those that are not zero. */
interface FanOuts {
  readonly all: number;
  readonly present: Float32Array;
}

class Meter implements Observer {
  /** The batch of the last run. */
  batch = new BatchSize();
  private readonly model: Module;
  private readonly names: ReadonlyMap<Module, string>;
  private readonly tallies = new Map<Module, Tally>();
  private readonly fanOuts = new Map<object, Map<string, FanOuts>>();

  constructor(model: Module) {
    this.model = model;
    this.names = new Map(model.namedModules().map(([name, module]) => [module, name]));
  }

  /** Counts what happens while fn runs the model. */
  count(fn: () => void): void {
    this.batch = new BatchSize();
    const see = (product: Product, x: Tensor): void => this.multiplied(product, x);
    const undo = this.model.namedModules().map(([, module]) => module instanceof ReLU && this.watched(module));
    try {
      noGrad(() => watchProducts(this.model, see, () => observedBy(this, fn)));
    } finally {
      for (const restore of undo) if (restore) restore();
    }
  }

  private watched(layer: ReLU): () => void {
    const { forward } = layer;
    return replaceMethod(layer, "forward", (x) => {
      const z = forward.call(layer, x);
      this.activated(layer, z);
      return z;
    });
  }

  run<R extends object>(layer: Module, current: Tensor, _continues: boolean, run: (current: Tensor) => R): R {
    const result = observedBy(null, () => run(current)) as R & Seen;
    this.fired(layer, current, result.spikes);
    return result;
  }

  see(layer: Module, { current, spikes, membrane }: Seen): void {
    const any = current ?? spikes ?? membrane;
    if (any !== undefined) this.fired(layer, any, spikes);
  }

  private tallyOf(module: Module): Tally {
    const known = this.tallies.get(module) ?? new Tally();
    this.tallies.set(module, known);
    return known;
  }

  private fired(layer: Module, current: Tensor, spikes: Tensor | undefined): void {
    this.batch.sequence(layer, current);
    const tally = this.tallyOf(layer);
    tally.updates += current.size;
    if (spikes !== undefined) tally.spikes += this.activated(layer, spikes);
  }

  /** Notes the outputs of a layer; gives the number of those that are not 0. */
  private activated(layer: Module, z: Tensor): number {
    const tally = this.tallyOf(layer);
    const steps = noGrad(() => countsOf(z, Math.min(1, z.ndim)));
    const active = steps.reduce((sum, { nonZeros, times }) => sum + sumOf(nonZeros) * times, 0);
    tally.outputs += z.size;
    tally.active += active;
    return active;
  }

  private multiplied(product: Product, x: Tensor): void {
    const tally = this.tallyOf(product.owner);
    this.batch.input(product.owner, x, product.axes);
    const { all, present } = this.fanOutsOf(product, x);
    const inputs = sizeOf(x.sizes.slice(-product.axes));
    tally.dense += (x.size / inputs) * all;
    for (const { nonZeros, isBinary, times } of noGrad(() => countsOf(x, product.axes))) {
      let operations = 0;
      for (let i = 0; i < inputs; i++) operations += (nonZeros[i] as number) * (present[i] as number);
      tally[isBinary ? "acs" : "macs"] += operations * times;
    }
  }

  private fanOutsOf(product: Product, x: Tensor): FanOuts {
    const { key: weights, sizes, axes } = product;
    const known = this.fanOuts.get(weights) ?? new Map<string, FanOuts>();
    this.fanOuts.set(weights, known);
    const key = formatShape(x.sizes.slice(-axes));
    const found = known.get(key) ?? {
      all: sumOf(noGrad(() => fanOutOf(product, ones(sizes), x.sizes).toFloat32Array())),
      present: noGrad(() => fanOutOf(product, presentOf(product), x.sizes).toFloat32Array()),
    };
    known.set(key, found);
    return found;
  }

  result(samples: number, prices: Required<Joules>): Profile {
    const uncounted: string[] = [];
    const products = productsOf(this.model);
    for (const product of products) {
      const tally = this.tallyOf(product.owner);
      const size = sizeOf(product.sizes);
      tally.weights += size;
      tally.zeros += noGrad(() => size - sumOf(presentOf(product).toFloat32Array()));
    }
    const modules = this.model.namedModules();
    for (const [name, module] of modules) {
      const integers = integersIn(module);
      if (integers === null) continue;
      const tally = this.tallyOf(module);
      tally.bytes += integers.bytes;
      tally.parameters += integers.count;
      if (tally.dense === 0) uncounted.push(name === "" ? "weight" : `${name}.weight`);
    }
    for (const [path, t] of this.model.namedState()) {
      // Inner modules come later.
      const [, owner] = modules.filter(([name]) => name === "" || path.startsWith(`${name}.`)).pop() as [
        string,
        Module,
      ];
      const tally = this.tallyOf(owner);
      tally.bytes += bytesOf(t, owner);
      if (!t.isParameter) continue;
      tally.parameters += t.size;
      const isWeight = t.sizes.filter((size) => size > 1).length > 1 || (path.endsWith("V") && "recurrent" in owner);
      if (isWeight && tally.dense === 0 && !this.fanOuts.has(t)) uncounted.push(path);
    }
    const total = new Tally();
    const order = [...modules.map(([, module]) => module), ...this.tallies.keys()];
    const layers = new Map<string, LayerCost>();
    for (const module of new Set(order)) {
      const tally = this.tallies.get(module);
      if (tally === undefined) continue;
      total.add(tally);
      const name = this.names.get(module) || module.constructor.name;
      layers.set(name, { kind: module.constructor.name, ...tally.cost(samples, prices) });
    }
    return {
      layers: Object.fromEntries(layers),
      order: [...layers.keys()],
      total: total.cost(samples, prices),
      samples,
      uncounted,
    };
  }
}

/** Bytes of a tensor of this layer: a weight on a grid has its bits, and scales. */
function bytesOf(t: Tensor, owner: Module): number {
  const grid = isWeighted(owner) && owner.weight === t ? gridIn(owner) : null;
  if (grid === null) return BYTES * t.size;
  const bits = grid.bits === "ternary" ? 2 : grid.bits;
  return Math.ceil((bits * t.size) / 8) + BYTES * scaleCount(grid, t);
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Inputs of a product in one step. */
interface StepCounts {
  /** Samples in which each input is not zero. */
  readonly nonZeros: Float32Array;
  /** Whether all inputs are 0, 1 or −1. */
  readonly isBinary: boolean;
  /** Time steps that are the same. */
  readonly times: number;
}

/**
 * The inputs of each step that are not zero, over samples: x [T, B, …, features] with `axes` axes of features. With one axis before the
 * features, or none, x is one step. Spikes as bits are counted as they are, steps that repeat each other once.
 */
function countsOf(x: Tensor, axes: number): StepCounts[] {
  const inputs = sizeOf(x.sizes.slice(-axes));
  if (x.ptr === 0 && x.bits !== 0) {
    const nonZeros = x.reshape([-1, inputs]).sum({ axis: 0 }).toFloat32Array();
    return [{ nonZeros, isBinary: true, times: 1 }];
  }
  const source = x.ndim > axes ? constantSource(x) : null;
  const times = source === null ? 1 : x.size / source.size;
  const steps = source === null && x.ndim > axes + 1 ? (x.sizes[0] as number) : 1;
  const rows = (source ?? x).reshape([steps, -1, inputs]);
  const samples = rows.sizes[1] as number;
  const zeros = rows.eq(0).sum({ axis: 1 }).toFloat32Array();
  const units = rows.abs().eq(1).sum({ axis: 1 }).toFloat32Array();
  return Array.from({ length: steps }, (_, t) => {
    const [from, to] = [t * inputs, (t + 1) * inputs];
    const nonZeros = zeros.slice(from, to).map((n) => samples - n);
    return { nonZeros, isBinary: units.subarray(from, to).every((n, i) => n === nonZeros[i]), times };
  });
}

const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
