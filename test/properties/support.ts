/** What the property tests share: reproducible runs, and shapes and values to choose from. */
import fc, { type Arbitrary } from "fast-check";
import { type Tensor, tensor } from "../../engine/index.ts";

/** The same cases in every run; `SEED=…` looks at others. A failure names its seed and path. */
export const SEED = Number(process.env.SEED ?? 20_250_101);

/** Holds the predicate for `numRuns` cases. It throws, as `expect` does, or returns. */
export function holds<T>(cases: Arbitrary<T>, predicate: (value: T) => void, numRuns = 200): void {
  fc.assert(fc.property(cases, predicate), { seed: SEED, numRuns });
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const shapes = (minLength = 0, maxLength = 5, max = 4): Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max }), { minLength, maxLength });

/** Any float32, NaN and infinities among them. */
export const floats = (n: number): Arbitrary<number[]> => fc.array(fc.float(), { minLength: n, maxLength: n });

/** Whole numbers: sums of products of some thousands of them are exact. */
export const whole = (n: number, max = 4): Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -max, max }), { minLength: n, maxLength: n });

/** Values for a shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export const valuesFor = (shape: readonly number[], of: (n: number) => Arbitrary<number[]>): Arbitrary<Values> =>
  of(sizeOf(shape)).map((values) => ({ shape, values }));

export const place = ({ shape, values }: Values, requiresGrad = false): Tensor =>
  tensor(Float32Array.from(values), { shape: [...shape], requiresGrad });

/** The place of element i of a shape, the last axis fastest. */
export function placeOf(shape: readonly number[], i: number): number[] {
  const place: number[] = [];
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] as number;
    place[axis] = rest % n;
    rest = Math.floor(rest / n);
  }
  return place;
}

/** The element at a place. */
export function offsetOf(shape: readonly number[], place: readonly number[]): number {
  return shape.reduce((offset, n, axis) => offset * n + (place[axis] as number), 0);
}
