/** The module of a graph: runs layers in order, over whole sequences or step by step; loops read the previous step. */
import { objectOf, show, wrongValue } from "../../engine/arguments.ts";
import { alive, composed } from "../../engine/extend.ts";
import { type Module, pad, stack, Tensor, zeros } from "../../engine/index.ts";
import { EXPOSED, rootOf } from "../../engine/lasting.ts";
import { isWeighted } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import type { Stage } from "../layer/stage.ts";
import { isStepping, type Stepping } from "../layer/stepping.ts";
import { isUnchanged, type Run, Temporal, type UnrollResult, type Wanted } from "../layer/temporal.ts";
import { stageOfAll } from "../stream/stages.ts";
import type { NIRGraph } from "./graph.ts";
import { reach, readersOf } from "./read.ts";

/** A node of a running network. */
export interface Unit {
  readonly name: string;
  /** Nodes whose summed outputs are the input of this node. */
  readonly from: ReadonlySet<string>;
  /** Nodes of `from` whose output of the previous step is read. */
  readonly late: ReadonlySet<string>;
  /** Shape of the node's output for one step of one sample. */
  readonly shape: Shape;
  /** Number of axes that the layer reads as one; 0 for none. */
  readonly axes: number;
  /** Zeros around the input, as for `pad`, if the layer does not add them itself. */
  readonly padding: readonly number[];
  /** The layer; null for the identity. */
  readonly layer: Module | null;
  /** Layers by node names; neurons with feedback have their connection here too. */
  readonly parts: readonly (readonly [name: string, layer: Module])[];
}

/** Shapes of one step of one sample, by node name. */
type Shapes = Readonly<Record<string, Shape>>;

type Tensors = Readonly<Record<string, Tensor>>;

interface Network {
  readonly graph: NIRGraph;
  /** Groups in the order of execution: single nodes that run over a whole sequence, and loops that run step by step. */
  readonly groups: readonly (readonly Unit[])[];
  /** Shapes of the Inputs and of all Outputs, by name. */
  readonly inputs: Shapes;
  readonly outputs: Shapes;
  /** Names of the Outputs that are not dead ends. */
  readonly main: readonly string[];
  readonly dt: number;
}

/** State of a network between time steps. */
export interface NIRState {
  /** States of neurons and delays, by node name. */
  readonly nodes: Readonly<Record<string, unknown>>;
  /** Outputs of the previous step, [B, …], that loops read, by node name. */
  readonly late: Readonly<Record<string, Tensor>>;
}

/** A run; the state after it is null unless it was requested. */
class Steps implements Run {
  readonly z: Tensor;
  readonly names = [];
  readonly state: NIRState | null;

  constructor(z: Tensor, state: NIRState | null) {
    this.z = z;
    this.state = state;
  }

  output(): Tensor {
    return this.z;
  }
}

/**
 * The network of a graph: {@link fromNIR} makes it. Layers are named after their nodes, in `record` and in a state dict.
 *
 * A network with one Input and one Output has `forward` and `step` on tensors, like other modules, and runs in a `Stream`. Outputs that the Python
 * package adds after dead ends do not count: they are named `output_` plus the name of the node. `run` and `runStep` map the tensors of all Inputs to
 * those of all Outputs, by node name.
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output].
 */
export class NIRModule extends Temporal<NIRState, UnrollResult<NIRState>, NIRState> {
  /** Duration of a step, in seconds. */
  readonly dt: number;
  /** Shapes of the Inputs for one step of one sample, by name. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Shapes of all Outputs for one step of one sample, by name, dead ends included. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /**
   * The graph that the network was made from.
   *
   * @internal
   */
  readonly graph: NIRGraph;
  private readonly network: Network;
  private readonly units: readonly Unit[];
  /** Version of the newest write to the layers when the network was made. */
  private readonly made: number;

  /** @internal */
  constructor(network: Network) {
    super();
    this.dt = network.dt;
    this.inputs = network.inputs;
    this.outputs = network.outputs;
    this.graph = network.graph;
    this.network = network;
    this.units = network.groups.flat();
    const tensors = this.parts().flatMap(({ layer }) => tensorsOf(layer));
    this.made = tensors.reduce((latest, t) => Math.max(latest, t.written), 0);
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.parts().map(({ name, layer }) => [name, layer]);
  }

