/** Maps states of models of snnTorch, Norse and SpikingJelly to the layer names of this package. */
import {
  choiceOf,
  listOf,
  numbersOf,
  objectOf,
  shortened,
  show,
  WHOLE,
  withDefaults,
  wrongValue,
} from "../engine/arguments.ts";
import type { ArrayEntry, Module, NamedArrays, NumberArray } from "../engine/index.ts";
import { Conv2d, Sequential, Tensor } from "../engine/index.ts";
import { moduleOf } from "../engine/protocol.ts";
import { formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../engine/shape.ts";
import { Neurons } from "./neuron/neuron.ts";
import { Lapicque } from "./neurons/lapicque.ts";
import { BatchNormTT1d, BatchNormTT2d } from "./temporal/batch-norm.ts";
import { PSN } from "./temporal/psn.ts";

/** A package whose states {@link fromPython} understands. */
export type PythonPackage = "snntorch" | "norse" | "spikingjelly";

/** Options of {@link fromPython}. */
export interface FromPythonOptions {
  /** The module that will load the state; its layers determine how names are mapped. */
  model: Module;
  /** The package that saved the state. */
  from: PythonPackage;
}

const DEFAULTS = { model: null as Module | null, from: "" as string };

const WHERE = "fromPython";

/**
 * Renames the state dict of a model of snnTorch, Norse or SpikingJelly for `loadStateDict` of a module of this package.
 *
 * The module must have the structure of the Python model: the same field names and the same indices in Sequential. Equal names are kept. The others,
 * with P the path of a layer:
 *
 *   snnTorch       P.graded_spikes_factor → P.gradedSpikesFactor; must be 1 if the layer has none
 *                  P.reset_mechanism_val  checked against the reset of the layer, 0 "subtract", 1 "zero", 2 "none", and dropped
 *                  P.beta, P.alpha, P.threshold of a recurrent layer or SLSTM → P.neuron.beta, …
 *                  P.threshold of Leaky and Synaptic without a reset dropped, if the layer has no spikes
 *                  P.time_step → P.timeStep, P.beta of Lapicque dropped, since R and C determine it; P.recurrent.V, a copy of P.V
 *                  P.0.weight, P.1.weight, … of BatchNormTT → P.weight [T, C], and likewise its statistics
 *   Norse          P.input_weights → P.0.weight, P.recurrent_weights → P.1.recurrent.weight, P a Sequential of Linear and Recurrent without
 *                  biases and, as Norse has no autapses by default, with selfConnections: false
 *                  P.lifted_module.weight → P.weight; a weight [..., 1] of LConv2d loses its last axis
 *   SpikingJelly   P.rc.weight → P.0.weight and P.1.recurrent.weight, P.rc.bias → P.0.bias, P.sub_module.w → P.1.neuron.w
 *                  P._lambda_ → P.lambda of PSN; P.mask0, P.mask1 checked against its order, and dropped
 *                  P.bn_list.0.weight, … → P.weight [T, C]
 *
 * A single value is repeated if the parameter has one value for each neuron. Names without a counterpart are kept, so
 * that `loadStateDict` reports them, for example a step of BatchNormTT beyond the layer's steps. The layer has one
 * counter of batches: the count of step 0.
 *
 * @throws RangeError for a layer whose reset differs from the state, or that lacks the graded spikes of the state, for missing steps of a batch
 *   normalisation, or an unknown package; TypeError for anything but a state and a module, or an unknown option.
 *
 * @example
 * ```ts
 * import { fromPython, LIF, Linear, Sequential, tensor } from "jarvis-snn";
 *
 * const model = new Sequential(new Linear(2, 1), new LIF({ numerics: "snntorch" }));
 * // As `loadSafetensors(bytes).tensors` has it, of a file that Python has written.
 * const state = { "0.weight": tensor([[1, 2]]), "0.bias": tensor([0]), "1.beta": tensor(0.5) };
 * const threshold = { "1.threshold": tensor(1) };
 * model.loadStateDict(fromPython({ ...state, ...threshold }, { model, from: "snntorch" }));
 * console.log(model.stateDict()["1.beta"]?.data); // Float32Array(1) [ 0.5 ]
 * ```
 */
export function fromPython(state: NamedArrays, options: FromPythonOptions): NamedArrays {
  const { model, from } = withDefaults(WHERE, DEFAULTS, options);
  const own = moduleOf(WHERE, model as Module);
  const given = objectOf(WHERE, "a state, arrays by name", state);
  const known = choiceOf(WHERE, "from", from, ["snntorch", "norse", "spikingjelly"]);
  const mapping = new Mapping(own, given, known);
  const rule = RULES[known];
  for (const name of mapping.names) {
    if (
      mapping.own.has(name) ||
      !mapping.layersAbove(name).some(([path, layer, key]) => rule(mapping, path, layer, key))
    )
      mapping.put(name, name, mapping.entry(name));
  }
  return mapping.result();
}

/** Maps the array `key` of the layer at a path ("" or ending in a dot); returns false for an unknown key. */
type Rule = (mapping: Mapping, path: string, layer: Module, key: string) => boolean;

class Mapping {
  readonly names: ReadonlySet<string>;
  /** Shapes of the arrays of the module. */
  readonly own: ReadonlyMap<string, Shape>;
  private readonly given: Readonly<Record<string, unknown>>;
  private readonly layers: ReadonlyMap<string, Module>;
  private readonly made = new Map<string, { readonly from: string; readonly entry: Tensor | ArrayEntry }>();
  /** Rows by the name of the array that they form, each with its name in the state. */
  private readonly rows = new Map<string, { readonly from: string; readonly values: ArrayLike<number> }[]>();
  private readonly ofNeurons: ReadonlySet<string>;
  /** Names of weights that LConv2d of Norse saves with a last axis of 1. */
  private readonly ofMaps: ReadonlySet<string>;

  constructor(model: Module, given: Readonly<Record<string, unknown>>, from: PythonPackage) {
    const state = model.namedState();
    const layers = model.namedModules();
    const neurons = new Set(layers.flatMap(([, layer]) => parametersOfNeurons(layer)));
    const maps = layers.flatMap(([, layer]) => (layer instanceof Conv2d && from === "norse" ? [layer.weight] : []));
    const namesOf = (tensors: ReadonlySet<Tensor>) =>
      new Set(state.filter(([, t]) => tensors.has(t)).map(([name]) => name));
    this.own = new Map(state.map(([name, t]) => [name, t.sizes]));
    this.layers = new Map(layers);
    this.ofNeurons = namesOf(neurons);
    this.ofMaps = namesOf(new Set(maps));
    this.given = given;
    this.names = new Set(Object.keys(given));
  }

  /** The layers on the path of a name, the innermost first, and the rest of the name. */
  layersAbove(name: string): [path: string, layer: Module, key: string][] {
    const found: [string, Module, string][] = [];
    for (let at = name.lastIndexOf("."); ; at = name.lastIndexOf(".", at - 1)) {
      const layer = this.layers.get(at < 0 ? "" : name.slice(0, at));
      if (layer !== undefined) found.push([name.slice(0, at + 1), layer, name.slice(at + 1)]);
      if (at <= 0) return found;
    }
  }

  /** A checked array of the state. */
  entry(name: string): Tensor | ArrayEntry {
    const entry = this.given[name];
    if (entry instanceof Tensor) return entry;
    const where = `${WHERE}: ${shortened(name)}`;
    const { shape, data } = objectOf(where, "an array { shape, data }", entry) as unknown as ArrayEntry;
    const sizes = listOf(where, "shape", sizesOf(where, shape), WHOLE);
    const values = numbersOf(where, "an array of numbers", data) as NumberArray;
    if (values.length !== sizeOf(sizes)) throw wrongValue(where, `${sizeOf(sizes)} values`, values.length);
    return { shape: sizes, data: values };
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** Values and shape of an array. */
  read(name: string): { shape: Shape; data: ArrayLike<number> } {
    const entry = this.entry(name);
    return entry instanceof Tensor ? { shape: entry.sizes, data: entry.toFloat32Array() } : entry;
  }

  /**
   * Assigns a name to an array of the state or a part of it; the module need not have the name.
   *
   * @throws RangeError if the name is taken.
   */
  put(name: string, from: string, entry: Tensor | ArrayEntry): void {
    const other = this.made.get(name);
    if (other !== undefined) {
      const [to, one, two] = [name, other.from, from].map((each) => shortened(each, 60));
      throw wrongValue(`${WHERE}: ${to}`, "one array", `${one} and ${two}`);
    }
    this.made.set(name, { from, entry });
  }

  /** Renames the array `from` to the first of the names that the module has; false if it has none. */
  rename(from: string, ...names: string[]): boolean {
    const name = names.find((each) => this.own.has(each));
    if (name === undefined) return false;
    this.put(name, from, this.entry(from));
    return true;
  }

  /** Makes the array `from` a row of an array of the module; false if the module has no such row. */
  row(name: string, index: number, from: string): boolean {
    const [T = 0] = this.own.get(name) ?? [];
    if (index >= T) return false;
    const rows = this.rows.get(name) ?? [];
    rows[index] = { from, values: this.read(from).data };
    this.rows.set(name, rows);
    return true;
  }

  result(): NamedArrays {
    for (const [name, rows] of this.rows) {
      const [T = 0] = this.own.get(name) as Shape;
      const lengths = Array.from({ length: T }, (_, t) => rows[t]?.values.length);
      if (lengths.some((n) => n === undefined || n !== lengths[0])) {
        throw wrongValue(`${WHERE}: ${name}`, `arrays of one length for ${T} steps`, show(lengths));
      }
      const data = Float32Array.from(rows.flatMap(({ values }) => Array.from(values)));
      this.put(name, (rows[0] as { from: string }).from, { shape: [T, lengths[0] as number], data });
    }
    return Object.fromEntries(Array.from(this.made, ([name, { entry }]) => [name, this.fitted(name, entry)]));
  }

  /** Repeats a single value for each neuron; drops the time axis of a Norse convolution. */
  private fitted(name: string, entry: Tensor | ArrayEntry): Tensor | ArrayEntry {
    const wanted = this.own.get(name);
    const shape = (entry as ArrayEntry | null)?.shape;
    if (wanted === undefined || !Array.isArray(shape) || sameShape(shape, wanted)) return entry;
    const isOne = sizeOf(shape) === 1 && wanted.length <= 1 && this.ofNeurons.has(name);
    const isSame = this.ofMaps.has(name) && sameShape(shape, [...wanted, 1]);
    if (!isOne && !isSame) return entry;
    const data = entry instanceof Tensor ? entry.toFloat32Array() : (entry as ArrayEntry).data;
    return { shape: wanted, data: isOne ? new Float32Array(sizeOf(wanted)).fill(data[0] as number) : data };
  }
}

/** The neurons of a layer; `Recurrent` and `SpikingLSTM` contain theirs. */
function neuronsOf(layer: Module): Neurons | null {
  const within: unknown = (layer as Module & { neuron?: unknown }).neuron;
  return layer instanceof Neurons ? layer : within instanceof Neurons ? within : null;
}

/** Parameters of neurons, and weights by which neurons feed back to themselves. */
function parametersOfNeurons(layer: Module): Tensor[] {
  const { V }: { V?: unknown } = layer as Module & { V?: unknown };
  const neurons = neuronsOf(layer);
  if (neurons === null) return [];
  return [...neurons.namedState().map(([, t]) => t), ...(V instanceof Tensor ? [V] : [])];
}

const RESETS = ["subtract", "zero", "none"];

/** Whether neurons only have a membrane, without spikes. */
const isReadout = (neurons: Neurons): boolean => neurons.compiled.main === "membrane";

function checkReset(path: string, neurons: Neurons, value: number | undefined): void {
  const expected = RESETS[value as number];
  // Neurons without spikes have no reset.
  const { reset = isReadout(neurons) ? "none" : undefined } = neurons.chosen;
  const where = `${WHERE}: ${path.slice(0, -1)}`;
  if (expected === undefined) throw wrongValue(where, "reset_mechanism_val 0, 1 or 2", String(value));
  if (reset === expected) return;
  const got = reset === undefined ? "a reset of its own" : show(reset);
  throw wrongValue(where, `a layer with reset "${expected}", as the state says`, got);
}

type ThroughTime = BatchNormTT1d | BatchNormTT2d;

const isThroughTime = (layer: Module): layer is ThroughTime =>
  layer instanceof BatchNormTT1d || layer instanceof BatchNormTT2d;

/** Step indices as Python writes them; "00" is not an index. */
const STEP_OF_NORM = /^(?:bn_list\.)?(0|[1-9]\d*)\.(\w+)$/;

/** Maps one step of a batch normalisation through time, whose statistics and weights are [T, C] here. */
function stepOfNorm(mapping: Mapping, path: string, layer: ThroughTime, key: string): boolean {
  const [, step = "", name = ""] = STEP_OF_NORM.exec(key) ?? [];
  if (step === "" || Number(step) >= layer.timesteps) return false;
  if (name !== "num_batches_tracked") return mapping.row(path + name, Number(step), path + key);
  // The layer has one counter: the count of step 0.
  const first = `${path + key.slice(0, -`${step}.${name}`.length)}0.${name}`;
  return step === "0" ? mapping.rename(path + key, path + name) : mapping.has(first) && mapping.own.has(path + name);
}

/** Maps the second name of snnTorch's recurrent weights; false if the module has none. */
function fedBack(mapping: Mapping, from: string, name: string): boolean {
  if (!mapping.has(name) || !mapping.own.has(name)) return mapping.rename(from, name);
  const [one, two] = [mapping.read(from).data, mapping.read(name).data];
  const isSame = one.length === two.length && Array.from(one).every((value, i) => Object.is(value, two[i]));
  if (!isSame) throw wrongValue(`${WHERE}: ${name}`, `the values of ${from}`, "others");
  return true;
}

/** Whether a layer is the counterpart of a Python layer that multiplies and then fires. */
const isPair = (layer: Module): boolean => layer instanceof Sequential && layer.modules.length === 2;

const RULES: Record<PythonPackage, Rule> = {
  snntorch(mapping, path, layer, key) {
    if (isThroughTime(layer)) return stepOfNorm(mapping, path, layer, key);
    const neurons = neuronsOf(layer);
    if (neurons === null) return false;
    const name = path + key;
    const value = () => mapping.read(name).data[0];
    if (key === "reset_mechanism_val") {
      checkReset(path, neurons, value());
      return true;
    }
    if (key === "graded_spikes_factor") {
      if (mapping.rename(name, `${path}gradedSpikesFactor`, `${path}neuron.gradedSpikesFactor`)) return true;
      const { data } = mapping.read(name);
      if (Array.from(data).every((factor) => factor === 1)) return true;
      throw wrongValue(
        `${WHERE}: ${path.slice(0, -1)}`,
        "a layer with gradedSpikesFactor, as the state has one",
        "none",
      );
    }
    if (key === "beta" && neurons instanceof Lapicque) return true;
    // Without a reset, the membrane does not depend on the threshold.
    if (key === "threshold" && isReadout(neurons) && mapping.has(`${path}reset_mechanism_val`)) return true;
    if (key === "time_step") return mapping.rename(name, `${path}timeStep`);
    if (key === "recurrent.V") return fedBack(mapping, name, `${path}V`);
    return mapping.rename(name, `${path}neuron.${key}`);
  },

  norse(mapping, path, layer, key) {
    const name = path + key;
    if (key.startsWith("lifted_module.")) return mapping.rename(name, path + key.slice("lifted_module.".length));
    if (!isPair(layer)) return false;
    if (key === "input_weights") return mapping.rename(name, `${path}0.weight`);
    return key === "recurrent_weights" && mapping.rename(name, `${path}1.recurrent.weight`);
  },

  spikingjelly(mapping, path, layer, key) {
    const name = path + key;
    if (isThroughTime(layer)) return stepOfNorm(mapping, path, layer, key);
    if (layer instanceof PSN) {
      if (key === "_lambda_") return mapping.rename(name, `${path}lambda`);
      if (layer.kind !== "masked" || (key !== "mask0" && key !== "mask1")) return false;
      checkMask(name, mapping.read(name), layer.timesteps as number, key === "mask0" ? layer.order : null);
      return true;
    }
    if (!isPair(layer)) return false;
    if (key.startsWith("sub_module."))
      return mapping.rename(name, `${path}1.neuron.${key.slice("sub_module.".length)}`);
    if (key === "rc.bias") return mapping.rename(name, `${path}0.bias`);
    return key === "rc.weight" && splitColumns(mapping, name, `${path}0.weight`, `${path}1.recurrent.weight`);
  },
};

/** Throws unless a mask [T, T] has ones for the last `order` steps (null: all steps) and zeros elsewhere. */
function checkMask(
  name: string,
  { shape, data }: { shape: Shape; data: ArrayLike<number> },
  T: number,
  order: number | null,
) {
  const where = `${WHERE}: ${name}`;
  if (!sameShape(shape, [T, T])) throw wrongValue(where, `a mask ${formatShape([T, T])}`, formatShape(shape));
  for (let at = 0; at < T * T; at++) {
    const back = Math.floor(at / T) - (at % T);
    const expected = order === null || (back >= 0 && back < order) ? 1 : 0;
    if (data[at] === expected) continue;
    const place = `at [${Math.floor(at / T)}, ${at % T}]`;
    throw wrongValue(where, `${expected} ${place}${order === null ? "" : `, as of order ${order}`}`, `${data[at]}`);
  }
}

/** Splits the columns of a weight into one for inputs and one for spikes that are fed back. */
function splitColumns(mapping: Mapping, name: string, ...parts: [input: string, fedBack: string]): boolean {
  const shapes = parts.map((part) => mapping.own.get(part));
  const { shape, data } = mapping.read(name);
  const [N = 0, M = 0] = shape;
  const widths = shapes.map((each) => each?.[1] ?? 0);
  if (shapes.includes(undefined)) return false;
  if (shape.length !== 2 || (widths[0] as number) + (widths[1] as number) !== M) {
    throw wrongValue(`${WHERE}: ${name}`, `the columns of ${parts.join(" and ")}, ${show(widths)}`, formatShape(shape));
  }
  for (const [i, part] of parts.entries()) {
    const width = widths[i] as number;
    const start = i * (widths[0] as number);
    const values = Float32Array.from({ length: N * width }, (_, at) => {
      return data[Math.floor(at / width) * M + start + (at % width)] as number;
    });
    mapping.put(part, name, { shape: [N, width], data: values });
  }
  return true;
}
