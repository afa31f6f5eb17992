/** The torch/ops_* files: one op an entry, its outputs, and the vector-Jacobian products with a given upstream gradient. */
import { type ReduceOptions, Tensor } from "jarvis-snn";
import { expectClose, expectGradients, present, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

export interface OpEntry extends NamedEntry {
  readonly op: string;
  readonly attrs: OpAttrs;
  readonly inputs: GoldenTensors;
  readonly outputs: GoldenTensors;
  readonly upstream?: GoldenTensors;
  /** null: no path from the outputs. */
  readonly grads?: Readonly<Record<string, GoldenTensor | null>>;
}

export interface OpAttrs {
  readonly dim?: number | readonly number[] | null;
  readonly keepdim?: boolean;
  readonly [name: string]: unknown;
}

export type Inputs = Record<string, Tensor>;

/** Runs the op: one tensor for the output "out", or the outputs by name. */
export type OpCase = (inputs: Inputs, attrs: OpAttrs, entry: OpEntry) => Tensor | Record<string, Tensor>;

export interface OpSuite {
  readonly file: string;
  readonly cases: Readonly<Record<string, OpCase>>;
  readonly leftOut: Readonly<Record<string, string>>;
  readonly tolerance: OpTolerance;
  /** Ops whose rounding is of another kind. */
  readonly exceptions?: Readonly<Record<string, OpTolerance>>;
}

export interface OpTolerance {
  readonly forward: Tolerance;
  readonly gradient: Tolerance;
}

export function opSuite({ file, cases, leftOut, tolerance, exceptions = {} }: OpSuite): void {
  goldenSuite<{ entries: OpEntry[] }, OpEntry>({
    file,
    entries: ({ entries }) => entries,
    reads: ["entries"],
    leftOut,
    kind: ({ op }) => op,
    run(entry) {
      const { op, attrs } = entry;
      const run = cases[op];
      const { forward, gradient } = exceptions[op] ?? tolerance;
      if (run === undefined) throw new Error(`${file}: no case for the op ${op}, and it is not left out`);
      const inputs = mapValues(entry.inputs, (t, name) => toTensor(t, (entry.grads?.[name] ?? null) !== null));
      const result = run(inputs, attrs, entry);
      const outputs = result instanceof Tensor ? { out: result } : result;
      for (const [name, expected] of Object.entries(entry.outputs)) {
        expectClose(`${entry.name}: ${name}`, present(outputs, name), expected, forward);
      }
      if (entry.grads === undefined) return;
      for (const [name, upstream] of Object.entries(entry.upstream ?? {})) {
        present(outputs, name).backward(toTensor(upstream));
      }
      expectGradients(entry.name, inputs, entry.grads, gradient);
    },
  });
}

/** The options of a reduction; no dim means all axes. */
export function reduceOptions({ dim, keepdim = false }: OpAttrs): ReduceOptions {
  return dim === undefined || dim === null ? { keepdim } : { axis: dim, keepdim };
}

/** A number attribute, or the default. */
export function numberOf(attrs: OpAttrs, name: string, fallback: number): number {
  const value = attrs[name] ?? fallback;
  if (typeof value !== "number") throw new TypeError(`expected a number for ${name}, got ${JSON.stringify(value)}`);
  return value;
}

/** A number or a pair of them, for height and width. */
export function pairOf(attrs: OpAttrs, name: string, fallback: number): number | readonly [number, number] {
  const value = attrs[name] ?? fallback;
  if (!Array.isArray(value)) return numberOf(attrs, name, fallback);
  if (value.length === 1) return value[0] as number;
  return value as unknown as readonly [number, number];
}