  /**
   * Layers by node name, with the shapes of their outputs; `isNew` until something writes to the layer.
   *
   * @internal
   */
  parts(): { readonly name: string; readonly layer: Module; readonly shape: Shape; readonly isNew: boolean }[] {
    const isNew = (t: Tensor): boolean => t.written <= this.made && rootOf(t).columns !== EXPOSED;
    return this.units.flatMap(({ parts, shape }) =>
      parts.map(([name, layer]) => {
        const isRead = isWeighted(layer) && layer.reading !== null;
        return { name, layer, shape, isNew: !isRead && tensorsOf(layer).every(isNew) };
      }),
    );
  }

  protected override get where(): string {
    return "NIRModule";
  }

  protected override get mainOutput(): string {
    return "z";
  }

  protected override checkInput(shape: Shape): void {
    this.leadOfOne(shape, "T, B");
  }

  protected override checkStep(step: Shape): void {
    this.leadOfOne(step, "B");
  }

  protected override checkStart(step: Shape): void {
    this.leadOfOne(step, "B");
  }

  protected override start(step: Shape): NIRState {
    return startOf(this.units, this.leadOfOne(step, "B"));
  }

  protected override read(state: NIRState, step: Shape): NIRState {
    return this.stateOf(state, this.leadOfOne(step, "B"));
  }

  /** @internal */
  protected override advance(x: Tensor, T: number, step: Shape, from: NIRState | null, wanted: Wanted): Steps {
    const { units, network } = this;
    const [input, output] = this.ends();
    if (wanted === "main") {
      const lead = this.leadOfOne(x.sizes, "T, B");
      return new Steps(run(network.groups, { [input]: x }, lead, [output])[output] as Tensor, null);
    }
    const isOne = x.ndim === step.length;
    const inputs = isOne ? [x] : x.unbind(0);
    let state = from ?? this.start(step);
    const outputs: Tensor[] = [];
    for (let t = 0; t < T; t++) {
      const next = advance(units, state, (name) => (name === input ? inputs[t] : undefined));
      state = next.state;
      outputs.push(next.values.get(output) as Tensor);
    }
    return new Steps(isOne ? (outputs[0] as Tensor) : stack(outputs), state);
  }

  /** @internal */
  protected override stateAfter({ state }: Steps): NIRState {
    return state as NIRState;
  }

