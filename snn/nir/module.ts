/** The module of a graph. */
import { wrongValue } from "../../engine/arguments.ts";
import { EXPOSED } from "../../engine/columns.ts";
import { composed } from "../../engine/composed.ts";
import { Module, stack, Tensor, zeros } from "../../engine/index.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { alive, rootOf } from "../../engine/tensor.ts";
import { checkState } from "../checks.ts";
import { isStepping, type Stepping } from "../layers.ts";
import type { NIRGraph } from "./graph.ts";
import { reach } from "./read.ts";

/** A node of a network, as it runs. */
export interface Unit {
  readonly name: string;
  /** The nodes whose outputs add up to its input. */
  readonly from: readonly string[];
  /** Those among them whose output of the step before is read. */
  readonly late: ReadonlySet<string>;
  /** One step of one sample of its output. */
  readonly shape: Shape;
  /** Axes that the layer takes as one, 0 for none. */
  readonly axes: number;
  /** null where values stay as they are. */
  readonly layer: Module | null;
  /** The layers by the names of their nodes: neurons that are fed back have a connection beside them. */
  readonly parts: readonly (readonly [name: string, layer: Module])[];
}

/** What a network is made of. */
interface Network {
  readonly graph: NIRGraph;
  /** Each behind those that it reads in the same step. */
  readonly units: readonly Unit[];
  readonly input: string;
  readonly output: string;
  readonly dt: number;
}

/** Nodes that run over a whole sequence, and the loops, which run step by step. */
type Groups = readonly (readonly Unit[])[];

/** The state of a network between time steps. */
export interface NIRState {
  /** The states of neurons and delays, by the names of their nodes. */
  readonly nodes: Readonly<Record<string, unknown>>;
  /** Outputs of the step before, [B, …], that loops read, by the names of their nodes. */
  readonly late: Readonly<Record<string, Tensor>>;
}

/**
 * The network of a graph: {@link fromNIR} makes it. Layers are named after their nodes, in `record` and in a state dict.
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output].
 */
export class NIRModule extends Module {
  /** The time of a step, in seconds. */
  readonly dt: number;
  /**
   * The graph that the network was made from.
   *
   * @internal
   */
  readonly graph: NIRGraph;
  private readonly network: Network & { readonly groups: Groups };
  /** When the last tensor of the layers was written. */
  private readonly made: number;

  /** @internal */
  constructor(network: Network) {
    super();
    this.dt = network.dt;
    this.graph = network.graph;
    this.network = { ...network, groups: groupsOf(network.units) };
    this.made = Math.max(0, ...this.parts().flatMap(([, layer]) => tensorsOf(layer).map((t) => t.written)));
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.parts().map(([name, layer]) => [name, layer]);
  }

  /**
   * The layers by the names of their nodes.
   *
   * @internal
   */
  parts(): (readonly [name: string, layer: Module])[] {
    return this.network.units.flatMap(({ parts }) => parts);
  }

  /**
   * The layer of a node and the shape of its neurons, null where it has none.
   *
   * @internal
   */
  partOf(path: string): { readonly layer: Module; readonly shape: Shape; readonly isUntouched: boolean } | null {
    for (const { parts, shape } of this.network.units) {
      for (const [name, layer] of parts) {
        if (name === path) return { layer, shape, isUntouched: isUntouched(layer, this.made) };
      }
    }
    return null;
  }

  /**
   * The outputs over time, [T, B, …Output], for x [T, B, …Input], from states of 0.
   *
   * @throws RangeError unless x has this shape.
   */
  forward(x: Tensor): Tensor {
    alive(x, "NIRModule");
    this.leadOf(x.sizes, 1);
    return composed(NIRModule.run, this, x);
  }

  private static run({ network }: NIRModule, x: Tensor): Tensor {
    const values = new Map<string, Tensor>();
    for (const group of network.groups) {
      const [unit] = group as [Unit];
      if (group.length > 1 || unit.late.size > 0) runLoop(group, network, values, x);
      else
        values.set(
          unit.name,
          overTime(
            unit,
            inputOf(unit, x, (name) => values.get(name) as Tensor),
          ),
        );
    }
    return values.get(network.output) as Tensor;
  }

