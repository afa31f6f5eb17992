/** The module of a graph: runs its layers in order, whole sequences or step by step, with loops a step late. */
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

/** A node of a network, as it runs. */
export interface Unit {
  readonly name: string;
  /** The nodes whose outputs add up to its input. */
  readonly from: ReadonlySet<string>;
  /** The nodes among these whose output of the step before is read. */
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

/** Shapes of one step of one sample, by the names of nodes. */
type Shapes = Readonly<Record<string, Shape>>;

/** Tensors by the names of nodes. */
type Tensors = Readonly<Record<string, Tensor>>;

/** The parts of a network. */
interface Network {
  readonly graph: NIRGraph;
  /** Nodes that run over a whole sequence, and the nodes of loops, which run step by step; each behind those that it reads. */
  readonly groups: readonly (readonly Unit[])[];
  /** The shapes of the Inputs and of all Outputs, by their names. */
  readonly inputs: Shapes;
  readonly outputs: Shapes;
  /** The names of the Outputs that are no dead ends. */
  readonly main: readonly string[];
  readonly dt: number;
}

/** The state of a network between time steps. */
export interface NIRState {
  /** The states of neurons and delays, by the names of their nodes. */
  readonly nodes: Readonly<Record<string, unknown>>;
  /** Outputs of the step before, [B, …], that loops read, by the names of their nodes. */
  readonly late: Readonly<Record<string, Tensor>>;
}

/** Steps, and the state after them, null where it is not wanted. */
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
 * A network with one Input and one Output has `forward` and `step` on tensors, as other modules, and runs in a `Stream`. Outputs that the
 * Python package has put behind dead ends do not count: their names are `output_` and the name of the node. `run` and
 * `runStep` take the tensors of all Inputs and give the tensors of all Outputs, by the names of the nodes.
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output].
 */
export class NIRModule extends Temporal<NIRState, UnrollResult<NIRState>, NIRState> {
  /** The time of a step, in seconds. */
  readonly dt: number;
  /** The shapes of one step of one sample of the Inputs, by their names. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** The same of all Outputs, dead ends too. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /**
   * The graph that the network was made from.
   *
   * @internal
   */
  readonly graph: NIRGraph;
  private readonly network: Network;
  private readonly units: readonly Unit[];
  /** When the last tensor of the layers was written. */
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
   * The layers by the names of their nodes, with the shapes of their outputs. A layer is new as long as nothing has written to it.
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
   * The outputs over time by the names of all Outputs, [T, B, …Output], for tensors by the names of all Inputs, [T, B, …Input].
   *
   * @throws RangeError for other names or shapes; TypeError for anything but tensors.
   */
  run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const xs = this.tensorsOf(inputs);
    return composed(run, this.network.groups, xs, this.leadOf(xs, "T, B"), Object.keys(this.outputs));
  }

  /**
   * One time step of all Inputs and Outputs by their names, [B, …Input] → [B, …Output], and the next state.
   *
   * @throws RangeError for other names or shapes; TypeError for anything but tensors.
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
   * The state before the first step, for x of the shape of one step, [B, …Input]; of several Inputs, for the shapes by their names.
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
   * Stages of the layers one by one, where each reads the one before.
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

  /** Values by the names of the Inputs, none of which may be left out. */
  private named(values: unknown): Readonly<Record<string, unknown>> {
    const inputs = Object.keys(this.inputs);
    const expected = `values by the names ${show(inputs)}`;
    const given = { ...objectOf("NIRModule", expected, values) };
    const names = Object.keys(given);
    if (names.length === inputs.length && inputs.every((name) => names.includes(name))) return given;
    throw wrongValue("NIRModule", expected, show(names));
  }

  /** Tensors by the names of the Inputs, which are alive. */
  private tensorsOf(values: unknown): Tensors {
    const xs = this.named(values) as Tensors;
    for (const name of Object.keys(this.inputs)) alive(xs[name] as Tensor, "NIRModule");
    return xs;
  }

  /** The state of a caller, read once; throws unless the outputs of the step before have the shape of a step. */
  private stateOf(state: NIRState, lead: Shape): NIRState {
    const { nodes, late } = Object(state) as Partial<NIRState>;
    const from = { nodes: { ...nodes }, late: { ...late } };
    for (const { name, shape } of lateOf(this.units)) {
      checkState("NIRModule", name, from.late[name] as Tensor, [...lead, ...shape]);
    }
    return from;
  }

  /** The axes before the axes of the one Input, for x of this shape. */
  private leadOfOne(sizes: Shape, axes: string): Shape {
    return this.leadOf({ [this.ends()[0]]: { sizes } }, axes);
  }

  /** The axes before the axes of the Inputs, the same for all. */
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

/** The outputs of a network over time. `lead` are time and batch. */
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

/** A step of a network. */
function advanced(
  units: readonly Unit[],
  xs: Tensors,
  from: NIRState,
  outputs: readonly string[],
): [Record<string, Tensor>, NIRState] {
  const { values, state } = advance(units, from, (name) => xs[name]);
  return [pick(values, outputs), state];
}

/** The nodes whose output of the step before is read. */
function lateOf(units: readonly Unit[]): Unit[] {
  const late = new Set(units.flatMap((unit) => [...unit.late]));
  return units.filter(({ name }) => late.has(name));
}

/** The tensors of a layer, also of neurons inside of a loop. */
function tensorsOf(layer: Module): Tensor[] {
  const { neuron = layer } = layer as Module & { readonly neuron?: Module };
  return Object.values(neuron).filter((value): value is Tensor => value instanceof Tensor);
}

type Read = (name: string) => Tensor | undefined;

/** The input of a node: the sum of the outputs that it reads. An Input reads the tensor of its name. */
function inputOf({ name, from }: Unit, read: Read): Tensor {
  const inputs = (from.size === 0 ? [name] : [...from]).map((each) => read(each) as Tensor);
  return inputs.reduce((sum, each) => sum.add(each));
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

/** A step of nodes, some of which may read others besides: their outputs, and the next state. */
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

/** The state before the first step. */
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

/** Runs a loop step by step; the values outside of it are there for all steps. `lead` are time and batch. */
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

/** The units one by one, but the units of a loop together, each group behind the groups that it reads. */
export function groupsOf(units: readonly Unit[]): Unit[][] {
  const all = new Map(units.map((unit) => [unit.name, unit]));
  const readers = readersOf(all);
  const groups: Unit[][] = [];
  const done = new Set<Unit>();
  const loops = new Map<Unit, Unit[]>();
  for (const unit of units) {
    // Each loop has a late edge.
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
