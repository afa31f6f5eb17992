/** The module of a graph. */
import { wrongValue } from "../../engine/arguments.ts";
import { EXPOSED } from "../../engine/columns.ts";
import { composed } from "../../engine/composed.ts";
import { type Module, pad, stack, Tensor, zeros } from "../../engine/index.ts";
import { forwardOf } from "../../engine/nn/module.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { alive, rootOf } from "../../engine/tensor.ts";
import { checkState } from "../checks.ts";
import { isStepping, type Stepping } from "../layers.ts";
import { Stage, Staged } from "../stage.ts";
import { stageOf } from "../stages.ts";
import type { NIRGraph } from "./graph.ts";
import { reach, readersOf } from "./read.ts";

/** A node of a network, as it runs. */
export interface Unit {
  readonly name: string;
  /** The nodes whose outputs add up to its input. */
  readonly from: ReadonlySet<string>;
  /** Those among them whose output of the step before is read. */
  readonly late: ReadonlySet<string>;
  /** One step of one sample of its output. */
  readonly shape: Shape;
  /** Axes that the layer takes as one, 0 for none. */
  readonly axes: number;
  /** Zeros around the input, as `pad` takes them, where the layer does not put them there. */
  readonly padding: readonly number[];
  /** null where values stay as they are. */
  readonly layer: Module | null;
  /** The layers by the names of their nodes: neurons that are fed back have a connection beside them. */
  readonly parts: readonly (readonly [name: string, layer: Module])[];
}

/** What a network is made of. */
interface Network {
  readonly graph: NIRGraph;
  /** Nodes that run over a whole sequence, and the nodes of loops, which run step by step; each behind those that it reads. */
  readonly groups: readonly (readonly Unit[])[];
  /** The shape of the Input, and the name of the Output. */
  readonly shape: Shape;
  readonly output: string;
  readonly dt: number;
}

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
export class NIRModule extends Staged {
  /** The time of a step, in seconds. */
  readonly dt: number;
  /**
   * The graph that the network was made from.
   *
   * @internal
   */
  readonly graph: NIRGraph;
  private readonly network: Network;
  /** When the last tensor of the layers was written. */
  private readonly made: number;

  /** @internal */
  constructor(network: Network) {
    super();
    this.dt = network.dt;
    this.graph = network.graph;
    this.network = network;
    const tensors = this.parts().flatMap(({ layer }) => tensorsOf(layer));
    this.made = tensors.reduce((latest, t) => Math.max(latest, t.written), 0);
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.parts().map(({ name, layer }) => [name, layer]);
  }

  /**
   * The layers by the names of their nodes, with the shapes of their outputs. A layer is new as long as nothing has written to it.
   *
   * @internal
   */
  parts(): { readonly name: string; readonly layer: Module; readonly shape: Shape; readonly isNew: boolean }[] {
    const isNew = (t: Tensor): boolean => t.written <= this.made && rootOf(t).columns !== EXPOSED;
    return this.network.groups
      .flat()
      .flatMap(({ parts, shape }) =>
        parts.map(([name, layer]) => ({ name, layer, shape, isNew: tensorsOf(layer).every(isNew) })),
      );
  }

  /**
   * The outputs over time, [T, B, …Output], for x [T, B, …Input], from states of 0.
   *
   * @throws RangeError unless x has this shape.
   */
  forward(x: Tensor): Tensor {
    alive(x, "NIRModule");
    return composed(NIRModule.run, this.network, x, this.leadOf(x.sizes, "T, B"));
  }

  private static run({ groups, output }: Network, x: Tensor, lead: Shape): Tensor {
    const values = new Map<string, Tensor>();
    for (const group of groups) {
      const [unit] = group as [Unit];
      if (group.length > 1 || unit.late.size > 0) runLoop(group, values, lead);
      else
        values.set(
          unit.name,
          overTime(
            unit,
            inputOf(unit, x, (name) => values.get(name)),
          ),
        );
    }
    return values.get(output) as Tensor;
  }