  /**
   * One time step: x [B, …Input] → z [B, …Output] and the next state.
   *
   * @throws RangeError unless x and the state have these shapes.
   */
  step(x: Tensor, state: NIRState): [z: Tensor, state: NIRState] {
    alive(x, "NIRModule");
    const lead = this.leadOf(x.sizes, 0);
    const { nodes, late } = Object(state) as NIRState;
    const given = { nodes: { ...nodes }, late: { ...late } };
    for (const { name, shape } of lateOf(this.network.units)) {
      checkState("NIRModule", name, given.late[name] as Tensor, [...lead, ...shape]);
    }
    return composed(NIRModule.advance, this, x, given);
  }

  private static advance({ network }: NIRModule, x: Tensor, from: NIRState): [z: Tensor, state: NIRState] {
    const values = new Map<string, Tensor>();
    const states = new Map(Object.entries(from.nodes));
    const late = new Map(Object.entries(from.late));
    for (const unit of network.groups.flat()) {
      const read = (name: string): Tensor => (unit.late.has(name) ? late : values).get(name) as Tensor;
      values.set(unit.name, advance(unit, inputOf(unit, x, read), states));
    }
    const next = lateOf(network.units).map(({ name }): [string, Tensor] => [name, values.get(name) as Tensor]);
    return [
      values.get(network.output) as Tensor,
      { nodes: Object.fromEntries(states), late: Object.fromEntries(next) },
    ];
  }

  /**
   * The state before the first step, for x of the shape of one step, [B, …Input].
   *
   * @throws RangeError unless the sizes are positive integers and end with those of the Input.
   */
  initialState(shape: Shape): NIRState {
    return composed(NIRModule.started, this, this.leadOf(checkShape("NIRModule", shape), 0));
  }

  private static started({ network: { units } }: NIRModule, lead: Shape): NIRState {
    const late = lateOf(units).map(({ name, shape }): [string, Tensor] => [name, zeros([...lead, ...shape])]);
    return { nodes: Object.fromEntries(startOf(units, lead)), late: Object.fromEntries(late) };
  }

  /** The axes before those of the Input, of which there are more than `least`. */
  private leadOf(sizes: Shape, least: number): Shape {
    const { units, input } = this.network;
    const { shape } = units.find(({ name }) => name === input) as Unit;
    const from = sizes.length - shape.length;
    if (from > least && sameShape(sizes.slice(from), shape)) return sizes.slice(0, from);
    const expected = [...(least > 0 ? ["T", "B"] : ["B"]), ...shape].join(", ");
    throw wrongValue("NIRModule", `x [${expected}], as the Input of the graph says`, formatShape(sizes));
  }
}

/** The nodes whose output of the step before is read. */
function lateOf(units: readonly Unit[]): Unit[] {
  const late = new Set(units.flatMap((unit) => [...unit.late]));
  return units.filter(({ name }) => late.has(name));
}

/** The tensors of a layer, those of neurons inside of a loop too. */
function tensorsOf(layer: Module): Tensor[] {
  const { neuron = layer } = layer as Module & { readonly neuron?: Module };
  return Object.values(neuron).filter((value): value is Tensor => value instanceof Tensor);
}

const isUntouched = (layer: Module, made: number): boolean =>
  tensorsOf(layer).every((t) => t.written <= made && rootOf(t).columns !== EXPOSED);

/** The input of a node: x at the Input, else the sum of the outputs that it reads. */
function inputOf({ from }: Unit, x: Tensor, read: (name: string) => Tensor): Tensor {
  const [first, ...others] = from;
  return first === undefined ? x : others.reduce((sum, name) => sum.add(read(name)), read(first));
}

const isSteppingUnit = (unit: Unit): unit is Unit & { readonly layer: Stepping } =>
  unit.layer !== null && isStepping(unit.layer);

/** Values with the axes of a step as one, where the layer wants them so. */
function flat({ axes }: Unit, x: Tensor): Tensor {
  const lead = x.sizes.slice(0, x.ndim - axes);
  return axes > 1 ? x.reshape([...lead, sizeOf(x.sizes.slice(lead.length))]) : x;
}

const shaped = ({ axes, shape }: Unit, z: Tensor): Tensor =>
  axes > 1 ? z.reshape([...z.sizes.slice(0, -1), ...shape]) : z;

const overTime = (unit: Unit, x: Tensor): Tensor =>
  unit.layer === null ? x : shaped(unit, unit.layer.forward(flat(unit, x)));

