/** The layers of a network for e-prop: alternating weights and neurons, and a readout. */
import { wrongValue } from "../../engine/arguments.ts";
import { Linear, type Module } from "../../engine/index.ts";
import { traitOf } from "../../engine/protocol.ts";
import { type Kept, keptOf } from "../layer/kept.ts";
import { layersOf as modulesOf } from "../layer/stepping.ts";
import { isUnchanged } from "../layer/temporal.ts";
import { isCompiled, type Neurons } from "../neuron/neuron.ts";
import { Recurrent } from "../recurrent/recurrent.ts";
import { keptOfNeurons } from "../stream/neurons.ts";

/** Neurons with their input weights and, if any, their recurrent weights. */
export interface Hidden {
  /** Layer that makes their current from the input; null if the input is the current. */
  readonly linear: Linear | null;
  readonly neurons: Neurons;
  readonly recurrent: Linear | null;
  /** Layer of the model: the neurons, or the `Recurrent` around them. */
  readonly layer: Module;
  /** Number of neurons; null if the layer does not determine it. */
  readonly features: number | null;
}

/** Weights, and neurons without spikes that integrate their products, or null. */
export interface Readout {
  readonly linear: Linear;
  readonly neurons: Neurons | null;
}

export interface Layers {
  readonly hidden: readonly Hidden[];
  readonly readout: Readout;
}

const WHAT = "Linear, neurons or Recurrent in turns, and Linear or Linear and LeakyIntegrator at the end";

/**
 * Lists the layers of a model.
 *
 * @throws TypeError for anything but modules; RangeError for layers in a different order, of unsupported classes, or with parameters that are neither
 *   weights nor biases.
 */
export function epropLayers(where: string, model: unknown): Layers {
  const hidden: Hidden[] = [];
  let linear: Linear | null = null;
  let end: Readout | null = null;
  let outputs: number | null = null;
  for (const layer of modulesOf(where, model)) {
    const name = layer.constructor.name;
    if (end !== null) throw wrongValue(where, WHAT, `${name} behind the readout`);
    if (isLinear(layer)) {
      if (linear !== null) throw wrongValue(where, WHAT, "two Linear without neurons between them");
      if (outputs !== null && layer.inFeatures !== outputs)
        throw wrongValue(where, `Linear with ${outputs} inputs, the neurons before it`, layer.inFeatures);
      linear = layer;
      outputs = layer.outFeatures;
      continue;
    }
    const { neurons, recurrent } = neuronsOf(where, layer);
    const isReadout = neurons.compiled.main !== "spikes";
    if (isReadout && (linear === null || hidden.length === 0)) {
      throw wrongValue(
        where,
        WHAT,
        `${name} without ${hidden.length === 0 ? "neurons with spikes" : "Linear"} before it`,
      );
    }
    const learned = neurons.givenParameters().some((t) => t.requiresGrad);
    if (learned) {
      throw wrongValue(
        where,
        "neurons whose parameters are not learned; the rule is one for weights",
        `learn in ${name}`,
      );
    }
    const features: number | null = recurrent?.outFeatures ?? outputs;
    if (outputs !== null && features !== outputs)
      throw wrongValue(where, `${name} of ${outputs} features, the outputs of Linear`, features as number);
    if (isReadout) end = { linear: linear as Linear, neurons };
    else hidden.push({ linear, neurons, recurrent, layer, features });
    outputs = features;
    linear = null;
  }
  if (end === null && linear !== null) end = { linear, neurons: null };
  if (end === null || hidden.length === 0) {
    throw wrongValue(where, WHAT, hidden.length === 0 ? "no neurons with spikes" : "neurons with spikes at the end");
  }
  return { hidden, readout: end };
}

const isLinear = (layer: Module): layer is Linear => layer instanceof Linear && traitOf(layer) !== null;

function neuronsOf(where: string, layer: Module): { neurons: Neurons; recurrent: Linear | null } {
  if (isCompiled(layer)) return { neurons: layer, recurrent: null };
  if (!(layer instanceof Recurrent) || !isUnchanged(layer)) {
    throw wrongValue(where, WHAT, layer.constructor.name);
  }
  const { neuron, recurrent } = layer;
  if (!isCompiled(neuron)) throw wrongValue(where, "Recurrent with compiled neurons", neuron.constructor.name);
  if (recurrent === null || !isLinear(recurrent)) {
    throw wrongValue(
      where,
      'Recurrent with the connection "all"',
      recurrent === null ? '"one"' : recurrent.constructor.name,
    );
  }
  return { neurons: neuron, recurrent };
}

/** All layers of weights and of neurons, with their weights, biases, parameters and steps. */
export function keptIn({ hidden, readout }: Layers): Kept[] {
  const weights = [...hidden.flatMap((layer) => [layer.linear, layer.recurrent]), readout.linear];
  const neurons = [...hidden.map((layer) => layer.neurons), readout.neurons];
  return [
    ...weights.filter((layer) => layer !== null).map((layer) => keptOf(layer, [])),
    ...neurons.filter((layer) => layer !== null).map(keptOfNeurons),
    ...hidden.filter(({ recurrent }) => recurrent !== null).map(({ layer }) => keptOf(layer, ["recurrent", "neuron"])),
  ];
}
