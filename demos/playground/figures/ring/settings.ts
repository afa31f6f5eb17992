/** What a reader and a link can set. */
import type { Range } from "../slider.ts";

/** Degrees of the first cue. */
export const ANGLE = 40;
/** Neurons of each of the two rings. */
export const SIZES = [64, 128, 256];
export const PUSH: Range = {
  label: "Push",
  min: -1,
  max: 1,
  step: 0.05,
  show: (value) => value.toFixed(2).replace("-", "−"),
};
