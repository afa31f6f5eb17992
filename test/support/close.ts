/** Compares what the package computed with a golden tensor or number. */

import { Tensor } from "jarvis-snn";
import { expect } from "vitest";
import { deviationOf, type Kind, observe } from "./conformance.ts";
import { type GoldenTensor, numbersOf } from "./golden.ts";

/** |got − expected| ≤ absolute + relative·|expected|; NaN and infinities must be the same. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

export const EXACT: Tolerance = { absolute: 0, relative: 0 };

type Got = Tensor | number;
type Expected = GoldenTensor | number;

/**
 * Fails with `where`, the first element that is off, what came and what was expected. `kind` is the column of the conformance
 * matrix.
 */
export function expectClose(
  where: string,
  got: Got,
  expected: Expected,
  tolerance: Tolerance,
  kind: Kind = "outputs",
): void {
  const [values, wanted] = [valuesOf(got), valuesOf(expected)];
  observe({ kind, deviation: values.length === wanted.length ? deviationOf(values, wanted) : null });
  const problem = mismatch(got, expected, tolerance);
  if (problem !== null) expect.fail(`${where}: ${problem}`);
}

/** Fails unless the spikes are exactly these. */
export function expectSpikes(where: string, got: Got, expected: Expected): void {
  expectClose(where, got, expected, EXACT, "spikes");
}

/** All elements within a fraction of the largest. */
export const withinLargest = (expected: Expected, fraction: number): Tolerance => ({
  absolute:
    fraction * valuesOf(expected).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0),
  relative: 0,
});

export type Tensors = Readonly<Record<string, Tensor | null>>;

/** The tensor of that name. */
export function present(tensors: Tensors, name: string): Tensor {
  const t = tensors[name];
  if (t === undefined || t === null)
    throw new Error(`expected a tensor ${name}, got ${Object.keys(tensors).join(", ")}`);
  return t;
}

/** Compares the gradients of leaves; null stands for none. A number is a fraction of the largest element of each gradient. */
export function expectGradients(
  where: string,
  leaves: Tensors,
  expected: Readonly<Record<string, GoldenTensor | null>>,
  tolerance: Tolerance | number,
): void {
  for (const [name, golden] of Object.entries(expected)) {
    const { grad } = present(leaves, name);
    if (golden === null || grad === null) {
      if (golden !== grad)
        expect.fail(`${where}: gradient of ${name}: got ${grad ?? "none"}, expected ${golden && "one"}`);
    } else {
      const allowed = typeof tolerance === "number" ? withinLargest(golden, tolerance) : tolerance;
      expectClose(`${where}: gradient of ${name}`, grad, golden, allowed, "gradients");
    }
  }
}

/** What is wrong with `got`, or null. */
export function mismatch(got: Got, expected: Expected, tolerance: Tolerance): string | null {
  const shape = got instanceof Tensor ? got.shape : [];
  const wantedShape = typeof expected === "number" ? [] : expected.shape;
  if (shape.join() !== wantedShape.join())
    return `got shape [${shape.join(", ")}], expected [${wantedShape.join(", ")}]`;
  const [values, wanted] = [valuesOf(got), valuesOf(expected)];
  if (values.length !== wanted.length) return `got ${values.length} elements, expected ${wanted.length}`;
  const i = wanted.findIndex((value, at) => !isClose(values[at] as number, value, tolerance));
  if (i < 0) return null;
  const value = wanted[i] as number;
  const off = Math.abs((values[i] as number) - value);
  return (
    `element ${i} of ${wanted.length}${indexOf(i, shape)}: got ${values[i]}, expected ${value} ` +
    `(off by ${off.toPrecision(3)}, allowed ${allowed(value, tolerance).toPrecision(3)})`
  );
}

function valuesOf(x: Got | Expected): readonly number[] {
  if (typeof x === "number") return [x];
  return x instanceof Tensor ? [...x.toFloat32Array()] : numbersOf(x);
}

const allowed = (value: number, { absolute, relative }: Tolerance): number => absolute + relative * Math.abs(value);

function isClose(got: number, value: number, tolerance: Tolerance): boolean {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? Number.isNaN(got) : got === value;
  return Math.abs(got - value) <= allowed(value, tolerance);
}

/** The position of flat element i, as in " at [0, 3]". */
function indexOf(i: number, shape: readonly number[]): string {
  if (shape.length < 2) return "";
  const index: number[] = [];
  let rest = i;
  for (const n of [...shape].reverse()) {
    index.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return ` at [${index.join(", ")}]`;
}
