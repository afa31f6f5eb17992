/** The fields of each primitive, as files have them: one table for reading, writing and checks. */
import { COUNT, INTEGER, type Range, WHOLE } from "../../engine/arguments.ts";
import type { NIRNode } from "./graph.ts";

/** A field of a node: an array of numbers, unless `range` says that it holds integers. */
export interface Field {
  /** The name in files, where that is another one. */
  readonly file?: string;
  /** The integers that a field holds. */
  readonly range?: Range;
  /** How many integers there may be; lists of any length have none. A single one is a number alone. */
  readonly lengths?: readonly number[];
  /** Whether "same" and "valid" are values, too. */
  readonly words?: true;
  /** The value of a field that is not there; a field without this must be there. */
  readonly missing?: number | null;
  /** The array whose shape an array takes that is not there, or that is a number alone. */
  readonly like?: string;
}

const array: Field = {};
const count: Field = { range: COUNT, lengths: [1] };
const pair: Field = { range: COUNT, lengths: [1, 2] };
const margin: Field = { range: WHOLE, lengths: [1, 2] };
const sizes: Field = { range: WHOLE };

const v_reset: Field = { missing: 0, like: "v_threshold" };
const pool = { kernel_size: pair, stride: pair, padding: margin };
const synapse = { tau_syn: array, tau_mem: array, r: array, v_leak: array };

type Fields<Node> = Readonly<Record<Exclude<keyof Node, "type" | "metadata">, Field>>;

/** By the name of a primitive; graphs have `nodes` and `edges`, which are no fields. */
export const FIELDS: { readonly [Type in Exclude<NIRNode["type"], "NIRGraph">]: Fields<NIRNode & { type: Type }> } = {
  Input: { shape: sizes },
  Output: { shape: sizes },
  Affine: { weight: array, bias: array },
  Linear: { weight: array },
  Scale: { scale: array },
  Conv1d: {
    input_shape: { ...count, missing: null },
    weight: array,
    stride: count,
    padding: { range: WHOLE, lengths: [1], words: true },
    dilation: count,
    groups: count,
    bias: array,
  },
  Conv2d: {
    input_shape: { range: COUNT, lengths: [2], missing: null },
    weight: array,
    stride: pair,
    padding: { ...margin, words: true },
    dilation: pair,
    groups: count,
    bias: array,
  },
  SumPool2d: pool,
  AvgPool2d: pool,
  Flatten: {
    start_dim: { range: INTEGER, lengths: [1], missing: 1 },
    end_dim: { range: INTEGER, lengths: [1], missing: -1 },
    input_shape: { ...sizes, file: "input_type", missing: null },
  },
  Delay: { delay: array },
  Threshold: { threshold: array },
  I: { r: array },
  LI: { tau: array, r: array, v_leak: array },
  IF: { r: array, v_threshold: array, v_reset },
  LIF: { tau: array, r: array, v_leak: array, v_threshold: array, v_reset },
  CubaLI: { ...synapse, w_in: { missing: 1, like: "v_leak" } },
  CubaLIF: { ...synapse, v_threshold: array, v_reset, w_in: { missing: 1, like: "v_threshold" } },
};