  /**
   * One time step: x [B, …Input] → z [B, …Output] and the next state.
   *
   * @throws RangeError unless x and the state have these shapes.
   */
  step(x: Tensor, state: NIRState): [z: Tensor, state: NIRState] {
    alive(x, "NIRModule");
    const lead = this.leadOf(x.sizes, "B");
    const { nodes, late } = Object(state) as NIRState;
    const from = { nodes: new Map(Object.entries({ ...nodes })), late: new Map(Object.entries({ ...late })) };
    for (const { name, shape } of lateOf(this.network.groups.flat())) {
      checkState("NIRModule", name, from.late.get(name) as Tensor, [...lead, ...shape]);
    }
    return composed(NIRModule.advanced, this.network, x, from);
  }

  private static advanced({ groups, output }: Network, x: Tensor, from: States): [z: Tensor, state: NIRState] {
    const { values, states } = advance(groups.flat(), x, from);
    return [values.get(output) as Tensor, plain(states)];
  }

  /**
   * The state before the first step, for x of the shape of one step, [B, …Input].
   *
   * @throws RangeError unless the sizes are positive integers and end with those of the Input.
   */
  initialState(shape: Shape): NIRState {
    const lead = this.leadOf(checkShape("NIRModule", shape), "B");
    return composed(NIRModule.started, this.network, lead);
  }

  private static started({ groups }: Network, lead: Shape): NIRState {
    return plain(startOf(groups.flat(), lead));
  }

  /**
   * Stages of the layers one by one, where each reads one other.
   *
   * @internal
   */
  stage(input: Tensor): Stage | null {
    const { groups, output } = this.network;
    const units = groups.flat();
    const isPlain = (unit: Unit): boolean =>
      unit.from.size < 2 && unit.late.size === 0 && unit.axes < 2 && unit.padding.length === 0;
    if (this.forward !== FORWARD || !units.every(isPlain) || units.every(({ layer }) => layer === null)) return null;
    this.leadOf(input.sizes, "B");
    const stages: Stage[] = [];
    const outputs = new Map<string, Tensor>();
    for (const { name, from, layer } of units) {
      const [source = ""] = from;
      const read = outputs.get(source) ?? input;
      if (layer !== null) stages.push(stageOf(layer, read));
      outputs.set(name, layer === null ? read : (stages[stages.length - 1] as Stage).output);
    }
    return new StagesInOrder(stages, outputs.get(output) as Tensor);
  }

