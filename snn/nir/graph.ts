/**
 * Graphs of the Neuromorphic Intermediate Representation (NIR) as plain data. Nodes and fields have their names in files.
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

/** Metadata of a node or a graph, by name; files keep them, `fromNIR` ignores them. */
export type NIRMetadata = Readonly<Record<string, unknown>>;

/** A node of one type with its fields. */
interface Node<Type extends string> {
  /** The name of the primitive. */
  readonly type: Type;
  /** Free-form data of the node. */
  readonly metadata?: NIRMetadata;
}

/** Fields of a leaky membrane: τ·dv/dt = (v_leak − v) + r·I. */
interface Membrane {
  /** τ, seconds. */
  readonly tau: NIRArray;
  /** Resistance. */
  readonly r: NIRArray;
  /** The value towards which v decays. */
  readonly v_leak: NIRArray;
}

/** Fields of a spike: where v > v_threshold, z = 1 and v ← v_reset. */
interface Threshold {
  /** θ. */
  readonly v_threshold: NIRArray;
  /** Value of v after a spike; zeros if the file has none. */
  readonly v_reset: NIRArray;
}

/** Fields of a synaptic current and its membrane: τ_syn·di/dt = −i + w_in·I, τ_mem·dv/dt = (v_leak − v) + r·i. */
interface SynapticMembrane {
  /** τ_syn, seconds. */
  readonly tau_syn: NIRArray;
  /** τ_mem, seconds. */
  readonly tau_mem: NIRArray;
  /** Resistance. */
  readonly r: NIRArray;
  /** The value towards which v decays. */
  readonly v_leak: NIRArray;
  /** Weight of the input; ones if the file has none. */
  readonly w_in: NIRArray;
}

interface Convolution<Size, Padding, Shape> {
  /** Filters, [out, in / groups, k] or [out, in / groups, kH, kW]. */
  readonly weight: NIRArray;
  /** Biases, [out]. */
  readonly bias: NIRArray;
  /** Stride of the window. */
  readonly stride: Size;
  /** Zeros added at both ends of each axis. */
  readonly padding: Padding;
  /** Distance of the values under the window. */
  readonly dilation: Size;
  /** Number of groups of channels. */
  readonly groups: number;
  /** Size of the input without channels; null if the file has none. */
  readonly input_shape: Shape | null;
}

interface Pool {
  /** Size of the window. */
  readonly kernel_size: NIRPair;
  /** Stride of the window. */
  readonly stride: NIRPair;
  /** Zeros added at both ends of each axis. */
  readonly padding: NIRPair;
}

/** Where values of this shape, without a batch axis, enter the graph. */
export interface NIRInput extends Node<"Input"> {
  /** Sizes of one step of one sample. */
  readonly shape: readonly number[];
}

/** Where values of this shape leave the graph. */
export interface NIROutput extends Node<"Output"> {
  /** Sizes of one step of one sample. */
  readonly shape: readonly number[];
}

/** y = W·x + b. */
export interface NIRAffine extends Node<"Affine"> {
  /** W, [out, in]; [places, out, in] is one matrix for each place of x [places, in]. */
  readonly weight: NIRArray;
  /** b, [out], or [places, out]. */
  readonly bias: NIRArray;
}

/** y = W·x. */
export interface NIRLinear extends Node<"Linear"> {
  /** W, [out, in]; [places, out, in] is one matrix for each place of x [places, in]. */
  readonly weight: NIRArray;
}

/** y = scale ⊙ x. */
export interface NIRScale extends Node<"Scale"> {
  /** Factors, in the shape of x. */
  readonly scale: NIRArray;
}

/** A convolution over [in, L]. */
export interface NIRConv1d extends Node<"Conv1d">, Convolution<number, number | "same" | "valid", number> {}

/** A convolution over [in, H, W]. */
export interface NIRConv2d extends Node<"Conv2d">, Convolution<NIRPair, NIRPadding, readonly [number, number]> {}

/** The sum of each window. */
export interface NIRSumPool2d extends Node<"SumPool2d">, Pool {}

/** The mean of each window. */
export interface NIRAvgPool2d extends Node<"AvgPool2d">, Pool {}

/** Joins the axes start_dim … end_dim of one sample. */
export interface NIRFlatten extends Node<"Flatten"> {
  /** First axis to join, counted without the batch. */
  readonly start_dim: number;
  /** Last axis to join. */
  readonly end_dim: number;
  /** Sizes of the input; null if the file has none. */
  readonly input_shape: readonly number[] | null;
}

/** y(t) = x(t − delay). */
export interface NIRDelay extends Node<"Delay"> {
  /** Delay, seconds. */
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

/** Nodes and the edges between them; a node may be a graph itself. */
export interface NIRGraph extends Node<"NIRGraph"> {
  /** Nodes by name; values enter at Input nodes and leave at Output nodes. */
  readonly nodes: Readonly<Record<string, NIRNode>>;
  /** Pairs of names: from, to. Several edges to one node add up. */
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** Version of NIR that wrote the file; only on an outermost graph. */
  readonly version?: string;
  /**
   * Metadata of the file whose types `readNIR` cannot read; only on an outermost graph, absent if nothing was skipped. It is not written to
   * files and not part of modules.
   */
  readonly skipped?: readonly NIRSkipped[];
}

/** A skipped piece of metadata. */
export interface NIRSkipped {
  /** Path in the file. */
  readonly path: string;
  /** Type of the piece, in words. */
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
