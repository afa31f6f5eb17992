/** Messages between the figure and its task. Typed arrays are transferred. */
import type { Changes } from "../../model/history.ts";
import type { TrainConfig } from "../../model/train-fields.ts";
import type { Activity, SampleView } from "../../model/views.ts";

/** The input that is shown: a test sample, or a point of the unit square. */
export type Subject =
  | { readonly kind: "test"; readonly index: number }
  | { readonly kind: "point"; readonly x: number; readonly y: number };

/** A neuron of the network, both counted from 0. */
export interface Pin {
  readonly layer: number;
  readonly neuron: number;
}

export type Command =
  /** A new run, at rest. */
  | { readonly kind: "configure"; readonly config: TrainConfig }
  /** Trains on; until so many steps have been taken, if that is given. */
  | { readonly kind: "play"; readonly until?: number }
  | { readonly kind: "pause" }
  | { readonly kind: "step" }
  /** Steps a second; 0: as many as there can be. */
  | { readonly kind: "pace"; readonly stepsPerSecond: number }
  | { readonly kind: "look"; readonly at: Subject }
  /** The map shows where this neuron fires, or with null where the network decides what. */
  | { readonly kind: "watch"; readonly neuron: Pin | null }
  /** Takes the spikes of these neurons away in all that is shown; training keeps them. */
  | { readonly kind: "silence"; readonly neurons: readonly Pin[] }
  /** Shows the weights as they were at a snapshot, or with null as they are. */
  | { readonly kind: "recall"; readonly snapshot: number | null }
  | { readonly kind: "save" }
  /** The weights of a file, in the network that the file describes, or in one like the run's; at rest. */
  | { readonly kind: "load"; readonly bytes: Uint8Array };

/** The run that a configuration, or a file of weights, made. */
export interface Setup {
  readonly kind: "setup";
  /** By a file, whose configuration this then is. */
  readonly loaded: boolean;
  readonly config: TrainConfig;
  readonly features: number;
  readonly classes: number;
  /** Test samples: how many, their points [x, y, …] where they have some, their labels. */
  readonly tests: number;
  readonly points: Float32Array | null;
  readonly labels: Uint8Array;
  readonly stepsPerEpoch: number;
  readonly batchSize: number;
  readonly weights: number;
  /** The derivative of a spike by u − θ, CURVE_POINTS points of [−POTENTIAL_RANGE, POTENTIAL_RANGE]. */
  readonly surrogate: Float32Array;
}

/** What takes longer to find out and comes less often. */
export interface Detail {
  /** Steps that led to these weights. */
  readonly steps: number;
  /** Share of the test samples that are recognised. */
  readonly accuracy: number;
  readonly activity: Activity;
  /** SHA-256 of the weights. */
  readonly hash: string;
  /** The matrices [out, in] from the first layer to the readout. */
  readonly matrices: readonly Float32Array[];
  /** Bytes of linear memory in use, and all that the platform has given, which it does not get back. */
  readonly memory: { readonly live: number; readonly reserved: number };
}

/** The state of the run, at most 30 times a second. */
export interface Frame {
  readonly kind: "frame";
  readonly playing: boolean;
  /** Steps taken, and those of the weights that are shown. */
  readonly steps: number;
  readonly shown: number;
  /** The points of loss and accuracy that were recorded since the frame before. */
  readonly history: Changes;
  /** Steps a second while playing. */
  readonly rate: number;
  /** false: the weights came from a file. */
  readonly fromSeed: boolean;
  /** Steps of the snapshots that can be recalled. */
  readonly snapshots: readonly number[];
  readonly sample: SampleView;
  readonly detail: Detail | null;
}

/** A picture of the unit square at each step, [T, side²], each from the top. */
export interface PlaneMap {
  readonly kind: "map";
  /** The neuron whose spikes until then are counted; null: the certainty of class 1. */
  readonly of: Pin | null;
  readonly map: Float32Array;
  readonly isFine: boolean;
}

export type Report =
  | Setup
  | Frame
  | PlaneMap
  /** A number of commands has been carried out, or was overtaken by others. */
  | { readonly kind: "obeyed"; readonly commands: number }
  | { readonly kind: "saved"; readonly bytes: Uint8Array }
  | { readonly kind: "problem"; readonly message: string };