  /**
   * Runs a sequence: tensors of all Inputs by name, [T, B, …Input] → those of all Outputs by name, [T, B, …Output].
   *
   * @throws RangeError for wrong names or shapes; TypeError for anything but tensors.
   */
  run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const xs = this.tensorsOf(inputs);
    return composed(run, this.network.groups, xs, this.leadOf(xs, "T, B"), Object.keys(this.outputs));
  }

  /**
   * Runs one time step: Inputs by name, [B, …Input] → Outputs by name, [B, …Output], and the next state.
   *
   * @throws RangeError for wrong names or shapes; TypeError for anything but tensors.
   */
  runStep(
    inputs: Readonly<Record<string, Tensor>>,
    state: NIRState,
  ): [outputs: Record<string, Tensor>, state: NIRState] {
    const xs = this.tensorsOf(inputs);
    const from = this.stateOf(state, this.leadOf(xs, "B"));
    return composed(advanced, this.units, xs, from, Object.keys(this.outputs));
  }

  /**
   * The state before the first step, for the shape of one step, [B, …Input]; for several Inputs, their shapes by name.
   *
   * @throws RangeError unless the sizes are positive integers and end with the sizes of the Input.
   */
  override initialState(shape: Shape | Readonly<Record<string, Shape>>): NIRState {
    if (Array.isArray(shape)) return super.initialState(shape);
    const shapes = this.named(shape);
    const steps = Object.keys(this.inputs).map((name) => [
      name,
      { sizes: checkShape("NIRModule", shapes[name] as Shape) },
    ]);
    return composed(startOf, this.units, this.leadOf(Object.fromEntries(steps), "B"));
  }

  /**
   * Stages of the layers one by one, if each reads the previous one.
   *
   * @internal
   */
  override stage(input: Tensor): Stage | null {
    const { units } = this;
    const isPlain = ({ from, late, axes, padding }: Unit): boolean =>
      from.size < 2 && late.size === 0 && axes < 2 && padding.length === 0;
    const layers = units.flatMap(({ layer }) => layer ?? []);
    const [name] = this.ends();
    const isChain = Object.keys(this.outputs).length === 1 && units.every(isPlain);
    if (!isUnchanged(this) || !isChain || layers.length === 0) return null;
    this.leadOf({ [name]: input }, "B");
    return stageOfAll(layers, input);
  }

  private ends(): readonly [input: string, output: string] {
    const { inputs, main } = this.network;
    const [[input = "", another], [output = "", more]] = [Object.keys(inputs), main];
    if ((another ?? more) === undefined) return [input, output];
    const got = `${show(Object.keys(inputs))} and ${show(main)}`;
    throw wrongValue("NIRModule", "one Input and one Output", `${got}; run and runStep name them`);
  }

  /** Checks that there is one value for each Input. */
  private named(values: unknown): Readonly<Record<string, unknown>> {
    const inputs = Object.keys(this.inputs);
    const expected = `values by the names ${show(inputs)}`;
    const given = { ...objectOf("NIRModule", expected, values) };
    const names = Object.keys(given);
    if (names.length === inputs.length && inputs.every((name) => names.includes(name))) return given;
    throw wrongValue("NIRModule", expected, show(names));
  }

  /** Checks that there is a live tensor for each Input. */
  private tensorsOf(values: unknown): Tensors {
    const xs = this.named(values) as Tensors;
    for (const name of Object.keys(this.inputs)) alive(xs[name] as Tensor, "NIRModule");
    return xs;
  }

  /** The state of a caller, read once; throws unless outputs of the previous step have the shape of a step. */
  private stateOf(state: NIRState, lead: Shape): NIRState {
    const { nodes, late } = Object(state) as Partial<NIRState>;
    const from = { nodes: { ...nodes }, late: { ...late } };
    for (const { name, shape } of lateOf(this.units)) {
      checkState("NIRModule", name, from.late[name] as Tensor, [...lead, ...shape]);
    }
    return from;
  }

  /** Leading axes of x, before those of the only Input. */
  private leadOfOne(sizes: Shape, axes: string): Shape {
    return this.leadOf({ [this.ends()[0]]: { sizes } }, axes);
  }

  /** Leading axes, which all Inputs must share. */
  private leadOf(xs: Readonly<Record<string, { readonly sizes: Shape }>>, axes: string): Shape {
    let lead: Shape | undefined;
    for (const name of Object.keys(this.inputs)) {
      const [x, shape] = [xs[name] as Tensor, this.inputs[name] as Shape];
      const from = x.sizes.length - shape.length;
      const expected = [...(lead ?? [axes]), ...shape].join(", ");
      lead ??= x.sizes.slice(0, Math.max(0, from));
      if (from >= (axes === "T, B" ? 1 : 0) && sameShape(x.sizes, [...lead, ...shape])) continue;
      throw wrongValue("NIRModule", `x [${expected}], as the Input says`, `${formatShape(x.sizes)} at ${show(name)}`);
    }
    return lead as Shape;
  }
}

const pick = (values: ReadonlyMap<string, Tensor>, names: readonly string[]): Record<string, Tensor> =>
  Object.fromEntries(names.map((name) => [name, values.get(name) as Tensor]));

/** Runs a network over time; `lead` are the time and batch axes. */
function run(groups: Network["groups"], xs: Tensors, lead: Shape, outputs: readonly string[]): Record<string, Tensor> {
  const values = new Map(Object.entries(xs));
  for (const group of groups) {
    const [unit] = group as [Unit];
    if (group.length > 1 || unit.late.size > 0) runLoop(group, values, lead);
    else
      values.set(
        unit.name,
        overTime(
          unit,
          inputOf(unit, (name) => values.get(name)),
        ),
      );
  }
  return pick(values, outputs);
}

/** Runs a network for one step. */
function advanced(
  units: readonly Unit[],
  xs: Tensors,
  from: NIRState,
  outputs: readonly string[],
): [Record<string, Tensor>, NIRState] {
  const { values, state } = advance(units, from, (name) => xs[name]);
  return [pick(values, outputs), state];
}

/** Units whose output of the previous step is read. */
function lateOf(units: readonly Unit[]): Unit[] {
  const late = new Set(units.flatMap((unit) => [...unit.late]));
  return units.filter(({ name }) => late.has(name));
}

