/** Recordings: currents, membranes and spikes of the neurons of a model, and their gradients. */

import { functionOf, listed, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, composed, constantSource } from "../../engine/extend.ts";
import { concat, expand, Generator, type Module, noGrad, type Tensor, tape, zeros } from "../../engine/index.ts";
import { type Scope, scope, withOwnGradients } from "../../engine/lasting.ts";
import { defaultGenerator, type LayerTap, locate, moduleOf, shown, tapped, untapped } from "../../engine/protocol.ts";
import { type Shape, sameShape } from "../../engine/shape.ts";
import type { Seen } from "../layer/observe.ts";

/** Gradients at a layer, [T, B, …] each; null without a gradient. */
export interface LayerGradients {
  /** ∂L/∂I of the current, after the surrogate and the backward pass through time. */
  readonly current: Tensor | null;
  /** ∂L/∂s, summed over the layers that read the spikes, before the surrogate. */
  readonly spikes: Tensor | null;
  /** ∂L/∂u, the gradient of the membrane from outside of the neurons, for example from a readout. */
  readonly membrane: Tensor | null;
}

/** Recorded tensors of a layer of neurons, [T, B, …] each; null for outputs that the layer does not have. */
export interface LayerRecording {
  /** The class of the layer. */
  readonly kind: string;
  /** I, the input of the neurons; for `Recurrent` without the recurrent current, for `SpikingLSTM` σ(o)·tanh(c). */
  readonly current: Tensor | null;
  /** s. */
  readonly spikes: Tensor | null;
  /** u, the membrane before the reset. */
  readonly membrane: Tensor | null;
  /** Gradients of the loss; null without one. */
  readonly gradients: LayerGradients | null;
}

/** Result of {@link record}: a plain object, which a tape may return. */
export interface Recording {
  /** Output of the model, the same bits as from `forward`. */
  readonly output: Tensor;
  /** Names of the layers in the order of their first run. JavaScript orders the keys of `layers` differently: "1" before "0.1". */
  readonly order: readonly string[];
  /** The layers by the paths of their modules. */
  readonly layers: Readonly<Record<string, LayerRecording>>;
  /** The loss, null without one. */
  readonly loss: number | null;
  /** Gradients by name of the parameters that the loss depends on; null without a loss. */
  readonly gradients: Readonly<Record<string, Tensor>> | null;
}

/** Options of {@link record}. */
export interface RecordOptions {
  /** Loss of the output, one number; with it `record` also runs backward. */
  loss?: (output: Tensor) => Tensor;
  /** Names of the layers to record; all by default. */
  layers?: readonly string[];
}

const DEFAULTS = {
  loss: undefined as RecordOptions["loss"],
  layers: undefined as readonly string[] | undefined,
} satisfies Record<keyof RecordOptions, unknown>;

/**
 * Runs a model and returns spikes, membranes and currents of all its neurons and, with a loss, their gradients.
 *
 * `order` lists the names in the order of the layers' first runs. Layers of the package are recorded in `forward`,
 * `unroll` and `step`, and tensors in {@link observe}. Steps of a layer are joined over time. A layer that is used at
 * several places appears once for each, as `name#2` from the second on. A model that is a layer itself, and a layer
 * that is not in a field, have the name of their class.
 *
 * The model does not change. Without a loss, inside of a recording tape, the call replaces `forward`: all tensors are on the tape, so a loss may use
 * them. Everywhere else, running statistics and random generators are restored and `grad` is not touched, so a recording between two training steps
 * does not change the bits of the training. The model runs in its current mode, training or evaluation.
 *
 * Output, spikes, membranes and currents have the same bits as in `forward`. Gradients have the same bits too, except if a current is the
 * same in all steps: then the order of their sums over time differs. All tensors belong to the enclosing tape or the caller.
 *
 * @throws TypeError for anything but a model, an `x` or a loss that is not a tensor, an unknown option or a value of the wrong type; RangeError for
 *   names of layers that did not run, and errors of the model and the loss.
 *
 * @example
 * ```ts
 * import { crossEntropy, LIF, Linear, meanOverTime, rand, record, Sequential } from "jarvis-snn";
 *
 * const model = new Sequential(new Linear(5, 8), new LIF({ threshold: 0.5 }), new Linear(8, 2));
 * const { layers, order } = record(model, rand([10, 3, 5]), {
 *   loss: (output) => crossEntropy(meanOverTime(output), [0, 1, 1]),
 * });
 * const lif = layers["1"]; // by the path of the module, as in `namedModules`
 * console.log(order, lif?.spikes?.shape, lif?.gradients?.current?.shape); // [ '1' ] [ 10, 3, 8 ] [ 10, 3, 8 ]
 * ```
 */
