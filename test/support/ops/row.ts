/** Rows of the table of ops: what goes in, what comes out, and the op between them. */
import type { Tensor } from "../../../engine/index.ts";
import type { ops } from "../../../engine/ops/index.ts";

/** How inputs enter, and the output. */
export interface Case {
  /** The special property of the case. */
  readonly of: string;
  readonly inputs: readonly (readonly number[])[];
  readonly run: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Shapes of the results. */
  readonly gives: readonly (readonly number[])[];
  /** Range of the input values, by default [−2, 2). */
  readonly range?: readonly [low: number, high: number] | undefined;
  /** false where the op passes no gradient on. */
  readonly differentiable?: boolean;
  /** The case makes further tensors besides the results of the op. */
  readonly chained?: boolean;
}

/** Cases of some ops, by their names. */
export type Cases = { readonly [Name in keyof typeof ops]?: Case[] };

type More = Pick<Case, "range" | "differentiable">;

/** The shapes of a text: "[2, 3] []" is [[2, 3], []]. */
export const shapesIn = (text: string): number[][] => JSON.parse(`[${text.trim().replaceAll("] [", "], [")}]`);

/** A case with the shapes of its inputs, an arrow, and those of its results: "[2, 3] [3] → [2, 3]". */
export function row(of: string, shapes: string, run: Case["run"], more: More = {}): Case {
  const [inputs, gives] = shapes.split("→").map(shapesIn) as [number[][], number[][]];
  return { of, inputs, run, gives, ...more };
}

/** The same of a case that makes further tensors besides the results of the op. */
export const chained = (...[of, shapes, run, more]: Parameters<typeof row>): Case => ({
  ...row(of, shapes, run, more),
  chained: true,
});

/** An op of one tensor in three shapes. */
export const unary = (run: (x: Tensor) => Tensor, range: readonly [number, number] = [-2, 2]): Case[] =>
  ["[]", "[7]", "[2, 3, 4]"].map((shape) => row(shape, `${shape} → ${shape}`, run, { range }));