/** Tensors of a layer, including neurons inside of a loop. */
function tensorsOf(layer: Module): Tensor[] {
  const { neuron = layer } = layer as Module & { readonly neuron?: Module };
  return Object.values(neuron).filter((value): value is Tensor => value instanceof Tensor);
}

type Read = (name: string) => Tensor | undefined;

/** Input of a node: the sum of the outputs that it reads; for an Input, the tensor of its name. */
function inputOf({ name, from }: Unit, read: Read): Tensor {
  const inputs = (from.size === 0 ? [name] : [...from]).map((each) => read(each) as Tensor);
  return inputs.reduce((sum, each) => sum.add(each));
}

/** x with the axes of a step joined, if the layer needs that. */
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

/** Runs one step of some units, whose inputs may lie outside of them; returns their outputs and the next state. */
function advance(units: readonly Unit[], from: NIRState, read: Read) {
  const values = new Map<string, Tensor>();
  const nodes: [string, unknown][] = [];
  for (const unit of units) {
    const { name, late } = unit;
    const input = inputOf(unit, (each) => (late.has(each) ? from.late[each] : (values.get(each) ?? read(each))));
    if (isSteppingUnit(unit)) {
      const [z, next] = unit.layer.step(flat(unit, input), from.nodes[name] as never);
      nodes.push([name, next]);
      values.set(name, shaped(unit, z));
    } else values.set(name, overTime(unit, input.unsqueeze(0)).squeeze(0));
  }
  return { values, state: stateOf(nodes, units, ({ name }) => values.get(name) as Tensor) };
}

function startOf(units: readonly Unit[], lead: Shape): NIRState {
  const nodes = units
    .filter(isSteppingUnit)
    .map(({ name, axes, shape, layer }): [string, unknown] => [
      name,
      layer.initialState([...lead, ...(axes > 1 ? [sizeOf(shape)] : shape)]),
    ]);
  return stateOf(nodes, units, ({ shape }) => zeros([...lead, ...shape]));
}

const stateOf = (nodes: [string, unknown][], units: readonly Unit[], late: (unit: Unit) => Tensor): NIRState => ({
  nodes: Object.fromEntries(nodes),
  late: Object.fromEntries(lateOf(units).map((unit) => [unit.name, late(unit)])),
});

/** Runs a loop step by step; values from outside of it exist for all steps. `lead` are the time and batch axes. */
function runLoop(group: readonly Unit[], values: Map<string, Tensor>, [T = 0, ...lead]: Shape): void {
  const sources = group.flatMap(({ from }) => [...from]).filter((name) => values.has(name));
  const outside = new Map(sources.map((name) => [name, (values.get(name) as Tensor).unbind(0)]));
  const steps: Map<string, Tensor>[] = [];
  let state = startOf(group, lead);
  for (let t = 0; t < T; t++) {
    const next = advance(group, state, (name) => outside.get(name)?.[t]);
    state = next.state;
    steps.push(next.values);
  }
  for (const { name } of group) values.set(name, stack(steps.map((step) => step.get(name) as Tensor)));
}

/** Sorts units topologically into groups: single units, and loops as a whole. */
export function groupsOf(units: readonly Unit[]): Unit[][] {
  const all = new Map(units.map((unit) => [unit.name, unit]));
  const readers = readersOf(all);
  const groups: Unit[][] = [];
  const done = new Set<Unit>();
  const loops = new Map<Unit, Unit[]>();
  for (const unit of units) {
    // Every loop has a unit with a late edge, so starting at these units finds all loops.
    if (unit.late.size === 0 || loops.has(unit)) continue;
    const before = reach([unit.name], (name) => all.get(name)?.from);
    const behind = reach([unit.name], (name) => readers.get(name));
    const group = units.filter(({ name }) => before.has(name) && behind.has(name));
    for (const each of group) loops.set(each, group);
  }
  const visit = (unit: Unit): void => {
    if (done.has(unit)) return;
    const group = loops.get(unit) ?? [unit];
    for (const each of group) done.add(each);
    for (const { from } of group) for (const name of from) visit(all.get(name) as Unit);
    groups.push(group);
  };
  for (const unit of units) visit(unit);
  return groups;
}