export function record(model: Module, x: Tensor, options: RecordOptions = {}): Recording {
  return recordOf("record", model, x, options).recording;
}

export interface Sighting {
  readonly recording: Recording;
  readonly modules: ReadonlyMap<string, Module>;
}

/** `record` with the name of the calling function for errors. */
export function recordOf(where: string, model: Module, x: Tensor, options: RecordOptions): Sighting {
  const { loss, layers } = withDefaults(where, DEFAULTS, options);
  moduleOf(where, model);
  alive(x, where);
  if (loss !== undefined) functionOf(where, "loss", loss);
  const recorder = new Recorder(model, namesOf(where, layers), loss !== undefined);
  const run = (): Recording => (loss === undefined ? forward(where, recorder, x) : backward(where, recorder, x, loss));
  // Inside of a recording tape, `record` returns the tensors of `forward` and keeps its side effects.
  const recording = loss === undefined && scope.recording ? run() : undisturbed(recorder.model, x, run);
  return { recording, modules: recorder.modules };
}

function namesOf(where: string, layers: unknown): ReadonlySet<string> | null {
  if (layers === undefined) return null;
  if (!Array.isArray(layers) || !layers.every((name) => typeof name === "string")) {
    throw wrongType(where, "layers as a list of names", layers);
  }
  return new Set(layers);
}

function forward(where: string, recorder: Recorder, x: Tensor): Recording {
  return composed(() => {
    const output = outputOf(where, recorder, x);
    return { output, ...recorder.recorded(where), loss: null, gradients: null };
  });
}

function backward(where: string, recorder: Recorder, x: Tensor, lossOf: (output: Tensor) => Tensor): Recording {
  return tape(() => {
    const output = outputOf(where, recorder, leafOf(x));
    const loss = lossOf(output);
    alive(loss, `${where}: the loss`);
    loss.backward();
    const gradients = recorder.model
      .namedParameters()
      .flatMap(([name, { grad }]) => (grad ? [[name, grad.clone()]] : []));
    const recorded = noGrad(() => recorder.recorded(where));
    return { output, ...recorded, loss: loss.item(), gradients: Object.fromEntries(gradients) };
  });
}

function outputOf(where: string, recorder: Recorder, x: Tensor): Tensor {
  recorder.home = scope;
  const { model } = recorder;
  const output = tapped(model, { layers: recorder }, () => {
    try {
      return model.forward(x);
    } catch (error) {
      throw locate(error, "", model);
    }
  });
  alive(output, `${where}: the output of the model`);
  return output;
}

/**
 * The values of x as a leaf that is on no other tape, so that backward reaches every layer. Values that repeat over time remain compact.
 */
function leafOf(x: Tensor): Tensor {
  const source = constantSource(x);
  const leaf = (source ?? x).detach();
  leaf.requiresGrad = true;
  return source === null ? leaf : expand(leaf, x.sizes);
}

/** Runs fn, then restores buffers, generators and gradients of leaves. */
function undisturbed<R>(model: Module, x: Tensor, fn: () => R): R {
  const buffers = model.namedState().filter(([, t]) => t.isBuffer);
  const before = buffers.map(([, t]) => ({ t, values: t.toFloat32Array(), written: t.written }));
  const fields = model.namedModules().flatMap(([, module]) => Object.values(module) as unknown[]);
  const generators = new Set([defaultGenerator, ...fields.filter((each) => each instanceof Generator)]);
  const states = [...generators].map((generator) => [generator, generator.getState()] as const);
  try {
    return withOwnGradients([...new Set([...model.parameters(), x])], fn);
  } finally {
    for (const [generator, state] of states) generator.setState(state);
    for (const { t, values, written } of before) if (t.written !== written) t.copyFrom(values);
  }
}

const KINDS = ["current", "spikes", "membrane"] as const;
type Kind = (typeof KINDS)[number];

type Tensors = Record<Kind, Tensor | null>;

/** A run of a layer over one or more steps. */
interface Piece {
  readonly values: Tensors;
  readonly gradients: Tensors;
}

/** Consecutive runs of a layer. */
interface Sequence {
  readonly name: string;
  readonly module: Module;
  /** Shape of a step. */
  readonly shape: Shape;
  readonly pieces: Piece[];
}

class Recorder implements LayerTap {
  readonly model: Module;
  /** Modules of all recorded layers, by name. */
  readonly modules = new Map<string, Module>();
  /** The scope that the recording belongs to. */
  home = scope;
  private readonly wanted: ReadonlySet<string> | null;
  private readonly differentiates: boolean;
  private readonly names: ReadonlyMap<Module, string>;
  private readonly sequences: Sequence[] = [];

