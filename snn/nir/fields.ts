/** Fields of each primitive, as in files: one table for reading, writing and checks. */
import { COUNT, INTEGER, type Range, WHOLE } from "../../engine/arguments.ts";
import type { NIRNode } from "./graph.ts";

/** A field of a node: an array of numbers or, with `range`, integers. */
export interface Field {
  /** Name in files, if it differs. */
  readonly file?: string;
  /** Range of integers. */
  readonly range?: Range;
  /** Allowed numbers of integers; undefined for any. A single integer is a plain number. */
  readonly lengths?: readonly number[];
  /** Whether "same" and "valid" are allowed too. */
  readonly words?: true;
  /** Value of a missing field. If `missing` is absent, the field is required. */
  readonly missing?: number | null;
  /** Field that gives a missing array, or a single number, its shape. */
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

/** Fields by primitive; `nodes` and `edges` of graphs are not in the table. */
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