  /** The axes before those of the Input. */
  private leadOf(sizes: Shape, axes: string): Shape {
    const { shape } = this.network;
    const from = sizes.length - shape.length;
    if (from >= (axes === "B" ? 0 : 1) && sameShape(sizes.slice(from), shape)) return sizes.slice(0, from);
    throw wrongValue("NIRModule", `x [${[axes, ...shape].join(", ")}], as the Input says`, formatShape(sizes));
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(NIRModule);

/** Stages that read each other. */
class StagesInOrder extends Stage {
  private readonly stages: readonly Stage[];

  constructor(stages: readonly Stage[], output: Tensor) {
    super(output, { memory: stages.flatMap(({ memory }) => memory) });
    this.stages = stages;
  }

  override check(): void {
    for (const stage of this.stages) stage.check();
  }

  step(): void {
    for (const stage of this.stages) stage.step();
  }

  override reset(): void {
    for (const stage of this.stages) stage.reset();
  }
}

/** The states of nodes, and the outputs that are read a step late, by the names of the nodes. */
interface States {
  readonly nodes: ReadonlyMap<string, unknown>;
  readonly late: ReadonlyMap<string, Tensor>;
}

const plain = ({ nodes, late }: States): NIRState => ({
  nodes: Object.fromEntries(nodes),
  late: Object.fromEntries(late),
});

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

type Read = (name: string) => Tensor | undefined;

/** The input of a node: x at the Input, else the sum of the outputs that it reads. */
function inputOf({ from }: Unit, x: Tensor, read: Read): Tensor {
  const inputs = [...from].map((name) => read(name) as Tensor);
  return inputs.length === 0 ? x : inputs.reduce((sum, each) => sum.add(each));
}

/** x with the axes of a step as one, where the layer wants them so. */
const flat = ({ axes }: Unit, x: Tensor): Tensor =>
  axes > 1 ? x.reshape([...x.sizes.slice(0, -axes), sizeOf(x.sizes.slice(-axes))]) : x;

const shaped = ({ axes, shape }: Unit, z: Tensor): Tensor =>
  axes > 1 ? z.reshape([...z.sizes.slice(0, -1), ...shape]) : z;

function overTime(unit: Unit, x: Tensor): Tensor {
  const { layer, padding } = unit;
  return layer === null ? x : shaped(unit, layer.forward(flat(unit, padding.length === 0 ? x : pad(x, padding))));
}

const isSteppingUnit = (unit: Unit): unit is Unit & { readonly layer: Stepping } =>
  unit.layer !== null && isStepping(unit.layer);

/** A step of nodes, some of which may read others besides: what they give, and the next states. */
function advance(units: readonly Unit[], x: Tensor, from: States, read: Read = () => undefined) {
  const values = new Map<string, Tensor>();
  const nodes = new Map(from.nodes);
  for (const unit of units) {
    const { name } = unit;
    const input = inputOf(unit, x, (each) => (unit.late.has(each) ? from.late : values).get(each) ?? read(each));
    if (isSteppingUnit(unit)) {
      const [z, next] = unit.layer.step(flat(unit, input), nodes.get(name) as never);
      nodes.set(name, next);
      values.set(name, shaped(unit, z));
    } else values.set(name, overTime(unit, input.unsqueeze(0)).squeeze(0));
  }
  const late = new Map(lateOf(units).map(({ name }) => [name, values.get(name) as Tensor]));
  return { values, states: { nodes, late } };
}

/** The states before the first step. */
function startOf(units: readonly Unit[], lead: Shape): States {
  const start = (unit: Unit & { readonly layer: Stepping }): [string, unknown] => {
    const { name, axes, shape, layer } = unit;
    return [name, layer.initialState([...lead, ...(axes > 1 ? [sizeOf(shape)] : shape)])];
  };
  return {
    nodes: new Map(units.filter(isSteppingUnit).map(start)),
    late: new Map(lateOf(units).map(({ name, shape }) => [name, zeros([...lead, ...shape])])),
  };
}

/** Runs a loop step by step; the values outside of it are there for all steps. `lead` are time and batch. */
function runLoop(group: readonly Unit[], values: Map<string, Tensor>, [T = 0, ...lead]: Shape): void {
  const outside = new Map(
    group.flatMap(({ from }) =>
      [...from].flatMap((name) => (values.has(name) ? [[name, values.get(name)?.unbind(0)]] : [])),
    ) as [string, Tensor[]][],
  );
  const outputs = group.map((): Tensor[] => []);
  let states = startOf(group, lead);
  for (let t = 0; t < T; t++) {
    // A loop has no Input.
    const next = advance(group, null as never, states, (name) => outside.get(name)?.[t]);
    states = next.states;
    for (const [i, { name }] of group.entries()) outputs[i]?.push(next.values.get(name) as Tensor);
  }
  for (const [i, { name }] of group.entries()) values.set(name, stack(outputs[i] as Tensor[]));
}

/** The units one by one, but those of a loop together, each group behind those that it reads. */
export function groupsOf(units: readonly Unit[]): Unit[][] {
  const all = new Map(units.map((unit) => [unit.name, unit]));
  const readers = readersOf(all);
  const groups: Unit[][] = [];
  const done = new Set<string>();
  const visit = (name: string): void => {
    if (done.has(name)) return;
    const before = reach(name, (each) => all.get(each)?.from);
    const loop = [...reach(name, (each) => readers.get(each))].filter((each) => before.has(each));
    for (const each of loop) done.add(each);
    const group = units.filter((unit) => loop.includes(unit.name));
    for (const { from } of group) for (const each of from) visit(each);
    groups.push(group);
  };
  for (const { name } of units) visit(name);
  return groups;
}