  constructor(model: Module, wanted: ReadonlySet<string> | null, differentiates: boolean) {
    this.model = model;
    this.wanted = wanted;
    this.differentiates = differentiates;
    this.names = new Map(model.namedModules().map(([name, module]) => [module, name]));
  }

  run<R extends object>(module: Module, current: Tensor, continues: boolean, run: (current: Tensor) => R): R {
    const sequence = this.sequenceOf(module, current.sizes.slice(1), continues);
    if (!this.wants(sequence)) return untapped(() => run(current));
    const differentiates = this.differentiates && scope.recording;
    // The copy's gradient comes from this layer only.
    const own = differentiates ? current.clone() : current;
    if (own !== current) own.requiresGrad = true;
    const result = untapped(() => run(own)) as R & { readonly spikes?: Tensor; readonly membrane?: Tensor };
    this.take(sequence, { current: own, spikes: result.spikes ?? null, membrane: result.membrane ?? null });
    return result;
  }

  see(module: Module, seen: Seen): void {
    const values = { current: seen.current ?? null, spikes: seen.spikes ?? null, membrane: seen.membrane ?? null };
    const [, ...shape] = shapeOf(values);
    const sequence = this.sequenceOf(module, shape, false);
    if (this.wants(sequence)) this.take(sequence, values);
  }

  /** The layers by name, and their order. */
  recorded(where: string): Pick<Recording, "layers" | "order"> {
    const recorded = this.sequences.filter((sequence) => this.wants(sequence));
    const names = this.sequences.map(({ name }) => name);
    for (const name of this.wanted ?? []) {
      if (!names.includes(name)) throw wrongValue(where, `layers that run, ${listed(names)}`, show(name));
    }
    const layers = Object.fromEntries(recorded.map((sequence) => [sequence.name, this.joined(sequence)]));
    return { layers, order: recorded.map(({ name }) => name) };
  }

  private wants({ name }: Sequence): boolean {
    return this.wanted === null || this.wanted.has(name);
  }

  private sequenceOf(module: Module, shape: Shape, continues: boolean): Sequence {
    const last = this.sequences.filter((each) => each.module === module && sameShape(each.shape, shape)).pop();
    if (continues && last !== undefined) return last;
    const path = this.names.get(module) || module.constructor.name;
    const count = this.sequences.filter(({ name }) => name.replace(/#\d+$/, "") === path).length;
    const name = count === 0 ? path : `${path}#${count + 1}`;
    const sequence = { name, module, shape, pieces: [] };
    this.sequences.push(sequence);
    this.modules.set(name, module);
    return sequence;
  }

  private take({ pieces }: Sequence, values: Tensors): void {
    const gradients: Tensors = { current: null, spikes: null, membrane: null };
    // A tape inside of the model may end before the recording is assembled.
    for (let inner = scope; inner !== this.home; inner = inner.parent as Scope) {
      for (const t of Object.values(values)) if (t !== null) inner.kept.push(t);
    }
    for (const kind of this.differentiates ? KINDS : []) {
      if (values[kind] !== null) shown(values[kind], (gradient) => (gradients[kind] = gradient));
    }
    pieces.push({ values, gradients });
  }

  private joined({ module, pieces }: Sequence): LayerRecording {
    const all = (tensorOf: (piece: Piece, kind: Kind) => Tensor | null): Tensors => ({
      current: concatenated(pieces, (piece) => tensorOf(piece, "current")),
      spikes: concatenated(pieces, (piece) => tensorOf(piece, "spikes")),
      membrane: concatenated(pieces, (piece) => tensorOf(piece, "membrane")),
    });
    return {
      kind: module.constructor.name,
      ...all(({ values }, kind) => values[kind]),
      gradients: this.differentiates ? all(gradientOf) : null,
    };
  }
}

/** Gradient of a piece; a leaf keeps its own in `grad`. */
const gradientOf = ({ values, gradients }: Piece, kind: Kind): Tensor | null =>
  gradients[kind] ?? values[kind]?.grad?.clone() ?? null;

/** Tensors of all pieces in the order of time, zeros for pieces that have none; null if no piece has one. */
function concatenated(pieces: readonly Piece[], tensorOf: (piece: Piece) => Tensor | null): Tensor | null {
  const tensors = pieces.map(tensorOf);
  if (tensors.every((t) => t === null)) return null;
  if (tensors.length === 1) return tensors[0] as Tensor;
  return concat(tensors.map((t, i) => t ?? zeros(shapeOf((pieces[i] as Piece).values))));
}

const shapeOf = ({ current, spikes, membrane }: Tensors): Shape => (current ?? spikes ?? membrane)?.sizes ?? [];