/** A step of a node, which replaces its state. */
function advance(unit: Unit, x: Tensor, states: Map<string, unknown>): Tensor {
  if (!isSteppingUnit(unit)) return overTime(unit, x.unsqueeze(0)).squeeze(0);
  const [z, next] = unit.layer.step(flat(unit, x), states.get(unit.name) as never);
  states.set(unit.name, next);
  return shaped(unit, z);
}

/** The states before the first step. */
function startOf(units: readonly Unit[], lead: Shape): Map<string, unknown> {
  const states = units.filter(isSteppingUnit).map((unit): [string, unknown] => {
    const shape = unit.axes > 1 ? [sizeOf(unit.shape)] : unit.shape;
    return [unit.name, unit.layer.initialState([...lead, ...shape])];
  });
  return new Map(states);
}

/** Runs a loop over x [T, B, …], step by step; the values outside of it are there for all steps. */
function runLoop(group: readonly Unit[], { units, input }: Network, values: Map<string, Tensor>, x: Tensor): void {
  const inside = new Set(group.map(({ name }) => name));
  const { shape } = units.find(({ name }) => name === input) as Unit;
  const [T, ...lead] = x.sizes.slice(0, x.ndim - shape.length) as [number, ...number[]];
  const states = startOf(group, lead);
  let late = new Map(lateOf(group).map((unit): [string, Tensor] => [unit.name, zeros([...lead, ...unit.shape])]));
  const given = group.map((unit) => {
    const outside = unit.from.filter((name) => !inside.has(name));
    if (outside.length === 0) return null;
    return inputOf({ ...unit, from: outside }, x, (name) => values.get(name) as Tensor).unbind(0);
  });
  const outputs = group.map((): Tensor[] => []);
  for (let t = 0; t < T; t++) {
    const now = new Map<string, Tensor>();
    for (const [i, unit] of group.entries()) {
      const fed = unit.from.filter((name) => inside.has(name));
      const read = (name: string): Tensor => (unit.late.has(name) ? late : now).get(name) as Tensor;
      const start = given[i]?.[t] ?? read(fed.shift() as string);
      const z = advance(
        unit,
        fed.reduce((sum, name) => sum.add(read(name)), start),
        states,
      );
      now.set(unit.name, z);
      outputs[i]?.push(z);
    }
    late = new Map([...late.keys()].map((name): [string, Tensor] => [name, now.get(name) as Tensor]));
  }
  for (const [i, { name }] of group.entries()) values.set(name, stack(outputs[i] as Tensor[]));
}

/** The units one by one, but those of a loop together, each group behind those that it reads. Outer inputs of a loop come first. */
function groupsOf(units: readonly Unit[]): Unit[][] {
  const readers = new Map(units.map(({ name }): [string, string[]] => [name, []]));
  const inputs = new Map(units.map(({ name, from }) => [name, from]));
  for (const { name, from } of units) for (const source of from) readers.get(source)?.push(name);
  const loopOf = new Map<string, Set<string>>();
  for (const { name, late } of units) {
    if (late.size === 0 || loopOf.has(name)) continue;
    const before = reach([name], (each) => inputs.get(each) ?? []);
    const loop = new Set([...reach([name], (each) => readers.get(each) ?? [])].filter((each) => before.has(each)));
    for (const each of loop) loopOf.set(each, loop);
  }
  const groups: Unit[][] = [];
  const done = new Set<string>();
  let waiting = units.filter(({ name }) => [...(loopOf.get(name) ?? [name])][0] === name);
  while (waiting.length > 0) {
    const later: Unit[] = [];
    for (const first of waiting) {
      const loop = loopOf.get(first.name) ?? new Set([first.name]);
      const group = loop.size === 1 ? [first] : units.filter(({ name }) => loop.has(name));
      if (!group.every(({ from }) => from.every((name) => loop.has(name) || done.has(name)))) {
        later.push(first);
        continue;
      }
      for (const name of loop) done.add(name);
      const isInside = (name: string): number => (loop.has(name) ? 1 : 0);
      groups.push(group.map((unit) => ({ ...unit, from: [...unit.from].sort((a, b) => isInside(a) - isInside(b)) })));
    }
    waiting = later;
  }
  return groups;
}
