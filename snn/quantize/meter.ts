/** Sums of everything that a profile counts, by layer, filled by taps of modules and layers. */
import { type Module, noGrad, ones, ReLU, type Tensor } from "../../engine/index.ts";
import { isWeighted, type LayerTap, tapped, untapped, type Watcher } from "../../engine/protocol.ts";
import { formatShape, sizeOf } from "../../engine/shape.ts";
import type { Seen } from "../layer/observe.ts";
import { BatchSize } from "./batch-size.ts";
import type { Cost, Joules, LayerCost, Profile } from "./cost.ts";
import { countsOfSteps, sumOfValues } from "./counts.ts";
import { scaleCount } from "./grid.ts";
import { fanOutOf, integersIn, type LinearMap, presentOf, synapsesIn, synapseWatchers } from "./synapses.ts";
import { gridIn } from "./weights.ts";

/** Sums of a layer over all samples. */
class Tally {
  dense = 0;
  macs = 0;
  acs = 0;
  spikes = 0;
  /** Outputs of neurons and ReLU, and those that are not 0. */
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

/** Fan-outs of the inputs of a product: over all weights, and over non-zero weights. */
interface FanOuts {
  readonly all: number;
  readonly present: Float32Array;
}

/** Counts the runs of a model. */
export class Meter implements LayerTap {
  /** Batch size of the last run. */
  batch = new BatchSize();
  private readonly model: Module;
  private readonly names: ReadonlyMap<Module, string>;
  private readonly tallies = new Map<Module, Tally>();
  private readonly fanOuts = new Map<object, Map<string, FanOuts>>();

  constructor(model: Module) {
    this.model = model;
    this.names = new Map(model.namedModules().map(([name, module]) => [module, name]));
  }

  /** Counts operations and spikes while fn runs the model. */
  count(fn: () => void): void {
    this.batch = new BatchSize();
    const products = synapseWatchers(this.model, (product, x) => this.multiplied(product, x));
    const calls = (module: Module) => (module instanceof ReLU ? this.rectified(module) : products(module));
    noGrad(() => tapped(this.model, { calls, layers: this }, fn));
  }

  private rectified(layer: ReLU): Watcher {
    return ({ run }) => {
      const z = run() as Tensor;
      this.activated(layer, z);
      return z;
    };
  }

  run<R extends object>(layer: Module, current: Tensor, _continues: boolean, run: (current: Tensor) => R): R {
    const result = untapped(() => run(current)) as R & Seen;
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

  /** Records the outputs of a layer; returns the number of those that are not 0. */
  private activated(layer: Module, z: Tensor): number {
    const tally = this.tallyOf(layer);
    const steps = noGrad(() => countsOfSteps(z, Math.min(1, z.ndim)));
    const active = steps.reduce((sum, { nonZeros, times }) => sum + sumOfValues(nonZeros) * times, 0);
    tally.outputs += z.size;
    tally.active += active;
    return active;
  }

  private multiplied(product: LinearMap, x: Tensor): void {
    const tally = this.tallyOf(product.owner);
    this.batch.input(product.owner, x, product.axes);
    const { all, present } = this.fanOutsOf(product, x);
    const inputs = sizeOf(x.sizes.slice(-product.axes));
    tally.dense += (x.size / inputs) * all;
    for (const { nonZeros, isBinary, times } of noGrad(() => countsOfSteps(x, product.axes))) {
      let operations = 0;
      for (let i = 0; i < inputs; i++) operations += (nonZeros[i] as number) * (present[i] as number);
      tally[isBinary ? "acs" : "macs"] += operations * times;
    }
  }

  private fanOutsOf(product: LinearMap, x: Tensor): FanOuts {
    const { key: weights, sizes, axes } = product;
    const known = this.fanOuts.get(weights) ?? new Map<string, FanOuts>();
    this.fanOuts.set(weights, known);
    const key = formatShape(x.sizes.slice(-axes));
    const found = known.get(key) ?? {
      all: sumOfValues(noGrad(() => fanOutOf(product, ones(sizes), x.sizes).toFloat32Array())),
      present: noGrad(() => fanOutOf(product, presentOf(product), x.sizes).toFloat32Array()),
    };
    known.set(key, found);
    return found;
  }

  result(samples: number, prices: Required<Joules>): Profile {
    const uncounted: string[] = [];
    const products = synapsesIn(this.model);
    for (const product of products) {
      const tally = this.tallyOf(product.owner);
      const size = sizeOf(product.sizes);
      tally.weights += size;
      tally.zeros += noGrad(() => size - sumOfValues(presentOf(product).toFloat32Array()));
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
      // Inner modules come later in the list.
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

/** Bytes of a tensor of this layer; a weight on a grid counts its bits and scales. */
function bytesOf(t: Tensor, owner: Module): number {
  const grid = isWeighted(owner) && owner.weight === t ? gridIn(owner) : null;
  if (grid === null) return BYTES * t.size;
  const bits = grid.bits === "ternary" ? 2 : grid.bits;
  return Math.ceil((bits * t.size) / 8) + BYTES * scaleCount(grid, t);
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;
