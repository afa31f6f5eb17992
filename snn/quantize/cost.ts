/** The types of a profile: the cost of a network and of its layers, as plain objects. */

/** Joules of an operation. */
export interface Joules {
  /** Of a multiplication with an addition; default 4.6e-12. */
  mac?: number;
  /** Of an addition alone; default 0.9e-12. */
  ac?: number;
  /** Of a step of a neuron; default 0, as the cited figures are of synapses. */
  update?: number;
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
   * Names of weight matrices without a count: of users' layers, of subclasses with a `forward` of their own, and of
   * layers that did not run.
   */
  readonly uncounted: readonly string[];
}
