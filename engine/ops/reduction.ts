/** Combines the losses of the elements to the loss of a batch. */
import { choiceOf } from "../arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { mean, sum } from "./reduce.ts";

/** How the losses of the elements are combined. */
export type Reduction = "mean" | "sum" | "none";

export const REDUCTIONS: readonly Reduction[] = ["mean", "sum", "none"];

/** Throws for an unknown reduction. */
export function checkReduction(where: string, reduction: Reduction): void {
  choiceOf(where, "the reduction", reduction, REDUCTIONS);
}

export function reduced(x: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return x;
  return reduction === "sum" ? sum(x) : mean(x);
}
