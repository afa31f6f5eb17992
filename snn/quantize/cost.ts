/** Types of a profile: the cost of a network and of its layers, as plain objects. */

/** Energy of operations, in joules. */
export interface Joules {
  /** Energy of a multiplication and addition; default 4.6e-12. */
  mac?: number;
  /** Energy of an addition; default 0.9e-12. */
  ac?: number;
  /** Energy of a neuron's step; default 0, since the cited figures are for synapses. */
  update?: number;
}

/** Synaptic operations per sample. */
export interface SynapticOperations {
  /** All products of an input and a weight, including zeros. */
  readonly dense: number;
  /** Products of two numbers other than 0, in steps with an input other than 0, 1 and −1: each is a multiplication with an addition. */
  readonly effectiveMACs: number;
  /** Products without a zero in steps whose inputs are all 0, 1 or −1: only additions. */
  readonly effectiveACs: number;
}

/** Energy per sample, in joules. */
export interface Energy {
  /** Energy of the effective MACs. */
  readonly macs: number;
  /** Energy of the effective ACs. */
  readonly acs: number;
  /** Energy of the steps of neurons. */
  readonly updates: number;
  /** Total energy. */
  readonly total: number;
}

/** Cost of a layer or a network. */
export interface Cost {
  /** Number of parameters, including integers of `Int8`. */
  readonly parameterCount: number;
  /** Bytes of parameters, buffers and scales; weights on a grid of `quantize` count with their bits, integers of `Int8` with a byte. */
  readonly footprint: number;
  /** Share of the weights of products that are 0; null without such weights. */
  readonly connectionSparsity: number | null;
  /** Share of outputs of neurons and of `ReLU` that are 0, over steps and samples; null without such layers. */
  readonly activationSparsity: number | null;
  /** Spikes per sample. */
  readonly spikes: number;
  /** Steps of neurons per sample: neurons × time steps. */
  readonly neuronUpdates: number;
  /** Operations per sample. */
  readonly synapticOperations: SynapticOperations;
  /** Estimated energy per sample, in joules. */
  readonly energy: Energy;
}

/** Cost of a layer. */
export interface LayerCost extends Cost {
  /** The class of the layer. */
  readonly kind: string;
}

/** Result of {@link profile}: a plain object. */
export interface Profile {
  /** Layers by module path. */
  readonly layers: Readonly<Record<string, LayerCost>>;
  /** Names of the layers in the order of the model. JavaScript orders the keys of `layers` differently: "1" before "0.1". */
  readonly order: readonly string[];
  /** Cost of the network. */
  readonly total: Cost;
  /** Number of samples in the data. */
  readonly samples: number;
  /**
   * Names of weight matrices that were not counted: those of users' layers, of subclasses that override `forward`, and of layers that did not
   * run.
   */
  readonly uncounted: readonly string[];
}
