/**
 * Graphs of the Neuromorphic Intermediate Representation as plain data: nodes and fields have the names that files give them.
 *
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation: A unified instruction set for interoperable brain-inspired
 *   computing, Nature Communications 15, https://doi.org/10.1038/s41467-024-52259-9.
 */

/** An array of a node: float32 or float64 values in row-major order. */
export interface NIRArray {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** The values. */
  readonly data: Float32Array | Float64Array;
}

/** One number for both axes of an image, or [height, width]. */
export type NIRPair = number | readonly [number, number];

/** Padding of a convolution: zeros at each side, "same" or "valid". */
export type NIRPadding = NIRPair | "same" | "valid";

/** Metadata of a node or a graph, by name: kept in files, and not read by `fromNIR`. */
export type NIRMetadata = Readonly<Record<string, unknown>>;

/** A node of a kind, with fields. */
interface Node<Type extends string> {
  /** The name of the primitive. */
  readonly type: Type;
  /** Free data that travel with the node. */
  readonly metadata?: NIRMetadata;
}

/** The fields of a leaky membrane: τ·dv/dt = (v_leak − v) + r·I. */
interface Membrane {
  /** τ, seconds. */
  readonly tau: NIRArray;
  /** Resistance. */
  readonly r: NIRArray;
  /** The value towards which v decays. */
  readonly v_leak: NIRArray;
}

/** The fields of a spike: z = 1 where v > v_threshold, and v ← v_reset there. */
interface Threshold {
  /** θ. */
  readonly v_threshold: NIRArray;
  /** The value of v after a spike; zeros where a file has none. */
  readonly v_reset: NIRArray;
}

/** The fields of a synaptic current before a membrane: τ_syn·di/dt = −i + w_in·I, τ_mem·dv/dt = (v_leak − v) + r·i. */
interface SynapticMembrane {
  /** τ_syn, seconds. */
  readonly tau_syn: NIRArray;
  /** τ_mem, seconds. */
  readonly tau_mem: NIRArray;
  /** Resistance. */
  readonly r: NIRArray;
  /** The value towards which v decays. */
  readonly v_leak: NIRArray;
  /** Weight of the input; ones where a file has none. */
  readonly w_in: NIRArray;
}

/** The fields of convolutions. */
interface Convolution<Size, Padding, Shape> {
  /** Filters, [out, in / groups, k] or [out, in / groups, kH, kW]. */
  readonly weight: NIRArray;
  /** [out]. */
  readonly bias: NIRArray;
  /** Steps of the window. */
  readonly stride: Size;
  /** Zeros before and behind each axis. */
  readonly padding: Padding;
  /** Distance of the values under the window. */
  readonly dilation: Size;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
  /** Size of the input without channels, null where the file has none. */
  readonly input_shape: Shape | null;
}

/** The fields of pools. */
interface Pool {
  /** Size of the window. */
  readonly kernel_size: NIRPair;
  /** Steps of the window. */
  readonly stride: NIRPair;
  /** Zeros before and behind each axis. */
  readonly padding: NIRPair;
}

/** The place where values of this shape, without a batch, come in. */
export interface NIRInput extends Node<"Input"> {
  /** Sizes of one step of one sample. */
  readonly shape: readonly number[];
}

/** The place where values of this shape leave. */
export interface NIROutput extends Node<"Output"> {
  /** Sizes of one step of one sample. */
  readonly shape: readonly number[];
}

/** y = W·x + b. */
export interface NIRAffine extends Node<"Affine"> {
  /** W, [out, in]; [places, out, in] has a matrix for each place of x [places, in]. */
  readonly weight: NIRArray;
  /** b, [out], or [places, out]. */
  readonly bias: NIRArray;
}

/** y = W·x. */
export interface NIRLinear extends Node<"Linear"> {
  /** W, [out, in]; [places, out, in] has a matrix for each place of x [places, in]. */
  readonly weight: NIRArray;
}

/** y = scale ⊙ x. */
export interface NIRScale extends Node<"Scale"> {
  /** Factors, of the shape of x. */
  readonly scale: NIRArray;
}

/** A convolution over [in, L]. */
export interface NIRConv1d extends Node<"Conv1d">, Convolution<number, number | "same" | "valid", number> {}

/** A convolution over [in, H, W]. */
export interface NIRConv2d extends Node<"Conv2d">, Convolution<NIRPair, NIRPadding, readonly [number, number]> {}

/** The sum under each window. */
export interface NIRSumPool2d extends Node<"SumPool2d">, Pool {}

/** The mean under each window. */
export interface NIRAvgPool2d extends Node<"AvgPool2d">, Pool {}

/** Axes start_dim … end_dim of one sample as one. */
export interface NIRFlatten extends Node<"Flatten"> {
  /** The first of these axes, without a batch. */
  readonly start_dim: number;
  /** The last of them. */
  readonly end_dim: number;
  /** Sizes of the input, where the file has them. */
  readonly input_shape: readonly number[] | null;
}

/** y(t) = x(t − delay). */
export interface NIRDelay extends Node<"Delay"> {
  /** Seconds. */
  readonly delay: NIRArray;
}

/** z = 1 where x > threshold. */
export interface NIRThreshold extends Node<"Threshold"> {
  /** θ. */
  readonly threshold: NIRArray;
}

/** An integrator: dv/dt = r·I. */
export interface NIRI extends Node<"I"> {
  /** Resistance. */
  readonly r: NIRArray;
}

/** A leaky integrator. */
export interface NIRLI extends Node<"LI">, Membrane {}

/** Integrate and fire: dv/dt = r·I. */
export interface NIRIF extends Node<"IF">, Threshold {
  /** Resistance. */
  readonly r: NIRArray;
}

/** Leaky integrate and fire. */
export interface NIRLIF extends Node<"LIF">, Membrane, Threshold {}

/** A leaky integrator of a synaptic current. */
export interface NIRCubaLI extends Node<"CubaLI">, SynapticMembrane {}

/** Leaky integrate and fire with a synaptic current. */
export interface NIRCubaLIF extends Node<"CubaLIF">, SynapticMembrane, Threshold {}

/** Nodes and the edges between them; a graph may be a node of another one. */
export interface NIRGraph extends Node<"NIRGraph"> {
  /** The nodes by name; values come in at nodes of type Input and leave at nodes of type Output. */
  readonly nodes: Readonly<Record<string, NIRNode>>;
  /** Pairs of names: from, to. Several edges to one node add up. */
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** The version of NIR that wrote the file; of an outermost graph. */
  readonly version?: string;
  /**
   * The metadata of the file that `readNIR` has left out, as it cannot read their types; of an outermost graph, absent where none are.
   * Neither files nor modules have this list.
   */
  readonly skipped?: readonly NIRSkipped[];
}

/** A piece of metadata that was left out. */
export interface NIRSkipped {
  /** The path in the file. */
  readonly path: string;
  /** The kind of the piece, in words. */
  readonly got: string;
}

/** Any node. */
export type NIRNode =
  | NIRInput
  | NIROutput
  | NIRAffine
  | NIRLinear
  | NIRScale
  | NIRConv1d
  | NIRConv2d
  | NIRSumPool2d
  | NIRAvgPool2d
  | NIRFlatten
  | NIRDelay
  | NIRThreshold
  | NIRI
  | NIRLI
  | NIRIF
  | NIRLIF
  | NIRCubaLI
  | NIRCubaLIF
  | NIRGraph;
