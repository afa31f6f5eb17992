/** The polynomial of the fast 2ˣ, which compiled steps and steps on tensors share with kernels/derivative.ts. */

/** Minimax fit of 2ᶠ for |f| ≤ ½, the constant first. */
export const POWER_TERMS = [0.9999993, 0.6931218, 0.24024744, 0.05591786, 0.009570102] as const;
export const POWER_LOWEST = -64;
